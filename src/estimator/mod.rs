//! Estimators: from the arms of a trial with an outcome to the effect of every treatment.
//!
//! An [`Estimator`] is a value with documented defaults and consuming setters. [`Comparison::estimate`] runs
//! it on one trial, [`Comparisons::estimate`] on several, [`SubgroupComparisons::estimate`] within subgroups.
//! The result is an [`Estimates`] of every treatment with the joint covariance.
//!
//! ```
//! use armwise::prelude::*;
//!
//! let text =
//!     "arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\nt,22,1\n";
//! let table = Table::from_csv_str(text)?;
//! let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
//! let works = trial.on(&Measure::binary("works"))?;
//!
//! let crude = works.estimate(&DifferenceInProportions::new())?;
//! let adjusted = works.estimate(&LinearRegression::new().adjust_for(["age"]))?;
//! assert_eq!(crude.treatment("t")?.value(), 0.5);
//! assert!((adjusted.treatment("t")?.value() - 0.5).abs() < 0.1);
//! # Ok::<(), armwise::Error>(())
//! ```
//!
//! # Binary outcomes
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`DifferenceInProportions`] | [`RiskDifference`] | Miettinen-Nurminen (default), Newcombe, Mee, Wald, Agresti-Caffo; Mantel-Haenszel within declared strata (Sato, Greenland-Robins; stratified Miettinen-Nurminen, Mee, Newcombe); CR2 of declared clusters |
//! | [`RatioOfProportions`] | [`LogRiskRatio`] | Miettinen-Nurminen (default), Koopman, Katz log, Walter; Mantel-Haenszel (Greenland-Robins; stratified score); CR2 |
//! | [`OddsRatio`] | [`LogOddsRatio`] | Miettinen-Nurminen (default), Cornfield, Woolf, Haldane-Anscombe, exact, mid-p; Mantel-Haenszel (Robins-Breslow-Greenland; stratified score); CR2 |
//! | [`LogisticRegression`] | [`LogOddsRatio`], conditional | model (default), HC0 (default with probability weights) to HC3; of declared clusters CR2 of Pearson residuals with Satterthwaite's degrees of freedom (default), CR0 to CR3 |
//! | [`LogisticRegression::marginal`] | [`RiskDifference`], [`LogRiskRatio`], [`LogOddsRatio`] | Ye et al. 2023 (default; stratified where strata were declared), superpopulation (default with weights or an offset; summed by declared clusters with Satterthwaite's degrees of freedom), delta method |
//! | [`LinearRegression`] | [`RiskDifference`] | HC2 (default), HC0, HC1, HC3, model; of declared clusters CR2 with Satterthwaite's degrees of freedom (default), CR0, CR1, CR3 |
//! | [`FirthLogisticRegression`] | [`LogOddsRatio`], conditional | profile of the penalised likelihood; finite where an arm has no events |
//!
//! # Scores and amounts
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`DifferenceInMeans`] | [`MeanDifference`] | Welch (default), pooled; blocks, matched pairs, pairs beside larger blocks and clusters from the declared design |
//! | [`LinearRegression`] (ANCOVA; [`interacted`](LinearRegression::interacted): Lin 2013) | [`MeanDifference`] | HC2 (default), HC0, HC1, HC3, model; of declared clusters CR2 with Satterthwaite's degrees of freedom (default), CR0, CR1, CR3 |
//! | [`LinearRegression::marginal`] | [`MeanDifference`], [`LogRatioOfMeans`] | as for logistic regression |
//! | [`TwoPartRegression`] (gamma, lognormal, smearing) | [`MeanDifference`], zeros included, and both parts | HC0 (default), model |
//!
//! # Counts and rates
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`DifferenceInRates`], [`RatioOfRates`] | [`RateDifference`], [`LogRateRatio`] | robust (default; CR2 of declared clusters), Poisson; exact, mid-p and score intervals |
//! | [`PoissonRegression`] | [`LogRateRatio`], conditional | HC0 (default), HC1 to HC3, model; of declared clusters CR2 of Pearson residuals (default), CR0 to CR3 |
//! | [`PoissonRegression::marginal`] | [`RateDifference`], [`LogRateRatio`] | as for logistic regression; superpopulation (default) where exposures differ |
//! | [`NegativeBinomialRegression`] | [`LogRateRatio`], conditional | model (default), HC0 (default with probability weights) to HC3; of declared clusters CR2 of Pearson residuals (default), CR0 to CR3 |
//! | [`NegativeBinomialRegression::marginal`] | [`RateDifference`], [`LogRateRatio`] | superpopulation (default), delta method |
//!
//! # Hazards
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`CoxRegression`] (cause-specific; [`stratified`](CoxRegression::stratified); [`firth`](CoxRegression::firth)) | [`LogHazardRatio`] | model (default), Lin-Wei (default with probability weights); of declared clusters the same times `G / (G - 1)` with t (default); profile of the penalised likelihood; the test of proportional hazards as a notice |
//! | [`CoxRiskAtHorizon`], risks at a horizon standardised by Cox regression | any of arm means | delta method with the sampling of covariates |
//! | [`DiscreteTimeHazard`] (person-months; logit, complementary log-log), standardised risks at a horizon | any of arm means | delta method with the inverse information (default); CR1 of declared clusters with Satterthwaite's degrees of freedom (default) |
//! | [`FineGrayRegression`] | [`LogSubdistributionHazardRatio`] | Fine & Gray 1999 (default), sandwich (default with declared clusters), model |
//!
//! # Categories and order
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`DifferenceInCategories`] | [`RiskDifference`] of every category | Miettinen-Nurminen (default), Newcombe, Wald; each alone (default) or simultaneous: Bonferroni, Goodman, max-t |
//! | [`MultinomialRegression`] | [`LogOddsRatio`] against a base category, conditional | model (default), HC0 (default with probability weights) |
//! | [`ProportionalOddsRegression`] | [`LogOddsRatio`], conditional | model (default), HC0 (default with probability weights); Brant's test as a notice |
//! | [`MultinomialRegression::marginal`], [`ProportionalOddsRegression::marginal`] | [`RiskDifference`], [`LogRiskRatio`], [`LogOddsRatio`] of every category | superpopulation (default), delta method |
//! | [`WinProbability`] | [`NetBenefit`], [`LogWinOdds`] | placements (Brunner-Munzel), the exact rank sum test where arms do not overlap; treatments share the reference |
//! | [`IndependenceTest`], [`OrderedTest`] | tests of all arms and categories | |
//!
//! [`DifferenceInCategories::in_category`] makes an estimator of one category of an estimator of all, so that
//! it pools like any other.
//!
//! # Times to an event
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`RiskAtHorizon`] | any of arm means: [`RiskDifference`], [`LogRiskRatio`], [`LogOddsRatio`] | infinitesimal jackknife (Greenwood), CR2 of declared clusters; with covariates by pseudo-values: Ye et al. 2023 (default; stratified where strata were declared), superpopulation |
//! | [`RestrictedMeanTime`], and time lost to a cause | [`MeanDifference`], [`LogRatioOfMeans`] | the same |
//! | [`LogRankTest`] | a test of all arms: log-rank and its weights, Gray's; within declared strata by choice | |
//!
//! # Monthly states of a register
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`StateOccupation`] | any of arm means: [`RiskDifference`], [`LogRiskRatio`], [`LogOddsRatio`] | infinitesimal jackknife of people, CR2 of declared clusters; with covariates pseudo-values |
//! | [`MonthsInState`] | [`MeanDifference`], [`LogRatioOfMeans`] | the same |
//! | [`MonthlyEffects`], the mean over months, and all months with [`over_time`](MonthlyEffects::over_time) | [`RiskDifference`] | CR2 of people or declared clusters with Satterthwaite's degrees of freedom (default), CR0, CR1, CR1S |
//!
//! # Survey waves
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`RepeatedMeasures`] (MMRM, cLDA), the mean over waves or one of them, and all waves with [`estimate_waves`](crate::design::Comparison::estimate_waves) | [`MeanDifference`] | REML (default) or ML; Kenward-Roger (default of linear structures), Satterthwaite, normal |
//! | [`GeneralizedEstimatingEquations`], the same | [`MeanDifference`]; [`LogOddsRatio`] of an event, conditional with covariates | Mancl-DeRouen (default), Kauermann-Carroll, robust, model-based; Student's t |
//! | [`DifferenceInDifferences`] from the baseline to a wave | [`MeanDifference`] | CR2 of people (default); Welch of changes |
//!
//! Outcomes made of states go to any estimator of their kind: [`observed_in`](crate::design::Comparison::observed_in),
//! [`complete_months_in`](crate::design::Comparison::complete_months_in),
//! [`sustained`](crate::design::Comparison::sustained).
//!
//! # Take-up, missing outcomes and confounding
//!
//! | estimator | scale | variance and interval |
//! |---|---|---|
//! | [`ComplierAverageEffect`] | [`RiskDifference`], [`MeanDifference`] | Anderson-Rubin (default), Wald, HC2 |
//! | [`InverseProbabilityWeighting`], [`DoublyRobust`] (AIPW) | any of arm means | stacked (default; summed by declared clusters with Satterthwaite's degrees of freedom), nuisance models taken as known |
//! | [`AverageCovariateEffect`] | slope of a covariate | delta method |
//!
//! An analysis that may fail for its outcomes in one trial of several names another one beforehand:
//! [`WithFallback`].
//!
//! # Your own
//!
//! Implement [`Estimator`]: give a value for every arm with their covariance as [`ArmMeans`], and let any
//! [`Scale`] make the contrasts. `examples/own_estimator.rs` does it in ten lines.
//!
//! # What holds for all
//!
//! - Declared clusters count in every estimator that can use them. An interval for independent people that
//!   was asked for beside them is refused, and the estimators that cannot use them say so in a notice.
//! - A regression is fitted once and used often: `prepare`, then [`Prepared::fit`], then
//!   [`AdjustedFit::arm_means`](AdjustedFit).
//! - [`AnyEstimator`] is the estimator known only at run time, for plans and files.
//!
//! [`ArmMeans`]: crate::effect::ArmMeans
//! [`LogHazardRatio`]: crate::effect::LogHazardRatio
//! [`LogOddsRatio`]: crate::effect::LogOddsRatio
//! [`LogRateRatio`]: crate::effect::LogRateRatio
//! [`LogRatioOfMeans`]: crate::effect::LogRatioOfMeans
//! [`LogRiskRatio`]: crate::effect::LogRiskRatio
//! [`LogSubdistributionHazardRatio`]: crate::effect::LogSubdistributionHazardRatio
//! [`LogWinOdds`]: crate::effect::LogWinOdds
//! [`MeanDifference`]: crate::effect::MeanDifference
//! [`NetBenefit`]: crate::effect::NetBenefit
//! [`RateDifference`]: crate::effect::RateDifference
//! [`RiskDifference`]: crate::effect::RiskDifference

