//! The sizes and positions of a forest plot, from its description; `drawing` puts the ink there.

mod drawing;

pub(super) use drawing::{draw, draw_title};

use super::axis::Ruler;
use super::canvas::{Anchor, Canvas, Ink, Label, Point};
use super::forest::{ForestInterval, ForestPlot, ForestRow, StudyRow};
use super::format::{Limits, percent};
use super::text_width::{Font, Wrapped};

pub(super) const MARGIN: f64 = 18.0;
const GAP: f64 = 16.0;
const INDENT: f64 = 10.0;
pub(super) const LINE: f64 = 15.0;
const ROW: f64 = 21.0;
const NOTE_ROW: f64 = 18.0;
const PLOT_WIDTH: f64 = 330.0;
const LABEL_WIDTH: f64 = 250.0;
const CELL_WIDTH: f64 = 120.0;
const EFFECT_WIDTH: f64 = 260.0;
/// Between an estimate and its limits in words.
const ESTIMATE_GAP: f64 = 6.0;
/// The area left of the plot, where sub-headings and notes have to fit.
const LEFT_WIDTH: f64 = 230.0;
const LABEL_LINES: usize = 3;
/// From the top of a line to its baseline.
const ASCENT: f64 = 14.5;
/// From the baseline up to the middle of the digits.
pub(super) const MIDDLE: f64 = 4.3;
const LARGEST_SQUARE: f64 = 12.0;
const SMALLEST_SQUARE: f64 = 3.0;
const PLAIN_SQUARE: f64 = 8.0;

pub(super) const BODY: Font = Font::regular(12.0);
pub(super) const STRONG: Font = Font::bold(12.0);
pub(super) const SMALL: Font = Font::regular(11.0);
pub(super) const TITLE: Font = Font::bold(15.0);

/// What stands in the plot of a row.
#[derive(Debug, Clone, Copy)]
enum Mark {
    Square {
        values: ForestInterval,
        side: f64,
    },
    Diamond(ForestInterval),
    Bar(Limits),
    /// A row without an answer.
    Nothing,
    /// A sub-heading or a note, which has no cells either.
    Words,
}

/// A row whose texts are broken into lines, before anything has a position.
struct Line {
    font: Font,
    ink: Ink,
    label: Block,
    indent: f64,
    cells: Vec<Block>,
    effect: Effect,
    weight: Block,
    mark: Mark,
    space_above: f64,
    group: usize,
}

/// A text and the lines it became.
pub(super) struct Block {
    pub(super) full: String,
    wrapped: Wrapped,
}

impl Block {
    pub(super) fn new(text: &str, font: Font, max_width: f64, max_lines: usize) -> Self {
        Self { full: text.to_owned(), wrapped: font.wrap(text, max_width, max_lines) }
    }

    fn empty() -> Self {
        Self::new("", BODY, 1.0, 1)
    }

    pub(super) fn width(&self, font: Font) -> f64 {
        self.wrapped.width(font)
    }

    pub(super) fn lines(&self) -> f64 {
        self.wrapped.lines.len() as f64
    }

    /// `at` is on the first baseline.
    pub(super) fn draw(&self, canvas: &mut Canvas, at: Point, font: Font, ink: Ink, anchor: Anchor) {
        let full = self.wrapped.shortened.then_some(self.full.as_str());
        let mut y = at.y;
        for shown in &self.wrapped.lines {
            canvas.text(Point { x: at.x, y }, Label { shown, full, font, ink, anchor });
            y += LINE;
        }
    }
}

/// The effect in words: the estimate and the interval in brackets line up by themselves.
enum Effect {
    Parts { estimate: Block, limits: Block },
    Whole(Block),
}

impl Effect {
    fn new(text: &str, font: Font) -> Self {
        let split = text.split_once('(').filter(|(_, rest)| rest.ends_with(')'));
        if let Some((estimate, limits)) = split
            && font.width(text) <= EFFECT_WIDTH
        {
            let limits = format!("({limits}");
            return Self::Parts {
                estimate: Block::new(estimate, font, EFFECT_WIDTH, 1),
                limits: Block::new(&limits, font, EFFECT_WIDTH, 1),
            };
        }
        Self::Whole(Block::new(text, font, EFFECT_WIDTH, 1))
    }
}

/// The horizontal positions and widths.
struct Columns {
    label: f64,
    /// The right end of each cell.
    cells: Vec<f64>,
    plot: f64,
    /// The right ends of the estimates in words, of their limits, and of the weights.
    estimate: f64,
    limits: f64,
    weight: f64,
    width: f64,
}

impl Columns {
    /// The right end of what is left of the plot.
    fn left_end(&self) -> f64 {
        self.plot - GAP
    }
}

struct Headings {
    label: Block,
    cells: Vec<Block>,
    effect: Block,
    weight: Block,
    lines: f64,
}

