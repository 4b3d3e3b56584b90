use super::adjustment::Terms;
use super::options::Named;
use super::regression::{
    CanonicalModel, MeanOutcome, ModelOf, Regression, RegressionModel, StandardizedModel,
};
use crate::compute::regression::{ClusterVariance, Family, VarianceType};

/// Linear regression of an outcome on arms and covariates; with the score at baseline among the covariates it
/// is ANCOVA.
///
/// Use it on scores, hours and wages. On a binary outcome it is the linear probability model, and its effects
/// are risk differences.
///
/// # Formula
/// `E(Y) = b_0 + sum(b_a [arm = a]) + x'c` by least squares; the effect of arm `a` is `b_a`, in units of the
/// outcome. Heteroskedasticity-consistent variance HC2: `A (sum e_i^2 / (1 - h_i) x_i x_i') A` with
/// `A = (X'X)^-1`, residuals `e_i` and leverages `h_i`. Where clusters were declared: CR2, its counterpart
/// for clusters (Bell & McCaffrey 2002). Interacted (Lin 2013): `E(Y)` has the products of arms and
/// covariates too, and the effect of arm `a` is `b_a` with covariates centred at their means over everybody
/// analysed.
///
/// # Assumptions
/// People were randomised and are independent, or clusters are, where they were declared. The effect is that
/// on the mean even if the model is wrong.
///
/// # Interval
/// Student's t with `n - p` degrees of freedom, HC2 standard error by default; with declared clusters CR2 and
/// Satterthwaite's degrees of freedom. Others by [`LinearRegression::variance`].
///
/// # Errors
/// Aliased columns by name; no more people than coefficients; a person who alone determines a coefficient
/// (HC2, HC3); an arm in one cluster only.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,before,after\nc,5,6\nc,3,3\nc,4,6\nc,7,7\nt,4,7\nt,6,8\nt,5,9\nt,3,5\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let ancova = LinearRegression::new().adjust_for(["before"]);
/// let effect = trial.on(&Measure::continuous("after"))?.estimate(&ancova)?.treatment("t")?;
/// assert_eq!(effect.df(), Some(5.0));
/// assert!(effect.value() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// `MacKinnon` JG, White H (1985), Journal of Econometrics 29:305, doi:10.1016/0304-4076(85)90158-7. Samii C,
/// Aronow PM (2012), Statistics and Probability Letters 82:365. Vickers AJ, Altman DG (2001), BMJ 323:1123.
/// Lin W (2013), Annals of Applied Statistics 7:295, doi:10.1214/12-AOAS583. Bell RM, McCaffrey DF (2002),
/// Survey Methodology 28:169. Pustejovsky JE, Tipton E (2018), Journal of Business & Economic Statistics
/// 36:672.
pub type LinearRegression = Regression<LinearModel>;

/// The model of [`LinearRegression`].
#[derive(Debug, Clone, PartialEq)]
pub struct LinearModel;

impl Named for LinearModel {
    const OPTIONS: &'static [&'static str] = &[
        "terms",
        "adjust_for",
        "reference_levels",
        "interact_arm_with",
        "weights",
        "offset",
        "variance",
        "level",
    ];
}

impl RegressionModel for LinearModel {
    const NAME: &'static str = "linear regression";
    const INTERACTED: &'static str = "interacted linear regression";
    const FAMILY: Family = Family::Gaussian;
    const VARIANCE: (VarianceType, ClusterVariance) = (VarianceType::Hc2, ClusterVariance::Cr2);
    const COLLAPSIBLE: bool = true;
}

impl StandardizedModel for LinearModel {}

impl CanonicalModel for LinearModel {}

impl<K: MeanOutcome> ModelOf<K> for LinearModel {
    type Scale = K::Difference;
}

impl LinearRegression {
    /// Lin's adjustment: every covariate enters with its products with every arm, and effects are those at
    /// the means of the covariates over everybody analysed, whose sampling is not counted. In large samples
    /// it is never less precise than without covariates, whatever the shares of the arms (Lin 2013). Default:
    /// covariates enter by themselves.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str(
    ///     "\
    ///     arm,before,after\nc,5,6\nc,3,3\nc,4,6\nc,7,7\nt,4,7\nt,6,8\nt,5,9\nt,3,5\n",
    /// )?;
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
}
