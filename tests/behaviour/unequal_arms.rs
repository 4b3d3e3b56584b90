//! Arms that differ in their strata, in their covariates, or in the weights of their people: what presumes that
//! they do not says so.

use crate::support::{Numbers, assert_near};
use armwise::pool::{ArmPool, ArmTransformation};
use armwise::prelude::*;
use armwise::proportion::DifferenceInterval;
use armwise::regression::MarginalVariance;
use armwise::report::Report;
use std::fmt::Write as _;

const EVENT: Measure<Binary> = Measure::binary("event").higher_is_better();

/// A trial of people in cells: arm, stratum, events, people.
fn trial(name: &str, cells: &[(&str, &str, usize, usize)], strata: bool) -> Trial {
    let mut text = "arm,stratum,event,age\n".to_owned();
    for (arm, stratum, events, people) in cells {
        for i in 0..*people {
            let age = 30 + (7 * i + people) % 11;
            writeln!(text, "{arm},{stratum},{},{age}", u8::from(i < *events)).unwrap();
        }
    }
    let builder = Trial::builder(name, Table::from_csv_str(&text).unwrap()).arm_labels("arm").control("c");
    if strata { builder.strata(["stratum"]) } else { builder }.build().unwrap()
}

/// Arms that differ in their strata.
const APART: [(&str, &str, usize, usize); 4] =
    [("c", "a", 2, 14), ("c", "b", 1, 2), ("t", "a", 1, 2), ("t", "b", 12, 14)];

/// Arms that are alike.
const ALIKE: [(&str, &str, usize, usize); 4] =
    [("c", "a", 2, 9), ("c", "b", 4, 8), ("t", "a", 3, 8), ("t", "b", 6, 9)];

fn unequal(notices: &[Notice]) -> Option<f64> {
    notices.iter().find_map(|notice| match notice {
        Notice::UnequalStrata { p_value } => Some(*p_value),
        _ => None,
    })
}

#[test]
fn a_variance_that_presumes_balance_says_where_there_is_none() {
    let adjusted = LogisticRegression::new().adjust_for(["stratum"]).marginal(RiskDifference);
    let apart = trial("Utrecht", &APART, true).on(&EVENT).unwrap();
    let effects = apart.estimate(&adjusted).unwrap();
    // Pearson's chi-squared of 14, 2 against 2, 14 is 32 (14 14 - 2 2)^2 / 16^4 = 18.
    assert_near(unequal(effects.notices()).unwrap(), 2.209_049_7e-5, 1e-11);
    // Fisher's exact test of 7, 1 against 1, 7: 2 (8 8 + 1) of the 12870 ways to choose 8 of 16.
    let half = APART.map(|(arm, stratum, events, people)| (arm, stratum, events / 2, people / 2));
    let few = trial("Utrecht", &half, true).on(&EVENT).unwrap();
    let crude = few.estimate(&DifferenceInProportions::new()).unwrap();
    assert_near(unequal(crude.notices()).unwrap(), 130.0 / 12870.0, 1e-9);
    let words = effects.to_string();
    assert!(words.contains("more than randomisation within strata explains (p < 0.001)"), "{words}");
    assert!(words.contains("MarginalVariance::Superpopulation"), "{words}");
    // The variance that is advised presumes nothing, and says nothing.
    let model = LogisticRegression::new().adjust_for(["stratum"]);
    let instead = model.clone().marginal(RiskDifference).variance(MarginalVariance::Superpopulation);
    let instead = apart.estimate(&instead).unwrap();
    assert_eq!(instead.notices(), []);
    let (narrow, wide) =
        (effects.treatment("t").unwrap().interval(), instead.treatment("t").unwrap().interval());
    assert!(wide.width() > 1.5 * narrow.width(), "{narrow:?} {wide:?}");
    // So do those that compare people within strata.
    let within = DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato);
    assert_eq!(unequal(apart.estimate(&within).unwrap().notices()), None);
    assert_eq!(
        unequal(apart.estimate(&LinearRegression::new().adjust_for(["stratum"])).unwrap().notices()),
        None
    );
    let blocked = DifferenceInMeans::new().blocks(Blocks::BySize);
    let score = trial("Utrecht", &APART, true).on(&Measure::continuous("event")).unwrap();
    assert_eq!(unequal(score.estimate(&blocked).unwrap().notices()), None);
    // Those that do not use the strata are biased.
    for notices in [
        apart.estimate(&DifferenceInProportions::new()).unwrap().notices().to_vec(),
        apart.estimate(&OddsRatio::new()).unwrap().notices().to_vec(),
        apart.estimate(&LogisticRegression::new().adjust_for(["age"])).unwrap().notices().to_vec(),
        apart
            .estimate(&LogisticRegression::new().adjust_for(["age"]).marginal(RiskDifference))
            .unwrap()
            .notices()
            .to_vec(),
        apart
            .estimate(&InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]))
            .unwrap()
            .notices()
            .to_vec(),
        apart.estimate(&DoublyRobust::new(RiskDifference).adjust_for(["age"])).unwrap().notices().to_vec(),
        score.estimate(&DifferenceInMeans::new()).unwrap().notices().to_vec(),
        score.estimate(&LinearRegression::new().adjust_for(["age"])).unwrap().notices().to_vec(),
    ] {
        assert!(unequal(&notices).is_some(), "{notices:?}");
    }
    // Arms that are alike have nothing to say.
    let alike = trial("Utrecht", &ALIKE, true).on(&EVENT).unwrap();
    assert_eq!(alike.estimate(&adjusted).unwrap().notices(), []);
    assert_eq!(unequal(alike.estimate(&DifferenceInProportions::new()).unwrap().notices()), None);
}

