//! Effect sizes from published numbers.

use super::case::{Answer, Case, json, list};
use armwise::effect_size::{
    AddTo, CellCorrection, ChangeEffect, ChangeStandardizer, CorrelationEffect, CountEffect, DoubleZeros,
    EffectSize, MeanAndSd, MeanEffect, PairedSummary, ProportionEffect, RateEffect, SingleRateEffect,
    change_effect, correlation_effect, count_effects, freeman_tukey_inverse, mean_effect, proportion_effect,
    rate_effects, single_rate_effect,
};
use armwise::mean::{
    Sample, StandardizedVariance, TwoMeans, hedges_correction, hedges_correction_approximate,
};
use armwise::meta_analysis::{Counts, PersonTime, RatePair, TwoByTwo};
use serde_json::{Value, json as object};

pub(super) fn answer(case: &Case) -> Answer {
    let measure = case.word("measure");
    match measure {
        "hedges_j" => return hedges(case),
        "inverse_pft" => return inverse(case),
        _ => {}
    }
    case.option("variance_formula");
    let effects = if case.has_input("n_treat") && case.has_input("events_treat") {
        counts(case, measure)?
    } else if case.has_input("time_treat") {
        rates(case, measure)?
    } else if case.has_input("mean_treat") {
        means(case, measure)
    } else if case.has_input("mean_post") {
        changes(case, measure)
    } else if case.has_input("r") {
        correlations(case, measure)
    } else if case.has_input("time") {
        single_rates(case, measure)
    } else {
        proportions(case, measure)
    };
    keys(case, &effects)
}

fn hedges(case: &Case) -> Answer {
    let df = case.numbers("df");
    let exact = df.iter().map(|df| hedges_correction(*df)).collect::<Result<Vec<_>, _>>()?;
    Ok(object!({
        "j": list(exact),
        "j_approximation": list(df.iter().map(|df| hedges_correction_approximate(*df))),
    }))
}

fn inverse(case: &Case) -> Answer {
    let (x, n) = (case.numbers("x"), case.numbers("n"));
    let proportions =
        x.iter().zip(&n).map(|(x, n)| freeman_tukey_inverse(*x, *n)).collect::<Result<Vec<_>, _>>()?;
    Ok(object!({ "proportion": list(proportions) }))
}

type Effects = Vec<armwise::Result<EffectSize>>;

/// An effect that does not exist is `null` in every list.
fn keys(case: &Case, effects: &Effects) -> Answer {
    let level = case.level();
    let column = |f: &dyn Fn(&EffectSize) -> f64| -> Value {
        effects.iter().map(|effect| effect.as_ref().map_or(Value::Null, |effect| json(f(effect)))).collect()
    };
    let limits = |effect: &EffectSize| effect.interval(level).expect("a level");
    Ok(object!({
        "yi": column(&|effect| effect.value),
        "vi": column(&|effect| effect.variance),
        "sei": column(&EffectSize::se),
        "ci_lower": column(&|effect| limits(effect).lower()),
        "ci_upper": column(&|effect| limits(effect).upper()),
    }))
}

/// Where the long name of the rule and the amount disagree with escalc's word, nothing is added: the amount
/// is 0 then.
fn zero_cells(case: &Case) -> CellCorrection {
    case.option("add_to_word");
    let to = match case.word("add_to") {
        "none" => AddTo::None,
        "all_tables" => AddTo::All,
        "all_tables_if_any_has_a_zero_cell" => AddTo::AllIfAnyZero,
        "tables_with_a_zero_cell"
        | "rows_with_x_0_or_x_n"
        | "rows_with_zero_count"
        | "pairs_with_a_zero_count" => AddTo::WhereZero,
        other => panic!("{}: unknown rule {other}", case.name),
    };
    let rule = CellCorrection::add(case.option("add").as_f64().expect("an amount"), to).expect("a rule");
    match case.option("drop_double_zero_and_double_full").as_bool() {
        Some(true) => rule.double_zeros(DoubleZeros::Drop),
        _ => rule,
    }
}

fn unknown(case: &Case, what: &str) -> ! {
    panic!("{}: unknown {what}", case.name)
}

fn arms<T>(case: &Case, first: &str, second: &str, arm: impl Fn(f64, f64) -> T) -> Vec<T> {
    case.numbers(first).into_iter().zip(case.numbers(second)).map(|(a, b)| arm(a, b)).collect()
}

fn counts(case: &Case, measure: &str) -> armwise::Result<Effects> {
    let effect = match (measure, case.word("variance")) {
        ("RD", "UB") => CountEffect::RiskDifferenceUnbiasedVariance,
        ("RD", "LS") => CountEffect::RiskDifference,
        ("RR", "LS") => CountEffect::LogRiskRatio,
        ("OR", "LS") => CountEffect::LogOddsRatio,
        ("PETO", "LS") => CountEffect::PetoLogOddsRatio,
        ("AS", "LS") => CountEffect::ArcsineDifference,
        ("PHI", "LS") => CountEffect::Phi,
        ("YUQ", "LS") => CountEffect::YuleQ,
        ("YUY", "LS") => CountEffect::YuleY,
        ("OR2DN", "LS") => CountEffect::StandardizedFromOddsNormal,
        ("OR2DL", "LS") => CountEffect::StandardizedFromOddsLogistic,
        ("PBIT", "LS") => CountEffect::ProbitDifference,
        _ => unknown(case, "measure of counts"),
    };
    let arm = |events, n| Counts { events, n };
    let tables: Vec<TwoByTwo> = arms(case, "events_treat", "n_treat", arm)
        .into_iter()
        .zip(arms(case, "events_control", "n_control", arm))
        .map(|(treatment, control)| TwoByTwo { treatment, control })
        .collect();
    count_effects(&tables, effect, zero_cells(case))
}

