//! Laws of counts, take-up, weights and amounts.

use crate::support::{assert_near, labelled};
use armwise::estimator::{RateVariance, TakeUpInterval};
use armwise::mean::MeansVariance;
use armwise::ndarray::{Array1, Array2, array};
use armwise::prelude::*;
use armwise::regression::{Amount, Amounts, Category, ModelMatrix, TwoPart, VarianceType};
use armwise::weighting::{InverseProbability, Normalization, NuisanceVariance, OutcomeModel};
use std::fmt::Write;

/// Forty people in two or three arms with counts, exposures, take-up and a score.
fn trial(arms: &[&str], crossover: bool) -> Trial {
    let mut csv = "arm,visits,months,coached,score,age\n".to_owned();
    for i in 0..60_usize {
        let arm = i % arms.len();
        let coached = if arm == 0 { usize::from(crossover && i % 12 == 0) } else { usize::from(i % 7 != 1) };
        let visits = (i * 7 + i * i) % 5 + 2 * arm;
        let score = (i * 13 % 17) as f64 + 2.5 * coached as f64;
        writeln!(csv, "{},{visits},{},{coached},{score},{}", arms[arm], 1 + i % 4, 20 + i * 5 % 37).unwrap();
    }
    let table = Table::from_csv_str(&csv).unwrap();
    labelled(table, arms[0]).take_up("coached").build().unwrap()
}

const VISITS: Measure<Count> = Measure::count("visits").exposure("months");
const SCORE: Measure<Continuous> = Measure::continuous("score");

fn same<S: Scale, T: Scale>(one: &Estimates<S>, other: &Estimates<T>) {
    for (a, b) in one.iter().zip(other.iter()) {
        assert_near(a.value(), b.value(), 1e-9);
        assert_near(a.se(), b.se(), 1e-9);
    }
    for (a, b) in one.covariance().iter().zip(other.covariance()) {
        assert_near(*a, *b, 1e-9);
    }
}

#[test]
fn poisson_regression_without_covariates_is_the_closed_form() {
    let comparison = trial(&["c", "t", "u"], false).on(&VISITS).unwrap();
    for (rates, regression) in
        [(RateVariance::Poisson, VarianceType::Model), (RateVariance::Robust, VarianceType::Hc2)]
    {
        let ratio = comparison.estimate(&RatioOfRates::new().variance(rates)).unwrap();
        same(&ratio, &comparison.estimate(&PoissonRegression::new().variance(regression)).unwrap());
        let difference = comparison.estimate(&DifferenceInRates::new().variance(rates)).unwrap();
        let model = PoissonRegression::new();
        let delta = model.marginal(RateDifference).variance(MarginalVariance::Delta(regression));
        same(&difference, &comparison.estimate(&delta).unwrap());
    }
    // Without covariates the sampling of the exposures adds nothing to the variance of a rate.
    let model = PoissonRegression::new();
    let (superpopulation, delta) = (
        model.marginal(RateDifference),
        model.marginal(RateDifference).variance(MarginalVariance::Delta(VarianceType::Hc0)),
    );
    same(&comparison.estimate(&superpopulation).unwrap(), &comparison.estimate(&delta).unwrap());
}

#[test]
fn standardised_rates_are_the_same_with_every_variance() {
    let comparison = trial(&["c", "t"], false).on(&VISITS).unwrap();
    let model = PoissonRegression::new().adjust_for(["age"]);
    let prepared = model.prepare(&comparison).unwrap();
    let fit = prepared.fit().unwrap();
    let superpopulation = fit.arm_means(MarginalVariance::Superpopulation).unwrap();
    let delta = fit.arm_means(MarginalVariance::Delta(VarianceType::Hc0)).unwrap();
    for (a, b) in superpopulation.values().iter().zip(delta.values()) {
        assert_near(*a, *b, 1e-9);
    }
    assert!(comparison.estimate(&model.marginal(RateDifference).variance(MarginalVariance::Ye2023)).is_err());
}

#[test]
fn counts_that_are_not_overdispersed_give_a_notice() {
    let table = Table::from_csv_str("arm,visits\nc,3\nc,4\nc,3\nc,4\nt,5\nt,4\nt,5\nt,4\n").unwrap();
    let trial = labelled(table, "c").build().unwrap();
    let comparison = trial.on(&Measure::count("visits")).unwrap();
    let effects = comparison.estimate(&NegativeBinomialRegression::new()).unwrap();
    assert!(effects.notices().contains(&Notice::NoOverdispersion));
    same(&effects, &comparison.estimate(&PoissonRegression::new().variance(VarianceType::Model)).unwrap());
}

