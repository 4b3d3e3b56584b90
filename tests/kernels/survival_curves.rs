use crate::survival_data::{Made, freireich, near};
use armwise::survival::{
    AalenJohansen, CurveInterval, GrayTest, HazardInterval, KaplanMeier, LogRank, LogRankWeight, PseudoValue,
    SurvivalData, SurvivalQuantity, pseudo_values,
};

fn quantities(at: f64) -> [SurvivalQuantity; 5] {
    [
        SurvivalQuantity::Survival { at },
        SurvivalQuantity::CumulativeIncidence { cause: 1, at },
        SurvivalQuantity::CumulativeIncidence { cause: 2, at },
        SurvivalQuantity::RestrictedMean { until: at },
        SurvivalQuantity::TimeLost { cause: 2, until: at },
    ]
}

#[test]
fn freireich_as_printed() {
    // Kleinbaum & Klein (2012), Survival Analysis, chapters 2 and 3: the curve of 6-MP, medians, and the log-rank
    // test 16.79.
    let (time, cause, group) = freireich();
    let data = SurvivalData::new(&time, &cause).expect("data");
    let test = LogRank::new(&data, &group, LogRankWeight::LogRank).expect("a test");
    assert!((test.test.statistic - 16.79).abs() < 0.005);
    let curves = KaplanMeier::by_stratum(&data.strata(&group).expect("strata")).expect("curves");
    let printed = [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482];
    assert_eq!(curves[0].points.len(), printed.len());
    for (point, printed) in curves[0].points.iter().zip(printed) {
        assert!((point.survival - printed).abs() < 5.1e-5, "{point:?}");
    }
    let median =
        |curve: &KaplanMeier| curve.quantile(0.5, CurveInterval::LogLog, 0.95).expect("a median").estimate;
    assert_eq!((median(&curves[0]), median(&curves[1])), (Some(23.0), Some(8.0)));
}

#[test]
fn incidences_and_survival_add_up() {
    for seed in 0..20 {
        let made = Made::new(40, seed, seed % 2 == 0);
        let data = SurvivalData::new(&made.time, &made.cause).expect("data");
        let curves = AalenJohansen::new(&data).expect("curves");
        let until = 12.0;
        let found = curves.estimate(&quantities(until)).expect("estimates");
        let v = &found.values;
        assert!(near(v[0] + v[1] + v[2], 1.0, 1e-13));
        let lost =
            curves.estimate(&[SurvivalQuantity::TimeLost { cause: 1, until }]).expect("a value").values[0];
        assert!(near(v[3] + v[4] + lost, until, 1e-13));
        // Two ways to one covariance.
        let jackknife = curves.infinitesimal_jackknife(&data, &quantities(until)).expect("estimates");
        for (a, b) in found.covariance.iter().zip(&jackknife.covariance) {
            assert!(near(*a, *b, 1e-12), "{a} {b}");
        }
        // Any event: one minus the sum of the incidences is Kaplan and Meier's curve.
        let all = KaplanMeier::new(&data).expect("a curve");
        let point = all.at(until).expect("a point");
        assert!(near(point.survival, v[0], 1e-13) && near(point.se.expect("an error"), found.se()[0], 1e-12));
        let mean = all.restricted_mean(until).expect("a mean");
        assert!(near(mean.value, v[3], 1e-13) && near(mean.se, found.se()[3], 1e-12));
    }
}

#[test]
fn without_competing_causes_incidence_is_one_minus_kaplan_meier() {
    let made = Made::new(60, 3, true);
    let cause: Vec<u32> = made.cause.iter().map(|cause| u32::from(*cause == 1)).collect();
    let alone = SurvivalData::new(&made.time, &cause).expect("data");
    let censored =
        SurvivalData::new(&made.time, &made.cause).expect("data").censoring_other_causes(1).expect("a cause");
    let (one, other) =
        (KaplanMeier::new(&alone).expect("a curve"), KaplanMeier::new(&censored).expect("a curve"));
    assert_eq!(one, other);
    let curves = AalenJohansen::new(&alone).expect("curves");
    for point in &one.points {
        assert!(near(curves.at(point.time).expect("a point")[1], 1.0 - point.survival, 1e-13));
    }
    assert_eq!(AalenJohansen::new(&censored).unwrap_err().kind().name(), "invalid_input");
}

