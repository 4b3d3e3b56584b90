use crate::survival_data::{Made, near};
use armwise::ndarray::{Array1, Array2};
use armwise::regression::{Fitted, Link, ModelMatrix};
use armwise::survival::{
    AcceleratedFailureTime, AdjustedLogRank, CensoringTies, Cox, CoxVariance, DiscreteTime, FineGray,
    FineGrayVariance, LogRank, LogRankWeight, PersonPeriods, PseudoLink, PseudoRegression, PseudoValue,
    RestrictedMeanLink, RestrictedMeanRegression, SurvivalData, SurvivalQuantity, Ties, TimeDistribution,
    pseudo_values,
};

fn model(x: &Array2<f64>) -> ModelMatrix<'_> {
    ModelMatrix::from_columns(["group", "x"], x.view()).expect("a matrix")
}

fn same(a: &Array1<f64>, b: &Array1<f64>, tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| near(*a, *b, tolerance))
}

#[test]
fn subdistribution_hazards_without_competing_causes_are_hazards() {
    let made = Made::new(70, 4, true);
    let cause: Vec<u32> = made.cause.iter().map(|cause| u32::from(*cause != 0)).collect();
    let data = SurvivalData::new(&made.time, &cause).expect("data");
    let cox = Cox::new().ties(Ties::Breslow).fit(&data, &model(&made.x)).expect("a fit");
    for ties in [CensoringTies::EventsFirst, CensoringTies::Together] {
        let fit = FineGray::new(1).censoring_ties(ties).fit(&data, &model(&made.x)).expect("a fit");
        assert!(same(&fit.estimates(), &cox.estimates(), 1e-10));
        let (own, other) = (
            fit.covariance(FineGrayVariance::Robust).expect("a covariance"),
            cox.covariance(CoxVariance::Robust).expect("a covariance"),
        );
        assert!(own.iter().zip(&other).all(|(a, b)| near(*a, *b, 1e-10)));
        // Nobody has a weight that is estimated.
        let whole = fit.covariance(FineGrayVariance::FineGray).expect("a covariance");
        assert!(own.iter().zip(&whole).all(|(a, b)| near(*a, *b, 1e-12)));
    }
}

#[test]
fn without_censoring_competing_exits_stay_at_risk_for_ever() {
    let made = Made::new(70, 6, true);
    let cause: Vec<u32> = (0..70).map(|i| 1 + u32::from(i % 3 == 0)).collect();
    let data = SurvivalData::new(&made.time, &cause).expect("data");
    let fit = FineGray::new(1).fit(&data, &model(&made.x)).expect("a fit");
    let time: Vec<f64> = (0..70).map(|i| if cause[i] == 2 { 1000.0 } else { made.time[i] }).collect();
    let event: Vec<u32> = cause.iter().map(|cause| u32::from(*cause == 1)).collect();
    let ever = SurvivalData::new(&time, &event).expect("data");
    let cox = Cox::new().ties(Ties::Breslow).fit(&ever, &model(&made.x)).expect("a fit");
    assert!(same(&fit.estimates(), &cox.estimates(), 1e-10));
    assert!(near(
        fit.log_likelihood().expect("a likelihood"),
        cox.log_likelihood().expect("a likelihood"),
        1e-12
    ));
    let word = |error: armwise::Error| error.kind().name();
    assert_eq!(word(FineGray::new(3).fit(&data, &model(&made.x)).unwrap_err()), "no_events");
    let only = |cause: &u32| if *cause == 1 { 0 } else { *cause };
    let missing: Vec<u32> =
        (0..70).map(|i| if made.group[i] == 1 { only(&cause[i]) } else { cause[i] }).collect();
    let data = SurvivalData::new(&made.time, &missing).expect("data");
    let error = FineGray::new(1).fit(&data, &model(&made.x)).unwrap_err();
    assert!(
        word(error.clone()) == "separation" && error.to_string().contains("group (to -infinity)"),
        "{error}"
    );
}

#[test]
fn discrete_hazards_approach_cox_as_periods_shrink() {
    let made = Made::new(1500, 14, false);
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    let cox = Cox::new().fit(&data, &model(&made.x)).expect("a fit").estimates();
    let distance = |length: f64| {
        let method = DiscreteTime::new(length).link(Link::ComplementaryLogLog);
        let fit = method.fit(&data, &model(&made.x)).expect("a fit");
        (&fit.coefficients() - &cox).mapv(f64::abs).sum()
    };
    let (coarse, fine) = (distance(8.0), distance(0.5));
    assert!(fine < 0.02 && fine < 0.25 * coarse, "{coarse} {fine}");
}

