//! Effects on the categories of an outcome.

use crate::design::Label;
use crate::effect::{AnyScale, CategoryEffects, Scale};
use crate::report::base::grid::{Cell, Grid};
use crate::report::english::effects::{measure_words, method_words};
use crate::report::form::columns::{
    effect, grid, label, left, own0, own1, own2, p, percent_cell, right, share, treatment,
};
use crate::report::form::row::{Row, about};
use crate::report::form::table::{ResultTable, Tabulate};

impl<S: Scale> CategoryEffects<S> {
    /// A table with a row per category and arm: how many people are in it, their share, and the effect
    /// against the reference with the p-value of that effect alone.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let text = "arm,contract\nc,none\nc,none\nc,temporary\nc,permanent\nt,none\nt,temporary\n\
    ///     t,permanent\nt,permanent\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// let contract = trial.on(&Contract::nominal("contract"))?;
    /// let text = contract.estimate_categories(&DifferenceInCategories::new())?.grid().to_text();
    /// assert!(text.starts_with(
    ///     "\
    ///     Utrecht, contract (difference in categories; 95% CI: Miettinen-Nurminen)\n"
    /// ));
    /// assert_eq!(text.lines().filter(|line| line.starts_with("permanent")).count(), 2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn grid(&self) -> Grid {
        self.to_any().table().grids.pop().unwrap_or_default()
    }
}

impl Tabulate for CategoryEffects<AnyScale> {
    fn table(&self) -> ResultTable {
        let about = about!(self, self.reference(), Some(self.estimand()), self.level());
        let mut shown = Vec::new();
        for (k, category) in self.categories.iter().enumerate() {
            let estimates = self.iter().find(|one| one.category == *category).map(|one| &one.estimates);
            let arms: Vec<&Label> = std::iter::once(self.reference()).chain(self.treatments()).collect();
            for (i, arm) in arms.into_iter().enumerate() {
                let (n, of) = (self.counts[[i, k]], self.counts.row(i).sum());
                let estimate = estimates.filter(|_| i > 0).and_then(|all| all.treatment(arm).ok());
                let row = estimate.map_or_else(|| about.of(arm).row("", ""), |estimate| Row::of(&estimate));
                let cells = vec![Cell::count(n), Cell::count(of), percent_cell(share(n, of))];
                shown.push(Row { label: category.to_string(), cells, ..row });
            }
        }
        let estimates = self.iter().flat_map(|one| one.estimates.iter());
        let rows: Vec<Row> = estimates.map(|estimate| Row::of(&estimate)).collect();
        let method =
            self.iter().next().map(|one| method_words(one.estimates.method(), one.estimates.level()));
        let method = method.map_or_else(String::new, |method| format!(" ({method})"));
        let title = format!("{}, {}{method}", self.trial(), measure_words(self.measure()));
        let columns = [
            left("Category", label),
            left("Arm", treatment),
            right("n", own0),
            right("of", own1),
            right("Share", own2),
            right(about.heading(), effect),
            right("p", p),
        ];
        let table = ResultTable::new(about, "", rows).notices(self.notices());
        ResultTable { grids: vec![grid(title, &columns, &shown)], ..table }
    }
}
