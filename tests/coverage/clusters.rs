//! Trials that randomise clusters to several arms, and trials that randomise people within blocks of unequal
//! spread.

use super::draw::Stream;
use super::study::{Answer, Band, Study, Truth};
use armwise::distribution::Beta;
use armwise::mean::Blocks;
use armwise::prelude::*;

const WORKS: Measure<Binary> = Measure::binary("works");
const SPELLS: Measure<Count> = Measure::count("spells");
const SCORE: Measure<Continuous> = Measure::continuous("score");
const LABELS: [&str; 5] = ["c", "t", "u", "v", "w"];
/// Arms, and clusters in each of them.
const DESIGNS: [(usize, usize); 5] = [(2, 4), (2, 12), (3, 6), (4, 4), (5, 8)];
const ICC: [f64; 3] = [0.0, 0.05, 0.1];
/// The share with the event, without and with an effect; the mean count is six times as large.
const SHARES: [f64; 2] = [0.3, 0.45];

// A number below 20.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn of_several_arms() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let ((arms, clusters), icc) = (DESIGNS[size], ICC[setting]);
        let effect = usize::from(truth == Truth::Effect);
        let (mut arm, mut office, mut works, mut spells, mut x) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for cluster in 0..arms * clusters {
            let label = LABELS[cluster % arms];
            let share = SHARES[if label == "t" { effect } else { 0 }];
            // Beta-binomial: the correlation of two people of a cluster is 1 / (a + b + 1).
            let share = if icc == 0.0 {
                share
            } else {
                let total = 1.0 / icc - 1.0;
                Beta::new(total * share, total * (1.0 - share)).unwrap().quantile(stream.uniform())
            };
            for _ in 0..10 + (20.0 * stream.uniform()) as usize {
                arm.push(label);
                office.push(format!("g{cluster}"));
                works.push(f64::from(stream.uniform() < share));
                spells.push(stream.poisson(6.0 * share));
                x.push(stream.normal());
            }
        }
        let table = Table::new()
            .with_categories("arm", arm)
            .and_then(|table| table.with_categories("office", office))
            .and_then(|table| table.with_reals("works", works))
            .and_then(|table| table.with_counts("spells", spells))
            .and_then(|table| table.with_reals("x", x))
            .unwrap();
        let trial =
            Trial::builder("city", table).arm_labels("arm").control("c").clusters("office").build().unwrap();
        let (works, spells) = (trial.on(&WORKS).unwrap(), trial.on(&SPELLS).unwrap());
        let [none, some] = SHARES;
        let (difference, ratio, odds) = match truth {
            Truth::NoEffect => (0.0, 0.0, 0.0),
            Truth::Effect => {
                (some - none, (some / none).ln(), (some / (1.0 - some)).ln() - (none / (1.0 - none)).ln())
            }
        };
        let (logistic, poisson) =
            (LogisticRegression::new().adjust_for(["x"]), PoissonRegression::new().adjust_for(["x"]));
        let weighting = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["x"]);
        vec![
            Answer::of(difference, works.estimate(&DifferenceInProportions::new())),
            Answer::of(odds, works.estimate(&logistic)),
            Answer::of(difference, works.estimate(&logistic.marginal(RiskDifference))),
            Answer::of(difference, works.estimate(&weighting)),
            Answer::of(difference, works.estimate(&DoublyRobust::new(RiskDifference).adjust_for(["x"]))),
            Answer::of(ratio, spells.estimate(&poisson)),
            Answer::of(6.0 * difference, spells.estimate(&poisson.marginal(RateDifference))),
        ]
    };
    let methods = vec![
        "`DifferenceInProportions`, CR2",
        "`LogisticRegression`, CR2 of Pearson residuals",
        "logistic, marginal difference",
        "`InverseProbabilityWeighting`",
        "`DoublyRobust`",
        "`PoissonRegression`, CR2 of Pearson residuals",
        "Poisson, marginal difference",
    ];
    let band = |method: &'static str| Band::new(method, |_, _| true, [93.0, 98.5]);
    Study {
        number: 10,
        title: "Clusters randomised to several arms",
        about: "Columns: the correlation within clusters (ICC). Rows: arms x clusters in each, of 10 to 29 people. 30% have the event (beta-binomial), 45% in one \
                arm with an effect; counts are Poisson given the cluster. All but the first adjust for a covariate of people. Degrees of freedom by Satterthwaite.",
        sizes: DESIGNS.iter().map(|(arms, clusters)| format!("{arms} x {clusters}")).collect(),
        settings: ICC.iter().map(|icc| format!("ICC {icc}")).collect(),
        bands: methods.iter().map(|method| band(method)).collect(),
        methods,
        divisor: 2,
        replicate: Box::new(replicate),
    }
}

/// Blocks, and people of each arm in a block.
const BLOCKS: [(usize, usize); 3] = [(3, 4), (10, 3), (4, 15)];

