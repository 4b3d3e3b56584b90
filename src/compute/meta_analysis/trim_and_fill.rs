//! Trim and fill: how many studies a symmetric funnel plot would have in addition.

use super::funnel::{EggerTest, FEW, enough_for_asymmetry};
use super::options::PoolingWeights;
use super::prepared::check_data;
use super::refit::Refit;
use super::summary::PooledEffect;
use super::univariate::{CommonEffect, RandomEffects};
use crate::compute::words::words;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The estimator of the number of missing studies (Duval & Tweedie 2000). With S the sum of the ranks of the
/// |yᵢ - mu| on the side with more studies, and all numbers rounded to integers, half to even.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MissingStudies {
    /// (4S - k(k + 1))/(2k - 1). The default.
    #[default]
    L0,
    /// k - (the largest rank on the side with fewer studies) - 1.
    R0,
    /// k - 1/2 - sqrt(2k² - 4S + 1/4); undefined where the root is of a negative number, which one-sided
    /// funnels often give.
    Q0,
}

words! { MissingStudies { L0 => "L0", R0 => "R0", Q0 => "Q0", } }

/// The side of the funnel plot on which studies are missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FunnelSide {
    /// Right where effects fall with the standard error (a meta-regression of the same model), else left. The
    /// default.
    #[default]
    BySlope,
    /// Small effects are missing.
    Left,
    /// Large effects are missing.
    Right,
}

words! { FunnelSide { BySlope => "side by the slope", Left => "left", Right => "right", } }

/// The result of trim and fill.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrimAndFill {
    /// The side on which studies were looked for: left or right.
    pub side: FunnelSide,
    /// How many are missing there.
    pub k0: usize,
    /// The estimates of the filled studies.
    pub filled_yi: Vec<f64>,
    /// Their sampling variances.
    pub filled_vi: Vec<f64>,
    /// The pool of all studies, the filled ones included.
    pub pool: PooledEffect,
    /// 2^-(k0 + 1): the p-value that none is missing; for [`MissingStudies::R0`] only.
    pub p_value_none_missing: Option<f64>,
    /// Whether the numbers of missing studies came to repeat in a cycle, of which the smallest was taken.
    pub cycled: bool,
    /// Whether there are fewer than ten studies, with which the method means little.
    pub few_studies: bool,
}

fn trim_and_fill<M: Refit>(
    model: &M,
    egger: &EggerTest,
    yi: &[f64],
    vi: &[f64],
    estimator: MissingStudies,
    side: FunnelSide,
) -> Result<TrimAndFill> {
    check_data(yi, vi, yi.len())?;
    let k = yi.len();
    enough_for_asymmetry(k, "trim and fill")?;
    if model.clone().settings().weights != PoolingWeights::InverseVariance || model.has_weights() {
        return Err(Error::invalid(
            "filled studies have no weights of their own; trim and fill with inverse-variance weights",
        ));
    }
    let side = match side {
        FunnelSide::BySlope if egger.test(yi, vi)?.slope.estimate < 0.0 => FunnelSide::Right,
        FunnelSide::BySlope => FunnelSide::Left,
        side => side,
    };
    // Missing on the right is missing on the left of the mirror image.
    let sign = if side == FunnelSide::Right { -1.0 } else { 1.0 };
    let mut order: Vec<usize> = (0..k).collect();
    order.sort_by(|a, b| (sign * yi[*a]).total_cmp(&(sign * yi[*b])));
    let y: Vec<f64> = order.iter().map(|i| sign * yi[*i]).collect();
    let v: Vec<f64> = order.iter().map(|i| vi[*i]).collect();
    let mean = |k0: usize| -> Result<f64> {
        let kept = k - k0;
        let all: Vec<usize> = (0..kept).collect();
        Ok(model.among(&all).prepared(kept)?.summary(&y[..kept], &v[..kept])?.estimate)
    };
    let (mut history, mut cycled) = (vec![0], false);
    let k0 = loop {
        let last = history[history.len() - 1];
        let next = estimator.count(&y, mean(last)?)?;
        if next == last {
            break next;
        }
        if let Some(start) = history.iter().position(|earlier| *earlier == next) {
            cycled = true;
            break history[start..].iter().copied().min().unwrap_or(next);
        }
        history.push(next);
    };
    let centre = mean(k0)?;
    let filled_yi: Vec<f64> = y[k - k0..].iter().map(|y| sign * (2.0 * centre - y)).collect();
    let filled_vi = v[k - k0..].to_vec();
    let all_yi = [yi, &filled_yi].concat();
    let all_vi = [vi, &filled_vi].concat();
    Ok(TrimAndFill {
        side,
        k0,
        pool: model.prepared(k + k0)?.pool(&all_yi, &all_vi)?,
        filled_yi,
        filled_vi,
        p_value_none_missing: (estimator == MissingStudies::R0).then(|| (-1.0 - k0 as f64).exp2()),
        cycled,
        few_studies: k < FEW,
    })
}

