//! Effects of every treatment by month or wave, with intervals of each and bands that hold together.

use super::panels::Panels;
use crate::compute::interval::Interval;
use crate::effect::{EffectsOverTime, Scale, ScaleForm, WaveEffects};
use crate::error::{Error, Result, counted};
use crate::report::base::format::{capitalised, decimal, p_value, plain_label, significant};
use crate::report::draw::axis::{Ruler, ruler_of};
use crate::report::draw::canvas::{Anchor, Canvas, Ink, Point, Stroke};
use crate::report::draw::page::{Block, LINE, MARGIN, Page, SMALL, Texts, figure};
use crate::report::draw::points::Axes;

/// The effects of every treatment by month or by wave, in a panel for each treatment, with simultaneous
/// bands.
///
/// A line joins the effects. The dark band holds the interval of each month by itself, the light one
/// intervals that hold for all months and treatments together, by the critical value of the joint covariance
/// ([`EffectsOverTime::simultaneous`]): somebody who looks for the month with the largest effect reads that
/// one.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::EffectsOverTimePlot;
///
/// let people = Table::from_csv_path("examples/data/participants.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let trial = Trial::builder("Wageningen", people)
///     .arm_labels("arm")
///     .control("control")
///     .build()?;
/// let table = Table::from_csv_path("examples/data/registry_panel.csv")?
///     .keep_category("municipality", "Wageningen")?;
/// let states = Register::from_long(table, "participant", "month", "state")
///     .states(["benefit", "part_time", "full_time", "other"])
///     .months(24)
///     .measure()?;
/// let works = MonthlyEffects::new(["part_time", "full_time"], [6, 12, 18, 24]);
/// let effects = works.over_time(&trial.on(&states)?)?;
/// let figure = EffectsOverTimePlot::of(&effects)?.time_label("Months since the start");
/// assert!(figure.to_svg().contains("guidance"));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Montiel Olea JL, Plagborg-Moller M (2019), Journal of Applied Econometrics 34:1 (simultaneous bands).
#[derive(Debug, Clone, PartialEq)]
pub struct EffectsOverTimePlot {
    texts: Texts,
    width: f64,
    treatments: Vec<Treatment>,
    level: f64,
    critical_value: f64,
    /// By what values are multiplied: 100 for percentage points.
    factor: f64,
    /// `month` or `wave`.
    noun: &'static str,
    every: f64,
    time_label: String,
    value_label: String,
}

/// The effects of a treatment.
#[derive(Debug, Clone, PartialEq)]
struct Treatment {
    name: String,
    joint: Option<f64>,
    points: Vec<Effect>,
}

/// The effect in a month or wave.
#[derive(Debug, Clone, PartialEq)]
struct Effect {
    at: f64,
    /// `month 12`, `16 months`.
    name: String,
    value: f64,
    alone: Interval,
    together: Interval,
}

const WIDTH: f64 = 640.0;

figure!(EffectsOverTimePlot, WIDTH);

impl EffectsOverTimePlot {
    /// The effects of all treatments; the title is the trial, the subtitle the measure.
    ///
    /// # Errors
    /// None for effects of an estimator.
    pub fn of(effects: &EffectsOverTime) -> Result<Self> {
        let level = effects.about.level;
        let together = effects.simultaneous(level)?;
        let t = effects.months.len();
        let mut treatments: Vec<Treatment> = effects
            .treatments
            .iter()
            .zip(&effects.joint)
            .map(|(arm, joint)| Treatment {
                name: plain_label(&arm.label),
                joint: joint.map(|test| test.p_value),
                points: Vec::with_capacity(t),
            })
            .collect();
        for (m, month) in effects.months.iter().enumerate() {
            for (i, one) in effects.at(*month)?.iter().enumerate() {
                // Both bands are those of the same statistics.
                let together = together.contrasts[i * t + m].interval;
                let alone = one.interval();
                treatments[i].points.push(Effect {
                    at: *month as f64,
                    name: format!("month {month}"),
                    value: one.value(),
                    alone,
                    together,
                });
            }
        }
        let texts = Texts {
            title: effects.trial().to_string(),
            subtitle: format!(
                "{}, each treatment against {}",
                plain_label(&effects.about.measure.name),
                plain_label(&effects.reference.label)
            ),
            ..Texts::default()
        };
        Ok(Self {
            texts,
            width: WIDTH,
            treatments,
            level,
            critical_value: together.critical_value,
            factor: 100.0,
            noun: "month",
            every: 6.0,
            time_label: "Month".to_owned(),
            value_label: "Risk difference (percentage points)".to_owned(),
        })
    }

