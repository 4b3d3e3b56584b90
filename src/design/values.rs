//! From the columns of a table to the values of a measure.

use super::coding::{EVENT, LEVELS, check_occurs};
use super::measure::{Measure, Source};
use super::outcome::{Binary, Continuous, Count, MonthlyStates, Nominal, Ordinal, TimeToEvent};
use super::text::TextList;
use crate::data::Table;
use crate::error::{Error, Result, counted, number};

/// The values of a measure for every row of a table.
#[derive(Debug)]
pub struct Values {
    /// The outcome; NaN marks a missing one.
    pub(crate) values: Vec<f64>,
    /// Exposure, or the cause of an event (0: none was seen).
    pub(crate) second: Option<Vec<f64>>,
    /// The time at which each row came under observation.
    pub(crate) entry: Option<Vec<f64>>,
    /// The column of an exposure, and true for every row whose outcome is there while its exposure is
    /// missing.
    pub(crate) lacking: Option<(String, Vec<bool>)>,
    /// True for every row that was prorated; empty for measures without items.
    pub(crate) prorated: Vec<bool>,
    /// True for every row whom the question does not concern; empty where nobody is.
    pub(crate) not_applicable: Vec<bool>,
}

impl Values {
    pub(super) fn plain(values: Vec<f64>) -> Self {
        Self {
            values,
            second: None,
            entry: None,
            lacking: None,
            prorated: Vec::new(),
            not_applicable: Vec::new(),
        }
    }
}

/// A measure whose values can be computed from a table. Implemented for every kind of outcome; not for other
/// types.
pub trait OutcomeValues: private::Sealed {
    #[doc(hidden)]
    fn values(&self, table: &Table) -> Result<Values>;

    /// Refuses rows of another table that do not belong to the participants of these tables.
    #[doc(hidden)]
    fn check_rows(&self, _tables: &[Table]) -> Result<()> {
        Ok(())
    }

    /// Refuses an event whose level occurs in none of the tables.
    #[doc(hidden)]
    fn check_occurs(&self, _tables: &[Table]) -> Result<()> {
        Ok(())
    }
}

mod private {
    pub trait Sealed {}
    impl<K> Sealed for super::Measure<K> {}
}

impl OutcomeValues for Measure<Binary> {
    fn values(&self, table: &Table) -> Result<Values> {
        let values = match &self.source {
            Source::Column(column) => events(table, column.as_str())?,
            Source::HoursAbove { column, hours } => {
                check_hours(*hours)?;
                hours_where(table, column.as_str(), |value| value > *hours)?
            }
            Source::HoursBetween { column, low, high } => {
                check_hours(*low)?;
                check_hours(*high)?;
                if low > high {
                    return Err(Error::invalid(format!(
                        "no number of hours lies from {low} to {high}; give the lower number first"
                    )));
                }
                hours_where(table, column.as_str(), |value| value >= *low && value <= *high)?
            }
            Source::Level { column, level } => {
                if self.coding.no.contains(level.as_str()) {
                    let why =
                        format!("the label \"{}\" is declared as the event and as no event", level.as_str());
                    return Err(Error::invalid(why + "; leave it out of no(..)").in_column(column.as_str()));
                }
                let no = self.coding.no.iter().map(|label| (label, 0.0));
                let levels: Vec<(&str, f64)> = no.chain([(level.as_str(), 1.0)]).collect();
                return self.coding.values(table, column.as_str(), &levels, EVENT);
            }
            Source::Score(_) => return Err(Error::invalid("a score is not an event")),
        };
        self.coding.none()?;
        Ok(Values::plain(values))
    }

    fn check_occurs(&self, tables: &[Table]) -> Result<()> {
        match &self.source {
            Source::Level { column, level } if !self.coding.may_be_absent => {
                check_occurs(tables, column.as_str(), level.as_str())
            }
            _ => Ok(()),
        }
    }
}

impl OutcomeValues for Measure<Continuous> {
    fn values(&self, table: &Table) -> Result<Values> {
        self.coding.none()?;
        match &self.source {
            Source::Column(column) => Ok(Values::plain(table.reals(column.as_str())?.to_vec())),
            Source::Score(questionnaire) => {
                let scores = questionnaire.scores(table)?;
                Ok(Values { prorated: scores.prorated, ..Values::plain(scores.values) })
            }
            _ => Err(Error::invalid("an event is not a number on a scale")),
        }
    }
}

