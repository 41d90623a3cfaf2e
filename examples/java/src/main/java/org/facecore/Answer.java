package org.facecore;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** What {@code fc_out} wrote, in the same order. */
final class Answer {
    private final byte[] array;
    private final ByteBuffer bytes;

    Answer(byte[] array) {
        this.array = array;
        bytes = ByteBuffer.wrap(array).order(ByteOrder.nativeOrder());
    }

    long number() {
        return bytes.getLong();
    }

    int count() {
        return (int) number();
    }

    boolean flag() {
        return number() != 0;
    }

    double real() {
        return bytes.getDouble();
    }

    float single() {
        return (float) real();
    }

    /** A text, or null. */
    String text() {
        int length = count();
        if (length < 0) {
            return null;
        }
        String text = new String(array, bytes.position(), length, StandardCharsets.UTF_8);
        bytes.position(bytes.position() + length);
        return text;
    }
}
