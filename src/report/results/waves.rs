//! Effects in several waves.

use crate::effect::{AnyScale, Scale, WaveEffects};
use crate::report::base::format::plain_label;
use crate::report::base::grid::{Cell, Grid};
use crate::report::english::effects::{measure_words, method_words, wald_words};
use crate::report::form::columns::{effect, grid, label, left, own0, own1, p, right, treatment};
use crate::report::form::row::{Row, about};
use crate::report::form::table::{ResultTable, Tabulate};

impl<S: Scale> WaveEffects<S> {
    /// A table with a row per wave and treatment, with the outcomes of both arms in the wave, the effect and
    /// the p-value of that effect alone; below the waves their mean and the change from the first to the
    /// last.
    pub fn grid(&self) -> Grid {
        self.to_any().table().grids.pop().unwrap_or_default()
    }
}

impl Tabulate for WaveEffects<AnyScale> {
    fn table(&self) -> ResultTable {
        let about = about!(self, self.reference(), Some(self.estimand()), self.level());
        let mut rows = Vec::new();
        for (place, one) in self.waves.iter().chain([&self.averaged]).chain(&self.change).enumerate() {
            for (i, estimate) in one.estimates.iter().enumerate() {
                let counts = |arm: usize| self.observed[arm].get(place).map(|count| Cell::count(*count));
                let cells = [counts(i + 1), counts(0)].map(|cell| cell.unwrap_or_else(Cell::missing)).into();
                rows.push(Row { label: one.wave.to_string(), cells, ..Row::of(&estimate) });
            }
        }
        let tests = self.waves[0].estimates.treatments().zip(&self.joint).filter_map(|(arm, test)| {
            Some(format!("{}, all waves: {}", plain_label(arm), wald_words(test.as_ref()?)))
        });
        let (trial, method) = (&self.about().trials[0], method_words(self.method(), self.level()));
        let title = format!("{trial}, {} ({method})", measure_words(self.measure()));
        let columns = [
            left("Wave", label),
            left("Arm", treatment),
            right("n", own0),
            right(format!("n of {}", plain_label(&about.reference)), own1),
            right(about.heading(), effect),
            right("p", p),
        ];
        let grids = vec![grid(title, &columns, &rows)];
        let tests: Vec<String> = tests.collect();
        let table = ResultTable::new(about, "", rows).lines(tests).notices(self.notices());
        ResultTable { grids, ..table }
    }
}
