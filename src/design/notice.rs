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
    /// The effect compares only those who have an amount. Who has one may depend on the treatment, so these are no randomised groups.
    NoRandomisedGroups,
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
            Self::NoRandomisedGroups => f.write_str(
                "this compares only those who have an amount, who are not randomised groups: it is no effect of the treatment",
            ),
            Self::Other(words) => f.write_str(words),
        }
    }
}
