use super::adjustment::running_maximum;
use super::{Alternative, Integration, MultivariateT};
use crate::compute::interval::Interval;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// Estimates with their joint covariance: simultaneous intervals and adjusted p-values from their joint
/// distribution (Dunnett's procedure, max-t).
///
/// # Formula
///
/// With estimates `b` (k), covariance `V` (k x k, squared units of the estimates) and null values `b0`, the
/// statistics are `t_i = (b_i - b0_i) / sqrt(V_ii)`, multivariate t ([`MultivariateT`]) with the correlation
/// of `V` and the degrees of freedom given, normal without. For two-sided tests:
///
/// - single step: `p_i = P(max |T_j| > |t_i|)` over all j;
/// - step-down: the statistics are ordered, the largest first, and the r-th is compared with the maximum of
///   those from r on; its p-value is that, or the one before it where that is larger;
/// - intervals: `b_i -+ c sqrt(V_ii)` with `P(max |T_j| > c) = 1 - level`. They exclude the null value
///   exactly where the single-step p-value is below `1 - level`, and hold together.
///
/// One-sided tests use the signed maximum, and give bounds. Null values of a margin make simultaneous tests
/// of non-inferiority.
///
/// # Assumptions
///
/// The estimates are jointly normal, with one estimate of scale where there are degrees of freedom.
///
/// # Examples
///
/// Three measures against a control group of 925:
/// ```
/// use armwise::multiplicity::{Alternative, Contrasts};
/// use armwise::ndarray::array;
///
/// let differences = [0.060, 0.039, 0.019];
/// let shared = 1.5e-4;
/// let covariance = array![
///     [3.4e-4, shared, shared],
///     [shared, 3.3e-4, shared],
///     [shared, shared, 3.2e-4]
/// ];
/// let contrasts = Contrasts::new(&differences, covariance.view(), None)?;
/// let together = contrasts.simultaneous(Alternative::TwoSided, 0.95)?;
/// assert!(together.critical_value > 1.96 && together.critical_value < 2.394);
/// let [first, second, _] = &together.contrasts[..] else { unreachable!() };
/// assert!(first.single_step < 3.0 * first.p_value && !first.interval.contains(0.0));
/// assert!(second.step_down < second.single_step);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Dunnett (1955), JASA 50:1096. Dunnett & Tamhane (1991), Statistics in Medicine 10:939 (step-down).
/// Hothorn, Bretz & Westfall (2008), Biometrical Journal 50:346.
#[derive(Debug, Clone)]
pub struct Contrasts {
    estimates: Vec<f64>,
    null_values: Vec<f64>,
    se: Vec<f64>,
    correlation: Array2<f64>,
    distribution: MultivariateT,
}

/// One of several contrasts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SimultaneousContrast {
    /// The estimate.
    pub estimate: f64,
    /// Its standard error.
    pub se: f64,
    /// The estimate less its null value, over its standard error.
    pub statistic: f64,
    /// The p-value of the contrast by itself.
    pub p_value: f64,
    /// The p-value adjusted in one step, which belongs to the interval.
    pub single_step: f64,
    /// The p-value adjusted in steps down: never larger, and without an interval of its own.
    pub step_down: f64,
    /// The simultaneous interval; a bound where the test is one-sided.
    pub interval: Interval,
}

/// Intervals and p-values that hold for several contrasts together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SimultaneousInference {
    /// The alternative of all tests.
    pub alternative: Alternative,
    /// The level at which all intervals hold together.
    pub level: f64,
    /// The degrees of freedom; `None` for the normal distribution.
    pub df: Option<f64>,
    /// The critical value of the statistics; negative for `Less`.
    pub critical_value: f64,
    /// How the joint probabilities were computed.
    pub integration: Integration,
    /// The contrasts, in the order given.
    pub contrasts: Vec<SimultaneousContrast>,
}

impl Contrasts {
    /// The contrasts with these estimates, their covariance (k x k), and the degrees of freedom of their
    /// scale; `None` for normal statistics. Null values are 0.
    ///
    /// # Errors
    /// `invalid_input` for none, for numbers that are not finite, for a covariance that is not k x k or
    /// belongs to no estimates, and for degrees of freedom below 0.1; `zero_variance` for a contrast without
    /// variance.
    pub fn new(estimates: &[f64], covariance: ArrayView2<f64>, df: Option<f64>) -> Result<Self> {
        let k = estimates.len();
        if k == 0 {
            return Err(Error::invalid("there are no contrasts; give at least one estimate"));
        }
        if covariance.dim() != (k, k) {
            return Err(Error::invalid(format!(
                "the covariance is {} x {} for {}; give a row and a column for each",
                covariance.nrows(),
                covariance.ncols(),
                counted(k, "estimate")
            )));
        }
        if !estimates.iter().chain(covariance.iter()).all(|value| value.is_finite()) {
            return Err(Error::invalid(
                "an estimate or covariance is not finite; leave out contrasts that have no answer",
            ));
        }
        if let Some(i) = (0..k).find(|&i| covariance[[i, i]] <= 0.0) {
            return Err(ErrorKind::ZeroVariance(format!(
                "contrast {} has the variance {}; leave it out of the family",
                i + 1,
                number(covariance[[i, i]])
            ))
            .into());
        }
        let se: Vec<f64> = covariance.diag().iter().map(|v| v.sqrt()).collect();
        let entry = |i: usize, j: usize| {
            if i == j { 1.0 } else { (covariance[[i, j]] / se[i] / se[j]).clamp(-1.0 - 1e-6, 1.0 + 1e-6) }
        };
        let correlation = Array2::from_shape_fn((k, k), |(i, j)| {
            let r = entry(i, j);
            // Rounding of a perfect correlation.
            if (r.abs() - 1.0).abs() < 1e-9 { r.signum() } else { r }
        });
        let distribution = MultivariateT::new(correlation.view(), df)?;
        Ok(Self { estimates: estimates.to_vec(), null_values: vec![0.0; k], se, correlation, distribution })
    }

