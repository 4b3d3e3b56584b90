//! Laws of analyses beyond a single pool: networks, posteriors, sensitivity, subgroups, counts.

use crate::support::data::{ARMS, Counts, WORKS, comparison, comparisons, counts, effects, guidance};
use crate::support::near_or_equal;
use armwise::bayes::TauPrior;
use armwise::meta_analysis::{CoefficientTest, SubgroupTau2, Test};
use armwise::pool::{Approach, Average, CumulativeOrder, EffectOf};
use armwise::prelude::*;
use armwise::report::Report;
use proptest::prelude::*;

/// The first arms of each trial, so that trials differ in their arms.
pub(super) fn ragged(trials: &[Counts]) -> Effects<RiskDifference> {
    let cities = trials.iter().enumerate().map(|(i, counts)| {
        let of = |arm: usize| (ARMS[arm], counts[arm].0, counts[arm].1);
        let arms = match i % 3 {
            0 => vec![of(0), of(1), of(2)],
            1 => vec![of(0), of(1)],
            _ => vec![of(0), of(2)],
        };
        Comparison::from_counts(format!("city {i}"), &WORKS, arms).unwrap()
    });
    Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_the_trials_does_not_matter(trials in counts()) {
        let named: Vec<_> = trials.iter().enumerate().map(|(i, counts)| comparison(i, counts)).collect();
        let turned: Vec<_> = named.iter().rev().cloned().collect();
        let (one, two) = (Comparisons::new(named).unwrap(), Comparisons::new(turned).unwrap());
        let estimator = DifferenceInProportions::new();
        let (all, other) = (one.estimate(&estimator).unwrap(), two.estimate(&estimator).unwrap());
        let (a, b) = (all.treatment("guidance").unwrap(), other.treatment("guidance").unwrap());
        let model = BayesianRandomEffects::new();
        let (x, y) = (model.pool(&a).unwrap(), model.pool(&b).unwrap());
        prop_assert!(near_or_equal(x.value(), y.value(), 1e-9) && near_or_equal(x.summary.tau.median, y.summary.tau.median, 1e-9));
        prop_assert!(near_or_equal(x.trial("city 1").unwrap().effect.value(), y.trial("city 1").unwrap().effect.value(), 1e-9));
        let (x, y) = (SideBySide::new().pool(&a).unwrap(), SideBySide::new().pool(&b).unwrap());
        for (one, two) in x.rows.iter().zip(&y.rows) {
            prop_assert!(near_or_equal(one.value(), two.value(), 1e-8) && near_or_equal(one.interval().lower(), two.interval().lower(), 1e-8), "{one:?} {two:?}");
        }
        let networks = (NetworkMetaAnalysis::random().pool(&all).unwrap(), NetworkMetaAnalysis::random().pool(&other).unwrap());
        for found in &networks.0.comparisons {
            let same = networks.1.comparison(&found.arm, &found.other).unwrap();
            prop_assert!(near_or_equal(found.value(), same.value(), 1e-7) && near_or_equal(found.se(), same.se(), 1e-7));
        }
        for pooled in [MantelHaenszel::new(RiskDifference).pool(&one, "guidance"), MantelHaenszel::new(RiskDifference).pool(&two, "guidance")] {
            prop_assert!(near_or_equal(pooled.unwrap().value(), MantelHaenszel::new(RiskDifference).pool(&one, "guidance").unwrap().value(), 1e-12));
        }
    }

    #[test]
    fn a_network_of_two_arms_is_a_pool(trials in counts()) {
        let narrow = Comparisons::new(trials.iter().enumerate().map(|(i, arms)| {
            let arms = ARMS[..2].iter().zip(arms).map(|(label, &(events, n))| (label, events, n));
            Comparison::from_counts(format!("city {i}"), &WORKS, arms).unwrap()
        })).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
        let alone = narrow.treatment("guidance").unwrap();
        let pooled = RandomEffects::new().test(Test::T).pool(&alone).unwrap();
        let network = NetworkMetaAnalysis::random().pool(&narrow).unwrap();
        let found = network.comparison("guidance", "control").unwrap();
        prop_assert!(near_or_equal(found.value(), pooled.value(), 1e-9) && near_or_equal(found.se(), pooled.se(), 1e-9));
        prop_assert!(near_or_equal(found.interval().upper(), pooled.interval().upper(), 1e-8) && near_or_equal(found.p_value(), pooled.p_value(), 1e-8));
        prop_assert!(near_or_equal(network.pool.model.q.statistic, pooled.summary.q.statistic, 1e-8));
        prop_assert_eq!(network.pool.q_inconsistency.df, 0.0);
        prop_assert!(network.splits.is_empty());
    }

    #[test]
    fn a_network_with_one_reference_is_the_joint_model_and_that_of_single_components(trials in counts()) {
        let effects = ragged(&trials);
        let network = NetworkMetaAnalysis::random().pool(&effects).unwrap();
        let joint = JointModel::random().pool(&effects).unwrap();
        let components = ComponentModel::random().pool(&effects).unwrap();
        for label in effects.treatments() {
            let found = network.comparison(&label, "control").unwrap();
            let (one, two) = (joint.coefficient(&label).unwrap(), components.coefficient(&label).unwrap());
            prop_assert!(near_or_equal(found.value(), one.value(), 1e-9) && near_or_equal(found.se(), one.se(), 1e-9));
            prop_assert!(near_or_equal(two.value(), one.value(), 1e-12) && near_or_equal(two.se(), one.se(), 1e-12));
            let turned = network.comparison("control", &label).unwrap();
            prop_assert!(turned.value() == -found.value() && turned.interval().upper() == -found.interval().lower());
        }
        let fit = network.additivity(&components).unwrap();
        prop_assert!(fit.df == 0.0 && fit.statistic == 0.0 && fit.p_value == 1.0);
        let parts = network.pool.q_within_designs.statistic + network.pool.q_inconsistency.statistic;
        prop_assert!(near_or_equal(parts, network.pool.model.q.statistic, 1e-8));
        let mean: f64 = network.ranking.iter().map(|ranked| ranked.p_score).sum::<f64>() / network.arms.len() as f64;
        prop_assert!(near_or_equal(mean, 0.5, 1e-9), "{mean}");
        // Another reference changes the order of the table, nothing else.
        let other = NetworkMetaAnalysis::random().reference("guidance").pool(&effects).unwrap();
        for found in &network.comparisons {
            let same = other.comparison(&found.arm, &found.other).unwrap();
            prop_assert!(near_or_equal(found.value(), same.value(), 1e-7) && near_or_equal(found.se(), same.se(), 1e-7));
        }
    }

    #[test]
    fn a_split_node_is_two_networks(trials in counts()) {
        let effects = ragged(&trials);
        let network = NetworkMetaAnalysis::common().test(CoefficientTest::Normal).pool(&effects).unwrap();
        let of = |keep: fn(usize) -> bool| {
            let trials: Vec<_> = effects.iter().enumerate().filter(|(i, _)| keep(*i)).map(|(_, trial)| trial).collect();
            NetworkMetaAnalysis::common().test(CoefficientTest::Normal).pool(trials).unwrap()
        };
        // Trials 0, 3, 6 have both treatments; the others one of them, through control.
        if trials.len() < 3 {
            prop_assert!(network.splits.is_empty());
            return Ok(());
        }
        prop_assert_eq!(network.splits.len(), 1);
        let split = &network.splits[0];
        let direct = of(|i| i % 3 == 0).comparison(&split.arm, &split.other).unwrap();
        let indirect = of(|i| i % 3 != 0).comparison(&split.arm, &split.other).unwrap();
        prop_assert!(near_or_equal(split.direct.value(), direct.value(), 1e-9) && near_or_equal(split.direct.se(), direct.se(), 1e-9));
        prop_assert!(near_or_equal(split.indirect.value(), indirect.value(), 1e-9) && near_or_equal(split.indirect.se(), indirect.se(), 1e-9));
        prop_assert!(near_or_equal(split.difference.value(), direct.value() - indirect.value(), 1e-9));
    }

    #[test]
    fn which_way_is_better_turns_ranks_and_probabilities(trials in counts()) {
        const WORSE: Measure<Binary> = Measure::binary("works").lower_is_better();
        let turned = Comparisons::new(trials.iter().enumerate().map(|(i, arms)| {
            let arms = ARMS.iter().zip(arms).map(|(label, &(events, n))| (label, events, n));
            Comparison::from_counts(format!("city {i}"), &WORSE, arms).unwrap()
        })).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
        let (better, worse) = (effects(&trials), turned);
        let networks = (NetworkMetaAnalysis::random().pool(&better).unwrap(), NetworkMetaAnalysis::random().pool(&worse).unwrap());
        for (one, two) in networks.0.ranking.iter().zip(networks.1.ranking.iter().rev()) {
            prop_assert!(near_or_equal(one.p_score, 1.0 - two.p_score, 1e-12));
        }
        let model = BayesianRandomEffects::new();
        let one = model.pool(&better.treatment("guidance").unwrap()).unwrap();
        let two = model.pool(&worse.treatment("guidance").unwrap()).unwrap();
        for of in [EffectOf::Mean, EffectOf::NewTrial] {
            let (p, q) = (one.probability_of_benefit(of).unwrap(), two.probability_of_benefit(of).unwrap());
            prop_assert!(near_or_equal(p + q, 1.0, 1e-9), "{p} {q}");
            prop_assert!(near_or_equal(one.effect(of).unwrap().probability_above(0.0).unwrap(), p, 1e-12));
            prop_assert!(one.probability_of_no_harm(of, 0.05).unwrap() >= p);
        }
    }

    #[test]
    fn without_variation_between_trials_the_posterior_is_the_common_effect(trials in counts()) {
        let alone = guidance(&trials);
        let common = CommonEffect::new().pool(&alone).unwrap();
        let none = BayesianRandomEffects::new().tau_prior(TauPrior::Uniform { upper: 1e-9 }).pool(&alone).unwrap();
        prop_assert!(near_or_equal(none.value(), common.value(), 1e-9));
        prop_assert!(near_or_equal(none.interval().lower(), common.interval().lower(), 1e-7));
        prop_assert!(near_or_equal(none.new_trial.interval().upper(), common.interval().upper(), 1e-7));
        for trial in &none.trials {
            prop_assert!(near_or_equal(trial.effect.value(), common.value(), 1e-7));
        }
    }

    #[test]
    fn repetitions_are_pools_of_the_trials_that_remain(trials in counts()) {
        let alone = guidance(&trials);
        let model = RandomEffects::new();
        let sensitivity = model.sensitivity(&alone).unwrap();
        let left_out = sensitivity.leave_one_out().unwrap();
        for refit in &left_out.rows {
            let others = alone.iter().filter(|estimate| *estimate.trial() != refit.trial).cloned();
            let pooled = model.pool(&TreatmentEffects::new(others).unwrap()).unwrap();
            prop_assert!(near_or_equal(refit.value(), pooled.value(), 1e-9));
            prop_assert!(near_or_equal(refit.interval().upper(), pooled.interval().upper(), 1e-9));
        }
        let whole = model.pool(&alone).unwrap();
        let orders = [
            CumulativeOrder::AsGiven,
            CumulativeOrder::Precision,
            CumulativeOrder::Participants,
            CumulativeOrder::Named(alone.iter().rev().map(|estimate| estimate.trial().clone()).collect()),
        ];
        for order in orders {
            let cumulative = sensitivity.cumulative(&order).unwrap();
            let last = cumulative.rows.last().unwrap();
            prop_assert!(near_or_equal(last.value(), whole.value(), 1e-8), "{order:?}");
        }
        let influence = sensitivity.influence().unwrap();
        let q: f64 = influence.rows.iter().map(|row| row.baujat.heterogeneity).sum();
        prop_assert!(near_or_equal(q, whole.summary.q.statistic, 1e-8));
        let few = influence.notices().iter().any(|notice| matches!(notice, Notice::TooFewTrials { .. }));
        prop_assert_eq!(few, trials.len() < 4);
    }

    #[test]
    fn side_by_side_is_each_way_by_itself(trials in counts()) {
        let alone = guidance(&trials);
        let ways = SideBySide::new().pool(&alone).unwrap();
        let common = CommonEffect::new().pool(&alone).unwrap();
        prop_assert_eq!(ways.row(Approach::CommonEffect).unwrap().interval(), common.interval());
        for (approach, test) in
            [(Approach::Wald, Test::Normal), (Approach::HartungKnapp, Test::HartungKnapp), (Approach::WiderOfBoth, Test::WiderOfBoth)]
        {
            let Ok(pooled) = RandomEffects::new().test(test).pool(&alone) else { continue };
            let row = ways.row(approach).unwrap();
            prop_assert_eq!((row.value(), row.df(), row.interval()), (pooled.value(), pooled.df(), pooled.interval()));
        }
        let bayesian = BayesianRandomEffects::new().pool(&alone).unwrap();
        prop_assert_eq!(ways.row(Approach::Bayesian).unwrap().interval(), bayesian.interval());
        prop_assert_eq!(ways.left_out.len(), alone.len());
        // Nobody declared a way, so none is called pre-specified.
        prop_assert_eq!(ways.to_string().matches("PRE-SPECIFIED").count(), 0);
        let declared = SideBySide::new().prespecified(Approach::Bayesian).pool(&alone).unwrap();
        prop_assert_eq!(declared.to_string().matches("PRE-SPECIFIED").count(), 1);
    }

    #[test]
    fn subgroups_split_q(trials in counts()) {
        let alone = guidance(&trials);
        let groups = || alone.iter().enumerate().map(|(i, estimate)| (estimate.trial(), if i % 2 == 0 { "even" } else { "odd" }));
        let common = Subgroups::by("half", groups()).common_effect(CommonEffect::new()).pool(&alone).unwrap();
        prop_assert!(near_or_equal(common.q_total.statistic, common.q_within.statistic + common.between.statistic, 1e-8));
        if let Ok(shared) = Subgroups::by("half", groups()).tau2(SubgroupTau2::Common).pool(&alone) {
            let regression = MetaRegression::new().category("half", groups()).fit(&alone).unwrap();
            let test = regression.fit.moderator_test.unwrap();
            prop_assert!(near_or_equal(shared.between.statistic, test.statistic, 1e-8));
            let odd = regression.predict([("half", "odd".into())]).unwrap();
            prop_assert!(near_or_equal(odd.value(), shared.group("odd").unwrap().value(), 1e-8));
        }
    }

    #[test]
    fn participants_are_their_number(trials in counts()) {
        let alone = guidance(&trials);
        let people = ParticipantWeighted::new().pool(&alone).unwrap();
        let n = |estimate: &Estimate<RiskDifference>| (estimate.treatment_counts().analysed + estimate.reference_counts().analysed) as f64;
        let given = ParticipantWeighted::new().weights(alone.iter().map(|estimate| (estimate.trial(), 7.0 * n(estimate)))).pool(&alone).unwrap();
        prop_assert!(near_or_equal(people.value(), given.value(), 1e-12) && near_or_equal(people.se(), given.se(), 1e-12));
        prop_assert_eq!((people.average, given.average), (Average::Participants, Average::GivenWeights));
        let twice: Vec<Counts> = trials.iter().chain(&trials).copied().collect();
        let twice = ParticipantWeighted::new().pool(&guidance(&twice)).unwrap();
        prop_assert!(near_or_equal(people.value(), twice.value(), 1e-10) && near_or_equal(people.se().powi(2), 2.0 * twice.se().powi(2), 1e-10));
    }

    #[test]
    fn two_identical_halves_make_the_whole_of_counts(trials in counts()) {
        let twice: Vec<Counts> = trials.iter().chain(&trials).copied().collect();
        let of = |trials: &[Counts]| {
            let cities = comparisons(trials);
            [
                MantelHaenszel::new(RiskDifference).pool(&cities, "guidance").unwrap().to_any(),
                MantelHaenszel::new(LogRiskRatio).pool(&cities, "guidance").unwrap().to_any(),
                MantelHaenszel::new(LogOddsRatio).pool(&cities, "guidance").unwrap().to_any(),
                Peto::new().pool(&cities, "guidance").unwrap().to_any(),
            ]
        };
        for (one, two) in of(&trials).iter().zip(&of(&twice)) {
            prop_assert!(near_or_equal(one.value(), two.value(), 1e-10));
            prop_assert!(near_or_equal(one.se().powi(2), 2.0 * two.se().powi(2), 1e-10));
        }
        // One trial by Mantel-Haenszel is the trial itself.
        let one = of(&trials[..1]);
        let own = effects(&trials[..1]).treatment("guidance").unwrap();
        prop_assert!(near_or_equal(one[0].value(), own.iter().next().unwrap().value(), 1e-10));
    }

    #[test]
    fn a_report_keeps_every_analysis(trials in counts()) {
        let comparisons = comparisons(&trials);
        let alone = guidance(&trials);
        let mut report = Report::new("All");
        report.push(&SideBySide::new().pool(&alone).unwrap());
        report.push(&BayesianRandomEffects::new().pool(&alone).unwrap());
        report.push(&NetworkMetaAnalysis::random().pool(&effects(&trials)).unwrap());
        report.push(&Peto::new().pool(&comparisons, "guidance").unwrap());
        report.push(&RandomEffects::new().sensitivity(&alone).unwrap().leave_one_out().unwrap());
        let back: Report = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        prop_assert_eq!(&back, &report);
        for text in [report.to_text(), report.to_markdown(), report.to_csv()] {
            prop_assert!(!text.contains("NaN") && text.contains("city 0"));
        }
    }
}
