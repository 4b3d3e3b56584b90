//! Small trials of every awkward shape through every estimator: an answer that is one, or a sentence; never a
//! panic, never NaN, and the same whatever the order of the rows and the names of the arms.

use crate::support::estimators::{self, Listed};
use crate::support::hazards;
use crate::support::{Numbers, labelled};
use armwise::estimator::{TakeUpInterval, ZeroCells};
use armwise::prelude::*;
use armwise::regression::ClusterVariance;
use std::fmt::Write;

type Answer = armwise::Result<Estimates<AnyScale>>;

/// The rows of a trial, their arms from 0.
#[derive(Clone)]
struct Rows {
    arms: Vec<usize>,
    cells: Vec<String>,
    strata: bool,
    clusters: bool,
}

const HEADER: &str = "arm,works,score,age,district,contract,stratum,cluster,received,weight,amount";

impl Rows {
    fn draw(seed: u64) -> Self {
        let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        for _ in 0..8 {
            numbers.next();
        }
        let k = 2 + numbers.below(3);
        let most = if numbers.chance(0.3) { 3 } else { 12 };
        let missing = if numbers.chance(0.5) { 0.0 } else { 0.15 };
        let shape = numbers.below(4);
        let mut rows = Self {
            arms: Vec::new(),
            cells: Vec::new(),
            strata: numbers.chance(0.6),
            clusters: numbers.chance(0.35),
        };
        let n_clusters = 1 + numbers.below(4);
        let n_strata = 1 + numbers.below(3);
        for arm in 0..k {
            let rate = [0.0, 0.1, 0.5, 0.5, 0.9, 1.0][numbers.below(6)];
            let constant = numbers.chance(0.1);
            let n = 1 + numbers.below(most);
            for person in 0..n {
                let cell = |text: String, lost: bool| if lost { String::new() } else { text };
                let works = numbers.chance(rate);
                let score = match shape {
                    _ if constant => 0.1,
                    0 => numbers.below(3) as f64,
                    1 => (numbers.next() * 100.0).round() / 10.0 - 3.0,
                    2 => f64::from(u8::from(works)) * (1.0 + numbers.below(9) as f64),
                    _ => 1e3 + numbers.next(),
                };
                let age = if numbers.chance(0.1) { 40.0 } else { 18.0 + numbers.below(50) as f64 };
                let contract =
                    ["none", "temporary", "permanent"][if works { 1 + numbers.below(2) } else { 0 }];
                let cluster = if numbers.chance(0.95) { arm * 10 + numbers.below(n_clusters) } else { 99 };
                let received = if arm == 0 { 0 } else { u8::from(numbers.chance(0.7)) };
                let (no_outcome, no_score) = (numbers.chance(missing), numbers.chance(missing));
                let mut row = String::new();
                write!(
                    row,
                    "{},{},{},{},{},{},c{cluster},{received},{:.3},{}",
                    cell(u8::from(works).to_string(), no_outcome && person > 0),
                    cell(score.to_string(), no_score && person > 0),
                    cell(age.to_string(), numbers.chance(missing * 0.5)),
                    u8::from(numbers.chance(0.5)),
                    cell(contract.to_owned(), no_outcome && person > 0),
                    numbers.below(n_strata),
                    0.5 + numbers.next(),
                    if works { 1 + numbers.below(30) } else { 0 },
                )
                .unwrap();
                rows.arms.push(arm);
                rows.cells.push(row);
            }
        }
        rows
    }

    /// The order of all rows turned and mixed.
    fn mixed(&self) -> Self {
        let n = self.arms.len();
        let step = (1..n).rev().find(|step| gcd(*step, n) == 1).unwrap_or(1);
        let order: Vec<usize> = (0..n).map(|i| (i * step + n / 2) % n).collect();
        Self {
            arms: order.iter().map(|&i| self.arms[i]).collect(),
            cells: order.iter().map(|&i| self.cells[i].clone()).collect(),
            ..*self
        }
    }

