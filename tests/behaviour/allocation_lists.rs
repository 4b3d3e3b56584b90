//! Allocation lists: each method keeps what it declares, lists verify, and changed rows do not.

use armwise::inference::RandomizationTest;
use armwise::prelude::*;
use armwise::prospective::{AllocationList, ListMethod, ListPlan, ListUnit};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn people(n: usize) -> Vec<ListUnit> {
    (0..n)
        .map(|i| {
            let unit = ListUnit::new(format!("p{i}")).stratum(["Utrecht", "Tilburg, west"][i % 2]);
            let factors = [["young", "old"][(i / 2) % 2], ["short", "middle", "long"][(i * 7) % 3]];
            unit.factors(factors).covariates([(i as f64 * 0.618).fract(), (i as f64 * 0.414).fract()])
        })
        .collect()
}

fn methods() -> Vec<ListMethod> {
    vec![
        ListMethod::Complete,
        ListMethod::PermutedBlocks { sizes: vec![3, 6, 9] },
        ListMethod::BiasedCoin { probability: 0.8 },
        ListMethod::Minimisation { probability: 0.85, weights: vec![1.0, 2.0] },
        ListMethod::Rerandomised { bound: 3.0, most: 2_000 },
    ]
}

fn plan(n: usize, seed: u64, method: ListMethod) -> ListPlan {
    let arms = ListPlan::new([("control", 2), ("exemption", 1)], seed).unwrap();
    arms.units(people(n)).unwrap().method(method).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_list_verifies_and_a_changed_row_never_does(n in 10_usize..80, seed: u64, place: prop::sample::Index) {
        for method in methods() {
            let plan = plan(n, seed, method);
            let list = plan.draw().unwrap();
            let text = list.to_csv();
            prop_assert_eq!(&AllocationList::from_csv(&text, &plan).unwrap(), &list);
            prop_assert_eq!(AllocationList::from_csv(&text.replace('\n', "\r\n"), &plan).unwrap().check_code(), list.check_code());
            // The declaration survives JSON.
            let json = serde_json::to_string(&plan).unwrap();
            prop_assert_eq!(&serde_json::from_str::<ListPlan>(&json).unwrap(), &plan);
            // Another arm in one row, a row less, a row more, two rows swapped.
            let lines: Vec<&str> = text.lines().collect();
            let row = 1 + place.index(n);
            let swapped_arm = if lines[row].contains(",control,") {
                lines[row].replace(",control,", ",exemption,")
            } else {
                lines[row].replace(",exemption,", ",control,")
            };
            let mut changed = lines.clone();
            changed[row] = &swapped_arm;
            let mut less = lines.clone();
            less.remove(row);
            let mut more = lines.clone();
            more.push(lines[row]);
            let mut turned = lines.clone();
            turned.swap(1, 2);
            for wrong in [changed, less, more, turned] {
                let error = AllocationList::from_csv(&wrong.join("\n"), &plan).unwrap_err();
                prop_assert_eq!(error.kind().name(), "incompatible");
            }
            prop_assert!(AllocationList::from_csv(&text, &plan.clone().seed(seed ^ 1)).is_err());
        }
    }

    #[test]
    fn blocks_hold_the_ratio(seed: u64) {
        let list = plan(72, seed, ListMethod::PermutedBlocks { sizes: vec![3, 6] }).draw().unwrap();
        let mut blocks: BTreeMap<&str, [u32; 2]> = BTreeMap::new();
        for row in list.rows() {
            blocks.entry(&row.block).or_default()[usize::from(row.arm == "exemption")] += 1;
        }
        // All but the last block of each stratum are whole.
        let broken = blocks.values().filter(|[control, treated]| *control != 2 * treated).count();
        prop_assert!(broken <= 2, "{blocks:?}");
        prop_assert!(blocks.keys().all(|block| block.starts_with("Utrecht") || block.starts_with("Tilburg")));
        let complete = plan(72, seed, ListMethod::Complete).draw().unwrap();
        prop_assert_eq!(complete.counts(), vec![48, 24]);
    }

    #[test]
    fn minimisation_balances_more_than_chance(seed: u64) {
        let gap = |method: ListMethod| -> f64 {
            let arms = ListPlan::new([("control", 1), ("exemption", 1)], seed).unwrap();
            let plan = arms.units(people(240)).unwrap().method(method).unwrap();
            let list = plan.draw().unwrap();
            let of = |level: &str| {
                let here = people(240).into_iter().zip(list.rows()).filter(|(unit, _)| unit.factors.iter().any(|f| f == level));
                let (mut a, mut all) = (0.0, 0.0);
                for (_, row) in here {
                    a += f64::from(u8::from(row.arm == "control"));
                    all += 1.0;
                }
                (2.0 * a - all).abs()
            };
            ["young", "old", "short", "middle", "long"].into_iter().map(of).fold(0.0, f64::max)
        };
        let minimised = gap(ListMethod::Minimisation { probability: 0.9, weights: vec![1.0, 1.0] });
        prop_assert!(minimised <= 12.0, "{minimised}");
        let coin = gap(ListMethod::BiasedCoin { probability: 0.9 });
        prop_assert!(coin <= 60.0, "{coin}");
    }
}

