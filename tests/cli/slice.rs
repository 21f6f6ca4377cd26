//! A slice of a repository for what is wanted.

use std::os::unix::fs::PermissionsExt;

use super::{Repo, Run, count, files_of, full_files_of, read};

/// Files of a shop, each with many lines that say nothing.
fn shop() -> Repo {
    let filler = |name: &str| {
        let one = |n: usize| format!("fn {name}_{n}() {{\n    work();\n    rest();\n}}\n\n");
        (0..40).map(one).collect::<Vec<_>>().concat()
    };
    let mut repo = Repo::new()
        .file("README.md", "A shop. It has a cart.\n")
        .file(
            "tests/cart.rs",
            "fn a_cart_has_a_total() { cart.total(); }\n",
        );
    for (path, text) in [
        (
            "src/cart.rs",
            "pub fn total(cart: &Cart) -> u64 {\n    cart.sum()\n}\n\n",
        ),
        (
            "src/mail.rs",
            "pub fn send(mail: &Mail) {\n    panic!(\"no route to host\");\n}\n\n",
        ),
        ("src/stock.rs", "pub fn refill(stock: &mut Stock) {}\n\n"),
    ] {
        let name = path.trim_start_matches("src/").trim_end_matches(".rs");
        repo = repo.file(path, format!("{0}{text}{0}", filler(name)));
    }
    repo
}

/// Returns the rows of the manifest of a pack, likeliest first.
fn rows(repo: &Repo, args: &[&str]) -> Vec<serde_json::Value> {
    let run = repo.run(
        &[
            &["pack", "-q", "-f", "-o", "out.xml", "--manifest", "-"],
            args,
        ]
        .concat(),
    );
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}");
    let manifest: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let mut rows = manifest["files"].as_array().unwrap().clone();
    let score = |row: &serde_json::Value| row["score"].as_f64().unwrap_or(0.0);
    rows.sort_by(|a, b| score(b).total_cmp(&score(a)));
    rows
}

fn written(repo: &Repo) -> String {
    String::from_utf8(read(&repo.root().join("out.xml"))).unwrap()
}

#[test]
fn what_is_wanted_decides_what_goes_in() {
    let repo = shop()
        .file(
            "cart.md",
            "# Wrong sum\n\nThe `total` of a cart is wrong.\n",
        )
        .file(
            "mail.md",
            "Mail fails\n\nthread 'main' panicked at src/mail.rs:202:5:\nno route to host\n",
        );
    for (args, path, line) in [
        (["--spec", "cart.md"], "src/cart.rs", "pub fn total("),
        (["--spec", "mail.md"], "src/mail.rs", "no route to host"),
        (
            ["--task", "refill the stock"],
            "src/stock.rs",
            "pub fn refill(",
        ),
    ] {
        let args = [&["--exclude", "/*.md", "--budget", "1200"], &args[..]].concat();
        let rows = rows(&repo, &args);
        assert_eq!(rows[0]["path"], path);
        let document = written(&repo);
        assert!(document.contains(line), "{document}");
        assert!(count(&document) <= 1200);
        for threads in ["1", "8"] {
            assert_eq!(
                document,
                repo.pack(&[&["--threads", threads], &args[..]].concat())
            );
        }
    }
}

