//! Bootstrap, jackknife, wild cluster bootstrap, and predictions that count how little is known of tau².

// Made-up counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use crate::threads::same_for_any_number_of_threads;
use armwise::Result;
use armwise::distribution::{ChiSquared, Normal};
use armwise::inference::{Bootstrap, Jackknife, WildClusterBootstrap};
use armwise::meta_analysis::{PredictionRule, RandomEffects};
use armwise::ndarray::Array2;
use armwise::prelude::*;
use armwise::resampling::{
    Acceleration, BootstrapCurve, BootstrapDistribution, BootstrapInterval, EventResamples, LeftOut,
    QuantileRule, Resamples, ResidualsOf, WildBootstrap, WildWeights,
};
use proptest::prelude::*;

const KINDS: [BootstrapInterval; 6] = [
    BootstrapInterval::Percentile,
    BootstrapInterval::Basic,
    BootstrapInterval::Normal,
    BootstrapInterval::NormalBiasCorrected,
    BootstrapInterval::Bca,
    BootstrapInterval::BcaHalfTies,
];
const RULES: [QuantileRule; 4] = [
    QuantileRule::InverseDistribution,
    QuantileRule::Expected,
    QuantileRule::Linear,
    QuantileRule::NormalScale,
];
const SCORE: Measure<Continuous> = Measure::continuous("score");
const WORKS: Measure<Binary> = Measure::binary("works");

fn weighted_mean(y: &[f64], counts: &[u32]) -> f64 {
    let n: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    y.iter().zip(counts).map(|(y, count)| y * f64::from(*count)).sum::<f64>() / n
}

fn curves(distribution: &BootstrapDistribution, acceleration: f64) -> Vec<BootstrapCurve> {
    let pairs = KINDS.iter().flat_map(|kind| RULES.map(|rule| (*kind, rule)));
    pairs.filter_map(|(kind, rule)| distribution.clone().curve(kind, rule, acceleration).ok()).collect()
}

