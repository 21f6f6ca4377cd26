//! The signals that ask us to stop.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::fs;

/// A status in `/proc` is some lines long.
const MAX_STATUS_BYTES: u64 = 64 << 10;

/// Whether SIGINT, SIGTERM or SIGHUP has come. Clones see the same.
#[derive(Clone, Debug)]
pub struct Interrupt {
    /// The number of the signal; 0 before it comes.
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Starts to heed signals: the first is remembered, a second ends the process at once with 128 and its number.
    ///
    /// One that was ignored when the process started stays so: `nohup` means it.
    ///
    /// # Errors
    ///
    /// Fails where the system does not take a handler.
    pub fn install() -> io::Result<Self> {
        let ignored = ignored_signals();
        let is_second = Arc::new(AtomicBool::new(false));
        let first = Arc::new(AtomicUsize::new(0));
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            if ignored >> (signal - 1) & 1 == 1 {
                continue;
            }
            // In this order: handlers run in the order of their registration.
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&is_second))?;
            flag::register(signal, Arc::clone(&is_second))?;
            flag::register_usize(signal, Arc::clone(&first), signal.unsigned_abs() as usize)?;
        }
        Ok(Self { signal: first })
    }

    /// Returns the number of the signal that came first, if one came.
    pub fn signal(&self) -> Option<i32> {
        let signal = i32::try_from(self.signal.load(Ordering::SeqCst)).ok();
        signal.filter(|&signal| signal != 0)
    }
}

/// Returns the signals that this process ignores, a bit each; none where the system does not tell.
fn ignored_signals() -> u64 {
    fs::read_text(Path::new("/proc/self/status"), MAX_STATUS_BYTES)
        .ok()
        .and_then(|status| {
            let mask = status
                .lines()
                .find_map(|line| line.strip_prefix("SigIgn:"))?;
            u64::from_str_radix(mask.trim(), 16).ok()
        })
        .unwrap_or(0)
}
