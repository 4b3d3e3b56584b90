//! Pooling of independent estimates and of two by two tables.

use super::case::{Answer, Case, json, list};
use armwise::meta_analysis::{
    Alternative, ArmCounts, ArmRate, CellCorrection, ChiSquaredTest, CommonEffect, CorrectedTables,
    CountMeasure, MantelHaenszel, PooledEffect, PoolingWeights, PredictionDf, RandomEffects, RateMeasure,
    RatePair, TablePool, Tau2, Test, TwoByTwo, peto,
};
use serde_json::{Value, json as object};

pub(super) fn answer(case: &Case) -> Answer {
    match case.option("method").as_str() {
        None if case.has_option("interval") => profile_likelihood(case),
        None => univariate(case),
        Some("mantel_haenszel") => mantel_haenszel(case),
        Some("peto") => peto_odds_ratio(case),
        Some(other) => panic!("{}: unknown method {other}", case.name),
    }
}

fn tables(case: &Case) -> Vec<TwoByTwo> {
    let arms = |events: &str, n: &str| case.numbers(events).into_iter().zip(case.numbers(n));
    arms("events_treat", "n_treat")
        .map(|(events, n)| ArmCounts { events, n })
        .zip(arms("events_control", "n_control").map(|(events, n)| ArmCounts { events, n }))
        .map(|(treatment, control)| TwoByTwo { treatment, control })
        .collect()
}

fn rates(case: &Case) -> Vec<RatePair> {
    let arms = |events: &str, time: &str| case.numbers(events).into_iter().zip(case.numbers(time));
    arms("events_treat", "time_treat")
        .map(|(events, time)| ArmRate { events, time })
        .zip(arms("events_control", "time_control").map(|(events, time)| ArmRate { events, time }))
        .map(|(treatment, control)| RatePair { treatment, control })
        .collect()
}

fn correction(case: &Case, key: &str, absent: CellCorrection) -> CellCorrection {
    let (amount, tables) = (case.option(key).as_f64(), case.option(&format!("{key}_applies_to")).as_str());
    let tables = match (amount, tables) {
        (None, None) => return absent,
        (Some(0.0), _) | (_, Some("none")) => CorrectedTables::None,
        (_, Some("only0")) => CorrectedTables::OnlyZero,
        (_, Some("all")) => CorrectedTables::All,
        (_, other) => panic!("{}: unknown rule {other:?}", case.name),
    };
    CellCorrection { amount: amount.unwrap_or(0.0), tables }
}

/// The keys of a pool of tables; without degrees of freedom these cases give Q the p-value 1.
fn table_keys(pooled: &TablePool) -> Value {
    object!({
        "k": pooled.k,
        "k_for_q": pooled.k_for_q,
        "estimate": json(pooled.estimate),
        "se": json(pooled.se),
        "statistic": json(pooled.statistic),
        "p_value": json(pooled.p_value),
        "ci": pair(pooled.interval),
        "ratio": json(pooled.ratio()),
        "ratio_ci": pair(pooled.ratio_interval()),
        "odds_ratio": json(pooled.ratio()),
        "odds_ratio_ci": pair(pooled.ratio_interval()),
        "q": json(pooled.q.statistic),
        "q_df": pooled.q.df,
        "q_p_value": json(pooled.q.p_value),
        "i2": json(100.0 * pooled.i2),
        "h2": json(pooled.h2),
    })
}

fn double_zero(case: &Case) {
    for (key, known) in [("double_zero_studies_in_pooling", "kept"), ("double_zero_studies_for_q", "dropped")]
    {
        let word = case.option(key).as_str().unwrap_or(known);
        assert!(word.starts_with(known), "{}: unknown rule {word}", case.name);
    }
}

