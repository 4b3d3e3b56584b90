//! Ink for the lines and columns of a forest plot, whose sizes and positions `forest_layout` has settled.

use super::axis::{Effect, Ruler};
use super::canvas::{Anchor, Canvas, Ink, Label, Point, Stroke};
use super::forest::{ForestPlot, Shape};
use super::forest_layout::{
    Columns, EffectWords, Headings, Line, Mark, PLOT_WIDTH, ROW, columns, fit_words, headings, is_weighted,
    lines, ruler,
};
use super::page::{Block, LINE, MARGIN, MIDDLE, Page, SMALL};
use crate::compute::interval::Interval;

/// From the top of a line to its baseline.
const ASCENT: f64 = 14.5;

impl ForestPlot {
    /// The figure as an SVG document.
    pub fn to_svg(&self) -> String {
        let headings = headings(self);
        let mut lines = lines(self);
        let columns = columns(&headings, &lines, is_weighted(self));
        fit_words(&mut lines, &columns);
        let ruler = ruler(self);

        let page = Page::new(&self.texts, columns.width, &[]);
        let rule = page.top() + headings.lines * LINE + 6.0;
        let heights: Vec<f64> = lines.iter().map(Line::height).collect();
        let bottom = rule + 5.0 + heights.iter().sum::<f64>() + 5.0;
        let foot = bottom + axis_height(self, &columns, &ruler);

        let mut canvas = page.begin(foot);
        draw_headings(&mut canvas, &headings, &columns, rule);
        draw_grid(&mut canvas, &columns, &ruler, rule, bottom);
        draw_pooled_lines(&mut canvas, &lines, &heights, &columns, &ruler, rule + 5.0);
        let mut y = rule + 5.0;
        for (line, height) in lines.iter().zip(&heights) {
            let baseline = y + line.space_above + 0.5 * (ROW - LINE) + ASCENT - 3.0;
            draw_line(&mut canvas, line, &columns, &ruler, baseline);
            y += height;
        }
        draw_axis(&mut canvas, self, &columns, &ruler, bottom);
        page.end(canvas, foot, "Forest plot", &description(self))
    }
}

fn draw_headings(canvas: &mut Canvas, headings: &Headings, columns: &Columns, rule: f64) {
    let mut draw = |block: &Block, x: f64, anchor: Anchor| {
        // Headings stand on the rule.
        let y = rule - 7.0 - (block.lines() - 1.0) * LINE;
        block.draw(canvas, Point { x, y }, Ink::Black, anchor);
    };
    draw(&headings.label, columns.label, Anchor::Start);
    for (block, x) in headings.cells.iter().zip(&columns.cells) {
        draw(block, *x, Anchor::End);
    }
    draw(&headings.effect, columns.limits, Anchor::End);
    draw(&headings.weight, columns.weight, Anchor::End);
    let (from, to) = (Point { x: MARGIN, y: rule }, Point { x: columns.width - MARGIN, y: rule });
    canvas.line(from, to, Stroke::solid(Ink::Black, 0.8));
}

fn draw_grid(canvas: &mut Canvas, columns: &Columns, ruler: &Ruler, top: f64, bottom: f64) {
    let vertical = |x: f64| (Point { x, y: top }, Point { x, y: bottom });
    for tick in &ruler.ticks {
        if tick.value != 0.0 {
            let (from, to) = vertical(columns.plot + ruler.position(tick.value));
            canvas.line(from, to, Stroke::solid(Ink::Light, 0.8));
        }
    }
    let (from, to) = vertical(columns.plot + ruler.position(0.0));
    canvas.line(from, to, Stroke::solid(Ink::Dark, 0.8));
}

/// A dashed line from the first row of a group to its first diamond.
fn draw_pooled_lines(
    canvas: &mut Canvas,
    lines: &[Line],
    heights: &[f64],
    columns: &Columns,
    ruler: &Ruler,
    top: f64,
) {
    let mut y = top;
    let mut start: Option<(usize, f64)> = None;
    let mut done = None;
    for (line, height) in lines.iter().zip(heights) {
        match line.mark {
            Mark::Square { .. } if start.is_none_or(|(group, _)| group != line.group) => {
                start = Some((line.group, y + line.space_above));
            }
            Mark::Diamond(effect) if done != Some(line.group) => {
                done = Some(line.group);
                if let Some((_, from)) = start.filter(|(group, _)| *group == line.group)
                    && ruler.contains(effect.estimate)
                {
                    let x = columns.plot + ruler.position(effect.estimate);
                    let stroke = Stroke { ink: Ink::Middle, width: 0.8, dash: Some(3.0) };
                    canvas.line(Point { x, y: from }, Point { x, y: y + line.space_above + 4.0 }, stroke);
                }
            }
            _ => {}
        }
        y += height;
    }
}

