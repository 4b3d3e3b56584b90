//! Outcomes in several waves.

use super::{Case, trial};
use armwise::prelude::*;

pub(super) static CASES: &[Case] = &[
    (
        "a wave that nobody answered",
        || {
            let waves = Measure::repeated("wellbeing", &[("first", "w1"), ("second", "w2")]);
            trial("arm,w1,w2\nc,1,\nc,2,\nt,3,\nt,5,\n")?.on(&waves).map(drop)
        },
        &["column \"w2\"", "nobody has an outcome in wave \"second\"", "leave the wave out"],
        &["Firth", "proportion"],
    ),
    (
        "a wave that an arm did not answer",
        || {
            let waves = Measure::repeated("wellbeing", &[("first", "w1"), ("second", "w2")]);
            let comparison = trial("arm,w1,w2\nc,1,4\nc,2,2\nt,3,\nt,5,\n")?.on(&waves)?;
            comparison.estimate(&RepeatedMeasures::unstructured()).map(drop)
        },
        &["arm \"t\"", "in the wave \"second\"", "compare(..).versus(..)"],
        &["Firth", "proportion"],
    ),
    (
        "waves of people in clusters",
        || {
            let waves = Measure::repeated("wellbeing", &[("first", "w1"), ("second", "w2")]);
            let table = Table::from_csv_str("arm,site,w1,w2\nc,a,1,4\nc,b,2,2\nt,d,3,4\nt,e,5,1\n")?;
            let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c");
            let comparison = trial.clusters("site").build()?.on(&waves)?;
            comparison.estimate(&RepeatedMeasures::unstructured()).map(drop)
        },
        &["clusters", "LinearRegression", "or declare none"],
        &["Firth", "proportion"],
    ),
    (
        "a covariance of waves that follow from each other",
        || {
            let waves = Measure::repeated("wellbeing", &[("first", "w1"), ("second", "w2")]);
            let csv = "arm,w1,w2\nc,1,2\nc,2,4\nc,4,8\nt,3,6\nt,5,10\nt,4,8\n";
            trial(csv)?.on(&waves)?.estimate(&RepeatedMeasures::unstructured()).map(drop)
        },
        &["covariance of the waves is singular", "leave a wave out"],
        &["Firth", "proportion"],
    ),
];
