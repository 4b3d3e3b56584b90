//! Regressions of hazards with every convention, listed once.

use super::estimators::Listed;
use super::methods::every;
use armwise::prelude::*;
use armwise::survival::{CensoringTies, CoxVariance, FineGrayVariance, Ties};

/// The years lived until somebody works, for want of better times.
pub(crate) static UNTIL_WORK: Measure<TimeToEvent> =
    Measure::time_to_event("age", "works").named("until work");

/// The same until a permanent contract, with a temporary one as another way out.
pub(crate) static UNTIL_CONTRACT: Measure<TimeToEvent> = Measure::time_to_event("age", "contract")
    .of("permanent")
    .competing(&["temporary"])
    .censored(&["none"])
    .named("contract");

fn listed<E: Estimator<TimeToEvent>>(
    name: String,
    measure: &'static Measure<TimeToEvent>,
    of: impl Fn(f64) -> E + 'static,
) -> Listed {
    let binary = Listed::binary(name, |_| DifferenceInProportions::new());
    Listed {
        estimate: Box::new(move |trial, level| Ok(trial.on(measure)?.estimate(&of(level))?.to_any())),
        measure: if measure.name() == "contract" { "contract" } else { "until work" },
        ..binary
    }
}

/// Those that answer wherever every arm has events among young and old of both districts.
pub(crate) fn all() -> Vec<Listed> {
    let mut list = Vec::new();
    for ties in every::<Ties>() {
        // With Breslow's ties a second copy of everybody counts as everybody twice.
        let breslow = ties == Ties::Breslow;
        let of = move |level| CoxRegression::new().ties(ties).level(level);
        list.push(listed(format!("Cox, {ties}"), &UNTIL_WORK, of).halves(breslow));
        list.push(listed(format!("cause-specific Cox, {ties}"), &UNTIL_CONTRACT, of).halves(breslow));
        let of = move |level| CoxRegression::new().ties(ties).stratified().level(level);
        list.push(listed(format!("stratified Cox, {ties}"), &UNTIL_WORK, of).halves(breslow));
        if ties == Ties::Exact {
            continue;
        }
        let of = move |level| {
            CoxRegression::new()
                .ties(ties)
                .adjust_for(["district"])
                .variance(CoxVariance::Robust)
                .level(level)
        };
        list.push(listed(format!("adjusted robust Cox, {ties}"), &UNTIL_WORK, of).halves(breslow));
        let of = move |level| CoxRegression::new().ties(ties).firth().level(level);
        list.push(listed(format!("Firth's Cox, {ties}"), &UNTIL_WORK, of));
        let of = move |level| CoxRegression::new().ties(ties).weights("age").level(level);
        list.push(listed(format!("weighted Cox, {ties}"), &UNTIL_WORK, of).halves(breslow));
    }
    for ties in [Ties::Efron, Ties::Breslow] {
        let breslow = ties == Ties::Breslow;
        for covariate in [None, Some("district")] {
            let of = move |level| {
                CoxRiskAtHorizon::new(RiskDifference, 40.0).ties(ties).adjust_for(covariate).level(level)
            };
            let name = format!("risk by Cox, {ties}, {covariate:?}");
            list.push(listed(name, &UNTIL_WORK, of).halves(breslow));
        }
        let of = move |level| CoxRiskAtHorizon::new(LogRiskRatio, 40.0).ties(ties).stratified().level(level);
        list.push(listed(format!("risk ratio by stratified Cox, {ties}"), &UNTIL_WORK, of).halves(breslow));
    }
    for logit in [true, false] {
        for covariate in [None, Some("district")] {
            let of = move |level| {
                let model = if logit {
                    DiscreteTimeHazard::logit(RiskDifference, 40.0)
                } else {
                    DiscreteTimeHazard::complementary_log_log(RiskDifference, 40.0)
                };
                model.period(20.0).adjust_for(covariate).level(level)
            };
            let name = format!("discrete time, logit {logit}, {covariate:?}");
            list.push(listed(name, &UNTIL_WORK, of).halves(true));
        }
    }
    for variance in every::<FineGrayVariance>() {
        for ties in every::<CensoringTies>() {
            let model = FineGrayRegression::new().variance(variance).censoring_ties(ties);
            let adjusted = model.clone().adjust_for(["district"]);
            let of = move |level| model.clone().level(level);
            list.push(listed(format!("Fine-Gray {variance}, {ties:?}"), &UNTIL_CONTRACT, of).halves(true));
            let of = move |level| adjusted.clone().level(level);
            let name = format!("adjusted Fine-Gray {variance}, {ties:?}");
            list.push(listed(name, &UNTIL_WORK, of).halves(true));
        }
    }
    list
}

/// Those that need declared clusters, weights or luck.
pub(crate) fn of_small_trials() -> Vec<Listed> {
    let mut list = Vec::new();
    for measure in [&UNTIL_WORK, &UNTIL_CONTRACT] {
        for covariate in [None, Some("score")] {
            let cox = move |level| CoxRegression::new().adjust_for(covariate).level(level);
            list.push(listed(format!("Cox by default, {covariate:?}"), measure, cox));
            for variance in every::<CoxVariance>() {
                let of = move |level| cox(level).variance(variance);
                list.push(listed(format!("Cox {variance}, {covariate:?}"), measure, of));
            }
            let of = move |level| cox(level).weights("weight");
            list.push(listed(format!("Cox with weights, {covariate:?}"), measure, of));
            let of = move |level| cox(level).firth().stratified();
            list.push(listed(format!("stratified Firth's Cox, {covariate:?}"), measure, of));
            let of = move |level| FineGrayRegression::new().adjust_for(covariate).level(level);
            list.push(listed(format!("Fine-Gray by default, {covariate:?}"), measure, of));
        }
    }
    list
}
