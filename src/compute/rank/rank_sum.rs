use super::shifts::Pairs;
use super::{Continuity, Ranks, Whole, check_size, exact_test, normal_test};
use crate::compute::hypothesis::{PValues, SignedTest};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Wilcoxon's rank sum test, the test of Mann and Whitney, of a treatment against a control group.
///
/// # Formula
/// `U` counts the pairs in which the treatment's value is larger, ties as a half. Its mean is `n_1 n_0 / 2`,
/// its variance `n_1 n_0 / 12 (N + 1 - sum(t^3 - t) / (N (N - 1)))` over groups of `t` ties.
///
/// # References
/// Wilcoxon F (1945), Biometrics Bulletin 1:80. Mann HB, Whitney DR (1947), Annals of Mathematical Statistics
/// 18:50. Hodges JL, Lehmann EL (1963), Annals of Mathematical Statistics 34:598.
pub struct RankSum<'a> {
    treatment: &'a [f64],
    control: &'a [f64],
    ranks: Ranks,
    twice_sum: usize,
}

impl std::fmt::Debug for RankSum<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RankSum").field("u", &self.u()).finish_non_exhaustive()
    }
}

/// The test of Brunner and Munzel that neither group tends to larger values, variances being free.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BrunnerMunzel {
    /// The statistic, positive where the treatment tends to larger values.
    pub statistic: f64,
    /// The degrees of freedom of Student's t.
    pub df: f64,
    /// Two-sided.
    pub p_value: f64,
}

impl<'a> RankSum<'a> {
    /// The treatment group, then the control group.
    ///
    /// # Errors
    /// `insufficient_observations` for an empty group; `invalid_input` for values that are no numbers.
    pub fn new(treatment: &'a [f64], control: &'a [f64]) -> Result<Self> {
        if treatment.is_empty() || control.is_empty() {
            return Err(ErrorKind::InsufficientObservations(
                "a group is empty; both need values to be ranked".to_owned(),
            )
            .into());
        }
        let all: Vec<f64> = treatment.iter().chain(control).copied().collect();
        let ranks = Ranks::of(&all)?;
        let twice_sum = ranks.twice[..treatment.len()].iter().sum();
        Ok(Self { treatment, control, ranks, twice_sum })
    }

    fn n1(&self) -> f64 {
        self.treatment.len() as f64
    }

    fn n0(&self) -> f64 {
        self.control.len() as f64
    }

    /// The sum of the treatment's ranks among all values.
    pub fn rank_sum(&self) -> f64 {
        0.5 * self.twice_sum as f64
    }

    /// `U`: the pairs in which the treatment's value is larger, ties as a half.
    pub fn u(&self) -> f64 {
        self.rank_sum() - 0.5 * self.n1() * (self.n1() + 1.0)
    }

    /// Whether two values are equal.
    pub fn has_ties(&self) -> bool {
        self.ranks.ties > 0.0
    }

    /// The probability that a value under treatment is larger than one under control, ties as a half:
    /// `U / (n_1 n_0)`.
    pub fn probability_of_superiority(&self) -> f64 {
        self.u() / (self.n1() * self.n0())
    }

    /// The rank biserial correlation `2 U / (n_1 n_0) - 1`, from -1 to 1 (Cliff's delta).
    pub fn rank_biserial(&self) -> f64 {
        2.0 * self.probability_of_superiority() - 1.0
    }

    /// The test by the normal approximation.
    ///
    /// # Errors
    /// `zero_variance` where all values are tied.
    pub fn normal_test(&self, continuity: Continuity) -> Result<SignedTest> {
        let (n1, n0) = (self.n1(), self.n0());
        let n = n1 + n0;
        let ties = if n > 1.0 { self.ranks.ties / (n * (n - 1.0)) } else { 0.0 };
        normal_test(self.u() - 0.5 * n1 * n0, n1 * n0 / 12.0 * (n + 1.0 - ties), continuity)
    }

    /// The test by all allocations of the observed (mid)ranks: Wilcoxon's exact test, with ties the
    /// permutation test.
    ///
    /// # Errors
    /// `not_estimable` for more values than can be enumerated.
    pub fn exact_test(&self) -> Result<PValues> {
        let whole = self.ranks.whole();
        let distribution = self.distribution(&whole)?;
        let twice_mean = 2 * self.treatment.len() * (whole.ranks.len() + 1) / whole.halves;
        Ok(exact_test(&distribution, self.twice_sum / whole.halves, twice_mean))
    }

