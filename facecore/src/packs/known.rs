//! The packs that people know by name: where their files come from, what they hold, and what their licences allow.
//!
//! A SHA-256 stands here only where it is known for certain: those of the `opencv` pack are the object ids of the Git
//! LFS pointers at the revisions that the addresses name. Of the others the sizes are approximate, and the checksums
//! are recorded when a pack is installed.

use super::Part;
use crate::model::LicenceClass;

/// A pack that this library knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownPack {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Its version, as its makers count.
    pub version: &'static str,
    /// Under which terms its weights may be used, and where that is said.
    pub licence: &'static str,
    /// What the licence allows.
    pub licence_class: LicenceClass,
    /// The archive that its files are in; `None` if they are fetched one by one.
    pub archive: Option<KnownArchive>,
    /// Its models.
    pub files: &'static [KnownFile],
    /// Further files of its makers' archive, which are not kept. They tell packs apart that share their models.
    pub(super) others: &'static [&'static str],
}

/// The archive of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownArchive {
    /// Its file name.
    pub name: &'static str,
    /// Its size in bytes, approximately.
    pub bytes: u64,
    /// Where it is found, in the order in which the places are tried.
    pub urls: &'static [&'static str],
}

/// A model of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownFile {
    /// What it is for.
    pub part: Part,
    /// Its file name, which its makers gave it.
    pub name: &'static str,
    /// Its kind, as in `pack.toml`.
    pub kind: &'static str,
    /// The length of its embeddings; `None` for a detector.
    pub dimension: Option<usize>,
    /// Its size in bytes, where that is certain.
    pub bytes: Option<u64>,
    /// Its SHA-256, where that is certain.
    pub sha256: Option<&'static str>,
    /// The licence of its weights, where it is not the pack's.
    pub licence: Option<&'static str>,
    /// Where it is found by itself; empty if it comes with the archive.
    pub urls: &'static [&'static str],
}

const OPENCV: KnownPack = KnownPack {
    name: "opencv",
    about: "YuNet and SFace of OpenCV's model zoo: small, and free for any use",
    version: "2023mar-2021dec",
    licence: "MIT (YuNet) and Apache-2.0 (SFace): https://github.com/opencv/opencv_zoo",
    licence_class: LicenceClass::Permissive,
    archive: None,
    files: &[
        KnownFile {
            part: Part::Detector,
            name: "face_detection_yunet_2023mar.onnx",
            kind: "yunet",
            dimension: None,
            bytes: Some(232_589),
            sha256: Some("8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"),
            licence: Some("MIT"),
            // The revision of which the pointer was read. The first address serves the file itself, the second leads
            // there.
            urls: &[
                "https://media.githubusercontent.com/media/opencv/opencv_zoo/82b38c8f98e7b52aa171400f3e4c722352d0669f/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
                "https://github.com/opencv/opencv_zoo/raw/82b38c8f98e7b52aa171400f3e4c722352d0669f/models/face_detection_yunet/face_detection_yunet_2023mar.onnx",
            ],
        },
        KnownFile {
            part: Part::Embedder,
            name: "face_recognition_sface_2021dec.onnx",
            kind: "sface",
            dimension: Some(128),
            bytes: Some(38_696_353),
            sha256: Some("0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"),
            licence: Some("Apache-2.0"),
            // A later revision has another file under the same name, of 24,227,283 bytes; it is not taken for this one.
            urls: &[
                "https://media.githubusercontent.com/media/opencv/opencv_zoo/edef535367a4f8053b5bfb7580935c83772a9639/models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
                "https://github.com/opencv/opencv_zoo/raw/edef535367a4f8053b5bfb7580935c83772a9639/models/face_recognition_sface/face_recognition_sface_2021dec.onnx",
            ],
        },
    ],
    others: &[],
};

const INSIGHTFACE_LICENCE: &str = "non-commercial research only: https://github.com/deepinsight/insightface#license";
const INSIGHTFACE_OTHERS: &[&str] = &["1k3d68.onnx", "2d106det.onnx", "genderage.onnx"];

/// A pack of insightface's release of models, version 0.7.
const fn insightface(
    name: &'static str,
    about: &'static str,
    archive: KnownArchive,
    files: &'static [KnownFile],
    others: &'static [&'static str],
) -> KnownPack {
    KnownPack {
        name,
        about,
        version: "0.7",
        licence: INSIGHTFACE_LICENCE,
        licence_class: LicenceClass::ResearchOnly,
        archive: Some(archive),
        files,
        others,
    }
}

/// A model of such a pack.
const fn model(part: Part, name: &'static str) -> KnownFile {
    let (kind, dimension) = match part {
        Part::Detector => ("scrfd", None),
        Part::Embedder => ("arcface", Some(512)),
    };
    KnownFile { part, name, kind, dimension, bytes: None, sha256: None, licence: None, urls: &[] }
}

