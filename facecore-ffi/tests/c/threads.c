/* Sixteen threads on one recognizer, one namespace and one batch: answers as with one, and a last error of each its
 * own. */
#include "outputs.h"

#include <pthread.h>

enum { THREADS = 16, ROUNDS = 5, SIDE = 128, FACES = 3 };

static facecore_recognizer *recognizer;
static facecore_gallery *gallery;
static facecore_namespace *people;
static facecore_batch *batch;
static facecore_image image;
static float expected[FACES * 128];
static facecore_embedding *probes[THREADS];

/* What a thread does over and over: recognizes, searches, enrols, and fails in its own way. */
static void *work(void *context)
{
    const unsigned me = *(const unsigned *)context;
    static const int32_t STATUSES[] = {FACECORE_NO_FACE, FACECORE_MODEL_OUTPUT, FACECORE_GALLERY_LOCKED, FACECORE_IO};
    const int32_t mine = STATUSES[me % 4];
    char id[32], missing[32], words[32];
    CHECK(facecore_last_error_status() == FACECORE_OK);
    TEXT("", facecore_last_error_message());
    for (unsigned round = 0; round < ROUNDS; round++) {
        FAILS(mine, facecore_fake_fail(mine));
        facecore_faces *faces = NULL;
        float values[FACES * 128];
        size_t dimension = 0;
        OK(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
        CHECK(facecore_faces_count(faces) == FACES);
        OK(facecore_faces_copy_embeddings(faces, values, FACES * 128, &dimension));
        CHECK(dimension == 128 && memcmp(values, expected, sizeof expected) == 0);
        facecore_faces_free(faces);

        facecore_matches *matches = NULL;
        facecore_match match = ZERO(facecore_match);
        OK(facecore_namespace_identify(people, probes[me], &matches));
        OK(facecore_matches_get(matches, 0, &match));
        snprintf(id, sizeof id, "known%u", me);
        TEXT(id, match.person);
        facecore_matches_free(matches);
        CHECK(facecore_last_error_status() == mine);
        TEXT("injected", facecore_last_error_message());

        facecore_persons *persons = NULL;
        snprintf(missing, sizeof missing, "missing%u", me);
        snprintf(words, sizeof words, "missing%u", me);
        FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_get(people, missing, &persons));
        SAYS(words);
        snprintf(id, sizeof id, "new%u-%u", me, round);
        enrol(people, id, 1000 + me * ROUNDS + round);
        OK(facecore_batch_set_name(batch, id, "by a thread"));
        CHECK(facecore_namespace_person_count(people) > THREADS);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    facecore_options options = generated();
    facecore_detector_options few = ZERO(facecore_detector_options);
    facecore_runtime_options runtime = *options.runtime;
    runtime.threads = 1;
    runtime.concurrency = 4;
    few.max_faces = FACES;
    options.detection = &few;
    options.runtime = &runtime;
    unsigned char *colours = pixels(SIDE, SIDE);
    image = rgb(colours, SIDE, SIDE);
    NEED(facecore_recognizer_new(&options, &recognizer));
    NEED(facecore_gallery_in_memory(&gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    NEED(facecore_batch_new(&batch));
    facecore_faces *faces = NULL;
    size_t dimension = 0;
    NEED(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
    NEED(facecore_faces_copy_embeddings(faces, expected, FACES * 128, &dimension));
    facecore_faces_free(faces);

    pthread_t threads[THREADS];
    unsigned numbers[THREADS];
    for (unsigned at = 0; at < THREADS; at++) {
        char id[32];
        snprintf(id, sizeof id, "known%u", at);
        enrol(people, id, at + 1);
        probes[at] = embedding(at + 1);
        numbers[at] = at;
    }
    FAILS(FACECORE_FORKED, facecore_fake_fail(FACECORE_FORKED));
    for (unsigned at = 0; at < THREADS; at++) {
        if (pthread_create(&threads[at], NULL, work, &numbers[at]) != 0) {
            perror("pthread_create");
            return 2;
        }
    }
    for (unsigned at = 0; at < THREADS; at++) {
        pthread_join(threads[at], NULL);
        facecore_embedding_free(probes[at]);
    }
    /* What the others did is not this thread's error. */
    CHECK(facecore_last_error_status() == FACECORE_FORKED);
    CHECK(facecore_namespace_face_count(people) == THREADS + THREADS * ROUNDS);
    CHECK(facecore_batch_count(batch) == THREADS * ROUNDS);
    facecore_outcomes *outcomes = NULL;
    OK(facecore_namespace_apply(people, batch, &outcomes));
    for (size_t at = 0; at < facecore_outcomes_count(outcomes); at++) {
        facecore_outcome outcome = ZERO(facecore_outcome);
        OK(facecore_outcomes_get(outcomes, at, &outcome));
        CHECK(outcome.status == FACECORE_OK);
    }
    facecore_verify_report report = ZERO(facecore_verify_report);
    OK(facecore_gallery_verify(gallery, &report, NULL));
    CHECK(report.problems == 0 && report.faces == THREADS + THREADS * ROUNDS);
    facecore_outcomes_free(outcomes);
    facecore_batch_free(batch);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
    facecore_recognizer_free(recognizer);
    free(colours);
    return finish();
}
