//! Topic "resampling": bootstrap, jackknife, wild cluster bootstrap.

use super::case::{Answer, Case, json, list};
use super::glm::read_csv;
use armwise::ndarray::{Array1, Array2, ArrayView2};
use armwise::resampling::{
    Acceleration, BootstrapCurve, BootstrapDistribution, BootstrapInterval, EventResamples, LeftOut,
    QuantileRule, Resamples, ResidualsOf, WildBootstrap, WildWeights,
};
use serde_json::{Map, Value, json as object};

const SEED: u64 = 20_161_104;
/// Enough for every case of the topic.
const LIMIT: usize = 10_000_000;

pub fn answer(case: &Case) -> Answer {
    let name = case.name.split('_').next().expect("a word");
    match name {
        "enumerated" if case.has_input("events_treatment") => two_proportions(case),
        "enumerated" | "cluster" => enumerated(case),
        "replicates" if case.has_input("replicate_se") => studentized(case),
        "replicates" => replicates(case),
        "jackknife" if case.has_input("csv") => clusters_left_out(case),
        "jackknife" => jackknife(case),
        "wild" | "error" => wild(case),
        "pairs" => pairs(case),
        other => panic!("{}: {other}", case.name),
    }
}

fn known(case: &Case, key: &str, words: &[&str]) {
    let word = case.word(key);
    assert!(words.contains(&word), "{}: {key} {word}", case.name);
}

