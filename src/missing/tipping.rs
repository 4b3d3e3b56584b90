use super::imputed::{CompleteDf, ImputedTrial};
use crate::compute::missing::{MissingEvents, TippingTest};
use crate::compute::progress::Task;
use crate::design::{Arm, Binary, Comparison, Continuous, Label, Measure, MeasureInfo, Notice, OutcomeKind};
use crate::effect::AnyScale;
use crate::error::{Error, ErrorKind, Result, counted, number};
use crate::estimator::Estimator;
use serde::{Deserialize, Serialize};

/// What varies over a [`TippingGrid`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TippingQuestion {
    /// The number of events among the missing of both arms.
    Events {
        /// The test of each completed table.
        test: TippingTest,
    },
    /// What is added to the imputed outcomes of both arms.
    Deltas {
        /// The column that was imputed.
        column: String,
        /// The number of imputations.
        imputations: usize,
        /// The analysis of each imputation, in words.
        analysis: String,
    },
}

/// Effects and p-values over two ways in which the missing may differ: those of the treatment down, those of
/// the reference across. Which of them would change the conclusion?
///
/// # Examples
/// ```
/// use armwise::missing::{TippingGrid, TippingTest};
/// use armwise::prelude::*;
///
/// let text = "arm,works\nc,0\nc,0\nc,0\nc,0\nc,\nt,1\nt,1\nt,1\nt,0\nt,\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(text)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let works = trial.on(&Measure::binary("works"))?;
/// let grid = TippingGrid::of_events(&works, "t", TippingTest::Pooled, 0.05)?;
/// assert_eq!((grid.of_treatment.len(), grid.of_reference.len()), (2, 2));
/// // As seen, 3 of 4 against 0 of 4; with one event of the control arm the test finds less.
/// assert!(grid.is_significant(1, 0) && !grid.is_significant(0, 1));
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Liublinska & Rubin (2014), Statistics in Medicine 33:4170. Yan, Lee & Li (2009), Journal of
/// Biopharmaceutical Statistics 19:1085.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct TippingGrid {
    /// The trial.
    pub trial: Label,
    /// The measure.
    pub measure: MeasureInfo,
    /// The scale of the effects.
    pub scale: AnyScale,
    /// The treatment.
    pub treatment: Label,
    /// The arm with which it is compared.
    pub reference: Label,
    /// What varies.
    pub question: TippingQuestion,
    /// The values of the treatment, down.
    pub of_treatment: Vec<f64>,
    /// The values of the reference, across.
    pub of_reference: Vec<f64>,
    /// The effects.
    pub values: Vec<Vec<f64>>,
    /// Their p-values.
    pub p_values: Vec<Vec<f64>>,
    /// The effect without any departure: of the complete cases, or of the imputations as they are.
    pub plain: f64,
    /// Its p-value.
    pub plain_p_value: f64,
    /// The level of significance.
    pub alpha: f64,
    /// Everything that has to be said beside the numbers.
    pub notices: Vec<Notice>,
}

checked!(TippingGrid);

/// More cells than any reader has use for.
const MOST_CELLS: usize = 250_000;

fn check_alpha(alpha: f64) -> Result<()> {
    if alpha > 0.0 && alpha < 1.0 {
        return Ok(());
    }
    Err(Error::invalid(format!("the significance level is {}; give one between 0 and 1", number(alpha))))
}

