/* Places for every kind of output, filled so that it is seen if a call that fails wrote to one of them.
 *
 * A row of these macros is one call with NULL in one argument; tests/programs.rs compares the rows with the header. */
#ifndef FACECORE_OUTPUTS_H
#define FACECORE_OUTPUTS_H

#include "test.h"

struct outputs {
    facecore_picture *picture;
    facecore_pack *pack;
    facecore_models *models;
    facecore_aligner *aligner;
    facecore_detector *detector;
    facecore_embedder *embedder;
    facecore_space *space;
    facecore_embedding *embedding;
    facecore_embedding *embeddings[2];
    facecore_faces *faces;
    facecore_recognizer *recognizer;
    facecore_recognitions *recognitions;
    facecore_batch *batch;
    facecore_outcomes *outcomes;
    facecore_enrolment *enrolment;
    facecore_gallery *gallery;
    facecore_namespace *people;
    facecore_persons *persons;
    facecore_enrolled_face *enrolled;
    facecore_matches *matches;
    facecore_matches *lists[2];
    facecore_votes *votes;
    facecore_texts *texts;
    char *text;
    size_t size, other_size;
    uint64_t ids[2];
    float number;
    float values[256];
    facecore_image image;
    facecore_pack_info pack_info;
    facecore_models_info models_info;
    facecore_models_file models_file;
    facecore_placement placement;
    facecore_face face;
    facecore_faces_info faces_info;
    facecore_comparison comparison;
    facecore_outcome outcome;
    facecore_enrolled_photo photo;
    facecore_export_report exported;
    facecore_import_report imported;
    facecore_verify_report verified;
    facecore_gallery_stats gallery_stats;
    facecore_namespace_stats people_stats;
    facecore_person person;
    facecore_enrolled_face_info enrolled_info;
    facecore_match match;
    facecore_vote vote;
};

static struct outputs out, before;

/* Fills the outputs. */
static inline void fill(void)
{
    memset(&out, 0x5A, sizeof out);
#define SIZED(field) out.field.struct_size = sizeof out.field
    SIZED(image);
    SIZED(pack_info);
    SIZED(models_info);
    SIZED(models_file);
    SIZED(placement);
    SIZED(face);
    SIZED(faces_info);
    SIZED(comparison);
    SIZED(outcome);
    SIZED(photo);
    SIZED(exported);
    SIZED(imported);
    SIZED(verified);
    SIZED(gallery_stats);
    SIZED(people_stats);
    SIZED(person);
    SIZED(enrolled_info);
    SIZED(match);
    SIZED(vote);
#undef SIZED
    memcpy(&before, &out, sizeof out);
}

/* A function that is told of finished photos and has no context. */
static inline void nothing_done(void *context, const char *path)
{
    check(context == NULL && path != NULL, __FILE__, __LINE__, "a path and no context");
}

static inline void refused(int32_t status, const char *named, const char *function, const char *file, int line)
{
    check_status(status, FACECORE_INVALID_ARGUMENT, file, line, function);
    if (status == FACECORE_INVALID_ARGUMENT) {
        check_message(named, file, line);
        check_message("is NULL", file, line);
    }
    check(memcmp(&before, &out, sizeof out) == 0, file, line, "nothing was written");
}

/* A call that must be refused, with a message that says `named`, and writes nothing. */
#define REFUSES(function, argument, arguments, named)                                                                  \
    do {                                                                                                               \
        fill();                                                                                                        \
        refused(function arguments, named, #function, __FILE__, __LINE__);                                             \
    } while (0)

/* A call that NULL is fine for. */
#define PASSES(function, argument, arguments)                                                                          \
    do {                                                                                                               \
        fill();                                                                                                        \
        check_status(function arguments, FACECORE_OK, __FILE__, __LINE__, #function);                                  \
    } while (0)

/* A call that must fail so and writes nothing. */
#define LEAVES(status, call)                                                                                           \
    do {                                                                                                               \
        fill();                                                                                                        \
        FAILS(status, call);                                                                                           \
        CHECK(memcmp(&before, &out, sizeof out) == 0);                                                                 \
    } while (0)

/* What a function without status makes of NULL. */
#define TAKES(function, argument, condition) CHECK(condition)

#endif
