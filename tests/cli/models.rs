//! `twostep models`

use super::Repo;

#[test]
fn all_models_are_listed() {
    let repo = Repo::new();
    let run = repo.run(&["models", "-q", "--all"]);
    assert_eq!(run.code, 0);
    let line = |name: &str| {
        run.stdout
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("gemini-3.1-pro-preview"),
        "gemini-3.1-pro-preview current 1.05M 1.05M 66k 2/12 4/18 >200k gemma4 +7 %"
    );
    assert_eq!(
        line("gpt-6.2-sol"),
        "gpt-6.2-sol current 1.05M 922k 128k 2/10 4/15 >272k o200k_base exact"
    );
    assert_eq!(
        repo.run(&["models", "--json"]).json()["models"]
            .as_array()
            .unwrap()
            .len(),
        48
    );
}

#[test]
fn by_default_what_is_superseded_is_not_shown() {
    let run = Repo::new().run(&["models", "-q"]);
    assert!(run.stdout.contains("claude-opus-5-5 ") && !run.stdout.contains("claude-opus-4-8"));
    assert!(run.stdout.contains("opus = claude-opus-5-5"));
    assert!(
        run.stdout.lines().all(|line| line.chars().count() <= 100),
        "{}",
        run.stdout
    );
}

#[test]
fn one_model_in_full() {
    insta::assert_snapshot!(Repo::new().run(&["models", "-q", "haiku"]).stdout, @r"
    model           claude-haiku-5-5
    also            haiku
    vendor          anthropic
    status          current
    released        2026-10-07
    window          1,000,000 tokens, prompt and answer together
    at most in      1,000,000 tokens
    at most out     128,000 tokens
    prompt limit    875,000 tokens (125,000 are kept free for the answer): the budget of `--for claude-haiku-5-5`
    price           $0.1 in, $0.5 out, $0.01 cached, a million tokens
      above 100k    $0.5 in, $2.5 out, $0.05 cached, a million tokens, whole request
    tokenizer       claude-v4.7
    count           estimated; a budget adds a margin that covers 99 % of packs:
                    14.5 % from 0 tokens of o200k_base
                    11.5 % from 10,000 tokens of o200k_base
                    10 % from 35,000 tokens of o200k_base
                    8 % from 100,000 tokens of o200k_base
                    5 % from 500,000 tokens of o200k_base
    note            on Bedrock, Vertex and Foundry `haiku` may still mean claude-haiku-4-5
    ");
}

#[test]
fn the_users_own_models_count() {
    let repo = Repo::new().file("a.txt", "one two three\n");
    let mine = r#"
        version = 1
        [[models]]
        id = "mine"
        vendor = "me"
        status = "current"
        tokenizer = "o200k_base"
        context_window = 1000
        shared_window = true
        max_input = 1000
    "#;
    repo.config("models.toml", mine);
    assert_eq!(
        repo.run(&["models", "--json", "mine"]).json()["models"][0]["prompt_limit"],
        875
    );
    assert_eq!(
        repo.run(&["pack", "-q", "--for", "mine", "-o", "x.xml", "--json"])
            .json()["budget"],
        875
    );
    repo.config("models.toml", "version = 1\nmodel = 1\n");
    let run = repo.run(&["models"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.contains("cannot use your models in `")
            && run.stderr.contains("unknown field `model`"),
        "{}",
        run.stderr
    );
}
