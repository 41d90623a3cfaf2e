package org.facecore;

/** What is known of an enrolled face; {@link Namespace#faceEmbedding} has its embedding. */
public final class EnrolledFace {
    public final long id;
    /** Whose face it is. */
    public final String person;
    /** Null if that was not said. */
    public final Float quality;
    /** Where it came from; null if that was not said. */
    public final String source;
    /** What the application stored with the face, a JSON object. */
    public final String metadata;

    EnrolledFace(Answer answer) {
        id = answer.number();
        person = answer.text();
        boolean hasQuality = answer.flag();
        float said = answer.single();
        quality = hasQuality ? (Float) said : null;
        source = answer.text();
        metadata = answer.text();
    }
}
