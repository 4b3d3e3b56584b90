//! Outcomes that are measured in several waves.

use super::comparison::Comparison;
use super::measure::{Direction, Measure, Source};
use super::outcome::{Binary, Continuous, OutcomeKind};
use super::text::Text;
use super::values::{OutcomeValues, Values, events};
use super::{Label, Notice};
use crate::data::{Table, check_twins, is_blank};
use crate::error::{Error, ErrorKind, Result, WaveProblem, listed};
use std::mem::forget;
use std::sync::Arc;

/// An outcome of one kind ([`Continuous`] or [`Binary`]) in several waves of a survey, with one column for
/// each.
///
/// Made by [`Measure::repeated`] and [`Measure::repeated_binary`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Repeated<K> {
    pub(crate) of: K,
    waves: WaveList,
    baseline: Option<Text>,
}

/// Waves with their columns: static in a `const` measure, shared when made at run time.
#[derive(Debug, Clone)]
enum WaveList {
    Static(&'static [(&'static str, &'static str)]),
    Shared(Arc<[(Arc<str>, Arc<str>)]>),
}

impl WaveList {
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let len = match self {
            Self::Static(waves) => waves.len(),
            Self::Shared(waves) => waves.len(),
        };
        (0..len).map(|i| match self {
            Self::Static(waves) => waves[i],
            Self::Shared(waves) => (&*waves[i].0, &*waves[i].1),
        })
    }
}

impl PartialEq for WaveList {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Measure<Repeated<Continuous>> {
    /// A number on a scale in several waves: for each its name, such as `"8 months"`, and its column, in the
    /// order of time. An empty cell is a wave that the person missed.
    ///
    /// Waves are taken as one step apart where a covariance or working correlation depends on their distance.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// const WELLBEING: Measure<Repeated<Continuous>> =
    ///     Measure::repeated("wellbeing", &[("start", "w0"), ("8 months", "w1")])
    ///         .baseline("start")
    ///         .unit("points");
    ///
    /// let text = "arm,w0,w1\nc,50,55\nc,61,\nt,48,60\nt,55,58\nt,,\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// let waves = trial.on(&WELLBEING)?;
    /// assert_eq!(waves.wave_outcomes()?[1], [Some(61.0), None]);
    /// assert_eq!(waves.arms()[1].counts.analysed, 2); // one person answered no wave
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub const fn repeated(name: &'static str, waves: &'static [(&'static str, &'static str)]) -> Self {
        let kind = Repeated { of: Continuous::new(), waves: WaveList::Static(waves), baseline: None };
        Self::new(kind, Source::Column(Text::Static(name)), Text::Static(name), Direction::Undeclared)
    }
}

impl Measure<Repeated<Binary>> {
    /// An event, yes or no, in several waves: for each its name and its column, in the order of time.
    pub const fn repeated_binary(name: &'static str, waves: &'static [(&'static str, &'static str)]) -> Self {
        let kind = Repeated { of: Binary, waves: WaveList::Static(waves), baseline: None };
        Self::new(kind, Source::Column(Text::Static(name)), Text::Static(name), Direction::Undeclared)
    }
}

impl<K> Measure<Repeated<K>> {
    /// The wave before treatment, which has no effect of it; default: none.
    #[must_use]
    pub const fn baseline(mut self, wave: &'static str) -> Self {
        forget(self.kind.baseline.replace(Text::Static(wave)));
        self
    }

    /// The same measure with waves, each a name and a column, known only at run time.
    #[must_use]
    pub fn waves<N: AsRef<str>, C: AsRef<str>>(mut self, waves: impl IntoIterator<Item = (N, C)>) -> Self {
        let shared =
            waves.into_iter().map(|(name, column)| (Arc::from(name.as_ref()), Arc::from(column.as_ref())));
        self.kind.waves = WaveList::Shared(shared.collect());
        self
    }
}

impl<K> Repeated<K> {
    /// The names of the waves.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.waves.iter().map(|(name, _)| name)
    }

