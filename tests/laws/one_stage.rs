//! Laws of one-stage models: what must hold whatever the data are.

use crate::support::Numbers;
use crate::support::data::city;
use armwise::ndarray::{Array1, Array2};
use armwise::one_stage::{
    ConditionalDistribution, ConditionalLogistic, Likelihood, LinearMixed, LinearMixedFit, MixedLogistic,
    RandomPart, SiteArm, SiteCounts, SiteLinear, SiteLogistic, TreatmentCoding,
};
use armwise::prelude::*;
use armwise::regression::{Category, Family, Glm, ModelMatrix};

/// Events and people of control and treatment at a site.
type Site = [(u64, u64); 2];

const SITES: [Site; 6] = [
    [(18, 188), (7, 188)],
    [(4, 102), (13, 102)],
    [(8, 76), (8, 76)],
    [(17, 195), (25, 195)],
    [(13, 222), (69, 222)],
    [(12, 91), (30, 91)],
];

fn counts(sites: &[Site]) -> SiteCounts {
    let names = (0..sites.len()).map(|site| format!("site {site}"));
    let mut counts = SiteCounts::new(names, ["control", "guidance"]).unwrap();
    for (site, arms) in sites.iter().enumerate() {
        for (arm, &(events, n)) in arms.iter().enumerate() {
            counts.add(SiteArm { site, arm, events, n }).unwrap();
        }
    }
    counts
}

fn near(what: &str, a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{what}: {a} and {b}");
}

const PARTS: [RandomPart; 3] = [RandomPart::Intercept, RandomPart::Effect, RandomPart::InterceptAndEffect];

#[test]
fn without_variation_the_random_effect_is_the_common_one() {
    // The odds ratio is 2 at every site.
    let same = counts(&[[(10, 110), (20, 120)], [(20, 60), (40, 80)], [(30, 330), (20, 120)]]);
    let common = SiteLogistic::new().fit(&same).unwrap();
    for points in [1, 7] {
        let random = MixedLogistic::new().points(points).fit(&same).unwrap();
        assert!(random.boundary && random.random_sd == 0.0);
        near("estimate", random.effect.estimate, common.effects[0].estimate, 1e-9);
        near("estimate", random.effect.estimate, 2_f64.ln(), 1e-9);
        near("se", random.effect.se, common.effects[0].se, 1e-9);
        near("log-likelihood", random.log_likelihood, common.log_likelihood, 1e-10);
    }
    for distribution in [ConditionalDistribution::Hypergeometric, ConditionalDistribution::Binomial] {
        let model = ConditionalLogistic::new().distribution(distribution);
        let (one, other) = (model.fit_common(&same).unwrap(), model.fit(&same).unwrap());
        assert!(other.boundary || distribution == ConditionalDistribution::Binomial);
        if other.boundary {
            near("estimate", other.effect.estimate, one.effect.estimate, 1e-9);
            near("se", other.effect.se, one.effect.se, 1e-9);
            near("log-likelihood", other.log_likelihood, one.log_likelihood, 1e-10);
        }
    }
}

#[test]
fn quadrature_converges() {
    let counts = counts(&SITES);
    for part in PARTS {
        let fit = |points| MixedLogistic::new().random(part).points(points).fit(&counts).unwrap();
        let (few, many) = (fit(20), fit(if part == RandomPart::InterceptAndEffect { 28 } else { 100 }));
        near("log-likelihood", few.log_likelihood, many.log_likelihood, 1e-7);
        near("estimate", few.effect.estimate, many.effect.estimate, 1e-6);
        near("sd", few.random_sd, many.random_sd, 1e-6);
        near("Laplace", fit(1).effect.estimate, many.effect.estimate, 0.05);
    }
    let fit = |points| ConditionalLogistic::new().points(points).fit(&counts).unwrap();
    near("estimate", fit(30).effect.estimate, fit(100).effect.estimate, 1e-8);
}