#[test]
fn without_censoring_curves_are_shares_and_means() {
    let made = Made::new(80, 5, true);
    let cause = vec![1; 80];
    let data = SurvivalData::new(&made.time, &cause).expect("data");
    let curve = KaplanMeier::new(&data).expect("a curve");
    for at in [1.0, 4.0, 9.0] {
        let share = made.time.iter().filter(|time| **time > at).count() as f64 / 80.0;
        let point = curve.at(at).expect("a point");
        assert!(near(point.survival, share, 1e-13));
        assert!(near(point.se.expect("an error"), (share * (1.0 - share) / 80.0).sqrt(), 1e-12));
        let cut: Vec<f64> = made.time.iter().map(|time| time.min(at)).collect();
        let mean = cut.iter().sum::<f64>() / 80.0;
        let squares = cut.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / 80.0;
        let found = curve.restricted_mean(at).expect("a mean");
        assert!(near(found.value, mean, 1e-13) && near(found.se, (squares / 80.0).sqrt(), 1e-12));
        for (i, value) in pseudo_values(&data, SurvivalQuantity::Survival { at }, PseudoValue::Jackknife)
            .expect("values")
            .iter()
            .enumerate()
        {
            assert!(near(*value, f64::from(u8::from(made.time[i] > at)), 1e-11));
        }
    }
}

#[test]
fn pseudo_values_are_those_of_leaving_rows_out() {
    for seed in 0..6 {
        let made = Made::new(25, 100 + seed, true);
        let data = SurvivalData::new(&made.time, &made.cause).expect("data");
        let curves = AalenJohansen::new(&data).expect("curves");
        for quantity in quantities(9.0) {
            let values = pseudo_values(&data, quantity, PseudoValue::Jackknife).expect("values");
            let theta = curves.estimate(&[quantity]).expect("a value").values[0];
            for (i, value) in values.iter().enumerate() {
                let keep = |row: &usize| *row != i;
                let time: Vec<f64> = (0..25).filter(keep).map(|row| made.time[row]).collect();
                let cause: Vec<u32> = (0..25).filter(keep).map(|row| made.cause[row]).collect();
                let rest = SurvivalData::new(&time, &cause).expect("data");
                let without =
                    AalenJohansen::new(&rest).expect("curves").estimate(&[quantity]).expect("a value");
                let brute = 25.0 * theta - 24.0 * without.values[0];
                assert!(near(*value, brute, 1e-11), "{quantity:?} {i}: {value} {brute}");
            }
        }
        // The mean of the infinitesimal ones is the estimate itself.
        let quantity = quantities(9.0)[1];
        let values = pseudo_values(&data, quantity, PseudoValue::InfinitesimalJackknife).expect("values");
        let theta = curves.estimate(&[quantity]).expect("a value").values[0];
        assert!(near(values.iter().sum::<f64>() / 25.0, theta, 1e-12));
    }
}

#[test]
fn weights_count_copies() {
    let made = Made::new(30, 8, true);
    let counts: Vec<usize> = (0..30).map(|i| 1 + i % 3).collect();
    let weights: Vec<f64> = counts.iter().map(|&count| count as f64).collect();
    let copies = |values: &[u32]| -> Vec<u32> {
        values.iter().zip(&counts).flat_map(|(value, count)| std::iter::repeat_n(*value, *count)).collect()
    };
    let time: Vec<f64> =
        made.time.iter().zip(&counts).flat_map(|(time, count)| std::iter::repeat_n(*time, *count)).collect();
    let (cause, group) = (copies(&made.cause), copies(&made.group));
    let once = SurvivalData::new(&made.time, &made.cause).expect("data").weights(&weights).expect("weights");
    let many = SurvivalData::new(&time, &cause).expect("data");
    assert_eq!(KaplanMeier::new(&once).expect("a curve"), KaplanMeier::new(&many).expect("a curve"));
    assert_eq!(AalenJohansen::new(&once).expect("curves"), AalenJohansen::new(&many).expect("curves"));
    let a = LogRank::new(&once, &made.group, LogRankWeight::TaroneWare).expect("a test");
    let b = LogRank::new(&many, &group, LogRankWeight::TaroneWare).expect("a test");
    assert!(near(a.test.statistic, b.test.statistic, 1e-12));
}

