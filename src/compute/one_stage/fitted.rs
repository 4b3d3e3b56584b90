//! What the results of one-stage models have in common.

use crate::compute::regression::{Coefficient, Reference, wald_table};
use crate::error::Result;
use ndarray::{Array2, ArrayView1};
use serde::{Deserialize, Serialize};

/// The intercept of a site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SiteIntercept {
    /// The site.
    pub name: String,
    /// The linear predictor where all other columns are zero: in the reference arm, or in the middle of the arms where the treatment is
    /// coded in halves. `None` where all or none of the participants have the event: such a site says nothing about effects, and its
    /// intercept is infinite.
    pub estimate: Option<f64>,
}

/// One effect referred to the normal distribution.
pub(super) fn effect(name: &str, estimate: f64, variance: f64, level: f64) -> Result<Coefficient> {
    let (estimates, covariance) = ([estimate], Array2::from_elem((1, 1), variance));
    let names = [name.to_owned()];
    let mut table =
        wald_table(&names, ArrayView1::from(&estimates), covariance.view(), &[Reference::Normal], level)?;
    Ok(table.remove(0))
}
