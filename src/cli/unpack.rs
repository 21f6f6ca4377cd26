//! `twostep unpack`

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::environment::Environment;
use super::exit::Exit;
use super::number::counted;
use super::printer::Printer;
use crate::flow::unpack::{Existing, restore};
use crate::fs;

/// Write the files of a pack again, bit for bit
///
/// The whole pack is checked before the first file is written. Files that a pack only lists are
/// not in it, and are not written.
#[derive(Args, Debug)]
pub(super) struct UnpackArgs {
    /// The pack (`-`: stdin)
    #[arg(value_name = "PACK")]
    pack: PathBuf,

    /// Folder to write to, made if it is not there
    #[arg(short, long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,

    /// Replace files that are there with other contents
    #[arg(short, long)]
    force: bool,
}

pub(super) fn run(
    args: &UnpackArgs,
    environment: &Environment,
    printer: &Printer,
) -> anyhow::Result<Exit> {
    let folder = environment.at(&args.directory);
    let existing = if args.force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let unpacked = if args.pack == Path::new("-") {
        #[expect(clippy::disallowed_methods, reason = "the owner of this door")]
        restore(std::io::stdin().lock(), &folder, existing)
    } else {
        restore(fs::open(&environment.at(&args.pack))?, &folder, existing)
    };
    let unpacked = unpacked.with_context(|| format!("cannot unpack `{}`", args.pack.display()))?;
    let place = args.directory.display();
    printer.note(&format!(
        "unpacked {} into `{place}`",
        counted(unpacked.n_exact, "file", "files")
    ));
    if unpacked.n_shortened > 0 {
        printer.note(&format!(
            "{} shown in part in the pack, and not written",
            counted(unpacked.n_shortened, "file is", "files are")
        ));
    }
    if unpacked.n_other > 0 {
        printer.note(&format!(
            "{} only listed or redacted in the pack, and not written",
            counted(unpacked.n_other, "file is", "files are")
        ));
    }
    Ok(Exit::Success)
}
