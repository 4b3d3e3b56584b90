//! Power and group sequential designs against printed tables and second routes, and what they refuse.

use armwise::distribution::Normal;
use armwise::power::{
    Aim, Clustering, Direction, Family, GroupSizes, ManyToOne, ProportionFormula, Rounding, TestLevel,
    TwoMeansPower, TwoProportionsPower, WaldPower, anova_power, inflated_for_attrition,
};
use armwise::sequential::{BValue, Binding, Futility, GroupSequential, Reestimation, Rule, Spending};

fn two_sided() -> TestLevel {
    TestLevel::two_sided(0.05).unwrap()
}

fn one_sided() -> TestLevel {
    TestLevel::one_sided(0.025).unwrap()
}

/// Jennison & Turnbull (2000), table 2.1: Pocock's constants for 1 to 10 looks, two-sided 5%.
#[test]
fn pococks_constants() {
    let printed = [1.960, 2.178, 2.289, 2.361, 2.413, 2.453, 2.485, 2.512, 2.535, 2.555];
    for (k, printed) in (1_u32..).zip(printed) {
        let design = GroupSequential::even(k, Rule::Pocock, two_sided()).unwrap();
        assert!((design.constant().unwrap() - printed).abs() < 6e-4, "{k}: {design:?}");
    }
}

/// Jennison & Turnbull (2000), table 2.3: O'Brien and Fleming's constants for 1 to 10 looks, two-sided 5%.
#[test]
fn obrien_and_flemings_constants() {
    let printed = [1.960, 1.977, 2.004, 2.024, 2.040, 2.053, 2.063, 2.072, 2.080, 2.087];
    for (k, printed) in (1_u32..).zip(printed) {
        let design = GroupSequential::even(k, Rule::OBrienFleming, two_sided()).unwrap();
        assert!((design.constant().unwrap() - printed).abs() < 6e-4, "{k}: {design:?}");
    }
}

/// Dunnett (1955), table 1a: one-sided 5% critical values of 2 to 5 groups against a control, equal sizes.
#[test]
fn dunnetts_table() {
    let test = TestLevel::one_sided(0.05).unwrap();
    let rows = [
        (Some(5.0), [2.44, 2.68, 2.85, 2.98]),
        (Some(10.0), [2.15, 2.34, 2.47, 2.56]),
        (Some(20.0), [2.03, 2.19, 2.30, 2.39]),
        (Some(60.0), [1.95, 2.10, 2.21, 2.28]),
        (None, [1.92, 2.06, 2.16, 2.23]),
    ];
    for (df, row) in rows {
        for (k, printed) in (2..).zip(row) {
            let mut design = ManyToOne::new(&vec![0.0; k], &vec![50.0; k + 1]).unwrap();
            if let Some(df) = df {
                design = design.df(df).unwrap();
            }
            let critical = design.critical_value(test).unwrap();
            assert!((critical - printed).abs() < 0.0101, "{df:?} {k}: {critical} {printed}");
            // With t statistics the level is held too.
            assert!((design.disjunctive_power(test).unwrap() - 0.05).abs() < 1e-8, "{df:?} {k}");
        }
    }
}

/// Two looks by hand: an integral of one dimension, by the trapezoidal rule.
#[test]
fn two_looks_by_hand() {
    let (t, b, drift) = (0.4_f64, [2.3, 2.05], 1.7);
    let design = GroupSequential::new(&[t, 1.0], Rule::Pocock, two_sided()).unwrap();
    let c = design.critical_values()[0];
    let mean = drift * t.sqrt();
    let after = |z: f64| {
        let rest = (1.0_f64 - t).sqrt();
        Normal.sf((c - z * t.sqrt() - drift * (1.0 - t)) / rest)
            + Normal.cdf((-c - z * t.sqrt() - drift * (1.0 - t)) / rest)
    };
    let n = 40_000;
    let width = 2.0 * c / f64::from(n);
    let within: f64 = (0..=n)
        .map(|i| {
            let z = -c + width * f64::from(i);
            let weight = if i == 0 || i == n { 0.5 } else { 1.0 };
            weight * width * Normal.pdf(z - mean) * after(z)
        })
        .sum();
    let power = Normal.sf(c - mean) + Normal.cdf(-c - mean) + within;
    assert!((design.power(drift).unwrap() - power).abs() < 1e-8, "{power} {b:?}");
}

