//! What once took time or memory without limit, or gave what is not a number.

use armwise::categorical::OneWay;
use armwise::mean::{MeansVariance, Sample, TwoMeans};
use armwise::meta_analysis::{RandomEffects, Test};
use armwise::ndarray::ArrayView1;
use armwise::proportion::{HomogeneityTest, Proportion, StratifiedProportions, Stratum, TwoProportions};
use armwise::rank::{RankSum, SignedRank};
use armwise::regression::{Category, Family, Glm, Link, MarginalVariance, ModelMatrix, VarianceType};
use proptest::prelude::*;

/// Weights below the range of normal numbers no longer shrank: the walk went on to the end of the support.
#[test]
fn exact_tests_of_a_quarter_of_a_billion_end() {
    let n = 1_u64 << 28;
    let p = Proportion::new(n - 1, n).unwrap().binomial_test(0.5).unwrap();
    assert_eq!((p.less, p.greater, p.two_sided), (1.0, 0.0, 0.0));
    let two = TwoProportions::new(Proportion::new(1, n).unwrap(), Proportion::new(n - 1, n).unwrap());
    let p = two.fisher_test();
    assert_eq!((p.less, p.greater, p.two_sided), (0.0, 1.0, 0.0));
    let half = Proportion::new(n / 2, n).unwrap().binomial_test(0.5).unwrap();
    assert!((half.two_sided - 1.0).abs() < 1e-9, "{half:?}");
}

/// All pairs of these would take 80 GB.
#[test]
fn shifts_of_many_pairs_are_selected() {
    let n = 100_000;
    let values = |step: f64| (0..n).map(|i| (f64::from(i) * step).fract()).collect::<Vec<f64>>();
    let (a, b) = (values(0.618), values(0.414));
    assert!(RankSum::new(&a, &b).unwrap().hodges_lehmann().abs() < 1e-3);
    let location = SignedRank::new(&a).unwrap().hodges_lehmann();
    assert!((location - 0.5).abs() < 1e-2, "{location}");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let n = values.len();
    0.5 * values[(n - 1) / 2] + 0.5 * values[n / 2]
}

proptest! {
    #[test]
    fn a_selected_shift_is_the_median_of_all_pairs(
        a in prop::collection::vec(-9.0..9.0_f64, 1..12),
        b in prop::collection::vec(-3..3_i32, 1..12),
    ) {
        let b: Vec<f64> = b.into_iter().map(f64::from).collect();
        let differences = a.iter().flat_map(|x| b.iter().map(move |y| x - y)).collect();
        prop_assert_eq!(RankSum::new(&a, &b).unwrap().hodges_lehmann(), median(differences) + 0.0);
        if a.len() > 1 {
            let pairs = (0..a.len()).flat_map(|i| (i..a.len()).map(move |j| (i, j)));
            let averages = pairs.map(|(i, j)| 0.5 * a[i] + 0.5 * a[j]).collect();
            prop_assert_eq!(SignedRank::new(&a).unwrap().hodges_lehmann(), median(averages) + 0.0);
        }
    }
}

#[test]
fn the_identity_link_without_events_in_an_arm_is_an_error() {
    let (y, arm) = ([0., 1., 1., 0., 1., 0., 0., 0.], [0_u32, 0, 0, 1, 1, 2, 2, 2]);
    let arms = Category::new(&arm, ["a", "b", "c"]);
    let matrix = ModelMatrix::new(8).intercept().unwrap().category("arm", arms).unwrap();
    for family in [Family::Binomial, Family::Poisson] {
        let fit = Glm::new(family).link(Link::Identity).fit(&matrix, ArrayView1::from(&y)).unwrap();
        let marginal = fit.standardize("arm").unwrap().covariance(MarginalVariance::Superpopulation);
        for result in [fit.covariance(VarianceType::Hc0), marginal] {
            let error = result.unwrap_err();
            assert_eq!(error.kind().name(), "not_estimable");
            assert!(!error.to_string().contains("NaN"), "{error}");
        }
    }
}

#[test]
fn squares_that_leave_the_range_of_numbers_are_no_nan() {
    let weighted = |w: f64| {
        let model = RandomEffects::new().test(Test::Normal).given_weights([w, 2.0 * w]);
        model.pool(&[0.1, 0.3], &[1.0, 1.0]).unwrap()
    };
    let (usual, huge) = (weighted(1.0), weighted(1e200));
    assert!((usual.summary.se - huge.summary.se).abs() < 1e-15 && huge.summary.se > 0.7);
    assert!((usual.weights[0] - huge.weights[0]).abs() < 1e-15);

    let sample = |n, mean, sd| Sample { n, mean, sd };
    let two = TwoMeans::new(sample(16, -1.0, 1.0), sample(13, 1.0, -0.0)).unwrap();
    assert_eq!(two.log_variability_ratio().estimate, f64::INFINITY);
    let tiny = TwoMeans::new(sample(4, 0.0, 1e-170), sample(14, -1.0, 5e-171)).unwrap();
    assert!(tiny.difference(MeansVariance::Welch).df.unwrap() > 3.0);

    let stratum = |treatment_events, treatment_n, control_events, control_n| Stratum {
        treatment_events,
        treatment_n,
        control_events,
        control_n,
    };
    let beyond = StratifiedProportions::new([stratum(4, u64::MAX, 0, 1), stratum(3, 4, 2, 3)]);
    assert!(beyond.unwrap_err().to_string().contains("2^52"));
    let wide = [stratum(1 << 51, 1 << 52, 839_533_138, 1_000_000_000), stratum(3, 1 << 38, 0, 670)];
    let test = StratifiedProportions::new(wide).unwrap().homogeneity_test(HomogeneityTest::BreslowDay);
    assert!(test.is_err() || test.is_ok_and(|test| test.statistic >= 0.0 && test.p_value <= 1.0));

    let values = [-3.5, -11.9, -29.7, -9.0, -6.1, 1.8, -31.6, 11.1].map(|v| v * 1e-157);
    let one = OneWay::new(&values, &[0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
    assert_eq!(one.welch().unwrap_err().kind().name(), "zero_variance");
    assert_eq!(one.anova().unwrap_err().kind().name(), "zero_variance");
}

/// The products of a level for every row once took 160 GB before the error.
#[test]
fn an_identifier_as_a_covariate_is_refused_at_once() {
    let n = 100_000_u32;
    let codes: Vec<u32> = (0..n).collect();
    let names: Vec<String> = (0..n).map(|i| format!("p{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let person = Category::new(&codes, names);
    let matrix = ModelMatrix::new(n as usize).intercept().unwrap().category("person", person).unwrap();
    let y: Vec<f64> = (0..n).map(|i| f64::from(i % 2)).collect();
    let error = Glm::new(Family::Gaussian).fit(&matrix, ArrayView1::from(&y)).unwrap_err().to_string();
    assert!(error.contains("identifiers"), "{error}");
}
