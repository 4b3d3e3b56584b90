//! One confidence curve behind every effect that a pool gives: interval, p-value and probabilities never
//! contradict each other, and a result whose numbers were changed is not read.

use crate::support::data::{comparisons, counts};
use crate::support::pools::{self, Visit, all, all_joint, analyses};
use crate::support::survives;
use armwise::effect::Inference;
use armwise::prelude::*;
use proptest::prelude::*;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

const LEVELS: [f64; 6] = [0.3, 0.5, 0.8, 0.9, 0.95, 0.99];

/// Every law of a confidence curve, for one effect.
fn obeys(name: &str, effect: &Inference) {
    let show = || format!("{name}: {effect:?}");
    assert_eq!(effect.interval_at(effect.level()).unwrap(), effect.interval(), "{}", show());
    let (value, p) = (effect.value(), effect.p_value());
    assert!((0.0..=1.0).contains(&p), "{}", show());
    let mut inner = armwise::Interval::new(value, value).unwrap();
    for level in LEVELS {
        let interval = effect.interval_at(level).unwrap();
        let room = 1e-9 * effect.se();
        let nests = interval.lower() <= inner.lower() + room && interval.upper() >= inner.upper() - room;
        assert!(nests, "{interval:?} does not hold {inner:?} of a lower level\n{}", show());
        let tail = 0.5 * (1.0 - level);
        let ends = [
            effect.p_above(interval.lower()).unwrap(),
            effect.p_below(interval.upper()).unwrap(),
            1.0 - effect.probability_above(interval.lower()).unwrap(),
        ];
        assert!(ends.iter().all(|end| (end - tail).abs() < 1e-7), "{ends:?} at level {level}\n{}", show());
        if (p - (1.0 - level)).abs() > 1e-6 {
            let excludes = !interval.contains(0.0);
            assert_eq!(p < 1.0 - level, excludes, "p = {p}, {interval:?} at level {level}\n{}", show());
        }
        inner = interval;
    }
    survives(effect);
}

/// Whether an object is an effect with its curve.
fn is_effect(value: &Value) -> bool {
    ["value", "se", "level", "interval", "p_value", "curve"].iter().all(|key| value.get(key).is_some())
}

/// The pointers of all numbers below a value, and whether they belong to an effect.
fn numbers(value: &Value, pointer: &str, of_effect: bool, found: &mut Vec<(String, bool)>) {
    let of_effect = of_effect || is_effect(value);
    let mut below = |key: &str, value: &Value| numbers(value, &format!("{pointer}/{key}"), of_effect, found);
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(values) => values.iter().enumerate().for_each(|(i, value)| below(&i.to_string(), value)),
        Value::Number(_) => found.push((pointer.to_owned(), of_effect)),
        _ => {}
    }
}

