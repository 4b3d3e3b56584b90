//! The share of people who left benefit, by arm, in every city: a table and curves.

use super::words::{plain, span};
use armwise::prelude::*;
use armwise::report::format::{decimal, percent};
use armwise::report::{Align, Cell, CurvePlot, Grid};
use armwise::survival::{AalenJohansen, CurveInterval, SurvivalQuantity};
use std::path::Path;

/// The cumulative incidence of both ways out at the horizons that a city reaches.
pub(crate) fn table(
    trials: &Trials,
    measure: &Measure<TimeToEvent>,
    horizons: [f64; 2],
    level: f64,
) -> armwise::Result<Grid> {
    let level_words = percent(level).replace(".0%", "%");
    let mut grid = Grid::new(format!(
        "Who left benefit: cumulative incidence of Aalen and Johansen ({level_words} interval, log-log)"
    ))
    .column("Trial", Align::Left)
    .column("Arm", Align::Left);
    for way in ["For work", "Otherwise"] {
        for horizon in horizons {
            grid = grid.column(format!("{way} by {}", span(horizon)), Align::Right);
        }
    }
    for city in &trials.on(measure)? {
        let times = city.times()?;
        let curves = AalenJohansen::by_stratum(&times.data()?.strata(city.arm_indices())?)?;
        for (arm, curve) in city.arms().iter().zip(&curves) {
            let mut row = vec![Cell::text(city.trial().to_string()), Cell::text(plain(&arm.label))];
            for (cause, horizon) in [1, 2].into_iter().flat_map(|cause| horizons.map(|at| (cause, at))) {
                row.push(share(curve, cause, horizon, level)?);
            }
            grid.push(row);
        }
    }
    Ok(grid)
}

/// `3.5% (1.4 to 7.0)`; a dash beyond the follow-up.
fn share(curve: &AalenJohansen, cause: u32, at: f64, level: f64) -> armwise::Result<Cell> {
    if at > curve.last_time {
        return Ok(Cell::missing());
    }
    let found = curve.estimate(&[SurvivalQuantity::CumulativeIncidence { cause, at }])?;
    let value = found.values[0];
    Ok(match CurveInterval::LogLog.interval(value, found.se()[0], level)? {
        Some(interval) => {
            let limits = [interval.lower(), interval.upper()].map(|limit| decimal(100.0 * limit, 1));
            Cell::estimate(value, interval, format!("{} ({})", percent(value), limits.join(" to ")))
        }
        None => Cell::worded(value, percent(value)),
    })
}

/// Draws the share of people who left for work, and says in which files.
pub(crate) fn draw(
    trials: &Trials,
    measure: &Measure<TimeToEvent>,
    horizons: [f64; 2],
    level: f64,
    folder: &Path,
) -> armwise::Result<String> {
    std::fs::create_dir_all(folder).ok();
    let mut names = Vec::new();
    for (number, city) in (1..).zip(&trials.on(measure)?) {
        let times = city.times()?;
        let data = times.data()?.strata(city.arm_indices())?;
        let mut plot = CurvePlot::incidence(&data, 1, city.arms().iter().map(|arm| plain(&arm.label)))?
            .title(format!("Left benefit for work in {}", city.trial()))
            .subtitle("Cumulative incidence (Aalen-Johansen); leaving for another reason competes")
            .value_label("Left for work (%)")
            .time_label("Months since the start")
            .ticks_every(6.0)
            .level(level)
            .without_bands();
        let end = city.follow_up()?.into_iter().flatten().fold(f64::INFINITY, f64::min);
        for horizon in horizons {
            plot = if horizon <= end {
                plot.horizon(horizon)
            } else {
                plot.footnote(format!("Followed for {}, not for {}.", span(end), span(horizon)))
            };
        }
        let safe = |letter: char| if letter.is_alphanumeric() { letter } else { '-' };
        let city: String = city.trial().to_lowercase().chars().map(safe).collect();
        let name = format!("exit-curves-{number}-{city}.svg");
        plot.write_svg(folder.join(&name))?;
        names.push(name);
    }
    Ok(format!("The curves, with the numbers at risk below them, are {}.", names.join(", ")))
}
