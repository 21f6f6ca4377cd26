//! Values by the name that they are assigned to, in any language: `key = "value"`, `"key": "value"`, `KEY=value`,
//! `<key>value</key>`, `--key value`, `set("key", "value")`.

use std::ops::Range;

use super::Rank;
use super::rules::{FamilyRule, Rule, Rules};

/// How far a name, and a value with what leads to it, may reach, in bytes.
const MAX_NAME: usize = 96;
const MAX_VALUE: usize = 4096;

/// What a name ends with that is something about a secret, not one.
const ABOUT: &[&str] = &[
    "algorithm",
    "alias",
    "arg",
    "args",
    "arn",
    "attribute",
    "attributes",
    "bits",
    "bytes",
    "class",
    "code",
    "column",
    "command",
    "count",
    "counter",
    "data",
    "description",
    "dir",
    "directory",
    "endpoint",
    "enabled",
    "env",
    "environment",
    "error",
    "exp",
    "expiration",
    "expires",
    "expiry",
    "field",
    "fields",
    "file",
    "filename",
    "fingerprint",
    "flow",
    "form",
    "format",
    "func",
    "function",
    "generator",
    "handler",
    "header",
    "help",
    "hint",
    "icon",
    "id",
    "ids",
    "index",
    "info",
    "input",
    "issuer",
    "kind",
    "label",
    "length",
    "len",
    "limit",
    "link",
    "list",
    "location",
    "manager",
    "message",
    "method",
    "mode",
    "model",
    "msg",
    "name",
    "names",
    "option",
    "options",
    "page",
    "param",
    "parameter",
    "parser",
    "path",
    "pattern",
    "placeholder",
    "policy",
    "position",
    "prefix",
    "prompt",
    "property",
    "provider",
    "range",
    "ref",
    "reference",
    "regex",
    "regexp",
    "rule",
    "rules",
    "schema",
    "scope",
    "selector",
    "service",
    "size",
    "source",
    "state",
    "status",
    "store",
    "suffix",
    "template",
    "text",
    "timeout",
    "title",
    "ttl",
    "type",
    "types",
    "uri",
    "url",
    "urls",
    "usage",
    "validator",
    "variable",
    "version",
    "view",
    "checksum",
    "digest",
    "sum",
    "sha256",
    "md5",
];

/// Words beside `key` that make it a secret.
const KEY_KINDS: &[&str] = &[
    "access",
    "account",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "authorization",
    "cipher",
    "client",
    "consumer",
    "cookie",
    "crypto",
    "decrypt",
    "decryption",
    "deploy",
    "developer",
    "enc",
    "encrypt",
    "encryption",
    "function",
    "functions",
    "hmac",
    "integration",
    "jwt",
    "license",
    "licence",
    "management",
    "master",
    "primary",
    "private",
    "priv",
    "root",
    "sas",
    "sdk",
    "secondary",
    "secret",
    "server",
    "service",
    "session",
    "shared",
    "sign",
    "signature",
    "signing",
    "ssh",
    "storage",
    "subscription",
    "token",
    "tls",
    "user",
    "webhook",
    "write",
];

/// Kinds of file in which a value without quotes is an expression.
const CODE: &[&str] = &[
    "S", "asm", "astro", "c", "cc", "cjs", "clj", "cljs", "coffee", "cpp", "cs", "css", "cxx",
    "dart", "dts", "dtsi", "elm", "erl", "ex", "exs", "fs", "fsx", "go", "gradle", "graphql",
    "groovy", "h", "hh", "hpp", "hs", "hxx", "inc", "java", "jl", "js", "jsx", "kt", "kts", "less",
    "lua", "m", "mjs", "ml", "mli", "mm", "mts", "cts", "nim", "php", "pl", "pm", "proto", "py",
    "pyi", "pyx", "r", "rb", "rs", "s", "sass", "scala", "scss", "sol", "svelte", "swift", "ts",
    "tsx", "v", "vb", "vue", "wgsl", "zig", "html", "htm", "ipynb", "rst", "diff", "patch", "map",
];

