//! Topic "design": power, sizes, detectable effects, group sequential designs and conditional power. Which
//! question a case asks is told by its inputs.

use super::case::{Answer, Case, json, list};
use armwise::power::{
    Aim, Clustering, Direction, Family, GroupSizes, ManyToOne, ProportionFormula, Rounding, TestLevel,
    TwoMeansPower, TwoProportionsPower, anova_power, chi_square_power, inflated_for_attrition,
    inflated_for_take_up,
};
use armwise::sequential::{BValue, GroupSequential, Rule, Spending};
use serde_json::{Map, Value, json as object};

pub fn answer(case: &Case) -> Answer {
    let has = |key: &str| case.has_input(key);
    if has("information_rates") {
        group_sequential(case)
    } else if has("z_interim") {
        conditional(case)
    } else if has("attrition") {
        inflation(case)
    } else if has("icc") {
        clusters(case)
    } else if has("effect_sizes") {
        dunnett(case)
    } else if has("p") {
        bonferroni(case)
    } else if has("cohens_f") {
        anova(case)
    } else if has("effect_size_w") {
        chi_square(case)
    } else if has("correlation") {
        ancova(case)
    } else if has("margin") {
        margins(case)
    } else if has("effect_size") && has("power") {
        sizes_of_means(case)
    } else if has("effect_size") {
        means(case)
    } else if has("p_treatment") && has("power") {
        sizes_of_proportions(case)
    } else if has("p_treatment") {
        proportions(case)
    } else if has("p_control") {
        detectable_proportion(case)
    } else if has("n_treatment") {
        detectable_mean(case)
    } else {
        panic!("{}: no question is known with these inputs", case.name)
    }
}

/// The two-sided and the one-sided test of the case's level.
fn tests(case: &Case) -> Result<[TestLevel; 2], armwise::Error> {
    let alpha = case.option("alpha").as_f64().expect("a level");
    Ok([TestLevel::two_sided(alpha)?, TestLevel::one_sided(alpha)?])
}

/// The test with the number of sides that the case names, two where it names none.
fn sided(case: &Case) -> Result<TestLevel, armwise::Error> {
    let [two, one] = tests(case)?;
    match case.option("sides").as_u64() {
        None | Some(2) => Ok(two),
        Some(1) => Ok(one),
        Some(sides) => panic!("{}: {sides} sides", case.name),
    }
}

fn groups(case: &Case) -> Result<GroupSizes, armwise::Error> {
    GroupSizes::new(case.number("n_treatment"), case.number("n_control"))
}

fn two(case: &Case, formula: ProportionFormula) -> Result<TwoProportionsPower, armwise::Error> {
    TwoProportionsPower::new(case.number("p_treatment"), case.number("p_control"), formula)
}

fn proportions(case: &Case) -> Answer {
    let [both, one] = tests(case)?;
    assert_eq!(case.word("sides"), "2 unless the key says one_sided", "{}", case.name);
    assert_eq!(
        case.word("pooled"),
        "two-sided powers add both rejection tails unless one_tail_ignored / continuity_corrected",
        "{}",
        case.name
    );
    let sizes = groups(case)?;
    let power = |formula, test| two(case, formula)?.power(sizes, test).map(json);
    let mut answer = object!({
        "power_pooled": power(ProportionFormula::Pooled, both)?,
        "power_unpooled": power(ProportionFormula::Unpooled, both)?,
        "power_pooled_one_sided": power(ProportionFormula::Pooled, one)?,
        "cohens_h": json(two(case, ProportionFormula::Arcsine)?.cohens_h()),
        "power_arcsine": power(ProportionFormula::Arcsine, both)?,
        "power_arcsine_one_sided": power(ProportionFormula::Arcsine, one)?,
        "power_pooled_one_tail_ignored": power(ProportionFormula::Pooled, both.nearer_tail())?,
        "power_continuity_corrected": power(ProportionFormula::ContinuityCorrected, both)?,
    });
    if case.expected.contains_key("power_fisher_exact") {
        answer["power_fisher_exact"] = power(ProportionFormula::FisherExact, both)?;
        answer["power_fisher_exact_one_sided"] = power(ProportionFormula::FisherExact, one)?;
    }
    Ok(answer)
}

