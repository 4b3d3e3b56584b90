//! Topic "missing_outcomes": combined imputations, reference-based imputation over waves, grids, weights and bounds.

use super::case::{Answer, Case, json, list};
use super::pipeline::table;
use armwise::Table;
use armwise::effect::{Estimates, Inference, Interval, Scale};
use armwise::missing::{
    CombinedImputations, CompleteDf, DeviationBounds, ImputedComparison, ImputedEstimates, ImputedTrial,
    LeeBounds, LeeBoundsByCell, MissingEvents, MonotoneBounds, PartlyObserved, ReferenceBased,
    ReferenceStrategy, Selection, TippingTest, TrimmedArm, Waves, WavesLikelihood, WorstCase,
};
use armwise::ndarray::{Array1, Array2};
use armwise::prelude::*;
use armwise::regression::{Category, Family, Glm, ModelMatrix};
use armwise::weighting::{InverseProbability, Normalization, NuisanceVariance};
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    match case.word("analysis") {
        "reference_based_conditional_mean" => reference_based(case),
        "delta_grid" => delta_grid(case),
        "tipping_point_grid" => tipping_grid(case),
        "ipw_means" | "ipw_regression" => weights(case),
        "monotone_bounds" => monotone(case),
        "kling_liebman" => deviations(case),
        "lee_bounds_covariate" => lee_by_cell(case),
        analysis => imputed(case, analysis),
    }
}

fn names<'a>(case: &Case<'a>, key: &str) -> Vec<&'a str> {
    let all = case.option(key).as_array().unwrap_or_else(|| panic!("{}: {key} is no list", case.name));
    all.iter().map(|name| name.as_str().expect("a name")).collect()
}

fn numbers(case: &Case, key: &str) -> Vec<f64> {
    serde_json::from_value(case.option(key).clone())
        .unwrap_or_else(|why| panic!("{}: {key}: {why}", case.name))
}

/// The control arm, then those of the case.
fn arms<'a>(case: &Case<'a>) -> Vec<&'a str> {
    std::iter::once(case.word("control")).chain(names(case, "arms")).collect()
}

fn rows(matrix: &Array2<f64>) -> Value {
    Value::Array(matrix.rows().into_iter().map(|row| list(row.to_vec())).collect())
}

/// A column of numbers, NaN where missing.
fn column(table: &Table, name: &str) -> armwise::Result<Array1<f64>> {
    Ok(table.column(name)?.reals()?.map(|value| value.unwrap_or(f64::NAN)).collect())
}

/// The place of everybody's arm among these, all others left out.
fn codes(table: &Table, arms: &[&str]) -> armwise::Result<Vec<Option<usize>>> {
    let labels = table.column("arm")?.to_categories()?;
    Ok(labels.categories()?.map(|label| arms.iter().position(|arm| Some(*arm) == label)).collect())
}

/// The table of a case, of a file or of the lists in its input.
fn data(case: &Case) -> armwise::Result<Table> {
    if case.has_input("csv") {
        return table(case);
    }
    let labels: Vec<&str> =
        case.input("arm").as_array().expect("arms").iter().map(|arm| arm.as_str().expect("an arm")).collect();
    let mut table = Table::new().with_categories("arm", labels)?;
    for name in ["imputation", "participant", "wellbeing"] {
        table = table.with_reals(name, case.numbers(name))?;
    }
    Ok(table)
}

fn stacked(case: &Case) -> armwise::Result<ImputedTrial> {
    let table = data(case)?;
    let arms = arms(case);
    let keep: Vec<bool> = codes(&table, &arms)?.iter().map(Option::is_some).collect();
    ImputedTrial::from_stacked(&table.keep(&keep)?, "imputation", "participant", |table| {
        Trial::builder("trial", table).arm_labels("arm").control(arms[0]).build()
    })
}

fn complete_df(case: &Case) -> CompleteDf {
    match super::case::number(case.option("complete_data_df")) {
        Some(df) if df.is_finite() => CompleteDf::Number(df),
        Some(_) => CompleteDf::Infinite,
        None => CompleteDf::OfEstimator,
    }
}

