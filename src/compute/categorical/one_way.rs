//! Comparison of several groups: ranks and means.

use crate::compute::hypothesis::{ChiSquaredTest, FTest};
use crate::error::{Error, ErrorKind, Result, counted};

/// Values in several groups.
///
/// # Formula
/// Notation of its methods: `n_g`, `m_g` and `s_g^2` the size, mean and variance of group `g` of `k`, `N` and
/// `m` size and mean of all.
///
/// # Errors
/// Of [`OneWay::new`]: `invalid_input` for values that are not finite, or lists of different lengths;
/// `insufficient_observations` with fewer than two groups that hold values.
///
/// # Examples
/// ```
/// use armwise::categorical::OneWay;
///
/// let hours = [10.0, 12.0, 20.0, 24.0, 31.0, 36.0];
/// let arms = [0, 0, 1, 1, 2, 2];
/// let test = OneWay::new(&hours, &arms)?.kruskal_wallis()?;
/// assert!((test.test.statistic - 32.0 / 7.0).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OneWay<'a> {
    values: &'a [f64],
    codes: &'a [u32],
    /// The codes that occur, in order.
    labels: Vec<u32>,
    groups: Vec<Group>,
    mean: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Group {
    n: f64,
    mean: f64,
    /// `sum (y - mean)^2`
    squares: f64,
}

/// The Kruskal-Wallis test with its effect size.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct KruskalWallis {
    /// The statistic H, corrected for ties.
    pub test: ChiSquaredTest,
    /// `H / (N - 1)`, the share of the variance of the ranks that lies between groups (Tomczak & Tomczak
    /// 2014).
    pub epsilon_squared: f64,
}

/// The analysis of variance with its effect size.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct OneWayAnova {
    /// Fisher's F test of equal means.
    pub test: FTest,
    /// The share of the sum of squares that lies between groups.
    pub eta_squared: f64,
}

impl<'a> OneWay<'a> {
    /// Values, and the group of each (codes from 0; codes without values do not count).
    ///
    /// # Errors
    /// See [`OneWay`].
    pub fn new(values: &'a [f64], groups: &'a [u32]) -> Result<Self> {
        if values.len() != groups.len() {
            return Err(Error::invalid(format!(
                "there are {} and {}; give one group for each value",
                counted(values.len(), "value"),
                counted(groups.len(), "group")
            )));
        }
        if let Some(row) = values.iter().position(|value| value.is_nan() || value.abs() > 1e140) {
            return Err(Error::invalid(format!("{} is not a finite number", values[row])).in_row(row));
        }
        // Codes may be sparse: places among the codes that occur keep the memory at the number of groups.
        let mut labels: Vec<u32> = groups.to_vec();
        labels.sort_unstable();
        labels.dedup();
        if labels.len() < 2 {
            return Err(ErrorKind::InsufficientObservations(format!(
                "values are in {}; a comparison needs at least two",
                counted(labels.len(), "group")
            ))
            .into());
        }
        let empty = vec![Group { n: 0.0, mean: 0.0, squares: 0.0 }; labels.len()];
        let mut this = Self { values, codes: groups, labels, groups: empty, mean: 0.0 };
        for (i, (value, code)) in values.iter().zip(groups).enumerate() {
            this.mean += (value - this.mean) / (i as f64 + 1.0);
            let place = this.place(*code);
            let group = &mut this.groups[place];
            group.n += 1.0;
            // Welford's update: no digits lost to a large common value.
            let before = value - group.mean;
            group.mean += before / group.n;
            group.squares += before * (value - group.mean);
        }
        Ok(this)
    }

    fn place(&self, code: u32) -> usize {
        self.labels.partition_point(|known| *known < code)
    }

