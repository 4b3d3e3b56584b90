//! Rank tests of the topic "means".

use super::case::{Answer, Case, json};
use super::pipeline::pair;
use armwise::rank::{Continuity, RankSum, SignedRank};
use serde_json::{Value, json as object};

pub fn two_samples(case: &Case, treatment: &[f64], control: &[f64]) -> Answer {
    let test = RankSum::new(treatment, control)?;
    let (plain, corrected) =
        (test.normal_test(Continuity::Uncorrected)?, test.normal_test(Continuity::Corrected)?);
    let exact =
        if case.expected.keys().any(|key| key.contains("exact")) { Some(test.exact_test()?) } else { None };
    let brunner_munzel = test.brunner_munzel().ok().map(|test| {
        object!({ "statistic": json(test.statistic), "df": json(test.df), "p_value": json(test.p_value) })
    });
    Ok(object!({
        "u_statistic": json(test.u()),
        "rank_sum": json(test.rank_sum()),
        "probability_of_superiority": json(test.probability_of_superiority()),
        "rank_biserial": json(test.rank_biserial()),
        "z": json(plain.statistic),
        "p_value": json(plain.p_values.two_sided),
        "p_greater": json(plain.p_values.greater),
        "p_less": json(plain.p_values.less),
        "z_continuity": json(corrected.statistic),
        "p_value_continuity": json(corrected.p_values.two_sided),
        "p_greater_continuity": json(corrected.p_values.greater),
        "p_less_continuity": json(corrected.p_values.less),
        "hodges_lehmann": json(test.hodges_lehmann()),
        "hodges_lehmann_ci_exact": test.hodges_lehmann_interval(case.level()).ok().map(pair),
        "brunner_munzel": brunner_munzel,
        "exact_p_value": exact.filter(|_| !test.has_ties()).map(|exact| exact.two_sided),
        "exact_p_greater": exact.filter(|_| !test.has_ties()).map(|exact| exact.greater),
        "permutation_exact_p_value": exact.map(|exact| exact.two_sided),
    }))
}

pub fn pairs(case: &Case, first: &[f64], second: &[f64], answer: &mut Value) -> armwise::Result<()> {
    let differences: Vec<f64> = first.iter().zip(second).map(|(first, second)| first - second).collect();
    let test = SignedRank::new(&differences)?;
    let (plain, corrected) =
        (test.normal_test(Continuity::Uncorrected)?, test.normal_test(Continuity::Corrected)?);
    answer["signed_rank_v"] = json(test.v());
    answer["signed_rank_n_nonzero"] = test.n().into();
    answer["signed_rank_z"] = json(plain.statistic);
    answer["signed_rank_p"] = json(plain.p_values.two_sided);
    answer["signed_rank_z_continuity"] = json(corrected.statistic);
    answer["signed_rank_p_continuity"] = json(corrected.p_values.two_sided);
    answer["sign_test_p"] = json(test.sign_test()?);
    answer["hodges_lehmann"] = json(test.hodges_lehmann());
    answer["hodges_lehmann_ci_exact"] =
        test.hodges_lehmann_interval(case.level()).ok().map_or(Value::Null, pair);
    if case.expected.contains_key("signed_rank_exact_p") {
        answer["signed_rank_exact_p"] = json(test.exact_test()?.two_sided);
    }
    Ok(())
}