#[test]
fn an_excerpt_says_which_lines_it_shows() {
    let repo = shop();
    let args = ["--task", "the total of a cart", "--budget", "1200"];
    let rows = rows(&repo, &args);
    let cart = &rows[0];
    assert_eq!(
        (&cart["path"], &cart["level"], &cart["reason"]),
        (&"src/cart.rs".into(), &"excerpt".into(), &"budget".into())
    );
    assert!(cart["full_tokens"].as_u64() > cart["tokens"].as_u64());
    assert_eq!(cart["score"], 1.0);
    assert!(cart["signals"]["title"].as_f64().unwrap() > 0.0);
    let lines = cart["lines"].as_array().unwrap();
    let is_shown = |line: u64| {
        let range =
            |range: &serde_json::Value| (range[0].as_u64().unwrap(), range[1].as_u64().unwrap());
        lines
            .iter()
            .map(range)
            .any(|(first, last)| (first..=last).contains(&line))
    };
    // `total` stands behind forty functions of five lines.
    assert!(is_shown(201) && is_shown(203) && !is_shown(1), "{lines:?}");
    let document = written(&repo);
    assert!(document.contains("<file path=\"src/cart.rs\" level=\"excerpt\" lines=\"1-404\">"));
    let run = repo.run(&["unpack", "out.xml", "-d", "copy"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!repo.root().join("copy/src/cart.rs").exists());
}

#[test]
fn an_excerpt_is_shown_wherever_one_is_asked_for() {
    let repo = shop();
    let task = ["--task", "the total of a cart"];
    let levels = |args: &[&str]| -> Vec<String> {
        let rows = rows(&repo, &[&task, args].concat());
        let of = |path: &str| rows.iter().find(|row| row["path"] == path).unwrap().clone();
        let files = ["src/cart.rs", "src/mail.rs", "tests/cart.rs"];
        let words = |row: serde_json::Value| {
            let reason = row["reason"].as_str().unwrap_or_default().to_owned();
            format!("{} {reason}", row["level"].as_str().unwrap())
        };
        files.map(of).map(words).to_vec()
    };
    for (args, expected) in [
        // Without a budget all else is there in full.
        (
            &["--level", "src/*=excerpt"][..],
            ["excerpt asked", "skeleton asked", "full "],
        ),
        (
            &["--level", "src/cart.rs=excerpt", "--budget", "20k"],
            ["excerpt asked", "full ", "full "],
        ),
        (
            &[
                "--level",
                "src/*=excerpt",
                "--pin",
                "mail.rs",
                "--budget",
                "2k",
            ],
            ["excerpt asked", "skeleton asked", "path budget"],
        ),
    ] {
        let expected = expected.map(str::to_owned).to_vec();
        let found = levels(args);
        assert_eq!(found, expected, "{args:?}");
        assert!(written(&repo).contains("pub fn total("));
    }
    let run = repo.run(&["pack", "--level", "src/*=excerpt"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.contains("give `--spec FILE` or `--task TEXT`"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_preference_weighs_files_against_lines() {
    let repo = shop();
    let n_full = |prefer: &str| -> usize {
        let budgets = (1200..2000)
            .step_by(50)
            .map(|budget: u32| budget.to_string());
        let task = ["--task", "total of a cart, send mail, refill the stock"];
        let full = |budget: String| {
            let args = [&["--prefer", prefer, "--budget", &budget], &task[..]].concat();
            full_files_of(&repo.pack(&args)).len()
        };
        budgets.map(full).sum()
    };
    let [files, lines] = ["files", "lines"].map(n_full);
    assert!(files > lines, "{files} {lines}");
    let run = repo.run(&["pack", "--budget", "9k", "--task", "x", "--prefer", "speed"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
}

#[test]
fn what_is_pinned_is_in() {
    let repo = shop();
    let pack = |args: &[&str]| {
        repo.pack(&[&["--task", "refill the stock", "--budget", "3k"], args].concat())
    };
    let pinned = ("src/mail.rs".to_owned(), "full".to_owned());
    assert!(!files_of(&pack(&[])).contains(&pinned));
    assert!(files_of(&pack(&["--pin", "mail.rs"])).contains(&pinned));
    let run = repo.run(&["pack", "--pin", "none.rs", "--level", "gone/**=path"]);
    assert_eq!(run.code, 0);
    for said in [
        "`--pin none.rs` matches no file",
        "`--level gone/**=path` matches no file",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let args = ["--task", "refill the stock", "--budget", "3k", "--explain"];
    let run = repo.run(&[&["pack", "--pin", "mail.rs"], &args[..]].concat());
    let (_, named) = run
        .stderr
        .split_once("in, for they were named or pinned (tokens):\n")
        .unwrap();
    assert!(
        named.lines().next().unwrap().ends_with(" src/mail.rs"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .starts_with("packed 5 of 5 files, 4 in full and 1 in part\n"),
        "{}",
        run.stderr
    );
    let run = repo.run(&["pack", "--pin", "a["]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
}

#[test]
fn the_choice_is_explained() {
    let repo = shop();
    let explained = |task: &str| {
        repo.run(&["pack", "--budget", "1200", "--explain", "--task", task])
            .stderr
    };
    let text = explained("the total of a cart");
    let (_, after) = text.split_once("in, the likeliest first").unwrap();
    let first = after.lines().nth(1).unwrap();
    assert!(
        first.starts_with("  1.00 ") && first.contains(" excerpt "),
        "{first}"
    );
    assert!(
        first.contains(" src/cart.rs (") && first.contains("title 0."),
        "{first}"
    );
    assert!(explained("zebra").contains("nothing in the files is like what is wanted"));
}

#[test]
fn tests_follow_what_they_test_unless_they_are_named() {
    let repo = shop();
    let signals = |task: &str| -> Vec<String> {
        let rows = rows(&repo, &["--budget", "1200", "--task", task]);
        let is_test = |row: &&serde_json::Value| row["path"] == "tests/cart.rs";
        let row = rows.iter().find(is_test).unwrap();
        let signals = row["signals"].as_object();
        signals.map_or(Vec::new(), |signals| signals.keys().cloned().collect())
    };
    assert_eq!(signals("the total of a cart"), ["tests"]);
    assert!(signals("see tests/cart.rs").contains(&"mention".to_owned()));
}

#[test]
fn what_is_wanted_needs_a_budget_and_is_said_once() {
    let repo = shop().file("spec.md", "Do it.\n").file("empty.md", "\n");
    for (args, error) in [
        (
            &["--task", "x"][..],
            "without a budget everything is packed",
        ),
        (
            &["--task", "x", "--spec", "spec.md", "--budget", "9k"],
            "cannot be used with",
        ),
        (&["--spec", "empty.md", "--budget", "9k"], "is empty"),
        (&["--spec", "none.md", "--budget", "9k"], "none.md"),
    ] {
        let run = repo.run(&[&["pack"], args].concat());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{args:?}");
        assert!(run.stderr.contains(error), "{}", run.stderr);
    }
}

#[test]
fn a_slice_is_the_same_cold_and_warm_from_any_number_of_threads() {
    let mut repo = shop();
    let cache = repo.beside("home/.cache/twostep/texts");
    let task = ["--task", "the total of a cart", "--budget", "1200"];
    let slice = |repo: &Repo, args: &[&str]| {
        let base = ["pack", "-q", "-f", "-o", "out.xml", "--manifest", "-"];
        let run = repo.run(&[&base, &task[..], args].concat());
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{args:?}");
        (written(repo), run.stdout)
    };
    let anew = slice(&repo, &["--no-cache"]);
    assert!(!cache.exists());
    for threads in ["1", "8", "8", "1"] {
        assert_eq!(slice(&repo, &["--threads", threads]), anew);
    }
    let mode = std::fs::metadata(&cache).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    // One file a repository, which holds no text of it.
    let files: Vec<_> = std::fs::read_dir(&cache).unwrap().collect();
    let [Ok(file)] = files.as_slice() else {
        panic!("{files:?}")
    };
    let kept = read(&file.path());
    assert!(memchr::memmem::find(&kept, b"total").is_none());
    for damaged in [&b""[..], b"junk\n", &kept[..kept.len() - 1]] {
        std::fs::write(file.path(), damaged).unwrap();
        assert_eq!(slice(&repo, &[]), anew);
        assert_eq!(read(&file.path()).len(), kept.len());
    }
    // Nothing can be kept.
    std::fs::remove_dir_all(&cache).unwrap();
    std::fs::write(&cache, b"a file").unwrap();
    assert_eq!(slice(&repo, &[]), anew);
    std::fs::remove_file(&cache).unwrap();
    // What has changed is seen.
    slice(&repo, &[]);
    repo = repo.file("src/cart.rs", "pub fn total() {}\n");
    let changed = slice(&repo, &[]);
    assert_ne!(changed, anew);
    assert_eq!(slice(&repo, &["--no-cache"]), changed);
    // A cache among the files would be one of them.
    let mut inside = repo.command(&["pack", "-q", "--task", "total", "--budget", "9k"]);
    inside.env("XDG_CACHE_HOME", repo.root().join("cache"));
    assert_eq!(Run::of(inside).code, 0);
    assert!(!repo.root().join("cache").exists());
}
