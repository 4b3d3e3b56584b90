//! Trials that follow people until they leave, for one reason or another, or until they are lost.

use super::binary::{PER_ARM, assignment, labels, sizes};
use super::draw::Stream;
use super::study::{Answer, Band, Study, Truth};
use armwise::prelude::*;
use armwise::survival::CoxVariance;

const EXIT: Measure<TimeToEvent> =
    Measure::time_to_event("month", "reason").of("work").competing(&["other"]).censored(&["none"]);
/// The risk of work by month 12 under control.
const RATES: [f64; 3] = [0.03, 0.08, 0.15];
const HORIZON: f64 = 12.0;
/// The monthly hazard of leaving for another reason: about 6% by the horizon.
const OTHER: f64 = 0.005;
/// The monthly hazard of being lost: about 20% by the horizon.
const LOST: f64 = 0.0186;

/// The hazards of one person by month, with work and other exits at the end of a month.
fn risk_and_mean(work: f64) -> (f64, f64) {
    let (mut free, mut risk, mut mean) = (1.0, 0.0, 0.0);
    for _ in 0..12 {
        mean += free;
        risk += free * work;
        free *= 1.0 - work - OTHER;
    }
    (risk, mean)
}

/// Averaged over a covariate of -1 and 1 that multiplies the hazard of work.
fn averaged(work: f64) -> (f64, f64) {
    let [low, high] = [-1.0, 1.0].map(|x: f64| risk_and_mean(work * (0.5 * x).exp()));
    (0.5 * (low.0 + high.0), 0.5 * (low.1 + high.1))
}

/// The hazard with which this is the risk at the horizon.
fn hazard(risk: f64) -> f64 {
    let (mut low, mut high) = (0.0, 0.2);
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if averaged(middle).0 < risk { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// A month and a reason; everybody is followed for 14 months at most.
fn exit(work: f64, stream: &mut Stream) -> (f64, &'static str) {
    for month in 1..=14 {
        let draw = stream.uniform();
        if draw < work {
            return (f64::from(month), "work");
        }
        if draw < work + OTHER {
            return (f64::from(month), "other");
        }
        if stream.uniform() < LOST {
            return (f64::from(month), "none");
        }
    }
    (14.0, "none")
}

pub(crate) fn exits() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let control = RATES[setting];
        let treated_risk = if truth == Truth::Effect { 1.5 * control } else { control };
        let hazards = [hazard(control), hazard(treated_risk)];
        let treated = assignment(PER_ARM[size], stream);
        let x: Vec<f64> = treated.iter().map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
        let people = treated.iter().zip(&x);
        let seen: Vec<(f64, &str)> = people
            .map(|(treated, x)| exit(hazards[usize::from(*treated)] * (0.5 * x).exp(), stream))
            .collect();
        let table = Table::new()
            .with_categories("arm", labels(&treated))
            .and_then(|table| table.with_reals("month", seen.iter().map(|seen| seen.0)))
            .and_then(|table| table.with_categories("reason", seen.iter().map(|seen| seen.1)))
            .and_then(|table| table.with_reals("x", x))
            .unwrap();
        let trial = Trial::builder("city", table).arm_labels("arm").control("c").build().unwrap();
        let exits = EXIT.may_be_absent();
        let comparison = trial.on(&exits).unwrap();
        let [(r0, m0), (r1, m1)] = hazards.map(averaged);
        let risk = RiskAtHorizon::new(RiskDifference, HORIZON);
        let mean = RestrictedMeanTime::new(MeanDifference, HORIZON);
        vec![
            Answer::of(r1 - r0, comparison.estimate(&risk)),
            Answer::of(r1 - r0, comparison.estimate(&risk.adjust_for(["x"]))),
            Answer::of((r1 / r0).ln(), comparison.estimate(&RiskAtHorizon::new(LogRiskRatio, HORIZON))),
            Answer::of(m1 - m0, comparison.estimate(&mean)),
            Answer::of(m1 - m0, comparison.estimate(&mean.adjust_for(["x"]))),
        ]
    };
    Study {
        number: 13,
        title: "Months until people leave",
        about: "Columns: risk of work by month 12 under control; 1.5 times as much under treatment. Whole months; 6% leave for another reason \
                and 20% are lost by then. A covariate of two values multiplies the hazard of work by 1.65 or its inverse. Widths of ratios are on the \
                log scale.",
        sizes: sizes(),
        settings: RATES.map(|rate| format!("{:.0}%", 100.0 * rate)).to_vec(),
        methods: vec![
            "`RiskAtHorizon`, difference",
            "`RiskAtHorizon`, adjusted",
            "`RiskAtHorizon`, ratio",
            "`RestrictedMeanTime`",
            "`RestrictedMeanTime`, adjusted",
        ],
        divisor: 2,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("`RiskAtHorizon`, difference", |size, _| size >= 1, [92.0, 97.5]),
            Band::new("`RiskAtHorizon`, adjusted", |size, _| size >= 1, [92.0, 97.5]),
            Band::new("`RestrictedMeanTime`", |size, _| size >= 1, [92.0, 97.5]),
            Band::new("`RestrictedMeanTime`, adjusted", |size, _| size >= 1, [92.0, 97.5]),
        ],
    }
}

