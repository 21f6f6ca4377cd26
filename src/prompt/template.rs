//! Templates and expressions that others wrote: the prompts and conditions of workflows.
//!
//! In: their text, and values by name. Out: which names they use; text, or a value.
//!
//! Invariant: a name that is not there is an error, never nothing.

use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Serde};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value as Made};
use serde_json::{Map, Value};

/// The values that templates and expressions may name.
pub type Scope = Map<String, Value>;

/// Returns the paths of a repository that globs name.
pub type Files = Arc<dyn Fn(&[String]) -> Vec<String> + Send + Sync>;

/// What is wrong with a template or an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl From<Error> for TemplateError {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        let what = match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        };
        Self(match error.line() {
            Some(line) if line > 1 => format!("{what} (in line {line} of it)"),
            _ => what,
        })
    }
}

/// A template that takes more steps ends with an error.
const MOST_STEPS: u64 = 10_000_000;

/// No template has more tags: each `elif` takes room on the stack.
const MOST_TAGS: usize = 1_000;

/// No expression is longer, in bytes, nor is a tag of a template: each of its parts takes room on the stack.
const MOST_EXPRESSION_BYTES: usize = 4_000;

/// The functions of ours that templates and expressions may call: `files("src/**")`, `lines(text)`, `element("plan", text)`, `fenced(text)`.
const FUNCTIONS: [&str; 4] = ["files", "lines", "element", "fenced"];

/// Returns the names that a template uses and does not make itself, each with the field of it that is used, if one is.
///
/// # Errors
///
/// Fails if it is no template.
pub fn names_in_template(template: &str) -> Result<Vec<String>, TemplateError> {
    let tags = tags(template);
    at_most("it", (tags.len(), "tags"), MOST_TAGS)?;
    let longest = tags.into_iter().max().unwrap_or(0);
    at_most("a tag of it", (longest, "bytes"), MOST_EXPRESSION_BYTES)?;
    let environment = environment(None);
    let template = environment.template_from_str(template)?;
    Ok(foreign(template.undeclared_variables(true), &environment))
}

/// Returns all names that a template uses, those of functions of ours, too.
///
/// # Errors
///
/// Fails if it is no template.
pub fn all_names_in_template(template: &str) -> Result<Vec<String>, TemplateError> {
    let environment = environment(None);
    let template = environment.template_from_str(template)?;
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort();
    Ok(names)
}

/// Returns the names that an expression uses, each with the field of it that is used, if one is.
///
/// # Errors
///
/// Fails if it is no expression.
pub fn names_in_expression(expression: &str) -> Result<Vec<String>, TemplateError> {
    at_most("it", (expression.len(), "bytes"), MOST_EXPRESSION_BYTES)?;
    let environment = environment(None);
    let compiled = environment.compile_expression(expression)?;
    Ok(foreign(compiled.undeclared_variables(true), &environment))
}

fn at_most(what: &str, (n, of): (usize, &str), most: usize) -> Result<(), TemplateError> {
    if n <= most {
        return Ok(());
    }
    Err(TemplateError(format!(
        "{what} has {n} {of}, and may have {most}"
    )))
}

/// Returns how many bytes each tag of a template has, quotation marks and braces within it heeded.
fn tags(template: &str) -> Vec<usize> {
    let (mut tags, mut rest) = (Vec::new(), template.as_bytes());
    while let Some(begin) = rest.windows(2).position(|two| matches!(two, b"{{" | b"{%")) {
        rest = &rest[begin..];
        let end = tag_end(&rest[2..]) + 2;
        tags.push(end);
        rest = &rest[end..];
    }
    tags
}

