//! Trials with a binary outcome.

use super::draw::{Person, Stream, logistic};
use super::study::{Answer, Band, Study, Truth};
use armwise::prelude::*;

const EVENT: Measure<Binary> = Measure::binary("event");
pub(crate) const PER_ARM: [usize; 3] = [60, 180, 700];
const RATES: [f64; 3] = [0.03, 0.08, 0.15];
/// The risk under treatment over that under control.
const RISK_RATIO: f64 = 1.5;

pub(crate) fn sizes() -> Vec<String> {
    PER_ARM.iter().map(ToString::to_string).collect()
}

fn risks(rate: f64, truth: Truth) -> [f64; 2] {
    [rate, if truth == Truth::Effect { RISK_RATIO * rate } else { rate }]
}

fn log_odds(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn rates() -> Vec<String> {
    RATES.iter().map(|rate| format!("{:.0}%", 100.0 * rate)).collect()
}

/// `n` people of each arm, in random order.
pub(crate) fn assignment(n: usize, stream: &mut Stream) -> Vec<bool> {
    let mut treated: Vec<bool> = (0..2 * n).map(|i| i < n).collect();
    stream.shuffle(&mut treated);
    treated
}

/// Blocks of four within strata.
fn blocked(people: &[Person], stream: &mut Stream) -> Vec<bool> {
    let mut waiting = [Vec::new(), Vec::new()];
    let assign = |person: &Person| {
        let block = &mut waiting[usize::from(person.long_term)];
        if block.is_empty() {
            block.extend([false, false, true, true]);
            stream.shuffle(block);
        }
        block.pop().unwrap()
    };
    people.iter().map(assign).collect()
}

pub(crate) fn labels(treated: &[bool]) -> impl Iterator<Item = &'static str> {
    treated.iter().map(|treated| if *treated { "t" } else { "c" })
}

pub(crate) fn unadjusted() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let n = PER_ARM[size] as u64;
        let [p0, p1] = risks(RATES[setting], truth);
        let events = [p0, p1].map(|p| stream.binomial(n, p));
        let counts =
            Comparison::from_counts("city", &EVENT, [("c", events[0], n), ("t", events[1], n)]).unwrap();
        let odds = log_odds(p1) - log_odds(p0);
        vec![
            Answer::of(p1 - p0, counts.estimate(&DifferenceInProportions::new())),
            Answer::of((p1 / p0).ln(), counts.estimate(&RatioOfProportions::new())),
            Answer::of(odds, counts.estimate(&OddsRatio::new())),
        ]
    };
    Study {
        number: 1,
        title: "Binary, without covariates",
        about: "Columns: the risk under control; under treatment it is 1.5 times as large. Widths of ratios are on the log scale.",
        sizes: sizes(),
        settings: rates(),
        methods: vec!["`DifferenceInProportions`", "`RatioOfProportions`", "`OddsRatio`"],
        divisor: 1,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("`DifferenceInProportions`", |_, _| true, [93.5, 98.0]),
            Band::new("`RatioOfProportions`", |size, _| size >= 1, [93.5, 98.0]),
            Band::new("`RatioOfProportions`", |size, _| size == 0, [93.0, 100.0]),
            Band::new("`OddsRatio`", |size, _| size >= 1, [93.5, 98.0]),
            Band::new("`OddsRatio`", |size, _| size == 0, [93.0, 100.0]),
        ],
    }
}

/// People with the same outcomes twice: under complete randomisation, and in blocks within declared strata.
struct Trials {
    simple: Comparison<Binary>,
    stratified: Comparison<Binary>,
}

fn trials(n: usize, intercepts: [f64; 2], stream: &mut Stream) -> Trials {
    let people: Vec<Person> = (0..2 * n).map(|_| Person::draw(stream)).collect();
    let chance: Vec<f64> = people.iter().map(|_| stream.uniform()).collect();
    let treated = assignment(n, stream);
    let in_blocks = blocked(&people, stream);
    let comparison = |treated: &[bool], strata: bool| {
        let events = people.iter().zip(&chance).zip(treated).map(|((person, chance), treated)| {
            *chance < logistic(intercepts[usize::from(*treated)] + person.log_odds())
        });
        let table = Table::new()
            .with_categories("arm", labels(treated))
            .and_then(|table| table.with_flags("event", events))
            .and_then(|table| table.with_reals("x", people.iter().map(|person| person.x)))
            .and_then(|table| table.with_flags("long_term", people.iter().map(|person| person.long_term)))
            .unwrap();
        let builder = Trial::builder("city", table).arm_labels("arm").control("c");
        let builder = if strata { builder.strata(["long_term"]) } else { builder };
        builder.build().unwrap().on(&EVENT).unwrap()
    };
    Trials { simple: comparison(&treated, false), stratified: comparison(&in_blocks, true) }
}

