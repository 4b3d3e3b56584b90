//! Attacks the claims of armwise with seeded random inputs: `cargo run -p armwise-fuzz -- --help`.
//!
//! A case is a function of the seed, the name of its target and its number, so that a line of a failure is all
//! that is needed to see it again. Every failure that was mended has a test of its own in `tests/`.

// Made-up counts are small and positive.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]

#[path = "../../tests/behaviour/field_programs.rs"]
mod field_programs;
#[path = "../../tests/support/mod.rs"]
#[allow(dead_code)]
mod support;
#[path = "../../tests/behaviour/reports/svg.rs"]
#[allow(dead_code)]
mod svg;
#[path = "../../tests/laws/tiny_trials.rs"]
#[allow(dead_code)]
mod tiny_trials;

mod closed;
mod designs;
mod distributions;
mod files;
mod labels;
mod numerics;
mod plans;
mod programs;
mod results;
mod sizes;
mod trials;
mod waves;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use support::Numbers;

/// What is attacked: its name, its function, and how long one case may take in a build that checks overflow.
const TARGETS: [(&str, Target, Duration); 10] = [
    ("files", files::attack, Duration::from_secs(2)),
    ("plans", plans::attack, Duration::from_secs(10)),
    ("results", results::attack, Duration::from_secs(20)),
    ("labels", labels::attack, Duration::from_secs(5)),
    ("trials", trials::attack, Duration::from_secs(60)),
    ("designs", designs::attack, Duration::from_secs(60)),
    ("waves", waves::attack, Duration::from_secs(20)),
    ("numerics", numerics::attack, Duration::from_secs(5)),
    ("distributions", distributions::attack, Duration::from_secs(5)),
    ("closed", closed::attack, Duration::from_secs(5)),
];

/// One case: what it looked at is counted; a wrong answer panics.
type Target = fn(&mut Numbers) -> u64;

const HELP: &str = "\
Seeded attacks on the claims of armwise.

    cargo run -p armwise-fuzz -- [target] [--seconds N] [--seed S] [--case I]
    cargo run --release -p armwise-fuzz -- sizes [--times N]
    cargo run --release -p armwise-fuzz -- programs

target     files, plans, results, labels, trials, designs, waves,
           numerics (default: these in turn), distributions or closed
--seconds  how long each target is attacked; default 10
--seed     the seed; default 1
--case     this case only, with its panic
--threads  on how many threads; default: all
sizes      time and memory of large inputs at three sizes, N times as large (default 1)
programs   time and memory of the programs that broke an early version
";

struct Options {
    target: Option<String>,
    seconds: u64,
    seed: u64,
    case: Option<u64>,
    times: u64,
    threads: u64,
}

fn options() -> Result<Options, String> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let mut options = Options { target: None, seconds: 10, seed: 1, case: None, times: 1, threads };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or_else(|| format!("{argument} needs a number"))?;
            text.parse::<u64>().map_err(|_| format!("{argument} needs a number, not {text:?}"))
        };
        match argument.as_str() {
            "--seconds" => options.seconds = number()?,
            "--seed" => options.seed = number()?,
            "--case" => options.case = Some(number()?),
            "--times" => options.times = number()?,
            "--threads" => options.threads = number()?.max(1),
            "sizes" | "programs" => options.target = Some(argument.clone()),
            name if TARGETS.iter().any(|(target, ..)| *target == name) => {
                options.target = Some(argument.clone());
            }
            _ => return Err(HELP.to_owned()),
        }
    }
    Ok(options)
}

/// The numbers of one case, far from those of its neighbours.
fn numbers(name: &str, seed: u64, case: u64) -> Numbers {
    let mut state = seed
        ^ name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
    state = state.wrapping_add(case.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    state = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    Numbers(state ^ (state >> 31))
}

/// What each thread found: cases, things looked at, and the failures.
fn attack(name: &str, target: Target, most: Duration, options: &Options) -> (u64, u64, Vec<String>) {
    let threads = options.threads;
    let end = Instant::now() + Duration::from_secs(options.seconds);
    let work = |thread: u64| {
        let (mut cases, mut seen, mut failures) = (0, 0, Vec::new());
        let mut case = thread;
        while Instant::now() < end && failures.len() < 20 {
            let mut numbers = numbers(name, options.seed, case);
            let start = Instant::now();
            match catch_unwind(AssertUnwindSafe(|| target(&mut numbers))) {
                Ok(count) => seen += count,
                Err(_) => failures.push(format!("{name} --seed {} --case {case}: panicked", options.seed)),
            }
            if start.elapsed() > most {
                failures.push(format!(
                    "{name} --seed {} --case {case}: took {:.1?}",
                    options.seed,
                    start.elapsed()
                ));
            }
            cases += 1;
            case += threads;
        }
        (cases, seen, failures)
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        all.into_iter().fold((0, 0, Vec::new()), |mut sum, thread| {
            let (cases, seen, failures) = thread.join().expect("a thread of the attack ends");
            sum.0 += cases;
            sum.1 += seen;
            sum.2.extend(failures);
            sum
        })
    })
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(help) => {
            eprint!("{help}");
            return ExitCode::from(2);
        }
    };
    if let (Some(name), Some(case)) = (&options.target, options.case) {
        for (_, target, _) in TARGETS.iter().filter(|(target, ..)| target == name) {
            println!("{name} looked at {} things", target(&mut numbers(name, options.seed, case)));
        }
        return ExitCode::SUCCESS;
    }
    if options.target.as_deref() == Some("sizes") {
        return if sizes::measure(options.times as f64) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if options.target.as_deref() == Some("programs") {
        return if programs::measure() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut failed = false;
    for (name, target, most) in TARGETS {
        // The last two are millions of small inputs, for a run of their own.
        let asked =
            options.target.as_ref().map_or(!["distributions", "closed"].contains(&name), |only| only == name);
        if !asked {
            continue;
        }
        let (cases, seen, failures) = attack(name, target, most, &options);
        println!("{name}: seed {}, {cases} cases, {seen} looked at, {} failed", options.seed, failures.len());
        for failure in &failures {
            println!("  {failure}");
        }
        failed |= !failures.is_empty();
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
