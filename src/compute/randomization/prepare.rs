//! What can be asked of a design, and the values that are summed for it.

use super::assignments::{Assignments, Block, Slots};
use super::statistic::Statistic;
use crate::error::{Error, ErrorKind, Result, counted};

/// Refuses a statistic that these assignments do not have.
pub(super) fn check(
    assignments: &Assignments,
    statistic: Statistic,
    outcomes: &[Vec<f64>],
    covariates: &[Vec<f64>],
    treatments: &[u32],
    control: u32,
) -> Result<()> {
    let rows = assignments.rows();
    if outcomes.is_empty() || treatments.is_empty() {
        return Err(Error::invalid("a test needs an outcome and a treatment; give at least one of each"));
    }
    for column in outcomes.iter().chain(covariates) {
        if column.len() != rows {
            return Err(Error::invalid(format!(
                "{} for {}; give one for each row",
                counted(column.len(), "value"),
                counted(rows, "row")
            )));
        }
        if column.iter().any(|value| value.is_infinite()) {
            return Err(Error::invalid("a value is infinite; give numbers, and NaN for missing outcomes"));
        }
    }
    if covariates.iter().flatten().any(|value| value.is_nan()) {
        return Err(Error::invalid("a covariate is missing; leave the row out, or the covariate"));
    }
    if !covariates.is_empty() && !statistic.is_least_squares() {
        return Err(Error::invalid(format!(
            "the {} takes no covariates; take a coefficient of least squares",
            statistic.words()
        )));
    }
    if statistic.is_of_clusters() && !assignments.clustered() {
        return Err(Error::invalid(
            "the means of clusters need clusters; name them, or take the difference in means",
        ));
    }
    let sizes = assignments.units_of_groups();
    for &group in treatments.iter().chain([&control]) {
        if sizes.get(group as usize).is_none_or(|size| *size == 0) {
            let why = format!("nobody is in group {group}; take groups that have rows");
            return Err(ErrorKind::EmptyArm(why).into());
        }
    }
    if let Some(same) = treatments.iter().find(|treatment| **treatment == control) {
        return Err(Error::invalid(format!("group {same} is compared with itself; name another control")));
    }
    if statistic.is_of_ranks() && assignments.clustered() {
        return Err(Error::invalid(
            "rank sums are of rows that are assigned one by one; take the means of clusters",
        ));
    }
    check_blocks(assignments, statistic, outcomes, treatments, control)
}

/// Refuses blocks without a treatment or the control, and pairs that are none.
fn check_blocks(
    assignments: &Assignments,
    statistic: Statistic,
    outcomes: &[Vec<f64>],
    treatments: &[u32],
    control: u32,
) -> Result<()> {
    if !statistic.is_blocked() {
        return Ok(());
    }
    if statistic.is_paired() && outcomes.iter().flatten().any(|value| value.is_nan()) {
        return Err(Error::invalid("an outcome of a pair is missing; leave the pair out"));
    }
    let blocks = assignments.block.iter().max().map_or(0, |block| *block as usize + 1);
    let mut sizes = vec![0_usize; blocks * assignments.groups];
    for (&block, &group) in assignments.block.iter().zip(&assignments.group) {
        sizes[block as usize * assignments.groups + group as usize] += 1;
    }
    for (block, sizes) in sizes.chunks_exact(assignments.groups).enumerate() {
        if sizes.iter().all(|size| *size == 0) {
            continue;
        }
        for &group in treatments.iter().chain([&control]) {
            let size = sizes[group as usize];
            if size == 0 {
                return Err(Error::from(ErrorKind::Incompatible(format!(
                    "block {block} has nobody in group {group}, so that it has no difference; leave the block out, or take a \
                     statistic that does without blocks"
                ))));
            }
            if statistic.is_paired() && size != 1 {
                return Err(Error::invalid(format!(
                    "block {block} has {} in group {group}, but a pair is one treated and one control; take a statistic \
                     of blocks",
                    counted(size, "unit")
                )));
            }
        }
    }
    Ok(())
}