#[test]
fn discrete_risks_of_one_group_are_its_life_table() {
    let made = Made::new(80, 15, true);
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    let none = ModelMatrix::new(80);
    let fit = DiscreteTime::new(1.0).fit(&data, &none).expect("a fit");
    let people = Array2::<f64>::zeros((80, 0));
    let risks = fit.standardized_risks(&[people.view()], 10).expect("risks");
    let curve = armwise::survival::KaplanMeier::new(&data).expect("a curve");
    let point = curve.at(10.0).expect("a point");
    // The product of one minus the share with the event, and Greenwood's variance of it.
    assert!(near(risks.risks[0], 1.0 - point.survival, 1e-9));
    assert!(near(risks.covariance[[0, 0]].sqrt(), point.se.expect("an error"), 1e-7));
    let periods = PersonPeriods::new(&data, 1.0).expect("periods");
    assert_eq!(periods.event.iter().map(|event| usize::from(*event)).sum::<usize>(), data.events());
    assert_eq!(periods.person.len() as f64, made.time.iter().sum::<f64>());
    assert!(fit.standardized_risks(&[people.view()], 99).is_err() && PersonPeriods::new(&data, 0.0).is_err());
}

#[test]
fn accelerated_times_scale() {
    let made = Made::new(80, 18, false);
    let x = Array2::from_shape_fn((80, 3), |(i, j)| if j == 0 { 1.0 } else { made.x[[i, j - 1]] });
    let matrix = ModelMatrix::from_columns(["intercept", "group", "x"], x.view()).expect("a matrix");
    let days: Vec<f64> = made.time.iter().map(|time| time * 30.0).collect();
    for distribution in [
        TimeDistribution::Exponential,
        TimeDistribution::Weibull,
        TimeDistribution::LogNormal,
        TimeDistribution::LogLogistic,
    ] {
        let method = AcceleratedFailureTime::new(distribution);
        let data = SurvivalData::new(&made.time, &made.cause).expect("data");
        let fit = method.fit(&data, &matrix).expect("a fit");
        let other = SurvivalData::new(&days, &made.cause).expect("data");
        let other = method.fit(&other, &matrix).expect("a fit");
        let (a, b) = (fit.coefficients(), other.coefficients());
        assert!(near(b[0] - a[0], 30.0_f64.ln(), 1e-9) && near(a[1], b[1], 1e-9) && near(a[2], b[2], 1e-9));
        assert!(near(fit.scale, other.scale, 1e-9), "{distribution}");
        let lost = data.events() as f64 * 30.0_f64.ln();
        let of =
            |fit: &armwise::survival::AcceleratedFailureTimeFit| fit.log_likelihood().expect("a likelihood");
        assert!(near(of(&fit) - lost, of(&other), 1e-10));
        let text = serde_json::to_string(&fit).expect("text");
        assert_eq!(
            serde_json::from_str::<armwise::survival::AcceleratedFailureTimeFit>(&text).expect("a fit"),
            fit
        );
    }
    // Exponential times without covariates: the total time over the events.
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    let alone = ModelMatrix::new(80).intercept().expect("a matrix");
    let fit = AcceleratedFailureTime::new(TimeDistribution::Exponential).fit(&data, &alone).expect("a fit");
    let mean = made.time.iter().sum::<f64>() / data.events() as f64;
    assert!(near(fit.coefficients()[0].exp(), mean, 1e-11));
    assert!(near(fit.covariance(()).expect("a covariance")[[0, 0]], 1.0 / data.events() as f64, 1e-11));
    // An arm without events.
    let cause: Vec<u32> = (0..80).map(|i| if made.group[i] == 1 { 0 } else { made.cause[i] }).collect();
    let data = SurvivalData::new(&made.time, &cause).expect("data");
    let error = AcceleratedFailureTime::new(TimeDistribution::Weibull).fit(&data, &matrix).unwrap_err();
    assert!(error.to_string().contains("group (to +infinity)"), "{error}");
    let zero = SurvivalData::new(&[0.0, 1.0], &[1, 1]).expect("data");
    let alone = ModelMatrix::new(2).intercept().expect("a matrix");
    let error = AcceleratedFailureTime::new(TimeDistribution::Weibull).fit(&zero, &alone).unwrap_err();
    assert_eq!((error.kind().name(), error.place().row), ("invalid_input", Some(1)));
}

#[test]
fn an_adjusted_test_without_covariates_is_the_log_rank_test() {
    let made = Made::new(90, 22, true);
    let strata: Vec<u32> = (0..90).map(|i| i % 2).collect();
    let data = SurvivalData::new(&made.time, &made.cause).expect("data").strata(&strata).expect("strata");
    let plain = LogRank::new(&data, &made.group, LogRankWeight::LogRank).expect("a test");
    let test = AdjustedLogRank::new(&data, &made.group, &ModelMatrix::new(90)).expect("a test");
    assert!(near(test.test.statistic, plain.signed().expect("a sign").statistic, 1e-11));
    assert!(test.adjusted_test == test.test && near(test.adjusted_se, test.se, 1e-9));
    let group = ModelMatrix::new(90).numeric("group", made.x.column(0)).expect("a matrix");
    let cox = Cox::new().ties(Ties::Breslow).fit(&data, &group).expect("a fit");
    assert!(near(test.log_hazard_ratio, cox.coefficients()[0], 1e-10));
    assert!(near(test.se, cox.covariance(CoxVariance::Model).expect("a covariance")[[0, 0]].sqrt(), 1e-9));
    // With one it takes variance away, and the order of rows does not matter.
    let x = ModelMatrix::new(90).numeric("x", made.x.column(1)).expect("a matrix");
    let adjusted = AdjustedLogRank::new(&data, &made.group, &x).expect("a test");
    assert!(adjusted.adjusted_variance < adjusted.variance);
    assert!(adjusted.adjusted_se_unadjusted_plugin <= adjusted.se);
    let other = made.reversed();
    let turned: Vec<u32> = strata.iter().rev().copied().collect();
    let data = SurvivalData::new(&other.time, &other.cause).expect("data").strata(&turned).expect("strata");
    let x = ModelMatrix::new(90).numeric("x", other.x.column(1)).expect("a matrix");
    let again = AdjustedLogRank::new(&data, &other.group, &x).expect("a test");
    assert!(near(again.adjusted_log_hazard_ratio, adjusted.adjusted_log_hazard_ratio, 1e-10));
}

