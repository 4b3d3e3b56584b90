//! Laws of balance and of missing outcomes.

use armwise::balance::{JointBalance, attrition};
use armwise::bayes::{BetaBinomial, BetaPrior};
use armwise::effect::Interval;
use armwise::missing::{
    ImbensManski, Imputations, LeeBounds, MissingEvents, PartlyObserved, TrimmedArm, WorstCase,
};
use armwise::ndarray::{Array2, Axis};
use proptest::collection::vec;
use proptest::prelude::*;

fn scores(least: usize) -> impl Strategy<Value = Vec<f64>> {
    vec((0..=20_u32).prop_map(f64::from), least..12)
}

proptest! {
    /// Whatever the missing are, within the range of the outcome, the effect is within the bounds.
    #[test]
    fn worst_case_bounds_hold_every_completion(
        treated in scores(1), control in scores(1), more in vec(0..=20_u32, 0..5), fewer in vec(0..=20_u32, 0..5),
    ) {
        let arm = |seen: &[f64], missing: usize| PartlyObserved::new(seen.to_vec(), (seen.len() + missing) as u64);
        let range = Interval::new(0.0, 20.0).unwrap();
        let bounds =
            WorstCase::new(&arm(&treated, more.len()).unwrap(), &arm(&control, fewer.len()).unwrap(), range).unwrap();
        let mean = |seen: &[f64], missing: &[u32]| {
            let n = (seen.len() + missing.len()) as f64;
            (seen.iter().sum::<f64>() + missing.iter().map(|x| f64::from(*x)).sum::<f64>()) / n
        };
        let effect = mean(&treated, &more) - mean(&control, &fewer);
        prop_assert!(bounds.effect.lower() <= effect + 1e-12 && effect <= bounds.effect.upper() + 1e-12);
        if more.is_empty() && fewer.is_empty() {
            prop_assert!(bounds.effect.width() < 1e-12 && (bounds.complete_cases - effect).abs() < 1e-12);
        }
    }

    /// Lee's bounds hold every effect of a choice of as many people as are kept, lie within one another and turn with the
    /// arms and the sign.
    #[test]
    fn lee_bounds_turn_with_arms_and_signs(
        treated in scores(4), control in scores(4), more in 0..3_u64, fewer in 0..3_u64,
    ) {
        let arm = |seen: &[f64], missing: u64, sign: f64| {
            PartlyObserved::new(seen.iter().map(|x| sign * x).collect(), seen.len() as u64 + missing).unwrap()
        };
        let bounds = LeeBounds::new(&arm(&treated, more, 1.0), &arm(&control, fewer, 1.0));
        let turned = LeeBounds::new(&arm(&control, fewer, 1.0), &arm(&treated, more, 1.0));
        let signed = LeeBounds::new(&arm(&treated, more, -1.0), &arm(&control, fewer, -1.0));
        let (Ok(bounds), Ok(turned), Ok(signed)) = (bounds, turned, signed) else { return Ok(()) };
        for other in [turned, signed] {
            prop_assert!((bounds.effect.lower() + other.effect.upper()).abs() < 1e-9);
            prop_assert!((bounds.effect.upper() + other.effect.lower()).abs() < 1e-9);
            if bounds.trimmed != TrimmedArm::Neither {
                prop_assert!((bounds.se[0] - other.se[1]).abs() < 1e-9);
            }
        }
        prop_assert!(bounds.effect.lower() <= bounds.complete_cases + 1e-9);
        prop_assert!(bounds.complete_cases <= bounds.effect.upper() + 1e-9);
        if bounds.trimmed == TrimmedArm::Neither {
            prop_assert!(bounds.effect.width() < 1e-9);
        }
    }

    /// The interval covers at either bound what it should, and lies between the one- and the two-sided one.
    #[test]
    fn imbens_manski_lies_between_one_and_two_sides(width in 0.0..5.0_f64, se in 0.01..2.0_f64, other in 0.01..2.0_f64) {
        let interval = ImbensManski::new([0.0, width], [se, other], 0.95).unwrap();
        prop_assert!((1.644_853..=1.959_965).contains(&interval.critical));
        let wider = ImbensManski::new([0.0, width + 1.0], [se, other], 0.95).unwrap();
        prop_assert!(wider.critical <= interval.critical + 1e-12);
    }

    /// Imputations that agree are one analysis, with the degrees of freedom of Barnard and Rubin.
    #[test]
    fn imputations_that_agree_are_one(value in -5.0..5.0_f64, variance in 0.01..4.0_f64, m in 2..30_usize, df in 2.0..500.0_f64) {
        let all = Imputations::new(&vec![value; m], &vec![variance; m]).unwrap();
        let one = all.clone().combine(0.95).unwrap();
        prop_assert!((one.inference.value() - value).abs() < 1e-12 && (one.total_variance - variance).abs() < 1e-12);
        prop_assert!(one.inference.df().is_none() && one.rubin_df.is_none());
        let with = all.complete_df(df).unwrap().combine(0.95).unwrap();
        let observed = (df + 1.0) / (df + 3.0) * df;
        prop_assert!((with.inference.df().unwrap() - observed).abs() < 1e-9 * observed);
    }

    /// The more imputations differ, the less is known.
    #[test]
    fn imputations_that_differ_more_say_less(spread in vec(-1.0..1.0_f64, 3..20), variance in 0.1..2.0_f64) {
        let of = |factor: f64| {
            let estimates: Vec<f64> = spread.iter().map(|x| factor * x).collect();
            Imputations::new(&estimates, &vec![variance; spread.len()]).unwrap().combine(0.95).unwrap()
        };
        let (less, more) = (of(0.5), of(1.0));
        prop_assert!(less.total_variance <= more.total_variance + 1e-15 && less.lambda <= more.lambda + 1e-15);
    }

    /// Completing nothing is the table as it is, and a grid holds the rows of single completions.
    #[test]
    fn completions_are_tables(x1 in 0..8_u64, x0 in 0..8_u64, more in 0..4_u64, fewer in 0..4_u64) {
        let trial = MissingEvents::new([x1, 8, 8 + more], [x0, 8, 8 + fewer]).unwrap();
        let grid = trial.grid().unwrap();
        prop_assert_eq!([grid.nrows() as u64, grid.ncols() as u64], [more + 1, fewer + 1]);
        for ((i, j), p) in grid.indexed_iter() {
            prop_assert_eq!(*p, trial.p_value(i as u64, j as u64).unwrap());
            prop_assert!((0.0..=1.0).contains(p));
        }
        if let Some(tipping) = trial.tipping_point(0, 0.05).unwrap() {
            prop_assert!((grid[[0, 0]] <= 0.05) != (tipping.p_value <= 0.05));
        }
    }

    /// Linear transformations of covariates change no joint test.
    #[test]
    fn joint_balance_knows_no_unit(values in vec(-3.0..3.0_f64, 40), scale in 0.1..10.0_f64, shift in -5.0..5.0_f64) {
        let arms = |f: &dyn Fn(f64) -> f64| {
            let all = Array2::from_shape_fn((20, 2), |(i, j)| if j == 0 { f(values[i]) } else { values[20 + i] });
            let rows = all.view().split_at(Axis(0), 9);
            JointBalance::new(rows.0, rows.1)
        };
        let (one, other) = (arms(&|x| x).unwrap(), arms(&|x| scale * x + shift).unwrap());
        prop_assert!((one.hotelling.p_value - other.hotelling.p_value).abs() < 1e-8);
        prop_assert!((one.hansen_bowers.p_value - other.hansen_bowers.p_value).abs() < 1e-8);
    }

    /// The order of the other arms changes no test of attrition.
    #[test]
    fn attrition_knows_no_order(missing in vec(0..20_u64, 3), n in vec(20..60_u64, 3)) {
        let one = attrition(&missing, &n).unwrap();
        let turned = attrition(&[missing[0], missing[2], missing[1]], &[n[0], n[2], n[1]]).unwrap();
        prop_assert_eq!(one.test.is_some(), turned.test.is_some());
        if let (Some(a), Some(b)) = (one.test, turned.test) {
            prop_assert!((a.p_value - b.p_value).abs() < 1e-12);
        }
    }

    /// The difference and its reverse; monotone; the interval holds its probability.
    #[test]
    fn the_posterior_of_two_proportions_is_one_distribution(
        x1 in 0..30_u64, x0 in 0..30_u64, a in 0.3..5.0_f64, b in 0.3..5.0_f64, d in -0.9..0.9_f64,
    ) {
        let prior = BetaPrior { a, b };
        let one = BetaBinomial::new([x1, 30], [x0, 40], prior).unwrap();
        let reverse = BetaBinomial::new([x0, 40], [x1, 30], prior).unwrap();
        prop_assert!((one.probability_above(d) + reverse.probability_above(-d) - 1.0).abs() < 1e-9);
        prop_assert!(one.probability_above(d) <= one.probability_above(d - 0.05) + 1e-12);
        let interval = one.interval(0.9).unwrap();
        prop_assert!((one.probability_above(interval.lower()) - 0.95).abs() < 1e-8);
        prop_assert!((one.probability_above(interval.upper()) - 0.05).abs() < 1e-8);
    }
}
