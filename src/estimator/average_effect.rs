//! The average marginal effect of a covariate in an adjusted fit.

use super::AdjustedFit;
use crate::compute::distribution::{Normal, StudentT};
use crate::compute::interval::Interval;
use crate::compute::reference_distribution::check_level;
use crate::compute::regression::{Fitted, VarianceType};
use crate::design::{Label, MeasureInfo, OutcomeKind};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The average marginal effect of a covariate: the mean over everybody analysed of the derivative of the
/// fitted mean outcome with respect to it.
///
/// It describes the people, it is no effect of a treatment: nobody was randomised to the covariate. Made by
/// [`AdjustedFit::average_effect`].
///
/// # Formula
/// `d = sum(dm(X_i)/dx) / n` with the fitted mean `m`; variance by the delta method from that of the
/// coefficients, covariates held fixed. For a binary outcome `d` is the change of the probability per unit of
/// the covariate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AverageCovariateEffect {
    /// The trial.
    pub trial: Label,
    /// The measure.
    pub measure: MeasureInfo,
    /// The covariate.
    pub covariate: String,
    /// In units of the outcome per unit of the covariate.
    pub value: f64,
    /// Its standard error.
    pub se: f64,
    /// The degrees of freedom of Student's t; `None` where the normal distribution is used.
    pub df: Option<f64>,
    /// The variance of the coefficients.
    pub variance: VarianceType,
    /// How many people are analysed.
    pub n: u64,
}

impl AverageCovariateEffect {
    /// The value over its standard error; 0 where both are zero.
    pub fn statistic(&self) -> f64 {
        if self.value == 0.0 { 0.0 } else { self.value / self.se }
    }

    /// The two-sided p-value of no association.
    pub fn p_value(&self) -> f64 {
        let statistic = self.statistic().abs();
        let sf = match self.df.map(StudentT::new) {
            Some(Ok(t)) => t.sf(statistic),
            _ => Normal.sf(statistic),
        };
        (2.0 * sf).min(1.0)
    }

    /// The confidence interval of this level.
    ///
    /// # Errors
    /// The level is not between 0 and 1.
    pub fn interval(&self, level: f64) -> Result<Interval> {
        check_level(level)?;
        let tail = 0.5 * (1.0 - level);
        let quantile = match self.df {
            Some(df) => StudentT::new(df)?.upper_quantile(tail),
            None => Normal.upper_quantile(tail),
        };
        Interval::new(self.value - quantile * self.se, self.value + quantile * self.se)
    }
}

impl<K: OutcomeKind> AdjustedFit<'_, K> {
    /// The average marginal effect of a number among the covariates, products with arms included.
    ///
    /// # Errors
    /// The model has no number of that name (a category has no derivative), or it was left out as aliased;
    /// those of the covariance of the coefficients.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str(
    ///     "\
    ///     arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\n\
    ///     t,22,1\n",
    /// )?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
    /// let comparison = trial.on(&Measure::binary("works"))?;
    /// let prepared = LogisticRegression::new().adjust_for(["age"]).prepare(&comparison)?;
    /// let age = prepared.fit()?.average_effect("age", VarianceType::Hc0)?;
    /// assert!(age.se > 0.0 && age.interval(0.95)?.contains(age.value));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn average_effect(&self, covariate: &str, variance: VarianceType) -> Result<AverageCovariateEffect> {
        let comparison = self.comparison();
        let locate = |error: Error| comparison.locate(error);
        let fit = self.regression();
        let effect = fit.average_effect(covariate).map_err(locate)?;
        let se = effect.se(fit, variance).map_err(locate)?;
        let df = fit.df();
        if !(effect.estimate.is_finite() && se.is_finite()) || df.is_some_and(|df| df <= 0.0) {
            let why = "the average effect has no finite standard error; change the unit of the covariate, or adjust for fewer";
            return Err(locate(Error::from(ErrorKind::NotEstimable(why.to_owned())).in_column(covariate)));
        }
        Ok(AverageCovariateEffect {
            trial: comparison.trial().clone(),
            measure: comparison.measure().clone(),
            covariate: covariate.to_owned(),
            value: effect.estimate,
            se,
            df,
            variance,
            n: comparison.arms().iter().map(|arm| arm.counts.analysed).sum(),
        })
    }
}