fn weights(plot: &ForestPlot) -> impl Iterator<Item = f64> {
    plot.groups.iter().flat_map(|group| &group.rows).filter_map(|row| match row {
        ForestRow::Study(study) => study.weight,
        ForestRow::Pooled(pooled) => pooled.study.weight,
        ForestRow::Note(_) => None,
    })
}

/// The interval, its limits in order, if there is an answer at all.
fn answer(study: &StudyRow) -> Option<ForestInterval> {
    let ForestInterval { estimate, lower, upper } = study.interval?;
    let known = !(estimate.is_nan() || lower.is_nan() || upper.is_nan());
    let Limits { lower, upper } = Limits { lower, upper }.ordered();
    known.then_some(ForestInterval { estimate, lower, upper })
}

fn effect_words(plot: &ForestPlot, study: &StudyRow) -> String {
    match (&study.text, answer(study)) {
        (Some(text), _) => text.clone(),
        (None, Some(values)) => plot.axis.words(values),
        (None, None) => "not estimable".to_owned(),
    }
}

fn ruler(plot: &ForestPlot) -> Ruler {
    let mut studies = Vec::new();
    let mut pooled = Vec::new();
    for row in plot.groups.iter().flat_map(|group| &group.rows) {
        match row {
            ForestRow::Study(study) => studies.extend(answer(study)),
            ForestRow::Pooled(row) => {
                pooled.extend(answer(&row.study).map(ForestInterval::limits));
                pooled.extend(row.prediction.as_ref().map(|(_, limits)| *limits));
            }
            ForestRow::Note(_) => {}
        }
    }
    if studies.is_empty() {
        let estimate = |limits: &Limits| 0.5 * (limits.lower + limits.upper);
        studies = pooled
            .iter()
            .map(|limits| ForestInterval {
                estimate: estimate(limits),
                lower: limits.lower,
                upper: limits.upper,
            })
            .collect();
    }
    plot.axis.place(&studies, &pooled, PLOT_WIDTH, SMALL)
}

fn headings(plot: &ForestPlot, weighted: bool) -> Headings {
    let label = Block::new(&plot.label_heading, STRONG, LABEL_WIDTH, 4);
    let cells: Vec<Block> = plot.columns.iter().map(|text| Block::new(text, STRONG, 84.0, 4)).collect();
    let effect = Block::new(&plot.effect_heading, STRONG, 190.0, 4);
    let weight = if weighted { Block::new(&plot.weight_heading, STRONG, 70.0, 4) } else { Block::empty() };
    let blocks = cells.iter().chain([&label, &effect, &weight]);
    let lines = blocks.map(Block::lines).fold(1.0, f64::max);
    Headings { label, cells, effect, weight, lines }
}

fn lines(plot: &ForestPlot) -> Vec<Line> {
    let largest = weights_of_studies(plot).fold(0.0, f64::max);
    let cells = column_count(plot);
    let mut lines = Vec::new();
    for (group, content) in plot.groups.iter().enumerate() {
        let first = lines.len();
        let indent = if content.heading.is_empty() { 0.0 } else { INDENT };
        if !content.heading.is_empty() {
            lines.push(Line::words(&content.heading, STRONG, Ink::Black, 0.0, group));
        }
        for row in &content.rows {
            match row {
                ForestRow::Study(study) => {
                    let line = Line::new(plot, study, BODY, indent, cells, group);
                    let mark = answer(study).map_or(Mark::Nothing, |values| {
                        let side = square_side(study.weight, largest);
                        Mark::Square { values, side }
                    });
                    lines.push(Line { mark, ..line });
                }
                ForestRow::Pooled(pooled) => {
                    let line = Line::new(plot, &pooled.study, STRONG, indent, cells, group);
                    let mark = answer(&pooled.study).map_or(Mark::Nothing, Mark::Diamond);
                    lines.push(Line { mark, ..line });
                    if let Some((label, limits)) = &pooled.prediction {
                        lines.push(Line::prediction(plot, label, *limits, indent, cells, group));
                    }
                }
                ForestRow::Note(note) => lines.push(Line::words(note, SMALL, Ink::Dark, indent, group)),
            }
        }
        if first > 0
            && let Some(line) = lines.get_mut(first)
        {
            line.space_above = 9.0;
        }
    }
    lines
}

fn weights_of_studies(plot: &ForestPlot) -> impl Iterator<Item = f64> {
    plot.groups.iter().flat_map(|group| &group.rows).filter_map(|row| match row {
        ForestRow::Study(study) => study.weight.filter(|weight| weight.is_finite()),
        ForestRow::Pooled(_) | ForestRow::Note(_) => None,
    })
}

