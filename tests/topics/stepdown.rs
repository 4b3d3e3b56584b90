//! Topic "stepdown": step-down from null statistics, graphs, serial gates, closed tests, false discovery.

use super::case::{Answer, Case, json, list, matrix};
use super::multiplicity::{against_control, graph};
use super::randomization::{design, statistic};
use armwise::data::Table;
use armwise::internal::reals;
use armwise::multiplicity::{
    Adjustment, Alternative, NullStatistics, StepDown, closed_test, romano_wolf, serial_gatekeeping,
    two_stage_rejections,
};
use armwise::ndarray::{Array1, Array2};
use armwise::randomization::Replay;
use armwise::regression::{Family, Glm, ModelMatrix, VarianceType};
use armwise::summary_index::{IndexCovariance, MeanStandardizedEffect, SummaryIndex};
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    if case.has_input("transitions") {
        graph(case)
    } else if case.has_input("families") {
        serial(case)
    } else if case.has_input("draws") {
        given_draws(case)
    } else if case.has_input("signs") {
        if case.expected.contains_key("joint_covariance_hc2") { mean_effect(case) } else { index(case) }
    } else if case.has_input("outcomes") {
        replayed(case)
    } else if case.has_input("treatment") {
        bootstrapped(case)
    } else if case.has_input("y") {
        closed_dunnett(case)
    } else {
        false_discovery(case)
    }
}

fn serial(case: &Case) -> Answer {
    let families = matrix(case.input("families")).expect("families");
    let alpha = case.option("alpha").as_f64().expect("an alpha");
    let adjusted = serial_gatekeeping(&families, Adjustment::Holm)?;
    let rejected: Vec<Vec<bool>> =
        adjusted.iter().map(|family| family.iter().map(|p| *p <= alpha).collect()).collect();
    Ok(object!({
        "adjusted_p_values": adjusted.into_iter().map(list).collect::<Value>(),
        "rejected": rejected,
    }))
}

fn given_draws(case: &Case) -> Answer {
    let draws = matrix(case.input("draws")).expect("draws");
    let statistics = case.numbers("statistic");
    let draws = Array2::from_shape_fn((draws.len(), statistics.len()), |(b, j)| draws[b][j]);
    let alternative = match case.word("alternative") {
        "two_sided" => Alternative::TwoSided,
        "greater" => Alternative::Greater,
        "less" => Alternative::Less,
        other => panic!("{}: alternative {other}", case.name),
    };
    let test = romano_wolf(&statistics, draws.view(), alternative)?;
    Ok(object!({
        "p_unadjusted": list(test.unadjusted),
        "single_step": list(test.single_step),
        "step_down": list(test.step_down),
        "order": test.order,
    }))
}

fn closed_dunnett(case: &Case) -> Answer {
    let (_, samples, means) = against_control(case)?;
    let contrasts = means.dunnett(0)?;
    let together = contrasts.simultaneous(Alternative::TwoSided, 0.95)?;
    let t = contrasts.statistics();
    let p: Vec<f64> = together.contrasts.iter().map(|one| one.p_value).collect();
    let closed = closed_test(t.len(), |places| contrasts.intersection(places, Alternative::TwoSided))?;
    let bonferroni = closed_test(t.len(), |places| {
        let least = places.iter().map(|&i| p[i]).fold(1.0, f64::min);
        Ok((least * places.len() as f64).min(1.0))
    })?;
    // Step-down Dunnett is the closed test.
    for (one, closed) in together.contrasts.iter().zip(&closed.adjusted) {
        assert!((one.step_down - closed).abs() <= 1e-10, "{}: {} and {closed}", case.name, one.step_down);
    }
    let n0 = samples[0].n as f64;
    let lambda = samples[1..].iter().map(|sample| (sample.n as f64 / (sample.n as f64 + n0)).sqrt());
    let largest = |places: &[usize]| places.iter().map(|&i| t[i].abs()).fold(0.0, f64::max);
    let intersections: Value = closed
        .intersections
        .iter()
        .map(|one| {
            object!({
                "hypotheses": one.hypotheses,
                "statistic": json(largest(&one.hypotheses)),
                "p_value": json(one.p_value),
            })
        })
        .collect();
    Ok(object!({
        "statistic": list(t.iter().copied()),
        "df": means.df(),
        "correlation_lambda": list(lambda),
        "p_unadjusted": list(p.iter().copied()),
        "intersections": intersections,
        "adjusted_p_values": list(closed.adjusted),
        "adjusted_p_values_closed_bonferroni": list(bonferroni.adjusted),
    }))
}

