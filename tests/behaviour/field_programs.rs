//! Programs that broke an early version: each ends in the right value or in its error. The fuzzer runs the same
//! ones with a limit of time and memory (`cargo run --release -p armwise-fuzz -- programs`).

use armwise::bayes::{MuPrior, NormalMixture, NormalNormal, Posterior, TauPrior};
use armwise::categorical::OneWay;
use armwise::distribution::{Beta, ChiSquared, FisherF, StudentT, StudentizedRange};
use armwise::effect_size::Contrasts;
use armwise::mean::{MeansVariance, Sample, TwoMeans};
use armwise::meta_analysis::{Tau2, Test};
use armwise::ndarray::ArrayView1;
use armwise::prelude::*;
use armwise::proportion::{HomogeneityTest, Proportion, StratifiedProportions, Stratum, TwoProportions};
use armwise::regression::{
    Category, Family, Fitted as _, Glm, Link, MarginalVariance, ModelMatrix, VarianceType,
};
use serde_json::{Value, json};
use std::fmt::{Debug, Write as _};

/// The programs by the names of their files.
pub(crate) const PROGRAMS: [(&str, fn()); 9] = [
    ("adjust_for_id", adjust_for_id),
    ("bayes_prior_conflict", bayes_prior_conflict),
    ("csv_formula", csv_formula),
    ("distribution_extremes", distribution_extremes),
    ("exact_tests_linear_in_n", exact_tests_linear_in_n),
    ("hodges_lehmann_memory", hodges_lehmann_memory),
    ("identity_link_nan", identity_link_nan),
    ("json_unchecked", json_unchecked),
    ("nan_from_overflow", nan_from_overflow),
];

#[test]
fn every_program_gives_a_value_or_its_error() {
    for (_, program) in PROGRAMS {
        program();
    }
}

/// A result that says no NaN, or an error that is a sentence.
#[track_caller]
fn sound<T: Debug, E: std::fmt::Display>(result: Result<T, E>) -> Option<T> {
    match result {
        Ok(value) => {
            assert!(!format!("{value:?}").contains("NaN"), "{value:?}");
            Some(value)
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(' ') && !text.contains("NaN"), "{text}");
            None
        }
    }
}

