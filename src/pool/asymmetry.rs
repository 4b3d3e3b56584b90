//! The funnel plot: whether small trials show other effects, and what that would change.

use super::Pooled;
use super::pooled::check_again;
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::{FunnelRegression, MissingStudies, RankCorrelation, TrimAndFill};
use crate::design::Notice;
use crate::effect::{About, AnyScale, Checked, On};
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::sync::Arc;

/// Below this many trials asymmetry cannot be told from chance (Sterne et al. 2011).
const ENOUGH: usize = 10;

pub(crate) fn few(analysis: &str, trials: usize) -> Vec<Notice> {
    let few = (trials < ENOUGH).then(|| Notice::TooFewTrials {
        analysis: analysis.to_owned(),
        trials,
        needed: ENOUGH,
        source: "Sterne et al. 2011, BMJ 343:d4002".to_owned(),
    });
    few.into_iter().collect()
}

/// Egger's test and the rank correlation test of funnel plot asymmetry; from
/// [`Sensitivity::asymmetry`](crate::pool::Sensitivity::asymmetry).
///
/// [`AsymmetryRecord`] has the fields.
pub type Asymmetry<S = AnyScale> = On<S, AsymmetryRecord>;

/// The data of an [`Asymmetry`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AsymmetryRecord {
    /// The identity of the pool, with the notices of this analysis.
    pub about: Arc<About>,
    /// The pool of all trials, which are the points of the funnel plot.
    pub pooled: Pooled,
    /// Egger's regression of the effects on their standard errors; the test of its slope is the test of
    /// asymmetry.
    pub egger: FunnelRegression,
    /// The effect at a standard error of zero in that regression.
    pub limit: Inference,
    /// The rank correlation of effects and their variances (Begg & Mazumdar 1994), with the standardised
    /// deviates of the trials in their order.
    pub rank: RankCorrelation,
}

impl Checked for AsymmetryRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        check_again(self, &*self.pooled.sensitivity()?.asymmetry()?)
    }
}

/// A pool with the trials that a symmetric funnel plot would have in addition; from
/// [`Sensitivity::trim_and_fill`](crate::pool::Sensitivity::trim_and_fill).
///
/// [`TrimmedAndFilledRecord`] has the fields.
pub type TrimmedAndFilled<S = AnyScale> = On<S, TrimmedAndFilledRecord>;

/// The data of a [`TrimmedAndFilled`] pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrimmedAndFilledRecord {
    /// The identity of the pool, with the notices of this analysis.
    pub about: Arc<About>,
    /// The pool of the trials as they are.
    pub pooled: Pooled,
    /// The estimator of the number of missing trials.
    pub estimator: MissingStudies,
    /// The pooled effect with the filled trials.
    pub inference: Inference,
    /// How many trials are missing on which side, the filled values, and all numbers of the pool with them.
    pub filled: TrimAndFill,
}

impl Deref for TrimmedAndFilledRecord {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

impl Checked for TrimmedAndFilledRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let sensitivity = self.pooled.sensitivity()?;
        check_again(self, &*sensitivity.trim_and_fill(self.estimator, self.filled.side)?)
    }
}

/// The common effect with an interval that holds under random effects; from
/// [`Sensitivity::henmi_copas`](crate::pool::Sensitivity::henmi_copas).
///
/// [`HenmiCopasRecord`] has the fields.
pub type HenmiCopasPooled<S = AnyScale> = On<S, HenmiCopasRecord>;

/// The data of a [`HenmiCopasPooled`] effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HenmiCopasRecord {
    /// The identity of the effect.
    pub about: Arc<About>,
    /// The pool beside which it stands.
    pub pooled: Pooled,
    /// The common effect with its confidence curve.
    pub inference: Inference,
    /// The variance between trials by DerSimonian and Laird.
    pub tau2: f64,
}

impl Deref for HenmiCopasRecord {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

impl Checked for HenmiCopasRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        check_again(self, &*self.pooled.sensitivity()?.henmi_copas()?)
    }
}
