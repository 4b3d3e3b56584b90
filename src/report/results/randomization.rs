//! Randomisation tests: a line for each treatment, sentences of how they were made, and tables.

use super::told;
use crate::compute::multiplicity::Alternative;
use crate::compute::randomization::Replays;
use crate::design::Notice;
use crate::error::{counted, grouped};
use crate::inference::{
    OtherArms, RandomizationResult, RandomizedTreatment, StepDownResult, TestedStatistic,
};
use crate::pool::PooledRandomizationResult;
use crate::report::base::format::{p_number, p_value, significant};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::english::effects::{contrast_words, interval_name, measure_words};
use crate::report::form::row::About;
use crate::report::form::table::{ResultTable, Tabulate};
use std::fmt::{self, Display, Formatter};

fn many(n: u64) -> String {
    grouped(usize::try_from(n).unwrap_or(usize::MAX))
}

/// `all 924 assignments`, `9,999 draws, seed 7`.
pub(crate) fn replays_words(replays: Replays) -> String {
    match replays {
        Replays::Enumerated { assignments } => format!("all {} assignments, exact", many(assignments)),
        Replays::Counted { tables } => format!("all assignments by {} tables or sums, exact", many(tables)),
        Replays::Drawn { draws, of, seed } if draws < of => {
            format!("{} of {} draws, seed {seed}", many(draws), many(of))
        }
        Replays::Drawn { draws, seed, .. } => format!("{} draws, seed {seed}", many(draws)),
        Replays::Given { draws } => format!("{} given assignments", many(draws)),
    }
}

pub(crate) fn statistic_words(statistic: &TestedStatistic) -> String {
    match statistic {
        TestedStatistic::Design(statistic) => statistic.words().to_owned(),
        TestedStatistic::Estimator(words) => format!("{words}, value over standard error"),
    }
}

fn others_words(other_arms: OtherArms, arms: usize) -> &'static str {
    match (other_arms, arms) {
        (_, 1) => "",
        (OtherArms::Held, _) => ", other arms held",
        (OtherArms::Redrawn, _) => ", all arms drawn anew",
    }
}

/// `p = 0.097 (Monte Carlo error 0.003)`.
fn p_words(p: f64, error: f64) -> String {
    if error > 0.0 {
        format!("{} (Monte Carlo error {})", p_value(p), significant(error, 2))
    } else {
        p_value(p)
    }
}

pub(crate) fn value_words(statistic: f64) -> String {
    if statistic.is_finite() {
        significant(statistic, 3)
    } else if statistic > 0.0 {
        "infinite".to_owned()
    } else {
        "minus infinite".to_owned()
    }
}

fn interval_words(own: &RandomizedTreatment) -> Option<String> {
    let interval = own.interval.as_ref()?;
    let limit = |x: f64| if x.is_finite() { significant(x, 3) } else { "no limit".to_owned() };
    let limits = interval.interval;
    Some(format!("{} to {}", limit(limits.lower()), limit(limits.upper())))
}

/// `Utrecht, score: randomisation test (studentised difference in means; complete allocation; all 70
/// assignments, exact)`, then a line for each treatment: `t vs c: statistic 3.6, p = 0.029`.
impl Display for RandomizationResult {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}: randomisation test ({}; allocation {}{})",
            self.trial,
            measure_words(&self.measure),
            statistic_words(&self.statistic),
            self.allocation,
            others_words(self.other_arms, self.treatments.len())
        )?;
        for own in &self.treatments {
            write!(
                f,
                "\n{}: statistic {}, {} over {}",
                contrast_words(&own.treatment, &self.reference),
                value_words(own.statistic),
                p_words(own.p_values.two_sided, own.monte_carlo_error),
                replays_words(own.replays)
            )?;
            if let Some(limits) = interval_words(own) {
                write!(f, "; {} of a constant effect {limits}", interval_name(self.level))?;
            }
        }
        if let Some(joint) = &self.joint {
            write!(
                f,
                "\nall treatments together ({}): {}, {} over {}",
                joint.statistic.words(),
                value_words(joint.value),
                p_words(joint.p_value, joint.monte_carlo_error),
                replays_words(joint.replays)
            )?;
        }
        f.write_str(&told(&self.notices))
    }
}

/// A row for each treatment, and one for all together.
impl From<&RandomizationResult> for Grid {
    fn from(result: &RandomizationResult) -> Self {
        let mut grid = Self::new(format!(
            "Randomisation test of {} in {}: {}; allocation {}{}",
            measure_words(&result.measure),
            result.trial,
            statistic_words(&result.statistic),
            result.allocation,
            others_words(result.other_arms, result.treatments.len())
        ))
        .column("Comparison", Align::Left)
        .column("Statistic", Align::Right)
        .column("p", Align::Right)
        .column("p, greater", Align::Right)
        .column("p, less", Align::Right);
        let with_intervals = result.treatments.iter().any(|own| own.interval.is_some());
        if with_intervals {
            grid = grid.column(format!("Constant effect ({})", interval_name(result.level)), Align::Right);
        }
        grid = grid.column("Replays", Align::Left);
        let statistic = |value: f64| Cell::worded(value, value_words(value));
        let p = |p: f64| Cell::worded(p, p_number(p));
        for own in &result.treatments {
            let mut row = vec![
                Cell::text(contrast_words(&own.treatment, &result.reference)),
                statistic(own.statistic),
                p(own.p_values.two_sided),
                p(own.p_values.greater),
                p(own.p_values.less),
            ];
            if with_intervals {
                row.push(Cell::text(interval_words(own).unwrap_or_default()));
            }
            row.push(Cell::text(replays_words(own.replays)));
            grid.push(row);
        }
        if let Some(joint) = &result.joint {
            let mut row = vec![
                Cell::text(format!("all together: {}", joint.statistic.words())),
                statistic(joint.value),
                p(joint.p_value),
                Cell::text(String::new()),
                Cell::text(String::new()),
            ];
            if with_intervals {
                row.push(Cell::text(String::new()));
            }
            row.push(Cell::text(replays_words(joint.replays)));
            grid.push(row);
        }
        grid
    }
}

