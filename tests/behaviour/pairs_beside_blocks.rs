//! Blocked designs that mix pairs and larger blocks. The numbers come from the formulas of Pashley & Miratrix
//! (2021) in R, degrees of freedom from traces of whole matrices.

use crate::support::labelled;
use armwise::prelude::*;
use std::fmt::Write;

const SCORE: Measure<Continuous> = Measure::continuous("y");

/// Blocks of people by arm, 0 for the control: two pairs, blocks of three and four with one person in an arm,
/// and two larger blocks.
const MIXED: &str = "b,arm,y\n1,0,3\n1,1,5\n2,0,2\n2,1,7\n3,0,4\n3,1,4\n3,1,6\n4,0,1\n4,0,2\n4,0,6\n4,1,5\n5,0,8\n5,0,6\n5,1,9\n5,1,12\n\
                     5,1,10\n6,0,3\n6,0,5\n6,0,4\n6,1,4\n6,1,9\n6,1,6\n";

fn comparison(csv: &str) -> Comparison<Continuous> {
    let table = CsvReader::new().category("arm").category("b").text(csv).unwrap();
    labelled(table, "0").strata(["b"]).build().unwrap().on(&SCORE).unwrap()
}

fn effect(csv: &str, blocks: Blocks) -> Estimate<MeanDifference> {
    let estimates = comparison(csv).estimate(&DifferenceInMeans::new().blocks(blocks)).unwrap();
    estimates.treatment("1").unwrap()
}

fn refused(csv: &str, blocks: Blocks) -> armwise::Error {
    comparison(csv).estimate(&DifferenceInMeans::new().blocks(blocks)).unwrap_err()
}

fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9 * expected.abs(), "{found} is not {expected}");
}

#[test]
fn small_blocks_of_all_sizes_together() {
    let effect = effect(MIXED, Blocks::Hybrid);
    near(effect.value(), 2.530_303_030_3);
    near(effect.variance(), 0.372_280_113_387);
    near(effect.df().unwrap(), 6.721_122_320_24);
    assert_eq!(effect.method().variance.to_string(), "within larger strata and between small ones");
}

#[test]
fn small_blocks_of_a_size_by_themselves() {
    // The block of three gives way to another of four.
    let csv = MIXED.replace("3,0,4\n3,1,4\n3,1,6\n", "") + "7,0,2\n7,1,3\n7,1,9\n7,1,5\n";
    let effect = effect(&csv, Blocks::HybridWithinSizes);
    near(effect.value(), 2.927_536_231_88);
    near(effect.variance(), 0.402_436_462_928);
    near(effect.df().unwrap(), 6.432_848_204_8);
    let error = refused(MIXED, Blocks::HybridWithinSizes);
    assert!(
        error.to_string().contains("one block of 3 people") && error.to_string().contains("Blocks::Hybrid"),
        "{error}"
    );
}

#[test]
fn pairs_alone_are_matched_sets_and_larger_blocks_alone_are_blocks() {
    let pairs = "b,arm,y\n1,0,3\n1,1,5\n2,0,2\n2,1,7\n3,0,4\n3,1,4\n4,0,1\n4,1,6\n";
    let matched = effect(pairs, Blocks::MatchedSets);
    let larger = format!("b,arm,y\n{}", &MIXED[MIXED.find("5,0,8").unwrap()..]);
    let by_size = effect(&larger, Blocks::BySize);
    for blocks in [Blocks::Hybrid, Blocks::HybridWithinSizes] {
        for (same, hybrid) in [(&matched, effect(pairs, blocks)), (&by_size, effect(&larger, blocks))] {
            near(hybrid.value(), same.value());
            near(hybrid.variance(), same.variance());
            near(hybrid.df().unwrap(), same.df().unwrap());
        }
    }
    // Two pairs have half of the people each, and one size.
    let two = "b,arm,y\n1,0,3\n1,1,5\n2,0,2\n2,1,7\n";
    near(effect(two, Blocks::Hybrid).df().unwrap(), 1.0);
}

#[test]
fn what_small_blocks_do_not_show_is_refused() {
    let one = "b,arm,y\n1,0,3\n1,1,5\n5,0,8\n5,0,6\n5,1,9\n5,1,12\n";
    for blocks in [Blocks::Hybrid, Blocks::HybridWithinSizes] {
        let error = refused(one, blocks);
        assert_eq!(error.kind().name(), "insufficient_observations");
        assert!(error.to_string().contains("merge it"), "{error}");
    }
    let half = "b,arm,y\n1,0,3\n1,1,5\n2,0,2\n2,1,7\n3,0,4\n3,1,4\n3,1,6\n3,1,6\n3,1,1\n";
    let error = refused(half, Blocks::Hybrid);
    assert!(error.to_string().contains("a block of 5 people has half or more of the 9"), "{error}");
    let same = "b,arm,y\n1,0,3\n1,1,5\n2,0,2\n2,1,4\n3,0,4\n3,1,6\n";
    assert_eq!(refused(same, Blocks::Hybrid).kind().name(), "zero_variance");
    // A pair without an outcome is left out, with a notice; blocks by size alone point here.
    let lost = MIXED.replace("1,1,5\n", "1,1,\n");
    let effect = effect(&lost, Blocks::Hybrid);
    assert!(effect.notices().contains(&Notice::StrataLeftOut { strata: 1, of: 6 }));
    assert!(refused(MIXED, Blocks::BySize).to_string().contains("Blocks::Hybrid"));
    assert!(refused(MIXED, Blocks::MatchedSets).to_string().contains("Blocks::Hybrid"));
}

