/* Packs by name, from C: packs FOLDER ADDRESS, with FACECORE_CACHE set to an empty folder. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "facecore.h"

#define CHECK(what)                                                                                          \
    do {                                                                                                     \
        if (!(what)) {                                                                                       \
            fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, facecore_last_error_message());            \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

#define FAILS(status, call) CHECK((call) == (status))

struct heard {
    int stages[4];
    int stop_at;
};

static int32_t hear(void *context, int32_t stage, const char *file, uint64_t done, uint64_t total)
{
    struct heard *heard = context;
    if (stage < 0 || stage > 3 || strlen(file) == 0 || (total != 0 && done > total))
        return 1;
    heard->stages[stage]++;
    return stage == heard->stop_at;
}

static int find(const facecore_models *models, const char *name, facecore_models_info *info)
{
    for (size_t at = 0; at < facecore_models_count(models); at++)
        if (facecore_models_get(models, at, info) == FACECORE_OK && strcmp(info->name, name) == 0)
            return (int)at;
    return -1;
}

int main(int count, char **arguments)
{
    CHECK(count == 3);
    struct heard heard = {{0}, -1};
    facecore_runtime_options runtime = {.struct_size = sizeof runtime, .runtime = FACECORE_RUNTIME_BUILTIN};
    facecore_models_options options = {
        .struct_size = sizeof options, .progress = hear, .context = &heard, .runtime = &runtime};
    facecore_models_info info = {.struct_size = sizeof info};
    facecore_models_file file = {.struct_size = sizeof file};

    facecore_models *models = NULL;
    CHECK(facecore_models_list(NULL, &models) == FACECORE_OK);
    CHECK(find(models, "lite", &info) == 0 && info.state == FACECORE_MODELS_EMBEDDED);
    int opencv = find(models, "opencv", &info);
    CHECK(opencv > 0 && info.licence_class == FACECORE_LICENCE_PERMISSIVE && info.folder == NULL);
    CHECK(facecore_models_get_file(models, (size_t)opencv, 0, &file) == FACECORE_OK);
    CHECK(file.checksum == FACECORE_CHECKSUM_PINNED && file.bytes == 232589 && strlen(file.sha256) == 64);
    CHECK(strcmp(file.kind, "yunet") == 0 && info.source_count == 4 && info.installed == 0 && info.archive_sha256 == NULL);
    CHECK(strncmp(facecore_models_get_source(models, (size_t)opencv, 3), "https://", 8) == 0);
    CHECK(facecore_models_get_source(models, (size_t)opencv, 4) == NULL);
    CHECK(facecore_models_get_source(models, 100, 0) == NULL);
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_models_get_file(models, (size_t)opencv, 2, &file));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_models_get(models, 100, &info));
    facecore_models_free(models);

    /* Not installed, not accepted, forbidden, stopped. */
    facecore_recognizer *recognizer = NULL;
    FAILS(FACECORE_MODEL_NOT_FOUND, facecore_recognizer_open("buffalo_sc", NULL, &recognizer));
    CHECK(strstr(facecore_last_error_message(), "models pull buffalo_sc") != NULL);
    CHECK(facecore_models_find_in(arguments[1], NULL, NULL, &models) == FACECORE_OK);
    CHECK(find(models, "buffalo_sc", &info) == 0 && info.licence_class == FACECORE_LICENCE_RESEARCH_ONLY);
    CHECK(facecore_models_count(models) == 1 && strstr(info.licence, "non-commercial") != NULL && info.file_count == 0);
    facecore_models_free(models);
    FAILS(FACECORE_LICENCE_REFUSED, facecore_models_import(arguments[1], NULL, &options, NULL));
    options.accept_licence = 1;
    options.policy = FACECORE_POLICY_COMMERCIAL;
    FAILS(FACECORE_LICENCE_REFUSED, facecore_models_import(arguments[1], NULL, &options, NULL));
    options.policy = 7;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_models_import(arguments[1], NULL, &options, NULL));
    options.policy = FACECORE_POLICY_ANY;
    heard.stop_at = FACECORE_STAGE_TESTING;
    FAILS(FACECORE_CANCELLED, facecore_models_import(arguments[1], NULL, &options, NULL));
    CHECK(heard.stages[FACECORE_STAGE_UNPACKING] > 0 && heard.stages[FACECORE_STAGE_TESTING] == 1);
    FAILS(FACECORE_MODEL_NOT_FOUND, facecore_models_verify("buffalo_sc", &options, NULL));
    /* This program is no archive. */
    FAILS(FACECORE_ARCHIVE_INVALID, facecore_models_import(arguments[0], NULL, &options, NULL));

    /* From a folder, and opened by its name. */
    heard.stop_at = -1;
    CHECK(facecore_models_import(arguments[1], NULL, &options, &models) == FACECORE_OK);
    CHECK(facecore_models_count(models) == 1 && find(models, "buffalo_sc", &info) == 0);
    CHECK(info.state == FACECORE_MODELS_INSTALLED && info.folder != NULL && info.file_count == 2);
    CHECK(facecore_models_get_file(models, 0, 1, &file) == FACECORE_OK);
    CHECK(file.part == FACECORE_PART_EMBEDDER && file.checksum == FACECORE_CHECKSUM_RECORDED);
    facecore_models_free(models);
    CHECK(facecore_models_verify("buffalo_sc", &options, NULL) == FACECORE_OK);
    facecore_options how = {.struct_size = sizeof how, .runtime = &runtime};
    CHECK(facecore_recognizer_open("buffalo_sc", &how, &recognizer) == FACECORE_OK);
    facecore_recognizer_free(recognizer);
    how.pack_policy = FACECORE_POLICY_COMMERCIAL;
    FAILS(FACECORE_LICENCE_REFUSED, facecore_recognizer_open("buffalo_sc", &how, &recognizer));
    CHECK(facecore_models_remove("buffalo_sc", &options) == FACECORE_OK);
    FAILS(FACECORE_MODEL_NOT_FOUND, facecore_models_remove("buffalo_sc", &options));

    /* From the network. */
    const char *mirrors[] = {arguments[2]};
    options.mirrors = mirrors;
    options.mirror_count = 1;
    options.mirrors_only = 1;
    options.certificates = "/nonexistent.pem";
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_models_pull("buffalo_sc", &options, NULL));
    options.certificates = NULL;
    options.connect_seconds = options.stall_seconds = 10;
    CHECK(facecore_models_pull("buffalo_sc", &options, &models) == FACECORE_OK);
    CHECK(find(models, "buffalo_sc", &info) == 0 && strlen(info.archive_sha256) == 64 && info.installed > 1700000000);
    facecore_models_free(models);
    CHECK(heard.stages[FACECORE_STAGE_DOWNLOADING] > 0);
    FAILS(FACECORE_DOWNLOAD_FAILED, facecore_models_pull("antelopev2", &options, NULL));
    FAILS(FACECORE_MODEL_NOT_FOUND, facecore_models_pull("nothing", &options, NULL));
    CHECK(facecore_models_remove("buffalo_sc", NULL) == FACECORE_OK);
    printf("packs by name\n");
    return 0;
}
