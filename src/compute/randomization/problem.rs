//! The statistics of one assignment after the other.

use super::assignments::{Assignments, Slots};
use super::counts::Counts;
use super::least_squares::LeastSquares;
use super::prepare::{centred, check, fixed, of_clusters, ranked, signed_ranks};
use super::ranks::Ranks;
use super::statistic::{BlockWeights, Statistic};
use super::stream::{Drawn, LANES};
use super::sums::{CellSums, Columns};
use crate::error::Result;

/// Spreads below this share of the spread of all outcomes are rounding.
const ROUNDING: f64 = 1e-13;

/// What is asked of every assignment: a statistic of every outcome and every treatment.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub statistic: Statistic,
    pub slots: Slots,
    pub treatments: Vec<u32>,
    pub control: u32,
    pub outcomes: Vec<Outcome>,
    pub weights: BlockWeights,
    columns: Columns,
    /// The same by counts, where outcomes have two values.
    pub counts: Option<Counts>,
    observed_sums: Vec<f64>,
    count: usize,
    model: Option<LeastSquares>,
    /// Ranks are taken anew where other groups are drawn too.
    ranks: Option<Ranks>,
    rows: Vec<u32>,
    group: Vec<u32>,
    groups: usize,
}

/// Where the sums of an outcome stand among the columns.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// The values of the units that are drawn, by slot, as they are summed; none where a unit is several rows.
    pub values: Vec<f64>,
    /// Whether every unit that is drawn has a value.
    pub complete: bool,
    number: Number,
    sum: usize,
    squares: usize,
    /// The sum of squares of all outcomes about their mean.
    scale: f64,
    /// The ranks of the absolute differences of pairs.
    signed: Vec<f64>,
}

#[derive(Debug, Clone)]
enum Number {
    /// `[cell * groups + group]`.
    Fixed(Vec<f64>),
    Column(usize),
}

impl Outcome {
    /// The place of its sum among the columns.
    pub(super) fn place(&self) -> usize {
        self.sum
    }
}

/// Number, sum and sum of squares of a group in a cell.
#[derive(Clone, Copy)]
struct Moments {
    n: f64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn mean(self) -> f64 {
        self.sum / self.n
    }

    /// The variance of the mean; none with one row.
    fn variance(self, rounding: f64) -> Option<f64> {
        if self.n < 1.5 {
            return None;
        }
        let spread = self.squares - self.sum * self.sum / self.n;
        Some(if spread <= rounding { 0.0 } else { spread / (self.n - 1.0) / self.n })
    }
}

/// `value / sqrt(variance)`: 0/0 is 0, and x/0 infinite.
pub(super) fn over_root(value: f64, variance: f64, rounding: f64) -> f64 {
    if variance > 0.0 {
        value / variance.sqrt()
    } else if value.abs() <= rounding {
        0.0
    } else {
        value.signum() * f64::INFINITY
    }
}

/// A value with its variance where the statistic divides by its root.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub value: f64,
    pub variance: Option<f64>,
    /// Values below it are zero.
    pub rounding: f64,
}

impl Parts {
    pub(super) fn statistic(self) -> f64 {
        match self.variance {
            None => self.value,
            Some(variance) => over_root(self.value, variance, self.rounding),
        }
    }

    pub(super) const UNANSWERED: Self = Self { value: f64::NAN, variance: None, rounding: 0.0 };
}

/// Room for the sums of sixteen assignments.
pub(super) struct Scratch {
    sums: Vec<f64>,
    lane: Vec<f64>,
    group: Vec<u32>,
}

