//! What regression estimators share: covariates, their columns, and a fit with arms.

use crate::compute::regression::{
    Category, Coefficient, Family, Fit, Glm, MarginalVariance, ModelMatrix, VarianceType, Weights,
};
use crate::data::{ColumnKind, MISSING_CODE, Table};
use crate::design::{Comparison, Count, Groups, Notice, OutcomeKind, People};
use crate::effect::{
    ArmMeans, Context, Contrast, Estimand, Estimates, IntervalMethod, Method, Scale, VarianceMethod,
};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, ArrayView1};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The name of the category of arms in the model.
pub(super) const ARM: &str = "arm";

/// What a regression adjusts for.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Adjustment {
    pub covariates: Vec<String>,
    pub references: BTreeMap<String, String>,
    pub interactions: Vec<String>,
    pub weights: Option<String>,
    pub offset: Option<String>,
}

/// The setters of a regression estimator that holds an `adjustment`.
macro_rules! adjustment_setters {
    () => {
        adjustment_setters!(conditional);

        /// Covariates whose effect may differ between arms: their products with every arm enter the model, besides their main effects.
        /// Effects are then those of [`marginal`](Self::marginal). Default: none.
        #[must_use]
        pub fn interact_arm_with<T: AsRef<str>>(mut self, covariates: impl IntoIterator<Item = T>) -> Self {
            self.adjustment.interactions =
                covariates.into_iter().map(|name| name.as_ref().to_owned()).collect();
            self
        }
    };
    (conditional) => {
        adjustment_setters!(covariates);

        /// The column of prior (probability) weights, above zero; default: everybody counts once.
        #[must_use]
        pub fn weights(mut self, column: &str) -> Self {
            self.adjustment.weights = Some(column.to_owned());
            self
        }

        /// The column of a known part of the linear predictor; default: none.
        #[must_use]
        pub fn offset(mut self, column: &str) -> Self {
            self.adjustment.offset = Some(column.to_owned());
            self
        }
    };
    (covariates) => {
        /// The covariates: numbers, yes/no columns, and categories (one 0/1 column for every level but the reference). Default: none.
        #[must_use]
        pub fn adjust_for<T: AsRef<str>>(mut self, covariates: impl IntoIterator<Item = T>) -> Self {
            self.adjustment.covariates =
                covariates.into_iter().map(|name| name.as_ref().to_owned()).collect();
            self
        }

        /// The reference level of a categorical covariate; default: the first in order.
        #[must_use]
        pub fn reference_level(mut self, covariate: &str, level: &str) -> Self {
            self.adjustment.references.insert(covariate.to_owned(), level.to_owned());
            self
        }

        /// The confidence level, between 0 and 1; default 0.95.
        #[must_use]
        pub fn level(mut self, level: f64) -> Self {
            self.level = level;
            self
        }
    };
}
pub(super) use adjustment_setters;

/// The columns of a regression for the participants of a comparison who have them all; made by `prepare(..)`, fitted by
/// [`Prepared::fit`].
///
/// The fit borrows these columns, so they are a value of their own.
///
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str("arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\nt,22,1\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// let comparison = trial.on(&Measure::binary("works"))?;
///
/// let prepared = LogisticRegression::new().adjust_for(["age"]).prepare(&comparison)?;
/// let fit = prepared.fit()?;
/// let means = fit.arm_means(MarginalVariance::Superpopulation)?;
/// let (difference, ratio) = (means.contrast(RiskDifference)?, means.contrast(LogRiskRatio)?);
/// assert_eq!(fit.regression().names(), ["intercept", "arm[t]", "age"]);
/// assert!(difference.treatment("t")?.value() > 0.0 && ratio.treatment("t")?.value() > 0.0);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Prepared<'c, K: OutcomeKind> {
    comparison: Cow<'c, Comparison<K>>,
    adjustment: Adjustment,
    covariates: Vec<(String, Values)>,
    weights: Option<Vec<f64>>,
    offset: Option<Vec<f64>>,
    exposure: Option<Exposure>,
    family: Family,
    estimator: &'static str,
    level: f64,
}

