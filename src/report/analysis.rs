//! Results that answer in tables: every way of pooling side by side, posteriors, sensitivity, moderators, networks, counts.

use super::document::{Section, analysis_section};
use super::format::{Limits, significant};
use super::grid::{Align, Cell, Grid};
use super::outcome_table::{capitalised, unit_words};
use super::tidy::{self, Row};
use super::words::{Words, contrast_words, interval_name, measure_words, plain};
use crate::compute::interval::Interval;
use crate::design::{Label, MeasureInfo, Notice};
use crate::effect::{AnyScale, Estimand, Scale, ScaleForm};
use crate::pool::{
    Asymmetry, BayesianPooled, HenmiCopasPooled, Influence, NetworkPooled, Pooled, PooledCounts,
    PooledRegression, PooledSideBySide, PooledSubgroups, PriorSensitivity, Refits, TrimmedAndFilled,
};
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display, Formatter};

/// What an analysis shows: tables under a heading, lines below them, and what a reader has to be told.
pub(super) struct Shown {
    pub(super) heading: String,
    pub(super) grids: Vec<Grid>,
    pub(super) lines: Vec<String>,
    pub(super) notices: Vec<Notice>,
}

/// An analysis that answers in tables.
pub(super) trait Show {
    fn shown(&self) -> Shown;

    /// Its rows in the long table.
    fn long_rows(&self, grid: &mut Grid);
}

impl Shown {
    /// The notes of a report: lines, then notices.
    pub(super) fn notes(&self) -> Vec<String> {
        self.lines.iter().cloned().chain(self.notices.iter().map(Notice::to_string)).collect()
    }
}

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.heading)?;
        for (i, grid) in self.grids.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            for line in grid.to_text().lines() {
                let indent = if line.is_empty() { "" } else { "  " };
                write!(f, "\n{indent}{line}")?;
            }
        }
        self.lines.iter().try_for_each(|line| write!(f, "\n  {line}"))?;
        self.notices.iter().try_for_each(|notice| write!(f, "\n  note: {notice}"))
    }
}

macro_rules! analyses {
    ($($variant:ident($name:ident)),+ $(,)?) => {
        /// A result of one of these kinds, as a report keeps it.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(super) enum Analysis {
            $($variant(Box<$name<AnyScale>>)),+
        }

        impl Show for Analysis {
            fn shown(&self) -> Shown {
                match self {
                    $(Self::$variant(result) => result.shown()),+
                }
            }

            fn long_rows(&self, grid: &mut Grid) {
                match self {
                    $(Self::$variant(result) => result.long_rows(grid)),+
                }
            }
        }

        $(
            impl<S: Scale> super::document::private::Sealed for $name<S> {}
            impl<S: Scale> super::document::Reportable for $name<S> {
                fn section(&self) -> Section {
                    analysis_section(Analysis::$variant(Box::new(self.to_any())))
                }
            }

            /// A heading, tables, and lines that read aloud; below them, what a reader has to be told.
            impl<S: Scale> Display for $name<S> {
                fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                    self.shown().fmt(f)
                }
            }
        )+
    };
}

analyses! {
    SideBySide(PooledSideBySide),
    Bayesian(BayesianPooled),
    PriorSensitivity(PriorSensitivity),
    Refits(Refits),
    Influence(Influence),
    Asymmetry(Asymmetry),
    TrimmedAndFilled(TrimmedAndFilled),
    HenmiCopas(HenmiCopasPooled),
    Regression(PooledRegression),
    Subgroups(PooledSubgroups),
    Network(NetworkPooled),
    Counts(PooledCounts),
}

/// What an analysis is about.
pub(super) struct About<'a> {
    pub(super) measure: &'a MeasureInfo,
    pub(super) scale: AnyScale,
    pub(super) estimand: Option<Estimand>,
    pub(super) treatment: &'a Label,
    pub(super) reference: &'a Label,
    pub(super) level: f64,
}

impl<'a> About<'a> {
    pub(super) fn pool<S: Scale>(pooled: &'a Pooled<S>) -> Self {
        Self {
            measure: pooled.measure(),
            scale: pooled.scale().to_any(),
            estimand: Some(pooled.estimand()),
            treatment: pooled.treatment(),
            reference: pooled.reference(),
            level: pooled.summary.level,
        }
    }

