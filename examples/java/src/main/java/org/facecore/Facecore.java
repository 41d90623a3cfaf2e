package org.facecore;

/**
 * The library as a whole: loading, versions, what it can run models with.
 *
 * <p>All classes may be used from any thread, at the same time. Every failure of the library is a
 * {@link FacecoreException}; null is a {@link NullPointerException}, a closed handle an {@link IllegalStateException},
 * and what cannot be passed on to native code an {@link IllegalArgumentException}.
 */
public final class Facecore {
    /** Names the small pack within the library, wherever a folder with a pack can be named. Research and evaluation
     * only: see {@link #liteLicence}. */
    public static final String LITE = ":lite:";

    private static boolean loaded;

    private Facecore() {}

    /**
     * Loads the JNI library from a file, before anything else of this package is used. Otherwise the first use does
     * {@code System.loadLibrary("facecore_jni")}, which is right for apps.
     *
     * @param path an absolute path
     * @throws UnsatisfiedLinkError if it cannot be loaded, or libfacecore has another ABI
     * @throws IllegalStateException if the library is loaded already
     */
    public static void load(String path) {
        synchronized (Facecore.class) {
            if (loaded) {
                throw new IllegalStateException("the JNI library is loaded already");
            }
            // Before, as loading looks up classes that would load the library themselves.
            loaded = true;
            try {
                System.load(Checks.given(path, "path"));
            } catch (Throwable failed) {
                loaded = false;
                throw failed;
            }
        }
    }

    static void ensureLoaded() {
        synchronized (Facecore.class) {
            if (!loaded) {
                System.loadLibrary("facecore_jni");
                loaded = true;
            }
        }
    }

    /** The version of the library, for example {@code 0.1.0}. */
    public static String version() {
        return Text.of(Jni.version());
    }

    /** Whether code that was built against the header of an ABI can use the library that is loaded. These classes can:
     * loading them fails otherwise. */
    public static boolean isCompatible(int major, int minor) {
        return Jni.isCompatible(major, minor);
    }

    /** The note on the licence of {@link #LITE}, in Markdown; null if the library was built without it. */
    public static String liteLicence() {
        byte[] licence = Jni.liteLicence();
        return licence == null ? null : Text.of(licence);
    }

    /** What runtimes there are and where they were looked for, as a JSON object, for logs. */
    public static String runtimeReport() {
        return runtimeReport(new RuntimeOptions());
    }

    /** As {@link #runtimeReport()}, for models loaded with these options. */
    public static String runtimeReport(RuntimeOptions options) {
        Request request = new Request();
        Checks.given(options, "options").write(request);
        return new Answer(Jni.runtimeReport(request.bytes())).text();
    }
}
