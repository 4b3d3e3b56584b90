use crate::compute::linalg::Cholesky;
use crate::error::{ErrorKind, Result};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The covariance of the outcomes of a unit over waves: one for all groups.
///
/// [`Unstructured`](CovarianceStructure::Unstructured) assumes nothing, needs a parameter for every pair of waves, and
/// is the default of the field (Mallinckrodt et al. 2008, Drug Information Journal 42:303). The others need
/// fewer parameters, and their standard errors are wrong where the structure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CovarianceStructure {
    /// Every variance and covariance its own parameter.
    Unstructured,
    /// One variance, and one covariance of any two waves.
    CompoundSymmetry,
    /// One covariance for each distance between waves; a variance is that of distance 0.
    Toeplitz,
    /// One variance `v`, and `v rho^d` at a distance of `d` waves.
    Autoregressive,
    /// One standard deviation for each wave, and one correlation of any two waves.
    HeterogeneousCompoundSymmetry,
    /// One standard deviation for each wave, and one correlation for each distance between waves.
    HeterogeneousToeplitz,
    /// One standard deviation for each wave, and a correlation of `rho^d` at a distance of `d` waves.
    HeterogeneousAutoregressive,
}

impl CovarianceStructure {
    /// All structures.
    pub const ALL: [Self; 7] = [
        Self::Unstructured,
        Self::CompoundSymmetry,
        Self::Toeplitz,
        Self::Autoregressive,
        Self::HeterogeneousCompoundSymmetry,
        Self::HeterogeneousToeplitz,
        Self::HeterogeneousAutoregressive,
    ];

    /// Whether the covariance is linear in its parameters, as Kenward and Roger's (1997) adjustment takes it.
    pub fn is_linear(self) -> bool {
        matches!(self, Self::Unstructured | Self::CompoundSymmetry | Self::Toeplitz)
    }

    fn is_heterogeneous(self) -> bool {
        matches!(
            self,
            Self::HeterogeneousCompoundSymmetry
                | Self::HeterogeneousToeplitz
                | Self::HeterogeneousAutoregressive
        )
    }
}

impl std::fmt::Display for CovarianceStructure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unstructured => "unstructured",
            Self::CompoundSymmetry => "compound symmetry",
            Self::Toeplitz => "Toeplitz",
            Self::Autoregressive => "AR(1)",
            Self::HeterogeneousCompoundSymmetry => "heterogeneous compound symmetry",
            Self::HeterogeneousToeplitz => "heterogeneous Toeplitz",
            Self::HeterogeneousAutoregressive => "heterogeneous AR(1)",
        })
    }
}

/// A structure over waves with numbers: its parameters, and their derivatives.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    structure: CovarianceStructure,
    numbers: Vec<u32>,
    /// The distances between waves, ascending, without 0.
    lags: Vec<u32>,
    /// The elements of the lower triangle, by rows.
    pub elements: Vec<(usize, usize)>,
}

/// A correlation with its first two derivatives with respect to the parameter it has.
struct Correlation {
    value: f64,
    slope: f64,
    curvature: f64,
    /// The parameter, among those of the correlation.
    parameter: usize,
}

impl Shape {
    pub(super) fn new(structure: CovarianceStructure, numbers: &[u32]) -> Self {
        let elements: Vec<(usize, usize)> =
            (0..numbers.len()).flat_map(|a| (0..=a).map(move |b| (a, b))).collect();
        let mut lags: Vec<u32> =
            (elements.iter()).map(|&(a, b)| numbers[a] - numbers[b]).filter(|lag| *lag > 0).collect();
        lags.sort_unstable();
        lags.dedup();
        Self { structure, numbers: numbers.to_vec(), lags, elements }
    }

    fn lag(&self, (a, b): (usize, usize)) -> u32 {
        self.numbers[a] - self.numbers[b]
    }

    fn lag_place(&self, element: (usize, usize)) -> usize {
        self.lags.partition_point(|lag| *lag < self.lag(element))
    }

    /// The names of the parameters, and the power of the outcome's unit in each.
    pub(super) fn parameters(&self) -> Vec<(String, i32)> {
        use CovarianceStructure as S;
        let deviations = (1..=self.numbers.len()).map(|wave| (format!("sd_{wave}"), 1));
        let rho = || std::iter::once(("rho".to_owned(), 0));
        match self.structure {
            S::Unstructured => {
                self.elements.iter().map(|(a, b)| (format!("sigma_{}_{}", a + 1, b + 1), 2)).collect()
            }
            S::CompoundSymmetry => ["variance", "covariance"].map(|name| (name.to_owned(), 2)).into(),
            S::Toeplitz => {
                [0].iter().chain(&self.lags).map(|lag| (format!("covariance_lag_{lag}"), 2)).collect()
            }
            S::Autoregressive => std::iter::once(("variance".to_owned(), 2)).chain(rho()).collect(),
            S::HeterogeneousToeplitz => {
                deviations.chain(self.lags.iter().map(|lag| (format!("rho_lag_{lag}"), 0))).collect()
            }
            _ => deviations.chain(rho()).collect(),
        }
    }

