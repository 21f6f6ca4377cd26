//! Whether stdout was closed when the process was started.
//!
//! The runtime opens `/dev/null` in its place before `main` begins, so that no other file gets its number. What is
//! written there would be gone and look like success; so somebody looks before the runtime does.

use std::sync::atomic::{AtomicBool, Ordering};

static IS_CLOSED: AtomicBool = AtomicBool::new(false);

#[expect(
    unsafe_code,
    reason = "what is in this section runs before the runtime, and there is no other way to"
)]
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    let flags = rustix::io::fcntl_getfd(rustix::stdio::stdout());
    IS_CLOSED.store(flags == Err(rustix::io::Errno::BADF), Ordering::Relaxed);
}

/// Says whether stdout was closed when the process was started.
pub fn stdout_was_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}
