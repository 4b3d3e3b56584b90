use super::participant_weighted::participants;
use super::pooled::{about_pool, check_again, check_trials};
use super::sensitivity::unknown_trial;
use super::univariate::{Numbers, locate};
use crate::compute::bayes::{EffectOf, MuPrior, NormalNormal, Posterior, PosteriorSummary, TauPrior};
use crate::compute::curve::Inference;
use crate::compute::reference_distribution::check_level;
use crate::compute::words::words;
use crate::design::{Direction, Label};
use crate::effect::{
    About, AnyScale, Checked, Estimate, IntervalMethod, Method, On, Scale, ScaleForm, TreatmentEffects,
    VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Pools the effect of one treatment over trials with prior distributions of the mean effect and of the
/// variation between trials.
///
/// Use it with few trials, where the data hardly tell `tau` and a prior says what variation is plausible. It
/// answers in probabilities: of benefit, of no harm beyond a margin, in the mean and in a new trial; and it
/// draws the effect of every trial towards the mean.
///
/// # Formula
/// `y_i ~ N(theta_i, v_i)`, `theta_i ~ N(mu, tau^2)`; `y_i` the estimate and `v_i` the sampling variance of
/// trial `i`. The prior of `mu` is flat unless one is given. That of `tau` is half-normal: with scale 0.5 for
/// log ratios; for risk differences `0.5 p (1 - p)`, the same on their scale, with `p` the share of all
/// people in both arms of all trials who had the event; for other differences an eighth of the
/// unit-information standard deviation `sqrt(sum n_i / sum 1/v_i)`, `n_i` the participants of both arms.
/// Posterior distributions are found by quadrature, without sampling.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances; their true effects are
/// exchangeable.
///
/// # Interval
/// Credible intervals with equal tails, read off the same posterior distribution as every probability. The
/// summary of the result also holds the shortest ones, by that name.
///
/// # Errors
/// No estimate; a standard error of zero; a prior that leaves `tau` undetermined; a default prior of `tau`
/// for differences without numbers of participants, or for risk differences where nobody or everybody had the
/// event.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::pool::EffectOf;
/// use armwise::bayes::TauPrior;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let prior = TauPrior::HalfNormal { scale: 0.03 };
/// let pooled = BayesianRandomEffects::new().tau_prior(prior).pool(&guidance)?;
/// let benefit = pooled.probability_of_benefit(EffectOf::Mean)?;
/// assert!(benefit > pooled.probability_of_benefit(EffectOf::NewTrial)?);
/// assert!(pooled.probability_of_no_harm(EffectOf::Mean, 0.02)? > benefit);
/// assert!((pooled.probability_above(pooled.interval().lower())? - 0.975).abs() < 1e-9);
/// let city = pooled.trial("B")?;
/// assert!(city.effect.value() > city.estimate.value()); // drawn towards the mean
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Roever C (2020), Journal of Statistical Software 93(6), doi:10.18637/jss.v093.i06. Roever C et al. (2021),
/// Research Synthesis Methods 12:448, doi:10.1002/jrsm.1475.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BayesianRandomEffects {
    tau_prior: Option<TauPrior>,
    mu_prior: MuPrior,
    level: Option<f64>,
}

/// The origin of a prior of `tau`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PriorOrigin {
    /// It was given.
    Given,
    /// Half-normal with scale 0.5, for log ratios.
    LogRatio,
    /// Half-normal with scale `0.5 p (1 - p)`, for risk differences; `p` the share of people with the event
    /// in all arms.
    RiskDifference,
    /// Half-normal with an eighth of the unit-information standard deviation.
    UnitInformation,
}

words! {
    PriorOrigin {
        Given => "given",
        LogRatio => "the default for log ratios",
        RiskDifference => "the default for risk differences, 0.5 p (1 - p)",
        UnitInformation => "the default, an eighth of the unit-information standard deviation",
    }
}

/// The priors of `tau` with which a result is repeated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Priors {
    /// Half-normal with half, once and twice the scale of the default prior; half-Cauchy with once the scale;
    /// uniform up to five times the scale.
    Customary,
    /// These.
    Of(Vec<TauPrior>),
}

