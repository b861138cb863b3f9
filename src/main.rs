//! Parse, run, exit.

fn main() -> std::process::ExitCode {
    govctl::cli::main()
}