    fn trial(&self, labels: &[&str], control: usize) -> armwise::Result<Trial> {
        let mut text = HEADER.to_owned();
        for (arm, cells) in self.arms.iter().zip(&self.cells) {
            write!(text, "\n{},{cells}", labels[*arm]).unwrap();
        }
        let reader = CsvReader::new()
            .real("score")
            .real("age")
            .real("amount")
            .category("contract")
            .category("cluster");
        let mut builder = labelled(reader.text(&text)?, labels[control]).take_up("received");
        if self.strata {
            builder = builder.strata(["stratum"]);
        }
        if self.clusters {
            builder = builder.clusters("cluster");
        }
        builder.build()
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Every estimator that the tests know.
pub(crate) fn list() -> Vec<Listed> {
    let mut list = estimators::all();
    list.extend(more());
    list
}

/// Estimators beside those of `estimators.rs`, which need data on which all have an answer.
fn more() -> Vec<Listed> {
    let mut list = hazards::of_small_trials();
    list.push(Listed::binary("difference".into(), |level| DifferenceInProportions::new().level(level)));
    list.push(Listed::binary("ratio, halves".into(), |level| {
        RatioOfProportions::new().zero_cells(ZeroCells::AddHalf).level(level)
    }));
    list.push(Listed::binary("odds, halves".into(), |level| {
        OddsRatio::new().zero_cells(ZeroCells::AddHalf).level(level)
    }));
    regressions(&mut list);
    list.push(Listed::continuous("means by default".into(), |level| DifferenceInMeans::new().level(level)));
    list.push(Listed::continuous("matched sets".into(), |level| {
        DifferenceInMeans::new().blocks(Blocks::MatchedSets).level(level)
    }));
    for blocks in [Blocks::Hybrid, Blocks::HybridWithinSizes] {
        list.push(Listed::continuous(format!("{blocks:?}"), move |level| {
            DifferenceInMeans::new().blocks(blocks).level(level)
        }));
    }
    list.push(Listed::binary("stratified Newcombe".into(), |level| {
        let sato = DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato);
        sato.interval(armwise::proportion::DifferenceInterval::Newcombe).level(level)
    }));
    list.push(Listed::continuous("net benefit of scores".into(), |level| {
        WinProbability::new(NetBenefit).level(level)
    }));
    list.push(Listed::continuous("two parts with weights".into(), |level| {
        TwoPartRegression::new().weights("weight").level(level)
    }));
    list.push(Listed::continuous("two parts".into(), |level| TwoPartRegression::new().level(level)));
    list.push(Listed::continuous("two parts, adjusted".into(), |level| {
        TwoPartRegression::new().adjust_for(["age"]).level(level)
    }));
    for interval in [TakeUpInterval::AndersonRubin, TakeUpInterval::Wald] {
        list.push(Listed::binary(format!("compliers {interval:?}"), move |level| {
            ComplierAverageEffect::new().interval(interval).level(level)
        }));
        list.push(Listed::continuous(format!("compliers' score {interval:?}"), move |level| {
            ComplierAverageEffect::new().interval(interval).level(level)
        }));
    }
    list.push(Listed::ordinal("max-t".into(), |level| {
        DifferenceInCategories::new().simultaneous(Simultaneous::MaxT).level(level).in_category("none")
    }));
    list
}

/// Regressions by their defaults, and by the variances of clusters.
fn regressions(list: &mut Vec<Listed>) {
    for adjusted in [None, Some("age"), Some("district")] {
        let covariates: Vec<&'static str> = adjusted.into_iter().collect();
        let name = |what: &str| format!("{what} by default, adjusted for {covariates:?}");
        let c = covariates.clone();
        list.push(Listed::binary(name("logistic"), move |level| {
            LogisticRegression::new().adjust_for(&c).level(level)
        }));
        let c = covariates.clone();
        list.push(Listed::binary(name("weighted logistic"), move |level| {
            LogisticRegression::new().adjust_for(&c).weights("weight").level(level)
        }));
        let c = covariates.clone();
        list.push(
            Listed::binary(name("logistic marginal"), move |level| {
                LogisticRegression::new().adjust_for(&c).level(level).marginal(RiskDifference)
            })
            .may_be_indefinite(true),
        );
        let c = covariates.clone();
        list.push(
            Listed::binary(name("interacted logistic marginal"), move |level| {
                LogisticRegression::new().interact_arm_with(&c).level(level).marginal(LogRiskRatio)
            })
            .may_be_indefinite(true),
        );
        let c = covariates.clone();
        list.push(Listed::continuous(name("linear"), move |level| {
            LinearRegression::new().adjust_for(&c).level(level)
        }));
        let c = covariates.clone();
        list.push(Listed::continuous(name("Lin"), move |level| {
            LinearRegression::new().adjust_for(&c).interacted().level(level)
        }));
        let c = covariates.clone();
        list.push(Listed::continuous(name("weighted linear"), move |level| {
            LinearRegression::new().adjust_for(&c).weights("weight").offset("age").level(level)
        }));
        let c = covariates.clone();
        list.push(
            Listed::continuous(name("linear marginal"), move |level| {
                LinearRegression::new().adjust_for(&c).level(level).marginal(MeanDifference)
            })
            .may_be_indefinite(true),
        );
        let c = covariates.clone();
        list.push(Listed::count(name("Poisson"), move |level| {
            PoissonRegression::new().adjust_for(&c).level(level)
        }));
        let c = covariates.clone();
        list.push(
            Listed::count(name("Poisson marginal"), move |level| {
                PoissonRegression::new().adjust_for(&c).level(level).marginal(LogRateRatio)
            })
            .may_be_indefinite(true),
        );
        let c = covariates.clone();
        list.push(Listed::count(name("negative binomial"), move |level| {
            NegativeBinomialRegression::new().adjust_for(&c).level(level)
        }));
        let c = covariates.clone();
        list.push(Listed::count(name("negative binomial marginal"), move |level| {
            NegativeBinomialRegression::new().adjust_for(&c).level(level).marginal(LogRateRatio)
        }));
        let c = covariates.clone();
        list.push(Listed::binary(name("weighted weighting"), move |level| {
            InverseProbabilityWeighting::new(RiskDifference).adjust_for(&c).weights("weight").level(level)
        }));
        let c = covariates.clone();
        list.push(Listed::binary(name("Firth"), move |level| {
            FirthLogisticRegression::new().adjust_for(&c).weights("weight").level(level)
        }));
        let c = covariates.clone();
        list.push(Listed::continuous(name("doubly robust"), move |level| {
            DoublyRobust::new(MeanDifference).adjust_for(&c).level(level)
        }));
        let c = covariates.clone();
        list.push(Listed::continuous(name("weighting of observation"), move |level| {
            InverseProbabilityWeighting::new(MeanDifference).of_observation().adjust_for(&c).level(level)
        }));
        for variance in [
            ClusterVariance::Cr0,
            ClusterVariance::Cr1,
            ClusterVariance::Cr1s,
            ClusterVariance::Cr2,
            ClusterVariance::Cr2Pearson,
            ClusterVariance::Cr3,
        ] {
            let c = covariates.clone();
            list.push(Listed::binary(name(&format!("{variance:?} logistic")), move |level| {
                LogisticRegression::new().adjust_for(&c).variance(variance).level(level)
            }));
            let c = covariates.clone();
            list.push(Listed::continuous(name(&format!("{variance:?} linear")), move |level| {
                LinearRegression::new().adjust_for(&c).variance(variance).level(level)
            }));
        }
    }
}

fn sound(name: &str, listed: &Listed, estimates: &Estimates<AnyScale>) {
    let json = serde_json::to_string(estimates).unwrap();
    let back: Estimates<AnyScale> =
        serde_json::from_str(&json).unwrap_or_else(|e| panic!("{name}: {e}\n{json}"));
    assert_eq!(&back, estimates, "{name}");
    assert!(estimates.covariance().iter().all(|v| v.is_finite()), "{name}");
    for estimate in estimates.iter() {
        let interval = estimate.interval();
        let words = format!("{name}: {estimate:?}");
        assert!(estimate.value().is_finite() && estimate.se().is_finite() && estimate.se() >= 0.0, "{words}");
        assert!(interval.contains(estimate.value()) || listed.may_miss_its_value, "{words}");
        let (above, below) = (estimate.p_above(0.0).unwrap(), estimate.p_below(0.0).unwrap());
        for p in [estimate.p_value(), above, below] {
            assert!((0.0..=1.0).contains(&p), "{words}");
        }
        // More than one where the method counts the observation itself on both sides.
        assert!(
            above + below > 1.0 - 1e-9
                && estimate.p_value() <= 1.0
                && (estimate.p_value() - (2.0 * above.min(below)).min(1.0)).abs() < 1e-12,
            "{words}"
        );
        // A standard error of rounding would make anything significant.
        assert!(estimate.se() == 0.0 || estimate.statistic().abs() < 1e6, "{words}");
        assert!(estimate.df().is_none_or(|df| df > 0.0), "{words}");
        assert!(!estimate.to_string().contains("NaN"), "{words}");
    }
}

fn explains(name: &str, error: &armwise::Error) {
    let text = error.to_string();
    assert!(
        text.contains("Utrecht") && text.contains(&name[name.rfind(' ').unwrap() + 1..]),
        "{name}: {text}"
    );
    assert!(!text.contains("NaN"), "{name}: {text}");
    if std::env::var("ARMWISE_TINY").is_ok() {
        println!("{name} | {} | {text}", error.kind().name());
    }
}

/// Near to the digits that searches and iterations keep, `size` being that of the numbers behind; the limits
/// of Firth's profile likelihood are searched to fewer. A limit has the errors of its value and its standard
/// error, however near to zero it comes.
fn near(name: &str, a: f64, b: f64, size: f64) -> bool {
    let digits = if name.contains("Firth") { 1e-5 } else { 1e-7 };
    a == b || (a - b).abs() <= digits * (1e-3 * size + a.abs().max(b.abs()))
}

/// Makes the `size` of a limit count as the limit itself does.
const LIMITS: f64 = 1e3;

fn same(name: &str, one: &Answer, two: &Answer) {
    match (one, two) {
        (Ok(one), Ok(two)) => {
            for estimate in one.iter() {
                let place = LABELS[0].iter().position(|label| *estimate.treatment() == *label).unwrap();
                let other = two.treatment(LABELS[1][place]).unwrap();
                let size = estimate.se() + estimate.value().abs();
                let pairs = [
                    (estimate.value(), other.value(), size),
                    (estimate.se(), other.se(), size),
                    (estimate.interval().lower(), other.interval().lower(), LIMITS * size),
                    (estimate.interval().upper(), other.interval().upper(), LIMITS * size),
                ];
                for (a, b, size) in pairs {
                    assert!(near(name, a, b, size), "{name}: {estimate:?}\nis not\n{other:?}");
                }
                assert!(
                    (estimate.p_value() - other.p_value()).abs() < 1e-6,
                    "{name}: {estimate:?}\nis not\n{other:?}"
                );
            }
        }
        (Err(one), Err(two)) => {
            assert_eq!(one.kind().name(), two.kind().name(), "{name}: {one}\nis not\n{two}");
        }
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => panic!("{name}: an answer here, but there {error}"),
    }
}

const LABELS: [&[&str]; 2] = [&["control", "guidance", "exemption", "earnings"], &["z", "y", "x", "w"]];

/// One trial through all of the list: how many answered and how many did not, and what is wrong.
pub(crate) fn check(seed: u64, list: &[Listed], faults: &mut Vec<String>) -> [usize; 2] {
    let rows = Rows::draw(seed);
    let plain = rows.trial(LABELS[0], 0).unwrap();
    let other = rows.mixed().trial(LABELS[1], 0).unwrap();
    let swapped = (rows.arms.iter().max() == Some(&1)).then(|| rows.trial(LABELS[0], 1).unwrap());
    let mut counts = [0; 2];
    for listed in list {
        let name = format!("seed {seed}, {} of {}", listed.name, listed.measure);
        let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let one = (listed.estimate)(&plain, 0.9);
            match &one {
                Ok(estimates) => sound(&name, listed, estimates),
                Err(error) => explains(&name, error),
            }
            same(&name, &one, &(listed.estimate)(&other, 0.9));
            if let Some(swapped) = &swapped {
                mirrored(&name, &one, &(listed.estimate)(swapped, 0.9));
            }
            one.is_err()
        }));
        match checked {
            Ok(failed) => counts[usize::from(failed)] += 1,
            Err(_) => faults.push(name),
        }
    }
    counts
}

