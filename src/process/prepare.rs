//! What this process is made ready for before it does anything.

use std::sync::Arc;

use signal_hook::consts::SIGXFSZ;

/// Makes this process ready, as far as the system lets it: a file that may not grow is an error of who writes it, not our
/// end; and what a supervisor leaves that is killed comes to us, who end it.
pub fn prepare() {
    // A handler, not to ignore it: programs that are started go on ignoring.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    #[cfg(target_os = "linux")]
    adopt_orphans();
}

/// Has the descendants of this process become its children when their parents end, unless it has children already: who
/// started a program in the place of a shell may have others, which are not ours to end.
#[cfg(target_os = "linux")]
fn adopt_orphans() {
    use rustix::io::Errno;
    use rustix::process::{WaitId, WaitIdOptions, getpid, set_child_subreaper, waitid};

    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    if waitid(WaitId::All, options).is_err_and(|errno| errno == Errno::CHILD) {
        let _ = set_child_subreaper(Some(getpid()));
    }
}
