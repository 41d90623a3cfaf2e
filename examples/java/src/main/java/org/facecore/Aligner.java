package org.facecore;

/** Cuts faces so that their landmarks come to lie where an embedder wants them. */
public final class Aligner extends Handle {
    Aligner(long pointer) {
        super(Memory.ALIGNER, pointer, "aligner");
    }

    /** For a template: {@code arcface-112}, {@code arcface-128}, and multiples of these sizes. */
    public static Aligner of(String template) {
        return new Aligner(Jni.alignerNew(Request.of(template, "name of the template")));
    }

    /** Width in pixels of the crops. */
    public int width() {
        return (int) (call(Jni::alignerSize) >>> 32);
    }

    /** Height in pixels of the crops. */
    public int height() {
        return (int) (long) call(Jni::alignerSize);
    }

    /** Cuts the face with these landmarks: x and y of five points, as {@link Face#landmarks} has them. */
    public Picture align(Image image, float[] landmarks) {
        Checks.given(image, "image");
        if (Checks.given(landmarks, "landmarks").length != 10) {
            throw new IllegalArgumentException("the landmarks are " + landmarks.length + " numbers; there must be 10, "
                    + "x and y of five points");
        }
        return new Picture(call(self -> Jni.align(self, image.data, image.chroma, image.layout, landmarks)));
    }
}
