//! Topic "glm": generalised linear models, their covariance types, nested tests and profile intervals.

use super::case::{Answer, Case, json, list, numbers};
use armwise::ndarray::{Array1, Array2, ArrayView2};
use armwise::regression::{
    Aliasing, ClusterVariance, Coefficient, Family, Firth, FirthVariance, Fit, Fitted, Glm, Grouped, Link,
    ModelMatrix, NegativeBinomial, ProfileInterval, Response, VarianceType, Weights,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is read from a row of a table of coefficients.
type Reading = fn(&Coefficient) -> f64;

/// The inputs of a case, whether they stand in a CSV file or in the case.
struct Data {
    names: Vec<String>,
    x: Array2<f64>,
    y: Array1<f64>,
    successes: Option<Array1<f64>>,
    trials: Option<Array1<f64>>,
    weights: Option<Array1<f64>>,
    offset: Option<Array1<f64>>,
    clusters: Option<Vec<u32>>,
}

impl Data {
    fn new(case: &Case) -> Self {
        let mut given: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let names: Vec<String>;
        let word =
            |key: &str| case.has_input(key).then(|| case.input(key).as_str().map(str::to_owned)).flatten();
        if case.has_input("csv") {
            given = read_csv(case);
            names = case
                .input("columns")
                .as_array()
                .expect("columns")
                .iter()
                .map(|v| v.as_str().unwrap().to_owned())
                .collect();
        } else {
            let x = case.input("x").as_object().expect("x");
            // serde_json keeps the keys of an object in alphabetical order; the order of the columns stands
            // in the answer.
            names = match case.expected.get("names").and_then(Value::as_array) {
                Some(names) => names.iter().map(|name| name.as_str().expect("a name").to_owned()).collect(),
                None => x.keys().cloned().collect(),
            };
            assert_eq!(names.len(), x.len(), "{}", case.name);
            given.extend(x.iter().map(|(name, values)| (name.clone(), numbers(values).expect("numbers"))));
        }
        let n = given[&names[0]].len();
        let x = Array2::from_shape_fn((n, names.len()), |(i, j)| given[&names[j]][i]);
        let named = |key: &str| -> Option<Array1<f64>> {
            if let Some(column) = word(key) {
                return Some(given[&column].clone().into());
            }
            case.has_input(key).then(|| case.numbers(key).into())
        };
        let (successes, trials) = (named("successes"), named("trials"));
        let y = named("response").or_else(|| named("y")).unwrap_or_else(|| Array1::zeros(n));
        let clusters = named("cluster").map(|labels| {
            let mut codes: Vec<f64> = Vec::new();
            labels
                .iter()
                .map(|label| {
                    let known = codes.iter().position(|code| code == label).unwrap_or_else(|| {
                        codes.push(*label);
                        codes.len() - 1
                    });
                    u32::try_from(known).unwrap()
                })
                .collect()
        });
        Self { names, x, y, successes, trials, weights: named("weights"), offset: named("offset"), clusters }
    }

    fn matrix(&self) -> armwise::Result<ModelMatrix<'_>> {
        ModelMatrix::from_columns(self.names.iter().cloned(), self.x.view())
    }

    fn response(&self) -> Response<'_> {
        match (&self.successes, &self.trials) {
            (Some(successes), Some(trials)) => {
                Grouped { successes: successes.view(), trials: trials.view() }.into()
            }
            _ => (&self.y).into(),
        }
    }
}

pub fn read_csv(case: &Case) -> BTreeMap<String, Vec<f64>> {
    let text = std::fs::read_to_string(case.csv()).expect("a CSV file");
    let mut lines = text.lines();
    let header: Vec<String> =
        lines.next().expect("a header").split(',').map(|name| name.trim_matches('"').to_owned()).collect();
    let mut columns = vec![Vec::new(); header.len()];
    for line in lines {
        for (column, cell) in columns.iter_mut().zip(line.split(',')) {
            column.push(cell.parse().unwrap_or(f64::NAN));
        }
    }
    header.into_iter().zip(columns).collect()
}

pub(super) fn rows(matrix: &ArrayView2<f64>) -> Value {
    Value::Array(matrix.rows().into_iter().map(|row| list(row.iter().copied())).collect())
}

