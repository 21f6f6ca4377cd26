//! `twostep pack`

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::environment::Environment;
use super::exit::{Exit, usage};
use super::git_sections::{ChangedArgs, GitSectionsArgs};
use super::number::parse_tokens;
use super::printer::{Printer, Volume};
use super::references::files_of_plan;
use super::secrets::SecretsArgs;
use super::select::{SelectArgs, Selected};
use super::sink::Sink;
use super::slice::SliceArgs;
use super::summary;
use crate::flow::history;
use crate::flow::pack::{self, HELD_BYTES, PackError, PackRequest, Packed};
use crate::fs::{self, FsError, SystemKind};
use crate::model::{Measure, Model};
use crate::pack::{
    Estimate, Facts, Format, LevelRule, MANIFEST_HEAD, Manifest, Options, Room, Sections,
};
use crate::path::RepoPath;
use crate::repo::{Candidate, OpenError, ReadOptions, Repository, Scan};
use crate::text_cache::TextCache;
use crate::tokens::{Counter, ENCODING};

/// Pack files into one document for a model
///
/// The document goes to stdout, or on a terminal to twostep-pack.xml (.md, .json, .txt). It is
/// well-formed, its tokens are counted exactly, and under a budget it is never over it: what does
/// not fit is left out and listed.
#[expect(clippy::struct_excessive_bools, reason = "one a flag")]
#[derive(Args, Debug)]
pub(super) struct PackArgs {
    /// Write the document to this file, whole or not at all (`-`: stdout)
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Write the document to stdout
    #[arg(long, hide = true, conflicts_with = "output")]
    stdout: bool,

    /// Most tokens that the document may have, such as 50000, 180k or 1M
    ///
    /// They are tokens of `o200k_base`, or those of the model of --for.
    #[arg(long, alias = "token-budget", value_name = "TOKENS", value_parser = parse_tokens)]
    budget: Option<u64>,

    /// Count the tokens of this model; without --budget, its prompt limit is the budget
    #[arg(long = "for", value_name = "MODEL")]
    model: Option<String>,

    /// What the model is to do; stands last in the document (`@FILE`: what is in FILE)
    #[arg(long, value_name = "TEXT")]
    instruction: Option<String>,

    /// The instruction is what is in this file
    #[arg(long, hide = true, value_name = "FILE", conflicts_with = "instruction")]
    instruction_file_path: Option<PathBuf>,

    /// Pack the files that this plan names (`-`: stdin)
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["paths", "stdin"])]
    plan: Option<PathBuf>,

    /// How much is shown of files that match a glob: GLOB=full, excerpt, skeleton or path (can be repeated)
    ///
    /// A skeleton holds what a source file defines and imports, without the bodies of functions; an excerpt the lines
    /// that are likely meant by --spec or --task, with the signatures round them. The last that is about a file counts.
    #[arg(long = "level", value_name = "GLOB=LEVEL", value_parser = LevelRule::parse)]
    levels: Vec<LevelRule>,

    /// Show skeletons of all source files, but for those that --level is about
    #[arg(long)]
    skeleton: bool,

    /// Write what became of each file to this file, as JSON (`-`: stdout)
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Format of the document; each holds the same
    #[arg(long, alias = "style", value_enum, default_value_t = Format::Xml)]
    format: Format,

    /// Always so: the document is well-formed
    #[arg(long, hide = true)]
    parsable_style: bool,

    /// Encoding of the counts
    #[arg(long, hide = true, value_parser = [ENCODING])]
    token_count_encoding: Option<String>,

    /// Replace a file that git tracks, or a twostep-pack.* that is no pack
    #[arg(short, long)]
    force: bool,

    /// Count and parse all files anew, and keep nothing of that in the user's cache
    #[arg(long)]
    no_cache: bool,

    /// How many of the largest files the summary names
    #[arg(long, alias = "top-files-len", value_name = "N", default_value_t = 5)]
    top: usize,

    /// Print the summary to stdout as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    slice: SliceArgs,

    #[command(flatten)]
    changed: ChangedArgs,

    #[command(flatten)]
    git: GitSectionsArgs,

    #[command(flatten)]
    secrets: SecretsArgs,

    #[command(flatten)]
    select: SelectArgs,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// The file that is written on a terminal, but for its ending.
const DEFAULT_OUTPUT: &str = "twostep-pack";