/// Returns how many bytes it is to the end of the tag in which `text` begins.
fn tag_end(text: &[u8]) -> usize {
    let (mut quote, mut depth) = (None, 0_usize);
    let mut bytes = text.iter().enumerate();
    while let Some((at, &byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(mark), _) if mark == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => depth += 1,
            (None, b'}' | b'%') if depth == 0 && text.get(at + 1) == Some(&b'}') => return at + 2,
            (None, b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    text.len()
}

/// Returns those of `names` that are no functions, sorted.
fn foreign(names: impl IntoIterator<Item = String>, environment: &Environment<'_>) -> Vec<String> {
    let globals: Vec<&str> = environment.globals().map(|(name, _)| name).collect();
    let is_ours =
        |name: &String| FUNCTIONS.contains(&name.as_str()) || globals.contains(&name.as_str());
    let mut names: Vec<String> = names.into_iter().filter(|name| !is_ours(name)).collect();
    names.sort();
    names
}

/// Fills a template in.
///
/// # Errors
///
/// Fails if it is none, or names what is not there.
pub fn fill(template: &str, scope: &Scope, files: &Files) -> Result<String, TemplateError> {
    let environment = environment(Some(files));
    Ok(environment.render_str(template, Made::from(Serde(scope)))?)
}

/// Fills in what is there, and nothing where something is not: what a template comes to at least. Empty, if it is none.
pub fn sketch(template: &str, scope: &Scope) -> String {
    let mut environment = environment(Some(&(Arc::new(|_: &[String]| Vec::new()) as Files)));
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    let filled = environment.render_str(template, Made::from(Serde(scope)));
    filled.unwrap_or_default()
}

/// Returns the value of an expression.
///
/// # Errors
///
/// Fails if it is none, or names what is not there.
pub fn value(expression: &str, scope: &Scope, files: &Files) -> Result<Value, TemplateError> {
    let made = made(expression, scope, files)?;
    serde_json::to_value(&made).map_err(|error| TemplateError(error.to_string()))
}

/// Says whether the value of an expression counts as true.
///
/// # Errors
///
/// Fails if it is none, or names what is not there.
pub fn is_true(expression: &str, scope: &Scope, files: &Files) -> Result<bool, TemplateError> {
    Ok(made(expression, scope, files)?.is_true())
}

fn made(expression: &str, scope: &Scope, files: &Files) -> Result<Made, TemplateError> {
    let environment = environment(Some(files));
    let compiled = environment.compile_expression(expression)?;
    Ok(compiled.eval(Made::from(Serde(scope)))?)
}

fn environment<'a>(files: Option<&Files>) -> Environment<'a> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(MOST_STEPS));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    // Only other delimiters than the usual ones could be wrong.
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    if let Some(files) = files {
        let files = Arc::clone(files);
        environment.add_function("files", move |globs: Rest<String>| files(&globs));
    }
    environment.add_function("lines", |text: String| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect::<Vec<_>>()
    });
    // What others wrote cannot end what it stands in.
    environment.add_function("element", |name: String, text: String| {
        super::within(&text, &name)
    });
    environment.add_function("fenced", |text: String| {
        let fence = "`".repeat(4.max(1 + longest_run(&text)));
        format!("{fence}\n{}\n{fence}", text.trim_end_matches('\n'))
    });
    environment
}