/// The effects in a document; those that lie side by side with a treatment's counts are flattened into their
/// estimate.
fn effects_in(value: &Value, found: &mut Vec<Inference>) {
    if is_effect(value) {
        found.push(serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{error}: {value}")));
    }
    match value {
        Value::Object(fields) => fields.values().for_each(|value| effects_in(value, found)),
        Value::Array(values) => values.iter().for_each(|value| effects_in(value, found)),
        _ => {}
    }
}

/// Looks at every effect in a result.
#[derive(Default)]
struct Curves {
    effects: usize,
}

impl Visit for Curves {
    fn see<T>(&mut self, name: &str, result: armwise::Result<T>)
    where
        T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        let Ok(result) = result else { return };
        let mut effects = Vec::new();
        effects_in(&serde_json::to_value(&result).unwrap(), &mut effects);
        for effect in &effects {
            obeys(name, effect);
        }
        self.effects += effects.len();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn every_effect_of_a_pool_obeys_its_curve(trials in counts()) {
        let comparisons = comparisons(&trials);
        let effects = comparisons.estimate(&DifferenceInProportions::new()).unwrap();
        let mut curves = Curves::default();
        for pool in all() {
            curves.see(&format!("{pool:?}"), pool.pool(&effects.treatment("guidance").unwrap()));
        }
        for pool in all_joint() {
            curves.see(&format!("{pool:?}"), pool.pool(&effects));
        }
        analyses(&effects, "guidance", &mut curves);
        pools::counts(&comparisons, "guidance", &mut curves);
        // As many as there are trials: with two of them no pool leaves two out.
        prop_assert!(curves.effects > 60 * trials.len(), "{} of {} trials", curves.effects, trials.len());
    }

    #[test]
    fn the_wider_of_both_has_the_larger_p_value_at_every_level(trials in counts()) {
        let alone = comparisons(&trials).estimate(&DifferenceInProportions::new()).unwrap().treatment("guidance").unwrap();
        let mut p_values = Vec::new();
        for level in [0.5, 0.9, 0.95, 0.99] {
            let ways = SideBySide::new().level(level).pool(&alone).unwrap();
            let row = |approach| ways.row(approach).unwrap();
            let (wald, both) = (row(armwise::pool::Approach::Wald), row(armwise::pool::Approach::WiderOfBoth));
            let Ok(other) = ways.row(armwise::pool::Approach::HartungKnapp) else { return Ok(()) };
            prop_assert!((both.p_value() - wald.p_value().max(other.p_value())).abs() < 1e-12);
            let width = wald.interval().width().max(other.interval().width());
            prop_assert!((both.interval().width() - width).abs() <= 1e-12 * width);
            p_values.push(both.p_value());
        }
        prop_assert!(p_values.iter().all(|p| (p - p_values[0]).abs() < 1e-12), "{p_values:?}");
    }

    #[test]
    fn probabilities_of_a_posterior_are_those_of_its_intervals(trials in counts(), level in 0.05..0.995_f64) {
        let alone = comparisons(&trials).estimate(&DifferenceInProportions::new()).unwrap().treatment("guidance").unwrap();
        let pooled = BayesianRandomEffects::new().level(level).pool(&alone).unwrap();
        for (of, summary) in [
            (armwise::pool::EffectOf::Mean, pooled.summary.mu),
            (armwise::pool::EffectOf::NewTrial, pooled.summary.predictive),
            (armwise::pool::EffectOf::Trial(1), pooled.posterior.study_effect(1).unwrap().summary(level).unwrap()),
        ] {
            let effect = pooled.effect(of).unwrap();
            prop_assert_eq!((effect.value(), effect.interval()), (summary.median, summary.interval));
            prop_assert_eq!(Some(effect.se()), summary.sd);
            let inside = effect.probability_above(effect.interval().lower()).unwrap();
            prop_assert!((inside - 0.5 * (1.0 + level)).abs() < 1e-9, "{inside}");
            // Shortest intervals hold the same probability, with other tails.
            let shortest = summary.shortest_interval;
            let inside = effect.p_above(shortest.upper()).unwrap() - effect.p_above(shortest.lower()).unwrap();
            prop_assert!((inside - level).abs() < 1e-6 && shortest.width() <= summary.interval.width() * (1.0 + 1e-9));
            let benefit = pooled.probability_of_benefit(of).unwrap();
            prop_assert!((benefit - effect.probability_above(0.0).unwrap()).abs() < 1e-12);
            let no_harm = pooled.probability_of_no_harm(of, 0.02).unwrap();
            prop_assert!((no_harm - effect.probability_above(-0.02).unwrap()).abs() < 1e-12 && no_harm >= benefit);
        }
        prop_assert!(pooled.effect(armwise::pool::EffectOf::Trial(trials.len())).is_err());
        prop_assert!(pooled.minimal_detectable_effect(0.05, 0.8).is_err());
    }
}

/// Changes each number of each result: an effect with another number is refused, and nothing panics.
#[derive(Default)]
struct Changed {
    refused: usize,
}

/// Another number than this one, and near it.
fn another(number: &Value) -> Value {
    match (number.as_u64(), number.as_f64()) {
        (Some(count), _) => json!(count + 1),
        (_, Some(x)) => json!(if (0.1 * x - 0.01).abs() < 1e-3 { 0.8 * x + 0.01 } else { 0.9 * x + 0.01 }),
        _ => json!(0.5),
    }
}

impl Visit for Changed {
    fn see<T>(&mut self, name: &str, result: armwise::Result<T>)
    where
        T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display,
    {
        let Ok(result) = result else { return };
        let document = serde_json::to_value(&result).unwrap();
        let mut found = Vec::new();
        numbers(&document, "", false, &mut found);
        for (pointer, of_effect) in found {
            let mut changed = document.clone();
            let number = changed.pointer_mut(&pointer).unwrap();
            *number = another(number);
            let read = serde_json::from_value::<T>(changed.clone());
            self.refused += usize::from(read.is_err());
            assert!(
                !of_effect || read.is_err(),
                "{name}: {pointer} = {} was read",
                changed.pointer(&pointer).unwrap()
            );
        }
    }
}

#[test]
fn an_effect_whose_numbers_were_changed_is_refused() {
    let trials =
        [[(10, 100), (15, 90), (12, 80)], [(20, 100), (15, 95), (30, 110)], [(7, 60), (9, 70), (5, 50)]];
    let effects = comparisons(&trials).estimate(&DifferenceInProportions::new()).unwrap();
    let mut changed = Changed::default();
    let alone = effects.treatment("guidance").unwrap();
    for pool in all() {
        changed.see(&format!("{pool:?}"), pool.pool(&alone));
    }
    analyses(&effects, "guidance", &mut changed);
    pools::arms(&comparisons(&trials), &mut changed);
    assert!(changed.refused > 1000, "{}", changed.refused);
}

#[test]
fn results_refuse_rows_that_are_not_theirs() {
    use armwise::meta_analysis::{FunnelSide, MissingStudies};
    use armwise::pool::{CumulativeOrder, Priors};
    let trials =
        [[(10, 100), (15, 90), (12, 80)], [(20, 100), (15, 95), (30, 110)], [(7, 60), (9, 70), (5, 50)]];
    let effects = comparisons(&trials).estimate(&DifferenceInProportions::new()).unwrap();
    let alone = effects.treatment("guidance").unwrap();
    let sensitivity = RandomEffects::new().sensitivity(&alone).unwrap();
    let bayesian = BayesianRandomEffects::new();

    let refits = sensitivity.leave_one_out().unwrap();
    refuses(
        &refits,
        &["/rows/0/trial", "/rows/0/summary/k", "/rows/1/summary/p_value", "/rows/1/summary/wald/se"],
    );
    refuses(
        &refits,
        &["/rows/2/summary/interval/lower", "/rows/2/summary/tau2", "/rows/0/summary/statistic"],
    );
    refuses(
        &sensitivity.cumulative(&CumulativeOrder::Precision).unwrap(),
        &["/rows/1/summary/k", "/rows/2/trial"],
    );
    refuses(
        &sensitivity.influence().unwrap(),
        &[
            "/rows/0/trial",
            "/rows/0/weight",
            "/rows/1/dffits",
            "/rows/2/tau2_deleted",
            "/rows/2/baujat/influence",
        ],
    );
    refuses(
        &sensitivity.asymmetry().unwrap(),
        &[
            "/egger/slope/estimate",
            "/egger/slope/p_value",
            "/egger/intercept/se",
            "/rank/kendall_tau",
            "/rank/p_value",
            "/rank/standardized_deviates/1",
        ],
    );
    refuses(
        &sensitivity.trim_and_fill(MissingStudies::L0, FunnelSide::Left).unwrap(),
        &["/filled/k0", "/filled/pool/estimate", "/filled/pool/se", "/filled/pool/weights/0"],
    );
    refuses(&sensitivity.henmi_copas().unwrap(), &["/tau2", "/inference/curve/henmi_copas/ratio"]);
    refuses(
        &bayesian.pool(&alone).unwrap(),
        &[
            "/treatment",
            "/summary/mu/median",
            "/summary/tau/interval/upper",
            "/summary/predictive/shortest_interval/lower",
            "/summary/log_evidence",
            "/posterior/yi/0",
            "/posterior/vi/2",
            "/posterior/priors/tau_prior/half_normal/scale",
        ],
    );
    let priors = bayesian.prior_sensitivity(&alone, &Priors::Customary).unwrap();
    let mut others = serde_json::to_value(&priors).unwrap();
    let one = comparisons(&trials[..2]).estimate(&DifferenceInProportions::new()).unwrap();
    others["rows"][1] =
        serde_json::to_value(bayesian.pool(&one.treatment("guidance").unwrap()).unwrap()).unwrap();
    assert!(serde_json::from_value::<armwise::pool::PriorSensitivity>(others).is_err());
    let ways =
        ["/rows/1/tau", "/left_out/0/trial", "/left_out/1/inference/se", "/left_out/2/tau", "/prespecified"];
    refuses(&SideBySide::new().pool(&alone).unwrap(), &ways);
    for approach in [armwise::pool::Approach::CommonEffect, armwise::pool::Approach::Bayesian] {
        refuses(&SideBySide::new().prespecified(approach).pool(&alone).unwrap(), &ways);
    }
}

/// Each of these words and numbers, changed, makes a document that is refused; as it is, it is read.
fn refuses<T: Serialize + DeserializeOwned>(result: &T, pointers: &[&str]) {
    let document = serde_json::to_value(result).unwrap();
    serde_json::from_value::<T>(document.clone()).unwrap_or_else(|error| panic!("{error}: {document}"));
    for pointer in pointers {
        let mut changed = document.clone();
        let place = changed.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} in {document}"));
        *place = if place.is_number() { another(place) } else { json!("another") };
        assert!(serde_json::from_value::<T>(changed).is_err(), "{pointer} was read");
    }
}
