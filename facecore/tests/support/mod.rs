//! Running the command, and reading what it says.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use facecore_testkit::TestData;
use serde_json::Value;

/// Real models and photographs, unless the test needs none, and a folder for one test's files.
pub struct Scene {
    data: Option<TestData>,
    folder: PathBuf,
}

/// A command line being put together.
#[must_use]
pub struct Call(Command);

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// What it printed with `--json`.
    pub lines: Vec<Value>,
}

impl Scene {
    /// `None`, after saying that `what` is skipped, where there is no test data.
    pub fn or_skip(what: &str) -> Option<Scene> {
        let data = TestData::or_skip(&format!("command line: {what}"))?;
        let mut scene = Scene::without_data(what);
        scene.data = Some(data);
        Some(scene)
    }

    /// For what the built-in models and the repository's own pictures are enough.
    pub fn without_data(what: &str) -> Scene {
        let name: String = what.chars().filter(char::is_ascii_alphanumeric).collect();
        let folder = std::env::temp_dir().join(format!("facecore-cli-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Scene { data: None, folder }
    }

    fn data(&self) -> &TestData {
        self.data.as_ref().expect("a scene with data")
    }

    /// A photograph.
    pub fn image(&self, name: &str) -> String {
        self.data().image(name).to_str().unwrap().to_string()
    }

    /// A picture of the repository, which shows nobody.
    pub fn picture(&self, name: &str) -> String {
        format!("{}/../tests/data/images/{name}", env!("CARGO_MANIFEST_DIR"))
    }

    /// A model, by its name without `.onnx`.
    pub fn model(&self, name: &str) -> PathBuf {
        self.data().model(name)
    }

    /// The folder of photographs.
    pub fn images(&self) -> PathBuf {
        self.data().image("obama.jpg").parent().unwrap().to_path_buf()
    }

    /// A file of this test.
    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_string()
    }

    /// A folder of five people with seven photos: files, and a folder with several.
    pub fn people(&self) -> String {
        let people = self.folder.join("people");
        let copy = |photo: &str, to: &str| {
            let to = people.join(to);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(self.data().image(photo), to).unwrap();
        };
        for name in ["obama.jpg", "biden.jpg", "lin-manuel-miranda.png"] {
            copy(name, name);
        }
        copy("alex-lacamoire.png", "alex-lacamoire/1.png");
        copy("train_alex_lacamoire_img1.jpg", "alex-lacamoire/2.jpg");
        copy("train_rose_leslie_img1.jpg", "rose leslie/1.jpg");
        copy("train_rose_leslie_img2.jpg", "rose leslie/2.jpg");
        people.to_str().unwrap().to_string()
    }

    /// The command without models.
    pub fn command(&self, name: &str) -> Call {
        let mut command = Command::new(env!("CARGO_BIN_EXE_facecore"));
        command.arg(name).current_dir(&self.folder).env_remove("RUST_LOG").env_remove("FACECORE_PACK");
        Call(command)
    }

    /// The command with a detector and an embedder.
    pub fn models(&self, name: &str) -> Call {
        self.with_models(self.command(name))
    }

    /// A command put together so far, with a detector and an embedder.
    pub fn with_models(&self, call: Call) -> Call {
        let (detector, embedder) = (self.model("yunet_n_dynamic"), self.model("mobilefacenet_128"));
        call.arg("--detector").arg(detector).arg("--embedder").arg(embedder)
    }

    /// Whether this machine has no CUDA provider, as the doctor says.
    pub fn cuda_is_missing(&self) -> bool {
        let ran = self.command("doctor").json();
        let providers = ran.ok()[0]["providers"].as_array().unwrap().clone();
        !providers.iter().any(|provider| provider["name"] == "CUDA" && provider["available"] == true)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

impl Call {
    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.arg(arg);
        self
    }

    pub fn args<A: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.0.args(args);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn run(mut self) -> Ran {
        let output = self.0.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().expect("it ended by itself");
        let ran = Ran { code, stdout: text(output.stdout), stderr: text(output.stderr), lines: Vec::new() };
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
        ran
    }

    /// Runs it with `--json`. Every line must be an object without null where a number belongs.
    pub fn json(self) -> Ran {
        let mut ran = self.arg("--json").run();
        ran.lines = ran.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        ran
    }

    /// Runs it with a standard output that nobody reads.
    #[cfg(unix)]
    pub fn into_closed_pipe(mut self) -> Ran {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let child = self.0.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        Ran { code: output.status.code().unwrap(), stdout: String::new(), stderr, lines: Vec::new() }
    }
}

impl Ran {
    /// The objects printed, if all went well.
    pub fn ok(&self) -> &[Value] {
        assert!(self.code == 0 && !self.lines.is_empty(), "{self:?}");
        &self.lines
    }
}

/// Exactly these fields, in any order.
pub fn fields(object: &Value, names: &[&str]) {
    let mut found: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut names = names.to_vec();
    found.sort_unstable();
    names.sort_unstable();
    assert_eq!(found, names, "{object}");
}

pub fn floats(array: &Value) -> Vec<f64> {
    array.as_array().unwrap().iter().map(|value| value.as_f64().expect("a number")).collect()
}

/// Code and kind of each photo that failed.
pub fn error_codes(ran: &Ran) -> Vec<(i64, &str)> {
    let errors = ran.lines.iter().filter_map(|line| line.get("error"));
    let fields = errors.map(|error| (error["code"].as_i64().unwrap(), error["kind"].as_str().unwrap()));
    fields.collect()
}
