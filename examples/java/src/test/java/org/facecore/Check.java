package org.facecore;

import java.util.Objects;

/** Assertions, counted. */
final class Check {
    /** Something that may throw. */
    interface Body {
        void run() throws Exception;
    }

    private static int count;

    private Check() {}

    static synchronized int count() {
        return count;
    }

    static synchronized void that(boolean holds, String what) {
        count++;
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void equal(Object expected, Object found) {
        that(Objects.equals(expected, found), "expected " + expected + ", found " + found);
    }

    static void near(double expected, double found, double by) {
        that(Math.abs(expected - found) <= by, "expected " + expected + ", found " + found);
    }

    /** What the body throws, which must be of the class, and have a message. */
    static <T extends Throwable> T throwing(Class<T> wanted, Body body) {
        try {
            body.run();
        } catch (Throwable thrown) {
            if (!wanted.isInstance(thrown)) {
                throw new AssertionError("expected " + wanted.getSimpleName() + ", found " + thrown, thrown);
            }
            that(true, "");
            return wanted.cast(thrown);
        }
        throw new AssertionError("no " + wanted.getSimpleName() + " was thrown");
    }

    static void closed(Body body) {
        String message = throwing(IllegalStateException.class, body).getMessage();
        that(message.endsWith("is closed"), message);
    }

    static void isNull(Body body) {
        String message = throwing(NullPointerException.class, body).getMessage();
        that(message != null && message.endsWith("is null"), "says which argument: " + message);
    }

    static FacecoreException status(Status wanted, Body body) {
        FacecoreException error = throwing(FacecoreException.class, body);
        String found = error.statusName() + ": " + error.getMessage();
        that(error.status() == wanted, "expected " + wanted + ", found " + found);
        that(!error.getMessage().isEmpty(), "there is a message");
        equal(wanted.number(), error.number());
        equal("FACECORE_" + wanted.name(), error.statusName());
        return error;
    }
}
