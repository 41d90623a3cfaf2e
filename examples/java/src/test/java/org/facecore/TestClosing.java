package org.facecore;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Handles that are closed while others use them, and handles that are forgotten. */
final class TestClosing {
    private static final int THREADS = 16;

    private TestClosing() {}

    /** Runs a body on 16 threads at once, and throws what any throws. */
    private static void together(ThreadBody body) throws Exception {
        CyclicBarrier start = new CyclicBarrier(THREADS);
        AtomicReference<Throwable> failed = new AtomicReference<>();
        List<Thread> threads = new ArrayList<>();
        for (int at = 0; at < THREADS; at++) {
            int number = at;
            Thread thread = new Thread(() -> {
                try {
                    start.await();
                    body.run(number);
                } catch (Throwable error) {
                    failed.compareAndSet(null, error);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (failed.get() != null) {
            throw new AssertionError(failed.get());
        }
    }

    interface ThreadBody {
        void run(int number) throws Exception;
    }

    static void run() throws Exception {
        racing();
        everybodyCloses();
        withinACallback();
        duringACall();
        forgotten();
    }

    /** All use one handle until one thread closes it: calls either end well or say that it is closed. */
    private static void racing() throws Exception {
        for (int turn = 0; turn < 30; turn++) {
            Recognizer recognizer = Fake.open(3, 128);
            Gallery gallery = Gallery.inMemory();
            Namespace people = gallery.namespace("staff");
            people.add("ann", TestPeople.AXIS);
            Embedding probe = TestPeople.near(0, 1);
            Faces faces = recognizer.recognize(Fake.image());
            int after = turn;
            together(number -> {
                for (int call = 0; ; call++) {
                    if (number == 0 && call == after) {
                        recognizer.close();
                        people.close();
                        gallery.close();
                        probe.close();
                        faces.close();
                    }
                    try {
                        switch (number % 4) {
                            case 0:
                                try (Faces found = recognizer.recognize(Fake.image())) {
                                    Check.equal(3, found.count());
                                }
                                break;
                            case 1:
                                SearchOptions ann = new SearchOptions().filter("ann"::equals);
                                Check.equal("ann", people.search(probe, ann).get(0).person);
                                break;
                            case 2:
                                FloatBuffer values = probe.values();
                                Check.near(0.9, values.get(0), 1e-5);
                                break;
                            default:
                                try (Embedding one = faces.embedding(2)) {
                                    Check.equal(128, one.toArray().length);
                                }
                                people.add("bob" + number, TestPeople.AXIS);
                                gallery.namespaces();
                                break;
                        }
                    } catch (IllegalStateException closed) {
                        Check.that(closed.getMessage().endsWith("is closed"), closed.getMessage());
                        return;
                    }
                }
            });
            Check.closed(() -> recognizer.recognize(Fake.image()));
            Check.closed(() -> people.search(TestPeople.AXIS));
        }
    }

    private static void everybodyCloses() throws Exception {
        for (int turn = 0; turn < 200; turn++) {
            Embedding embedding = TestPeople.axis(turn % 64);
            embedding.values();
            together(number -> embedding.close());
            Check.closed(embedding::dimension);
        }
    }

    /** A filter closes what its search uses: that ends as usual, and nobody waits. */
    private static void withinACallback() {
        Gallery gallery = Gallery.inMemory();
        Namespace people = gallery.namespace("staff");
        people.add("ann", TestPeople.AXIS);
        Embedding probe = TestPeople.axis(0);
        List<Match> found = people.search(probe, new SearchOptions().filter(person -> {
            people.close();
            probe.close();
            gallery.close();
            return true;
        }));
        Check.equal("ann", found.get(0).person);
        Check.closed(() -> people.search(TestPeople.AXIS));
        Check.closed(probe::norm);
    }

    /** Closing returns while a call is in flight, and that call still ends well. */
    private static void duringACall() throws Exception {
        Gallery gallery = Gallery.inMemory();
        Namespace people = gallery.namespace("staff");
        people.add("ann", TestPeople.AXIS);
        CountDownLatch within = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        AtomicReference<Object> result = new AtomicReference<>();
        Thread caller = new Thread(() -> {
            try {
                result.set(people.search(TestPeople.AXIS, new SearchOptions().filter(person -> {
                    within.countDown();
                    try {
                        closed.await();
                    } catch (InterruptedException error) {
                        throw new IllegalStateException(error);
                    }
                    return true;
                })).size());
            } catch (RuntimeException error) {
                result.set(error);
            }
        });
        caller.start();
        within.await();
        people.close();
        gallery.close();
        Check.closed(people::personCount);
        closed.countDown();
        caller.join();
        Check.equal(1, result.get());
    }

    /** What nobody closed is freed when it is garbage; what is in use is not. */
    private static void forgotten() throws Exception {
        List<Embedding> kept = new ArrayList<>();
        List<FloatBuffer> views = new ArrayList<>();
        for (int at = 0; at < 1000; at++) {
            Embedding embedding = TestPeople.axis(at % 64);
            if (at % 100 == 0) {
                kept.add(embedding);
            } else if (at % 100 == 1) {
                views.add(embedding.values());
            }
        }
        for (int turn = 0; Memory.watched() > 100 && turn < 200; turn++) {
            System.gc();
            Thread.sleep(10);
        }
        Check.that(Memory.watched() <= 100, Memory.watched() + " handles are still there");
        for (int at = 0; at < 10; at++) {
            Check.equal(1f, kept.get(at).values().get(at * 100 % 64));
            Check.equal(1f, views.get(at).get((at * 100 + 1) % 64));
            kept.get(at).close();
        }
        // Calls on handles that nothing but the call refers to, while garbage is collected.
        AtomicInteger done = new AtomicInteger();
        Thread collector = new Thread(() -> {
            while (done.get() == 0) {
                System.gc();
                Memory.collect();
            }
        });
        collector.start();
        try {
            for (int at = 0; at < 3000; at++) {
                Check.equal(64, TestPeople.axis(at % 64).dimension());
                Check.equal(1f, TestPeople.axis(at % 64).values().get(at % 64));
            }
        } finally {
            done.set(1);
            collector.join();
        }
    }
}
