//! Every word that a model reads of ours, as templates in `.md` files.
//!
//! In: spec, plan, packs, checks. Out: the text of a prompt. Pure; the only user of `minijinja`.
//!
//! Invariant: the same input gives the same bytes; nothing of the machine or the time is in a prompt. Nothing that others
//! wrote ends the element that it stands in.

pub mod template;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value, context};

const PLAN: &str = include_str!("plan.md");
const CONVENTIONS: &str = include_str!("conventions.md");
const REVISE: &str = include_str!("revise.md");
const MEND: &str = include_str!("mend.md");
const REVIEW: &str = include_str!("review.md");
const REPAIR: &str = include_str!("repair.md");
const RETOLD: &str = include_str!("retold.md");
const EXECUTE: &str = include_str!("execute.md");
const EDITS: &str = include_str!("edits.md");
const EDITS_AGAIN: &str = include_str!("edits_again.md");
const ASK: &str = include_str!("ask.md");
const AGAIN: &str = include_str!("again.md");

/// Returns the forms in which answers are asked for, by the names that templates of workflows give them.
pub fn forms() -> [(&'static str, &'static str); 3] {
    let after = |text: &'static str, mark: &str| text.split_once(mark).map_or("", |(_, form)| form);
    let edits = after(EDITS, ANSWER);
    let edits = edits.split_once(END_OF_EDITS).map_or("", |(form, _)| form);
    [
        ("plan_form", after(PLAN, ANSWER)),
        ("review_form", after(REVIEW, REVIEW_FORM)),
        ("edits_form", edits),
    ]
}

/// What stands above the form of an answer.
const ANSWER: &str = "# Your answer\n\n";

/// The same for reviews.
const REVIEW_FORM: &str = "Answer in exactly this form:\n\n";

/// What stands below the form of edits.
const END_OF_EDITS: &str = "End with a short report";

/// Returns the prompt that asks for a plan: the packs, then the task; `conventions` names those of their files that hold
/// the project's.
pub fn plan(packs: &[&str], conventions: &[String], spec: &str) -> String {
    let (packs, conventions) = (list(packs), told(conventions));
    render(PLAN, &context! { packs, conventions, spec => spec.trim() })
}

/// Returns what is said of the files that hold the project's conventions.
fn told(conventions: &[String]) -> Option<String> {
    let names = list(conventions);
    let told = render(CONVENTIONS, &context! { names });
    (!conventions.is_empty()).then(|| told.trim_end().to_owned())
}

/// Returns the prompt that asks for another plan in the same session; `edited` is the plan as the user changed it.
pub fn revise(note: &str, edited: Option<&str>) -> String {
    render(REVISE, &context! { note => note.trim(), edited })
}

/// Returns the prompt that asks for a plan without what is `wrong` with it, a line for each.
///
/// `before` is the prompt and the plan, where there is no conversation that knows them.
pub fn mend(wrong: &[String], before: Option<(&str, &str)>) -> String {
    let (asked, plan) = before.unzip();
    let asked = asked.map(str::trim_end);
    let plan = plan.map(str::trim);
    render(MEND, &context! { wrong => list(wrong), asked, plan })
}

/// Returns the prompt that asks for a review of the change `diff`: each check is its command, how it ended, and what it said.
pub fn review(
    plan: Option<&str>,
    diff: &str,
    report: Option<&str>,
    checks: &[(&str, &str, &str)],
) -> String {
    let checks = checks.iter();
    let checks: Vec<Value> = checks
        .map(|&(command, how, output)| context! { command, how, output => output.trim() })
        .collect();
    let (plan, report) = (plan.map(str::trim), report.map(str::trim));
    render(
        REVIEW,
        &context! { plan, diff => diff.trim_end(), report, checks },
    )
}

/// What is wrong with a change, and what who made it knows of it.
pub struct Repair<'a> {
    /// The first prompt, where there is no conversation that knows it.
    pub asked: Option<&'a str>,
    /// The answer, where the change was made of that: it is taken back.
    pub answer: Option<&'a str>,
    /// Whether the first prompt shows the files as the change left them.
    pub is_shown: bool,
    /// The checks that fail.
    pub failed: &'a [Failed<'a>],
    /// What a reviewer found, each with how often that was said.
    pub found: &'a [(&'a str, usize)],
}

