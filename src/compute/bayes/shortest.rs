//! The shortest interval of a unimodal distribution.

use crate::compute::interval::Interval;
use crate::compute::reference_distribution::upper_tail;
use crate::compute::roots::root;
use crate::error::Result;

/// What the search needs to know of a distribution.
pub(super) trait Continuous {
    fn density(&self, x: f64) -> f64;
    fn lower_quantile(&self, p: f64) -> f64;
    fn upper_tail_quantile(&self, p: f64) -> f64;
}

/// The interval of the given probability at whose ends the densities agree, or that begins or ends with the
/// support.
pub(super) fn shortest(distribution: &impl Continuous, level: f64) -> Result<Interval> {
    let outside = 2.0 * upper_tail(level)?;
    let ends = |below: f64| {
        (distribution.lower_quantile(below), distribution.upper_tail_quantile((outside - below).max(0.0)))
    };
    let excess = |below: f64| {
        let (lower, upper) = ends(below);
        let at = |x: f64| if x.is_finite() { distribution.density(x) } else { 0.0 };
        at(lower) - at(upper)
    };
    let below = if excess(0.0) >= 0.0 {
        0.0
    } else if excess(outside) <= 0.0 {
        outside
    } else {
        root(excess, 0.0, outside)
    };
    let (lower, upper) = ends(below);
    Ok(Interval::between(lower, upper))
}
