//! What estimators of repeated measures share: the rows of people and waves, and the effects made of them.

use super::adjustment::Adjustment;
use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::submatrix;
use crate::compute::longitudinal::{WaveMeans, Waves};
use crate::compute::regression::Family;
use crate::design::{Comparison, Label, Notice, OutcomeKind, Repeated};
use crate::effect::{
    About, CombinedWaves, Contrast, Estimates, Method, Scale, VarianceMethod, WaveEffects, WaveEffectsRecord,
};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2};
use std::sync::Arc;

/// What becomes of the wave before treatment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Baseline {
    /// A covariate of the people.
    Covariate,
    /// An outcome.
    Outcome,
}

/// The rows of people and waves.
pub(super) struct WaveRows<X> {
    /// The people in the model.
    pub people: Comparison<Repeated<X>>,
    pub method: Method,
    /// Notices about declared strata.
    notices: Vec<Notice>,
    outcome: Vec<f64>,
    /// The person of each row.
    unit: Vec<u32>,
    /// The place of the wave of each row.
    wave: Vec<u32>,
    group: Vec<u32>,
    /// Covariates, with a value in each row, and whether they have a slope for each wave.
    covariates: Vec<(String, Vec<f64>, bool)>,
    /// The places of the waves with effects.
    pub effects: Vec<u32>,
    /// The place of the wave without effects that is an outcome.
    pub constrained: Option<u32>,
}

