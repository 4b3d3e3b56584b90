//! Every way to pool one treatment over trials, listed once.

use super::methods::tau2_methods;
use armwise::Result;
use armwise::bayes::{MuPrior, TauPrior};
use armwise::meta_analysis::{
    CoefficientTest, FunnelSide, MissingStudies, PoolingWeights, PredictionDf, SubgroupTau2, Tau2, Test,
};
use armwise::pool::{
    Approach, ArmPool, ArmTransformation, CumulativeOrder, EmptyCells, Priors, Refits, Sensitivity,
};
use armwise::prelude::*;

const TESTS: [Test; 5] =
    [Test::Normal, Test::T, Test::HartungKnapp, Test::HartungKnappTruncated, Test::WiderOfBoth];

#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Common(CommonEffect),
    Random(RandomEffects),
    People(ParticipantWeighted),
}

impl Pool {
    pub(crate) fn pool<S: Scale>(&self, effects: &TreatmentEffects<S>) -> Result<Pooled<S>> {
        match self {
            Self::Common(model) => model.pool(effects),
            Self::Random(model) => model.pool(effects),
            Self::People(model) => model.pool(effects),
        }
    }
}

pub(crate) fn all() -> Vec<Pool> {
    let mut list = vec![
        Pool::Common(CommonEffect::new()),
        Pool::Common(CommonEffect::new().level(0.8)),
        Pool::People(ParticipantWeighted::new()),
        Pool::People(ParticipantWeighted::new().level(0.9)),
    ];
    for tau2 in tau2_methods() {
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

/// Looks at every analysis that is made of the same trials.
pub(crate) trait Visit {
    fn see<T>(&mut self, name: &str, result: Result<T>)
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug + std::fmt::Display;
}

/// Every analysis of a treatment and of all arms, listed once.
pub(crate) fn analyses<S: Scale>(effects: &Effects<S>, treatment: &str, visit: &mut impl Visit) {
    use Approach::{Bayesian, CommonEffect as Common, HartungKnapp, Wald, WiderOfBoth};
    let alone = effects.treatment(treatment).unwrap();
    for approach in [Common, Wald, HartungKnapp, WiderOfBoth, Bayesian] {
        visit.see(
            &format!("side by side, {approach:?}"),
            SideBySide::new().prespecified(approach).pool(&alone),
        );
    }
    for prior in [None, Some(TauPrior::HalfCauchy { scale: 0.1 }), Some(TauPrior::Uniform { upper: 1.0 })] {
        let model = BayesianRandomEffects::new();
        let model = prior.map_or(model, |prior| model.tau_prior(prior));
        visit.see(&format!("Bayesian, {prior:?}"), model.pool(&alone));
    }
    let normal = BayesianRandomEffects::new().mu_prior(MuPrior::Normal { mean: 0.0, sd: 0.5 }).level(0.8);
    visit.see("Bayesian, prior of mu", normal.pool(&alone));
    visit.see("priors", BayesianRandomEffects::new().prior_sensitivity(&alone, &Priors::Customary));
    let sensitivities = [
        CommonEffect::new().sensitivity(&alone),
        RandomEffects::new().sensitivity(&alone),
        RandomEffects::new().tau2(Tau2::PauleMandel).test(Test::Normal).sensitivity(&alone),
    ];
    for sensitivity in sensitivities {
        match sensitivity {
            Ok(sensitivity) => ask(&sensitivity, visit),
            Err(error) => visit.see::<Refits<S>>("sensitivity", Err(error)),
        }
    }
    let half = |i: usize| if i.is_multiple_of(2) { "even" } else { "odd" };
    let groups = || alone.iter().enumerate().map(|(i, estimate)| (estimate.trial(), half(i)));
    let subgroups = || Subgroups::by("half", groups());
    visit.see("subgroups", subgroups().pool(&alone));
    visit.see("subgroups, one tau2", subgroups().tau2(SubgroupTau2::Common).pool(&alone));
    visit.see("subgroups, common effect", subgroups().common_effect(CommonEffect::new()).pool(&alone));
    let numbers = || alone.iter().enumerate().map(|(i, estimate)| (estimate.trial(), (i * i) as f64));
    visit.see("meta-regression, number", MetaRegression::new().number("x", numbers()).fit(&alone));
    visit.see(
        "meta-regression, category",
        MetaRegression::fixed_effects().category("half", groups()).fit(&alone),
    );
    visit.see("meta-regression, nothing", MetaRegression::new().fit(&alone));
    visit.see("network, random", NetworkMetaAnalysis::random().pool(effects));
    visit.see("network, common", NetworkMetaAnalysis::common().reference(treatment).level(0.9).pool(effects));
}

fn ask<S: Scale>(sensitivity: &Sensitivity<S>, visit: &mut impl Visit) {
    visit.see("leave one out", sensitivity.leave_one_out());
    visit.see("cumulative", sensitivity.cumulative(&CumulativeOrder::Precision));
    visit.see("influence", sensitivity.influence());
    visit.see("asymmetry", sensitivity.asymmetry());
    visit.see("trim and fill", sensitivity.trim_and_fill(MissingStudies::R0, FunnelSide::BySlope));
    visit.see("Henmi-Copas", sensitivity.henmi_copas());
}

/// Every pool of counts, listed once.
pub(crate) fn counts(comparisons: &Comparisons<Binary>, treatment: &str, visit: &mut impl Visit) {
    for rule in [EmptyCells::AsTheyAre, EmptyCells::AddHalf, EmptyCells::AddHalfToAll] {
        let (ratio, odds) = (MantelHaenszel::new(LogRiskRatio), MantelHaenszel::new(LogOddsRatio));
        visit.see(
            "risk difference",
            MantelHaenszel::new(RiskDifference).empty_cells(rule).pool(comparisons, treatment),
        );
        visit.see("risk ratio", ratio.empty_cells(rule).pool(comparisons, treatment));
        visit.see("odds ratio", odds.empty_cells(rule).level(0.8).pool(comparisons, treatment));
    }
    visit.see("Peto", Peto::new().pool(comparisons, treatment));
    arms(comparisons, visit);
}

/// Every pool of single arms, listed once.
pub(crate) fn arms(comparisons: &Comparisons<Binary>, visit: &mut impl Visit) {
    for test in [CoefficientTest::TrialsMinus1, CoefficientTest::Normal] {
        visit.see("logistic arms", ArmPool::logistic().test(test).points(7).level(0.9).pool(comparisons));
    }
    for to in [
        ArmTransformation::Plain,
        ArmTransformation::Log,
        ArmTransformation::Logit,
        ArmTransformation::Arcsine,
        ArmTransformation::FreemanTukey,
    ] {
        for rule in [EmptyCells::AsTheyAre, EmptyCells::AddHalf] {
            let pool = ArmPool::transformed(to).empty_cells(rule);
            visit.see(&format!("arms, {to}, {rule}"), pool.pool(comparisons));
        }
        let common = ArmPool::transformed(to).empty_cells(EmptyCells::AddHalfToAll);
        visit
            .see(&format!("arms, {to}, common"), common.common_effect(CommonEffect::new()).pool(comparisons));
    }
}
