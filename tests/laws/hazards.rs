//! Laws of the regressions of hazards.

use crate::support::{near, near_or_equal};
use armwise::effect::LogSubdistributionHazardRatio;
use armwise::estimator::WeightColumn;
use armwise::prelude::*;
use armwise::survival::{LogRank, LogRankWeight, SurvivalData, Ties};
use proptest::prelude::*;

const EXIT: Measure<TimeToEvent> = Measure::time_to_event("month", "reason")
    .of("work")
    .competing(&["other"])
    .censored(&["none"])
    .named("exit");
const ANY: Measure<TimeToEvent> = Measure::time_to_event("month", "gone").named("exit");

/// The reasons by code.
const REASONS: [&str; 3] = ["none", "work", "other"];

#[derive(Debug, Clone)]
struct Person {
    arm: usize,
    month: f64,
    reason: usize,
    age: f64,
    copies: usize,
    district: bool,
}

/// People of three arms; in each some leave for work early and late, so that no ratio is infinite.
fn people() -> impl Strategy<Value = Vec<Person>> {
    let person = (0..3_usize, 1..40_u32, 0..3_usize, 20.0..60.0_f64, 1..4_usize, any::<bool>());
    prop::collection::vec(person, 0..60).prop_map(|drawn| {
        let mut people = Vec::new();
        let mut add = |(arm, month, reason, age, copies, district)| {
            let month = f64::from(month);
            people.push(Person { arm, month, reason, age, copies, district });
        };
        for arm in 0..3 {
            for district in [false, true] {
                for (month, reason, age) in
                    [(2, 1, 30.0), (2, 1, 50.0), (30, 1, 30.0), (30, 1, 50.0), (45, 0, 40.0), (9, 2, 41.0)]
                {
                    add((arm, month, reason, age, 1, district));
                }
            }
        }
        drawn.into_iter().for_each(add);
        people
    })
}

/// The same with times that no two people share.
fn without_ties(people: &[Person]) -> Vec<Person> {
    let mut people = people.to_vec();
    let n = people.len() as f64;
    // An order that has nothing to do with the arms.
    for (i, person) in people.iter_mut().enumerate() {
        let place = (i * 37 % 101) as f64 + i as f64 / n;
        person.month += place / 150.0;
    }
    people
}

fn trial_of(people: &[Person]) -> Trial {
    let arms = ["control", "guidance", "exemption"];
    let table = Table::new()
        .with_categories("arm", people.iter().map(|person| arms[person.arm]))
        .and_then(|table| table.with_reals("month", people.iter().map(|person| person.month)))
        .and_then(|table| table.with_categories("reason", people.iter().map(|person| REASONS[person.reason])))
        .and_then(|table| table.with_flags("gone", people.iter().map(|person| person.reason > 0)))
        .and_then(|table| table.with_reals("age", people.iter().map(|person| person.age)))
        .and_then(|table| table.with_reals("n", people.iter().map(|person| person.copies as f64)))
        .and_then(|table| table.with_flags("district", people.iter().map(|person| person.district)))
        .unwrap();
    Trial::builder("Utrecht", table)
        .arm_labels("arm")
        .control("control")
        .strata(["district"])
        .build()
        .unwrap()
}

fn same<S: Scale, T: Scale>(one: &Estimates<S>, two: &Estimates<T>, tolerance: f64) {
    for (one, two) in one.iter().zip(two.iter()) {
        let pairs = [
            (one.value(), two.value()),
            (one.se(), two.se()),
            (one.interval().lower(), two.interval().lower()),
            (one.interval().upper(), two.interval().upper()),
            (one.p_value(), two.p_value()),
        ];
        for (a, b) in pairs {
            assert!(near_or_equal(a, b, tolerance), "{one:?}\nis not\n{two:?}");
        }
    }
    for (a, b) in one.covariance().iter().zip(two.covariance()) {
        assert!(near(*a, *b, tolerance), "{a} {b}");
    }
}