#[test]
fn the_order_of_sites_does_not_matter_and_swapped_arms_change_the_sign() {
    let turned: Vec<Site> = SITES.iter().rev().copied().collect();
    let swapped: Vec<Site> = SITES.iter().map(|[control, treated]| [*treated, *control]).collect();
    let (given, turned, swapped) = (counts(&SITES), counts(&turned), counts(&swapped));
    for part in PARTS {
        let model = MixedLogistic::new().random(part).points(7);
        let [a, b, c] = [&given, &turned, &swapped].map(|counts| model.fit(counts).unwrap());
        near("turned", a.effect.estimate, b.effect.estimate, 1e-9);
        near("turned", a.effect.se, b.effect.se, 1e-9);
        near("swapped", a.effect.estimate, -c.effect.estimate, 1e-9);
        near("swapped", a.effect.se, c.effect.se, 1e-9);
        near("swapped", a.random_sd, c.random_sd, 1e-8);
        near("swapped", a.log_likelihood, c.log_likelihood, 1e-10);
    }
    for distribution in [ConditionalDistribution::Hypergeometric, ConditionalDistribution::Binomial] {
        let model = ConditionalLogistic::new().distribution(distribution);
        let [a, b, c] = [&given, &turned, &swapped].map(|counts| model.fit(counts).unwrap());
        near("turned", a.effect.estimate, b.effect.estimate, 1e-9);
        near("swapped", a.effect.estimate, -c.effect.estimate, 1e-9);
        near("swapped", a.effect.se, c.effect.se, 1e-8);
    }
    let [a, b, c] = [&given, &turned, &swapped].map(|counts| SiteLogistic::new().fit(counts).unwrap());
    near("turned", a.effects[0].se, b.effects[0].se, 1e-10);
    near("swapped", a.effects[0].estimate, -c.effects[0].estimate, 1e-10);
    let (one, other) = (a.interaction_test.unwrap(), c.interaction_test.unwrap());
    near("interaction", one.score.statistic, other.score.statistic, 1e-9);
}

#[test]
fn participants_one_by_one_are_their_counts() {
    let mut single =
        SiteCounts::new((0..6).map(|site| format!("site {site}")), ["control", "guidance"]).unwrap();
    for (site, arms) in SITES.iter().enumerate() {
        for (arm, &(events, n)) in arms.iter().enumerate() {
            for person in 0..n {
                single.add(SiteArm { site, arm, events: u64::from(person < events), n: 1 }).unwrap();
            }
        }
    }
    assert_eq!(single, counts(&SITES));
}

#[test]
fn a_site_of_one_outcome_changes_nothing() {
    let mut more = SITES.to_vec();
    more.extend([[(0, 40), (0, 35)], [(12, 12), (9, 9)]]);
    let (few, more) = (counts(&SITES), counts(&more));
    let [a, b] = [&few, &more].map(|counts| MixedLogistic::new().fit(counts).unwrap());
    near("estimate", a.effect.estimate, b.effect.estimate, 1e-12);
    near("log-likelihood", a.log_likelihood, b.log_likelihood, 1e-12);
    assert!(b.site_intercepts[6].estimate.is_none() && b.site_intercepts[5].estimate.is_some());
    let [a, b] = [&few, &more].map(|counts| SiteLogistic::new().fit(counts).unwrap());
    near("se", a.effects[0].se, b.effects[0].se, 1e-12);
    let [a, b] = [&few, &more].map(|counts| ConditionalLogistic::new().fit(counts).unwrap());
    near("se", a.effect.se, b.effect.se, 1e-12);
    assert_eq!(b.uninformative_sites, ["site 6", "site 7"]);
}

