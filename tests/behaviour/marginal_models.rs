//! Several outcomes and arms of one trial that hold together.

use crate::support::survives;
use armwise::inference::{MarginalModels, MultipleMarginalModels};
use armwise::multiplicity::Alternative;
use armwise::prelude::*;
use armwise::report::Grid;

/// Two scores that hang together, work that follows the first, and a column of clusters.
fn trial(clustered: bool) -> Trial {
    let mut text = "arm,one,two,works,school,age\n".to_owned();
    for i in 0..60_u32 {
        let arm = ["c", "t", "u"][i as usize % 3];
        let one = f64::from(i * 37 % 61) / 6.0 + f64::from(i % 3);
        let noise = f64::from(i * 23 % 17);
        // Some people did not answer the second question.
        let two = if i % 7 == 4 { String::new() } else { format!("{}", one + noise / 4.0) };
        let works = u32::from(one > 6.0);
        text += &format!("{arm},{one},{two},{works},s{},{}\n", i / 6 * 3 + i % 3, 20 + i * 11 % 40);
    }
    let builder =
        Trial::builder("Utrecht", Table::from_csv_str(&text).unwrap()).arm_labels("arm").control("c");
    if clustered { builder.clusters("school") } else { builder }.build().unwrap()
}

fn of(name: &'static str, trial: &Trial) -> Comparison<Continuous> {
    trial.on(&Measure::continuous(name)).unwrap()
}

fn fitted(family: &MultipleMarginalModels) -> MarginalModels {
    let fitted = family.fit(Alternative::TwoSided, 0.95).unwrap();
    survives(&fitted);
    fitted
}

/// The covariance of two differences in means that share people: `sum_a s_xy / n_a`, over the people of the arm
/// with both outcomes about the means of all who have each.
#[test]
fn differences_in_means_correlate_as_their_people_do() {
    let trial = trial(false);
    let welch = DifferenceInMeans::new();
    let (one, two) = (of("one", &trial), of("two", &trial));
    let family =
        MultipleMarginalModels::new("scores").with(&one, &welch).unwrap().with(&two, &welch).unwrap();
    let fitted = fitted(&family);
    assert_eq!(fitted.effects.len(), 4);
    let table = trial.table();
    let reals = |name: &str| -> Vec<f64> {
        table.column(name).unwrap().reals().unwrap().map(|value| value.unwrap_or(f64::NAN)).collect()
    };
    let (x, y) = (reals("one"), reals("two"));
    let moments = |arm: usize| {
        let rows: Vec<usize> = (0..60).filter(|i| i % 3 == arm).collect();
        let seen: Vec<usize> = rows.iter().copied().filter(|&i| !y[i].is_nan()).collect();
        let (n, m) = (rows.len() as f64, seen.len() as f64);
        let (mx, my) =
            (rows.iter().map(|&i| x[i]).sum::<f64>() / n, seen.iter().map(|&i| y[i]).sum::<f64>() / m);
        let xx: f64 = rows.iter().map(|&i| (x[i] - mx).powi(2)).sum();
        let yy: f64 = seen.iter().map(|&i| (y[i] - my).powi(2)).sum();
        let xy: f64 = seen.iter().map(|&i| (x[i] - mx) * (y[i] - my)).sum();
        // Each person moves a mean by the deviation over n - 1, times sqrt((n - 1) / n).
        [xx / n / (n - 1.0), yy / m / (m - 1.0), xy / (n * (n - 1.0) * m * (m - 1.0)).sqrt()]
    };
    let [c, t] = [moments(0), moments(1)];
    let wanted = (c[2] + t[2]) / ((c[0] + t[0]) * (c[1] + t[1])).sqrt();
    assert!((fitted.correlation[[0, 2]] - wanted).abs() < 1e-10, "{} {wanted}", fitted.correlation[[0, 2]]);
    // Within an outcome it is that of the estimator.
    let own = one.estimate(&welch).unwrap();
    let covariance = own.covariance();
    let wanted = covariance[[0, 1]] / (covariance[[0, 0]] * covariance[[1, 1]]).sqrt();
    assert!((fitted.correlation[[0, 1]] - wanted).abs() < 1e-10);
    // Less is paid for outcomes that hang together than for as many that do not.
    let bonferroni = 4.0 * fitted.effects[0].p_value;
    assert!(fitted.effects[0].single_step < bonferroni.min(1.0), "{fitted}");
}

