//! Outcomes and arms that hold together: a line for each effect, and a table.

use super::told;
use crate::compute::multiplicity::Alternative;
use crate::error::counted;
use crate::inference::{MarginalEffect, MarginalModels};
use crate::report::base::format::{p_number, p_value};
use crate::report::base::grid::{Align, Cell, Grid};
use crate::report::english::effects::{interval_name, reference_words};
use crate::report::form::row;
use crate::report::form::table::{ResultTable, Tabulate};
use std::fmt::{self, Display, Formatter};

/// `family "primary" of 4 effects: max-t over outcomes and arms, 95% CI that hold together (normal)`.
fn heading(family: &MarginalModels) -> String {
    let side = match family.alternative {
        Alternative::TwoSided => "",
        Alternative::Greater => ", of greater effects",
        Alternative::Less => ", of smaller effects",
    };
    format!(
        "family \"{}\" of {}: max-t over outcomes and arms{side}, each {} holding together with the others ({})",
        family.name,
        counted(family.effects.len(), "effect"),
        interval_name(family.level),
        reference_words(family.df)
    )
}

/// The measure, the comparison, and the effect with its interval.
fn words(own: &MarginalEffect) -> [String; 3] {
    let about = row::About::of_result(&own.about, &own.treatment);
    let words = about.words(own.se).telling(&[own.interval]);
    let effect = format!("{} ({})", words.value(own.value), words.limits(own.interval));
    [about.measure(), about.contrast(), effect]
}

/// The family, then a line for each effect: `score, t vs c: +3.0 (0.5 to 5.5), p = 0.008, adjusted p = 0.014, in
/// steps p = 0.014`.
impl Display for MarginalModels {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&heading(self))?;
        for own in &self.effects {
            let [measure, contrast, effect] = words(own);
            write!(
                f,
                "\n{}, {measure}, {contrast}: {effect}, {}, adjusted {}, in steps {}",
                own.about.trials[0],
                p_value(own.p_value),
                p_value(own.single_step),
                p_value(own.step_down)
            )?;
        }
        f.write_str(&told(&self.notices))
    }
}

/// A row for each effect, raw and adjusted p-values side by side.
impl From<&MarginalModels> for Grid {
    fn from(family: &MarginalModels) -> Self {
        let mut grid = Self::new(heading(family))
            .column("Measure", Align::Left)
            .column("Comparison", Align::Left)
            .column(format!("Effect ({}, simultaneous)", interval_name(family.level)), Align::Right)
            .column("p", Align::Right)
            .column("Adjusted p", Align::Right)
            .column("Adjusted p (in steps)", Align::Right);
        let p = |p: f64| Cell::worded(p, p_number(p));
        for own in &family.effects {
            let effect = words(own).map(Cell::text);
            grid.push(effect.into_iter().chain([own.p_value, own.single_step, own.step_down].map(p)));
        }
        grid
    }
}

impl Tabulate for MarginalModels {
    /// The rows of the long table are of the kind `simultaneous`: intervals and p-values are adjusted.
    fn table(&self) -> ResultTable {
        let rows = self.effects.iter().map(|own| {
            let about = row::About::of_result(&own.about, &own.treatment);
            let row = about.row("simultaneous", own.about.trials[0].as_str());
            row::Row {
                trials: own.about.trials.clone(),
                estimator: own.about.method.estimator.clone(),
                adjusted_for: own.about.method.adjusted_for.clone(),
                estimate: Some(own.value),
                se: Some(own.se),
                df: self.df,
                interval: Some(own.interval),
                p_value: Some(own.single_step),
                method: format!("max-t, family \"{}\" of {}", self.name, self.effects.len()),
                ..row
            }
        });
        let table = ResultTable::new(row::About::nothing(&self.name), "", rows.collect());
        ResultTable { grids: vec![Grid::from(self)], ..table }.notices(&self.notices)
    }
}