/// Whatever the counts are, there is a finite answer or a reason.
#[test]
fn any_counts_have_an_answer_or_a_reason() {
    let mut numbers = Numbers(7);
    let mut answered = 0;
    for round in 0..120 {
        let k = 1 + numbers.below(7);
        let size = [4, 30, 400, 1_000_000][round % 4];
        let sites: Vec<Site> = (0..k)
            .map(|_| {
                [0, 1].map(|_| {
                    let n = numbers.below(size);
                    let most = if round % 3 == 0 { n / 8 } else { n };
                    (numbers.below(most + 1) as u64, n as u64)
                })
            })
            .collect();
        let counts = counts(&sites);
        let check = |what: &str, result: armwise::Result<[f64; 3]>| match result {
            Ok(values) => {
                assert!(
                    values.iter().all(|x| x.is_finite()) && values[1] > 0.0,
                    "{what} {sites:?}: {values:?}"
                );
                1
            }
            Err(error) => {
                let known = [
                    "separation",
                    "constant_outcome",
                    "not_estimable",
                    "insufficient_studies",
                    "empty_arm",
                    "rank_deficient",
                ];
                assert!(known.contains(&error.kind().name()), "{what} {sites:?}: {error}");
                0
            }
        };
        for part in PARTS {
            for coding in [TreatmentCoding::ZeroOne, TreatmentCoding::Halves] {
                let points = if part == RandomPart::InterceptAndEffect { 1 } else { 5 };
                let fit = MixedLogistic::new().random(part).coding(coding).points(points).fit(&counts);
                let values = fit.map(|fit| [fit.effect.estimate, fit.effect.se, fit.random_sd]);
                answered += check(&format!("{part:?} {coding:?}"), values);
            }
        }
        for distribution in [ConditionalDistribution::Hypergeometric, ConditionalDistribution::Binomial] {
            let model = ConditionalLogistic::new().distribution(distribution).points(5);
            let values = |fit: armwise::one_stage::ConditionalLogisticFit| {
                [fit.effect.estimate, fit.effect.se, fit.log_likelihood]
            };
            answered += check(&format!("{distribution:?}"), model.fit(&counts).map(values));
            answered += check(&format!("common {distribution:?}"), model.fit_common(&counts).map(values));
        }
        let fit = SiteLogistic::new().fit(&counts);
        answered += check(
            "sites",
            fit.map(|fit| [fit.effects[0].estimate, fit.effects[0].se, fit.residual_deviance]),
        );
    }
    assert!(answered > 500, "{answered}");
}

struct People {
    site: Vec<u32>,
    t: Array1<f64>,
    x: Array1<f64>,
    y: Array1<f64>,
}

const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

fn people(seed: u64, spread: f64) -> People {
    let mut numbers = Numbers(seed);
    let mut normal = || (0..12).map(|_| numbers.next()).sum::<f64>() - 6.0;
    let (levels, slopes) = ([0; 5].map(|_| spread * normal()), [0; 5].map(|_| spread * normal()));
    let (mut site, mut t, mut x, mut y) = (vec![], vec![], vec![], vec![]);
    for row in 0..37_u32 {
        let code = (row * row + row / 3) % 5;
        let (treated, covariate) = (f64::from((row / 2) % 2), normal());
        site.push(code);
        t.push(treated);
        x.push(covariate);
        y.push(19.0 + levels[code as usize] + (2.0 + slopes[code as usize]) * treated + covariate + normal());
    }
    People { site, t: t.into(), x: x.into(), y: y.into() }
}

fn fit(model: &LinearMixed, people: &People, intercept: bool) -> armwise::Result<LinearMixedFit> {
    let mut matrix = ModelMatrix::new(people.y.len());
    if intercept {
        matrix = matrix.intercept()?;
    }
    let matrix = matrix.numeric("t", people.t.view())?.numeric("x", people.x.view())?;
    model.fit(&matrix, Category::new(&people.site, NAMES), people.y.view())
}

/// Inverse and logarithm of the determinant by Gauss-Jordan elimination.
fn invert(a: &Array2<f64>) -> (Array2<f64>, f64) {
    let n = a.nrows();
    let (mut a, mut inverse, mut ln) = (a.clone(), Array2::eye(n), 0.0);
    for j in 0..n {
        let pivot = a[[j, j]];
        ln += pivot.ln();
        for k in 0..n {
            a[[j, k]] /= pivot;
            inverse[[j, k]] /= pivot;
        }
        for i in (0..n).filter(|i| *i != j) {
            let factor = a[[i, j]];
            for k in 0..n {
                a[[i, k]] -= factor * a[[j, k]];
                inverse[[i, k]] -= factor * inverse[[j, k]];
            }
        }
    }
    (inverse, ln)
}

