//! The sizes and positions of a forest plot, from its description; `forest_drawing` puts the ink there.

use super::axis::{Effect, Ruler};
use super::canvas::Ink;
use super::forest::{ForestPlot, ForestRow, Shape};
use super::page::{BODY, Block, LINE, MARGIN, SMALL, STRONG};
use crate::compute::interval::Interval;
use crate::report::base::format::percent;
use crate::report::base::text_width::Font;

const GAP: f64 = 16.0;
const INDENT: f64 = 10.0;
pub(crate) const ROW: f64 = 21.0;
const NOTE_ROW: f64 = 18.0;
pub(crate) const PLOT_WIDTH: f64 = 330.0;
const LABEL_WIDTH: f64 = 250.0;
const CELL_WIDTH: f64 = 120.0;
const EFFECT_WIDTH: f64 = 260.0;
/// Between an estimate and its limits in words.
const ESTIMATE_GAP: f64 = 6.0;
/// The area left of the plot, where sub-headings and notes have to fit.
const LEFT_WIDTH: f64 = 230.0;
const LABEL_LINES: usize = 3;
const LARGEST_SQUARE: f64 = 12.0;
const SMALLEST_SQUARE: f64 = 3.0;
const PLAIN_SQUARE: f64 = 8.0;

/// The mark in the plot of a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Mark {
    Square {
        effect: Effect,
        side: f64,
    },
    Diamond(Effect),
    Bar(Interval),
    /// A row without an answer.
    Nothing,
    /// A sub-heading or a note, which has no cells either.
    Words,
}

/// A row whose texts are broken into lines, before anything has a position.
pub(crate) struct Line {
    pub(crate) ink: Ink,
    pub(crate) label: Block,
    pub(crate) indent: f64,
    pub(crate) cells: Vec<Block>,
    pub(crate) effect: EffectWords,
    pub(crate) weight: Block,
    pub(crate) mark: Mark,
    pub(crate) space_above: f64,
    pub(crate) group: usize,
}

/// The effect in words: the estimate and the interval in brackets line up by themselves.
pub(crate) enum EffectWords {
    Parts { estimate: Block, limits: Block },
    Whole(Block),
}

impl EffectWords {
    fn new(text: &str, font: Font) -> Self {
        let block = |text: &str| Block::new(text, font, EFFECT_WIDTH, 1);
        match text.split_once('(') {
            Some((estimate, limits)) if limits.ends_with(')') && font.width(text) <= EFFECT_WIDTH => {
                Self::Parts { estimate: block(estimate), limits: block(&format!("({limits}")) }
            }
            _ => Self::Whole(block(text)),
        }
    }
}

/// The horizontal positions and widths.
pub(crate) struct Columns {
    pub(crate) label: f64,
    /// The right end of each cell.
    pub(crate) cells: Vec<f64>,
    pub(crate) plot: f64,
    /// The right ends of the estimates in words, of their limits, and of the weights.
    pub(crate) estimate: f64,
    pub(crate) limits: f64,
    pub(crate) weight: f64,
    pub(crate) width: f64,
}

pub(crate) struct Headings {
    pub(crate) label: Block,
    pub(crate) cells: Vec<Block>,
    pub(crate) effect: Block,
    pub(crate) weight: Block,
    pub(crate) lines: f64,
}

pub(crate) fn ruler(plot: &ForestPlot) -> Ruler {
    let of = |shape| plot.rows().filter(move |row| row.shape == shape).filter_map(|row| row.effect);
    let predictions = plot.rows().filter_map(|row| Some(row.prediction.as_ref()?.1));
    let pooled: Vec<Interval> = of(Shape::Diamond).map(|effect| effect.interval).chain(predictions).collect();
    let mut studies: Vec<Effect> = of(Shape::Square).collect();
    if studies.is_empty() {
        let middle = |interval: &Interval| 0.5 * (interval.lower() + interval.upper());
        studies = pooled.iter().map(|&interval| Effect { estimate: middle(&interval), interval }).collect();
    }
    plot.axis.place(&studies, &pooled, PLOT_WIDTH, SMALL)
}

pub(crate) fn is_weighted(plot: &ForestPlot) -> bool {
    plot.rows().any(|row| row.weight.is_some())
}

pub(crate) fn headings(plot: &ForestPlot) -> Headings {
    let block = |text: &str, width: f64| Block::new(text, STRONG, width, 4);
    let label = block(&plot.label_heading, LABEL_WIDTH);
    let cells: Vec<Block> = plot.columns.iter().map(|text| block(text, 84.0)).collect();
    let effect = block(&plot.effect_heading, 190.0);
    let weight = if is_weighted(plot) { block(&plot.weight_heading, 70.0) } else { Block::empty() };
    let blocks = cells.iter().chain([&label, &effect, &weight]);
    let lines = blocks.map(Block::lines).fold(1.0, f64::max);
    Headings { label, cells, effect, weight, lines }
}

