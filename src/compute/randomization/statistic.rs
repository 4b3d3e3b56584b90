use serde::{Deserialize, Serialize};

/// The statistic that a randomisation test asks of every assignment: one treatment against the control.
///
/// # Formula
///
/// `m`, `s2` and `n` are mean, variance (divisor n - 1) and number of the rows of a group; `b` runs over the
/// blocks of the assignments, `n_b` counts the rows of both groups in it. A division of zero by zero is zero,
/// and of anything else by zero infinite.
///
/// # References
///
/// Imbens & Rubin (2015), Causal Inference, chapter 5. Chung & Romano (2013), Annals of Statistics 41:484, and
/// Wu & Ding (2021), JASA 116:1898, on studentised statistics. van Elteren (1960). Rosenbaum (2002).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statistic {
    /// `m1 - m0`; of proportions too. Rejects too often where spreads and sizes of groups differ and only means
    /// are equal.
    DifferenceInMeans,
    /// `(m1 - m0) / sqrt(s1^2 / n1 + s0^2 / n0)`, Welch's. The default.
    #[default]
    StudentizedDifference,
    /// `d = sum_b (n_b / n) (m1b - m0b)`.
    BlockedDifferenceInMeans,
    /// `d / sqrt(sum_b (n_b / n)^2 (s1b^2 / n1b + s0b^2 / n0b))`.
    BlockedStudentizedDifference,
    /// `W - n1 (N + 1) / 2`: W sums the midranks of the treated among both groups.
    RankSum,
    /// `sum_b (W_b - n1b (n_b + 1) / 2) / (n_b + 1)`, with ranks within blocks.
    VanElteren,
    /// The mean of the differences within blocks of one treated and one control.
    PairedMeanDifference,
    /// That over its standard error.
    PairedT,
    /// `sum sign(d) rank |d|` of such differences, zeros left out.
    SignedRank,
    /// The difference of the unweighted means of cluster means.
    DifferenceInClusterMeans,
    /// That with Welch's standard error.
    StudentizedClusterMeans,
    /// The coefficient of the treatment in least squares on an intercept, an indicator of every group but the
    /// control, and the covariates.
    LeastSquares,
    /// That over its HC2 standard error.
    StudentizedLeastSquares,
    /// The F statistic of a one-way analysis of variance of all groups, which tells no treatment from another;
    /// only large values speak against the hypothesis.
    AnovaF,
}

impl Statistic {
    /// Whether the value is divided by a standard error of its own.
    pub fn is_studentized(self) -> bool {
        matches!(
            self,
            Self::StudentizedDifference
                | Self::BlockedStudentizedDifference
                | Self::PairedT
                | Self::StudentizedClusterMeans
                | Self::StudentizedLeastSquares
        )
    }

    /// Whether it takes blocks one by one.
    pub(super) fn is_blocked(self) -> bool {
        matches!(self, Self::BlockedDifferenceInMeans | Self::BlockedStudentizedDifference | Self::VanElteren)
            || self.is_paired()
    }

    pub(super) fn is_paired(self) -> bool {
        matches!(self, Self::PairedMeanDifference | Self::PairedT | Self::SignedRank)
    }

    pub(super) fn is_of_clusters(self) -> bool {
        matches!(self, Self::DifferenceInClusterMeans | Self::StudentizedClusterMeans)
    }

    pub(super) fn is_of_ranks(self) -> bool {
        matches!(self, Self::RankSum | Self::VanElteren)
    }

    pub(super) fn is_least_squares(self) -> bool {
        matches!(self, Self::LeastSquares | Self::StudentizedLeastSquares)
    }

    /// Whether it is linear in the outcomes, so that intervals are a matter of two values for each assignment.
    pub fn is_linear(self) -> bool {
        matches!(
            self,
            Self::DifferenceInMeans
                | Self::BlockedDifferenceInMeans
                | Self::PairedMeanDifference
                | Self::DifferenceInClusterMeans
                | Self::LeastSquares
        )
    }

    /// The name in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::DifferenceInMeans => "difference in means",
            Self::StudentizedDifference => "studentised difference in means",
            Self::BlockedDifferenceInMeans => "difference in means within blocks",
            Self::BlockedStudentizedDifference => "studentised difference in means within blocks",
            Self::RankSum => "rank sum",
            Self::VanElteren => "van Elteren's rank sum within blocks",
            Self::PairedMeanDifference => "mean difference of pairs",
            Self::PairedT => "t of pairs",
            Self::SignedRank => "signed rank",
            Self::DifferenceInClusterMeans => "difference in means of clusters",
            Self::StudentizedClusterMeans => "studentised difference in means of clusters",
            Self::LeastSquares => "coefficient of least squares",
            Self::StudentizedLeastSquares => "coefficient of least squares over its HC2 standard error",
            Self::AnovaF => "F of an analysis of variance of all groups",
        }
    }
}

/// The people of a block by whom its difference is weighted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockWeights {
    /// Those of the two groups that are compared. The default.
    #[default]
    ComparedGroups,
    /// Those of all groups: every treatment then has the same weights.
    AllGroups,
}

/// One statistic of all treatments together, of which only large values speak against the hypothesis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum JointStatistic {
    /// The largest absolute value of any treatment. The default.
    #[default]
    LargestAbsolute,
    /// The sum of the squares of all treatments.
    SumOfSquares,
}

impl JointStatistic {
    pub(super) fn of(self, values: impl Iterator<Item = f64>) -> f64 {
        match self {
            Self::SumOfSquares => values.map(|value| value * value).sum(),
            // A maximum drops what is not a number, which has to count as extreme.
            Self::LargestAbsolute => values.fold(0.0, |most: f64, value| {
                if value.is_nan() || most.is_nan() { f64::NAN } else { most.max(value.abs()) }
            }),
        }
    }

    /// The name in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::LargestAbsolute => "largest absolute value of all treatments",
            Self::SumOfSquares => "sum of the squares of all treatments",
        }
    }
}
