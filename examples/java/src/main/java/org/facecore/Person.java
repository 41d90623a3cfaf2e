package org.facecore;

/** An enrolled person, as of one moment. */
public final class Person {
    public final String id;
    /** A name to show; null if none was set. */
    public final String name;
    /** What the application stored with the person, a JSON object. */
    public final String metadata;
    private final long[] faces;

    Person(Answer answer) {
        id = answer.text();
        name = answer.text();
        metadata = answer.text();
        faces = new long[answer.count()];
        for (int at = 0; at < faces.length; at++) {
            faces[at] = answer.number();
        }
    }

    /** The ids of the faces, oldest first. */
    public long[] faces() {
        return faces.clone();
    }

    @Override
    public String toString() {
        return name == null ? id : id + " (" + name + ")";
    }
}
