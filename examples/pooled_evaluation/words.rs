//! The numbers in words; every word depends on them.

use super::outcome::Evaluation;
use armwise::effect::ScaleForm;
use armwise::prelude::*;
use armwise::report::format::{decimal, p_value, percent, signed};

/// Two percentage points, or two points of the wellbeing scale.
const MARGIN: f64 = 2.0;

/// The participants, and the arms of every city.
pub(crate) fn design(trials: &Trials) -> String {
    let participants: usize = trials.iter().map(|trial| trial.table().rows()).sum();
    let mut text = format!("{participants} participants in {} municipalities.", trials.len());
    for trial in trials {
        let arms: Vec<&str> = trial.arm_labels().skip(1).map(Label::as_str).collect();
        text += &format!(" {}: {} participants; {}.", trial.name(), trial.table().rows(), arms.join(", "));
    }
    text
}

/// A number in points: percentage points for proportions.
struct Points(f64);

impl Points {
    fn of(pooled: &Pooled<AnyScale>) -> Self {
        Self(if pooled.scale().form() == ScaleForm::PercentagePoints { 100.0 } else { 1.0 })
    }

    fn signed(&self, value: f64) -> String {
        signed(self.0 * value, 1)
    }

    fn plain(&self, value: f64) -> String {
        decimal(self.0 * value, 1)
    }
}

/// The conclusions, measure by measure.
pub(crate) fn conclusion(evaluations: &[Evaluation]) -> armwise::Result<Vec<String>> {
    let pools: Vec<&Pooled<AnyScale>> = evaluations.iter().flat_map(|evaluation| &evaluation.crude).collect();
    let mut paragraphs = Vec::new();
    for evaluation in evaluations {
        let mut sentences = vec![format!("On {}.", evaluation.measure)];
        for pooled in &evaluation.crude {
            sentences.push(effect(pooled)?);
        }
        sentences.push(components(evaluation));
        paragraphs.push(sentences.join(" "));
    }
    paragraphs.push(multiplicity(&pools));
    Ok(paragraphs)
}

fn effect(pooled: &Pooled<AnyScale>) -> armwise::Result<String> {
    let points = Points::of(pooled);
    let interval = pooled.interval();
    let level = pooled.summary.level;
    let mut text = format!(
        "{}, over {} cities: {} points ({} interval {} to {}, {})",
        capitalised(pooled.treatment()),
        pooled.trials.len(),
        points.signed(pooled.value()),
        percent(level).replace(".0%", "%"),
        points.plain(interval.lower()),
        points.plain(interval.upper()),
        p_value(pooled.p_value()),
    );
    let higher = pooled.measure().direction != Direction::LowerIsBetter;
    if interval.contains(0.0) {
        text += &format!(
            ": no effect is shown, nor is its absence, for only {} points or more would have been detected with 80% power",
            points.plain(pooled.minimal_detectable_effect(0.05, 0.8)?)
        );
    } else if (pooled.value() > 0.0) == higher {
        text += ": an improvement is shown";
    } else {
        text += ": a worsening is shown";
    }
    let margin = MARGIN / points.0;
    let no_worse =
        if higher { pooled.probability_above(-margin)? } else { 1.0 - pooled.probability_above(margin)? };
    text += &format!(
        "; the probability that it does no more harm than {} points is {}",
        decimal(MARGIN, 0),
        likely(no_worse)
    );
    if let Some(prediction) = pooled.prediction()
        && !interval.contains(0.0)
        && prediction.contains(0.0)
    {
        text += "; in another city like these the effect may yet be the other way";
    }
    Ok(text + ".")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A probability in words: never a certainty.
fn likely(probability: f64) -> String {
    match probability {
        p if p > 0.999 => "above 99.9%".to_owned(),
        p if p < 0.001 => "below 0.1%".to_owned(),
        p => percent(p),
    }
}

/// The components that stand out in the model that counts combinations too.
fn components(evaluation: &Evaluation) -> String {
    let model = &evaluation.components;
    let alpha = 1.0 - model.model.level;
    let shown: Vec<String> = model
        .coefficients()
        .iter()
        .filter(|component| component.p_value() < alpha)
        .map(|component| {
            let side = if component.value() > 0.0 { "more" } else { "less" };
            format!("{} ({side} {})", component.label, evaluation.measure)
        })
        .collect();
    let found = if shown.is_empty() {
        "no component stands out".to_owned()
    } else {
        format!("{} stands out", shown.join(" and "))
    };
    let q = model.model.q;
    let fit = match q.p_value {
        _ if q.df == 0.0 => "cannot be tested".to_owned(),
        p if p < 0.05 => format!("does not hold well ({} for lack of fit)", p_value(p)),
        p => format!("is not contradicted ({} for lack of fit)", p_value(p)),
    };
    format!("With the combined arms taken apart into components, {found}; that components add up {fit}.")
}

/// The findings that chance alone would give.
fn multiplicity(pools: &[&Pooled<AnyScale>]) -> String {
    let significant = pools.iter().filter(|pooled| pooled.p_value() < 0.05).count();
    let smallest = pools.iter().map(|pooled| pooled.p_value()).fold(1.0, f64::min);
    let corrected = (smallest * pools.len() as f64).min(1.0);
    format!(
        "Of {} pooled effects {significant} {} below p = 0.05, where chance alone would give {} of them; the smallest p-value is {} \
         after the correction of Bonferroni.",
        pools.len(),
        if significant == 1 { "is" } else { "are" },
        decimal(0.05 * pools.len() as f64, 1),
        p_value(corrected).trim_start_matches("p = "),
    )
}
