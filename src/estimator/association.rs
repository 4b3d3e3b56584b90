//! Tests of whether the arms differ in an outcome of several categories at all.

use crate::compute::categorical::{
    Association, ContingencyTable, FreemanHalton, MonteCarlo, Scores, StratifiedTables,
};
use crate::compute::regression::ChiSquaredTest;
use crate::design::{Categorical, Categories, Comparison, Label, MeasureInfo, Notice, Ordinal};
use crate::error::{Error, ErrorKind, Result};
use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

/// A test that all arms have the same shares of the categories, against any difference.
///
/// Categories in which nobody is do not count; a notice names them.
///
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,contract\nc,none\nc,none\nc,none\nc,temporary\nc,temporary\nc,permanent\n\
///     t,none\nt,none\nt,temporary\nt,permanent\nt,permanent\nt,permanent\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let comparison = trial.on(&Contract::nominal("contract"))?;
/// let pearson = comparison.test_independence(IndependenceTest::Pearson)?;
/// assert_eq!(pearson.df, Some(2.0));
/// let exact = comparison.test_independence(IndependenceTest::FisherFreemanHalton)?;
/// assert!(exact.p_value > pearson.p_value && exact.statistic.is_none());
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IndependenceTest {
    /// Pearson's chi-square.
    #[default]
    Pearson,
    /// The likelihood ratio (G).
    LikelihoodRatio,
    /// Fisher's exact test for tables of any size (Freeman & Halton 1951, Biometrika 38:141), by enumeration;
    /// an error where that is out of reach.
    FisherFreemanHalton,
    /// The same from random tables with the observed margins.
    FisherFreemanHaltonSimulated {
        /// The seed: the same seed gives the same p-value.
        seed: u64,
        /// The number of random tables.
        replicates: u64,
    },
    /// The generalised Cochran-Mantel-Haenszel test within the declared strata (Landis, Heyman & Koch 1978,
    /// International Statistical Review 46:237).
    CochranMantelHaenszel,
}

/// A test that all arms have the same shares of ordered categories, against a shift.
///
/// Within the declared strata where there are any (generalised Cochran-Mantel-Haenszel), else over all
/// people.
///
/// ```
/// use armwise::prelude::*;
///
/// let csv = "arm,contract\nc,none\nc,none\nc,none\nc,temporary\nc,temporary\nc,permanent\n\
///     t,none\nt,none\nt,temporary\nt,permanent\nt,permanent\nt,permanent\n";
/// let trial = Trial::builder("Utrecht", Table::from_csv_str(csv)?)
///     .arm_labels("arm")
///     .control("c")
///     .build()?;
/// let comparison = trial.on(&Contract::ordinal("contract"))?;
/// let means = comparison.test_order(OrderedTest::MeanScores(CategoryScores::Midranks))?;
/// let trend = comparison.test_order(OrderedTest::LinearByLinear(CategoryScores::Midranks))?;
/// // With two arms both are the Kruskal-Wallis test.
/// assert!((means.p_value - trend.p_value).abs() < 1e-12);
/// # Ok::<(), armwise::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OrderedTest {
    /// That the mean score is the same in all arms, which have no order; with midranks the Kruskal-Wallis
    /// test.
    MeanScores(CategoryScores),
    /// That the mean score does not rise or fall with the arms in their order (a dose): Mantel's
    /// linear-by-linear test, one degree of freedom.
    LinearByLinear(CategoryScores),
}

/// The scores of ordered categories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CategoryScores {
    /// The mean ranks of the people in the categories.
    #[default]
    Midranks,
    /// 1, 2, 3, ...
    EquallySpaced,
}

/// The result of a test of all arms and categories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssociationTest {
    /// The trial.
    pub trial: Label,
    /// The measure.
    pub measure: MeasureInfo,
    /// The test in words.
    pub name: String,
    /// Its chi-square statistic; `None` for exact tests.
    pub statistic: Option<f64>,
    /// The degrees of freedom of the statistic.
    pub df: Option<f64>,
    /// The p-value.
    pub p_value: f64,
    /// The standard error of a simulated p-value.
    pub se_p_value: Option<f64>,
    /// In how many strata the arms are compared; 1 where none were declared or the test does not use them.
    pub strata: usize,
    /// How many people are analysed: one row per arm, the reference first, one column per declared category.
    pub counts: Array2<u64>,
    /// The notices.
    pub notices: Vec<Notice>,
}

impl CategoryScores {
    fn scores(self) -> Scores<'static> {
        match self {
            Self::Midranks => Scores::Midranks,
            Self::EquallySpaced => Scores::EquallySpaced,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Midranks => "midranks",
            Self::EquallySpaced => "equally spaced scores",
        }
    }
}

impl AssociationTest {
    fn new<K: Categorical>(comparison: &Comparison<K>, categories: &Categories, name: &str) -> Self {
        let mut notices = comparison.notices().to_vec();
        let occupied = categories.occupied();
        let labels = categories.labels.iter().enumerate();
        let empty = labels.filter(|(k, _)| !occupied.contains(k));
        notices.extend(empty.map(|(_, category)| Notice::EmptyCategory { category: category.clone() }));
        notices.extend(comparison.clusters_ignored());
        Self {
            trial: comparison.trial().clone(),
            measure: comparison.measure().clone(),
            name: name.to_owned(),
            statistic: None,
            df: None,
            p_value: 1.0,
            se_p_value: None,
            strata: 1,
            counts: categories.counts.clone(),
            notices,
        }
    }

