//! Peto's one-step odds ratio.

use super::mantel_haenszel::TablePool;
use crate::compute::counts::{Cells, TwoByTwo, check_tables};
use crate::compute::reference_distribution::check_level;
use crate::error::{ErrorKind, Result};

/// Peto's one-step log odds ratio: for rare events, arms of similar size and effects that are not large.
///
/// # Formula
/// sum(O - E)/sum V with standard error 1/sqrt(sum V): O the events under treatment, E and V their
/// expectation and variance given the margins of the table (hypergeometric). Q = sum V ((O - E)/V - pooled)²
/// over tables with V > 0.
///
/// # Errors
/// [`ErrorKind::NoStudies`]; [`ErrorKind::InvalidInput`] for impossible counts or level;
/// [`ErrorKind::NotEstimable`] where no table has both events and others.
///
/// # Examples
/// ```
/// use armwise::meta_analysis::{Counts, TwoByTwo, peto};
///
/// let arm = |events, n| Counts { events, n };
/// let pooled =
///     peto(&[TwoByTwo { treatment: arm(2.0, 50.0), control: arm(5.0, 50.0) }], 0.95)?;
/// assert!(
///     (pooled.estimate - -1.5 / (50.0 * 50.0 * 7.0 * 93.0 / (100.0 * 100.0 * 99.0))).abs()
///         < 1e-12
/// );
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Yusuf et al. 1985, Prog. Cardiovasc. Dis. 27; Bradburn et al. 2007, Stat. Med. 26.
pub fn peto(tables: &[TwoByTwo], level: f64) -> Result<TablePool> {
    check_level(level)?;
    check_tables(tables)?;
    if tables.is_empty() {
        return Err(ErrorKind::NoStudies.into());
    }
    let terms = || {
        let cells = tables.iter().map(Cells::from);
        cells
            .map(|cells| (cells.excess(), cells.hypergeometric_variance()))
            .filter(|(_, variance)| *variance > 0.0)
    };
    let (mut excess, mut variance, mut k_for_q) = (0.0, 0.0, 0);
    for (o_minus_e, v) in terms() {
        excess += o_minus_e;
        variance += v;
        k_for_q += 1;
    }
    if k_for_q == 0 {
        let why = "no table has both events and others, so there is no odds ratio; take the risk difference";
        return Err(ErrorKind::NotEstimable(why.into()).into());
    }
    let estimate = excess / variance;
    let q = terms().map(|(o_minus_e, v)| v * (o_minus_e / v - estimate) * (o_minus_e / v - estimate)).sum();
    TablePool::new(tables.len(), estimate, 1.0 / variance, q, k_for_q, level)
}
