//! Degrees of freedom and covariances of a mixed model in small samples.

use super::elements::trace_of;
use super::mixed_model::LikelihoodCriterion;
use super::mixed_model_fit::MixedModelFit;
use crate::compute::distribution::FisherF;
use crate::compute::hypothesis::WaldTest;
use crate::compute::linalg::{Cholesky, SymmetricEigen, symmetrised};
use crate::error::{Error, ErrorKind, Result, counted};
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

/// How tests and intervals of a mixed model count that the covariance of waves was estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DfMethod {
    /// Student's t with Satterthwaite's degrees of freedom from the observed information, `2 v^2 / Var(v)`
    /// with the delta method (Fai & Cornelius 1996, Journal of Statistical Computation and Simulation 54:363;
    /// Kuznetsova et al. 2017, Journal of Statistical Software 82:13).
    #[default]
    Satterthwaite,
    /// Kenward and Roger's (1997, Biometrics 53:983) covariance, which adds what the estimated covariance of
    /// waves costs, and their degrees of freedom from the expected information; of structures that are linear
    /// in their parameters.
    KenwardRoger,
    /// The normal distribution and chi-squared: the covariance of waves taken as known. By maximum likelihood
    /// only this.
    Normal,
}

impl std::fmt::Display for DfMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Satterthwaite => "Satterthwaite",
            Self::KenwardRoger => "Kenward-Roger",
            Self::Normal => "normal",
        })
    }
}

/// Kenward and Roger's test that several linear combinations are all zero.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct KenwardRogerTest {
    /// The scaled statistic.
    pub f: f64,
    /// The scale `lambda`.
    pub scale: f64,
    /// The number of combinations.
    pub df: f64,
    /// The degrees of freedom of the denominator.
    pub denominator_df: f64,
    /// The upper tail.
    pub p_value: f64,
}

impl MixedModelFit {
    /// The covariance of combinations, one in each row.
    pub(crate) fn variances(&self, combinations: &Array2<f64>, df: DfMethod) -> Result<Array2<f64>> {
        self.allows(df)?;
        let rows = self.centred(combinations);
        let scale = self.patterns.scale * self.patterns.scale;
        let phi = match df {
            DfMethod::KenwardRoger => self.adjusted(&self.parameter_covariance()?),
            _ => self.peak.value.phi.clone(),
        };
        Ok(symmetrised(rows.dot(&phi).dot(&rows.t())) * scale)
    }

    /// The degrees of freedom of each combination.
    pub(crate) fn df(&self, combinations: &Array2<f64>, df: DfMethod) -> Result<Vec<Option<f64>>> {
        self.allows(df)?;
        let information = match df {
            DfMethod::Normal => return Ok(vec![None; combinations.nrows()]),
            DfMethod::KenwardRoger => &self.peak.expected,
            DfMethod::Satterthwaite => &self.peak.observed,
        };
        let factor = Cholesky::new(information.view()).ok_or_else(flat)?;
        let rows = self.centred(combinations);
        Ok(rows.rows().into_iter().map(|row| Some(self.matched(&row.to_owned(), &factor))).collect())
    }

    /// `2 v^2 / (g' A g)` of a combination of centred coefficients.
    fn matched(&self, row: &Array1<f64>, information: &Cholesky) -> f64 {
        let projected = self.peak.value.phi.dot(row);
        let variance = row.dot(&projected);
        // The variance falls in B_i: dPhi = Phi B_i Phi.
        let of_elements: Array1<f64> =
            self.peak.derivatives.slopes.iter().map(|slope| projected.dot(&slope.dot(&projected))).collect();
        let gradient = self.peak.jacobian.t().dot(&of_elements);
        2.0 * variance * variance / gradient.dot(&information.solve(gradient.view()))
    }

    fn allows(&self, df: DfMethod) -> Result<()> {
        if df != DfMethod::Normal && self.criterion == LikelihoodCriterion::Full {
            return Err(Error::invalid(format!(
                "{df} degrees of freedom are those of REML; take LikelihoodCriterion::Restricted, or DfMethod::Normal"
            )));
        }
        if df == DfMethod::KenwardRoger && !self.structure.is_linear() {
            return Err(Error::invalid(format!(
                "Kenward and Roger's covariance is of structures that are linear in their parameters, and {} is not; take \
                 DfMethod::Satterthwaite, or the unstructured covariance",
                self.structure
            )));
        }
        Ok(())
    }

    /// The inverse of the expected information, by parameter.
    fn parameter_covariance(&self) -> Result<Array2<f64>> {
        Ok(Cholesky::new(self.peak.expected.view()).ok_or_else(flat)?.inverse())
    }