#[test]
fn covariates_that_tell_the_arms_apart_are_told_of_a_variance_that_presumes_balance() {
    let adjusted = LogisticRegression::new().adjust_for(["stratum"]).marginal(RiskDifference);
    let apart = trial("Utrecht", &APART, false).on(&EVENT).unwrap();
    let effects = apart.estimate(&adjusted).unwrap();
    let told = |notice: &&Notice| matches!(notice, Notice::UnequalCovariates { .. });
    let Some(Notice::UnequalCovariates { arm, r2, p_value }) = effects.notices().iter().find(told) else {
        panic!("{effects}");
    };
    // The correlation of two flags is (14 14 - 2 2) / 16^2.
    assert_eq!(*arm, "t");
    assert_near(*r2, 0.75 * 0.75, 1e-12);
    assert!(*p_value < 1e-5, "{p_value}");
    let alike = trial("Utrecht", &ALIKE, false).on(&EVENT).unwrap();
    assert_eq!(alike.estimate(&adjusted).unwrap().notices(), []);
}

/// It arrives in the pool, its report, its table and its figure, with the smallest p-value.
#[test]
fn unequal_strata_arrive_in_a_pool() {
    let adjusted = LogisticRegression::new().adjust_for(["stratum"]).marginal(RiskDifference);
    let trials = [trial("A", &APART, true), trial("B", &ALIKE, true), trial("C", &ALIKE, true)];
    let effects = trials.iter().map(|trial| trial.on(&EVENT).unwrap().estimate(&adjusted).unwrap());
    let pooled = RandomEffects::new().pool(&Effects::new(effects).unwrap().treatment("t").unwrap()).unwrap();
    let mut report = Report::new("All");
    report.push(&pooled);
    let words = "more than randomisation within strata explains";
    for text in [report.to_text(), report.to_markdown(), report.to_csv(), ForestPlot::of(&pooled).to_svg()] {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = text.replace("</tspan>", "").replace("<tspan", " ");
        assert!(plain.contains(words) || plain.contains("randomisation within strata"), "{text}");
    }
}

/// One person of the other age carries nearly all the weight of an arm.
fn dominated() -> Trial {
    let mut text = "arm,age,event,months\n".to_owned();
    for i in 0..40 {
        writeln!(text, "c,{},{},{}", 20 + i % 8, u8::from(i % 4 == 0), 3 + i % 5).unwrap();
    }
    for i in 0..39 {
        writeln!(text, "t,{},{},{}", 26 + i % 8, u8::from(i % 3 == 0), 3 + i % 7).unwrap();
    }
    writeln!(text, "t,18,1,9").unwrap();
    let table = Table::from_csv_str(&text).unwrap();
    Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap()
}

