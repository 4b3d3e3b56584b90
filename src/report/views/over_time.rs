//! Effects of every treatment by month, with intervals of each month and bands that hold together.

use super::panels::Panels;
use crate::compute::interval::Interval;
use crate::effect::EffectsOverTime;
use crate::error::Result;
use crate::report::base::format::{decimal, p_value, plain_label, significant};
use crate::report::draw::axis::{Ruler, ruler_of};
use crate::report::draw::canvas::{Anchor, Canvas, Ink, Point, Stroke};
use crate::report::draw::page::{Block, LINE, MARGIN, Page, SMALL, Texts, figure};
use crate::report::draw::points::Axes;

/// The effects of every treatment by month, in a panel for each treatment, with simultaneous bands.
///
/// A line joins the effects. The dark band holds the interval of each month by itself, the light one intervals that
/// hold for all months and treatments together, by the critical value of the joint covariance
/// ([`EffectsOverTime::simultaneous`]): somebody who looks for the month with the largest effect reads that one.
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

/// The effect in a month.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Effect {
    month: f64,
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
                    month: *month as f64,
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
            every: 6.0,
            time_label: "Month".to_owned(),
            value_label: "Risk difference (percentage points)".to_owned(),
        })
    }

    /// The months between ticks of the time axis; default 6. 0 counts as the default.
    #[must_use]
    pub fn ticks_every(mut self, months: usize) -> Self {
        self.every = if months > 0 { months as f64 } else { 6.0 };
        self
    }

    /// The words below the time axis. Default: `Month`.
    #[must_use]
    pub fn time_label(mut self, label: impl Into<String>) -> Self {
        self.time_label = label.into();
        self
    }

    /// The words above the vertical axis. Default: `Risk difference (percentage points)`.
    #[must_use]
    pub fn value_label(mut self, label: impl Into<String>) -> Self {
        self.value_label = label.into();
        self
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let percent = significant(100.0 * self.level, 4);
        let notes = [format!(
            "Dark: {percent}% intervals of each month by itself. Light: {percent}% intervals that hold for all months and treatments \
             together (critical value {}).",
            decimal(self.critical_value, 2)
        )];
        let page = Page::new(&self.texts, self.width, &notes);
        let headings: Vec<String> = self.treatments.iter().map(Treatment::heading).collect();
        let top = page.top() + LINE + 4.0;
        let end = self.points().map(|point| point.month).fold(1.0, f64::max);
        let ruler = |height: f64| self.ruler(height);
        let panels = Panels::new(&headings, (self.width, top), (end, self.every), &self.time_label, ruler);
        let foot = panels.foot();
        let mut canvas = page.begin(foot);
        let words = Block::new(&self.value_label, SMALL, self.width - 2.0 * MARGIN, 1);
        words.draw(&mut canvas, Point { x: MARGIN, y: page.top() + 11.0 }, Ink::Black, Anchor::Start);
        for (i, treatment) in self.treatments.iter().enumerate() {
            panels.draw(&mut canvas, i);
            treatment.draw(&mut canvas, &panels.axes(i));
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
        ruler_of(Interval::between(lower, upper), 100.0, height, SMALL)
    }

    fn description(&self) -> String {
        let of_treatment = |treatment: &Treatment| {
            let points: Vec<String> = treatment.points.iter().map(Effect::words).collect();
            format!("{}: {}", treatment.name, points.join("; "))
        };
        let all: Vec<String> = self.treatments.iter().map(of_treatment).collect();
        format!("Effects over time. {}", all.join(". "))
    }
}

impl Effect {
    /// `month 12: 23.0 (1.2 to 44.8; together -5.0 to 51.0)`.
    fn words(&self) -> String {
        let points = |value: f64| decimal(100.0 * value, 1);
        let both =
            |interval: Interval| format!("{} to {}", points(interval.lower()), points(interval.upper()));
        let (month, value) = (decimal(self.month, 0), points(self.value));
        format!("month {month}: {value} ({}; together {})", both(self.alone), both(self.together))
    }
}

impl Treatment {
    fn heading(&self) -> String {
        match self.joint {
            None => self.name.clone(),
            Some(p) => format!("{} (all months: {})", self.name, p_value(p)),
        }
    }

    fn draw(&self, canvas: &mut Canvas, axes: &Axes) {
        let band = |limits: &dyn Fn(&Effect) -> Interval| {
            let upper = self.points.iter().map(|point| axes.at(point.month, limits(point).upper()));
            let lower = self.points.iter().rev().map(|point| axes.at(point.month, limits(point).lower()));
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
        let line: Vec<Point> = self.points.iter().map(|point| axes.at(point.month, point.value)).collect();
        canvas.path(&line, Ink::Black, 1.6, &[]);
        let few = self.points.len() == 1;
        for (point, at) in self.points.iter().zip(&line) {
            if few {
                for (interval, width) in [(point.together, 0.8), (point.alone, 2.0)] {
                    let ends = [interval.lower(), interval.upper()].map(|limit| axes.at(point.month, limit));
                    canvas.line(ends[0], ends[1], Stroke::solid(Ink::Black, width));
                }
            }
            canvas.circle(*at, 2.2, Ink::White, Stroke::solid(Ink::Black, 1.0), &point.words());
        }
    }
}
