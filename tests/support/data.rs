//! Participants and counts on which every listed estimator has an answer.

use super::labelled;
use armwise::prelude::*;
use proptest::prelude::*;

pub(crate) const ARMS: [&str; 3] = ["control", "guidance", "exemption"];

pub(crate) const WORKS: Measure<Binary> = Measure::binary("works").higher_is_better();
pub(crate) const SCORE: Measure<Continuous> = Measure::continuous("score").higher_is_better();
/// Spells of work in the years lived, for want of better counts.
pub(crate) const SPELLS: Measure<Count> = Measure::count("works").exposure("age").higher_is_better();
/// The age at which work was found, for want of better times.
pub(crate) const AGES: Measure<TimeToEvent> = Measure::time_to_event("age", "works").higher_is_better();
/// The same column as an ordered outcome and as one without order.
pub(crate) const CONTRACT: Measure<Ordinal> = Contract::ordinal("contract");
pub(crate) const CONTRACT_TYPE: Measure<Nominal> = Contract::nominal("contract");

#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) arm: usize,
    pub(crate) works: bool,
    pub(crate) score: f64,
    pub(crate) age: f64,
    pub(crate) district: bool,
}

impl Person {
    /// Every category has young and old of both districts.
    pub(crate) fn contract(&self) -> &'static str {
        match (self.works, (self.age > 40.0) == self.district) {
            (false, _) => "none",
            (true, true) => "temporary",
            (true, false) => "permanent",
        }
    }
}

/// Every arm has events and non-events of young and old in both districts, so that nothing separates; the
/// rest is random.
pub(crate) fn people() -> impl Strategy<Value = Vec<Person>> {
    let person = (0..ARMS.len(), any::<bool>(), -5.0..5.0_f64, 18.0..66.0_f64, any::<bool>());
    prop::collection::vec(person, 0..50).prop_map(|drawn| {
        let mut people = Vec::new();
        for arm in 0..ARMS.len() {
            for cell in 0..8_u8 {
                let [works, old, district] = [0, 1, 2].map(|bit| cell >> bit & 1 == 1);
                let age = if old { 60.0 } else { 20.0 };
                let score = f64::from(cell * cell % 7) - 0.3 * arm as f64;
                people.push(Person { arm, works, score, age, district });
            }
        }
        let drawn = drawn.into_iter();
        people.extend(drawn.map(|(arm, works, score, age, district)| Person {
            arm,
            works,
            score,
            age,
            district,
        }));
        people
    })
}

/// The trial of these people, stratified by district.
pub(crate) fn trial(people: &[Person], control: &str) -> Trial {
    let table = Table::new()
        .with_categories("arm", people.iter().map(|person| ARMS[person.arm]))
        .and_then(|table| table.with_flags("works", people.iter().map(|person| person.works)))
        .and_then(|table| table.with_reals("score", people.iter().map(|person| person.score)))
        .and_then(|table| table.with_reals("age", people.iter().map(|person| person.age)))
        .and_then(|table| table.with_flags("district", people.iter().map(|person| person.district)))
        .and_then(|table| table.with_categories("contract", people.iter().map(Person::contract)))
        .unwrap();
    labelled(table, control).strata(["district"]).build().unwrap()
}

/// Events and people of the control and of two treatments.
pub(crate) type Counts = [(u64, u64); 3];

/// Several trials of three arms in which some, not all, had the event.
pub(crate) fn counts() -> impl Strategy<Value = Vec<Counts>> {
    let arm = (2..300_u64).prop_flat_map(|n| (1..n, Just(n)));
    prop::collection::vec([arm.clone(), arm.clone(), arm], 2..7)
}

pub(crate) fn comparison(trial: usize, counts: &Counts) -> Comparison<Binary> {
    let arms = ARMS.iter().zip(counts).map(|(label, &(events, n))| (label, events, n));
    Comparison::from_counts(format!("city {trial}"), &WORKS, arms).unwrap()
}

pub(crate) fn comparisons(trials: &[Counts]) -> Comparisons<Binary> {
    Comparisons::new(trials.iter().enumerate().map(|(i, counts)| comparison(i, counts))).unwrap()
}

pub(crate) fn effects(trials: &[Counts]) -> Effects<RiskDifference> {
    comparisons(trials).estimate(&DifferenceInProportions::new()).unwrap()
}

pub(crate) fn guidance(trials: &[Counts]) -> TreatmentEffects<RiskDifference> {
    effects(trials).treatment("guidance").unwrap()
}

/// Events and people of every arm.
pub(crate) type City<'a> = &'a [(&'a str, u64, u64)];

pub(crate) fn city(name: &str, measure: &Measure<Binary>, arms: City) -> Comparison<Binary> {
    Comparison::from_counts(name, measure, arms.iter().copied()).unwrap()
}

pub(crate) fn cities(cities: &[City]) -> Comparisons<Binary> {
    let named = cities.iter().enumerate().map(|(i, arms)| city(&format!("city {i}"), &WORKS, arms));
    Comparisons::new(named).unwrap()
}