/// Estimates, variances and covariances of each imputation, and what they say together.
fn imputed(case: &Case, analysis: &str) -> Answer {
    let outcome = case.word("outcome");
    let covariates = names(case, "covariates");
    assert_eq!(case.option("imputation"), "imputation", "{}", case.name);
    let trial = stacked(case)?;
    let level = case.level();
    let score = || -> armwise::Result<ImputedComparison<Continuous>> {
        Ok(trial.on(&Measure::continuous("").from_column(outcome))?.complete_df(complete_df(case)))
    };
    let event = || -> armwise::Result<ImputedComparison<Binary>> {
        Ok(trial.on(&Measure::binary("").from_column(outcome))?.complete_df(complete_df(case)))
    };
    let logistic = LogisticRegression::new().adjust_for(&covariates).level(level);
    let delta = MarginalVariance::Delta(VarianceType::Model);
    match analysis {
        "difference_in_means" => {
            assert!(covariates.is_empty(), "{}", case.name);
            combined(case, &score()?.estimate(&DifferenceInMeans::new().level(level))?)
        }
        "linear_regression" | "linear_regression_hc2" => {
            let variance = if analysis.ends_with("hc2") { VarianceType::Hc2 } else { VarianceType::Model };
            let model = LinearRegression::new().adjust_for(&covariates).variance(variance).level(level);
            combined(case, &score()?.estimate(&model)?)
        }
        "marginal_risk_difference" => {
            combined(case, &event()?.estimate(&logistic.marginal(RiskDifference).variance(delta))?)
        }
        "marginal_log_risk_ratio" => {
            combined(case, &event()?.estimate(&logistic.marginal(LogRiskRatio).variance(delta))?)
        }
        "marginal_log_odds_ratio" => {
            combined(case, &event()?.estimate(&logistic.marginal(LogOddsRatio).variance(delta))?)
        }
        other => panic!("{}: the analysis {other}", case.name),
    }
}

/// The places of the arms of the case among the treatments.
fn places<S: Scale>(case: &Case, of: &Estimates<S>) -> Vec<usize> {
    let place = |arm: &str| of.treatments().position(|label| label.as_str() == arm).expect("a treatment");
    names(case, "arms").into_iter().map(place).collect()
}

fn combined<S: Scale>(case: &Case, effects: &ImputedEstimates<S>) -> Answer {
    let places = places(case, effects);
    let (each, parts, joint) = (effects.each(), effects.combined(), effects.joint());
    let of = |value: &dyn Fn(&CombinedImputations) -> f64| list(places.iter().map(|&k| value(&parts[k])));
    let own = |one: &Estimates<S>, value: &dyn Fn(usize) -> f64| {
        let _ = one;
        list(places.iter().map(|&k| value(k)))
    };
    let square = |matrix: &Array2<f64>| {
        Array2::from_shape_fn((places.len(), places.len()), |(i, j)| matrix[[places[i], places[j]]])
    };
    let covariances: Vec<Value> = each
        .iter()
        .map(|one| match *places {
            [i, j] => json(one.covariance()[[i, j]]),
            _ => rows(&square(&one.covariance().to_owned())),
        })
        .collect();
    let n: u64 = each[0].reference_counts().analysed
        + each[0].contrasts.iter().map(|one| one.treatment.counts.analysed).sum::<u64>();
    Ok(object!({
        "imputations": each.len(),
        "n": n,
        "estimates": each.iter().map(|one| own(one, &|k| one.contrasts[k].value())).collect::<Vec<_>>(),
        "variances": each.iter().map(|one| own(one, &|k| one.covariance()[[k, k]])).collect::<Vec<_>>(),
        "covariances": covariances,
        "pooled": {
            "estimate": of(&|one| one.inference.value()),
            "within_variance": of(&|one| one.within_variance),
            "between_variance": of(&|one| one.between_variance),
            "total_variance": of(&|one| one.total_variance),
            "se": of(&|one| one.inference.se()),
            "relative_increase": of(&|one| one.relative_increase),
            "lambda": of(&|one| one.lambda),
            "df": of(&|one| one.inference.df().unwrap_or(f64::INFINITY)),
            "fraction_missing_information":
                of(&|one| one.fraction_of_missing_information.unwrap_or(f64::NAN)),
            "ci_lower": of(&|one| one.inference.interval().lower()),
            "ci_upper": of(&|one| one.inference.interval().upper()),
            "statistic": of(&|one| one.inference.value() / one.inference.se()),
            "p_value": of(&|one| one.inference.p_value()),
        },
        "total_covariance": rows(&square(&joint.total)),
        "joint_d1": {
            "statistic": json(joint.test.statistic),
            "df1": json(joint.test.df),
            "df2": joint.test.denominator_df.map_or(json(f64::INFINITY), json),
            "relative_increase": json(joint.relative_increase),
            "p_value": json(joint.test.p_value),
        },
    }))
}

