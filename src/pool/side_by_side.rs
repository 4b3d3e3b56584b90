use super::bayesian::{BayesianPooled, BayesianRandomEffects, EffectOf};
use super::univariate::locate;
use super::{CommonEffect, Pooled, RandomEffects};
use crate::compute::bayes::{MuPrior, TauPrior};
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{Inference, Test};
use crate::compute::reference_distribution::check_level;
use crate::compute::words::words;
use crate::design::{Label, Notice};
use crate::effect::{AnyScale, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Pools one treatment over few trials in every customary way at once, with the pre-specified way marked.
///
/// With six trials no way of pooling is safe by itself: the variation between trials is hardly estimable, Wald is too narrow,
/// Hartung-Knapp sometimes absurdly wide and sometimes too narrow, and a prior has to be defended. What all of them agree on is a finding.
/// The protocol names one of them in advance ([`SideBySide::prespecified`]); the table shows what the choice did.
///
/// # Formula
/// Those of [`CommonEffect`](crate::CommonEffect), [`RandomEffects`](crate::RandomEffects) (REML; Wald, Hartung-Knapp and the wider of both) and
/// [`BayesianRandomEffects`](crate::BayesianRandomEffects), the prediction interval of the last two, and the pre-specified way with each trial
/// left out in turn.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances.
///
/// # Interval
/// That of each way, all at one level. The prediction interval uses the pre-specified standard error (the wider of both where a Bayesian
/// pool or a common effect is pre-specified) and t with `k - 1` degrees of freedom.
///
/// # Errors
/// Fewer than two trials; a standard error of zero; Hartung-Knapp pre-specified for estimates that are all equal.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::Approach;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let ways = SideBySide::new().prespecified(Approach::HartungKnapp).pool(&guidance)?;
/// assert_eq!(ways.rows().len(), 5);
/// assert_eq!(ways.row(Approach::HartungKnapp)?.df, Some(2.0));
/// assert_eq!(ways.left_out().len(), 3);
/// println!("{ways}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Bender R et al. (2018), Research Synthesis Methods 9:382, doi:10.1002/jrsm.1297. Wiksten A, Ruecker G, Schwarzer G (2016), Statistics in
/// Medicine 35:2503, doi:10.1002/sim.6879. Roever C et al. (2021), Research Synthesis Methods 12:448, doi:10.1002/jrsm.1475.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SideBySide {
    prespecified: Approach,
    tau_prior: Option<TauPrior>,
    mu_prior: MuPrior,
    level: Option<f64>,
}

/// A way to pool few trials.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Approach {
    /// One effect common to all trials, inverse variance.
    CommonEffect,
    /// Random effects by REML, normal test.
    Wald,
    /// Random effects by REML, Hartung-Knapp.
    HartungKnapp,
    /// Random effects by REML, the wider of Wald and Hartung-Knapp. The default.
    #[default]
    WiderOfBoth,
    /// Bayesian random effects.
    Bayesian,
}

words! {
    Approach {
        CommonEffect => "common effect",
        Wald => "random effects, Wald",
        HartungKnapp => "random effects, Hartung-Knapp",
        WiderOfBoth => "random effects, wider of both",
        Bayesian => "Bayesian random effects",
    }
}

impl SideBySide {
    /// The wider of Wald and Hartung-Knapp is pre-specified; the default priors of
    /// [`BayesianRandomEffects`](crate::BayesianRandomEffects); level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    /// The way that was chosen before the data were seen; default the wider of Wald and Hartung-Knapp.
    #[must_use]
    pub fn prespecified(mut self, approach: Approach) -> Self {
        self.prespecified = approach;
        self
    }

    /// The prior of the standard deviation between trials; default half-normal, see
    /// [`BayesianRandomEffects`](crate::BayesianRandomEffects).
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

    /// The level of all intervals, between 0 and 1; default 0.95.
    #[must_use]
    pub fn level(mut self, level: f64) -> Self {
        self.level = Some(level);
        self
    }

