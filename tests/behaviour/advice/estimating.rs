//! Estimators and the numeric layer.

use super::{Case, rows, trial};
use crate::support::Numbers;
use armwise::Result;
use armwise::categorical::{ContingencyTable, CumulativeRegression, MultinomialRegression as Multinomial};
use armwise::effect::VarianceMethod;
use armwise::estimator::AnyEstimator;
use armwise::mean::Blocks;
use armwise::ndarray::{ArrayView1, array};
use armwise::prelude::*;
use armwise::regression::{Category, Family, Glm, Link, ModelMatrix};
use armwise::survival::{Cox, GrayTest, SurvivalData};

const EVENT: Measure<Binary> = Measure::binary("y");
const COUNT: Measure<Count> = Measure::count("y");
const SCORE: Measure<Continuous> = Measure::continuous("y");

fn ordered() -> Measure<Ordinal> {
    Measure::ordinal("y", &["none", "temporary", "permanent"])
}

fn nominal() -> Measure<Nominal> {
    Measure::nominal("y", &["none", "temporary", "permanent"])
}

/// Nobody of the treatment has the event, an amount, or is in a middle category.
fn empty_arm() -> Result<Trial> {
    trial(&rows(
        "arm,y,x",
        &[("c,0,1", 4), ("c,1,1", 3), ("c,1,2", 2), ("c,0,2", 3), ("t,0,1", 5), ("t,0,2", 4)],
    ))
}

/// `x` decides the event in both arms.
fn decided() -> Result<Trial> {
    trial(&rows("arm,y,x", &[("c,0,1", 4), ("c,1,5", 3), ("t,0,2", 5), ("t,1,6", 4)]))
}

fn amounts(csv: &[(&str, usize)]) -> Result<()> {
    trial(&rows("arm,y,x", csv))?.on(&SCORE)?.estimate(&TwoPartRegression::new().adjust_for(["x"])).map(drop)
}

static RISING: [f64; 12] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0];

fn matrix(n: usize) -> Result<ModelMatrix<'static>> {
    ModelMatrix::new(n).intercept()?.numeric("x", ArrayView1::from(&RISING[..n]))
}

/// What helps events, and what helps nothing else.
const OF_EVENTS: [&str; 4] = ["Firth", "in proportions", "proportion", "LinearRegression"];

/// The variance for strata where these decide the outcome, and arms are not alike in their strata.
fn negative_variance() -> Result<()> {
    let csv = rows("arm,s,y", &[("c,a,0", 2), ("c,b,1", 14), ("t,a,0", 14), ("t,b,1", 2)]);
    let builder = Trial::builder("Utrecht", Table::from_csv_str(&csv)?).arm_labels("arm").control("c");
    let event = builder.strata(["s"]).build()?.on(&EVENT)?;
    event.estimate(&LogisticRegression::new().marginal(RiskDifference)).map(drop)
}

/// Arm against arm where the covariance of what they share is larger than their variances.
fn negative_difference(variance: VarianceMethod) -> Result<()> {
    let arms = [("c", 4, 10), ("t", 5, 10), ("u", 6, 10)];
    let counts = Comparison::from_counts("Utrecht", &EVENT, arms)?;
    let covariance = array![[1e-2, 0.0, 0.0], [0.0, 1e-3, 5e-3], [0.0, 5e-3, 1e-3]];
    let means =
        ArmMeans::new(&counts, vec![0.4, 0.5, 0.6], covariance, Method::new("as is").variance(variance))?;
    means.contrast(RiskDifference)?.between("t", "u").map(drop)
}

/// Means on the boundary of what the link allows.
fn not_converged() -> Result<()> {
    for seed in 0..500 {
        let mut numbers = Numbers(seed);
        let y: Vec<bool> = (0..12).map(|i| numbers.chance(0.05 + 0.08 * f64::from(i))).collect();
        for link in [Link::Log, Link::Identity] {
            let answer = Glm::new(Family::Binomial).link(link).fit(&matrix(12)?, y.as_slice()).map(drop);
            if answer.as_ref().is_err_and(|error| error.kind().name() == "not_converged") {
                return answer;
            }
        }
    }
    Ok(())
}

