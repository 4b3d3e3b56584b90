//! Tables of the cities one by one.

use super::{OTHERWISE, TO_WORK};
use armwise::effect::Interval;
use armwise::estimator::LogRankTest;
use armwise::ndarray::ArrayView1;
use armwise::prelude::*;
use armwise::regression::ModelMatrix;
use armwise::report::format::{decimal, p_number, percent};
use armwise::report::{Align, Cell, Grid};
use armwise::survival::{AalenJohansen, Cox, CurveInterval, KaplanMeier, SurvivalQuantity, TimeTransform};

const LEVEL: f64 = 0.95;

/// A label as words: `free_choice` is "free choice".
pub(crate) fn plain(label: &str) -> String {
    label.replace('_', " ")
}

/// `12.3% (8.1 to 17.2)`.
fn share(value: f64, interval: Option<Interval>) -> Cell {
    match interval {
        Some(at) => {
            let [lower, upper] = [at.lower(), at.upper()].map(|limit| decimal(100.0 * limit, 1));
            Cell::estimate(value, at, format!("{} ({lower} to {upper})", percent(value)))
        }
        None => Cell::worded(value, percent(value)),
    }
}

/// `11.21 (10.80 to 11.62)`; without an interval where nobody left before the horizon.
fn mean(value: f64, at: Interval) -> Cell {
    if at.lower() == at.upper() {
        return Cell::number(value, 2);
    }
    let text = format!("{} ({} to {})", decimal(value, 2), decimal(at.lower(), 2), decimal(at.upper(), 2));
    Cell::estimate(value, at, text)
}

fn p(value: f64) -> Cell {
    Cell::worded(value, p_number(value))
}

/// The end of the follow-up of a city: of the arm that is followed for the shortest time.
pub(crate) fn end(city: &Comparison<TimeToEvent>) -> armwise::Result<f64> {
    Ok(city.follow_up()?.into_iter().flatten().fold(f64::INFINITY, f64::min))
}

/// The people of each city by the way in which their time ended.
pub(crate) fn people(cities: &Comparisons<TimeToEvent>) -> armwise::Result<Grid> {
    let mut grid = Grid::new("").column("City", Align::Left);
    for heading in
        ["People", "Left for work", "Left otherwise", "Withdrew", "On benefit at the end", "Months"]
    {
        grid = grid.column(heading, Align::Right);
    }
    for city in cities {
        let (times, end) = (city.times()?, end(city)?);
        let count = |is: &dyn Fn(u32, f64) -> bool| {
            times.cause.iter().zip(times.time).filter(|(cause, time)| is(**cause, **time)).count() as u64
        };
        let counts = [
            times.time.len() as u64,
            count(&|cause, _| cause == 1),
            count(&|cause, _| cause == 2),
            count(&|cause, time| cause == 0 && time < end),
            count(&|cause, time| cause == 0 && time >= end),
        ];
        let counts = counts.into_iter().map(Cell::count).chain([Cell::number(end, 0)]);
        grid.push(std::iter::once(Cell::text(city.trial().to_string())).chain(counts));
    }
    Ok(grid)
}

/// A row for each arm of each city, with cells from its number.
fn by_arm(
    mut grid: Grid,
    headings: &[&str],
    cities: &Comparisons<TimeToEvent>,
    mut cells: impl FnMut(&Comparison<TimeToEvent>) -> armwise::Result<Vec<Vec<Cell>>>,
) -> armwise::Result<Grid> {
    grid = grid.column("City", Align::Left).column("Arm", Align::Left);
    for heading in headings {
        grid = grid.column(*heading, Align::Right);
    }
    for city in cities {
        for (arm, row) in city.arms().iter().zip(cells(city)?) {
            let names = [Cell::text(city.trial().to_string()), Cell::text(plain(&arm.label))];
            grid.push(names.into_iter().chain(row));
        }
    }
    Ok(grid)
}

/// The share of people without any exit.
pub(crate) fn on_benefit(cities: &Comparisons<TimeToEvent>) -> armwise::Result<Grid> {
    let grid = Grid::new("Still on benefit: Kaplan-Meier (95% CI, log-log)");
    by_arm(grid, &["People", "6 months", "12 months", "24 months"], cities, |city| {
        let times = city.times()?;
        let curves = KaplanMeier::by_stratum(&times.data()?.strata(city.arm_indices())?)?;
        curves
            .iter()
            .map(|curve| {
                let mut row = vec![Cell::number(curve.n, 0)];
                for month in [6.0, 12.0, 24.0] {
                    row.push(if month > curve.last_time {
                        Cell::missing()
                    } else {
                        let point = curve.at(month)?;
                        share(point.survival, KaplanMeier::interval(&point, CurveInterval::LogLog, LEVEL)?)
                    });
                }
                Ok(row)
            })
            .collect()
    })
}

