//! Progress of long work, and its end on request.
//!
//! Work that can take longer than a second says how far it is, and may be stopped, whatever call it stands in: an
//! estimator, a pool, a plan. The hook is scoped, so that no signature carries it, and the threads of that work
//! inherit it. Results have the same bits with and without it.
//!
//! It is honoured by: reading CSV text; plans (outcomes that are finished stay, see
//! [`PlanResults::is_partial`](crate::protocol::PlanResults::is_partial)); regressions, their Firth penalty and their
//! sums over clusters; models of categories; Cox regression; one-stage models; Bayesian pools; multivariate
//! pools with a matrix between trials; permutation tests of meta-regressions; distributions of a maximum; simulations of trials
//! (replicates that are done stay), rerandomised lists, grids of power, exact power. Whatever
//! is stopped in an estimator or a pool is the error [`Stopped`](crate::ErrorKind::Stopped).
//!
//! ```
//! use armwise::progress::Progress;
//! use std::ops::ControlFlow;
//!
//! let bar = Progress::new(|step| {
//!     eprintln!("{step}"); // or a progress bar, or nothing
//!     ControlFlow::Continue(())
//! });
//! let answer = bar.watch(|| armwise::distribution::Normal.cdf(1.96));
//! assert!(answer > 0.97 && !bar.stopped());
//! ```

pub use crate::error::Step;
use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// A hook that is told how far work is, and may stop it.
///
/// The function is called at the start of the first piece of work, then at most every 20 milliseconds, from
/// whichever thread is at work, and at the end of each outermost piece. Once it returns
/// [`Break`](ControlFlow::Break), or once [`stop`](Self::stop) was called, the work ends within 50 milliseconds: with
/// [`ErrorKind::Stopped`](crate::ErrorKind::Stopped), or with what is finished and a notice that it is a part. What
/// was stopped stays stopped: the same value gives no second run.
#[derive(Clone)]
pub struct Progress(Arc<Hook>);

struct Hook {
    report: Box<dyn Fn(Step) -> ControlFlow<()> + Send + Sync>,
    stopped: AtomicBool,
    created: Instant,
    /// The time of the next report, in milliseconds since `created`.
    next: AtomicU64,
}

/// The hook of a thread, with the depth of the work that it does.
#[derive(Clone)]
pub(crate) struct Current(Option<(Arc<Hook>, usize)>);

thread_local! {
    static CURRENT: RefCell<Current> = const { RefCell::new(Current(None)) };
}

/// Least time between two reports, in milliseconds.
const PAUSE: u64 = 20;

impl Progress {
    /// A hook that calls `report`.
    pub fn new(report: impl Fn(Step) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Hook {
            report: Box::new(report),
            stopped: AtomicBool::new(false),
            created: Instant::now(),
            next: AtomicU64::new(0),
        }))
    }

    /// Does `work` with this hook. A hook within a hook takes its place until it ends.
    pub fn watch<T>(&self, work: impl FnOnce() -> T) -> T {
        within(&Current(Some((Arc::clone(&self.0), 0))), work)
    }

    /// Stops the work, from any thread.
    pub fn stop(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether the work was stopped.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").field("stopped", &self.stopped()).finish_non_exhaustive()
    }
}

/// Puts the former hook back, also where the work panics.
struct Restore(Option<Current>);

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(former) = self.0.take() {
            CURRENT.set(former);
        }
    }
}

/// The hook of this thread, for the threads that work for it.
#[cfg(feature = "rayon")]
pub(crate) fn current() -> Current {
    CURRENT.with_borrow(Clone::clone)
}

/// Does `work` with the hook of another thread.
pub(crate) fn within<T>(hook: &Current, work: impl FnOnce() -> T) -> T {
    let _restore = Restore(Some(CURRENT.replace(hook.clone())));
    work()
}

