//! Every way to pool one treatment over trials, listed once.

use armwise::Result;
use armwise::meta_analysis::{PoolingWeights, PredictionDf, Tau2, Test};
use armwise::prelude::*;

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

const TESTS: [Test; 5] =
    [Test::Normal, Test::T, Test::HartungKnapp, Test::HartungKnappTruncated, Test::WiderOfBoth];

#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Common(CommonEffect),
    Random(RandomEffects),
}

impl Pool {
    pub(crate) fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Pooled<S>> {
        match self {
            Self::Common(model) => model.pool(effects),
            Self::Random(model) => model.pool(effects),
        }
    }
}

pub(crate) fn all() -> Vec<Pool> {
    let mut list = vec![Pool::Common(CommonEffect::new()), Pool::Common(CommonEffect::new().level(0.8))];
    for tau2 in TAU2 {
        list.push(Pool::Random(RandomEffects::new().tau2(tau2)));
    }
    for test in TESTS {
        list.push(Pool::Random(RandomEffects::new().test(test)));
        list.push(Pool::Random(RandomEffects::new().test(test).weights(PoolingWeights::Equal)));
    }
    for rule in [PredictionDf::Normal, PredictionDf::KMinus1, PredictionDf::KMinus2, PredictionDf::AsTest] {
        list.push(Pool::Random(RandomEffects::new().prediction_df(rule).level(0.9)));
    }
    list
}

/// Every joint model and component model, listed once.
#[derive(Debug, Clone)]
pub(crate) enum Joint {
    Treatments(JointModel),
    Components(ComponentModel),
}

impl Joint {
    pub(crate) fn pool<S: Scale>(&self, effects: &Effects<S>) -> Result<JointlyPooled<S>> {
        match self {
            Self::Treatments(model) => model.pool(effects),
            Self::Components(model) => model.pool(effects),
        }
    }
}

pub(crate) fn all_joint() -> Vec<Joint> {
    let mut list = vec![Joint::Treatments(JointModel::common()), Joint::Components(ComponentModel::common())];
    for tau2 in [Tau2::Reml, Tau2::Ml, Tau2::DerSimonianLaird, Tau2::PauleMandel] {
        list.push(Joint::Treatments(JointModel::random().tau2(tau2)));
        list.push(Joint::Components(ComponentModel::random().tau2(tau2)));
    }
    list
}