    fn chi_squared(self, test: ChiSquaredTest) -> Self {
        Self { statistic: Some(test.statistic), df: Some(test.df), p_value: test.p_value, ..self }
    }
}

/// The table without empty categories.
fn table(categories: &Categories) -> Result<ContingencyTable> {
    ContingencyTable::new(categories.counts.select(Axis(1), &categories.occupied()).view())
}

/// How many tables compare arms: those with people of two arms at least.
fn comparing(tables: &[Array2<u64>]) -> usize {
    let arms = |table: &Array2<u64>| table.rows().into_iter().filter(|row| row.sum() > 0).count();
    tables.iter().filter(|table| arms(table) > 1).count()
}

/// One table per stratum, or one of all people.
fn strata<K: Categorical>(comparison: &Comparison<K>, categories: &Categories) -> Result<Vec<Array2<u64>>> {
    let people = comparison.people()?;
    let occupied = categories.occupied();
    let Some(strata) = &people.strata else {
        return Ok(vec![categories.counts.select(Axis(1), &occupied)]);
    };
    let mut tables = vec![Array2::zeros(categories.counts.dim()); strata.labels.len()];
    for ((&stratum, &arm), &code) in strata.codes.iter().zip(&people.arm).zip(&categories.codes) {
        tables[stratum as usize][[arm as usize, code as usize]] += 1;
    }
    Ok(tables.iter().map(|table| table.select(Axis(1), &occupied)).collect())
}

fn stratified(tables: &[Array2<u64>], association: Association) -> Result<ChiSquaredTest> {
    let views: Vec<_> = tables.iter().map(|table| table.view()).collect();
    StratifiedTables::new(&views)?.test(association)
}

impl<K: Categorical> Comparison<K> {
    /// Tests that all arms have the same shares of the categories.
    ///
    /// # Errors
    /// Everybody is in one category; a table beyond enumeration; no replicates; no strata were declared, or
    /// none compares the arms.
    pub fn test_independence(&self, test: IndependenceTest) -> Result<AssociationTest> {
        let run = || {
            let categories = self.by_category()?;
            let named = |name: &str| AssociationTest::new(self, &categories, name);
            Ok(match test {
                IndependenceTest::Pearson => {
                    named("Pearson's chi-square").chi_squared(table(&categories)?.pearson_test()?)
                }
                IndependenceTest::LikelihoodRatio => {
                    named("likelihood ratio").chi_squared(table(&categories)?.likelihood_ratio_test()?)
                }
                IndependenceTest::FisherFreemanHalton => {
                    let p_value = FreemanHalton::new().p_value(&table(&categories)?).map_err(|error| {
                        let simulate = "ask for IndependenceTest::FisherFreemanHaltonSimulated with a seed";
                        match error.kind() {
                            ErrorKind::NotEstimable(_) => Error::from(ErrorKind::NotEstimable(format!(
                                "the table has too many arrangements for exact enumeration; {simulate}"
                            ))),
                            _ => error,
                        }
                    })?;
                    AssociationTest { p_value, ..named("Fisher-Freeman-Halton") }
                }
                IndependenceTest::FisherFreemanHaltonSimulated { seed, replicates } => {
                    let simulated =
                        MonteCarlo::new(seed).replicates(replicates).p_value(&table(&categories)?)?;
                    let name = format!("Fisher-Freeman-Halton, {replicates} random tables, seed {seed}");
                    AssociationTest {
                        p_value: simulated.p_value,
                        se_p_value: Some(simulated.se),
                        ..named(&name)
                    }
                }
                IndependenceTest::CochranMantelHaenszel => {
                    if self.people()?.strata.is_none() {
                        let why = "no strata were declared; declare them with strata(..), or ask for IndependenceTest::Pearson";
                        return Err(ErrorKind::NotEstimable(why.to_owned()).into());
                    }
                    let tables = strata(self, &categories)?;
                    let test = stratified(&tables, Association::General)?;
                    let named = named("generalised Cochran-Mantel-Haenszel");
                    AssociationTest { strata: comparing(&tables), ..named.chi_squared(test) }
                }
            })
        };
        run().map_err(|error: Error| self.locate(error))
    }
}

impl Comparison<Ordinal> {
    /// Tests that no arm has higher or lower categories than another.
    ///
    /// # Errors
    /// Everybody is in one category; no stratum compares the arms.
    pub fn test_order(&self, test: OrderedTest) -> Result<AssociationTest> {
        let run = || {
            let categories = self.by_category()?;
            let tables = strata(self, &categories)?;
            let (words, scores, association) = match test {
                OrderedTest::MeanScores(scores) => {
                    ("mean scores", scores, Association::RowMeanScores(scores.scores()))
                }
                OrderedTest::LinearByLinear(scores) => {
                    ("linear by linear", scores, Association::Correlation(scores.scores()))
                }
            };
            let within = if self.people()?.strata.is_some() { ", within strata" } else { "" };
            let name = format!("{words}, {}{within}", scores.words());
            let result = AssociationTest::new(self, &categories, &name);
            let chi_squared = stratified(&tables, association)?;
            Ok(AssociationTest { strata: comparing(&tables), ..result.chi_squared(chi_squared) })
        };
        run().map_err(|error: Error| self.locate(error))
    }
}
