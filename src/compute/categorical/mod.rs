//! Unordered and ordered categories: tables of counts, multinomial and cumulative regression.
//!
//! | what | where |
//! |---|---|
//! | r x c table: Pearson, likelihood ratio, trend, Kruskal-Wallis, Cramer's V, residuals | [`ContingencyTable`] |
//! | the Fisher-Freeman-Halton test, exact or simulated | [`FreemanHalton`], [`MonteCarlo`] |
//! | tables in strata: generalised Cochran-Mantel-Haenszel | [`StratifiedTables`] |
//! | trend in proportions: Cochran-Armitage | [`TrendTest`] |
//! | several groups: Kruskal-Wallis, analysis of variance, Welch | [`OneWay`] |
//! | unordered categories: multinomial logistic regression | [`MultinomialRegression`] |
//! | ordered categories: proportional odds, ordered probit, Brant's test | [`CumulativeRegression`], [`BrantTest`] |
//! | intervals that hold together | [`Simultaneous`] |
//! | category probabilities standardised over the covariates | [`StandardizedCategories`] |

mod brant;
mod compare;
mod cumulative;
mod cumulative_likelihood;
mod cumulative_vectors;
mod exact;
mod fit;
mod likelihood;
mod multinomial;
mod multinomial_likelihood;
mod multinomial_vectors;
mod one_way;
pub(crate) mod passes;
mod rows;
mod simulation;
mod simultaneous;
mod standardized;
mod stratified;
mod table;
mod trend;

pub use brant::{BrantCoefficient, BrantTest};
pub use cumulative::{CumulativeFit, CumulativeRegression};
pub use cumulative_likelihood::CumulativeLink;
pub use exact::FreemanHalton;
pub use fit::{CategoryFit, CategoryVariance};
pub use multinomial::{MultinomialFit, MultinomialRegression};
pub use one_way::{KruskalWallis, OneWay, OneWayAnova};
pub use simulation::{MonteCarlo, SimulatedPValue};
#[doc(alias("simultaneous intervals", "multiple comparisons"))]
pub use simultaneous::Simultaneous;
pub use simultaneous::SimultaneousFamily;
pub use standardized::{ProbabilityDifferences, StandardizedCategories};
pub use stratified::{Association, StratifiedTables};
pub use table::{ContingencyTable, CramersV, LinearByLinear, Scores};
pub use trend::{ScoredGroup, TrendTest};
