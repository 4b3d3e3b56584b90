//! The parameters of a covariance with the largest likelihood: Newton's method with exact second derivatives,
//! or their expectation where the likelihood is not concave.

use super::elements::{Derivatives, Value};
use super::mixed_model::LikelihoodCriterion;
use super::patterns::Patterns;
use super::structure::Shape;
use crate::compute::linalg::Cholesky;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2};

/// A maximum of the likelihood.
#[derive(Debug, Clone)]
pub(super) struct Peak {
    pub theta: Array1<f64>,
    pub value: Value,
    pub derivatives: Derivatives,
    pub jacobian: Array2<f64>,
    /// Minus the second derivatives by parameter.
    pub observed: Array2<f64>,
    /// Their expectation.
    pub expected: Array2<f64>,
    pub steps: usize,
}

const MOST_STEPS: usize = 200;
/// Below this decrement a full step is taken without a comparison of values, which rounding would decide.
const NEAR: f64 = 1e-8;
/// Parameters are then within 1e-12 standard errors.
const DONE: f64 = 1e-24;
/// A wave that the others explain but for this share of its variance has no likelihood that ends.
const SINGULAR: f64 = 1e-9;

pub(super) fn maximise(patterns: &Patterns, shape: &Shape, criterion: LikelihoodCriterion) -> Result<Peak> {
    let (moments, pairs) = patterns.moments();
    shape.check(&pairs)?;
    let value =
        |theta: &Array1<f64>| shape.sigma(theta).and_then(|sigma| Value::at(patterns, &sigma, criterion));
    let start = shape.start(&moments, &pairs).and_then(|theta| value(&theta).map(|value| (theta, value)));
    let Some((mut theta, mut own)) = start else { return Err(singular()) };
    let (mut polished, mut steps) = (0, 0);
    loop {
        if own.smallest_pivot < SINGULAR {
            return Err(singular());
        }
        let derivatives = own.derivatives(patterns, &shape.elements, criterion);
        let jacobian = shape.jacobian(&theta);
        let gradient = jacobian.t().dot(&derivatives.gradient);
        let curvature = shape.curvature(&theta, &derivatives.gradient.to_vec());
        let observed = jacobian.t().dot(&derivatives.observed).dot(&jacobian) - curvature;
        let expected = jacobian.t().dot(&derivatives.expected).dot(&jacobian);
        let newton = Cholesky::new(observed.view()).map(|factor| factor.solve(gradient.view()));
        let promised = |step: &Array1<f64>| step.dot(&gradient);
        let near = newton.as_ref().is_some_and(|step| promised(step) < NEAR);
        let ends = newton.as_ref().is_some_and(|step| promised(step) <= DONE) || polished > 3;
        if ends {
            return Ok(Peak { theta, value: own, derivatives, jacobian, observed, expected, steps });
        }
        steps += 1;
        if steps > MOST_STEPS {
            break;
        }
        let scoring = || Cholesky::new(expected.view()).map(|factor| factor.solve(gradient.view()));
        let mut moved = false;
        for step in newton.iter().cloned().chain(scoring()) {
            let mut share = 1.0;
            while share > 1e-8 && !moved {
                let next = &theta + &(&step * share);
                if let Some(there) = value(&next) {
                    let rises = there.log_likelihood >= own.log_likelihood + 1e-4 * share * promised(&step);
                    if rises || near {
                        (theta, own, moved) = (next, there, true);
                    }
                }
                share *= 0.5;
            }
            if moved {
                break;
            }
        }
        polished += usize::from(near);
        if !moved {
            break;
        }
    }
    Err(if own.smallest_pivot < 1e-6 { singular() } else { not_converged() })
}

fn singular() -> crate::error::Error {
    let why = "the covariance of the waves is singular: a wave follows from the others, or its outcomes do not vary, or there are too \
               few units for so many waves; take a structure with fewer parameters, or leave a wave out";
    ErrorKind::NotEstimable(why.to_owned()).into()
}

fn not_converged() -> crate::error::Error {
    let why = "the likelihood of the covariance has no maximum that the search could reach; take a structure with fewer parameters, \
               such as CovarianceStructure::HeterogeneousToeplitz";
    ErrorKind::NotConverged(why.to_owned()).into()
}
