//! Topic "means": the two-part model of amounts with many zeros.

use super::case::{Answer, Case, json, list};
use super::means::{Arms, Columns};
use armwise::ndarray::Array2;
use armwise::regression::{
    Amount, Amounts, Category, Fit, ModelMatrix, StandardizedAmounts, TwoPart, VarianceType,
};
use serde_json::json as object;

/// Standard errors of the differences against the first level.
fn se_of_differences(covariance: &Array2<f64>) -> Vec<f64> {
    let variance = |a: usize| covariance[[a, a]] + covariance[[0, 0]] - 2.0 * covariance[[a, 0]];
    (1..covariance.nrows()).map(|a| variance(a).sqrt()).collect()
}

fn se(fit: &Fit, variance: VarianceType) -> armwise::Result<Vec<f64>> {
    Ok(fit.covariance(variance)?.diag().iter().map(|v| v.sqrt()).collect())
}

pub(super) fn two_part(case: &Case) -> Answer {
    let columns = Columns::new(case)?;
    let (arms, y, covariates) = (Arms::new(&columns)?, columns.input("outcome")?, columns.covariates()?);
    let mut matrix = ModelMatrix::new(y.len())
        .intercept()?
        .category("arm", Category::new(&arms.codes, arms.labels.clone()))?;
    for (name, values) in &covariates {
        matrix = matrix.numeric(*name, values.view())?;
    }
    let amounts = Amounts::new(y.view())?;
    let amount = match case.word("second_part") {
        "gamma" => Amount::Gamma,
        "lognormal" => Amount::LogNormal,
        other => panic!("{}: {other}", case.name),
    };
    let words = if amount == Amount::Gamma { "none" } else { "exp(sigma^2 / 2); smearing separately" };
    assert_eq!(case.word("retransformation"), words, "{}", case.name);
    case.word("dispersion");
    let fit = TwoPart::new().amount(amount).fit(&matrix, &amounts)?;
    let standardized = fit.standardize("arm")?;
    let mut answer = object!({
        "dispersion": json(fit.amount().dispersion()?),
        "residual_variance": json(fit.amount().dispersion()?),
        "duan_smearing_factor": fit.smearing_factor(),
        "part1_coefficients": list(fit.participation().coefficients().iter().copied()),
        "part1_se": list(se(fit.participation(), VarianceType::Model)?),
        "part1_se_hc0": list(se(fit.participation(), VarianceType::Hc0)?),
        "part2_coefficients": list(fit.amount().coefficients().iter().copied()),
        "part2_se": list(se(fit.amount(), VarianceType::Model)?),
        "part2_se_hc0": list(se(fit.amount(), VarianceType::Hc0)?),
        "n_positive": json(fit.n_positive()),
        "arm_means": list(standardized.means().iter().copied()),
        "difference_vs_reference": list(standardized.means()[1..].iter().map(|m| m - standardized.means()[0])),
    });
    let mut spread = |word: &str, standardized: &StandardizedAmounts, variance| -> armwise::Result<()> {
        let covariance = standardized.covariance(variance)?;
        answer[format!("arm_means_se_{word}")] = list(covariance.diag().iter().map(|v| v.sqrt()));
        answer[format!("se_{word}_difference")] = list(se_of_differences(&covariance));
        Ok(())
    };
    spread("model", &standardized, VarianceType::Model)?;
    spread("hc0", &standardized, VarianceType::Hc0)?;
    if amount == Amount::LogNormal {
        let smeared = TwoPart::new().amount(Amount::LogSmearing).fit(&matrix, &amounts)?;
        answer["arm_means_smearing"] = list(smeared.standardize("arm")?.means().iter().copied());
    }
    Ok(answer)
}