    /// The probabilities of the sums of `n_1` ranks drawn from all.
    fn distribution(&self, whole: &Whole) -> Result<Vec<f64>> {
        let (n1, n) = (self.treatment.len(), whole.ranks.len());
        let total: usize = whole.ranks.iter().sum();
        check_size(n as f64 * n1 as f64 * total as f64, n)?;
        // chances[j][s]: after the ranks so far, j were drawn with the sum s, each step dividing by the
        // number of choices left.
        let mut chances = vec![vec![0.0; total + 1]; n1 + 1];
        chances[0][0] = 1.0;
        let mut largest = 0;
        for (seen, &rank) in whole.ranks.iter().enumerate() {
            let left = (n - seen) as f64;
            for drawn in (0..=n1.min(seen)).rev() {
                let take = (n1 - drawn) as f64 / left;
                let (before, after) = chances.split_at_mut(drawn + 1);
                let row = &mut before[drawn][..=largest];
                if let Some(next) = after.first_mut() {
                    for (s, chance) in row.iter().enumerate() {
                        next[s + rank] += take * chance;
                    }
                }
                for chance in row {
                    *chance *= 1.0 - take;
                }
            }
            largest += rank;
        }
        Ok(chances.swap_remove(n1))
    }

    /// The shift of Hodges and Lehmann: the median of all differences between a treatment's and a control's
    /// value.
    pub fn hodges_lehmann(&self) -> f64 {
        self.shifts().median()
    }

    fn shifts(&self) -> Pairs {
        Pairs::differences(self.treatment, self.control)
    }

    /// The interval of the Hodges-Lehmann shift from the exact distribution of `U` without ties.
    ///
    /// # Errors
    /// `not_estimable` with ties, or for more values than can be enumerated; `invalid_input` for a level
    /// outside 0 to 1.
    pub fn hodges_lehmann_interval(&self, level: f64) -> Result<Interval> {
        if self.has_ties() {
            return Err(Error::from(ErrorKind::NotEstimable(
                "the exact interval of the shift presumes that no values are equal; report the estimate without it"
                    .to_owned(),
            )));
        }
        let distribution = self.distribution(&self.ranks.whole())?;
        // U is the rank sum less its smallest value.
        let smallest = self.treatment.len() * (self.treatment.len() + 1) / 2;
        self.shifts().interval(&distribution[smallest..], level)
    }

    /// The test of Brunner & Munzel (2000, Biometrical Journal 42:17), from the ranks among all and within
    /// each group.
    ///
    /// # Errors
    /// `insufficient_observations` for fewer than two values in a group; `zero_variance` where the groups do
    /// not overlap.
    pub fn brunner_munzel(&self) -> Result<BrunnerMunzel> {
        let (n1, n0) = (self.n1(), self.n0());
        if n1 < 2.0 || n0 < 2.0 {
            return Err(ErrorKind::InsufficientObservations(
                "the test of Brunner and Munzel needs two values in each group".to_owned(),
            )
            .into());
        }
        let (first, second) = self.ranks.twice.split_at(self.treatment.len());
        let (mean1, variance1) = placements(self.treatment, first)?;
        let (mean0, variance0) = placements(self.control, second)?;
        let (part1, part0) = (n1 * variance1, n0 * variance0);
        if part1 + part0 <= 0.0 {
            return Err(ErrorKind::ZeroVariance(
                "all values of one group are above all of the other; use the exact rank sum test".to_owned(),
            )
            .into());
        }
        let statistic = n1 * n0 * (mean1 - mean0) / ((n1 + n0) * (part1 + part0).sqrt());
        let df = (part1 + part0).powi(2) / (part1 * part1 / (n1 - 1.0) + part0 * part0 / (n0 - 1.0));
        let p_value = ReferenceDistribution::of(Some(df))?.two_sided(statistic);
        Ok(BrunnerMunzel { statistic, df, p_value })
    }
}

/// The mean of a group's ranks among all, and the variance of the difference to its ranks within the group.
fn placements(values: &[f64], twice: &[usize]) -> Result<(f64, f64)> {
    let n = values.len() as f64;
    let within = Ranks::of(values)?;
    let mean = 0.5 * twice.iter().sum::<usize>() as f64 / n;
    let squares: f64 = twice
        .iter()
        .zip(&within.twice)
        .map(|(all, within)| (0.5 * (all - within) as f64 - mean + 0.5 * (n + 1.0)).powi(2))
        .sum();
    Ok((mean, squares / (n - 1.0)))
}
