//! Differences of several treatments from one control within blocks, with their joint covariance.

use super::{Sample, zero_variance};
use crate::error::{ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// How the strata within which people were randomised enter a difference in means.
///
/// Notation: block `b` has `n_ab` people in arm `a` with mean `m_ab` and variance `s_ab^2` (divisor
/// `n_ab - 1`), `n_b` in all arms, `v_ab = s_ab^2 / n_ab`, `d_ab = m_ab - m_0b`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Blocks {
    /// They do not: arms are compared as if nobody had been stratified. The standard error is then too large
    /// where strata differ, and the difference is biased where arms have other shares in other strata.
    #[default]
    Ignored,
    /// `sum(n_b d_ab) / n`: the average effect over everybody; variance `sum((n_b / n)^2 (v_ab + v_0b))`,
    /// covariance of two treatments `sum((n_b / n)^2 v_0b)` (Gerber & Green 2012, Field Experiments, 3.6);
    /// Student's t on Satterthwaite's (1946, Biometrics Bulletin 2:110) degrees of freedom
    /// `(sum c)^2 / sum(c^2 / (n - 1))` over the parts `c = (n_b / n)^2 v` of the variance, each of `n`
    /// people, which holds where some blocks and arms spread more than others.
    BySize,
    /// `sum(w_ab d_ab) / sum(w_ab)` with `w_ab = n_ab n_0b / (n_ab + n_0b)`, most precise where effects and
    /// variances are the same in all blocks, as in a regression on block indicators; variance
    /// `sum(w_ab^2 (v_ab + v_0b)) / (sum w_ab)^2`, and degrees of freedom as by size.
    ByPrecision,
    /// Every stratum is a matched set, a pair where there are two arms: one person in each arm, or one
    /// cluster. `D_a = sum(n_b d_ab) / n`, covariance of two treatments
    /// `B / ((B - 1) n^2) sum((n_b d_ab - n D_a / B)(n_b d_cb - n D_c / B))`; Student's t on `B - 1` degrees
    /// of freedom (Imai, King & Nall 2009, Statistical Science 24:29).
    MatchedSets,
}

/// Effects of several treatments with their covariance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JointDifferences {
    pub estimates: Vec<f64>,
    pub covariance: Array2<f64>,
    pub df: Vec<f64>,
}

/// A block: the sample of every arm, the control first; `None` where nobody is in the arm.
pub(crate) type Arms = Vec<Option<Sample>>;

/// The effects within one block, for randomised clusters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BlockEffects {
    pub n: f64,
    pub estimates: Vec<f64>,
    pub covariance: Array2<f64>,
    /// Satterthwaite's degrees of freedom of every effect.
    pub df: Vec<f64>,
}

/// A matched set: how many people it has, and the means of its arms, the control first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MatchedSet {
    pub n: f64,
    pub means: Vec<f64>,
}

impl JointDifferences {
    /// Differences within blocks that were randomised apart. Blocks without both arms have no weight for a
    /// treatment.
    pub(crate) fn blocked(blocks: &[Arms], weighting: Blocks) -> Result<Self> {
        let k = blocks.first().map_or(1, Vec::len) - 1;
        let mut totals = vec![0.0; k];
        // The parts of the variance of each treatment: squares over degrees of freedom.
        let mut parts = vec![0.0; k];
        let part = |weight: f64, sample: &Sample| (weight * sample.se()).powi(4) / (sample.n as f64 - 1.0);
        let mut estimates = vec![0.0; k];
        let mut covariance = Array2::<f64>::zeros((k, k));
        let mut weights = vec![0.0; k];
        for block in blocks {
            let Some(Some(control)) = block.first() else { continue };
            let size: f64 = block.iter().flatten().map(|sample| sample.n as f64).sum();
            let v0 = control.se().powi(2);
            for (a, arm) in block[1..].iter().enumerate() {
                weights[a] = 0.0;
                let Some(treated) = arm else { continue };
                let (n1, n0) = (treated.n as f64, control.n as f64);
                weights[a] = if weighting == Blocks::ByPrecision { n1 * n0 / (n1 + n0) } else { size };
                totals[a] += weights[a];
                parts[a] += part(weights[a], treated) + part(weights[a], control);
                estimates[a] += weights[a] * (treated.mean - control.mean);
                covariance[[a, a]] += (weights[a] * treated.se()).powi(2);
            }
            for a in 0..k {
                for c in 0..k {
                    covariance[[a, c]] += weights[a] * weights[c] * v0;
                }
            }
        }
        Self::by_parts(estimates, covariance, &parts).over(&totals)
    }

