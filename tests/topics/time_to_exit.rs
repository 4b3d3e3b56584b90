//! Topic "time_to_exit", by the survival kernel; pools by the typed layer.

use super::case::{Answer, Case, json, list};
use super::exits::{Exits, covariates, horizons};
use super::survival::{chi_squared, matrix, maybe, ties, transform, words};
use super::time_to_exit_models as models;
use super::time_to_exit_pools as pools;
use armwise::Interval;
use armwise::ndarray::{Array2, ArrayView2};
use armwise::regression::{ChiSquaredTest, Coefficient, Fitted, ModelMatrix};
use armwise::survival::{
    AalenJohansen, Cox, CoxFit, CoxVariance, CurveInterval, GrayTest, KaplanMeier, LogRank, LogRankWeight,
    SurvivalEstimates, SurvivalQuantity,
};
use serde_json::{Map, Value, json as object};

pub fn answer(case: &Case) -> Answer {
    match case.word("analysis") {
        "cumulative_incidence" => cumulative_incidence(case),
        "restricted_mean_time" => restricted_mean_time(case),
        "kaplan_meier" => kaplan_meier(case),
        "gray_test" => gray_test(case),
        "log_rank" => log_rank(case),
        "cox" | "cox_one_stage" => cox(case),
        "proportional_hazards_test" => proportional_hazards(case),
        "fine_gray" => models::fine_gray(case),
        "discrete_time_hazard" => models::discrete_time(case),
        "pooled_random_effects" => pools::univariate(case),
        "component_model" | "any_arm_model" => pools::by_components(case),
        word => panic!("the analysis {word} is not known"),
    }
}

/// Topic "pipeline_time": the log hazard ratio of one arm, all arms of its municipality in one model.
pub fn pipeline(case: &Case) -> Answer {
    assert_eq!(case.word("analysis"), "cox");
    let exits = Exits::new(case);
    assert_eq!(case.word("control"), exits.arms[0]);
    let (names, x) = exits.design(&[]);
    let strata = exits.codes_of(case, "strata").expect("strata");
    let data = armwise::survival::SurvivalData::new(&exits.time, &exits.cause)?;
    let data = data.censoring_other_causes(1)?.strata(&strata)?;
    let model = ModelMatrix::from_columns(names, x.view())?;
    let fit = Cox::new().ties(ties(case)).fit(&data, &model)?;
    let arm = exits.arms[1..].iter().position(|arm| arm == case.word("arm")).expect("an arm");
    Ok(object!({
        "n": data.n(),
        "events": fit.events(),
        "log_hazard_ratio": json(fit.coefficients()[arm]),
        "se": json(fit.covariance(CoxVariance::Model)?[[arm, arm]].sqrt()),
    }))
}

/// A row for each arm, a column for each horizon.
fn rows(values: impl IntoIterator<Item = impl IntoIterator<Item = Option<f64>>>) -> Value {
    Value::Array(values.into_iter().map(maybe).collect())
}

/// What is the same for all contrasts with control: value, se, limits, p-value and covariance.
struct Contrasts {
    value: Vec<Option<Coefficient>>,
    covariance: Vec<Vec<Option<f64>>>,
}

/// Contrasts of all active arms with control for one quantity; a ratio of which an arm has 0 is missing.
fn contrasts(
    arms: &[SurvivalEstimates],
    position: usize,
    ratio: bool,
    level: f64,
) -> armwise::Result<Contrasts> {
    let control = &arms[0];
    let one = |arm: &SurvivalEstimates| {
        if ratio {
            arm.log_ratio(control, position, level).ok()
        } else {
            arm.difference(control, position, level).ok()
        }
    };
    let value: Vec<Option<Coefficient>> = arms[1..].iter().map(one).collect();
    let of_control = if ratio {
        control.covariance[[position, position]] / control.values[position].powi(2)
    } else {
        control.covariance[[position, position]]
    };
    let covariance = (0..value.len())
        .map(|i| {
            let entry = |j: usize| {
                let own = value[i].as_ref()?;
                value[j].as_ref()?;
                Some(if i == j { own.se * own.se } else { of_control })
            };
            (0..value.len()).map(entry).collect()
        })
        .collect();
    Ok(Contrasts { value, covariance })
}

