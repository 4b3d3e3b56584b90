//! Laws of power, sizes, detectable effects and group sequential designs.

use crate::support::{near, survives};
use armwise::power::{
    Aim, Direction, GroupSizes, ManyToOne, ProportionFormula, TestLevel, TwoMeansPower, TwoProportionsPower,
    WaldPower,
};
use armwise::sequential::{GroupSequential, Rule, Spending};
use proptest::prelude::*;

fn test() -> impl Strategy<Value = TestLevel> {
    (0.001..0.2_f64, 0_u8..3).prop_map(|(alpha, tails)| match tails {
        0 => TestLevel::one_sided(alpha).unwrap(),
        1 => TestLevel::two_sided(alpha).unwrap(),
        _ => TestLevel::two_sided(alpha).unwrap().nearer_tail(),
    })
}

const CLOSED: [ProportionFormula; 6] = [
    ProportionFormula::Pooled,
    ProportionFormula::Unpooled,
    ProportionFormula::Arcsine,
    ProportionFormula::LogRiskRatio,
    ProportionFormula::LogOddsRatio,
    ProportionFormula::ContinuityCorrected,
];

fn spending() -> impl Strategy<Value = Spending> {
    prop_oneof![
        Just(Spending::OBrienFlemingType),
        Just(Spending::PocockType),
        (0.5..5.0_f64).prop_map(|rho| Spending::Power { rho }),
        (-6.0..4.0_f64).prop_map(|gamma| Spending::HwangShihDeCani { gamma }),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    prop_oneof![
        Just(Rule::OBrienFleming),
        Just(Rule::Pocock),
        (0.0..0.5_f64).prop_map(|delta| Rule::WangTsiatis { delta }),
        Just(Rule::HaybittlePeto { early: 3.5 }),
        spending().prop_map(Rule::Spending),
    ]
}

fn looks() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.05..1.0_f64, 1..5).prop_map(|steps| {
        let all: f64 = steps.iter().sum();
        let mut sum = 0.0;
        let mut looks: Vec<f64> = steps
            .iter()
            .map(|step| {
                sum += step / all;
                sum
            })
            .collect();
        if let Some(last) = looks.last_mut() {
            *last = 1.0;
        }
        looks
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sizes_invert_the_power_of_proportions(
        p0 in 0.05..0.9_f64, shift in 0.02..0.09_f64, ratio in 0.3..3.0_f64, power in 0.3..0.97_f64, test in test(),
    ) {
        for formula in CLOSED.into_iter().take(5) {
            let two = TwoProportionsPower::new(p0 + shift, p0, formula).unwrap();
            let sizes = two.sizes(power, ratio, test).unwrap();
            prop_assert!(near(two.power(sizes, test).unwrap(), power, 1e-9), "{formula:?}");
            // The detectable effect of these sizes is the effect.
            let found = TwoProportionsPower::detectable(p0, formula, Direction::Increase, power, sizes, test);
            let again = TwoProportionsPower::new(p0 + found.unwrap(), p0, formula).unwrap();
            prop_assert!(near(again.power(sizes, test).unwrap(), power, 1e-9), "{formula:?}");
        }
    }

    #[test]
    fn without_an_effect_the_power_is_the_level(p in 0.05..0.95_f64, n in 10.0..5e3_f64, test in test()) {
        let sizes = GroupSizes::new(n, 1.7 * n).unwrap();
        let level = match test.tails() {
            armwise::power::Tails::Nearer => 0.5 * test.alpha(),
            _ => test.alpha(),
        };
        for formula in CLOSED.into_iter().take(5) {
            let two = TwoProportionsPower::new(p, p, formula).unwrap();
            prop_assert!(near(two.power(sizes, test).unwrap(), level, 1e-9));
        }
        let means = TwoMeansPower::new(0.0).unwrap();
        prop_assert!(near(means.power(sizes, test).unwrap(), level, 1e-9));
    }

    #[test]
    fn sizes_invert_the_power_of_means(
        d in 0.05..1.5_f64, ratio in 0.3..3.0_f64, power in 0.4..0.97_f64, r2 in 0.0..0.8_f64, test in test(),
    ) {
        let design = TwoMeansPower::new(-d).unwrap().covariates(2, r2).unwrap();
        let sizes = design.sizes(power, ratio, test).unwrap();
        prop_assert!(near(design.power(sizes, test).unwrap(), power, 1e-8));
        let detectable = design.detectable(power, sizes, test).unwrap();
        prop_assert!(near(detectable, d, 1e-7));
        survives(&design);
        survives(&sizes);
    }

    #[test]
    fn margins(effect in -0.04..0.04_f64, margin in 0.05..0.2_f64, power in 0.3..0.97_f64, ratio in 0.4..2.5_f64) {
        let test = TestLevel::one_sided(0.025).unwrap();
        let design = WaldPower::new(effect, [0.2, 0.16]).unwrap();
        for aim in [Aim::NonInferiority { margin }, Aim::Equivalence { margin }] {
            let sizes = design.sizes(aim, power, ratio, test).unwrap();
            prop_assert!(near(design.power(aim, sizes, test).unwrap(), power, 1e-8), "{aim:?}");
            // At the margin the claim is made with the level of one tail, or less.
            let at = WaldPower::new(-margin, [0.2, 0.16]).unwrap().power(aim, sizes, test).unwrap();
            prop_assert!(at <= 0.025 + 1e-12);
        }
    }

    #[test]
    fn one_group_against_a_control_is_a_z_test(d in -1.0..1.0_f64, n in 5.0..500.0_f64, test in test()) {
        prop_assume!(test.tails() != armwise::power::Tails::Nearer);
        let design = ManyToOne::new(&[d.abs()], &[n, 2.0 * n]).unwrap();
        let by_wald = WaldPower::new(d.abs(), [1.0, 1.0]).unwrap();
        let sizes = GroupSizes::new(2.0 * n, n).unwrap();
        let expected = by_wald.power(Aim::Difference, sizes, test).unwrap();
        prop_assert!(near(design.disjunctive_power(test).unwrap(), expected, 1e-9));
        prop_assert!(near(design.conjunctive_power(test).unwrap(), expected, 1e-9));
        survives(&design);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn looks_spend_the_level(looks in looks(), rule in rule(), two in any::<bool>(), alpha in 0.005..0.1_f64) {
        let test = if two { TestLevel::two_sided(alpha) } else { TestLevel::one_sided(alpha) }.unwrap();
        let design = GroupSequential::new(&looks, rule, test).unwrap();
        let exits = design.exits(0.0).unwrap();
        let spent = if two { exits.cumulative() } else { exits.cumulative_above() };
        let all = *spent.last().unwrap();
        // Spending on two sides leaves the chance to cross both unspent.
        let slack = if two && matches!(rule, Rule::Spending(_)) { 1e-3 * alpha } else { 1e-9 };
        prop_assert!(all <= alpha + 1e-10 && all > alpha - slack, "{all} {alpha}");
        if let (Rule::Spending(spending), false) = (rule, two) {
            for (spent, t) in spent.iter().zip(&looks) {
                prop_assert!((spent - spending.spent(alpha, *t)).abs() < 1e-10);
            }
        }
        // Power at the drift of a power, and no look costs nothing.
        let drift = design.drift(0.85).unwrap();
        prop_assert!((design.power(drift).unwrap() - 0.85).abs() < 1e-9);
        prop_assert!(design.inflation(0.85).unwrap() > 1.0 - 1e-3);
        if looks.len() == 1 {
            prop_assert!((design.critical_values()[0] - test.critical()).abs() < 1e-9);
        }
        survives(&design);
        survives(&exits);
    }
}
