//! Standardised negative binomial effects. The numbers come from R: stacked estimating equations of
//! coefficients, theta and means, their derivatives by differences.

use super::weights::PEOPLE;
use crate::support::labelled;
use armwise::estimator::AnyEstimator;
use armwise::prelude::*;
use std::fmt::Write;

fn trial() -> Trial {
    let mut csv = "arm,age,t,y,office\n".to_owned();
    for (row, (arm, age, t, _, y, ..)) in PEOPLE.iter().enumerate() {
        writeln!(csv, "{arm},{age},{t},{y},{}{}", ["a", "b"][usize::from(*arm)], row / 2).unwrap();
    }
    let table = CsvReader::new().category("arm").text(&csv).unwrap();
    labelled(table, "0").build().unwrap()
}

const COUNT: Measure<Count> = Measure::count("y");
const RATE: Measure<Count> = Measure::count("y").exposure("t");

fn model() -> NegativeBinomialRegression {
    NegativeBinomialRegression::new().adjust_for(["age"])
}

fn near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs(), "{found} is not {expected}");
}

#[test]
fn means_and_rates_by_stacked_equations() {
    for (measure, difference, se, means, log_se) in [
        (COUNT, 3.463_901_005_47, 2.929_397_726_49, [4.064_037_42, 7.527_938_425_47], 0.471_241_790_339),
        (RATE, 1.646_579_497_27, 1.984_454_562_76, [3.871_863_14, 5.518_442_637_27], 0.436_304_567_564),
    ] {
        let comparison = trial().on(&measure).unwrap();
        let effect = comparison.estimate(&model().marginal(RateDifference)).unwrap().treatment("1").unwrap();
        near(effect.value(), difference, 1e-7);
        near(effect.se(), se, 1e-6);
        let ratio = comparison.estimate(&model().marginal(LogRateRatio)).unwrap().treatment("1").unwrap();
        near(ratio.ratio().unwrap(), means[1] / means[0], 1e-7);
        near(ratio.se(), log_se, 1e-6);
        assert_eq!(ratio.estimand(), Estimand::Marginal);
        assert_eq!(ratio.method().variance.to_string(), "superpopulation");
        // As data the same bits.
        let any = AnyEstimator::from(model().marginal(RateDifference));
        let text = serde_json::to_string(&any).unwrap();
        assert_eq!(serde_json::from_str::<AnyEstimator>(&text).unwrap(), any);
        let by_plan = comparison.estimate(&any).unwrap().treatment("1").unwrap();
        assert_eq!((by_plan.value(), by_plan.se()), (effect.value(), effect.se()));
    }
}

#[test]
fn without_covariates_means_are_those_of_the_arms() {
    let comparison = trial().on(&COUNT).unwrap();
    let crude = NegativeBinomialRegression::new();
    let effect = comparison.estimate(&crude.marginal(RateDifference)).unwrap().treatment("1").unwrap();
    let arm = |arm: u8| PEOPLE.iter().filter(move |person| person.0 == arm).map(|person| person.4);
    let mean = |a: u8| arm(a).sum::<f64>() / 8.0;
    near(effect.value(), mean(1) - mean(0), 1e-9);
    // The influence of a saturated model is that of the means, whatever theta.
    let variance = |a: u8| arm(a).map(|y| (y - mean(a)).powi(2)).sum::<f64>() / 64.0;
    near(effect.variance(), variance(1) + variance(0), 1e-8);
    // The delta method at theta: that of the coefficients.
    let delta = crude.marginal(LogRateRatio).variance(MarginalVariance::Delta(VarianceType::Model));
    let delta = comparison.estimate(&delta).unwrap().treatment("1").unwrap();
    let conditional = comparison.estimate(&crude).unwrap().treatment("1").unwrap();
    near(delta.value(), conditional.value(), 1e-9);
    near(delta.se(), conditional.se(), 1e-9);
}

#[test]
fn counts_that_vary_no_more_than_poisson_counts_give_the_poisson_effects() {
    let csv = "arm,age,t,y\n0,20,1,3\n0,30,2,6\n0,40,1,4\n0,50,1,3\n1,22,1,5\n1,35,1,6\n1,45,2,9\n1,52,1,5\n";
    let table = CsvReader::new().category("arm").text(csv).unwrap();
    let trial = labelled(table, "0").build().unwrap();
    let comparison = trial.on(&RATE).unwrap();
    let one = comparison.estimate(&model().marginal(RateDifference)).unwrap();
    let poisson = PoissonRegression::new().adjust_for(["age"]).marginal(RateDifference);
    let two = comparison.estimate(&poisson).unwrap();
    let (one, two) = (one.treatment("1").unwrap(), two.treatment("1").unwrap());
    near(one.value(), two.value(), 1e-9);
    near(one.se(), two.se(), 1e-9);
    assert!(one.notices().contains(&Notice::NoOverdispersion));
}

#[test]
fn clusters_interactions_and_what_does_not_hold() {
    let clustered = labelled(trial().table().clone(), "0").clusters("office").build().unwrap();
    for measure in [COUNT, RATE] {
        let comparison = clustered.on(&measure).unwrap();
        let effect = comparison.estimate(&model().marginal(RateDifference)).unwrap().treatment("1").unwrap();
        assert_eq!(effect.method().variance.to_string(), "superpopulation, clustered");
        assert!(effect.df().is_some_and(|df| df > 1.0 && df < 7.0), "{effect:?}");
    }
    let comparison = trial().on(&COUNT).unwrap();
    let interacted = NegativeBinomialRegression::new().interact_arm_with(["age"]);
    assert!(comparison.estimate(&interacted.marginal(RateDifference)).is_ok());
    let error = comparison.estimate(&interacted).unwrap_err();
    assert!(error.to_string().contains("marginal(..)"), "{error}");
    let ye = model().marginal(RateDifference).variance(MarginalVariance::Ye2023);
    let error = comparison.estimate(&ye).unwrap_err();
    assert!(error.to_string().contains("MarginalVariance::Superpopulation"), "{error}");
}
