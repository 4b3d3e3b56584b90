//! Boundaries that hold a level.

use super::motion::Motion;
use super::{Rule, Spending};
use crate::compute::distribution::Normal;
use crate::compute::roots::root;
use crate::error::{Error, Result, number};

/// No bound is further out, in standard deviations: beyond it nothing is spent.
pub(super) const FURTHEST: f64 = 37.0;

/// The bounds of a look on the scale of z, lower and upper.
pub(super) type Bounds = [f64; 2];

/// The step from a look to the one after it.
pub(super) fn step_after(looks: &[f64], k: usize) -> Option<f64> {
    looks.get(k + 1).map(|next| next - looks[k])
}

/// A look's bounds on the scale of B.
pub(super) fn scaled([lower, upper]: Bounds, t: f64) -> [f64; 2] {
    [lower * t.sqrt(), upper * t.sqrt()]
}

/// The z that a motion exceeds at `time` with this probability.
pub(super) fn bound_above(motion: &Motion, time: f64, probability: f64) -> f64 {
    bound(probability, |z| motion.above(time, z * time.sqrt()))
}

/// The z that a motion is below at `time` with this probability.
pub(super) fn bound_below(motion: &Motion, time: f64, probability: f64) -> f64 {
    -bound(probability, |z| motion.below(time, -z * time.sqrt()))
}

/// The z with this tail, which falls in z.
fn bound(probability: f64, tail: impl Fn(f64) -> f64) -> f64 {
    if probability <= 0.0 {
        return FURTHEST;
    }
    // Differences of logarithms are nearly a line.
    let excess = |z: f64| tail(z).max(f64::MIN_POSITIVE).ln() - probability.ln();
    if excess(FURTHEST) >= 0.0 {
        return FURTHEST;
    }
    if excess(-FURTHEST) <= 0.0 {
        return -FURTHEST;
    }
    root(excess, -FURTHEST, FURTHEST)
}

/// Upper bounds by a rule, with `alpha` in the upper tail. `lowers` are the bounds below, minus infinity
/// where there is none; `symmetric` bounds are mirrored instead.
pub(super) fn upper_bounds(
    looks: &[f64],
    rule: Rule,
    alpha: f64,
    symmetric: bool,
    lowers: Option<&[f64]>,
) -> Result<Vec<f64>> {
    rule.check()?;
    match rule {
        Rule::Spending(spending) => Ok(by_spending(looks, spending, alpha, lowers)),
        Rule::HaybittlePeto { early } => {
            let mut early = vec![early; looks.len() - 1];
            let motion = continued(looks, &early, symmetric, lowers);
            let spent: f64 = exits_above(looks, &early, symmetric, lowers);
            let both = if symmetric { 2.0 } else { 1.0 };
            let left = both * alpha - spent;
            if left <= 0.0 {
                return Err(Error::invalid(format!(
                    "bounds of {} at the early looks spend {}, all of the level; give a wider bound, such as 3",
                    number(early.first().copied().unwrap_or(0.0)),
                    number(spent)
                )));
            }
            let last = last_bound(&motion, left, symmetric);
            early.push(last);
            Ok(early)
        }
        Rule::OBrienFleming | Rule::Pocock | Rule::WangTsiatis { .. } => {
            let power = rule.exponent();
            let bounds = |c: f64| -> Vec<f64> { looks.iter().map(|t| c * t.powf(power)).collect() };
            let both = if symmetric { 2.0 } else { 1.0 };
            let excess = |c: f64| {
                let exits = exits_above(looks, &bounds(c), symmetric, lowers);
                exits.max(f64::MIN_POSITIVE).ln() - (both * alpha).ln()
            };
            // One look alone, and all looks as if they were independent.
            let low = Normal.upper_quantile(alpha);
            let mut high = low.max(0.1) + 1.0;
            while excess(high) > 0.0 && high < FURTHEST {
                high += 1.0;
            }
            Ok(bounds(if looks.len() == 1 { low } else { root(excess, low, high) }))
        }
    }
}

fn by_spending(looks: &[f64], spending: Spending, alpha: f64, lowers: Option<&[f64]>) -> Vec<f64> {
    let mut motion = Motion::from(0.0, 0.0, 0.0);
    let (mut uppers, mut spent) = (Vec::with_capacity(looks.len()), 0.0);
    for (k, &t) in looks.iter().enumerate() {
        let now = spending.spent(alpha, t);
        let upper = bound_above(&motion, t, now - spent);
        spent = now;
        uppers.push(upper);
        let lower = lowers.map_or(f64::NEG_INFINITY, |lowers| lowers[k]);
        motion = motion.within(t, scaled([lower, upper], t), step_after(looks, k));
    }
    uppers
}

/// The lower and upper bound of look `k`.
pub(super) fn bounds_of(uppers: &[f64], symmetric: bool, lowers: Option<&[f64]>, k: usize) -> Bounds {
    let lower = if symmetric { -uppers[k] } else { lowers.map_or(f64::NEG_INFINITY, |lowers| lowers[k]) };
    [lower, uppers[k]]
}

/// The motion without drift that has passed the looks that have bounds.
fn continued(looks: &[f64], uppers: &[f64], symmetric: bool, lowers: Option<&[f64]>) -> Motion {
    let mut motion = Motion::from(0.0, 0.0, 0.0);
    for k in 0..uppers.len() {
        let bounds = scaled(bounds_of(uppers, symmetric, lowers, k), looks[k]);
        motion = motion.within(looks[k], bounds, step_after(looks, k));
    }
    motion
}

/// The probability without drift to cross the upper bounds, or either of symmetric ones.
fn exits_above(looks: &[f64], uppers: &[f64], symmetric: bool, lowers: Option<&[f64]>) -> f64 {
    let mut motion = Motion::from(0.0, 0.0, 0.0);
    let mut exits = 0.0;
    for k in 0..uppers.len() {
        let bounds = scaled(bounds_of(uppers, symmetric, lowers, k), looks[k]);
        exits += motion.above(looks[k], bounds[1]);
        if symmetric {
            exits += motion.below(looks[k], bounds[0]);
        }
        if k + 1 < uppers.len() {
            motion = motion.within(looks[k], bounds, step_after(looks, k));
        }
    }
    exits
}

/// The last bound, at the information fraction 1, that spends what is left.
fn last_bound(motion: &Motion, left: f64, symmetric: bool) -> f64 {
    let of = if symmetric { 0.5 * left } else { left };
    bound_above(motion, 1.0, of)
}
