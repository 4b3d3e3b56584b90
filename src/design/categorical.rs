use super::comparison::{ComparedArm, Comparison};
use super::measure::Direction;
use super::outcome::{Binary, Nominal, Ordinal, OutcomeKind};
use super::{Label, MeasureInfo, Notice};
use crate::compute::linalg::held_jointly;
use crate::error::{Error, ErrorKind, Result};
use ndarray::Array2;
use std::collections::HashSet;

/// A kind of outcome that is one of several categories: [`Nominal`] or [`Ordinal`].
///
/// ```
/// use armwise::design::Categorical;
/// use armwise::prelude::*;
///
/// let table =
///     Table::from_csv_str("arm,contract\nc,none\nc,temporary\nt,none\nt,permanent\n")?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
/// assert_eq!(trial.on(&Contract::ordinal("contract"))?.kind().categories()[2], "permanent");
/// # Ok::<(), armwise::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "an outcome of kind `{Self}` has no categories",
    label = "this needs a `Nominal` or an `Ordinal` measure"
)]
pub trait Categorical: OutcomeKind {
    /// True if the categories run from the lowest to the highest.
    const ORDERED: bool;

    /// The declared categories, in their order.
    fn categories(&self) -> Vec<Label>;
}

impl Categorical for Nominal {
    const ORDERED: bool = false;

    fn categories(&self) -> Vec<Label> {
        self.levels.iter().map(Label::new).collect()
    }
}

impl Categorical for Ordinal {
    const ORDERED: bool = true;

    fn categories(&self) -> Vec<Label> {
        self.levels.iter().map(Label::new).collect()
    }
}

/// The number of people of every arm in every category, and the category of everybody.
#[derive(Debug, Clone)]
pub(crate) struct Categories {
    /// All declared categories.
    pub labels: Vec<Label>,
    /// One row per arm, one column per declared category.
    pub counts: Array2<u64>,
    /// The category of every participant, as an index into the declared ones.
    pub codes: Vec<u32>,
}

impl Categories {
    /// The declared categories that have people.
    pub(crate) fn occupied(&self) -> Vec<usize> {
        (0..self.labels.len()).filter(|&k| self.counts.column(k).sum() > 0).collect()
    }

    /// The position of a category.
    pub(crate) fn position(&self, label: &str) -> Result<usize> {
        self.labels.iter().position(|other| other == label).ok_or_else(|| {
            let known = self.labels.iter().map(ToString::to_string).collect();
            ErrorKind::UnknownCategory { label: label.to_owned(), known }.into()
        })
    }
}

impl ComparedArm {
    /// The notice for an arm in which nobody, or everybody, had the event.
    fn no_variation(&self) -> Option<Notice> {
        let events = self.counts.events?;
        let everybody = events == self.counts.analysed;
        (events == 0 || everybody).then(|| Notice::NoVariation { arm: self.label.clone(), everybody })
    }
}

/// Categories times arms for which the simultaneous intervals of their covariance take some ten seconds.
const MOST_CELLS: usize = 4000;

impl<K: Categorical> Comparison<K> {
    /// The table of arms by categories.
    pub(crate) fn by_category(&self) -> Result<Categories> {
        let people = self.people()?;
        let labels = self.kind.categories();
        let mut named = HashSet::with_capacity(labels.len());
        if let Some(twice) = labels.iter().find(|label| !named.insert(*label)) {
            let why = format!("the category \"{twice}\" is declared twice; name it once");
            return Err(self.locate(Error::invalid(why)));
        }
        held_jointly(labels.len().saturating_mul(self.arms.len()), MOST_CELLS, "categories within arms")
            .map_err(|error| self.locate(error))?;
        if labels.len() < 2 {
            let why = "fewer than two categories are declared; declare all levels that the outcome can have";
            return Err(self.locate(Error::invalid(why)));
        }
        let mut counts = Array2::zeros((self.arms.len(), labels.len()));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let codes: Vec<u32> = people.outcome.iter().map(|&place| place as u32).collect();
        for (&arm, &code) in people.arm.iter().zip(&codes) {
            counts[[arm as usize, code as usize]] += 1;
        }
        Ok(Categories { labels, counts, codes })
    }

    /// The measure that a result for one category keeps: its name includes the category, and only the ends of
    /// an order have a better side.
    pub(crate) fn measure_in(&self, categories: &Categories, category: usize) -> MeasureInfo {
        let better = self.measure.direction;
        let direction = match category {
            _ if !K::ORDERED => Direction::Undeclared,
            k if k + 1 == categories.labels.len() => better,
            0 => match better {
                Direction::HigherIsBetter => Direction::LowerIsBetter,
                Direction::LowerIsBetter => Direction::HigherIsBetter,
                Direction::Undeclared => Direction::Undeclared,
            },
            _ => Direction::Undeclared,
        };
        let name = format!("{}: {}", self.measure.name, categories.labels[category]);
        MeasureInfo { name, direction, ..self.measure.clone() }
    }

    /// The arms with the people of one category as their events.
    pub(crate) fn arms_in(&self, categories: &Categories, category: usize) -> Vec<ComparedArm> {
        let mut arms = self.arms.clone();
        for (arm, &events) in arms.iter_mut().zip(categories.counts.column(category)) {
            arm.counts.events = Some(events);
        }
        arms
    }

    /// The comparison of one category as an event, counted in every arm.
    pub(crate) fn in_category(&self, categories: &Categories, category: usize) -> Comparison<Binary> {
        let arms = self.arms_in(categories, category);
        let mut notices = self.notices.clone();
        // A category without people has a notice of its own.
        if categories.counts.column(category).sum() > 0 {
            notices.extend(arms.iter().filter_map(ComparedArm::no_variation));
        }
        Comparison {
            trial: self.trial.clone(),
            measure: self.measure_in(categories, category),
            kind: Binary,
            arms,
            notices,
            people: None,
            subgroup: false,
        }
    }
}
