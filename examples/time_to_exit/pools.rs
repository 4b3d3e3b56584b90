//! All arms of all cities in one model for each estimator.

use super::cities::plain;
use super::{OTHERWISE, TO_WORK};
use armwise::prelude::*;
use armwise::report::format::p_value;
use armwise::report::{Align, Cell, Grid};

pub(crate) struct Pools {
    /// Exit to work by 12 months, in all cities.
    pub at_12: JointlyPooled<AnyScale>,
    /// By 24 months, in the cities that were followed so long.
    pub at_24: JointlyPooled<AnyScale>,
    /// Months on benefit until 12.
    pub months: JointlyPooled<AnyScale>,
    /// The cause-specific hazard of exit to work, within strata.
    pub hazard: JointlyPooled<AnyScale>,
    subdistribution: JointlyPooled<AnyScale>,
    /// The hazard of other exits.
    otherwise: JointlyPooled<AnyScale>,
    /// By 12 months and of hazards, where the effects of the parts of an arm add up.
    pub components: [JointlyPooled<AnyScale>; 2],
}

impl Pools {
    pub(crate) fn new(trials: &Trials) -> armwise::Result<Self> {
        let exits = trials.on(&TO_WORK)?;
        let joint = JointModel::random();
        let at_12 = exits.estimate(&RiskAtHorizon::new(RiskDifference, 12.0))?;
        let at_24 = exits.followed_until(24.0)?.estimate(&RiskAtHorizon::new(RiskDifference, 24.0))?;
        let months = exits.estimate(&RestrictedMeanTime::new(MeanDifference, 12.0))?;
        let cox = CoxRegression::new().stratified();
        let hazard = exits.estimate(&cox)?;
        let components = ComponentModel::random();
        Ok(Self {
            at_12: joint.pool(&at_12)?.to_any(),
            at_24: joint.pool(&at_24)?.to_any(),
            months: joint.pool(&months)?.to_any(),
            hazard: joint.pool(&hazard)?.to_any(),
            subdistribution: joint.pool(&exits.estimate(&FineGrayRegression::new())?)?.to_any(),
            otherwise: joint.pool(&trials.on(&OTHERWISE)?.estimate(&cox)?)?.to_any(),
            components: [components.pool(&at_12)?.to_any(), components.pool(&hazard)?.to_any()],
        })
    }

    fn all(&self) -> [(&'static str, &JointlyPooled<AnyScale>); 6] {
        [
            ("Exit to work by 12 months, points", &self.at_12),
            ("Exit to work by 24 months, points", &self.at_24),
            ("On benefit until 12 months, months", &self.months),
            ("Hazard ratio of exit to work", &self.hazard),
            ("Subdistribution hazard ratio of exit to work", &self.subdistribution),
            ("Hazard ratio of other exit", &self.otherwise),
        ]
    }

    /// A row for each arm, a column for each estimator.
    pub(crate) fn grid(&self) -> Grid {
        let mut grid = Grid::new(
            "Effects against control (95% interval), all arms of all cities in one model (random effects, REML)",
        )
        .column("Arm", Align::Left);
        for (heading, _) in self.all() {
            grid = grid.column(heading, Align::Right);
        }
        for arm in self.at_12.coefficients() {
            let cells = self.all().map(|(_, model)| match model.coefficient(&arm.label) {
                Ok(one) => Cell::effect(model.about(), one),
                Err(_) => Cell::missing(),
            });
            grid.push(std::iter::once(Cell::text(plain(&arm.label))).chain(cells));
        }
        grid
    }

    /// What the intervals exclude.
    pub(crate) fn words(&self) -> [String; 6] {
        self.all().map(|(heading, model)| {
            let name = heading.split(", ").next().unwrap_or(heading);
            let shown: Vec<String> = model
                .coefficients()
                .iter()
                .filter(|one| one.p_value() < 0.05)
                .map(|one| format!("{} ({})", plain(&one.label), p_value(one.p_value())))
                .collect();
            let cities = model.trials().len();
            if shown.is_empty() {
                let least = model.coefficients().iter().map(|one| one.p_value()).fold(1.0, f64::min);
                format!(
                    "{name}, {cities} cities: the intervals of all {} arms include no effect; the smallest p-value is {}.",
                    model.coefficients().len(),
                    p_value(least).trim_start_matches("p = "),
                )
            } else {
                format!("{name}, {cities} cities: the interval of {} excludes no effect.", shown.join(" and of "))
            }
        })
    }
}
