package org.facecore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/** A set of people within a gallery. The first face pins the embedding space and dimension. What a method changes is
 * durable when it returns, unless the gallery is relaxed. */
public final class Namespace extends Handle {
    private static final int PAGE = 256;

    Namespace(long pointer) {
        super(Memory.NAMESPACE, pointer, "namespace");
    }

    public String name() {
        return new Answer(call(Jni::namespaceName)).text();
    }

    /** How many people are enrolled. */
    public long personCount() {
        return call(Jni::personCount);
    }

    /** How many faces are enrolled. */
    public long faceCount() {
        return call(Jni::faceCount);
    }

    /** How many values the embeddings have; 0 until that is pinned. */
    public int dimension() {
        return call(Jni::namespaceDimension);
    }

    /** The embedding space of the faces; null until it is pinned. */
    public Space space() {
        return Space.read(call(Jni::namespaceSpace));
    }

    /** Pins space and dimension before the first face does. */
    public void pin(Space space, int dimension) {
        byte[] request = Space.bytes(space);
        change(self -> Jni.pin(self, request, Checks.notNegative(dimension, "dimension"), false));
    }

    /** Throws what {@link #pin} would throw, and changes nothing. */
    public void check(Space space, int dimension) {
        byte[] request = Space.bytes(space);
        change(self -> Jni.pin(self, request, Checks.notNegative(dimension, "dimension"), true));
    }

    /** Adds a face to a person, who is made if absent; the face's id. */
    public long add(String person, Embedding embedding) {
        byte[] request = Request.of(person, "person's id");
        return call(Checks.given(embedding, "embedding"), (self, face) -> Jni.add(self, request, face));
    }

    /** Adds faces to a person, who is made if absent: all or, on error, none. Their ids. */
    public long[] enrol(String person, Collection<NewFace> faces) {
        return call(self -> NewFace.enrol(person, faces, request -> Jni.enrol(self, request)));
    }

    /** Gives a face another embedding; the face's id, or that of one with exactly these values. */
    public long replaceFace(long face, Embedding embedding) {
        return call(Checks.given(embedding, "embedding"), (self, other) -> Jni.replaceFace(self, face, other));
    }

    /** Removes a face; its person stays. */
    public void removeFace(long face) {
        change(self -> Jni.removeFace(self, face));
    }

    /** Removes a person with all faces. */
    public void removePerson(String person) {
        byte[] request = Request.of(person, "person's id");
        change(self -> Jni.removePerson(self, request));
    }

    /** Gives a person another id. */
    public void rename(String person, String newId) {
        byte[] request = Request.of(person, "person's id", Checks.given(newId, "new id"));
        change(self -> Jni.rename(self, request));
    }

    /** Sets the name to show for a person; null removes it. */
    public void setName(String person, String name) {
        byte[] request = Request.of(person, "person's id", name);
        change(self -> Jni.setName(self, request));
    }

    /** Replaces what the application stored with a person, a JSON object; null for nothing. */
    public void setMetadata(String person, String json) {
        byte[] request = Request.of(person, "person's id", json);
        change(self -> Jni.setMetadata(self, request));
    }

    /** Replaces what the application stored with a face, a JSON object; null for nothing. */
    public void setFaceMetadata(long face, String json) {
        byte[] request = new Request().text(json).bytes();
        change(self -> Jni.setFaceMetadata(self, face, request));
    }

    /** Gives all faces of {@code from} to {@code into}, and removes {@code from}. */
    public void merge(String from, String into) {
        byte[] request = Request.of(from, "person's id", Checks.given(into, "person's id"));
        change(self -> Jni.merge(self, request));
    }

    /** Moves a person with everything into another namespace of the same gallery. */
    public void movePerson(String person, Namespace to) {
        byte[] request = Request.of(person, "person's id");
        call(Checks.given(to, "other namespace"), (self, other) -> {
            Jni.movePerson(self, request, other);
            return null;
        });
    }

    /** Removes everybody and forgets the pinned space. */
    public void clear() {
        change(Jni::clear);
    }

    /** Makes all changes of a batch with one commit; what each came to, in order. */
    public List<Outcome> apply(Batch batch) {
        return Outcome.list(new Answer(call(Checks.given(batch, "batch"), Jni::apply)));
    }

    public Person person(String id) {
        byte[] request = Request.of(id, "person's id");
        return people(call(self -> Jni.person(self, request)))[0];
    }

