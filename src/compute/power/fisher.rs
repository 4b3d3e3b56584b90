//! The exact power of Fisher's test: every table counted.

use super::sizes::whole_above;
use super::{GroupSizes, Tails, TestLevel};
use crate::compute::distribution::{Binomial, Hypergeometric};
use crate::compute::progress::Task;
use crate::error::{Error, Result, number};

/// More tables than are counted in a second.
const MOST_TABLES: f64 = 2.5e7;
/// Tables as likely as the observed one, but for rounding errors.
const TIES: f64 = 1.0 + 1e-7;

/// The probability of a table with a p-value of at most alpha. One-sided tests look in the direction of the
/// effect.
pub(super) fn power(treated: f64, control: f64, sizes: GroupSizes, test: TestLevel) -> Result<f64> {
    let whole = |size: f64| {
        if size.fract() == 0.0 && size < MOST_TABLES {
            Ok(whole_above(size))
        } else {
            Err(Error::invalid(format!(
                "a group of {} people; the exact power needs whole people, fewer than 25 million",
                number(size)
            )))
        }
    };
    let (n1, n0) = (whole(sizes.treated())?, whole(sizes.control())?);
    let tables = (n1 + 1) as f64 * (n0 + 1) as f64;
    if tables > MOST_TABLES {
        return Err(Error::invalid(format!(
            "groups of {n1} and {n0} have more tables than are counted (25 million); take the continuity-corrected formula"
        )));
    }
    let masses = |n: u64, p: f64| -> Result<Vec<f64>> {
        let binomial = Binomial::new(n, p)?;
        Ok((0..=n).map(|x| binomial.pmf(x)).collect())
    };
    let (mass1, mass0) = (masses(n1, treated)?, masses(n0, control)?);
    let (seen1, seen0) = (seen(&mass1), seen(&mass0));
    let level = test.alpha() * (1.0 + 1e-12);
    let more = treated >= control;
    let margins = seen1[0] + seen0[0]..=seen1[1] + seen0[1];
    let task = Task::start("margins", (margins.end() - margins.start() + 1) as u64);
    let mut power = 0.0;
    for events in margins {
        let given = Hypergeometric::new(n1, n0, events as u64)?;
        let start = usize::try_from(given.min()).unwrap_or(usize::MAX);
        let likely = probabilities(&given, [n1, n0, events as u64]);
        let rejects = match test.tails() {
            Tails::One => one_sided(&likely, level, more),
            Tails::Both => two_sided(&likely, level),
            // Half of alpha in the tail of the effect.
            Tails::Nearer => one_sided(&likely, 0.5 * level, more),
        };
        for (place, _) in rejects.iter().enumerate().filter(|(_, rejects)| **rejects) {
            let x = start + place;
            power += mass1[x] * mass0[events - x];
        }
        task.advance(1)?;
    }
    Ok(power.min(1.0))
}

/// The first and the last count that is not beyond all doubt: the others have less than 1e-18 together.
fn seen(masses: &[f64]) -> [usize; 2] {
    let likely = |mass: &f64| *mass * masses.len() as f64 > 1e-19;
    let first = masses.iter().position(likely).unwrap_or(0);
    [first, masses.iter().rposition(likely).unwrap_or(masses.len() - 1)]
}

/// The probability of every table with these margins, from the most likely one outward by their ratios.
fn probabilities(given: &Hypergeometric, [n1, n0, events]: [u64; 3]) -> Vec<f64> {
    let (min, max) = (given.min(), given.max());
    // The count at `x + 1` over that at `x`.
    let ratio = |x: u64| {
        let [x, n1, n0, events] = [x, n1, n0, events].map(|n| n as f64);
        (n1 - x) * (events - x) / ((x + 1.0) * (n0 - events + x + 1.0))
    };
    let mode = ((n1 + 1) as f64 * (events + 1) as f64 / (n1 + n0 + 2) as f64).floor();
    let mode = whole_above(mode).clamp(min, max);
    let middle = given.pmf(mode);
    let mut below: Vec<f64> = (min..mode)
        .rev()
        .scan(middle, |p, x| {
            *p /= ratio(x);
            Some(*p)
        })
        .collect();
    below.reverse();
    below.push(middle);
    below.extend((mode..max).scan(middle, |p, x| {
        *p *= ratio(x);
        Some(*p)
    }));
    below
}

fn one_sided(likely: &[f64], level: f64, more: bool) -> Vec<bool> {
    let mut rejects = vec![false; likely.len()];
    let mut tail = 0.0;
    for step in 0..likely.len() {
        let place = if more { likely.len() - 1 - step } else { step };
        tail += likely[place];
        if tail > level {
            break;
        }
        rejects[place] = true;
    }
    rejects
}

fn two_sided(likely: &[f64], level: f64) -> Vec<bool> {
    // They rise to the most likely one and fall from there, so that the least likely is always at an end.
    let (mut low, mut high) = (0, likely.len());
    let order: Vec<usize> = std::iter::from_fn(|| {
        if low == high {
            return None;
        }
        if likely[low] <= likely[high - 1] {
            low += 1;
            return Some(low - 1);
        }
        high -= 1;
        Some(high)
    })
    .collect();
    let mut rejects = vec![false; likely.len()];
    let (mut sum, mut next) = (0.0, 0);
    for &place in &order {
        while next < order.len() && likely[order[next]] <= likely[place] * TIES {
            sum += likely[order[next]];
            next += 1;
        }
        if sum > level {
            break;
        }
        rejects[place] = true;
    }
    rejects
}
