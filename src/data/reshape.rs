//! From one table to another: other names, other labels, other rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::levels::Levels;
use crate::data::twins::is_blank;
use crate::data::{Column, ColumnKind, MISSING_CODE, Table};
use crate::error::{Error, ErrorKind, Result, counted};

/// The side to which a number on the bound of two bands belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// The band above: with bounds 25 and 45 the bands are below 25, from 25 to below 45, and 45 and more.
    Above,
    /// The band below: with bounds 25 and 45 the bands are to 25, above 25 to 45, and above 45.
    Below,
}

impl Table {
    /// The same table with another name for a column.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::new().with_counts("leeftijd", [34, 51])?.rename("leeftijd", "age")?;
    /// assert_eq!(table.names().collect::<Vec<_>>(), ["age"]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`; `invalid_input` for a new name that is empty or taken.
    pub fn rename(&self, from: &str, to: &str) -> Result<Self> {
        let place = self.place(from)?;
        if to.trim().is_empty() {
            return Err(Error::invalid("a column needs a name that is not empty").in_column(from));
        }
        if from != to && self.names.iter().any(|other| **other == *to) {
            let why = "the table already has a column of this name; give the other one another name first";
            return Err(Error::invalid(why).in_column(to));
        }
        let mut table = self.clone();
        table.names[place] = to.into();
        Ok(table)
    }

    /// The same table with other labels in a column: each pair is a label and what it becomes. Several labels
    /// may become one; labels that are not named stay. A column of numbers or flags becomes one of
    /// categories.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::new()
    ///     .with_categories("contract", ["vast", "Vast", "geen"])?
    ///     .recode("contract", [("Vast", "permanent"), ("vast", "permanent"), ("geen", "none")])?;
    /// let contract = table.column("contract")?;
    /// assert_eq!(contract.levels().len(), 2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`; `unknown_category` for a label that does not occur; `invalid_input` for a label that
    /// is named twice or becomes empty.
    pub fn recode<S: AsRef<str>, T: AsRef<str>>(
        &self,
        column: &str,
        pairs: impl IntoIterator<Item = (S, T)>,
    ) -> Result<Self> {
        let pairs: Vec<(S, T)> = pairs.into_iter().collect();
        let labelled = self.labelled(column)?;
        let mut new: Vec<Arc<str>> = labelled.levels().to_vec();
        let mut done = vec![false; new.len()];
        for (from, to) in &pairs {
            let code = labelled.code(from.as_ref()).map_err(|error| error.in_column(column))?;
            if std::mem::replace(&mut done[code], true) {
                let why = format!("the label \"{}\" is recoded twice; name it once", from.as_ref());
                return Err(Error::invalid(why).in_column(column));
            }
            if is_blank(to.as_ref()) {
                let why = format!(
                    "the label \"{}\" becomes empty; make it missing by missing_where(column, labels)",
                    from.as_ref()
                );
                return Err(Error::invalid(why).in_column(column));
            }
            new[code] = to.as_ref().into();
        }
        let mut levels = Levels::default();
        let codes: Vec<u32> = new.iter().map(|label| levels.code(label)).collect::<Result<_>>()?;
        let code = |old: &u32| codes.get(*old as usize).copied().unwrap_or(MISSING_CODE);
        let cells = labelled.as_codes()?.iter().map(code).collect();
        Ok(self.replace(column, Column::from_codes(cells, &levels)))
    }

    /// The same table with the cells of a column missing where they have one of these labels: a code such as
    /// `999` among numbers, or `onbekend` among labels. The kind of the column stays.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table =
    ///     Table::new().with_counts("age", [34, 999, 51])?.missing_where("age", ["999"])?;
    /// assert_eq!(table.column("age")?.counts()?.collect::<Vec<_>>(), [Some(34), None, Some(51)]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`; `unknown_category` for a label that does not occur.
    pub fn missing_where<S: AsRef<str>>(
        &self,
        column: &str,
        labels: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let hit = self.has_label(column, labels)?;
        let missing = self.column(column)?.with_missing(&hit);
        Ok(self.replace(column, missing))
    }