pub(super) fn answer(case: &Case) -> Answer {
    if case.has_option("method") {
        return firth(case);
    }
    let family = match case.word("family") {
        "negative_binomial" => return negative_binomial(case),
        "gaussian" => Family::Gaussian,
        "binomial" => Family::Binomial,
        "poisson" => Family::Poisson,
        "quasibinomial" => Family::QuasiBinomial,
        "quasipoisson" => Family::QuasiPoisson,
        other => panic!("{}: family {other}", case.name),
    };
    let link = match case.word("link") {
        "identity" => Link::Identity,
        "logit" => Link::Logit,
        "probit" => Link::Probit,
        "cloglog" => Link::ComplementaryLogLog,
        "log" => Link::Log,
        other => panic!("{}: link {other}", case.name),
    };
    let data = Data::new(case);
    let mut model = Glm::new(family).link(link).aliasing(Aliasing::Drop);
    if case.has_option("weights") {
        let word = case.word("weights");
        assert!(
            word == "none" || word == "prior" || word.starts_with("trials"),
            "{}: weights {word}",
            case.name
        );
    }
    if let Some(weights) = &data.weights {
        model = model.weights(Weights::Precision(weights.view()));
    }
    if let Some(offset) = &data.offset {
        model = model.offset(offset.view());
    }
    let fit = model.fit(&data.matrix()?, data.response())?;
    let mut out = Map::new();
    wald(case, &data, &fit, &mut out)?;
    measures(&fit, &mut out)?;
    if fit.aliased().is_empty() {
        covariances(case, &fit, &mut out)?;
        if let Some(codes) = &data.clusters {
            clustered(&fit, codes, &mut out)?;
        }
        if case.expected.contains_key("profile_ci_lower") {
            let profile = (0..fit.rank()).map(|j| fit.profile_interval(j, case.level()));
            insert_profiles(&profile.collect::<Result<Vec<_>, _>>()?, &mut out);
        }
        if case.has_option("reduced_model_columns") {
            out.insert("nested".into(), nested(case, &fit)?);
        }
    } else {
        out.insert("aliased".into(), fit.aliased().to_vec().into());
        out.insert("rank".into(), fit.rank().into());
    }
    Ok(Value::Object(out))
}

/// Values of the estimated coefficients, `null` for the aliased ones.
fn spread(data: &Data, table: &[Coefficient], value: impl Fn(&Coefficient) -> f64) -> Value {
    let of = |name: &String| table.iter().find(|c| c.name == *name).map_or(Value::Null, |c| json(value(c)));
    Value::Array(data.names.iter().map(of).collect())
}

fn wald(case: &Case, data: &Data, fit: &Fit, out: &mut Map<String, Value>) -> armwise::Result<()> {
    out.insert("names".into(), data.names.clone().into());
    if case.has_option("wald_reference") {
        assert_eq!(case.word("wald_reference") == "t", fit.df().is_some(), "{}", case.name);
    }
    let table = fit.table(VarianceType::Model, case.level())?;
    let values: [(&str, Reading); 6] = [
        ("coefficients", |c| c.estimate),
        ("se", |c| c.se),
        ("statistic", |c| c.statistic),
        ("p_value", |c| c.p_value),
        ("ci_lower", |c| c.interval.lower()),
        ("ci_upper", |c| c.interval.upper()),
    ];
    for (key, value) in values {
        out.insert(key.into(), spread(data, &table, value));
    }
    Ok(())
}

fn measures(fit: &Fit, out: &mut Map<String, Value>) -> armwise::Result<()> {
    for (key, value) in [
        ("deviance", fit.deviance()),
        ("null_deviance", fit.null_deviance()?),
        ("df_residual", fit.df_residual()),
        ("df_null", fit.df_null()),
        ("pearson_chi2", fit.pearson_chi2()),
        ("n_obs", fit.n()),
        ("dispersion", fit.dispersion()?),
        ("n_parameters_aic", fit.n_parameters() as f64),
    ] {
        out.insert(key.into(), json(value));
    }
    for (key, value) in [("log_likelihood", fit.log_likelihood()), ("aic", fit.aic()), ("bic", fit.bic())] {
        if let Some(value) = value {
            out.insert(key.into(), json(value));
        }
    }
    Ok(())
}

