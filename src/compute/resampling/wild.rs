// Places and counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use super::resamples::{ENUMERATED, check_replicates, stream};
use super::steps::PValueSteps;
use super::wild_draws::{Draw, Regressed};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::upper_tail;
use crate::compute::threads::in_parts;
use crate::error::{Error, Result, number};
use ndarray::ArrayView2;
use rand::RngExt;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The weights of clusters in a wild bootstrap: mean 0 and variance 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WildWeights {
    /// 1 or -1, alike likely.
    Rademacher,
    /// Six values: plus or minus the root of 1/2, 1 or 3/2 (Webb 2023). For few clusters: 6 of them give
    /// 46,656 draws where Rademacher's give 64.
    Webb,
    /// Two values that keep the third moment (Mammen 1993): `-(sqrt 5 - 1)/2` with probability
    /// `(sqrt 5 + 1)/(2 sqrt 5)`, else `(sqrt 5 + 1)/2`.
    Mammen,
}

impl WildWeights {
    /// The values with their probabilities.
    fn points(self) -> Vec<(f64, f64)> {
        let alike = |values: &[f64]| values.iter().map(|w| (*w, 1.0 / values.len() as f64)).collect();
        let (half, more) = (0.5_f64.sqrt(), 1.5_f64.sqrt());
        match self {
            Self::Rademacher => alike(&[1.0, -1.0]),
            Self::Webb => alike(&[1.0, -1.0, half, -half, more, -more]),
            Self::Mammen => {
                let root = 5.0_f64.sqrt();
                let p = (root + 1.0) / (2.0 * root);
                vec![(0.5 * (root + 1.0), 1.0 - p), (-0.5 * (root - 1.0), p)]
            }
        }
    }
}

impl fmt::Display for WildWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rademacher => "Rademacher",
            Self::Webb => "Webb",
            Self::Mammen => "Mammen",
        })
    }
}

/// The residuals that the weights of a wild bootstrap multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResidualsOf {
    /// Of the model in which the coefficient has the value of the hypothesis (the null imposed; WCR): the
    /// right choice for tests with few clusters.
    RestrictedModel,
    /// Of the model as it was fitted (WCU).
    FullModel,
}

/// The wild cluster bootstrap of a coefficient of a linear regression: for few clusters.
///
/// # Formula
/// `t = (b - b0) / se` with `se^2 = G/(G - 1) (n - 1)/(n - k)` times the squared cluster sums of scores (CR1),
/// in the sample and in each draw. A draw has one weight `w_g` for each cluster: `y* = fitted + w_g residual`.
/// With the null imposed fit and residuals are those at `b = b0`, and `t* = (b* - b0) / se*`; else
/// `t* = (b* - b) / se*`. The p-value is the share of draws with `|t*| >= |t|`; the interval holds the `b0`
/// that are not rejected. With the null imposed, every draw's statistic is the root of a ratio of two
/// quadratics in `b0`, so that its p-value is exact for all `b0` at once.
///
/// All draws are enumerated where there are at most 100,000 (`2^G`, or `6^G` of Webb's weights), or another
/// limit; else `draws` are drawn, and the sample itself counts as one more. Draw `i` of a seed comes from
/// stream `i` of ChaCha8.
///
/// # Assumptions
/// Clusters are independent of each other. With few treated clusters the restricted test rejects too rarely
/// and the unrestricted too often (MacKinnon & Webb 2017).
///
/// # Defaults
/// Rademacher weights, the null imposed, hypothesis 0, enumeration up to 100,000 draws, else 9,999 draws.
///
/// # Errors
/// `insufficient_observations` for fewer than two clusters; `invalid_input` for lengths that differ, numbers
/// that are not finite, and no or more than ten million draws; `not_estimable` for collinear columns;
/// `zero_variance` for a standard error of zero.
///
/// # Examples
/// ```
/// use armwise::ndarray::array;
/// use armwise::resampling::WildBootstrap;
///
/// let arm = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
/// let mut x = armwise::ndarray::Array2::ones((12, 2));
/// x.column_mut(1).assign(&armwise::ndarray::arr1(&arm));
/// let y = [3.0, 4.0, 5.0, 6.0, 8.0, 7.0, 2.0, 4.0, 3.0, 7.0, 5.0, 8.0];
/// let school = [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4];
/// let test = WildBootstrap::new(2_016).test(x.view(), &y, &school, 1)?;
/// assert!((test.estimate - 10.0 / 3.0).abs() < 1e-12);
/// // Four clusters have 16 draws, of which two are the sample itself: no p-value is below 1/8.
/// assert_eq!((test.draws, test.enumerated, test.p_value), (16, true, 0.125));
/// assert!(test.interval(0.95)?.lower() == f64::NEG_INFINITY);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Cameron, Gelbach & Miller (2008), Review of Economics and Statistics 90:414. Roodman, MacKinnon, Nielsen &
/// Webb (2019), Stata Journal 19:4. MacKinnon, Nielsen & Webb (2023), Journal of Econometrics 232:272. Webb
/// (2023), Canadian Journal of Economics 56:839. MacKinnon & Webb (2017), Journal of Applied Econometrics
/// 32:233.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WildBootstrap {
    weights: WildWeights,
    residuals: ResidualsOf,
    null_value: f64,
    enumerate_up_to: usize,
    draws: usize,
    seed: u64,
}

