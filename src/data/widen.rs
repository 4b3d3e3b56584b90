//! From one row for each person and wave to one row for each person.

use std::collections::HashMap;

use crate::data::{Column, Table, check_twins};
use crate::error::{Error, ErrorKind, Result, WaveProblem};

impl Table {
    /// One row for each value of `key` instead of one for each of its waves: every column of `values` becomes
    /// one column for each label of `wave`, named by both (`score_1`, `score_2`, ...), empty where there is
    /// no such row. All other columns stay, and need to be the same in all rows of a key.
    ///
    /// ```
    /// use armwise::Table;
    ///
    /// let text = "id,arm,wave,score\n1,control,1,50\n1,control,2,55\n2,guidance,1,48\n";
    /// let wide = Table::from_csv_str(text)?.widen("id", "wave", ["score"])?;
    /// assert_eq!(wide.names().collect::<Vec<_>>(), ["id", "arm", "score_1", "score_2"]);
    /// let second: Vec<_> = wide.column("score_2")?.reals()?.collect();
    /// assert_eq!(second, [Some(55.0), None]);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    ///
    /// # Errors
    /// `unknown_column`; `bad_waves` for two rows of a key in one wave; `invalid_input` for a row without key
    /// or wave, for a column that differs between the rows of a key, and for a new column under a name that
    /// is taken; `twin_labels` for keys or waves that differ by case, spacing or Unicode composition only.
    pub fn widen<S: AsRef<str>>(
        &self,
        key: &str,
        wave: &str,
        values: impl IntoIterator<Item = S>,
    ) -> Result<Self> {
        let (keys, waves) = (self.labelled(key)?, self.labelled(wave)?);
        for (name, column) in [(key, &keys), (wave, &waves)] {
            check_twins(column.levels().iter().map(AsRef::as_ref)).map_err(|error| error.in_column(name))?;
            if let Some(row) = (0..column.len()).find(|row| column.is_missing(*row)) {
                let why = "a row has no value here, so that it belongs to nobody or to no wave; fill it in, or leave the row out";
                return Err(self.locate(Error::invalid(why).in_column(name), row));
            }
        }
        let values: Vec<S> = values.into_iter().collect();
        for name in &values {
            self.column(name.as_ref())?;
        }
        // The rows of each key, by the place of their wave, in the order in which keys come first.
        let mut places: HashMap<u32, usize> = HashMap::new();
        let mut rows: Vec<Vec<Option<usize>>> = Vec::new();
        let mut firsts = Vec::new();
        let (key_codes, wave_codes) = (keys.as_codes()?, waves.as_codes()?);
        for (row, (&own, &at)) in key_codes.iter().zip(wave_codes).enumerate() {
            let place = *places.entry(own).or_insert_with(|| {
                rows.push(vec![None; waves.levels().len()]);
                firsts.push(row);
                firsts.len() - 1
            });
            if rows[place][at as usize].replace(row).is_some() {
                let unit = format!("\"{}\"", keys.levels()[own as usize]);
                let wave = format!("\"{}\"", waves.levels()[at as usize]);
                let problem = WaveProblem::MeasuredTwice { unit, wave };
                return Err(self.locate(Error::from(ErrorKind::BadWaves(problem)), row));
            }
        }
        let mut wide = Self::new();
        let base = self.take(&firsts);
        for name in self.names() {
            if name == wave || values.iter().any(|own| own.as_ref() == name) {
                continue;
            }
            let column = self.column(name)?;
            for (first, own) in firsts.iter().zip(&rows) {
                if let Some(&row) = own.iter().flatten().find(|row| !same(column, *first, **row)) {
                    let why = format!(
                        "the rows of one \"{key}\" differ in this column; give it one value for each, or name it among the values of waves"
                    );
                    return Err(self.locate(Error::invalid(why).in_column(name), row));
                }
            }
            wide = wide.with_column(name, base.column(name)?.clone())?;
        }
        for name in &values {
            let column = self.column(name.as_ref())?;
            for (at, label) in waves.levels().iter().enumerate() {
                let own: Vec<Option<usize>> = rows.iter().map(|own| own[at]).collect();
                wide =
                    wide.with_column(&format!("{}_{label}", name.as_ref()), column.take_or_missing(&own))?;
            }
        }
        Ok(wide.with_notices(self.notices().to_vec()))
    }
}

/// Whether two cells of a column are one value, or both missing.
fn same(column: &Column, one: usize, two: usize) -> bool {
    if column.is_missing(one) || column.is_missing(two) {
        return column.is_missing(one) && column.is_missing(two);
    }
    match (column.as_codes(), column.as_reals()) {
        (Ok(codes), _) => codes[one] == codes[two],
        (_, Ok(values)) => values[one] == values[two],
        _ => false,
    }
}
