package org.facecore;

import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.AbstractList;
import java.util.List;

/** What arguments must be before native code sees them. */
final class Checks {
    private Checks() {}

    static <T> T given(T value, String name) {
        if (value == null) {
            throw new NullPointerException("the " + name + " is null");
        }
        return value;
    }

    static int notNegative(int value, String name) {
        return (int) notNegative((long) value, name);
    }

    static long notNegative(long value, String name) {
        if (value < 0) {
            throw new IllegalArgumentException("the " + name + " is " + value + "; it cannot be less than 0");
        }
        return value;
    }

    static void index(int index, int count) {
        if (index < 0 || index >= count) {
            throw new IndexOutOfBoundsException("there is nothing at " + index + ": there are " + count);
        }
    }

    static <T extends Buffer> T direct(T buffer, String name) {
        if (!given(buffer, name).isDirect()) {
            throw new IllegalArgumentException("the " + name + " is a buffer on Java's heap, where it may move; use "
                    + "one of ByteBuffer.allocateDirect, or of a camera");
        }
        return buffer;
    }

    /** What remains of a direct buffer, from its first byte on. */
    static ByteBuffer part(ByteBuffer buffer, String name) {
        return direct(buffer, name).slice();
    }

    static FloatBuffer part(FloatBuffer buffer, String name) {
        if (direct(buffer, name).order() != ByteOrder.nativeOrder()) {
            throw new IllegalArgumentException("the " + name + " has the byte order " + buffer.order()
                    + "; use order(ByteOrder.nativeOrder()) before asFloatBuffer()");
        }
        return buffer.slice();
    }

    static FloatBuffer place(FloatBuffer buffer, String name) {
        FloatBuffer part = part(buffer, name);
        if (buffer.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
        return part;
    }

    /** A list of an array that nobody else has. List.of is Java 9. */
    static <T> List<T> list(final T[] items) {
        return new Items<>(items);
    }

    private static final class Items<T> extends AbstractList<T> {
        private final T[] items;

        Items(T[] items) {
            this.items = items;
        }

        @Override
        public T get(int index) {
            index(index, items.length);
            return items[index];
        }

        @Override
        public int size() {
            return items.length;
        }
    }
}
