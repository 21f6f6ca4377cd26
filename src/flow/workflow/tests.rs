use std::sync::Condvar;

use super::*;

fn fails(step: usize) -> StepFailed {
    StepFailed {
        step: step.to_string(),
        error: StepError::NoList,
    }
}

#[test]
fn pieces_of_work_come_back_in_their_order() {
    for at_once in [1, 3, 20] {
        let done = at_once_of(10, at_once, &|n| Ok(n * 2)).map_err(|failed| failed.step);
        assert_eq!(done, Ok((0..10).map(|n| n * 2).collect()));
    }
}

#[test]
fn as_many_are_at_work_at_once_as_may_be() {
    // Each waits until three are there: alone they would never be.
    let (n_there, all) = (Mutex::new(0), Condvar::new());
    let work = |_| {
        let mut there = n_there.lock().unwrap();
        *there += 1;
        all.notify_all();
        let limit = Duration::from_secs(30);
        let waited = all
            .wait_timeout_while(there, limit, |there| *there < 3)
            .unwrap();
        Ok(!waited.1.timed_out())
    };
    let met = at_once_of(3, 3, &work).map_err(|failed| failed.step);
    assert_eq!(met, Ok(vec![true; 3]));
}

#[test]
fn after_one_that_failed_no_other_is_begun() {
    let n_begun = AtomicUsize::new(0);
    let work = |n| {
        n_begun.fetch_add(1, Ordering::Relaxed);
        if n == 2 { Err(fails(n)) } else { Ok(n) }
    };
    let failed = at_once_of(100, 1, &work).map_err(|failed| failed.step);
    assert_eq!((failed, n_begun.into_inner()), (Err("2".to_owned()), 3));
    // Of several that failed the first is told, whichever was quickest.
    let failed = at_once_of(4, 4, &|n| Err::<(), _>(fails(n))).map_err(|failed| failed.step);
    assert_eq!(failed, Err("0".to_owned()));
}
