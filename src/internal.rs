//! Private parts of the crate for the tests of this repository, with no promise of stability.

use crate::compute::interval::Interval;
use crate::compute::rate::TwoRates;
use crate::compute::regression::glm::maximum;
use crate::compute::regression::{Aliasing, Checked, Curve, Family, Fit, ModelMatrix, Override};
use crate::data::Table;
use crate::effect::AnyScale;
use crate::error::Result;
use crate::report::ForestAxis;
use crate::report::draw::axis::Effect;
use ndarray::Array2;

pub use crate::compute::categorical::passes::passes;
pub use crate::compute::curve::not_rejected;
pub use crate::compute::linalg::{Cholesky, UpperFactor, aliased_columns, null_space};
pub use crate::compute::meta_analysis::dense::Square;
pub use crate::compute::meta_analysis::lanes::sums_of_others;
pub use crate::compute::meta_analysis::permutation::{arrangements, next_arrangement};
pub use crate::compute::one_stage::jet::Jet;
pub use crate::compute::one_stage::newton::{cholesky, maximise, solve};
pub use crate::compute::one_stage::quadrature::gauss_hermite;
pub use crate::compute::one_stage::term::Family as CountFamily;
pub use crate::compute::proportion::discrete::Hypergeometric;
pub use crate::compute::proportion::stratified_arms::StratifiedArms;
pub use crate::compute::rate::RateContrastInterval;
pub use crate::compute::regression::cluster_shares::ClusterShares;
pub use crate::compute::regression::kernel::lane::exp;
pub use crate::compute::regression::kernel::{Canonical, Kernel};
pub use crate::compute::regression::likelihood::{digamma_rise, ln_rising, trigamma_rise};
pub use crate::compute::regression::observations::Observations;
pub use crate::compute::roots::root;
pub use crate::compute::threads::{fill_in_parts, in_parts};
pub use crate::data::twins::{check_arms, check_twins, combination, is_blank};
pub use crate::report::base::text_width::{Font, display_columns};
pub use crate::report::draw::axis::Ruler;
pub use crate::report::english::scale::{Words, plain};

/// The rows of a design matrix, the category at one place among its terms at one level throughout if wanted.
pub fn rows(matrix: &ModelMatrix, forced: Option<(usize, u32)>) -> Array2<f64> {
    let mut block = Array2::zeros((matrix.ncols(), matrix.nrows()));
    let forced = forced.map(|(term, level)| Override { term, level });
    matrix.fill_with(0..matrix.nrows(), forced, block.view_mut());
    block.reversed_axes()
}

/// The place of a category among the terms of a design matrix, and the number of its levels.
pub fn category(matrix: &ModelMatrix, name: &str) -> Option<(usize, usize)> {
    matrix.category_codes(name).map(|(term, levels, _)| (term, levels))
}

/// The columns that hold one value other than zero.
///
/// # Errors
/// A value that cannot be used, with its column and row.
pub fn constant_columns(matrix: &ModelMatrix) -> Result<Vec<usize>> {
    matrix.validate(|_, _| ())
}

/// A fit with the default link by plain loops over the rows, and by the factors of QR if wanted.
///
/// # Errors
/// As the fit in vectors.
pub fn plain_fit<'a>(
    family: Family,
    matrix: &ModelMatrix<'a>,
    observations: Observations<'a>,
    stable: bool,
) -> Result<Fit<'a>> {
    let curve = Curve::new(family, family.default_link())?;
    let mut checked = Checked::new(matrix, &observations, family, curve, Aliasing::Refuse)?;
    (checked.moments, checked.stable) = (None, stable);
    let solution = maximum(&checked.problem(&observations), &checked.constant)?;
    Fit::new(checked, observations, family, solution, stable)
}

/// The numbers of a column; NaN marks a missing cell.
///
/// # Errors
/// No such column, or categories.
pub fn reals<'t>(table: &'t Table, name: &str) -> Result<&'t [f64]> {
    table.reals(name)
}

/// The flags of a column as 0 and 1; 255 marks a missing cell.
///
/// # Errors
/// No such column, categories, or other numbers.
pub fn flags<'t>(table: &'t Table, name: &str) -> Result<&'t [u8]> {
    table.flags(name)
}

/// The row of a table in the table that it was taken from, from 0.
pub fn origin(table: &Table, row: usize) -> usize {
    table.origin(row)
}

/// All scales that have a type.
pub fn all_scales() -> Vec<AnyScale> {
    AnyScale::all()
}

/// Names as in a sentence.
pub fn listed(names: &[&str]) -> String {
    crate::report::base::format::listed(names)
}

/// The axis of a forest plot, placed for estimates with their intervals.
pub fn place(axis: &ForestAxis, studies: &[(f64, Interval)], width: f64, font: Font) -> Ruler {
    let studies: Vec<Effect> =
        studies.iter().map(|&(estimate, interval)| Effect { estimate, interval }).collect();
    axis.place(&studies, &[], width, font)
}

/// An estimate with its interval as a forest plot writes it.
pub fn effect_words(axis: &ForestAxis, (estimate, interval): (f64, Interval)) -> String {
    axis.words(Effect { estimate, interval })
}

/// The rates of treatment and control that are most likely when they differ by `d`.
pub fn constrained_rates(two: &TwoRates, d: f64) -> (f64, f64) {
    two.constrained(d)
}

/// The limits of a contrast of two rates.
///
/// # Errors
/// A level outside 0 to 1.
pub fn rate_limits(two: &TwoRates, method: RateContrastInterval, level: f64) -> Result<Interval> {
    two.limits(method, level)
}

/// The one-sided p-values of a bound: of more than it, and of less.
///
/// # Errors
/// A bound that is not a number.
pub fn rate_one_sided(two: &TwoRates, method: RateContrastInterval, bound: f64) -> Result<[f64; 2]> {
    let p = two.one_sided(method, bound)?;
    Ok([p.above, p.below])
}

/// The intervals around a value, and between two limits; the whole line where a number is no number.
pub fn intervals(value: f64, half_width: f64, upper: f64) -> [Interval; 2] {
    [Interval::around(value, half_width), Interval::between(value, upper)]
}
