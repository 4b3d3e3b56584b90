//! Topic "multiplicity": adjusted and combined p-values, graphs, Dunnett, max-t and Tukey.

use super::case::{Answer, Case, json, list, matrix, number};
use armwise::mean::Sample;
use armwise::multiplicity::{
    Adjustment, Alternative, Combination, Contrasts, Graph, GroupMeans, MultivariateT, SimultaneousInference,
};
use armwise::ndarray::{Array2, ArrayView2};
use serde_json::{Value, json as object};

pub fn answer(case: &Case) -> Answer {
    if case.has_input("transitions") {
        graph(case)
    } else if case.has_input("weights") {
        combinations(case)
    } else if case.has_input("p_values") {
        adjusted(case)
    } else if case.has_input("lambda") {
        critical_values(case)
    } else if case.has_input("events") {
        proportions(case)
    } else if case.has_input("vcov") {
        general(case)
    } else if case.has_input("control") {
        dunnett(case)
    } else {
        tukey(case)
    }
}

/// Infinite and absent degrees of freedom are those of the normal distribution.
fn df(case: &Case) -> Option<f64> {
    number(case.input("df")).filter(|df| df.is_finite())
}

fn alpha(case: &Case) -> f64 {
    case.option("alpha").as_f64().unwrap_or(0.05)
}

fn adjusted(case: &Case) -> Answer {
    let p = case.numbers("p_values");
    let by = |adjustment: Adjustment| Ok::<_, armwise::Error>(list(adjustment.adjust(&p)?));
    let rejected = |adjustment: Adjustment| adjustment.reject(&p, alpha(case));
    Ok(object!({
        "bonferroni": by(Adjustment::Bonferroni)?,
        "holm": by(Adjustment::Holm)?,
        "hochberg": by(Adjustment::Hochberg)?,
        "hommel": by(Adjustment::Hommel)?,
        "bh": by(Adjustment::BenjaminiHochberg)?,
        "by": by(Adjustment::BenjaminiYekutieli)?,
        "sidak": by(Adjustment::Sidak)?,
        "holm_sidak": by(Adjustment::HolmSidak)?,
        "fixed_sequence": by(Adjustment::FixedSequence)?,
        "rejected_holm": rejected(Adjustment::Holm)?,
        "rejected_bh": rejected(Adjustment::BenjaminiHochberg)?,
        "rejected_hommel": rejected(Adjustment::Hommel)?,
    }))
}

fn combinations(case: &Case) -> Answer {
    let (p, weights) = (case.numbers("p_values"), case.numbers("weights"));
    let fisher = Combination::Fisher.combine(&p)?;
    let stouffer = Combination::Stouffer.combine(&p)?;
    let weighted = Combination::Stouffer.combine_weighted(&p, &weights)?;
    let cauchy = Combination::Cauchy.combine(&p)?;
    Ok(object!({
        "fisher_statistic": json(fisher.statistic),
        "fisher_df": fisher.df,
        "fisher_p": json(fisher.p_value),
        "stouffer_z": json(stouffer.statistic),
        "stouffer_p": json(stouffer.p_value),
        "stouffer_weighted_z": json(weighted.statistic),
        "stouffer_weighted_p": json(weighted.p_value),
        "tippett_p": json(Combination::Tippett.combine(&p)?.p_value),
        "simes_p": json(Combination::Simes.combine(&p)?.p_value),
        "cauchy_statistic": json(cauchy.statistic),
        "cauchy_p": json(cauchy.p_value),
        "pearson_statistic": json(Combination::Pearson.combine(&p)?.statistic),
    }))
}

pub(super) fn graph(case: &Case) -> Answer {
    let transitions = matrix(case.input("transitions")).expect("a matrix of transitions");
    let graph = Graph::new(case.numbers("weights"), transitions)?;
    let test = graph.test(&case.numbers("p_values"), alpha(case))?;
    let rows = test.remaining.transitions().iter().map(|row| list(row.iter().copied()));
    Ok(object!({
        "adjusted_p_values": list(test.adjusted),
        "rejected": test.rejected,
        "order": test.order,
        "final_weights": list(test.remaining.weights().iter().copied()),
        "final_transitions": rows.collect::<Value>(),
    }))
}