fn ratio(case: &Case) -> f64 {
    if case.has_option("allocation_ratio") {
        assert_eq!(case.word("allocation_ratio"), "n_treatment / n_control", "{}", case.name);
    }
    case.number("allocation_ratio")
}

fn sizes_of_proportions(case: &Case) -> Answer {
    let (test, ratio, power) = (sided(case)?, ratio(case), case.number("power"));
    let sizes = |formula, test| two(case, formula)?.sizes(power, ratio, test);
    let fleiss = sizes(ProportionFormula::Pooled, test.nearer_tail())?;
    let whole = fleiss.whole(Rounding::EachGroupUp)?;
    Ok(object!({
        "n_control_fleiss": json(fleiss.control()),
        "n_control_unpooled": json(sizes(ProportionFormula::Unpooled, test.nearer_tail())?.control()),
        "n_control_fleiss_continuity": json(sizes(ProportionFormula::ContinuityCorrected, test)?.control()),
        "n_control_arcsine": json(sizes(ProportionFormula::Arcsine, test.nearer_tail())?.control()),
        "n_control_pooled_both_tails": json(sizes(ProportionFormula::Pooled, test)?.control()),
        "n_control_fleiss_ceiling": whole.control,
        "n_treatment_fleiss_ceiling": whole.treated,
    }))
}

fn detectable_proportion(case: &Case) -> Answer {
    let (test, sizes) = (sided(case)?, groups(case)?);
    let (control, power) = (case.number("p_control"), case.number("power"));
    // Where no proportion on that side is detected there is a typed error, which agrees with null.
    let detectable = |formula, direction| match TwoProportionsPower::detectable(
        control, formula, direction, power, sizes, test,
    ) {
        Ok(effect) => json(effect),
        Err(error) => {
            assert_eq!(error.kind().name(), "invalid_input", "{}", case.name);
            Value::Null
        }
    };
    let simple = TwoProportionsPower::detectable_by_control_variance(control, power, sizes, test)?;
    Ok(object!({
        "mde_increase_pooled": detectable(ProportionFormula::Pooled, Direction::Increase),
        "mde_decrease_pooled": detectable(ProportionFormula::Pooled, Direction::Decrease),
        "mde_increase_unpooled": detectable(ProportionFormula::Unpooled, Direction::Increase),
        "mde_decrease_unpooled": detectable(ProportionFormula::Unpooled, Direction::Decrease),
        "mde_simple": json(simple),
    }))
}

fn margins(case: &Case) -> Answer {
    let test = TestLevel::one_sided(case.option("alpha_one_sided").as_f64().expect("a level"))?;
    let higher = case.option("higher_is_better").as_bool().expect("a direction");
    let (treated, control) = (case.number("p_treatment"), case.number("p_control"));
    // Where lower is better, those without the event are counted.
    let of = |p: f64| if higher { p } else { 1.0 - p };
    let two = TwoProportionsPower::new(of(treated), of(control), ProportionFormula::Unpooled)?;
    let (sizes, margin) = (groups(case)?, case.number("margin"));
    let aim = Aim::NonInferiority { margin };
    Ok(object!({
        "power_noninferiority": json(two.power_of(aim, sizes, test)?),
        "power_equivalence_tost": json(two.power_of(Aim::Equivalence { margin }, sizes, test)?),
        "n_per_arm_noninferiority": json(two.sizes_of(aim, case.number("power"), 1.0, test)?.control()),
    }))
}

fn means(case: &Case) -> Answer {
    let [both, one] = tests(case)?;
    let (design, sizes) = (TwoMeansPower::new(case.number("effect_size"))?, groups(case)?);
    Ok(object!({
        "noncentrality": json(design.noncentrality(sizes)),
        "df": json(design.df(sizes)),
        "power_two_sided": json(design.power(sizes, both)?),
        "power_one_sided": json(design.power(sizes, one)?),
        "power_normal_two_sided": json(design.normal_power(sizes, both)),
    }))
}

fn sizes_of_means(case: &Case) -> Answer {
    let (test, power, ratio) = (sided(case)?, case.number("power"), ratio(case));
    let design = TwoMeansPower::new(case.number("effect_size"))?;
    let sizes = design.sizes(power, ratio, test)?;
    let whole = sizes.whole(Rounding::EachGroupUp)?;
    Ok(object!({
        "n_control": json(sizes.control()),
        "n_control_ceiling": whole.control,
        "n_treatment_ceiling": whole.treated,
        "n_control_normal": json(design.normal_sizes(power, ratio, test)?.control()),
    }))
}

