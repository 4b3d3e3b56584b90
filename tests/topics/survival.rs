//! Topic "survival": curves, tests and regressions of times to an event.

use super::case::{Answer, Case, json, list, numbers};
use super::survival_models as models;
use armwise::Interval;
use armwise::ndarray::Array2;
use armwise::regression::{ChiSquaredTest, Fitted, ModelMatrix};
use armwise::survival::{
    Cox, CoxFit, CoxVariance, CurveInterval, KaplanMeier, LogRank, LogRankWeight, SurvivalData, Ties,
    TimeTransform,
};
use serde_json::{Map, Value, json as object};
use std::collections::BTreeMap;

/// The columns of a case, from its file or from its inputs.
pub(super) struct Columns {
    values: BTreeMap<String, Vec<f64>>,
}

impl Columns {
    pub(super) fn new(case: &Case) -> Self {
        let mut values = BTreeMap::new();
        if case.has_input("csv") {
            let text = std::fs::read_to_string(case.csv()).expect("a readable file");
            let mut lines = text.lines();
            let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
            for name in &names {
                values.insert((*name).to_owned(), Vec::new());
            }
            for line in lines {
                for (name, cell) in names.iter().zip(line.split(',')) {
                    let cell = cell.parse().unwrap_or_else(|_| panic!("{cell} is no number"));
                    values.get_mut(*name).expect("a column").push(cell);
                }
            }
        }
        for key in ["time", "status", "group", "strata", "start", "site"] {
            if !case.has_input(key) {
                continue;
            }
            match case.input(key) {
                // The name of a column.
                Value::String(name) => assert!(values.contains_key(name), "{}: no column {name}", case.name),
                given => {
                    values.insert(key.to_owned(), numbers(given).expect("numbers"));
                }
            }
        }
        Self { values }
    }

    pub(super) fn of(&self, name: &str) -> &[f64] {
        self.values.get(name).unwrap_or_else(|| panic!("no column {name}"))
    }

    /// The column that an input names, or the values that it holds.
    pub(super) fn input(&self, case: &Case, key: &str) -> &[f64] {
        self.of(case.input(key).as_str().unwrap_or(key))
    }

    /// The distinct values of a column in increasing order, and the place of each row among them.
    pub(super) fn codes(values: &[f64]) -> (Vec<f64>, Vec<u32>) {
        let mut levels = values.to_vec();
        levels.sort_unstable_by(f64::total_cmp);
        levels.dedup();
        let codes = values.iter().map(|value| levels.partition_point(|level| level < value) as u32).collect();
        (levels, codes)
    }

    pub(super) fn causes(&self, case: &Case) -> Vec<u32> {
        self.input(case, "status").iter().map(|status| *status as u32).collect()
    }

    /// A matrix of columns.
    pub(super) fn matrix(&self, names: &[String]) -> Array2<f64> {
        let n = self.of(&names[0]).len();
        Array2::from_shape_fn((n, names.len()), |(i, j)| self.of(&names[j])[i])
    }
}

pub fn answer(case: &Case) -> Answer {
    let columns = Columns::new(case);
    if case.has_option("conf_type") {
        return kaplan_meier(case, &columns);
    }
    if case.has_option("weight") {
        return log_rank(case, &columns);
    }
    if case.has_option("tau") {
        return models::restricted_means(case, &columns);
    }
    if case.has_option("causes") {
        return models::cumulative_incidence(case, &columns);
    }
    if case.has_option("censoring_weights") {
        return models::fine_gray(case, &columns);
    }
    if case.has_option("distribution") {
        return models::accelerated_failure_time(case, &columns);
    }
    if case.has_option("period_length") {
        return models::discrete_time(case, &columns);
    }
    if case.has_input("site") {
        return treatment_by_site(case, &columns);
    }
    assert!(case.has_option("ties"), "{}: the method is not known", case.name);
    cox(case, &columns)
}

/// A list with `null` for what is not there.
pub(super) fn maybe(values: impl IntoIterator<Item = Option<f64>>) -> Value {
    Value::Array(values.into_iter().map(|value| value.map_or(Value::Null, json)).collect())
}

pub(super) fn chi_squared(test: ChiSquaredTest) -> Value {
    object!({ "statistic": json(test.statistic), "df": json(test.df), "p_value": json(test.p_value) })
}

