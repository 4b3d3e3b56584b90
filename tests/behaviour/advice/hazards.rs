//! Regressions of hazards.

use super::{Case, rows, trial};
use armwise::Result;
use armwise::prelude::*;

const TIME: Measure<TimeToEvent> = Measure::time_to_event("t", "y");

/// Nobody of the treatment has the event in the time.
fn empty_arm_in_time() -> Result<Comparison<TimeToEvent>> {
    trial(&rows("arm,t,y", &[("c,2,1", 3), ("c,5,0", 4), ("c,7,1", 2), ("t,3,0", 2), ("t,8,0", 5)]))?
        .on(&TIME)
}

pub(super) static CASES: &[Case] = &[
    (
        "hazards of an arm without events",
        || empty_arm_in_time()?.estimate(&CoxRegression::new()).map(drop),
        &["separation", "arm[t] (to -infinity)", "CoxRegression::new().firth()", "RestrictedMeanTime"],
        &["FirthCox", "proportion", "Logistic"],
    ),
    (
        "hazards by a covariate of which one level has no events",
        || {
            let csv = rows("arm,t,y,x", &[("c,2,1,a", 3), ("c,5,0,b", 3), ("t,3,1,a", 2), ("t,6,0,b", 3)]);
            let event = trial(&csv)?.on(&TIME)?;
            event.estimate(&CoxRegression::new().adjust_for(["x"])).map(drop)
        },
        &["separation", "leave the covariate out", "CoxRegression::new().firth()"],
        &["FirthCox", "Logistic"],
    ),
    (
        "subdistribution hazards of an arm without events",
        || empty_arm_in_time()?.estimate(&FineGrayRegression::new()).map(drop),
        &["separation", "arm[t]", "RiskAtHorizon"],
        &["firth", "Firth", "proportion"],
    ),
];
