//! Topic "one_stage": models of participants or counts of several sites.

use super::case::{Answer, Case, json, list};
use armwise::ndarray::{Array1, Array2};
use armwise::one_stage::{
    ConditionalDistribution, ConditionalLogistic, ConditionalLogisticFit, Likelihood, LinearMixed,
    MixedLogistic, RandomPart, SiteArm, SiteCounts, SiteIntercept, SiteLinear, SiteLogistic, TreatmentCoding,
};
use armwise::regression::{Category, Coefficient, ModelMatrix};
use serde_json::{Value, json as object};
use std::collections::BTreeMap;

pub(super) fn answer(case: &Case) -> Answer {
    match case.word("model") {
        "logistic" => logistic(case),
        model @ ("random_intercept" | "random_both" | "fixed_intercepts") => mixed(case, model),
        "conditional_binomial" => conditional(case, ConditionalDistribution::Binomial),
        "conditional_hypergeometric" => conditional(case, ConditionalDistribution::Hypergeometric),
        "conditional_common_effect" => common(case),
        "linear" => linear(case),
        "linear_mixed" => linear_mixed(case),
        other => panic!("{}: unknown model {other}", case.name),
    }
}

/// Labels in ascending order, and the position of each value among them.
fn codes(values: &[f64]) -> (Vec<f64>, Vec<u32>) {
    let mut labels: Vec<f64> = values.to_vec();
    labels.sort_by(f64::total_cmp);
    labels.dedup();
    let code = |value: &f64| labels.iter().position(|label| label == value).expect("a label");
    let codes = values.iter().map(|value| u32::try_from(code(value)).expect("few labels")).collect();
    (labels, codes)
}

fn whole(value: f64) -> u64 {
    format!("{value}").parse().expect("a whole number")
}

/// The counts; the arm `reference` comes first.
fn counts(case: &Case, arm: &str, reference: f64) -> armwise::Result<SiteCounts> {
    let (sites, site) = codes(&case.numbers("site"));
    let arms = case.numbers(arm);
    let (mut labels, _) = codes(&arms);
    labels.retain(|label| *label != reference);
    labels.insert(0, reference);
    let words = |labels: &[f64]| labels.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut counts = SiteCounts::new(words(&sites), words(&labels))?;
    let rows = site.iter().zip(&arms).zip(case.numbers("events")).zip(case.numbers("n"));
    for (((&site, arm), events), n) in rows {
        let arm = labels.iter().position(|label| label == arm).expect("an arm");
        counts.add(SiteArm { site: site as usize, arm, events: whole(events), n: whole(n) })?;
    }
    Ok(counts)
}

fn table(cells: &Array2<f64>) -> Value {
    cells.rows().into_iter().map(|row| list(row.to_vec())).collect()
}

fn intercepts(sites: &[SiteIntercept]) -> Value {
    sites.iter().map(|site| site.estimate.map_or(Value::Null, json)).collect()
}

fn fixed_site_effects(case: &Case) {
    let words = case.word("site_effects");
    assert!(words.starts_with("fixed"), "{}: {words}", case.name);
}

fn logistic(case: &Case) -> Answer {
    fixed_site_effects(case);
    let reference = case.option("reference_arm").as_f64().unwrap_or(0.0);
    let counts = counts(case, "arm", reference)?;
    let fit = SiteLogistic::new().level(case.level()).fit(&counts)?;
    let each = |value: fn(&Coefficient) -> f64| list(fit.effects.iter().map(value));
    let treatments = fit.effects.iter().map(|effect| effect.name.parse::<u64>().expect("an arm"));
    let treatment = &fit.treatment_test;
    let interaction = fit.interaction_test.map_or(Value::Null, |test| {
        object!({
            "likelihood_ratio": json(test.likelihood_ratio.statistic),
            "score": json(test.score.statistic),
            "df": test.score.df,
            "p_value_likelihood_ratio": json(test.likelihood_ratio.p_value),
            "p_value_score": json(test.score.p_value),
        })
    });
    Ok(object!({
        "site_intercept": intercepts(&fit.site_intercepts),
        "treatment": treatments.collect::<Vec<_>>(),
        "estimate": each(|effect| effect.estimate),
        "se": each(|effect| effect.se),
        "ci_lower": each(|effect| effect.interval.lower()),
        "ci_upper": each(|effect| effect.interval.upper()),
        "statistic": each(|effect| effect.statistic),
        "p_value": each(|effect| effect.p_value),
        "vcov_treatment": table(&fit.covariance),
        "log_lik": json(fit.log_likelihood),
        "residual_deviance": json(fit.residual_deviance),
        "treatment_test": {
            "likelihood_ratio": json(treatment.likelihood_ratio.statistic),
            "wald": json(treatment.wald.statistic),
            "df": treatment.wald.df,
            "p_value_likelihood_ratio": json(treatment.likelihood_ratio.p_value),
            "p_value_wald": json(treatment.wald.p_value),
        },
        "interaction_test": interaction,
    }))
}