/// One curve: the interval at a level leaves out exactly the effects that its p-value rejects.
fn one_curve(curve: &BootstrapCurve, level: f64, bounds: &[f64]) -> std::result::Result<(), TestCaseError> {
    let Ok(interval) = curve.interval(level) else { return Ok(()) };
    let size = curve.se().max(1e-3);
    for &bound in bounds {
        let distance = (bound - interval.lower()).abs().min((bound - interval.upper()).abs());
        if distance < 1e-7 * size {
            continue;
        }
        let p = (2.0 * curve.p_above(bound).min(curve.p_below(bound))).min(1.0);
        let outside = !interval.contains(bound);
        // Where a jump of the p-value is as large as the level, either is right.
        let clear = (p - (1.0 - level)).abs() > 1e-9;
        prop_assert!(!clear || outside == (p < 1.0 - level), "{bound} {interval:?} {p} {:?}", curve.kind());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn an_interval_leaves_out_what_its_test_rejects(
        values in prop::collection::vec(-3.0..3.0_f64, 40..200),
        round in any::<bool>(),
        estimate in -1.0..1.0_f64,
        acceleration in -0.2..0.2_f64,
        level in 0.3..0.9_f64,
    ) {
        // Rounded replicates have ties.
        let values: Vec<f64> = values.iter().map(|x| if round { (4.0 * x).round() / 4.0 } else { *x }).collect();
        let drawn: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
        let distribution = BootstrapDistribution::drawn(estimate, &drawn).unwrap();
        let mut bounds = values.clone();
        bounds.extend([-4.0, -1.1, 0.0, 0.3, 4.0, estimate]);
        for curve in curves(&distribution, acceleration) {
            one_curve(&curve, level, &bounds)?;
        }
        let statistics = BootstrapDistribution::drawn(0.0, &drawn).unwrap();
        for rule in RULES {
            let curve = BootstrapCurve::studentized(estimate, 0.7, statistics.clone(), rule).unwrap();
            one_curve(&curve, level, &bounds)?;
        }
    }

    #[test]
    fn bca_and_percentile_follow_a_monotone_transformation(
        values in prop::collection::vec(-2.0..2.0_f64, 60..200),
        acceleration in -0.1..0.1_f64,
        level in 0.3..0.9_f64,
    ) {
        let estimate = 0.1;
        let of = |f: &dyn Fn(f64) -> f64| {
            let drawn: Vec<Option<f64>> = values.iter().map(|x| Some(f(*x))).collect();
            BootstrapDistribution::drawn(f(estimate), &drawn).unwrap()
        };
        let (plain, moved) = (of(&|x| x), of(&|x: f64| x.exp()));
        for kind in [BootstrapInterval::Percentile, BootstrapInterval::Bca] {
            let by = |distribution: &BootstrapDistribution| {
                let curve = distribution.clone().curve(kind, QuantileRule::InverseDistribution, acceleration)?;
                curve.interval(level)
            };
            let (Ok(one), Ok(two)) = (by(&plain), by(&moved)) else { continue };
            prop_assert!((one.lower().exp() - two.lower()).abs() < 1e-12 * two.lower());
            prop_assert!((one.upper().exp() - two.upper()).abs() < 1e-12 * two.upper());
        }
    }

    #[test]
    fn the_jackknife_of_a_mean_is_its_standard_error(y in prop::collection::vec(-5.0..5.0_f64, 3..40)) {
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        let units = Resamples::of(y.len()).unwrap();
        let left_out = units.left_out(|counts| weighted_mean(&y, counts)).unwrap();
        let jackknife = LeftOut::new(&units, mean, left_out).unwrap();
        let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0) / n;
        prop_assert!((jackknife.se() - variance.sqrt()).abs() < 1e-12 * (1.0 + n));
        prop_assert!(jackknife.bias().abs() < 1e-11 * (1.0 + n));
        // With one stratum the two accelerations differ by the centre alone.
        let [one, other] = [Acceleration::Stratified, Acceleration::Unstratified].map(|by| jackknife.acceleration(by));
        prop_assert!((one - other).abs() < 1e-8);
    }

    #[test]
    fn all_resamples_of_a_mean_have_its_plug_in_variance(y in prop::collection::vec(-5.0..5.0_f64, 2..7)) {
        let n = y.len() as f64;
        let mean = y.iter().sum::<f64>() / n;
        let units = Resamples::of(y.len()).unwrap();
        let all = units.enumerated(100_000, |counts| Some(weighted_mean(&y, counts))).unwrap();
        prop_assert_eq!(all.len() as f64, units.different());
        let distribution = BootstrapDistribution::enumerated(mean, &all).unwrap();
        let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / n / n;
        prop_assert!((distribution.se().powi(2) - variance).abs() < 1e-11);
        prop_assert!(distribution.bias().abs() < 1e-11);
    }

    /// The p-value of every hypothesis at once is that of a test of each.
    #[test]
    fn a_wild_bootstrap_inverts_its_own_test(
        noise in prop::collection::vec(-2.0..2.0_f64, 24),
        hypothesis in -3.0..3.0_f64,
        weights in prop::sample::select(vec![WildWeights::Rademacher, WildWeights::Mammen]),
        residuals in prop::sample::select(vec![ResidualsOf::RestrictedModel, ResidualsOf::FullModel]),
    ) {
        let clusters: Vec<u32> = (0..24).map(|row| row / 4).collect();
        let x = Array2::from_shape_fn((24, 3), |(row, column)| match column {
            0 => 1.0,
            1 => f64::from(clusters[row] % 2),
            _ => ((row * 7) % 5) as f64,
        });
        let bootstrap = WildBootstrap::new(1).weights(weights).residuals(residuals);
        let test = bootstrap.test(x.view(), &noise, &clusters, 1).unwrap();
        let at = bootstrap.null_value(hypothesis).test(x.view(), &noise, &clusters, 1).unwrap();
        prop_assert!((test.steps.p_value(hypothesis) - at.p_value).abs() < 1e-9, "{} {}", test.steps.p_value(hypothesis), at.p_value);
        prop_assert!(test.interval(0.9).unwrap().contains(test.estimate));
        prop_assert!(test.p_value >= test.p_value_strict);
    }

    #[test]
    fn trials_that_differ_more_never_have_a_narrower_prediction(
        start in prop::collection::vec((-1.0..1.0_f64, 0.05..2.0_f64), 2..9),
        factor in 1.0..4.0_f64,
    ) {
        let (yi, vi): (Vec<f64>, Vec<f64>) = start.into_iter().unzip();
        let width = |factor: f64| {
            let yi: Vec<f64> = yi.iter().map(|y| factor * y).collect();
            let model = RandomEffects::new().prediction_rule(PredictionRule::ConfidenceDistribution);
            model.pool(&yi, &vi).unwrap().prediction.unwrap().width()
        };
        prop_assert!(width(factor) >= width(1.0) * (1.0 - 1e-9));
    }

    /// With equal variances tau² is a ratio: its distribution in closed form, summed over 20,000 quantiles.
    #[test]
    fn a_prediction_integrates_the_distribution_of_tau2(y in prop::collection::vec(-2.0..2.0_f64, 3..9), v in 0.1..2.0_f64) {
        let k = y.len() as f64;
        let vi = vec![v; y.len()];
        let model = RandomEffects::new().prediction_rule(PredictionRule::ConfidenceDistribution);
        let pooled = model.pool(&y, &vi).unwrap();
        let half = 0.5 * pooled.prediction.unwrap().width();
        let mean = y.iter().sum::<f64>() / k;
        let squares: f64 = y.iter().map(|y| (y - mean).powi(2)).sum();
        let chi2 = ChiSquared::new(k - 1.0).unwrap();
        let draws = 20_000;
        let beyond: f64 = (0..draws)
            .map(|i| {
                let tau2 = (squares / chi2.upper_quantile((f64::from(i) + 0.5) / f64::from(draws)) - v).max(0.0);
                2.0 * Normal.sf(half / (tau2 + (tau2 + v) / k).sqrt())
            })
            .sum();
        prop_assert!((beyond / f64::from(draws) - 0.05).abs() < 2e-4, "{}", beyond / f64::from(draws));
    }
}

