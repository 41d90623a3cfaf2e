package org.facecore;

/** Whether two photos show the same person. */
public final class Comparison {
    /** -1 to 1; higher is more alike. */
    public final float cosine;
    /** From which cosine on two faces are taken for the same person. */
    public final float threshold;
    public final boolean same;

    Comparison(Answer answer) {
        cosine = answer.single();
        threshold = answer.single();
        same = answer.flag();
    }
}
