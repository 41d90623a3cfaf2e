package org.facecore;

import java.util.List;

/** A person found by a search. */
public final class Match {
    public final String person;
    /** Cosine of the probe with the person's best face, -1 to 1. */
    public final float score;
    /** Probability, 0 to 1, that probe and person are the same; null as long as the space has no calibration. */
    public final Float probability;
    /** The score minus the best score of any other person met; near 0 the answer is ambiguous. */
    public final float margin;
    /** The face with that score. */
    public final long bestFace;
    /** How many faces of the person reach the threshold, as far as the search met them. */
    public final int hits;

    private Match(Answer answer) {
        person = answer.text();
        score = answer.single();
        boolean hasProbability = answer.flag();
        float said = answer.single();
        probability = hasProbability ? (Float) said : null;
        margin = answer.single();
        bestFace = answer.number();
        hits = answer.count();
    }

    static List<Match> list(Answer answer) {
        Match[] all = new Match[answer.count()];
        for (int at = 0; at < all.length; at++) {
            all[at] = new Match(answer);
        }
        return Checks.list(all);
    }

    @Override
    public String toString() {
        return person + " " + score;
    }
}
