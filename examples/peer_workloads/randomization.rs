//! W4, W4P, W4RW: the permutation test within sites, of means, of proportions, and of 24 hypotheses in steps down.

use super::{Outcome, Run, entries};
use armwise::multiplicity::Alternative;
use armwise::randomization::{Assignments, BlockWeights, Exactness, NullDistribution, Replay, Statistic};
use serde_json::json;

impl Run {
    pub(super) fn replays(&self) -> Outcome<()> {
        let codes = |name: &str| -> Outcome<Vec<u32>> {
            Ok(self.read("W4", name)?.into_iter().map(|code| code as u32).collect())
        };
        let assignments = Assignments::new(&codes("arm")?)?.within(&codes("site")?)?;
        let draws: u64 = match self.size.as_str() {
            "S" => 1_000,
            "M" => 10_000,
            _ => 100_000,
        };
        let replay = |statistic, outcomes: &[f64], draws| {
            let n = assignments.rows();
            let mut replay = Replay::new(&assignments, statistic)
                .treatments(&[1, 2, 3])
                .block_weights(BlockWeights::AllGroups)
                .exactness(Exactness::FewAssignments)
                .draws(draws)
                .seed(1);
            for outcome in outcomes.chunks_exact(n) {
                replay = replay.outcome(outcome);
            }
            replay
        };
        let digest = |null: &NullDistribution| {
            let p: Vec<f64> = (0..3).map(|arm| null.p_values(arm).two_sided).collect();
            entries([("obs", json!(null.observed())), ("p", json!(p))])
        };
        for (workload, name) in [("W4", "yc"), ("W4P", "yb")] {
            let y = self.read("W4", name)?;
            let test = || {
                let null = replay(Statistic::BlockedDifferenceInMeans, &y, draws).run()?;
                for arm in 0..3 {
                    std::hint::black_box(null.p_values(arm));
                }
                Ok(null)
            };
            self.time(workload, test, digest)?;
        }
        let y = self.read("W4", "Y8")?;
        let test = || {
            let null = replay(Statistic::BlockedStudentizedDifference, &y, draws.min(10_000)).run()?;
            let p = null.romano_wolf(Alternative::TwoSided)?.step_down;
            Ok((null, p))
        };
        self.time("W4RW", test, |(null, p)| entries([("obs", json!(null.observed())), ("p", json!(p))]))
    }
}
