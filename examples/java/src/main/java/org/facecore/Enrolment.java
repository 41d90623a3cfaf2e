package org.facecore;

import java.util.List;

/** What became of photos that were to be enrolled. */
public final class Enrolment {
    /** How many faces were enrolled. */
    public final int faces;
    /** All photos, enrolled or not. */
    public final List<Photo> photos;

    Enrolment(byte[] bytes) {
        Answer answer = new Answer(bytes);
        faces = answer.count();
        Photo[] all = new Photo[answer.count()];
        for (int at = 0; at < all.length; at++) {
            all[at] = new Photo(answer);
        }
        photos = Checks.list(all);
    }

    /** What became of one photo. */
    public static final class Photo {
        public final String path;
        /** Whom it was to be enrolled as. */
        public final String person;
        /** {@link Status#OK}, or why there is no new face. */
        public final Status status;
        /** The reason in words; null if there is a new face. */
        public final String message;
        /** The new face; 0 if there is none. */
        public final long face;

        Photo(Answer answer) {
            path = answer.text();
            person = answer.text();
            status = Status.of(answer.count());
            message = answer.text();
            face = answer.number();
        }
    }
}
