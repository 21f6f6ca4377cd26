use super::*;

const GOOD: &str = r#"
version = 1
title = "Draft, review, mend"
result = "{{ draft.text }}"

[roles]
writer = "claude"
critic = "gemini"

[values]
tone = "plain"
focus = { default = "all", one-of = ["all", "safety"], about = "what the critic looks at" }

[[step]]
name = "context"
kind = "pack"
task = "{{ spec }}"
budget = 5000

[[step]]
name = "rounds"
repeat = { until = "review.approves", most = 2 }

[[step.step]]
name = "draft"
kind = "ask"
role = "writer"
prompt = "{{ context.text }} {{ spec }} {{ tone }}{% if review %} {{ review.failed | join }}{% endif %}"
file = "draft-{{ round }}.md"

[[step.step]]
name = "review"
kind = "ask"
role = "critic"
answer = "review"
prompt = "{{ focus }} {{ draft.text }}"

[[step]]
name = "notes"
kind = "ask"
role = "writer"
for-each = "files('src/**')"
as = "path"
parallel = 3
prompt = "{{ path }} {{ index }}"

[[step]]
name = "both"
parallel = true

[[step.step]]
name = "left"
kind = "ask"
role = "writer"
prompt = "{{ notes | length }}"

[[step.step]]
name = "right"
kind = "ask"
role = "critic"
session = "review"
prompt = "more"

[[step]]
name = "which"
kind = "gate"
when = "left.text != right.text"
question = "{{ left.text }} or {{ right.text }}?"
choices = ["left", "right"]
"#;

