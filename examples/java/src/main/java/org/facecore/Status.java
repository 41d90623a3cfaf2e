package org.facecore;

/** The table of errors of facecore.h. */
public enum Status {
    /** No error. */
    OK(0),
    /** An argument is outside what the function takes. */
    INVALID_ARGUMENT(100),
    /** A vector's length differs from what the gallery, namespace or model uses. */
    DIMENSION_MISMATCH(101),
    /** A vector holds NaN or infinity, or is all zeros. */
    INVALID_EMBEDDING(102),
    /** A buffer is too small for the answer. */
    BUFFER_TOO_SMALL(103),
    /** A file could not be read or written. */
    IO(110),
    /** The object was made by a parent process; its threads and locks did not come along. */
    FORKED(120),
    /** The caller's own callback stopped it. */
    CANCELLED(130),
    /** The bytes are in no image format this build reads. */
    IMAGE_FORMAT(200),
    /** The image is damaged or cut short. */
    IMAGE_CORRUPT(201),
    /** The image has more pixels or bytes than the limits allow. */
    IMAGE_TOO_LARGE(202),
    /** Width, height, stride, format and buffer length of an image do not fit together. */
    IMAGE_LAYOUT(203),
    /** A photo that must show a face shows none. */
    NO_FACE(210),
    /** A photo that must show one face shows several. */
    SEVERAL_FACES(211),
    /** The landmarks are missing, not finite, or all in one place, so no crop can be cut. */
    LANDMARKS(212),
    /** A model file or pack is not where it was said to be. */
    MODEL_NOT_FOUND(300),
    /** A model file is no readable ONNX model. */
    MODEL_CORRUPT(301),
    /** A model's inputs or outputs differ from what its kind or spec says. */
    MODEL_MISMATCH(302),
    /** The runtime cannot execute something in the model. */
    MODEL_UNSUPPORTED(303),
    /** {@code pack.toml} is missing, malformed or contradicts itself. */
    PACK_INVALID(304),
    /** A file's SHA-256 differs from the one its pack declares. */
    CHECKSUM_MISMATCH(305),
    /** The kind of a bare model file is not evident and must be named. */
    MODEL_KIND_UNKNOWN(306),
    /** A model produced NaN, infinity, a wrong shape, or something else than its pack says it must. */
    MODEL_OUTPUT(307),
    /** A pack could not be downloaded from any of its sources. */
    DOWNLOAD_FAILED(310),
    /** A pack's licence was not accepted, or the application's policy forbids it. */
    LICENCE_REFUSED(311),
    /** An archive is damaged, or holds what no archive of models holds. */
    ARCHIVE_INVALID(312),
    /** No inference runtime was found. */
    RUNTIME_NOT_FOUND(400),
    /** A library was found but is no usable runtime (not one at all, too old, or another is loaded). */
    RUNTIME_INVALID(401),
    /** A provider was required and is not available. */
    PROVIDER_UNAVAILABLE(402),
    /** The runtime failed while executing a model. */
    INFERENCE(403),
    /** An embedding comes from another embedding space than the namespace holds. */
    EMBEDDING_SPACE_MISMATCH(500),
    /** There is no such person. */
    PERSON_NOT_FOUND(501),
    /** There is no such face. */
    FACE_NOT_FOUND(502),
    /** There is no such namespace. */
    NAMESPACE_NOT_FOUND(503),
    /** A person with that id exists already. */
    PERSON_EXISTS(504),
    /** A stored gallery is damaged or of an unknown format. */
    GALLERY_CORRUPT(510),
    /** Another process has the gallery open. */
    GALLERY_LOCKED(511),
    /** The gallery was opened for reading only. */
    GALLERY_READ_ONLY(512),
    /** There is no gallery in the folder. */
    GALLERY_NOT_FOUND(513),
    /** A fault of this library. */
    INTERNAL(900),
    /** A status that only a newer library has. */
    UNKNOWN(-1);

    private final int number;

    Status(int number) {
        this.number = number;
    }

    /** Its number in facecore.h; -1 of {@link #UNKNOWN}. */
    public int number() {
        return number;
    }

    static Status of(int number) {
        for (Status status : values()) {
            if (status.number == number) {
                return status;
            }
        }
        return UNKNOWN;
    }
}