/// An instruction is text that somebody wrote.
const MAX_INSTRUCTION_BYTES: u64 = 16 << 20;

/// Where the document goes.
enum Target {
    Stdout,
    /// A file; `typed` is as the user wrote it.
    File {
        path: PathBuf,
        typed: PathBuf,
    },
}

pub(super) fn run(
    args: &PackArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let target = args.target(environment, printer)?;
    args.check(&target)?;
    let catalogue = environment.catalogue()?;
    let name = args.model.as_deref();
    let model = name.map(|name| catalogue.find(name)).transpose()?;
    let told = summary::told_models(
        &catalogue,
        model,
        printer.volume() != Volume::Quiet || args.json || args.manifest.is_some(),
    );
    let instruction = args.instruction(environment)?;
    let selected = args
        .select
        .resolve(environment, printer)
        .map_err(|error| args.explain(error))?;
    let outputs = args.outputs(&target, environment)?;
    args.guard(&target, &selected.repository, environment)?;
    let Selected {
        repository,
        mut named,
        globs,
        includes,
        excludes,
        threads,
    } = selected;
    if let Some(plan) = &args.plan {
        named = files_of_plan(plan, &repository, environment)?;
    }
    let detail = |path: &RepoPath| args.select.detail(path, &named, &globs);
    let past = history::sections(&repository, &args.git.wanted(), &detail, threads);
    let sections = Sections {
        instruction,
        ..past.context("cannot tell what changed")?
    };
    let options = args.options((includes, excludes), &sections, model);
    let request = PackRequest {
        named,
        globs,
        outputs,
        read: ReadOptions {
            everything: args.select.all,
            hashed: args.manifest.is_some(),
        },
        levels: args.levels(),
        format: args.format,
        sections,
        redactor: args.secrets.redactor(environment)?,
        room: options.budget.map(|budget| Room {
            budget,
            measure: model.map_or(Measure::Exact, Model::measure),
        }),
        query: args
            .slice
            .query(options.budget, &args.levels, environment)?,
        prefer: args.slice.prefer(),
        counter: args.counter(&told, &repository, environment),
        threads,
        max_held_bytes: HELD_BYTES,
    };
    let attempt = || format!("cannot pack `{}`", repository.root.path().display());
    let mut scan = pack::find(&repository, &request).with_context(attempt)?;
    args.slice.pin(&mut scan, printer)?;
    args.warn_of_levels(&scan, printer);
    args.changed
        .keep(&repository, &request, &mut scan, printer)?;
    // Both files are opened before anything is written, and put in place when both are whole.
    let mut document = Sink::open(target.path(), printer)?;
    let mut manifest = args.manifest_sink(environment, printer)?;
    let packed =
        write(&mut document, &repository, &request, scan, printer).with_context(attempt)?;
    let estimates: Vec<Estimate> = told
        .iter()
        .filter_map(|model| Estimate::of(&packed.count, model))
        .collect();
    if let Some(sink) = &mut manifest {
        let git = repository.git.as_ref();
        write_manifest(
            sink,
            &Facts {
                options: &options,
                model: model.map(|model| model.id.as_str()),
                commit: git.and_then(|git| git.commit.as_deref()),
                count: packed.count,
                estimates: &estimates,
                entries: &packed.entries,
                skipped: &packed.skipped,
                n_filtered: packed.n_filtered,
            },
        )?;
    }
    document.commit()?;
    manifest.map_or(Ok(()), Sink::commit)?;
    // What cannot be kept is found out again.
    let _ = request.counter.cache().save();
    let typed = target.typed();
    let summary = summary::Summary::new(&packed, &estimates, typed, &options, model, args.top);
    if args.json {
        printer.json(&summary)?;
    }
    summary.print(printer, &told);
    args.slice.explain(&packed.entries, printer);
    Ok(Exit::Success)
}

/// Writes the manifest.
fn write_manifest(sink: &mut Sink, facts: &Facts<'_>) -> anyhow::Result<()> {
    let mut text = serde_json::to_vec(&Manifest::new(facts))?;
    text.push(b'\n');
    let written = sink.write_all(&text).and_then(|()| sink.flush());
    written.map_err(|error| sink.failed(error))
}