/// The columns of a case with the units that are resampled and the strata of these.
struct Sample {
    /// Numbers of rows: the outcome, and what the statistic needs beside it.
    y: Vec<f64>,
    x: Vec<f64>,
    /// The group of the statistic (arm, or block times two and arm) of each row.
    cell: Vec<usize>,
    /// The unit of each row.
    unit: Vec<usize>,
    strata: Vec<u32>,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn sample(case: &Case) -> Sample {
    let strata_word = case.option("strata").as_str().unwrap_or("none").to_owned();
    let (y, x, cell): (Vec<f64>, Vec<f64>, Vec<usize>);
    let mut unit: Option<Vec<usize>> = None;
    if case.has_input("treatment") && !case.has_input("csv") {
        let (one, two) = (case.numbers("treatment"), case.numbers("control"));
        cell = std::iter::repeat_n(1, one.len()).chain(std::iter::repeat_n(0, two.len())).collect();
        y = one.into_iter().chain(two).collect();
        x = Vec::new();
    } else if case.has_input("csv") {
        let table = read_csv(case);
        let named = |key: &str| table[case.input(key).as_str().expect("a column")].clone();
        y = named("outcome");
        x = Vec::new();
        let arm = if case.has_input("arm") {
            let (treatment, control) = (case.number("treatment"), case.number("control"));
            named("arm")
                .iter()
                .map(|arm| {
                    assert!(*arm == treatment || *arm == control);
                    usize::from(*arm == treatment)
                })
                .collect()
        } else {
            vec![0; y.len()]
        };
        cell = if case.has_input("blocks") {
            named("blocks").iter().zip(&arm).map(|(block, arm)| 2 * *block as usize + arm).collect()
        } else {
            arm
        };
        if case.has_input("cluster") {
            known(case, "unit", &["cluster"]);
            unit = Some(named("cluster").iter().map(|code| *code as usize).collect());
        }
    } else {
        y = case.numbers("y");
        x = if case.has_input("x") { case.numbers("x") } else { Vec::new() };
        cell = vec![0; y.len()];
    }
    let unit = unit.unwrap_or_else(|| (0..y.len()).collect());
    let units = unit.iter().max().expect("a unit") + 1;
    let mut strata = vec![0; units];
    if strata_word != "none" {
        assert!(["arm", "block x arm"].contains(&strata_word.as_str()), "{}", case.name);
        unit.iter().zip(&cell).for_each(|(unit, cell)| strata[*unit] = *cell as u32);
    }
    Sample { y, x, cell, unit, strata }
}

impl Sample {
    /// The statistic with every unit as often as it was drawn.
    fn statistic(&self, name: &str, counts: &[u32]) -> f64 {
        let weight = |row: usize| f64::from(counts[self.unit[row]]);
        let rows = 0..self.y.len();
        let total = |values: &[f64]| rows.clone().map(|row| weight(row) * values[row]).sum::<f64>();
        let n: f64 = rows.clone().map(weight).sum();
        let mean_of = |cell: usize| {
            let of = rows.clone().filter(|row| self.cell[*row] == cell);
            let (n, sum) =
                of.fold((0.0, 0.0), |(n, sum), row| (n + weight(row), sum + weight(row) * self.y[row]));
            sum / n
        };
        match name {
            "mean" => total(&self.y) / n,
            "ratio" => total(&self.y) / total(&self.x),
            "plug_in_variance" => {
                let mean = total(&self.y) / n;
                rows.map(|row| weight(row) * (self.y[row] - mean).powi(2)).sum::<f64>() / n
            }
            "difference_in_means" => mean_of(1) - mean_of(0),
            "ratio_of_means" => mean_of(1) / mean_of(0),
            "blocked_difference_in_means" => {
                let blocks = self.cell.iter().max().expect("a cell") / 2 + 1;
                // The weights of the blocks are those of the full sample.
                let size = |block: usize| self.cell.iter().filter(|cell| **cell / 2 == block).count() as f64;
                let difference = |block: usize| mean_of(2 * block + 1) - mean_of(2 * block);
                (0..blocks).map(|block| size(block) * difference(block)).sum::<f64>() / self.y.len() as f64
            }
            other => panic!("statistic {other}"),
        }
    }
}

fn ends(curve: &BootstrapCurve, level: f64) -> Result<Value, armwise::Error> {
    let interval = curve.interval(level)?;
    Ok(list([interval.lower(), interval.upper()]))
}

/// What every enumerated case expects.
fn of_distribution(
    case: &Case,
    distribution: &BootstrapDistribution,
    acceleration: f64,
) -> Result<Map<String, Value>, armwise::Error> {
    known(case, "quantile", &["inverse_distribution_function"]);
    let level = case.level();
    let rule = QuantileRule::InverseDistribution;
    let estimate = distribution.estimate();
    let mut answer = Map::new();
    for (key, value) in [
        ("estimate", estimate),
        ("bootstrap_mean", distribution.mean()),
        ("bias", distribution.bias()),
        ("se", distribution.se()),
        ("probability_below", distribution.probability_below(estimate)),
        ("probability_equal", distribution.probability_equal(estimate)),
        ("acceleration", acceleration),
    ] {
        answer.insert(key.to_owned(), json(value));
    }
    for (key, kind) in [
        ("percentile", BootstrapInterval::Percentile),
        ("basic", BootstrapInterval::Basic),
        ("normal", BootstrapInterval::Normal),
        ("normal_bias_corrected", BootstrapInterval::NormalBiasCorrected),
        ("bca", BootstrapInterval::Bca),
        ("bca_half_ties", BootstrapInterval::BcaHalfTies),
    ] {
        let curve = distribution.clone().curve(kind, rule, acceleration)?;
        answer.insert(key.to_owned(), ends(&curve, level)?);
        if let Some(ties) = key.strip_prefix("bca") {
            answer.insert(format!("z0{ties}"), json(distribution.z0(kind)?));
            answer.insert(format!("bca_levels{ties}"), list(curve.levels(level)?));
        }
    }
    Ok(answer)
}

/// A run with draws must agree with the enumeration within its Monte Carlo error.
fn check_draws(case: &Case, drawn: &BootstrapDistribution) {
    let option = case.option("monte_carlo");
    let number = |key: &str| option[key].as_f64().expect("a number");
    let expected = |key: &str| case.expected[key].as_f64().expect("a number");
    assert!(
        (drawn.se() - expected("se")).abs() <= number("se_tolerance"),
        "{}: se {}",
        case.name,
        drawn.se()
    );
    let off = (drawn.mean() - expected("bootstrap_mean")).abs();
    assert!(off <= number("mean_tolerance"), "{}: mean {}", case.name, drawn.mean());
    let tail = 0.5 * (1.0 - case.level());
    for (key, p) in [("percentile_lower_between", tail), ("percentile_upper_between", 1.0 - tail)] {
        let got = drawn.quantile(p, QuantileRule::InverseDistribution);
        let [low, high] = [0, 1].map(|i| option[key][i].as_f64().expect("a limit"));
        assert!(got >= low - 1e-9 && got <= high + 1e-9, "{}: {key}: {got} in {low}..{high}", case.name);
    }
}

#[allow(clippy::cast_possible_truncation)]
fn draws(case: &Case) -> usize {
    case.option("monte_carlo")["draws"].as_u64().expect("a number of draws") as usize
}

fn enumerated(case: &Case) -> Answer {
    let sample = sample(case);
    let name = case.word("statistic");
    let statistic = |counts: &[u32]| sample.statistic(name, counts);
    let units = Resamples::within(&sample.strata)?;
    let estimate = statistic(&vec![1; units.units()]);
    let all = units.enumerated(LIMIT, |counts| Some(statistic(counts)))?;
    let distribution = BootstrapDistribution::enumerated(estimate, &all)?;
    let drawn = units.drawn(draws(case), SEED, |counts| Some(statistic(counts)))?;
    check_draws(case, &BootstrapDistribution::drawn(estimate, &drawn)?);
    let jackknife = LeftOut::new(&units, estimate, units.left_out(statistic)?)?;
    let acceleration = jackknife.acceleration(Acceleration::Stratified);
    let mut answer = of_distribution(case, &distribution, acceleration)?;
    let boot = jackknife.acceleration(Acceleration::Unstratified);
    answer.insert("acceleration_boot_r".to_owned(), json(boot));
    answer.insert("jackknife_se".to_owned(), json(jackknife.se()));
    answer.insert("resamples".to_owned(), json(units.resamples()));
    Ok(Value::Object(answer))
}

/// The people of an arm of events are of two kinds, so that their resamples are binomial counts.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn two_proportions(case: &Case) -> Answer {
    known(case, "statistic", &["difference_in_proportions"]);
    known(case, "strata", &["arm"]);
    let arm = |which: &str| {
        let [events, n] = ["events", "n"].map(|key| case.number(&format!("{key}_{which}")) as u32);
        (events, n)
    };
    let [(x1, n1), (x0, n0)] = ["treatment", "control"].map(arm);
    let two = EventResamples::new(&[(x1, n1), (x0, n0)].map(|(x, n)| (u64::from(x), u64::from(n))))?;
    let statistic = |x: &[u64]| Some(x[0] as f64 / f64::from(n1) - x[1] as f64 / f64::from(n0));
    let estimate = statistic(&[x1, x0].map(u64::from)).expect("a number");
    let distribution = BootstrapDistribution::enumerated(estimate, &two.enumerated(LIMIT, statistic)?)?;
    let drawn = two.drawn(draws(case), SEED, statistic)?;
    check_draws(case, &BootstrapDistribution::drawn(estimate, &drawn)?);
    // The jackknife of people who are 0 or 1.
    let rows = (n1 + n0) as usize;
    let strata: Vec<u32> = (0..rows).map(|row| u32::from(row < n1 as usize)).collect();
    let event = |row: usize| {
        if row < n1 as usize { row < x1 as usize } else { row - (n1 as usize) < x0 as usize }
    };
    let units = Resamples::within(&strata)?;
    let left_out = units.left_out(|counts| {
        let mean = |stratum: u32| {
            let of = (0..rows).filter(|row| strata[*row] == stratum);
            let (n, x) = of.fold((0.0, 0.0), |(n, x), row| {
                let weight = f64::from(counts[row]);
                (n + weight, x + weight * f64::from(u8::from(event(row))))
            });
            x / n
        };
        mean(1) - mean(0)
    })?;
    let acceleration = LeftOut::new(&units, estimate, left_out)?.acceleration(Acceleration::Stratified);
    Ok(Value::Object(of_distribution(case, &distribution, acceleration)?))
}

