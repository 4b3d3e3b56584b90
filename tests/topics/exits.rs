//! Exits of the participants of a municipality, for the topics of time to exit.

use super::case::{Case, numbers};
use super::survival::words;
use armwise::ndarray::{Array2, ArrayView2};
use armwise::survival::SurvivalData;
use serde_json::Value;
use std::collections::BTreeMap;

/// The rows of a case: whole months with their causes, arms with control first, and columns as text.
pub(super) struct Exits {
    pub(super) time: Vec<f64>,
    pub(super) cause: Vec<u32>,
    pub(super) arms: Vec<String>,
    pub(super) arm: Vec<u32>,
    columns: BTreeMap<String, Vec<String>>,
}

impl Exits {
    /// The participants of the municipality of the case, or of all.
    pub(super) fn new(case: &Case) -> Self {
        if case.has_input("csv") { Self::of_participants(case) } else { Self::of_inputs(case) }
    }

    fn arms_of(case: &Case) -> Vec<String> {
        std::iter::once(case.word("control").to_owned()).chain(words(case.option("arms"))).collect()
    }

    fn of_inputs(case: &Case) -> Self {
        let arms = Self::arms_of(case);
        let labels = words(case.input("arm"));
        let place = |label: &String| arms.iter().position(|arm| arm == label).expect("a declared arm") as u32;
        let arm = labels.iter().map(place).collect();
        let mut columns = BTreeMap::new();
        if case.has_input("age") {
            columns.insert("age".to_owned(), case.numbers("age").iter().map(ToString::to_string).collect());
        }
        let cause = case.numbers("cause").iter().map(|cause| *cause as u32).collect();
        Self { time: case.numbers("time"), cause, arms, arm, columns }
    }

    fn of_participants(case: &Case) -> Self {
        let text = std::fs::read_to_string(case.csv()).expect("a readable file");
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().expect("a header").split(',').collect();
        let mut columns: BTreeMap<String, Vec<String>> =
            names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
        let municipality = case.option("municipality").as_str();
        let place = |name: &str| names.iter().position(|known| *known == name).expect("a column");
        let (of_city, of_arm) = (place("municipality"), place("arm"));
        // All arms of all cities where none are named: control first, and the others as they come.
        let mut arms = if case.has_option("arms") { Self::arms_of(case) } else { vec!["control".to_owned()] };
        let all_arms = !case.has_option("arms");
        let mut arm = Vec::new();
        for line in lines {
            let cells: Vec<&str> = line.split(',').collect();
            if municipality.is_some_and(|city| city != cells[of_city]) {
                continue;
            }
            let known = arms.iter().position(|arm| arm == cells[of_arm]);
            let Some(known) = known.or_else(|| {
                all_arms.then(|| {
                    arms.push(cells[of_arm].to_owned());
                    arms.len() - 1
                })
            }) else {
                continue;
            };
            arm.push(known as u32);
            for (name, cell) in names.iter().zip(&cells) {
                columns.get_mut(*name).expect("a column").push((*cell).to_owned());
            }
        }
        let month = |exit: &String, censored: &String| {
            let cell = if exit.is_empty() { censored } else { exit };
            cell.parse::<f64>().unwrap_or_else(|_| panic!("{cell} is no month"))
        };
        let time =
            columns["exit_month"].iter().zip(&columns["censor_month"]).map(|(e, c)| month(e, c)).collect();
        let cause = |reason: &String| match reason.as_str() {
            "work" => 1,
            "other" => 2,
            "none" | "" => 0,
            word => panic!("the reason {word} is not known"),
        };
        let cause = columns["exit_reason"].iter().map(cause).collect();
        Self { time, cause, arms, arm, columns }
    }

    pub(super) fn n(&self) -> usize {
        self.time.len()
    }

    /// The number of people in each arm.
    pub(super) fn sizes(&self) -> Vec<usize> {
        (0..self.arms.len())
            .map(|code| self.arm.iter().filter(|arm| **arm as usize == code).count())
            .collect()
    }

