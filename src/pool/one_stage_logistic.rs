use super::one_stage::{
    Gathered, InteractionStatistic, OneStageEffects, OneStageInteraction, OneStagePooled, OneStageSummary,
    options, random_df, strata_ignored,
};
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::CoefficientTest;
use crate::compute::one_stage::{
    MixedLogistic, RandomPart, SiteArm, SiteCounts, SiteLogistic, TreatmentCoding,
};
use crate::design::{Binary, Comparisons, Label, Notice};
use crate::effect::LogOddsRatio;
use crate::error::{Error, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Pools log odds ratios in one stage: one logistic model of all participants, with an intercept for every
/// trial.
///
/// Use it beside two stages where events are rare: no estimate of a single trial is needed, nothing is added
/// to empty cells, and no sampling variance is taken as known. It works from participants and from published
/// counts.
///
/// # Formula
/// `logit P(Y = 1) = a_trial + b_arm` (common effects, all arms jointly, maximum likelihood); or for one
/// treatment `logit P(Y = 1) = a_trial + (b + tau u) t`, `t` = 1/2 for the treated and -1/2 for controls, `u`
/// standard normal over trials, integrated by adaptive Gauss-Hermite quadrature (random effects). The test of
/// treatment by trial is the likelihood ratio against a probability for every arm of every trial.
///
/// # Assumptions
/// Participants are independent (a notice says where clusters were declared). Odds ratios are those within a
/// trial, without further covariates.
///
/// # Interval
/// Normal for common effects; Student's t with trials - 1 degrees of freedom for random effects, normal by
/// [`OneStageLogistic::test`].
///
/// # Errors
/// Separation: all or none have the event in an arm of every trial. Random effects of several treatments at
/// once. Trials that differ in measure or reference.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let outflow = Measure::binary("outflow").higher_is_better();
/// let cities = Comparisons::new([
///     Comparison::from_counts(
///         "A",
///         &outflow,
///         [("control", 10, 100), ("guidance", 15, 100), ("earnings", 9, 95)],
///     )?,
///     Comparison::from_counts("B", &outflow, [("control", 0, 90), ("guidance", 2, 95)])?,
///     Comparison::from_counts("C", &outflow, [("control", 20, 180), ("guidance", 31, 170)])?,
/// ])?;
/// let common = OneStageLogistic::common().pool(&cities)?;
/// assert_eq!(common.treatment("guidance")?.trials.len(), 3);
/// assert_eq!(common.interaction().unwrap().df, 2.0);
///
/// let random = OneStageLogistic::random().treatment("guidance").pool(&cities)?;
/// assert!(random.tau2().unwrap() >= 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Simmonds MC, Higgins JPT (2016), Statistical Methods in Medical Research 25:2858,
/// doi:10.1177/0962280214534409. Jackson D, Law M, Stijnen T, Viechtbauer W, White IR (2018), Statistics in
/// Medicine 37:1059, doi:10.1002/sim.7588.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneStageLogistic {
    effects: OneStageEffects,
    treatment: Option<Label>,
    coding: TreatmentCoding,
    points: usize,
    test: CoefficientTest,
    level: f64,
}

options!(OneStageLogistic);

impl OneStageLogistic {
    fn new(effects: OneStageEffects) -> Self {
        Self {
            effects,
            treatment: None,
            coding: TreatmentCoding::default(),
            points: 15,
            test: CoefficientTest::default(),
            level: 0.95,
        }
    }

    /// Effects are common to all trials, those of all arms estimated together; level 0.95.
    pub fn common() -> Self {
        Self::new(OneStageEffects::Common)
    }

    /// The effect of one treatment varies between trials: 15 quadrature points, arms coded in halves, t with
    /// trials - 1 degrees of freedom, level 0.95.
    pub fn random() -> Self {
        Self::new(OneStageEffects::Random)
    }

    setters! {
        /// The coding of the treatment in a model with random effects; default: halves.
        coding: TreatmentCoding;
        /// The number of quadrature points of random effects, 1 (Laplace) to 100; default 15.
        points: usize;
    }

