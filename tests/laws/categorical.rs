//! Laws of tables and regressions with categorical outcomes.

use crate::support::near;
use armwise::categorical::{
    Association, CategoryVariance, ContingencyTable, CramersV, CumulativeLink, CumulativeRegression,
    FreemanHalton, MonteCarlo, MultinomialRegression, OneWay, ScoredGroup, Scores, StratifiedTables,
    TrendTest,
};
use armwise::ndarray::{Array1, Array2, Axis, array};
use armwise::proportion::{Proportion, TwoProportions};
use armwise::regression::{Category, Family, Fitted, Glm, Link, ModelMatrix, VarianceType, Weights};
use proptest::prelude::*;

fn all_near<'a>(
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
    tolerance: f64,
) -> bool {
    a.into_iter().zip(b).all(|(a, b)| near(*a, *b, tolerance))
}

/// Tables without an empty row or column.
fn tables(rows: usize, columns: usize, most: u64) -> impl Strategy<Value = Array2<u64>> {
    prop::collection::vec(0..=most, rows * columns)
        .prop_map(move |counts| Array2::from_shape_vec((rows, columns), counts).unwrap())
        .prop_filter("no empty margin", |table| {
            table.sum_axis(Axis(0)).iter().chain(&table.sum_axis(Axis(1))).all(|sum| *sum > 0)
        })
}

/// An outcome in categories, two arms, a covariate and frequencies.
#[derive(Debug, Clone)]
struct Sample {
    outcome: Vec<u32>,
    arm: Vec<u32>,
    age: Array1<f64>,
    counts: Vec<u64>,
}

fn samples(categories: u32) -> impl Strategy<Value = Sample> {
    let row = (0..categories, 0..2_u32, -2.0..2.0_f64, 1..4_u64);
    prop::collection::vec(row, 30..60).prop_map(move |mut rows| {
        // Every category in both arms at both ends of the covariate: whatever else is drawn, they overlap.
        rows.extend((0..4 * categories).map(|i| (i / 4, i % 2, if i % 4 < 2 { -2.0 } else { 2.0 }, 1)));
        Sample {
            outcome: rows.iter().map(|row| row.0).collect(),
            arm: rows.iter().map(|row| row.1).collect(),
            age: rows.iter().map(|row| row.2).collect(),
            counts: rows.iter().map(|row| row.3).collect(),
        }
    })
}

