use super::GroupSizes;
use crate::error::{Error, Result, number};
use serde::{Deserialize, Serialize};

/// People in clusters that are assigned as a whole.
///
/// # Formula
///
/// With a mean of `m` people in a cluster, their coefficient of variation `cv` and the intracluster
/// correlation `rho`, the variance is `1 + ((cv^2 + 1) m - 1) rho` times that of as many people assigned one
/// by one.
///
/// # Examples
/// ```
/// use armwise::power::Clustering;
///
/// let classes = Clustering::new(30.0, 0.05)?.varying(0.5)?;
/// assert!((classes.design_effect() - 2.825).abs() < 1e-12);
/// assert!((classes.effective_size(12.0)? - 127.4336).abs() < 1e-4);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
///
/// Donner & Klar (2000), Design and Analysis of Cluster Randomization Trials. Eldridge, Ashby & Kerry (2006),
/// International Journal of Epidemiology 35:1292 (varying sizes).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Clustering {
    size: f64,
    cv: f64,
    icc: f64,
}

checked!(Clustering);

impl Clustering {
    /// Clusters of one size, with the intracluster correlation.
    ///
    /// # Errors
    /// `invalid_input` for a size below 1, or a correlation that is not from 0 to 1.
    pub fn new(size: f64, icc: f64) -> Result<Self> {
        let clustering = Self { size, cv: 0.0, icc };
        clustering.check().map(|()| clustering)
    }

    /// Clusters of varying sizes: the standard deviation of the sizes over their mean.
    ///
    /// # Errors
    /// `invalid_input` unless it is a finite number from 0.
    pub fn varying(mut self, coefficient_of_variation: f64) -> Result<Self> {
        self.cv = coefficient_of_variation;
        self.check().map(|()| self)
    }

    fn check(&self) -> Result<()> {
        if !(self.size >= 1.0 && self.size.is_finite()) {
            return Err(Error::invalid(format!(
                "clusters of {} people; give their mean size, at least 1",
                number(self.size)
            )));
        }
        if !(0.0..=1.0).contains(&self.icc) {
            return Err(Error::invalid(format!(
                "the intracluster correlation is {}; give a number from 0 to 1, such as 0.02",
                number(self.icc)
            )));
        }
        if !(self.cv >= 0.0 && self.cv.is_finite()) {
            return Err(Error::invalid(format!(
                "the coefficient of variation of the sizes is {}; give a finite number from 0",
                number(self.cv)
            )));
        }
        Ok(())
    }

    /// The mean size of a cluster.
    pub fn size(&self) -> f64 {
        self.size
    }

    /// The design effect.
    pub fn design_effect(&self) -> f64 {
        1.0 + ((self.cv * self.cv + 1.0) * self.size - 1.0) * self.icc
    }

    /// The design effect of clusters that were all of the mean size.
    pub fn design_effect_of_equal_sizes(&self) -> f64 {
        1.0 + (self.size - 1.0) * self.icc
    }

    /// The people of so many clusters, in people assigned one by one.
    ///
    /// # Errors
    /// `invalid_input` for a number of clusters that is not positive.
    pub fn effective_size(&self, clusters: f64) -> Result<f64> {
        Ok(GroupSizes::equal(clusters)?.control() * self.size / self.design_effect())
    }

    /// The clusters that hold as much as these people assigned one by one, as real numbers.
    ///
    /// # Errors
    /// `invalid_input` where they are more than numbers hold.
    pub fn clusters(&self, sizes: GroupSizes) -> Result<GroupSizes> {
        sizes.scaled(self.design_effect() / self.size)
    }
}
