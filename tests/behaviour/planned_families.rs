//! Families of hypotheses that a plan declares: the numbers of the typed calls, failures that count, errors all at
//! once, and adjusted p-values beside the raw ones.

use armwise::effect::HypothesisFamily;
use armwise::multiplicity::{Adjustment, Alternative, Graph};
use armwise::prelude::*;
use armwise::protocol::{
    AnalysisPlan, AnalysisRole, AnyPool, OutcomeRole, PlanResults, PlannedAnalysis, PlannedFamily,
    PlannedOutcome, PoolResult,
};
use armwise::report::Report;

const FULL_TIME: Measure<Binary> = Outflow::full_time("hours_per_week");
const PART_TIME: Measure<Binary> = Outflow::part_time("hours_per_week");
const WAGE: Measure<Continuous> = Measure::continuous("monthly_wage").unit("euro");

fn trials() -> Trials {
    let table = Table::from_csv_str(include_str!("../../examples/data/participants.csv")).unwrap();
    Trials::builder(table, "municipality").arm_labels("arm").control("control").build().unwrap()
}

fn crude(measure: &Measure<Binary>) -> PlannedOutcome {
    PlannedOutcome::new(measure)
        .analysis(PlannedAnalysis::new(DifferenceInProportions::new()).role(AnalysisRole::Primary))
        .analysis(RatioOfProportions::new())
}

fn plan() -> AnalysisPlan {
    AnalysisPlan::new("Work")
        .outcome(crude(&FULL_TIME).role(OutcomeRole::Primary))
        .outcome(crude(&PART_TIME))
        .pool(RandomEffects::new())
        .pool(AnyPool::joint_model())
}

fn run(family: PlannedFamily) -> PlanResults {
    plan().family(family).run_all(&trials()).unwrap()
}

fn adjusted(results: &PlanResults, place: usize) -> Vec<f64> {
    results.families()[place].result.as_ref().unwrap().adjusted.clone()
}

#[test]
fn families_are_those_of_the_typed_calls() {
    let both = ["full-time outflow", "part-time outflow"];
    let results = run(PlannedFamily::new("cities").outcomes(both));
    let mut cities = HypothesisFamily::new("cities");
    for outcome in both {
        cities = cities.with(&results.effects(outcome, "difference in proportions").unwrap()).unwrap();
    }
    assert_eq!(adjusted(&results, 0), cities.adjust(Adjustment::Holm).unwrap().adjusted);

    let results =
        run(PlannedFamily::new("joint").outcomes(both).of_pool("joint_model").procedure(Adjustment::Hommel));
    let mut joint = HypothesisFamily::new("joint");
    for pool in results.pools().iter().filter(|pool| pool.analysis == "difference in proportions") {
        if let Ok(PoolResult::Jointly(pooled)) = &pool.result {
            joint = joint.with(&**pooled).unwrap();
        }
    }
    assert_eq!(adjusted(&results, 0), joint.adjust(Adjustment::Hommel).unwrap().adjusted);

    let chosen = PlannedFamily::new("one").treatments(["exemption"]).of_pool("random_effects");
    let results = run(chosen.against(Alternative::Greater, -0.02));
    let family = results.families()[0].result.as_ref().unwrap();
    assert_eq!(family.len(), 1);
    assert!(family.to_string().contains("exemption vs control, above -2.0 points: p"), "{family}");
}

#[test]
fn a_family_waits_for_its_gate() {
    let gated = plan()
        .family(PlannedFamily::new("first").of_pool("joint_model"))
        .family(
            PlannedFamily::new("second")
                .outcomes(["part-time outflow"])
                .of_pool("joint_model")
                .after("first"),
        )
        .run_all(&trials())
        .unwrap();
    let largest = adjusted(&gated, 0).into_iter().fold(0.0, f64::max);
    assert!(adjusted(&gated, 1).iter().all(|p| *p >= largest));
    assert!(gated.to_string().contains("tested after the family \"first\""));
}

/// Nobody of the treated has a wage: the analysis has no answer there, and counts all the same.
#[test]
fn a_failure_counts_in_its_family() {
    let rows = "c,1,100\nc,0,90\nc,1,80\nc,0,120\nt,1,\nt,1,\nt,0,\nt,0,\n";
    let table = Table::from_csv_str(&format!("arm,works,wage\n{rows}")).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
    let plan = AnalysisPlan::new("Two outcomes")
        .outcome(PlannedOutcome::new(Measure::binary("works")).analysis(DifferenceInProportions::new()))
        .outcome(PlannedOutcome::new(Measure::continuous("wage")).analysis(DifferenceInMeans::new()))
        .family(PlannedFamily::new("both").outcomes(["works", "wage"]).procedure(Adjustment::Bonferroni));
    let results = plan.run(&trial).unwrap();
    let family = results.families()[0].result.as_ref().unwrap();
    assert_eq!((family.len(), family.adjusted.len()), (2, 1));
    let raw = family.iter().next().unwrap().hypothesis.p_value;
    assert_eq!(family.adjusted[0], (2.0 * raw).min(1.0));
    let text = results.to_string();
    assert!(
        text.contains("family \"both\": Utrecht, wage, t: no answer, so that it counts with p = 1"),
        "{text}"
    );
}

