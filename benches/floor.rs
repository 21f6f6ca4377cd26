//! The least that a packer does: walk, read, write, count, with no format and no care.
//!
//! `cargo run --release --example floor -- TREE OUT`; `benches/compare.sh` runs it beside twostep.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measuring stick, not the product"
)]

use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;

fn main() {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (tree, out) = (
        args.next().expect("usage: floor TREE OUT"),
        args.next().expect("usage: floor TREE OUT"),
    );
    let found = Mutex::new(Vec::new());
    ignore::WalkBuilder::new(&tree)
        .hidden(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .threads(rayon::current_num_threads())
        .build_parallel()
        .run(|| {
            Box::new(|entry| {
                let file = entry
                    .ok()
                    .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()));
                if let (Some(entry), Ok(mut found)) = (file, found.lock()) {
                    found.push(entry.into_path());
                }
                ignore::WalkState::Continue
            })
        });
    let mut paths = found.into_inner().expect("no thread panicked");
    paths.par_sort_unstable();
    let encoding = tiktoken::get_encoding("o200k_base").expect("it is compiled in");
    let (sender, receiver) = sync_channel::<Vec<(String, usize)>>(2);
    let writer = std::thread::spawn(move || {
        let mut out = std::io::BufWriter::with_capacity(
            1 << 20,
            std::fs::File::create(out).expect("it can be written"),
        );
        let mut tokens = 0;
        for (text, count) in receiver.into_iter().flatten() {
            out.write_all(text.as_bytes()).expect("it can be written");
            tokens += count;
        }
        out.flush().expect("it can be written");
        tokens
    });
    for chunk in paths.chunks(256) {
        let texts = chunk.par_iter().filter_map(|path| {
            let text = String::from_utf8(std::fs::read(path).ok()?).ok()?;
            let count = encoding.count(&text);
            Some((text, count))
        });
        sender.send(texts.collect()).expect("the writer lives");
    }
    drop(sender);
    println!("{}", writer.join().expect("the writer lives"));
}