    /** At most {@code limit} people whose ids come after {@code after} by their bytes; null for the first. */
    public List<Person> persons(String after, int limit) {
        Checks.notNegative(limit, "limit");
        byte[] request = new Request().text(after).bytes();
        return Checks.list(people(call(self -> Jni.persons(self, request, limit))));
    }

    private static Person[] people(byte[] bytes) {
        Answer answer = new Answer(bytes);
        Person[] all = new Person[answer.count()];
        for (int at = 0; at < all.length; at++) {
            all[at] = new Person(answer);
        }
        return all;
    }

    /** Everybody, in the order of the bytes of their ids, read page by page as one goes on. */
    public Iterable<Person> persons() {
        return () -> new Iterator<Person>() {
            private List<Person> page = persons(null, PAGE);
            private int at;

            @Override
            public boolean hasNext() {
                if (at == page.size() && at == PAGE) {
                    page = persons(page.get(at - 1).id, PAGE);
                    at = 0;
                }
                return at < page.size();
            }

            @Override
            public Person next() {
                if (!hasNext()) {
                    throw new NoSuchElementException("that was everybody");
                }
                return page.get(at++);
            }
        };
    }

    public EnrolledFace face(long id) {
        return new EnrolledFace(new Answer(call(self -> Jni.enrolledFace(self, id))));
    }

    /** The embedding of an enrolled face, bit for bit. */
    public Embedding faceEmbedding(long id) {
        return new Embedding(call(self -> Jni.enrolledEmbedding(self, id)));
    }

    /** The people whose best face is at least as near to the probe as the threshold of its space, best first. */
    public List<Match> search(Embedding probe) {
        return search(probe, null);
    }

    /** As above with options; null for the default. */
    public List<Match> search(Embedding probe, SearchOptions options) {
        byte[] request = SearchOptions.bytes(options);
        return Match.list(new Answer(call(Checks.given(probe, "probe"),
                (self, face) -> Jni.search(self, face, request, SearchOptions.filter(options)))));
    }

    /** Searches for many probes at once, which costs less than one at a time; the matches of each, in their order. */
    public List<List<Match>> searchBatch(List<Embedding> probes, SearchOptions options) {
        Embedding[] all = Checks.given(probes, "list of probes").toArray(new Embedding[0]);
        for (Embedding probe : all) {
            Checks.given(probe, "probe");
        }
        byte[] request = SearchOptions.bytes(options);
        Request pointers = new Request().number(all.length);
        long[] used = useAll(all);
        Answer answer;
        try {
            for (long pointer : used) {
                pointers.number(pointer);
            }
            answer = new Answer(call(self -> Jni.searchBatch(self, pointers.bytes(), request,
                    SearchOptions.filter(options))));
        } finally {
            releaseAll(all);
        }
        List<List<Match>> found = new ArrayList<>();
        for (int at = 0; at < all.length; at++) {
            found.add(Match.list(answer));
        }
        return found;
    }

    /** Who this is: the best match at or above the threshold; null if it is nobody enrolled here. */
    public Match identify(Embedding probe) {
        List<Match> found = Match.list(new Answer(call(Checks.given(probe, "probe"), Jni::identify)));
        return found.isEmpty() ? null : found.get(0);
    }

    /** Lets the nearest faces vote; null if none reaches the threshold. Options may be null. */
    public Vote vote(Embedding probe, int faces, SearchOptions options) {
        byte[] request = SearchOptions.bytes(options);
        Checks.notNegative(faces, "number of faces");
        Answer answer = new Answer(call(Checks.given(probe, "probe"),
                (self, face) -> Jni.vote(self, face, faces, request, SearchOptions.filter(options))));
        return answer.count() == 0 ? null : new Vote(answer);
    }

    public Stats stats() {
        return new Stats(new Answer(call(Jni::namespaceStats)));
    }

    /** What a namespace takes up. */
    public static final class Stats {
        public final int dimension;
        public final long persons;
        public final long faces;
        public final long removedFaces;
        public final long vectorBytes;
        public final long searchBytes;

        Stats(Answer answer) {
            dimension = answer.count();
            persons = answer.number();
            faces = answer.number();
            removedFaces = answer.number();
            vectorBytes = answer.number();
            searchBytes = answer.number();
        }
    }
}