fn column_count(plot: &ForestPlot) -> usize {
    let rows = plot.groups.iter().flat_map(|group| &group.rows).map(|row| match row {
        ForestRow::Study(study) => study.columns.len(),
        ForestRow::Pooled(pooled) => pooled.study.columns.len(),
        ForestRow::Note(_) => 0,
    });
    rows.chain([plot.columns.len()]).max().unwrap_or(0)
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
    fn new(plot: &ForestPlot, study: &StudyRow, font: Font, indent: f64, cells: usize, group: usize) -> Self {
        let cell = |j: usize| study.columns.get(j).map_or("", String::as_str);
        Self {
            font,
            ink: Ink::Black,
            label: Block::new(&study.label, font, LABEL_WIDTH - indent, LABEL_LINES),
            indent,
            cells: (0..cells).map(|j| Block::new(cell(j), font, CELL_WIDTH, 1)).collect(),
            effect: Effect::new(&effect_words(plot, study), font),
            weight: study
                .weight
                .filter(|weight| weight.is_finite())
                .map_or_else(Block::empty, |weight| Block::new(&percent(weight), font, CELL_WIDTH, 1)),
            mark: Mark::Nothing,
            space_above: 0.0,
            group,
        }
    }

    /// A sub-heading or a note. Its words are broken into lines when the width left of the plot is known.
    fn words(text: &str, font: Font, ink: Ink, indent: f64, group: usize) -> Self {
        Self {
            font,
            ink,
            label: Block::new(text, font, f64::INFINITY, 1),
            indent,
            cells: Vec::new(),
            effect: Effect::Whole(Block::empty()),
            weight: Block::empty(),
            mark: Mark::Words,
            space_above: 0.0,
            group,
        }
    }

    fn prediction(
        plot: &ForestPlot,
        label: &str,
        limits: Limits,
        indent: f64,
        cells: usize,
        group: usize,
    ) -> Self {
        let known = !(limits.lower.is_nan() || limits.upper.is_nan());
        let limits = limits.ordered();
        let text = if known { plot.axis.limit_words(limits) } else { "not estimable".to_owned() };
        let study = StudyRow::without_estimate(label, text);
        let mark = if known { Mark::Bar(limits) } else { Mark::Nothing };
        Self { mark, ..Self::new(plot, &study, BODY, indent, cells, group) }
    }

    fn is_words(&self) -> bool {
        matches!(self.mark, Mark::Words)
    }

    fn height(&self) -> f64 {
        let row = if self.font == SMALL { NOTE_ROW } else { ROW };
        self.space_above + row + (self.label.lines() - 1.0) * LINE
    }
}

/// Breaks sub-headings and notes at the left end of the plot.
fn fit_words(lines: &mut [Line], columns: &Columns) {
    for line in lines.iter_mut().filter(|line| line.is_words()) {
        let room = columns.left_end() - columns.label - line.indent;
        line.label = Block::new(&line.label.full, line.font, room, 6);
    }
}

fn columns(headings: &Headings, lines: &[Line], weighted: bool) -> Columns {
    let widest = |widths: &mut dyn Iterator<Item = f64>| widths.fold(0.0, f64::max);
    let rows = || lines.iter().filter(|line| !line.is_words());
    let label_width = widest(
        &mut rows()
            .map(|line| line.indent + line.label.width(line.font))
            .chain([headings.label.width(STRONG), 60.0]),
    );
    let mut x = MARGIN + label_width;
    let count = rows().map(|line| line.cells.len()).chain([headings.cells.len()]).max().unwrap_or(0);
    let mut cells = Vec::new();
    for j in 0..count {
        let heading = headings.cells.get(j).map_or(0.0, |block| block.width(STRONG));
        let cell = widest(
            &mut rows()
                .filter_map(|line| line.cells.get(j).map(|cell| cell.width(line.font)))
                .chain([heading]),
        );
        x += GAP + cell;
        cells.push(x);
    }
    // Sub-headings and notes need room, but not all that they ask for: they are wrapped.
    let wanted = widest(
        &mut lines
            .iter()
            .filter(|line| line.is_words())
            .map(|line| (line.indent + line.label.width(line.font)).min(LEFT_WIDTH)),
    );
    let short = MARGIN + wanted - x;
    if short > 0.0 {
        x += short;
        for cell in &mut cells {
            *cell += short;
        }
    }
    let plot = x + GAP;
    let (mut estimate, mut limits, mut whole) = (0.0_f64, 0.0_f64, headings.effect.width(STRONG));
    for line in lines {
        match &line.effect {
            Effect::Parts { estimate: left, limits: right } => {
                estimate = estimate.max(left.width(line.font));
                limits = limits.max(right.width(line.font));
            }
            Effect::Whole(block) => whole = whole.max(block.width(line.font)),
        }
    }
    let effect_end = plot + PLOT_WIDTH + GAP + 4.0 + whole.max(estimate + ESTIMATE_GAP + limits);
    let weight_width = widest(
        &mut lines.iter().map(|line| line.weight.width(line.font)).chain([headings.weight.width(STRONG)]),
    );
    let weight = if weighted { effect_end + GAP + weight_width } else { effect_end };
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

pub(super) fn words_height(block: &Block, line: f64) -> f64 {
    if block.full.trim().is_empty() { 0.0 } else { block.lines() * line }
}
