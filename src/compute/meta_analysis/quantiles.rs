//! The quantiles that a pool needs; they depend on the number of studies and the level only.

use super::tau2::ChiSquaredQuantiles;
use crate::compute::reference_distribution::{ReferenceDistribution, upper_tail};
use crate::error::Result;
use std::cell::Cell;

#[derive(Clone, Copy)]
pub(super) struct Quantiles {
    k: usize,
    level: f64,
    /// The two-sided quantile of the standard normal distribution.
    pub(super) z: f64,
    /// The two-sided quantile of t with k - 1 degrees of freedom; `None` for one study, as `chi2`.
    pub(super) t: Option<f64>,
    pub(super) chi2: Option<ChiSquaredQuantiles>,
}

/// Found quantiles are kept, each in the place of its k: pools often follow each other with the same few
/// numbers of studies.
const KEPT: usize = 64;

thread_local! {
    static FOUND: [Cell<Option<Quantiles>>; KEPT] = const { [const { Cell::new(None) }; KEPT] };
}

impl Quantiles {
    /// For a level that was checked.
    pub(super) fn new(k: usize, level: f64) -> Result<Self> {
        let kept = FOUND.with(|found| found[k % KEPT].get());
        if let Some(kept) = kept.filter(|kept| kept.k == k && kept.level == level) {
            return Ok(kept);
        }
        let new = Self::find(k, level)?;
        FOUND.with(|found| found[k % KEPT].set(Some(new)));
        Ok(new)
    }

    fn find(k: usize, level: f64) -> Result<Self> {
        let tail = upper_tail(level)?;
        let z = ReferenceDistribution::Normal.upper_quantile(tail);
        if k < 2 {
            return Ok(Self { k, level, z, t: None, chi2: None });
        }
        let df = k as f64 - 1.0;
        let chi2 = ChiSquaredQuantiles::new(df, level)?;
        let t = ReferenceDistribution::of(Some(df))?.upper_quantile(tail);
        Ok(Self { k, level, z, t: Some(t), chi2: Some(chi2) })
    }
}
