use super::waves::{Pattern, dependent};
use crate::compute::linalg::{Cholesky, submatrix, symmetrised};
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The likelihood by which means and covariance of waves are fitted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WavesLikelihood {
    /// Restricted maximum likelihood. The default.
    #[default]
    Restricted,
    /// Maximum likelihood: the covariance has the number of people as its divisor.
    Full,
}

/// The normal model of waves with one unstructured covariance.
#[derive(Debug, Clone)]
pub(super) struct WavesModel {
    /// Waves by columns of the design.
    pub beta: Array2<f64>,
    pub covariance: Array2<f64>,
}

/// What the likelihood says at a covariance.
struct At {
    beta: Array2<f64>,
    value: f64,
    /// The derivative with respect to the covariance, each element as if free.
    slope: Array2<f64>,
    /// The inverse covariance of each pattern, in the places of all waves.
    inverses: Vec<Array2<f64>>,
}

/// The inverse of the covariance of some waves, in the places of all, with its log-determinant.
fn inverse_of(covariance: &Array2<f64>, observed: &[usize]) -> Option<(Array2<f64>, f64)> {
    let factor = Cholesky::new(submatrix(covariance.view(), observed).view())
        .filter(|factor| factor.smallest_pivot > 1e-12)?;
    let inverse = factor.inverse();
    let mut out = Array2::zeros(covariance.dim());
    for (a, &j) in observed.iter().enumerate() {
        for (b, &k) in observed.iter().enumerate() {
            out[[j, k]] = inverse[[a, b]];
        }
    }
    Some((out, factor.ln_determinant()))
}

impl WavesModel {
    /// The maximum, by Fisher scoring, from the covariance of `start` where one is given.
    pub(super) fn fit(
        patterns: &[Pattern],
        likelihood: WavesLikelihood,
        start: Option<&Self>,
    ) -> Result<Self> {
        let waves = patterns.first().map_or(0, |one| one.yy.nrows());
        let mut covariance = match start {
            Some(model) => model.covariance.clone(),
            None => first(patterns, waves)?,
        };
        let mut at = evaluate(patterns, &covariance, likelihood)?.ok_or_else(degenerate)?;
        let places: Vec<[usize; 2]> = (0..waves).flat_map(|j| (j..waves).map(move |k| [j, k])).collect();
        for _ in 0..500 {
            let step = scoring_step(patterns, &at, &places)?;
            let size = |matrix: &Array2<f64>| {
                places
                    .iter()
                    .map(|&[j, k]| matrix[[j, k]].abs() / (covariance[[j, j]] * covariance[[k, k]]).sqrt())
                    .fold(0.0, f64::max)
            };
            let length = size(&step);
            if length < 1e-13 {
                return Ok(Self { beta: at.beta, covariance });
            }
            let mut share = 1.0;
            let next = loop {
                let tried = symmetrised(&covariance + &(&step * share));
                let next = evaluate(patterns, &tried, likelihood)?;
                let least = at.value - 1e-12 * (1.0 + at.value.abs());
                if let Some(next) = next.filter(|next| next.value >= least) {
                    covariance = tried;
                    break Some(next);
                }
                share *= 0.5;
                if share < 1e-10 {
                    break None;
                }
            };
            match next {
                Some(next) => at = next,
                // Nothing is left to gain but rounding.
                None if length < 1e-6 => return Ok(Self { beta: at.beta, covariance }),
                None => break,
            }
            if length < 1e-11 {
                return Ok(Self { beta: at.beta, covariance });
            }
        }
        let why =
            "the covariance of the waves was not found; leave out a wave that few people answered".to_owned();
        Err(ErrorKind::NotConverged(why).into())
    }
}

fn degenerate() -> crate::Error {
    let why = "the outcomes of the waves follow from each other or from arms and covariates, so that their covariance cannot be inverted; \
               leave out a wave";
    ErrorKind::ZeroVariance(why.to_owned()).into()
}

/// Residual variances of least squares of each wave alone.
fn first(patterns: &[Pattern], waves: usize) -> Result<Array2<f64>> {
    let p = patterns.first().map_or(0, |one| one.xx.nrows());
    let mut start = Array2::zeros((waves, waves));
    for j in 0..waves {
        let (mut xx, mut xy, mut yy, mut n) =
            (Array2::<f64>::zeros((p, p)), Array1::<f64>::zeros(p), 0.0, 0.0);
        for one in patterns.iter().filter(|one| one.observed.contains(&j)) {
            xx += &one.xx;
            xy += &one.xy.column(j);
            yy += one.yy[[j, j]];
            n += one.n;
        }
        let factor =
            Cholesky::new(xx.view()).filter(|factor| factor.smallest_pivot > 1e-12).ok_or_else(dependent)?;
        let rest = (yy - xy.dot(&factor.solve(xy.view()))) / n;
        if n <= p as f64 {
            let why = "a wave has no more answers than its model has coefficients; leave out the wave or a covariate";
            return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
        }
        if !(rest > 1e-13 * yy / n && rest > 0.0) {
            return Err(degenerate());
        }
        start[[j, j]] = rest;
    }
    Ok(start)
}

