use super::mixed_model::LikelihoodCriterion;
use super::patterns::Patterns;
use super::search::Peak;
use super::small_sample::DfMethod;
use super::structure::{CovarianceStructure, Shape};
use super::wave_means::WaveMeans;
use crate::compute::coefficient::{Coefficient, Wald};
use crate::compute::linalg::symmetrised;
use crate::error::{Error, Result, counted};
use ndarray::{Array1, Array2};

/// A fitted [`MixedModel`](crate::longitudinal::MixedModel).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MixedModelFit {
    /// The covariance over waves.
    pub structure: CovarianceStructure,
    /// The likelihood that was maximised.
    pub criterion: LikelihoodCriterion,
    /// The names of the coefficients.
    pub names: Vec<String>,
    /// The coefficients.
    pub coefficients: Array1<f64>,
    /// Their covariance `(X'V^-1 X)^-1`, as if the covariance of waves were known.
    pub covariance: Array2<f64>,
    /// The covariance of the outcomes of a unit, waves x waves.
    pub sigma: Array2<f64>,
    /// The names of the parameters of `sigma`.
    pub parameter_names: Vec<String>,
    /// These parameters.
    pub parameters: Array1<f64>,
    /// Minus the second derivatives of the log-likelihood by the parameters.
    pub observed_information: Array2<f64>,
    /// The expectation of the same.
    pub expected_information: Array2<f64>,
    /// The log-likelihood that was maximised, with its constants.
    pub log_likelihood: f64,
    /// The number of outcomes.
    pub n: usize,
    /// The number of units.
    pub units: usize,
    /// The number of steps of the search.
    pub steps: usize,
    /// The numbers of the waves, ascending.
    pub waves: Vec<u32>,
    pub(super) groups: usize,
    pub(super) patterns: Patterns,
    pub(super) peak: Peak,
    pub(super) elements: Vec<(usize, usize)>,
    /// The coefficients as functions of those of centred covariates.
    pub(super) uncentred: Array2<f64>,
}

impl MixedModelFit {
    pub(super) fn new(
        means: &WaveMeans,
        (structure, criterion): (CovarianceStructure, LikelihoodCriterion),
        shape: &Shape,
        patterns: Patterns,
        peak: Peak,
    ) -> Self {
        let uncentred = means.uncentred();
        let scale = patterns.scale;
        let coefficients = uncentred.dot(&(&patterns.rough + &peak.value.shift)) * scale;
        let covariance = symmetrised(uncentred.dot(&peak.value.phi).dot(&uncentred.t())) * (scale * scale);
        let (parameter_names, powers): (Vec<String>, Vec<i32>) = shape.parameters().into_iter().unzip();
        let units: Vec<f64> = powers.into_iter().map(|power| scale.powi(power)).collect();
        let in_units = |information: &Array2<f64>| {
            Array2::from_shape_fn(information.dim(), |(i, j)| information[[i, j]] / (units[i] * units[j]))
        };
        let waves = means.waves().numbers().to_vec();
        let sigma = shape.sigma(&peak.theta).unwrap_or_else(|| Array2::zeros((waves.len(), waves.len())));
        // Densities of outcomes in their own unit.
        let free = match criterion {
            LikelihoodCriterion::Restricted => patterns.n - coefficients.len(),
            LikelihoodCriterion::Full => patterns.n,
        };
        Self {
            structure,
            criterion,
            names: means.names(),
            covariance,
            sigma: sigma * (scale * scale),
            parameter_names,
            parameters: peak.theta.iter().zip(&units).map(|(value, unit)| value * unit).collect(),
            observed_information: in_units(&peak.observed),
            expected_information: in_units(&peak.expected),
            log_likelihood: peak.value.log_likelihood - free as f64 * scale.ln(),
            n: patterns.n,
            units: patterns.units,
            steps: peak.steps,
            waves,
            groups: means.groups(),
            elements: shape.elements.clone(),
            coefficients,
            patterns,
            peak,
            uncentred,
        }
    }

    fn place(&self, wave: u32) -> Result<usize> {
        self.waves.iter().position(|own| *own == wave).ok_or_else(|| {
            let known: Vec<String> = self.waves.iter().map(ToString::to_string).collect();
            Error::invalid(format!("there is no wave {wave}; the waves are {}", known.join(", ")))
        })
    }