/// Whether values without quotes are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bare {
    /// In configuration, logs and prose.
    Taken,
    /// In programs: only in query strings and command lines.
    Left,
}

impl Bare {
    /// Says what holds in a file of this name.
    pub(super) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_code = name
            .rsplit_once('.')
            .is_some_and(|(_, extension)| CODE.contains(&extension));
        if is_code { Self::Left } else { Self::Taken }
    }
}

/// A name and the value that it is assigned.
pub(super) struct Assigned {
    pub value: Range<usize>,
    pub is_quoted: bool,
}

/// Returns the whole name that the bytes `hit` of `text` are in.
pub(super) fn name_at(text: &[u8], hit: &Range<usize>) -> Range<usize> {
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let before = text[..hit.start]
        .iter()
        .rev()
        .take(MAX_NAME)
        .take_while(is_part)
        .count();
    let after = text[hit.end..]
        .iter()
        .take(MAX_NAME)
        .take_while(is_part)
        .count();
    let whole = hit.start - before..hit.end + after;
    let edge = |byte: &&u8| b"-.".contains(byte);
    let lead = text[whole.clone()].iter().take_while(edge).count();
    let trail = text[whole.clone()].iter().rev().take_while(edge).count();
    whole.start + lead..whole.end - trail
}

/// Returns the rule for what is assigned to `name`, if `value` has the form of its secrets.
pub(super) fn rule_of<'a>(
    rules: &'a Rules,
    name: &str,
    assigned: &Assigned,
    value: &str,
) -> Option<(&'a Rule, Rank)> {
    let words = words(name);
    if words
        .last()
        .is_some_and(|last| ABOUT.contains(&last.as_str()))
    {
        return None;
    }
    let joined = words.join("_");
    let is_match = |rule: &Rule| rule.judge.accepts(value, &rules.documented);
    let named = rules.names.iter().find(|row| row.is_match(&joined, value));
    if let Some(row) = named.filter(|row| is_match(&row.rule)) {
        return Some((&row.rule, Rank::Name));
    }
    let is_public = words.iter().any(|word| word.starts_with("publi"));
    let family = rules.families.iter().find(|row| has_word(row, &words))?;
    // A word without quotes that holds no digit is more often a name than a value.
    let is_plain = !assigned.is_quoted && !value.bytes().any(|byte| byte.is_ascii_digit());
    (!is_public && !is_plain && is_match(&family.rule)).then_some((&family.rule, Rank::Family))
}

fn has_word(family: &FamilyRule, words: &[String]) -> bool {
    let is_key = &*family.rule.id == "key";
    let is_kind = |word: &String| KEY_KINDS.contains(&word.as_str());
    family.words.iter().any(|known| {
        words.iter().any(|word| {
            let compound = word.len() > known.len() && known.len() >= 5 && word.ends_with(known);
            let key_compound = || {
                word.strip_suffix("key")
                    .is_some_and(|kind| KEY_KINDS.contains(&kind))
            };
            match (is_key, known.as_str()) {
                (true, "key") => key_compound() || word == "key" && words.iter().any(is_kind),
                _ => word == known || compound,
            }
        })
    })
}

/// Splits a name at its separators and where its case changes, in lower case.
fn words(name: &str) -> Vec<String> {
    let bytes = name.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    for at in 1..=bytes.len() {
        let ends = at == bytes.len()
            || !bytes[at].is_ascii_alphanumeric()
            || !bytes[at - 1].is_ascii_alphanumeric()
            || bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase()
            || bytes[at - 1].is_ascii_uppercase()
                && bytes[at].is_ascii_uppercase()
                && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if ends {
            let word = &name[start..at];
            if word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                words.push(word.to_ascii_lowercase());
            }
            start = at;
        }
    }
    words
}

