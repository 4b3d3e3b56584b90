//! Families of hypotheses over measures, trials and pools, and simultaneous inference over arms.

use crate::support::survives;
use armwise::categorical::Simultaneous;
use armwise::effect::HypothesisFamily;
use armwise::multiplicity::{Adjustment, Alternative, Graph};
use armwise::pool::{JointModel, RandomEffects};
use armwise::prelude::*;
use armwise::report::Grid;

fn effects(trial: &'static str, measure: &'static str, counts: [(u64, u64); 3]) -> Estimates<RiskDifference> {
    let measure = Measure::binary(measure).higher_is_better();
    let arms = ["control", "guidance", "earnings"].into_iter().zip(counts).map(|(arm, (x, n))| (arm, x, n));
    Comparison::from_counts(trial, &measure, arms).unwrap().estimate(&DifferenceInProportions::new()).unwrap()
}

fn work() -> Estimates<RiskDifference> {
    effects("Utrecht", "work", [(155, 925), (212, 930), (190, 921)])
}

fn training() -> Estimates<RiskDifference> {
    effects("Utrecht", "training", [(80, 925), (112, 930), (121, 921)])
}

#[test]
fn raw_and_adjusted_p_values_stand_side_by_side() {
    let family = HypothesisFamily::new("primary").with(&work()).unwrap().with(&training()).unwrap();
    let raw: Vec<f64> = work().iter().chain(training().iter()).map(|one| one.p_value()).collect();
    assert_eq!(family.p_values(), raw);
    for adjustment in Adjustment::ALL {
        let adjusted = family.adjust(adjustment).unwrap();
        let values: Vec<f64> = adjusted.iter().map(|one| one.adjusted).collect();
        assert_eq!(values, adjustment.adjust(&raw).unwrap());
        assert_eq!(adjusted.error_rate(), adjustment.error_rate());
        survives(&adjusted);
    }
    let holm = family.adjust(Adjustment::Holm).unwrap();
    let text = holm.to_string();
    assert!(text.starts_with("family \"primary\" of 4 hypotheses: Holm, familywise error rate\n"), "{text}");
    assert!(text.contains("\nUtrecht, work, guidance vs control: p = 0.001, adjusted p = 0.00"), "{text}");
    let grid = Grid::from(&holm);
    assert_eq!(grid.len(), 4);
    assert!(grid.to_csv().starts_with("Trial,Measure,Comparison,p,Adjusted p\n"), "{}", grid.to_csv());
}

#[test]
fn families_are_gates() {
    let family = |name: &str, of: Estimates<RiskDifference>| HypothesisFamily::new(name).with(&of).unwrap();
    let (first, second) = (family("work", work()), family("training", training()));
    let serial = HypothesisFamily::serial(&[first.clone(), second.clone()], Adjustment::Holm).unwrap();
    let largest = serial[0].iter().map(|one| one.adjusted).fold(0.0, f64::max);
    assert!(serial[1].iter().all(|one| one.adjusted >= largest));
    assert!(
        serial[1].to_string().contains("Holm, familywise error rate; tested after the family \"work\"\n")
    );
    survives(&serial[1]);
    let discovery = first.adjust(Adjustment::BenjaminiHochberg).unwrap();
    let refused = serial[1].after(&discovery).unwrap_err().to_string();
    assert!(refused.contains("\"work\" keeps the false discovery rate, and a gate needs"), "{refused}");
    let both = first.with(&training()).unwrap();
    let gated = both.graph(&Graph::parallel_gatekeeping(&[0.5, 0.5], 2).unwrap()).unwrap();
    assert_eq!(gated.len(), 4);
    let raw = both.p_values();
    assert!((gated.adjusted[0] - 2.0 * raw[0]).abs() < 1e-15);
    survives(&gated);
    assert!(
        both.graph(&Graph::holm(3).unwrap()).unwrap_err().to_string().contains("4 p-values for a graph of 3")
    );
}

