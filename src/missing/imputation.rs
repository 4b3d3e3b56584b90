use super::imputed::ImputedTrial;
use crate::compute::imputation::{ChainedEquations, ChainedImputations, Incomplete, VariableModel};
use crate::compute::interval::Interval;
use crate::data::{Column, ColumnKind, MISSING_CODE, MISSING_FLAG, Table};
use crate::design::{Arm, Label, Notice, Trial};
use crate::error::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// The model from which missing values of a column are drawn.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImputationModel {
    /// Normal regression, within the declared range of a bounded score.
    Linear,
    /// The value of one of the five people whose predicted mean is nearest: for scores and amounts of any
    /// shape.
    PredictiveMeanMatching,
    /// Logistic regression of yes and no, or of two labels.
    Logistic,
    /// Proportional odds of labels.
    Ordinal {
        /// The labels from the lowest to the highest.
        levels: Vec<String>,
    },
    /// Multinomial logistic regression of labels without order.
    Multinomial,
    /// Poisson regression of counts, or negative binomial where they spread more.
    Count,
    /// Logistic regression for an amount above zero, then matching of such amounts: for wages and benefits.
    TwoPart,
}

/// Multiple imputation of a trial within its arms, by chained equations.
///
/// Use it where the missing can be predicted from what was seen. Declare every column that the analysis uses
/// (its outcome, its covariates) and those that predict who is missing or what they would have answered.
///
/// # Formula
/// That of [`ChainedEquations`], for each arm by itself, with a stream of random numbers for each arm and
/// imputation. Declared strata and clusters are predictors, as categories.
///
/// # Assumptions
/// Missing at random within an arm, given the declared columns. Clusters as categories make standard errors
/// too large rather than too small where they are many (Andridge 2011).
///
/// # Errors
/// `insufficient_observations` for an arm of which nobody has a value, or too few for the regression, and for
/// one imputation; `unknown_column`, `unknown_category`, `column_type`; `invalid_input` for values beyond a
/// range, a column that is declared twice, and one that describes the design.
///
/// # Examples
/// ```
/// use armwise::missing::{Imputation, ImputationModel};
/// use armwise::prelude::*;
///
/// let mut text = "arm,before,score\n".to_owned();
/// for i in 0..60 {
///     let (arm, before) = (["c", "t"][i % 2], 30 + 7 * i % 23);
///     let score = before + 5 * i % 11 + 2 * (i % 2);
///     let score = if i % 7 == 3 { String::new() } else { score.to_string() };
///     text += &format!("{arm},{before},{score}\n");
/// }
/// let table = Table::from_csv_str(&text)?;
/// let trial = Trial::builder("Utrecht", table).arm_labels("arm").control("c").build()?;
///
/// let imputed = Imputation::new(7)
///     .impute("score", ImputationModel::PredictiveMeanMatching)
///     .predictors(["before"])
///     .imputations(10)
///     .run(&trial)?;
/// let model = LinearRegression::new().adjust_for(["before"]);
/// let effects = imputed.on(&Measure::continuous("score"))?.estimate(&model)?;
/// let effect = effects.treatment("t")?;
/// assert_eq!(effect.treatment_counts().analysed, 30);
/// assert!(effects.missing_information("t")?.unwrap() > 0.0);
/// println!("{effect}");
/// # Ok::<(), armwise::Error>(())
/// ```
///
/// # References
/// Rubin (1987), Multiple Imputation for Nonresponse in Surveys. Sullivan, White, Salter, Ryan & Lee (2018),
/// Statistical Methods in Medical Research 27:2610 (within arms). Andridge (2011), Biometrical Journal 53:57.
/// White, Royston & Wood (2011), Statistics in Medicine 30:377.
#[derive(Debug, Clone, PartialEq)]
pub struct Imputation {
    columns: Vec<(String, ImputationModel)>,
    ranges: Vec<(String, Interval)>,
    predictors: Vec<String>,
    imputations: u32,
    iterations: u32,
    seed: u64,
}

/// The course of the chains of one column in one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ImputationTrace {
    /// The column.
    pub column: String,
    /// The arm.
    pub arm: Label,
    /// By imputation and iteration the mean of the imputed values; of labels the mean of their places.
    pub means: Vec<Vec<f64>>,
    /// By imputation and iteration their standard deviation.
    pub spreads: Vec<Vec<f64>>,
}

