package org.facecore;

/** Whether the mirrored face is embedded too. Embeddings made with another setting are not comparable. */
public enum Flip {
    /** It is not. */
    NONE,
    /** The embedding is the sum of both: somewhat better, at twice the cost. */
    SUM,
    /** The embedding is both, one after the other: twice the dimension. */
    CONCAT
}
