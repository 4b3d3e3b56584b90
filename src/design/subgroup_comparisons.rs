use super::comparison::{ArmCounts, Comparison};
use super::outcome::OutcomeKind;
use super::{Label, Notice};
use crate::data::{Column, MISSING_CODE, check_twins};
use crate::error::{Error, ErrorKind, Result};

/// The arms of a trial with one measure, within each level of a column; made by [`Comparison::by_subgroup`].
///
/// ```
/// use armwise::prelude::*;
///
/// let text = "arm,female,works\nc,no,0\nc,no,1\nt,no,1\nt,no,1\nt,no,0\nc,yes,0\nc,yes,0\n\
///             c,yes,1\nt,yes,1\nt,yes,0\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let subgroups = trial.on(&Measure::binary("works"))?.by_subgroup("female")?;
/// let effects = subgroups.estimate(&DifferenceInProportions::new())?;
/// assert_eq!(subgroups.levels(), ["no", "yes"]);
/// assert!(effects.interaction()?.p_value > 0.05);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SubgroupComparisons<K> {
    pub(crate) column: String,
    pub(crate) levels: Vec<Label>,
    pub(crate) comparisons: Vec<Comparison<K>>,
    pub(crate) notices: Vec<Notice>,
}

impl<K: OutcomeKind> SubgroupComparisons<K> {
    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// Its levels.
    pub fn levels(&self) -> &[Label] {
        &self.levels
    }

    /// The comparison within each level; its trial is named after the level too.
    pub fn comparisons(&self) -> &[Comparison<K>] {
        &self.comparisons
    }

    /// The notices about the division.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl<K: OutcomeKind> Comparison<K> {
    /// The comparison within each level of a column that was measured before randomisation, in the order of
    /// their first appearance: flags `no`, `yes`, and numbers ascending. Another order is declared by
    /// [`Comparison::by_subgroup_levels`].
    ///
    /// People whose level is missing are in no subgroup, with a notice. A model does without a covariate that
    /// has one value among the people of a subgroup, such as the column itself, with a notice there.
    ///
    /// # Errors
    /// There is no such column; it has one level only; an arm has no outcome within a level; published
    /// counts.
    pub fn by_subgroup(&self, column: &str) -> Result<SubgroupComparisons<K>> {
        self.subgroups(column, &[])
    }

    /// As [`Comparison::by_subgroup`], in the order in which the levels are named here; differences are from
    /// the first.
    ///
    /// ```
    /// use armwise::prelude::*;
    ///
    /// let text = "arm,age,works\nc,old,0\nc,old,1\nt,old,1\nt,old,1\nc,young,0\nc,young,1\n\
    ///     t,young,1\nt,young,0\n";
    /// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
    ///     .arm_labels("arm")
    ///     .control("c")
    ///     .build()?;
    /// let works = trial.on(&Measure::binary("works"))?;
    /// assert_eq!(works.by_subgroup("age")?.levels(), ["old", "young"]);
    /// assert_eq!(works.by_subgroup_levels("age", ["young", "old"])?.levels(), ["young", "old"]);
    /// assert!(works.by_subgroup_levels("age", ["young"]).is_err());
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there; a level that the column does not have, or one that it has and that is not named.
    pub fn by_subgroup_levels<T: AsRef<str>>(
        &self,
        column: &str,
        levels: impl IntoIterator<Item = T>,
    ) -> Result<SubgroupComparisons<K>> {
        let levels: Vec<Label> = levels.into_iter().map(Label::new).collect();
        if levels.is_empty() {
            let why = "no level of the subgroups is named; name all of them, or take by_subgroup(..)";
            return Err(self.locate(Error::invalid(why).in_column(column)));
        }
        self.subgroups(column, &levels)
    }

