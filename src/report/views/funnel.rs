//! Funnel plots.

use super::{axis_of, sentences};
use crate::compute::distribution::Normal;
use crate::compute::interval::Interval;
use crate::compute::meta_analysis::StudySize;
use crate::design::Notice;
use crate::effect::{AnyScale, Scale, ScaleForm};
use crate::error::counted;
use crate::pool::{Asymmetry, Pooled, TrimmedAndFilled, few_for_asymmetry};
use crate::report::base::format::{capitalised, p_value, significant};
use crate::report::draw::axis::{Effect, ForestAxis, ruler_from_zero};
use crate::report::draw::canvas::{Canvas, Ink, Point, Stroke};
use crate::report::draw::page::{MARGIN, Page, SMALL, Texts, figure};
use crate::report::draw::points::{ABOVE, Area, Axes, Named, Names, Upward, room_of};
use crate::report::english::scale::unit_words;
use crate::report::results::pools::{about_pool, pool_line};

/// A funnel plot of a pool: the effect of each trial against its standard error, the most precise on top.
///
/// The vertical line is the pooled effect, the dashed lines are its pseudo limits `pooled -+ z se`, between
/// which 95% of the trials are expected (at the level of the pool) if effects do not differ between trials.
/// Below ten trials the figure says that its shape means little.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::report::FunnelPlot;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts(
///         "Deventer",
///         &outflow,
///         [("control", 10, 100), ("guidance", 15, 100)],
///     )?,
///     Comparison::from_counts(
///         "Utrecht",
///         &outflow,
///         [("control", 6, 176), ("guidance", 7, 172)],
///     )?,
///     Comparison::from_counts(
///         "Tilburg",
///         &outflow,
///         [("control", 20, 180), ("guidance", 31, 170)],
///     )?,
/// ])?;
/// let pooled = RandomEffects::new()
///     .pool(&cities.estimate(&DifferenceInProportions::new())?.treatment("guidance")?)?;
/// let svg = FunnelPlot::of(&pooled).title("Small and large trials").to_svg();
/// assert!(svg.contains("Tilburg") && svg.contains("means little with 3 trials"));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Sterne JAC, Egger M (2001), Journal of Clinical Epidemiology 54:1046. Sterne JAC et al. (2011), BMJ
/// 343:d4002. Duval S, Tweedie R (2000), Biometrics 56:455 (filled trials).
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelPlot {
    texts: Texts,
    width: f64,
    axis: ForestAxis,
    se_label: String,
    /// Standard errors are shown as this many times themselves.
    factor: f64,
    centre: f64,
    /// The quantile of the limits.
    z: f64,
    points: Vec<Observed>,
    filled: Vec<Observed>,
    line: Option<Regression>,
}

/// A trial, or one that is filled in.
#[derive(Debug, Clone, PartialEq)]
struct Observed {
    name: String,
    words: String,
    value: f64,
    se: f64,
}

/// Egger's regression: the effect at a standard error of 0, and its change.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Regression {
    intercept: f64,
    slope: f64,
}

const WIDTH: f64 = 640.0;

figure!(FunnelPlot, WIDTH);

impl FunnelPlot {
    /// The trials of a pool. Below ten trials a footnote says that the shape means little.
    pub fn of<S: Scale>(pooled: &Pooled<S>) -> Self {
        let of_trials = pooled.notices().iter().filter(|notice| notice.is_of_trials()).cloned();
        let few = few_for_asymmetry("a funnel plot", pooled.trials.len());
        Self::bare(&pooled.to_any()).notices(&of_trials.chain(few).collect::<Vec<_>>())
    }

    /// The same with the line of Egger's regression, its test and the rank test.
    pub fn of_asymmetry<S: Scale>(asymmetry: &Asymmetry<S>) -> Self {
        let mut plot = Self::bare(&asymmetry.pooled);
        let egger = &asymmetry.egger;
        let tests = format!(
            "Egger's test: {}; rank correlation: Kendall's tau = {}, {}.",
            p_value(egger.slope.p_value),
            significant(asymmetry.rank.kendall_tau, 3),
            p_value(asymmetry.rank.p_value)
        );
        if egger.size == StudySize::StandardError {
            plot.line = Some(Regression { intercept: egger.intercept.estimate, slope: egger.slope.estimate });
            plot.texts.footnotes.push(format!("Grey line: Egger's regression. {tests}"));
        } else {
            plot.texts.footnotes.push(tests);
        }
        plot.notices(asymmetry.notices())
    }

    /// The same with the trials that trim and fill adds, as hollow points; limits and line are those of the
    /// pool of all, filled ones included.
    pub fn of_filled<S: Scale>(trimmed: &TrimmedAndFilled<S>) -> Self {
        let (pooled, filled) = (&trimmed.pooled, &trimmed.filled);
        let mut plot = Self::bare(&pooled.to_any());
        plot.centre = trimmed.value();
        let words = about_pool(&pooled.to_any()).words(pooled.se());
        let added = filled.filled_yi.iter().zip(&filled.filled_vi).map(|(&value, &variance)| Observed {
            name: String::new(),
            words: format!("Filled in: {}", words.value(value)),
            value,
            se: libm::sqrt(variance),
        });
        plot.filled = added.collect();
        let side = filled.side;
        let hollow = if filled.k0 == 0 { "" } else { ", drawn hollow" };
        plot.texts.footnotes.push(format!(
            "Trim and fill: {} missing on the {side}{hollow}. Pooled without: {}; with: {}, around which the funnel \
             is drawn. A sensitivity analysis, not a corrected effect.",
            counted(filled.k0, "trial"),
            words.estimate(pooled.value(), pooled.interval()),
            words.estimate(trimmed.value(), trimmed.interval())
        ));
        plot.notices(trimmed.notices())
    }

