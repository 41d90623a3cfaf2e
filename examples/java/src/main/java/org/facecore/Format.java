package org.facecore;

/** How pixels lie in memory. */
public enum Format {
    /** 3 bytes a pixel: red, green, blue. */
    RGB,
    /** 3 bytes a pixel: blue, green, red. */
    BGR,
    /** 4 bytes a pixel, as of an Android Bitmap with ARGB_8888; alpha is ignored. */
    RGBA,
    /** 4 bytes a pixel: blue, green, red, alpha; alpha is ignored. */
    BGRA,
    /** 1 byte a pixel. */
    GRAY,
    /** A plane of luma, then one of half width and height with (U, V) pairs. BT.601, full range. */
    NV12,
    /** As NV12 with (V, U) pairs: Android's cameras. */
    NV21
}
