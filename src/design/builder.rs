use super::allocation::{Allocation, Assigned};
use super::comparison::Groups;
use super::trial::{ArmDesign, Design};
use super::{Arm, Label, Notice, Trial};
use crate::data::{Column, MISSING_CODE, Table, check_arms, check_twins};
use crate::error::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

/// The columns that describe how participants were randomised, shared by a trial and by several.
#[derive(Debug, Clone, Default)]
pub(super) struct DesignColumns {
    pub arm: Option<String>,
    pub control: Option<String>,
    pub participant: Option<String>,
    pub strata: Vec<String>,
    pub clusters: Option<String>,
    pub take_up: Option<String>,
    pub components: BTreeMap<String, Vec<Label>>,
    pub allocation: Option<Allocation>,
}

/// A builder of a [`Trial`]: the column of the arms, and what is known of the randomisation.
#[derive(Debug, Clone)]
pub struct TrialBuilder<A = Label> {
    name: Label,
    table: Table,
    columns: DesignColumns,
    arms: PhantomData<fn() -> A>,
}

macro_rules! design_setters {
    () => {
        /// The columns of the strata within which people were randomised; default: none.
        #[must_use]
        pub fn strata<T: AsRef<str>>(mut self, columns: impl IntoIterator<Item = T>) -> Self {
            self.columns.strata = columns.into_iter().map(|column| column.as_ref().to_owned()).collect();
            self
        }

        /// The column of the clusters that were randomised as a whole; default: people were randomised one by
        /// one.
        #[must_use]
        pub fn clusters(mut self, column: &str) -> Self {
            self.columns.clusters = Some(column.to_owned());
            self
        }

        /// How people were allocated to arms, which a randomisation test replays; default: within the declared
        /// strata, by the declared clusters. The data are checked against it.
        #[must_use]
        pub fn allocation(mut self, allocation: crate::design::Allocation) -> Self {
            self.columns.allocation = Some(allocation);
            self
        }

        /// The column that identifies a participant, who must occur once; default: every row is another
        /// person.
        #[must_use]
        pub fn participant(mut self, column: &str) -> Self {
            self.columns.participant = Some(column.to_owned());
            self
        }

        /// The column that says whether a participant received what the arm offers; default: not known.
        #[must_use]
        pub fn take_up(mut self, column: &str) -> Self {
            self.columns.take_up = Some(column.to_owned());
            self
        }

        /// The components of an arm that combines several measures; default: an arm is its own component.
        #[must_use]
        pub fn components<T: AsRef<str>>(
            mut self,
            arm: &str,
            components: impl IntoIterator<Item = T>,
        ) -> Self {
            let components = components.into_iter().map(Label::new).collect();
            self.columns.components.insert(arm.to_owned(), components);
            self
        }
    };
}
pub(super) use design_setters;

impl TrialBuilder<Label> {
    pub(super) fn new(name: Label, table: Table) -> Self {
        Self { name, table, columns: DesignColumns::default(), arms: PhantomData }
    }

    /// The column of the arms, whose labels are known only at run time; name the control with
    /// [`TrialBuilder::control`].
    #[must_use]
    pub fn arm_labels(mut self, column: &str) -> Self {
        self.columns.arm = Some(column.to_owned());
        self
    }

    /// The label of the control arm.
    #[must_use]
    pub fn control(mut self, label: &str) -> Self {
        self.columns.control = Some(label.to_owned());
        self
    }

    /// The column of the arms, and the enum whose first variant is the control.
    #[must_use]
    pub fn arms<A: Arm>(mut self, column: &str) -> TrialBuilder<A> {
        self.columns.arm = Some(column.to_owned());
        TrialBuilder { name: self.name, table: self.table, columns: self.columns, arms: PhantomData }
    }
}

impl<A: Arm> TrialBuilder<A> {
    design_setters!();

    /// The trial.
    ///
    /// # Errors
    /// An unknown column or arm, a missing arm, an arm with nobody, no control, a participant who occurs
    /// twice, a missing stratum or cluster. Each names trial, column and row.
    pub fn build(self) -> Result<Trial<A>> {
        let locate = |error: Error| error.in_trial(&self.name);
        self.columns.check_participants(&self.table).map_err(locate)?;
        let design = self
            .columns
            .design::<A>(self.name.clone(), self.table.clone(), EmptyArms::Refused)
            .map_err(locate)?;
        Ok(Trial::of(design))
    }
}

