//! The drawing of figures: canvas, page, axes, and the forest plot as a description. Nothing here knows a
//! result.

pub(crate) mod axis;
pub(crate) mod canvas;
pub(crate) mod forest;
mod forest_drawing;
mod forest_layout;
pub(crate) mod page;
pub(crate) mod points;