pub(crate) fn lines(plot: &ForestPlot) -> Vec<Line> {
    let squares = plot.rows().filter(|row| row.shape == Shape::Square);
    let largest = squares.filter_map(|row| row.weight).filter(|x| x.is_finite()).fold(0.0, f64::max);
    let cells = plot.rows().map(|row| row.columns.len()).chain([plot.columns.len()]).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (group, content) in plot.groups.iter().enumerate() {
        let first = lines.len();
        let indent = if content.heading.is_empty() { 0.0 } else { INDENT };
        if !content.heading.is_empty() {
            lines.push(Line::words(&content.heading, STRONG, Ink::Black, 0.0));
        }
        for row in &content.rows {
            let mark = match (row.shape, row.effect) {
                (Shape::Words, _) => {
                    lines.push(Line::words(&row.label, SMALL, Ink::Dark, indent));
                    continue;
                }
                (_, None) => Mark::Nothing,
                (Shape::Square, Some(effect)) => {
                    Mark::Square { effect, side: square_side(row.weight, largest) }
                }
                (Shape::Diamond, Some(effect)) => Mark::Diamond(effect),
            };
            let font = if row.shape == Shape::Diamond { STRONG } else { BODY };
            lines.push(Line { mark, ..Line::new(row, &row.words(&plot.axis), font, indent, cells) });
            if let Some((label, interval)) = &row.prediction {
                let words = plot.axis.limit_words(*interval);
                let row = ForestRow::new(label, Shape::Square, None);
                let mark = Mark::Bar(*interval);
                lines.push(Line { mark, ..Line::new(&row, &words, BODY, indent, cells) });
            }
        }
        for line in &mut lines[first..] {
            line.group = group;
        }
        if first > 0
            && let Some(line) = lines.get_mut(first)
        {
            line.space_above = 9.0;
        }
    }
    lines
}

fn square_side(weight: Option<f64>, largest: f64) -> f64 {
    match weight {
        Some(weight) if weight > 0.0 && largest > 0.0 => {
            (LARGEST_SQUARE * libm::sqrt((weight / largest).min(1.0))).max(SMALLEST_SQUARE)
        }
        Some(_) => SMALLEST_SQUARE,
        None => PLAIN_SQUARE,
    }
}

impl Line {
    fn new(row: &ForestRow, effect: &str, font: Font, indent: f64, cells: usize) -> Self {
        let block = |text: &str| Block::new(text, font, CELL_WIDTH, 1);
        let weight = row.weight.filter(|weight| weight.is_finite());
        Self {
            ink: Ink::Black,
            label: Block::new(&row.label, font, LABEL_WIDTH - indent, LABEL_LINES),
            indent,
            cells: (0..cells).map(|j| block(row.columns.get(j).map_or("", String::as_str))).collect(),
            effect: EffectWords::new(effect, font),
            weight: weight.map_or_else(Block::empty, |weight| block(&percent(weight))),
            mark: Mark::Nothing,
            space_above: 0.0,
            group: 0,
        }
    }

    /// A sub-heading or a note. Its words are broken into lines when the width left of the plot is known.
    fn words(text: &str, font: Font, ink: Ink, indent: f64) -> Self {
        Self {
            ink,
            label: Block::new(text, font, f64::INFINITY, 1),
            cells: Vec::new(),
            effect: EffectWords::Whole(Block::empty()),
            mark: Mark::Words,
            ..Self::new(&ForestRow::new("", Shape::Words, None), "", font, indent, 0)
        }
    }

    fn is_words(&self) -> bool {
        matches!(self.mark, Mark::Words)
    }

    pub(crate) fn height(&self) -> f64 {
        let row = if self.label.font == SMALL { NOTE_ROW } else { ROW };
        self.space_above + row + (self.label.lines() - 1.0) * LINE
    }

    fn label_end(&self) -> f64 {
        self.indent + self.label.width()
    }
}

/// Breaks sub-headings and notes at the left end of the plot.
pub(crate) fn fit_words(lines: &mut [Line], columns: &Columns) {
    for line in lines.iter_mut().filter(|line| line.is_words()) {
        let room = columns.plot - GAP - columns.label - line.indent;
        line.label = Block::new(&line.label.full, line.label.font, room, 6);
    }
}

fn widest(widths: impl Iterator<Item = f64>) -> f64 {
    widths.fold(0.0, f64::max)
}

pub(crate) fn columns(headings: &Headings, lines: &[Line], weighted: bool) -> Columns {
    let rows = || lines.iter().filter(|line| !line.is_words());
    let labels = rows().map(Line::label_end);
    let mut x = MARGIN + widest(labels.chain([headings.label.width(), 60.0]));
    let count = rows().map(|line| line.cells.len()).chain([headings.cells.len()]).max().unwrap_or(0);
    let mut cells = Vec::new();
    for j in 0..count {
        let column = rows().filter_map(|line| line.cells.get(j)).chain(headings.cells.get(j));
        x += GAP + widest(column.map(Block::width));
        cells.push(x);
    }
    // Sub-headings and notes need room, but not all that they ask for: they are wrapped.
    let words = lines.iter().filter(|line| line.is_words());
    let short = MARGIN + widest(words.map(|line| line.label_end().min(LEFT_WIDTH))) - x;
    if short > 0.0 {
        x += short;
        cells.iter_mut().for_each(|cell| *cell += short);
    }
    let plot = x + GAP;
    let (mut estimate, mut limits, mut whole) = (0.0_f64, 0.0_f64, headings.effect.width());
    for line in lines {
        match &line.effect {
            EffectWords::Parts { estimate: left, limits: right } => {
                estimate = estimate.max(left.width());
                limits = limits.max(right.width());
            }
            EffectWords::Whole(block) => whole = whole.max(block.width()),
        }
    }
    let effect_end = plot + PLOT_WIDTH + GAP + 4.0 + whole.max(estimate + ESTIMATE_GAP + limits);
    let weights = lines.iter().map(|line| &line.weight).chain([&headings.weight]);
    let weight = if weighted { effect_end + GAP + widest(weights.map(Block::width)) } else { effect_end };
    Columns {
        label: MARGIN,
        cells,
        plot,
        estimate: effect_end - limits - ESTIMATE_GAP,
        limits: effect_end,
        weight,
        width: weight + MARGIN,
    }
}
