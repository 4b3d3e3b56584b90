//! What the field found in pools: the cases of `field/cases.json` that begin with `pool-`, each with its
//! right value.

use crate::support::assert_near;
use armwise::Interval;
use armwise::bayes::TauPrior;
use armwise::effect_size::{DoubleZeros, EffectSize};
use armwise::estimator::ZeroCells;
use armwise::meta_analysis::{
    self as kernel, BetweenStructure, CoefficientTest, EggerTest, Fitted, FunnelSide, MissingStudies,
    Moderators, MultivariateData, MultivariateModel, NetworkData, PredictionDf, SubgroupTau2, Tau2, Test,
    cluster_robust,
};
use armwise::ndarray::{Array2, array};
use armwise::pool::PriorOrigin;
use armwise::prelude::*;

const EVENT: Measure<Binary> = Measure::binary("event").higher_is_better();

fn trial(name: &str, treated: (u64, u64), control: (u64, u64)) -> Comparison<Binary> {
    let arms = [("control", control.0, control.1), ("t", treated.0, treated.1)];
    Comparison::from_counts(name, &EVENT, arms).unwrap()
}

/// Z1 has an empty cell, Z3 no event at all.
fn rare() -> Effects<LogOddsRatio> {
    let cities =
        [trial("Z1", (0, 15), (2, 13)), trial("Z3", (0, 20), (0, 20)), trial("Z4", (5, 50), (3, 50))];
    Comparisons::new(cities).unwrap().estimate(&OddsRatio::new().zero_cells(ZeroCells::AddHalf)).unwrap()
}

#[test]
fn subgroups_are_compared_by_the_errors_of_the_model() {
    let (yi, vi, labels) = ([0.0, 0.25, 1.2, 1.45], [1.0; 4], ["a", "a", "b", "b"]);
    assert_eq!(SubgroupTau2::default(), SubgroupTau2::Common);
    let random = kernel::RandomEffects::new();
    for tau2 in [SubgroupTau2::Separate, SubgroupTau2::Common] {
        let groups = random.subgroups(&yi, &vi, &labels, tau2).unwrap();
        assert_near(groups.between.statistic, 1.44, 1e-9);
        assert_near(groups.between.p_value, 0.230_139_340_443_416_5, 1e-9);
        assert_eq!((groups.between.df, groups.between.denominator_df), (1.0, None));
        assert_near(groups.across_groups_se, 0.5, 1e-12);
        // At any level.
        let narrow = kernel::RandomEffects::new().level(0.5).subgroups(&yi, &vi, &labels, tau2).unwrap();
        assert_eq!((narrow.between, narrow.across_groups_se), (groups.between, groups.across_groups_se));
        assert_eq!(groups.common_tau2_interval.is_some(), tau2 == SubgroupTau2::Common);
    }
    let truncated = random.clone().test(Test::HartungKnappTruncated);
    let groups = truncated.subgroups(&yi, &vi, &labels, SubgroupTau2::Common).unwrap();
    assert_near(groups.between.p_value, 0.3530, 2e-4);
    // With a tau2 of its own in each, Hartung-Knapp refers to Welch's F: 1 and 2 degrees of freedom for
    // 46.08.
    let groups =
        random.test(Test::HartungKnapp).subgroups(&yi, &vi, &labels, SubgroupTau2::Separate).unwrap();
    assert_near(groups.between.statistic, 46.08, 1e-9);
    assert_near(groups.between.denominator_df.unwrap(), 2.0, 1e-9);
    assert!(groups.between.p_value > 0.02);
    // The same in the labelled layer, with the interval of the common tau2.
    let cities = [((5, 50), (9, 50)), ((8, 50), (6, 50)), ((9, 60), (20, 60)), ((7, 50), (17, 50))];
    let cities = cities.iter().enumerate().map(|(i, (c, t))| trial(&format!("{i}"), *t, *c));
    let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let sizes = [("0", "a"), ("1", "a"), ("2", "b"), ("3", "b")];
    let groups = Subgroups::by("size", sizes).pool(&effects.treatment("t").unwrap()).unwrap();
    assert!(groups.common_tau2.is_some());
    let interval = groups.common_tau2_interval.unwrap();
    assert!(interval.contains(groups.common_tau2.unwrap()));
    let text = groups.to_string();
    assert!(text.contains("variation between trials: one for all subgroups, tau = "), "{text}");
    assert!(text.contains("Q-profile"), "{text}");
}