fn delta_grid(case: &Case) -> Answer {
    let (outcome, arm, alpha) =
        (case.word("outcome"), case.word("arm"), case.option("alpha").as_f64().expect("a level"));
    let covariates = names(case, "covariates");
    let trial = stacked(case)?.imputed_where(outcome, case.word("imputed"))?;
    let model = LinearRegression::new().adjust_for(&covariates).variance(VarianceType::Model);
    let model =
        if covariates.is_empty() { LinearRegression::new().variance(VarianceType::Model) } else { model };
    let measure = Measure::continuous("").from_column(outcome);
    let (deltas, of_control) = (numbers(case, "delta_arm"), numbers(case, "delta_control"));
    let mut cells = Vec::new();
    for delta in deltas {
        let shifted = trial.delta(outcome, arm, delta)?;
        let row: armwise::Result<Vec<_>> = of_control
            .iter()
            .map(|delta| {
                let shifted = shifted.delta(outcome, case.word("control"), *delta)?;
                shifted.on(&measure)?.complete_df(complete_df(case)).estimate(&model)?.treatment(arm)
            })
            .collect();
        cells.push(row?);
    }
    let of = |value: &dyn Fn(&Estimate<MeanDifference>) -> Value| -> Value {
        cells.iter().map(|row| row.iter().map(value).collect::<Vec<_>>()).collect::<Vec<_>>().into()
    };
    Ok(object!({
        "estimate": of(&|one| json(one.value())),
        "se": of(&|one| json(one.se())),
        "p_value": of(&|one| json(one.p_value())),
        "significant": of(&|one| (one.p_value() < alpha).into()),
    }))
}

fn tipping_grid(case: &Case) -> Answer {
    assert!(case.word("test").contains("unpooled"), "{}", case.name);
    let count = |key: String| case.input(&key).as_u64().expect("a number of people");
    let arm = |arm: &str| ["events", "observed", "n"].map(|what| count(format!("{what}_{arm}")));
    let trial = MissingEvents::new(arm("treatment"), arm("control"))?.test(TippingTest::Unpooled);
    let alpha = case.option("alpha").as_f64().expect("a level");
    let p_values = trial.grid()?;
    let below = p_values.iter().filter(|p| **p < alpha).count();
    let significant: Vec<Vec<bool>> =
        p_values.rows().into_iter().map(|row| row.iter().map(|p| *p < alpha).collect()).collect();
    Ok(object!({
        "risk_difference": rows(&trial.differences()?),
        "p_value": rows(&p_values),
        "significant": significant,
        "share_significant": json(below as f64 / p_values.len() as f64),
    }))
}

fn reference_based(case: &Case) -> Answer {
    let strategy = match case.word("strategy") {
        "missing_at_random" => ReferenceStrategy::MissingAtRandom,
        "jump_to_reference" => ReferenceStrategy::JumpToReference,
        "copy_reference" => ReferenceStrategy::CopyReference,
        "copy_increments_in_reference" => ReferenceStrategy::CopyIncrements,
        other => panic!("{}: strategy {other}", case.name),
    };
    let likelihood = match case.word("method") {
        "ML" => WavesLikelihood::Full,
        "REML" => WavesLikelihood::Restricted,
        other => panic!("{}: method {other}", case.name),
    };
    let _ = case.word("covariance");
    let arms: Vec<&str> = std::iter::once(case.word("reference")).chain(names(case, "arms")).collect();
    let table = data(case)?;
    let codes = codes(&table, &arms)?;
    let keep: Vec<bool> = codes.iter().map(Option::is_some).collect();
    let codes: Vec<u32> = codes.iter().flatten().map(|code| u32::try_from(*code).expect("a code")).collect();
    let table = table.keep(&keep)?;
    let waves = names(case, "waves");
    assert_eq!(waves.last(), Some(&case.word("final")), "{}", case.name);
    let stack = |names: &[&str]| -> armwise::Result<Array2<f64>> {
        let columns: Vec<Array1<f64>> =
            names.iter().map(|name| column(&table, name)).collect::<Result<_, _>>()?;
        Ok(Array2::from_shape_fn((table.rows(), names.len()), |(i, j)| columns[j][i]))
    };
    let (outcomes, covariates) = (stack(&waves)?, stack(&names(case, "covariates"))?);
    let waves = Waves::new(outcomes.view(), Category::new(&codes, arms), covariates.view())?;
    let fit = ReferenceBased::new(strategy).likelihood(likelihood).fit(&waves)?;
    let mut answer = object!({
        "n": waves.people(),
        "n_observed": waves.seen(),
        "mean_coefficients": rows(&fit.coefficients),
        "covariance": rows(&fit.covariance),
        "imputed_final": list(fit.imputed.iter().map(|&row| fit.completed[row])),
        "arm_means_final": list(fit.arm_means.iter().copied()),
        "estimate": list(fit.effects.iter().copied()),
    });
    if case.expected.contains_key("jackknife_se") {
        answer["jackknife_se"] = list(fit.covariance_of_effects()?.diag().iter().map(|v| v.sqrt()));
    }
    Ok(answer)
}

