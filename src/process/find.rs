//! Where a program is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use crate::fs::{self, SystemKind};

/// Returns the file of the program `name`: in the first folder of `path`, a value of `PATH`, that has it.
///
/// A name with a `/` is taken as it is. Relative folders are passed over, unlike in a shell: in a strange repository
/// they name strange programs.
pub fn find(name: &OsStr, path: &OsStr) -> Option<PathBuf> {
    if name.is_empty() {
        return None;
    }
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(PathBuf::from(name)).filter(|file| is_program(file));
    }
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    fs::kind(file).is_ok_and(|kind| kind == SystemKind::File)
        && rustix::fs::access(file, Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_first_executable_file_of_an_absolute_folder_is_found() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        for folder in ["a", "b/tool", "c"] {
            fs::make_folder(&at(folder)).unwrap();
        }
        for (file, mode) in [("a/tool", 0o644), ("c/tool", 0o755), ("c/late", 0o755)] {
            let file = fs::create_private(&at(file)).unwrap();
            file.set_permissions(PermissionsExt::from_mode(mode))
                .unwrap();
        }
        symlink("late", at("c/link")).unwrap();
        symlink("nowhere", at("c/broken")).unwrap();
        let folders = [at("none"), at("a"), at("b"), at("c")];
        let path = std::env::join_paths(&folders).unwrap();
        for (name, expected) in [
            ("tool", Some("c/tool")),
            ("late", Some("c/late")),
            ("link", Some("c/link")),
            ("broken", None),
            ("missing", None),
            ("", None),
        ] {
            assert_eq!(find(name.as_ref(), &path), expected.map(at), "{name}");
        }
        for (file, is_found) in [("c/tool", true), ("a/tool", false), ("c", false)] {
            let found = find(at(file).as_os_str(), "".as_ref());
            assert_eq!(found, is_found.then(|| at(file)), "{file}");
        }
    }

    #[test]
    fn relative_folders_are_passed_over() {
        // More steps up than there are: a relative path to the root.
        let path = "../".repeat(99) + "bin:.::/bin";
        assert_eq!(find("sh".as_ref(), path.as_ref()), Some("/bin/sh".into()));
    }
}
