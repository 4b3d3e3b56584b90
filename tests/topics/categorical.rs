//! Topic "categorical": tables, trends, groups, multinomial and cumulative regression.

use super::case::{Answer, Case, json, list, matrix, number, numbers};
use super::glm::{read_csv, rows};
use armwise::categorical::{
    Association, CategoryVariance, ContingencyTable, CramersV, CumulativeLink, CumulativeRegression,
    FreemanHalton, MultinomialRegression, OneWay, ScoredGroup, Scores, StandardizedCategories,
    StratifiedTables, TrendTest,
};
use armwise::ndarray::{Array1, Array2};
use armwise::regression::{Category, ChiSquaredTest, Coefficient, Fitted, ModelMatrix, Weights};
use serde_json::{Map, Value};

pub fn answer(case: &Case) -> Answer {
    if case.has_input("table") {
        table(case)
    } else if case.has_input("tables") {
        stratified(case)
    } else if case.has_input("events") {
        trend(case)
    } else if case.has_input("group") {
        groups(case)
    } else if case.has_input("n_categories") {
        regression(case)
    } else {
        panic!("{}: unknown shape", case.name)
    }
}

fn counts(case: &Case, value: &Value) -> Array2<u64> {
    let rows = matrix(value).unwrap_or_else(|| panic!("{}: no table", case.name));
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j] as u64)
}

fn put(out: &mut Map<String, Value>, values: &[(&str, f64)]) {
    for (key, value) in values {
        out.insert((*key).into(), json(*value));
    }
}

fn table(case: &Case) -> Answer {
    assert!(case.word("rows").starts_with("arms") && case.option("columns").is_string(), "{}", case.name);
    let table = ContingencyTable::new(counts(case, case.input("table")).view())?;
    let (pearson, g) = (table.pearson_test()?, table.likelihood_ratio_test()?);
    let linear = table.linear_by_linear(Scores::EquallySpaced)?;
    let ranks = table.kruskal_wallis()?;
    let mut out = Map::new();
    put(
        &mut out,
        &[
            ("chi_square", pearson.statistic),
            ("df", pearson.df),
            ("p_value", pearson.p_value),
            ("g_statistic", g.statistic),
            ("g_p_value", g.p_value),
            ("cramers_v", table.cramers_v(CramersV::Plain)),
            ("cramers_v_bias_corrected", table.cramers_v(CramersV::BiasCorrected)),
            ("linear_by_linear_statistic", linear.test.statistic),
            ("linear_by_linear_p_value", linear.test.p_value),
            ("pearson_correlation_of_scores", linear.correlation),
            ("kruskal_wallis_statistic", ranks.statistic),
            ("kruskal_wallis_df", ranks.df),
            ("kruskal_wallis_p_value", ranks.p_value),
        ],
    );
    out.insert("expected_counts".into(), rows(&table.expected().view()));
    out.insert("pearson_residuals".into(), rows(&table.pearson_residuals().view()));
    out.insert("adjusted_residuals".into(), rows(&table.adjusted_residuals().view()));
    if case.expected.contains_key("fisher_exact_p_value") {
        out.insert("fisher_exact_p_value".into(), json(FreemanHalton::new().p_value(&table)?));
    }
    Ok(Value::Object(out))
}

fn stratified(case: &Case) -> Answer {
    assert!(
        case.word("rows").contains("scores 1..R") && case.word("columns").contains("scores 1..C"),
        "{}",
        case.name
    );
    let tables: Vec<_> =
        case.input("tables").as_array().expect("tables").iter().map(|table| counts(case, table)).collect();
    let views: Vec<_> = tables.iter().map(|table| table.view()).collect();
    let tables = StratifiedTables::new(&views)?;
    let mut out = Map::new();
    for (name, association) in [
        ("correlation", Association::Correlation(Scores::EquallySpaced)),
        ("row_mean_scores", Association::RowMeanScores(Scores::EquallySpaced)),
        ("general_association", Association::General),
    ] {
        let test = tables.test(association)?;
        for (key, value) in [("statistic", test.statistic), ("df", test.df), ("p_value", test.p_value)] {
            out.insert(format!("{name}_{key}"), json(value));
        }
    }
    Ok(Value::Object(out))
}

fn trend(case: &Case) -> Answer {
    let (events, n, scores) = (case.numbers("events"), case.numbers("n"), case.numbers("scores"));
    let groups: Vec<ScoredGroup> = (0..events.len())
        .map(|i| ScoredGroup { events: events[i] as u64, n: n[i] as u64, score: scores[i] })
        .collect();
    let trend = TrendTest::new(&groups)?;
    let mut out = Map::new();
    put(
        &mut out,
        &[
            ("z", trend.z),
            ("chi_square", trend.chi_squared.statistic),
            ("p_value", trend.chi_squared.p_value),
            ("p_value_increasing", trend.p_value_increasing),
            ("chi_square_n_minus_1", trend.chi_squared_n_minus_1.statistic),
            ("slope", trend.slope),
            ("departure_from_trend_chi_square", trend.departure.map_or(0.0, |test| test.statistic)),
            ("departure_df", trend.departure.map_or(0.0, |test| test.df)),
        ],
    );
    if let Some(test) = trend.departure {
        out.insert("departure_p_value".into(), json(test.p_value));
    }
    Ok(Value::Object(out))
}