fn weights(case: &Case) -> Answer {
    let (table, arms) = (data(case)?, arms(case));
    let codes = codes(&table, &arms)?;
    let keep: Vec<bool> = codes.iter().map(Option::is_some).collect();
    let codes: Vec<u32> = codes.iter().flatten().map(|code| u32::try_from(*code).expect("a code")).collect();
    let table = table.keep(&keep)?;
    let model = case.option("response_model");
    assert_eq!(model["family"], "logistic", "{}", case.name);
    let terms: Vec<&str> =
        model["covariates"].as_array().expect("terms").iter().filter_map(Value::as_str).collect();
    let category = || Category::new(&codes, arms.iter().copied());
    let mut columns: Vec<(&str, Array1<f64>)> = Vec::new();
    for name in terms.iter().filter(|name| **name != "arms") {
        columns.push((name, column(&table, name)?));
    }
    let mut matrix = ModelMatrix::new(codes.len()).intercept()?.category("arm", category())?;
    assert!(terms.contains(&"arms"), "{}", case.name);
    for (name, values) in &columns {
        matrix = matrix.numeric(*name, values.view())?;
    }
    let observed = column(&table, case.word("observed"))?;
    let outcome = column(&table, case.word("outcome"))?;
    let response = Glm::new(Family::Binomial).fit(&matrix, &observed)?;
    let weights = InverseProbability::of_response(&response, "arm")?;
    let mut sums = vec![0.0; arms.len()];
    for (code, weight) in codes.iter().zip(weights.weights()) {
        sums[*code as usize] += weight;
    }
    let mut answer = object!({
        "n": codes.len(),
        "n_observed": observed.iter().filter(|seen| **seen == 1.0).count(),
        "response_coefficients": list(response.coefficients().to_vec()),
        "weight_sum": list(sums),
        "weight_max": json(weights.weights().iter().copied().fold(0.0, f64::max)),
    });
    let others: Vec<&str> = names(case, "outcome_covariates");
    let k = arms.len();
    // Values and both covariances of the arms against the control.
    let (estimate, stacked, known) = if case.word("analysis") == "ipw_means" {
        assert!(others.is_empty(), "{}", case.name);
        let means = weights.means(outcome.view(), Normalization::Hajek)?;
        let (values, of_arms) = (means.values().to_vec(), means.covariance(NuisanceVariance::Stacked));
        let contrast = |of: &Array2<f64>| {
            Array2::from_shape_fn((k - 1, k - 1), |(i, j)| {
                of[[i + 1, j + 1]] - of[[i + 1, 0]] - of[[0, j + 1]] + of[[0, 0]]
            })
        };
        if outcome.iter().all(|y| y.is_nan() || *y == 0.0 || *y == 1.0) {
            let ratio = |i: usize| (values[i] / values[0]).ln();
            let se = |i: usize| {
                let (one, two) = (1.0 / values[i], -1.0 / values[0]);
                (one * one * of_arms[[i, i]]
                    + two * two * of_arms[[0, 0]]
                    + 2.0 * one * two * of_arms[[i, 0]])
                .sqrt()
            };
            answer["log_risk_ratio"] = list((1..k).map(ratio));
            answer["log_risk_ratio_se"] = list((1..k).map(se));
        }
        answer["arm_means"] = list(values.iter().copied());
        answer["arm_covariance"] = rows(&of_arms);
        let estimate: Vec<f64> = values[1..].iter().map(|mean| mean - values[0]).collect();
        (estimate, contrast(&of_arms), contrast(&means.covariance(NuisanceVariance::Known)))
    } else {
        let mut columns: Vec<(&str, Array1<f64>)> = Vec::new();
        for name in &others {
            columns.push((name, column(&table, name)?));
        }
        let mut matrix = ModelMatrix::new(codes.len()).intercept()?.category("arm", category())?;
        for (name, values) in &columns {
            matrix = matrix.numeric(*name, values.view())?;
        }
        let fit = weights.regression(&matrix, outcome.view())?;
        let part = |of: &Array2<f64>| Array2::from_shape_fn((k - 1, k - 1), |(i, j)| of[[i + 1, j + 1]]);
        (
            fit.coefficients().iter().skip(1).take(k - 1).copied().collect(),
            part(&fit.covariance(NuisanceVariance::Stacked)),
            part(&fit.covariance(NuisanceVariance::Known)),
        )
    };
    let inference: Vec<Inference> = estimate
        .iter()
        .zip(stacked.diag())
        .map(|(value, variance)| Inference::wald(*value, variance.sqrt(), None, case.level()))
        .collect::<Result<_, _>>()?;
    answer["estimate"] = list(estimate);
    answer["covariance"] = rows(&stacked);
    answer["se"] = list(stacked.diag().iter().map(|v| v.sqrt()));
    answer["se_weights_known"] = list(known.diag().iter().map(|v| v.sqrt()));
    answer["ci_lower"] = list(inference.iter().map(|one| one.interval().lower()));
    answer["ci_upper"] = list(inference.iter().map(|one| one.interval().upper()));
    answer["p_value"] = list(inference.iter().map(Inference::p_value));
    Ok(answer)
}