    fn bare(pooled: &Pooled<AnyScale>) -> Self {
        let about = about_pool(pooled);
        let (scale, words) = (&about.scale, about.words(pooled.se()));
        let (se_label, factor) = match scale.form() {
            ScaleForm::PercentagePoints => ("Standard error (percentage points)".to_owned(), 100.0),
            ScaleForm::LogRatio => (format!("Standard error of the logarithm of the {scale}"), 1.0),
            ScaleForm::Difference => (format!("Standard error{}", unit_words(scale, &about.measure)), 1.0),
        };
        let points = pooled.trials.iter().map(|trial| {
            let (name, value, se) =
                (trial.estimate.trial().to_string(), trial.estimate.value(), trial.estimate.se());
            let told =
                format!("{name}: {}, standard error {}", words.value(value), significant(factor * se, 3));
            Observed { name, words: told, value, se }
        });
        let level = significant(100.0 * about.level, 4);
        let texts = Texts {
            title: capitalised(&about.measure()),
            subtitle: pool_line(pooled),
            footnotes: vec![format!(
                "Solid line: the pooled effect. Dashed lines: where {level}% of the trials are expected if effects do \
                 not differ between them."
            )],
        };
        Self {
            texts,
            width: WIDTH,
            axis: axis_of(&about, pooled.se(), &[]),
            se_label,
            factor,
            centre: pooled.value(),
            z: Normal.upper_quantile(0.5 * (1.0 - about.level)),
            points: points.collect(),
            filled: Vec::new(),
            line: None,
        }
    }

    fn notices(mut self, notices: &[Notice]) -> Self {
        self.texts.footnotes.extend(sentences(notices));
        self
    }

    fn observed(&self) -> impl Iterator<Item = &Observed> {
        self.points.iter().chain(&self.filled)
    }

    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let largest = self.observed().map(|point| point.se).filter(|se| se.is_finite()).fold(0.0, f64::max);
        let height = 0.58 * (self.width - 2.0 * MARGIN);
        let y = ruler_from_zero(largest, self.factor, height, SMALL);
        let bottom_se = y.range.upper();
        let top = Page::new(&self.texts, self.width, &[]).top() + ABOVE;
        let left = MARGIN + room_of(&y);
        let area = Area { left, top, right: self.width - MARGIN - 6.0, bottom: top + height };
        let x = self.axis.place(&self.extent(bottom_se), &[], area.right - area.left, SMALL);
        let axes = Axes { area, x, y, upward: Upward::Falling };

        let mut lines = vec![segment(&axes, self.centre, 0.0)];
        lines.extend([-self.z, self.z].map(|slope| segment(&axes, self.centre, slope)));
        lines.extend(self.line.map(|line| segment(&axes, line.intercept, line.slope)));
        let mark = |point: &Observed, fill| Named {
            at: axes.at(point.value, point.se),
            name: point.name.clone(),
            tooltip: point.words.clone(),
            fill,
        };
        let points = self.points.iter().map(|point| mark(point, Ink::Black));
        let points: Vec<Named> =
            points.chain(self.filled.iter().map(|point| mark(point, Ink::White))).collect();
        let names = Names::place(&points, area, &lines);

        let more: Vec<String> = names.left_out().into_iter().collect();
        let page = Page::new(&self.texts, self.width, &more);
        let foot = axes.foot(self.axis.label());
        let mut canvas = page.begin(foot);
        axes.draw(&mut canvas, self.axis.label(), &self.se_label);
        draw_lines(&mut canvas, &lines);
        names.draw(&mut canvas);
        page.end(canvas, foot, "Funnel plot", &self.description())
    }

    /// What the horizontal axis has to hold: the trials, and the funnel down to its foot.
    fn extent(&self, bottom: f64) -> Vec<Effect> {
        let at = |value: f64| Effect { estimate: value, interval: Interval::around(value, 0.0) };
        let ends = [-self.z, self.z].map(|slope| at(self.centre + slope * bottom));
        self.observed().map(|point| at(point.value)).chain(ends).collect()
    }

    fn description(&self) -> String {
        let mut words = vec![format!("Funnel plot. {}", self.axis.label())];
        words.extend(self.observed().map(|point| point.words.clone()));
        words.extend(self.texts.footnotes.iter().map(|note| note.trim_end_matches('.').to_owned()));
        words.join(". ")
    }
}

fn draw_lines(canvas: &mut Canvas, lines: &[(Point, Point)]) {
    let strokes = [
        Stroke::solid(Ink::Black, 1.0),
        Stroke { ink: Ink::Dark, width: 1.0, dash: Some(4.0) },
        Stroke { ink: Ink::Dark, width: 1.0, dash: Some(4.0) },
        Stroke::solid(Ink::Middle, 1.4),
    ];
    for ((from, to), stroke) in lines.iter().zip(strokes) {
        canvas.line(*from, *to, stroke);
    }
}

/// The line `start + slope se` as far as the area reaches.
fn segment(axes: &Axes, start: f64, slope: f64) -> (Point, Point) {
    let (lower, upper) = (axes.x.range.lower(), axes.x.range.upper());
    let (mut from, mut to) = (0.0_f64, axes.y.range.upper());
    if slope != 0.0 {
        let (a, b) = ((lower - start) / slope, (upper - start) / slope);
        (from, to) = (from.max(a.min(b)), to.min(a.max(b)));
    }
    let to = to.max(from);
    (axes.at(start + slope * from, from), axes.at(start + slope * to, to))
}