#[test]
fn trim_and_fill_by_q0_may_be_undefined() {
    let (yi, vi) = ([0.0, 1.0, 1.0, 1.0], [0.01, 0.5, 0.5, 0.5]);
    let fill = |by| kernel::RandomEffects::new().trim_and_fill(&yi, &vi, by, FunnelSide::Left);
    let error = fill(MissingStudies::Q0).unwrap_err();
    assert_eq!(error.kind().name(), "not_estimable");
    assert!(error.to_string().contains("take L0 or R0"), "{error}");
    let filled = fill(MissingStudies::L0).unwrap();
    assert_eq!(filled.k0, 2);
    assert_near(filled.pool.estimate, 0.1716, 5e-5);
    assert_eq!(fill(MissingStudies::R0).unwrap().k0, 0);
}

#[test]
fn an_added_half_is_told_in_the_pool() {
    let effects = rare();
    let t = effects.treatment("t").unwrap();
    let words = "half an event was added to every cell of Z1";
    for text in [
        RandomEffects::new().pool(&t).unwrap().to_string(),
        CommonEffect::new().pool(&t).unwrap().to_string(),
        BayesianRandomEffects::new().pool(&t).unwrap().to_string(),
        JointModel::common().pool(&effects).unwrap().to_string(),
        effects
            .double_zeros(DoubleZeros::Keep)
            .treatment("t")
            .map(|t| RandomEffects::new().pool(&t).unwrap().to_string())
            .unwrap(),
    ] {
        assert_eq!(text.matches(words).count(), 1, "{text}");
    }
}

#[test]
fn a_trial_without_events_is_left_out_of_ratios_unless_it_is_kept() {
    let effects = rare();
    let t = effects.treatment("t").unwrap();
    assert_eq!((t.len(), t.without_information()), (2, &[Label::new("Z3")][..]));
    let silent = Notice::NoInformation { trials: vec![Label::new("Z3")] };
    let pooled = RandomEffects::new().pool(&t).unwrap();
    assert_eq!(pooled.trials.len(), 2);
    assert!(pooled.notices().contains(&silent));
    let joint = JointModel::common().pool(&effects).unwrap();
    assert_eq!(joint.trials(), ["Z1", "Z4"]);
    assert!(joint.notices().contains(&silent));
    let network = NetworkMetaAnalysis::common().pool(&effects).unwrap();
    assert!(network.trials.len() == 2 && network.notices().contains(&silent));
    // By choice it stays.
    let kept = effects.double_zeros(DoubleZeros::Keep);
    let pooled = RandomEffects::new().pool(&kept.treatment("t").unwrap()).unwrap();
    assert_eq!(pooled.trials.len(), 3);
    assert_near(pooled.trials[1].weight, 0.134, 5e-3);
    // As data too.
    let text = serde_json::to_string(&kept).unwrap();
    assert!(text.contains("\"double_zeros\":\"keep\""), "{text}");
    assert_eq!(serde_json::from_str::<Effects<LogOddsRatio>>(&text).unwrap(), kept);
    assert!(serde_json::from_str::<Effects<LogOddsRatio>>(&text.replace("keep", "leave")).is_err());
    assert_eq!(JointModel::common().pool(&kept).unwrap().trials().len(), 3);
    // Where no trial says anything, that is the error.
    let one = Comparisons::new([trial("Z3", (0, 20), (0, 20))]).unwrap();
    let one = one.estimate(&OddsRatio::new().zero_cells(ZeroCells::AddHalf)).unwrap();
    let error = one.treatment("t").unwrap_err().to_string();
    assert!(error.contains("say nothing of a ratio") && error.contains("DoubleZeros::Keep"), "{error}");
}