#[test]
fn order_unit_and_entry_do_not_matter() {
    for weight in [
        LogRankWeight::LogRank,
        LogRankWeight::GehanBreslow,
        LogRankWeight::PetoPeto,
        LogRankWeight::FlemingHarrington { rho: 1.0, gamma: 1.0 },
    ] {
        let made = Made::new(50, 11, true);
        let data = SurvivalData::new(&made.time, &made.cause).expect("data");
        let test = LogRank::new(&data, &made.group, weight).expect("a test").test.statistic;
        let curve = KaplanMeier::new(&data).expect("a curve");
        let gray = GrayTest::new(&data, &made.group, 1).expect("a test");
        assert!(gray.score.sum().abs() < 1e-11);

        let other = made.reversed();
        let turned = SurvivalData::new(&other.time, &other.cause).expect("data");
        assert!(near(
            LogRank::new(&turned, &other.group, weight).expect("a test").test.statistic,
            test,
            1e-11
        ));
        assert!(near(
            GrayTest::new(&turned, &other.group, 1).expect("a test").test.statistic,
            gray.test.statistic,
            1e-10
        ));
        let swapped: Vec<u32> = made.group.iter().map(|group| 1 - group).collect();
        assert!(near(LogRank::new(&data, &swapped, weight).expect("a test").test.statistic, test, 1e-11));

        // Days instead of months, and no whole numbers: sorted, not looked up.
        let days: Vec<f64> = made.time.iter().map(|time| time * 30.4).collect();
        let scaled = SurvivalData::new(&days, &made.cause).expect("data");
        assert!(near(
            LogRank::new(&scaled, &made.group, weight).expect("a test").test.statistic,
            test,
            1e-12
        ));
        let scaled = KaplanMeier::new(&scaled).expect("a curve");
        for (a, b) in curve.points.iter().zip(&scaled.points) {
            assert!(a.survival == b.survival && near(a.time * 30.4, b.time, 1e-15));
        }

        // Every row in two: until month 3, and from there on.
        let (mut time, mut cause, mut entry, mut group) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for i in 0..50 {
            let cut = made.time[i] > 3.0;
            if cut {
                time.push(3.0);
                cause.push(0);
                entry.push(-1.0);
                group.push(made.group[i]);
            }
            time.push(made.time[i]);
            cause.push(made.cause[i]);
            entry.push(if cut { 3.0 } else { -1.0 });
            group.push(made.group[i]);
        }
        let split = SurvivalData::new(&time, &cause).expect("data").entry(&entry).expect("entries");
        assert!(near(LogRank::new(&split, &group, weight).expect("a test").test.statistic, test, 1e-11));
        assert_eq!(KaplanMeier::new(&split).expect("a curve").points, curve.points);
    }
}

#[test]
fn many_distinct_times_take_the_other_way() {
    // More times than a table holds: the rows are followed in the order of their times.
    let n = 200_000;
    let time: Vec<f64> = (0..n).map(|i| f64::from((i * 7919_u32) % n) + 0.5).collect();
    let cause = vec![1; n as usize];
    let data = SurvivalData::new(&time, &cause).expect("data");
    let curve = KaplanMeier::new(&data).expect("a curve");
    assert_eq!(curve.points.len(), n as usize);
    let half = curve.at(f64::from(n / 2)).expect("a point");
    assert!(near(half.survival, 0.5, 1e-10) && half.n_risk == f64::from(n / 2) + 1.0);
    let group: Vec<u32> = (0..n).map(|i| i % 2).collect();
    let test = LogRank::new(&data, &group, LogRankWeight::LogRank).expect("a test");
    assert!(near(test.observed[0] + test.observed[1], f64::from(n), 1e-12));
    assert!(near(test.expected[0] + test.expected[1], f64::from(n), 1e-10));
}

