//! Methods of the numeric layer that laws loop over, and the studies that they are given.

use armwise::meta_analysis::Tau2;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use std::ops::Range;

/// Every variant of an enum of words, in the order in which it is declared: those that its reader names where
/// it is given another word. A variant that is added joins all laws.
pub(crate) fn every<T: DeserializeOwned>() -> Vec<T> {
    let error = serde_json::from_str::<T>("\"?\"").err().expect("no convention is called ?").to_string();
    let words: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(words.len() > 1, "{error}");
    words.into_iter().map(|word| serde_json::from_str(&format!("\"{word}\"")).unwrap()).collect()
}

/// The estimators of tau2 that need no weights of one's own.
pub(crate) fn tau2_methods() -> impl Iterator<Item = Tau2> {
    every().into_iter().filter(|method| *method != Tau2::GeneralizedQ)
}

/// Effects of studies and their variances, whose logarithms lie between this one and 1.
pub(crate) fn studies(count: Range<usize>, log_variance: f64) -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((-2.0..2.0_f64, log_variance..1.0_f64), count)
        .prop_map(|studies| studies.into_iter().map(|(y, log_v)| (y, log_v.exp())).collect())
}

/// The effects and the variances of studies.
pub(crate) fn unzip(studies: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    studies.iter().copied().unzip()
}