impl Problem {
    /// Of outcomes by row (NaN where missing) and covariates by row.
    #[allow(clippy::too_many_lines)]
    pub(super) fn new(
        assignments: &Assignments,
        statistic: Statistic,
        outcomes: &[Vec<f64>],
        covariates: &[Vec<f64>],
        treatments: &[u32],
        control: u32,
    ) -> Result<Self> {
        let slots = assignments.slots();
        let groups = assignments.groups;
        let observed = assignments.observed();
        check(assignments, statistic, outcomes, covariates, treatments, control)?;
        let units = assignments.group.len();
        let alone = statistic.is_of_clusters() || assignments.unit.is_none();
        let block_of_row: Vec<u32> = assignments.of_rows(&assignments.block);
        let cells: Vec<std::ops::Range<usize>> = if statistic.is_blocked() {
            slots.blocks.iter().map(|block| block.slots.clone()).collect()
        } else {
            vec![0..slots.units.len(); 1]
        };
        let all_drawn = slots.blocks.iter().flat_map(|block| block.sizes.iter().zip(0_u32..));
        let exchanged = |group: u32| group == control || treatments == [group];
        let others = all_drawn.clone().any(|(size, group)| *size > 0 && !exchanged(group));
        let ranks = (statistic.is_of_ranks() && (others || treatments.len() > 1))
            .then(|| Ranks::new(outcomes, &block_of_row, statistic));

        // The columns by unit, their sums over held units, and where each outcome finds its own.
        let mut by_unit: Vec<Vec<f64>> = Vec::new();
        let mut found = Vec::new();
        let model =
            if statistic.is_least_squares() { Some(LeastSquares::new(outcomes, covariates)?) } else { None };
        for (place, outcome) in outcomes.iter().enumerate() {
            let (values, scale) = match &model {
                Some(model) => (model.residuals[place].clone(), 0.0),
                None if statistic.is_of_ranks() && ranks.is_none() => {
                    let members: Vec<bool> = observed.iter().map(|&group| exchanged(group)).collect();
                    (ranked(outcome, &block_of_row, &members, statistic), 0.0)
                }
                None => centred(&of_clusters(outcome, assignments, statistic)),
            };
            let sum = |weight: &dyn Fn(f64) -> f64| {
                let mut sums = vec![0.0; units];
                if statistic.is_of_clusters() {
                    // Means of clusters stand at the units already.
                    sums.iter_mut().zip(&values).for_each(|(sum, &value)| *sum = weight(value));
                    return sums;
                }
                for (row, &value) in values.iter().enumerate() {
                    let unit = assignments.unit.as_ref().map_or(row, |unit| unit[row] as usize);
                    sums[unit] += weight(value);
                }
                sums
            };
            let seen = |value: f64| if value.is_nan() { 0.0 } else { value };
            let n = sum(&|value| f64::from(u8::from(!value.is_nan())));
            let own = sum(&seen);
            let n_of_unit = n.clone();
            // Units that keep another group are in no difference.
            let apart = |held: bool| held && statistic != Statistic::AnovaF;
            let number = if n.iter().zip(&assignments.held).all(|(&n, &held)| n == 1.0 || apart(held)) {
                Number::Fixed(fixed(&slots, assignments, statistic))
            } else {
                by_unit.push(n);
                Number::Column(by_unit.len() - 1)
            };
            let complete = slots.units.iter().all(|&unit| n_of_unit[unit as usize] > 0.0);
            let signed =
                if statistic == Statistic::SignedRank { signed_ranks(&slots, &own) } else { Vec::new() };
            let squares = sum(&|value| seen(value) * seen(value));
            let needs_squares = statistic.is_studentized() && !statistic.is_paired() && model.is_none();
            let same = squares == own;
            let kept: Vec<f64> = slots.units.iter().map(|&unit| own[unit as usize]).collect();
            by_unit.push(own);
            let at = by_unit.len() - 1;
            if needs_squares && !same {
                by_unit.push(squares);
            }
            found.push(Outcome {
                values: if alone { kept } else { Vec::new() },
                complete,
                number,
                sum: at,
                squares: by_unit.len() - 1,
                scale,
                signed,
            });
        }
        if let Some(model) = &model {
            for column in &model.basis {
                let mut sums = vec![0.0; units];
                for (row, value) in column.iter().enumerate() {
                    sums[assignments.unit.as_ref().map_or(row, |unit| unit[row] as usize)] += value;
                }
                by_unit.push(sums);
            }
        }
        let count = by_unit.len();
        let mut held = vec![0.0; cells.len() * groups * count];
        let mut observed_sums = held.clone();
        if !statistic.is_blocked() {
            for unit in (0..units).filter(|&unit| assignments.held[unit]) {
                let start = assignments.group[unit] as usize * count;
                for (sum, column) in held[start..start + count].iter_mut().zip(&by_unit) {
                    *sum += column[unit];
                }
            }
            observed_sums.copy_from_slice(&held);
        }
        for (cell, range) in cells.iter().enumerate() {
            for &unit in &slots.units[range.clone()] {
                let start = (cell * groups + assignments.group[unit as usize] as usize) * count;
                for (sum, column) in observed_sums[start..start + count].iter_mut().zip(&by_unit) {
                    *sum += column[unit as usize];
                }
            }
        }
        let by_slot =
            |column: &Vec<f64>| slots.units.iter().map(|&unit| column[unit as usize]).collect::<Vec<f64>>();
        let by_slot: Vec<Vec<f64>> = by_unit.iter().map(by_slot).collect();
        let counts = Counts::new(&slots, &cells, &by_slot);
        let columns = Columns::new(cells, groups, by_slot, held);
        let mut slot = vec![u32::MAX; units];
        (0_u32..).zip(&slots.units).for_each(|(place, &unit)| slot[unit as usize] = place);
        let rows = assignments.of_rows(&slot);
        let mut problem = Self {
            statistic,
            slots,
            treatments: treatments.to_vec(),
            control,
            outcomes: found,
            weights: BlockWeights::default(),
            columns,
            counts: None,
            observed_sums,
            count,
            model,
            ranks,
            rows,
            group: observed,
            groups,
        };
        problem.counts = counts.filter(|_| !problem.needs_groups());
        Ok(problem)
    }