fn cumulative_incidence(case: &Case) -> Answer {
    assert_eq!((case.word("cause"), words(case.option("competing"))), ("work", vec!["other".to_owned()]));
    let level = case.level();
    let horizons = horizons(case);
    let exits = Exits::new(case);
    let data = armwise::survival::SurvivalData::new(&exits.time, &exits.cause)?.strata(&exits.arm)?;
    let quantities = |make: &dyn Fn(f64) -> SurvivalQuantity| -> Vec<SurvivalQuantity> {
        horizons.iter().map(|at| make(*at)).collect()
    };
    let curves = AalenJohansen::by_stratum(&data)?;
    let of = |make: &dyn Fn(f64) -> SurvivalQuantity| {
        curves.iter().map(|curves| curves.estimate(&quantities(make))).collect::<armwise::Result<Vec<_>>>()
    };
    let work = of(&|at| SurvivalQuantity::CumulativeIncidence { cause: 1, at })?;
    let other = of(&|at| SurvivalQuantity::CumulativeIncidence { cause: 2, at })?;
    let free = of(&|at| SurvivalQuantity::Survival { at })?;
    let some = |values: Vec<f64>| values.into_iter().map(Some).collect::<Vec<_>>();
    let table = |arms: &[SurvivalEstimates], pick: &dyn Fn(&SurvivalEstimates) -> Vec<f64>| {
        rows(arms.iter().map(|arm| some(pick(arm))))
    };
    let limits = |kind: CurveInterval, pick: fn(Interval) -> f64| {
        let of_arm = |arm: &SurvivalEstimates| {
            let both = arm.values.iter().zip(arm.se());
            both.map(|(value, se)| Ok(kind.interval(*value, se, level)?.map(pick)))
                .collect::<armwise::Result<Vec<_>>>()
        };
        Ok::<_, armwise::Error>(rows(work.iter().map(of_arm).collect::<armwise::Result<Vec<_>>>()?))
    };
    let events = |cause: usize| {
        rows(curves.iter().map(|curves| {
            let up_to = |horizon: &f64| {
                let inside = curves.time.partition_point(|time| time <= horizon);
                Some((0..inside).map(|k| curves.events.get([k, cause]).copied().unwrap_or(0.0)).sum())
            };
            horizons.iter().map(up_to).collect::<Vec<_>>()
        }))
    };
    let mut answer = object!({
        "n": exits.sizes(),
        "events_work": events(0),
        "events_other": events(1),
        "cumulative_incidence": table(&work, &|arm| arm.values.to_vec()),
        "std_err": table(&work, &|arm| arm.se().to_vec()),
        "ci_plain_lower": limits(CurveInterval::Plain, |interval| interval.lower())?,
        "ci_plain_upper": limits(CurveInterval::Plain, |interval| interval.upper())?,
        "ci_log_log_lower": limits(CurveInterval::LogLog, |interval| interval.lower())?,
        "ci_log_log_upper": limits(CurveInterval::LogLog, |interval| interval.upper())?,
        "ci_cloglog_lower": limits(CurveInterval::ComplementaryLogLog, |interval| interval.lower())?,
        "ci_cloglog_upper": limits(CurveInterval::ComplementaryLogLog, |interval| interval.upper())?,
        "cumulative_incidence_other": table(&other, &|arm| arm.values.to_vec()),
        "std_err_other": table(&other, &|arm| arm.se().to_vec()),
        "event_free": table(&free, &|arm| arm.values.to_vec()),
        "event_free_std_err": table(&free, &|arm| arm.se().to_vec()),
    });
    let by_horizon = |ratio: bool| {
        (0..horizons.len()).map(|h| contrasts(&work, h, ratio, level)).collect::<armwise::Result<Vec<_>>>()
    };
    let (differences, ratios) = (by_horizon(false)?, by_horizon(true)?);
    let active = exits.arms.len() - 1;
    let picked = |all: &[Contrasts], pick: &dyn Fn(&Coefficient) -> f64| {
        rows(
            (0..active)
                .map(|arm| all.iter().map(|one| one.value[arm].as_ref().map(pick)).collect::<Vec<_>>()),
        )
    };
    let covariances =
        |all: &[Contrasts]| Value::Array(all.iter().map(|one| rows(one.covariance.clone())).collect());
    answer["difference"] = picked(&differences, &|one| one.estimate);
    answer["difference_se"] = picked(&differences, &|one| one.se);
    answer["difference_ci_lower"] = picked(&differences, &|one| one.interval.lower());
    answer["difference_ci_upper"] = picked(&differences, &|one| one.interval.upper());
    answer["difference_p_value"] = picked(&differences, &|one| one.p_value);
    answer["difference_covariance"] = covariances(&differences);
    answer["log_ratio"] = picked(&ratios, &|one| one.estimate);
    answer["log_ratio_se"] = picked(&ratios, &|one| one.se);
    answer["ratio"] = picked(&ratios, &|one| one.estimate.exp());
    answer["ratio_ci_lower"] = picked(&ratios, &|one| one.interval.lower().exp());
    answer["ratio_ci_upper"] = picked(&ratios, &|one| one.interval.upper().exp());
    answer["log_ratio_covariance"] = covariances(&ratios);
    Ok(answer)
}

