//! Trials that are planned: power, people and detectable effects belong together, for every kind of outcome.

use armwise::power::{Aim, Clustering, Family, ProportionFormula, TestLevel, TwoProportionsPower};
use armwise::prospective::{
    ArmRatio, ExpectedAmounts, ExpectedOutcome, HazardFormula, PlannedPool, PlannedTrial, PooledEstimand,
};
use armwise::report::PowerCurvePlot;
use armwise::sequential::{GroupSequential, Rule};

fn outcomes() -> Vec<ExpectedOutcome> {
    let amounts = |share, mean| ExpectedAmounts { share, mean, sd: 800.0 };
    let mut all = vec![
        ExpectedOutcome::Means { difference: 3.0, sd: 11.0 },
        ExpectedOutcome::Rates { treated: 0.5, control: 0.4, time: 2.0, dispersion: 0.3 },
        ExpectedOutcome::Ordered { control: vec![0.3, 0.4, 0.2, 0.1], log_odds_ratio: 0.3 },
        ExpectedOutcome::Wins { probability: 0.56, ties: vec![0.5] },
        ExpectedOutcome::Amounts { treated: amounts(0.26, 1900.0), control: amounts(0.20, 1800.0) },
    ];
    for formula in [HazardFormula::Schoenfeld, HazardFormula::Freedman] {
        all.push(ExpectedOutcome::TimeToEvent { hazard_ratio: 1.3, control_events: 0.3, formula });
    }
    for formula in ProportionFormula::ALL {
        if formula != ProportionFormula::FisherExact {
            all.push(ExpectedOutcome::Proportions { treated: 0.26, control: 0.20, formula });
        }
    }
    all
}

#[test]
fn people_power_and_effect_belong_together() {
    for outcome in outcomes() {
        let dilutes =
            !matches!(outcome, ExpectedOutcome::Ordered { .. } | ExpectedOutcome::TimeToEvent { .. });
        let plain = PlannedTrial::new(outcome).unwrap();
        let full = plain
            .clone()
            .treatments(3, Family::Dunnett)
            .unwrap()
            .arm_ratio(ArmRatio::OptimalSharedControl)
            .unwrap()
            .explained(2, 0.2)
            .unwrap()
            .clusters(Clustering::new(12.0, 0.02).unwrap().varying(0.4).unwrap())
            .unwrap()
            .attrition(0.1)
            .unwrap();
        let mut trials = vec![plain, full.clone()];
        if dilutes {
            trials.push(full.take_up(0.8, 0.05).unwrap());
        }
        for trial in trials {
            let design = trial.people_for(0.8).unwrap();
            assert!((0.8..0.82).contains(&design.power), "{design}");
            let sizes = trial.sizes_for(0.8).unwrap();
            assert!(sizes.control() <= design.people.control as f64 + 1e-6);
            let detectable = trial.detectable(design.people, design.power).unwrap();
            assert!((detectable.effect / design.effect - 1.0).abs() < 1e-6, "{design}\n{detectable}");
            assert!((detectable.power - design.power).abs() < 1e-9);
            assert!((trial.power(design.people).unwrap().power - design.power).abs() < 1e-15);
            // As JSON, through its check.
            let text = serde_json::to_string(&design).unwrap();
            let read: armwise::prospective::Design = serde_json::from_str(&text).unwrap();
            assert_eq!(read, design);
            let wrong = text.replace(&format!("\"total\":{}", design.total), "\"total\":7");
            assert!(serde_json::from_str::<armwise::prospective::Design>(&wrong).is_err());
            assert!(!design.assumptions.is_empty() && design.to_string().ends_with('.'));
        }
    }
}

/// Schoenfeld's 246.8 events for a ratio of 0.7, of people of whom as many as expected have the event.
#[test]
fn events_of_schoenfeld_and_freedman() {
    let of = |formula| {
        let outcome = ExpectedOutcome::TimeToEvent { hazard_ratio: 0.7, control_events: 0.5, formula };
        let trial = PlannedTrial::new(outcome).unwrap();
        let test = TestLevel::two_sided(0.05).unwrap().nearer_tail();
        let sizes = trial.test(test).unwrap().sizes_for(0.8).unwrap();
        let treated = 1.0 - 0.5_f64.powf(0.7);
        sizes.treated() * treated + sizes.control() * 0.5
    };
    assert!((of(HazardFormula::Schoenfeld) - 246.79).abs() < 0.01);
    // (z_a + z_b)^2 ((1 + 0.7) / (1 - 0.7))^2 = 252.04.
    assert!((of(HazardFormula::Freedman) - 252.04).abs() < 0.01);
}