#[test]
fn intervals_are_symmetric_on_their_scale() {
    type Scale = fn(f64) -> f64;
    let (p, se, level) = (0.37_f64, 0.06, 0.9);
    let z = armwise::distribution::Normal.upper_quantile(0.05);
    let scales: [(CurveInterval, Scale, f64); 6] = [
        (CurveInterval::Plain, |p| p, 1.0),
        (CurveInterval::Log, f64::ln, 1.0 / p),
        (CurveInterval::LogLog, |p| (-p.ln()).ln(), 1.0 / (p * p.ln())),
        (CurveInterval::ComplementaryLogLog, |p| (-(1.0 - p).ln()).ln(), -1.0 / ((1.0 - p) * (1.0 - p).ln())),
        (CurveInterval::Logit, |p| (p / (1.0 - p)).ln(), 1.0 / (p * (1.0 - p))),
        (CurveInterval::Arcsine, |p| p.sqrt().asin(), 0.5 / (p * (1.0 - p)).sqrt()),
    ];
    for (kind, scale, slope) in scales {
        let found = kind.interval(p, se, level).expect("a level").expect("an interval");
        for limit in [found.lower(), found.upper()] {
            assert!(near((scale(limit) - scale(p)).abs(), z * se * slope.abs(), 1e-12), "{kind}");
        }
        assert!(kind.interval(p, se, 1.5).is_err());
        let at_end = kind.interval(0.0, 0.0, level).expect("a level");
        assert_eq!(at_end.is_some(), matches!(kind, CurveInterval::Plain), "{kind}");
    }
    let made = Made::new(30, 4, true);
    let curve =
        KaplanMeier::new(&SurvivalData::new(&made.time, &made.cause).expect("data")).expect("a curve");
    let point = &curve.points[3];
    let (plain, log) = (
        KaplanMeier::hazard_interval(point, HazardInterval::Plain, level).expect("a level"),
        KaplanMeier::hazard_interval(point, HazardInterval::Log, level).expect("a level"),
    );
    assert!(near(plain.lower() + plain.upper(), 2.0 * point.cumulative_hazard, 1e-13));
    assert!(near(log.lower() * log.upper(), point.cumulative_hazard.powi(2), 1e-13));
}

#[test]
fn a_trend_of_two_groups_is_the_test() {
    let made = Made::new(60, 21, true);
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    let test = LogRank::new(&data, &made.group, LogRankWeight::LogRank).expect("a test");
    let trend = test.trend(&[0.0, 5.0]).expect("a trend");
    assert!(near(trend.statistic, test.signed().expect("a sign").statistic, 1e-12));
    assert!(near(trend.statistic.powi(2), test.test.statistic, 1e-12));
    assert_eq!(test.trend(&[1.0, 1.0]).unwrap_err().kind().name(), "zero_variance");
}

