//! A slice of a repository for what is wanted.

use super::{Repo, count, full_files_of};

/// Files of a shop, each with as many lines that say nothing.
fn shop() -> Repo {
    let filler = |name: &str| format!("fn {name}_other() {{\n    work();\n}}\n\n").repeat(40);
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
        repo = repo.file(path, format!("{text}{}", filler(name)));
    }
    repo
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
            "Mail fails\n\nthread 'main' panicked at src/mail.rs:2:5:\nno route to host\n",
        );
    for (args, expected) in [
        (["--spec", "cart.md"], "src/cart.rs"),
        (["--spec", "mail.md"], "src/mail.rs"),
        (["--task", "refill the stock"], "src/stock.rs"),
    ] {
        let pack = |threads: &str| {
            repo.pack(&[
                "--exclude",
                "/*.md",
                "--budget",
                "1200",
                "--threads",
                threads,
                args[0],
                args[1],
            ])
        };
        let document = pack("1");
        assert_eq!(full_files_of(&document), [expected]);
        assert!(count(&document) <= 1200);
        assert_eq!(document, pack("8"));
    }
}

#[test]
fn tests_are_in_if_they_are_named() {
    let repo = shop();
    let files = |task: &str| full_files_of(&repo.pack(&["--budget", "900", "--task", task]));
    assert_eq!(
        files("the total of a cart, see tests/cart.rs"),
        ["tests/cart.rs"]
    );
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