    /// The same table with a new column of bands of the numbers in another. `labels` name the bands from the
    /// lowest to the highest, and are one more than the bounds.
    ///
    /// ```
    /// use armwise::Table;
    /// use armwise::data::Bound;
    ///
    /// let table = Table::new().with_reals("age", [Some(24.0), Some(45.0), None])?.cut(
    ///     "age",
    ///     "band",
    ///     [25.0, 45.0],
    ///     ["under 25", "25 to 44", "45 and over"],
    ///     Bound::Above,
    /// )?;
    /// let bands: Vec<_> = table.column("band")?.categories()?.collect();
    /// assert_eq!(bands, [Some("under 25"), Some("45 and over"), None]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`, and `column_type` for a column of categories; `invalid_input` for bounds that do not
    /// rise, for another number of labels, for labels that are empty or occur twice, and for a name that is
    /// empty or taken.
    pub fn cut<S: AsRef<str>>(
        &self,
        column: &str,
        name: &str,
        bounds: impl IntoIterator<Item = f64>,
        labels: impl IntoIterator<Item = S>,
        bound: Bound,
    ) -> Result<Self> {
        let bounds: Vec<f64> = bounds.into_iter().collect();
        let labels: Vec<S> = labels.into_iter().collect();
        let cells = self.reals(column)?;
        if bounds.iter().any(|x| !x.is_finite()) || bounds.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(Error::invalid(
                "the bounds of the bands have to rise; give each once, the lowest first",
            )
            .in_column(column));
        }
        if labels.len() != bounds.len() + 1 {
            let why = format!(
                "{} by {} need as many labels, not {}; give one for each band",
                counted(bounds.len() + 1, "band"),
                counted(bounds.len(), "bound"),
                labels.len()
            );
            return Err(Error::invalid(why).in_column(column));
        }
        let mut levels = Levels::default();
        for (place, label) in labels.iter().enumerate() {
            let twice = labels[..place].iter().any(|other| other.as_ref() == label.as_ref());
            if twice || is_blank(label.as_ref()) {
                let why = format!(
                    "the label \"{}\" is empty or names two bands; give each band its own",
                    label.as_ref()
                );
                return Err(Error::invalid(why).in_column(column));
            }
            levels.code(label.as_ref())?;
        }
        let band = |x: &f64| {
            let below = |limit: &f64| match bound {
                Bound::Above => *limit <= *x,
                Bound::Below => *limit < *x,
            };
            if x.is_nan() {
                return MISSING_CODE;
            }
            u32::try_from(bounds.partition_point(below)).unwrap_or(MISSING_CODE)
        };
        let codes = cells.iter().map(band).collect();
        self.clone().with_column(name, Column::from_codes(codes, &levels))
    }

    /// The rows that have a value in each of these columns.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::new()
    ///     .with_reals("age", [Some(34.0), None, Some(62.0)])?
    ///     .with_counts("hours", [Some(32), Some(20), None])?;
    /// assert_eq!(table.drop_missing(["age"])?.rows(), 2);
    /// assert_eq!(table.drop_missing(["age", "hours"])?.rows(), 1);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`.
    pub fn drop_missing<S: AsRef<str>>(&self, columns: impl IntoIterator<Item = S>) -> Result<Self> {
        let columns: Vec<&Column> =
            columns.into_iter().map(|name| self.column(name.as_ref())).collect::<Result<_>>()?;
        let keep: Vec<bool> =
            (0..self.rows).map(|row| columns.iter().all(|column| !column.is_missing(row))).collect();
        self.keep(&keep)
    }

    /// The rows whose cell in a column has one of these labels.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let table = Table::new().with_categories("city", ["Utrecht", "Tilburg", "Deventer"])?;
    /// assert_eq!(table.keep_categories("city", ["Utrecht", "Deventer"])?.rows(), 2);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`; `unknown_category` for a label that does not occur.
    pub fn keep_categories<S: AsRef<str>>(
        &self,
        column: &str,
        labels: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        self.keep(&self.has_label(column, labels)?)
    }

    /// The rows of this table, and below them those of another with the same columns, in any order.
    ///
    /// Counts and real numbers become real numbers together; a column in which all cells are missing is of
    /// any kind.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let utrecht = Table::from_csv_str("arm,hours\ncontrol,20\nguidance,31\n")?;
    /// let tilburg = Table::from_csv_str("hours,arm\n12.5,control\n,guidance\n")?;
    /// let both = utrecht.append(&tilburg)?;
    /// assert_eq!((both.rows(), both.column("hours")?.missing()), (4, 1));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column` for a column that one of the tables lacks; `column_type` for kinds that do not fit;
    /// `twin_labels` for labels that differ by case, spacing or Unicode composition only.
    pub fn append(&self, other: &Self) -> Result<Self> {
        if let Some(name) = other.names().find(|name| !self.names.iter().any(|own| **own == **name)) {
            self.column(name)?;
        }
        let mut table = Self::new();
        for (name, column) in self.names.iter().zip(&self.columns) {
            let both = column.append(other.column(name)?).map_err(|error| error.in_column(name))?;
            table = table.with_column(name, both)?;
        }
        table.rows = self.rows + other.rows;
        let mut notices = self.notices.clone();
        notices.extend(other.notices.iter().filter(|notice| !self.notices.contains(notice)).cloned());
        Ok(table.with_notices(notices))
    }

    /// True for every row whose cell has one of these labels, each of which has to occur.
    fn has_label<S: AsRef<str>>(
        &self,
        column: &str,
        labels: impl IntoIterator<Item = S>,
    ) -> Result<Vec<bool>> {
        let labelled = self.labelled(column)?;
        let mut wanted = vec![false; labelled.levels().len()];
        for label in labels {
            let code = labelled.code(label.as_ref()).map_err(|error| error.in_column(column))?;
            wanted[code] = true;
        }
        Ok(labelled
            .as_codes()?
            .iter()
            .map(|&code| wanted.get(code as usize).copied().unwrap_or(false))
            .collect())
    }

    pub(super) fn place(&self, name: &str) -> Result<usize> {
        self.column(name)?;
        Ok(self.names.iter().position(|other| **other == *name).unwrap_or(0))
    }

    /// The table with another column under a name that it has.
    fn replace(&self, name: &str, column: Column) -> Self {
        let mut table = self.clone();
        if let Some(place) = table.names.iter().position(|other| **other == *name) {
            table.columns[place] = column;
        }
        table
    }
}

