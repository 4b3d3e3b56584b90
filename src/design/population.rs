use super::coding::Coding;
use super::comparison::Comparison;
use super::outcome::OutcomeKind;
use super::{Arm, Label, Notice, Trial};
use crate::data::Table;
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// What to do with a label that a population does not declare.
const ADVICE: &str = "name each by including(..) or excluding(..)";

/// The people of a trial whom an analysis is about, by the labels of a column: those who received the offer,
/// say.
///
/// Every label that occurs is declared, so that no spelling leaves people out unseen; people whose cell is
/// missing are left out. A population that was settled after randomisation is no randomised group, which the
/// notice of every result says.
///
/// ```
/// use armwise::design::Population;
/// use armwise::prelude::*;
///
/// let text = "arm,letter,works\nc,read,0\nc,read,1\nc,returned,0\nt,read,1\nt,read,1\n\
///     t,returned,0\nt,,1\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let read = Population::new("people who read the letter", "letter")
///     .including(["read"])
///     .excluding(["returned"]);
/// let works = trial.on(&Measure::binary("works"))?.of_population(&read)?;
/// assert_eq!(works.arms()[1].counts.randomised, 4);
/// assert_eq!(works.arms()[1].counts.analysed, 2);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    name: String,
    column: String,
    included: Vec<Label>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excluded: Vec<Label>,
}

impl Population {
    /// A population by its name in words and the column that tells it; name its labels next.
    pub fn new(name: impl Into<String>, column: impl Into<String>) -> Self {
        Self { name: name.into(), column: column.into(), included: Vec::new(), excluded: Vec::new() }
    }

    /// The labels of the people in it. Those of flags are `yes` and `no`.
    #[must_use]
    pub fn including<T: AsRef<str>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.included.extend(labels.into_iter().map(Label::new));
        self
    }

    /// The labels of the others.
    #[must_use]
    pub fn excluding<T: AsRef<str>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.excluded.extend(labels.into_iter().map(Label::new));
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// What is wrong with it whatever the data.
    pub(crate) fn check(&self) -> Result<()> {
        let why = if self.name.trim().is_empty() {
            "the population has no name; give it one that a reader understands".to_owned()
        } else if self.included.is_empty() {
            format!("the population \"{}\" includes no label; name some by including(..)", self.name)
        } else {
            return Ok(());
        };
        Err(Error::invalid(why).in_column(&self.column))
    }

    /// Whether the labels of a trial are those that were declared; the labels that occur.
    pub(crate) fn check_trial<A: Arm>(&self, trial: &Trial<A>) -> Result<()> {
        self.members(trial.table()).map(drop).map_err(|error| error.in_trial(trial.name()))
    }

    /// Whether some of the included labels occur in one of the trials.
    pub(crate) fn occurs<'a, A: Arm + 'a>(&self, trials: impl Iterator<Item = &'a Trial<A>>) -> Result<()> {
        let mut known: Vec<String> = Vec::new();
        for trial in trials {
            let labelled = trial.table().labelled(&self.column)?;
            known.extend(labelled.levels().iter().map(ToString::to_string));
        }
        for level in &self.included {
            if !known.iter().any(|label| *level == label.as_str()) {
                known.sort();
                known.dedup();
                let error = Error::from(ErrorKind::AbsentLevel { level: level.to_string(), known });
                return Err(error.in_column(&self.column));
            }
        }
        Ok(())
    }

    /// Whether each row of a table is in it.
    fn members(&self, table: &Table) -> Result<Vec<bool>> {
        self.check()?;
        let labelled = |labels: &[Label], value: f64| -> Vec<(String, f64)> {
            labels.iter().map(|label| (label.to_string(), value)).collect()
        };
        let (included, excluded) = (labelled(&self.included, 1.0), labelled(&self.excluded, 0.0));
        let levels: Vec<(&str, f64)> =
            included.iter().chain(&excluded).map(|(label, value)| (label.as_str(), *value)).collect();
        if let Some(twice) = (1..levels.len()).find(|&i| levels[..i].iter().any(|one| one.0 == levels[i].0)) {
            let why = format!("the label \"{}\" is declared twice; name it once", levels[twice].0);
            return Err(Error::invalid(why).in_column(&self.column));
        }
        let values = Coding::NONE.values(table, &self.column, &levels, ADVICE)?;
        Ok(values.values.iter().map(|value| *value == 1.0).collect())
    }
}

impl<K: OutcomeKind> Comparison<K> {
    /// The comparison of the people of a population. They are counted as analysed; everybody stays among the
    /// randomised.
    ///
    /// # Errors
    /// There is no such column; a label that the population does not declare; an arm of which nobody is in
    /// it; published counts.
    pub fn of_population(&self, population: &Population) -> Result<Self> {
        let people = self.people()?;
        let member = population.members(&people.table).map_err(|error| self.locate(error))?;
        let keep: Vec<bool> = people.rows.iter().map(|&row| member[row as usize]).collect();
        let mut analysed = vec![0_u64; self.arms.len()];
        for (&arm, _) in people.arm.iter().zip(&keep).filter(|(_, keep)| **keep) {
            analysed[arm as usize] += 1;
        }
        if let Some(empty) = analysed.iter().position(|n| *n == 0) {
            let why = format!(
                "nobody in this arm who has the outcome is in the population \"{}\"; check its labels, or leave the arm out with \
                 compare(..).versus(..)",
                population.name
            );
            let error = Error::from(ErrorKind::EmptyArm(why)).in_arm(&self.arms[empty].label);
            return Err(self.locate(error.in_column(&population.column)));
        }
        let outside = |(row, &arm): (usize, &u32)| if member[row] { arm } else { u32::MAX };
        let assigned = people.assigned.iter().enumerate().map(outside).collect();
        let mut part = self.keeping(&keep)?;
        if let Some(people) = &mut part.people {
            people.assigned = assigned;
        }
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        part.notices.push(Notice::OfPopulation {
            population: population.name.clone(),
            participants: count(analysed.iter().sum()),
            of: count(self.arms.iter().map(|arm| arm.counts.analysed).sum()),
        });
        Ok(part)
    }
}
