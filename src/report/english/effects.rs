//! The words for what an effect is of, how it was estimated, and how it was tested.

use crate::compute::curve::{ConfidenceCurve, Inference};
use crate::compute::meta_analysis::{ChiSquaredTest, Tau2, WaldTest};
use crate::design::{Label, MeasureInfo};
use crate::effect::{AnyScale, Estimand, IntervalMethod, Method, VarianceMethod};
use crate::report::base::format::{listed, p_value, plain_label, significant};

/// `full-time outflow at 16 months`.
pub(crate) fn measure_words(measure: &MeasureInfo) -> String {
    match &measure.horizon {
        // `until 12 months`, `mean of months 13 to 24`.
        Some(horizon) if horizon.starts_with("until ") => format!("{} {horizon}", measure.name),
        Some(horizon) if horizon.starts_with("mean of ") => format!("{}, {horizon}", measure.name),
        Some(horizon) => format!("{} at {horizon}", measure.name),
        None => measure.name.clone(),
    }
}

/// `guidance vs control`.
pub(crate) fn contrast_words(treatment: &Label, reference: &Label) -> String {
    format!("{} vs {}", plain_label(treatment), plain_label(reference))
}

/// `95% CI`; a level below 1 is never written as 100%.
pub(crate) fn interval_name(level: f64) -> String {
    let percent = |digits: usize| significant(100.0 * level, digits);
    let digits = (4..17).find(|digits| percent(*digits) != "100").unwrap_or(17);
    format!("{}% CI", percent(digits))
}

/// `95% prediction interval`, of a posterior distribution.
pub(crate) fn prediction_name(level: f64) -> String {
    interval_name(level).replace("CI", "prediction interval")
}

/// `approximate 95% prediction interval`: it takes the variation between trials as known.
pub(crate) fn approximate_prediction_name(level: f64) -> String {
    format!("approximate {}", prediction_name(level))
}

/// The distribution to which an estimate is referred: `t with 12 df`.
pub(crate) fn reference_words(df: Option<f64>) -> String {
    df.map_or_else(|| "normal".to_owned(), |df| format!("t with {} df", significant(df, 4)))
}

/// `t with 12 df`, `normal`, or both where the larger of their p-values is taken.
pub(crate) fn curve_words(inference: &Inference) -> String {
    match inference.curve() {
        ConfidenceCurve::LargerOf { .. } => IntervalMethod::WiderOfBoth.to_string(),
        _ => reference_words(inference.df()),
    }
}

/// `t with 12 df`, or the name of the method.
pub(crate) fn interval_words(method: &IntervalMethod, df: Option<f64>) -> String {
    match method {
        IntervalMethod::Normal | IntervalMethod::StudentT => reference_words(df),
        method => method.to_string(),
    }
}

/// The variance, unless it is the plain one of the arms.
pub(crate) fn variance_words(variance: &VarianceMethod) -> Option<String> {
    match variance {
        VarianceMethod::Unpooled => None,
        other => Some(format!("variance {}", other.to_string().replace(", ", " "))),
    }
}

/// The word of an estimand, where marginal and conditional differ: for odds and hazard ratios with
/// covariates.
pub(crate) fn estimand_words(scale: &AnyScale, estimand: Estimand, adjusted: bool) -> Option<String> {
    let differ = adjusted
        && matches!(
            scale,
            AnyScale::LogOddsRatio | AnyScale::LogHazardRatio | AnyScale::LogSubdistributionHazardRatio
        );
    match estimand {
        Estimand::Conditional => Some("conditional".to_owned()),
        Estimand::Compliers => Some("among compliers".to_owned()),
        Estimand::Marginal => differ.then(|| "marginal".to_owned()),
    }
}

/// `adjusted for age and female`.
pub(crate) fn adjusted_words(covariates: &[String]) -> Option<String> {
    (!covariates.is_empty()).then(|| format!("adjusted for {}", listed(covariates)))
}

/// `logistic regression adjusted for age and female; 95% CI: normal, variance Ye 2023`.
pub(crate) fn method_words(method: &Method, level: f64) -> String {
    let adjusted = adjusted_words(&method.adjusted_for).map_or_else(String::new, |words| format!(" {words}"));
    let variance = variance_words(&method.variance).map_or_else(String::new, |words| format!(", {words}"));
    format!("{}{adjusted}; {}: {}{variance}", method.estimator, interval_name(level), method.interval)
}

/// `random effects, REML`.
pub(crate) fn model_words(tau2: Option<Tau2>) -> String {
    tau2.map_or_else(|| "common effect".to_owned(), |tau2| format!("random effects, {tau2}"))
}

/// `F = 4.2 (df 1 and 3, p = 0.13)`; without p where there are no degrees of freedom.
pub(crate) fn test_words(name: &str, statistic: f64, df: [Option<f64>; 2], p: Option<f64>) -> String {
    let df: Vec<String> = df.into_iter().flatten().map(|df| significant(df, 4)).collect();
    let p = p.map_or_else(String::new, |p| format!(", {}", p_value(p)));
    format!("{name} = {} (df {}{p})", significant(statistic, 3), df.join(" and "))
}

/// `Q = 1.05 (df 2, p = 0.59)`.
pub(crate) fn chi_squared_words(q: &ChiSquaredTest) -> String {
    test_words("Q", q.statistic, [Some(q.df), None], (q.df > 0.0).then_some(q.p_value))
}

/// `F = 4.2 (df 1 and 3, p = 0.13)`, or `Q`.
pub(crate) fn wald_words(test: &WaldTest) -> String {
    let name = if test.denominator_df.is_some() { "F" } else { "Q" };
    test_words(name, test.statistic, [Some(test.df), test.denominator_df], Some(test.p_value))
}
