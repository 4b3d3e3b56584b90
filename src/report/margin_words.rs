//! The printed forms of tests against margins, numbers needed to treat, and effects in subgroups.

use std::fmt::{self, Display, Formatter};

use super::format::{p_value, significant};
use super::words::{Words, contrast_words, interval_name, measure_words};
use crate::compute::curve::JointTest;
use crate::compute::proportion::{NumberNeededInterval, NumberNeededToTreat};
use crate::design::Label;
use crate::effect::{
    About, Equivalence, EquivalenceConclusion, NonInferiority, NonInferiorityConclusion, Scale, ScaleForm,
    SubgroupEffects,
};

impl Display for NonInferiorityConclusion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Superior => "superior",
            Self::NonInferior => "non-inferior",
            Self::Inconclusive => "inconclusive",
            Self::Inferior => "inferior",
        })
    }
}

impl Display for EquivalenceConclusion {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equivalent => "equivalent",
            Self::Inconclusive => "inconclusive",
            Self::Different => "different",
        })
    }
}

/// Trial or number of trials, measure and contrast.
fn place(about: &About, treatment: &Label) -> String {
    let contrast = contrast_words(treatment, &about.reference);
    let trials = match about.trials.as_slice() {
        [trial] => trial.to_string(),
        trials => format!("{} trials", trials.len()),
    };
    format!("{trials}, {}, {contrast}", measure_words(&about.measure))
}

fn margin_words(words: &Words, about: &About, null: f64) -> String {
    match about.scale.form() {
        ScaleForm::LogRatio => words.unsigned(null),
        _ => words.span_unit(words.unsigned(null.abs())),
    }
}

impl Display for NonInferiority {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { about, inference, .. } = self;
        let words = Words::new(&about.scale, &about.measure, inference.se());
        write!(
            f,
            "{}: {}; {} ({} {}), margin {}, {} ({})",
            place(about, &self.treatment),
            self.conclusion,
            words.value(inference.value()),
            interval_name(inference.level()),
            words.limits(inference.interval().into()),
            margin_words(&words, about, self.null),
            p_value(self.p_value),
            about.method.interval
        )
    }
}

impl Display for Equivalence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { about, inference, .. } = self;
        let words = Words::new(&about.scale, &about.measure, inference.se());
        write!(
            f,
            "{}: {}; {} ({} {}), margin {}, {} ({})",
            place(about, &self.treatment),
            self.conclusion,
            words.value(inference.value()),
            interval_name(self.interval_level),
            words.limits(self.interval.into()),
            margin_words(&words, about, self.margin),
            p_value(self.p_value),
            about.method.interval
        )
    }
}

impl Display for NumberNeededToTreat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let number = |x: f64| if x.is_infinite() { "unbounded".to_owned() } else { significant(x, 3) };
        match self.interval {
            NumberNeededInterval::Connected(interval) => write!(
                f,
                "{} ({} to {})",
                number(self.estimate),
                number(interval.lower()),
                number(interval.upper())
            ),
            NumberNeededInterval::Disjoint { negative_from, positive_from } => write!(
                f,
                "{} ({} or more for one event more, {} or more for one event fewer)",
                number(self.estimate),
                number(positive_from),
                number(-negative_from)
            ),
        }
    }
}

/// The effects within each level, how they differ from those in the first, and the joint test of interaction.
impl<S: Scale> Display for SubgroupEffects<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let first = &self.effects[0];
        write!(f, "{} by {}:", measure_words(first.measure()), self.column)?;
        for effects in &self.effects {
            for line in effects.to_string().lines() {
                write!(f, "\n  {line}")?;
            }
        }
        for difference in self.differences().into_iter().flatten() {
            let words = Words::new(&first.about().scale, first.measure(), difference.se());
            let ratio = if first.about().scale.form() == ScaleForm::LogRatio {
                "ratio of the "
            } else {
                "difference "
            };
            write!(
                f,
                "\n  {}, {} {} vs {}: {ratio}{} ({} {}), {}",
                difference.treatment,
                self.column,
                difference.level,
                difference.other,
                words.value(difference.value()),
                interval_name(first.level()),
                words.limits(difference.interval().into()),
                p_value(difference.p_value())
            )?;
        }
        match self.interaction() {
            Ok(test) => write!(f, "\n  interaction: {}", joint_test_words(&test))?,
            Err(error) => write!(f, "\n  interaction: not estimable, {error}")?,
        }
        self.notices().iter().try_for_each(|notice| write!(f, "\n  note: {notice}"))
    }
}

/// Chi-squared or F with its degrees of freedom and p-value.
pub(super) fn joint_test_words(test: &JointTest) -> String {
    let JointTest { statistic, df, p_value: p, .. } = *test;
    let statistic = significant(statistic, 3);
    match test.denominator_df {
        Some(denominator) => {
            format!("F = {statistic} (df {df} and {}, {})", significant(denominator, 3), p_value(p))
        }
        None => format!("chi-squared = {statistic} (df {df}, {})", p_value(p)),
    }
}
