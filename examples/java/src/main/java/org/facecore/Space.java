package org.facecore;

/** What makes two embeddings comparable, and from which cosine on two faces are taken for the same person. */
public final class Space {
    public final String id;
    /** -1 to 1. */
    public final float threshold;

    public Space(String id, float threshold) {
        this.id = Checks.given(id, "id");
        this.threshold = threshold;
    }

    /** Null for a space that is not there. */
    static Space read(byte[] bytes) {
        Answer answer = new Answer(bytes);
        String id = answer.text();
        return id == null ? null : new Space(id, answer.single());
    }

    static byte[] bytes(Space space) {
        Checks.given(space, "space");
        return new Request().text(space.id).real(space.threshold).bytes();
    }
}
