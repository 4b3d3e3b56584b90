use crate::error::{ErrorKind, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The correlation of the waves of a unit with which generalised estimating equations weight: a wrong one
/// costs precision, but with a robust variance no validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WorkingCorrelation {
    /// None: the estimates of the model without waves in common.
    Independence,
    /// One correlation of any two waves.
    Exchangeable,
    /// `alpha^d` at a distance of `d` waves.
    Autoregressive,
    /// Every pair of waves its own correlation.
    Unstructured,
}

impl WorkingCorrelation {
    /// All working correlations.
    pub const ALL: [Self; 4] =
        [Self::Independence, Self::Exchangeable, Self::Autoregressive, Self::Unstructured];
}

impl std::fmt::Display for WorkingCorrelation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Independence => "independence",
            Self::Exchangeable => "exchangeable",
            Self::Autoregressive => "AR(1)",
            Self::Unstructured => "unstructured",
        })
    }
}

/// How scale and working correlation are made from Pearson residuals. They differ in the second digit of a
/// correlation, and so in the coefficients, and every program has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CorrelationMoments {
    /// Sums divided by the number of residuals, and of pairs.
    #[default]
    Counts,
    /// Sums divided by these numbers less the number of coefficients.
    CountsLessCoefficients,
    /// Of [`WorkingCorrelation::Autoregressive`]: `alpha` from all pairs by least squares, `sum d alpha^(d-1)
    /// (e e' / phi - alpha^d) = 0`, instead of neighbouring waves alone; the scale divided by the number of
    /// residuals.
    AllPairs,
}

/// Pearson residuals by unit: places of waves, and residuals.
pub(super) type ByUnit<'a> = [(&'a [usize], &'a [f64])];

/// The scale and the parameters of a working correlation: none, one, or one for each pair of waves, (2, 1),
/// (3, 1), ..., (3, 2), ....
pub(super) fn moments(
    residuals: &ByUnit,
    correlation: WorkingCorrelation,
    moments: CorrelationMoments,
    numbers: &[u32],
    coefficients: usize,
) -> Result<(f64, Vec<f64>)> {
    let less = if moments == CorrelationMoments::CountsLessCoefficients { coefficients as f64 } else { 0.0 };
    let rows: usize = residuals.iter().map(|(_, own)| own.len()).sum();
    let squares: f64 = residuals.iter().flat_map(|(_, own)| own.iter()).map(|e| e * e).sum();
    let scale = squares / (rows as f64 - less);
    if !(scale > 0.0 && scale.is_finite()) {
        let why = "the outcomes are fitted without residual, or there are as many coefficients as outcomes, so that nothing shows their \
                   variance; leave covariates out";
        return Err(ErrorKind::ZeroVariance(why.to_owned()).into());
    }
    // Sums of products, and their numbers, by pair of waves.
    let t = numbers.len();
    let (mut sums, mut pairs) = (Array2::<f64>::zeros((t, t)), Array2::<f64>::zeros((t, t)));
    for (places, own) in residuals {
        for a in 0..places.len() {
            for b in 0..a {
                sums[[places[a], places[b]]] += own[a] * own[b];
                pairs[[places[a], places[b]]] += 1.0;
            }
        }
    }
    let below = || (0..t).flat_map(|b| (b + 1..t).map(move |a| (a, b)));
    let lag = |(a, b): (usize, usize)| numbers[a] - numbers[b];
    let ratio = |keep: &dyn Fn((usize, usize)) -> bool, what: &str| {
        let (sum, count) = below()
            .filter(|at| keep(*at))
            .fold((0.0, 0.0), |(sum, count), at| (sum + sums[at], count + pairs[at]));
        if count > less {
            return Ok(sum / ((count - less) * scale));
        }
        let why = format!(
            "too few units have outcomes in {what} for a working correlation; take WorkingCorrelation::Exchangeable, or \
             WorkingCorrelation::Independence"
        );
        Err(crate::error::Error::from(ErrorKind::InsufficientObservations(why)))
    };
    let parameters = match correlation {
        WorkingCorrelation::Independence => Vec::new(),
        WorkingCorrelation::Exchangeable => vec![ratio(&|_| true, "two waves")?],
        WorkingCorrelation::Autoregressive if moments == CorrelationMoments::AllPairs => {
            let pairs: Vec<(f64, f64, i32)> = below()
                .filter(|at| pairs[*at] > 0.0)
                .map(|at| (sums[at] / scale, pairs[at], lag(at).min(10_000).cast_signed()))
                .collect();
            vec![least_squares(&pairs)?]
        }
        WorkingCorrelation::Autoregressive => vec![ratio(&|at| lag(at) == 1, "neighbouring waves")?],
        WorkingCorrelation::Unstructured => below()
            .map(|at| {
                ratio(&|own| own == at, &format!("both wave {} and wave {}", numbers[at.1], numbers[at.0]))
            })
            .collect::<Result<_>>()?,
    };
    Ok((scale, parameters))
}

/// The root of `sum d a^(d-1) (s - n a^d)` nearest to the correlation of the closest waves, where the sum of
/// squares has its minimum.
fn least_squares(pairs: &[(f64, f64, i32)]) -> Result<f64> {
    let slope = |alpha: f64| -> f64 {
        pairs.iter().map(|(s, n, d)| f64::from(*d) * alpha.powi(d - 1) * (s - n * alpha.powi(*d))).sum()
    };
    let squares = |alpha: f64| -> f64 {
        pairs.iter().map(|(s, n, d)| alpha.powi(*d) * (n * alpha.powi(*d) - 2.0 * s)).sum()
    };
    let grid = |i: usize| -1.0 + 2.0 * i as f64 / 400.0;
    let best = (0..=400).map(grid).min_by(|a, b| squares(*a).total_cmp(&squares(*b))).unwrap_or(0.0);
    let (low, high) = ((best - 0.005).max(-1.0), (best + 0.005).min(1.0));
    if !(slope(low) >= 0.0 && slope(high) <= 0.0) {
        let why = "the working correlation of neighbouring waves is not between -1 and 1; take WorkingCorrelation::Exchangeable";
        return Err(ErrorKind::NotEstimable(why.to_owned()).into());
    }
    Ok(crate::compute::roots::root(slope, low, high))
}

/// The working correlation over waves.
pub(super) fn matrix(correlation: WorkingCorrelation, parameters: &[f64], numbers: &[u32]) -> Array2<f64> {
    let t = numbers.len();
    let mut matrix = Array2::eye(t);
    let mut next = parameters.iter();
    for b in 0..t {
        for a in b + 1..t {
            let value = match correlation {
                WorkingCorrelation::Independence => 0.0,
                WorkingCorrelation::Exchangeable => parameters[0],
                WorkingCorrelation::Autoregressive => {
                    parameters[0].powi((numbers[a] - numbers[b]).min(10_000).cast_signed())
                }
                WorkingCorrelation::Unstructured => next.next().copied().unwrap_or(0.0),
            };
            (matrix[[a, b]], matrix[[b, a]]) = (value, value);
        }
    }
    matrix
}
