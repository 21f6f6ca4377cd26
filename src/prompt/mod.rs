//! Every word that a model reads of ours, as templates in `.md` files.
//!
//! In: spec, plan, packs, checks. Out: the text of a prompt. Pure; the only user of `minijinja`.
//!
//! Invariant: the same input gives the same bytes; nothing of the machine or the time is in a prompt.

pub mod template;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Value, context};

const PLAN: &str = include_str!("plan.md");
const REVISE: &str = include_str!("revise.md");
const MEND: &str = include_str!("mend.md");
const REVIEW: &str = include_str!("review.md");
const REPAIR: &str = include_str!("repair.md");
const EXECUTE: &str = include_str!("execute.md");
const EDITS: &str = include_str!("edits.md");
const EDITS_AGAIN: &str = include_str!("edits_again.md");
const ASK: &str = include_str!("ask.md");
const AGAIN: &str = include_str!("again.md");

/// Returns the prompt that asks for a plan: the packs, then the task.
pub fn plan(packs: &[&str], spec: &str) -> String {
    render(
        PLAN,
        &context! { packs => list(packs), spec => spec.trim() },
    )
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
    let asked = repair.asked.map(str::trim_end);
    let answer = repair.answer.map(str::trim);
    render(REPAIR, &context! { asked, answer, failed, findings })
}

/// Returns the prompt that asks to carry out a plan: the packs, then the task.
///
/// A check is what the executor types, and what that runs where it is a script.
pub fn execute(packs: &[&str], plan: &str, checks: &[(&str, Option<&str>)]) -> String {
    render(EXECUTE, &task(packs, plan, checks))
}

/// Returns the prompt that asks to carry out a plan by an answer with edits: the packs, then the task.
///
/// A check is as for [`execute`]; it is run by others.
pub fn edits(packs: &[&str], plan: &str, checks: &[(&str, Option<&str>)]) -> String {
    render(EDITS, &task(packs, plan, checks))
}

fn task(packs: &[&str], plan: &str, checks: &[(&str, Option<&str>)]) -> Value {
    let checks = checks
        .iter()
        .map(|&(command, holds)| context! { command, holds });
    let checks: Vec<Value> = checks.collect();
    context! { packs => list(packs), plan => plan.trim(), checks }
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
pub fn ask(packs: &[&str], words: &str, schema: Option<&str>) -> String {
    render(
        ASK,
        &context! { packs => list(packs), words => words.trim(), schema },
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
        for (name, text, words) in [
            ("plan", plan(&["<pack/>"], odd), "END OF PLAN"),
            ("revise", revise(odd, Some("# Mine")), "# Mine\n"),
            (
                "execute",
                execute(&["<pack/>"], "# Plan", &checks),
                "# Plan\n",
            ),
            (
                "edits",
                edits(&["<pack/>"], "# Plan", &checks),
                ">>>>>>> REPLACE\n",
            ),
            (
                "edits_again",
                edits_again(&[odd.into()], ("# Asked", "[1]")),
                "\n[1]\n",
            ),
            ("ask", ask(&["<pack/>"], odd, Some("{}")), "\n{}\n"),
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
            plan(&["<pack/>", "<pack 2/>"], odd)
                .contains("\n\n<pack/>\n\n<pack 2/>\n\n# Your task\n")
        );
        let checked = execute(&[], "", &checks);
        let told = format!("\n  - `sh ../check-1.sh`, which runs `{odd}`\n  - `make`\n- End");
        assert!(checked.contains(&told), "{checked}");
        assert!(!execute(&[], "# Plan", &[]).contains("checks"));
        assert_eq!(ask(&[], " 1 + 1?\n", None), "1 + 1?\n");
        assert!(ask(&["<pack/>"], "Why?", None).ends_with("\n\n<pack/>\n\nWhy?\n"));
        let again = again(&["one".into(), "two".into()], None);
        assert!(again.starts_with("Your answer") && again.contains("\n\n- one\n- two\n\n"));
    }
}
