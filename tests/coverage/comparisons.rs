//! Type I errors of comparisons between trials: of subgroups of trials, and of the additivity of components.

use super::draw::Stream;
use super::pools;
use super::{replicates, threads};
use armwise::distribution::ChiSquared;
use armwise::meta_analysis::{RandomEffects, SubgroupAnalysis, SubgroupTau2, Test};
use armwise::prelude::NetworkMetaAnalysis;
use std::fmt::Write;

/// The p-values of all methods at a setting; an error is none.
type Draw = dyn Fn(usize, &mut Stream) -> Vec<Option<f64>> + Sync;

struct TypeOne {
    /// Keys the random numbers.
    number: u64,
    title: &'static str,
    settings: Vec<String>,
    methods: Vec<&'static str>,
    draw: Box<Draw>,
}

impl TypeOne {
    /// Shares of p < 0.05 in per cent, by method and setting.
    fn run(&self, replicates: usize) -> Vec<Vec<f64>> {
        let (methods, threads) = (self.methods.len(), threads());
        let mut shares = vec![Vec::new(); methods];
        for setting in 0..self.settings.len() {
            let key = (self.number << 16) | setting as u64;
            let count = |thread: usize| {
                let mut found = vec![(0_u32, 0_u32); methods];
                for replicate in (thread..replicates).step_by(threads) {
                    let answers = (self.draw)(setting, &mut Stream::new(key, replicate as u64));
                    for ((rejected, all), p) in found.iter_mut().zip(answers) {
                        *rejected += u32::from(p.is_some_and(|p| p < 0.05));
                        *all += u32::from(p.is_some());
                    }
                }
                found
            };
            let parts: Vec<Vec<(u32, u32)>> = std::thread::scope(|scope| {
                let running: Vec<_> = (0..threads).map(|thread| scope.spawn(move || count(thread))).collect();
                running.into_iter().map(|part| part.join().unwrap()).collect()
            });
            for (method, row) in shares.iter_mut().enumerate() {
                let sum =
                    |of: fn(&(u32, u32)) -> u32| parts.iter().map(|part| of(&part[method])).sum::<u32>();
                row.push(100.0 * f64::from(sum(|one| one.0)) / f64::from(sum(|one| one.1)));
            }
        }
        shares
    }

    fn print(&self) -> Vec<Vec<f64>> {
        let replicates = replicates().min(2000);
        let shares = self.run(replicates);
        let mut text =
            format!("## {}\n\nType I error in per cent at 5%, {replicates} replicates", self.title);
        writeln!(text, " (se {:.1} points).\n", 100.0 * (0.05 * 0.95 / replicates as f64).sqrt()).unwrap();
        writeln!(text, "| method | {} |", self.settings.join(" | ")).unwrap();
        writeln!(text, "|{}", "---|".repeat(self.settings.len() + 1)).unwrap();
        for (name, row) in self.methods.iter().zip(&shares) {
            let cells: Vec<String> = row.iter().map(|share| format!("{share:.1}")).collect();
            writeln!(text, "| {name} | {} |", cells.join(" | ")).unwrap();
        }
        println!("{text}");
        shares
    }

    fn row<'a>(&self, shares: &'a [Vec<f64>], method: &str) -> &'a [f64] {
        &shares[self.methods.iter().position(|name| *name == method).expect(method)]
    }
}

/// Groups, studies to a group, and tau.
const GROUPS: [(usize, usize, f64); 6] =
    [(2, 2, 0.0), (2, 3, 0.0), (2, 3, 1.0), (3, 3, 0.0), (3, 3, 1.0), (2, 6, 0.0)];

