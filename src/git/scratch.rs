//! The `.git` of a scratch: a repository of its own that borrows the objects of the user's.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::config::Config;
use super::folder::GitFolder;
use super::objects::error;
use super::{Entry, EntryKind, GitError, Id, ObjectError, ObjectFormat, files};
use crate::path::RepoPath;

/// What a scratch borrows of the user's repository.
pub struct Lender {
    /// The folder of its objects.
    pub objects: PathBuf,
    /// How it names them.
    pub format: ObjectFormat,
    /// The list of commits whose parents it does not have.
    pub shallow: PathBuf,
    /// The other repositories in it, sorted by path, each with its commit.
    pub submodules: Vec<Entry>,
}

/// Reads what a scratch borrows of the work tree at `top`.
///
/// # Errors
///
/// Fails on a damaged or unknown kind of repository or index.
pub fn lender(top: &Path) -> Result<Lender, GitError> {
    let folder = GitFolder::of(top)?;
    files::check(&folder)?;
    let format = Config::of(&folder)?.format();
    let index = folder.index(format)?;
    let submodules = index.entries().iter().filter_map(|entry| {
        let is_submodule = entry.mode == gix::index::entry::Mode::COMMIT
            && entry.stage() == gix::index::entry::Stage::Unconflicted;
        let path = RepoPath::parse(entry.path(&index)).ok()?;
        is_submodule.then_some(Entry {
            path,
            kind: EntryKind::Submodule,
            id: Id(entry.id),
        })
    });
    Ok(Lender {
        objects: folder.objects(),
        format,
        shallow: folder.common.join("shallow"),
        submodules: submodules.collect(),
    })
}

/// Returns the files that make a folder the `.git` of a scratch, by their paths in it.
///
/// No hook, no filter, no conversion of line ends: whatever git does in the scratch, it moves bytes
/// as they are. `exclude` are its private ignore rules; `commit` is what is checked out.
pub fn scratch_files(
    format: ObjectFormat,
    exclude: &[u8],
    commit: Id,
) -> Vec<(&'static str, Vec<u8>)> {
    let (version, extension) = match format {
        ObjectFormat::Sha1 => (0, ""),
        ObjectFormat::Sha256 => (1, "[extensions]\n\tobjectFormat = sha256\n"),
    };
    let config = format!(
        "[core]\n\trepositoryformatversion = {version}\n\tbare = false\n\tfilemode = true\n\
         \thooksPath = /dev/null\n\tfsmonitor = false\n\tautocrlf = false\n\tsafecrlf = false\n\
         [user]\n\tname = twostep\n\temail = twostep@localhost\n\
         [commit]\n\tgpgSign = false\n[tag]\n\tgpgSign = false\n[gc]\n\tauto = 0\n{extension}"
    );
    let attributes = "* -text !eol -filter -ident !working-tree-encoding\n";
    vec![
        ("HEAD", b"ref: refs/heads/main\n".to_vec()),
        ("config", config.into_bytes()),
        ("info/attributes", attributes.into()),
        ("info/exclude", exclude.to_vec()),
        ("refs/heads/main", format!("{commit}\n").into_bytes()),
    ]
}

/// Returns the line that borrows from the store in `folder`; it belongs in `objects/info/alternates`.
pub fn alternate(folder: &Path) -> Vec<u8> {
    let bytes = folder.as_os_str().as_bytes();
    // Git reads a line that begins with a quote as C writes strings.
    let line = if bytes.contains(&b'\n') {
        super::quote(bytes)
    } else {
        bytes.to_vec()
    };
    [&line[..], b"\n"].concat()
}

/// Returns the bytes of an index that holds `entries`, sorted by path, of the work tree `top`.
///
/// # Errors
///
/// Fails where the system does not say what a file is.
pub fn index(top: &Path, entries: &[Entry], format: ObjectFormat) -> Result<Vec<u8>, ObjectError> {
    use gix::index::entry::{Flags, Mode, Stat};
    let mut state = gix::index::State::new(format.kind());
    for entry in entries {
        let (mode, stat) = match entry.kind {
            EntryKind::File => (Mode::FILE, true),
            EntryKind::Executable => (Mode::FILE_EXECUTABLE, true),
            EntryKind::Link => (Mode::SYMLINK, true),
            EntryKind::Submodule => (Mode::COMMIT, false),
        };
        let stat = if stat {
            let path = top.join(OsStr::from_bytes(entry.path.as_bytes()));
            let meta = gix::index::fs::Metadata::from_path_no_follow(&path);
            let meta = meta.map_err(|cause| error(top, &cause))?;
            Stat::from_fs(&meta).unwrap_or_default()
        } else {
            Stat::default()
        };
        let path = entry.path.as_bytes();
        state.dangerously_push_entry(stat, entry.id.0, Flags::empty(), mode, path.into());
    }
    let mut bytes = Vec::new();
    gix::index::File::from_state(state, top.join("index"))
        .write_to(&mut bytes, gix::index::write::Options::default())
        .map_err(|cause| error(top, &cause))?;
    Ok(bytes)
}