/// `Y - c D` as an outcome of its own.
fn shifted(trial: &Trial, c: f64) -> (f64, f64) {
    let comparison = trial.on(&SCORE).unwrap();
    let take_up = comparison.covariate("coached").unwrap();
    let mut samples = [Vec::new(), Vec::new()];
    for ((y, d), arm) in comparison.outcomes().iter().zip(take_up).zip(comparison.arm_indices()) {
        samples[*arm as usize].push(y - c * d.unwrap());
    }
    let [control, treatment] = samples.map(|sample| armwise::mean::Sample::of(&sample).unwrap());
    let difference =
        armwise::mean::TwoMeans::new(treatment, control).unwrap().difference(MeansVariance::Normal);
    (difference.estimate, difference.se)
}

#[test]
fn the_effect_on_compliers_is_two_stage_least_squares() {
    for crossover in [false, true] {
        let trial = trial(&["c", "t"], crossover);
        let comparison = trial.on(&SCORE).unwrap();
        let wald = ComplierAverageEffect::new().interval(TakeUpInterval::Wald);
        let effect = comparison.estimate(&wald).unwrap().treatment("t").unwrap();
        let take_up = trial.take_up().unwrap();
        let (residual, se) = shifted(&trial, effect.value());
        assert_near(residual, 0.0, 1e-9);
        assert_near(effect.se(), se / (take_up[1] - take_up[0]), 1e-9);
        assert_eq!(effect.df(), Some(58.0));

        // The limits of Anderson and Rubin are the effects that its test just rejects.
        let exact = comparison.estimate(&ComplierAverageEffect::new()).unwrap().treatment("t").unwrap();
        let quantile = armwise::distribution::StudentT::new(58.0).unwrap().upper_quantile(0.025);
        for limit in [exact.interval().lower(), exact.interval().upper()] {
            let (difference, se) = shifted(&trial, limit);
            assert_near((difference / se).abs(), quantile, 1e-9);
        }
        let (difference, se) = shifted(&trial, 0.0);
        assert_near(exact.statistic(), difference / se, 1e-9);
    }
}

#[test]
fn several_treatments_share_the_reference_unless_it_received_one_of_them() {
    let one_sided = trial(&["c", "t", "u"], false).on(&SCORE).unwrap();
    let effects = one_sided.estimate(&ComplierAverageEffect::new()).unwrap();
    assert!(effects.covariance()[[0, 1]] > 0.0);
    let pair = trial(&["c", "t", "u"], false).compare("t").on(&SCORE).unwrap();
    let alone = pair.estimate(&ComplierAverageEffect::new()).unwrap();
    assert_near(alone.treatment("t").unwrap().se(), effects.treatment("t").unwrap().se(), 1e-9);

    let two_sided = trial(&["c", "t", "u"], true);
    let error = two_sided.on(&SCORE).unwrap().estimate(&ComplierAverageEffect::new()).unwrap_err();
    assert_eq!(error.kind().name(), "not_estimable");
    assert!(two_sided.compare("t").on(&SCORE).unwrap().estimate(&ComplierAverageEffect::new()).is_ok());
}

#[test]
fn weak_take_up_is_told_and_leaves_effects_open() {
    let mut csv = "arm,coached,works\n".to_owned();
    for i in 0..40 {
        let treated = i % 2;
        writeln!(csv, "{},{},{}", ["c", "t"][treated], usize::from(treated == 1 && i % 20 == 1), i / 3 % 2)
            .unwrap();
    }
    let table = Table::from_csv_str(&csv).unwrap();
    let builder = labelled(table, "c");
    let trial = builder.clone().take_up("coached").build().unwrap();
    let effects =
        trial.on(&Measure::binary("works")).unwrap().estimate(&ComplierAverageEffect::new()).unwrap();
    let effect = effects.treatment("t").unwrap();
    assert!(matches!(effects.notices(), [Notice::WeakTakeUp { .. }, Notice::UnboundedInterval { .. }]));
    assert!(effect.interval().lower().is_infinite() && effect.interval().contains(effect.value()));
    let undeclared = builder.build().unwrap();
    assert!(
        undeclared.on(&Measure::binary("works")).unwrap().estimate(&ComplierAverageEffect::new()).is_err()
    );
}

