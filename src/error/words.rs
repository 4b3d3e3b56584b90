//! The sentences of errors.

use super::{BadCell, Error, LabelRows};
use std::fmt::Display;

pub(super) fn bad_cells(cells: &[BadCell], total: usize, advice: &[String]) -> String {
    let plural = if total == 1 { "" } else { "s" };
    let mut lines = vec![format!("{} cell{plural} could not be read:", grouped(total))];
    for BadCell { column, row, line, found, expected } in cells {
        lines.push(format!(
            "  column {column:?}, row {row} (line {line}): found {found:?}, expected {expected}"
        ));
    }
    if total > cells.len() {
        lines.push(format!("  and {} more", grouped(total - cells.len())));
    }
    if advice.is_empty() {
        lines.push("mend the file".to_owned());
    } else {
        lines.push("mend the file, or declare what the cells mean, as it applies:".to_owned());
        lines.extend(advice.iter().map(|call| format!("  {call}")));
    }
    lines.join("\n")
}

pub(super) fn invalid_plan(errors: &[Error]) -> String {
    let heading = match errors.len() {
        1 => "the analysis plan has an error, and nothing was run:".to_owned(),
        n => format!("the analysis plan has {n} errors, and nothing was run:"),
    };
    errors.iter().fold(heading, |text, error| format!("{text}\n  {error}"))
}

pub(super) fn rank_deficient(columns: &[String]) -> String {
    match columns {
        [column] => format!(
            "the column {column} is constant, or a linear combination of the columns before it; leave it out, or merge levels that \
             occur together"
        ),
        _ => format!(
            "the columns {} are linear combinations of the columns before them; leave them out, or merge levels that occur together",
            listed(columns)
        ),
    }
}

/// A number of any size in few characters.
pub(crate) fn number(x: f64) -> String {
    if x == 0.0 || (1e-4..1e15).contains(&x.abs()) { x.to_string() } else { format!("{x:e}") }
}

/// A confidence level as a percentage, without the last digits of binary fractions.
pub(crate) fn percent(level: f64) -> String {
    format!("{}%", number((level * 1e12).round() / 1e10))
}

/// The words, or the first 5 of more than 30.
pub(crate) fn listed<T: AsRef<str>>(known: &[T]) -> String {
    let joined = |names: &[T]| names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    match known.len() {
        0..=30 => joined(known),
        n => format!("{}, and {} more", joined(&known[..5]), grouped(n - 5)),
    }
}

/// A number with commas between thousands.
pub(crate) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 trial`, `2 trials`, `0 studies`: a number with its noun, which is given in the singular.
pub(crate) fn counted(n: impl Display, noun: &str) -> String {
    let n = n.to_string();
    if n == "1" {
        return format!("1 {noun}");
    }
    match (noun, noun.strip_suffix('y')) {
        ("person", _) => format!("{n} people"),
        ("stratum", _) => format!("{n} strata"),
        ("hypothesis", _) => format!("{n} hypotheses"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        _ => format!("{n} {noun}s"),
    }
}

/// `1 cluster is`, `2 clusters are`: a number with its noun and a verb.
pub(crate) fn agreeing(n: impl Display + Copy, noun: &str, [one, many]: [&str; 2]) -> String {
    format!("{} {}", counted(n, noun), if n.to_string() == "1" { one } else { many })
}

/// ` (did you mean "x"?)` where one known word is near, letters of either case being equal.
pub(in crate::error) fn near(word: &str, known: &[String]) -> String {
    let plain = |word: &str| word.trim().to_lowercase();
    let wanted = plain(word);
    known
        .iter()
        .map(|other| (strsim::osa_distance(&wanted, &plain(other)), other))
        // Words of one letter have none in common.
        .filter(|(distance, other)| {
            let length = other.chars().count();
            *distance <= 1 + length / 4 && *distance < length.max(wanted.chars().count())
        })
        .min()
        .map_or_else(String::new, |(_, other)| format!(" (did you mean \"{other}\"?)"))
}

/// A label with every character visible.
fn shown(label: &str) -> String {
    let visible = |c: char| {
        if c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic() {
            c.escape_debug().to_string()
        } else {
            c.escape_unicode().to_string()
        }
    };
    format!("\"{}\"", label.chars().map(visible).collect::<String>())
}

pub(super) fn twin_labels(first: &str, second: &str, difference: &str) -> String {
    // The label with less to escape is the better one.
    let (mut first, mut second) = (shown(first), shown(second));
    if second.len() > first.len() {
        std::mem::swap(&mut first, &mut second);
    }
    format!(
        "the labels {first} and {second} differ only by {difference}; make them one label in the data, or by \
         recode(column, [({first}, {second})]), or give them names that differ"
    )
}

pub(super) fn undeclared_labels(labels: &[LabelRows], declared: &[String], advice: &str) -> String {
    let one = |found: &LabelRows| {
        let list = |numbers: &[usize]| {
            let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            numbers.join(", ") + if found.total > numbers.len() { ", ..." } else { "" }
        };
        let lines = match &found.lines[..] {
            [] => String::new(),
            [line] if found.total == 1 => format!("; line {line}"),
            lines => format!("; lines {}", list(lines)),
        };
        format!(
            "{}{} in {} ({}{lines})",
            shown(&found.label),
            near(&found.label, declared),
            counted(grouped(found.total), "row"),
            list(&found.rows)
        )
    };
    let found: Vec<String> = labels.iter().map(one).collect();
    format!(
        "holds {}, which {} not declared; declared {}: {}; {advice}",
        listed(&found),
        if found.len() == 1 { "is" } else { "are" },
        if declared.len() == 1 { "is" } else { "are" },
        listed(declared)
    )
}

pub(super) fn no_control(control: &str, known: &[String]) -> String {
    let flags = !known.is_empty() && known.iter().all(|label| label == "yes" || label == "no");
    let hint = if flags {
        "; the column was read as yes and no: name one of these, or read it as text by CsvReader's category(column)"
    } else {
        ""
    };
    format!(
        "nobody is in the control arm \"{control}\"{}; declare the label that the control group has in the data{}{hint}",
        near(control, known),
        if known.is_empty() { String::new() } else { format!(": {}", listed(known)) },
    )
}

/// A character that a terminal, a spreadsheet or a browser obeys and a reader does not see: control
/// characters but a new line, and those that turn the direction of what follows.
pub(crate) fn obeyed(c: char) -> bool {
    (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with such characters escaped.
pub(crate) fn visible(text: &str) -> String {
    if !text.contains(obeyed) {
        return text.to_owned();
    }
    let shown = |c: char| if obeyed(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}
