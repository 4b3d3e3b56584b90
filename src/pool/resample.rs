//! Pools that are made again of resampled trials.

use super::joint::JointlyPooledRecord;
use super::{CommonEffect, ComponentModel, JointModel, ParticipantWeighted, Pooled, RandomEffects};
use crate::compute::meta_analysis as kernel;
use crate::effect::{Effects, Scale, TreatmentEffects};
use crate::error::Result;
use crate::inference::{Draw, Redrawable, Resample};

/// A pool of one treatment whose kernel gives an estimate with its standard error.
fn of_one<'e, S: Scale>(
    effects: &'e TreatmentEffects<S>,
    pooled: &Pooled<S>,
    kernel: impl Fn(&[f64], &[f64]) -> Result<(f64, f64)> + Sync + 'e,
) -> Redrawable<'e> {
    let (mean, tau2) = (pooled.value(), pooled.tau2());
    let own: Vec<(f64, f64)> = effects.iter().map(|one| (one.value(), one.variance())).collect();
    let again = move |draw: Draw<'_>| {
        let (yi, vi): (Vec<f64>, Vec<f64>) = match draw {
            Draw::Trials(counts) => {
                let times = own.iter().zip(counts);
                times.flat_map(|(one, count)| std::iter::repeat_n(*one, *count as usize)).unzip()
            }
            Draw::Model(normal) => own.iter().map(|(_, v)| (mean + (v + tau2).sqrt() * normal(), *v)).unzip(),
        };
        kernel(&yi, &vi).map(|(estimate, se)| vec![estimate, se])
    };
    let effect = (pooled.treatment.clone(), mean, pooled.se());
    Redrawable::new(pooled.about().clone(), effects.len(), [effect], again)
}

/// Replicates have the standard error of the model: that of Hartung and Knapp is zero where one trial was drawn
/// alone.
impl<S: Scale> Resample<S> for RandomEffects {
    type Effects = TreatmentEffects<S>;

    fn redrawable<'e>(&'e self, effects: &'e TreatmentEffects<S>) -> Result<Redrawable<'e>> {
        let pooled = self.pool(effects)?;
        let model = self.kernel(effects.len())?.test(kernel::Test::Normal);
        let model = model.prediction_df(kernel::PredictionDf::KMinus1);
        Ok(of_one(effects, &pooled, move |yi, vi| {
            let pooled = model.pool(yi, vi)?;
            Ok((pooled.estimate, pooled.se))
        }))
    }
}

impl<S: Scale> Resample<S> for CommonEffect {
    type Effects = TreatmentEffects<S>;

    fn redrawable<'e>(&'e self, effects: &'e TreatmentEffects<S>) -> Result<Redrawable<'e>> {
        let pooled = self.pool(effects)?;
        Ok(of_one(effects, &pooled, |yi, vi| {
            let pooled = kernel::CommonEffect::new().pool(yi, vi)?;
            Ok((pooled.estimate, pooled.se))
        }))
    }
}

/// By trial, each with its weight; from the model, each about its own effect, as the average assumes nothing of how
/// trials vary.
impl<S: Scale> Resample<S> for ParticipantWeighted {
    type Effects = TreatmentEffects<S>;

    fn redrawable<'e>(&'e self, effects: &'e TreatmentEffects<S>) -> Result<Redrawable<'e>> {
        let pooled = self.pool(effects)?;
        let weights = self.weights_of(effects)?;
        let own: Vec<[f64; 3]> =
            effects.iter().zip(weights).map(|(one, weight)| [one.value(), one.variance(), weight]).collect();
        let again = move |draw: Draw<'_>| {
            let drawn: Vec<[f64; 3]> = match draw {
                Draw::Trials(counts) => {
                    let times = own.iter().zip(counts);
                    times.flat_map(|(one, count)| std::iter::repeat_n(*one, *count as usize)).collect()
                }
                Draw::Model(normal) => {
                    own.iter().map(|[y, v, w]| [y + v.sqrt() * normal(), *v, *w]).collect()
                }
            };
            let total: f64 = drawn.iter().map(|[.., w]| w).sum();
            let mean = drawn.iter().map(|[y, _, w]| w / total * y).sum();
            let variance: f64 = drawn.iter().map(|[_, v, w]| (w / total).powi(2) * v).sum();
            Ok(vec![mean, variance.sqrt()])
        };
        let effect = (pooled.treatment.clone(), pooled.value(), pooled.se());
        Ok(Redrawable::new(pooled.about().clone(), effects.len(), [effect], again))
    }
}

fn of_joint<'e>(pooled: JointlyPooledRecord) -> Redrawable<'e> {
    let about = (*pooled.about).clone();
    let one = |one: &super::PooledCoefficient| (one.label.clone(), one.value(), one.se());
    let effects: Vec<_> = pooled.coefficients().iter().map(one).collect();
    Redrawable::new(about, pooled.effects.len(), effects, move |draw| {
        let again = pooled.specification.pool(&pooled.redrawn(draw)?)?;
        let values = again.coefficients.iter().map(|one| one.estimate);
        Ok(values.chain(again.coefficients.iter().map(|one| one.se)).collect())
    })
}

impl<S: Scale> Resample<S> for JointModel {
    type Effects = Effects<S>;

    fn redrawable<'e>(&'e self, effects: &'e Effects<S>) -> Result<Redrawable<'e>> {
        self.record(&effects.to_any()).map(of_joint)
    }
}

impl<S: Scale> Resample<S> for ComponentModel {
    type Effects = Effects<S>;

    fn redrawable<'e>(&'e self, effects: &'e Effects<S>) -> Result<Redrawable<'e>> {
        self.record(&effects.to_any()).map(of_joint)
    }
}
