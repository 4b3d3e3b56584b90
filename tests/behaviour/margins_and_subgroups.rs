//! Tests against margins, numbers needed to treat, and effects in subgroups: by hand and against the numeric
//! layer.

use crate::support::{assert_near, labelled, survives};
use armwise::distribution::{FisherF, Normal, StudentT};
use armwise::mean::{MeansVariance as Variance, Sample, TwoMeans};
use armwise::prelude::*;
use armwise::proportion::{
    DifferenceInterval, DifferenceTest, NumberNeededInterval, Proportion, RatioInterval, TwoProportions,
};

fn counts(measure: &Measure<Binary>, control: (u64, u64), treated: (u64, u64)) -> Comparison<Binary> {
    let arms = [("control", control.0, control.1), ("online", treated.0, treated.1)];
    Comparison::from_counts("Utrecht", measure, arms).unwrap()
}

#[test]
fn margins_of_means_are_those_of_the_numeric_layer() {
    let table = Table::from_csv_str("arm,score\nc,5\nc,7\nc,6\nc,9\nt,6\nt,8\nt,5\nt,7\nt,9\n").unwrap();
    let trial = labelled(table, "c").build().unwrap();
    let score = trial.on(&Measure::continuous("score").higher_is_better()).unwrap();
    let effect = score.estimate(&DifferenceInMeans::new()).unwrap().treatment("t").unwrap();
    let two = TwoMeans::new(
        Sample::of(&[6.0, 8.0, 5.0, 7.0, 9.0]).unwrap(),
        Sample::of(&[5.0, 7.0, 6.0, 9.0]).unwrap(),
    );
    let welch = two.unwrap().difference(Variance::Welch);
    let (kernel, typed) = (welch.noninferiority_test(1.5).unwrap(), effect.non_inferiority(1.5).unwrap());
    assert_near(typed.p_value, kernel.p_value, 1e-12);
    assert_eq!(typed.null, -1.5);
    // By hand: the interval that decides.
    let t = StudentT::new(effect.df().unwrap()).unwrap().upper_quantile(0.025);
    let lower = effect.value() - t * effect.se();
    assert_eq!(typed.conclusion == NonInferiorityConclusion::NonInferior, lower > -1.5);
    let (kernel, typed) = (welch.equivalence_test(1.5).unwrap(), effect.equivalence(1.5).unwrap());
    assert_near(typed.p_lower, kernel.lower.p_values.greater, 1e-12);
    assert_near(typed.p_upper, kernel.upper.p_values.less, 1e-12);
    assert_near(typed.p_value, kernel.p_value, 1e-12);
    assert_near(typed.interval.lower(), welch.interval(0.9).unwrap().lower(), 1e-12);
    assert_near(typed.interval_level, 0.9, 1e-12);
    survives(&typed);
    survives(&effect.non_inferiority(1.5).unwrap());
}

#[test]
fn margins_of_proportions_are_score_tests_of_the_counts() {
    let good = Measure::binary("cured").higher_is_better();
    let effect = counts(&good, (82, 100), (80, 100)).estimate(&DifferenceInProportions::new()).unwrap();
    let effect = effect.treatment("online").unwrap();
    let two = TwoProportions::new(Proportion::new(80, 100).unwrap(), Proportion::new(82, 100).unwrap());
    let mn = effect.non_inferiority(0.1).unwrap();
    let kernel = two.difference_test(-0.1, DifferenceTest::MiettinenNurminen).unwrap();
    assert_near(mn.p_value, kernel.p_values.greater, 1e-12);
    // The test and the interval that it inverts agree on where the margin is.
    let edge = -effect.interval().lower();
    assert_near(effect.non_inferiority(edge).unwrap().p_value, 0.025, 1e-6);
    // Mee's interval inverts the test of Farrington and Manning, Wald's its own.
    let by = |interval| {
        let estimator = DifferenceInProportions::new().interval(interval);
        counts(&good, (82, 100), (80, 100)).estimate(&estimator).unwrap().treatment("online").unwrap()
    };
    let fm = by(DifferenceInterval::Mee).non_inferiority(0.1).unwrap();
    assert_near(fm.p_value, Normal.sf(1.431_584), 1e-6);
    let wald = by(DifferenceInterval::Wald).non_inferiority(0.1).unwrap();
    let statistic = 0.08 / (0.8 * 0.2 / 100.0 + 0.82 * 0.18 / 100.0_f64).sqrt();
    assert_near(wald.p_value, Normal.sf(statistic), 1e-12);
    let both = by(DifferenceInterval::Mee).equivalence(0.1).unwrap();
    let mee = two.difference_interval(DifferenceInterval::Mee, 0.9).unwrap();
    assert_near(both.interval.upper(), mee.upper(), 1e-9);
    assert_near(both.p_lower, fm.p_value, 1e-12);
    assert_eq!(
        mn.to_string(),
        "Utrecht, cured, online vs control: inconclusive; -2.0 points (95% CI -13.0 to 9.0), margin 10.0 points, p = 0.077 \
         (Miettinen-Nurminen)"
    );
    for result in [&mn, &fm, &wald] {
        survives(result);
    }
    survives(&both);
}

