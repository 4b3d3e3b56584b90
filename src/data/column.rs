//! One column: real numbers, counts, flags or categories, each with missing cells.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::data::Cell;
use crate::data::compact::Numbers;
use crate::data::levels::{Levels, sort};
use crate::data::twins::is_blank;
use crate::error::{Error, ErrorKind, Result, counted};

/// Above it not every whole number is an `f64`, so different counts could look equal.
pub(super) const COUNT_LIMIT: f64 = 9_007_199_254_740_992.0;

/// The mark of a missing cell in [`Column::as_flags`].
pub(crate) const MISSING_FLAG: u8 = u8::MAX;

/// The mark of a missing cell in [`Column::as_codes`].
pub(crate) const MISSING_CODE: u32 = u32::MAX;

/// The kind of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ColumnKind {
    /// Real numbers.
    Real,
    /// Whole numbers of 0 or more.
    Count,
    /// Yes or no.
    Flag,
    /// Labels out of a list of levels.
    Category,
}

impl fmt::Display for ColumnKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real => "real numbers",
            Self::Count => "counts",
            Self::Flag => "flags",
            Self::Category => "categories",
        })
    }
}

/// A column of a [`Table`](crate::Table): real numbers, counts, flags (yes or no) or categories, each with
/// missing cells.
///
/// A column does not change once it is made, and a clone shares its cells.
///
/// Numbers can be read as another kind where no information is lost: a flag as the numbers 0 and 1, and
/// numbers that are all 0 or 1 as a flag.
///
/// ```
/// use armwise::data::{Column, ColumnKind};
///
/// let hours = Column::of_reals([Some(32.0), None, Some(27.5)])?;
/// assert_eq!((hours.kind(), hours.len(), hours.missing()), (ColumnKind::Real, 3, 1));
/// assert_eq!(hours.reals()?.flatten().sum::<f64>(), 59.5);
///
/// let employed = Column::of_flags([true, false])?;
/// assert_eq!(employed.reals()?.collect::<Vec<_>>(), [Some(1.0), Some(0.0)]);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Clone)]
pub struct Column(Arc<Inner>);

struct Inner {
    cells: Cells,
    missing: usize,
    /// The cells as numbers, for flags.
    numbers: OnceLock<Vec<f64>>,
    /// The cells as flags, for numbers.
    flags: OnceLock<Result<Vec<u8>, f64>>,
}

enum Cells {
    /// NaN marks a missing cell; no value is NaN or infinite.
    Real(Vec<f64>),
    /// As `Real`, and every value is whole and in [0, `COUNT_LIMIT`).
    Count(Numbers),
    /// 0, 1 or `MISSING_FLAG`.
    Flag(Vec<u8>),
    /// Indices into the levels, or `MISSING_CODE`. Levels are sorted, and each occurs.
    Category { codes: Vec<u32>, levels: Vec<Arc<str>> },
}

impl Column {
    /// A column of real numbers. `None` is a missing cell.
    ///
    /// # Errors
    /// `invalid_input` for NaN and infinite numbers.
    pub fn of_reals<C: Cell<f64>>(cells: impl IntoIterator<Item = C>) -> Result<Self> {
        let check = |value: f64| if value.is_finite() { Ok(value) } else { Err(not_finite(value)) };
        Ok(Self::new(Cells::Real(numbers(cells, check)?)))
    }

    /// A column of counts: whole numbers of 0 or more. `None` is a missing cell.
    ///
    /// # Errors
    /// `invalid_input` for numbers that are negative, not whole, or 2^53 and more.
    pub fn of_counts<C: Cell<f64>>(cells: impl IntoIterator<Item = C>) -> Result<Self> {
        let check = |value: f64| match value {
            _ if !value.is_finite() => Err(not_finite(value)),
            _ if is_count(value) => Ok(value),
            _ => Err(Error::invalid(format!(
                "{value} is not a count; give whole numbers from 0 to 2^53, or use a column of real numbers"
            ))),
        };
        Ok(Self::new(Cells::Count(Numbers::Real(numbers(cells, check)?))))
    }

    /// A column of flags: yes (`true`) or no (`false`). `None` is a missing cell.
    ///
    /// # Errors
    /// None; the other kinds of columns have errors.
    pub fn of_flags<C: Cell<bool>>(cells: impl IntoIterator<Item = C>) -> Result<Self> {
        Ok(Self::from_flags(
            cells.into_iter().map(|cell| cell.into_cell().map_or(MISSING_FLAG, u8::from)).collect(),
        ))
    }