fn models() -> Vec<CoxRegression> {
    let mut list = Vec::new();
    for ties in [Ties::Efron, Ties::Breslow] {
        let plain = CoxRegression::new().ties(ties);
        list.extend([
            plain.clone(),
            plain.clone().adjust_for(["age"]),
            plain.clone().stratified(),
            plain.firth(),
        ]);
    }
    list
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_unit_of_time_does_not_matter(people in people(), unit in 0.01..100.0_f64) {
        let scaled: Vec<Person> =
            people.iter().map(|person| Person { month: unit * person.month, ..person.clone() }).collect();
        let (one, two) = (trial_of(&people), trial_of(&scaled));
        for model in models() {
            same(&one.on(&EXIT).unwrap().estimate(&model).unwrap(), &two.on(&EXIT).unwrap().estimate(&model).unwrap(), 1e-8);
        }
        let model = FineGrayRegression::new().adjust_for(["age"]);
        same(&one.on(&EXIT).unwrap().estimate(&model).unwrap(), &two.on(&EXIT).unwrap().estimate(&model).unwrap(), 1e-8);
    }

    #[test]
    fn frequencies_are_copies(people in people()) {
        let copies: Vec<Person> =
            people.iter().flat_map(|person| std::iter::repeat_n(person.clone(), person.copies)).collect();
        let (one, two) = (trial_of(&people), trial_of(&copies));
        let frequency = || WeightColumn::Frequency("n".to_owned());
        for model in models() {
            let weighted = one.on(&EXIT).unwrap().estimate(&model.clone().weights(frequency())).unwrap();
            let counted = two.on(&EXIT).unwrap().estimate(&model).unwrap();
            same(&weighted, &counted, 1e-8);
            prop_assert_eq!(weighted.reference_counts().analysed, counted.reference_counts().analysed);
        }
    }

    /// The value, not the spread: probability weights say nothing of how many people there are.
    #[test]
    fn the_unit_of_weights_does_not_matter(people in people(), unit in 0.01..100.0_f64) {
        let scaled: Vec<Person> = people.iter().map(|person| Person { age: unit * person.age, ..person.clone() }).collect();
        let (one, two) = (trial_of(&people), trial_of(&scaled));
        let model = CoxRegression::new().weights("age").ties(Ties::Breslow);
        let (one, two) = (one.on(&EXIT).unwrap().estimate(&model).unwrap(), two.on(&EXIT).unwrap().estimate(&model).unwrap());
        same(&one, &two, 1e-8);
        let untested = |notice: &Notice| matches!(notice, Notice::ProportionalHazardsUntested { .. });
        prop_assert!(one.notices().iter().any(untested));
    }

    #[test]
    fn without_ties_all_likelihoods_are_one(people in people()) {
        let trial = trial_of(&without_ties(&people));
        let fit = |ties| trial.on(&EXIT).unwrap().estimate(&CoxRegression::new().ties(ties)).unwrap();
        same(&fit(Ties::Efron), &fit(Ties::Breslow), 1e-8);
        same(&fit(Ties::Efron), &fit(Ties::Exact), 1e-7);
    }

    /// Two arms, no ties: the log-rank statistic is the slope of the likelihood at no effect, so that both have
    /// the same sign.
    #[test]
    fn effects_have_the_sign_of_the_log_rank_test(people in people()) {
        let people: Vec<Person> = without_ties(&people).into_iter().filter(|person| person.arm < 2).collect();
        let trial = trial_of(&people);
        let effect = trial.on(&ANY).unwrap().estimate(&CoxRegression::new()).unwrap().treatment("guidance").unwrap();
        let time: Vec<f64> = people.iter().map(|person| person.month).collect();
        let cause: Vec<u32> = people.iter().map(|person| u32::from(person.reason > 0)).collect();
        let group: Vec<u32> = people.iter().map(|person| u32::from(person.arm == 1)).collect();
        let test = LogRank::new(&SurvivalData::new(&time, &cause).unwrap(), &group, LogRankWeight::LogRank).unwrap();
        let excess = test.observed[1] - test.expected[1];
        prop_assert!(excess.abs() < 1e-9 || excess.signum() == effect.value().signum(), "{excess} {effect:?}");
    }

    #[test]
    fn a_competing_cause_ends_the_time_at_risk(people in people()) {
        let censored: Vec<Person> =
            people.iter().map(|person| Person { reason: person.reason % 2, ..person.clone() }).collect();
        let (one, two) = (trial_of(&people), trial_of(&censored));
        for model in models() {
            let specific = one.on(&EXIT).unwrap().estimate(&model).unwrap();
            same(&specific, &two.on(&ANY).unwrap().estimate(&model).unwrap(), 1e-9);
            prop_assert!(specific.method().estimator.contains("cause-specific"));
        }
    }

    /// Without competing causes a subdistribution hazard is a hazard.
    #[test]
    fn without_competing_causes_fine_and_gray_is_cox(people in people()) {
        let trial = trial_of(&people);
        let gray = FineGrayRegression::new().adjust_for(["age"]).variance(armwise::survival::FineGrayVariance::Model);
        let cox = CoxRegression::new().adjust_for(["age"]).ties(Ties::Breslow);
        let comparison = trial.on(&ANY).unwrap();
        let (gray, cox) = (comparison.estimate(&gray).unwrap(), comparison.estimate(&cox).unwrap());
        same(&gray, &cox, 1e-7);
        // They still do not pool with each other.
        let mixed = [cox.treatment("guidance").unwrap().to_any(), gray.treatment("guidance").unwrap().to_any()];
        prop_assert!(TreatmentEffects::new(mixed).is_err());
        prop_assert_eq!(gray.to_any().about.scale.clone(), LogSubdistributionHazardRatio.to_any());
    }

    #[test]
    fn one_stratum_is_no_stratum(people in people()) {
        let together: Vec<Person> = people.iter().map(|person| Person { district: true, ..person.clone() }).collect();
        let comparison = trial_of(&together).on(&EXIT).unwrap();
        let by_stratum = comparison.estimate(&CoxRegression::new().stratified()).unwrap();
        same(&by_stratum, &comparison.estimate(&CoxRegression::new()).unwrap(), 1e-12);
    }
}
