//! Newton's method with exact second derivatives, damped so that every step rises.

use super::jet::Jet;

/// A maximum.
#[derive(Debug, Clone, Copy)]
pub struct Peak<const D: usize> {
    /// Its place.
    pub point: [f64; D],
    /// Value, gradient and Hessian there.
    pub(super) jet: Jet<D>,
    /// Whether the search ended there.
    pub converged: bool,
}

/// Below this decrement a full step is taken without a comparison of values, which rounding would decide.
const NEAR: f64 = 1e-9;
/// The parameters are then within 1e-11 standard errors.
const DONE: f64 = 1e-22;
const MOST_STEPS: usize = 200;
const MOST_DAMPING: f64 = 1e15;

/// The lower triangular `L` of `m = L L'`; `None` unless `m` is positive definite.
pub fn cholesky<const D: usize>(m: &[[f64; D]; D]) -> Option<[[f64; D]; D]> {
    let mut lower = [[0.0; D]; D];
    for i in 0..D {
        for j in 0..=i {
            let done: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
            let rest = m[i][j] - done;
            if i != j {
                lower[i][j] = rest / lower[j][j];
            } else if rest > 1e-14 * m[i][i].abs() && rest.is_finite() {
                lower[i][i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(lower)
}

/// `(L L')^-1 b`.
pub fn solve<const D: usize>(lower: &[[f64; D]; D], b: &[f64; D]) -> [f64; D] {
    let mut x = *b;
    for i in 0..D {
        let done: f64 = (0..i).map(|k| lower[i][k] * x[k]).sum();
        x[i] = (x[i] - done) / lower[i][i];
    }
    for i in (0..D).rev() {
        let done: f64 = (i + 1..D).map(|k| lower[k][i] * x[k]).sum();
        x[i] = (x[i] - done) / lower[i][i];
    }
    x
}

/// The rise that a Newton step promises, doubled; `None` where the function is not concave.
fn decrement_of<const D: usize>(jet: &Jet<D>) -> Option<f64> {
    let lower = cholesky(&jet.hessian.map(|row| row.map(|h| -h)))?;
    Some(solve(&lower, &jet.gradient).iter().zip(&jet.gradient).map(|(s, g)| s * g).sum())
}

fn is_finite<const D: usize>(jet: &Jet<D>) -> bool {
    jet.value.is_finite()
        && jet.gradient.iter().all(|g| g.is_finite())
        && jet.hessian.iter().flatten().all(|h| h.is_finite())
}

/// The local maximum of `f` that a rising path from `start` leads to; `None` where `f` is not finite at
/// `start`. The path ends early, not converged, where a coordinate exceeds `limit`.
pub fn maximise<const D: usize>(
    start: [f64; D],
    limit: f64,
    mut f: impl FnMut(&[f64; D]) -> Jet<D>,
) -> Option<Peak<D>> {
    let mut point = start;
    let mut jet = f(&point);
    let (mut damping, mut polished) = (0.0_f64, 0);
    if !is_finite(&jet) {
        return None;
    }
    let mut decrement = f64::INFINITY;
    for _ in 0..MOST_STEPS {
        let mut steps = None;
        while steps.is_none() && damping < MOST_DAMPING {
            let mut curvature = jet.hessian.map(|row| row.map(|h| -h));
            for (i, row) in curvature.iter_mut().enumerate() {
                row[i] += damping * (row[i].abs() + 1e-8);
            }
            steps = cholesky(&curvature).map(|lower| solve(&lower, &jet.gradient));
            if steps.is_none() {
                damping = (10.0 * damping).max(1e-3);
            }
        }
        let Some(step) = steps else { break };
        let promised: f64 = step.iter().zip(&jet.gradient).map(|(s, g)| s * g).sum();
        decrement = promised.max(0.0);
        if decrement <= DONE || polished > 3 {
            break;
        }
        let mut next = point;
        next.iter_mut().zip(step).for_each(|(x, s)| *x += s);
        let there = f(&next);
        let near = decrement < NEAR && damping == 0.0;
        let rises = there.value >= jet.value + 1e-4 * promised;
        // Where counts are huge, rounding hides the last rises; the slope still shows them.
        let flattens = || decrement < 1e-3 && decrement_of(&there).is_some_and(|d| d < 0.25 * decrement);
        if is_finite(&there) && (rises || near || flattens()) {
            (point, jet) = (next, there);
            polished += usize::from(near);
            damping = if damping < 1e-3 { 0.0 } else { 0.1 * damping };
            if point.iter().any(|x| x.abs() > limit) {
                return Some(Peak { point, jet, converged: false });
            }
        } else if damping >= MOST_DAMPING {
            break;
        } else {
            damping = (8.0 * damping).max(1e-2);
        }
    }
    Some(Peak { point, jet, converged: decrement < NEAR })
}
