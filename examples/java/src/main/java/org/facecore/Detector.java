package org.facecore;

/** Finds faces. */
public final class Detector extends Handle {
    private Detector(long pointer) {
        super(Memory.DETECTOR, pointer, "detector");
    }

    /** Loads that of a folder with {@code pack.toml}, or of {@link Facecore#LITE}. */
    public static Detector open(String pack) {
        return open(Models.of(pack));
    }

    public static Detector open(Models models) {
        return new Detector(Checks.given(models, "models").load(Jni::detectorNew));
    }

    /** The faces in an image, without embeddings; none is an empty list. */
    public Faces detect(Image image) {
        return detect(image, null);
    }

    /** As above with options for this call, in place of all those that the detector was made with; null takes these. */
    public Faces detect(Image image, DetectorOptions options) {
        Checks.given(image, "image");
        byte[] wanted = DetectorOptions.bytes(options);
        return Faces.of(call(self -> Jni.detect(self, image.data, image.chroma, image.layout, wanted)));
    }

    /** What really runs the detector. */
    public Placement placement() {
        return new Placement(call(Jni::detectorPlacement));
    }
}
