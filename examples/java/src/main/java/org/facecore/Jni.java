package org.facecore;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.function.Predicate;

/**
 * What is in src/main/c. A {@code long} is a pointer that a {@link Memory} keeps valid during the call; a
 * {@code byte[] request} was made by a {@link Request}, and what is answered is read by an {@link Answer}. Buffers are
 * direct and begin at their first byte.
 */
final class Jni {
    static {
        Facecore.ensureLoaded();
    }

    private Jni() {}

    static native byte[] version();
    static native boolean isCompatible(int major, int minor);
    static native byte[] statusName(int status);
    static native byte[] liteLicence();
    static native byte[] runtimeReport(byte[] request);
    static native void free(int type, long pointer);
    static native long distance(ByteBuffer from, ByteBuffer to);

    static native long packOpen(byte[] request);
    static native long packFromMemory(byte[] request, Object[] files);
    static native byte[] packInfo(long pack);

    static native long pictureOpen(byte[] request);
    static native long pictureDecode(byte[] array, ByteBuffer buffer, byte[] request);
    static native long pictureCopy(ByteBuffer data, ByteBuffer chroma, byte[] layout);
    static native long pictureSize(long picture);
    static native ByteBuffer picturePixels(long picture);

    static native long detectorNew(byte[] request, long pack, ByteBuffer detector, ByteBuffer embedder);
    static native byte[] detectorPlacement(long detector);
    static native byte[] detect(long detector, ByteBuffer data, ByteBuffer chroma, byte[] layout, byte[] options);

    static native long alignerNew(byte[] request);
    static native long alignerSize(long aligner);
    static native long align(long aligner, ByteBuffer data, ByteBuffer chroma, byte[] layout, float[] landmarks);

    static native long embedderNew(byte[] request, long pack, ByteBuffer detector, ByteBuffer embedder);
    static native byte[] embedderPlacement(long embedder);
    static native void embed(long embedder, Object[] data, Object[] chroma, Object[] layouts, long[] embeddings);
    static native int embedderDimension(long embedder);
    static native long embedderAligner(long embedder);
    static native byte[] embedderSpace(long embedder);

    static native long recognizerNew(byte[] request, long pack, ByteBuffer detector, ByteBuffer embedder);
    static native byte[] recognizerDetectorPlacement(long recognizer);
    static native byte[] recognizerEmbedderPlacement(long recognizer);
    static native int recognizerDimension(long recognizer);
    static native byte[] recognizerSpace(long recognizer);
    static native byte[] recognize(long recognizer, ByteBuffer data, ByteBuffer chroma, byte[] layout, byte[] options);
    static native byte[] recognizeOne(long recognizer, ByteBuffer data, ByteBuffer chroma, byte[] layout, int choice);
    static native byte[] recognizeFile(long recognizer, byte[] request);
    static native byte[] recognizeEncoded(long recognizer, byte[] array, ByteBuffer buffer);
    static native byte[] recognizeFiles(long recognizer, byte[] request);
    static native byte[] compare(long recognizer, ByteBuffer data, ByteBuffer chroma, byte[] layout,
            ByteBuffer otherData, ByteBuffer otherChroma, byte[] otherLayout, int choice);
    static native byte[] enrolFolder(long recognizer, long people, byte[] request, int choice);
    static native byte[] enrolPhotos(long recognizer, long people, byte[] request, int choice);

    static native byte[] facesRead(long faces);
    static native long facesEmbedding(long faces, int index);
    static native int facesCopyToArray(long faces, float[] values, int offset);
    static native long facesCopyToBuffer(long faces, FloatBuffer values);

    static native long embeddingFromArray(float[] values, boolean isRaw, float norm, byte[] space);
    static native long embeddingFromBuffer(FloatBuffer values, boolean isRaw, float norm, byte[] space);
    static native int embeddingDimension(long embedding);
    static native float embeddingNorm(long embedding);
    static native byte[] embeddingSpace(long embedding);
    static native ByteBuffer embeddingMemory(long embedding);
    static native int embeddingCopyToArray(long embedding, float[] values, int offset);
    static native int embeddingCopyToBuffer(long embedding, FloatBuffer values);
    static native float cosine(long a, long b);
    static native float euclidean(long a, long b);

