package org.facecore;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collection;

/** Numbers and texts for native code in one array, which {@code fc_in} reads in the same order. */
final class Request {
    private ByteBuffer bytes = ByteBuffer.allocate(128).order(ByteOrder.nativeOrder());

    /** A single text. */
    static byte[] of(String text, String name) {
        return new Request().text(Checks.given(text, name)).bytes();
    }

    /** Two texts, of which the second may be null. */
    static byte[] of(String first, String name, String second) {
        return new Request().text(Checks.given(first, name)).text(second).bytes();
    }

    private ByteBuffer room(int size) {
        if (bytes.remaining() < size) {
            int capacity = Math.max(2 * bytes.capacity(), bytes.position() + size);
            ByteBuffer more = ByteBuffer.allocate(capacity).order(ByteOrder.nativeOrder());
            more.put(bytes.array(), 0, bytes.position());
            bytes = more;
        }
        return bytes;
    }

    Request number(long value) {
        room(8).putLong(value);
        return this;
    }

    Request flag(boolean value) {
        return number(value ? 1 : 0);
    }

    Request real(double value) {
        room(8).putDouble(value);
        return this;
    }

    /** A text, or null. */
    Request text(String text) {
        if (text == null) {
            return number(-1);
        }
        byte[] utf8 = Text.utf8(text);
        number(utf8.length);
        room(utf8.length + 1).put(utf8).put((byte) 0);
        return this;
    }

    /** Texts, none of which may be null, or null for no list. */
    Request texts(Collection<String> texts, String name) {
        if (texts == null) {
            return number(-1);
        }
        String[] all = texts.toArray(new String[0]);
        number(all.length);
        for (String text : all) {
            text(Checks.given(text, name));
        }
        return this;
    }

    byte[] bytes() {
        return Arrays.copyOf(bytes.array(), bytes.position());
    }
}