impl ImputationTrace {
    /// Gelman and Rubin's ratio over the second half of the chains of means: near 1 where they have mixed.
    /// `None` for chains of fewer than eight iterations, and means that do not vary.
    pub fn r_hat(&self) -> Option<f64> {
        let length = self.means.first()?.len();
        if length < 8 {
            return None;
        }
        let half = length / 2;
        let chains: Vec<&[f64]> = self.means.iter().map(|chain| &chain[length - half..]).collect();
        let (m, l) = (chains.len() as f64, half as f64);
        let means: Vec<f64> = chains.iter().map(|chain| chain.iter().sum::<f64>() / l).collect();
        let grand = means.iter().sum::<f64>() / m;
        let between = means.iter().map(|mean| (mean - grand).powi(2)).sum::<f64>() / (m - 1.0);
        let of = |(chain, mean): (&&[f64], &f64)| {
            chain.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (l - 1.0)
        };
        let within = chains.iter().zip(&means).map(of).sum::<f64>() / m;
        (within > 1e-20 * (grand * grand + between)).then(|| ((l - 1.0) / l + between / within).sqrt())
    }
}

/// A column in the form that the chains take, for all rows of the trial.
struct Prepared {
    name: String,
    values: Vec<f64>,
    model: VariableModel,
    range: Option<Interval>,
    /// The labels of the codes of a category.
    labels: Vec<String>,
    kind: ColumnKind,
}

impl Imputation {
    /// Nothing yet, with this seed; 20 imputations after 10 iterations.
    pub fn new(seed: u64) -> Self {
        Self {
            columns: Vec::new(),
            ranges: Vec::new(),
            predictors: Vec::new(),
            imputations: 20,
            iterations: 10,
            seed,
        }
    }

    /// Imputes a column, which also predicts the others.
    #[must_use]
    pub fn impute(mut self, column: &str, model: ImputationModel) -> Self {
        self.columns.push((column.to_owned(), model));
        self
    }

    /// The smallest and the largest value of a column that is imputed by a linear model. Default: none.
    #[must_use]
    pub fn range(mut self, column: &str, range: Interval) -> Self {
        self.ranges.push((column.to_owned(), range));
        self
    }

    /// Columns that predict others. Where they lack values they are imputed, too: numbers by matching, yes
    /// and no by logistic, labels by multinomial regression.
    #[must_use]
    pub fn predictors<T: AsRef<str>>(mut self, columns: impl IntoIterator<Item = T>) -> Self {
        self.predictors.extend(columns.into_iter().map(|column| column.as_ref().to_owned()));
        self
    }

    setters! {
        /// The number of imputations, two or more. Default: 20.
        imputations: u32;
        /// The number of iterations of each. Default: 10; of one incomplete column one is enough, and no more
        /// are made.
        iterations: u32;
    }

    /// Imputes the trial.
    ///
    /// # Errors
    /// See [`Imputation`].
    pub fn run<A: Arm>(&self, trial: &Trial<A>) -> Result<ImputedTrial<A>> {
        let locate = |error: Error| error.in_trial(trial.name());
        let columns = self.prepared(trial).map_err(locate)?;
        let arms = trial.arms_of_rows();
        let mut complete: Vec<Vec<Vec<f64>>> =
            vec![columns.iter().map(|one| one.values.clone()).collect(); self.imputations.max(2) as usize];
        let (mut traces, mut notices) = (Vec::new(), Vec::new());
        for (group, label) in (0_u32..).zip(trial.arm_labels()) {
            let rows: Vec<usize> = (0..arms.len()).filter(|&row| arms[row] == group).collect();
            let incomplete = columns.iter().map(|one| {
                let values = rows.iter().map(|&row| one.values[row]).collect();
                let variable = Incomplete::new(one.name.clone(), values, one.model);
                one.range.map_or(variable.clone(), |range| variable.range(range))
            });
            let within = |error: Error| locate(error.in_arm(label));
            let chains = ChainedEquations::new(incomplete.collect()).map_err(within)?;
            let chains =
                chains.imputations(self.imputations).iterations(self.iterations).seed(self.seed).group(group);
            let drawn = chains.run().map_err(within)?;
            for (imputation, values) in drawn.values.iter().enumerate() {
                for (v, own) in columns.iter().enumerate() {
                    let missing = rows.iter().filter(|&&row| own.values[row].is_nan());
                    for (&row, value) in missing.zip(&values[v]) {
                        complete[imputation][v][row] = *value;
                    }
                }
            }
            tell(&drawn, &columns, label, &mut traces, &mut notices);
        }
        let trials = complete
            .iter()
            .map(|values| {
                let mut table = trial.table().clone();
                for (own, values) in columns.iter().zip(values) {
                    if own.values.iter().any(|x| x.is_nan()) {
                        table = completed(&table, own, values).map_err(locate)?;
                    }
                }
                Ok(trial.with_table(table))
            })
            .collect::<Result<_>>()?;
        Ok(ImputedTrial::of(trials, Some(trial.clone()))?.told(notices, traces))
    }