    /// The pooled effects.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool(&self, comparisons: &Comparisons<Binary>) -> Result<OneStagePooled<LogOddsRatio>> {
        let mut gathered = Gathered::new(comparisons, self.treatment.as_deref())?;
        gathered.notices.extend(strata_ignored(gathered.members.iter().copied(), &[]));
        if self.effects == OneStageEffects::Random {
            gathered.only_treatment()?;
        }
        let measure = gathered.measure.name.clone();
        let locate = |error: Error| error.in_measure(&measure);
        let counts = counts(&gathered).map_err(locate)?;
        let silent: Vec<Label> = gathered
            .members
            .iter()
            .enumerate()
            .filter(|(site, _)| {
                let cells = (0..counts.arms().len()).filter_map(|arm| counts.arm(*site, arm));
                let (events, n) = cells.fold((0, 0), |(events, n), cell| (events + cell.events, n + cell.n));
                events == 0 || events == n
            })
            .map(|(_, member)| member.trial().clone())
            .collect();
        let told = silent.len();
        if told > 0 {
            gathered.notices.push(Notice::UninformativeTrials { trials: silent });
        }
        match self.effects {
            OneStageEffects::Common => self.common_effects(gathered, &counts).map_err(locate),
            OneStageEffects::Random => self.random_effects(gathered, &counts, told).map_err(locate),
        }
    }

    fn common_effects(
        &self,
        gathered: Gathered<'_, Binary>,
        counts: &SiteCounts,
    ) -> Result<OneStagePooled<LogOddsRatio>> {
        let fit = SiteLogistic::new().level(self.level).fit(counts)?;
        let coefficients = fit
            .effects
            .iter()
            .map(|effect| Inference::wald(effect.estimate, effect.se, None, self.level))
            .collect::<Result<_>>()?;
        let interaction = fit.interaction_test.map(|test| OneStageInteraction {
            test: InteractionStatistic::LikelihoodRatio,
            statistic: test.likelihood_ratio.statistic,
            df: test.likelihood_ratio.df,
            denominator_df: None,
            p_value: test.likelihood_ratio.p_value,
        });
        let summary = OneStageSummary {
            model: "logistic regression".to_owned(),
            effects: OneStageEffects::Common,
            tau2: None,
            residual_variance: None,
            log_likelihood: Some(fit.log_likelihood),
            interaction,
            adjusted_for: Vec::new(),
            participants: participants(counts),
            level: self.level,
            boundary: false,
        };
        gathered.result(LogOddsRatio, coefficients, fit.covariance, summary)
    }

    fn random_effects(
        &self,
        gathered: Gathered<'_, Binary>,
        counts: &SiteCounts,
        silent: usize,
    ) -> Result<OneStagePooled<LogOddsRatio>> {
        let fit = MixedLogistic::new()
            .random(RandomPart::Effect)
            .coding(self.coding)
            .points(self.points)
            .level(self.level)
            .fit(counts)?;
        let telling = counts.sites().len() - silent;
        let df = random_df(self.test, telling, telling - 1);
        let coefficient = Inference::wald(fit.effect.estimate, fit.effect.se, df, self.level)?;
        let covariance = Array2::from_elem((1, 1), fit.effect.se * fit.effect.se);
        let summary = OneStageSummary {
            model: "mixed logistic regression".to_owned(),
            effects: OneStageEffects::Random,
            tau2: Some(fit.random_variance),
            residual_variance: None,
            log_likelihood: Some(fit.log_likelihood),
            interaction: None,
            adjusted_for: Vec::new(),
            participants: participants(counts),
            level: self.level,
            boundary: fit.boundary,
        };
        gathered.result(LogOddsRatio, vec![coefficient], covariance, summary)
    }
}

fn counts(gathered: &Gathered<'_, Binary>) -> Result<SiteCounts> {
    let arms = std::iter::once(&gathered.reference).chain(&gathered.treatments).map(ToString::to_string);
    let sites = gathered.members.iter().map(|member| member.trial().to_string());
    let mut counts = SiteCounts::new(sites, arms)?;
    for (site, member) in gathered.members.iter().enumerate() {
        for compared in member.arms() {
            let Some(arm) = gathered.arm(&compared.label) else { continue };
            let (events, n) = (compared.counts.events.unwrap_or(0), compared.counts.analysed);
            counts.add(SiteArm { site, arm, events, n })?;
        }
    }
    Ok(counts)
}

fn participants(counts: &SiteCounts) -> u64 {
    let cells = (0..counts.sites().len())
        .flat_map(|site| (0..counts.arms().len()).filter_map(move |arm| counts.arm(site, arm)));
    cells.map(|cell| cell.n).sum()
}
