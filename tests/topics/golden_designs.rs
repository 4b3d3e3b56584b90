//! Designs that rpact and base R computed (`tests/data/golden`, with the script).

use super::case::{Answer, Case, json, list};
use super::design::rule;
use armwise::power::{Aim, GroupSizes, ProportionFormula, TestLevel, TwoMeansPower, TwoProportionsPower};
use armwise::prospective::{ArmRatio, ExpectedOutcome, HazardFormula, PlannedTrial};
use armwise::sequential::{Binding, Futility, GroupSequential, Rule};
use serde_json::{Map, Value, json as object};

pub fn answer(case: &Case) -> Answer {
    match case.what {
        "sequential" => sequential(case),
        "stopped" => stopped(case),
        "conditional" => conditional(case),
        "means" => means(case),
        "proportions" => proportions(case),
        "events" => events(case),
        "base_proportions" => base_proportions(case),
        "base_means" => base_means(case),
        what => panic!("{}: no question is known as {what}", case.name),
    }
}

fn of(case: &Case, option: &str) -> f64 {
    case.option(option).as_f64().unwrap_or_else(|| panic!("{}: option {option} is no number", case.name))
}

fn test(case: &Case) -> Result<TestLevel, armwise::Error> {
    match case.option("sides").as_u64() {
        Some(1) => TestLevel::one_sided(of(case, "alpha")),
        Some(2) => TestLevel::two_sided(of(case, "alpha")),
        sides => panic!("{}: {sides:?} sides", case.name),
    }
}

/// The design of a case, its rule named by the reference cases' words.
fn design(case: &Case) -> Result<GroupSequential, armwise::Error> {
    let named = |word| rule(word).unwrap_or_else(|| panic!("{}: the design {word}", case.name));
    let made = GroupSequential::new(&case.numbers("looks"), named(case.word("design")), test(case)?)?;
    let binding = || match case.word("binding") {
        "binding" => Binding::Binding,
        "non_binding" => Binding::NonBinding,
        word => panic!("{}: futility is {word}", case.name),
    };
    if case.has_input("futility") {
        return made.futility(Futility::Bounds { early: case.numbers("futility"), binding: binding() });
    }
    if case.has_option("beta_spending") {
        let Rule::Spending(spending) = named(case.word("beta_spending")) else {
            panic!("{}: no spending of beta", case.name)
        };
        let power = of(case, "power");
        return made.futility(Futility::BetaSpending { spending, power, binding: binding() });
    }
    Ok(made)
}

fn sequential(case: &Case) -> Answer {
    let (design, power) = (design(case)?, of(case, "power"));
    let drift = design.drift(power)?;
    let exits = design.exits(drift)?;
    let claims = if case.option("sides") == 2 { exits.cumulative() } else { exits.cumulative_above() };
    let mut answer = Map::new();
    let mut put = |key: &str, value: Value| answer.insert(key.to_owned(), value);
    put("critical_values", list(design.critical_values().iter().copied()));
    put("drift", json(drift));
    put("inflation", json(design.inflation(power)?));
    put("cumulative_power", list(claims));
    // rpact gives expected sizes over the size without looks.
    for (key, drift) in [("expected_h1", drift), ("expected_h01", 0.5 * drift), ("expected_h0", 0.0)] {
        let expected = design.exits(drift)?.expected_information();
        put(key, json(expected * design.inflation(power)?));
    }
    if case.has_option("beta_spending") {
        put("futility_values", list(design.futility_values().iter().copied()));
    }
    Ok(Value::Object(answer))
}

fn look(case: &Case) -> usize {
    case.number("look") as usize
}

fn stopped(case: &Case) -> Answer {
    let design = design(case)?;
    let stopped = design.stopped(look(case), case.number("z"), 0.95)?;
    let repeated = design.repeated_interval(look(case), case.number("z"))?;
    Ok(object!({
        "p_value": json(stopped.p_value),
        "median_unbiased": json(stopped.median_unbiased),
        "interval": list([stopped.interval.lower(), stopped.interval.upper()]),
        "repeated": list([repeated.lower(), repeated.upper()]),
    }))
}

fn conditional(case: &Case) -> Answer {
    let chance = design(case)?.conditional_power(look(case), case.number("z"), case.number("drift"))?;
    Ok(object!({ "conditional_power": json(chance) }))
}

fn means(case: &Case) -> Answer {
    let design = TwoMeansPower::new(case.number("effect_size"))?;
    let (power, ratio, test) = (of(case, "power"), of(case, "ratio"), test(case)?.nearer_tail());
    let sizes = match case.word("formula") {
        "normal" => design.normal_sizes(power, ratio, test)?,
        "t" => design.sizes(power, ratio, test)?,
        word => panic!("{}: the formula {word}", case.name),
    };
    Ok(object!({ "n_control": json(sizes.control()) }))
}

fn pooled(case: &Case) -> Result<TwoProportionsPower, armwise::Error> {
    TwoProportionsPower::new(case.number("treated"), case.number("control"), ProportionFormula::Pooled)
}

fn proportions(case: &Case) -> Answer {
    let sizes = pooled(case)?.sizes_of(
        Aim::Difference,
        of(case, "power"),
        of(case, "ratio"),
        test(case)?.nearer_tail(),
    )?;
    Ok(object!({ "n_control": json(sizes.control()) }))
}

/// The events of the people, of whom half have one without treatment.
fn events(case: &Case) -> Answer {
    let formula = match case.word("formula") {
        "schoenfeld" => HazardFormula::Schoenfeld,
        "freedman" => HazardFormula::Freedman,
        word => panic!("{}: the formula {word}", case.name),
    };
    let (hazard_ratio, control_events) = (case.number("hazard_ratio"), 0.5);
    let outcome = ExpectedOutcome::TimeToEvent { hazard_ratio, control_events, formula };
    let people = PlannedTrial::new(outcome)?
        .test(test(case)?.nearer_tail())?
        .arm_ratio(ArmRatio::TreatedPerControl(of(case, "ratio")))?
        .sizes_for(of(case, "power"))?;
    let treated_events = 1.0 - (1.0 - control_events).powf(hazard_ratio);
    let events = people.treated() * treated_events + people.control() * control_events;
    Ok(object!({ "events": json(events) }))
}

fn base_proportions(case: &Case) -> Answer {
    let power = pooled(case)?.power(GroupSizes::equal(case.number("each"))?, test(case)?)?;
    Ok(object!({ "power": json(power) }))
}

fn base_means(case: &Case) -> Answer {
    let design = TwoMeansPower::new(case.number("effect_size"))?;
    let power = design.power(GroupSizes::equal(case.number("each"))?, test(case)?)?;
    Ok(object!({ "power": json(power) }))
}
