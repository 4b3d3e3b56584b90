//! Methods of the numeric layer that laws loop over, and the studies that they are given.

use armwise::meta_analysis::Tau2;
use armwise::proportion::{DifferenceInterval, OddsRatioInterval, RatioInterval};
use armwise::regression::VarianceType;
use proptest::prelude::*;
use std::ops::Range;

pub(crate) const TAU2: [Tau2; 12] = [
    Tau2::Reml,
    Tau2::Ml,
    Tau2::DerSimonianLaird,
    Tau2::PauleMandel,
    Tau2::PauleMandelMedian,
    Tau2::Hedges,
    Tau2::SidikJonkman,
    Tau2::HunterSchmidt,
    Tau2::HunterSchmidtCorrected,
    Tau2::EmpiricalBayes,
    Tau2::DerSimonianLairdTwoStep,
    Tau2::HartungMakambi,
];

pub(crate) const VARIANCES: [VarianceType; 5] =
    [VarianceType::Model, VarianceType::Hc0, VarianceType::Hc1, VarianceType::Hc2, VarianceType::Hc3];

pub(crate) const DIFFERENCES: [DifferenceInterval; 7] = [
    DifferenceInterval::Wald,
    DifferenceInterval::WaldContinuity,
    DifferenceInterval::AgrestiCaffo,
    DifferenceInterval::Newcombe,
    DifferenceInterval::NewcombeContinuity,
    DifferenceInterval::MiettinenNurminen,
    DifferenceInterval::Mee,
];

pub(crate) const RATIOS: [RatioInterval; 4] =
    [RatioInterval::Log, RatioInterval::Walter, RatioInterval::Koopman, RatioInterval::MiettinenNurminen];

pub(crate) const ODDS_RATIOS: [OddsRatioInterval; 6] = [
    OddsRatioInterval::Woolf,
    OddsRatioInterval::HaldaneAnscombe,
    OddsRatioInterval::Cornfield,
    OddsRatioInterval::MiettinenNurminen,
    OddsRatioInterval::ExactConditional,
    OddsRatioInterval::MidP,
];

/// Effects of studies and their variances, whose logarithms lie between this one and 1.
pub(crate) fn studies(count: Range<usize>, log_variance: f64) -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((-2.0..2.0_f64, log_variance..1.0_f64), count)
        .prop_map(|studies| studies.into_iter().map(|(y, log_v)| (y, log_v.exp())).collect())
}

/// The effects and the variances of studies.
pub(crate) fn unzip(studies: &[(f64, f64)]) -> (Vec<f64>, Vec<f64>) {
    studies.iter().copied().unzip()
}
