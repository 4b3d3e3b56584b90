//! Where the parts of a figure of curves stand.

use super::curves::{Arm, CurvePlot, Kind};
use crate::report::base::format::{decimal, significant};
use crate::report::draw::axis::{Ruler, Tick, ruler_from_zero, ruler_with_steps};
use crate::report::draw::canvas::{Anchor, Canvas, Ink, Label, Point, Stroke};
use crate::report::draw::page::{Block, LINE, MARGIN, MIDDLE, Page, SMALL, STRONG};
use crate::report::draw::points::{ABOVE, Area, Axes, Upward, room_of};

/// Dashes and gaps of the lines of arms, the control first; after these they begin again, thinner.
const PATTERNS: [&[f64]; 6] =
    [&[], &[9.0, 4.0], &[2.0, 3.0], &[11.0, 3.0, 2.0, 3.0], &[5.0, 2.0], &[11.0, 3.0, 2.0, 3.0, 2.0, 3.0]];
/// The width of the sample of a line in the table of numbers at risk.
const SAMPLE: f64 = 34.0;

/// The line of an arm.
struct Line {
    ink: Ink,
    width: f64,
    pattern: &'static [f64],
}

fn line_of(arm: usize) -> Line {
    let round = arm / PATTERNS.len();
    let ink = if arm.is_multiple_of(2) { Ink::Black } else { Ink::Dark };
    Line { ink, width: if round == 0 { 1.8 } else { 1.1 }, pattern: PATTERNS[arm % PATTERNS.len()] }
}

/// The names of the arms in both places, and the numbers that decide the room.
struct Names {
    beside: Vec<Block>,
    below: Vec<Block>,
}

impl Names {
    fn new(plot: &CurvePlot) -> Self {
        let room = (0.2 * plot.width).min(150.0);
        let blocks = |lines| {
            let block = |arm: &Arm| Block::new(&arm.name, SMALL, room, lines);
            plot.arms.iter().map(block).collect::<Vec<_>>()
        };
        Self { beside: blocks(2), below: blocks(2) }
    }

    fn width(blocks: &[Block]) -> f64 {
        blocks.iter().map(Block::width).fold(0.0, f64::max)
    }
}

pub(super) fn draw(plot: &CurvePlot) -> String {
    let names = Names::new(plot);
    let widest_number = plot.arms.iter().map(|arm| SMALL.width(&number(arm, 0.0))).fold(0.0, f64::max);
    let right = plot.width - MARGIN - Names::width(&names.beside) - 12.0;
    let labels_height: f64 = names.beside.iter().map(Block::height).sum();
    let height = (0.5 * (plot.width - 2.0 * MARGIN)).max(labels_height);
    let y = ruler_from_zero(highest(plot), 100.0, height, SMALL);
    let beside_table = Names::width(&names.below) + SAMPLE + 16.0 + 0.5 * widest_number;
    let left = MARGIN + room_of(&y).max(beside_table);
    let (x, horizons) = time_axis(plot, right - left);
    let mut notes: Vec<String> = plot.bands.then(|| plot.band_words()).into_iter().collect();
    if plot.weighted {
        notes.push("Numbers at risk are sums of weights.".to_owned());
    }
    notes.extend(plot.horizons.iter().filter_map(|horizon| beyond(plot, *horizon)));
    let page = Page::new(&plot.texts, plot.width, &notes);
    let top = page.top() + ABOVE;
    let axes = Axes { area: Area { left, top, right, bottom: top + height }, x, y, upward: Upward::Rising };
    let table = axes.foot(&plot.time_label) + 12.0;
    let rows: f64 = names.below.iter().map(Block::height).sum();
    let foot = table + LINE + 2.0 + rows;

    let mut canvas = page.begin(foot);
    axes.draw(&mut canvas, &plot.time_label, &plot.value_label);
    for arm in plot.arms.iter().filter(|_| plot.bands) {
        draw_band(&mut canvas, plot, &axes, arm);
    }
    for horizon in &horizons {
        let x = axes.at(*horizon, 0.0).x;
        let (from, to) = (Point { x, y: axes.area.top }, Point { x, y: axes.area.bottom + 5.0 });
        canvas.line(from, to, Stroke { ink: Ink::Middle, width: 0.9, dash: Some(2.0) });
        let label = significant(*horizon, 6);
        let at = Point { x, y: axes.area.bottom + 17.0 };
        let (full, font, anchor) = (None, STRONG, Anchor::Middle);
        canvas.text(at, Label { shown: &label, full, font, ink: Ink::Black, anchor });
    }
    for (i, arm) in plot.arms.iter().enumerate() {
        draw_curve(&mut canvas, &axes, arm, &line_of(i));
    }
    for (arm, horizon) in plot.arms.iter().flat_map(|arm| horizons.iter().map(move |at| (arm, *at))) {
        if let Some(step) = arm.at(horizon) {
            let outline = Stroke::solid(Ink::Black, 1.2);
            canvas.circle(axes.at(horizon, step.value), 3.2, Ink::White, outline, &words(plot, arm, horizon));
        }
    }
    draw_names(&mut canvas, plot, &axes, &names.beside);
    draw_numbers(&mut canvas, plot, &axes, &horizons, &names.below, table);
    let (name, description) = described(plot);
    page.end(canvas, foot, name, &description)
}

