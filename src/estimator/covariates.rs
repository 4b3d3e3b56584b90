//! The values of covariates, and the exposures of counts, of the participants of a comparison.

use crate::data::{ColumnKind, MISSING_CODE, Table, check_twins};
use crate::design::People;
use crate::error::{Error, ErrorKind, Result};

/// The exposures in which events were counted.
#[derive(Debug, Clone)]
pub(super) struct Exposure {
    /// Weight times exposure.
    pub(super) weights: Vec<f64>,
    /// Each over the mean.
    pub(super) relative: Vec<f64>,
    /// Events over exposure.
    pub(super) rates: Vec<f64>,
    /// The offset that was asked for, without the logarithm of the exposure.
    pub(super) offset: Option<Vec<f64>>,
    /// The weighted mean exposure.
    pub(super) mean: f64,
}

/// The values of a covariate for the participants of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Values {
    /// Less their mean.
    Numbers {
        values: Vec<f64>,
        mean: f64,
    },
    Flags(Vec<u8>),
    Category {
        codes: Vec<u32>,
        levels: Vec<String>,
        reference: usize,
    },
}

impl Exposure {
    /// Adds the logarithm of the exposure to the offset.
    pub(super) fn new(
        exposures: &[f64],
        people: &People,
        weights: Option<&Vec<f64>>,
        offset: &mut Option<Vec<f64>>,
    ) -> Self {
        let own = offset.clone();
        let logs = exposures.iter().map(|exposure| exposure.ln());
        *offset = Some(match &own {
            Some(offset) => logs.zip(offset).map(|(log, offset)| log + offset).collect(),
            None => logs.collect(),
        });
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let weighted: Vec<f64> = exposures.iter().enumerate().map(|(row, t)| weight(row) * t).collect();
        let total: f64 = (0..exposures.len()).map(weight).sum();
        let mean = weighted.iter().sum::<f64>() / total;
        Self {
            mean,
            relative: exposures.iter().map(|t| t / mean).collect(),
            weights: weighted,
            rates: people.outcome.iter().zip(exposures).map(|(y, t)| y / t).collect(),
            offset: own,
        }
    }
}

/// Whether a covariate has one value among these people.
pub(super) fn is_constant(name: &str, people: &People) -> Result<bool> {
    fn same<T: PartialEq>(mut values: impl Iterator<Item = T>) -> bool {
        let first = values.next();
        values.all(|value| Some(value) == first)
    }
    let table: &Table = &people.table;
    let rows = || people.rows.iter().map(|&row| row as usize);
    Ok(match table.column(name)?.kind() {
        ColumnKind::Category => {
            let column = table.labelled(name)?;
            let codes = column.as_codes()?;
            same(rows().map(|row| codes[row]))
        }
        ColumnKind::Flag => {
            let flags = table.flags(name)?;
            same(rows().map(|row| flags[row]))
        }
        _ => {
            let numbers = table.reals(name)?;
            same(rows().map(|row| numbers[row]))
        }
    })
}

pub(super) fn pick<T: Copy>(values: &[T], people: &People) -> Vec<T> {
    people.rows.iter().map(|&row| values[row as usize]).collect()
}

impl Values {
    /// Numbers less their mean, in whose place products and the solution of normal equations lose no digits
    /// to it.
    fn centred(mut numbers: Vec<f64>) -> Self {
        /// Larger values are refused by the fit, which names them.
        const LARGEST: f64 = 1e140;
        let first = numbers.first().copied().unwrap_or(0.0);
        let deviations: f64 = numbers.iter().map(|x| x - first).sum();
        let mean = first + deviations / numbers.len().max(1) as f64;
        let varies = numbers.iter().any(|x| *x != first);
        if !varies || !numbers.iter().all(|x| x.abs() <= LARGEST) {
            return Self::Numbers { values: numbers, mean: 0.0 };
        }
        for x in &mut numbers {
            *x -= mean;
        }
        Self::Numbers { values: numbers, mean }
    }

    pub(super) fn of(name: &str, people: &People, reference: Option<&String>) -> Result<Self> {
        let table: &Table = &people.table;
        let values = match table.column(name)?.kind() {
            ColumnKind::Category => Self::category(name, people, reference)?,
            ColumnKind::Flag if reference.is_none() => Self::Flags(pick(table.flags(name)?, people)),
            _ if reference.is_some() => Self::category(name, people, reference)?,
            _ => Self::centred(pick(table.reals(name)?, people)),
        };
        Ok(values)
    }

    /// Codes of the levels that occur among these people.
    fn category(name: &str, people: &People, reference: Option<&String>) -> Result<Self> {
        let column = people.table.labelled(name)?;
        check_twins(column.levels().iter().map(AsRef::as_ref)).map_err(|error| error.in_column(name))?;
        let mut codes = pick(column.as_codes()?, people);
        let mut index = vec![MISSING_CODE; column.levels().len()];
        for &code in &codes {
            index[code as usize] = 0;
        }
        let mut levels = Vec::new();
        for (place, level) in index.iter_mut().zip(column.levels()) {
            if *place != MISSING_CODE {
                *place = u32::try_from(levels.len()).unwrap_or(MISSING_CODE);
                levels.push(level.to_string());
            }
        }
        for code in &mut codes {
            *code = index[*code as usize];
        }
        if levels.len() < 2 {
            return Err(ErrorKind::RankDeficient { columns: vec![name.to_owned()] }.into());
        }
        let reference = match reference {
            None => 0,
            Some(level) => levels.iter().position(|other| other == level).ok_or_else(|| {
                Error::from(ErrorKind::UnknownCategory { label: level.clone(), known: levels.clone() })
                    .in_column(name)
            })?,
        };
        Ok(Self::Category { codes, levels, reference })
    }
}
