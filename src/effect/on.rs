use super::about::About;
use super::method::{Estimand, Method};
use super::scale::{AnyScale, Scale, narrow};
use crate::design::{Label, MeasureInfo, Notice};
use crate::error::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

/// A result as plain data, with a check of everything that its constructor guarantees.
pub trait Checked: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The identity of the result.
    fn about(&self) -> &About;

    /// Refuses data that no computation gives.
    ///
    /// # Errors
    /// The first fault found.
    fn check(&self) -> Result<()>;
}

/// A checked result whose scale is a type: `On<RiskDifference, _>` never mixes with `On<LogOddsRatio, _>`.
///
/// It hands out references only, so its record can have public fields and still be sound. The record is
/// shared: a clone and [`On::to_any`] copy a pointer. Reading one from JSON checks what its constructor
/// checks.
///
/// [`Estimate`](crate::Estimate), [`Estimates`](crate::Estimates), [`Pooled`](crate::Pooled) and the other
/// results are names for it.
pub struct On<S, T> {
    record: Arc<T>,
    scale: PhantomData<fn() -> S>,
}

impl<S: Scale, T: Checked> On<S, T> {
    /// A result that is known to be sound, on its own scale.
    pub(crate) fn of(record: T) -> Self {
        Self { record: Arc::new(record), scale: PhantomData }
    }

    /// A result after its check.
    pub(crate) fn checked(record: T) -> Result<Self> {
        record.check()?;
        Ok(Self::of(record))
    }

    /// The same result after a change that keeps it sound.
    pub(crate) fn changed(mut self, change: impl FnOnce(&mut T)) -> Self {
        change(Arc::make_mut(&mut self.record));
        self
    }

    /// The identity of the result: scale, measure, trials, reference, method, level, notices.
    pub fn about(&self) -> &About {
        self.record.about()
    }

    /// The scale.
    pub fn scale(&self) -> S {
        S::of_type(&self.about().scale)
    }

    /// The measure.
    pub fn measure(&self) -> &MeasureInfo {
        &self.about().measure
    }

    /// The arm that it is compared with.
    pub fn reference(&self) -> &Label {
        &self.about().reference
    }

    /// Marginal, conditional, or of compliers.
    pub fn estimand(&self) -> Estimand {
        self.about().estimand
    }

    /// The estimator with its conventions.
    pub fn method(&self) -> &Method {
        &self.about().method
    }

    /// The confidence level of intervals.
    pub fn level(&self) -> f64 {
        self.about().level
    }

    /// Everything that has to be said beside the numbers.
    pub fn notices(&self) -> &[Notice] {
        &self.about().notices
    }

    /// The same result with its scale known only at run time.
    pub fn to_any(&self) -> On<AnyScale, T> {
        On { record: Arc::clone(&self.record), scale: PhantomData }
    }
}

impl<T: Checked> On<AnyScale, T> {
    /// The same result with its scale as a type.
    ///
    /// # Errors
    /// The scale is another one.
    pub fn on_scale<S: Scale>(&self) -> Result<On<S, T>> {
        narrow::<S>(&self.about().scale)?;
        Ok(On { record: Arc::clone(&self.record), scale: PhantomData })
    }
}

impl<S, T> Deref for On<S, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.record
    }
}

impl<S, T> Clone for On<S, T> {
    fn clone(&self) -> Self {
        Self { record: Arc::clone(&self.record), scale: PhantomData }
    }
}

impl<S, T: PartialEq> PartialEq for On<S, T> {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl<S, T: Debug> Debug for On<S, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record.fmt(f)
    }
}

impl<S, T: Serialize> Serialize for On<S, T> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> std::result::Result<Z::Ok, Z::Error> {
        self.record.serialize(serializer)
    }
}

impl<'de, S: Scale, T: Checked> Deserialize<'de> for On<S, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let record = T::deserialize(deserializer)?;
        narrow::<S>(&record.about().scale)
            .and_then(|_| Self::checked(record))
            .map_err(serde::de::Error::custom)
    }
}
