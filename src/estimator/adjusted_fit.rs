//! A fitted regression with arms: conditional effects, and standardised arm means.

use super::adjustment::{ARM, Prepared, Terms};
use super::clusters::{
    CoefficientVariance, declared_clusters, degrees_of_freedom, degrees_of_freedom_of_effects,
};
use crate::compute::coefficient::wald_table;
use crate::compute::linalg::{submatrix, symmetrised};
use crate::compute::regression::{
    ClusterDf, Coefficient, Family, Fit, Fitted, MarginalVariance, ThetaInfluence, VarianceType,
};
use crate::design::{Comparison, Notice, OutcomeKind};
use crate::effect::{About, ArmMeans, Contrast, Estimand, Estimates, IntervalMethod, Scale, VarianceMethod};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView2};

/// A regression fitted to the arms of a comparison: conditional effects, and standardised arm means by any
/// variance.
#[derive(Debug, Clone)]
pub struct AdjustedFit<'p, K: OutcomeKind> {
    pub(super) prepared: &'p Prepared<'p, K>,
    pub(super) fit: Fit<'p>,
    /// Of a negative binomial regression.
    pub(super) theta: Option<ThetaInfluence>,
    pub(super) notices: Vec<Notice>,
}

/// A variance that is a smaller share of the model's, or of that of other arms, is rounding.
const ROUNDING: f64 = 1e-13;

/// Arms that do not vary have a variance of zero, and no covariances.
fn without_rounding(mut covariance: Array2<f64>) -> Array2<f64> {
    let largest = covariance.diag().iter().fold(0.0_f64, |largest, variance| largest.max(*variance));
    let constant: Vec<bool> =
        covariance.diag().iter().map(|variance| variance.abs() <= ROUNDING * largest).collect();
    for ((i, j), value) in covariance.indexed_iter_mut() {
        if constant[i] || constant[j] {
            *value = 0.0;
        }
    }
    covariance
}

/// The effects of the arms as linear combinations of the coefficients: t x p.
struct Combinations {
    values: Vec<f64>,
    weights: Array2<f64>,
    /// Where each is one coefficient.
    columns: Option<Vec<usize>>,
}

impl Combinations {
    /// Their covariance, from that of the coefficients.
    fn of(&self, covariance: ArrayView2<f64>) -> Array2<f64> {
        match &self.columns {
            Some(columns) => submatrix(covariance, columns),
            None => symmetrised(self.weights.dot(&covariance).dot(&self.weights.t())),
        }
    }
}