const RULES: [(&str, QuantileRule); 4] = [
    ("type_1", QuantileRule::InverseDistribution),
    ("type_6", QuantileRule::Expected),
    ("type_7", QuantileRule::Linear),
    ("normal_scale", QuantileRule::NormalScale),
];

fn replicates(case: &Case) -> Answer {
    let values: Vec<Option<f64>> = case.numbers("replicates").into_iter().map(Some).collect();
    let (t, acceleration) = (case.number("estimate"), case.number("acceleration"));
    let level = case.level();
    let tail = 0.5 * (1.0 - level);
    let distribution = BootstrapDistribution::drawn(t, &values)?;
    let of =
        |kind: BootstrapInterval, rule: QuantileRule| distribution.clone().curve(kind, rule, acceleration);
    let rule = QuantileRule::NormalScale;
    let bca = of(BootstrapInterval::Bca, rule)?.levels(level)?;
    let mut answer = object!({
        "bias": json(distribution.bias()),
        "se": json(distribution.se()),
        "normal": ends(&of(BootstrapInterval::Normal, rule)?, level)?,
        "normal_bias_corrected": ends(&of(BootstrapInterval::NormalBiasCorrected, rule)?, level)?,
        "z0": json(distribution.z0(BootstrapInterval::Bca)?),
        "bca_levels": list(bca),
    });
    for (key, rule) in RULES {
        let q = |p: f64| distribution.quantile(p, rule);
        let [low, high] = [q(tail), q(1.0 - tail)];
        // Where these replicates reach the level, the curve gives the same.
        if let Ok(interval) = of(BootstrapInterval::Percentile, rule)?.interval(level) {
            assert_eq!([interval.lower(), interval.upper()], [low, high], "{}", case.name);
        }
        answer[key] = object!({
            "percentile": list([low, high]),
            "basic": list([2.0 * t - high, 2.0 * t - low]),
            "bca": list(bca.map(q)),
        });
    }
    Ok(answer)
}

