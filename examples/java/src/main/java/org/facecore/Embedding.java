package org.facecore;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** A face as a point on the unit sphere. */
public final class Embedding extends Handle {
    /** The memory as Java sees it, made when it is first asked for; never handed out itself. */
    private ByteBuffer shown;

    Embedding(long pointer) {
        super(Memory.EMBEDDING, pointer, "embedding");
    }

    /** Of a model's raw output, which is copied and scaled to length 1. */
    public static Embedding ofRaw(float[] values, Space space) {
        return new Embedding(Jni.embeddingFromArray(Checks.given(values, "values"), true, 0, Space.bytes(space)));
    }

    /** Of a model's raw output in a direct buffer, from its position to its limit. */
    public static Embedding ofRaw(FloatBuffer values, Space space) {
        return new Embedding(Jni.embeddingFromBuffer(Checks.part(values, "values"), true, 0, Space.bytes(space)));
    }

    /** Of values that were kept, with the {@link #norm} that they had: copied bit for bit. */
    public static Embedding ofStored(float[] values, float norm, Space space) {
        return new Embedding(Jni.embeddingFromArray(Checks.given(values, "values"), false, norm, Space.bytes(space)));
    }

    /** Of values that were kept, in a direct buffer, from its position to its limit. */
    public static Embedding ofStored(FloatBuffer values, float norm, Space space) {
        return new Embedding(Jni.embeddingFromBuffer(Checks.part(values, "values"), false, norm, Space.bytes(space)));
    }

    /** How many values there are. */
    public int dimension() {
        return call(Jni::embeddingDimension);
    }

    /** The length that the model gave the vector before it was normalised. */
    public float norm() {
        return call(Jni::embeddingNorm);
    }

    public Space space() {
        return Space.read(call(Jni::embeddingSpace));
    }

    /**
     * The values, for reading: the library's own memory, nothing is copied. It stays readable after the embedding is
     * closed, and is freed when the last such buffer is garbage.
     */
    public FloatBuffer values() {
        return bytes().asFloatBuffer();
    }

    /** As {@link #values}, as bytes in native order. */
    public synchronized ByteBuffer bytes() {
        if (shown == null) {
            shown = call(self -> {
                ByteBuffer memory = Jni.embeddingMemory(self);
                memory().keepFor(memory);
                return memory;
            });
        } else if (isClosed()) {
            throw new IllegalStateException("the embedding is closed");
        }
        return shown.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
    }

    /** A copy of the values. */
    public float[] toArray() {
        return call(self -> {
            float[] values = new float[Jni.embeddingDimension(self)];
            Jni.embeddingCopyToArray(self, values, 0);
            return values;
        });
    }

    /**
     * Copies the values into an array from {@code offset} on; how many there are.
     *
     * @throws FacecoreException with {@link Status#BUFFER_TOO_SMALL}
     */
    public int copyTo(float[] values, int offset) {
        if (offset < 0 || offset > Checks.given(values, "array").length) {
            throw new IndexOutOfBoundsException("the offset " + offset + " is not in the array");
        }
        return call(self -> Jni.embeddingCopyToArray(self, values, offset));
    }

    /**
     * Copies the values into a direct buffer in native order, from its position on, which is moved behind them.
     *
     * @throws FacecoreException with {@link Status#BUFFER_TOO_SMALL}
     */
    public int copyTo(FloatBuffer values) {
        FloatBuffer place = Checks.place(values, "buffer");
        int count = call(self -> Jni.embeddingCopyToBuffer(self, place));
        values.position(values.position() + count);
        return count;
    }

    /** The cosine of the angle to another embedding, -1 to 1; higher is more alike. */
    public float cosine(Embedding other) {
        return call(Checks.given(other, "other embedding"), Jni::cosine);
    }

    /** The distance to another embedding, 0 to 2; lower is more alike. */
    public float euclidean(Embedding other) {
        return call(Checks.given(other, "other embedding"), Jni::euclidean);
    }
}
