//! Curves over time: the share of people who left benefit for work, by arm, in every city.

use super::words::plain;
use armwise::prelude::*;
use armwise::report::CurvePlot;
use std::path::Path;

/// Draws `exit-curves-1-utrecht.svg` and so on, in the order of the cities.
pub(crate) fn draw(
    trials: &Trials,
    measure: &Measure<TimeToEvent>,
    horizons: [f64; 2],
    level: f64,
    folder: &Path,
) -> armwise::Result<()> {
    std::fs::create_dir_all(folder).ok();
    for (number, city) in (1..).zip(&trials.on(measure)?) {
        let times = city.times()?;
        let data = times.data()?.strata(city.arm_indices())?;
        let names = city.arms().iter().map(|arm| plain(&arm.label));
        let mut plot = CurvePlot::incidence(&data, 1, names)?
            .title(format!("Left benefit for work in {}", city.trial()))
            .subtitle("Cumulative incidence (Aalen-Johansen); leaving for another reason competes")
            .value_label("Left for work (%)")
            .time_label("Months since the start")
            .ticks_every(6.0)
            .level(level)
            .without_bands();
        for horizon in horizons {
            plot = plot.horizon(horizon);
        }
        let safe = |letter: char| if letter.is_alphanumeric() { letter } else { '-' };
        let name: String = city.trial().to_lowercase().chars().map(safe).collect();
        plot.write_svg(folder.join(format!("exit-curves-{number}-{name}.svg")))?;
    }
    Ok(())
}
