//! Tiers and presets: which model an agent gets that is given without one, and how much that thinks.

use super::plan_exec::{PLAN, Stage};
use super::read;

const CODEX_MAX: &str =
    "codex exec --json --skip-git-repo-check -m gpt-6.1-sol -c 'model_reasoning_effort=\"max\"'";

#[test]
fn each_verb_gives_the_models_of_a_tier_or_preset_to_agents_that_are_given_without_one() {
    let stage = Stage::new();
    std::fs::write(stage.repo.root().join("AI-PLAN.md"), PLAN).unwrap();
    std::fs::write(stage.repo.root().join("greeting.txt"), "changed\n").unwrap();
    let plan_exec = &["plan-exec", "spec.md", "-f", "--no-check"][..];
    let by_codex = &[plan_exec, &["--planner", "codex"]].concat()[..];
    let named = &[plan_exec, &["--planner", "codex:gpt-6.1-sol"]].concat()[..];
    let low = [
        "gemini -m gemini-3.5-flash-lite",
        "--model claude-haiku-5-5 --setting",
    ];
    for (verb, options, said) in [
        (plan_exec, &["--tier", "low"][..], &low[..]),
        (
            by_codex,
            &["--preset", "ultra"],
            &[CODEX_MAX, "--model claude-opus-5-5 --effort max --setting"],
        ),
        // gemini cannot be told.
        (
            plan_exec,
            &["--preset", "high-power"],
            &[
                "gemini -m gemini-3.1-pro-preview -o",
                "--model claude-opus-5-5 --effort high --setting",
            ],
        ),
        // What is named stays.
        (
            named,
            &["--preset", "fast"],
            &[
                "-m gpt-6.1-sol -c analytics",
                "--model claude-haiku-5-5 --effort medium",
            ],
        ),
        (
            &["plan", "spec.md"],
            &["--preset", "balanced"],
            &["gemini -m gemini-3.8-flash", "(gemini-3.8-flash)"],
        ),
        (
            &["exec", "--no-check", "--executor", "claude,codex"],
            &["--preset", "balanced"],
            &["--model claude-sonnet-5-5 --effort high"],
        ),
        (
            &["review"],
            &["--tier", "medium"],
            &["-m gpt-6.1-terra -c analytics"],
        ),
        (
            &["ask", "codex", "Why?"],
            &["--preset", "ultra"],
            &[CODEX_MAX, "codex (gpt-6.1-sol, max effort)"],
        ),
        (
            &["ask", "openai-api", "Why?"],
            &["--preset", "ultra"],
            &["openai-api (gpt-6.1-sol)"],
        ),
        (
            &["workflow", "run", "generate-review-fix", "spec.md"],
            &["--preset", "balanced"],
            &[
                "reviewer: gemini (gemini-3.8-flash)",
                "writer: claude (claude-sonnet-5-5, high effort)",
            ],
        ),
    ] {
        let run = stage.run(&[verb, options, &["--dry-run"]].concat());
        assert_eq!(run.code, 0, "{verb:?} {options:?}: {}", run.stderr);
        for said in said {
            assert!(
                run.stderr.contains(said),
                "{verb:?} {options:?} {said}: {}",
                run.stderr
            );
        }
    }
}

#[test]
fn what_a_run_was_given_holds_when_it_is_gone_on_with_and_done_again() {
    let stage = Stage::new();
    let run = stage.run(&["plan-exec", "spec.md", "--no-check", "--preset", "fast"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("twostep exec AI-PLAN.md --preset fast --no-check --yes"),
        "{}",
        run.stderr
    );
    let run = stage.plan_exec(&["-f", "--tier", "medium"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("(claude-sonnet-5-5)"), "{}", run.stderr);
    let said = read(&stage.last_run().join("calls/02-executor/stderr"));
    let said = String::from_utf8(said).unwrap();
    assert!(
        said.contains("--model claude-sonnet-5-5 --setting"),
        "{said}"
    );
    let again = stage.run(&["runs", "replay"]);
    assert_eq!(again.code, 0, "{}", again.stderr);
}

#[test]
fn presets_and_agents_of_the_users_have_what_they_say() {
    let stage = Stage::new().own("cat > /dev/null; echo hi\n");
    let folder = stage.repo.beside("home/.config/twostep");
    let models = "version = 1\n[[tiers]]\nname = \"google\"\nmodels = [\"gemini-2.5-pro\"]\nseconds = 60\n\
        [[presets]]\nname = \"mine\"\nplanner = { tier = \"high\" }\nexecutor = { tier = \"medium\", effort = \"low\" }\n\
        reviewer = { tier = \"low\", effort = \"xhigh\" }\nasked = { tier = \"google\" }\n";
    std::fs::write(folder.join("models.toml"), models).unwrap();
    std::fs::create_dir_all(folder.join("workflows")).unwrap();
    let step = |name: &str, role: &str| {
        format!(
            "[[step]]\nname = \"{name}\"\nkind = \"ask\"\nrole = \"{role}\"\nprompt = \"Hi.\"\n"
        )
    };
    let roles = "[roles]\nexecutor = \"claude\"\nreviewer = \"codex\"\njudge = \"gemini\"\nother = \"own\"\n";
    let workflow = format!(
        "version = 1\ntitle = \"Mine\"\n{roles}{}{}{}{}",
        step("a", "executor"),
        step("b", "reviewer"),
        step("c", "judge"),
        step("d", "other")
    );
    std::fs::write(folder.join("workflows/four.toml"), workflow).unwrap();
    let run = stage.run(&["workflow", "run", "four", "--preset", "mine", "--dry-run"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    for said in [
        "executor: claude (claude-sonnet-5-5, low effort)\n",
        "reviewer: codex (gpt-6-luna, xhigh effort)\n",
        "judge: gemini (gemini-2.5-pro)\n",
        "other: own (gpt-5)\n",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
    let listed = stage.run(&["models", "-q"]).stdout;
    let told = "\nmine        planner: high; executor: medium, low effort; reviewer: low, xhigh effort; asked: google\n";
    assert!(listed.contains(told), "{listed}");
    for told in [
        "\nultra       tier high, max effort\n",
        "\nmedium      gemini-3.8-flash, claude-sonnet-5-5, gpt-6.1-terra\n",
    ] {
        assert!(listed.contains(told), "{listed}");
    }
    let listed = stage.run(&["models", "-q", "--json"]).json();
    assert_eq!(listed["presets"][4]["reviewer"]["effort"], "xhigh");
    assert_eq!(listed["tiers"][3]["models"][0], "gemini-2.5-pro");
    for (args, said) in [
        (
            &["ask", "claude", "Hi", "--tier", "google"][..],
            "the tier `google` has no model of anthropic for `claude`\n\nhint: name its model, `claude:MODEL`",
        ),
        (
            &["ask", "claude", "Hi", "--tier", "top"],
            "there is no tier `top`\n\nhint: there are high, medium, low, google; `twostep models`",
        ),
        (
            &["ask", "claude", "Hi", "--preset", "top"],
            "there is no preset `top`\n\nhint: there are ultra, high-power, balanced, fast, mine;",
        ),
        (
            &["ask", "claude", "Hi", "--preset", "fast", "--tier", "low"],
            "cannot be used with",
        ),
        (
            &["plan", "--revise", "More.", "--tier", "low"],
            "cannot be used with",
        ),
    ] {
        let run = stage.run(args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.stderr);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
}