/// The rule for a declared arm that has nobody.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum EmptyArms {
    Refused,
    LeftOut,
}

impl DesignColumns {
    /// Every participant once.
    pub(super) fn check_participants(&self, table: &Table) -> Result<()> {
        let Some(name) = &self.participant else { return Ok(()) };
        let column = table.labelled(name)?;
        check_twins(column.levels().iter().map(AsRef::as_ref)).map_err(|error| error.in_column(name))?;
        let mut seen = vec![0_u32; column.levels().len()];
        for (row, &code) in column.as_codes()?.iter().enumerate() {
            let Some(times) = seen.get_mut(code as usize) else {
                let why = "the participant has no identifier; fill it in, or leave the row out";
                return Err(table.locate(Error::invalid(why).in_column(name), row));
            };
            *times += 1;
        }
        let twice: Vec<usize> = (0..seen.len()).filter(|code| seen[*code] > 1).collect();
        if twice.is_empty() {
            return Ok(());
        }
        let codes = column.as_codes()?;
        let example = |&code: &usize| {
            let rows = (0..codes.len()).filter(|row| codes[*row] as usize == code);
            let places: Vec<String> = rows.take(2).map(|row| table.row_words(row)).collect();
            format!("{} in {}", column.levels()[code], places.join(" and "))
        };
        let (total, examples) = (twice.len(), twice.iter().take(5).map(example).collect());
        Err(Error::from(ErrorKind::DuplicateParticipant { examples, total }).in_column(name))
    }

    pub(super) fn design<A: Arm>(&self, name: Label, table: Table, empty: EmptyArms) -> Result<Design> {
        let Some(column) = &self.arm else {
            return Err(Error::invalid(
                "the column of arms is not named; name it with arms::<Enum>(..), or with arm_labels(..) and control(..)",
            ));
        };
        if table.rows() == 0 {
            return Err(ErrorKind::InsufficientObservations(
                "the table has no rows; check the file, or the selection of its rows".to_owned(),
            )
            .into());
        }
        let groups = groups(&table, std::slice::from_ref(column))?;
        let declared = self.declared::<A>(&groups)?;
        check_combinations(&declared).map_err(|error| error.in_column(column))?;
        let known = || declared.iter().map(|arm| arm.label.to_string()).collect::<Vec<_>>();
        let places: HashMap<&str, usize> =
            declared.iter().enumerate().rev().map(|(place, arm)| (arm.label.as_ref(), place)).collect();
        let mut index = Vec::with_capacity(groups.labels.len());
        for (code, label) in groups.labels.iter().enumerate() {
            let place = places.get(label.as_ref()).copied().ok_or_else(|| {
                let row = groups.codes.iter().position(|&other| other as usize == code).unwrap_or(0);
                let unknown = ErrorKind::UnknownArm { label: label.to_string(), known: known() };
                table.locate(Error::from(unknown).in_column(column), row)
            })?;
            index.push(place);
        }
        if let Some(arm) =
            self.components.keys().find(|arm| declared.iter().all(|other| other.label != ***arm))
            && empty == EmptyArms::Refused
        {
            return Err(ErrorKind::UnknownArm { label: arm.clone(), known: known() }.into());
        }
        if !index.contains(&0) {
            return Err(ErrorKind::NoControl {
                control: declared[0].label.to_string(),
                known: groups.labels.iter().map(ToString::to_string).collect(),
            }
            .into());
        }
        let occurs: Vec<bool> = (0..declared.len()).map(|arm| index.contains(&arm)).collect();
        if let (EmptyArms::Refused, Some(nobody)) = (empty, occurs.iter().position(|occurs| !occurs)) {
            let why = "nobody was randomised to this arm; take it out of the declaration, or check its label";
            return Err(Error::from(ErrorKind::EmptyArm(why.to_owned())).in_arm(&declared[nobody].label));
        }
        let mut place = vec![u32::MAX; declared.len()];
        let mut next = 0;
        for (place, occurs) in place.iter_mut().zip(&occurs) {
            if *occurs {
                *place = next;
                next += 1;
            }
        }
        if next < 2 {
            let why =
                format!("the only arm is \"{}\"; a comparison needs at least two arms", declared[0].label);
            return Err(Error::invalid(why).in_column(column));
        }
        let arm: Vec<u32> = groups.codes.iter().map(|&code| place[index[code as usize]]).collect();
        let arms: Vec<ArmDesign> =
            declared.into_iter().zip(&occurs).filter(|(_, occurs)| **occurs).map(|(arm, _)| arm).collect();
        let (strata, clusters) = self.strata_and_clusters();
        let of_columns = |columns: &[String]| -> Result<Option<Groups>> {
            if columns.is_empty() { Ok(None) } else { self::groups(&table, columns).map(Some) }
        };
        let assigned = self.assigned(&arms, &arm, of_columns)?;
        let strata = of_columns(strata)?;
        let clusters = of_columns(clusters.as_slice())?;
        if let Some(take_up) = &self.take_up {
            table.reals(take_up)?;
        }
        let mut notices: Vec<Notice> = table.notices().iter().cloned().map(Notice::OfTable).collect();
        notices.extend(strata.iter().flat_map(|strata| empty_cells(strata, &arm, &arms)));
        let take_up = self.take_up.clone();
        Ok(Design { name, table, arms, arm, strata, clusters, assigned, take_up, notices })
    }

