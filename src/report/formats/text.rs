//! Plain text: tables in columns of fixed width, results in lines that read aloud.

use std::fmt::{self, Display, Formatter};

use crate::error::visible;
use crate::report::base::grid::{Align, Grid};
use crate::report::base::text_width::display_columns;
use crate::report::form::table::{Document, ResultTable};

/// The width of tables and lines of a report; a table that is wider goes on below itself.
const WIDTH: usize = 120;

/// The width of paragraphs.
const PROSE: usize = 100;

pub(crate) fn report(document: &Document<'_>) -> String {
    document.blocks(
        |title| underlined(title, '='),
        |heading| underlined(heading, '-'),
        |words| wrapped(&visible(words), PROSE),
        |table| written(table, WIDTH),
    )
}

/// The lines of a text, none wider than `width` where words allow it. What goes on in another line is
/// indented by four columns more, unless it begins at the margin.
fn wrapped(text: &str, width: usize) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let hanging = if indent == 0 { 0 } else { indent + 4 };
        let mut current = line[..indent].to_owned();
        for word in line.split_whitespace() {
            let gap = usize::from(!current.trim_start().is_empty());
            if gap == 1 && display_columns(&current) + 1 + display_columns(word) > width {
                lines.push(std::mem::replace(&mut current, " ".repeat(hanging)));
                current.push_str(word);
            } else {
                current.push_str(&" ".repeat(gap));
                current.push_str(word);
            }
        }
        lines.push(current);
    }
    lines.join("\n")
}

fn underlined(text: &str, rule: char) -> String {
    let line = one_line(text);
    let rule = rule.to_string().repeat(display_columns(&line));
    format!("{line}\n{rule}")
}

pub(crate) fn one_line(text: &str) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A heading, and below it the sentences of the result, or its tables; then lines, then notices.
impl Display for ResultTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self, usize::MAX))
    }
}

fn written(table: &ResultTable, width: usize) -> String {
    let heading = table.heading();
    let indent = if heading.is_empty() { "" } else { "  " };
    let mut blocks = Vec::new();
    let words = |line: String| wrapped(&line, width);
    if !heading.is_empty() {
        blocks.push(words(heading.clone() + ":"));
    }
    let indented = |text: &str| -> Vec<String> {
        text.lines().map(|line| format!("{indent}{line}").trim_end().to_owned()).collect()
    };
    if table.sentences.is_empty() {
        let grids = table.grids.iter().map(|grid| grid.text(width.saturating_sub(indent.len())));
        blocks.extend(indented(&grids.collect::<Vec<_>>().join("\n")));
    } else {
        blocks.extend(indented(&table.sentences.join("\n")).into_iter().map(words));
    }
    blocks.extend(table.lines.iter().map(|line| words(format!("{indent}{line}"))));
    blocks.extend(table.notices.iter().map(|notice| words(format!("  note: {notice}"))));
    visible(&blocks.join("\n"))
}

fn is_p(name: &str) -> bool {
    name == "p" || name.ends_with(", p")
}

/// The width of columns side by side.
fn width(columns: impl IntoIterator<Item = usize>) -> usize {
    columns.into_iter().map(|width| width + 2).sum::<usize>().saturating_sub(2)
}

impl Grid {
    /// The table in columns of fixed width, with a title line and a rule under the header.
    pub fn to_text(&self) -> String {
        self.text(usize::MAX)
    }

    /// The table, no wider than `most` where cells allow it: a wider one has headings of several lines and
    /// goes on below itself, each part with the columns of words at the left. A p-value stays beside its
    /// effect.
    fn text(&self, most: usize) -> String {
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(|cell| one_line(&cell.text)).collect()).collect();
        let cells: Vec<usize> = (0..self.columns.len())
            .map(|j| rows.iter().map(|row| display_columns(&row[j])).max().unwrap_or(0).max(1))
            .collect();
        let named = |width: &dyn Fn(usize) -> usize| -> Vec<Vec<String>> {
            let heading = |(j, (name, _)): (usize, &(String, Align))| {
                // In a narrow table a p-value is that of the effect beside it.
                let name = if width(j) < usize::MAX && is_p(name) { "p" } else { name };
                wrapped(&one_line(name), width(j))
            };
            let headings = self.columns.iter().enumerate().map(heading);
            headings.map(|lines| lines.lines().map(str::to_owned).collect()).collect()
        };
        let with = |headings: &[Vec<String>]| -> Vec<usize> {
            let heading =
                |lines: &Vec<String>| lines.iter().map(|line| display_columns(line)).max().unwrap_or(0);
            headings.iter().zip(&cells).map(|(lines, cell)| heading(lines).max(*cell)).collect()
        };
        let mut headings = named(&|_| usize::MAX);
        if width(with(&headings)) > most {
            headings = named(&|j| cells[j]);
        }
        let widths = with(&headings);
        let line = |part: &[usize], cells: Vec<&str>| {
            let padded = part.iter().zip(cells).map(|(&j, cell)| {
                let pad = " ".repeat(widths[j].saturating_sub(display_columns(cell)));
                if self.columns[j].1 == Align::Left { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let title = if self.title.is_empty() { String::new() } else { one_line(&self.title) + "\n\n" };
        let rules: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let parts = self.parts(&widths, most).into_iter().map(|part| {
            let height = part.iter().map(|&j| headings[j].len()).max().unwrap_or(0).max(1);
            // The lines of a heading stand directly above the rule.
            let heading = |i: usize, j: usize| {
                let above = height - headings[j].len();
                i.checked_sub(above).map_or("", |place| headings[j][place].as_str())
            };
            let header: String =
                (0..height).map(|i| line(&part, part.iter().map(|&j| heading(i, j)).collect())).collect();
            let rule = line(&part, part.iter().map(|&j| rules[j].as_str()).collect());
            let body: String =
                rows.iter().map(|row| line(&part, part.iter().map(|&j| row[j].as_str()).collect())).collect();
            header + &rule + &body
        });
        title + &parts.collect::<Vec<_>>().join("\n")
    }

    /// The columns of each part of the table.
    fn parts(&self, widths: &[usize], most: usize) -> Vec<Vec<usize>> {
        let labels = self.columns.iter().take_while(|(_, align)| *align == Align::Left).count();
        let labels: Vec<usize> = (0..labels.min(2)).collect();
        let mut parts = Vec::new();
        let mut part = labels.clone();
        let mut j = labels.len();
        while j < widths.len() {
            let with_p = |&next: &usize| self.columns.get(next).is_some_and(|(name, _)| is_p(name));
            let group: Vec<usize> = std::iter::once(j).chain(Some(j + 1).filter(with_p)).collect();
            let wider = [part.as_slice(), &group].concat();
            if width(wider.iter().map(|&j| widths[j])) > most && part.len() > labels.len() {
                parts.push(std::mem::replace(&mut part, labels.clone()));
                continue;
            }
            part = wider;
            j += group.len();
        }
        parts.push(part);
        parts
    }
}
