//! Counting, looking for secrets, walking, rendering: `cargo bench`. The tree is this repository, or that of `TWOSTEP_BENCH_TREE`.
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench reads its tree and its environment"
)]

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use twostep::flow::pack::{HELD_BYTES, PackRequest, find, write};
use twostep::flow::redact::Redactor;
use twostep::pack::{Format, Part, Prefer, Sections, Shown};
use twostep::repo::{self, Content, Globs, Named, ReadOptions, Repository};
use twostep::secrets::{Allow, Scanner};
use twostep::tokens::{Counter, Family};

const READ: ReadOptions = ReadOptions {
    everything: false,
    hashed: false,
};

fn repository() -> Repository {
    let tree = std::env::var_os("TWOSTEP_BENCH_TREE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    repo::open(&tree, &[]).unwrap().0
}

fn request(families: Vec<Family>) -> PackRequest {
    PackRequest {
        named: vec![Named::Everything],
        globs: Globs::parse(&[], &[]).unwrap(),
        outputs: Vec::new(),
        read: READ,
        levels: Vec::new(),
        format: Format::Xml,
        sections: Sections::default(),
        redactor: Arc::new(Redactor::off()),
        room: None,
        query: None,
        prefer: Prefer::Balance,
        counter: Counter::new(families),
        threads: NonZeroUsize::new(2).unwrap(),
        max_held_bytes: HELD_BYTES,
    }
}

/// Returns the text files of the tree, by path.
fn texts() -> Vec<(String, String)> {
    let repository = repository();
    let scan = find(&repository, &request(Vec::new())).unwrap();
    let text =
        |candidate: &repo::Candidate| match repo::read(&repository.root, candidate, READ).content {
            Content::Text(text) => Some(text.text),
            Content::Listed(_) => None,
        };
    let named = |candidate: &repo::Candidate| {
        text(candidate).map(|text| (candidate.path.to_string(), text))
    };
    scan.candidates.iter().filter_map(named).collect()
}

fn secrets(criterion: &mut Criterion) {
    let texts = texts();
    let mut group = criterion.benchmark_group("secrets");
    group.bench_function("start", |bencher| {
        bencher.iter(|| Scanner::new(Allow::default()));
    });
    let bytes = texts.iter().map(|(_, text)| text.len() as u64).sum();
    group.throughput(Throughput::Bytes(bytes));
    let scanner = Scanner::new(Allow::default());
    group.bench_function("find", |bencher| {
        bencher.iter(|| {
            for (path, text) in &texts {
                black_box(scanner.find(path, text));
            }
        });
    });
}

fn count(criterion: &mut Criterion) {
    let texts = texts();
    let mut group = criterion.benchmark_group("count");
    group.throughput(Throughput::Bytes(
        texts.iter().map(|(_, text)| text.len() as u64).sum(),
    ));
    for (name, families) in [
        ("exact", vec![]),
        (
            "with two estimates",
            vec![Family::ClaudeV47, Family::Gemma3],
        ),
    ] {
        let counter = Counter::new(families);
        counter.warm_up();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for (_, text) in &texts {
                    black_box(counter.count(text));
                }
            });
        });
    }
}

fn walk(criterion: &mut Criterion) {
    let repository = repository();
    let request = request(Vec::new());
    criterion.bench_function("walk", |bencher| {
        bencher.iter(|| find(&repository, &request).unwrap());
    });
}

fn render(criterion: &mut Criterion) {
    let repository = repository();
    let request = request(Vec::new());
    request.counter.warm_up();
    let scan = find(&repository, &request).unwrap();
    criterion.bench_function("read and render", |bencher| {
        bencher.iter(|| {
            for candidate in &scan.candidates {
                let file = repo::read(&repository.root, candidate, READ);
                black_box(Part::render(
                    candidate,
                    file,
                    Vec::new(),
                    &Shown::All,
                    Format::Xml,
                    &request.counter,
                ));
            }
        });
    });
    criterion.bench_function("pack", |bencher| {
        bencher.iter(|| {
            let scan = find(&repository, &request).unwrap();
            write(
                &repository,
                &request,
                scan,
                &mut std::io::sink(),
                &mut |_, _| {},
            )
            .unwrap()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = count, secrets, walk, render
}
criterion_main!(benches);