/// The highest value of the vertical axis.
fn highest(plot: &CurvePlot) -> f64 {
    if plot.kind == Kind::Survival {
        return 1.0;
    }
    let steps = plot.arms.iter().flat_map(|arm| &arm.steps);
    let upper = |step| plot.limits(step).filter(|_| plot.bands).map_or(step.value, |limits| limits.upper());
    steps.map(upper).fold(0.0, f64::max)
}

/// The time axis, and the horizons on it; a tick whose label would touch that of a horizon is left out.
fn time_axis(plot: &CurvePlot, length: f64) -> (Ruler, Vec<f64>) {
    let last = plot.horizons.last().copied().unwrap_or(0.0);
    let end = plot.end().max(last);
    let mut x = match plot.every {
        Some(step) => ruler_with_steps(end, step, length, SMALL),
        None => ruler_from_zero(end, 1.0, length, SMALL),
    };
    let mut horizons: Vec<f64> = Vec::new();
    let room = |a: f64, b: f64| (x.position(a) - x.position(b)).abs();
    let half = |value: f64| 0.5 * STRONG.width(&significant(value, 6)) + 4.0;
    for horizon in &plot.horizons {
        if horizons.last().is_none_or(|before| room(*horizon, *before) >= half(*horizon) + half(*before)) {
            horizons.push(*horizon);
        }
    }
    let free = |tick: &Tick| {
        let own = 0.5 * SMALL.width(&tick.label) + 4.0;
        horizons.iter().all(|horizon| room(tick.value, *horizon) >= half(*horizon) + own)
    };
    let ticks = x.ticks.iter().filter(|tick| free(tick)).cloned().collect();
    x.ticks = ticks;
    (x, horizons)
}

/// The sentence about arms whose follow-up ends before a horizon.
fn beyond(plot: &CurvePlot, horizon: f64) -> Option<String> {
    let short = plot.arms.iter().filter(|arm| arm.at(horizon).is_none());
    let short: Vec<String> =
        short.map(|arm| format!("of {} at {}", arm.name, significant(arm.last_time, 6))).collect();
    (!short.is_empty()).then(|| {
        let horizon = significant(horizon, 6);
        format!("Before the horizon {horizon} the follow-up ends {}.", short.join(", "))
    })
}

