//! Plans as JSON, changed anywhere, on small trials.

use crate::files::says;
use crate::results::change;
use crate::support::Numbers;
use armwise::prelude::*;
use armwise::protocol::AnalysisPlan;
use serde_json::Value;
use std::sync::OnceLock;

const PLAN: &str = include_str!("../../examples/data/analysis_plan.json");
const PEOPLE: &str = include_str!("../../examples/data/participants.csv");
/// Words that a plan knows, which take each other's place.
const WORDS: &[&str] = &[
    "difference_in_proportions",
    "ratio_of_proportions",
    "odds_ratio",
    "logistic_regression",
    "linear_regression",
    "firth_logistic_regression",
    "doubly_robust",
    "inverse_probability_weighting",
    "negative_binomial_regression",
    "poisson_regression",
    "win_probability",
    "marginal",
    "risk_difference",
    "log_risk_ratio",
    "mean_difference",
    "random_effects",
    "common_effect",
    "joint_model",
    "component_model",
    "network",
    "primary",
    "hc2",
    "binary",
    "continuous",
    "count",
    "age",
    "stratum",
    "female",
    "municipality",
    "hours_per_week",
];

/// The people of two cities, few of them.
fn trials() -> &'static Trials {
    static TRIALS: OnceLock<Trials> = OnceLock::new();
    TRIALS.get_or_init(|| {
        let mut lines = PEOPLE.lines();
        let mut text = lines.next().expect("a header").to_owned();
        for (i, line) in lines.enumerate() {
            if i % 7 == 0 {
                text.push('\n');
                text.push_str(line);
            }
        }
        let table = Table::from_csv_str(&text).expect("the example's data are right");
        Trials::builder(table, "municipality")
            .arm_labels("arm")
            .control("control")
            .strata(["stratum"])
            .build()
            .expect("the example's trials are right")
    })
}

pub(crate) fn attack(numbers: &mut Numbers) -> u64 {
    let mut plan: Value = serde_json::from_str(PLAN).expect("the example's plan is right");
    for _ in 0..1 + numbers.below(4) {
        change(&mut plan, numbers, WORDS);
    }
    let text = plan.to_string();
    let plan: AnalysisPlan = match serde_json::from_str(&text) {
        Ok(plan) => plan,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return 1;
        }
    };
    crate::support::survives(&plan);
    match plan.run_all(trials()) {
        Ok(results) => {
            let text = results.to_string();
            assert!(!text.contains("NaN"), "{text}");
            let mut report = Report::new("Of a plan");
            report.push(&results);
            for text in [report.to_markdown(), report.to_csv()] {
                assert!(!text.contains("NaN"), "{text}");
            }
        }
        Err(error) => says(&error),
    }
    2
}
