//! The numbers in words; every word depends on them.

use super::outcome::Evaluation;
use armwise::effect::{About, HypothesisFamily, ScaleForm};
use armwise::multiplicity::{Adjustment, Alternative};
use armwise::pool::PooledCoefficient;
use armwise::prelude::*;
use armwise::report::format::{decimal, p_number, p_value, percent, signed};

/// The measures of which the conclusion speaks one by one.
const NAMED: [&str; 3] = ["guidance", "exemption", "earnings"];

/// The participants, and the arms of every city.
pub(crate) fn design(trials: &Trials) -> String {
    let participants: usize = trials.iter().map(|trial| trial.table().rows()).sum();
    let mut text = format!("{participants} participants in {} municipalities.", trials.len());
    for trial in trials {
        let arms: Vec<String> = trial.arm_labels().skip(1).map(|label| plain(label)).collect();
        text += &format!(" {}: {} participants; {}.", trial.name(), trial.table().rows(), arms.join(", "));
    }
    text
}

/// A label as words: `free_choice` is "free choice".
pub(crate) fn plain(label: &str) -> String {
    label.replace('_', " ")
}

/// What one unit of a result is in points: percentage points for proportions.
pub(crate) fn points(of: &About) -> f64 {
    if of.scale.form() == ScaleForm::PercentagePoints { 100.0 } else { 1.0 }
}

/// What the effects are in: points (percentage points for proportions), or months.
pub(crate) fn unit(of: &About) -> &str {
    match of.scale.form() {
        ScaleForm::PercentagePoints => "points",
        _ => of.measure.unit.as_deref().unwrap_or("points"),
    }
}

/// The decimals of numbers in a unit: months are large.
pub(crate) fn decimals(of: &About) -> usize {
    if unit(of) == "months" { 2 } else { 1 }
}

/// `12 months`.
pub(crate) fn span(months: f64) -> String {
    format!("{} months", decimal(months, 0))
}

pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A probability in words: never a certainty.
fn likely(probability: f64) -> String {
    match probability {
        p if p > 0.999 => "above 99.9%".to_owned(),
        p if p < 0.001 => "below 0.1%".to_owned(),
        p => percent(p),
    }
}

/// `earnings +7.7 points (1.1 to 14.2, p = 0.030)`.
fn effect(of: &About, one: &PooledCoefficient) -> String {
    let by = points(of);
    let [lower, upper] = [one.interval().lower(), one.interval().upper()].map(|limit| by * limit);
    // A limit is not written as no effect where it is not.
    let zero = |x: f64, decimals: usize| x != 0.0 && decimal(x, decimals) == decimal(0.0, decimals);
    let hidden = |decimals: usize| zero(lower, decimals) || zero(upper, decimals);
    let decimals = (decimals(of)..4).find(|decimals| !hidden(*decimals)).unwrap_or(4);
    format!(
        "{} {} {} ({} to {}, {})",
        plain(&one.label),
        signed(by * one.value(), decimals),
        unit(of),
        decimal(lower, decimals),
        decimal(upper, decimals),
        p_value(one.p_value()),
    )
}

