package org.facecore;

import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A pointer of the library's and who uses it: the {@link Handle} until it is closed, every call in flight, and every
 * buffer that shows the memory. Whoever is the last frees it, so that it is freed once and never in use, whichever
 * thread closes it when; closing never waits, not even in a callback of a call that uses the handle.
 *
 * <p>Handles that were forgotten are found when they are garbage, and closed with the next handle that is made or
 * closed. {@code java.lang.ref.Cleaner}, which does the same with a thread of its own, is not on Android before API 33.
 */
final class Memory extends PhantomReference<Object> {
    static final int PACK = 1;
    static final int PICTURE = 2;
    static final int ALIGNER = 3;
    static final int DETECTOR = 4;
    static final int EMBEDDER = 5;
    static final int EMBEDDING = 6;
    static final int FACES = 7;
    static final int RECOGNIZER = 8;
    static final int GALLERY = 9;
    static final int NAMESPACE = 10;
    static final int BATCH = 11;

    private static final ReferenceQueue<Object> GARBAGE = new ReferenceQueue<>();
    /** References must live to be told of. */
    private static final Set<Reference<Object>> WATCHED = ConcurrentHashMap.newKeySet();

    private final int type;
    private final long pointer;
    /** The handle, calls and views; 0 once it is freed. */
    private final AtomicInteger users = new AtomicInteger(1);
    private final AtomicBoolean closed = new AtomicBoolean();

    Memory(Handle owner, int type, long pointer) {
        super(owner, GARBAGE);
        this.type = type;
        this.pointer = pointer;
        WATCHED.add(this);
        collect();
    }

    /** The pointer, valid until {@link #release}. */
    long use(String name) {
        int count = users.get();
        while (count > 0 && !closed.get()) {
            // As long as anybody uses it, it is not freed: one more may.
            if (users.compareAndSet(count, count + 1)) {
                return pointer;
            }
            count = users.get();
        }
        throw new IllegalStateException("the " + name + " is closed");
    }

    void release() {
        if (users.decrementAndGet() == 0) {
            Jni.free(type, pointer);
        }
    }

    boolean isClosed() {
        return closed.get();
    }

    void close() {
        if (closed.compareAndSet(false, true)) {
            WATCHED.remove(this);
            clear();
            release();
        }
        collect();
    }

    /** Keeps the memory until a buffer that shows it is garbage. To be called within a use. */
    void keepFor(Object view) {
        users.incrementAndGet();
        WATCHED.add(new View(view, this));
    }

    static void collect() {
        Reference<?> garbage;
        while ((garbage = GARBAGE.poll()) != null) {
            if (garbage instanceof View) {
                WATCHED.remove(garbage);
                ((View) garbage).memory.release();
            } else {
                ((Memory) garbage).closeForgotten();
            }
        }
    }

    private void closeForgotten() {
        if (closed.compareAndSet(false, true)) {
            WATCHED.remove(this);
            release();
        }
    }

    /** How many handles and views there are, for tests. */
    static int watched() {
        collect();
        return WATCHED.size();
    }

    /** A direct buffer on the memory. Buffers made of it (slices, views) keep it alive. */
    private static final class View extends PhantomReference<Object> {
        final Memory memory;

        View(Object buffer, Memory memory) {
            super(buffer, GARBAGE);
            this.memory = memory;
        }
    }
}