/// A look that is close to another, and twenty of them.
#[test]
fn close_and_many_looks() {
    for looks in [vec![0.5, 0.5002, 1.0], vec![0.01, 0.99, 1.0]] {
        let design = GroupSequential::new(&looks, Rule::Spending(Spending::PocockType), one_sided()).unwrap();
        let exits = design.exits(0.0).unwrap();
        for (spent, t) in exits.cumulative_above().iter().zip(&looks) {
            assert!((spent - Spending::PocockType.spent(0.025, *t)).abs() < 1e-10, "{looks:?} {spent}");
        }
    }
    let many = GroupSequential::even(20, Rule::OBrienFleming, two_sided()).unwrap();
    assert!((many.constant().unwrap() - 2.126).abs() < 6e-4, "{:?}", many.constant());
    assert!((many.power(0.0).unwrap() - 0.05).abs() < 1e-10);
}

/// Futility that may be overruled costs power and keeps the bounds; futility that binds lowers the bounds.
#[test]
fn futility() {
    let rule = Rule::Spending(Spending::OBrienFlemingType);
    let looks = [1.0 / 3.0, 2.0 / 3.0, 1.0];
    let without = GroupSequential::new(&looks, rule, one_sided()).unwrap();
    let spending = Spending::OBrienFlemingType;
    let with = |binding| {
        let futility = Futility::BetaSpending { spending, power: 0.9, binding };
        without.clone().futility(futility).unwrap()
    };
    let (free, bound) = (with(Binding::NonBinding), with(Binding::Binding));
    assert_eq!(free.critical_values(), without.critical_values());
    assert!(bound.critical_values()[2] < without.critical_values()[2]);
    for design in [&free, &bound] {
        // At the drift of this power, beta is spent as declared, and the power is what was asked.
        let drift = design.drift(0.9).unwrap();
        let below = design.exits(drift).unwrap().below;
        let mut spent = 0.0;
        for (k, t) in looks.iter().enumerate().take(2) {
            spent += below[k];
            assert!((spent - spending.spent(0.1, *t)).abs() < 1e-8, "{k}: {below:?}");
        }
        assert!((design.power(drift).unwrap() - 0.9).abs() < 1e-10);
        assert!((design.type_one_error().unwrap() - 0.025).abs() < 1e-9);
        assert!(drift > without.drift(0.9).unwrap());
    }
    // Followed, bounds that may be overruled leave some of the level unspent.
    assert!(free.power(0.0).unwrap() < 0.025);
    let given = Futility::Bounds { early: vec![0.0, 0.5], binding: Binding::Binding };
    let given = without.clone().futility(given).unwrap();
    assert!((given.power(0.0).unwrap() - 0.025).abs() < 1e-10);
}

