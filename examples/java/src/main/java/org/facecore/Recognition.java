package org.facecore;

/** What became of one photo of many: its faces, or why there are none. */
public final class Recognition {
    private final Faces faces;
    private final FacecoreException error;

    Recognition(Faces faces, FacecoreException error) {
        this.faces = faces;
        this.error = error;
    }

    /** The faces, to be closed.
     *
     * @throws FacecoreException if the photo failed */
    public Faces faces() {
        if (error != null) {
            throw error;
        }
        return faces;
    }

    /** Why the photo failed; null if it did not. */
    public FacecoreException error() {
        return error;
    }
}