#[test]
fn what_is_better_turns_the_margin_round() {
    use NonInferiorityConclusion::{Inconclusive, Inferior, NonInferior, Superior};
    let (good, bad) =
        (Measure::binary("works").higher_is_better(), Measure::binary("works").lower_is_better());
    let estimate = |measure: &Measure<Binary>, control, treated| {
        let effects = counts(measure, control, treated).estimate(&DifferenceInProportions::new()).unwrap();
        effects.treatment("online").unwrap()
    };
    let one = estimate(&good, (60, 200), (50, 200)).non_inferiority(0.1).unwrap();
    let two = estimate(&bad, (140, 200), (150, 200)).non_inferiority(0.1).unwrap();
    assert_near(one.p_value, two.p_value, 1e-9);
    assert_eq!((one.conclusion, one.null), (two.conclusion, -two.null));
    let found = [(5, 100), (60, 100), (33, 100), (23, 100)]
        .map(|treated| estimate(&good, (30, 100), treated).non_inferiority(0.12).unwrap().conclusion);
    assert_eq!(found, [Inferior, Superior, NonInferior, Inconclusive]);
    let undeclared = estimate(&Measure::binary("works"), (30, 100), (20, 100));
    assert!(undeclared.non_inferiority(0.1).unwrap_err().to_string().contains("higher_is_better()"));
    for margin in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        assert!(undeclared.equivalence(margin).is_err());
    }
    let different = estimate(&good, (10, 100), (60, 100)).equivalence(0.05).unwrap();
    assert_eq!(different.conclusion, EquivalenceConclusion::Different);
    let adjusted = counts(&good, (30, 100), (20, 100)).estimate(&RatioOfProportions::new()).unwrap();
    let ratio = adjusted.treatment("online").unwrap().non_inferiority(1.25_f64.ln()).unwrap();
    // The interval is that of Miettinen and Nurminen, and so is the test; Wald's is one of Katz's interval.
    // By hand, with the proportions constrained to a ratio of 0.8 (the root of a quadratic).
    let (phi, n) = (0.8, 200.0);
    let (a, b, c) = (n * phi, -(100.0 * phi + 20.0 + 100.0 + 30.0 * phi), 50.0_f64);
    let p0 = (-b - (b * b - 4.0 * a * c).sqrt()) / (2.0 * a);
    let p1 = phi * p0;
    let variance = (p1 * (1.0 - p1) / 100.0 + phi * phi * p0 * (1.0 - p0) / 100.0) * n / (n - 1.0);
    assert_near(ratio.p_value, Normal.sf((0.2 - phi * 0.3) / variance.sqrt()), 1e-9);
    let katz = RatioOfProportions::new().interval(RatioInterval::Log);
    let katz = counts(&good, (30, 100), (20, 100)).estimate(&katz).unwrap().treatment("online").unwrap();
    let se = (1.0 / 20.0 - 0.01 + 1.0 / 30.0 - 0.01_f64).sqrt();
    let p_value = katz.non_inferiority(1.25_f64.ln()).unwrap().p_value;
    assert_near(p_value, Normal.sf(((20.0_f64 / 30.0).ln() + 1.25_f64.ln()) / se), 1e-12);
    assert!(ratio.to_string().contains("margin 0.80"), "{ratio}");
}