#[test]
fn pools_join_a_family_by_their_identity() {
    let trials = [
        ("Utrecht", [(155, 925), (212, 930), (190, 921)]),
        ("Tilburg", [(60, 400), (70, 390), (81, 410)]),
        ("Wageningen", [(30, 200), (41, 210), (28, 190)]),
    ];
    let all = Effects::new(trials.map(|(trial, counts)| effects(trial, "work", counts))).unwrap();
    let pooled = RandomEffects::new().pool(&all.treatment("guidance").unwrap()).unwrap();
    let joint = JointModel::random().pool(&all).unwrap();
    let family = HypothesisFamily::new("all").with(&pooled).unwrap().with(&all).unwrap();
    let family = family.with(&joint).unwrap();
    assert_eq!(family.hypotheses.len(), 9);
    assert_eq!(family.hypotheses[0].p_value, pooled.p_value());
    assert_eq!(family.hypotheses[8].p_value, joint.coefficients[1].p_value());
    assert!(family.clone().with(&pooled).is_err());
    let adjusted = family.adjust(Adjustment::BenjaminiHochberg).unwrap();
    assert!(adjusted.to_string().contains("\n3 trials, work, guidance vs control: "), "{adjusted}");
    assert!(adjusted.to_string().contains("false discovery rate"));
}

#[test]
fn a_margin_is_a_value_to_test_against() {
    let effects = work();
    let family =
        HypothesisFamily::new("not worse").with_against(&effects, Alternative::Greater, -0.02).unwrap();
    let inference = &effects.contrasts[0].inference;
    assert_eq!(family.p_values()[0], inference.p_above(-0.02).unwrap());
    let text = family.adjust(Adjustment::Holm).unwrap().to_string();
    assert!(text.contains("guidance vs control, above -2.0 points: p"), "{text}");
    let grid = Grid::from(&family.adjust(Adjustment::Holm).unwrap()).to_csv();
    assert!(grid.starts_with("Trial,Measure,Comparison,Effect,p,Adjusted p\n"), "{grid}");
}

#[test]
fn what_belongs_to_no_family_is_refused() {
    let empty = HypothesisFamily::new("none").adjust(Adjustment::Holm).unwrap_err();
    assert_eq!(empty.to_string(), "the family \"none\" holds no hypothesis; add a result");
    let twice = HypothesisFamily::new("twice").with(&work()).unwrap().with(&work()).unwrap_err();
    assert!(twice.to_string().contains("holds this hypothesis already; add it once"), "{twice}");
    assert!(twice.to_string().starts_with("Utrecht, work, arm \"guidance\""), "{twice}");
    let table =
        "arm,sort\n".to_owned() + &"c,a\nc,b\nc,x\nt,a\nt,b\nt,b\nt,x\nc,a\nt,x\nc,a\nt,b\n".repeat(8);
    let trial = Trial::builder("Utrecht", Table::from_csv_str(&table).unwrap())
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap();
    let sorts = trial
        .on(&Measure::nominal("sort", &["a", "b", "x"]))
        .unwrap()
        .estimate_categories(&DifferenceInCategories::new().simultaneous(Simultaneous::MaxT))
        .unwrap()
        .category("b")
        .unwrap();
    let adjusted = HypothesisFamily::new("sorts").with(&sorts).unwrap_err();
    assert!(adjusted.to_string().contains("adjusted already"), "{adjusted}");
}

