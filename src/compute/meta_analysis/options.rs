//! The conventions of pooling, as named values.

// DerSimonian is a name, not code.
#![allow(clippy::doc_markdown)]

use crate::compute::words::words;
use serde::{Deserialize, Serialize};

/// How the variance tau² between studies is estimated.
///
/// Every estimate is truncated at 0. With wᵢ = 1/(vᵢ + tau²) (at tau² = 0 where nothing else is said), Q the
/// generalised heterogeneity statistic sum wᵢ (yᵢ - mu)², S1 = sum wᵢ and S2 = sum wᵢ².
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Tau2 {
    /// Restricted maximum likelihood (Viechtbauer 2005, J. Educ. Behav. Stat. 30). The default.
    #[default]
    Reml,
    /// Maximum likelihood: biased downwards with few studies.
    Ml,
    /// (Q - (k - 1)) / (S1 - S2/S1) (DerSimonian & Laird 1986, Control. Clin. Trials 7).
    DerSimonianLaird,
    /// The tau² at which Q(tau²) = k - 1 (Paule & Mandel 1982, J. Res. Natl. Bur. Stand. 87).
    PauleMandel,
    /// The tau² at which Q(tau²) is the median of chi-squared with k - 1 degrees of freedom (Viechtbauer
    /// 2021).
    PauleMandelMedian,
    /// The unweighted moment estimator: variance of the yᵢ minus the mean of the vᵢ (Hedges & Olkin 1985).
    Hedges,
    /// The model error variance estimator, started from sum (y - ybar)²/k (Sidik & Jonkman 2005, Appl. Stat.
    /// 54); always positive where estimates differ.
    SidikJonkman,
    /// (Q - k)/S1 (Hunter & Schmidt 1990).
    HunterSchmidt,
    /// (Q k/(k - 1) - k)/S1 (Viechtbauer 2021).
    HunterSchmidtCorrected,
    /// Empirical Bayes (Morris 1983, JASA 78): the same value as [`Tau2::PauleMandel`].
    EmpiricalBayes,
    /// Moment estimator with the weights 1/(vᵢ + tau²) of [`Tau2::DerSimonianLaird`] (DerSimonian & Kacker
    /// 2007).
    DerSimonianLairdTwoStep,
    /// Moment estimator with weights of one's own (`moment_weights`; DerSimonian & Kacker 2007; Jackson
    /// 2013).
    GeneralizedQ,
    /// Q² / ((2(k - 1) + Q)(S1 - S2/S1)) (Hartung & Makambi 2003): positive unless Q = 0. Has no standard
    /// error.
    HartungMakambi,
}

words! {
    Tau2 {
        Reml => "REML",
        Ml => "maximum likelihood",
        DerSimonianLaird => "DerSimonian-Laird",
        PauleMandel => "Paule-Mandel",
        PauleMandelMedian => "Paule-Mandel, median",
        Hedges => "Hedges",
        SidikJonkman => "Sidik-Jonkman",
        HunterSchmidt => "Hunter-Schmidt",
        HunterSchmidtCorrected => "Hunter-Schmidt, corrected",
        EmpiricalBayes => "empirical Bayes",
        DerSimonianLairdTwoStep => "DerSimonian-Laird, two steps",
        GeneralizedQ => "generalised Q",
        HartungMakambi => "Hartung-Makambi",
    }
}

/// The standard error and the reference distribution of the pooled effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Test {
    /// Wald: the model's standard error, standard normal.
    Normal,
    /// The model's standard error, t with k - 1 degrees of freedom.
    T,
    /// Hartung-Knapp: the model's standard error times sqrt(Q(tau²)/(k - 1)), t with k - 1 degrees of freedom
    /// (Hartung & Knapp 2001, Stat. Med. 20; Sidik & Jonkman 2002).
    HartungKnapp,
    /// Hartung-Knapp with a factor of at least 1 (Knapp & Hartung 2003): very conservative.
    HartungKnappTruncated,
    /// The larger p-value of [`Test::Normal`] and [`Test::HartungKnapp`] of every hypothetical effect, and so
    /// the wider interval of both at every level: no p-value depends on the level (after Wiksten et al. 2016;
    /// Jackson et al. 2017, Stat. Med. 36). Standard error and degrees of freedom are those of the wider one
    /// at the level of the result; predictions take the model's standard error. The default for random
    /// effects.
    #[default]
    WiderOfBoth,
}

words! {
    Test {
        Normal => "Wald",
        T => "model standard error",
        HartungKnapp => "Hartung-Knapp",
        HartungKnappTruncated => "Hartung-Knapp, truncated",
        WiderOfBoth => "wider of Wald and Hartung-Knapp",
    }
}

/// The weight that each study has in the pooled effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PoolingWeights {
    /// 1/(vᵢ + tau²). The default.
    #[default]
    InverseVariance,
    /// Every study the same.
    Equal,
    /// Weights of one's own; their scale does not matter.
    Given,
}

/// The degrees of freedom of the prediction interval for the effect in a new study.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PredictionDf {
    /// Standard normal.
    Normal,
    /// t with k - 1 degrees of freedom (Partlett & Riley 2017, Stat. Med. 36).
    #[default]
    KMinus1,
    /// t with k - 2 degrees of freedom (Higgins, Thompson & Spiegelhalter 2009, J. R. Stat. Soc. A 172).
    KMinus2,
    /// The distribution to which the pooled effect itself is referred; t with k - 1 degrees of freedom for
    /// [`Test::WiderOfBoth`], which refers to two.
    AsTest,
}

impl PredictionDf {
    /// The degrees of freedom with `k` studies (less other coefficients), where the test of the effect has
    /// `of_test`; `None` for the standard normal distribution.
    pub(super) fn df(self, k: f64, of_test: Option<f64>) -> Option<f64> {
        match self {
            Self::Normal => None,
            Self::KMinus1 => Some(k - 1.0),
            Self::KMinus2 => Some(k - 2.0),
            Self::AsTest => of_test,
        }
    }
}

/// The alternative hypothesis of a test.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Alternative {
    /// The effect differs from the null value. The default.
    #[default]
    TwoSided,
    /// The effect exceeds the null value (non-inferiority: null value = minus the margin).
    Greater,
    /// The effect is below the null value.
    Less,
}

/// Coefficients of a joint model for which one evaluation of its likelihood takes about a second.
pub(crate) const MOST_COEFFICIENTS: usize = 1000;