struct Dense {
    estimates: Array1<f64>,
    covariance: Array2<f64>,
    log_likelihood: f64,
}

/// Generalised least squares with all of V, and the restricted or full log-likelihood.
fn dense(people: &People, design: &Array2<f64>, [a, c, b, residual]: [f64; 4], reml: bool) -> Dense {
    let (n, p) = design.dim();
    let v = Array2::from_shape_fn((n, n), |(i, j)| {
        let same = people.site[i] == people.site[j];
        let (s, t) = (people.t[i], people.t[j]);
        f64::from(u8::from(same)) * (a + c * (s + t) + b * s * t) + if i == j { residual } else { 0.0 }
    });
    let (w, ln_v) = invert(&v);
    let (covariance, ln_information) = invert(&design.t().dot(&w).dot(design));
    let estimates = covariance.dot(&design.t().dot(&w.dot(&people.y)));
    let r = &people.y - &design.dot(&estimates);
    let (df, more) = if reml { (n - p, -ln_information) } else { (n, 0.0) };
    let ln_information = if reml { -more } else { 0.0 };
    let deviance = df as f64 * std::f64::consts::TAU.ln() + ln_v + ln_information + r.dot(&w.dot(&r));
    Dense { estimates, covariance, log_likelihood: -0.5 * deviance }
}

#[test]
fn the_mixed_model_is_dense_generalised_least_squares_at_a_maximum() {
    for seed in 1..6 {
        let people = people(seed, 1.5);
        let design = Array2::from_shape_fn((37, 3), |(i, j)| [1.0, people.t[i], people.x[i]][j]);
        for likelihood in [Likelihood::Reml, Likelihood::Ml] {
            for model in [
                LinearMixed::intercept(),
                LinearMixed::independent_slope("t"),
                LinearMixed::correlated_slope("t"),
            ] {
                let fit = fit(&model.likelihood(likelihood), &people, true).unwrap();
                let (a, c, b) = (
                    fit.variance_intercept.unwrap(),
                    fit.covariance_intercept_slope.unwrap_or(0.0),
                    fit.variance_slope.unwrap_or(0.0),
                );
                let at = [a, c, b, fit.residual_variance];
                let whole = |at| dense(&people, &design, at, likelihood == Likelihood::Reml);
                let direct = whole(at);
                for j in 0..3 {
                    near("estimate", fit.coefficients[j].estimate, direct.estimates[j], 1e-9);
                    for k in 0..3 {
                        near("covariance", fit.covariance[[j, k]], direct.covariance[[j, k]], 1e-9);
                    }
                }
                near("log-likelihood", fit.log_likelihood, direct.log_likelihood, 1e-9);
                for j in 0..4 {
                    for step in [-0.02, 0.02] {
                        let mut beside = at;
                        beside[j] *= 1.0 + step;
                        let possible = beside[0] * beside[2] >= beside[1] * beside[1];
                        let there = whole(beside).log_likelihood;
                        assert!(!possible || there <= fit.log_likelihood + 1e-9, "{at:?}, {beside:?}");
                    }
                }
                near("predictions", fit.intercepts.iter().sum::<f64>(), 0.0, 1e-6);
            }
        }
    }
}

