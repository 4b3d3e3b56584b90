//! Every estimator, from the table of a trial to its estimates: n and the number of arms are in the names.

mod data;

use armwise::prelude::*;
use data::{CONTRACT, COVARIATES, HOURS, SPELLS, WAGE, WORKS, YEARS, trial};
use divan::{Bencher, black_box};
use std::fmt;

fn main() {
    data::run();
}

/// An estimator at a size.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    n: usize,
    arms: usize,
    run: fn(&Trial) -> armwise::Result<()>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} n={} arms={}", self.name, self.n, self.arms)
    }
}

fn binary<E: Estimator<Binary>>(trial: &Trial, estimator: &E) -> armwise::Result<()> {
    black_box(trial.on(&WORKS)?.estimate(estimator)?);
    Ok(())
}

fn continuous<E: Estimator<Continuous>>(trial: &Trial, estimator: &E) -> armwise::Result<()> {
    black_box(trial.on(&HOURS)?.estimate(estimator)?);
    Ok(())
}

fn count<E: Estimator<Count>>(trial: &Trial, estimator: &E) -> armwise::Result<()> {
    black_box(trial.on(&SPELLS)?.estimate(estimator)?);
    Ok(())
}

fn times<E: Estimator<TimeToEvent>>(trial: &Trial, estimator: &E) -> armwise::Result<()> {
    black_box(trial.on(&YEARS)?.estimate(estimator)?);
    Ok(())
}

fn ordinal<E: Estimator<Ordinal>>(trial: &Trial, estimator: &E) -> armwise::Result<()> {
    black_box(trial.on(&CONTRACT)?.estimate(estimator)?);
    Ok(())
}

fn categories<E: CategoryEstimator<Ordinal>>(trial: &Trial, estimator: &E) -> armwise::Result<()> {
    black_box(trial.on(&CONTRACT)?.estimate_categories(estimator)?);
    Ok(())
}

type Run = fn(&Trial) -> armwise::Result<()>;

const ESTIMATORS: [(&str, Run); 31] = [
    ("DifferenceInProportions", |trial| binary(trial, &DifferenceInProportions::new())),
    ("RatioOfProportions", |trial| binary(trial, &RatioOfProportions::new())),
    ("OddsRatio", |trial| binary(trial, &OddsRatio::new())),
    ("LogisticRegression", |trial| binary(trial, &LogisticRegression::new().adjust_for(COVARIATES))),
    ("LogisticRegression.marginal", |trial| {
        binary(trial, &LogisticRegression::new().adjust_for(COVARIATES).marginal(RiskDifference))
    }),
    ("FirthLogisticRegression", |trial| binary(trial, &FirthLogisticRegression::new())),
    ("LinearRegression of 0 and 1", |trial| binary(trial, &LinearRegression::new().adjust_for(COVARIATES))),
    ("InverseProbabilityWeighting", |trial| {
        binary(trial, &InverseProbabilityWeighting::new(RiskDifference).adjust_for(COVARIATES))
    }),
    ("DoublyRobust", |trial| binary(trial, &DoublyRobust::new(RiskDifference).adjust_for(COVARIATES))),
    ("ComplierAverageEffect", |trial| binary(trial, &ComplierAverageEffect::new())),
    ("DifferenceInMeans", |trial| continuous(trial, &DifferenceInMeans::new())),
    ("LinearRegression", |trial| continuous(trial, &LinearRegression::new().adjust_for(COVARIATES))),
    ("LinearRegression.marginal", |trial| {
        continuous(trial, &LinearRegression::new().adjust_for(COVARIATES).marginal(MeanDifference))
    }),
    ("DoublyRobust of means", |trial| {
        continuous(trial, &DoublyRobust::new(MeanDifference).adjust_for(COVARIATES))
    }),
    ("TwoPartRegression", |trial| {
        black_box(trial.on(&WAGE)?.estimate(&TwoPartRegression::new().adjust_for(COVARIATES))?);
        Ok(())
    }),
    ("DifferenceInRates", |trial| count(trial, &DifferenceInRates::new())),
    ("RatioOfRates", |trial| count(trial, &RatioOfRates::new())),
    ("PoissonRegression", |trial| count(trial, &PoissonRegression::new().adjust_for(COVARIATES))),
    ("PoissonRegression.marginal", |trial| {
        count(trial, &PoissonRegression::new().adjust_for(COVARIATES).marginal(LogRateRatio))
    }),
    ("NegativeBinomialRegression", |trial| {
        count(trial, &NegativeBinomialRegression::new().adjust_for(COVARIATES))
    }),
    ("RiskAtHorizon", |trial| times(trial, &RiskAtHorizon::new(RiskDifference, 1.0))),
    ("RiskAtHorizon, adjusted", |trial| {
        times(trial, &RiskAtHorizon::new(RiskDifference, 1.0).adjust_for(COVARIATES))
    }),
    ("RestrictedMeanTime", |trial| times(trial, &RestrictedMeanTime::new(MeanDifference, 1.0))),
    ("DifferenceInProportions, Mantel-Haenszel", |trial| {
        binary(trial, &DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato))
    }),
    ("LinearRegression.interacted", |trial| {
        continuous(trial, &LinearRegression::new().adjust_for(COVARIATES).interacted())
    }),
    ("DifferenceInCategories", |trial| categories(trial, &DifferenceInCategories::new())),
    ("MultinomialRegression", |trial| {
        categories(trial, &MultinomialRegression::new().adjust_for(COVARIATES))
    }),
    ("MultinomialRegression.marginal", |trial| {
        categories(trial, &MultinomialRegression::new().adjust_for(COVARIATES).marginal(RiskDifference))
    }),
    ("ProportionalOddsRegression", |trial| {
        ordinal(trial, &ProportionalOddsRegression::new().adjust_for(COVARIATES))
    }),
    ("ProportionalOddsRegression.marginal", |trial| {
        categories(trial, &ProportionalOddsRegression::new().adjust_for(COVARIATES).marginal(RiskDifference))
    }),
    ("WinProbability", |trial| ordinal(trial, &WinProbability::new(NetBenefit))),
];

fn cases() -> Vec<Case> {
    let sizes = [(1_000, 3), (10_000, 3), (100_000, 3), (10_000, 6), (10_000, 12)];
    ESTIMATORS
        .into_iter()
        .flat_map(|(name, run)| sizes.map(|(n, arms)| Case { name, n, arms, run }))
        .collect()
}

#[divan::bench(args = cases())]
fn estimate(bencher: Bencher, case: Case) {
    let trial = trial(case.n, case.arms);
    (case.run)(&trial).unwrap_or_else(|error| panic!("{case}: {error}"));
    bencher.bench_local(|| (case.run)(&trial).is_ok());
}
