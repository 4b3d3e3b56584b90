//! Topic "time_to_exit": subdistribution hazards and hazards in discrete time.

use super::case::{Answer, Case, json, list};
use super::exits::{Exits, covariates, in_arm};
use super::survival::{matrix, ties};
use super::time_to_exit::leading;
use armwise::ndarray::{Array2, ArrayView2};
use armwise::regression::{Fitted, Link, ModelMatrix};
use armwise::survival::{
    BaselineShape, CensoringTies, DiscreteTime, FineGray, FineGrayVariance, SurvivalData, Ties,
};
use serde_json::{Value, json as object};

pub(super) fn fine_gray(case: &Case) -> Answer {
    assert_eq!((ties(case), case.word("cause")), (Ties::Breslow, "work"));
    let exits = Exits::new(case);
    let (names, x) = exits.design(&covariates(case));
    let data = SurvivalData::new(&exits.time, &exits.cause)?;
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let fit = FineGray::new(1).fit(&data, &model)?;
    let other = FineGray::new(1).censoring_ties(CensoringTies::Together).fit(&data, &model)?;
    let se = |covariance: Array2<f64>| list(covariance.diag().mapv(f64::sqrt));
    let robust = fit.covariance(FineGrayVariance::Robust)?;
    Ok(object!({
        "coef_names": names,
        "estimate": list(fit.estimates()),
        "robust_vcov_arms": leading(robust.view(), exits.arms.len() - 1),
        "robust_se": se(robust),
        "se_fine_gray_1999": se(fit.covariance(FineGrayVariance::FineGray)?),
        "log_lik": json(fit.log_likelihood().expect("a likelihood")),
        "cmprsk_estimate": list(other.estimates()),
        "cmprsk_se": se(other.covariance(FineGrayVariance::FineGray)?),
    }))
}

pub(super) fn discrete_time(case: &Case) -> Answer {
    let link = match case.word("link") {
        "logit" => Link::Logit,
        "cloglog" => Link::ComplementaryLogLog,
        word => panic!("the link {word} is not known"),
    };
    let baseline = match case.word("baseline") {
        "month_dummies" => BaselineShape::EachPeriod,
        "cubic" => BaselineShape::Cubic,
        word => panic!("the baseline {word} is not known"),
    };
    let exits = Exits::new(case);
    let (names, x) = exits.design(&covariates(case));
    let data = exits.data(case)?;
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let fit = DiscreteTime::new(1.0).link(link).baseline(baseline).fit(&data, &model)?;
    let active = exits.arms.len() - 1;
    let settings: Vec<Array2<f64>> = (0..=active).map(|arm| in_arm(x.view(), active, arm)).collect();
    let views: Vec<ArrayView2<f64>> = settings.iter().map(|setting| setting.view()).collect();
    let horizon = case.option("horizon").as_u64().expect("a horizon") as u32;
    let risks = fit.standardized_risks(&views, horizon)?;
    let se = |covariance: &Array2<f64>| list(covariance.diag().mapv(f64::sqrt));
    let differences = |covariance: &Array2<f64>| -> Value {
        matrix(&Array2::from_shape_fn((active, active), |(i, j)| {
            let (a, b) = (i + 1, j + 1);
            covariance[[a, b]] - covariance[[a, 0]] - covariance[[0, b]] + covariance[[0, 0]]
        }))
    };
    Ok(object!({
        "person_months": fit.person_periods,
        "events": fit.events,
        "coef_names": names,
        "estimate": list(fit.coefficients()),
        "se": list(fit.se_of(fit.covariance.view())),
        "cluster_se": list(fit.se_of(fit.clustered_covariance.view())),
        "baseline_coefficients": list(fit.baseline()),
        "log_lik": json(fit.log_likelihood),
        "risk": list(risks.risks.iter().copied()),
        "risk_se": se(&risks.covariance),
        "risk_cluster_se": se(&risks.clustered_covariance),
        "risk_difference": list((1..=active).map(|arm| risks.risks[arm] - risks.risks[0])),
        "risk_difference_covariance": differences(&risks.covariance),
        "risk_difference_cluster_covariance": differences(&risks.clustered_covariance),
    }))
}
