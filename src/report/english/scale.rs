//! The words in which numbers on a scale are written: signs, units, decimals that fit the standard error, and
//! limits that may be infinite.

use crate::compute::curve::Inference;
use crate::compute::interval::Interval;
use crate::design::MeasureInfo;
use crate::effect::{About, AnyScale, Scale, ScaleForm};
use crate::pool::ArmNumbers;
use crate::report::base::format::{capitalised, decimal, ratio, significant};
use crate::report::base::grid::Cell;
use crate::report::draw::axis::UNBOUNDED;

/// How numbers on one scale are written.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    form: ScaleForm,
    /// The name of the scale, where the unit does not tell it.
    name: String,
    unit: String,
    decimals: usize,
    /// Whether numbers above zero have a sign: where they are differences.
    signed: bool,
}

impl Words {
    /// Decimals by the standard error: two of its digits, one for percentage points (which have one decimal
    /// at least) and for ratios (two, or about three digits where they are far from 1).
    pub fn new(scale: &AnyScale, measure: &MeasureInfo, se: f64) -> Self {
        let form = scale.form();
        let (name, unit) = (String::new(), String::new());
        let mut words = Self { form, name, unit, decimals: 2, signed: form != ScaleForm::LogRatio };
        match form {
            ScaleForm::PercentagePoints => {
                words.unit = String::from(" points");
                words.decimals = decimals_of(100.0 * se, 1).max(1);
            }
            ScaleForm::LogRatio => {
                words.name = scale.to_string();
                words.decimals = decimals_of(se, 1).clamp(2, 5);
            }
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

    /// With up to three decimals more, as many as keep a limit from being written as no effect where it is
    /// not: an interval from 0.04 to 14.2 excludes no effect.
    pub(crate) fn telling(mut self, intervals: &[Interval]) -> Self {
        let usual = self.decimals;
        let hidden = |words: &Self| {
            let mut limits = intervals.iter().flat_map(|interval| [interval.lower(), interval.upper()]);
            limits.any(|limit| limit != 0.0 && words.unsigned(limit) == words.unsigned(0.0))
        };
        while self.decimals < usual + 3 && hidden(&self) {
            self.decimals += 1;
        }
        self
    }

    /// The words of a difference between two effects, which on scales of ratios is a ratio.
    pub(crate) fn between_effects(mut self) -> Self {
        let of = match self.name.split_once(' ') {
            Some((first @ ("difference" | "ratio"), rest)) => format!("{first}s {rest}"),
            _ if self.name.ends_with('s') => self.name.clone(),
            _ => format!("{}s", self.name),
        };
        self.name = match (self.form, self.unit.is_empty()) {
            (ScaleForm::LogRatio, _) => format!("ratio of {of}"),
            (_, true) => format!("difference of {of}"),
            (_, false) => "difference".to_owned(),
        };
        self
    }

    /// A mean of an arm, with two digits of its standard error.
    pub(crate) fn of_mean(se: f64) -> Self {
        let (name, unit) = (String::new(), String::new());
        Self { form: ScaleForm::Difference, name, unit, decimals: decimals_of(se, 2), signed: true }
    }

    /// The value of an arm by itself: a proportion in per cent, a mean or a rate with two digits of its
    /// standard error.
    pub(crate) fn of_arm(of: &AnyScale, measure: &MeasureInfo, se: f64) -> Self {
        let plain = Self { signed: false, ..Self::of_mean(se) };
        match (of.name(), &measure.unit) {
            (ArmNumbers::PROPORTION, _) => Self {
                form: ScaleForm::PercentagePoints,
                unit: "%".to_owned(),
                decimals: decimals_of(100.0 * se, 1).max(1),
                ..plain
            },
            (ArmNumbers::MEAN, Some(unit)) => Self { unit: format!(" {unit}"), ..plain },
            _ => plain,
        }
    }

    /// A number of the scale with its sign, without its unit: `+2.1`, `1.29`.
    pub(crate) fn number(&self, value: f64) -> String {
        let text = self.unsigned(value);
        let positive = self.signed && value > 0.0 && text.contains(|c: char| ('1'..='9').contains(&c));
        if positive { format!("+{text}") } else { text }
    }

    /// The number that is written: percentage points, the ratio, the difference.
    pub(crate) fn shown(&self, value: f64) -> f64 {
        match self.form {
            ScaleForm::PercentagePoints => 100.0 * value,
            ScaleForm::LogRatio => libm::exp(value),
            ScaleForm::Difference => value,
        }
    }

    pub(crate) fn unsigned(&self, value: f64) -> String {
        let shown = self.shown(value);
        if shown.is_infinite() {
            return UNBOUNDED.to_owned();
        }
        match self.form {
            ScaleForm::LogRatio if shown >= 1e6 => significant(shown, 3),
            ScaleForm::LogRatio if self.decimals > 2 && (0.1..10.0).contains(&shown) => {
                decimal(shown, self.decimals)
            }
            ScaleForm::LogRatio => ratio(shown),
            _ => plain(shown, self.decimals),
        }
    }

    /// The text with the name of the scale before it and the unit behind it.
    fn named(&self, text: &str) -> String {
        let gap = if self.name.is_empty() { "" } else { " " };
        format!("{}{gap}{text}{}", self.name, self.unit)
    }

    /// `+2.1 points`, `odds ratio 1.29`, `difference in means +0.31`.
    pub fn value(&self, value: f64) -> String {
        self.named(&self.number(value))
    }

    /// A margin as the effect is written, without a sign: `15.0 points`, `1.25`.
    pub(crate) fn margin(&self, null: f64) -> String {
        match self.form {
            ScaleForm::LogRatio => self.unsigned(null),
            _ => self.unsigned(null.abs()) + &self.unit,
        }
    }

    /// `-2.9 to 7.3`.
    pub fn limits(&self, interval: Interval) -> String {
        format!("{} to {}", self.unsigned(interval.lower()), self.unsigned(interval.upper()))
    }

    /// `-2.9 to 7.3 points`, `odds ratio 0.88 to 1.90`.
    pub(crate) fn span(&self, interval: Interval) -> String {
        self.named(&self.limits(interval))
    }

    /// `+2.1 (-2.9 to 7.3)`.
    pub(crate) fn estimate(&self, value: f64, interval: Interval) -> String {
        format!("{} ({})", self.number(value), self.limits(interval))
    }

    pub(crate) fn decimals(&self) -> usize {
        self.decimals
    }
}

impl Cell {
    /// An effect and its interval in the unit of the scale (percentage points, ratios, units of the measure),
    /// with the decimals that the standard error carries: three columns in CSV.
    ///
    /// ```
    /// use armwise::prelude::*;
    /// use armwise::report::{Align, Cell, Grid};
    ///
    /// let outflow = Measure::binary("outflow");
    /// let counts = Comparison::from_counts(
    ///     "Utrecht",
    ///     &outflow,
    ///     [("control", 6, 176), ("guidance", 7, 172)],
    /// )?;
    /// let effect = counts.estimate(&DifferenceInProportions::new())?.treatment("guidance")?;
    /// let mut grid = Grid::new("").column("Guidance", Align::Right);
    /// grid.push([Cell::effect(&effect.to_any().about, &effect.inference)]);
    /// assert!(grid.to_text().ends_with("+0.7 (-3.7 to 5.2)\n"));
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn effect(of: &About, effect: &Inference) -> Self {
        let (value, interval) = (effect.value(), effect.interval());
        let words = Words::new(&of.scale, &of.measure, effect.se()).telling(&[interval]);
        let shown = interval.map(|limit| words.shown(limit));
        Self::estimate(words.shown(value), shown, words.estimate(value, interval))
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
pub fn plain(value: f64, decimals: usize) -> String {
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

/// `, points` or `, hours`.
pub(crate) fn unit_words(scale: &AnyScale, measure: &MeasureInfo) -> String {
    match (scale.form(), &measure.unit) {
        _ if scale.name() == ArmNumbers::PROPORTION => ", %".to_owned(),
        (ScaleForm::Difference, Some(unit)) if scale.name() == ArmNumbers::MEAN => format!(", {unit}"),
        (ScaleForm::PercentagePoints, _) => ", points".to_owned(),
        (ScaleForm::Difference, Some(unit)) if *scale == AnyScale::MeanDifference => format!(", {unit}"),
        _ => String::new(),
    }
}

/// `Risk difference, points`.
pub(crate) fn scale_heading(scale: &AnyScale, measure: &MeasureInfo) -> String {
    capitalised(&scale.to_string()) + &unit_words(scale, measure)
}

/// An amount of the scale that is no effect, such as a standard deviation between trials: in points, else as
/// it is.
pub(crate) fn amount(scale: &AnyScale, amount: f64) -> String {
    match scale.form() {
        ScaleForm::PercentagePoints if amount == 0.0 => "0".to_owned(),
        ScaleForm::PercentagePoints => plain(100.0 * amount, if amount < 0.0995 { 2 } else { 1 }),
        _ => significant(amount, 3),
    }
}

/// The heading of such amounts: `tau, points`.
pub(crate) fn amount_heading(scale: &AnyScale, name: &str) -> String {
    match scale.form() {
        ScaleForm::PercentagePoints => format!("{name}, points"),
        ScaleForm::LogRatio => format!("{name}, log"),
        ScaleForm::Difference => name.to_owned(),
    }
}
