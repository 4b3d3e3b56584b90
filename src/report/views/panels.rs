//! Small panels beside and below each other, one for each arm, with the same axes.

use crate::report::draw::axis::{Ruler, ruler_with_steps};
use crate::report::draw::canvas::{Anchor, Canvas, Ink, Point};
use crate::report::draw::page::{Block, LINE, MARGIN, SMALL, STRONG};
use crate::report::draw::points::{Area, Axes, Upward, room_of};

/// The room between two panels.
const GAP: f64 = 26.0;

/// Where the panels stand.
pub(super) struct Panels {
    columns: usize,
    count: usize,
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    x: Ruler,
    y: Ruler,
    time_label: String,
    headings: Vec<Block>,
}

impl Panels {
    /// Panels below `top` of a figure of this width, with a time axis from 0 to `end` that has ticks at multiples of
    /// `every`, and the vertical axis that `ruler` makes for a height.
    pub(super) fn new(
        headings: &[String],
        (width, top): (f64, f64),
        (end, every): (f64, f64),
        time_label: &str,
        ruler: impl Fn(f64) -> Ruler,
    ) -> Self {
        let count = headings.len().max(1);
        let columns = count.min(if width < 900.0 { 2 } else { 3 });
        let y = ruler(0.5 * width / columns as f64);
        let left = room_of(&y);
        let inner = (width - 2.0 * MARGIN - GAP * (columns as f64 - 1.0)) / columns as f64 - left;
        let height = (0.55 * inner).max(90.0);
        let x = ruler_with_steps(end, every, inner, SMALL);
        let blocks = headings.iter().map(|words| Block::new(words, STRONG, inner + left, 2)).collect();
        let time_label = time_label.to_owned();
        Self {
            columns,
            count,
            width: inner,
            height,
            left,
            top,
            x,
            y: ruler(height),
            time_label,
            headings: blocks,
        }
    }

    fn heading(&self) -> f64 {
        self.headings.iter().map(Block::height).fold(LINE, f64::max) + 4.0
    }

    /// The axes of a panel.
    pub(super) fn axes(&self, panel: usize) -> Axes {
        let (row, column) = ((panel / self.columns) as f64, (panel % self.columns) as f64);
        let left = MARGIN + self.left + column * (self.left + self.width + GAP);
        let top = self.top + self.heading() + row * self.row();
        let area = Area { left, top, right: left + self.width, bottom: top + self.height };
        Axes { area, x: self.x.clone(), y: self.y.clone(), upward: Upward::Rising }
    }

    /// The height of a row of panels with its words.
    fn row(&self) -> f64 {
        self.heading() + self.height + 5.0 + 2.0 * LINE + 14.0
    }

    /// Where the last row ends.
    pub(super) fn foot(&self) -> f64 {
        self.top + self.count.div_ceil(self.columns) as f64 * self.row() - 8.0
    }

    /// Draws the axes and the heading of a panel.
    pub(super) fn draw(&self, canvas: &mut Canvas, panel: usize) {
        let axes = self.axes(panel);
        axes.draw(canvas, &self.time_label, "");
        let at = Point { x: axes.area.left - self.left + 8.0, y: axes.area.top - self.heading() + 11.0 };
        self.headings[panel].draw(canvas, at, Ink::Black, Anchor::Start);
    }
}
