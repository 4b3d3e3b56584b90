//! The words that all formats share: numbers on a scale, methods, tests. No sentence is built in two places.

pub(crate) mod effects;
pub(crate) mod scale;
