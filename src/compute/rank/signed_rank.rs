use super::shifts::Pairs;
use super::{Continuity, Ranks, check_size, exact_test, normal_test};
use crate::compute::distribution::Binomial;
use crate::compute::hypothesis::{PValues, SignedTest};
use crate::compute::interval::Interval;
use crate::error::{Error, ErrorKind, Result};

/// Wilcoxon's signed rank test of differences within pairs; differences of zero are left out.
///
/// # Formula
/// `V` is the sum of the ranks of the absolute differences over the positive ones. Its mean is
/// `n (n + 1) / 4`, its variance `n (n + 1) (2 n + 1) / 24 - sum(t^3 - t) / 48` over groups of `t` ties.
///
/// # Examples
/// ```
/// use armwise::rank::{Continuity, SignedRank};
///
/// let test = SignedRank::new(&[1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])?;
/// assert_eq!((test.n(), test.v()), (9, 45.0));
/// assert!(test.normal_test(Continuity::Corrected)?.p_values.two_sided < 0.01);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Wilcoxon F (1945), Biometrics Bulletin 1:80.
pub struct SignedRank {
    differences: Vec<f64>,
    ranks: Ranks,
    twice_v: usize,
}

impl std::fmt::Debug for SignedRank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignedRank").field("n", &self.n()).field("v", &self.v()).finish_non_exhaustive()
    }
}

impl SignedRank {
    /// The test of these differences, first minus second.
    ///
    /// # Errors
    /// `invalid_input` for differences that are no numbers; `zero_variance` where all are zero.
    pub fn new(differences: &[f64]) -> Result<Self> {
        let differences: Vec<f64> =
            differences.iter().copied().filter(|difference| *difference != 0.0).collect();
        if differences.is_empty() {
            return Err(ErrorKind::ZeroVariance(
                "all differences are zero, so ranks tell nothing; check the outcome".to_owned(),
            )
            .into());
        }
        let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
        let ranks = Ranks::of(&sizes)?;
        let positive = differences.iter().zip(&ranks.twice).filter(|(difference, _)| **difference > 0.0);
        let twice_v = positive.map(|(_, twice)| twice).sum();
        Ok(Self { differences, ranks, twice_v })
    }

    /// The number of differences that are not zero.
    pub fn n(&self) -> usize {
        self.differences.len()
    }

    /// `V`, the sum of the ranks of the positive differences.
    pub fn v(&self) -> f64 {
        0.5 * self.twice_v as f64
    }

    /// Whether two absolute differences are equal.
    pub fn has_ties(&self) -> bool {
        self.ranks.ties > 0.0
    }

    /// The test by the normal approximation.
    ///
    /// # Errors
    /// Fewer than two differences.
    pub fn normal_test(&self, continuity: Continuity) -> Result<SignedTest> {
        let n = self.n() as f64;
        let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - self.ranks.ties / 48.0;
        normal_test(self.v() - 0.25 * n * (n + 1.0), variance, continuity)
    }

    /// The test by all signs of the observed (mid)ranks.
    ///
    /// # Errors
    /// `not_estimable` for more differences than can be enumerated.
    pub fn exact_test(&self) -> Result<PValues> {
        let whole = self.ranks.whole();
        let distribution = distribution(&whole.ranks)?;
        Ok(exact_test(&distribution, self.twice_v / whole.halves, distribution.len() - 1))
    }

    /// The sign test: positive against negative differences, by the binomial distribution with probability
    /// 1/2; two-sided.
    ///
    /// # Errors
    /// There is none.
    pub fn sign_test(&self) -> Result<f64> {
        let positive = self.differences.iter().filter(|difference| **difference > 0.0).count();
        let fewer = positive.min(self.n() - positive) as u64;
        Ok((2.0 * Binomial::new(self.n() as u64, 0.5)?.cdf(fewer)).min(1.0))
    }

    /// The location of Hodges and Lehmann: the median of the averages of all pairs of differences, each also
    /// with itself.
    pub fn hodges_lehmann(&self) -> f64 {
        self.averages().median()
    }

    /// The interval of the Hodges-Lehmann location from the exact distribution of `V` without ties.
    ///
    /// # Errors
    /// `not_estimable` with ties, or for more differences than can be enumerated; `invalid_input` for a level
    /// outside 0 to 1.
    pub fn hodges_lehmann_interval(&self, level: f64) -> Result<Interval> {
        if self.has_ties() {
            return Err(Error::from(ErrorKind::NotEstimable(
                "the exact interval of the location presumes that no absolute differences are equal; report the \
                 estimate without it"
                    .to_owned(),
            )));
        }
        self.averages().interval(&distribution(&self.ranks.whole().ranks)?, level)
    }

    fn averages(&self) -> Pairs {
        Pairs::averages(&self.differences)
    }
}

/// The probabilities of the sums of ranks, each counted with probability 1/2.
fn distribution(ranks: &[usize]) -> Result<Vec<f64>> {
    let total: usize = ranks.iter().sum();
    check_size(ranks.len() as f64 * total as f64, ranks.len())?;
    let mut chances = vec![0.0; total + 1];
    chances[0] = 1.0;
    let mut largest = 0;
    for &rank in ranks {
        largest += rank;
        for s in (0..=largest).rev() {
            let with = if s >= rank { chances[s - rank] } else { 0.0 };
            chances[s] = 0.5 * (chances[s] + with);
        }
    }
    Ok(chances)
}
