//! The columns of a file that are no plain numbers, read part by part.

use crate::data::column::{Column, ColumnKind, MISSING_CODE, MISSING_FLAG, is_count};
use crate::data::compact::Numbers;
use crate::data::csv_cell::{
    BadText, COUNT, FLAG, Found, Kind, NO_DATE, ORDER, PERCENT, Rules, Tally, UNCLEAR, UTF8,
};
use crate::data::csv_number::{Reading, number, without_unusual_space};
use crate::data::levels::Levels;
use crate::error::Result;

/// The bad cells of a column that are kept, from the first row on; the others are counted.
const KEPT: usize = 5_000;

/// Bad cells of a column.
#[derive(Default)]
pub(super) struct BadCells {
    pub cells: Vec<BadText>,
    pub total: usize,
}

/// A column as it is gathered.
pub(super) struct Gathered<'r> {
    rules: &'r Rules,
    kind: Option<Kind>,
    tally: Tally,
    cells: Cells,
    rows: usize,
    bad: BadCells,
}

enum Cells {
    /// Nothing but bad cells.
    None,
    Numbers(Vec<f64>),
    Flags(Vec<u8>),
    Categories(Vec<u32>, Levels),
}

impl<'r> Gathered<'r> {
    /// With the tally of all cells, if they were scanned.
    pub(super) fn new(rules: &'r Rules, kind: Option<Kind>, tally: Tally) -> Self {
        let cells = match kind {
            Some(Kind::Of(ColumnKind::Category)) => Cells::Categories(Vec::new(), Levels::default()),
            Some(Kind::Of(ColumnKind::Flag)) => Cells::Flags(Vec::new()),
            Some(_) => Cells::Numbers(Vec::new()),
            None => match tally.found() {
                Found::Categories => Cells::Categories(Vec::new(), Levels::default()),
                Found::Flags => Cells::Flags(Vec::new()),
                _ => Cells::None,
            },
        };
        Self { rules, kind, tally, cells, rows: 0, bad: BadCells::default() }
    }

    /// Adds a cell, around which is no space.
    pub(super) fn push(&mut self, cell: &[u8]) -> Result<()> {
        let row = self.rows;
        self.rows += 1;
        if let Cells::Categories(codes, levels) = &mut self.cells {
            let cell = if self.rules.unusual_space { without_unusual_space(cell) } else { cell };
            let code = match std::str::from_utf8(cell) {
                _ if self.rules.is_missing(cell) => MISSING_CODE,
                Ok(label) => levels.code(label).map_err(|error| error.in_row(row))?,
                Err(_) => {
                    self.bad.push(row, cell, UTF8, Reading::Text);
                    MISSING_CODE
                }
            };
            codes.push(code);
            return Ok(());
        }
        let reading = self.rules.reading(cell);
        let value = match reading {
            Reading::Missing => Ok(None),
            reading => self.value(reading).map(Some),
        };
        let value = value.unwrap_or_else(|expected| {
            self.bad.push(row, cell, expected, reading);
            None
        });
        match &mut self.cells {
            Cells::Numbers(values) => values.push(value.unwrap_or(f64::NAN)),
            Cells::Flags(flags) => flags.push(value.map_or(MISSING_FLAG, |flag| u8::from(flag == 1.0))),
            Cells::None | Cells::Categories(..) => {}
        }
        Ok(())
    }

    /// The number that a cell holds, 1 for yes; else what was expected.
    fn value(&self, reading: Reading) -> Result<f64, &'static str> {
        match self.kind {
            None => match reading {
                Reading::Flag(flag) if matches!(self.cells, Cells::Flags(_)) => Ok(f64::from(u8::from(flag))),
                reading => self.tally.refuse(self.rules, reading).map_or(Ok(f64::NAN), Err),
            },
            Some(Kind::Of(ColumnKind::Flag)) => match reading {
                Reading::Flag(flag) | Reading::Letter(flag) => Ok(f64::from(u8::from(flag))),
                Reading::Whole(x) | Reading::Number(x) if x == 0.0 || x == 1.0 => Ok(x),
                _ => Err(FLAG),
            },
            Some(Kind::Of(ColumnKind::Count)) => {
                number(&reading).filter(|value| is_count(*value)).ok_or(COUNT)
            }
            Some(Kind::Date(_)) => match reading {
                Reading::Date(Some(days)) => Ok(days),
                Reading::NoDate => Err(NO_DATE),
                _ => Err(ORDER),
            },
            Some(Kind::Of(_)) => match number(&reading) {
                Some(_) if self.tally.percents > 0 && !matches!(reading, Reading::Percent(_)) => Err(PERCENT),
                Some(_) if matches!(reading, Reading::Unclear(_)) && self.tally.all_unclear() => Err(UNCLEAR),
                Some(value) => Ok(value),
                None => Err(self.rules.expected_number(reading)),
            },
        }
    }

    /// The column, or its bad cells.
    pub(super) fn column(self) -> Result<Column, BadCells> {
        if self.bad.total > 0 {
            return Err(self.bad);
        }
        let counts = matches!(self.kind, Some(Kind::Of(ColumnKind::Count)));
        Ok(match self.cells {
            Cells::None => Column::from_reals(vec![f64::NAN; self.rows]),
            Cells::Numbers(values) if counts => Column::from_counts(Numbers::Real(values)),
            Cells::Numbers(values) => Column::from_reals(values),
            Cells::Flags(flags) => Column::from_flags(flags),
            Cells::Categories(codes, levels) => Column::from_codes(codes, &levels),
        })
    }
}

impl BadCells {
    fn push(&mut self, row: usize, found: &[u8], expected: &'static str, reading: Reading) {
        self.total += 1;
        if self.cells.len() < KEPT {
            self.cells.push(BadText { row, found: found.to_vec(), expected, reading });
        }
    }
}
