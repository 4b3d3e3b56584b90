//! The exact power of Fisher's test: every table counted.

use super::sizes::whole_above;
use super::{GroupSizes, Tails, TestLevel};
use crate::compute::distribution::{Binomial, Hypergeometric};
use crate::compute::progress::Task;
use crate::error::{Error, Result, number};

/// More tables than are counted in some seconds.
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
    let level = test.alpha() * (1.0 + 1e-12);
    let more = treated >= control;
    let task = Task::start("margins", n1 + n0 + 1);
    let mut power = 0.0;
    for events in 0..=n1 + n0 {
        let given = Hypergeometric::new(n1, n0, events)?;
        let start = usize::try_from(given.min()).unwrap_or(usize::MAX);
        let events = usize::try_from(events).unwrap_or(usize::MAX);
        let likely: Vec<f64> = (given.min()..=given.max()).map(|x| given.pmf(x)).collect();
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
    let mut order: Vec<usize> = (0..likely.len()).collect();
    order.sort_by(|&i, &j| likely[i].total_cmp(&likely[j]));
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
