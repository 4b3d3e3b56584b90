//! Plain text: tables in columns of fixed width, results in lines that read aloud.

use std::fmt::{self, Display, Formatter};

use crate::report::base::grid::{Align, Grid};
use crate::report::base::text_width::display_columns;
use crate::report::form::table::{Document, ResultTable};

pub(crate) fn report(document: &Document<'_>) -> String {
    document.blocks(|title| underlined(title, '='), |heading| underlined(heading, '-'), ToString::to_string)
}

fn underlined(text: &str, rule: char) -> String {
    let line = one_line(text);
    let rule = rule.to_string().repeat(display_columns(&line));
    format!("{line}\n{rule}")
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A heading, and below it the sentences of the result, or its tables; then lines, then notices.
impl Display for ResultTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let heading = self.heading();
        let mut lines: Vec<String> = Vec::new();
        if !heading.is_empty() {
            lines.push(heading.clone() + ":");
        }
        let indent = if heading.is_empty() { "" } else { "  " };
        let grids: Vec<String> = self.grids.iter().map(Grid::to_text).collect();
        let body = if self.sentences.is_empty() { grids.join("\n") } else { self.sentences.join("\n") };
        lines.extend(body.lines().map(|line| format!("{indent}{line}").trim_end().to_owned()));
        lines.extend(self.lines.iter().map(|line| format!("{indent}{line}")));
        lines.extend(self.notices.iter().map(|notice| format!("  note: {notice}")));
        f.write_str(&lines.join("\n"))
    }
}

impl Grid {
    /// The table in columns of fixed width, with a title line and a rule under the header.
    pub fn to_text(&self) -> String {
        let header: Vec<String> = self.columns.iter().map(|(name, _)| one_line(name)).collect();
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| one_line(&cell.text)).collect()).collect();
        let widths: Vec<usize> = (0..header.len())
            .map(|j| {
                let cells = rows.iter().chain([&header]).map(|row| display_columns(&row[j]));
                cells.max().unwrap_or(0).max(1)
            })
            .collect();
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).zip(&self.columns).map(|((cell, width), (_, align))| {
                let pad = " ".repeat(width.saturating_sub(display_columns(cell)));
                match align {
                    Align::Left => format!("{cell}{pad}"),
                    Align::Right => format!("{pad}{cell}"),
                }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let title = if self.title.is_empty() { String::new() } else { one_line(&self.title) + "\n\n" };
        let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let rows: String = rows.iter().map(|row| line(row)).collect();
        title + &line(&header) + &line(&rule) + &rows
    }
}
