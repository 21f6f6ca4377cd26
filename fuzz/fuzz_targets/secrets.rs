//! The scanner on any text: findings are in order and apart, no line is lost, what was redacted is not found again. What stands
//! beside a placeholder may be: it is another word without what was taken out.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use twostep::secrets::{Allow, Numbers, Placeholder, Scanner, placeholders};

fn scanner() -> &'static Scanner {
    static SCANNER: OnceLock<Scanner> = OnceLock::new();
    SCANNER.get_or_init(|| Scanner::new(Allow::default()))
}

fuzz_target!(|text: &str| {
    let findings = scanner().find("a/b.yml", text);
    let mut end = 0;
    for finding in &findings {
        assert!(finding.range.start >= end && finding.range.end > finding.range.start);
        end = finding.range.end;
        assert_eq!(
            finding.line,
            text[..finding.range.start].matches('\n').count() + 1
        );
    }
    let mut numbers = Numbers::default();
    let redacted = numbers.redact(text, &findings);
    assert_eq!(redacted.matches('\n').count(), text.matches('\n').count());
    let ours: Vec<_> = placeholders(&redacted)
        .filter(|ours| findings.iter().any(|finding| *finding.rule == *ours.rule))
        .collect();
    for again in scanner().find("a/b.yml", &redacted) {
        let holds = |ours: &Placeholder<'_>| {
            ours.range.start <= again.range.start && again.range.end <= ours.range.end
        };
        assert!(!ours.iter().any(holds), "{redacted}");
    }
});
