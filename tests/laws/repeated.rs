//! Laws of repeated measures: the numeric layer and the estimators of waves.

// People, arms and waves are few.
#![allow(clippy::cast_possible_truncation)]

use crate::support::survives;
use armwise::Error;
use armwise::longitudinal::{
    CovarianceStructure, DfMethod, EquationsVariance, LikelihoodCriterion, MixedModel, MixedModelFit,
    WaveMeans, Waves, WorkingCorrelation,
};
use armwise::ndarray::Array2;
use armwise::prelude::*;
use proptest::prelude::*;

const WAVES: usize = 3;

/// A person: arm, baseline, outcomes, and which of them are missing.
type Person = (u8, f64, [f64; WAVES], [bool; WAVES]);

/// People of three arms with outcomes that are correlated over waves, some of them missing.
fn people() -> impl Strategy<Value = Vec<Person>> {
    let noise = || prop::array::uniform3(-10.0..10.0_f64);
    let person = (20.0..80.0_f64, -12.0..12.0_f64, noise(), prop::array::uniform3(0..4_u8));
    prop::collection::vec(person, 36..60).prop_map(|all| {
        let of = |(i, (baseline, own, noise, missing)): (usize, (f64, f64, [f64; 3], [u8; 3]))| {
            let arm = (i % 3) as u8;
            let outcome = |w: usize| {
                0.5 * baseline + own + noise[w] + f64::from(arm) * (w as f64 + 1.0) + 3.0 * w as f64
            };
            // Everybody answers one wave or more; the first nine answer all.
            let gone = |w: usize| i >= 9 && w > 0 && missing[w] == 0;
            (arm, baseline, std::array::from_fn(outcome), std::array::from_fn(gone))
        };
        all.into_iter().enumerate().map(of).collect()
    })
}

fn complete(people: &[Person]) -> Vec<Person> {
    people.iter().map(|&(arm, baseline, outcomes, _)| (arm, baseline, outcomes, [false; WAVES])).collect()
}

/// The people in long form: outcome, unit, wave, group, baseline.
struct Rows {
    outcome: Vec<f64>,
    unit: Vec<u32>,
    wave: Vec<u32>,
    group: Vec<u32>,
    baseline: Vec<f64>,
}

impl Rows {
    fn new(people: &[Person]) -> Self {
        let mut rows = Self { outcome: vec![], unit: vec![], wave: vec![], group: vec![], baseline: vec![] };
        for (unit, (arm, baseline, outcomes, missing)) in (0..).zip(people) {
            for wave in 0..WAVES {
                if !missing[wave] {
                    rows.outcome.push(outcomes[wave]);
                    rows.unit.push(unit);
                    rows.wave.push(wave as u32);
                    rows.group.push(u32::from(*arm));
                    rows.baseline.push(*baseline);
                }
            }
        }
        rows
    }

    fn fit(&self, model: MixedModel, with_baseline: bool) -> Result<MixedModelFit, Error> {
        let waves = Waves::new(&self.outcome, &self.unit, &self.wave)?;
        let mut means = WaveMeans::new(&waves, 3, &self.group)?;
        if with_baseline {
            means = means.covariate_by_wave("baseline", &self.baseline)?;
        }
        model.fit(&means)
    }
}

const MEASURE: Measure<Repeated<Continuous>> =
    Measure::repeated("score", &[("start", "w0"), ("first", "w1"), ("second", "w2"), ("third", "w3")])
        .baseline("start");

fn trial(people: &[Person]) -> Trial {
    let mut text = "arm,w0,w1,w2,w3\n".to_owned();
    for (arm, baseline, outcomes, missing) in people {
        text += &format!("{},{baseline}", ["c", "t", "u"][*arm as usize]);
        for wave in 0..WAVES {
            text += &if missing[wave] { ",".to_owned() } else { format!(",{}", outcomes[wave]) };
        }
        text.push('\n');
    }
    let table = Table::from_csv_str(&text).unwrap();
    Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap()
}

fn near(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + b.abs())
}

/// The mean and the sum of squares around it.
fn moments(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean, values.iter().map(|y| (y - mean).powi(2)).sum())
}