impl OutcomeValues for Measure<Count> {
    fn values(&self, table: &Table) -> Result<Values> {
        self.coding.none()?;
        let column = plain_column(&self.source)?;
        let mut values = table.reals(column)?.to_vec();
        check_rows(&values, column, table, |x| x >= 0.0 && x.fract() == 0.0, "a whole number of events")?;
        let (mut second, mut lacking) = (None, None);
        if let Some(exposure) = &self.kind.exposure {
            let exposures = table.reals(exposure.as_str())?.to_vec();
            check_rows(&exposures, exposure.as_str(), table, |x| x > 0.0, "an exposure above zero")?;
            let mut without = vec![false; values.len()];
            for ((value, exposure), without) in values.iter_mut().zip(&exposures).zip(&mut without) {
                if exposure.is_nan() {
                    *without = !value.is_nan();
                    *value = f64::NAN;
                }
            }
            (second, lacking) = (Some(exposures), Some((exposure.as_str().to_owned(), without)));
        }
        Ok(Values { second, lacking, ..Values::plain(values) })
    }
}

impl OutcomeValues for Measure<Ordinal> {
    fn values(&self, table: &Table) -> Result<Values> {
        self.coding.values(table, plain_column(&self.source)?, &places(&self.kind.levels), LEVELS)
    }
}

impl OutcomeValues for Measure<Nominal> {
    fn values(&self, table: &Table) -> Result<Values> {
        self.coding.values(table, plain_column(&self.source)?, &places(&self.kind.levels), LEVELS)
    }
}

impl OutcomeValues for Measure<TimeToEvent> {
    fn values(&self, table: &Table) -> Result<Values> {
        super::times::values(self, plain_column(&self.source)?, table)
    }

    fn check_occurs(&self, tables: &[Table]) -> Result<()> {
        match &self.kind.of {
            Some(cause) if !self.coding.may_be_absent => {
                check_occurs(tables, self.kind.event.as_str(), cause.as_str())
            }
            _ => Ok(()),
        }
    }
}

impl OutcomeValues for Measure<MonthlyStates> {
    fn values(&self, table: &Table) -> Result<Values> {
        self.kind.register.values(plain_column(&self.source)?, table)
    }

    fn check_rows(&self, tables: &[Table]) -> Result<()> {
        self.kind.register.check_rows(plain_column(&self.source)?, tables)
    }
}

fn plain_column(source: &Source) -> Result<&str> {
    match source {
        Source::Column(column) => Ok(column.as_str()),
        _ => Err(Error::invalid("this kind of outcome is read from one column")),
    }
}

fn check_hours(hours: f64) -> Result<()> {
    if (0.0..=168.0).contains(&hours) {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "a week does not have {hours}; give a number from 0 to 168",
            hours = counted(hours, "hour")
        )))
    }
}

fn check_rows(
    values: &[f64],
    column: &str,
    table: &Table,
    valid: impl Fn(f64) -> bool,
    expected: &str,
) -> Result<()> {
    match values.iter().position(|&value| !value.is_nan() && !valid(value)) {
        Some(row) => {
            let why = format!(
                "found {}, expected {expected}; mend it or declare it a missing code",
                number(values[row])
            );
            Err(table.locate(Error::invalid(why).in_column(column), row))
        }
        None => Ok(()),
    }
}

/// A column of yes and no, or of 0 and 1, as 0 and 1.
pub(super) fn events(table: &Table, column: &str) -> Result<Vec<f64>> {
    let values = table.reals(column)?.to_vec();
    check_rows(&values, column, table, |x| x == 0.0 || x == 1.0, "0 or 1 (no or yes)")?;
    Ok(values)
}

fn hours_where(table: &Table, column: &str, event: impl Fn(f64) -> bool) -> Result<Vec<f64>> {
    let mut values = table.reals(column)?.to_vec();
    check_rows(&values, column, table, |x| (0.0..=168.0).contains(&x), "hours a week from 0 to 168")?;
    for value in &mut values {
        if !value.is_nan() {
            *value = f64::from(event(*value));
        }
    }
    Ok(values)
}

/// The levels with their places.
fn places(levels: &TextList) -> Vec<(&str, f64)> {
    levels.iter().enumerate().map(|(place, level)| (level, place as f64)).collect()
}