fn cities(arms: impl Fn(u64) -> Vec<(&'static str, u64, u64)>, trials: u64) -> Comparisons<Binary> {
    let works = Measure::binary("works").higher_is_better();
    let city = |i: u64| Comparison::from_counts(format!("city {i}"), &works, arms(i)).unwrap();
    Comparisons::new((0..trials).map(city)).unwrap()
}

fn adjust_for_id() {
    let n = 10_000;
    let mut text = String::from("arm,person,y\n");
    for i in 0..n {
        writeln!(text, "{},p{i},{}", ["control", "guidance"][i % 2], i / 3 % 2).unwrap();
    }
    let table = Table::from_csv_str(&text).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("control").build().unwrap();
    let comparison = trial.on(&Measure::binary("y")).unwrap();
    let error = comparison.estimate(&LinearRegression::new().adjust_for(["person"])).unwrap_err();
    assert!(error.to_string().contains("identifiers"), "{error}");
}

fn bayes_prior_conflict() {
    let priors = [
        (-10.0, 0.17),
        (-30.0, 0.17),
        (-50.0, 0.17),
        (-100.0, 0.17),
        (-1000.0, 0.17),
        (5.0, 0.1),
        (10.0, 0.05),
    ];
    for (mean, sd) in priors {
        let model =
            NormalNormal::new(TauPrior::Uniform { upper: 0.5 }).mu_prior(MuPrior::Normal { mean, sd });
        if let Some(posterior) = sound(model.posterior(&[-1.0, 0.001], &[0.027, 0.131])) {
            let (mu, tau) = (posterior.mu().median(), posterior.tau().median());
            assert!(mu.is_finite() && (0.0..=0.5).contains(&tau), "{mean} {sd}: {mu} {tau}");
            let (cdf, pdf) = (posterior.tau().cdf(0.38), posterior.tau().pdf(0.38));
            assert!((0.0..=1.0).contains(&cdf) && pdf.is_finite() && pdf >= 0.0, "{mean} {sd}: {cdf} {pdf}");
        }
    }
    let arms = |i| vec![("control", 100 + i, 1000), ("guidance", 150 + 2 * i, 900)];
    let effects = cities(arms, 3).estimate(&DifferenceInProportions::new()).unwrap();
    let one = effects.treatment("guidance").unwrap();
    for (mean, sd) in [(5.0, 0.1), (5.0, 0.02), (5.0, 2.0), (50.0, 1.0)] {
        let model = BayesianRandomEffects::new().tau_prior(TauPrior::Uniform { upper: 0.2 });
        if let Some(pooled) = sound(model.mu_prior(MuPrior::Normal { mean, sd }).pool(&one)) {
            assert!(
                pooled.posterior.mu().median().is_finite() && pooled.posterior.tau().median().is_finite(),
                "{pooled}"
            );
            sound(pooled.probability_of_benefit(armwise::bayes::EffectOf::Mean));
        }
    }
}

fn csv_formula() {
    let arms = [("=HYPERLINK(\"http://x\")", 10, 100), ("@SUM(A1)", 15, 100), ("a\u{0}b\u{1b}[31m", 3, 50)];
    let comparison = Comparison::from_counts("+1", &Measure::binary("works"), arms).unwrap();
    let mut report = Report::new("=1+1");
    report.push(&comparison.estimate(&DifferenceInProportions::new()).unwrap());
    let csv = report.to_csv();
    for cell in csv.split([',', '\n']).map(|cell| cell.trim_matches('"')) {
        assert!(!cell.starts_with(['=', '@', '+', '\t']) || cell.parse::<f64>().is_ok(), "{cell:?} in {csv}");
    }
    assert!(!csv.contains(['\u{0}', '\u{1b}']), "{csv:?}");
    let mut report = Report::new("x");
    report.heading("<script>alert(1)</script>").paragraph("[x](javascript:alert(1))");
    let markdown = report.to_markdown();
    assert!(!markdown.contains("<script>") && !markdown.contains("\n[x](java"), "{markdown}");
}

/// The median, and its probability.
macro_rules! halves {
    ($d:expr) => {
        if let Some(d) = sound($d) {
            let median = d.quantile(0.5);
            let unit = d.cdf(median * (1.0 + 4e-16)) - d.cdf(median * (1.0 - 4e-16));
            assert!((d.cdf(median) - 0.5).abs() <= 1e-9 + unit, "{d:?}: {median:e} {}", d.cdf(median));
            assert!(d.cdf(140.0) >= d.cdf(1.3) && d.sf(4.8) <= d.sf(1.0), "{d:?}");
        }
    };
}

fn distribution_extremes() {
    for df2 in [1e140, 1e160, 1e200, 1e300, f64::MAX, f64::INFINITY] {
        halves!(FisherF::new(68.0, df2));
    }
    for df1 in [1e8, 1e12, 1e15, 1e17, 1e20, 1e24, 1e27, 1e29, f64::INFINITY] {
        halves!(FisherF::new(df1, 50.0));
    }
    halves!(FisherF::new(4.13e16, 3.79e-9));
    halves!(StudentT::new(f64::MAX));
    halves!(StudentT::new(1e-310));
    halves!(ChiSquared::new(5e-324));
    halves!(ChiSquared::new(3e-21));
    halves!(Beta::new(8818.0, 1.7e174));
    let range = StudentizedRange::new(65, 28.0).unwrap();
    let q = range.quantile(1e-223);
    assert!((range.ln_cdf(q) / 1e-223_f64.ln() - 1.0).abs() < 1e-9, "{q}");
}

fn exact_tests_linear_in_n() {
    for power in [20, 24, 28] {
        let n = 1_u64 << power;
        let p = Proportion::new(n - 1, n).unwrap();
        if let Some(test) = sound(p.binomial_test(0.5)) {
            assert_eq!((test.less, test.greater, test.two_sided), (1.0, 0.0, 0.0));
        }
        let two = TwoProportions::new(Proportion::new(1, n).unwrap(), p);
        let test = two.fisher_test();
        assert_eq!((test.less, test.greater, test.two_sided), (0.0, 1.0, 0.0), "2^{power}");
    }
}

fn hodges_lehmann_memory() {
    let n = 20_000;
    let values = |step: f64| (0..n).map(|i| (f64::from(i) * step).fract()).collect::<Vec<f64>>();
    let shift = armwise::rank::RankSum::new(&values(0.618), &values(0.414)).unwrap().hodges_lehmann();
    assert!(shift.abs() < 1e-3, "{shift}");
}

fn identity_link_nan() {
    let (y, arm) = ([0., 1., 1., 0., 1., 0., 0., 0.], [0_u32, 0, 0, 1, 1, 2, 2, 2]);
    let arms = Category::new(&arm, ["a", "b", "c"]);
    let matrix = ModelMatrix::new(8).intercept().unwrap().category("arm", arms).unwrap();
    for family in [Family::Binomial, Family::Poisson] {
        let Some(fit) = sound(Glm::new(family).link(Link::Identity).fit(&matrix, ArrayView1::from(&y)))
        else {
            continue;
        };
        sound(fit.covariance(VarianceType::Hc0));
        sound(fit.standardize("arm").unwrap().covariance(MarginalVariance::Superpopulation));
        sound(fit.table(VarianceType::Hc0, 0.95));
    }
}

/// Each change of a valid result is refused.
fn refused<T: serde::de::DeserializeOwned>(valid: &impl serde::Serialize, changes: &[(&str, Value)]) {
    let valid = serde_json::to_value(valid).unwrap();
    for (pointer, wrong) in changes {
        let mut value = valid.clone();
        *value.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}")) = wrong.clone();
        assert!(serde_json::from_value::<T>(value).is_err(), "{pointer} = {wrong} was read");
    }
}

