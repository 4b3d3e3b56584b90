use crate::design::Label;
use crate::effect::{About, Checked, ConfidenceCurve, Inference, On, Scale};
use crate::error::{Error, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// One draw of the effects that a pool is made of.
#[non_exhaustive]
pub enum Draw<'d> {
    /// Every trial as often as it was drawn.
    Trials(&'d [u32]),
    /// From the fitted model: what gives standard normal numbers.
    Model(&'d mut dyn FnMut() -> f64),
}

impl fmt::Debug for Draw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trials(counts) => f.debug_tuple("Trials").field(counts).finish(),
            Self::Model(_) => f.write_str("Model"),
        }
    }
}

/// A pool of effects, with the way to make it again of other draws of them.
#[non_exhaustive]
pub struct Redrawable<'e> {
    /// The identity of the pooled effects.
    pub about: About,
    /// The treatments, or components.
    pub labels: Vec<Label>,
    /// Their effects.
    pub values: Vec<f64>,
    /// Their standard errors by the pool.
    pub ses: Vec<f64>,
    /// The number of trials.
    pub trials: usize,
    /// From a draw to the values, followed by their standard errors.
    pub again: Redraw<'e>,
}

/// From a draw to the values of a pool, followed by their standard errors.
pub type Redraw<'e> = Box<dyn Fn(Draw<'_>) -> Result<Vec<f64>> + Sync + 'e>;

impl fmt::Debug for Redrawable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redrawable")
            .field("labels", &self.labels)
            .field("values", &self.values)
            .finish_non_exhaustive()
    }
}

impl<'e> Redrawable<'e> {
    /// A pool of so many trials: the identity of its effects, what they are of, their values with standard
    /// errors, and the way to make it again.
    pub fn new(
        about: About,
        trials: usize,
        effects: impl IntoIterator<Item = (Label, f64, f64)>,
        again: impl Fn(Draw<'_>) -> Result<Vec<f64>> + Sync + 'e,
    ) -> Self {
        let mut made = Self {
            about,
            labels: Vec::new(),
            values: Vec::new(),
            ses: Vec::new(),
            trials,
            again: Box::new(again),
        };
        for (label, value, se) in effects {
            made.labels.push(label);
            made.values.push(value);
            made.ses.push(se);
        }
        made
    }
}

/// A pool that can be made again of other draws of its trials: what [`Bootstrap::pool`](super::Bootstrap::pool)
/// asks of it.
pub trait Resample<S: Scale> {
    /// What it pools.
    type Effects;

    /// The pool as it is, and the way to make it again.
    ///
    /// # Errors
    /// Those of the pool.
    fn redrawable<'e>(&'e self, effects: &'e Self::Effects) -> Result<Redrawable<'e>>;
}

/// The effect of a treatment or component by resampling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResampledEffect {
    /// The treatment or the component.
    pub label: Label,
    /// The effect with its confidence curve.
    pub inference: Inference,
}

impl Deref for ResampledEffect {
    type Target = Inference;

    fn deref(&self) -> &Inference {
        &self.inference
    }
}

/// Pooled effects whose intervals come from resamples of their trials, or from draws of the model.
///
/// [`ResampledPoolRecord`] has the fields and further methods.
pub type ResampledPool<S> = On<S, ResampledPoolRecord>;

/// The data of a [`ResampledPool`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ResampledPoolRecord {
    /// The identity of the effects.
    pub about: Arc<About>,
    /// The effects with their confidence curves.
    pub effects: Vec<ResampledEffect>,
    /// The covariance of the replicates, effects x effects.
    #[serde(with = "crate::compute::matrix_rows")]
    pub covariance: Array2<f64>,
}

impl Checked for ResampledPoolRecord {
    fn about(&self) -> &About {
        &self.about
    }

    fn check(&self) -> Result<()> {
        let Self { about, effects, covariance } = self;
        about.check()?;
        let twice = |i: usize| effects[..i].iter().any(|other| other.label == effects[i].label);
        let k = effects.len();
        let sound = k > 0
            && !(0..k).any(twice)
            && covariance.dim() == (k, k)
            && covariance.iter().all(|value| value.is_finite())
            && effects.iter().all(|one| {
                one.inference.level() == about.level && matches!(one.curve(), ConfidenceCurve::Bootstrap(_))
            });
        if sound {
            return Ok(());
        }
        Err(about.locate(Error::invalid(
            "a resampled pool needs effects of different names, each with its replicates and the level of the pool, and their covariance; \
             take it as it was made",
        )))
    }
}

impl ResampledPoolRecord {
    /// The effect of one treatment or component.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn effect(&self, name: impl AsRef<str>) -> Result<&ResampledEffect> {
        let name = name.as_ref();
        self.effects.iter().find(|one| one.label == name).ok_or_else(|| {
            let known = self.effects.iter().map(|one| one.label.to_string()).collect();
            crate::error::ErrorKind::UnknownTreatment { name: name.to_owned(), known }.into()
        })
    }
}
