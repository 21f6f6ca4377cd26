//! The `twostep` command.

fn main() -> std::process::ExitCode {
    twostep::cli::main()
}