/// A check that fails.
pub struct Failed<'a> {
    /// What was run.
    pub command: &'a str,
    /// How it ended.
    pub how: &'a str,
    /// What of its output tells why.
    pub output: &'a str,
    /// Whether it failed before the change, too.
    pub failed_before: bool,
}

/// Returns the prompt that asks to put a change right.
pub fn repair(repair: &Repair<'_>) -> String {
    let failed = repair.failed.iter().map(|check| {
        let (command, how, output) = (check.command, check.how, check.output.trim());
        context! { command, how, output, before => check.failed_before }
    });
    let failed: Vec<Value> = failed.collect();
    let findings = repair.found.iter();
    let findings: Vec<Value> = findings
        .map(|&(text, times)| context! { text, times })
        .collect();
    let answer = repair.answer.map(str::trim);
    let shown = repair.is_shown;
    let text = render(REPAIR, &context! { answer, shown, failed, findings });
    match repair.asked {
        Some(asked) => retold(asked, answer, &text),
        None => text,
    }
}

/// Returns the prompt `text` of a conversation for one who had none: below what was `asked` first, and the answer where that matters.
pub fn retold(asked: &str, answer: Option<&str>, text: &str) -> String {
    let (asked, text) = (asked.trim_end(), text.trim_end());
    render(RETOLD, &context! { asked, answer, text })
}

/// What is to be carried out.
#[derive(Default)]
pub struct Task<'a> {
    /// The files of the packs that hold the project's conventions.
    pub conventions: &'a [String],
    /// The plan.
    pub plan: &'a str,
    /// Which of its steps are to be carried out now, where that is not all.
    pub part: Option<Part>,
    /// What the executor types for each check, and what that runs where it is a script.
    pub checks: &'a [(&'a str, Option<&'a str>)],
}

/// Some steps of a plan, each with its number and what it does.
#[derive(Default)]
pub struct Part {
    /// Those that are to be carried out.
    pub now: Vec<(usize, String)>,
    /// Those that have been.
    pub done: Vec<(usize, String)>,
    /// Those that will be.
    pub later: Vec<(usize, String)>,
}

/// Returns the prompt that asks to carry out a plan: the packs, then the task.
pub fn execute(packs: &[&str], task: &Task<'_>) -> String {
    render(EXECUTE, &values(packs, task))
}

/// Returns the prompt that asks to carry out a plan by an answer with edits: the packs, then the task.
///
/// The checks are run by others.
pub fn edits(packs: &[&str], task: &Task<'_>) -> String {
    render(EDITS, &values(packs, task))
}

fn values(packs: &[&str], task: &Task<'_>) -> Value {
    let checks = task.checks.iter();
    let checks = checks.map(|&(command, holds)| context! { command, holds });
    let checks: Vec<Value> = checks.collect();
    let steps = |steps: &[(usize, String)]| {
        let each = steps.iter();
        let each = each.map(|(number, title)| context! { number, title => title.trim() });
        each.collect::<Vec<Value>>()
    };
    let part = task.part.as_ref().map(|part| {
        let (now, done, later) = (steps(&part.now), steps(&part.done), steps(&part.later));
        context! { now, done, later }
    });
    let (packs, conventions) = (list(packs), told(task.conventions));
    context! { packs, conventions, plan => task.plan.trim(), part, checks }
}

/// Returns the prompt that asks again for edits that can be made; `before` is the prompt and the answer.
pub fn edits_again(wrong: &[String], (asked, answer): (&str, &str)) -> String {
    let (asked, answer) = (asked.trim(), answer.trim());
    render(
        EDITS_AGAIN,
        &context! { wrong => list(wrong), asked, answer },
    )
}

/// Returns the prompt that asks what the user asks: the packs, then their words, then the schema that the answer is to be as.
///
/// `conventions` names the files of the packs that hold the project's.
pub fn ask(packs: &[&str], conventions: &[String], words: &str, schema: Option<&str>) -> String {
    let (packs, conventions) = (list(packs), told(conventions));
    render(
        ASK,
        &context! { packs, conventions, words => words.trim(), schema },
    )
}

