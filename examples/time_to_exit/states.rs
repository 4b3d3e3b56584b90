//! Where people are by month: benefit, part-time work beside it, work, or elsewhere, and back again; of the two
//! cities of which there is a register.

use super::cities::plain;
use armwise::prelude::*;
use armwise::report::format::{decimal, p_number, percent};
use armwise::report::{Align, Cell, EffectsOverTimePlot, Grid, OccupationPlot, Report};
use std::collections::HashSet;
use std::path::Path;

const WORK: [&str; 2] = ["part_time", "full_time"];
const STATES: [&str; 4] = ["benefit", "part_time", "full_time", "other"];
const MONTHS: [usize; 4] = [6, 12, 18, 24];

/// The states of the people of the register, city by city.
pub(crate) fn panels() -> armwise::Result<Comparisons<MonthlyStates>> {
    let table = Table::from_csv_str(include_str!("../data/registry_panel.csv"))?;
    let known: HashSet<&str> = table.column("participant")?.levels().iter().map(AsRef::as_ref).collect();
    let people = Table::from_csv_str(include_str!("../data/participants.csv"))?;
    let has_rows = |id: Option<&str>| id.is_some_and(|id| known.contains(id));
    let keep: Vec<bool> = people.column("participant")?.categories()?.map(has_rows).collect();
    let states = Register::from_long(table.clone(), "participant", "month", "state")
        .states(STATES)
        .aims(WORK)
        .months(24)
        .measure()?;
    Trials::builder(people.keep(&keep)?, "municipality")
        .participant("participant")
        .arm_labels("arm")
        .control("control")
        .build()?
        .on(&states)
}

pub(crate) fn section(report: &mut Report) -> armwise::Result<()> {
    let panels = panels()?;
    report.paragraph(
        "People come back to benefit, and work part-time beside it, which a time to the first exit does not tell. A register \
         tells it month by month of 150 people in each of two cities; who withdrew has no rows from then on. The share in each \
         state is that of Aalen and Johansen, which counts them like the others in the same state of the same arm.",
    );
    report.push(&occupation(&panels)?).push(&months(&panels)?).push(&effects(&panels)?);
    report.paragraph(
        "Points are differences in the share of people who work, part-time or full-time, against control. The intervals of a \
         month are of that month alone; the p-value of a row is of all four months together (the approximate Hotelling test of \
         Pustejovsky and Tipton, people as clusters). The mean of the second year is one effect with one interval.",
    );
    report.push(&sustained(&panels)?);
    Ok(())
}

fn by_arm(
    mut grid: Grid,
    headings: &[String],
    panels: &Comparisons<MonthlyStates>,
    cells: impl Fn(&Comparison<MonthlyStates>, usize) -> armwise::Result<Vec<Cell>>,
) -> armwise::Result<Grid> {
    grid = grid.column("City", Align::Left).column("Arm", Align::Left);
    for heading in headings {
        grid = grid.column(heading.clone(), Align::Right);
    }
    for city in panels {
        for (place, arm) in city.arms().iter().enumerate() {
            let names = [Cell::text(city.trial().to_string()), Cell::text(plain(&arm.label))];
            grid.push(names.into_iter().chain(cells(city, place)?));
        }
    }
    Ok(grid)
}

/// The share of people in each state after a year and after two.
fn occupation(panels: &Comparisons<MonthlyStates>) -> armwise::Result<Grid> {
    let of = |month: usize| STATES.map(|state| format!("{}, month {month}", plain(state)));
    let headings: Vec<String> = [12, 24].into_iter().flat_map(of).collect();
    by_arm(Grid::new("The share of people in each state"), &headings, panels, |city, place| {
        let curve = &city.occupation()?[place];
        let months =
            [12, 24].into_iter().flat_map(|month| (0..STATES.len()).map(move |state| (month, state)));
        let share = |(month, state): (usize, usize)| {
            let value = curve.probability[[month - 1, state]];
            Cell::worded(value, percent(value))
        };
        Ok(months.map(share).collect())
    })
}