    /// Whether some unit has the waves of every parameter.
    pub(super) fn check(&self, pairs: &Array2<f64>) -> Result<()> {
        let mut seen = vec![false; self.parameters().len()];
        let theta = Array1::from_elem(seen.len(), 0.5);
        let jacobian = self.jacobian(&theta);
        for (i, &(a, b)) in self.elements.iter().enumerate() {
            if pairs[[a, b]] > 0.0 {
                seen.iter_mut().zip(jacobian.row(i)).for_each(|(seen, slope)| *seen |= *slope != 0.0);
            }
        }
        let Some(missed) = seen.iter().position(|seen| !seen) else { return Ok(()) };
        let (name, _) = &self.parameters()[missed];
        let pair = self.elements.iter().enumerate().find(|(i, _)| jacobian[[*i, missed]] != 0.0);
        let waves = pair.map_or(String::new(), |(_, &(a, b))| {
            format!(": no unit has outcomes in wave {} and wave {}", self.numbers[b], self.numbers[a])
        });
        let why = format!(
            "the parameter {name} of the {} covariance cannot be told{waves}; take a structure with fewer parameters, or leave a wave out",
            self.structure
        );
        Err(ErrorKind::InsufficientObservations(why).into())
    }

    /// The correlation of two waves that are not linear in their parameters.
    fn correlation(&self, theta: &[f64], element: (usize, usize)) -> Correlation {
        use CovarianceStructure as S;
        if element.0 == element.1 {
            return Correlation { value: 1.0, slope: 0.0, curvature: 0.0, parameter: 0 };
        }
        match self.structure {
            S::Autoregressive | S::HeterogeneousAutoregressive => {
                let (rho, d) = (theta[0], self.lag(element).min(10_000).cast_signed());
                let power = |k: i32| if d < k { 0.0 } else { rho.powi(d - k) };
                let lag = f64::from(d);
                let (slope, curvature) = (lag * power(1), lag * (lag - 1.0) * power(2));
                Correlation { value: power(0), slope, curvature, parameter: 0 }
            }
            S::HeterogeneousToeplitz => {
                let parameter = self.lag_place(element);
                Correlation { value: theta[parameter], slope: 1.0, curvature: 0.0, parameter }
            }
            _ => Correlation { value: theta[0], slope: 1.0, curvature: 0.0, parameter: 0 },
        }
    }

    /// The parameter of an element in a linear structure.
    fn own(&self, (i, element): (usize, (usize, usize))) -> usize {
        match self.structure {
            CovarianceStructure::Unstructured => i,
            CovarianceStructure::CompoundSymmetry => usize::from(element.0 != element.1),
            _ if element.0 == element.1 => 0,
            _ => 1 + self.lag_place(element),
        }
    }

    /// The covariance matrix; `None` where a standard deviation or variance is not above 0.
    pub(super) fn sigma(&self, theta: &Array1<f64>) -> Option<Array2<f64>> {
        let t = self.numbers.len();
        let mut sigma = Array2::zeros((t, t));
        let theta = theta.as_slice()?;
        let scales = if self.structure.is_heterogeneous() { t } else { 1 };
        if !self.structure.is_linear() && theta[..scales].iter().any(|scale| scale.is_nan() || *scale <= 0.0)
        {
            return None;
        }
        for (i, &(a, b)) in self.elements.iter().enumerate() {
            let value = if self.structure.is_linear() {
                theta[self.own((i, (a, b)))]
            } else {
                let own = self.correlation(&theta[scales..], (a, b)).value;
                if scales == 1 { theta[0] * own } else { theta[a] * theta[b] * own }
            };
            (sigma[[a, b]], sigma[[b, a]]) = (value, value);
        }
        Some(sigma)
    }

    /// The derivatives of the elements, elements x parameters.
    pub(super) fn jacobian(&self, theta: &Array1<f64>) -> Array2<f64> {
        let mut slopes = Array2::zeros((self.elements.len(), theta.len()));
        let theta: Vec<f64> = theta.to_vec();
        let scales = if self.structure.is_heterogeneous() { self.numbers.len() } else { 1 };
        for (i, &(a, b)) in self.elements.iter().enumerate() {
            if self.structure.is_linear() {
                slopes[[i, self.own((i, (a, b)))]] = 1.0;
                continue;
            }
            let own = self.correlation(&theta[scales..], (a, b));
            let size = if scales == 1 { theta[0] } else { theta[a] * theta[b] };
            if scales == 1 {
                slopes[[i, 0]] += own.value;
            } else {
                slopes[[i, a]] += theta[b] * own.value;
                slopes[[i, b]] += theta[a] * own.value;
            }
            if a != b {
                slopes[[i, scales + own.parameter]] += size * own.slope;
            }
        }
        slopes
    }

