//! The distribution over all assignments without a list of them: by tables of counts where outcomes are events,
//! by the distribution of a sum where the statistic is one.

use super::assignments::{Assignments, Block};
use super::problem::{Parts, Problem};
use super::statistic::Statistic;

/// The most tables, and the most values of a sum, that are kept.
const MOST: usize = 1 << 20;

/// The most steps of the recursion for the distribution of a sum.
const STEPS: usize = 400_000_000;

/// Values below this share of their range apart are one.
const SAME: f64 = 1e-11;

/// The statistics of all tables or sums with their probabilities; none where there are too many.
pub(super) fn distribution(
    assignments: &Assignments,
    problem: &Problem,
    outcomes: &[Vec<f64>],
) -> Option<(Vec<f64>, Vec<f64>)> {
    let [outcome] = outcomes else { return None };
    let simple = matches!(
        problem.statistic,
        Statistic::DifferenceInMeans
            | Statistic::StudentizedDifference
            | Statistic::BlockedDifferenceInMeans
            | Statistic::BlockedStudentizedDifference
            | Statistic::AnovaF
    );
    let drawn = || problem.slots.units.iter().map(|&unit| outcome[unit as usize]);
    let events = assignments.unit.is_none() && drawn().all(|value| value == 0.0 || value == 1.0);
    (if simple && events { tables(assignments, problem, outcome) } else { None })
        .or_else(|| sums(assignments, problem))
}

/// The probabilities of each number of events among `n` of `of` people of whom `events` have one, from the least
/// possible number on.
fn hypergeometric(of: u32, events: u32, n: u32) -> (u32, Vec<f64>) {
    let low = (events + n).saturating_sub(of);
    let high = events.min(n);
    let [of, events, n] = [f64::from(of), f64::from(events), f64::from(n)];
    let ratio = |x: f64| (events - x) * (n - x) / ((x + 1.0) * (of - events - n + x + 1.0));
    let mode = (((events + 1.0) * (n + 1.0) / (of + 2.0)) as u32).clamp(low, high);
    let mut weights = vec![0.0; (high - low) as usize + 1];
    weights[(mode - low) as usize] = 1.0;
    for x in mode..high {
        weights[(x - low) as usize + 1] = weights[(x - low) as usize] * ratio(f64::from(x));
    }
    for x in (low..mode).rev() {
        weights[(x - low) as usize] = weights[(x - low) as usize + 1] / ratio(f64::from(x));
    }
    let total: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= total;
    }
    (low, weights)
}

/// The events of each group of a block in one table, with the probability of the table.
type Table = (Vec<u32>, f64);

fn tables_of(block: &Block, events: u32) -> Vec<Table> {
    let mut done: Vec<Table> = vec![(Vec::new(), 1.0)];
    let mut of: u32 = block.sizes.iter().sum();
    for &size in &block.sizes {
        let mut next = Vec::new();
        for (counts, probability) in done {
            let left = events - counts.iter().sum::<u32>();
            let (low, weights) = hypergeometric(of, left, size);
            for (x, weight) in (low..).zip(weights).filter(|(_, weight)| *weight > 0.0) {
                let mut counts = counts.clone();
                counts.push(x);
                next.push((counts, probability * weight));
            }
        }
        done = next;
        of -= size;
    }
    done
}

