//! Counts of one or two groups, stratified tables, and pairs.

use super::case::{Answer, Case, json, list};
use armwise::proportion::{
    BetterOutcome, BoschlooTwoSided, ChiSquareStatistic, ChiSquaredTest, Continuity, DifferenceInterval,
    DifferenceTest, DifferenceVariance, HomogeneityTest, MantelHaenszelVariance, MidPTwoSided,
    NumberNeededInterval, OddsRatio, OddsRatioInterval, PairedExact, PairedProportions, Proportion,
    RatioInterval, RatioOfProportions, SignedTest, SingleInterval, StratifiedProportions, Stratum,
    TwoProportions,
};
use armwise::{Error, Interval, Result};
use serde_json::{Map, Value};

pub(super) fn answer(case: &Case) -> Answer {
    if case.has_input("both") {
        pairs(case)
    } else if case.input("events_treatment").is_array() {
        stratified(case)
    } else if case.has_input("events") {
        single(case)
    } else if case.has_option("margin") {
        margin(case)
    } else if case.expected.contains_key("z_pooled") {
        equality(two(case)?, case.expected.contains_key("unconditional"))
    } else if case.expected.contains_key("koopman_score") {
        ratio(two(case)?, case.level())
    } else if case.expected.contains_key("conditional_mle") {
        odds_ratio(two(case)?, case.level())
    } else {
        difference(two(case)?, case.level())
    }
}

fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>())
}

/// A count of the case. What is no count cannot reach the crate, whose types refuse it; here it is an
/// impossible one.
fn as_count(value: &Value) -> Result<u64> {
    value.as_u64().map_or_else(|| Proportion::new(1, 0).map(|p| p.n()), Ok)
}

fn count(case: &Case, key: &str) -> Result<u64> {
    as_count(case.input(key))
}

fn two(case: &Case) -> Result<TwoProportions> {
    Ok(TwoProportions::new(
        Proportion::new(count(case, "events_treatment")?, count(case, "n_treatment")?)?,
        Proportion::new(count(case, "events_control")?, count(case, "n_control")?)?,
    ))
}

fn limits(interval: Interval) -> Value {
    list([interval.lower(), interval.upper()])
}

/// Limits, or two undefined ones where the crate refuses.
fn limits_or_null(interval: Result<Interval>) -> Value {
    interval.map_or_else(|_: Error| Value::from(vec![Value::Null; 2]), limits)
}

fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, json)
}

fn difference(two: TwoProportions, level: f64) -> Answer {
    let interval = |method| two.difference_interval(method, level);
    let newcombe = interval(DifferenceInterval::Newcombe)?;
    let wald = interval(DifferenceInterval::Wald)?;
    Ok(object([
        ("estimate", json(two.difference().estimate)),
        ("se_unpooled", json(two.difference().se)),
        ("wald", limits(wald)),
        ("wald_continuity", limits(interval(DifferenceInterval::WaldContinuity)?)),
        ("agresti_caffo", limits(interval(DifferenceInterval::AgrestiCaffo)?)),
        ("newcombe", limits(newcombe)),
        ("newcombe_continuity", limits(interval(DifferenceInterval::NewcombeContinuity)?)),
        ("miettinen_nurminen", limits(interval(DifferenceInterval::MiettinenNurminen)?)),
        ("mee_score", limits(interval(DifferenceInterval::Mee)?)),
        ("number_needed_to_treat_newcombe", needed(two, newcombe)),
        ("number_needed_to_treat_wald", needed(two, wald)),
    ]))
}

fn ratio(two: TwoProportions, level: f64) -> Answer {
    let interval = |method| two.ratio_interval(method, level);
    let estimate = two.ratio().ok();
    let log = |f: fn(&RatioOfProportions) -> Option<f64>| optional(estimate.as_ref().and_then(f));
    let walter = two.walter_ratio();
    Ok(object([
        ("estimate", optional(estimate.map(|ratio| ratio.estimate))),
        ("log_estimate", log(|ratio| ratio.log_estimate)),
        ("se_log", log(|ratio| ratio.se_log)),
        ("katz_log", limits_or_null(interval(RatioInterval::Log))),
        (
            "walter_half",
            object([
                ("estimate", json(walter.estimate)),
                ("se_log", optional(walter.se_log)),
                ("ci", limits(interval(RatioInterval::Walter)?)),
            ]),
        ),
        ("koopman_score", limits(interval(RatioInterval::Koopman)?)),
        ("miettinen_nurminen", limits(interval(RatioInterval::MiettinenNurminen)?)),
    ]))
}

