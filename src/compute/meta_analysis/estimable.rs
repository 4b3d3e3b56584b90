//! Whether variances and correlations between trials can be told from the data at all.

use super::dense::Square;
use super::structured::{Stacked, Structure};
use super::tau2::Likelihood;
use crate::error::{ErrorKind, Result};

/// A variance or correlation, and the matrix between trials that rises with it.
struct Parameter {
    name: String,
    direction: Square,
}

/// Shares of a direction below this are rounding.
const NOTHING: f64 = 1e-9;

impl Structure {
    fn parameters_by_name(self, names: &[String]) -> Vec<Parameter> {
        let q = names.len();
        let cell =
            |of: &dyn Fn(usize, usize) -> bool| Square::from_fn(q, |i, j| f64::from(u8::from(of(i, j))));
        let common = |name: &str, direction| Parameter { name: name.to_owned(), direction };
        let diagonal = || cell(&|i, j| i == j);
        let beside = || cell(&|i, j| i != j);
        let mut parameters = match self {
            Self::CompoundSymmetry | Self::Nested => vec![common("the variance between trials", diagonal())],
            Self::Heteroscedastic | Self::Diagonal | Self::Unstructured => {
                let own = names.iter().enumerate().map(|(level, name)| Parameter {
                    name: format!("the variance of \"{name}\" between trials"),
                    direction: cell(&|i, j| i == level && j == level),
                });
                own.collect()
            }
        };
        match self {
            Self::Diagonal => {}
            _ if q < 2 => {}
            Self::CompoundSymmetry | Self::Heteroscedastic => {
                parameters.push(common("the correlation between trials of two effects of a trial", beside()));
            }
            Self::Nested => parameters.push(common("the variance between clusters", beside())),
            Self::Unstructured => {
                for (one, first) in names.iter().enumerate() {
                    for (two, second) in names.iter().enumerate().skip(one + 1) {
                        parameters.push(Parameter {
                            name: format!("the correlation of \"{first}\" and \"{second}\" between trials"),
                            direction: cell(&|i, j| (i == one && j == two) || (i == two && j == one)),
                        });
                    }
                }
            }
        }
        parameters
    }
}

impl Stacked<'_> {
    /// Refuses a structure of which the likelihood does not change with one of the parameters: its estimate
    /// would be the point at which the search began.
    ///
    /// The (restricted) likelihood is that of contrasts K'y, whose covariance is linear in the parameters, so
    /// that these can be told apart if the matrices M D M, with D the change of the covariance of y with a
    /// parameter and M = I - QQ' the projection beside the (orthonormal) design, are linearly independent.
    /// Weights do not matter for that. With the full likelihood M = I.
    pub(super) fn check_estimable(
        &self,
        structure: Structure,
        likelihood: Likelihood,
        names: &[String],
    ) -> Result<()> {
        let parameters = structure.parameters_by_name(names);
        let count = parameters.len();
        // tr(D_k D_l) of the blocks, and tr(M D_k M D_l).
        let (mut whole, mut seen) = (Square::zeros(count), Square::zeros(count));
        let mut fitted: Vec<Square> = vec![Square::zeros(self.p); count];
        let mut start = 0;
        for block in self.blocks {
            let n = block.n;
            let row = |i: usize| &self.x[(start + i) * self.p..(start + i + 1) * self.p];
            let directions: Vec<Square> = parameters
                .iter()
                .map(|parameter| {
                    Square::from_fn(n, |i, j| {
                        parameter.direction[(self.levels[start + i], self.levels[start + j])]
                    })
                })
                .collect();
            let hat = Square::from_fn(n, |i, j| row(i).iter().zip(row(j)).map(|(a, b)| a * b).sum());
            for (k, one) in directions.iter().enumerate() {
                for a in 0..self.p {
                    for b in 0..self.p {
                        fitted[k][(a, b)] += (0..n)
                            .map(|i| (0..n).map(|j| row(i)[a] * one[(i, j)] * row(j)[b]).sum::<f64>())
                            .sum::<f64>();
                    }
                }
                for (l, two) in directions.iter().enumerate().take(k + 1) {
                    let product = one.times(two);
                    whole[(k, l)] += (0..n).map(|i| product[(i, i)]).sum::<f64>();
                    seen[(k, l)] -= 2.0 * hat.trace_of_product(&product);
                }
            }
            start += n;
        }
        for k in 0..count {
            for l in 0..=k {
                let shared = seen[(k, l)] + fitted[k].trace_of_product(&fitted[l]);
                seen[(k, l)] =
                    whole[(k, l)] + if likelihood == Likelihood::Restricted { shared } else { 0.0 };
            }
        }
        // Cholesky's factor: what is left of a direction beside those before it.
        let mut factor = Square::zeros(count);
        for k in 0..count {
            for l in 0..=k {
                let rest = seen[(k, l)] - (0..l).map(|c| factor[(k, c)] * factor[(l, c)]).sum::<f64>();
                if l < k {
                    factor[(k, l)] = rest / factor[(l, l)];
                } else if rest.is_nan() || rest <= NOTHING * whole[(k, k)] {
                    return Err(ErrorKind::NotEstimable(format!(
                        "{} cannot be told from these trials: too few of them have those outcomes, or have them together; take a \
                         structure with fewer parameters, such as FixedCorrelation, or leave the outcome out",
                        parameters[k].name
                    ))
                    .into());
                } else {
                    factor[(k, k)] = rest.sqrt();
                }
            }
        }
        Ok(())
    }
}