impl MissingStudies {
    /// The number missing on the left of `centre`, from 0 to k - 1. `y` ascends.
    // A whole number from 0 to k - 1.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn count(self, y: &[f64], centre: f64) -> Result<usize> {
        let k = y.len() as f64;
        let mut distance: Vec<usize> = (0..y.len()).collect();
        // A stable sort: ties are ranked by position.
        distance.sort_by(|a, b| (y[*a] - centre).abs().total_cmp(&(y[*b] - centre).abs()));
        let (mut above, mut largest_below) = (0.0, 0.0);
        for (position, i) in distance.iter().enumerate() {
            let rank = position as f64 + 1.0;
            if y[*i] > centre {
                above += rank;
            } else if y[*i] < centre {
                largest_below = rank;
            }
        }
        let count = match self {
            Self::L0 => (4.0 * above - k * (k + 1.0)) / (2.0 * k - 1.0),
            Self::R0 => k - largest_below - 1.0,
            Self::Q0 => {
                let square = 2.0 * k * k - 4.0 * above + 0.25;
                if square < 0.0 {
                    return Err(ErrorKind::NotEstimable(format!(
                        "Q0 is undefined for these studies: with k = {k} and ranks of S = {above} on one side, 2k² - 4S + 1/4 is \
                         {square}, which has no root; take L0 or R0"
                    ))
                    .into());
                }
                k - 0.5 - square.sqrt()
            }
        };
        Ok(count.round_ties_even().clamp(0.0, k - 1.0) as usize)
    }
}

macro_rules! trims {
    ($model:ty, $egger:expr, $example:literal) => {
        impl $model {
            /// Trims studies from the fuller side of the funnel plot until it is symmetric, fills in the
            /// mirror images of the trimmed ones, and pools again (Duval & Tweedie 2000, Biometrics 56). A
            /// sensitivity analysis, not a corrected effect: asymmetry has many causes.
            ///
            /// ```
            #[doc = $example]
            /// let (yi, vi) = ([0.1, 0.2, 0.3, 0.6], [0.01, 0.02, 0.05, 0.12]);
            /// let filled = model.trim_and_fill(&yi, &vi, MissingStudies::L0, FunnelSide::BySlope)?;
            /// assert_eq!((filled.side, filled.pool.k), (FunnelSide::Left, 4 + filled.k0));
            /// # Ok::<(), armwise::Error>(())
            /// ```
            ///
            /// # Errors
            /// [`ErrorKind::InsufficientStudies`](crate::ErrorKind::InsufficientStudies) for fewer than three studies;
            /// [`ErrorKind::Collinear`](crate::ErrorKind::Collinear) where all variances are equal and the side is not named;
            /// [`ErrorKind::NotEstimable`](crate::ErrorKind::NotEstimable) where [`MissingStudies::Q0`] is undefined;
            /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) for weights of one's own; else as `pool`.
            pub fn trim_and_fill(
                &self,
                yi: &[f64],
                vi: &[f64],
                estimator: MissingStudies,
                side: FunnelSide,
            ) -> Result<TrimAndFill> {
                let egger: fn(&Self) -> EggerTest = $egger;
                trim_and_fill(self, &egger(self), yi, vi, estimator, side)
            }
        }
    };
}

trims!(
    CommonEffect,
    |_| EggerTest::fixed_effects(),
    "use armwise::meta_analysis::{CommonEffect, FunnelSide, MissingStudies};\nlet model = CommonEffect::new();"
);
trims!(
    RandomEffects,
    |model| EggerTest::mixed_effects(model.tau2),
    "use armwise::meta_analysis::{FunnelSide, MissingStudies, RandomEffects};\nlet model = RandomEffects::new();"
);