    /// A column of categories: labels. `None` is a missing cell.
    ///
    /// The [levels](Column::levels) are sorted: as numbers if all of them are numbers, else by their letters.
    /// They do not depend on the order of the rows.
    ///
    /// # Errors
    /// `invalid_input` for labels that are empty or hold nothing but space.
    pub fn of_categories<'a, C: Cell<Cow<'a, str>>>(cells: impl IntoIterator<Item = C>) -> Result<Self> {
        let mut levels = Levels::default();
        let mut codes = Vec::new();
        for (row, cell) in cells.into_iter().enumerate() {
            codes.push(match cell.into_cell() {
                None => MISSING_CODE,
                Some(label) if is_blank(&label) => {
                    return Err(Error::invalid("a label is empty; give None for a missing cell").in_row(row));
                }
                Some(label) => levels.code(&label).map_err(|error| error.in_row(row))?,
            });
        }
        Ok(Self::from_codes(codes, &levels))
    }

    /// Finite numbers, and NaN for missing cells.
    pub(super) fn from_reals(cells: Vec<f64>) -> Self {
        Self::new(Cells::Real(cells))
    }

    /// Whole numbers in [0, `COUNT_LIMIT`), and NaN for missing cells.
    pub(super) fn from_counts(cells: Numbers) -> Self {
        Self::new(Cells::Count(cells))
    }

    /// 0, 1 or `MISSING_FLAG`.
    pub(super) fn from_flags(cells: Vec<u8>) -> Self {
        Self::new(Cells::Flag(cells))
    }

    /// Codes that `levels` gave, and `MISSING_CODE`. Levels are sorted, and those without a cell are dropped.
    pub(super) fn from_codes(mut codes: Vec<u32>, levels: &Levels) -> Self {
        let levels = levels.sort(&mut codes);
        Self::new(Cells::Category { codes, levels })
    }

    fn new(cells: Cells) -> Self {
        let missing = match &cells {
            Cells::Real(cells) => cells.iter().filter(|x| x.is_nan()).count(),
            Cells::Count(cells) => cells.iter().filter(|x| x.is_nan()).count(),
            Cells::Flag(cells) => cells.iter().map(|x| usize::from(*x == MISSING_FLAG)).sum(),
            Cells::Category { codes, .. } => codes.iter().filter(|x| **x == MISSING_CODE).count(),
        };
        Self(Arc::new(Inner { cells, missing, numbers: OnceLock::new(), flags: OnceLock::new() }))
    }

    /// The kind of the cells.
    pub fn kind(&self) -> ColumnKind {
        match &self.0.cells {
            Cells::Real(_) => ColumnKind::Real,
            Cells::Count(_) => ColumnKind::Count,
            Cells::Flag(_) => ColumnKind::Flag,
            Cells::Category { .. } => ColumnKind::Category,
        }
    }

    /// The number of cells, missing ones included.
    pub fn len(&self) -> usize {
        match &self.0.cells {
            Cells::Real(cells) => cells.len(),
            Cells::Count(cells) => cells.len(),
            Cells::Flag(cells) => cells.len(),
            Cells::Category { codes, .. } => codes.len(),
        }
    }

    /// True if there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of missing cells.
    pub fn missing(&self) -> usize {
        self.0.missing
    }

    /// True if the cell in `row` (from 0) is missing, or if `row` lies beyond the last one.
    pub fn is_missing(&self, row: usize) -> bool {
        match &self.0.cells {
            Cells::Real(cells) => cells.get(row).is_none_or(|x| x.is_nan()),
            Cells::Count(cells) => row >= cells.len() || cells.get(row).is_nan(),
            Cells::Flag(cells) => cells.get(row).is_none_or(|x| *x == MISSING_FLAG),
            Cells::Category { codes, .. } => codes.get(row).is_none_or(|x| *x == MISSING_CODE),
        }
    }

    /// The levels of a column of categories, sorted: as numbers if all of them are numbers, else by their
    /// letters. Each of them occurs in the column. Empty for other columns.
    pub fn levels(&self) -> &[Arc<str>] {
        if let Cells::Category { levels, .. } = &self.0.cells { levels } else { &[] }
    }

    /// The cells as numbers (flags are 0 and 1), with `None` for missing ones.
    ///
    /// # Errors
    /// `column_type` for categories.
    pub fn reals(&self) -> Result<impl ExactSizeIterator<Item = Option<f64>> + Clone> {
        Ok(self.as_reals()?.iter().map(|x| (!x.is_nan()).then_some(*x)))
    }