/// The corners of a step function: each value holds until the next time.
fn corners<'a>(
    axes: &'a Axes,
    steps: impl Iterator<Item = (f64, f64)> + 'a,
    end: f64,
) -> impl Iterator<Item = Point> + 'a {
    let mut before: Option<f64> = None;
    let points = steps.map(Some).chain(std::iter::once(None)).flat_map(move |step| {
        let (time, value) = step.map_or((end, None), |(time, value)| (time, Some(value)));
        let horizontal = before.map(|before| axes.at(time, before));
        before = value;
        horizontal.into_iter().chain(value.map(|value| axes.at(time, value)))
    });
    // Nothing is drawn twice at the same place.
    let mut last: Option<Point> = None;
    points.filter(move |point| last.replace(*point) != Some(*point))
}

fn draw_curve(canvas: &mut Canvas, axes: &Axes, arm: &Arm, line: &Line) {
    let steps = arm.steps.iter().map(|step| (step.time, step.value));
    let points: Vec<Point> = corners(axes, steps, arm.last_time).collect();
    canvas.path(&points, line.ink, line.width, line.pattern);
}

/// The band, in pieces where it has gaps.
fn draw_band(canvas: &mut Canvas, plot: &CurvePlot, axes: &Axes, arm: &Arm) {
    let limits: Vec<_> = arm.steps.iter().map(|step| (step.time, plot.limits(step))).collect();
    for piece in limits.chunk_by(|a, b| a.1.is_some() == b.1.is_some()) {
        let known: Vec<_> = piece.iter().filter_map(|(time, limits)| Some((*time, (*limits)?))).collect();
        let Some(last) = known.last() else { continue };
        let after = limits.iter().map(|(time, _)| *time).find(|time| *time > last.0);
        let end = after.unwrap_or(arm.last_time);
        let upper = known.iter().map(|(time, limits)| (*time, limits.upper()));
        let lower = known.iter().map(|(time, limits)| (*time, limits.lower()));
        let mut points: Vec<Point> = corners(axes, upper, end).collect();
        let back: Vec<Point> = corners(axes, lower, end).collect();
        points.extend(back.into_iter().rev());
        // The more bands lie on each other, the lighter each.
        canvas.veil(&points, Ink::Middle, (0.5 / plot.arms.len() as f64).clamp(0.08, 0.25));
    }
}

/// The names at the ends of the curves, moved apart; a thin line leads to a name that stands far from its
/// curve.
fn draw_names(canvas: &mut Canvas, plot: &CurvePlot, axes: &Axes, names: &[Block]) {
    let Area { top, right, bottom, .. } = axes.area;
    let ends: Vec<Point> = plot
        .arms
        .iter()
        .map(|arm| axes.at(arm.last_time, arm.steps.last().map_or(0.0, |step| step.value)))
        .collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|a, b| ends[*a].y.total_cmp(&ends[*b].y));
    let mut tops = vec![0.0; names.len()];
    let mut free = top - 4.0;
    for &i in &order {
        tops[i] = (ends[i].y - 0.5 * names[i].height()).max(free);
        free = tops[i] + names[i].height();
    }
    let mut floor = bottom + 4.0;
    for &i in order.iter().rev() {
        tops[i] = f64::min(tops[i], floor - names[i].height());
        floor = tops[i];
    }
    for (i, name) in names.iter().enumerate() {
        let middle = tops[i] + 0.5 * name.height();
        let (end, start) = (ends[i], Point { x: right + 9.0, y: middle });
        if (end.y - middle).abs() > 3.0 || end.x < right - 1.0 {
            canvas.line(end, start, Stroke { ink: Ink::Middle, width: 0.6, dash: None });
        }
        let first = Point { x: right + 12.0, y: tops[i] + 0.5 * LINE + MIDDLE };
        name.draw(canvas, first, Ink::Black, Anchor::Start);
    }
}

