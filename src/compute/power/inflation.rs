use super::check_share;
use crate::error::{Error, Result, number};

/// The number to recruit so that `n` remain when a share leaves: `n / (1 - share)`.
///
/// # Errors
/// `invalid_input` for a share that is not from 0 to below 1, and a size that is not a positive number.
///
/// # Examples
/// ```
/// let recruited = armwise::power::inflated_for_attrition(850.0, 0.12)?;
/// assert_eq!(recruited.ceil(), 966.0);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn inflated_for_attrition(n: f64, attrition: f64) -> Result<f64> {
    check_size(n)?;
    check_share("the share that leaves", attrition)?;
    Ok(n / (1.0 - attrition))
}

/// The number to recruit when a share does not take up what it is offered, and nobody else does: the effect
/// of the offer is `1 - share` times that of taking it up, so that the size is `n / (1 - share)^2`.
///
/// # Errors
/// `invalid_input` for a share that is not from 0 to below 1, and a size that is not a positive number.
///
/// # Examples
/// ```
/// let recruited = armwise::power::inflated_for_take_up(850.0, 0.1)?;
/// assert!((recruited - 1049.383).abs() < 1e-3);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn inflated_for_take_up(n: f64, not_taken_up: f64) -> Result<f64> {
    check_size(n)?;
    check_share("the share that does not take it up", not_taken_up)?;
    Ok(n / (1.0 - not_taken_up).powi(2))
}

fn check_size(n: f64) -> Result<()> {
    if n > 0.0 && n.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!("the size is {}; give a positive number of people", number(n))))
}