fn detectable_mean(case: &Case) -> Answer {
    let (test, sizes, power) = (sided(case)?, groups(case)?, case.number("power"));
    let any = TwoMeansPower::new(1.0)?;
    Ok(object!({
        "mde_standardised": json(any.detectable(power, sizes, test)?),
        "mde_normal": json(any.normal_detectable(power, sizes, test)?),
    }))
}

fn ancova(case: &Case) -> Answer {
    let correlation = case.number("correlation");
    let design = TwoMeansPower::new(case.number("effect_size"))?.covariates(1, correlation * correlation)?;
    let sizes = GroupSizes::equal(case.number("n_per_arm"))?;
    Ok(object!({
        "variance_factor": json(design.variance_factor()),
        "power": json(design.power(sizes, sided(case)?)?),
    }))
}

fn anova(case: &Case) -> Answer {
    let alpha = case.option("alpha").as_f64().expect("a level");
    let (groups, each, f) = (case.number("n_groups"), case.number("n_per_group"), case.number("cohens_f"));
    Ok(object!({
        "noncentrality": json(groups * each * f * f),
        "power": json(anova_power(groups as u32, each, f, alpha)?),
    }))
}

fn chi_square(case: &Case) -> Answer {
    let alpha = case.option("alpha").as_f64().expect("a level");
    let (w, n) = (case.number("effect_size_w"), case.number("n"));
    Ok(object!({
        "noncentrality": json(n * w * w),
        "power": json(chi_square_power(w, n, case.number("df"), alpha)?),
    }))
}

fn clusters(case: &Case) -> Answer {
    let clustering = Clustering::new(case.number("cluster_size"), case.number("icc"))?
        .varying(case.number("cv_cluster_size"))?;
    let effective = clustering.effective_size(case.number("clusters_per_arm"))?;
    let (sizes, test) = (GroupSizes::equal(effective)?, sided(case)?);
    Ok(object!({
        "design_effect": json(clustering.design_effect_of_equal_sizes()),
        "design_effect_unequal": json(clustering.design_effect()),
        "effective_n_per_arm": json(effective),
        "power_unpooled": json(two(case, ProportionFormula::Unpooled)?.power(sizes, test)?),
        "power_pooled": json(two(case, ProportionFormula::Pooled)?.power(sizes, test)?),
    }))
}

fn bonferroni(case: &Case) -> Answer {
    let test = sided(case)?;
    assert_eq!(case.word("reference"), "first arm", "{}", case.name);
    let (p, n) = (case.numbers("p"), case.numbers("n"));
    let comparisons = p.len() - 1;
    let each = test.at(Family::Bonferroni.level(test.alpha(), comparisons))?;
    let of = |arm: usize, formula| TwoProportionsPower::new(p[arm], p[0], formula);
    let powers = |formula| -> Result<Value, armwise::Error> {
        let power = |arm: usize| of(arm, formula)?.power(GroupSizes::new(n[arm], n[0])?, each);
        Ok(list((1..p.len()).map(power).collect::<Result<Vec<f64>, _>>()?))
    };
    // The size is that of the first comparison, with a power of 80% and the opposite tail left out.
    let sizes = of(1, ProportionFormula::Unpooled)?.sizes(0.8, 1.0, each.nearer_tail())?;
    Ok(object!({
        "alpha_per_comparison": json(each.alpha()),
        "power_unpooled": powers(ProportionFormula::Unpooled)?,
        "power_pooled": powers(ProportionFormula::Pooled)?,
        "sidak_alpha": json(Family::Sidak.level(test.alpha(), comparisons)),
        "n_per_arm_bonferroni": json(sizes.control()),
    }))
}

