//! Topic "balance": covariates and missing outcomes by arm, bounds, tipping points, combined imputations, and the
//! posterior of two proportions. Which analysis a case asks for is told by the first word of its name.

use super::case::{Answer, Case, json, list, matrix};
use super::pipeline::table;
use armwise::balance::{
    CovariateBalance, CovariateKind, JointBalance, Manova, Standardizer, attrition, sample_ratio,
};
use armwise::bayes::{BetaBinomial, BetaPrior};
use armwise::effect::Interval;
use armwise::missing::{
    DeltaAdjustment, ImbensManski, Imputations, JointImputations, LeeBounds, MissingEvents, PartlyObserved,
    TippingTest, TrimmedArm, WorstCase,
};
use armwise::ndarray::{Array1, Array2};
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    match case.name.split('_').next().unwrap_or_default() {
        "balance" if case.has_input("treatment_arm") => two_arms(case),
        "balance" => manova(case),
        "sample" => ratio(case),
        "attrition" => missing_by_arm(case),
        "lee" => lee(case),
        "manski" => worst_case(case),
        "tipping" => tipping(case),
        "delta" => delta(case),
        "rubin" if case.has_input("covariances") => joint_imputations(case),
        "rubin" => imputations(case),
        "beta" => beta_binomial(case),
        other => panic!("{}: the analysis {other}", case.name),
    }
}

fn limits(interval: Interval) -> Value {
    list([interval.lower(), interval.upper()])
}

fn counts(case: &Case, key: &str) -> Vec<u64> {
    let values = case.input(key).as_array().unwrap_or_else(|| panic!("{}: {key} is no list", case.name));
    values.iter().map(|value| value.as_u64().expect("a number of people")).collect()
}

fn count(case: &Case, key: &str) -> u64 {
    case.input(key).as_u64().unwrap_or_else(|| panic!("{}: {key} is no number of people", case.name))
}

/// The rows of an arm: people by covariates.
fn covariates(case: &Case, arm: Option<f64>) -> armwise::Result<(Vec<String>, Array2<f64>, Vec<f64>)> {
    let table = table(case)?;
    let names: Vec<String> =
        serde_json::from_value(case.input("covariates").clone()).expect("names of covariates");
    let numbers = |name: &str| -> armwise::Result<Vec<f64>> {
        Ok(table.column(name)?.reals()?.map(|value| value.expect("a complete column")).collect())
    };
    let arms = numbers(case.input("arm").as_str().expect("a column"))?;
    let columns: Vec<Vec<f64>> = names.iter().map(|name| numbers(name)).collect::<Result<_, _>>()?;
    let rows: Vec<usize> = (0..arms.len()).filter(|&i| arm.is_none_or(|arm| arms[i] == arm)).collect();
    let values = Array2::from_shape_fn((rows.len(), names.len()), |(i, j)| columns[j][rows[i]]);
    let arms = rows.iter().map(|&i| arms[i]).collect();
    Ok((names, values, arms))
}

