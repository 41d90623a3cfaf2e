package org.facecore;

import java.nio.ByteBuffer;
import java.util.List;

/** Detector, aligner and embedder together: an image in, faces with embeddings out. One serves all threads. */
public final class Recognizer extends Handle {
    Recognizer(long pointer) {
        super(Memory.RECOGNIZER, pointer, "recognizer");
    }

    /** Loads that of a folder with {@code pack.toml}, or of {@link Facecore#LITE}. */
    public static Recognizer open(String pack) {
        return open(Models.of(pack));
    }

    /** Loads that of a pack, such as one in memory. */
    public static Recognizer open(Pack pack) {
        return open(Models.of(pack));
    }

    public static Recognizer open(Models models) {
        return new Recognizer(Checks.given(models, "models").load(Jni::recognizerNew));
    }

    /** The faces of an image, best first; none is an empty list. */
    public Faces recognize(Image image) {
        return recognize(image, null);
    }

    /** As above with options for this call, in place of all those that the recognizer was made with; null takes
     * these. */
    public Faces recognize(Image image, DetectorOptions options) {
        Checks.given(image, "image");
        byte[] wanted = DetectorOptions.bytes(options);
        return Faces.of(call(self -> Jni.recognize(self, image.data, image.chroma, image.layout, wanted)));
    }

    /** The faces of a picture file. */
    public Faces recognizeFile(String path) {
        byte[] request = Request.of(path, "path");
        return Faces.of(call(self -> Jni.recognizeFile(self, request)));
    }

    /** The faces of an encoded picture in an array, which is copied once. */
    public Faces recognizeEncoded(byte[] bytes) {
        Checks.given(bytes, "bytes");
        return Faces.of(call(self -> Jni.recognizeEncoded(self, bytes, null)));
    }

    /** The faces of an encoded picture in a direct buffer, where it lies. */
    public Faces recognizeEncoded(ByteBuffer bytes) {
        ByteBuffer part = Checks.part(bytes, "bytes");
        return Faces.of(call(self -> Jni.recognizeEncoded(self, null, part)));
    }

    /** The faces of picture files, worked at in parallel; one that fails loses nobody else's. */
    public List<Recognition> recognizeFiles(List<String> paths) {
        byte[] request = new Request().texts(Checks.given(paths, "list of paths"), "path").bytes();
        Answer answer = new Answer(call(self -> Jni.recognizeFiles(self, request)));
        Recognition[] found = new Recognition[paths.size()];
        for (int at = 0; at < found.length; at++) {
            long faces = answer.number();
            int status = answer.count();
            String message = answer.text();
            found[at] = faces == 0 ? new Recognition(null, new FacecoreException(status, message))
                    : new Recognition(Faces.of(Jni.facesRead(faces)), null);
        }
        return Checks.list(found);
    }

    /** The one face that an image stands for, as a list of one. */
    public Faces recognizeOne(Image image, Choice choice) {
        Checks.given(image, "image");
        int which = Checks.given(choice, "choice").ordinal();
        return Faces.of(call(self -> Jni.recognizeOne(self, image.data, image.chroma, image.layout, which)));
    }

    /** Whether two images show the same person. */
    public Comparison compare(Image first, Image second, Choice choice) {
        Checks.given(first, "first image");
        Checks.given(second, "second image");
        int which = Checks.given(choice, "choice").ordinal();
        return new Comparison(new Answer(call(self -> Jni.compare(self, first.data, first.chroma, first.layout,
                second.data, second.chroma, second.layout, which))));
    }

    /** Enrols every photo of a folder: a sub-folder is a person, and so is a file directly in it. A photo that cannot
     * be used is told and loses nobody else's. */
    public Enrolment enrolFolder(String folder, Namespace people, Choice choice) {
        byte[] request = Request.of(folder, "folder");
        int which = Checks.given(choice, "choice").ordinal();
        return new Enrolment(call(Checks.given(people, "namespace"),
                (self, to) -> Jni.enrolFolder(self, to, request, which)));
    }

    /** Enrols photos, each as one of the person at the same place in {@code persons}. */
    public Enrolment enrolPhotos(List<String> persons, List<String> paths, Namespace people, Choice choice) {
        if (Checks.given(persons, "list of persons").size() != Checks.given(paths, "list of paths").size()) {
            throw new IllegalArgumentException("there are " + persons.size() + " persons for " + paths.size()
                    + " paths; each path needs one");
        }
        byte[] request = new Request().texts(persons, "person").texts(paths, "path").bytes();
        int which = Checks.given(choice, "choice").ordinal();
        return new Enrolment(call(Checks.given(people, "namespace"),
                (self, to) -> Jni.enrolPhotos(self, to, request, which)));
    }

    /** How many values an embedding has. */
    public int dimension() {
        return call(Jni::recognizerDimension);
    }

    /** The space of the embeddings, with its threshold. */
    public Space space() {
        return Space.read(call(Jni::recognizerSpace));
    }

    /** What really runs the detector. */
    public Placement detectorPlacement() {
        return new Placement(call(Jni::recognizerDetectorPlacement));
    }

    /** What really runs the embedder. */
    public Placement embedderPlacement() {
        return new Placement(call(Jni::recognizerEmbedderPlacement));
    }
}