#[test]
fn a_workflow_is_read() {
    let workflow = Workflow::read(GOOD).unwrap();
    assert!(workflow.needs_spec);
    let names: Vec<&str> = workflow
        .steps
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    assert_eq!(names, ["context", "rounds", "notes", "both", "which"]);
    let kinds: Vec<&str> = workflow.steps.iter().map(|step| step.does.kind()).collect();
    assert_eq!(kinds, ["pack", "steps", "ask", "steps", "gate"]);
    let Times::Until { is, most } = &workflow.steps[1].times else {
        panic!("it is repeated");
    };
    assert_eq!((is.as_str(), *most), ("review.approves", 2));
    assert_eq!(
        workflow.steps[2].times,
        Times::Each {
            of: "files('src/**')".to_owned(),
            name: "path".to_owned(),
            at_once: 3
        }
    );
    assert_eq!(workflow.values["focus"].one_of, ["all", "safety"]);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    for (from, to, place, said) in [
        (
            "budget = 5000",
            "budgets = 5000",
            "budgets",
            "unknown field `budgets`",
        ),
        (
            "budget = 5000",
            "",
            "name = \"context\"",
            "the step `context` has no `budget`",
        ),
        (
            "budget = 5000",
            "budget = 5000\nminutes = 1",
            "name = \"context\"",
            "which steps of the kind `pack` have not",
        ),
        (
            "kind = \"gate\"",
            "kind = \"gates\"",
            "name = \"which\"",
            "`gates`, and may be one of",
        ),
        (
            "role = \"critic\"\nanswer",
            "role = \"nobody\"\nanswer",
            "name = \"review\"",
            "the roles are critic, writer",
        ),
        (
            "{{ focus }}",
            "{{ focused }}",
            "name = \"review\"",
            "names `focused`, which is no value",
        ),
        (
            "{{ context.text }}",
            "{{ context.words }}",
            "name = \"draft\"",
            "it may be `context.text`, `context.tokens`",
        ),
        (
            "{{ context.text }}",
            "{{ notes }}",
            "name = \"draft\"",
            "names `notes`",
        ),
        (
            "{{ context.text }}",
            "{{ context.text",
            "name = \"draft\"",
            "cannot be read: syntax error",
        ),
        (
            "until = \"review.approves\"",
            "until = \"review.fine\"",
            "name = \"rounds\"",
            "it may be `review.text`",
        ),
        (
            "most = 2",
            "most = 0",
            "name = \"rounds\"",
            "repeated 0 times at most",
        ),
        (
            "most = 2",
            "most = 2, least = 1",
            "repeat =",
            "unknown field `least`",
        ),
        (
            "name = \"notes\"",
            "name = \"draft\"",
            "name = \"draft\"\nkind = \"ask\"\nrole = \"writer\"\nfor-each",
            "the name `draft` is taken",
        ),
        (
            "name = \"notes\"",
            "name = \"a-b\"",
            "name = \"a-b\"",
            "`a-b` is no name",
        ),
        (
            "name = \"notes\"",
            "name = \"spec\"",
            "name = \"spec\"",
            "the name `spec` is taken",
        ),
        (
            "as = \"path\"",
            "as = \"tone\"",
            "name = \"notes\"",
            "the name `tone` is taken",
        ),
        (
            "for-each = \"files('src/**')\"",
            "",
            "name = \"notes\"",
            "has a `as`",
        ),
        (
            "session = \"review\"",
            "session = \"context\"",
            "name = \"right\"",
            "goes on with the conversation of `context`",
        ),
        // What is done at once does not know another.
        (
            "session = \"review\"\nprompt = \"more\"",
            "prompt = \"{{ left.text }}\"",
            "name = \"right\"",
            "names `left`",
        ),
        (
            "default = \"all\"",
            "default = \"some\"",
            "focus = {",
            "none of what it may be",
        ),
        (
            "default = \"all\"",
            "when = \"tone\", default = \"all\"",
            "focus = {",
            "the value `focus` has a `when`, and no `question`",
        ),
        (
            "default = \"all\"",
            "question = \"?\", when = \"mood\", default = \"all\"",
            "focus = {",
            "the `when` of the value `focus` names `mood`, which is no value above it",
        ),
        (
            "{{ context.text }}",
            "{{ roles.painter }}",
            "name = \"draft\"",
            "is for `painter`, and the roles are critic, writer",
        ),
        ("version = 1", "version = 2", "", "version 2"),
        (
            "{{ draft.text }}\"\n\n[roles]",
            "{{ drafts.text }}\"\n\n[roles]",
            "result =",
            "names `drafts`",
        ),
        (
            "answer = \"review\"",
            "answer = \"song\"",
            "name = \"review\"",
            "`song`, and may be one of text, code",
        ),
        (
            "choices = [\"left\", \"right\"]",
            "choices = []",
            "name = \"which\"",
            "has no `choices`",
        ),
        (
            "when = \"left.text != right.text\"",
            "when = \"left.text !=\"",
            "name = \"which\"",
            "the `when` of the step `which` cannot be read",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let line = text[..text.find(place).unwrap()].matches('\n').count() + 1;
        let error = Workflow::read(&text).unwrap_err();
        let told = error.to_string();
        assert!(told.contains(said), "{to}: {told}");
        assert_eq!(error.line, line, "{to}: {told}");
    }
}

#[test]
fn a_name_that_is_none_brings_the_one_that_was_meant() {
    for (from, to, expected) in [
        ("budget = 5000", "budgt = 5000", Some("budget")),
        ("most = 2", "mots = 2", Some("most")),
        ("kind = \"gate\"", "kind = \"gates\"", Some("gate")),
        (
            "answer = \"review\"",
            "answer = \"reviews\"",
            Some("review"),
        ),
        (
            "role = \"critic\"\nanswer",
            "role = \"critics\"\nanswer",
            Some("critic"),
        ),
        ("{{ focus }}", "{{ focused }}", Some("focus")),
        ("{{ context.text }}", "{{ context.txt }}", Some("text")),
        (
            "until = \"review.approves\"",
            "until = \"review.aproves\"",
            Some("approves"),
        ),
        ("{{ focus }}", "{{ nothing_like_it }}", None),
        ("budget = 5000", "", None),
    ] {
        let text = GOOD.replacen(from, to, 1);
        let hint = Workflow::read(&text).unwrap_err().problem.hint();
        let expected = expected.map(|name| format!("did you mean `{name}`?"));
        assert_eq!(hint, expected, "{to}");
    }
}

#[test]
fn what_is_too_long_is_refused_with_its_line() {
    let step = |n: usize| format!("[[step]]\nname = \"s{n}\"\nkind = \"text\"\ntext = \"x\"\n");
    let head = "version = 1\ntitle = \"t\"\n";
    let of = |n: usize| format!("{head}{}", (0..n).map(step).collect::<String>());
    assert!(Workflow::read(&of(1_000)).is_ok());
    let long = "1+".repeat(50_000) + "1";
    let chain = |when: &str| format!("{head}{}when = \"{when}\"\n", step(1));
    let template = |text: &str| {
        format!(
            "{head}{}",
            step(1).replace("\"x\"", &format!("'''{text}'''"))
        )
    };
    for (text, line, said) in [
        (of(20_000), 4_004, "more than 1000 steps"),
        (
            chain(&long),
            4,
            "the `when` of the step `s1` cannot be read: it has 100001 bytes, and may have 4000",
        ),
        (
            template(&format!("{{{{ \"}}}}\" ~ {long} }}}}")),
            4,
            "a tag of it has 100014 bytes, and may have 4000",
        ),
        (
            template(&"{{ spec }}".repeat(1_001)),
            4,
            "it has 1001 tags, and may have 1000",
        ),
    ] {
        let error = Workflow::read(&text).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.line, line, "{error}");
    }
}

