use super::bayesian::{BayesianPooled, BayesianRandomEffects};
use super::pooled::check_again;
use super::univariate::{Numbers, locate};
use super::{CommonEffect, Pooled, PooledRecord, RandomEffects, RefitsRecord};
use crate::compute::bayes::{EffectOf, MuPrior, TauPrior};
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::{PoolSummary, Test};
use crate::compute::reference_distribution::check_level;
use crate::compute::words::words;
use crate::design::Label;
use crate::effect::{About, AnyScale, Checked, On, Scale, TreatmentEffects};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Pools one treatment over few trials in every customary way at once, with the pre-specified way marked.
///
/// With six trials no way of pooling is safe by itself: the variation between trials is hardly estimable,
/// Wald is too narrow, Hartung-Knapp sometimes absurdly wide and sometimes too narrow, and a prior has to be
/// defended. What all of them agree on is a finding. The protocol names one of them in advance
/// ([`SideBySide::prespecified`]); the table shows what the choice did.
///
/// # Formula
/// Those of [`CommonEffect`](crate::pool::CommonEffect), [`RandomEffects`](crate::pool::RandomEffects) (REML;
/// Wald, Hartung-Knapp and the wider of both) and
/// [`BayesianRandomEffects`](crate::pool::BayesianRandomEffects), the prediction interval of the last two,
/// and the pre-specified way with each trial left out in turn.
///
/// # Assumptions
/// Estimates of different trials are independent and near normal with known variances.
///
/// # Interval
/// That of each way, all at one level. The prediction interval is that of the random effects model, by the
/// number of trials.
///
/// # Errors
/// Fewer than two trials; a standard error of zero; Hartung-Knapp pre-specified for estimates that are all
/// equal.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
/// use armwise::pool::Approach;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let guidance = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let ways = SideBySide::new().prespecified(Approach::HartungKnapp).pool(&guidance)?;
/// assert_eq!(ways.rows.len(), 5);
/// assert_eq!(ways.row(Approach::HartungKnapp)?.df(), Some(2.0));
/// // The wider of both intervals has the larger of both p-values, at any level.
/// let (wald, both) = (ways.row(Approach::Wald)?, ways.row(Approach::WiderOfBoth)?);
/// assert!(both.p_value() >= wald.p_value());
/// assert_eq!(ways.left_out.len(), 3);
/// println!("{ways}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Bender R et al. (2018), Research Synthesis Methods 9:382, doi:10.1002/jrsm.1297. Wiksten A, Ruecker G,
/// Schwarzer G (2016), Statistics in Medicine 35:2503, doi:10.1002/sim.6879. Roever C et al. (2021), Research
/// Synthesis Methods 12:448, doi:10.1002/jrsm.1475.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SideBySide {
    prespecified: Option<Approach>,
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
    /// No way is pre-specified, so that the default, the wider of Wald and Hartung-Knapp, is repeated without
    /// each trial; the default priors of [`BayesianRandomEffects`](crate::pool::BayesianRandomEffects); level
    /// 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The way that was chosen before the data were seen; default none, and the table then claims none.
        prespecified: Approach as Some;
        /// The prior of the standard deviation between trials; default half-normal, see
        /// [`BayesianRandomEffects`](crate::pool::BayesianRandomEffects).
        tau_prior: TauPrior as Some;
        /// The prior of the mean effect; default flat.
        mu_prior: MuPrior;
        /// The level of all intervals, between 0 and 1; default 0.95.
        level: f64 as Some;
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
        let test = match self.prespecified.unwrap_or_default() {
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
        let (common, random, bayesian) = (common.to_any(), random.to_any(), bayesian.to_any());
        let rows = rows(&common, &random, &bayesian)?;
        let prespecified = self.prespecified;
        let left_out = without_each(prespecified.unwrap_or_default(), &common, &random, &bayesian);
        let left_out = left_out.map_err(|error| locate(effects, error))?;
        Ok(On::of(SideBySideRecord { prespecified, rows, left_out, common, random, bayesian }))
    }
}

fn refits(refits: &RefitsRecord) -> Vec<LeftOut> {
    let row = |refit: &super::Refit| LeftOut {
        trial: refit.trial.clone(),
        inference: refit.inference.clone(),
        tau: refit.summary.tau(),
    };
    refits.rows.iter().map(row).collect()
}

/// The way that was pre-specified without each trial in turn, with the same conventions.
fn without_each(
    prespecified: Approach,
    common: &Pooled,
    random: &Pooled,
    bayesian: &BayesianPooled,
) -> Result<Vec<LeftOut>> {
    match prespecified {
        Approach::CommonEffect => return Ok(refits(&*common.sensitivity()?.leave_one_out()?)),
        Approach::Bayesian => {}
        _ => return Ok(refits(&*random.sensitivity()?.leave_one_out()?)),
    }
    let Numbers { yi, vi } = Numbers::of(bayesian.trials.iter().map(|trial| &trial.estimate))?;
    let without = |left_out: usize, values: &[f64]| -> Vec<f64> {
        values.iter().enumerate().filter(|(i, _)| *i != left_out).map(|(_, value)| *value).collect()
    };
    let row = |(i, trial): (usize, &Label)| {
        // The same prior for the trials that remain.
        let posterior = bayesian.summary.priors.posterior(&without(i, &yi), &without(i, &vi))?;
        let posterior = Arc::new(posterior);
        let tau = posterior.summary(bayesian.level())?.tau.median;
        let inference = Inference::posterior(&posterior, EffectOf::Mean, bayesian.level())?;
        Ok(LeftOut { trial: trial.clone(), inference, tau })
    };
    bayesian.about.trials.iter().enumerate().map(row).collect()
}

