//! The workloads of the comparison with other packages, run through the public API:
//! `peer_workloads W1|W1HC1|W2|W3|W4|W5|W6|W7|W8|W9|W10|W11 S|M|L|XL THREADS`. It reads the generated data under `BENCH_DATA`
//! and writes one JSON file for each workload under `BENCH_RESULTS`, with the digest by which results are
//! compared.

// Counts were generated as whole numbers, and 24 cells are few.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use armwise::categorical::{CategoryVariance, CumulativeRegression, MultinomialRegression};
use armwise::data::CsvReader;
use armwise::ndarray::{Array1, Array2, ArrayView2, Axis, ShapeBuilder};
use armwise::proportion::{
    CountColumns, DifferenceInterval, MantelHaenszelVariance, StratifiedProportions, Stratum,
};
use armwise::regression::{Category, Family, Fit, Fitted, Glm, MarginalVariance, ModelMatrix, VarianceType};
use armwise::resampling::{
    BootstrapDistribution, BootstrapInterval, EventResamples, QuantileRule, Resamples,
};
use armwise::survival::{Cox, CoxVariance, KaplanMeier, LogRank, LogRankWeight, SurvivalData};
use armwise::{
    Interval,
    meta_analysis::{PoolEstimate, RandomEffects, Test},
};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[path = "peer_workloads/randomization.rs"]
mod randomization;
#[path = "peer_workloads/waves.rs"]
mod waves;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(data), [workload, size, threads]) = (std::env::var_os("BENCH_DATA"), arguments.as_slice())
    else {
        println!(
            "Set BENCH_DATA to the folder of generated data and name workload, size and threads: W1 M 2"
        );
        return Ok(());
    };
    let run = Run { data: PathBuf::from(data), size: size.clone(), threads: threads.parse()? };
    match workload.as_str() {
        "W1" | "W1HC1" => run.logistic(workload),
        "W2" => run.tables(),
        "W3" => run.meta_analyses(),
        "W4" => run.replays(),
        "W5" => run.bootstraps(),
        "W6" => run.standardisation(),
        "W7" => run.times(),
        "W8" => run.categories(),
        "W9" => run.trials(),
        "W10" => run.rows_of_csv(),
        "W11" => run.waves(),
        other => Err(format!("{other} is no workload of this program").into()),
    }
}

struct Run {
    data: PathBuf,
    size: String,
    threads: usize,
}

type Digest = Map<String, Value>;

/// An array itself where it is short, else its length, three sums and the first eight numbers.
fn digest(values: &[f64]) -> Value {
    if values.len() <= 48 {
        return json!(values);
    }
    let squares: f64 = values.iter().map(|x| x * x).sum();
    let waves: f64 = values.iter().enumerate().map(|(i, x)| x * (i as f64).cos()).sum();
    let mut all = vec![values.len() as f64, values.iter().sum(), squares, waves];
    all.extend_from_slice(&values[..8]);
    json!(all)
}

