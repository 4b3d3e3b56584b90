//! Where a power that rises with its argument reaches a value.

use crate::compute::roots::root;
use crate::error::{Error, Result};

/// The argument above `low` with this power, found from `start` on a logarithmic scale; `None` where the
/// power is not reached before `most`.
pub(super) fn reaching(
    power: impl Fn(f64) -> Result<f64>,
    target: f64,
    low: f64,
    start: f64,
    most: f64,
) -> Result<Option<f64>> {
    let mut below = low;
    let mut above = start.max(low * (1.0 + 1e-9));
    while power(above)? < target {
        if above >= most {
            return Ok(None);
        }
        below = above;
        above = (2.0 * above).min(most);
    }
    if power(below)? >= target {
        return Ok(Some(below));
    }
    let mut failed = None;
    let excess = |ln: f64| match power(ln.exp()) {
        Ok(power) => power - target,
        Err(error) => {
            failed.get_or_insert(error);
            f64::NAN
        }
    };
    let found = root(excess, below.ln(), above.ln()).exp();
    failed.map_or(Ok(Some(found)), Err)
}

/// The error of a power that no size or effect reaches.
pub(super) fn out_of_reach(what: &str) -> Error {
    Error::invalid(what)
}
