//! Topic "registry_panel": the numeric layer, and beside it the typed one where it gives the same number.

use super::case::{Answer, Case, json, list};
use super::survival::words;
use armwise::multistate::{PanelQuantity, PeriodEffects, PeriodModel, StatePanel};
use armwise::ndarray::{Array1, Array2};
use armwise::prelude::*;
use armwise::regression::ClusterVariance;
use armwise::survival::{KaplanMeier, SurvivalData};
use serde_json::{Map, Value, json as object};
use std::collections::{BTreeMap, BTreeSet};

pub fn answer(case: &Case) -> Answer {
    match case.word("analysis") {
        "state_occupation" => state_occupation(case),
        "mean_months" => mean_months(case),
        "transition_probabilities" => transitions(case),
        "monthly_effects" => monthly_effects(case),
        "sustained_exit" => sustained_exit(case),
        word => panic!("the analysis {word} is not known"),
    }
}

/// The register of a case as a measure, with the arms of its trial.
struct Panel {
    comparison: Comparison<MonthlyStates>,
}

fn arms_of(case: &Case) -> Vec<String> {
    std::iter::once(case.word("control").to_owned()).chain(words(case.option("arms"))).collect()
}

fn whole(value: &Value) -> usize {
    value.as_u64().expect("a whole number") as usize
}

fn months(value: &Value) -> Vec<usize> {
    value.as_array().expect("months").iter().map(whole).collect()
}

impl Panel {
    fn new(case: &Case) -> armwise::Result<Self> {
        let states = words(case.option("states"));
        if case.has_input("csv") {
            return Self::of_city(case, case.word("municipality"), &states);
        }
        // The people of the rows.
        let (people, arms) = (words(case.input("participant")), words(case.input("arm")));
        let labels = words(case.input("state"));
        let register = Table::new()
            .with_categories("participant", people.iter().map(String::as_str))?
            .with_counts("month", case.numbers("month").iter().map(|month| *month as u64))?
            .with_categories("state", labels.iter().map(String::as_str))?;
        let own: BTreeMap<&String, &String> = people.iter().zip(&arms).collect();
        let trial = Table::new()
            .with_categories("participant", own.keys().map(|id| id.as_str()))?
            .with_categories("arm", own.values().map(|arm| arm.as_str()))?;
        Self::joined(case, trial, register, &states, 24)
    }

    fn of_city(case: &Case, city: &str, states: &[String]) -> armwise::Result<Self> {
        let register = Table::from_csv_path(case.csv())?.keep_category("municipality", city)?;
        let people = Table::from_csv_path(case.directory.join("data/participants.csv"))?;
        let people = people.keep_category("municipality", city)?;
        let people = people.rename("stratum", "group")?;
        // The register has the first people of each city.
        let known: BTreeSet<String> =
            register.column("participant")?.categories()?.flatten().map(str::to_owned).collect();
        let arms = arms_of(case);
        let both = people.column("arm")?.categories()?.zip(people.column("participant")?.categories()?);
        let keep: Vec<bool> = both
            .map(|(arm, id)| {
                arms.iter().any(|own| Some(&**own) == arm) && id.is_some_and(|id| known.contains(id))
            })
            .collect();
        let people = people.keep(&keep)?;
        let stratum: Vec<f64> = people
            .column("group")?
            .categories()?
            .map(|label| f64::from(u8::from(label == Some("under_2_years"))))
            .collect();
        let people = people.with_reals("stratum", stratum)?;
        Self::joined(case, people, register, states, 24)
    }

    fn joined(
        case: &Case,
        trial: Table,
        register: Table,
        states: &[String],
        months: usize,
    ) -> armwise::Result<Self> {
        let measure = Register::from_long(register, "participant", "month", "state")
            .states(states)
            .months(months)
            .outsiders(Outsiders::LeftOut)
            .measure()?;
        let trial = Trial::builder(case.option("municipality").as_str().unwrap_or("trial"), trial)
            .arm_labels("arm")
            .control(case.word("control"))
            .participant("participant")
            .build()?;
        Ok(Self { comparison: trial.on(&measure)? })
    }

    /// The arms in the order of the case, as places of the comparison.
    fn order(&self, case: &Case) -> Vec<usize> {
        let place = |arm: &String| self.comparison.arms().iter().position(|own| own.label == **arm);
        arms_of(case).iter().map(|arm| place(arm).expect("an arm")).collect()
    }

