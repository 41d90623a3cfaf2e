/* Statuses and messages: what the library says of itself, faults of its own, and errors that no call can be brought
 * to. */
#include "test.h"

/* What cannot be reached by real means here, so that only the way of the status to C is checked:
 * FACECORE_INFERENCE: a runtime that fails in the middle of a model that it took.
 * FACECORE_INTERNAL is reached by a panic, below. All others are reached in statuses.c, those of packs by name in
 * packs.c. */
static const int32_t INJECTED[] = {FACECORE_INFERENCE};

/* Every status, as the header has them. */
static const struct {
    int32_t status;
    const char *name;
} TABLE[] = {
#define ROW(status) {status, #status}
    ROW(FACECORE_OK),
    ROW(FACECORE_INVALID_ARGUMENT),
    ROW(FACECORE_DIMENSION_MISMATCH),
    ROW(FACECORE_INVALID_EMBEDDING),
    ROW(FACECORE_BUFFER_TOO_SMALL),
    ROW(FACECORE_IO),
    ROW(FACECORE_FORKED),
    ROW(FACECORE_CANCELLED),
    ROW(FACECORE_IMAGE_FORMAT),
    ROW(FACECORE_IMAGE_CORRUPT),
    ROW(FACECORE_IMAGE_TOO_LARGE),
    ROW(FACECORE_IMAGE_LAYOUT),
    ROW(FACECORE_NO_FACE),
    ROW(FACECORE_SEVERAL_FACES),
    ROW(FACECORE_LANDMARKS),
    ROW(FACECORE_MODEL_NOT_FOUND),
    ROW(FACECORE_MODEL_CORRUPT),
    ROW(FACECORE_MODEL_MISMATCH),
    ROW(FACECORE_MODEL_UNSUPPORTED),
    ROW(FACECORE_PACK_INVALID),
    ROW(FACECORE_CHECKSUM_MISMATCH),
    ROW(FACECORE_MODEL_KIND_UNKNOWN),
    ROW(FACECORE_MODEL_OUTPUT),
    ROW(FACECORE_DOWNLOAD_FAILED),
    ROW(FACECORE_LICENCE_REFUSED),
    ROW(FACECORE_ARCHIVE_INVALID),
    ROW(FACECORE_RUNTIME_NOT_FOUND),
    ROW(FACECORE_RUNTIME_INVALID),
    ROW(FACECORE_PROVIDER_UNAVAILABLE),
    ROW(FACECORE_INFERENCE),
    ROW(FACECORE_EMBEDDING_SPACE_MISMATCH),
    ROW(FACECORE_PERSON_NOT_FOUND),
    ROW(FACECORE_FACE_NOT_FOUND),
    ROW(FACECORE_NAMESPACE_NOT_FOUND),
    ROW(FACECORE_PERSON_EXISTS),
    ROW(FACECORE_GALLERY_CORRUPT),
    ROW(FACECORE_GALLERY_LOCKED),
    ROW(FACECORE_GALLERY_READ_ONLY),
    ROW(FACECORE_GALLERY_NOT_FOUND),
    ROW(FACECORE_INTERNAL),
#undef ROW
};

static void table(void)
{
    for (size_t at = 0; at < sizeof TABLE / sizeof *TABLE; at++) {
        TEXT(TABLE[at].name, facecore_status_name(TABLE[at].status));
        if (TABLE[at].status != FACECORE_OK) {
            FAILS(TABLE[at].status, facecore_fake_fail(TABLE[at].status));
            TEXT("injected", facecore_last_error_message());
        }
    }
    for (size_t at = 0; at < sizeof INJECTED / sizeof *INJECTED; at++) {
        FAILS(INJECTED[at], facecore_fake_fail(INJECTED[at]));
    }
    CHECK(facecore_status_name(1) == NULL && facecore_status_name(-1) == NULL && facecore_status_name(901) == NULL);
    CHECK(facecore_status_name(INT32_MAX) == NULL && facecore_status_name(INT32_MIN) == NULL);
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_fake_fail(7));
}

static void versions(void)
{
    CHECK(facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR) == 1);
    CHECK(facecore_abi_is_compatible(FACECORE_ABI_MAJOR, 0) == 1);
    CHECK(facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR + 1) == 0);
    CHECK(facecore_abi_is_compatible(FACECORE_ABI_MAJOR, -1) == 0);
    CHECK(facecore_abi_is_compatible(FACECORE_ABI_MAJOR + 1, 0) == 0);
    CHECK(facecore_abi_is_compatible(0, 0) == 0);
    CHECK(strchr(facecore_version(), '.') != NULL && facecore_version() == facecore_version());
}

static void panics(void)
{
    FAILS(FACECORE_INTERNAL, facecore_fake_panic());
    SAYS("a fault of facecore: injected");
    /* The library goes on. */
    facecore_recognizer *recognizer = NULL;
    OK(facecore_fake_recognizer(1, 64, &recognizer));
    FAILS(FACECORE_INTERNAL, facecore_fake_panic());
    CHECK(facecore_recognizer_dimension(recognizer) == 64);
    facecore_recognizer_free(recognizer);
}

static void last_error(void)
{
    CHECK(facecore_last_error_status() == FACECORE_OK);
    CHECK(facecore_last_error_message() != NULL);
    TEXT("", facecore_last_error_message());
    FAILS(FACECORE_NO_FACE, facecore_fake_fail(FACECORE_NO_FACE));
    const char *message = facecore_last_error_message();
    facecore_batch *batch = NULL;
    OK(facecore_batch_new(&batch));
    facecore_batch_free(batch);
    /* Neither a call that succeeds nor one without a status is a new last error. */
    CHECK(facecore_texts_count(NULL) == 0);
    CHECK(facecore_last_error_status() == FACECORE_NO_FACE);
    CHECK(facecore_last_error_message() == message);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    last_error();
    versions();
    table();
    panics();
    return finish();
}
