use super::{PooledDeviation, Sample, TwoMeans, zero_variance};
use crate::compute::hypothesis::{EquivalenceTest, OneSidedTest, SignedTest};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::ReferenceDistribution;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Whether every group has a variance of its own, and what the statistic is referred to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MeansVariance {
    /// Every group its own, Student's t with the degrees of freedom of Welch and Satterthwaite (Welch 1947,
    /// Biometrika 34:28).
    #[default]
    Welch,
    /// One variance for all groups of the comparison, Student's t with `N - k` degrees of freedom (Student
    /// 1908, for two groups).
    Pooled,
    /// Every group its own, standard normal: for large samples.
    Normal,
}

/// A difference of means with its standard error, treatment minus control.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The difference, in units of the values.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// The degrees of freedom of Student's t; `None` for the normal distribution.
    pub df: Option<f64>,
}

/// The difference within one block, for [`Difference::over_blocks`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BlockDifference {
    /// How many values the block has, both groups together.
    pub n: u64,
    /// The difference of means within the block.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
}

impl BlockDifference {
    /// The difference of means of two groups within a block; a group may be constant.
    pub fn of(treatment: Sample, control: Sample) -> Self {
        Self {
            n: treatment.n + control.n,
            estimate: treatment.mean - control.mean,
            se: treatment.se().hypot(control.se()),
        }
    }
}

impl TwoMeans {
    /// The difference of means.
    ///
    /// # Formula
    /// `m_1 - m_0`. With every group its own variance the standard error is the root of `v_1 + v_0`,
    /// `v_a = s_a^2 / n_a`, and Welch's degrees of freedom are
    /// `(v_1 + v_0)^2 / (v_1^2 / (n_1 - 1) + v_0^2 / (n_0 - 1))`. Pooled: the root of
    /// `s^2 (1 / n_1 + 1 / n_0)` with `s^2 = ((n_1 - 1) s_1^2 + (n_0 - 1) s_0^2) / (n_1 + n_0 - 2)`.
    ///
    /// ```
    /// use armwise::mean::{MeansVariance, Sample, TwoMeans};
    ///
    /// let two = TwoMeans::new(
    ///     Sample { n: 12, mean: 31.5, sd: 5.2 },
    ///     Sample { n: 9, mean: 29.0, sd: 4.1 },
    /// )?;
    /// let pooled = two.difference(MeansVariance::Pooled);
    /// assert_eq!((pooled.estimate, pooled.df), (2.5, Some(19.0)));
    /// assert!(pooled.interval(0.95)?.contains(0.0));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn difference(&self, variance: MeansVariance) -> Difference {
        let (se, df) = match variance {
            MeansVariance::Welch => (self.unpooled_se(), Some(welch_df(&self.treatment, &self.control))),
            MeansVariance::Normal => (self.unpooled_se(), None),
            MeansVariance::Pooled => {
                let pooled = PooledDeviation::of(&[self.treatment, self.control]);
                (pooled.sd * self.inverse_sizes().sqrt(), Some(pooled.df))
            }
        };
        Difference { estimate: self.treatment.mean - self.control.mean, se, df }
    }

    fn unpooled_se(&self) -> f64 {
        self.treatment.se().hypot(self.control.se())
    }

    /// `1 / n_1 + 1 / n_0`.
    pub(super) fn inverse_sizes(&self) -> f64 {
        1.0 / self.treatment.n as f64 + 1.0 / self.control.n as f64
    }
}

/// The degrees of freedom of Welch and Satterthwaite for two groups of which at least one varies.
pub(crate) fn welch_df(treatment: &Sample, control: &Sample) -> f64 {
    let se = treatment.se().hypot(control.se());
    let share = |sample: &Sample| (sample.se() / se).powi(2);
    1.0 / (share(treatment).powi(2) / treatment.df() + share(control).powi(2) / control.df())
}

impl Difference {
    /// A mean against zero.
    pub(super) fn from_zero(sample: &Sample) -> Result<Self> {
        // Differences that are equal differ by rounding (the bound of R's `t.test`).
        if sample.se() <= 10.0 * f64::EPSILON * sample.mean.abs() {
            return Err(zero_variance(
                "all changes are the same, so their mean has no standard error; check the outcome",
            ));
        }
        Ok(Self { estimate: sample.mean, se: sample.se(), df: Some(sample.df()) })
    }