fn odds_ratio(two: TwoProportions, level: f64) -> Answer {
    let interval = |method| two.odds_ratio_interval(method, level);
    let estimate = two.odds_ratio().ok();
    let log = |f: fn(&OddsRatio) -> Option<f64>| optional(estimate.as_ref().and_then(f));
    let halves = two.haldane_anscombe_odds_ratio();
    Ok(object([
        ("estimate", optional(estimate.map(|ratio| ratio.estimate))),
        ("log_estimate", log(|ratio| ratio.log_estimate)),
        ("se_log", log(|ratio| ratio.se_log)),
        ("woolf_log", limits_or_null(interval(OddsRatioInterval::Woolf))),
        (
            "haldane_anscombe",
            object([
                ("estimate", json(halves.estimate)),
                ("se_log", optional(halves.se_log)),
                ("ci", limits(interval(OddsRatioInterval::HaldaneAnscombe)?)),
            ]),
        ),
        ("cornfield_score", limits(interval(OddsRatioInterval::Cornfield)?)),
        ("miettinen_nurminen", limits(interval(OddsRatioInterval::MiettinenNurminen)?)),
        ("conditional_mle", optional(two.conditional_odds_ratio().ok())),
        ("exact_fisher_ci", limits(interval(OddsRatioInterval::ExactConditional)?)),
        ("mid_p_ci", limits(interval(OddsRatioInterval::MidP)?)),
        ("median_unbiased", optional(two.median_unbiased_odds_ratio().ok())),
    ]))
}

fn needed(two: TwoProportions, interval: Interval) -> Value {
    two.number_needed_to_treat(interval).map_or(Value::Null, |needed| {
        let (ci, crosses) = match needed.interval {
            NumberNeededInterval::Connected(interval) => ([interval.lower(), interval.upper()], false),
            NumberNeededInterval::Disjoint { negative_from, positive_from } => {
                ([negative_from, positive_from], true)
            }
        };
        object([
            ("estimate", json(needed.estimate)),
            ("ci", list(ci)),
            ("crosses_zero", Value::from(crosses)),
        ])
    })
}

fn equality(two: TwoProportions, unconditional: bool) -> Answer {
    let z = |variance, f: fn(SignedTest) -> f64| optional(two.z_test(variance).ok().map(f));
    let chi = |statistic, f: fn(ChiSquaredTest) -> f64| optional(two.chi_square_test(statistic).ok().map(f));
    let (pooled, unpooled) = (DifferenceVariance::Pooled, DifferenceVariance::Unpooled);
    let fisher = two.fisher_test();
    let doubled = two.mid_p_test(MidPTwoSided::Doubled);
    let mut answer = object([
        ("z_pooled", z(pooled, |test| test.statistic)),
        ("z_pooled_p_two_sided", z(pooled, |test| test.p_values.two_sided)),
        ("z_pooled_p_greater", z(pooled, |test| test.p_values.greater)),
        ("z_pooled_p_less", z(pooled, |test| test.p_values.less)),
        ("z_unpooled", z(unpooled, |test| test.statistic)),
        ("z_unpooled_p_two_sided", z(unpooled, |test| test.p_values.two_sided)),
        ("chi_square", chi(ChiSquareStatistic::Pearson, |test| test.statistic)),
        ("chi_square_p", chi(ChiSquareStatistic::Pearson, |test| test.p_value)),
        ("chi_square_yates", chi(ChiSquareStatistic::Yates, |test| test.statistic)),
        ("chi_square_yates_p", chi(ChiSquareStatistic::Yates, |test| test.p_value)),
        ("g_statistic", chi(ChiSquareStatistic::LikelihoodRatio, |test| test.statistic)),
        ("g_p", chi(ChiSquareStatistic::LikelihoodRatio, |test| test.p_value)),
        ("n_minus_1_chi_square", chi(ChiSquareStatistic::NMinusOne, |test| test.statistic)),
        ("fisher_p_two_sided", json(fisher.two_sided)),
        ("fisher_p_less", json(fisher.less)),
        ("fisher_p_greater", json(fisher.greater)),
        ("mid_p_less", json(doubled.less)),
        ("mid_p_greater", json(doubled.greater)),
        ("mid_p_two_sided_doubled", json(doubled.two_sided)),
        ("mid_p_two_sided_fisher_minus_half", json(two.mid_p_test(MidPTwoSided::FisherMinusHalf).two_sided)),
    ]);
    if unconditional {
        let boschloo = two.boschloo_test(BoschlooTwoSided::Doubled)?;
        let ordered = two.boschloo_test(BoschlooTwoSided::FisherOrdering)?;
        answer["unconditional"] = object([
            ("boschloo_p_less", json(boschloo.less)),
            ("boschloo_p_greater", json(boschloo.greater)),
            ("boschloo_p_two_sided_doubled", json(boschloo.two_sided)),
            ("boschloo_p_two_sided_fisher_ordering", json(ordered.two_sided)),
            ("barnard_pooled", barnard(two, pooled)?),
            ("barnard_unpooled", barnard(two, unpooled)?),
        ]);
    }
    Ok(answer)
}

