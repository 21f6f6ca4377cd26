//! Where a test may have the process end as a kill ends it: before and after each thing that must last.

/// Ends the process at once if this is the point that `TWOSTEP_CRASH_AT` names, counted from 1; in debug builds only.
pub(super) fn point() {
    #[cfg(debug_assertions)]
    count();
}

#[cfg(debug_assertions)]
fn count() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static N_PASSED: AtomicU64 = AtomicU64::new(0);
    #[expect(
        clippy::disallowed_methods,
        reason = "for tests alone, and not in a release"
    )]
    let wanted = std::env::var("TWOSTEP_CRASH_AT").unwrap_or_default();
    let n = N_PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if wanted.parse() == Ok(n) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
