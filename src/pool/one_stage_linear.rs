use super::one_stage::{
    Gathered, InteractionStatistic, OneStageEffects, OneStageInteraction, OneStagePooled, OneStageSummary,
    covariate_values, options, random_df, strata_ignored,
};
use crate::compute::curve::Inference;
use crate::compute::meta_analysis::CoefficientTest;
use crate::compute::one_stage::{LinearMixed, SiteLinear};
use crate::compute::regression::{Category, ModelMatrix};
use crate::design::{Comparisons, Continuous, Label};
use crate::effect::MeanDifference;
use crate::error::Result;
use ndarray::{Array1, Array2, ArrayView1};
use serde::{Deserialize, Serialize};

/// The name of the treatment's term in the model.
const ARM: &str = "arm";

/// Pools differences in means in one stage: one linear model of all participants, with an intercept for every
/// trial.
///
/// # Formula
/// `y = a_trial + b_arm + x'c + e` by least squares (common effects, all arms jointly); or for one treatment
/// `y = a_trial + (b + v_trial) t + x'c + e`, `t` = 1 for the treated, `v` normal over trials with variance
/// `tau2`, by REML (random effects). The F test of treatment by trial compares with effects of their own in
/// every trial.
///
/// # Assumptions
/// Participants are independent (a notice says where clusters were declared) with one residual variance;
/// covariates have the same slope in every trial.
///
/// # Interval
/// Student's t: with the residual degrees of freedom for common effects, with trials - 1 for random effects
/// (normal by [`OneStageLinear::test`]).
///
/// # Errors
/// Published means (it needs participants); unknown or aliased covariates; random effects of several
/// treatments at once; trials that differ in measure or reference.
///
/// # Examples
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "city,arm,age,score\nA,c,40,3.0\nA,t,51,4.1\nA,c,35,3.4\nA,t,44,4.6\n\
///         B,c,61,7.0\nB,t,58,8.9\nB,t,49,8.4\nB,c,52,7.7\nC,c,33,5.0\nC,t,47,5.5\n\
///         C,t,41,5.2\n",
/// )?;
/// let trials = Trials::builder(table, "city").arm_labels("arm").control("c").build()?;
/// let cities = trials.on(&Measure::continuous("score"))?;
/// let common = OneStageLinear::common().adjust_for(["age"]).pool(&cities)?;
/// let random = OneStageLinear::random().pool(&cities)?;
/// assert!(common.treatment("t")?.value() > 0.0 && random.tau2().unwrap() >= 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Riley RD, Tierney JF, Stewart LA (2021), Individual Participant Data Meta-Analysis, chapter 6. Legha A et
/// al. (2018), Statistics in Medicine 37:4404, doi:10.1002/sim.7930.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneStageLinear {
    effects: OneStageEffects,
    treatment: Option<Label>,
    covariates: Vec<String>,
    test: CoefficientTest,
    level: f64,
}

/// The participants of all trials in parallel vectors.
struct Stacked {
    trial: Vec<u32>,
    arm: Vec<u32>,
    outcome: Vec<f64>,
    covariates: Vec<Vec<f64>>,
}

options!(OneStageLinear);

impl OneStageLinear {
    fn new(effects: OneStageEffects) -> Self {
        Self {
            effects,
            treatment: None,
            covariates: Vec::new(),
            test: CoefficientTest::default(),
            level: 0.95,
        }
    }

    /// Effects are common to all trials, those of all arms estimated together; level 0.95.
    pub fn common() -> Self {
        Self::new(OneStageEffects::Common)
    }

    /// The effect of one treatment varies between trials: REML, t with trials - 1 degrees of freedom, level
    /// 0.95.
    pub fn random() -> Self {
        Self::new(OneStageEffects::Random)
    }

    /// The covariates: numbers and yes/no columns. Default: none.
    #[must_use]
    pub fn adjust_for<T: AsRef<str>>(mut self, covariates: impl IntoIterator<Item = T>) -> Self {
        self.covariates = covariates.into_iter().map(|name| name.as_ref().to_owned()).collect();
        self
    }

    /// The pooled effects.
    ///
    /// # Errors
    /// As listed for the type.
    pub fn pool(&self, comparisons: &Comparisons<Continuous>) -> Result<OneStagePooled<MeanDifference>> {
        let mut gathered = Gathered::new(comparisons, self.treatment.as_deref())?;
        gathered.notices.extend(strata_ignored(gathered.members.iter().copied(), &self.covariates));
        if self.effects == OneStageEffects::Random {
            gathered.only_treatment()?;
        }
        let stacked = self.stack(&mut gathered)?;
        let measure = gathered.measure.name.clone();
        let pooled = match self.effects {
            OneStageEffects::Common => self.common_effects(gathered, &stacked),
            OneStageEffects::Random => self.random_effects(gathered, &stacked),
        };
        pooled.map_err(|error| error.in_measure(&measure))
    }

