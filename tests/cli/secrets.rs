//! Secrets: not in packs, not in prompts, and back in the files that an executor changed.

use std::path::Path;

use super::plan_exec::Stage;
use super::{Repo, read};

/// A token that is nobody's, in two pieces, so that no scanner takes this file for a leak.
const TOKEN: &str = concat!("gh", "p_016C7eHqX2vBnM4kLzWd9TfYpQrSaU3jG8hN");
const PASSWORD: &str = concat!("q7Xv", "!9pLz2Rt");

fn repo() -> Repo {
    Repo::new()
        .file("a.py", format!("token = \"{TOKEN}\"\nport = 1\n"))
        .file("b.env", format!("x=1\r\nTOKEN={TOKEN} # gitleaks:allow secretlint-disable\r\nDB_PASSWORD=\"{PASSWORD}\"\r\n"))
        .file("clean.txt", "nothing\n")
        .git()
}

#[test]
fn a_value_gives_way_to_the_same_placeholder_everywhere() {
    let repo = repo();
    for format in ["xml", "markdown", "json", "plain"] {
        let pack = repo.pack(&["--format", format]);
        assert!(!pack.contains(TOKEN) && !pack.contains(PASSWORD), "{pack}");
        assert_eq!(
            pack.matches("[REDACTED:github-token:1]").count(),
            2,
            "{pack}"
        );
        assert!(pack.contains("port = 1"), "{pack}");
    }
    let pack = repo.pack(&[]);
    assert!(pack.contains("<file path=\"b.env\" altered=\"redacted\" eol=\"crlf\"><![CDATA[\nx=1\nTOKEN=[REDACTED:github-token:1] # gitleaks:allow"), "{pack}");
    assert!(
        pack.contains(">Secrets redacted in 2 of the files.</totals>"),
        "{pack}"
    );
    let threads: Vec<String> = ["1", "8"].map(|n| repo.pack(&["--threads", n])).into();
    assert_eq!(threads[0], threads[1]);
}

#[test]
fn where_secrets_were_is_told_and_what_they_are_is_not() {
    let run = repo().run(&["pack", "-o", "../pack.xml", "--manifest", "../m.json", "-v"]);
    assert_eq!(run.code, 0);
    for told in [
        "3 secrets redacted:",
        "a.py:1: github-token (blake3:",
        "b.env:2: github-token",
        "b.env:3: password",
    ] {
        assert!(run.stderr.contains(told), "{}", run.stderr);
    }
    assert!(!run.stderr.contains(TOKEN));
    let repo = repo();
    let json = repo
        .run(&[
            "pack",
            "-o",
            "../pack.xml",
            "--manifest",
            "../m.json",
            "--json",
        ])
        .json();
    assert_eq!(
        json["secrets"][2],
        serde_json::json!({"place": "b.env", "line": 3, "rule": "password", "what": "password"})
    );
    let manifest: serde_json::Value =
        serde_json::from_slice(&read(&repo.beside("m.json"))).unwrap();
    assert_eq!(manifest["files"][0]["altered"], "redacted");
    assert_eq!(manifest["files"][0]["secrets"][0]["line"], 1);
    assert_eq!(manifest["files"][2].get("secrets"), None);
}