/// The columns of a regression.
pub(super) struct Columns<'p> {
    pub matrix: ModelMatrix<'p>,
    pub outcome: ArrayView1<'p, f64>,
    pub weights: Weights<'p>,
    pub offset: Option<ArrayView1<'p, f64>>,
}

/// The exposures in which events were counted.
#[derive(Debug, Clone)]
struct Exposure {
    /// Weight times exposure.
    weights: Vec<f64>,
    /// Events over exposure.
    rates: Vec<f64>,
    /// The offset that was asked for, without the logarithm of the exposure.
    offset: Option<Vec<f64>>,
    /// The weighted mean exposure.
    mean: f64,
}

/// The values of a covariate for the participants of a comparison.
#[derive(Debug, Clone)]
enum Values {
    Numbers(Vec<f64>),
    Flags(Vec<u8>),
    Category { codes: Vec<u32>, levels: Vec<String>, reference: usize },
}

/// A regression fitted to the arms of a comparison: conditional effects, and standardised arm means by any variance.
#[derive(Debug, Clone)]
pub struct AdjustedFit<'p, K: OutcomeKind> {
    prepared: &'p Prepared<'p, K>,
    fit: Fit<'p>,
    notices: Vec<Notice>,
}

impl Adjustment {
    /// The estimand of an arm's coefficient where the model is not collapsible.
    pub(super) fn estimand(&self) -> Estimand {
        if self.covariates.is_empty() && self.offset.is_none() {
            Estimand::Marginal
        } else {
            Estimand::Conditional
        }
    }

    pub(super) fn prepare<'c, K: OutcomeKind>(
        &self,
        comparison: &'c Comparison<K>,
        family: Family,
        estimator: &'static str,
        level: f64,
    ) -> Result<Prepared<'c, K>> {
        let mut adjustment = self.clone();
        for name in &self.interactions {
            if !adjustment.covariates.contains(name) {
                adjustment.covariates.push(name.clone());
            }
        }
        let names = &adjustment.covariates;
        if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
            return Err(comparison
                .locate(Error::invalid("the covariate is named twice; name it once").in_column(twice.1)));
        }
        if let Some(name) = self.references.keys().find(|name| !names.contains(name)) {
            let why = "a reference level is named, but the model does not adjust for this covariate; add it to adjust_for(..)";
            return Err(comparison.locate(Error::invalid(why).in_column(name)));
        }
        let used = names.iter().chain(&self.weights).chain(&self.offset).map(String::as_str);
        let comparison = comparison.complete(used)?;
        let people = comparison.people()?;
        let locate = |error: Error| comparison.locate(error);
        let numbers = |name: &String| -> Result<Vec<f64>> { Ok(pick(people.table.reals(name)?, people)) };
        let covariates = names
            .iter()
            .map(|name| Ok((name.clone(), Values::of(name, people, self.references.get(name))?)))
            .collect::<Result<_>>()
            .map_err(locate)?;
        let weights = self.weights.as_ref().map(numbers).transpose().map_err(locate)?;
        if let (Some(name), Some(weights)) = (&self.weights, &weights)
            && let Some(i) = weights.iter().position(|weight| *weight <= 0.0)
        {
            let why = format!("a weight of {}; give weights above zero, or leave the row out", weights[i]);
            let row = people.table.origin(people.rows[i] as usize);
            return Err(locate(Error::invalid(why).in_column(name).in_row(row)));
        }
        let mut offset = self.offset.as_ref().map(numbers).transpose().map_err(locate)?;
        let exposure = people.second.as_ref().filter(|_| K::NAME == Count::NAME);
        let exposure =
            exposure.map(|exposures| Exposure::new(exposures, people, weights.as_ref(), &mut offset));
        Ok(Prepared {
            comparison,
            adjustment,
            covariates,
            weights,
            offset,
            exposure,
            family,
            estimator,
            level,
        })
    }
}