fn barnard(two: TwoProportions, variance: DifferenceVariance) -> Answer {
    let test = two.barnard_test(variance)?;
    Ok(object([
        ("statistic", json(test.statistic)),
        ("p_two_sided", json(test.p_values.two_sided)),
        ("p_less", json(test.p_values.less)),
        ("p_greater", json(test.p_values.greater)),
    ]))
}

fn margin(case: &Case) -> Answer {
    let two = two(case)?;
    let margin = case.option("margin").as_f64().expect("a margin");
    let alpha = case.option("alpha_one_sided").as_f64().expect("a level");
    let better = if case.option("higher_is_better").as_bool().expect("true or false") {
        BetterOutcome::Higher
    } else {
        BetterOutcome::Lower
    };
    let level = 1.0 - 2.0 * alpha;
    let interval = |method| two.difference_interval(method, level).map(limits);
    let noninferiority = |method| two.noninferiority_test(margin, better, method);
    let wald = two.equivalence_test(margin, DifferenceTest::Wald)?;
    let score = two.equivalence_test(margin, DifferenceTest::FarringtonManning)?;
    let (wald_ni, score_ni) =
        (noninferiority(DifferenceTest::Wald)?, noninferiority(DifferenceTest::FarringtonManning)?);
    let constrained = two.constrained_proportions(score_ni.null_difference)?;
    Ok(object([
        ("estimate", json(two.difference().estimate)),
        ("se_unpooled", json(two.difference().se)),
        ("wald_noninferiority_z", json(wald_ni.statistic)),
        ("wald_noninferiority_p", json(wald_ni.p_value)),
        ("wald_upper_z", json(wald.upper.statistic)),
        ("wald_upper_p", json(wald.upper.p_values.less)),
        ("wald_tost_p", json(wald.p_value)),
        ("farrington_manning_z", json(score_ni.statistic)),
        ("farrington_manning_p", json(score_ni.p_value)),
        ("farrington_manning_constrained_p1", json(constrained.treatment)),
        ("farrington_manning_constrained_p0", json(constrained.control)),
        ("farrington_manning_upper_z", json(score.upper.statistic)),
        ("farrington_manning_upper_p", json(score.upper.p_values.less)),
        ("farrington_manning_tost_p", json(score.p_value)),
        (
            "miettinen_nurminen_noninferiority_z",
            json(noninferiority(DifferenceTest::MiettinenNurminen)?.statistic),
        ),
        ("ci_level", json(level)),
        ("wald_ci", interval(DifferenceInterval::Wald)?),
        ("mee_score_ci", interval(DifferenceInterval::Mee)?),
        ("newcombe_ci", interval(DifferenceInterval::Newcombe)?),
        ("wald_noninferior", Value::from(wald_ni.p_value < alpha)),
        ("wald_equivalent", Value::from(wald.p_value < alpha)),
    ]))
}

fn single(case: &Case) -> Answer {
    let one = Proportion::new(count(case, "events")?, count(case, "n")?)?;
    let level = case.level();
    let null = case.option("null_proportion").as_f64().expect("a proportion");
    let interval = |method| one.interval(method, level).map(limits);
    let exact = one.binomial_test(null)?;
    let score = one.score_test(null)?;
    Ok(object([
        ("estimate", json(one.estimate())),
        ("se", json(one.se())),
        ("wald", interval(SingleInterval::Wald)?),
        ("wilson", interval(SingleInterval::Wilson)?),
        ("wilson_continuity", interval(SingleInterval::WilsonContinuity)?),
        ("clopper_pearson", interval(SingleInterval::ClopperPearson)?),
        ("agresti_coull", interval(SingleInterval::AgrestiCoull)?),
        ("jeffreys_equal_tailed", interval(SingleInterval::Jeffreys)?),
        ("jeffreys_modified", interval(SingleInterval::JeffreysModified)?),
        ("mid_p", interval(SingleInterval::MidP)?),
        ("logit", limits_or_null(one.interval(SingleInterval::Logit, level))),
        ("binomial_test_p_two_sided", json(exact.two_sided)),
        ("binomial_test_p_less", json(exact.less)),
        ("binomial_test_p_greater", json(exact.greater)),
        ("score_z", json(score.statistic)),
        ("score_p_two_sided", json(score.p_values.two_sided)),
    ]))
}