    /// The cells as counts (flags are 0 and 1), with `None` for missing ones.
    ///
    /// # Errors
    /// `column_type` for categories, and for numbers that are not all whole and 0 or more.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are whole and below 2^53"
    )]
    pub fn counts(&self) -> Result<impl ExactSizeIterator<Item = Option<u64>> + Clone> {
        Ok(self.as_counts()?.iter().map(|x| (!x.is_nan()).then_some(*x as u64)))
    }

    /// The cells as flags, with `None` for missing ones. Numbers that are all 0 or 1 are flags, too.
    ///
    /// # Errors
    /// `column_type` for categories and for other numbers.
    pub fn flags(&self) -> Result<impl ExactSizeIterator<Item = Option<bool>> + Clone> {
        Ok(self.as_flags()?.iter().map(|x| (*x != MISSING_FLAG).then_some(*x == 1)))
    }

    /// The labels of a column of categories, with `None` for missing cells. See [`Column::to_categories`] for
    /// other columns.
    ///
    /// # Errors
    /// `column_type` for other columns.
    pub fn categories(&self) -> Result<impl ExactSizeIterator<Item = Option<&str>> + Clone> {
        let levels = self.levels();
        Ok(self.as_codes()?.iter().map(|code| levels.get(*code as usize).map(AsRef::as_ref)))
    }

    /// The column as categories: numbers become their decimal text (`3`, `2.5`), flags become `no` and `yes`,
    /// and categories stay what they are.
    ///
    /// ```
    /// use armwise::data::Column;
    ///
    /// let stratum = Column::of_counts([10, 2, 2])?.to_categories()?;
    /// assert_eq!(stratum.levels().iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["2", "10"]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid_input` for more than 4,294,967,295 distinct numbers.
    pub fn to_categories(&self) -> Result<Self> {
        let mut levels = Levels::default();
        let codes = match &self.0.cells {
            Cells::Category { .. } => return Ok(self.clone()),
            Cells::Real(cells) => levels.codes_of_numbers(cells.iter().copied())?,
            Cells::Count(cells) => levels.codes_of_numbers(cells.iter())?,
            Cells::Flag(cells) => levels.codes_of_flags(cells),
        };
        Ok(Self::from_codes(codes, &levels))
    }

    /// The cells as numbers, flags being 0 and 1. NaN marks a missing cell.
    pub(crate) fn as_reals(&self) -> Result<&[f64]> {
        match &self.0.cells {
            Cells::Real(cells) | Cells::Count(Numbers::Real(cells)) => Ok(cells),
            Cells::Count(cells) => Ok(self.0.numbers.get_or_init(|| cells.iter().collect())),
            Cells::Flag(cells) => Ok(self.0.numbers.get_or_init(|| {
                let number = |flag: &u8| if *flag == MISSING_FLAG { f64::NAN } else { f64::from(*flag) };
                cells.iter().map(number).collect()
            })),
            Cells::Category { .. } => Err(self.not("a column of numbers or flags")),
        }
    }

    /// As [`Column::as_reals`], and every value is whole and 0 or more.
    pub(crate) fn as_counts(&self) -> Result<&[f64]> {
        const NEEDED: &str = "a column of counts (whole numbers of 0 or more)";
        if let Cells::Category { .. } = self.0.cells {
            return Err(self.not(NEEDED));
        }
        let cells = self.as_reals()?;
        if let Cells::Real(cells) = &self.0.cells
            && let Some(odd) = cells.iter().find(|x| !x.is_nan() && !is_count(**x))
        {
            return Err(self.holds(&odd.to_string(), NEEDED));
        }
        Ok(cells)
    }

    /// The cells as 0 (no), 1 (yes) and [`MISSING_FLAG`].
    pub(crate) fn as_flags(&self) -> Result<&[u8]> {
        const NEEDED: &str = "a column of flags (yes or no, or the numbers 1 and 0)";
        let flag = |x: f64| match x {
            0.0 => Ok(0),
            1.0 => Ok(1),
            odd if odd.is_nan() => Ok(MISSING_FLAG),
            odd => Err(odd),
        };
        let flags = match &self.0.cells {
            Cells::Flag(cells) => return Ok(cells),
            Cells::Real(cells) => self.0.flags.get_or_init(|| cells.iter().copied().map(flag).collect()),
            Cells::Count(cells) => self.0.flags.get_or_init(|| cells.iter().map(flag).collect()),
            Cells::Category { .. } => return Err(self.not(NEEDED)),
        };
        flags.as_deref().map_err(|odd| self.holds(&odd.to_string(), NEEDED))
    }

    /// The cells as indices into [`Column::levels`], and [`MISSING_CODE`].
    pub(crate) fn as_codes(&self) -> Result<&[u32]> {
        match &self.0.cells {
            Cells::Category { codes, .. } => Ok(codes),
            _ => Err(self.not("a column of categories")),
        }
    }

    /// The cells of these rows, in their order.
    pub(super) fn take(&self, rows: &[usize]) -> Self {
        fn pick<T: Copy>(cells: &[T], rows: &[usize]) -> Vec<T> {
            rows.iter().map(|row| cells[*row]).collect()
        }
        match &self.0.cells {
            Cells::Real(cells) => Self::from_reals(pick(cells, rows)),
            Cells::Count(cells) => Self::from_counts(cells.pick(rows.iter().map(|row| Some(*row)))),
            Cells::Flag(cells) => Self::from_flags(pick(cells, rows)),
            Cells::Category { codes, levels } => {
                let mut codes = pick(codes, rows);
                let levels = sort(levels, &mut codes);
                Self::new(Cells::Category { codes, levels })
            }
        }
    }

    /// The cells of these rows, in their order; missing for `None`.
    pub(super) fn take_or_missing(&self, rows: &[Option<usize>]) -> Self {
        fn pick<T: Copy>(cells: &[T], rows: &[Option<usize>], missing: T) -> Vec<T> {
            rows.iter().map(|row| row.map_or(missing, |row| cells[row])).collect()
        }
        match &self.0.cells {
            Cells::Real(cells) => Self::from_reals(pick(cells, rows, f64::NAN)),
            Cells::Count(cells) => Self::from_counts(cells.pick(rows.iter().copied())),
            Cells::Flag(cells) => Self::from_flags(pick(cells, rows, MISSING_FLAG)),
            Cells::Category { codes, levels } => {
                let mut codes = pick(codes, rows, MISSING_CODE);
                let levels = sort(levels, &mut codes);
                Self::new(Cells::Category { codes, levels })
            }
        }
    }

    /// The same cells, missing where `missing` is true.
    pub(super) fn with_missing(&self, missing: &[bool]) -> Self {
        let rows: Vec<Option<usize>> =
            missing.iter().enumerate().map(|(row, missing)| (!missing).then_some(row)).collect();
        self.take_or_missing(&rows)
    }

    fn not(&self, needed: &str) -> Error {
        let some =
            self.levels().iter().take(3).map(|level| format!("{level:?}")).collect::<Vec<_>>().join(", ");
        let found =
            if some.is_empty() { self.kind().to_string() } else { format!("{} such as {some}", self.kind()) };
        ErrorKind::ColumnType { found, needed: needed.to_owned() }.into()
    }

    fn holds(&self, odd: &str, needed: &str) -> Error {
        let found = format!("{}, among them {odd}", self.kind());
        ErrorKind::ColumnType { found, needed: needed.to_owned() }.into()
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind(), counted(self.len(), "cell"))?;
        if self.missing() > 0 {
            write!(f, ", {} missing", self.missing())?;
        }
        match self.levels().len() {
            0 => Ok(()),
            levels => write!(f, ", {levels}", levels = counted(levels, "level")),
        }
    }
}

