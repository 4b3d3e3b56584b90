//! Topic "randomization": exact randomisation tests, intervals by inversion, Fisher, attributable effects.

use super::case::{Answer, Case, json, list, matrix};
use armwise::data::Table;
use armwise::internal::reals;
use armwise::proportion::{Proportion, TwoProportions};
use armwise::randomization::{
    Assignments, Exactness, JointStatistic, NullDistribution, Replay, Statistic, attributable_effect,
};
use armwise::rank::RankSum;
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    match case.name.split('_').next().unwrap_or_default() {
        "interval" if case.has_input("csv") => interval(case),
        "interval" => shift(case),
        "joint" => joint(case),
        "draws" => given(case),
        "fisher" => fisher(case),
        "large" => large(case),
        "attributable" => attributable(case),
        _ => test(case),
    }
}

pub(super) fn statistic(word: &str) -> Statistic {
    match word {
        "difference_in_means" => Statistic::DifferenceInMeans,
        "studentized_difference" => Statistic::StudentizedDifference,
        "blocked_difference_in_means" => Statistic::BlockedDifferenceInMeans,
        "blocked_studentized_difference" => Statistic::BlockedStudentizedDifference,
        "rank_sum" => Statistic::RankSum,
        "van_elteren" => Statistic::VanElteren,
        "paired_mean_difference" => Statistic::PairedMeanDifference,
        "paired_t" => Statistic::PairedT,
        "signed_rank" => Statistic::SignedRank,
        "difference_in_cluster_means" => Statistic::DifferenceInClusterMeans,
        "studentized_cluster_means" => Statistic::StudentizedClusterMeans,
        "ols_coefficient" => Statistic::LeastSquares,
        "ols_studentized_hc2" => Statistic::StudentizedLeastSquares,
        other => panic!("statistic {other}"),
    }
}

fn code(case: &Case, key: &str) -> u32 {
    case.number(key) as u32
}

fn codes(values: &[f64]) -> Vec<u32> {
    values.iter().map(|value| *value as u32).collect()
}

/// The table of a case, and its assignments.
pub(super) fn design(case: &Case) -> Result<(Table, Assignments), armwise::Error> {
    let table = Table::from_csv_path(case.csv())?;
    let column =
        |key: &str| Ok::<_, armwise::Error>(codes(reals(&table, case.input(key).as_str().expect("a name"))?));
    let mut assignments = Assignments::new(&column("arm")?)?;
    let blocks = match case.word("design") {
        "complete" | "clustered" => None,
        "blocked" | "blocked_clustered" => Some("blocks"),
        "matched_pairs" => Some("pair"),
        other => panic!("design {other}"),
    };
    if let Some(blocks) = blocks {
        assignments = assignments.within(&column(blocks)?)?;
    }
    if case.has_input("cluster") {
        assignments = assignments.by_cluster(&column("cluster")?)?;
    }
    Ok((table, assignments))
}

/// The replay of one treatment against the control.
fn with<T>(case: &Case, use_of: impl Fn(&Replay) -> Result<T, armwise::Error>) -> Result<T, armwise::Error> {
    let (table, mut assignments) = design(case)?;
    let (treatment, control) = (code(case, "treatment"), code(case, "control"));
    if case.option("conditional_on_other_arms").as_bool().unwrap_or(false) {
        assignments = assignments.among(&[treatment, control]);
    }
    let mut replay = Replay::new(&assignments, statistic(case.word("statistic")))
        .outcome(reals(&table, case.input("outcome").as_str().expect("a name"))?)
        .treatments(&[treatment])
        .control(control);
    for covariate in case.input("covariates").as_array().into_iter().flatten() {
        replay = replay.covariate(reals(&table, covariate.as_str().expect("a name"))?);
    }
    use_of(&replay)
}

fn test(case: &Case) -> Answer {
    let (_, assignments) = design(case)?;
    let held = case.option("conditional_on_other_arms").as_bool().unwrap_or(false);
    let all = if held {
        assignments.among(&[code(case, "treatment"), code(case, "control")]).count()
    } else {
        assignments.count()
    };
    with(case, |replay| {
        let null = replay.run()?;
        assert!(null.replays().exact(), "{}: not exact", case.name);
        let mut answer = p_values(&null);
        answer["assignments"] = Value::from(all);
        Ok(answer)
    })
}

fn p_values(null: &NullDistribution) -> Value {
    let p = null.p_values(0);
    let counts = null.counts(0);
    object!({
        "statistic": json(null.observed()[0]),
        "count_two_sided": counts[0],
        "count_greater": counts[1],
        "count_less": counts[2],
        "p_two_sided": p.two_sided,
        "p_greater": p.greater,
        "p_less": p.less,
    })
}

fn given(case: &Case) -> Answer {
    let draws: Vec<Vec<u32>> =
        matrix(case.input("draws")).expect("draws").iter().map(|draw| codes(draw)).collect();
    with(case, |replay| {
        let mut answer = p_values(&replay.over(&draws)?);
        answer["draws"] = Value::from(draws.len());
        Ok(answer)
    })
}

