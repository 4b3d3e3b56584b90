use super::participant_weighted::participants;
use super::sensitivity::unknown_trial;
use super::univariate::{Numbers, locate};
use crate::compute::bayes::{
    MuPrior, NormalMixture, NormalNormal, Posterior, PosteriorSummary, Summary, TauPrior,
};
use crate::compute::reference_distribution::check_level;
use crate::compute::words::words;
use crate::design::{Direction, Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, Estimand, Estimate, Scale, ScaleForm, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Pools the effect of one treatment over trials with prior distributions of the mean effect and of the variation between trials.
///
/// Use it with few trials, where the data hardly tell `tau` and a prior says what variation is plausible. It answers in probabilities: of
/// benefit, of no harm beyond a margin, in the mean and in a new trial; and it draws the effect of every trial towards the mean.
///
/// # Formula
/// `y_i ~ N(theta_i, v_i)`, `theta_i ~ N(mu, tau^2)`; `y_i` the estimate and `v_i` the sampling variance of trial `i`. The prior of `mu` is flat
/// unless one is given. That of `tau` is half-normal: with scale 0.5 for log ratios; for differences with an eighth of the
/// unit-information standard deviation `sqrt(sum n_i / sum 1/v_i)`, `n_i` the participants of both arms (for a log odds ratio at 50% that is
/// 0.5 as well). Posterior distributions are found by quadrature, without sampling.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances; their true effects are exchangeable.
///
/// # Interval
/// Credible intervals with equal tails; the result also holds the shortest ones.
///
/// # Errors
/// No estimate; a standard error of zero; a prior that leaves `tau` undetermined; a default prior of `tau` for differences without numbers of
/// participants.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::EffectOf;
/// use armwise::bayes::TauPrior;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let pooled = BayesianRandomEffects::new().tau_prior(TauPrior::HalfNormal { scale: 0.03 }).pool(&guidance)?;
/// assert!(pooled.probability_of_benefit(EffectOf::Mean)? > pooled.probability_of_benefit(EffectOf::NewTrial)?);
/// assert!(pooled.probability_of_no_harm(EffectOf::Mean, 0.02)? > pooled.probability_of_benefit(EffectOf::Mean)?);
/// assert!(pooled.trial("B")?.effect.median > pooled.trial("B")?.estimate.value());   // drawn towards the mean
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Roever C (2020), Journal of Statistical Software 93(6), doi:10.18637/jss.v093.i06. Roever C et al. (2021), Research Synthesis Methods 12:448,
/// doi:10.1002/jrsm.1475.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BayesianRandomEffects {
    tau_prior: Option<TauPrior>,
    mu_prior: MuPrior,
    level: Option<f64>,
}

/// Where a prior of `tau` comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PriorOrigin {
    /// It was given.
    Given,
    /// Half-normal with scale 0.5, for log ratios.
    LogRatio,
    /// Half-normal with an eighth of the unit-information standard deviation.
    UnitInformation,
}

words! {
    PriorOrigin {
        Given => "given",
        LogRatio => "the default for log ratios",
        UnitInformation => "the default, an eighth of the unit-information standard deviation",
    }
}

/// Whose effect a probability is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EffectOf {
    /// The mean of trials like these.
    Mean,
    /// One new trial like these.
    NewTrial,
}

/// Which priors of `tau` a result is repeated with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Priors {
    /// Half-normal with half, once and twice the scale of the default prior; half-Cauchy with once the scale; uniform up to five times the
    /// scale.
    Customary,
    /// These.
    Of(Vec<TauPrior>),
}

impl BayesianRandomEffects {
    /// Flat prior of `mu`, half-normal prior of `tau` on the scale of the effect, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// The prior of the standard deviation between trials, in units of the scale; default half-normal, see the formula.
    #[must_use]
    pub fn tau_prior(mut self, prior: TauPrior) -> Self {
        self.tau_prior = Some(prior);
        self
    }

