//! The printed forms of tests against margins, numbers needed to treat, and effects in subgroups.

use std::fmt::{self, Display, Formatter};

use super::format::{Limits, p_value, significant};
use super::words::{Words, contrast_words, interval_name, measure_words};
use crate::compute::proportion::{NumberNeededInterval, NumberNeededToTreat};
use crate::effect::{
    Equivalence, EquivalenceConclusion, Estimate, MarginTest, NonInferiority, NonInferiorityConclusion,
    Scale, ScaleForm, SubgroupEffects,
};

impl Display for MarginTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wald => "Wald",
            Self::FarringtonManning => "Farrington-Manning",
            Self::MiettinenNurminen => "Miettinen-Nurminen",
        })
    }
}

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

/// Place and effect: `Utrecht, outflow, online vs control`.
fn place<S: Scale>(estimate: &Estimate<S>) -> String {
    let contrast = contrast_words(estimate.treatment(), estimate.reference());
    format!("{}, {}, {contrast}", estimate.trial(), measure_words(estimate.measure()))
}

/// The margin as the effect is written, without a sign: `15.0 points`, `1.25`.
fn margin_words<S: Scale>(words: &Words, estimate: &Estimate<S>, null: f64) -> String {
    match estimate.scale().form() {
        ScaleForm::LogRatio => words.unsigned(null),
        _ => words.span_unit(words.unsigned(null.abs())),
    }
}

/// `Utrecht, outflow, online vs control: non-inferior; -2.0 points (95% CI -13.0 to 9.0), margin 15.0 points, p = 0.010 (Miettinen-Nurminen)`.
impl<S: Scale> Display for NonInferiority<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let estimate = &self.estimate;
        let words = Words::new(&estimate.scale().to_any(), estimate.measure(), estimate.se());
        write!(
            f,
            "{}: {}; {} ({} {}), margin {}, {} ({})",
            place(estimate),
            self.conclusion,
            words.value(estimate.value()),
            interval_name(estimate.level()),
            words.limits(estimate.interval().into()),
            margin_words(&words, estimate, self.null),
            p_value(self.p_value),
            self.test
        )
    }
}

/// `Utrecht, outflow, online vs control: equivalent; -0.5 points (90% CI -3.3 to 2.4), margin 5.0 points, p = 0.005 (Miettinen-Nurminen)`.
impl<S: Scale> Display for Equivalence<S> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let estimate = &self.estimate;
        let words = Words::new(&estimate.scale().to_any(), estimate.measure(), estimate.se());
        write!(
            f,
            "{}: {}; {} ({} {}), margin {}, {} ({})",
            place(estimate),
            self.conclusion,
            words.value(estimate.value()),
            interval_name(self.interval_level),
            words.limits(Limits { lower: self.interval.lower(), upper: self.interval.upper() }),
            margin_words(&words, estimate, self.margin),
            p_value(self.p_value),
            self.test
        )
    }
}

/// `25 (one event more for 4.88 or more, one fewer for 8.1 or more)`.
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
        let first = &self.effects()[0];
        write!(f, "{} by {}:", measure_words(first.measure()), self.column())?;
        for effects in self.effects() {
            for line in effects.to_string().lines() {
                write!(f, "\n  {line}")?;
            }
        }
        for difference in self.differences().into_iter().flatten() {
            let words = Words::new(&first.scale().to_any(), first.measure(), difference.se);
            let ratio =
                if first.scale().form() == ScaleForm::LogRatio { "ratio of the " } else { "difference " };
            write!(
                f,
                "\n  {}, {} {} vs {}: {ratio}{} ({} {}), {}",
                difference.treatment,
                self.column(),
                difference.level,
                difference.other,
                words.value(difference.value),
                interval_name(first.level()),
                words.limits(difference.interval.into()),
                p_value(difference.p_value)
            )?;
        }
        match self.interaction() {
            Ok(test) => write!(
                f,
                "\n  interaction: chi-squared = {} (df {}, {})",
                significant(test.statistic, 3),
                test.df,
                p_value(test.p_value)
            )?,
            Err(error) => write!(f, "\n  interaction: not estimable, {error}")?,
        }
        self.notices().iter().try_for_each(|notice| write!(f, "\n  note: {notice}"))
    }
}
