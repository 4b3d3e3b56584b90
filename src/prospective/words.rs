//! The assumptions of a planned trial, in words.

use super::{ExpectedOutcome, PlannedTrial};
use crate::compute::power::{Aim, Family, ProportionFormula, Tails};
use crate::error::{Result, counted, number, percent};

impl PlannedTrial {
    /// What the answers rest on, a sentence each.
    ///
    /// # Errors
    /// None for a trial that was made.
    pub fn assumptions(&self) -> Result<Vec<String>> {
        let mut words = vec![self.outcome.words()];
        words.push(match self.test.tails() {
            Tails::One => format!("The test is one-sided at {}.", percent(self.test.alpha())),
            Tails::Both => format!("The test is two-sided at {}.", percent(self.test.alpha())),
            Tails::Nearer => format!(
                "The test is two-sided at {}, and only the effect's tail is counted.",
                percent(self.test.alpha())
            ),
        });
        match self.aim {
            Aim::Difference => {}
            Aim::NonInferiority { margin } => {
                words.push(format!(
                    "The claim is non-inferiority with a margin of {}{}.",
                    number(margin),
                    self.variance_of_margin()
                ));
            }
            Aim::Equivalence { margin } => {
                words.push(format!(
                    "The claim is equivalence within a margin of {}{}.",
                    number(margin),
                    self.variance_of_margin()
                ));
            }
        }
        if self.treatments > 1 {
            let family = match self.family {
                Family::Unadjusted => "each at the whole level (the chance of any false claim is larger)",
                Family::Bonferroni => "with Bonferroni's adjustment",
                Family::Sidak => "with Sidak's adjustment",
                Family::Dunnett => "with Dunnett's critical value",
            };
            words.push(format!(
                "{} are compared with one control arm, {family}; the power is that of one comparison.",
                counted(self.treatments, "treatment")
            ));
        }
        if self.covariates > 0 {
            words.push(format!(
                "{} explain {} of the variance within arms.",
                counted(self.covariates, "covariate"),
                percent(self.r2)
            ));
        }
        if let Some(clusters) = self.clusters {
            words.push(format!(
                "People are assigned in clusters of {} on average, with a design effect of {:.3}; critical values are those of many \
                 clusters, so that fewer than about 30 in all show less.",
                number(clusters.size()),
                clusters.design_effect()
            ));
        }
        if self.attrition > 0.0 {
            words.push(format!(
                "The outcome of {} is missing, alike in all arms and unrelated to it.",
                percent(self.attrition)
            ));
        }
        if self.take_up != [1.0, 0.0] {
            words.push(format!(
                "{} of the treated arm and {} of the control arm take the treatment up; the effect is that of the offer, \
                 and those who do not take it up are as the control arm.",
                percent(self.take_up[0]),
                percent(self.take_up[1])
            ));
        }
        if let Some(looks) = &self.looks {
            words.push(format!(
                "{} at the data: {}; statistics are normal.",
                counted(looks.looks().len(), "look"),
                looks.rule().words()
            ));
        }
        Ok(words)
    }

    /// What is added where a margin changes the formula of proportions.
    fn variance_of_margin(&self) -> &'static str {
        match &self.outcome {
            ExpectedOutcome::Proportions { formula, .. }
                if !matches!(
                    formula,
                    ProportionFormula::Unpooled
                        | ProportionFormula::LogRiskRatio
                        | ProportionFormula::LogOddsRatio
                ) =>
            {
                ", by the unpooled variance"
            }
            _ => "",
        }
    }
}
