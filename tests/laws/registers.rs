//! Laws of states by month.

use armwise::multistate::{PanelQuantity, PeriodModel, StatePanel};
use armwise::prelude::*;
use armwise::regression::ClusterVariance;
use armwise::survival::{AalenJohansen, SurvivalData, SurvivalQuantity};
use proptest::prelude::*;

/// Sequences of up to `months` states out of three.
fn sequences(months: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(0..3_u8, 0..=months), 4..30)
}

fn panel(units: &[Vec<u8>]) -> StatePanel<'_> {
    StatePanel::new(3, 0, units.iter().map(Vec::as_slice)).unwrap()
}

fn occupied(states: &[usize], at: usize) -> PanelQuantity {
    PanelQuantity::Occupied { states: states.to_vec(), at }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-10 * (1.0 + b.abs())
}

proptest! {
    #[test]
    fn probabilities_sum_to_one_and_influences_to_zero(units in sequences(6), state in 0..3_usize) {
        let panel = panel(&units);
        prop_assume!(panel.periods() > 0);
        let occupation = panel.occupation().unwrap();
        let until = panel.periods();
        for row in occupation.probability.rows() {
            prop_assert!(near(row.sum(), 1.0) && row.iter().all(|p| *p >= 0.0));
        }
        let time = PanelQuantity::Time { states: vec![state], until };
        let influence = occupation.influence(&panel, &time).unwrap();
        prop_assert!(influence.iter().sum::<f64>().abs() < 1e-9);
        let total: f64 = (0..3)
            .map(|state| occupation.value(&PanelQuantity::Time { states: vec![state], until }).unwrap())
            .sum();
        prop_assert!(near(total, until as f64));
        // The influence is the derivative in the weight of a unit.
        let unit = units.iter().position(|own| !own.is_empty()).unwrap();
        let step = 1e-6;
        let mut weights = vec![1.0; units.len()];
        weights[unit] += step;
        let moved = panel.clone().weights(&weights).unwrap().occupation().unwrap().value(&time).unwrap();
        let slope = (moved - occupation.value(&time).unwrap()) / step;
        prop_assert!((slope - influence[unit]).abs() < 1e-4 * (1.0 + slope.abs()), "{slope} {}", influence[unit]);
    }

    #[test]
    fn whoever_is_seen_to_the_end_gives_shares(units in sequences(0), states in prop::collection::vec(0..3_u8, 30 * 5)) {
        let months = 5;
        let units: Vec<Vec<u8>> =
            (0..units.len()).map(|i| states[i * months..(i + 1) * months].to_vec()).collect();
        let panel = panel(&units);
        let occupation = panel.occupation().unwrap();
        let n = units.len() as f64;
        for at in 1..=months {
            let share = panel.observed(at).unwrap()[1] / n;
            let quantity = occupied(&[1], at);
            prop_assert!(near(occupation.value(&quantity).unwrap(), share));
            let variance = occupation.covariance(&panel, &[quantity]).unwrap()[[0, 0]];
            prop_assert!(near(variance, share * (1.0 - share) / n));
        }
        let time = PanelQuantity::Time { states: vec![1, 2], until: months };
        let own: Vec<f64> =
            units.iter().map(|unit| unit.iter().filter(|state| **state > 0).count() as f64).collect();
        let mean = own.iter().sum::<f64>() / n;
        let variance = own.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / (n * n);
        prop_assert!(near(occupation.value(&time).unwrap(), mean));
        prop_assert!(near(occupation.covariance(&panel, &[time]).unwrap()[[0, 0]], variance));
    }

    #[test]
    fn without_return_it_is_a_cumulative_incidence(
        people in prop::collection::vec((1..8_usize, 0..3_u8, 0..4_usize), 6..40),
    ) {
        // Left in this month by a way out (0: lost to follow-up), and seen for some months after.
        let units: Vec<Vec<u8>> = people
            .iter()
            .map(|&(month, way, after)| {
                let mut own = vec![0; month - 1];
                own.push(way);
                own.extend(std::iter::repeat_n(way, if way == 0 { 0 } else { 8 + after }));
                own
            })
            .collect();
        let time: Vec<f64> = people.iter().map(|(month, ..)| *month as f64).collect();
        let cause: Vec<u32> = people.iter().map(|(_, way, _)| u32::from(*way)).collect();
        let data = SurvivalData::new(&time, &cause).unwrap();
        let curves = AalenJohansen::new(&data).unwrap();
        let panel = panel(&units);
        let occupation = panel.occupation().unwrap();
        for at in 1..=people.iter().map(|(month, ..)| *month).max().unwrap() {
            let wanted = SurvivalQuantity::CumulativeIncidence { cause: 1, at: at as f64 };
            let Ok(found) = curves.estimate(&[wanted]) else { continue };
            let quantity = occupied(&[1], at);
            prop_assert!(near(occupation.value(&quantity).unwrap(), found.values[0]), "month {at}");
            let variance = occupation.covariance(&panel, &[quantity]).unwrap()[[0, 0]];
            let influence = curves.influence(&data, wanted).unwrap();
            prop_assert!(near(variance, influence.iter().map(|phi| phi * phi).sum()), "month {at}");
        }
        // The first month out is a spell of one month.
        for (spell, (month, way, _)) in panel.sustained(&[1, 2], 1).unwrap().iter().zip(&people) {
            prop_assert_eq!(spell.first, (*way > 0).then_some(*month));
            prop_assert_eq!(spell.time(), *month);
        }
    }

    #[test]
    fn weights_are_copies_and_order_does_not_matter(
        units in sequences(5),
        copies in prop::collection::vec(1..4_usize, 30),
    ) {
        let whole = panel(&units);
        prop_assume!(whole.periods() > 0);
        let weights: Vec<f64> = copies[..units.len()].iter().map(|n| *n as f64).collect();
        let weighted = whole.clone().weights(&weights).unwrap();
        let repeated: Vec<Vec<u8>> = units
            .iter()
            .zip(&copies)
            .rev()
            .flat_map(|(unit, n)| std::iter::repeat_n(unit.clone(), *n))
            .collect();
        let repeated = panel(&repeated);
        let quantity = PanelQuantity::Time { states: vec![2], until: whole.periods() };
        let (one, two) = (weighted.occupation().unwrap(), repeated.occupation().unwrap());
        prop_assert!(near(one.value(&quantity).unwrap(), two.value(&quantity).unwrap()));
        let moves = (weighted.transitions(), repeated.transitions());
        for ((i, j), count) in moves.0.counts.indexed_iter() {
            prop_assert!(near(*count, moves.1.counts[[i, j]]));
        }
    }

    #[test]
    fn effects_of_a_period_are_differences_of_shares(values in prop::collection::vec(any::<bool>(), 60)) {
        // Two groups of ten in three periods, all seen.
        let outcome: Vec<f64> = values.iter().map(|value| f64::from(u8::from(*value))).collect();
        let (mut unit, mut group, mut period) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..60_u32 {
            unit.push(row / 3);
            group.push(u32::from(row / 3 >= 10));
            period.push(row % 3);
        }
        let model = PeriodModel::new(&outcome, &unit, (2, &group), (3, &period)).unwrap();
        let effects = model.effects(ClusterVariance::Cr0, &[vec![1.0 / 3.0; 3]]).unwrap();
        let share = |g: u32, m: u32| {
            (0..60).filter(|i| group[*i] == g && period[*i] == m).map(|i| outcome[i]).sum::<f64>() / 10.0
        };
        let mut mean = 0.0;
        for m in 0..3 {
            let (one, zero) = (share(1, m), share(0, m));
            let place = m as usize;
            prop_assert!((effects.estimates[[0, place]] - (one - zero)).abs() < 1e-12);
            let variance = (one * (1.0 - one) + zero * (1.0 - zero)) / 10.0;
            prop_assert!((effects.covariance[[place, place]] - variance).abs() < 1e-12);
            mean += (one - zero) / 3.0;
        }
        prop_assert!((effects.averages[0].estimates[0] - mean).abs() < 1e-12);
        let all: f64 = effects.covariance.sum() / 9.0;
        prop_assert!((effects.averages[0].covariance[[0, 0]] - all).abs() < 1e-12);
    }

    #[test]
    fn typed_states_are_those_of_the_numeric_layer(
        units in prop::collection::vec(prop::collection::vec(0..3_u8, 3..=5), 8..24),
        covariate in prop::collection::vec(0..9_u8, 24),
    ) {
        let labels = ["benefit", "part", "work"];
        let (mut ids, mut months, mut states) = (Vec::new(), Vec::new(), Vec::new());
        for (i, unit) in units.iter().enumerate() {
            for (m, state) in unit.iter().enumerate() {
                ids.push(i.to_string());
                months.push(m as u64 + 1);
                states.push(labels[usize::from(*state)]);
            }
        }
        let table = Table::new()
            .with_categories("id", ids.iter().map(String::as_str))
            .and_then(|table| table.with_counts("month", months))
            .and_then(|table| table.with_categories("state", states))
            .unwrap();
        let names: Vec<String> = (0..units.len()).map(|i| i.to_string()).collect();
        let people = Table::new()
            .with_categories("id", names.iter().map(String::as_str))
            .and_then(|table| table.with_categories("arm", (0..units.len()).map(|i| ["c", "t"][i % 2])))
            .and_then(|table| table.with_reals("x", (0..units.len()).map(|i| f64::from(covariate[i]))))
            .unwrap();
        let trial = Trial::builder("here", people).arm_labels("arm").control("c").build().unwrap();
        let register = Register::from_long(table, "id", "month", "state").states(labels).months(5);
        let joined = trial.on(&register.measure().unwrap()).unwrap();
        let of = |arm: usize| {
            StatePanel::new(3, 0, units.iter().enumerate().filter(|(i, _)| i % 2 == arm).map(|(_, u)| u.as_slice()))
                .unwrap()
        };
        let work = StateOccupation::new(RiskDifference, ["work"], 3);
        let quantity = occupied(&[2], 3);
        let value = |arm: usize| of(arm).occupation().unwrap().value(&quantity).unwrap();
        if let Ok(effects) = joined.estimate(&work) {
            let effect = effects.treatment("t").unwrap();
            prop_assert!((effect.value() - (value(1) - value(0))).abs() < 1e-12);
            // With covariates that are only noise the effect stays a number between -1 and 1 with an interval.
            if let Ok(adjusted) = joined.estimate(&work.adjust_for(["x"])) {
                let adjusted = adjusted.treatment("t").unwrap();
                prop_assert!(adjusted.value().is_finite() && adjusted.se() > 0.0);
            }
        }
        // All are seen until month 3, so that shares are those of the people.
        if let Ok(effects) = joined.observed_in(["work"], 3).unwrap().estimate(&DifferenceInProportions::new()) {
            prop_assert!((effects.treatment("t").unwrap().value() - (value(1) - value(0))).abs() < 1e-12);
        }
        if let Ok(effects) = joined.estimate(&MonthlyEffects::new(["work"], [3])) {
            prop_assert!((effects.treatment("t").unwrap().value() - (value(1) - value(0))).abs() < 1e-12);
        }
        for until in 1..=3 {
            let mean = MonthsInState::new(MeanDifference, ["part", "work"], until).arm_means(&joined);
            let months = joined.complete_months_in(["part", "work"], until).unwrap();
            if let Ok(mean) = mean {
                let own = months.outcomes().iter().zip(months.arm_indices()).filter(|(_, arm)| **arm == 1);
                let own: Vec<f64> = own.map(|(y, _)| *y).collect();
                let direct = own.iter().sum::<f64>() / own.len() as f64;
                prop_assert!((mean.values()[1] - direct).abs() < 1e-12);
            }
        }
    }
}
