//! The words in which effects are told: signs, units, decimals that fit the standard error, and limits that may be infinite.

use super::format::{Limits, decimal, p_value, ratio, significant};
use crate::compute::interval::Interval;
use crate::design::{Label, MeasureInfo};
use crate::effect::{AnyScale, Estimand, Estimate, IntervalMethod, Method, Scale, ScaleForm, VarianceMethod};

/// What an infinite limit is called.
const UNBOUNDED: &str = "unbounded";

/// How numbers on one scale are written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Words {
    form: ScaleForm,
    /// The name of the scale, where the unit does not tell it.
    name: String,
    unit: String,
    decimals: usize,
}

impl Words {
    /// Decimals by the standard error: two of its digits, one for percentage points (which have one decimal at least).
    pub(super) fn new(scale: &AnyScale, measure: &MeasureInfo, se: f64) -> Self {
        let form = scale.form();
        let mut words = Self { form, name: String::new(), unit: String::new(), decimals: 2 };
        match form {
            ScaleForm::PercentagePoints => {
                words.unit = String::from(" points");
                words.decimals = decimals_of(100.0 * se, 1).max(1);
            }
            ScaleForm::LogRatio => words.name = scale.to_string(),
            ScaleForm::Difference => {
                words.decimals = decimals_of(se, 2);
                match (scale, &measure.unit) {
                    (AnyScale::MeanDifference, Some(unit)) => words.unit = format!(" {unit}"),
                    _ => words.name = scale.to_string(),
                }
            }
        }
        words
    }

    /// A mean of an arm, with two digits of its standard error.
    pub(super) fn of_mean(se: f64) -> Self {
        let (name, unit) = (String::new(), String::new());
        Self { form: ScaleForm::Difference, name, unit, decimals: decimals_of(se, 2) }
    }

    /// A number of the scale with its sign, without its unit: `+2.1`, `1.29`.
    pub(super) fn number(&self, value: f64) -> String {
        let text = self.unsigned(value);
        let positive = self.form != ScaleForm::LogRatio
            && value > 0.0
            && text.contains(|c: char| ('1'..='9').contains(&c));
        if positive { format!("+{text}") } else { text }
    }

    /// The number that is written: percentage points, the ratio, the difference.
    pub(super) fn shown(&self, value: f64) -> f64 {
        match self.form {
            ScaleForm::PercentagePoints => 100.0 * value,
            ScaleForm::LogRatio => libm::exp(value),
            ScaleForm::Difference => value,
        }
    }

    pub(super) fn unsigned(&self, value: f64) -> String {
        let shown = self.shown(value);
        if shown.is_infinite() {
            return UNBOUNDED.to_owned();
        }
        match self.form {
            ScaleForm::LogRatio if shown >= 1e6 => significant(shown, 3),
            ScaleForm::LogRatio => ratio(shown),
            _ => plain(shown, self.decimals),
        }
    }

    /// `+2.1 points`, `odds ratio 1.29`, `difference in means +0.31`.
    pub(super) fn value(&self, value: f64) -> String {
        let gap = if self.name.is_empty() { "" } else { " " };
        format!("{}{gap}{}{}", self.name, self.number(value), self.unit)
    }

    /// A number that is written already, with the unit: `15.0 points`.
    pub(super) fn span_unit(&self, number: String) -> String {
        number + &self.unit
    }

    /// `-2.9 to 7.3`.
    pub(super) fn limits(&self, limits: Limits) -> String {
        format!("{} to {}", self.unsigned(limits.lower), self.unsigned(limits.upper))
    }

    /// `-2.9 to 7.3 points`, `odds ratio 0.88 to 1.90`.
    pub(super) fn span(&self, limits: Limits) -> String {
        let gap = if self.name.is_empty() { "" } else { " " };
        format!("{}{gap}{}{}", self.name, self.limits(limits), self.unit)
    }

    /// `+2.1 (-2.9 to 7.3)`.
    pub(super) fn cell(&self, value: f64, limits: Limits) -> String {
        format!("{} ({})", self.number(value), self.limits(limits))
    }

    pub(super) fn decimals(&self) -> usize {
        self.decimals
    }
}

