//! What the runner does not cover yet: whole topics, expected keys, option values, and input shapes.
//! Never the name of a case: cases that are not in this repository have other names.

/// Topics of which nothing is covered.
pub(super) const TOPICS: &[&str] = &[];

/// Expected keys: topic, key.
pub(super) const KEYS: &[(&str, &str)] = &[];

/// Values of options: topic, option, value as JSON text.
pub(super) const OPTIONS: &[(&str, &str, &str)] = &[];

/// Inputs by a key that only they have: topic, key.
pub(super) const INPUTS: &[(&str, &str)] = &[];