fn covariances(case: &Case, fit: &Fit, out: &mut Map<String, Value>) -> armwise::Result<()> {
    out.insert("vcov".into(), rows(&fit.covariance(VarianceType::Model)?.view()));
    for (key, variance) in [
        ("se_hc0", VarianceType::Hc0),
        ("se_hc1", VarianceType::Hc1),
        ("se_hc2", VarianceType::Hc2),
        ("se_hc3", VarianceType::Hc3),
    ] {
        if case.expected.contains_key(key) {
            out.insert(key.into(), list(fit.covariance(variance)?.diag().iter().map(|v| v.sqrt())));
        }
    }
    Ok(())
}

fn clustered(fit: &Fit, codes: &[u32], out: &mut Map<String, Value>) -> armwise::Result<()> {
    let clustered = fit.clustered(codes)?;
    out.insert("n_clusters".into(), clustered.n_clusters().into());
    for (key, variance) in [
        ("vcov_cr0", ClusterVariance::Cr0),
        ("vcov_cr1", ClusterVariance::Cr1),
        ("vcov_cr1s", ClusterVariance::Cr1s),
        ("vcov_cr2", ClusterVariance::Cr2),
    ] {
        out.insert(key.into(), rows(&clustered.covariance(variance)?.view()));
    }
    Ok(())
}

/// The positions of the columns that the reduced model does not have.
fn tested(case: &Case, names: &[String]) -> Vec<usize> {
    let kept = case.option("reduced_model_columns").as_array().expect("columns");
    let kept: Vec<&str> = kept.iter().map(|name| name.as_str().expect("a name")).collect();
    (0..names.len()).filter(|&j| !kept.contains(&names[j].as_str())).collect()
}

fn nested(case: &Case, fit: &Fit) -> armwise::Result<Value> {
    let tested = tested(case, fit.names());
    let reduced = fit.without(&tested)?;
    let mut out = Map::new();
    out.insert("tested".into(), tested.iter().map(|&j| fit.names()[j].clone()).collect::<Vec<_>>().into());
    out.insert("df".into(), tested.len().into());
    out.insert("deviance_reduced".into(), json(reduced.deviance()));
    if fit.family().estimates_dispersion() {
        let test = reduced.f_test()?;
        out.insert("f_statistic".into(), json(test.statistic));
        out.insert("f_df2".into(), json(test.df2));
        out.insert("f_p_value".into(), json(test.p_value));
    } else {
        let (ratio, score) = (reduced.likelihood_ratio_test()?, reduced.score_test()?);
        out.insert("lr_statistic".into(), json(ratio.statistic));
        out.insert("lr_p_value".into(), json(ratio.p_value));
        out.insert("score_statistic".into(), json(score.statistic));
        out.insert("score_p_value".into(), json(score.p_value));
    }
    let wald = fit.wald_test(&tested, VarianceType::Model)?;
    out.insert("wald_chi2".into(), json(wald.statistic));
    out.insert("wald_chi2_p_value".into(), json(wald.p_value));
    out.insert("wald_chi2_hc0".into(), json(fit.wald_test(&tested, VarianceType::Hc0)?.statistic));
    Ok(Value::Object(out))
}

fn insert_profiles(profiles: &[ProfileInterval], out: &mut Map<String, Value>) {
    out.insert("profile_ci_lower".into(), list(profiles.iter().map(|profile| profile.lower)));
    out.insert("profile_ci_upper".into(), list(profiles.iter().map(|profile| profile.upper)));
}

