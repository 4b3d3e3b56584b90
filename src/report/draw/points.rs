//! An area with two axes, and places for names beside points.

use super::axis::Ruler;
use super::canvas::{Anchor, Canvas, Ink, Label, Point, Stroke};
use super::page::{Block, LINE, MARGIN, MIDDLE, SMALL};

/// A rectangle in the figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

impl Area {
    pub(crate) fn around(centre: Point, half: f64) -> Self {
        let Point { x, y } = centre;
        Self { left: x - half, top: y - half, right: x + half, bottom: y + half }
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn holds(&self, other: &Self) -> bool {
        self.left <= other.left
            && other.right <= self.right
            && self.top <= other.top
            && other.bottom <= self.bottom
    }

    /// Whether a line passes through (Liang and Barsky's clipping).
    fn is_crossed(&self, (from, to): (Point, Point)) -> bool {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
        let sides = [
            (-dx, from.x - self.left),
            (dx, self.right - from.x),
            (-dy, from.y - self.top),
            (dy, self.bottom - from.y),
        ];
        for (step, room) in sides {
            if step == 0.0 {
                if room < 0.0 {
                    return false;
                }
            } else if step < 0.0 {
                enters = enters.max(room / step);
            } else {
                leaves = leaves.min(room / step);
            }
        }
        enters < leaves
    }
}

/// Which end of the upward axis is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Upward {
    /// Values grow upwards.
    Rising,
    /// 0 is at the top, as precision has it in a funnel plot.
    Falling,
}

/// An area with a horizontal and a vertical axis.
pub(crate) struct Axes {
    pub(crate) area: Area,
    pub(crate) x: Ruler,
    pub(crate) y: Ruler,
    pub(crate) upward: Upward,
}

impl Axes {
    pub(crate) fn at(&self, x: f64, y: f64) -> Point {
        let down = self.y.position(y);
        let y = match self.upward {
            Upward::Rising => self.area.bottom - down,
            Upward::Falling => self.area.top + down,
        };
        Point { x: self.area.left + self.x.position(x), y }
    }

    /// Where the words below the horizontal axis end.
    pub(crate) fn foot(&self, label: &str) -> f64 {
        self.area.bottom + 5.0 + LINE + 3.0 + self.x_label(label).height()
    }

    fn x_label(&self, label: &str) -> Block {
        Block::new(label, SMALL, self.area.right - self.area.left, 3)
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas, x_label: &str, y_label: &str) {
        let Area { left, top, right, bottom } = self.area;
        let axis = Stroke::solid(Ink::Black, 0.8);
        let grid = Stroke::solid(Ink::Light, 0.8);
        for tick in &self.x.ticks {
            let x = left + self.x.position(tick.value);
            canvas.line(Point { x, y: top }, Point { x, y: bottom }, grid);
            canvas.line(Point { x, y: bottom }, Point { x, y: bottom + 5.0 }, axis);
            words(canvas, &tick.label, Point { x, y: bottom + 17.0 }, Anchor::Middle);
        }
        for tick in &self.y.ticks {
            let y = self.at(0.0, tick.value).y;
            canvas.line(Point { x: left, y }, Point { x: right, y }, grid);
            canvas.line(Point { x: left - 5.0, y }, Point { x: left, y }, axis);
            words(canvas, &tick.label, Point { x: left - 8.0, y: y + MIDDLE }, Anchor::End);
        }
        canvas.line(Point { x: left, y: top }, Point { x: left, y: bottom }, axis);
        canvas.line(Point { x: left, y: bottom }, Point { x: right, y: bottom }, axis);
        let x_label = self.x_label(x_label);
        let at = Point { x: 0.5 * (left + right), y: bottom + 5.0 + 12.0 + LINE + 3.0 };
        x_label.draw(canvas, at, Ink::Black, Anchor::Middle);
        // Above its axis and not beside it: nobody has to turn the head.
        let y_label = Block::new(y_label, SMALL, right - MARGIN, 1);
        y_label.draw(canvas, Point { x: MARGIN, y: top - 12.0 }, Ink::Black, Anchor::Start);
    }
}

/// The room that the label above the vertical axis takes.
pub(crate) const ABOVE: f64 = 26.0;