pub(super) fn matrix(values: &Array2<f64>) -> Value {
    Value::Array(values.rows().into_iter().map(|row| list(row.iter().copied())).collect())
}

pub(super) fn words(value: &Value) -> Vec<String> {
    let items = value.as_array().expect("a list of words");
    items.iter().map(|word| word.as_str().expect("a word").to_owned()).collect()
}

fn kaplan_meier(case: &Case, columns: &Columns) -> Answer {
    let kind = match case.word("conf_type") {
        "plain" => CurveInterval::Plain,
        "log" => CurveInterval::Log,
        "log-log" => CurveInterval::LogLog,
        word => panic!("conf_type {word} is not known"),
    };
    case.option("cumulative_hazard");
    case.option("quantile_rule");
    case.option("ci_rule");
    let level = case.level();
    let causes = columns.causes(case);
    let mut data = SurvivalData::new(columns.input(case, "time"), &causes)?;
    if case.option("left_truncation").as_bool().expect("a flag") {
        data = data.entry(columns.input(case, "start"))?;
    }
    let curve = KaplanMeier::new(&data)?;
    let points = &curve.points;
    let intervals: Vec<Option<Interval>> = points
        .iter()
        .map(|point| KaplanMeier::interval(point, kind, level))
        .collect::<armwise::Result<_>>()?;
    let probabilities = numbers(&case.expected["quantile_probabilities"]).expect("numbers");
    let quantiles =
        probabilities.iter().map(|p| curve.quantile(*p, kind, level)).collect::<armwise::Result<Vec<_>>>()?;
    let taus = case.expected.get("rmst_tau").map_or_else(Vec::new, |taus| numbers(taus).expect("numbers"));
    let means = taus.iter().map(|tau| curve.restricted_mean(*tau)).collect::<armwise::Result<Vec<_>>>()?;
    Ok(object!({
        "n": json(curve.n),
        "events": json(curve.events),
        "event_time": list(points.iter().map(|point| point.time)),
        "n_risk": list(points.iter().map(|point| point.n_risk)),
        "n_event": list(points.iter().map(|point| point.n_event)),
        "survival": list(points.iter().map(|point| point.survival)),
        "std_err": maybe(points.iter().map(|point| point.se)),
        "ci_lower": maybe(intervals.iter().map(|interval| interval.map(|interval| interval.lower()))),
        "ci_upper": maybe(intervals.iter().map(|interval| interval.map(|interval| interval.upper()))),
        "cumulative_hazard": list(points.iter().map(|point| point.cumulative_hazard)),
        "cumulative_hazard_std_err": list(points.iter().map(|point| point.cumulative_hazard_se)),
        "quantile_probabilities": list(quantiles.iter().map(|quantile| quantile.probability)),
        "quantile": maybe(quantiles.iter().map(|quantile| quantile.estimate)),
        "quantile_ci_lower": maybe(quantiles.iter().map(|quantile| quantile.lower)),
        "quantile_ci_upper": maybe(quantiles.iter().map(|quantile| quantile.upper)),
        "rmst_tau": list(means.iter().map(|mean| mean.until)),
        "rmst": list(means.iter().map(|mean| mean.value)),
        "rmst_std_err": list(means.iter().map(|mean| mean.se)),
    }))
}

fn log_rank(case: &Case, columns: &Columns) -> Answer {
    let weight = match case.word("weight") {
        "logrank" => LogRankWeight::LogRank,
        "gehan" => LogRankWeight::GehanBreslow,
        "tarone_ware" => LogRankWeight::TaroneWare,
        "peto_peto" => LogRankWeight::PetoPeto,
        "rho_half" => LogRankWeight::FlemingHarrington { rho: 0.5, gamma: 0.0 },
        word => panic!("the weight {word} is not known"),
    };
    case.option("weight_definition");
    case.option("observed_and_expected");
    let causes = columns.causes(case);
    let (groups, group) = Columns::codes(columns.input(case, "group"));
    let strata;
    let mut data = SurvivalData::new(columns.input(case, "time"), &causes)?;
    if case.option("stratified").as_bool().expect("a flag") {
        strata = Columns::codes(columns.input(case, "strata")).1;
        data = data.strata(&strata)?;
    }
    let test = LogRank::new(&data, &group, weight)?;
    Ok(object!({
        "groups": list(groups),
        "observed": list(test.observed.iter().copied()),
        "expected": list(test.expected.iter().copied()),
        "variance": matrix(&test.variance),
        "statistic": json(test.test.statistic),
        "df": json(test.test.df),
        "p_value": json(test.test.p_value),
        "z": test.signed().map_or(Value::Null, |signed| json(signed.statistic)),
    }))
}