#[test]
fn slopes_beside_site_intercepts_are_the_dense_model_with_a_column_for_each_site() {
    for seed in 1..6 {
        let people = people(seed, 1.5);
        let design = Array2::from_shape_fn((37, 7), |(i, j)| match j {
            0 => people.t[i],
            1 => people.x[i],
            _ => f64::from(u8::from(people.site[i] as usize == j - 2)),
        });
        let fit = fit(&LinearMixed::slope_with_site_intercepts("t"), &people, false).unwrap();
        let at = [0.0, 0.0, fit.variance_slope.unwrap(), fit.residual_variance];
        let direct = dense(&people, &design, at, true);
        for j in 0..2 {
            near("estimate", fit.coefficients[j].estimate, direct.estimates[j], 1e-9);
            near("variance", fit.covariance[[j, j]], direct.covariance[[j, j]], 1e-9);
        }
        near("log-likelihood", fit.log_likelihood, direct.log_likelihood, 1e-9);
        assert!(fit.intercepts.is_empty() && fit.slopes.len() == 5);
    }
}

#[test]
fn without_variation_between_sites_the_mixed_model_is_least_squares() {
    let mut people = people(3, 0.0);
    // Levels that repel: the same mean residual at every site.
    let design =
        ModelMatrix::new(37).numeric("t", people.t.view()).unwrap().numeric("x", people.x.view()).unwrap();
    let inner =
        SiteLinear::new().fit(&design, Category::new(&people.site, NAMES), "t", people.y.view()).unwrap();
    for (row, &site) in people.site.iter().enumerate() {
        people.y[row] -= inner.site_intercepts[site as usize].estimate.unwrap();
    }
    let mixed = fit(&LinearMixed::intercept(), &people, true).unwrap();
    assert!(mixed.boundary && mixed.variance_intercept == Some(0.0));
    let matrix = ModelMatrix::new(37).intercept().unwrap().numeric("t", people.t.view()).unwrap();
    let matrix = matrix.numeric("x", people.x.view()).unwrap();
    let plain = Glm::new(Family::Gaussian).fit(&matrix, people.y.view()).unwrap();
    near("estimate", mixed.coefficients[1].estimate, plain.coefficients()[1], 1e-10);
    near("residual variance", mixed.residual_variance, plain.dispersion().unwrap(), 1e-10);
    assert!(mixed.intercepts.iter().all(|x| *x == 0.0));
}

#[test]
fn units_and_origins_only_rescale() {
    let plain = people(4, 1.0);
    let mut moved = people(4, 1.0);
    moved.y.mapv_inplace(|y| 1e5 + 100.0 * y);
    for model in [LinearMixed::intercept(), LinearMixed::correlated_slope("t")] {
        let (a, b) = (fit(&model, &plain, true).unwrap(), fit(&model, &moved, true).unwrap());
        near("estimate", 100.0 * a.coefficients[1].estimate, b.coefficients[1].estimate, 1e-8);
        near("se", 100.0 * a.coefficients[1].se, b.coefficients[1].se, 1e-8);
        near("variance", 1e4 * a.variance_intercept.unwrap(), b.variance_intercept.unwrap(), 1e-6);
    }
}

#[test]
fn site_intercepts_are_the_regression_with_a_column_for_each_site() {
    let people = people(5, 1.0);
    let matrix =
        ModelMatrix::new(37).numeric("t", people.t.view()).unwrap().numeric("x", people.x.view()).unwrap();
    let sites = || Category::new(&people.site, NAMES);
    let short = SiteLinear::new().fit(&matrix, sites(), "t", people.y.view()).unwrap();
    let whole = ModelMatrix::new(37)
        .intercept()
        .unwrap()
        .category("site", sites())
        .unwrap()
        .numeric("t", people.t.view())
        .unwrap()
        .numeric("x", people.x.view())
        .unwrap()
        .product("site", "t")
        .unwrap();
    let tested: Vec<usize> = whole.columns_of("site:t").unwrap().collect();
    let full = Glm::new(Family::Gaussian).fit(&whole, people.y.view()).unwrap();
    let test = full.without(&tested).unwrap().f_test().unwrap();
    let ours = short.interaction_test.unwrap();
    assert!(ours.df1 == test.df1 && ours.df2 == test.df2);
    near("F", ours.statistic, test.statistic, 1e-9);
    let additive = whole.select(&[0, 1, 2, 3, 4, 5, 6]).unwrap();
    let additive = Glm::new(Family::Gaussian).fit(&additive, people.y.view()).unwrap();
    near("estimate", short.coefficients[0].estimate, additive.coefficient("t").unwrap(), 1e-10);
    near("intercept", short.site_intercepts[0].estimate.unwrap(), additive.coefficients()[0], 1e-10);
}

