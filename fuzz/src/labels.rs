//! Labels of any characters into text, Markdown, CSV and figures, which are read back.

use crate::files::says;
use crate::support::Numbers;
use crate::svg::parse;
use armwise::prelude::*;
use armwise::report::ForestPlot;

const PIECES: &[&str] = &[
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\0",
    "\u{1b}[31m",
    "|",
    "\\",
    "`",
    "*",
    "_",
    "[a](b:c)",
    "<script>",
    "</text>",
    "&",
    "&amp;",
    "\"",
    "'",
    ",",
    ";",
    "]]>",
    "<!--",
    "\u{202e}",
    "\u{200b}",
    "e\u{301}",
    "é",
    "🦀",
    "中文",
    "a",
    "B 1",
    "0",
];

fn label(numbers: &mut Numbers) -> String {
    (0..1 + numbers.below(5)).map(|_| PIECES[numbers.below(PIECES.len())]).collect()
}

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    let count = 2 + numbers.below(2);
    let arms: Vec<String> = (0..count).map(|_| label(numbers)).collect();
    let (unit, name) = (label(numbers), label(numbers));
    let measure = Measure::binary("works").from_column(&name);
    let measure = if numbers.chance(0.5) { measure } else { measure.named("plain") };
    let mut trials = Vec::new();
    for _ in 0..1 + numbers.below(4) {
        let events = |numbers: &mut Numbers| (1 + numbers.below(30) as u64, 40 + numbers.below(100) as u64);
        let arms: Vec<(String, u64, u64)> = arms
            .iter()
            .map(|arm| {
                let (events, n) = events(numbers);
                (arm.clone(), events, n)
            })
            .collect();
        let arms = arms.iter().map(|(arm, events, n)| (arm.as_str(), *events, *n));
        match Comparison::from_counts(label(numbers), &measure, arms) {
            Ok(comparison) => trials.push(comparison),
            Err(error) => says(&error),
        }
    }
    let effects =
        match Comparisons::new(trials).and_then(|trials| trials.estimate(&DifferenceInProportions::new())) {
            Ok(effects) => effects,
            Err(error) => {
                says(&error);
                return 1;
            }
        };
    let mut report = Report::new(label(numbers));
    report.heading(unit).paragraph(label(numbers)).push(&effects);
    let mut figures = Vec::new();
    if let Ok(joint) = JointModel::common().pool(&effects) {
        report.push(&joint);
        figures.push(ForestPlot::of(&joint).title(label(numbers)).to_svg());
    }
    if let Ok(pooled) = effects.treatment(&arms[1]).and_then(|alone| CommonEffect::new().pool(&alone)) {
        report.push(&pooled);
        figures.push(ForestPlot::of(&pooled).footnote(label(numbers)).to_svg());
    }
    csv(&report.to_csv());
    markdown(&report.to_markdown());
    plain(&report.to_text());
    for figure in &figures {
        let elements = parse(figure);
        assert!(elements.iter().all(|element| !["script", "a", "image"].contains(&element.name.as_str())));
        plain(figure);
    }
    4
}

pub(crate) fn plain(text: &str) {
    let hidden = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!text.contains(hidden), "{text:?}");
}

/// Blocks of one width; no cell that a spreadsheet runs.
fn csv(text: &str) {
    let mut width = None;
    for record in records(text) {
        if record == [""] {
            width = None;
            continue;
        }
        assert!(*width.get_or_insert(record.len()) == record.len(), "{record:?} in {text}");
        for cell in &record {
            let number = cell.parse::<f64>().is_ok();
            assert!(
                number || cell == "-" || !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell:?} in {text}"
            );
            plain(cell);
        }
    }
}

/// RFC 4180.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted, "an open quotation mark: {text}");
    if !cell.is_empty() || !record.is_empty() {
        record.push(cell);
        records.push(record);
    }
    records
}

/// The rows of a table have as many cells; no link and no tag of a label lives.
fn markdown(text: &str) {
    plain(text);
    let cells = |line: &str| line.replace("\\\\", "").replace("\\|", "").matches('|').count();
    let mut width = None;
    for line in text.lines() {
        if line.starts_with('|') {
            let found = cells(line);
            assert!(*width.get_or_insert(found) == found, "{line}\nin {text}");
        } else {
            width = None;
        }
        let bare = line.replace("\\\\", "").replace("\\[", "");
        assert!(!bare.contains(['[', '<']), "{line}");
    }
}