pub(super) fn ties(case: &Case) -> Ties {
    match case.word("ties") {
        "efron" => Ties::Efron,
        "breslow" => Ties::Breslow,
        "exact" => Ties::Exact,
        word => panic!("ties {word} is not known"),
    }
}

fn cox(case: &Case, columns: &Columns) -> Answer {
    let names = words(case.option("covariates"));
    let causes = columns.causes(case);
    let x = columns.matrix(&names);
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    if case.has_input("group") {
        case.input("group");
    }
    if case.has_input("start") {
        case.input("start");
    }
    case.option("baseline");
    let (strata, clusters);
    let mut data = SurvivalData::new(columns.input(case, "time"), &causes)?;
    let mut variance = CoxVariance::Model;
    if let Some(name) = case.option("strata").as_str() {
        strata = Columns::codes(columns.of(name)).1;
        data = data.strata(&strata)?;
    }
    if let Some(name) = case.option("weights").as_str() {
        data = data.weights(columns.of(name))?;
        variance = CoxVariance::Robust;
    }
    if let Some(name) = case.option("cluster").as_str() {
        clusters = Columns::codes(columns.of(name)).1;
        data = data.clusters(&clusters)?;
        variance = CoxVariance::Clustered;
    }
    if let Some(name) = case.option("entry").as_str() {
        data = data.entry(columns.of(name))?;
    }
    let fit = Cox::new().ties(ties(case)).fit(&data, &model)?;
    let all: Vec<usize> = (0..names.len()).collect();
    let table = fit.table(variance, case.level())?;
    let mut answer = object!({
        "coef_names": names,
        "n": data.n(),
        "events": fit.events(),
        "estimate": list(fit.estimates()),
        "hazard_ratio": list(fit.estimates().mapv(f64::exp)),
        "se": list(fit.covariance(CoxVariance::Model)?.diag().mapv(f64::sqrt)),
        "vcov": matrix(&fit.covariance(CoxVariance::Model)?),
        "statistic": list(table.iter().map(|row| row.statistic)),
        "p_value": list(table.iter().map(|row| row.p_value)),
        "ci_lower": list(table.iter().map(|row| row.interval.lower())),
        "ci_upper": list(table.iter().map(|row| row.interval.upper())),
        "log_lik_null": json(fit.null_log_likelihood()),
        "log_lik": json(fit.log_likelihood().expect("a likelihood")),
        "likelihood_ratio_test": chi_squared(fit.likelihood_ratio_test(&all)?),
        "score_test": chi_squared(fit.score_test(&all)?),
        "wald_test": chi_squared(fit.wald_test(&all, variance)?),
        "concordance": fit.concordance().index.map_or(Value::Null, json),
    });
    if variance == CoxVariance::Clustered {
        let robust = fit.covariance(variance)?;
        answer["robust_se"] = list(robust.diag().mapv(f64::sqrt));
        answer["robust_vcov"] = matrix(&robust);
    }
    if let Some(wanted) = case.expected.get("baseline_cumulative_hazard") {
        let baseline = fit.baseline_hazard(0)?;
        let times = numbers(&wanted["time"]).expect("times");
        answer["baseline_cumulative_hazard"] = object!({ "time": list(times.iter().copied()), "value": list(times.iter().map(|time| baseline.at(*time))) });
    }
    if let Some(wanted) = case.expected.get("proportional_hazards_test").and_then(Value::as_object) {
        answer["proportional_hazards_test"] = proportional_hazards(&fit, wanted.keys())?;
    }
    Ok(answer)
}

