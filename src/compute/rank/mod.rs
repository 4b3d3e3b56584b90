//! Rank tests of two samples and of pairs: Wilcoxon, Mann-Whitney, Brunner-Munzel, the sign test,
//! Hodges-Lehmann shifts.
//!
//! Ties get the mean of their ranks. Effects are treatment against control, first against second.
//!
//! ```
//! use armwise::rank::{Continuity, RankSum};
//!
//! let test = RankSum::new(&[4.0, 6.5, 7.0, 9.0], &[1.0, 2.0, 4.0, 5.0, 5.5])?;
//! assert_eq!(test.u(), 17.5);
//! assert!(test.normal_test(Continuity::Corrected)?.p_values.two_sided < 0.1);
//! # Ok::<(), armwise::Error>(())
//! ```

mod placements;
mod rank_sum;
mod separated;
mod shifts;
mod signed_rank;

#[doc(no_inline)]
pub use super::hypothesis::{PValues, SignedTest};
pub use placements::Placements;
#[doc(alias("wilcoxon", "mann-whitney", "wilcoxon-mann-whitney", "hodges-lehmann", "exact test"))]
pub use rank_sum::{BrunnerMunzel, RankSum};
#[doc(alias("exact rank sum", "complete separation", "lehmann alternative"))]
pub use separated::Separated;
#[doc(alias("wilcoxon signed rank", "paired"))]
pub use signed_rank::SignedRank;

use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result, counted};
use serde::{Deserialize, Serialize};

/// Whether the normal approximation moves the statistic half a unit towards its mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Continuity {
    /// By one half, as R's `wilcox.test` does.
    #[default]
    Corrected,
    /// Not.
    Uncorrected,
}

/// The normal approximation of a rank test, from the statistic's distance to its mean and its variance.
fn normal_test(distance: f64, variance: f64, continuity: Continuity) -> Result<SignedTest> {
    if variance.is_nan() || variance <= 0.0 {
        return Err(ErrorKind::ZeroVariance(
            "all values are tied, so that their ranks do not differ; check the outcome".to_owned(),
        )
        .into());
    }
    let sd = variance.sqrt();
    let half = match continuity {
        Continuity::Corrected => 0.5,
        Continuity::Uncorrected => 0.0,
    };
    let towards = if distance == 0.0 { 0.0 } else { half * distance.signum() };
    let null = ReferenceDistribution::Normal;
    let statistic = (distance - towards) / sd;
    Ok(SignedTest {
        statistic,
        p_values: PValues {
            less: null.cdf((distance + half) / sd),
            greater: null.sf((distance - half) / sd),
            two_sided: null.two_sided(statistic),
        },
    })
}

/// The p-values over all allocations given the ranks, from the probabilities of the statistics 0, 1, 2, ...
/// and the place of the observed one: the shares whose statistic is at most as large, at least as large, at
/// least as far from its mean.
fn exact_test(distribution: &[f64], observed: usize, twice_mean: usize) -> PValues {
    let distance = (2 * observed).abs_diff(twice_mean);
    let sum = |keep: &dyn Fn(usize) -> bool| -> f64 {
        let kept = distribution.iter().enumerate().filter(|(statistic, _)| keep(*statistic));
        kept.map(|(_, probability)| probability).sum::<f64>().min(1.0)
    };
    PValues {
        less: sum(&|statistic| statistic <= observed),
        greater: sum(&|statistic| statistic >= observed),
        two_sided: sum(&|statistic| (2 * statistic).abs_diff(twice_mean) >= distance),
    }
}

/// Ranks from 1, ties sharing the mean of theirs, and the sum of `t^3 - t` over groups of `t` ties.
struct Ranks {
    /// Twice each rank, so that means of ranks are whole numbers.
    twice: Vec<usize>,
    ties: f64,
}

impl Ranks {
    fn of(values: &[f64]) -> Result<Self> {
        if let Some(value) = values.iter().find(|value| !value.is_finite()) {
            return Err(Error::invalid(format!("the value {value} has no rank; leave missing values out")));
        }
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_unstable_by(|&a, &b| values[a].total_cmp(&values[b]));
        let mut twice = vec![0; values.len()];
        let (mut ties, mut start) = (0.0, 0);
        // Equal by comparison, not by bits: -0 and 0 are tied.
        #[allow(clippy::float_cmp)]
        for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
            for &index in tied {
                twice[index] = 2 * start + tied.len() + 1;
            }
            let t = tied.len() as f64;
            ties += t * (t * t - 1.0);
            start += tied.len();
        }
        Ok(Self { twice, ties })
    }

    /// The ranks in the coarsest unit in which they are whole numbers.
    fn whole(&self) -> Whole {
        let halves = if self.twice.iter().all(|rank| rank % 2 == 0) { 2 } else { 1 };
        Whole { ranks: self.twice.iter().map(|rank| rank / halves).collect(), halves }
    }
}

/// Ranks as whole numbers of one or two halves.
struct Whole {
    ranks: Vec<usize>,
    halves: usize,
}

/// The most steps of the recursion of an exact distribution: a second or two.
const LARGEST: f64 = 1e9;

fn check_size(steps: f64, n: usize) -> Result<()> {
    if steps <= LARGEST && n <= 1000 {
        return Ok(());
    }
    Err(ErrorKind::NotEstimable(format!(
        "the exact distribution for {values} is out of reach; use the normal approximation",
        values = counted(n, "value")
    ))
    .into())
}

/// The smallest statistic whose distribution function reaches `p`, at least 1.
fn lower_quantile(distribution: &[f64], p: f64) -> usize {
    let mut sum = 0.0;
    for (statistic, probability) in distribution.iter().enumerate() {
        sum += probability;
        // Rounding must not pass over a value that is reached exactly.
        if sum >= p - 1e-14 {
            return statistic.max(1);
        }
    }
    distribution.len()
}