    /// All ways side by side.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<PooledSideBySide<S>> {
        let k = effects.len();
        if k < 2 {
            let why = "one trial cannot be pooled, in whatever way; report its own estimate";
            return Err(locate(effects, ErrorKind::InsufficientStudies(why.to_owned()).into()));
        }
        let level = self.level.unwrap_or(0.95);
        check_level(level).map_err(|error| locate(effects, error))?;
        let test = match self.prespecified {
            Approach::Wald => Test::Normal,
            Approach::HartungKnapp => Test::HartungKnapp,
            _ => Test::WiderOfBoth,
        };
        let random_model = RandomEffects::new().test(test).level(level);
        let common_model = CommonEffect::new().level(level);
        let mut bayesian_model = BayesianRandomEffects::new().mu_prior(self.mu_prior).level(level);
        if let Some(prior) = self.tau_prior {
            bayesian_model = bayesian_model.tau_prior(prior);
        }
        let common = common_model.pool(effects)?;
        let random = random_model.pool(effects)?;
        let bayesian = bayesian_model.pool(effects)?;
        // The same prior for the trials that remain when one is left out.
        let bayesian_model = bayesian_model.tau_prior(bayesian.priors().prior_of_tau());
        let left_out = match self.prespecified {
            Approach::CommonEffect => refits(&common_model.sensitivity(effects)?.leave_one_out()?),
            Approach::Bayesian => without_each(&bayesian_model, effects)?,
            _ => refits(&random_model.sensitivity(effects)?.leave_one_out()?),
        };
        let rows = rows(&common, &random, &bayesian);
        Ok(PooledSideBySide { prespecified: self.prespecified, common, random, bayesian, rows, left_out })
    }
}

fn refits<S: Scale>(refits: &super::Refits<S>) -> Vec<LeftOut> {
    let row = |refit: &super::Refit| LeftOut {
        trial: refit.trial.clone(),
        value: refit.summary.estimate,
        interval: refit.summary.interval,
        p_value: Some(refit.summary.p_value),
        tau: refit.summary.tau(),
    };
    refits.rows().iter().map(row).collect()
}

fn without_each<S: Scale>(
    model: &BayesianRandomEffects,
    effects: &TreatmentEffects<S>,
) -> Result<Vec<LeftOut>> {
    let without = |left_out: &crate::effect::Estimate<S>| {
        let others = effects.iter().filter(|other| other.trial() != left_out.trial()).cloned();
        let pooled = model.pool(&TreatmentEffects::new(others)?)?;
        Ok(LeftOut {
            trial: left_out.trial().clone(),
            value: pooled.mu().median,
            interval: pooled.mu().interval,
            p_value: None,
            tau: pooled.tau().median,
        })
    };
    effects.iter().map(without).collect()
}

fn rows<S: Scale>(common: &Pooled<S>, random: &Pooled<S>, bayesian: &BayesianPooled<S>) -> Vec<ApproachRow> {
    let tau = random.summary.tau();
    let of = |approach, value, by: &Inference, tau| ApproachRow {
        approach,
        value,
        se: Some(by.se),
        df: by.df,
        interval: by.interval,
        p_value: Some(by.p_value),
        probability_of_benefit: None,
        tau,
    };
    let summary = random.summary;
    let mut rows = vec![
        of(Approach::CommonEffect, common.value(), &common.summary.wald, 0.0),
        of(Approach::Wald, random.value(), &summary.wald, tau),
    ];
    if let Some(hartung_knapp) = &summary.hartung_knapp {
        rows.push(of(Approach::HartungKnapp, random.value(), hartung_knapp, tau));
    }
    let wider = match &summary.hartung_knapp {
        Some(hartung_knapp) if !summary.hartung_knapp_narrower => hartung_knapp,
        _ => &summary.wald,
    };
    rows.push(of(Approach::WiderOfBoth, random.value(), wider, tau));
    rows.push(ApproachRow {
        approach: Approach::Bayesian,
        value: bayesian.mu().median,
        se: bayesian.mu().sd,
        df: None,
        interval: bayesian.mu().interval,
        p_value: None,
        probability_of_benefit: bayesian.probability_of_benefit(EffectOf::Mean).ok(),
        tau: bayesian.tau().median,
    });
    rows
}