#[test]
fn weights_that_lie_on_one_person_are_told() {
    let trial = dominated();
    let event = trial.on(&EVENT).unwrap();
    let weighted = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]);
    let augmented = DoublyRobust::new(MeanDifference).adjust_for(["age"]);
    let months = trial.on(&Measure::continuous("months")).unwrap();
    for (notices, words) in [
        (
            event.estimate(&weighted).unwrap().notices().to_vec(),
            event.estimate(&weighted).unwrap().to_string(),
        ),
        (
            months.estimate(&augmented).unwrap().notices().to_vec(),
            months.estimate(&augmented).unwrap().to_string(),
        ),
    ] {
        let found = notices.iter().find_map(|notice| match notice {
            Notice::DominantWeights { arm, people, effective, largest_share } if *arm == "t" => {
                Some((*people, *effective, *largest_share))
            }
            _ => None,
        });
        let (people, effective, share) = found.unwrap_or_else(|| panic!("{words}"));
        assert_eq!(people, 40);
        assert!(share > 0.2 && effective < 1.0 / (share * share), "{share} {effective}");
        assert!(words.contains("one person carries") && words.contains("effective people of 40"), "{words}");
    }
    // Weights of a randomised trial are nearly alike.
    let alike = self::trial("Utrecht", &ALIKE, false).on(&EVENT).unwrap();
    let weighted = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["age"]);
    assert_eq!(alike.estimate(&weighted).unwrap().notices(), []);
}

/// Probability weights of people, whatever the model.
#[test]
fn given_weights_that_lie_on_one_person_are_told() {
    let mut text = "arm,w,event\n".to_owned();
    for i in 0..60 {
        let weight = if i == 7 { 900 } else { 10 + i % 3 };
        writeln!(text, "{},{weight},{}", ["c", "t"][i % 2], u8::from(i % 5 < 2)).unwrap();
    }
    let table = Table::from_csv_str(&text).unwrap();
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build().unwrap();
    let event = trial.on(&EVENT).unwrap();
    let linear = LinearRegression::new().weights("w");
    let logistic = LogisticRegression::new().weights("w").marginal(RiskDifference);
    let weighted = InverseProbabilityWeighting::new(RiskDifference).weights("w");
    for notices in [
        event.estimate(&linear).unwrap().notices().to_vec(),
        event.estimate(&logistic).unwrap().notices().to_vec(),
        event.estimate(&weighted).unwrap().notices().to_vec(),
    ] {
        let told = notices
            .iter()
            .filter(|notice| matches!(notice, Notice::DominantWeights { arm, .. } if *arm == "t"));
        assert_eq!(told.count(), 1, "{notices:?}");
    }
}

#[test]
fn an_interval_beyond_what_a_difference_can_be_is_told() {
    let cells = [("c", "a", 0, 4), ("t", "a", 3, 4)];
    let event = trial("Utrecht", &cells, false).on(&EVENT).unwrap();
    let beyond = |notices: &[Notice]| {
        let told =
            |notice: &&Notice| matches!(notice, Notice::ImpossibleLimits { treatment } if *treatment == "t");
        notices.iter().filter(told).count()
    };
    let wald = DifferenceInProportions::new().interval(DifferenceInterval::Wald);
    let wald = event.estimate(&wald).unwrap();
    assert!(wald.treatment("t").unwrap().interval().upper() > 1.0);
    assert_eq!(beyond(wald.notices()), 1);
    assert!(wald.to_string().contains("reaches beyond 100 percentage points"), "{wald}");
    assert_eq!(beyond(event.estimate(&DifferenceInProportions::new()).unwrap().notices()), 0);
}

/// Proportions end at 0 and 100%, rates at 0, and their decimals are those of their standard error.
#[test]
fn arms_by_themselves_print_what_they_can_be() {
    let city = |(name, events): (&str, u64)| {
        Comparison::from_counts(name, &EVENT, [("c", events, 20), ("t", 20 - events, 20)]).unwrap()
    };
    let cities = Comparisons::new([("A", 1), ("B", 19)].map(city)).unwrap();
    for to in [
        ArmTransformation::Plain,
        ArmTransformation::Log,
        ArmTransformation::Logit,
        ArmTransformation::Arcsine,
        ArmTransformation::FreemanTukey,
    ] {
        let pooled = ArmPool::transformed(to).pool(&cities).unwrap();
        for arm in &pooled.arms {
            for interval in [arm.interval(), arm.prediction().unwrap(), arm.interval_at(0.999).unwrap()] {
                assert!(interval.lower() >= 0.0 && interval.upper() <= 1.0, "{to:?}: {interval:?}");
            }
        }
        let text = pooled.to_string();
        let mut report = Report::new("Arms");
        report.push(&pooled);
        for text in [text, report.to_text()] {
            let pooled =
                text.lines().filter(|line| line.contains("pooled ") || line.contains("prediction interval"));
            let text: String =
                pooled.map(|line| line.split("; tau2").next().unwrap().to_owned() + "\n").collect();
            assert!(text.contains("100.0"), "{text}");
            let long = text
                .split(|c: char| !c.is_ascii_digit() && c != '.')
                .find(|number| number.split_once('.').is_some_and(|(_, decimals)| decimals.len() > 3));
            assert_eq!(long, None, "{to:?}: {text}");
        }
    }
    let logistic = ArmPool::logistic().pool(&cities).unwrap();
    assert!(!logistic.to_string().contains("0.0000"), "{logistic}");
}

