//! Laws of risks at a horizon, restricted means and times lost: what they are without censoring, and what changes
//! nothing.

use crate::support::{assert_near, labelled, near};
use armwise::effect::LogRatioOfMeans;
use armwise::estimator::{LogRankTest, WeightColumn};
use armwise::prelude::*;
use armwise::proportion::{DifferenceInterval, OddsRatioInterval, RatioInterval};
use armwise::survival::{AalenJohansen, KaplanMeier, SurvivalData, SurvivalQuantity};
use proptest::prelude::*;

const ARMS: [&str; 3] = ["c", "t", "u"];
const EXIT: Measure<TimeToEvent> = Measure::time_to_event("month", "reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .unit("months")
    .higher_is_better();
const LEFT: Measure<TimeToEvent> = Measure::time_to_event("month", "left");
const HORIZON: f64 = 12.0;

#[derive(Debug, Clone, Copy)]
struct Person {
    arm: usize,
    month: f64,
    /// 0: none, 1: work, 2: other.
    cause: usize,
    age: f64,
    copies: usize,
}

/// Every arm has people with each cause before the horizon, and one who is followed beyond it; months are whole,
/// so that there are ties. Without censoring nobody is lost before the horizon.
fn people(censored: bool) -> impl Strategy<Value = Vec<Person>> {
    let person = (0..3_usize, 1..20_u32, 0..3_usize, 18.0..66.0_f64, 1..4_usize);
    prop::collection::vec(person, 0..40).prop_map(move |drawn| {
        let mut people = Vec::new();
        for arm in 0..3 {
            for (i, (month, cause)) in
                [(3, 1), (5, 2), (7, 1), (9, 2), (10, 1), (20, 0), (21, 0)].into_iter().enumerate()
            {
                let age = 20.0 + 5.0 * ((i * (arm + 2)) % 7) as f64;
                people.push(Person { arm, month: f64::from(month), cause, age, copies: 1 + i % 3 });
            }
        }
        people.extend(drawn.into_iter().map(|(arm, month, cause, age, copies)| {
            let month = if cause == 0 && !censored { 20 } else { month };
            Person { arm, month: f64::from(month), cause, age, copies }
        }));
        people
    })
}

/// The trial of these people; in clusters of their age if wanted.
// Ages are small positive numbers.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn trial(people: &[Person], clusters: bool) -> Trial {
    let reasons = ["none", "work", "other"];
    let event = |person: &Person| person.cause == 1 && person.month <= HORIZON;
    let table = Table::new()
        .with_categories("arm", people.iter().map(|person| ARMS[person.arm]))
        .and_then(|table| table.with_reals("month", people.iter().map(|person| person.month)))
        .and_then(|table| table.with_categories("reason", people.iter().map(|person| reasons[person.cause])))
        .and_then(|table| table.with_flags("left", people.iter().map(|person| person.cause > 0)))
        .and_then(|table| table.with_flags("event", people.iter().map(event)))
        .and_then(|table| table.with_reals("until", people.iter().map(|person| person.month.min(HORIZON))))
        .and_then(|table| table.with_reals("age", people.iter().map(|person| person.age)))
        .and_then(|table| table.with_reals("copies", people.iter().map(|person| person.copies as f64)))
        .and_then(|table| table.with_reals("unit", people.iter().map(|person| 7.3 * person.copies as f64)))
        .and_then(|table| table.with_counts("person", (0..people.len()).map(|i| i as f64)))
        .and_then(|table| {
            let town = |person: &Person| ["a", "b", "d", "e", "f"][(person.age / 10.0) as usize % 5];
            table.with_categories("town", people.iter().map(town))
        })
        .unwrap();
    let builder = labelled(table, "c");
    if clusters { builder.clusters("town") } else { builder }.build().unwrap()
}

/// The same effects and the same covariance.
#[track_caller]
fn same<S: Scale, T: Scale>(one: &Estimates<S>, two: &Estimates<T>, tolerance: f64) {
    for (a, b) in one.values().zip(two.values()) {
        assert!(near(a, b, tolerance), "{a} is not {b}");
    }
    let v = one.covariance();
    for ((place, a), b) in v.indexed_iter().zip(two.covariance()) {
        let scale = (v[[place.0, place.0]] * v[[place.1, place.1]]).sqrt();
        assert!((a - b).abs() <= tolerance * scale, "{a} is not {b}");
    }
}