fn mantel_haenszel(case: &Case) -> Answer {
    double_zero(case);
    case.option("effect_scale");
    let options = MantelHaenszel::new()
        .level(case.level())
        .pooling_correction(correction(case, "continuity_correction_in_pooling", CellCorrection::NONE))
        .q_correction(correction(case, "continuity_correction_for_q", CellCorrection::HALF_WHERE_ZERO));
    let measure = case.word("measure");
    let mut answer = match measure {
        "RR" => table_keys(&options.counts(CountMeasure::LogRiskRatio, &tables(case))?),
        "OR" => table_keys(&options.counts(CountMeasure::LogOddsRatio, &tables(case))?),
        "RD" => table_keys(&options.counts(CountMeasure::RiskDifference, &tables(case))?),
        "IRR" => table_keys(&options.rates(RateMeasure::LogRateRatio, &rates(case))?),
        "IRD" => table_keys(&options.rates(RateMeasure::RateDifference, &rates(case))?),
        other => panic!("{}: unknown measure {other}", case.name),
    };
    let mut put = |name: &str, suffix: &str, test: ChiSquaredTest| {
        answer[format!("{name}_statistic{suffix}")] = json(test.statistic);
        answer[format!("{name}_p_value{suffix}")] = optional((test.df > 0.0).then_some(test.p_value));
        answer[format!("{name}_df{suffix}")] = test.df.into();
    };
    if measure == "OR" {
        let tests = options.association(&tables(case))?;
        put("cmh", "", tests.cmh);
        put("cmh", "_corrected", tests.cmh_corrected);
        put("cochran", "", tests.cochran);
        put("breslow_day", "", tests.breslow_day);
        put("tarone", "", tests.tarone);
    }
    if measure == "IRR" {
        put("cmh", "", options.rate_association(&rates(case))?);
    }
    Ok(answer)
}

fn peto_odds_ratio(case: &Case) -> Answer {
    double_zero(case);
    case.option("effect_scale");
    assert_eq!(case.word("measure"), "PETO");
    Ok(table_keys(&peto(&tables(case), case.level())?))
}

pub(super) fn tau2(case: &Case) -> Tau2 {
    let long = case.option("tau2_estimator");
    let short =
        case.option("tau2_estimator_short").as_str().unwrap_or_else(|| long.as_str().expect("an estimator"));
    match short {
        "DL" => Tau2::DerSimonianLaird,
        "DL2" => Tau2::DerSimonianLairdTwoStep,
        "EB" => Tau2::EmpiricalBayes,
        "GENQ" => Tau2::GeneralizedQ,
        "HE" => Tau2::Hedges,
        "HM" => Tau2::HartungMakambi,
        "HS" => Tau2::HunterSchmidt,
        "HSk" => Tau2::HunterSchmidtCorrected,
        "ML" => Tau2::Ml,
        "PM" => Tau2::PauleMandel,
        "PMM" => Tau2::PauleMandelMedian,
        "REML" => Tau2::Reml,
        "SJ" => Tau2::SidikJonkman,
        other => panic!("{}: unknown estimator {other}", case.name),
    }
}

fn pair(interval: armwise::Interval) -> Value {
    list([interval.lower(), interval.upper()])
}

fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, json)
}