    /// The panel of each arm, in the order of the case.
    fn panels(&self, case: &Case) -> armwise::Result<Vec<StatePanel<'_>>> {
        let panels = self.comparison.panels()?;
        Ok(self.order(case).into_iter().map(|place| panels[place].clone()).collect())
    }

    fn sizes(&self, case: &Case) -> Vec<u64> {
        self.order(case).into_iter().map(|i| self.comparison.arms()[i].counts.randomised).collect()
    }
}

fn rows<R: IntoIterator<Item = f64>>(values: impl IntoIterator<Item = R>) -> Value {
    Value::Array(values.into_iter().map(list).collect())
}

fn grid(values: &Array2<f64>) -> Value {
    rows(values.rows().into_iter().map(|row| row.to_vec()))
}

fn state_occupation(case: &Case) -> Answer {
    let panel = Panel::new(case)?;
    let panels = panel.panels(case)?;
    let states = words(case.option("states"));
    let k = states.len();
    let horizons = months(case.option("horizons"));
    let curves: Vec<_> = panels.iter().map(StatePanel::occupation).collect::<armwise::Result<_>>()?;
    let mut answer = Map::new();
    answer.insert("n".to_owned(), object!(panel.sizes(case)));
    let seen = |arm: &StatePanel| -> armwise::Result<Vec<f64>> {
        horizons.iter().map(|at| Ok(arm.observed(*at)?.sum())).collect()
    };
    let seen: Vec<Vec<f64>> = panels.iter().map(seen).collect::<armwise::Result<_>>()?;
    answer.insert("n_observed".to_owned(), rows(seen));
    let mut add = |key: &str, value: Value| {
        answer.entry(key).or_insert_with(|| object!([])).as_array_mut().expect("a list").push(value);
    };
    for &at in &horizons {
        let counts: Vec<Array1<f64>> =
            panels.iter().map(|panel| panel.observed(at)).collect::<armwise::Result<_>>()?;
        let shares: Vec<Array1<f64>> = counts.iter().map(|counts| counts / counts.sum()).collect();
        add("observed", rows(shares.iter().map(|shares| shares.to_vec())));
        let se = |(p, n): (&Array1<f64>, f64)| p.mapv(|p| (p * (1.0 - p) / n).sqrt()).to_vec();
        add("observed_se", rows(shares.iter().zip(counts.iter().map(|counts| counts.sum())).map(se)));
        let quantities: Vec<PanelQuantity> =
            (0..k).map(|state| PanelQuantity::Occupied { states: vec![state], at }).collect();
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for (panel, curve) in panels.iter().zip(&curves) {
            values.push(curve.probability.row(at - 1).to_vec());
            let covariance = curve.covariance(panel, &quantities)?;
            errors.push(covariance.diag().mapv(|v| v.max(0.0).sqrt()).to_vec());
        }
        // The typed layer, state by state, where people differ.
        let (mut difference, mut difference_se) = (Vec::new(), Vec::new());
        for arm in 1..panels.len() {
            let of = |state: usize| {
                let value = values[arm][state] - values[0][state];
                let se = errors[arm][state].hypot(errors[0][state]);
                let estimator = StateOccupation::new(RiskDifference, [&states[state]], at);
                if let Ok(effects) = panel.comparison.estimate(&estimator) {
                    let typed = effects.treatment(&arms_of(case)[arm]).expect("an arm");
                    assert!((typed.value() - value).abs() < 1e-10 && (typed.se() - se).abs() < 1e-10);
                } else {
                    assert!(
                        se == 0.0
                            || (1..panels.len()).any(|i| errors[i][state].hypot(errors[0][state]) == 0.0)
                    );
                }
                (value, se)
            };
            let (value, se): (Vec<f64>, Vec<f64>) = (0..k).map(of).unzip();
            difference.push(value);
            difference_se.push(se);
        }
        add("aalen_johansen", rows(values));
        add("aalen_johansen_se", rows(errors));
        add("difference", rows(difference));
        add("difference_se", rows(difference_se));
    }
    Ok(Value::Object(answer))
}

/// Means of each arm (rows) and state (columns) with their standard errors, and contrasts with control.
fn with_differences(means: &[Vec<f64>], errors: &[Vec<f64>], level: f64) -> Value {
    let z = armwise::distribution::Normal.quantile(0.5 + 0.5 * level);
    let pairs = |f: &dyn Fn(usize, usize) -> f64| {
        rows((1..means.len()).map(|arm| (0..means[0].len()).map(|j| f(arm, j)).collect::<Vec<_>>()))
    };
    let value = |arm: usize, j: usize| means[arm][j] - means[0][j];
    let se = |arm: usize, j: usize| errors[arm][j].hypot(errors[0][j]);
    object!({
        "mean": rows(means.to_vec()),
        "std_err": rows(errors.to_vec()),
        "difference": pairs(&value),
        "difference_se": pairs(&se),
        "difference_ci_lower": pairs(&|arm, j| value(arm, j) - z * se(arm, j)),
        "difference_ci_upper": pairs(&|arm, j| value(arm, j) + z * se(arm, j)),
    })
}

