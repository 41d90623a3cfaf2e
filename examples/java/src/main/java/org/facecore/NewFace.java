package org.facecore;

import java.util.Collection;

/** A face to enrol. */
public final class NewFace {
    private final Embedding embedding;
    private boolean hasQuality;
    private float quality;
    private String source;
    private String metadata;

    /** The embedding may be closed after the call that enrols it. */
    public NewFace(Embedding embedding) {
        this.embedding = Checks.given(embedding, "embedding");
    }

    /** How good the image is, on whatever scale the application uses. */
    public NewFace quality(float value) {
        hasQuality = true;
        quality = value;
        return this;
    }

    /** Where it came from, such as a file's path; null if that is not to be kept. */
    public NewFace source(String value) {
        source = value;
        return this;
    }

    /** What the application wants stored with the face, a JSON object; null for nothing. */
    public NewFace metadata(String json) {
        metadata = json;
        return this;
    }

    /** Something that enrols what a request names. */
    interface Enrol<T> {
        T with(byte[] request);
    }

    /** Calls with a person and faces, whose embeddings stay valid during the call. */
    static <T> T enrol(String person, Collection<NewFace> faces, Enrol<T> enrol) {
        NewFace[] all = Checks.given(faces, "collection of faces").toArray(new NewFace[0]);
        Handle[] embeddings = new Handle[all.length];
        for (int at = 0; at < all.length; at++) {
            embeddings[at] = Checks.given(all[at], "face").embedding;
        }
        Request request = new Request().text(Checks.given(person, "person's id")).number(all.length);
        long[] pointers = Handle.useAll(embeddings);
        try {
            for (int at = 0; at < all.length; at++) {
                NewFace face = all[at];
                request.number(pointers[at]).flag(face.hasQuality).real(face.quality).text(face.source)
                        .text(face.metadata);
            }
            return enrol.with(request.bytes());
        } finally {
            Handle.releaseAll(embeddings);
        }
    }
}
