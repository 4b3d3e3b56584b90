use super::{ExpectedOutcome, PlannedTrial};
use crate::compute::power::WholeSizes;
use crate::error::{Error, Result, counted, grouped, number};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was asked of a planned trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Question {
    /// The power of given people.
    Power,
    /// The people for a power.
    People,
    /// The effect that given people detect with a power.
    DetectableEffect,
}

/// The answer of a [`PlannedTrial`]: people, power and effect that belong together, and what they rest on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Design {
    /// What was asked.
    pub question: Question,
    /// The trial.
    pub trial: PlannedTrial,
    /// The people to recruit, of each treated arm and of the control arm.
    pub people: WholeSizes,
    /// All people.
    pub total: u64,
    /// The clusters of each treated arm and of the control arm, where there are clusters.
    pub clusters: Option<[u64; 2]>,
    /// The level of one comparison.
    pub alpha_of_comparison: f64,
    /// The power of one comparison.
    pub power: f64,
    /// The effect, on its scale.
    pub effect: f64,
    /// The scale of the effect, in words.
    pub scale: String,
    /// What it rests on, a sentence each.
    pub assumptions: Vec<String>,
}

checked!(Design);

impl Design {
    fn check(&self) -> Result<()> {
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-6 * b.abs().max(1e-3);
        let again = match self.question {
            Question::Power | Question::People => self.trial.power(self.people)?,
            Question::DetectableEffect => self.trial.detectable(self.people, self.power)?,
        };
        let same = near(self.power, again.power)
            && near(self.effect, again.effect)
            && near(self.alpha_of_comparison, again.alpha_of_comparison)
            && self.total == again.total
            && self.clusters == again.clusters
            && self.scale == again.scale
            && self.assumptions == again.assumptions;
        if same {
            return Ok(());
        }
        Err(Error::invalid("the numbers of the design do not follow from its trial; compute it anew"))
    }
}

impl fmt::Display for Design {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let treated = self.people.treated;
        let arms = match self.trial.treatments {
            1 => format!("{} treated", grouped(count(treated))),
            k => format!("{} in each of {k} treated arms", grouped(count(treated))),
        };
        write!(
            f,
            "Power of {:.1}% for a {}: {arms} and {} in the control arm, {} in all",
            100.0 * self.power,
            effect_words(&self.scale, self.effect),
            grouped(count(self.people.control)),
            people(self.total)
        )?;
        if let Some([treated, control]) = self.clusters {
            write!(
                f,
                " ({} and {} to an arm)",
                counted(count(treated), "treated cluster"),
                counted(count(control), "control cluster")
            )?;
        }
        f.write_str(".")?;
        for sentence in &self.assumptions {
            write!(f, "\n- {sentence}")?;
        }
        Ok(())
    }
}

/// `difference of 3 points`, `risk ratio of 1.22`, `difference of means of 0.4`.
pub(super) fn effect_words(scale: &str, effect: f64) -> String {
    match scale.strip_prefix("log ") {
        _ if scale == ExpectedOutcome::POINTS => format!("difference of {}", points(effect)),
        Some(ratio) => format!("{ratio} of {}", number(rounded(effect.exp()))),
        None => format!("{scale} of {}", number(rounded(effect))),
    }
}

/// A difference of proportions: `3 points`.
pub(super) fn points(difference: f64) -> String {
    let points = (1000.0 * difference).round() / 10.0;
    format!("{} {}", number(points), if points == 1.0 { "point" } else { "points" })
}

pub(super) fn count(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// `1 person`, `2,345 people`.
pub(super) fn people(n: u64) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{} people", grouped(count(n))) }
}

/// Four significant digits.
pub(super) fn rounded(x: f64) -> f64 {
    if x == 0.0 {
        return 0.0;
    }
    #[allow(clippy::cast_possible_truncation)] // -305 to 327
    let digits = (3.0 - x.abs().log10().floor()) as i32;
    let scale = 10_f64.powi(digits);
    if scale.is_finite() && scale > 0.0 { (x * scale).round() / scale } else { x }
}
