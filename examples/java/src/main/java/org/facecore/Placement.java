package org.facecore;

/** What really runs a model. */
public final class Placement {
    /** Runtime and version. */
    public final String runtime;
    /** {@code CPU}, {@code OpenVINO}, {@code CUDA}, {@code TensorRT}. */
    public final String provider;
    /** The device within the provider. */
    public final String device;
    /** {@code f32}, {@code bf16}, {@code fp16}, {@code tf32}. */
    public final String precision;
    /** Threads of one call. */
    public final int threads;
    /** Why something better was not taken; empty if there is nothing to say. */
    public final String notes;

    Placement(byte[] bytes) {
        Answer answer = new Answer(bytes);
        runtime = answer.text();
        provider = answer.text();
        device = answer.text();
        precision = answer.text();
        threads = answer.count();
        notes = answer.text();
    }

    @Override
    public String toString() {
        return runtime + " " + provider + " " + precision;
    }
}
