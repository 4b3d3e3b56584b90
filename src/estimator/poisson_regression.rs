use super::options::Named;
use super::regression::{CanonicalModel, ModelOf, Regression, RegressionModel, StandardizedModel};
use crate::compute::regression::{ClusterVariance, Family, VarianceType};
use crate::design::Count;
use crate::effect::LogRateRatio;

/// Poisson regression of a count on arms and covariates, with the exposure of the measure as an offset.
///
/// By itself it estimates conditional log rate ratios. For differences and ratios of standardised rates:
/// [`PoissonRegression::marginal`].
///
/// # Formula
/// `ln E(Y) = ln(t) + b_0 + sum(b_a [arm = a]) + x'c` with the exposure `t`, by maximum likelihood; the
/// effect of arm `a` is `b_a`. Without covariates it equals the log ratio of the rates.
///
/// # Assumptions
/// People were randomised one by one and are independent. With a robust variance counts need not be Poisson;
/// only their mean is modelled.
///
/// # Interval
/// Normal, with HC0 by default, as counts mostly vary more than Poisson counts; with declared clusters CR2 of
/// Pearson residuals and Student's t on Satterthwaite's degrees of freedom of each effect. Others by
/// [`PoissonRegression::variance`].
///
/// # Errors
/// Separation, such as an arm without events; aliased columns by name; fewer people than coefficients.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,age,applications\nc,20,2\nc,40,1\nc,30,3\nc,35,0\nt,25,4\nt,35,2\n\
///     t,50,6\nt,28,3\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let model = PoissonRegression::new().adjust_for(["age"]);
/// let comparison = trial.on(&Measure::count("applications"))?;
/// let ratio = comparison.estimate(&model)?.treatment("t")?;
/// let difference = comparison.estimate(&model.marginal(RateDifference))?.treatment("t")?;
/// assert!(ratio.ratio().unwrap() > 1.0 && difference.value() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Gail MH, Wieand S, Piantadosi S (1984), Biometrika 71:431. Gourieroux C, Monfort A, Trognon A (1984),
/// Econometrica 52:701. Cameron AC, Trivedi PK (2013), Regression Analysis of Count Data, 2nd edition.
pub type PoissonRegression = Regression<PoissonModel>;

/// The model of [`PoissonRegression`].
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonModel;

impl Named for PoissonModel {
    const OPTIONS: &'static [&'static str] =
        &["adjust_for", "reference_levels", "interact_arm_with", "weights", "offset", "variance", "level"];
}

impl RegressionModel for PoissonModel {
    const NAME: &'static str = "Poisson regression";
    const FAMILY: Family = Family::Poisson;
    const VARIANCE: (VarianceType, ClusterVariance) = (VarianceType::Hc0, ClusterVariance::Cr2Pearson);
}

impl StandardizedModel for PoissonModel {}

impl CanonicalModel for PoissonModel {}

impl ModelOf<Count> for PoissonModel {
    type Scale = LogRateRatio;
}