#[test]
fn firth_adds_half_an_event_to_every_arm() {
    let table = Table::from_csv_str("arm,works\nc,0\nc,1\nc,0\nc,0\nt,0\nt,0\nt,0\nu,1\nu,1\nu,1\n").unwrap();
    let trial = labelled(table, "c").build().unwrap();
    let effects =
        trial.on(&Measure::binary("works")).unwrap().estimate(&FirthLogisticRegression::new()).unwrap();
    assert_near(effects.treatment("t").unwrap().ratio().unwrap(), (0.5 / 3.5) / (1.5 / 3.5), 1e-9);
    assert_near(effects.treatment("u").unwrap().ratio().unwrap(), (3.5 / 0.5) / (1.5 / 3.5), 1e-9);
    for effect in effects.iter() {
        assert!(effect.interval().contains(effect.value()) && effect.se() > 0.0);
        // The profile inverts the test.
        assert_eq!(effect.p_value() < 0.05, !effect.interval().contains(0.0));
    }
}

#[test]
fn weights_of_shares_give_the_means_of_the_arms() {
    let arm = [0, 0, 0, 1, 1, 1, 1];
    let y = array![1.0, 2.0, 6.0, 4.0, 4.0, 5.0, 9.0];
    let shares = InverseProbability::of_shares(Category::new(&arm, ["c", "t"])).unwrap();
    let spread = [14.0 / 9.0, 17.0 / 16.0];
    for normalization in [Normalization::Hajek, Normalization::HorvitzThompson] {
        let means = shares.means(y.view(), normalization).unwrap();
        assert_near(means.values()[0], 3.0, 1e-9);
        assert_near(means.values()[1], 5.5, 1e-9);
    }
    let hajek = shares.means(y.view(), Normalization::Hajek).unwrap();
    for variance in [NuisanceVariance::Known, NuisanceVariance::Stacked] {
        assert_near(hajek.covariance(variance)[[0, 0]], spread[0], 1e-9);
        assert_near(hajek.covariance(variance)[[1, 1]], spread[1], 1e-9);
    }
    // A regression on an intercept augments them by nothing.
    let covariates = ModelMatrix::new(7).intercept().unwrap();
    let model =
        OutcomeModel::ByLevel { family: armwise::regression::Family::Gaussian, covariates: &covariates };
    let augmented = shares.augmented_means(y.view(), model).unwrap();
    assert_near(augmented.values()[1], 5.5, 1e-9);
    assert_near(augmented.covariance(NuisanceVariance::Stacked)[[1, 1]], spread[1], 1e-9);
    assert!(shares.means(array![1.0].view(), Normalization::Hajek).is_err());
}

/// The covariance of the standardised amounts of two arms by leaving out one row at a time.
fn jackknife(arm: &[u32], y: &Array1<f64>) -> Array2<f64> {
    let n = arm.len();
    let mut values = Array2::zeros((n, 2));
    for left_out in 0..n {
        let keep: Vec<usize> = (0..n).filter(|i| *i != left_out).collect();
        let arm: Vec<u32> = keep.iter().map(|&i| arm[i]).collect();
        let y: Array1<f64> = keep.iter().map(|&i| y[i]).collect();
        let matrix = ModelMatrix::new(n - 1)
            .intercept()
            .unwrap()
            .category("arm", Category::new(&arm, ["c", "t"]))
            .unwrap();
        let amounts = Amounts::new(y.view()).unwrap();
        let fit = TwoPart::new().amount(Amount::LogSmearing).fit(&matrix, &amounts).unwrap();
        let standardized = fit.standardize("arm").unwrap();
        values.row_mut(left_out).assign(&Array1::from(standardized.means().to_vec()));
    }
    let deviations = &values - &values.mean_axis(armwise::ndarray::Axis(0)).unwrap();
    deviations.t().dot(&deviations)
}

#[test]
fn the_variance_with_smearing_is_that_of_the_jackknife() {
    let n = 400;
    let arm: Vec<u32> = (0..n).map(|i| i % 2).collect();
    let y: Array1<f64> = (0..n)
        .map(|i| {
            if i * 7 % 10 < 4 { 0.0 } else { (f64::from(i * 37 % 101) / 60.0 + f64::from(i % 2) * 0.3).exp() }
        })
        .collect();
    let matrix = ModelMatrix::new(n as usize)
        .intercept()
        .unwrap()
        .category("arm", Category::new(&arm, ["c", "t"]))
        .unwrap();
    let amounts = Amounts::new(y.view()).unwrap();
    let fit = TwoPart::new().amount(Amount::LogSmearing).fit(&matrix, &amounts).unwrap();
    let covariance = fit.standardize("arm").unwrap().covariance(VarianceType::Hc0).unwrap();
    for (a, b) in covariance.iter().zip(&jackknife(&arm, &y)) {
        assert!((a - b).abs() < 0.02 * covariance[[0, 0]], "{covariance}");
    }
    assert!(fit.standardize("arm").unwrap().covariance(VarianceType::Model).is_err());
}
