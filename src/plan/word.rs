//! Words that may be paths: what stands round them, what stands after them, and what they look like.

use super::tree::{Tree, name_of};
use crate::path::RepoPath;

/// No path that a plan names is longer.
pub(super) const MAX_BYTES: usize = 512;

/// The most paths that one list in braces stands for.
const MAX_EXPANDED: usize = 32;

/// Extensions of source, documents, data and settings.
const EXTENSIONS: &str = "\
    adoc asm astro avsc bash bat bazel bib bzl cc cfg cjs clj cljc cljs cmake cpp cs cshtml csproj css csv cts cu cue cxx \
    dart edn eex ejs elm eot erb erl ex exs fbs fsx gemspec gif go gql gradle graphql groovy haml hbs hcl heex hh hpp hrl hs htm \
    html hxx ico ini ipynb j2 java jinja jl jpeg jpg js json json5 jsonc jsonl jsx kt kts less lhs lua markdown md mdx mjs mk ml mli \
    mm mts nim nix njk pdf php pl plist pm png prisma proto ps1 pug py pyi pyx rake rb rego robot rs rst sass sbt scala scss sh \
    sln sol sql styl svelte svg swift tex tf tfvars thrift tmpl toml tpl ts tsv tsx txt vb vue wasm wat webp wgsl wit xaml xml xsd xsl \
    xslt yaml yml zig zsh";

/// Extensions that are names of members too: without a `/`, `console.log` is no file.
const MEMBERS: &str = "\
    bin c cmd conf config d data diff env h http key local lock log m map mod move out patch properties r s snap sum test text v \
    work zip";

/// Files without an extension, and names that begin with a dot.
const NAMES: &str = "\
    Brewfile BUILD CHANGELOG CODEOWNERS COPYING Caddyfile Containerfile Dockerfile Gemfile Jenkinsfile Justfile LICENSE Makefile \
    NOTICE OWNERS Pipfile Podfile Procfile README Rakefile Tiltfile Vagrantfile WORKSPACE go.mod go.sum go.work \
    .babelrc .clang-format .clang-tidy .dockerignore .editorconfig .env .env.example .env.local .eslintignore .eslintrc .gitattributes \
    .gitignore .gitmodules .mailmap .node-version .npmignore .npmrc .nvmrc .prettierignore .prettierrc .python-version .tool-versions";

/// Products and method calls that look like files.
const NO_FILES: &str = "\
    alpine.js angular.js asp.net backbone.js c.json chart.js ctx.json d3.js day.js discord.js docs.rs ember.js ethers.js express.js \
    moment.js nest.js next.js node.js nuxt.js p5.js r.json react.js req.json request.json require.js res.json resp.json \
    response.json socket.io solid.js three.js vue.js web3.js";

/// Folders of what others wrote.
const OTHERS: &str = "node_modules site-packages .venv __pycache__";

/// Last labels of host names.
const DOMAINS: &str = "ai app com dev edu gov io net org";

/// Programs that plans run.
const PROGRAMS: &str = "\
    awk bash bazel black bun bundle cargo cat cd clang clippy cmake composer cp ctest curl deno docker dotnet eslint find gcc git \
    go golangci-lint gradle gradlew grep jest just ls make maven meson mkdir mocha mv mvn mypy node nox npm npx nx pip pnpm poetry \
    prettier pyright pytest python python3 rake rg rm rspec ruby ruff rustc rustfmt sed sh swift tox ts-node tsc turbo uv vitest \
    yarn zsh";

fn lists(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// Takes off the marks and the punctuation round a word.
pub(super) fn bare(word: &str) -> &str {
    let mut word = word;
    loop {
        let before = word.len();
        for pair in ["**", "__", "~~", "*", "_", "\"", "'"] {
            let inner = word
                .strip_prefix(pair)
                .and_then(|word| word.strip_suffix(pair));
            word = inner.filter(|inner| !inner.is_empty()).unwrap_or(word);
        }
        for (open, close) in [('(', ')'), ('[', ']'), ('{', '}'), ('<', '>')] {
            let n_open = word.matches(open).count();
            let n_close = word.matches(close).count();
            if word.starts_with(open) && (n_open > n_close || closes_last(word, open, close)) {
                word = &word[open.len_utf8()..];
            } else if word.ends_with(close) && n_close > n_open {
                word = &word[..word.len() - close.len_utf8()];
            }
        }
        if word
            .trim_start_matches('*')
            .starts_with(char::is_alphanumeric)
        {
            word = word.trim_start_matches('*');
        }
        if word.trim_end_matches('*').ends_with(char::is_alphanumeric) {
            word = word.trim_end_matches('*');
        }
        word = word.trim_start_matches(['"', '\'', '\u{2018}', '\u{201c}', '\u{ab}']);
        word = word.trim_end_matches(|c| {
            ".,;:!?\"'\u{2019}\u{201d}\u{bb}\u{2026}\u{3001}\u{3002}\u{ff0c}".contains(c)
        });
        for possessive in ["'s", "\u{2019}s"] {
            word = word.strip_suffix(possessive).unwrap_or(word);
        }
        if word.len() == before {
            return word;
        }
    }
}

/// Says whether the bracket that begins `word` is closed by its last character.
fn closes_last(word: &str, open: char, close: char) -> bool {
    let mut depth = 0usize;
    for (at, c) in word.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at + c.len_utf8() == word.len();
            }
        }
    }
    false
}

