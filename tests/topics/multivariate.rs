//! Several contrasts of one trial: their covariance, joint pooling, networks.

use super::case::{Answer, Case, json, list, matrix};
use armwise::effect_size::{
    AddTo, CellCorrection, Contrasts, Counts, EffectSize, ProportionEffect, proportion_effect,
};
use armwise::mean::Sample;
use armwise::meta_analysis::{
    BetweenStructure, ClusterCorrection, Coefficient, CoefficientTest, Fitted, MultivariateData,
    MultivariateModel, MultivariatePool, NetworkData, RobustPool, Tau2, cluster_robust, cluster_robust_test,
};
use armwise::ndarray::{Array1, Array2};
use serde_json::{Value, json as object};

pub(super) fn answer(case: &Case) -> Answer {
    if case.option("method").as_str() == Some("bucher") {
        return bucher(case);
    }
    match case.option("model").as_str() {
        None => contrasts(case),
        Some("multivariate_common_effect" | "multivariate_random_effects") => joint(case),
        Some("three_level") => three_level(case),
        Some("cluster_robust") => robust(case),
        Some("network_common_effect" | "network_random_effects") => network(case),
        Some(other) => panic!("{}: unknown model {other}", case.name),
    }
}

fn words(case: &Case, value: &Value) -> Vec<String> {
    let list = value.as_array().unwrap_or_else(|| panic!("{}: no list of words", case.name));
    list.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

fn table(cells: &Array2<f64>) -> Value {
    cells.rows().into_iter().map(|row| list(row.to_vec())).collect()
}

fn array_of(rows: &[Vec<f64>]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

fn blocks(case: &Case) -> Vec<Array2<f64>> {
    let list = case.input("V_blocks").as_array().expect("a list of matrices");
    list.iter().map(|block| array_of(&matrix(block).expect("a matrix"))).collect()
}

/// The contrasts of proportions; one half is added to all arms where one has an empty cell.
fn count_contrasts(case: &Case, arms: &[Counts], control: usize) -> armwise::Result<Contrasts> {
    let effect = match case.word("measure") {
        "RD" => ProportionEffect::Proportion,
        "RR" => ProportionEffect::LogProportion,
        "OR" => ProportionEffect::Logit,
        other => panic!("{}: unknown measure {other}", case.name),
    };
    let empty = arms.iter().any(|arm| arm.events == 0.0 || arm.events == arm.n);
    let add = case.option("add").as_f64().unwrap_or(0.0);
    let add = if empty { add } else { 0.0 };
    let rule = CellCorrection::add(add, AddTo::All)?;
    let arms =
        arms.iter().map(|arm| proportion_effect(*arm, effect, rule)).collect::<armwise::Result<Vec<_>>>();
    Contrasts::of(&arms?, control)
}

/// A number of participants.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(n: f64) -> u64 {
    n as u64
}

/// The arms against one of them, from means and standard deviations.
fn mean_contrasts(
    case: &Case,
    means: &[f64],
    sds: &[f64],
    n: &[f64],
    control: usize,
) -> armwise::Result<Contrasts> {
    let of = |variance: &dyn Fn(usize) -> f64| {
        let effect = |i: usize| EffectSize { value: means[i], variance: variance(i) / n[i] };
        Contrasts::of(&(0..n.len()).map(effect).collect::<Vec<_>>(), control)
    };
    match case.word("measure") {
        "MD" => of(&|i| sds[i] * sds[i]),
        "MD_pooled" => {
            let squares: f64 = n.iter().zip(sds).map(|(n, sd)| (n - 1.0) * sd * sd).sum();
            let pooled = squares / n.iter().map(|n| n - 1.0).sum::<f64>();
            of(&|_| pooled)
        }
        "SMD" => {
            let arm = |i: usize| Sample { n: whole(n[i]), mean: means[i], sd: sds[i] };
            Contrasts::standardized(&(0..n.len()).map(arm).collect::<Vec<_>>(), control)
        }
        other => panic!("{}: unknown measure {other}", case.name),
    }
}

fn contrasts(case: &Case) -> Answer {
    let control =
        usize::try_from(case.input("control_index").as_u64().expect("an index")).expect("a small index");
    let n = case.numbers("n");
    let contrasts: Contrasts = if case.has_input("events") {
        let arms = case.numbers("events").into_iter().zip(&n).map(|(events, &n)| Counts { events, n });
        count_contrasts(case, &arms.collect::<Vec<_>>(), control)?
    } else {
        mean_contrasts(case, &case.numbers("mean"), &case.numbers("sd"), &n, control)?
    };
    Ok(object!({
        "yi": list(contrasts.estimates.iter().copied()),
        "V": table(&contrasts.covariance),
        // One contrast correlates with nothing.
        "correlation": if contrasts.estimates.len() > 1 { table(&contrasts.correlation()?) } else { Value::Null },
    }))
}

fn test(case: &Case) -> CoefficientTest {
    match case.option("test").as_str() {
        None | Some("z") => CoefficientTest::Normal,
        Some(other) => panic!("{}: unknown test {other}", case.name),
    }
}

fn joint(case: &Case) -> Answer {
    // The estimates and their covariance are given; the counts are there for the reader.
    for key in ["site", "arm", "events", "n"] {
        case.input(key);
    }
    case.option("measure");
    let (yi, study) = (case.numbers("yi"), case.numbers("study"));
    let treatment = words(case, case.input("treatment"));
    let mut names: Vec<String> = Vec::new();
    for name in &treatment {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let mut data = MultivariateData::new(names.clone());
    let mut start = 0;
    for block in blocks(case) {
        let rows = start..start + block.nrows();
        assert!(rows.clone().all(|row| study[row] == study[start]), "{}: rows of a trial", case.name);
        let design = Array2::from_shape_fn((rows.len(), names.len()), |(row, column)| {
            f64::from(u8::from(treatment[start + row] == names[column]))
        });
        data.push(&yi[rows.clone()], block.view(), design.view())?;
        start = rows.end;
    }
    let model = match case.word("between_structure") {
        "none" => MultivariateModel::common_effect(),
        "CS" => random(case).structure(BetweenStructure::CompoundSymmetry),
        "HCS" => random(case).structure(BetweenStructure::HeteroscedasticCompoundSymmetry),
        "DIAG" => random(case).structure(BetweenStructure::Diagonal),
        "UN" => random(case).structure(BetweenStructure::Unstructured),
        other => panic!("{}: unknown structure {other}", case.name),
    };
    let pool = model.test(test(case)).level(case.level()).pool(&data)?;
    let mut answer = coefficients(&pool);
    answer["log_lik"] = log_lik(case, &pool);
    if let Some(between) = &pool.between_covariance {
        answer["between_covariance"] = table(between);
        answer["tau2"] = list(between.diag().iter().copied());
        answer["rho"] = pool.correlation.map_or(Value::Null, json);
    }
    answer["q"] = json(pool.q.statistic);
    answer["q_df"] = pool.q.df.into();
    answer["q_p_value"] = if pool.q.df > 0.0 { json(pool.q.p_value) } else { Value::Null };
    let wald = |test: armwise::meta_analysis::WaldTest| object!({"statistic": json(test.statistic), "df": test.df, "p_value": json(test.p_value)});
    answer["all_effects_zero"] = wald(pool.all_zero()?);
    if names.len() > 1 {
        answer["equal_effects"] = wald(pool.all_equal()?);
        answer["pairwise"] = pairwise(&names, &pool)?;
    }
    Ok(answer)
}

fn random(case: &Case) -> MultivariateModel {
    match case.word("method") {
        "REML" => MultivariateModel::random_effects(),
        "ML" => MultivariateModel::random_effects().tau2(Tau2::Ml),
        other => panic!("{}: unknown method {other}", case.name),
    }
}

fn log_lik(case: &Case, pool: &MultivariatePool) -> Value {
    json(if case.word("method") == "REML" { pool.restricted_log_likelihood } else { pool.log_likelihood })
}

/// Effects within clusters; the design is an intercept unless one is given. The names of its columns stand in
/// no input: they are taken from the expected ones.
fn clusters(case: &Case) -> Result<MultivariateData, armwise::Error> {
    let (yi, vi, cluster) = (case.numbers("yi"), case.numbers("vi"), case.numbers("cluster"));
    let design = match matrix(case.input("X")) {
        Some(design) => design,
        None => vec![vec![1.0]; yi.len()],
    };
    let p = design[0].len();
    let mut names: Vec<String> = (0..p).map(|column| format!("x{column}")).collect();
    if let Some(given) = case.expected.get("coef_names") {
        names = words(case, given);
    }
    let mut clusters: Vec<f64> = Vec::new();
    for id in &cluster {
        if !clusters.contains(id) {
            clusters.push(*id);
        }
    }
    let mut data = MultivariateData::new(names);
    for id in clusters {
        let rows: Vec<usize> = (0..yi.len()).filter(|row| cluster[*row] == id).collect();
        let own: Vec<f64> = rows.iter().map(|row| yi[*row]).collect();
        let variances = Array2::from_diag(&rows.iter().map(|row| vi[*row]).collect::<Array1<f64>>());
        let part = Array2::from_shape_fn((rows.len(), p), |(row, column)| design[rows[row]][column]);
        data.push(&own, variances.view(), part.view())?;
    }
    Ok(data)
}

fn robust(case: &Case) -> Answer {
    let data = clusters(case)?;
    let (between, within) = if case.has_input("tau2") {
        (0.0, case.number("tau2"))
    } else {
        (case.number("sigma2_between_cluster"), case.number("sigma2_within_cluster"))
    };
    let total = between + within;
    let data = data.with_between(total, if total > 0.0 { between / total } else { 0.0 })?;
    let fit = |correction| cluster_robust(&data, correction, case.level());
    let each = |pool: &RobustPool, value: fn(&Coefficient) -> f64| list(pool.coefficients.iter().map(value));
    let variance = |pool: &RobustPool| {
        object!({
            "vcov": table(&pool.covariance),
            "se": each(pool, |coefficient| coefficient.se),
        })
    };
    let inference = |pool: &RobustPool| {
        object!({
            "vcov": table(&pool.covariance),
            "se": each(pool, |coefficient| coefficient.se),
            "statistic": each(pool, |coefficient| coefficient.statistic),
            "df": json(pool.coefficients[0].df.unwrap_or(f64::NAN)),
            "df_satterthwaite": each(pool, |coefficient| coefficient.df.unwrap_or(f64::NAN)),
            "p_value": each(pool, |coefficient| coefficient.p_value),
            "ci_lower": each(pool, |coefficient| coefficient.interval.lower()),
            "ci_upper": each(pool, |coefficient| coefficient.interval.upper()),
        })
    };
    let (cr0, cr2) = (fit(ClusterCorrection::Cr0)?, fit(ClusterCorrection::Cr2)?);
    let mut answer = object!({
        "coef_names": cr2.coefficients.iter().map(|coefficient| coefficient.name.as_str()).collect::<Vec<_>>(),
        "estimate": each(&cr2, |coefficient| coefficient.estimate),
        "clusters": cr2.clusters,
        "cr0": variance(&cr0),
        "cr1": variance(&fit(ClusterCorrection::Cr1)?),
        "cr1p": variance(&fit(ClusterCorrection::Cr1P)?),
        "cr1s": variance(&fit(ClusterCorrection::Cr1S)?),
        "cr2": inference(&cr2),
        "robust_adjusted": inference(&fit(ClusterCorrection::Cr1P)?),
        "robust_unadjusted": variance(&cr0),
    });
    if let Ok(cr3) = fit(ClusterCorrection::Cr3) {
        answer["cr3"] = variance(&cr3);
    }
    // The hypothesis that no moderator has an effect: all coefficients but the intercept.
    let p = cr2.coefficients.len();
    let moderators =
        Array2::from_shape_fn((p - 1, p), |(row, column)| f64::from(u8::from(column == row + 1)));
    if p > 1
        && let Ok(test) = cluster_robust_test(&data, moderators.view())
    {
        answer["cr2_htz"] = object!({
            "statistic": json(test.statistic),
            "df_num": test.df1,
            "df_denom": json(test.df2),
            "p_value": json(test.p_value),
        });
    }
    Ok(answer)
}

fn three_level(case: &Case) -> Answer {
    let data = clusters(case)?;
    let model = random(case).structure(BetweenStructure::Nested).test(test(case)).level(case.level());
    let pool = model.pool(&data)?;
    let share = pool.correlation.unwrap_or(0.0);
    let total = 100.0 * pool.tau2 / (pool.tau2 + pool.typical_variance);
    let mut answer = coefficients(&pool);
    answer["log_lik"] = log_lik(case, &pool);
    answer["sigma2_between_cluster"] = json(pool.tau2 * share);
    answer["sigma2_within_cluster"] = json(pool.tau2 * (1.0 - share));
    answer["typical_variance"] = json(pool.typical_variance);
    answer["i2_total"] = json(total);
    answer["i2_between_cluster"] = json(total * share);
    answer["i2_within_cluster"] = json(total * (1.0 - share));
    answer["q"] = json(pool.q.statistic);
    answer["q_df"] = pool.q.df.into();
    answer["q_p_value"] = if pool.q.df > 0.0 { json(pool.q.p_value) } else { Value::Null };
    let p = pool.coefficients.len();
    if p > 1 {
        let moderators =
            Array2::from_shape_fn((p - 1, p), |(row, column)| f64::from(u8::from(column == row + 1)));
        let moderators = pool.joint_test(moderators.view(), ())?;
        answer["moderator_test"] = object!({
            "statistic": json(moderators.statistic), "df": moderators.df, "p_value": json(moderators.p_value)
        });
    }
    Ok(answer)
}

fn pairwise(names: &[String], pool: &MultivariatePool) -> Answer {
    let pairs =
        || (0..names.len()).flat_map(|first| (first + 1..names.len()).map(move |second| (first, second)));
    let differences: Vec<Coefficient> = pairs()
        .map(|(first, second)| pool.difference(&names[first], &names[second]))
        .collect::<Result<_, _>>()?;
    Ok(object!({
        "first": pairs().map(|pair| pair.0 + 1).collect::<Vec<_>>(),
        "second": pairs().map(|pair| pair.1 + 1).collect::<Vec<_>>(),
        "difference": list(differences.iter().map(|difference| difference.estimate)),
        "se": list(differences.iter().map(|difference| difference.se)),
        "p_value": list(differences.iter().map(|difference| difference.p_value)),
    }))
}

fn coefficients(pool: &MultivariatePool) -> Value {
    let each = |value: fn(&Coefficient) -> f64| list(pool.coefficients.iter().map(value));
    object!({
        "coef_names": pool.coefficients.iter().map(|coefficient| coefficient.name.as_str()).collect::<Vec<_>>(),
        "estimate": each(|coefficient| coefficient.estimate),
        "se": each(|coefficient| coefficient.se),
        "statistic": each(|coefficient| coefficient.statistic),
        "p_value": each(|coefficient| coefficient.p_value),
        "ci_lower": each(|coefficient| coefficient.interval.lower()),
        "ci_upper": each(|coefficient| coefficient.interval.upper()),
        "vcov": table(&pool.covariance),
    })
}

fn network(case: &Case) -> Answer {
    let order = words(case, case.option("treatment_order"));
    let (study, treatment) = (case.numbers("study"), words(case, case.input("treatment")));
    // From counts, or from means: their `add` says nothing.
    let means = case.has_input("mean").then(|| (case.numbers("mean"), case.numbers("sd")));
    let events = means.is_none().then(|| case.numbers("events"));
    let n = case.numbers("n");
    // Where the arms are means nothing is added.
    let _ = case.option("add");
    let place = |row: usize| {
        order.iter().position(|name| *name == treatment[row]).expect("a treatment of the network")
    };
    let mut studies: Vec<f64> = Vec::new();
    for id in &study {
        if !studies.contains(id) {
            studies.push(*id);
        }
    }
    let mut data = NetworkData::new(order.clone());
    let (mut yi, mut ids, mut treat, mut base, mut blocks) = (vec![], vec![], vec![], vec![], vec![]);
    for id in studies {
        let mut rows: Vec<usize> = (0..study.len()).filter(|row| study[*row] == id).collect();
        rows.sort_by_key(|row| place(*row));
        let contrasts = if let Some((mean, sd)) = &means {
            let pick = |of: &[f64]| rows.iter().map(|&row| of[row]).collect::<Vec<_>>();
            mean_contrasts(case, &pick(mean), &pick(sd), &pick(&n), 0)?
        } else {
            let events = events.as_ref().expect("counts or means");
            let arms: Vec<_> = rows.iter().map(|&row| Counts { events: events[row], n: n[row] }).collect();
            count_contrasts(case, &arms, 0)?
        };
        let names: Vec<&str> = rows.iter().map(|row| treatment[*row].as_str()).collect();
        data.push(names[0], &names[1..], &contrasts.estimates, contrasts.covariance.view())?;
        for (name, estimate) in names[1..].iter().zip(&contrasts.estimates) {
            yi.push(*estimate);
            ids.push(id);
            treat.push((*name).to_owned());
            base.push(names[0].to_owned());
        }
        blocks.push(table(&contrasts.covariance));
    }
    let model = match (case.word("model"), case.option("tau2_estimator_short").as_str()) {
        ("network_common_effect", None) => MultivariateModel::common_effect(),
        (_, Some("REML")) => MultivariateModel::random_effects(),
        (_, Some("DL")) => MultivariateModel::random_effects().tau2(Tau2::DerSimonianLaird),
        (_, other) => panic!("{}: unknown estimator {other:?}", case.name),
    };
    let model = model.correlation(0.5).test(CoefficientTest::Normal).level(case.level());
    let pooled = data.pool(case.word("reference"), &model)?;
    let mut answer = coefficients(&pooled.model);
    answer["contrasts"] =
        object!({"yi": list(yi), "study": list(ids), "treat": treat, "base": base, "V_blocks": blocks});
    answer["tau2"] = json(pooled.model.tau2);
    answer["log_lik"] = json(pooled.model.restricted_log_likelihood);
    answer["league_difference"] = table(&pooled.differences);
    answer["league_se"] = table(&pooled.se);
    answer["p_score"] = list(pooled.p_scores.iter().copied());
    for (key, test) in [
        ("q_total", pooled.model.q),
        ("q_within_designs", pooled.q_within_designs),
        ("q_inconsistency", pooled.q_inconsistency),
    ] {
        answer[key] = json(test.statistic);
        answer[format!("{key}_df")] = test.df.into();
        answer[format!("{key}_p_value")] = if test.df > 0.0 { json(test.p_value) } else { Value::Null };
    }
    Ok(answer)
}

/// An indirect comparison is a network of three: without its direct contrast it gives the indirect one, with
/// it both together and their inconsistency.
fn bucher(case: &Case) -> Answer {
    let known = |key: &str, part: &str| case.input(key)[part].as_f64().expect("a number");
    let contrasts = [("a_versus_b", "a", "b"), ("a_versus_c", "a", "c"), ("b_versus_c", "b", "c")];
    let model = MultivariateModel::common_effect().test(CoefficientTest::Normal);
    let pool = |contrasts: &[(&str, &str, &str)]| {
        let mut data = NetworkData::new(["a", "b", "c"]);
        for (key, base, other) in contrasts {
            let variance = Array2::from_elem((1, 1), known(key, "se").powi(2));
            data.push(base, &[*other], &[known(key, "estimate")], variance.view())?;
        }
        data.pool("a", &model)
    };
    let (indirect, combined) = (pool(&contrasts[..2])?, pool(&contrasts)?);
    let inconsistency = known("b_versus_c", "estimate") - indirect.differences[[2, 1]];
    let test = combined.q_inconsistency;
    let statistic = test.statistic.sqrt().copysign(inconsistency);
    Ok(object!({
        "indirect": json(indirect.differences[[2, 1]]),
        "indirect_se": json(indirect.se[[2, 1]]),
        "inconsistency": json(inconsistency),
        "inconsistency_se": json(inconsistency / statistic),
        "statistic": json(statistic),
        "p_value": json(test.p_value),
        "combined": json(combined.differences[[2, 1]]),
        "combined_se": json(combined.se[[2, 1]]),
    }))
}
