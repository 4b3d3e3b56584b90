//! Tables of counts: groups in rows, categories in columns.

use crate::compute::hypothesis::ChiSquaredTest;
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array2, ArrayView2, Axis};

/// A table of counts with at least two rows and two columns, none of them empty.
///
/// # Formula
/// Notation of its methods: `O_ij` the counts, `R_i` and `C_j` the sums of rows and columns, `N` the total,
/// and `E_ij = R_i C_j / N` the counts expected if rows and columns were independent.
///
/// # Examples
/// Job satisfaction by income, 104 black Americans (Agresti 2002, Categorical Data Analysis, table 2.8, both
/// sexes).
/// ```
/// use armwise::categorical::ContingencyTable;
/// use armwise::ndarray::array;
///
/// let table = ContingencyTable::new(
///     array![[1, 3, 10, 6], [2, 3, 10, 7], [1, 6, 14, 12], [0, 1, 9, 11]].view(),
/// )?;
/// let test = table.pearson_test()?;
/// assert!((test.statistic - 5.9655).abs() < 1e-4 && test.df == 9.0);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContingencyTable {
    pub(super) counts: Array2<u64>,
    pub(super) rows: Vec<u64>,
    pub(super) columns: Vec<u64>,
    pub(super) total: u64,
}

/// The scores of ordered rows and columns.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Scores<'a> {
    /// 1, 2, 3, ... for rows and for columns.
    EquallySpaced,
    /// The mean rank of the participants in each row and in each column.
    Midranks,
    /// One number for each row and one for each column.
    Given {
        /// One for each row.
        rows: &'a [f64],
        /// One for each column.
        columns: &'a [f64],
    },
}

/// Cramer's measure of association, from 0 (none) to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CramersV {
    /// `sqrt(X^2 / (N (min(r, c) - 1)))`, which is well above 0 in small samples without association.
    Plain,
    /// `sqrt(f / (min(r', c') - 1))` with `f = max(0, X^2/N - (r-1)(c-1)/(N-1))`, `r' = r - (r-1)^2/(N-1)`
    /// and `c'` likewise (Bergsma 2013, Journal of the Korean Statistical Society 42:323).
    BiasCorrected,
}

/// The linear-by-linear association test with the correlation on which it rests.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct LinearByLinear {
    /// Pearson's correlation of the row and column scores over participants.
    pub correlation: f64,
    /// `(N - 1) r^2` with one degree of freedom.
    pub test: ChiSquaredTest,
}

impl ContingencyTable {
    /// A table of counts, one group in each row.
    ///
    /// # Errors
    /// `degenerate_table` with fewer than two rows or columns, or where one of them is empty; `invalid_input`
    /// beyond 2^53 participants.
    pub fn new(counts: ArrayView2<u64>) -> Result<Self> {
        let mut total = 0_u64;
        for count in counts {
            total = total
                .checked_add(*count)
                .filter(|total| *total < 1 << 53)
                .ok_or_else(|| Error::invalid("the table counts more than 2^53 participants"))?;
        }
        let rows = counts.sum_axis(Axis(1)).to_vec();
        let columns = counts.sum_axis(Axis(0)).to_vec();
        for (what, sums) in [("row", &rows), ("column", &columns)] {
            if let Some(empty) = sums.iter().position(|sum| *sum == 0) {
                return Err(degenerate(format!(
                    "{what} {} of the table holds nobody, so that nothing can be expected there; leave it out",
                    empty + 1
                )));
            }
            if sums.len() < 2 {
                return Err(degenerate(format!(
                    "the table has {}; association needs at least two rows and two columns, so report \
                     the proportions with their intervals",
                    counted(sums.len(), what)
                )));
            }
        }
        Ok(Self { counts: counts.to_owned(), rows, columns, total })
    }

