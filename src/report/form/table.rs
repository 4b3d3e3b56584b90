//! A result as a table: the form between results and formats.

use super::columns::{Column, grid};
use super::row::{About, Row};
use crate::design::Notice;
use crate::report::base::grid::Grid;

/// A result that answers in rows.
pub(crate) trait Tabulate {
    fn table(&self) -> ResultTable;
}

/// The rows of a result with the words around them.
#[derive(Debug, Clone)]
pub(crate) struct ResultTable {
    pub(crate) about: About,
    /// What the result is, after the name of the measure; empty where the grids have titles of their own.
    pub(crate) what: String,
    /// Every number, for the long table and the figures.
    pub(crate) rows: Vec<Row>,
    /// The tables that Markdown shows.
    pub(crate) grids: Vec<Grid>,
    /// The lines that text shows in their place, if there are any.
    pub(crate) sentences: Vec<String>,
    /// Lines below the tables.
    pub(crate) lines: Vec<String>,
    /// Notices to the reader.
    pub(crate) notices: Vec<Notice>,
    pub(crate) figure: Figure,
}

/// The words of a forest plot of the rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figure {
    pub(crate) label_heading: &'static str,
    /// The columns between label and plot.
    pub(crate) columns: Vec<Column>,
    /// The heading of the effects, where it is another one than the table's.
    pub(crate) effect_heading: Option<String>,
    /// Lines of words below the last row.
    pub(crate) notes: Vec<String>,
    pub(crate) footnotes: Vec<String>,
}

impl ResultTable {
    pub(crate) fn new(about: About, what: impl Into<String>, rows: Vec<Row>) -> Self {
        Self {
            about,
            what: what.into(),
            rows,
            grids: Vec::new(),
            sentences: Vec::new(),
            lines: Vec::new(),
            notices: Vec::new(),
            figure: Figure::default(),
        }
    }

    /// The table that shows the rows of some kinds in these columns.
    pub(crate) fn shown(mut self, columns: &[Column], is_shown: impl Fn(&Row) -> bool) -> Self {
        self.grids.push(grid("", columns, self.rows.iter().filter(|row| is_shown(row))));
        self
    }

    pub(crate) fn lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    pub(crate) fn notices(mut self, notices: &[Notice]) -> Self {
        self.notices = notices.to_vec();
        self
    }

    /// The words of its forest plot; the lines of the table are below the last row.
    pub(crate) fn figure(mut self, label_heading: &'static str, columns: Vec<Column>) -> Self {
        self.figure = Figure { label_heading, columns, notes: self.lines.clone(), ..Figure::default() };
        self
    }

    /// The name of the intervals of its forest plot, where not all of them are confidence intervals.
    pub(crate) fn intervals_are(mut self, name: &str) -> Self {
        self.figure.effect_heading = Some(self.about.heading_of(name));
        self
    }

    pub(crate) fn footnotes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.figure.footnotes.extend(notes);
        self
    }

    /// No lines below the last row of its forest plot, where the rows or the footnotes say them already.
    pub(crate) fn lines_said(mut self) -> Self {
        self.figure.notes.clear();
        self
    }

    /// `full-time outflow, guidance vs control, 4 trials pooled (random effects, REML)`; empty where the
    /// grids have titles of their own.
    pub(crate) fn heading(&self) -> String {
        if self.what.is_empty() { String::new() } else { format!("{}, {}", self.about.measure(), self.what) }
    }

    /// The lines, then the notices.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        self.lines.iter().cloned().chain(self.notices.iter().map(Notice::to_string))
    }
}

/// A whole report: what all formats write.
#[derive(Debug, Clone)]
pub(crate) struct Document<'a> {
    pub(crate) title: &'a str,
    pub(crate) parts: Vec<Part<'a>>,
}

/// A part of a report.
#[derive(Debug, Clone)]
pub(crate) enum Part<'a> {
    Heading(&'a str),
    Paragraph(&'a str),
    Table(Box<ResultTable>),
}

impl Document<'_> {
    /// The title and the parts as blocks of words with an empty line between them; blocks without words are
    /// left out.
    pub(crate) fn blocks(
        &self,
        title: impl Fn(&str) -> String,
        heading: impl Fn(&str) -> String,
        paragraph: impl Fn(&str) -> String,
        table: impl Fn(&ResultTable) -> String,
    ) -> String {
        let parts = self.parts.iter().map(|part| match part {
            Part::Heading(words) => heading(words),
            Part::Paragraph(words) => paragraph(words.trim()),
            Part::Table(result) => table(result),
        });
        let blocks = std::iter::once(title(self.title)).chain(parts);
        let blocks: Vec<String> = blocks.map(|block| block.trim_end().to_owned()).collect();
        let blocks: Vec<&str> = blocks.iter().map(String::as_str).filter(|block| !block.is_empty()).collect();
        blocks.join("\n\n") + "\n"
    }
}