    /// The times with the event of the case: any exit, or one cause with the other censored.
    pub(super) fn data(&self, case: &Case) -> armwise::Result<SurvivalData<'_>> {
        let data = SurvivalData::new(&self.time, &self.cause)?;
        match case.word("event") {
            "any_exit" => Ok(data),
            "work" => data.censoring_other_causes(1),
            "other" => data.censoring_other_causes(2),
            word => panic!("the event {word} is not known"),
        }
    }

    /// A column of labels as codes from 0.
    pub(super) fn codes(&self, names: &[String]) -> Vec<u32> {
        let label = |row: usize| {
            names.iter().map(|name| self.columns[name][row].as_str()).collect::<Vec<_>>().join("|")
        };
        let labels: Vec<String> = (0..self.n()).map(label).collect();
        let mut levels = labels.clone();
        levels.sort_unstable();
        levels.dedup();
        labels.iter().map(|label| levels.partition_point(|level| level < label) as u32).collect()
    }

    /// The codes of the strata or clusters that an option names; `None` where there are none.
    pub(super) fn codes_of(&self, case: &Case, option: &str) -> Option<Vec<u32>> {
        match case.option(option) {
            Value::Null => None,
            Value::String(name) => Some(self.codes(std::slice::from_ref(name))),
            names => Some(self.codes(&words(names))),
        }
    }

    pub(super) fn column(&self, name: &str) -> Vec<f64> {
        self.columns[name]
            .iter()
            .map(|cell| match cell.as_str() {
                "true" => 1.0,
                "false" => 0.0,
                number => number.parse().unwrap_or_else(|_| panic!("{name}: {number} is no number")),
            })
            .collect()
    }

    pub(super) fn labels(&self, name: &str) -> &[String] {
        &self.columns[name]
    }

    /// The names and columns of covariates; education as two indicators.
    pub(super) fn covariates(&self, names: &[String]) -> (Vec<String>, Vec<Vec<f64>>) {
        let (mut all, mut columns) = (Vec::new(), Vec::new());
        for name in names {
            if name == "education" {
                for level in ["middle", "high"] {
                    all.push(format!("education_{level}"));
                    let is = |label: &String| f64::from(u8::from(label == level));
                    columns.push(self.labels(name).iter().map(is).collect());
                }
            } else {
                all.push(name.clone());
                columns.push(self.column(name));
            }
        }
        (all, columns)
    }

    /// Indicators of the active arms, then covariates.
    pub(super) fn design(&self, covariates: &[String]) -> (Vec<String>, Array2<f64>) {
        let (names, columns) = self.covariates(covariates);
        let active = self.arms.len() - 1;
        let all: Vec<String> = self.arms[1..].iter().map(|arm| format!("arm_{arm}")).chain(names).collect();
        let x = Array2::from_shape_fn((self.n(), all.len()), |(i, j)| {
            if j < active {
                f64::from(u8::from(self.arm[i] as usize == j + 1))
            } else {
                columns[j - active][i]
            }
        });
        (all, x)
    }
}

/// The design with everybody in one arm (0: control).
pub(super) fn in_arm(x: ArrayView2<f64>, active: usize, arm: usize) -> Array2<f64> {
    Array2::from_shape_fn(
        x.dim(),
        |(i, j)| if j < active { f64::from(u8::from(j + 1 == arm)) } else { x[[i, j]] },
    )
}

/// The covariates of a case.
pub(super) fn covariates(case: &Case) -> Vec<String> {
    if let Some(levels) = case.option("reference_level").as_object() {
        assert!(levels.iter().all(|(name, level)| name == "education" && level == "low"));
    }
    words(case.option("covariates"))
}

pub(super) fn horizons(case: &Case) -> Vec<f64> {
    numbers(case.option("horizons")).expect("horizons")
}