#[test]
fn bad_input_is_refused_in_words() {
    let word = |error: armwise::Error| error.kind().name();
    let ones = [1, 1, 1];
    assert_eq!(word(SurvivalData::new(&[], &[]).unwrap_err()), "insufficient_observations");
    let error = SurvivalData::new(&[1.0, -2.0, 3.0], &ones).unwrap_err();
    assert_eq!((word(error.clone()), error.place().row), ("invalid_input", Some(2)));
    assert_eq!(word(SurvivalData::new(&[1.0, f64::NAN, 3.0], &ones).unwrap_err()), "invalid_input");
    assert_eq!(word(SurvivalData::new(&[1.0, 2.0], &ones).unwrap_err()), "invalid_input");
    let data = SurvivalData::new(&[1.0, 2.0, 3.0], &[1, 0, 0]).expect("data");
    assert_eq!(data.clone().entry(&[0.0, 2.0, 1.0]).unwrap_err().place().row, Some(2));
    assert!(data.clone().weights(&[1.0, -1.0, 1.0]).is_err() && data.clone().weights(&[0.0; 3]).is_err());
    assert!(data.clone().strata(&[0, 0, 9]).is_err() && data.clone().censoring_other_causes(0).is_err());
    assert_eq!(word(LogRank::new(&data, &[0, 0, 0], LogRankWeight::LogRank).unwrap_err()), "empty_arm");
    let none = SurvivalData::new(&[1.0, 2.0, 3.0], &[0, 0, 0]).expect("data");
    assert_eq!(word(LogRank::new(&none, &[0, 1, 0], LogRankWeight::LogRank).unwrap_err()), "no_events");
    assert_eq!(word(GrayTest::new(&data, &[0, 1, 0], 2).unwrap_err()), "no_events");
    let powers = LogRankWeight::FlemingHarrington { rho: -1.0, gamma: 0.0 };
    assert_eq!(word(LogRank::new(&data, &[0, 1, 0], powers).unwrap_err()), "invalid_input");
    let other = SurvivalData::new(&[1.0, 2.0, 3.0], &[1, 1, 0]).expect("data");
    let curves = AalenJohansen::new(&other).expect("curves");
    let quantity = SurvivalQuantity::Survival { at: 2.0 };
    assert_eq!(word(curves.influence(&data, quantity).unwrap_err()), "incompatible");
    // A horizon beyond the follow-up, while some are still there: named with its end.
    let curve = KaplanMeier::new(&data).expect("a curve");
    let error = curve.at(3.5).unwrap_err();
    assert!(word(error.clone()) == "not_estimable" && error.to_string().contains("ends at 3"));
    assert!(curve.restricted_mean(4.0).is_err() && curve.at(3.0).is_ok());
    let curves = AalenJohansen::new(&data).expect("curves");
    assert_eq!(
        word(curves.estimate(&[SurvivalQuantity::Survival { at: 4.0 }]).unwrap_err()),
        "not_estimable"
    );
    assert!(curves.estimate(&[SurvivalQuantity::CumulativeIncidence { cause: 0, at: 1.0 }]).is_err());
    // Where nobody is left the curve is known for ever.
    let gone = KaplanMeier::new(&SurvivalData::new(&[1.0, 2.0], &[1, 1]).expect("data")).expect("a curve");
    assert_eq!(gone.at(50.0).expect("a point").survival, 0.0);
    assert!(KaplanMeier::new(&data.clone().strata(&[0, 1, 0]).expect("strata")).is_err());
    assert_eq!(
        word(KaplanMeier::by_stratum(&data.strata(&[0, 2, 0]).expect("strata")).unwrap_err()),
        "empty_arm"
    );
}

#[test]
fn results_survive_serde() {
    let made = Made::new(30, 2, true);
    let data = SurvivalData::new(&made.time, &made.cause).expect("data");
    let curve = KaplanMeier::new(&data).expect("a curve");
    let text = serde_json::to_string(&curve).expect("text");
    assert_eq!(serde_json::from_str::<KaplanMeier>(&text).expect("a curve"), curve);
    let curves = AalenJohansen::new(&data).expect("curves");
    let text = serde_json::to_string(&curves).expect("text");
    assert_eq!(serde_json::from_str::<AalenJohansen>(&text).expect("curves"), curves);
    let found = curves.estimate(&quantities(6.0)).expect("estimates");
    let text = serde_json::to_string(&found).expect("text");
    assert_eq!(
        serde_json::from_str::<armwise::survival::SurvivalEstimates>(&text).expect("estimates"),
        found
    );
    let test = LogRank::new(&data, &made.group, LogRankWeight::PetoPeto).expect("a test");
    let text = serde_json::to_string(&test).expect("text");
    assert_eq!(serde_json::from_str::<LogRank>(&text).expect("a test"), test);
}
