use crate::compute::distribution::{ChiSquared, FisherF, NoncentralChiSquared, NoncentralF};
use crate::error::{Error, Result, number};

/// The power of the one-way analysis of variance.
///
/// # Formula
///
/// With `k` groups of `n` people and Cohen's `f` (the standard deviation of the group means over that within
/// groups), the statistic has a noncentral F distribution with `k - 1` and `k (n - 1)` degrees of freedom and
/// noncentrality `k n f^2`.
///
/// # Errors
/// `invalid_input` for fewer than two groups, a group of at most one person, a negative or infinite `f`, and
/// a significance level that is not between 0 and 1.
///
/// # Examples
/// ```
/// let power = armwise::power::anova_power(4, 50.0, 0.2, 0.05)?;
/// assert!((power - 0.6444132).abs() < 1e-7);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn anova_power(groups: u32, each: f64, cohens_f: f64, alpha: f64) -> Result<f64> {
    check_level(alpha)?;
    check_effect("Cohen's f", cohens_f)?;
    if groups < 2 {
        return Err(Error::invalid("an analysis of variance compares groups; give at least two"));
    }
    if !(each > 1.0 && each.is_finite()) {
        return Err(Error::invalid(format!(
            "groups of {} have no variance within; give more than one person in each",
            number(each)
        )));
    }
    let k = f64::from(groups);
    let (df1, df2) = (k - 1.0, k * (each - 1.0));
    let critical = FisherF::new(df1, df2)?.upper_quantile(alpha);
    Ok(NoncentralF::new(df1, df2, k * each * cohens_f * cohens_f)?.sf(critical))
}

/// The power of a chi-square test.
///
/// # Formula
///
/// With `n` people and Cohen's `w` (the root of the sum over cells of `(p - p_0)^2 / p_0`), the statistic has
/// a noncentral chi-square distribution with noncentrality `n w^2`.
///
/// # Errors
/// `invalid_input` for a size, degrees of freedom, effect or significance level outside its range.
///
/// # Examples
/// ```
/// let power = armwise::power::chi_square_power(0.2, 300.0, 6.0, 0.05)?;
/// assert!((power - 0.7380252).abs() < 1e-7);
/// # Ok::<(), armwise::Error>(())
/// ```
pub fn chi_square_power(cohens_w: f64, n: f64, df: f64, alpha: f64) -> Result<f64> {
    check_level(alpha)?;
    check_effect("Cohen's w", cohens_w)?;
    if !(n > 0.0 && n.is_finite()) {
        return Err(Error::invalid(format!("the size is {}; give a positive number of people", number(n))));
    }
    let critical = ChiSquared::new(df)?.upper_quantile(alpha);
    Ok(NoncentralChiSquared::new(df, n * cohens_w * cohens_w)?.sf(critical))
}

fn check_level(alpha: f64) -> Result<()> {
    super::TestLevel::one_sided(alpha).map(drop)
}

fn check_effect(what: &str, effect: f64) -> Result<()> {
    if effect >= 0.0 && effect.is_finite() {
        return Ok(());
    }
    Err(Error::invalid(format!("{what} is {}; give a finite number from 0", number(effect))))
}