fn studentized(case: &Case) -> Answer {
    let (t, se) = (case.number("estimate"), case.number("se"));
    let pairs = case.numbers("replicates").into_iter().zip(case.numbers("replicate_se"));
    let statistics: Vec<Option<f64>> = pairs.map(|(value, own)| Some((value - t) / own)).collect();
    let distribution = BootstrapDistribution::drawn(0.0, &statistics)?;
    let mut answer = object!({});
    for (key, rule) in RULES {
        let curve = BootstrapCurve::studentized(t, se, distribution.clone(), rule)?;
        answer[key] = object!({ "studentized": ends(&curve, case.level())? });
    }
    Ok(answer)
}

fn jackknife(case: &Case) -> Answer {
    let sample = sample(case);
    let name = case.word("statistic");
    let units = Resamples::within(&sample.strata)?;
    let statistic = |counts: &[u32]| sample.statistic(name, counts);
    let estimate = statistic(&vec![1; units.units()]);
    let jackknife = LeftOut::new(&units, estimate, units.left_out(statistic)?)?;
    Ok(object!({
        "estimate": json(estimate),
        "delete_one": list(jackknife.values.iter().copied()),
        "bias": json(jackknife.bias()),
        "se": json(jackknife.se()),
        "bias_corrected": json(jackknife.bias_corrected()),
        "acceleration": json(jackknife.acceleration(Acceleration::Stratified)),
        "acceleration_boot_r": json(jackknife.acceleration(Acceleration::Unstratified)),
        "pseudo_values": list(jackknife.pseudo_values()),
    }))
}