/// The table of estimators: each with its word in plans, the first step that it may share with others
/// (`alone` for none), and the kinds of outcome on which it estimates effects. A row, its `mod` and its
/// `pub use` are all that plans and the prelude need of a struct with a `level` and, if it fits a model, an
/// `adjustment`.
macro_rules! estimators {
    ($make:ident) => {
        $make! {
            closed_form {
                DifferenceInProportions = "difference_in_proportions", alone: Binary;
                RatioOfProportions = "ratio_of_proportions", alone: Binary;
                OddsRatio = "odds_ratio", alone: Binary;
                DifferenceInMeans = "difference_in_means", alone: Continuous;
                DifferenceInRates = "difference_in_rates", alone: Count;
                RatioOfRates = "ratio_of_rates", alone: Count;
                ComplierAverageEffect = "complier_average_effect", alone: Binary, Continuous;
                WinProbability<AnyScale: WinScale> = "win_probability", alone: Ordinal, Continuous;
                DifferenceInCategories = "difference_in_categories", alone:;
            }
            model {
                LogisticRegression = "logistic_regression", by_one_fit: Binary;
                LinearRegression = "linear_regression", by_one_fit: Binary, Continuous;
                PoissonRegression = "poisson_regression", by_one_fit: Count;
                FirthLogisticRegression = "firth_logistic_regression", alone: Binary;
                NegativeBinomialRegression = "negative_binomial_regression", by_one_fit: Count;
                CoxRegression = "cox_regression", alone: TimeToEvent;
                CoxRiskAtHorizon<AnyScale: ContrastScale> = "cox_risk_at_horizon", by_one_weighting: TimeToEvent;
                DiscreteTimeHazard<AnyScale: ContrastScale> = "discrete_time_hazard", by_one_weighting: TimeToEvent;
                FineGrayRegression = "fine_gray_regression", alone: TimeToEvent;
                TwoPartRegression = "two_part_regression", alone: Continuous;
                ProportionalOddsRegression = "proportional_odds_regression", alone: Ordinal;
                MultinomialRegression = "multinomial_regression", alone:;
                InverseProbabilityWeighting<AnyScale: ContrastScale> = "inverse_probability_weighting", by_one_weighting: Binary, Continuous;
                DoublyRobust<AnyScale: ContrastScale> = "doubly_robust", by_one_weighting: Binary, Continuous;
                RiskAtHorizon<AnyScale: ContrastScale> = "risk_at_horizon", by_one_weighting: TimeToEvent;
                RestrictedMeanTime<AnyScale: ContrastScale> = "restricted_mean_time", by_one_weighting: TimeToEvent;
            }
        }
    };
}

