//! The distinct labels of a column of categories, each with a code.

use std::collections::HashMap;
use std::sync::Arc;

use crate::data::column::MISSING_CODE;
use crate::error::{Error, Result};

/// Labels in the order in which they were first met. The code of a label is its index.
#[derive(Default)]
pub(super) struct Levels {
    labels: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
    /// Neighbouring rows often hold the same label.
    last: u32,
}

impl Levels {
    /// The code of a label, which is new if it was not met before.
    pub(super) fn code(&mut self, label: &str) -> Result<u32> {
        if self.labels.get(self.last as usize).is_some_and(|last| last.as_ref() == label) {
            return Ok(self.last);
        }
        self.last = if let Some(code) = self.codes.get(label) {
            *code
        } else {
            let code = self.push(label.into())?;
            self.codes.insert(self.labels[code as usize].clone(), code);
            code
        };
        Ok(self.last)
    }

    /// A code for each number, its label being the decimal text. NaN gets `MISSING_CODE`.
    pub(super) fn codes_of_numbers(&mut self, cells: impl ExactSizeIterator<Item = f64>) -> Result<Vec<u32>> {
        let mut known = HashMap::new();
        let mut codes = Vec::with_capacity(cells.len());
        for value in cells {
            if value.is_nan() {
                codes.push(MISSING_CODE);
                continue;
            }
            // -0 is 0.
            let value = value + 0.0;
            let code = if let Some(code) = known.get(&value.to_bits()) {
                *code
            } else {
                let code = self.push(value.to_string().into())?;
                known.insert(value.to_bits(), code);
                code
            };
            codes.push(code);
        }
        Ok(codes)
    }

    /// A code for each flag, the labels being `no` and `yes`.
    pub(super) fn codes_of_flags(&mut self, cells: &[u8]) -> Vec<u32> {
        self.labels = vec!["no".into(), "yes".into()];
        cells.iter().map(|flag| if *flag <= 1 { u32::from(*flag) } else { MISSING_CODE }).collect()
    }

    /// See [`sort`].
    pub(super) fn sort(&self, codes: &mut [u32]) -> Vec<Arc<str>> {
        sort(&self.labels, codes)
    }

    fn push(&mut self, label: Arc<str>) -> Result<u32> {
        let code = u32::try_from(self.labels.len()).ok().filter(|code| *code != MISSING_CODE);
        let code =
            code.ok_or_else(|| Error::invalid("a column can hold at most 4,294,967,295 distinct labels"))?;
        self.labels.push(label);
        Ok(code)
    }
}

/// Sorts the labels (as numbers if all are numbers, else by their letters), drops those without a cell, and
/// renumbers the codes accordingly. Equal cells then have equal codes, whatever the order of the labels.
pub(super) fn sort(labels: &[Arc<str>], codes: &mut [u32]) -> Vec<Arc<str>> {
    // A few rows of a column of identifiers cost no work for the labels that they lack.
    let dense = labels.len() <= codes.len();
    let cells = codes.iter().copied().filter(|code| *code != MISSING_CODE);
    let used: Vec<u32> = if dense {
        let mut occurs = vec![false; labels.len()];
        cells.for_each(|code| occurs[code as usize] = true);
        (0..).zip(occurs).filter_map(|(code, occurs)| occurs.then_some(code)).collect()
    } else {
        let mut used: Vec<u32> = cells.collect();
        used.sort_unstable();
        used.dedup();
        used
    };
    let mut order: Vec<(f64, &Arc<str>, u32)> = used
        .iter()
        .map(|old| (&labels[*old as usize], *old))
        .map(|(label, old)| (label.parse().unwrap_or(f64::NAN), label, old))
        .collect();
    let numeric = order.iter().all(|(number, ..)| number.is_finite());
    order.sort_by(|a, b| {
        let by_label = a.1.cmp(b.1);
        if numeric { a.0.total_cmp(&b.0).then(by_label) } else { by_label }
    });
    let new = (0_u32..).zip(&order).map(|(new, (_, _, old))| (*old, new));
    let cells = codes.iter_mut().filter(|code| **code != MISSING_CODE);
    if dense {
        let mut rank = vec![MISSING_CODE; labels.len()];
        new.for_each(|(old, new)| rank[old as usize] = new);
        cells.for_each(|code| *code = rank[*code as usize]);
    } else {
        let rank: HashMap<u32, u32> = new.collect();
        cells.for_each(|code| *code = rank.get(code).copied().unwrap_or(MISSING_CODE));
    }
    order.into_iter().map(|(_, label, _)| label.clone()).collect()
}
