//! Giving up the right to write but in some places, and to send signals to who is not confined with us, by Landlock. It
//! holds for whatever is started afterwards.

use std::ffi::OsString;

use super::Confinement;

/// What any program may write to: what keeps nothing, shared memory. No terminal: its user may sit at it.
#[cfg(target_os = "linux")]
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/shm"];

/// Confines this thread, and what it starts from now on, to writing in `paths`; those that are missing are left out.
#[cfg(target_os = "linux")]
pub(super) fn confine<'a>(paths: impl Iterator<Item = &'a OsString>) -> Confinement {
    use landlock::RulesetStatus;

    // Only newer kernels can; without it what is written is bound all the same.
    let _ = keep_signals_in();
    match restrict(paths) {
        Ok(RulesetStatus::FullyEnforced) => Confinement::Full,
        Ok(RulesetStatus::PartiallyEnforced) => Confinement::Partial(
            "this kernel's Landlock is older than 6.2 and lets files be cut off anywhere"
                .to_owned(),
        ),
        Ok(RulesetStatus::NotEnforced) => {
            Confinement::None("this kernel has no Landlock, or it is switched off".to_owned())
        }
        Err(error) => Confinement::None(format!("Landlock failed: {error}")),
    }
}

/// Has this thread, and what it starts from now on, send signals to nobody outside.
#[cfg(target_os = "linux")]
fn keep_signals_in() -> Result<landlock::RestrictionStatus, landlock::RulesetError> {
    use landlock::{AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, Scope, path_beneath_rules};

    // Each set of rules denies moves between folders unless it grants them: the other says where they may be.
    Ruleset::default()
        .handle_access(AccessFs::Refer)?
        .scope(Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(["/"], AccessFs::Refer))?
        .restrict_self()
}

/// Outside Linux nothing is given up.
#[cfg(not(target_os = "linux"))]
pub(super) fn confine<'a>(_paths: impl Iterator<Item = &'a OsString>) -> Confinement {
    Confinement::None("only Linux has Landlock".to_owned())
}

#[cfg(target_os = "linux")]
fn restrict<'a>(
    paths: impl Iterator<Item = &'a OsString>,
) -> Result<landlock::RulesetStatus, landlock::RulesetError> {
    use landlock::{ABI, AccessFs, Ruleset, RulesetAttr, RulesetCreatedAttr, path_beneath_rules};

    // The third version has all rights to write; later ones add devices, sockets and the network.
    let handled = AccessFs::from_write(ABI::V3);
    // Whoever makes the node of a disk writes past every rule.
    let granted = handled & !(AccessFs::MakeBlock | AccessFs::MakeChar);
    let status = Ruleset::default()
        .handle_access(handled)?
        .create()?
        .add_rules(path_beneath_rules(paths, granted))?
        .add_rules(path_beneath_rules(DEVICES, granted))?
        .restrict_self()?;
    Ok(status.ruleset)
}
