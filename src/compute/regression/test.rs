//! Tests that several coefficients are zero: likelihood ratio, score, F.

use super::fit::Fit;
use super::irls::{Solution, not_converged};
use crate::compute::fitted::check_tested;
use crate::compute::hypothesis::{ChiSquaredTest, FTest};
use crate::error::{Error, ErrorKind, Result};

/// A model in which some coefficients of a fit are set to zero, for the tests that compare the two; see
/// [`Fit::without`].
#[derive(Debug)]
pub struct Reduced<'f, 'a> {
    full: &'f Fit<'a>,
    df: f64,
    solution: Solution,
}

impl<'a> Fit<'a> {
    /// Fits the model without the columns at the given positions, on the same rows.
    ///
    /// # Errors
    /// `not_converged` where the smaller model has no estimate; `invalid_input` for probability weights,
    /// which have no likelihood.
    pub fn without(&self, tested: &[usize]) -> Result<Reduced<'_, 'a>> {
        self.observations.weights.check_likelihood("a test by likelihood or score")?;
        check_tested(tested, self.rank())?;
        let free: Vec<usize> = (0..self.rank()).filter(|j| !tested.contains(j)).collect();
        let constant: Vec<usize> = self.constant.iter().copied().filter(|j| free.contains(j)).collect();
        let problem = self.problem();
        // Where the full model overlaps so does the smaller one: every direction of it is one of the full
        // model.
        let solution = problem.solve(problem.start(&constant), &free, || Ok(()))?.map_err(not_converged)?;
        Ok(Reduced { full: self, df: tested.len() as f64, solution })
    }
}

impl Reduced<'_, '_> {
    /// The deviance of the smaller model.
    pub fn deviance(&self) -> f64 {
        self.solution.pass.deviance
    }

    fn known_dispersion(&self, what: &str) -> Result<()> {
        if self.full.family().estimates_dispersion() {
            return Err(Error::invalid(format!(
                "the {what} test needs a known dispersion; use the F test for the {:?} family",
                self.full.family()
            )));
        }
        Ok(())
    }

    /// The likelihood ratio test, `D_reduced - D`.
    ///
    /// # Errors
    /// `invalid_input` where the dispersion is estimated.
    pub fn likelihood_ratio_test(&self) -> Result<ChiSquaredTest> {
        self.known_dispersion("likelihood ratio")?;
        ChiSquaredTest::new((self.deviance() - self.full.deviance()).max(0.0), self.df)
    }

    /// Rao's score test: `U'A^-1 U` of all columns at the estimate of the smaller model, with expected
    /// information.
    ///
    /// # Errors
    /// `invalid_input` where the dispersion is estimated; `rank_deficient` where the information is singular
    /// there.
    pub fn score_test(&self) -> Result<ChiSquaredTest> {
        self.known_dispersion("score")?;
        let all: Vec<usize> = (0..self.full.rank()).collect();
        // The pass precedes the last step, which is below rounding.
        let pass = &self.solution.pass;
        let factor = pass
            .factor(&all)
            .ok_or_else(|| Error::from(ErrorKind::RankDeficient { columns: self.full.names().to_vec() }))?;
        ChiSquaredTest::new(pass.score.dot(&factor.solve(pass.score.view())), self.df)
    }

    /// The F test, `(D_reduced - D) / q / phi` with the dispersion of the full model.
    ///
    /// # Errors
    /// `invalid_input` where the dispersion is known; `insufficient_observations` without residual degrees of
    /// freedom; `zero_variance` where the full model fits perfectly.
    pub fn f_test(&self) -> Result<FTest> {
        if !self.full.family().estimates_dispersion() {
            return Err(Error::invalid(
                "the F test needs an estimated dispersion; use the likelihood ratio test",
            ));
        }
        let dispersion = self.full.dispersion()?;
        if dispersion <= 0.0 {
            return Err(ErrorKind::ZeroVariance(
                "the model fits perfectly, so that there is no F test".to_owned(),
            )
            .into());
        }
        let gain = (self.deviance() - self.full.deviance()).max(0.0);
        FTest::new(gain / self.df / dispersion, self.df, self.full.df_residual())
    }
}
