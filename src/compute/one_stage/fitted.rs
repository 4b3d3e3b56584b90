//! What the results of one-stage models have in common.

use crate::compute::coefficient::{Coefficient, wald_table};
use crate::error::Result;
use ndarray::{aview1, aview2};
use serde::{Deserialize, Serialize};

/// The intercept of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SiteIntercept {
    /// The site.
    pub name: String,
    /// The linear predictor where all other columns are zero: in the reference arm, or in the middle of the
    /// arms where the treatment is coded in halves. `None` where all or none of the participants have the
    /// event: such a site says nothing about effects, and its intercept is infinite.
    pub estimate: Option<f64>,
}

/// One effect referred to the normal distribution.
pub(super) fn effect(name: &str, estimate: f64, variance: f64, level: f64) -> Result<Coefficient> {
    let table = wald_table(&[name.to_owned()], aview1(&[estimate]), aview2(&[[variance]]), &[None], level);
    Ok(table?.swap_remove(0))
}
