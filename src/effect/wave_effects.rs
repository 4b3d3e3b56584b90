use super::about::About;
use super::estimates::Estimates;
use super::on::{Checked, On};
use super::scale::{AnyScale, Scale};
use crate::compute::hypothesis::WaldTest;
use crate::compute::multiplicity::{Alternative, Contrasts, SimultaneousInference};
use crate::design::Label;
use crate::error::{Error, ErrorKind, Result, listed};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The effects of every treatment in every wave of a survey, with the joint covariance of all; made by
/// [`estimate_waves`](crate::Comparison::estimate_waves).
///
/// One wave of it is an ordinary [`Estimates`] (`at(..)`), which pools like any other;
/// so are the mean over the waves ([`averaged`](WaveEffectsRecord::averaged)) and the change from the first
/// to the last ([`change`](WaveEffectsRecord::change)). Several waves invite to look for the largest effect:
/// `simultaneous(..)` gives intervals that hold for all waves and treatments
/// together, and `joint_test(..)` one p-value of all waves of a treatment.
///
/// [`WaveEffectsRecord`] has the fields.
pub type WaveEffects<S = AnyScale> = On<S, WaveEffectsRecord>;

/// The data of [`WaveEffects`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WaveEffectsRecord {
    /// The identity of the effects; the horizon is that of each wave.
    pub about: Arc<About>,
    /// The effects in each wave that has some, in the order of time.
    pub waves: Vec<CombinedWaves>,
    /// Their unweighted mean.
    pub averaged: CombinedWaves,
    /// The last less the first; none of one wave.
    pub change: Option<CombinedWaves>,
    /// The covariance of the effects in the waves: those of all treatments in the first, then in the second,
    /// ....
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
    /// The test that all effects of each treatment are 0; none where there are too few people for so many
    /// waves.
    pub joint: Vec<Option<WaldTest>>,
    /// The outcomes in each of these waves, arms x waves, the reference first.
    pub observed: Vec<Vec<u64>>,
}

/// The effects of all treatments in a wave, or in several combined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CombinedWaves {
    /// The wave, or the combination in words.
    pub wave: Label,
    /// The effects.
    pub estimates: Estimates,
}

impl CombinedWaves {
    pub(crate) fn new(wave: Label, estimates: Estimates) -> Self {
        Self { wave, estimates }
    }
}

impl Checked for WaveEffectsRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, waves, averaged, change, covariance, joint, observed } = self;
        about.check_one_trial()?;
        let locate = |why: &str| Err(about.locate(Error::invalid(why)));
        let Some(first) = waves.first().map(|one| &one.estimates) else {
            return locate("there is no wave with an effect; give one or more");
        };
        for CombinedWaves { wave, estimates: one } in waves.iter().chain([averaged]).chain(change) {
            let belongs = one.about().trials == about.trials
                && one.about().reference == about.reference
                && one.about().scale == about.scale
                && one.about().measure.horizon.as_deref() == Some(wave.as_str())
                && one.treatments().eq(first.treatments());
            if !belongs {
                return locate(
                    "the effects of the waves do not belong together; give those of one trial, its arms and scale",
                );
            }
        }
        let (k, t) = (first.len(), waves.len());
        let twice =
            waves.iter().enumerate().any(|(i, one)| waves[..i].iter().any(|other| other.wave == one.wave));
        let counted = observed.len() == k + 1 && observed.iter().all(|arm| arm.len() == t);
        if twice || !counted || joint.len() != k || change.is_some() != (t > 1) {
            return locate(
                "the waves are not each there once, with a test of each treatment and the outcomes of each arm",
            );
        }
        if covariance.dim() != (k * t, k * t) {
            return locate(
                "the covariance has another size than the effects; give a row for each wave and treatment",
            );
        }
        for ((i, j), &value) in covariance.indexed_iter() {
            let bound = 1e-9 * (covariance[[i, i]].abs() * covariance[[j, j]].abs()).sqrt();
            let own = (i / k == j / k).then(|| waves[i / k].estimates.covariance[[i % k, j % k]]);
            let agrees = own.is_none_or(|own| (own - value).abs() <= bound);
            if !value.is_finite() || !agrees || (value - covariance[[j, i]]).abs() > bound {
                return locate(
                    "the joint covariance is not symmetric, or not that of the effects in a wave; give both halves alike",
                );
            }
        }
        Ok(())
    }
}

impl<S: Scale> WaveEffects<S> {
    pub(crate) fn new(mut record: WaveEffectsRecord) -> Result<Self> {
        for i in 0..record.covariance.nrows() {
            for j in 0..i {
                record.covariance[[i, j]] = record.covariance[[j, i]];
            }
        }
        Self::checked(record)
    }

    /// The effects of all treatments in a wave.
    ///
    /// # Errors
    /// The wave is none of those with effects.
    pub fn at(&self, wave: &str) -> Result<Estimates<S>> {
        let found = self.waves.iter().find(|one| one.wave == *wave).ok_or_else(|| {
            let known: Vec<&str> = self.waves.iter().map(|one| one.wave.as_str()).collect();
            let why = format!("there is no effect in the wave \"{wave}\"; take one of: {}", listed(&known));
            self.about.locate(Error::invalid(why))
        })?;
        found.estimates.on_scale()
    }

    /// The unweighted mean of the effects over the waves.
    ///
    /// # Errors
    /// None for effects of this scale.
    pub fn averaged(&self) -> Result<Estimates<S>> {
        self.averaged.estimates.on_scale()
    }

    /// The effect in the last wave less that in the first with an effect: whether it grows or fades.
    ///
    /// # Errors
    /// There is one wave only.
    pub fn change(&self) -> Result<Estimates<S>> {
        let change = self.change.as_ref().ok_or_else(|| {
            let why = "there are effects in one wave only, and no change of them; take at(..)";
            self.about.locate(Error::invalid(why))
        })?;
        change.estimates.on_scale()
    }

    /// The test that the effects of a treatment are 0 in all waves.
    ///
    /// # Errors
    /// There is no such treatment; there are too few people for the test of so many waves.
    pub fn joint_test(&self, treatment: impl AsRef<str>) -> Result<WaldTest> {
        let first = &self.waves[0].estimates;
        let place = first.treatments().position(|own| *own == *treatment.as_ref()).ok_or_else(|| {
            let known = first.treatments().map(ToString::to_string).collect();
            self.about
                .locate(ErrorKind::UnknownTreatment { name: treatment.as_ref().to_owned(), known }.into())
        })?;
        self.joint[place].ok_or_else(|| {
            let why = "these waves cannot be tested together: there are too few people for so many; take averaged(), or one wave";
            self.about.locate(Error::not_estimable(why).in_arm(treatment.as_ref()))
        })
    }

    /// Intervals that hold together for all waves and treatments at a level, with adjusted p-values, from the
    /// joint covariance (max-t); in the order of the waves, and of the treatments in each. Student's t takes
    /// the smallest degrees of freedom of all.
    ///
    /// # Errors
    /// A level that is not between 0 and 1.
    pub fn simultaneous(&self, level: f64) -> Result<SimultaneousInference> {
        let all = || self.waves.iter().flat_map(|one| one.estimates.contrasts.iter());
        let values: Vec<f64> = all().map(|one| one.value()).collect();
        let df = all().filter_map(|one| one.df()).reduce(f64::min);
        Contrasts::new(&values, self.covariance.view(), df)
            .and_then(|joint| joint.simultaneous(Alternative::TwoSided, level))
            .map_err(|error| self.about.locate(error))
    }
}