fn draw_numbers(
    canvas: &mut Canvas,
    plot: &CurvePlot,
    axes: &Axes,
    horizons: &[f64],
    names: &[Block],
    top: f64,
) {
    let heading = if plot.weighted { "Number at risk (weighted)" } else { "Number at risk" };
    let heading = Block::new(heading, STRONG, plot.width - 2.0 * MARGIN, 1);
    heading.draw(canvas, Point { x: MARGIN, y: top + 11.0 }, Ink::Black, Anchor::Start);
    let columns = columns(plot, axes, horizons);
    let sample = axes.area.left - 8.0 - 0.5 * widest(plot, &columns) - SAMPLE;
    let mut y = top + LINE + 2.0;
    for (i, (arm, name)) in plot.arms.iter().zip(names).enumerate() {
        let baseline = y + 11.0;
        name.draw(canvas, Point { x: MARGIN, y: baseline }, Ink::Black, Anchor::Start);
        let line = line_of(i);
        let ends = [sample, sample + SAMPLE].map(|x| Point { x, y: baseline - MIDDLE });
        canvas.path(&ends, line.ink, line.width, line.pattern);
        for time in &columns {
            let shown = number(arm, *time);
            let at = Point { x: axes.at(*time, 0.0).x, y: baseline };
            let (full, font, anchor) = (None, SMALL, Anchor::Middle);
            canvas.text(at, Label { shown: &shown, full, font, ink: Ink::Black, anchor });
        }
        y += name.height();
    }
}

/// The times with numbers at risk: horizons first, then the ticks that leave room.
fn columns(plot: &CurvePlot, axes: &Axes, horizons: &[f64]) -> Vec<f64> {
    let widest = |time: f64| plot.arms.iter().map(|arm| SMALL.width(&number(arm, time))).fold(0.0, f64::max);
    let mut columns: Vec<(f64, f64, f64)> = Vec::new();
    let ticks = axes.x.ticks.iter().map(|tick| tick.value);
    // The first time always has its number.
    for time in std::iter::once(0.0).chain(horizons.iter().copied()).chain(ticks) {
        let (x, half) = (axes.x.position(time), 0.5 * widest(time) + 3.0);
        if columns.iter().all(|(_, other, room)| (x - other).abs() >= half + room) {
            columns.push((time, x, half));
        }
    }
    columns.into_iter().map(|(time, ..)| time).collect()
}

fn widest(plot: &CurvePlot, columns: &[f64]) -> f64 {
    let first = columns.first().copied().unwrap_or(0.0);
    plot.arms.iter().map(|arm| SMALL.width(&number(arm, first))).fold(0.0, f64::max)
}

/// The number at risk as it is printed; whole, or with a decimal where weights make it so.
fn number(arm: &Arm, time: f64) -> String {
    let n = arm.at_risk.at(time);
    decimal(n, usize::from((n - n.round()).abs() > 0.05 && n < 1e6))
}

/// `guidance at 12: 43.1% (38.0% to 48.2%)`.
fn words(plot: &CurvePlot, arm: &Arm, time: f64) -> String {
    let percent = |value: f64| format!("{}%", decimal(100.0 * value, 1));
    let at = format!("{} at {}", arm.name, significant(time, 6));
    match arm.at(time) {
        None => format!("{at}: beyond its follow-up"),
        // An interval without width is none: nobody, or everybody, has had the event.
        Some(step) => match plot.limits(step).filter(|limits| limits.lower() < limits.upper()) {
            None => format!("{at}: {}", percent(step.value)),
            Some(limits) => {
                let [lower, upper] = [limits.lower(), limits.upper()].map(percent);
                format!("{at}: {} ({lower} to {upper})", percent(step.value))
            }
        },
    }
}

fn described(plot: &CurvePlot) -> (&'static str, String) {
    let name = match plot.kind {
        Kind::Survival => "Survival curves",
        Kind::Incidence => "Cumulative incidence curves",
    };
    let mut sentences = vec![name.to_owned()];
    for arm in &plot.arms {
        sentences.push(format!("{}: {} at the start", arm.name, number(arm, 0.0)));
        let times = plot.horizons.iter().copied();
        let end = (plot.horizons.is_empty()).then_some(arm.last_time);
        sentences.extend(times.chain(end).map(|time| words(plot, arm, time)));
    }
    (name, sentences.join(". "))
}
