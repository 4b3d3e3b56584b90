//! Separation: the model that has no estimate, the columns that are the cause, and what helps.

use super::Sign;
use super::words::listed;

/// The model whose coefficients run to infinity. It decides what helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SeparatedModel {
    /// A regression of an event: logistic, probit or complementary log-log.
    Events,
    /// A Poisson or negative binomial regression of counts.
    Counts,
    /// The first part of a two-part regression: whether a person has an amount.
    Amounts,
    /// A regression of ordered categories.
    Ordered,
    /// A multinomial regression.
    Categories,
    /// A regression of the arm to which people were assigned, for weights.
    Assignment,
    /// A regression of an event at several sites.
    Sites,
    /// A regression of times: of hazards, or of the times themselves.
    Times,
    /// A regression of risks over time: of Fine and Gray, or of hazards in discrete time.
    Risks,
}

/// The columns that separate the outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SeparatedBy {
    /// Columns of a model matrix, of which nothing else is known.
    Columns,
    /// Arms alone.
    Arms,
    /// Covariates, perhaps beside arms.
    Covariates,
}

impl SeparatedBy {
    /// Whether coefficients of covariates, or of their products with arms, are among these.
    pub(super) fn arms_or_covariates(coefficients: &[(String, Sign)], arms: &str) -> Self {
        let covariate = |(name, _): &(String, Sign)| {
            let own = name.rsplit(": ").next().unwrap_or(name);
            let of_arm = own.starts_with(arms) && !own.contains("]:");
            !of_arm && own != "intercept" && !own.contains('|')
        };
        if coefficients.iter().any(covariate) { Self::Covariates } else { Self::Arms }
    }
}

/// What helps against separation.
fn advice(model: SeparatedModel, by: SeparatedBy) -> String {
    use SeparatedModel::{Amounts, Assignment, Categories, Counts, Events, Ordered, Risks, Sites, Times};
    let instead: &[&str] = match (model, by) {
        (Events, SeparatedBy::Columns) => {
            &["use a penalised regression (Firth)", "use a linear regression with a robust variance"]
        }
        (Events, SeparatedBy::Arms) => &[
            "use FirthLogisticRegression",
            "for the difference use LinearRegression or DifferenceInProportions",
        ],
        (Events, SeparatedBy::Covariates) => &["use FirthLogisticRegression or LinearRegression"],
        (Counts, SeparatedBy::Columns) => {
            &["report the rate of a group without events with its exact interval (module rate)"]
        }
        (Counts, _) => {
            &["use DifferenceInRates", "report the rates with their exact intervals (module rate)"]
        }
        (Amounts, SeparatedBy::Columns) => &["use a linear regression of the amounts, zeros included"],
        (Amounts, _) => &["use LinearRegression or DifferenceInMeans on the amounts, zeros included"],
        (Ordered | Categories, SeparatedBy::Columns) => &["merge categories"],
        (Ordered, _) => &["merge categories", "use WinProbability or DifferenceInCategories"],
        (Categories, _) => &["merge categories", "use DifferenceInCategories"],
        (Times, SeparatedBy::Arms) => {
            &["use CoxRegression::new().firth()", "report RestrictedMeanTime, which needs no ratio"]
        }
        (Times, SeparatedBy::Covariates) => &["use CoxRegression::new().firth()"],
        (Times, SeparatedBy::Columns) => &["penalise the likelihood (FirthCox)"],
        (Risks, SeparatedBy::Columns) => &["report the cumulative incidences (AalenJohansen)"],
        (Risks, _) => &["report RiskAtHorizon, which needs no ratio"],
        (Assignment, _) => {
            return "the covariate determines the arm: leave it out or merge its levels".to_owned();
        }
        (Sites, _) => {
            return "all or none have the event in an arm: pool the differences in proportions of the trials, or use \
                    MantelHaenszel on the scale RiskDifference"
                .to_owned();
        }
    };
    let first: &[&str] = match by {
        SeparatedBy::Columns => &["leave the column out", "merge its levels"],
        SeparatedBy::Covariates => &["leave the covariate out", "merge its levels"],
        SeparatedBy::Arms => &[],
    };
    match [first, instead].concat().split_last() {
        Some((last, others)) if !others.is_empty() => format!("{}, or {last}", others.join(", ")),
        Some((last, _)) => (*last).to_owned(),
        None => String::new(),
    }
}

pub(super) fn separation(
    complete: bool,
    coefficients: &[(String, Sign)],
    model: SeparatedModel,
    by: SeparatedBy,
) -> String {
    let infinite = |(name, sign): &(String, Sign)| {
        format!("{name} (to {}infinity)", if *sign == Sign::Positive { "+" } else { "-" })
    };
    let names = listed(&coefficients.iter().map(infinite).collect::<Vec<_>>());
    let (of, has) =
        if coefficients.len() == 1 { ("the coefficient of", "has") } else { ("the coefficients of", "have") };
    format!(
        "{} separation: {of} {names} {has} no finite maximum likelihood estimate; {}",
        if complete { "complete" } else { "quasi-complete" },
        advice(model, by)
    )
}

impl super::Error {
    /// Says which model separates, and leaves other errors as they are.
    pub(crate) fn separating(mut self, of: SeparatedModel) -> Self {
        if let super::ErrorKind::Separation { model, .. } = &mut self.0.kind {
            *model = of;
        }
        self
    }

    /// Says whether arms separate, whose coefficients begin with this, or covariates.
    pub(crate) fn separated_by_arms(mut self, arms: &str) -> Self {
        if let super::ErrorKind::Separation { coefficients, by, .. } = &mut self.0.kind {
            *by = SeparatedBy::arms_or_covariates(coefficients, arms);
        }
        self
    }
}
