//! The words around a figure, the fonts they are set in, and blocks of text broken into lines.

use super::canvas::{Anchor, Canvas, Ink, Label, Point};
use crate::report::base::text_width::{Font, Wrapped};

pub(crate) const MARGIN: f64 = 18.0;
/// From one baseline to the next.
pub(crate) const LINE: f64 = 15.0;
/// From the baseline up to the middle of the digits.
pub(crate) const MIDDLE: f64 = 4.3;

pub(crate) const BODY: Font = Font::regular(12.0);
pub(crate) const STRONG: Font = Font::bold(12.0);
pub(crate) const SMALL: Font = Font::regular(11.0);
const TITLE: Font = Font::bold(15.0);

/// A text, and the lines into which it is broken.
pub(crate) struct Block {
    pub(crate) full: String,
    pub(crate) font: Font,
    wrapped: Wrapped,
}

impl Block {
    pub(crate) fn new(text: &str, font: Font, max_width: f64, max_lines: usize) -> Self {
        Self { full: text.to_owned(), font, wrapped: font.wrap(text, max_width, max_lines) }
    }

    pub(crate) fn empty() -> Self {
        Self::new("", BODY, 1.0, 1)
    }

    pub(crate) fn width(&self) -> f64 {
        self.wrapped.width(self.font)
    }

    pub(crate) fn lines(&self) -> f64 {
        self.wrapped.lines.len() as f64
    }

    fn line_height(&self) -> f64 {
        if self.font == TITLE { 19.0 } else { LINE }
    }

    /// The height of the lines; 0 without words.
    pub(crate) fn height(&self) -> f64 {
        if self.full.trim().is_empty() { 0.0 } else { self.lines() * self.line_height() }
    }

    /// Draws the lines; `at` is on the first baseline.
    pub(crate) fn draw(&self, canvas: &mut Canvas, at: Point, ink: Ink, anchor: Anchor) {
        let full = self.wrapped.shortened.then_some(self.full.as_str());
        let mut y = at.y;
        for shown in &self.wrapped.lines {
            canvas.text(Point { x: at.x, y }, Label { shown, full, font: self.font, ink, anchor });
            y += self.line_height();
        }
    }
}

/// The words around a figure.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Texts {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) footnotes: Vec<String>,
}

/// What every figure has: its words can be set, and it can be written. The second argument is the default of
/// the width, where the width can be set.
macro_rules! figure {
    ($figure:ty) => {
        impl $figure {
            /// The title, above the figure. Default: the measure, where a result is drawn.
            #[must_use]
            pub fn title(mut self, title: impl Into<String>) -> Self {
                self.texts.title = title.into();
                self
            }

            /// The subtitle. Default: how the result was made, where a result is drawn.
            #[must_use]
            pub fn subtitle(mut self, subtitle: impl Into<String>) -> Self {
                self.texts.subtitle = subtitle.into();
                self
            }

            /// Adds a footnote.
            #[must_use]
            pub fn footnote(mut self, note: impl Into<String>) -> Self {
                self.texts.footnotes.push(note.into());
                self
            }

            /// Writes the figure to a file, which is either complete or not there.
            ///
            /// # Errors
            /// [`ErrorKind::Write`](crate::ErrorKind::Write) if the file cannot be written.
            pub fn write_svg(&self, path: impl AsRef<std::path::Path>) -> crate::error::Result<()> {
                crate::report::base::file::write_whole(path.as_ref(), &self.to_svg())
            }
        }
    };
    ($figure:ty, $width:expr) => {
        crate::report::draw::page::figure!($figure);

        impl $figure {
            /// The width of the figure in pixels, from 360 to 4000; default 640. A number that is not finite
            /// counts as the default.
            #[must_use]
            pub fn width(mut self, pixels: f64) -> Self {
                self.width = if pixels.is_finite() { pixels.clamp(360.0, 4000.0) } else { $width };
                self
            }
        }
    };
}
pub(crate) use figure;

/// The words around a figure, broken into lines for its width.
pub(crate) struct Page {
    width: f64,
    title: Block,
    subtitle: Block,
    footnotes: Vec<Block>,
}

impl Page {
    pub(crate) fn new(texts: &Texts, width: f64, more: &[String]) -> Self {
        let inner = width - 2.0 * MARGIN;
        let notes = texts.footnotes.iter().chain(more);
        Self {
            width,
            title: Block::new(&texts.title, TITLE, inner, 4),
            subtitle: Block::new(&texts.subtitle, BODY, inner, 6),
            footnotes: notes.map(|note| Block::new(note, SMALL, inner, 8)).collect(),
        }
    }

    /// The height at which the figure begins.
    pub(crate) fn top(&self) -> f64 {
        let words = self.title.height() + self.subtitle.height();
        if words > 0.0 { MARGIN + words + 8.0 } else { MARGIN }
    }

    /// A white canvas with the title; the figure ends at `foot`.
    pub(crate) fn begin(&self, foot: f64) -> Canvas {
        let mut canvas = Canvas::default();
        let corner = Point { x: self.width, y: self.height(foot) };
        canvas.rectangle(Point { x: 0.0, y: 0.0 }, corner, Ink::White);
        let mut at = Point { x: MARGIN, y: MARGIN + 13.0 };
        self.title.draw(&mut canvas, at, Ink::Black, Anchor::Start);
        at.y += self.title.height();
        self.subtitle.draw(&mut canvas, at, Ink::Dark, Anchor::Start);
        canvas
    }

    fn height(&self, foot: f64) -> f64 {
        let notes: f64 = self.footnotes.iter().map(|note| note.lines() * LINE).sum();
        foot + if self.footnotes.is_empty() { 0.0 } else { notes + 8.0 } + MARGIN
    }

    /// The footnotes, and the document.
    pub(crate) fn end(&self, mut canvas: Canvas, foot: f64, name: &str, description: &str) -> String {
        let mut at = Point { x: MARGIN, y: foot + 8.0 + LINE - 3.0 };
        for note in &self.footnotes {
            note.draw(&mut canvas, at, Ink::Dark, Anchor::Start);
            at.y += note.lines() * LINE;
        }
        let title = if self.title.full.is_empty() { name } else { &self.title.full };
        canvas.document(self.width, self.height(foot), title, description)
    }
}