fn mean_months(case: &Case) -> Answer {
    let panel = Panel::new(case)?;
    let panels = panel.panels(case)?;
    let states = words(case.option("states"));
    let until = whole(case.option("horizon"));
    let (mut means, mut errors) = (vec![Vec::new(); panels.len()], vec![Vec::new(); panels.len()]);
    let (mut complete, mut complete_se) = (means.clone(), means.clone());
    let mut n_complete = vec![0; panels.len()];
    for (j, state) in states.iter().enumerate() {
        let quantity = PanelQuantity::Time { states: vec![j], until };
        for (arm, panel) in panels.iter().enumerate() {
            let curve = panel.occupation()?;
            means[arm].push(curve.value(&quantity)?);
            errors[arm].push(curve.covariance(panel, std::slice::from_ref(&quantity))?[[0, 0]].sqrt());
        }
        let observed = panel.comparison.complete_months_in([state], until)?;
        for (to, from) in panel.order(case).into_iter().enumerate() {
            let own = observed.outcomes().iter().zip(observed.arm_indices());
            let own: Vec<f64> = own.filter(|(_, arm)| **arm as usize == from).map(|(y, _)| *y).collect();
            let n = own.len() as f64;
            let mean = own.iter().sum::<f64>() / n;
            let variance = own.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n - 1.0);
            n_complete[to] = own.len();
            complete[to].push(mean);
            complete_se[to].push((variance / n).sqrt());
        }
        let estimator = MonthsInState::new(MeanDifference, [state], until);
        let typed = estimator.arm_means(&panel.comparison)?;
        for (to, from) in panel.order(case).into_iter().enumerate() {
            assert!((typed.values()[from] - means[to][j]).abs() < 1e-10);
        }
    }
    Ok(object!({
        "n_complete": n_complete,
        "complete": with_differences(&complete, &complete_se, case.level()),
        "aalen_johansen": with_differences(&means, &errors, case.level()),
    }))
}

fn transitions(case: &Case) -> Answer {
    let panel = Panel::new(case)?;
    let k = words(case.option("states")).len();
    let moves: Vec<_> = panel.panels(case)?.iter().map(StatePanel::transitions).collect();
    let all = |f: &dyn Fn(usize, usize, usize) -> Option<f64>| {
        let row = |arm: usize, h: usize| super::survival::maybe((0..k).map(|j| f(arm, h, j)));
        let of_arm = |arm: usize| Value::Array((0..k).map(|h| row(arm, h)).collect());
        Value::Array((0..moves.len()).map(of_arm).collect())
    };
    Ok(object!({
        "counts": moves.iter().map(|moves| grid(&moves.counts)).collect::<Vec<_>>(),
        "probability": all(&|arm, h, j| moves[arm].probability(h, j)),
        "std_err": all(&|arm, h, j| moves[arm].binomial_se(h, j)),
        "cluster_se": all(&|arm, h, j| moves[arm].se(h, j)),
    }))
}

/// The rows of the regression of monthly effects, over people and months.
#[derive(Default)]
struct Rows {
    outcome: Vec<f64>,
    person: Vec<u32>,
    arm: Vec<u32>,
    month: Vec<u32>,
    city: Vec<u32>,
    covariates: Vec<Vec<f64>>,
}

/// The joint tests of every arm over the months: chi-squared by CR0, F by CR1, HTZ by CR2.
fn joint_by_arm(months: usize, effects: [&PeriodEffects; 3]) -> Value {
    let [chi2, f, htz] = effects.map(|effects| {
        effects.joint.iter().cloned().collect::<armwise::Result<Vec<_>>>().expect("joint tests")
    });
    object!({
        "chi_square_cr0": list(chi2.iter().map(|test| test.statistic)),
        "df": months,
        "p_value_cr0": list(chi2.iter().map(|test| test.p_value)),
        "f_cr1": list(f.iter().map(|test| test.statistic)),
        "f_df2": effects[0].clusters - 1,
        "p_value_cr1": list(f.iter().map(|test| test.p_value)),
        "htz_f": list(htz.iter().map(|test| test.statistic)),
        "htz_df2": list(htz.iter().map(|test| test.denominator_df.unwrap_or(f64::NAN))),
        "htz_p_value": list(htz.iter().map(|test| test.p_value)),
    })
}