    /// The number of values of an assignment: treatments, and within each the outcomes.
    pub(super) fn width(&self) -> usize {
        let treatments = if self.statistic == Statistic::AnovaF { 1 } else { self.treatments.len() };
        treatments * self.outcomes.len()
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            sums: vec![0.0; self.columns.len() * LANES],
            lane: vec![0.0; self.columns.len()],
            group: self.group.clone(),
        }
    }

    /// The values of the observed assignment.
    pub(super) fn observed(&self) -> Vec<Parts> {
        self.parts(&self.observed_sums, &self.group)
    }

    /// Values of the observed assignment from sums given by hand, cell by cell and group by group.
    pub(super) fn of_sums(&self, sums: &[f64]) -> Vec<Parts> {
        self.parts(sums, &self.group)
    }

    /// Sums of units that are held, to which those of an assignment are added.
    pub(super) fn of_held(&self) -> Vec<f64> {
        self.columns.held().to_vec()
    }

    /// The sums of the sixteen draws of this number, by counts.
    pub(super) fn draw_counts(&self, counts: &Counts, scratch: &mut Scratch, seed: u64, sixteen: u64) {
        counts.draw(seed, sixteen, self.groups, self.columns.held(), &mut scratch.sums);
    }

    /// The values of assignments, one after the other: of those that were drawn, or of the sums of counts.
    pub(super) fn evaluate(
        &self,
        drawn: Option<&Drawn>,
        scratch: &mut Scratch,
        lanes: usize,
        mut each: impl FnMut(Vec<Parts>),
    ) {
        if let (Some(drawn), None) = (drawn, &self.ranks) {
            self.columns.sum(drawn, &mut scratch.sums);
        }
        for lane in 0..lanes {
            if self.ranks.is_none() {
                for (value, sums) in scratch.lane.iter_mut().zip(scratch.sums.chunks_exact(LANES)) {
                    *value = sums[lane];
                }
            }
            if let (Some(drawn), true) = (drawn, self.needs_groups()) {
                for (group, &slot) in scratch.group.iter_mut().zip(&self.rows) {
                    if slot != u32::MAX {
                        *group = u32::from(drawn.groups[slot as usize][lane]);
                    }
                }
            }
            each(self.parts(&scratch.lane, &scratch.group));
        }
    }

    /// Whether sums are not all that is asked of an assignment.
    fn needs_groups(&self) -> bool {
        self.ranks.is_some() || self.statistic == Statistic::StudentizedLeastSquares
    }

    /// The values of an assignment, from its sums and from the group of every row.
    fn parts(&self, sums: &[f64], group: &[u32]) -> Vec<Parts> {
        let sums = CellSums { sums, groups: self.groups, columns: self.count };
        if let Some(ranks) = &self.ranks {
            return ranks.statistics(self, group);
        }
        if let Some(model) = &self.model {
            let moment = |outcome: &Outcome, group| self.moments(&sums, outcome, 0, group);
            let n = |group: u32| moment(&self.outcomes[0], group).n;
            let first = self.count - model.basis.len();
            let products = |group: u32| &sums.of(0, group as usize)[first..];
            let others: Vec<u32> =
                (0..self.groups as u32).filter(|&other| other != self.control && n(other) > 0.0).collect();
            let by_outcome: Vec<Vec<Parts>> = self
                .outcomes
                .iter()
                .enumerate()
                .map(|(place, outcome)| {
                    let sums: Vec<f64> = others.iter().map(|&other| moment(outcome, other).sum).collect();
                    let robust = self.statistic == Statistic::StudentizedLeastSquares;
                    model.coefficients(place, &others, n, products, &sums, robust.then_some(group))
                })
                .collect();
            let of = |treatment: u32| others.iter().position(|&other| other == treatment);
            let all = self.treatments.iter().flat_map(|&treatment| {
                by_outcome
                    .iter()
                    .map(move |parts| of(treatment).map_or(Parts::UNANSWERED, |place| parts[place]))
            });
            return all.collect();
        }
        if self.statistic == Statistic::AnovaF {
            return self.outcomes.iter().map(|outcome| self.variance_ratio(&sums, outcome)).collect();
        }
        let mut all = Vec::with_capacity(self.width());
        for &treatment in &self.treatments {
            for outcome in &self.outcomes {
                all.push(if self.statistic.is_paired() {
                    self.paired(&sums, outcome, treatment)
                } else if self.statistic.is_of_ranks() {
                    self.rank_sum(&sums, outcome, treatment)
                } else {
                    self.difference(&sums, outcome, treatment)
                });
            }
        }
        all
    }

    #[inline(always)]
    fn moments(&self, sums: &CellSums, outcome: &Outcome, cell: usize, group: u32) -> Moments {
        let own = sums.of(cell, group as usize);
        let n = match &outcome.number {
            Number::Fixed(numbers) => numbers[cell * self.groups + group as usize],
            Number::Column(column) => own[*column],
        };
        Moments { n, sum: own[outcome.sum], squares: own[outcome.squares] }
    }

    /// `sum_b (n_b / n) d_b` with its variance.
    fn difference(&self, sums: &CellSums, outcome: &Outcome, treatment: u32) -> Parts {
        let (mut total, mut value, mut variance) = (0.0, 0.0, Some(0.0));
        let studentized = self.statistic.is_studentized();
        let spread = ROUNDING * outcome.scale;
        for cell in 0..sums.cells() {
            let treated = self.moments(sums, outcome, cell, treatment);
            let control = self.moments(sums, outcome, cell, self.control);
            let n = match self.weights {
                BlockWeights::ComparedGroups => treated.n + control.n,
                BlockWeights::AllGroups => {
                    (0..self.groups as u32).map(|group| self.moments(sums, outcome, cell, group).n).sum()
                }
            };
            if treated.n < 0.5 || control.n < 0.5 {
                return Parts::UNANSWERED;
            }
            total += n;
            value += n * (treated.mean() - control.mean());
            if studentized {
                let both = treated.variance(spread).zip(control.variance(spread));
                variance = variance.zip(both).map(|(sum, (one, other))| sum + n * n * (one + other));
            }
        }
        let rounding =
            (ROUNDING * spread.max(f64::MIN_POSITIVE)).sqrt().max(1e-12 * (outcome.scale / total).sqrt());
        match (studentized, variance) {
            (false, _) => Parts { value: value / total, variance: None, rounding },
            (true, Some(variance)) => {
                Parts { value: value / total, variance: Some(variance / (total * total)), rounding }
            }
            (true, None) => Parts::UNANSWERED,
        }
    }

    /// F of all groups that have people.
    fn variance_ratio(&self, sums: &CellSums, outcome: &Outcome) -> Parts {
        let groups: Vec<Moments> = (0..self.groups as u32)
            .map(|group| self.moments(sums, outcome, 0, group))
            .filter(|own| own.n > 0.5)
            .collect();
        let n: f64 = groups.iter().map(|own| own.n).sum();
        let mean = groups.iter().map(|own| own.sum).sum::<f64>() / n;
        let between: f64 = groups.iter().map(|own| own.n * (own.mean() - mean).powi(2)).sum();
        let within = outcome.scale - between;
        let least = 1e-12 * outcome.scale;
        let [df1, df2] = [groups.len() as f64 - 1.0, n - groups.len() as f64];
        let value = match (between > least, within > least) {
            (false, _) => 0.0,
            (true, false) => f64::INFINITY,
            (true, true) => between / df1 / (within / df2),
        };
        Parts { value: if df2 > 0.5 { value } else { f64::NAN }, variance: None, rounding: 0.0 }
    }

    /// The columns hold centred ranks, over `n_b + 1` within blocks: their sum is the statistic.
    fn rank_sum(&self, sums: &CellSums, outcome: &Outcome, treatment: u32) -> Parts {
        let value = (0..sums.cells()).map(|cell| self.moments(sums, outcome, cell, treatment).sum).sum();
        Parts { value, variance: None, rounding: 0.0 }
    }

    fn paired(&self, sums: &CellSums, outcome: &Outcome, treatment: u32) -> Parts {
        let pairs = sums.cells();
        let of = |cell: usize| {
            let sum = |group| self.moments(sums, outcome, cell, group).sum;
            sum(treatment) - sum(self.control)
        };
        let n = pairs as f64;
        let rounding = 1e-12 * (outcome.scale / n).sqrt();
        if self.statistic == Statistic::SignedRank {
            let sign = |cell: usize| if of(cell) > 0.0 { 1.0 } else { -1.0 };
            let value = outcome.signed.iter().enumerate().map(|(cell, rank)| rank * sign(cell)).sum();
            return Parts { value, variance: None, rounding };
        }
        let mean = (0..pairs).map(of).sum::<f64>() / n;
        if self.statistic == Statistic::PairedMeanDifference {
            return Parts { value: mean, variance: None, rounding };
        }
        let spread: f64 = (0..pairs).map(|cell| (of(cell) - mean).powi(2)).sum();
        let spread = if spread <= ROUNDING * outcome.scale { 0.0 } else { spread };
        Parts { value: mean, variance: Some(spread / (n - 1.0) / n), rounding }
    }
}
