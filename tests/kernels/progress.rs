use armwise::internal::{fill_in_parts, in_parts};
use armwise::progress::{Progress, Step, Task};
use armwise::{Error, ErrorKind};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A hook that keeps what it is told and stops at the report of this number, counted from 0.
fn keeping(stop: usize) -> (Progress, Arc<Mutex<Vec<Step>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let keeper = Arc::clone(&told);
    let hook = Progress::new(move |step| {
        let mut told = keeper.lock().expect("no report panics");
        told.push(step);
        if told.len() > stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    (hook, told)
}

/// Units of a millisecond each, on all threads.
fn slow(units: usize) -> Result<Vec<usize>, Step> {
    let task = Task::start("units", units as u64);
    in_parts(units, 1, true, |part| {
        task.check()?;
        std::thread::sleep(Duration::from_millis(1));
        task.advance(1)?;
        Ok(part.start)
    })
    .into_iter()
    .collect()
}

#[test]
fn work_is_told_from_its_start_to_its_end() {
    let (hook, told) = keeping(usize::MAX);
    assert_eq!(hook.watch(|| slow(100)), Ok((0..100).collect()));
    let told = told.lock().expect("no report panics");
    assert!(told.len() >= 2, "{told:?}");
    assert_eq!((told[0].done, told[0].total, told[0].depth), (0, Some(100), 0));
    assert_eq!(told.last().map(|step| step.done), Some(100));
}

#[test]
fn a_stop_ends_the_work_on_every_thread() {
    let (hook, _) = keeping(1);
    let begin = Instant::now();
    let step = hook.watch(|| slow(1_000_000)).expect_err("it was stopped");
    assert!(step.done < 1_000_000 && hook.stopped(), "{step:?} after {:?}", begin.elapsed());
    assert!(matches!(Error::from(step).kind(), ErrorKind::Stopped(_)));
    // What was stopped stays so, and work beside it goes on.
    assert!(hook.watch(|| slow(3)).is_err());
    assert_eq!(slow(3), Ok(vec![0, 1, 2]));
}

#[test]
fn a_stop_comes_from_another_thread() {
    let hook = Progress::new(|_| ControlFlow::Continue(()));
    let other = hook.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(5));
        other.stop();
    });
    assert!(hook.watch(|| slow(1_000_000)).is_err());
    stopper.join().expect("it does not panic");
}

#[test]
fn work_within_work_has_a_depth_and_hooks_end_with_their_work() {
    let (hook, told) = keeping(usize::MAX);
    hook.watch(|| {
        let outer = Task::start("cities", 1);
        std::thread::sleep(Duration::from_millis(25));
        let mut out = [0];
        fill_in_parts(&mut out, 1, true, |_, _| Task::start("draws", None).advance(1)).expect("it goes on");
        outer.advance(1).expect("it goes on");
    });
    drop(Task::start("beside it", 1));
    let told = told.lock().expect("no report panics");
    let depths: Vec<_> = told.iter().map(|step| (step.units, step.depth)).collect();
    assert_eq!(depths, [("cities", 0), ("draws", 1), ("cities", 0)]);
}

#[test]
fn a_hook_ends_where_its_work_panics() {
    let (hook, told) = keeping(usize::MAX);
    let work = std::panic::AssertUnwindSafe(|| hook.watch(|| panic!("work of a user")));
    assert!(std::panic::catch_unwind(work).is_err());
    drop(Task::start("beside it", 1));
    assert!(told.lock().expect("no report panics").is_empty());
}
