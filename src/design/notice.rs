use super::Label;
use crate::data::TableNotice;
use serde::{Deserialize, Serialize};

/// A reservation about a result: a row that was dropped, a boundary that was reached, a rule that was
/// applied.
///
/// Notices are part of every result and of its printed line; nothing degrades silently.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// Participants whose outcome is missing; they count as randomised, not as analysed.
    MissingOutcome {
        /// The number of participants without an outcome.
        participants: usize,
        /// The number randomised to the compared arms.
        of: usize,
    },
    /// Participants whose outcome is missing, and for whom the weights of those who have one stand.
    OutcomeByWeights {
        /// The number of participants without an outcome.
        participants: usize,
        /// The number randomised to the compared arms.
        of: usize,
    },
    /// Outcomes that were imputed, several times, and effects combined over the imputations.
    Imputed {
        /// The number of participants whose outcome was imputed; `None` where it is not known.
        participants: Option<usize>,
        /// The number randomised to the compared arms.
        of: usize,
        /// The number of imputations.
        imputations: usize,
        /// The largest fraction of missing information of a treatment.
        missing_information: f64,
    },
    /// A column that was imputed without predictors that follow from others among those observed.
    ImputedWithout {
        /// The column.
        column: String,
        /// The arm.
        arm: Label,
        /// The predictors.
        left_out: Vec<String>,
    },
    /// A column that follows exactly from others among those observed, so that nothing was left to chance.
    ImputedExactly {
        /// The column.
        column: String,
        /// The arm.
        arm: Label,
    },
    /// Chains of imputations that have not mixed.
    ChainsApart {
        /// The column.
        column: String,
        /// The arm.
        arm: Label,
        /// Gelman and Rubin's ratio.
        r_hat: f64,
    },
    /// Participants whom the question does not concern, by a label that was declared not applicable; they
    /// count as randomised, not as analysed.
    NotApplicable {
        /// The number of such participants.
        participants: usize,
        /// The number randomised to the compared arms.
        of: usize,
    },
    /// Participants left out of an adjusted analysis because a covariate is missing.
    MissingCovariate {
        /// The covariate.
        covariate: String,
        /// The number left out for it.
        participants: usize,
    },
    /// A covariate that has one value among all people of a subgroup, so that the model there does without
    /// it.
    ConstantCovariate {
        /// The covariate.
        covariate: String,
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
        /// True if everybody had the event, false if nobody had it.
        everybody: bool,
    },
    /// An arm whose people do not differ, so that an interval by influences takes its value as certain.
    CertainArm {
        /// The arm.
        arm: Label,
        /// True if everybody had the event, false if nobody had it.
        everybody: bool,
    },
    /// The interval of a difference in mean times until a horizon that leaves what such a difference can be.
    BeyondHorizon {
        /// The treatment.
        treatment: Label,
        /// The horizon, with its unit.
        horizon: String,
    },
    /// The standard error is zero because the arms show no variation; the interval by another method is still
    /// valid.
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
        /// The number of participants.
        participants: usize,
    },
    /// Resamples in which the estimator has no answer, and which are left out.
    ResamplesWithoutAnswer {
        /// Their number.
        failed: usize,
        /// The number of all resamples.
        of: usize,
        /// The name of the first error.
        why: String,
    },
    /// Replicates that were not drawn because the work was stopped.
    ReplicatesStopped {
        /// The number that were drawn.
        drawn: usize,
        /// The number that were asked for.
        of: usize,
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
    /// Trials in which all or none have the event: they say nothing about an effect that is common on the
    /// scale of odds.
    UninformativeTrials {
        /// The trials.
        trials: Vec<Label>,
    },
    /// Very few trials: the between-trial variance is hardly estimable.
    FewTrials {
        /// The number of trials.
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
    /// The counts vary no more than Poisson counts, so that the negative binomial regression is a Poisson
    /// regression.
    NoOverdispersion,
    /// A declared category in which nobody is.
    EmptyCategory {
        /// The category.
        category: Label,
    },
    /// Brant's test finds that the odds ratios differ between the thresholds of the ordered categories, so
    /// that one odds ratio does not describe the effect.
    NonProportionalOdds {
        /// Its p-value, for all coefficients together.
        p_value: f64,
    },
    /// Proportional odds could not be tested.
    ProportionalOddsUntested {
        /// The reason.
        why: String,
    },
    /// The effect compares only those who have an amount. Having one may depend on the treatment, so these
    /// are not randomised groups.
    NoRandomisedGroups,
    /// Strata in which an arm is missing, so they say nothing about its effect within strata.
    StrataLeftOut {
        /// The number of such strata.
        strata: usize,
        /// The number of strata.
        of: usize,
    },
    /// Clusters with people in several subgroups. The effects of the subgroups are taken as independent
    /// nevertheless.
    SharedClusters {
        /// The number of clusters.
        clusters: usize,
    },
    /// Clusters were declared, but the standard error takes all people as independent.
    ClustersIgnored {
        /// The number of declared clusters.
        clusters: usize,
    },
    /// Strata were declared, but the analysis does not use them.
    StrataIgnored {
        /// The number of declared strata.
        strata: usize,
    },
    /// Arms are spread over the declared strata in different shares, more than randomisation within strata
    /// explains, which the estimate or its variance presumes not to be.
    UnequalStrata {
        /// The p-value of independence of arms and strata: exact where small, else Pearson's chi-squared;
        /// below 0.05.
        p_value: f64,
    },
    /// The covariates of the model differ between arms more than randomisation explains, which the variance
    /// of Ye et al. (2023) presumes not to be.
    UnequalCovariates {
        /// The arm that they tell from the others.
        arm: Label,
        /// The share of the variance of being in that arm that they explain; above 0.1.
        r2: f64,
        /// The p-value of the F test that they explain nothing; below 0.001.
        p_value: f64,
    },
    /// A few people carry most of the weight of an arm: the effective number of people (Kish 1965) is below
    /// half of the number, or one person carries more than a fifth of the weight and more than three times an
    /// equal share.
    DominantWeights {
        /// The arm.
        arm: Label,
        /// The people of the arm that have a weight.
        people: u64,
        /// The effective number, `(sum w)^2 / sum w^2`.
        effective: f64,
        /// The share of the person with the largest weight.
        largest_share: f64,
    },
    /// The interval that was asked for is one of a treatment against the reference, and this combination of
    /// treatments has Wald's in its place.
    WaldInstead {
        /// The name of the interval method.
        interval: String,
    },
    /// A limit of a difference in proportions lies beyond -100 or 100 percentage points, where no difference
    /// can lie: the normal or t distribution of the estimate does not hold.
    ImpossibleLimits {
        /// The treatment.
        treatment: Label,
    },
    /// A notice about the table from which the trial was made.
    OfTable(TableNotice),
    /// The analysis had no answer for the outcomes of this trial, and another one, named beforehand, stands
    /// in its place.
    Fallback {
        /// The estimator that answered.
        estimator: String,
        /// The word of the error of the first one, such as "separation".
        why: String,
    },
    /// Fewer trials than an analysis needs.
    TooFewTrials {
        /// The analysis.
        analysis: String,
        /// The number of trials.
        trials: usize,
        /// The number of trials that it needs.
        needed: usize,
        /// The source of that number.
        source: String,
    },
    /// Trials in which nobody, or everybody, had the event in both arms: they say nothing about a ratio.
    NoInformation {
        /// The trials.
        trials: Vec<Label>,
    },
    /// Cronbach's alpha is below zero, so that items count against each other.
    NegativeAlpha {
        /// The items that run against the sum of the others.
        items: Vec<String>,
    },
    /// Participants with an outcome whose exposure is missing; they are not analysed.
    MissingExposure {
        /// The column of the exposure.
        exposure: String,
        /// The number of participants.
        participants: usize,
    },
    /// Two arms whose labels have the same parts in another order, such as `"a_b"` and `"b_a"`: they count as
    /// two arms.
    SamePartsOfArms {
        /// The one.
        arm: Label,
        /// The other.
        other: Label,
    },
    /// Fewer than five events, or non-events, for each coefficient of a regression besides the intercept,
    /// whose estimates are then biased away from zero and whose intervals do not keep their level
    /// (Vittinghoff & McCulloch 2007, American Journal of Epidemiology 165:710).
    FewEvents {
        /// The number of events, or of non-events if these are fewer.
        events: u64,
        /// The number of coefficients besides the intercept.
        coefficients: usize,
    },
    /// The analysis is one of a part of those who have the outcome.
    OfPopulation {
        /// The name of the population.
        population: String,
        /// The number in it.
        participants: usize,
        /// The number who have the outcome.
        of: usize,
    },
    /// A pooled double arcsine was carried back to a proportion at the harmonic mean of unequal sizes, which
    /// may lie outside the proportions of all trials (Schwarzer et al. 2019, Research Synthesis Methods
    /// 10:476).
    HarmonicMean {
        /// The arm.
        arm: Label,
        /// The harmonic mean of the sizes.
        n: f64,
        /// The smallest of them.
        smallest: u64,
        /// The largest of them.
        largest: u64,
    },
    /// The measure has no declared direction, so nothing can be ranked by benefit.
    UndeclaredDirection,
    /// A notice about trials of a pool, said once of all that it holds for: numbers of people are added up,
    /// and of a statistic the most serious value stands.
    OfTrials {
        /// The trials.
        trials: Vec<Label>,
        /// The notice about them.
        notice: Box<Notice>,
    },
    /// Hazards are not proportional: the test of the arms rejects.
    NonProportionalHazards {
        /// Its p-value.
        p_value: f64,
    },
    /// The test of proportional hazards could not be made.
    ProportionalHazardsUntested {
        /// Why.
        why: String,
    },
    /// Participants left out because they have an outcome at baseline and in no later wave.
    BaselineOnly {
        /// Their number.
        participants: usize,
    },
    /// A covariance of waves that could not be fitted, and the one of the declared ladder that stands in its place.
    SimplerCovariance {
        /// The structure that was asked for first.
        asked: String,
        /// The structure that was fitted.
        taken: String,
        /// Why the first could not be.
        why: String,
    },
    /// Trials that were left out because their follow-up ends before the horizon.
    ShorterFollowUp {
        /// The trials, each with the end of its follow-up.
        trials: Vec<(Label, String)>,
        /// The horizon.
        horizon: String,
    },
    /// Fewer assignments could have happened than draws were asked for, so that all were taken.
    FewerAssignments {
        /// The number of assignments.
        assignments: u64,
        /// The number of draws that were asked for.
        draws: u64,
    },
    /// A randomisation test that was stopped: the draws that were finished.
    PartialDraws {
        /// The number of finished draws.
        draws: u64,
        /// The number that was asked for.
        of: u64,
    },
    /// Fewer than ten clusters in an arm: a randomisation test is exact for no effect on anyone, but not for
    /// equal means where spreads differ.
    FewClusters {
        /// The arm with the fewest clusters.
        arm: Label,
        /// Their number.
        clusters: usize,
    },
    /// Blocks with people of one arm only, whom no assignment moves.
    BlocksOfOneArm {
        /// Their number.
        blocks: usize,
        /// The number of blocks.
        of: usize,
    },
    /// Assignments for which the statistic is not defined, which count as extreme.
    UndefinedReplays {
        /// The treatment.
        treatment: Label,
        /// Their number.
        replays: u64,
    },
    /// No assignment could have given a significant p-value.
    SmallestPValue {
        /// The treatment.
        treatment: Label,
        /// The smallest p-value that an assignment has.
        p_value: f64,
    },
    /// Anything else, in words (for estimators of users).
    Other(String),
}

impl Notice {
    /// The notices about `missing` outcomes, of which some do not apply.
    pub(crate) fn of_missing(missing: usize, not_applicable: usize, of: usize) -> Vec<Self> {
        let participants = missing.saturating_sub(not_applicable);
        let mut notices = Vec::new();
        if not_applicable > 0 {
            notices.push(Self::NotApplicable { participants: not_applicable, of });
        }
        if participants > 0 {
            notices.push(Self::MissingOutcome { participants, of });
        }
        notices
    }

    /// One notice in place of two of a kind: their numbers added up, or the more serious of both; `None` for
    /// two kinds.
    fn joined(&self, other: &Self) -> Option<Self> {
        let smaller = |a: f64, b: f64| if b < a { b } else { a };
        Some(match (self.clone(), other) {
            (
                Self::MissingOutcome { participants, of },
                Self::MissingOutcome { participants: more, of: all },
            ) => Self::MissingOutcome { participants: participants + more, of: of + all },
            (
                Self::MissingCovariate { covariate, participants },
                Self::MissingCovariate { covariate: same, participants: more },
            ) if covariate == *same => {
                Self::MissingCovariate { covariate, participants: participants + more }
            }
            (
                Self::NotApplicable { participants, of },
                Self::NotApplicable { participants: more, of: all },
            ) => Self::NotApplicable { participants: participants + more, of: of + all },
            (
                Self::MissingExposure { exposure, participants },
                Self::MissingExposure { exposure: same, participants: more },
            ) if exposure == *same => Self::MissingExposure { exposure, participants: participants + more },
            (
                Self::OutcomeByWeights { participants, of },
                Self::OutcomeByWeights { participants: more, of: all },
            ) => Self::OutcomeByWeights { participants: participants + more, of: of + all },
            (
                Self::Imputed { participants, of, imputations, missing_information },
                Self::Imputed { participants: more, of: all, imputations: made, missing_information: lost },
            ) => Self::Imputed {
                participants: participants.zip(*more).map(|(one, other)| one + other),
                of: of + all,
                imputations: imputations.min(*made),
                missing_information: missing_information.max(*lost),
            },
            (Self::ProratedScores { participants }, Self::ProratedScores { participants: more }) => {
                Self::ProratedScores { participants: participants + more }
            }
            (Self::StrataLeftOut { strata, of }, Self::StrataLeftOut { strata: more, of: all }) => {
                Self::StrataLeftOut { strata: strata + more, of: of + all }
            }
            (Self::SharedClusters { clusters }, Self::SharedClusters { clusters: more }) => {
                Self::SharedClusters { clusters: clusters + more }
            }
            (Self::ClustersIgnored { clusters }, Self::ClustersIgnored { clusters: more }) => {
                Self::ClustersIgnored { clusters: clusters + more }
            }
            (Self::StrataIgnored { strata }, Self::StrataIgnored { strata: more }) => {
                Self::StrataIgnored { strata: strata + more }
            }
            (Self::WeakTakeUp { treatment, f }, Self::WeakTakeUp { treatment: same, f: other })
                if treatment == *same =>
            {
                Self::WeakTakeUp { treatment, f: smaller(f, *other) }
            }
            (Self::UnequalStrata { p_value }, Self::UnequalStrata { p_value: other }) => {
                Self::UnequalStrata { p_value: smaller(p_value, *other) }
            }
            (
                Self::UnequalCovariates { arm, r2, p_value },
                Self::UnequalCovariates { arm: same, r2: other, p_value: of_other },
            ) if arm == *same => {
                Self::UnequalCovariates { arm, r2: r2.max(*other), p_value: smaller(p_value, *of_other) }
            }
            (own @ Self::DominantWeights { .. }, other @ Self::DominantWeights { .. }) => {
                return own.more_dominant(other);
            }
            (Self::NonProportionalOdds { p_value }, Self::NonProportionalOdds { p_value: other }) => {
                Self::NonProportionalOdds { p_value: smaller(p_value, *other) }
            }
            (
                Self::OfPopulation { population, participants, of },
                Self::OfPopulation { population: same, participants: more, of: all },
            ) if population == *same => {
                Self::OfPopulation { population, participants: participants + more, of: of + all }
            }
            (half @ Self::AddedHalf { .. }, Self::AddedHalf { .. }) => half,
            (own, other) if own == *other => own,
            _ => return None,
        })
    }

    /// The one of two notices about the weights of an arm in which one person carries more.
    fn more_dominant(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (
                Self::DominantWeights { arm, largest_share, .. },
                Self::DominantWeights { arm: same, largest_share: share, .. },
            ) if arm == same => Some(if share > largest_share { other.clone() } else { self.clone() }),
            _ => None,
        }
    }

    /// Whether it tells of trials of a pool, and not of the pool.
    pub(crate) fn is_of_trials(&self) -> bool {
        matches!(
            self,
            Self::OfTrials { .. }
                | Self::TrialsWithoutArm { .. }
                | Self::NoInformation { .. }
                | Self::ShorterFollowUp { .. }
        )
    }

    /// Whether it bears on the comparison of these arms.
    pub(crate) fn concerns(&self, arms: [&Label; 2]) -> bool {
        match self {
            Self::EmptyStratumCell { arm, .. }
            | Self::NoVariation { arm, .. }
            | Self::CertainArm { arm, .. }
            | Self::BeyondHorizon { treatment: arm, .. }
            | Self::ZeroStandardError { treatment: arm }
            | Self::WeakTakeUp { treatment: arm, .. }
            | Self::DominantWeights { arm, .. }
            | Self::ImputedWithout { arm, .. }
            | Self::ImputedExactly { arm, .. }
            | Self::ChainsApart { arm, .. }
            | Self::ImpossibleLimits { treatment: arm }
            | Self::UndefinedReplays { treatment: arm, .. }
            | Self::SmallestPValue { treatment: arm, .. }
            | Self::UnboundedInterval { treatment: arm } => arms.contains(&arm),
            _ => true,
        }
    }
}

/// The notices of several trials, each said once with the names of the trials that have it.
pub(crate) fn of_trials<'n>(
    told: impl IntoIterator<Item = (&'n Label, impl IntoIterator<Item = &'n Notice>)>,
) -> Vec<Notice> {
    let mut groups: Vec<(Vec<Label>, Notice)> = Vec::new();
    for (trial, notices) in told {
        for own in notices {
            let found = groups.iter_mut().find_map(|group| group.1.joined(own).map(|joined| (group, joined)));
            if let Some(((trials, notice), joined)) = found {
                *notice = joined;
                if !trials.contains(trial) {
                    trials.push(trial.clone());
                }
            } else {
                groups.push((vec![trial.clone()], own.clone()));
            }
        }
    }
    let told = groups.into_iter();
    told.map(|(trials, notice)| Notice::OfTrials { trials, notice: Box::new(notice) }).collect()
}