fn rates(case: &Case, measure: &str) -> armwise::Result<Effects> {
    let effect = match measure {
        "IRR" => RateEffect::LogRateRatio,
        "IRD" => RateEffect::RateDifference,
        "IRSD" => RateEffect::SquareRootDifference,
        _ => unknown(case, "measure of rates"),
    };
    let arm = |events, time| PersonTime { events, time };
    let pairs: Vec<RatePair> = arms(case, "events_treat", "time_treat", arm)
        .into_iter()
        .zip(arms(case, "events_control", "time_control", arm))
        .map(|(treatment, control)| RatePair { treatment, control })
        .collect();
    rate_effects(&pairs, effect, zero_cells(case))
}

fn single_rates(case: &Case, measure: &str) -> Effects {
    let effect = match measure {
        "IR" => SingleRateEffect::Rate,
        "IRLN" => SingleRateEffect::LogRate,
        "IRS" => SingleRateEffect::SquareRootRate,
        "IRFT" => SingleRateEffect::FreemanTukeyRate,
        _ => unknown(case, "measure of a rate"),
    };
    let rule = zero_cells(case);
    arms(case, "events", "time", |events, time| single_rate_effect(PersonTime { events, time }, effect, rule))
}

fn proportions(case: &Case, measure: &str) -> Effects {
    let effect = match (measure, case.word("variance")) {
        ("PR", "LS") => ProportionEffect::Proportion,
        ("PLN", "LS") => ProportionEffect::LogProportion,
        ("PLO", "LS") => ProportionEffect::Logit,
        ("PAS", "LS") => ProportionEffect::Arcsine,
        ("PFT", "LS") => ProportionEffect::FreemanTukey,
        _ => unknown(case, "measure of a proportion"),
    };
    let rule = zero_cells(case);
    arms(case, "events", "n", |events, n| proportion_effect(Counts { events, n }, effect, rule))
}

/// The size of a group.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn size(n: f64) -> u64 {
    n as u64
}

fn means(case: &Case, measure: &str) -> Effects {
    let effect = match (measure, case.word("variance")) {
        ("MD", "unequal_variances") => MeanEffect::MeanDifference,
        ("MD", "pooled_variance") => MeanEffect::MeanDifferencePooled,
        ("SMD", "LS") => MeanEffect::StandardizedMeanDifference(StandardizedVariance::LargeSample),
        ("SMD", "LS2") => MeanEffect::StandardizedMeanDifference(StandardizedVariance::Borenstein),
        ("SMD", "UB") => MeanEffect::StandardizedMeanDifference(StandardizedVariance::Unbiased),
        ("SMD1", "LS") => MeanEffect::GlassDelta,
        ("SMDH", "LS") => MeanEffect::StandardizedMeanDifferenceUnequal,
        ("ROM", "LS") => MeanEffect::LogRatioOfMeans,
        ("VR", "LS") => MeanEffect::LogVariabilityRatio,
        ("CVR", "LS") => MeanEffect::LogCoefficientOfVariationRatio,
        _ => unknown(case, "measure of means"),
    };
    let samples = |arm: &str| -> Vec<Sample> {
        let column = |what: &str| case.numbers(&format!("{what}_{arm}"));
        column("mean")
            .into_iter()
            .zip(column("sd"))
            .zip(column("n"))
            .map(|((mean, sd), n)| Sample { n: size(n), mean, sd })
            .collect()
    };
    samples("treat")
        .into_iter()
        .zip(samples("control"))
        .map(|(treatment, control)| mean_effect(&TwoMeans::new(treatment, control)?, effect))
        .collect()
}

fn changes(case: &Case, measure: &str) -> Effects {
    case.option("standardiser");
    let effect = match (measure, case.word("variance")) {
        ("MC", "LS") => ChangeEffect::MeanChange,
        ("SMCC", "LS") => ChangeEffect::StandardizedByChange,
        ("SMCR", "LS") => ChangeEffect::StandardizedByRaw(ChangeStandardizer::Later),
        _ => unknown(case, "measure of a change"),
    };
    let measurement = |when: &str| {
        arms(case, &format!("mean_{when}"), &format!("sd_{when}"), |mean, sd| MeanAndSd { mean, sd })
    };
    let (later, earlier) = (measurement("post"), measurement("pre"));
    let pairs = arms(case, "r", "n", |correlation, n| (correlation, size(n)));
    later
        .into_iter()
        .zip(earlier)
        .zip(pairs)
        .map(|((later, earlier), (correlation, n))| {
            change_effect(&PairedSummary { later, earlier, correlation, n }, effect)
        })
        .collect()
}

fn correlations(case: &Case, measure: &str) -> Effects {
    let effect = match (measure, case.word("variance")) {
        ("COR", "LS") => CorrelationEffect::Correlation,
        ("ZCOR", "LS") => CorrelationEffect::FisherZ,
        _ => unknown(case, "measure of a correlation"),
    };
    arms(case, "r", "n", |r, n| correlation_effect(r, size(n), effect))
}
