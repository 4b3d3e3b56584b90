//! Outcomes in waves, and outcomes that are missing: small trials through repeated measures, bounds and imputation.

use crate::files::says;
use crate::support::{Numbers, labelled, survives};
use armwise::Interval;
use armwise::longitudinal::{CovarianceStructure, DfMethod, LikelihoodCriterion, WorkingCorrelation};
use armwise::missing::{Bounds, Imputation, ImputationModel, Selection};
use armwise::prelude::*;
use std::fmt::Write;

const SCORE: Measure<Continuous> = Measure::continuous("w2");
const WORKS: Measure<Binary> = Measure::binary("works");

/// A few people in two or three arms, whose score is seen in some of four waves.
fn people(numbers: &mut Numbers) -> String {
    let mut text = "arm,stratum,cluster,w0,w1,w2,w3,works,contract,visits,amount,before\n".to_owned();
    let missing = [0.0, 0.1, 0.4, 0.8][numbers.below(4)];
    let monotone = numbers.chance(0.4);
    let shape = numbers.below(4);
    for arm in ["control", "guidance", "exemption"].iter().take(2 + numbers.below(2)) {
        let most = [4, 30][numbers.below(2)];
        for _ in 0..1 + numbers.below(most) {
            write!(text, "{arm},{},{}", numbers.below(2), numbers.below(6)).unwrap();
            let start = numbers.next();
            let mut gone = false;
            for wave in 0..4 {
                let lost = numbers.chance(missing);
                gone = if monotone { gone || lost } else { lost };
                let score = match shape {
                    0 => start,
                    1 => (5.0 * numbers.next()).floor(),
                    2 => 1e6 + start + f64::from(wave),
                    _ => 10.0 * start + 3.0 * numbers.next(),
                };
                text += &if gone { ",".to_owned() } else { format!(",{score}") };
            }
            let mut cell = |drawn: String| {
                text += &if numbers.chance(missing) { ",".to_owned() } else { format!(",{drawn}") };
            };
            let works = start < 0.4;
            cell(u8::from(works).to_string());
            cell(["none", "temporary", "permanent"][(start * 97.0) as usize % 3].to_owned());
            cell(((start * 31.0) as usize % 5).to_string());
            cell(if works { (start * 4e3).round().to_string() } else { "0".to_owned() });
            writeln!(text, ",{:.2}", numbers.next()).unwrap();
        }
    }
    text
}

fn trial(numbers: &mut Numbers) -> armwise::Result<Trial> {
    let text = people(numbers);
    let reader = CsvReader::new()
        .real("w0")
        .real("w1")
        .real("w2")
        .real("w3")
        .real("amount")
        .category("contract")
        .category("cluster");
    let mut builder = labelled(reader.text(&text)?, "control");
    if numbers.chance(0.4) {
        builder = builder.strata(["stratum"]);
    }
    if numbers.chance(0.2) {
        builder = builder.clusters("cluster");
    }
    builder.build()
}

/// An answer survives its own JSON and has no NaN in its text; what has none is a sentence.
fn sound<S: Scale>(answer: armwise::Result<Estimates<S>>) -> u64 {
    match answer {
        Ok(estimates) => {
            let text = estimates.to_string();
            assert!(!text.contains("NaN"), "{text}");
            for estimate in estimates.iter() {
                let numbers = [estimate.value(), estimate.se(), estimate.p_value()];
                assert!(numbers.iter().all(|x| x.is_finite()), "{estimate:?}");
                let within = estimate.interval().lower() <= estimate.interval().upper();
                assert!(within, "{estimate:?}");
            }
            survives(&estimates);
        }
        Err(error) => says(&error),
    }
    1
}

