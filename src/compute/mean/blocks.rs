//! Differences of several treatments from one control within blocks, with their joint covariance.

use super::{Sample, welch_df, zero_variance};
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
#[doc(alias("matched pairs", "blocking", "randomized block", "pashley", "stratification"))]
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
    /// Small blocks, with one person (or cluster) in one of the arms, beside larger ones: `D_a = sum(n_b
    /// d_ab) / n` over all blocks. A larger block adds `(n_b / n)^2 (v_ab + v_0b)`, as by size. The `K` small
    /// ones add what their differences vary among each other: with `m` people in all of them and their mean
    /// difference `D'_a = sum(n_b d_ab) / m`, the covariance of two treatments is `(m / n)^2 sum(c_b (d_ab -
    /// D'_a)(d_cb - D'_c))`, `c_b = n_b^2 / ((m - 2 n_b) (m + sum(n_b^2 / (m - 2 n_b))))`, which is `1 / (K
    /// (K - 1))` where they have one size. It holds where no small block has half of the people of all small
    /// ones, and is too large where effects differ between them (Pashley & Miratrix 2021, Journal of
    /// Educational and Behavioral Statistics 46:271). Student's t on Satterthwaite's degrees of freedom over
    /// the larger blocks and the small ones together, whose own are those of the quadratic form where people
    /// spread alike: `K - 1` where they have one size. Blocks that lack an arm are left out, with a notice.
    Hybrid,
    /// The same, with small blocks compared with those of their own size only, of which there have to be two:
    /// the `K` blocks of size `s` add `(s / n)^2 K / (K - 1) sum((d_ab - d_a)(d_cb - d_c))` around their
    /// mean, on `K - 1` degrees of freedom. For a few sizes that many blocks have, as effects may then depend
    /// on the size.
    HybridWithinSizes,
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

/// The effects within one block.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct BlockEffects {
    pub n: f64,
    pub estimates: Vec<f64>,
    pub covariance: Array2<f64>,
    /// Satterthwaite's degrees of freedom of every effect.
    pub df: Vec<f64>,
}

/// A matched set, or a small block: how many people it has, how many people or clusters each of its arms, and
/// the means of these, the control first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MatchedSet {
    pub n: f64,
    pub units: Vec<f64>,
    pub means: Vec<f64>,
}

impl BlockEffects {
    /// Of people who were randomised one by one within the block.
    pub(crate) fn of_people(arms: &[Sample]) -> Self {
        let (control, treatments) = (&arms[0], &arms[1..]);
        let v0 = control.se().powi(2);
        let shared = |(a, c): (usize, usize)| v0 + if a == c { treatments[a].se().powi(2) } else { 0.0 };
        let df = |one: &Sample| if v0 + one.se() > 0.0 { welch_df(one, control) } else { 1.0 };
        Self {
            n: arms.iter().map(|sample| sample.n as f64).sum(),
            estimates: treatments.iter().map(|one| one.mean - control.mean).collect(),
            covariance: Array2::from_shape_fn((treatments.len(), treatments.len()), shared),
            df: treatments.iter().map(df).collect(),
        }
    }
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

