//! What a command says: results on standard output, complaints on standard error.

use std::io::{ErrorKind as IoErrorKind, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use facecore::gallery::{Progress, Step};
use facecore::{Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::records::{ErrorRecord, PhotoError};

/// Where results and complaints go; remembers whether anything failed.
pub struct Output {
    json: bool,
    failed: bool,
    reader_is_gone: bool,
    bar: ProgressBar,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Output { json, failed: false, reader_is_gone: false, bar: ProgressBar::hidden() }
    }

    /// Whether results are for programs.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Lets the process end with exit code 1, while it goes on with its work.
    pub fn fail(&mut self) {
        self.failed = true;
    }

    pub fn exit_code(&self) -> ExitCode {
        if self.failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }

    /// Whether a write failed because the reading end of the pipe is closed.
    pub fn reader_is_gone(&self) -> bool {
        self.reader_is_gone
    }

    /// Shows from now on how many of `total` photos are done, if somebody is watching. It moves by
    /// [`ProgressBar::inc`] on what is returned, from any thread.
    pub fn progress(&mut self, total: usize) -> ProgressBar {
        if total < 2 {
            return self.bar.clone();
        }
        self.show_bar(total as u64, "  {bar:30} {pos}/{len} photos, {eta} left")
    }

    /// Shows from now on how far an export or import has come, if somebody is watching.
    pub fn steps(&mut self) -> impl Fn(Progress) -> Result<()> + use<> {
        let bar = self.show_bar(0, "  {bar:30} {percent} %, {msg}");
        move |progress| {
            bar.set_message(match progress.step {
                Step::Reading => "reading",
                Step::Storing => "storing",
                Step::Writing => "writing",
            });
            bar.set_length(progress.total.max(progress.done));
            bar.set_position(progress.done);
            Ok(())
        }
    }

    fn show_bar(&mut self, total: u64, template: &str) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return self.bar.clone();
        }
        self.bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.clone()
    }

    /// Shows from now on how far something is in bytes, if somebody is watching.
    pub fn bytes_progress(&mut self) -> ProgressBar {
        if self.json || !std::io::stderr().is_terminal() {
            return self.bar.clone();
        }
        self.bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let template = "  {spinner} {msg}  {decimal_bytes}/{decimal_total_bytes}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.clone()
    }

    /// Takes the progress bar away.
    pub fn progress_done(&mut self) {
        self.bar.finish_and_clear();
    }

    /// A line, or several, for people.
    pub fn line(&mut self, text: impl AsRef<str>) -> Result<()> {
        let text = text.as_ref();
        let written = self.bar.suspend(|| {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.write_all(b"\n")?;
            // Whoever follows a long run wants each photo when it is done.
            out.flush()
        });
        written.map_err(|error| {
            self.reader_is_gone |= error.kind() == IoErrorKind::BrokenPipe;
            Error::io(Path::new("standard output"), "write to", error)
        })
    }

    /// An object for programs, on a line of its own.
    pub fn object(&mut self, object: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(object).map_err(|error| {
            Error::new(facecore::ErrorKind::Internal, format!("a result has no JSON form: {error}")).with_source(error)
        })?;
        self.line(text)
    }

    /// A photo that failed while others go on.
    pub fn photo_failed(&mut self, image: &Path, error: &Error) -> Result<()> {
        self.fail();
        if self.json {
            return self.object(&PhotoError { image: image.to_string_lossy(), error: ErrorRecord::from(error) });
        }
        self.complain(error);
        Ok(())
    }

    /// An error in words, with its kind's number, on standard error.
    pub fn complain(&self, error: &Error) {
        self.note(ErrorRecord::from(error).to_string());
    }

    /// Something worth knowing, on standard error.
    pub fn note(&self, text: impl AsRef<str>) {
        // Nothing can be done about a standard error that is closed.
        self.bar.suspend(|| writeln!(std::io::stderr(), "facecore: {}", text.as_ref())).unwrap_or_default();
    }
}

/// `1.2 GB`, in powers of 1000.
pub fn bytes_in_words(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"];
    let power = (0..units.len() - 1).take_while(|power| bytes >= 1000u64.pow(*power as u32 + 1)).count();
    match power {
        0 => format!("{bytes} bytes"),
        _ => format!("{:.1} {}", bytes as f64 / 1000f64.powi(power as i32), units[power]),
    }
}

#[cfg(test)]
mod tests {
    use super::bytes_in_words;

    #[test]
    fn sizes_have_a_unit_that_fits() {
        let sizes = [0, 999, 1000, 1_250_000, 3_000_000_000_000_000];
        assert_eq!(sizes.map(bytes_in_words), ["0 bytes", "999 bytes", "1.0 kB", "1.2 MB", "3000.0 TB"]);
    }
}
