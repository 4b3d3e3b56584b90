use super::any_pool::AnyPool;
use super::family::PlannedFamily;
use super::outcome::PlannedOutcome;
use crate::design::Label;
use serde::{Deserialize, Serialize};

/// A statistical analysis plan as data: outcomes, the analyses of each, and how effects are pooled over
/// trials; run in one call.
///
/// A plan is written before the data are seen, kept as JSON beside the protocol, and says of every analysis
/// what it is ([`OutcomeRole`](crate::protocol::OutcomeRole),
/// [`AnalysisRole`](crate::protocol::AnalysisRole)). Everything in it that does not fit the trials is
/// reported at once, before anything is run. An analysis without an answer, such as a separated regression,
/// is a [`Failure`](crate::protocol::Failure) in its place and loses no other.
///
/// Nothing is computed twice: an outcome is read once for every trial, analyses that use the same model use
/// one fit, and all trials run in parallel with the same bits as alone. Every number is that of the typed
/// call: `trial.on(&measure)?.estimate(&estimator)?`.
///
/// Where `treatments` names arms, the trials are narrowed to the control and these; a trial that has none of
/// them says so in its place.
///
/// ```
/// use armwise::prelude::*;
/// use armwise::protocol::{
///     AnalysisPlan, AnalysisRole, OutcomeRole, PlannedAnalysis, PlannedOutcome,
/// };
///
/// const WORKS: Measure<Binary> = Measure::binary("works").higher_is_better();
/// let table = Table::from_csv_str(
///     "\
///     arm,age,works\nc,20,0\nc,40,1\nc,30,0\nc,45,0\nt,25,1\nt,35,0\nt,50,1\n\
///     t,22,1\n",
/// )?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
///
/// let model = LogisticRegression::new().adjust_for(["age"]);
/// let plan = AnalysisPlan::new("Work after a year").outcome(
///     PlannedOutcome::new(&WORKS)
///         .role(OutcomeRole::Primary)
///         .analysis(
///             PlannedAnalysis::new(DifferenceInProportions::new())
///                 .role(AnalysisRole::Primary),
///         )
///         .analysis(model.marginal(RiskDifference))
///         .analysis(model.marginal(LogRiskRatio))
///         .analysis(model),
/// );
/// let results = plan.run(&trial)?;
/// assert_eq!((results.answers().len(), results.comparisons(), results.fits()), (4, 1, 1));
/// println!("{results}");
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnalysisPlan {
    pub(super) title: String,
    #[serde(default = "usual_level")]
    pub(super) level: f64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) treatments: Vec<Label>,
    pub(super) outcomes: Vec<PlannedOutcome>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pools: Vec<AnyPool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) families: Vec<PlannedFamily>,
}

fn usual_level() -> f64 {
    0.95
}

impl AnalysisPlan {
    /// A plan without outcomes: all treatments, level 0.95, no pools.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            level: usual_level(),
            treatments: Vec::new(),
            outcomes: Vec::new(),
            pools: Vec::new(),
            families: Vec::new(),
        }
    }

    setters! {
        /// The confidence level of every analysis and pool that has none of its own, between 0 and 1; default
        /// 0.95.
        level: f64;
    }

    /// The arms that are compared with the control, as if the others had not been there; default: all.
    #[must_use]
    pub fn treatments<T: AsRef<str>>(mut self, arms: impl IntoIterator<Item = T>) -> Self {
        self.treatments = arms.into_iter().map(Label::new).collect();
        self
    }

    /// Adds an outcome.
    #[must_use]
    pub fn outcome(mut self, outcome: PlannedOutcome) -> Self {
        self.outcomes.push(outcome);
        self
    }

    /// Adds a method by which the effects of every analysis are pooled over trials.
    #[must_use]
    pub fn pool(mut self, pool: impl Into<AnyPool>) -> Self {
        self.pools.push(pool.into());
        self
    }

    /// Adds a family of hypotheses whose p-values are adjusted together.
    #[must_use]
    pub fn family(mut self, family: PlannedFamily) -> Self {
        self.families.push(family);
        self
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The outcomes, in the order in which they are reported.
    pub fn outcomes(&self) -> &[PlannedOutcome] {
        &self.outcomes
    }

    /// The methods of pooling.
    pub fn pools(&self) -> &[AnyPool] {
        &self.pools
    }

    /// The families of hypotheses.
    pub fn families(&self) -> &[PlannedFamily] {
        &self.families
    }

    /// Reads a plan from JSON. Words that are not known are refused, with the place and the words that are.
    ///
    /// # Errors
    /// [`ErrorKind::Format`](crate::ErrorKind::Format): the text is no JSON, or holds a word that a plan does
    /// not have.
    ///
    /// ```
    /// use armwise::protocol::AnalysisPlan;
    ///
    /// let plan = AnalysisPlan::from_json(r#"{
    ///     "title": "Work after a year",
    ///     "outcomes": [{
    ///         "measure": {"kind": "binary", "column": "works", "direction": "higher_is_better"},
    ///         "role": "primary",
    ///         "analyses": [{"estimator": "difference_in_proportions", "role": "primary"}]
    ///     }],
    ///     "pools": [{"pool": "random_effects"}]
    /// }"#)?;
    /// assert_eq!(AnalysisPlan::from_json(&plan.to_json()?)?, plan);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    #[cfg(feature = "json")]
    pub fn from_json(text: &str) -> crate::error::Result<Self> {
        serde_json::from_str(text).map_err(|error| {
            let what = match error.classify() {
                serde_json::error::Category::Data => "mend that word; the documentation of AnalysisPlan, AnyMeasure and AnyEstimator lists them",
                _ => "mend the JSON there",
            };
            crate::error::ErrorKind::Format(format!("the analysis plan cannot be read: {error}; {what}")).into()
        })
    }

    /// The plan as JSON, every convention written out; it reads back.
    ///
    /// # Errors
    /// [`ErrorKind::Format`](crate::ErrorKind::Format) if a number has no JSON form.
    #[cfg(feature = "json")]
    pub fn to_json(&self) -> crate::error::Result<String> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| crate::error::ErrorKind::Format(error.to_string()))?;
        Ok(text + "\n")
    }
}