impl BayesianRandomEffects {
    /// Flat prior of `mu`, half-normal prior of `tau` on the scale of the effect, level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The prior of the standard deviation between trials, in units of the scale; default half-normal, see
        /// the formula.
        tau_prior: TauPrior as Some;
        /// The prior of the mean effect; default flat.
        mu_prior: MuPrior;
        /// The probability of credible intervals, between 0 and 1; default 0.95.
        level: f64 as Some;
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
        let rows = priors.into_iter().map(|prior| Ok(self.tau_prior(prior).pool(effects)?.to_any()));
        let rows = rows.collect::<Result<Vec<BayesianPooled>>>()?;
        Ok(On::of(PriorSensitivityRecord { pooled: pooled.to_any(), rows }))
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
        let method = Method::new("Bayesian random effects")
            .variance(VarianceMethod::Other("posterior, by quadrature over tau".to_owned()))
            .interval(IntervalMethod::EqualTails);
        let posterior =
            NormalNormal::new(tau_prior).mu_prior(self.mu_prior).posterior(&numbers.yi, &numbers.vi)?;
        let estimates = effects.iter().map(On::to_any);
        let about = about_pool(effects, method, level, effects.notices());
        let treatment = effects.treatment().clone();
        BayesianRecord::new(about, treatment, prior_origin, estimates, Arc::new(posterior)).map(On::of)
    }
}

/// The scale of the half-normal prior of `tau`, where none is given.
fn default_scale<S: Scale>(effects: &TreatmentEffects<S>) -> Result<(f64, PriorOrigin)> {
    if effects.iter().all(|estimate| estimate.scale().form() == ScaleForm::LogRatio) {
        return Ok((0.5, PriorOrigin::LogRatio));
    }
    if effects.iter().all(|estimate| estimate.scale().to_any() == AnyScale::RiskDifference)
        && let Some(share) = share_with_event(effects.iter())
    {
        let scale = 0.5 * share * (1.0 - share);
        if scale > 0.0 {
            return Ok((scale, PriorOrigin::RiskDifference));
        }
        let why = format!(
            "{} had the event in any arm, so that the default prior of tau, 0.5 p (1 - p), has no scale; give a prior with tau_prior",
            if share > 0.0 { "everybody" } else { "nobody" }
        );
        return Err(ErrorKind::NotEstimable(why).into());
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

/// The share of all people in both arms of all trials who had the event; `None` where that is not known of
/// all.
pub(crate) fn share_with_event<'e, S: Scale>(
    estimates: impl Iterator<Item = &'e Estimate<S>>,
) -> Option<f64> {
    let (mut events, mut people) = (0, 0);
    for arm in estimates.flat_map(|estimate| [estimate.treatment_counts(), estimate.reference_counts()]) {
        events += arm.events?;
        people += arm.analysed;
    }
    (people > 0).then(|| events as f64 / people as f64)
}

/// One trial in a Bayesian pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShrunkenTrial {
    /// The trial's own estimate.
    pub estimate: Estimate,
    /// Its effect in the posterior, drawn towards the mean of all trials.
    pub effect: Inference,
}

/// The effect of one treatment pooled over trials by [`BayesianRandomEffects`].
///
/// Median, intervals, and the probability of any effect are read off one posterior distribution. The value is
/// the posterior median.
///
/// [`BayesianRecord`] has the fields and further methods.
pub type BayesianPooled<S = AnyScale> = On<S, BayesianRecord>;

/// The data of a [`BayesianPooled`] effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BayesianRecord {
    /// The identity of the effect; the trials are those that were pooled.
    pub about: Arc<About>,
    /// The treatment.
    pub treatment: Label,
    /// The origin of the prior of `tau`.
    pub prior_origin: PriorOrigin,
    /// The trials with their own estimates and their effects drawn towards the mean.
    pub trials: Vec<ShrunkenTrial>,
    /// The mean effect in trials like these.
    pub inference: Inference,
    /// The effect in a new trial like these.
    pub new_trial: Inference,
    /// Mean effect, `tau` and effect in a new trial in numbers, the shortest intervals too, with the priors
    /// and the evidence.
    pub summary: PosteriorSummary,
    /// The whole posterior: densities, quantiles, Bayes factors.
    pub posterior: Arc<Posterior>,
}

impl Deref for BayesianRecord {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

impl Checked for BayesianRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let estimates = || self.trials.iter().map(|trial| &trial.estimate);
        check_trials(&self.about, &self.treatment, estimates())?;
        let Numbers { yi, vi } = Numbers::of(estimates())?;
        let posterior = Arc::new(self.summary.priors.posterior(&yi, &vi)?);
        let (about, treatment) = (Arc::clone(&self.about), self.treatment.clone());
        let own = Self::new(about, treatment, self.prior_origin, estimates().cloned(), posterior)?;
        check_again(self, &own)
    }
}

