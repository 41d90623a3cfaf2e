//! `facecore models`: packs by name.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use facecore::model::{LicenceClass, licence_in_words};
use facecore::packs::{
    InstallOptions, InstalledPack, KnownPack, ListedPack, Network, PackState, Packs, Progress, Stage,
};
use facecore::{Error, PackPolicy, Result};
use indicatif::ProgressBar;

use crate::args::OutputArgs;
use crate::output::{Output, bytes_in_words};
use crate::records::{InstalledRecord, ListedRecord, RemovedRecord};

const EXAMPLES: &str = "\
Examples:
  facecore models list
  facecore models pull opencv
  facecore models pull buffalo_l --accept-license
  facecore models import buffalo_l.zip        on a machine without a network
  facecore models import ~/.insightface/models/buffalo_l
  facecore models verify buffalo_l
  facecore detect photo.jpg --pack buffalo_l

Packs are kept in the folder that FACECORE_CACHE names, else in $XDG_CACHE_HOME/facecore, else in
~/.cache/facecore. Proxies are those of the environment (HTTPS_PROXY, NO_PROXY); SSL_CERT_FILE names
certificate authorities in place of the usual ones.";

/// Install packs of models by name, and see which there are
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(List),
    Pull(Pull),
    Import(Import),
    Verify(Verify),
    Remove(Remove),
}

/// Show which packs there are: installed, known by name, and within the program
#[derive(clap::Args)]
struct List {
    #[command(flatten)]
    common: Common,
}

/// Download packs, test them and install them
#[derive(clap::Args)]
struct Pull {
    /// Which packs
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    consent: Consent,
    /// Ask this address first, `https://HOST/FOLDER` with the files under their own names; may be repeated
    #[arg(long = "mirror", value_name = "URL")]
    mirrors: Vec<String>,
    /// Ask the mirrors only
    #[arg(long, requires = "mirrors")]
    mirrors_only: bool,
    #[command(flatten)]
    common: Common,
}

/// Install a pack from a folder or a zip archive, without a network
#[derive(clap::Args)]
struct Import {
    /// A folder or an archive: one with pack.toml, or with files as insightface and OpenCV name them
    #[arg(value_name = "FOLDER|ZIP")]
    from: PathBuf,
    /// Which pack it is, or under which name a pack with pack.toml is kept
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    common: Common,
}

/// Read installed packs, hold them to their checksums, and run their self-test
#[derive(clap::Args)]
struct Verify {
    /// Which packs [default: all that are installed]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    #[command(flatten)]
    common: Common,
}

/// Remove installed packs, and what interrupted downloads left
#[derive(clap::Args)]
struct Remove {
    /// Which packs
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(clap::Args)]
struct Common {
    /// Where packs are kept, in place of the usual folder
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(clap::Args)]
struct Consent {
    /// You have read the licence and keep to it; without it, a terminal is asked
    #[arg(long, alias = "accept-licence")]
    accept_license: bool,
    /// Take only packs that allow commercial use
    #[arg(long)]
    commercial: bool,
}

impl Args {
    /// How to answer, and on how many threads.
    pub fn general(&self) -> (&OutputArgs, Option<u16>) {
        let common = match &self.command {
            Command::List(args) => &args.common,
            Command::Pull(args) => &args.common,
            Command::Import(args) => &args.common,
            Command::Verify(args) => &args.common,
            Command::Remove(args) => &args.common,
        };
        (&common.output, None)
    }

    pub fn run(&self, output: &mut Output) -> Result<()> {
        match &self.command {
            Command::List(args) => args.run(output),
            Command::Pull(args) => args.run(output),
            Command::Import(args) => args.run(output),
            Command::Verify(args) => args.run(output),
            Command::Remove(args) => args.run(output),
        }
    }
}

impl Common {
    fn packs(&self) -> Result<Packs> {
        match &self.cache {
            Some(folder) => Ok(Packs::at(folder)),
            None => Packs::of_user(),
        }
    }
}

impl Consent {
    fn packs(&self, common: &Common) -> Result<Packs> {
        let policy = if self.commercial { PackPolicy::Commercial } else { PackPolicy::Any };
        Ok(common.packs()?.with_policy(policy))
    }

