//! Bayesian pooling: normal random effects by quadrature over tau.

use super::case::{Answer, Case, json, list};
use armwise::Interval;
use armwise::bayes::{MuPrior, NormalMixture, NormalNormal, Summary, TauPrior};
use serde_json::{Value, json as object};

pub(super) fn answer(case: &Case) -> Answer {
    assert_eq!(case.word("model"), "bayesian_normal_normal");
    let model = NormalNormal::new(tau_prior(case)).mu_prior(mu_prior(case));
    let posterior = model.posterior(&case.numbers("yi"), &case.numbers("vi"))?;
    let level = case.level();
    let (mu, predictive) = (posterior.mu(), posterior.predictive());
    let studies =
        (0..posterior.k()).map(|study| posterior.study_effect(study)).collect::<Result<Vec<_>, _>>()?;
    let limits = studies.iter().map(|effect| effect.interval(level)).collect::<Result<Vec<Interval>, _>>()?;
    let column = |f: &dyn Fn(&NormalMixture) -> f64| list(studies.iter().map(f));
    let margins: Vec<f64> = case.expected["probability"]["margin"]
        .as_array()
        .map(|margins| margins.iter().filter_map(Value::as_f64).collect())
        .unwrap_or_default();
    Ok(object!({
        "mu": summary(&mu.summary(level)?),
        "tau": summary(&posterior.tau().summary(level)?),
        "predictive": summary(&predictive.summary(level)?),
        "shrinkage": {
            "mean": column(&|effect| effect.mean().unwrap_or(f64::NAN)),
            "sd": column(&|effect| effect.sd().unwrap_or(f64::NAN)),
            "median": column(&NormalMixture::median),
            "ci_lower": list(limits.iter().map(Interval::lower)),
            "ci_upper": list(limits.iter().map(Interval::upper)),
        },
        "probability": {
            "margin": list(margins.iter().copied()),
            "mu_above_minus_margin": list(margins.iter().map(|margin| mu.sf(-margin))),
            "predictive_above_minus_margin": list(margins.iter().map(|margin| predictive.sf(-margin))),
        },
        "log_evidence": posterior.log_evidence().map_or(Value::Null, json),
    }))
}

fn summary(summary: &Summary) -> Value {
    let pair = |interval: Interval| list([interval.lower(), interval.upper()]);
    let moment = |moment: Option<f64>| moment.map_or(Value::Null, json);
    object!({
        "mean": moment(summary.mean),
        "sd": moment(summary.sd),
        "median": json(summary.median),
        "interval": pair(summary.interval),
        "hpd_interval": pair(summary.shortest_interval),
    })
}

fn parameter(case: &Case, prior: &Value, key: &str) -> f64 {
    prior[key].as_f64().unwrap_or_else(|| panic!("{}: the prior has no {key}", case.name))
}

fn mu_prior(case: &Case) -> MuPrior {
    let prior = case.option("mu_prior");
    match prior["type"].as_str() {
        Some("flat") => MuPrior::Flat,
        Some("normal") => {
            MuPrior::Normal { mean: parameter(case, prior, "mean"), sd: parameter(case, prior, "sd") }
        }
        other => panic!("{}: unknown prior {other:?}", case.name),
    }
}

fn tau_prior(case: &Case) -> TauPrior {
    let prior = case.option("tau_prior");
    let number = |key: &str| parameter(case, prior, key);
    match prior["type"].as_str() {
        Some("half_normal") => TauPrior::HalfNormal { scale: number("scale") },
        Some("half_cauchy") => TauPrior::HalfCauchy { scale: number("scale") },
        Some("half_student") => TauPrior::HalfStudent { scale: number("scale"), df: number("df") },
        Some("exponential") => TauPrior::Exponential { rate: number("rate") },
        Some("uniform") => TauPrior::Uniform { upper: number("upper") },
        Some("improper_uniform") => TauPrior::ImproperUniform,
        other => panic!("{}: unknown prior {other:?}", case.name),
    }
}