/// The room for the ticks of a vertical axis.
pub(crate) fn room_of(ruler: &Ruler) -> f64 {
    8.0 + ruler.ticks.iter().map(|tick| SMALL.width(&tick.label)).fold(24.0, f64::max)
}

fn words(canvas: &mut Canvas, shown: &str, at: Point, anchor: Anchor) {
    canvas.text(at, Label { shown, full: None, font: SMALL, ink: Ink::Black, anchor });
}

/// A point with its name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Named {
    pub(crate) at: Point,
    /// Not drawn where it is empty.
    pub(crate) name: String,
    pub(crate) tooltip: String,
    pub(crate) fill: Ink,
}

const RADIUS: f64 = 4.2;
const NAME_WIDTH: f64 = 170.0;

/// The names beside their points that have room; those without are told by [`Names::left_out`].
pub(crate) struct Names<'a> {
    points: &'a [Named],
    places: Vec<Option<(Block, Point, Anchor)>>,
}

impl<'a> Names<'a> {
    /// Names that overlap neither each other nor points, and no `line` where that can be had.
    pub(crate) fn place(points: &'a [Named], area: Area, lines: &[(Point, Point)]) -> Self {
        let mut taken: Vec<Area> = points.iter().map(|point| Area::around(point.at, RADIUS + 1.0)).collect();
        let places = points.iter().map(|point| {
            if point.name.is_empty() {
                return None;
            }
            let block = Block::new(&point.name, SMALL, NAME_WIDTH, 1);
            let candidates = candidates(point.at, block.width());
            let free = |extent: &Area| area.holds(extent) && !taken.iter().any(|other| other.meets(extent));
            let clear = |extent: &Area| free(extent) && !lines.iter().any(|line| extent.is_crossed(*line));
            let chosen = candidates
                .iter()
                .find(|(.., extent)| clear(extent))
                .or_else(|| candidates.iter().find(|(.., extent)| free(extent)));
            let &(at, anchor, extent) = chosen?;
            taken.push(extent);
            Some((block, at, anchor))
        });
        let places = places.collect();
        Self { points, places }
    }

    /// The sentence that tells the names without room; `None` where all have it.
    pub(crate) fn left_out(&self) -> Option<String> {
        let pairs = self.points.iter().zip(&self.places);
        let names: Vec<&str> = pairs
            .filter(|(point, place)| place.is_none() && !point.name.is_empty())
            .map(|(point, _)| point.name.as_str())
            .collect();
        (!names.is_empty()).then(|| format!("Points without room for a name: {}.", names.join(", ")))
    }

    pub(crate) fn draw(&self, canvas: &mut Canvas) {
        for point in self.points {
            let outline = if point.fill == Ink::White { Ink::Black } else { Ink::White };
            canvas.circle(point.at, RADIUS, point.fill, Stroke::solid(outline, 1.0), &point.tooltip);
        }
        for (block, at, anchor) in self.places.iter().flatten() {
            block.draw(canvas, *at, Ink::Black, *anchor);
        }
    }
}

/// Places of a text of this width beside a point, the best first.
fn candidates(point: Point, width: f64) -> Vec<(Point, Anchor, Area)> {
    let mut list = Vec::new();
    for away in [RADIUS + 3.0, RADIUS + 12.0] {
        let slant = 0.6 * away + 4.0;
        let offsets = [
            (away, 0.0, Anchor::Start),
            (-away, 0.0, Anchor::End),
            (0.0, -away - 5.0, Anchor::Middle),
            (0.0, away + 5.0, Anchor::Middle),
            (slant, -slant, Anchor::Start),
            (-slant, -slant, Anchor::End),
            (slant, slant, Anchor::Start),
            (-slant, slant, Anchor::End),
        ];
        for (dx, dy, anchor) in offsets {
            let at = Point { x: point.x + dx, y: point.y + dy + MIDDLE - 0.5 };
            list.push((at, anchor, text_area(at, anchor, width)));
        }
    }
    list
}

/// The area of a line of small text, a pixel of air included.
pub(crate) fn text_area(at: Point, anchor: Anchor, width: f64) -> Area {
    let left = match anchor {
        Anchor::Start => at.x,
        Anchor::Middle => at.x - 0.5 * width,
        Anchor::End => at.x - width,
    };
    Area { left: left - 1.0, top: at.y - 9.5, right: left + width + 1.0, bottom: at.y + 3.5 }
}
