use super::adjustment::{Adjustment, Prepared, adjustment_setters};
use super::{Estimator, Marginal};
use crate::compute::regression::{Family, VarianceType};
use crate::design::{Binary, Comparison, Continuous, OutcomeKind};
use crate::effect::{ContrastScale, Estimand, Estimates, MeanDifference, RiskDifference};
use crate::error::Result;

/// Linear regression of an outcome on arms and covariates; with the score at baseline among the covariates it is ANCOVA.
///
/// Use it on scores, hours and wages. On a binary outcome it is the linear probability model, and its effects are risk differences.
///
/// # Formula
/// `E(Y) = b_0 + sum(b_a [arm = a]) + x'c` by least squares; the effect of arm `a` is `b_a`, in units of the outcome. Heteroskedasticity-consistent
/// variance HC2: `A (sum e_i^2 / (1 - h_i) x_i x_i') A` with `A = (X'X)^-1`, residuals `e_i` and leverages `h_i`.
///
/// # Assumptions
/// People were randomised one by one and are independent. The effect is that on the mean even if the model is wrong.
///
/// # Interval
/// Student's t with `n - p` degrees of freedom, HC2 standard error by default; others by [`LinearRegression::variance`].
///
/// # Errors
/// Aliased columns by name; no more people than coefficients; a person who alone determines a coefficient (HC2, HC3).
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,before,after\nc,5,6\nc,3,3\nc,4,6\nc,7,7\nt,4,7\nt,6,8\nt,5,9\nt,3,5\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let ancova = LinearRegression::new().adjust_for(["before"]);
/// let effect = trial.on(&Measure::continuous("after"))?.estimate(&ancova)?.treatment("t")?;
/// assert_eq!(effect.df(), Some(5.0));
/// assert!(effect.value() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// `MacKinnon` JG, White H (1985), Journal of Econometrics 29:305, doi:10.1016/0304-4076(85)90158-7. Samii C, Aronow PM (2012), Statistics and
/// Probability Letters 82:365. Vickers AJ, Altman DG (2001), BMJ 323:1123.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearRegression {
    adjustment: Adjustment,
    variance: VarianceType,
    level: f64,
}

impl Default for LinearRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), variance: VarianceType::Hc2, level: 0.95 }
    }
}

impl LinearRegression {
    /// Without covariates; HC2 standard errors; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!();

    /// The variance of the effects; default HC2.
    #[must_use]
    pub fn variance(mut self, variance: VarianceType) -> Self {
        self.variance = variance;
        self
    }

    /// The estimator of effects standardised over everybody analysed, as is needed with interactions of arm and covariates.
    pub fn marginal<S: ContrastScale>(&self, scale: S) -> Marginal<Self, S> {
        Marginal::new(self.clone(), scale)
    }

    /// The columns of the model, to be fitted once and used often.
    ///
    /// # Errors
    /// Unknown or unsuitable covariates.
    pub fn prepare<'c, K: OutcomeKind>(&self, comparison: &'c Comparison<K>) -> Result<Prepared<'c, K>>
    where
        Self: Estimator<K>,
    {
        self.adjustment.prepare(comparison, Family::Gaussian, "linear regression", self.level)
    }
}

// The identity link is collapsible: the arm's coefficient is the marginal effect, too.
impl Estimator<Continuous> for LinearRegression {
    type Scale = MeanDifference;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> Result<Estimates<MeanDifference>> {
        self.prepare(comparison)?.fit()?.arm_effects(MeanDifference, Estimand::Marginal, self.variance)
    }
}

impl Estimator<Binary> for LinearRegression {
    type Scale = RiskDifference;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<RiskDifference>> {
        self.prepare(comparison)?.fit()?.arm_effects(RiskDifference, Estimand::Marginal, self.variance)
    }
}