fn joint(case: &Case) -> Answer {
    let (table, assignments) = design(case)?;
    let treatments: Vec<u32> = codes(&case.numbers("treatments"));
    let (joint, per_arm) = match (case.word("statistic"), case.word("per_arm_statistic")) {
        ("max_abs", word) => (JointStatistic::LargestAbsolute, statistic(word)),
        ("sum_of_squares", word) => (JointStatistic::SumOfSquares, statistic(word)),
        ("anova_f", "none") => (JointStatistic::LargestAbsolute, Statistic::AnovaF),
        other => panic!("joint statistic {other:?}"),
    };
    let null = Replay::new(&assignments, per_arm)
        .outcome(reals(&table, case.input("outcome").as_str().expect("a name"))?)
        .treatments(&treatments)
        .control(code(case, "control"))
        .run()?;
    let (statistic, p_value, count) = null.joint_counts(joint);
    Ok(object!({
        "statistic": json(statistic),
        "assignments": assignments.count(),
        "count_extreme": count,
        "p_value": p_value,
    }))
}

fn interval(case: &Case) -> Answer {
    let (_, assignments) = design(case)?;
    with(case, |replay| {
        let interval = replay.interval(case.level())?;
        Ok(object!({
            "estimate": interval.estimate,
            "assignments": assignments.count(),
            "ci": [interval.interval.lower(), interval.interval.upper()],
            "ci_equal_tailed": [interval.equal_tailed.lower(), interval.equal_tailed.upper()],
            "lower_bound_one_sided": interval.lower_bound,
            "upper_bound_one_sided": interval.upper_bound,
            "set_is_an_interval": interval.is_whole,
        }))
    })
}

/// Hodges and Lehmann's shift; the order statistic comes from the replayed rank sums.
fn shift(case: &Case) -> Answer {
    assert_eq!(case.word("statistic"), "rank_sum");
    let (treated, control) = (case.numbers("treatment"), case.numbers("control"));
    let groups: Vec<u32> = treated.iter().map(|_| 1).chain(control.iter().map(|_| 0)).collect();
    let assignments = Assignments::new(&groups)?;
    let values: Vec<f64> = treated.iter().chain(&control).copied().collect();
    let null = Replay::new(&assignments, Statistic::RankSum).outcome(&values).run()?;
    let half = treated.len() as f64 * control.len() as f64 / 2.0;
    let all = null.statistics(0).count() as f64;
    let below = |u: usize| null.statistics(0).filter(|t| t + half <= u as f64 + 0.25).count() as f64 / all;
    // An exact distribution by sums carries weights.
    assert!(null.weights().is_none());
    let alpha = (1.0 - case.level()) / 2.0;
    let quantile =
        (0..=treated.len() * control.len()).find(|&u| below(u) > alpha).expect("a quantile").max(1);
    let ranks = RankSum::new(&treated, &control)?;
    let interval = ranks.hodges_lehmann_interval(case.level())?;
    Ok(object!({
        "estimate": ranks.hodges_lehmann(),
        "assignments": assignments.count(),
        "order_statistic": quantile,
        "ci": [interval.lower(), interval.upper()],
    }))
}

fn counts(case: &Case, arm: &str) -> Result<Proportion, armwise::Error> {
    Proportion::new(case.number(&format!("events_{arm}")) as u64, case.number(&format!("n_{arm}")) as u64)
}

fn fisher(case: &Case) -> Answer {
    assert_eq!((case.word("design"), case.word("statistic")), ("complete", "difference_in_means"));
    let (treated, control) = (counts(case, "treatment")?, counts(case, "control")?);
    let (mut groups, mut outcome) = (Vec::new(), Vec::new());
    for (group, arm) in [(1, treated), (0, control)] {
        for person in 0..arm.n() {
            groups.push(group);
            outcome.push(f64::from(u8::from(person < arm.events())));
        }
    }
    let assignments = Assignments::new(&groups)?;
    let null = Replay::new(&assignments, Statistic::DifferenceInMeans).outcome(&outcome).run()?;
    assert!(null.replays().exact());
    let (p, fisher) = (null.p_values(0), TwoProportions::new(treated, control).fisher_test());
    Ok(object!({
        "statistic": json(null.observed()[0]),
        "p_two_sided": p.two_sided,
        "p_greater": p.greater,
        "p_less": p.less,
        "fisher_two_sided": fisher.two_sided,
        "two_sided_equals_fisher": (p.two_sided - fisher.two_sided).abs() < 1e-9,
    }))
}

fn large(case: &Case) -> Answer {
    assert_eq!(case.word("design"), "complete");
    assert_eq!((code(case, "treatment"), code(case, "control")), (1, 0));
    let assignments = Assignments::new(&codes(&case.numbers("arm")))?;
    let replay = Replay::new(&assignments, statistic(case.word("statistic"))).outcome(&case.numbers("y"));
    let null = replay.run()?;
    assert!(null.replays().exact(), "{}: not exact", case.name);
    let draws = case.option("monte_carlo_draws").as_u64().expect("a number");
    let drawn = replay.clone().exactness(Exactness::FewAssignments).draws(draws).seed(7).run()?;
    let answer = p_values(&null);
    let monte_carlo = p_values(&drawn);
    for (key, tolerance) in case.option("monte_carlo_tolerance").as_object().expect("tolerances") {
        let [exact, drawn] = [&answer, &monte_carlo].map(|values| values[key].as_f64().expect("a number"));
        let tolerance = tolerance.as_f64().expect("a number");
        assert!((drawn - exact).abs() <= tolerance, "{}: {key}: {drawn} for {exact}", case.name);
    }
    Ok(answer)
}

fn attributable(case: &Case) -> Answer {
    let test = attributable_effect(counts(case, "treatment")?, counts(case, "control")?, case.level())?;
    Ok(object!({ "p_greater": list(test.p_values), "lower_limit": test.lower_limit }))
}
