package org.facecore;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What Java adds to a call over C, with a recognizer that has no models: handing an image over, reading the 6 faces
 * that are found, a search. The recognition itself is the same call of the same library, and long beside what is
 * measured, so it is left out of the times. But it drives Java's code out of the CPU's caches: so faces are read both in
 * a row, and each list right after it was found.
 */
public final class Measure {
    private static final int BATCHES = 30;
    private static final int EACH = 100;
    private static volatile float sink;

    /** Makes what a call needs; 0 if it needs nothing. */
    private interface Prepared {
        long pointer();
    }

    /** One call; its nanoseconds. */
    private interface Timed {
        long nanoseconds(long pointer);
    }

    private Measure() {}

    public static void main(String[] arguments) {
        ByteBuffer pixels = ByteBuffer.allocateDirect(256 * 256 * 3);
        Image image = Image.packed(pixels, Format.RGB, 256, 256);
        Image pixel = Image.packed(pixels, Format.RGB, 1, 1);
        float[] values = new float[6 * 512];
        try (Recognizer recognizer = Fake.open(6, 512); Gallery gallery = Gallery.inMemory();
                Namespace people = gallery.namespace("staff"); Faces faces = recognizer.recognize(image);
                Embedding probe = faces.embedding(0)) {
            for (int at = 0; at < faces.count(); at++) {
                try (Embedding face = faces.embedding(at)) {
                    people.add("person " + at, face);
                }
            }
            long self = recognizer.use();
            long namespace = people.use();
            long embedding = probe.use();
            Prepared nothing = () -> 0;
            Prepared found = () -> Fake.faces(self, pixels, 256, 256);
            compare("an image handed over, a handle back", EACH, nothing, none -> Fake.nanosecondsOfImage(pixels),
                    none -> copied(pixel));
            compare("6 faces read, embeddings copied", EACH, found, Fake::nanosecondsOfReading,
                    list -> read(list, values));
            compare("6 faces read, a view of each embedding", EACH, found, Fake::nanosecondsOfViews, Measure::viewed);
            compare("6 faces read, embeddings copied, after recognising", 1, found, Fake::nanosecondsOfReading,
                    list -> read(list, values));
            compare("6 faces read, a view of each, after recognising", 1, found, Fake::nanosecondsOfViews,
                    Measure::viewed);
            compare("a search, " + people.search(probe).size() + " matches read", EACH, nothing,
                    none -> Fake.nanosecondsOfSearch(namespace, embedding), none -> searched(people, probe));
            recognizer.release();
            people.release();
            probe.release();
        }
    }

    private static long copied(Image pixel) {
        long start = System.nanoTime();
        Picture.copy(pixel).close();
        return System.nanoTime() - start;
    }

    /** As {@link Recognizer#recognize} and its caller do once the library has the faces. */
    private static long read(long pointer, float[] values) {
        long start = System.nanoTime();
        try (Faces faces = Faces.of(Jni.facesRead(pointer))) {
            for (Face face : faces) {
                sink = face.x1 + face.landmarks()[9];
            }
            faces.copyEmbeddings(values, 0);
            sink = values[0];
        }
        return System.nanoTime() - start;
    }

    private static long viewed(long pointer) {
        long start = System.nanoTime();
        try (Faces faces = Faces.of(Jni.facesRead(pointer))) {
            for (int at = 0; at < faces.count(); at++) {
                Face face = faces.get(at);
                sink = face.x1 + face.landmarks()[9];
                try (Embedding embedding = faces.embedding(at)) {
                    sink = embedding.values().get(0);
                }
            }
        }
        return System.nanoTime() - start;
    }

    private static long searched(Namespace people, Embedding probe) {
        long start = System.nanoTime();
        List<Match> matches = people.search(probe);
        sink = matches.get(0).score;
        return System.nanoTime() - start;
    }

    /** Batches of both by turns, so that a slow moment of the machine meets both. The first half warms up. */
    private static void compare(String what, int row, Prepared prepared, Timed c, Timed java) {
        int count = BATCHES * EACH / 2;
        long[] inC = new long[count];
        long[] inJava = new long[count];
        for (int at = -count; at < count; at += row) {
            time(row, prepared, c, inC, Math.max(at, 0));
            time(row, prepared, java, inJava, Math.max(at, 0));
        }
        Arrays.sort(inC);
        Arrays.sort(inJava);
        double medianC = inC[count / 2] / 1e3;
        double medianJava = inJava[count / 2] / 1e3;
        System.out.println(String.format(Locale.ROOT, "%-52s C %6.1f us   Java %6.1f us   Java adds %5.1f us", what,
                medianC, medianJava, medianJava - medianC));
    }

    private static void time(int row, Prepared prepared, Timed call, long[] took, int from) {
        long[] pointers = new long[row];
        for (int at = 0; at < row; at++) {
            pointers[at] = prepared.pointer();
        }
        for (int at = 0; at < row; at++) {
            took[from + at] = call.nanoseconds(pointers[at]);
        }
    }
}