#[test]
fn looks_cost_their_inflation() {
    let test = TestLevel::one_sided(0.025).unwrap();
    let looks = GroupSequential::even(4, Rule::Pocock, test).unwrap();
    let outcome =
        ExpectedOutcome::Proportions { treated: 0.23, control: 0.20, formula: ProportionFormula::Unpooled };
    let fixed = PlannedTrial::new(outcome).unwrap().test(test).unwrap();
    let with = fixed.clone().looks(looks.clone()).unwrap();
    let ratio = with.sizes_for(0.9).unwrap().control() / fixed.sizes_for(0.9).unwrap().control();
    assert!((ratio - looks.inflation(0.9).unwrap()).abs() < 1e-6);
    let aim = Aim::NonInferiority { margin: 0.02 };
    let margin = with.clone().aim(aim).unwrap().sizes_for(0.9).unwrap().control()
        / fixed.clone().aim(aim).unwrap().sizes_for(0.9).unwrap().control();
    assert!((margin - looks.inflation(0.9).unwrap()).abs() < 1e-6);
}

/// A margin on a difference of proportions is that of the kernel, whichever formula tests a difference.
#[test]
fn margins_are_on_the_scale_of_the_effect() {
    let test = TestLevel::one_sided(0.025).unwrap();
    let aim = Aim::NonInferiority { margin: 0.05 };
    let own = TwoProportionsPower::new(0.2, 0.2, ProportionFormula::Unpooled).unwrap();
    let expected = own.sizes_of(aim, 0.8, 1.0, test).unwrap().control();
    for formula in [ProportionFormula::Pooled, ProportionFormula::Arcsine, ProportionFormula::Unpooled] {
        let outcome = ExpectedOutcome::Proportions { treated: 0.2, control: 0.2, formula };
        let trial = PlannedTrial::new(outcome).unwrap().test(test).unwrap().aim(aim).unwrap();
        assert!((trial.sizes_for(0.8).unwrap().control() - expected).abs() < 1e-6, "{formula:?}");
    }
    // By noncentral t, a little more than by the normal distribution: 2 (z + z)^2 (s / m)^2 = 99.7.
    let outcome = ExpectedOutcome::Means { difference: 0.0, sd: 10.0 };
    let trial = PlannedTrial::new(outcome).unwrap().test(test).unwrap();
    let margin = trial.aim(Aim::NonInferiority { margin: 3.968_627 }).unwrap();
    assert!((margin.sizes_for(0.8).unwrap().control() - 100.6).abs() < 0.3);
}

/// A shared control is largest for its people at the square root of the number of treatments.
#[test]
fn the_optimal_control_is_optimal() {
    let all = |ratio: ArmRatio| {
        let outcome = ExpectedOutcome::Means { difference: 0.3, sd: 1.0 };
        let trial = PlannedTrial::new(outcome).unwrap().treatments(4, Family::Bonferroni).unwrap();
        let sizes = trial.arm_ratio(ratio).unwrap().sizes_for(0.8).unwrap();
        sizes.control() + 4.0 * sizes.treated()
    };
    let best = all(ArmRatio::OptimalSharedControl);
    assert!((all(ArmRatio::TreatedPerControl(0.5)) - best).abs() < 1e-6);
    for ratio in [0.3, 0.4, 0.45, 0.55, 0.7, 1.0] {
        assert!(all(ArmRatio::TreatedPerControl(ratio)) > best, "{ratio}");
    }
}