/// As many decimals as show `digits` digits of the standard error.
fn decimals_of(se: f64, digits: i32) -> usize {
    if se == 0.0 || !se.is_finite() {
        return 2;
    }
    let exponent = format!("{se:e}").rsplit('e').next().and_then(|text| text.parse().ok()).unwrap_or(0_i32);
    usize::try_from((digits - 1 - exponent).clamp(0, 12)).unwrap_or(0)
}

/// With these decimals, but never more than six significant digits, which are the same on every processor.
pub(super) fn plain(value: f64, decimals: usize) -> String {
    let magnitude = value.abs();
    if magnitude >= 1e6 || decimals > 6 {
        return significant(value, 6);
    }
    let before = match magnitude {
        m if m >= 1e5 => 6,
        m if m >= 1e4 => 5,
        m if m >= 1e3 => 4,
        m if m >= 1e2 => 3,
        m if m >= 1e1 => 2,
        _ => 1,
    };
    decimal(value, decimals.min(6 - before + usize::from(magnitude < 1.0)))
}

/// Several names as in a sentence: `age, female and education`.
pub(super) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<T> = names.into_iter().collect();
    match names.split_last() {
        None => String::new(),
        Some((last, [])) => last.as_ref().to_owned(),
        Some((last, rest)) => {
            let rest: Vec<&str> = rest.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", rest.join(", "), last.as_ref())
        }
    }
}

/// `95% CI`.
pub(super) fn interval_name(level: f64) -> String {
    format!("{}% CI", significant(100.0 * level, 4))
}

/// `t with 12 df`, or the name of the method.
pub(super) fn interval_words(method: &IntervalMethod, df: Option<f64>) -> String {
    match (method, df) {
        (IntervalMethod::Normal | IntervalMethod::StudentT, df) => reference_words(df),
        (method, _) => method.to_string(),
    }
}

/// The distribution to which an estimate is referred.
pub(super) fn reference_words(df: Option<f64>) -> String {
    df.map_or_else(|| "normal".to_owned(), |df| format!("t with {} df", significant(df, 4)))
}

/// The variance, unless it is the plain one of the arms.
pub(super) fn variance_words(variance: &VarianceMethod) -> Option<String> {
    match variance {
        VarianceMethod::Unpooled => None,
        other => Some(format!("variance {}", other.to_string().replace(", ", " "))),
    }
}

/// The words of an estimand, where marginal and conditional differ: for odds and hazard ratios with covariates.
pub(super) fn estimand_words(scale: &AnyScale, estimand: Estimand, adjusted: bool) -> Option<&'static str> {
    let differ = matches!(scale, AnyScale::LogOddsRatio | AnyScale::LogHazardRatio);
    match estimand {
        Estimand::Conditional => Some("conditional"),
        Estimand::Compliers => Some("among compliers"),
        Estimand::Marginal if differ && adjusted => Some("marginal"),
        Estimand::Marginal => None,
    }
}

/// `adjusted for age and female (logistic regression)`.
pub(super) fn adjustment_words(method: &Method) -> Option<String> {
    if method.adjusted_for.is_empty() {
        return None;
    }
    Some(format!("adjusted for {} ({})", listed(&method.adjusted_for), method.estimator))
}

/// `logistic regression adjusted for age and female; 95% CI: normal, variance Ye 2023`.
pub(super) fn method_words<S: Scale>(estimate: &Estimate<S>) -> String {
    let method = estimate.method();
    // The degrees of freedom differ from treatment to treatment.
    let interval = match method.interval {
        IntervalMethod::StudentT => "t".to_owned(),
        ref other => other.to_string(),
    };
    let adjusted = match method.adjusted_for.as_slice() {
        [] => String::new(),
        covariates => format!(" adjusted for {}", listed(covariates)),
    };
    let variance = variance_words(&method.variance).map_or_else(String::new, |words| format!(", {words}"));
    format!("{}{adjusted}; {}: {interval}{variance}", method.estimator, interval_name(estimate.level()))
}

/// `events / n`, 0 where there is nobody.
pub(super) fn percent_of(events: u64, n: u64) -> f64 {
    if n == 0 { 0.0 } else { events as f64 / n as f64 }
}

/// `full-time outflow at 16 months`.
pub(super) fn measure_words(measure: &MeasureInfo) -> String {
    match &measure.horizon {
        Some(horizon) => format!("{} at {horizon}", measure.name),
        None => measure.name.clone(),
    }
}

