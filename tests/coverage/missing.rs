//! Trials in which those who started low are seen less often, more so in one arm: missing at random given arm and
//! baseline.

use super::binary::{PER_ARM, assignment, labels, sizes};
use super::draw::{Stream, logistic};
use super::study::{Answer, Band, Study, Truth};
use armwise::missing::{Imputation, ImputationModel};
use armwise::prelude::*;

const SCORE: Measure<Continuous> = Measure::continuous("score");

/// The effect in standard deviations of the score under control.
const SHIFT: f64 = 0.3;

/// The slopes of the log odds of being seen on the baseline, of control and treatment.
const SLOPES: [[f64; 2]; 2] = [[1.0, 0.0], [1.5, -0.5]];

pub(crate) fn scores() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let shift = if truth == Truth::Effect { SHIFT } else { 0.0 };
        let treated = assignment(PER_ARM[size], stream);
        let x: Vec<f64> = treated.iter().map(|_| stream.normal()).collect();
        let scores: Vec<Option<f64>> = treated
            .iter()
            .zip(&x)
            .map(|(treated, x)| {
                let score = 0.6 * x + 0.8 * stream.normal() + if *treated { shift } else { 0.0 };
                let seen = stream.uniform() < logistic(0.7 + SLOPES[setting][usize::from(*treated)] * x);
                seen.then_some(score)
            })
            .collect();
        let seed = (stream.uniform() * 1e15).to_bits();
        let table = Table::new()
            .with_categories("arm", labels(&treated))
            .and_then(|table| table.with_reals("score", scores))
            .and_then(|table| table.with_reals("x", x))
            .unwrap();
        let trial = Trial::builder("city", table).arm_labels("arm").control("c").build().unwrap();
        let comparison = trial.on(&SCORE).unwrap();
        let means = DifferenceInMeans::new();
        let imputed = |model: ImputationModel| {
            let imputed = Imputation::new(seed).impute("score", model).predictors(["x"]).run(&trial)?;
            Ok(imputed.on(&SCORE)?.estimate(&means)?.into_estimates())
        };
        let weighted = InverseProbabilityWeighting::new(MeanDifference).of_observation().adjust_for(["x"]);
        vec![
            Answer::of(shift, comparison.estimate(&means)),
            Answer::of(shift, comparison.estimate(&weighted)),
            Answer::of(shift, imputed(ImputationModel::Linear)),
            Answer::of(shift, imputed(ImputationModel::PredictiveMeanMatching)),
        ]
    };
    Study {
        number: 60,
        title: "Missing at random",
        about: "Columns: the slopes of the log odds of being seen on the baseline, of control and treatment; a third is missing. The baseline correlates 0.6 \
                with the score; the effect is 0.3 standard deviations. Imputation: 20 draws within arms from the baseline; weights from arm and baseline, whose model lacks \
                that the slopes differ.",
        sizes: sizes(),
        settings: SLOPES.iter().map(|[control, treatment]| format!("{control:.1}, {treatment:.1}")).collect(),
        methods: vec![
            "complete cases",
            "weights of observation",
            "imputation, linear",
            "imputation, matching",
        ],
        divisor: 4,
        replicate: Box::new(replicate),
        bands: vec![
            Band::new("imputation, linear", |size, _| size > 0, [92.5, 97.5]),
            Band::new("complete cases", |size, _| size == 2, [0.0, 90.0]),
        ],
    }
}
