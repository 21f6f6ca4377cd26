//! Files that make programs run by themselves: they land only if somebody agreed to it.

use crate::path::RepoPath;

/// Names of one kind, in lower case.
struct Names {
    /// Folders, at any depth, in which every file is of it.
    folders: &'static [&'static str],
    /// Files, in any folder.
    files: &'static [&'static str],
}

/// What judges a change: CI and hooks.
const JUDGES: Names = Names {
    folders: &[
        ".buildkite",
        ".ci",
        ".circleci",
        ".forgejo",
        ".gitea",
        ".githooks",
        ".husky",
        ".woodpecker",
    ],
    files: &[
        ".appveyor.yml",
        ".cirrus.yml",
        ".drone.yml",
        ".gitlab-ci.yaml",
        ".gitlab-ci.yml",
        ".lefthook.yaml",
        ".lefthook.yml",
        ".pre-commit-config.yaml",
        ".pre-commit-config.yml",
        ".pre-commit-hooks.yaml",
        ".travis.yml",
        ".woodpecker.yaml",
        ".woodpecker.yml",
        "appveyor.yml",
        "azure-pipelines.yaml",
        "azure-pipelines.yml",
        "bitbucket-pipelines.yml",
        "jenkinsfile",
        "lefthook.yaml",
        "lefthook.yml",
    ],
};

/// What agents do as it says.
const AGENTS: Names = Names {
    folders: &[
        ".agents",
        ".amazonq",
        ".claude",
        ".clinerules",
        ".codex",
        ".continue",
        ".cursor",
        ".gemini",
        ".junie",
        ".kiro",
        ".opencode",
        ".roo",
        ".windsurf",
    ],
    files: &[
        ".aider.conf.yml",
        ".cursorrules",
        ".mcp.json",
        ".windsurfrules",
        "agent.md",
        "agents.md",
        "claude.local.md",
        "claude.md",
        "gemini.md",
        "opencode.json",
        "opencode.jsonc",
    ],
};

/// What runs when somebody enters a folder or opens a file, or says what runs then.
const TOOLS: Names = Names {
    folders: &[".devcontainer", ".idea", ".vscode", ".zed"],
    files: &[
        ".dir-locals.el",
        ".envrc",
        ".exrc",
        ".gdbinit",
        ".gitattributes",
        ".gitmodules",
        ".mise.toml",
        ".nvimrc",
        ".tool-versions",
        ".vimrc",
        "mise.toml",
        "rust-toolchain",
        "rust-toolchain.toml",
    ],
};

/// The folder of a project's workflows: their checks are commands.
const WORKFLOWS: &str = "twostep-workflows";

/// What runs when a project is built or installed.
const BUILDS: Names = Names {
    folders: &[".cargo", ".mvn", ".yarn"],
    files: &[
        ".bazelrc",
        ".npmrc",
        ".pnpmfile.cjs",
        ".yarnrc",
        ".yarnrc.yml",
        "binding.gyp",
        "build.gradle",
        "build.gradle.kts",
        "build.rs",
        "build.sbt",
        "bunfig.toml",
        "cmakelists.txt",
        "configure",
        "dockerfile",
        "flake.nix",
        "gemfile",
        "gnumakefile",
        "gradlew",
        "gradlew.bat",
        "justfile",
        "makefile",
        "meson.build",
        "mvnw",
        "mvnw.cmd",
        "package.json",
        "pom.xml",
        "rakefile",
        "setup.py",
    ],
};

/// Folders of a path of several, from the root or from anywhere.
const GRADLE: [&str; 2] = ["gradle", "wrapper"];
const GITLAB: [&str; 2] = [".gitlab", "ci"];

/// How names end of what is a part of a build.
const BUILD_ENDS: [&str; 4] = [".cmake", ".gradle", ".gradle.kts", ".mk"];

/// How they begin.
const BUILD_BEGINNINGS: [&str; 2] = ["dockerfile.", "vite.config."];

impl Names {
    /// Says whether a path is of this kind, by its components.
    fn have(&self, components: &[&str]) -> bool {
        components.last().is_some_and(|name| self.files.contains(name))
            // The last, too: a link of such a name stands for the folder that it leads to.
            || components.iter().any(|component| self.folders.contains(component))
    }
}

/// Says whether `path` is a CI file, a hook, a setting of an agent or editor, or a script that runs when a project is built,
/// installed or opened. Case is not told apart: some file systems do not.
pub fn is_guarded(path: &RepoPath) -> bool {
    let lower = lower(path);
    let components: Vec<&str> = lower.split('/').collect();
    let Some(name) = components.last() else {
        return false;
    };
    let stem = name.strip_suffix(".md");
    let is_plan = stem.is_some_and(|stem| stem.starts_with("ai-plan"));
    judges(&components)
        || is_plan
        || [AGENTS, TOOLS, BUILDS]
            .iter()
            .any(|names| names.have(&components))
        || components.windows(2).any(|pair| pair == GRADLE)
        || components.first() == Some(&WORKFLOWS)
        || BUILD_ENDS.iter().any(|end| name.ends_with(end))
        || BUILD_BEGINNINGS.iter().any(|begin| name.starts_with(begin))
}

/// Says whether `path` is a CI file or a hook: what judges changes.
pub fn is_judge(path: &RepoPath) -> bool {
    judges(&lower(path).split('/').collect::<Vec<_>>())
}

fn judges(components: &[&str]) -> bool {
    let is_github = components.first() == Some(&".github")
        && (components.len() == 1 || components.last() != Some(&"readme.md"));
    is_github || components.starts_with(&GITLAB) || JUDGES.have(components)
}

fn lower(path: &RepoPath) -> String {
    String::from_utf8_lossy(path.as_bytes()).to_ascii_lowercase()
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
            ("app/build.gradle.kts", true),
            ("gradle/libs.gradle", true),
            ("gradle/wrapper/gradle-wrapper.jar", true),
            ("gradle/libs.versions.toml", false),
            ("gradlew", true),
            (".mvn/jvm.config", true),
            ("pom.xml", true),
            ("CMakeLists.txt", true),
            ("cmake/flags.cmake", true),
            ("mk/rules.mk", true),
            ("Dockerfile", true),
            ("docker/Dockerfile.dev", true),
            ("web/vite.config.ts", true),
            ("configure", true),
            ("src/configure.rs", false),
            (".woodpecker/test.yaml", true),
            (".gitlab/ci/test.yml", true),
            (".gitlab/issue_templates/bug.md", false),
            ("azure-pipelines.yaml", true),
            (".lefthook.yml", true),
            (".windsurf/rules/a.md", true),
            (".clinerules", true),
            (".kiro/steering/a.md", true),
            ("AGENT.md", true),
            ("opencode.json", true),
            (".tool-versions", true),
            (".exrc", true),
            ("AI-PLAN.md", true),
            ("AI-PLAN-20260101.md", true),
            ("docs/plan.md", false),
            ("pyproject.toml", false),
            ("setup.cfg", false),
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
