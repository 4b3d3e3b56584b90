//! Repeated measures: refusals, digits and convergence of the numeric layer.

use armwise::longitudinal::{
    CorrelationMoments, CovarianceStructure, DfMethod, EquationsVariance, EstimatingEquations, MixedModel,
    MixedModelFit, WaveMeans, Waves, WorkingCorrelation,
};
use armwise::regression::Family;

/// Numbers in (0, 1) that look random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as f64 + 0.5) / f64::from(1_u32 << 31)
    }

    /// Nearly normal.
    fn noise(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

#[derive(Default)]
struct Rows {
    outcome: Vec<f64>,
    unit: Vec<u32>,
    wave: Vec<u32>,
    group: Vec<u32>,
}

/// Units of two groups in waves with these numbers, a fifth of the outcomes missing; a share of each wave follows from the
/// one before it.
fn rows(seed: u64, units: u32, numbers: &[u32], follows: f64) -> Rows {
    let mut random = Numbers(seed);
    let mut rows = Rows::default();
    for unit in 0..units {
        let mut own = random.noise();
        for (place, &wave) in numbers.iter().enumerate() {
            own = follows * own + (1.0 - follows * follows).sqrt() * random.noise();
            if place == 0 || random.next() > 0.2 {
                rows.outcome.push(50.0 + (5.0 + place as f64) * own + f64::from(unit % 2 * wave));
                rows.unit.push(unit);
                rows.wave.push(wave);
                rows.group.push(unit % 2);
            }
        }
    }
    rows
}

fn fit(rows: &Rows, structure: CovarianceStructure) -> armwise::Result<MixedModelFit> {
    let waves = Waves::new(&rows.outcome, &rows.unit, &rows.wave)?;
    MixedModel::new(structure).fit(&WaveMeans::new(&waves, 2, &rows.group)?)
}

#[test]
fn every_structure_converges() {
    let (mut failed, mut most) = (Vec::new(), 0);
    for seed in 0..40 {
        for (units, numbers, follows) in [
            (30, &[1_u32, 2, 3][..], 0.7),
            (60, &[1, 2, 4, 5], 0.4),
            (24, &[0, 1, 2, 3], 0.9),
            (40, &[1, 3], -0.3),
        ] {
            let rows = rows(seed, units, numbers, follows);
            for structure in CovarianceStructure::ALL {
                match fit(&rows, structure) {
                    Ok(fit) => most = most.max(fit.steps),
                    Err(error) => failed.push(format!("{structure}, seed {seed}, {units} units: {error}")),
                }
            }
        }
    }
    println!("at most {most} steps");
    assert!(failed.is_empty() && most < 150, "{} of 1120: {}", failed.len(), failed.join("\n"));
}

#[test]
fn a_level_costs_no_digits() {
    let rows = rows(3, 40, &[1, 2, 3], 0.6);
    let effect = |rows: &Rows| {
        let fit = fit(rows, CovarianceStructure::Unstructured).unwrap();
        fit.coefficient(fit.effect(1, 3).unwrap().to_vec(), DfMethod::Satterthwaite, 0.95).unwrap()
    };
    let own = effect(&rows);
    let far = Rows { outcome: rows.outcome.iter().map(|y| y + 1e8).collect(), ..rows };
    let other = effect(&far);
    assert!((own.estimate - other.estimate).abs() < 1e-6 && (own.se - other.se).abs() < 1e-6);
    assert!((own.df.unwrap() - other.df.unwrap()).abs() < 1e-4);
    // The means of groups are those of the coefficients.
    let fit = fit(&far, CovarianceStructure::Unstructured).unwrap();
    let mean = |group| {
        fit.coefficient(fit.mean(group, 3, &[]).unwrap().to_vec(), DfMethod::KenwardRoger, 0.95).unwrap()
    };
    assert!((mean(1).estimate - mean(0).estimate - own.estimate).abs() < 1e-6);
    assert!(fit.mean(2, 3, &[]).is_err() && fit.mean(0, 4, &[]).is_err() && fit.effect(0, 1).is_err());
}

#[test]
fn what_is_no_repeated_measure_is_refused() {
    let name = |error: armwise::Error| error.kind().name();
    let twice = Waves::new(&[1.0, 2.0, 3.0], &[0, 0, 1], &[1, 1, 1]).unwrap_err();
    assert!(twice.to_string().contains("unit 0 is measured twice in wave 1"), "{twice}");
    assert_eq!(name(twice), "bad_waves");
    assert_eq!(name(Waves::new(&[f64::NAN], &[0], &[1]).unwrap_err()), "invalid_input");
    assert_eq!(name(Waves::new(&[], &[], &[]).unwrap_err()), "insufficient_observations");
    let waves = Waves::new(&[1.0, 2.0, 3.0, 5.0], &[0, 0, 1, 1], &[1, 2, 1, 2]).unwrap();
    assert_eq!(name(waves.clone().declared([1, 2, 3]).unwrap_err()), "bad_waves");
    assert_eq!(name(WaveMeans::new(&waves, 2, &[0, 1, 1, 1]).unwrap_err()), "bad_waves");
    assert_eq!(name(WaveMeans::new(&waves, 2, &[0, 0, 2, 2]).unwrap_err()), "invalid_input");
    let means = WaveMeans::new(&waves, 2, &[0, 0, 1, 1]).unwrap();
    assert_eq!(name(means.clone().covariate("x", &[1.0, 2.0, 0.0, 0.0]).unwrap_err()), "invalid_input");
    // One unit in each group leaves no residual.
    let model = MixedModel::new(CovarianceStructure::Unstructured);
    assert_eq!(name(model.fit(&means).unwrap_err()), "zero_variance");
    // A group without outcomes in a wave.
    let rows = Rows {
        outcome: vec![1.0, 2.0, 4.0, 3.0, 2.0, 5.0],
        unit: vec![0, 0, 1, 1, 2, 3],
        wave: vec![1, 2, 1, 2, 1, 1],
        group: vec![0, 0, 0, 0, 1, 1],
    };
    let error = fit(&rows, CovarianceStructure::Unstructured).unwrap_err();
    assert!(error.to_string().contains("group 1:wave 2"), "{error}");
    // The second wave is twice the first.
    let y = [1.0, 2.0, 2.0, 4.0, 4.0, 8.0, 3.0, 6.0, 5.0, 10.0, 4.0, 8.0];
    let rows = Rows {
        outcome: y.to_vec(),
        unit: (0..12).map(|row| row / 2).collect(),
        wave: (0..12).map(|row| row % 2).collect(),
        group: (0..12).map(|row| row / 6).collect(),
    };
    assert_eq!(name(fit(&rows, CovarianceStructure::Unstructured).unwrap_err()), "not_estimable");
    // One unit with all waves, and others with one.
    let rows = Rows {
        outcome: vec![1.0, 2.0, 4.0, 3.0, 2.0, 5.0, 4.0],
        unit: vec![0, 0, 1, 2, 3, 4, 5],
        wave: vec![1, 2, 1, 2, 1, 2, 1],
        group: vec![0, 0, 0, 0, 1, 1, 1],
    };
    for structure in CovarianceStructure::ALL {
        let _ = fit(&rows, structure);
    }
}

#[test]
fn working_correlations_that_are_none_are_refused() {
    let rows = rows(5, 30, &[1, 2, 3], 0.5);
    let waves = Waves::new(&rows.outcome, &rows.unit, &rows.wave).unwrap();
    let means = WaveMeans::new(&waves, 2, &rows.group).unwrap();
    let equations = |correlation| EstimatingEquations::new(Family::Gaussian, correlation);
    let all = equations(WorkingCorrelation::Exchangeable).moments(CorrelationMoments::AllPairs);
    assert_eq!(all.fit_means(&means).unwrap_err().kind().name(), "invalid_input");
    let gamma = EstimatingEquations::new(Family::Gamma, WorkingCorrelation::Exchangeable);
    assert_eq!(gamma.fit_means(&means).unwrap_err().kind().name(), "invalid_input");
    for correlation in WorkingCorrelation::ALL {
        let fit = equations(correlation).fit_means(&means).unwrap();
        let se = |variance| fit.covariance(variance).unwrap()[[3, 3]].sqrt();
        let [robust, carroll, mancl] =
            [EquationsVariance::Robust, EquationsVariance::KauermannCarroll, EquationsVariance::ManclDeRouen]
                .map(se);
        assert!(robust < carroll && carroll < mancl, "{correlation}: {robust} {carroll} {mancl}");
    }
    // No unit has neighbouring waves.
    let y = [1.0, 2.0, 3.0, 5.0, 2.0, 4.0, 6.0, 5.0];
    let waves = Waves::new(&y, &[0, 0, 1, 1, 2, 2, 3, 3], &[1, 3, 1, 3, 1, 3, 1, 3]).unwrap();
    let means = WaveMeans::new(&waves, 2, &[0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
    let error = equations(WorkingCorrelation::Autoregressive).fit_means(&means).unwrap_err();
    assert_eq!(error.kind().name(), "insufficient_observations");
}
