package org.facecore;

import java.nio.ByteBuffer;

/** What is in src/test/c/fake.c. */
final class Fake {
    static {
        // Its library uses that of the API.
        Facecore.ensureLoaded();
        System.loadLibrary("facecore_fake_jni");
    }

    private Fake() {}

    /** Finds so many faces in any image of 256 x 256 pixels. */
    static Recognizer open(int faces, int dimension) {
        return new Recognizer(recognizer(faces, dimension));
    }

    static Image image() {
        return Image.packed(ByteBuffer.allocateDirect(256 * 256 * 3), Format.RGB, 256, 256);
    }

    private static native long recognizer(int faces, int dimension);
    static native int panic();
    static native long askOnThreads(Object filter);
    /** A list of faces, by its pointer. */
    static native long faces(long recognizer, ByteBuffer pixels, int width, int height);
    static native long nanosecondsOfReading(long faces);
    static native long nanosecondsOfViews(long faces);
    static native long nanosecondsOfImage(ByteBuffer pixels);
    static native long nanosecondsOfSearch(long people, long probe);
}
