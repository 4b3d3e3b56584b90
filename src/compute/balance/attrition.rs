use crate::compute::hypothesis::ChiSquaredTest;
use crate::compute::proportion::Proportion;
use crate::error::{Error, ErrorKind, Result, counted, number};
use serde::{Deserialize, Serialize};

/// The test whether people were randomised in the declared ratio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SampleRatio {
    /// The expected numbers.
    pub expected: Vec<f64>,
    /// Pearson's goodness of fit.
    pub test: ChiSquaredTest,
    /// The exact binomial p-value, of two arms.
    pub exact_p_value: Option<f64>,
}

/// The test whether people were randomised in the declared ratio: a mismatch points to a fault of the allocation or of
/// the data, whatever the outcomes say.
///
/// # Formula
/// `sum (n_a - n r_a)^2 / (n r_a)` with the shares `r_a` of the allocation, chi-squared on arms - 1; of two arms the
/// exact binomial p-value, too.
///
/// # Errors
/// `invalid_input` for another number of shares than arms, fewer than two arms, a share that is not above zero, or
/// nobody.
///
/// # Examples
/// ```
/// let ratio = armwise::balance::sample_ratio(&[410, 190], &[2.0, 1.0])?;
/// assert!((ratio.test.statistic - 0.75).abs() < 1e-12);
/// assert!((ratio.exact_p_value.unwrap() - 0.4107).abs() < 1e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Pearson (1900), Philosophical Magazine 50:157. Fabijan et al. (2019), KDD 2156 (sample-ratio mismatch).
pub fn sample_ratio(randomised: &[u64], allocation: &[f64]) -> Result<SampleRatio> {
    if randomised.len() != allocation.len() || randomised.len() < 2 {
        return Err(Error::invalid(format!(
            "{} with {}; give one share for each of at least two arms",
            counted(randomised.len(), "arm"),
            counted(allocation.len(), "share")
        )));
    }
    let total: f64 = allocation.iter().sum();
    if let Some(bad) =
        allocation.iter().find(|share| !(**share > 0.0 && share.is_finite() && total.is_finite()))
    {
        return Err(Error::invalid(format!(
            "a share of the allocation is {}; give numbers above zero",
            number(*bad)
        )));
    }
    let n: f64 = randomised.iter().map(|&n| n as f64).sum();
    if n == 0.0 {
        return Err(Error::invalid("nobody was randomised; give the numbers of people in the arms"));
    }
    let expected: Vec<f64> = allocation.iter().map(|share| n * (share / total)).collect();
    let statistic = randomised.iter().zip(&expected).map(|(&n, e)| (n as f64 - e).powi(2) / e).sum();
    let exact_p_value = match randomised {
        [one, other] => {
            Some(Proportion::new(*one, one + other)?.binomial_test(allocation[0] / total)?.two_sided)
        }
        _ => None,
    };
    Ok(SampleRatio {
        expected,
        test: ChiSquaredTest::new(statistic, randomised.len() as f64 - 1.0)?,
        exact_p_value,
    })
}

/// The shares of people without outcome in the arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Attrition {
    /// The share in each arm.
    pub shares: Vec<f64>,
    /// The share of everybody.
    pub overall: f64,
    /// The shares less that of the first arm, of all others.
    pub differences: Vec<f64>,
    /// Pearson's test that all shares are equal; `None` where nobody or everybody is missing.
    pub test: Option<ChiSquaredTest>,
}

/// Whether as many people are without outcome in every arm: the first is the control.
///
/// # Formula
/// Pearson's chi-squared of the arms x 2 table, on arms - 1, without a continuity correction.
///
/// # Errors
/// `invalid_input` for another number of arms in both lists, fewer than two arms, more missing than randomised;
/// `insufficient_observations` for an arm without people.
///
/// # Examples
/// ```
/// let attrition = armwise::balance::attrition(&[12, 20], &[100, 110])?;
/// assert!((attrition.shares[0] - 0.12).abs() < 1e-15);
/// assert!((attrition.test.unwrap().p_value - 0.2132).abs() < 1e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// What Works Clearinghouse (2022), Procedures and Standards Handbook 5.0, chapter II (differential attrition).
pub fn attrition(missing: &[u64], randomised: &[u64]) -> Result<Attrition> {
    if missing.len() != randomised.len() || missing.len() < 2 {
        return Err(Error::invalid(format!(
            "missing people of {} and randomised people of {}; give both for at least two arms",
            counted(missing.len(), "arm"),
            counted(randomised.len(), "arm")
        )));
    }
    if let Some(arm) = (0..missing.len()).find(|&arm| missing[arm] > randomised[arm]) {
        return Err(Error::invalid(format!(
            "{} of {} people in arm {} are missing; give at most as many",
            missing[arm],
            randomised[arm],
            arm + 1
        )));
    }
    if let Some(arm) = randomised.iter().position(|&n| n == 0) {
        let why = format!("arm {} has nobody; leave it out", arm + 1);
        return Err(ErrorKind::InsufficientObservations(why).into());
    }
    let shares: Vec<f64> = missing.iter().zip(randomised).map(|(&m, &n)| m as f64 / n as f64).collect();
    let total: f64 = randomised.iter().map(|&n| n as f64).sum();
    let overall = missing.iter().map(|&m| m as f64).sum::<f64>() / total;
    let spread: f64 =
        shares.iter().zip(randomised).map(|(share, &n)| n as f64 * (share - overall).powi(2)).sum();
    let variance = overall * (1.0 - overall);
    let test = if variance > 0.0 {
        Some(ChiSquaredTest::new(spread / variance, missing.len() as f64 - 1.0)?)
    } else {
        None
    };
    let differences = shares[1..].iter().map(|share| share - shares[0]).collect();
    Ok(Attrition { shares, overall, differences, test })
}
