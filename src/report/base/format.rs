//! Numbers as words of a report: percentage points, percentages, ratios, intervals and p-values.
//!
//! The minus sign is the ASCII hyphen, so that the text can be searched and copied. A number that rounds to
//! zero has no sign.

use crate::compute::interval::Interval;

/// `value` with a fixed number of decimals; `"NA"` for NaN, `"inf"` and `"-inf"` for the infinities.
///
/// ```
/// use armwise::report::format::decimal;
///
/// assert_eq!(decimal(-2.345, 1), "-2.3");
/// assert_eq!(decimal(-0.01, 1), "0.0");
/// ```
pub fn decimal(value: f64, decimals: usize) -> String {
    if value.is_nan() {
        return "NA".to_owned();
    }
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if !rest.contains(|c: char| c != '0' && c != '.') => rest.to_owned(),
        _ => text,
    }
}

/// Like [`decimal`], with a plus sign before positive numbers.
///
/// ```
/// use armwise::report::format::signed;
///
/// assert_eq!(signed(0.74, 1), "+0.7");
/// assert_eq!(signed(0.04, 1), "0.0");
/// ```
pub fn signed(value: f64, decimals: usize) -> String {
    let text = decimal(value, decimals);
    let positive = value > 0.0 && text.contains(|c: char| c != '0' && c != '.');
    if positive { format!("+{text}") } else { text }
}

/// A difference of proportions in percentage points.
///
/// ```
/// use armwise::report::format::points;
///
/// assert_eq!(points(0.0213), "+2.1 points");
/// assert_eq!(points(-0.004), "-0.4 points");
/// ```
pub fn points(difference: f64) -> String {
    format!("{} points", signed(100.0 * difference, 1))
}

/// A proportion as a percentage.
///
/// ```
/// use armwise::report::format::percent;
///
/// assert_eq!(percent(0.0407), "4.1%");
/// ```
pub fn percent(proportion: f64) -> String {
    format!("{}%", decimal(100.0 * proportion, 1))
}

/// A ratio with two decimals; one from 10 on, none from 100 on, three below 0.1.
///
/// ```
/// use armwise::report::format::ratio;
///
/// assert_eq!(ratio(1.2874), "1.29");
/// assert_eq!(ratio(0.0314), "0.031");
/// assert_eq!(ratio(1234.5), "1234");
/// ```
pub fn ratio(value: f64) -> String {
    if value > 0.0 && value < 0.0005 {
        return "<0.001".to_owned();
    }
    let decimals = match value {
        0.0 => 2,
        value if value < 0.0995 => 3,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    decimal(value, decimals)
}

/// An interval: the limits with the given number of decimals and the word "to" between them.
///
/// ```
/// use armwise::Interval;
/// use armwise::report::format::interval;
///
/// assert_eq!(interval(Interval::new(-2.91, 7.34)?, 1), "-2.9 to 7.3");
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn interval(interval: Interval, decimals: usize) -> String {
    format!("{} to {}", decimal(interval.lower(), decimals), decimal(interval.upper(), decimals))
}

/// A p-value: two decimals, three below 0.1, never "p = 0.000", and more where it would be rounded to 0.05.
///
/// ```
/// use armwise::report::format::p_value;
///
/// assert_eq!(p_value(0.4139), "p = 0.41");
/// assert_eq!(p_value(0.0213), "p = 0.021");
/// assert_eq!(p_value(0.00004), "p < 0.001");
/// assert_eq!(p_value(0.0497), "p = 0.0497");
/// ```
pub fn p_value(p: f64) -> String {
    p_value_near(p, 0.05)
}

/// A p-value with as many decimals as tell it from the level of its test.
pub(crate) fn p_value_near(p: f64, alpha: f64) -> String {
    let number = p_number_near(p, alpha);
    if number.starts_with(['<', '>']) { format!("p {number}") } else { format!("p = {number}") }
}

/// A p-value without the letter, for a column that is headed "p": `0.021`, `< 0.001`.
///
/// ```
/// assert_eq!(armwise::report::format::p_number(0.00004), "< 0.001");
/// ```
pub fn p_number(p: f64) -> String {
    p_number_near(p, 0.05)
}

/// Like [`p_value_near`], without the letter.
pub(crate) fn p_number_near(p: f64, alpha: f64) -> String {
    match p {
        p if p < 0.001 => "< 0.001".to_owned(),
        p if p > 0.99 => "> 0.99".to_owned(),
        p => {
            let usual = if p < 0.0995 { 3 } else { 2 };
            let tells = |decimals: &usize| decimal(p, *decimals) != decimal(alpha, *decimals);
            decimal(p, (usual..=6).find(tells).unwrap_or(usual))
        }
    }
}

/// A label as words: `free_choice` is "free choice".
pub(crate) fn plain_label(label: &str) -> String {
    label.replace('_', " ")
}

/// A level of a column as the name of a row: `Region: north`; of yes and no `Female` and `Not female` where the
/// column is an adjective, else `Works: yes` and `Works: no`.
pub(crate) fn level_label(column: &str, level: &str) -> String {
    let adjective = is_adjective(column);
    let column = plain_label(column);
    capitalised(&match level {
        "yes" if adjective => column,
        "no" if adjective => format!("not {column}"),
        level => format!("{column}: {}", plain_label(level)),
    })
}

/// Whether "not" before the word is English: one of the adjectives that people are described by, or a word that
/// ends like one (`employed`, `eligible`). Any other may be a verb or a noun, or no English.
fn is_adjective(word: &str) -> bool {
    const KNOWN: [&str; 24] = [
        "female",
        "male",
        "young",
        "old",
        "older",
        "younger",
        "single",
        "native",
        "foreign",
        "urban",
        "rural",
        "sick",
        "ill",
        "healthy",
        "pregnant",
        "poor",
        "rich",
        "homeless",
        "literate",
        "bilingual",
        "migrant",
        "new",
        "active",
        "present",
    ];
    let word = word.to_lowercase();
    let ends = ["ed", "able", "ible"].iter().any(|end| word.len() > end.len() + 3 && word.ends_with(end));
    KNOWN.contains(&word.as_str())
        || (ends && !word.ends_with("eed") && word.bytes().all(|byte| byte.is_ascii_lowercase()))
}

/// The text with a capital.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Several labels as in a sentence: `age, female and free choice`.
pub(crate) fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| plain_label(name.as_ref())).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

/// The members of a list, each once, in the order of their first places.
pub(crate) fn distinct<T: PartialEq>(all: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut list: Vec<T> = Vec::new();
    for one in all {
        if !list.contains(&one) {
            list.push(one);
        }
    }
    list
}

/// `value` with at most `digits` significant digits, without trailing zeros.
///
/// Plain decimals from 1e-5 up to 1e15, an exponent outside. Tables that are kept under version control are
/// written with six digits: they are then the same on every processor.
///
/// ```
/// use armwise::report::format::significant;
///
/// assert_eq!(significant(0.123_456_789, 6), "0.123457");
/// assert_eq!(significant(1500.0, 6), "1500");
/// ```
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return decimal(value, 0);
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // The exponent form rounds correctly from the exact binary value; the decimal point is then only moved.
    let text = format!("{value:.*e}", digits.max(1) - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    if !(-5..15).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{sign}{first}{point}{rest}e{exponent}")
    } else if exponent < 0 {
        format!("{sign}0.{}{digits}", zeros(-exponent - 1))
    } else if count <= exponent + 1 {
        format!("{sign}{digits}{}", zeros(exponent + 1 - count))
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(exponent + 1).unwrap_or(0));
        format!("{sign}{whole}.{fraction}")
    }
}