impl Exposure {
    /// Adds the logarithm of the exposure to the offset.
    fn new(
        exposures: &[f64],
        people: &People,
        weights: Option<&Vec<f64>>,
        offset: &mut Option<Vec<f64>>,
    ) -> Self {
        let own = offset.clone();
        let logs = exposures.iter().map(|exposure| exposure.ln());
        *offset = Some(match &own {
            Some(offset) => logs.zip(offset).map(|(log, offset)| log + offset).collect(),
            None => logs.collect(),
        });
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let weighted: Vec<f64> = exposures.iter().enumerate().map(|(row, t)| weight(row) * t).collect();
        let total: f64 = (0..exposures.len()).map(weight).sum();
        Self {
            mean: weighted.iter().sum::<f64>() / total,
            weights: weighted,
            rates: people.outcome.iter().zip(exposures).map(|(y, t)| y / t).collect(),
            offset: own,
        }
    }
}

fn pick<T: Copy>(values: &[T], people: &People) -> Vec<T> {
    people.rows.iter().map(|&row| values[row as usize]).collect()
}

impl Values {
    fn of(name: &str, people: &People, reference: Option<&String>) -> Result<Self> {
        let table: &Table = &people.table;
        let values = match table.column(name)?.kind() {
            ColumnKind::Category => Self::category(name, people, reference)?,
            ColumnKind::Flag if reference.is_none() => Self::Flags(pick(table.flags(name)?, people)),
            _ if reference.is_some() => Self::category(name, people, reference)?,
            _ => Self::Numbers(pick(table.reals(name)?, people)),
        };
        Ok(values)
    }

    /// Codes of the levels that occur among these people.
    fn category(name: &str, people: &People, reference: Option<&String>) -> Result<Self> {
        let column = people.table.labelled(name)?;
        let mut codes = pick(column.as_codes()?, people);
        let mut index = vec![MISSING_CODE; column.levels().len()];
        for &code in &codes {
            index[code as usize] = 0;
        }
        let mut levels = Vec::new();
        for (place, level) in index.iter_mut().zip(column.levels()) {
            if *place != MISSING_CODE {
                *place = u32::try_from(levels.len()).unwrap_or(MISSING_CODE);
                levels.push(level.to_string());
            }
        }
        for code in &mut codes {
            *code = index[*code as usize];
        }
        if levels.len() < 2 {
            return Err(ErrorKind::RankDeficient { columns: vec![name.to_owned()] }.into());
        }
        let reference = match reference {
            None => 0,
            Some(level) => levels.iter().position(|other| other == level).ok_or_else(|| {
                let why = format!(
                    "the reference level \"{level}\" does not occur; the levels are: {}",
                    levels.join(", ")
                );
                Error::invalid(why).in_column(name)
            })?,
        };
        Ok(Self::Category { codes, levels, reference })
    }
}