fn json_unchecked() {
    let arms = |i| vec![("control", 10 + i, 100), ("guidance", 15 + 2 * i, 90), ("exemption", 12, 80 + i)];
    let cities = cities(arms, 5);
    let effects = cities.estimate(&DifferenceInProportions::new()).unwrap();
    let one = effects.treatment("guidance").unwrap();
    refused::<armwise::pool::PooledSideBySide<RiskDifference>>(
        &SideBySide::new().pool(&one).unwrap(),
        &[
            ("/rows/0/inference/p_value", json!(-1)),
            ("/rows/0/inference/value", json!(0.7)),
            ("/rows/0/inference/se", json!(-1.0)),
            ("/rows/0/inference/df", json!(-3.0)),
        ],
    );
    refused::<armwise::pool::NetworkPooled<RiskDifference>>(
        &NetworkMetaAnalysis::random().pool(&effects).unwrap(),
        &[
            ("/comparisons/0/inference/p_value", json!(7)),
            ("/comparisons/0/inference/se", json!(-1.0)),
            ("/comparisons/0/inference/value", json!(0.9)),
            ("/pool/model/level", json!(1e308)),
            ("/pool/model/q/p_value", json!(7)),
            ("/pool/p_scores/0", json!(-4)),
        ],
    );
    let slope = MetaRegression::new().number("x", (0..5).map(|i| (format!("city {i}"), f64::from(i * i))));
    refused::<armwise::pool::PooledRegression<RiskDifference>>(
        &slope.fit(&one).unwrap(),
        &[
            ("/fit/coefficients/0/p_value", json!(-1)),
            ("/fit/coefficients/0/se", json!(-1.0)),
            ("/fit/coefficients/0/df", json!(-1.0)),
            ("/fit/level", json!(2.0)),
            ("/fit/tau2", json!(-1.0)),
        ],
    );
    refused::<armwise::pool::Refits<RiskDifference>>(
        &RandomEffects::new().sensitivity(&one).unwrap().leave_one_out().unwrap(),
        &[
            ("/rows/0/summary/level", json!(-1)),
            ("/rows/0/summary/p_value", json!(7)),
            ("/rows/0/summary/tau2", json!(-1.0)),
            ("/rows/0/summary/se", json!(-1.0)),
            ("/rows/0/summary/k", json!(99)),
        ],
    );
    refused::<armwise::pool::PooledCounts<RiskDifference>>(
        &MantelHaenszel::new(RiskDifference).pool(&cities, "guidance").unwrap(),
        &[
            ("/summary/i2", json!(-1)),
            ("/summary/q/p_value", json!(7)),
            ("/summary/se", json!(-1.0)),
            ("/summary/p_value", json!(7)),
            ("/summary/estimate", json!(0.9)),
        ],
    );
    let halves = Subgroups::by("half", (0..5).map(|i| (format!("city {i}"), ["even", "odd"][i % 2])));
    refused::<armwise::pool::PooledSubgroups<RiskDifference>>(
        &halves.pool(&one).unwrap(),
        &[("/groups/0/inference/value", json!(0.9)), ("/between/p_value", json!(-1))],
    );
    refused::<JointlyPooled<RiskDifference>>(
        &JointModel::random().pool(&effects).unwrap(),
        &[
            ("/model/q/p_value", json!(7)),
            ("/model/se_tau2", json!(-1.0)),
            ("/model/typical_variance", json!(-1.0)),
            ("/model/tau2", json!(1e300)),
        ],
    );
    for text in [
        r#"{"components":[{"weight":-1,"mean":0,"sd":-1}],"mean":null,"sd":-1}"#,
        r#"{"components":[],"mean":null,"sd":null}"#,
    ] {
        assert!(serde_json::from_str::<NormalMixture>(text).is_err(), "{text}");
    }
    let model = NormalNormal::new(TauPrior::HalfNormal { scale: 0.5 });
    refused::<Posterior>(
        &model.posterior(&[0.1, 0.3, 0.2], &[0.01, 0.02, 0.01]).unwrap(),
        &[("/vi/0", json!(-1.0)), ("/vi", json!([])), ("/yi/0", json!(null))],
    );
    let contrasts = r#"{"estimates":[0.1,0.5],"covariance":[[0.5,0.4]]}"#;
    assert!(serde_json::from_str::<Contrasts>(contrasts).is_err());
}