fn restricted_mean_time(case: &Case) -> Answer {
    let until = case.option("tau").as_f64().expect("a horizon");
    let level = case.level();
    let exits = Exits::new(case);
    let data = armwise::survival::SurvivalData::new(&exits.time, &exits.cause)?.strata(&exits.arm)?;
    let quantities = [
        SurvivalQuantity::RestrictedMean { until },
        SurvivalQuantity::TimeLost { cause: 1, until },
        SurvivalQuantity::TimeLost { cause: 2, until },
    ];
    let arms = AalenJohansen::by_stratum(&data)?
        .iter()
        .map(|curves| curves.estimate(&quantities))
        .collect::<armwise::Result<Vec<_>>>()?;
    let mut answer = object!({
        "n": exits.sizes(),
        "within_arm_covariance": arms.iter().map(|arm| matrix(&arm.covariance)).collect::<Vec<_>>(),
    });
    for (position, key) in ["on_benefit", "lost_to_work", "lost_to_other"].into_iter().enumerate() {
        let differences = contrasts(&arms, position, false, level)?;
        let ratios = contrasts(&arms, position, true, level)?;
        let pick = |all: &Contrasts, of: &dyn Fn(&Coefficient) -> f64| {
            maybe(all.value.iter().map(|one| one.as_ref().map(of)))
        };
        answer[key] = object!({
            "mean": list(arms.iter().map(|arm| arm.values[position])),
            "std_err": list(arms.iter().map(|arm| arm.se()[position])),
            "difference": pick(&differences, &|one| one.estimate),
            "difference_se": pick(&differences, &|one| one.se),
            "difference_ci_lower": pick(&differences, &|one| one.interval.lower()),
            "difference_ci_upper": pick(&differences, &|one| one.interval.upper()),
            "difference_p_value": pick(&differences, &|one| one.p_value),
            "difference_covariance": rows(differences.covariance.clone()),
            "ratio": pick(&ratios, &|one| one.estimate.exp()),
            "log_ratio_se": pick(&ratios, &|one| one.se),
            "ratio_ci_lower": pick(&ratios, &|one| one.interval.lower().exp()),
            "ratio_ci_upper": pick(&ratios, &|one| one.interval.upper().exp()),
            "log_ratio_covariance": rows(ratios.covariance),
        });
    }
    Ok(answer)
}