#[test]
fn more_people_do_not_replace_cities() {
    let city = PlannedTrial::new(ExpectedOutcome::proportions(0.23, 0.20)).unwrap();
    let pool = PlannedPool::new(city.clone(), 6).unwrap().tau(0.03).unwrap();
    let error = pool.people_for(0.8).unwrap_err().to_string();
    assert!(error.contains("no number of people") && error.contains("cities would"), "{error}");
    let cities = pool.cities_for(0.8, 300).unwrap();
    assert!(cities.power >= 0.8);
    let fewer = pool.clone().cities(cities.total.try_into().map_or(2, |n: u32| n / 600) - 1).unwrap();
    assert!(fewer.power(300).unwrap().power < 0.8);
    let these = pool.clone().estimand(PooledEstimand::TheseCities).people_for(0.8).unwrap();
    // Without differences between cities and with the same people the pool is one trial.
    let one = city.sizes_for(0.8).unwrap().control();
    assert!((6.0 * these.control as f64 / one - 1.0).abs() < 0.01, "{these} {one}");
    let found = pool.detectable(500, 0.8).unwrap();
    assert!((found.power - 0.8).abs() < 1e-9);
    let text = serde_json::to_string(&found).unwrap();
    assert_eq!(serde_json::from_str::<armwise::prospective::PooledDesign>(&text).unwrap(), found);
}

#[test]
fn widths_and_grids() {
    let trial = PlannedTrial::new(ExpectedOutcome::Means { difference: 0.0, sd: 10.0 }).unwrap();
    let sizes = trial.sizes_for_width(2.0, 0.95).unwrap();
    assert!((trial.half_width(sizes, 0.95).unwrap() - 2.0).abs() < 1e-9);
    let trial = PlannedTrial::new(ExpectedOutcome::proportions(0.23, 0.20)).unwrap();
    let grid = trial.grid(&[300, 600, 1200], &[1.0, 2.0]).unwrap();
    assert!(
        (grid.power[1][0] - trial.power(trial.people_for(0.8).unwrap().people).unwrap().power).abs() < 1.0
    );
    let text = serde_json::to_string(&grid).unwrap();
    assert_eq!(serde_json::from_str::<armwise::prospective::PowerGrid>(&text).unwrap(), grid);
    let plot = PowerCurvePlot::of(&grid);
    assert!(plot.to_svg().contains("All people of the trial"));
    assert_eq!(PowerCurvePlot::table(&grid).len(), 3);
}

#[test]
fn what_cannot_be_planned_says_what_would_work() {
    let said = |error: armwise::Error, words: &str| {
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(';'), "{text}");
    };
    let trial = || PlannedTrial::new(ExpectedOutcome::proportions(0.23, 0.20)).unwrap();
    said(PlannedTrial::new(ExpectedOutcome::proportions(23.0, 0.20)).unwrap_err(), "0.2 for 20%");
    let none = PlannedTrial::new(ExpectedOutcome::proportions(0.2, 0.2)).unwrap();
    said(none.people_for(0.8).unwrap_err(), "smallest effect that matters");
    said(
        none.detectable(trial().people_for(0.8).unwrap().people, 0.8).unwrap_err(),
        "the direction is known",
    );
    said(trial().people_for(1.0).unwrap_err(), "no finite size has power 1");
    said(trial().attrition(1.0).unwrap_err(), "below 1");
    said(trial().take_up(0.3, 0.4).unwrap_err(), "the first the larger");
    said(trial().treatments(0, Family::Dunnett).unwrap_err(), "1 to 100");
    said(trial().arm_ratio(ArmRatio::TreatedPerControl(-1.0)).unwrap_err(), "positive ratio");
    said(trial().explained(0, 0.3).unwrap_err(), "at least one covariate");
    let test = TestLevel::one_sided(0.025).unwrap();
    let looks = GroupSequential::even(50, Rule::Pocock, test).unwrap();
    let many = trial().looks(looks).unwrap();
    let few = armwise::power::GroupSizes::equal(20.0).unwrap();
    let few = few.whole(armwise::power::Rounding::EachGroupUp).unwrap();
    said(many.power(few).unwrap_err(), "at most as many looks as people");
    let ordered = ExpectedOutcome::Ordered { control: vec![0.5, 0.2], log_odds_ratio: 0.3 };
    said(PlannedTrial::new(ordered).unwrap_err(), "sum to 1");
    let ordered = ExpectedOutcome::Ordered { control: vec![0.5, 0.5], log_odds_ratio: 0.3 };
    let trial = PlannedTrial::new(ordered).unwrap();
    said(trial.take_up(0.5, 0.0).unwrap_err(), "effect of the offer");
}
