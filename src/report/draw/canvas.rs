//! SVG elements with fixed decimals, and nothing else: where things go is decided elsewhere.
//!
//! The `svg` crate writes the elements. It sorts the attributes of an element by name and escapes attributes
//! and text, so that equal drawings are equal files. Characters that XML does not allow are replaced here.

use svg::Node;
use svg::node::Text;
use svg::node::element::Element;

use crate::error::obeyed;
use crate::report::base::format::decimal;
use crate::report::base::text_width::{Face, Font};

/// Shades only: the figures are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Black,
    Dark,
    Middle,
    Pale,
    Light,
    White,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Black => "#000000",
            Self::Dark => "#404040",
            Self::Middle => "#808080",
            Self::Pale => "#b8b8b8",
            Self::Light => "#e2e2e2",
            Self::White => "#ffffff",
        }
    }
}

/// Which point of a text its position names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Stroke {
    pub(crate) ink: Ink,
    pub(crate) width: f64,
    /// The lengths of dash and gap.
    pub(crate) dash: Option<f64>,
}

impl Stroke {
    pub(crate) fn solid(ink: Ink, width: f64) -> Self {
        Self { ink, width, dash: None }
    }
}

/// A piece of text: `shown` is drawn; if it was shortened, `full` is its tooltip.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label<'a> {
    pub(crate) shown: &'a str,
    pub(crate) full: Option<&'a str>,
    pub(crate) font: Font,
    pub(crate) ink: Ink,
    pub(crate) anchor: Anchor,
}

#[derive(Debug, Default)]
pub(crate) struct Canvas {
    elements: Vec<Element>,
}

impl Canvas {
    pub(crate) fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        let mut line = Element::new("line");
        line.assign("x1", pixels(from.x));
        line.assign("y1", pixels(from.y));
        line.assign("x2", pixels(to.x));
        line.assign("y2", pixels(to.y));
        line.assign("stroke", stroke.ink.code());
        line.assign("stroke-width", pixels(stroke.width));
        if let Some(dash) = stroke.dash {
            line.assign("stroke-dasharray", format!("{} {}", pixels(dash), pixels(dash)));
        }
        self.elements.push(line);
    }

    pub(crate) fn polygon(&mut self, points: &[Point], fill: Ink) {
        let mut polygon = Element::new("polygon");
        polygon.assign("points", listed(points));
        polygon.assign("fill", fill.code());
        self.elements.push(polygon);
    }

    /// A line through all points; `pattern` holds the lengths of dashes and gaps, none for a solid line.
    pub(crate) fn path(&mut self, points: &[Point], ink: Ink, width: f64, pattern: &[f64]) {
        let mut path = Element::new("polyline");
        path.assign("points", listed(points));
        path.assign("fill", "none");
        path.assign("stroke", ink.code());
        path.assign("stroke-width", pixels(width));
        path.assign("stroke-linejoin", "round");
        if !pattern.is_empty() {
            let lengths: Vec<String> = pattern.iter().map(|length| pixels(*length)).collect();
            path.assign("stroke-dasharray", lengths.join(" "));
        }
        self.elements.push(path);
    }

    /// An area through which what lies below it is seen.
    pub(crate) fn veil(&mut self, points: &[Point], ink: Ink, opacity: f64) {
        let mut polygon = Element::new("polygon");
        polygon.assign("points", listed(points));
        polygon.assign("fill", ink.code());
        polygon.assign("fill-opacity", pixels(opacity));
        self.elements.push(polygon);
    }

    /// A circle; `full` is its tooltip.
    pub(crate) fn circle(&mut self, centre: Point, radius: f64, fill: Ink, outline: Stroke, full: &str) {
        let mut circle = Element::new("circle");
        circle.assign("cx", pixels(centre.x));
        circle.assign("cy", pixels(centre.y));
        circle.assign("r", pixels(radius));
        circle.assign("fill", fill.code());
        circle.assign("stroke", outline.ink.code());
        circle.assign("stroke-width", pixels(outline.width));
        circle.append(described("title", full));
        self.elements.push(circle);
    }

    /// A rectangle from its upper left to its lower right corner.
    pub(crate) fn rectangle(&mut self, from: Point, to: Point, fill: Ink) {
        let mut rectangle = Element::new("rect");
        rectangle.assign("x", pixels(from.x));
        rectangle.assign("y", pixels(from.y));
        rectangle.assign("width", pixels(to.x - from.x));
        rectangle.assign("height", pixels(to.y - from.y));
        rectangle.assign("fill", fill.code());
        self.elements.push(rectangle);
    }

    /// One line of text; `at` is on its baseline.
    pub(crate) fn text(&mut self, at: Point, label: Label<'_>) {
        if label.shown.is_empty() {
            return;
        }
        let mut text = Element::new("text");
        text.assign("x", pixels(at.x));
        text.assign("y", pixels(at.y));
        text.assign("font-size", pixels(label.font.size));
        if label.font.face == Face::Bold {
            text.assign("font-weight", "bold");
        }
        match label.anchor {
            Anchor::Start => {}
            Anchor::Middle => text.assign("text-anchor", "middle"),
            Anchor::End => text.assign("text-anchor", "end"),
        }
        if label.ink != Ink::Black {
            text.assign("fill", label.ink.code());
        }
        text.append(Text::new(legal(label.shown)));
        match label.full {
            None => self.elements.push(text),
            // The tooltip belongs to a group: inside the text element the writer's line breaks would count as
            // spaces.
            Some(full) => {
                let mut group = Element::new("g");
                group.append(described("title", full));
                group.append(text);
                self.elements.push(group);
            }
        }
    }

    /// The document.
    pub(crate) fn document(self, width: f64, height: f64, title: &str, description: &str) -> String {
        let mut root = Element::new("svg");
        root.assign("xmlns", "http://www.w3.org/2000/svg");
        root.assign("role", "img");
        root.assign("width", pixels(width));
        root.assign("height", pixels(height));
        root.assign("viewBox", format!("0 0 {} {}", pixels(width), pixels(height)));
        root.assign("font-family", "Helvetica, Arial, sans-serif");
        root.append(described("title", title));
        root.append(described("desc", description));
        for element in self.elements {
            root.append(element);
        }
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}\n")
    }
}

fn described(name: &str, words: &str) -> Element {
    let mut element = Element::new(name);
    element.append(Text::new(legal(words)));
    element
}

fn listed(points: &[Point]) -> String {
    let points: Vec<String> =
        points.iter().map(|point| format!("{},{}", pixels(point.x), pixels(point.y))).collect();
    points.join(" ")
}

/// Two decimals, which is a hundredth of a pixel.
fn pixels(value: f64) -> String {
    decimal(value, 2)
}

/// The text without the characters that XML 1.0 does not allow, and those that nobody sees.
fn legal(text: &str) -> String {
    let replaced = |c: char| obeyed(c) || matches!(c, '\u{fffe}' | '\u{ffff}');
    text.chars().map(|c| if replaced(c) { '\u{fffd}' } else { c }).collect()
}
