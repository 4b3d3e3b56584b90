//! From CSV text to records: lines of cells, with their quotes taken away.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};

/// Reads records one by one. Empty lines are skipped.
pub(super) struct Records<'a> {
    text: &'a [u8],
    at: usize,
    delimiter: u8,
    backslash: bool,
    /// The number of line breaks before `at`.
    breaks: usize,
    cells: Vec<Cell>,
    /// The cells in which a quote or a backslash was taken away.
    unescaped: Vec<u8>,
    line: usize,
}

enum Cell {
    /// A part of the text.
    Plain(Range<usize>),
    /// A part of `unescaped`.
    Unescaped(Range<usize>),
}

impl<'a> Records<'a> {
    /// `lines`: the number of lines before the text.
    pub(super) fn new(text: &'a [u8], delimiter: u8, backslash: bool, lines: usize) -> Self {
        Self {
            text,
            at: 0,
            delimiter,
            backslash,
            breaks: lines,
            cells: Vec::new(),
            unescaped: Vec::new(),
            line: 0,
        }
    }

    /// The text that was not read yet, and the number of lines before it.
    pub(super) fn rest(&self) -> (&'a [u8], usize) {
        (&self.text[self.place()..], self.breaks)
    }

    /// The number of bytes that were read.
    pub(super) fn place(&self) -> usize {
        self.at.min(self.text.len())
    }

    /// The line on which the record begins, counted from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The number of cells of the record.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        self.cells.iter().map(|cell| match cell {
            Cell::Plain(range) => &self.text[range.clone()],
            Cell::Unescaped(range) => &self.unescaped[range.clone()],
        })
    }

    /// Reads the next record; false at the end.
    pub(super) fn advance(&mut self) -> Result<bool> {
        self.cells.clear();
        self.unescaped.clear();
        while let Some(b'\n' | b'\r') = self.text.get(self.at) {
            self.end_line();
        }
        self.line = self.breaks + 1;
        if self.at >= self.text.len() {
            return Ok(false);
        }
        loop {
            if self.text.get(self.at) == Some(&b'"') {
                self.quoted()?;
            } else {
                let rest = &self.text[self.at..];
                let end = |byte: &u8| *byte == self.delimiter || *byte == b'\n' || *byte == b'\r';
                let length = rest.iter().position(end).unwrap_or(rest.len());
                self.cells.push(Cell::Plain(self.at..self.at + length));
                self.at += length;
            }
            match self.text.get(self.at) {
                Some(byte) if *byte == self.delimiter => self.at += 1,
                Some(_) => {
                    self.end_line();
                    return Ok(true);
                }
                None => return Ok(true),
            }
        }
    }

    /// Steps over a line break.
    fn end_line(&mut self) {
        self.at += if self.text[self.at..].starts_with(b"\r\n") { 2 } else { 1 };
        self.breaks += 1;
    }

    /// Reads a cell that begins with a quote, up to the delimiter or line break after it.
    fn quoted(&mut self) -> Result<()> {
        let start = self.unescaped.len();
        self.at += 1;
        loop {
            let rest = &self.text[self.at..];
            let Some(length) =
                rest.iter().position(|byte| *byte == b'"' || (self.backslash && *byte == b'\\'))
            else {
                return Err(format(
                    "a quote (\") is opened in the last cell, but never closed; close it, or double it",
                ));
            };
            let inside = &rest[..length];
            let ends_line =
                |i: &usize| inside[*i] == b'\n' || (inside[*i] == b'\r' && inside.get(i + 1) != Some(&b'\n'));
            self.breaks += (0..length).filter(ends_line).count();
            self.unescaped.extend_from_slice(inside);
            self.at += length + 1;
            match (rest[length], rest.get(length + 1)) {
                (b'\\', Some(next @ (b'"' | b'\\'))) => {
                    self.unescaped.push(*next);
                    self.at += 1;
                }
                (b'\\', _) => self.unescaped.push(b'\\'),
                (_, Some(b'"')) => {
                    self.unescaped.push(b'"');
                    self.at += 1;
                }
                _ => break,
            }
        }
        self.cells.push(Cell::Unescaped(start..self.unescaped.len()));
        // Space may follow the closing quote.
        while let Some(byte @ (b' ' | b'\t')) = self.text.get(self.at)
            && *byte != self.delimiter
        {
            self.at += 1;
        }
        match self.text.get(self.at) {
            None | Some(b'\n' | b'\r') => Ok(()),
            Some(byte) if *byte == self.delimiter => Ok(()),
            Some(_) if self.unescaped.last() == Some(&b'\\') => Err(format(
                "a quote after a backslash closes its cell before the cell ends; if \\\" stands for a quote in this file, declare .backslash_quotes()",
            )),
            Some(_) => {
                let shown = String::from_utf8_lossy(&self.unescaped[start..]);
                let shown: String = shown.chars().take(40).collect();
                Err(format(format!(
                    "the quote after {shown:?} closes its cell before the cell ends; double every quote inside a quoted cell"
                )))
            }
        }
    }
}

fn format(why: impl Into<String>) -> Error {
    ErrorKind::Format(why.into()).into()
}
