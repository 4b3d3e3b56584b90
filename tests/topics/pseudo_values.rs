//! Topic "pseudo_values": pseudo-values, and their regressions.

use super::case::{Answer, Case, list};
use super::exits::{Exits, covariates, horizons};
use super::survival::{chi_squared, words};
use super::time_to_exit::leading;
use armwise::ndarray::{Array1, Array2};
use armwise::regression::{Fitted, ModelMatrix};
use armwise::survival::{
    AalenJohansen, PseudoLink, PseudoRegression, PseudoValue, SurvivalData, SurvivalQuantity, pseudo_values,
};
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    match case.word("analysis") {
        "pseudo_observations" => observations(case),
        "pseudo_value_regression" => regression(case),
        "pseudo_value_regression_pooled" => pooled(case),
        word => panic!("the analysis {word} is not known"),
    }
}

fn quantity(case: &Case, at: f64) -> SurvivalQuantity {
    match case.word("quantity") {
        "survival" => SurvivalQuantity::Survival { at },
        "cumulative_incidence_work" => SurvivalQuantity::CumulativeIncidence { cause: 1, at },
        "cumulative_incidence_other" => SurvivalQuantity::CumulativeIncidence { cause: 2, at },
        "restricted_mean_time" => SurvivalQuantity::RestrictedMean { until: at },
        "time_lost_to_work" => SurvivalQuantity::TimeLost { cause: 1, until: at },
        word => panic!("the quantity {word} is not known"),
    }
}

/// The groups in which pseudo-values are formed.
fn groups(case: &Case, exits: &Exits) -> Option<Vec<u32>> {
    match case.word("pseudo_by") {
        "none" => None,
        "arm" => Some(exits.arm.clone()),
        "municipality" => Some(exits.codes(&["municipality".to_owned()])),
        word => panic!("pseudo_by {word} is not known"),
    }
}

fn observations(case: &Case) -> Answer {
    let exits = Exits::new(case);
    let strata = groups(case, &exits);
    let mut data = SurvivalData::new(&exits.time, &exits.cause)?;
    if let Some(strata) = &strata {
        data = data.strata(strata)?;
    }
    let horizons = horizons(case);
    let curves = AalenJohansen::by_stratum(&data)?;
    let (mut theta, mut mean, mut jackknife, mut infinitesimal) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for at in &horizons {
        let wanted = quantity(case, *at);
        for curves in &curves {
            theta.push(curves.estimate(&[wanted])?.values[0]);
        }
        let values = pseudo_values(&data, wanted, PseudoValue::Jackknife)?;
        mean.push(values.iter().sum::<f64>() / values.len() as f64);
        jackknife.push(list(values));
        infinitesimal.push(list(pseudo_values(&data, wanted, PseudoValue::InfinitesimalJackknife)?));
    }
    Ok(object!({
        "n": exits.n(),
        "theta": list(theta),
        "mean": list(mean),
        "pseudo_observations": jackknife,
        "infinitesimal_jackknife": infinitesimal,
    }))
}

/// Pseudo-values of people (rows) at horizons (columns); of survival with the cloglog link, one minus them.
fn values(case: &Case, exits: &Exits) -> armwise::Result<Array2<f64>> {
    let strata = groups(case, exits);
    let mut data = SurvivalData::new(&exits.time, &exits.cause)?;
    if let Some(strata) = &strata {
        data = data.strata(strata)?;
    }
    let horizons = horizons(case);
    let mut all = Array2::zeros((exits.n(), horizons.len()));
    for (h, at) in horizons.iter().enumerate() {
        let values = pseudo_values(&data, quantity(case, *at), PseudoValue::Jackknife)?;
        all.column_mut(h).assign(&Array1::from(values));
    }
    if case.word("quantity") == "survival" && case.word("link") == "cloglog" {
        all.mapv_inplace(|value| 1.0 - value);
    }
    Ok(all)
}

fn link(case: &Case) -> PseudoLink {
    match case.word("link") {
        "identity" => PseudoLink::Identity,
        "log" => PseudoLink::Log,
        "cloglog" => PseudoLink::ComplementaryLogLog,
        word => panic!("the link {word} is not known"),
    }
}

fn regression(case: &Case) -> Answer {
    let exits = Exits::new(case);
    let (names, x) = exits.design(&covariates(case));
    let values = values(case, &exits)?;
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let fit = PseudoRegression::new().link(link(case)).fit(values.view(), &model)?;
    let table = fit.table((), case.level())?;
    let (intercepts, rows) = table.split_at(fit.intercepts);
    let arms: Vec<usize> = (fit.intercepts..fit.intercepts + exits.arms.len() - 1).collect();
    let covariance = fit.covariance(())?;
    let own = Array2::from_shape_fn((names.len(), names.len()), |(i, j)| {
        covariance[[fit.intercepts + i, fit.intercepts + j]]
    });
    Ok(object!({
        "n": exits.n(),
        "intercepts": list(intercepts.iter().map(|row| row.estimate)),
        "intercept_se": list(intercepts.iter().map(|row| row.se)),
        "coef_names": names,
        "estimate": list(rows.iter().map(|row| row.estimate)),
        "robust_se": list(rows.iter().map(|row| row.se)),
        "robust_vcov_arms": leading(own.view(), exits.arms.len() - 1),
        "ci_lower": list(rows.iter().map(|row| row.interval.lower())),
        "ci_upper": list(rows.iter().map(|row| row.interval.upper())),
        "p_value": list(rows.iter().map(|row| row.p_value)),
        "arms_wald": chi_squared(fit.wald_test(&arms, ())?),
    }))
}

fn pooled(case: &Case) -> Answer {
    let exits = Exits::new(case);
    let values = values(case, &exits)?;
    let terms = words(case.option("terms"));
    let cities = exits.labels("municipality");
    // Municipalities in the order of the file.
    let mut names: Vec<String> = Vec::new();
    for city in cities {
        if !names.contains(city) {
            names.push(city.clone());
        }
    }
    let code = |row: usize| names.iter().position(|name| *name == cities[row]).expect("a city");
    let columns: Vec<Vec<f64>> = terms
        .iter()
        .map(|term| match term.as_str() {
            "any" => exits.arm.iter().map(|arm| f64::from(u8::from(*arm != 0))).collect(),
            name => exits.column(name),
        })
        .collect();
    let k = names.len();
    let x = Array2::from_shape_fn((exits.n(), k + terms.len()), |(i, j)| {
        if j < k { f64::from(u8::from(code(i) == j)) } else { columns[j - k][i] }
    });
    let all: Vec<String> = names.iter().chain(&terms).cloned().collect();
    let model = ModelMatrix::from_columns(all, x.view())?;
    let clusters: Vec<u32> = (0..exits.n()).map(|row| code(row) as u32).collect();
    let method = PseudoRegression::new().link(link(case)).without_intercepts();
    let fit = method.fit(values.view(), &model)?;
    let clustered = method.clusters(&clusters).fit(values.view(), &model)?;
    let se = |fit: &armwise::survival::PseudoRegressionFit| -> armwise::Result<Value> {
        Ok(list(fit.covariance(())?.diag().iter().skip(k).map(|variance| variance.sqrt())))
    };
    Ok(object!({
        "n": exits.n(),
        "intercepts": list(fit.estimates().iter().take(k).copied()),
        "estimate": list(fit.estimates().iter().skip(k).copied()),
        "robust_se": se(&fit)?,
        "cluster_se_municipality": se(&clustered)?,
    }))
}
