//! What a confined program can still do. Each line is also run unconfined, where all of it works.

use twostep::process::{Confinement, End, Ended};

use crate::process::Scene;

/// Runs `script` beside two folders `in` and `out` with one file each; `in` and `one` may be written to if confined.
fn run(script: &str, confined: bool) -> (Scene, Ended) {
    let scene = Scene::new();
    for folder in ["in", "out", "out/folder"] {
        std::fs::create_dir(scene.path(folder)).unwrap();
    }
    for file in ["in/old", "out/old", "one"] {
        std::fs::write(scene.path(file), "old").unwrap();
    }
    let mut command = scene.sh(script);
    let writable = ["in", "one", "missing"].map(|name| scene.path(name));
    command.writable = confined.then(|| writable.to_vec());
    let ended = scene.run(&command);
    (scene, ended)
}

/// Says whether the kernel confines; if it does not, it must be told.
fn kernel_confines() -> bool {
    match run("exit 0", true).1.confined {
        Confinement::Full => true,
        Confinement::None(reason) => {
            assert!(!reason.is_empty());
            false
        }
        other => panic!("{other:?}: this kernel is too old for these tests"),
    }
}

#[test]
fn a_confined_program_writes_only_where_it_may() {
    if !kernel_confines() {
        return;
    }
    for (script, works) in [
        (
            "echo x > in/new && echo x >> in/old && truncate -s 0 in/old",
            true,
        ),
        (
            "mkdir -p in/a/b && mv in/old in/a/b/new && rm -r in/a",
            true,
        ),
        (
            "ln -s x in/link && mkfifo in/pipe && ln in/old in/hard",
            true,
        ),
        // `mv` would copy what cannot be moved; a name in another folder cannot be copied.
        ("mkdir in/a && ln in/old in/a/hard", true),
        ("echo x > one && echo x >> one", true),
        (
            "cat out/old one > in/copy && [ \"$(cat in/copy)\" = oldold ]",
            true,
        ),
        (
            "echo x > /dev/null && echo x > /dev/stdout && echo x > /dev/stderr",
            true,
        ),
        ("file=$(mktemp -p /dev/shm) && rm \"$file\"", true),
        ("setsid sh -c 'echo x > in/new'", true),
        ("echo x > out/new", false),
        ("echo x > out/old", false),
        ("echo x >> out/old", false),
        ("truncate -s 0 out/old", false),
        ("rm out/old", false),
        ("rm one", false),
        ("mv out/old in/new", false),
        ("mv in/old out/old", false),
        ("mv out/old out/new", false),
        ("ln in/old out/hard", false),
        ("ln out/old in/hard && echo x > in/hard", false),
        ("ln -s ../out/old in/link && echo x > in/link", false),
        ("ln -s x out/link", false),
        ("mkdir out/new", false),
        ("rmdir out/folder", false),
        ("mkfifo out/pipe", false),
        ("echo x > in/../out/new", false),
        ("cd out && echo x > new", false),
        ("mkdir missing", false),
        ("sh -c 'setsid sh -c \"echo x > out/new\"'", false),
        (
            "(sh -c 'echo x > out/new'; echo $? > in/code) & wait; [ \"$(cat in/code)\" = 0 ]",
            false,
        ),
    ] {
        let (_, free) = run(script, false);
        assert_eq!(free.end, End::Exited(0), "unconfined: {script}");
        assert_eq!(free.confined, Confinement::NotAsked);
        let (scene, held) = run(script, true);
        let stderr = scene.text("stderr");
        assert_eq!(held.end == End::Exited(0), works, "{script}: {stderr}");
        assert_eq!(held.confined, Confinement::Full);
        let mut names: Vec<_> = scene
            .path("out")
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(
            (names, scene.text("out/old")),
            (vec!["folder".into(), "old".into()], "old".to_owned()),
            "{script}"
        );
    }
}

#[test]
fn a_refusal_is_a_lack_of_permission() {
    if !kernel_confines() {
        return;
    }
    let (scene, _) = run("echo x > out/new", true);
    let stderr = scene.text("stderr");
    assert!(stderr.contains("Permission denied"), "{stderr}");
}

#[test]
fn a_confined_program_makes_no_node_of_a_disk() {
    if kernel_confines() {
        let (scene, ended) = run("mknod in/disk b 7 99", true);
        assert!(ended.end != End::Exited(0) && !scene.path("in/disk").exists());
    }
}

/// Says whether the kernel can keep signals within what is confined: from 6.12 on.
fn kernel_keeps_signals_in() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    kernel_confines() && (numbers.next(), numbers.next()) >= (Some(6), Some(12))
}

#[test]
fn a_confined_program_signals_nobody_outside() {
    if !kernel_keeps_signals_in() {
        return;
    }
    let us = std::process::id();
    for (script, works) in [
        (format!("kill -0 {us}"), false),
        ("kill -0 $PPID".to_owned(), true),
        (
            "sleep 300 & kill $!; wait $!; [ $? = 143 ]".to_owned(),
            true,
        ),
    ] {
        assert_eq!(run(&script, false).1.end, End::Exited(0), "{script}");
        let (_, held) = run(&script, true);
        assert_eq!(held.end == End::Exited(0), works, "{script}");
        assert_eq!(held.confined, Confinement::Full);
    }
}
