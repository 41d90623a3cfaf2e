package org.facecore;

import java.util.Arrays;

/**
 * Something of the library's that is to be closed. Any thread may close it, also while others use it: their calls end
 * as usual, later ones throw {@link IllegalStateException}, and the last user frees it. Closing again does nothing.
 */
public abstract class Handle implements AutoCloseable {
    private final Memory memory;
    private final String name;
    private volatile boolean used;

    Handle(int type, long pointer, String name) {
        this.name = name;
        memory = new Memory(this, type, pointer);
    }

    /** A call with the pointer. */
    interface Call<T> {
        T with(long self);
    }

    /** A call with two pointers. */
    interface Call2<T> {
        T with(long self, long other);
    }

    interface Change {
        void with(long self);
    }

    final <T> T call(Call<T> call) {
        long self = use();
        try {
            return call.with(self);
        } finally {
            release();
        }
    }

    final <T> T call(Handle other, Call2<T> call) {
        return call(self -> other.call(pointer -> call.with(self, pointer)));
    }

    final void change(Change change) {
        long self = use();
        try {
            change.with(self);
        } finally {
            release();
        }
    }

    /** As {@link #use} for many; all or, if one is closed, none. */
    static long[] useAll(Handle[] handles) {
        long[] pointers = new long[handles.length];
        for (int at = 0; at < handles.length; at++) {
            try {
                pointers[at] = handles[at].use();
            } catch (IllegalStateException error) {
                releaseAll(Arrays.copyOf(handles, at));
                throw error;
            }
        }
        return pointers;
    }

    static void releaseAll(Handle[] handles) {
        for (Handle handle : handles) {
            handle.release();
        }
    }

    final long use() {
        return memory.use(name);
    }

    /** Ends what {@link #use} began. */
    final void release() {
        memory.release();
        // Up to here the handle is no garbage, so that it is not closed as forgotten when its last call begins.
        // Reference.reachabilityFence is not on Android before API 28.
        used = true;
    }

    final Memory memory() {
        return memory;
    }

    public final boolean isClosed() {
        return memory.isClosed();
    }

    @Override
    public String toString() {
        return name + (isClosed() ? " (closed)" : used ? "" : " (not used yet)");
    }

    @Override
    public final void close() {
        memory.close();
    }
}
