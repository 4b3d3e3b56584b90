use super::resampled::{ResampledUnit, ResampledWithin, Resampling};
use crate::compute::categorical::Simultaneous;
use crate::compute::longitudinal::{
    CorrelationMoments, CovarianceStructure, DfMethod, EquationsVariance, LikelihoodCriterion,
    WorkingCorrelation,
};
use crate::compute::mean::Blocks;
use crate::compute::proportion::{CountInterval, DifferenceInterval, OddsRatioInterval, RatioInterval};
use crate::compute::rate::{RateContrastInterval, RateDifferenceInterval, RateRatioInterval};
use crate::compute::regression::{ClusterVariance, MarginalVariance, VarianceType};
use crate::compute::resampling::{BootstrapInterval, ResidualsOf, WildWeights};
use crate::compute::survival::{CoxVariance, FineGrayVariance};
use crate::compute::weighting::NuisanceVariance;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whether an effect is that of moving the whole population, or that for people with the same covariates.
///
/// For odds ratios and hazard ratios the two differ even without confounding, so they never pool with each
/// other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimand {
    /// Averaged over the covariates of the population, or without covariates.
    Marginal,
    /// For people with the same covariates.
    Conditional,
    /// Averaged over the compliers: those who take the treatment up if it is offered, and only then.
    Compliers,
}

/// How the sampling variance was estimated.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum VarianceMethod {
    /// Each arm has its own variance (Welch; unpooled proportions).
    Unpooled,
    /// One variance for all arms (Student).
    Pooled,
    /// That of a regression coefficient.
    Regression(VarianceType),
    /// That of a regression coefficient, or of a mean of an arm, with people of a cluster dependent on each
    /// other.
    Clustered(ClusterVariance),
    /// That of differences within strata.
    Blocked(Blocks),
    /// That of differences within strata, with people of a cluster dependent on each other.
    BlockedClustered(Blocks),
    /// Sato's (1989) of a Mantel-Haenszel difference: also for many small strata.
    Sato,
    /// Greenland & Robins' (1985) of a Mantel-Haenszel difference, for few large strata, or ratio of
    /// proportions.
    GreenlandRobins,
    /// Robins, Breslow & Greenland's (1986) of a Mantel-Haenszel odds ratio.
    RobinsBreslowGreenland,
    /// That of a standardised mean.
    Marginal(MarginalVariance),
    /// That of a weighted mean.
    Weighted(NuisanceVariance),
    /// That of a weighted mean, with the influences summed over clusters.
    WeightedClustered(NuisanceVariance),
    /// That of a log hazard ratio.
    Hazard(CoxVariance),
    /// That of a log subdistribution hazard ratio.
    Subdistribution(FineGrayVariance),
    /// That of a mixed model for repeated measures.
    RepeatedMeasures {
        /// The covariance over waves.
        structure: CovarianceStructure,
        /// The likelihood that was maximised.
        criterion: LikelihoodCriterion,
        /// How small samples are counted.
        df: DfMethod,
    },
    /// That of generalised estimating equations.
    EstimatingEquations {
        /// The working correlation.
        correlation: WorkingCorrelation,
        /// How it was made from residuals.
        moments: CorrelationMoments,
        /// The variance of the coefficients.
        variance: EquationsVariance,
    },
    /// That of replicates of a bootstrap.
    Bootstrap(Resampling),
    /// That of the estimates without each unit in turn.
    Jackknife {
        /// The units.
        unit: ResampledUnit,
        /// The groups within which one is left out.
        within: ResampledWithin,
    },
    /// Rubin's rules over imputed data, of each of which it was estimated so.
    Imputed(Box<VarianceMethod>),
    /// Another, in words (estimators of users).
    Other(String),
}

/// How an interval was made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IntervalMethod {
    /// Value plus and minus a normal quantile of standard errors.
    Normal,
    /// Value plus and minus a quantile of Student's t of standard errors.
    StudentT,
    /// An interval from the counts of two arms.
    Counts(CountInterval),
    /// An interval from the counts of two arms in several strata, of the Mantel-Haenszel effect.
    Strata(CountInterval),
    /// The net benefits that the exact rank sum test does not reject, where arms do not overlap.
    ExactRankSum,
    /// An interval from the events of two arms in their exposures.
    Rates(RateContrastInterval),
    /// The wider of Wald's, normal, and Hartung-Knapp's, with Student's t.
    WiderOfBoth,
    /// By the distribution of a bootstrap.
    Bootstrap {
        /// The kind of interval.
        interval: BootstrapInterval,
        /// How the distribution was made.
        by: Resampling,
    },
    /// The effects that a wild cluster bootstrap does not reject.
    WildCluster {
        /// The weights of clusters.
        weights: WildWeights,
        /// The residuals that they multiply.
        residuals: ResidualsOf,
        /// The number of draws.
        draws: u64,
        /// Their seed; `None` where all were enumerated.
        seed: Option<u64>,
    },
    /// Equal tails of a posterior distribution.
    EqualTails,
    /// Henmi and Copas's of a common effect, which holds under random effects.
    HenmiCopas,
    /// The values that a penalised likelihood ratio test does not reject.
    ProfilePenalized,
    /// The values that Anderson and Rubin's test does not reject.
    AndersonRubin,
    /// Value plus and minus standard errors on the logit of a probability, back on its own scale: limits stay
    /// within their range.
    Logit,
    /// Intervals that hold together for all treatments and categories.
    Simultaneous {
        /// How they share the error probability.
        by: Simultaneous,
        /// How each is made.
        interval: Box<IntervalMethod>,
    },
}