fn two_arms(case: &Case) -> Answer {
    let (names, treatment, _) = covariates(case, Some(case.number("treatment_arm")))?;
    let (_, control, _) = covariates(case, Some(case.number("reference_arm")))?;
    let binary: Vec<String> =
        serde_json::from_value(case.input("binary_covariates").clone()).expect("names of covariates");
    let each: Vec<CovariateBalance> = names
        .iter()
        .enumerate()
        .map(|(j, name)| {
            let kind = if binary.contains(name) { CovariateKind::Binary } else { CovariateKind::Numeric };
            CovariateBalance::new(&treatment.column(j).to_vec(), &control.column(j).to_vec(), kind)
        })
        .collect::<Result<_, _>>()?;
    let by = |standardizer| -> Result<Value, armwise::Error> {
        let values: Result<Vec<f64>, _> = each.iter().map(|one| one.standardized_by(standardizer)).collect();
        Ok(list(values?))
    };
    let welch: Vec<f64> =
        each.iter().map(|one| Ok(one.welch()?.p_value())).collect::<Result<_, armwise::Error>>()?;
    let joint = JointBalance::new(treatment.view(), control.view())?;
    let ratio = joint.likelihood_ratio.expect("covariates that do not separate the arms");
    Ok(object!({
        "mean_treatment": list(each.iter().map(|one| one.treatment.mean)),
        "mean_control": list(each.iter().map(|one| one.control.mean)),
        "smd": by(Standardizer::MeanVariance)?,
        "smd_sample_variance": by(Standardizer::MeanSampleVariance)?,
        "smd_pooled_sd": by(Standardizer::PooledVariance)?,
        "variance_ratio": list(each.iter().map(|one| one.variance_ratio().unwrap_or(f64::NAN))),
        "ks_statistic": list(each.iter().map(|one| one.kolmogorov_smirnov)),
        "welch_p_values": list(welch),
        "hotelling_t2": json(joint.hotelling_t2),
        "hotelling_f": json(joint.hotelling.statistic),
        "f_df1": json(joint.hotelling.df1),
        "f_df2": json(joint.hotelling.df2),
        "f_p_value": json(joint.hotelling.p_value),
        "lr_statistic": json(ratio.statistic),
        "lr_df": json(ratio.df),
        "lr_p_value": json(ratio.p_value),
        "hansen_bowers_d2": json(joint.hansen_bowers.statistic),
        "hansen_bowers_p_value": json(joint.hansen_bowers.p_value),
        "mahalanobis_distance": json(joint.mahalanobis),
    }))
}

fn manova(case: &Case) -> Answer {
    let (_, _, arms) = covariates(case, None)?;
    let mut codes = arms;
    codes.sort_by(f64::total_cmp);
    codes.dedup();
    let groups: Vec<Array2<f64>> =
        codes.iter().map(|&arm| Ok(covariates(case, Some(arm))?.1)).collect::<Result<_, armwise::Error>>()?;
    let manova = Manova::new(&groups.iter().map(|group| group.view()).collect::<Vec<_>>())?;
    Ok(object!({
        "wilks_lambda": json(manova.wilks_lambda),
        "wilks_f": json(manova.wilks.statistic),
        "wilks_df1": json(manova.wilks.df1),
        "wilks_df2": json(manova.wilks.df2),
        "wilks_p": json(manova.wilks.p_value),
        "pillai_trace": json(manova.pillai_trace),
        "pillai_f": json(manova.pillai.statistic),
        "pillai_df1": json(manova.pillai.df1),
        "pillai_df2": json(manova.pillai.df2),
        "pillai_p": json(manova.pillai.p_value),
    }))
}

fn ratio(case: &Case) -> Answer {
    let ratio = sample_ratio(&counts(case, "n"), &case.numbers("allocation"))?;
    Ok(object!({
        "statistic": json(ratio.test.statistic),
        "df": json(ratio.test.df),
        "p_value": json(ratio.test.p_value),
        "exact_binomial_p": ratio.exact_p_value.map_or(Value::Null, json),
    }))
}

fn missing_by_arm(case: &Case) -> Answer {
    let found = attrition(&counts(case, "missing"), &counts(case, "n"))?;
    let test = found.test.expect("some missing, and some not");
    Ok(object!({
        "rate": list(found.shares),
        "overall_rate": json(found.overall),
        "difference_vs_first": list(found.differences),
        "chi_square": json(test.statistic),
        "df": json(test.df),
        "p_value": json(test.p_value),
    }))
}

/// Both arms: those with a 1 in `treatment`, and the others.
fn arms(case: &Case) -> Result<[PartlyObserved; 2], armwise::Error> {
    let (outcome, seen, treatment) =
        (case.numbers("outcome"), case.numbers("observed"), case.numbers("treatment"));
    let arm = |code: f64| {
        let of = || (0..outcome.len()).filter(|&i| treatment[i] == code);
        PartlyObserved::new(
            of().filter(|&i| seen[i] == 1.0).map(|i| outcome[i]).collect(),
            of().count() as u64,
        )
    };
    Ok([arm(1.0)?, arm(0.0)?])
}