fn proportional_hazards<'k>(fit: &CoxFit, transforms: impl Iterator<Item = &'k String>) -> Answer {
    let mut answers = Map::new();
    for word in transforms {
        let test = fit.proportional_hazards_test(transform(word))?;
        let all: Vec<ChiSquaredTest> = test.each.iter().copied().chain([test.global]).collect();
        let names: Vec<String> = test.names.iter().cloned().chain(["GLOBAL".to_owned()]).collect();
        let answer = object!({
            "statistic": list(all.iter().map(|test| test.statistic)),
            "df": list(all.iter().map(|test| test.df)),
            "p_value": list(all.iter().map(|test| test.p_value)),
            "names": names,
        });
        answers.insert(word.clone(), answer);
    }
    Ok(answers.into())
}

pub(super) fn transform(word: &str) -> TimeTransform {
    match word {
        "km" => TimeTransform::KaplanMeier,
        "identity" => TimeTransform::Identity,
        "log" => TimeTransform::Logarithm,
        "rank" => TimeTransform::Rank,
        word => panic!("the transform {word} is not known"),
    }
}

/// The likelihood ratio test of the products of treatments and sites.
fn treatment_by_site(case: &Case, columns: &Columns) -> Answer {
    let names = words(case.option("covariates"));
    let causes = columns.causes(case);
    let (levels, sites) = Columns::codes(columns.input(case, "site"));
    let (_, strata) = Columns::codes(columns.of(case.word("strata")));
    let data = SurvivalData::new(columns.input(case, "time"), &causes)?.strata(&strata)?;
    let x = columns.matrix(&names);
    let common = ModelMatrix::from_columns(names.clone(), x.view())?;
    let n = data.n();
    let own = Array2::from_shape_fn((n, names.len() * (levels.len() - 1)), |(i, k)| {
        let (j, site) = (k % names.len(), k / names.len() + 1);
        if sites[i] as usize == site { x[[i, j]] } else { 0.0 }
    });
    let mut interaction = common.clone();
    for (k, column) in own.columns().into_iter().enumerate() {
        interaction = interaction.numeric(format!("product{k}"), column)?;
    }
    let cox = Cox::new().ties(ties(case));
    let (common, interaction) = (cox.fit(&data, &common)?, cox.fit(&data, &interaction)?);
    let tested: Vec<usize> = (names.len()..names.len() + own.ncols()).collect();
    let test = interaction.likelihood_ratio_test(&tested)?;
    Ok(object!({
        "log_lik_common": json(common.log_likelihood().expect("a likelihood")),
        "log_lik_interaction": json(interaction.log_likelihood().expect("a likelihood")),
        "statistic": json(test.statistic),
        "df": json(test.df),
        "p_value": json(test.p_value),
    }))
}

/// `concordance`: pairs of people with the same covariates have the same prediction and count a half. The oracle
/// formed the predictions by a matrix product whose last digits depend on the place of a row, so that some of
/// these pairs were counted as ordered. A value is disputed only if it equals the count of all pairs with the
/// expected coefficients, one by one, and the expected value lies within what those pairs can move.
pub(super) fn concordance_breaks_ties(case: &Case, got: f64) -> bool {
    let columns = Columns::new(case);
    let names = words(case.option("covariates"));
    let coefficients = numbers(&case.expected["estimate"]).expect("numbers");
    if !case.option("strata").is_null()
        || !case.option("entry").is_null()
        || !case.option("weights").is_null()
    {
        return false;
    }
    let x = columns.matrix(&names);
    let (time, status) = (columns.input(case, "time"), columns.input(case, "status"));
    let of = |row: usize| x.row(row).iter().zip(&coefficients).map(|(x, b)| x * b).sum::<f64>();
    let (mut pairs, mut agree, mut same) = (0.0, 0.0, 0.0);
    for i in (0..time.len()).filter(|&i| status[i] == 1.0) {
        for j in 0..time.len() {
            if j != i && (time[j] > time[i] || time[j] == time[i] && status[j] != 1.0) {
                pairs += 1.0;
                if x.row(i) == x.row(j) {
                    same += 1.0;
                } else if of(i) > of(j) {
                    agree += 1.0;
                } else if of(i) == of(j) {
                    agree += 0.5;
                }
            }
        }
    }
    let want = case.expected["concordance"].as_f64().expect("a number");
    let counted = (agree + 0.5 * same) / pairs;
    (got - counted).abs() < 1e-12 && (want - counted).abs() <= 0.5 * same / pairs
}
