package org.facecore;

import java.nio.charset.StandardCharsets;

/** Texts on their way to and from native code: real UTF-8. */
final class Text {
    private Text() {}

    static String of(byte[] utf8) {
        return new String(utf8, StandardCharsets.UTF_8);
    }

    /**
     * The UTF-8 of a text. Two texts that differ never become the same: what UTF-8 and C cannot carry is refused.
     *
     * @throws IllegalArgumentException for U+0000, which ends a text in C, and for half a surrogate pair
     */
    static byte[] utf8(String text) {
        for (int at = 0; at < text.length(); at++) {
            char unit = text.charAt(at);
            if (unit == 0) {
                throw new IllegalArgumentException("the text has U+0000 at " + at + ", where it would end in C");
            }
            if (!Character.isSurrogate(unit)) {
                continue;
            }
            boolean pair = Character.isHighSurrogate(unit) && at + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(at + 1));
            if (!pair) {
                throw new IllegalArgumentException("the text has half a surrogate pair at " + at);
            }
            at++;
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
