package org.facecore;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;

/** Namespaces of people, in a folder or in memory. It is left when it and all its namespaces are closed. */
public final class Gallery extends Handle {
    private Gallery(long pointer) {
        super(Memory.GALLERY, pointer, "gallery");
    }

    /** Opens the gallery in a folder, which is made if it is not there. */
    public static Gallery open(String folder) {
        return open(folder, new GalleryOptions());
    }

    public static Gallery open(String folder, GalleryOptions options) {
        Request request = new Request().text(Checks.given(folder, "folder"));
        Checks.given(options, "options").write(request);
        return new Gallery(Jni.galleryOpen(request.bytes()));
    }

    /** An empty gallery in memory. */
    public static Gallery inMemory() {
        return new Gallery(Jni.galleryInMemory());
    }

    /** The namespace of a name, which is made if it is not there. */
    public Namespace namespace(String name) {
        byte[] request = Request.of(name, "name");
        return new Namespace(call(self -> Jni.galleryNamespace(self, request, false)));
    }

    /** The namespace of a name, if it is there.
     *
     * @throws FacecoreException with {@link Status#NAMESPACE_NOT_FOUND} */
    public Namespace existingNamespace(String name) {
        byte[] request = Request.of(name, "name");
        return new Namespace(call(self -> Jni.galleryNamespace(self, request, true)));
    }

    /** The names of all namespaces, sorted. */
    public List<String> namespaces() {
        return texts(new Answer(call(Jni::galleryNamespaces)));
    }

    static List<String> texts(Answer answer) {
        String[] texts = new String[answer.count()];
        for (int at = 0; at < texts.length; at++) {
            texts[at] = answer.text();
        }
        return Checks.list(texts);
    }

    /** Removes a namespace with everybody in it. */
    public void dropNamespace(String name) {
        byte[] request = Request.of(name, "name");
        change(self -> Jni.galleryDropNamespace(self, request));
    }

    /** Makes durable what was changed so far; of use with {@link GalleryOptions#relaxed} only. */
    public void flush() {
        change(Jni::galleryFlush);
    }

    /** Gives back the space of what was removed, and erases it. */
    public void compact() {
        change(Jni::galleryCompact);
    }

    /** Writes a verified copy to another folder, which is made, or empty. */
    public void backup(String folder) {
        byte[] request = Request.of(folder, "folder");
        change(self -> Jni.galleryBackup(self, request));
    }

    /** Reads everything and checks it. */
    public Verification verify() {
        return new Verification(new Answer(call(Jni::galleryVerify)));
    }

    public Stats stats() {
        return new Stats(new Answer(call(Jni::galleryStats)));
    }

    /** Writes everything to a new file that only its owner may read, as JSON Lines. It is biometric data. */
    public Export exportTo(String file) {
        byte[] request = Request.of(file, "file");
        return new Export(new Answer(call(self -> Jni.galleryExportFile(self, request))));
    }

    /** As above, to a stream, which is not closed.
     *
     * @throws IOException what the stream throws */
    public Export exportTo(OutputStream stream) throws IOException {
        Checks.given(stream, "stream");
        return new Export(new Answer(call(self -> Jni.galleryExport(self, stream))));
    }

    /** Adds everything that an export wrote, with one commit, or, on error, nothing. */
    public Import importFrom(String file) {
        byte[] request = Request.of(file, "file");
        return new Import(new Answer(call(self -> Jni.galleryImportFile(self, request))));
    }

    /** As above, from a stream, which is not closed.
     *
     * @throws IOException what the stream throws */
    public Import importFrom(InputStream stream) throws IOException {
        Checks.given(stream, "stream");
        return new Import(new Answer(call(self -> Jni.galleryImport(self, stream))));
    }

    /** What a check found. */
    public static final class Verification {
        public final long persons;
        public final long faces;
        /** Probes made to compare the default search with the exact one. */
        public final long probes;
        /** For how many of these both found the same person. */
        public final long agreeing;
        /** What is wrong, in words; empty if the gallery is sound. */
        public final List<String> problems;

        Verification(Answer answer) {
            persons = answer.number();
            faces = answer.number();
            probes = answer.number();
            agreeing = answer.number();
            problems = texts(answer);
        }
    }

    /** What a gallery takes up. */
    public static final class Stats {
        public final long namespaces;
        public final long persons;
        public final long faces;
        /** Removed faces that {@link Gallery#compact} drops. */
        public final long removedFaces;
        public final long storeBytes;
        public final long indexBytes;
        public final long vectorBytes;
        public final long searchBytes;

        Stats(Answer answer) {
            namespaces = answer.number();
            persons = answer.number();
            faces = answer.number();
            removedFaces = answer.number();
            storeBytes = answer.number();
            indexBytes = answer.number();
            vectorBytes = answer.number();
            searchBytes = answer.number();
        }
    }

    /** What an export wrote. */
    public static final class Export {
        public final long persons;
        public final long faces;
        /** How much is damaged in the store and was left out. */
        public final long damaged;

        Export(Answer answer) {
            persons = answer.number();
            faces = answer.number();
            damaged = answer.number();
        }
    }

    /** What an import added. */
    public static final class Import {
        public final long persons;
        public final long faces;
        /** Faces that their person had already. */
        public final long duplicates;
        /** Whether the faces have the ids they had where they were exported. */
        public final boolean keptIds;

        Import(Answer answer) {
            persons = answer.number();
            faces = answer.number();
            duplicates = answer.number();
            keptIds = answer.flag();
        }
    }
}
