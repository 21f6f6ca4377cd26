//! One pass over a text: what each keyword calls for is looked at where the keyword stands.
//!
//! In: the keywords of a text, in order. Out: what was found, in any order and overlapping.

use std::ops::Range;

use super::assigned::{self, Quoting};
use super::judge::Judge;
use super::kind::FileKind;
use super::rules::{Call, Rule, Rules, Target, TokenRule};
use super::{Found, Rank, key_block, kubernetes, names};

/// How long a word is that is neither path nor name.
const LONG_WORD: usize = 60;

/// How far from a keyword a line is looked at, in bytes.
const REACH: usize = 1024;

/// What is looked for in a text.
#[derive(Clone, Copy)]
pub(super) enum Scope {
    /// Everything.
    Text(FileKind),
    /// What is known by its form: decoded text is often no text at all.
    Decoded,
}

/// The state of one pass over a text.
pub(super) struct Sweep<'a> {
    rules: &'a Rules,
    text: &'a str,
    scope: Scope,
    found: &'a mut Vec<Found>,
    /// The line of the last keyword.
    line: Range<usize>,
    /// The last token; none begins within it.
    token: Range<usize>,
    /// Where the names and bare values end that were looked at.
    names_end: usize,
    /// Where the private keys end that were looked at.
    key_end: usize,
    /// Where the manifests end that were looked at.
    manifest_end: usize,
    /// For each rule of lines, what it still has to look at.
    windows: Vec<Option<Range<usize>>>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(
        rules: &'a Rules,
        text: &'a str,
        scope: Scope,
        found: &'a mut Vec<Found>,
    ) -> Self {
        Self {
            rules,
            text,
            scope,
            found,
            line: 0..0,
            token: 0..0,
            names_end: 0,
            key_end: 0,
            manifest_end: 0,
            windows: vec![None; rules.lines.len()],
        }
    }

    /// Looks at what the keyword at `hit` calls for; keywords come in the order in which they stand.
    pub(super) fn follow(&mut self, call: &Call, hit: &Range<usize>) {
        if call
            .exact
            .as_ref()
            .is_some_and(|exact| *exact != self.text[hit.clone()])
        {
            return;
        }
        match call.target {
            Target::Token(place) => self.token(&self.rules.tokens[place], hit),
            Target::Line(place) => self.widen(place, hit),
            Target::Name => self.name(hit),
            Target::KeyBlock => self.key_block(hit),
            Target::Manifest => self.manifest(hit),
        }
    }

    fn token(&mut self, row: &TokenRule, hit: &Range<usize>) {
        let within_last = hit.start > self.token.start && hit.start < self.token.end;
        if within_last || !may_begin(row, &self.text.as_bytes()[..hit.start]) {
            return;
        }
        let Some(rest) = row.rest.regex().find(&self.text.as_bytes()[hit.end..]) else {
            return;
        };
        let range = hit.start..hit.end + rest.end();
        if row
            .rule
            .judge
            .accepts(&self.text[hit.end..range.end], &self.rules.words)
        {
            self.token = range.clone();
            let is_loose = row.rule.judge == Judge::Random;
            let rank = if is_loose {
                Rank::LooseToken
            } else {
                Rank::Token
            };
            self.add(&row.rule, range, rank);
        }
    }

    /// Notes that a rule has to look at the line round `hit`; what it has noted before and is apart is looked at now.
    fn widen(&mut self, place: usize, hit: &Range<usize>) {
        self.go_to_line(hit.start);
        let bytes = self.text.as_bytes();
        let start = self.line.start.max(hit.start.saturating_sub(REACH));
        let reach = self.line.end.min(hit.end + REACH);
        let old = self.windows[place].take();
        let open = old
            .clone()
            .filter(|old| old.end >= start && old.start >= self.line.start);
        if let (Some(old), None) = (old, &open) {
            self.look(place, old);
        }
        let known_end = open.as_ref().map_or(reach, |old| old.end.max(reach));
        // Never within a word: half a value would be left.
        let is_part = |byte: &&u8| byte.is_ascii_graphic() && !b"\"'`<>&;,".contains(byte);
        let is_old = open.as_ref().is_some_and(|old| old.end == known_end);
        let rest = if is_old {
            0
        } else {
            bytes[known_end..self.line.end]
                .iter()
                .take_while(is_part)
                .count()
        };
        self.windows[place] = Some(open.map_or(start, |old| old.start)..known_end + rest);
    }

    fn look(&mut self, place: usize, window: Range<usize>) {
        let row = &self.rules.lines[place];
        let bytes = &self.text.as_bytes()[..window.end];
        let mut at = window.start;
        while let Some(groups) = row.pattern.regex().captures_at(bytes, at) {
            let Some(value) = groups.iter().skip(1).flatten().next() else {
                break;
            };
            // What ends a value may begin the next: go on after the value, not after the match.
            at = value.end().max(at + 1);
            let range = whole_characters(self.text, value.range());
            let judge = row.rule.judge;
            let value = &self.text[range.clone()];
            let is_name = judge == Judge::UrlPassword && is_user(&self.text[..range.start], value);
            if !is_name && judge.accepts(value, &self.rules.words) {
                self.add(&row.rule, range, Rank::Line);
            }
            if at > window.end {
                break;
            }
        }
    }

    fn name(&mut self, hit: &Range<usize>) {
        let Scope::Text(kind) = self.scope else {
            return;
        };
        if hit.start < self.names_end {
            return;
        }
        let name = names::name_at(self.text, hit);
        self.names_end = name.end;
        self.go_to_line(hit.start);
        let words = &self.rules.words;
        let Some(assigned) = assigned::read(self.text, &name, &self.line, kind, words) else {
            return;
        };
        let range = whole_characters(self.text, assigned.value.clone());
        if assigned.quoting == Quoting::Bare {
            self.names_end = range.end.max(name.end);
        }
        let name = &self.text[assigned.name.clone()];
        let rule_of = |value: &str| names::rule_of(self.rules, name, value, assigned.quoting, kind);
        let value = &self.text[range.clone()];
        let mut pieces = vec![range.clone()];
        let mut found = rule_of(value);
        if !assigned.rest.is_empty() {
            let rest = assigned.rest.iter().map(|piece| &self.text[piece.clone()]);
            let whole: String = [value].into_iter().chain(rest).collect();
            if let Some(of_whole) = rule_of(&whole) {
                found = Some(of_whole);
                pieces.extend(assigned.rest);
            }
        }
        if let Some((rule, rank)) = found {
            for piece in pieces {
                self.add(rule, piece, rank);
            }
        }
    }

    fn key_block(&mut self, hit: &Range<usize>) {
        if hit.start < self.key_end {
            return;
        }
        if let Some(body) = key_block::body(self.text, hit, self.key_end) {
            self.key_end = body.end;
            if key_block::is_key(&self.text[body.clone()]) {
                self.add(&self.rules.key_block, body, Rank::KeyBlock);
            }
        }
    }

    fn manifest(&mut self, hit: &Range<usize>) {
        if hit.start < self.manifest_end || matches!(self.scope, Scope::Decoded) {
            return;
        }
        let manifest = kubernetes::document(self.text, hit.start, self.manifest_end);
        self.manifest_end = manifest.end;
        let rules = self.rules;
        for value in kubernetes::values(&self.text[manifest.clone()], &rules.words) {
            let range = manifest.start + value.start..manifest.start + value.end;
            self.add(&rules.manifest, range, Rank::Manifest);
        }
    }

    fn go_to_line(&mut self, at: usize) {
        if at < self.line.end {
            return;
        }
        let bytes = self.text.as_bytes();
        let from = self.line.end;
        let start =
            memchr::memrchr(b'\n', &bytes[from..at]).map_or(from, |length| from + length + 1);
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
        self.line = start..end;
    }

    fn add(&mut self, rule: &Rule, range: Range<usize>, rank: Rank) {
        self.found.push(Found::new(&rule.id, range, rank));
    }

    /// Looks at what is left when all keywords were found.
    pub(super) fn finish(&mut self) {
        for place in 0..self.windows.len() {
            if let Some(window) = self.windows[place].take() {
                self.look(place, window);
            }
        }
    }
}

/// Says whether a token may begin after `before`: no word goes on there, or one that it may be glued to. The letter of an
/// escape, as in `\n`, is no word; what is no letter and no digit is part of one in base64 alone.
fn may_begin(row: &TokenRule, before: &[u8]) -> bool {
    match before {
        [] | [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., last] if row.is_glued || b"/_-+".contains(last) => {
            let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"/_-+".contains(byte);
            let word = before.iter().rev().take(LONG_WORD);
            word.take_while(is_base64).count() < LONG_WORD
        }
        [.., last] => !last.is_ascii_alphanumeric(),
    }
}

/// Widens a range to whole characters.
fn whole_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end);
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// Says whether `value` is what stands in a URL before it: the user's name.
fn is_user(before: &str, value: &str) -> bool {
    let user = before
        .strip_suffix(':')
        .and_then(|rest| rest.rsplit('/').next());
    user.is_some_and(|user| user.eq_ignore_ascii_case(value))
}