/// Within four standard errors, of data and a seed that are fixed.
#[test]
fn enumeration_is_the_limit_of_draws() {
    let y = [1.2, 3.4, 0.7, 8.1, 2.2, 5.0];
    let units = Resamples::within(&[0, 0, 0, 1, 1, 1]).unwrap();
    let ratio = |counts: &[u32]| {
        let mean = |from: usize| weighted_mean(&y[from..from + 3], &counts[from..from + 3]);
        Some(mean(3) / mean(0))
    };
    let estimate = ratio(&[1; 6]).unwrap();
    let all = BootstrapDistribution::enumerated(estimate, &units.enumerated(1_000, ratio).unwrap()).unwrap();
    let draws = 20_000;
    let drawn = BootstrapDistribution::drawn(estimate, &units.drawn(draws, 5, ratio).unwrap()).unwrap();
    assert!((drawn.mean() - all.mean()).abs() < 4.0 * all.se() / (draws as f64).sqrt());
    for x in [1.5, 2.0, 3.0, 4.0] {
        let p = all.probability_below(x);
        assert!((drawn.probability_below(x) - p).abs() <= 4.0 * (p * (1.0 - p) / draws as f64).sqrt(), "{x}");
    }
    // Replicates do not depend on how many there are.
    let fewer = units.drawn(100, 5, ratio).unwrap();
    assert_eq!(fewer, units.drawn(draws, 5, ratio).unwrap()[..100]);
}

