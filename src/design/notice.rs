use super::Label;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Something that a reader of the result has to know: a row that was dropped, a boundary that was reached, a rule that was applied.
///
/// Notices are part of every result and of its printed line; nothing degrades silently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// Participants whose outcome is missing; they count as randomised, not as analysed.
    MissingOutcome {
        /// How many.
        participants: usize,
        /// Of how many randomised to the compared arms.
        of: usize,
    },
    /// Participants left out of an adjusted analysis because a covariate is missing.
    MissingCovariate {
        /// The covariate.
        covariate: String,
        /// How many were left out for it.
        participants: usize,
    },
    /// An arm that does not occur in a stratum.
    EmptyStratumCell {
        /// The stratum.
        stratum: String,
        /// The arm.
        arm: Label,
    },
    /// An arm in which nobody, or everybody, had the event.
    NoVariation {
        /// The arm.
        arm: Label,
        /// Whether everybody had the event.
        everybody: bool,
    },
    /// The standard error is zero because the arms show no variation; the interval by another method is still valid.
    ZeroStandardError {
        /// The treatment.
        treatment: Label,
    },
    /// Half an event was added to every cell, because a cell was empty.
    AddedHalf {
        /// The trial or treatment it applies to.
        name: Label,
    },
    /// Scores that were prorated from fewer items than the questionnaire has.
    ProratedScores {
        /// How many participants.
        participants: usize,
    },
    /// The estimate of the between-trial variance lies on its boundary, zero.
    BoundaryTau2,
    /// The Hartung-Knapp interval is narrower than the Wald interval.
    HartungKnappNarrower,
    /// Trials that did not have the arm, and so are not in the pool.
    TrialsWithoutArm {
        /// The arm.
        arm: Label,
        /// The trials.
        trials: Vec<Label>,
    },
    /// Trials in which all or none have the event: they say nothing about an effect that is common on the scale of odds.
    UninformativeTrials {
        /// The trials.
        trials: Vec<Label>,
    },
    /// Very few trials: the between-trial variance is hardly estimable.
    FewTrials {
        /// How many.
        trials: usize,
    },
    /// Aliased design columns that were left out.
    Aliased {
        /// Their names.
        columns: Vec<String>,
    },
    /// The arms hardly differ in take-up, so that the effect on compliers is hardly identified.
    WeakTakeUp {
        /// The treatment.
        treatment: Label,
        /// The F statistic of take-up between the arms; below 10.
        f: f64,
    },
    /// The data exclude no effect on one side or both, so that the interval has no limit there.
    UnboundedInterval {
        /// The treatment.
        treatment: Label,
    },
    /// The counts vary no more than Poisson counts, so that the negative binomial regression is a Poisson regression.
    NoOverdispersion,
    /// A declared category in which nobody is.
    EmptyCategory {
        /// The category.
        category: Label,
    },
    /// Brant's test finds that the odds ratios differ between the thresholds of the ordered categories, so that one odds ratio does not
    /// describe the effect.
    NonProportionalOdds {
        /// Its p-value, for all coefficients together.
        p_value: f64,
    },
    /// Whether odds are proportional could not be tested.
    ProportionalOddsUntested {
        /// Why not.
        why: String,
    },
    /// The effect compares only those who have an amount. Who has one may depend on the treatment, so these are no randomised groups.
    NoRandomisedGroups,
    /// Strata in which an arm is missing, so that they tell nothing of the effect within strata.
    StrataLeftOut {
        /// How many.
        strata: usize,
        /// Of how many.
        of: usize,
    },
    /// Clusters with people in several subgroups, whose effects are taken as independent nevertheless.
    SharedClusters {
        /// How many clusters.
        clusters: usize,
    },
    /// Clusters were declared, but the standard error takes all people as independent.
    ClustersIgnored {
        /// How many clusters were declared.
        clusters: usize,
    },
    /// Fewer trials than an analysis needs to mean something.
    TooFewTrials {
        /// The analysis.
        analysis: String,
        /// How many trials there are.
        trials: usize,
        /// The least number of trials with which it means something.
        needed: usize,
        /// Who says so.
        source: String,
    },
    /// Trials in which nobody, or everybody, had the event in both arms: they say nothing of a ratio.
    NoInformation {
        /// The trials.
        trials: Vec<Label>,
    },
    /// Nobody has said which way the measure is better, so that nothing can be ranked by benefit.
    UndeclaredDirection,
    /// Anything else, in words (for estimators of users).
    Other(String),
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingOutcome { participants, of } => {
                write!(f, "{participants} of {of} randomised have no outcome and are not analysed")
            }
            Self::MissingCovariate { covariate, participants } => {
                write!(f, "{participants} participants are left out because \"{covariate}\" is missing")
            }
            Self::EmptyStratumCell { stratum, arm } => {
                write!(f, "nobody in stratum \"{stratum}\" was randomised to \"{arm}\"")
            }
            Self::NoVariation { arm, everybody } => {
                write!(
                    f,
                    "{} in arm \"{arm}\" had the event",
                    if *everybody { "everybody" } else { "nobody" }
                )
            }
            Self::ZeroStandardError { treatment } => {
                write!(f, "the standard error for \"{treatment}\" is zero: neither arm shows variation")
            }
            Self::AddedHalf { name } => write!(f, "half an event was added to every cell of \"{name}\""),
            Self::ProratedScores { participants } => {
                write!(f, "the scores of {participants} participants are prorated from fewer items")
            }
            Self::BoundaryTau2 => f.write_str("the estimate of tau2 is on its boundary, zero"),
            Self::HartungKnappNarrower => {
                f.write_str("the Hartung-Knapp interval is narrower than the Wald interval")
            }
            Self::TrialsWithoutArm { arm, trials } => {
                let trials: Vec<&str> = trials.iter().map(Label::as_str).collect();
                write!(f, "without the arm \"{arm}\", so not in this pool: {}", trials.join(", "))
            }
            Self::UninformativeTrials { trials } => {
                let trials: Vec<&str> = trials.iter().map(Label::as_str).collect();
                write!(f, "all or none have the event, so these say nothing about the effect: {}", trials.join(", "))
            }
            Self::FewTrials { trials: 1 } => {
                f.write_str("only one trial: the variation between trials is not estimable")
            }
            Self::FewTrials { trials } => {
                write!(f, "only {trials} trials: the variation between trials is hardly estimable")
            }
            Self::Aliased { columns } => write!(f, "left out as linear combinations: {}", columns.join(", ")),
            Self::WeakTakeUp { treatment, f: statistic } => write!(
                f,
                "\"{treatment}\" and the reference hardly differ in take-up (F = {statistic:.1}, below 10)"
            ),
            Self::UnboundedInterval { treatment } => {
                write!(f, "the data exclude no effect of \"{treatment}\" on one side or both")
            }
            Self::NoOverdispersion => {
                f.write_str("the counts vary no more than Poisson counts; this is the Poisson regression")
            }
            Self::EmptyCategory { category } => write!(f, "nobody is in the category \"{category}\""),
            Self::NonProportionalOdds { p_value } => write!(
                f,
                "odds are not proportional (Brant's test, p {}): report the probabilities of the categories, \
                 which marginal(..) gives",
                if *p_value < 0.001 { "< 0.001".to_owned() } else { format!("= {p_value:.3}") }
            ),
            Self::ProportionalOddsUntested { why } => {
                write!(f, "whether odds are proportional could not be tested: {why}")
            }
            Self::NoRandomisedGroups => f.write_str(
                "this compares only those who have an amount, who are not randomised groups: it is no effect of the treatment",
            ),
            Self::StrataLeftOut { strata, of } => {
                write!(f, "{strata} of {of} strata lack an arm and tell nothing of its effect within strata")
            }
            Self::SharedClusters { clusters } => write!(
                f,
                "{clusters} clusters have people in several subgroups, but differences between subgroups take these as independent"
            ),
            Self::ClustersIgnored { clusters } => write!(
                f,
                "the standard error takes people as independent although {clusters} clusters were declared, and is too small if people \
                 of a cluster are alike; a linear, logistic or Poisson regression counts clusters by default"
            ),
            Self::TooFewTrials { analysis, trials, needed, source } => {
                write!(f, "{analysis} means little with {trials} trials: it takes {needed} ({source})")
            }
            Self::NoInformation { trials } => {
                let trials: Vec<&str> = trials.iter().map(Label::as_str).collect();
                write!(f, "without information on a ratio, as both arms had no event or events only: {}", trials.join(", "))
            }
            Self::UndeclaredDirection => {
                f.write_str("nobody has said which way the measure is better (higher_is_better, lower_is_better), so nothing is ranked")
            }
            Self::Other(words) => f.write_str(words),
        }
    }
}
