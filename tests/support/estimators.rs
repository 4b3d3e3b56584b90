//! Every estimator with every convention, listed once.

use super::categories;
use super::data::{AGES, CONTRACT, CONTRACT_TYPE, SCORE, SPELLS, WORKS};
use super::hazards;
use super::methods::every;
use armwise::Result;
use armwise::effect::ContrastScale;
use armwise::estimator::RateVariance;
use armwise::mean::MeansVariance;
use armwise::prelude::*;
use armwise::proportion::{DifferenceInterval, OddsRatioInterval, RatioInterval};
use armwise::rate::{RateDifferenceInterval, RateRatioInterval};
use armwise::weighting::NuisanceVariance;

pub(crate) const MARGINAL_VARIANCES: [MarginalVariance; 9] = [
    MarginalVariance::Delta(VarianceType::Model),
    MarginalVariance::Delta(VarianceType::Hc0),
    MarginalVariance::Delta(VarianceType::Hc1),
    MarginalVariance::Delta(VarianceType::Hc2),
    MarginalVariance::Delta(VarianceType::Hc3),
    MarginalVariance::Superpopulation,
    MarginalVariance::Ye2023,
    MarginalVariance::Ye2023Decomposed,
    MarginalVariance::Ye2023Stratified,
];

type Estimating = Box<dyn Fn(&Trial, f64) -> Result<Estimates<AnyScale>>>;

// Four independent properties of an estimator.
#[allow(clippy::struct_excessive_bools)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// Estimates at a confidence level.
    pub(crate) estimate: Estimating,
    /// The interval is not built around the estimate, so it need not hold it.
    pub(crate) may_miss_its_value: bool,
    /// The variance has no small-sample factor: it halves where every row is doubled.
    pub(crate) halves: bool,
    /// The covariance need not be positive semi-definite, and a variance may come out negative.
    pub(crate) may_be_indefinite: bool,
    /// The outcome is continuous, the effect a difference in its units.
    pub(crate) in_units: bool,
    /// Strata have weights of their own for every treatment, so that arm against arm is another estimate.
    pub(crate) weights_by_treatment: bool,
    /// What the measure is called.
    pub(crate) measure: &'static str,
}

impl Listed {
    pub(crate) fn binary<E: Estimator<Binary>>(name: String, of: impl Fn(f64) -> E + 'static) -> Self {
        let estimate: Estimating =
            Box::new(move |trial, level| Ok(trial.on(&WORKS)?.estimate(&of(level))?.to_any()));
        Self {
            name,
            estimate,
            may_miss_its_value: false,
            halves: false,
            may_be_indefinite: false,
            in_units: false,
            weights_by_treatment: false,
            measure: "works",
        }
    }

    pub(crate) fn continuous<E: Estimator<Continuous>>(
        name: String,
        of: impl Fn(f64) -> E + 'static,
    ) -> Self {
        let estimate: Estimating =
            Box::new(move |trial, level| Ok(trial.on(&SCORE)?.estimate(&of(level))?.to_any()));
        let binary = Self::binary(name, |_| DifferenceInProportions::new());
        Self { estimate, in_units: true, measure: "score", ..binary }
    }

    pub(crate) fn ordinal<E: Estimator<Ordinal>>(name: String, of: impl Fn(f64) -> E + 'static) -> Self {
        let estimate: Estimating =
            Box::new(move |trial, level| Ok(trial.on(&CONTRACT)?.estimate(&of(level))?.to_any()));
        Self { estimate, measure: "contract", ..Self::binary(name, |_| DifferenceInProportions::new()) }
    }

    pub(crate) fn nominal<E: Estimator<Nominal>>(name: String, of: impl Fn(f64) -> E + 'static) -> Self {
        let estimate: Estimating =
            Box::new(move |trial, level| Ok(trial.on(&CONTRACT_TYPE)?.estimate(&of(level))?.to_any()));
        Self { estimate, measure: "contract", ..Self::binary(name, |_| DifferenceInProportions::new()) }
    }

    /// A continuous outcome whose effect is in no units.
    pub(crate) fn ranked<E: Estimator<Continuous>>(name: String, of: impl Fn(f64) -> E + 'static) -> Self {
        Self { in_units: false, ..Self::continuous(name, of) }
    }

    pub(crate) fn count<E: Estimator<Count>>(name: String, of: impl Fn(f64) -> E + 'static) -> Self {
        let estimate: Estimating =
            Box::new(move |trial, level| Ok(trial.on(&SPELLS)?.estimate(&of(level))?.to_any()));
        Self { estimate, ..Self::binary(name, |_| DifferenceInProportions::new()) }
    }

