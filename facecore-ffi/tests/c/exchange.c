/* Galleries out and in: files, and streams of the caller's that work, fail, and lie. */
#include "outputs.h"

static facecore_gallery *gallery;

struct stream {
    unsigned char *bytes;
    size_t len, at;
    /* How many bytes may pass until it fails, and how it does. */
    size_t limit;
    int64_t failure;
    /* How often it was asked, and asked after it had failed. */
    int calls, failed, after_failure;
    /* The most bytes that it gives at once. */
    size_t step;
};

static int32_t take(void *context, const uint8_t *bytes, size_t len)
{
    struct stream *to = context;
    to->calls++;
    to->after_failure += to->failed;
    if (to->len + len > to->limit) {
        to->failed = 1;
        return (int32_t)to->failure;
    }
    to->bytes = realloc(to->bytes, to->len + len + 1);
    memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
    to->bytes[to->len] = 0;
    return 0;
}

static int64_t give(void *context, uint8_t *bytes, size_t capacity)
{
    struct stream *from = context;
    size_t count = from->len - from->at;
    from->calls++;
    from->after_failure += from->failed;
    if (from->at >= from->limit) {
        from->failed = 1;
        return from->failure == INT64_MAX ? (int64_t)capacity + 1 : from->failure;
    }
    count = count < capacity ? count : capacity;
    count = count < from->step ? count : from->step;
    count = count < from->limit - from->at ? count : from->limit - from->at;
    memcpy(bytes, from->bytes + from->at, count);
    from->at += count;
    return (int64_t)count;
}

static void there_and_back(struct stream *kept)
{
    facecore_export_report exported = ZERO(facecore_export_report);
    facecore_import_report imported = ZERO(facecore_import_report);
    facecore_gallery *other = NULL;
    kept->limit = SIZE_MAX;
    OK(facecore_gallery_export(gallery, take, kept, &exported));
    CHECK(exported.persons == 3 && exported.faces == 41 && exported.damaged == 0);
    CHECK(strstr((char *)kept->bytes, "\"ada\"") != NULL);

    NEED(facecore_gallery_in_memory(&other));
    struct stream back = {.bytes = kept->bytes, .len = kept->len, .limit = SIZE_MAX, .step = 7};
    OK(facecore_gallery_import(other, give, &back, &imported));
    CHECK(imported.persons == 3 && imported.faces == 41 && imported.duplicates == 0 && imported.kept_ids == 1);
    CHECK(back.at == kept->len && back.calls > 100);
    facecore_namespace *people = NULL;
    facecore_embedding *probe = embedding(1);
    facecore_matches *matches = NULL;
    facecore_match match = ZERO(facecore_match);
    OK(facecore_gallery_existing_namespace(other, "people", &people));
    OK(facecore_namespace_identify(people, probe, &matches));
    OK(facecore_matches_get(matches, 0, &match));
    TEXT("ada", match.person);
    facecore_matches_free(matches);
    facecore_embedding_free(probe);

    /* The same again is nothing new, and an export of it is the same text. */
    back.at = 0;
    back.step = SIZE_MAX;
    OK(facecore_gallery_import(other, give, &back, &imported));
    CHECK(imported.persons == 0 && imported.faces == 0 && imported.duplicates == 41);
    struct stream again = {.limit = SIZE_MAX};
    OK(facecore_gallery_export(other, take, &again, NULL));
    CHECK(again.len == kept->len && memcmp(again.bytes, kept->bytes, again.len) == 0);
    free(again.bytes);

    /* Of another space. */
    facecore_space *foreign = NULL;
    facecore_embedding *one = NULL;
    float raw[128] = {1};
    OK(facecore_namespace_clear(people));
    NEED(facecore_space_new("other", 0.4f, &foreign));
    NEED(facecore_embedding_from_raw(raw, 64, foreign, &one));
    OK(facecore_namespace_add(people, "zoe", one, NULL));
    back.at = 0;
    LEAVES(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_gallery_import(other, give, &back, &out.imported));
    CHECK(facecore_namespace_person_count(people) == 1);
    facecore_embedding_free(one);
    facecore_space_free(foreign);
    facecore_namespace_free(people);
    facecore_gallery_free(other);
}