fn monthly_effects(case: &Case) -> Answer {
    assert_eq!(case.word("cluster"), "participant");
    let cities = words(case.option("municipalities"));
    let (outcome, at) = (words(case.option("outcome_states")), months(case.option("months")));
    let names = words(case.option("covariates"));
    let states = ["benefit", "part_time", "full_time", "other"].map(str::to_owned);
    let arms = arms_of(case);
    let mut all = Rows { covariates: vec![Vec::new(); names.len()], ..Rows::default() };
    let mut panels = Vec::new();
    let mut people = 0;
    for (city, name) in (0_u32..).zip(&cities) {
        let panel = Panel::of_city(case, name, &states)?;
        let values: Vec<Vec<Option<f64>>> =
            names.iter().map(|name| panel.comparison.covariate(name)).collect::<armwise::Result<_>>()?;
        let inside: BTreeSet<u8> =
            (0..).zip(&states).filter(|(_, state)| outcome.contains(state)).map(|(code, _)| code).collect();
        let order = panel.order(case);
        let sequences = panel.comparison.sequences()?;
        for (i, (own, arm)) in sequences.iter().zip(panel.comparison.arm_indices()).enumerate() {
            let arm = order.iter().position(|place| place == &(*arm as usize)).expect("an arm");
            for (code, month) in (0_u32..).zip(&at) {
                if let Some(state) = own.get(month - 1) {
                    all.outcome.push(f64::from(u8::from(inside.contains(state))));
                    all.person.push(people + i as u32);
                    all.arm.push(arm as u32);
                    all.month.push(code);
                    all.city.push(city);
                    for (column, values) in all.covariates.iter_mut().zip(&values) {
                        column.push(values[i].expect("a covariate"));
                    }
                }
            }
        }
        people += sequences.len() as u32;
        panels.push(panel);
    }
    let chosen = case.option("average_over");
    let averages: Vec<Vec<f64>> = if chosen.is_null() {
        Vec::new()
    } else {
        let over = months(chosen);
        vec![at.iter().map(|m| if over.contains(m) { 1.0 / over.len() as f64 } else { 0.0 }).collect()]
    };
    let columns: Vec<Array1<f64>> =
        all.covariates.iter().map(|column| Array1::from(column.clone())).collect();
    let mut model =
        PeriodModel::new(&all.outcome, &all.person, (arms.len(), &all.arm), (at.len(), &all.month))?
            .blocks(cities.len(), &all.city)?;
    for (name, values) in names.iter().zip(&columns) {
        model = model.covariate(name, values.view());
    }
    let by = |variance| model.effects(variance, &averages);
    let (cr0, cr1, cr1s) = (by(ClusterVariance::Cr0)?, by(ClusterVariance::Cr1)?, by(ClusterVariance::Cr1s)?);
    let se = |effects: &PeriodEffects| {
        let (k, t) = effects.estimates.dim();
        grid(&Array2::from_shape_fn((k, t), |(i, m)| effects.covariance[[i * t + m, i * t + m]].sqrt()))
    };
    let mut answer = object!({
        "n": cr0.n,
        "clusters": cr0.clusters,
        "n_coefficients": cr0.coefficients,
        "estimate": grid(&cr0.estimates),
        "se_cr0": se(&cr0),
        "se_cr1": se(&cr1),
        "se_cr1s": se(&cr1s),
    });
    let needs_cr2 = case.expected.contains_key("se_cr2");
    let cr2 = if needs_cr2 { Some(by(ClusterVariance::Cr2)?) } else { None };
    if let Some(cr2) = &cr2 {
        let (k, t) = cr2.estimates.dim();
        answer["se_cr2"] = se(cr2);
        answer["df_satterthwaite"] = grid(&Array2::from_shape_fn((k, t), |(i, m)| cr2.df[i * t + m]));
        if cities.len() == 1 {
            typed(case, &panels[0].comparison, &outcome, &at, &names, cr2);
        }
    }
    if case.expected.contains_key("joint_by_arm") {
        answer["joint_by_arm"] = joint_by_arm(at.len(), [&cr0, &cr1, cr2.as_ref().expect("CR2")]);
    }
    if let Some(mean) = cr0.averages.first() {
        let root = |covariance: &Array2<f64>| list(covariance.diag().iter().map(|v| v.sqrt()));
        answer["average"] = object!({
            "estimate": list(mean.estimates.iter().copied()),
            "se_cr0": root(&mean.covariance),
            "se_cr1": root(&cr1.averages[0].covariance),
            "covariance_cr1": grid(&cr1.averages[0].covariance),
        });
        if let Some(cr2) = &cr2 {
            answer["average"]["se_cr2"] = root(&cr2.averages[0].covariance);
            answer["average"]["df_satterthwaite"] = list(cr2.averages[0].df.iter().copied());
        }
    }
    Ok(answer)
}