fn tables(assignments: &Assignments, problem: &Problem, outcome: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
    let events_of = |block: &Block| {
        let own = &problem.slots.units[block.slots.clone()];
        own.iter().filter(|&&unit| outcome[unit as usize] == 1.0).count() as u32
    };
    let mut most = 1_usize;
    for block in &problem.slots.blocks {
        // The last group that has people gets what the others leave.
        let free: Vec<u32> = block.sizes.iter().copied().filter(|size| *size > 0).collect();
        for size in &free[..free.len() - 1] {
            most = most.saturating_mul(size.min(&events_of(block)).saturating_add(1) as usize);
        }
        if most > MOST {
            return None;
        }
    }
    let groups = assignments.groups;
    let blocked = problem.statistic.is_blocked();
    let cells = if blocked { problem.slots.blocks.len() } else { 1 };
    let mut sums = vec![0.0; cells * groups];
    if !blocked {
        let held = (0..outcome.len()).filter(|&row| assignments.held[row] && !outcome[row].is_nan());
        held.for_each(|row| sums[assignments.group[row] as usize] += outcome[row]);
    }
    let all: Vec<Vec<Table>> =
        problem.slots.blocks.iter().map(|block| tables_of(block, events_of(block))).collect();
    let mut place = vec![0; all.len()];
    let (mut values, mut weights) = (Vec::new(), Vec::new());
    loop {
        let mut own = sums.clone();
        let mut weight = 1.0;
        for (block, (tables, &place)) in all.iter().zip(&place).enumerate() {
            let (counts, probability) = &tables[place];
            weight *= probability;
            let start = if blocked { block * groups } else { 0 };
            own[start..start + groups].iter_mut().zip(counts).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        values.extend(problem.of_sums(&own).into_iter().map(Parts::statistic));
        weights.push(weight);
        let Some(next) = (0..place.len()).find(|&block| place[block] + 1 < all[block].len()) else {
            return Some((values, weights));
        };
        place[..next].fill(0);
        place[next] += 1;
    }
}

/// A statistic that is a constant and a multiple of the sum over the treated of each block.
fn sums(assignments: &Assignments, problem: &Problem) -> Option<(Vec<f64>, Vec<f64>)> {
    let linear = problem.statistic.is_linear() || problem.statistic.is_of_ranks();
    let [treatment] = problem.treatments[..] else { return None };
    let values = &problem.outcomes[0].values;
    let whole = linear
        && !problem.statistic.is_least_squares()
        && values.len() == problem.slots.units.len()
        && problem.outcomes[0].complete
        && problem.slots.blocks.iter().all(|block| {
            let others = (0_u32..).zip(&block.sizes).filter(|(_, size)| **size > 0);
            others
                .map(|(group, _)| group)
                .eq([treatment.min(problem.control), treatment.max(problem.control)])
        });
    // Where no outcome varies, the statistic is the same for all assignments, but for rounding.
    let constant = |block: &Block| values[block.slots.clone()].windows(2).all(|pair| pair[0] == pair[1]);
    if !whole || problem.slots.blocks.iter().all(constant) {
        return None;
    }
    let blocked = problem.statistic.is_blocked();
    let cells = if blocked { problem.slots.blocks.len() } else { 1 };
    let columns = problem.of_held().len() / assignments.groups / cells;
    let column = problem.outcomes[0].place();
    let of = |sums: &[f64]| {
        let mut all = problem.of_held();
        for (number, (block, sum)) in problem.slots.blocks.iter().zip(sums).enumerate() {
            let cell = if blocked { number } else { 0 };
            let place = |group: u32| (cell * assignments.groups + group as usize) * columns + column;
            let total: f64 = values[block.slots.clone()].iter().sum();
            all[place(treatment)] += sum;
            all[place(problem.control)] += total - sum;
        }
        problem.of_sums(&all)[0].statistic()
    };
    let blocks = problem.slots.blocks.len();
    let zero = vec![0.0; blocks];
    let start = of(&zero);
    let mut all = vec![(start, 1.0)];
    for (number, block) in problem.slots.blocks.iter().enumerate() {
        let mut unit = zero.clone();
        unit[number] = 1.0;
        let slope = of(&unit) - start;
        let own = sum_of(&values[block.slots.clone()], block.sizes[treatment as usize] as usize)?;
        if all.len().saturating_mul(own.len()) > 8 * MOST {
            return None;
        }
        let mut next: Vec<(f64, f64)> = Vec::with_capacity(all.len() * own.len());
        for &(value, probability) in &all {
            next.extend(own.iter().map(|&(sum, weight)| (value + slope * sum, probability * weight)));
        }
        all = merged(next);
        if all.len() > MOST {
            return None;
        }
    }
    Some(all.into_iter().unzip())
}

/// Equal values as one.
fn merged(mut all: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let range = all.iter().fold(0.0_f64, |most, (value, _)| most.max(value.abs()));
    all.dedup_by(|next, kept| {
        let same = next.0 - kept.0 <= SAME * range;
        if same {
            kept.1 += next.1;
        }
        same
    });
    all
}

/// The distribution of the sum of `n` of these values, drawn without replacement.
fn sum_of(values: &[f64], n: usize) -> Option<Vec<(f64, f64)>> {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let base = least * n as f64;
    let (unit, steps) = lattice(values, least)?;
    let of = values.len();
    if steps.iter().all(|step| *step <= 1) {
        let events = steps.iter().sum::<usize>() as u32;
        let (low, weights) = hypergeometric(of as u32, events, n as u32);
        let own = (low..).zip(weights).filter(|(_, weight)| *weight > 0.0);
        return Some(own.map(|(x, weight)| (base + unit * f64::from(x), weight)).collect());
    }
    let mut sorted = steps.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    let range: usize = sorted[..n].iter().sum();
    if (n + 1).saturating_mul(range + 1).saturating_mul(of) > STEPS {
        return None;
    }
    // The probability of `chosen` units with this sum, unit by unit: each is taken with the share of what is left.
    let width = range + 1;
    let mut probability = vec![0.0; (n + 1) * width];
    probability[0] = 1.0;
    for (seen, &step) in steps.iter().enumerate() {
        for chosen in (0..=n.min(seen)).rev() {
            let take = (n - chosen) as f64 / (of - seen) as f64;
            for sum in 0..width {
                let own = probability[chosen * width + sum];
                if own > 0.0 {
                    if chosen < n && sum + step < width {
                        probability[(chosen + 1) * width + sum + step] += own * take;
                    }
                    probability[chosen * width + sum] = own * (1.0 - take).max(0.0);
                }
            }
        }
    }
    let last = &probability[n * width..];
    let own = last.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
    Some(own.map(|(sum, &weight)| (base + unit * sum as f64, weight)).collect())
}

/// A unit of which all distances to the least value are whole multiples, with the multiples.
fn lattice(values: &[f64], least: f64) -> Option<(f64, Vec<usize>)> {
    let distances: Vec<f64> = values.iter().map(|value| value - least).collect();
    let largest = distances.iter().copied().fold(0.0, f64::max);
    if largest == 0.0 {
        return Some((1.0, vec![0; values.len()]));
    }
    let smallest = distances.iter().copied().filter(|own| *own > 1e-9 * largest).fold(largest, f64::min);
    let parts = (1..=12).map(|part| smallest / f64::from(part));
    let decimals = (0..=6).flat_map(|power| [1.0, 0.5].map(|half| half / 10_f64.powi(power)));
    for unit in parts.chain(decimals) {
        let near = |own: &f64| (own / unit - (own / unit).round()).abs() <= 1e-7 && own / unit < 1e7;
        if distances.iter().all(near) {
            return Some((unit, distances.iter().map(|own| (own / unit).round() as usize).collect()));
        }
    }
    None
}
