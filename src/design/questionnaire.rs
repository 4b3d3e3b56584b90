use super::measure::{Direction, Measure};
use super::notice::Notice;
use super::outcome::Continuous;
use super::text::{Text, TextList};
use crate::compute::linalg::SymmetricEigen;
use crate::data::Table;
use crate::error::{Error, ErrorKind, Result, counted, number};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::mem::{forget, replace};

/// The rule for items that were not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MissingItems {
    /// Every item is needed; otherwise the score is missing.
    AllRequired,
    /// The mean of the answered items stands for the missing ones, where at least this many were answered.
    ProratedFrom(usize),
}

/// The rule that turns items into a score.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Scoring {
    /// The sum of the items.
    #[default]
    Sum,
    /// The mean of the items.
    Mean,
}

/// A questionnaire: its items, their range, how they become a score, and what happens to unanswered items.
///
/// # Formula
///
/// With answers `x_j` in `[a, b]`, reversed items becoming `a + b - x_j`, the score is `m * sum(x_j)` or
/// `m * mean(x_j)` with the multiplier `m`. Prorated: the sum of the `r` answered of `q` items times `q / r`.
///
/// ```
/// use armwise::prelude::*;
///
/// const WELLBEING: Measure<Continuous> =
///     Questionnaire::who5(&["w1", "w2", "w3", "w4", "w5"]).measure("wellbeing");
///
/// const STRESS: Measure<Continuous> = Questionnaire::new(&["s1", "s2", "s3", "s4"], 0.0, 4.0)
///     .reversed(&["s2", "s3"])
///     .prorated_from(3)
///     .measure("stress")
///     .lower_is_better();
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Questionnaire {
    pub(super) items: TextList,
    pub(super) reversed: TextList,
    pub(super) lowest: f64,
    pub(super) highest: f64,
    pub(super) multiplier: f64,
    pub(super) scoring: Scoring,
    pub(super) missing: MissingItems,
    pub(super) direction: Direction,
}

/// Cronbach's alpha of a questionnaire, with the numbers that it rests on.
///
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("a,b,c\n1,2,5\n2,2,4\n3,4,3\n4,4,2\n5,5,1\n3,3,3\n")?;
/// let items = Questionnaire::new(&["a", "b", "c"], 1.0, 5.0);
/// let alpha = items.cronbach_alpha(&table)?;
/// assert!(alpha.alpha < 0.0 && alpha.to_string().contains("\"c\""));
/// assert!(items.reversed(&["c"]).cronbach_alpha(&table)?.alpha > 0.9);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CronbachAlpha {
    /// The coefficient, at most 1; below zero where items count against each other.
    pub alpha: f64,
    /// The number of items.
    pub items: usize,
    /// The number of rows that answered every item.
    pub rows: usize,
    /// The notices: where alpha is below zero, the items that run against the others.
    pub notices: Vec<Notice>,
}

/// `Cronbach's alpha 0.87, 5 items, n 312`.
impl fmt::Display for CronbachAlpha {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cronbach's alpha {:.2}, {}, n {}", self.alpha, counted(self.items, "item"), self.rows)?;
        self.notices.iter().try_for_each(|notice| write!(f, "; {notice}"))
    }
}

/// The scores of a table's rows.
pub(crate) struct Scores {
    /// One score per row; NaN marks a missing one.
    pub values: Vec<f64>,
    /// True for every row that was prorated.
    pub prorated: Vec<bool>,
}

