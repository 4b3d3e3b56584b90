//! Pools, networks, subgroups of trials, moderators and plans.

use super::Case;
use armwise::Result;
use armwise::bayes::TauPrior;
use armwise::meta_analysis::{self as kernel, EggerTest, Test};
use armwise::prelude::*;
use armwise::progress::{Progress, Task};
use armwise::protocol::AnalysisPlan;
use armwise::report::OutcomeTable;
use std::ops::ControlFlow;

const EVENT: Measure<Binary> = Measure::binary("event").higher_is_better();

type Arms = [(&'static str, u64, u64)];

fn city(name: &str, arms: &Arms) -> Result<Comparison<Binary>> {
    Comparison::from_counts(name, &EVENT, arms.iter().copied())
}

fn cities(all: &[&Arms]) -> Result<Comparisons<Binary>> {
    let cities = all.iter().enumerate().map(|(i, arms)| city(&format!("city {i}"), arms));
    Comparisons::new(cities.collect::<Result<Vec<_>>>()?)
}

fn effects(all: &[&Arms]) -> Result<Effects<RiskDifference>> {
    cities(all)?.estimate(&DifferenceInProportions::new())
}

const ONE: &Arms = &[("control", 10, 100), ("t", 15, 90)];
const TWO: &Arms = &[("control", 20, 100), ("t", 18, 90)];
const THREE: &Arms = &[("control", 9, 80), ("t", 12, 85)];
const NONE: &Arms = &[("control", 0, 100), ("t", 0, 90)];
const SEPARATED: &Arms = &[("control", 5, 100), ("t", 0, 90)];

fn three() -> Result<TreatmentEffects<RiskDifference>> {
    effects(&[ONE, TWO, THREE])?.treatment("t")
}

/// What is right of components is wrong of anything else.
const OF_COMPONENTS: [&str; 2] = ["component", "leave out the arms"];

pub(super) const CASES: &[Case] = &[
    (
        "a treatment that no trial has",
        || effects(&[ONE, TWO])?.treatment("guidance").map(drop),
        &["there are estimates for: t"],
        &[],
    ),
    (
        "work that was stopped",
        || {
            let impatient = Progress::new(|_| ControlFlow::Break(()));
            Ok(impatient.watch(|| Task::start("draws", 10).advance(1))?)
        },
        &["stopped after 1 of 10 draws; run it again without a stop"],
        &[],
    ),
    ("nothing to pool", || ForestPlot::of_all::<RiskDifference>([]).map(drop), &["check that"], &[]),
    (
        "one study, Hartung-Knapp",
        || kernel::RandomEffects::new().test(Test::HartungKnapp).pool(&[0.1], &[0.01]).map(drop),
        &["needs at least two studies, and there is one"],
        &["1 studies", "there are one"],
    ),
    (
        "a prediction from two trials by k - 2",
        || {
            let pool = kernel::RandomEffects::new().pool(&[0.1, 0.3], &[0.01, 0.02])?;
            pool.prediction_interval(kernel::PredictionDf::KMinus2).map(drop)
        },
        &["needs 3 studies, and the pool has 2", "take another rule"],
        &[],
    ),
    (
        "an improper prior of tau with two trials",
        || {
            let improper = BayesianRandomEffects::new().tau_prior(TauPrior::ImproperUniform);
            improper.pool(&effects(&[ONE, TWO])?.treatment("t")?).map(drop)
        },
        &["2 studies with the prior", "take a proper prior"],
        &[],
    ),
    (
        "a variance of zero",
        || kernel::RandomEffects::new().pool(&[0.1, 0.2], &[0.1, 0.0]).map(drop),
        &["the sampling variance of study 2 is 0"],
        &[],
    ),
    (
        "a relative effect that is absolute",
        || {
            let difference = effects(&[ONE, TWO])?;
            OutcomeTable::new(&difference).relative(&difference).map(drop)
        },
        &["a relative effect is a ratio", "RatioOfProportions or OddsRatio"],
        &[],
    ),
    (
        "a plan without outcomes",
        || {
            let table = Table::from_csv_str("arm,event\nc,0\nt,1\n")?;
            let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
            AnalysisPlan::new("A").run(&trial).map(drop)
        },
        &["the analysis plan has an error, and nothing was run", "give at least one"],
        &["1 errors"],
    ),
    (
        "moderators that follow from each other",
        || {
            let x = [("city 0", 1.0), ("city 1", 2.0), ("city 2", 4.0)];
            let y = x.map(|(city, x)| (city, 3.0 * x));
            MetaRegression::new().number("x", x).number("y", y).fit(&three()?).map(drop)
        },
        &["moderators", "leave"],
        &OF_COMPONENTS,
    ),
    (
        "two moderators that follow from each other, of four studies",
        || {
            let moderators = kernel::Moderators::new()
                .number("x", &[1.0, 2.0, 3.0, 4.0])
                .number("y", &[2.0, 4.0, 6.0, 8.0]);
            kernel::MetaRegression::new().fit(&[0.1, 0.3, 0.2, 0.5], &[0.01; 4], &moderators).map(drop)
        },
        &["the moderators x, y follow from each other"],
        &OF_COMPONENTS,
    ),
    (
        "a moderator that does not vary",
        || {
            let x = [("city 0", 1.0), ("city 1", 1.0), ("city 2", 1.0)];
            MetaRegression::new().number("x", x).fit(&three()?).map(drop)
        },
        &["the moderator x is the same in all studies", "leave it out"],
        &OF_COMPONENTS,
    ),
    (
        "Egger's test of studies of one size",
        || EggerTest::new().test(&[0.1, 0.3, 0.2, 0.5], &[0.01; 4]).map(drop),
        &["all studies are of one size", "asymmetry cannot be judged"],
        &OF_COMPONENTS,
    ),
    (
        "Egger's test on an exact line",
        || EggerTest::new().test(&[0.1, 0.2, 0.3, 0.4], &[0.01, 0.04, 0.09, 0.16]).map(drop),
        &["EggerTest::mixed_effects or EggerTest::fixed_effects"],
        &["use EggerTest::new"],
    ),
    (
        "Egger's test of one study",
        || EggerTest::new().test(&[0.1], &[0.01]).map(drop),
        &["there is one;"],
        &["1 studies"],
    ),
    (
        "a network in two parts",
        || {
            let apart = [
                city("A", ONE)?.estimate(&DifferenceInProportions::new())?,
                city("B", &[("usual care", 3, 50), ("exemption", 8, 60)])?
                    .estimate(&DifferenceInProportions::new())?,
            ];
            NetworkMetaAnalysis::common().pool(&Effects::new(apart)?).map(drop)
        },
        &["usual care"],
        &OF_COMPONENTS,
    ),
    (
        "a network in two parts, in the numeric layer",
        || {
            let variance = armwise::ndarray::array![[0.01]];
            let network = kernel::NetworkData::new(["A", "B", "C", "D"])
                .trial("A", &["B"], &[0.1], variance.view())?
                .trial("C", &["D"], &[0.2], variance.view())?;
            network.pool("A", &kernel::MultivariateModel::common_effect()).map(drop)
        },
        &[
            "no chain of trials connects these treatments with the reference: C, D",
            "pool each connected part",
        ],
        &OF_COMPONENTS,
    ),
    (
        "components that no trial varies",
        || {
            let arms: &Arms = &[("control", 10, 100), ("both", 15, 100)];
            let with = |name: &str| city(name, arms)?.components("both", ["a", "b"]);
            let cities = Comparisons::new([with("A")?, with("B")?])?;
            ComponentModel::random().pool(&cities.estimate(&DifferenceInProportions::new())?).map(drop)
        },
        &["the components", "merge them"],
        &["moderator"],
    ),
    (
        "an arm without events at all sites",
        || OneStageLogistic::common().pool(&cities(&[SEPARATED, SEPARATED])?).map(drop),
        &["separation", "t", "MantelHaenszel", "differences in proportions"],
        &["Firth", "covariate", "column"],
    ),
    (
        "an arm without events at all sites, random effects",
        || OneStageLogistic::random().pool(&cities(&[SEPARATED, SEPARATED])?).map(drop),
        &["separation", "MantelHaenszel"],
        &["Firth", "covariate", "column"],
    ),
    (
        "no events at all sites",
        || OneStageLogistic::common().pool(&cities(&[NONE, NONE])?).map(drop),
        &["nobody among 380 participants had the event"],
        &["rate"],
    ),
    (
        "no events in any trial, Mantel-Haenszel",
        || MantelHaenszel::new(LogOddsRatio).pool(&cities(&[NONE, NONE])?, "t").map(drop),
        &["no events", "risk or rate difference"],
        &["component"],
    ),
    (
        "one subgroup",
        || {
            Subgroups::by("size", ["city 0", "city 1", "city 2"].map(|city| (city, "large")))
                .pool(&three()?)
                .map(drop)
        },
        &["at least two"],
        &["1 subgroups"],
    ),
    (
        "weights that are all zero",
        || {
            let weights =
                ParticipantWeighted::new().weights(["city 0", "city 1", "city 2"].map(|city| (city, 0.0)));
            weights.pool(&three()?).map(drop)
        },
        &["give finite numbers of zero or more"],
        &[],
    ),
    (
        "an order that leaves a trial out",
        || {
            let sensitivity = RandomEffects::new().sensitivity(&three()?)?;
            let order = armwise::pool::CumulativeOrder::Named(vec![Label::new("city 0")]);
            sensitivity.cumulative(&order).map(drop)
        },
        &["order"],
        &[],
    ),
];