/// The arms as they were seen, each restricted to the rows for which `within` is true.
fn partly(
    case: &Case,
    arms: &[&str],
    within: &dyn Fn(usize) -> bool,
) -> armwise::Result<Vec<PartlyObserved>> {
    let table = data(case)?;
    let codes = codes(&table, arms)?;
    let outcome = column(&table, case.word("outcome"))?;
    let arm = |place: usize| {
        let of: Vec<usize> = (0..codes.len()).filter(|&i| codes[i] == Some(place) && within(i)).collect();
        let seen: Vec<f64> = of.iter().map(|&i| outcome[i]).filter(|y| !y.is_nan()).collect();
        PartlyObserved::new(seen, of.len() as u64)
    };
    (0..arms.len()).map(arm).collect()
}

fn limits(interval: Interval) -> Value {
    list([interval.lower(), interval.upper()])
}

fn monotone(case: &Case) -> Answer {
    let arms = [case.word("control"), case.word("arm")];
    let both = partly(case, &arms, &|_| true)?;
    let (control, treatment) = (&both[0], &both[1]);
    let limit = |key: &str| case.option(key).as_f64().expect("a limit");
    let range = Interval::new(limit("outcome_min"), limit("outcome_max"))?;
    let selection = match case.word("selection") {
        "missing_not_higher" => Selection::MissingNotHigher,
        "missing_not_lower" => Selection::MissingNotLower,
        other => panic!("{}: selection {other}", case.name),
    };
    let worst = WorstCase::new(treatment, control, range)?;
    let bounds = MonotoneBounds::new(treatment, control, range, selection)?;
    let side = |arm: Interval, control: Interval, effect: Interval, se: Option<[f64; 2]>, ci: Interval| {
        let se = se.expect("standard errors");
        object!({
            "arm_bounds": limits(arm),
            "control_bounds": limits(control),
            "lower_bound": json(effect.lower()),
            "upper_bound": json(effect.upper()),
            "se_lower": json(se[0]),
            "se_upper": json(se[1]),
            "imbens_manski_ci": limits(ci),
        })
    };
    let level = case.level();
    let response = bounds.of_no_harm();
    Ok(object!({
        "worst_case": side(worst.treatment, worst.control, worst.effect, worst.se, worst.interval(level)?.interval),
        "monotone_selection":
            side(bounds.treatment, bounds.control, bounds.effect, bounds.se, bounds.interval(level)?.interval),
        "monotone_selection_and_response": {
            "lower_bound": json(response.lower()),
            "upper_bound": json(response.upper()),
        },
    }))
}