/// Every known pack that is fetched or imported; the one within the program is not among them.
pub(super) const KNOWN: &[KnownPack] = &[
    OPENCV,
    insightface(
        "buffalo_l",
        "insightface's usual pack: SCRFD 10G and a ResNet-50 trained on WebFace600K",
        KnownArchive {
            name: "buffalo_l.zip",
            bytes: 288_600_000,
            urls: &["https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_l.zip"],
        },
        &[model(Part::Detector, "det_10g.onnx"), model(Part::Embedder, "w600k_r50.onnx")],
        INSIGHTFACE_OTHERS,
    ),
    insightface(
        "buffalo_s",
        "insightface's small pack: SCRFD 500M and a MobileFaceNet trained on WebFace600K",
        KnownArchive {
            name: "buffalo_s.zip",
            bytes: 127_600_000,
            urls: &["https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_s.zip"],
        },
        &[model(Part::Detector, "det_500m.onnx"), model(Part::Embedder, "w600k_mbf.onnx")],
        INSIGHTFACE_OTHERS,
    ),
    insightface(
        "buffalo_sc",
        "the two models of buffalo_s that recognise faces, in a small download",
        KnownArchive {
            name: "buffalo_sc.zip",
            bytes: 15_000_000,
            urls: &["https://github.com/deepinsight/insightface/releases/download/v0.7/buffalo_sc.zip"],
        },
        &[model(Part::Detector, "det_500m.onnx"), model(Part::Embedder, "w600k_mbf.onnx")],
        &[],
    ),
    insightface(
        "antelopev2",
        "insightface's largest pack: SCRFD 10G and a ResNet-100 trained on Glint360K",
        KnownArchive {
            name: "antelopev2.zip",
            bytes: 360_700_000,
            urls: &["https://github.com/deepinsight/insightface/releases/download/v0.7/antelopev2.zip"],
        },
        &[model(Part::Detector, "scrfd_10g_bnkps.onnx"), model(Part::Embedder, "glintr100.onnx")],
        INSIGHTFACE_OTHERS,
    ),
];

impl KnownPack {
    /// Every known pack but the one within the program, in the order in which they are listed.
    pub const ALL: &'static [KnownPack] = KNOWN;

    /// The pack called `name`.
    pub fn named(name: &str) -> Option<&'static KnownPack> {
        KNOWN.iter().find(|known| known.name == name)
    }

    /// The model in the file called `name`.
    pub fn file(&self, name: &str) -> Option<&'static KnownFile> {
        self.files.iter().find(|file| file.name == name)
    }

    /// How many bytes are downloaded, approximately where the pack comes as an archive.
    pub fn download_bytes(&self) -> u64 {
        match &self.archive {
            Some(archive) => archive.bytes,
            None => self.files.iter().filter_map(|file| file.bytes).sum(),
        }
    }

    /// Where it comes from, in the order in which the places are tried.
    pub fn urls(&self) -> impl Iterator<Item = &'static str> {
        let of_files = self.files.iter().flat_map(|file| file.urls);
        self.archive.iter().flat_map(|archive| archive.urls).chain(of_files).copied()
    }

    /// The `pack.toml` of it, given the SHA-256 of each of its files, in their order.
    pub(super) fn manifest(&self, sha256: &[String]) -> String {
        let KnownPack { name, version, licence, .. } = self;
        let class = self.licence_class.name();
        let mut text = format!(
            "# Written when the pack was installed; installed.json says from where.\nformat = 1\nname = \"{name}\"\n\
             version = \"{version}\"\nlicence = \"{licence}\"\nlicence_class = \"{class}\"\n"
        );
        for (file, sha256) in self.files.iter().zip(sha256) {
            let KnownFile { part, name, kind, .. } = file;
            text += &format!("\n[{}]\nfile = \"{name}\"\nsha256 = \"{sha256}\"\nkind = \"{kind}\"\n", part.name());
            if let Some(licence) = file.licence {
                text += &format!("licence = \"{licence}\"\n");
            }
            if let Some(dimension) = file.dimension {
                // Packs that share an embedder share its space; another file of the same name gets one of its own.
                let stem = name.trim_end_matches(".onnx");
                text += &format!("dimension = {dimension}\nspace = \"{stem}-{}/arcface-112\"\n", &sha256[..8]);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Pack;
    use crate::packs::names;

    #[test]
    fn every_pack_has_a_detector_an_embedder_a_licence_and_a_place() {
        for known in KNOWN {
            let parts: Vec<Part> = known.files.iter().map(|file| file.part).collect();
            assert_eq!(parts, [Part::Detector, Part::Embedder], "{}", known.name);
            assert!(names::is_name(known.name) && !known.licence.is_empty() && known.download_bytes() > 0);
            assert!(known.urls().count() >= 1 && known.urls().all(|url| url.starts_with("https://")));
            assert!(known.archive.is_some() || known.files.iter().all(|file| !file.urls.is_empty()));
            for file in known.files {
                assert!(file.sha256.is_none_or(|sha256| sha256.len() == 64 && file.bytes.is_some()), "{}", file.name);
            }
        }
    }

    #[test]
    fn manifests_are_read_as_they_are_written() {
        let sha256 = ["ab".repeat(32), "cd".repeat(32)];
        for known in KNOWN {
            let outline = Pack::outline(&known.manifest(&sha256)).unwrap();
            assert_eq!((outline.name.as_str(), outline.licence_class), (known.name, known.licence_class));
            let files = outline.files.iter().map(|(part, file, ..)| (*part, file.as_str()));
            assert!(files.eq(known.files.iter().map(|file| (file.part.name(), file.name))));
        }
        let text = OPENCV.manifest(&sha256);
        assert!(text.contains("space = \"face_recognition_sface_2021dec-cdcdcdcd/arcface-112\""), "{text}");
    }
}