/// Tables with titles of their own; the long table has no rows of them, as they hold no estimates.
fn table_of(grid: Grid, notices: &[Notice]) -> ResultTable {
    ResultTable { grids: vec![grid], ..ResultTable::new(About::nothing(""), "", Vec::new()) }.notices(notices)
}

impl Tabulate for RandomizationResult {
    fn table(&self) -> ResultTable {
        table_of(Grid::from(self), &self.notices)
    }
}

impl Tabulate for StepDownResult {
    fn table(&self) -> ResultTable {
        table_of(Grid::from(self), &self.notices)
    }
}

impl Tabulate for PooledRandomizationResult {
    fn table(&self) -> ResultTable {
        table_of(Grid::from(self), &self.notices)
    }
}

fn family_words(family: &StepDownResult) -> String {
    let side = match family.alternative {
        Alternative::TwoSided => "two-sided",
        Alternative::Greater => "of greater effects",
        Alternative::Less => "of smaller effects",
    };
    format!(
        "family \"{}\" of {}: step-down over one replay, {side} ({})",
        family.name,
        counted(family.hypotheses.len(), "hypothesis"),
        replays_words(family.replays)
    )
}

/// The family, then a line for each hypothesis: `Utrecht, score, t vs c: p = 0.029, adjusted p = 0.043 (max-t),
/// p = 0.057 (min-p)`.
impl Display for StepDownResult {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&family_words(self))?;
        for own in &self.hypotheses {
            write!(
                f,
                "\n{}, {}, {}: {}, adjusted {} (max-t), {} (min-p)",
                own.trial,
                measure_words(&own.measure),
                contrast_words(&own.treatment, &own.reference),
                p_value(own.p_value),
                p_value(own.adjusted),
                p_value(own.min_p_adjusted)
            )?;
        }
        f.write_str(&told(&self.notices))
    }
}

/// A row for each hypothesis, raw and adjusted p-values side by side.
impl From<&StepDownResult> for Grid {
    fn from(family: &StepDownResult) -> Self {
        let mut grid = Self::new(family_words(family))
            .column("Trial", Align::Left)
            .column("Measure", Align::Left)
            .column("Comparison", Align::Left)
            .column("Statistic", Align::Right)
            .column("p", Align::Right)
            .column("Adjusted p (max-t)", Align::Right)
            .column("Adjusted p (min-p)", Align::Right);
        let p = |p: f64| Cell::worded(p, p_number(p));
        for own in &family.hypotheses {
            grid.push([
                Cell::text(own.trial.to_string()),
                Cell::text(measure_words(&own.measure)),
                Cell::text(contrast_words(&own.treatment, &own.reference)),
                Cell::worded(own.statistic, value_words(own.statistic)),
                p(own.p_value),
                p(own.adjusted),
                p(own.min_p_adjusted),
            ]);
        }
        grid
    }
}

/// `3 trials, score, t vs c: randomisation test of the pooled effect (random effects), statistic 2.1, p = 0.04
/// over 9,999 draws, seed 7`.
impl Display for PooledRandomizationResult {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}, {}: randomisation test of the pooled effect ({}), statistic {}, {} over {}",
            counted(self.trials.len(), "trial"),
            measure_words(&self.measure),
            contrast_words(&self.treatment, &self.reference),
            self.pool,
            value_words(self.statistic),
            p_words(self.p_values.two_sided, self.monte_carlo_error),
            replays_words(self.replays)
        )?;
        f.write_str(&told(&self.notices))
    }
}

/// One row.
impl From<&PooledRandomizationResult> for Grid {
    fn from(test: &PooledRandomizationResult) -> Self {
        let mut grid = Self::new(format!(
            "Randomisation test of {} in {}: pooled effect ({})",
            measure_words(&test.measure),
            counted(test.trials.len(), "trial"),
            test.pool
        ))
        .column("Comparison", Align::Left)
        .column("Statistic", Align::Right)
        .column("p", Align::Right)
        .column("p, greater", Align::Right)
        .column("p, less", Align::Right)
        .column("Replays", Align::Left);
        let p = |p: f64| Cell::worded(p, p_number(p));
        grid.push([
            Cell::text(contrast_words(&test.treatment, &test.reference)),
            Cell::worded(test.statistic, value_words(test.statistic)),
            p(test.p_values.two_sided),
            p(test.p_values.greater),
            p(test.p_values.less),
            Cell::text(replays_words(test.replays)),
        ]);
        grid
    }
}