#[test]
fn a_list_has_no_fields_of_its_own() {
    let text = GOOD.replace("{{ notes | length }}", "{{ notes.text }}");
    let told = Workflow::read(&text).unwrap_err().to_string();
    let said =
        "names `notes.text`; it may be gone through, as in `{% for one in notes %}`: it is a list";
    assert!(told.contains(said), "{told}");
}

/// A workflow that changes files.
const HANDS: &str = r#"
version = 1
title = "Made, checked, reviewed"
accept = "seen.approves"
remember = "{{ made.text }}"

[roles]
hand = "claude"
eye = "codex"

[values]
command = "make test"

[[step]]
name = "made"
kind = "execute"
role = "hand"
reviewer = "eye"
plan = "{{ spec }} {{ memory }} {{ plan_form }}"
missing = "told"

[[step]]
name = "more"
kind = "integrate"
edits = "{{ made.text }}"
approve = "file"

[[step]]
name = "looked"
kind = "check"
commands = ["{{ command }} --all"]

[[step]]
name = "seen"
kind = "review"
role = "eye"
plan = "{{ looked.text }}"

[[step]]
name = "told"
kind = "text"
text = "{{ seen.failed | join }} {{ more.rejected | join }} {{ looked.passes }} {{ made.diff }}"
"#;

#[test]
fn steps_that_change_files_are_read() {
    let workflow = Workflow::read(HANDS).unwrap();
    let works: Vec<bool> = workflow
        .steps
        .iter()
        .map(|step| step.does.needs_scratch())
        .collect();
    assert_eq!(works, [true, true, true, false, false]);
    let kinds: Vec<&str> = workflow.steps.iter().map(|step| step.does.kind()).collect();
    assert_eq!(kinds, ["execute", "integrate", "check", "review", "text"]);
}

#[test]
fn what_is_wrong_with_steps_that_change_files_is_told() {
    for (from, to, place, said) in [
        (
            "{{ command }} --all",
            "{{ made.text }}",
            "\"looked\"",
            "name `made.text`, and may name values alone",
        ),
        (
            "{{ command }} --all",
            "{{ spec }}",
            "\"looked\"",
            "name `spec`, and may name values alone",
        ),
        (
            "{{ command }} --all",
            "rm {{ files('**') | join }}",
            "\"looked\"",
            "name `files`, and may name values alone",
        ),
        (
            "role = \"hand\"",
            "role = \"foot\"",
            "\"made\"",
            "is for `foot`",
        ),
        (
            "reviewer = \"eye\"",
            "reviewer = \"ear\"",
            "\"made\"",
            "is for `ear`",
        ),
        (
            "missing = \"told\"",
            "missing = \"so what\"",
            "\"made\"",
            "may be one of stop, told",
        ),
        (
            "approve = \"file\"",
            "approve = \"all\"",
            "\"more\"",
            "may be one of change, file, nothing",
        ),
        (
            "approve = \"file\"",
            "approve = \"{{ how }}\"",
            "\"more\"",
            "names `how`",
        ),
        (
            "approve = \"file\"",
            "approve = \"{{ made.text }}\"",
            "\"more\"",
            "the `approve` of the step `more` name `made.text`, and may name values alone",
        ),
        (
            "edits = \"{{ made.text }}\"",
            "",
            "\"more\"",
            "has no `edits`",
        ),
        (
            "made.diff",
            "made.patch",
            "name = \"told\"",
            "it may be `made.text`, `made.files`, `made.diff`",
        ),
        (
            "accept = \"seen.approves\"",
            "accept = \"seen.approve\"",
            "accept",
            "it may be `seen.text`",
        ),
        (
            "{{ made.text }}\"\n\n[roles]",
            "{{ make.text }}\"\n\n[roles]",
            "remember",
            "names `make`",
        ),
        (
            "command = \"make",
            "memory = \"make",
            "version",
            "the name `memory` is taken",
        ),
    ] {
        assert!(HANDS.contains(from), "{from}");
        let text = HANDS.replacen(from, to, 1);
        let line = text[..text.find(place).unwrap()].matches('\n').count() + 1;
        let error = Workflow::read(&text).unwrap_err();
        let told = error.to_string();
        assert!(told.contains(said), "{to}: {told}");
        assert!(error.line == line || place == "version", "{to}: {told}");
    }
}

#[test]
fn each_built_in_workflow_can_be_read() {
    for (name, text) in BUILT_IN {
        let read = Workflow::read(text);
        assert!(read.is_ok(), "{name}: {:?}", read.err());
    }
}