    /// Shows the licence, and asks whoever sits at the terminal, unless it was accepted before. What it leaves open the
    /// library refuses, with the remedy.
    fn to(&self, pack: &str, licence: &str, class: LicenceClass, output: &Output) -> bool {
        output.note(format!("the licence of {pack}: {} ({})", licence_in_words(licence), class.name()));
        if self.accept_license {
            return true;
        }
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return false;
        }
        let mut answer = String::new();
        let asked = write!(std::io::stderr(), "facecore: do you keep to it? [y/N] ");
        asked.and_then(|()| std::io::stdin().lock().read_line(&mut answer)).is_ok()
            && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
    }
}

impl List {
    fn run(&self, output: &mut Output) -> Result<()> {
        for pack in self.common.packs()?.list()? {
            if output.json() {
                output.object(&ListedRecord::from(&pack))?;
            } else {
                output.line(in_words(&pack))?;
            }
        }
        Ok(())
    }
}

impl Pull {
    fn run(&self, output: &mut Output) -> Result<()> {
        let packs = self.consent.packs(&self.common)?;
        let network = Network { mirrors: self.mirrors.clone(), mirrors_only: self.mirrors_only, ..Network::default() };
        network.check()?;
        for name in &self.names {
            // One that is there already, or that nobody knows, has no licence to agree to.
            let known = KnownPack::named(name).filter(|_| !matches!(packs.installed(name), Ok(Some(_))));
            let agreed = known.is_none_or(|known| {
                !packs.policy().permits(known.licence_class)
                    || self.consent.to(name, known.licence, known.licence_class, output)
            });
            let options =
                InstallOptions { accept_licence: agreed, network: network.clone(), ..InstallOptions::default() };
            let pulled = watched(output, |listener| packs.pull(name, &options, listener));
            say(output, pulled, "installed")?;
        }
        Ok(())
    }
}

impl Import {
    fn run(&self, output: &mut Output) -> Result<()> {
        let packs = self.consent.packs(&self.common)?;
        let name = self.name.as_deref();
        let found = packs.find_in(&self.from, name)?;
        let agreed = !packs.policy().permits(found.licence_class)
            || self.consent.to(&found.name, &found.licence, found.licence_class, output);
        let options = InstallOptions { accept_licence: agreed, ..InstallOptions::default() };
        let before = packs.installed(&found.name).unwrap_or_default();
        let imported = watched(output, |listener| packs.import(&self.from, name, &options, listener));
        let replaces = |new: &InstalledPack| {
            before.as_ref().is_some_and(|old| (&old.files, &old.licence) != (&new.files, &new.licence))
        };
        let what = if imported.as_ref().is_ok_and(replaces) { "installed in place of another" } else { "installed" };
        say(output, imported, what)
    }
}

impl Verify {
    fn run(&self, output: &mut Output) -> Result<()> {
        let packs = self.common.packs()?;
        let there = |pack: &ListedPack| matches!(pack.state, PackState::Installed | PackState::Damaged);
        let names = match &self.names[..] {
            [] => packs.list()?.into_iter().filter(there).map(|pack| pack.name).collect(),
            names => names.to_vec(),
        };
        if names.is_empty() && !output.json() {
            output.line(format!("no pack is installed in {}", packs.folder().display()))?;
        }
        for name in names {
            let options = InstallOptions::default();
            let verified = watched(output, |listener| packs.verify(&name, &options, listener));
            say(output, verified, "sound")?;
        }
        Ok(())
    }
}

impl Remove {
    fn run(&self, output: &mut Output) -> Result<()> {
        let packs = self.common.packs()?;
        for name in &self.names {
            match watched(output, |listener| packs.remove(name, listener)) {
                Ok(removed) if output.json() => output.object(&RemovedRecord::from(&removed))?,
                Ok(removed) => output.line(format!("{name}: removed, {}", bytes_in_words(removed.bytes)))?,
                Err(error) => fail(output, &error),
            }
        }
        Ok(())
    }
}

/// What became of a pack. One that fails does not stop the others.
fn say(output: &mut Output, pack: Result<InstalledPack>, what: &str) -> Result<()> {
    match pack {
        Ok(pack) if output.json() => output.object(&InstalledRecord::from(&pack)),
        Ok(pack) => {
            let InstalledPack { name, version, folder, licence, files, .. } = &pack;
            let mut text = format!("{name} {version}: {what}, in {}\n  licence   {licence}", folder.display());
            for file in files {
                let part = file.part.name();
                let (size, how) = (bytes_in_words(file.bytes), file.checksum.name());
                text += &format!("\n  {part}  {}, {size}, SHA-256 {} ({how})", file.name, file.sha256);
            }
            output.line(text)
        }
        Err(error) => {
            fail(output, &error);
            Ok(())
        }
    }
}