/// Reads what the name at `name` is assigned, in the line that ends at `line_end`.
pub(super) fn read(
    text: &str,
    name: &Range<usize>,
    line: &Range<usize>,
    bare: Bare,
) -> Option<Assigned> {
    let end = line.end.min(name.end + MAX_VALUE);
    let before = &text.as_bytes()[line.start..name.start];
    let reader = Reader {
        bytes: &text.as_bytes()[..end],
    };
    let place = Place::of(before);
    let (at, operator) = reader.operator(name.end, place)?;
    let at = reader.skip_blanks(at);
    if operator == Operator::Element {
        let length = reader.bytes[at..].iter().position(|&byte| byte == b'<')?;
        let is_closed = reader.bytes[at + length..].starts_with(b"</");
        return is_closed.then_some(Assigned {
            value: at..at + length,
            is_quoted: true,
        });
    }
    // `name:value` is a field among others more often than an assignment.
    let is_field = operator == Operator::Assign && reader.is_field(name, at);
    if let Some(value) = reader.quoted(reader.skip_wrapping(at)) {
        if is_field && (before.ends_with(b":") || reader.byte(value.end + 1) == b':') {
            return None;
        }
        return Some(Assigned {
            value,
            is_quoted: true,
        });
    }
    let is_taken = match operator {
        Operator::Assign => bare == Bare::Taken || place == Place::Query,
        Operator::Blank => true,
        Operator::Compare | Operator::Comma | Operator::Element => false,
    };
    if !is_taken {
        return None;
    }
    let value = reader.bare(at, place);
    let has_fields = |bytes: &[u8]| bytes.contains(&b':') || bytes.contains(&b'"');
    let is_one = !is_field || !has_fields(&reader.bytes[value.clone()]) && !before.ends_with(b":");
    is_one.then_some(Assigned {
        value,
        is_quoted: false,
    })
}

/// Where a name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// First on its line, or after a word that sets variables.
    First,
    /// After `?` or `&`.
    Query,
    /// After `--`.
    Flag,
    /// After `<`.
    Element,
    /// After a word of a Dockerfile that sets variables with a blank between name and value.
    Docker,
    Other,
}

impl Place {
    fn of(before: &[u8]) -> Self {
        if before.ends_with(b"?") || before.ends_with(b"&") || before.ends_with(b"&amp;") {
            return Self::Query;
        }
        if before.ends_with(b"-") && !before.ends_with(b"- -") {
            return Self::Flag;
        }
        if before.ends_with(b"<") {
            return Self::Element;
        }
        let lead = before.trim_ascii();
        match lead {
            b"ENV" | b"ARG" => Self::Docker,
            b"" | b"#" | b"export" | b"set" | b"-" | b"\"" | b"'" | b"setenv" | b"declare -x" => {
                Self::First
            }
            _ => Self::Other,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Assign,
    Compare,
    Comma,
    Blank,
    Element,
}

/// The text as far as a value may reach.
struct Reader<'a> {
    bytes: &'a [u8],
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(b'\n')
    }

    fn starts(&self, at: usize, with: &str) -> bool {
        self.bytes
            .get(at..)
            .is_some_and(|rest| rest.starts_with(with.as_bytes()))
    }

    /// Says whether nothing but a colon stands between a name and what begins at `at`.
    fn is_field(&self, name: &Range<usize>, at: usize) -> bool {
        at == name.end + 1 && self.byte(name.end) == b':'
    }

    fn skip_blanks(&self, at: usize) -> usize {
        at + self.bytes[at..]
            .iter()
            .take_while(|byte| b" \t".contains(byte))
            .count()
    }

