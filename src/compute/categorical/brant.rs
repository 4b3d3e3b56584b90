//! Brant's test of proportional odds.

use super::rows::CategoryRows;
use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::linalg::{Cholesky, symmetrised};
use crate::compute::regression::{BLOCK, Family, Fit, Glm, ModelMatrix, Weights, add_cross_product};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array1, Array2};

/// Brant's test that the coefficients of a proportional odds model are the same at every threshold.
///
/// # Formula
/// A logistic regression of `y > j` for each threshold `j` gives coefficients `b_j` with joint covariance
/// `A_j^-1 X'W_jm X A_m^-1`, `A_j` the information and `W_jm = diag(p_im (1 - p_ij))` for `j <= m`, `p_ij`
/// the fitted probability of `y_i > j`. With probability weights, whose unit must not matter, it is the
/// sandwich `A_j^-1 (sum U_ij U_im') A_m^-1` of the scores. The differences `b_1 - b_m` are tested by Wald's
/// chi-square.
///
/// # Errors
/// `not_estimable` with two categories or without covariates; `separation` where the covariates separate the
/// outcome at a threshold; `rank_deficient` where the covariance of the differences is singular.
///
/// # References
/// Brant (1990), Biometrics 46:1171.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct BrantTest {
    /// All coefficients together.
    pub overall: ChiSquaredTest,
    /// Each coefficient by itself.
    pub by_coefficient: Vec<BrantCoefficient>,
}

/// Brant's test of one coefficient.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct BrantCoefficient {
    /// The design column.
    pub name: String,
    /// That it is the same at every threshold.
    pub test: ChiSquaredTest,
}

pub(super) fn brant_test(rows: &CategoryRows) -> Result<BrantTest> {
    let (q, p) = (rows.categories() - 1, rows.matrix.ncols());
    if q < 2 || p == 0 {
        return Err(ErrorKind::NotEstimable(
            "with two categories or without covariates there are no coefficients to compare between thresholds".to_owned(),
        )
        .into());
    }
    let matrix = rows.matrix.with_constant();
    let above: Vec<Vec<u8>> =
        (0..q).map(|j| rows.codes.iter().map(|code| u8::from(*code as usize > j)).collect()).collect();
    let fits: Vec<Fit> = above
        .iter()
        .map(|y| Glm::new(Family::Binomial).weights(rows.weights).fit(&matrix, y.as_slice()))
        .collect::<Result<_>>()?;
    let covariance = joint_covariance(rows, &matrix, &fits);
    let width = p + 1;
    let test = |columns: &[usize]| -> Result<ChiSquaredTest> {
        // Differences of the first threshold's coefficients with those of the others.
        let contrasts: Vec<(usize, usize)> =
            (1..q).flat_map(|m| columns.iter().map(move |c| (*c, m * width + c))).collect();
        let differences: Array1<f64> = contrasts
            .iter()
            .map(|(c, far)| fits[0].coefficients()[*c] - fits[far / width].coefficients()[*c])
            .collect();
        let of_differences = Array2::from_shape_fn((contrasts.len(), contrasts.len()), |(i, j)| {
            let ((a, b), (c, d)) = (contrasts[i], contrasts[j]);
            covariance[[a, c]] - covariance[[a, d]] - covariance[[b, c]] + covariance[[b, d]]
        });
        let factor = Cholesky::new(of_differences.view()).filter(|factor| factor.smallest_pivot > 1e-14);
        let factor = factor.ok_or_else(|| {
            Error::from(ErrorKind::RankDeficient {
                columns: columns.iter().map(|c| matrix.names()[*c].clone()).collect(),
            })
        })?;
        ChiSquaredTest::new(differences.dot(&factor.solve(differences.view())), differences.len() as f64)
    };
    let by_coefficient = (1..width)
        .map(|c| Ok(BrantCoefficient { name: matrix.names()[c].clone(), test: test(&[c])? }))
        .collect::<Result<_>>()?;
    Ok(BrantTest { overall: test(&(1..width).collect::<Vec<_>>())?, by_coefficient })
}

/// Of all coefficients, threshold by threshold.
fn joint_covariance(rows: &CategoryRows, matrix: &ModelMatrix, fits: &[Fit]) -> Array2<f64> {
    let (q, width) = (fits.len(), matrix.ncols());
    let robust = matches!(rows.weights, Weights::Probability(_));
    let scores: Vec<Array1<f64>> =
        if robust { fits.iter().map(Fit::working_scores).collect() } else { Vec::new() };
    let fitted: Vec<Array1<f64>> = fits.iter().map(Fit::fitted).collect();
    let mut joint = Array2::zeros((q * width, q * width));
    let mut scratch = Array2::zeros((width, BLOCK));
    for j in 0..q {
        for m in j..q {
            let mut cross = Array2::zeros((width, width));
            let mut weights = Vec::new();
            let (mut weight, mut frequency) = (Vec::new(), Vec::new());
            matrix.for_each_block(|range, x| {
                rows.read_weights(range.clone(), &mut weight, &mut frequency);
                weights.clear();
                let total = weight.iter().zip(&frequency).map(|(w, f)| w * f);
                if robust {
                    weights.extend(range.map(|i| scores[j][i] * scores[m][i]));
                } else {
                    weights.extend(range.zip(total).map(|(i, w)| w * fitted[m][i] * (1.0 - fitted[j][i])));
                }
                add_cross_product(x, &weights, &mut scratch, &mut cross);
            });
            let block = if j == m && !robust {
                fits[j].bread().to_owned()
            } else {
                fits[j].bread().dot(&symmetrised(cross)).dot(&fits[m].bread())
            };
            for ((a, b), value) in block.indexed_iter() {
                joint[[j * width + a, m * width + b]] = *value;
                joint[[m * width + b, j * width + a]] = *value;
            }
        }
    }
    joint
}
