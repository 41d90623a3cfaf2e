package org.facecore;

import java.nio.ByteBuffer;
import java.util.Map;

/** A pack of models with its manifest, read and checked. */
public final class Pack extends Handle {
    private Pack(long pointer) {
        super(Memory.PACK, pointer, "pack");
    }

    /** Opens a folder with {@code pack.toml}, or {@link Facecore#LITE}. */
    public static Pack open(String folder) {
        return new Pack(Jni.packOpen(Request.of(folder, "folder")));
    }

    /**
     * Opens a pack that is in memory, such as an app's assets: the text of its {@code pack.toml}, and its files by
     * their names in direct buffers, for example of {@code FileChannel.map}. The contents are copied.
     */
    public static Pack fromMemory(String manifest, Map<String, ByteBuffer> files) {
        Request request = new Request().text(Checks.given(manifest, "manifest"));
        request.texts(Checks.given(files, "map of files").keySet(), "name of a file");
        Object[] contents = new Object[files.size()];
        int at = 0;
        for (Map.Entry<String, ByteBuffer> file : files.entrySet()) {
            contents[at++] = Checks.part(file.getValue(), "content of " + file.getKey());
        }
        return new Pack(Jni.packFromMemory(request.bytes(), contents));
    }

    /** What the pack says of itself. */
    public Info info() {
        return new Info(new Answer(call(Jni::packInfo)));
    }

    /** What a pack says of itself. */
    public static final class Info {
        public final String name;
        /** As its author counts. */
        public final String version;
        /** Under which terms the pack as a whole may be used. */
        public final String licence;
        /** Null if the pack has no detector. */
        public final String detectorLicence;
        /** SHA-256 of the detector's file, in hexadecimal; null if the pack has no detector. */
        public final String detectorSha256;
        /** Null if the pack has no embedder. */
        public final String embedderLicence;
        /** SHA-256 of the embedder's file, in hexadecimal; null if the pack has no embedder. */
        public final String embedderSha256;

        Info(Answer answer) {
            name = answer.text();
            version = answer.text();
            licence = answer.text();
            detectorLicence = answer.text();
            detectorSha256 = answer.text();
            embedderLicence = answer.text();
            embedderSha256 = answer.text();
        }
    }
}
