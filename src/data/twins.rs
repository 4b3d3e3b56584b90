//! Labels that are the same to a reader: they differ by case, spacing or Unicode composition only.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, ErrorKind, Result};

/// True for a character without width: a reader does not see it.
fn invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A label without invisible characters, with one plain space for every run of space.
fn spaced(label: &str) -> String {
    let visible: String = label.chars().filter(|c| !invisible(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The form that labels have in common where case, space and Unicode composition do not count.
fn folded(label: &str) -> String {
    if label.is_ascii() && !label.contains([' ', '\t', '\n', '\r']) {
        return label.to_ascii_lowercase();
    }
    // By way of upper case, so that "ß" and "SS", and both forms of sigma, are alike.
    spaced(&label.nfc().collect::<String>()).to_uppercase().to_lowercase().nfc().collect()
}

/// The parts of a label that names a combination (`guidance_earnings`, `guidance + earnings`), sorted; `None`
/// for a label of one part.
pub fn combination(label: &str) -> Option<Vec<String>> {
    let folded = folded(label);
    let mut parts: Vec<String> = folded
        .split(|c: char| c.is_whitespace() || "_+&/,;-".contains(c))
        .filter(|part| !part.is_empty() && !["and", "en", "plus", "with", "met"].contains(part))
        .map(str::to_owned)
        .collect();
    parts.sort();
    (parts.len() > 1).then_some(parts)
}

/// True for a label in which a reader sees nothing: it is a missing cell, and never a level.
pub fn is_blank(label: &str) -> bool {
    label.chars().all(|c| c.is_whitespace() || invisible(c))
}

/// Every two different labels that name the same combination in another order.
pub(crate) fn same_parts<'a>(labels: impl IntoIterator<Item = &'a str>) -> Vec<(&'a str, &'a str)> {
    let mut seen: HashMap<Vec<String>, &str> = HashMap::new();
    let mut pairs = Vec::new();
    for label in labels {
        let Some(parts) = combination(label) else { continue };
        let first = *seen.entry(parts).or_insert(label);
        if first != label && !pairs.contains(&(first, label)) {
            pairs.push((first, label));
        }
    }
    pairs
}

/// The first two different labels that have the same form.
fn pair<'a, K: Eq + std::hash::Hash>(
    labels: impl IntoIterator<Item = &'a str>,
    form: impl Fn(&str) -> Option<K>,
) -> Option<(&'a str, &'a str)> {
    let mut seen: HashMap<K, &str> = HashMap::new();
    for label in labels {
        let Some(form) = form(label) else { continue };
        let first = *seen.entry(form).or_insert(label);
        if first != label {
            return Some((first, label));
        }
    }
    None
}

/// Refuses two labels that differ by case, spacing or Unicode composition only.
///
/// # Errors
/// The first pair, as twins.
pub fn check_twins<'a>(labels: impl IntoIterator<Item = &'a str>) -> Result<()> {
    match pair(labels, |label| Some(folded(label))) {
        None => Ok(()),
        Some((first, second)) => Err(twins(first, second, difference(first, second))),
    }
}

/// Refuses arms of one trial that differ by case, spacing or Unicode composition only, and those that name
/// the same combination in another order. `declared` tells whether an arm has components of its own, which
/// then decide.
///
/// # Errors
/// The first pair, as twins.
pub fn check_arms<'a>(
    labels: impl IntoIterator<Item = &'a str> + Clone,
    declared: impl Fn(&str) -> bool,
) -> Result<()> {
    check_twins(labels.clone())?;
    match pair(labels, |label| combination(label).filter(|_| !declared(label))) {
        None => Ok(()),
        Some((first, second)) => {
            Err(twins(first, second, "the order or the marks between the parts of a combination"))
        }
    }
}

fn twins(first: &str, second: &str, difference: &'static str) -> Error {
    ErrorKind::TwinLabels { first: first.to_owned(), second: second.to_owned(), difference }.into()
}

/// The difference of two labels of one form, in words.
fn difference(a: &str, b: &str) -> &'static str {
    let composed = |label: &str| label.nfc().collect::<String>();
    let plain = |label: &str| composed(label).chars().filter(|c| !invisible(*c)).collect::<String>();
    let breaking = |label: &str| {
        plain(label).chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect::<String>()
    };
    let same = |form: &dyn Fn(&str) -> String| form(a) == form(b);
    if same(&composed) {
        "the Unicode composition of their letters"
    } else if same(&breaking) {
        "a no-break, zero-width or other unusual space"
    } else if same(&|label| spaced(&composed(label))) {
        "space"
    } else if same(&|label| composed(label).to_uppercase()) {
        "upper and lower case"
    } else {
        "case, space and Unicode composition"
    }
}