mod adjusted_fit;
mod adjustment;
mod association;
mod average_effect;
mod balance;
mod blocked_means;
mod category_estimator;
mod category_model;
mod clusters;
mod complier_average_effect;
mod covariates;
mod cox_regression;
mod cox_risk_at_horizon;
mod difference_in_categories;
mod difference_in_differences;
mod difference_in_means;
mod difference_in_proportions;
mod difference_in_rates;
mod discrete_time_hazard;
mod doubly_robust;
mod fine_gray_regression;
mod firth_logistic_regression;
mod generalized_estimating_equations;
mod hazard_model;
mod in_category;
mod influence_means;
mod inverse_probability_weighting;
mod linear_regression;
mod log_rank_test;
mod logistic_regression;
mod mantel_haenszel;
mod marginal;
mod monthly_effects;
mod months_in_state;
mod multinomial_regression;
mod negative_binomial_regression;
mod odds_ratio;
mod options;
mod poisson_regression;
mod proportional_odds_regression;
mod proportions;
mod rates;
mod ratio_of_proportions;
mod ratio_of_rates;
mod registry;
mod regression;
mod repeated_measures;
mod restricted_mean_time;
mod risk_at_horizon;
mod sharing;
mod state_means;
mod state_occupation;
mod time_means;
mod two_arm;
mod two_part_regression;
mod wave_estimator;
mod wave_rows;
mod weight_column;
mod win_probability;
mod with_fallback;