    /// As [`JointDifferences::blocked`] by size, from the effects within blocks; the parts of the variance
    /// are those of blocks.
    pub(crate) fn of_blocks(blocks: &[BlockEffects]) -> Result<Self> {
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

    /// By size, larger blocks beside small ones.
    pub(crate) fn hybrid(
        mut larger: Vec<BlockEffects>,
        small: &[MatchedSet],
        weighting: Blocks,
    ) -> Result<Self> {
        /// What to do where one block has a size.
        const ALONE: &str = "merge it with another block, or use Blocks::Hybrid, which takes small blocks of all sizes together";
        larger.extend(match weighting {
            _ if small.is_empty() => Vec::new(),
            Blocks::HybridWithinSizes => {
                let mut sizes: Vec<f64> = small.iter().map(|set| set.n).collect();
                sizes.sort_by(f64::total_cmp);
                sizes.dedup();
                let of = |size: &f64| -> Vec<&MatchedSet> {
                    small.iter().filter(|set| set.n.total_cmp(size).is_eq()).collect()
                };
                sizes.iter().map(|size| small_blocks(&of(size), ALONE)).collect::<Result<Vec<_>>>()?
            }
            _ => vec![small_blocks(&small.iter().collect::<Vec<_>>(), "merge it with another block")?],
        });
        Self::of_blocks(&larger)
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

/// The mean effect of small blocks, by size, with the covariance of what they differ (see
/// [`Blocks::Hybrid`]).
///
/// Where there is one block `alone` says what to do.
fn small_blocks(sets: &[&MatchedSet], alone: &str) -> Result<BlockEffects> {
    let (count, first) = (sets.len(), sets[0]);
    if count < 2 {
        let why = format!(
            "one block of {} people alone has one of them in an arm, and the variance of such blocks is that between two or more; {alone}",
            first.n
        );
        return Err(ErrorKind::InsufficientObservations(why).into());
    }
    let n: f64 = sets.iter().map(|set| set.n).sum();
    let alike = sets.iter().all(|set| set.n.total_cmp(&first.n).is_eq());
    let open = |set: &MatchedSet| n - 2.0 * set.n;
    if let Some(set) = sets.iter().find(|set| !alike && open(set) <= 0.0) {
        let why = format!(
            "a block of {} people has half or more of the {n} people in the small blocks, with one person in an arm, so that the others \
             do not show how much it varies; merge it with another block, or use Blocks::HybridWithinSizes where there are two of each \
             size",
            set.n
        );
        return Err(ErrorKind::InsufficientObservations(why).into());
    }
    let total = n + sets.iter().map(|set| set.n * set.n / open(set)).sum::<f64>();
    let factor = |set: &MatchedSet| {
        if alike { 1.0 / (count as f64 * (count as f64 - 1.0)) } else { set.n * set.n / (open(set) * total) }
    };
    let k = first.means.len() - 1;
    let difference = |set: &MatchedSet, a: usize| set.means[a + 1] - set.means[0];
    let mean = |a: usize| sets.iter().map(|set| set.n / n * difference(set, a)).sum();
    let estimates: Vec<f64> = (0..k).map(mean).collect();
    let mut covariance = Array2::<f64>::zeros((k, k));
    for set in sets {
        let deviations: Vec<f64> = (0..k).map(|a| difference(set, a) - estimates[a]).collect();
        for ((a, c), value) in covariance.indexed_iter_mut() {
            *value += factor(set) * deviations[a] * deviations[c];
        }
    }
    // Differences that are equal differ by the rounding of the means that they are of.
    let largest =
        sets.iter().flat_map(|set| &set.means).fold(0.0_f64, |largest, mean| largest.max(mean.abs()));
    let constant: Vec<bool> = covariance.diag().iter().map(|v| *v <= (1e-14 * largest).powi(2)).collect();
    for ((a, c), value) in covariance.indexed_iter_mut() {
        if constant[a] || constant[c] {
            *value = 0.0;
        }
    }
    let df = (0..k).map(|a| {
        quadratic_df(sets.iter().map(|set| {
            let spread = 1.0 / set.units[a + 1] + 1.0 / set.units[0];
            (factor(set), set.n / n, spread)
        }))
    });
    Ok(BlockEffects { n, estimates, df: df.collect(), covariance })
}

/// `(tr PV)^2 / tr (PV)^2` of the quadratic form `sum c (d - sum w d)^2`, its matrix `P = diag(c) - c w' - w
/// c' + sum(c) w w'`, of values with variances `v`, which have any common factor.
fn quadratic_df(parts: impl Iterator<Item = (f64, f64, f64)>) -> f64 {
    let parts: Vec<(f64, f64, f64)> = parts.collect();
    let sum =
        |term: &dyn Fn(f64, f64, f64) -> f64| -> f64 { parts.iter().map(|&(c, w, v)| term(c, w, v)).sum() };
    let total = sum(&|c, _, _| c);
    let [cc, ww, cw] = [sum(&|c, _, v| c * c * v), sum(&|_, w, v| w * w * v), sum(&|c, w, v| c * w * v)];
    // The diagonal of P alone, and what its part of rank two adds.
    let diagonal = sum(&|c, w, v| c * v * v * (c + 2.0 * (total * w * w - 2.0 * c * w)));
    let rest = 2.0 * cc * ww + 2.0 * cw * cw + (total * ww).powi(2) - 4.0 * total * cw * ww;
    let trace = sum(&|c, w, v| v * (c - 2.0 * c * w + total * w * w));
    trace * trace / (diagonal + rest)
}