    pub(crate) fn times<E: Estimator<TimeToEvent>>(name: String, of: impl Fn(f64) -> E + 'static) -> Self {
        let estimate: Estimating =
            Box::new(move |trial, level| Ok(trial.on(&AGES)?.estimate(&of(level))?.to_any()));
        Self { estimate, measure: "age", ..Self::binary(name, |_| DifferenceInProportions::new()) }
    }

    pub(crate) fn halves(mut self, halves: bool) -> Self {
        self.halves = halves;
        self
    }

    fn may_miss_its_value(mut self, may: bool) -> Self {
        self.may_miss_its_value = may;
        self
    }

    fn weights_by_treatment(mut self, own: bool) -> Self {
        self.weights_by_treatment = own;
        self
    }

    pub(crate) fn may_be_indefinite(mut self, may: bool) -> Self {
        self.may_be_indefinite = may;
        self
    }
}

fn plain(variance: VarianceType) -> bool {
    matches!(variance, VarianceType::Model | VarianceType::Hc0)
}

fn is_ye(variance: MarginalVariance) -> bool {
    matches!(
        variance,
        MarginalVariance::Ye2023 | MarginalVariance::Ye2023Decomposed | MarginalVariance::Ye2023Stratified
    )
}

/// The models of a binary outcome, without and with a covariate.
pub(crate) fn logistic(adjusted: bool) -> LogisticRegression {
    if adjusted { LogisticRegression::new().adjust_for(["age"]) } else { LogisticRegression::new() }
}

fn linear(adjusted: bool) -> LinearRegression {
    if adjusted { LinearRegression::new().adjust_for(["age"]) } else { LinearRegression::new() }
}

pub(crate) fn all() -> Vec<Listed> {
    let mut list = Vec::new();
    for interval in every::<DifferenceInterval>() {
        let of = move |level| DifferenceInProportions::new().interval(interval).level(level);
        let may_miss = interval == DifferenceInterval::AgrestiCaffo;
        list.push(
            Listed::binary(format!("{interval:?} difference"), of).may_miss_its_value(may_miss).halves(true),
        );
    }
    for interval in every::<RatioInterval>() {
        let of = move |level| RatioOfProportions::new().interval(interval).level(level);
        let may_miss = interval == RatioInterval::Walter;
        list.push(
            Listed::binary(format!("{interval:?} ratio"), of).may_miss_its_value(may_miss).halves(true),
        );
    }
    for interval in every::<OddsRatioInterval>() {
        let of = move |level| OddsRatio::new().interval(interval).level(level);
        let may_miss = interval == OddsRatioInterval::HaldaneAnscombe;
        list.push(
            Listed::binary(format!("{interval:?} odds ratio"), of).may_miss_its_value(may_miss).halves(true),
        );
    }
    for adjusted in [false, true] {
        for variance in every::<VarianceType>() {
            let words = format!("{variance:?}, adjusted {adjusted}");
            let of = move |level| logistic(adjusted).variance(variance).level(level);
            list.push(Listed::binary(format!("logistic {words}"), of).halves(plain(variance)));
            let of = move |level| linear(adjusted).variance(variance).level(level);
            let hc0 = variance == VarianceType::Hc0;
            list.push(Listed::binary(format!("linear probability {words}"), of).halves(hc0));
            list.push(Listed::continuous(format!("linear {words}"), of).halves(hc0));
        }
        for variance in MARGINAL_VARIANCES {
            marginal(&mut list, adjusted, variance, RiskDifference);
            marginal(&mut list, adjusted, variance, LogRiskRatio);
            marginal(&mut list, adjusted, variance, LogOddsRatio);
            let of = move |level| linear(adjusted).level(level).marginal(MeanDifference).variance(variance);
            let name = format!("linear marginal {variance:?}, adjusted {adjusted}");
            list.push(Listed::continuous(name, of).may_be_indefinite(is_ye(variance)));
        }
    }
    counts(&mut list);
    times(&mut list);
    weighted(&mut list);
    within_strata(&mut list);
    for variance in [VarianceType::Hc0, VarianceType::Hc2] {
        let of = move |level| linear(true).interacted().variance(variance).level(level);
        let hc0 = variance == VarianceType::Hc0;
        list.push(Listed::binary(format!("Lin, binary, {variance:?}"), of).halves(hc0));
        list.push(Listed::continuous(format!("Lin {variance:?}"), of).halves(hc0));
    }
    list.extend(categories::all());
    list.extend(hazards::all());
    list.push(Listed::binary("Firth".into(), |level| FirthLogisticRegression::new().level(level)));
    for variance in [MeansVariance::Welch, MeansVariance::Pooled, MeansVariance::Normal] {
        let of = move |level| DifferenceInMeans::new().variance(variance).level(level);
        list.push(Listed::continuous(format!("{variance:?} difference in means"), of));
    }
    list
}

