//! The baseline table: means, shares, standardised differences, the missing, and the joint test.

use crate::support::survives;
use armwise::balance::{CovariateBalance, CovariateKind};
use armwise::design::BaselineTable;
use armwise::prelude::*;
use armwise::report::{Grid, Report};

fn trial() -> Trial {
    let table = Table::from_csv_str(include_str!("../../examples/data/participants.csv")).unwrap();
    let trials = Trials::builder(table, "municipality").arm_labels("arm").control("control").build().unwrap();
    trials.trial("Nijmegen").unwrap().clone()
}

#[test]
fn a_table_of_numbers_flags_and_categories() {
    let trial = trial();
    let table = BaselineTable::of(&trial, ["age", "female", "education"]).unwrap();
    assert_eq!(table.arms.iter().collect::<Vec<_>>(), trial.arm_labels().collect::<Vec<_>>());
    assert_eq!(table.randomised.iter().sum::<u64>(), trial.table().rows() as u64);
    let education: Vec<_> = table.rows.iter().filter(|row| row.covariate == "education").collect();
    for arm in 0..table.arms.len() {
        let shares: f64 = education.iter().map(|row| row.arms[arm].mean).sum();
        assert!((shares - 1.0).abs() < 1e-12, "{shares}");
    }
    let ages = |arm: usize| -> Vec<f64> {
        let (arms, age) = (trial.table().column("arm").unwrap(), trial.table().column("age").unwrap());
        let of = |(label, age): (Option<&str>, Option<f64>)| {
            age.filter(|_| label == Some(table.arms[arm].as_str()))
        };
        arms.categories().unwrap().zip(age.reals().unwrap()).filter_map(of).collect()
    };
    let by_hand = CovariateBalance::new(&ages(1), &ages(0), CovariateKind::Numeric).unwrap();
    assert_eq!(table.rows[0].standardized_differences[0], by_hand.standardized_difference().ok());
    assert_eq!(table.rows[0].variance_ratios[0], by_hand.variance_ratio());
    survives(&table);
    let text = table.to_string();
    assert!(text.starts_with("Nijmegen, before treatment: mean (SD), or share\n"), "{text}");
    assert!(!text.contains("p = "), "{text}");
    let mut report = Report::new("Before treatment");
    report.push(&table);
    assert!(report.to_markdown().contains("| education: "), "{}", report.to_markdown());
    assert_eq!(Grid::from(&table).len(), table.rows.len());
}

#[test]
fn the_joint_test_is_asked_for() {
    let trial = trial();
    let table =
        BaselineTable::of(&trial, ["age", "female", "education"]).unwrap().joint_test(&trial).unwrap();
    let joint = table.joint.unwrap();
    assert!(joint.people <= table.randomised.iter().sum());
    assert!(joint.manova.pillai.df1 == 4.0 * (table.arms.len() as f64 - 1.0), "{joint:?}");
    assert!(table.to_string().contains("all covariates together, "), "{table}");
    survives(&table);
}

#[test]
fn what_is_no_covariate_is_refused() {
    let trial = trial();
    let refused = |columns: &[&str]| BaselineTable::of(&trial, columns).unwrap_err().to_string();
    assert!(refused(&[]).contains("name at least one column"));
    assert!(refused(&["age", "age"]).contains("is named twice; name it once"));
    assert!(refused(&["agee"]).contains("did you mean \"age\""));
    let text = "arm,age\nc,30\nc,31\nc,40\nt,\nt,\nt,50\n";
    let small = Trial::builder("Utrecht", Table::from_csv_str(text).unwrap())
        .arm_labels("arm")
        .control("c")
        .build()
        .unwrap();
    let error = BaselineTable::of(&small, ["age"]).unwrap_err().to_string();
    assert!(error.contains("\"t\"") && error.contains("1 of this arm have this covariate; leave"), "{error}");
}