    /// Satterthwaite's degrees of freedom from the parts of the variances.
    fn by_parts(estimates: Vec<f64>, covariance: Array2<f64>, parts: &[f64]) -> Self {
        let of =
            |(a, parts): (usize, &f64)| if *parts > 0.0 { covariance[[a, a]].powi(2) / parts } else { 0.0 };
        let df = parts.iter().enumerate().map(of).collect();
        Self { estimates, covariance, df }
    }

    /// As [`JointDifferences::blocked`] by size, with clusters randomised within blocks; the parts of the
    /// variance are those of blocks.
    pub(crate) fn blocked_clusters(blocks: &[BlockEffects]) -> Result<Self> {
        let k = blocks.first().map_or(0, |block| block.estimates.len());
        let mut estimates = vec![0.0; k];
        let mut covariance = Array2::<f64>::zeros((k, k));
        let mut parts = vec![0.0; k];
        let mut total = 0.0;
        for block in blocks {
            total += block.n;
            covariance.scaled_add(block.n * block.n, &block.covariance);
            for a in 0..k {
                estimates[a] += block.n * block.estimates[a];
                parts[a] += (block.n * block.n * block.covariance[[a, a]]).powi(2) / block.df[a];
            }
        }
        Self::by_parts(estimates, covariance, &parts).over(&vec![total; k])
    }

    /// The means of differences within matched sets.
    pub(crate) fn matched(sets: &[MatchedSet]) -> Result<Self> {
        if sets.len() < 2 {
            let why = format!(
                "matched sets need at least two that are complete, there {} {}; declare the sets as strata",
                if sets.len() == 1 { "is" } else { "are" },
                sets.len()
            );
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        let (k, b) = (sets[0].means.len() - 1, sets.len() as f64);
        let n: f64 = sets.iter().map(|set| set.n).sum();
        let weighted = |set: &MatchedSet, a: usize| set.n * (set.means[a + 1] - set.means[0]);
        let sums: Vec<f64> = (0..k).map(|a| sets.iter().map(|set| weighted(set, a)).sum()).collect();
        // Differences that are equal differ by the rounding of the means that they are of.
        let sizes = sets.iter().flat_map(|set| set.means.iter().map(|mean| set.n * mean.abs()));
        let rounding = b * (1e-14 * sizes.fold(0.0, f64::max)).powi(2);
        let mut covariance = Array2::<f64>::zeros((k, k));
        for set in sets {
            let deviations: Vec<f64> = (0..k).map(|a| weighted(set, a) - sums[a] / b).collect();
            for a in 0..k {
                for c in 0..k {
                    covariance[[a, c]] += deviations[a] * deviations[c];
                }
            }
        }
        if (0..k).any(|a| covariance[[a, a]] <= rounding) {
            return Err(zero_variance(
                "the difference is the same in all matched sets, so it has no standard error; check the outcome",
            ));
        }
        covariance *= b / (b - 1.0);
        Self { estimates: sums, covariance, df: vec![b - 1.0; k] }.over(&vec![n; k])
    }

    /// Sums divided by the sums of their weights.
    fn over(mut self, totals: &[f64]) -> Result<Self> {
        for (a, &total) in totals.iter().enumerate() {
            if total == 0.0 {
                let why = "no block has people in both arms; merge small blocks, or leave the arm out";
                return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
            }
            self.estimates[a] /= total;
        }
        for ((a, c), value) in self.covariance.indexed_iter_mut() {
            *value /= totals[a] * totals[c];
        }
        if self.covariance.diag().iter().any(|variance| *variance == 0.0) {
            return Err(zero_variance(
                "no block varies, so the difference has no standard error; check the outcome",
            ));
        }
        Ok(self)
    }
}