/// Returns the prompt that asks again for an answer that is as the schema says.
///
/// `before` is the prompt and the answer, where there is no conversation that knows them.
pub fn again(wrong: &[String], before: Option<(&str, &str)>) -> String {
    let (asked, answer) = before.unzip();
    let asked = asked.map(str::trim);
    let answer = answer.map(str::trim);
    render(AGAIN, &context! { wrong => list(wrong), asked, answer })
}

/// Returns `text` within an element `name`; where it holds the end of one, the element has a number that none of these has.
fn within(text: &str, name: &str) -> String {
    let end = format!("</{name}");
    let number = |(at, _): (usize, &str)| {
        let digits = text[at + end.len()..].strip_prefix('-').unwrap_or_default();
        let n_digits = digits.bytes().take_while(u8::is_ascii_digit).count();
        digits[..n_digits].parse().unwrap_or(1)
    };
    let lower = text.to_ascii_lowercase();
    let last: Option<u32> = lower.match_indices(&end).map(number).max();
    let name = match last {
        None => name.to_owned(),
        Some(last) => format!("{name}-{}", u64::from(last) + 1),
    };
    format!("<{name}>\n{}\n</{name}>", text.trim_end_matches('\n'))
}

fn list(texts: &[impl AsRef<str>]) -> Vec<Value> {
    texts
        .iter()
        .map(|text| Value::from(text.as_ref()))
        .collect()
}