#[test]
fn outcomes_of_any_kind_and_estimator_hold_together() {
    let trial = trial(false);
    let works = trial.on(&Measure::binary("works")).unwrap();
    let model = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
    let ancova = LinearRegression::new().adjust_for(["age"]);
    let two = of("two", &trial);
    let family = MultipleMarginalModels::new("primary")
        .with(&works, &DifferenceInProportions::new())
        .unwrap()
        .with(&works, &model)
        .unwrap()
        .with(&two, &ancova)
        .unwrap();
    let fitted = fitted(&family);
    // Crude and adjusted differences of one outcome are nearly the same effect.
    assert!(fitted.correlation[[0, 2]] > 0.9, "{}", fitted.correlation);
    assert!(fitted.correlation[[0, 4]] > 0.2, "{}", fitted.correlation);
    for own in &fitted.effects {
        assert!(own.p_value <= own.step_down && own.step_down <= own.single_step, "{own:?}");
        assert!(own.interval.lower() < own.value && own.value < own.interval.upper());
    }
    let text = fitted.to_string();
    assert!(text.starts_with("family \"primary\" of 6 effects: max-t over outcomes and arms"), "{text}");
    assert_eq!(Grid::from(&fitted).len(), 6);
    let mut report = Report::new("Utrecht");
    report.push(&fitted);
    assert!(report.to_markdown().contains("max-t over outcomes"), "{}", report.to_markdown());
    assert!(report.to_csv().contains("simultaneous"), "{}", report.to_csv());
    let greater = family.fit(Alternative::Greater, 0.95).unwrap();
    assert!(greater.effects.iter().all(|own| own.interval.upper() == f64::INFINITY), "{greater}");
}

#[test]
fn one_effect_is_not_adjusted_and_clusters_are_units() {
    let trial = trial(true);
    let regression = LinearRegression::new();
    let compared = trial.compare("t").on(&Measure::continuous("one")).unwrap();
    let family = MultipleMarginalModels::new("one").with(&compared, &regression).unwrap();
    let one = fitted(&family);
    let own = compared.estimate(&regression).unwrap().treatment("t").unwrap();
    assert!((one.effects[0].single_step - own.p_value()).abs() < 1e-9, "{one} {own}");
    assert!((one.effects[0].interval.lower() - own.interval().lower()).abs() < 1e-8);
    let two = of("two", &trial);
    let both = MultipleMarginalModels::new("both").with(&compared, &regression).unwrap();
    let both = fitted(&both.with(&two, &regression).unwrap());
    assert!(both.correlation[[0, 1]] > 0.3 && both.correlation[[0, 1]] < 1.0);
}

#[test]
fn what_cannot_be_joined_is_an_error() {
    let welch = DifferenceInMeans::new();
    let (trial, one) = (trial(false), of("one", &trial(false)));
    let says = |error: armwise::Error, words: &str| {
        assert!(error.to_string().contains(words) && error.to_string().contains(';'), "{error}");
    };
    let empty = MultipleMarginalModels::new("none").fit(Alternative::TwoSided, 0.95).unwrap_err();
    says(empty, "the family \"none\" holds no effect");
    let family = MultipleMarginalModels::new("twice").with(&one, &welch).unwrap();
    says(family.clone().fit(Alternative::TwoSided, 2.0).unwrap_err(), "level");
    let twice = family.clone().with(&of("one", &trial), &welch).unwrap();
    says(twice.fit(Alternative::TwoSided, 0.95).unwrap_err(), "the same effect is in the family twice");
    let counted =
        Comparison::from_counts("Utrecht", &Measure::binary("w"), [("c", 3, 9), ("t", 4, 9)]).unwrap();
    assert!(family.clone().with(&counted, &DifferenceInProportions::new()).is_err());
    let table = Table::from_csv_str("arm,one\nc,1\nc,3\nt,2\nt,7\n").unwrap();
    let other = Trial::builder("Delft", table).arm_labels("arm").control("c").build().unwrap();
    says(family.with(&of("one", &other), &welch).unwrap_err(), "whose people these are not");
    let mut document = serde_json::to_value(fitted(
        &MultipleMarginalModels::new("read")
            .with(&one, &welch)
            .unwrap()
            .with(&of("two", &trial), &welch)
            .unwrap(),
    ))
    .unwrap();
    *document.pointer_mut("/effects/0/single_step").unwrap() = 0.9.into();
    assert!(serde_json::from_value::<MarginalModels>(document).is_err());
}