    /// The same, tested against this value of every contrast, such as a margin of non-inferiority.
    ///
    /// # Errors
    /// `invalid_input` for a value that is not finite.
    pub fn against(mut self, null_value: f64) -> Result<Self> {
        if !null_value.is_finite() {
            return Err(Error::invalid(format!(
                "the null value is {}; give a finite number",
                number(null_value)
            )));
        }
        self.null_values.fill(null_value);
        Ok(self)
    }

    /// The number of contrasts.
    pub fn len(&self) -> usize {
        self.estimates.len()
    }

    /// Never true: there is at least one contrast.
    pub fn is_empty(&self) -> bool {
        self.estimates.is_empty()
    }

    /// The statistics.
    pub fn statistics(&self) -> Vec<f64> {
        (0..self.len()).map(|i| (self.estimates[i] - self.null_values[i]) / self.se[i]).collect()
    }

    /// The correlation of the estimates (k x k).
    pub fn correlation(&self) -> ArrayView2<'_, f64> {
        self.correlation.view()
    }

    /// The joint distribution of the statistics where all null values are true, for closed tests and power.
    pub fn distribution(&self) -> &MultivariateT {
        &self.distribution
    }

    /// The p-value of an intersection of contrasts, counted from 0: that none of them differs from its null
    /// value. It is the test to close ([`closed_test`](super::closed_test)).
    ///
    /// # Errors
    /// `invalid_input` for none, and for a place that does not exist.
    pub fn intersection(&self, places: &[usize], alternative: Alternative) -> Result<f64> {
        let distribution = self.distribution.subset(places)?;
        let t = self.statistics();
        Ok(distribution.tail_of_maximum(farthest(&t, places, alternative), alternative)?.probability)
    }

    /// The intervals that hold together at this level, with single-step and step-down p-values.
    ///
    /// # Errors
    /// `invalid_input` for a level that is not between 0 and 1.
    pub fn simultaneous(&self, alternative: Alternative, level: f64) -> Result<SimultaneousInference> {
        let critical_value = self.distribution.critical_value(level, alternative)?;
        let t = self.statistics();
        let two_sided = alternative == Alternative::TwoSided;
        let outward = |i: usize| match alternative {
            Alternative::TwoSided => t[i].abs(),
            Alternative::Greater => t[i],
            Alternative::Less => -t[i],
        };
        let mut order: Vec<usize> = (0..t.len()).collect();
        order.sort_by(|&i, &j| outward(j).total_cmp(&outward(i)));
        let steps = self.distribution.steps(&order, &t, alternative)?;
        let mut integration = Integration::Quadrature;
        let mut note = |one: Integration| {
            let error = |integration| match integration {
                Integration::Quadrature => -1.0,
                Integration::Lattice { error } => error,
            };
            if error(one) > error(integration) {
                integration = one;
            }
        };
        let mut step_down = vec![0.0; t.len()];
        let values = running_maximum(steps.iter().map(|(p, _)| *p));
        for ((value, &i), (_, one)) in values.iter().zip(&order).zip(&steps) {
            step_down[i] = *value;
            note(*one);
        }
        let mut contrasts = Vec::with_capacity(t.len());
        for (i, &statistic) in t.iter().enumerate() {
            let from = if two_sided { statistic.abs() } else { statistic };
            let single = self.distribution.tail_of_maximum(from, alternative)?;
            note(single.integration);
            let p_value = self.distribution.single(statistic, alternative);
            let (estimate, se) = (self.estimates[i], self.se[i]);
            let bound = estimate - critical_value * se;
            contrasts.push(SimultaneousContrast {
                estimate,
                se,
                statistic,
                p_value,
                single_step: single.probability,
                // What holds without rounding.
                step_down: step_down[i].max(p_value).min(single.probability),
                interval: match alternative {
                    Alternative::TwoSided => Interval::between(bound, estimate + critical_value * se),
                    Alternative::Greater => Interval::between(bound, f64::INFINITY),
                    Alternative::Less => Interval::between(f64::NEG_INFINITY, bound),
                },
            });
        }
        let df = self.distribution.df();
        Ok(SimultaneousInference { alternative, level, df, critical_value, integration, contrasts })
    }
}

/// The statistic that is farthest out.
fn farthest(t: &[f64], places: &[usize], alternative: Alternative) -> f64 {
    let chosen = places.iter().map(|&i| t[i]);
    match alternative {
        Alternative::TwoSided => chosen.fold(0.0, |most, t| most.max(t.abs())),
        Alternative::Greater => chosen.fold(f64::NEG_INFINITY, f64::max),
        Alternative::Less => chosen.fold(f64::INFINITY, f64::min),
    }
}
