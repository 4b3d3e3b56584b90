//! Repeated measures.

use super::{Outcome, Run, entries};
use armwise::longitudinal::{CovarianceStructure, DfMethod, MixedModel, WaveMeans, Waves};
use serde_json::json;

impl Run {
    /// The mixed model of every arm in every wave, from long rows to effects with standard errors.
    pub(crate) fn waves(&self) -> Outcome<()> {
        let codes = |name: &str| -> Outcome<Vec<u32>> {
            Ok(self.read("W11", name)?.into_iter().map(|x| x as u32).collect())
        };
        let (unit, wave, arm) = (codes("id")?, codes("wave")?, codes("arm")?);
        let (baseline, y) = (self.read("W11", "baseline")?, self.read("W11", "y")?);
        let arms = arm.iter().max().map_or(0, |most| *most as usize + 1);
        let call = || -> armwise::Result<(Vec<f64>, Vec<f64>)> {
            let waves = Waves::new(&y, &unit, &wave)?;
            let means = WaveMeans::new(&waves, arms, &arm)?.covariate_by_wave("baseline", &baseline)?;
            let fit = MixedModel::new(CovarianceStructure::Unstructured).fit(&means)?;
            let (mut values, mut errors) = (Vec::new(), Vec::new());
            for group in 1..arms {
                for &wave in &fit.waves {
                    let row = fit.effect(group, wave)?.to_vec();
                    let own = fit.coefficient(&row, DfMethod::Normal, 0.95)?;
                    values.push(own.estimate);
                    errors.push(own.se);
                }
            }
            Ok((values, errors))
        };
        self.time("W11", call, |(values, errors)| entries([("coef", json!(values)), ("se", json!(errors))]))
    }
}
