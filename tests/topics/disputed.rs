//! Expected values that are wrong, by a rule that can be checked in the case itself. They stay failing, in a
//! list that the runner prints.

use super::case::{Case, number};

/// `distributions`: a log of a probability within 1e-45 of 1. The oracle formed `1 - s` with 60 digits and
/// took its logarithm, which cancels: with the complement `s` below 1e-45 fewer than 15 digits of
/// `ln(1 - s) = -s - s^2/2 - ...` are left, and none below 1e-60, where it prints 0. The right value is `-s`
/// to more than 40 digits, and `s` stands in the same case under the complementary key; a value is disputed
/// only if it agrees with that.
pub(super) fn is_disputed(case: &Case, key: &str, got: Option<f64>) -> bool {
    if case.topic == "survival" && key == "concordance" {
        return got.is_some_and(|got| super::survival::concordance_breaks_ties(case, got));
    }
    if case.topic == "multiplicity" {
        return got.is_some_and(|got| super::multiplicity::cauchy_lost_its_p(case, key, got));
    }
    let complement = |key: &str, index: usize| number(case.expected.get(key)?.as_array()?.get(index)?);
    let Some((name, index)) = key.strip_suffix(']').and_then(|key| key.split_once('[')) else { return false };
    let complementary = match name {
        "log_cdf" => "sf",
        "log_sf" => "cdf",
        _ => return false,
    };
    if case.topic != "distributions" {
        return false;
    }
    match (got, index.parse().ok().and_then(|index| complement(complementary, index))) {
        (Some(got), Some(s)) => s > 0.0 && s < 1e-45 && (got + s).abs() <= 1e-11 * s + 1e-300,
        _ => false,
    }
}