    static native long galleryOpen(byte[] request);
    static native long galleryInMemory();
    static native long galleryNamespace(long gallery, byte[] request, boolean mustExist);
    static native byte[] galleryNamespaces(long gallery);
    static native void galleryDropNamespace(long gallery, byte[] request);
    static native void galleryFlush(long gallery);
    static native void galleryCompact(long gallery);
    static native void galleryBackup(long gallery, byte[] request);
    static native byte[] galleryVerify(long gallery);
    static native byte[] galleryStats(long gallery);
    static native byte[] galleryExportFile(long gallery, byte[] request);
    static native byte[] galleryExport(long gallery, Object stream);
    static native byte[] galleryImportFile(long gallery, byte[] request);
    static native byte[] galleryImport(long gallery, Object stream);

    static native byte[] namespaceName(long people);
    static native byte[] namespaceStats(long people);
    static native long personCount(long people);
    static native long faceCount(long people);
    static native int namespaceDimension(long people);
    static native byte[] namespaceSpace(long people);
    static native void pin(long people, byte[] space, long dimension, boolean checkOnly);
    static native long add(long people, byte[] request, long embedding);
    static native long[] enrol(long people, byte[] request);
    static native long replaceFace(long people, long face, long embedding);
    static native void removeFace(long people, long face);
    static native void setFaceMetadata(long people, long face, byte[] request);
    static native void removePerson(long people, byte[] request);
    static native void rename(long people, byte[] request);
    static native void setName(long people, byte[] request);
    static native void setMetadata(long people, byte[] request);
    static native void merge(long people, byte[] request);
    static native void movePerson(long people, byte[] request, long to);
    static native void clear(long people);
    static native byte[] person(long people, byte[] request);
    static native byte[] persons(long people, byte[] request, long limit);
    static native byte[] enrolledFace(long people, long face);
    static native long enrolledEmbedding(long people, long face);

    static native long batchNew();
    static native long batchCount(long batch);
    static native void batchAllOrNothing(long batch);
    static native void batchEnrol(long batch, byte[] request);
    static native void batchReplaceFace(long batch, long face, long embedding);
    static native void batchSetFaceMetadata(long batch, long face, byte[] request);
    static native void batchRemoveFace(long batch, long face);
    static native void batchRemovePerson(long batch, byte[] request);
    static native void batchRename(long batch, byte[] request);
    static native void batchSetName(long batch, byte[] request);
    static native void batchSetMetadata(long batch, byte[] request);
    static native void batchMerge(long batch, byte[] request);
    static native byte[] apply(long people, long batch);

    static native byte[] search(long people, long probe, byte[] request, Object filter);
    static native byte[] searchBatch(long people, byte[] probes, byte[] request, Object filter);
    static native byte[] identify(long people, long probe);
    static native byte[] vote(long people, long probe, long faces, byte[] request, Object filter);

    /** Called by callback.c: whether a search may consider a person. */
    @SuppressWarnings("unchecked")
    static boolean ask(Object filter, byte[] person) {
        return ((Predicate<String>) filter).test(Text.of(person));
    }

    /** Called by callback.c: takes a part of an export. */
    static void write(Object stream, byte[] bytes) throws IOException {
        ((OutputStream) stream).write(bytes);
    }

    /** Called by callback.c: gives at most so many bytes of an import, null at the end. */
    static byte[] read(Object stream, int capacity) throws IOException {
        byte[] bytes = new byte[capacity];
        int count;
        do {
            count = ((InputStream) stream).read(bytes);
        } while (count == 0 && capacity > 0);
        return count < 0 ? null : count == capacity ? bytes : Arrays.copyOf(bytes, count);
    }
}