fn trial() -> Trial {
    let mut text = String::from("arm,stratum,team,age,score,works\n");
    for person in 0..96_usize {
        let arm = ["c", "t", "u"][person % 3];
        let wave = ((person * 37) % 17) as f64;
        let score = wave + 2.0 * (person % 3) as f64;
        let works = u8::from((person * 13) % 7 + person % 3 > 4);
        text +=
            &format!("{arm},{},{},{},{score},{works}\n", person % 2, person % 12, 20 + (person * 11) % 40);
    }
    Trial::builder("Utrecht", Table::from_csv_str(&text).unwrap())
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap()
}

fn clustered() -> Trial {
    let mut text = String::from("arm,team,score\n");
    for person in 0..60_usize {
        let team = person % 8;
        let score = ((person * 37) % 17) as f64 + (team * 5 % 7) as f64 + 3.0 * (team % 2) as f64;
        text += &format!("{},{team},{score}\n", ["c", "t"][team % 2]);
    }
    Trial::builder("Utrecht", Table::from_csv_str(&text).unwrap())
        .arm_labels("arm")
        .control("c")
        .clusters("team")
        .build()
        .unwrap()
}

fn numbers<S: Scale>(estimates: &Result<Estimates<S>>) -> Vec<u64> {
    let estimates = estimates.as_ref().unwrap();
    let of = |estimate: Estimate<S>| {
        let interval = estimate.interval();
        [estimate.value(), estimate.se(), interval.lower(), interval.upper(), estimate.p_value()]
    };
    estimates.iter().flat_map(of).map(f64::to_bits).collect()
}

#[test]
fn every_bootstrap_has_the_same_bits_on_any_number_of_threads() {
    let (trial, teams) = (trial(), clustered());
    let score = trial.on(&SCORE).unwrap();
    let means = DifferenceInMeans::new();
    for interval in [BootstrapInterval::Bca, BootstrapInterval::Studentized] {
        let bootstrap = Bootstrap::of(&means).interval(interval).replicates(199).seed(3).level(0.9);
        same_for_any_number_of_threads(|| numbers(&score.estimate(&bootstrap)));
    }
    same_for_any_number_of_threads(|| numbers(&score.estimate(&Jackknife::of(&means))));
    let works = trial.on(&WORKS).unwrap();
    let logistic = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
    let bootstrap = Bootstrap::of(&logistic).replicates(99).seed(3).level(0.8);
    same_for_any_number_of_threads(|| numbers(&works.estimate(&bootstrap)));
    let team_scores = teams.on(&SCORE).unwrap();
    let wild = WildClusterBootstrap::of(LinearRegression::new()).enumerate_up_to(0).draws(999).seed(1);
    same_for_any_number_of_threads(|| numbers(&team_scores.estimate(&wild)));
    let groups = EventResamples::new(&[(3, 40), (9, 38)]).unwrap();
    same_for_any_number_of_threads(|| groups.drawn(5_000, 9, |x| x[0] * 1_000 + x[1]).unwrap());
}

#[test]
fn counts_are_enough_where_the_estimator_says_so() {
    let trial = trial();
    let works = trial.on(&WORKS).unwrap();
    let estimator = DifferenceInProportions::new();
    let bootstrap = works.estimate(&Bootstrap::of(&estimator)).unwrap();
    for (effect, plain) in bootstrap.iter().zip(works.estimate(&estimator).unwrap().iter()) {
        // Enumerated: the plug-in variance of both arms.
        let arm = |counts: armwise::design::ArmCounts| {
            let (x, n) = (counts.events.unwrap() as f64, counts.analysed as f64);
            x / n * (1.0 - x / n) / n
        };
        let variance = arm(plain.treatment_counts()) + arm(plain.reference_counts());
        assert!((effect.se().powi(2) - variance).abs() < 1e-12, "{effect:?}");
        assert_eq!(effect.value(), plain.value());
    }
    // The treatments share the control.
    let control = bootstrap.reference_counts();
    let share = control.events.unwrap() as f64 / control.analysed as f64;
    let shared = share * (1.0 - share) / control.analysed as f64;
    assert!((bootstrap.covariance()[[0, 1]] - shared).abs() < 1e-12);
}

