//! The horizontal axis of a forest plot: its unit, its range and its ticks.

use crate::compute::interval::Interval;
use crate::report::base::format::{decimal, ratio, significant};
use crate::report::base::text_width::Font;

/// An infinite limit in words.
pub(crate) const UNBOUNDED: &str = "unbounded";

/// An estimate with its interval, on the scale of estimation: differences as they are, ratios as logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Effect {
    pub(crate) estimate: f64,
    pub(crate) interval: Interval,
}

/// Which direction of the effect is good for the participants; it decides on which side of the null line the
/// captions stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Benefit {
    /// Larger values are better (outflow to work): the right side favours the treatment.
    Higher,
    /// Smaller values are better (days on benefits): the left side favours the treatment.
    Lower,
}

/// The axis of a [`ForestPlot`](crate::report::ForestPlot): the scale of the estimates, the label, the
/// direction of benefit, the range.
///
/// ```
/// use armwise::report::{Benefit, ForestAxis};
///
/// let axis = ForestAxis::percentage_points("Risk difference (percentage points)")
///     .benefit(Benefit::Higher);
/// assert_eq!(axis, axis.clone());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ForestAxis {
    scale: Scale,
    label: String,
    decimals: Option<usize>,
    range: Option<Interval>,
    benefit: Option<Benefit>,
    control_caption: String,
    treatment_caption: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    /// Shown as `factor` times the estimate.
    Difference { factor: f64 },
    /// Estimates are logarithms of ratios, shown as ratios.
    Ratio,
}

impl ForestAxis {
    fn new(scale: Scale, label: impl Into<String>) -> Self {
        Self {
            scale,
            label: label.into(),
            decimals: None,
            range: None,
            benefit: None,
            control_caption: "Favours control".to_owned(),
            treatment_caption: "Favours treatment".to_owned(),
        }
    }

    /// Differences in the unit of the estimates, on a linear axis with the null line at 0. Two decimals by
    /// default.
    pub fn difference(label: impl Into<String>) -> Self {
        Self::new(Scale::Difference { factor: 1.0 }, label)
    }

    /// Differences of proportions, shown in percentage points (0.021 as 2.1), with the null line at 0. One
    /// decimal by default.
    pub fn percentage_points(label: impl Into<String>) -> Self {
        Self::new(Scale::Difference { factor: 100.0 }, label).decimals(1)
    }

    /// Logarithms of ratios on a linear axis, which is a logarithmic axis of the ratios: ticks and words are
    /// ratios, and the null line is at
    /// 1. Two decimals by default.
    pub fn ratio(label: impl Into<String>) -> Self {
        Self::new(Scale::Ratio, label)
    }

    setters! {
        /// The decimals of the effects in words; three or more only for ratios from 0.1 to 10.
        decimals: usize as Some;
        /// The range of the axis in the unit of its ticks (percentage points, ratios). Default: from the
        /// data. It is widened to hold the null line; a range that is not finite or empty, or not positive
        /// for ratios, counts as not given.
        range: Interval as Some;
        /// Puts the captions "Favours control" and "Favours treatment" under the axis.
        benefit: Benefit as Some;
    }

    /// The caption of the side that favours the control. Shown if [`ForestAxis::benefit`] is given.
    #[must_use]
    pub fn control_caption(mut self, caption: impl Into<String>) -> Self {
        self.control_caption = caption.into();
        self
    }