impl<'p, K: OutcomeKind> AdjustedFit<'p, K> {
    /// The regression without words of trials: coefficients, covariances, deviance, convergence. It is fitted
    /// to numeric covariates less their means, so that its intercept, and the arms' coefficients beside
    /// products with covariates, are those at the means; [`AdjustedFit::coefficients`] are those of the
    /// covariates as they are.
    pub fn regression(&self) -> &Fit<'p> {
        &self.fit
    }

    /// The comparison restricted to the people in the model.
    pub fn comparison(&self) -> &Comparison<K> {
        &self.prepared.comparison
    }

    /// All coefficients with Wald tests and intervals.
    ///
    /// # Errors
    /// Those of [`Fit::covariance`](crate::regression::Fit::covariance).
    pub fn coefficients(&self, variance: impl Into<CoefficientVariance>) -> Result<Vec<Coefficient>> {
        self.table(variance.into()).map_err(|error| self.comparison().locate(error))
    }

    fn table(&self, variance: CoefficientVariance) -> Result<Vec<Coefficient>> {
        let weights = self.prepared.uncentred(self.fit.matrix())?;
        let (covariance, df) = match variance {
            CoefficientVariance::Independent(variance) => {
                (self.fit.covariance(variance)?, vec![self.fit.df(); self.fit.rank()])
            }
            CoefficientVariance::Clustered(variance) => {
                let clustered = self.fit.clustered(&declared_clusters(self.comparison())?.codes)?;
                let df = degrees_of_freedom(&clustered, variance, weights.view())?;
                (clustered.covariance(variance)?, df.into_iter().map(Some).collect())
            }
        };
        let covariance = symmetrised(weights.dot(&covariance).dot(&weights.t()));
        let estimates = weights.dot(&self.fit.coefficients());
        wald_table(self.fit.names(), estimates.view(), covariance.view(), &df, self.prepared.level)
    }

    /// The variance of standardised means that fits the design: [`MarginalVariance::Ye2023Stratified`] where
    /// strata were declared, else [`MarginalVariance::Ye2023`]; [`MarginalVariance::Superpopulation`] where
    /// exposures differ, the model has weights or an offset or is a negative binomial one, which the formula
    /// of Ye et al. does not allow, and [`MarginalVariance::SuperpopulationClustered`] where clusters were
    /// declared.
    pub fn default_variance(&self) -> MarginalVariance {
        if self.comparison().clusters().is_some() {
            MarginalVariance::SuperpopulationClustered
        } else if self.theta.is_some()
            || self.prepared.exposure.is_some()
            || self.prepared.has_weights_or_offset()
        {
            MarginalVariance::Superpopulation
        } else if self.prepared.strata().is_some() {
            MarginalVariance::Ye2023Stratified
        } else {
            MarginalVariance::Ye2023
        }
    }

    /// The mean outcome if everybody had been assigned to each arm, standardised over all analysed people,
    /// with the joint covariance; for counts with an exposure the rate, per unit of exposure. Where clusters
    /// are counted intervals are Student's t on Satterthwaite's degrees of freedom of each contrast.
    ///
    /// # Errors
    /// The variance does not hold for this model, or needs a cell that is empty.
    pub fn arm_means(&self, variance: MarginalVariance) -> Result<ArmMeans> {
        let comparison = self.comparison();
        let locate = |error: Error| comparison.locate(error);
        self.check_cells(variance).and_then(|()| self.check_residuals()).map_err(locate)?;
        if matches!(
            variance,
            MarginalVariance::Delta(VarianceType::Hc0 | VarianceType::Hc1)
                | MarginalVariance::Superpopulation
        ) {
            self.check_spread().map_err(locate)?;
        }
        let (means, covariance, df) = match (&self.prepared.exposure, variance) {
            (
                Some(exposure),
                MarginalVariance::Superpopulation | MarginalVariance::SuperpopulationClustered,
            ) if self.theta.is_none() => {
                let rates = self.prepared.fit_rates(comparison.people()?, exposure).map_err(locate)?;
                self.standardized(&rates, variance, 1.0)
            }
            (Some(exposure), _) => self.standardized(&self.fit, variance, exposure.mean),
            (None, _) => self.standardized(&self.fit, variance, 1.0),
        }
        .map_err(locate)?;
        let method = self.prepared.method(VarianceMethod::Marginal(variance));
        let means = ArmMeans::new(comparison, means, covariance, method)?
            .level(self.prepared.level)
            .notices(self.notices.iter().cloned())
            .notices(self.of_balance(variance)?);
        Ok(match df {
            Some(df) => means.clusters(df),
            None => means.notices(comparison.clusters_ignored()),
        })
    }

    /// What there is to say about the balance of strata and covariates, which the variances of Ye et al.
    /// presume.
    fn of_balance(&self, variance: MarginalVariance) -> Result<Vec<Notice>> {
        use MarginalVariance::{Ye2023, Ye2023Decomposed, Ye2023Stratified};
        let mut told = match variance {
            Ye2023Stratified => Vec::new(),
            _ => self.prepared.strata_ignored(),
        };
        if matches!(variance, Ye2023 | Ye2023Decomposed | Ye2023Stratified) {
            if !told.iter().any(|notice| matches!(notice, Notice::UnequalStrata { .. })) {
                told.extend(self.comparison().unequal_strata());
            }
            if !told.iter().any(|notice| matches!(notice, Notice::UnequalStrata { .. })) {
                let covariates = self.prepared.unequal_covariates();
                told.extend(covariates.map_err(|error| self.comparison().locate(error))?);
            }
        }
        Ok(told)
    }

    /// Refuses an arm whose people the model fits exactly, which a sum of squared residuals would count as
    /// certain.
    fn check_spread(&self) -> Result<()> {
        let (arms, p) = (self.comparison().arms(), self.fit.rank() as u64);
        if arms.iter().all(|arm| arm.counts.analysed > p) {
            return Ok(());
        }
        let mut spread = vec![0.0; arms.len()];
        for (leverage, &arm) in self.fit.leverages().iter().zip(&self.comparison().people()?.arm) {
            spread[arm as usize] += 1.0 - leverage;
        }
        // A treatment rather than the reference, where both are.
        let mut places = (1..arms.len()).chain([0]);
        let Some(exact) = places.find(|arm| spread[*arm] <= 1e-9) else { return Ok(()) };
        let why = "the model fits the people of this arm exactly, so that they show no spread, and HC0 or HC1 would count their outcomes as \
                   certain; leave covariates or the arm out, or use a model-based variance (VarianceType::Model)";
        Err(Error::from(ErrorKind::ZeroVariance(why.to_owned())).in_arm(&arms[exact].label))
    }

    /// Standardised means in multiples of a unit, their covariance, and their degrees of freedom where
    /// clusters are counted.
    fn standardized(
        &self,
        fit: &Fit,
        variance: MarginalVariance,
        unit: f64,
    ) -> Result<(Vec<f64>, Array2<f64>, Option<ClusterDf>)> {
        let mut standardized = fit.standardize(ARM)?.with_theta(self.theta.as_ref());
        if let (Some(exposure), Some(_)) = (&self.prepared.exposure, &self.theta) {
            standardized = standardized.per_unit(&exposure.relative);
        }
        if let Some(strata) = self.prepared.strata() {
            standardized = standardized.strata(&strata.codes)?;
        }
        let clustered = variance == MarginalVariance::SuperpopulationClustered;
        if clustered {
            standardized = standardized.clusters(&declared_clusters(self.comparison())?.codes)?;
        }
        let df = clustered.then(|| standardized.cluster_df()).transpose()?;
        // Halves that differ by rounding would not pass for symmetric next to an arm that does not vary.
        let covariance = without_rounding(symmetrised(standardized.covariance(variance)? / (unit * unit)));
        Ok((standardized.means().iter().map(|mean| mean / unit).collect(), covariance, df))
    }

    /// The mean square of the outcomes below which residuals of a linear model, and with them variances, are
    /// rounding; zero for other models.
    fn rounding(&self) -> Result<f64> {
        Ok(if self.fit.family() == Family::Gaussian { 1e-26 * self.prepared.mean_square()? } else { 0.0 })
    }

    /// Refuses a linear model without residuals, whose tests would be those of rounding errors.
    fn check_residuals(&self) -> Result<()> {
        let residual = self.fit.pearson_chi2() / self.fit.n();
        if self.fit.family() == Family::Gaussian && residual <= self.rounding()? {
            let why = "the model explains the outcome entirely, so that effects have no standard error; check that the outcome varies, and \
                       that no covariate is a copy of it";
            return Err(ErrorKind::ZeroVariance(why.to_owned()).into());
        }
        Ok(())
    }

    /// Names the arm, and the stratum, that has too few people for a variance from residuals within arms.
    fn check_cells(&self, variance: MarginalVariance) -> Result<()> {
        use MarginalVariance::{Ye2023, Ye2023Decomposed, Ye2023Stratified};
        let arms = self.comparison().arms();
        if !matches!(variance, Ye2023 | Ye2023Decomposed | Ye2023Stratified) {
            return Ok(());
        }
        if let Some(arm) = arms.iter().find(|arm| arm.counts.analysed < 2) {
            let why = "only one person is analysed, and this variance needs two in each arm; leave the arm out with \
                       compare(..).versus(..)";
            return Err(Error::from(ErrorKind::InsufficientObservations(why.to_owned())).in_arm(&arm.label));
        }
        let (Some(strata), Ok(people), Ye2023Stratified) =
            (self.prepared.strata(), self.comparison().people(), variance)
        else {
            return Ok(());
        };
        let mut cells = vec![0_u64; strata.labels.len() * arms.len()];
        for (&stratum, &arm) in strata.codes.iter().zip(&people.arm) {
            cells[stratum as usize * arms.len() + arm as usize] += 1;
        }
        for (stratum, cells) in strata.labels.iter().zip(cells.chunks(arms.len())) {
            let empty = cells.iter().position(|n| *n == 0);
            if let (Some(arm), true) = (empty, cells.iter().any(|n| *n > 0)) {
                let why = format!(
                    "nobody in stratum \"{stratum}\" is analysed in this arm, so the variance for stratified randomisation is \
                     unknown; merge small strata, or use MarginalVariance::Ye2023"
                );
                return Err(Error::from(ErrorKind::NotEstimable(why)).in_arm(&arms[arm].label));
            }
        }
        Ok(())
    }

    /// The arms' coefficients as effects; with all covariates interacted, the effects at the means of the
    /// covariates.
    pub(super) fn arm_effects<S: Scale>(
        &self,
        scale: S,
        estimand: Estimand,
        variance: CoefficientVariance,
    ) -> Result<Estimates<S>> {
        let comparison = self.comparison();
        let locate = |error: Error| comparison.locate(error);
        let effects = self.combinations().map_err(locate)?;
        let (joint, dfs) = self.joint(&effects, variance).map_err(locate)?;
        if dfs.iter().flatten().any(|df| *df <= 0.0) {
            let why = "there are as many coefficients as people, which leaves no degrees of freedom; leave covariates out";
            return Err(locate(ErrorKind::InsufficientObservations(why.to_owned()).into()));
        }
        let interval = match dfs[0] {
            Some(_) => IntervalMethod::StudentT,
            None => IntervalMethod::Normal,
        };
        let method = self.prepared.method(variance.method()).interval(interval);
        self.check_residuals().map_err(locate)?;
        let mut about = About::of(comparison, estimand, method, self.prepared.level)?;
        about.notices.extend(self.notices.iter().cloned().chain(self.prepared.strata_ignored()));
        if matches!(variance, CoefficientVariance::Independent(_)) {
            about.notices.extend(comparison.clusters_ignored());
        }
        if matches!(variance, CoefficientVariance::Independent(VarianceType::Hc0 | VarianceType::Hc1)) {
            self.check_spread().map_err(locate)?;
        }
        let mut contrasts = Vec::with_capacity(effects.values.len());
        let plain = effects.of(self.fit.model_covariance().map_err(locate)?.view());
        let rounding = self.rounding().map_err(locate)?;
        for (i, (arm, &value)) in comparison.treatments().iter().zip(&effects.values).enumerate() {
            let contrast = Contrast::wald(arm.clone(), value, joint[[i, i]], dfs[i], self.prepared.level);
            // Next to the residuals of other arms, those of arms that do not vary are rounding.
            if joint[[i, i]] <= rounding.max(ROUNDING * plain[[i, i]]) {
                let why = "the outcome does not vary in this arm nor in the reference, so that the effect has no standard error; \
                           check the column, or leave the arm out";
                return Err(locate(Error::from(ErrorKind::ZeroVariance(why.to_owned())).in_arm(&arm.label)));
            }
            contrasts.push(contrast.map_err(locate)?);
        }
        Estimates::new(scale, about, comparison.reference().clone(), contrasts, joint)
    }

    /// What the effects of the arms are of the coefficients.
    fn combinations(&self) -> Result<Combinations> {
        let fit = &self.fit;
        if self.prepared.adjustment.terms == Terms::Interacted {
            let standardized = fit.standardize(ARM)?;
            let (means, gradients) = (standardized.means(), standardized.gradients());
            let t = means.len() - 1;
            let weights =
                Array2::from_shape_fn((t, fit.rank()), |(i, j)| gradients[[i + 1, j]] - gradients[[0, j]]);
            let values = means[1..].iter().map(|mean| mean - means[0]).collect();
            return Ok(Combinations { values, weights, columns: None });
        }
        if !self.prepared.adjustment.interactions.is_empty() {
            let why = "with interactions the effect of an arm depends on the covariates; ask for marginal(..) effects";
            return Err(ErrorKind::NotEstimable(why.to_owned()).into());
        }
        let columns: Vec<usize> = fit.matrix().columns_of(ARM)?.collect();
        let mut weights = Array2::zeros((columns.len(), fit.rank()));
        columns.iter().enumerate().for_each(|(i, &j)| weights[[i, j]] = 1.0);
        let values = columns.iter().map(|&j| fit.coefficients()[j]).collect();
        Ok(Combinations { values, weights, columns: Some(columns) })
    }

    /// The covariance of the effects, and the degrees of freedom of each.
    fn joint(
        &self,
        effects: &Combinations,
        variance: CoefficientVariance,
    ) -> Result<(Array2<f64>, Vec<Option<f64>>)> {
        match variance {
            CoefficientVariance::Independent(variance) => {
                let df = vec![self.fit.df(); effects.values.len()];
                Ok((effects.of(self.fit.covariance(variance)?.view()), df))
            }
            CoefficientVariance::Clustered(variance) => {
                let clustered = self.fit.clustered(&declared_clusters(self.comparison())?.codes)?;
                let comparison = self.comparison();
                let df =
                    degrees_of_freedom_of_effects(comparison, &clustered, variance, effects.weights.view())?;
                Ok((effects.of(clustered.covariance(variance)?.view()), df.into_iter().map(Some).collect()))
            }
        }
    }
}