/* A stream that failed is not asked again, and nothing of the import is there. */
static void failing(const struct stream *kept)
{
    const int64_t failures[] = {1, -1, INT32_MIN};
    for (size_t at = 0; at < 3; at++) {
        for (size_t limit = 0; limit < kept->len; limit += kept->len / 3) {
            struct stream to = {.limit = limit, .failure = failures[at]};
            LEAVES(FACECORE_IO, facecore_gallery_export(gallery, take, &to, &out.exported));
            SAYS("the caller's write function returned");
            CHECK(to.failed == 1 && to.after_failure == 0);
            free(to.bytes);
        }
    }
    facecore_gallery *other = NULL;
    NEED(facecore_gallery_in_memory(&other));
    const int64_t lies[] = {-1, INT64_MIN, INT64_MAX};
    for (size_t at = 0; at < 3; at++) {
        for (size_t limit = 0; limit < kept->len; limit += kept->len / 3) {
            struct stream from = {.bytes = kept->bytes, .len = kept->len, .limit = limit, .step = 100,
                                  .failure = lies[at]};
            LEAVES(FACECORE_IO, facecore_gallery_import(other, give, &from, &out.imported));
            SAYS("the caller's read function returned");
            CHECK(from.failed == 1 && from.after_failure == 0);
        }
    }
    facecore_texts *names = NULL;
    OK(facecore_gallery_namespaces(other, &names));
    CHECK(facecore_texts_count(names) == 0);
    facecore_texts_free(names);

    /* Cut short, or other things altogether. */
    struct stream from = {.bytes = kept->bytes, .len = kept->len / 2, .limit = SIZE_MAX, .step = SIZE_MAX};
    LEAVES(FACECORE_GALLERY_CORRUPT, facecore_gallery_import(other, give, &from, &out.imported));
    SAYS("line");
    unsigned char text[] = "{\"not\": \"an export\"}\n";
    struct stream strange = {.bytes = text, .len = sizeof text - 1, .limit = SIZE_MAX, .step = SIZE_MAX};
    LEAVES(FACECORE_GALLERY_CORRUPT, facecore_gallery_import(other, give, &strange, &out.imported));
    unsigned char odd[] = "\xFF\xFE\n";
    struct stream binary = {.bytes = odd, .len = sizeof odd - 1, .limit = SIZE_MAX, .step = SIZE_MAX};
    LEAVES(FACECORE_GALLERY_CORRUPT, facecore_gallery_import(other, give, &binary, &out.imported));
    /* An id with a NUL, which C could not read. */
    unsigned char *nul = malloc(kept->len + 7), *at = (unsigned char *)strstr((char *)kept->bytes, "\"ada\"");
    size_t before_it = (size_t)(at - kept->bytes) + 1;
    memcpy(nul, kept->bytes, before_it);
    memcpy(nul + before_it, "\\u0000", 6);
    memcpy(nul + before_it + 6, at + 1, kept->len - before_it);
    struct stream with_nul = {.bytes = nul, .len = kept->len + 6, .limit = SIZE_MAX, .step = SIZE_MAX};
    LEAVES(FACECORE_GALLERY_CORRUPT, facecore_gallery_import(other, give, &with_nul, &out.imported));
    free(nul);
    OK(facecore_gallery_namespaces(other, &names));
    CHECK(facecore_texts_count(names) == 0);
    facecore_texts_free(names);
    facecore_gallery_free(other);
}

static void of_files(const struct stream *kept)
{
    const char *file = in(files, "export.jsonl");
    facecore_export_report exported = ZERO(facecore_export_report);
    facecore_import_report imported = ZERO(facecore_import_report);
    OK(facecore_gallery_export_file(gallery, file, &exported));
    CHECK(exported.faces == 41);
    size_t len;
    unsigned char *bytes = content(file, &len);
    CHECK(len == kept->len && memcmp(bytes, kept->bytes, len) == 0);
    free(bytes);
    LEAVES(FACECORE_IO, facecore_gallery_export_file(gallery, file, &out.exported));
    SAYS("export.jsonl");
    LEAVES(FACECORE_IO, facecore_gallery_export_file(gallery, in(files, "nowhere/export.jsonl"), &out.exported));
    facecore_gallery *other = NULL;
    NEED(facecore_gallery_in_memory(&other));
    OK(facecore_gallery_import_file(other, file, &imported));
    CHECK(imported.faces == 41 && imported.kept_ids == 1);
    LEAVES(FACECORE_IO, facecore_gallery_import_file(other, in(files, "nowhere.jsonl"), &out.imported));
    SAYS("nowhere.jsonl");
    facecore_gallery_free(other);
}

/* What the name of a file says. */
static void of_other_formats(const struct stream *kept)
{
    facecore_export_report exported = ZERO(facecore_export_report);
    facecore_import_report imported = ZERO(facecore_import_report);
    facecore_gallery *other = NULL;
    OK(facecore_gallery_export_file(gallery, in(files, "arrays.npz"), &exported));
    CHECK(exported.persons == 3 && exported.faces == 41);
    NEED(facecore_gallery_in_memory(&other));
    OK(facecore_gallery_import_file(other, in(files, "arrays.npz"), &imported));
    CHECK(imported.faces == 41 && imported.kept_ids == 1);
    struct stream again = {.limit = SIZE_MAX};
    OK(facecore_gallery_export(other, take, &again, NULL));
    CHECK(again.len == kept->len && memcmp(again.bytes, kept->bytes, again.len) == 0);
    free(again.bytes);
    facecore_gallery_free(other);

    CHECK(remove(in(files, "arrays.jsonl")) == 0);
    NEED(facecore_gallery_in_memory(&other));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_gallery_import_file(other, in(files, "arrays.npz"), &out.imported));
    SAYS("arrays.jsonl");
    OK(facecore_gallery_export_file(gallery, in(files, "people.csv"), &exported));
    CHECK(exported.persons == 3 && exported.faces == 0);
    OK(facecore_gallery_import_file(other, in(files, "people.csv"), &imported));
    CHECK(imported.persons == 3 && imported.faces == 0);
    facecore_gallery_free(other);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    facecore_namespace *people = NULL;
    NEED(facecore_gallery_in_memory(&gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    for (unsigned seed = 1; seed <= 40; seed++) {
        enrol(people, seed % 2 == 1 ? "ada" : "bob", seed);
    }
    enrol(people, "carl \"quoted\" \xC3\xA4", 100);
    OK(facecore_namespace_set_metadata(people, "ada", "{\"born\": 1815}"));
    facecore_namespace_free(people);
    struct stream kept = {.limit = SIZE_MAX};
    there_and_back(&kept);
    failing(&kept);
    of_files(&kept);
    of_other_formats(&kept);
    free(kept.bytes);
    facecore_gallery_free(gallery);
    return finish();
}