fn groups(case: &Case) -> Answer {
    let codes: Vec<u32> = case
        .input("group")
        .as_array()
        .expect("groups")
        .iter()
        .map(|g| number(g).expect("a code") as u32)
        .collect();
    let y = case.numbers("y");
    let one_way = OneWay::new(&y, &codes)?;
    let (ranks, anova, welch) = (one_way.kruskal_wallis()?, one_way.anova()?, one_way.welch()?);
    let mut out = Map::new();
    put(
        &mut out,
        &[
            ("kruskal_wallis", ranks.test.statistic),
            ("kruskal_wallis_df", ranks.test.df),
            ("kruskal_wallis_p", ranks.test.p_value),
            ("epsilon_squared", ranks.epsilon_squared),
            ("anova_f", anova.test.statistic),
            ("anova_df1", anova.test.df1),
            ("anova_df2", anova.test.df2),
            ("anova_p", anova.test.p_value),
            ("eta_squared", anova.eta_squared),
            ("welch_f", welch.statistic),
            ("welch_df1", welch.df1),
            ("welch_df2", welch.df2),
            ("welch_p", welch.p_value),
        ],
    );
    Ok(Value::Object(out))
}

/// Columns and codes of a regression case.
struct Sample {
    outcome: Vec<u32>,
    arm: Vec<u32>,
    arms: u32,
    reference_arm: usize,
    covariates: Vec<(String, Array1<f64>)>,
    weights: Option<Array1<f64>>,
    categories: u32,
}

impl Sample {
    fn new(case: &Case) -> Self {
        let codes = |values: &[f64]| values.iter().map(|code| *code as u32).collect::<Vec<_>>();
        let categories = case.number("n_categories") as u32;
        if !case.has_input("csv") {
            let x = case.input("x").as_object().expect("columns");
            let covariates = x.iter().filter(|(name, _)| *name != "intercept");
            let covariates = covariates
                .map(|(name, x)| (name.clone(), Array1::from(numbers(x).expect("numbers"))))
                .collect();
            let outcome = codes(&case.numbers("y"));
            return Self {
                outcome,
                arm: Vec::new(),
                arms: 1,
                reference_arm: 0,
                covariates,
                weights: None,
                categories,
            };
        }
        let columns = read_csv(case);
        let named = |key: &str| &columns[case.input(key).as_str().expect("a column")];
        let covariates = case.input("covariates").as_array().expect("covariates").iter();
        let covariates = covariates
            .map(|name| name.as_str().expect("a name").to_owned())
            .map(|name| (name.clone(), columns[&name].clone().into()))
            .collect();
        let arms = case.number("n_arms") as u32;
        Self {
            outcome: codes(named("outcome")),
            // With one arm the column need not be there.
            arm: columns
                .get(case.input("arm").as_str().expect("a column"))
                .map_or_else(Vec::new, |arm| codes(arm)),
            arms,
            reference_arm: case.number("reference_arm") as usize,
            covariates,
            weights: case.has_input("weights").then(|| named("weights").clone().into()),
            categories,
        }
    }

    fn matrix(&self, intercept: bool) -> armwise::Result<ModelMatrix<'_>> {
        let mut matrix = ModelMatrix::new(self.outcome.len());
        if intercept {
            matrix = matrix.intercept()?;
        }
        if self.arms > 1 {
            matrix = matrix
                .category("arm", Category::new(&self.arm, labels(self.arms)).reference(self.reference_arm))?;
        }
        for (name, values) in &self.covariates {
            matrix = matrix.numeric(name, values.view())?;
        }
        Ok(matrix)
    }

    fn outcome(&self) -> Category<'_> {
        Category::new(&self.outcome, labels(self.categories))
    }

    fn weights(&self) -> Weights<'_> {
        self.weights.as_ref().map_or(Weights::None, |weights| Weights::Precision(weights.view()))
    }
}

fn labels(count: u32) -> Vec<String> {
    (0..count).map(|code| code.to_string()).collect()
}

fn regression(case: &Case) -> Answer {
    match case.word("model") {
        "multinomial_logit" => multinomial(case),
        "proportional_odds" => cumulative(case),
        other => panic!("{}: model {other}", case.name),
    }
}

fn chi_squared(test: &ChiSquaredTest) -> Value {
    serde_json::json!({"statistic": test.statistic, "df": test.df, "p_value": test.p_value})
}

fn marginal(standardized: &StandardizedCategories, reference: usize) -> Answer {
    let model = standardized.differences(reference, CategoryVariance::Model)?;
    let robust = standardized.differences(reference, CategoryVariance::Hc0)?;
    let mut out = Map::new();
    for (key, values) in [
        ("category_probabilities_by_arm", standardized.probabilities()),
        ("se_model_by_arm", standardized.se(CategoryVariance::Model)?.view()),
        ("difference_vs_reference_arm", model.values.view()),
        ("se_model_difference", model.se.view()),
        ("se_hc0_difference", robust.se.view()),
    ] {
        out.insert(key.into(), rows(&values));
    }
    Ok(Value::Object(out))
}

