package org.facecore;

import java.util.List;

/** What became of one item of a batch. */
public final class Outcome {
    private final FacecoreException error;
    private final long[] faces;

    private Outcome(Answer answer) {
        int status = answer.count();
        String message = answer.text();
        error = status == 0 ? null : new FacecoreException(status, message);
        faces = new long[answer.count()];
        for (int at = 0; at < faces.length; at++) {
            faces[at] = answer.number();
        }
    }

    static List<Outcome> list(Answer answer) {
        Outcome[] all = new Outcome[answer.count()];
        for (int at = 0; at < all.length; at++) {
            all[at] = new Outcome(answer);
        }
        return Checks.list(all);
    }

    /** Why the item was refused; null if it was done. */
    public FacecoreException error() {
        return error;
    }

    /** The ids of the faces that the item enrolled or replaced. */
    public long[] faces() {
        return faces.clone();
    }
}