fn stratified(case: &Case) -> Answer {
    let column = |key: &str| -> Result<Vec<u64>> {
        case.input(key).as_array().expect("counts").iter().map(as_count).collect()
    };
    let (x1, n1) = (column("events_treatment")?, column("n_treatment")?);
    let (x0, n0) = (column("events_control")?, column("n_control")?);
    let strata = StratifiedProportions::new((0..x1.len()).map(|i| Stratum {
        treatment_events: x1[i],
        treatment_n: n1[i],
        control_events: x0[i],
        control_n: n0[i],
    }))?;
    let level = case.level();
    let sato = strata.difference(MantelHaenszelVariance::Sato);
    let robins = strata.difference(MantelHaenszelVariance::GreenlandRobins);
    let ratio = strata.ratio().ok();
    let odds = strata.odds_ratio().ok();
    let cmh = |continuity, f: fn(ChiSquaredTest) -> f64| {
        optional(strata.mantel_haenszel_test(continuity).ok().map(f))
    };
    let homogeneity =
        |test, f: fn(ChiSquaredTest) -> f64| optional(strata.homogeneity_test(test).ok().map(f));
    let inverse = strata.inverse_variance_difference().ok();
    Ok(object([
        (
            "rd_mantel_haenszel",
            object([
                ("estimate", json(sato.estimate)),
                ("se_sato", json(sato.se)),
                ("ci_sato", limits(sato.interval(level)?)),
                ("se_greenland_robins", json(robins.se)),
                ("ci_greenland_robins", limits(robins.interval(level)?)),
            ]),
        ),
        (
            "rr_mantel_haenszel",
            ratio.map_or(Value::Null, |ratio| {
                object([
                    ("estimate", json(ratio.estimate)),
                    ("log_estimate", optional(ratio.log_estimate)),
                    ("se_log", optional(ratio.se_log)),
                    ("ci", limits_or_null(ratio.interval(level))),
                ])
            }),
        ),
        (
            "or_mantel_haenszel",
            odds.map_or(Value::Null, |odds| {
                object([
                    ("estimate", json(odds.estimate)),
                    ("log_estimate", optional(odds.log_estimate)),
                    ("se_log_robins_breslow_greenland", optional(odds.se_log)),
                    ("ci", limits_or_null(odds.interval(level))),
                ])
            }),
        ),
        ("cmh_chi_square", cmh(Continuity::None, |test| test.statistic)),
        ("cmh_p", cmh(Continuity::None, |test| test.p_value)),
        ("cmh_chi_square_continuity", cmh(Continuity::Corrected, |test| test.statistic)),
        ("cmh_continuity_p", cmh(Continuity::Corrected, |test| test.p_value)),
        ("breslow_day", homogeneity(HomogeneityTest::BreslowDay, |test| test.statistic)),
        ("breslow_day_df", homogeneity(HomogeneityTest::BreslowDay, |test| test.df)),
        ("breslow_day_p", homogeneity(HomogeneityTest::BreslowDay, |test| test.p_value)),
        ("tarone", homogeneity(HomogeneityTest::Tarone, |test| test.statistic)),
        ("tarone_p", homogeneity(HomogeneityTest::Tarone, |test| test.p_value)),
        (
            "rd_inverse_variance",
            inverse.map_or(Value::Null, |d| object([("estimate", json(d.estimate)), ("se", json(d.se))])),
        ),
    ]))
}

fn pairs(case: &Case) -> Answer {
    let pairs = PairedProportions {
        both: count(case, "both")?,
        first_only: count(case, "first_only")?,
        second_only: count(case, "second_only")?,
        neither: count(case, "neither")?,
    };
    let test =
        |continuity, f: fn(ChiSquaredTest) -> f64| optional(pairs.mcnemar_test(continuity).ok().map(f));
    Ok(object([
        ("statistic", test(Continuity::None, |test| test.statistic)),
        ("p_value", test(Continuity::None, |test| test.p_value)),
        ("statistic_continuity", test(Continuity::Corrected, |test| test.statistic)),
        ("p_continuity", test(Continuity::Corrected, |test| test.p_value)),
        ("exact_p", json(pairs.exact_p_value(PairedExact::Exact))),
        ("mid_p", json(pairs.exact_p_value(PairedExact::MidP))),
    ]))
}
