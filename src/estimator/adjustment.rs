//! What regression estimators share: covariates and their columns.

use super::AdjustedFit;
use super::covariates::{Exposure, Values, is_constant, pick};
use super::options::{Named, field};
use super::weight_column::WeightColumn;
use crate::compute::regression::{Category, Family, Fit, Glm, ModelMatrix, ThetaInfluence, Weights};
use crate::design::{Comparison, Count, Groups, Notice, OutcomeKind, People};
use crate::effect::{Estimand, Method, VarianceMethod};
use crate::error::{Error, Result};
use ndarray::{Array2, ArrayView1};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The name of the category of arms in the model.
pub(super) const ARM: &str = "arm";

/// The beginning of the names of its coefficients.
const ARM_COEFFICIENT: &str = "arm[";

/// What a regression adjusts for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Adjustment {
    #[serde(skip_serializing_if = "Terms::is_additive")]
    pub terms: Terms,
    #[serde(rename = "adjust_for", skip_serializing_if = "Vec::is_empty")]
    pub covariates: Vec<String>,
    #[serde(rename = "reference_levels", skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, String>,
    #[serde(rename = "interact_arm_with", skip_serializing_if = "Vec::is_empty")]
    pub interactions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::weights")]
    pub weights: Option<WeightColumn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<String>,
}

/// How covariates enter the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Terms {
    /// By themselves, and by those products with the arms that were asked for.
    #[default]
    Additive,
    /// All of them with all of their products with the arms (Lin 2013).
    Interacted,
}

/// An adjustment with these options alone: others would be ignored in silence.
fn taking<'de, D: Deserializer<'de>>(
    deserializer: D,
    taken: &'static [&'static str],
) -> Result<Adjustment, D::Error> {
    let adjustment = Adjustment::deserialize(deserializer)?;
    match adjustment.options().into_iter().find(|option| !taken.contains(option)) {
        Some(option) => Err(serde::de::Error::unknown_field(option, taken)),
        None => Ok(adjustment),
    }
}

/// The options of `T`.
pub(super) fn taken_by<'de, T: Named, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    taking(deserializer, T::OPTIONS)
}

/// Covariates and weights.
pub(super) fn weighted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    taking(deserializer, &["adjust_for", "reference_levels", "weights", "level"])
}

/// Covariates, by themselves or with their products with the arms, and weights.
pub(super) fn interacted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    taking(deserializer, &["terms", "adjust_for", "reference_levels", "weights", "variance", "level"])
}

/// Covariates and weights of a regression of hazards.
pub(super) fn hazards<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    const TAKEN: &[&str] =
        &["adjust_for", "reference_levels", "weights", "ties", "baseline", "likelihood", "variance", "level"];
    taking(deserializer, TAKEN)
}

/// Covariates of a regression of hazards of which risks are asked for.
pub(super) fn of_risks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    taking(deserializer, &["scale", "horizon", "adjust_for", "reference_levels", "ties", "baseline", "level"])
}

/// Covariates of a regression of person-periods.
pub(super) fn of_periods<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    const TAKEN: &[&str] = &["scale", "horizon", "link", "period", "adjust_for", "reference_levels", "level"];
    taking(deserializer, TAKEN)
}

/// Covariates alone.
pub(super) fn unweighted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    taking(deserializer, &["adjust_for", "reference_levels", "variance", "censoring_ties", "level"])
}

/// Covariates, weights and an offset.
pub(super) fn conditional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Adjustment, D::Error> {
    taking(deserializer, &["adjust_for", "reference_levels", "weights", "offset", "level"])
}

impl Terms {
    // The signature that serde asks for.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    fn is_additive(&self) -> bool {
        *self == Self::Additive
    }
}

/// The setters of a regression estimator that holds an `adjustment`.
macro_rules! adjustment_setters {
    (sampled) => {
        adjustment_setters!(covariates);

        /// The column of weights above zero: a name is one of probability weights, by which everything is
        /// weighted, in any unit; [`WeightColumn::Frequency`](crate::estimator::WeightColumn) says how many
        /// people a row is. Weights of precision are refused, as they are about the variance of an outcome,
        /// and an arm, or having an outcome, has none. Default: everybody counts once.
        #[must_use]
        pub fn weights(mut self, column: impl Into<$crate::estimator::WeightColumn>) -> Self {
            self.adjustment.weights = Some(column.into());
            self
        }
    };
    (conditional) => {
        adjustment_setters!(covariates);

        $crate::estimator::weight_column::weights_setter!();

        /// The column of a known part of the linear predictor; default: none.
        #[must_use]
        pub fn offset(mut self, column: &str) -> Self {
            self.adjustment.offset = Some(column.to_owned());
            self
        }
    };
    (covariates) => {
        /// The covariates: numbers, yes/no columns, and categories (one 0/1 column for every level but the
        /// reference). Default: none.
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

        $crate::estimator::options::level_setter!();
    };
}
pub(super) use adjustment_setters;