#[test]
fn numbers_needed_to_treat() {
    let works = Measure::binary("works");
    let of = |control, treated| {
        let effects = counts(&works, control, treated).estimate(&DifferenceInProportions::new()).unwrap();
        let effect = effects.treatment("online").unwrap();
        (effect.interval(), effect.number_needed_to_treat().unwrap())
    };
    let (interval, needed) = of((20, 100), (45, 100));
    assert_near(needed.estimate, 4.0, 1e-12);
    let NumberNeededInterval::Connected(limits) = needed.interval else { panic!("{needed:?}") };
    assert_near(limits.lower(), 1.0 / interval.upper(), 1e-12);
    assert_near(limits.upper(), 1.0 / interval.lower(), 1e-12);
    let (interval, needed) = of((10, 50), (12, 50));
    let NumberNeededInterval::Disjoint { negative_from, positive_from } = needed.interval else {
        panic!("{needed:?}")
    };
    assert_near(negative_from, 1.0 / interval.lower(), 1e-12);
    assert_near(positive_from, 1.0 / interval.upper(), 1e-12);
    assert!(needed.to_string().starts_with("25 (4."), "{needed}");
}

/// Three arms, three districts; some outcomes and districts are missing.
fn trial(clusters: bool) -> Trial {
    let mut csv = "arm,district,office,works,score\n".to_owned();
    for i in 0..180_u32 {
        let arm = ["control", "guidance", "exemption"][(i % 3) as usize];
        let district = if i == 17 { "" } else { ["north", "south", "west"][(i / 3 % 3) as usize] };
        let works = if i % 29 == 5 { String::new() } else { u32::from(i * 31 % 17 < 8).to_string() };
        csv.push_str(&format!("{arm},{district},o{},{works},{}\n", i / 9, i * 37 % 23));
    }
    let builder = labelled(Table::from_csv_str(&csv).unwrap(), "control");
    if clusters { builder.clusters("office").build().unwrap() } else { builder.build().unwrap() }
}

#[test]
fn subgroups_are_the_trials_of_their_people() {
    let trial = trial(false);
    let works = Measure::binary("works");
    let subgroups = trial.on(&works).unwrap().by_subgroup("district").unwrap();
    assert_eq!(subgroups.levels(), ["north", "south", "west"]);
    assert!(
        subgroups
            .notices()
            .contains(&Notice::MissingCovariate { covariate: "district".into(), participants: 1 })
    );
    let effects = subgroups.estimate(&DifferenceInProportions::new()).unwrap();
    for level in ["north", "south", "west"] {
        let table = trial.table().keep_category("district", level).unwrap();
        let alone = Trial::builder("alone", table).arm_labels("arm").control("control").build().unwrap();
        let alone = alone.on(&works).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
        let within = effects.within(level).unwrap();
        for (one, two) in alone.iter().zip(within.iter()) {
            assert_eq!((one.value(), one.interval()), (two.value(), two.interval()));
            assert_eq!(
                (one.treatment_counts(), one.reference_counts()),
                (two.treatment_counts(), two.reference_counts())
            );
        }
        assert_eq!(alone.notices(), within.notices());
        assert_eq!(within.trial().as_str(), format!("Utrecht, district {level}"));
    }
    survives(&effects);
    survives(&effects.to_any());
    let text = effects.to_string();
    assert!(
        text.contains("guidance, district south vs north: difference ") && text.contains("(df 4, p "),
        "{text}"
    );
    let mut report = armwise::report::Report::new("Subgroups");
    assert!(report.push(&effects).to_markdown().contains("district west"));
}