impl Sample {
    fn matrix(&self, intercept: bool) -> ModelMatrix<'_> {
        let matrix = ModelMatrix::new(self.arm.len());
        let matrix = if intercept { matrix.intercept().unwrap() } else { matrix };
        let matrix = matrix.category("arm", Category::new(&self.arm, ["control", "treated"])).unwrap();
        matrix.numeric("age", self.age.view()).unwrap()
    }

    fn outcome(&self, categories: u32) -> Category<'_> {
        Category::new(&self.outcome, (0..categories).map(|k| k.to_string()))
    }

    fn flags(&self) -> Vec<bool> {
        self.outcome.iter().map(|y| *y == 1).collect()
    }

    fn expanded(&self) -> Self {
        let times = |i: usize| usize::try_from(self.counts[i]).expect("a small count");
        let rows: Vec<usize> = (0..self.arm.len()).flat_map(|i| vec![i; times(i)]).collect();
        Self {
            outcome: rows.iter().map(|&i| self.outcome[i]).collect(),
            arm: rows.iter().map(|&i| self.arm[i]).collect(),
            age: rows.iter().map(|&i| self.age[i]).collect(),
            counts: vec![1; rows.len()],
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn two_categories_are_logistic_regression(sample in samples(2)) {
        let flags = sample.flags();
        let matrix = sample.matrix(true);
        let weights = Weights::Frequency(&sample.counts);
        let logistic = Glm::new(Family::Binomial).weights(weights).fit(&matrix, flags.as_slice()).unwrap();
        let multinomial = MultinomialRegression::new().weights(weights).fit(&matrix, sample.outcome(2)).unwrap();
        prop_assert!(all_near(&multinomial.estimates(), &logistic.estimates(), 1e-10));
        prop_assert!(near(multinomial.log_likelihood().unwrap(), logistic.log_likelihood().unwrap(), 1e-12));
        for (ours, theirs) in [(CategoryVariance::Model, VarianceType::Model), (CategoryVariance::Hc0, VarianceType::Hc0)] {
            prop_assert!(all_near(&multinomial.covariance(ours).unwrap(), &logistic.covariance(theirs).unwrap(), 1e-9));
        }
        let means = logistic.standardize("arm").unwrap();
        let probabilities = multinomial.standardize("arm").unwrap();
        prop_assert!(all_near(probabilities.probabilities().column(1), means.means(), 1e-10));

        // P(y <= 0) = F(theta - x'b): the coefficients keep their sign, the threshold is minus the intercept.
        for (link, glm_link) in [(CumulativeLink::Logit, Link::Logit), (CumulativeLink::Probit, Link::Probit)] {
            let binary = Glm::new(Family::Binomial).link(glm_link).weights(weights).fit(&matrix, flags.as_slice()).unwrap();
            let model = CumulativeRegression::new().link(link).weights(weights);
            let cumulative = model.fit(&sample.matrix(false), sample.outcome(2)).unwrap();
            prop_assert!(near(cumulative.thresholds()[0], -binary.coefficients()[0], 1e-9));
            prop_assert!(all_near(cumulative.coefficients(), binary.coefficients().iter().skip(1), 1e-9));
            prop_assert!(near(cumulative.log_likelihood().unwrap(), binary.log_likelihood().unwrap(), 1e-12));
        }
    }

    #[test]
    fn frequencies_are_the_expanded_data(sample in samples(3)) {
        let expanded = sample.expanded();
        let weights = Weights::Frequency(&sample.counts);
        let a = MultinomialRegression::new().weights(weights).fit(&sample.matrix(true), sample.outcome(3)).unwrap();
        let m = expanded.matrix(true);
        let b = MultinomialRegression::new().fit(&m, expanded.outcome(3)).unwrap();
        let c = CumulativeRegression::new().weights(weights).fit(&sample.matrix(false), sample.outcome(3)).unwrap();
        let n = expanded.matrix(false);
        let d = CumulativeRegression::new().fit(&n, expanded.outcome(3)).unwrap();
        prop_assert!(all_near(&a.estimates(), &b.estimates(), 1e-9));
        prop_assert!(all_near(c.coefficients(), d.coefficients(), 1e-9));
        for variance in [CategoryVariance::Model, CategoryVariance::Hc0] {
            prop_assert!(all_near(&a.covariance(variance).unwrap(), &b.covariance(variance).unwrap(), 1e-9));
            prop_assert!(all_near(&c.covariance(variance).unwrap(), &d.covariance(variance).unwrap(), 1e-9));
            let (e, f) = (a.standardize("arm").unwrap(), b.standardize("arm").unwrap());
            prop_assert!(all_near(&e.covariance(variance).unwrap(), &f.covariance(variance).unwrap(), 1e-9));
        }
        prop_assert!(near(a.bic().unwrap(), b.bic().unwrap(), 1e-12) && near(c.aic().unwrap(), d.aic().unwrap(), 1e-12));
        let (e, f) = (c.brant_test().unwrap(), d.brant_test().unwrap());
        prop_assert!(near(e.overall.statistic, f.overall.statistic, 1e-8));
    }

    #[test]
    fn categories_may_be_reordered(sample in samples(3)) {
        let matrix = sample.matrix(true);
        let a = MultinomialRegression::new().fit(&matrix, sample.outcome(3)).unwrap();
        let b = MultinomialRegression::new().fit(&matrix, sample.outcome(3).reference(2)).unwrap();
        prop_assert!(near(a.log_likelihood().unwrap(), b.log_likelihood().unwrap(), 1e-12));
        prop_assert!(all_near(&a.fitted(), &b.fitted(), 1e-9));
        let (a, b) = (a.standardize("arm").unwrap(), b.standardize("arm").unwrap());
        for variance in [CategoryVariance::Model, CategoryVariance::Hc0] {
            prop_assert!(all_near(&a.covariance(variance).unwrap(), &b.covariance(variance).unwrap(), 1e-9));
        }

        // Turning the order of the categories turns the signs of a cumulative regression.
        let turned: Vec<u32> = sample.outcome.iter().map(|y| 2 - y).collect();
        for link in [CumulativeLink::Logit, CumulativeLink::Probit] {
            let up = CumulativeRegression::new().link(link).fit(&sample.matrix(false), sample.outcome(3)).unwrap();
            let outcome = Category::new(&turned, ["2", "1", "0"]);
            let down = CumulativeRegression::new().link(link).fit(&sample.matrix(false), outcome).unwrap();
            prop_assert!(near(up.log_likelihood().unwrap(), down.log_likelihood().unwrap(), 1e-12));
            prop_assert!(up.coefficients().iter().zip(&down.coefficients()).all(|(a, b)| near(*a, -b, 1e-8)));
            prop_assert!(near(up.thresholds()[0], -down.thresholds()[1], 1e-8));
        }
    }

    #[test]
    fn probabilities_sum_to_one_and_fitted_counts_are_observed(sample in samples(3)) {
        let fit = CumulativeRegression::new().fit(&sample.matrix(false), sample.outcome(3)).unwrap();
        let standardized = fit.standardize("arm").unwrap();
        for row in standardized.probabilities().rows() {
            prop_assert!(near(row.sum(), 1.0, 1e-13));
        }
        // The covariance of probabilities that sum to 1 has rows that sum to 0.
        let covariance = standardized.covariance(CategoryVariance::Model).unwrap();
        for row in covariance.rows() {
            prop_assert!(row.iter().take(3).sum::<f64>().abs() < 1e-12);
        }
        // At the maximum of the multinomial logit with an intercept fitted and observed counts agree.
        let matrix = sample.matrix(true);
        let multinomial = MultinomialRegression::new().fit(&matrix, sample.outcome(3)).unwrap();
        let sums = multinomial.fitted().sum_axis(Axis(0));
        for k in 0..3_u32 {
            let observed = sample.outcome.iter().filter(|y| **y == k).count() as f64;
            prop_assert!(near(sums[k as usize], observed, 1e-11));
        }
        prop_assert!(fit.log_likelihood().unwrap() >= fit.null_log_likelihood() - 1e-9);
        prop_assert!(multinomial.log_likelihood().unwrap() >= multinomial.null_log_likelihood() - 1e-9);
    }

    #[test]
    fn order_of_rows_and_columns_does_not_matter(table in tables(3, 4, 12)) {
        let turned = Array2::from_shape_fn((4, 3), |(i, j)| table[[(j + 1) % 3, (i + 2) % 4]]);
        let (a, b) = (ContingencyTable::new(table.view()).unwrap(), ContingencyTable::new(turned.view()).unwrap());
        prop_assert!(near(a.pearson_test().unwrap().statistic, b.pearson_test().unwrap().statistic, 1e-12));
        prop_assert!(near(a.likelihood_ratio_test().unwrap().p_value, b.likelihood_ratio_test().unwrap().p_value, 1e-11));
        for form in [CramersV::Plain, CramersV::BiasCorrected] {
            prop_assert!(near(a.cramers_v(form), b.cramers_v(form), 1e-11));
            prop_assert!((0.0..=1.0).contains(&a.cramers_v(form)));
        }
        let general = |table: &Array2<u64>| StratifiedTables::new(&[table.view()]).unwrap().test(Association::General);
        let (g, h) = (general(&table).unwrap(), general(&turned).unwrap());
        prop_assert!(near(g.statistic, h.statistic, 1e-10));
        // One stratum: (N - 1)/N of Pearson's chi-square.
        let n = table.sum() as f64;
        prop_assert!(near(g.statistic, a.pearson_test().unwrap().statistic * (n - 1.0) / n, 1e-10));
        let ranks = StratifiedTables::new(&[table.view()]).unwrap().test(Association::RowMeanScores(Scores::Midranks)).unwrap();
        prop_assert!(near(ranks.statistic, a.kruskal_wallis().unwrap().statistic, 1e-10));
        let correlation = StratifiedTables::new(&[table.view()]).unwrap();
        let correlation = correlation.test(Association::Correlation(Scores::EquallySpaced)).unwrap();
        let linear = a.linear_by_linear(Scores::EquallySpaced).unwrap();
        prop_assert!(near(correlation.statistic, linear.test.statistic, 1e-10));
    }

    #[test]
    fn freeman_halton_does_not_depend_on_order_and_sums_all_tables(table in tables(3, 3, 5)) {
        let a = ContingencyTable::new(table.view()).unwrap();
        let turned = table.t().to_owned();
        let b = ContingencyTable::new(turned.view()).unwrap();
        let p = FreemanHalton::new().p_value(&a).unwrap();
        prop_assert!(near(p, FreemanHalton::new().p_value(&b).unwrap(), 1e-11));
        prop_assert!(near(p, enumerated(&table), 1e-10), "{p} {}", enumerated(&table));
    }

    #[test]
    fn two_by_two_is_fishers_test(table in tables(2, 2, 60)) {
        let p = FreemanHalton::new().p_value(&ContingencyTable::new(table.view()).unwrap()).unwrap();
        let proportion = |row: usize| Proportion::new(table[[row, 1]], table[[row, 0]] + table[[row, 1]]).unwrap();
        let fisher = TwoProportions::new(proportion(1), proportion(0)).fisher_test().two_sided;
        prop_assert!(near(p, fisher, 1e-10), "{p} {fisher}");
    }

    #[test]
    fn a_trend_over_groups_is_the_linear_association(table in tables(4, 2, 40), scores in prop::collection::vec(-3.0..3.0_f64, 4)) {
        let groups: Vec<ScoredGroup> = (0..4)
            .map(|i| ScoredGroup { events: table[[i, 1]], n: table[[i, 0]] + table[[i, 1]], score: scores[i] })
            .collect();
        let trend = TrendTest::new(&groups).unwrap();
        let linear = ContingencyTable::new(table.view()).unwrap();
        let linear = linear.linear_by_linear(Scores::Given { rows: &scores, columns: &[0.0, 1.0] }).unwrap();
        prop_assert!(near(trend.chi_squared_n_minus_1.statistic, linear.test.statistic, 1e-9));
        prop_assert!(near(trend.p_value_increasing + trend.p_value_decreasing, 1.0, 1e-12));
        let reversed: Vec<ScoredGroup> = groups.iter().map(|g| ScoredGroup { score: -g.score, ..*g }).collect();
        prop_assert!(near(TrendTest::new(&reversed).unwrap().z, -trend.z, 1e-9));
    }

    #[test]
    fn groups_of_a_table_and_of_values_have_the_same_ranks(table in tables(3, 4, 9)) {
        let (mut values, mut codes) = (Vec::new(), Vec::new());
        for ((i, j), count) in table.indexed_iter() {
            for _ in 0..*count {
                values.push([0.5, 3.0, 3.5, 100.0][j]);
                codes.push(u32::try_from(7 * i).unwrap());
            }
        }
        let ranks = OneWay::new(&values, &codes).unwrap().kruskal_wallis().unwrap();
        let expected = ContingencyTable::new(table.view()).unwrap().kruskal_wallis().unwrap();
        prop_assert!(near(ranks.test.statistic, expected.statistic, 1e-10) && ranks.test.df == expected.df);
    }
}

/// The Fisher-Freeman-Halton p-value of a 3 x 3 table, from all tables with its margins.
fn enumerated(table: &Array2<u64>) -> f64 {
    let (r, c) = (table.sum_axis(Axis(1)), table.sum_axis(Axis(0)));
    let ln = |k: u64| (1..=k).map(|i| (i as f64).ln()).sum::<f64>();
    let value = |cells: &[u64]| -> f64 { cells.iter().map(|x| -ln(*x)).sum() };
    let observed = value(&table.iter().copied().collect::<Vec<_>>());
    let (mut extreme, mut all) = (0.0, 0.0);
    for a in 0..=r[0].min(c[0]) {
        for b in 0..=(r[0] - a).min(c[1]) {
            for d in 0..=r[1].min(c[0] - a) {
                for e in 0..=(r[1] - d).min(c[1] - b) {
                    let (x, y) = (r[0] - a - b, r[1] - d - e);
                    if x + y > c[2] {
                        continue;
                    }
                    let cells = [a, b, x, d, e, y, c[0] - a - d, c[1] - b - e, c[2] - x - y];
                    let value = value(&cells);
                    all += value.exp();
                    if value <= observed + 1e-7 {
                        extreme += value.exp();
                    }
                }
            }
        }
    }
    extreme / all
}

#[test]
fn simulation_is_reproducible_and_near_the_exact_value() {
    let table = ContingencyTable::new(array![[4, 1, 7], [9, 3, 2], [5, 8, 6]].view()).unwrap();
    let exact = FreemanHalton::new().p_value(&table).unwrap();
    let simulation = MonteCarlo::new(11).replicates(50_000);
    let first = simulation.p_value(&table).unwrap();
    assert_eq!(first, simulation.p_value(&table).unwrap());
    assert!((first.p_value - exact).abs() < 4.0 * first.se, "{first:?} {exact}");
    assert_ne!(first.p_value, MonteCarlo::new(12).replicates(50_000).p_value(&table).unwrap().p_value);
    assert!(MonteCarlo::new(1).replicates(0).p_value(&table).is_err());
    let large = ContingencyTable::new(array![[52_310, 5_020, 1_210], [48_870, 6_110, 1_405]].view()).unwrap();
    assert_eq!(MonteCarlo::new(1).replicates(99).p_value(&large).unwrap().p_value, 0.01);
}

#[test]
fn enumeration_stops_at_its_limit() {
    let table = ContingencyTable::new(
        array![[35, 39, 59, 45, 22], [31, 45, 49, 40, 35], [28, 46, 48, 47, 31]].view(),
    )
    .unwrap();
    let error = FreemanHalton::new().most_steps(10_000).p_value(&table).unwrap_err();
    assert_eq!(error.kind().name(), "not_estimable");
}

#[test]
fn bad_tables_are_named() {
    for table in [
        array![[10_u64], [12]],
        array![[3, 4]],
        array![[3, 0], [4, 0]],
        array![[0, 0], [1, 2]],
        array![[0, 0], [0, 0]],
    ] {
        assert_eq!(ContingencyTable::new(table.view()).unwrap_err().kind().name(), "degenerate_table");
        assert!(StratifiedTables::new(&[table.view()]).is_err());
    }
    let group = |events, n, score| ScoredGroup { events, n, score };
    for (groups, word) in [
        (vec![group(1, 2, 0.0)], "degenerate_table"),
        (vec![group(0, 2, 0.0), group(0, 3, 1.0)], "degenerate_table"),
        (vec![group(1, 2, 0.0), group(0, 0, 1.0)], "degenerate_table"),
        (vec![group(1, 2, 1.0), group(1, 3, 1.0)], "zero_variance"),
        (vec![group(3, 2, 0.0), group(1, 3, 1.0)], "invalid_input"),
        (vec![group(1, 2, f64::NAN), group(1, 3, 1.0)], "invalid_input"),
    ] {
        assert_eq!(TrendTest::new(&groups).unwrap_err().kind().name(), word);
    }
    assert_eq!(OneWay::new(&[1.0, 2.0], &[0, 0]).unwrap_err().kind().name(), "insufficient_observations");
    assert_eq!(OneWay::new(&[1.0, f64::NAN], &[0, 1]).unwrap_err().kind().name(), "invalid_input");
    assert_eq!(OneWay::new(&[1.0], &[0, 1]).unwrap_err().kind().name(), "invalid_input");
    let equal = OneWay::new(&[1.0, 1.0, 1.0, 1.0], &[0, 0, 1, 1]).unwrap();
    for word in [equal.kruskal_wallis().unwrap_err(), equal.anova().unwrap_err(), equal.welch().unwrap_err()]
    {
        assert_eq!(word.kind().name(), "zero_variance");
    }
    // Strata that never compare the same rows.
    let (a, b) = (array![[3_u64, 4], [0, 0]], array![[0_u64, 0], [5, 6]]);
    let apart = StratifiedTables::new(&[a.view(), b.view()]).unwrap();
    assert_eq!(apart.test(Association::General).unwrap_err().kind().name(), "not_estimable");
}

/// What a bad regression is called by both models.
fn refusals(outcome: &[u32], x: &Array1<f64>, categories: usize) -> [String; 2] {
    let labels = || (0..categories).map(|k| format!("c{k}"));
    let plain = ModelMatrix::new(outcome.len()).numeric("x", x.view()).unwrap();
    let with = ModelMatrix::new(outcome.len()).intercept().unwrap().numeric("x", x.view()).unwrap();
    let word = |error: armwise::Error| error.kind().name().to_owned();
    [
        MultinomialRegression::new()
            .fit(&with, Category::new(outcome, labels()))
            .map_or_else(word, |_| "fitted".into()),
        CumulativeRegression::new()
            .fit(&plain, Category::new(outcome, labels()))
            .map_or_else(word, |_| "fitted".into()),
    ]
}

#[test]
fn regressions_without_an_estimate_are_refused() {
    let both = |word: &str| [word.to_owned(), word.to_owned()];
    let x = array![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
    let mixed = [0, 1, 2, 0, 1, 2, 0, 2];
    assert_eq!(refusals(&mixed, &x, 3), both("fitted"));
    // The order of x gives the order of the outcome.
    assert_eq!(refusals(&[0, 0, 0, 1, 1, 1, 2, 2], &x, 3), both("separation"));
    // One tie leaves quasi-complete separation.
    assert_eq!(
        refusals(&[0, 0, 0, 1, 1, 2, 2, 2], &array![0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0, 3.0], 3),
        both("separation")
    );
    assert_eq!(refusals(&mixed, &x, 4), both("not_estimable"));
    assert_eq!(refusals(&[1; 8], &x, 3), both("constant_outcome"));
    assert_eq!(refusals(&mixed, &x, 2), both("invalid_input"));
    assert_eq!(refusals(&mixed, &x, 1), both("invalid_input"));
    assert_eq!(
        refusals(&mixed[..7], &array![0.0, 1.0, 2.0, f64::NAN, 4.0, 5.0, 6.0], 3),
        both("invalid_input")
    );
    assert_eq!(refusals(&mixed, &Array1::ones(8), 3), both("rank_deficient"));
    // x separates 0 from the rest: no multinomial estimate. Categories 1 and 2 overlap, and their slope is
    // that of all thresholds.
    assert_eq!(refusals(&[0, 0, 0, 1, 2, 1, 2, 1], &x, 3), ["separation", "fitted"]);
    // x separates 0 and 2, but neither from 1: both estimates exist.
    assert_eq!(refusals(&[0, 0, 1, 0, 1, 2, 1, 2], &x, 3), both("fitted"));
}

#[test]
fn ordered_probit_finds_separation_where_the_tail_underflows() {
    // A treated arm that is all in the highest category, with few others: the steps shrink while the estimate
    // runs away.
    for n in [1, 2, 5, 40] {
        let outcome: Vec<u32> = [0, 1, 2, 0, 1, 2].into_iter().chain(vec![2; n]).collect();
        let arm: Vec<u32> = vec![0; 6].into_iter().chain(vec![1; n]).collect();
        for reference in [0, 1] {
            let category = Category::new(&arm, ["a", "b"]).reference(reference);
            let matrix = ModelMatrix::new(arm.len()).category("arm", category).unwrap();
            for link in [CumulativeLink::Logit, CumulativeLink::Probit] {
                let fit = CumulativeRegression::new()
                    .link(link)
                    .fit(&matrix, Category::new(&outcome, ["0", "1", "2"]));
                assert_eq!(fit.unwrap_err().kind().name(), "separation", "{n} {reference} {link:?}");
            }
        }
    }
}

#[test]
fn separation_names_the_category() {
    let outcome = [0, 1, 2, 0, 1, 2, 0, 0, 0, 0];
    let arm = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1];
    let matrix =
        ModelMatrix::new(10).intercept().unwrap().category("arm", Category::new(&arm, ["a", "b"])).unwrap();
    let labels = || Category::new(&outcome, ["none", "temporary", "permanent"]);
    let error = MultinomialRegression::new().fit(&matrix, labels()).unwrap_err().to_string();
    assert!(
        error.contains("temporary: arm[b] (to -infinity)")
            && error.contains("permanent: arm[b] (to -infinity)"),
        "{error}"
    );
    let matrix = ModelMatrix::new(10).category("arm", Category::new(&arm, ["a", "b"])).unwrap();
    let error = CumulativeRegression::new().fit(&matrix, labels()).unwrap_err().to_string();
    assert!(error.contains("arm[b] (to -infinity)") && !error.contains('|'), "{error}");
}

#[test]
fn the_scale_of_prior_weights_changes_the_model_based_covariance_only() {
    let outcome = [0, 1, 2, 0, 1, 2, 0, 2, 1, 0, 2, 1];
    let x = array![0.3, -1.0, 2.0, 0.0, 1.4, 0.5, -0.6, 1.7, 0.1, 0.9, -0.8, 0.2];
    let weights: Array1<f64> = (1..=12).map(|i| f64::from(i) * 0.3).collect();
    let tripled = &weights * 3.0;
    let matrix = ModelMatrix::new(12).numeric("x", x.view()).unwrap();
    for link in [CumulativeLink::Logit, CumulativeLink::Probit] {
        let fit = |weights: &Array1<f64>| {
            let model = CumulativeRegression::new().link(link).weights(Weights::Precision(weights.view()));
            let fit = model.fit(&matrix, Category::new(&outcome, ["0", "1", "2"])).unwrap();
            let coefficients: Vec<f64> =
                fit.thresholds().iter().chain(&fit.coefficients()).copied().collect();
            (
                coefficients,
                fit.covariance(CategoryVariance::Model).unwrap(),
                fit.covariance(CategoryVariance::Hc0).unwrap(),
            )
        };
        let (a, b) = (fit(&weights), fit(&tripled));
        assert!(all_near(&a.0, &b.0, 1e-11));
        assert!(all_near(&a.1, &(&b.1 * 3.0), 1e-11));
        assert!(all_near(&a.2, &b.2, 1e-11));
    }
}

/// Without weights the rows are read in vectors, with frequencies of 1 in plain loops.
#[test]
fn frequencies_of_one_change_nothing() {
    for n in [60_u32, 300, 9000] {
        let age: Array1<f64> = (0..n).map(|i| f64::from(i * 37 % 101) / 50.0).collect();
        let arm: Vec<u32> = (0..n).map(|i| i % 3).collect();
        let outcome: Vec<u32> =
            (0..n).map(|i| (i * 7 % 11 + u32::from(i % 3 == 1) * 2 + i * 37 % 101 / 40) % 4).collect();
        let ones = vec![1; n as usize];
        let category = || Category::new(&outcome, ["a", "b", "c", "d"]).reference(2);
        let covariates = ModelMatrix::new(n as usize)
            .category("arm", Category::new(&arm, ["x", "y", "z"]))
            .and_then(|matrix| matrix.numeric("age", age.view()))
            .unwrap();
        let with_intercept = covariates.clone().intercept().unwrap();
        let model = MultinomialRegression::new();
        let a = model.fit(&with_intercept, category()).unwrap();
        let b = model.clone().weights(Weights::Frequency(&ones)).fit(&with_intercept, category()).unwrap();
        assert!(all_near(&a.estimates(), &b.estimates(), 1e-10));
        assert!(near(a.log_likelihood().unwrap(), b.log_likelihood().unwrap(), 1e-12));
        for variance in [CategoryVariance::Model, CategoryVariance::Hc0] {
            assert!(all_near(&a.covariance(variance).unwrap(), &b.covariance(variance).unwrap(), 1e-9));
        }
        let model = CumulativeRegression::new();
        let a = model.fit(&covariates, category()).unwrap();
        let b = model.clone().weights(Weights::Frequency(&ones)).fit(&covariates, category()).unwrap();
        assert!(all_near(a.coefficients(), b.coefficients(), 1e-10));
        assert!(all_near(a.thresholds(), b.thresholds(), 1e-10));
        for variance in [CategoryVariance::Model, CategoryVariance::Hc0] {
            assert!(all_near(&a.covariance(variance).unwrap(), &b.covariance(variance).unwrap(), 1e-9));
        }
    }
}
