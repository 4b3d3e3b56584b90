//! Generalised linear models: what is to be fitted, and the checks before and after.

use super::checked::{Aliasing, Checked};
use super::family::{Curve, Family, Link, Variance};
use super::fit::Fit;
use super::irls::{Problem, Solution, Stop, not_converged};
use super::matrix::ModelMatrix;
use super::observations::{Observations, Response, Weights};
use super::separation::separation;
use crate::error::{Result, SeparatedModel};
use ndarray::ArrayView1;

/// A generalised linear model, fitted by maximum (quasi-)likelihood.
///
/// # Formula
/// `g(mu_i) = x_i'beta + offset_i`, `Var(y_i) = phi V(mu_i) / a_i`, with link `g`, variance function `V` and
/// dispersion `phi` of the family, prior weight `a_i`. Fisher scoring is driven until the next step is below
/// rounding; the variance uses the expected information.
///
/// # Errors
/// Of [`Glm::fit`]: `invalid_input` (a value that is not finite, or outside the family's range, with column
/// and row), `insufficient_observations` (fewer rows than columns), `rank_deficient`, `constant_outcome`,
/// `separation` (decided exactly: an estimate that does not exist is never reported), `not_converged` (an
/// estimate on the boundary of what the link allows).
///
/// # Examples
/// The odds of low birth weight by smoking (Hosmer & Lemeshow 1989, table 3.3): 30 of 74 smokers, 29 of 115
/// others.
/// ```
/// use armwise::ndarray::array;
/// use armwise::regression::{Family, Fitted, Glm, Grouped, ModelMatrix, VarianceType};
///
/// let smoker = array![0.0, 1.0];
/// let (low, births) = (array![29.0, 30.0], array![115.0, 74.0]);
/// let matrix = ModelMatrix::new(2).intercept()?.numeric("smoker", smoker.view())?;
/// let fit = Glm::new(Family::Binomial)
///     .fit(&matrix, Grouped { successes: low.view(), trials: births.view() })?;
/// let smoker = &fit.table(VarianceType::Model, 0.95)?[1];
/// assert!((smoker.estimate - (30.0_f64 * 86.0 / (29.0 * 44.0)).ln()).abs() < 1e-12);
/// assert!(
///     (smoker.se - (1.0_f64 / 30.0 + 1.0 / 86.0 + 1.0 / 29.0 + 1.0 / 44.0).sqrt()).abs()
///         < 1e-12
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Nelder & Wedderburn (1972), Journal of the Royal Statistical Society A 135; McCullagh & Nelder (1989),
/// Generalized Linear Models; Albert & Anderson (1984), Biometrika 71 (separation).
#[derive(Debug, Clone)]
pub struct Glm<'a> {
    family: Family,
    link: Link,
    weights: Weights<'a>,
    offset: Option<ArrayView1<'a, f64>>,
    aliasing: Aliasing,
}

impl<'a> Glm<'a> {
    /// A model of this family with its default link, without weights and offset, that refuses aliased
    /// columns.
    pub fn new(family: Family) -> Self {
        Self {
            family,
            link: family.default_link(),
            weights: Weights::None,
            offset: None,
            aliasing: Aliasing::Refuse,
        }
    }

    setters! {
        /// The link. Default: [`Family::default_link`].
        link: Link;
        /// Weights of the rows. Default: none.
        weights: Weights<'a>;
        /// A known part of the linear predictor, such as the logarithm of the exposure. Default: none.
        offset: ArrayView1<'a, f64> as Some;
        /// What to do with aliased columns. Default: refuse them.
        aliasing: Aliasing;
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

/// The maximum of the likelihood over all columns, with the proof that it exists.
pub(crate) fn maximum(problem: &Problem, constant: &[usize]) -> Result<Solution> {
    let free: Vec<usize> = (0..problem.matrix.ncols()).collect();
    let suspect = || -> Result<()> {
        if problem.curve.can_separate()
            && let Some(found) = separation(problem)?
        {
            let model = match problem.curve.variance {
                Variance::Binomial => SeparatedModel::Events,
                _ => SeparatedModel::Counts,
            };
            return Err(found.into_error(problem.matrix.names(), model));
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

impl Fit<'_> {
    /// The deviance of the model with an intercept only, with the same weights and offset.
    ///
    /// # Errors
    /// `not_converged` where that model has no estimate.
    pub fn null_deviance(&self) -> Result<f64> {
        let matrix = ModelMatrix::new(self.observations.rows()).intercept()?;
        let problem = Problem { matrix: &matrix, stable: false, moments: None, ..self.problem() };
        Ok(maximum(&problem, &[0])?.pass.deviance)
    }
}