/// Writes the document.
fn write(
    sink: &mut Sink,
    repository: &Repository,
    request: &PackRequest,
    scan: Scan,
    printer: &Printer,
) -> anyhow::Result<Packed> {
    let bar = printer.progress("packing");
    let mut progress = |done: usize, n: usize| bar.show(done, n);
    pack::write(repository, request, scan, sink, &mut progress).map_err(|error| match error {
        PackError::Write(error) => sink.failed(error),
        other => other.into(),
    })
}

/// Says whether the file at `path` begins with one of `heads`.
fn begins_with_one(path: &Path, heads: &[&str]) -> Result<bool, FsError> {
    for head in heads {
        if fs::begins_with(path, head.as_bytes())? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Target {
    fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File { path, .. } => Some(path),
        }
    }

    fn typed(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File { typed, .. } => Some(typed),
        }
    }
}

impl PackArgs {
    /// Says how a commit is named, where a path was not found that may be one.
    fn explain(&self, error: anyhow::Error) -> anyhow::Error {
        let Some(OpenError::Missing(path)) = error.downcast_ref() else {
            return error;
        };
        let option = if self.git.names_nothing() {
            "--git-diff"
        } else if self.changed.names_nothing() {
            "--changed"
        } else {
            return error;
        };
        let (message, path) = (error.to_string(), path.display());
        usage(
            message,
            format!("a commit is named with `=`: `{option}={path}`"),
        )
    }

    /// Returns what decides the contents.
    fn options(
        &self,
        (include, exclude): (Vec<String>, Vec<String>),
        sections: &Sections,
        model: Option<&Model>,
    ) -> Options {
        let paths = self.select.paths.iter();
        Options {
            paths: paths.map(|path| path.display().to_string()).collect(),
            include,
            exclude,
            all: self.select.all,
            spec: self.slice.spec().map(|path| path.display().to_string()),
            pins: self.slice.pins().to_vec(),
            levels: self.levels().into_iter().map(|rule| rule.words).collect(),
            format: self.format,
            budget: self.budget.or_else(|| model.map(Model::prompt_limit)),
            diffs: sections
                .diffs
                .iter()
                .map(|diff| diff.name.clone())
                .collect(),
            commits: sections.log.len(),
        }
    }

    /// Returns what counts tokens, those of `models` among them.
    fn counter(
        &self,
        models: &[&Model],
        repository: &Repository,
        environment: &Environment,
    ) -> Counter {
        let families = models.iter().filter_map(|model| Estimate::family_of(model));
        let cache = if self.no_cache {
            TextCache::default()
        } else {
            environment.text_cache(repository.root.path())
        };
        Counter::new(families.collect()).caching(Arc::new(cache))
    }

    /// Warns of rules for files that are not there.
    fn warn_of_levels(&self, scan: &Scan, printer: &Printer) {
        for rule in &self.levels {
            let matches = |candidate: &Candidate| rule.globs.take(&candidate.path);
            if !scan.candidates.iter().any(matches) {
                printer.warn(&format!("`--level {}` matches no file", rule.words));
            }
        }
    }

    /// Returns the levels that are wanted.
    fn levels(&self) -> Vec<LevelRule> {
        let all = self.skeleton.then(LevelRule::skeletons);
        all.into_iter().chain(self.levels.iter().cloned()).collect()
    }

    fn target(&self, environment: &Environment, printer: &Printer) -> anyhow::Result<Target> {
        let file = |typed: &Path| Target::File {
            path: environment.at(typed),
            typed: typed.to_owned(),
        };
        match &self.output {
            // Opened by its name, a file behind stdout would be replaced and not added to.
            Some(path) if path == Path::new("-") || path == Path::new("/dev/stdout") => {
                Ok(Target::Stdout)
            }
            Some(path) if path == Path::new("") => Err(usage(
                "`-o` names no file",
                "give it a file, or `-` for stdout",
            )),
            Some(path) => Ok(file(path)),
            None if self.stdout || !printer.stdout_is_terminal() => Ok(Target::Stdout),
            None => {
                let name = format!("{DEFAULT_OUTPUT}{}", self.format.ending());
                Ok(file(Path::new(&name)))
            }
        }
    }