/// The groups in the order of their codes, the control first.
fn groups(case: &Case) -> armwise::Result<(Vec<i64>, Vec<Sample>)> {
    let y = case.numbers("y");
    let codes: Vec<i64> =
        case.input("group").as_array().expect("codes").iter().filter_map(Value::as_i64).collect();
    assert_eq!(y.len(), codes.len());
    let control = case.input("control").as_i64();
    let mut order = codes.clone();
    order.sort_unstable();
    order.dedup();
    order.sort_by_key(|code| Some(*code) != control);
    let sample = |code: &i64| {
        let own: Vec<f64> = y.iter().zip(&codes).filter(|(_, c)| *c == code).map(|(y, _)| *y).collect();
        Sample::of(&own)
    };
    let samples = order.iter().map(sample).collect::<armwise::Result<_>>()?;
    Ok((order, samples))
}

pub(super) fn against_control(case: &Case) -> armwise::Result<(Vec<i64>, Vec<Sample>, GroupMeans)> {
    assert_eq!(case.word("variance"), "pooled over all arms");
    let (mut codes, samples) = groups(case)?;
    assert_eq!(codes.remove(0), case.input("control").as_i64().expect("a control"));
    let means = GroupMeans::new(&samples)?;
    Ok((codes, samples, means))
}

fn rows(matrix: ArrayView2<f64>) -> Value {
    matrix.outer_iter().map(|row| list(row.iter().copied())).collect()
}

/// One number of every contrast.
macro_rules! column {
    ($of:expr, $field:ident) => {
        list($of.contrasts.iter().map(|one| one.$field))
    };
}

fn limits(of: &SimultaneousInference) -> [Value; 2] {
    [
        list(of.contrasts.iter().map(|one| one.interval.lower())),
        list(of.contrasts.iter().map(|one| one.interval.upper())),
    ]
}

fn dunnett(case: &Case) -> Answer {
    let (codes, samples, means) = against_control(case)?;
    let contrasts = means.dunnett(0)?;
    let both = contrasts.simultaneous(Alternative::TwoSided, case.level())?;
    let greater = contrasts.simultaneous(Alternative::Greater, case.level())?;
    let [lower, upper] = limits(&both);
    Ok(object!({
        "groups": codes,
        "n": samples.iter().map(|sample| sample.n).collect::<Vec<_>>(),
        "means": list(samples.iter().map(|sample| sample.mean)),
        "pooled_variance": json(means.pooled_variance()),
        "df": means.df(),
        "estimate": column!(both, estimate),
        "se": column!(both, se),
        "statistic": column!(both, statistic),
        "correlation": rows(contrasts.correlation()),
        "p_unadjusted": column!(both, p_value),
        "p_single_step": column!(both, single_step),
        "p_step_down": column!(both, step_down),
        "critical_value_two_sided": json(both.critical_value),
        "ci_lower": lower,
        "ci_upper": upper,
        "p_single_step_greater": column!(greater, single_step),
        "p_step_down_greater": column!(greater, step_down),
        "critical_value_one_sided": json(greater.critical_value),
        "lower_bound_one_sided": limits(&greater)[0],
    }))
}

fn critical_values(case: &Case) -> Answer {
    let lambda = case.numbers("lambda");
    let correlation =
        Array2::from_shape_fn(
            (lambda.len(), lambda.len()),
            |(i, j)| {
                if i == j { 1.0 } else { lambda[i] * lambda[j] }
            },
        );
    let t = MultivariateT::new(correlation.view(), df(case))?;
    let two_sided = |alpha: f64| t.critical_value(1.0 - alpha, Alternative::TwoSided).map(json);
    let one_sided = |alpha: f64| t.critical_value(1.0 - alpha, Alternative::Greater).map(json);
    let p = |c: f64| t.tail_of_maximum(c, Alternative::TwoSided).map(|tail| json(tail.probability));
    Ok(object!({
        "correlation": rows(correlation.view()),
        "two_sided_05": two_sided(0.05)?,
        "two_sided_01": two_sided(0.01)?,
        "two_sided_10": two_sided(0.1)?,
        "one_sided_05": one_sided(0.05)?,
        "one_sided_025": one_sided(0.025)?,
        "p_two_sided_at_2_5": p(2.5)?,
        "p_two_sided_at_4": p(4.0)?,
    }))
}