impl Column {
    /// The code of a label of a column of categories.
    pub(super) fn code(&self, label: &str) -> Result<usize> {
        self.levels().iter().position(|other| **other == *label).ok_or_else(|| {
            let known = self.levels().iter().map(ToString::to_string).collect();
            ErrorKind::UnknownCategory { label: label.to_owned(), known }.into()
        })
    }

    /// The cells of this column, and below them those of another.
    fn append(&self, other: &Self) -> Result<Self> {
        let empty = |column: &Self| column.missing() == column.len();
        let (a, b) = (self.kind(), other.kind());
        let kind = match (a, b) {
            _ if a == b => a,
            _ if empty(other) => a,
            _ if empty(self) => b,
            (ColumnKind::Real | ColumnKind::Count, ColumnKind::Real | ColumnKind::Count) => ColumnKind::Real,
            _ => {
                let needed = format!("{b}, as in the table below,");
                return Err(ErrorKind::ColumnType { found: a.to_string(), needed }.into());
            }
        };
        match kind {
            ColumnKind::Real => {
                Self::of_reals(self.numbers(empty(self))?.chain(other.numbers(empty(other))?))
            }
            ColumnKind::Count => {
                Self::of_counts(self.numbers(empty(self))?.chain(other.numbers(empty(other))?))
            }
            ColumnKind::Flag => {
                let flags = |column: &Self| -> Result<Vec<Option<bool>>> {
                    if empty(column) { Ok(vec![None; column.len()]) } else { Ok(column.flags()?.collect()) }
                };
                Self::of_flags(flags(self)?.into_iter().chain(flags(other)?))
            }
            ColumnKind::Category => {
                let (above, below) = (self.to_categories()?, other.to_categories()?);
                let both = Self::of_categories(above.categories()?.chain(below.categories()?))?;
                crate::data::check_twins(both.levels().iter().map(AsRef::as_ref))?;
                Ok(both)
            }
        }
    }

    fn numbers(&self, empty: bool) -> Result<impl Iterator<Item = Option<f64>>> {
        let numbers: Vec<Option<f64>> = if empty { vec![None; self.len()] } else { self.reals()?.collect() };
        Ok(numbers.into_iter())
    }
}