    pub(super) fn posterior<S: Scale>(pooled: &'a BayesianPooled<S>) -> Self {
        Self {
            measure: pooled.measure(),
            scale: pooled.scale().to_any(),
            estimand: Some(pooled.estimand()),
            treatment: pooled.treatment(),
            reference: pooled.reference(),
            level: pooled.level(),
        }
    }

    /// `full-time outflow, guidance vs control`.
    pub(super) fn heading(&self) -> String {
        format!("{}, {}", measure_words(self.measure), contrast_words(self.treatment, self.reference))
    }

    /// `Risk difference, points (95% CI)`.
    pub(super) fn column(&self, interval: &str) -> String {
        format!(
            "{}{} ({interval})",
            capitalised(&self.scale.to_string()),
            unit_words(&self.scale, self.measure)
        )
    }

    pub(super) fn ci(&self) -> String {
        self.column(&interval_name(self.level))
    }

    /// Words with decimals for this standard error.
    pub(super) fn words(&self, se: f64) -> Words {
        Words::new(&self.scale, self.measure, se)
    }

    /// Words with decimals for an interval of a value.
    pub(super) fn words_for(&self, interval: Interval) -> Words {
        self.words(interval.width() / 4.0)
    }

    /// A value with its interval.
    pub(super) fn effect(&self, value: f64, interval: Interval) -> Cell {
        let words = self.words_for(interval);
        let limits: Limits = interval.into();
        let shown = Limits { lower: words.shown(limits.lower), upper: words.shown(limits.upper) };
        Cell::Estimate { text: words.cell(value, limits), value: words.shown(value), limits: shown }
    }

    /// An interval alone.
    pub(super) fn interval(&self, interval: Interval) -> Cell {
        let words = self.words_for(interval);
        let limits: Limits = interval.into();
        let shown = Limits { lower: words.shown(limits.lower), upper: words.shown(limits.upper) };
        Cell::WordedInterval { text: words.limits(limits), limits: shown }
    }

    /// A standard deviation between trials, or another amount of the scale that is no effect: in points, else as it is.
    pub(super) fn amount(&self, amount: f64) -> String {
        match self.scale.form() {
            ScaleForm::PercentagePoints if amount == 0.0 => "0".to_owned(),
            ScaleForm::PercentagePoints => plain(100.0 * amount, if amount < 0.0995 { 2 } else { 1 }),
            _ => significant(amount, 3),
        }
    }

    pub(super) fn amount_cell(&self, amount: f64) -> Cell {
        Cell::worded(amount, self.amount(amount))
    }

    /// `tau, points`.
    pub(super) fn amount_column(&self, name: &str) -> String {
        match self.scale.form() {
            ScaleForm::PercentagePoints => format!("{name}, points"),
            ScaleForm::LogRatio => format!("{name}, log"),
            ScaleForm::Difference => name.to_owned(),
        }
    }

    /// A row of the long table.
    pub(super) fn row(&'a self, kind: &'static str, estimator: impl Into<String>) -> Row<'a> {
        Row {
            kind,
            measure: Some(self.measure),
            scale: Some(&self.scale),
            estimand: self.estimand,
            treatment: self.treatment,
            reference: self.reference,
            estimator: estimator.into(),
            level: self.level,
            ..Row::default()
        }
    }
}

/// A table whose first column are words, and whose others are numbers.
pub(super) fn grid<T: Into<String>>(first: &str, others: impl IntoIterator<Item = T>) -> Grid {
    let grid = Grid::new("").column(first, Align::Left);
    others.into_iter().fold(grid, |grid, name| grid.column(name, Align::Right))
}

/// A row of the long table with its interval.
pub(super) fn push(grid: &mut Grid, row: Row<'_>, value: Option<f64>, interval: Option<Interval>) {
    let limits = interval.map(Limits::from);
    grid.push(Row { estimate: value, limits, ..row }.cells());
}

/// The trials of a pool in the long table.
pub(super) fn push_trials<S: Scale>(grid: &mut Grid, pooled: &Pooled<S>) {
    for trial in &pooled.trials {
        tidy::push_estimate(grid, &trial.estimate.to_any(), Some(trial.weight));
    }
}
