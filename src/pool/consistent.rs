//! Comparisons of the numbers of one result with each other, where it was read from a file.

use crate::compute::hypothesis::{ChiSquaredTest, WaldTest};

/// Equal but for rounding in numbers of this size.
pub(super) fn near(a: f64, b: f64, size: f64) -> bool {
    a == b || (a - b).abs() <= 1e-8 * size.abs().max(a.abs())
}

/// The p-value of a test follows from its statistic.
pub(super) fn is_chi_squared(test: &ChiSquaredTest) -> bool {
    let own = ChiSquaredTest::new(test.statistic, test.df);
    test.statistic >= 0.0 && own.is_ok_and(|own| near(own.p_value, test.p_value, 1.0))
}

/// Two tests are one but for rounding.
pub(super) fn same_test(one: &WaldTest, two: &WaldTest) -> bool {
    one.df == two.df
        && one.denominator_df.is_some() == two.denominator_df.is_some()
        && near(one.denominator_df.unwrap_or(1.0), two.denominator_df.unwrap_or(1.0), 1.0)
        && near(one.statistic, two.statistic, 1.0)
        && near(one.p_value, two.p_value, 1.0)
}