#[test]
fn interaction_by_hand() {
    let score = trial(false).on(&Measure::continuous("score")).unwrap();
    let effects = score.by_subgroup("district").unwrap().estimate(&LinearRegression::new()).unwrap();
    // Of one treatment: Cochran's Q of the levels' effects.
    let of: Vec<(f64, f64)> = effects
        .effects
        .iter()
        .map(|effects| effects.treatment("guidance").unwrap())
        .map(|estimate| (estimate.value(), 1.0 / estimate.variance()))
        .collect();
    let total: f64 = of.iter().map(|(_, w)| w).sum();
    let mean = of.iter().map(|(b, w)| b * w).sum::<f64>() / total;
    let q: f64 = of.iter().map(|(b, w)| w * (b - mean).powi(2)).sum();
    let test = effects.interaction_of("guidance").unwrap();
    // F beside the t of the differences, with the fewest of their degrees of freedom.
    let levels = [("west", "north"), ("south", "north")];
    let dfs = levels.map(|(one, other)| effects.difference("guidance", one, other).unwrap().df().unwrap());
    assert_near(test.statistic, q / 2.0, 1e-10);
    assert_eq!(test.denominator_df, Some(dfs[0].min(dfs[1])));
    assert_near(test.p_value, FisherF::new(2.0, dfs[0].min(dfs[1])).unwrap().sf(q / 2.0), 1e-10);
    // Of all: Q with matrices, by the regression whose terms are the products of arm and district.
    let mut q = 0.0;
    let matrices: Vec<_> = effects.effects.iter().map(|effects| inverse(effects.covariance())).collect();
    let values: Vec<Vec<f64>> = effects.effects.iter().map(|effects| effects.values().collect()).collect();
    let sum = matrices.iter().fold([[0.0; 2]; 2], |s, m| add(s, *m));
    let weighted = matrices.iter().zip(&values).fold([0.0; 2], |s, (m, b)| {
        [s[0] + m[0][0] * b[0] + m[0][1] * b[1], s[1] + m[1][0] * b[0] + m[1][1] * b[1]]
    });
    let inverse_sum = invert(sum);
    let mean = [0, 1].map(|i| inverse_sum[i][0] * weighted[0] + inverse_sum[i][1] * weighted[1]);
    for (m, b) in matrices.iter().zip(&values) {
        let d = [b[0] - mean[0], b[1] - mean[1]];
        q += d[0] * (m[0][0] * d[0] + m[0][1] * d[1]) + d[1] * (m[1][0] * d[0] + m[1][1] * d[1]);
    }
    let joint = effects.interaction().unwrap();
    assert_near(joint.statistic * joint.df, q, 1e-9);
    assert_eq!(joint.df, 4.0);
    let difference = effects.difference("exemption", "west", "north").unwrap();
    let (west, north) = (effects.within("west").unwrap(), effects.within("north").unwrap());
    let (one, two) = (west.treatment("exemption").unwrap(), north.treatment("exemption").unwrap());
    assert_near(difference.value(), one.value() - two.value(), 1e-14);
    assert_near(difference.se().powi(2), one.variance() + two.variance(), 1e-14);
    let (v, w) = (one.variance(), two.variance());
    let df = (v + w).powi(2) / (v * v / one.df().unwrap() + w * w / two.df().unwrap());
    assert_near(difference.df().unwrap(), df, 1e-12);
    assert_near(
        difference.p_value(),
        2.0 * StudentT::new(df).unwrap().sf(difference.statistic().abs()),
        1e-12,
    );
}

fn invert(m: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    let d = m[0][0] * m[1][1] - m[0][1] * m[1][0];
    [[m[1][1] / d, -m[0][1] / d], [-m[1][0] / d, m[0][0] / d]]
}

fn inverse(m: armwise::ndarray::ArrayView2<f64>) -> [[f64; 2]; 2] {
    invert([[m[[0, 0]], m[[0, 1]]], [m[[1, 0]], m[[1, 1]]]])
}

fn add(a: [[f64; 2]; 2], b: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
    [[a[0][0] + b[0][0], a[0][1] + b[0][1]], [a[1][0] + b[1][0], a[1][1] + b[1][1]]]
}

