use super::Estimator;
use super::adjustment::{self, Adjustment, adjustment_setters};
use super::clusters::refuse_alone;
use super::hazard_model::{Hazards, cluster_df, interval_of, prepare, wald};
use super::options::{field, is_usual};
use crate::compute::linalg::submatrix;
use crate::compute::regression::Fitted as _;
use crate::compute::survival::{CensoringTies, FineGray, FineGrayVariance};
use crate::design::{Comparison, TimeToEvent};
use crate::effect::{About, Estimates, LogSubdistributionHazardRatio, VarianceMethod};
use crate::error::{Error, Result, SeparatedModel};
use serde::{Deserialize, Serialize};

/// The regression of Fine and Gray of a time to an event with competing causes: a log subdistribution hazard
/// ratio for each treatment, which says in which direction the cumulative incidence of the cause moves.
///
/// Use it where one number for the whole cumulative incidence is asked for. A subdistribution hazard counts
/// people who left for another cause as if they were still there, so it is no rate of anybody; it is on a
/// scale of its own and pools with its like alone. For shares of people use
/// [`RiskAtHorizon`](crate::estimator::RiskAtHorizon).
///
/// # Formula
/// `ln(-ln(1 - F(t))) = ln H_0(t) + sum(b_a [arm = a]) + x'c` for the cumulative incidence `F` of the cause
/// of interest; the effect of arm `a` is `b_a`. The partial likelihood keeps those with another event at `T`
/// at risk at `u > T` with the weight `G(u-) / G(T-)`, `G` being the Kaplan-Meier curve of censoring of
/// everybody.
///
/// # Assumptions
/// Subdistribution hazards are proportional, which no notice tests; censoring is the same in all arms and
/// does not depend on covariates. People are independent, but for declared clusters.
///
/// # Interval
/// Normal, with the sandwich that counts the estimated distribution of censoring (Fine & Gray 1999) by
/// default; with declared clusters the sandwich over clusters, weights taken as known, with Student's t on
/// the clusters of the two arms less 1.
///
/// # Errors
/// Nobody with the event of interest; an arm or covariate with an infinite ratio, by name (`separation`);
/// aliased columns by name; times of entry, for which there is no version.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// const EXIT: Measure<TimeToEvent> = Measure::time_to_event("exit_month", "exit_reason")
///     .of("work")
///     .competing(&["other"])
///     .censored(&["none"])
///     .censored_at("censor_month")
///     .named("exit to work")
///     .higher_is_better();
///
/// let table = Table::from_csv_path("examples/data/participants.csv")?;
/// let trials =
///     Trials::builder(table, "municipality").arm_labels("arm").control("control").build()?;
/// let tilburg = trials.trial("Tilburg")?.on(&EXIT)?;
/// let effect = tilburg.estimate(&FineGrayRegression::new())?.treatment("guidance")?;
/// let specific = tilburg.estimate(&CoxRegression::new())?.treatment("guidance")?;
/// // Few people leave otherwise, so that both are near each other here.
/// assert!((effect.value() - specific.value()).abs() < 0.1);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Fine JP, Gray RJ (1999), Journal of the American Statistical Association 94:496. Geskus RB (2011),
/// Biometrics 67:39. Austin PC, Fine JP (2017), Statistics in Medicine 36:4391 (how to report it).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FineGrayRegression {
    #[serde(flatten, deserialize_with = "adjustment::unweighted")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<FineGrayVariance>,
    censoring_ties: CensoringTies,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for FineGrayRegression {
    fn default() -> Self {
        let adjustment = Adjustment::default();
        Self { adjustment, variance: None, censoring_ties: CensoringTies::default(), level: 0.95 }
    }
}

impl FineGrayRegression {
    /// Without covariates; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(covariates);

    setters! {
        /// The variance; default: [`FineGrayVariance::FineGray`], or [`FineGrayVariance::Robust`] over
        /// declared clusters.
        variance: FineGrayVariance as Some;
        /// Who is at risk of being censored at the time of an event; default: [`CensoringTies::EventsFirst`].
        censoring_ties: CensoringTies;
    }
}

impl Estimator<TimeToEvent> for FineGrayRegression {
    type Scale = LogSubdistributionHazardRatio;

    fn estimate(
        &self,
        comparison: &Comparison<TimeToEvent>,
    ) -> Result<Estimates<LogSubdistributionHazardRatio>> {
        let prepared = prepare(&self.adjustment, comparison, "Fine-Gray regression", self.level)?;
        let comparison = prepared.comparison();
        let locate = |error: Error| comparison.locate(error);
        let declared = comparison.clusters().is_some();
        let variance = self.variance.unwrap_or(if declared {
            FineGrayVariance::Robust
        } else {
            FineGrayVariance::FineGray
        });
        let clustered = declared && variance == FineGrayVariance::Robust;
        if variance != FineGrayVariance::Model {
            refuse_alone(comparison).map_err(locate)?;
        }
        let hazards = Hazards::new(&prepared, false, clustered)?;
        let df = if clustered { Some(cluster_df(comparison)?) } else { None };
        let places: Vec<usize> = (0..comparison.treatments().len()).collect();
        let (contrasts, covariance, few) = prepared.with_columns(|columns| {
            let data = hazards.data(None)?;
            let matrix = columns.matrix.select(&(1..columns.matrix.ncols()).collect::<Vec<_>>())?;
            let model = FineGray::new(1).censoring_ties(self.censoring_ties);
            let fit = model.fit(&data, &matrix).map_err(|error| error.separating(SeparatedModel::Risks))?;
            let covariance = submatrix(fit.covariance(variance)?.view(), &places);
            let values = fit.estimates();
            let contrasts = wald(comparison, values.view(), &covariance, df.as_deref(), self.level)?;
            Ok((contrasts, covariance, hazards.few_events(matrix.ncols())))
        })?;
        let interval = interval_of(df.as_deref());
        let method = prepared.method(VarianceMethod::Subdistribution(variance)).interval(interval);
        let mut about = About::of(comparison, self.adjustment.estimand(), method, self.level)?;
        let ignored = comparison.clusters_ignored().filter(|_| !clustered);
        about.notices.extend(prepared.strata_ignored().into_iter().chain(ignored).chain(few));
        let reference = comparison.reference().clone();
        Estimates::new(LogSubdistributionHazardRatio, about, reference, contrasts, covariance)
    }
}
