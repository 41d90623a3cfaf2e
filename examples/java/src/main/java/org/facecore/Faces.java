package org.facecore;

import java.nio.FloatBuffer;
import java.util.Iterator;
import java.util.List;

/** The faces of an image, best first. What is read here stays readable after closing, but for the embeddings. */
public final class Faces extends Handle implements Iterable<Face> {
    /** Size of the upright image. */
    public final int width;
    public final int height;
    /** For reading and decoding a file; 0 for pixels that were in memory. */
    public final double decodeSeconds;
    public final double detectSeconds;
    public final double alignSeconds;
    public final double embedSeconds;
    private final List<Face> faces;

    /** What {@code fc_out_faces} wrote. */
    static Faces of(byte[] bytes) {
        Answer answer = new Answer(bytes);
        return new Faces(answer.number(), answer);
    }

    private Faces(long pointer, Answer answer) {
        super(Memory.FACES, pointer, "list of faces");
        width = answer.count();
        height = answer.count();
        decodeSeconds = answer.real();
        detectSeconds = answer.real();
        alignSeconds = answer.real();
        embedSeconds = answer.real();
        Face[] found = new Face[answer.count()];
        for (int at = 0; at < found.length; at++) {
            found[at] = new Face(answer);
        }
        faces = Checks.list(found);
    }

    public int count() {
        return faces.size();
    }

    public Face get(int index) {
        return faces.get(index);
    }

    @Override
    public Iterator<Face> iterator() {
        return faces.iterator();
    }

    /** The faces as a list that cannot be changed. */
    public List<Face> list() {
        return faces;
    }

    /**
     * The embedding of a face, which outlives this list and shares its memory.
     *
     * @throws FacecoreException with {@link Status#INVALID_ARGUMENT} if the faces were only detected
     */
    public Embedding embedding(int index) {
        Checks.index(index, count());
        return new Embedding(call(self -> Jni.facesEmbedding(self, index)));
    }

    /**
     * Copies the embeddings of all faces into an array from {@code offset} on, one after the other. How many values
     * each has; 0 if there is no face.
     *
     * @throws FacecoreException with {@link Status#BUFFER_TOO_SMALL}
     */
    public int copyEmbeddings(float[] values, int offset) {
        if (offset < 0 || offset > Checks.given(values, "array").length) {
            throw new IndexOutOfBoundsException("the offset " + offset + " is not in the array");
        }
        return call(self -> Jni.facesCopyToArray(self, values, offset));
    }

    /** As above into a direct buffer in native order, from its position on, which is moved behind them. */
    public int copyEmbeddings(FloatBuffer values) {
        FloatBuffer place = Checks.place(values, "buffer");
        int dimension = (int) (long) call(self -> Jni.facesCopyToBuffer(self, place));
        values.position(values.position() + dimension * count());
        return dimension;
    }
}
