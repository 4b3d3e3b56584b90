//! The generalised Cochran-Mantel-Haenszel statistics.

use super::table::{Scores, degenerate};
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::Cholesky;
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2, ArrayView2, Axis};

/// What the generalised Cochran-Mantel-Haenszel test is sensitive to.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Association<'a> {
    /// Any association: rows and columns without order, `(r - 1)(c - 1)` degrees of freedom.
    General,
    /// A difference in mean column score between rows, `r - 1` degrees of freedom. Row scores are not used.
    RowMeanScores(Scores<'a>),
    /// A correlation of row and column scores, one degree of freedom.
    Correlation(Scores<'a>),
}

/// Tables of the same rows and columns in several strata, for tests of association within strata.
///
/// # Formula
/// Given the margins of each stratum `h`, the counts have the expectation `E_h` and the covariance
/// `n_h^2 (D(r) - r r') x (D(c) - c c') / (n_h - 1)` of the multiple hypergeometric distribution, with shares
/// `r`, `c` of rows and columns. For linear functions `A` of the counts, `G = sum A (O_h - E_h)`,
/// `V = sum A Cov_h A'`, the statistic is `G' V^-1 G`. `A` is the identity (without the last row and column),
/// the scores of columns for each row, or the products of scores.
///
/// # Errors
/// Of [`StratifiedTables::new`]: `degenerate_table` with fewer than two rows or columns, or one that is empty
/// in all strata; `invalid_input` without strata or where their shapes differ.
///
/// # Examples
/// ```
/// use armwise::categorical::{Association, StratifiedTables};
/// use armwise::ndarray::array;
///
/// let (women, men) = (array![[13, 6, 4], [16, 6, 3]], array![[15, 5, 2], [9, 8, 3]]);
/// let test = StratifiedTables::new(&[women.view(), men.view()])?.test(Association::General)?;
/// assert!((test.statistic - 0.55711).abs() < 1e-5 && test.df == 2.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Mantel & Haenszel (1959); Landis, Heyman & Koch (1978), International Statistical Review 46:237; Agresti
/// (2013), Categorical Data Analysis, section 8.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StratifiedTables {
    strata: Vec<Array2<u64>>,
    rows: usize,
    columns: usize,
}

impl StratifiedTables {
    /// One table for each stratum. Strata with fewer than two participants say nothing and do not count.
    ///
    /// # Errors
    /// See [`StratifiedTables`].
    pub fn new(tables: &[ArrayView2<u64>]) -> Result<Self> {
        let Some(first) = tables.first() else {
            return Err(Error::invalid("there are no strata; give one table for each"));
        };
        let (rows, columns) = first.dim();
        if tables.iter().any(|table| table.dim() != (rows, columns)) {
            return Err(Error::invalid(
                "the tables of the strata differ in shape; give all the same rows and columns",
            ));
        }
        if rows < 2 || columns < 2 {
            return Err(degenerate(format!(
                "the tables are {rows} x {columns}; association needs at least two rows and two columns"
            )));
        }
        if tables.iter().flatten().map(|count| *count as f64).sum::<f64>() > 2_f64.powi(53) {
            return Err(Error::invalid("the tables count more than 2^53 participants"));
        }
        for (what, axis) in [("row", Axis(1)), ("column", Axis(0))] {
            let mut sums = Array1::<u64>::zeros(if axis == Axis(1) { rows } else { columns });
            for table in tables {
                sums += &table.sum_axis(axis);
            }
            if let Some(empty) = sums.iter().position(|sum| *sum == 0) {
                return Err(degenerate(format!(
                    "{what} {} holds nobody in any stratum; leave it out",
                    empty + 1
                )));
            }
        }
        Ok(Self { strata: tables.iter().map(ArrayView2::to_owned).collect(), rows, columns })
    }

