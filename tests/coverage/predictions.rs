//! Intervals for the true effect in a new municipality, by the number of municipalities.

use super::draw::Stream;
use super::pools::{cities_with_all_arms, components};
use super::study::{Answer, Band, Found, Study, Truth};
use armwise::meta_analysis::{PredictionDf, PredictionRule};
use armwise::prelude::*;
use armwise::{Interval, Result};

const EVENT: Measure<Binary> = Measure::binary("event");
/// The numbers of municipalities.
const TRIALS: [usize; 8] = [3, 4, 5, 6, 7, 8, 9, 10];
/// Those of the joint models.
const OF_JOINT: [usize; 3] = [3, 6, 10];
/// People in control and treatment, in turn.
const SIZES: [[u64; 2]; 6] = [[92, 91], [298, 148], [102, 101], [195, 195], [179, 177], [138, 68]];
/// Risk under control and tau.
const SETTINGS: [(f64, f64); 4] = [(0.15, 0.0), (0.15, 0.015), (0.15, 0.03), (0.15, 0.06)];
/// Draws of the bootstrap, fewer than the default for time.
const DRAWS: usize = 199;

fn settings() -> Vec<String> {
    SETTINGS.iter().map(|(risk, tau)| format!("{:.0}%, tau {tau}", 100.0 * risk)).collect()
}

fn of_new(truth: f64, interval: Result<Interval>) -> Answer {
    Answer { truth, found: interval.ok().map(|interval| Found { interval, p_value: None }) }
}

pub(crate) fn of_one_treatment() -> Study {
    let replicate = |size: usize, setting: usize, _: Truth, stream: &mut Stream| {
        let (control, tau) = SETTINGS[setting];
        let risk = |p: f64| p.clamp(0.0, 1.0);
        let cities = (0..TRIALS[size]).map(|city| {
            let [n0, n1] = SIZES[city % SIZES.len()];
            let treated = risk(control + tau * stream.normal());
            let counts =
                [("control", stream.binomial(n0, control), n0), ("t", stream.binomial(n1, treated), n1)];
            Comparison::from_counts(format!("city {city}"), &EVENT, counts).unwrap()
        });
        let cities: Vec<Comparison<Binary>> = cities.collect();
        let new = risk(control + tau * stream.normal()) - control;
        let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
        let pooled = RandomEffects::new().pool(&effects.treatment("t").unwrap()).unwrap();
        let rules = [
            PredictionRule::Df(PredictionDf::KMinus1),
            PredictionRule::Df(PredictionDf::KMinus2),
            PredictionRule::ConfidenceDistribution,
            PredictionRule::Nagashima { draws: DRAWS, seed: 1 },
            PredictionRule::ByNumberOfStudies,
        ];
        rules.map(|rule| of_new(new, pooled.prediction_by(rule))).into()
    };
    Study {
        number: 14,
        title: "Predictions for one treatment, 3 to 10 municipalities",
        about: "Columns: the risk under control, and the standard deviation tau of the true risk differences, whose mean is 0. Intervals are to hold the true \
                effect of one more municipality. The sizes of municipalities are those of study 7, in turn.",
        sizes: TRIALS.map(|k| format!("{k} trials")).into(),
        settings: settings(),
        methods: vec![
            "t on k - 1",
            "t on k - 2",
            "confidence distribution of tau2",
            "Nagashima et al., 199 draws",
            "default",
        ],
        divisor: 1,
        replicate: Box::new(replicate),
        bands: vec![Band::new("default", |_, _| true, [86.0, 100.0])],
    }
}

pub(crate) fn of_all_arms() -> Study {
    let replicate = |size: usize, setting: usize, _: Truth, stream: &mut Stream| {
        let (control, tau) = SETTINGS[setting];
        let effects = cities_with_all_arms(OF_JOINT[size], control, tau, 0.0, stream);
        let joint = JointModel::random().pool(&effects);
        let components = components().pool(&effects);
        let mut answers = Vec::new();
        for treatment in ["guidance", "exemption", "earnings"] {
            let new = (control + tau * stream.normal()).clamp(0.0, 1.0) - control;
            for pool in [&joint, &components] {
                answers.push(of_new(
                    new,
                    pool.as_ref().map_err(Clone::clone).and_then(|pool| pool.prediction(treatment)),
                ));
            }
        }
        answers
    };
    Study {
        number: 15,
        title: "Predictions of joint models, all arms",
        about: "Columns as in study 14; no arm has an effect on average, and true effects of a municipality correlate 1/2. Intervals by the confidence distribution \
                of tau2 are to hold the true effect of the arm in one more municipality.",
        sizes: OF_JOINT.map(|k| format!("{k} trials")).into(),
        settings: settings(),
        methods: vec![
            "guidance: joint",
            "guidance: components",
            "exemption: joint",
            "exemption: components",
            "earnings: joint",
            "earnings: components",
        ],
        divisor: 4,
        replicate: Box::new(replicate),
        bands: vec![Band::new("guidance: joint", |_, _| true, [90.0, 100.0])],
    }
}
