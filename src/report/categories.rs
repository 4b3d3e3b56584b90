//! Effects on the categories of an outcome: one line per treatment and category, and a table of shares and effects.

use std::fmt::{self, Display, Formatter};

use super::display::{line, write_notices};
use super::format::{p_value, percent, significant};
use super::grid::{Align, Cell, Grid};
use super::outcome_table::{capitalised, unit_words};
use super::words::{Words, interval_name, measure_words, method_words, percent_of};
use crate::effect::{CategoryEffects, Estimates, Scale};
use crate::estimator::{AssociationTest, AverageCovariateEffect};

/// One line per category and treatment, then the notices, once.
impl<S: Scale> Display for CategoryEffects<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let lines = self.iter().flat_map(|one| one.estimates.iter().map(|estimate| line(&estimate)));
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))?;
        write_notices(f, &self.notices())
    }
}

impl<S: Scale> CategoryEffects<S> {
    /// A table with a row per category and arm: how many people are in it, their share, and the effect against the reference with the p-value
    /// of that effect alone.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str("arm,contract\nc,none\nc,none\nc,temporary\nc,permanent\nt,none\nt,temporary\nt,permanent\nt,permanent\n")?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
    /// let effects = trial.on(&Contract::nominal("contract"))?.estimate_categories(&DifferenceInCategories::new())?;
    /// let text = effects.grid().to_text();
    /// assert!(text.starts_with("Utrecht, contract (difference in categories; 95% CI: Miettinen-Nurminen)\n"));
    /// assert_eq!(text.lines().filter(|line| line.starts_with("permanent")).count(), 2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn grid(&self) -> Grid {
        let scale = self.scale().to_any();
        let unit = unit_words(&scale, self.measure());
        let effect = format!("{}{unit} ({})", capitalised(&scale.to_string()), interval_name(self.level()));
        let method = self.iter().next().and_then(|one| one.estimates.iter().next());
        let method = method.map_or_else(String::new, |estimate| format!(" ({})", method_words(&estimate)));
        let mut grid = Grid::new(format!("{}, {}{method}", self.trial(), measure_words(self.measure())))
            .column("Category", Align::Left)
            .column("Arm", Align::Left)
            .column("n", Align::Right)
            .column("of", Align::Right)
            .column("Share", Align::Right)
            .column(effect, Align::Right)
            .column("p", Align::Right);
        let arms: Vec<&str> = std::iter::once(self.reference().as_str())
            .chain(self.treatments().map(crate::design::Label::as_str))
            .collect();
        for (k, category) in self.categories.iter().enumerate() {
            let estimates = self.iter().find(|one| one.category == *category).map(|one| &one.estimates);
            for (i, arm) in arms.iter().enumerate() {
                let (n, of) = (self.counts[[i, k]], self.counts.row(i).sum());
                let share = percent_of(n, of);
                let mut row = vec![
                    Cell::text(category.as_str()),
                    Cell::text(*arm),
                    Cell::Count(n),
                    Cell::Count(of),
                    Cell::worded(share, percent(share)),
                ];
                row.extend(effect_cells(estimates.filter(|_| i > 0), arm));
                grid.push(row);
            }
        }
        grid
    }
}

/// The effect and its p-value; nothing for the reference, and where nothing is estimated.
fn effect_cells<S: Scale>(estimates: Option<&Estimates<S>>, arm: &str) -> Vec<Cell> {
    let Some(estimate) = estimates.and_then(|estimates| estimates.treatment(arm).ok()) else {
        return vec![Cell::Missing, Cell::Missing];
    };
    let words = Words::new(&estimate.scale().to_any(), estimate.measure(), estimate.se());
    let limits = estimate.interval().into();
    let p = estimate.p_value();
    vec![
        Cell::Estimate { text: words.cell(estimate.value(), limits), value: estimate.value(), limits },
        Cell::worded(p, p_value(p).trim_start_matches("p = ").trim_start_matches("p ").to_owned()),
    ]
}

/// `Utrecht, contract, arms differ: Pearson's chi-square 5.97 (df 9), p = 0.74, n 104`.
impl Display for AssociationTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, arms differ: {}", self.trial, measure_words(&self.measure), self.name)?;
        if let (Some(statistic), Some(df)) = (self.statistic, self.df) {
            write!(f, " {} (df {df})", significant(statistic, 3))?;
        }
        write!(f, ", {}", p_value(self.p_value))?;
        if let Some(se) = self.se_p_value {
            write!(f, " (se {})", significant(se, 2))?;
        }
        write!(f, ", n {}", self.counts.sum())?;
        if self.strata > 1 {
            write!(f, " in {} strata", self.strata)?;
        }
        write_notices(f, &self.notices)
    }
}

/// `Utrecht, full-time outflow, average effect of age: -0.0021 (se 0.0013), p = 0.11, n 348`.
impl Display for AverageCovariateEffect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}, average effect of {}: {} per unit (se {}), {}, n {}",
            self.trial,
            measure_words(&self.measure),
            self.covariate,
            significant(self.value, 3),
            significant(self.se, 2),
            p_value(self.p_value()),
            self.n
        )
    }
}
