package org.facecore;

import java.util.Arrays;
import java.util.Collection;

/** Changes that become durable and visible together, by {@link Namespace#apply}. Each method adds the change that the
 * method of {@link Namespace} with the same name makes. */
public final class Batch extends Handle {
    public Batch() {
        super(Memory.BATCH, Jni.batchNew(), "batch");
    }

    /** Makes the whole batch fail if any of its items does. */
    public Batch allOrNothing() {
        return with(Jni::batchAllOrNothing);
    }

    private Batch with(Change change) {
        change(change);
        return this;
    }

    public Batch add(String person, Embedding embedding) {
        return enrol(person, Arrays.asList(new NewFace(embedding)));
    }

    /** If one of the faces cannot be added, none is. */
    public Batch enrol(String person, Collection<NewFace> faces) {
        return with(self -> NewFace.enrol(person, faces, request -> {
            Jni.batchEnrol(self, request);
            return null;
        }));
    }

    public Batch replaceFace(long face, Embedding embedding) {
        call(Checks.given(embedding, "embedding"), (self, other) -> {
            Jni.batchReplaceFace(self, face, other);
            return null;
        });
        return this;
    }

    public Batch setFaceMetadata(long face, String json) {
        byte[] request = new Request().text(json).bytes();
        return with(self -> Jni.batchSetFaceMetadata(self, face, request));
    }

    public Batch removeFace(long face) {
        return with(self -> Jni.batchRemoveFace(self, face));
    }

    public Batch removePerson(String person) {
        byte[] request = Request.of(person, "person's id");
        return with(self -> Jni.batchRemovePerson(self, request));
    }

    public Batch rename(String person, String newId) {
        byte[] request = Request.of(person, "person's id", Checks.given(newId, "new id"));
        return with(self -> Jni.batchRename(self, request));
    }

    public Batch merge(String from, String into) {
        byte[] request = Request.of(from, "person's id", Checks.given(into, "person's id"));
        return with(self -> Jni.batchMerge(self, request));
    }

    public Batch setName(String person, String name) {
        byte[] request = Request.of(person, "person's id", name);
        return with(self -> Jni.batchSetName(self, request));
    }

    public Batch setMetadata(String person, String json) {
        byte[] request = Request.of(person, "person's id", json);
        return with(self -> Jni.batchSetMetadata(self, request));
    }

    /** How many changes there are. */
    public long count() {
        return call(Jni::batchCount);
    }
}
