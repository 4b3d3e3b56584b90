//! Tables over all measures: a row for each arm, a column for each measure.

use super::outcome::Evaluation;
use super::words::{decimals, plain, points};
use armwise::effect::Interval;
use armwise::prelude::*;
use armwise::report::format::{p_number, percent, significant};
use armwise::report::{Align, Cell, Grid};

/// The effects of one model per measure, each with its interval.
pub(crate) fn effects(title: &str, heading: &str, models: &[(&str, &JointlyPooled<AnyScale>)]) -> Grid {
    let mut grid = Grid::new(title).column(heading, Align::Left);
    let mut labels: Vec<&str> = Vec::new();
    for (measure, model) in models {
        grid = grid.column(*measure, Align::Right);
        for one in model.coefficients() {
            if !labels.contains(&one.label.as_str()) {
                labels.push(one.label.as_str());
            }
        }
    }
    for label in labels {
        let cells = models.iter().map(|(_, model)| match model.coefficient(label) {
            Ok(one) => Cell::effect(model.about(), one),
            Err(_) => Cell::missing(),
        });
        grid.push(std::iter::once(Cell::text(plain(label))).chain(cells));
    }
    grid
}

/// One treatment at a time: what the cities that had it give, and what another city may expect.
pub(crate) fn separate(evaluation: &Evaluation) -> armwise::Result<Grid> {
    let ci = format!("{}% CI", significant(100.0 * evaluation.primary.about().level, 4));
    let mut grid = Grid::new(
        "One treatment at a time, from the cities that had it as an arm of its own (random effects, REML)",
    )
    .column("Treatment", Align::Left)
    .column("Cities", Align::Right)
    .column(format!("Effect ({ci})"), Align::Right)
    .column("p", Align::Right)
    .column("Another city (approximate)", Align::Right)
    .column("tau", Align::Right)
    .column(format!("I2 ({ci})"), Align::Right);
    for pooled in &evaluation.separate {
        let (unit, decimals) = (points(pooled.about()), decimals(pooled.about()));
        grid.push([
            Cell::text(plain(pooled.treatment())),
            Cell::count(pooled.trials.len() as u64),
            Cell::effect(pooled.about(), &pooled.inference),
            Cell::worded(pooled.p_value(), p_number(pooled.p_value())),
            match pooled.prediction() {
                Some(at) => Cell::interval(Interval::new(unit * at.lower(), unit * at.upper())?, decimals),
                None => Cell::missing(),
            },
            Cell::number(unit * pooled.summary.tau2.sqrt(), decimals),
            match pooled.summary.i2_interval {
                Some(at) => {
                    let limits = [at.lower(), at.upper()].map(percent).join(" to ");
                    let text = format!("{} ({limits})", percent(pooled.summary.i2));
                    Cell::estimate(pooled.summary.i2, at, text)
                }
                None => Cell::worded(pooled.summary.i2, percent(pooled.summary.i2)),
            },
        ]);
    }
    Ok(grid)
}