    /// The columns of the waves.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.waves.iter().map(|(_, column)| column)
    }

    /// The place of the wave before treatment.
    pub(crate) fn baseline_place(&self) -> Option<usize> {
        let baseline = self.baseline.as_ref()?;
        self.names().position(|name| name == baseline.as_str())
    }

    /// The place of a wave.
    pub(crate) fn place(&self, wave: &str) -> Result<usize> {
        self.names().position(|name| name == wave).ok_or_else(|| {
            let known: Vec<&str> = self.names().collect();
            Error::invalid(format!("there is no wave \"{wave}\"; the waves are: {}", listed(&known)))
        })
    }

    fn check(&self) -> Result<()> {
        let names: Vec<&str> = self.names().collect();
        if names.len() < 2 {
            return Err(Error::invalid(
                "a repeated measure has two waves or more, each a name with its column; for one wave take Measure::continuous(..) \
                 or Measure::binary(..)",
            ));
        }
        if names.iter().any(|name| is_blank(name)) {
            return Err(Error::invalid("a wave has no name; give each one, such as \"8 months\""));
        }
        check_twins(names.iter().copied())?;
        for (what, values) in [("name", &names), ("column", &self.columns().collect::<Vec<_>>())] {
            if let Some((_, twice)) =
                values.iter().enumerate().find(|(i, value)| values[..*i].contains(value))
            {
                return Err(Error::invalid(format!(
                    "two waves have the {what} \"{twice}\"; give each its own"
                )));
            }
        }
        match &self.baseline {
            Some(wave) => self.place(wave.as_str()).map(drop),
            None => Ok(()),
        }
    }

    /// The mean of the waves that each person answered, from the numbers of a column.
    fn values<'t>(
        &self,
        table: &'t Table,
        numbers: impl Fn(&str) -> Result<std::borrow::Cow<'t, [f64]>>,
    ) -> Result<Values> {
        self.check()?;
        let (mut sums, mut counts) = (vec![0.0; table.rows()], vec![0.0; table.rows()]);
        for (name, column) in self.waves.iter() {
            let mut answered = false;
            for (row, &value) in numbers(column)?.iter().enumerate() {
                if !value.is_nan() {
                    answered = true;
                    sums[row] += value;
                    counts[row] += 1.0;
                }
            }
            if !answered && table.rows() > 0 {
                let problem = WaveProblem::NobodyAnswered(format!("\"{name}\""));
                return Err(Error::from(ErrorKind::BadWaves(problem)).in_column(column));
            }
        }
        Ok(Values::plain(sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect()))
    }
}

impl OutcomeValues for Measure<Repeated<Continuous>> {
    fn values(&self, table: &Table) -> Result<Values> {
        self.coding.none()?;
        self.kind.values(table, |column| Ok(table.reals(column)?.into()))
    }
}

impl OutcomeValues for Measure<Repeated<Binary>> {
    fn values(&self, table: &Table) -> Result<Values> {
        self.coding.none()?;
        self.kind.values(table, |column| Ok(events(table, column)?.into()))
    }
}

impl<K> Comparison<Repeated<K>>
where
    Repeated<K>: OutcomeKind,
{
    /// The names of the waves, in the order of time.
    pub fn waves(&self) -> Vec<Label> {
        self.kind.names().map(Label::new).collect()
    }

    /// The outcome of each person in each wave, `None` where it was not answered; in the order of
    /// [`Comparison::arm_indices`].
    ///
    /// # Errors
    /// None for a comparison of participants.
    pub fn wave_outcomes(&self) -> Result<Vec<Vec<Option<f64>>>> {
        let people = self.people()?;
        let columns: Vec<&[f64]> =
            self.kind.columns().map(|column| people.table.reals(column)).collect::<Result<_>>()?;
        let of = |row: &u32| {
            let own = columns.iter().map(|column| column[*row as usize]);
            own.map(|value| (!value.is_nan()).then_some(value)).collect()
        };
        Ok(people.rows.iter().map(of).collect())
    }

    /// The people with an outcome in some wave after the baseline, with a notice about the others.
    pub(crate) fn answered_after_baseline(&self) -> Result<Self> {
        let Some(baseline) = self.kind.baseline_place() else { return Ok(self.clone()) };
        let later = |own: &Vec<Option<f64>>| {
            own.iter().enumerate().any(|(place, value)| place != baseline && value.is_some())
        };
        let keep: Vec<bool> = self.wave_outcomes()?.iter().map(later).collect();
        let participants = keep.iter().filter(|keep| !**keep).count();
        if participants == 0 {
            return Ok(self.clone());
        }
        let mut kept = self.keeping(&keep)?;
        kept.notices.push(Notice::BaselineOnly { participants });
        Ok(kept)
    }
}
