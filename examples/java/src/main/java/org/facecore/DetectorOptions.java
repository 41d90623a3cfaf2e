package org.facecore;

/** What a detector looks for, and how thoroughly. As made, everything is the model's default. */
public final class DetectorOptions {
    private float scoreThreshold;
    private float nmsIou;
    private int maxFaces;
    private float smallestFace;
    private int inputSize;
    private int letterboxWidth;
    private int letterboxHeight;
    private boolean noCloseUps;

    /** Faces scored lower are not reported, 0 to 1; 0 takes the model's usual threshold. */
    public DetectorOptions scoreThreshold(float value) {
        scoreThreshold = value;
        return this;
    }

    /** Of two boxes that overlap more than this the better stays, 0 to 1; 0 takes the model's usual value. */
    public DetectorOptions nmsIou(float value) {
        nmsIou = value;
        return this;
    }

    /** At most so many faces, the best; 0 for all. */
    public DetectorOptions maxFaces(int value) {
        maxFaces = Checks.notNegative(value, "greatest number of faces");
        return this;
    }

    /** Length in pixels of the smallest face to be found; 0 for the default. */
    public DetectorOptions smallestFace(float value) {
        smallestFace = value;
        return this;
    }

    /** Scale to fit into a width and height, padded to exactly that. */
    public DetectorOptions letterbox(int width, int height) {
        inputSize = 1;
        letterboxWidth = Checks.notNegative(width, "width");
        letterboxHeight = Checks.notNegative(height, "height");
        return this;
    }

    /** Do not scale. */
    public DetectorOptions nativeSize() {
        inputSize = 2;
        return this;
    }

    /**
     * Leaves out the second look at a coarse copy, which finds faces that fill the frame; it is taken where the first look
     * finds nobody or leaves it open whether there is one.
     */
    public DetectorOptions noCloseUps() {
        noCloseUps = true;
        return this;
    }

    void write(Request request) {
        request.real(scoreThreshold).real(nmsIou).number(maxFaces).real(smallestFace).number(inputSize)
                .number(letterboxWidth).number(letterboxHeight).flag(noCloseUps);
    }

    /** The options alone; null for null. */
    static byte[] bytes(DetectorOptions options) {
        if (options == null) {
            return null;
        }
        Request request = new Request();
        options.write(request);
        return request.bytes();
    }
}
