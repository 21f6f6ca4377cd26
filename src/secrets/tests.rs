use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::fs::Hash;

static SCANNER: LazyLock<Scanner> = LazyLock::new(|| Scanner::new(Allow::default()));

/// The secrets of `samples.toml`, by rule.
static SAMPLES: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let samples = include_str!("samples.toml").replace('¦', "");
    toml::from_str(&samples).unwrap()
});

/// Returns a marked text without its marks.
fn plain(marked: &str) -> String {
    marked.replace(['⟦', '⟧'], "")
}

fn redact(path: &str, text: &str) -> String {
    let findings = SCANNER.find(path, text);
    Numbers::default().redact(text, &findings)
}

/// Returns a marked text with placeholders of `rule` in the place of what is marked.
fn redacted(marked: &str, rule: &str) -> String {
    let mut expected = String::new();
    let mut rest = marked;
    let mut n = 0;
    while let Some((before, after)) = rest.split_once('⟦') {
        let (value, after) = after.split_once('⟧').unwrap();
        n += 1;
        expected.extend([before, "[REDACTED:", rule, ":", &n.to_string(), "]"]);
        expected.extend(value.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    expected + rest
}

#[test]
fn every_rule_finds_its_samples_exactly() {
    let ids: Vec<&str> = SCANNER.rules.all().map(|rule| &*rule.id).collect();
    let mut wrong = Vec::new();
    for id in &ids {
        if !SAMPLES.contains_key(*id) {
            wrong.push(format!("{id} has no sample"));
        }
    }
    for (rule, samples) in SAMPLES.iter() {
        assert!(ids.contains(&rule.as_str()), "no rule is called {rule}");
        for sample in samples {
            let got = redact("", &plain(sample));
            if got != redacted(sample, rule) {
                wrong.push(format!("{rule}\n  {sample}\n  {got}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} wrong",
        wrong.join("\n"),
        wrong.len()
    );
    assert!(ids.len() > 300);
}

#[test]
fn every_pattern_compiles() {
    for row in &SCANNER.rules.tokens {
        row.rest.regex();
    }
    for row in &SCANNER.rules.lines {
        row.pattern.regex();
    }
    for row in &SCANNER.rules.names {
        row.is_match("", "");
        assert!(!row.is_match("no such name", "x"));
    }
}

#[test]
fn what_only_looks_like_a_secret_is_left() {
    let file = include_str!("innocent.toml").replace('¦', "");
    let file: BTreeMap<String, Vec<String>> = toml::from_str(&file).unwrap();
    for text in file.values().flatten() {
        assert_eq!(redact("", text), *text);
    }
}

#[test]
fn values_without_quotes_are_expressions_in_programs() {
    let text = "password = kj34hKJH34k\n";
    assert_eq!(redact("a.ini", text), "password = [REDACTED:password:1]\n");
    assert_eq!(redact("a.py", text), text);
    let query = "url = 'https://host/?token=q8Z2vN7xL4mR9tW1cK6p&x=1'";
    assert_eq!(
        redact("a.py", query),
        "url = 'https://host/?token=[REDACTED:token:1]&x=1'"
    );
}

#[test]
fn simple_passwords_are_taken_where_something_is_set() {
    for value in ["MyS3cretPassword2024!", "\"violet engine harbour walnut\""] {
        let text = format!("password: {value}");
        assert!(redact("app/.env", &text).contains("[REDACTED:password:1]"));
        for path in ["app/.env.example", "tests/app.env", "notes.md", ""] {
            assert_eq!(redact(path, &text), text, "{path}");
        }
    }
}

#[test]
fn command_lines_in_programs_have_values_without_quotes() {
    let text = r#"run(["dump", "--password=kj34hKJH34k"])"#;
    let expected = r#"run(["dump", "--password=[REDACTED:password:1]"])"#;
    assert_eq!(redact("a.py", text), expected);
}

#[test]
fn cells_of_tables_are_told_by_the_first_line() {
    let text = "id,api_token,token_type\n1,q8Z2vN7xL4mR9tW1cK6p,q8Z2vN7xL4mR9tW1cK6q\n";
    let expected = "id,api_token,token_type\n1,[REDACTED:token:1],q8Z2vN7xL4mR9tW1cK6q\n";
    assert_eq!(redact("a.csv", text), expected);
    assert_eq!(redact("a.md", text), text);
}

#[test]
fn the_secret_of_a_pair_is_found_beside_its_id() {
    for (id, secret, expected) in [
        (
            "AKI¦ASV6YUVLKLLARWBHU",
            "KR57c1d7XgaNemtXl0NA9D7umWP6mhkOgArUNUTe",
            "f('[REDACTED:aws-access-key-id:1]', '[REDACTED:aws-secret-access-key:1]')",
        ),
        (
            "LT¦AIyv5fRNPHfoGl",
            "6J0p7v2CGTC3y9e1Q2BM5YIpr9Mq5F",
            "f('[REDACTED:alibaba-access-key-id:1]', '[REDACTED:alibaba-secret:1]')",
        ),
        (
            "AK¦IDnhlH80TnQ0WrzMajJTAx9RQrquLn8Poc",
            "5eIFYPF0W2kPP0iI3mbAwxyPqOV5bFb0",
            "f('[REDACTED:tencent-secret-id:1]', '[REDACTED:tencent-secret-key:1]')",
        ),
    ] {
        let text = format!("f('{id}', '{secret}')").replace('¦', "");
        assert_eq!(redact("a.py", &text), expected);
    }
}

#[test]
fn what_is_let_through_does_not_come_back_under_a_weaker_rule() {
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let text = format!("token = \"{token}\"\nurl = https://app:{token}@host/\n");
    let rules = ["github-token".to_owned()];
    let hashes = [Hash::of(token.as_bytes()).to_string()];
    for (rules, hashes) in [(&rules[..], &[][..]), (&[], &hashes[..])] {
        let scanner = Scanner::new(Allow::parse(rules, &[], hashes).unwrap());
        assert_eq!(scanner.find("", &text), [], "{rules:?}");
    }
    assert_eq!(SCANNER.find("", &text).len(), 2);
}

#[test]
fn one_level_of_encoding_hides_nothing() {
    for (text, expected) in [
        // `rk_live_...` in base64, standard and with the alphabet of URLs.
        (
            "x: cmtfbGl2ZV81MUg4a0pMcVdlUnRZdUlvUGFTZEZnSGpLbA==",
            "x: [REDACTED:stripe-key:1]",
        ),
        (
            "postgres%3A%2F%2Fapp%3Ak9Zq2LmW%40db%2Fx",
            "postgres%3A%2F%2Fapp%3A[REDACTED:postgres-password:1]%40db%2Fx",
        ),
        (
            r#""\u0067hp_16C7e42F292c6912E7710c838347Ae178B4a""#,
            r#""[REDACTED:github-token:1]""#,
        ),
        (
            r"\x67\x68p_16C7e42F292c6912E7710c838347Ae178B4a",
            "[REDACTED:github-token:1]",
        ),
        // The same text in hexadecimal digits, and in base64 with a letter that is not ASCII before it, on two lines.
        (
            "726b5f6c6976655f3531483868Z 726b5f6c6976655f35314838684a4c71576552745975496f506153",
            "726b5f6c6976655f3531483868Z [REDACTED:stripe-key:1]",
        ),
        (
            "  w7xiZXI6IGdsdWVjayB1bmQga2VpbiBPcnQK\n  cmtfbGl2ZV81MUg4a0pMcVdlUnRZdUlvUGFT\n  ZEZn\nx",
            "  w7xiZXI6IGdsdWVjayB1bmQga2VpbiBPcnQK\n  [REDACTED:stripe-key:1]\n\nx",
        ),
        (
            r"postgres:\/\/app:k9Zq2LmW@db\/x",
            r"postgres:\/\/app:[REDACTED:postgres-password:1]@db\/x",
        ),
    ] {
        assert_eq!(redact("", text), expected);
    }
}

#[test]
fn nothing_in_a_text_switches_the_search_off() {
    let line = "password = \"hG82-kdLz9x\" # gitleaks:allow secretlint-disable-line nosec\n";
    assert!(redact("", line).contains("[REDACTED:password:1]"));
    let beside = "password = \"[REDACTED:password:1]hG82-kdLz9x\"";
    assert_eq!(redact("", beside), "password = \"[REDACTED:password:1]\"");
}

#[test]
fn the_users_exceptions_are_by_rule_path_and_value() {
    let text = "password = \"hG82-kdLz9x\"\n";
    let hash = Hash::of(b"hG82-kdLz9x").to_string();
    let one = |text: &str| vec![text.to_owned()];
    for (rules, paths, hashes, n) in [
        (vec![], vec![], vec![], 1),
        (one("password"), vec![], vec![], 0),
        (one("token"), vec![], vec![], 1),
        (vec![], one("fixtures/**"), vec![], 0),
        (vec![], one("src/**"), vec![], 1),
        (vec![], vec![], vec![hash.clone()], 0),
        (vec![], vec![], one(&hash[.."blake3:".len() + 16]), 0),
        (vec![], vec![], one("0123456789abcdef"), 1),
    ] {
        let scanner = Scanner::new(Allow::parse(&rules, &paths, &hashes).unwrap());
        assert_eq!(
            scanner.find("fixtures/a.ini", text).len(),
            n,
            "{rules:?} {paths:?}"
        );
    }
}

#[test]
fn values_of_variables_are_found_wherever_they_stand() {
    let allow = Allow::parse(&[], &["**".to_owned()], &[]).unwrap();
    let variables = [("OPENAI_API_KEY", "any old words"), ("SHORT", "short")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let scanner = Scanner::new(allow).with_values(variables.to_vec());
    let text = "some any old words, short";
    let findings = scanner.find("a", text);
    let redacted = Numbers::default().redact(text, &findings);
    assert_eq!(
        redacted,
        "some [REDACTED:environment-openai-api-key:1], short"
    );
}

#[test]
fn the_same_value_has_the_same_number() {
    let text = "password: hG82-kdLz9x\npassword: kj34hKJH34k\npassword: hG82-kdLz9x\n";
    let mut numbers = Numbers::default();
    let redacted = numbers.redact(text, &SCANNER.find("", text));
    let ns: Vec<usize> = placeholders(&redacted)
        .map(|placeholder| placeholder.n)
        .collect();
    assert_eq!(ns, [1, 2, 1]);
    assert_eq!(format!("{numbers:?}"), r#"{"password": 2}"#);
}

#[test]
fn a_value_that_was_found_gives_way_wherever_else_it_stands() {
    for (text, expected) in [
        (
            "log hG82-kdLz9xQ\npassword: hG82-kdLz9xQ\n-phG82-kdLz9xQw",
            "log [REDACTED:password:1]\npassword: [REDACTED:password:1]\n-p[REDACTED:password:1]w",
        ),
        // Too short, or words that stand there for another reason.
        (
            "password: hG82-kdLz9x\nhG82-kdLz9x",
            "password: [REDACTED:password:1]\nhG82-kdLz9x",
        ),
        (
            "postgres://app:mountainlakes@db/x mountainlakes",
            "postgres://app:[REDACTED:postgres-password:1]@db/x mountainlakes",
        ),
    ] {
        assert_eq!(redact("a.yml", text), expected);
    }
    let text = "password: hG82-kdLz9xQ\nhG82-kdLz9xQ";
    let allow = Allow::parse(&[], &[], &[Hash::of(b"hG82-kdLz9xQ").to_string()]).unwrap();
    assert_eq!(Scanner::new(allow).find("", text), []);
}

#[test]
fn what_stands_where_a_url_has_its_password_is_one_unless_it_is_a_placeholder() {
    for (url, is_secret) in [
        ("postgres://app:summer@db/x", true),
        ("postgres://app:admin123@db/x", true),
        ("https://ci:hunter2@host/", true),
        ("redis://:qwe@cache:6379", true),
        ("mysql://root:12345678@db/x", true),
        ("postgres://postgres:postgres@db/x", false),
        ("https://user:password@host/", false),
        ("https://user:PASS@host/", false),
        ("https://user:xxx@host/", false),
        ("https://user:***@host/", false),
        ("https://user:changeme@host/", false),
        ("https://user:example@host/", false),
        ("https://user:$PASS@host/", false),
        ("https://user:${PASS}@host/", false),
        ("https://user:<pw>@host/", false),
        ("https://user:{{ pw }}@host/", false),
        ("https://user:%s@host/", false),
        ("https://u:p@host/", false),
        ("http://host:8080?to=me@host", false),
        ("http://host:8080@", false),
    ] {
        let findings = SCANNER.find("", url);
        assert_eq!(!findings.is_empty(), is_secret, "{url}");
    }
}

#[test]
fn a_key_keeps_its_lines() {
    let sample = plain(&SAMPLES["private-key"][0]);
    let redacted = redact("", &sample);
    assert_eq!(redacted.lines().count(), sample.lines().count());
}

#[test]
fn lines_are_counted_from_one() {
    let findings = SCANNER.find("", "\n\npassword: hG82-kdLz9x\r\npassword: kj34hKJH34k");
    let lines: Vec<usize> = findings.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [3, 4]);
}

#[test]
fn every_rule_is_described() {
    assert!(SCANNER.rules.all().all(|rule| !rule.what.is_empty()));
    assert_eq!(SCANNER.describe("github-token"), "GitHub token");
    assert_eq!(
        SCANNER.describe("environment-my-key"),
        "value of an environment variable"
    );
}

/// What rules look at, and anything else.
fn pieces() -> impl Strategy<Value = Vec<String>> {
    let samples = SAMPLES.values().flatten();
    let samples: Vec<String> = samples.map(|sample| plain(sample)).collect();
    let signs = [
        "\n",
        "\r\n",
        " ",
        "=",
        ": ",
        "\"",
        "'",
        "\\",
        "%41",
        "\\x41",
        "://",
        "@",
        "key",
        "token",
        "password",
        "---",
        "[REDACTED:",
        ":1]",
        "é",
        "\u{1F511}",
    ];
    let piece = prop_oneof![
        3 => prop::sample::select(samples),
        4 => prop::sample::select(signs.to_vec()).prop_map(str::to_owned),
        2 => any::<String>(),
        1 => "[A-Za-z0-9+/=_-]{1,60}",
    ];
    prop::collection::vec(piece, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn redaction_keeps_the_lines_and_all_between_the_findings(pieces in pieces()) {
        let text = pieces.concat();
        let findings = SCANNER.find("", &text);
        for pair in findings.windows(2) {
            prop_assert!(pair[0].range.end <= pair[1].range.start);
        }
        for finding in &findings {
            prop_assert!(!finding.range.is_empty());
            let lines_before = text[..finding.range.start].matches('\n').count();
            prop_assert_eq!(finding.line, 1 + lines_before);
        }
        let mut numbers = Numbers::default();
        let redacted = numbers.redact(&text, &findings);
        prop_assert_eq!(redacted.matches('\n').count(), text.matches('\n').count());
        // What stands between the findings stays, in order and to the byte.
        let mut rest = redacted.as_str();
        let mut end = 0;
        for finding in &findings {
            rest = rest.strip_prefix(&text[end..finding.range.start]).unwrap();
            let placeholder = placeholders(rest).next().unwrap();
            prop_assert_eq!((placeholder.range.start, placeholder.rule), (0, &*finding.rule));
            let breaks: String = text[finding.range.clone()].matches(['\r', '\n']).collect();
            rest = rest[placeholder.range.end..].strip_prefix(&breaks).unwrap();
            end = finding.range.end;
        }
        prop_assert_eq!(rest, &text[end..]);
    }

    #[test]
    fn redacting_twice_changes_nothing_more(
        samples in prop::collection::vec(prop::sample::select(SAMPLES.values().flatten().collect::<Vec<_>>()), 0..12),
    ) {
        let samples: Vec<String> = samples.into_iter().map(|sample| plain(sample)).collect();
        let redacted = redact("", &samples.join("\n"));
        prop_assert_eq!(redact("", &redacted), redacted);
    }
}

#[test]
fn what_stands_round_a_secret_does_not_hide_it() {
    let token = concat!("gh", "p_016C7eHqX2vBnM4kLzWd9TfYpQrSaU3jG8hN");
    let lower = concat!("da", "pi0a1b2c7d9e8f3a5b6c4d7e8f9a0b1c2d");
    let key = "MIIEowIBAAKCAQEAxP8uQm3vT7bZ1sKcWn\nq9LrYf2HdJ5xVgE0aTzNMiBoSe6UwRk4Cp";
    let removed = key.replace('\n', "\n-");
    let kind = concat!("RSA PRI", "VATE KEY");
    let scanner = Scanner::new(Allow::default());
    for (text, secret) in [
        (format!("+{token}\n-{token}\n"), token),
        (format!("https://host/{token} TOKEN_{token}"), token),
        (format!("[REDACTED:{lower}:1]"), lower),
        (format!("tool -p{token}"), token),
        (
            format!("{}\u{200b}{}", &token[..9], &token[9..]),
            &token[9..],
        ),
        (format!("\u{2067}{token}"), token),
        (
            "+dG9rZW49Z2hwXzAxNkM3ZUhxWDJ2Qm5NNGtMeldkOVRmWXBRclNhVTNqRzhoTg==".to_owned(),
            "dG9rZW49",
        ),
        (
            format!("-----BEGIN {kind}-----\nComment: a ... b---c\n{key}\n-----END {kind}-----\n"),
            "q9LrYf2HdJ5x",
        ),
        (
            format!("@@ -1,9 +0,0 @@\n------BEGIN {kind}-----\n-{removed}\n"),
            "q9LrYf2HdJ5x",
        ),
        (
            format!("@@ -7,3 +6,0 @@\n-{removed}\n------END {kind}-----\n"),
            "MIIEowIBAAKC",
        ),
    ] {
        let findings = scanner.find("a.txt", &text);
        let redacted = Numbers::default().redact(&text, &findings);
        assert!(!redacted.contains(secret), "{redacted}");
    }
}
