package org.facecore;

/** Which face a photo stands for. */
public enum Choice {
    /** The only one; several are an error. */
    ONLY,
    /** The one with the largest box. */
    LARGEST,
    /** The one that is both large and near the centre. */
    CENTRAL
}