/// A regression on the arms and covariates: design, outcome, cluster of each row, the treatment's column.
struct Design {
    x: Array2<f64>,
    y: Vec<f64>,
    clusters: Vec<u32>,
    /// The code of the arm of each row.
    arm: Vec<u32>,
    coefficient: usize,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn design(case: &Case) -> Design {
    let table = read_csv(case);
    let named = |key: &str| table[case.input(key).as_str().expect("a column")].clone();
    let codes = |values: &[f64]| values.iter().map(|code| *code as u32).collect::<Vec<u32>>();
    let (y, arm, clusters) = (named("outcome"), codes(&named("arm")), codes(&named("cluster")));
    let (treatment, control) = (case.number("treatment") as u32, case.number("control") as u32);
    let mut arms = arm.clone();
    arms.sort_unstable();
    arms.dedup();
    arms.retain(|code| *code != control);
    let mut columns = vec![vec![1.0; y.len()]];
    for code in &arms {
        columns.push(arm.iter().map(|own| f64::from(u8::from(own == code))).collect());
    }
    for name in case.input("covariates").as_array().expect("covariates") {
        columns.push(table[name.as_str().expect("a name")].clone());
    }
    let x = Array2::from_shape_fn((y.len(), columns.len()), |(row, column)| columns[column][row]);
    let coefficient = 1 + arms.iter().position(|code| *code == treatment).unwrap_or(0);
    Design { x, y, clusters, arm, coefficient }
}

fn wild(case: &Case) -> Answer {
    let design = design(case);
    let weights = match case.word("weights") {
        "rademacher" => WildWeights::Rademacher,
        "webb" => WildWeights::Webb,
        "mammen" => WildWeights::Mammen,
        other => panic!("{}: weights {other}", case.name),
    };
    let imposed = case.option("null_imposed").as_bool().expect("a truth value");
    let residuals = if imposed { ResidualsOf::RestrictedModel } else { ResidualsOf::FullModel };
    let test = WildBootstrap::new(SEED)
        .weights(weights)
        .residuals(residuals)
        .null_value(case.option("null_value").as_f64().expect("a number"))
        .enumerate_up_to(LIMIT)
        .test(design.x.view(), &design.y, &design.clusters, design.coefficient)?;
    let level = case.level();
    let (interval, strict) = (test.interval(level)?, test.steps_strict.interval(level)?);
    let mut answer = object!({
        "estimate": json(test.estimate),
        "se_cr1": json(test.se),
        "t": json(test.statistic),
        "clusters": test.clusters,
        "draws": test.draws,
        "p_symmetric": json(test.p_value),
        "p_symmetric_strict": json(test.p_value_strict),
        "p_equal_tailed": json(test.p_value_equal_tailed),
        "p_equal_tailed_strict": json(test.p_value_equal_tailed_strict),
        "p_less": json(test.p_value_less),
        "p_greater": json(test.p_value_greater),
        "ci_symmetric": list([interval.lower(), interval.upper()]),
        "ci_symmetric_set_is_an_interval": test.steps.is_an_interval(level)?,
        "ci_symmetric_strict": list([strict.lower(), strict.upper()]),
        "ci_symmetric_strict_set_is_an_interval": test.steps_strict.is_an_interval(level)?,
    });
    // The steps at the hypothesis are the p-value of the test.
    let null = case.option("null_value").as_f64().expect("a number");
    assert!((test.steps.p_value(null) - test.p_value).abs() < 1e-12, "{}", case.name);
    if !imposed {
        let tails = test.equal_tailed_interval(level)?;
        answer["ci_equal_tailed"] = list([tails.lower(), tails.upper()]);
    }
    Ok(answer)
}

/// The coefficient and its CR1 standard error where rows have weights by their cluster, a cluster that was
/// drawn twice being two; `None` where it is not known.
fn weighted(design: &Design, counts: &[u32]) -> Option<(f64, f64)> {
    let weight: Array1<f64> = design.clusters.iter().map(|code| f64::from(counts[*code as usize])).collect();
    let (x, p) = (&design.x, design.x.ncols());
    let wx = Array2::from_shape_fn(x.dim(), |(row, column)| weight[row] * x[[row, column]]);
    let inverse = inverse(x.t().dot(&wx).view())?;
    let y = Array1::from(design.y.clone());
    let beta = inverse.dot(&wx.t().dot(&y));
    let residual = &y - &x.dot(&beta);
    let n = weight.sum();
    let g: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let own = x.dot(&inverse.column(design.coefficient));
    let mut sums = vec![0.0; counts.len()];
    for (row, code) in design.clusters.iter().enumerate() {
        sums[*code as usize] += own[row] * residual[row];
    }
    let meat: f64 = sums.iter().zip(counts).map(|(sum, count)| f64::from(*count) * sum * sum).sum();
    let variance = g / (g - 1.0) * (n - 1.0) / (n - p as f64) * meat;
    Some((beta[design.coefficient], variance.sqrt()))
}

/// The inverse of a small positive definite matrix by Gauss and Jordan; `None` where it is singular.
fn inverse(a: ArrayView2<f64>) -> Option<Array2<f64>> {
    let p = a.nrows();
    let (mut left, mut right) = (a.to_owned(), Array2::eye(p));
    for i in 0..p {
        let pivot = left[[i, i]];
        if pivot.is_nan() || pivot <= 1e-9 * a[[i, i]] || pivot <= 0.0 {
            return None;
        }
        for j in 0..p {
            left[[i, j]] /= pivot;
            right[[i, j]] /= pivot;
        }
        for k in (0..p).filter(|k| *k != i) {
            let factor = left[[k, i]];
            for j in 0..p {
                left[[k, j]] -= factor * left[[i, j]];
                right[[k, j]] -= factor * right[[i, j]];
            }
        }
    }
    Some(right)
}

/// The units of a design: its clusters, within arms where the case says so.
fn units(case: &Case, design: &Design) -> Result<Resamples, armwise::Error> {
    let clusters = *design.clusters.iter().max().expect("a cluster") as usize + 1;
    let mut strata = vec![0; clusters];
    match case.option("strata").as_str().unwrap_or("none") {
        "none" => {}
        "arm" => design
            .clusters
            .iter()
            .zip(&design.arm)
            .for_each(|(cluster, arm)| strata[*cluster as usize] = *arm),
        other => panic!("{}: strata {other}", case.name),
    }
    Resamples::within(&strata)
}

fn pairs(case: &Case) -> Answer {
    known(case, "unit", &["cluster"]);
    known(case, "quantile", &["inverse_distribution_function"]);
    let design = design(case);
    let units = units(case, &design)?;
    let (estimate, se) = weighted(&design, &vec![1; units.units()]).expect("an estimate");
    let all = units.enumerated(LIMIT, |counts| weighted(&design, counts))?;
    let rule = QuantileRule::InverseDistribution;
    let values: Vec<(Option<f64>, f64)> =
        all.iter().map(|(answer, p)| (answer.map(|(value, _)| value), *p)).collect();
    let distribution = BootstrapDistribution::enumerated(estimate, &values)?;
    let percentile = distribution.clone().curve(BootstrapInterval::Percentile, rule, 0.0)?;
    let mut answer = object!({
        "estimate": json(estimate),
        "se_cr1": json(se),
        "bootstrap_mean": json(distribution.mean()),
        "se": json(distribution.se()),
        "percentile": ends(&percentile, case.level())?,
        "probability_not_estimable": json(distribution.not_estimable()),
    });
    if case.expected.contains_key("bootstrap_t") {
        let statistics: Vec<(Option<f64>, f64)> =
            all.iter().map(|(answer, p)| (answer.map(|(value, own)| (value - estimate) / own), *p)).collect();
        let distribution = BootstrapDistribution::enumerated(0.0, &statistics)?;
        let t = estimate / se;
        let below = distribution.probability_below(-t.abs()) + distribution.probability_equal(-t.abs());
        answer["t"] = json(t);
        answer["p_symmetric"] = json(below + 1.0 - distribution.probability_below(t.abs()));
        answer["bootstrap_t"] =
            ends(&BootstrapCurve::studentized(estimate, se, distribution, rule)?, case.level())?;
    }
    Ok(answer)
}

fn clusters_left_out(case: &Case) -> Answer {
    known(case, "unit", &["cluster"]);
    let design = design(case);
    let units = units(case, &design)?;
    let statistic = |counts: &[u32]| weighted(&design, counts).map_or(f64::NAN, |(value, _)| value);
    let estimate = statistic(&vec![1; units.units()]);
    let jackknife = LeftOut::new(&units, estimate, units.left_out(statistic)?)?;
    Ok(object!({
        "estimate": json(estimate),
        "delete_one": list(jackknife.values.iter().copied()),
        "se_cv3": json(jackknife.se_around_estimate()),
        "se_cv3j": json(jackknife.se()),
        "bias": json(jackknife.bias()),
    }))
}