/// Draws of a list are uniform over arms in every place: with any ratio where blocks hold it, with equal arms where
/// the next arm depends on those before.
#[test]
fn every_place_has_every_arm() {
    for method in methods() {
        let depends = matches!(method, ListMethod::BiasedCoin { .. } | ListMethod::Minimisation { .. });
        let (ratio, expected) = if depends { (1, 200_u32) } else { (2, 133) };
        let mut counts = [0_u32; 30];
        for seed in 0..400 {
            let arms = ListPlan::new([("control", ratio), ("exemption", 1)], seed).unwrap();
            let plan = arms.units(people(30)).unwrap().method(method.clone()).unwrap();
            for (count, row) in counts.iter_mut().zip(plan.draw().unwrap().rows()) {
                *count += u32::from(row.arm == "exemption");
            }
        }
        // Within five standard errors.
        let near = |count: &u32| count.abs_diff(expected) <= 50;
        assert!(counts.iter().all(near), "{method:?} {counts:?}");
    }
}

/// Rerandomisation keeps its bound, and says what would when none does.
#[test]
fn rerandomisation_keeps_its_bound() {
    let list = plan(60, 5, ListMethod::Rerandomised { bound: 0.2, most: 5_000 }).draw().unwrap();
    assert!(list.draws() > 1);
    let error = plan(12, 5, ListMethod::Rerandomised { bound: 1e-9, most: 50 }).draw().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("none of the 50 allocations") && text.contains("the closest has"), "{text}");
}

/// The list, joined to outcomes, is a trial whose randomisation test replays the blocks of the list.
#[test]
fn a_trial_declares_its_list() {
    let plan = plan(36, 11, ListMethod::PermutedBlocks { sizes: vec![6] });
    let list = plan.draw().unwrap();
    let table = Table::from_csv_str(&list.to_csv()).unwrap();
    let score: Vec<f64> = (0..36).map(|i| f64::from(i % 5)).collect();
    let table = table.with_reals("score", score).unwrap();
    let trial = Trial::builder("Utrecht", table)
        .arm_labels("arm")
        .control("control")
        .allocation(plan.allocation().unwrap())
        .build()
        .unwrap();
    let test = RandomizationTest::new().on(&trial.on(&Measure::continuous("score")).unwrap()).unwrap();
    assert!(test.treatment("exemption").unwrap().p_values.two_sided <= 1.0);
    let coin = ListMethod::BiasedCoin { probability: 0.7 };
    assert!(plan.method(coin).unwrap().allocation().is_none());
}

#[test]
fn lists_that_cannot_be_say_what_would_work() {
    let said = |error: armwise::Error, words: &str| {
        let text = error.to_string();
        assert!(text.contains(words) && text.contains(';'), "{text}");
    };
    let arms = || ListPlan::new([("control", 2), ("exemption", 1)], 1).unwrap();
    let blocks = |sizes: &[u32]| arms().method(ListMethod::PermutedBlocks { sizes: sizes.to_vec() });
    said(
        blocks(&[4]).unwrap_err(),
        "a block of 4 does not hold the ratio 2:1; give a multiple of 3, such as 3 or 6",
    );
    said(blocks(&[]).unwrap_err(), "such as 6");
    said(ListPlan::new([("control", 1)], 1).unwrap_err(), "give 2 to 100");
    said(ListPlan::new([("a", 1), ("a", 1)], 1).unwrap_err(), "give each its own");
    said(ListPlan::new([("a", 1), ("b", 0)], 1).unwrap_err(), "give 1 to");
    said(arms().people(1).unwrap().draw().unwrap_err(), "at least one unit for each arm");
    said(arms().method(ListMethod::BiasedCoin { probability: 1.2 }).unwrap_err(), "up to 1");
    let minimised = ListMethod::Minimisation { probability: 0.8, weights: vec![1.0] };
    said(arms().units(people(9)).unwrap().method(minimised).unwrap_err(), "a weight for each factor");
    let twins = [ListUnit::new("a"), ListUnit::new("a")];
    said(arms().units(twins).unwrap_err(), "own name");
    let bound = ListMethod::Rerandomised { bound: 1.0, most: 10 };
    said(arms().people(9).unwrap().method(bound).unwrap_err(), "no covariates");
}

#[test]
fn a_list_holds_nothing_that_a_spreadsheet_runs_or_a_terminal_obeys() {
    let arms = || ListPlan::new([("control", 1), ("-exemption", 1)], 3).unwrap();
    let plan = arms().units(["=1+1", "@cell", "-4", "+x,y"].map(ListUnit::new)).unwrap();
    let list = plan.draw().unwrap();
    let text = list.to_csv();
    for cell in ["1,'=1+1,", "2,'@cell,", "3,-4,", "4,\"'+x,y\",", ",'-exemption,"] {
        assert!(text.contains(cell), "{cell}: {text}");
    }
    assert_eq!(AllocationList::from_csv(&text, &plan).unwrap(), list);
    for name in ["a\u{0}", "\u{202e}b"] {
        let error = arms().units([ListUnit::new(name)]).unwrap_err().to_string();
        assert!(error.contains("cannot be seen") && !error.contains(name), "{error}");
        assert!(arms().units([ListUnit::new("a").stratum(name)]).is_err());
        assert!(ListPlan::new([("control", 1), (name, 1)], 3).is_err());
    }
}
