//! The printed forms of results: one line that reads aloud per estimate, notices below it.

use std::fmt::{self, Display, Formatter, Write};

use super::format::{p_value, percent, significant};
use super::pool_words::{
    joint_heading, joint_statistics, pool_heading, pooled_line, prediction_line, statistics,
};
use super::words::{
    Words, contrast_words, count_words, effect_words, interval_name, listed, measure_words, plain,
    reference_words, variance_words,
};
use crate::design::Notice;
use crate::effect::{ArmMeans, Effects, Estimate, Estimates, Scale, TreatmentEffects};
use crate::pool::{JointlyPooled, Pooled};

/// `Utrecht, full-time outflow, guidance vs control: +2.1 points (95% CI ...), p = 0.41, n 172 v 176`.
pub(super) fn line<S: Scale>(estimate: &Estimate<S>) -> String {
    format!(
        "{}, {}, {}: {}",
        estimate.trial(),
        measure_words(estimate.measure()),
        contrast_words(estimate.treatment(), estimate.reference()),
        effect_words(estimate)
    )
}

pub(super) fn write_notices(f: &mut Formatter<'_>, notices: &[Notice]) -> fmt::Result {
    notices.iter().try_for_each(|notice| write!(f, "\n  note: {notice}"))
}

/// Blocks of lines, one below the other, without a line feed at the end.
fn write_blocks<T: Display>(f: &mut Formatter<'_>, blocks: impl IntoIterator<Item = T>) -> fmt::Result {
    for (i, block) in blocks.into_iter().enumerate() {
        if i > 0 {
            f.write_char('\n')?;
        }
        write!(f, "{block}")?;
    }
    Ok(())
}

/// One line that reads aloud; below it, what a reader has to be told.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("hours").named("full-time outflow").higher_is_better();
/// let counts = Comparison::from_counts("Utrecht", &outflow, [("control", 6, 176), ("guidance", 7, 172)])?;
/// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// assert_eq!(
///     effect.to_string(),
///     "Utrecht, full-time outflow, guidance vs control: +0.7 points (95% CI -3.7 to 5.2, Miettinen-Nurminen), \
///      p = 0.75, n 172 v 176, events 7 v 6"
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
impl<S: Scale> Display for Estimate<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&line(self))?;
        write_notices(f, self.notices())
    }
}

/// One line per treatment, then the notices of the trial.
impl<S: Scale> Display for Estimates<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_blocks(f, self.iter().map(|estimate| line(&estimate)))?;
        write_notices(f, self.notices())
    }
}

/// Trial by trial, one line per treatment.
impl<S: Scale> Display for Effects<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_blocks(f, self)
    }
}

/// One line per trial; the trials without the treatment are named.
impl<S: Scale> Display for TreatmentEffects<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_blocks(f, self)?;
        write_notices(f, &self.notices())
    }
}

/// One line per arm: its value, its interval, and how many people it rests on.
impl Display for ArmMeans {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let place = format!("{}, {}", self.trial(), measure_words(self.measure()));
        let variance = variance_words(&self.method().variance).map_or_else(String::new, |v| format!(", {v}"));
        let adjusted = match self.method().adjusted_for.as_slice() {
            [] => String::new(),
            covariates => format!(", adjusted for {}", listed(covariates)),
        };
        let level = interval_name(self.confidence_level());
        let reference = reference_words(self.degrees_of_freedom());
        let lines = self.arms().iter().zip(self.values()).map(|(arm, &value)| {
            let n = arm.counts.analysed;
            // An arm whose variance estimate is negative has no interval.
            let number = match (self.se(&arm.label), self.interval(&arm.label)) {
                (Ok(se), Ok(interval)) => {
                    let words = Words::of_mean(se);
                    let limits = words.limits(interval.into());
                    format!("{} ({level} {limits}, {reference}{variance})", words.unsigned(value))
                }
                _ => format!("{} (no interval: the variance estimate is negative)", plain(value, 3)),
            };
            format!("{place}, {}: {number}, n {n}{adjusted}", arm.label)
        });
        write_blocks(f, lines)?;
        write_notices(f, self.told())
    }
}

/// The trials with their weights, the pooled effect by Wald and by Hartung-Knapp, the prediction interval, heterogeneity, notices.
///
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts("A", &outflow, [("control", 10, 100), ("guidance", 15, 100)])?,
///     Comparison::from_counts("B", &outflow, [("control", 8, 90), ("guidance", 7, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let effects = cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
/// let text = RandomEffects::new().pool(&effects)?.to_string();
/// assert!(text.starts_with("outflow, guidance vs control, 3 trials pooled (random effects, REML):\n  A: +5.0 points"));
/// assert!(text.contains("Wald") && text.contains("Hartung-Knapp") && text.contains("prediction interval"));
/// # Ok::<(), armwise::Error>(())
/// ```
impl<S: Scale> Display for Pooled<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", pool_heading(self))?;
        for trial in &self.trials {
            let estimate = &trial.estimate;
            let words = Words::new(&estimate.scale().to_any(), estimate.measure(), estimate.se());
            write!(
                f,
                "\n  {}: {} ({} {}), {}, weight {}",
                estimate.trial(),
                words.value(estimate.value()),
                interval_name(estimate.level()),
                words.limits(estimate.interval().into()),
                count_words(estimate),
                percent(trial.weight)
            )?;
        }
        write!(f, "\n  {}", pooled_line(self))?;
        if let Some(line) = prediction_line(self) {
            write!(f, "\n  {line}")?;
        }
        write!(f, "\n  {}", statistics(self))?;
        write_notices(f, self.notices())
    }
}

/// One line per treatment or component with the trials that tell about it, heterogeneity, notices.
impl<S: Scale> Display for JointlyPooled<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", joint_heading(self))?;
        let scale = self.scale().to_any();
        for coefficient in self.coefficients() {
            let words = Words::new(&scale, self.measure(), coefficient.se());
            write!(
                f,
                "\n  {}: {} ({} {}, {}), {}, from {}",
                coefficient.label,
                words.value(coefficient.value()),
                interval_name(self.model.level),
                words.limits(coefficient.interval().into()),
                reference_words(coefficient.df()),
                p_value(coefficient.p_value()),
                listed(coefficient.trials.iter().map(crate::design::Label::as_str)),
            )?;
        }
        write!(f, "\n  {}", joint_statistics(self))?;
        write_notices(f, self.notices())
    }
}

/// `Q = 1.05 (df 2, p = 0.59)`.
pub(super) fn chi_squared_words(q: &crate::compute::meta_analysis::ChiSquaredTest) -> String {
    let p = if q.df > 0.0 { format!(", {}", p_value(q.p_value)) } else { String::new() };
    format!("Q = {} (df {}{p})", significant(q.statistic, 3), q.df)
}
