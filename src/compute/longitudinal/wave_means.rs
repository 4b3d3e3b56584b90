use super::waves::Waves;
use crate::error::{Error, ErrorKind, Result, WaveProblem, counted};
use ndarray::Array2;

/// A model of means by group and wave: one mean of the first group for each wave, one difference of every
/// other group for each wave, and covariates of units with one slope for each wave or one for all.
///
/// Every coefficient of a row belongs to a value of the unit (1, its group, a covariate) and a wave, so that
/// the units with the same waves need no more than the cross-products of these values with each other and
/// with the outcomes.
///
/// ```
/// use armwise::longitudinal::{WaveMeans, Waves};
///
/// let waves = Waves::new(&[3.0, 4.0, 2.5, 1.0], &[7, 7, 9, 9], &[0, 1, 0, 1])?;
/// let means = WaveMeans::new(&waves, 2, &[0, 0, 1, 1])?;
/// assert_eq!(means.names(), ["wave 0", "wave 1", "group 1:wave 0", "group 1:wave 1"]);
/// // Nobody was treated in wave 0: groups have one mean there.
/// assert_eq!(means.alike_in(0)?.names(), ["wave 0", "wave 1", "group 1:wave 1"]);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct WaveMeans<'a> {
    waves: &'a Waves<'a>,
    groups: usize,
    /// The group of each unit.
    group: Vec<u32>,
    /// The places of waves in which all groups have one mean.
    alike: Vec<usize>,
    covariates: Vec<Covariate>,
}

/// A covariate of units.
#[derive(Debug, Clone)]
struct Covariate {
    name: String,
    /// The value of each unit.
    values: Vec<f64>,
    by_wave: bool,
}

impl<'a> WaveMeans<'a> {
    /// Of so many groups, with the code of the group in each row, from 0.
    ///
    /// # Errors
    /// `invalid_input` for a code beyond the number of groups, or other lengths; `bad_waves` where a unit has
    /// rows of two groups.
    pub fn new(waves: &'a Waves<'a>, groups: usize, group: &[u32]) -> Result<Self> {
        if groups == 0 || group.iter().any(|code| *code as usize >= groups) {
            let why = format!("a row is of a group beyond {}; count groups from 0", counted(groups, "group"));
            return Err(Error::invalid(why));
        }
        let two = |row: usize| {
            let codes = (waves.units().iter()).find(|rows| rows.iter().any(|(own, _)| *own == row));
            let groups =
                codes.map_or(Vec::new(), |rows| vec![group[rows[0].0].to_string(), group[row].to_string()]);
            Error::from(ErrorKind::BadWaves(WaveProblem::TwoGroups { groups })).in_row(row)
        };
        let group = waves.of_units(group, two)?;
        Ok(Self { waves, groups, group, alike: Vec::new(), covariates: Vec::new() })
    }

    /// One mean for all groups in a wave: the baseline of a constrained longitudinal analysis (Liang & Zeger
    /// 2000).
    ///
    /// # Errors
    /// There is no such wave.
    pub fn alike_in(mut self, wave: u32) -> Result<Self> {
        self.alike.push(self.waves.place(wave)?);
        Ok(self)
    }

    /// A covariate with one slope for each wave, with a value in each row.
    ///
    /// # Errors
    /// `invalid_input` for values that are not finite, that differ between the waves of a unit, or other
    /// lengths.
    pub fn covariate_by_wave(self, name: impl Into<String>, values: &[f64]) -> Result<Self> {
        self.with(name.into(), values, true)
    }

    /// A covariate with one slope for all waves, with a value in each row.
    ///
    /// # Errors
    /// As [`WaveMeans::covariate_by_wave`].
    pub fn covariate(self, name: impl Into<String>, values: &[f64]) -> Result<Self> {
        self.with(name.into(), values, false)
    }

    fn with(mut self, name: String, values: &[f64], by_wave: bool) -> Result<Self> {
        if let Some(row) = values.iter().position(|x| x.is_nan() || x.abs() >= 1e150) {
            let why = format!("a value is {}; leave units without one out", values[row]);
            return Err(Error::invalid(why).in_column(&name).in_row(row));
        }
        let differs = |row| {
            let why = "the values of a unit differ between its waves; give one that was known before";
            Error::invalid(why).in_column(&name).in_row(row)
        };
        let values = self.waves.of_units(values, differs).map_err(|error| error.in_column(&name))?;
        self.covariates.push(Covariate { name, values, by_wave });
        Ok(self)
    }

