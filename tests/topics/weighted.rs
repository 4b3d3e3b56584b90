//! Topic "marginal": inverse-probability weighting, augmented or not, and for missing outcomes.

use super::case::{Answer, Case, list};
use super::glm::rows;
use super::marginal::{Columns, Design, arm_keys, arms, with_arms};
use armwise::categorical::MultinomialRegression;
use armwise::ndarray::{Array1, ArrayView1};
use armwise::prelude::*;
use armwise::regression::{Family, Fitted, Glm, ModelMatrix};
use armwise::weighting::{InverseProbability, Normalization, NuisanceVariance, OutcomeModel, WeightedMeans};
use serde_json::{Map, Value};

/// The outcome as a number, and whether it is 0 or 1 throughout.
struct Outcome {
    comparison: Comparison<Continuous>,
    binary: bool,
}

impl Outcome {
    fn new(design: &Design) -> armwise::Result<Self> {
        let comparison = design.comparison(Measure::continuous(""))?;
        let binary = comparison.outcomes().iter().all(|y| *y == 0.0 || *y == 1.0);
        Ok(Self { comparison, binary })
    }

    fn y(&self) -> ArrayView1<'_, f64> {
        ArrayView1::from(self.comparison.outcomes())
    }

    fn rows(&self) -> usize {
        self.comparison.outcomes().len()
    }
}

/// The keys of arm means by some variances.
fn keys<K: armwise::design::OutcomeKind>(
    case: &Case,
    comparison: &Comparison<K>,
    binary: bool,
    means: &WeightedMeans,
    variances: &[(&'static str, NuisanceVariance)],
) -> armwise::Result<Map<String, Value>> {
    let named: Vec<(&str, ArmMeans)> = variances
        .iter()
        .map(|(word, variance)| {
            let (values, covariance) = (means.values().to_vec(), means.covariance(*variance));
            Ok((
                *word,
                ArmMeans::new(comparison, values, covariance, Method::new("weighting"))?.level(case.level()),
            ))
        })
        .collect::<armwise::Result<_>>()?;
    arm_keys(case, &named, binary)
}

pub(super) fn inverse_probability(case: &Case, design: &Design) -> Answer {
    let outcome = Outcome::new(design)?;
    let comparison = &outcome.comparison;
    let words = if comparison.arms().len() == 2 { "logistic" } else { "multinomial logistic" };
    assert_eq!(case.word("propensity"), words, "{}", case.name);
    let columns = Columns::new(comparison, &design.covariates)?;
    let matrix = columns.add_to(ModelMatrix::new(outcome.rows()).intercept()?)?;
    let propensity = MultinomialRegression::new().fit(&matrix, arms(comparison))?;
    let weights = InverseProbability::of_level(&propensity)?;
    let hajek = weights.means(outcome.y(), Normalization::Hajek)?;
    let variances = [("stacked", NuisanceVariance::Stacked), ("weights_known", NuisanceVariance::Known)];
    let mut answer = keys(case, comparison, outcome.binary, &hajek, &variances)?;
    let coefficients = propensity.coefficients();
    answer.insert("propensity_coefficients_by_arm".into(), rows(&coefficients.view()));
    answer.insert("propensity_coefficients".into(), list(propensity.estimates()));
    let horvitz_thompson = weights.means(outcome.y(), Normalization::HorvitzThompson)?;
    answer.insert("horvitz_thompson_arm_means".into(), list(horvitz_thompson.values().iter().copied()));
    let covariance = horvitz_thompson.covariance(NuisanceVariance::Stacked);
    answer.insert("horvitz_thompson_se_stacked".into(), list(covariance.diag().iter().map(|v| v.sqrt())));
    Ok(Value::Object(answer))
}

pub(super) fn augmented(case: &Case, design: &Design) -> Answer {
    let outcome = Outcome::new(design)?;
    let comparison = &outcome.comparison;
    let columns = Columns::new(comparison, &design.covariates)?;
    let covariates = columns.add_to(ModelMatrix::new(outcome.rows()).intercept()?)?;
    let with_arms = columns.add_to(with_arms(comparison)?)?;
    let (form, family) = match case.word("outcome_model") {
        "arm-specific binomial logit" => ("by arm", Family::Binomial),
        "arm-specific gaussian identity" => ("by arm", Family::Gaussian),
        "pooled main-effects binomial logit" => ("pooled", Family::Binomial),
        "pooled main-effects gaussian identity" => ("pooled", Family::Gaussian),
        other => panic!("{}: {other}", case.name),
    };
    let propensity;
    let weights = match case.word("propensity") {
        "arm fractions" => InverseProbability::of_shares(arms(comparison))?,
        "logistic" | "multinomial logistic" => {
            propensity = MultinomialRegression::new().fit(&covariates, arms(comparison))?;
            InverseProbability::of_level(&propensity)?
        }
        other => panic!("{}: {other}", case.name),
    };
    let means = if form == "by arm" {
        weights.augmented_means(outcome.y(), OutcomeModel::ByLevel { family, covariates: &covariates })?
    } else {
        let fit = Glm::new(family).fit(&with_arms, outcome.y())?;
        weights.augmented_means(outcome.y(), OutcomeModel::Pooled { fit: &fit, category: "arm" })?
    };
    let variances = [("stacked", NuisanceVariance::Stacked), ("influence_function", NuisanceVariance::Known)];
    Ok(Value::Object(keys(case, comparison, outcome.binary, &means, &variances)?))
}

pub(super) fn response(case: &Case, design: &Design) -> Answer {
    assert_eq!(case.word("response_model"), "logistic: intercept, arm dummies, covariates", "{}", case.name);
    let observed = case.input("observed").as_str().expect("a column");
    let comparison = design.trial.on(&Measure::binary("").from_column(observed))?;
    let outcome: Array1<f64> =
        comparison.covariate(design.outcome)?.into_iter().map(|y| y.unwrap_or(f64::NAN)).collect();
    let binary = outcome.iter().all(|y| y.is_nan() || *y == 0.0 || *y == 1.0);
    let columns = Columns::new(&comparison, &design.covariates)?;
    let matrix = columns.add_to(with_arms(&comparison)?)?;
    let fit = Glm::new(Family::Binomial).fit(&matrix, comparison.outcomes())?;
    let means = InverseProbability::of_response(&fit, "arm")?.means(outcome.view(), Normalization::Hajek)?;
    let variances = [("stacked", NuisanceVariance::Stacked)];
    Ok(Value::Object(keys(case, &comparison, binary, &means, &variances)?))
}
