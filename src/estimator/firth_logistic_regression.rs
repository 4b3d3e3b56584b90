use super::Estimator;
use super::adjustment::{self, ARM, Adjustment, adjustment_setters};
use super::options::is_usual;
use crate::compute::curve::Inference;
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::regression::{Family, Firth, FirthVariance, Fitted};
use crate::design::{Binary, Comparison};
use crate::effect::{About, Contrast, Estimates, IntervalMethod, LogOddsRatio, VarianceMethod};
use crate::error::Result;
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Logistic regression with Firth's penalty: conditional log odds ratios that are finite even where nobody or
/// everybody in an arm had the event.
///
/// Use it for rare events, or where [`LogisticRegression`](crate::estimator::LogisticRegression) reports
/// separation.
///
/// # Formula
/// `logit P(Y = 1) = b_0 + sum(b_a [arm = a]) + x'c`, maximising `l(b) + ln|A(b)| / 2` with the information
/// `A`. The effect of arm `a` is `b_a`; without covariates half an event and half a non-event are thereby
/// added to every arm.
///
/// # Assumptions
/// The logit is linear in the covariates, with the same effect for everybody on this scale; people are
/// independent.
///
/// # Interval
/// The values that the penalised likelihood ratio test does not reject (profile); the p-value is that of this
/// test. The standard error is from the inverse information.
///
/// # Errors
/// Aliased columns by name; fewer people than coefficients; probability weights, beside which the size of the
/// penalty depends on their unit.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,works\nc,0\nc,0\nc,0\nc,1\nc,1\nt,0\nt,0\nt,0\nt,0\nt,0\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let effect = trial
///     .on(&Measure::binary("works"))?
///     .estimate(&FirthLogisticRegression::new())?
///     .treatment("t")?;
/// assert!((effect.ratio().unwrap() - (0.5 / 5.5) / (2.5 / 3.5)).abs() < 1e-9);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Firth D (1993), Biometrika 80:27, doi:10.1093/biomet/80.1.27. Heinze G, Schemper M (2002), Statistics in
/// Medicine 21:2409, doi:10.1002/sim.1047.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FirthLogisticRegression {
    #[serde(flatten, deserialize_with = "adjustment::conditional")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for FirthLogisticRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), level: 0.95 }
    }
}

impl FirthLogisticRegression {
    /// Without covariates; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(conditional);
}

impl Estimator<Binary> for FirthLogisticRegression {
    type Scale = LogOddsRatio;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<LogOddsRatio>> {
        let estimator = "Firth logistic regression";
        let prepared = self.adjustment.prepare(comparison, Family::Binomial, estimator, self.level)?;
        let variance = VarianceMethod::Other("inverse information".to_owned());
        let method = prepared.method(variance).interval(IntervalMethod::ProfilePenalized);
        let comparison = prepared.comparison();
        let mut about = About::of(comparison, self.adjustment.estimand(), method, self.level)?;
        about.notices.extend(prepared.design_ignored());
        let (contrasts, joint) = prepared.with_columns(|columns| {
            let mut firth = Firth::new().weights(columns.weights);
            if let Some(offset) = columns.offset {
                firth = firth.offset(offset);
            }
            let fit = firth.fit(&columns.matrix, columns.outcome)?;
            let places = columns.matrix.columns_of(ARM)?;
            let covariance = fit.covariance(FirthVariance::Expected)?;
            let mut contrasts = Vec::with_capacity(places.len());
            for (arm, place) in comparison.treatments().iter().zip(places.clone()) {
                let value = fit.coefficients()[place];
                let profile = fit.profile_interval(place, self.level)?;
                let ratio = fit.penalized_likelihood_ratio_test(&[place])?.statistic;
                let p_value = (2.0 * Normal.sf(ratio.max(0.0).sqrt())).min(1.0);
                let interval = Interval::new(profile.lower, profile.upper)?;
                let se = covariance[[place, place]].sqrt();
                let inference = Inference::at_one_level(value, se, self.level, interval, p_value)?;
                contrasts.push(Contrast::new(arm.clone(), inference));
            }
            let k = contrasts.len();
            let joint =
                Array2::from_shape_fn((k, k), |(i, j)| covariance[[places.start + i, places.start + j]]);
            Ok((contrasts, joint))
        })?;
        Estimates::new(LogOddsRatio, about, comparison.reference().clone(), contrasts, joint)
    }
}