    /// The effects of all treatments in the waves of a survey, at 1, 2, ... on the time axis unless
    /// [`times`](EffectsOverTimePlot::times) says when; the title is the trial, the subtitle the measure.
    ///
    /// # Errors
    /// None for effects of an estimator.
    pub fn of_waves<S: Scale>(effects: &WaveEffects<S>) -> Result<Self> {
        let level = effects.about().level;
        let together = effects.simultaneous(level)?;
        let first = &effects.waves[0].estimates;
        let k = first.len();
        let treatment = |(i, arm): (usize, &crate::effect::Contrast)| Treatment {
            name: plain_label(arm.treatment()),
            joint: effects.joint[i].map(|test| test.p_value),
            points: (effects.waves.iter().enumerate())
                .map(|(wave, one)| Effect {
                    at: wave as f64 + 1.0,
                    name: one.wave.to_string(),
                    value: one.estimates.contrasts[i].value(),
                    alone: one.estimates.contrasts[i].interval(),
                    together: together.contrasts[wave * k + i].interval,
                })
                .collect(),
        };
        let about = effects.about();
        let texts = Texts {
            title: about.trials[0].to_string(),
            subtitle: format!(
                "{}, each treatment against {}",
                plain_label(&about.measure.name),
                plain_label(&about.reference)
            ),
            ..Texts::default()
        };
        let unit = about.measure.unit.as_ref().map_or(String::new(), |unit| format!(" ({unit})"));
        let log = if about.scale.form() == ScaleForm::LogRatio { "logarithm of the " } else { "" };
        Ok(Self {
            texts,
            width: WIDTH,
            treatments: first.contrasts.iter().enumerate().map(treatment).collect(),
            level,
            critical_value: together.critical_value,
            factor: 1.0,
            noun: "wave",
            every: 1.0,
            time_label: "Wave".to_owned(),
            value_label: capitalised(&format!("{log}{}{unit}", about.scale)),
        })
    }

    /// The times of waves on the time axis, such as 8, 16 and 24 for months since the start, with ticks at
    /// multiples of the first; default: 1, 2, ....
    ///
    /// # Errors
    /// `invalid_input` unless there is a time above 0 for each wave, ascending.
    pub fn times(mut self, times: impl IntoIterator<Item = f64>) -> Result<Self> {
        let times: Vec<f64> = times.into_iter().collect();
        let points = self.treatments.first().map_or(0, |treatment| treatment.points.len());
        let rising = times.is_sorted_by(|a, b| a < b) && times.iter().all(|at| *at > 0.0 && at.is_finite());
        if times.len() != points || !rising {
            let why = format!(
                "the times are not those of {}; give one above 0 for each, ascending",
                counted(points, self.noun)
            );
            return Err(Error::invalid(why));
        }
        self.every = times[0];
        for treatment in &mut self.treatments {
            treatment.points.iter_mut().zip(&times).for_each(|(point, at)| point.at = *at);
        }
        Ok(self)
    }

    /// The months between ticks of the time axis; default 6 of months, 1 of waves. 0 counts as the default.
    #[must_use]
    pub fn ticks_every(mut self, months: usize) -> Self {
        if months > 0 {
            self.every = months as f64;
        }
        self
    }

    /// The words below the time axis. Default: `Month`, or `Wave`.
    #[must_use]
    pub fn time_label(mut self, label: impl Into<String>) -> Self {
        self.time_label = label.into();
        self
    }