fn draw_line(canvas: &mut Canvas, line: &Line, columns: &Columns, ruler: &Ruler, baseline: f64) {
    let label = Point { x: columns.label + line.indent, y: baseline };
    line.label.draw(canvas, label, line.ink, Anchor::Start);
    let mut right = |block: &Block, x: f64| {
        block.draw(canvas, Point { x, y: baseline }, line.ink, Anchor::End);
    };
    for (cell, x) in line.cells.iter().zip(&columns.cells) {
        right(cell, *x);
    }
    match &line.effect {
        EffectWords::Parts { estimate, limits } => {
            right(estimate, columns.estimate);
            right(limits, columns.limits);
        }
        EffectWords::Whole(block) => right(block, columns.limits),
    }
    right(&line.weight, columns.weight);
    draw_mark(canvas, line.mark, columns.plot, ruler, baseline - MIDDLE);
}

fn draw_mark(canvas: &mut Canvas, mark: Mark, left: f64, ruler: &Ruler, y: f64) {
    let x = |value: f64| left + ruler.position(value);
    let interval = match mark {
        Mark::Nothing | Mark::Words => return,
        Mark::Square { effect: Effect { estimate, interval }, side } => {
            if ruler.contains(estimate) {
                let half = 0.5 * side;
                let centre = x(estimate);
                let (from, to) =
                    (Point { x: centre - half, y: y - half }, Point { x: centre + half, y: y + half });
                canvas.rectangle(from, to, Ink::Middle);
            }
            let (from, to) = (Point { x: x(interval.lower()), y }, Point { x: x(interval.upper()), y });
            canvas.line(from, to, Stroke::solid(Ink::Black, 1.2));
            interval
        }
        Mark::Diamond(effect) => {
            draw_diamond(canvas, effect, left, ruler, y);
            effect.interval
        }
        Mark::Bar(interval) => {
            let from = Point { x: x(interval.lower()), y: y - 1.6 };
            let to = Point { x: x(interval.upper()), y: y + 1.6 };
            canvas.rectangle(from, to, Ink::Dark);
            interval
        }
    };
    draw_arrows(canvas, interval, left, ruler, y);
}

/// Arrow heads where an interval goes on beyond the axis.
fn draw_arrows(canvas: &mut Canvas, interval: Interval, left: f64, ruler: &Ruler, y: f64) {
    let mut head = |tip: f64, back: f64| {
        let points = [Point { x: tip, y }, Point { x: back, y: y - 4.0 }, Point { x: back, y: y + 4.0 }];
        canvas.polygon(&points, Ink::Black);
    };
    if interval.lower() < ruler.range.lower() {
        head(left - 3.0, left + 4.5);
    }
    if interval.upper() > ruler.range.upper() {
        head(left + ruler.width + 3.0, left + ruler.width - 4.5);
    }
}

/// The diamond, cut off at the ends of the axis.
fn draw_diamond(canvas: &mut Canvas, effect: Effect, left: f64, ruler: &Ruler, y: f64) {
    const HALF: f64 = 6.0;
    let (lower, upper) = (ruler.range.lower(), ruler.range.upper());
    // Limits far out are drawn as if they ended here; the arrow head says that they go on.
    let far = 0.5 * (upper - lower);
    let estimate = effect.estimate.clamp(lower - far, upper + far);
    let low = effect.interval.lower().clamp(estimate - 2.0 * far, estimate);
    let high = effect.interval.upper().clamp(estimate, estimate + 2.0 * far);
    // The half height at a value: zero at the limits, whole at the estimate.
    let half_at = |value: f64| {
        let share = if value < estimate {
            (value - low) / (estimate - low)
        } else if value > estimate {
            (high - value) / (high - estimate)
        } else {
            1.0
        };
        HALF * share.clamp(0.0, 1.0)
    };
    let mut ends: Vec<f64> = [low, estimate, high].iter().map(|value| value.clamp(lower, upper)).collect();
    ends.dedup();
    if ends.len() < 2 && !ruler.contains(estimate) {
        return;
    }
    let mut points = Vec::new();
    for value in &ends {
        points.push(Point { x: left + ruler.position(*value), y: y - half_at(*value) });
    }
    for value in ends.iter().rev() {
        points.push(Point { x: left + ruler.position(*value), y: y + half_at(*value) });
    }
    points.dedup();
    canvas.polygon(&points, Ink::Black);
}