/// The number of quadrature points; the name of the rule says the same in words.
fn points(case: &Case) -> usize {
    let points = case.option("quadrature_points").as_u64().expect("points");
    let name = if points == 1 { "Laplace" } else { "adaptive Gauss-Hermite" };
    assert_eq!(case.word("quadrature"), name, "{}", case.name);
    usize::try_from(points).expect("few points")
}

fn coding(case: &Case) -> TreatmentCoding {
    match case.word("treatment_coding") {
        "1 and 0" => TreatmentCoding::ZeroOne,
        "+1/2 and -1/2" => TreatmentCoding::Halves,
        other => panic!("{}: unknown coding {other}", case.name),
    }
}

fn effect_of(effect: &Coefficient) -> Value {
    object!({
        "estimate": json(effect.estimate),
        "se": json(effect.se),
        "statistic": json(effect.statistic),
        "p_value": json(effect.p_value),
        "ci_lower": json(effect.interval.lower()),
        "ci_upper": json(effect.interval.upper()),
    })
}

fn mixed(case: &Case, model: &str) -> Answer {
    let random = match model {
        "random_intercept" => RandomPart::Intercept,
        "random_both" => RandomPart::InterceptAndEffect,
        _ => RandomPart::Effect,
    };
    let model =
        MixedLogistic::new().random(random).coding(coding(case)).points(points(case)).level(case.level());
    let fit = model.fit(&counts(case, "treat", 0.0)?)?;
    let mut answer = effect_of(&fit.effect);
    answer["random_sd"] = json(fit.random_sd);
    answer["random_variance"] = json(fit.random_variance);
    answer["log_lik"] = json(fit.log_likelihood);
    answer["intercept"] = fit.intercept.map_or(Value::Null, json);
    answer["intercept_random_sd"] = fit.intercept_sd.map_or(Value::Null, json);
    answer["site_intercept"] = intercepts(&fit.site_intercepts);
    Ok(answer)
}

fn conditional_answer(fit: &ConditionalLogisticFit) -> Value {
    let mut answer = effect_of(&fit.effect);
    answer["odds_ratio"] = json(fit.odds_ratio);
    answer["random_sd"] = fit.random_sd.map_or(Value::Null, json);
    answer["random_variance"] = fit.random_variance.map_or(Value::Null, json);
    answer["log_lik"] = json(fit.log_likelihood);
    answer
}

fn conditional(case: &Case, distribution: ConditionalDistribution) -> Answer {
    // The effect of the conditional likelihood does not depend on the coding of the treatment.
    coding(case);
    let model =
        ConditionalLogistic::new().distribution(distribution).points(points(case)).level(case.level());
    Ok(conditional_answer(&model.fit(&counts(case, "treat", 0.0)?)?))
}

fn common(case: &Case) -> Answer {
    let model = ConditionalLogistic::new().level(case.level());
    Ok(conditional_answer(&model.fit_common(&counts(case, "treat", 0.0)?)?))
}

/// The columns of a linear model.
struct Participants {
    labels: Vec<String>,
    sites: Vec<u32>,
    y: Array1<f64>,
    treatment: String,
    covariates: Vec<(String, Array1<f64>)>,
}