    /// The declared columns of strata and clusters; where there are none, those of the declared allocation.
    fn strata_and_clusters(&self) -> (&[String], Option<String>) {
        let own = self.allocation.as_ref();
        let blocks = own.map_or(&[][..], |allocation| &allocation.blocks);
        let strata = if self.strata.is_empty() { blocks } else { &self.strata };
        (strata, self.clusters.clone().or_else(|| own.and_then(|allocation| allocation.clusters.clone())))
    }

    /// The allocation with the arm, block and cluster of everybody, checked where it was declared.
    fn assigned(
        &self,
        arms: &[ArmDesign],
        arm: &[u32],
        of_columns: impl Fn(&[String]) -> Result<Option<Groups>>,
    ) -> Result<Assigned> {
        let allocation = match &self.allocation {
            None => Allocation::of_declared(&self.strata, self.clusters.as_ref()),
            Some(own) => own.clone(),
        };
        if let Some(clusters) = self.clusters.as_ref().filter(|_| self.allocation.is_some())
            && allocation.clusters.as_ref() != Some(clusters)
        {
            let why = format!(
                "the clusters are those of \"{clusters}\", but the allocation is {allocation}; declare an allocation of these \
                 clusters, or leave clusters(..) out"
            );
            return Err(Error::invalid(why));
        }
        let assigned = Assigned {
            arms: arms.iter().map(|arm| arm.label.clone()).collect(),
            arm: arm.into(),
            blocks: of_columns(&allocation.blocks)?.map(Into::into),
            clusters: of_columns(allocation.clusters.as_slice())?.map(Into::into),
            place: (0_u32..).take(arms.len()).collect(),
            allocation,
        };
        if self.allocation.is_some() {
            assigned.check()?;
        }
        Ok(assigned)
    }

    /// The arms in their order, the control first.
    fn declared<A: Arm>(&self, groups: &Groups) -> Result<Vec<ArmDesign>> {
        let design = |label: &str, components: &[&str]| {
            let components = match self.components.get(label) {
                Some(components) => components.clone(),
                None => components.iter().map(Label::new).collect(),
            };
            ArmDesign { label: Label::new(label), components }
        };
        let mut arms: Vec<ArmDesign> = if A::ALL.is_empty() {
            let Some(control) = &self.control else {
                return Err(Error::invalid("no control is declared; name its label with control(..)"));
            };
            let others = groups.labels.iter().filter(|label| **label != **control);
            std::iter::once(design(control, &[])).chain(others.map(|label| design(label, &[]))).collect()
        } else {
            A::ALL.iter().map(|arm| design(arm.label(), arm.components())).collect()
        };
        if let Some(control) = self.control.as_ref().filter(|control| arms[0].label != ***control) {
            return Err(Error::invalid(format!(
                "control(..) names \"{control}\", but the control is the first declared arm, \"{}\"; leave control(..) out, \
                 or declare \"{control}\" first",
                arms[0].label
            )));
        }
        if !arms[0].components.is_empty() {
            return Err(Error::invalid(
                "the control has no components, because components are compared with it; leave its components(..) out",
            )
            .in_arm(&arms[0].label));
        }
        for arm in arms.iter_mut().skip(1).filter(|arm| arm.components.is_empty()) {
            arm.components = vec![arm.label.clone()];
        }
        Ok(arms)
    }
}

