//! Names that tell what they are assigned.
//!
//! In: a name and a value. Out: the rule that the value falls under, if it has the form of what such names are assigned.

use std::ops::Range;

use super::Rank;
use super::assigned::Quoting;
use super::judge;
use super::kind::FileKind;
use super::rules::{FamilyRule, Rule, Rules};
use super::words::Words;

/// How far a name may reach from its keyword, in bytes.
const MAX_NAME: usize = 96;

/// Returns the whole name that the bytes `hit` of `text` are in.
pub(super) fn name_at(text: &str, hit: &Range<usize>) -> Range<usize> {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || "_-.".contains(*c) || is_accented(*c);
    let before = text[..hit.start]
        .chars()
        .rev()
        .take(MAX_NAME)
        .take_while(is_part)
        .map(char::len_utf8)
        .sum::<usize>();
    let after = text[hit.end..]
        .chars()
        .take(MAX_NAME)
        .take_while(is_part)
        .map(char::len_utf8)
        .sum::<usize>();
    let whole = hit.start - before..hit.end + after;
    let trimmed = text[whole.clone()].trim_end_matches(['-', '.']);
    let name = trimmed.trim_start_matches(['-', '.']);
    let end = whole.start + trimmed.len();
    end - name.len()..end
}

/// Says whether a letter is one of the Latin ones that ASCII leaves out.
fn is_accented(c: char) -> bool {
    ('\u{c0}'..'\u{250}').contains(&c)
}

/// Returns the rule for what is assigned to `name`, if `value` has the form of its secrets.
pub(super) fn rule_of<'a>(
    rules: &'a Rules,
    name: &str,
    value: &str,
    quoting: Quoting,
    kind: FileKind,
) -> Option<(&'a Rule, Rank)> {
    let parts = parts(name);
    if is_about(&parts, &rules.words) {
        return None;
    }
    let joined = parts.join("_");
    let is_match = |rule: &Rule| rule.judge.accepts(value, &rules.words) && !is_echo(&parts, value);
    let named = rules.names.iter().find(|row| row.is_match(&joined, value));
    if let Some(row) = named.filter(|row| is_match(&row.rule)) {
        return Some((&row.rule, Rank::Name));
    }
    let is_public = parts.iter().any(|part| part.starts_with("publi"));
    let has_part = |row: &&FamilyRule| tells(row, &parts, &rules.words);
    let family = rules.families.iter().find(has_part)?;
    // A word without quotes that holds no digit is more often a name than a value.
    let is_plain = quoting == Quoting::Bare
        && !value.bytes().any(|byte| byte.is_ascii_digit())
        && !judge::is_scrambled(value, kind);
    let is_simple = || {
        &*family.rule.id == "password"
            && kind == FileKind::Settings
            && !is_echo(&parts, value)
            && judge::is_simple_password(value, quoting, &rules.words)
    };
    let is_one = !is_public && !is_plain && (is_match(&family.rule) || is_simple());
    is_one.then_some((&family.rule, Rank::Family))
}

/// Says whether a value says no more than its name.
fn is_echo(parts: &[String], value: &str) -> bool {
    let value = value.to_lowercase();
    let letters: String = value.chars().filter(|c| c.is_alphanumeric()).collect();
    parts.concat().contains(&letters)
}

/// Says whether a name alone tells that what it is assigned may be secret.
pub(super) fn is_telling(rules: &Rules, name: &str) -> bool {
    let parts = parts(name);
    !is_about(&parts, &rules.words)
        && rules
            .families
            .iter()
            .any(|row| tells(row, &parts, &rules.words))
}

/// Says whether a name is that of something about a secret, or of a secret that is protected already.
fn is_about(parts: &[String], words: &Words) -> bool {
    parts.last().is_some_and(|last| words.about.contains(last))
        || parts.iter().any(|part| words.protected.contains(part))
}

/// Says whether the parts of a name tell that it is one of the family's.
fn tells(family: &FamilyRule, parts: &[String], words: &Words) -> bool {
    let is_key = &*family.rule.id == "key";
    let is_kind = |part: &String| words.key_kinds.contains(part);
    family.words.iter().any(|known| {
        parts.iter().any(|part| {
            let compound = part.len() > known.len() && known.len() >= 5 && part.ends_with(known);
            let key_compound = || {
                part.strip_suffix("key")
                    .is_some_and(|kind| words.key_kinds.contains(kind))
            };
            match (is_key, known.as_str()) {
                (true, "key") => key_compound() || part == "key" && parts.iter().any(is_kind),
                _ => part == known || compound,
            }
        })
    })
}

/// Splits a name at its separators and where its case changes, in lower case.
fn parts(name: &str) -> Vec<String> {
    let bytes = name.as_bytes();
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let mut parts = Vec::new();
    let mut start = 0;
    for at in 1..=bytes.len() {
        let ends = at == bytes.len()
            || !is_letter(bytes[at])
            || !is_letter(bytes[at - 1])
            || bytes[at].is_ascii_uppercase() && bytes[at - 1].is_ascii_lowercase()
            || bytes[at - 1].is_ascii_uppercase()
                && bytes[at].is_ascii_uppercase()
                && bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
        if ends {
            let part = &name[start..at];
            if part.bytes().all(is_letter) {
                parts.push(part.to_lowercase());
            }
            start = at;
        }
    }
    parts
}