const OUTFLOW: Measure<Binary> = Measure::binary("outflow").higher_is_better();

#[test]
fn one_trial_in_one_stage_is_its_odds_ratio() {
    let one = city("A", &OUTFLOW, &[("control", 10, 100), ("guidance", 15, 90)]);
    let estimate = one.estimate(&OddsRatio::new()).unwrap().treatment("guidance").unwrap();
    let pooled = OneStageLogistic::common().pool(&Comparisons::new([one]).unwrap()).unwrap();
    near("value", pooled.treatment("guidance").unwrap().value(), estimate.value(), 1e-10);
    near("se", pooled.treatment("guidance").unwrap().se(), estimate.se(), 1e-10);
    assert!(pooled.interaction().is_none());
    assert!(pooled.notices().contains(&Notice::FewTrials { trials: 1 }));
}

#[test]
fn typed_models_tell_what_they_leave_out_and_come_back_from_json() {
    let cities = Comparisons::new([
        city("A", &OUTFLOW, &[("control", 10, 100), ("guidance", 15, 90), ("earnings", 12, 95)]),
        city("B", &OUTFLOW, &[("control", 8, 90), ("guidance", 7, 95)]),
        city("C", &OUTFLOW, &[("control", 20, 180), ("guidance", 44, 170), ("earnings", 30, 170)]),
        city("D", &OUTFLOW, &[("control", 0, 20), ("guidance", 0, 25)]),
        city("E", &OUTFLOW, &[("control", 3, 20), ("earnings", 5, 25)]),
    ])
    .unwrap();
    let common = OneStageLogistic::common().pool(&cities).unwrap();
    assert_eq!(common.treatment("earnings").unwrap().trials, ["A", "C", "E"]);
    assert!(common.covariance()[[0, 1]] > 0.0);
    // Ten arms of trials that tell, four intercepts, two effects.
    assert_eq!(common.interaction().unwrap().df, 4.0);
    assert!(common.to_string().contains("so these say nothing about the effect: D"), "{common}");
    let back: OneStagePooled<LogOddsRatio> =
        serde_json::from_str(&serde_json::to_string(&common).unwrap()).unwrap();
    assert_eq!(back, common);

    let random = OneStageLogistic::random().treatment("guidance").pool(&cities).unwrap();
    assert_eq!(random.treatment("guidance").unwrap().df(), Some(2.0));
    assert!(
        random
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::TrialsWithoutArm { trials, .. } if trials[0] == "E"))
    );
    assert!(random.to_string().contains("tau2 = "), "{random}");
    let back: OneStagePooled<LogOddsRatio> =
        serde_json::from_str(&serde_json::to_string(&random).unwrap()).unwrap();
    assert_eq!(back, random);

    let telling = Comparisons::new(cities.iter().filter(|city| **city.trial() != *"D").cloned()).unwrap();
    let effects = telling.estimate(&OddsRatio::new()).unwrap();
    let two = RandomEffects::new().pool(&effects.treatment("guidance").unwrap()).unwrap();
    let joint = JointModel::random().pool(&effects).unwrap();
    let table = OneStageComparison::new("guidance")
        .two_stage("two stages, REML", &two)
        .unwrap()
        .joint("two stages, jointly", &joint)
        .unwrap()
        .one_stage("one stage, common", &common)
        .unwrap()
        .one_stage("one stage, random", &random)
        .unwrap();
    let text = table.to_string();
    assert!(text.starts_with("outflow, guidance vs control, one stage beside two:\n"), "{text}");
    assert_eq!(text.lines().filter(|line| line.contains("stage")).count(), 5, "{text}");
    let back: OneStageComparison<LogOddsRatio> =
        serde_json::from_str(&serde_json::to_string(&table).unwrap()).unwrap();
    assert_eq!(back, table);
    let mut broken = serde_json::to_value(&common).unwrap();
    // Rows of numbers, as in every other result.
    assert_eq!(broken["covariance"][1].as_array().map(Vec::len), Some(2));
    broken["coefficients"][0]["inference"]["se"] = (-1.0).into();
    assert!(serde_json::from_value::<OneStagePooled<LogOddsRatio>>(broken).is_err());
}

