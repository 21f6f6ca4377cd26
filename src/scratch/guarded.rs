//! Files that make programs run by themselves: they land only if somebody agreed to it.

use crate::path::RepoPath;

/// Folders, at any depth, in which every file is one of those.
const FOLDERS: &[&[u8]] = &[
    b".agents",
    b".buildkite",
    b".ci",
    b".cargo",
    b".circleci",
    b".claude",
    b".codex",
    b".cursor",
    b".devcontainer",
    b".gemini",
    b".githooks",
    b".husky",
    b".vscode",
    b".forgejo",
    b".gitea",
    b".zed",
    b".idea",
    b".yarn",
];

/// Names, in any folder.
const NAMES: &[&[u8]] = &[
    b".envrc",
    b".gitattributes",
    b".gitlab-ci.yml",
    b".gitmodules",
    b".mcp.json",
    b".npmrc",
    b".pre-commit-config.yaml",
    b".pnpmfile.cjs",
    b".travis.yml",
    b".yarnrc.yml",
    b".cirrus.yml",
    b".cursorrules",
    b".drone.yml",
    b".woodpecker.yml",
    b"claude.local.md",
    b"rust-toolchain",
    b"rust-toolchain.toml",
    b"agents.md",
    b"appveyor.yml",
    b"azure-pipelines.yml",
    b"binding.gyp",
    b"bitbucket-pipelines.yml",
    b"build.rs",
    b"claude.md",
    b"gemini.md",
    b"gnumakefile",
    b"jenkinsfile",
    b"justfile",
    b"lefthook.yml",
    b"makefile",
    b"package.json",
    b"setup.py",
];

/// Says whether `path` is a CI file, a hook, a setting of an agent, or a script that runs when a project is built,
/// installed or opened. Case is not told apart: some file systems do not.
pub fn is_guarded(path: &RepoPath) -> bool {
    let lower = path.as_bytes().to_ascii_lowercase();
    let components: Vec<&[u8]> = lower.split(|&byte| byte == b'/').collect();
    let Some((name, folders)) = components.split_last() else {
        return false;
    };
    NAMES.contains(name)
        // The last, too: a link of such a name stands for the folder that it leads to.
        || components.iter().any(|component| FOLDERS.contains(component))
        || components.first() == Some(&&b".github"[..]) && (folders.is_empty() || *name != b"readme.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_programs_run_is_guarded() {
        for (path, expected) in [
            (".github/workflows/ci.yml", true),
            (".GitHub/actions/a/action.yml", true),
            ("docs/.github/x", false),
            ("sub/package.json", true),
            ("src/build.rs", true),
            ("src/rebuild.rs", false),
            (".claude/settings.json", true),
            ("CLAUDE.md", true),
            ("a/.husky/pre-commit", true),
            (".cargo/config.toml", true),
            (".ci/run.sh", true),
            (".drone.yml", true),
            ("lib/Makefile", true),
            (".claude", true),
            (".github", true),
            (".github/README.md", false),
            ("rust-toolchain.toml", true),
            ("src/main.rs", false),
            ("Cargo.toml", false),
            ("claude", false),
        ] {
            let path = RepoPath::parse(path.as_bytes()).unwrap();
            assert_eq!(is_guarded(&path), expected, "{path}");
        }
    }
}
