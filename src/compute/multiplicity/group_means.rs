use super::Contrasts;
use crate::compute::distribution::StudentizedRange;
use crate::compute::interval::Interval;
use crate::compute::mean::Sample;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The means of several groups with one variance, for Dunnett's and Tukey's comparisons.
///
/// # Formula
///
/// `s2 = sum (n_g - 1) s_g^2 / df` with `df = N - G`. The difference of group `i` and the control has the
/// variance `s2 (1 / n_i + 1 / n_0)`; two differences share `s2 / n_0`, so their correlation is `l_i l_j`
/// with `l_i = sqrt(n_i / (n_i + n_0))`. Tukey's range of a pair is `q = |m_i - m_j| / sqrt(s2 (1 / n_i + 1 /
/// n_j) / 2)` (Kramer's for unequal sizes, which is conservative).
///
/// # Assumptions
///
/// Values are normal within groups, and all groups have one variance. Where variances differ, give the
/// covariance to [`Contrasts`].
///
/// # Examples
/// ```
/// use armwise::mean::Sample;
/// use armwise::multiplicity::{Alternative, GroupMeans};
///
/// // Dobson (1983): yields of plants, a control and two treatments.
/// let groups = GroupMeans::new(&[
///     Sample { n: 10, mean: 5.032, sd: 0.583_091_4 },
///     Sample { n: 10, mean: 4.661, sd: 0.793_675_7 },
///     Sample { n: 10, mean: 5.526, sd: 0.442_573_3 },
/// ])?;
/// let dunnett = groups.dunnett(0)?.simultaneous(Alternative::TwoSided, 0.95)?;
/// assert!((dunnett.critical_value - 2.33341).abs() < 1e-5);
/// assert!((dunnett.contrasts[1].single_step - 0.15349).abs() < 1e-5);
///
/// let tukey = groups.tukey(0.95)?;
/// assert!((tukey.pairs[2].p_value - 0.01201).abs() < 1e-5); // the two treatments
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Dunnett (1955), JASA 50:1096. Kramer (1956), Biometrics 12:307.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupMeans {
    groups: Vec<Sample>,
    pooled_variance: f64,
    df: f64,
}

/// One pair of groups.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TukeyPair {
    /// The group whose mean the other is taken from, counted from 0.
    pub group: usize,
    /// The group that is taken from it.
    pub reference: usize,
    /// The difference of their means.
    pub estimate: f64,
    /// Its standard error; that of the range is smaller by the root of 2.
    pub se: f64,
    /// The studentised range `q`, with the sign of the difference left out.
    pub q: f64,
    /// The adjusted p-value.
    pub p_value: f64,
    /// The simultaneous interval.
    pub interval: Interval,
}

/// All pairs of groups, by Tukey's honest significant difference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tukey {
    /// The level at which all intervals hold together.
    pub level: f64,
    /// The degrees of freedom of the variance.
    pub df: f64,
    /// The critical value of the studentised range.
    pub critical_q: f64,
    /// The pairs: each group against all before it, in the order of the reference.
    pub pairs: Vec<TukeyPair>,
}

impl GroupMeans {
    /// The groups with these sizes, means and standard deviations.
    ///
    /// # Errors
    /// `invalid_input` for fewer than two groups and numbers that cannot be; `insufficient_observations`
    /// where no group has two values; `zero_variance` where no group varies.
    pub fn new(groups: &[Sample]) -> Result<Self> {
        if groups.len() < 2 {
            return Err(Error::invalid("a comparison of means needs two groups; give at least two"));
        }
        for (i, group) in groups.iter().enumerate() {
            if group.n == 0 || !group.mean.is_finite() || !group.sd.is_finite() || group.sd < 0.0 {
                return Err(Error::invalid(format!(
                    "group {} has {} with the mean {} and the standard deviation {}; give a size above 0 and finite numbers",
                    i + 1,
                    counted(group.n, "value"),
                    number(group.mean),
                    number(group.sd)
                )));
            }
        }
        let within = |group: &Sample| (group.n - 1) as f64;
        let df: f64 = groups.iter().map(within).sum();
        if df == 0.0 {
            return Err(ErrorKind::InsufficientObservations(
                "every group has one value, so that nothing tells the variance; give more".to_owned(),
            )
            .into());
        }
        let pooled_variance =
            groups.iter().map(|group| within(group) * group.sd * group.sd).sum::<f64>() / df;
        if pooled_variance == 0.0 || !pooled_variance.is_finite() {
            return Err(ErrorKind::ZeroVariance(
                "the values do not vary within groups; say so, as no test can".to_owned(),
            )
            .into());
        }
        Ok(Self { groups: groups.to_vec(), pooled_variance, df })
    }

    /// The variance pooled over all groups.
    pub fn pooled_variance(&self) -> f64 {
        self.pooled_variance
    }

    /// Its degrees of freedom.
    pub fn df(&self) -> f64 {
        self.df
    }

    /// All other groups against one, in their order.
    ///
    /// # Errors
    /// `invalid_input` where there is no such group, counted from 0.
    pub fn dunnett(&self, control: usize) -> Result<Contrasts> {
        let Some(reference) = self.groups.get(control) else {
            return Err(Error::invalid(format!(
                "there is no group {control}; groups run from 0 to {}",
                self.groups.len() - 1
            )));
        };
        let others: Vec<&Sample> =
            self.groups.iter().enumerate().filter(|(i, _)| *i != control).map(|(_, group)| group).collect();
        let estimates: Vec<f64> = others.iter().map(|group| group.mean - reference.mean).collect();
        let shared = self.pooled_variance / reference.n as f64;
        let covariance = Array2::from_shape_fn((others.len(), others.len()), |(i, j)| {
            if i == j { shared + self.pooled_variance / others[i].n as f64 } else { shared }
        });
        Contrasts::new(&estimates, covariance.view(), Some(self.df))
    }

    /// All pairs of groups.
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1, and for more than 100 groups.
    pub fn tukey(&self, level: f64) -> Result<Tukey> {
        let alpha = 2.0 * crate::compute::reference_distribution::upper_tail(level)?;
        let range = StudentizedRange::new(self.groups.len() as u64, self.df)?;
        let critical_q = range.upper_quantile(alpha);
        let mut pairs = Vec::new();
        for reference in 0..self.groups.len() {
            for group in reference + 1..self.groups.len() {
                let [one, two] = [group, reference].map(|i| self.groups[i]);
                let estimate = one.mean - two.mean;
                let variance = self.pooled_variance * (1.0 / one.n as f64 + 1.0 / two.n as f64);
                let own = (0.5 * variance).sqrt();
                let q = estimate.abs() / own;
                pairs.push(TukeyPair {
                    group,
                    reference,
                    estimate,
                    se: variance.sqrt(),
                    q,
                    p_value: range.sf(q),
                    interval: Interval::around(estimate, critical_q * own),
                });
            }
        }
        Ok(Tukey { level, df: self.df, critical_q, pairs })
    }
}