fn kaplan_meier(case: &Case) -> Answer {
    let level = case.level();
    let horizons = horizons(case);
    let exits = Exits::new(case);
    let data = exits.data(case)?.strata(&exits.arm)?;
    let curves = KaplanMeier::by_stratum(&data)?;
    let table = |pick: &dyn Fn(&KaplanMeier, f64) -> armwise::Result<Option<f64>>| {
        let of_arm = |curve: &KaplanMeier| {
            horizons.iter().map(|at| pick(curve, *at)).collect::<armwise::Result<Vec<_>>>()
        };
        Ok::<_, armwise::Error>(rows(curves.iter().map(of_arm).collect::<armwise::Result<Vec<_>>>()?))
    };
    let limit = |kind: CurveInterval, pick: fn(Interval) -> f64| {
        table(&|curve, at| Ok(KaplanMeier::interval(&curve.at(at)?, kind, level)?.map(pick)))
    };
    let n_risk = (0..curves.len()).map(|arm| {
        let members: Vec<usize> = (0..exits.n()).filter(|row| exits.arm[*row] as usize == arm).collect();
        let time: Vec<f64> = members.iter().map(|row| exits.time[*row]).collect();
        let cause: Vec<u32> = members.iter().map(|row| exits.cause[*row]).collect();
        let own = armwise::survival::SurvivalData::new(&time, &cause).expect("times");
        own.at_risk(&horizons).into_iter().map(Some).collect::<Vec<_>>()
    });
    let n_risk = rows(n_risk);
    let (survival, se) =
        (table(&|curve, at| Ok(Some(curve.at(at)?.survival)))?, table(&|curve, at| Ok(curve.at(at)?.se))?);
    let against = |square: bool| {
        let control = &curves[0];
        let of_arm = |curve: &KaplanMeier| {
            let one = |at: &f64| {
                let (own, other) = (curve.at(*at)?, control.at(*at)?);
                let se = own.se.zip(other.se).map(|(a, b)| (a * a + b * b).sqrt());
                Ok(if square { se } else { Some(own.survival - other.survival) })
            };
            horizons.iter().map(one).collect::<armwise::Result<Vec<_>>>()
        };
        Ok::<_, armwise::Error>(rows(curves[1..].iter().map(of_arm).collect::<armwise::Result<Vec<_>>>()?))
    };
    Ok(object!({
        "n": exits.sizes(),
        "n_risk": n_risk,
        "survival": survival,
        "std_err": se,
        "ci_log_log_lower": limit(CurveInterval::LogLog, |interval| interval.lower())?,
        "ci_log_log_upper": limit(CurveInterval::LogLog, |interval| interval.upper())?,
        "ci_plain_lower": limit(CurveInterval::Plain, |interval| interval.lower())?,
        "ci_plain_upper": limit(CurveInterval::Plain, |interval| interval.upper())?,
        "ci_log_lower": limit(CurveInterval::Log, |interval| interval.lower())?,
        "ci_log_upper": limit(CurveInterval::Log, |interval| interval.upper())?,
        "difference": against(false)?,
        "difference_se": against(true)?,
    }))
}

fn gray_test(case: &Case) -> Answer {
    assert_eq!(case.option("rho").as_f64(), Some(0.0));
    let exits = Exits::new(case);
    let strata = exits.codes_of(case, "strata");
    let mut data = armwise::survival::SurvivalData::new(&exits.time, &exits.cause)?;
    if let Some(strata) = &strata {
        data = data.strata(strata)?;
    }
    let test = |cause| Ok::<_, armwise::Error>(chi_squared(GrayTest::new(&data, &exits.arm, cause)?.test));
    Ok(object!({ "work": test(1)?, "other": test(2)? }))
}

fn log_rank(case: &Case) -> Answer {
    let exits = Exits::new(case);
    let strata = exits.codes_of(case, "strata");
    let mut data = exits.data(case)?;
    if let Some(strata) = &strata {
        data = data.strata(strata)?;
    }
    let test = LogRank::new(&data, &exits.arm, LogRankWeight::LogRank)?;
    Ok(object!({
        "observed": list(test.observed.iter().copied()),
        "expected": list(test.expected.iter().copied()),
        "variance": matrix(&test.variance),
        "statistic": json(test.test.statistic),
        "df": json(test.test.df),
        "p_value": json(test.test.p_value),
    }))
}

/// Indicators of components, or of any active arm.
fn components(exits: &Exits, case: &Case) -> (Vec<String>, Array2<f64>) {
    let terms = words(case.option("terms"));
    let composition = case.option("composition").as_object().expect("a composition");
    let holds = |arm: &str, term: &str| {
        if arm == exits.arms[0] {
            return false;
        }
        term == "any" || words(&composition[arm]).iter().any(|component| component == term)
    };
    let x = Array2::from_shape_fn((exits.n(), terms.len()), |(i, j)| {
        f64::from(u8::from(holds(&exits.arms[exits.arm[i] as usize], &terms[j])))
    });
    (terms, x)
}