/// The columns of a regression for the participants of a comparison who have them all; made by `prepare(..)`,
/// fitted by [`Prepared::fit`].
///
/// The fit borrows these columns, so they are a value of their own.
///
/// ```
/// use armwise::prelude::*;
///
/// let table = Table::from_csv_str(
///     "\
///     arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\n\
///     t,22,1\n",
/// )?;
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
    pub(super) comparison: Cow<'c, Comparison<K>>,
    pub(super) adjustment: Adjustment,
    covariates: Vec<(String, Values)>,
    weights: Option<Vec<f64>>,
    offset: Option<Vec<f64>>,
    pub(super) exposure: Option<Exposure>,
    family: Family,
    estimator: &'static str,
    pub(super) level: f64,
}

/// The columns of a regression.
pub(super) struct Columns<'p> {
    pub matrix: ModelMatrix<'p>,
    pub outcome: ArrayView1<'p, f64>,
    pub weights: Weights<'p>,
    pub offset: Option<ArrayView1<'p, f64>>,
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

    /// Refuses weights of precision, where more than the variance of an outcome is modelled.
    pub(super) fn refuse_precision(&self, what: &str) -> Result<()> {
        let Some(WeightColumn::Precision(column)) = &self.weights else { return Ok(()) };
        let why = format!(
            "weights of precision are about the variance of an outcome, but {what} has none; give them as weights of probability or \
             frequency if that is what they are, or leave weights(..) out"
        );
        Err(Error::invalid(why).in_column(column))
    }

    /// The people who have these columns, each as often as they count.
    fn restricted<'c, 'a, K: OutcomeKind>(
        &self,
        comparison: &'c Comparison<K>,
        columns: impl Iterator<Item = &'a str>,
    ) -> Result<Cow<'c, Comparison<K>>> {
        match &self.weights {
            Some(WeightColumn::Frequency(column)) => {
                Ok(Cow::Owned(comparison.repeated(column)?.complete(columns)?.into_owned()))
            }
            _ => comparison.complete(columns),
        }
    }

    /// The people who have all covariates, weights and offsets.
    pub(super) fn complete<'c, K: OutcomeKind>(
        &self,
        comparison: &'c Comparison<K>,
    ) -> Result<Cow<'c, Comparison<K>>> {
        let named = self.covariates.iter().chain(&self.interactions).map(String::as_str);
        let weights = self.weights.as_ref().map(WeightColumn::column);
        self.restricted(comparison, named.chain(weights).chain(self.offset.as_deref()))
    }

    /// Leaves out the covariates that have one value among these people.
    fn without_constant(&mut self, people: &People) -> Result<Vec<Notice>> {
        let mut left_out = Vec::new();
        for name in std::mem::take(&mut self.covariates) {
            if is_constant(&name, people)? {
                self.interactions.retain(|other| *other != name);
                self.references.remove(&name);
                left_out.push(Notice::ConstantCovariate { covariate: name });
            } else {
                self.covariates.push(name);
            }
        }
        Ok(left_out)
    }

    /// Whether rows stand for several people each.
    fn has_frequencies(&self) -> bool {
        matches!(self.weights, Some(WeightColumn::Frequency(_)))
    }

    /// The options that are in use, besides covariates.
    fn options(&self) -> Vec<&'static str> {
        let used = [
            (self.terms != Terms::Additive, "terms"),
            (!self.interactions.is_empty(), "interact_arm_with"),
            (self.weights.is_some(), "weights"),
            (self.offset.is_some(), "offset"),
        ];
        used.into_iter().filter(|(used, _)| *used).map(|(_, option)| option).collect()
    }

    /// Such as `, adjusted for age and female, weighted by w`.
    pub(super) fn words(&self) -> String {
        let mut covariates: Vec<&str> = Vec::new();
        for column in self.covariates.iter().chain(&self.interactions) {
            if !covariates.contains(&column.as_str()) {
                covariates.push(column);
            }
        }
        let mut words = String::new();
        for (what, names) in [
            ("adjusted for", covariates.join(", ")),
            ("weighted by", self.weights.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("with the offset", self.offset.clone().unwrap_or_default()),
        ] {
            if !names.is_empty() {
                words += &format!(", {what} {names}");
            }
        }
        words
    }

    /// The columns that the model takes besides arms and outcome.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let named = self.covariates.iter().chain(&self.interactions).chain(self.references.keys());
        let named = named.map(String::as_str).chain(self.weights.as_ref().map(WeightColumn::column));
        named.chain(self.offset.as_deref())
    }

    /// The weights of people who all have one; `None` where everybody counts once, or rows are people.
    pub(super) fn weights_of<K: OutcomeKind>(&self, comparison: &Comparison<K>) -> Result<Option<Vec<f64>>> {
        let column = self.weights.as_ref().map(WeightColumn::column);
        let Some(name) = column.filter(|_| !self.has_frequencies()) else { return Ok(None) };
        let people = comparison.people()?;
        let weights = pick(people.table.reals(name)?, people);
        if let Some(i) = weights.iter().position(|weight| *weight <= 0.0) {
            let why = format!("a weight of {}; give weights above zero, or leave the row out", weights[i]);
            let error = Error::invalid(why).in_column(name);
            return Err(people.table.locate(error, people.rows[i] as usize));
        }
        Ok(Some(weights))
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
        if adjustment.terms == Terms::Interacted {
            adjustment.interactions.clone_from(&adjustment.covariates);
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
        let mut comparison = adjustment.complete(comparison)?;
        if comparison.subgroup {
            let left_out = adjustment.without_constant(comparison.people()?);
            let left_out = left_out.map_err(|error| comparison.locate(error))?;
            if !left_out.is_empty() {
                comparison.to_mut().notices.extend(left_out);
            }
        }
        let names = &adjustment.covariates;
        let people = comparison.people()?;
        let locate = |error: Error| comparison.locate(error);
        let numbers = |name: &str| -> Result<Vec<f64>> { Ok(pick(people.table.reals(name)?, people)) };
        let covariates = names
            .iter()
            .map(|name| Ok((name.clone(), Values::of(name, people, adjustment.references.get(name))?)))
            .collect::<Result<_>>()
            .map_err(locate)?;
        let weights = self.weights_of(&comparison).map_err(locate)?;
        let mut offset = self.offset.as_deref().map(numbers).transpose().map_err(locate)?;
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
            Ok((glm.fit(&columns.matrix, columns.outcome)?, None, Vec::new()))
        })
    }

    /// Fits a model of one's own to the columns.
    pub(super) fn fit_with<'p>(
        &'p self,
        fit: impl FnOnce(Columns<'p>) -> Result<(Fit<'p>, Option<ThetaInfluence>, Vec<Notice>)>,
    ) -> Result<AdjustedFit<'p, K>> {
        let (fit, theta, mut notices) = self.with_columns(fit)?;
        notices.extend(self.few_events(fit.rank() - 1)?);
        if let (true, Some(weights)) = (self.has_probability_weights(), &self.weights) {
            notices.extend(self.dominant_weights(ArrayView1::from(weights))?);
        }
        Ok(AdjustedFit { prepared: self, fit, theta, notices })
    }

    /// A notice where there are fewer than five events, or non-events, for each coefficient besides the
    /// intercept.
    // Events are whole numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn few_events(&self, coefficients: usize) -> Result<Option<Notice>> {
        let outcome = &self.comparison.people()?.outcome;
        let sum: f64 = outcome.iter().sum();
        let events = match self.family {
            Family::Binomial => sum.min(outcome.len() as f64 - sum),
            Family::Poisson => sum,
            _ => return Ok(None),
        };
        let few = events < 5.0 * coefficients as f64;
        Ok(few.then_some(Notice::FewEvents { events: events as u64, coefficients }))
    }

    /// What `with` makes of the columns; its errors get trial, measure and row.
    pub(super) fn with_columns<'p, T>(&'p self, with: impl FnOnce(Columns<'p>) -> Result<T>) -> Result<T> {
        let people = self.comparison.people()?;
        let locate = |error: Error| {
            let place = |error: Error, row: usize| match people.rows.get(row) {
                Some(&row) => people.table.locate(error, row as usize),
                None => error,
            };
            let error = error.separated_by_arms(ARM_COEFFICIENT);
            self.comparison.locate(error.map_row(place).without_column("response"))
        };
        let columns = Columns {
            matrix: self.matrix(people).map_err(locate)?,
            outcome: ArrayView1::from(&people.outcome),
            weights: match &self.weights {
                Some(weights) if self.has_probability_weights() => Weights::Probability(weights.into()),
                Some(weights) => Weights::Precision(weights.into()),
                None => Weights::None,
            },
            offset: self.offset.as_ref().map(ArrayView1::from),
        };
        with(columns).map_err(locate)
    }

    /// The comparison restricted to the people in the model.
    pub(super) fn comparison(&self) -> &Comparison<K> {
        &self.comparison
    }

    /// The regression of the rates weighted by the exposure: the same coefficients and scores as with the
    /// exposure as an offset, but means per unit of exposure.
    pub(super) fn fit_rates<'p>(&'p self, people: &'p People, exposure: &'p Exposure) -> Result<Fit<'p>> {
        let weights = Weights::Precision(ArrayView1::from(&exposure.weights));
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
                Values::Numbers { values, .. } => matrix.numeric(name, ArrayView1::from(values))?,
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

    /// Whether the weights have a unit that must not matter.
    pub(super) fn has_probability_weights(&self) -> bool {
        matches!(self.adjustment.weights, Some(WeightColumn::Probability(_)))
    }

    /// Whether covariates enter by themselves, and everybody counts once.
    pub(crate) fn is_plain(&self) -> bool {
        self.adjustment.options().is_empty()
    }

    pub(super) fn has_weights_or_offset(&self) -> bool {
        self.weights.is_some() || self.offset.is_some()
    }

    /// The mean square of outcome and offset, prior weights counted: what the rounding of residuals is
    /// relative to.
    pub(super) fn mean_square(&self) -> Result<f64> {
        let people = self.comparison.people()?;
        let weight = |row: usize| self.weights.as_ref().map_or(1.0, |weights| weights[row]);
        let offset = |row: usize| self.offset.as_ref().map_or(0.0, |offset| offset[row]);
        let squares =
            people.outcome.iter().enumerate().map(|(row, y)| weight(row) * (y * y + offset(row).powi(2)));
        Ok(squares.sum::<f64>() / people.outcome.len() as f64)
    }

    pub(super) fn method(&self, variance: VarianceMethod) -> Method {
        Method::new(self.estimator).adjusted_for(&self.adjustment.covariates).variance(variance)
    }

    /// The coefficients of covariates as they are, of those of covariates less their means: a row for each,
    /// with the mean of every numeric covariate moved to the intercept, and of its products to the arms.
    pub(super) fn uncentred(&self, matrix: &ModelMatrix) -> Result<Array2<f64>> {
        let mut weights = Array2::eye(matrix.ncols());
        let arms: Vec<usize> = matrix.columns_of(ARM)?.collect();
        let mut product = matrix.ncols() - self.products(matrix, arms.len())?;
        for (name, values) in &self.covariates {
            let columns = matrix.columns_of(name)?;
            let mean = if let Values::Numbers { mean, .. } = values { *mean } else { 0.0 };
            if mean != 0.0 {
                weights[[0, columns.start]] = -mean;
            }
            if self.adjustment.interactions.contains(name) {
                if mean != 0.0 {
                    arms.iter().enumerate().for_each(|(i, &arm)| weights[[arm, product + i]] = -mean);
                }
                product += columns.len() * arms.len();
            }
        }
        Ok(weights)
    }

    /// The number of columns that are products of arms and covariates.
    fn products(&self, matrix: &ModelMatrix, arms: usize) -> Result<usize> {
        let of = |name: &String| Ok(matrix.columns_of(name)?.len() * arms);
        self.adjustment.interactions.iter().map(of).sum()
    }

    /// The notices about declared clusters and strata that a model does not use: strata, where it has no
    /// covariates either.
    pub(super) fn design_ignored(&self) -> Vec<Notice> {
        self.comparison.clusters_ignored().into_iter().chain(self.strata_ignored()).collect()
    }

    /// The notices about declared strata of a model without covariates, and about their shares in the arms
    /// where the strata are not among its covariates.
    pub(super) fn strata_ignored(&self) -> Vec<Notice> {
        self.comparison.strata_ignored_beside(&self.adjustment.covariates)
    }

    pub(super) fn strata(&self) -> Option<&Groups> {
        self.comparison.people.as_ref().and_then(|people| people.strata.as_ref())
    }
}
