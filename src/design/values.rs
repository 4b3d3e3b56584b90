//! From the columns of a table to the values of a measure.

use super::measure::{Measure, Source};
use super::outcome::{Binary, Continuous, Count, Nominal, Ordinal, TimeToEvent};
use super::text::TextList;
use crate::data::{MISSING_CODE, Table};
use crate::error::{Error, ErrorKind, Result, number};

/// The values of a measure for every row of a table.
#[derive(Debug)]
pub struct Values {
    /// The outcome; NaN marks a missing one.
    pub(crate) values: Vec<f64>,
    /// Exposure, or whether the event was seen.
    pub(crate) second: Option<Vec<f64>>,
    /// The column of an exposure, and true for every row whose outcome is there while its exposure is missing.
    pub(crate) lacking: Option<(String, Vec<bool>)>,
    /// True for every row that was prorated; empty for measures without items.
    pub(crate) prorated: Vec<bool>,
}

impl Values {
    fn plain(values: Vec<f64>) -> Self {
        Self { values, second: None, lacking: None, prorated: Vec::new() }
    }
}

/// A measure whose values can be computed from a table. Implemented for every kind of outcome; not for other
/// types.
pub trait OutcomeValues: private::Sealed {
    #[doc(hidden)]
    fn values(&self, table: &Table) -> Result<Values>;
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
                let labelled = table.labelled(column.as_str())?;
                let wanted = labelled.levels().iter().position(|other| **other == *level.as_str());
                let event = |code: &u32| match *code {
                    MISSING_CODE => f64::NAN,
                    code => f64::from(Some(code as usize) == wanted),
                };
                labelled.as_codes()?.iter().map(event).collect()
            }
            Source::Score(_) => return Err(Error::invalid("a score is not an event")),
        };
        Ok(Values::plain(values))
    }
}

impl OutcomeValues for Measure<Continuous> {
    fn values(&self, table: &Table) -> Result<Values> {
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
        Ok(Values::plain(levels(table, plain_column(&self.source)?, &self.kind.levels)?))
    }
}

impl OutcomeValues for Measure<Nominal> {
    fn values(&self, table: &Table) -> Result<Values> {
        Ok(Values::plain(levels(table, plain_column(&self.source)?, &self.kind.levels)?))
    }
}

impl OutcomeValues for Measure<TimeToEvent> {
    fn values(&self, table: &Table) -> Result<Values> {
        let column = plain_column(&self.source)?;
        let mut values = table.reals(column)?.to_vec();
        check_rows(&values, column, table, |x| x >= 0.0, "a time of zero or more")?;
        let seen = events(table, self.kind.event.as_str())?;
        for (value, seen) in values.iter_mut().zip(&seen) {
            if seen.is_nan() {
                *value = f64::NAN;
            }
        }
        Ok(Values { second: Some(seen), ..Values::plain(values) })
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
        Err(Error::invalid(format!("a week does not have {hours} hours; give a number from 0 to 168")))
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
        Some(row) => Err(Error::invalid(format!(
            "found {}, expected {expected}; mend it or declare it a missing code",
            number(values[row])
        ))
        .in_column(column)
        .in_row(table.origin(row))),
        None => Ok(()),
    }
}

/// A column of yes and no, or of 0 and 1, as 0 and 1.
fn events(table: &Table, column: &str) -> Result<Vec<f64>> {
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

/// A category as the index of its level.
fn levels(table: &Table, column: &str, declared: &TextList) -> Result<Vec<f64>> {
    let category = table.labelled(column)?;
    let mut index = Vec::with_capacity(category.levels().len());
    for level in category.levels() {
        let place = declared.iter().position(|declared| declared == &**level).ok_or_else(|| {
            let known: Vec<&str> = declared.iter().collect();
            let found = format!("the level \"{level}\"");
            let needed = format!("one of {}", known.join(", "));
            Error::from(ErrorKind::ColumnType { found, needed }).in_column(column)
        })?;
        index.push(place as f64);
    }
    Ok(category
        .as_codes()?
        .iter()
        .map(|&code| index.get(code as usize).copied().unwrap_or(f64::NAN))
        .collect())
}