fn within_strata(list: &mut Vec<Listed>) {
    for blocks in [Blocks::BySize, Blocks::ByPrecision, Blocks::Hybrid, Blocks::HybridWithinSizes] {
        let of = move |level| DifferenceInMeans::new().blocks(blocks).level(level);
        let own = blocks == Blocks::ByPrecision;
        list.push(
            Listed::continuous(format!("{blocks:?} difference in means"), of).weights_by_treatment(own),
        );
    }
    let mantel_haenszel =
        |listed: Listed| listed.halves(true).may_be_indefinite(true).weights_by_treatment(true);
    for variance in [MantelHaenszelVariance::Sato, MantelHaenszelVariance::GreenlandRobins] {
        let of = move |level| DifferenceInProportions::new().mantel_haenszel(variance).level(level);
        list.push(mantel_haenszel(Listed::binary(format!("{variance:?} difference"), of)));
    }
    for interval in
        [DifferenceInterval::MiettinenNurminen, DifferenceInterval::Mee, DifferenceInterval::Newcombe]
    {
        let sato = DifferenceInProportions::new().mantel_haenszel(MantelHaenszelVariance::Sato);
        let of = move |level| sato.clone().interval(interval).level(level);
        list.push(mantel_haenszel(Listed::binary(format!("stratified {interval:?} difference"), of)));
    }
    for interval in [RatioInterval::MiettinenNurminen, RatioInterval::Koopman] {
        let of = move |level| RatioOfProportions::new().mantel_haenszel().interval(interval).level(level);
        list.push(mantel_haenszel(Listed::binary(format!("stratified {interval:?} ratio"), of)));
    }
    for interval in [OddsRatioInterval::MiettinenNurminen, OddsRatioInterval::Cornfield] {
        let of = move |level| OddsRatio::new().mantel_haenszel().interval(interval).level(level);
        let listed = Listed::binary(format!("stratified {interval:?} odds ratio"), of);
        // The score is zero beside the Mantel-Haenszel odds ratio.
        list.push(mantel_haenszel(listed).may_miss_its_value(true));
    }
    let of = |level| RatioOfProportions::new().mantel_haenszel().level(level);
    list.push(mantel_haenszel(Listed::binary("Mantel-Haenszel ratio".into(), of)));
    let of = |level| OddsRatio::new().mantel_haenszel().level(level);
    list.push(mantel_haenszel(Listed::binary("Mantel-Haenszel odds ratio".into(), of)));
}

/// At an age of which every arm has people before and after.
fn times(list: &mut Vec<Listed>) {
    const AGE: f64 = 45.0;
    let of = |level| RiskAtHorizon::new(RiskDifference, AGE).level(level);
    list.push(Listed::times("risk at a horizon".into(), of).halves(true));
    let of = |level| RiskAtHorizon::new(LogOddsRatio, AGE).level(level);
    list.push(Listed::times("odds at a horizon".into(), of).halves(true));
    let of = |level| RiskAtHorizon::new(RiskDifference, AGE).weights("age").level(level);
    list.push(Listed::times("weighted risk at a horizon".into(), of).halves(true));
    let of = |level| RestrictedMeanTime::new(MeanDifference, AGE).level(level);
    list.push(Listed::times("restricted mean".into(), of).halves(true));
    let of = |level| RestrictedMeanTime::new(MeanDifference, AGE).lost_to("event").level(level);
    list.push(Listed::times("time lost".into(), of).halves(true));
    for variance in [MarginalVariance::Superpopulation, MarginalVariance::Ye2023] {
        let of = move |level| {
            RiskAtHorizon::new(LogRiskRatio, AGE).adjust_for(["district"]).variance(variance).level(level)
        };
        let listed = Listed::times(format!("risk by pseudo-values {variance:?}"), of);
        list.push(listed.may_be_indefinite(is_ye(variance)));
    }
    let of = |level| {
        RestrictedMeanTime::new(MeanDifference, AGE).adjust_for(["district"]).interacted().level(level)
    };
    list.push(Listed::times("restricted mean by pseudo-values".into(), of).may_be_indefinite(true));
}

