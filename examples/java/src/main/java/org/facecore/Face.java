package org.facecore;

/** A face that was found. Positions are pixels of the upright image, x to the right and y downwards. */
public final class Face {
    /** The box around it, which may reach over the image's edges. */
    public final float x1;
    public final float y1;
    public final float x2;
    public final float y2;
    /** How sure the detector is, 0 to 1; not comparable between models. */
    public final float score;
    /** x and y of five points, or null. */
    private final float[] landmarks;

    Face(Answer answer) {
        x1 = answer.single();
        y1 = answer.single();
        x2 = answer.single();
        y2 = answer.single();
        score = answer.single();
        landmarks = answer.flag() ? new float[10] : null;
        for (int at = 0; landmarks != null && at < 10; at++) {
            landmarks[at] = answer.single();
        }
    }

    /** x and y, one after the other, of image-left eye, image-right eye, tip of the nose, image-left and image-right
     * mouth corner; null if the model gives none. */
    public float[] landmarks() {
        return landmarks == null ? null : landmarks.clone();
    }

    @Override
    public String toString() {
        return "[" + x1 + ", " + y1 + ", " + x2 + ", " + y2 + "] " + score;
    }
}
