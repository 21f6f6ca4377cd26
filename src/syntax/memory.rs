//! What the parser holds in memory. It is written in C and takes all of that here, so that it can be stopped in time.
//!
//! In: what it asks for. Out: how much it holds in this thread, and how much of that is its stack. The only unsafe code of ours.
//!
//! Invariant: a block is given back as it was taken: its size stands before it.

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error, realloc};
use std::cell::Cell;
use std::ffi::c_void;
use std::sync::Once;

use tree_sitter::{Allocator, set_allocator};

/// What the parser holds in one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// All of it, in bytes.
    pub(super) n_bytes: usize,
    /// Blocks as large as one thing that is open: its stack, which is no array, and few others.
    pub(super) n_open: usize,
}

/// What stands before a block: its size, in as many bytes as what is behind has to be aligned to.
const HEAD_BYTES: usize = 16;

/// How large one thing on the stack is, where addresses have 64 bits; elsewhere only the bytes count. A test tells if that changes.
const OPEN_BYTES: usize = 232;

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held { n_bytes: 0, n_open: 0 }) };
}

/// Has the parser take its memory here. To be called before it takes any.
#[expect(
    unsafe_code,
    reason = "the parser is written in C: its memory has no safe door"
)]
pub(super) fn watch() {
    static IS_WATCHED: Once = Once::new();
    // SAFETY: the four belong together, return no null, align as C does, and keep nothing but by thread. Nobody but this room
    // uses the parser, and it calls this first, once.
    IS_WATCHED.call_once(|| unsafe {
        set_allocator(Some(Allocator {
            malloc: take,
            calloc: take_zeroed,
            realloc: resize,
            free: give_back,
        }));
    });
}

/// Returns what the parser holds in this thread.
pub(super) fn held() -> Held {
    HELD.get()
}

fn count_taken(n_bytes: usize) {
    let held = HELD.get();
    HELD.set(Held {
        n_bytes: held.n_bytes + n_bytes,
        n_open: held.n_open + usize::from(n_bytes == OPEN_BYTES),
    });
}

fn count_given_back(n_bytes: usize) {
    // What was taken in another thread is not counted in this.
    let held = HELD.get();
    HELD.set(Held {
        n_bytes: held.n_bytes.saturating_sub(n_bytes),
        n_open: held
            .n_open
            .saturating_sub(usize::from(n_bytes == OPEN_BYTES)),
    });
}

/// Returns what is asked of the system for a block of so many bytes.
fn layout(n_bytes: usize) -> Layout {
    let layout = n_bytes
        .checked_add(HEAD_BYTES)
        .and_then(|n_bytes| Layout::from_size_align(n_bytes, HEAD_BYTES).ok());
    // No machine has as much as would not be a layout.
    layout.unwrap_or_else(|| handle_alloc_error(Layout::new::<usize>()))
}

/// Writes the size of a block that the system gave into it, and returns what is behind.
#[expect(unsafe_code, reason = "called by the parser, from C")]
unsafe fn begun(block: *mut c_void, n_bytes: usize) -> *mut c_void {
    if block.is_null() {
        handle_alloc_error(layout(n_bytes));
    }
    count_taken(n_bytes);
    // SAFETY: the block has room for its head, and is aligned for it.
    unsafe {
        block.cast::<usize>().write(n_bytes);
        block.byte_add(HEAD_BYTES)
    }
}

#[expect(unsafe_code, reason = "called by the parser, from C")]
unsafe extern "C" fn take(n_bytes: usize) -> *mut c_void {
    // SAFETY: a layout of ours is never empty.
    unsafe { begun(alloc(layout(n_bytes)).cast(), n_bytes) }
}

#[expect(unsafe_code, reason = "called by the parser, from C")]
unsafe extern "C" fn take_zeroed(n: usize, n_bytes_each: usize) -> *mut c_void {
    let n_bytes = n.saturating_mul(n_bytes_each);
    // SAFETY: as above.
    unsafe { begun(alloc_zeroed(layout(n_bytes)).cast(), n_bytes) }
}

#[expect(unsafe_code, reason = "called by the parser, from C")]
unsafe extern "C" fn resize(taken: *mut c_void, n_bytes: usize) -> *mut c_void {
    if taken.is_null() {
        // SAFETY: nothing is asked of the caller.
        return unsafe { take(n_bytes) };
    }
    // SAFETY: what was taken here has its size before it.
    unsafe {
        let block = taken.byte_sub(HEAD_BYTES);
        let n_before = block.cast::<usize>().read();
        count_given_back(n_before);
        begun(
            realloc(block.cast(), layout(n_before), layout(n_bytes).size()).cast(),
            n_bytes,
        )
    }
}

#[expect(unsafe_code, reason = "called by the parser, from C")]
unsafe extern "C" fn give_back(taken: *mut c_void) {
    if taken.is_null() {
        return;
    }
    // SAFETY: as above.
    unsafe {
        let block = taken.byte_sub(HEAD_BYTES);
        let n_bytes = block.cast::<usize>().read();
        count_given_back(n_bytes);
        dealloc(block.cast(), layout(n_bytes));
    }
}