const TICK: f64 = 5.0;
const CAPTION_GAP: f64 = 10.0;

/// The captions, broken at the room that each side of the null line has down there, where nothing else
/// stands.
fn captions(plot: &ForestPlot, columns: &Columns, ruler: &Ruler) -> Option<[Block; 2]> {
    let null = columns.plot + ruler.position(0.0);
    let room = [null - CAPTION_GAP - MARGIN, columns.width - MARGIN - null - CAPTION_GAP];
    let [left, right] = plot.axis.captions()?;
    let block = |text: &str, room: f64| Block::new(text, SMALL, room.min(0.6 * PLOT_WIDTH), 3);
    Some([block(left, room[0]), block(right, room[1])])
}

fn axis_label(plot: &ForestPlot) -> Block {
    Block::new(plot.axis.label(), SMALL, PLOT_WIDTH, 3)
}

fn axis_height(plot: &ForestPlot, columns: &Columns, ruler: &Ruler) -> f64 {
    let captions = captions(plot, columns, ruler);
    let caption_lines = captions.map_or(0.0, |[left, right]| 12.0 + LINE * left.lines().max(right.lines()));
    TICK + LINE + 3.0 + axis_label(plot).height() + caption_lines
}

fn draw_axis(canvas: &mut Canvas, plot: &ForestPlot, columns: &Columns, ruler: &Ruler, y: f64) {
    let stroke = Stroke::solid(Ink::Black, 0.8);
    canvas.line(Point { x: columns.plot, y }, Point { x: columns.plot + ruler.width, y }, stroke);
    let mut baseline = y + TICK + 12.0;
    for tick in &ruler.ticks {
        let x = columns.plot + ruler.position(tick.value);
        canvas.line(Point { x, y }, Point { x, y: y + TICK }, stroke);
        let label =
            Label { shown: &tick.label, full: None, font: SMALL, ink: Ink::Black, anchor: Anchor::Middle };
        canvas.text(Point { x, y: baseline }, label);
    }
    baseline += LINE + 3.0;
    let label = axis_label(plot);
    let middle = columns.plot + 0.5 * ruler.width;
    label.draw(canvas, Point { x: middle, y: baseline }, Ink::Black, Anchor::Middle);
    baseline += label.height();
    if let Some([left, right]) = captions(plot, columns, ruler) {
        let null = columns.plot + ruler.position(0.0);
        let arrow_y = baseline - 5.0;
        let mut arrow = |from: f64, to: f64| {
            let direction = (to - from).signum();
            canvas.line(
                Point { x: from, y: arrow_y },
                Point { x: to, y: arrow_y },
                Stroke::solid(Ink::Dark, 0.8),
            );
            let back = to - 6.0 * direction;
            let points = [
                Point { x: to, y: arrow_y },
                Point { x: back, y: arrow_y - 2.6 },
                Point { x: back, y: arrow_y + 2.6 },
            ];
            canvas.polygon(&points, Ink::Dark);
        };
        let length = |block: &Block| block.width().clamp(30.0, 90.0);
        arrow(null - CAPTION_GAP, null - CAPTION_GAP - length(&left));
        arrow(null + CAPTION_GAP, null + CAPTION_GAP + length(&right));
        baseline += 12.0;
        left.draw(canvas, Point { x: null - CAPTION_GAP, y: baseline }, Ink::Black, Anchor::End);
        right.draw(canvas, Point { x: null + CAPTION_GAP, y: baseline }, Ink::Black, Anchor::Start);
    }
}

/// The figure in words, for those who cannot see it.
fn description(plot: &ForestPlot) -> String {
    let mut words = vec![format!("Forest plot. {}", plot.axis.label())];
    for group in &plot.groups {
        words.extend(Some(&group.heading).filter(|heading| !heading.is_empty()).cloned());
        for row in &group.rows {
            words.push(match row.shape {
                Shape::Words => row.label.clone(),
                _ => format!("{}: {}", row.label, row.words(&plot.axis)),
            });
            let prediction = row.prediction.iter();
            words.extend(prediction.map(|(label, x)| format!("{label}: {}", plot.axis.limit_words(*x))));
        }
    }
    words.join(". ")
}