    /// The prior of the mean effect; default flat.
    #[must_use]
    pub fn mu_prior(mut self, prior: MuPrior) -> Self {
        self.mu_prior = prior;
        self
    }

    /// The probability of credible intervals, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = Some(level);
        self
    }

    /// The posterior distributions.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<BayesianPooled<S>> {
        let numbers = Numbers::of(effects)?;
        self.fit(effects, &numbers).map_err(|error| locate(effects, error))
    }

    /// The same trials under several priors of `tau`, side by side.
    ///
    /// # Errors
    /// As listed for the type; no prior.
    pub fn prior_sensitivity<S: Scale>(
        &self,
        effects: &TreatmentEffects<S>,
        priors: &Priors,
    ) -> Result<PriorSensitivity<S>> {
        let pooled = self.pool(effects)?;
        let priors = match priors {
            Priors::Of(priors) => priors.clone(),
            Priors::Customary => {
                let scale = default_scale(effects).map_err(|error| locate(effects, error))?.0;
                vec![
                    TauPrior::HalfNormal { scale: 0.5 * scale },
                    TauPrior::HalfNormal { scale },
                    TauPrior::HalfNormal { scale: 2.0 * scale },
                    TauPrior::HalfCauchy { scale },
                    TauPrior::Uniform { upper: 5.0 * scale },
                ]
            }
        };
        if priors.is_empty() {
            return Err(locate(effects, Error::invalid("there is no prior to compare; name at least one")));
        }
        let row = |prior: TauPrior| {
            let other = self.tau_prior(prior).pool(effects)?;
            let probability_of_benefit = other.probability_of_benefit(EffectOf::Mean).ok();
            Ok(PriorRow { probability_of_benefit, summary: other.summary })
        };
        let rows = priors.into_iter().map(row).collect::<Result<Vec<PriorRow>>>()?;
        Ok(PriorSensitivity { pooled, rows })
    }

    fn fit<S: Scale>(&self, effects: &TreatmentEffects<S>, numbers: &Numbers) -> Result<BayesianPooled<S>> {
        let level = self.level.unwrap_or(0.95);
        check_level(level)?;
        let (tau_prior, prior_origin) = if let Some(prior) = self.tau_prior {
            (prior, PriorOrigin::Given)
        } else {
            let (scale, origin) = default_scale(effects)?;
            (TauPrior::HalfNormal { scale }, origin)
        };
        let model = NormalNormal::new(tau_prior).mu_prior(self.mu_prior);
        let posterior = model.posterior(&numbers.yi, &numbers.vi)?;
        let summary = posterior.summary(level)?;
        let shrunken = |(i, estimate): (usize, &Estimate<S>)| {
            Ok(ShrunkenTrial {
                estimate: estimate.clone(),
                effect: posterior.study_effect(i)?.summary(level)?,
            })
        };
        let trials = effects.iter().enumerate().map(shrunken).collect::<Result<Vec<_>>>()?;
        Ok(BayesianPooled {
            treatment: effects.treatment().clone(),
            prior_origin,
            level,
            trials,
            summary,
            notices: effects.notices(),
            posterior,
        })
    }
}

/// The scale of the half-normal prior of `tau`, where none is given.
fn default_scale<S: Scale>(effects: &TreatmentEffects<S>) -> Result<(f64, PriorOrigin)> {
    if effects.iter().all(|estimate| estimate.scale().form() == ScaleForm::LogRatio) {
        return Ok((0.5, PriorOrigin::LogRatio));
    }
    let (mut people, mut precision) = (0.0, 0.0);
    for estimate in effects {
        people += participants(estimate).map_err(|error| {
            let why = "the estimate does not say how many people it rests on, which the default prior of tau needs; give a prior with \
                       tau_prior";
            let place = error.place().trial.clone().unwrap_or_default();
            Error::from(ErrorKind::InsufficientObservations(why.to_owned())).in_trial(&place)
        })?;
        precision += 1.0 / estimate.variance();
    }
    Ok((0.125 * (people / precision).sqrt(), PriorOrigin::UnitInformation))
}