#[test]
fn adjusted_p_values_stand_beside_the_raw_ones() {
    let results = run(PlannedFamily::new("primary").of_pool("joint_model"));
    let grid = results.grid().to_csv();
    let header = grid.lines().next().unwrap();
    assert!(header.ends_with(",p,Adjusted p"), "{header}");
    let family = results.families()[0].result.as_ref().unwrap();
    let filled = grid.lines().skip(1).filter(|line| !line.ends_with(',')).count();
    assert_eq!(filled, family.len());
    let mut report = Report::new("Work");
    report.push(&results);
    assert!(report.to_markdown().contains("family \"primary\" of"), "{}", report.to_markdown());
    let csv = report.to_csv();
    assert_eq!(csv.lines().filter(|line| line.starts_with("adjusted,")).count(), family.len());
    let back: PlanResults = serde_json::from_str(&serde_json::to_string(&results).unwrap()).unwrap();
    assert_eq!(back, results);
    // Without families nothing changes.
    let without = plan().run_all(&trials()).unwrap();
    assert!(!without.grid().to_csv().contains("Adjusted p"));
}

#[test]
fn families_come_back_from_json_and_refuse_unknown_words() {
    let plan =
        plan().family(PlannedFamily::new("a").of_pool("joint_model").procedure(Adjustment::Hochberg)).family(
            PlannedFamily::new("b").procedure(Graph::fixed_sequence(2).unwrap()).treatments(["exemption"]),
        );
    assert_eq!(AnalysisPlan::from_json(&plan.to_json().unwrap()).unwrap(), plan);
    let misspelt = plan.to_json().unwrap().replace("\"procedure\"", "\"proceduer\"");
    assert!(AnalysisPlan::from_json(&misspelt).unwrap_err().to_string().contains("proceduer"));
}

#[test]
fn what_is_wrong_with_families_is_told_with_the_rest() {
    let two = PlannedOutcome::new(&WAGE).analysis(DifferenceInMeans::new()).analysis(LinearRegression::new());
    let plan = AnalysisPlan::new("Wrong")
        .outcome(two)
        .outcome(crude(&PART_TIME))
        .pool(AnyPool::joint_model())
        .family(PlannedFamily::new("none"))
        .family(PlannedFamily::new("wage").outcomes(["monthly_wage", "wages", "monthly_wage"]))
        .family(
            PlannedFamily::new("wage")
                .outcomes(["part-time outflow"])
                .of_pool("random_effects")
                .after("later"),
        )
        .family(
            PlannedFamily::new("graph").outcomes(["part-time outflow"]).procedure(Graph::holm(3).unwrap()),
        )
        .family(
            PlannedFamily::new("rate")
                .outcomes(["part-time outflow"])
                .procedure(Adjustment::BenjaminiHochberg),
        )
        .family(PlannedFamily::new("gated").outcomes(["part-time outflow"]).after("rate"))
        .family(
            PlannedFamily::new("bound").outcomes(["part-time outflow"]).against(Alternative::Less, f64::NAN),
        );
    let all = plan.run_all(&trials()).unwrap_err().to_string();
    for piece in [
        "the family \"none\": the plan has no primary outcome; give an outcome the role primary",
        "the family \"wage\": the plan has no outcome \"wages\"; name outcomes of the plan",
        "the outcome \"monthly_wage\" is named twice; name it once",
        "the outcome \"monthly_wage\" has several analyses and none is primary; give one the role primary",
        "two families have this name; give each its own",
        "the plan has no pool \"random_effects\"; name one that it has: joint_model",
        "there is no family \"later\" before it; name one that stands before it",
        "its graph is of 3 hypotheses, and the trials give it ",
        "it or its gate \"rate\" keeps the false discovery rate, and gates need the familywise error rate; take holm",
        "the null value is NaN; give a number",
    ] {
        assert!(all.contains(piece), "{piece}\n{all}");
    }
    let one = trials().trial("Wageningen").unwrap().clone();
    let pooled = plan_of_one().run(&one).unwrap_err().to_string();
    assert!(pooled.contains("one trial is not pooled; take the effects of trials"), "{pooled}");
}

fn plan_of_one() -> AnalysisPlan {
    plan().family(PlannedFamily::new("pooled").of_pool("joint_model"))
}
