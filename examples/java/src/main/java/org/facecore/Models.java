package org.facecore;

import java.nio.ByteBuffer;

/** Which models a recognizer, detector or embedder has: of a pack, or single files, or both; then the files win. */
public final class Models {
    private String folder;
    private Pack pack;
    private String detector;
    private ByteBuffer detectorBytes;
    private String detectorKind;
    private String embedder;
    private ByteBuffer embedderBytes;
    private String embedderKind;
    private Flip flip = Flip.NONE;
    private boolean hasThreshold;
    private float threshold;
    private boolean manyPhotos;
    private RuntimeOptions runtime = new RuntimeOptions();
    private DetectorOptions detection = new DetectorOptions();
    private DecodeOptions decoding = new DecodeOptions();

    /** Those of a folder with {@code pack.toml}, or {@link Facecore#LITE}. */
    public static Models of(String pack) {
        Models models = new Models();
        models.folder = Checks.given(pack, "pack");
        return models;
    }

    /** Those of a pack that is open; it may be closed after loading. */
    public static Models of(Pack pack) {
        Models models = new Models();
        models.pack = Checks.given(pack, "pack");
        return models;
    }

    /** Only those that are named by {@link #detector} and {@link #embedder}. */
    public static Models ofFiles() {
        return new Models();
    }

    private Models() {}

    /** An ONNX file; {@code kind} is {@code scrfd} or {@code yunet}, or null if it is to be found out. */
    public Models detector(String path, String kind) {
        detector = path;
        detectorKind = kind;
        return this;
    }

    /** The content of such a file in a direct buffer. */
    public Models detector(ByteBuffer bytes, String kind) {
        detectorBytes = Checks.part(bytes, "detector");
        detectorKind = kind;
        return this;
    }

    /** An ONNX file; {@code kind} is {@code arcface}, {@code adaface}, {@code sface} or {@code mobilefacenet}, or null
     * if the file's name tells. */
    public Models embedder(String path, String kind) {
        embedder = path;
        embedderKind = kind;
        return this;
    }

    /** The content of such a file in a direct buffer. */
    public Models embedder(ByteBuffer bytes, String kind) {
        embedderBytes = Checks.part(bytes, "embedder");
        embedderKind = kind;
        return this;
    }

    public Models flip(Flip value) {
        flip = Checks.given(value, "flip");
        return this;
    }

    /** The cosine, -1 to 1, from which on two faces are taken for the same person, in place of the model's. */
    public Models threshold(float value) {
        hasThreshold = true;
        threshold = value;
        return this;
    }

    /** For working at many photos, or for many callers: sessions of one thread each. */
    public Models manyPhotos() {
        manyPhotos = true;
        return this;
    }

    public Models runtime(RuntimeOptions options) {
        runtime = Checks.given(options, "options");
        return this;
    }

    public Models detection(DetectorOptions options) {
        detection = Checks.given(options, "options");
        return this;
    }

    public Models decoding(DecodeOptions options) {
        decoding = Checks.given(options, "options");
        return this;
    }

    /** Something that loads models as {@link Jni#recognizerNew} does. */
    interface Loader {
        long load(byte[] request, long pack, ByteBuffer detector, ByteBuffer embedder);
    }

    long load(Loader loader) {
        Request request = new Request().text(folder).text(detector).text(detectorKind).text(embedder).text(embedderKind)
                .number(flip.ordinal()).flag(hasThreshold).real(threshold).flag(manyPhotos);
        runtime.write(request);
        detection.write(request);
        decoding.write(request);
        byte[] bytes = request.bytes();
        if (pack == null) {
            return loader.load(bytes, 0, detectorBytes, embedderBytes);
        }
        return pack.call(opened -> loader.load(bytes, opened, detectorBytes, embedderBytes));
    }
}
