use crate::compute::hypothesis::WaldTest;
use crate::error::{Error, ErrorKind, Result, counted, number};

/// The joint test of several coefficients from the statistics of every imputation alone (D2): for tests that
/// give no covariance. Weaker than D1 of [`JointImputations`](crate::missing::JointImputations), which is to be
/// taken where there is one.
///
/// # Formula
///
/// With chi-squared statistics `d_i` on `k` degrees of freedom of `m` imputations, their mean `d`:
///
/// ```text
/// r = (1 + 1/m) sum (sqrt d_i - mean sqrt d)^2 / (m - 1)
/// D2 = (d / k - (m + 1) / (m - 1) r) / (1 + r)
/// df2 = k^(-3/m) (m - 1) (1 + 1/r)^2
/// ```
///
/// D2 is F on k and df2; below zero it counts as zero.
///
/// # Errors
/// `insufficient_observations` for fewer than two imputations; `invalid_input` for statistics below zero and
/// degrees of freedom that are not above zero.
///
/// # Examples
/// ```
/// use armwise::missing::combined_statistics;
///
/// let test = combined_statistics(&[7.2, 5.9, 9.1, 6.4], 2.0)?;
/// assert!(test.statistic < 3.6 && test.p_value > 0.03);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Li, Meng, Raghunathan & Rubin (1991), Statistica Sinica 1:65.
pub fn combined_statistics(statistics: &[f64], df: f64) -> Result<WaldTest> {
    let m = checked(statistics, "statistic", df)?;
    let mean = |values: &[f64]| values.iter().map(|x| x / m).sum::<f64>();
    let roots: Vec<f64> = statistics.iter().map(|x| x.sqrt()).collect();
    let centre = mean(&roots);
    let r = (1.0 + 1.0 / m) * roots.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (m - 1.0);
    let f = (mean(statistics) / df - (m + 1.0) / (m - 1.0) * r) / (1.0 + r);
    let df2 = df.powf(-3.0 / m) * (m - 1.0) * (1.0 + 1.0 / r).powi(2);
    WaldTest::new(f.max(0.0) * df, df, Some(df2).filter(|df2| *df2 < 1e16))
}

/// The likelihood ratio test of several coefficients over imputations (D3).
///
/// # Formula
///
/// `own` are the likelihood ratio statistics of each imputation at its own estimates, `pooled` those at the
/// means over all imputations of the estimates of both models, each mean being taken to the data of that
/// imputation. With their means `d` and `d~`, and `t = k (m - 1)`:
///
/// ```text
/// r = (m + 1) (d - d~) / (k (m - 1)),   D3 = d~ / (k (1 + r))
/// df2 = 4 + (t - 4) (1 + (1 - 2/t) / r)^2    where t > 4,   else t (1 + 1/k) (1 + 1/r)^2 / 2
/// ```
///
/// D3 is F on k and df2. An `r` below zero, which rounding alone makes, counts as zero.
///
/// # Errors
/// As [`combined_statistics`]; `invalid_input` for lists of unequal length.
///
/// # Examples
/// ```
/// use armwise::missing::combined_likelihood_ratios;
///
/// let test = combined_likelihood_ratios(&[7.2, 5.9, 9.1], &[6.3, 5.5, 8.0], 2.0)?;
/// // r = 4 (7.4 - 6.6) / (2 x 2) = 0.8, D3 = 6.6 / (2 x 1.8).
/// assert!((test.statistic - 6.6 / 3.6).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Meng & Rubin (1992), Biometrika 79:103.
pub fn combined_likelihood_ratios(own: &[f64], pooled: &[f64], df: f64) -> Result<WaldTest> {
    let m = checked(own, "statistic", df)?;
    checked(pooled, "statistic", df)?;
    if own.len() != pooled.len() {
        return Err(Error::invalid(format!(
            "{} at their own estimates and {} at the pooled ones; give both for every imputation",
            counted(own.len(), "statistic"),
            pooled.len()
        )));
    }
    let mean = |values: &[f64]| values.iter().map(|x| x / m).sum::<f64>();
    let (own, pooled, t) = (mean(own), mean(pooled), df * (m - 1.0));
    let r = ((m + 1.0) * (own - pooled) / t).max(0.0);
    let df2 = if t > 4.0 {
        4.0 + (t - 4.0) * (1.0 + (1.0 - 2.0 / t) / r).powi(2)
    } else {
        0.5 * t * (1.0 + 1.0 / df) * (1.0 + 1.0 / r).powi(2)
    };
    WaldTest::new(pooled / (1.0 + r), df, Some(df2).filter(|df2| *df2 < 1e16))
}

/// The number of imputations.
fn checked(values: &[f64], what: &str, df: f64) -> Result<f64> {
    if !(df > 0.0 && df < 1e9) {
        return Err(Error::invalid(format!(
            "the degrees of freedom are {}; give a number above zero",
            number(df)
        )));
    }
    if let Some(bad) = values.iter().find(|x| !(0.0..=1e150).contains(*x)) {
        return Err(Error::invalid(format!("a {what} is {}; give numbers from 0 to 1e150", number(*bad))));
    }
    if values.len() < 2 {
        let why = "one imputation says nothing of what is missing; make at least two, better 20 or more";
        return Err(ErrorKind::InsufficientObservations(why.to_owned()).into());
    }
    Ok(values.len() as f64)
}