pub use adjusted_fit::AdjustedFit;
pub use adjustment::Prepared;
pub use association::{AssociationTest, CategoryScores, IndependenceTest, OrderedTest};
#[doc(alias("average marginal effect", "ame"))]
pub use average_effect::AverageCovariateEffect;
pub use category_estimator::CategoryEstimator;
pub use clusters::CoefficientVariance;
#[doc(alias("cace", "late", "instrumental variable", "two-stage least squares", "take-up"))]
#[doc(alias("compliance", "per-protocol", "tot", "2sls"))]
pub use complier_average_effect::ComplierAverageEffect;
pub use complier_average_effect::TakeUpInterval;
#[doc(alias("coxph", "cox model", "proportional hazards", "hazard ratio", "cause-specific hazard"))]
pub use cox_regression::CoxRegression;
#[doc(alias("standardised survival", "direct adjusted survival"))]
pub use cox_risk_at_horizon::CoxRiskAtHorizon;
pub use difference_in_categories::DifferenceInCategories;
#[doc(alias("did", "diff-in-diff", "parallel trends", "fixed effects"))]
pub use difference_in_differences::DifferenceInDifferences;
pub use difference_in_differences::DifferenceOf;
#[doc(alias("t-test", "welch", "student"))]
#[doc(alias(
    "unpaired t-test",
    "paired t-test",
    "matched pairs",
    "randomized block",
    "pashley",
    "satterthwaite"
))]
pub use difference_in_means::DifferenceInMeans;
#[doc(alias("miettinen", "miettinen-nurminen", "newcombe", "risk difference"))]
#[doc(alias(
    "cochran-mantel-haenszel",
    "mantel-haenszel",
    "stratified analysis",
    "percentage points",
    "number needed to treat"
))]
pub use difference_in_proportions::DifferenceInProportions;
#[doc(alias("rate difference", "incidence rate"))]
pub use difference_in_rates::DifferenceInRates;
#[doc(alias("person-months", "complementary log-log", "discrete-time survival"))]
pub use discrete_time_hazard::DiscreteTimeHazard;
#[doc(alias("aipw", "augmented inverse probability weighting"))]
#[doc(alias("doubly robust"))]
pub use doubly_robust::DoublyRobust;
#[doc(alias("subdistribution hazard", "crr", "competing risks regression"))]
pub use fine_gray_regression::FineGrayRegression;
#[doc(alias("penalised likelihood", "penalized likelihood", "separation"))]
pub use firth_logistic_regression::FirthLogisticRegression;
#[doc(alias("gee", "geepack", "working correlation", "liang zeger"))]
pub use generalized_estimating_equations::GeneralizedEstimatingEquations;
pub use in_category::InCategory;
#[doc(alias("ipw", "iptw", "propensity score", "attrition"))]
#[doc(alias("inverse probability weighting", "missing at random", "loss to follow-up"))]
pub use inverse_probability_weighting::InverseProbabilityWeighting;
pub use linear_regression::LinearModel;
#[doc(alias("ancova", "ols", "least squares", "analysis of covariance", "lin 2013"))]
#[doc(alias(
    "anhecova",
    "covariate adjustment",
    "baseline adjustment",
    "change score",
    "linear probability model"
))]
pub use linear_regression::LinearRegression;
#[doc(alias("log-rank", "mantel", "gehan", "peto", "gray", "fleming-harrington"))]
pub use log_rank_test::LogRankTest;
pub use log_rank_test::TimesTest;
pub use logistic_regression::LogisticModel;
#[doc(alias("logit", "glm", "binomial regression"))]
#[doc(alias("logistic", "adjusted odds ratio"))]
pub use logistic_regression::LogisticRegression;
#[doc(alias("gcomputation", "g-computation", "standardisation", "standardization", "ye 2023"))]
#[doc(alias(
    "lsmeans",
    "marginal effects",
    "average treatment effect",
    "ate",
    "regression standardization"
))]
pub use marginal::Marginal;
#[doc(alias("event study", "intention to treat by month", "panel regression"))]
pub use monthly_effects::MonthlyEffects;
#[doc(alias("days off benefit", "expected length of stay", "sojourn time"))]
pub use months_in_state::MonthsInState;
#[doc(alias("multinom", "categorical outcome"))]
pub use multinomial_regression::MultinomialRegression;
pub use negative_binomial_regression::NegativeBinomialModel;
#[doc(alias("overdispersion"))]
#[doc(alias("nb2", "glm.nb"))]
pub use negative_binomial_regression::NegativeBinomialRegression;
#[doc(alias("exact odds ratio", "cornfield", "fisher"))]
#[doc(alias("or", "gart"))]
pub use odds_ratio::OddsRatio;
#[doc(alias("log-linear", "incidence rate ratio", "modified poisson"))]
pub use poisson_regression::{PoissonModel, PoissonRegression};
#[doc(alias("ordinal regression", "ordered logit", "cumulative logit", "polr"))]
pub use proportional_odds_regression::ProportionalOddsRegression;
pub use proportions::Proportions;
pub use rates::{RateVariance, Rates};
#[doc(alias("risk ratio", "relative risk", "koopman"))]
#[doc(alias("rr", "stratified risk ratio"))]
pub use ratio_of_proportions::RatioOfProportions;
#[doc(alias("rate ratio", "incidence rate ratio"))]
pub use ratio_of_rates::RatioOfRates;
pub use registry::AnyEstimator;
pub use regression::Regression;
pub(crate) use regression::{MeanOutcome, ModelOf};
#[doc(alias("mmrm", "mixed model", "clda", "kenward-roger", "nlme", "gls", "longitudinal"))]
pub use repeated_measures::RepeatedMeasures;
#[doc(alias("rmst", "restricted mean survival time", "months lost", "time lost"))]
pub use restricted_mean_time::RestrictedMeanTime;
#[doc(alias("cumulative incidence", "kaplan-meier", "aalen-johansen", "competing risks"))]
#[doc(alias("pseudo-values", "survival", "censoring", "time to event"))]
pub use risk_at_horizon::RiskAtHorizon;
pub(crate) use sharing::{Estimated, estimate_all};
#[doc(alias("state occupancy", "multistate", "re-entry", "markov"))]
pub use state_occupation::StateOccupation;
pub use two_arm::ZeroCells;
pub use two_part_regression::TwoPartEffects;
#[doc(alias("hurdle", "zero-inflated", "smearing"))]
#[doc(alias("two-part model", "semicontinuous", "zero inflation"))]
pub use two_part_regression::TwoPartRegression;
pub use wave_estimator::WaveEstimator;
#[doc(alias(
    "probability weights",
    "survey weights",
    "sampling weights",
    "frequency weights",
    "analytic weights"
))]
pub use weight_column::WeightColumn;
#[doc(alias("mann-whitney", "wilcoxon", "brunner-munzel", "probabilistic index"))]
#[doc(alias("rank sum", "u test", "auc", "no overlap", "ordinal outcome"))]
pub use win_probability::WinProbability;
pub use win_probability::WinScale;
#[doc(alias("separation", "fallback"))]
pub use with_fallback::WithFallback;
pub(crate) use with_fallback::instead;

