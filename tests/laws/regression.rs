//! Laws that every regression obeys, on random data.

use crate::support::methods::every;
use armwise::ErrorKind;
use armwise::ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use armwise::regression::{
    Aliasing, Category, ClusterVariance, Family, Fit, Fitted, Glm, Grouped, Link, ModelMatrix, VarianceType,
    Weights,
};
use proptest::prelude::*;

const MODELS: [(Family, Link); 8] = [
    (Family::Gaussian, Link::Identity),
    (Family::Binomial, Link::Logit),
    (Family::Binomial, Link::Probit),
    (Family::Binomial, Link::ComplementaryLogLog),
    (Family::Poisson, Link::Log),
    (Family::QuasiPoisson, Link::Log),
    (Family::Gamma, Link::Log),
    (Family::NegativeBinomial { theta: 1.5 }, Link::Log),
];
/// One row: two covariates, an arm, a number from which the response is made.
type Row = (f64, u32, f64);

fn table(rows: usize) -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((-2.0..2.0, 0..3_u32, 0.0..1.0), rows..rows + 20)
}

/// Whether a plane through the origin has the outcomes on its two sides. The directions that are asked form a
/// pointed cone where the points span the space, so that one of its edges is orthogonal to two of them.
fn is_separated(points: &[[i64; 3]], flags: &[bool]) -> bool {
    let signed: Vec<[i128; 3]> = points
        .iter()
        .zip(flags)
        .map(|(point, flag)| point.map(|v| if *flag { i128::from(v) } else { -i128::from(v) }))
        .collect();
    let separates = |d: [i128; 3]| {
        let along = || signed.iter().map(|z| z[0] * d[0] + z[1] * d[1] + z[2] * d[2]);
        along().all(|side| side >= 0) && along().any(|side| side > 0)
    };
    signed.iter().enumerate().any(|(i, a)| {
        signed[..i].iter().any(|b| {
            let edge = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
            separates(edge) || separates(edge.map(|v| -v))
        })
    })
}

/// A response that fits the family.
fn response(family: Family, rows: &[Row]) -> Array1<f64> {
    rows.iter()
        .map(|&(x, arm, u)| {
            let eta = 0.3 * x + 0.2 * f64::from(arm);
            match family {
                Family::Gaussian => eta + u,
                Family::Binomial => f64::from(u8::from(u < 0.2 + 0.6 / (1.0 + (-eta).exp()))),
                Family::Gamma => 0.1 + u * eta.exp(),
                _ => (4.0 * u * eta.exp()).floor(),
            }
        })
        .collect()
}

fn design(rows: &[Row]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), 4), |(i, j)| match j {
        0 => 1.0,
        1 => rows[i].0,
        2 => f64::from(u8::from(rows[i].1 == 1)),
        _ => f64::from(u8::from(rows[i].1 == 2)),
    })
}

const NAMES: [&str; 4] = ["intercept", "x", "a1", "a2"];

fn matrix(x: &Array2<f64>) -> ModelMatrix<'_> {
    ModelMatrix::from_columns(NAMES, x.view()).expect("a matrix")
}

fn near_matrix(a: &ArrayView2<f64>, b: &ArrayView2<f64>, tolerance: f64) -> bool {
    let size = |i: usize, j: usize| (b[[i, i]] * b[[j, j]]).abs().sqrt();
    a.indexed_iter().all(|((i, j), v)| (v - b[[i, j]]).abs() <= tolerance * size(i, j))
}

fn same_fit(a: &Fit, b: &Fit, tolerance: f64) {
    let scale = a.bread().diag().mapv(f64::sqrt);
    for ((p, q), s) in a.coefficients().iter().zip(b.coefficients()).zip(&scale) {
        assert!((p - q).abs() <= tolerance * s, "{p} and {q}");
    }
    for variance in every::<VarianceType>() {
        match (a.covariance(variance), b.covariance(variance)) {
            (Ok(p), Ok(q)) => {
                assert!(near_matrix(&p.view(), &q.view(), tolerance), "{variance:?}: {p} and {q}");
            }
            (p, q) => assert_eq!(p.err().map(|e| e.kind().name()), q.err().map(|e| e.kind().name())),
        }
    }
    assert!((a.deviance() - b.deviance()).abs() <= tolerance * (1.0 + a.deviance()));
    match (a.log_likelihood(), b.log_likelihood()) {
        (Some(p), Some(q)) => assert!((p - q).abs() <= tolerance * (1.0 + p.abs())),
        (p, q) => assert_eq!(p.is_some(), q.is_some()),
    }
}