    /// Everybody with all covariates in an arm of the model.
    fn stack(&self, gathered: &mut Gathered<'_, Continuous>) -> Result<Stacked> {
        let mut stacked = Stacked {
            trial: Vec::new(),
            arm: Vec::new(),
            outcome: Vec::new(),
            covariates: vec![Vec::new(); self.covariates.len()],
        };
        for (trial, complete) in (0_u32..).zip(gathered.complete(&self.covariates)?) {
            let arms: Vec<Option<usize>> =
                complete.arms().iter().map(|arm| gathered.arm(&arm.label)).collect();
            let codes = complete.arm_indices();
            let kept: Vec<usize> =
                (0..codes.len()).filter(|&row| arms[codes[row] as usize].is_some()).collect();
            for &row in &kept {
                stacked.trial.push(trial);
                let arm = arms[codes[row] as usize].unwrap_or(0);
                stacked.arm.push(u32::try_from(arm).unwrap_or(u32::MAX));
                stacked.outcome.push(complete.outcomes()[row]);
            }
            for (name, column) in self.covariates.iter().zip(&mut stacked.covariates) {
                let values = covariate_values(&complete, name)?;
                column.extend(kept.iter().map(|&row| values[row]));
            }
        }
        Ok(stacked)
    }

    fn add_covariates<'s>(
        &self,
        mut matrix: ModelMatrix<'s>,
        stacked: &'s Stacked,
    ) -> Result<ModelMatrix<'s>> {
        for (name, values) in self.covariates.iter().zip(&stacked.covariates) {
            matrix = matrix.numeric(name, ArrayView1::from(values))?;
        }
        Ok(matrix)
    }

    fn common_effects(
        &self,
        gathered: Gathered<'_, Continuous>,
        stacked: &Stacked,
    ) -> Result<OneStagePooled<MeanDifference>> {
        let levels = std::iter::once(&gathered.reference).chain(&gathered.treatments);
        let arms = Category::new(&stacked.arm, levels.map(ToString::to_string));
        let matrix = ModelMatrix::new(stacked.outcome.len()).category(ARM, arms)?;
        let matrix = self.add_covariates(matrix, stacked)?;
        let outcome = ArrayView1::from(&stacked.outcome);
        let fit =
            SiteLinear::new().level(self.level).fit(&matrix, sites(&gathered, stacked), ARM, outcome)?;
        let k = gathered.treatments.len();
        let coefficients = gathered
            .treatments
            .iter()
            .zip(&fit.coefficients)
            .map(|(_label, effect)| {
                Inference::wald(effect.estimate, effect.se, Some(fit.df_residual), self.level)
            })
            .collect::<Result<_>>()?;
        let covariance = Array2::from_shape_fn((k, k), |(i, j)| fit.covariance[[i, j]]);
        let interaction = fit.interaction_test.map(|test| OneStageInteraction {
            test: InteractionStatistic::F,
            statistic: test.statistic,
            df: test.df1,
            denominator_df: Some(test.df2),
            p_value: test.p_value,
        });
        let summary = OneStageSummary {
            interaction,
            residual_variance: Some(fit.residual_variance),
            ..self.summary("linear regression", stacked)
        };
        gathered.result(MeanDifference, coefficients, covariance, summary)
    }

    fn random_effects(
        &self,
        gathered: Gathered<'_, Continuous>,
        stacked: &Stacked,
    ) -> Result<OneStagePooled<MeanDifference>> {
        let treated: Array1<f64> = stacked.arm.iter().map(|&arm| f64::from(arm)).collect();
        let matrix = ModelMatrix::new(treated.len()).numeric(ARM, treated.view())?;
        let matrix = self.add_covariates(matrix, stacked)?;
        let outcome = ArrayView1::from(&stacked.outcome);
        let model = LinearMixed::slope_with_site_intercepts(ARM).level(self.level);
        let fit = model.fit(&matrix, sites(&gathered, stacked), outcome)?;
        let (trials, effect) = (fit.sites.len(), &fit.coefficients[0]);
        let residual = stacked.outcome.len() - trials - fit.coefficients.len();
        let df = random_df(self.test, trials, residual);
        let coefficient = Inference::wald(effect.estimate, effect.se, df, self.level)?;
        let summary = OneStageSummary {
            tau2: Some(fit.variance_slope.unwrap_or(0.0)),
            residual_variance: Some(fit.residual_variance),
            log_likelihood: Some(fit.log_likelihood),
            boundary: fit.boundary,
            ..self.summary("linear mixed model, REML", stacked)
        };
        let covariance = Array2::from_elem((1, 1), effect.se * effect.se);
        gathered.result(MeanDifference, vec![coefficient], covariance, summary)
    }

    fn summary(&self, model: &str, stacked: &Stacked) -> OneStageSummary {
        OneStageSummary {
            model: model.to_owned(),
            effects: self.effects,
            tau2: None,
            residual_variance: None,
            log_likelihood: None,
            interaction: None,
            adjusted_for: self.covariates.clone(),
            participants: stacked.outcome.len() as u64,
            level: self.level,
            boundary: false,
        }
    }
}

fn sites<'s>(gathered: &Gathered<'_, Continuous>, stacked: &'s Stacked) -> Category<'s> {
    Category::new(&stacked.trial, gathered.members.iter().map(|member| member.trial().to_string()))
}
