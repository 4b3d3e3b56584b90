//! Random numbers of the distributions that imputation needs.

use crate::compute::distribution::{ChiSquared, Normal};
use crate::error::Result;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A number strictly between 0 and 1.
pub(super) fn uniform(numbers: &mut ChaCha8Rng) -> f64 {
    (numbers.random::<f64>() + 0.5_f64.powi(54)).min(1.0 - f64::EPSILON)
}

pub(super) fn normal(numbers: &mut ChaCha8Rng) -> f64 {
    Normal.quantile(uniform(numbers))
}

/// A standard normal number between two limits; the nearer one where nothing lies between them.
pub(super) fn normal_between(numbers: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    // The smaller tail keeps its digits.
    if low > 0.0 {
        return -normal_between(numbers, -high, -low);
    }
    let (below, above) = (Normal.cdf(low), Normal.cdf(high));
    if above - below < 1e-290 {
        return high;
    }
    Normal.quantile(below + uniform(numbers) * (above - below)).clamp(low, high)
}

pub(super) fn chi_squared(numbers: &mut ChaCha8Rng, df: f64) -> Result<f64> {
    Ok(ChiSquared::new(df)?.quantile(uniform(numbers)))
}

/// One of so many places.
pub(super) fn place(numbers: &mut ChaCha8Rng, n: usize) -> usize {
    numbers.random_range(0..n)
}

/// A place with these probabilities.
pub(super) fn place_by(numbers: &mut ChaCha8Rng, probabilities: &[f64]) -> usize {
    let mut rest = uniform(numbers) * probabilities.iter().sum::<f64>();
    for (place, p) in probabilities.iter().enumerate() {
        rest -= p;
        if rest < 0.0 {
            return place;
        }
    }
    probabilities.iter().rposition(|p| *p > 0.0).unwrap_or(0)
}

/// A Poisson number; a large mean is the sum of smaller ones.
pub(super) fn poisson(numbers: &mut ChaCha8Rng, mean: f64) -> f64 {
    const MOST: f64 = 400.0;
    let parts = (mean / MOST).ceil().max(1.0);
    let share = mean / parts;
    let mut total = 0.0;
    let mut part = 0.0;
    while part < parts {
        part += 1.0;
        let target = uniform(numbers);
        let (mut k, mut p) = (0.0, (-share).exp());
        let mut sum = p;
        // Beyond this the rest of the sum is rounding.
        while sum < target && k < share + 40.0 * (share + 1.0).sqrt() + 40.0 {
            k += 1.0;
            p *= share / k;
            sum += p;
        }
        total += k;
    }
    total
}
