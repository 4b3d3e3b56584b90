//! Populations and subgroups: in plans as data, in typed calls, and their order.

use crate::support::survives;
use armwise::design::Population;
use armwise::effect::SubgroupEffects;
use armwise::estimator::WithFallback;
use armwise::prelude::*;
use armwise::protocol::{AnalysisPlan, PlanResults, PlannedAnalysis, PlannedOutcome};
use armwise::report::Report;

const WORKS: Measure<Binary> = Measure::binary("works");
const SCORE: Measure<Continuous> = Measure::continuous("score");

/// Two cities of 48 people; `age` is `old` first, `letter` is missing for some.
fn trials() -> Trials {
    let mut text = "city,arm,age,letter,works,score\n".to_owned();
    for i in 0..96 {
        let city = if i < 48 { "Utrecht" } else { "Tilburg" };
        let arm = ["c", "t", "t", "c"][i % 4];
        let age = if i % 3 == 0 { "young" } else { "old" };
        let age = if i == 0 { "old" } else { age };
        let letter = ["read", "read", "returned", "", "read"][i % 5];
        let works = u8::from((i * 7) % 11 < if arm == "t" { 6 } else { 4 });
        text += &format!("{city},{arm},{age},{letter},{works},{}\n", (i * 13) % 29);
    }
    Trials::builder(Table::from_csv_str(&text).unwrap(), "city")
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap()
}

fn read() -> Population {
    Population::new("people who read the letter", "letter").including(["read"]).excluding(["returned"])
}

fn plan() -> AnalysisPlan {
    let difference = || PlannedAnalysis::new(DifferenceInProportions::new());
    AnalysisPlan::new("Work")
        .outcome(
            PlannedOutcome::new(&WORKS)
                .analysis(difference())
                .analysis(difference().population(read()))
                .analysis(difference().by_subgroup_levels("age", ["young", "old"]))
                .analysis(difference().population(read()).by_subgroup("age").labelled("both")),
        )
        .outcome(
            PlannedOutcome::new(&SCORE)
                .analysis(PlannedAnalysis::new(DifferenceInMeans::new()).by_subgroup("age")),
        )
        .pool(RandomEffects::new())
}

fn run(plan: &AnalysisPlan) -> PlanResults {
    plan.run_all(&trials()).unwrap()
}

#[test]
fn a_plan_gives_the_numbers_of_the_typed_calls() {
    let (trials, results) = (trials(), run(&plan()));
    assert_eq!(AnalysisPlan::from_json(&plan().to_json().unwrap()).unwrap(), plan());
    survives(&results);
    let whole = results.effects("works", "difference in proportions").unwrap();
    let narrow = results.effects("works", "difference in proportions, people who read the letter").unwrap();
    for trial in &trials {
        let works = trial.on(&WORKS).unwrap();
        let estimator = DifferenceInProportions::new();
        let own = |effects: &Effects<armwise::effect::AnyScale>| {
            effects.trial(trial.name().as_str()).unwrap().clone()
        };
        assert_eq!(own(&whole), works.estimate(&estimator).unwrap().to_any());
        let of_letter = works.of_population(&read()).unwrap().estimate(&estimator).unwrap();
        assert_eq!(own(&narrow), of_letter.to_any());
        let told = |notice: &Notice| matches!(notice, Notice::OfPopulation { .. });
        assert!(of_letter.notices().iter().any(told));
        // Everybody stays among the randomised.
        let counts = of_letter.treatment("t").unwrap().treatment_counts();
        assert!(counts.randomised == 24 && counts.analysed < 24);
        let subgroups = works.by_subgroup_levels("age", ["young", "old"]).unwrap();
        let effects: SubgroupEffects = subgroups.estimate(&estimator).unwrap().to_any();
        let found = results
            .interactions()
            .iter()
            .find(|one| one.trial == *trial.name() && one.analysis == "difference in proportions, by age")
            .unwrap();
        assert_eq!(*found.result.as_ref().unwrap(), effects);
        let young = results.effects_in("works", "difference in proportions, by age", "young").unwrap();
        let name = format!("{}, age young", trial.name());
        assert_eq!(*young.trial(&name).unwrap(), effects.effects[0]);
    }
    // One analysis for each trial, two for each with subgroups.
    assert_eq!(results.answers().len(), 2 + 2 + 4 + 4 + 4);
    assert_eq!(results.interactions().len(), 6);
    assert_eq!(results.failures().count(), 0);
    // Pools: of everybody, of the population, and of each level.
    let of = |analysis: &str| results.pools().iter().filter(|pool| pool.analysis == analysis).count();
    assert_eq!(of("difference in proportions"), 1);
    assert_eq!(of("difference in proportions, by age"), 2);
    let levels: Vec<String> = results
        .pools()
        .iter()
        .filter(|pool| pool.analysis == "both")
        .map(|pool| format!("{:?} {}", pool.population, pool.subgroup.as_ref().unwrap()))
        .collect();
    let both = "Some(\"people who read the letter\")";
    assert_eq!(levels, [format!("{both} age: old"), format!("{both} age: young")]);
    let error = results.effects("works", "both").unwrap_err().to_string();
    assert!(error.contains("effects_in") && error.contains("old, young"), "{error}");
    assert!(results.effects_in("works", "both", "middle").unwrap_err().to_string().contains("middle"));
}

