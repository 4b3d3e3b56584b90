//! Laws of bounds with assumptions, of reference-based imputation, and of trials that were imputed.

use crate::support::data::{SCORE, WORKS, people, trial};
use armwise::effect::Interval;
use armwise::missing::{
    CompleteDf, DeviationBounds, ImputedTrial, LeeBounds, LeeBoundsByCell, MonotoneBounds, PartlyObserved,
    ReferenceBased, ReferenceStrategy, Selection, Waves, WavesLikelihood, WorstCase,
};
use armwise::ndarray::{Array2, Axis};
use armwise::prelude::*;
use armwise::regression::Category;
use proptest::collection::vec;
use proptest::prelude::*;

const STRATEGIES: [ReferenceStrategy; 4] = [
    ReferenceStrategy::MissingAtRandom,
    ReferenceStrategy::JumpToReference,
    ReferenceStrategy::CopyReference,
    ReferenceStrategy::CopyIncrements,
];

fn scores(least: usize) -> impl Strategy<Value = Vec<f64>> {
    vec((0..=20_u32).prop_map(f64::from), least..12)
}

/// People at three waves, whom the numbers of `last` keep until the first, second or third; everybody of the first six
/// stays.
fn waves(noise: &[f64], last: &[usize], scale: f64, shift: f64) -> (Array2<f64>, Vec<u32>, Array2<f64>) {
    let n = last.len();
    let outcomes = Array2::from_shape_fn((n, 3), |(i, j)| {
        let stays = i < 12 || j < last[i];
        if stays { scale * (noise[3 * i + j] + noise[3 * i]) + shift } else { f64::NAN }
    });
    let codes = (0..n).map(|i| u32::try_from(i % 3).unwrap()).collect();
    (outcomes, codes, Array2::from_shape_fn((n, 1), |(i, _)| noise[(3 * i + 7) % noise.len()]))
}