    /// The test of one kind of association.
    ///
    /// # Errors
    /// `invalid_input` for scores of the wrong number; `not_estimable` where the strata do not compare all
    /// rows or columns, so that the covariance is singular.
    pub fn test(&self, association: Association) -> Result<ChiSquaredTest> {
        let k = match association {
            Association::General => (self.rows - 1) * (self.columns - 1),
            Association::RowMeanScores(_) => self.rows - 1,
            Association::Correlation(_) => 1,
        };
        let (mut sum, mut covariance) = (Array1::<f64>::zeros(k), Array2::<f64>::zeros((k, k)));
        for table in &self.strata {
            let stratum = Stratum::new(table);
            if stratum.n < 2.0 {
                continue;
            }
            // Rows and columns act through a factor each; the covariance is their Kronecker product.
            let (left, right) = match association {
                Association::General => (contrasts(self.rows), contrasts(self.columns)),
                Association::RowMeanScores(scores) => {
                    (contrasts(self.rows), as_row(scores.of_columns(&stratum.columns)?))
                }
                Association::Correlation(scores) => {
                    (as_row(scores.of_rows(&stratum.rows)?), as_row(scores.of_columns(&stratum.columns)?))
                }
            };
            stratum.add(&left, &right, &mut sum, &mut covariance);
        }
        let factor = Cholesky::new(covariance.view()).filter(|factor| factor.smallest_pivot > 1e-10).ok_or_else(|| {
            Error::from(ErrorKind::NotEstimable(
                "no stratum holds participants of different rows and columns to compare, or not of all of them; merge strata, or leave \
                 out the rows that are alone"
                    .to_owned(),
            ))
        })?;
        ChiSquaredTest::new(sum.dot(&factor.solve(sum.view())), k as f64)
    }
}

struct Stratum {
    n: f64,
    rows: Vec<u64>,
    columns: Vec<u64>,
    /// `O - E`
    excess: Array2<f64>,
}

impl Stratum {
    fn new(table: &Array2<u64>) -> Self {
        let rows = table.sum_axis(Axis(1)).to_vec();
        let columns = table.sum_axis(Axis(0)).to_vec();
        let n = rows.iter().sum::<u64>() as f64;
        let excess = Array2::from_shape_fn(table.dim(), |(i, j)| {
            table[[i, j]] as f64 - if n > 0.0 { rows[i] as f64 * (columns[j] as f64 / n) } else { 0.0 }
        });
        Self { n, rows, columns, excess }
    }

    fn add(
        &self,
        left: &Array2<f64>,
        right: &Array2<f64>,
        sum: &mut Array1<f64>,
        covariance: &mut Array2<f64>,
    ) {
        let g = left.dot(&self.excess).dot(&right.t());
        sum.iter_mut().zip(&g).for_each(|(sum, g)| *sum += g);
        let a = left.dot(&multinomial(&self.rows, self.n)).dot(&left.t());
        let b = right.dot(&multinomial(&self.columns, self.n)).dot(&right.t());
        let m = b.nrows();
        let factor = self.n * self.n / (self.n - 1.0);
        for ((i, j), value) in covariance.indexed_iter_mut() {
            *value += factor * a[[i / m, j / m]] * b[[i % m, j % m]];
        }
    }
}

/// `D(s) - s s'` of the shares.
fn multinomial(sums: &[u64], n: f64) -> Array2<f64> {
    let share = |i: usize| sums[i] as f64 / n;
    Array2::from_shape_fn((sums.len(), sums.len()), |(i, j)| {
        if i == j { share(i) * (1.0 - share(i)) } else { -share(i) * share(j) }
    })
}

/// The identity without its last row.
fn contrasts(k: usize) -> Array2<f64> {
    Array2::from_shape_fn((k - 1, k), |(i, j)| f64::from(u8::from(i == j)))
}

fn as_row(scores: Vec<f64>) -> Array2<f64> {
    Array1::from(scores).insert_axis(Axis(0))
}