impl TippingGrid {
    /// Every number of events among the missing of the treatment and of the reference.
    ///
    /// # Errors
    /// `unknown_treatment`; `invalid_input` for an alpha that is not between 0 and 1, and a grid of more than
    /// 250,000 cells; those of the test.
    pub fn of_events(
        comparison: &Comparison<Binary>,
        treatment: impl AsRef<str>,
        test: TippingTest,
        alpha: f64,
    ) -> Result<Self> {
        let label = treatment.as_ref();
        let locate = |error: Error| comparison.locate(error);
        check_alpha(alpha).map_err(locate)?;
        let Some(place) = comparison.arms().iter().skip(1).position(|arm| arm.label == label) else {
            let known = comparison.treatments().iter().map(|arm| arm.label.to_string()).collect();
            return Err(locate(ErrorKind::UnknownTreatment { name: label.to_owned(), known }.into()));
        };
        let concerned = |arm: usize| {
            let randomised = comparison.arms()[arm].counts.randomised;
            comparison.people.as_ref().map_or(randomised, |people| {
                people.assigned.iter().filter(|of| **of as usize == arm).count() as u64
            })
        };
        let counts = |arm: usize| {
            let own = comparison.arms()[arm].counts;
            [own.events.unwrap_or(0), own.analysed, concerned(arm)]
        };
        let (own, reference) = (counts(place + 1), counts(0));
        let completed = MissingEvents::new(own, reference).map_err(locate)?.test(test);
        let [rows, columns] =
            completed.missing().map(|n| usize::try_from(n).unwrap_or(usize::MAX).saturating_add(1));
        if rows.saturating_mul(columns) > MOST_CELLS {
            let why = format!(
                "a grid of {rows} x {columns} completions is too large to read; take imputations with deltas, or \
                 MissingEvents::tipping_point of single rows"
            );
            return Err(locate(Error::invalid(why)));
        }
        let seen = |[events, seen, _]: [u64; 3]| [events, seen, seen];
        let plain = MissingEvents::new(seen(own), seen(reference)).map_err(locate)?.test(test);
        let numbers = |n: usize| (0..n).map(|x| x as f64).collect();
        let lists =
            |matrix: ndarray::Array2<f64>| matrix.rows().into_iter().map(|row| row.to_vec()).collect();
        Ok(Self {
            trial: comparison.trial().clone(),
            measure: comparison.measure().clone(),
            scale: AnyScale::RiskDifference,
            treatment: comparison.treatments()[place].label.clone(),
            reference: comparison.reference().label.clone(),
            question: TippingQuestion::Events { test },
            of_treatment: numbers(rows),
            of_reference: numbers(columns),
            values: lists(completed.differences().map_err(locate)?),
            p_values: lists(completed.grid().map_err(locate)?),
            plain: plain.difference(0, 0).map_err(locate)?,
            plain_p_value: plain.p_value(0, 0).map_err(locate)?,
            alpha,
            notices: notices_of(comparison),
        })
    }

    /// Whether the effect is significant with these values of the treatment (row) and of the reference
    /// (column); false beyond the grid.
    pub fn is_significant(&self, row: usize, column: usize) -> bool {
        self.p_values.get(row).and_then(|row| row.get(column)).is_some_and(|p| *p < self.alpha)
    }

    /// Whether significance, or the sign of a significant effect, is another than without any departure.
    pub fn is_changed(&self, row: usize, column: usize) -> bool {
        let plain = self.plain_p_value < self.alpha;
        let sign = |value: f64| value > 0.0;
        let turned = self
            .values
            .get(row)
            .and_then(|row| row.get(column))
            .is_some_and(|value| sign(*value) != sign(self.plain));
        let now = self.is_significant(row, column);
        now != plain || now && turned
    }

    /// The number of cells in which the conclusion changes.
    pub fn changed(&self) -> usize {
        let cells =
            (0..self.of_treatment.len()).flat_map(|i| (0..self.of_reference.len()).map(move |j| (i, j)));
        cells.filter(|(i, j)| self.is_changed(*i, *j)).count()
    }

    /// The number of cells.
    pub fn cells(&self) -> usize {
        self.of_treatment.len() * self.of_reference.len()
    }

    fn check(&self) -> Result<()> {
        check_alpha(self.alpha)?;
        let rows = self.of_treatment.len();
        let shaped = |lists: &Vec<Vec<f64>>| {
            lists.len() == rows && lists.iter().all(|list| list.len() == self.of_reference.len())
        };
        let p = |p: &f64| (0.0..=1.0).contains(p);
        let axis = |values: &[f64]| !values.is_empty() && values.iter().all(|x| x.is_finite());
        let sound = shaped(&self.values)
            && shaped(&self.p_values)
            && self.p_values.iter().flatten().all(p)
            && p(&self.plain_p_value)
            && self.plain.is_finite()
            && self.values.iter().flatten().all(|x| x.is_finite())
            && axis(&self.of_treatment)
            && axis(&self.of_reference);
        if sound {
            return Ok(());
        }
        Err(Error::invalid(
            "the grid does not hold one effect and one p-value for each cell; read the grid anew",
        ))
    }
}

fn notices_of<K: OutcomeKind>(comparison: &Comparison<K>) -> Vec<Notice> {
    let told = comparison.notices().iter();
    told.filter(|notice| !matches!(notice, Notice::MissingOutcome { .. } | Notice::NoVariation { .. }))
        .cloned()
        .chain(comparison.clusters_ignored())
        .collect()
}

