package org.facecore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** Changing and reading people, and batches of changes. */
final class TestPeople {
    static final Space SPACE = new Space("test", 0.5f);
    static final Embedding AXIS = axis(0);

    private TestPeople() {}

    /** A unit vector of 64 values. */
    static Embedding axis(int at) {
        float[] values = new float[64];
        values[at] = 1;
        return Embedding.ofRaw(values, SPACE);
    }

    /** One between two axes, at a cosine of 0.9 to the first. */
    static Embedding near(int at, int other) {
        float[] values = new float[64];
        values[at] = 0.9f;
        values[other] = (float) Math.sqrt(1 - 0.81);
        return Embedding.ofRaw(values, SPACE);
    }

    static void run() {
        try (Gallery gallery = Gallery.inMemory(); Namespace people = gallery.namespace("staff");
                Namespace others = gallery.namespace("others"); Embedding x = axis(0); Embedding y = axis(1);
                Embedding z = axis(2)) {
            Check.equal(null, people.space());
            Check.equal(0, people.dimension());
            people.check(SPACE, 64);
            Check.equal(0, people.dimension());
            people.pin(SPACE, 64);
            Check.equal("test", people.space().id);
            Check.status(Status.EMBEDDING_SPACE_MISMATCH, () -> people.check(new Space("other", 0.5f), 64));
            // As long as nobody is there, another pin takes its place.
            people.pin(SPACE, 128);
            people.pin(SPACE, 64);
            Check.isNull(() -> people.pin(null, 64));
            Check.throwing(IllegalArgumentException.class, () -> people.pin(SPACE, -1));
            enrolling(people, x, y, z);
            Check.status(Status.DIMENSION_MISMATCH, () -> people.pin(SPACE, 128));
            Check.status(Status.EMBEDDING_SPACE_MISMATCH, () -> people.pin(new Space("other", 0.5f), 64));
            changing(people, others, x);
            batches(people, x, y);
            Check.isNull(() -> people.add(null, x));
            Check.isNull(() -> people.add("a", null));
            Check.isNull(() -> people.rename("ann", null));
            Check.isNull(() -> people.enrol("a", null));
            Check.isNull(() -> people.enrol("a", Collections.<NewFace>singletonList(null)));
            Check.isNull(() -> new NewFace(null));
            Check.isNull(() -> people.movePerson("a", null));
            Check.isNull(() -> people.apply(null));
            people.clear();
            Check.equal(0L, people.personCount());
            Check.equal(null, people.space());
            iterating(people, x);
            x.close();
            Check.closed(() -> people.add("a", x));
            Check.closed(() -> people.enrol("a", Arrays.asList(new NewFace(y), new NewFace(x))));
            Check.equal(64, y.dimension());
            people.close();
            Check.closed(() -> people.personCount());
            Check.closed(() -> people.add("a", y));
            Check.closed(() -> others.movePerson("a", people));
            Check.closed(people::name);
        }
    }

    private static void enrolling(Namespace people, Embedding x, Embedding y, Embedding z) {
        long first = people.add("ann", x);
        Check.equal(first, people.add("ann", x));
        long[] more = people.enrol("ann", Arrays.asList(
                new NewFace(y).quality(0.75f).source("/photos/2.jpg").metadata("{\"year\":2024}"), new NewFace(z)));
        Check.equal(2, more.length);
        Check.equal(0, people.enrol("bob", Collections.<NewFace>emptyList()).length);
        Check.equal(2L, people.personCount());
        Check.equal(3L, people.faceCount());
        Check.that(Arrays.equals(new long[] { first, more[0], more[1] }, people.person("ann").faces()), "faces of ann");
        EnrolledFace face = people.face(more[0]);
        Check.equal(more[0], face.id);
        Check.equal("ann", face.person);
        Check.equal(0.75f, face.quality);
        Check.equal("/photos/2.jpg", face.source);
        Check.equal("{\"year\":2024}", face.metadata);
        Check.equal(null, people.face(more[1]).quality);
        Check.equal(null, people.face(more[1]).source);
        Check.equal("{}", people.face(more[1]).metadata);
        try (Embedding kept = people.faceEmbedding(more[0])) {
            Check.near(1, kept.cosine(y), 1e-6);
        }
        Check.status(Status.FACE_NOT_FOUND, () -> people.face(999));
        Check.status(Status.FACE_NOT_FOUND, () -> people.face(-1));
        Check.status(Status.FACE_NOT_FOUND, () -> people.faceEmbedding(999));
        Check.status(Status.INVALID_ARGUMENT, () -> people.enrol("ann", Arrays.asList(new NewFace(x).metadata("[1]"))));
        Check.status(Status.PERSON_NOT_FOUND, () -> people.person("nobody"));
        try (Embedding elsewhere = Embedding.ofRaw(x.toArray(), new Space("other", 0))) {
            Check.status(Status.EMBEDDING_SPACE_MISMATCH, () -> people.add("ann", elsewhere));
        }
        Namespace.Stats stats = people.stats();
        Check.equal(64, stats.dimension);
        Check.equal(2L, stats.persons);
        Check.equal(3L, stats.faces);
        Check.that(stats.vectorBytes > 0, "bytes");
    }