    /// `sum_e g_e d2 Sigma_e / d theta d theta'` with a weight of each element.
    pub(super) fn curvature(&self, theta: &Array1<f64>, weights: &[f64]) -> Array2<f64> {
        let mut sum = Array2::zeros((theta.len(), theta.len()));
        if self.structure.is_linear() {
            return sum;
        }
        let theta: Vec<f64> = theta.to_vec();
        let scales = if self.structure.is_heterogeneous() { self.numbers.len() } else { 1 };
        for (&(a, b), g) in self.elements.iter().zip(weights) {
            let own = self.correlation(&theta[scales..], (a, b));
            let rho = scales + own.parameter;
            let mut add = |i: usize, j: usize, value: f64| {
                sum[[i, j]] += g * value;
                if i != j {
                    sum[[j, i]] += g * value;
                }
            };
            if scales == 1 {
                if a != b {
                    add(0, rho, own.slope);
                    add(rho, rho, theta[0] * own.curvature);
                }
            } else if a == b {
                add(a, a, 2.0);
            } else {
                add(a, b, own.value);
                add(a, rho, theta[b] * own.slope);
                add(b, rho, theta[a] * own.slope);
                add(rho, rho, theta[a] * theta[b] * own.curvature);
            }
        }
        sum
    }

    /// Parameters near the moments of residuals, with a positive definite covariance.
    pub(super) fn start(&self, moments: &Array2<f64>, pairs: &Array2<f64>) -> Option<Array1<f64>> {
        let shares = [1.0, 0.9, 0.7, 0.5, 0.3, 0.1, 0.0];
        shares.iter().map(|share| self.shrunk(moments, pairs, *share)).find(|theta| {
            let factor = self.sigma(theta).and_then(|sigma| Cholesky::new(sigma.view()));
            factor.is_some_and(|factor| factor.smallest_pivot > 1e-3)
        })
    }

    fn shrunk(&self, moments: &Array2<f64>, pairs: &Array2<f64>, share: f64) -> Array1<f64> {
        use CovarianceStructure as S;
        let t = self.numbers.len();
        let deviations: Vec<f64> = (0..t).map(|a| moments[[a, a]].sqrt()).collect();
        // Correlations of the pairs that a parameter has, weighted by their units.
        let correlation = |keep: &dyn Fn(u32) -> bool| {
            let (mut sum, mut weight) = (0.0, 0.0);
            for &(a, b) in self.elements.iter().filter(|(a, b)| a != b) {
                if keep(self.lag((a, b))) && deviations[a] > 0.0 && deviations[b] > 0.0 {
                    sum += pairs[[a, b]] * moments[[a, b]] / (deviations[a] * deviations[b]);
                    weight += pairs[[a, b]];
                }
            }
            if weight > 0.0 { share * (sum / weight).clamp(-0.98, 0.98) } else { 0.0 }
        };
        let total: f64 = pairs.diag().sum();
        let variance: f64 = (0..t).map(|a| moments[[a, a]] * pairs[[a, a]]).sum::<f64>() / total;
        let any = |_: u32| true;
        let power = || {
            let nearest = self.elements.iter().filter(|(a, b)| a != b && pairs[[*a, *b]] > 0.0);
            let least = nearest.map(|&element| self.lag(element)).min().unwrap_or(1);
            let rho = correlation(&|lag| lag == least);
            rho.signum() * rho.abs().powf(1.0 / f64::from(least))
        };
        match self.structure {
            S::Unstructured => {
                let of =
                    |&(a, b): &(usize, usize)| if a == b { moments[[a, b]] } else { share * moments[[a, b]] };
                self.elements.iter().map(of).collect()
            }
            S::CompoundSymmetry => [variance, variance * correlation(&any)].into_iter().collect(),
            S::Toeplitz => {
                let of = |lag: &u32| variance * correlation(&|own| own == *lag);
                std::iter::once(variance).chain(self.lags.iter().map(of)).collect()
            }
            S::Autoregressive => [variance, power()].into_iter().collect(),
            S::HeterogeneousCompoundSymmetry => {
                deviations.iter().copied().chain([correlation(&any)]).collect()
            }
            S::HeterogeneousToeplitz => {
                let of = |lag: &u32| correlation(&|own| own == *lag);
                deviations.iter().copied().chain(self.lags.iter().map(of)).collect()
            }
            S::HeterogeneousAutoregressive => deviations.iter().copied().chain([power()]).collect(),
        }
    }
}
