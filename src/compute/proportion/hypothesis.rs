//! Tests of equal proportions, asymptotic and conditional on both margins.

use super::TwoProportions;
use super::discrete::Hypergeometric;
use crate::compute::hypothesis::{ChiSquaredTest, PValues, SignedTest};
use crate::error::{Error, ErrorKind, Result};

/// The variance in the statistic of a difference between two proportions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DifferenceVariance {
    /// `p q (1/n1 + 1/n0)`, `p` the proportion of both groups together.
    Pooled,
    /// `p1 q1 / n1 + p0 q0 / n0`.
    Unpooled,
}

/// Chi-square statistics of a two by two table, `O` the observed and `E` the expected cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChiSquareStatistic {
    /// `sum (O - E)^2 / E`. Pearson (1900). The square of the pooled z statistic.
    Pearson,
    /// `sum (|O - E| - c)^2 / E` with `c = min(1/2, |O - E|)`, as R's `chisq.test` and `prop.test`. Yates
    /// (1934).
    Yates,
    /// Pearson's times `(N - 1)/N`. Campbell (2007, Statistics in Medicine 26:3661-3675).
    NMinusOne,
    /// `2 sum O ln(O / E)`, the likelihood ratio statistic G.
    LikelihoodRatio,
}

/// Two-sided mid-p values: conventions differ widely, so that the choice is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MidPTwoSided {
    /// Twice the smaller one-sided mid-p, at most 1.
    Doubled,
    /// Fisher's two-sided p minus half the probability of the observed table.
    FisherMinusHalf,
    /// The tables less likely than the observed one, plus half of all those as likely as it (Hirji, Tan &
    /// Elashoff 1991).
    HalfOfTies,
}

impl TwoProportions {
    /// The z test of equal proportions, `z = (p1 - p0) / sqrt(variance)`.
    ///
    /// # Errors
    /// `not_estimable` where all participants or none have the event.
    pub fn z_test(&self, variance: DifferenceVariance) -> Result<SignedTest> {
        self.z_statistic(variance).map_or_else(|| Err(no_spread()), |z| Ok(SignedTest::normal(z)))
    }

    /// The statistic of [`z_test`](Self::z_test); `None` for 0/0.
    pub(super) fn z_statistic(&self, variance: DifferenceVariance) -> Option<f64> {
        let c = self.cells();
        // Equal proportions have equal products of counts, and so exactly 0.
        let product = c.x1 * c.y0 - c.x0 * c.y1;
        match variance {
            DifferenceVariance::Pooled => {
                let margins = (c.n1() * c.n0()).sqrt() * ((c.x1 + c.x0) * (c.y1 + c.y0)).sqrt();
                (margins > 0.0).then(|| product * c.total().sqrt() / margins)
            }
            DifferenceVariance::Unpooled => z_ratio(
                product / (c.n1() * c.n0()),
                (self.treatment.variance() + self.control.variance()).sqrt(),
            ),
        }
    }

    /// A chi-square test of equal proportions, with one degree of freedom.
    ///
    /// # Errors
    /// `not_estimable` where all participants or none have the event.
    ///
    /// # Examples
    /// ```
    /// use armwise::proportion::{ChiSquareStatistic, Proportion, TwoProportions};
    ///
    /// let two = TwoProportions::new(Proportion::new(9, 10)?, Proportion::new(3, 10)?);
    /// assert!((two.chi_square_test(ChiSquareStatistic::Pearson)?.statistic - 7.5).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn chi_square_test(&self, statistic: ChiSquareStatistic) -> Result<ChiSquaredTest> {
        let c = self.cells();
        let (n, events, nonevents) = (c.total(), c.x1 + c.x0, c.y1 + c.y0);
        if events == 0.0 || nonevents == 0.0 {
            return Err(no_spread());
        }
        // |O - E| is the same in all four cells, and the sum of 1/E factors.
        let deviation = (c.x1 * c.y0 - c.x0 * c.y1).abs() / n;
        let reciprocals = (n / (c.n1() * c.n0())) * (n / (events * nonevents)) * n;
        let value = match statistic {
            ChiSquareStatistic::Pearson => deviation * deviation * reciprocals,
            ChiSquareStatistic::Yates => (deviation - 0.5).max(0.0).powi(2) * reciprocals,
            ChiSquareStatistic::NMinusOne => deviation * deviation * reciprocals * ((n - 1.0) / n),
            ChiSquareStatistic::LikelihoodRatio => {
                let rate = [
                    (c.x1, c.n1(), events),
                    (c.y1, c.n1(), nonevents),
                    (c.x0, c.n0(), events),
                    (c.y0, c.n0(), nonevents),
                ];
                let sum: f64 =
                    rate.iter().map(|(o, row, column)| deviance_term(*o, row * (column / n))).sum();
                (2.0 * sum).max(0.0)
            }
        };
        Ok(ChiSquaredTest::one_df(value))
    }

    /// Fisher's exact test, conditional on both margins. The two-sided p-value sums the tables no more likely
    /// than the observed one (ties with relative tolerance 1e-7), as R's `fisher.test` does. Defined for
    /// every table.
    ///
    /// ```
    /// use armwise::proportion::{Proportion, TwoProportions};
    ///
    /// let tea = TwoProportions::new(Proportion::new(3, 4)?, Proportion::new(1, 4)?);
    /// assert!((tea.fisher_test().greater - 17.0 / 70.0).abs() < 1e-12);
    /// # Ok::<(), armwise::Error>(())
    /// ```
    pub fn fisher_test(&self) -> PValues {
        let table = Hypergeometric::new(self.cells());
        let tails = table.tails(1.0);
        PValues {
            less: (tails.below + tails.at).min(1.0),
            greater: (tails.above + tails.at).min(1.0),
            two_sided: table.minlike().no_more_likely,
        }
    }

    /// Fisher's exact test with half the probability of the observed table (Lancaster 1961). Defined for
    /// every table.
    pub fn mid_p_test(&self, two_sided: MidPTwoSided) -> PValues {
        let table = Hypergeometric::new(self.cells());
        let tails = table.tails(1.0);
        let (less, greater) = (tails.below + 0.5 * tails.at, tails.above + 0.5 * tails.at);
        let minlike = table.minlike();
        let two_sided = match two_sided {
            MidPTwoSided::Doubled => (2.0 * less.min(greater)).min(1.0),
            MidPTwoSided::FisherMinusHalf => minlike.no_more_likely - 0.5 * minlike.at,
            MidPTwoSided::HalfOfTies => minlike.no_more_likely - 0.5 * minlike.ties,
        };
        PValues { less, greater, two_sided }
    }
}

/// `o ln(o / e)`, 0 for `o = 0`.
fn deviance_term(o: f64, e: f64) -> f64 {
    if o > 0.0 { o * (o / e).ln() } else { 0.0 }
}

/// A ratio to a standard error that may be 0: infinite then, `None` for 0/0.
pub(super) fn z_ratio(numerator: f64, se: f64) -> Option<f64> {
    (numerator != 0.0 || se > 0.0).then(|| numerator / se)
}

pub(super) fn no_spread() -> Error {
    ErrorKind::NotEstimable(
        "all participants or none have the event, so that the statistic is 0/0; use Fisher's or an unconditional exact test"
            .into(),
    )
    .into()
}
