//! Topic "marginal": standardised arm means and their contrasts.

use super::case::{Answer, Case, json, list};
use super::glm::rows;
use super::pipeline::table;
use super::weighted;
use armwise::design::{OutcomeKind, OutcomeValues};
use armwise::effect::{ContrastScale, LogRatioOfMeans};
use armwise::estimator::WeightColumn;
use armwise::ndarray::Array1;
use armwise::prelude::*;
use armwise::regression::{Category, Family, Fit, Glm, Link, ModelMatrix, Weights};
use serde_json::{Map, Value, json as object};

const VARIANCES: [(&str, MarginalVariance); 8] = [
    ("model", MarginalVariance::Delta(VarianceType::Model)),
    ("hc0", MarginalVariance::Delta(VarianceType::Hc0)),
    ("hc1", MarginalVariance::Delta(VarianceType::Hc1)),
    ("hc2", MarginalVariance::Delta(VarianceType::Hc2)),
    ("hc3", MarginalVariance::Delta(VarianceType::Hc3)),
    ("superpopulation", MarginalVariance::Superpopulation),
    ("ye_2023", MarginalVariance::Ye2023),
    ("ye_2023_decomposed", MarginalVariance::Ye2023Decomposed),
];

/// Arm means by any variance.
type Means<'a> = &'a dyn Fn(MarginalVariance) -> armwise::Result<ArmMeans>;

/// Arm means by the variances that hold for the model, with their words.
pub(super) type NamedMeans = [(&'static str, ArmMeans)];

/// What a case says of its data.
pub(super) struct Design<'a> {
    pub outcome: &'a str,
    pub covariates: Vec<&'a str>,
    interactions: bool,
    weights: Option<&'a str>,
    pub trial: Trial,
}

impl<'a> Design<'a> {
    pub(super) fn new(case: &Case<'a>) -> armwise::Result<Self> {
        let covariates = case.input("covariates").as_array().expect("covariates").iter();
        let trial = Trial::builder("trial", table(case)?)
            .arm_labels(case.input("arm").as_str().expect("a column"))
            .control(&case.input("reference_arm").to_string())
            .build()?;
        assert_eq!(case.input("n_arms").as_u64(), Some(trial.arm_labels().count() as u64), "{}", case.name);
        Ok(Self {
            outcome: case.input("outcome").as_str().expect("a column"),
            covariates: covariates.map(|name| name.as_str().expect("a covariate")).collect(),
            interactions: case.option("treatment_by_covariate_interactions").as_bool().unwrap_or(false),
            weights: case.input("weights").as_str(),
            trial,
        })
    }

    pub(super) fn comparison<K: OutcomeKind>(&self, measure: Measure<K>) -> armwise::Result<Comparison<K>>
    where
        Measure<K>: OutcomeValues,
    {
        self.trial.on(&measure.from_column(self.outcome))
    }
}

pub(super) fn answer(case: &Case) -> Answer {
    let design = Design::new(case)?;
    match case.word("method") {
        "g_computation" => standardization(case, &design),
        "average_marginal_effect" => average_effects(case, &design),
        "ipw_hajek" => weighted::inverse_probability(case, &design),
        "ipw_response" => weighted::response(case, &design),
        "aipw" => weighted::augmented(case, &design),
        other => panic!("{}: {other}", case.name),
    }
}

/// The mean derivative of the fitted probability with respect to each covariate.
fn average_effects(case: &Case, design: &Design) -> Answer {
    assert_eq!((case.word("family"), case.word("link")), ("binomial", "logit"), "{}", case.name);
    let comparison = design.comparison(Measure::binary(""))?;
    let columns = Columns::new(&comparison, &design.covariates)?;
    let matrix = columns.add_to(with_arms(&comparison)?)?;
    let fit = Glm::new(Family::Binomial).fit(&matrix, comparison.outcomes())?;
    let mut answer = Map::new();
    for name in &design.covariates {
        let effect = fit.average_effect(name)?;
        answer.insert(
            (*name).to_owned(),
            object!({
                "estimate": json(effect.estimate),
                "se_model": json(effect.se(&fit, VarianceType::Model)?),
                "se_hc0": json(effect.se(&fit, VarianceType::Hc0)?),
            }),
        );
    }
    Ok(Value::Object(answer))
}

/// Complete covariates of a comparison.
pub(super) struct Columns<'n> {
    names: &'n [&'n str],
    values: Vec<Array1<f64>>,
}