impl<K: OutcomeKind> Prepared<'_, K> {
    /// Fits the model.
    ///
    /// # Errors
    /// Separation and aliased columns by name, fewer people than coefficients, values that cannot be summed.
    pub fn fit(&self) -> Result<AdjustedFit<'_, K>> {
        self.fit_with(|columns| {
            let mut glm = Glm::new(self.family).weights(columns.weights);
            if let Some(offset) = columns.offset {
                glm = glm.offset(offset);
            }
            Ok((glm.fit(&columns.matrix, columns.outcome)?, Vec::new()))
        })
    }

    /// Fits a model of one's own to the columns.
    pub(super) fn fit_with<'p>(
        &'p self,
        fit: impl FnOnce(Columns<'p>) -> Result<(Fit<'p>, Vec<Notice>)>,
    ) -> Result<AdjustedFit<'p, K>> {
        let (fit, notices) = self.with_columns(fit)?;
        Ok(AdjustedFit { prepared: self, fit, notices })
    }

    /// What `with` makes of the columns; its errors get trial, measure and row.
    pub(super) fn with_columns<'p, T>(&'p self, with: impl FnOnce(Columns<'p>) -> Result<T>) -> Result<T> {
        let people = self.comparison.people()?;
        let locate = |error: Error| {
            let origin =
                |row: usize| people.rows.get(row).map_or(row, |&row| people.table.origin(row as usize));
            self.comparison.locate(error.map_row(origin).without_column("response"))
        };
        let columns = Columns {
            matrix: self.matrix(people).map_err(locate)?,
            outcome: ArrayView1::from(&people.outcome),
            weights: self.weights.as_ref().map_or(Weights::None, |weights| Weights::Prior(weights.into())),
            offset: self.offset.as_ref().map(ArrayView1::from),
        };
        with(columns).map_err(locate)
    }

    /// The comparison restricted to the people in the model.
    pub(super) fn comparison(&self) -> &Comparison<K> {
        &self.comparison
    }

    /// The regression of the rates weighted by the exposure: the same coefficients and scores as with the exposure as an offset, but
    /// means per unit of exposure.
    fn fit_rates<'p>(&'p self, people: &'p People, exposure: &'p Exposure) -> Result<Fit<'p>> {
        let weights = Weights::Prior(ArrayView1::from(&exposure.weights));
        let mut glm = Glm::new(Family::QuasiPoisson).weights(weights);
        if let Some(offset) = &exposure.offset {
            glm = glm.offset(ArrayView1::from(offset));
        }
        glm.fit(&self.matrix(people)?, ArrayView1::from(&exposure.rates))
    }

    /// The arms as a category.
    pub(super) fn arms<'p>(&self, people: &'p People) -> Category<'p> {
        Category::new(&people.arm, self.comparison.arms().iter().map(|arm| arm.label.to_string()))
    }

    /// Intercept, covariates: without arms.
    pub(super) fn covariates(&self) -> Result<ModelMatrix<'_>> {
        self.with_covariates(ModelMatrix::new(self.comparison.people()?.rows.len()).intercept()?)
    }

    fn with_covariates<'p>(&'p self, mut matrix: ModelMatrix<'p>) -> Result<ModelMatrix<'p>> {
        for (name, values) in &self.covariates {
            matrix = match values {
                Values::Numbers(values) => matrix.numeric(name, ArrayView1::from(values))?,
                Values::Flags(values) => matrix.indicator(name, values.as_slice())?,
                Values::Category { codes, levels, reference } => {
                    matrix.category(name, Category::new(codes, levels).reference(*reference))?
                }
            };
        }
        Ok(matrix)
    }

    /// Intercept, arms, covariates, interactions.
    fn matrix<'p>(&'p self, people: &'p People) -> Result<ModelMatrix<'p>> {
        let arms = ModelMatrix::new(people.rows.len()).intercept()?.category(ARM, self.arms(people))?;
        let mut matrix = self.with_covariates(arms)?;
        for name in &self.adjustment.interactions {
            matrix = matrix.product(ARM, name)?;
        }
        Ok(matrix)
    }

    pub(super) fn method(&self, variance: VarianceMethod) -> Method {
        Method::new(self.estimator).adjusted_for(&self.adjustment.covariates).variance(variance)
    }

    fn strata(&self) -> Option<&Groups> {
        self.comparison.people.as_ref().and_then(|people| people.strata.as_ref())
    }
}

impl<'p, K: OutcomeKind> AdjustedFit<'p, K> {
    /// The regression without words of trials: coefficients, covariances, deviance, convergence.
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
    pub fn coefficients(&self, variance: VarianceType) -> Result<Vec<Coefficient>> {
        self.fit.table(variance, self.prepared.level).map_err(|error| self.comparison().locate(error))
    }

    /// The variance of standardised means that fits the design: [`MarginalVariance::Ye2023Stratified`] where strata were
    /// declared, else [`MarginalVariance::Ye2023`]; [`MarginalVariance::Superpopulation`] where exposures differ.
    pub fn default_variance(&self) -> MarginalVariance {
        if self.prepared.exposure.is_some() {
            MarginalVariance::Superpopulation
        } else if self.prepared.strata().is_some() {
            MarginalVariance::Ye2023Stratified
        } else {
            MarginalVariance::Ye2023
        }
    }