/// A stratified score interval compares a treatment with the reference; between treatments it is Wald's, and says
/// so.
#[test]
fn intervals_between_treatments_say_where_they_are_of_another_kind() {
    let cells = [
        ("c", "a", 2, 12),
        ("c", "b", 3, 10),
        ("t", "a", 4, 12),
        ("t", "b", 5, 10),
        ("u", "a", 6, 12),
        ("u", "b", 6, 10),
    ];
    let event = trial("Utrecht", &cells, true).on(&EVENT).unwrap();
    let told = |notices: &[Notice]| {
        notices.iter().find_map(|notice| match notice {
            Notice::WaldInstead { interval } => Some(interval.clone()),
            _ => None,
        })
    };
    let score = DifferenceInProportions::new()
        .mantel_haenszel(MantelHaenszelVariance::Sato)
        .interval(DifferenceInterval::MiettinenNurminen);
    let score = event.estimate(&score).unwrap();
    assert_eq!(told(score.notices()), None);
    let between = score.between("u", "t").unwrap();
    assert_eq!(told(between.notices()).as_deref(), Some("stratified Miettinen-Nurminen"));
    assert!(
        between.to_string().contains("compare these two arms alone with compare(..).versus(..)"),
        "{between}"
    );
    let weights = [("t", 0.5), ("u", 0.5)];
    assert!(told(score.combination("either", &weights).unwrap().notices()).is_some());
    // Crude counts have their own interval between treatments, and Wald's is Wald's.
    let crude = event.estimate(&DifferenceInProportions::new()).unwrap();
    assert_eq!(told(crude.between("u", "t").unwrap().notices()), None);
    let wald = DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato);
    assert_eq!(told(event.estimate(&wald).unwrap().between("u", "t").unwrap().notices()), None);
}

/// Models of all trials, and pools of their counts, say that they do not use declared strata.
#[test]
fn models_of_several_trials_say_that_strata_are_ignored() {
    let trials = [trial("A", &ALIKE, true), trial("B", &ALIKE, true), trial("C", &APART, true)];
    let on = |measure: &Measure<Binary>| {
        Comparisons::new(trials.iter().map(|trial| trial.on(measure).unwrap())).unwrap()
    };
    let scores = Measure::continuous("age");
    let scores = Comparisons::new(trials.iter().map(|trial| trial.on(&scores).unwrap())).unwrap();
    let events = on(&EVENT);
    let of = |notices: &[Notice]| {
        let mut found = (0, 0);
        for notice in notices {
            match notice {
                Notice::OfTrials { trials, notice }
                    if matches!(**notice, Notice::StrataIgnored { strata: 6 }) =>
                {
                    found.0 += trials.len();
                }
                Notice::OfTrials { trials, notice } if matches!(**notice, Notice::UnequalStrata { .. }) => {
                    assert_eq!(*trials, [Label::new("C")]);
                    found.1 += 1;
                }
                _ => {}
            }
        }
        found
    };
    let counts = MantelHaenszel::new(RiskDifference).pool(&events, "t").unwrap();
    assert_eq!(of(counts.notices()), (3, 1), "{counts}");
    assert_eq!(of(Peto::new().pool(&events, "t").unwrap().notices()), (3, 1));
    assert_eq!(of(OneStageLogistic::common().pool(&events).unwrap().notices()), (3, 1));
    assert_eq!(of(OneStageLinear::common().pool(&scores).unwrap().notices()), (3, 1));
}

