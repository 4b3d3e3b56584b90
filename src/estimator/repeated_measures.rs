use super::Estimator;
use super::adjustment::{self, Adjustment, adjustment_setters};
use super::options::{is_usual, usual_level};
use super::wave_estimator::WaveEstimator;
use super::wave_rows::{Baseline, WaveRows};
use crate::compute::longitudinal::{
    CovarianceStructure, DfMethod, LikelihoodCriterion, MixedModel, MixedModelFit, WaveMeans,
};
use crate::compute::regression::Family;
use crate::design::{Comparison, Continuous, Notice, Repeated};
use crate::effect::{
    About, Estimand, Estimates, IntervalMethod, MeanDifference, VarianceMethod, WaveEffects,
};
use crate::error::{Error, Result};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

/// The difference in means in every wave of a survey by a mixed model for repeated measures (MMRM).
///
/// Use it where people missed waves: everybody with any outcome is analysed, and outcomes need to be missing
/// at random given those that were observed, the arm and the covariates, not completely at random. As an
/// estimator it gives the mean effect over the waves, or that of one wave ([`at`](RepeatedMeasures::at)); for
/// all waves with their joint covariance call [`estimate_waves`](crate::Comparison::estimate_waves).
///
/// # Formula
/// `E(y_iw) = m_w + b_aw + s_w x_i + u'z_i`: a mean `m_w` of the reference for every wave, an effect `b_aw`
/// of every treatment in every wave, a slope of the baseline `x_i` for every wave, and one slope of each
/// further covariate. The outcomes of a person have one covariance over waves ([`CovarianceStructure`];
/// default: unstructured), the same in all arms, fitted by REML. With
/// [`constrained_baseline`](RepeatedMeasures::constrained_baseline) (cLDA) the baseline is an outcome in
/// whose wave arms have one mean, so that people without a baseline stay in. See
/// [`MixedModel`](crate::longitudinal::MixedModel).
///
/// # Assumptions
/// People are independent; outcomes are nearly normal, or there are many people; missing outcomes are missing
/// at random.
///
/// # Interval
/// Student's t. By default with Kenward and Roger's (1997) covariance and degrees of freedom where the
/// structure is linear in its parameters (unstructured, compound symmetry, Toeplitz), with Satterthwaite's
/// degrees of freedom elsewhere; normal by maximum likelihood.
///
/// # Errors
/// An arm without outcome in a wave; declared clusters; a covariance that is singular or has no maximum,
/// unless a ladder of [`or_else`](RepeatedMeasures::or_else) holds one that can be fitted; Kenward-Roger of a
/// structure that is not linear; the errors of the covariates.
///
/// # Examples
/// ```
/// use armwise::longitudinal::CovarianceStructure;
/// use armwise::prelude::*;
///
/// const WELLBEING: Measure<Repeated<Continuous>> = Measure::repeated(
///     "wellbeing",
///     &[("start", "w0"), ("8 months", "w1"), ("16 months", "w2")],
/// )
/// .baseline("start");
///
/// let text = "arm,w0,w1,w2\nc,50,55,53\nc,61,60,\nc,42,50,49\nc,55,51,58\nc,47,52,44\n\
///     t,48,60,58\nt,55,58,63\nt,52,59,\nt,60,66,69\nt,44,53,50\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let comparison = trial.on(&WELLBEING)?;
///
/// let model = RepeatedMeasures::unstructured()
///     .or_else([CovarianceStructure::HeterogeneousToeplitz]);
/// let waves = comparison.estimate_waves(&model)?;
/// assert!(waves.at("8 months")?.treatment("t")?.value() > 5.0);
/// assert!(waves.joint_test("t")?.denominator_df.is_some());
///
/// let last = comparison.estimate(&model.at("16 months"))?.treatment("t")?;
/// assert_eq!(last.measure().horizon.as_deref(), Some("16 months"));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Laird NM, Ware JH (1982), Biometrics 38:963. Mallinckrodt CH et al. (2008), Drug Information Journal
/// 42:303. Kenward MG, Roger JH (1997), Biometrics 53:983. Liang KY, Zeger SL (2000), Sankhya B 62:134. Liu
/// GF et al. (2009), Statistics in Medicine 28:2509.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepeatedMeasures {
    structure: CovarianceStructure,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    or_else: Vec<CovarianceStructure>,
    #[serde(default)]
    criterion: LikelihoodCriterion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    df: Option<DfMethod>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    constrained_baseline: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(flatten, deserialize_with = "adjustment::unweighted")]
    pub(super) adjustment: Adjustment,
    #[serde(default = "usual_level", skip_serializing_if = "is_usual")]
    pub(super) level: f64,
}

const NAME: &str = "mixed model for repeated measures";
const CONSTRAINED: &str = "constrained longitudinal data analysis";

impl RepeatedMeasures {
    /// With this covariance over waves; by REML; the declared baseline as a covariate; level 0.95.
    pub fn new(structure: CovarianceStructure) -> Self {
        Self {
            structure,
            or_else: Vec::new(),
            criterion: LikelihoodCriterion::Restricted,
            df: None,
            constrained_baseline: false,
            at: None,
            adjustment: Adjustment::default(),
            level: 0.95,
        }
    }

    /// With an unstructured covariance.
    pub fn unstructured() -> Self {
        Self::new(CovarianceStructure::Unstructured)
    }

    adjustment_setters!(covariates);