/// Returns the length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let value = json!({
            "spec": "a\n{{ b }}\n",
            "draft": { "text": "<code> & more" },
            "review": null,
            "items": ["one", "two"],
        });
        value.as_object().cloned().unwrap_or_default()
    }

    fn files() -> Files {
        Arc::new(|globs: &[String]| globs.iter().map(|glob| format!("{glob}.rs")).collect())
    }

    #[test]
    fn templates_are_filled_in_with_what_there_is_and_nothing_else() {
        for (template, expected) in [
            ("{{ draft.text }}", Ok("<code> & more")),
            // What is filled in is no template.
            ("{{ spec }}", Ok("a\n{{ b }}\n")),
            (
                "{% if review %}{{ review.text }}{% endif %}\nend\n",
                Ok("end\n"),
            ),
            (
                "{% for item in items %}\n- {{ item }}\n{% endfor %}\n",
                Ok("- one\n- two\n"),
            ),
            ("{{ files('a', 'b') | join(' ') }}", Ok("a.rs b.rs")),
            ("{{ lines(spec) | length }}", Ok("2")),
            (
                "{{ element('plan', 'a</plan>b') }}",
                Ok("<plan-2>\na</plan>b\n</plan-2>"),
            ),
            (
                "{{ fenced('  a\n\n````\n') }}",
                Ok("`````\n  a\n\n````\n`````"),
            ),
            ("{{ drafts }}", Err("undefined value")),
            ("{{ draft.words }}", Err("undefined value")),
            ("{{ review.text }}", Err("undefined value")),
            ("{% if %}", Err("syntax error")),
            (
                "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
                Err("ran out of fuel"),
            ),
        ] {
            let filled = fill(template, &scope(), &files());
            match (filled, expected) {
                (Ok(text), Ok(expected)) => assert_eq!(text, expected, "{template}"),
                (Err(error), Err(said)) => {
                    assert!(error.to_string().contains(said), "{template}: {error}");
                }
                (got, _) => panic!("{template}: {got:?}"),
            }
        }
    }

    #[test]
    fn what_is_as_long_as_it_may_be_does_not_overflow_the_stack() {
        let most = |part: &str, n: usize| part.repeat(n / part.len());
        for expression in [
            most("1+", MOST_EXPRESSION_BYTES - 1) + "1",
            most("not ", MOST_EXPRESSION_BYTES - 1) + "1",
            most("(", MOST_EXPRESSION_BYTES),
            most("-", MOST_EXPRESSION_BYTES - 1) + "1",
            "items".to_owned() + &most("[0]", MOST_EXPRESSION_BYTES - 5),
            "items".to_owned() + &most("|e", MOST_EXPRESSION_BYTES - 5),
            most("1 if 1 else ", MOST_EXPRESSION_BYTES - 1) + "1",
        ] {
            drop(names_in_expression(&expression));
            drop(value(&expression, &scope(), &files()));
        }
        for (begin, end, n) in [
            ("{%if 1%}", "{%endif%}", MOST_TAGS / 2 - 1),
            ("{%elif 1%}", "", MOST_TAGS - 2),
        ] {
            let template = ["{%if 0%}", &begin.repeat(n), &end.repeat(n), "{%endif%}"].concat();
            assert_eq!(tags(&template).len(), MOST_TAGS);
            drop(names_in_template(&template));
            drop(fill(&template, &scope(), &files()));
        }
        let long = format!("{{{{ {} }}}}", most("1+", MOST_EXPRESSION_BYTES) + "1");
        assert!(names_in_template(&long).is_err());
    }

    #[test]
    fn tags_are_measured_with_what_is_quoted_in_them() {
        for (template, expected) in [
            ("no tag at all", &[][..]),
            ("{{ a }} {% if b %}", &[7, 10]),
            ("{{ \"}}\" }} }}", &[10]),
            ("{{ '\\'}}' }}", &[12]),
            ("{{ {'a': {}} }}", &[15]),
            ("{{ open", &[7]),
            ("a {% raw %}b", &[9]),
        ] {
            assert_eq!(tags(template), expected, "{template}");
        }
    }

    #[test]
    fn a_sketch_holds_what_is_known() {
        for (template, expected) in [
            ("{{ draft.text }} {{ later.text }}!", "<code> & more !"),
            ("a{% for one in later %} {{ one.text }}{% endfor %}z", "az"),
            ("{% if %}", ""),
        ] {
            assert_eq!(sketch(template, &scope()), expected, "{template}");
        }
    }

    #[test]
    fn expressions_have_values() {
        for (expression, expected) in [
            ("items", json!(["one", "two"])),
            ("['a', 'b']", json!(["a", "b"])),
            ("lines(spec)", json!(["a", "{{ b }}"])),
            ("review is none and draft.text", json!("<code> & more")),
        ] {
            assert_eq!(value(expression, &scope(), &files()), Ok(expected));
        }
        for (expression, expected) in [("review", false), ("items | length > 1", true)] {
            assert_eq!(is_true(expression, &scope(), &files()), Ok(expected));
        }
    }

    #[test]
    fn the_names_that_are_used_are_known_before() {
        for (template, expected) in [
            (
                "{{ draft.text }} {{ spec | upper }}",
                &["draft.text", "spec"][..],
            ),
            (
                "{% for one in items %}{{ one.text }}{{ loop.index }}{% endfor %}",
                &["items"],
            ),
            (
                "{% set x = spec %}{{ x }}{{ files('a') }}{{ range(3) }}",
                &["spec"],
            ),
        ] {
            assert_eq!(names_in_template(template).unwrap_or_default(), expected);
        }
        let names = names_in_expression("not review.approves and round < most");
        assert_eq!(
            names.unwrap_or_default(),
            ["most", "review.approves", "round"]
        );
    }
}