impl BayesianRecord {
    fn new(
        about: Arc<About>,
        treatment: Label,
        prior_origin: PriorOrigin,
        estimates: impl Iterator<Item = Estimate>,
        posterior: Arc<Posterior>,
    ) -> Result<Self> {
        let of = |of: EffectOf| Inference::posterior(&posterior, of, about.level);
        let trials: Result<Vec<ShrunkenTrial>> = estimates
            .enumerate()
            .map(|(i, estimate)| Ok(ShrunkenTrial { estimate, effect: of(EffectOf::Trial(i))? }))
            .collect();
        Ok(Self {
            treatment,
            prior_origin,
            trials: trials?,
            inference: of(EffectOf::Mean)?,
            new_trial: of(EffectOf::NewTrial)?,
            summary: posterior.summary(about.level)?,
            posterior,
            about,
        })
    }

    /// The treatment.
    pub fn treatment(&self) -> &Label {
        &self.treatment
    }

    /// One trial.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn trial(&self, name: impl AsRef<str>) -> Result<&ShrunkenTrial> {
        let name = name.as_ref();
        let found = self.trials.iter().find(|trial| *trial.estimate.trial() == name);
        found.ok_or_else(|| unknown_trial(name, &self.about.trials))
    }

    /// The mean effect, that of a new trial, or that of one of these trials.
    ///
    /// # Errors
    /// There is no such trial.
    pub fn effect(&self, of: EffectOf) -> Result<&Inference> {
        match of {
            EffectOf::Mean => Ok(&self.inference),
            EffectOf::NewTrial => Ok(&self.new_trial),
            EffectOf::Trial(i) => self.trials.get(i).map(|trial| &trial.effect).ok_or_else(|| {
                let why = format!(
                    "there is no trial {i} among {}; they count from 0",
                    counted(self.trials.len(), "trial")
                );
                self.about.locate(Error::invalid(why))
            }),
        }
    }

    /// The probability that the treatment does good: an effect above zero where higher is better, below zero
    /// where lower is better.
    ///
    /// # Errors
    /// The measure has no direction of benefit; there is no such trial.
    pub fn probability_of_benefit(&self, of: EffectOf) -> Result<f64> {
        self.probability_of_no_harm(of, 0.0)
    }

    /// The probability that the treatment does no harm beyond `margin`, which is zero or more on the scale.
    ///
    /// # Errors
    /// The measure has no direction of benefit; a margin that is negative; there is no such trial.
    pub fn probability_of_no_harm(&self, of: EffectOf, margin: f64) -> Result<f64> {
        let locate = |error: Error| self.about.locate(error.in_arm(&self.treatment));
        if !(margin >= 0.0 && margin.is_finite()) {
            let why =
                format!("the margin is {margin}; give the harm that is tolerated, zero or more on the scale");
            return Err(locate(Error::invalid(why)));
        }
        let effect = self.effect(of)?;
        // Of a posterior a one-sided p-value is the probability of its hypothesis.
        match self.about.measure.direction {
            Direction::HigherIsBetter => effect.p_below(-margin),
            Direction::LowerIsBetter => effect.p_above(margin),
            Direction::Undeclared => Err(locate(Error::invalid(
                "the measure has no direction of benefit; declare higher_is_better or lower_is_better, or ask for probability_above",
            ))),
        }
    }
}

/// A Bayesian pool under several priors of `tau`; from [`BayesianRandomEffects::prior_sensitivity`].
///
/// [`PriorSensitivityRecord`] has the fields.
pub type PriorSensitivity<S = AnyScale> = On<S, PriorSensitivityRecord>;

/// The data of a [`PriorSensitivity`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PriorSensitivityRecord {
    /// The pool under the model's own prior.
    pub pooled: BayesianPooled,
    /// The pool under each prior, in the order in which they were given.
    pub rows: Vec<BayesianPooled>,
}

impl Checked for PriorSensitivityRecord {
    fn about(&self) -> &About {
        self.pooled.about()
    }

    fn check(&self) -> Result<()> {
        let of = |pooled: &BayesianPooled| (pooled.about.clone(), pooled.summary.priors.prior_of_mu());
        let estimates = |pooled: &BayesianPooled| -> Vec<Estimate> {
            pooled.trials.iter().map(|trial| trial.estimate.clone()).collect()
        };
        let own = (of(&self.pooled), estimates(&self.pooled));
        if !self.rows.is_empty() && self.rows.iter().all(|row| (of(row), estimates(row)) == own) {
            return Ok(());
        }
        Err(self.pooled.about.locate(Error::invalid(
            "the rows under several priors of tau are not all of the same trials and prior of the mean; repeat one pool under each prior",
        )))
    }
}
