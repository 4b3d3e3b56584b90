use super::adjustment::{Adjustment, Prepared, Terms, adjustment_setters};
use super::any::is_usual;
use super::any_regression::SharedFit;
use super::{AdjustedFit, CoefficientVariance, Estimator, Marginal};
use crate::compute::regression::{ClusterVariance, Family, VarianceType};
use crate::design::{Binary, Comparison, Continuous, OutcomeKind};
use crate::effect::{ContrastScale, Estimand, Estimates, MeanDifference, RiskDifference, Scale};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Linear regression of an outcome on arms and covariates; with the score at baseline among the covariates it is ANCOVA.
///
/// Use it on scores, hours and wages. On a binary outcome it is the linear probability model, and its effects are risk differences.
///
/// # Formula
/// `E(Y) = b_0 + sum(b_a [arm = a]) + x'c` by least squares; the effect of arm `a` is `b_a`, in units of the outcome. Heteroskedasticity-consistent
/// variance HC2: `A (sum e_i^2 / (1 - h_i) x_i x_i') A` with `A = (X'X)^-1`, residuals `e_i` and leverages `h_i`. Where clusters were declared:
/// CR2, its counterpart for clusters (Bell & `McCaffrey` 2002). Interacted (Lin 2013): `E(Y)` has the products of arms and covariates too, and
/// the effect of arm `a` is `b_a` with covariates centred at their means over everybody analysed.
///
/// # Assumptions
/// People were randomised and are independent, or clusters are, where they were declared. The effect is that on the mean even if the model
/// is wrong.
///
/// # Interval
/// Student's t with `n - p` degrees of freedom, HC2 standard error by default; with declared clusters CR2 and Satterthwaite's degrees of
/// freedom. Others by [`LinearRegression::variance`].
///
/// # Errors
/// Aliased columns by name; no more people than coefficients; a person who alone determines a coefficient (HC2, HC3); an arm in one
/// cluster only.
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
/// Probability Letters 82:365. Vickers AJ, Altman DG (2001), BMJ 323:1123. Lin W (2013), Annals of Applied Statistics 7:295,
/// doi:10.1214/12-AOAS583. Bell RM, `McCaffrey` DF (2002), Survey Methodology 28:169. Pustejovsky JE, Tipton E (2018), Journal of Business &
/// Economic Statistics 36:672.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinearRegression {
    #[serde(flatten)]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none")]
    variance: Option<CoefficientVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for LinearRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), variance: None, level: 0.95 }
    }
}

impl LinearRegression {
    /// Without covariates; HC2 standard errors, CR2 where clusters were declared; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!();

    /// The variance of the effects, a [`VarianceType`] or a [`ClusterVariance`]; default: HC2, and CR2 where clusters were declared.
    #[must_use]
    pub fn variance(mut self, variance: impl Into<CoefficientVariance>) -> Self {
        self.variance = Some(variance.into());
        self
    }

    /// Lin's adjustment: every covariate enters with its products with every arm, and effects are those at the means of the covariates over
    /// everybody analysed, whose sampling is not counted. In large samples it is never less precise than without covariates, whatever the
    /// shares of the arms (Lin 2013). Default: covariates enter by themselves.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str("arm,before,after\nc,5,6\nc,3,3\nc,4,6\nc,7,7\nt,4,7\nt,6,8\nt,5,9\nt,3,5\n")?;
    /// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
    /// let lin = LinearRegression::new().adjust_for(["before"]).interacted();
    /// let effect = trial.on(&Measure::continuous("after"))?.estimate(&lin)?.treatment("t")?;
    /// assert_eq!(effect.df(), Some(4.0));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn interacted(mut self) -> Self {
        self.adjustment.terms = Terms::Interacted;
        self
    }

    /// The estimator of effects standardised over everybody analysed, as is needed with interactions of arm and covariates.
    #[doc(alias("gcomputation", "standardisation"))]
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
        let name = match self.adjustment.terms {
            Terms::Additive => "linear regression",
            Terms::Interacted => "interacted linear regression",
        };
        self.adjustment.prepare(comparison, Family::Gaussian, name, self.level)
    }
}

impl LinearRegression {
    fn effects<K: OutcomeKind, S: Scale>(&self, fit: &AdjustedFit<K>, scale: S) -> Result<Estimates<S>> {
        let (independent, clustered) = (VarianceType::Hc2, ClusterVariance::Cr2);
        let variance =
            CoefficientVariance::or_default(self.variance, fit.comparison(), independent, clustered);
        // The identity link is collapsible: the arm's coefficient is the marginal effect, too.
        fit.arm_effects(scale, Estimand::Marginal, variance)
    }
}

impl Estimator<Continuous> for LinearRegression {
    type Scale = MeanDifference;

    fn estimate(&self, comparison: &Comparison<Continuous>) -> Result<Estimates<MeanDifference>> {
        self.conditional(&self.prepare(comparison)?.fit()?)
    }
}

impl SharedFit<Continuous> for LinearRegression {
    fn prepared<'c>(&self, comparison: &'c Comparison<Continuous>) -> Result<Prepared<'c, Continuous>> {
        self.prepare(comparison)
    }

    fn conditional(&self, fit: &AdjustedFit<Continuous>) -> Result<Estimates<MeanDifference>> {
        self.effects(fit, MeanDifference)
    }
}

impl Estimator<Binary> for LinearRegression {
    type Scale = RiskDifference;

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<RiskDifference>> {
        self.conditional(&self.prepare(comparison)?.fit()?)
    }
}

impl SharedFit<Binary> for LinearRegression {
    fn prepared<'c>(&self, comparison: &'c Comparison<Binary>) -> Result<Prepared<'c, Binary>> {
        self.prepare(comparison)
    }

    fn conditional(&self, fit: &AdjustedFit<Binary>) -> Result<Estimates<RiskDifference>> {
        self.effects(fit, RiskDifference)
    }
}