/// The case of three measures of the reference values, through the typed layer.
#[test]
fn arms_together_are_dunnetts() {
    let measure = Measure::binary("work").higher_is_better();
    let arms = [("control", 155, 925), ("a", 212, 930), ("b", 190, 921), ("c", 171, 918)];
    let effects = Comparison::from_counts("Utrecht", &measure, arms)
        .unwrap()
        .estimate(&DifferenceInProportions::new())
        .unwrap();
    let together = effects.simultaneous(Alternative::TwoSided, 0.95).unwrap();
    let wanted = [0.003_070_610_889_193, 0.085_807_937_805_235, 0.596_712_793_398_751];
    for (one, wanted) in together.contrasts.iter().zip(wanted) {
        assert!((one.single_step - wanted).abs() < 1e-9, "{one:?}");
    }
    assert!((together.critical_value - 2.355_766_330_692_19).abs() < 1e-9);
    let error = effects.simultaneous(Alternative::TwoSided, 1.5).unwrap_err();
    assert!(error.to_string().starts_with("Utrecht, work: the confidence level is 1.5"), "{error}");
}

/// A margin in points where a share is meant would reject anything.
#[test]
fn a_margin_that_no_difference_in_proportions_reaches_is_refused() {
    let family = HypothesisFamily::new("margins");
    let error = family.clone().with_against(&work(), Alternative::Greater, -2.0).unwrap_err().to_string();
    assert!(error.contains("give -0.02 for two points"), "{error}");
    assert!(family.with_against(&work(), Alternative::Greater, -0.02).is_ok());
}

#[test]
fn effects_on_several_scales_say_their_own() {
    let measure = Measure::binary("work").higher_is_better();
    let arms = [("control", 155, 925), ("a", 212, 930)];
    let counts = Comparison::from_counts("Utrecht", &measure, arms).unwrap();
    let difference = counts.estimate(&DifferenceInProportions::new()).unwrap();
    let ratio = counts.estimate(&RatioOfProportions::new()).unwrap();
    let family = HypothesisFamily::new("both").with(&difference).unwrap().with(&ratio).unwrap();
    let adjusted = family.adjust(Adjustment::Holm).unwrap();
    let text = adjusted.to_string();
    assert!(text.contains("a vs control, risk difference: p") && text.contains("risk ratio: p"), "{text}");
    let mut report = Report::new("Families");
    report.push(&adjusted);
    assert!(report.to_markdown().contains("| Scale "), "{}", report.to_markdown());
    let csv = report.to_csv();
    assert_eq!(csv.lines().filter(|line| line.starts_with("adjusted,work,")).count(), 2, "{csv}");
}

/// What could not be tested counts, and keeps its place.
#[test]
fn a_hypothesis_without_an_answer_counts() {
    let family = HypothesisFamily::new("primary")
        .with_unanswered("Utrecht, wage, guidance", "nobody has a wage")
        .with(&work())
        .unwrap()
        .with_unanswered("Utrecht, wage, earnings", "nobody has a wage");
    let raw: Vec<f64> = work().iter().map(|one| one.p_value()).collect();
    assert_eq!(family.p_values(), [1.0, raw[0], raw[1], 1.0]);
    let bonferroni = family.adjust(Adjustment::Bonferroni).unwrap();
    assert_eq!((bonferroni.len(), bonferroni.adjusted[0]), (4, 4.0 * raw[0]));
    assert!(
        bonferroni
            .to_string()
            .contains("\nUtrecht, wage, guidance: no answer, so that it counts with p = 1: nobody")
    );
    survives(&bonferroni);
    // A fixed sequence ends at the first that could not be tested.
    let sequence = family.adjust(Adjustment::FixedSequence).unwrap();
    assert_eq!(sequence.adjusted, [1.0, 1.0]);
}

#[test]
fn an_adjusted_family_is_read_as_it_was_made() {
    let holm = HypothesisFamily::new("primary").with(&work()).unwrap().adjust(Adjustment::Holm).unwrap();
    let json = serde_json::to_string(&holm).unwrap();
    let smaller = json.replace(&format!("{}", holm.adjusted[0]), "0.0001");
    assert_ne!(json, smaller);
    let error = serde_json::from_str::<armwise::effect::AdjustedFamily>(&smaller).unwrap_err().to_string();
    assert!(error.contains("do not follow from the raw ones; take them as they were made"), "{error}");
}