/// After a single look everything is as without looks; after an early stop the estimate is drawn in.
#[test]
fn after_stopping() {
    let fixed = GroupSequential::new(&[1.0], Rule::Pocock, two_sided()).unwrap();
    let stopped = fixed.stopped(1, 2.4, 0.95).unwrap();
    assert!((stopped.p_value - 2.0 * Normal.sf(2.4)).abs() < 1e-12);
    assert!((stopped.median_unbiased - 2.4).abs() < 1e-9);
    assert!((stopped.interval.lower() - (2.4 - Normal.upper_quantile(0.025))).abs() < 1e-9);
    let repeated = fixed.repeated_interval(1, 2.4).unwrap();
    assert!((repeated.upper() - stopped.interval.upper()).abs() < 1e-9);

    let design = GroupSequential::even(4, Rule::Pocock, two_sided()).unwrap();
    let c = design.constant().unwrap();
    // At the bound of the first look the p-value is what was spent by then.
    let first = design.stopped(1, c, 0.95).unwrap();
    assert!((first.p_value - design.exits(0.0).unwrap().cumulative()[0]).abs() < 1e-12);
    // At the last bound it is the level, and the interval begins at no effect.
    let last = design.stopped(4, c, 0.95).unwrap();
    assert!((last.p_value - 0.05).abs() < 1e-9, "{last:?}");
    assert!(last.interval.lower().abs() < 1e-7, "{last:?}");
    let below = design.stopped(2, -3.0, 0.95).unwrap();
    let above = design.stopped(2, 3.0, 0.95).unwrap();
    assert!((below.median_unbiased + above.median_unbiased).abs() < 1e-7);
    assert!((below.p_value - above.p_value).abs() < 1e-10);
    assert!(above.median_unbiased < above.naive && above.interval.contains(above.median_unbiased));
    let error = design.stopped(2, 1.0, 0.95).unwrap_err();
    assert!(error.to_string().contains("the design goes on"), "{error}");
}

/// A B-value is the conditional power of a design without further looks.
#[test]
fn conditional_power() {
    let design = GroupSequential::new(&[0.5, 1.0], Rule::HaybittlePeto { early: 30.0 }, one_sided()).unwrap();
    let value = BValue::new(1.3, 0.5).unwrap();
    for drift in [0.0, 1.0, 2.8] {
        let by_looks = design.conditional_power(1, 1.3, drift).unwrap();
        assert!((by_looks - value.conditional_power(drift, one_sided())).abs() < 1e-10);
    }
    // A prior that knows nothing is the flat one, and one that knows all is a drift.
    let flat = value.predictive_power_with(0.0, 1e6, one_sided()).unwrap();
    assert!((flat - value.predictive_power(one_sided())).abs() < 1e-6);
    let known = value.predictive_power_with(2.0, 1e-6, one_sided()).unwrap();
    assert!((known - value.conditional_power(2.0, one_sided())).abs() < 1e-6);
    assert!((value.futility_index(one_sided()) + value.by_trend(one_sided()) - 1.0).abs() < 1e-15);
}

/// Fleiss, Levin & Paik's closed forms, and rounding by its name.
#[test]
fn sizes_are_rounded_as_named() {
    let design = TwoProportionsPower::new(0.15, 0.10, ProportionFormula::Pooled).unwrap();
    let sizes = design.sizes(0.9, 2.0, two_sided().nearer_tail()).unwrap();
    let each = sizes.whole(Rounding::EachGroupUp).unwrap();
    let ratio = sizes.whole(Rounding::ControlUpThenRatio).unwrap();
    assert_eq!([each.control, each.treated, ratio.treated], [696, 1391, 1392]);
    let exact = GroupSizes::equal(20.0).unwrap().whole(Rounding::EachGroupUp).unwrap();
    assert_eq!(exact.total(), 40);
}

