//! Contrasts of two proportions without covariates: one struct, whose scale is a type.

use super::Estimator;
use super::mantel_haenszel::Curve;
use super::options::{Named, Of, field, is_usual, level_setter};
use super::two_arm::{Asked, ZeroCells, clustered_proportions, crude_contrasts, refuse_independent};
use crate::compute::proportion::CountInterval;
use crate::design::{ArmCounts, Binary, Comparison};
use crate::effect::{ContrastScale, Estimates};
use crate::error::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// A contrast of two proportions on the scale `S`, without covariates.
///
/// Its names are [`DifferenceInProportions`](crate::estimator::DifferenceInProportions),
/// [`RatioOfProportions`](crate::estimator::RatioOfProportions) and
/// [`OddsRatio`](crate::estimator::OddsRatio), which document formula, assumptions, interval and errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, bound = "S: ProportionScale")]
pub struct Proportions<S: ProportionScale> {
    #[serde(flatten)]
    pub(super) options: S::Options,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "field::interval")]
    interval: Option<S::Interval>,
    #[serde(skip_serializing_if = "is_usual")]
    pub(super) level: f64,
    #[serde(flatten)]
    scale: Of<S>,
}

/// A scale on which two proportions are contrasted without covariates.
pub trait ProportionScale: ContrastScale + Named + Copy + Default {
    /// The methods of its interval.
    type Interval: Debug + Copy + PartialEq + Serialize + DeserializeOwned;
    /// The options that other scales lack.
    type Options: Debug + Clone + PartialEq + Default + Serialize + DeserializeOwned;

    /// The name of the contrast in words.
    const NAME: &'static str;
    /// The default interval.
    const INTERVAL: Self::Interval;

    /// The interval as one of counts.
    fn of_counts(interval: Self::Interval) -> CountInterval;

    /// Whether an arm with these numbers gets half an event and half a non-event.
    fn takes_halves(options: &Self::Options, counts: &ArmCounts) -> bool;

    /// The effects within the declared strata, where they were asked for.
    fn stratified(
        options: &Self::Options,
        comparison: &Comparison<Binary>,
        curve: Curve,
    ) -> Option<Result<Estimates<Self>>>;
}

impl<S: ProportionScale> Default for Proportions<S> {
    fn default() -> Self {
        Self { options: S::Options::default(), interval: None, level: 0.95, scale: Of::default() }
    }
}

impl<S: ProportionScale> Proportions<S> {
    /// Miettinen-Nurminen interval, level 0.95; a ratio refuses empty cells.
    pub fn new() -> Self {
        Self::default()
    }

    setters! {
        /// The interval; default: Miettinen-Nurminen, Student's t with CR2 where clusters were declared, and
        /// Wald's of a Mantel-Haenszel effect.
        interval: S::Interval as Some;
    }

    level_setter!();
}

/// The options of a ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RatioOptions {
    #[serde(deserialize_with = "field::strata")]
    pub(super) strata: Strata,
    #[serde(deserialize_with = "field::zero_cells")]
    pub(super) zero_cells: ZeroCells,
}

/// How the declared strata enter a ratio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Strata {
    #[default]
    Ignored,
    MantelHaenszel,
}

impl<S: ProportionScale<Options = RatioOptions>> Proportions<S> {
    /// The rule for an arm in which nobody had the event, or for odds everybody; default: an error.
    #[must_use]
    pub fn zero_cells(mut self, zero_cells: ZeroCells) -> Self {
        self.options.zero_cells = zero_cells;
        self
    }

    /// The Mantel-Haenszel ratio within the declared strata instead of the crude one, with the variance of
    /// Greenland and Robins (1985), for odds of Robins, Breslow and Greenland (1986), a normal interval and a
    /// Wald test. With `interval(..)` the stratified score interval and its test: Miettinen-Nurminen, and for
    /// a ratio Koopman, for odds Cornfield. The effect is taken to be the same in all strata. Two treatments
    /// share the control: their covariance is made like the variance, of products of counts of different
    /// arms, and need not be positive semi-definite. Default: strata are not used.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let table = Table::from_csv_str(
    ///     "\
    ///     arm,sex,works\nc,f,0\nc,f,1\nt,f,1\nt,f,1\nt,f,0\nc,m,0\nc,m,1\nc,m,0\n\
    ///     t,m,1\nt,m,0\n",
    /// )?;
    /// let trial = Trial::builder("Utrecht", table)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .strata(["sex"])
    ///     .build()?;
    /// let stratified = RatioOfProportions::new().mantel_haenszel();
    /// let effect = trial.on(&Measure::binary("works"))?.estimate(&stratified)?.treatment("t")?;
    /// assert!(effect.value() > 0.0 && effect.se() > 0.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[must_use]
    pub fn mantel_haenszel(mut self) -> Self {
        self.options.strata = Strata::MantelHaenszel;
        self
    }
}

impl<S: ProportionScale> Estimator<Binary> for Proportions<S> {
    type Scale = S;

    fn needs_counts_alone(&self) -> bool {
        true
    }

    fn estimate(&self, comparison: &Comparison<Binary>) -> Result<Estimates<S>> {
        let scale = S::default();
        let curve = Curve { asked: self.interval.map(S::of_counts), level: self.level };
        if let Some(stratified) = S::stratified(&self.options, comparison, curve) {
            return stratified;
        }
        if comparison.clusters().is_some() {
            refuse_independent(self.interval)?;
            return clustered_proportions(comparison, scale, S::NAME, self.level);
        }
        let interval = Asked { asked: curve.asked, usual: S::of_counts(S::INTERVAL) };
        let halves = |counts: &ArmCounts| S::takes_halves(&self.options, counts);
        crude_contrasts(comparison, scale, S::NAME, self.level, interval, halves)
    }
}