fn subgroups() -> TypeOne {
    let draw = |setting: usize, stream: &mut Stream| {
        let (groups, studies, tau) = GROUPS[setting];
        let labels: Vec<String> = (0..groups * studies).map(|i| format!("{}", i / studies)).collect();
        let vi: Vec<f64> = labels.iter().map(|_| (2.0 * stream.uniform() - 1.0).exp()).collect();
        let yi: Vec<f64> = vi.iter().map(|v| (v + tau * tau).sqrt() * stream.normal()).collect();
        let by = |test, tau2| RandomEffects::new().test(test).subgroups(&yi, &vi, &labels, tau2);
        let p = |analysis: armwise::Result<SubgroupAnalysis>| Some(analysis.ok()?.between.p_value);
        // As it was: Q with the standard errors of the wider interval at 95%, chi-squared.
        let before = by(Test::WiderOfBoth, SubgroupTau2::Separate).ok().map(|analysis| {
            let weight = |se: f64| 1.0 / (se * se);
            let total: f64 = analysis.groups.iter().map(|group| weight(group.se)).sum();
            let sum: f64 = analysis.groups.iter().map(|group| weight(group.se) * group.estimate).sum();
            let spread = |value: f64| (value - sum / total).powi(2);
            let q = analysis.groups.iter().map(|group| weight(group.se) * spread(group.estimate)).sum();
            ChiSquared::new(analysis.between.df).unwrap().sf(q)
        });
        vec![
            before,
            p(by(Test::WiderOfBoth, SubgroupTau2::Common)),
            p(by(Test::HartungKnapp, SubgroupTau2::Common)),
            p(by(Test::HartungKnappTruncated, SubgroupTau2::Common)),
            p(by(Test::WiderOfBoth, SubgroupTau2::Separate)),
            p(by(Test::HartungKnapp, SubgroupTau2::Separate)),
            p(by(Test::Normal, SubgroupTau2::Separate)),
        ]
    };
    TypeOne {
        number: 41,
        title: "Subgroups of trials that do not differ",
        settings: GROUPS.map(|(groups, studies, tau)| format!("{groups} x {studies}, tau {tau}")).to_vec(),
        methods: vec![
            "before: own tau2, errors of the wider interval, chi-squared",
            "one tau2, wider of both (default)",
            "one tau2, Hartung-Knapp",
            "one tau2, Hartung-Knapp truncated",
            "own tau2, wider of both",
            "own tau2, Hartung-Knapp, Welch's F",
            "own tau2, Wald",
        ],
        draw: Box::new(draw),
    }
}

const TAU: [f64; 3] = [0.0, 0.03, 0.06];

fn additivity() -> TypeOne {
    let draw = |setting: usize, stream: &mut Stream| {
        let effects = pools::cities_with_all_arms(0.15, TAU[setting], pools::EFFECT, stream);
        let components = pools::components().pool(&effects);
        let network = NetworkMetaAnalysis::random().pool(&effects);
        let Ok((components, network)) = components.and_then(|one| Ok((one, network?))) else {
            return vec![None; 4];
        };
        let (all, own) = (components.model.q, network.pool.model.q);
        let excess = ChiSquared::new(all.df - own.df).unwrap().sf((all.statistic - own.statistic).max(0.0));
        vec![
            Some(all.p_value),
            Some(excess),
            components.additivity.map(|test| test.p_value),
            network.additivity(&components).ok().map(|test| test.p_value),
        ]
    };
    TypeOne {
        number: 42,
        title: "Additivity of components that add up, six municipalities",
        settings: TAU.map(|tau| format!("15%, tau {tau}")).to_vec(),
        methods: vec![
            "before: Q of the component model",
            "before: Q of the component model less Q of the network",
            "Wald of the contrasts, F (default)",
            "the same, asked of the network",
        ],
        draw: Box::new(draw),
    }
}

#[test]
#[ignore = "minutes; the command is in the head of the file"]
fn type_one_errors_of_subgroups() {
    let study = subgroups();
    let shares = study.print();
    if replicates() >= 2000 {
        let default = study.row(&shares, "one tau2, wider of both (default)");
        assert!(default.iter().all(|share| *share <= 6.5), "{default:?}");
    }
}

#[test]
#[ignore = "minutes; the command is in the head of the file"]
fn type_one_errors_of_additivity() {
    let study = additivity();
    let shares = study.print();
    if replicates() >= 2000 {
        let default = study.row(&shares, "Wald of the contrasts, F (default)");
        assert!(default.iter().all(|share| *share <= 6.5), "{default:?}");
    }
}