#[test]
fn a_prediction_interval_does_not_shrink_where_studies_differ_more() {
    for difference in [0.2181, 0.2182] {
        for rule in [PredictionDf::KMinus1, PredictionDf::AsTest] {
            let pool = kernel::RandomEffects::new().prediction_df(rule).pool(&[0.0, difference], &[1.0, 1.0]);
            let pool = pool.unwrap();
            let prediction = pool.prediction.unwrap();
            assert_near(prediction.lower(), 0.5 * difference - 8.985, 1e-4);
            assert_near(prediction.upper(), 0.5 * difference + 8.985, 1e-4);
            assert_eq!(pool.prediction_interval(rule).unwrap(), prediction);
        }
        let none = Moderators::new().number("x", &[0.0, 0.0, 1.0]);
        let fit = kernel::MetaRegression::new().fit(&[0.0, difference, 1.0], &[1.0; 3], &none).unwrap();
        let at = fit.predict(&Moderators::new().number("x", &[0.0])).unwrap()[0].prediction.unwrap();
        assert_near(at.upper() - at.lower(), 2.0 * 8.985, 1e-4);
    }
    // It nests in the level.
    let at = |level: f64| {
        let pool =
            kernel::RandomEffects::new().level(level).pool(&[0.1, 0.9, 0.4], &[0.1, 0.2, 0.1]).unwrap();
        pool.prediction.unwrap()
    };
    for two in [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99].windows(2) {
        assert!(at(two[0]).lower() > at(two[1]).lower() && at(two[0]).upper() < at(two[1]).upper());
    }
}