/// The typed layer gives the same effects.
fn typed(
    case: &Case,
    comparison: &Comparison<MonthlyStates>,
    outcome: &[String],
    at: &[usize],
    names: &[String],
    kernel: &PeriodEffects,
) {
    let estimator = MonthlyEffects::new(outcome, at.iter().copied()).adjust_for(names);
    let effects = estimator.over_time(comparison).unwrap_or_else(|why| panic!("{}: {why}", case.name));
    for (i, arm) in arms_of(case)[1..].iter().enumerate() {
        for (m, month) in at.iter().enumerate() {
            let one = effects.at(*month).and_then(|at| at.treatment(arm)).expect("an effect");
            let place = i * at.len() + m;
            assert!((one.value() - kernel.estimates[[i, m]]).abs() < 1e-10, "{}", case.name);
            assert!((one.se() - kernel.covariance[[place, place]].sqrt()).abs() < 1e-10, "{}", case.name);
            let df = one.df().expect("degrees of freedom");
            assert!((df - kernel.df[place]).abs() < 1e-6 * df, "{}", case.name);
        }
    }
}

fn sustained_exit(case: &Case) -> Answer {
    let panel = Panel::new(case)?;
    let states = words(case.option("states"));
    let exits = words(case.option("exit_states"));
    let within: Vec<usize> =
        exits.iter().map(|exit| states.iter().position(|state| state == exit).expect("a state")).collect();
    let least = whole(case.option("minimum_months"));
    let horizons = months(case.option("horizons"));
    let sizes = panel.sizes(case);
    let (mut sustained, mut first, mut returned, mut ever) = (vec![], vec![], vec![], vec![]);
    let (mut curve, mut curve_se) = (vec![], vec![]);
    for arm in panel.panels(case)? {
        let spells = arm.sustained(&within, least)?;
        let own: Vec<usize> = spells.iter().filter_map(|spell| spell.first).collect();
        sustained.push(own.len() as f64);
        let mean = own.iter().sum::<usize>() as f64 / own.len() as f64;
        first.push(if own.is_empty() { Value::Null } else { json(mean) });
        returned.push(spells.iter().filter(|spell| spell.returned).count());
        ever.push(spells.iter().filter(|spell| spell.time() > 0).count());
        let time: Vec<f64> = spells.iter().map(|spell| spell.time() as f64).collect();
        let cause: Vec<u32> = spells.iter().map(|spell| u32::from(spell.first.is_some())).collect();
        let fit = KaplanMeier::new(&SurvivalData::new(&time, &cause)?)?;
        let at = |horizon: &usize| fit.at(*horizon as f64);
        let points: Vec<_> = horizons.iter().map(at).collect::<armwise::Result<_>>()?;
        curve.push(list(points.iter().map(|point| 1.0 - point.survival)));
        curve_se.push(list(points.iter().map(|point| point.se.unwrap_or(f64::NAN))));
    }
    // The typed layer has the same people among those at risk.
    let typed = panel.comparison.sustained(&exits, least)?;
    let times = typed.times()?;
    assert_eq!(f64::from(times.cause.iter().sum::<u32>()), sustained.iter().sum::<f64>());
    let shares: Vec<f64> = sustained.iter().zip(&sizes).map(|(x, n)| x / *n as f64).collect();
    let variance = |i: usize| shares[i] * (1.0 - shares[i]) / sizes[i] as f64;
    Ok(object!({
        "n": sizes,
        "sustained": list(sustained.iter().copied()),
        "share": list(shares.iter().copied()),
        "difference": list(shares[1..].iter().map(|share| share - shares[0])),
        "difference_se": list((1..shares.len()).map(|i| (variance(i) + variance(0)).sqrt())),
        "first_month_mean": first,
        "returned_to_benefit": returned,
        "n_at_risk_ever": ever,
        "kaplan_meier": curve,
        "kaplan_meier_se": curve_se,
    }))
}