/// With the other arm as reference the effect has the other sign.
fn mirrored(name: &str, one: &Answer, two: &Answer) {
    let (Ok(one), Ok(two)) = (one, two) else {
        // Take-up of the treatment is take-up of the reference then.
        assert!(one.is_err() == two.is_err(), "{name}: {one:?} {two:?}");
        return;
    };
    let (one, two) = (one.treatment("guidance").unwrap(), two.treatment("control").unwrap());
    // The effect of take-up has the same sign whichever arm is the reference.
    let sign = if name.contains("compliers") { 1.0 } else { -1.0 };
    let size = one.se() + one.value().abs();
    assert!(near(name, one.value(), sign * two.value(), size), "{name}: {one:?}\n{two:?}");
    assert!(near(name, one.se(), two.se(), size), "{name}: {one:?}\n{two:?}");
    assert!((one.p_value() - two.p_value()).abs() < 1e-6, "{name}: {one:?}\n{two:?}");
    if sign < 0.0 {
        assert!(
            near(name, one.interval().lower(), -two.interval().upper(), LIMITS * size),
            "{name}: {one:?}\n{two:?}"
        );
        assert!(
            near(name, one.interval().upper(), -two.interval().lower(), LIMITS * size),
            "{name}: {one:?}\n{two:?}"
        );
    }
}

/// Trials of the fuzzer's that had a fault once: blocks whose clusters all have one mean, but for rounding, and
/// an interval of a Cox model that is 8,000 wide with a limit near zero.
const MENDED: [u64; 3] = [16_886_269_843_337, 2_037_388_303_974_675, 2_247_982_046_039_294];

#[test]
fn small_trials_have_an_answer_or_a_sentence_whatever_the_order_and_the_names() {
    let list = list();
    let from: u64 = std::env::var("ARMWISE_FROM").ok().and_then(|x| x.parse().ok()).unwrap_or(0);
    let to: u64 = std::env::var("ARMWISE_TO").ok().and_then(|x| x.parse().ok()).unwrap_or(12);
    let (mut totals, mut faults) = ([0; 2], Vec::new());
    for seed in (from..to).chain(MENDED) {
        let counts = check(seed, &list, &mut faults);
        totals = [totals[0] + counts[0], totals[1] + counts[1]];
    }
    println!("{totals:?} failed {}", faults.len());
    assert!(faults.is_empty(), "{} faults (each above): {faults:#?}", faults.len());
    assert!(totals[0] > 500 && totals[1] > 500, "{totals:?}");
}
