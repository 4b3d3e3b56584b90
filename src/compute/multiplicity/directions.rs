//! Directions that cover a sphere evenly, and the largest of several linear forms along them.

use crate::compute::distribution::Normal;
use crate::compute::linalg::SymmetricEigen;
use crate::compute::progress::Task;
use crate::compute::roots::root;
use crate::error::Step;
use ndarray::{Array2, ArrayView1, ArrayView2};

/// `L` with `L L'` the correlation, and as many columns as its rank.
pub(crate) fn factor(correlation: ArrayView2<f64>) -> Array2<f64> {
    let k = correlation.nrows();
    let eigen = SymmetricEigen::new(correlation);
    let kept: Vec<usize> = (0..k).filter(|&j| eigen.values[j] > 1e-9 * k as f64).collect();
    Array2::from_shape_fn((k, kept.len()), |(i, j)| {
        eigen.vectors[[i, kept[j]]] * eigen.values[kept[j]].max(0.0).sqrt()
    })
}

/// Calls `visit` with each of `count` directions in `rank` dimensions and its length, opposite directions
/// left out.
///
/// # Errors
/// The work was stopped.
pub(crate) fn each_direction(
    rank: usize,
    count: u32,
    mut visit: impl FnMut(&[f64], f64),
) -> Result<(), Step> {
    let mut direction = vec![0.0; rank];
    let task = Task::start("directions", u64::from(count));
    let mut visit = |direction: &[f64]| {
        let length = direction.iter().map(|x| x * x).sum::<f64>().sqrt();
        visit(direction, length);
        task.advance(1)
    };
    if rank == 2 {
        // Half a turn.
        for i in 0..count {
            let angle = std::f64::consts::PI * (f64::from(i) + 0.5) / f64::from(count);
            direction.copy_from_slice(&[libm::cos(angle), libm::sin(angle)]);
            visit(&direction)?;
        }
        return Ok(());
    }
    // The lattice of the generalised golden ratio: powers of 1 / g with g^(rank + 1) = g + 1.
    let golden = root(|g| g.powi(i32::try_from(rank + 1).unwrap_or(i32::MAX)) - g - 1.0, 1.0, 2.0);
    let mut steps = vec![0.0; rank];
    let mut power = 1.0;
    for step in &mut steps {
        power /= golden;
        *step = power;
    }
    for i in 1..=count {
        for (x, step) in direction.iter_mut().zip(&steps) {
            let place: f64 = (0.5 + f64::from(i) * step).fract();
            *x = Normal.quantile(place.clamp(1e-12, 1.0 - 1e-12));
        }
        visit(&direction)?;
    }
    Ok(())
}

/// The linear form of a row along a direction.
pub(crate) fn along(row: ArrayView1<f64>, direction: &[f64]) -> f64 {
    row.iter().zip(direction).map(|(l, u)| l * u).sum::<f64>()
}

/// Classes of near equal values, at most `most` of them: the share of each, and its mean.
pub(crate) fn classes(mut values: Vec<f64>, most: usize) -> Vec<(f64, f64)> {
    values.sort_unstable_by(f64::total_cmp);
    let size = values.len().div_ceil(most).max(1);
    let n = values.len() as f64;
    values
        .chunks(size)
        .map(|class| (class.len() as f64 / n, class.iter().sum::<f64>() / class.len() as f64))
        .collect()
}
