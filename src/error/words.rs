//! The sentences of errors.

use super::{BadCell, Error, LabelRows, Sign};

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
            columns.join(", ")
        ),
    }
}

pub(super) fn separation(complete: bool, coefficients: &[(String, Sign)]) -> String {
    let names = coefficients
        .iter()
        .map(|(name, sign)| {
            format!("{name} (to {}infinity)", if *sign == Sign::Positive { "+" } else { "-" })
        })
        .collect::<Vec<_>>()
        .join(", ");
    format!(
        "{} separation: {} of {names} {} no finite maximum likelihood estimate; \
         leave the covariate out or merge its levels, penalise the likelihood (Firth), or compare without a model (a difference in proportions or in restricted means)",
        if complete { "complete" } else { "quasi-complete" },
        if coefficients.len() == 1 { "the coefficient" } else { "the coefficients" },
        if coefficients.len() == 1 { "has" } else { "have" },
    )
}

/// A number of any size in few characters.
pub(crate) fn number(x: f64) -> String {
    if x == 0.0 || (1e-4..1e15).contains(&x.abs()) { x.to_string() } else { format!("{x:e}") }
}

/// The words, or the first 5 of more than 30.
pub(super) fn listed(known: &[String]) -> String {
    match known.len() {
        0..=30 => known.join(", "),
        n => format!("{}, and {} more", known[..5].join(", "), grouped(n - 5)),
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

/// ` (did you mean "x"?)` where one known word is near, letters of either case being equal.
pub(super) fn near(word: &str, known: &[String]) -> String {
    let plain = |word: &str| word.trim().to_lowercase();
    let wanted = plain(word);
    known
        .iter()
        .map(|other| (strsim::osa_distance(&wanted, &plain(other)), other))
        .filter(|(distance, other)| *distance <= 1 + other.chars().count() / 4)
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
        let rows: Vec<String> = found.rows.iter().map(ToString::to_string).collect();
        let more = if found.total > found.rows.len() { ", ..." } else { "" };
        format!(
            "{}{} in {} row{} ({}{more})",
            shown(&found.label),
            near(&found.label, declared),
            grouped(found.total),
            if found.total == 1 { "" } else { "s" },
            rows.join(", ")
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