fn lee(case: &Case) -> Answer {
    let [treatment, control] = arms(case)?;
    let bounds = LeeBounds::new(&treatment, &control)?;
    let interval = bounds.interval(case.level())?;
    Ok(object!({
        "response_rate_treatment": json(bounds.response_treatment),
        "response_rate_control": json(bounds.response_control),
        "trimmed_arm": match bounds.trimmed {
            TrimmedArm::Treatment => "treatment",
            TrimmedArm::Control => "control",
            _ => "none",
        },
        "trimming_share": json(bounds.share),
        "lower_bound": json(bounds.effect.lower()),
        "upper_bound": json(bounds.effect.upper()),
        "lower_bound_integer_trimming": json(bounds.effect_of_whole_people.lower()),
        "upper_bound_integer_trimming": json(bounds.effect_of_whole_people.upper()),
        "naive_difference": json(bounds.complete_cases),
        "se_lower": json(bounds.se[0]),
        "se_upper": json(bounds.se[1]),
        "imbens_manski_critical": json(interval.critical),
        "imbens_manski_ci": limits(interval.interval),
    }))
}

fn worst_case(case: &Case) -> Answer {
    let bounds = if case.has_input("outcome") {
        let range = [case.option("outcome_min"), case.option("outcome_max")]
            .map(|limit| limit.as_f64().expect("a limit"));
        let [treatment, control] = arms(case)?;
        WorstCase::new(&treatment, &control, Interval::new(range[0], range[1])?)?
    } else {
        let arm = |arm: &str| {
            let of = |what: &str| count(case, &format!("{what}_{arm}"));
            PartlyObserved::events(of("events"), of("observed"), of("n"))
        };
        WorstCase::new(&arm("treatment")?, &arm("control")?, Interval::new(0.0, 1.0)?)?
    };
    let se = bounds.se.expect("more than one person in each arm");
    let interval: ImbensManski = bounds.interval(case.level())?;
    Ok(object!({
        "arm1_bounds": limits(bounds.treatment),
        "arm0_bounds": limits(bounds.control),
        "lower_bound": json(bounds.effect.lower()),
        "upper_bound": json(bounds.effect.upper()),
        "width": json(bounds.effect.width()),
        "se_lower": json(se[0]),
        "se_upper": json(se[1]),
        "imbens_manski_ci": limits(interval.interval),
        "complete_case": json(bounds.complete_cases),
        "all_missing_failure": json(bounds.all_alike[0]),
        "all_missing_success": json(bounds.all_alike[1]),
    }))
}

fn tipping(case: &Case) -> Answer {
    assert_eq!(case.word("test"), "two-sided Wald z, unpooled", "{}", case.name);
    let arm = |arm: &str| ["events", "observed", "n"].map(|what| count(case, &format!("{what}_{arm}")));
    let trial = MissingEvents::new(arm("treatment"), arm("control"))?.test(TippingTest::Unpooled);
    let treatment = case.option("treatment_missing_as_events").as_u64().expect("a number of events");
    // The cases list the first 30.
    let row: Result<Vec<f64>, _> =
        (0..=trial.missing()[1]).take(30).map(|control| trial.p_value(treatment, control)).collect();
    let alpha = case.option("alpha").as_f64().expect("a level");
    let tipping = trial.tipping_point(treatment, alpha)?;
    Ok(object!({
        "p_values_by_control_missing_events": list(row?),
        "tipping_control_events": tipping.map(|one| one.control_events),
        "p_value_at_tipping": tipping.map(|one| one.p_value),
        "risk_difference_at_tipping": tipping.map(|one| one.risk_difference),
    }))
}

fn delta(case: &Case) -> Answer {
    assert_eq!(case.word("control"), "missing at random", "{}", case.name);
    // Those of the control arm are as those seen, so that their number does not matter.
    let _ = (case.number("observed_control"), case.number("n_control"));
    let people = ["observed_treatment", "n_treatment"].map(|key| count(case, key));
    let adjustment =
        DeltaAdjustment::new(case.number("mean_treatment"), people, case.number("mean_control"))?;
    let deltas: Vec<f64> = serde_json::from_value(case.option("delta").clone()).expect("numbers");
    Ok(object!({
        "estimate": list(deltas.into_iter().map(|delta| adjustment.difference(delta))),
        "delta_at_zero_effect": adjustment.delta_at(0.0).map_or(Value::Null, json),
    }))
}