fn false_discovery(case: &Case) -> Answer {
    let p = case.numbers("p_values");
    let by = |adjustment: Adjustment| Ok::<_, armwise::Error>(list(adjustment.adjust(&p)?));
    let two_stage = two_stage_rejections(&p, case.option("q").as_f64().expect("a rate"))?;
    let sharpened = Adjustment::SharpenedQ.adjust(&p)?;
    // Anderson's search on multiples of 0.001 is the exact value rounded up.
    let grid = sharpened.iter().map(|q| (((q * 1000.0 - 1e-9).ceil()).max(1.0) / 1000.0).min(1.0));
    Ok(object!({
        "hochberg": by(Adjustment::Hochberg)?,
        "hommel": by(Adjustment::Hommel)?,
        "sidak_step_down": by(Adjustment::HolmSidak)?,
        "benjamini_hochberg": by(Adjustment::BenjaminiHochberg)?,
        "benjamini_yekutieli": by(Adjustment::BenjaminiYekutieli)?,
        "two_stage_stage_one_rejections": two_stage.stage_one_rejections,
        "two_stage_rejected": two_stage.rejected,
        "sharpened_q_grid": list(grid),
        "sharpened_q": list(sharpened),
    }))
}

fn names(value: &Value) -> Vec<String> {
    value.as_array().expect("names").iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

fn replayed(case: &Case) -> Answer {
    let (table, assignments) = design(case)?;
    assert_eq!(case.option("conditional_on_other_arms").as_bool(), Some(false));
    let outcomes = names(case.input("outcomes"));
    let treatments: Vec<u32> = case.numbers("treatments").iter().map(|arm| *arm as u32).collect();
    // The order of the hypotheses is that of the replay: arms, and outcomes within each.
    let order = treatments.iter().flat_map(|arm| outcomes.iter().map(move |name| object!([arm, name])));
    assert_eq!(case.option("hypotheses"), &Value::Array(order.collect()));
    let mut replay = Replay::new(&assignments, statistic(case.word("statistic")))
        .treatments(&treatments)
        .control(case.number("control") as u32);
    for name in &outcomes {
        replay = replay.outcome(reals(&table, name)?);
    }
    let null = replay.run()?;
    let two_sided = null.step_down(Alternative::TwoSided)?;
    let greater = null.step_down(Alternative::Greater)?;
    let romano_wolf = null.romano_wolf(Alternative::TwoSided)?;
    assert_eq!(romano_wolf.step_down, two_sided.max_t_step_down, "{}", case.name);
    Ok(object!({
        "assignments": assignments.count(),
        "statistic": list(null.observed().iter().copied()),
        "p_unadjusted": list(two_sided.unadjusted),
        "max_t_single_step": list(two_sided.max_t_single_step),
        "max_t_step_down": list(two_sided.max_t_step_down),
        "order": two_sided.order,
        "min_p_single_step": list(two_sided.min_p_single_step),
        "min_p_step_down": list(two_sided.min_p_step_down),
        "p_unadjusted_greater": list(greater.unadjusted),
        "max_t_step_down_greater": list(greater.max_t_step_down),
    }))
}

/// Every resample of `n` people with replacement: how often each is in it, with its probability.
fn resamples(n: usize) -> Vec<(Vec<usize>, f64)> {
    fn fill(place: usize, left: usize, counts: &mut Vec<usize>, all: &mut Vec<Vec<usize>>) {
        if place + 1 == counts.len() {
            counts[place] = left;
            all.push(counts.clone());
            return;
        }
        for count in 0..=left {
            counts[place] = count;
            fill(place + 1, left - count, counts, all);
        }
    }
    let mut all = Vec::new();
    fill(0, n, &mut vec![0; n], &mut all);
    let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
    let probability = |counts: &Vec<usize>| {
        factorial(n) / counts.iter().map(|&k| factorial(k)).product::<f64>() / (n as f64).powf(n as f64)
    };
    all.into_iter()
        .map(|counts| {
            let p = probability(&counts);
            (counts, p)
        })
        .collect()
}

/// Romano and Wolf's step-down over every resample within arms.
fn bootstrapped(case: &Case) -> Answer {
    assert_eq!((case.word("statistic"), case.word("strata")), ("studentized_difference", "arm"));
    let arms = ["treatment", "control"].map(|arm| matrix(case.input(arm)).expect("a matrix"));
    let outcomes = arms[0][0].len();
    let welch = |counts: [&[usize]; 2], outcome: usize| {
        let moments = |arm: usize| {
            let values: Vec<f64> = arms[arm]
                .iter()
                .zip(counts[arm])
                .flat_map(|(row, &count)| std::iter::repeat_n(row[outcome], count))
                .collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            (mean, values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
        };
        let [(one, v1), (other, v0)] = [moments(0), moments(1)];
        (one - other, (v1 + v0).sqrt())
    };
    let all = arms.each_ref().map(|arm| resamples(arm.len()));
    let ones = arms.each_ref().map(|arm| vec![1; arm.len()]);
    let observed: Vec<(f64, f64)> = (0..outcomes).map(|k| welch([&ones[0], &ones[1]], k)).collect();
    let (mut values, mut weights, mut dropped) = (Vec::new(), Vec::new(), 0.0);
    for (treated, p1) in &all[0] {
        for (control, p0) in &all[1] {
            let own: Vec<(f64, f64)> = (0..outcomes).map(|k| welch([treated, control], k)).collect();
            if own.iter().any(|(_, se)| *se < 1e-12) {
                dropped += p1 * p0;
                continue;
            }
            values.extend(own.iter().zip(&observed).map(|((d, se), (own, _))| (d - own) / se));
            weights.push(p1 * p0);
        }
    }
    let t: Vec<f64> = observed.iter().map(|(d, se)| d / se).collect();
    let test = StepDown::new(&t, &values, Some(&weights), NullStatistics::All, Alternative::TwoSided)?;
    Ok(object!({
        "statistic": list(t),
        "se": list(observed.iter().map(|(_, se)| *se)),
        "p_unadjusted": list(test.unadjusted),
        "single_step": list(test.max_t_single_step),
        "step_down": list(test.max_t_step_down),
        "probability_dropped": dropped,
    }))
}

/// Outcomes, signs, who is treated, covariates.
type Outcomes = (Vec<Vec<f64>>, Vec<f64>, Vec<bool>, Vec<Vec<f64>>);

fn outcomes(case: &Case) -> Result<Outcomes, armwise::Error> {
    let table = Table::from_csv_path(case.csv())?;
    let columns = |key: &str| -> Result<Vec<Vec<f64>>, armwise::Error> {
        names(case.input(key)).iter().map(|name| Ok(reals(&table, name)?.to_vec())).collect()
    };
    let arm = reals(&table, case.input("arm").as_str().expect("a name"))?;
    assert!(arm.iter().all(|arm| *arm == case.number("treatment") || *arm == case.number("control")));
    let treated = arm.iter().map(|arm| *arm == case.number("treatment")).collect();
    Ok((columns("outcomes")?, case.numbers("signs"), treated, columns("covariates")?))
}

const VARIANCES: [(&str, VarianceType); 5] = [
    ("classical", VarianceType::Model),
    ("hc0", VarianceType::Hc0),
    ("hc1", VarianceType::Hc1),
    ("hc2", VarianceType::Hc2),
    ("hc3", VarianceType::Hc3),
];

/// Coefficient of the treatment with its standard errors, among those who have a value.
fn effect_of(
    values: &[Option<f64>],
    treated: &[bool],
    covariates: &[Vec<f64>],
) -> Result<(f64, Value), armwise::Error> {
    let rows: Vec<usize> = (0..values.len()).filter(|&row| values[row].is_some()).collect();
    let y: Vec<f64> = rows.iter().filter_map(|&row| values[row]).collect();
    let arm: Vec<f64> = rows.iter().map(|&row| f64::from(u8::from(treated[row]))).collect();
    let columns: Vec<Vec<f64>> =
        covariates.iter().map(|column| rows.iter().map(|&row| column[row]).collect()).collect();
    let (y, arm) = (Array1::from(y), Array1::from(arm));
    let columns: Vec<Array1<f64>> = columns.into_iter().map(Array1::from).collect();
    let mut matrix = ModelMatrix::new(y.len()).intercept()?.numeric("arm", arm.view())?;
    for (place, column) in columns.iter().enumerate() {
        matrix = matrix.numeric(format!("x{place}"), column.view())?;
    }
    let fit = Glm::new(Family::Gaussian).fit(&matrix, y.view())?;
    let mut errors = object!({});
    for (name, variance) in VARIANCES {
        errors[name] = Value::from(fit.covariance(variance)?[[1, 1]].sqrt());
    }
    Ok((fit.coefficients()[1], errors))
}

fn index(case: &Case) -> Answer {
    let (outcomes, signs, treated, covariates) = outcomes(case)?;
    let slices: Vec<&[f64]> = outcomes.iter().map(Vec::as_slice).collect();
    let of = |covariance: IndexCovariance| {
        let index = SummaryIndex::new(&slices, &signs, &treated, covariance)?;
        let (effect, se) = effect_of(&index.values, &treated, &covariates)?;
        let (normalised, normalised_se) = effect_of(&index.normalised(&treated)?, &treated, &covariates)?;
        let answer = object!({
            "covariance": index.covariance.rows().into_iter().map(|row| list(row.to_vec())).collect::<Value>(),
            "weights": list(index.weights.clone()),
            "index": index.values,
            "effect": effect,
            "se": se,
            "normalised_effect": normalised,
            "normalised_se": normalised_se,
        });
        Ok::<_, armwise::Error>((index, answer))
    };
    let (index, everybody) = of(IndexCovariance::Everybody)?;
    let (_, controls) = of(IndexCovariance::Controls)?;
    Ok(object!({
        "icw_covariance_all": everybody,
        "icw_covariance_control": controls,
        "control_means": index.control_means,
        "control_sds": index.control_sds,
    }))
}

fn mean_effect(case: &Case) -> Answer {
    let (outcomes, signs, treated, covariates) = outcomes(case)?;
    let [slices, columns] =
        [&outcomes, &covariates].map(|all| all.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let by = |variance| MeanStandardizedEffect::new(&slices, &signs, &treated, &columns, variance);
    let hc2 = by(VarianceType::Hc2)?;
    let mut se = object!({});
    for (name, variance) in VARIANCES {
        se[name] = Value::from(by(variance)?.se);
    }
    // Where everybody has all outcomes it is the regression of the mean z-score.
    let score = |person: usize| {
        let z = (0..slices.len()).map(|k| signs[k] * slices[k][person] / hc2.control_sds[k]);
        Some(z.sum::<f64>() / slices.len() as f64)
    };
    let scores: Vec<Option<f64>> = (0..treated.len()).map(score).collect();
    let (effect, score_se) = effect_of(&scores, &treated, &covariates)?;
    Ok(object!({
        "effects": hc2.effects,
        "control_sds": hc2.control_sds,
        "joint_covariance_hc2": hc2.covariance.rows().into_iter().map(|row| list(row.to_vec())).collect::<Value>(),
        "effect": hc2.value,
        "se": se,
        "effect_of_mean_z_score": effect,
        "se_of_mean_z_score": score_se,
    }))
}
