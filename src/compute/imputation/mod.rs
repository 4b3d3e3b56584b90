//! Multiple imputation by chained equations: draws of the missing values of several variables, each from a
//! regression on all others whose parameters are drawn, too.
//!
//! [`ChainedEquations`] is the main type. It knows one group of people; imputation within arms runs it for
//! each arm, with a stream of its own.
//!
//! ```
//! use armwise::imputation::{ChainedEquations, Incomplete, VariableModel};
//!
//! let age: Vec<f64> = (0..40).map(|i| 20.0 + f64::from(i)).collect();
//! let score: Vec<f64> = (0..40)
//!     .map(|i| if i % 5 == 4 { f64::NAN } else { f64::from(i % 7) + 0.3 * f64::from(i) })
//!     .collect();
//! let variables = vec![
//!     Incomplete::new("age", age, VariableModel::Linear),
//!     Incomplete::new("score", score, VariableModel::PredictiveMeanMatching),
//! ];
//! let chains = ChainedEquations::new(variables)?.imputations(5).seed(7);
//! let drawn = chains.run()?;
//! assert_eq!((drawn.values.len(), drawn.values[0][1].len()), (5, 8));
//! assert_eq!(drawn.values, chains.run()?.values);
//! # Ok::<(), armwise::Error>(())
//! ```

mod categories;
mod chained;
mod counts;
mod draws;
mod linear;

#[doc(alias("mice", "fully conditional specification", "predictive mean matching"))]
pub use chained::{ChainedEquations, ChainedImputations, Incomplete, VariableModel};
