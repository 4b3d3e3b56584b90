//! Pooling of the six municipalities, with their arms and numbers of participants (CPB 2022; how a
//! municipality's participants divide over its arms is that of `examples/data/participants.csv`).

use super::draw::Stream;
use super::study::{Answer, Band, Found, Study, Truth};
use armwise::distribution::StudentT;
use armwise::meta_analysis::{CoefficientTest, PredictionDf, Test};
use armwise::pool::PooledCoefficient;
use armwise::prelude::*;
use armwise::{Interval, Result};

const EVENT: Measure<Binary> = Measure::binary("event");

type Arm = (&'static str, u64);

/// The control first; then the arm with guidance, or the one nearest to it.
const CITIES: [(&str, &[Arm]); 6] = [
    ("Deventer", &[("control", 92), ("guidance", 91), ("exemption_remote", 91), ("exemption_on_demand", 90)]),
    (
        "Groningen",
        &[("control", 298), ("guidance", 148), ("exemption", 149), ("earnings", 148), ("free_choice", 147)],
    ),
    ("Nijmegen", &[("control", 102), ("earnings_guidance", 101), ("earnings_free_choice", 101)]),
    (
        "Tilburg",
        &[("control", 195), ("guidance", 195), ("exemption_earnings", 195), ("guidance_earnings", 195)],
    ),
    ("Utrecht", &[("control", 179), ("guidance", 177), ("exemption", 177), ("earnings", 177)]),
    ("Wageningen", &[("control", 138), ("guidance", 68), ("exemption", 69), ("earnings", 135)]),
];

pub(crate) const COMBINATIONS: [(&str, &[&str]); 6] = [
    ("earnings_free_choice", &["earnings", "free_choice"]),
    ("earnings_guidance", &["earnings", "guidance"]),
    ("exemption_earnings", &["exemption", "earnings"]),
    ("guidance_earnings", &["guidance", "earnings"]),
    ("exemption_remote", &["exemption", "remote"]),
    ("exemption_on_demand", &["exemption", "free_choice"]),
];

/// Risk under control and tau.
const SETTINGS: [(f64, f64); 6] =
    [(0.03, 0.0), (0.08, 0.0), (0.08, 0.03), (0.15, 0.0), (0.15, 0.03), (0.15, 0.06)];
/// The mean effect of every component.
pub(crate) const EFFECT: f64 = 0.03;

fn settings() -> Vec<String> {
    SETTINGS.iter().map(|(risk, tau)| format!("{:.0}%, tau {tau}", 100.0 * risk)).collect()
}

fn risk(p: f64) -> f64 {
    p.clamp(0.0, 1.0)
}

fn answer<T>(truth: f64, result: &Result<T>, of: impl FnOnce(&T) -> (Interval, f64)) -> Answer {
    let found = result.as_ref().ok().map(of);
    Answer { truth, found: found.map(|(interval, p_value)| Found { interval, p_value: Some(p_value) }) }
}

/// The pools of one treatment.
fn univariate(truth: f64, tests: &[Option<Test>], effects: &TreatmentEffects<RiskDifference>) -> Vec<Answer> {
    let pool = |test: &Option<Test>| {
        let pool = test.map_or(RandomEffects::new(), |test| RandomEffects::new().test(test));
        answer(truth, &pool.pool(effects), |pooled| (pooled.interval(), pooled.p_value()))
    };
    tests.iter().map(pool).collect()
}

pub(crate) fn one_treatment() -> Study {
    let tests = [
        Some(Test::Normal),
        Some(Test::T),
        Some(Test::HartungKnapp),
        Some(Test::HartungKnappTruncated),
        None,
    ];
    let replicate = move |_: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let (control, tau) = SETTINGS[setting];
        let effect = if truth == Truth::Effect { EFFECT } else { 0.0 };
        let cities = CITIES.map(|(city, arms)| {
            let [(_, n0), (_, n1)] = [arms[0], arms[1]];
            let treated = risk(control + effect + tau * stream.normal());
            let counts =
                [("control", stream.binomial(n0, control), n0), ("t", stream.binomial(n1, treated), n1)];
            Comparison::from_counts(city, &EVENT, counts).unwrap()
        });
        let new = risk(control + effect + tau * stream.normal()) - control;
        let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
        let effects = effects.treatment("t").unwrap();
        let mut answers = univariate(effect, &tests, &effects);
        let common = CommonEffect::new().pool(&effects);
        answers.push(answer(effect, &common, |pooled| (pooled.interval(), pooled.p_value())));
        let pooled = RandomEffects::new().pool(&effects);
        for rule in [PredictionDf::Normal, PredictionDf::KMinus1, PredictionDf::KMinus2] {
            let interval = pooled.as_ref().ok().and_then(|pooled| pooled.prediction_by(rule).ok());
            answers.push(Answer {
                truth: new,
                found: interval.map(|interval| Found { interval, p_value: None }),
            });
        }
        answers
    };
    Study {
        number: 7,
        title: "Six municipalities, one treatment",
        about: "Columns: the risk under control, and the standard deviation tau of the true risk differences; their mean is 3 points. The sizes are those of control \
                and guidance (in Nijmegen guidance with earnings). Prediction intervals are to hold the true effect of a seventh municipality.",
        sizes: vec!["6 trials".to_owned()],
        settings: settings(),
        methods: vec![
            "Wald, z",
            "Wald, t on k - 1",
            "Hartung-Knapp",
            "Hartung-Knapp, factor at least 1",
            "wider of Wald and Hartung-Knapp (default)",
            "`CommonEffect`",
            "prediction, normal",
            "prediction, t on k - 1",
            "prediction, t on k - 2",
        ],
        divisor: 1,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("wider of Wald and Hartung-Knapp (default)", |_, _| true, [92.0, 99.0]),
            Band::new("prediction, t on k - 1", |_, _| true, [82.0, 100.0]),
        ],
    }
}

