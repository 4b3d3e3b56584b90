//! Mantel-Haenszel effects within strata.

use super::{Case, rows};
use armwise::Result;
use armwise::prelude::*;

const EVENT: Measure<Binary> = Measure::binary("y");

/// A trial with the strata of column s.
fn within(csv: &[(&str, usize)]) -> Result<Comparison<Binary>> {
    let table = Table::from_csv_str(&rows("arm,s,y", csv))?;
    let builder = Trial::builder("Utrecht", table).arm_labels("arm").control("c");
    builder.strata(["s"]).build()?.on(&EVENT)
}

pub(super) const CASES: &[Case] = &[
    (
        "a Mantel-Haenszel ratio without events in the treatment",
        || {
            within(&[("c,a,1", 3), ("c,a,0", 5), ("c,b,1", 2), ("c,b,0", 6), ("t,a,0", 8), ("t,b,0", 7)])?
                .estimate(&RatioOfProportions::new().mantel_haenszel())
                .map(drop)
        },
        &[
            "arm \"t\"",
            "Mantel-Haenszel ratio of proportions is 0",
            "95% interval (stratified Miettinen-Nurminen) runs from 0 to ",
            "p = ",
            "StratifiedProportions::ratio_interval",
            "DifferenceInProportions::mantel_haenszel",
        ],
        &["Firth", "AddHalf"],
    ),
    (
        "a Mantel-Haenszel odds ratio without events in the control",
        || {
            within(&[("c,a,0", 8), ("c,b,0", 7), ("t,a,1", 3), ("t,a,0", 5), ("t,b,1", 2), ("t,b,0", 6)])?
                .estimate(&OddsRatio::new().mantel_haenszel().level(0.9))
                .map(drop)
        },
        &["Mantel-Haenszel odds ratio is infinity", "90% interval", "to infinity", "odds_ratio_interval"],
        &["Firth", "AddHalf"],
    ),
    (
        "a Mantel-Haenszel ratio without events at all",
        || {
            within(&[("c,a,0", 8), ("c,b,0", 7), ("t,a,0", 5), ("t,b,0", 6)])?
                .estimate(&RatioOfProportions::new().mantel_haenszel())
                .map(drop)
        },
        &[
            "nobody has the event",
            "0/0",
            "say nothing about it",
            "interval(DifferenceInterval::MiettinenNurminen)",
        ],
        &["Fisher", "runs from"],
    ),
    (
        "a Mantel-Haenszel odds ratio where strata decide",
        || {
            within(&[("c,a,0", 8), ("c,b,1", 7), ("t,a,0", 5), ("t,b,1", 6)])?
                .estimate(&OddsRatio::new().mantel_haenszel())
                .map(drop)
        },
        &["all people or none have the event", "0/0"],
        &["Fisher", "runs from"],
    ),
    (
        "a Mantel-Haenszel difference whose Wald interval has no width",
        || {
            within(&[("c,a,0", 8), ("c,b,0", 7), ("t,a,0", 5), ("t,b,0", 6)])?
                .estimate(
                    &DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::GreenlandRobins),
                )
                .map(drop)
        },
        &["standard error is zero", "within strata", "interval(DifferenceInterval::MiettinenNurminen)"],
        &["take DifferenceInProportions"],
    ),
    (
        "a Mantel-Haenszel ratio whose Wald interval has no width",
        || {
            within(&[("c,a,1", 8), ("c,b,1", 7), ("t,a,1", 5), ("t,b,1", 6)])?
                .estimate(&RatioOfProportions::new().mantel_haenszel())
                .map(drop)
        },
        &["standard error is zero", "interval(RatioInterval::MiettinenNurminen)"],
        &["RatioOfProportions or OddsRatio"],
    ),
];