    /// The mean outcome if everybody had been assigned to each arm, standardised over all analysed people, with the joint covariance; for
    /// counts with an exposure the rate, per unit of exposure.
    ///
    /// # Errors
    /// The variance does not hold for this model, or needs a cell that is empty.
    pub fn arm_means(&self, variance: MarginalVariance) -> Result<ArmMeans> {
        let comparison = self.comparison();
        let locate = |error: Error| comparison.locate(error);
        self.check_cells(variance).and_then(|()| self.check_residuals()).map_err(locate)?;
        let (means, covariance) = match (&self.prepared.exposure, variance) {
            (Some(exposure), MarginalVariance::Superpopulation) => {
                let rates = self.prepared.fit_rates(comparison.people()?, exposure).map_err(locate)?;
                self.standardized(&rates, variance, 1.0)
            }
            (Some(exposure), _) => self.standardized(&self.fit, variance, exposure.mean),
            (None, _) => self.standardized(&self.fit, variance, 1.0),
        }
        .map_err(locate)?;
        let method = self.prepared.method(VarianceMethod::Marginal(variance));
        let notices = self.notices.iter().cloned();
        Ok(ArmMeans::new(comparison, means, covariance, method)?.level(self.prepared.level).notices(notices))
    }

    /// Standardised means in multiples of a unit, and their covariance.
    fn standardized(
        &self,
        fit: &Fit,
        variance: MarginalVariance,
        unit: f64,
    ) -> Result<(Vec<f64>, Array2<f64>)> {
        let mut standardized = fit.standardize(ARM)?;
        if let Some(strata) = self.prepared.strata() {
            standardized = standardized.strata(&strata.codes)?;
        }
        let covariance = standardized.covariance(variance)? / (unit * unit);
        Ok((standardized.means().iter().map(|mean| mean / unit).collect(), covariance))
    }

    /// Refuses a linear model without residuals, whose tests would be those of rounding errors.
    fn check_residuals(&self) -> Result<()> {
        if self.fit.family() == Family::Gaussian && self.fit.pearson_chi2() == 0.0 {
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

    /// The arms' coefficients as effects.
    pub(super) fn arm_effects<S: Scale>(
        &self,
        scale: S,
        estimand: Estimand,
        variance: VarianceType,
    ) -> Result<Estimates<S>> {
        let comparison = self.comparison();
        if !self.prepared.adjustment.interactions.is_empty() {
            let why = "with interactions the effect of an arm depends on the covariates; ask for marginal(..) effects";
            return Err(comparison.locate(ErrorKind::NotEstimable(why.to_owned()).into()));
        }
        let locate = |error: Error| comparison.locate(error);
        let covariance = self.fit.covariance(variance).map_err(locate)?;
        let reference = self.fit.reference();
        let df = match reference {
            crate::compute::regression::Reference::StudentT { df } => Some(df),
            _ => None,
        };
        if df.is_some_and(|df| df <= 0.0) {
            let why = "there are as many coefficients as people, which leaves no degrees of freedom; leave covariates out";
            return Err(locate(ErrorKind::InsufficientObservations(why.to_owned()).into()));
        }
        let interval = if df.is_some() { IntervalMethod::StudentT } else { IntervalMethod::Normal };
        let method = self.prepared.method(VarianceMethod::Regression(variance)).interval(interval);
        self.check_residuals().map_err(locate)?;
        let mut context = Context::of(comparison, estimand, method, self.prepared.level)?;
        context.notices.extend(self.notices.iter().cloned());
        let columns = self.fit.matrix().columns_of(ARM).map_err(locate)?;
        let mut contrasts = Vec::with_capacity(columns.len());
        for (arm, column) in comparison.treatments().iter().zip(columns.clone()) {
            let value = self.fit.coefficients()[column];
            let contrast =
                Contrast::wald(arm.clone(), value, covariance[[column, column]], df, self.prepared.level);
            // Next to the residuals of other arms, those of arms that do not vary are rounding.
            if self.fit.family() == Family::Gaussian
                && covariance[[column, column]] <= 1e-24 * self.fit.pearson_chi2() / self.fit.n()
            {
                let why = "the outcome does not vary in this arm nor in the reference, so that the effect has no standard error; \
                           check the column, or leave the arm out";
                return Err(locate(Error::from(ErrorKind::ZeroVariance(why.to_owned())).in_arm(&arm.label)));
            }
            contrasts.push(contrast.map_err(locate)?);
        }
        let k = contrasts.len();
        let joint =
            Array2::from_shape_fn((k, k), |(i, j)| covariance[[columns.start + i, columns.start + j]]);
        Estimates::new(scale, context, contrasts, joint)
    }
}