fn fail(output: &mut Output, error: &Error) {
    output.fail();
    output.complain(error);
}

/// Runs something with a bar that shows how far it is, if somebody is watching.
fn watched<T>(
    output: &mut Output,
    work: impl FnOnce(&mut dyn FnMut(&Progress) -> ControlFlow<()>) -> Result<T>,
) -> Result<T> {
    let bar = output.bytes_progress();
    let mut shown: Option<(Stage, String)> = None;
    let done = work(&mut |progress| {
        if shown.as_ref().is_none_or(|(stage, file)| *stage != progress.stage || file != progress.file) {
            shown = Some((progress.stage, progress.file.to_owned()));
            begin(&bar, progress);
            // Where nobody sees a bar, a log must tell what takes its time.
            if bar.is_hidden() && matches!(progress.stage, Stage::Waiting | Stage::Downloading) {
                output.note(in_progress(progress));
            }
        }
        if let Some(total) = progress.total {
            bar.set_length(total);
        }
        bar.set_position(progress.done);
        ControlFlow::Continue(())
    });
    output.progress_done();
    done
}

fn begin(bar: &ProgressBar, progress: &Progress) {
    match progress.total {
        Some(total) => bar.set_length(total),
        None => bar.unset_length(),
    }
    bar.set_message(in_progress(progress));
    bar.reset_eta();
}

fn in_progress(progress: &Progress) -> String {
    let file = Path::new(progress.file).file_name().unwrap_or_default().to_string_lossy();
    match progress.stage {
        Stage::Waiting => format!("waiting for another process that works at {file}"),
        stage => format!("{} {file}", stage.name()),
    }
}

fn in_words(pack: &ListedPack) -> String {
    let state = match pack.state {
        PackState::Available => {
            let size = bytes_in_words(pack.download_bytes.unwrap_or_default());
            format!("not installed; facecore models pull {} ({size})", pack.name)
        }
        PackState::Damaged if pack.download_bytes.is_some() => format!("damaged; facecore models pull {}", pack.name),
        PackState::Damaged => format!("damaged; facecore models remove {}, and import it again", pack.name),
        PackState::Embedded => "embedded: part of the program".to_owned(),
        _ => "installed".to_owned(),
    };
    let mut lines = vec![format!("{} {}: {state}", pack.name, pack.version)];
    lines.extend(pack.about.map(|about| format!("  about     {about}")));
    lines.push(format!("  licence   {} ({})", pack.licence, pack.licence_class.name()));
    for file in &pack.files {
        let size = file.bytes.map(|bytes| format!(", {}", bytes_in_words(bytes))).unwrap_or_default();
        let known = match (&file.sha256, file.checksum) {
            (Some(sha256), Some(how)) => format!("SHA-256 {sha256} ({})", how.name()),
            _ => "SHA-256 recorded when it is installed".to_owned(),
        };
        lines.push(format!("  {}  {}{size}, {known}", file.part.name(), file.name));
    }
    lines.extend(pack.folder.as_ref().map(|folder| format!("  folder    {}", folder.display())));
    match &pack.origin {
        Some(origin) => lines.push(format!("  from      {origin}")),
        None => lines.extend(pack.sources.iter().map(|source| format!("  from      {source}"))),
    }
    if pack.unfinished_bytes > 0 {
        lines.push(format!("  begun     {} of a download", bytes_in_words(pack.unfinished_bytes)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_in_words_says_what_to_do() {
        let packs = Packs::at(std::env::temp_dir().join("facecore-no-such-cache"));
        let texts: Vec<String> = packs.list().unwrap().iter().map(in_words).collect();
        assert!(texts[0].starts_with("lite 1.0: embedded"), "{}", texts[0]);
        let buffalo = texts.iter().find(|text| text.starts_with("buffalo_l")).unwrap();
        assert!(buffalo.contains("facecore models pull buffalo_l (288.6 MB)"), "{buffalo}");
        assert!(buffalo.contains("recorded when it is installed"), "{buffalo}");
    }
}