/// What the primary analysis says of one measure.
pub(crate) fn conclusion(evaluation: &Evaluation) -> armwise::Result<String> {
    let model = &evaluation.primary;
    let of = model.about();
    let (shown, others): (Vec<_>, Vec<_>) =
        model.coefficients().iter().partition(|one| one.p_value() < 1.0 - of.level);
    let role = if evaluation.is_primary { "primary outcome, " } else { "" };
    let without = match evaluation.left_out.as_slice() {
        [] => String::new(),
        cities => format!(", without {}", cities.join(", and ")),
    };
    let [analysis, _] = evaluation.analyses;
    let mut text = format!("{} ({role}{analysis}{without}): ", capitalised(&evaluation.measure));
    let level = percent(of.level).replace(".0%", "%");
    if shown.is_empty() {
        let least = others.iter().min_by(|a, b| a.p_value().total_cmp(&b.p_value()));
        text += &format!("the {level} intervals of all {} arms include no effect", others.len());
        if let Some(one) = least {
            text += &format!("; the smallest p-value is that of {}", effect(of, one));
        }
    } else {
        let found: Vec<String> = shown.iter().map(|one| effect(of, one)).collect();
        text += &format!("the {level} interval of {} excludes no effect", listed(&found));
        if !others.is_empty() {
            text += &format!("; those of the other {} arms include it", others.len());
        }
    }
    text += ".";
    let named: Vec<&PooledCoefficient> =
        NAMED.iter().filter_map(|name| model.coefficient(name).ok()).collect();
    let names = listed(&named.iter().map(|one| plain(&one.label)).collect::<Vec<_>>());
    let each = |words: &dyn Fn(&PooledCoefficient) -> armwise::Result<String>| {
        named.iter().map(|one| words(one)).collect::<armwise::Result<Vec<_>>>().map(|words| listed(&words))
    };
    let by = points(of);
    if of.measure.direction != Direction::Undeclared && !named.is_empty() {
        let bound = evaluation.margin / by;
        let harmless = each(&|one| {
            Ok(likely(match of.measure.direction {
                Direction::LowerIsBetter => 1.0 - one.probability_above(bound)?,
                _ => one.probability_above(-bound)?,
            }))
        })?;
        text += &format!(
            " The probability of no more harm than {} points is {harmless} for {names}.",
            decimal(evaluation.margin, 0),
        );
    }
    if !named.is_empty() {
        let detected =
            each(&|one| Ok(decimal(by * one.minimal_detectable_effect(0.05, 0.8)?, decimals(of))))?;
        text += &format!(" With 80% power effects of {detected} {} or more are detected.", unit(of));
    }
    Ok(text)
}

/// The comparisons of the primary analysis, what chance alone would give, and what is left of the smallest p-values
/// in the families that were declared: the arms of the primary outcome, and everything.
pub(crate) fn multiplicity(evaluations: &[Evaluation]) -> armwise::Result<String> {
    let mut all = HypothesisFamily::new("all measures");
    for one in evaluations {
        all = all.with(&one.primary)?;
    }
    let p = all.p_values();
    let below = p.iter().filter(|p| **p < 0.05).count();
    let smallest = |adjusted: &[f64]| p_number(adjusted.iter().copied().fold(1.0, f64::min));
    let mut text = format!(
        "Of the {} effects of the primary analysis {below} {} p < 0.05, where tests at 5% give {} if no arm has an effect on \
         anything; adjusted for all of them (Holm) the smallest is {}.",
        p.len(),
        if below == 1 { "has" } else { "have" },
        decimal(0.05 * p.len() as f64, 1),
        smallest(&all.adjust(Adjustment::Holm)?.adjusted),
    );
    if let Some(primary) = evaluations.iter().find(|one| one.is_primary) {
        // The smallest adjusted p-value is that of the hypothesis that no arm has an effect.
        let joint = primary.primary.joint()?;
        let arms: Vec<usize> = (0..joint.len()).collect();
        let p = joint.intersection(&arms, Alternative::TwoSided)?;
        text += &format!(
            " The {} arms of the primary outcome are a family of their own: adjusted by their joint distribution (max-t) the \
             smallest is {}.",
            arms.len(),
            p_number(p)
        );
    }
    Ok(text)
}

/// The components that stand out, and whether the sum holds.
pub(crate) fn components(evaluation: &Evaluation) -> String {
    let model = &evaluation.components;
    let of = model.about();
    let shown: Vec<String> = model
        .coefficients()
        .iter()
        .filter(|one| one.p_value() < 1.0 - of.level)
        .map(|one| effect(of, one))
        .collect();
    let found = if shown.is_empty() { "no component stands out".to_owned() } else { listed(&shown) };
    let sum = match &model.additivity {
        Some(test) => format!("test of additivity {}", p_value(test.p_value)),
        None => "additivity cannot be tested".to_owned(),
    };
    format!("{}: {found}; {sum}.", capitalised(&evaluation.measure))
}