impl<X> WaveRows<X>
where
    Repeated<X>: OutcomeKind,
{
    pub(super) fn new(
        comparison: &Comparison<Repeated<X>>,
        (adjustment, baseline): (&Adjustment, Baseline),
        family: Family,
        estimator: &'static str,
        level: f64,
    ) -> Result<Self> {
        if let Some(clusters) = comparison.clusters() {
            let why = format!(
                "people are declared in {}, and {estimator} counts people as independent; estimate one wave with LinearRegression or \
                 LogisticRegression, which count clusters, or declare none",
                counted(clusters.occurring(), "cluster")
            );
            return Err(Error::invalid(why));
        }
        let place = comparison.kind().baseline_place();
        let mut adjustment = adjustment.clone();
        let as_covariate = place.filter(|_| baseline == Baseline::Covariate);
        let column = as_covariate.and_then(|place| comparison.kind().columns().nth(place)).map(str::to_owned);
        let answered = match &column {
            Some(column) => {
                if !adjustment.covariates.contains(column) {
                    adjustment.covariates.insert(0, column.clone());
                }
                comparison.answered_after_baseline()?
            }
            None => comparison.clone(),
        };
        let prepared = adjustment.prepare(&answered, family, estimator, level)?;
        let people = prepared.comparison().clone();
        let matrix = prepared.covariates()?;
        let waves = people.kind().names().count();
        let analysed: Vec<usize> = (0..waves).filter(|wave| Some(*wave) != as_covariate).collect();
        let (mut outcome, mut unit, mut wave, mut group) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let code = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        for ((person, own), &arm) in people.wave_outcomes()?.iter().enumerate().zip(people.arm_indices()) {
            for &place in &analysed {
                if let Some(value) = own[place] {
                    outcome.push(value);
                    unit.push(code(person));
                    wave.push(code(place));
                    group.push(arm);
                }
            }
        }
        let by_wave = match &column {
            Some(column) if people.kind().baseline_place().is_some() => matrix.columns_of(column)?,
            _ => 0..0,
        };
        let mut values = Array1::zeros(people.arm_indices().len());
        let mut covariates = Vec::new();
        for (j, name) in matrix.names().iter().enumerate().skip(1) {
            matrix.fill_column(j, 0..values.len(), None, values.view_mut());
            let own = unit.iter().map(|&person| values[person as usize]).collect();
            covariates.push((name.clone(), own, by_wave.contains(&j)));
        }
        let this = Self {
            method: prepared.method(VarianceMethod::Pooled),
            notices: prepared.strata_ignored(),
            people: people.clone(),
            outcome,
            unit,
            wave,
            group,
            covariates,
            effects: analysed.iter().filter(|wave| Some(**wave) != place).map(|wave| code(*wave)).collect(),
            constrained: place.filter(|_| baseline == Baseline::Outcome).map(code),
        };
        this.check_cells(&analysed)?;
        Ok(this)
    }

    /// Somebody of every arm has an outcome in every wave.
    fn check_cells(&self, analysed: &[usize]) -> Result<()> {
        let names: Vec<&str> = self.people.kind().names().collect();
        for (counts, arm) in self.observed(analysed).iter().zip(self.people.arms()) {
            if let Some(empty) = counts.iter().position(|count| *count == 0) {
                let why = format!(
                    "nobody in this arm has an outcome in the wave \"{}\"; leave the wave out, or the arm with compare(..).versus(..)",
                    names[analysed[empty]]
                );
                return Err(Error::from(ErrorKind::EmptyArm(why)).in_arm(&arm.label));
            }
        }
        Ok(())
    }

    /// The outcomes of each arm in these waves.
    fn observed(&self, places: &[usize]) -> Vec<Vec<u64>> {
        let mut counts = vec![vec![0; places.len()]; self.people.arms().len()];
        for (wave, arm) in self.wave.iter().zip(&self.group) {
            if let Some(column) = places.iter().position(|place| *place == *wave as usize) {
                counts[*arm as usize][column] += 1;
            }
        }
        counts
    }

    /// What `with` makes of the means by arm and wave; its errors name the row of the table.
    pub(super) fn with_means<T>(&self, with: impl FnOnce(&WaveMeans) -> Result<T>) -> Result<T> {
        let people = self.people.people()?;
        let place = |error: Error, row: usize| match self.unit.get(row) {
            Some(&person) => people.table.locate(error, people.rows[person as usize] as usize),
            None => error,
        };
        let all = || {
            let waves = Waves::new(&self.outcome, &self.unit, &self.wave)?;
            let mut means = WaveMeans::new(&waves, self.people.arms().len(), &self.group)?;
            if let Some(wave) = self.constrained {
                means = means.alike_in(wave)?;
            }
            for (name, values, by_wave) in &self.covariates {
                means = if *by_wave {
                    means.covariate_by_wave(name, values)?
                } else {
                    means.covariate(name, values)?
                };
            }
            with(&means)
        };
        all().map_err(|error| error.map_row(place))
    }

    /// The number of treatments.
    pub(super) fn treatments(&self) -> usize {
        self.people.treatments().len()
    }

    /// Combinations of coefficients, one in each row: the effects by wave and treatment, their means by
    /// treatment, and the last less the first.
    pub(super) fn combinations(
        &self,
        effect: impl Fn(usize, u32) -> Result<Array1<f64>>,
    ) -> Result<Array2<f64>> {
        let (k, t) = (self.treatments(), self.effects.len());
        let mut rows: Vec<Array1<f64>> = Vec::new();
        for &wave in &self.effects {
            for group in 1..=k {
                rows.push(effect(group, wave)?);
            }
        }
        for i in 0..k {
            let own: Vec<Array1<f64>> = (0..t).map(|wave| rows[wave * k + i].clone()).collect();
            let sum = own.iter().fold(Array1::zeros(own[0].len()), |sum, row| sum + row);
            rows.push(sum / t as f64);
        }
        if t > 1 {
            for i in 0..k {
                let change = &rows[(t - 1) * k + i] - &rows[i];
                rows.push(change);
            }
        }
        Ok(Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j]))
    }

    /// The effects, from the values of the combinations with their covariance and degrees of freedom.
    pub(super) fn effects<S: Scale>(
        &self,
        scale: &S,
        mut about: About,
        (values, covariance, df): (Array1<f64>, Array2<f64>, Vec<Option<f64>>),
        joint: Vec<Option<WaldTest>>,
    ) -> Result<WaveEffects<S>> {
        let (k, t) = (self.treatments(), self.effects.len());
        let names: Vec<&str> = self.people.kind().names().collect();
        let name = |place: usize| names[self.effects[place] as usize];
        about.scale = scale.to_any();
        about.notices.extend(self.notices.iter().cloned());
        let of = |first: usize, wave: String| -> Result<CombinedWaves> {
            let places: Vec<usize> = (first..first + k).collect();
            let own = submatrix(covariance.view(), &places);
            let mut about = about.clone();
            about.measure.horizon = Some(wave.clone());
            let contrasts = self.people.treatments().iter().zip(&places).map(|(arm, &place)| {
                Contrast::wald(arm.clone(), values[place], covariance[[place, place]], df[place], about.level)
                    .map_err(|error| error.in_arm(&arm.label))
            });
            let contrasts = contrasts.collect::<Result<Vec<_>>>()?;
            let reference = self.people.reference().clone();
            let estimates = Estimates::new(scale.to_any(), about, reference, contrasts, own)?;
            Ok(CombinedWaves::new(Label::new(&wave), estimates))
        };
        let waves = (0..t).map(|place| of(place * k, name(place).to_owned())).collect::<Result<Vec<_>>>()?;
        let every: Vec<&str> = (0..t).map(name).collect();
        let averaged = of(t * k, format!("mean of {}", every.join(", ")))?;
        let change = (t > 1)
            .then(|| of((t + 1) * k, format!("change from {} to {}", name(0), name(t - 1))))
            .transpose()?;
        let places: Vec<usize> = self.effects.iter().map(|wave| *wave as usize).collect();
        about.measure.horizon = None;
        WaveEffects::new(WaveEffectsRecord {
            about: Arc::new(about),
            waves,
            averaged,
            change,
            covariance: submatrix(covariance.view(), &(0..k * t).collect::<Vec<_>>()),
            joint,
            observed: self.observed(&places),
        })
    }
}
