package org.facecore;

/** What the nearest faces agreed on. */
public final class Vote {
    public final String person;
    /** How many of the nearest faces are the person's. */
    public final int votes;
    /** How many of the nearest faces reach the threshold. */
    public final int voters;
    /** Cosine of the probe with the nearest of the person's faces. */
    public final float score;
    /** That face. */
    public final long bestFace;

    Vote(Answer answer) {
        person = answer.text();
        votes = answer.count();
        voters = answer.count();
        score = answer.single();
        bestFace = answer.number();
    }
}