    /// The combination of coefficients that is the difference of a group (from 1) from the first in a wave.
    ///
    /// # Errors
    /// There is no such group or wave, or groups have one mean in the wave.
    pub fn effect(&self, group: usize, wave: u32) -> Result<Array1<f64>> {
        self.average(group, &[wave])
    }

    /// The combination that is the unweighted mean of the differences of a group (from 1) over waves.
    ///
    /// # Errors
    /// As [`MixedModelFit::effect`]; no wave.
    pub fn average(&self, group: usize, waves: &[u32]) -> Result<Array1<f64>> {
        let mut combination = Array1::zeros(self.names.len());
        for &wave in waves {
            let columns = &self.patterns.columns[self.place(wave)?];
            if group == 0 || group >= self.groups {
                let groups = counted(self.groups, "group");
                return Err(Error::invalid(format!(
                    "there is no difference of group {group}; there are {groups}, from 0"
                )));
            }
            let Some(column) = columns[group] else {
                let why = format!("groups have one mean in wave {wave} by design; take a later wave");
                return Err(Error::invalid(why));
            };
            combination[column] += 1.0 / waves.len() as f64;
        }
        if waves.is_empty() {
            return Err(Error::invalid("a mean over no wave; give one or more"));
        }
        Ok(combination)
    }

    /// The combination that is the mean of a group (from 0) in a wave at these values of the covariates, in
    /// their order.
    ///
    /// # Errors
    /// There is no such group or wave; other than one value for each covariate.
    pub fn mean(&self, group: usize, wave: u32, covariates: &[f64]) -> Result<Array1<f64>> {
        let columns = &self.patterns.columns[self.place(wave)?];
        if group >= self.groups || self.groups + covariates.len() != columns.len() {
            let (groups, values) =
                (counted(self.groups, "group"), counted(columns.len() - self.groups, "covariate"));
            return Err(Error::invalid(format!(
                "a mean is of one of {groups}, from 0, at a value of each of {values}"
            )));
        }
        let mut combination = Array1::zeros(self.names.len());
        let mut add = |j: usize, value: f64| {
            if let Some(column) = columns[j] {
                combination[column] += value;
            }
        };
        add(0, 1.0);
        if group > 0 {
            add(group, 1.0);
        }
        covariates.iter().enumerate().for_each(|(j, value)| add(self.groups + j, *value));
        Ok(combination)
    }

    /// A linear combination of the coefficients with its test and interval.
    ///
    /// # Errors
    /// `invalid_input` for other than one weight for each coefficient, a level that is not between 0 and 1,
    /// and degrees of freedom that the fit does not have.
    pub fn coefficient(
        &self,
        combination: impl AsRef<[f64]>,
        df: DfMethod,
        level: f64,
    ) -> Result<Coefficient> {
        let row = self.row(combination.as_ref())?;
        let variance = self.variances(&row, df)?[[0, 0]];
        let estimate = self.estimates(&row)[0];
        Ok(Wald::new(self.df(&row, df)?[0], level)?.coefficient("combination", estimate, variance.sqrt()))
    }

    /// Combinations from slices, one in each row.
    fn row(&self, combination: &[f64]) -> Result<Array2<f64>> {
        let given = combination.len();
        Array2::from_shape_vec((1, given), combination.to_vec())
            .ok()
            .filter(|row| row.ncols() == self.names.len() && row.iter().any(|weight| *weight != 0.0))
            .ok_or_else(|| {
                let needed = counted(self.names.len(), "coefficient");
                Error::invalid(format!(
                    "a combination of {needed} needs a weight for each, one of them not 0; it has {given}"
                ))
            })
    }

    /// The values of combinations, one in each row.
    pub(crate) fn estimates(&self, combinations: &Array2<f64>) -> Array1<f64> {
        combinations.dot(&self.coefficients)
    }

    /// The rows of combinations as those of coefficients of centred covariates.
    pub(super) fn centred(&self, combinations: &Array2<f64>) -> Array2<f64> {
        combinations.dot(&self.uncentred)
    }
}