/// The months of two years in each state.
fn months(panels: &Comparisons<MonthlyStates>) -> armwise::Result<Grid> {
    let grid = Grid::new("Months of 24 in each state (95% CI, normal)");
    let headings = STATES.map(plain);
    by_arm(grid, &headings, panels, |city, place| {
        let of = |state: &str| -> armwise::Result<Cell> {
            let means = MonthsInState::new(MeanDifference, [state], 24).arm_means(city)?;
            let (value, at) = (means.values()[place], means.interval(&city.arms()[place].label)?);
            if at.lower() == at.upper() {
                return Ok(Cell::number(value, 1));
            }
            let [lower, upper] = [at.lower(), at.upper()].map(|limit| decimal(limit, 1));
            Ok(Cell::estimate(value, at, format!("{} ({lower} to {upper})", decimal(value, 1))))
        };
        STATES.iter().map(|state| of(state)).collect()
    })
}

/// The effects on work by month, their joint test, and the mean of the second year.
fn effects(panels: &Comparisons<MonthlyStates>) -> armwise::Result<Grid> {
    let mut grid =
        Grid::new("Effects on working, points").column("City", Align::Left).column("Arm", Align::Left);
    for month in MONTHS {
        grid = grid.column(format!("Month {month}"), Align::Right);
    }
    grid = grid.column("All four, p", Align::Right).column("Mean of months 13 to 24", Align::Right);
    for city in panels {
        let over_time = MonthlyEffects::new(WORK, MONTHS).over_time(city)?;
        let year = city.estimate(&MonthlyEffects::new(WORK, 13..=24))?;
        for arm in city.treatments() {
            let mut row = vec![Cell::text(city.trial().to_string()), Cell::text(plain(&arm.label))];
            for month in MONTHS {
                let effect = over_time.at(month)?.treatment(&arm.label)?;
                row.push(Cell::effect(effect.about(), &effect.inference));
            }
            let joint = over_time.joint_test(&arm.label)?.p_value;
            row.push(Cell::worded(joint, p_number(joint)));
            let mean = year.treatment(&arm.label)?;
            row.push(Cell::effect(mean.about(), &mean.inference));
            grid.push(row);
        }
    }
    Ok(grid)
}

/// Who left benefit for at least three months on end, by a year.
fn sustained(panels: &Comparisons<MonthlyStates>) -> armwise::Result<Grid> {
    let grid = Grid::new("Off benefit for at least three months on end");
    let headings = ["People", "Left by month 12", "Of them back since"].map(str::to_owned);
    by_arm(grid, &headings, panels, |city, place| {
        let exits = city.sustained(["full_time", "other"], 3)?;
        let risk = RiskAtHorizon::new(RiskDifference, 12.0).arm_means(&exits)?.values()[place];
        let spells = city.panels()?[place].sustained(&[2, 3], 3)?;
        let left = spells.iter().filter(|spell| spell.first.is_some());
        let back = left.filter(|spell| spell.returned).count() as u64;
        Ok(vec![Cell::count(spells.len() as u64), Cell::worded(risk, percent(risk)), Cell::count(back)])
    })
}

/// The states of each city, and the effects on work by month with bands.
pub(crate) fn figures(folder: &Path) -> armwise::Result<()> {
    for city in &panels()? {
        let name = city.trial().to_lowercase();
        OccupationPlot::of(city)?
            .title(format!("Where people are in {}", city.trial()))
            .time_label("Months since the start")
            .write_svg(folder.join(format!("states-{name}.svg")))?;
        let effects = MonthlyEffects::new(WORK, 4..=24).over_time(city)?;
        EffectsOverTimePlot::of(&effects)?
            .title(format!("Effects on working in {}", city.trial()))
            .subtitle("part-time or full-time, against control; people as clusters")
            .time_label("Months since the start")
            .write_svg(folder.join(format!("working-{name}.svg")))?;
    }
    Ok(())
}
