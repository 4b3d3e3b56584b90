//! Group sequential tests: looks at the data before its end, with boundaries that hold the significance
//! level.
//!
//! [`GroupSequential`] is the main type: the information at each look, a [`Rule`] that shares the level over
//! the looks, and the boundaries that follow. It answers what the looks cost (inflation, expected size), when
//! a test is likely to stop, and what may be said after stopping ([`Stopped`]).
//!
//! | question | answer |
//! |---|---|
//! | boundaries (O'Brien-Fleming, Pocock, Wang-Tsiatis, Haybittle-Peto, spending) | [`GroupSequential`], [`Rule`] |
//! | the level spent by then | [`Spending`] |
//! | stopping where an effect is unlikely to be shown | [`Futility`] |
//! | drift, inflation, expected size, exits by look | [`GroupSequential::drift`], [`GroupSequential::exits`] |
//! | p-value, estimate and interval after stopping | [`GroupSequential::stopped`] |
//! | intervals at every look | [`GroupSequential::repeated_interval`] |
//! | more people after a look | [`Reestimation`] |
//! | the chance of success from here | [`BValue`], [`GroupSequential::conditional_power`] |
//!
//! # Conventions
//!
//! - The information fraction `t` rises to 1 at the last look. With the drift `theta`, the statistic at `t`
//!   is normal with mean `theta sqrt(t)` and variance 1, and `B = z sqrt(t)` has independent increments: a
//!   Brownian motion with drift `theta`. An effect is `theta` times its standard error at the end.
//! - Two-sided designs have symmetric bounds, with half of alpha on each side.
//!
//! ```
//! use armwise::power::TestLevel;
//! use armwise::sequential::{GroupSequential, Rule};
//!
//! let thirds = [1.0 / 3.0, 2.0 / 3.0, 1.0];
//! let test = TestLevel::one_sided(0.025)?;
//! let design = GroupSequential::new(&thirds, Rule::OBrienFleming, test)?;
//! assert!((design.critical_values()[2] - 2.0040356).abs() < 1e-7);
//! assert!((design.inflation(0.8)? - 1.0174062).abs() < 1e-7);
//! # Ok::<(), armwise::Error>(())
//! ```
//!
//! # References
//!
//! Armitage, McPherson & Rowe (1969), JRSS A 132:235. Lan & DeMets (1983), Biometrika 70:659. Jennison &
//! Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, chapter 19 (numerical
//! integration).

mod bounds;
mod conditional;
mod design;
mod exits;
mod motion;
mod reestimation;
mod spending;
mod stopped;

#[doc(alias("stochastic curtailment", "b-value", "futility index", "predictive power"))]
pub use conditional::BValue;
#[doc(alias("interim analysis", "interim looks", "alpha spending", "rpact", "gsdesign"))]
pub use design::{Binding, Futility, GroupSequential, Rule};
pub use exits::Exits;
#[doc(alias("sample size reestimation", "promising zone", "inverse normal", "adaptive design"))]
pub use reestimation::Reestimation;
#[doc(alias("lan-demets", "kim-demets", "hwang-shih-decani", "alpha spending function"))]
pub use spending::Spending;
#[doc(alias("median unbiased estimate", "stagewise ordering", "adjusted p-value"))]
pub use stopped::Stopped;