    private static void changing(Namespace people, Namespace others, Embedding x) {
        long[] faces = people.person("ann").faces();
        people.setName("ann", "Ann B.");
        people.setMetadata("ann", "{\"desk\":7}");
        Check.equal("Ann B.", people.person("ann").name);
        Check.equal("{\"desk\":7}", people.person("ann").metadata);
        people.setName("ann", null);
        people.setMetadata("ann", null);
        Check.equal(null, people.person("ann").name);
        Check.equal("{}", people.person("ann").metadata);
        people.setFaceMetadata(faces[0], "{\"a\":1}");
        Check.equal("{\"a\":1}", people.face(faces[0]).metadata);
        people.setFaceMetadata(faces[0], null);
        Check.equal("{}", people.face(faces[0]).metadata);
        Check.status(Status.INVALID_ARGUMENT, () -> people.setMetadata("ann", "no"));
        try (Embedding other = axis(9)) {
            Check.equal(faces[0], people.replaceFace(faces[0], other));
            Check.equal("ann", people.identify(other).person);
            people.replaceFace(faces[0], x);
        }
        people.removeFace(faces[2]);
        Check.status(Status.FACE_NOT_FOUND, () -> people.removeFace(faces[2]));
        Check.status(Status.PERSON_EXISTS, () -> people.rename("ann", "bob"));
        people.rename("bob", "eve");
        people.merge("eve", "ann");
        Check.status(Status.INVALID_ARGUMENT, () -> people.merge("ann", "ann"));
        people.movePerson("ann", others);
        Check.equal(0L, people.personCount());
        Check.equal("ann", others.identify(x).person);
        Check.status(Status.INVALID_ARGUMENT, () -> others.movePerson("ann", others));
        others.movePerson("ann", people);
        people.removePerson("ann");
        Check.status(Status.PERSON_NOT_FOUND, () -> people.removePerson("ann"));
    }

    private static void batches(Namespace people, Embedding x, Embedding y) {
        try (Batch batch = new Batch(); Embedding elsewhere = Embedding.ofRaw(x.toArray(), new Space("other", 0))) {
            batch.add("ann", x).enrol("ann", Arrays.asList(new NewFace(y).source("s"))).add("bad", elsewhere)
                    .setName("ann", "Ann").setMetadata("ann", "{}").rename("ann", "anna").merge("nobody", "anna")
                    .removePerson("nobody 😀").removeFace(12345).setFaceMetadata(12345, null).replaceFace(12345, y);
            Check.equal(11L, batch.count());
            List<Outcome> outcomes = people.apply(batch);
            Check.equal(11, outcomes.size());
            Check.equal(1, outcomes.get(0).faces().length);
            Check.equal(1, outcomes.get(1).faces().length);
            Check.equal(null, outcomes.get(5).error());
            Check.equal(0, outcomes.get(5).faces().length);
            Status[] refused = { Status.EMBEDDING_SPACE_MISMATCH, null, null, null, Status.PERSON_NOT_FOUND,
                Status.PERSON_NOT_FOUND, Status.FACE_NOT_FOUND, Status.FACE_NOT_FOUND, Status.FACE_NOT_FOUND };
            for (int at = 2; at < 11; at++) {
                FacecoreException error = outcomes.get(at).error();
                Check.equal(refused[at - 2], error == null ? null : error.status());
            }
            Check.that(outcomes.get(7).error().getMessage().contains("nobody 😀"), "the message");
            Check.equal(2, people.person("anna").faces().length);
            Check.equal("Ann", people.person("anna").name);
            batch.allOrNothing();
            Check.throwing(FacecoreException.class, () -> people.apply(batch));
            Check.isNull(() -> batch.add("a", null));
            Check.isNull(() -> batch.replaceFace(1, null));
            Check.isNull(() -> batch.merge("a", null));
            Check.status(Status.INVALID_ARGUMENT, () -> batch.setMetadata("a", "no"));
            batch.close();
            Check.closed(batch::count);
            Check.closed(() -> batch.removeFace(1));
            Check.closed(() -> people.apply(batch));
        }
    }

    private static void iterating(Namespace people, Embedding x) {
        int many = 600;
        try (Batch batch = new Batch()) {
            for (int at = 0; at < many; at++) {
                batch.enrol(String.format("p%04d", at), Collections.<NewFace>emptyList());
            }
            people.apply(batch);
        }
        people.add("p0300", x);
        List<String> ids = new ArrayList<>();
        for (Person person : people.persons()) {
            ids.add(person.id);
            Check.equal(person.id.equals("p0300") ? 1 : 0, person.faces().length);
        }
        Check.equal(many, ids.size());
        Check.equal("p0000", ids.get(0));
        Check.equal("p0599", ids.get(many - 1));
        Check.equal("p0011", people.persons("p0010", 5).get(0).id);
        Check.equal(5, people.persons("p0010", 5).size());
        Check.equal(0, people.persons("p0599", 5).size());
        Check.equal(0, people.persons(null, 0).size());
        Check.throwing(IllegalArgumentException.class, () -> people.persons(null, -1));
        Check.throwing(java.util.NoSuchElementException.class, () -> {
            java.util.Iterator<Person> all = people.persons().iterator();
            while (true) {
                all.next();
            }
        });
    }
}