/// Columns are equal if they are of the same kind and hold the same cells, missing ones being equal to each
/// other.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        type Sequence<'a> = &'a mut dyn ExactSizeIterator<Item = f64>;
        let same = |a: Sequence<'_>, b: Sequence<'_>| {
            a.len() == b.len() && a.zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
        };
        match (&self.0.cells, &other.0.cells) {
            _ if Arc::ptr_eq(&self.0, &other.0) => true,
            (Cells::Real(a), Cells::Real(b)) => same(&mut a.iter().copied(), &mut b.iter().copied()),
            (Cells::Count(a), Cells::Count(b)) => same(&mut a.iter(), &mut b.iter()),
            (Cells::Flag(a), Cells::Flag(b)) => a == b,
            (Cells::Category { codes: a, levels: x }, Cells::Category { codes: b, levels: y }) => {
                a == b && x == y
            }
            _ => false,
        }
    }
}

/// True if a number is whole, 0 or more, and small enough to be exact.
pub(super) fn is_count(value: f64) -> bool {
    (0.0..COUNT_LIMIT).contains(&value) && value.fract() == 0.0
}

fn not_finite(value: f64) -> Error {
    Error::invalid(format!("{value} is not a finite number; give None for a missing cell"))
}

fn numbers<C: Cell<f64>>(
    cells: impl IntoIterator<Item = C>,
    check: impl Fn(f64) -> Result<f64>,
) -> Result<Vec<f64>> {
    let check = |(row, cell): (usize, C)| match cell.into_cell() {
        None => Ok(f64::NAN),
        Some(value) => check(value).map_err(|error| error.in_row(row)),
    };
    cells.into_iter().enumerate().map(check).collect()
}
