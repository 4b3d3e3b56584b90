//! The funnel plot: whether small trials show other effects, and what that would change.

use super::sensitivity::each_once;
use super::{Numbers, Pooled};
use crate::compute::meta_analysis::{
    self as kernel, EggerTest, FunnelRegression, KendallDistribution, MissingStudies, TrimAndFill,
    rank_correlation,
};
use crate::design::{Label, Notice};
use crate::effect::{AnyScale, Scale, TreatmentEffects};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

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

/// One trial in the funnel plot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunnelPoint {
    /// The trial.
    pub trial: Label,
    /// Its value on the scale.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// `(value - common effect) / sqrt(variance - variance of the common effect)`, whose ranks the rank test compares.
    pub standardized_deviate: f64,
}

/// Egger's test and the rank correlation test of funnel plot asymmetry; from [`Sensitivity::asymmetry`](crate::Sensitivity::asymmetry).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "AsymmetryWire<S>", bound = "S: Scale")]
pub struct Asymmetry<S: Scale> {
    pooled: Pooled<S>,
    points: Vec<FunnelPoint>,
    egger: FunnelRegression,
    rank: RankTest,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct AsymmetryWire<S: Scale> {
    pooled: Pooled<S>,
    points: Vec<FunnelPoint>,
    egger: FunnelRegression,
    rank: RankTest,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<AsymmetryWire<S>> for Asymmetry<S> {
    type Error = Error;

    fn try_from(wire: AsymmetryWire<S>) -> Result<Self> {
        let AsymmetryWire { pooled, points, egger, rank, notices } = wire;
        each_once(&pooled, points.iter().map(|point| &point.trial))?;
        Ok(Self { pooled, points, egger, rank, notices })
    }
}

/// The rank correlation of effects and their variances (Begg & Mazumdar 1994).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RankTest {
    /// Kendall's tau-b of the standardised deviates and the sampling variances.
    pub kendall_tau: f64,
    /// Two-sided.
    pub p_value: f64,
    /// How the p-value was found.
    pub distribution: KendallDistribution,
}

pub(super) fn asymmetry<S: Scale>(
    pooled: &Pooled<S>,
    effects: &TreatmentEffects<S>,
    numbers: &Numbers,
) -> Result<Asymmetry<S>> {
    let Numbers { yi, vi } = numbers;
    let egger = EggerTest::new().level(pooled.summary.level).test(yi, vi)?;
    let rank = rank_correlation(yi, vi)?;
    let points = effects.iter().zip(&rank.standardized_deviates);
    let points = points.map(|(estimate, &standardized_deviate)| FunnelPoint {
        trial: estimate.trial().clone(),
        value: estimate.value(),
        se: estimate.se(),
        standardized_deviate,
    });
    Ok(Asymmetry {
        pooled: pooled.clone(),
        points: points.collect(),
        egger,
        rank: RankTest {
            kendall_tau: rank.kendall_tau,
            p_value: rank.p_value,
            distribution: rank.distribution,
        },
        notices: few("a test of funnel plot asymmetry", yi.len()),
    })
}

impl<S: Scale> Asymmetry<S> {
    /// The pool of all trials.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    /// The trials in the funnel plot.
    pub fn points(&self) -> &[FunnelPoint] {
        &self.points
    }

    /// Egger's regression of the effects on their standard errors; the test of its slope is the test of asymmetry.
    pub fn egger(&self) -> &FunnelRegression {
        &self.egger
    }

    /// The rank correlation test.
    pub fn rank(&self) -> RankTest {
        self.rank
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> Asymmetry<AnyScale> {
        Asymmetry {
            pooled: self.pooled.to_any(),
            points: self.points.clone(),
            egger: self.egger.clone(),
            rank: self.rank,
            notices: self.notices.clone(),
        }
    }
}

/// A pool with the trials that a symmetric funnel plot would have in addition; from
/// [`Sensitivity::trim_and_fill`](crate::Sensitivity::trim_and_fill).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "TrimmedAndFilledWire<S>", bound = "S: Scale")]
pub struct TrimmedAndFilled<S: Scale> {
    pooled: Pooled<S>,
    estimator: MissingStudies,
    filled: TrimAndFill,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(bound = "S: Scale")]
struct TrimmedAndFilledWire<S: Scale> {
    pooled: Pooled<S>,
    estimator: MissingStudies,
    filled: TrimAndFill,
    notices: Vec<Notice>,
}

impl<S: Scale> TryFrom<TrimmedAndFilledWire<S>> for TrimmedAndFilled<S> {
    type Error = Error;

    fn try_from(wire: TrimmedAndFilledWire<S>) -> Result<Self> {
        let TrimmedAndFilledWire { pooled, estimator, filled, notices } = wire;
        let (added, k) = (filled.k0, pooled.trials.len() + filled.k0);
        let all = filled.filled_yi.len() == added && filled.filled_vi.len() == added && filled.pool.k == k;
        if !all || filled.filled_vi.iter().any(|variance| *variance <= 0.0) {
            return Err(Error::invalid(
                "a pool with filled trials needs as many of them as are missing, each with a positive variance",
            ));
        }
        super::pooled::check_pooled(&super::pooled::inference_of(&filled.pool.summary)?)?;
        Ok(Self { pooled, estimator, filled, notices })
    }
}

pub(super) fn trimmed<S: Scale>(
    pooled: &Pooled<S>,
    estimator: MissingStudies,
    filled: TrimAndFill,
) -> TrimmedAndFilled<S> {
    let notices = few("trim and fill", pooled.trials.len());
    TrimmedAndFilled { pooled: pooled.clone(), estimator, filled, notices }
}

impl<S: Scale> TrimmedAndFilled<S> {
    /// The pool of the trials as they are.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    /// The estimator of the number of missing trials.
    pub fn estimator(&self) -> MissingStudies {
        self.estimator
    }

    /// How many trials are missing on which side, the filled values, and the pool with them.
    pub fn filled(&self) -> &TrimAndFill {
        &self.filled
    }

    /// What a reader has to be told.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> TrimmedAndFilled<AnyScale> {
        TrimmedAndFilled {
            pooled: self.pooled.to_any(),
            estimator: self.estimator,
            filled: self.filled.clone(),
            notices: self.notices.clone(),
        }
    }
}

/// The common effect with an interval that holds under random effects; from
/// [`Sensitivity::henmi_copas`](crate::Sensitivity::henmi_copas).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "S: Scale")]
pub struct HenmiCopasPooled<S: Scale> {
    pooled: Pooled<S>,
    result: kernel::HenmiCopas,
}

pub(super) fn henmi_copas<S: Scale>(pooled: &Pooled<S>, numbers: &Numbers) -> Result<HenmiCopasPooled<S>> {
    let result = kernel::henmi_copas(&numbers.yi, &numbers.vi, pooled.summary.level)?;
    Ok(HenmiCopasPooled { pooled: pooled.clone(), result })
}

impl<S: Scale> HenmiCopasPooled<S> {
    /// The pool beside which it stands.
    pub fn pooled(&self) -> &Pooled<S> {
        &self.pooled
    }

    /// Estimate, standard error, tau2 and interval.
    pub fn result(&self) -> kernel::HenmiCopas {
        self.result
    }

    /// The same with its scale known only at run time.
    pub fn to_any(&self) -> HenmiCopasPooled<AnyScale> {
        HenmiCopasPooled { pooled: self.pooled.to_any(), result: self.result }
    }
}