fn firth(case: &Case) -> Answer {
    assert_eq!((case.word("method"), case.word("family"), case.word("link")), ("firth", "binomial", "logit"));
    let data = Data::new(case);
    let fit = Firth::new().fit(&data.matrix()?, data.response())?;
    let table = fit.table(FirthVariance::Expected, case.level())?;
    let mut out = Map::new();
    out.insert("names".into(), fit.names().to_vec().into());
    let values: [(&str, Reading); 6] = [
        ("coefficients", |c| c.estimate),
        ("se", |c| c.se),
        ("wald_statistic", |c| c.statistic),
        ("wald_p_value", |c| c.p_value),
        ("ci_lower", |c| c.interval.lower()),
        ("ci_upper", |c| c.interval.upper()),
    ];
    for (key, value) in values {
        out.insert(key.into(), list(table.iter().map(value)));
    }
    out.insert("vcov".into(), rows(&fit.covariance(FirthVariance::Expected)?.view()));
    out.insert(
        "se_augmented_information".into(),
        list(fit.covariance(FirthVariance::Augmented)?.diag().iter().map(|v| v.sqrt())),
    );
    out.insert("penalized_log_likelihood".into(), json(fit.penalized_log_likelihood()));
    out.insert("log_likelihood".into(), json(fit.log_likelihood().expect("a likelihood")));
    if case.expected.contains_key("penalized_lr_statistic") {
        let tests = (0..table.len())
            .map(|j| fit.penalized_likelihood_ratio_test(&[j]))
            .collect::<Result<Vec<_>, _>>()?;
        out.insert("penalized_lr_statistic".into(), list(tests.iter().map(|test| test.statistic)));
        out.insert("penalized_lr_p_value".into(), list(tests.iter().map(|test| test.p_value)));
        let profiles =
            (0..table.len()).map(|j| fit.profile_interval(j, case.level())).collect::<Result<Vec<_>, _>>()?;
        insert_profiles(&profiles, &mut out);
    }
    Ok(Value::Object(out))
}

fn negative_binomial(case: &Case) -> Answer {
    assert_eq!(case.word("link"), "log", "{}", case.name);
    let data = Data::new(case);
    let mut model = NegativeBinomial::new();
    if let Some(offset) = &data.offset {
        model = model.offset(offset.view());
    }
    if let Some(weights) = &data.weights {
        model = model.weights(Weights::Precision(weights.view()));
    }
    let fit = model.fit(&data.matrix()?, data.response())?;
    let mut out = Map::new();
    let at_theta = fit.at_theta();
    wald(case, &data, at_theta, &mut out)?;
    measures(at_theta, &mut out)?;
    out.insert("vcov_expected_information_theta_fixed".into(), rows(&at_theta.bread()));
    out.insert(
        "se_hc0_theta_fixed".into(),
        list(at_theta.covariance(VarianceType::Hc0)?.diag().iter().map(|v| v.sqrt())),
    );
    if let (Some(found), Some(joint)) = (fit.overdispersion(), fit.joint_covariance()) {
        for (key, value) in [
            ("theta", found.theta),
            ("alpha", 1.0 / found.theta),
            ("se_theta", found.se),
            ("se_theta_observed_information_joint", found.se_joint),
        ] {
            out.insert(key.into(), json(value));
        }
        let joint = joint.diag().iter().take(at_theta.rank()).map(|v| v.sqrt()).collect::<Vec<_>>();
        out.insert("se_observed_information_joint".into(), list(joint));
    }
    if let Some(codes) = &data.clusters {
        let clustered = at_theta.clustered(codes)?;
        out.insert("vcov_cr1_theta_fixed".into(), rows(&clustered.covariance(ClusterVariance::Cr1)?.view()));
        out.insert("n_clusters".into(), clustered.n_clusters().into());
    }
    let poisson = fit.poisson_test()?;
    for (key, value) in [
        ("log_likelihood", fit.log_likelihood().expect("a likelihood")),
        ("aic", fit.aic().expect("a likelihood")),
        ("bic", fit.bic().expect("a likelihood")),
        ("lr_vs_poisson", poisson.statistic),
        ("lr_vs_poisson_p_boundary", poisson.p_value),
    ] {
        out.insert(key.into(), json(value));
    }
    if case.has_option("reduced_model_columns") {
        let tested = tested(case, at_theta.names());
        let (test, reduced) = (fit.likelihood_ratio_test(&tested)?, fit.without(&tested)?);
        let mut nested = Map::new();
        nested.insert(
            "tested".into(),
            tested.iter().map(|&j| at_theta.names()[j].clone()).collect::<Vec<_>>().into(),
        );
        nested.insert("df".into(), json(test.df));
        nested.insert("lr_statistic".into(), json(test.statistic));
        nested.insert("lr_p_value".into(), json(test.p_value));
        nested.insert(
            "theta_reduced".into(),
            reduced.overdispersion().map_or(Value::Null, |found| json(found.theta)),
        );
        out.insert("nested".into(), Value::Object(nested));
    }
    Ok(Value::Object(out))
}
