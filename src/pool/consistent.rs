//! Comparisons of the numbers of one result with each other, where it was read from a file.

use crate::compute::hypothesis::ChiSquaredTest;

/// Equal but for rounding in numbers of this size.
pub(super) fn near(a: f64, b: f64, size: f64) -> bool {
    a == b || (a - b).abs() <= 1e-8 * size.abs().max(a.abs())
}

/// The p-value of a test follows from its statistic.
pub(super) fn is_chi_squared(test: &ChiSquaredTest) -> bool {
    let own = ChiSquaredTest::new(test.statistic, test.df);
    test.statistic >= 0.0 && own.is_ok_and(|own| near(own.p_value, test.p_value, 1.0))
}