/// The groups that the columns make together, in the order of their labels.
pub(super) fn groups(table: &Table, columns: &[String]) -> Result<Groups> {
    let labelled: Vec<Column> = columns.iter().map(|name| table.labelled(name)).collect::<Result<_>>()?;
    for (name, column) in columns.iter().zip(&labelled) {
        check_twins(column.levels().iter().map(AsRef::as_ref)).map_err(|error| error.in_column(name))?;
    }
    let codes: Vec<&[u32]> = labelled.iter().map(Column::as_codes).collect::<Result<_>>()?;
    let mut index: BTreeMap<Vec<u32>, u32> = BTreeMap::new();
    let mut keys = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        let key: Vec<u32> = codes.iter().map(|codes| codes[row]).collect();
        if let Some(column) = key.iter().position(|&code| code == MISSING_CODE) {
            let why = "the cell is empty, but everybody who was randomised needs a value here; fill it in, or leave the row out";
            return Err(table.locate(Error::invalid(why).in_column(&columns[column]), row));
        }
        index.entry(key.clone()).or_insert(0);
        keys.push(key);
    }
    for (code, (_, place)) in index.iter_mut().enumerate() {
        *place = u32::try_from(code).unwrap_or(u32::MAX);
    }
    let name = |key: &Vec<u32>| {
        let parts = key.iter().zip(&labelled).map(|(&code, column)| &*column.levels()[code as usize]);
        Label::from(parts.collect::<Vec<&str>>().join(" / "))
    };
    let codes = keys.iter().map(|key| index[key]).collect();
    Ok(Groups { labels: index.keys().map(name).collect(), codes, columns: columns.into() })
}

/// Refuses arms that are one combination under two names, and arms that declare the same components.
fn check_combinations(arms: &[ArmDesign]) -> Result<()> {
    let own = |label: &str| {
        arms.iter().any(|arm| {
            arm.label == label
                && (arm.components.len() > 1 || arm.components.iter().any(|one| *one != arm.label))
        })
    };
    check_arms(arms.iter().map(|arm| arm.label.as_str()), own)?;
    let mut seen: BTreeMap<Vec<&Label>, &Label> = BTreeMap::new();
    for arm in arms.iter().filter(|arm| arm.components.len() > 1) {
        let mut components: Vec<&Label> = arm.components.iter().collect();
        components.sort();
        let first = *seen.entry(components).or_insert(&arm.label);
        if *first != arm.label {
            let why = format!(
                "has the components of \"{first}\", so both are one arm; make them one label, or declare components that differ"
            );
            return Err(Error::invalid(why).in_arm(&arm.label));
        }
    }
    let components = arms.iter().flat_map(|arm| &arm.components).map(Label::as_str);
    check_twins(components)
}

fn empty_cells(strata: &Groups, arm: &[u32], arms: &[ArmDesign]) -> Vec<Notice> {
    let mut occurs = vec![false; strata.labels.len() * arms.len()];
    for (&stratum, &arm) in strata.codes.iter().zip(arm) {
        occurs[stratum as usize * arms.len() + arm as usize] = true;
    }
    let cells = occurs.iter().enumerate().filter(|(_, occurs)| !**occurs);
    cells
        .map(|(cell, _)| Notice::EmptyStratumCell {
            stratum: strata.labels[cell / arms.len()].to_string(),
            arm: arms[cell % arms.len()].label.clone(),
        })
        .collect()
}
