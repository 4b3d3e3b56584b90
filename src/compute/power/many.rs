use super::TestLevel;
use crate::compute::distribution::{Normal, chi_mixture, mixture_step};
use crate::compute::multiplicity::{Alternative, MultivariateT};
use crate::error::{Error, Result, number};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The way in which several comparisons share one significance level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Family {
    /// Each comparison has all of alpha; the chance of any false claim is larger. The default.
    #[default]
    Unadjusted,
    /// `alpha / k` each.
    Bonferroni,
    /// `1 - (1 - alpha)^(1 / k)` each.
    Sidak,
    /// Dunnett's critical value, from the correlation that a shared control makes.
    Dunnett,
}

impl Family {
    /// The level of each of `k` comparisons. Dunnett's critical value is not a level of one comparison: this
    /// is then Sidak's, which is smaller.
    pub fn level(self, alpha: f64, k: usize) -> f64 {
        let k = k.max(1) as f64;
        match self {
            Self::Unadjusted => alpha,
            Self::Bonferroni => alpha / k,
            Self::Sidak | Self::Dunnett => -((-alpha).ln_1p() / k).exp_m1(),
        }
    }
}

/// Several groups compared with one, by Dunnett's test.
///
/// # Formula
///
/// With the standardised differences `d_i`, the sizes `n_i` and the control's `n_0`, the statistics are
/// normal with variance 1, means `d_i sqrt(n_i n_0 / (n_i + n_0))` and correlations `l_i l_j`, `l_i =
/// sqrt(n_i / (n_i + n_0))`. Given one normal variable they are independent, so that the probability that any
/// of them, or all, exceed the critical value is an integral in one dimension; with degrees of freedom, in
/// two.
///
/// # Examples
/// ```
/// use armwise::power::{ManyToOne, TestLevel};
///
/// let design = ManyToOne::new(&[0.3, 0.2, 0.0], &[150.0, 100.0, 100.0, 100.0])?;
/// let test = TestLevel::two_sided(0.05)?;
/// assert!((design.critical_value(test)? - 2.3643366).abs() < 1e-7);
/// assert!((design.disjunctive_power(test)? - 0.5531892).abs() < 1e-7);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Dunnett (1955), JASA 50:1096.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct ManyToOne {
    effects: Vec<f64>,
    /// The control first.
    sizes: Vec<f64>,
    df: Option<f64>,
}

checked!(ManyToOne);

impl ManyToOne {
    /// The standardised differences of groups, and the sizes with the control's first.
    ///
    /// # Errors
    /// `invalid_input` for no groups, sizes that are not one more than the differences, and numbers that are
    /// not finite.
    pub fn new(effects: &[f64], sizes: &[f64]) -> Result<Self> {
        let design = Self { effects: effects.to_vec(), sizes: sizes.to_vec(), df: None };
        design.check().map(|()| design)
    }

    /// The degrees of freedom of the variance, which is known without.
    ///
    /// # Errors
    /// `invalid_input` for degrees of freedom below 0.1.
    pub fn df(mut self, df: f64) -> Result<Self> {
        self.df = Some(df);
        self.check().map(|()| self)
    }

    fn check(&self) -> Result<()> {
        let k = self.effects.len();
        if k == 0 || self.sizes.len() != k + 1 {
            return Err(Error::invalid(format!(
                "{k} differences and {} sizes; give a size for the control, first, and one for each difference",
                self.sizes.len()
            )));
        }
        if let Some(effect) = self.effects.iter().find(|d| !d.is_finite()) {
            return Err(Error::invalid(format!(
                "a standardised difference is {}; give finite numbers",
                number(*effect)
            )));
        }
        if let Some(size) = self.sizes.iter().find(|n| !(**n > 0.0 && n.is_finite())) {
            return Err(Error::invalid(format!(
                "a group of {} people; give positive numbers of people",
                number(*size)
            )));
        }
        match self.df {
            Some(df) if !(df >= 0.1 && df.is_finite()) => Err(Error::invalid(format!(
                "the degrees of freedom are {}; give a finite number from 0.1, or none for a known variance",
                number(df)
            ))),
            _ => Ok(()),
        }
    }

    fn loading(&self, i: usize) -> f64 {
        (self.sizes[i + 1] / (self.sizes[i + 1] + self.sizes[0])).sqrt()
    }

    /// The mean of each statistic.
    pub fn noncentralities(&self) -> Vec<f64> {
        let of = |(i, d): (usize, &f64)| d * self.loading(i) * self.sizes[0].sqrt();
        self.effects.iter().enumerate().map(of).collect()
    }

