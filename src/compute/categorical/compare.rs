//! Comparison of a cumulative with a multinomial regression.

use super::cumulative::CumulativeFit;
use super::multinomial::MultinomialFit;
use crate::compute::fitted::Fitted;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::error::{Error, ErrorKind, Result};

impl CumulativeFit<'_> {
    /// Twice the log-likelihood ratio of a multinomial regression of the same rows: a rough test of the
    /// parallel thresholds. (The models are not nested: the chi-square reference is a convention.)
    ///
    /// # Errors
    /// `incompatible` where the two have other categories or numbers of observations; `not_estimable` where
    /// the multinomial regression has no more parameters.
    pub fn against_multinomial(&self, multinomial: &MultinomialFit) -> Result<ChiSquaredTest> {
        if multinomial.categories() != self.categories() || multinomial.n() != self.n() {
            return Err(ErrorKind::Incompatible(
                "the two regressions have different categories or rows; fit both to the same".to_owned(),
            )
            .into());
        }
        let more = multinomial.n_parameters().saturating_sub(self.n_parameters());
        if more == 0 {
            return Err(Error::from(ErrorKind::NotEstimable(
                "the multinomial regression has no more parameters than the cumulative one, so that nothing is tested; give \
                 it an intercept and the same columns, and at least three categories"
                    .to_owned(),
            )));
        }
        let gain = multinomial.log_likelihood - self.log_likelihood;
        ChiSquaredTest::new((2.0 * gain).max(0.0), more as f64)
    }
}