/// The share of people who left, by cause.
pub(crate) fn incidence(cities: &Comparisons<TimeToEvent>) -> armwise::Result<Grid> {
    let grid =
        Grid::new("Left benefit, by cause: cumulative incidence of Aalen and Johansen (95% CI, log-log)");
    let headings = [
        "For work by 12 months",
        "For work by 24 months",
        "Otherwise by 12 months",
        "Otherwise by 24 months",
    ];
    by_arm(grid, &headings, cities, |city| {
        let times = city.times()?;
        let curves = AalenJohansen::by_stratum(&times.data()?.strata(city.arm_indices())?)?;
        curves
            .iter()
            .map(|curve| {
                let mut row = Vec::new();
                for (cause, at) in [(1, 12.0), (1, 24.0), (2, 12.0), (2, 24.0)] {
                    row.push(if at > curve.last_time {
                        Cell::missing()
                    } else {
                        let found = curve.estimate(&[SurvivalQuantity::CumulativeIncidence { cause, at }])?;
                        let (value, se) = (found.values[0], found.se()[0]);
                        share(value, CurveInterval::LogLog.interval(value, se, LEVEL)?)
                    });
                }
                Ok(row)
            })
            .collect()
    })
}

/// The 12 months of an average person.
pub(crate) fn months(cities: &Comparisons<TimeToEvent>) -> armwise::Result<Grid> {
    let grid =
        Grid::new("The first 12 months: restricted mean time, and time lost by cause (95% CI, normal)");
    by_arm(grid, &["On benefit", "Left for work", "Left otherwise"], cities, |city| {
        let on_benefit = RestrictedMeanTime::new(MeanDifference, 12.0);
        let means = [
            on_benefit.arm_means(city)?,
            on_benefit.clone().lost_to("work").arm_means(city)?,
            on_benefit.lost_to("other").arm_means(city)?,
        ];
        let row = |(place, arm): (usize, &_)| -> armwise::Result<Vec<Cell>> {
            means.iter().map(|of| Ok(mean(of.values()[place], of.interval(arm)?))).collect()
        };
        means[0].labels().enumerate().map(row).collect()
    })
}

/// The effects of each arm against control, by every estimator.
pub(crate) fn effects(trials: &Trials) -> armwise::Result<Grid> {
    let exits = trials.on(&TO_WORK)?;
    let models = [
        ("By 12 months, points", exits.estimate(&RiskAtHorizon::new(RiskDifference, 12.0))?.to_any()),
        (
            "By 24 months, points",
            exits.followed_until(24.0)?.estimate(&RiskAtHorizon::new(RiskDifference, 24.0))?.to_any(),
        ),
        ("On benefit, months", exits.estimate(&RestrictedMeanTime::new(MeanDifference, 12.0))?.to_any()),
        ("HR, work", exits.estimate(&CoxRegression::new())?.to_any()),
        ("SHR, work", exits.estimate(&FineGrayRegression::new())?.to_any()),
        ("HR, other exit", trials.on(&OTHERWISE)?.estimate(&CoxRegression::new())?.to_any()),
    ];
    let mut grid = Grid::new("").column("City", Align::Left).column("Arm", Align::Left);
    for (heading, _) in &models {
        grid = grid.column(*heading, Align::Right);
    }
    for city in &exits {
        for arm in city.treatments() {
            let mut row = vec![Cell::text(city.trial().to_string()), Cell::text(plain(&arm.label))];
            for (_, effects) in &models {
                row.push(match effects.iter().find(|trial| trial.trial() == city.trial()) {
                    Some(trial) => {
                        let effect = trial.treatment(&arm.label)?;
                        Cell::effect(effect.about(), &effect.inference)
                    }
                    None => Cell::missing(),
                });
            }
            grid.push(row);
        }
    }
    Ok(grid)
}

/// The tests of every city.
pub(crate) fn tests(cities: &Comparisons<TimeToEvent>) -> armwise::Result<Grid> {
    let log_rank = LogRankTest::new();
    let tests = [
        ("Log-rank", log_rank),
        ("Log-rank, within strata", log_rank.stratified()),
        ("Gray", log_rank.of_incidence()),
        ("Gray, within strata", log_rank.of_incidence().stratified()),
        ("Log-rank, any exit", log_rank.of_any_cause()),
    ];
    let mut grid = Grid::new("").column("City", Align::Left).column("Arms", Align::Right);
    for (heading, _) in tests {
        grid = grid.column(heading, Align::Right);
    }
    grid = grid.column("Proportional hazards", Align::Right);
    for city in cities {
        let mut row = vec![Cell::text(city.trial().to_string()), Cell::count(city.arms().len() as u64)];
        for (_, test) in &tests {
            row.push(p(city.test_times(test)?.p_value));
        }
        row.push(p(proportional(city)?));
        grid.push(row);
    }
    Ok(grid)
}

/// The p-value of the test that the hazard ratios of all arms do not change with time.
fn proportional(city: &Comparison<TimeToEvent>) -> armwise::Result<f64> {
    let times = city.times()?;
    let data = times.data()?.censoring_other_causes(1)?;
    let codes = city.arm_indices();
    let columns: Vec<Vec<f64>> = (1_u32..)
        .take(city.treatments().len())
        .map(|arm| codes.iter().map(|code| f64::from(u8::from(*code == arm))).collect())
        .collect();
    let mut matrix = ModelMatrix::new(codes.len());
    for (arm, column) in city.treatments().iter().zip(&columns) {
        matrix = matrix.numeric(arm.label.to_string(), ArrayView1::from(column))?;
    }
    let all: Vec<usize> = (0..columns.len()).collect();
    let fit = Cox::new().fit(&data, &matrix)?;
    Ok(fit.proportional_hazards_test(TimeTransform::KaplanMeier)?.joint(&all)?.p_value)
}
