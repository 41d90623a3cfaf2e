package org.facecore;

import java.util.List;

/** Turns aligned faces into embeddings. */
public final class Embedder extends Handle {
    private Embedder(long pointer) {
        super(Memory.EMBEDDER, pointer, "embedder");
    }

    /** Loads that of a folder with {@code pack.toml}, or of {@link Facecore#LITE}. */
    public static Embedder open(String pack) {
        return open(Models.of(pack));
    }

    public static Embedder open(Models models) {
        return new Embedder(Checks.given(models, "models").load(Jni::embedderNew));
    }

    /** The embeddings of crops, in their order; crops may be of many images. */
    public List<Embedding> embed(List<Image> crops) {
        Image[] images = Checks.given(crops, "list of crops").toArray(new Image[0]);
        ByteArrays arrays = new ByteArrays(images.length);
        for (int at = 0; at < images.length; at++) {
            Image image = Checks.given(images[at], "crop");
            arrays.data[at] = image.data;
            arrays.chroma[at] = image.chroma;
            arrays.layouts[at] = image.layout;
        }
        long[] made = new long[images.length];
        change(self -> Jni.embed(self, arrays.data, arrays.chroma, arrays.layouts, made));
        Embedding[] embeddings = new Embedding[made.length];
        for (int at = 0; at < made.length; at++) {
            embeddings[at] = new Embedding(made[at]);
        }
        return Checks.list(embeddings);
    }

    private static final class ByteArrays {
        final Object[] data;
        final Object[] chroma;
        final Object[] layouts;

        ByteArrays(int count) {
            data = new Object[count];
            chroma = new Object[count];
            layouts = new Object[count];
        }
    }

    /** How many values an embedding has. */
    public int dimension() {
        return call(Jni::embedderDimension);
    }

    /** The space of the embeddings, with its threshold. */
    public Space space() {
        return Space.read(call(Jni::embedderSpace));
    }

    /** The aligner that cuts crops as the embedder wants them. */
    public Aligner aligner() {
        return new Aligner(call(Jni::embedderAligner));
    }

    /** What really runs the embedder. */
    public Placement placement() {
        return new Placement(call(Jni::embedderPlacement));
    }
}