impl Questionnaire {
    /// Items with answers from `lowest` to `highest`. Defaults: sum, multiplier 1, nothing reversed, all
    /// items required.
    pub const fn new(items: &'static [&'static str], lowest: f64, highest: f64) -> Self {
        Self {
            items: TextList::Static(items),
            reversed: TextList::Static(&[]),
            lowest,
            highest,
            multiplier: 1.0,
            scoring: Scoring::Sum,
            missing: MissingItems::AllRequired,
            direction: Direction::Undeclared,
        }
    }

    /// The WHO-5 wellbeing index: 4 times the sum of five items from 0 to 5, so from 0 to 100; all items
    /// required (Topp, Ostergaard, Sondergaard & Bech 2015, Psychotherapy and Psychosomatics 84:167).
    pub const fn who5(items: &'static [&'static str; 5]) -> Self {
        let mut who5 = Self::new(items, 0.0, 5.0).multiplier(4.0);
        who5.direction = Direction::HigherIsBetter;
        who5
    }

    /// The same questionnaire with items whose columns are known only at run time.
    #[must_use]
    pub fn from_columns<T: AsRef<str>>(mut self, items: impl IntoIterator<Item = T>) -> Self {
        self.items = TextList::shared(items);
        self
    }

    /// Items that count the other way round; default: none.
    #[must_use]
    pub const fn reversed(mut self, items: &'static [&'static str]) -> Self {
        forget(replace(&mut self.reversed, TextList::Static(items)));
        self
    }

    /// The factor of the sum or mean; default 1.
    #[must_use]
    pub const fn multiplier(mut self, multiplier: f64) -> Self {
        self.multiplier = multiplier;
        self
    }

    /// The mean of the items instead of their sum.
    #[must_use]
    pub const fn mean(mut self) -> Self {
        self.scoring = Scoring::Mean;
        self
    }

    /// Scores from at least this many answered items, at least 1; default: all are required.
    #[must_use]
    pub const fn prorated_from(mut self, answered: usize) -> Self {
        self.missing = MissingItems::ProratedFrom(answered);
        self
    }

    /// The score as a measure of this name. Of the WHO-5 more is better; of others nothing is known until
    /// [`Measure::higher_is_better`] or [`Measure::lower_is_better`] says so: many score symptoms.
    pub const fn measure(self, name: &'static str) -> Measure<Continuous> {
        Measure::score(name, self)
    }

    /// Cronbach's alpha over the rows that answered every item:
    /// `q / (q - 1) * (1 - sum(var(x_j)) / var(sum(x_j)))` (Cronbach 1951, Psychometrika 16:297). Below zero
    /// it comes with a notice that names the items that load on the first principal component with the sign
    /// of the fewer: they may count the other way round.
    ///
    /// # Errors
    /// Fewer than two items or two complete rows, no variation of the total, or an answer out of range.
    pub fn cronbach_alpha(&self, table: &Table) -> Result<CronbachAlpha> {
        let columns = self.columns(table)?;
        let q = columns.len();
        let complete: Vec<usize> =
            (0..table.rows()).filter(|&i| columns.iter().all(|c| !c[i].is_nan())).collect();
        if q < 2 || complete.len() < 2 {
            return Err(ErrorKind::InsufficientObservations(format!(
                "Cronbach's alpha needs two items and two complete rows; there are {items} and {}",
                counted(complete.len(), "row"),
                items = counted(q, "item")
            ))
            .into());
        }
        let variance = |value: &dyn Fn(usize) -> f64| {
            let n = complete.len() as f64;
            let mean = complete.iter().map(|&i| value(i)).sum::<f64>() / n;
            complete.iter().map(|&i| (value(i) - mean).powi(2)).sum::<f64>() / (n - 1.0)
        };
        let total = variance(&|i| columns.iter().map(|column| column[i]).sum());
        if total <= 0.0 {
            return Err(ErrorKind::ZeroVariance(
                "the total score does not vary; Cronbach's alpha is undefined".to_owned(),
            )
            .into());
        }
        let items: f64 = columns.iter().map(|column| variance(&|i| column[i])).sum();
        let alpha = q as f64 / (q as f64 - 1.0) * (1.0 - items / total);
        let mut notices = Vec::new();
        if alpha < 0.0 {
            // Cov(x, y) = (Var(x + y) - Var(x - y)) / 4.
            let covariance = Array2::from_shape_fn((q, q), |(a, b)| {
                let (sum, difference) = (
                    variance(&|i| columns[a][i] + columns[b][i]),
                    variance(&|i| columns[a][i] - columns[b][i]),
                );
                0.25 * (sum - difference)
            });
            let eigen = SymmetricEigen::new(covariance.view());
            let largest = (0..q).max_by(|a, b| eigen.values[*a].total_cmp(&eigen.values[*b])).unwrap_or(0);
            let loadings = eigen.vectors.column(largest);
            let positive = loadings.iter().filter(|loading| **loading > 0.0).count();
            let of_fewer = |loading: f64| (loading < 0.0) == (2 * positive >= q) && loading != 0.0;
            let names = self.items.iter().zip(loadings).filter(|(_, loading)| of_fewer(**loading));
            notices.push(Notice::NegativeAlpha { items: names.map(|(name, _)| name.to_owned()).collect() });
        }
        Ok(CronbachAlpha { alpha, items: q, rows: complete.len(), notices })
    }

    /// The scores of all rows.
    pub(crate) fn scores(&self, table: &Table) -> Result<Scores> {
        if !(self.multiplier.is_finite() && self.multiplier != 0.0) {
            return Err(Error::invalid(format!(
                "the multiplier is {}; give a finite number other than zero",
                self.multiplier
            )));
        }
        let columns = self.columns(table)?;
        let q = columns.len();
        let needed = match self.missing {
            MissingItems::AllRequired => q,
            MissingItems::ProratedFrom(m) if (1..=q).contains(&m) => m,
            MissingItems::ProratedFrom(m) => {
                return Err(Error::invalid(format!(
                    "a score cannot be prorated from {items}, because the questionnaire has {q}; give a number from 1 to {q}",
                    items = counted(m, "item")
                )));
            }
        };
        let mut scores = Scores { values: Vec::with_capacity(table.rows()), prorated: Vec::new() };
        for row in 0..table.rows() {
            let answers = columns.iter().map(|column| column[row]).filter(|answer| !answer.is_nan());
            let (mut sum, mut answered) = (0.0, 0_usize);
            for answer in answers {
                sum += answer;
                answered += 1;
            }
            scores.prorated.push(answered >= needed && answered < q);
            scores.values.push(if answered < needed {
                f64::NAN
            } else {
                let mean = sum / answered as f64;
                self.multiplier
                    * match self.scoring {
                        Scoring::Mean => mean,
                        Scoring::Sum if answered == q => sum,
                        Scoring::Sum => mean * q as f64,
                    }
            });
        }
        Ok(scores)
    }

    /// The items' answers, reversed where declared, in range.
    fn columns(&self, table: &Table) -> Result<Vec<Vec<f64>>> {
        if self.items.len() == 0 {
            return Err(Error::invalid("a questionnaire needs at least one item; name their columns"));
        }
        if !(self.lowest < self.highest && self.lowest.is_finite() && self.highest.is_finite()) {
            return Err(Error::invalid(format!(
                "answers from {} to {} are not a range; give the lowest answer first, then the highest",
                self.lowest, self.highest
            )));
        }
        if let Some(item) = self.reversed.iter().find(|item| !self.items.iter().any(|other| other == *item)) {
            return Err(Error::invalid(format!(
                "the reversed item \"{item}\" is not one of the items; name it among the items too"
            )));
        }
        let names: Vec<&str> = self.items.iter().collect();
        if let Some(i) = (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            let why = "the item is named twice, and would count twice; name each column once";
            return Err(Error::invalid(why).in_column(names[i]));
        }
        let mut columns = Vec::with_capacity(self.items.len());
        for item in self.items.iter() {
            let mut answers = table.reals(item)?.to_vec();
            let reverse = self.reversed.iter().any(|other| other == item);
            for (row, answer) in answers.iter_mut().enumerate() {
                if *answer < self.lowest || *answer > self.highest {
                    let why = format!(
                        "the answer {} is outside {} to {}; mend it or declare the code of missing answers",
                        number(*answer),
                        self.lowest,
                        self.highest
                    );
                    return Err(table.locate(Error::invalid(why).in_column(item), row));
                }
                if reverse {
                    *answer = self.lowest + self.highest - *answer;
                }
            }
            columns.push(answers);
        }
        Ok(columns)
    }
}

from! {
    &str => Text: |text| Self::shared(text);
}
