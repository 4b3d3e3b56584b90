//! The design matrix: borrowed columns, evaluated in blocks of rows.

use crate::compute::linalg::{columns_mut, part};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis};
use std::ops::Range;

/// How many rows the kernels take at a time: a block of 20 columns fits in the second-level cache.
pub(crate) const BLOCK: usize = 256;

/// Numbers beyond this would overflow when squared and summed.
pub(crate) const LARGEST: f64 = 1e140;

/// A design matrix `X` (n rows, p columns) that borrows its columns and is never copied into one array.
///
/// A matrix is built term by term; every term but a category has one design column. Products of two terms
/// (interactions) refer to the terms by name.
///
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Category, ModelMatrix};
///
/// let age = array![31.0, 45.0, 28.0, 52.0];
/// let arms = [0, 1, 2, 1];
/// let matrix = ModelMatrix::new(4)
///     .intercept()?
///     .category("arm", Category::new(&arms, ["control", "exemption", "guidance"]))?
///     .numeric("age", age.view())?
///     .product("arm", "age")?;
/// assert_eq!(
///     matrix.names(),
///     [
///         "intercept",
///         "arm[exemption]",
///         "arm[guidance]",
///         "age",
///         "arm[exemption]:age",
///         "arm[guidance]:age"
///     ]
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelMatrix<'a> {
    rows: usize,
    terms: Vec<Term<'a>>,
    columns: Vec<Column>,
    names: Vec<String>,
}

/// A 0/1 column.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Indicator<'a> {
    /// Bytes, each 0 or 1.
    Bytes(&'a [u8]),
    /// Truth values.
    Flags(&'a [bool]),
}

from! {
    'a;
    &'a [u8] => Indicator<'a>: |values| Self::Bytes(values);
    &'a [bool] => Indicator<'a>: |values| Self::Flags(values);
    &'a Vec<u8> => Indicator<'a>: |values| Self::Bytes(values);
    &'a Vec<bool> => Indicator<'a>: |values| Self::Flags(values);
}

/// A categorical column: a code for each row that points into a list of levels. It has one 0/1 design column
/// for each level but the reference level.
#[derive(Debug, Clone)]
pub struct Category<'a> {
    codes: &'a [u32],
    levels: Vec<String>,
    reference: usize,
}

impl<'a> Category<'a> {
    /// A category whose reference is the first level. Codes count from 0.
    pub fn new<L: Into<String>>(codes: &'a [u32], levels: impl IntoIterator<Item = L>) -> Self {
        Self { codes, levels: levels.into_iter().map(Into::into).collect(), reference: 0 }
    }

    pub(crate) fn rows(&self) -> usize {
        self.codes.len()
    }

    setters! {
        /// The level (counted from 0) that has no column of its own. Default: 0.
        reference: usize;
    }

    pub(crate) fn into_parts(self) -> CategoryParts<'a> {
        CategoryParts { codes: self.codes, levels: self.levels, reference: self.reference }
    }
}

/// What a category holds, for models in which it is the outcome.
#[derive(Debug)]
pub(crate) struct CategoryParts<'a> {
    pub(crate) codes: &'a [u32],
    pub(crate) levels: Vec<String>,
    pub(crate) reference: usize,
}

#[derive(Debug, Clone)]
struct Term<'a> {
    name: String,
    kind: Kind<'a>,
    /// The design columns of the term.
    columns: Range<usize>,
}