    /// All columns, those of the design after the others.
    fn prepared<A: Arm>(&self, trial: &Trial<A>) -> Result<Vec<Prepared>> {
        let table = trial.table();
        let mut columns: Vec<Prepared> = Vec::new();
        let usual = |name: &String| -> Result<(String, ImputationModel)> {
            let model = match table.column(name)?.kind() {
                ColumnKind::Flag => ImputationModel::Logistic,
                ColumnKind::Category => ImputationModel::Multinomial,
                _ => ImputationModel::PredictiveMeanMatching,
            };
            Ok((name.clone(), model))
        };
        let declared = self.predictors.iter().map(usual).collect::<Result<Vec<_>>>()?;
        if self.columns.is_empty() && declared.is_empty() {
            return Err(Error::invalid("no column is declared; name those to impute with impute(..)"));
        }
        let groups = trial.declared_groups();
        for (name, model) in self.columns.iter().chain(&declared) {
            let refuse = |why: &str| Err(Error::invalid(why).in_column(name));
            if columns.iter().any(|other| other.name == *name) {
                return refuse(
                    "the column is declared twice; declare it once, to be imputed or as a predictor",
                );
            }
            if groups.iter().any(|groups| groups.columns.contains(name)) {
                return refuse("the column declares strata or clusters, which predict anyway; leave it out");
            }
            let range = self.ranges.iter().find(|(other, _)| other == name).map(|(_, range)| *range);
            if range.is_some() && *model != ImputationModel::Linear {
                return refuse(
                    "a range is that of a linear model; take ImputationModel::Linear, or leave range(..) out",
                );
            }
            columns.push(prepare(table, name, model, range)?);
        }
        if let Some((name, _)) =
            self.ranges.iter().find(|(name, _)| columns.iter().all(|one| one.name != *name))
        {
            let why = "a range is given for a column that is not imputed; impute it, or leave range(..) out";
            return Err(Error::invalid(why).in_column(name));
        }
        for groups in groups {
            columns.push(Prepared {
                name: groups.columns.join(" / "),
                values: groups.codes.iter().map(|code| f64::from(*code)).collect(),
                model: VariableModel::Categories { levels: groups.labels.len() },
                range: None,
                labels: Vec::new(),
                kind: ColumnKind::Category,
            });
        }
        Ok(columns)
    }
}