    /// Returns the operator after a name, and where it ends.
    fn operator(&self, name_end: usize, place: Place) -> Option<(usize, Operator)> {
        if place == Place::Element && self.byte(name_end) == b'>' {
            return Some((name_end + 1, Operator::Element));
        }
        let closers = self.bytes[name_end..]
            .iter()
            .take(4)
            .take_while(|byte| b"\\\"'`])".contains(byte))
            .count();
        let closed = name_end + closers;
        let at = self.skip_blanks(closed);
        for (sign, operator) in [
            ("===", Operator::Compare),
            ("!==", Operator::Compare),
            ("==", Operator::Compare),
            ("!=", Operator::Compare),
            ("=>", Operator::Assign),
            (":=", Operator::Assign),
            ("?=", Operator::Assign),
            ("::", Operator::Element),
            ("=", Operator::Assign),
            (":", Operator::Assign),
        ] {
            if self.starts(at, sign) {
                let end = at + sign.len();
                let end = if sign == ":" {
                    self.after_type(end).unwrap_or(end)
                } else {
                    end
                };
                return (sign != "::").then_some((end, operator));
            }
        }
        match (self.byte(at), closers > 0) {
            (b',', true) => return Some((at + 1, Operator::Comma)),
            (b'v', true) if self.starts(at, "value=") => {
                return Some((at + "value=".len(), Operator::Comma));
            }
            _ => {}
        }
        let is_blank = at > closed && at < self.bytes.len() && closers == 0;
        (is_blank && matches!(place, Place::Flag | Place::Docker)).then_some((at, Operator::Blank))
    }

    /// Returns the end of `type =`, where that stands at `at` and a quote follows.
    fn after_type(&self, at: usize) -> Option<usize> {
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_<>:&'[]|.? ".contains(byte);
        let length = self.bytes[at..].iter().take(48).take_while(is_part).count();
        let end = at + length + 1;
        let is_type = self.byte(at + length) == b'=' && length > 1;
        (is_type
            && b"\"'`".contains(
                &self.byte(self.skip_wrapping(self.skip_blanks(end.min(self.bytes.len())))),
            ))
        .then_some(end)
    }

    /// Skips what may stand between an operator and a quote.
    fn skip_wrapping(&self, at: usize) -> usize {
        let calls = [
            "String::from(",
            "Some(",
            "new String(",
            "SecretString::from(",
            "Buffer.from(",
        ];
        let at = calls
            .into_iter()
            .find(|call| self.starts(at, call))
            .map_or(at, |call| at + call.len());
        let letters = self.bytes[at..]
            .iter()
            .take(3)
            .take_while(|byte| b"bBrRuUfFL@$".contains(byte))
            .count();
        if letters > 0 && b"\"'".contains(&self.byte(at + letters)) {
            at + letters
        } else {
            at
        }
    }

    /// Reads the text between the quotes that begin at `at`.
    fn quoted(&self, at: usize) -> Option<Range<usize>> {
        let escape = usize::from(self.byte(at) == b'\\');
        let quote = self.byte(at + escape);
        let start = at + escape + 1;
        if !b"\"'`".contains(&quote) || self.byte(start) == quote {
            return None;
        }
        let mut end = start;
        while end < self.bytes.len() {
            if escape == 0 && self.bytes[end] == b'\\' {
                end += 2;
                continue;
            }
            if self.bytes[end] == quote {
                return Some(start..end - escape.min(end - start));
            }
            end += 1;
        }
        None
    }

    /// Reads the word that begins at `at`.
    fn bare(&self, at: usize, place: Place) -> Range<usize> {
        let ends_word = |byte: &u8| {
            byte.is_ascii_whitespace()
                || place != Place::First && b",;\"'`<>(){}[]|&\\".contains(byte)
        };
        let rest = &self.bytes[at..];
        let mut word = &rest[..rest.iter().position(ends_word).unwrap_or(rest.len())];
        while let Some((b',' | b';' | b'"' | b'\'' | b')' | b'.', shorter)) = word.split_last() {
            word = shorter;
        }
        at..at + word.len()
    }
}