/// Every number that is put to a fitted meta-regression by the wider of both is the larger p-value and the
/// wider interval.
#[test]
fn questions_to_a_meta_regression_do_not_depend_on_its_level() {
    let (yi, vi) = ([0.1, 0.35, 0.2, 0.6, 0.75], [0.02, 0.03, 0.05, 0.04, 0.02]);
    let moderators =
        Moderators::new().number("x", &[0.0, 1.0, 2.0, 3.0, 4.0]).number("z", &[1.0, 0.0, 0.0, 1.0, 1.0]);
    let fit = |level: f64| kernel::MetaRegression::new().level(level).fit(&yi, &vi, &moderators).unwrap();
    let by = |test| kernel::MetaRegression::new().test(test).fit(&yi, &vi, &moderators).unwrap();
    let (wald, other) = (by(Test::Normal), by(Test::HartungKnapp));
    let weights = [1.0, 2.0, 0.0];
    let rows = array![[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    for level in [0.3, 0.6, 0.9, 0.99] {
        let fit = fit(level);
        let p = |fit: &kernel::MetaRegressionFit| fit.combination("", &weights, (), 0.95).unwrap().p_value;
        assert_near(p(&fit), p(&wald).max(p(&other)), 1e-10);
        let width = |fit: &kernel::MetaRegressionFit| {
            fit.combination("", &weights, (), 0.8).unwrap().interval.width()
        };
        assert_near(width(&fit), width(&wald).max(width(&other)), 1e-10);
        let p = |fit: &kernel::MetaRegressionFit| fit.joint_test(rows.view(), ()).unwrap().p_value;
        assert_near(p(&fit), p(&wald).max(p(&other)), 1e-10);
        let p = |fit: &kernel::MetaRegressionFit| fit.test_of(&["z"]).unwrap().p_value;
        assert_near(p(&fit), p(&wald).max(p(&other)), 1e-10);
        let p = |fit: &kernel::MetaRegressionFit| fit.wald_test(&[1, 2], ()).unwrap().p_value;
        assert_near(p(&fit), p(&wald).max(p(&other)), 1e-10);
        let p = |fit: &kernel::MetaRegressionFit| fit.table((), 0.5).unwrap()[1].p_value;
        assert_near(p(&fit), p(&wald).max(p(&other)), 1e-10);
    }
    let bounds = |level| {
        let pool = kernel::RandomEffects::new().level(level).pool(&yi, &vi).unwrap();
        pool.one_sided(0.9).unwrap()
    };
    assert_eq!(bounds(0.5), bounds(0.99));
}

#[test]
fn words_are_those_of_what_was_asked() {
    let (yi, vi) = ([0.1, 0.3, 0.2, 0.5], [0.01; 4]);
    let fit = |moderators: &Moderators| kernel::MetaRegression::new().fit(&yi, &vi, moderators).unwrap_err();
    let twice = fit(&Moderators::new().number("x", &[1.0, 2.0, 3.0, 4.0]).number("y", &[2.0, 4.0, 6.0, 8.0]));
    let constant = fit(&Moderators::new().number("x", &[3.0; 4]));
    let egger = EggerTest::new().test(&yi, &vi).unwrap_err();
    let variance = array![[0.01]];
    let network = NetworkData::new(["A", "B", "C", "D"])
        .trial("A", &["B"], &[0.1], variance.view())
        .and_then(|data| data.trial("C", &["D"], &[0.2], variance.view()))
        .unwrap();
    let network = network.pool("A", &MultivariateModel::common_effect()).unwrap_err();
    for (error, words) in [
        (&twice, "the moderators x, y follow from each other"),
        (&constant, "the moderator x is the same in all studies"),
        (&egger, "all studies are of one size"),
        (&network, "no chain of trials connects these treatments with the reference: C, D"),
    ] {
        let text = error.to_string();
        assert!(text.contains(words), "{text}");
        assert!(!text.contains("component") && !text.contains("leave out the arms"), "{text}");
        assert_eq!(error.kind().name(), "collinear");
    }
}

#[test]
fn eggers_test_on_a_line_advises_what_helps() {
    let (yi, vi) = ([0.1, 0.2, 0.3, 0.4], [0.01, 0.04, 0.09, 0.16]);
    for reference in [Test::T, Test::Normal] {
        let error = EggerTest::new().reference(reference).test(&yi, &vi).unwrap_err().to_string();
        assert!(error.contains("EggerTest::mixed_effects or EggerTest::fixed_effects"), "{error}");
    }
    let error = EggerTest::new().reference(Test::WiderOfBoth).test(&yi, &vi).unwrap_err().to_string();
    assert!(error.contains("take such a model (by tau2)"), "{error}");
    assert!(EggerTest::mixed_effects(Tau2::Reml).test(&yi, &vi).is_ok());
    assert!(EggerTest::fixed_effects().test(&yi, &vi).is_ok());
    let one = EggerTest::new().test(&[0.1], &[0.01]).unwrap_err().to_string();
    assert!(one.contains("there is one;"), "{one}");
    let data =
        MultivariateData::new(["mean"]).trial(&[0.1], array![[0.01]].view(), array![[1.0]].view()).unwrap();
    let one = cluster_robust(&data, kernel::ClusterCorrection::Cr2, 0.95).unwrap_err().to_string();
    assert!(one.contains("1 cluster is too few for robust standard errors of 1 coefficient"), "{one}");
}

#[test]
fn published_intervals_are_refused_in_their_own_numbers() {
    let interval = |lower, upper| Interval::new(lower, upper).unwrap();
    let error = EffectSize::from_ratio_interval(1.5, interval(1.2, 1.5), 0.95, None).unwrap_err().to_string();
    assert!(error.contains("1.5 is not in the middle of its interval from 1.2 to 1.5"), "{error}");
    assert!(!error.contains("0.405") && !error.contains("from_ratio_interval"), "{error}");
    for point in [
        EffectSize::from_ratio_interval(0.5, interval(0.5, 0.5), 0.95, None),
        EffectSize::from_interval(0.5, interval(0.5, 0.5), 0.95, None),
    ] {
        let error = point.unwrap_err().to_string();
        assert!(error.contains("from 0.5 to 0.5 has no width"), "{error}");
    }
}

/// Wald's test of the contrasts: with all arms in all trials, the combination less its parts.
#[test]
fn additivity_is_a_test_of_contrasts_at_the_fitted_tau2() {
    let counts = [[30, 62, 38, 72], [22, 14, 41, 40], [41, 80, 52, 95], [25, 20, 44, 47]];
    let cities = counts.iter().enumerate().map(|(i, [control, a, b, both])| {
        let arms = [("control", *control, 200), ("a", *a, 200), ("b", *b, 190), ("both", *both, 210)];
        Comparison::from_counts(format!("{i}"), &EVENT, arms).unwrap().components("both", ["a", "b"]).unwrap()
    });
    let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let joint = JointModel::random().pool(&effects).unwrap();
    let components = ComponentModel::random().pool(&effects).unwrap();
    let contrast = joint.model.combination("", &[-1.0, -1.0, 1.0], (), 0.95).unwrap();
    let test = components.additivity.unwrap();
    // The covariance times the residual Q over its degrees of freedom: 12 effects less 3 arms.
    let factor = joint.model.residual_q.unwrap() / 9.0;
    assert_near(test.statistic, contrast.statistic.powi(2) / factor, 1e-8);
    assert_eq!((test.df, test.denominator_df), (1.0, Some(9.0)));
    let t = armwise::distribution::StudentT::new(9.0).unwrap();
    assert_near(test.p_value, 2.0 * t.sf((contrast.statistic / factor.sqrt()).abs()), 1e-8);
    // REML finds the tau2 at which that factor is about one.
    assert!((factor - 1.0).abs() < 0.2, "{factor}");
    let normal = ComponentModel::random().test(CoefficientTest::Normal).pool(&effects).unwrap();
    let chi2 = normal.additivity.unwrap();
    assert_near(chi2.statistic, contrast.statistic.powi(2), 1e-8);
    assert_eq!(chi2.denominator_df, None);
    let network = NetworkMetaAnalysis::random().reference("a").pool(&effects).unwrap();
    let again = network.additivity(&components).unwrap();
    assert_near(again.statistic, test.statistic, 1e-8);
    assert_near(again.p_value, test.p_value, 1e-8);
    // Heterogeneity between cities is no lack of additivity: Q of the component model rejects, the contrasts
    // do not.
    assert!(components.model.q.p_value < 0.05 && test.p_value > 0.05, "{test:?} {:?}", components.model.q);
    let text = components.to_string();
    assert!(text.contains("component model of 2 components whose effects add up"), "{text}");
    assert!(text.contains("that components add up: F = "), "{text}");
    let text = joint.to_string();
    assert!(text.contains("joint model of 3 treatments"), "{text}");
    assert!(joint.additivity.is_none() && network.additivity(&joint).is_err());
}

#[test]
fn the_default_prior_of_risk_differences_knows_how_many_have_the_event() {
    let cities =
        [trial("A", (15, 100), (10, 100)), trial("B", (7, 95), (8, 90)), trial("C", (31, 170), (20, 180))];
    let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let pooled = BayesianRandomEffects::new().pool(&effects.treatment("t").unwrap()).unwrap();
    let p = 91.0 / 735.0;
    let TauPrior::HalfNormal { scale } = pooled.summary.priors.prior_of_tau() else { panic!("half-normal") };
    assert_near(scale, 0.5 * p * (1.0 - p), 1e-12);
    assert_eq!(pooled.prior_origin, PriorOrigin::RiskDifference);
    let text = pooled.to_string();
    assert!(text.contains("0.5 p (1 - p) with p = 12.4% of people with the event"), "{text}");
    assert!(text.contains("so tau below 10.6 points with probability 95%"), "{text}");
    assert!(text.contains("95% credible interval"), "{text}");
    let svg = ForestPlot::of(&pooled).to_svg();
    assert!(svg.contains("interval)</text>") && !svg.contains("CI)</text>"), "{svg}");
}

#[test]
fn a_variance_of_clusters_that_is_zero_is_on_the_boundary() {
    let design = Array2::ones((2, 1));
    let covariance = array![[0.01, 0.0], [0.0, 0.01]];
    let mut data = MultivariateData::new(["mean"]);
    for _ in 0..4 {
        data.push(&[-1.0, 1.0], covariance.view(), design.view()).unwrap();
    }
    let pool = MultivariateModel::random_effects().structure(BetweenStructure::Nested).pool(&data).unwrap();
    assert!(pool.boundary, "{pool:?}");
}

#[test]
fn an_empty_interval_of_tau2_is_called_empty() {
    let cities: Vec<_> = (0..6).map(|i| trial(&format!("{i}"), (20, 100), (10, 100))).collect();
    let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let pooled = CommonEffect::new().pool(&effects.treatment("t").unwrap());
    assert!(pooled.is_ok());
    let text = RandomEffects::new().pool(&effects.treatment("t").unwrap()).unwrap().to_string();
    assert!(text.contains("tau = 0 points (95% CI empty"), "{text}");
}

/// A city without events has no logistic regression; the estimator that was named beforehand answers there,
/// and the pool says so.
#[test]
fn a_city_without_events_stays_in_the_adjusted_pool() {
    const WORKS: Measure<Binary> = Measure::binary("works");
    use armwise::estimator::WithFallback;
    use armwise::protocol::{AnalysisPlan, PlannedAnalysis, PlannedOutcome};
    let mut text = "city,arm,age,works\n".to_owned();
    for (i, city) in ["A", "B", "C"].iter().enumerate() {
        for person in 0..60 {
            let (arm, age) = (["control", "t"][person % 2], 20 + person * 7 % 40);
            // Nobody in the control of B had the event.
            let works = (person * (i + 3)) % 7 == 0 && (*city != "B" || arm == "t");
            text += &format!("{city},{arm},{age},{}\n", u8::from(works));
        }
    }
    let table = Table::from_csv_str(&text).unwrap();
    let trials = Trials::builder(table, "city").arm_labels("arm").control("control").build().unwrap();
    let cities = trials.on(&WORKS).unwrap();
    let logistic = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
    // Its standardised means may leave 0 to 1, its coefficient is a difference all the same.
    let linear = LinearRegression::new().adjust_for(["age"]);
    assert!(cities.estimate(&logistic).is_err());
    let effects = cities.estimate(&WithFallback::new(logistic.clone(), linear.clone())).unwrap();
    let pooled = RandomEffects::new().pool(&effects.treatment("t").unwrap()).unwrap();
    assert_eq!(pooled.trials.len(), 3);
    let words = "(separation); the linear regression that was named beforehand stands in its place (B)";
    assert!(pooled.to_string().contains(words), "{pooled}");
    let own = cities.iter().nth(1).unwrap().estimate(&linear).unwrap();
    assert_eq!(
        effects.trial("B").unwrap().treatment("t").unwrap().value(),
        own.treatment("t").unwrap().value()
    );
    // In a plan: without a fallback there is no pool, and the city is named; with one there is.
    let plan = |analysis: PlannedAnalysis| {
        let outcome = PlannedOutcome::new(&WORKS).analysis(analysis);
        AnalysisPlan::new("Work").outcome(outcome).pool(RandomEffects::new())
    };
    let without = plan(PlannedAnalysis::new(logistic.clone())).run_all(&trials).unwrap();
    let failure = without.pools()[0].result.as_ref().unwrap_err();
    assert!(failure.message.contains("without an answer in B") && failure.message.contains("fallback(..)"));
    let with = plan(PlannedAnalysis::new(logistic).fallback(linear));
    let text = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<AnalysisPlan>(&text).unwrap(), with);
    let results = with.run_all(&trials).unwrap();
    assert!(results.pools()[0].result.is_ok() && results.to_string().contains(words), "{results}");
}
