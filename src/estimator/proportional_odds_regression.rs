use super::adjustment::{self, ARM, Adjustment, Prepared, adjustment_setters};
use super::category_model::{
    CategoryModel, Outcome, category_model_setters, chosen, of_coefficients, probabilities,
};
use super::options::{field, is_usual};
use super::{Estimator, Marginal};
use crate::compute::categorical::{CategoryVariance, CumulativeFit, CumulativeRegression};
use crate::compute::linalg::submatrix;
use crate::compute::regression::Fitted as _;
use crate::compute::regression::{Category, Family, MarginalVariance};
use crate::design::{Comparison, Notice, Ordinal};
use crate::effect::{About, CategoryProbabilities, Contrast, ContrastScale, Estimates, LogOddsRatio};
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Proportional odds regression of an ordered outcome on arms and covariates (cumulative logit; ordered
/// logistic regression).
///
/// By itself it estimates one conditional log odds ratio per treatment: positive where the treatment raises
/// the outcome. For differences in the probabilities of the categories:
/// [`ProportionalOddsRegression::marginal`].
///
/// # Formula
/// `logit P(Y > k) = -t_k + sum(b_a [arm = a]) + x'c` at every threshold `k` by maximum likelihood:
/// `exp(b_a)` is the odds ratio of being above any threshold, arm `a` against the reference.
///
/// # Assumptions
/// The odds ratio is the same at every threshold, and the same for everybody; people are independent. Brant's
/// test of the first is part of the fit: where it rejects at 0.05, or cannot be made, a notice says so.
///
/// # Interval
/// Normal, with the model-based standard error (observed information) by default; HC0 with probability
/// weights, or by [`ProportionalOddsRegression::variance`].
///
/// # Errors
/// Separation; aliased columns by name; fewer people than coefficients; one category only.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,contract\nc,none\nc,none\nc,none\nc,temporary\nc,temporary\nc,permanent\n\
///     t,none\nt,none\nt,temporary\nt,permanent\nt,permanent\nt,permanent\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let effect = trial
///     .on(&Contract::ordinal("contract"))?
///     .estimate(&ProportionalOddsRegression::new())?
///     .treatment("t")?;
/// assert!(effect.ratio().unwrap() > 1.0 && effect.p_value() > 0.05);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// McCullagh P (1980), Journal of the Royal Statistical Society B 42:109. Brant R (1990), Biometrics
/// 46:1171. Agresti A (2013), Categorical Data Analysis, 3rd edition, section 8.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProportionalOddsRegression {
    #[serde(flatten, deserialize_with = "adjustment::weighted")]
    pub(super) adjustment: Adjustment,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::variance")]
    variance: Option<CategoryVariance>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

impl Default for ProportionalOddsRegression {
    fn default() -> Self {
        Self { adjustment: Adjustment::default(), variance: None, level: 0.95 }
    }
}

/// Brant's test rejects below this p-value.
const REJECTED: f64 = 0.05;

impl ProportionalOddsRegression {
    /// Without covariates; model-based standard errors; level 0.95.
    pub fn new() -> Self {
        Self::default()
    }

    adjustment_setters!(covariates);
    category_model_setters!();

    fn with_fit<T>(
        &self,
        comparison: &Comparison<Ordinal>,
        with: impl FnOnce(&Prepared<'_, Ordinal>, &Outcome, &CumulativeFit<'_>) -> Result<T>,
    ) -> Result<T> {
        let estimator = "proportional odds regression";
        let prepared = self.adjustment.prepare(comparison, Family::Binomial, estimator, self.level)?;
        let outcome = Outcome::of(&prepared)?;
        prepared.with_columns(|columns| {
            // The thresholds are the intercepts; arms are then the first columns.
            let matrix = columns.matrix.select(&(1..columns.matrix.ncols()).collect::<Vec<_>>())?;
            let response = Category::new(&outcome.codes, outcome.labels());
            let fit = CumulativeRegression::new().weights(columns.weights).fit(&matrix, response)?;
            with(&prepared, &outcome, &fit)
        })
    }

    fn effects(
        &self,
        prepared: &Prepared<'_, Ordinal>,
        outcome: &Outcome,
        fit: &CumulativeFit<'_>,
    ) -> Result<Estimates<LogOddsRatio>> {
        let comparison = prepared.comparison();
        let variance = chosen(self.variance, prepared)?;
        let method = prepared.method(of_coefficients(variance));
        let mut about = About::of(comparison, self.adjustment.estimand(), method, self.level)?;
        let labels = outcome.categories.labels.iter().enumerate();
        let empty = labels.filter(|(k, _)| !outcome.occupied.contains(k));
        about.notices.extend(empty.map(|(_, label)| Notice::EmptyCategory { category: label.clone() }));
        about.notices.extend(brant(fit));
        about.notices.extend(prepared.design_ignored());
        let first = fit.thresholds().len();
        let places: Vec<usize> = (first..first + comparison.treatments().len()).collect();
        let covariance = submatrix(fit.covariance(variance)?.view(), &places);
        let contrasts = comparison.treatments().iter().enumerate().map(|(i, arm)| {
            Contrast::wald(arm.clone(), fit.coefficients()[i], covariance[[i, i]], None, self.level)
        });
        Estimates::new(
            LogOddsRatio,
            about,
            comparison.reference().clone(),
            contrasts.collect::<Result<_>>()?,
            covariance,
        )
    }
}

/// What Brant's test says; nothing with two categories, where odds are proportional.
fn brant(fit: &CumulativeFit) -> Option<Notice> {
    if fit.categories().len() < 3 {
        return None;
    }
    match fit.brant_test() {
        Ok(test) => (test.overall.p_value < REJECTED)
            .then_some(Notice::NonProportionalOdds { p_value: test.overall.p_value }),
        Err(error) => Some(Notice::ProportionalOddsUntested { why: error.to_string() }),
    }
}

impl Estimator<Ordinal> for ProportionalOddsRegression {
    type Scale = LogOddsRatio;

    fn estimate(&self, comparison: &Comparison<Ordinal>) -> Result<Estimates<LogOddsRatio>> {
        self.with_fit(comparison, |prepared, outcome, fit| self.effects(prepared, outcome, fit))
    }
}

impl CategoryModel<Ordinal> for ProportionalOddsRegression {
    fn probabilities(
        &self,
        comparison: &Comparison<Ordinal>,
        variance: MarginalVariance,
    ) -> Result<CategoryProbabilities> {
        self.with_fit(comparison, |prepared, outcome, fit| {
            let standardized = fit.standardize(ARM)?;
            let probabilities = probabilities(prepared, outcome, &standardized, variance)?;
            Ok(probabilities.level(self.level).notices(brant(fit)))
        })
    }
}