#[test]
fn regressions_without_censoring_are_of_shares_and_means() {
    let made = Made::new(100, 25, true);
    let cause: Vec<u32> = (0..100).map(|i| 1 + u32::from(i % 4 == 0)).collect();
    let data = SurvivalData::new(&made.time, &cause).expect("data");
    let (at, arm) = (6.0, made.x.column(0));
    let wanted = SurvivalQuantity::CumulativeIncidence { cause: 1, at };
    let values = pseudo_values(&data, wanted, PseudoValue::Jackknife).expect("values");
    let values = Array2::from_shape_vec((100, 1), values).expect("a column");
    let share = |group: u32| {
        let members: Vec<usize> = (0..100).filter(|i| made.group[*i] == group).collect();
        let had = members.iter().filter(|i| cause[**i] == 1 && made.time[**i] <= at).count() as f64;
        (had / members.len() as f64, members.len() as f64)
    };
    let ((p1, n1), (p0, n0)) = (share(1), share(0));
    let matrix = ModelMatrix::new(100).numeric("arm", arm).expect("a matrix");
    let fit = PseudoRegression::new().fit(values.view(), &matrix).expect("a fit");
    assert!(near(fit.estimates()[1], p1 - p0, 1e-11));
    let variance = p1 * (1.0 - p1) / n1 + p0 * (1.0 - p0) / n0;
    assert!(near(fit.covariance(()).expect("a covariance")[[1, 1]], variance, 1e-10));
    let ratio = PseudoRegression::new().link(PseudoLink::Log).fit(values.view(), &matrix).expect("a fit");
    assert!(near(ratio.estimates()[1], (p1 / p0).ln(), 1e-8));

    let cut: Vec<f64> = made.time.iter().map(|time| time.min(at)).collect();
    let mean = |group: u32| {
        let own: Vec<f64> = (0..100).filter(|i| made.group[*i] == group).map(|i| cut[i]).collect();
        own.iter().sum::<f64>() / own.len() as f64
    };
    let matrix = ModelMatrix::new(100).intercept().expect("a matrix").numeric("arm", arm).expect("a matrix");
    let method = RestrictedMeanRegression::until(at);
    let fit = method.fit(&data, &made.group, &matrix).expect("a fit");
    assert!(near(fit.estimates()[1], mean(1) - mean(0), 1e-12) && fit.weight_sum == 100.0);
    let ratio = method.link(RestrictedMeanLink::Log).fit(&data, &made.group, &matrix).expect("a fit");
    assert!(near(ratio.estimates()[1], (mean(1) / mean(0)).ln(), 1e-10));
    let none: Vec<u32> = vec![0; 100];
    let censored = SurvivalData::new(&made.time, &none).expect("data");
    let error = RestrictedMeanRegression::until(500.0).fit(&censored, &made.group, &matrix).unwrap_err();
    assert_eq!(error.kind().name(), "not_estimable");
}

/// A level for each of 365 days over 5,000 people took minutes.
#[test]
fn hazards_of_each_day_of_a_year_are_refused_at_once() {
    let time: Vec<f64> = (0..5000).map(|i| f64::from(1 + i * 37 % 365)).collect();
    let event: Vec<u32> = (0..5000).map(|i| u32::from(i % 3 == 0)).collect();
    let x = Array2::from_shape_fn((5000, 2), |(i, j)| (i * 7 % (11 + 2 * j)) as f64);
    let data = SurvivalData::new(&time, &event).expect("data");
    let error = DiscreteTime::new(1.0).fit(&data, &model(&x)).unwrap_err().to_string();
    assert!(error.contains("take longer periods, such as months for days"), "{error}");
    assert!(DiscreteTime::new(30.0).fit(&data, &model(&x)).is_ok());
}

/// Everybody of a group had the event while others remained: a groundless doubt of the strata.
#[test]
fn a_test_of_gray_without_variance_says_why() {
    let data = SurvivalData::new(&[1.0, 2.0, 3.0, 4.0, 1.0, 1.0, 2.0, 2.0], &[1; 8]).expect("data");
    let error =
        armwise::survival::GrayTest::new(&data, &[0, 0, 0, 0, 1, 1, 1, 1], 1).unwrap_err().to_string();
    assert!(error.contains("take the log-rank test"), "{error}");
}
