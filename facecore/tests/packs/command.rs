//! `facecore models`, as docs/command-line.md describes it, and packs by name in the other commands.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use facecore_testkit::server::{self, Server};
use serde_json::Value;

use super::{Place, buffalo_sc, detector, embedder};

fn facecore(place: &Place, args: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_facecore"));
    command.args(args).current_dir(&place.folder).env("FACECORE_CACHE", place.folder.join("cache"));
    command.env_remove("FACECORE_PACK").stdin(Stdio::null()).envs(environment.iter().copied());
    command.output().unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// A folder as insightface has it.
fn folder(place: &Place) -> String {
    place.write("home/buffalo_sc/det_500m.onnx", &detector());
    place.write("home/buffalo_sc/w600k_mbf.onnx", &embedder());
    place.folder.join("home/buffalo_sc").to_str().unwrap().to_owned()
}

#[test]
fn the_list_is_as_documented() {
    let place = Place::new();
    let output = facecore(&place, &["models", "list", "--json"], &[]);
    assert!(output.status.success() && !place.folder.join("cache").exists(), "{output:?}");
    let packs = lines(&output);
    let names: Vec<&str> = packs.iter().map(|pack| pack["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["lite", "opencv", "buffalo_l", "buffalo_s", "buffalo_sc", "antelopev2"]);
    for pack in &packs {
        let known = ["about", "archive_sha256", "download_bytes", "files", "folder", "installed", "licence"];
        let others = ["licence_class", "name", "origin", "sources", "state", "unfinished_bytes", "version"];
        assert_eq!(fields(pack), [known, others].concat());
        assert_eq!(fields(&pack["files"][0]), ["bytes", "checksum", "file", "kind", "part", "sha256"]);
    }
    assert_eq!(packs[0]["state"], "embedded");
    assert_eq!((&packs[1]["state"], &packs[1]["licence_class"]), (&"available".into(), &"permissive".into()));
    assert_eq!(packs[1]["files"][0]["checksum"], "pinned");
    assert_eq!((&packs[2]["files"][0]["sha256"], &packs[2]["download_bytes"]), (&Value::Null, &288_600_000.into()));
    let words = String::from_utf8(facecore(&place, &["models", "list"], &[]).stdout).unwrap();
    assert!(words.contains("buffalo_l 0.7: not installed; facecore models pull buffalo_l (288.6 MB)"), "{words}");
}

#[test]
fn without_a_terminal_the_licence_must_be_accepted() {
    let place = Place::new();
    let from = folder(&place);
    let refused = complaint(&facecore(&place, &["models", "import", &from], &[]));
    assert!(
        refused.contains("non-commercial research only") && refused.contains("(error 311, LicenceRefused)"),
        "{refused}"
    );
    assert!(refused.contains("--accept-license"), "{refused}");
    let forbidden = ["models", "import", &from, "--accept-license", "--commercial"];
    let forbidden = complaint(&facecore(&place, &forbidden, &[]));
    assert!(forbidden.contains("commercial use") && forbidden.contains("LicenceRefused"), "{forbidden}");
    assert!(place.files().is_empty());
    let pull = ["models", "pull", "opencv", "--mirrors-only", "--mirror", "http://127.0.0.1:9"];
    assert!(complaint(&facecore(&place, &pull, &[])).contains("LicenceRefused"));
}

#[test]
fn packs_are_installed_used_verified_and_removed() {
    let place = Place::new();
    let from = folder(&place);
    let absent = complaint(&facecore(&place, &["detect", "x.jpg", "--pack", "buffalo_sc"], &[]));
    assert!(absent.contains("`facecore models pull buffalo_sc`") && absent.contains("(error 300,"), "{absent}");
    let unknown = complaint(&facecore(&place, &["detect", "x.jpg", "--pack", "bufalo"], &[]));
    assert!(unknown.contains("known are lite, opencv"), "{unknown}");

    let imported = facecore(&place, &["models", "import", &from, "--accept-licence", "--json"], &[]);
    let imported = &lines(&imported)[0];
    let known =
        ["archive_sha256", "files", "folder", "installed", "licence", "licence_class", "name", "origin", "version"];
    assert_eq!(fields(imported), known);
    assert_eq!(imported["files"][1]["checksum"], "recorded");
    assert_eq!(imported["origin"], from.as_str());

    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/images/rgb.png");
    let picture = picture.to_str().unwrap();
    for (args, environment) in [
        (&["embed", picture, "--pack", "buffalo_sc", "--json", "--runtime", "rten"][..], &[][..]),
        (&["embed", picture, "--json", "--runtime", "rten"], &[("FACECORE_PACK", "buffalo_sc")]),
    ] {
        let output = facecore(&place, args, environment);
        assert!(output.status.success(), "{output:?}");
        assert!(lines(&output)[0]["space"].as_str().unwrap().starts_with("w600k_mbf-"), "{output:?}");
    }
    // A folder with a manifest in the current directory is nearer; one without hides nothing.
    std::fs::create_dir(place.folder.join("buffalo_sc")).unwrap();
    let named = ["doctor", "--pack", "buffalo_sc", "--json"];
    let by_name = lines(&facecore(&place, &named, &[]));
    assert_eq!(by_name[0]["pack"]["name"], "buffalo_sc");
    place.write("buffalo_sc/pack.toml", b"format = 7");
    assert!(
        lines(&facecore(&place, &named, &[]))[0]["pack"]["error"]["message"].as_str().unwrap().contains("format is 7")
    );

    let verified = lines(&facecore(&place, &["models", "verify", "--json"], &[]));
    assert_eq!(verified.len(), 1);
    assert_eq!(verified[0]["files"], imported["files"]);
    let model = place.packs.folder().join("buffalo_sc/det_500m.onnx");
    let mut changed = std::fs::read(&model).unwrap();
    changed[100] ^= 1;
    std::fs::write(&model, changed).unwrap();
    assert!(complaint(&facecore(&place, &["models", "verify", "buffalo_sc"], &[])).contains("ChecksumMismatch"));

    let removed = facecore(&place, &["models", "remove", "buffalo_sc", "--json"], &[]);
    let removed = &lines(&removed)[0];
    assert_eq!((fields(removed), &removed["removed"]), (vec!["bytes", "removed"], &"buffalo_sc".into()));
    assert!(place.files().is_empty());
    assert!(complaint(&facecore(&place, &["models", "remove", "buffalo_sc"], &[])).contains("ModelNotFound"));
    let lite = facecore(&place, &["embed", picture, "--pack", "lite", "--json", "--runtime", "rten"], &[]);
    assert!(lines(&lite)[0]["space"].as_str().unwrap().starts_with("facecore-lite"), "{lite:?}");
}

#[test]
fn proxies_and_authorities_of_the_environment_are_used() {
    let place = Place::new();
    let content = buffalo_sc();
    let server = Server::https("models.example.org", move |request, to| server::file(request, to, &content, "1"));
    let (proxy, asked) = server::proxy(server.address());
    let authority = place.write("authority.pem", server.authority().as_bytes());
    let mirror = ["--mirrors-only", "--mirror", "https://models.example.org/packs"];
    let args = [&["models", "pull", "buffalo_sc", "--accept-license", "--json"][..], &mirror].concat();
    let proxy = format!("http://{proxy}");
    let environment = [("HTTPS_PROXY", proxy.as_str()), ("SSL_CERT_FILE", authority.to_str().unwrap())];
    let output = facecore(&place, &args, &environment);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(lines(&output)[0]["origin"], "https://models.example.org/packs/buffalo_sc.zip");
    assert_eq!(*asked.lock().unwrap(), ["CONNECT models.example.org:443 HTTP/1.1"]);
    assert_eq!(server.requests()[0].target, "/packs/buffalo_sc.zip");

    // Nor are those asked by way of it that the environment excepts.
    let elsewhere = Place::new();
    let excepted = [environment[0], environment[1], ("NO_PROXY", "models.example.org")];
    let output = facecore(&elsewhere, &args, &excepted);
    assert_eq!(output.status.code(), Some(1), "there is no such host: {output:?}");
    assert_eq!(asked.lock().unwrap().len(), 1);
    // One that cannot be used is not passed by.
    let output = facecore(&elsewhere, &args, &[("ALL_PROXY", "socks5://127.0.0.1:1")]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("ALL_PROXY names a proxy that cannot be used") && !told.contains("127.0.0.1"), "{told}");

    // This machine itself is asked without it.
    let content = buffalo_sc();
    let near = Server::http(move |request, to| server::file(request, to, &content, "1"));
    let place = Place::new();
    let mirror = ["models", "pull", "buffalo_sc", "--accept-license", "--mirrors-only", "--mirror", &near.url()];
    let output = facecore(&place, &mirror, &[("HTTP_PROXY", &proxy), ("ALL_PROXY", &proxy)]);
    assert!(output.status.success(), "{output:?}");
    assert_eq!((near.requests().len(), asked.lock().unwrap().len()), (1, 1));
}
