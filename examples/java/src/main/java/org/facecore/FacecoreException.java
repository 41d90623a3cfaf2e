package org.facecore;

/** What the library says went wrong: a status of its one table, and a message with cause and remedy. */
public final class FacecoreException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int number;

    FacecoreException(int number, String message) {
        super(message);
        this.number = number;
    }

    /** Called by glue.c. */
    FacecoreException(int number, byte[] message) {
        this(number, Text.of(message));
    }

    /** The number of the status, as in facecore.h. */
    public int number() {
        return number;
    }

    /** The status; {@link Status#UNKNOWN} for one that only a newer library has. */
    public Status status() {
        return Status.of(number);
    }

    /** The name of the status as in facecore.h, for example {@code FACECORE_NO_FACE}; null if there is none. */
    public String statusName() {
        byte[] name = Jni.statusName(number);
        return name == null ? null : Text.of(name);
    }
}