fn cox(case: &Case) -> Answer {
    let exits = Exits::new(case);
    let one_stage = case.word("analysis") == "cox_one_stage";
    let (names, x) = if one_stage { components(&exits, case) } else { exits.design(&covariates(case)) };
    let strata = exits.codes_of(case, "strata");
    let clusters = if one_stage {
        Some(exits.codes(&["municipality".to_owned()]))
    } else {
        exits.codes_of(case, "cluster")
    };
    let mut data = exits.data(case)?;
    if let Some(strata) = &strata {
        data = data.strata(strata)?;
    }
    if let Some(clusters) = &clusters {
        data = data.clusters(clusters)?;
    }
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let fit = Cox::new().ties(ties(case)).fit(&data, &model)?;
    let arms: Vec<usize> = (0..exits.arms.len() - 1).filter(|j| *j < names.len()).collect();
    let all: Vec<usize> = (0..names.len()).collect();
    let table = fit.table(CoxVariance::Model, case.level())?;
    let se = |variance| Ok::<_, armwise::Error>(list(fit.covariance(variance)?.diag().mapv(f64::sqrt)));
    let mut answer = object!({
        "n": data.n(),
        "events": fit.events(),
        "coef_names": names,
        "estimate": list(fit.estimates()),
        "se": se(CoxVariance::Model)?,
        "vcov": matrix(&fit.covariance(CoxVariance::Model)?),
        "robust_se": se(CoxVariance::Robust)?,
        "robust_vcov_arms": matrix(&fit.covariance_of(&arms, CoxVariance::Robust)?),
        "hazard_ratio": list(table.iter().map(|row| row.estimate.exp())),
        "hazard_ratio_ci_lower": list(table.iter().map(|row| row.interval.lower().exp())),
        "hazard_ratio_ci_upper": list(table.iter().map(|row| row.interval.upper().exp())),
        "log_lik_null": json(fit.null_log_likelihood()),
        "log_lik": json(fit.log_likelihood().expect("a likelihood")),
        "likelihood_ratio": json(fit.likelihood_ratio_test(&all)?.statistic),
        "score_test": json(fit.score_test(&all)?.statistic),
        "arms_wald": chi_squared(fit.wald_test(&arms, CoxVariance::Model)?),
    });
    if let Some(clusters) = &clusters {
        let mut distinct = clusters.clone();
        distinct.sort_unstable();
        distinct.dedup();
        answer["clusters"] = distinct.len().into();
        answer["cluster_se"] = se(CoxVariance::Clustered)?;
        answer["cluster_se_municipality"] = match se(CoxVariance::Clustered)? {
            Value::Array(one) if one.len() == 1 => one[0].clone(),
            many => many,
        };
        answer["cluster_vcov_arms"] = matrix(&fit.covariance_of(&arms, CoxVariance::Clustered)?);
    }
    if one_stage {
        // One term is a number by itself among the expected values, or a list of one.
        for key in ["estimate", "se", "robust_se", "cluster_se_municipality"] {
            if let (Some(Value::Array(_)), Value::Number(number)) =
                (case.expected.get(key), answer[key].clone())
            {
                answer[key] = Value::Array(vec![number.into()]);
            } else if let (Some(Value::Number(_)), Value::Array(one)) =
                (case.expected.get(key), answer[key].clone())
            {
                answer[key] = one[0].clone();
            }
        }
    }
    Ok(answer)
}

fn proportional_hazards(case: &Case) -> Answer {
    let exits = Exits::new(case);
    let (names, x) = exits.design(&covariates(case));
    let strata = exits.codes_of(case, "strata");
    let mut data = exits.data(case)?;
    if let Some(strata) = &strata {
        data = data.strata(strata)?;
    }
    let model = ModelMatrix::from_columns(names.clone(), x.view())?;
    let fit: CoxFit = Cox::new().ties(ties(case)).fit(&data, &model)?;
    let arms: Vec<usize> = (0..exits.arms.len() - 1).collect();
    let mut answer = Map::new();
    answer.insert("coef_names".to_owned(), names.into());
    for word in words(case.option("transforms")) {
        let test = fit.proportional_hazards_test(transform(&word))?;
        let pick = |of: fn(&ChiSquaredTest) -> f64| list(test.each.iter().map(of));
        answer.insert(
            word,
            object!({
                "statistic": pick(|one| one.statistic),
                "p_value": pick(|one| one.p_value),
                "arms_joint": chi_squared(test.joint(&arms)?),
                "global": chi_squared(test.global),
            }),
        );
    }
    Ok(answer.into())
}

/// The part of a matrix at the first positions.
pub(super) fn leading(values: ArrayView2<f64>, size: usize) -> Value {
    matrix(&Array2::from_shape_fn((size, size), |(i, j)| values[[i, j]]))
}
