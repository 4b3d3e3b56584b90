//! Generalised linear models: what is to be fitted, and the checks before and after.

use super::family::{Curve, Family, Link};
use super::fit::Fit;
use super::information::add_cross_product;
use super::irls::{Problem, Solution, Stop, not_converged};
use super::kernel::{ColumnMoments, Kernel};
use super::matrix::{BLOCK, ModelMatrix};
use super::observations::{Observations, Response, Totals, Weights};
use super::separation::separation;
use crate::compute::linalg::{Cholesky, UpperFactor, aliased_columns};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView1, ArrayView2};

/// What to do with columns that are linear combinations of the columns before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Aliasing {
    /// The error `rank_deficient`, which names them.
    #[default]
    Refuse,
    /// Leave them out, as R does; [`Fit::aliased`] names them.
    Drop,
}

/// A generalised linear model, fitted by maximum (quasi-)likelihood.
///
/// # Formula
/// `g(mu_i) = x_i'beta + offset_i`, `Var(y_i) = phi V(mu_i) / a_i`, with link `g`, variance function `V` and dispersion `phi` of the
/// family, prior weight `a_i`. Fisher scoring is driven until the next step is below rounding; the variance uses the expected
/// information.
///
/// # Errors
/// Of [`Glm::fit`]: `invalid_input` (a value that is not finite, or outside the family's range, with column and row),
/// `insufficient_observations` (fewer rows than columns), `rank_deficient`, `constant_outcome`, `separation` (decided exactly: an
/// estimate that does not exist is never reported), `not_converged` (an estimate on the boundary of what the link allows).
///
/// # Examples
/// The odds of low birth weight by smoking (Hosmer & Lemeshow 1989, table 3.3): 30 of 74 smokers, 29 of 115 others.
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Family, Glm, Grouped, ModelMatrix, VarianceType};
///
/// let smoker = array![0.0, 1.0];
/// let (low, births) = (array![29.0, 30.0], array![115.0, 74.0]);
/// let matrix = ModelMatrix::new(2).intercept()?.numeric("smoker", smoker.view())?;
/// let fit = Glm::new(Family::Binomial).fit(&matrix, Grouped { successes: low.view(), trials: births.view() })?;
/// let smoker = &fit.table(VarianceType::Model, 0.95)?[1];
/// assert!((smoker.estimate - (30.0_f64 * 86.0 / (29.0 * 44.0)).ln()).abs() < 1e-12);
/// assert!((smoker.se - (1.0_f64 / 30.0 + 1.0 / 86.0 + 1.0 / 29.0 + 1.0 / 44.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Nelder & Wedderburn (1972), Journal of the Royal Statistical Society A 135; McCullagh & Nelder (1989), Generalized Linear
/// Models; Albert & Anderson (1984), Biometrika 71 (separation).
#[derive(Debug, Clone)]
pub struct Glm<'a> {
    family: Family,
    link: Link,
    weights: Weights<'a>,
    offset: Option<ArrayView1<'a, f64>>,
    aliasing: Aliasing,
}

impl<'a> Glm<'a> {
    /// A model of this family with its default link, without weights and offset, that refuses aliased columns.
    pub fn new(family: Family) -> Self {
        Self {
            family,
            link: family.default_link(),
            weights: Weights::None,
            offset: None,
            aliasing: Aliasing::Refuse,
        }
    }

    /// The link. Default: [`Family::default_link`].
    #[must_use]
    pub fn link(mut self, link: Link) -> Self {
        self.link = link;
        self
    }

    /// Weights of the rows. Default: none.
    #[must_use]
    pub fn weights(mut self, weights: Weights<'a>) -> Self {
        self.weights = weights;
        self
    }

    /// A known part of the linear predictor, such as the logarithm of the exposure. Default: none.
    #[must_use]
    pub fn offset(mut self, offset: ArrayView1<'a, f64>) -> Self {
        self.offset = Some(offset);
        self
    }

    /// What to do with aliased columns. Default: refuse them.
    #[must_use]
    pub fn aliasing(mut self, aliasing: Aliasing) -> Self {
        self.aliasing = aliasing;
        self
    }

    /// Fits the model.
    ///
    /// # Errors
    /// See [`Glm`].
    pub fn fit<'d, 'm: 'd>(
        &self,
        matrix: &ModelMatrix<'m>,
        response: impl Into<Response<'d>>,
    ) -> Result<Fit<'d>>
    where
        'a: 'd,
    {
        let observations = Observations::new(response.into(), self.weights, self.offset);
        let curve = Curve::new(self.family, self.link)?;
        let checked = Checked::new(&matrix.reborrow(), &observations, self.family, curve, self.aliasing)?;
        let problem = checked.problem(&observations);
        let solution = maximum(&problem, &checked.constant)?;
        let stable = solution.pass.upper.is_some();
        Fit::new(checked, observations, self.family, solution, stable)
    }
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
            return Err(Error::from(ErrorKind::ConstantOutcome(format!(
                "the outcome is {} in every row, so that no coefficient has a finite estimate; \
                 report the proportion or the rate with its exact interval",
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
            return Err(ErrorKind::InsufficientObservations(format!(
                "{} observations do not determine {} coefficients; leave covariates out",
                totals.n,
                matrix.ncols()
            ))
            .into());
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

/// The moments of the columns; `None` where a value may be unusable (the checks one by one then name it) and for models that
/// vectors do not suit.
fn column_moments<'a>(matrix: &ModelMatrix<'a>, observations: &Observations<'a>) -> Option<ColumnMoments> {
    matrix.validate_codes().ok()?;
    Some(Kernel::new(matrix, observations)?.moments()).filter(ColumnMoments::is_usable)
}

fn is_all_ones(curve: Curve, smallest: f64) -> bool {
    curve.variance == super::family::Variance::Binomial && smallest == 1.0
}

/// The aliased columns, and whether the others are so nearly collinear that the information must be factored stably; `cross` is
/// `X'X` of the rows that count.
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

/// The maximum of the likelihood over all columns, with the proof that it exists.
pub(crate) fn maximum(problem: &Problem, constant: &[usize]) -> Result<Solution> {
    let free: Vec<usize> = (0..problem.matrix.ncols()).collect();
    let suspect = || -> Result<()> {
        if problem.curve.can_separate()
            && let Some(found) = separation(problem)?
        {
            return Err(found.into_error(problem.matrix.names()).into());
        }
        Ok(())
    };
    let start = problem.start(constant);
    let informed = problem.informed_start(&start).unwrap_or_else(|| start.clone().into());
    let solution = match problem.solve(informed, &free, suspect)? {
        // Fitted probabilities near 0 and 1 leave columns nearly collinear that were not so.
        Err(Stop::NoProgress) if !problem.stable => {
            Problem { stable: true, ..*problem }.solve(start, &free, suspect)?
        }
        ended => ended,
    };
    let solution = solution.map_err(not_converged)?;
    if !solution.overlap_proven {
        suspect()?;
    }
    Ok(solution)
}

/// The null model: an intercept, with the same weights and offset.
pub(crate) fn null_solution(observations: &Observations, curve: Curve, totals: Totals) -> Result<Solution> {
    let matrix = ModelMatrix::new(observations.rows()).intercept()?;
    let problem = Problem { matrix: &matrix, observations, curve, totals, stable: false, moments: None };
    maximum(&problem, &[0])
}
