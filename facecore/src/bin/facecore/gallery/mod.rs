//! `facecore gallery`: looking after a gallery.

mod exchange;
mod health;
mod people;
mod search;

use std::path::Path;

use clap::Subcommand;
use facecore::gallery::GalleryOptions;
use facecore::{Gallery, Namespace, Result};

use crate::args::OutputArgs;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  facecore gallery list office
  facecore gallery show office ada
  facecore gallery merge office ada-2 ada
  facecore gallery search office probe.jpg --exact
  facecore gallery remove office ada && facecore gallery compact office
  facecore gallery backup office /backup/office-2026-11-22
  facecore gallery export office office.npz && facecore gallery import office-2 office.npz

One process at a time may change a gallery; any number may read it while none does.";

/// Look after a gallery: who is in it, whether it is sound, what it takes up
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Create(people::Create),
    List(people::List),
    Show(people::Show),
    Rename(people::Rename),
    Merge(people::Merge),
    Remove(people::Remove),
    Search(Box<search::Args>),
    Verify(health::Verify),
    Compact(health::Compact),
    Backup(health::Backup),
    Stats(health::Stats),
    Export(exchange::Export),
    Import(exchange::Import),
}

impl Args {
    /// How to answer, and on how many threads.
    pub fn general(&self) -> (&OutputArgs, Option<u16>) {
        let output = match &self.command {
            Command::Create(args) => &args.output,
            Command::List(args) => &args.output,
            Command::Show(args) => &args.output,
            Command::Rename(args) => &args.output,
            Command::Merge(args) => &args.output,
            Command::Remove(args) => &args.output,
            Command::Search(args) => return args.common.general(),
            Command::Verify(args) => &args.output,
            Command::Compact(args) => &args.output,
            Command::Backup(args) => &args.output,
            Command::Stats(args) => &args.output,
            Command::Export(args) => &args.output,
            Command::Import(args) => &args.output,
        };
        (output, None)
    }

    pub fn run(&self, output: &mut Output) -> Result<()> {
        match &self.command {
            Command::Create(args) => args.run(output),
            Command::List(args) => args.run(output),
            Command::Show(args) => args.run(output),
            Command::Rename(args) => args.run(output),
            Command::Merge(args) => args.run(output),
            Command::Remove(args) => args.run(output),
            Command::Search(args) => args.run(output),
            Command::Verify(args) => args.run(output),
            Command::Compact(args) => args.run(output),
            Command::Backup(args) => args.run(output),
            Command::Stats(args) => args.run(output),
            Command::Export(args) => args.run(output),
            Command::Import(args) => args.run(output),
        }
    }
}

/// A gallery that is there, to be read.
pub fn open_to_read(folder: &Path) -> Result<Gallery> {
    Gallery::open_with(folder, &GalleryOptions::default().read_only(true))
}

/// A gallery that is there, to be changed.
fn open_to_change(folder: &Path) -> Result<Gallery> {
    Gallery::open_with(folder, &GalleryOptions::default().create(false))
}

fn namespace_to_change(folder: &Path, namespace: &str) -> Result<Namespace> {
    open_to_change(folder)?.existing_namespace(namespace)
}