fn weighted(list: &mut Vec<Listed>) {
    let of = |level| {
        InverseProbabilityWeighting::new(RiskDifference).of_observation().adjust_for(["age"]).level(level)
    };
    list.push(Listed::binary("weighting of observation".into(), of).halves(true));
    for variance in [NuisanceVariance::Stacked, NuisanceVariance::Known] {
        let of = move |level| {
            InverseProbabilityWeighting::new(LogRiskRatio).adjust_for(["age"]).variance(variance).level(level)
        };
        list.push(Listed::binary(format!("weighting {variance:?}"), of).halves(true));
        let of = move |level| {
            DoublyRobust::new(RiskDifference).adjust_for(["age"]).variance(variance).level(level)
        };
        list.push(Listed::binary(format!("doubly robust {variance:?}"), of).halves(true));
        let of = move |level| {
            DoublyRobust::new(MeanDifference).adjust_for(["age"]).variance(variance).level(level)
        };
        list.push(Listed::continuous(format!("doubly robust in units {variance:?}"), of));
    }
    // For want of weights, ages.
    let of = |level| {
        let weighting = InverseProbabilityWeighting::new(RiskDifference).adjust_for(["district"]);
        weighting.weights("age").level(level)
    };
    list.push(Listed::binary("weighting of people with weights".into(), of).halves(true));
    let of = |level| DoublyRobust::new(MeanDifference).adjust_for(["district"]).weights("age").level(level);
    list.push(Listed::continuous("doubly robust with weights".into(), of));
}

fn counts(list: &mut Vec<Listed>) {
    for variance in [RateVariance::Robust, RateVariance::Poisson] {
        let poisson = variance == RateVariance::Poisson;
        let of = move |level| DifferenceInRates::new().variance(variance).level(level);
        list.push(Listed::count(format!("{variance:?} difference in rates"), of).halves(poisson));
        let of = move |level| RatioOfRates::new().variance(variance).level(level);
        list.push(Listed::count(format!("{variance:?} ratio of rates"), of).halves(poisson));
    }
    let of = |level| DifferenceInRates::new().interval(RateDifferenceInterval::Score).level(level);
    list.push(Listed::count("score difference in rates".into(), of).halves(true));
    for method in [RateRatioInterval::ExactConditional, RateRatioInterval::MidP, RateRatioInterval::Score] {
        let of = move |level| RatioOfRates::new().interval(method).level(level);
        list.push(Listed::count(format!("{method:?} ratio of rates"), of).halves(true));
    }
    let poisson = |adjusted: bool, level: f64| {
        let model = PoissonRegression::new().level(level);
        if adjusted { model.adjust_for(["district"]) } else { model }
    };
    for adjusted in [false, true] {
        for variance in every::<VarianceType>() {
            let of = move |level| poisson(adjusted, level).variance(variance);
            let name = format!("Poisson {variance:?}, adjusted {adjusted}");
            list.push(Listed::count(name, of).halves(plain(variance)));
        }
        for variance in [MarginalVariance::Superpopulation, MarginalVariance::Delta(VarianceType::Hc0)] {
            let of = move |level| poisson(adjusted, level).marginal(RateDifference).variance(variance);
            let name = format!("Poisson marginal {variance:?}, adjusted {adjusted}");
            list.push(Listed::count(name, of).halves(true));
        }
    }
    let of = |level| NegativeBinomialRegression::new().level(level);
    list.push(Listed::count("negative binomial".into(), of));
    let of = |level| {
        NegativeBinomialRegression::new().adjust_for(["district"]).level(level).marginal(RateDifference)
    };
    list.push(Listed::count("negative binomial marginal".into(), of).halves(true));
}

fn marginal<S: ContrastScale + Copy>(
    list: &mut Vec<Listed>,
    adjusted: bool,
    variance: MarginalVariance,
    scale: S,
) {
    let of = move |level| logistic(adjusted).level(level).marginal(scale).variance(variance);
    let name = format!("logistic marginal {scale:?} {variance:?}, adjusted {adjusted}");
    let halves = matches!(variance, MarginalVariance::Delta(variance) if plain(variance));
    list.push(Listed::binary(name, of).halves(halves).may_be_indefinite(is_ye(variance)));
}

impl Listed {
    /// The estimates; `None` where a variance that may come out negative did, and for one category that
    /// nobody of an arm is in.
    pub(crate) fn of(&self, trial: &Trial, level: f64) -> Option<Estimates<AnyScale>> {
        match (self.estimate)(trial, level) {
            Ok(estimates) => Some(estimates),
            Err(error) if self.may_be_indefinite && error.kind().name() == "negative_variance" => None,
            Err(error) if self.measure == "contract" && error.kind().name() == "zero_variance" => None,
            Err(error) => panic!("{} of {}: {error}", self.name, self.measure),
        }
    }
}