#[test]
fn subgroups_that_are_none_have_a_sentence() {
    let plain = trial(false).on(&Measure::binary("works")).unwrap();
    let says = |error: armwise::Error, word: &str| assert!(error.to_string().contains(word), "{error}");
    says(plain.by_subgroup("distrikt").unwrap_err(), "did you mean \"district\"");
    says(plain.by_subgroup("arm").unwrap_err(), "nobody in this subgroup");
    let table = trial(false).table().keep_category("district", "north").unwrap();
    let one = labelled(table, "control").build().unwrap();
    says(one.on(&Measure::binary("works")).unwrap().by_subgroup("district").unwrap_err(), "same level");
    let effects = plain.by_subgroup("district").unwrap().estimate(&DifferenceInProportions::new()).unwrap();
    says(effects.within("east").unwrap_err(), "the categories are");
    says(effects.difference("guidance", "west", "west").unwrap_err(), "compared with itself");
    says(effects.difference("earnings", "west", "north").unwrap_err(), "there are estimates for");
    let counts =
        Comparison::from_counts("Utrecht", &Measure::binary("works"), [("c", 1, 4), ("t", 2, 4)]).unwrap();
    says(counts.by_subgroup("district").unwrap_err(), "published counts");
    let shared = trial(true).on(&Measure::binary("works")).unwrap().by_subgroup("district").unwrap();
    assert!(shared.notices().contains(&Notice::SharedClusters { clusters: 20 }));
    // Where nobody varies the test is not estimable, the effects are.
    let text = "arm,sex,works\nc,f,0\nc,f,0\nt,f,0\nt,f,0\nc,m,0\nc,m,1\nt,m,1\nt,m,1\nt,m,0\n";
    let table = Table::from_csv_str(text).unwrap();
    let trial = labelled(table, "c").build().unwrap();
    let effects = trial.on(&Measure::binary("works")).unwrap().by_subgroup("sex").unwrap();
    let effects = effects.estimate(&DifferenceInProportions::new()).unwrap();
    assert!(effects.interaction().is_ok());
    survives(&effects);
}

/// A covariate that tells nobody apart within a subgroup, the column itself among them, is left out there.
#[test]
fn a_covariate_with_one_value_in_a_subgroup_is_left_out_there() {
    let mut csv = "arm,sex,town,age,works,score\n".to_owned();
    for i in 0..48_u32 {
        let (arm, sex) = (["c", "t"][(i % 2) as usize], ["f", "m"][(i / 2 % 2) as usize]);
        // Women live in two towns, men in one.
        let town = if sex == "m" || i % 3 == 0 { "a" } else { "b" };
        csv +=
            &format!("{arm},{sex},{town},{},{},{}\n", 20 + i * 7 % 31, u32::from(i * 5 % 7 > 3), i * 11 % 13);
    }
    let trial = labelled(Table::from_csv_str(&csv).unwrap(), "c").build().unwrap();
    let works = trial.on(&Measure::binary("works")).unwrap();
    let subgroups = works.by_subgroup("sex").unwrap();
    let model = LogisticRegression::new().adjust_for(["sex", "town", "age"]).reference_level("town", "b");
    let effects = subgroups.estimate(&model).unwrap();
    let left_out = |covariate: &str| Notice::ConstantCovariate { covariate: covariate.to_owned() };
    let women = effects.within("f").unwrap();
    let men = effects.within("m").unwrap();
    assert!(women.notices().contains(&left_out("sex")) && !women.notices().contains(&left_out("town")));
    assert!(men.notices().contains(&left_out("sex")) && men.notices().contains(&left_out("town")));
    assert_eq!(men.method().adjusted_for, ["age"]);
    assert!(men.to_string().contains("\"town\" has one value in this subgroup"), "{men}");
    // The same as the model without them, of the people themselves.
    let own = labelled(trial.table().keep_category("sex", "m").unwrap(), "c").build().unwrap();
    let own = own.on(&Measure::binary("works")).unwrap();
    let direct = own.estimate(&LogisticRegression::new().adjust_for(["age"])).unwrap();
    let direct = direct.treatment("t").unwrap();
    let within = men.treatment("t").unwrap();
    assert_near(within.value(), direct.value(), 1e-12);
    assert_near(within.se(), direct.se(), 1e-12);
    assert_eq!(within.estimand(), direct.estimand());
    // Every model does so, and products with the arms go with their covariate.
    let score = trial.on(&Measure::continuous("score")).unwrap().by_subgroup("sex").unwrap();
    assert!(score.estimate(&LinearRegression::new().adjust_for(["town", "age"]).interacted()).is_ok());
    assert!(score.estimate(&DoublyRobust::new(MeanDifference).adjust_for(["town"])).is_ok());
    let marginal = LogisticRegression::new().interact_arm_with(["town"]).marginal(RiskDifference);
    assert!(subgroups.estimate(&marginal).is_ok());
    survives(&effects);
    // The whole trial has to have two levels.
    let error = own.estimate(&LogisticRegression::new().adjust_for(["sex"])).unwrap_err();
    assert_eq!(error.kind().name(), "rank_deficient");
}