    /// The words above the vertical axis. Default: `Risk difference (percentage points)`, or the scale with
    /// its unit.
    #[must_use]
    pub fn value_label(mut self, label: impl Into<String>) -> Self {
        self.value_label = label.into();
        self
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let percent = significant(100.0 * self.level, 4);
        let notes = [format!(
            "Dark: {percent}% intervals of each {noun} by itself. Light: {percent}% intervals that hold for all {noun}s and treatments \
             together (critical value {}).",
            decimal(self.critical_value, 2),
            noun = self.noun
        )];
        let page = Page::new(&self.texts, self.width, &notes);
        let headings: Vec<String> = self.treatments.iter().map(|own| own.heading(self.noun)).collect();
        let top = page.top() + LINE + 4.0;
        let end = self.points().map(|point| point.at).fold(1.0, f64::max);
        let ruler = |height: f64| self.ruler(height);
        let panels = Panels::new(&headings, (self.width, top), (end, self.every), &self.time_label, ruler);
        let foot = panels.foot();
        let mut canvas = page.begin(foot);
        let words = Block::new(&self.value_label, SMALL, self.width - 2.0 * MARGIN, 1);
        words.draw(&mut canvas, Point { x: MARGIN, y: page.top() + 11.0 }, Ink::Black, Anchor::Start);
        for (i, treatment) in self.treatments.iter().enumerate() {
            panels.draw(&mut canvas, i);
            treatment.draw(&mut canvas, &panels.axes(i), self.factor);
        }
        page.end(canvas, foot, "Effects over time", &self.description())
    }

    fn points(&self) -> impl Iterator<Item = &Effect> {
        self.treatments.iter().flat_map(|treatment| &treatment.points)
    }

    /// The axis of effects, with no effect on it.
    fn ruler(&self, height: f64) -> Ruler {
        let lower = self.points().map(|point| point.together.lower()).fold(0.0, f64::min);
        let upper = self.points().map(|point| point.together.upper()).fold(0.0, f64::max);
        ruler_of(Interval::between(lower, upper), self.factor, height, SMALL)
    }

    fn description(&self) -> String {
        let of_treatment = |treatment: &Treatment| {
            let points: Vec<String> = treatment.points.iter().map(|point| point.words(self.factor)).collect();
            format!("{}: {}", treatment.name, points.join("; "))
        };
        let all: Vec<String> = self.treatments.iter().map(of_treatment).collect();
        format!("Effects over time. {}", all.join(". "))
    }
}

impl Effect {
    /// `month 12: 23.0 (1.2 to 44.8; together -5.0 to 51.0)`.
    fn words(&self, factor: f64) -> String {
        let points = |value: f64| decimal(factor * value, if factor == 1.0 { 2 } else { 1 });
        let both =
            |interval: Interval| format!("{} to {}", points(interval.lower()), points(interval.upper()));
        let (name, value) = (&self.name, points(self.value));
        format!("{name}: {value} ({}; together {})", both(self.alone), both(self.together))
    }
}

impl Treatment {
    fn heading(&self, noun: &str) -> String {
        match self.joint {
            None => self.name.clone(),
            Some(p) => format!("{} (all {noun}s: {})", self.name, p_value(p)),
        }
    }

    fn draw(&self, canvas: &mut Canvas, axes: &Axes, factor: f64) {
        let band = |limits: &dyn Fn(&Effect) -> Interval| {
            let upper = self.points.iter().map(|point| axes.at(point.at, limits(point).upper()));
            let lower = self.points.iter().rev().map(|point| axes.at(point.at, limits(point).lower()));
            upper.chain(lower).collect::<Vec<Point>>()
        };
        if self.points.len() > 1 {
            canvas.veil(&band(&|point| point.together), Ink::Middle, 0.22);
            canvas.veil(&band(&|point| point.alone), Ink::Middle, 0.38);
        }
        let (left, right) = (axes.area.left, axes.area.right);
        let zero = axes.at(0.0, 0.0).y;
        let dashed = Stroke { ink: Ink::Black, width: 0.9, dash: Some(3.0) };
        canvas.line(Point { x: left, y: zero }, Point { x: right, y: zero }, dashed);
        let line: Vec<Point> = self.points.iter().map(|point| axes.at(point.at, point.value)).collect();
        canvas.path(&line, Ink::Black, 1.6, &[]);
        let few = self.points.len() == 1;
        for (point, at) in self.points.iter().zip(&line) {
            if few {
                for (interval, width) in [(point.together, 0.8), (point.alone, 2.0)] {
                    let ends = [interval.lower(), interval.upper()].map(|limit| axes.at(point.at, limit));
                    canvas.line(ends[0], ends[1], Stroke::solid(Ink::Black, width));
                }
            }
            canvas.circle(*at, 2.2, Ink::White, Stroke::solid(Ink::Black, 1.0), &point.words(factor));
        }
    }
}
