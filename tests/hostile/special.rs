//! What is no plain file.

use super::{Case, FULL, Fate, LINK, Row, SPECIAL, User};

/// Each with the script that makes it, and what is to become of the paths.
const ROWS: &[Row] = &[
    ("fifo", "mkfifo pipe", &[("pipe", SPECIAL)]),
    (
        "fifos",
        "for n in 1 2 3 4 5; do mkfifo p$n; done",
        &[
            ("p1", SPECIAL),
            ("p2", SPECIAL),
            ("p3", SPECIAL),
            ("p4", SPECIAL),
            ("p5", SPECIAL),
        ],
    ),
    (
        "fifo-with-a-hostile-name",
        "mkfifo \"$(printf 'a\\033[31m')\"",
        &[("a\u{1b}[31m", SPECIAL)],
    ),
    (
        "link-to-file",
        "put a; ln -s a link",
        &[("a", FULL), ("link", LINK)],
    ),
    (
        "link-to-folder",
        "put d/a; ln -s d link",
        &[("d/a", FULL), ("link", LINK)],
    ),
    (
        "link-to-outside",
        "ln -s ../outside/secret-name.txt link",
        &[("link", LINK)],
    ),
    (
        "link-to-folder-outside",
        "ln -s ../outside link",
        &[("link", LINK)],
    ),
    (
        "link-in-the-middle",
        "put d/a; ln -s ../../outside d/link; ln -s d e",
        &[("d/a", FULL), ("d/link", LINK), ("e", LINK)],
    ),
    (
        "link-to-passwd",
        "ln -s /etc/passwd link",
        &[("link", LINK)],
    ),
    (
        "link-to-environ",
        "ln -s /proc/self/environ link; ln -s /proc/self/fd fds",
        &[("link", LINK), ("fds", LINK)],
    ),
    ("link-to-kmsg", "ln -s /proc/kmsg link", &[("link", LINK)]),
    (
        "link-to-zero",
        "ln -s /dev/zero link; ln -s /dev/tty tty",
        &[("link", LINK), ("tty", LINK)],
    ),
    (
        "link-to-fifo",
        "mkfifo pipe; ln -s pipe link",
        &[("pipe", SPECIAL), ("link", LINK)],
    ),
    ("link-dangling", "ln -s nowhere link", &[("link", LINK)]),
    ("link-to-itself", "ln -s link link", &[("link", LINK)]),
    (
        "links-in-a-circle",
        "ln -s b a; ln -s a b",
        &[("a", LINK), ("b", LINK)],
    ),
    (
        "link-to-above",
        "mkdir d; ln -s .. d/up; ln -s . here",
        &[("d/up", LINK), ("here", LINK)],
    ),
    (
        "link-with-a-hostile-target",
        "ln -s \"$(printf '\\033[31m\"/><file path=\\302\\233\\n')\" link",
        &[("link", LINK)],
    ),
    (
        "sparse-10-gb",
        "truncate -s 10G sparse",
        &[("sparse", Fate::Listed("large"))],
    ),
    (
        "sparse-as-ignore-file",
        "truncate -s 10G .gitignore; mkdir d; truncate -s 10G d/.twostepignore; put a",
        &[
            (".gitignore", Fate::Listed("large")),
            ("d/.twostepignore", Fate::Listed("large")),
            ("a", FULL),
        ],
    ),
    (
        "hard-link",
        "put a; ln a b; mkdir d; ln a d/c",
        &[("a", FULL), ("b", FULL), ("d/c", FULL)],
    ),
    ("empty-folder", "mkdir -p a/b/c", &[]),
    (
        "executable",
        "put a; chmod 755 a; put b; chmod 4711 b",
        &[("a", FULL), ("b", FULL)],
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = ROWS
        .iter()
        .map(|(name, script, rows)| Case::script(format!("special/{name}"), *script).rows(rows))
        .collect();
    let socket = |tree: &super::Tree| {
        std::os::unix::net::UnixListener::bind(tree.root().join("socket")).unwrap();
    };
    cases.push(Case::new("special/socket", socket).row("socket", SPECIAL));
    for (name, kind) in [("character-device", "c 1 5"), ("block-device", "b 7 0")] {
        let script = format!("mknod device {kind}");
        cases.push(Case {
            user: User::Root,
            ..Case::script(format!("special/{name}"), script).row("device", SPECIAL)
        });
    }
    let unreadable = Fate::Listed("unreadable");
    let refused = Fate::Told("Permission denied");
    for (name, script, rows) in [
        (
            "unreadable-file",
            "put a; chmod 000 a",
            &[("a", unreadable)][..],
        ),
        (
            "unreadable-folder",
            "put d/a; chmod 000 d; put e/b",
            &[("d", refused), ("e/b", FULL)],
        ),
        (
            "folder-that-only-lists",
            "put d/a; chmod 444 d",
            &[("d/a", unreadable)],
        ),
        (
            "folder-that-does-not-list",
            "put d/a; chmod 111 d",
            &[("d", refused)],
        ),
        (
            "unreadable-ignore-file",
            "put .gitignore 'x\\n'; chmod 000 .gitignore; put a",
            &[(".gitignore", unreadable), ("a", FULL)],
        ),
    ] {
        cases.push(Case {
            user: User::Unprivileged,
            ..Case::script(format!("special/{name}"), script).rows(rows)
        });
    }
    cases
}