    /// The Kruskal-Wallis test that all groups have the same distribution.
    ///
    /// `H = (N - 1) sum n_g (r_g - r)^2 / sum (r_i - r)^2` over midranks `r_i`, their group means `r_g` and
    /// mean `r = (N + 1)/2`, with `k - 1` degrees of freedom; the denominator is the correction for ties
    /// (Kruskal & Wallis 1952, Journal of the American Statistical Association 47:583).
    ///
    /// # Errors
    /// `zero_variance` where all values are equal.
    pub fn kruskal_wallis(&self) -> Result<KruskalWallis> {
        let n = self.values.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_unstable_by(|&i, &j| self.values[i].total_cmp(&self.values[j]));
        let middle = 0.5 * (n as f64 + 1.0);
        let mut sums = vec![0.0; self.labels.len()];
        let mut total = 0.0;
        let mut start = 0;
        while start < n {
            let value = self.values[order[start]];
            let tied = order[start..].iter().take_while(|&&i| self.values[i] == value).count();
            let rank = start as f64 + 0.5 * (tied as f64 + 1.0) - middle;
            total += tied as f64 * rank * rank;
            order[start..start + tied].iter().for_each(|&i| sums[self.place(self.codes[i])] += rank);
            start += tied;
        }
        if total == 0.0 {
            return Err(all_equal());
        }
        let between: f64 = sums.iter().zip(&self.groups).map(|(sum, group)| sum * sum / group.n).sum();
        let share = between / total;
        let test = ChiSquaredTest::new((n as f64 - 1.0) * share, (self.groups.len() - 1) as f64)?;
        Ok(KruskalWallis { test, epsilon_squared: share })
    }

    /// The analysis of variance: `F = (sum n_g (m_g - m)^2 / (k - 1)) / (sum (n_g - 1) s_g^2 / (N - k))`,
    /// equal variances assumed.
    ///
    /// # Errors
    /// `zero_variance` where no group varies; `insufficient_observations` with one value in each group.
    pub fn anova(&self) -> Result<OneWayAnova> {
        let (n, k) = (self.values.len() as f64, self.groups.len() as f64);
        let within: f64 = self.groups.iter().map(|group| group.squares).sum();
        let between: f64 = self.groups.iter().map(|group| group.n * (group.mean - self.mean).powi(2)).sum();
        if n <= k {
            return Err(one_value());
        }
        if within <= SQUARES {
            return Err(all_equal());
        }
        Ok(OneWayAnova {
            test: FTest::new(between / (k - 1.0) / (within / (n - k)), k - 1.0, n - k)?,
            eta_squared: between / (between + within),
        })
    }

    /// Welch's test of equal means without assuming equal variances: with `w_g = n_g / s_g^2`, `W = sum w_g`,
    /// `m' = sum w_g m_g / W` and `l = sum (1 - w_g/W)^2 / (n_g - 1)`,
    /// `F = (sum w_g (m_g - m')^2 / (k - 1)) / (1 + 2 (k - 2) l / (k^2 - 1))` with `k - 1` and
    /// `(k^2 - 1) / (3 l)` degrees of freedom (Welch 1951, Biometrika 38:330).
    ///
    /// # Errors
    /// `zero_variance` where the values of a group are all equal; `insufficient_observations` where a group
    /// has one value.
    pub fn welch(&self) -> Result<FTest> {
        let k = self.groups.len() as f64;
        if self.groups.iter().any(|group| group.n < 2.0) {
            return Err(one_value());
        }
        if self.groups.iter().any(|group| group.squares <= SQUARES) {
            return Err(ErrorKind::ZeroVariance(
                "the values of a group are all equal, so that it has no variance; use the Kruskal-Wallis test".to_owned(),
            )
            .into());
        }
        let weight = |group: &Group| group.n * (group.n - 1.0) / group.squares;
        let total: f64 = self.groups.iter().map(weight).sum();
        let mean =
            self.mean + self.groups.iter().map(|g| weight(g) * (g.mean - self.mean)).sum::<f64>() / total;
        let between: f64 = self.groups.iter().map(|group| weight(group) * (group.mean - mean).powi(2)).sum();
        let l: f64 =
            self.groups.iter().map(|group| (1.0 - weight(group) / total).powi(2) / (group.n - 1.0)).sum();
        let statistic = between / (k - 1.0) / (1.0 + 2.0 * (k - 2.0) * l / (k * k - 1.0));
        FTest::new(statistic, k - 1.0, (k * k - 1.0) / (3.0 * l))
    }
}

/// Sums of squares below this have lost digits or vanished: to the test the values are equal.
const SQUARES: f64 = 1e-290;

fn all_equal() -> Error {
    ErrorKind::ZeroVariance("the values do not vary, so that there is no test of them".to_owned()).into()
}

fn one_value() -> Error {
    ErrorKind::InsufficientObservations(
        "a group has one value, which shows no variance; merge groups, or use the Kruskal-Wallis test"
            .to_owned(),
    )
    .into()
}