impl<'n> Columns<'n> {
    pub(super) fn new<K: OutcomeKind>(
        comparison: &Comparison<K>,
        names: &'n [&'n str],
    ) -> armwise::Result<Self> {
        let values = names.iter().map(|name| column(comparison, name)).collect::<armwise::Result<_>>()?;
        Ok(Self { names, values })
    }

    pub(super) fn add_to<'c>(&'c self, mut matrix: ModelMatrix<'c>) -> armwise::Result<ModelMatrix<'c>> {
        for (name, values) in self.names.iter().zip(&self.values) {
            matrix = matrix.numeric(*name, values.view())?;
        }
        Ok(matrix)
    }
}

fn column<K: OutcomeKind>(comparison: &Comparison<K>, name: &str) -> armwise::Result<Array1<f64>> {
    let values = comparison.covariate(name)?.into_iter();
    Ok(values.map(|value| value.expect("a complete covariate")).collect())
}

pub(super) fn arms<K: OutcomeKind>(comparison: &Comparison<K>) -> Category<'_> {
    Category::new(comparison.arm_indices(), comparison.arms().iter().map(|arm| arm.label.to_string()))
}

/// Intercept and arms.
pub(super) fn with_arms<K: OutcomeKind>(comparison: &Comparison<K>) -> armwise::Result<ModelMatrix<'_>> {
    ModelMatrix::new(comparison.arm_indices().len()).intercept()?.category("arm", arms(comparison))
}

fn standardization(case: &Case, design: &Design) -> Answer {
    macro_rules! estimator {
        ($regression:expr) => {{
            let mut model = $regression.adjust_for(&design.covariates).level(case.level());
            if design.interactions {
                model = model.interact_arm_with(&design.covariates);
            }
            match design.weights {
                Some(column) => model.weights(WeightColumn::Precision(column.to_owned())),
                None => model,
            }
        }};
    }
    match (case.word("family"), case.word("link")) {
        ("binomial", "logit") => {
            let comparison = design.comparison(Measure::binary(""))?;
            let prepared = estimator!(LogisticRegression::new()).prepare(&comparison)?;
            let fit = prepared.fit()?;
            let table = fit.coefficients(VarianceType::Hc0)?;
            let table: Vec<_> = table.into_iter().map(|one| (one.name, one.estimate)).collect();
            keys(case, design, &comparison, (fit.regression(), &table), &|variance| fit.arm_means(variance))
        }
        ("gaussian", "identity") => {
            let comparison = design.comparison(Measure::continuous(""))?;
            let prepared = estimator!(LinearRegression::new()).prepare(&comparison)?;
            let fit = prepared.fit()?;
            let table = fit.coefficients(VarianceType::Hc0)?;
            let table: Vec<_> = table.into_iter().map(|one| (one.name, one.estimate)).collect();
            keys(case, design, &comparison, (fit.regression(), &table), &|variance| fit.arm_means(variance))
        }
        ("binomial", "probit") => {
            by_kernel(case, design, &design.comparison(Measure::binary(""))?, Family::Binomial, Link::Probit)
        }
        ("poisson", "log") => {
            by_kernel(case, design, &design.comparison(Measure::count(""))?, Family::Poisson, Link::Log)
        }
        other => panic!("{}: {other:?}", case.name),
    }
}

/// Models for which there is no estimator yet: the regression kernel makes the arm means.
fn by_kernel<K: OutcomeKind>(
    case: &Case,
    design: &Design,
    comparison: &Comparison<K>,
    family: Family,
    link: Link,
) -> Answer {
    let columns = Columns::new(comparison, &design.covariates)?;
    let mut matrix = columns.add_to(with_arms(comparison)?)?;
    if design.interactions {
        for name in &design.covariates {
            matrix = matrix.product("arm", name)?;
        }
    }
    let weights = design.weights.map(|name| column(comparison, name)).transpose()?;
    let mut model = Glm::new(family).link(link);
    if let Some(weights) = &weights {
        model = model.weights(Weights::Precision(weights.view()));
    }
    let fit = model.fit(&matrix, comparison.outcomes())?;
    let table: Vec<_> = fit.names().iter().cloned().zip(fit.coefficients().iter().copied()).collect();
    keys(case, design, comparison, (&fit, &table), &|variance| {
        let standardized = fit.standardize("arm")?;
        let (means, covariance) = (standardized.means().to_vec(), standardized.covariance(variance)?);
        Ok(ArmMeans::new(comparison, means, covariance, Method::new("standardisation"))?.level(case.level()))
    })
}

