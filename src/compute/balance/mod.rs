//! Whether arms are alike before treatment, and whether as many are missing in each: standardised differences, joint
//! tests, the sample-ratio test, attrition.
//!
//! [`CovariateBalance`] is the main type: one covariate in two arms. Randomised arms differ by chance alone, so that
//! a p-value of one covariate tests what is known to be true (CONSORT 2025); how large a difference is, and a joint
//! test of all covariates where randomisation itself is doubted, are questions of their own.
//!
//! | question | answer |
//! |---|---|
//! | how far apart are two arms in a covariate? | [`CovariateBalance`] |
//! | in all covariates together, two arms | [`JointBalance`] |
//! | several arms | [`Manova`] |
//! | were people randomised in the declared ratio? | [`sample_ratio`] |
//! | are as many missing in every arm? | [`attrition`] |
//!
//! ```
//! use armwise::balance::{CovariateBalance, CovariateKind};
//!
//! let (treated, control) = ([34.0, 41.0, 28.0, 51.0], [39.0, 44.0, 30.0, 36.0]);
//! let age = CovariateBalance::new(&treated, &control, CovariateKind::Numeric)?;
//! assert!(age.standardized_difference()? > 0.0 && age.kolmogorov_smirnov == 0.25);
//! # Ok::<(), armwise::Error>(())
//! ```

mod attrition;
mod covariate;
mod joint;

#[doc(alias("differential attrition", "missing by arm"))]
pub use attrition::{Attrition, SampleRatio, attrition, sample_ratio};
#[doc(alias("smd", "standardised mean difference", "love plot", "variance ratio"))]
pub use covariate::{CovariateBalance, CovariateKind, Standardizer};
#[doc(alias("hotelling", "xbalance", "omnibus test"))]
pub use joint::JointBalance;
#[doc(alias("wilks lambda", "pillai trace"))]
pub use joint::Manova;