/// The likelihood, its derivative and the means at a covariance; `None` where that is none.
fn evaluate(
    patterns: &[Pattern],
    covariance: &Array2<f64>,
    likelihood: WavesLikelihood,
) -> Result<Option<At>> {
    let waves = covariance.nrows();
    let p = patterns.first().map_or(0, |one| one.xx.nrows());
    let mut inverses = Vec::with_capacity(patterns.len());
    let (mut normal, mut right) =
        (Array2::<f64>::zeros((waves * p, waves * p)), Array1::<f64>::zeros(waves * p));
    let mut value = 0.0;
    for one in patterns {
        let Some((inverse, ln_determinant)) = inverse_of(covariance, &one.observed) else { return Ok(None) };
        value -= 0.5 * one.n * ln_determinant;
        for &j in &one.observed {
            for &k in &one.observed {
                let w = inverse[[j, k]];
                for c in 0..p {
                    for d in 0..p {
                        normal[[j * p + c, k * p + d]] += w * one.xx[[c, d]];
                    }
                    right[j * p + c] += w * one.xy[[c, k]];
                }
            }
        }
        inverses.push(inverse);
    }
    let factor =
        Cholesky::new(normal.view()).filter(|factor| factor.smallest_pivot > 1e-12).ok_or_else(dependent)?;
    let solved = factor.solve(right.view());
    let beta = Array2::from_shape_fn((waves, p), |(j, c)| solved[j * p + c]);
    let spread = (likelihood == WavesLikelihood::Restricted).then(|| {
        value -= 0.5 * factor.ln_determinant();
        factor.inverse()
    });
    let mut slope = Array2::<f64>::zeros((waves, waves));
    for (one, inverse) in patterns.iter().zip(&inverses) {
        let fitted = beta.dot(&one.xy);
        // Residual products, which are read at the answered waves alone.
        let mut rest = &one.yy - &fitted - fitted.t() + &beta.dot(&one.xx).dot(&beta.t());
        value -= 0.5 * (inverse * &rest).sum();
        if let Some(spread) = &spread {
            for &j in &one.observed {
                for &k in &one.observed {
                    let mut sum = 0.0;
                    for c in 0..p {
                        for d in 0..p {
                            sum += spread[[j * p + c, k * p + d]] * one.xx[[c, d]];
                        }
                    }
                    rest[[j, k]] += sum;
                }
            }
        }
        slope += &((inverse.dot(&rest).dot(inverse) - inverse * one.n) * 0.5);
    }
    Ok(value.is_finite().then_some(At { beta, value, slope, inverses }))
}

/// The step of Fisher scoring with the expected information of the full likelihood.
fn scoring_step(patterns: &[Pattern], at: &At, places: &[[usize; 2]]) -> Result<Array2<f64>> {
    let size = places.len();
    // The places of an element and its mirror.
    let both = |[j, k]: [usize; 2]| if j == k { vec![[j, k]] } else { vec![[j, k], [k, j]] };
    let mut information = Array2::<f64>::zeros((size, size));
    for (one, inverse) in patterns.iter().zip(&at.inverses) {
        for (a, &first) in places.iter().enumerate() {
            for (b, &second) in places.iter().enumerate().take(a + 1) {
                let mut sum = 0.0;
                for [j, k] in both(first) {
                    for [l, m] in both(second) {
                        sum += inverse[[m, j]] * inverse[[k, l]];
                    }
                }
                information[[a, b]] += 0.5 * one.n * sum;
            }
        }
    }
    for a in 0..size {
        for b in a + 1..size {
            information[[a, b]] = information[[b, a]];
        }
    }
    let score: Array1<f64> =
        places.iter().map(|&place| both(place).iter().map(|&[j, k]| at.slope[[j, k]]).sum::<f64>()).collect();
    let Some(factor) = Cholesky::new(information.view()) else {
        let why = "nobody answered two of the waves together, so that their covariance is not known; leave out one of them";
        return Err(ErrorKind::NotEstimable(why.to_owned()).into());
    };
    let solved = factor.solve(score.view());
    let waves = at.slope.nrows();
    let mut step = Array2::zeros((waves, waves));
    for (value, &[j, k]) in solved.iter().zip(places) {
        step[[j, k]] = *value;
        step[[k, j]] = *value;
    }
    Ok(step)
}