    /// The counts.
    pub fn counts(&self) -> ArrayView2<'_, u64> {
        self.counts.view()
    }

    /// The number of participants in each row.
    pub fn row_sums(&self) -> &[u64] {
        &self.rows
    }

    /// The number of participants in each column.
    pub fn column_sums(&self) -> &[u64] {
        &self.columns
    }

    /// The number of participants.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// `(r - 1)(c - 1)`.
    pub fn df(&self) -> f64 {
        (self.rows.len() - 1) as f64 * (self.columns.len() - 1) as f64
    }

    fn map(&self, f: impl Fn(f64, f64, Margins) -> f64) -> Array2<f64> {
        let n = self.total as f64;
        Array2::from_shape_fn(self.counts.dim(), |(i, j)| {
            let margins = Margins { row: self.rows[i] as f64 / n, column: self.columns[j] as f64 / n };
            f(self.counts[[i, j]] as f64, self.rows[i] as f64 * margins.column, margins)
        })
    }

    /// The expected counts `E_ij`.
    pub fn expected(&self) -> Array2<f64> {
        self.map(|_, expected, _| expected)
    }

    /// Pearson's residuals `(O - E) / sqrt(E)`; their squares sum to Pearson's chi-square.
    pub fn pearson_residuals(&self) -> Array2<f64> {
        self.map(|observed, expected, _| (observed - expected) / expected.sqrt())
    }

    /// Adjusted residuals `(O - E) / sqrt(E (1 - R_i/N) (1 - C_j/N))`: standard normal in large samples
    /// without association (Haberman 1973, Biometrics 29:205).
    pub fn adjusted_residuals(&self) -> Array2<f64> {
        self.map(|observed, expected, margins| {
            (observed - expected) / (expected * (1.0 - margins.row) * (1.0 - margins.column)).sqrt()
        })
    }

    fn pearson_statistic(&self) -> f64 {
        self.pearson_residuals().iter().map(|residual| residual * residual).sum()
    }

    /// Pearson's chi-square test, `sum (O - E)^2 / E`, without correction (Pearson 1900).
    ///
    /// # Errors
    /// None in practice.
    pub fn pearson_test(&self) -> Result<ChiSquaredTest> {
        ChiSquaredTest::new(self.pearson_statistic(), self.df())
    }

    /// The likelihood ratio test G, `2 sum O ln(O / E)`.
    ///
    /// # Errors
    /// None in practice.
    pub fn likelihood_ratio_test(&self) -> Result<ChiSquaredTest> {
        // O ln(O/E) - (O - E) has the same sum, and every term is positive: no digits cancel.
        let terms = self.map(|observed, expected, _| {
            if observed == 0.0 {
                expected
            } else {
                let excess = observed - expected;
                observed * (excess / expected).ln_1p() - excess
            }
        });
        ChiSquaredTest::new((2.0 * terms.sum()).max(0.0), self.df())
    }

    /// Cramer's V.
    pub fn cramers_v(&self, form: CramersV) -> f64 {
        let n = self.total as f64;
        let (r, c) = (self.rows.len() as f64, self.columns.len() as f64);
        let phi2 = self.pearson_statistic() / n;
        match form {
            CramersV::Plain => (phi2 / (r.min(c) - 1.0)).sqrt().min(1.0),
            CramersV::BiasCorrected => {
                let phi2 = (phi2 - self.df() / (n - 1.0)).max(0.0);
                let shrunk = |k: f64| k - (k - 1.0).powi(2) / (n - 1.0);
                if phi2 == 0.0 { 0.0 } else { (phi2 / (shrunk(r).min(shrunk(c)) - 1.0)).sqrt() }
            }
        }
    }

    /// Mantel's test of a linear association of ordered rows and columns, `(N - 1) r^2` with `r` the
    /// correlation of the scores (Mantel 1963, Journal of the American Statistical Association 58:690).
    ///
    /// # Errors
    /// `invalid_input` unless there is one finite score for each row and each column; `zero_variance` where
    /// the scores of all rows or of all columns are equal.
    pub fn linear_by_linear(&self, scores: Scores) -> Result<LinearByLinear> {
        let n = self.total as f64;
        let rows = centred(scores.of_rows(&self.rows)?, &self.rows)?;
        let columns = centred(scores.of_columns(&self.columns)?, &self.columns)?;
        let squares = |scores: &[f64], sums: &[u64]| -> f64 {
            scores.iter().zip(sums).map(|(score, sum)| *sum as f64 * score * score).sum()
        };
        let products: f64 =
            self.counts.indexed_iter().map(|((i, j), count)| *count as f64 * rows[i] * columns[j]).sum();
        let correlation =
            products / (squares(&rows, &self.rows).sqrt() * squares(&columns, &self.columns).sqrt());
        Ok(LinearByLinear {
            correlation,
            test: ChiSquaredTest::new((n - 1.0) * correlation * correlation, 1.0)?,
        })
    }

    /// The Kruskal-Wallis test of equal distributions over ordered columns in all rows, with midranks; see
    /// [`OneWay::kruskal_wallis`](super::OneWay::kruskal_wallis).
    ///
    /// # Errors
    /// None in practice.
    pub fn kruskal_wallis(&self) -> Result<ChiSquaredTest> {
        let n = self.total as f64;
        let ranks = centred(midranks(&self.columns), &self.columns)?;
        let total: f64 = ranks.iter().zip(&self.columns).map(|(rank, sum)| *sum as f64 * rank * rank).sum();
        let between: f64 = self
            .counts
            .rows()
            .into_iter()
            .zip(&self.rows)
            .map(|(row, sum)| {
                let rank_sum: f64 = row.iter().zip(&ranks).map(|(count, rank)| *count as f64 * rank).sum();
                rank_sum * rank_sum / *sum as f64
            })
            .sum();
        ChiSquaredTest::new((n - 1.0) * (between / total), (self.rows.len() - 1) as f64)
    }
}

