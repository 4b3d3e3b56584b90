//! Families of hypotheses: a line for each hypothesis, and a table.

use crate::compute::multiplicity::Alternative;
use crate::effect::{AdjustedFamily, FamilyProcedure, Hypothesis};
use crate::error::counted;
use crate::report::base::format::{p_number, p_value, significant};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::form::row;
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
    let value = significant(hypothesis.null_value, 3);
    let against = match hypothesis.alternative {
        Alternative::TwoSided if hypothesis.null_value == 0.0 => String::new(),
        Alternative::TwoSided => format!("other than {value}"),
        Alternative::Greater => format!("above {value}"),
        Alternative::Less => format!("below {value}"),
    };
    [about.measure(), about.contrast(), against]
}

/// `Holm`, or the kind of procedure.
fn procedure(of: &FamilyProcedure) -> String {
    match of {
        FamilyProcedure::Adjustment(adjustment) => adjustment.to_string(),
        FamilyProcedure::Graph(_) => "graph of hypotheses".to_owned(),
        FamilyProcedure::Serial(adjustment) => format!("serial gatekeeping, {adjustment} within families"),
    }
}

/// `family "primary" of 4 hypotheses: Holm, familywise error rate`.
fn heading(family: &AdjustedFamily) -> String {
    format!(
        "family \"{}\" of {}: {}, {}",
        family.name,
        counted(family.len(), "hypothesis"),
        procedure(&family.procedure),
        family.error_rate()
    )
}

/// The family, then a line for each hypothesis: `Utrecht, work, guidance vs control: p = 0.012, adjusted p =
/// 0.036`.
impl Display for AdjustedFamily {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&heading(self))?;
        for one in &self.hypotheses {
            let [measure, contrast, against] = question(&one.hypothesis);
            let against = if against.is_empty() { against } else { format!(", {against}") };
            write!(
                f,
                "\n{}, {measure}, {contrast}{against}: {}, adjusted {}",
                place(&one.hypothesis),
                p_value(one.hypothesis.p_value),
                p_value(one.adjusted)
            )?;
        }
        Ok(())
    }
}

/// The family as a table, a row for each hypothesis, raw and adjusted p-values side by side.
impl From<&AdjustedFamily> for Grid {
    fn from(family: &AdjustedFamily) -> Self {
        let sided = family.hypotheses.iter().any(|one| !question(&one.hypothesis)[2].is_empty());
        let mut grid = Self::new(heading(family))
            .column("Trial", Align::Left)
            .column("Measure", Align::Left)
            .column("Comparison", Align::Left);
        if sided {
            grid = grid.column("Effect", Align::Left);
        }
        grid = grid.column("p", Align::Right).column("Adjusted p", Align::Right);
        for one in &family.hypotheses {
            let [measure, contrast, against] = question(&one.hypothesis);
            let p = |p: f64| Cell::worded(p, p_number(p));
            let words =
                [place(&one.hypothesis), measure, contrast].into_iter().chain(sided.then_some(against));
            grid.push(words.map(Cell::text).chain([p(one.hypothesis.p_value), p(one.adjusted)]));
        }
        grid
    }
}
