package org.facecore;

/** How a gallery is opened. */
public final class GalleryOptions {
    private boolean mustExist;
    private boolean readOnly;
    private boolean relaxed;
    private int snapshotEvery;
    private long cacheBytes;

    /** A gallery that is not there is an error, instead of being made. */
    public GalleryOptions mustExist() {
        mustExist = true;
        return this;
    }

    /** For reading: any number of processes may, as long as none has it open for writing. */
    public GalleryOptions readOnly() {
        readOnly = true;
        return this;
    }

    /** A crash may cost the last changes, but leaves none half done; {@link Gallery#flush} makes them durable. */
    public GalleryOptions relaxed() {
        relaxed = true;
        return this;
    }

    /** After how many changes what searches need is written to files; 0 for the default. */
    public GalleryOptions snapshotEvery(int changes) {
        snapshotEvery = Checks.notNegative(changes, "number of changes");
        return this;
    }

    /** Memory for the rows read last; 0 stands for 64 MiB. */
    public GalleryOptions cacheBytes(long bytes) {
        cacheBytes = Checks.notNegative(bytes, "memory");
        return this;
    }

    void write(Request request) {
        request.flag(mustExist).flag(readOnly).flag(relaxed).number(snapshotEvery).number(cacheBytes);
    }
}
