//! Moderators: covariates of studies, and their coding as columns of a design.

// Array views are passed by value, as ndarray does.
#![allow(clippy::needless_pass_by_value)]

use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Whether a meta-regression has an intercept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Intercept {
    /// A column of ones stands before the moderators. The default.
    #[default]
    Included,
    /// Regression through the origin; the first category of labels then gets a column for each of its levels
    /// (subgroup means).
    None,
}

/// Moderators of the studies that a [`MetaRegression`](super::MetaRegression) pools: numbers and categories,
/// by name.
///
/// A category with L levels becomes L - 1 columns `name=level` against its first level in the order of the
/// alphabet.
///
/// ```
/// use armwise::meta_analysis::{MetaRegression, Moderators};
///
/// let moderators = Moderators::new()
///     .number("year", &[0.0, 2.0, 3.0, 7.0])
///     .category("site", &["a", "a", "b", "b"]);
/// let fit = MetaRegression::new().fit(
///     &[0.1, 0.2, 0.2, 0.5],
///     &[0.01, 0.02, 0.01, 0.03],
///     &moderators,
/// )?;
/// assert_eq!(fit.coefficients[2].name, "site=b");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moderators {
    terms: Vec<Term>,
    intercept: Intercept,
    /// Names and columns of a matrix whose numbers differ, which the fit refuses.
    misnamed: Option<Misnamed>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Misnamed {
    names: usize,
    columns: usize,
}

#[derive(Debug, Clone, PartialEq)]
struct Term {
    name: String,
    values: Values,
}

#[derive(Debug, Clone, PartialEq)]
enum Values {
    Numbers(Vec<f64>),
    Labels(Vec<String>),
}

impl Values {
    fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Labels(labels) => labels.len(),
        }
    }
}

impl Moderators {
    /// No moderator: the mean effect alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// The columns of a matrix with one row for each study, in addition to those that there are. The fit
    /// refuses another number of names than of columns.
    #[must_use]
    pub fn columns<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
        matrix: ArrayView2<'_, f64>,
    ) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != matrix.ncols() {
            self.misnamed = Some(Misnamed { names: names.len(), columns: matrix.ncols() });
        }
        for (name, column) in names.into_iter().zip(matrix.columns()) {
            self.terms.push(Term { name, values: Values::Numbers(column.to_vec()) });
        }
        self
    }

    /// Adds a number of each study.
    #[must_use]
    pub fn number(mut self, name: impl Into<String>, values: &[f64]) -> Self {
        self.terms.push(Term { name: name.into(), values: Values::Numbers(values.to_vec()) });
        self
    }

    /// Adds a label of each study.
    #[must_use]
    pub fn category<S: AsRef<str>>(mut self, name: impl Into<String>, labels: &[S]) -> Self {
        let labels = labels.iter().map(|label| label.as_ref().to_owned()).collect();
        self.terms.push(Term { name: name.into(), values: Values::Labels(labels) });
        self
    }

    setters! {
        /// Whether there is an intercept; default yes.
        intercept: Intercept;
    }

    /// The number of studies, or of rows to predict for; one where there is no moderator to tell.
    pub(super) fn rows(&self) -> usize {
        self.terms.first().map_or(1, |term| term.values.len())
    }

    /// How the terms become columns, fixed by these values.
    pub(super) fn coding(&self) -> Coding {
        let mut terms = Vec::with_capacity(self.terms.len());
        let mut whole = self.intercept == Intercept::None;
        for term in &self.terms {
            let levels = match &term.values {
                Values::Numbers(_) => Vec::new(),
                Values::Labels(labels) => {
                    let levels = labels.iter().cloned().collect::<BTreeSet<_>>().into_iter();
                    let skipped = usize::from(!std::mem::replace(&mut whole, false));
                    let levels = levels.map(|level| CodedLevel { level, column: None }).collect::<Vec<_>>();
                    let mut next = 0;
                    levels
                        .into_iter()
                        .enumerate()
                        .map(|(index, mut level)| {
                            if index >= skipped {
                                level.column = Some(next);
                                next += 1;
                            }
                            level
                        })
                        .collect()
                }
            };
            terms.push(CodedTerm { name: term.name.clone(), levels });
        }
        Coding { intercept: self.intercept, terms }
    }

    /// The rows of the design under a coding, p to a row; `k` rows where there is no term to tell.
    pub(super) fn design(&self, coding: &Coding, k: usize) -> Result<Vec<f64>> {
        if let Some(Misnamed { names, columns }) = self.misnamed {
            return Err(Error::invalid(format!(
                "a matrix of {columns} has {names}; give one for each",
                names = counted(names, "name"),
                columns = counted(columns, "column")
            )));
        }
        if self.terms.len() != coding.terms.len() {
            return Err(Error::invalid(format!(
                "the model has {}, not {}; give each of them",
                counted(coding.terms.len(), "moderator"),
                self.terms.len()
            )));
        }
        let p = coding.names().len();
        let mut x = vec![0.0; k * p];
        let mut start = 0;
        if coding.intercept == Intercept::Included {
            (0..k).for_each(|i| x[i * p] = 1.0);
            start = 1;
        }
        for (term, coded) in self.terms.iter().zip(&coding.terms) {
            if term.name != coded.name {
                return Err(Error::invalid(format!(
                    "the moderator \"{}\" stands where the model has \"{}\"; give them in the same order",
                    term.name, coded.name
                )));
            }
            if term.values.len() != k {
                return Err(Error::invalid(format!(
                    "the moderator \"{}\" has {} for {studies}; give one for each",
                    term.name,
                    counted(term.values.len(), "value"),
                    studies = counted(k, "study")
                )));
            }
            match &term.values {
                Values::Numbers(numbers) if coded.levels.is_empty() => {
                    for (i, number) in numbers.iter().enumerate() {
                        if number.is_nan() || number.abs() > 1e50 {
                            return Err(Error::invalid(format!(
                                "the moderator \"{}\" of study {} is {number}; it must be finite",
                                term.name,
                                i + 1
                            )));
                        }
                        x[i * p + start] = *number;
                    }
                }
                Values::Labels(labels) if !coded.levels.is_empty() => {
                    for (i, label) in labels.iter().enumerate() {
                        if let Some(column) = coded.column(label)? {
                            x[i * p + start + column] = 1.0;
                        }
                    }
                }
                _ => {
                    return Err(Error::invalid(format!(
                        "the moderator \"{}\" is a number in one place and a label in the other; give it as it was in the fit",
                        term.name
                    )));
                }
            }
            start += coded.width();
        }
        Ok(x)
    }
}