/// Shares of all participants.
#[derive(Debug, Clone, Copy)]
struct Margins {
    row: f64,
    column: f64,
}

impl Scores<'_> {
    pub(super) fn of_rows(self, sums: &[u64]) -> Result<Vec<f64>> {
        match self {
            Self::Given { rows, .. } => given(rows, sums.len(), "rows"),
            other => Ok(other.of(sums)),
        }
    }

    pub(super) fn of_columns(self, sums: &[u64]) -> Result<Vec<f64>> {
        match self {
            Self::Given { columns, .. } => given(columns, sums.len(), "columns"),
            other => Ok(other.of(sums)),
        }
    }

    fn of(self, sums: &[u64]) -> Vec<f64> {
        match self {
            Self::Midranks => midranks(sums),
            _ => (1..=sums.len()).map(|score| score as f64).collect(),
        }
    }
}

fn given(scores: &[f64], wanted: usize, what: &str) -> Result<Vec<f64>> {
    if scores.len() != wanted || !scores.iter().all(|score| score.abs() < 1e100) {
        return Err(Error::invalid(format!(
            "the scores of the {what} are {scores:?}; give {wanted} finite numbers"
        )));
    }
    Ok(scores.to_vec())
}

/// The mean rank of the participants of each category.
pub(super) fn midranks(sums: &[u64]) -> Vec<f64> {
    let mut before = 0.0;
    sums.iter()
        .map(|&sum| {
            let rank = before + 0.5 * (sum as f64 + 1.0);
            before += sum as f64;
            rank
        })
        .collect()
}

/// Scores minus their mean over participants.
pub(super) fn centred(mut scores: Vec<f64>, sums: &[u64]) -> Result<Vec<f64>> {
    let total: f64 = sums.iter().map(|sum| *sum as f64).sum();
    let mut held = scores.iter().zip(sums).filter(|(_, sum)| **sum > 0).map(|(score, _)| *score);
    let first = held.next().unwrap_or(0.0);
    if held.all(|score| score == first) {
        return Err(ErrorKind::ZeroVariance(
            "all participants have the same score, so that there is no trend; give scores that differ"
                .to_owned(),
        )
        .into());
    }
    // Around the first score before the mean is taken: a large common value costs no digits.
    let mean = scores.iter().zip(sums).map(|(score, sum)| (score - first) * *sum as f64).sum::<f64>() / total;
    for score in &mut scores {
        *score = (*score - first) - mean;
    }
    Ok(scores)
}

pub(super) fn degenerate(why: String) -> Error {
    ErrorKind::DegenerateTable(why).into()
}
