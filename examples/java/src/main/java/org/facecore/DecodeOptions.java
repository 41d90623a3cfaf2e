package org.facecore;

/** How pictures are decoded. */
public final class DecodeOptions {
    private boolean ignoreExif;
    private long maxPixels;
    private long maxBytes;

    /** Leaves the picture as it is stored, whatever its EXIF orientation says. */
    public DecodeOptions ignoreExif() {
        ignoreExif = true;
        return this;
    }

    /** The most pixels a picture may have; 0 stands for 128 million. */
    public DecodeOptions maxPixels(long value) {
        maxPixels = Checks.notNegative(value, "greatest number of pixels");
        return this;
    }

    /** The most bytes the encoded picture may have; 0 stands for 256 MiB. */
    public DecodeOptions maxBytes(long value) {
        maxBytes = Checks.notNegative(value, "greatest number of bytes");
        return this;
    }

    void write(Request request) {
        request.flag(ignoreExif).number(maxPixels).number(maxBytes);
    }

    byte[] bytes() {
        Request request = new Request();
        write(request);
        return request.bytes();
    }
}