/// Permuted blocks leave less than random differences, so that the notice stays away from trials that were
/// stratified as they declare; and people at random have it about as often as the level of its test says.
#[test]
fn stratified_randomisation_is_hardly_ever_called_unequal() {
    let mut random = Numbers(7);
    let mut told = [0, 0];
    for _ in 0..300 {
        let sizes: Vec<usize> = (0..4).map(|_| 6 + random.below(30)).collect();
        for (kind, told) in told.iter_mut().enumerate() {
            let mut text = "arm,stratum,event\n".to_owned();
            for (stratum, size) in sizes.iter().enumerate() {
                let mut block: Vec<&str> = Vec::new();
                for person in 0..*size {
                    if block.is_empty() {
                        block = vec!["c", "c", "t", "t"];
                    }
                    let arm = if kind == 0 {
                        block.remove(random.below(block.len()))
                    } else {
                        ["c", "t"][random.below(2)]
                    };
                    writeln!(text, "{arm},{stratum},{}", person % 2).unwrap();
                }
            }
            let builder = Trial::builder("Utrecht", Table::from_csv_str(&text).unwrap());
            let trial = builder.arm_labels("arm").control("c").strata(["stratum"]).build().unwrap();
            let effects = trial.on(&EVENT).unwrap().estimate(&DifferenceInProportions::new()).unwrap();
            *told += usize::from(unequal(effects.notices()).is_some());
        }
    }
    assert_eq!(told[0], 0);
    assert!((5..30).contains(&told[1]), "{told:?}");
}

/// A t distribution of two trials reaches beyond what a difference can be.
#[test]
fn pools_beyond_what_a_difference_can_be_are_told() {
    let city = |(name, events): (&str, u64)| {
        Comparison::from_counts(name, &EVENT, [("c", 5, 20), ("t", events, 20)]).unwrap()
    };
    let effects =
        Comparisons::new([("A", 3), ("B", 17)].map(city)).unwrap().estimate(&DifferenceInProportions::new());
    let effects = effects.unwrap();
    let beyond = |notices: &[Notice]| {
        notices
            .iter()
            .filter(|notice| matches!(notice, Notice::ImpossibleLimits { treatment } if *treatment == "t"))
            .count()
    };
    let pooled = RandomEffects::new().pool(&effects.treatment("t").unwrap()).unwrap();
    assert!(pooled.interval().upper() > 1.0);
    assert_eq!(beyond(pooled.notices()), 1);
    let joint = JointModel::random().pool(&effects).unwrap();
    assert!(joint.coefficients()[0].interval().upper() > 1.0);
    assert_eq!(beyond(joint.notices()), 1);
    let common = CommonEffect::new().pool(&effects.treatment("t").unwrap()).unwrap();
    assert_eq!(beyond(common.notices()), 0);
}

/// Where clusters were randomised they are counted, not their people; clusters that lie in several strata tell nothing.
#[test]
fn randomised_clusters_are_counted_and_not_their_people() {
    let clustered = |strata: [&str; 2]| {
        let mut text = "arm,stratum,school,event\n".to_owned();
        for school in 0..8 {
            // Two of four schools of a stratum to each arm, of very different sizes.
            let (arm, stratum) = (["c", "t"][school % 2], strata[school / 4]);
            let people = if (arm == "t") == (stratum == "a") { 20 } else { 5 };
            for person in 0..people {
                writeln!(text, "{arm},{stratum},{school},{}", person % 2).unwrap();
            }
        }
        let builder =
            Trial::builder("Utrecht", Table::from_csv_str(&text).unwrap()).arm_labels("arm").control("c");
        let trial = builder.strata(["stratum"]).clusters("school").build().unwrap();
        trial.on(&EVENT).unwrap().estimate(&DifferenceInProportions::new()).unwrap()
    };
    // Of people 60 against 15 in the one stratum and 15 against 60 in the other would be p < 0.001.
    assert_eq!(unequal(clustered(["a", "b"]).notices()), None);
}

/// What an attack found: an interval half as wide as it should be is told.
#[test]
fn the_interval_that_is_too_short_is_printed_with_what_to_use_instead() {
    let adjusted = LogisticRegression::new().adjust_for(["stratum"]);
    let apart = trial("Utrecht", &APART, true).on(&EVENT).unwrap();
    let effect = apart.estimate(&adjusted.clone().marginal(RiskDifference)).unwrap();
    let one = effect.treatment("t").unwrap();
    assert_near(100.0 * one.value(), 35.7, 2e-3);
    assert_near(100.0 * one.interval().lower(), 9.1, 1e-2);
    assert_near(100.0 * one.interval().upper(), 62.3, 2e-3);
    println!("{effect}");
    let wide = adjusted.marginal(RiskDifference).variance(MarginalVariance::Superpopulation);
    let wide = apart.estimate(&wide).unwrap();
    assert_near(100.0 * wide.treatment("t").unwrap().interval().lower(), -15.0, 1e-2);
    assert_near(100.0 * wide.treatment("t").unwrap().interval().upper(), 86.4, 2e-3);
}