/// What one way of pooling says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApproachRow {
    /// The way.
    pub approach: Approach,
    /// The pooled value on the scale; the posterior median of a Bayesian pool.
    pub value: f64,
    /// Its standard error; the posterior standard deviation of a Bayesian pool, where it exists.
    pub se: Option<f64>,
    /// The degrees of freedom of Student's t; `None` for the normal distribution and a posterior.
    pub df: Option<f64>,
    /// The confidence or credible interval.
    pub interval: Interval,
    /// The two-sided p-value; `None` for a Bayesian pool.
    pub p_value: Option<f64>,
    /// The posterior probability of benefit; `None` for others, and where the measure does not say which way is better.
    pub probability_of_benefit: Option<f64>,
    /// The standard deviation between trials: 0 for a common effect, the posterior median of a Bayesian pool.
    pub tau: f64,
}

/// The pre-specified way without one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The trial that is left out.
    pub trial: Label,
    /// The pooled value of the others.
    pub value: f64,
    /// Its interval. Where one trial is left, that of the normal test.
    pub interval: Interval,
    /// Its two-sided p-value; `None` for a Bayesian pool.
    pub p_value: Option<f64>,
    /// The standard deviation between the others.
    pub tau: f64,
}

/// One treatment over few trials, pooled in every customary way; from [`SideBySide`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PooledSideBySideWire<S>", bound = "S: Scale")]
pub struct PooledSideBySide<S: Scale> {
    prespecified: Approach,
    rows: Vec<ApproachRow>,
    left_out: Vec<LeftOut>,
    common: Pooled<S>,
    random: Pooled<S>,
    bayesian: BayesianPooled<S>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct PooledSideBySideWire<S: Scale> {
    prespecified: Approach,
    rows: Vec<ApproachRow>,
    left_out: Vec<LeftOut>,
    common: Pooled<S>,
    random: Pooled<S>,
    bayesian: BayesianPooled<S>,
}

impl<S: Scale> TryFrom<PooledSideBySideWire<S>> for PooledSideBySide<S> {
    type Error = Error;

    fn try_from(wire: PooledSideBySideWire<S>) -> Result<Self> {
        let PooledSideBySideWire { prespecified, rows: read, left_out, common, random, bayesian } = wire;
        let own = rows(&common, &random, &bayesian);
        let same = own.len() == read.len()
            && own.iter().zip(&read).all(|(a, b)| a.approach == b.approach && a.value == b.value);
        if !same || !own.iter().any(|row| row.approach == prespecified) {
            return Err(Error::invalid(
                "the rows of this comparison are not those of its pools; both must be one",
            ));
        }
        super::sensitivity::each_once(&common, left_out.iter().map(|row| &row.trial))?;
        Ok(Self { prespecified, rows: read, left_out, common, random, bayesian })
    }
}

impl<S: Scale> PooledSideBySide<S> {
    /// The way that was chosen before the data were seen.
    pub fn prespecified(&self) -> Approach {
        self.prespecified
    }

    /// What every way says. Hartung-Knapp is left out where all estimates are equal.
    pub fn rows(&self) -> &[ApproachRow] {
        &self.rows
    }

    /// What one way says.
    ///
    /// # Errors
    /// Hartung-Knapp where all estimates are equal.
    pub fn row(&self, approach: Approach) -> Result<&ApproachRow> {
        self.rows.iter().find(|row| row.approach == approach).ok_or_else(|| {
            let why = "all estimates are equal, so that Hartung-Knapp has no standard error; take Wald";
            ErrorKind::NotEstimable(why.to_owned()).into()
        })
    }

    /// The pre-specified way with each trial left out in turn.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The interval for the effect in a new trial by REML.
    #[doc(alias("prediction interval"))]
    pub fn prediction(&self) -> Option<Interval> {
        self.random.prediction()
    }

    /// The common-effect pool.
    pub fn common(&self) -> &Pooled<S> {
        &self.common
    }

    /// The random-effects pool, with the pre-specified test or the wider of both.
    pub fn random(&self) -> &Pooled<S> {
        &self.random
    }

    /// The Bayesian pool, with the effect in a new trial.
    pub fn bayesian(&self) -> &BayesianPooled<S> {
        &self.bayesian
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        self.random.notices()
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> PooledSideBySide<AnyScale> {
        PooledSideBySide {
            prespecified: self.prespecified,
            rows: self.rows.clone(),
            left_out: self.left_out.clone(),
            common: self.common.to_any(),
            random: self.random.to_any(),
            bayesian: self.bayesian.to_any(),
        }
    }
}