/// Effects of an imputed trial where the imputed outcomes of a treatment, and of the reference, are higher or
/// lower by deltas: the grid of a tipping-point analysis.
///
/// # Formula
/// Each delta is added to the imputed cells of its arm, the estimator runs on every imputation, and the
/// effects are combined by Rubin's rules. Other arms stay as imputed.
///
/// # Assumptions
/// Those of the imputation, but for the delta.
///
/// # Errors
/// `invalid_input` where the imputed cells are not known, without deltas, or for an alpha that is not between
/// 0 and 1; `unknown_arm`; those of the estimator.
///
/// # Examples
/// ```
/// use armwise::missing::{DeltaGrid, ImputedTrial};
/// use armwise::prelude::*;
///
/// let text = "imputation,id,arm,score\n\
///     0,1,c,1\n0,2,c,2\n0,3,c,\n0,4,t,3\n0,5,t,\n0,6,t,8\n\
///     1,1,c,1\n1,2,c,2\n1,3,c,4\n1,4,t,3\n1,5,t,4\n1,6,t,8\n\
///     2,1,c,1\n2,2,c,2\n2,3,c,3\n2,4,t,3\n2,5,t,5\n2,6,t,8\n";
/// let stacked = Table::from_csv_str(text)?;
/// let imputed = ImputedTrial::from_stacked(&stacked, "imputation", "id", |table| {
///     Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()
/// })?;
/// let score = Measure::continuous("score");
/// let grid = DeltaGrid::new("t", [0.0, -1.0, -2.0]).of_reference([0.0, 1.0]);
/// let grid = grid.run(&imputed, &score, &DifferenceInMeans::new())?;
/// assert!((grid.values[0][0] - grid.values[1][0] - 1.0 / 3.0).abs() < 1e-12);
/// assert!((grid.values[0][0] - grid.plain).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Carpenter & Kenward (2013), Multiple Imputation and its Application, chapter 10. White, Carpenter & Horton
/// (2012), Clinical Trials 9:396.
#[derive(Debug, Clone, PartialEq)]
pub struct DeltaGrid {
    treatment: String,
    of_treatment: Vec<f64>,
    of_reference: Vec<f64>,
    alpha: f64,
    complete_df: CompleteDf,
}

impl DeltaGrid {
    /// Deltas of a treatment, the missing of the reference as imputed; alpha 0.05.
    pub fn new(treatment: impl AsRef<str>, deltas: impl IntoIterator<Item = f64>) -> Self {
        Self {
            treatment: treatment.as_ref().to_owned(),
            of_treatment: deltas.into_iter().collect(),
            of_reference: vec![0.0],
            alpha: 0.05,
            complete_df: CompleteDf::default(),
        }
    }

    /// Deltas of the reference; default: 0 alone.
    #[must_use]
    pub fn of_reference(mut self, deltas: impl IntoIterator<Item = f64>) -> Self {
        self.of_reference = deltas.into_iter().collect();
        self
    }

    setters! {
        /// The level of significance; default 0.05.
        alpha: f64;
        /// The degrees of freedom of complete data. Default: those of the estimator.
        complete_df: CompleteDf;
    }

    /// The effects over the grid.
    ///
    /// # Errors
    /// See [`DeltaGrid`].
    pub fn run<A: Arm, E: Estimator<Continuous> + Sync>(
        &self,
        imputed: &ImputedTrial<A>,
        measure: &Measure<Continuous>,
        estimator: &E,
    ) -> Result<TippingGrid> {
        check_alpha(self.alpha)?;
        let Some(column) = measure.column() else {
            let why = "the measure is made of several columns, of which no one holds what is shifted; impute the score itself";
            return Err(Error::invalid(why).in_measure(measure.name()));
        };
        let cells = self.of_treatment.len() * self.of_reference.len();
        if cells == 0 || cells > MOST_CELLS {
            let why = format!(
                "{} of deltas; give at least one for either arm, and at most 250,000 in all",
                counted(cells, "pair")
            );
            return Err(Error::invalid(why).in_measure(measure.name()));
        }
        let effect = |trial: &ImputedTrial<A>| {
            trial.on(measure)?.complete_df(self.complete_df).estimate(estimator)?.treatment(&self.treatment)
        };
        let plain = effect(imputed)?;
        let reference = plain.reference().to_string();
        let task = Task::start("pairs of deltas", cells as u64);
        let (mut values, mut p_values) = (Vec::new(), Vec::new());
        for &own in &self.of_treatment {
            let shifted = imputed.delta(column, &self.treatment, own)?;
            let mut row = (Vec::new(), Vec::new());
            for &other in &self.of_reference {
                let one = effect(&shifted.delta(column, &reference, other)?)?;
                row.0.push(one.value());
                row.1.push(one.p_value());
                task.advance(1)?;
            }
            values.push(row.0);
            p_values.push(row.1);
        }
        let about = plain.about();
        let grid = TippingGrid {
            trial: about.trials[0].clone(),
            measure: about.measure.clone(),
            scale: about.scale.clone(),
            treatment: plain.treatment().clone(),
            reference: about.reference.clone(),
            question: TippingQuestion::Deltas {
                column: column.to_owned(),
                imputations: imputed.trials().len(),
                analysis: about.method.estimator.clone(),
            },
            of_treatment: self.of_treatment.clone(),
            of_reference: self.of_reference.clone(),
            values,
            p_values,
            plain: plain.value(),
            plain_p_value: plain.p_value(),
            alpha: self.alpha,
            notices: about.notices.clone(),
        };
        grid.check()?;
        Ok(grid)
    }
}
