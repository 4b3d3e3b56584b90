//! Inference that replays the design or resamples the data: randomisation tests, step-down tests, bootstraps.
//!
//! Everything here takes an estimator of [`estimator`](crate::estimator) and asks it again, about another
//! assignment that could have been drawn or about resampled people.