/// The imputations of a trial under each other, each the same, in any order of rows.
fn copies(table: &Table, m: usize, turn: usize) -> ImputedTrial {
    let n = table.rows();
    let mut stacked: Option<Table> = None;
    for imputation in 1..=m {
        let ids: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let one =
            table.clone().with_reals("id", ids).unwrap().with_reals("imputation", vec![imputation as f64; n]);
        let one = one.unwrap();
        stacked = Some(stacked.map_or(one.clone(), |all| all.append(&one).unwrap()));
    }
    let stacked = stacked.unwrap();
    let first: Vec<bool> = (0..stacked.rows()).map(|row| row < turn).collect();
    let rest: Vec<bool> = first.iter().map(|first| !first).collect();
    let turned = stacked.keep(&rest).unwrap().append(&stacked.keep(&first).unwrap()).unwrap();
    ImputedTrial::from_stacked(&turned, "imputation", "id", |table| {
        Trial::builder("city", table).arm_labels("arm").control("control").build()
    })
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// An assumption narrows the worst case, and the complete cases are possible.
    #[test]
    fn assumptions_narrow_bounds(
        treated in scores(1), control in scores(1), more in 0..5_u64, fewer in 0..5_u64,
    ) {
        let arm = |seen: &[f64], missing: u64| PartlyObserved::new(seen.to_vec(), seen.len() as u64 + missing).unwrap();
        let (treatment, control) = (arm(&treated, more), arm(&control, fewer));
        let range = Interval::new(0.0, 20.0).unwrap();
        let worst = WorstCase::new(&treatment, &control, range).unwrap();
        for selection in [Selection::MissingNotHigher, Selection::MissingNotLower] {
            let bounds = MonotoneBounds::new(&treatment, &control, range, selection).unwrap();
            prop_assert!(worst.effect.lower() <= bounds.effect.lower() + 1e-9);
            prop_assert!(bounds.effect.upper() <= worst.effect.upper() + 1e-9);
            prop_assert!(bounds.effect.lower() <= bounds.complete_cases + 1e-9);
            prop_assert!(bounds.complete_cases <= bounds.effect.upper() + 1e-9);
            prop_assert!(bounds.of_no_harm().lower() >= 0.0);
            if let Ok(interval) = bounds.interval(0.95) {
                prop_assert!(interval.interval.lower() <= bounds.effect.lower() + 1e-12);
                prop_assert!(bounds.effect.upper() <= interval.interval.upper() + 1e-12);
            }
        }
    }

    /// The missing that are no standard deviation away are as those seen, and bounds widen in proportion.
    #[test]
    fn deviations_widen_in_proportion(treated in scores(2), control in scores(2), more in 0..5_u64, k in 0.01..2.0_f64) {
        let arm = |seen: &[f64], missing: u64| PartlyObserved::new(seen.to_vec(), seen.len() as u64 + missing).unwrap();
        let (treatment, control) = (arm(&treated, more), arm(&control, 1));
        let of = |k: f64| DeviationBounds::new(&treatment, &control, k).unwrap();
        let (none, one, two) = (of(0.0), of(k), of(2.0 * k));
        prop_assert!(none.effect.width() < 1e-9 && (none.effect.lower() - none.complete_cases).abs() < 1e-9);
        prop_assert!((two.effect.width() - 2.0 * one.effect.width()).abs() < 1e-9);
    }

    /// One cell is no cell, and two cells of the same people are as one.
    #[test]
    fn one_cell_is_no_cell(treated in scores(4), control in scores(4), more in 0..3_u64, fewer in 0..3_u64) {
        let arm = |seen: &[f64], missing: u64| PartlyObserved::new(seen.to_vec(), seen.len() as u64 + missing).unwrap();
        let cell = [arm(&treated, more), arm(&control, fewer)];
        let Ok(whole) = LeeBounds::new(&cell[0], &cell[1]) else { return Ok(()) };
        for cells in [vec![cell.clone()], vec![cell.clone(), cell]] {
            let bounds = LeeBoundsByCell::new(&cells).unwrap();
            prop_assert!((bounds.effect.lower() - whole.effect.lower()).abs() < 1e-9);
            prop_assert!((bounds.effect.upper() - whole.effect.upper()).abs() < 1e-9);
            prop_assert!((bounds.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }

    /// Imputations that agree are the analysis itself, whatever the order of their rows.
    #[test]
    fn imputations_that_agree_are_the_analysis(people in people(), m in 2..5_usize, turn in 0..60_usize) {
        let table = trial(&people, "control").table().clone();
        let plain = Trial::builder("city", table.clone()).arm_labels("arm").control("control").build().unwrap();
        let imputed = copies(&table, m, turn);
        let model = LinearRegression::new().adjust_for(["age"]);
        let one = plain.on(&SCORE).unwrap().estimate(&model).unwrap();
        let all = imputed.on(&SCORE).unwrap().estimate(&model).unwrap();
        for (a, b) in one.iter().zip(all.iter()) {
            prop_assert!((a.value() - b.value()).abs() < 1e-12 && (a.se() - b.se()).abs() < 1e-12 * a.se());
            let df = a.df().unwrap();
            prop_assert!((b.df().unwrap() - (df + 1.0) / (df + 3.0) * df).abs() < 1e-6 * df);
        }
        let marginal = LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference);
        let one = plain.on(&WORKS).unwrap().estimate(&marginal).unwrap();
        let all = imputed.on(&WORKS).unwrap().complete_df(CompleteDf::Infinite).estimate(&marginal).unwrap();
        for (a, b) in one.iter().zip(all.iter()) {
            prop_assert!((a.value() - b.value()).abs() < 1e-12 && (a.se() - b.se()).abs() < 1e-12);
            prop_assert!(b.df().is_none() && (a.p_value() - b.p_value()).abs() < 1e-9);
        }
        // No cell was imputed, so that no delta moves anything.
        let marked = imputed.imputed_where("score", "district");
        prop_assert!(marked.is_ok());
        let marked = marked.unwrap();
        let effects = |trial: &ImputedTrial| -> Vec<f64> {
            trial.on(&SCORE).unwrap().estimate(&model).unwrap().values().collect()
        };
        prop_assert_eq!(effects(&marked.delta("score", "guidance", 0.0).unwrap()), effects(&marked));
        let turned = marked.delta("score", "guidance", 1.5).unwrap().delta("score", "guidance", -1.5).unwrap();
        for (a, b) in effects(&turned).iter().zip(effects(&marked)) {
            prop_assert!((a - b).abs() < 1e-9);
        }
    }
}

/// The jackknife does everything again without each person: by hand.
#[test]
fn the_jackknife_leaves_everybody_out_once() {
    let noise: Vec<f64> = (0..108).map(|i| f64::from((i * i * 7 + 3 * i) % 41) / 10.0).collect();
    let last: Vec<usize> = (0..36).map(|i| (i * 5) % 4).collect();
    let (outcomes, codes, covariates) = waves(&noise, &last, 1.0, 0.0);
    let effects = |without: Option<usize>| {
        let rows: Vec<usize> = (0..36).filter(|row| Some(*row) != without).collect();
        let codes: Vec<u32> = rows.iter().map(|row| codes[*row]).collect();
        let (outcomes, covariates) = (outcomes.select(Axis(0), &rows), covariates.select(Axis(0), &rows));
        let waves =
            Waves::new(outcomes.view(), Category::new(&codes, ["c", "a", "b"]), covariates.view()).unwrap();
        let fit = ReferenceBased::new(ReferenceStrategy::CopyIncrements).fit(&waves).unwrap();
        (fit.effects[0], without.is_none().then(|| fit.covariance_of_effects().unwrap()[[0, 0]]))
    };
    let each: Vec<f64> = (0..36).map(|row| effects(Some(row)).0).collect();
    let mean = each.iter().sum::<f64>() / 36.0;
    let variance = 35.0 / 36.0 * each.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    assert!((effects(None).1.unwrap() - variance).abs() < 1e-8 * variance);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Where nobody left, all strategies are least squares of the last wave; units and zero of the outcome change
    /// effects by as much; nobody of the reference is moved by a strategy.
    #[test]
    fn strategies_differ_for_those_who_left(
        noise in vec(-2.0..2.0_f64, 108), last in vec(0..=3_usize, 36), scale in 0.5..20.0_f64, shift in -50.0..50.0_f64,
        likelihood in prop::sample::select(vec![WavesLikelihood::Full, WavesLikelihood::Restricted]),
    ) {
        let fit = |last: &[usize], scale: f64, shift: f64, strategy| {
            let (outcomes, codes, covariates) = waves(&noise, last, scale, shift);
            let arm = Category::new(&codes, ["c", "a", "b"]);
            let waves = Waves::new(outcomes.view(), arm, covariates.view()).unwrap();
            let fit = ReferenceBased::new(strategy).likelihood(likelihood).fit(&waves).unwrap();
            (fit.effects.clone(), fit.arm_means.clone())
        };
        let whole = vec![3; 36];
        let plain = fit(&whole, 1.0, 0.0, ReferenceStrategy::MissingAtRandom).0;
        for strategy in STRATEGIES {
            for (a, b) in fit(&whole, 1.0, 0.0, strategy).0.iter().zip(&plain) {
                prop_assert!((a - b).abs() < 1e-9);
            }
            let (one, other) = (fit(&last, 1.0, 0.0, strategy), fit(&last, scale, shift, strategy));
            for (a, b) in one.0.iter().zip(&other.0) {
                prop_assert!((a * scale - b).abs() < 1e-7 * scale);
            }
        }
        let reference = |strategy| fit(&last, 1.0, 0.0, strategy).1[0];
        let own = reference(ReferenceStrategy::MissingAtRandom);
        prop_assert!(STRATEGIES.iter().all(|strategy| (reference(*strategy) - own).abs() < 1e-12));
    }
}