/// What is refused says what would work.
#[test]
fn refusals() {
    let said = |error: armwise::Error, words: &str| {
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(';'), "{text}");
    };
    let two = |p1, p0| TwoProportionsPower::new(p1, p0, ProportionFormula::Pooled);
    said(two(25.0, 0.2).unwrap_err(), "such as 0.2 for 20%");
    said(two(0.2, 0.0).unwrap_err(), "above 0 and below 1");
    said(
        two(0.2, 0.2).unwrap().sizes(0.8, 1.0, two_sided()).unwrap_err(),
        "the smallest effect that matters",
    );
    said(two(0.3, 0.2).unwrap().sizes(1.0, 1.0, two_sided()).unwrap_err(), "no finite size has power 1");
    said(two(0.3, 0.2).unwrap().sizes(0.8, 0.0, two_sided()).unwrap_err(), "the ratio of the sizes");
    said(two(0.3, 0.2).unwrap().sizes(0.04, 1.0, two_sided()).unwrap_err(), "significance level");
    said(TestLevel::two_sided(5.0).unwrap_err(), "such as 0.05");
    said(TwoMeansPower::new(0.0).unwrap().sizes(0.8, 1.0, two_sided()).unwrap_err(), "difference is 0");
    said(TwoMeansPower::new(0.3).unwrap().covariates(1, 1.0).unwrap_err(), "below 1");
    said(WaldPower::new(1.0, [0.0, 0.0]).unwrap_err(), "one of them above 0");
    let beyond = WaldPower::new(-0.2, [1.0, 1.0]).unwrap();
    let aim = Aim::NonInferiority { margin: 0.1 };
    said(beyond.sizes(aim, 0.8, 1.0, one_sided()).unwrap_err(), "not within the margin");
    let fisher = TwoProportionsPower::new(0.5, 0.2, ProportionFormula::FisherExact).unwrap();
    said(fisher.power(GroupSizes::equal(10.5).unwrap(), two_sided()).unwrap_err(), "whole people");
    said(fisher.sizes(0.8, 1.0, two_sided()).unwrap_err(), "continuity-corrected");
    let small = GroupSizes::equal(500.0).unwrap();
    let less = TwoProportionsPower::detectable(
        0.01,
        ProportionFormula::Pooled,
        Direction::Decrease,
        0.8,
        small,
        two_sided(),
    );
    said(less.unwrap_err(), "larger groups");
    said(Clustering::new(0.5, 0.1).unwrap_err(), "at least 1");
    said(anova_power(1, 20.0, 0.2, 0.05).unwrap_err(), "at least two");
    said(inflated_for_attrition(100.0, 1.0).unwrap_err(), "below 1");
    let gs = |looks: &[f64], rule| GroupSequential::new(looks, rule, one_sided());
    said(gs(&[0.5, 0.9], Rule::Pocock).unwrap_err(), "the last of them 1");
    said(gs(&[0.5, 0.5, 1.0], Rule::Pocock).unwrap_err(), "rising fractions");
    said(gs(&[], Rule::Pocock).unwrap_err(), "give 1 to 50");
    said(gs(&[0.5, 1.0], Rule::HaybittlePeto { early: 1.0 }).unwrap_err(), "wider bound");
    said(gs(&[0.5, 1.0], Rule::Spending(Spending::Power { rho: 0.0 })).unwrap_err(), "such as 3");
    said(gs(&[0.5, 1.0], Rule::Pocock).unwrap().drift(1.0).unwrap_err(), "below 1");
    said(GroupSequential::even(500, Rule::Pocock, one_sided()).unwrap_err(), "at most 50");
}

/// Dunnett's level is below that of the unadjusted comparisons and above Bonferroni's.
#[test]
fn families_in_order() {
    let design = ManyToOne::new(&[0.3, 0.3, 0.3], &[90.0, 90.0, 90.0, 90.0]).unwrap();
    let critical = design.critical_value(two_sided()).unwrap();
    let of = |family: Family| Normal.upper_quantile(0.5 * family.level(0.05, 3));
    assert!(of(Family::Unadjusted) < critical && critical < of(Family::Sidak));
    assert!(of(Family::Sidak) < of(Family::Bonferroni));
    let powers = design.marginal_power(two_sided()).unwrap();
    let any = design.disjunctive_power(two_sided()).unwrap();
    let all = design.conjunctive_power(two_sided()).unwrap();
    assert!(all < powers[0] && powers[0] < any && any < powers.iter().sum());
}