    /// The difference over independent blocks that were randomised apart, each with its share of all values
    /// as weight.
    ///
    /// # Formula
    /// `sum(n_b / n d_b)`, variance `sum((n_b / n)^2 se_b^2)` (Gerber & Green 2012, Field Experiments, 3.6).
    /// Degrees of freedom are given: `n - 2 B` for `B` blocks of persons, clusters - `2 B` where clusters
    /// were randomised.
    ///
    /// # Errors
    /// `insufficient_observations` without blocks or degrees of freedom; `invalid_input` for a number that is
    /// not finite; `zero_variance` where no block varies.
    ///
    /// ```
    /// use armwise::mean::{BlockDifference, Difference, Sample};
    ///
    /// let young = BlockDifference::of(Sample::of(&[3.0, 5.0, 4.0])?, Sample::of(&[2.0, 4.0])?);
    /// let old = BlockDifference::of(Sample::of(&[7.0, 5.0])?, Sample::of(&[5.0, 6.0, 4.0])?);
    /// let difference = Difference::over_blocks(&[young, old], 10.0 - 4.0)?;
    /// assert_eq!(difference.estimate, 1.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn over_blocks(blocks: &[BlockDifference], df: f64) -> Result<Self> {
        if blocks.is_empty() || df.is_nan() || df <= 0.0 {
            let why = format!(
                "{} blocks leave {df} degrees of freedom; merge small blocks, or leave blocks out of the analysis",
                blocks.len()
            );
            return Err(ErrorKind::InsufficientObservations(why).into());
        }
        if blocks.iter().any(|block| !(block.estimate.is_finite() && block.se >= 0.0 && block.se.is_finite()))
        {
            return Err(Error::invalid("a block has a difference or a standard error that is not finite"));
        }
        let n: f64 = blocks.iter().map(|block| block.n as f64).sum();
        let (mut estimate, mut se) = (0.0, 0.0_f64);
        for block in blocks {
            let share = block.n as f64 / n;
            estimate += share * block.estimate;
            se = se.hypot(share * block.se);
        }
        if se == 0.0 {
            return Err(zero_variance(
                "no block varies, so the difference has no standard error; check the outcome",
            ));
        }
        Ok(Self { estimate, se, df: Some(df) })
    }

    /// Estimate over standard error.
    pub fn statistic(&self) -> f64 {
        self.estimate / self.se
    }

    /// The two-sided p-value of no difference.
    pub fn p_value(&self) -> f64 {
        self.null().two_sided(self.statistic())
    }

    fn null(&self) -> ReferenceDistribution {
        ReferenceDistribution::of(self.df).unwrap_or(ReferenceDistribution::Normal)
    }

    /// The test that the difference is `null`: `(d - null) / se`.
    pub fn test(&self, null: f64) -> SignedTest {
        SignedTest::new((self.estimate - null) / self.se, self.null())
    }

    /// The confidence interval.
    ///
    /// # Errors
    /// `invalid_input` where the level is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        let half = ReferenceDistribution::of(self.df)?.critical(level)? * self.se;
        Interval::new(self.estimate - half, self.estimate + half)
    }

    /// The test that the treatment is not worse by the margin or more, where larger values are better:
    /// `(d + margin) / se` against its upper tail.
    ///
    /// # Errors
    /// `invalid_input` where the margin is not positive.
    pub fn noninferiority_test(&self, margin: f64) -> Result<OneSidedTest> {
        check_margin(margin)?;
        let SignedTest { statistic, p_values } = self.test(-margin);
        Ok(OneSidedTest { statistic, p_value: p_values.greater })
    }

    /// Two one-sided tests that the difference lies between minus the margin and the margin. At `alpha` they
    /// show equivalence exactly where the interval of level `1 - 2 alpha` lies within the margins.
    ///
    /// # Errors
    /// `invalid_input` where the margin is not positive.
    ///
    /// ```
    /// use armwise::mean::{MeansVariance, Sample, TwoMeans};
    ///
    /// let two = TwoMeans::new(
    ///     Sample { n: 212, mean: 6.8, sd: 1.6 },
    ///     Sample { n: 205, mean: 6.4, sd: 1.7 },
    /// )?;
    /// let difference = two.difference(MeansVariance::Welch);
    /// assert!(
    ///     difference.equivalence_test(1.0)?.p_value < 0.05
    ///         && difference.interval(0.9)?.upper() < 1.0
    /// );
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn equivalence_test(&self, margin: f64) -> Result<EquivalenceTest> {
        check_margin(margin)?;
        Ok(EquivalenceTest::new(self.test(-margin), self.test(margin)))
    }
}

fn check_margin(margin: f64) -> Result<()> {
    if margin > 0.0 && margin.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the margin is {margin}; give a positive number in units of the outcome, and turn the outcome round where less is better"
    )))
}