/// The hazard per month with which this is the risk by month 12, beside exits for other reasons.
fn constant_hazard(risk: f64) -> f64 {
    let (mut low, mut high) = (0.0, 0.2);
    for _ in 0..60 {
        let work = 0.5 * (low + high);
        let all = work + OTHER;
        if work / all * (1.0 - (-HORIZON * all).exp()) < risk { low = work } else { high = work }
    }
    0.5 * (low + high)
}

/// A time of exponential hazards, told in whole months: who leaves during a month has left at its end.
fn month(work: f64, stream: &mut Stream) -> (f64, &'static str) {
    let mut exponential = |hazard: f64| -(1.0 - stream.uniform()).ln() / hazard;
    let ways = [(exponential(work), "work"), (exponential(OTHER), "other"), (exponential(LOST), "none")];
    let (time, reason) =
        ways.into_iter().fold((14.0, "none"), |first, way| if way.0 < first.0 { way } else { first });
    (time.ceil(), reason)
}

pub(crate) fn hazards() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let log_ratio = if truth == Truth::Effect { 1.5_f64.ln() } else { 0.0 };
        let control = constant_hazard(RATES[setting]);
        let treated = assignment(PER_ARM[size], stream);
        let x: Vec<f64> = treated.iter().map(|_| if stream.uniform() < 0.5 { -1.0 } else { 1.0 }).collect();
        // Without an effect of the covariate, and with one.
        let comparison = |slope: f64, stream: &mut Stream| {
            let hazard = |(treated, x): (&bool, &f64)| {
                control * (log_ratio * f64::from(u8::from(*treated)) + slope * x).exp()
            };
            let seen: Vec<(f64, &str)> =
                treated.iter().zip(&x).map(|person| month(hazard(person), stream)).collect();
            let table = Table::new()
                .with_categories("arm", labels(&treated))
                .and_then(|table| table.with_reals("month", seen.iter().map(|seen| seen.0)))
                .and_then(|table| table.with_categories("reason", seen.iter().map(|seen| seen.1)))
                .and_then(|table| table.with_reals("x", x.iter().copied()))
                .unwrap();
            let trial = Trial::builder("city", table).arm_labels("arm").control("c").build().unwrap();
            trial.on(&EXIT.may_be_absent()).unwrap()
        };
        let (plain, with) = (comparison(0.0, stream), comparison(0.5, stream));
        let robust = CoxRegression::new().variance(CoxVariance::Robust);
        vec![
            Answer::of(log_ratio, plain.estimate(&CoxRegression::new())),
            Answer::of(log_ratio, plain.estimate(&robust)),
            Answer::of(log_ratio, with.estimate(&robust.adjust_for(["x"]))),
            Answer::of(log_ratio, plain.estimate(&CoxRegression::new().firth())),
        ]
    };
    Study {
        number: 16,
        title: "Hazard ratios of leaving for work",
        about: "Columns: risk of work by month 12 under control. The hazard ratio is 1.5 in continuous time, of which whole months are seen \
                (Efron's ties); about 6% leave for another reason and 20% are lost by then. In the adjusted rows a covariate of two values \
                multiplies the hazard by 1.65 or its inverse. Widths are on the log scale; where an arm has no event there is no answer but \
                with Firth's penalty.",
        sizes: sizes(),
        settings: RATES.map(|rate| format!("{:.0}%", 100.0 * rate)).to_vec(),
        methods: vec![
            "`CoxRegression`",
            "`CoxRegression`, robust",
            "`CoxRegression`, robust, adjusted",
            "`CoxRegression`, Firth",
        ],
        divisor: 2,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("`CoxRegression`", |size, _| size >= 1, [92.0, 98.5]),
            Band::new("`CoxRegression`, robust", |size, _| size >= 2, [92.0, 97.5]),
            Band::new("`CoxRegression`, robust, adjusted", |size, _| size >= 2, [92.0, 97.5]),
        ],
    }
}