/// The difference of group 1 from the first, and its standard error with one variance of all three groups.
fn student(people: &[Person], value: impl Fn(&Person) -> f64) -> (f64, f64) {
    let of = |arm: u8| people.iter().filter(|own| own.0 == arm).map(&value).collect::<Vec<f64>>();
    let groups = [of(0), of(1), of(2)];
    let parts: Vec<(f64, f64)> = groups.iter().map(|own| moments(own)).collect();
    let n: usize = groups.iter().map(Vec::len).sum();
    let variance = parts.iter().map(|part| part.1).sum::<f64>() / (n as f64 - 3.0);
    let sizes = 1.0 / groups[0].len() as f64 + 1.0 / groups[1].len() as f64;
    (parts[1].0 - parts[0].0, (variance * sizes).sqrt())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn without_dropout_each_wave_is_a_difference_in_means(people in people()) {
        let people = complete(&people);
        let fit = Rows::new(&people).fit(MixedModel::new(CovarianceStructure::Unstructured), false).unwrap();
        let df = people.len() as f64 - 3.0;
        for wave in 0..WAVES {
            let (value, se) = student(&people, |own| own.2[wave]);
            for method in [DfMethod::Satterthwaite, DfMethod::KenwardRoger] {
                let own = fit.coefficient(fit.effect(1, wave as u32).unwrap().to_vec(), method, 0.95).unwrap();
                prop_assert!(near(own.estimate, value, 1e-9) && near(own.se, se, 1e-7), "{own:?} {value} {se}");
                prop_assert!(near(own.df.unwrap(), df, 1e-6), "{own:?} {df}");
            }
        }
        // All waves at once: the denominator of Satterthwaite is that of each; Kenward-Roger's F is
        // Hotelling's T2.
        let rows: Vec<_> = (0..WAVES as u32).map(|wave| fit.effect(1, wave).unwrap()).collect();
        let rows = Array2::from_shape_fn((WAVES, fit.names.len()), |(i, j)| rows[i][j]);
        let satterthwaite = fit.joint_test(&rows, DfMethod::Satterthwaite).unwrap();
        prop_assert!(near(satterthwaite.denominator_df.unwrap(), df, 1e-6));
        let exact = fit.kenward_roger_test(&rows).unwrap();
        let denominator = df - WAVES as f64 + 1.0;
        let wald = fit.joint_test(&rows, DfMethod::Normal).unwrap().statistic;
        prop_assert!(near(exact.denominator_df, denominator, 1e-6), "{exact:?} {denominator}");
        prop_assert!(near(exact.f, wald * denominator / (df * WAVES as f64), 1e-6), "{exact:?} {wald}");
    }

    #[test]
    fn compound_symmetry_without_dropout_compares_means_of_people(people in people()) {
        let people = complete(&people);
        let fit = Rows::new(&people).fit(MixedModel::new(CovarianceStructure::CompoundSymmetry), false).unwrap();
        let average = fit.average(1, &[0, 1, 2]).unwrap().to_vec();
        let (value, se) = student(&people, |own| own.2.iter().sum::<f64>() / WAVES as f64);
        for method in [DfMethod::Satterthwaite, DfMethod::KenwardRoger] {
            let own = fit.coefficient(&average, method, 0.95).unwrap();
            prop_assert!(near(own.estimate, value, 1e-9) && near(own.se, se, 1e-7));
            prop_assert!(near(own.df.unwrap(), people.len() as f64 - 3.0, 1e-6), "{own:?}");
        }
    }

    #[test]
    fn two_waves_with_one_baseline_mean_are_an_analysis_of_covariance(people in people()) {
        // By maximum likelihood the density of both waves is that of the baseline and of the outcome given
        // it, each with parameters of its own: the effect is the coefficient of the arm beside the baseline.
        let people = complete(&people);
        let measure = Measure::repeated("score", &[("start", "w0"), ("third", "w3")]).baseline("start");
        let trial = trial(&people);
        let model = RepeatedMeasures::unstructured().constrained_baseline().criterion(LikelihoodCriterion::Full);
        let waves = trial.on(&measure).unwrap().estimate_waves(&model).unwrap();
        let ancova = LinearRegression::new().adjust_for(["w0"]);
        let ancova = trial.on(&Measure::continuous("w3")).unwrap().estimate(&ancova).unwrap();
        for arm in ["t", "u"] {
            let (own, other) = (waves.at("third").unwrap(), &ancova);
            prop_assert!(near(own.treatment(arm).unwrap().value(), other.treatment(arm).unwrap().value(), 1e-7));
        }
    }

    #[test]
    fn units_rows_and_arms_do_not_matter(people in people(), c in 0.001..1000.0_f64) {
        for structure in CovarianceStructure::ALL {
            let model = MixedModel::new(structure);
            let Ok(fit) = Rows::new(&people).fit(model, true) else { continue };
            let effect = |fit: &MixedModelFit, group| {
                let row = fit.effect(group, 2).unwrap().to_vec();
                fit.coefficient(row, DfMethod::Satterthwaite, 0.95).unwrap()
            };
            let own = effect(&fit, 1);
            // Another unit.
            let scaled: Vec<Person> =
                people.iter().map(|&(arm, x, y, gone)| (arm, x, y.map(|y| c * y), gone)).collect();
            let other = effect(&Rows::new(&scaled).fit(model, true).unwrap(), 1);
            prop_assert!(near(other.estimate / c, own.estimate, 1e-7), "{structure} {own:?} {other:?}");
            prop_assert!(near(other.se / c, own.se, 1e-7) && near(other.df.unwrap(), own.df.unwrap(), 1e-5));
            // Another order of people, and the arms by other codes.
            let back: Vec<Person> =
                people.iter().rev().map(|&(arm, x, y, gone)| ([0, 2, 1][arm as usize], x, y, gone)).collect();
            let other = effect(&Rows::new(&back).fit(model, true).unwrap(), 2);
            prop_assert!(near(other.estimate, own.estimate, 1e-7) && near(other.se, own.se, 1e-7));
        }
    }

    #[test]
    fn kenward_roger_is_never_below_the_model(people in people()) {
        for structure in CovarianceStructure::ALL.into_iter().filter(|structure| structure.is_linear()) {
            let Ok(fit) = Rows::new(&people).fit(MixedModel::new(structure), true) else { continue };
            let adjusted = fit.kenward_roger_covariance().unwrap();
            for (own, model) in adjusted.diag().iter().zip(fit.covariance.diag()) {
                prop_assert!(*own >= model * (1.0 - 1e-9));
            }
            // One combination tested as several is the square of its t.
            let row = fit.effect(1, 2).unwrap();
            let all = Array2::from_shape_fn((1, row.len()), |(_, j)| row[j]);
            for method in [DfMethod::Satterthwaite, DfMethod::KenwardRoger] {
                let (one, test) = (
                    fit.coefficient(row.to_vec(), method, 0.95).unwrap(),
                    fit.joint_test(&all, method).unwrap(),
                );
                prop_assert!(near(test.statistic, one.statistic.powi(2), 1e-8));
                prop_assert!(near(test.denominator_df.unwrap(), one.df.unwrap(), 1e-6));
                prop_assert!(near(test.p_value, one.p_value, 1e-6));
            }
        }
    }

    #[test]
    fn slopes_of_the_likelihood_vanish_and_its_curvature_is_the_information(people in people()) {
        // A second route to the likelihood: the density of each person, at the fitted means and covariance.
        let rows = Rows::new(&people);
        let model = MixedModel::new(CovarianceStructure::HeterogeneousAutoregressive)
            .criterion(LikelihoodCriterion::Full);
        let Ok(fit) = rows.fit(model, true) else { return Ok(()) };
        let waves = Waves::new(&rows.outcome, &rows.unit, &rows.wave).unwrap();
        let means = WaveMeans::new(&waves, 3, &rows.group).unwrap();
        let design = means.covariate_by_wave("baseline", &rows.baseline).unwrap().design();
        let residuals = &armwise::ndarray::Array1::from(rows.outcome.clone()) - &design.dot(&fit.coefficients);
        let density = |theta: &[f64]| -> f64 {
            let sigma = |a: usize, b: usize| {
                theta[a] * theta[b] * theta[WAVES].powi(i32::try_from(a.abs_diff(b)).unwrap())
            };
            let mut sum = 0.0;
            for unit in 0..people.len() as u32 {
                let own: Vec<usize> = (0..rows.unit.len()).filter(|&row| rows.unit[row] == unit).collect();
                // The outcomes one after the other, each given those before it.
                let m = own.len();
                let mut lower = vec![vec![0.0_f64; m]; m];
                let mut z = vec![0.0; m];
                for i in 0..m {
                    for j in 0..=i {
                        let done: f64 = (0..j).map(|k| lower[i][k] * lower[j][k]).sum();
                        let rest = sigma(rows.wave[own[i]] as usize, rows.wave[own[j]] as usize) - done;
                        lower[i][j] = if i == j { rest.sqrt() } else { rest / lower[j][j] };
                    }
                    let done: f64 = (0..i).map(|k| lower[i][k] * z[k]).sum();
                    z[i] = (residuals[own[i]] - done) / lower[i][i];
                    sum -= 0.5 * (2.0 * std::f64::consts::PI).ln() + lower[i][i].ln() + 0.5 * z[i] * z[i];
                }
            }
            sum
        };
        let theta = fit.parameters.to_vec();
        prop_assert!(near(density(&theta), fit.log_likelihood, 1e-9));
        for i in 0..theta.len() {
            let step = 1e-4 * (0.1 + theta[i].abs());
            let moved = |by: f64| {
                let mut moved = theta.clone();
                moved[i] += by * step;
                density(&moved)
            };
            let slope = (moved(1.0) - moved(-1.0)) / (2.0 * step);
            let scale = fit.observed_information[[i, i]].sqrt();
            prop_assert!(slope.abs() < 1e-4 * scale, "{slope} {scale}");
            // With the means held: at least the curvature of the profile.
            let curvature = -(moved(1.0) - 2.0 * moved(0.0) + moved(-1.0)) / (step * step);
            prop_assert!(curvature > fit.observed_information[[i, i]] * (1.0 - 1e-3));
        }
    }

    #[test]
    fn effects_of_waves_belong_together(people in people()) {
        let comparison = trial(&people).on(&MEASURE).unwrap();
        let model = RepeatedMeasures::unstructured().df(DfMethod::Satterthwaite);
        let waves = comparison.estimate_waves(&model).unwrap();
        survives(&waves);
        let names = ["first", "second", "third"];
        let at = |name: &str| waves.at(name).unwrap().treatment("t").unwrap().value();
        let mean = names.iter().map(|name| at(name)).sum::<f64>() / 3.0;
        prop_assert!(near(waves.averaged().unwrap().treatment("t").unwrap().value(), mean, 1e-9));
        let change = waves.change().unwrap().treatment("t").unwrap();
        prop_assert!(near(change.value(), at("third") - at("first"), 1e-8));
        let v = |i: usize, j: usize| waves.covariance[[2 * i, 2 * j]];
        prop_assert!(near(change.se(), (v(0, 0) + v(2, 2) - 2.0 * v(0, 2)).sqrt(), 1e-8));
        let together = waves.simultaneous(0.95).unwrap();
        for (one, own) in together.contrasts.iter().zip(waves.waves.iter().flat_map(|one| one.estimates.iter())) {
            prop_assert!(one.interval.lower() <= own.interval().lower() && one.p_value >= own.p_value() - 2e-4);
        }
        // The wave of an estimator is that of all waves.
        let alone = comparison.estimate(&model.clone().at("second")).unwrap();
        prop_assert_eq!(&alone, &waves.at("second").unwrap());
        // The normal distribution by maximum likelihood.
        let full = comparison.estimate(&model.df(DfMethod::Normal).criterion(LikelihoodCriterion::Full)).unwrap();
        prop_assert!(full.treatment("t").unwrap().df().is_none());
    }

    #[test]
    fn equations_without_dropout_ignore_the_working_correlation(people in people()) {
        let people = complete(&people);
        let measure = Measure::repeated("score", &[("first", "w1"), ("second", "w2"), ("third", "w3")]);
        let comparison = trial(&people).on(&measure).unwrap();
        let of = |correlation| {
            let equations =
                GeneralizedEstimatingEquations::new(correlation).variance(EquationsVariance::KauermannCarroll);
            comparison.estimate_waves(&equations).unwrap()
        };
        let plain = of(WorkingCorrelation::Independence);
        for correlation in WorkingCorrelation::ALL {
            let own = of(correlation);
            for wave in ["first", "third"] {
                let pair = [&plain, &own].map(|waves| waves.at(wave).unwrap().treatment("u").unwrap());
                prop_assert!(near(pair[0].value(), pair[1].value(), 1e-8) && near(pair[0].se(), pair[1].se(), 1e-7));
            }
        }
    }

    #[test]
    fn without_dropout_differences_in_differences_agree(people in people()) {
        let comparison = trial(&complete(&people)).on(&MEASURE).unwrap();
        let of = |of| comparison.estimate(&DifferenceInDifferences::new().of(of)).unwrap();
        let means = of(armwise::estimator::DifferenceOf::Means);
        let changes = of(armwise::estimator::DifferenceOf::Changes);
        for arm in ["t", "u"] {
            let pair = [&means, &changes].map(|own| own.treatment(arm).unwrap());
            prop_assert!(near(pair[0].value(), pair[1].value(), 1e-9) && near(pair[0].se(), pair[1].se(), 1e-8));
        }
        prop_assert!(near(means.covariance()[[0, 1]], changes.covariance()[[0, 1]], 1e-8));
        survives(&means);
    }
}
