//! The `facecore` command: the library's functions on files and folders, for people and for scripts.
//!
//! `docs/command-line.md` describes the machine-readable output.

mod args;
mod bench;
mod compare;
mod detect;
mod doctor;
mod draw;
mod embed;
mod enrol;
mod evaluate;
mod gallery;
mod hardware;
mod identify;
mod models;
mod output;
mod packs;
mod pairs;
mod photos;
mod records;
mod stages;
mod verification;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use facecore::Result;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

use args::OutputArgs;
use output::Output;

const EXIT_CODES: &str = "\
Exit codes:
  0  everything was done (also where no face or nobody known was found)
  1  something failed; a bad photo does not stop the others
  2  the command line was not understood

Models are named by --pack, a folder with pack.toml or the name of an installed pack (`facecore
models list`), or by --detector and --embedder. Where nothing is named, the environment variable
FACECORE_PACK names the pack, else the built-in one serves, which is for research and evaluation.
`facecore COMMAND --help` has examples; `facecore doctor` says what runs where.";

/// Face recognition: find faces, compare them, and tell whom they belong to.
#[derive(Parser)]
#[command(name = "facecore", version, about, after_help = EXIT_CODES, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Detect(detect::Args),
    Embed(embed::Args),
    Compare(compare::Args),
    Enrol(enrol::Args),
    Identify(identify::Args),
    Gallery(gallery::Args),
    Models(packs::Args),
    Evaluate(evaluate::Args),
    Doctor(doctor::Args),
    Bench(bench::Args),
}

impl Command {
    /// How to answer, and on how many threads.
    fn general(&self) -> (&OutputArgs, Option<u16>) {
        match self {
            Command::Detect(args) => args.common.general(),
            Command::Embed(args) => args.common.general(),
            Command::Compare(args) => args.common.general(),
            Command::Enrol(args) => args.common.general(),
            Command::Identify(args) => args.common.general(),
            Command::Gallery(args) => args.general(),
            Command::Models(args) => args.general(),
            Command::Evaluate(args) => args.common.general(),
            Command::Doctor(args) => args.common.general(),
            Command::Bench(args) => args.common.general(),
        }
    }

    fn run(&self, output: &mut Output) -> Result<()> {
        match self {
            Command::Detect(args) => detect::run(args, output),
            Command::Embed(args) => embed::run(args, output),
            Command::Compare(args) => compare::run(args, output),
            Command::Enrol(args) => enrol::run(args, output),
            Command::Identify(args) => identify::run(args, output),
            Command::Gallery(args) => args.run(output),
            Command::Models(args) => args.run(output),
            Command::Evaluate(args) => evaluate::run(args, output),
            Command::Doctor(args) => doctor::run(args, output),
            Command::Bench(args) => bench::run(args, output),
        }
    }
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let (answer, threads) = command.general();
    show_traces(answer.verbose);
    if let Some(threads) = threads {
        // Searches use the process's common pool. Nothing has started it yet, so this cannot fail.
        rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global().unwrap_or_default();
    }
    let mut output = Output::new(answer.json);
    match command.run(&mut output) {
        Ok(()) => output.exit_code(),
        // Whoever read the output has enough: `facecore … | head` is no failure.
        Err(_) if output.reader_is_gone() => output.exit_code(),
        Err(error) => {
            output.complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Sends the library's events, and each stage's span with the time it took, to standard error.
fn show_traces(verbose: u8) {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|filter| !filter.is_empty());
    let filter = match (from_environment, verbose) {
        (Some(filter), _) => EnvFilter::new(filter),
        (None, 0) => return,
        (None, 1) => EnvFilter::new("facecore=debug"),
        (None, _) => EnvFilter::new("facecore=trace"),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::CLOSE)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}

/// Ends with the exit code of a misunderstood command line, for what clap cannot check by itself.
fn usage_error(message: &str) -> ! {
    use clap::CommandFactory as _;
    Cli::command().error(clap::error::ErrorKind::ValueValidation, message).exit()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        super::Cli::command().debug_assert();
    }
}