/// The errors of options in JSON.
fn json(text: &str) -> Result<()> {
    let plan = format!(
        r#"{{"title": "A", "outcomes": [{{"measure": {{"kind": "binary", "column": "y"}}, "analyses": [{text}]}}]}}"#
    );
    armwise::protocol::AnalysisPlan::from_json(&plan).map(drop)
}

fn few_clusters(csv: &str) -> Result<()> {
    let table = Table::from_csv_str(csv)?;
    let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").clusters("k").build()?;
    trial.on(&EVENT)?.estimate(&DifferenceInProportions::new()).map(drop)
}

pub(super) const CASES: &[Case] = &[
    (
        "an arm without events, logistic",
        || empty_arm()?.on(&EVENT)?.estimate(&LogisticRegression::new()).map(drop),
        &["separation", "arm[t]", "FirthLogisticRegression", "LinearRegression", "DifferenceInProportions"],
        &["leave the covariate out"],
    ),
    (
        "an arm without events beside a covariate, logistic",
        || empty_arm()?.on(&EVENT)?.estimate(&LogisticRegression::new().adjust_for(["x"])).map(drop),
        &["FirthLogisticRegression", "LinearRegression"],
        &["leave the covariate out"],
    ),
    (
        "a covariate that decides events, logistic",
        || decided()?.on(&EVENT)?.estimate(&LogisticRegression::new().adjust_for(["x"])).map(drop),
        &["separation", "x (to", "leave the covariate out", "FirthLogisticRegression", "LinearRegression"],
        &["in proportions"],
    ),
    (
        "a covariate that decides events, standardised",
        || {
            let model = LogisticRegression::new().adjust_for(["x"]).marginal(RiskDifference);
            decided()?.on(&EVENT)?.estimate(&model).map(drop)
        },
        &["leave the covariate out", "FirthLogisticRegression"],
        &[],
    ),
    (
        "a column that decides events, probit",
        || {
            let y: Vec<bool> = (0..8).map(|i| i > 3).collect();
            Glm::new(Family::Binomial).link(Link::Probit).fit(&matrix(8)?, y.as_slice()).map(drop)
        },
        &["complete separation", "leave the column out", "Firth"],
        &["arm", "covariate"],
    ),
    (
        "an arm without events, Poisson",
        || empty_arm()?.on(&COUNT)?.estimate(&PoissonRegression::new()).map(drop),
        &["arm[t]", "DifferenceInRates", "exact"],
        &OF_EVENTS,
    ),
    (
        "an arm without events, negative binomial",
        || empty_arm()?.on(&COUNT)?.estimate(&NegativeBinomialRegression::new()).map(drop),
        &["arm[t]", "DifferenceInRates", "exact"],
        &OF_EVENTS,
    ),
    (
        "a level without events, Poisson",
        || {
            let csv = rows("arm,y,x", &[("c,0,a", 4), ("c,2,b", 3), ("t,0,a", 5), ("t,1,b", 4)]);
            trial(&csv)?.on(&COUNT)?.estimate(&PoissonRegression::new().adjust_for(["x"])).map(drop)
        },
        &["leave the covariate out", "DifferenceInRates"],
        &OF_EVENTS,
    ),
    (
        "a group without events, Poisson in the numeric layer",
        || {
            let group = [0, 0, 0, 1, 1, 1];
            let matrix = ModelMatrix::new(6).intercept()?.category("g", Category::new(&group, ["a", "b"]))?;
            let y = array![0.0, 0.0, 0.0, 2.0, 1.0, 3.0];
            Glm::new(Family::Poisson).fit(&matrix, y.view()).map(drop)
        },
        &["leave the column out", "exact interval"],
        &OF_EVENTS,
    ),
    (
        "hazards of a group without events",
        || {
            let data = SurvivalData::new(&[3.0, 5.0, 8.0, 2.0, 4.0, 9.0], &[0, 0, 0, 1, 1, 1])?;
            let group = [1, 1, 1, 0, 0, 0];
            let matrix = ModelMatrix::new(6).category("g", Category::new(&group, ["a", "b"]))?;
            Cox::new().fit(&data, &matrix).map(drop)
        },
        &["separation", "g[b] (to -infinity)", "FirthCox"],
        &["proportion"],
    ),
    (
        "hazards by two covariates that are one",
        || {
            let data = SurvivalData::new(&RISING[..8], &[1, 1, 0, 1, 1, 1, 0, 1])?;
            let age = [30.0, 52.0, 41.0, 25.0, 60.0, 33.0, 47.0, 38.0];
            let twice = age.map(|age| 2.0 * age);
            let matrix = ModelMatrix::new(8).numeric("age", ArrayView1::from(&age))?;
            let matrix = matrix.numeric("twice", ArrayView1::from(&twice))?;
            Cox::new().fit(&data, &matrix).map(drop)
        },
        &["twice", "leave"],
        &["component", "arms", "moderator"],
    ),
    (
        "times without an event of the cause",
        || {
            let data = SurvivalData::new(&[3.0, 5.0, 8.0, 2.0], &[0, 2, 0, 2])?;
            GrayTest::new(&data, &[0, 0, 1, 1], 1).map(drop)
        },
        &["cause 1"],
        &["proportion"],
    ),
    (
        "a ratio of rates of an arm without events",
        || empty_arm()?.on(&COUNT)?.estimate(&RatioOfRates::new()).map(drop),
        &["difference in rates"],
        &["proportion", "Firth"],
    ),
    (
        "a ratio of rates of an arm without events, exact",
        || {
            use armwise::rate::RateRatioInterval::ExactConditional;
            empty_arm()?.on(&COUNT)?.estimate(&RatioOfRates::new().interval(ExactConditional)).map(drop)
        },
        &["difference in rates", "95% interval", "runs from 0 to"],
        &["proportion", "Firth"],
    ),
    (
        "a ratio of proportions of an arm without events",
        || empty_arm()?.on(&EVENT)?.estimate(&RatioOfProportions::new()).map(drop),
        &["runs from 0 to", "difference in proportions", "AddHalf"],
        &["rates"],
    ),
    (
        "an arm in which everybody has an amount",
        || amounts(&[("c,0,1", 3), ("c,5,2", 3), ("c,4,1", 3), ("c,0,2", 2), ("t,6,1", 5), ("t,8,2", 5)]),
        &["arm[t]", "LinearRegression", "DifferenceInMeans", "zeros included"],
        &["Firth", "proportion", "leave the covariate out"],
    ),
    (
        "a covariate that decides who has an amount",
        || amounts(&[("c,0,1", 3), ("c,5,6", 3), ("t,0,2", 5), ("t,8,7", 5)]),
        &["leave the covariate out", "LinearRegression"],
        &["Firth", "proportion"],
    ),
    (
        "everybody has an amount",
        || amounts(&[("c,3,1", 3), ("c,5,6", 3), ("t,4,2", 5), ("t,8,7", 5)]),
        &["everybody has an amount", "LinearRegression"],
        &["1 in every row", "proportion"],
    ),
    (
        "nobody has an amount",
        || amounts(&[("c,0,1", 3), ("c,0,6", 3), ("t,0,2", 5), ("t,0,7", 5)]),
        &["nobody has an amount"],
        &["0 in every row", "proportion"],
    ),
    (
        "an arm in the highest category, proportional odds",
        || {
            let csv =
                rows("arm,y", &[("c,none", 4), ("c,temporary", 3), ("c,permanent", 2), ("t,permanent", 8)]);
            trial(&csv)?.on(&ordered())?.estimate(&ProportionalOddsRegression::new()).map(drop)
        },
        &["arm[t]", "WinProbability", "DifferenceInCategories"],
        &["Firth", "in proportions", "leave the covariate out"],
    ),
    (
        "a covariate that decides the order",
        || {
            let cells = [
                ("c,none,1", 4),
                ("c,temporary,3", 3),
                ("t,none,2", 4),
                ("t,temporary,4", 5),
                ("t,permanent,9", 3),
            ];
            let model = ProportionalOddsRegression::new().adjust_for(["x"]);
            trial(&rows("arm,y,x", &cells))?.on(&ordered())?.estimate(&model).map(drop)
        },
        &["leave the covariate out", "WinProbability"],
        &["Firth", "in proportions"],
    ),
    (
        "a column that decides the order",
        || {
            let y = [0, 0, 0, 1, 1, 1, 2, 2];
            let matrix = ModelMatrix::new(8).numeric("x", ArrayView1::from(&RISING[..8]))?;
            CumulativeRegression::new().fit(&matrix, Category::new(&y, ["0", "1", "2"])).map(drop)
        },
        &["leave the column out", "merge categories"],
        &["Firth", "proportion", "arm"],
    ),
    (
        "an arm without a category, multinomial",
        || {
            let cells =
                [("c,none", 4), ("c,temporary", 3), ("c,permanent", 2), ("t,none", 4), ("t,permanent", 8)];
            let comparison = trial(&rows("arm,y", &cells))?.on(&nominal())?;
            comparison.estimate_categories(&MultinomialRegression::new()).map(drop)
        },
        &["temporary: arm[t]", "merge categories", "DifferenceInCategories"],
        &["Firth", "in proportions", "leave the covariate out"],
    ),
    (
        "a covariate that decides the category",
        || {
            let cells = [("c,none,1", 4), ("c,temporary,8", 3), ("t,none,2", 4), ("t,temporary,9", 8)];
            let comparison = trial(&rows("arm,y,x", &cells))?.on(&nominal())?;
            comparison.estimate_categories(&MultinomialRegression::new().adjust_for(["x"])).map(drop)
        },
        &["leave the covariate out", "DifferenceInCategories"],
        &["Firth", "in proportions"],
    ),
    (
        "a column that decides the category",
        || {
            let y = [0, 0, 0, 0, 1, 1, 1, 1];
            Multinomial::new().fit(&matrix(8)?, Category::new(&y, ["0", "1"])).map(drop)
        },
        &["leave the column out"],
        &["Firth", "proportion", "arm"],
    ),
    (
        "a covariate that decides the arm, weighting",
        || {
            let csv = rows("arm,y,x", &[("c,0,1", 4), ("c,1,2", 3), ("t,0,8", 5), ("t,1,9", 4)]);
            let model = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["x"]);
            trial(&csv)?.on(&EVENT)?.estimate(&model).map(drop)
        },
        &["the covariate determines the arm: leave it out"],
        &["Firth", "proportion", "LinearRegression"],
    ),
    (
        "a covariate that decides the arm, doubly robust",
        || {
            let csv = rows("arm,y,x", &[("c,0,1", 4), ("c,1,2", 3), ("t,0,8", 5), ("t,1,9", 4)]);
            let model = DoublyRobust::new(RiskDifference).adjust_for(["x"]);
            trial(&csv)?.on(&EVENT)?.estimate(&model).map(drop)
        },
        &["the covariate determines the arm"],
        &["Firth", "proportion"],
    ),
    (
        "no events, logistic",
        || {
            let csv = rows("arm,y", &[("c,0", 4), ("t,0", 5)]);
            trial(&csv)?.on(&EVENT)?.estimate(&LogisticRegression::new()).map(drop)
        },
        &["the outcome is 0 in every row", "the proportion with its exact interval"],
        &["rate "],
    ),
    (
        "no events, Poisson",
        || {
            let csv = rows("arm,y", &[("c,0", 4), ("t,0", 5)]);
            trial(&csv)?.on(&COUNT)?.estimate(&PoissonRegression::new()).map(drop)
        },
        &["the count is 0 in every row", "the rate with its exact interval"],
        &["proportion"],
    ),
    (
        "one category, proportional odds",
        || {
            let csv = rows("arm,y", &[("c,none", 4), ("t,none", 5)]);
            trial(&csv)?.on(&ordered())?.estimate(&ProportionalOddsRegression::new()).map(drop)
        },
        &["Utrecht"],
        &["in every row"],
    ),
    (
        "a horizon beyond the follow-up of an arm",
        || {
            let left = Measure::time_to_event("month", "left").unit("months");
            let csv = "arm,month,left\nc,3,1\nc,24,0\nt,4,1\nt,16,0\n";
            trial(csv)?.on(&left)?.estimate(&RiskAtHorizon::new(RiskDifference, 24.0)).map(drop)
        },
        &[
            "arm \"t\"",
            "the horizon, 24 months",
            "ends at month 16",
            "give an earlier horizon",
            "followed_until(..)",
        ],
        &["Firth", "proportion"],
    ),
    (
        "rows of a register that cannot be",
        || {
            let months = Table::from_csv_str("id,month,state\n1,1,work\n1,1,benefit\n2,2,wrk\n9,1,work\n")?;
            let states = Register::from_long(months, "id", "month", "state").states(["benefit", "work"]);
            let people = Table::from_csv_str("id,arm\n1,c\n2,c\n3,t\n")?;
            let trial = Trial::builder("Utrecht", people).arm_labels("arm").control("c").build()?;
            trial.on(&states.months(2).measure()?).map(drop)
        },
        &[
            "4 rows of the register cannot be",
            "keep one state for each month",
            "did you mean \"work\"",
            "name it in states(..)",
            "no_row_is(..)",
            "Outsiders::LeftOut",
        ],
        &["Firth", "proportion"],
    ),
    (
        "no event before the horizon",
        || {
            let csv = "arm,month,left\nc,6,0\nc,7,0\nt,6,1\nt,7,0\n";
            let left = Measure::time_to_event("month", "left");
            trial(csv)?.on(&left)?.estimate(&RiskAtHorizon::new(RiskDifference, 5.0)).map(drop)
        },
        &["arm \"t\"", "do not differ before the horizon", "another horizon"],
        &["Firth", "proportion"],
    ),
    (
        "no event before the horizon, adjusted",
        || {
            let csv = "arm,month,left,x\nc,6,0,1\nc,6,0,2\nc,7,0,3\nt,3,1,9\nt,6,0,7\nt,4,1,8\nt,6,0,6\n";
            let left = Measure::time_to_event("month", "left");
            let risk = RiskAtHorizon::new(RiskDifference, 5.0).adjust_for(["x"]);
            trial(csv)?.on(&left)?.estimate(&risk).map(drop)
        },
        &["arm \"t\"", "the standardised risk of this arm is", "leave the covariates out"],
        &["Firth", "proportion"],
    ),
    (
        "no event before the horizon, ratio",
        || {
            let csv = "arm,month,left\nc,6,0\nc,3,1\nt,6,1\nt,7,0\n";
            let left = Measure::time_to_event("month", "left");
            trial(csv)?.on(&left)?.estimate(&RiskAtHorizon::new(LogRiskRatio, 5.0)).map(drop)
        },
        &["arm \"t\"", "the risk ratio has no logarithm", "another horizon"],
        &["Firth", "proportion"],
    ),
    (
        "outcomes that do not vary",
        || {
            let csv = rows("arm,y", &[("c,3", 4), ("t,3", 5)]);
            trial(&csv)?.on(&SCORE)?.estimate(&DifferenceInMeans::new()).map(drop)
        },
        &["does not vary"],
        &["proportion"],
    ),
    (
        "a contingency table of one row",
        || ContingencyTable::new(array![[3, 4]].view()).map(drop),
        &["the table has 1 row;", "at least two rows and two columns"],
        &["1 rows"],
    ),
    (
        "a covariate that is a copy of the arm",
        || {
            let csv = rows("arm,y,x", &[("c,0,0", 4), ("c,1,0", 3), ("t,0,1", 5), ("t,1,1", 4)]);
            let model = LogisticRegression::new().adjust_for(["x"]);
            trial(&csv)?.on(&EVENT)?.estimate(&model).map(drop)
        },
        &["the column x is constant, or a linear combination", "leave it out"],
        &["columns x"],
    ),
    (
        "fewer people than coefficients",
        || {
            let csv = "arm,y,a,b,d\nc,0,1,4,2\nc,1,2,2,7\nt,1,3,9,1\nt,0,5,1,8\n";
            let model = LinearRegression::new().adjust_for(["a", "b", "d"]);
            trial(csv)?.on(&SCORE)?.estimate(&model).map(drop)
        },
        &["4 observations", "5 coefficients", "leave covariates out"],
        &[],
    ),
    (
        "a variance that is negative",
        negative_variance,
        &[
            "not alike in their strata",
            "mantel_haenszel(..)",
            "adjust_for(..)",
            "MarginalVariance::Superpopulation",
        ],
        &[],
    ),
    (
        "a variance of two treatments that is negative, of Mantel-Haenszel effects",
        || negative_difference(VarianceMethod::Sato),
        &["arm \"t\"", "Mantel-Haenszel", "compare(..).versus(..)"],
        &["Superpopulation"],
    ),
    (
        "a variance of two treatments that is negative, of a covariance of one's own",
        || negative_difference(VarianceMethod::Unpooled),
        &["compare(..).versus(..)", "check the covariance"],
        &["Superpopulation", "Mantel-Haenszel"],
    ),
    (
        "a variance of two treatments that is negative, of Ye et al.",
        || negative_difference(VarianceMethod::Marginal(MarginalVariance::Ye2023)),
        &["MarginalVariance::Superpopulation"],
        &["in their strata"],
    ),
    ("means on a boundary", not_converged, &["use the canonical link"], &["covariate decides"]),
    (
        "a marginal effect beside an interaction",
        || {
            let model = LogisticRegression::new().adjust_for(["x"]).interact_arm_with(["x"]);
            let cells = ["c,0,1", "c,1,1", "c,0,2", "c,1,2", "t,0,1", "t,1,1", "t,0,2", "t,1,2"];
            let csv = rows("arm,y,x", &cells.map(|cell| (cell, 3)));
            trial(&csv)?.on(&EVENT)?.estimate(&model).map(drop)
        },
        &["ask for marginal(..)"],
        &[],
    ),
    (
        "one cluster in an arm",
        || few_clusters("arm,y,k\nc,0,a\nc,1,a\nt,1,b\nt,0,d\n"),
        &["cluster"],
        &["1 clusters"],
    ),
    (
        "one cluster",
        || {
            let y = [true, false, true, false, true, true];
            let fit = Glm::new(Family::Binomial).fit(&matrix(6)?, y.as_slice())?;
            fit.clustered(&[0; 6]).map(drop)
        },
        &["1 cluster,", "declare the clusters as they were randomised"],
        &["1 clusters"],
    ),
    (
        "blocks without strata",
        || {
            let csv = rows("arm,y", &[("c,3", 2), ("c,4", 2), ("t,5", 2), ("t,3", 2)]);
            trial(&csv)?.on(&SCORE)?.estimate(&DifferenceInMeans::new().blocks(Blocks::BySize)).map(drop)
        },
        &["name their columns with strata(..)"],
        &[],
    ),
    (
        "an estimator of another kind, as data",
        || {
            let model: AnyEstimator = LinearRegression::new().into();
            let csv = rows("arm,y", &[("c,0", 2), ("c,1", 2), ("t,1", 2), ("t,0", 2)]);
            let _ = trial(&csv)?.on(&COUNT)?;
            armwise::protocol::AnalysisPlan::new("A")
                .outcome(
                    armwise::protocol::PlannedOutcome::new(&COUNT)
                        .analysis(armwise::protocol::PlannedAnalysis::new(model)),
                )
                .run(&trial(&csv)?)
                .map(drop)
        },
        &["does not estimate effects on an outcome of the kind \"count\"", "the table"],
        &[],
    ),
    (
        "a variance that does not exist, in JSON",
        || json(r#"{"estimator": "linear_regression", "variance": "hc9"}"#),
        &["variance", "`hc9`", "`hc2`", "`cr2`", "mend that word"],
        &["untagged"],
    ),
    (
        "a variance of weights that does not exist, in JSON",
        || {
            json(
                r#"{"estimator": "inverse_probability_weighting", "scale": "risk_difference", "variance": "hc9"}"#,
            )
        },
        &["variance", "`hc9`", "`stacked`", "`known`"],
        &["untagged"],
    ),
    (
        "an interval that does not exist, in JSON",
        || json(r#"{"estimator": "difference_in_proportions", "interval": "wald9"}"#),
        &["interval", "`wald9`", "`miettinen_nurminen`"],
        &["untagged"],
    ),
    (
        "a variance of marginal effects that does not exist, in JSON",
        || {
            json(
                r#"{"estimator": "marginal", "scale": "risk_difference", "variance": "hc9", "model": {"estimator": "logistic_regression"}}"#,
            )
        },
        &["variance", "`hc9`", "`ye2023`"],
        &["untagged"],
    ),
    (
        "blocks that do not exist, in JSON",
        || json(r#"{"estimator": "difference_in_means", "blocks": "halves"}"#),
        &["blocks", "`halves`", "`matched_sets`"],
        &["untagged"],
    ),
    (
        "weights that do not exist, in JSON",
        || json(r#"{"estimator": "linear_regression", "weights": {"sampling": "w"}}"#),
        &["weights", "probability", "frequency"],
        &["untagged"],
    ),
    (
        "an option that does not exist, in JSON",
        || json(r#"{"estimator": "linear_regression", "adjusted_for": ["x"]}"#),
        &["adjusted_for", "`adjust_for`"],
        &["untagged"],
    ),
];
