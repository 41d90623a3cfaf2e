package org.facecore;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;

/** Searching, and filters written in Java with whatever they throw. */
final class TestSearches {
    private static final int PEOPLE = 40;

    private TestSearches() {}

    static void run() throws Exception {
        try (Gallery gallery = Gallery.inMemory(); Namespace people = gallery.namespace("staff");
                Embedding probe = TestPeople.near(3, 50)) {
            for (int at = 0; at < PEOPLE; at++) {
                try (Embedding face = TestPeople.axis(at)) {
                    people.add("p" + at, face);
                }
            }
            options(people, probe);
            votesAndBatches(people, probe);
            filters(people, probe);
            filtersThatThrow(people, probe);
            threadsOfC();
            Check.isNull(() -> people.search(null));
            Check.isNull(() -> people.identify(null));
            Check.isNull(() -> people.vote(null, 1, null));
            Check.isNull(() -> people.searchBatch(null, null));
            Check.isNull(() -> people.searchBatch(Collections.<Embedding>singletonList(null), null));
            probe.close();
            Check.closed(() -> people.search(probe));
            Check.closed(() -> people.searchBatch(Arrays.asList(TestPeople.AXIS, probe), null));
            Check.equal(64, TestPeople.AXIS.dimension());
        }
    }

    private static void options(Namespace people, Embedding probe) {
        List<Match> found = people.search(probe);
        Check.equal(1, found.size());
        Match match = found.get(0);
        Check.equal("p3", match.person);
        Check.near(0.9, match.score, 1e-5);
        Check.equal(1, match.hits);
        Check.equal(people.person("p3").faces()[0], match.bestFace);
        Check.equal(null, match.probability);
        Check.near(0.9, match.margin, 0.01);
        Check.equal("p3", people.identify(probe).person);
        Check.equal(10, people.search(probe, new SearchOptions().threshold(-1)).size());
        Check.equal(3, people.search(probe, new SearchOptions().threshold(-1).topK(3)).size());
        Check.equal(0, people.search(probe, new SearchOptions().threshold(0.95f)).size());
        Check.equal(1, people.search(probe, new SearchOptions().exact()).size());
        Check.equal(1, people.search(probe, new SearchOptions().nearest(20)).size());
        Check.equal(1, people.search(probe, new SearchOptions().within(0.01)).size());
        Check.status(Status.INVALID_ARGUMENT, () -> people.search(probe, new SearchOptions().within(7)));
        Check.status(Status.INVALID_ARGUMENT, () -> people.search(probe, new SearchOptions().threshold(Float.NaN)));
        Check.throwing(IllegalArgumentException.class, () -> new SearchOptions().topK(-1));
        SearchOptions two = new SearchOptions().threshold(-1).among(Arrays.asList("p1", "p3", "nobody"));
        Check.equal(2, people.search(probe, two).size());
        Check.equal(1, people.search(probe, two.excluding(Collections.singleton("p1"))).size());
        Check.equal(0, people.search(probe, new SearchOptions().among(Collections.<String>emptySet())).size());
        Check.equal(1, people.search(probe, new SearchOptions().among(null).excluding(null)).size());
        Check.isNull(() -> people.search(probe, new SearchOptions().among(Arrays.asList("a", null))));
        try (Embedding stranger = TestPeople.axis(60)) {
            Check.equal(null, people.identify(stranger));
            Check.equal(null, people.vote(stranger, 5, null));
        }
        try (Embedding other = Embedding.ofRaw(new float[] { 1, 2 }, TestPeople.SPACE)) {
            Check.status(Status.DIMENSION_MISMATCH, () -> people.search(other));
            Check.status(Status.DIMENSION_MISMATCH, () -> people.searchBatch(Arrays.asList(probe, other), null));
        }
    }

