//! Passes in vectors beside those by plain loops.

use super::CumulativeLink;
use super::cumulative_likelihood::Cumulative;
use super::likelihood::{CategoryModel, Pass, Products};
use super::multinomial_likelihood::Multinomial;
use super::rows::{CategoryRows, Intercepts};
use crate::compute::regression::{Category, ModelMatrix, Weights};
use crate::error::Result;
use ndarray::Array1;

/// The sums at some parameters in vectors, then by plain loops: of a cumulative model with a link, else of a
/// multinomial one. The step before is a share of the parameters, and the products are those of the scores
/// where they are asked for. `None` where vectors do not suit.
///
/// # Errors
/// As the fit of the model.
pub fn passes<'a>(
    link: Option<CumulativeLink>,
    (matrix, outcome): (ModelMatrix<'a>, Category<'a>),
    at: impl Fn(usize) -> f64,
    step: Option<f64>,
    scores: bool,
) -> Result<Option<[Pass; 2]>> {
    let (model, intercepts): (&dyn CategoryModel, _) = match link {
        Some(link) => (&Cumulative(link), Intercepts::Thresholds),
        None => (&Multinomial, Intercepts::InMatrix),
    };
    let rows = CategoryRows::new(matrix, outcome, Weights::None, intercepts)?;
    if rows.vectorised().is_none() {
        return Ok(None);
    }
    let at: Array1<f64> = (0..model.parameters(&rows)).map(at).collect();
    let step = step.map(|share| &at * share);
    let products = if scores { Products::Scores } else { Products::Information };
    let plain = CategoryRows { moments: None, ..rows.clone() };
    Ok(Some([&rows, &plain].map(|rows| model.pass(rows, &at, step.as_ref(), products))))
}