    /// The caption of the side that favours the treatment. Shown if [`ForestAxis::benefit`] is given.
    #[must_use]
    pub fn treatment_caption(mut self, caption: impl Into<String>) -> Self {
        self.treatment_caption = caption.into();
        self
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// The captions at the left and at the right of the null line.
    pub(crate) fn captions(&self) -> Option<[&str; 2]> {
        self.benefit.map(|benefit| match benefit {
            Benefit::Higher => [self.control_caption.as_str(), self.treatment_caption.as_str()],
            Benefit::Lower => [self.treatment_caption.as_str(), self.control_caption.as_str()],
        })
    }

    /// `+0.7 (-3.7 to 5.1)` or `1.29 (0.80 to 2.07)`.
    pub(crate) fn words(&self, values: Effect) -> String {
        let estimate = self.number_words(values.estimate);
        let sign = match self.scale {
            Scale::Difference { .. }
                if estimate.contains(|c: char| ('1'..='9').contains(&c)) && values.estimate > 0.0 =>
            {
                "+"
            }
            _ => "",
        };
        format!("{sign}{estimate} {}", self.limit_words(values.interval))
    }

    /// `(-3.7 to 5.1)`.
    pub(crate) fn limit_words(&self, interval: Interval) -> String {
        format!("({} to {})", self.number_words(interval.lower()), self.number_words(interval.upper()))
    }

    fn number_words(&self, value: f64) -> String {
        let shown = match self.scale {
            Scale::Difference { factor } => factor * value,
            Scale::Ratio => libm::exp(value),
        };
        match (self.scale, self.decimals) {
            _ if shown.is_infinite() => UNBOUNDED.to_owned(),
            // More digits would need more room than there is, and numbers are never shortened by an ellipsis.
            _ if shown.abs() >= 1e7 => format!("{shown:.2e}"),
            // Three digits or more are for ratios near 1.
            (Scale::Ratio, Some(3..)) if !(0.1..10.0).contains(&shown) => ratio(shown),
            (_, Some(decimals)) => decimal(shown, decimals),
            (Scale::Difference { .. }, None) => decimal(shown, 2),
            (Scale::Ratio, None) => ratio(shown),
        }
    }

    /// The range and ticks for these intervals on an axis of `width` pixels.
    pub(crate) fn place(&self, studies: &[Effect], pooled: &[Interval], width: f64, font: Font) -> Ruler {
        let (range, outward) = match self.given_range() {
            Some(range) => (range, Outward::No),
            None => (self.data_range(studies, pooled), Outward::Yes),
        };
        match self.scale {
            Scale::Difference { factor } => linear_ruler(range, factor, outward, width, font),
            Scale::Ratio => ratio_ruler(range, outward, width, font),
        }
    }

    fn given_range(&self) -> Option<Interval> {
        let [lower, upper] = [self.range?.lower(), self.range?.upper()].map(|limit| match self.scale {
            Scale::Difference { factor } => limit / factor,
            Scale::Ratio => libm::log(limit),
        });
        let valid = lower.is_finite() && upper.is_finite() && lower < upper;
        valid.then(|| Interval::between(lower.min(0.0), upper.max(0.0)))
    }

    /// All estimates and limits; but where a few imprecise studies would squeeze the others, limits only as
    /// far as they do not reach further than two typical half-widths beyond the estimates.
    fn data_range(&self, studies: &[Effect], pooled: &[Interval]) -> Interval {
        const SQUEEZE: f64 = 1.6;
        // Ratios beyond a million in either direction are arrows; so are differences that would overflow.
        let bound = match self.scale {
            Scale::Difference { .. } => 1e150,
            Scale::Ratio => 13.8,
        };
        let finite = |value: &f64| value.is_finite();
        let join = |range: Interval, value: f64| {
            Interval::between(range.lower().min(value.max(-bound)), range.upper().max(value.min(bound)))
        };
        let estimates =
            studies.iter().map(|study| study.estimate).filter(finite).fold(Interval::default(), join);
        let limits = || {
            let intervals = studies.iter().map(|study| &study.interval).chain(pooled);
            intervals.flat_map(|interval| [interval.lower(), interval.upper()]).filter(finite)
        };
        let all = limits().fold(estimates, join);
        let half_widths = studies.iter().map(|study| 0.5 * study.interval.width());
        let mut half_widths: Vec<f64> = half_widths.filter(finite).collect();
        half_widths.sort_by(f64::total_cmp);
        let reach = half_widths.get(half_widths.len() / 2).map_or(f64::INFINITY, |half| 2.0 * half.abs());
        let (low, high) = (estimates.lower() - reach, estimates.upper() + reach);
        let near = limits().map(|value| value.clamp(low, high)).fold(estimates, join);
        let range = if all.width() > SQUEEZE * near.width() { near } else { all };
        let (mut lower, mut upper) = (range.lower(), range.upper());
        if upper <= lower {
            let unit = match self.scale {
                Scale::Difference { factor } => 1.0 / factor,
                Scale::Ratio => 1.0,
            };
            (lower, upper) = (-unit, unit);
        }
        if self.benefit.is_some() {
            let room = 0.1 * (upper - lower);
            (lower, upper) = (lower.min(-room), upper.max(room));
        }
        Interval::between(lower, upper)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outward {
    /// The range is widened to the next ticks.
    Yes,
    /// The range stays, and the ticks are those inside.
    No,
}

/// A tick: its position on the scale of the estimates, and its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    pub(crate) value: f64,
    /// The label.
    pub label: String,
}

/// The placed axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruler {
    /// From the left end to the right one.
    pub range: Interval,
    pub(crate) width: f64,
    /// The ticks, ascending.
    pub ticks: Vec<Tick>,
}

impl Ruler {
    /// Pixels from the left end of the axis; values outside the range are put at its ends.
    pub fn position(&self, value: f64) -> f64 {
        let (lower, upper) = (self.range.lower(), self.range.upper());
        ((value.clamp(lower, upper) - lower) / (upper - lower)) * self.width
    }