fn univariate(case: &Case) -> Answer {
    let (yi, vi) = (case.numbers("yi"), case.numbers("vi"));
    let test = match case.word("test") {
        "z" => Test::Normal,
        "t_k_minus_1" => Test::T,
        "knapp_hartung" => Test::HartungKnapp,
        "knapp_hartung_truncated" => Test::HartungKnappTruncated,
        other => panic!("{}: unknown test {other}", case.name),
    };
    let alternative = match case.option("alternative").as_str() {
        None | Some("two.sided") => Alternative::TwoSided,
        Some("greater") => Alternative::Greater,
        Some("less") => Alternative::Less,
        Some(other) => panic!("{}: unknown alternative {other}", case.name),
    };
    let null_value = case.option("null_value").as_f64().unwrap_or(0.0);
    let (weights, given) = match case.option("pooling_weights").as_str() {
        None | Some("inverse_variance") => (PoolingWeights::InverseVariance, None),
        Some("equal") => (PoolingWeights::Equal, None),
        Some("given in input (user_weights)") => (PoolingWeights::Given, Some(case.numbers("user_weights"))),
        Some(other) => panic!("{}: unknown weights {other}", case.name),
    };
    case.option("moment_weights");
    macro_rules! set {
        ($options:expr) => {{
            let options =
                $options.test(test).alternative(alternative).null_value(null_value).level(case.level());
            let options = options.pooling_weights(weights);
            match given {
                Some(given) => options.given_weights(given),
                None => options,
            }
        }};
    }
    let pooled = match case.word("model") {
        "common_effect" => {
            case.option("tau2_estimator");
            case.option("tau2_estimator_short");
            set!(CommonEffect::new()).pool(&yi, &vi)?
        }
        "random_effects" => {
            let mut options = set!(RandomEffects::new()).tau2(tau2(case)).prediction_df(PredictionDf::AsTest);
            if case.has_input("moment_weights") {
                options = options.moment_weights(case.numbers("moment_weights"));
            }
            options.pool(&yi, &vi)?
        }
        other => panic!("{}: unknown model {other}", case.name),
    };
    keys(case, &pooled)
}

fn keys(case: &Case, pooled: &PooledEffect) -> Answer {
    let restricted = pooled.tau2_estimator == Some(Tau2::Reml);
    let mut answer = object!({
        "k": pooled.k,
        "estimate": json(pooled.estimate),
        "se": json(pooled.se),
        "statistic": json(pooled.statistic),
        "df": optional(pooled.df),
        "p_value": json(pooled.p_value),
        "ci": pair(pooled.interval),
        "tau2": json(pooled.tau2),
        "se_tau2": optional(pooled.se_tau2),
        "tau": json(pooled.tau()),
        "q": json(pooled.q.statistic),
        "q_df": pooled.q.df,
        "q_p_value": optional((pooled.q.df > 0.0).then_some(pooled.q.p_value)),
        "i2": json(100.0 * pooled.i2),
        "h2": json(pooled.h2),
        "weights_percent": list(pooled.weights.iter().map(|weight| 100.0 * weight)),
        "typical_variance": optional(pooled.typical_variance),
        "lower_bound_one_sided": json(pooled.one_sided(case.level())?.lower),
        "log_lik": json(if restricted { pooled.restricted_log_likelihood } else { pooled.log_likelihood }),
    });
    let mut put = |key: &str, value: Option<Value>| {
        answer[key] = value.unwrap_or(Value::Null);
    };
    put("tau2_ci", pooled.tau2_interval.map(pair));
    put("tau_ci", pooled.tau2_interval.map(|tau2| list([tau2.lower().sqrt(), tau2.upper().sqrt()])));
    put("i2_ci", pooled.i2_interval.map(|i2| list([100.0 * i2.lower(), 100.0 * i2.upper()])));
    put("h2_ci", pooled.h2_interval.map(pair));
    put("prediction_interval", pooled.prediction.map(pair));
    for (key, rule) in [
        ("prediction_interval_normal", PredictionDf::Normal),
        ("prediction_interval_t_k_minus_1", PredictionDf::KMinus1),
        ("prediction_interval_t_k_minus_2", PredictionDf::KMinus2),
    ] {
        put(key, pooled.prediction_interval(rule).ok().map(pair));
    }
    Ok(answer)
}

fn profile_likelihood(case: &Case) -> Answer {
    assert_eq!(case.word("interval"), "profile_likelihood");
    let options = RandomEffects::new().tau2(tau2(case)).level(case.level());
    let profile = options.profile_likelihood(&case.numbers("yi"), &case.numbers("vi"))?;
    Ok(object!({
        "tau2": json(profile.tau2),
        "tau2_ci": pair(profile.interval),
        "log_lik": json(profile.log_likelihood),
    }))
}