/// Over all allocations of a blocked design in which everybody's effect is the same the variance estimate has
/// the variance of the estimate as its mean.
#[test]
fn the_variance_is_unbiased_over_all_allocations() {
    /// Block, treated, outcome.
    type Row = (usize, bool, f64);
    // Pairs and a block of three with one treated person; larger: two of four treated.
    let blocks: [(&[f64], usize); 4] =
        [(&[1.0, 4.0], 1), (&[2.0, 3.0], 1), (&[0.0, 5.0, 1.0], 1), (&[3.0, 7.0, 4.0, 9.0], 2)];
    let mut all: Vec<(Vec<Row>, f64)> = vec![(Vec::new(), 1.0)];
    for (block, &(values, treated)) in blocks.iter().enumerate() {
        let ways: Vec<u32> =
            (0..1_u32 << values.len()).filter(|set| set.count_ones() as usize == treated).collect();
        let share = 1.0 / ways.len() as f64;
        let extend = |rows: &Vec<Row>, set: u32| {
            let own = values.iter().enumerate().map(|(i, y)| (block, set >> i & 1 == 1, *y));
            rows.iter().copied().chain(own).collect::<Vec<_>>()
        };
        all = all
            .iter()
            .flat_map(|(rows, p)| ways.iter().map(|&set| (extend(rows, set), p * share)).collect::<Vec<_>>())
            .collect();
    }
    let (mut mean, mut squares, mut estimated) = (0.0, 0.0, 0.0);
    for (rows, p) in &all {
        let mut csv = "b,arm,y\n".to_owned();
        for (block, treated, y) in rows {
            writeln!(csv, "{block},{},{}", u8::from(*treated), y + if *treated { 2.0 } else { 0.0 }).unwrap();
        }
        let effect = effect(&csv, Blocks::Hybrid);
        mean += p * effect.value();
        squares += p * (effect.value() - 2.0).powi(2);
        estimated += p * effect.variance();
    }
    near(mean, 2.0);
    near(estimated, squares);
}

#[test]
fn several_arms_share_the_control() {
    let csv = "b,arm,y\n1,0,3\n1,1,5\n1,2,4\n2,0,2\n2,1,7\n2,2,9\n3,0,4\n3,1,4\n3,2,1\n5,0,8\n5,0,6\n5,1,9\n5,1,12\n5,2,10\n5,2,3\n";
    let three = comparison(csv).estimate(&DifferenceInMeans::new().blocks(Blocks::Hybrid)).unwrap();
    // Triples of differences 2, 5, 0 and 1, 7, -3 with 9 of 15 people; the larger block: control 7 with s^2 /
    // n = 1.
    let d = [[2.0, 1.0], [5.0, 7.0], [0.0, -3.0]];
    let means = [7.0 / 3.0, 5.0 / 3.0];
    let between = d.iter().map(|d| (d[0] - means[0]) * (d[1] - means[1])).sum::<f64>() / 6.0;
    near(three.covariance()[[0, 1]], 0.36 * between + 0.16 * 1.0);
    near(three.treatment("2").unwrap().value(), 0.6 * means[1] + 0.4 * (6.5 - 7.0));
}

#[test]
fn clusters_in_small_and_larger_blocks() {
    // Two pairs of clusters and a block of four.
    let mut csv = "b,arm,o,y\n".to_owned();
    for (block, arm, office, values) in [
        (1, 0, "a", "1 3"),
        (1, 1, "b", "5 4 6"),
        (2, 0, "c", "2 2"),
        (2, 1, "d", "9 3"),
        (3, 0, "e", "4 5"),
        (3, 0, "f", "1 2"),
        (3, 1, "g", "6 8"),
        (3, 1, "h", "3 5"),
    ] {
        for y in values.split(' ') {
            writeln!(csv, "{block},{arm},{office},{y}").unwrap();
        }
    }
    let table = CsvReader::new().category("arm").category("b").text(&csv).unwrap();
    let trial = labelled(table, "0").strata(["b"]).clusters("o").build().unwrap();
    let score = trial.on(&SCORE).unwrap();
    let blocked = DifferenceInMeans::new().blocks(Blocks::HybridWithinSizes);
    let error = score.estimate(&blocked).unwrap_err();
    assert!(error.to_string().contains("one block of 4 people"), "{error}");
    let error = score.estimate(&DifferenceInMeans::new().blocks(Blocks::Hybrid)).unwrap_err();
    assert!(error.to_string().contains("has half or more"), "{error}");
    let even = csv.replace("1,1,b,6\n", "");
    let table = CsvReader::new().category("arm").category("b").text(&even).unwrap();
    let trial = labelled(table, "0").strata(["b"]).clusters("o").build().unwrap();
    let effect = trial.on(&SCORE).unwrap().estimate(&blocked).unwrap().treatment("1").unwrap();
    // Differences 2.5 and 4 of four people each, and 2.5 of eight, whose offices have means 4.5, 1.5, 7, 4.
    near(effect.value(), 0.25 * 2.5 + 0.25 * 4.0 + 0.5 * 2.5);
    near(effect.variance(), 0.25 * (1.5 / 2.0_f64).powi(2) + 0.25 * (4.5 / 2.0 + 4.5 / 2.0));
}