fn keys<K: OutcomeKind>(
    case: &Case,
    design: &Design,
    comparison: &Comparison<K>,
    (fit, table): (&Fit, &[(String, f64)]),
    means: Means,
) -> Answer {
    // A variance that does not hold for the model has no key in the case.
    let means: Vec<_> =
        VARIANCES.into_iter().filter_map(|(word, variance)| Some((word, means(variance).ok()?))).collect();
    let mut answer = arm_keys(case, &means, fit.family() == Family::Binomial)?;
    for (word, means) in &means {
        answer.insert(format!("arm_means_vcov_{word}"), rows(&means.covariance()));
    }
    let treatments: Vec<&str> = comparison.treatments().iter().map(|arm| arm.label.as_str()).collect();
    answer.insert("coefficients".into(), coefficients(design, &treatments, table));
    answer.insert("unadjusted_arm_means".into(), unadjusted(comparison)?);
    Ok(Value::Object(answer))
}

/// Arm means, and their contrasts on the scales of the case.
pub(super) fn arm_keys(case: &Case, means: &NamedMeans, binary: bool) -> armwise::Result<Map<String, Value>> {
    let mut answer = Map::new();
    answer.insert("arm_means".into(), list(means[0].1.values().iter().copied()));
    for (word, means) in means {
        let se: Vec<f64> = means.labels().map(|arm| means.se(arm)).collect::<armwise::Result<_>>()?;
        answer.insert(format!("arm_means_se_{word}"), list(se));
    }
    if binary {
        answer.insert("risk_difference".into(), contrast(RiskDifference, means)?);
        answer.insert("log_risk_ratio".into(), contrast(LogRiskRatio, means)?);
        answer.insert("log_odds_ratio".into(), contrast(LogOddsRatio, means)?);
    } else {
        answer.insert("risk_difference".into(), contrast(MeanDifference, means)?);
        if case.expected.contains_key("log_risk_ratio") {
            answer.insert("log_risk_ratio".into(), contrast(LogRatioOfMeans, means)?);
        }
    }
    Ok(answer)
}

fn contrast<S: ContrastScale>(scale: S, means: &NamedMeans) -> Answer {
    let effects = means[0].1.contrast(scale.clone())?;
    let treatments: Vec<String> = means[0].1.labels().skip(1).map(ToString::to_string).collect();
    let mut answer = object!({ "arms": treatments, "estimate": list(effects.values()) });
    for (word, means) in means {
        let effects: Vec<Estimate<S>> = means.contrast(scale.clone())?.iter().collect();
        let of = |value: fn(&Estimate<S>) -> f64| list(effects.iter().map(value));
        answer[format!("se_{word}")] = of(|effect| effect.se());
        answer[format!("ci_lower_{word}")] = of(|effect| effect.interval().lower());
        answer[format!("ci_upper_{word}")] = of(|effect| effect.interval().upper());
        answer[format!("p_{word}")] = of(|effect| effect.p_value());
    }
    Ok(answer)
}

/// "intercept, arm 1..K-1, covariates, then for each arm all arm x covariate products"
fn coefficients(design: &Design, treatments: &[&str], table: &[(String, f64)]) -> Value {
    let mut names = vec!["intercept".to_owned()];
    names.extend(treatments.iter().map(|arm| format!("arm[{arm}]")));
    names.extend(design.covariates.iter().map(ToString::to_string));
    if design.interactions {
        for arm in treatments {
            names.extend(design.covariates.iter().map(|covariate| format!("arm[{arm}]:{covariate}")));
        }
    }
    assert_eq!(names.len(), table.len());
    let of =
        |name: &String| table.iter().find(|(other, _)| other == name).map_or(Value::Null, |(_, b)| json(*b));
    Value::Array(names.iter().map(of).collect())
}

fn unadjusted<K: OutcomeKind>(comparison: &Comparison<K>) -> Answer {
    let fit = Glm::new(Family::Gaussian).fit(&with_arms(comparison)?, comparison.outcomes())?;
    Ok(list(fit.standardize("arm")?.means().iter().copied()))
}
