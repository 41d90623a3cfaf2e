package org.facecore;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ReadOnlyBufferException;

final class TestEmbeddings {
    private TestEmbeddings() {}

    private static FloatBuffer direct(int floats) {
        return ByteBuffer.allocateDirect(4 * floats).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    static void run() throws Exception {
        Space space = new Space("test 😀", 0.5f);
        made(space);
        try (Recognizer recognizer = Fake.open(6, 128); Faces faces = recognizer.recognize(Fake.image());
                Embedding embedding = faces.embedding(5)) {
            Check.equal(128, embedding.dimension());
            Check.equal(128, recognizer.dimension());
            Check.that(embedding.norm() > 0, "norm");
            Check.equal(recognizer.space().id, embedding.space().id);
            Check.equal(recognizer.space().threshold, embedding.space().threshold);
            views(embedding);
            copies(embedding);
            ofAll(faces);
            Check.near(1, embedding.cosine(embedding), 1e-5);
            Check.near(0, embedding.euclidean(embedding), 1e-3);
            Check.isNull(() -> embedding.cosine(null));
        }
        detectedOnly();
    }

    private static void made(Space space) {
        float[] raw = new float[64];
        raw[0] = 3;
        raw[63] = 4;
        FloatBuffer buffer = direct(66);
        buffer.position(1);
        buffer.put(raw).position(1).limit(65);
        try (Embedding one = Embedding.ofRaw(raw, space); Embedding two = Embedding.ofRaw(buffer, space);
                Embedding stored = Embedding.ofStored(one.toArray(), one.norm(), space);
                Embedding shown = Embedding.ofStored(one.values(), one.norm(), space);
                Embedding other = Embedding.ofRaw(new float[] { 1, 0 }, space);
                Embedding elsewhere = Embedding.ofRaw(raw, new Space("other", 0.5f))) {
            Check.equal(1, buffer.position());
            Check.equal(64, one.dimension());
            Check.near(5, one.norm(), 1e-6);
            Check.equal(0.6f, one.toArray()[0]);
            Check.equal(0.8f, two.toArray()[63]);
            Check.equal(0.8f, stored.values().get(63));
            Check.near(5, stored.norm(), 0);
            Check.equal(0.6f, shown.values().get(0));
            Check.equal("test 😀", one.space().id);
            Check.equal(0.5f, one.space().threshold);
            Check.near(1, one.cosine(two), 1e-6);
            Check.status(Status.DIMENSION_MISMATCH, () -> one.cosine(other));
            Check.status(Status.EMBEDDING_SPACE_MISMATCH, () -> one.euclidean(elsewhere));
            other.close();
            Check.closed(() -> one.cosine(other));
            Check.closed(() -> other.cosine(one));
        }
        Check.status(Status.INVALID_EMBEDDING, () -> Embedding.ofRaw(new float[64], space));
        raw[1] = Float.NaN;
        Check.status(Status.INVALID_EMBEDDING, () -> Embedding.ofRaw(raw, space));
        Check.status(Status.INVALID_EMBEDDING, () -> Embedding.ofStored(new float[] { 3, 4 }, 5, space));
        Check.throwing(FacecoreException.class, () -> Embedding.ofRaw(new float[0], space));
        Check.isNull(() -> Embedding.ofRaw((float[]) null, space));
        Check.isNull(() -> Embedding.ofRaw((FloatBuffer) null, space));
        Check.isNull(() -> Embedding.ofRaw(raw, null));
        Check.isNull(() -> new Space(null, 0));
        Check.throwing(IllegalArgumentException.class, () -> Embedding.ofRaw(FloatBuffer.wrap(raw), space));
        Check.throwing(IllegalArgumentException.class, () -> Embedding.ofRaw(raw, new Space("a\0", 0)));
    }

    private static void views(Embedding embedding) throws Exception {
        FloatBuffer view = embedding.values();
        float[] array = embedding.toArray();
        Check.equal(128, view.remaining());
        Check.that(view.isDirect() && view.isReadOnly(), "the library's memory, for reading");
        double length = 0;
        for (int at = 0; at < 128; at++) {
            Check.equal(array[at], view.get(at));
            length += array[at] * array[at];
        }
        Check.near(1, length, 1e-5);
        Check.equal(128 * 4, embedding.bytes().remaining());
        Check.equal(ByteOrder.nativeOrder(), embedding.bytes().order());
        Check.throwing(ReadOnlyBufferException.class, () -> embedding.values().put(0, 1));
        Check.throwing(ReadOnlyBufferException.class, () -> embedding.copyTo(embedding.values()));
        view.position(7);
        Check.equal(0, embedding.values().position());

        // A view keeps the memory, whatever becomes of the embedding.
        Embedding gone = Embedding.ofStored(array, 1, new Space("x", 0));
        FloatBuffer kept = gone.values().duplicate();
        gone.close();
        Check.closed(gone::values);
        Check.closed(gone::toArray);
        gone = null;
        for (int turn = 0; turn < 5; turn++) {
            System.gc();
            Thread.sleep(10);
            Memory.collect();
            for (int other = 0; other < 100; other++) {
                // Takes the place of what is freed.
                float[] values = new float[128];
                values[other] = 1;
                Embedding.ofRaw(values, new Space("y", 0)).close();
            }
            for (int at = 0; at < 128; at++) {
                Check.equal(array[at], kept.get(at));
            }
        }
    }

    private static void copies(Embedding embedding) {
        float[] array = new float[130];
        Check.equal(128, embedding.copyTo(array, 1));
        Check.equal(embedding.values().get(0), array[1]);
        Check.equal(embedding.values().get(127), array[128]);
        Check.equal(0f, array[129]);
        Check.status(Status.BUFFER_TOO_SMALL, () -> embedding.copyTo(array, 3));
        Check.status(Status.BUFFER_TOO_SMALL, () -> embedding.copyTo(array, 130));
        Check.status(Status.BUFFER_TOO_SMALL, () -> embedding.copyTo(new float[0], 0));
        Check.throwing(IndexOutOfBoundsException.class, () -> embedding.copyTo(array, -1));
        Check.throwing(IndexOutOfBoundsException.class, () -> embedding.copyTo(array, 131));
        Check.isNull(() -> embedding.copyTo((float[]) null, 0));
        Check.isNull(() -> embedding.copyTo((FloatBuffer) null));

        FloatBuffer buffer = direct(130);
        buffer.position(1);
        Check.equal(128, embedding.copyTo(buffer));
        Check.equal(129, buffer.position());
        Check.equal(embedding.values().get(127), buffer.get(128));
        Check.status(Status.BUFFER_TOO_SMALL, () -> embedding.copyTo(buffer));
        Check.equal(129, buffer.position());
        Check.equal(0f, buffer.get(129));
        buffer.clear().limit(127);
        Check.status(Status.BUFFER_TOO_SMALL, () -> embedding.copyTo(buffer));
        Check.throwing(IllegalArgumentException.class, () -> embedding.copyTo(FloatBuffer.allocate(128)));
        boolean isBig = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;
        ByteOrder wrong = isBig ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
        String order = Check.throwing(IllegalArgumentException.class, () -> embedding.copyTo(
                ByteBuffer.allocateDirect(4 * 128).order(wrong).asFloatBuffer())).getMessage();
        Check.that(order.contains("order"), order);
        ByteBuffer odd = ByteBuffer.allocateDirect(4 * 128 + 8);
        odd.position(1);
        Check.throwing(IllegalArgumentException.class, () -> embedding.copyTo(
                odd.slice().order(ByteOrder.nativeOrder()).asFloatBuffer()));
    }

    private static void ofAll(Faces faces) {
        float[] array = new float[6 * 128 + 2];
        Check.equal(128, faces.copyEmbeddings(array, 1));
        FloatBuffer buffer = direct(6 * 128);
        Check.equal(128, faces.copyEmbeddings(buffer));
        Check.equal(0, buffer.remaining());
        for (int face = 0; face < 6; face++) {
            try (Embedding embedding = faces.embedding(face)) {
                for (int at = 0; at < 128; at++) {
                    Check.equal(embedding.values().get(at), array[1 + face * 128 + at]);
                    Check.equal(embedding.values().get(at), buffer.get(face * 128 + at));
                }
            }
        }
        Check.status(Status.BUFFER_TOO_SMALL, () -> faces.copyEmbeddings(array, 3));
        Check.status(Status.BUFFER_TOO_SMALL, () -> faces.copyEmbeddings(new float[0], 0));
        Check.status(Status.BUFFER_TOO_SMALL, () -> faces.copyEmbeddings(direct(6 * 128 - 1)));
        Check.status(Status.BUFFER_TOO_SMALL, () -> faces.copyEmbeddings(direct(0)));
        Check.throwing(IllegalArgumentException.class, () -> faces.copyEmbeddings(FloatBuffer.allocate(6 * 128)));
        Check.throwing(IndexOutOfBoundsException.class, () -> faces.copyEmbeddings(array, -1));
        Check.isNull(() -> faces.copyEmbeddings((FloatBuffer) null));
        Check.isNull(() -> faces.copyEmbeddings(null, 0));
    }

    /** Faces without embeddings: the detector of the small pack, on noise with a low threshold. */
    private static void detectedOnly() {
        ByteBuffer noise = ByteBuffer.allocateDirect(256 * 256 * 3);
        java.util.Random random = new java.util.Random(1);
        while (noise.hasRemaining()) {
            noise.put((byte) random.nextInt());
        }
        noise.flip();
        try (Detector detector = Detector.open(Facecore.LITE); Faces faces = detector.detect(
                Image.packed(noise, Format.RGB, 256, 256), new DetectorOptions().scoreThreshold(1e-6f))) {
            Check.that(faces.count() > 0, "some noise looks a little like a face");
            Check.status(Status.INVALID_ARGUMENT, () -> faces.embedding(0));
            Check.status(Status.INVALID_ARGUMENT, () -> faces.copyEmbeddings(new float[1000000], 0));
            Check.status(Status.INVALID_ARGUMENT, () -> faces.copyEmbeddings(direct(10)));
        }
    }
}