const COLUMNS: [(&str, fn(&Coefficient) -> f64); 6] = [
    ("coefficients", |c| c.estimate),
    ("se", |c| c.se),
    ("z", |c| c.statistic),
    ("p", |c| c.p_value),
    ("ci_lower", |c| c.interval.lower()),
    ("ci_upper", |c| c.interval.upper()),
];

fn multinomial(case: &Case) -> Answer {
    let sample = Sample::new(case);
    let mut outcome = sample.outcome();
    if case.has_option("bic") {
        assert_eq!(case.word("bic"), "n is the number of rows", "{}", case.name);
    }
    if case.has_input("reference_category") {
        outcome = outcome.reference(case.number("reference_category") as usize);
    }
    let fit = MultinomialRegression::new().weights(sample.weights()).fit(&sample.matrix(true)?, outcome)?;
    let mut out = Map::new();
    let table = fit.table(CategoryVariance::Model, case.level())?;
    for (key, value) in COLUMNS {
        let by_category = table.chunks(fit.names().len()).map(|category| list(category.iter().map(value)));
        out.insert(format!("{key}_by_category"), by_category.collect());
    }
    let robust = fit.table(CategoryVariance::Hc0, case.level())?;
    let robust = robust.chunks(fit.names().len()).map(|category| list(category.iter().map(|c| c.se)));
    out.insert("se_hc0_by_category".into(), robust.collect());
    out.insert("vcov".into(), rows(&fit.covariance(CategoryVariance::Model)?.view()));
    put(
        &mut out,
        &[
            ("log_likelihood", fit.log_likelihood().expect("a likelihood")),
            ("deviance", fit.deviance()),
            ("aic", fit.aic().expect("a likelihood")),
            ("bic", fit.bic().expect("a likelihood")),
            ("log_likelihood_null", fit.null_log_likelihood()),
            ("mcfadden_r2", fit.mcfadden_r2()),
        ],
    );
    if sample.arms > 1 {
        let arms: Vec<usize> = fit.matrix().columns_of("arm")?.collect();
        out.insert("arm_lr_test".into(), chi_squared(&fit.likelihood_ratio_test(&arms)?));
        out.insert("marginal".into(), marginal(&fit.standardize("arm")?, sample.reference_arm)?);
    }
    Ok(Value::Object(out))
}

fn cumulative(case: &Case) -> Answer {
    let sample = Sample::new(case);
    let link = match case.option("link").as_str() {
        None | Some("logit") => CumulativeLink::Logit,
        Some("probit") => CumulativeLink::Probit,
        Some(other) => panic!("{}: link {other}", case.name),
    };
    let model = CumulativeRegression::new().link(link).weights(sample.weights());
    let matrix = sample.matrix(false)?;
    let fit = model.fit(&matrix, sample.outcome())?;
    let mut out = Map::new();
    let table = fit.table(CategoryVariance::Model, case.level())?;
    let (thresholds, coefficients) = table.split_at(fit.thresholds().len());
    for (key, value) in COLUMNS {
        let key = if key == "p" { "p_value" } else { key };
        out.insert(key.into(), list(coefficients.iter().map(value)));
    }
    out.insert("thresholds".into(), list(fit.thresholds().iter().copied()));
    out.insert("thresholds_se".into(), list(thresholds.iter().map(|threshold| threshold.se)));
    let robust = fit.table(CategoryVariance::Hc0, case.level())?;
    out.insert("se_hc0".into(), list(robust[thresholds.len()..].iter().map(|c| c.se)));
    out.insert("vcov".into(), rows(&fit.covariance(CategoryVariance::Model)?.view()));
    put(
        &mut out,
        &[
            ("log_likelihood", fit.log_likelihood().expect("a likelihood")),
            ("deviance", -2.0 * fit.log_likelihood().expect("a likelihood")),
            ("aic", fit.aic().expect("a likelihood")),
            ("bic", fit.bic().expect("a likelihood")),
        ],
    );
    if sample.arms > 1 {
        let arms: Vec<usize> = matrix.columns_of("arm")?.collect();
        out.insert("arm_lr_test".into(), chi_squared(&fit.likelihood_ratio_test(&arms)?));
        out.insert("marginal".into(), marginal(&fit.standardize("arm")?, sample.reference_arm)?);
    }
    if case.expected.contains_key("lr_versus_multinomial") {
        let multinomial = MultinomialRegression::new().weights(sample.weights());
        let multinomial = multinomial.fit(&sample.matrix(true)?, sample.outcome())?;
        out.insert("lr_versus_multinomial".into(), chi_squared(&fit.against_multinomial(&multinomial)?));
    }
    if case.expected.contains_key("brant_test") {
        out.insert("brant_test".into(), chi_squared(&fit.brant_test()?.overall));
    }
    Ok(Value::Object(out))
}