/// Returns the words that the lists in braces stand for; a word without one is itself.
pub(super) fn expand(word: &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut left = vec![word.to_owned()];
    while let Some(word) = left.pop() {
        let list = word.find('{').and_then(|open| {
            let close = open + word[open..].find('}')?;
            let items = &word[open + 1..close];
            (items.contains(',') && !items.contains('{')).then_some((open, close))
        });
        let Some((open, close)) = list else {
            done.push(word);
            continue;
        };
        for item in word[open + 1..close].split(',').rev() {
            if done.len() + left.len() < MAX_EXPANDED {
                left.push(format!(
                    "{}{}{}",
                    &word[..open],
                    item.trim(),
                    &word[close + 1..]
                ));
            }
        }
    }
    done
}

/// Says whether a word that is not in the tree is certainly something else than a path.
pub(super) fn is_foreign(word: &str) -> bool {
    let name = name_of(word);
    let first = word.split('/').next().unwrap_or_default();
    let is_placeholder = |part: &str| {
        part == "..."
            || part
                .strip_prefix('$')
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '{'))
    };
    let has_host = word.contains('/')
        && first
            .rsplit_once('.')
            .is_some_and(|(host, last)| !host.is_empty() && lists(DOMAINS, last));
    word.is_empty()
        || word.starts_with(['-', '#', '@', '<', '&', '='])
        || word.contains([
            '\\', '^', '*', '?', '|', '<', '>', '"', '=', '`', '{', '}', ';', '!', ',', '\u{2026}',
        ])
        || word.contains("()")
        || word.contains("::")
        || word.contains(':')
        || word.contains(char::is_control)
        || word.split('/').any(is_placeholder)
        || has_host
        || (!word.contains('/') && lists(NO_FILES, &name.to_lowercase()))
        || word.split('/').any(|part| lists(OTHERS, part))
}

/// Says whether a word is a path as Windows writes it, of a drive or from some folder.
pub(super) fn is_windows(word: &str) -> bool {
    let is_name = |name: &str| {
        let is_plain = |c: char| c.is_alphanumeric() || "_-. ".contains(c);
        !name.is_empty() && name.chars().all(is_plain)
    };
    let from_folder = match word.split_once(":\\") {
        Some((drive, rest)) if drive.len() == 1 => rest,
        _ => word,
    };
    word.contains('\\') && from_folder.split('\\').all(is_name)
}

/// Says whether a text is a command: it begins with a program, known or of the folder.
pub(super) fn is_command(text: &str) -> bool {
    let mut words = text.split_ascii_whitespace();
    // As in `RUST_LOG=debug cargo test`.
    let is_variable = |word: &&str| word.split_once('=').is_some_and(|(name, _)| is_upper(name));
    let first = words.find(|word| !is_variable(word)).unwrap_or_default();
    lists(PROGRAMS, first) || first.starts_with("./")
}

fn is_upper(name: &str) -> bool {
    let mut chars = name.chars();
    !name.is_empty() && chars.all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Says whether a word is a part of a URL or an address, whatever the tree holds.
pub(super) fn is_address(word: &str) -> bool {
    word.contains("://")
        || word.starts_with("www.")
        || word.starts_with("mailto:")
        || word.starts_with("git@")
        || word
            .split_once('@')
            .is_some_and(|(_, host)| host.contains(':') && host.contains('/'))
}

/// Says whether the name of a path is that of a file, by its extension or as a whole.
pub(super) fn names_a_file(path: &str, tree: &Tree) -> bool {
    let name = name_of(path);
    if lists(NAMES, name) {
        return true;
    }
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    if stem.is_empty() || stem == "." || stem.contains('(') && !stem.contains(')') {
        return false;
    }
    let is_address = path.contains('@') && !path.contains('/') && lists(DOMAINS, extension);
    // As in `config.h.in`.
    if extension == "in" {
        return stem.contains('.');
    }
    let is_known = lists(EXTENSIONS, &extension.to_ascii_lowercase())
        || tree.has_extension(extension) && extension.starts_with(char::is_alphabetic);
    let is_member = lists(MEMBERS, extension);
    !is_address
        && if is_member {
            path.contains('/')
        } else {
            is_known
        }
}

/// Returns `word` as a path from the root: without `./` before it and `/` after it.
pub(super) fn normal(word: &str) -> &str {
    let mut path = word;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    path.strip_prefix("@/")
        .unwrap_or(path)
        .trim_end_matches('/')
}

/// Says whether a word names something as files are named: with a folder, an extension, a capital or a dot.
pub(super) fn is_telling(word: &str) -> bool {
    word.contains('/') || word.contains('.') || word.starts_with(char::is_uppercase)
}

/// Returns `path` if a file may be made there.
pub(super) fn creatable(path: &str) -> Option<RepoPath> {
    let path = RepoPath::parse(path.as_bytes()).ok()?;
    let is_home = path.as_bytes().starts_with(b"~");
    (!is_home && !path.is_git_internal()).then_some(path)
}

/// Says whether a word parts a path from what is said of it.
pub(super) fn is_separator(word: &str) -> bool {
    word.ends_with(':')
        || word.starts_with('(')
        || !word.contains(|c: char| c.is_alphanumeric() || ",&`*_|+".contains(c))
}

/// Decodes `%20` and the like in the target of a link.
pub(super) fn decoded(link: &str) -> String {
    let mut bytes = Vec::with_capacity(link.len());
    let mut rest = link.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = |byte: u8| char::from(byte).to_digit(16);
        let code = match tail {
            [high, low, ..] if byte == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        let code = code.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(code.unwrap_or(byte));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap_or_else(|_| link.to_owned())
}