/// One trial in a Bayesian pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
#[non_exhaustive]
pub struct ShrunkenTrial<S: Scale> {
    /// The trial's own estimate.
    pub estimate: Estimate<S>,
    /// The posterior of its effect, drawn towards the mean of all trials.
    pub effect: Summary,
}

/// The effect of one treatment pooled over trials by [`BayesianRandomEffects`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BayesianPooledWire<S>", bound = "S: Scale")]
pub struct BayesianPooled<S: Scale> {
    treatment: Label,
    prior_origin: PriorOrigin,
    level: f64,
    trials: Vec<ShrunkenTrial<S>>,
    summary: PosteriorSummary,
    notices: Vec<Notice>,
    /// Found again from the rest when it is read from a file.
    #[serde(skip_serializing)]
    posterior: Posterior,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct BayesianPooledWire<S: Scale> {
    treatment: Label,
    prior_origin: PriorOrigin,
    level: f64,
    trials: Vec<ShrunkenTrial<S>>,
    summary: PosteriorSummary,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<BayesianPooledWire<S>> for BayesianPooled<S> {
    type Error = Error;

    fn try_from(wire: BayesianPooledWire<S>) -> Result<Self> {
        let BayesianPooledWire { treatment, prior_origin, level, trials, summary, notices } = wire;
        let effects = TreatmentEffects::new(trials.iter().map(|trial| trial.estimate.clone()))?;
        let Numbers { yi, vi } = Numbers::of(&effects)?;
        let posterior = summary.priors.posterior(&yi, &vi)?;
        let again = posterior.summary(level)?;
        let numbers = |of: &PosteriorSummary| {
            [of.mu, of.tau, of.predictive]
                .map(|part| [part.median, part.interval.lower(), part.interval.upper()])
        };
        let width = again.mu.interval.width();
        let pairs = numbers(&summary).into_iter().flatten().zip(numbers(&again).into_iter().flatten());
        let same = |(a, b): (f64, f64)| (a - b).abs() <= 1e-6 * (width + b.abs());
        if *effects.treatment() != treatment || !pairs.into_iter().all(same) {
            return Err(Error::invalid(
                "the summary of a Bayesian pool is not that of its trials and priors; both must be one",
            ));
        }
        Ok(Self { treatment, prior_origin, level, trials, summary, notices, posterior })
    }
}

impl<S: Scale> BayesianPooled<S> {
    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// The trials with their own estimates and their effects drawn towards the mean.
    pub fn trials(&self) -> &[ShrunkenTrial<S>] {
        &self.trials
    }

    /// One trial.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: impl AsRef<str>) -> Result<&ShrunkenTrial<S>> {
        let name = name.as_ref();
        let found = self.trials.iter().find(|trial| *trial.estimate.trial() == name);
        found.ok_or_else(|| unknown_trial(name, self.trials.iter().map(|trial| trial.estimate.trial())))
    }

    fn first(&self) -> &Estimate<S> {
        &self.trials[0].estimate
    }

    /// The scale.
    pub fn scale(&self) -> S {
        self.first().scale()
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        self.first().measure()
    }

    /// The arm it is compared with.
    pub fn reference(&self) -> &Label {
        self.first().reference()
    }

    /// Marginal or conditional.
    pub fn estimand(&self) -> Estimand {
        self.first().estimand()
    }

    /// The posterior of the mean effect in trials like these.
    pub fn mu(&self) -> Summary {
        self.summary.mu
    }

    /// The posterior of the standard deviation of effects between trials.
    pub fn tau(&self) -> Summary {
        self.summary.tau
    }

    /// The posterior of the effect in a new trial.
    pub fn new_trial(&self) -> Summary {
        self.summary.predictive
    }

    /// All three with the priors and the evidence.
    pub fn summary(&self) -> PosteriorSummary {
        self.summary
    }

    /// Where the prior of `tau` comes from.
    pub fn prior_origin(&self) -> PriorOrigin {
        self.prior_origin
    }

    /// The priors of `mu` and `tau`.
    pub fn priors(&self) -> NormalNormal {
        self.summary.priors
    }

    /// The probability of the credible intervals.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// The whole posterior: densities, quantiles, Bayes factors.
    pub fn posterior(&self) -> &Posterior {
        &self.posterior
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    fn distribution(&self, of: EffectOf) -> NormalMixture {
        match of {
            EffectOf::Mean => self.posterior.mu(),
            EffectOf::NewTrial => self.posterior.predictive(),
        }
    }

    /// The probability that the effect is above `bound`, on the scale.
    pub fn probability_above(&self, of: EffectOf, bound: f64) -> f64 {
        self.distribution(of).sf(bound)
    }

    /// The probability that the treatment does good: an effect above zero where higher is better, below zero where lower is better.
    ///
    /// # Errors
    /// The measure does not say which way is better.
    pub fn probability_of_benefit(&self, of: EffectOf) -> Result<f64> {
        self.probability_of_no_harm(of, 0.0)
    }

    /// The probability that the treatment does no harm beyond `margin`, which is zero or more on the scale.
    ///
    /// # Errors
    /// The measure does not say which way is better; a margin that is negative.
    pub fn probability_of_no_harm(&self, of: EffectOf, margin: f64) -> Result<f64> {
        let locate = |error: Error| error.in_arm(&self.treatment).in_measure(&self.measure().name);
        if !(margin >= 0.0 && margin.is_finite()) {
            let why = format!("a margin of {margin} is none; give how much harm is tolerated, zero or more");
            return Err(locate(Error::invalid(why)));
        }
        let distribution = self.distribution(of);
        match self.measure().direction {
            Direction::HigherIsBetter => Ok(distribution.sf(-margin)),
            Direction::LowerIsBetter => Ok(distribution.cdf(margin)),
            Direction::Undeclared => Err(locate(Error::invalid(
                "nobody has said which way the measure is better; declare higher_is_better or lower_is_better, or ask for \
                 probability_above",
            ))),
        }
    }

    /// The same pool with its scale known only at run time.
    pub fn to_any(&self) -> BayesianPooled<AnyScale> {
        let trials = self.trials.iter();
        BayesianPooled {
            treatment: self.treatment.clone(),
            prior_origin: self.prior_origin,
            level: self.level,
            trials: trials
                .map(|trial| ShrunkenTrial { estimate: trial.estimate.to_any(), effect: trial.effect })
                .collect(),
            summary: self.summary,
            notices: self.notices.clone(),
            posterior: self.posterior.clone(),
        }
    }
}

/// A Bayesian pool under one prior of `tau`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PriorRow {
    /// The priors and what follows from them.
    #[serde(flatten)]
    pub summary: PosteriorSummary,
    /// The probability that the mean effect is a benefit; `None` where the measure does not say which way is better.
    pub probability_of_benefit: Option<f64>,
}

/// A Bayesian pool under several priors; from [`BayesianRandomEffects::prior_sensitivity`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
pub struct PriorSensitivity<S: Scale> {
    pooled: BayesianPooled<S>,
    rows: Vec<PriorRow>,
}

impl<S: Scale> PriorSensitivity<S> {
    /// The pool under the model's own prior.
    pub fn pooled(&self) -> &BayesianPooled<S> {
        &self.pooled
    }

    /// One row per prior, in the order in which they were given.
    pub fn rows(&self) -> &[PriorRow] {
        &self.rows
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> PriorSensitivity<AnyScale> {
        PriorSensitivity { pooled: self.pooled.to_any(), rows: self.rows.clone() }
    }
}