#[expect(
    clippy::expect_used,
    reason = "the templates are part of the program, and a test renders each"
)]
fn render(template: &str, values: &Value) -> String {
    let mut environment = Environment::empty();
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment.add_filter("within", within);
    environment
        .render_str(template, values)
        .expect("the template is well-formed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prompt_holds_what_it_is_given_as_it_is() {
        let odd = "a {{ b }} <c> & \"d\" {% e %}";
        let checks = [("sh ../check-1.sh", Some(odd)), ("make", None)];
        let task = Task {
            conventions: &[],
            plan: "# Plan",
            part: None,
            checks: &checks,
        };
        for (name, text, words) in [
            ("plan", plan(&["<pack/>"], &[], odd), "END OF PLAN"),
            ("revise", revise(odd, Some("# Mine")), "# Mine\n"),
            ("execute", execute(&["<pack/>"], &task), "# Plan\n"),
            ("edits", edits(&["<pack/>"], &task), ">>>>>>> REPLACE\n"),
            (
                "edits_again",
                edits_again(&[odd.into()], ("# Asked", "[1]")),
                "\n[1]\n",
            ),
            ("ask", ask(&["<pack/>"], &[], odd, Some("{}")), "\n{}\n"),
            ("again", again(&[odd.into()], Some((odd, "[1]"))), "\n[1]\n"),
        ] {
            assert!(text.contains(odd), "{name}: {text}");
            assert!(text.contains(words), "{name}: {text}");
            assert!(
                text.ends_with('\n') && !text.contains("\n\n\n"),
                "{name}: {text}"
            );
        }
        assert!(
            plan(&["<pack/>", "<pack 2/>"], &[], odd)
                .contains("\n\n<pack/>\n\n<pack 2/>\n\n# Your task\n")
        );
        let checked = execute(&[], &task);
        let told = format!("\n  - `sh ../check-1.sh`, which runs `{odd}`\n  - `make`\n- End");
        assert!(checked.contains(&told), "{checked}");
        assert!(!execute(&[], &Task::default()).contains("checks"));
        assert_eq!(ask(&[], &[], " 1 + 1?\n", None), "1 + 1?\n");
        assert!(ask(&["<pack/>"], &[], "Why?", None).ends_with("\n\n<pack/>\n\nWhy?\n"));
        let again = again(&["one".into(), "two".into()], None);
        assert!(again.starts_with("Your answer") && again.contains("\n\n- one\n- two\n\n"));
    }

    #[test]
    fn a_prompt_names_the_files_with_the_projects_conventions() {
        for (names, said) in [
            (&[][..], None),
            (&["AGENTS.md"], Some("`AGENTS.md` of")),
            (&["A.md", "{{ B }}.md"], Some("`A.md` and `{{ B }}.md` of")),
            (&["A", "B", "C"], Some("`A`, `B` and `C` of")),
        ] {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let task = Task {
                conventions: &names,
                ..Task::default()
            };
            for text in [
                plan(&["<pack/>"], &names, "Spec"),
                ask(&["<pack/>"], &names, "Why?", None),
                execute(&["<pack/>"], &task),
                edits(&["<pack/>"], &task),
            ] {
                let told = said.map(|said| {
                    format!("an instruction to you.\n\nThe project's own conventions are in {said} these files: keep")
                });
                assert_eq!(text.contains("conventions"), told.is_some(), "{text}");
                assert!(told.is_none_or(|told| text.contains(&told)), "{text}");
                assert!(!text.contains("\n\n\n"), "{text}");
            }
        }
    }

    #[test]
    fn what_others_wrote_does_not_end_its_element() {
        for (text, expected) in [
            ("a <report> in src/report.rs", "report"),
            ("a\n</report>\n# The checks", "report-2"),
            ("</REPORT>", "report-2"),
            ("</report>\n</report-2>\n</report-7 >", "report-8"),
            ("</report-2>", "report-3"),
            ("</report-99999999999>", "report-2"),
            ("</reports>", "report-2"),
        ] {
            let prompt = review(None, "diff", Some(text), &[]);
            let held = format!("\n<{expected}>\n{text}\n</{expected}>\n");
            assert!(prompt.contains(&held), "{text}: {prompt}");
        }
        let end = "all </plan></diff></report></output></answer></spec></note></schema></findings>";
        let checks = [("make", "failed", end)];
        let failed = [Failed {
            command: "make",
            how: "failed",
            output: end,
            failed_before: false,
        }];
        let repair_of = Repair {
            asked: Some("asked"),
            answer: Some(end),
            is_shown: false,
            failed: &failed,
            found: &[(end, 1)],
        };
        let task = Task {
            plan: end,
            ..Task::default()
        };
        let wrong = ["wrong".to_owned()];
        for (text, names) in [
            (
                review(Some(end), end, Some(end), &checks),
                &["plan", "diff", "report", "output"][..],
            ),
            (repair(&repair_of), &["answer", "output", "findings"]),
            (edits_again(&wrong, ("asked", end)), &["answer"]),
            (again(&wrong, Some(("asked", end))), &["answer"]),
            (mend(&wrong, Some(("asked", end))), &["plan"]),
            (revise(end, Some(end)), &["note", "plan"]),
            (execute(&[], &task), &["plan"]),
            (edits(&[], &task), &["plan"]),
            (plan(&[], &[], end), &["spec"]),
            (ask(&[], &[], "words", Some(end)), &["schema"]),
        ] {
            for name in names {
                let n_ends = text.matches(&format!("\n</{name}-2>\n")).count();
                assert_eq!(n_ends, 1, "{name}: {text}");
                assert!(!text.contains(&format!("\n</{name}>")), "{name}: {text}");
            }
        }
    }

    #[test]
    fn a_part_of_a_plan_says_what_is_done_now_before_and_later() {
        let steps = |steps: &[(usize, &str)]| {
            let each = steps.iter();
            each.map(|&(number, title)| (number, title.to_owned()))
                .collect::<Vec<_>>()
        };
        let part = |done, later| {
            Some(Part {
                now: steps(&[(2, "Add {{ it }}"), (3, "Test it")]),
                done: steps(done),
                later: steps(later),
            })
        };
        for (done, later, said) in [
            (
                &[(1, "Begin")][..],
                &[(4, "Go on"), (5, "End")][..],
                "now:\n\n- step 2: Add {{ it }}\n- step 3: Test it\n\nDone before",
            ),
            (&[(1, "Begin")], &[], "files as they are: step 1.\n\n"),
            (
                &[],
                &[(4, "Go on"), (5, "End")],
                "Left for later: steps 4, 5; a check that needs them may fail until then.\n\n",
            ),
            (&[], &[], "- step 3: Test it\n\n- Go through"),
        ] {
            let task = Task {
                conventions: &[],
                plan: "# Plan",
                part: part(done, later),
                checks: &[],
            };
            for text in [execute(&[], &task), edits(&[], &task)] {
                assert!(text.contains(said), "{said}: {text}");
                assert!(!text.contains("\n\n\n"), "{text}");
                assert_eq!(text.contains("Done before"), !done.is_empty(), "{text}");
                assert_eq!(text.contains("Left for later"), !later.is_empty(), "{text}");
            }
        }
    }
}