pub(crate) fn adjusted() -> Study {
    let covariates = ["x", "long_term"];
    let intercept = RATES.map(|rate| risks(rate, Truth::Effect).map(Person::intercept));
    let replicate = move |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let [b0, effect] = intercept[setting];
        let b1 = if truth == Truth::Effect { effect } else { b0 };
        let [p0, p1] = risks(RATES[setting], truth);
        let Trials { simple, stratified } = trials(PER_ARM[size], [b0, b1], stream);
        let logistic = LogisticRegression::new().adjust_for(covariates);
        let odds = log_odds(p1) - log_odds(p0);
        // What logistic.marginal(scale) does, for three scales from one fit.
        let prepared = logistic.prepare(&simple).unwrap();
        let means = || prepared.fit().and_then(|fit| fit.arm_means(fit.default_variance()));
        vec![
            Answer::of(p1 - p0, means().and_then(|means| means.contrast(RiskDifference))),
            Answer::of((p1 / p0).ln(), means().and_then(|means| means.contrast(LogRiskRatio))),
            Answer::of(odds, means().and_then(|means| means.contrast(LogOddsRatio))),
            Answer::of(p1 - p0, stratified.estimate(&logistic.marginal(RiskDifference))),
            Answer::of(b1 - b0, simple.estimate(&logistic)),
            Answer::of(p1 - p0, simple.estimate(&LinearRegression::new().adjust_for(covariates))),
            Answer::of(
                p1 - p0,
                simple.estimate(&InverseProbabilityWeighting::new(RiskDifference).adjust_for(covariates)),
            ),
            Answer::of(p1 - p0, simple.estimate(&DoublyRobust::new(RiskDifference).adjust_for(covariates))),
        ]
    };
    Study {
        number: 2,
        title: "Binary, adjusted for a number and a stratum",
        about: "Columns: the risk under control; under treatment it is 1.5 times as large. A normal covariate multiplies the odds by 0.55 per standard \
                deviation, the second of two strata by 0.45. Complete randomisation, but for the row \"stratified\": blocks of four within declared strata.",
        sizes: sizes(),
        settings: rates(),
        methods: vec![
            "logistic, marginal difference",
            "logistic, marginal risk ratio",
            "logistic, marginal odds ratio",
            "logistic, marginal difference, stratified",
            "`LogisticRegression`, conditional",
            "`LinearRegression` of the event",
            "`InverseProbabilityWeighting`",
            "`DoublyRobust`",
        ],
        divisor: 2,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("logistic, marginal difference", |size, _| size >= 1, [92.5, 98.0]),
            Band::new("logistic, marginal risk ratio", |size, _| size >= 1, [92.5, 98.0]),
            Band::new("logistic, marginal odds ratio", |size, _| size >= 1, [92.5, 98.0]),
            Band::new("logistic, marginal difference, stratified", |size, _| size >= 1, [92.5, 98.0]),
            Band::new("`LogisticRegression`, conditional", |size, _| size >= 1, [92.5, 98.0]),
            Band::new("`LinearRegression` of the event", |size, _| size >= 1, [92.5, 98.0]),
            Band::new("`DoublyRobust`", |size, _| size >= 1, [92.5, 98.0]),
            Band::new("logistic, marginal difference", |_, setting| setting >= 1, [92.0, 98.0]),
        ],
    }
}

pub(crate) fn penalised() -> Study {
    let intercept = RATES.map(|rate| risks(rate, Truth::Effect).map(Person::intercept));
    let replicate = move |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let [b0, effect] = intercept[setting];
        let b1 = if truth == Truth::Effect { effect } else { b0 };
        let [p0, p1] = risks(RATES[setting], truth);
        let Trials { simple, .. } = trials(PER_ARM[size], [b0, b1], stream);
        let firth = FirthLogisticRegression::new();
        vec![
            Answer::of(log_odds(p1) - log_odds(p0), simple.estimate(&firth)),
            Answer::of(b1 - b0, simple.estimate(&firth.adjust_for(["x", "long_term"]))),
        ]
    };
    Study {
        number: 9,
        title: "Binary, penalised likelihood",
        about: "People and columns as for the adjusted analyses; fewer replicates, as a profile takes many fits.",
        sizes: sizes(),
        settings: rates(),
        methods: vec!["`FirthLogisticRegression`", "`FirthLogisticRegression`, adjusted"],
        divisor: 10,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("`FirthLogisticRegression`", |_, _| true, [92.0, 100.0]),
            Band::new("`FirthLogisticRegression`, adjusted", |_, _| true, [92.0, 100.0]),
        ],
    }
}

/// The share of people who take the treatment up when it is offered; nobody else does.
const TAKE_UP: [f64; 2] = [0.6, 0.15];

pub(crate) fn compliers() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let (rate, share) = (RATES[setting % 3], TAKE_UP[setting / 3]);
        let [p0, p1] = risks(rate, truth);
        let treated = assignment(PER_ARM[size], stream);
        let received: Vec<bool> =
            treated.iter().map(|treated| stream.uniform() < share && *treated).collect();
        let events: Vec<bool> =
            received.iter().map(|received| stream.uniform() < if *received { p1 } else { p0 }).collect();
        let table = Table::new()
            .with_categories("arm", labels(&treated))
            .and_then(|table| table.with_flags("event", events))
            .and_then(|table| table.with_flags("received", received))
            .unwrap();
        let trial = Trial::builder("city", table).arm_labels("arm").control("c").take_up("received");
        let comparison = trial.build().unwrap().on(&EVENT).unwrap();
        vec![Answer::of(p1 - p0, comparison.estimate(&ComplierAverageEffect::new()))]
    };
    let settings = TAKE_UP
        .iter()
        .flat_map(|share| RATES.map(|rate| format!("{:.0}%, take-up {:.0}%", 100.0 * rate, 100.0 * share)));
    Study {
        number: 3,
        title: "Binary, effect on compliers",
        about: "Columns: the risk under control, and the share of those offered the treatment who take it up; their risk is then 1.5 times as large.",
        sizes: sizes(),
        settings: settings.collect(),
        methods: vec!["`ComplierAverageEffect`"],
        divisor: 1,
        replicate: Box::new(replicate),
        bands: vec![Band::new("`ComplierAverageEffect`", |_, _| true, [92.5, 98.5])],
    }
}