#[derive(Debug, Clone)]
enum Kind<'a> {
    Intercept,
    Numeric(ArrayView1<'a, f64>),
    Indicator(Indicator<'a>),
    Category(Category<'a>),
    Product,
}

/// A design column is a product of factors.
#[derive(Debug, Clone)]
struct Column {
    factors: Vec<Factor>,
}

/// A term, or one level of a category.
#[derive(Debug, Clone, Copy)]
struct Factor {
    term: usize,
    level: u32,
}

/// Evaluate the matrix as if every row had this level of a category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) term: usize,
    pub(crate) level: u32,
}

impl<'a> ModelMatrix<'a> {
    /// A matrix with this number of rows, without columns yet.
    pub fn new(rows: usize) -> Self {
        Self { rows, terms: Vec::new(), columns: Vec::new(), names: Vec::new() }
    }

    /// The columns of a whole array (n x p) under the given names; an intercept must be among them if it is
    /// wanted.
    ///
    /// # Errors
    /// `invalid_input` unless there is one name for each column, all different.
    pub fn from_columns<S: Into<String>>(
        names: impl IntoIterator<Item = S>,
        columns: ArrayView2<'a, f64>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != columns.ncols() {
            return Err(Error::invalid(format!(
                "{} for {}; give one name for each column",
                counted(names.len(), "name"),
                counted(columns.ncols(), "column")
            )));
        }
        let mut matrix = Self::new(columns.nrows());
        for (j, name) in names.into_iter().enumerate() {
            matrix = matrix.numeric(name, columns.index_axis_move(Axis(1), j))?;
        }
        Ok(matrix)
    }

    /// Adds a column of ones, named "intercept".
    ///
    /// # Errors
    /// `invalid_input` where a term of that name is there already.
    pub fn intercept(self) -> Result<Self> {
        let rows = self.rows;
        self.push("intercept".to_owned(), Kind::Intercept, rows)
    }

    /// Adds a numeric column of any stride.
    ///
    /// # Errors
    /// `invalid_input` where the length is not the number of rows, or a term of that name is there already.
    pub fn numeric(self, name: impl Into<String>, values: ArrayView1<'a, f64>) -> Result<Self> {
        let length = values.len();
        self.push(name.into(), Kind::Numeric(values), length)
    }

    /// Adds a 0/1 column.
    ///
    /// # Errors
    /// As [`ModelMatrix::numeric`].
    pub fn indicator(self, name: impl Into<String>, values: impl Into<Indicator<'a>>) -> Result<Self> {
        let values = values.into();
        let length = match values {
            Indicator::Bytes(values) => values.len(),
            Indicator::Flags(values) => values.len(),
        };
        self.push(name.into(), Kind::Indicator(values), length)
    }

    /// Adds the dummy columns of a category, named "term\[level\]".
    ///
    /// # Errors
    /// As [`ModelMatrix::numeric`]; also where the reference is none of the levels.
    pub fn category(self, name: impl Into<String>, values: Category<'a>) -> Result<Self> {
        let name = name.into();
        if values.reference >= values.levels.len() {
            return Err(Error::invalid(format!(
                "the reference level {} does not exist among {}; levels count from 0",
                values.reference,
                counted(values.levels.len(), "level")
            ))
            .in_column(&name));
        }
        let length = values.codes.len();
        self.push(name, Kind::Category(values), length)
    }

    /// Adds the products of the columns of two terms (their interaction), named "a:b"; the columns of the
    /// first vary fastest.
    ///
    /// # Errors
    /// `unknown_column` where a term is not there; `invalid_input` where the product is there already.
    pub fn product(mut self, first: &str, second: &str) -> Result<Self> {
        let (a, b) = (self.columns_of(first)?, self.columns_of(second)?);
        let name = format!("{first}:{second}");
        self.check_new(&name, self.rows)?;
        let start = self.columns.len();
        for right in b {
            for left in a.clone() {
                let mut factors = self.columns[left].factors.clone();
                factors.extend_from_slice(&self.columns[right].factors);
                self.names.push(format!("{}:{}", self.names[left], self.names[right]));
                self.columns.push(Column { factors });
            }
        }
        self.terms.push(Term { name, kind: Kind::Product, columns: start..self.columns.len() });
        Ok(self)
    }

    fn push(mut self, name: String, kind: Kind<'a>, length: usize) -> Result<Self> {
        self.check_new(&name, length)?;
        let (term, start) = (self.terms.len(), self.columns.len());
        if let Kind::Category(category) = &kind {
            for (level, label) in (0_u32..).zip(&category.levels) {
                if level as usize != category.reference {
                    self.names.push(format!("{name}[{label}]"));
                    self.columns.push(Column { factors: vec![Factor { term, level }] });
                }
            }
        } else {
            self.names.push(name.clone());
            self.columns.push(Column { factors: vec![Factor { term, level: 0 }] });
        }
        self.terms.push(Term { name, kind, columns: start..self.columns.len() });
        Ok(self)
    }

    fn check_new(&self, name: &str, length: usize) -> Result<()> {
        if self.terms.iter().any(|term| term.name == name) {
            return Err(
                Error::invalid("a term of this name is there already; rename one of the two").in_column(name)
            );
        }
        if length != self.rows {
            return Err(Error::invalid(format!(
                "holds {values} where the matrix has {}",
                counted(self.rows, "row"),
                values = counted(length, "value")
            ))
            .in_column(name));
        }
        Ok(())
    }

    /// The number of rows.
    pub fn nrows(&self) -> usize {
        self.rows
    }

    /// The number of design columns.
    pub fn ncols(&self) -> usize {
        self.columns.len()
    }

    /// The names of the design columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The positions of the design columns of a term (all dummies of a category, all products of an
    /// interaction).
    ///
    /// # Errors
    /// `unknown_column` where there is no such term.
    pub fn columns_of(&self, term: &str) -> Result<Range<usize>> {
        self.terms.iter().find(|known| known.name == term).map(|known| known.columns.clone()).ok_or_else(
            || {
                ErrorKind::UnknownColumn {
                    name: term.to_owned(),
                    known: self.terms.iter().map(|term| term.name.clone()).collect(),
                }
                .into()
            },
        )
    }

    /// The position of a design column by its name.
    ///
    /// # Errors
    /// `unknown_column` where there is no such column.
    pub fn column(&self, name: &str) -> Result<usize> {
        self.names.iter().position(|known| known == name).ok_or_else(|| {
            ErrorKind::UnknownColumn { name: name.to_owned(), known: self.names.clone() }.into()
        })
    }

    /// The matrix with only some of its design columns, in the given order. Nothing is copied.
    ///
    /// # Errors
    /// `invalid_input` where a position is beyond the last column.
    pub fn select(&self, columns: &[usize]) -> Result<Self> {
        if let Some(beyond) = columns.iter().find(|&&column| column >= self.ncols()) {
            return Err(Error::invalid(format!("there is no column {beyond}; columns count from 0")));
        }
        Ok(Self {
            rows: self.rows,
            // The ranges of the terms no longer hold; the terms stay for their values.
            terms: self.terms.iter().map(|term| Term { columns: 0..0, ..term.clone() }).collect(),
            columns: columns.iter().map(|&j| self.columns[j].clone()).collect(),
            names: columns.iter().map(|&j| self.names[j].clone()).collect(),
        })
    }

    /// The matrix with a column of ones before its others.
    pub(crate) fn with_constant(&self) -> Self {
        let mut with = self.select(&[]).unwrap_or_else(|_| Self::new(self.rows));
        with.columns = vec![Column { factors: vec![Factor { term: self.terms.len(), level: 0 }] }];
        with.columns.extend(self.columns.iter().cloned());
        with.names = vec!["constant".to_owned()];
        with.names.extend(self.names.iter().cloned());
        with.terms.push(Term { name: "constant".to_owned(), kind: Kind::Intercept, columns: 0..1 });
        with
    }

    /// The same matrix with a shorter borrow (views of ndarray are invariant in their lifetime).
    pub(crate) fn reborrow<'d>(&self) -> ModelMatrix<'d>
    where
        'a: 'd,
    {
        let terms = self.terms.iter().map(|term| Term {
            name: term.name.clone(),
            kind: match &term.kind {
                Kind::Intercept => Kind::Intercept,
                Kind::Numeric(values) => Kind::Numeric(values.reborrow()),
                Kind::Indicator(values) => Kind::Indicator(*values),
                Kind::Category(category) => Kind::Category(category.clone()),
                Kind::Product => Kind::Product,
            },
            columns: term.columns.clone(),
        });
        ModelMatrix {
            rows: self.rows,
            terms: terms.collect(),
            columns: self.columns.clone(),
            names: self.names.clone(),
        }
    }

    /// Writes the given rows, `block` holding one design column in each of its rows.
    pub(crate) fn fill(&self, rows: Range<usize>, block: ArrayViewMut2<f64>) {
        self.fill_with(rows, None, block);
    }

    /// As [`ModelMatrix::fill`], with one category forced to a level in every row (its products change too).
    pub(crate) fn fill_with(
        &self,
        rows: Range<usize>,
        forced: Option<Override>,
        mut block: ArrayViewMut2<f64>,
    ) {
        for (j, out) in block.rows_mut().into_iter().take(self.ncols()).enumerate() {
            self.fill_column(j, rows.clone(), forced, out);
        }
    }

    /// Writes the given rows of one design column, with one category forced to a level.
    pub(crate) fn fill_column(
        &self,
        column: usize,
        rows: Range<usize>,
        forced: Option<Override>,
        mut out: ArrayViewMut1<f64>,
    ) {
        let Some((first, others)) = self.columns[column].factors.split_first() else { return };
        self.write(*first, rows.clone(), forced, &mut out, |out, value| *out = value);
        for factor in others {
            self.write(*factor, rows.clone(), forced, &mut out, |out, value| *out *= value);
        }
    }

    /// The values of a design column that is borrowed and lies in memory one row after the other.
    pub(crate) fn contiguous(&self, column: usize) -> Option<&[f64]> {
        match self.columns[column].factors.as_slice() {
            [factor] => match &self.terms[factor.term].kind {
                Kind::Numeric(values) => values.as_slice(),
                _ => None,
            },
            _ => None,
        }
    }

    /// Writes the derivative of the given rows with respect to one term that is no category: `block` as for
    /// [`ModelMatrix::fill`].
    pub(crate) fn fill_derivative(&self, rows: Range<usize>, term: usize, mut block: ArrayViewMut2<f64>) {
        let mut product = Array1::<f64>::zeros(rows.len());
        for (column, mut out) in self.columns.iter().zip(block.rows_mut()) {
            out.fill(0.0);
            for place in (0..column.factors.len()).filter(|&place| column.factors[place].term == term) {
                product.fill(1.0);
                for (_, other) in column.factors.iter().enumerate().filter(|(other, _)| *other != place) {
                    self.write(*other, rows.clone(), None, &mut product.view_mut(), |out, value| {
                        *out *= value;
                    });
                }
                out += &product;
            }
        }
    }

    /// The position among the terms of one that is a number or 0/1.
    pub(crate) fn number_term(&self, name: &str) -> Option<usize> {
        let number = |kind: &Kind| matches!(kind, Kind::Numeric(_) | Kind::Indicator(_));
        self.terms.iter().position(|term| term.name == name && number(&term.kind))
    }

    fn write(
        &self,
        factor: Factor,
        rows: Range<usize>,
        forced: Option<Override>,
        out: &mut ArrayViewMut1<f64>,
        put: impl Fn(&mut f64, f64),
    ) {
        let indicator = |flag: bool| f64::from(u8::from(flag));
        match &self.terms[factor.term].kind {
            Kind::Intercept | Kind::Product => out.iter_mut().for_each(|out| put(out, 1.0)),
            Kind::Numeric(values) => {
                let values = part(*values, rows);
                match (out.as_slice_mut(), values.as_slice()) {
                    (Some(out), Some(values)) => {
                        out.iter_mut().zip(values).for_each(|(out, value)| put(out, *value));
                    }
                    _ => out.iter_mut().zip(values).for_each(|(out, value)| put(out, *value)),
                }
            }
            Kind::Indicator(Indicator::Bytes(values)) => {
                out.iter_mut().zip(&values[rows]).for_each(|(out, value)| put(out, f64::from(*value)));
            }
            Kind::Indicator(Indicator::Flags(values)) => {
                out.iter_mut().zip(&values[rows]).for_each(|(out, value)| put(out, indicator(*value)));
            }
            Kind::Category(category) => match forced.filter(|forced| forced.term == factor.term) {
                Some(forced) => {
                    out.iter_mut().for_each(|out| put(out, indicator(forced.level == factor.level)));
                }
                None => out
                    .iter_mut()
                    .zip(&category.codes[rows])
                    .for_each(|(out, code)| put(out, indicator(*code == factor.level))),
            },
        }
    }

    /// The position of a category among the terms, its number of levels, and its codes.
    pub(crate) fn category_codes(&self, name: &str) -> Option<(usize, usize, &'a [u32])> {
        self.terms.iter().enumerate().find_map(|(position, term)| match &term.kind {
            Kind::Category(category) if term.name == name => {
                Some((position, category.levels.len(), category.codes))
            }
            _ => None,
        })
    }

    /// Calls `with` for each block of rows: the rows, and the block as [`ModelMatrix::fill`] writes it.
    pub(crate) fn for_each_block(&self, mut with: impl FnMut(Range<usize>, ArrayView2<f64>)) {
        let mut block = Array2::zeros((self.ncols(), BLOCK));
        for start in (0..self.rows).step_by(BLOCK) {
            let rows = start..(start + BLOCK).min(self.rows);
            let mut filled = columns_mut(block.view_mut(), 0..rows.len());
            self.fill(rows.clone(), filled.view_mut());
            with(rows, filled.view());
        }
    }

    /// Checks indicators and the codes of categories.
    pub(crate) fn validate_codes(&self) -> Result<()> {
        self.terms.iter().try_for_each(Term::validate)
    }

    /// Checks every value, and finds the columns that hold one value other than zero throughout. `also` sees
    /// each block on the way (before the outcome of the checks is known).
    pub(crate) fn validate(&self, mut also: impl FnMut(Range<usize>, ArrayView2<f64>)) -> Result<Vec<usize>> {
        self.validate_codes()?;
        let mut constant: Vec<Option<f64>> = vec![None; self.ncols()];
        let mut varies = vec![false; self.ncols()];
        let mut largest = vec![0.0_f64; self.ncols()];
        let mut bad: Option<(usize, usize)> = None;
        self.for_each_block(|rows, block| {
            for (j, column) in block.rows().into_iter().enumerate() {
                let first = *constant[j].get_or_insert(column[0]);
                let (mut same, mut size, mut finite) = (true, 0.0_f64, true);
                for &x in column {
                    same &= x == first;
                    size = size.max(x.abs());
                    finite &= x.is_finite();
                }
                varies[j] |= !same;
                largest[j] = largest[j].max(size);
                if !finite && bad.is_none() {
                    let row = column.iter().position(|x| !x.is_finite()).unwrap_or(0);
                    bad = Some((j, rows.start + row));
                }
            }
            also(rows, block);
        });
        if let Some((j, row)) = bad {
            return Err(Error::invalid(
                "holds NaN or an infinite value; leave the row out or impute the value",
            )
            .in_column(&self.names[j])
            .in_row(row));
        }
        for (j, &size) in largest.iter().enumerate() {
            if size > LARGEST || (size > 0.0 && size < 1.0 / LARGEST) {
                return Err(Error::invalid(format!(
                    "holds values as extreme as {size:e}, whose squares are no finite numbers; change the unit"
                ))
                .in_column(&self.names[j]));
            }
        }
        Ok((0..self.ncols()).filter(|&j| !varies[j] && constant[j].is_some_and(|c| c != 0.0)).collect())
    }
}

impl Term<'_> {
    fn validate(&self) -> Result<()> {
        let bad = match &self.kind {
            Kind::Indicator(Indicator::Bytes(values)) => values
                .iter()
                .position(|value| *value > 1)
                .map(|row| (row, format!("holds {} where 0 or 1 is needed", values[row]))),
            Kind::Category(category) => {
                let levels = category.levels.len();
                category.codes.iter().position(|code| *code as usize >= levels).map(|row| {
                    (
                        row,
                        format!(
                            "holds the code {} beyond {levels}; codes count from 0",
                            category.codes[row],
                            levels = counted(levels, "level")
                        ),
                    )
                })
            }
            _ => None,
        };
        bad.map_or(Ok(()), |(row, what)| Err(Error::invalid(what).in_column(&self.name).in_row(row)))
    }
}
