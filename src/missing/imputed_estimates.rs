use super::imputed::CompleteDf;
use crate::compute::missing::{CombinedImputations, Imputations, JointImputations};
use crate::design::Notice;
use crate::effect::{Contrast, Estimates, IntervalMethod, Scale, VarianceMethod};
use crate::error::{Error, Result};
use ndarray::{Array1, Array2};
use std::mem::discriminant;
use std::ops::Deref;

/// The effects of an estimator on imputed data, combined by Rubin's rules: ordinary [`Estimates`], whose
/// curve is Student's t with the degrees of freedom of Barnard and Rubin, beside what each imputation said.
#[derive(Debug, Clone)]
pub struct ImputedEstimates<S> {
    estimates: Estimates<S>,
    each: Vec<Estimates<S>>,
    combined: Vec<CombinedImputations>,
    joint: JointImputations,
}

impl<S> Deref for ImputedEstimates<S> {
    type Target = Estimates<S>;

    fn deref(&self) -> &Estimates<S> {
        &self.estimates
    }
}

impl<S: Scale> ImputedEstimates<S> {
    /// The combined effects, which report, pool and join families like any others.
    pub fn estimates(&self) -> &Estimates<S> {
        &self.estimates
    }

    /// The combined effects alone.
    pub fn into_estimates(self) -> Estimates<S> {
        self.estimates
    }

    /// The effects of every imputation.
    pub fn each(&self) -> &[Estimates<S>] {
        &self.each
    }

    /// The parts of the combination, in the order of the treatments.
    pub fn combined(&self) -> &[CombinedImputations] {
        &self.combined
    }

    /// All treatments together, with the test that none has an effect (D1 of Li, Raghunathan & Rubin).
    pub fn joint(&self) -> &JointImputations {
        &self.joint
    }

    /// The fraction of missing information of a treatment; `None` where all imputations agree and the degrees
    /// of freedom have no end.
    ///
    /// # Errors
    /// There is no such treatment.
    pub fn missing_information(&self, treatment: impl AsRef<str>) -> Result<Option<f64>> {
        let treatment = treatment.as_ref();
        let place = self.estimates.treatments().position(|label| label.as_str() == treatment);
        match place {
            Some(place) => Ok(self.combined[place].fraction_of_missing_information),
            // The error of an unknown treatment names those that there are.
            None => self.estimates.treatment(treatment).map(|_| None),
        }
    }
}

/// Combines the effects of several imputations; `imputed` of so many people had no outcome.
pub(super) fn combine<S: Scale>(
    each: Vec<Estimates<S>>,
    complete_df: CompleteDf,
    [imputed, people]: [Option<u64>; 2],
    notices: &[Notice],
) -> Result<ImputedEstimates<S>> {
    let first = &each[0];
    let locate = |error: Error| first.about.locate(error);
    let labels: Vec<_> = first.treatments().collect();
    if let Some(at) = each.iter().position(|one| !one.treatments().eq(labels.iter().copied())) {
        let why = format!(
            "imputation {} has effects of other arms than the first; leave out the arm that is missing",
            at + 1
        );
        return Err(locate(Error::not_estimable(why)));
    }
    let values: Vec<Array1<f64>> = each.iter().map(|one| one.values().collect()).collect();
    let covariances: Vec<Array2<f64>> = each.iter().map(|one| one.covariance().to_owned()).collect();
    let joint = JointImputations::new(&values, &covariances).map_err(locate)?;
    let mut combined = Vec::with_capacity(labels.len());
    let mut contrasts = Vec::with_capacity(labels.len());
    for (k, contrast) in first.contrasts.iter().enumerate() {
        let of = |matrix: &Array2<f64>| matrix[[k, k]];
        let estimates: Vec<f64> = values.iter().map(|one| one[k]).collect();
        let variances: Vec<f64> = covariances.iter().map(of).collect();
        let within = |error: Error| first.about.locate(error.in_arm(contrast.treatment()));
        let mut all = Imputations::new(&estimates, &variances).map_err(within)?;
        let df = match complete_df {
            CompleteDf::Infinite => None,
            CompleteDf::Number(df) => Some(df),
            CompleteDf::OfEstimator => each.iter().filter_map(|one| one.contrasts[k].df()).reduce(f64::min),
        };
        if let Some(df) = df {
            all = all.complete_df(df).map_err(within)?;
        }
        let one = all.combine(first.level()).map_err(within)?;
        let mut treatment = contrast.treatment.clone();
        treatment.counts.events = None;
        contrasts.push(Contrast::new(treatment, one.inference.clone()));
        combined.push(one);
    }
    let mut about = (*first.about).clone();
    let t = contrasts.iter().any(|contrast| contrast.df().is_some());
    let own = if t { IntervalMethod::StudentT } else { IntervalMethod::Normal };
    let asked = std::mem::replace(&mut about.method.interval, own);
    if !matches!(asked, IntervalMethod::Normal | IntervalMethod::StudentT) {
        about.notices.push(Notice::WaldInstead { interval: asked.to_string() });
    }
    about.method.variance = VarianceMethod::Imputed(Box::new(about.method.variance));
    // One notice of a kind: its numbers differ a little from imputation to imputation.
    for notice in each[1..].iter().flat_map(Estimates::notices) {
        if !about.notices.iter().any(|told| discriminant(told) == discriminant(notice)) {
            about.notices.push(notice.clone());
        }
    }
    let fractions = combined.iter().map(|one| one.fraction_of_missing_information.unwrap_or(0.0));
    about.notices.push(Notice::Imputed {
        participants: imputed.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
        of: people.map_or(0, |n| usize::try_from(n).unwrap_or(usize::MAX)),
        imputations: each.len(),
        missing_information: fractions.fold(0.0, f64::max),
    });
    about.notices.extend(notices.iter().cloned());
    let mut reference = first.reference.clone();
    reference.counts.events = None;
    let estimates = Estimates::new(first.scale(), about, reference, contrasts, joint.total.clone())?;
    Ok(ImputedEstimates { estimates, each, combined, joint })
}