impl Participants {
    fn new(case: &Case) -> Self {
        let text = std::fs::read_to_string(case.csv()).expect("a CSV file");
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
        let mut columns: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for line in lines.filter(|line| !line.is_empty()) {
            for (name, cell) in names.iter().zip(line.split(',')) {
                columns.entry(name).or_default().push(cell.parse().expect("a number"));
            }
        }
        let word = |key: &str| case.input(key).as_str().expect("a column").to_owned();
        let (labels, sites) = codes(&columns[word("site").as_str()]);
        let names = case.input("covariates").as_array().expect("columns").iter();
        let names = names.map(|name| name.as_str().expect("a column").to_owned());
        Self {
            labels: labels.iter().map(ToString::to_string).collect(),
            sites,
            y: columns[word("outcome").as_str()].clone().into(),
            treatment: word("treat"),
            covariates: names.map(|name| (name.clone(), columns[name.as_str()].clone().into())).collect(),
        }
    }

    fn add<'a>(&'a self, mut matrix: ModelMatrix<'a>) -> armwise::Result<ModelMatrix<'a>> {
        for (name, values) in &self.covariates {
            matrix = matrix.numeric(name, values.view())?;
        }
        Ok(matrix)
    }

    fn category(&self) -> Category<'_> {
        Category::new(&self.sites, self.labels.clone())
    }
}

fn linear(case: &Case) -> Answer {
    fixed_site_effects(case);
    let data = Participants::new(case);
    let matrix = data.add(ModelMatrix::new(data.y.len()))?;
    let model = SiteLinear::new().level(case.level());
    let fit = model.fit(&matrix, data.category(), &data.treatment, data.y.view())?;
    let each = |value: fn(&Coefficient) -> f64| list(fit.coefficients.iter().map(value));
    let test = fit.interaction_test;
    Ok(object!({
        "coef_names": fit.coefficients.iter().map(|c| c.name.clone()).collect::<Vec<_>>(),
        "estimate": each(|c| c.estimate),
        "se": each(|c| c.se),
        "statistic": each(|c| c.statistic),
        "p_value": each(|c| c.p_value),
        "vcov": table(&fit.covariance),
        "df": fit.df_residual,
        "residual_variance": json(fit.residual_variance),
        "site_intercept": intercepts(&fit.site_intercepts),
        "interaction_f": test.map_or(Value::Null, |test| json(test.statistic)),
        "interaction_df": test.map_or(Value::Null, |test| object!([test.df1, test.df2])),
        "interaction_p_value": test.map_or(Value::Null, |test| json(test.p_value)),
    }))
}

fn linear_mixed(case: &Case) -> Answer {
    let data = Participants::new(case);
    let matrix = data.add(ModelMatrix::new(data.y.len()).intercept()?)?;
    let model = match case.word("random") {
        "intercept" => LinearMixed::intercept(),
        "independent_slope" => LinearMixed::independent_slope(&data.treatment),
        "correlated_slope" => LinearMixed::correlated_slope(&data.treatment),
        other => panic!("{}: unknown random effects {other}", case.name),
    };
    let model = model.level(case.level()).likelihood(match case.word("method") {
        "REML" => Likelihood::Reml,
        "ML" => Likelihood::Ml,
        other => panic!("{}: unknown likelihood {other}", case.name),
    });
    let fit = model.fit(&matrix, data.category(), data.y.view())?;
    let each = |value: fn(&Coefficient) -> f64| list(fit.coefficients.iter().map(value));
    Ok(object!({
        "coef_names": fit.coefficients.iter().map(|c| c.name.clone()).collect::<Vec<_>>(),
        "estimate": each(|c| c.estimate),
        "se": each(|c| c.se),
        "statistic": each(|c| c.statistic),
        "p_value": each(|c| c.p_value),
        "vcov": table(&fit.covariance),
        "variance_intercept": fit.variance_intercept.map_or(Value::Null, json),
        "variance_slope": fit.variance_slope.map_or(Value::Null, json),
        "covariance_intercept_slope": fit.covariance_intercept_slope.map_or(Value::Null, json),
        "residual_variance": json(fit.residual_variance),
        "log_lik": json(fit.log_likelihood),
        "blup_intercept": list(fit.intercepts.iter().copied()),
        "blup_slope": list(fit.slopes.iter().copied()),
    }))
}