/// `guidance vs control`.
pub(super) fn contrast_words(treatment: &Label, reference: &Label) -> String {
    format!("{treatment} vs {reference}")
}

/// `n 172 v 176, events 7 v 6`.
pub(super) fn count_words<S: Scale>(estimate: &Estimate<S>) -> String {
    let (treatment, reference) = (estimate.treatment_counts(), estimate.reference_counts());
    let people = format!("n {} v {}", treatment.analysed, reference.analysed);
    match treatment.events.zip(reference.events) {
        Some((treated, untreated)) => format!("{people}, events {treated} v {untreated}"),
        None => people,
    }
}

/// What an estimate says without its place: `+2.1 points (95% CI -2.9 to 7.3, Miettinen-Nurminen), p = 0.41, n 172 v 176`.
pub(super) fn effect_words<S: Scale>(estimate: &Estimate<S>) -> String {
    let scale = estimate.scale().to_any();
    let words = Words::new(&scale, estimate.measure(), estimate.se());
    let method = estimate.method();
    let estimand = estimand_words(&scale, estimate.estimand(), !method.adjusted_for.is_empty());
    let mut how = interval_words(&method.interval, estimate.df());
    if let Some(variance) = variance_words(&method.variance) {
        how = format!("{how}, {variance}");
    }
    let mut text = format!(
        "{}{}{} ({} {}, {how}), {}, {}",
        estimand.unwrap_or_default(),
        if estimand.is_some() { " " } else { "" },
        words.value(estimate.value()),
        interval_name(estimate.level()),
        words.limits(estimate.interval().into()),
        p_value(estimate.p_value()),
        count_words(estimate),
    );
    if let Some(adjustment) = adjustment_words(method) {
        text = format!("{text}, {adjustment}");
    }
    text
}

impl From<Interval> for Limits {
    fn from(interval: Interval) -> Self {
        Self { lower: interval.lower(), upper: interval.upper() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Words, listed, plain};
    use crate::design::Measure;
    use crate::effect::AnyScale;
    use crate::report::format::Limits;

    #[test]
    fn decimals_follow_the_standard_error() {
        let info = Measure::continuous("wage").unit("euro").info();
        let words = |se| Words::new(&AnyScale::MeanDifference, &info, se);
        assert_eq!(words(612.0).value(1794.342), "+1794 euro");
        assert_eq!(words(1.3).value(-2.345), "-2.3 euro");
        assert_eq!(words(0.013).value(0.0), "0.000 euro");
        assert_eq!(words(0.0).value(1e308), "+1e308 euro");
        assert_eq!(words(1e-9).value(1.0 / 3.0), "+0.333333 euro");
        assert_eq!(words(0.001).value(12_345.678_9), "+12345.7 euro");
        let points = Words::new(&AnyScale::RiskDifference, &info, 0.02);
        assert_eq!(points.value(0.0213), "+2.1 points");
        let fine = Words::new(&AnyScale::RiskDifference, &info, 0.0004);
        assert_eq!(fine.value(0.002_134), "+0.21 points");
        let smd = Words::new(&AnyScale::StandardizedMeanDifference, &info, 0.1);
        assert_eq!(smd.value(0.2134), "standardised mean difference +0.21");
    }

    #[test]
    fn infinite_limits_are_words() {
        let info = Measure::binary("works").info();
        let words = Words::new(&AnyScale::LogOddsRatio, &info, 0.3);
        let open = Limits { lower: f64::NEG_INFINITY, upper: f64::INFINITY };
        assert_eq!(words.limits(open), "0.00 to unbounded");
        assert_eq!(words.value(0.2526), "odds ratio 1.29");
        assert_eq!(words.value(800.0), "odds ratio unbounded");
        assert_eq!(words.value(30.0), "odds ratio 10700000000000");
    }

    #[test]
    fn never_more_than_six_digits() {
        assert_eq!(plain(0.123_456_789, 6), "0.123457");
        assert_eq!(plain(12.345_678_9, 6), "12.3457");
        assert_eq!(plain(123_456.7, 3), "123457");
        assert_eq!(plain(1_234_567.8, 0), "1234570");
    }

    #[test]
    fn names_are_listed() {
        assert_eq!(listed(["a"]), "a");
        assert_eq!(listed(["a", "b", "c"]), "a, b and c");
        assert_eq!(listed(Vec::<String>::new()), "");
    }
}