    /// The joint distribution of the statistics without effects.
    ///
    /// # Errors
    /// As [`MultivariateT::new`].
    pub fn joint(&self) -> Result<MultivariateT> {
        let k = self.effects.len();
        let correlation =
            Array2::from_shape_fn(
                (k, k),
                |(i, j)| {
                    if i == j { 1.0 } else { self.loading(i) * self.loading(j) }
                },
            );
        MultivariateT::new(correlation.view(), self.df)
    }

    /// Dunnett's critical value.
    ///
    /// # Errors
    /// As [`MultivariateT::critical_value`].
    pub fn critical_value(&self, test: TestLevel) -> Result<f64> {
        self.joint()?.critical_value(1.0 - test.alpha(), alternative(test))
    }

    /// The control's size over that of each other group that makes the variances of the comparisons least:
    /// `sqrt(k)`.
    pub fn optimal_control_ratio(groups: usize) -> f64 {
        (groups.max(1) as f64).sqrt()
    }

    /// The power of each comparison by itself, at Dunnett's critical value.
    ///
    /// # Errors
    /// As [`critical_value`](Self::critical_value).
    pub fn marginal_power(&self, test: TestLevel) -> Result<Vec<f64>> {
        let critical = self.critical_value(test)?;
        let both = alternative(test) == Alternative::TwoSided;
        self.noncentralities()
            .into_iter()
            .map(|mean| match self.df {
                None => Ok(beyond(critical, mean, 1.0, both)),
                Some(df) => {
                    let t = crate::compute::distribution::NoncentralT::new(df, mean)?;
                    Ok(t.sf(critical) + if both { t.cdf(-critical) } else { 0.0 })
                }
            })
            .collect()
    }

    /// The probability that at least one comparison is significant.
    ///
    /// # Errors
    /// As [`critical_value`](Self::critical_value).
    pub fn disjunctive_power(&self, test: TestLevel) -> Result<f64> {
        self.mixed(test, |rejects| -rejects.iter().map(|p| (-p.min(1.0)).ln_1p()).sum::<f64>().exp_m1())
    }

    /// The probability that all comparisons are significant.
    ///
    /// # Errors
    /// As [`critical_value`](Self::critical_value).
    pub fn conjunctive_power(&self, test: TestLevel) -> Result<f64> {
        self.mixed(test, |rejects| rejects.iter().product())
    }

    /// The mean of what independent rejections make, over the shared normal variable and the scale.
    fn mixed(&self, test: TestLevel, of: impl Fn(&[f64]) -> f64) -> Result<f64> {
        let critical = self.critical_value(test)?;
        let both = alternative(test) == Alternative::TwoSided;
        let k = self.effects.len();
        let loadings: Vec<(f64, f64)> =
            (0..k).map(|i| self.loading(i)).map(|l| (l, (1.0 - l * l).sqrt())).collect();
        let means = self.noncentralities();
        // The trapezoidal rule, as for the tail of the largest statistic.
        let growth: f64 = loadings.iter().map(|(l, rest)| (l / rest).powi(2)).sum();
        let step = (2.0 * PI * PI / (39.0 * (1.0 + growth))).sqrt();
        #[allow(clippy::cast_possible_truncation)] // some thousands
        let reach = (9.0 / step).ceil() as i32;
        let mut rejects = vec![0.0; k];
        let mut at_scale = |scale: f64| {
            let mut sum = 0.0;
            for place in -reach..=reach {
                let z = step * f64::from(place);
                for (i, (l, rest)) in loadings.iter().enumerate() {
                    rejects[i] = beyond(critical * scale, means[i] + l * z, *rest, both);
                }
                sum += of(&rejects) * (-0.5 * z * z).exp();
            }
            (sum * step / (2.0 * PI).sqrt()).min(1.0)
        };
        Ok(match self.df {
            None => at_scale(1.0),
            Some(df) => {
                let step = mixture_step(df, k as f64);
                chi_mixture(df, step, 0.0, |s| at_scale(s).max(f64::MIN_POSITIVE).ln()).exp().min(1.0)
            }
        })
    }
}

fn alternative(test: TestLevel) -> Alternative {
    if test.tails() == super::Tails::One { Alternative::Greater } else { Alternative::TwoSided }
}

/// The probability that a normal variable with this mean and standard deviation is above `c`, or outside `-c`
/// to `c`.
fn beyond(c: f64, mean: f64, sd: f64, both: bool) -> f64 {
    let upper = Normal.sf((c - mean) / sd);
    if both { upper + Normal.cdf((-c - mean) / sd) } else { upper }
}