/// How moderators become columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Coding {
    pub(super) intercept: Intercept,
    pub(super) terms: Vec<CodedTerm>,
}

/// A number (no levels) or a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "CodedTermWire")]
pub(super) struct CodedTerm {
    pub(super) name: String,
    levels: Vec<CodedLevel>,
}

#[derive(Deserialize)]
struct CodedTermWire {
    name: String,
    levels: Vec<CodedLevel>,
}

impl TryFrom<CodedTermWire> for CodedTerm {
    type Error = Error;

    fn try_from(CodedTermWire { name, levels }: CodedTermWire) -> Result<Self> {
        let columns = levels.iter().filter_map(|level| level.column);
        if columns.enumerate().all(|(place, column)| place == column) {
            return Ok(Self { name, levels });
        }
        Err(Error::invalid(format!(
            "the columns of the moderator \"{name}\" must count from 0, one for each level"
        )))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct CodedLevel {
    level: String,
    /// Among the columns of the term; `None` for the level that the others are compared with.
    column: Option<usize>,
}

impl CodedTerm {
    pub(super) fn width(&self) -> usize {
        if self.levels.is_empty() {
            return 1;
        }
        self.levels.iter().filter(|level| level.column.is_some()).count()
    }

    fn column(&self, label: &str) -> Result<Option<usize>> {
        self.levels.iter().find(|level| level.level == label).map(|level| level.column).ok_or_else(|| {
            let known = self.levels.iter().map(|level| level.level.clone()).collect();
            ErrorKind::UnknownCategory { label: label.to_owned(), known }.into()
        })
    }
}

impl Coding {
    /// Refuses a category of one level, and names of columns that occur twice.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(constant) = self.terms.iter().find(|term| term.width() == 0) {
            return Err(Error::invalid(format!(
                "the moderator \"{}\" has the same label in all studies; leave it out",
                constant.name
            )));
        }
        let names = self.names();
        match (1..names.len()).find(|&i| names[..i].contains(&names[i])) {
            None => Ok(()),
            Some(i) => {
                let why = format!(
                    "two columns of the moderators are named \"{}\"; give each its own name",
                    names[i]
                );
                Err(Error::invalid(why))
            }
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        if self.intercept == Intercept::Included {
            names.push("intercept".to_owned());
        }
        for term in &self.terms {
            if term.levels.is_empty() {
                names.push(term.name.clone());
            }
            let levels = term.levels.iter().filter(|level| level.column.is_some());
            names.extend(levels.map(|level| format!("{}={}", term.name, level.level)));
        }
        names
    }
}
