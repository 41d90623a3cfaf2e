/* What the C layer adds to a call, in nanoseconds: calls through it and the same calls in Rust take turns, so that what
 * else the machine does comes to both, and what is added is the median of the differences of neighbours. */
#define _POSIX_C_SOURCE 200809L

#include "fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FACES = 4, DIMENSION = 512, PERSONS = 8 };

/* What is measured. */
static facecore_recognizer *recognizer;
static facecore_image image;
static facecore_namespace *people;
static facecore_embedding *probe;

static void need(int32_t status)
{
    if (status != FACECORE_OK) {
        fprintf(stderr, "%s\n", facecore_last_error_message());
        exit(1);
    }
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static long long median(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, ascending);
    return values[count / 2];
}

/* Recognises, reads every face and all embeddings, and frees them. */
static void recognize_in_c(void)
{
    static float values[FACES * DIMENSION];
    facecore_faces *faces = NULL;
    size_t dimension = 0;
    need(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
    size_t count = facecore_faces_count(faces);
    for (size_t at = 0; at < count; at++) {
        facecore_face face = {.struct_size = sizeof face};
        need(facecore_faces_get(faces, at, &face));
    }
    need(facecore_faces_copy_embeddings(faces, values, FACES * DIMENSION, &dimension));
    facecore_faces_free(faces);
}

static uint64_t recognize_in_rust(void)
{
    return facecore_fake_nanoseconds_of_recognize(recognizer, &image, 1);
}

/* Searches, reads every match, and frees them. */
static void search_in_c(void)
{
    facecore_matches *found = NULL;
    need(facecore_namespace_search(people, probe, NULL, &found));
    size_t count = facecore_matches_count(found);
    for (size_t at = 0; at < count; at++) {
        facecore_match match = {.struct_size = sizeof match};
        need(facecore_matches_get(found, at, &match));
    }
    facecore_matches_free(found);
}

static uint64_t search_in_rust(void)
{
    return facecore_fake_nanoseconds_of_search(people, probe, 1);
}

/* Enrols people of whom the last one is the probe. */
static void enrol(void)
{
    facecore_gallery *gallery = NULL;
    facecore_space *space = NULL;
    need(facecore_gallery_in_memory(&gallery));
    need(facecore_gallery_namespace(gallery, "people", &people));
    need(facecore_space_new("overhead", 0.4f, &space));
    for (int person = 0; person < PERSONS; person++) {
        float values[DIMENSION];
        char id[32];
        for (int at = 0; at < DIMENSION; at++) {
            values[at] = (float)rand() / (float)RAND_MAX - 0.5f;
        }
        snprintf(id, sizeof id, "person-%d", person);
        facecore_embedding_free(probe);
        need(facecore_embedding_from_raw(values, DIMENSION, space, &probe));
        need(facecore_namespace_add(people, id, probe, NULL));
    }
    facecore_space_free(space);
    facecore_gallery_free(gallery);
}

static void measure(const char *what, void (*in_c)(void), uint64_t (*in_rust)(void), size_t calls)
{
    int64_t *through_c = malloc(calls * sizeof *through_c), *rust = malloc(calls * sizeof *rust);
    int64_t *added = malloc(calls * sizeof *added);
    for (size_t at = 0; at < calls; at++) {
        uint64_t told = at % 2 == 0 ? in_rust() : 0, start = now();
        in_c();
        through_c[at] = (int64_t)(now() - start);
        rust[at] = (int64_t)(at % 2 == 0 ? told : in_rust());
        if (rust[at] == 0) {
            fprintf(stderr, "%s\n", facecore_last_error_message());
            exit(1);
        }
        added[at] = through_c[at] - rust[at];
    }
    printf("%s: %lld ns through C, %lld ns in Rust, %lld ns added\n", what, median(through_c, calls), median(rust,
                                                                                                             calls),
           median(added, calls));
    free(through_c);
    free(rust);
    free(added);
}

int main(int argc, char **argv)
{
    size_t calls = argc > 1 ? strtoul(argv[1], NULL, 10) : 20000;
    if (calls == 0) {
        fprintf(stderr, "%s [CALLS]\n", argv[0]);
        return 2;
    }
    static unsigned char pixels[256 * 256 * 3];
    image.struct_size = sizeof image;
    image.data = pixels;
    image.len = sizeof pixels;
    image.width = image.height = 256;
    need(facecore_fake_recognizer(FACES, DIMENSION, &recognizer));
    enrol();
    /* A recognition takes longer than a search. */
    measure("facecore_recognizer_recognize, 4 faces of 512 values read", recognize_in_c, recognize_in_rust,
            calls / 4 + 1);
    measure("facecore_namespace_search, 8 people, 1 match read", search_in_c, search_in_rust, calls);
    facecore_embedding_free(probe);
    facecore_namespace_free(people);
    facecore_recognizer_free(recognizer);
    return 0;
}