fn rows(common: &PooledRecord, random: &PooledRecord, bayesian: &BayesianPooled) -> Result<Vec<ApproachRow>> {
    let (summary, tau) = (&random.summary, random.summary.tau());
    let by = |approach, inference, tau| ApproachRow { approach, inference, tau };
    let (se, level) = (summary.wald.se, summary.level);
    let wald = Inference::wald(summary.estimate, se, None, level)?;
    let mut rows =
        vec![by(Approach::CommonEffect, common.inference.clone(), 0.0), by(Approach::Wald, wald, tau)];
    if let Some(hartung_knapp) = summary.hartung_knapp {
        let inference = Inference::wald(summary.estimate, hartung_knapp.se, hartung_knapp.df, level)?;
        rows.push(by(Approach::HartungKnapp, inference, tau));
    }
    // Where all estimates are equal, Wald's alone is left.
    let both = PoolSummary { test: Test::WiderOfBoth, se, df: None, ..*summary };
    rows.push(by(Approach::WiderOfBoth, both.inference()?, tau));
    rows.push(by(Approach::Bayesian, bayesian.inference.clone(), bayesian.summary.tau.median));
    Ok(rows)
}

/// The answer of one way of pooling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ApproachRow {
    /// The way.
    pub approach: Approach,
    /// The pooled effect; of a Bayesian pool the posterior distribution of the mean effect.
    pub inference: Inference,
    /// The standard deviation between trials: 0 for a common effect, the posterior median of a Bayesian pool.
    pub tau: f64,
}

impl Deref for ApproachRow {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// The pre-specified way without one trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LeftOut {
    /// The trial that is left out.
    pub trial: Label,
    /// The pooled effect of the others. Where one trial is left, that of the normal test.
    pub inference: Inference,
    /// The standard deviation between the others.
    pub tau: f64,
}

impl Deref for LeftOut {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// One treatment over few trials, pooled in every customary way; from [`SideBySide`].
///
/// [`SideBySideRecord`] has the fields and further methods.
pub type PooledSideBySide<S = AnyScale> = On<S, SideBySideRecord>;

/// The data of a [`PooledSideBySide`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SideBySideRecord {
    /// The way that was chosen before the data were seen; `None` where none was.
    pub prespecified: Option<Approach>,
    /// The answers of all ways. Hartung-Knapp is left out where all estimates are equal.
    pub rows: Vec<ApproachRow>,
    /// The pre-specified way, or the default, with each trial left out in turn.
    pub left_out: Vec<LeftOut>,
    /// The common-effect pool.
    pub common: Pooled,
    /// The random-effects pool, with the pre-specified test or the wider of both.
    pub random: Pooled,
    /// The Bayesian pool, with the effect in a new trial.
    pub bayesian: BayesianPooled,
}

impl Checked for SideBySideRecord {
    fn about(&self) -> &About {
        self.random.about()
    }

    fn check(&self) -> Result<()> {
        let Self { rows: read, left_out, common, random, bayesian, .. } = self;
        let estimates = || random.trials.iter().map(|trial| &trial.estimate);
        let same = estimates().eq(common.trials.iter().map(|trial| &trial.estimate))
            && estimates().eq(bayesian.trials.iter().map(|trial| &trial.estimate))
            && common.summary.tau2_estimator.is_none()
            && random.summary.tau2_estimator.is_some()
            && [common.level(), bayesian.level()] == [random.level(); 2];
        check_again(read, &rows(common, random, bayesian)?)?;
        let repeated = self.repeated();
        if !same || self.row(repeated).is_err() {
            return Err(Error::invalid(
                "the pools of this comparison are of other trials, or the way that was pre-specified is missing; pool the same trials in every way",
            ));
        }
        check_again(left_out, &without_each(repeated, common, random, bayesian)?)
    }
}

impl SideBySideRecord {
    /// The way that is repeated without each trial: the pre-specified one, else the wider of Wald and
    /// Hartung-Knapp.
    pub fn repeated(&self) -> Approach {
        self.prespecified.unwrap_or_default()
    }

    /// The answer of one way.
    ///
    /// # Errors
    /// Hartung-Knapp where all estimates are equal.
    pub fn row(&self, approach: Approach) -> Result<&ApproachRow> {
        self.rows.iter().find(|row| row.approach == approach).ok_or_else(|| {
            let why = "all estimates are equal, so that Hartung-Knapp has no standard error; take Wald";
            ErrorKind::NotEstimable(why.to_owned()).into()
        })
    }

    /// The interval for the effect in a new trial by REML.
    #[doc(alias("prediction interval", "prediction_interval"))]
    pub fn prediction(&self) -> Option<Interval> {
        self.random.prediction()
    }
}