#[test]
fn rows_name_population_and_subgroup() {
    let results = run(&plan());
    let text = results.to_string();
    for words in [
        "people who read the letter",
        "age: young",
        "interaction of treatment and age: ",
        "who have the outcome; these are randomised groups only if it was settled before randomisation",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    let mut report = Report::new("Work");
    report.push(&results);
    let csv = report.to_csv();
    let row = "difference in proportions; people who read the letter; age: young";
    assert!(csv.contains(row) && csv.contains("; people who read the letter"), "{csv}");
    assert!(report.to_markdown().contains("both; people who read the letter; age: old"));
}

#[test]
fn what_does_not_fit_is_told_before_data_are_touched() {
    let refused = |analysis: PlannedAnalysis| {
        let plan = AnalysisPlan::new("Work").outcome(PlannedOutcome::new(&WORKS).analysis(analysis));
        plan.run_all(&trials()).unwrap_err().to_string()
    };
    let with =
        |population| refused(PlannedAnalysis::new(DifferenceInProportions::new()).population(population));
    let error = with(Population::new("read", "lettr").including(["read"]));
    assert!(error.contains("did you mean \"letter\""), "{error}");
    let error = with(Population::new("read", "letter").including(["read"]));
    assert!(error.contains("\"returned\"") && error.contains("excluding(..)"), "{error}");
    let error = with(read().including(["opened"]));
    assert!(error.contains("opened") && error.contains("column \"letter\""), "{error}");
    let error = with(Population::new("read", "letter"));
    assert!(error.contains("includes no label"), "{error}");
    let error = with(Population::new(" ", "letter").including(["read"]).excluding(["returned"]));
    assert!(error.contains("has no name"), "{error}");
    let error = with(read().excluding(["read"]));
    assert!(error.contains("declared twice"), "{error}");
    let by = |levels: &[&str]| {
        let analysis = PlannedAnalysis::new(DifferenceInProportions::new());
        refused(analysis.by_subgroup_levels("age", levels.iter().copied()))
    };
    assert!(
        by(&["young", "middle"]).contains("\"middle\" is not one of the categories"),
        "{}",
        by(&["middle"])
    );
    assert!(by(&["young", "young", "old"]).contains("named twice"));
    // A level that has people and is not named is told of in its place.
    let plan =
        AnalysisPlan::new("Work").outcome(PlannedOutcome::new(&WORKS).analysis(
            PlannedAnalysis::new(DifferenceInProportions::new()).by_subgroup_levels("age", ["young"]),
        ));
    let results = plan.run_all(&trials()).unwrap();
    assert_eq!(results.failures().count(), 2);
    assert!(results.to_string().contains("people have the level \"old\", which is not named"));
    let words = r#"{"estimator": "difference_in_proportions", "population": {"name": "a", "column": "b", "include": ["c"]}}"#;
    assert!(serde_json::from_str::<PlannedAnalysis>(words).unwrap_err().to_string().contains("include"));
}

#[test]
fn an_arm_without_anybody_in_the_population_is_named() {
    let text = "arm,in,works\nc,yes,0\nc,yes,1\nt,no,1\nt,no,0\n";
    let trial =
        Trial::builder("Utrecht", Table::from_csv_str(text).unwrap()).arm_labels("arm").control("c").build();
    let works = trial.unwrap().on(&WORKS).unwrap();
    let population = Population::new("takers", "in").including(["yes"]).excluding(["no"]);
    let error = works.of_population(&population).unwrap_err().to_string();
    assert!(error.starts_with("Utrecht, works, arm \"t\", column \"in\": nobody in this arm"), "{error}");
    let counts = Comparison::from_counts("A", &WORKS, [("c", 1, 10), ("t", 2, 10)]).unwrap();
    assert!(counts.of_population(&population).is_err());
}

#[test]
fn levels_stand_in_the_order_of_appearance_or_as_declared() {
    let text = "arm,band,size,late,works\n".to_owned()
        + &(0..64)
            .map(|i| {
                let (arm, band) = (["c", "t"][i % 2], ["under 30", "30 to 50", "50 and over"][(i / 2) % 3]);
                let size = [10, 9, 100][(i / 2) % 3];
                let late = (i / 4) % 2 == 0;
                format!("{arm},{band},{size},{late},{}\n", u8::from((i * 5) % 7 < 3))
            })
            .collect::<Vec<String>>()
            .concat();
    let trial = Trial::builder("Utrecht", Table::from_csv_str(&text).unwrap());
    let works = trial.arm_labels("arm").control("c").build().unwrap().on(&WORKS).unwrap();
    let levels = |column| works.by_subgroup(column).unwrap().levels().to_vec();
    assert_eq!(levels("band"), ["under 30", "30 to 50", "50 and over"]);
    assert_eq!(levels("size"), ["9", "10", "100"]);
    assert_eq!(levels("late"), ["no", "yes"]);
    let declared = works.by_subgroup_levels("band", ["50 and over", "under 30", "30 to 50"]).unwrap();
    assert_eq!(declared.levels(), ["50 and over", "under 30", "30 to 50"]);
    // The test of interaction does not depend on the order.
    let by = |one: &armwise::design::SubgroupComparisons<Binary>| {
        one.estimate(&DifferenceInProportions::new()).unwrap().interaction().unwrap().statistic
    };
    let statistic = by(&works.by_subgroup("band").unwrap());
    assert!((by(&declared) - statistic).abs() < 1e-9 * (1.0 + statistic), "{statistic} {}", by(&declared));
    let none: [&str; 0] = [];
    for (levels, words) in [
        (&["under 30", "30 to 50"][..], "50 and over"),
        (&["under 30", "30 to 50", "50 and over", "60"][..], "60"),
        (&none[..], "no level"),
    ] {
        let error = works.by_subgroup_levels("band", levels).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("Utrecht"), "{error}");
    }
}

