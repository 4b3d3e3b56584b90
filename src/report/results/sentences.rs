//! Results that are one sentence, or one for each arm: tests against margins, numbers needed to treat, tests
//! of categories, means of arms.

use crate::error::counted;
use std::fmt::{self, Display, Formatter};

use super::told;
use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::compute::proportion::{NumberNeededInterval, NumberNeededToTreat};
use crate::design::Label;
use crate::effect::{About, ArmMeans, Equivalence, NonInferiority};
use crate::estimator::{AssociationTest, AverageCovariateEffect, TimesTest};
use crate::report::base::format::{p_value, p_value_near, plain_label, significant};
use crate::report::draw::axis::UNBOUNDED;
use crate::report::english::effects::{
    adjusted_words, interval_name, measure_words, reference_words, variance_words,
};
use crate::report::english::scale::{Words, plain};
use crate::report::form::row::{self, with_comma};

/// `Utrecht, outflow, online vs control: non-inferior; -2.0 points (95% CI -13.0 to 9.0), margin 15.0 points, p = 0.010 (Miettinen-Nurminen)`.
fn margin_words(
    effect: (&About, &Label, &Inference),
    conclusion: &dyn Display,
    (level, interval): (f64, Interval),
    margin: f64,
    p: f64,
) -> String {
    let (about, treatment, inference) = effect;
    let place = match about.trials.as_slice() {
        [trial] => trial.to_string(),
        trials => counted(trials.len(), "trial"),
    };
    let row =
        row::About::of_result(about, treatment).row("margin", place).effect(inference.value(), interval);
    let mut row = row.tested(inference.se(), inference.df(), inference.p_value());
    row.about.level = level;
    format!(
        "{}, {}, {}: {conclusion}; {}, margin {}, {} ({})",
        row.label,
        row.about.measure(),
        row.about.contrast(),
        row.effect_words(""),
        row.words().margin(margin),
        p_value_near(p, 0.5 * (1.0 - level)),
        about.method.interval
    )
}

impl Display for NonInferiority {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let effect = (&*self.about, &self.treatment, &self.inference);
        let interval = (self.inference.level(), self.inference.interval());
        f.write_str(&margin_words(effect, &self.conclusion, interval, self.null, self.p_value))
    }
}

impl Display for Equivalence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let effect = (&*self.about, &self.treatment, &self.inference);
        let interval = (self.interval_level, self.interval);
        f.write_str(&margin_words(effect, &self.conclusion, interval, self.margin, self.p_value))
    }
}

/// `25 (8.1 or more for one event more, 4.88 or more for one event fewer)`.
impl Display for NumberNeededToTreat {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let number = |x: f64| if x.is_infinite() { UNBOUNDED.to_owned() } else { significant(x, 3) };
        let estimate = number(self.estimate);
        match self.interval {
            NumberNeededInterval::Connected(interval) => {
                write!(f, "{estimate} ({} to {})", number(interval.lower()), number(interval.upper()))
            }
            NumberNeededInterval::Disjoint { negative_from, positive_from } => {
                let (more, fewer) = (number(positive_from), number(-negative_from));
                write!(
                    f,
                    "{estimate} ({more} or more for one event more, {fewer} or more for one event fewer)"
                )
            }
        }
    }
}

/// `Utrecht, contract, whether arms differ: Pearson's chi-square 5.97 (df 9), p = 0.74, n 104`.
impl Display for AssociationTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, whether arms differ: {}", self.trial, measure_words(&self.measure), self.name)?;
        if let (Some(statistic), Some(df)) = (self.statistic, self.df) {
            write!(f, " {} (df {df})", significant(statistic, 3))?;
        }
        write!(f, ", {}", p_value(self.p_value))?;
        if let Some(se) = self.se_p_value {
            write!(f, " (se {})", significant(se, 2))?;
        }
        write!(f, ", n {}", self.counts.sum())?;
        if self.strata > 1 {
            write!(f, " in {}", counted(self.strata, "stratum"))?;
        }
        f.write_str(&told(&self.notices))
    }
}

/// `Utrecht, exit to work, whether arms differ: log-rank 0.78 (df 3), p = 0.85, n 780`.
impl Display for TimesTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, whether arms differ: {}", self.trial, measure_words(&self.measure), self.name)?;
        write!(f, " {} (df {}), {}", significant(self.statistic, 3), self.df, p_value(self.p_value))?;
        write!(f, ", n {}", self.n)?;
        if self.strata > 1 {
            write!(f, " in {}", counted(self.strata, "stratum"))?;
        }
        f.write_str(&told(&self.notices))
    }
}

/// `Utrecht, full-time outflow, average effect of age: -0.0021 (se 0.0013), p = 0.11, n 348`.
impl Display for AverageCovariateEffect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, {}, average effect of {}: {} per unit (se {}), {}, n {}",
            self.trial,
            measure_words(&self.measure),
            self.covariate,
            significant(self.value, 3),
            significant(self.se, 2),
            p_value(self.p_value()),
            self.n
        )
    }
}

/// One line per arm: its value, its interval, and how many people it rests on.
impl Display for ArmMeans {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let place = format!("{}, {}", self.trial(), measure_words(self.measure()));
        let variance = with_comma(&variance_words(&self.method().variance).unwrap_or_default());
        let adjusted = with_comma(&adjusted_words(&self.method().adjusted_for).unwrap_or_default());
        let level = interval_name(self.confidence_level());
        let lines = self.arms().iter().zip(self.values()).enumerate().map(|(i, (arm, &value))| {
            let how = reference_words(self.degrees_of_freedom(i)) + &variance;
            // An arm whose variance estimate is negative has no interval.
            let number = match (self.se(&arm.label), self.interval(&arm.label)) {
                (Ok(se), Ok(interval)) => {
                    let words = Words::of_mean(se);
                    format!("{} ({level} {}, {how})", words.unsigned(value), words.limits(interval))
                }
                _ => format!("{} (no interval: the variance estimate is negative)", plain(value, 3)),
            };
            format!("{place}, {}: {number}, n {}{adjusted}", plain_label(&arm.label), arm.counts.analysed)
        });
        f.write_str(&(lines.collect::<Vec<_>>().join("\n") + &told(self.told())))
    }
}
