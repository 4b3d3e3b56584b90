//! The checks of data before a fit.

use super::family::{Curve, Family, Variance};
use super::information::add_cross_product;
use super::irls::Problem;
use super::kernel::{ColumnMoments, Kernel};
use super::matrix::{BLOCK, ModelMatrix};
use super::observations::{Observations, Totals};
use crate::compute::linalg::{Cholesky, UpperFactor, aliased_columns};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array2, ArrayView2};

/// What to do with columns that are linear combinations of the columns before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Aliasing {
    /// The error `rank_deficient`, which names them.
    #[default]
    Refuse,
    /// Leave them out, as R does; [`Fit::aliased`](super::Fit::aliased) names them.
    Drop,
}

/// Data that passed the checks before a fit.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    pub(crate) matrix: ModelMatrix<'a>,
    pub(crate) totals: Totals,
    /// Columns that hold one value other than zero.
    pub(crate) constant: Vec<usize>,
    pub(crate) aliased: Vec<String>,
    pub(crate) curve: Curve,
    pub(crate) stable: bool,
    /// Where the columns were checked in vectors.
    pub(crate) moments: Option<ColumnMoments>,
}

/// Columns for which the products of a model take 128 MB and, with ten times as many rows, seconds.
const MOST_COLUMNS: usize = 4000;

fn too_many(n: f64, columns: usize) -> Error {
    let limit = if columns > MOST_COLUMNS {
        format!(", and a model has at most {MOST_COLUMNS}")
    } else {
        String::new()
    };
    Error::from(ErrorKind::InsufficientObservations(format!(
        "{} cannot determine {}{limit}; leave covariates out, and identifiers such as a number of the person",
        counted(n, "observation"),
        counted(columns, "coefficient")
    )))
}

impl<'a> Checked<'a> {
    /// Checks for which maximum likelihood can have an estimate.
    pub(crate) fn new(
        matrix: &ModelMatrix<'a>,
        observations: &Observations<'a>,
        family: Family,
        curve: Curve,
        aliasing: Aliasing,
    ) -> Result<Self> {
        let checked = Self::of_data(matrix, observations, family, curve, aliasing)?;
        let totals = checked.totals;
        if curve.can_separate() && (totals.largest == 0.0 || is_all_ones(curve, totals.smallest)) {
            let (what, report) = match curve.variance {
                Variance::Binomial => ("outcome", "proportion with its exact interval (module proportion)"),
                _ => ("count", "rate with its exact interval (module rate)"),
            };
            return Err(Error::from(ErrorKind::ConstantOutcome(format!(
                "the {what} is {} in every row, so that no coefficient has a finite estimate; report the {report}",
                totals.largest
            ))));
        }
        Ok(checked)
    }

    /// Lengths, values, rank.
    pub(crate) fn of_data(
        matrix: &ModelMatrix<'a>,
        observations: &Observations<'a>,
        family: Family,
        curve: Curve,
        aliasing: Aliasing,
    ) -> Result<Self> {
        let totals = observations.validate(matrix, family)?;
        // Before anything takes p^2 in memory.
        if matrix.ncols() > MOST_COLUMNS || (aliasing == Aliasing::Refuse && totals.n < matrix.ncols() as f64)
        {
            return Err(too_many(totals.n, matrix.ncols()));
        }
        let (constant, cross, moments) = if let Some(found) = column_moments(matrix, observations) {
            (found.constant(), found.cross.clone(), Some(found))
        } else {
            let p = matrix.ncols();
            let (mut cross, mut scratch) = (Array2::zeros((p, p)), Array2::zeros((p, BLOCK)));
            let constant = matrix.validate(|range, block| {
                add_cross_product(block, &observations.counted(range), &mut scratch, &mut cross);
            })?;
            (constant, cross, None)
        };
        let mut checked = Self {
            matrix: matrix.clone(),
            totals,
            constant,
            aliased: Vec::new(),
            curve,
            stable: false,
            moments,
        };
        let (aliased, stable) = rank(matrix, observations, cross.view());
        checked.stable = stable;
        if totals.n < matrix.ncols() as f64 && (aliased.is_empty() || aliasing == Aliasing::Refuse) {
            return Err(too_many(totals.n, matrix.ncols()));
        }
        if !aliased.is_empty() {
            let names: Vec<String> = aliased.iter().map(|&j| matrix.names()[j].clone()).collect();
            if aliasing == Aliasing::Refuse {
                return Err(ErrorKind::RankDeficient { columns: names }.into());
            }
            let kept: Vec<usize> = (0..matrix.ncols()).filter(|j| !aliased.contains(j)).collect();
            checked.matrix = matrix.select(&kept)?;
            checked.constant = kept
                .iter()
                .enumerate()
                .filter_map(|(new, old)| checked.constant.contains(old).then_some(new))
                .collect();
            checked.aliased = names;
            checked.moments = checked.moments.map(|moments| moments.select(&kept));
        }
        Ok(checked)
    }

    pub(crate) fn problem<'p>(&'p self, observations: &'p Observations<'a>) -> Problem<'p, 'a> {
        Problem {
            matrix: &self.matrix,
            observations,
            curve: self.curve,
            totals: self.totals,
            stable: self.stable,
            moments: self.moments.as_ref(),
        }
    }
}

/// The moments of the columns; `None` where a value may be unusable (the checks one by one then name it) and
/// for models that vectors do not suit.
fn column_moments<'a>(matrix: &ModelMatrix<'a>, observations: &Observations<'a>) -> Option<ColumnMoments> {
    matrix.validate_codes().ok()?;
    Some(Kernel::new(matrix, observations)?.moments()).filter(ColumnMoments::is_usable)
}

fn is_all_ones(curve: Curve, smallest: f64) -> bool {
    curve.variance == Variance::Binomial && smallest == 1.0
}

/// The aliased columns, and whether the others are so nearly collinear that the information must be factored
/// stably; `cross` is `X'X` of the rows that count.
fn rank(matrix: &ModelMatrix, observations: &Observations, cross: ArrayView2<f64>) -> (Vec<usize>, bool) {
    /// Squared pivots above this are far from R's bound squared (1e-14), whatever the rounding.
    const CLEAR: f64 = 1e-7;
    if Cholesky::new(cross).is_some_and(|factor| factor.smallest_pivot > CLEAR) {
        return (Vec::new(), false);
    }
    let mut factor = UpperFactor::new(matrix.ncols());
    matrix.for_each_block(|range, block| {
        let mut block = block.to_owned();
        for (mut row, counts) in block.columns_mut().into_iter().zip(observations.counted(range)) {
            row *= counts;
        }
        factor.push(block.view());
    });
    (aliased_columns(factor.finish().view()), true)
}