fn deviations(case: &Case) -> Answer {
    let all = partly(case, &arms(case), &|_| true)?;
    let (control, treatments) = (&all[0], &all[1..]);
    let bounds: Vec<Vec<DeviationBounds>> = numbers(case, "k")
        .into_iter()
        .map(|k| treatments.iter().map(|treatment| DeviationBounds::new(treatment, control, k)).collect())
        .collect::<Result<_, _>>()?;
    let of = |value: &dyn Fn(&DeviationBounds) -> f64| -> Value {
        bounds.iter().map(|row| list(row.iter().map(value))).collect::<Vec<_>>().into()
    };
    let sd: Vec<f64> = all.iter().map(PartlyObserved::sd).collect::<Result<_, _>>()?;
    Ok(object!({
        "observed_mean": list(all.iter().map(PartlyObserved::mean)),
        "observed_sd": list(sd),
        "upper": of(&|one| one.effect.upper()),
        "upper_se": of(&|one| one.se[1]),
        "lower": of(&|one| one.effect.lower()),
        "lower_se": of(&|one| one.se[0]),
    }))
}

/// Whether a value lies in a cell: a value, `<= a`, `a to b`, `> b`.
fn in_cell(cell: &str, value: f64) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().unwrap_or_else(|_| panic!("the cell {cell}"));
    if let Some((low, high)) = cell.split_once(" to ") {
        return (number(low)..=number(high)).contains(&value);
    }
    for (sign, holds) in [
        ("<=", (|a, b| a <= b) as fn(f64, f64) -> bool),
        (">=", |a, b| a >= b),
        ("<", |a, b| a < b),
        (">", |a, b| a > b),
    ] {
        if let Some(rest) = cell.strip_prefix(sign) {
            return holds(value, number(rest));
        }
    }
    value == number(cell)
}

fn lee_by_cell(case: &Case) -> Answer {
    if case.has_input("outcome") {
        let (outcome, treated, cell) =
            (case.numbers("outcome"), case.numbers("treatment"), case.numbers("covariate"));
        let mut values = cell.clone();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let arm = |value: f64, code: f64| {
            let of = || (0..cell.len()).filter(|&i| cell[i] == value && treated[i] == code);
            let seen = of().map(|i| outcome[i]).filter(|y| !y.is_nan()).collect();
            PartlyObserved::new(seen, of().count() as u64)
        };
        let cells: Vec<[PartlyObserved; 2]> = values
            .into_iter()
            .map(|value| Ok([arm(value, 1.0)?, arm(value, 0.0)?]))
            .collect::<Result<_, armwise::Error>>()?;
        return by_cell(&LeeBoundsByCell::new(&cells)?, None);
    }
    let arms = [case.word("arm"), case.word("control")];
    let covariate = column(&data(case)?, case.word("covariate"))?;
    let cells: Vec<[PartlyObserved; 2]> = names(case, "cells")
        .into_iter()
        .map(|cell| {
            let both = partly(case, &arms, &|row| in_cell(cell, covariate[row]))?;
            Ok([both[0].clone(), both[1].clone()])
        })
        .collect::<Result<_, armwise::Error>>()?;
    let whole = partly(case, &arms, &|_| true)?;
    by_cell(&LeeBoundsByCell::new(&cells)?, Some(LeeBounds::new(&whole[0], &whole[1])?))
}

fn by_cell(bounds: &LeeBoundsByCell, whole: Option<LeeBounds>) -> Answer {
    let whole = whole.unwrap_or(bounds.without_cells);
    let of = |value: fn(&LeeBounds) -> f64| list(bounds.cells.iter().map(value));
    Ok(object!({
        "trimmed_arm": match bounds.trimmed {
            TrimmedArm::Treatment => "treatment",
            TrimmedArm::Control => "control",
            _ => "none",
        },
        "cell_trimming_share": of(|cell| cell.share),
        "cell_lower": of(|cell| cell.effect.lower()),
        "cell_upper": of(|cell| cell.effect.upper()),
        "cell_weights": list(bounds.weights.iter().copied()),
        "lower_bound": json(bounds.effect.lower()),
        "upper_bound": json(bounds.effect.upper()),
        "lower_bound_without_covariate": json(whole.effect.lower()),
        "upper_bound_without_covariate": json(whole.effect.upper()),
    }))
}
