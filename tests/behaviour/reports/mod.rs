//! What is printed, tabulated and drawn.

mod curves;
mod figures;
mod forest;
mod grids;
mod results;
mod svg;
mod text_is_data;

use armwise::effect::Interval;

/// From one number to another, in either order.
fn between(a: f64, b: f64) -> Interval {
    Interval::new(a.min(b), a.max(b)).expect("numbers")
}

/// A number and as much to either side.
fn around(centre: f64, half: f64) -> Interval {
    between(centre - half, centre + half)
}
