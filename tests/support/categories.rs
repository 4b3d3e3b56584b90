//! Every estimator of an outcome with several categories or an order, with every convention, listed once.

use super::estimators::Listed;
use armwise::categorical::CategoryVariance;
use armwise::prelude::*;
use armwise::proportion::DifferenceInterval;

/// The variances of standardised probabilities.
pub(crate) const VARIANCES: [MarginalVariance; 3] = [
    MarginalVariance::Superpopulation,
    MarginalVariance::Delta(VarianceType::Model),
    MarginalVariance::Delta(VarianceType::Hc0),
];

pub(crate) fn multinomial(adjusted: bool) -> MultinomialRegression {
    let model = MultinomialRegression::new();
    if adjusted { model.adjust_for(["age"]) } else { model }
}

pub(crate) fn proportional_odds(adjusted: bool) -> ProportionalOddsRegression {
    let model = ProportionalOddsRegression::new();
    if adjusted { model.adjust_for(["age"]) } else { model }
}

pub(crate) fn all() -> Vec<Listed> {
    let mut list = Vec::new();
    // Max-t is not here: its critical value depends on the reference, so that intervals do not mirror.
    for by in [Simultaneous::Individual, Simultaneous::Bonferroni, Simultaneous::Goodman] {
        for interval in [DifferenceInterval::MiettinenNurminen, DifferenceInterval::Newcombe] {
            let of = move |level| {
                let estimator = DifferenceInCategories::new().interval(interval);
                estimator.simultaneous(by).level(level).in_category("permanent")
            };
            let name = format!("difference in categories, {interval:?}, {by:?}");
            list.push(Listed::nominal(format!("nominal {name}"), of).halves(true));
            list.push(Listed::ordinal(format!("ordinal {name}"), of).halves(true));
        }
    }
    for adjusted in [false, true] {
        for variance in [CategoryVariance::Model, CategoryVariance::Hc0] {
            let words = format!("{variance:?}, adjusted {adjusted}");
            let of = move |level| {
                let model = multinomial(adjusted).base("temporary").variance(variance);
                model.level(level).in_category("permanent")
            };
            list.push(Listed::nominal(format!("multinomial {words}"), of).halves(true));
            let of = move |level| proportional_odds(adjusted).variance(variance).level(level);
            list.push(Listed::ordinal(format!("proportional odds {words}"), of).halves(true));
        }
        for variance in VARIANCES {
            let words = format!("{variance:?}, adjusted {adjusted}");
            let of = move |level| {
                let model = multinomial(adjusted).level(level).marginal(RiskDifference);
                model.variance(variance).in_category("temporary")
            };
            list.push(Listed::nominal(format!("multinomial difference {words}"), of).halves(true));
            let of = move |level| {
                let model = proportional_odds(adjusted).level(level).marginal(LogRiskRatio);
                model.variance(variance).in_category("permanent")
            };
            list.push(Listed::ordinal(format!("proportional odds ratio of risks {words}"), of).halves(true));
        }
    }
    list.push(Listed::ordinal("net benefit".into(), |level| WinProbability::new(NetBenefit).level(level)));
    list.push(Listed::ordinal("win odds".into(), |level| WinProbability::new(LogWinOdds).level(level)));
    let of = |level| WinProbability::new(NetBenefit).level(level);
    list.push(Listed::ranked("net benefit in a score".into(), of));
    let of = |level| WinProbability::new(LogWinOdds).level(level);
    list.push(Listed::ranked("win odds in a score".into(), of));
    list
}