/// Outcomes about their mean with their sum of squares; whole numbers that fit a byte stay as they are.
pub(super) fn centred(values: &[f64]) -> (Vec<f64>, f64) {
    let seen = || values.iter().filter(|value| !value.is_nan());
    let mean = seen().sum::<f64>() / (seen().count() as f64).max(1.0);
    let scale = seen().map(|value| (value - mean).powi(2)).sum();
    if seen().all(|value| (0.0..=15.0).contains(value) && value.fract() == 0.0) {
        return (values.to_vec(), scale);
    }
    (values.iter().map(|value| value - mean).collect(), scale)
}

/// The mean of every cluster where the statistic is of clusters; else the outcomes.
pub(super) fn of_clusters(outcome: &[f64], assignments: &Assignments, statistic: Statistic) -> Vec<f64> {
    let (true, Some(unit)) = (statistic.is_of_clusters(), &assignments.unit) else {
        return outcome.to_vec();
    };
    let mut sums = vec![(0.0, 0.0); assignments.group.len()];
    for (&unit, &value) in unit.iter().zip(outcome).filter(|(_, value)| !value.is_nan()) {
        let sum = &mut sums[unit as usize];
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    sums.iter().map(|(sum, n)| sum / n).collect()
}

/// Midranks of the members about their mean, over `n_b + 1` within blocks; NaN elsewhere.
pub(super) fn ranked(outcome: &[f64], block: &[u32], members: &[bool], statistic: Statistic) -> Vec<f64> {
    let blocked = statistic == Statistic::VanElteren;
    let mut order: Vec<usize> =
        (0..outcome.len()).filter(|&row| members[row] && !outcome[row].is_nan()).collect();
    let of = |row: usize| if blocked { block[row] } else { 0 };
    order.sort_by(|&i, &j| (of(i).cmp(&of(j))).then(outcome[i].total_cmp(&outcome[j])));
    let mut ranks = vec![f64::NAN; outcome.len()];
    for rows in order.chunk_by(|&i, &j| of(i) == of(j)) {
        let n = rows.len() as f64;
        let mut before = 0.0;
        for tied in rows.chunk_by(|&i, &j| outcome[i] == outcome[j]) {
            let rank = before + f64::midpoint(tied.len() as f64, 1.0) - f64::midpoint(n, 1.0);
            for &row in tied {
                ranks[row] = if blocked { rank / (n + 1.0) } else { rank };
            }
            before += tied.len() as f64;
        }
    }
    ranks
}

/// The number of units of each group in each cell.
pub(super) fn fixed(slots: &Slots, assignments: &Assignments, statistic: Statistic) -> Vec<f64> {
    if !statistic.is_blocked() {
        return assignments.units_of_groups().iter().map(|&size| size as f64).collect();
    }
    slots.blocks.iter().flat_map(|block| block.sizes.iter().map(|&size| f64::from(size))).collect()
}

/// The ranks of the absolute differences of pairs, zero where the difference is zero.
pub(super) fn signed_ranks(slots: &Slots, values: &[f64]) -> Vec<f64> {
    let difference = |block: &Block| {
        let of = |slot: usize| values[slots.units[slot] as usize];
        (of(block.slots.start) - of(block.slots.start + 1)).abs()
    };
    let differences: Vec<f64> = slots.blocks.iter().map(difference).collect();
    let largest = differences.iter().copied().fold(0.0, f64::max);
    // Differences of decimals that are equal on paper are tied.
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * largest;
    let mut order: Vec<usize> =
        (0..differences.len()).filter(|&pair| !same(differences[pair], 0.0)).collect();
    order.sort_by(|&i, &j| differences[i].total_cmp(&differences[j]));
    let mut ranks = vec![0.0; differences.len()];
    let mut before = 0.0;
    for tied in order.chunk_by(|&i, &j| same(differences[i], differences[j])) {
        let rank = before + f64::midpoint(tied.len() as f64, 1.0);
        for &pair in tied {
            ranks[pair] = rank;
        }
        before += tied.len() as f64;
    }
    ranks
}