#[test]
fn a_redacted_file_is_not_unpacked() {
    let repo = repo();
    assert_eq!(repo.run(&["pack", "-o", "../pack.xml"]).code, 0);
    let run = repo.run(&["unpack", "../pack.xml", "-d", "../out"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(repo.beside("out/clean.txt").is_file() && !repo.beside("out/a.py").exists());
}

#[test]
fn a_redacted_file_is_verified_but_for_its_secrets() {
    let repo = repo();
    assert_eq!(repo.run(&["pack", "-o", "../pack.xml"]).code, 0);
    let verify = |repo: &Repo| repo.run(&["verify", "../pack.xml"]);
    let run = verify(&repo);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    let repo = repo.file("a.py", format!("token = \"{TOKEN}\"\nport = 2\n"));
    assert_eq!(verify(&repo).stdout, "changed a.py\n");
    // Another value of the same rule cannot be told from the first.
    let other = TOKEN.replace("016C7", "11x9Q");
    let repo = repo.file("a.py", format!("token = \"{other}\"\nport = 1\n"));
    assert_eq!(verify(&repo).stdout, "");
}

#[test]
fn what_is_done_with_secrets_can_be_chosen() {
    let repo = repo();
    assert!(repo.pack(&["--secrets", "off"]).contains(TOKEN));
    let listed = repo.pack(&["--secrets", "exclude"]);
    assert!(
        listed.contains("<file path=\"a.py\" level=\"path\" kind=\"secret\""),
        "{listed}"
    );
    assert!(listed.contains("clean.txt\"><!"), "{listed}");
    let failed = repo.run(&["pack", "--secrets", "fail", "-o", "../pack.xml"]);
    assert_eq!(failed.code, 1);
    assert!(
        failed
            .stderr
            .contains("3 secrets found:\n  a.py:1: github-token\n  b.env:2:"),
        "{}",
        failed.stderr
    );
    assert!(!repo.beside("pack.xml").exists());
    assert_eq!(
        repo.run(&["pack", "--secrets", "fail", "-q", "clean.txt"])
            .code,
        0
    );
}

#[test]
fn the_users_own_file_lets_through_rules_paths_and_values() {
    let repo = repo();
    let told = repo.run(&["pack", "-v", "-o", "../p.xml"]).stderr;
    let at = told.find("b.env:3: password (").unwrap();
    let hash = told[at..].split(['(', ')']).nth(1).unwrap();
    let own = repo.beside("home/.config/twostep");
    std::fs::create_dir_all(&own).unwrap();
    for (text, left) in [
        (
            "[allow]\nrules = [\"github-token\"]\n".to_owned(),
            "b.env:3: password",
        ),
        (
            "[allow]\npaths = [\"*.env\"]\n".to_owned(),
            "a.py:1: github-token",
        ),
        (
            format!("[allow]\nvalues = [\"{hash}\"]\n"),
            "a.py:1: github-token, b.env:2: github-token",
        ),
    ] {
        std::fs::write(own.join("secrets.toml"), &text).unwrap();
        let told = repo.run(&["pack", "-o", "../p.xml"]).stderr;
        assert!(
            told.contains(&format!("redacted: {left}\n")),
            "{text}: {told}"
        );
    }
    for (text, error) in [
        (
            "[allow]\nrules = [\"github-tokne\"]\n",
            "no rule of secrets is called `github-tokne`\n\nhint: did you mean `github-token`? ",
        ),
        (
            "[allow]\npaths = [\"src/{a,b}\"]\n",
            "`src/{a,b}` is no glob of paths",
        ),
        (
            "allow = 3\n",
            "invalid type: integer `3`, expected a table with `rules`, `paths` and `values`",
        ),
    ] {
        std::fs::write(own.join("secrets.toml"), text).unwrap();
        let run = repo.run(&["pack", "-o", "../p.xml"]);
        assert_eq!(run.code, 2, "{text}");
        assert!(run.stderr.contains(error), "{text}: {}", run.stderr);
    }
}

#[test]
fn what_the_environment_holds_and_paths_are_looked_for_too() {
    let repo = Repo::new()
        .file("a.txt", "the word is correct-horse-battery\n")
        .file(&format!("{TOKEN}.txt"), "x\n")
        .git();
    std::os::unix::fs::symlink(TOKEN, repo.root().join("link")).unwrap();
    let mut command = repo.command(&["pack", "--instruction", &format!("use {TOKEN}")]);
    command
        .env("MY_API_KEY", "correct-horse-battery")
        .env("SHORT_KEY", "the word");
    let run = super::Run::of(command);
    assert!(
        run.stdout
            .contains("the word is [REDACTED:environment-my-api-key:1]\n"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("use [REDACTED:github-token:"),
        "{}",
        run.stdout
    );
    assert!(!run.stdout.contains(TOKEN) && !run.stderr.contains(TOKEN));
    assert!(
        run.stderr
            .contains("passed over `[REDACTED:github-token:1].txt`: its path holds a secret"),
        "{}",
        run.stderr
    );
    assert!(
        run.stdout
            .contains("<file path=\"link\" level=\"path\" kind=\"secret\""),
        "{}",
        run.stdout
    );
    assert!(
        run.stderr.contains("the instruction:1: github-token"),
        "{}",
        run.stderr
    );
}

#[test]
fn differences_and_commits_hold_none_either() {
    let repo = repo();
    repo.run_git(&["commit", "-q", "-m", &format!("rotate {TOKEN}\n\nbody")]);
    let repo = repo.file("clean.txt", format!("password = \"{PASSWORD}\"\n{TOKEN}\n"));
    let run = repo.run(&["pack", "--git-diff", "--git-log", "5", "clean.txt"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        !run.stdout.contains(TOKEN) && !run.stdout.contains(PASSWORD),
        "{}",
        run.stdout
    );
    for held in [
        "<git_diff_work_tree><![CDATA[\ndiff --git a/clean.txt b/clean.txt",
        "\n+password = \"[REDACTED:password:1]\"",
        "rotate [REDACTED:github-token:1]\n\nbody",
    ] {
        assert!(run.stdout.contains(held), "{held}: {}", run.stdout);
    }
    assert!(
        run.stderr.contains("the difference (work tree):"),
        "{}",
        run.stderr
    );
}

fn stage() -> Stage {
    let repo = Repo::new()
        .file(
            "greeting.txt",
            format!("hello\npassword = \"{PASSWORD}\"\nend\n"),
        )
        .file(
            "test.sh",
            format!("echo token={TOKEN}; ! grep -q bad greeting.txt\n"),
        )
        .file("spec.md", format!("Greet the world. Use {TOKEN}.\n"))
        .git();
    Stage::of(repo)
}

#[test]
fn no_prompt_holds_a_secret_and_a_change_gets_its_values_back() {
    let plan = format!(
        "# Plan: Greet\n\n## Steps\n\n### Step 1: Greet\n\nFiles:\n- change `greeting.txt`\n\nUse {TOKEN}.\n\nEND OF PLAN\n"
    );
    let write = |text: &str| format!("cat > greeting.txt <<'END'\n{text}END\n");
    let stage = stage().tell("gemini.answer", &plan).tell(
        "claude.edit",
        &write("hello world\npassword = \"[REDACTED:password:1]\"\nend\n"),
    );
    let check = format!("true {TOKEN}");
    let run = stage.plan_exec(&["--json", "--check", &check]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let landed = String::from_utf8(read(&stage.repo.root().join("greeting.txt"))).unwrap();
    assert_eq!(
        landed,
        format!("hello world\npassword = \"{PASSWORD}\"\nend\n")
    );
    let calls = stage.last_run().join("calls");
    for call in ["01-planner", "02-executor"] {
        let prompt = String::from_utf8(read(&calls.join(call).join("prompt.md"))).unwrap();
        assert!(
            !prompt.contains(TOKEN) && !prompt.contains(PASSWORD),
            "{prompt}"
        );
        assert!(
            prompt.contains("[REDACTED:github-token:1]")
                && prompt.contains("[REDACTED:password:1]"),
            "{prompt}"
        );
    }
    assert!(
        run.stderr
            .contains("secrets   1 secret redacted: the spec:1: github-token"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_placeholder_in_a_line_of_its_own_lands_nowhere() {
    let stage = stage().tell(
        "claude.edit",
        "echo 'other = [REDACTED:password:1]' >> greeting.txt\n",
    );
    let before = read(&stage.repo.root().join("greeting.txt"));
    let run = stage.plan_exec(&[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("in lines that it wrote anew: `greeting.txt` 4"),
        "{}",
        run.stderr
    );
    assert_eq!(read(&stage.repo.root().join("greeting.txt")), before);
}

#[test]
fn what_is_told_of_a_run_holds_none() {
    let stage = stage().tell("claude.edit", "echo hello world > greeting.txt\n");
    std::fs::write(
        stage.repo.root().join("spec.md"),
        format!("Greet with {TOKEN}\n"),
    )
    .unwrap();
    assert_eq!(stage.plan_exec(&[]).code, 0);
    for args in [&["runs"][..], &["runs", "show"]] {
        let run = stage.run(args);
        assert!(
            run.stdout.contains("[REDACTED:github-token:1]"),
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains(TOKEN), "{}", run.stdout);
    }
}

#[test]
fn a_run_that_may_hold_no_secret_asks_nobody() {
    let stage = stage();
    let run = stage.plan_exec(&["--secrets", "fail"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("1 secret found:\n  the spec:1: github-token"),
        "{}",
        run.stderr
    );
    assert!(!Path::new(&stage.last_run().join("calls/01-planner")).exists());
}