fn nan_from_overflow() {
    let random = || armwise::meta_analysis::RandomEffects::new().test(Test::Normal);
    sound(random().given_weights([1e200, 1e200]).pool(&[0.1, 0.3], &[1.0, 1.0])).unwrap();
    for w in [1e60, 1e80, 1e94, 1e110] {
        let pool = random().tau2(Tau2::GeneralizedQ).moment_weights([w, 2.0 * w]);
        sound(pool.pool(&[1.9, -0.8], &[0.9, 4.9]));
    }
    let sample = |n, mean, sd| Sample { n, mean, sd };
    for sd in [1e-80, 1e-85, 1e-160, 1e-170] {
        let two = TwoMeans::new(sample(4, 0.0, sd), sample(14, -1.0, sd / 2.0)).unwrap();
        let difference = two.difference(MeansVariance::Welch);
        assert!(difference.se.is_finite() && difference.df.is_none_or(f64::is_finite), "{difference:?}");
        sound(difference.interval(0.95));
    }
    let ratio = TwoMeans::new(sample(16, -1.0, 1.0), sample(13, 1.0, -0.0)).unwrap().log_variability_ratio();
    assert!(!format!("{ratio:?}").contains("NaN"), "{ratio:?}");
    let tiny = TwoMeans::new(sample(10, 0.0, 5e-324), sample(10, 0.0, 0.0)).unwrap().standardized();
    assert!(!format!("{tiny:?}").contains("NaN"), "{tiny:?}");
    let stratum = |treatment_events, treatment_n, control_events, control_n| Stratum {
        treatment_events,
        treatment_n,
        control_events,
        control_n,
    };
    let n = 26_946_862_103_636_424;
    let wide =
        [stratum(n, n, 839_533_138, 1_000_000_000), stratum(3, 274_877_906_944, 0, 670), stratum(2, 3, 1, 1)];
    let whole = [stratum(4, u64::MAX, 0, 1), stratum(3, 4, 2, 3)];
    for strata in [wide.to_vec(), whole.to_vec()] {
        if let Some(strata) = sound(StratifiedProportions::new(strata)) {
            sound(strata.homogeneity_test(HomogeneityTest::BreslowDay));
        }
    }
    let values = [-3.5, -11.9, -29.7, -9.0, -6.1, 1.8, -31.6, 11.1].map(|v| v * 1e-157);
    let one = OneWay::new(&values, &[0, 0, 0, 0, 1, 1, 1, 1]).unwrap();
    sound(one.anova());
    sound(one.welch());
}