impl WildBootstrap {
    /// The defaults; the seed is without effect where all draws are enumerated.
    pub fn new(seed: u64) -> Self {
        Self {
            weights: WildWeights::Rademacher,
            residuals: ResidualsOf::RestrictedModel,
            null_value: 0.0,
            enumerate_up_to: ENUMERATED,
            draws: 9_999,
            seed,
        }
    }

    setters! {
        /// The weights of clusters; default Rademacher's.
        weights: WildWeights;
        /// The residuals; default those of the restricted model.
        residuals: ResidualsOf;
        /// The coefficient under the hypothesis; default 0.
        null_value: f64;
        /// The most draws that are enumerated; default 100,000.
        enumerate_up_to: usize;
        /// The number of draws where there are too many to enumerate; default 9,999.
        draws: usize;
    }

    /// Tests one coefficient of the least-squares regression of `y` on the columns of `x`, which holds the
    /// intercept if there is one; `clusters` are codes, equal codes being one cluster.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn test(
        &self,
        x: ArrayView2<f64>,
        y: &[f64],
        clusters: &[u32],
        coefficient: usize,
    ) -> Result<WildTest> {
        if !self.null_value.is_finite() {
            return Err(Error::invalid(format!(
                "the hypothesis is a coefficient of {}; give a finite number",
                number(self.null_value)
            )));
        }
        let regressed = Regressed::new(x, y, clusters, coefficient)?;
        let (draws, enumerated) = self.all_draws(&regressed)?;
        Ok(self.answer(&regressed, &draws, enumerated))
    }

    fn all_draws(&self, regressed: &Regressed) -> Result<(Vec<Draw>, bool)> {
        /// Draws that one thread takes at a time.
        const PART: usize = 256;
        let points = self.weights.points();
        let g = regressed.clusters;
        let total = (points.len() as f64).powi(i32::try_from(g).unwrap_or(i32::MAX));
        if total <= self.enumerate_up_to as f64 {
            let parts = in_parts(total as usize, PART, true, |part| {
                let mut weights = vec![0.0; g];
                let draw = |mut place: usize| {
                    let mut probability = 1.0;
                    for weight in &mut weights {
                        let (value, share) = points[place % points.len()];
                        place /= points.len();
                        *weight = value;
                        probability *= share;
                    }
                    regressed.draw(&weights, probability)
                };
                part.map(draw).collect::<Vec<_>>()
            });
            return Ok((parts.concat(), true));
        }
        check_replicates(self.draws)?;
        let probability = 1.0 / (self.draws as f64 + 1.0);
        let parts = in_parts(self.draws, PART, true, |part| {
            let mut weights = vec![0.0; g];
            let draw = |replicate: usize| {
                let mut numbers = stream(self.seed, replicate as u64);
                for weight in &mut weights {
                    *weight = match self.weights {
                        WildWeights::Mammen => {
                            let first = numbers.random::<f64>() < points[0].1;
                            points[usize::from(!first)].0
                        }
                        _ => points[numbers.random_range(0..points.len())].0,
                    };
                }
                regressed.draw(&weights, probability)
            };
            part.map(draw).collect::<Vec<_>>()
        });
        let mut draws = parts.concat();
        draws.push(regressed.draw(&vec![1.0; g], probability));
        Ok((draws, false))
    }

    fn answer(&self, regressed: &Regressed, draws: &[Draw], enumerated: bool) -> WildTest {
        let (estimate, se) = (regressed.estimate, regressed.se);
        let imposed = self.residuals == ResidualsOf::RestrictedModel;
        let t = (estimate - self.null_value) / se;
        let statistic = |draw: &Draw| if imposed { draw.statistic(-t) } else { draw.unrestricted() };
        let statistics: Vec<(f64, f64)> =
            draws.iter().map(|draw| (statistic(draw), draw.probability)).collect();
        let tie = 1e-9 * t.abs();
        let share = |counts: &dyn Fn(f64) -> bool| {
            let sum: f64 = statistics.iter().filter(|(value, _)| counts(*value)).map(|(_, p)| p).sum();
            sum.min(1.0)
        };
        let (less, greater) = (share(&|x| x <= t + tie), share(&|x| x >= t - tie));
        let equal_tailed = |a: f64, b: f64| (2.0 * a.min(b)).min(1.0);
        let places = |x: f64| estimate + se * x;
        let mut ends = Vec::new();
        let (mut before, mut itself) = (0.0, 0.0);
        for draw in draws {
            let ranges = if imposed {
                draw.ranges()
            } else {
                let size = draw.unrestricted().abs();
                Some(vec![(-size, size)])
            };
            match ranges {
                None => itself += draw.probability,
                Some(ranges) => {
                    for (low, high) in ranges {
                        if low.is_finite() {
                            ends.push((places(low), draw.probability));
                        } else {
                            before += draw.probability;
                        }
                        if high.is_finite() {
                            ends.push((places(high), -draw.probability));
                        }
                    }
                }
            }
        }
        WildTest {
            method: *self,
            estimate,
            se,
            statistic: t,
            clusters: regressed.clusters,
            draws: draws.len() - usize::from(!enumerated),
            enumerated,
            p_value: share(&|x| x.abs() >= t.abs() - tie),
            p_value_strict: share(&|x| x.abs() > t.abs() + tie),
            p_value_equal_tailed: equal_tailed(less, greater),
            p_value_equal_tailed_strict: equal_tailed(share(&|x| x < t - tie), share(&|x| x > t + tie)),
            p_value_less: less,
            p_value_greater: greater,
            steps: PValueSteps::of_ranges(ends.clone(), before + itself),
            steps_strict: PValueSteps::of_ranges(ends, before),
            statistics: if imposed { Vec::new() } else { statistics },
        }
    }
}