    /// `Phi + 2 Phi {sum W_ij (Q_ij - P_i Phi P_j)} Phi`, of centred coefficients.
    fn adjusted(&self, covariance: &Array2<f64>) -> Array2<f64> {
        let jacobian = &self.peak.jacobian;
        let weights = symmetrised(jacobian.dot(covariance).dot(&jacobian.t()));
        let (phi, slopes) = (&self.peak.value.phi, &self.peak.derivatives.slopes);
        let p = phi.nrows();
        let mut bracket = Array2::zeros((p, p));
        for (pattern, w) in self.patterns.patterns.iter().zip(&self.peak.value.inverses) {
            let m = pattern.waves.len();
            let position = |wave: usize| pattern.waves.iter().position(|own| *own == wave);
            let here: Vec<(usize, usize, usize)> = (self.elements.iter().enumerate())
                .filter_map(|(i, &(a, b))| Some((i, position(a)?, position(b)?)))
                .collect();
            // sum_ij W_ij V_i W V_j, E_ab W E_cd = W_bc E_ad.
            let mut inner = Array2::zeros((m, m));
            for &(i, a, b) in &here {
                for &(k, c, d) in &here {
                    let weight = weights[[i, k]];
                    let mut add =
                        |a: usize, b: usize, c: usize, d: usize| inner[[a, d]] += weight * w[[b, c]];
                    add(a, b, c, d);
                    if a != b {
                        add(b, a, c, d);
                    }
                    if c != d {
                        add(a, b, d, c);
                        if a != b {
                            add(b, a, d, c);
                        }
                    }
                }
            }
            self.patterns.add(pattern, w.dot(&inner).dot(w).view(), &mut bracket);
        }
        for (i, slope) in slopes.iter().enumerate() {
            let mut mixed = Array2::zeros((p, p));
            slopes.iter().enumerate().for_each(|(k, other)| mixed.scaled_add(weights[[i, k]], other));
            bracket = bracket - slope.dot(phi).dot(&mixed);
        }
        symmetrised(phi + &(phi.dot(&bracket).dot(phi) * 2.0))
    }

    /// Kenward and Roger's covariance of the coefficients.
    ///
    /// # Errors
    /// `invalid_input` by maximum likelihood and for structures that are not linear in their parameters.
    pub fn kenward_roger_covariance(&self) -> Result<Array2<f64>> {
        self.variances(&Array2::eye(self.names.len()), DfMethod::KenwardRoger)
    }

    /// The test that combinations, one in each row, are all zero: chi-squared for [`DfMethod::Normal`], F
    /// with the denominator of Fai and Cornelius (1996) for [`DfMethod::Satterthwaite`], F by
    /// [`MixedModelFit::kenward_roger_test`].
    ///
    /// # Errors
    /// `invalid_input` for combinations of other length or that follow from each other; `not_estimable` where
    /// the degrees of freedom are too few for an F distribution.
    pub fn joint_test(&self, combinations: &Array2<f64>, df: DfMethod) -> Result<WaldTest> {
        self.allows(df)?;
        let q = combinations.nrows() as f64;
        if df == DfMethod::KenwardRoger {
            let KenwardRogerTest { f, denominator_df, p_value, .. } =
                self.kenward_roger_test(combinations)?;
            return Ok(WaldTest { statistic: f, df: q, denominator_df: Some(denominator_df), p_value });
        }
        let (estimates, covariance) = (self.tested(combinations)?, self.variances(combinations, df)?);
        let chi2 =
            estimates.dot(&Cholesky::new(covariance.view()).ok_or_else(dependent)?.solve(estimates.view()));
        if df == DfMethod::Normal {
            return WaldTest::new(chi2, q, None);
        }
        // Independent combinations with these degrees of freedom each.
        let eigen = SymmetricEigen::new(covariance.view());
        let rows = eigen.vectors.t().dot(combinations);
        let dfs: Vec<f64> = self.df(&rows, df)?.into_iter().flatten().collect();
        let denominator = if let [one] = dfs[..] {
            one
        } else {
            let expected: f64 = dfs.iter().filter(|df| **df > 2.0).map(|df| df / (df - 2.0)).sum();
            2.0 * expected / (expected - q)
        };
        if !(denominator > 0.0 && denominator.is_finite()) || dfs.iter().any(|df| *df <= 2.0 && q > 1.0) {
            let why =
                "there are too few units for an F test of so many combinations; test fewer, or one by one";
            return Err(ErrorKind::NotEstimable(why.to_owned()).into());
        }
        WaldTest::new(chi2, q, Some(denominator))
    }