#[test]
fn subgroups_of_trials_stand_as_they_were_named() {
    let city = |name, x: [u64; 2]| {
        Comparison::from_counts(name, &WORKS, [("control", x[0], 100), ("t", x[1], 100)]).unwrap()
    };
    let cities = [
        city("A", [10, 15]),
        city("B", [8, 7]),
        city("C", [12, 19]),
        city("D", [9, 22]),
        city("E", [20, 21]),
    ];
    let effects = Comparisons::new(cities).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    let sizes = [("E", "small"), ("A", "small"), ("C", "large"), ("D", "large"), ("B", "middle")];
    let groups = armwise::pool::Subgroups::by("size", sizes).pool(&effects.treatment("t").unwrap()).unwrap();
    let labels: Vec<&str> = groups.groups.iter().map(|group| group.label.as_str()).collect();
    assert_eq!(labels, ["small", "large", "middle"]);
    survives(&groups);
    // One tau2 with its interval, in words.
    let interval = groups.common_tau2_interval.unwrap();
    assert!(interval.contains(groups.common_tau2.unwrap()));
    let text = groups.to_string();
    assert!(text.contains("variation between trials: one for all subgroups, tau = "), "{text}");
    assert!(text.contains("Q-profile"), "{text}");
    let at = |word: &str| text.find(&format!("\n  {word}")).unwrap_or_else(|| panic!("{word}\n{text}"));
    assert!(at("small") < at("large") && at("large") < at("middle"));
}

/// An estimator of a user's own that has no answer where nobody has the event.
struct LogOfDifference;

impl Estimator<Binary> for LogOfDifference {
    type Scale = RiskDifference;

    fn estimate(&self, comparison: &Comparison<Binary>) -> armwise::Result<Estimates<RiskDifference>> {
        if let Some(arm) = comparison.arms().iter().find(|arm| arm.counts.events == Some(0)) {
            let why = "nobody has the event; take the difference in proportions";
            return Err(armwise::Error::not_estimable(why).in_arm(&arm.label));
        }
        if comparison.arms().len() > 2 {
            return Err(armwise::Error::invalid("there are three arms; compare two"));
        }
        comparison.estimate(&DifferenceInProportions::new())
    }
}

#[test]
fn an_error_of_ones_own_has_its_place_and_a_fallback() {
    let of = |x| Comparison::from_counts("Utrecht", &WORKS, [("c", x, 40), ("t", 6, 40)]).unwrap();
    assert!(of(3).estimate(&LogOfDifference).is_ok());
    let error = of(0).estimate(&LogOfDifference).unwrap_err();
    let text = "Utrecht, works, arm \"c\": nobody has the event; take the difference in proportions";
    assert_eq!(error.to_string(), text);
    assert_eq!(error.kind().name(), "not_estimable");
    let place = error.place();
    assert_eq!(
        (place.trial.as_deref(), place.measure.as_deref(), place.arm.as_deref()),
        (Some("Utrecht"), Some("works"), Some("c"))
    );
    let with = WithFallback::new(LogOfDifference, DifferenceInProportions::new());
    assert!(
        of(0).estimate(&with).unwrap().notices().iter().any(|one| matches!(one, Notice::Fallback { .. }))
    );
    let three = [("c", 3, 40), ("t", 6, 40), ("u", 5, 40)];
    let three = Comparison::from_counts("Utrecht", &WORKS, three).unwrap();
    // What was asked for has no fallback.
    assert_eq!(three.estimate(&with).unwrap_err().kind().name(), "invalid_input");
    let error = armwise::Error::invalid("no").in_row(3).in_column("age").in_column("other");
    assert_eq!(error.to_string(), "column \"age\", row 4: no");
}