#[test]
fn linear_one_stage_models_of_participants() {
    let people = people(2, 1.0);
    let mut csv = "city,arm,x,old,score\n".to_owned();
    for row in 0..37 {
        let arm = if people.t[row] == 1.0 { "help" } else { "control" };
        let x = if row == 7 { String::new() } else { people.x[row].to_string() };
        let score = if row == 9 { String::new() } else { people.y[row].to_string() };
        csv += &format!(
            "{},{arm},{x},{},{score}\n",
            NAMES[people.site[row] as usize],
            if row % 3 == 0 { "yes" } else { "no" }
        );
    }
    let table = Table::from_csv_str(&csv).unwrap();
    let trials = Trials::builder(table, "city").arm_labels("arm").control("control").build().unwrap();
    let cities = trials.on(&Measure::continuous("score").unit("points")).unwrap();
    let common = OneStageLinear::common().adjust_for(["x", "old"]).pool(&cities).unwrap();
    assert_eq!(common.summary.participants, 35);
    assert_eq!(common.treatment("help").unwrap().df(), Some(35.0 - 5.0 - 3.0));
    assert!(common.notices().contains(&Notice::MissingOutcome { participants: 1, of: 37 }));
    assert!(
        common.notices().contains(&Notice::MissingCovariate { covariate: "x".to_owned(), participants: 1 })
    );
    assert!(common.to_string().contains("treatment by trial: F = "), "{common}");
    let random = OneStageLinear::random().adjust_for(["x"]).pool(&cities).unwrap();
    assert_eq!(random.treatment("help").unwrap().df(), Some(4.0));
    assert!(random.tau2().unwrap() >= 0.0);
    let table = OneStageComparison::new("help").one_stage("common", &common).unwrap();
    assert!(table.one_stage("random", &random).unwrap().to_string().contains("points"));
}

/// Counts and one-stage models took people as independent without a word where clusters had been declared.
#[test]
fn pools_that_take_people_as_independent_say_so_where_clusters_were_declared() {
    let mut csv = String::from("city,arm,village,works,score\n");
    for city in ["A", "B", "C"] {
        for i in 0..60 {
            let arm = ["c", "t"][i % 2];
            csv += &format!("{city},{arm},{city}{},{},{}\n", i / 4, u8::from(i * 7 % 5 == 0), i * 13 % 17);
        }
    }
    let builder =
        || Trials::builder(Table::from_csv_str(&csv).unwrap(), "city").arm_labels("arm").control("c");
    let (clustered, plain) = (builder().clusters("village").build().unwrap(), builder().build().unwrap());
    let notices = |trials: &Trials| {
        let works = trials.on(&Measure::binary("works")).unwrap();
        let score = trials.on(&Measure::continuous("score")).unwrap();
        [
            armwise::pool::MantelHaenszel::new(LogOddsRatio).pool(&works, "t").unwrap().notices().to_vec(),
            armwise::pool::Peto::new().pool(&works, "t").unwrap().notices().to_vec(),
            OneStageLogistic::common().pool(&works).unwrap().notices().to_vec(),
            OneStageLinear::common().pool(&score).unwrap().notices().to_vec(),
            OneStageLinear::random().pool(&score).unwrap().notices().to_vec(),
        ]
    };
    let ignored = Notice::ClustersIgnored { clusters: 45 };
    assert!(notices(&clustered).iter().all(|told| told.contains(&ignored)), "{:?}", notices(&clustered));
    assert!(notices(&plain).iter().all(|told| !told.contains(&ignored)));
}
