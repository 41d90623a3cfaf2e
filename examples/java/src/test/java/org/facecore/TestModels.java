package org.facecore;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Packs and what is loaded of them. The folder is that of the small pack. */
final class TestModels {
    private static final Path FOLDER = Paths.get("../../facecore/models/lite");

    private TestModels() {}

    static ByteBuffer mapped(Path path) throws Exception {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size());
        }
    }

    static void run() throws Exception {
        Check.that(Facecore.runtimeReport().startsWith("{"), "a JSON object");
        RuntimeOptions builtin = new RuntimeOptions().runtime(RuntimeOptions.Runtime.BUILTIN).threads(1);
        RuntimeOptions elsewhere = new RuntimeOptions().library("/nowhere 😀");
        Check.that(Facecore.runtimeReport(elsewhere).contains("/nowhere 😀"), "where it was looked for");
        Check.that(Facecore.liteLicence().contains("research"), "the licence of the small pack");
        packs(builtin);
        models(builtin);
        parts(builtin);
    }

    private static void packs(RuntimeOptions builtin) throws Exception {
        Check.status(Status.MODEL_NOT_FOUND, () -> Pack.open("/nowhere/😀"));
        Check.isNull(() -> Pack.open(null));
        String manifest = new String(Files.readAllBytes(FOLDER.resolve("pack.toml")), StandardCharsets.UTF_8);
        Map<String, ByteBuffer> files = new LinkedHashMap<>();
        files.put("embedder.onnx", mapped(FOLDER.resolve("embedder.onnx")));
        ByteBuffer detector = ByteBuffer.allocateDirect(10 + (int) new File(FOLDER + "/detector.onnx").length());
        detector.position(10);
        detector.put(Files.readAllBytes(FOLDER.resolve("detector.onnx")));
        detector.position(10);
        files.put("detector.onnx", detector);
        try (Pack folder = Pack.open(FOLDER.toString()); Pack memory = Pack.fromMemory(manifest, files);
                Pack lite = Pack.open(Facecore.LITE)) {
            Check.equal(10, detector.position());
            Check.equal(folder.info().embedderSha256, memory.info().embedderSha256);
            Check.equal(lite.info().detectorSha256, memory.info().detectorSha256);
            Check.equal("facecore-lite", memory.info().name);
            Check.equal("1.0", memory.info().version);
            Check.that(memory.info().licence.contains("research"), memory.info().licence);
            Recognizer recognizer = Recognizer.open(Models.of(memory).runtime(builtin));
            memory.close();
            try (Faces faces = recognizer.recognize(Fake.image())) {
                Check.equal(0, faces.count());
                Check.equal(256, faces.width);
                Check.equal(0, faces.copyEmbeddings(new float[0], 0));
            }
            recognizer.close();
            Check.closed(() -> Recognizer.open(memory));
            Check.closed(memory::info);
        }
        try (Pack detectorOnly = Pack.fromMemory(manifest.substring(0, manifest.indexOf("[embedder]")),
                Collections.singletonMap("detector.onnx", detector))) {
            Check.equal(null, detectorOnly.info().embedderLicence);
        }
        Check.isNull(() -> Pack.fromMemory(manifest, null));
        Check.isNull(() -> Pack.fromMemory(null, files));
        Check.isNull(() -> Pack.fromMemory(manifest, Collections.singletonMap("detector.onnx", null)));
        Check.isNull(() -> Pack.fromMemory(manifest, Collections.singletonMap(null, detector)));
        Check.throwing(IllegalArgumentException.class, () -> Pack.fromMemory(manifest,
                Collections.singletonMap("detector.onnx", ByteBuffer.allocate(10))));
        Check.status(Status.PACK_INVALID, () -> Pack.fromMemory("not = [toml", files));
        Check.status(Status.CHECKSUM_MISMATCH, () -> {
            Map<String, ByteBuffer> wrong = new LinkedHashMap<>(files);
            wrong.put("embedder.onnx", ByteBuffer.allocateDirect(100));
            Pack.fromMemory(manifest, wrong);
        });
    }

    private static void models(RuntimeOptions builtin) throws Exception {
        Check.isNull(() -> Recognizer.open((String) null));
        Check.isNull(() -> Recognizer.open((Pack) null));
        Check.isNull(() -> Recognizer.open((Models) null));
        Check.status(Status.INVALID_ARGUMENT, () -> Recognizer.open(Models.ofFiles()));
        Check.status(Status.MODEL_NOT_FOUND, () -> Recognizer.open("/nowhere"));
        Check.status(Status.MODEL_NOT_FOUND, () -> Detector.open(Models.ofFiles().detector("/nowhere.onnx", null)));
        Check.status(Status.MODEL_KIND_UNKNOWN, () -> Embedder.open(
                Models.ofFiles().embedder(mapped(FOLDER.resolve("embedder.onnx")), null)));
        Check.status(Status.MODEL_CORRUPT, () -> Detector.open(
                Models.ofFiles().detector(ByteBuffer.allocateDirect(100), "yunet")));
        Check.status(Status.INVALID_ARGUMENT, () -> Detector.open(
                Models.of(Facecore.LITE).runtime(new RuntimeOptions().threads(2000))));
        Check.status(Status.INVALID_ARGUMENT, () -> Detector.open(
                Models.of(Facecore.LITE).runtime(new RuntimeOptions().setting("a", "b"))));
        Check.throwing(IllegalArgumentException.class, () -> new RuntimeOptions().threads(-1));
        Check.throwing(IllegalArgumentException.class, () -> Models.ofFiles().detector(ByteBuffer.allocate(1), null));
        Models all = Models.ofFiles().detector(FOLDER + "/detector.onnx", "yunet")
                .embedder(mapped(FOLDER.resolve("embedder.onnx")), "mobilefacenet").flip(Flip.CONCAT).threshold(0.25f)
                .manyPhotos().runtime(builtin).detection(new DetectorOptions().maxFaces(3).smallestFace(30))
                .decoding(new DecodeOptions().maxPixels(1000));
        try (Recognizer recognizer = Recognizer.open(all)) {
            Check.equal(256, recognizer.dimension());
            Check.equal(0.25f, recognizer.space().threshold);
            String runtime = recognizer.embedderPlacement().runtime;
            Check.that(runtime.startsWith("rten"), runtime);
            Check.equal(1, recognizer.detectorPlacement().threads);
            Check.equal("CPU", recognizer.detectorPlacement().provider);
        }
    }

    private static void parts(RuntimeOptions builtin) throws Exception {
        Models lite = Models.of(Facecore.LITE).runtime(builtin);
        Image image = Fake.image();
        try (Detector detector = Detector.open(lite); Embedder embedder = Embedder.open(lite);
                Aligner aligner = embedder.aligner(); Faces none = detector.detect(image)) {
            Check.equal(0, none.count());
            Check.that(detector.placement().runtime.startsWith("rten"), detector.placement().toString());
            Check.equal("CPU", embedder.placement().provider);
            Check.equal(128, embedder.dimension());
            Check.equal(0.42f, embedder.space().threshold);
            Check.equal(112, aligner.width());
            Check.equal(112, aligner.height());
            float[] landmarks = { 90, 100, 160, 100, 125, 140, 95, 170, 155, 170 };
            try (Picture crop = aligner.align(image, landmarks); Picture other = aligner.align(image, landmarks)) {
                Check.equal(112, crop.width());
                List<Embedding> made = embedder.embed(Arrays.asList(crop.image(), other.image()));
                Check.equal(2, made.size());
                Check.near(1, made.get(0).cosine(made.get(1)), 1e-5);
                for (Embedding embedding : made) {
                    embedding.close();
                }
            }
            Check.equal(0, embedder.embed(Collections.<Image>emptyList()).size());
            Check.status(Status.DIMENSION_MISMATCH, () -> embedder.embed(Arrays.asList(image)));
            Check.isNull(() -> embedder.embed(Collections.<Image>singletonList(null)));
            Check.isNull(() -> embedder.embed(null));
            Check.status(Status.LANDMARKS, () -> aligner.align(image, new float[10]));
            Check.throwing(IllegalArgumentException.class, () -> aligner.align(image, new float[9]));
            Check.isNull(() -> aligner.align(image, null));
            Check.isNull(() -> aligner.align(null, landmarks));
            Check.isNull(() -> detector.detect(null));
            Check.status(Status.INVALID_ARGUMENT, () -> detector.detect(image,
                    new DetectorOptions().scoreThreshold(Float.NaN)));
            try (Faces found = detector.detect(image, new DetectorOptions().letterbox(320, 320).noCloseUps()
                    .scoreThreshold(0.01f).nmsIou(0.5f).maxFaces(1))) {
                Check.that(found.count() <= 1, "at most one");
            }
            detector.close();
            Check.closed(() -> detector.detect(image));
            Check.closed(detector::placement);
            embedder.close();
            Check.closed(embedder::aligner);
            Check.closed(() -> embedder.embed(Collections.singletonList(image)));
            Check.equal(112, aligner.width());
        }
        try (Aligner larger = Aligner.of("arcface-224")) {
            Check.equal(224, larger.width());
        }
        Check.status(Status.INVALID_ARGUMENT, () -> Aligner.of("none"));
    }
}
