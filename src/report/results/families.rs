//! Families of hypotheses: a line for each hypothesis, and a table.

use crate::compute::multiplicity::Alternative;
use crate::effect::{AdjustedFamily, FamilyProcedure, Hypothesis};
use crate::error::counted;
use crate::report::base::format::{p_number, p_value};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::form::row;
use crate::report::form::table::{ResultTable, Tabulate};
use std::fmt::{self, Display, Formatter};

/// `Utrecht`, or `4 trials`.
fn place(hypothesis: &Hypothesis) -> String {
    match hypothesis.about.trials.as_slice() {
        [trial] => trial.to_string(),
        trials => counted(trials.len(), "trial"),
    }
}

/// `work, guidance vs control`, and the value that it is tested against where that is not the usual one.
fn question(hypothesis: &Hypothesis) -> [String; 3] {
    let about = row::About::of_result(&hypothesis.about, &hypothesis.treatment);
    let null = hypothesis.null_value;
    let value = || about.words(null.abs()).value(null);
    let against = match hypothesis.alternative {
        Alternative::TwoSided if null == 0.0 => String::new(),
        Alternative::TwoSided => format!("other than {}", value()),
        Alternative::Greater => format!("above {}", value()),
        Alternative::Less => format!("below {}", value()),
    };
    [about.measure(), about.contrast(), against]
}

/// `Holm`, or the kind of procedure.
fn procedure(of: &FamilyProcedure) -> String {
    match of {
        FamilyProcedure::Adjustment(adjustment) => adjustment.to_string(),
        FamilyProcedure::Graph(_) => "graph of hypotheses".to_owned(),
    }
}

/// `family "primary" of 4 hypotheses: Holm, familywise error rate; tested after the family "safety"`.
fn heading(adjusted: &AdjustedFamily) -> String {
    let gate = adjusted.gate.as_ref();
    format!(
        "family \"{}\" of {}: {}, {}{}",
        adjusted.family.name,
        counted(adjusted.len(), "hypothesis"),
        procedure(&adjusted.procedure),
        adjusted.error_rate(),
        gate.map_or_else(String::new, |gate| format!("; tested after the family \"{}\"", gate.name))
    )
}

/// Whether the effects of a family are on several scales, so that each has to say its own.
fn on_several_scales(adjusted: &AdjustedFamily) -> bool {
    let mut scales = adjusted.family.hypotheses.iter().map(|one| &one.about.scale);
    scales.next().is_some_and(|first| scales.any(|scale| scale != first))
}

/// `Utrecht, wage, guidance: no answer, so that it counts with p = 1: nobody has this outcome`.
pub(super) fn unanswered(adjusted: &AdjustedFamily) -> impl Iterator<Item = String> {
    adjusted
        .family
        .unanswered
        .iter()
        .map(|one| format!("{}: no answer, so that it counts with p = 1: {}", one.what, one.why))
}

/// The family, then a line for each hypothesis: `Utrecht, work, guidance vs control: p = 0.012, adjusted p =
/// 0.036`.
impl Display for AdjustedFamily {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&heading(self))?;
        let scales = on_several_scales(self);
        for one in self.iter() {
            let hypothesis = one.hypothesis;
            let [measure, contrast, against] = question(hypothesis);
            let scale = if scales { hypothesis.about.scale.to_string() } else { String::new() };
            let (scale, against) = (row::with_comma(&scale), row::with_comma(&against));
            write!(
                f,
                "\n{}, {measure}, {contrast}{scale}{against}: {}, adjusted {}",
                place(hypothesis),
                p_value(hypothesis.p_value),
                p_value(one.adjusted)
            )?;
        }
        unanswered(self).try_for_each(|line| write!(f, "\n{line}"))
    }
}

/// The family as a table, a row for each hypothesis, raw and adjusted p-values side by side.
impl From<&AdjustedFamily> for Grid {
    fn from(adjusted: &AdjustedFamily) -> Self {
        let scales = on_several_scales(adjusted);
        let sided = adjusted.family.hypotheses.iter().any(|one| !question(one)[2].is_empty());
        let mut grid = Self::new(heading(adjusted))
            .column("Trial", Align::Left)
            .column("Measure", Align::Left)
            .column("Comparison", Align::Left);
        if scales {
            grid = grid.column("Scale", Align::Left);
        }
        if sided {
            grid = grid.column("Effect", Align::Left);
        }
        grid = grid.column("p", Align::Right).column("Adjusted p", Align::Right);
        for one in adjusted.iter() {
            let [measure, contrast, against] = question(one.hypothesis);
            let p = |p: f64| Cell::worded(p, p_number(p));
            let scale = scales.then(|| one.hypothesis.about.scale.to_string());
            let words = [place(one.hypothesis), measure, contrast].into_iter().chain(scale);
            let words = words.chain(sided.then_some(against));
            grid.push(words.map(Cell::text).chain([p(one.hypothesis.p_value), p(one.adjusted)]));
        }
        grid
    }
}

impl Tabulate for AdjustedFamily {
    /// The rows of the long table are of the kind `adjusted`: their p-values are the adjusted ones.
    fn table(&self) -> ResultTable {
        let rows = self.iter().map(|one| {
            let about = row::About::of_result(&one.hypothesis.about, &one.hypothesis.treatment);
            let row = about.row("adjusted", place(one.hypothesis));
            let method =
                format!("{}, family \"{}\" of {}", procedure(&self.procedure), self.family.name, self.len());
            row::Row {
                trials: one.hypothesis.about.trials.clone(),
                estimator: one.hypothesis.about.method.estimator.clone(),
                estimate: Some(one.hypothesis.value),
                p_value: Some(one.adjusted),
                method,
                ..row
            }
        });
        let table = ResultTable::new(row::About::nothing(&self.family.name), "", rows.collect());
        ResultTable { grids: vec![Grid::from(self)], ..table.lines(unanswered(self)) }
    }
}