fn risk() -> RiskAtHorizon<RiskDifference> {
    RiskAtHorizon::new(RiskDifference, HORIZON)
}

fn mean() -> RestrictedMeanTime<MeanDifference> {
    RestrictedMeanTime::new(MeanDifference, HORIZON)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Values and variances: those of proportions by Wald, Katz and Woolf.
    #[test]
    fn without_censoring_risks_are_proportions(people in people(false)) {
        let trial = trial(&people, false);
        let (times, events) = (trial.on(&EXIT).unwrap(), trial.on(&Measure::binary("event")).unwrap());
        let wald = DifferenceInProportions::new().interval(DifferenceInterval::Wald);
        let (one, two) = (times.estimate(&risk()).unwrap(), events.estimate(&wald).unwrap());
        same(&one, &two, 1e-11);
        for (one, two) in one.iter().zip(two.iter()) {
            prop_assert!(near(one.interval().lower(), two.interval().lower(), 1e-11));
            prop_assert!(near(one.p_value(), two.p_value(), 1e-10));
        }
        let ratio = RatioOfProportions::new().interval(RatioInterval::Log);
        same(
            &times.estimate(&RiskAtHorizon::new(LogRiskRatio, HORIZON)).unwrap(),
            &events.estimate(&ratio).unwrap(),
            1e-11,
        );
        let odds = OddsRatio::new().interval(OddsRatioInterval::Woolf);
        same(
            &times.estimate(&RiskAtHorizon::new(LogOddsRatio, HORIZON)).unwrap(),
            &events.estimate(&odds).unwrap(),
            1e-11,
        );
    }

    /// Pseudo-values are then the event itself, so that everything behind them is the same.
    #[test]
    fn without_censoring_pseudo_values_are_the_outcome(people in people(false)) {
        let trial = trial(&people, false);
        let times = trial.on(&EXIT).unwrap();
        let linear = LinearRegression::new().adjust_for(["age"]);
        for variance in [MarginalVariance::Ye2023, MarginalVariance::Superpopulation] {
            let one = times.estimate(&risk().adjust_for(["age"]).variance(variance));
            let event = trial.on(&Measure::binary("event")).unwrap();
            let two = event.estimate(&linear.marginal(RiskDifference).variance(variance));
            match (one, two) {
                (Ok(one), Ok(two)) => same(&one, &two, 1e-8),
                (one, two) => prop_assert_eq!(one.unwrap_err().kind().name(), two.unwrap_err().kind().name()),
            }
        }
    }

    #[test]
    fn without_censoring_a_restricted_mean_is_that_of_the_truncated_time(people in people(false)) {
        let trial = trial(&people, false);
        // Who had another event stays without the first one: time until any event needs the first of both.
        let times = trial.on(&LEFT).unwrap();
        let hc0 = LinearRegression::new().variance(VarianceType::Hc0);
        let means = trial.on(&Measure::continuous("until")).unwrap();
        let (one, two) = (times.estimate(&mean()).unwrap(), means.estimate(&hc0).unwrap());
        same(&one, &two, 1e-9);
    }

    /// With clusters: CR2 with its degrees of freedom, as for proportions.
    #[test]
    fn without_censoring_clusters_count_as_for_proportions(people in people(false)) {
        let trial = trial(&people, true);
        let (times, events) = (trial.on(&EXIT).unwrap(), trial.on(&Measure::binary("event")).unwrap());
        let (one, two) = (times.estimate(&risk()), events.estimate(&DifferenceInProportions::new()));
        match (one, two) {
            (Ok(one), Ok(two)) => {
                same(&one, &two, 1e-8);
                for (one, two) in one.iter().zip(two.iter()) {
                    prop_assert!(near(one.df().unwrap(), two.df().unwrap(), 1e-7), "{:?} {:?}", one.df(), two.df());
                }
            }
            (one, two) => prop_assert!(one.is_err() && two.is_err(), "{one:?} {two:?}"),
        }
    }

    /// Cause by cause and together all time is somewhere; one cause alone is one minus Kaplan and Meier.
    #[test]
    fn risks_and_times_add_up(people in people(true)) {
        let comparison = trial(&people, false).on(&EXIT).unwrap();
        let on = mean().arm_means(&comparison).unwrap();
        let [work, other] = ["work", "other"].map(|cause| mean().lost_to(cause).arm_means(&comparison).unwrap());
        for arm in 0..3 {
            assert_near(on.values()[arm] + work.values()[arm] + other.values()[arm], HORIZON, 1e-10);
        }
        let left = trial(&people, false).on(&LEFT).unwrap();
        let risks = risk().arm_means(&left).unwrap();
        for (code, found) in (0..3_u32).zip(risks.values()) {
            let own: Vec<&Person> = people.iter().filter(|person| person.arm == code as usize).collect();
            let time: Vec<f64> = own.iter().map(|person| person.month).collect();
            let cause: Vec<u32> = own.iter().map(|person| u32::from(person.cause > 0)).collect();
            let curve = KaplanMeier::new(&SurvivalData::new(&time, &cause).unwrap()).unwrap();
            let point = curve.at(HORIZON).unwrap();
            assert_near(*found, 1.0 - point.survival, 1e-12);
            // Greenwood's standard error.
            let variance = risks.covariance()[[code as usize, code as usize]];
            assert_near(variance.sqrt(), point.se.unwrap(), 1e-10);
        }
    }

    /// The variance is Greenwood's for several causes, too.
    #[test]
    fn arms_are_those_of_the_numeric_layer(people in people(true)) {
        let comparison = trial(&people, false).on(&EXIT).unwrap();
        let times = comparison.times().unwrap();
        let data = times.data().unwrap().strata(comparison.arm_indices()).unwrap();
        let wanted = [
            SurvivalQuantity::CumulativeIncidence { cause: 1, at: HORIZON },
            SurvivalQuantity::RestrictedMean { until: HORIZON },
            SurvivalQuantity::TimeLost { cause: 2, until: HORIZON },
        ];
        let found = [
            risk().arm_means(&comparison).unwrap(),
            mean().arm_means(&comparison).unwrap(),
            mean().lost_to("other").arm_means(&comparison).unwrap(),
        ];
        for (arm, curves) in AalenJohansen::by_stratum(&data).unwrap().iter().enumerate() {
            let kernel = curves.estimate(&wanted).unwrap();
            for (i, means) in found.iter().enumerate() {
                assert_near(means.values()[arm], kernel.values[i], 1e-12);
                assert_near(means.covariance()[[arm, arm]], kernel.covariance[[i, i]], 1e-11);
            }
        }
    }

    /// A frequency is so many rows; a weight of probability gives the same values in any unit.
    #[test]
    fn weights_are_copies(people in people(true)) {
        let copies: Vec<Person> =
            people.iter().flat_map(|person| std::iter::repeat_n(*person, person.copies)).collect();
        let (once, rows) = (trial(&people, false).on(&EXIT).unwrap(), trial(&copies, false).on(&EXIT).unwrap());
        let frequency = WeightColumn::Frequency("copies".to_owned());
        for adjusted in [false, true] {
            let of = |risk: RiskAtHorizon<RiskDifference>| if adjusted { risk.adjust_for(["age"]) } else { risk };
            let (one, two) = (once.estimate(&of(risk().weights(frequency.clone()))), rows.estimate(&of(risk())));
            match (one, two) {
                (Ok(one), Ok(two)) => same(&one, &two, 1e-9),
                (one, two) => prop_assert_eq!(one.unwrap_err().kind().name(), two.unwrap_err().kind().name()),
            }
        }
        let weighted = once.estimate(&mean().weights("copies")).unwrap();
        let counted = rows.estimate(&mean()).unwrap();
        for (a, b) in weighted.values().zip(counted.values()) {
            prop_assert!(near(a, b, 1e-10), "{a} is not {b}");
        }
    }

    #[test]
    fn the_unit_of_weights_says_nothing(people in people(true)) {
        let comparison = trial(&people, false).on(&EXIT).unwrap();
        for adjusted in [false, true] {
            let of = |weights: &str| {
                let risk = risk().weights(weights);
                comparison.estimate(&if adjusted { risk.adjust_for(["age"]) } else { risk })
            };
            match (of("copies"), of("unit")) {
                (Ok(one), Ok(two)) => same(&one, &two, 1e-9),
                (one, two) => prop_assert_eq!(one.unwrap_err().kind().name(), two.unwrap_err().kind().name()),
            }
        }
    }

    /// Clusters of one person each: the variance of an arm has the factor n / (n - 1), as HC2 has.
    #[test]
    fn everybody_may_be_a_cluster(people in people(true)) {
        let alone = trial(&people, false);
        let own = labelled(alone.table().clone(), "c").clusters("person").build().unwrap();
        let (one, two) = (alone.on(&EXIT).unwrap(), own.on(&EXIT).unwrap());
        for (one, two) in [
            (risk().arm_means(&one).unwrap(), risk().arm_means(&two).unwrap()),
            (mean().arm_means(&one).unwrap(), mean().arm_means(&two).unwrap()),
        ] {
            for (i, arm) in one.arms().iter().enumerate() {
                let n = arm.counts.analysed as f64;
                assert_near(two.values()[i], one.values()[i], 1e-12);
                assert_near(two.covariance()[[i, i]], one.covariance()[[i, i]] * n / (n - 1.0), 1e-11);
            }
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing(people in people(true).prop_flat_map(|people| (Just(people.clone()), Just(people).prop_shuffle()))) {
        let (one, two) = (trial(&people.0, false).on(&EXIT).unwrap(), trial(&people.1, false).on(&EXIT).unwrap());
        same(&one.estimate(&risk()).unwrap(), &two.estimate(&risk()).unwrap(), 1e-10);
        same(&one.estimate(&mean()).unwrap(), &two.estimate(&mean()).unwrap(), 1e-10);
        for test in [LogRankTest::new(), LogRankTest::new().of_any_cause(), LogRankTest::new().of_incidence()] {
            let (one, two) = (one.test_times(&test).unwrap(), two.test_times(&test).unwrap());
            prop_assert!(near(one.statistic, two.statistic, 1e-9) && near(one.p_value, two.p_value, 1e-9));
        }
    }

    #[test]
    fn a_unit_of_time_is_a_unit(people in people(true), unit in 0.01..100.0_f64) {
        let other: Vec<Person> = people.iter().map(|one| Person { month: one.month * unit, ..*one }).collect();
        let (one, two) = (trial(&people, false).on(&EXIT).unwrap(), trial(&other, false).on(&EXIT).unwrap());
        // Whole months times the unit are the very times of the events, so that one at the horizon is there.
        let at = HORIZON * unit;
        same(
            &one.estimate(&risk()).unwrap(),
            &two.estimate(&RiskAtHorizon::new(RiskDifference, at)).unwrap(),
            1e-10,
        );
        let (one, two) = (
            one.estimate(&RestrictedMeanTime::new(LogRatioOfMeans, HORIZON)).unwrap(),
            two.estimate(&RestrictedMeanTime::new(LogRatioOfMeans, at)).unwrap(),
        );
        same(&one, &two, 1e-9);
    }

    /// A person seen until a month and again from then on is that person.
    #[test]
    fn splitting_at_an_entry_changes_nothing(people in people(true), at in 0.5..19.5_f64) {
        let mut parts: Vec<(Person, f64)> = Vec::new();
        for person in &people {
            if person.month > at {
                parts.push((Person { month: at, cause: 0, ..*person }, 0.0));
                parts.push((*person, at));
            } else {
                parts.push((*person, 0.0));
            }
        }
        let rows: Vec<Person> = parts.iter().map(|part| part.0).collect();
        let table = trial(&rows, false).table().clone();
        let table = table.with_reals("entry", parts.iter().map(|part| part.1)).unwrap();
        let split = labelled(table, "c").build().unwrap().on(&EXIT.entered_at("entry")).unwrap();
        let whole = trial(&people, false).on(&EXIT).unwrap();
        for (one, two) in [
            (risk().arm_means(&whole).unwrap(), risk().arm_means(&split).unwrap()),
            (mean().arm_means(&whole).unwrap(), mean().arm_means(&split).unwrap()),
        ] {
            for (a, b) in one.values().iter().zip(two.values()) {
                prop_assert!(near(*a, *b, 1e-11), "{a} is not {b}");
            }
        }
        let test = LogRankTest::new();
        let (one, two) = (whole.test_times(&test).unwrap(), split.test_times(&test).unwrap());
        prop_assert!(near(one.statistic, two.statistic, 1e-9), "{} {}", one.statistic, two.statistic);
    }

    /// With two arms it is the sign that says who has more events than were to be expected.
    #[test]
    fn excesses_of_events_add_up_to_none(people in people(true)) {
        let comparison = trial(&people, false).on(&EXIT).unwrap();
        for test in [LogRankTest::new(), LogRankTest::new().of_incidence()] {
            let found = comparison.test_times(&test).unwrap();
            prop_assert!(found.excess.iter().sum::<f64>().abs() < 1e-9, "{found:?}");
            prop_assert!((0.0..=1.0).contains(&found.p_value) && found.df == 2.0);
        }
    }
}