/// 40 random data sets for each law, unless the environment asks for another number.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases()) })]

    #[test]
    fn the_order_of_rows_does_not_matter(rows in table(40), turn in 1..39_usize) {
        let mut turned = rows.clone();
        turned.rotate_left(turn);
        turned.reverse();
        let (x, z) = (design(&rows), design(&turned));
        for (family, link) in MODELS {
            let (y, v) = (response(family, &rows), response(family, &turned));
            let model = Glm::new(family).link(link);
            match (model.fit(&matrix(&x), &y), model.fit(&matrix(&z), &v)) {
                (Ok(a), Ok(b)) => same_fit(&a, &b, 1e-9),
                (Err(a), Err(b)) => prop_assert_eq!(a.kind().name(), b.kind().name()),
                (a, b) => prop_assert!(false, "{:?} and {:?}", a.err(), b.err()),
            }
        }
    }

    #[test]
    fn frequency_weights_equal_the_expanded_data(rows in table(40), counts in prop::collection::vec(0..4_u64, 60)) {
        let expanded: Vec<Row> =
            rows.iter().zip(&counts).flat_map(|(row, count)| vec![*row; usize::try_from(*count).unwrap()]).collect();
        let (x, z) = (design(&rows), design(&expanded));
        for (family, link) in MODELS {
            let (y, v) = (response(family, &rows), response(family, &expanded));
            let weighted = Glm::new(family).link(link).weights(Weights::Frequency(&counts[..rows.len()]));
            if let Ok(a) = weighted.fit(&matrix(&x), &y) {
                let b = Glm::new(family).link(link).fit(&matrix(&z), &v).expect("the expanded data");
                same_fit(&a, &b, 1e-8);
                prop_assert_eq!(a.n(), b.n());
            }
        }
    }

    #[test]
    fn clusters_of_one_row_are_no_clusters(rows in table(40)) {
        let x = design(&rows);
        let codes: Vec<u32> = (0..u32::try_from(rows.len()).unwrap()).map(|i| 7 * i + 3).collect();
        let weights: Array1<f64> = rows.iter().map(|row| 0.5 + row.2).collect();
        for (family, link) in MODELS {
            for weights in [Weights::None, Weights::Precision(weights.view())] {
                let y = response(family, &rows);
                let Ok(fit) = Glm::new(family).link(link).weights(weights).fit(&matrix(&x), &y) else { continue };
                let clustered = fit.clustered(&codes).expect("clusters");
                for (cluster, plain) in [
                    (ClusterVariance::Cr0, VarianceType::Hc0),
                    (ClusterVariance::Cr1s, VarianceType::Hc1),
                    (ClusterVariance::Cr2, VarianceType::Hc2),
                    (ClusterVariance::Cr3, VarianceType::Hc3),
                ] {
                    let (Ok(a), Ok(b)) = (clustered.covariance(cluster), fit.covariance(plain)) else { continue };
                    prop_assert!(near_matrix(&a.view(), &b.view(), 1e-9), "{:?} {:?}: {} {}", family, cluster, a, b);
                }
            }
        }
    }

    #[test]
    fn logistic_with_one_arm_has_a_closed_form(a in 1..40_u32, b in 1..40_u32, c in 1..40_u32, d in 1..40_u32) {
        let [a, b, c, d] = [a, b, c, d].map(f64::from);
        let x = Array2::from_shape_vec((2, 2), vec![1.0, 1.0, 1.0, 0.0]).expect("2 x 2");
        let (events, n) = (Array1::from(vec![a, c]), Array1::from(vec![a + b, c + d]));
        let matrix = ModelMatrix::from_columns(["intercept", "arm"], x.view()).expect("a matrix");
        let grouped = Grouped { successes: events.view(), trials: n.view() };
        let fit = Glm::new(Family::Binomial).fit(&matrix, grouped).expect("a fit");
        let table = fit.table(VarianceType::Model, 0.95).expect("a table");
        prop_assert!((table[1].estimate - (a * d / (b * c)).ln()).abs() < 1e-10);
        prop_assert!((table[1].se / (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt() - 1.0).abs() < 1e-10);
        prop_assert!((table[0].estimate - (c / d).ln()).abs() < 1e-10);
    }

    /// Cells of arm x event counts: the estimate exists exactly where no arm lacks events or non-events.
    #[test]
    fn separation_is_found_exactly_where_a_cell_is_empty(cells in prop::collection::vec(0..3_usize, 6)) {
        let (mut codes, mut flags) = (Vec::new(), Vec::new());
        for (cell, count) in cells.iter().enumerate() {
            codes.extend(vec![u32::try_from(cell / 2).unwrap(); *count]);
            flags.extend(vec![cell % 2 == 1; *count]);
        }
        let used = |arm: usize| cells[2 * arm] + cells[2 * arm + 1] > 0;
        prop_assume!((0..3).all(used));
        let events = flags.iter().filter(|flag| **flag).count();
        let matrix = ModelMatrix::new(codes.len())
            .intercept()
            .and_then(|m| m.category("arm", Category::new(&codes, ["a", "b", "c"])))
            .expect("a matrix");
        let empty: Vec<bool> = (0..3).map(|arm| cells[2 * arm] == 0 || cells[2 * arm + 1] == 0).collect();
        for link in [Link::Logit, Link::Probit, Link::ComplementaryLogLog] {
            let result = Glm::new(Family::Binomial).link(link).fit(&matrix, flags.as_slice());
            let kind = result.as_ref().err().map(|error| error.kind().clone());
            if events == 0 || events == flags.len() {
                prop_assert_eq!(kind.map(|kind| kind.name()), Some("constant_outcome"));
            } else if empty.iter().any(|empty| *empty) {
                let Some(ErrorKind::Separation { complete, coefficients, .. }) = kind else {
                    return Err(TestCaseError::fail(format!("{cells:?}: {kind:?}")));
                };
                prop_assert_eq!(complete, empty.iter().all(|empty| *empty));
                let names: Vec<&str> = coefficients.iter().map(|(name, _)| name.as_str()).collect();
                // A treated arm is infinite where it or the reference is empty; unless both run to the same
                // end, in which case only the intercept does.
                if empty[0] {
                    prop_assert!(names.contains(&"intercept"));
                } else {
                    prop_assert_eq!(names.contains(&"arm[b]"), empty[1]);
                    prop_assert_eq!(names.contains(&"arm[c]"), empty[2]);
                }
            } else {
                prop_assert!(result.is_ok(), "{cells:?} {link:?}: {:?}", result.err());
            }
        }
    }

    /// A log link has no estimate exactly where an arm has no events at all.
    #[test]
    fn counts_separate_exactly_where_an_arm_has_none(
        counts in prop::collection::vec((0..3_u32, 0..3_u32), 8..20),
        theta in 0.5..5.0,
    ) {
        let codes: Vec<u32> = counts.iter().map(|(arm, _)| *arm).collect();
        let y: Array1<f64> = counts.iter().map(|(_, count)| f64::from(*count)).collect();
        let sums = [0, 1, 2].map(|arm| counts.iter().filter(|c| c.0 == arm).map(|c| c.1).sum::<u32>());
        prop_assume!((0..3).all(|arm| codes.contains(&arm)) && sums.iter().any(|sum| *sum > 0));
        let matrix = ModelMatrix::new(codes.len())
            .intercept()
            .and_then(|m| m.category("arm", Category::new(&codes, ["a", "b", "c"]).reference(1)))
            .expect("a matrix");
        for family in [Family::Poisson, Family::QuasiPoisson, Family::NegativeBinomial { theta }] {
            let result = Glm::new(family).fit(&matrix, &y);
            if sums.contains(&0) {
                prop_assert_eq!(result.err().map(|error| error.kind().name()), Some("separation"));
            } else {
                let fit = result.expect("a fit");
                let mean = f64::from(sums[1]) / codes.iter().filter(|code| **code == 1).count() as f64;
                prop_assert!((fit.coefficients()[0] - mean.ln()).abs() < 1e-9);
            }
        }
    }

    /// Whatever the data, every number that comes out is finite, or there is an error.
    #[test]
    fn no_nan_leaves(rows in table(9), exponent in -130..130_i32, rare in 0.0..1.0) {
        let mut x = design(&rows);
        x.column_mut(1).mapv_inplace(|v| v * 10.0_f64.powi(exponent));
        let mut models = MODELS.to_vec();
        models.extend([
            (Family::Binomial, Link::Log),
            (Family::Binomial, Link::Identity),
            (Family::Poisson, Link::Identity),
            (Family::Gamma, Link::Identity),
            (Family::Gaussian, Link::Log),
        ]);
        for (family, link) in models {
            let mut y = response(family, &rows);
            if family == Family::Binomial {
                y.iter_mut().zip(&rows).for_each(|(y, row)| *y = f64::from(u8::from(row.2 < rare)));
            }
            let Ok(fit) = Glm::new(family).link(link).aliasing(Aliasing::Drop).fit(&matrix(&x), &y) else { continue };
            let mut numbers = vec![fit.deviance(), fit.pearson_chi2()];
            numbers.extend(fit.log_likelihood());
            numbers.extend(fit.fitted());
            for variance in every::<VarianceType>() {
                if let Ok(table) = fit.table(variance, 0.95) {
                    numbers.extend(table.iter().flat_map(|c| [c.estimate, c.se, c.statistic, c.p_value, c.interval.lower(), c.interval.upper()]));
                }
            }
            prop_assert!(numbers.iter().all(|v| v.is_finite()), "{family:?} {link:?} {numbers:?}");
        }
    }

    /// Numeric covariates: separated exactly where a known direction was built in.
    #[test]
    fn separation_by_a_hidden_direction(
        rows in prop::collection::vec((-9..10_i32, -9..10_i32, -9..10_i32), 12..40),
        direction in (1..5_i32, -4..5_i32, -4..5_i32),
        spoil in any::<bool>(),
    ) {
        let value = |row: &(i32, i32, i32)| row.0 * direction.0 + row.1 * direction.1 + row.2 * direction.2;
        let mut flags: Vec<bool> = rows.iter().map(|row| value(row) > 0).collect();
        let mut rows = rows;
        if spoil {
            // Both outcomes at points that surround the origin in every direction: nothing separates.
            for point in [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)] {
                rows.extend([point, point]);
                flags.extend([true, false]);
            }
        }
        prop_assume!(flags.iter().any(|f| *f) && flags.iter().any(|f| !*f));
        let x = Array2::from_shape_fn((rows.len(), 4), |(i, j)| match j {
            0 => 1.0,
            1 => f64::from(rows[i].0),
            2 => f64::from(rows[i].1),
            _ => f64::from(rows[i].2),
        });
        let matrix = ModelMatrix::from_columns(["one", "x", "y", "z"], x.view()).expect("a matrix");
        for link in [Link::Logit, Link::Probit] {
            let result = Glm::new(Family::Binomial).link(link).fit(&matrix, flags.as_slice());
            match result {
                Ok(_) => prop_assert!(spoil),
                Err(error) if error.kind().name() == "separation" => prop_assert!(!spoil, "{error}"),
                Err(error) => prop_assert_eq!(error.kind().name(), "rank_deficient"),
            }
        }
    }

    /// The verdict is the exact one, decided in whole numbers, however far out a value lies.
    #[test]
    fn existence_beside_values_far_out(
        rows in prop::collection::vec((-4..5_i64, -4..5_i64, 0.0..1.0), 6..24),
        far in prop::collection::vec((any::<prop::sample::Index>(), 0..7_u32, any::<bool>()), 0..3),
        slope in -3.0..3.0_f64,
    ) {
        let mut points: Vec<[i64; 3]> = rows.iter().map(|row| [1, row.0, row.1]).collect();
        let flags: Vec<bool> =
            rows.iter().map(|row| row.2 < 1.0 / (1.0 + (-slope * row.0 as f64).exp())).collect();
        let mut near = vec![true; points.len()];
        for (row, power, second) in far {
            let row = row.index(points.len());
            points[row][1 + usize::from(second)] = 10_i64.pow(power);
            near[row] = false;
        }
        prop_assume!(flags.iter().any(|f| *f) && flags.iter().any(|f| !*f));
        let x = Array2::from_shape_fn((points.len(), 3), |(i, j)| points[i][j] as f64);
        let matrix = ModelMatrix::from_columns(["one", "x", "y"], x.view()).expect("a matrix");
        match Glm::new(Family::Binomial).fit(&matrix, flags.as_slice()) {
            Ok(fit) => {
                prop_assert!(!is_separated(&points, &flags));
                let scores = fit.working_scores();
                let score = x.t().dot(&scores);
                let rounding = x.mapv(f64::abs).t().dot(&scores.mapv(f64::abs)) * (8.0 * f64::EPSILON);
                let decrement = score.dot(&fit.bread().dot(&score));
                let allowed = rounding.dot(&fit.bread().mapv(f64::abs).dot(&rounding));
                prop_assert!(decrement <= 1e-18 * points.len() as f64 + allowed, "{} {}", decrement, allowed);
            }
            Err(error) if error.kind().name() == "separation" => prop_assert!(is_separated(&points, &flags)),
            Err(error) if error.kind().name() == "not_converged" => {
                // Only values far out keep the others from separation: the estimate is there, where floating
                // point has no digits left.
                let kept: Vec<usize> = (0..points.len()).filter(|&i| near[i]).collect();
                let points: Vec<_> = kept.iter().map(|&i| points[i]).collect();
                let flags: Vec<_> = kept.iter().map(|&i| flags[i]).collect();
                prop_assert!(is_separated(&points, &flags), "{}", error);
            }
            Err(error) => prop_assert_eq!(error.kind().name(), "rank_deficient"),
        }
    }

    #[test]
    fn views_of_any_stride_and_scale_give_the_same_fit(rows in table(40), scale in -6..7_i32) {
        let x = design(&rows);
        let wide = Array2::from_shape_fn((2 * rows.len(), 4), |(i, j)| if i % 2 == 0 { x[[i / 2, j]] } else { f64::NAN });
        let factor = 10.0_f64.powi(scale);
        let scaled = Array2::from_shape_fn(x.dim(), |(i, j)| if j == 1 { x[[i, j]] * factor } else { x[[i, j]] });
        for (family, link) in MODELS {
            let y = response(family, &rows);
            let model = Glm::new(family).link(link);
            let Ok(a) = model.fit(&matrix(&x), &y) else { continue };
            let strided = ModelMatrix::from_columns(NAMES, wide.slice_axis(Axis(0), Slice::new(0, None, 2))).expect("a matrix");
            same_fit(&a, &model.fit(&strided, &y).expect("a fit"), 1e-12);
            let b = model.fit(&matrix(&scaled), &y).expect("a fit");
            prop_assert!((a.coefficients()[1] - b.coefficients()[1] * factor).abs() < 1e-9 * a.bread()[[1, 1]].sqrt());
            let (p, q) = (a.covariance(VarianceType::Hc3).expect("HC3"), b.covariance(VarianceType::Hc3).expect("HC3"));
            prop_assert!((p[[1, 1]] / (q[[1, 1]] * factor * factor) - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_score_is_zero_and_profiles_hold_the_estimate(rows in table(60)) {
        let x = design(&rows);
        for (family, link) in MODELS {
            let y = response(family, &rows);
            let Ok(fit) = Glm::new(family).link(link).fit(&matrix(&x), &y) else { continue };
            let score = x.t().dot(&fit.working_scores());
            for (u, a) in score.iter().zip(fit.information().diag()) {
                prop_assert!(u.abs() < 1e-9 * a.sqrt(), "{family:?} {link:?}: {score} {:?}", fit.convergence());
            }
            prop_assert!((fit.leverages().sum() - 4.0).abs() < 1e-9);
            let profile = fit.profile_interval(1, 0.9).expect("a profile");
            prop_assert!(profile.lower < profile.estimate && profile.estimate < profile.upper);
            let reduced = fit.without(&[1]).expect("a smaller model");
            prop_assert!(reduced.deviance() >= fit.deviance() - 1e-9);
        }
    }

    /// With the coefficient held at a limit, the deviance rises by the quantile of chi-squared.
    #[test]
    fn profile_limits_are_just_not_rejected(rows in table(60), level in 0.5..0.99_f64) {
        let x = design(&rows);
        let bar = armwise::distribution::ChiSquared::new(1.0).unwrap().quantile(level);
        for (family, link) in [(Family::Binomial, Link::Logit), (Family::Poisson, Link::Log)] {
            let y = response(family, &rows);
            let Ok(fit) = Glm::new(family).link(link).fit(&matrix(&x), &y) else { continue };
            let profile = fit.profile_interval(1, level).expect("a profile");
            for limit in [profile.lower, profile.upper].into_iter().filter(|limit| limit.is_finite()) {
                let held: Array1<f64> = x.column(1).map(|x| limit * x);
                let others = x.select(Axis(1), &[0, 2, 3]);
                let others = ModelMatrix::from_columns(["intercept", "a1", "a2"], others.view()).expect("a matrix");
                let reduced = Glm::new(family).link(link).offset(held.view()).fit(&others, &y).expect("a fit");
                let rise = reduced.deviance() - fit.deviance();
                prop_assert!((rise - bar).abs() < 1e-6 * (1.0 + bar), "{family:?} at {limit}: {rise} {bar}");
            }
        }
    }
}

#[test]
fn linear_satterthwaite_df_of_balanced_clusters() {
    // Two arms of three whole clusters each of equal size: Welch's problem with equal variances, so that the
    // difference has 2 (3 - 1) = 4 degrees of freedom and the mean of the controls 2.
    let codes: Vec<u32> = (0..24).map(|i| i / 4).collect();
    let x = Array2::from_shape_fn((24, 2), |(i, j)| if j == 0 || i >= 12 { 1.0 } else { 0.0 });
    let y: Array1<f64> = (0..24).map(|i| f64::from((i * 7919) % 13)).collect();
    let matrix = ModelMatrix::from_columns(["intercept", "arm"], x.view()).unwrap();
    let fit = Glm::new(Family::Gaussian).fit(&matrix, &y).unwrap();
    let clustered = fit.clustered(&codes).unwrap();
    for (df, want) in clustered.satterthwaite().unwrap().iter().flatten().zip([2.0, 4.0]) {
        assert!((df - want).abs() < 1e-9, "{df}");
    }
    let test = clustered.hotelling_test(&[1]).unwrap();
    let se = clustered.covariance(ClusterVariance::Cr2).unwrap()[[1, 1]].sqrt();
    assert!((test.statistic - (fit.coefficients()[1] / se).powi(2)).abs() < 1e-9 * test.statistic);
    assert!((test.df2 - 4.0).abs() < 1e-9);
}

#[test]
fn bad_input_is_refused_by_name() {
    let x = ndarray_of(&[1.0, 1.0, 1.0, 1.0, 1.0]);
    let name = |y: &[f64], family: Family| {
        let y = Array1::from(y.to_vec());
        let matrix = ModelMatrix::from_columns(["one"], x.view()).unwrap();
        Glm::new(family)
            .fit(&matrix, &y)
            .map(|fit| fit.coefficients()[0])
            .map_err(|error| error.kind().name())
    };
    for family in [Family::Gaussian, Family::Binomial, Family::Poisson, Family::Gamma] {
        for bad in [f64::NAN, f64::INFINITY, 1e308, -1e308] {
            assert_eq!(name(&[1.0, 0.5, bad, 2.0, 3.0], family), Err("invalid_input"), "{family:?} {bad}");
        }
    }
    assert_eq!(name(&[0.0, 0.5, 1.0, 1.0, 1.0], Family::Binomial), Err("invalid_input"));
    assert_eq!(name(&[0.0, 0.0, 0.0, 0.0, 0.0], Family::Poisson), Err("constant_outcome"));
    assert_eq!(name(&[3.0; 5], Family::Gaussian), Ok(3.0));
    let offset = Array1::from(vec![0.0, 0.0, f64::NAN, 0.0, 0.0]);
    let matrix = ModelMatrix::from_columns(["one"], x.view()).unwrap();
    let y = Array1::from(vec![0.0, 1.0, 1.0, 0.0, 1.0]);
    let error = Glm::new(Family::Binomial).offset(offset.view()).fit(&matrix, &y).unwrap_err();
    assert_eq!((error.place().column.as_deref(), error.place().row), (Some("offset"), Some(3)));
}

fn ndarray_of(values: &[f64]) -> Array2<f64> {
    Array2::from_shape_vec((values.len(), 1), values.to_vec()).unwrap()
}

#[test]
fn a_perfect_fit_has_no_tests() {
    let x = Array2::from_shape_fn((6, 2), |(i, j)| if j == 0 { 1.0 } else { i as f64 });
    let y = Array1::from(vec![5.0; 6]);
    let matrix = ModelMatrix::from_columns(["one", "x"], x.view()).unwrap();
    let fit = Glm::new(Family::Gaussian).fit(&matrix, &y).unwrap();
    if let Ok(table) = fit.table(VarianceType::Model, 0.95) {
        assert!(table.iter().all(|c| c.statistic.is_finite() && c.se > 0.0));
    }
    let two = Array1::from(vec![1.0, 2.0]);
    let x = Array2::from_shape_fn((2, 2), |(i, j)| if j == 0 { 1.0 } else { i as f64 });
    let matrix = ModelMatrix::from_columns(["one", "x"], x.view()).unwrap();
    let fit = Glm::new(Family::Gaussian).fit(&matrix, &two).unwrap();
    assert_eq!(fit.table(VarianceType::Model, 0.95).unwrap_err().kind().name(), "insufficient_observations");
    assert_eq!(fit.covariance(VarianceType::Hc2).unwrap_err().kind().name(), "not_estimable");
}

#[test]
fn a_model_without_columns_is_no_panic() {
    let y = Array1::from(vec![1.0, 2.0, 4.0]);
    let fit = Glm::new(Family::Gaussian).fit(&ModelMatrix::new(3), &y).unwrap();
    assert_eq!((fit.rank(), fit.deviance()), (0, 21.0));
    assert_eq!(
        Glm::new(Family::Gaussian).fit(&ModelMatrix::new(0), &Array1::zeros(0)).unwrap_err().kind().name(),
        "insufficient_observations"
    );
    assert_eq!(
        Glm::new(Family::Gaussian).fit(&ModelMatrix::new(2), &y).unwrap_err().kind().name(),
        "invalid_input"
    );
}

/// A row far out, whose outcome fits the sign of the slope, adds nothing: estimate and existence are those of
/// the other rows.
#[test]
fn a_value_far_out_is_no_separation() {
    for (n, far) in [(16_u32, 1e15), (60, 1e15), (60, -1e15), (400, 1e12), (400, 1e9)] {
        let ages: Vec<f64> = (0..n).map(|i| 20.0 + f64::from(i * 13 % 40)).collect();
        let flags: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i * 7 % 11 + i * 13 % 40 > 24))).collect();
        let fit = |ages: &[f64], flags: &[f64]| {
            let age = Array1::from(ages.to_vec());
            let matrix = ModelMatrix::new(ages.len())
                .intercept()
                .and_then(|m| m.numeric("age", age.view()))
                .expect("a matrix");
            let fit = Glm::new(Family::Binomial).fit(&matrix, flags);
            fit.map(|fit| (fit.coefficients().to_vec(), fit.bread().to_owned()))
        };
        let (without, bread) = fit(&ages, &flags).expect("a fit without the row");
        assert!(without[1] > 0.0);
        let (mut ages, mut flags) = (ages, flags);
        ages.insert(3, far);
        flags.insert(3, if far > 0.0 { 1.0 } else { 0.0 });
        let (with, with_bread) = fit(&ages, &flags).expect("a fit with the row");
        for (a, b) in with.iter().zip(&without) {
            assert!((a - b).abs() < 1e-8 * b.abs(), "{n} {far}: {with:?} {without:?}");
        }
        for (a, b) in with_bread.iter().zip(&bread) {
            assert!((a - b).abs() < 1e-7 * b.abs(), "{n} {far}: {with_bread} {bread}");
        }
        // A separating direction is still found beside it.
        let young: Vec<f64> = ages.iter().map(|age| f64::from(u8::from(*age > 40.0))).collect();
        let error = fit(&ages, &young).expect_err("separated");
        assert_eq!(error.kind().name(), "separation", "{error}");
    }
}