/// The estimators of the table, as the prelude of the crate has them.
pub(crate) mod prelude {
    macro_rules! names {
        (closed_form { $($c:ident $(<$c_any:ident: $c_bound:ident>)? = $c_word:literal, $c_step:ident: $($c_kind:ident),*;)+ }
         model { $($m:ident $(<$m_any:ident: $m_bound:ident>)? = $m_word:literal, $m_step:ident: $($m_kind:ident),*;)+ }) => {
            pub use super::{$($c,)+ $($m,)+ DifferenceInDifferences, GeneralizedEstimatingEquations, MonthlyEffects, MonthsInState, RepeatedMeasures, StateOccupation};
        };
    }
    estimators!(names);
}

use crate::compute::linalg::held_jointly;
use crate::design::{Comparison, Comparisons, OutcomeKind, SubgroupComparisons};
use crate::effect::{Effects, Estimates, Scale, SubgroupEffects};
use crate::error::Result;

/// From the arms of a trial with an outcome of kind `K` to the effect of every treatment.
///
/// An estimator is a value with documented defaults and consuming setters; it is checked once, here. An
/// estimator of one's own takes ten lines: compute a value for every arm with their covariance, and let a
/// scale make the contrasts. What has no answer is an [`Error`](crate::Error): `Error::invalid` for what was
/// asked for, `Error::not_estimable` for outcomes without an answer, which a fallback then answers.
///
/// ```
/// use armwise::ndarray::Array2;
/// use armwise::prelude::*;
///
/// /// The difference in medians, with the large-sample variance of normal data.
/// struct DifferenceInMedians;
///
/// impl Estimator<Continuous> for DifferenceInMedians {
///     type Scale = MeanDifference;
///
///     fn estimate(
///         &self, comparison: &Comparison<Continuous>,
///     ) -> armwise::Result<Estimates<MeanDifference>> {
///         let k = comparison.arms().len();
///         let mut arms = vec![Vec::new(); k];
///         for (&outcome, &arm) in comparison.outcomes().iter().zip(comparison.arm_indices()) {
///             arms[arm as usize].push(outcome);
///         }
///         let mut covariance = Array2::zeros((k, k));
///         for (i, arm) in arms.iter_mut().enumerate() {
///             if arm.len() < 2 {
///                 let why = "one person does not show how scores vary; leave the arm out";
///                 return Err(
///                     armwise::Error::invalid(why).in_arm(&comparison.arms()[i].label)
///                 );
///             }
///             arm.sort_by(f64::total_cmp);
///             let (n, mean) = (arm.len() as f64, arm.iter().sum::<f64>() / arm.len() as f64);
///             let variance = arm.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0);
///             covariance[[i, i]] = std::f64::consts::FRAC_PI_2 * variance / n;
///         }
///         let medians = arms.iter().map(|arm| arm[arm.len() / 2]).collect();
///         let method = Method::new("difference in medians");
///         ArmMeans::new(comparison, medians, covariance, method)?.contrast(MeanDifference)
///     }
/// }
///
/// let table = Table::from_csv_str("arm,score\nc,1\nc,2\nc,4\nt,3\nt,5\nt,9\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let effects = trial.on(&Measure::continuous("score"))?.estimate(&DifferenceInMedians)?;
/// assert_eq!(effects.treatment("t")?.value(), 3.0);
///
/// // Trial and measure are named by `estimate`.
/// let table = Table::from_csv_str("arm,score\nc,1\nc,2\nt,3\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let error =
///     trial.on(&Measure::continuous("score"))?.estimate(&DifferenceInMedians).unwrap_err();
/// assert!(
///     error.to_string().starts_with("Utrecht, score, arm \"t\": one person does not show")
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not estimate effects on an outcome of kind `{K}`",
    label = "this estimator does not fit the outcome",
    note = "the table in the crate's documentation says which estimators fit which kind of outcome"
)]
pub trait Estimator<K: OutcomeKind> {
    /// The scale of the effects.
    type Scale: Scale;