fn entries<const N: usize>(values: [(&str, Value); N]) -> Digest {
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A number of /proc/self/status, in megabytes.
fn memory(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    let number =
        line.and_then(|line| line.split_whitespace().nth(1)).and_then(|word| word.parse::<f64>().ok());
    number.unwrap_or(0.0) / 1024.0
}

/// Seconds that all threads of this process have used.
fn processor_time() -> f64 {
    // The kernel updates the count of the running thread when the thread yields. A yield before each run
    // would put this process at the end of the queue every time.
    std::thread::yield_now();
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() * 1e-9
}

impl Run {
    fn read(&self, workload: &str, name: &str) -> Outcome<Vec<f64>> {
        use std::io::Read;
        let path = self.data.join(format!("{workload}_{}", self.size)).join(format!("{name}.f64"));
        let mut file = std::fs::File::open(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let mut values = Vec::with_capacity(usize::try_from(file.metadata()?.len())? / 8);
        let mut buffer = vec![0_u8; 1 << 16];
        loop {
            let mut filled = 0;
            while filled < buffer.len() {
                match file.read(&mut buffer[filled..])? {
                    0 => break,
                    n => filled += n,
                }
            }
            values.extend(
                buffer[..filled]
                    .chunks_exact(8)
                    .map(|b| f64::from_le_bytes(b.try_into().unwrap_or_default())),
            );
            if filled < buffer.len() {
                return Ok(values);
            }
        }
    }

    /// Counts and sums by site and arm over the rows of a CSV file, reading included.
    fn rows_of_csv(&self) -> Outcome<()> {
        const SUMS: [&str; 9] = ["n", "y", "base", "age", "inc", "age2", "y_age", "y_base", "y_inc"];
        let path = self.data.join(format!("W10_{}", self.size)).join("d.csv");
        let reader = CsvReader::new().only(["site", "arm", "y", "base", "age", "inc"]);
        let call = || -> armwise::Result<[[f64; 9]; 24]> {
            let table = reader.path(&path)?;
            let column = |name: &str| table.column(name)?.reals();
            let (site, arm) = (column("site")?, column("arm")?);
            let outcomes = column("y")?.zip(column("base")?);
            let covariates = column("age")?.zip(column("inc")?);
            let mut sums = [[0.0; 9]; 24];
            for ((site, arm), ((y, base), (age, inc))) in site.zip(arm).zip(outcomes.zip(covariates)) {
                let (Some(site), Some(arm)) = (site, arm) else { continue };
                let (Some(y), Some(base), Some(age), Some(inc)) = (y, base, age, inc) else { continue };
                let row = [1.0, y, base, age, inc, age * age, y * age, y * base, y * inc];
                let cell = &mut sums[4 * (site as usize - 1) + arm as usize];
                cell.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            Ok(sums)
        };
        self.time("W10CSV", call, |sums| {
            let column = |k: usize| json!(sums.iter().map(|cell| cell[k]).collect::<Vec<f64>>());
            SUMS.iter().enumerate().map(|(k, name)| ((*name).to_owned(), column(k))).collect()
        })
    }

    /// Times a call as the other packages are timed, and writes the result.
    fn time<T>(
        &self,
        workload: &str,
        mut call: impl FnMut() -> armwise::Result<T>,
        digest: impl Fn(&T) -> Digest,
    ) -> Outcome<()> {
        let budget: f64 =
            std::env::var("BENCH_BUDGET").ok().and_then(|text| text.parse().ok()).unwrap_or(6.0);
        let before = memory("VmHWM");
        let clock = Instant::now();
        let mut result = call()?;
        let first = clock.elapsed().as_secs_f64();
        let mut inner = 1;
        if first < 0.005 {
            // The fastest of three, because a call that another process interrupts would make the runs too
            // short.
            let mut fastest = first;
            for _ in 0..3 {
                let clock = Instant::now();
                call()?;
                fastest = fastest.min(clock.elapsed().as_secs_f64());
            }
            inner = (0.005 / fastest.max(1e-7)).ceil().max(1.0) as usize;
        }
        let (all, processor) = (Instant::now(), processor_time());
        let mut seconds = Vec::new();
        while seconds.len() < 11 && (seconds.len() < 3 || all.elapsed().as_secs_f64() < budget) {
            let clock = Instant::now();
            for _ in 0..inner {
                result = call()?;
            }
            seconds.push(clock.elapsed().as_secs_f64() / inner as f64);
        }
        let runs = seconds.len();
        let used = (processor_time() - processor) / (runs * inner) as f64;
        seconds.sort_by(f64::total_cmp);
        let median = 0.5 * (seconds[(runs - 1) / 2] + seconds[runs / 2]);
        let report = json!({
            "workload": workload, "size": self.size, "peer": "ours", "version": env!("CARGO_PKG_VERSION"), "kind": "ours",
            "threads": self.threads, "median_s": median, "min_s": seconds[0], "max_s": seconds[runs - 1], "runs": runs,
            "first_s": first, "cpu_median_s": used, "others_cores": null, "peak_rss_mb": memory("VmHWM"),
            "rss_before_mb": before, "scale": 1.0, "extrapolated": false, "mc": workload.starts_with("W5"), "note": "", "lang": "rust",
            "digest": digest(&result),
        });
        let name = format!("{workload}.{}.ours.t{}.json", self.size, self.threads);
        if let Some(folder) = std::env::var_os("BENCH_RESULTS") {
            std::fs::write(Path::new(&folder).join(name), serde_json::to_string_pretty(&report)?)?;
        }
        println!(
            "{workload} {} ours t{}: median {median:.9} s (min {:.9}, cpu {used:.9}, {runs} runs)",
            self.size, self.threads, seconds[0]
        );
        Ok(())
    }

    /// The columns of W1, and its outcome.
    fn design(&self) -> Outcome<(Array2<f64>, Array1<f64>)> {
        let y = Array1::from(self.read("W1", "y")?);
        Ok((self.columns("W1", y.len())?, y))
    }

    fn columns(&self, workload: &str, n: usize) -> Outcome<Array2<f64>> {
        let x = self.read(workload, "X")?;
        Ok(Array2::from_shape_vec((n, x.len() / n).f(), x)?)
    }

    /// Multinomial regression of three classes, and proportional odds of four levels.
    fn categories(&self) -> Outcome<()> {
        let codes = |name| -> Outcome<Vec<u32>> {
            Ok(self.read("W8", name)?.into_iter().map(|code| code as u32).collect())
        };
        let (y3, yo) = (codes("y3")?, codes("yo")?);
        let x = self.columns("W8", y3.len())?;
        let roots = |v: Array2<f64>| v.diag().mapv(f64::sqrt).to_vec();
        let digests = |(coefficients, se): &(Vec<f64>, Vec<f64>)| {
            entries([("coef", digest(coefficients)), ("se", digest(se))])
        };
        self.time(
            "W8M",
            || {
                let outcome = Category::new(&y3, ["0", "1", "2"]);
                let fit = MultinomialRegression::new().fit(&matrix(x.view())?, outcome)?;
                Ok((fit.estimates().to_vec(), roots(fit.covariance(CategoryVariance::Model)?)))
            },
            digests,
        )?;
        let (_, covariates) = x.view().split_at(Axis(1), 1);
        self.time(
            "W8O",
            || {
                let outcome = Category::new(&yo, ["0", "1", "2", "3"]);
                let fit = CumulativeRegression::new().fit(&matrix(covariates)?, outcome)?;
                let mut estimates = fit.coefficients().to_vec();
                estimates.extend(fit.thresholds());
                // Thresholds come first in the covariance.
                let mut se = roots(fit.covariance(CategoryVariance::Model)?);
                se.rotate_left(fit.thresholds().len());
                Ok((estimates, se))
            },
            digests,
        )
    }

    fn logistic(&self, workload: &str) -> Outcome<()> {
        let (x, y) = self.design()?;
        let variance = if workload == "W1" { VarianceType::Model } else { VarianceType::Hc1 };
        self.time(
            workload,
            || {
                let fit = Glm::new(Family::Binomial).fit(&matrix(x.view())?, &y)?;
                Ok((fit.coefficients().to_vec(), fit.covariance(variance)?.diag().mapv(f64::sqrt).to_vec()))
            },
            |(coefficients, se)| entries([("coef", digest(coefficients)), ("se", digest(se))]),
        )
    }

    fn tables(&self) -> Outcome<()> {
        let counts = |name| -> Outcome<Vec<u64>> {
            Ok(self.read("W2", name)?.into_iter().map(|count| count as u64).collect())
        };
        let (x1, n1, x0, n0) = (counts("x1")?, counts("n1")?, counts("x2")?, counts("n2")?);
        let tables =
            CountColumns { treatment_events: &x1, treatment_n: &n1, control_events: &x0, control_n: &n0 };
        let mut intervals = vec![Interval::default(); x1.len()];
        for (workload, method) in
            [("W2N", DifferenceInterval::Newcombe), ("W2MN", DifferenceInterval::MiettinenNurminen)]
        {
            self.time(
                workload,
                || {
                    tables.difference_intervals(method, 0.95, &mut intervals)?;
                    Ok(intervals.iter().take(1000).map(|i| (i.lower(), i.upper())).unzip())
                },
                |(lower, upper): &(Vec<f64>, Vec<f64>)| {
                    entries([("lo", digest(lower)), ("hi", digest(upper))])
                },
            )?;
        }
        Ok(())
    }

    fn meta_analyses(&self) -> Outcome<()> {
        const NAMES: [&str; 7] = ["mu", "se", "lb", "ub", "tau2", "qlb", "qub"];
        let (y, v) = (self.read("W3", "y")?, self.read("W3", "v")?);
        let method = RandomEffects::new().test(Test::HartungKnapp);
        let numbers = |pooled: &PoolEstimate| {
            let (q_lower, q_upper) = pooled
                .tau2_interval
                .map_or((f64::NAN, f64::NAN), |interval| (interval.lower(), interval.upper()));
            [
                pooled.estimate,
                pooled.se,
                pooled.interval.lower(),
                pooled.interval.upper(),
                pooled.tau2,
                q_lower,
                q_upper,
            ]
        };
        let digests = |results: &Vec<[f64; 7]>| {
            let column = |j: usize| results.iter().take(100).map(|row| row[j]).collect::<Vec<f64>>();
            NAMES.iter().enumerate().map(|(j, name)| ((*name).to_owned(), digest(&column(j)))).collect()
        };
        if self.size == "XL" {
            let k = 18;
            self.time("W3BULK", || method.for_studies(k)?.map_estimates(&y, &v, numbers), digests)
        } else {
            self.time("W3", || Ok(vec![numbers(&method.for_studies(y.len())?.estimate(&y, &v)?)]), digests)
        }
    }

    fn standardisation(&self) -> Outcome<()> {
        let (x, y) = self.design()?;
        let arm: Vec<u32> = x.column(1).iter().map(|x| *x as u32).collect();
        let mut matrix = ModelMatrix::new(x.nrows()).numeric("x0", x.column(0))?;
        matrix = matrix.category("x1", Category::new(&arm, ["0", "1"]))?;
        for j in 2..x.ncols() {
            matrix = matrix.numeric(format!("x{j}"), x.column(j))?;
        }
        let fit: Fit = Glm::new(Family::Binomial).fit(&matrix, &y)?;
        self.time(
            "W6",
            || {
                let standardized = fit.standardize("x1")?;
                let v = standardized.covariance(MarginalVariance::Delta(VarianceType::Model))?;
                let means = standardized.means();
                Ok((means[1] - means[0], (v[[0, 0]] + v[[1, 1]] - 2.0 * v[[0, 1]]).sqrt()))
            },
            |(difference, se)| entries([("coef", json!([difference])), ("se", json!([se]))]),
        )
    }

    /// Bootstraps with percentile interval and standard deviation: of the risk difference between arms 1 and 0,
    /// within arms (W5RD), and of the standardised one, people resampled (W5G).
    fn bootstraps(&self) -> Outcome<()> {
        let replicates = if self.size == "S" { 1_000 } else { 10_000 };
        let codes = |name| -> Outcome<Vec<u32>> {
            Ok(self.read("W5", name)?.into_iter().map(|code| code as u32).collect())
        };
        let (arm, y) = (codes("arm")?, Array1::from(self.read("W5", "yb")?));
        let x = self.columns("W5", y.len())?;
        let of = |estimate: f64, drawn: &[Option<f64>]| -> armwise::Result<(f64, [f64; 3])> {
            let (kind, rule) = (BootstrapInterval::Percentile, QuantileRule::NormalScale);
            let curve = BootstrapDistribution::drawn(estimate, drawn)?.curve(kind, rule, 0.0)?;
            let interval = curve.interval(0.95)?;
            Ok((estimate, [interval.lower(), interval.upper(), curve.se()]))
        };
        let digests =
            |(estimate, p): &(f64, [f64; 3])| entries([("obs", json!([estimate])), ("p", json!(p))]);
        self.time(
            "W5RD",
            || {
                let mut counts = [(0, 0); 4];
                for (arm, y) in arm.iter().zip(&y) {
                    let (events, people) = &mut counts[*arm as usize];
                    *events += *y as u64;
                    *people += 1;
                }
                let [(x0, n0), (x1, n1), ..] = counts;
                let difference = |x: &[u64]| Some(x[0] as f64 / n1 as f64 - x[1] as f64 / n0 as f64);
                let groups = EventResamples::new(&[(x1, n1), (x0, n0)])?;
                let estimate = x1 as f64 / n1 as f64 - x0 as f64 / n0 as f64;
                of(estimate, &groups.drawn(replicates, 1, difference)?)
            },
            digests,
        )?;
        self.time(
            "W5G",
            || {
                let arms = Category::new(&arm, ["0", "1", "2", "3"]);
                let mut design = ModelMatrix::new(arm.len()).intercept()?.category("arm", arms)?;
                for j in 4..x.ncols() {
                    design = design.numeric(format!("x{j}"), x.column(j))?;
                }
                let fit: Fit = Glm::new(Family::Binomial).fit(&design, &y)?;
                let model = fit.replicates("arm")?;
                let difference =
                    |counts: &[u32]| model.means_of(&[0, 1], counts).map(|means| means[1] - means[0]);
                let own = fit.standardize("arm")?;
                let people = Resamples::of(arm.len())?;
                of(own.means()[1] - own.means()[0], &people.drawn(replicates, 1, difference)?)
            },
            digests,
        )
    }

    /// Cox regression with Efron's ties (W7); Kaplan-Meier of all and the log-rank test of four arms (W7KM).
    fn times(&self) -> Outcome<()> {
        let codes = |name| -> Outcome<Vec<u32>> {
            Ok(self.read("W7", name)?.into_iter().map(|code| code as u32).collect())
        };
        let (time, status, arm) = (self.read("W7", "time")?, codes("status")?, codes("arm")?);
        let x = self.columns("W7", time.len())?;
        self.time(
            "W7",
            || {
                // Times are sorted inside the clock, as they are by the others.
                let data = SurvivalData::new(&time, &status)?;
                let fit = Cox::new().fit(&data, &matrix(x.view())?)?;
                let se = fit.covariance(CoxVariance::Model)?.diag().mapv(f64::sqrt);
                Ok((fit.coefficients().to_vec(), se.to_vec()))
            },
            |(coefficients, se)| entries([("coef", digest(coefficients)), ("se", digest(se))]),
        )?;
        self.time(
            "W7KM",
            || {
                let data = SurvivalData::new(&time, &status)?;
                let curve = KaplanMeier::new(&data)?;
                let survival = [100.0, 200.0, 300.0, 400.0].map(|at| curve.at(at).map(|p| p.survival));
                let survival = survival.into_iter().collect::<armwise::Result<Vec<f64>>>()?;
                Ok((survival, LogRank::new(&data, &arm, LogRankWeight::LogRank)?.test.statistic))
            },
            |(survival, statistic)| entries([("S", digest(survival)), ("chi2", json!([statistic]))]),
        )
    }

    fn trials(&self) -> Outcome<()> {
        let cells = |name| -> Outcome<Vec<f64>> { self.read("W9", name) };
        let n: Vec<u64> = cells("n")?.into_iter().map(|n| n as u64).collect();
        let given: Vec<u64> = cells("x")?.into_iter().map(|x| x as u64).collect();
        let binomials: Vec<BinomialTable> =
            n.iter().zip(cells("P")?).map(|(n, p)| BinomialTable::new(*n, p)).collect();
        let fixed = analyse(&given, &n)?;
        let trials = given.len() / n.len();
        let mut drawn = vec![0; given.len()];
        self.time(
            "W9",
            || {
                let mut numbers = Numbers(1);
                for (place, x) in drawn.iter_mut().enumerate() {
                    *x = binomials[place % n.len()].draw(numbers.next());
                }
                debug_assert_eq!(drawn.len(), trials * n.len());
                analyse(&drawn, &n)
            },
            |simulated| {
                let names = ["rd", "power", "tau2", "mu", "power_kh"];
                let mut all: Digest = names
                    .iter()
                    .zip(fixed.chunks_exact(ARMS))
                    .map(|(name, means)| ((*name).to_owned(), json!(means)))
                    .collect();
                all.insert("sim_power".to_owned(), json!(simulated[ARMS..2 * ARMS].to_vec()));
                all
            },
        )
    }
}

fn matrix(x: ArrayView2<'_, f64>) -> armwise::Result<ModelMatrix<'_>> {
    ModelMatrix::from_columns((0..x.ncols()).map(|j| format!("x{j}")), x)
}

const SITES: usize = 6;
/// Treatment arms, after the control.
const ARMS: usize = 3;

/// Means over the trials, for each treatment arm: Mantel-Haenszel difference, its power, and of the
/// random-effects pool of the sites tau², estimate and power.
fn analyse(events: &[u64], n: &[u64]) -> armwise::Result<Vec<f64>> {
    let method = RandomEffects::new().test(Test::HartungKnapp);
    let z = 1.959_963_984_540_054;
    let mut sums = vec![0.0; 5 * ARMS];
    let mut add = |what: usize, arm: usize, value: f64| sums[what * ARMS + arm] += value;
    let (mut yi, mut vi) = (Vec::new(), Vec::new());
    for trial in events.chunks_exact(n.len()) {
        for arm in 0..ARMS {
            let stratum = |site: usize| {
                let (control, treatment) = (site * (ARMS + 1), site * (ARMS + 1) + arm + 1);
                Stratum {
                    treatment_events: trial[treatment],
                    treatment_n: n[treatment],
                    control_events: trial[control],
                    control_n: n[control],
                }
            };
            let strata: [Stratum; SITES] = std::array::from_fn(stratum);
            let difference =
                StratifiedProportions::new(strata)?.difference(MantelHaenszelVariance::GreenlandRobins);
            add(0, arm, difference.estimate);
            add(1, arm, f64::from(u8::from((difference.estimate / difference.se).abs() > z)));
            let share = |events: u64, n: u64| (events as f64 / n as f64, n as f64);
            let unpooled = |(p, n): (f64, f64)| p * (1.0 - p) / n;
            for s in &strata {
                let (one, zero) =
                    (share(s.treatment_events, s.treatment_n), share(s.control_events, s.control_n));
                yi.push(one.0 - zero.0);
                vi.push(unpooled(one) + unpooled(zero));
            }
        }
    }
    for (place, pooled) in
        method.for_studies(SITES)?.map_estimates(&yi, &vi, |pooled| *pooled)?.iter().enumerate()
    {
        let arm = place % ARMS;
        add(2, arm, pooled.tau2);
        add(3, arm, pooled.estimate);
        add(4, arm, f64::from(u8::from(!pooled.interval.contains(0.0))));
    }
    let trials = (events.len() / n.len()) as f64;
    Ok(sums.into_iter().map(|sum| sum / trials).collect())
}

/// The distribution function of a binomial count, to draw from by inversion.
struct BinomialTable {
    below: Vec<f64>,
    /// The place to start for each 256th of a uniform number.
    guide: Vec<usize>,
}

impl BinomialTable {
    fn new(n: u64, p: f64) -> Self {
        let odds = p / (1.0 - p);
        let mut probability = (1.0 - p).powf(n as f64);
        let mut below = Vec::new();
        let mut sum = 0.0;
        for x in 0..=n {
            sum += probability;
            below.push(sum);
            probability *= odds * (n - x) as f64 / (x + 1) as f64;
        }
        let first = |u: f64| below.iter().position(|f| *f > u).unwrap_or(below.len() - 1);
        let guide = (0..256).map(|i| first(f64::from(i) / 256.0)).collect();
        Self { below, guide }
    }

    fn draw(&self, uniform: f64) -> u64 {
        let start = self.guide[((uniform * 256.0) as usize).min(255)];
        let last = self.below.len() - 1;
        (start..last).find(|&x| self.below[x] > uniform).unwrap_or(last) as u64
    }
}

/// Uniform numbers in [0, 1) (SplitMix64: Steele, Lea & Flood 2014).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}
