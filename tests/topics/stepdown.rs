//! Topic "stepdown": step-down from null statistics, graphs, serial gates, closed tests, false discovery.

use super::case::{Answer, Case, json, list, matrix};
use super::multiplicity::{against_control, graph};
use armwise::multiplicity::{
    Adjustment, Alternative, closed_test, romano_wolf, serial_gatekeeping, two_stage_rejections,
};
use armwise::ndarray::Array2;
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    if case.has_input("transitions") {
        graph(case)
    } else if case.has_input("families") {
        serial(case)
    } else if case.has_input("draws") {
        given_draws(case)
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