fn dunnett(case: &Case) -> Answer {
    let test = sided(case)?;
    assert_eq!(case.word("n"), "control first", "{}", case.name);
    let effects = case.numbers("effect_sizes");
    let design = ManyToOne::new(&effects, &case.numbers("n"))?;
    Ok(object!({
        "critical_value": json(design.critical_value(test)?),
        "disjunctive_power": json(design.disjunctive_power(test)?),
        "conjunctive_power": json(design.conjunctive_power(test)?),
        "marginal_power": list(design.marginal_power(test)?),
        "optimal_control_ratio": json(ManyToOne::optimal_control_ratio(effects.len())),
    }))
}

/// The number at the end of a word, after `minus_` a negative one.
fn suffix(word: &str, prefix: &str) -> Option<f64> {
    let rest = word.strip_prefix(prefix)?;
    match rest.strip_prefix("minus_") {
        Some(size) => size.parse::<f64>().ok().map(|size| -size),
        None => rest.parse().ok(),
    }
}

pub(super) fn rule(word: &str) -> Option<Rule> {
    let spending = match word {
        "obrien_fleming" => return Some(Rule::OBrienFleming),
        "pocock" => return Some(Rule::Pocock),
        "haybittle_peto" => return Some(Rule::HaybittlePeto { early: 3.0 }),
        "lan_demets_obrien_fleming" => Spending::OBrienFlemingType,
        "lan_demets_pocock" => Spending::PocockType,
        _ => {
            if let Some(delta) = suffix(word, "wang_tsiatis_") {
                return Some(Rule::WangTsiatis { delta });
            }
            if let Some(early) = suffix(word, "haybittle_peto_") {
                return Some(Rule::HaybittlePeto { early });
            }
            match suffix(word, "kim_demets_power_") {
                Some(rho) => Spending::Power { rho },
                None => Spending::HwangShihDeCani { gamma: suffix(word, "hwang_shih_decani_")? },
            }
        }
    };
    Some(Rule::Spending(spending))
}

fn group_sequential(case: &Case) -> Answer {
    if case.has_option("spending") {
        assert_eq!(
            case.word("spending"),
            "two-sided designs spend alpha/2 on each side; lower crossings ignored when solving (symmetric bounds; \
             probability of crossing both below 1e-9)",
            "{}",
            case.name
        );
    }
    let word = case.word("design");
    let rule = rule(word).unwrap_or_else(|| panic!("{}: the design {word}", case.name));
    let test = sided(case)?;
    let power = case.option("power").as_f64().expect("a power");
    let design = GroupSequential::new(&case.numbers("information_rates"), rule, test)?;
    let drift = design.drift(power)?;
    let exits = design.exits(drift)?;
    let mut answer = Map::new();
    let mut put = |key: &str, value: Value| answer.insert(key.to_owned(), value);
    put("critical_values", list(design.critical_values().iter().copied()));
    put("nominal_p_one_sided", list(design.nominal_p()));
    put("cumulative_alpha", list(design.exits(0.0)?.cumulative()));
    put("drift", json(drift));
    put("inflation_factor", json(design.inflation(power)?));
    put("cumulative_power", list(exits.cumulative()));
    put("expected_information_fraction_h1", json(exits.expected_information()));
    put("power_at_fixed_sample_drift", json(design.power(design.fixed_drift(power)?)?));
    put("constant", design.constant().map_or(Value::Null, json));
    Ok(Value::Object(answer))
}

fn conditional(case: &Case) -> Answer {
    let test = TestLevel::one_sided(case.option("alpha_one_sided").as_f64().expect("a level"))?;
    let value = BValue::new(case.number("z_interim"), case.number("information_fraction"))?;
    Ok(object!({
        "b_value": json(value.b()),
        "conditional_power_design": json(value.conditional_power(case.number("design_drift"), test)),
        "conditional_power_current_trend": json(value.by_trend(test)),
        "conditional_power_null": json(value.conditional_power(0.0, test)),
        "predictive_power_flat_prior": json(value.predictive_power(test)),
        "futility_index_current_trend": json(value.futility_index(test)),
    }))
}

fn inflation(case: &Case) -> Answer {
    let n = case.number("n");
    let inflated = inflated_for_attrition(n, case.number("attrition"))?;
    let whole = GroupSizes::equal(inflated)?.whole(Rounding::EachGroupUp)?;
    Ok(object!({
        "n_inflated": json(inflated),
        "n_inflated_ceiling": whole.control,
        "n_noncompliance": json(inflated_for_take_up(n, case.number("noncompliance"))?),
    }))
}
