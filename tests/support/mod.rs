//! Shared by the test programs: when two numbers are near, trials from tables, lists of methods.

pub(crate) mod categories;
pub(crate) mod data;
pub(crate) mod estimators;
pub(crate) mod hazards;
pub(crate) mod inference;
pub(crate) mod methods;
pub(crate) mod pools;

use armwise::design::TrialBuilder;
use armwise::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

/// Two numbers no further apart than this share of the larger, or of 1.
pub(crate) fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs().max(b.abs()))
}

/// Two numbers that are near, or the same infinity.
pub(crate) fn near_or_equal(a: f64, b: f64, tolerance: f64) -> bool {
    a == b || near(a, b, tolerance)
}

/// Fails where a number is further from what is expected than this share of it, or of 1.
#[track_caller]
pub(crate) fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * (1.0 + expected.abs()), "{found} is not {expected}");
}

/// The same value after a journey through JSON, to the last digit.
#[track_caller]
pub(crate) fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    let back: T = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(*value, back);
    assert_eq!(text, serde_json::to_string(&back).unwrap());
}

/// A trial in Utrecht whose arms are in the column "arm".
pub(crate) fn labelled(table: Table, control: &str) -> TrialBuilder {
    Trial::builder("Utrecht", table).arm_labels("arm").control(control)
}

/// Numbers that look random, the same on every machine (Knuth's MMIX).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// A number from 0 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() * n as f64) as usize
    }

    pub(crate) fn chance(&mut self, p: f64) -> bool {
        self.next() < p
    }
}