/// By which method an estimate was made: every convention by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Method {
    /// The estimator in words, such as "difference in proportions".
    pub estimator: String,
    /// The covariates that it adjusts for; empty if unadjusted.
    pub adjusted_for: Vec<String>,
    /// How the sampling variance was estimated.
    pub variance: VarianceMethod,
    /// How the interval and the tests were made: the confidence curve by name.
    pub interval: IntervalMethod,
}

impl Method {
    /// An unadjusted estimator with this name: unpooled variance, normal interval, Wald test.
    pub fn new(estimator: impl Into<String>) -> Self {
        Self {
            estimator: estimator.into(),
            adjusted_for: Vec::new(),
            variance: VarianceMethod::Unpooled,
            interval: IntervalMethod::Normal,
        }
    }

    /// The covariates that it adjusts for; default: none.
    #[must_use]
    pub fn adjusted_for<T: AsRef<str>>(mut self, covariates: impl IntoIterator<Item = T>) -> Self {
        self.adjusted_for = covariates.into_iter().map(|covariate| covariate.as_ref().to_owned()).collect();
        self
    }

    setters! {
        /// How the sampling variance is estimated; default: unpooled.
        variance: VarianceMethod;
    }

    pub(crate) fn interval(mut self, interval: IntervalMethod) -> Self {
        self.interval = interval;
        self
    }
}

impl fmt::Display for Estimand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Marginal => "marginal",
            Self::Conditional => "conditional",
            Self::Compliers => "compliers",
        })
    }
}

/// The words for a variance of standardised means.
fn marginal_words(variance: MarginalVariance) -> String {
    match variance {
        MarginalVariance::Delta(variance) => format!("delta method, {}", variance_words(variance)),
        MarginalVariance::Superpopulation => "superpopulation".to_owned(),
        MarginalVariance::SuperpopulationClustered => "superpopulation, clustered".to_owned(),
        MarginalVariance::Ye2023 => "Ye 2023".to_owned(),
        MarginalVariance::Ye2023Decomposed => "Ye 2023, decomposed".to_owned(),
        MarginalVariance::Ye2023Stratified => "Ye 2023, stratified".to_owned(),
    }
}

impl fmt::Display for VarianceMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpooled => f.write_str("unpooled"),
            Self::Pooled => f.write_str("pooled"),
            Self::Regression(variance) => f.write_str(variance_words(*variance)),
            Self::Blocked(blocks) => f.write_str(block_words(*blocks)),
            Self::BlockedClustered(blocks) => write!(f, "{}, clustered", block_words(*blocks)),
            Self::Sato => f.write_str("Sato"),
            Self::GreenlandRobins => f.write_str("Greenland-Robins"),
            Self::RobinsBreslowGreenland => f.write_str("Robins-Breslow-Greenland"),
            Self::Marginal(variance) => f.write_str(&marginal_words(*variance)),
            Self::Clustered(variance) => f.write_str(cluster_words(*variance)),
            Self::Weighted(variance) => f.write_str(weighted_words(*variance)),
            Self::WeightedClustered(variance) => write!(f, "{}, clustered", weighted_words(*variance)),
            Self::Hazard(variance) => write!(f, "{variance}"),
            Self::Subdistribution(variance) => write!(f, "{variance}"),
            Self::RepeatedMeasures { structure, criterion, df } => {
                write!(f, "{structure} covariance, {criterion}, {df}")
            }
            Self::EstimatingEquations { correlation, variance, .. } => {
                write!(f, "{correlation} working correlation, {variance}")
            }
            Self::Bootstrap(by) => write!(f, "bootstrap {by}"),
            Self::Jackknife { unit, within } => write!(f, "jackknife of {unit}{within}"),
            Self::Imputed(within) => write!(f, "{within}, combined by Rubin's rules"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

impl fmt::Display for IntervalMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::StudentT => f.write_str("t"),
            Self::Counts(method) => f.write_str(count_words(*method)),
            Self::Strata(method) => write!(f, "stratified {}", count_words(*method)),
            Self::ExactRankSum => f.write_str("exact rank sum"),
            Self::Rates(RateContrastInterval::Difference(RateDifferenceInterval::Score)) => {
                f.write_str("score")
            }
            Self::Rates(RateContrastInterval::Ratio(method)) => f.write_str(rate_ratio_words(*method)),
            Self::WiderOfBoth => f.write_str("wider of Wald and Hartung-Knapp"),
            Self::Bootstrap { interval, by } => write!(f, "{interval} {by}"),
            Self::WildCluster { weights, residuals, draws, seed } => {
                let null = match residuals {
                    ResidualsOf::RestrictedModel => "null imposed",
                    _ => "null not imposed",
                };
                match seed {
                    Some(seed) => {
                        write!(f, "wild cluster bootstrap, {weights}, {null}, {draws} draws, seed {seed}")
                    }
                    None => write!(f, "wild cluster bootstrap, {weights}, {null}, all {draws} draws"),
                }
            }
            Self::EqualTails => f.write_str("posterior with equal tails"),
            Self::HenmiCopas => f.write_str("Henmi-Copas"),
            Self::ProfilePenalized => f.write_str("profile of the penalised likelihood"),
            Self::AndersonRubin => f.write_str("Anderson-Rubin"),
            Self::Logit => f.write_str("logit"),
            Self::Simultaneous { by: Simultaneous::Individual, interval } => interval.fmt(f),
            Self::Simultaneous { by, interval } => {
                write!(f, "{interval}, simultaneous by {}", simultaneous_words(*by))
            }
        }
    }
}