fn imputations(case: &Case) -> Answer {
    let mut all = Imputations::new(&case.numbers("estimates"), &case.numbers("variances"))?;
    let parameters = case.number("n_parameters");
    if let Some(n) = case.input("n").as_f64() {
        all = all.complete_df(n - parameters)?;
    }
    let combined = all.combine(case.level())?;
    let inference = &combined.inference;
    Ok(object!({
        "estimate": json(inference.value()),
        "within_variance": json(combined.within_variance),
        "between_variance": json(combined.between_variance),
        "total_variance": json(combined.total_variance),
        "se": json(inference.se()),
        "relative_increase": json(combined.relative_increase),
        "lambda": json(combined.lambda),
        "df_rubin": json(combined.rubin_df.unwrap_or(f64::INFINITY)),
        "df": json(inference.df().unwrap_or(f64::INFINITY)),
        "fraction_missing_information": combined.fraction_of_missing_information,
        "statistic": json(inference.value() / inference.se()),
        "p_value": json(inference.p_value()),
        "ci": limits(inference.interval()),
    }))
}

fn joint_imputations(case: &Case) -> Answer {
    let estimates: Vec<Array1<f64>> =
        matrix(case.input("estimates")).expect("lists of estimates").into_iter().map(Array1::from).collect();
    let covariances: Vec<Array2<f64>> = case
        .input("covariances")
        .as_array()
        .expect("matrices")
        .iter()
        .map(|one| {
            let rows = matrix(one).expect("a matrix");
            Array2::from_shape_fn((rows.len(), rows.len()), |(i, j)| rows[i][j])
        })
        .collect();
    let joint = JointImputations::new(&estimates, &covariances)?;
    let rows = |of: &Array2<f64>| Value::Array(of.rows().into_iter().map(|row| list(row.to_vec())).collect());
    Ok(object!({
        "pooled": list(joint.estimates.to_vec()),
        "within": rows(&joint.within),
        "between": rows(&joint.between),
        "total": rows(&joint.total),
        "relative_increase": json(joint.relative_increase),
        "d1_statistic": json(joint.test.statistic),
        "df1": json(joint.test.df),
        "df2": joint.test.denominator_df.map_or(Value::Null, json),
        "p_value": json(joint.test.p_value),
    }))
}

fn beta_binomial(case: &Case) -> Answer {
    let arm = |arm: &str| ["events", "n"].map(|what| count(case, &format!("{what}_{arm}")));
    let number = |key: &str| case.option(key).as_f64().expect("a number");
    let prior = BetaPrior { a: number("prior_a"), b: number("prior_b") };
    let posterior = BetaBinomial::new(arm("treatment"), arm("control"), prior)?;
    let (level, margin) = (case.level(), number("margin"));
    let tail = 0.5 * (1.0 - level);
    let interval = |of: armwise::distribution::Beta| list([of.quantile(tail), of.upper_quantile(tail)]);
    let mean = |of: armwise::distribution::Beta| json(of.a() / (of.a() + of.b()));
    Ok(object!({
        "posterior_mean_treatment": mean(posterior.treatment),
        "posterior_mean_control": mean(posterior.control),
        "posterior_mean_difference": json(posterior.mean()),
        "posterior_sd_difference": json(posterior.sd()),
        "p_superiority": json(posterior.probability_above(0.0)),
        "p_inferiority": json(1.0 - posterior.probability_above(0.0)),
        "p_difference_above_minus_margin": json(posterior.probability_above(-margin)),
        "p_difference_above_margin": json(posterior.probability_above(margin)),
        "credible_interval_treatment": interval(posterior.treatment),
        "credible_interval_control": interval(posterior.control),
        "credible_interval_difference": limits(posterior.interval(level)?),
    }))
}