/// An estimator without its short way.
struct Plain<E>(E);

impl<K: armwise::design::OutcomeKind, E: Estimator<K>> Estimator<K> for Plain<E> {
    type Scale = E::Scale;

    fn estimate(&self, comparison: &Comparison<K>) -> Result<Estimates<E::Scale>> {
        self.0.estimate(comparison)
    }
}

#[test]
fn the_short_way_to_a_standardised_effect_is_the_long_one() {
    let trial = trial();
    let works = trial.on(&WORKS).unwrap();
    for interacted in [false, true] {
        let model = LogisticRegression::new().adjust_for(["age"]);
        let model = if interacted { model.interact_arm_with(["age"]) } else { model };
        let short = model.marginal(RiskDifference);
        let long = Plain(short.clone());
        let by = |estimates: Result<Estimates<RiskDifference>>| estimates.unwrap();
        let one = by(works.estimate(&Bootstrap::of(&short).replicates(199).seed(8).level(0.8)));
        let two = by(works.estimate(&Bootstrap::of(&long).replicates(199).seed(8).level(0.8)));
        for (one, two) in one.iter().zip(two.iter()) {
            assert!((one.se() - two.se()).abs() < 1e-9, "{one:?} {two:?}");
            assert!((one.interval().lower() - two.interval().lower()).abs() < 1e-8);
            assert!((one.interval().upper() - two.interval().upper()).abs() < 1e-8);
        }
    }
}

#[test]
fn a_cluster_bootstrap_of_few_clusters_is_enumerated() {
    let trial = clustered();
    let score = trial.on(&SCORE).unwrap();
    let means = DifferenceInMeans::new();
    // Two arms of four clusters have 35 x 35 different resamples.
    let error = score.estimate(&Bootstrap::of(&means).enumerate_up_to(1_000)).unwrap_err();
    assert!(error.to_string().contains("needs a seed"), "{error}");
    let all = score.estimate(&Bootstrap::of(&means).level(0.9)).unwrap();
    let drawn = score
        .estimate(&Bootstrap::of(&means).enumerate_up_to(0).replicates(1_500).seed(2).level(0.9))
        .unwrap();
    let (all, drawn) = (all.treatment("t").unwrap(), drawn.treatment("t").unwrap());
    assert!((all.se() / drawn.se() - 1.0).abs() < 0.1, "{} {}", all.se(), drawn.se());
    assert!(
        all.method().interval.to_string().contains("of clusters within arms, all"),
        "{}",
        all.method().interval
    );
    // The jackknife leaves out clusters too.
    let jackknife = score.estimate(&Jackknife::of(&means)).unwrap().treatment("t").unwrap();
    assert!((jackknife.se() / all.se() - (4.0_f64 / 3.0).sqrt()).abs() < 0.02);
}

#[test]
fn results_survive_json() {
    let trial = trial();
    let score = trial.on(&SCORE).unwrap();
    let means = DifferenceInMeans::new();
    for interval in KINDS.into_iter().chain([BootstrapInterval::Studentized]) {
        let bootstrap = Bootstrap::of(&means).interval(interval).replicates(199).seed(3).level(0.9);
        let estimates = score.estimate(&bootstrap).unwrap();
        let text = serde_json::to_string(&estimates).unwrap();
        let read: Estimates<MeanDifference> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, estimates);
    }
    let teams = clustered();
    let wild =
        teams.on(&SCORE).unwrap().estimate(&WildClusterBootstrap::of(LinearRegression::new())).unwrap();
    let text = serde_json::to_string(&wild).unwrap();
    assert_eq!(serde_json::from_str::<Estimates<MeanDifference>>(&text).unwrap(), wild);
}