/// The words for intervals that hold together.
fn simultaneous_words(by: Simultaneous) -> &'static str {
    match by {
        Simultaneous::Individual => "itself",
        Simultaneous::Bonferroni => "Bonferroni",
        Simultaneous::Goodman => "Goodman",
        Simultaneous::MaxT => "max-t",
    }
}

/// The words for the intervals of two proportions.
fn count_words(method: CountInterval) -> &'static str {
    match method {
        CountInterval::Difference(method) => difference_words(method),
        CountInterval::Ratio(method) => ratio_words(method),
        CountInterval::OddsRatio(method) => odds_ratio_words(method),
    }
}

fn difference_words(method: DifferenceInterval) -> &'static str {
    match method {
        DifferenceInterval::Wald => "Wald",
        DifferenceInterval::WaldContinuity => "Wald with continuity correction",
        DifferenceInterval::AgrestiCaffo => "Agresti-Caffo",
        DifferenceInterval::Newcombe => "Newcombe",
        DifferenceInterval::NewcombeContinuity => "Newcombe with continuity correction",
        DifferenceInterval::MiettinenNurminen => "Miettinen-Nurminen",
        DifferenceInterval::Mee => "Mee",
    }
}

fn ratio_words(method: RatioInterval) -> &'static str {
    match method {
        RatioInterval::Log => "Katz log",
        RatioInterval::Walter => "Walter",
        RatioInterval::Koopman => "Koopman",
        RatioInterval::MiettinenNurminen => "Miettinen-Nurminen",
    }
}

fn rate_ratio_words(method: RateRatioInterval) -> &'static str {
    match method {
        RateRatioInterval::ExactConditional => "exact conditional",
        RateRatioInterval::MidP => "mid-p",
        RateRatioInterval::Score => "score",
    }
}

fn odds_ratio_words(method: OddsRatioInterval) -> &'static str {
    match method {
        OddsRatioInterval::Woolf => "Woolf",
        OddsRatioInterval::HaldaneAnscombe => "Haldane-Anscombe",
        OddsRatioInterval::Cornfield => "Cornfield",
        OddsRatioInterval::MiettinenNurminen => "Miettinen-Nurminen",
        OddsRatioInterval::ExactConditional => "exact conditional",
        OddsRatioInterval::MidP => "mid-p",
    }
}

fn variance_words(variance: VarianceType) -> &'static str {
    match variance {
        VarianceType::Model => "model-based",
        VarianceType::Hc0 => "HC0",
        VarianceType::Hc1 => "HC1",
        VarianceType::Hc2 => "HC2",
        VarianceType::Hc3 => "HC3",
    }
}

fn cluster_words(variance: ClusterVariance) -> &'static str {
    match variance {
        ClusterVariance::Cr0 => "CR0",
        ClusterVariance::Cr1 => "CR1",
        ClusterVariance::Cr1s => "CR1S",
        ClusterVariance::Cr2 => "CR2",
        ClusterVariance::Cr2Pearson => "CR2 of Pearson residuals",
        ClusterVariance::Cr3 => "CR3",
    }
}

fn weighted_words(variance: NuisanceVariance) -> &'static str {
    match variance {
        NuisanceVariance::Stacked => "stacked",
        NuisanceVariance::Known => "weights taken as known",
    }
}

fn block_words(blocks: Blocks) -> &'static str {
    match blocks {
        Blocks::Ignored => "strata ignored",
        Blocks::BySize => "within strata by size",
        Blocks::ByPrecision => "within strata by precision",
        Blocks::MatchedSets => "matched sets",
        Blocks::Hybrid => "within larger strata and between small ones",
        Blocks::HybridWithinSizes => "within larger strata and between small ones of a size",
    }
}