    setters! {
        /// The likelihood that is maximised; default: [`LikelihoodCriterion::Restricted`].
        criterion: LikelihoodCriterion;
        /// How small samples are counted; default: Kenward-Roger where the structure is linear in its
        /// parameters, else Satterthwaite, and normal by maximum likelihood.
        df: DfMethod as Some;
    }

    /// The structures that are tried one after the other where the first cannot be fitted: a ladder declared
    /// beforehand. A notice names the one that was taken. Default: none.
    #[must_use]
    pub fn or_else(mut self, structures: impl IntoIterator<Item = CovarianceStructure>) -> Self {
        self.or_else = structures.into_iter().collect();
        self
    }

    /// The declared baseline as an outcome in whose wave all arms have one mean (cLDA), instead of a
    /// covariate.
    #[must_use]
    pub fn constrained_baseline(mut self) -> Self {
        self.constrained_baseline = true;
        self
    }

    /// The wave of which [`estimate`](crate::Comparison::estimate) gives the effect; default: the mean over
    /// all waves.
    #[must_use]
    pub fn at(mut self, wave: impl Into<String>) -> Self {
        self.at = Some(wave.into());
        self
    }

    fn df_of(&self, structure: CovarianceStructure) -> DfMethod {
        self.df.unwrap_or(match self.criterion {
            LikelihoodCriterion::Full => DfMethod::Normal,
            _ if structure.is_linear() => DfMethod::KenwardRoger,
            _ => DfMethod::Satterthwaite,
        })
    }

    /// The first structure of the ladder that can be fitted.
    fn fit(&self, means: &WaveMeans) -> Result<(MixedModelFit, Option<Notice>)> {
        let of = |structure| MixedModel::new(structure).criterion(self.criterion).fit(means);
        let first = match of(self.structure) {
            Ok(fit) => return Ok((fit, None)),
            Err(error) => error,
        };
        let may_help = |error: &Error| {
            matches!(error.kind().name(), "not_converged" | "not_estimable" | "insufficient_observations")
        };
        if may_help(&first) {
            for structure in &self.or_else {
                if let Ok(fit) = of(*structure) {
                    let (asked, taken) = (self.structure.to_string(), structure.to_string());
                    let why = first.to_string().split(';').next().unwrap_or_default().to_owned();
                    return Ok((fit, Some(Notice::SimplerCovariance { asked, taken, why })));
                }
            }
        }
        Err(first)
    }

    fn effects(&self, comparison: &Comparison<Repeated<Continuous>>) -> Result<WaveEffects<MeanDifference>> {
        if self.constrained_baseline && comparison.kind().baseline_place().is_none() {
            let why =
                "no baseline is declared that arms could share; name its wave with Measure::baseline(..)";
            return Err(Error::invalid(why));
        }
        let (role, name) = if self.constrained_baseline {
            (Baseline::Outcome, CONSTRAINED)
        } else {
            (Baseline::Covariate, NAME)
        };
        let rows = WaveRows::new(comparison, (&self.adjustment, role), Family::Gaussian, name, self.level)?;
        rows.with_means(|means| {
            let (fit, notice) = self.fit(means)?;
            let df = self.df_of(fit.structure);
            let combinations = rows.combinations(|group, wave| fit.effect(group, wave))?;
            let joint = joint(&fit, df, &rows, &combinations)?;
            let numbers =
                (fit.estimates(&combinations), fit.variances(&combinations, df)?, fit.df(&combinations, df)?);
            let mut method = rows.method.clone();
            method.variance =
                VarianceMethod::RepeatedMeasures { structure: fit.structure, criterion: self.criterion, df };
            let interval =
                if df == DfMethod::Normal { IntervalMethod::Normal } else { IntervalMethod::StudentT };
            let method = method.interval(interval);
            let mut about = About::of(&rows.people, Estimand::Marginal, method, self.level)?;
            about.notices.extend(notice);
            rows.effects(&MeanDifference, about, numbers, joint)
        })
    }
}

/// The tests of all waves of each treatment; none where people are too few.
fn joint(
    fit: &MixedModelFit,
    df: DfMethod,
    rows: &WaveRows<Continuous>,
    combinations: &Array2<f64>,
) -> Result<Vec<Option<crate::effect::WaldTest>>> {
    let k = rows.treatments();
    let of = |treatment: usize| {
        let own: Vec<usize> = (0..rows.effects.len()).map(|wave| wave * k + treatment).collect();
        match fit.joint_test(&combinations.select(Axis(0), &own), df) {
            Ok(test) => Ok(Some(test)),
            Err(error) if error.kind().name() == "not_estimable" => Ok(None),
            Err(error) => Err(error),
        }
    };
    (0..k).map(of).collect()
}

impl WaveEstimator<Repeated<Continuous>> for RepeatedMeasures {
    type Scale = MeanDifference;

    fn estimate_waves(
        &self,
        comparison: &Comparison<Repeated<Continuous>>,
    ) -> Result<WaveEffects<MeanDifference>> {
        self.effects(comparison)
    }
}

impl Estimator<Repeated<Continuous>> for RepeatedMeasures {
    type Scale = MeanDifference;

    fn estimate(&self, comparison: &Comparison<Repeated<Continuous>>) -> Result<Estimates<MeanDifference>> {
        let effects = self.effects(comparison)?;
        match &self.at {
            Some(wave) => effects.at(wave),
            None => effects.averaged(),
        }
    }
}