fn repeated(trial: &Trial, numbers: &mut Numbers) -> u64 {
    let measure = Measure::<Repeated<Continuous>>::repeated(
        "score",
        &[("start", "w0"), ("first", "w1"), ("second", "w2"), ("third", "w3")],
    );
    let measure = if numbers.chance(0.7) { measure.baseline("start") } else { measure };
    let comparison = match trial.on(&measure) {
        Ok(comparison) => comparison,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    let structure = [
        CovarianceStructure::Unstructured,
        CovarianceStructure::Toeplitz,
        CovarianceStructure::HeterogeneousToeplitz,
        CovarianceStructure::Autoregressive,
        CovarianceStructure::HeterogeneousAutoregressive,
        CovarianceStructure::CompoundSymmetry,
    ][numbers.below(6)];
    let df = [DfMethod::Normal, DfMethod::Satterthwaite, DfMethod::KenwardRoger][numbers.below(3)];
    let mut model = RepeatedMeasures::new(structure).df(df);
    if numbers.chance(0.3) {
        model = model.constrained_baseline();
    }
    if numbers.chance(0.3) {
        model = model.criterion(LikelihoodCriterion::Full);
    }
    let wave = ["first", "second", "third"][numbers.below(3)];
    let mut seen = sound(comparison.estimate(&model.clone().at(wave)));
    match comparison.estimate_waves(&model) {
        Ok(waves) => {
            let text = waves.to_string();
            assert!(!text.contains("NaN"), "{text}");
            survives(&waves);
            seen += sound(waves.averaged()) + sound(waves.change());
            if let Err(error) = waves.simultaneous(0.9) {
                says(&error);
            }
        }
        Err(error) => says(&error),
    }
    let working = [WorkingCorrelation::Independence, WorkingCorrelation::Exchangeable][numbers.below(2)];
    seen + sound(comparison.estimate(&GeneralizedEstimatingEquations::new(working).at(wave)))
        + sound(comparison.estimate(&DifferenceInDifferences::new().at(wave)))
}

fn bounds(trial: &Trial, numbers: &mut Numbers) -> u64 {
    let range = Interval::new(-1.0, 2e6).expect("a range");
    let all = [
        Bounds::worst_case(range),
        Bounds::monotone(range, Selection::MissingNotHigher),
        Bounds::deviations(4.0 * numbers.next()),
        Bounds::trimmed(),
        Bounds::trimmed_by("stratum"),
    ];
    let comparison = match trial.on(&SCORE) {
        Ok(comparison) => comparison,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    for bounds in all {
        match bounds.on(&comparison) {
            Ok(bounded) => {
                assert!(!bounded.to_string().contains("NaN"), "{bounded}");
                survives(&bounded);
            }
            Err(error) => says(&error),
        }
    }
    5
}

fn imputed(trial: &Trial, numbers: &mut Numbers) -> u64 {
    let levels = ["none", "temporary", "permanent"].map(str::to_owned).to_vec();
    let score =
        if numbers.chance(0.5) { ImputationModel::Linear } else { ImputationModel::PredictiveMeanMatching };
    let all = [
        ("w1", ImputationModel::Linear),
        ("w2", score),
        ("works", ImputationModel::Logistic),
        ("contract", ImputationModel::Ordinal { levels }),
        ("visits", ImputationModel::Count),
        ("amount", ImputationModel::TwoPart),
    ];
    let mut plan = Imputation::new(numbers.below(1_000) as u64).predictors(["before"]);
    for (column, model) in all {
        if column == "w2" || numbers.chance(0.4) {
            plan = plan.impute(column, model);
        }
    }
    let imputed = match plan.imputations(2 + numbers.below(2) as u32).iterations(2).run(trial) {
        Ok(imputed) => imputed,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    let mut seen = 1;
    match imputed.on(&SCORE) {
        Ok(comparison) => {
            seen += sound(comparison.estimate(&DifferenceInMeans::new()).map(|all| all.into_estimates()));
        }
        Err(error) => says(&error),
    }
    match imputed.on(&WORKS) {
        Ok(comparison) => {
            let estimated = comparison.estimate(&DifferenceInProportions::new());
            seen += sound(estimated.map(|all| all.into_estimates()));
        }
        Err(error) => says(&error),
    }
    seen
}

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    let trial = match trial(numbers) {
        Ok(trial) => trial,
        Err(error) => {
            says(&error);
            return 1;
        }
    };
    match numbers.below(3) {
        0 => repeated(&trial, numbers),
        1 => bounds(&trial, numbers),
        _ => imputed(&trial, numbers),
    }
}
