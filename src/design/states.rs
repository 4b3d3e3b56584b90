//! The states of the participants of a comparison, and outcomes that are made of them.

use super::outcome::{Binary, Continuous, MonthlyStates, OutcomeKind, TimeToEvent};
use super::text::Text;
use super::{Comparison, Comparisons, Direction, Label, MeasureInfo, Notice};
use crate::compute::multistate::{Occupation, StatePanel};
use crate::error::{Error, ErrorKind, Result, counted};

impl Comparison<MonthlyStates> {
    /// The declared states; everybody is in the first in month 0.
    pub fn states(&self) -> &[Label] {
        &self.kind.register.states
    }

    /// The last month that the register was declared to have.
    pub fn months(&self) -> usize {
        self.kind.register.months
    }

    /// The states of each participant in the months 1, 2, ... of follow-up, as places in
    /// [`Comparison::states`]; in the order of [`Comparison::arm_indices`].
    ///
    /// # Errors
    /// None for the states of a register.
    // Places and months are whole numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn sequences(&self) -> Result<Vec<&[u8]>> {
        let people = self.people()?;
        let followed = people.second.iter().flatten();
        let both = people.outcome.iter().zip(followed);
        Ok(both
            .map(|(place, followed)| self.kind.register.sequence(*place as usize, *followed as usize))
            .collect())
    }

    /// The states of the people of each arm as the numeric layer takes them, the reference first.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let people = Table::from_csv_path("examples/data/participants.csv")?
    ///     .keep_category("municipality", "Deventer")?;
    /// let trial = Trial::builder("Deventer", people)
    ///     .arm_labels("arm")
    ///     .control("control")
    ///     .build()?;
    /// let states = Register::from_long(
    ///     Table::from_csv_path("examples/data/registry_panel.csv")?,
    ///     "participant",
    ///     "month",
    ///     "state",
    /// )
    /// .states(["benefit", "part_time", "full_time", "other"])
    /// .months(24)
    /// .outsiders(Outsiders::LeftOut);
    /// let panels = trial.on(&states.measure()?)?;
    /// let control = &panels.panels()?[0];
    /// assert_eq!(control.observed(6)?.sum(), 37.0);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// None for the states of a register.
    pub fn panels(&self) -> Result<Vec<StatePanel<'_>>> {
        let sequences = self.sequences()?;
        let of_arm = |arm: usize| {
            let own = sequences.iter().zip(self.arm_indices()).filter(move |(_, own)| **own as usize == arm);
            StatePanel::new(self.states().len(), 0, own.map(|(states, _)| *states))
        };
        (0..self.arms().len()).map(of_arm).collect()
    }

    /// The probability of each state by month in each arm, the reference first.
    ///
    /// # Errors
    /// Nobody of an arm is seen in any month.
    pub fn occupation(&self) -> Result<Vec<Occupation>> {
        let of_arm = |(panel, arm): (StatePanel<'_>, &super::ComparedArm)| {
            panel.occupation().map_err(|_| {
                let why =
                    "nobody of this arm is seen in any month; leave the arm out with compare(..).versus(..)";
                self.locate(Error::from(ErrorKind::EmptyArm(why.to_owned())).in_arm(&arm.label))
            })
        };
        self.panels()?.into_iter().zip(self.arms()).map(of_arm).collect()
    }

    /// The last month in which anybody of each arm was seen, the reference first.
    ///
    /// # Errors
    /// None for the states of a register.
    pub fn last_months(&self) -> Result<Vec<usize>> {
        Ok(self.panels()?.iter().map(StatePanel::periods).collect())
    }

    /// Whether somebody was in any of these states in a month, of those who were seen in it: an outcome for
    /// every estimator of proportions.
    ///
    /// # Errors
    /// A state that is not declared, a month outside the register, an arm of which nobody is seen in it.
    pub fn observed_in<T: AsRef<str>>(
        &self,
        states: impl IntoIterator<Item = T>,
        month: usize,
    ) -> Result<Comparison<Binary>> {
        let chosen = self.chosen(states)?;
        self.check_month(month)?;
        let sequences = self.sequences()?;
        let seen = sequences.iter().map(|own| own.get(month - 1).copied()).collect::<Vec<_>>();
        let measure = MeasureInfo { unit: None, ..self.described(&chosen, &counted(month, "month")) };
        let outcome = seen.iter().flatten().map(|state| chosen.value(*state)).collect();
        self.derived(Binary, &seen.iter().map(Option::is_some).collect::<Vec<_>>(), outcome, None, measure)
    }

    /// The number of months from 1 to a last one in any of these states, of those who were seen in all of them.
    ///
    /// # Errors
    /// As for [`Comparison::observed_in`].
    pub fn complete_months_in<T: AsRef<str>>(
        &self,
        states: impl IntoIterator<Item = T>,
        until: usize,
    ) -> Result<Comparison<Continuous>> {
        let chosen = self.chosen(states)?;
        self.check_month(until)?;
        let sequences = self.sequences()?;
        let complete: Vec<bool> = sequences.iter().map(|own| own.len() >= until).collect();
        let sum = |own: &&[u8]| own[..until].iter().map(|state| chosen.value(*state)).sum();
        let outcome = sequences.iter().zip(&complete).filter(|(_, complete)| **complete);
        let outcome = outcome.map(|(own, _)| sum(own)).collect();
        let measure = self.described(&chosen, &format!("until {}", counted(until, "month")));
        self.derived(Continuous::new(), &complete, outcome, None, measure)
    }

    /// The month in which the first spell of at least so many months in any of these states begins: an outcome
    /// for every estimator of times. People may change among the states, and all of the spell is seen; who has
    /// none is censored in the last month in which one could have begun.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let people = Table::from_csv_str("id,arm\n1,c\n2,c\n3,t\n4,t\n")?;
    /// let months = "id,month,state\n1,1,benefit\n1,2,work\n1,3,work\n2,1,work\n2,2,benefit\n\
    ///     2,3,work\n3,1,work\n3,2,work\n3,3,benefit\n4,1,benefit\n4,2,benefit\n";
    /// let states = Register::from_long(Table::from_csv_str(months)?, "id", "month", "state")
    ///     .states(["benefit", "work"])
    ///     .months(3)
    ///     .measure()?;
    /// let trial =
    ///     Trial::builder("Utrecht", people).arm_labels("arm").control("c").build()?;
    /// let exits = trial.on(&states)?.sustained(["work"], 2)?;
    /// let times = exits.times()?;
    /// assert_eq!(times.time, [2.0, 2.0, 1.0, 1.0]);
    /// assert_eq!(times.cause, [1, 0, 1, 0]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// A state that is not declared, the state of month 0, and a length of 0 or beyond the register.
    pub fn sustained<T: AsRef<str>>(
        &self,
        states: impl IntoIterator<Item = T>,
        months: usize,
    ) -> Result<Comparison<TimeToEvent>> {
        let chosen = self.chosen(states)?;
        self.check_month(months)?;
        let named = chosen.words.clone();
        if chosen.places.contains(&0) {
            let why = format!(
                "everybody is in the state \"{}\" in month 0, so that nobody enters it; leave it out",
                self.states()[0]
            );
            return Err(self.locate(Error::invalid(why)));
        }
        let sequences = self.sequences()?;
        let panel = StatePanel::new(self.states().len(), 0, sequences.iter().copied())?;
        let spells = panel.sustained(&chosen.places, months)?;
        let outcome = spells.iter().map(|spell| spell.time() as f64).collect();
        let cause = spells.iter().map(|spell| f64::from(u8::from(spell.first.is_some()))).collect();
        let measure = MeasureInfo {
            name: format!("{named} for at least {}", counted(months, "month")),
            direction: self.direction(&chosen),
            ..self.measure.clone()
        };
        let kind = TimeToEvent::new(Text::shared(&measure.name));
        self.derived(kind, &vec![true; sequences.len()], outcome, Some(cause), measure)
    }

    /// The declared states of these names.
    pub(crate) fn chosen<T: AsRef<str>>(&self, states: impl IntoIterator<Item = T>) -> Result<Chosen> {
        let mut places = Vec::new();
        let mut words: Vec<String> = Vec::new();
        for state in states {
            let place =
                self.states().iter().position(|known| *known == *state.as_ref()).ok_or_else(|| {
                    let known = self.states().iter().map(ToString::to_string).collect();
                    let label = state.as_ref().to_owned();
                    self.locate(ErrorKind::UnknownCategory { label, known }.into())
                })?;
            if !places.contains(&place) {
                places.push(place);
                words.push(state.as_ref().to_owned());
            }
        }
        if places.is_empty() || places.len() == self.states().len() {
            let why = "no state is named, or all of them are; name those that count";
            return Err(self.locate(Error::invalid(why)));
        }
        Ok(Chosen { places, words: words.join(" or ") })
    }

    /// A month of the register.
    pub(crate) fn check_month(&self, month: usize) -> Result<()> {
        if (1..=self.months()).contains(&month) {
            return Ok(());
        }
        let why = format!("month {month} is not in the register; give 1 to {}", self.months());
        Err(self.locate(Error::invalid(why)))
    }

    /// The measure of being in some states, at a time.
    pub(crate) fn described(&self, chosen: &Chosen, horizon: &str) -> MeasureInfo {
        let name = format!("{}: {}", self.measure.name, chosen.words);
        let (unit, direction) = (self.measure.unit.clone(), self.direction(chosen));
        MeasureInfo { name, unit, horizon: Some(horizon.to_owned()), direction }
    }

    /// The better direction: that of the measure, else by the aims of the register.
    fn direction(&self, chosen: &Chosen) -> Direction {
        match self.measure.direction {
            Direction::Undeclared => self.kind.register.direction(&chosen.places),
            declared => declared,
        }
    }

    /// Another outcome of those people who have it.
    fn derived<O: OutcomeKind>(
        &self,
        kind: O,
        keep: &[bool],
        outcome: Vec<f64>,
        second: Option<Vec<f64>>,
        measure: MeasureInfo,
    ) -> Result<Comparison<O>> {
        let mut kept = self.keeping(keep).map_err(|error| match error.kind() {
            ErrorKind::EmptyArm(_) => error.with_kind(ErrorKind::EmptyArm(
                "nobody of this arm is seen so long; give an earlier month, or leave the arm out with compare(..).versus(..)".to_owned(),
            )),
            _ => error,
        })?;
        kept.notices.retain(|notice| !matches!(notice, Notice::MissingOutcome { .. }));
        for arm in &mut kept.arms {
            arm.counts.observed = arm.counts.analysed;
        }
        let not_applicable = self.not_applicable();
        kept.notices.retain(|notice| !matches!(notice, Notice::NotApplicable { .. }));
        kept.note_missing_outcomes(not_applicable);
        let mut derived = kept.with_outcome(kind, outcome)?;
        derived.measure = measure;
        if let Some(people) = &mut derived.people {
            people.second = second;
        }
        derived.count_analysed()?;
        derived.note_constant_outcomes();
        Ok(derived)
    }
}

impl Comparisons<MonthlyStates> {
    /// The trials of which every arm is seen in this month. The others are left out, and named in a notice that
    /// goes with every result.
    ///
    /// # Errors
    /// No trial is followed so long.
    pub fn followed_until(&self, month: usize) -> Result<Self> {
        let (mut kept, mut short) = (Vec::new(), Vec::new());
        for comparison in self {
            match comparison.last_months()?.into_iter().filter(|last| *last < month).min() {
                Some(last) => short.push((comparison.trial().clone(), format!("month {last}"))),
                None => kept.push(comparison.clone()),
            }
        }
        Self::without_short(kept, short, counted(month, "month"))
    }
}

/// States of a register.
pub(crate) struct Chosen {
    /// Their places.
    pub places: Vec<usize>,
    /// `part_time or full_time`.
    pub words: String,
}

impl Chosen {
    /// 1 for one of them, else 0.
    pub(crate) fn value(&self, state: u8) -> f64 {
        f64::from(u8::from(self.places.contains(&usize::from(state))))
    }
}
