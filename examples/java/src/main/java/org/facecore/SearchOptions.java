package org.facecore;

import java.util.Collection;
import java.util.function.Predicate;

/** What a search looks for. */
public final class SearchOptions {
    private int topK;
    private boolean hasThreshold;
    private float threshold;
    private int reach;
    private int reachFaces;
    private double reachMiss;
    private Collection<String> among;
    private Collection<String> excluding;
    private Predicate<String> filter;

    /** At most so many people; 0 stands for 10. */
    public SearchOptions topK(int value) {
        topK = Checks.notNegative(value, "greatest number of people");
        return this;
    }

    /** A person matches if the cosine of the best face is at least this, in place of the space's threshold; -1 takes
     * everybody. */
    public SearchOptions threshold(float value) {
        hasThreshold = true;
        threshold = value;
        return this;
    }

    /** Compares every face in full. */
    public SearchOptions exact() {
        reach = 1;
        return this;
    }

    /** Compares so many faces that look nearest at first sight. */
    public SearchOptions nearest(int faces) {
        reach = 2;
        reachFaces = Checks.notNegative(faces, "number of faces");
        return this;
    }

    /** Compares so many faces that one at the threshold is missed with at most this probability. */
    public SearchOptions within(double miss) {
        reach = 3;
        reachMiss = miss;
        return this;
    }

    /** Only these people are considered; null considers all, an empty collection nobody. */
    public SearchOptions among(Collection<String> people) {
        among = people;
        return this;
    }

    /** These people are not considered. */
    public SearchOptions excluding(Collection<String> people) {
        excluding = people;
        return this;
    }

    /**
     * Decides who is considered, of those that {@link #among} and {@link #excluding} leave. It may be asked on several
     * threads at once and may call anything here. What it throws ends the search and is thrown by it.
     */
    public SearchOptions filter(Predicate<String> value) {
        filter = value;
        return this;
    }

    Predicate<String> filter() {
        return filter;
    }

    byte[] bytes() {
        return new Request().number(topK).flag(hasThreshold).real(threshold).number(reach).number(reachFaces)
                .real(reachMiss).texts(among, "person").texts(excluding, "person").bytes();
    }

    /** The options alone; null for null. */
    static byte[] bytes(SearchOptions options) {
        return options == null ? null : options.bytes();
    }

    static Predicate<String> filter(SearchOptions options) {
        return options == null ? null : options.filter;
    }
}
