//! Where a test may have the process end as a kill or a second Ctrl-C ends it: before and after each thing that must last.

/// Ends the process at once if this is the point that `TWOSTEP_CRASH_AT` names, counted from 1, by two SIGINTs if
/// `TWOSTEP_CRASH_BY` says `INT`; in debug builds only.
pub(super) fn point() {
    #[cfg(debug_assertions)]
    count();
}

#[cfg(debug_assertions)]
fn count() {
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::process::{Signal, getpid, kill_process};

    static N_PASSED: AtomicU64 = AtomicU64::new(0);
    #[expect(
        clippy::disallowed_methods,
        reason = "for tests alone, and not in a release"
    )]
    let [wanted, by] =
        ["AT", "BY"].map(|what| std::env::var(format!("TWOSTEP_CRASH_{what}")).unwrap_or_default());
    let n = N_PASSED.fetch_add(1, Ordering::SeqCst) + 1;
    if wanted.parse() == Ok(n) {
        let signals = match by.as_str() {
            "INT" => [Signal::INT; 2],
            _ => [Signal::KILL; 2],
        };
        for signal in signals {
            let _ = kill_process(getpid(), signal);
        }
    }
}