    /// The effect of every treatment against the reference.
    ///
    /// # Errors
    /// What the estimator cannot answer, with trial, measure, arm and what to do next.
    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<Self::Scale>>;

    /// Whether the effects depend on nothing but the numbers of people and events of the arms, where neither
    /// strata nor clusters are declared: a bootstrap then draws one number for each arm instead of people.
    /// Default: they may depend on more.
    fn needs_counts_alone(&self) -> bool {
        false
    }

    /// A short way to the effects of resamples of the people of this comparison, where there is one: from how
    /// often each person was drawn to the value of every treatment, or to nothing where the resample has to be
    /// estimated by itself. The values are those of [`estimate`](Self::estimate) to nine digits. Default: none.
    fn of_resamples(&self, comparison: &Comparison<K>) -> Option<ResampledValues> {
        let _ = comparison;
        None
    }
}

/// From how often each person was drawn to the value of every treatment.
pub type ResampledValues = Box<dyn Fn(&[u32]) -> Option<Vec<f64>> + Send + Sync>;

/// Arms whose joint covariance takes 800 MB.
const MOST_ARMS: usize = 10_000;

impl<K: OutcomeKind> Comparison<K> {
    /// The effect of every treatment against the reference, in time and memory that grow with the square of the
    /// number of arms.
    ///
    /// # Errors
    /// Those of the estimator; `invalid_input` with more than 10,000 arms.
    pub fn estimate<E: Estimator<K>>(&self, estimator: &E) -> Result<Estimates<E::Scale>> {
        held_jointly(self.arms().len(), MOST_ARMS, "arms").map_err(|error| self.locate(error))?;
        estimator.estimate(self).map_err(|error| self.locate(error))
    }
}

impl<K: OutcomeKind> Comparisons<K> {
    /// The effect of every treatment in every trial.
    ///
    /// # Errors
    /// Those of the estimator, in any trial.
    pub fn estimate<E: Estimator<K>>(&self, estimator: &E) -> Result<Effects<E::Scale>> {
        Effects::new(
            self.iter().map(|comparison| comparison.estimate(estimator)).collect::<Result<Vec<_>>>()?,
        )
    }
}

impl<K: OutcomeKind> SubgroupComparisons<K> {
    /// The effect of every treatment within every level.
    ///
    /// # Errors
    /// Those of the estimator, in any level.
    pub fn estimate<E: Estimator<K>>(&self, estimator: &E) -> Result<SubgroupEffects<E::Scale>> {
        let effects = self.comparisons.iter().map(|comparison| comparison.estimate(estimator));
        let effects = effects.collect::<Result<Vec<_>>>()?;
        SubgroupEffects::new(self.column.clone(), self.levels.clone(), effects, self.notices.clone())
    }
}