    /// The values of combinations that are tested together.
    fn tested(&self, combinations: &Array2<f64>) -> Result<Array1<f64>> {
        if combinations.ncols() == self.names.len() && combinations.nrows() > 0 {
            return Ok(self.estimates(combinations));
        }
        let needed = counted(self.names.len(), "coefficient");
        Err(Error::invalid(format!(
            "a test of combinations of {needed} needs one row or more, each with a weight for each"
        )))
    }

    /// Kenward and Roger's (1997) F test that combinations, one in each row, are all zero: the adjusted
    /// covariance, scale and degrees of freedom that match the first two moments of F.
    ///
    /// # Errors
    /// As [`MixedModelFit::joint_test`]; `invalid_input` by maximum likelihood and for structures that are
    /// not linear in their parameters.
    ///
    /// # References
    /// Kenward MG, Roger JH (1997), Biometrics 53:983. Halekoh U, Hojsgaard S (2014), Journal of Statistical
    /// Software 59:9.
    pub fn kenward_roger_test(&self, combinations: &Array2<f64>) -> Result<KenwardRogerTest> {
        self.allows(DfMethod::KenwardRoger)?;
        let estimates = self.tested(combinations)?;
        let l = estimates.len() as f64;
        let adjusted = self.variances(combinations, DfMethod::KenwardRoger)?;
        let chi2 =
            estimates.dot(&Cholesky::new(adjusted.view()).ok_or_else(dependent)?.solve(estimates.view()));
        let weights = self.parameter_covariance()?;
        let rows = self.centred(combinations);
        let projected = rows.dot(&self.peak.value.phi);
        let inverse = Cholesky::new(projected.dot(&rows.t()).view()).ok_or_else(dependent)?.inverse();
        // (L Phi L')^-1 L Phi P_i Phi L' of each parameter, up to the sign, which the squares lose.
        let by_element: Vec<Array2<f64>> = (self.peak.derivatives.slopes.iter())
            .map(|slope| inverse.dot(&projected.dot(slope).dot(&projected.t())))
            .collect();
        let by_parameter: Vec<Array2<f64>> = (self.peak.jacobian.axis_iter(Axis(1)))
            .map(|column| {
                let mut sum = Array2::zeros(inverse.dim());
                column.iter().zip(&by_element).for_each(|(slope, own)| sum.scaled_add(*slope, own));
                sum
            })
            .collect();
        let (mut a1, mut a2) = (0.0, 0.0);
        for (i, one) in by_parameter.iter().enumerate() {
            for (j, two) in by_parameter.iter().enumerate() {
                a1 += weights[[i, j]] * one.diag().sum() * two.diag().sum();
                a2 += weights[[i, j]] * trace_of(one, two);
            }
        }
        let b = (a1 + 6.0 * a2) / (2.0 * l);
        let g = ((l + 1.0) * a1 - (l + 4.0) * a2) / ((l + 2.0) * a2);
        let divisor = 3.0 * l + 2.0 * (1.0 - g);
        let [c1, c2, c3] = [g, l - g, l + 2.0 - g].map(|c| c / divisor);
        let expected = 1.0 / (1.0 - a2 / l);
        let variance = 2.0 / l * (1.0 + c1 * b) / ((1.0 - c2 * b).powi(2) * (1.0 - c3 * b));
        let rho = variance / (2.0 * expected * expected);
        let (denominator_df, scale) = if combinations.nrows() == 1 {
            (2.0 / a2, 1.0)
        } else {
            let m = 4.0 + (l + 2.0) / (l * rho - 1.0);
            (m, m / (expected * (m - 2.0)))
        };
        if !(denominator_df > 0.0 && scale > 0.0 && denominator_df.is_finite() && scale.is_finite()) {
            let why = "there are too few units for Kenward and Roger's F test of so many combinations; test fewer, or one by one";
            return Err(ErrorKind::NotEstimable(why.to_owned()).into());
        }
        let f = scale * chi2 / l;
        let p_value = FisherF::new(l, denominator_df)?.sf(f);
        Ok(KenwardRogerTest { f, scale, df: l, denominator_df, p_value })
    }
}

fn dependent() -> Error {
    Error::invalid(
        "the combinations follow from each other, so that they are no test together; leave some out",
    )
}

fn flat() -> Error {
    let why = "the likelihood is flat in a parameter of the covariance of waves; take a structure with fewer parameters";
    ErrorKind::NotEstimable(why.to_owned()).into()
}