    /// Refuses what contradicts itself.
    fn check(&self, target: &Target) -> anyhow::Result<()> {
        let manifest_to_stdout = self.manifest.as_deref() == Some(Path::new("-"));
        let wants = [
            (matches!(target, Target::Stdout), "the document"),
            (manifest_to_stdout, "the manifest"),
            (self.json, "the summary"),
        ];
        let wants: Vec<&str> = wants
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, what)| what)
            .collect();
        if wants.len() > 1 {
            return Err(usage(
                format!("{} cannot go to stdout together", wants.join(" and ")),
                "write the document to a file with `-o FILE`, the manifest with `--manifest FILE`",
            ));
        }
        Ok(())
    }

    /// Refuses to replace what is not ours to replace: what git tracks, and where no file was named
    /// whatever is no pack.
    fn guard(
        &self,
        target: &Target,
        repository: &Repository,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        if self.force {
            return Ok(());
        }
        let mut files = Vec::new();
        if let Target::File { path, typed } = target {
            let heads = Format::ALL.map(Format::head).to_vec();
            files.push((path.clone(), typed.as_path(), heads, self.output.is_some()));
        }
        if let Some(typed) = self.manifest_file() {
            files.push((environment.at(typed), typed, vec![MANIFEST_HEAD], true));
        }
        for (path, typed, heads, was_named) in files {
            if fs::kind(&path)? != SystemKind::File || begins_with_one(&path, &heads)? {
                continue;
            }
            let resolved = fs::resolve(&path)?;
            let is_tracked = repository.git.as_ref().is_some_and(|git| {
                let relative = resolved.strip_prefix(repository.root.path());
                relative.is_ok_and(|relative| git.tracks(relative))
            });
            if is_tracked || !was_named {
                let what = if is_tracked {
                    "is tracked by git"
                } else {
                    "is no pack of twostep"
                };
                return Err(usage(
                    format!("`{}` is there already and {what}", typed.display()),
                    "replace it with `--force`, or name another file",
                ));
            }
        }
        Ok(())
    }

    /// Opens what the manifest is written to, if one was asked for.
    fn manifest_sink(
        &self,
        environment: &Environment,
        printer: &Printer,
    ) -> anyhow::Result<Option<Sink>> {
        let path = self.manifest_file().map(|path| environment.at(path));
        let open = |_| Sink::open(path.as_deref(), printer);
        self.manifest.as_ref().map(open).transpose()
    }

    /// The file of the manifest, if it goes to one.
    fn manifest_file(&self) -> Option<&Path> {
        self.manifest
            .as_deref()
            .filter(|path| *path != Path::new("-"))
    }

    /// The files that are written, absolute and resolved; one that stdout leads to, too.
    fn outputs(&self, target: &Target, environment: &Environment) -> anyhow::Result<Vec<PathBuf>> {
        let stdout = Path::new("/dev/stdout");
        let document = match target {
            Target::File { path, .. } => Some(path.as_path()),
            Target::Stdout => (fs::kind(stdout)? == SystemKind::File).then_some(stdout),
        };
        let manifest = self.manifest_file().map(|path| environment.at(path));
        let files = document.into_iter().chain(manifest.as_deref());
        let resolve = |path: &Path| {
            fs::resolve(path).map_err(|error| match error.source.kind() {
                io::ErrorKind::NotFound => usage(
                    format!(
                        "cannot write `{}`: its folder does not exist",
                        path.display()
                    ),
                    "make the folder first, or name another file",
                ),
                _ => error.into(),
            })
        };
        let files: Vec<PathBuf> = files.map(resolve).collect::<Result<_, _>>()?;
        match files.as_slice() {
            [document, manifest] if document == manifest => Err(usage(
                "the document and the manifest cannot be the same file",
                "give `--manifest` another file",
            )),
            _ => Ok(files),
        }
    }

    fn instruction(&self, environment: &Environment) -> anyhow::Result<Option<String>> {
        let read = |path: &Path| {
            fs::read_text(&environment.at(path), MAX_INSTRUCTION_BYTES)
                .context("cannot use the instruction")
        };
        match (&self.instruction, &self.instruction_file_path) {
            (Some(text), _) => match text.strip_prefix('@') {
                Some("") => Err(usage(
                    "`--instruction @` names no file",
                    "give it `@FILE`, or the text itself",
                )),
                Some(path) => read(Path::new(path)).map(Some),
                None => Ok(Some(text.clone())),
            },
            (None, Some(path)) => read(path).map(Some),
            (None, None) => Ok(None),
        }
    }
}