    /// Whether a value lies in the range.
    pub fn contains(&self, value: f64) -> bool {
        self.range.contains(value)
    }

    /// Whether no label touches another.
    pub fn labels_fit(&self, font: Font) -> bool {
        self.ticks.windows(2).all(|pair| match pair {
            [a, b] => {
                let room = self.position(b.value) - self.position(a.value);
                room >= 0.5 * (font.width(&a.label) + font.width(&b.label)) + 8.0
            }
            _ => true,
        })
    }
}

/// An axis from 0 to `most`, shown as `factor` times the values.
pub(crate) fn ruler_from_zero(most: f64, factor: f64, length: f64, font: Font) -> Ruler {
    let upper = if most > 0.0 && most.is_finite() { most.min(1e150) } else { 1.0 / factor };
    linear_ruler(Interval::between(0.0, upper), factor, Outward::Yes, length, font)
}

/// An axis over a range, widened to ticks, shown as `factor` times the values.
pub(crate) fn ruler_of(range: Interval, factor: f64, length: f64, font: Font) -> Ruler {
    let wide = range.width() > 0.0 && range.width().is_finite();
    let range = if wide { range } else { Interval::between(-0.5 / factor, 0.5 / factor) };
    linear_ruler(range, factor, Outward::Yes, length, font)
}

/// An axis from 0 to `most` with ticks at multiples of `step`, of which as many as need be are left out
/// evenly.
pub(crate) fn ruler_with_steps(most: f64, step: f64, length: f64, font: Font) -> Ruler {
    // More ticks than any figure has room for.
    const MOST_TICKS: f64 = 500.0;
    let step = step * libm::ceil(most / step / MOST_TICKS).max(1.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 0 to MOST_TICKS
    let count = libm::floor(most / step + SLACK) as u32;
    let ruler = |stride: u32| {
        let ticks = (0..=count / stride).map(|i| {
            let value = f64::from(i * stride) * step;
            Tick { value, label: significant(value, 6) }
        });
        Ruler { range: Interval::between(0.0, most), width: length, ticks: ticks.collect() }
    };
    (1..=count).map(ruler).find(|ruler| ruler.labels_fit(font)).unwrap_or_else(|| ruler(count + 1))
}

fn linear_ruler(range: Interval, factor: f64, outward: Outward, width: f64, font: Font) -> Ruler {
    let shown = range.map(|value| factor * value);
    let ruler = |intervals: f64| {
        let multiples = multiples(shown, intervals, outward);
        let ticks: Vec<Tick> = multiples
            .iter()
            .map(|(value, label)| Tick { value: value / factor, label: label.clone() })
            .collect();
        match outward {
            Outward::Yes => widened(range, ticks, width),
            Outward::No => Ruler { range, width, ticks },
        }
    };
    (1..=6)
        .rev()
        .map(|n| ruler(f64::from(n)))
        .find(|ruler| ruler.labels_fit(font))
        .unwrap_or_else(|| ruler(1.0))
}

/// Rounding errors that do not count, as a share of a step.
const SLACK: f64 = 1e-9;

/// Multiples of 1, 2 or 5 times a power of ten, about `intervals` steps over the range, and their labels.
fn multiples(range: Interval, intervals: f64, outward: Outward) -> Vec<(f64, String)> {
    let raw = range.width() / intervals;
    let exponent = libm::floor(libm::log10(raw) + SLACK);
    let power = libm::pow(10.0, exponent);
    let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| nice * power >= raw * (1.0 - SLACK));
    let step = nice.unwrap_or(10.0) * power;
    let (first, last) = match outward {
        Outward::Yes => (libm::floor(range.lower() / step + SLACK), libm::ceil(range.upper() / step - SLACK)),
        Outward::No => (libm::ceil(range.lower() / step - SLACK), libm::floor(range.upper() / step + SLACK)),
    };
    let decimals = (0..=6_u8).find(|decimals| step * libm::pow(10.0, f64::from(*decimals)) >= 1.0 - SLACK);
    let plain = decimals.filter(|_| step < 1e7);
    let label = |value: f64| plain.map_or_else(|| significant(value, 6), |n| decimal(value, usize::from(n)));
    // At most about eight steps cover the range; the bound keeps this finite where a step is lost in
    // rounding.
    let values = (0..50_u8).map(|i| first + f64::from(i)).take_while(|multiple| *multiple <= last);
    values.map(|multiple| multiple * step).map(|value| (value, label(value))).collect()
}

fn ratio_ruler(range: Interval, outward: Outward, width: f64, font: Font) -> Ruler {
    let span = range.width();
    let ruler = |values: Vec<f64>| {
        let ticks: Vec<Tick> = values
            .into_iter()
            .map(|value| Tick { value: libm::log(value), label: significant(value, 3) })
            .collect();
        match outward {
            Outward::Yes => widened(range, ticks, width),
            Outward::No => Ruler { range, width, ticks },
        }
    };
    let mut rulers: Vec<Ruler> = Vec::new();
    if span < 0.8 {
        let shown = range.map(libm::exp);
        for intervals in [6.0, 5.0, 4.0, 3.0, 2.0] {
            let values: Vec<f64> =
                multiples(shown, intervals, outward).into_iter().map(|(value, _)| value).collect();
            if values.iter().all(|value| *value > 0.0) {
                rulers.push(ruler(values));
            }
        }
    }
    if span < 3.0 {
        rulers.push(ruler(around(range, outward, |i| libm::pow(2.0, f64::from(i)))));
    }
    if span < 7.0 {
        let value =
            |i: i32| [1.0, 2.0, 5.0][i.rem_euclid(3) as usize] * libm::pow(10.0, f64::from(i.div_euclid(3)));
        rulers.push(ruler(around(range, outward, value)));
    }
    for exponent in [1.0, 2.0, 3.0, 6.0, 12.0, 50.0] {
        rulers.push(ruler(around(range, outward, |i| libm::pow(10.0, exponent * f64::from(i)))));
    }
    let good = |ruler: &&Ruler| ruler.ticks.len() >= 2 && ruler.labels_fit(font);
    rulers.iter().find(good).cloned().unwrap_or_else(|| ruler(vec![1.0]))
}

/// The members of an increasing sequence inside the range, or from the last below to the first above it.
fn around(range: Interval, outward: Outward, value: impl Fn(i32) -> f64) -> Vec<f64> {
    let values: Vec<f64> = (-60..=60).map(value).filter(|value| *value > 0.0 && value.is_finite()).collect();
    let slack = SLACK * range.width();
    let first = values.partition_point(|value| libm::log(*value) < range.lower() - slack);
    let last = values.partition_point(|value| libm::log(*value) <= range.upper() + slack);
    match outward {
        Outward::No => values.get(first..last).unwrap_or_default().to_vec(),
        Outward::Yes => {
            let below =
                values.partition_point(|value| libm::log(*value) <= range.lower() + slack).saturating_sub(1);
            let above = values.partition_point(|value| libm::log(*value) < range.upper() - slack) + 1;
            values.get(below..above.min(values.len())).unwrap_or_default().to_vec()
        }
    }
}

/// An axis that ends at its outer ticks, or a little beyond the data where the next tick is far off.
fn widened(range: Interval, mut ticks: Vec<Tick>, width: f64) -> Ruler {
    const FAR: f64 = 0.4;
    let pad = 0.02 * range.width();
    if let [first, second, _, ..] = ticks.as_slice()
        && range.lower() - first.value > FAR * (second.value - first.value)
    {
        ticks.remove(0);
    }
    if let [.., _, second, last] = ticks.as_slice()
        && last.value - range.upper() > FAR * (last.value - second.value)
    {
        ticks.pop();
    }
    let end = |tick: Option<&Tick>, data: f64| tick.map_or(data, |tick| tick.value);
    let lower = end(ticks.first(), range.lower());
    let upper = end(ticks.last(), range.upper());
    let lower = if lower > range.lower() { range.lower() - pad } else { lower };
    let upper = if upper < range.upper() { range.upper() + pad } else { upper };
    Ruler { range: Interval::between(lower, upper), width, ticks }
}