/// A column of the table for the chains.
fn prepare(table: &Table, name: &str, model: &ImputationModel, range: Option<Interval>) -> Result<Prepared> {
    let column = table.column(name)?;
    let kind = column.kind();
    let of_numbers = |model: VariableModel| -> Result<Prepared> {
        let values = table.reals(name)?.to_vec();
        Ok(Prepared { name: name.to_owned(), values, model, range, labels: Vec::new(), kind })
    };
    let of_labels = |order: Option<&[String]>| -> Result<Prepared> {
        let labelled = table.labelled(name)?;
        let labels: Vec<String> = match order {
            Some(order) => order.to_vec(),
            None => labelled.levels().iter().map(ToString::to_string).collect(),
        };
        let mut places = Vec::new();
        for level in labelled.levels() {
            let Some(place) = labels.iter().position(|label| **label == **level) else {
                let unknown = ErrorKind::UnknownCategory { label: level.to_string(), known: labels };
                return Err(Error::from(unknown).in_column(name));
            };
            places.push(place as f64);
        }
        let code = |code: &u32| if *code == MISSING_CODE { f64::NAN } else { places[*code as usize] };
        let values = labelled.as_codes()?.iter().map(code).collect();
        let levels = labels.len();
        let model = match order {
            Some(_) => VariableModel::Ordered { levels },
            None => VariableModel::Categories { levels },
        };
        Ok(Prepared { name: name.to_owned(), values, model, range, labels, kind: ColumnKind::Category })
    };
    match model {
        ImputationModel::Linear => of_numbers(VariableModel::Linear),
        ImputationModel::PredictiveMeanMatching => of_numbers(VariableModel::PredictiveMeanMatching),
        ImputationModel::Count => of_numbers(VariableModel::Count),
        ImputationModel::TwoPart => of_numbers(VariableModel::TwoPart),
        ImputationModel::Logistic if kind != ColumnKind::Category => {
            let value = |flag: &u8| if *flag == MISSING_FLAG { f64::NAN } else { f64::from(*flag) };
            let values = table.flags(name)?.iter().map(value).collect();
            let model = VariableModel::Categories { levels: 2 };
            Ok(Prepared {
                name: name.to_owned(),
                values,
                model,
                range,
                labels: Vec::new(),
                kind: ColumnKind::Flag,
            })
        }
        ImputationModel::Logistic => {
            let prepared = of_labels(None)?;
            if prepared.labels.len() > 2 {
                let why = "has more than two labels; impute it by ImputationModel::Multinomial or Ordinal";
                return Err(Error::invalid(why).in_column(name));
            }
            Ok(prepared)
        }
        ImputationModel::Multinomial => of_labels(None),
        ImputationModel::Ordinal { levels } => of_labels(Some(levels)),
    }
}

/// The table with the values of a column, none of them missing.
// Codes are places of labels.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn completed(table: &Table, own: &Prepared, values: &[f64]) -> Result<Table> {
    let column = match own.kind {
        ColumnKind::Flag => Column::of_flags(values.iter().map(|x| *x == 1.0)),
        ColumnKind::Category => {
            Column::of_categories(values.iter().map(|x| own.labels[*x as usize].as_str()))
        }
        ColumnKind::Count if values.iter().all(|x| *x == x.floor() && *x >= 0.0) => {
            Column::of_counts(values.iter().copied())
        }
        _ => Column::of_reals(values.iter().copied()),
    };
    table.replacing(&own.name, column.map_err(|error| error.in_column(&own.name))?)
}

/// The traces of an arm, and what has to be said of its chains.
fn tell(
    drawn: &ChainedImputations,
    columns: &[Prepared],
    arm: &Label,
    traces: &mut Vec<ImputationTrace>,
    notices: &mut Vec<Notice>,
) {
    /// Chains that are further apart have not mixed.
    const APART: f64 = 1.2;
    for (v, own) in columns.iter().enumerate() {
        if drawn.means[v].iter().all(Vec::is_empty) {
            continue;
        }
        let trace = ImputationTrace {
            column: own.name.clone(),
            arm: arm.clone(),
            means: drawn.means[v].clone(),
            spreads: drawn.spreads[v].clone(),
        };
        let r_hat = trace.r_hat().filter(|r_hat| *r_hat > APART);
        notices.extend(r_hat.map(|r_hat| Notice::ChainsApart {
            column: own.name.clone(),
            arm: arm.clone(),
            r_hat,
        }));
        traces.push(trace);
        let left_out: Vec<String> = drawn
            .left_out
            .iter()
            .filter(|[of, _]| *of == v)
            .map(|[_, other]| columns[*other].name.clone())
            .collect();
        if !left_out.is_empty() {
            let column = own.name.clone();
            notices.push(Notice::ImputedWithout { column, arm: arm.clone(), left_out });
        }
        if drawn.determined.contains(&v) {
            notices.push(Notice::ImputedExactly { column: own.name.clone(), arm: arm.clone() });
        }
    }
}
