use std::fs;

use super::*;
use crate::store::tests::TempFolder;

/// A folder with a gallery's file in it.
fn gallery(parent: &TempFolder) -> PathBuf {
    let path = parent.join("office");
    let folder = Folder::create(&path).unwrap();
    std::fs::write(folder.database(), "").unwrap();
    path
}

fn refused(opened: Result<Folder>) -> String {
    let Err(error) = opened else { panic!("not locked") };
    assert_eq!(error.kind(), ErrorKind::GalleryLocked);
    error.to_string()
}

#[test]
fn a_second_writer_and_a_reader_are_told_who_writes() {
    let parent = TempFolder::new();
    let path = gallery(&parent);
    let writer = Folder::open(&path, Access::Write).unwrap();
    let expected = "gallery `office` is open in this process already; use that one, or close it first";
    assert_eq!(refused(Folder::create(&path)), expected);
    assert_eq!(refused(Folder::open(&path, Access::Read)), expected);
    fs::write(path.join("lock"), "4711\n").unwrap();
    let expected =
        "gallery `office` is being written by process 4711; open it read-only when that process has closed it, or wait";
    assert_eq!(refused(Folder::create(&path)), expected);
    drop(writer);
    Folder::open(&path, Access::Read).unwrap();
}

#[test]
fn a_folder_of_other_things_does_not_become_a_gallery() {
    let parent = TempFolder::new();
    let path = parent.join("photos");
    fs::create_dir(&path).unwrap();
    fs::write(path.join(".hidden"), "").unwrap();
    fs::write(path.join("ada.jpg"), "").unwrap();
    let Err(error) = Folder::create(&path) else { panic!("it became one") };
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("ada.jpg"), "{error}");
    assert_eq!(fs::read_dir(&path).unwrap().count(), 2, "nothing was left there");
    fs::remove_file(path.join("ada.jpg")).unwrap();
    drop(Folder::create(&path).unwrap());
    assert_eq!(Folder::create(Path::new("")).err().unwrap().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn readers_share_and_keep_a_writer_out() {
    let parent = TempFolder::new();
    let path = gallery(&parent);
    let readers = [(); 2].map(|()| Folder::open(&path, Access::Read).unwrap());
    assert!(refused(Folder::create(&path)).contains("open for reading elsewhere"));
    // The refused writer left nothing behind that a reader would meet.
    let third = Folder::open(&path, Access::Read).unwrap();
    drop((readers, third));
    Folder::create(&path).unwrap();
}

#[test]
fn a_folder_without_a_gallery_is_not_opened() {
    let parent = TempFolder::new();
    for access in [Access::Read, Access::Write] {
        let Err(error) = Folder::open(parent.path(), access) else { panic!("opened") };
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("there is no gallery in"), "{error}");
    }
    assert_eq!(std::fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn files_of_the_index_are_listed_and_removed() {
    let parent = TempFolder::new();
    let folder = Folder::create(&gallery(&parent)).unwrap();
    for name in ["b", "a", "c", "d.new"] {
        std::fs::write(folder.index_file(name), name).unwrap();
    }
    assert_eq!(folder.index_files().unwrap(), ["a", "b", "c"]);
    folder.keep_index_files(&["c"]).unwrap();
    assert_eq!(folder.index_files().unwrap(), ["c"]);
    assert!(!folder.index_file("d.new").exists());
    let path = folder.path.clone();
    drop(folder);
    let reader = Folder::open(&path, Access::Read).unwrap();
    assert_eq!(reader.keep_index_files(&[]).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(reader.index_files().unwrap(), ["c"]);
}

#[cfg(unix)]
#[test]
fn what_is_made_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = TempFolder::new();
    let folder = Folder::create(&parent.join("office")).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode(&folder.path), mode(&folder.index())], [0o700; 2]);
    assert_eq!(mode(&folder.path.join(LOCK)), 0o600);
}

/// Another process, and a user who may only read. Root may write anywhere, so the test runs itself
/// again as nobody where it is root.
#[cfg(unix)]
#[test]
fn a_user_who_may_only_read() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt};
    use std::os::unix::process::CommandExt as _;

    const FOLDER: &str = "FACECORE_TEST_UNWRITABLE_FOLDER";
    const NAME: &str = "store::folder::tests::a_user_who_may_only_read";
    if let Some(path) = std::env::var_os(FOLDER) {
        return as_a_reader(Path::new(&path));
    }
    let parent = TempFolder::new();
    let path = gallery(&parent);
    let set_mode = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    set_mode(parent.path(), 0o755);
    set_mode(&path.join(LOCK), 0o444);
    set_mode(&path.join(INDEX), 0o555);
    set_mode(&path, 0o555);
    // The test binary may be where nobody else can look: what runs is a copy beside the gallery.
    let binary = parent.join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    set_mode(&binary, 0o755);
    let mut command = std::process::Command::new(&binary);
    if std::fs::metadata(&path).unwrap().uid() == 0 {
        command.uid(65534).gid(65534);
    }
    let output = command.args([NAME, "--exact"]).env(FOLDER, &path).current_dir("/").output().unwrap();
    set_mode(&path, 0o755);
    set_mode(&path.join(INDEX), 0o755);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[cfg(unix)]
fn as_a_reader(path: &Path) {
    let Err(error) = Folder::create(path) else { panic!("written") };
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("open the gallery read-only"), "{error}");
    let reader = Folder::open(path, Access::Read).unwrap();
    assert!(reader.lock.is_some());
    assert_eq!(reader.index_files().unwrap(), Vec::<String>::new());
}