pub(crate) fn blocks_of_unequal_spread() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let (blocks, people) = BLOCKS[size];
        let effect = if truth == Truth::Effect { 0.5 } else { 0.0 };
        let (mut arm, mut block, mut score) = (Vec::new(), Vec::new(), Vec::new());
        for b in 0..blocks {
            for i in 0..2 * people {
                let treated = i < people;
                let spread = match setting {
                    1 if b == 0 => 5.0,
                    2 if treated && b == 0 => 5.0,
                    _ => 1.0,
                };
                arm.push(if treated { "t" } else { "c" });
                block.push(format!("b{b}"));
                score.push(b as f64 + spread * stream.normal() + if treated { effect } else { 0.0 });
            }
        }
        let table = Table::new()
            .with_categories("arm", arm)
            .and_then(|table| table.with_categories("block", block))
            .and_then(|table| table.with_reals("score", score))
            .unwrap();
        let trial =
            Trial::builder("city", table).arm_labels("arm").control("c").strata(["block"]).build().unwrap();
        let score = trial.on(&SCORE).unwrap();
        let by =
            |blocks: Blocks| Answer::of(effect, score.estimate(&DifferenceInMeans::new().blocks(blocks)));
        vec![by(Blocks::BySize), by(Blocks::ByPrecision)]
    };
    Study {
        number: 11,
        title: "Differences in means within blocks",
        about: "Columns: the standard deviation is 1; 5 in one block; 5 in one arm of one block. Rows: blocks x people of each arm in a block. Degrees of freedom by \
                Satterthwaite.",
        sizes: BLOCKS.iter().map(|(blocks, people)| format!("{blocks} x {people}")).collect(),
        settings: ["equal", "a block", "an arm of a block"].map(str::to_owned).to_vec(),
        methods: vec!["`Blocks::BySize`", "`Blocks::ByPrecision`"],
        divisor: 2,
        replicate: Box::new(replicate),
        bands: vec![Band::new("`Blocks::BySize`", |_, _| true, [93.0, 98.0])],
    }
}

/// Pairs, blocks of four with one treated person, and larger blocks of eight.
const MIXED: [(usize, usize, usize); 4] = [(4, 0, 2), (10, 0, 4), (6, 4, 4), (30, 0, 2)];

pub(crate) fn pairs_beside_larger_blocks() -> Study {
    let replicate = |size: usize, setting: usize, truth: Truth, stream: &mut Stream| {
        let (pairs, fours, larger) = MIXED[size];
        let effect = if truth == Truth::Effect { 0.5 } else { 0.0 };
        let (mut arm, mut block, mut score) = (Vec::new(), Vec::new(), Vec::new());
        let sizes = [(pairs, 1, 1), (fours, 1, 3), (larger, 4, 4)];
        let sizes =
            sizes.iter().flat_map(|&(count, treated, control)| (0..count).map(move |_| (treated, control)));
        for (b, (treated, control)) in sizes.enumerate() {
            let level = 2.0 * stream.normal();
            for i in 0..treated + control {
                let treated_person = i < treated;
                let spread = match setting {
                    1 if treated_person => 3.0,
                    2 if treated == 1 => 3.0,
                    _ => 1.0,
                };
                arm.push(if treated_person { "t" } else { "c" });
                block.push(format!("b{b}"));
                score.push(level + spread * stream.normal() + if treated_person { effect } else { 0.0 });
            }
        }
        let table = Table::new()
            .with_categories("arm", arm)
            .and_then(|table| table.with_categories("block", block))
            .and_then(|table| table.with_reals("score", score))
            .unwrap();
        let trial =
            Trial::builder("city", table).arm_labels("arm").control("c").strata(["block"]).build().unwrap();
        let score = trial.on(&SCORE).unwrap();
        let by =
            |blocks: Blocks| Answer::of(effect, score.estimate(&DifferenceInMeans::new().blocks(blocks)));
        vec![by(Blocks::Hybrid), by(Blocks::HybridWithinSizes)]
    };
    Study {
        number: 12,
        title: "Pairs beside larger blocks",
        about: "Columns: the standard deviation is 1; 3 under treatment; 3 in small blocks. Rows: pairs + blocks of four with one treated + blocks of eight. Blocks differ \
                by a standard deviation of 2. Degrees of freedom by Satterthwaite.",
        sizes: MIXED.iter().map(|(pairs, fours, larger)| format!("{pairs} + {fours} + {larger}")).collect(),
        settings: ["equal", "by arm", "by size"].map(str::to_owned).to_vec(),
        methods: vec!["`Blocks::Hybrid`", "`Blocks::HybridWithinSizes`"],
        divisor: 2,
        replicate: Box::new(replicate),
        bands: vec![Band::new("`Blocks::Hybrid`", |_, _| true, [93.0, 98.0])],
    }
}