/// Without an effect the chance of a claim, averaged over the first stage, is the level whatever the growth.
#[test]
fn reestimation_holds_the_level() {
    let plan = Reestimation::new(one_sided(), 0.3, 0.9, 4.0).unwrap();
    for t in [0.25, 0.5, 0.8] {
        let (mut level, mut grown) = (0.0, 0);
        for step in -800..=800 {
            let z = 0.01 * f64::from(step);
            let first = BValue::new(z, t).unwrap();
            let growth = plan.growth(first);
            assert!((1.0..=4.0).contains(&growth));
            grown += u32::from(growth > 1.0);
            let chance = plan.conditional_power(first, 0.0, growth).unwrap();
            level += 0.01 * Normal.pdf(z) * chance;
            // What grows gains, up to the power, and reaches it where the maximum does not bind.
            let by_trend = |growth| plan.conditional_power(first, first.trend(), growth).unwrap();
            assert!((by_trend(1.0) - first.by_trend(one_sided())).abs() < 1e-12);
            if growth > 1.0 {
                assert!(by_trend(growth) > by_trend(1.0) && by_trend(growth) < 0.9 + 1e-12);
                assert!(growth >= 4.0 || (by_trend(growth) - 0.9).abs() < 1e-12, "{t} {z} {growth}");
            }
            // The claim by the combined statistic is that of the second stage beyond what it needs.
            let combined = plan.combined(first, 1.0).unwrap();
            let needs = (one_sided().critical() - combined) / (1.0 - t).sqrt() + 1.0;
            assert!((chance - Normal.sf(needs)).abs() < 1e-12);
        }
        assert!(grown > 0 && (level - 0.025).abs() < 1e-9, "{t}: {level}, {grown}");
    }
    for (promising, power, most, says) in
        [(0.9, 0.8, 2.0, "promising"), (0.3, 1.0, 2.0, "power"), (0.3, 0.8, 0.5, "second stage")]
    {
        let error = Reestimation::new(one_sided(), promising, power, most).unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn a_reestimation_is_read_as_it_was_made() {
    let plan = Reestimation::new(one_sided(), 0.3, 0.9, 2.0).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Reestimation>(&text).unwrap(), plan);
    for (from, to) in [("0.3", "0.95"), ("2.0", "0.5"), ("0.9", "1.5")] {
        let broken = text.replacen(from, to, 1);
        assert!(broken != text && serde_json::from_str::<Reestimation>(&broken).is_err(), "{broken}");
    }
}

/// The exact power is the probability of all pairs of counts whose p-value is at most alpha, one by one.
#[test]
fn exact_power_counts_every_table() {
    use armwise::distribution::Binomial;
    use armwise::proportion::{Proportion, TwoProportions};
    for (treated, control, n1, n0) in [(0.6, 0.2, 13_u32, 9_u32), (0.1, 0.35, 31, 40), (0.97, 0.9, 25, 12)] {
        let sizes = GroupSizes::new(f64::from(n1), f64::from(n0)).unwrap();
        let design = TwoProportionsPower::new(treated, control, ProportionFormula::FisherExact).unwrap();
        let of = |n: u32, p| Binomial::new(u64::from(n), p).unwrap();
        let (one, other) = (of(n1, treated), of(n0, control));
        let (mut two_tails, mut one_tail) = (0.0, 0.0);
        for x in 0..=u64::from(n1) {
            for y in 0..=u64::from(n0) {
                let of = |events, n: u32| Proportion::new(events, u64::from(n)).unwrap();
                let p = TwoProportions::new(of(x, n1), of(y, n0)).fisher_test();
                let mass = one.pmf(x) * other.pmf(y);
                two_tails += if p.two_sided <= 0.05 { mass } else { 0.0 };
                let tail = if treated >= control { p.greater } else { p.less };
                one_tail += if tail <= 0.025 { mass } else { 0.0 };
            }
        }
        assert!((design.power(sizes, two_sided()).unwrap() - two_tails).abs() < 1e-12, "{n1} {n0}");
        assert!((design.power(sizes, one_sided()).unwrap() - one_tail).abs() < 1e-12, "{n1} {n0}");
    }
}
