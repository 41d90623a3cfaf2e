/* Embeddings and spaces: values in and out, comparisons, and what is refused. */
#include "outputs.h"

static void values_of_models(void)
{
    facecore_space *pinned = space(), *told = NULL;
    facecore_embedding *made = NULL, *again = NULL;
    float raw[64] = {3, 4}, stored[64];
    size_t dimension = 0;
    OK(facecore_embedding_from_raw(raw, 64, pinned, &made));
    CHECK(facecore_embedding_dimension(made) == 64);
    NEAR(5, facecore_embedding_norm(made));
    const float *values = facecore_embedding_data(made);
    NEAR(0.6, values[0]);
    NEAR(0.8, values[1]);
    CHECK(values[2] == 0 && values[63] == 0);
    OK(facecore_embedding_copy(made, stored, 64, &dimension));
    CHECK(dimension == 64 && memcmp(stored, values, sizeof stored) == 0);
    OK(facecore_embedding_space(made, &told));
    TEXT("test", facecore_space_id(told));
    NEAR(0.4, facecore_space_threshold(told));

    /* Too small a buffer: how much is needed is told, and nothing else is written. */
    fill();
    dimension = 0;
    FAILS(FACECORE_BUFFER_TOO_SMALL, facecore_embedding_copy(made, out.values, 63, &dimension));
    SAYS("takes 63 values, and there are 64");
    CHECK(dimension == 64 && memcmp(&before, &out, sizeof out) == 0);
    dimension = 0;
    FAILS(FACECORE_BUFFER_TOO_SMALL, facecore_embedding_copy(made, NULL, 0, &dimension));
    CHECK(dimension == 64);
    FAILS(FACECORE_BUFFER_TOO_SMALL, facecore_embedding_copy(made, NULL, 0, NULL));

    /* Kept values come back bit for bit. */
    OK(facecore_embedding_from_stored(stored, 64, facecore_embedding_norm(made), pinned, &again));
    CHECK(memcmp(facecore_embedding_data(again), stored, sizeof stored) == 0);
    CHECK(facecore_embedding_norm(again) == facecore_embedding_norm(made));
    facecore_embedding_free(again);
    /* A second handle shares the values, and outlives the first. */
    OK(facecore_embedding_clone(made, &again));
    CHECK(facecore_embedding_data(again) == facecore_embedding_data(made));
    facecore_embedding_free(made);
    made = again;
    CHECK(memcmp(facecore_embedding_data(made), stored, sizeof stored) == 0);
    facecore_space_free(told);
    facecore_space_free(pinned);
    facecore_embedding_free(made);
}

static void refused_values(void)
{
    facecore_space *pinned = space();
    float raw[64] = {0};
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_raw(raw, 64, pinned, &out.embedding));
    raw[0] = 1;
    raw[63] = NAN;
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_raw(raw, 64, pinned, &out.embedding));
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_stored(raw, 64, 1, pinned, &out.embedding));
    raw[63] = INFINITY;
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_raw(raw, 64, pinned, &out.embedding));
    raw[63] = 0.1f;
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_stored(raw, 64, 1, pinned, &out.embedding));
    raw[63] = 0;
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_stored(raw, 64, NAN, pinned, &out.embedding));
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_raw(raw, 0, pinned, &out.embedding));
    LEAVES(FACECORE_INVALID_EMBEDDING, facecore_embedding_from_raw(NULL, 0, pinned, &out.embedding));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_embedding_from_raw(raw, SIZE_MAX, pinned, &out.embedding));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_embedding_from_raw((float *)((char *)raw + 1), 63, pinned,
                                                                  &out.embedding));
    SAYS("aligned");
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_space_new("\xC3\x28", 0.4f, &out.space));
    SAYS("the id of the space is not UTF-8");
    facecore_space_free(pinned);
}

static void comparisons(void)
{
    facecore_space *pinned = space(), *foreign = NULL;
    facecore_embedding *one = embedding(1), *alike = near(1, 0.8), *other = NULL, *longer = NULL;
    float raw[128] = {1}, cosine = 0, distance = 0;
    OK(facecore_embedding_cosine(one, one, &cosine));
    NEAR(1, cosine);
    OK(facecore_embedding_cosine(one, alike, &cosine));
    NEAR(0.8, cosine);
    OK(facecore_embedding_euclidean(one, alike, &distance));
    NEAR(sqrt(2 - 2 * 0.8), distance);
    OK(facecore_embedding_euclidean(one, one, &distance));
    NEAR(0, distance);
    NEED(facecore_space_new("other", 0.4f, &foreign));
    NEED(facecore_embedding_from_raw(raw, 64, foreign, &other));
    NEED(facecore_embedding_from_raw(raw, 128, pinned, &longer));
    LEAVES(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_embedding_cosine(one, other, &out.number));
    SAYS("other");
    LEAVES(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_embedding_euclidean(one, other, &out.number));
    LEAVES(FACECORE_DIMENSION_MISMATCH, facecore_embedding_cosine(one, longer, &out.number));
    LEAVES(FACECORE_DIMENSION_MISMATCH, facecore_embedding_euclidean(longer, one, &out.number));
    facecore_embedding_free(one);
    facecore_embedding_free(alike);
    facecore_embedding_free(other);
    facecore_embedding_free(longer);
    facecore_space_free(pinned);
    facecore_space_free(foreign);
}

static void of_faces(void)
{
    facecore_recognizer *recognizer = NULL;
    facecore_faces *faces = NULL;
    unsigned char *colours = pixels(256, 256);
    facecore_image image = rgb(colours, 256, 256);
    NEED(facecore_fake_recognizer(3, 64, &recognizer));
    NEED(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
    float values[3 * 64];
    size_t dimension = 0;
    OK(facecore_faces_copy_embeddings(faces, values, 3 * 64, &dimension));
    CHECK(dimension == 64 && facecore_faces_count(faces) == 3 && facecore_faces_dimension(faces) == 64);
    for (size_t at = 0; at < 3; at++) {
        facecore_embedding *one = NULL;
        OK(facecore_faces_embedding(faces, at, &one));
        CHECK(memcmp(facecore_embedding_data(one), values + at * 64, 64 * sizeof(float)) == 0);
        /* Shared, not copied. */
        CHECK(facecore_faces_embedding_data(faces, at) == facecore_embedding_data(one));
        facecore_embedding_free(one);
    }
    fill();
    dimension = 0;
    FAILS(FACECORE_BUFFER_TOO_SMALL, facecore_faces_copy_embeddings(faces, out.values, 3 * 64 - 1, &dimension));
    SAYS("takes 191 values, and there are 192");
    CHECK(dimension == 64 && memcmp(&before, &out, sizeof out) == 0);
    FAILS(FACECORE_BUFFER_TOO_SMALL, facecore_faces_copy_embeddings(faces, NULL, 0, &dimension));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_faces_embedding(faces, 3, &out.embedding));
    CHECK(facecore_faces_embedding_data(faces, 3) == NULL && facecore_faces_embedding_data(faces, SIZE_MAX) == NULL);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_faces_get(faces, 3, &out.face));
    SAYS("there is no face at 3: there are 3, counted from 0");
    facecore_faces_free(faces);
    facecore_recognizer_free(recognizer);
    free(colours);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    values_of_models();
    refused_values();
    comparisons();
    of_faces();
    return finish();
}