    /// The outcomes.
    pub fn waves(&self) -> &'a Waves<'a> {
        self.waves
    }

    /// The number of groups.
    pub fn groups(&self) -> usize {
        self.groups
    }

    /// The number of coefficients.
    pub fn n_coefficients(&self) -> usize {
        let waves = self.waves.numbers().len();
        let slopes: usize = self.covariates.iter().map(|own| if own.by_wave { waves } else { 1 }).sum();
        waves + (self.groups - 1) * (waves - self.constrained()) + slopes
    }

    /// The number of waves in which groups have one mean.
    fn constrained(&self) -> usize {
        (0..self.waves.numbers().len()).filter(|wave| self.alike.contains(wave)).count()
    }

    /// The names of the coefficients: the means of the first group, the differences of each group, the
    /// slopes.
    pub fn names(&self) -> Vec<String> {
        let numbers = self.waves.numbers();
        let mut names: Vec<String> = numbers.iter().map(|wave| format!("wave {wave}")).collect();
        for group in 1..self.groups {
            let own = (0..).zip(numbers).filter(|(place, _)| !self.alike.contains(place));
            names.extend(own.map(|(_, wave)| format!("group {group}:wave {wave}")));
        }
        for Covariate { name, by_wave, .. } in &self.covariates {
            if *by_wave {
                names.extend(numbers.iter().map(|wave| format!("{name}:wave {wave}")));
            } else {
                names.push(name.clone());
            }
        }
        names
    }

    /// The coefficient of each value of a unit in each wave, waves x values.
    pub(super) fn columns(&self) -> Vec<Vec<Option<usize>>> {
        let waves = self.waves.numbers().len();
        let own = |place: usize| {
            let mut columns = vec![Some(place)];
            let mut next = waves;
            let free = waves - self.constrained();
            let before = (0..place).filter(|wave| !self.alike.contains(wave)).count();
            for _ in 1..self.groups {
                columns.push((!self.alike.contains(&place)).then_some(next + before));
                next += free;
            }
            for covariate in &self.covariates {
                columns.push(Some(if covariate.by_wave { next + place } else { next }));
                next += if covariate.by_wave { waves } else { 1 };
            }
            columns
        };
        (0..waves).map(own).collect()
    }

    /// The values of each unit: 1, an indicator of each group but the first, the covariates less their means.
    pub(super) fn values(&self) -> Array2<f64> {
        let (units, first) = (self.group.len(), self.groups);
        let centres = self.centres();
        let mut values = Array2::zeros((units, first + self.covariates.len()));
        for (unit, &group) in self.group.iter().enumerate() {
            values[[unit, 0]] = 1.0;
            if group > 0 {
                values[[unit, group as usize]] = 1.0;
            }
            for (j, covariate) in self.covariates.iter().enumerate() {
                values[[unit, first + j]] = covariate.values[unit] - centres[j];
            }
        }
        values
    }

    /// The means of the covariates.
    fn centres(&self) -> Vec<f64> {
        let n = self.group.len() as f64;
        self.covariates.iter().map(|own| own.values.iter().sum::<f64>() / n).collect()
    }

    /// The coefficients as functions of those with centred covariates.
    pub(super) fn uncentred(&self) -> Array2<f64> {
        let mut map = Array2::eye(self.n_coefficients());
        let centres = self.centres();
        for (place, columns) in self.columns().iter().enumerate() {
            for (j, centre) in centres.iter().enumerate() {
                if let Some(column) = columns[self.groups + j] {
                    map[[place, column]] -= centre;
                }
            }
        }
        map
    }

    /// The rows of the design matrix, in the order of the outcomes, with covariates as given.
    pub fn design(&self) -> Array2<f64> {
        let mut design = Array2::zeros((self.waves.n(), self.n_coefficients()));
        let columns = self.columns();
        for (unit, rows) in self.waves.units().iter().enumerate() {
            for &(row, place) in rows {
                for (j, column) in columns[place].iter().enumerate() {
                    let value = match j {
                        0 => 1.0,
                        j if j < self.groups => f64::from(u8::from(self.group[unit] as usize == j)),
                        j => self.covariates[j - self.groups].values[unit],
                    };
                    if let Some(column) = *column {
                        design[[row, column]] += value;
                    }
                }
            }
        }
        design
    }
}