    private static void votesAndBatches(Namespace people, Embedding probe) {
        Vote vote = people.vote(probe, 5, new SearchOptions().threshold(0.5f));
        Check.equal("p3", vote.person);
        Check.equal(1, vote.votes);
        Check.equal(1, vote.voters);
        Check.near(0.9, vote.score, 1e-5);
        Check.equal(people.person("p3").faces()[0], vote.bestFace);
        Check.status(Status.INVALID_ARGUMENT, () -> people.vote(probe, 0, null));
        Check.throwing(IllegalArgumentException.class, () -> people.vote(probe, -1, null));
        List<Embedding> probes = new ArrayList<>();
        for (int at = 0; at < 50; at++) {
            probes.add(TestPeople.axis(at));
        }
        List<List<Match>> found = people.searchBatch(probes, null);
        Check.equal(50, found.size());
        for (int at = 0; at < 50; at++) {
            Check.equal(at < PEOPLE ? 1 : 0, found.get(at).size());
            Check.that(at >= PEOPLE || found.get(at).get(0).person.equals("p" + at), "the match of " + at);
        }
        Set<String> threads = ConcurrentHashMap.newKeySet();
        SearchOptions some = new SearchOptions().filter(person -> {
            threads.add(Thread.currentThread().getName());
            return person.endsWith("1");
        });
        found = people.searchBatch(probes, some);
        Check.equal(1, found.get(21).size());
        Check.equal(0, found.get(22).size());
        Check.that(!threads.isEmpty(), "it was asked");
        RuntimeException mine = new IllegalStateException("mine");
        Check.that(mine == Check.throwing(RuntimeException.class, () -> people.searchBatch(probes,
                new SearchOptions().filter(person -> {
                    throw mine;
                }))), "the very exception");
        Check.equal(0, people.searchBatch(Collections.<Embedding>emptyList(), null).size());
        for (Embedding one : probes) {
            one.close();
        }
    }

    private static void filters(Namespace people, Embedding probe) {
        Set<String> asked = ConcurrentHashMap.newKeySet();
        SearchOptions odd = new SearchOptions().threshold(-1).topK(PEOPLE).excluding(Arrays.asList("p7"));
        odd.filter(person -> {
            asked.add(person);
            // It may call anything here.
            Check.equal(person, people.person(person).id);
            Check.equal(1, people.search(probe, new SearchOptions().filter("p3"::equals)).size());
            return person.charAt(person.length() - 1) % 2 == 1;
        });
        Check.equal(PEOPLE / 2 - 1, people.search(probe, odd).size());
        Check.that(asked.size() == PEOPLE - 1 && !asked.contains("p7"), "who was asked about: " + asked);
        Check.equal("p3", people.vote(probe, 5, new SearchOptions().filter("p3"::equals)).person);
        Check.equal(null, people.vote(probe, 5, new SearchOptions().filter("p4"::equals)));
        // Errors of the library within a filter are the filter's own affair.
        Check.equal(1, people.search(probe, new SearchOptions().filter(person -> {
            Check.status(Status.PERSON_NOT_FOUND, () -> people.person("nobody"));
            return true;
        })).size());
        // Many calls from one native frame: local references must not pile up.
        for (int turn = 0; turn < 200; turn++) {
            people.search(probe, new SearchOptions().threshold(-1).filter(person -> true));
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> boolean sneak(Throwable thrown) throws T {
        throw (T) thrown;
    }

    private static void filtersThatThrow(Namespace people, Embedding probe) {
        for (Throwable mine : new Throwable[] { new IllegalStateException("mine 😀"), new IOException("checked"),
            new StackOverflowError("an error"), new FacecoreException(210, "of another call") }) {
            int[] asked = { 0 };
            Predicate<String> throwing = person -> {
                asked[0]++;
                return asked[0] < 5 || TestSearches.<RuntimeException>sneak(mine);
            };
            SearchOptions options = new SearchOptions().threshold(-1).filter(throwing);
            Check.that(mine == Check.throwing(Throwable.class, () -> people.search(probe, options)), "the very one");
            Check.equal(5, asked[0]);
            asked[0] = 4;
            Check.that(mine == Check.throwing(Throwable.class, () -> people.vote(probe, 3, options)), "in a vote too");
            Check.equal(1, people.search(probe).size());
        }
        // The inner search throws, the outer filter catches.
        Check.equal(1, people.search(probe, new SearchOptions().filter(person -> {
            Check.throwing(ArithmeticException.class, () -> people.search(probe, new SearchOptions().filter(inner -> {
                throw new ArithmeticException("inner");
            })));
            return true;
        })).size());
    }

    /** The library may ask on its own threads, which Java does not know. */
    private static void threadsOfC() {
        Set<Thread> threads = ConcurrentHashMap.newKeySet();
        Predicate<String> even = person -> {
            threads.add(Thread.currentThread());
            Check.that(person.equals("even") || person.equals("odd 😀"), person);
            return person.equals("even");
        };
        Check.equal(4000L, Fake.askOnThreads(even));
        Check.equal(8, threads.size());
        for (Thread thread : threads) {
            Check.that(thread.isDaemon() && !thread.isAlive(), "attached as a daemon, and detached");
        }
        RuntimeException mine = new IllegalStateException("mine");
        Predicate<String> throwing = person -> {
            throw mine;
        };
        Check.that(mine == Check.throwing(RuntimeException.class, () -> Fake.askOnThreads(throwing)), "of a thread");
    }
}