/// Proportions against the first, with unpooled variances.
fn proportions(case: &Case) -> Answer {
    let (x, n) = (case.numbers("events"), case.numbers("n"));
    let p: Vec<f64> = x.iter().zip(&n).map(|(x, n)| x / n).collect();
    let logit = |i: usize| (p[i] / (1.0 - p[i])).ln();
    let against_first = |value: &dyn Fn(usize) -> f64, variance: &dyn Fn(usize) -> f64| -> Answer {
        let k = p.len() - 1;
        let estimates: Vec<f64> = (1..=k).map(|i| value(i) - value(0)).collect();
        let covariance =
            Array2::from_shape_fn((k, k), |(i, j)| variance(0) + if i == j { variance(i + 1) } else { 0.0 });
        let contrasts = Contrasts::new(&estimates, covariance.view(), None)?;
        let both = contrasts.simultaneous(Alternative::TwoSided, case.level())?;
        let [lower, upper] = limits(&both);
        Ok(object!({
            "estimate": column!(both, estimate),
            "se": column!(both, se),
            "z": column!(both, statistic),
            "correlation": rows(contrasts.correlation()),
            "p_single_step": column!(both, single_step),
            "p_step_down": column!(both, step_down),
            "critical_value": json(both.critical_value),
            "ci_lower": lower,
            "ci_upper": upper,
        }))
    };
    Ok(object!({
        "rd": against_first(&|i| p[i], &|i| p[i] * (1.0 - p[i]) / n[i])?,
        "log_or": against_first(&logit, &|i| 1.0 / (n[i] * p[i] * (1.0 - p[i])))?,
    }))
}

fn general(case: &Case) -> Answer {
    let vcov = matrix(case.input("vcov")).expect("a covariance");
    let covariance = Array2::from_shape_fn((vcov.len(), vcov.len()), |(i, j)| vcov[i][j]);
    let contrasts = Contrasts::new(&case.numbers("estimate"), covariance.view(), df(case))?;
    let both = contrasts.simultaneous(Alternative::TwoSided, case.level())?;
    let [lower, upper] = limits(&both);
    Ok(object!({
        "statistic": column!(both, statistic),
        "correlation": rows(contrasts.correlation()),
        "p_single_step": column!(both, single_step),
        "critical_value": json(both.critical_value),
        "ci_lower": lower,
        "ci_upper": upper,
    }))
}

fn tukey(case: &Case) -> Answer {
    let (codes, samples) = groups(case)?;
    let means = GroupMeans::new(&samples)?;
    let tukey = means.tukey(case.level())?;
    Ok(object!({
        "pairs": tukey.pairs.iter().map(|pair| [codes[pair.group], codes[pair.reference]]).collect::<Vec<_>>(),
        "estimate": list(tukey.pairs.iter().map(|pair| pair.estimate)),
        "se_studentised": list(tukey.pairs.iter().map(|pair| pair.se / std::f64::consts::SQRT_2)),
        "q_statistic": list(tukey.pairs.iter().map(|pair| pair.q)),
        "p_adjusted": list(tukey.pairs.iter().map(|pair| pair.p_value)),
        "critical_q": json(tukey.critical_q),
        "ci_lower": list(tukey.pairs.iter().map(|pair| pair.interval.lower())),
        "ci_upper": list(tukey.pairs.iter().map(|pair| pair.interval.upper())),
        "df": tukey.df,
        "pooled_variance": json(means.pooled_variance()),
    }))
}

/// The Cauchy combination of a p-value below 2^-54: the oracle formed `0.5 - p`, which is 0.5 in doubles, so that
/// the p-value is lost (Tippett's and Simes's of the same case are the smaller by orders of magnitude). What is
/// expected is that sum; what is right is `1 / tan(pi p)` for that p-value.
pub(super) fn cauchy_lost_its_p(case: &Case, key: &str, got: f64) -> bool {
    use std::f64::consts::PI;
    let p = case.numbers("p_values");
    let mean = |score: &dyn Fn(f64) -> f64| p.iter().map(|&p| score(p)).sum::<f64>() / p.len() as f64;
    let rounded = mean(&|p| ((0.5 - p) * PI).tan());
    let right = mean(&|p| if p < 1e-8 { 1.0 / (PI * p) } else { ((0.5 - p) * PI).tan() });
    let of = |statistic: f64| match key {
        "cauchy_statistic" => Some(statistic),
        "cauchy_p" => Some(f64::atan2(1.0, statistic) / PI),
        _ => None,
    };
    let near =
        |a: Option<f64>, b: Option<f64>| a.zip(b).is_some_and(|(a, b)| (a - b).abs() <= 1e-10 * b.abs());
    p.iter().any(|&p| p > 0.0 && 0.5 - p == 0.5)
        && near(case.expected.get(key).and_then(number), of(rounded))
        && near(Some(got), of(right))
}