    /// The subgroups in this order, or in that of their first appearance.
    pub(crate) fn subgroups(&self, column: &str, declared: &[Label]) -> Result<SubgroupComparisons<K>> {
        let people = self.people()?;
        let labelled = people.table.labelled(column).map_err(|error| self.locate(error))?;
        check_twins(labelled.levels().iter().map(AsRef::as_ref))
            .map_err(|error| self.locate(error.in_column(column)))?;
        let codes = labelled.as_codes().map_err(|error| self.locate(error))?;
        let mut randomised = vec![vec![0_u64; self.arms.len()]; labelled.levels().len()];
        let mut missing = 0;
        for (&code, &arm) in codes.iter().zip(people.assigned.iter()) {
            if arm == u32::MAX {
                continue;
            }
            match randomised.get_mut(code as usize) {
                Some(level) => level[arm as usize] += 1,
                None => missing += 1,
            }
        }
        let mut subgroups = SubgroupComparisons {
            column: column.to_owned(),
            levels: Vec::new(),
            comparisons: Vec::new(),
            notices: self.notices.clone(),
        };
        if missing > 0 {
            let covariate = column.to_owned();
            subgroups.notices.push(Notice::MissingCovariate { covariate, participants: missing });
        }
        let order = order_of(&labelled, codes, declared, |code| {
            randomised.get(code).is_some_and(|counts| counts.iter().any(|n| *n > 0))
        });
        for code in order.map_err(|error| self.locate(error.in_column(column)))? {
            let (name, counts) = (&labelled.levels()[code as usize], &randomised[code as usize]);
            if counts.iter().any(|n| *n > 0) {
                let keep: Vec<bool> = people.rows.iter().map(|&row| codes[row as usize] == code).collect();
                let outside = |row: usize| codes[row] != code;
                let part = self.part(format!("{}, {column} {name}", self.trial), &keep, counts, outside)?;
                subgroups.levels.push(Label::new(name));
                subgroups.comparisons.push(part);
            }
        }
        if subgroups.levels.len() < 2 {
            let why = "everybody has the same level, so there are no subgroups; take another column";
            return Err(self.locate(Error::invalid(why).in_column(column)));
        }
        if let Some(clusters) = self.clusters() {
            let mut home = vec![MISSING_CODE; clusters.labels.len()];
            let mut shared = vec![false; home.len()];
            for (&cluster, &row) in clusters.codes.iter().zip(&people.rows) {
                let (cluster, code) = (cluster as usize, codes[row as usize]);
                if code != MISSING_CODE {
                    shared[cluster] |= home[cluster] != MISSING_CODE && home[cluster] != code;
                    home[cluster] = code;
                }
            }
            let clusters = shared.iter().filter(|shared| **shared).count();
            if clusters > 0 {
                subgroups.notices.push(Notice::SharedClusters { clusters });
            }
        }
        Ok(subgroups)
    }

    /// A part of the people as a trial of its own.
    fn part(
        &self,
        name: String,
        keep: &[bool],
        randomised: &[u64],
        outside: impl Fn(usize) -> bool,
    ) -> Result<Self> {
        let mut people = self.people()?.keep(keep);
        let assigned = people.assigned.iter().enumerate();
        people.assigned = assigned.map(|(row, &arm)| if outside(row) { u32::MAX } else { arm }).collect();
        let mut part = self.clone();
        part.trial = Label::new(name);
        let mut observed = vec![0; randomised.len()];
        people.arm.iter().for_each(|&arm| observed[arm as usize] += 1);
        for ((arm, &randomised), &observed) in part.arms.iter_mut().zip(randomised).zip(&observed) {
            arm.counts = ArmCounts { randomised, observed, analysed: observed, events: None };
            if randomised == 0 {
                let why = "nobody in this subgroup was randomised to this arm; merge levels, or leave the arm out with \
                           compare(..).versus(..)";
                let label = arm.label.clone();
                return Err(part.locate(Error::from(ErrorKind::EmptyArm(why.to_owned())).in_arm(&label)));
            }
        }
        part.people = Some(people);
        part.subgroup = true;
        // The subgroups hold the notices of the whole trial.
        part.notices.clear();
        part.note_missing_outcomes(0);
        part.count_analysed()?;
        part.note_constant_outcomes();
        Ok(part)
    }
}

/// The codes of the levels as they are declared, or in the order of their first appearance where they are
/// words.
fn order_of(
    column: &Column,
    codes: &[u32],
    declared: &[Label],
    has_people: impl Fn(usize) -> bool,
) -> Result<Vec<u32>> {
    let levels = column.levels();
    let code =
        |label: &str| (0_u32..).zip(levels).find(|(_, level)| ***level == *label).map(|(code, _)| code);
    let mut order: Vec<u32> = Vec::new();
    for label in declared {
        let known = || levels.iter().map(ToString::to_string).collect();
        let code = code(label)
            .ok_or_else(|| ErrorKind::UnknownCategory { label: label.to_string(), known: known() })?;
        if order.contains(&code) {
            let why = format!("the level \"{label}\" is named twice; name it once");
            return Err(Error::invalid(why));
        }
        order.push(code);
    }
    if !declared.is_empty() {
        let other =
            (0_u32..).zip(levels).find(|(code, _)| !order.contains(code) && has_people(*code as usize));
        return other.map_or(Ok(order), |(_, level)| {
            let why = format!("people have the level \"{level}\", which is not named; name every level");
            Err(Error::invalid(why))
        });
    }
    let count = u32::try_from(levels.len()).unwrap_or(u32::MAX);
    let flags = levels.iter().map(AsRef::as_ref).eq(["no", "yes"]);
    if flags || levels.iter().all(|level| level.parse::<f64>().is_ok()) {
        return Ok((0..count).collect());
    }
    let mut seen = vec![false; levels.len()];
    for &code in codes.iter().filter(|code| **code != MISSING_CODE) {
        if !std::mem::replace(&mut seen[code as usize], true) {
            order.push(code);
        }
    }
    Ok(order)
}