/// The coefficient with t on one fewer than the trials that tell about it.
fn by_own_trials(coefficient: &PooledCoefficient) -> (Interval, f64) {
    let t = StudentT::new((coefficient.trials.len() - 1) as f64).unwrap();
    let half = t.upper_quantile(0.025) * coefficient.se();
    let interval = Interval::new(coefficient.value() - half, coefficient.value() + half).unwrap();
    (interval, 2.0 * t.sf((coefficient.value() / coefficient.se()).abs()))
}

const SHOWN: [&str; 3] = ["guidance", "exemption", "earnings"];

/// The six municipalities with all their arms, and others like the first of them where more are asked for:
/// every component adds `effect`, and true effects vary by `tau`.
pub(crate) fn cities_with_all_arms(
    trials: usize,
    control: f64,
    tau: f64,
    effect: f64,
    stream: &mut Stream,
) -> Effects<RiskDifference> {
    let cities = (0..trials).map(|trial| {
        let (city, arms) = CITIES[trial % CITIES.len()];
        let city = if trial < CITIES.len() { city.to_owned() } else { format!("{city} too") };
        // A correlation of 1/2 between the true effects of a city.
        let shared = stream.normal();
        let counts: Vec<(&str, u64, u64)> = arms
            .iter()
            .enumerate()
            .map(|(i, (arm, n))| {
                let parts =
                    COMBINATIONS.iter().find(|(name, _)| name == arm).map_or(1, |(_, parts)| parts.len());
                let deviation = tau * std::f64::consts::FRAC_1_SQRT_2 * (shared + stream.normal());
                let p = if i == 0 { control } else { risk(control + parts as f64 * effect + deviation) };
                (*arm, stream.binomial(*n, p), *n)
            })
            .collect();
        Comparison::from_counts(&city, &EVENT, counts).unwrap()
    });
    Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap()
}

/// The component model of these arms.
pub(crate) fn components() -> ComponentModel {
    COMBINATIONS
        .iter()
        .fold(ComponentModel::random(), |model, (arm, parts)| model.arm(arm, parts.iter().copied()))
}

pub(crate) fn several_treatments() -> Study {
    let replicate = |_: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let (control, tau) = SETTINGS[setting];
        let effect = if truth == Truth::Effect { EFFECT } else { 0.0 };
        let effects = cities_with_all_arms(CITIES.len(), control, tau, effect, stream);
        let components = components();
        let joint = [CoefficientTest::Normal, CoefficientTest::TrialsMinus1]
            .map(|test| JointModel::random().test(test).pool(&effects));
        let components = [CoefficientTest::Normal, CoefficientTest::TrialsMinus1]
            .map(|test| components.clone().test(test).pool(&effects));
        let mut answers = Vec::new();
        for treatment in SHOWN {
            let alone = effects.treatment(treatment).unwrap();
            answers.extend(univariate(effect, &[Some(Test::Normal), Some(Test::HartungKnapp), None], &alone));
            let coefficient = |pool: &Result<JointlyPooled<RiskDifference>>, own: bool| {
                answer(effect, pool, |pooled| {
                    let found = pooled.coefficient(treatment).unwrap();
                    if own { by_own_trials(found) } else { (found.interval(), found.p_value()) }
                })
            };
            answers.extend([
                coefficient(&joint[0], false),
                coefficient(&joint[1], false),
                coefficient(&joint[1], true),
            ]);
            answers.extend([coefficient(&components[0], false), coefficient(&components[1], false)]);
        }
        answers
    };
    Study {
        number: 8,
        title: "Six municipalities, all arms",
        about: "Columns as before. Every arm adds 3 points for each of its components; tau is that of every arm, the true effects of a municipality correlate 1/2. \
                Guidance is an arm of its own in five municipalities, exemption and earnings in three.",
        sizes: vec!["6 trials".to_owned()],
        settings: settings(),
        methods: vec![
            "guidance: alone, Wald",
            "guidance: alone, Hartung-Knapp",
            "guidance: alone, wider of both",
            "guidance: joint, z",
            "guidance: joint, t on 5 (default)",
            "guidance: joint, t on 4",
            "guidance: components, z",
            "guidance: components, t on 5 (default)",
            "exemption: alone, Wald",
            "exemption: alone, Hartung-Knapp",
            "exemption: alone, wider of both",
            "exemption: joint, z",
            "exemption: joint, t on 5 (default)",
            "exemption: joint, t on 2",
            "exemption: components, z",
            "exemption: components, t on 5 (default)",
            "earnings: alone, Wald",
            "earnings: alone, Hartung-Knapp",
            "earnings: alone, wider of both",
            "earnings: joint, z",
            "earnings: joint, t on 5 (default)",
            "earnings: joint, t on 2",
            "earnings: components, z",
            "earnings: components, t on 5 (default)",
        ],
        divisor: 1,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("guidance: joint, t on 5 (default)", |_, _| true, [94.0, 100.0]),
            Band::new("guidance: components, t on 5 (default)", |_, _| true, [94.0, 100.0]),
            Band::new("exemption: joint, t on 5 (default)", |_, _| true, [94.0, 100.0]),
            Band::new("exemption: components, t on 5 (default)", |_, _| true, [94.0, 100.0]),
            Band::new("earnings: joint, t on 5 (default)", |_, _| true, [94.0, 100.0]),
            Band::new("earnings: components, t on 5 (default)", |_, _| true, [94.0, 100.0]),
        ],
    }
}
