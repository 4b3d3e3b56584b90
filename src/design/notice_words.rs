//! The sentences of notices.

use super::Notice;
use crate::error::{agreeing, counted, listed};
use std::fmt;

/// `< 0.001`, `= 0.012`.
fn p_words(p_value: f64) -> String {
    if p_value < 0.001 { "< 0.001".to_owned() } else { format!("= {p_value:.3}") }
}

impl fmt::Display for Notice {
    // A sentence for each variant.
    #[allow(clippy::too_many_lines)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingOutcome { participants, of } => {
                let [have, are] = if *participants == 1 { ["has", "is"] } else { ["have", "are"] };
                write!(f, "{participants} of {of} randomised {have} no outcome and {are} not analysed")
            }
            Self::OutcomeByWeights { participants, of } => {
                let have = if *participants == 1 { "has" } else { "have" };
                write!(f, "{participants} of {of} randomised {have} no outcome; the weights of those who have one stand for them")
            }
            Self::Imputed { participants, of, imputations, missing_information } => {
                match participants {
                    Some(participants) => {
                        let have = agreeing(participants, "outcome", ["was", "were"]);
                        write!(f, "{have} imputed, of {of} randomised,")?;
                    }
                    None => write!(f, "missing values of {of} randomised were imputed")?,
                }
                let share = (missing_information * 100.0).round();
                write!(f, " in {}: up to {share}% of the information is missing", counted(imputations, "imputation"))
            }
            Self::ImputedWithout { column, arm, left_out } => write!(
                f,
                "\"{column}\" of arm \"{arm}\" was imputed without {}, which follow from other columns there",
                listed(left_out)
            ),
            Self::ImputedExactly { column, arm } => write!(
                f,
                "\"{column}\" of arm \"{arm}\" follows exactly from other columns where it was observed: what was imputed has no spread"
            ),
            Self::ChainsApart { column, arm, r_hat } => write!(
                f,
                "the chains of \"{column}\" in arm \"{arm}\" have not mixed (Gelman-Rubin {r_hat:.2}): make more iterations"
            ),
            Self::FewerAssignments { assignments, draws } => write!(
                f,
                "{} could have happened, fewer than the {draws} draws: all were taken, and the p-value is exact",
                counted(usize::try_from(*assignments).unwrap_or(usize::MAX), "assignment")
            ),
            Self::PartialDraws { draws, of } => write!(
                f,
                "stopped after {draws} of {of} draws: the p-value is valid, and less precise than was asked for"
            ),
            Self::FewClusters { arm, clusters } => write!(
                f,
                "{} in arm \"{arm}\", fewer than 10: the test is exact for no effect on anyone, but may reject too often where \
                 means are equal and spreads are not",
                counted(clusters, "cluster")
            ),
            Self::BlocksOfOneArm { blocks, of } => {
                let have = agreeing(blocks, "block", ["has", "have"]);
                write!(f, "of {of} blocks {have} people of one arm only, whom no assignment moves")
            }
            Self::UndefinedReplays { treatment, replays } => {
                let replays = counted(usize::try_from(*replays).unwrap_or(usize::MAX), "assignment");
                write!(f, "for {replays} the statistic of \"{treatment}\" is not defined; they count as extreme")
            }
            Self::SmallestPValue { treatment, p_value } => write!(
                f,
                "no assignment could have given \"{treatment}\" a p-value below {p_value:.3}: there are too few of them"
            ),
            Self::NegativeAlpha { items } => {
                write!(
                    f,
                    "alpha below zero: some items may count the other way round; declare them with reversed(..)"
                )?;
                let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
                if quoted.is_empty() { Ok(()) } else { write!(f, " (against the others: {})", quoted.join(", ")) }
            }
            Self::MissingExposure { exposure, participants } => {
                let left = agreeing(participants, "participant", ["is", "are"]);
                write!(f, "{left} left out because the exposure \"{exposure}\" is missing")
            }
            Self::SamePartsOfArms { arm, other } => write!(
                f,
                "the arms \"{arm}\" and \"{other}\" have the same parts in another order, and count as two arms; give them one \
                 label if they are one"
            ),
            Self::FewEvents { events, coefficients } => {
                let (events, coefficients) = (counted(events, "event"), counted(coefficients, "coefficient"));
                write!(
                    f,
                    "{events} for {coefficients}: fewer than 5 for each, so estimates may be biased and intervals too short"
                )
            }
            Self::OfPopulation { population, participants, of } => write!(
                f,
                "the population is \"{population}\", {participants} of the {of} who have the outcome; these are randomised groups \
                 only if it was settled before randomisation"
            ),
            Self::HarmonicMean { arm, n, smallest, largest } => write!(
                f,
                "the double arcsine of \"{arm}\" is carried back at {n:.1} people, the harmonic mean of {smallest} to {largest}: the \
                 proportion depends on that number; check it against the logistic model"
            ),
            Self::NotApplicable { participants, of } => write!(
                f,
                "the outcome does not apply to {participants} of {of} randomised, who {} not analysed; those to whom it applies \
                 are randomised groups only if that was settled before randomisation",
                if *participants == 1 { "is" } else { "are" }
            ),
            Self::MissingCovariate { covariate, participants } => {
                let left = agreeing(participants, "participant", ["is", "are"]);
                write!(f, "{left} left out because \"{covariate}\" is missing")
            }
            Self::ConstantCovariate { covariate } => {
                write!(f, "\"{covariate}\" has one value in this subgroup, so the model there does without it")
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
            Self::CertainArm { arm, everybody } => {
                let who = if *everybody { "everybody" } else { "nobody" };
                write!(
                    f,
                    "{who} in arm \"{arm}\" had the event, so that the interval takes this arm as certain and is too short; beside it \
                     report the counts with an interval of these (DifferenceInProportions), or another horizon"
                )
            }
            Self::BeyondHorizon { treatment, horizon } => write!(
                f,
                "the interval of \"{treatment}\" reaches beyond {horizon}, by more than which mean times until then cannot differ: the \
                 normal or t distribution does not hold for so few people; report the counts, and shares at a horizon"
            ),
            Self::ZeroStandardError { treatment } => {
                write!(f, "the standard error for \"{treatment}\" is zero: its formula finds no variation in the outcomes of the two arms")
            }
            Self::AddedHalf { name } => write!(f, "half an event was added to every cell of \"{name}\""),
            Self::ProratedScores { participants } => {
                let participants = counted(participants, "participant");
                write!(f, "the scores of {participants} are prorated from fewer items")
            }
            Self::BoundaryTau2 => f.write_str("the estimate of tau2 is on its boundary, zero"),
            Self::HartungKnappNarrower => {
                f.write_str("the Hartung-Knapp interval is narrower than the Wald interval")
            }
            Self::TrialsWithoutArm { arm, trials } => {
                write!(f, "without the arm \"{arm}\", so not in this pool: {}", listed(trials))
            }
            Self::UninformativeTrials { trials } => {
                write!(f, "all or none have the event, so these say nothing about the effect: {}", listed(trials))
            }
            Self::FewTrials { trials: 1 } => {
                f.write_str("only one trial: the variation between trials is not estimable, and the interval is that of this trial alone")
            }
            Self::FewTrials { trials } => {
                write!(
                    f,
                    "only {trials} trials: the variation between trials is hardly estimable; report each trial as well, and \
                     pools under several priors of that variation (BayesianRandomEffects)"
                )
            }
            Self::Aliased { columns } => write!(f, "left out as linear combinations: {}", listed(columns)),
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
                p_words(*p_value)
            ),
            Self::ProportionalOddsUntested { why } => {
                write!(f, "whether odds are proportional could not be tested: {why}")
            }
            Self::NonProportionalHazards { p_value } => write!(
                f,
                "hazards are not proportional (Grambsch and Therneau's test, p {}), so that a hazard ratio depends on the length of \
                 follow-up: report the difference in restricted mean times (RestrictedMeanTime)",
                if *p_value < 0.001 { "< 0.001".to_owned() } else { format!("= {p_value:.3}") }
            ),
            Self::ProportionalHazardsUntested { why } => {
                write!(f, "whether hazards are proportional could not be tested: {why}")
            }
            Self::NoRandomisedGroups => f.write_str(
                "people who have an amount are not randomised groups, so this comparison of them is not an effect of the treatment",
            ),
            Self::StrataLeftOut { strata, of } => {
                let [lack, say] = if *strata == 1 { ["lacks", "says"] } else { ["lack", "say"] };
                let of = counted(of, "stratum");
                write!(f, "{strata} of {of} {lack} an arm and {say} nothing about its effect within strata")
            }
            Self::SharedClusters { clusters } => write!(
                f,
                "{} people in several subgroups, but differences between subgroups take these as independent",
                agreeing(clusters, "cluster", ["has", "have"])
            ),
            Self::ClustersIgnored { clusters } => write!(
                f,
                "people are taken as independent although {} declared, so that the standard error and the p-value are too small if \
                 people of a cluster are alike; a linear, logistic, Poisson or Cox regression counts clusters by default, and so do risks \
                 and mean times at a horizon",
                agreeing(clusters, "cluster", ["was", "were"])
            ),
            Self::StrataIgnored { strata } => write!(
                f,
                "{} declared, but unadjusted estimates do not use them: their standard errors may be too large, and they are biased \
                 where strata differ in the shares of their arms; estimate within strata, or adjust for them",
                agreeing(strata, "stratum", ["was", "were"])
            ),
            Self::UnequalStrata { p_value } => write!(
                f,
                "the arms differ in their shares of the declared strata more than randomisation within strata explains (p {}), \
                 which this estimate or its variance presumes not to be; estimate within strata (mantel_haenszel(..), blocks(..); \
                 stratified() for times), or adjust for the strata with a variance that presumes no balance (MarginalVariance::Superpopulation)",
                p_words(*p_value)
            ),
            Self::UnequalCovariates { arm, r2, p_value } => write!(
                f,
                "the covariates tell \"{arm}\" from the other arms more than randomisation explains (R2 = {r2:.2}, p {}), so that \
                 the variance, which presumes balance, may be too small; use MarginalVariance::Superpopulation",
                p_words(*p_value)
            ),
            Self::DominantWeights { arm, people, effective, largest_share } => write!(
                f,
                "the weights of \"{arm}\" leave {effective:.1} effective people of {people}, and one person carries \
                 {:.1}% of the weight: the estimate rests on few, and its interval is too short; look at the largest weights and at \
                 what makes them: a covariate that tells the arms apart, or the column of weights",
                100.0 * largest_share
            ),
            Self::WaldInstead { interval } => write!(
                f,
                "the {interval} interval compares a treatment with the reference; between treatments the interval is Wald's, from their \
                 joint covariance: for the other one compare these two arms alone with compare(..).versus(..)"
            ),
            Self::ImpossibleLimits { treatment } => write!(
                f,
                "the interval of \"{treatment}\" reaches beyond 100 percentage points, where no difference in proportions lies: \
                 the normal or t distribution does not hold for so few people or trials; of counts take a score or exact interval, \
                 of times or states a log odds ratio, and report the effects or counts of each trial"
            ),
            Self::OfTable(notice) => write!(f, "{notice}"),
            Self::Fallback { estimator, why } => {
                write!(f, "the analysis has no answer ({why}); the {estimator} that was named beforehand stands in its place")
            }
            Self::TooFewTrials { analysis, trials, needed, source } => {
                let trials = counted(trials, "trial");
                write!(f, "{analysis} means little with {trials}: it takes {needed} ({source})")
            }
            Self::NoInformation { trials } => {
                write!(f, "without information about a ratio, because both arms had no events or only events: {}", listed(trials))
            }
            Self::UndeclaredDirection => {
                f.write_str("the measure declares no direction (higher_is_better, lower_is_better), so nothing is ranked")
            }
            Self::OfTrials { trials, notice } => match &**notice {
                Self::AddedHalf { .. } => write!(f, "half an event was added to every cell of {}", listed(trials)),
                // It is about others.
                notice @ Self::ShorterFollowUp { .. } => notice.fmt(f),
                notice => write!(f, "{notice} ({})", listed(trials)),
            },
            Self::BaselineOnly { participants } => {
                let left = agreeing(participants, "participant", ["is", "are"]);
                write!(f, "{left} left out because they have an outcome at baseline and in no later wave")
            }
            Self::SimplerCovariance { asked, taken, why } => write!(
                f,
                "the {asked} covariance of the waves could not be fitted ({why}); the {taken} one that was named beforehand stands \
                 in its place"
            ),
            Self::ShorterFollowUp { trials, horizon } => {
                let ends: Vec<String> = trials.iter().map(|(trial, last)| format!("{trial} ({last})")).collect();
                write!(f, "left out because follow-up ends before {horizon}: {}", ends.join(", "))
            }
            Self::ResamplesWithoutAnswer { failed, of, why } => write!(
                f,
                "{failed} of {of} resamples have no answer ({why}) and are left out, as if they were like the others"
            ),
            Self::ReplicatesStopped { drawn, of } => write!(
                f,
                "the work was stopped: the result rests on {drawn} of {of} draws"
            ),
            Self::Other(words) => f.write_str(words),
        }
    }
}