/// A piece of work that can take longer than a second, from its start to its drop: for what the crate does, and for
/// estimators of one's own.
///
/// Without a hook ([`Progress::watch`]) it costs nothing. Report after every unit, or after as many as take less than
/// 50 milliseconds.
///
/// ```
/// use armwise::progress::{Progress, Step, Task};
/// use std::ops::ControlFlow;
///
/// fn slow_sum(numbers: &[f64]) -> Result<f64, Step> {
///     let task = Task::start("numbers", numbers.len() as u64);
///     let mut sum = 0.0;
///     for number in numbers {
///         sum += number;
///         task.advance(1)?;
///     }
///     Ok(sum)
/// }
///
/// assert_eq!(slow_sum(&[1.0, 2.0]), Ok(3.0));
/// let impatient = Progress::new(|_| ControlFlow::Break(()));
/// let stopped = impatient.watch(|| slow_sum(&[1.0, 2.0])).unwrap_err();
/// assert_eq!(stopped.to_string(), "1 of 2 numbers");
/// assert_eq!(
///     armwise::Error::from(stopped).to_string(),
///     "stopped after 1 of 2 numbers; run it again without a stop for an answer"
/// );
/// ```
pub struct Task {
    hook: Option<Arc<Hook>>,
    depth: usize,
    units: &'static str,
    done: AtomicU64,
    total: Option<u64>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Task").field(&self.step(self.done.load(Ordering::Relaxed))).finish()
    }
}

impl Task {
    /// Starts a piece of work of so many `units`.
    pub fn start(units: &'static str, total: impl Into<Option<u64>>) -> Self {
        let (hook, depth) = CURRENT.with_borrow_mut(|current| match &mut current.0 {
            Some((hook, inner)) => {
                *inner += 1;
                (Some(Arc::clone(hook)), *inner - 1)
            }
            None => (None, 0),
        });
        let task = Self { hook, depth, units, done: AtomicU64::new(0), total: total.into() };
        task.report(0, false);
        task
    }

    /// Adds `n` finished units.
    ///
    /// # Errors
    /// The work was stopped: how far it came, which becomes [`ErrorKind::Stopped`](crate::ErrorKind::Stopped).
    pub fn advance(&self, n: u64) -> Result<(), Step> {
        if self.hook.is_none() {
            return Ok(());
        }
        let done = self.done.fetch_add(n, Ordering::Relaxed) + n;
        self.report(done, false);
        self.check()
    }

    /// Whether the work goes on.
    ///
    /// # Errors
    /// It was stopped: how far it came.
    pub fn check(&self) -> Result<(), Step> {
        if self.stopped() { Err(self.step(self.done.load(Ordering::Relaxed))) } else { Ok(()) }
    }

    /// Whether the work was stopped.
    pub fn stopped(&self) -> bool {
        self.hook.as_ref().is_some_and(|hook| hook.stopped.load(Ordering::Relaxed))
    }

    fn step(&self, done: u64) -> Step {
        Step { units: self.units, done, total: self.total, depth: self.depth }
    }

    fn report(&self, done: u64, always: bool) {
        let Some(hook) = &self.hook else { return };
        let now = u64::try_from(hook.created.elapsed().as_millis()).unwrap_or(u64::MAX - PAUSE);
        let next = hook.next.load(Ordering::Relaxed);
        // One thread of those that pass this point together reports.
        let turn = now >= next
            && hook.next.compare_exchange(next, now + PAUSE, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        let stopped = hook.stopped.load(Ordering::Relaxed);
        if (turn || always) && !stopped && (hook.report)(self.step(done)).is_break() {
            hook.stopped.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.hook.is_none() {
            return;
        }
        if self.depth == 0 && !std::thread::panicking() {
            self.report(self.done.load(Ordering::Relaxed), true);
        }
        let depth = self.depth;
        CURRENT.with_borrow_mut(|current| {
            if let Some((_, inner)) = &mut current.0 {
                *inner = depth;
            }
        });
    }
}