/// The result of [`WildBootstrap::test`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WildTest {
    /// By which conventions.
    pub method: WildBootstrap,
    /// The coefficient.
    pub estimate: f64,
    /// Its standard error (CR1).
    pub se: f64,
    /// `(estimate - null value) / se`.
    pub statistic: f64,
    /// The number of clusters.
    pub clusters: usize,
    /// The number of draws: all of them, or those that were drawn.
    pub draws: usize,
    /// Whether these were all.
    pub enumerated: bool,
    /// The share of draws with a statistic at least as large in absolute value. With the null imposed the
    /// draws with equal weights are the sample itself.
    pub p_value: f64,
    /// The share of draws with a larger one: the draws that are the sample itself do not count.
    pub p_value_strict: f64,
    /// Twice the smaller share to one side.
    pub p_value_equal_tailed: f64,
    /// The same without the draws that are the sample itself.
    pub p_value_equal_tailed_strict: f64,
    /// The share of draws with a statistic of at most that of the sample.
    pub p_value_less: f64,
    /// The share of draws with a statistic of at least that of the sample.
    pub p_value_greater: f64,
    /// The two-sided p-value of every hypothesis.
    pub steps: PValueSteps,
    /// The same without the draws that are the sample itself.
    pub steps_strict: PValueSteps,
    /// Where the null was not imposed: the statistic of each draw with its probability.
    statistics: Vec<(f64, f64)>,
}

impl WildTest {
    /// The smallest interval that holds every coefficient that is not rejected at `1 - level`.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        self.steps.interval(level)
    }

    /// The interval with equal tails, `b - t*_(high) se` to `b - t*_(low) se`, where the null was not imposed.
    ///
    /// # Errors
    /// A level that is not between 0 and 1; the null was imposed.
    pub fn equal_tailed_interval(&self, level: f64) -> Result<Interval> {
        let tail = upper_tail(level)?;
        let mut sorted = self.statistics.clone();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let end = |sorted: &[(f64, f64)]| {
            let mut sum = 0.0;
            let mut beyond = sorted.iter().skip_while(|(_, p)| {
                sum += p;
                sum <= tail + 1e-12
            });
            beyond.next().map(|(value, _)| *value)
        };
        let low = end(&sorted);
        sorted.reverse();
        match (low, end(&sorted)) {
            (Some(low), Some(high)) => {
                Interval::new(self.estimate - high * self.se, self.estimate - low * self.se)
            }
            _ => Err(Error::invalid(
                "an interval with equal tails belongs to residuals of the full model; take those, or the interval of the two-sided test",
            )),
        }
    }
}
