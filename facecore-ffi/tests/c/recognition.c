/* Recognizers: pixels, files, encoded pictures, many at once; without photographs by generated models, and with them by
 * the small pack. */
#include "outputs.h"

enum { SIDE = 256 };

static unsigned char *colours;
static facecore_image image;

/* Whether two lists have the same faces with the same embeddings. */
/* Counts finished files, on whichever thread. */
static void one_done(void *context, const char *path)
{
    CHECK(path != NULL);
    __sync_fetch_and_add((int *)context, 1);
}

static void alike(const facecore_faces *a, const facecore_faces *b)
{
    size_t count = facecore_faces_count(a), dimension = 0, other = 0;
    if (!CHECK(count == facecore_faces_count(b))) {
        return;
    }
    float *values = malloc((count * 256 + 1) * sizeof *values), *others = malloc((count * 256 + 1) * sizeof *others);
    OK(facecore_faces_copy_embeddings(a, values, count * 256, &dimension));
    OK(facecore_faces_copy_embeddings(b, others, count * 256, &other));
    CHECK(dimension == other && memcmp(values, others, count * dimension * sizeof *values) == 0);
    for (size_t at = 0; at < count; at++) {
        facecore_face one = ZERO(facecore_face), two = ZERO(facecore_face);
        OK(facecore_faces_get(a, at, &one));
        OK(facecore_faces_get(b, at, &two));
        CHECK(memcmp(&one, &two, sizeof one) == 0);
    }
    free(values);
    free(others);
}

static facecore_faces *recognized(const facecore_recognizer *recognizer, const facecore_image *seen)
{
    facecore_faces *faces = NULL;
    NEED(facecore_recognizer_recognize(recognizer, seen, NULL, &faces));
    return faces;
}

/* Every format of the same pixels gives the same faces. */
static void formats(const facecore_recognizer *recognizer, const facecore_image *plain)
{
    size_t width = plain->width, height = plain->height, count = width * height;
    facecore_faces *expected = recognized(recognizer, plain);
    size_t frame = count * 2 + 2 * (width + height);
    unsigned char *other = malloc(count * 4), *gray = malloc(frame), *grays = malloc(count * 3);
    CHECK(facecore_faces_count(expected) > 0);
    static const struct {
        int32_t format;
        size_t bytes, red, blue;
    } FORMATS[] = {{FACECORE_BGR, 3, 2, 0}, {FACECORE_RGBA, 4, 0, 2}, {FACECORE_BGRA, 4, 2, 0}};
    for (size_t at = 0; at < sizeof FORMATS / sizeof *FORMATS; at++) {
        size_t bytes = FORMATS[at].bytes;
        memset(other, 0x77, count * 4);
        for (size_t pixel = 0; pixel < count; pixel++) {
            other[pixel * bytes + FORMATS[at].red] = plain->data[pixel * 3];
            other[pixel * bytes + 1] = plain->data[pixel * 3 + 1];
            other[pixel * bytes + FORMATS[at].blue] = plain->data[pixel * 3 + 2];
        }
        facecore_image stored = image_of(other, count * bytes, width, height, FORMATS[at].format);
        facecore_faces *found = recognized(recognizer, &stored);
        alike(expected, found);
        facecore_faces_free(found);
    }
    facecore_faces_free(expected);

    /* Without colour: gray, and frames of cameras whose colour is none. */
    memset(gray, 128, frame);
    for (size_t pixel = 0; pixel < count; pixel++) {
        gray[pixel] = plain->data[pixel * 3 + 1];
        memset(grays + pixel * 3, gray[pixel], 3);
    }
    facecore_image colourless = rgb(grays, width, height);
    expected = recognized(recognizer, &colourless);
    static const int32_t GRAYS[] = {FACECORE_GRAY, FACECORE_NV12, FACECORE_NV21};
    for (size_t at = 0; at < 3; at++) {
        facecore_image stored = image_of(gray, frame, width, height, GRAYS[at]);
        facecore_faces *found = recognized(recognizer, &stored);
        alike(expected, found);
        facecore_faces_free(found);
    }
    facecore_faces_free(expected);

    /* Turned by a quarter, and told so. */
    unsigned char *turned = malloc(count * 3);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            /* Upright is the stored picture turned clockwise: its left column is the upper row of the upright one. */
            memcpy(turned + ((width - 1 - x) * height + y) * 3, plain->data + (y * width + x) * 3, 3);
        }
    }
    facecore_image stored = rgb(turned, height, width);
    stored.rotation = 90;
    expected = recognized(recognizer, plain);
    facecore_faces *found = recognized(recognizer, &stored);
    alike(expected, found);
    facecore_faces_info info = ZERO(facecore_faces_info);
    OK(facecore_faces_get_info(found, &info));
    CHECK(info.width == width && info.height == height);
    facecore_faces_free(found);
    facecore_faces_free(expected);
    free(turned);
    free(other);
    free(gray);
    free(grays);
}

static void of_generated(void)
{
    facecore_options options = generated();
    facecore_recognizer *recognizer = NULL;
    facecore_detector_options few = ZERO(facecore_detector_options);
    facecore_decode_options small = ZERO(facecore_decode_options);
    few.max_faces = 5;
    small.max_pixels = SIDE * SIDE;
    options.detection = &few;
    options.decoding = &small;
    NEED(facecore_recognizer_new(&options, &recognizer));
    /* Nothing is kept of what the pointers point to. */
    memset(&few, 0xFF, sizeof few);
    memset(&small, 0xFF, sizeof small);
    options = generated();
    formats(recognizer, &image);

    /* A file, its bytes, and its pixels. */
    const char *path = in(files, "picture.bmp"), *large = in(files, "large.bmp"), *bad = in(files, "bad.bmp");
    write_picture(path, SIDE, SIDE);
    write_picture(large, SIDE + 1, SIDE);
    write_file(bad, "BM", 2);
    size_t len;
    unsigned char *bytes = content(path, &len);
    facecore_faces *expected = recognized(recognizer, &image), *found = NULL;
    CHECK(facecore_faces_count(expected) == 5);
    OK(facecore_recognizer_recognize_file(recognizer, path, &found));
    alike(expected, found);
    facecore_faces_info info = ZERO(facecore_faces_info);
    OK(facecore_faces_get_info(found, &info));
    CHECK(info.decode_seconds > 0 && info.detect_seconds > 0 && info.align_seconds > 0 && info.embed_seconds > 0);
    facecore_faces_free(found);
    OK(facecore_recognizer_recognize_encoded(recognizer, bytes, len, &found));
    alike(expected, found);
    facecore_faces_free(found);
    LEAVES(FACECORE_IMAGE_TOO_LARGE, facecore_recognizer_recognize_file(recognizer, large, &out.faces));
    LEAVES(FACECORE_IO, facecore_recognizer_recognize_file(recognizer, in(files, "nowhere.jpg"), &out.faces));
    LEAVES(FACECORE_IMAGE_CORRUPT, facecore_recognizer_recognize_encoded(recognizer, bytes, len / 2, &out.faces));
    LEAVES(FACECORE_IMAGE_FORMAT, facecore_recognizer_recognize_encoded(recognizer, (const uint8_t *)"text", 4,
                                                                        &out.faces));
    free(bytes);

    /* Options of a call are in place of all those of the recognizer. */
    facecore_detector_options own = ZERO(facecore_detector_options);
    OK(facecore_recognizer_recognize(recognizer, &image, &own, &found));
    CHECK(facecore_faces_count(found) > 5);
    facecore_faces_free(found);
    own.max_faces = 1;
    OK(facecore_recognizer_recognize(recognizer, &image, &own, &found));
    CHECK(facecore_faces_count(found) == 1);
    facecore_faces_free(found);
    own.score_threshold = 7;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_recognize(recognizer, &image, &own, &out.faces));

    /* Many at once: a file that fails loses nobody else's. */
    const char *paths[] = {path, bad, path, in(files, "nowhere.jpg"), large, path};
    facecore_recognitions *recognitions = NULL;
    int done = 0;
    OK(facecore_recognizer_recognize_files(recognizer, paths, 6, one_done, &done, &recognitions));
    CHECK(done == 6);
    CHECK(facecore_recognitions_count(recognitions) == 6);
    for (size_t at = 0; at < 6; at += at == 2 ? 3 : 2) {
        OK(facecore_recognitions_get(recognitions, at, &found));
        alike(expected, found);
        facecore_faces_free(found);
    }
    LEAVES(FACECORE_IMAGE_CORRUPT, facecore_recognitions_get(recognitions, 1, &out.faces));
    LEAVES(FACECORE_IO, facecore_recognitions_get(recognitions, 3, &out.faces));
    SAYS("nowhere.jpg");
    LEAVES(FACECORE_IMAGE_TOO_LARGE, facecore_recognitions_get(recognitions, 4, &out.faces));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognitions_get(recognitions, 6, &out.faces));
    SAYS("there is no recognition at 6");
    facecore_recognitions_free(recognitions);
    OK(facecore_recognizer_recognize_files(recognizer, NULL, 0, NULL, NULL, &recognitions));
    CHECK(facecore_recognitions_count(recognitions) == 0);
    facecore_recognitions_free(recognitions);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_recognize_files(recognizer, paths, SIZE_MAX, NULL, NULL,
                                                                          &out.recognitions));

    /* One face of many. */
    OK(facecore_recognizer_recognize_one(recognizer, &image, FACECORE_CHOICE_LARGEST, &found));
    CHECK(facecore_faces_count(found) == 1);
    facecore_comparison comparison = ZERO(facecore_comparison);
    OK(facecore_recognizer_compare(recognizer, &image, &image, FACECORE_CHOICE_CENTRAL, &comparison));
    NEAR(1, comparison.cosine);
    CHECK(comparison.same == 1 && comparison.threshold > 0);
    facecore_faces_free(found);

    /* A batch of crops is embedded as recognizing embeds them. */
    facecore_embedder *embedder = NULL;
    facecore_aligner *aligner = NULL;
    facecore_picture *crops[5];
    facecore_image views[5];
    facecore_embedding *made[5];
    NEED(facecore_embedder_new(&options, &embedder));
    NEED(facecore_embedder_aligner(embedder, &aligner));
    for (size_t at = 0; at < 5; at++) {
        facecore_face face = ZERO(facecore_face);
        OK(facecore_faces_get(expected, at, &face));
        NEED(facecore_aligner_align(aligner, &image, face.landmarks, &crops[at]));
        views[at] = ZERO(facecore_image);
        OK(facecore_picture_image(crops[at], &views[at]));
    }
    NEED(facecore_embedder_embed(embedder, views, 5, made));
    for (size_t at = 0; at < 5; at++) {
        facecore_embedding *one = NULL;
        float cosine = 0;
        OK(facecore_faces_embedding(expected, at, &one));
        OK(facecore_embedding_cosine(one, made[at], &cosine));
        NEAR(1, cosine);
        facecore_embedding_free(one);
        facecore_embedding_free(made[at]);
        facecore_picture_free(crops[at]);
    }
    facecore_aligner_free(aligner);
    facecore_embedder_free(embedder);
    facecore_faces_free(expected);
    facecore_recognizer_free(recognizer);
}

static facecore_picture *photograph(const char *name)
{
    facecore_picture *picture = NULL;
    NEED(facecore_picture_open(in(data, name), NULL, &picture));
    return picture;
}

static facecore_image seen(const facecore_picture *picture)
{
    facecore_image found = ZERO(facecore_image);
    NEED(facecore_picture_image(picture, &found));
    return found;
}

static void of_photographs(void)
{
    if (data == NULL) {
        return;
    }
    facecore_options options = builtin();
    facecore_recognizer *recognizer = NULL;
    NEED(facecore_recognizer_open(FACECORE_LITE, &options, &recognizer));
    facecore_picture *obama = photograph("images/obama-240p.jpg"), *again = photograph("images/obama.jpg");
    facecore_picture *biden = photograph("images/train_biden_biden2.jpg"), *two = photograph("images/two_people.jpg");
    facecore_image a = seen(obama), b = seen(again), c = seen(biden), both = seen(two);
    formats(recognizer, &a);
    facecore_faces *faces = recognized(recognizer, &a), *found = NULL;
    facecore_face face = ZERO(facecore_face);
    CHECK(facecore_faces_count(faces) == 1);
    OK(facecore_faces_get(faces, 0, &face));
    CHECK(face.x1 < face.landmarks[0].x && face.landmarks[0].x < face.landmarks[1].x && face.landmarks[1].x < face.x2);
    CHECK(face.landmarks[0].y < face.landmarks[2].y && face.landmarks[2].y < face.landmarks[3].y && face.score > 0.48f);
    facecore_faces_free(faces);

    facecore_comparison comparison = ZERO(facecore_comparison);
    OK(facecore_recognizer_compare(recognizer, &a, &b, FACECORE_CHOICE_LARGEST, &comparison));
    CHECK(comparison.same == 1 && comparison.cosine >= comparison.threshold);
    NEAR(0.42, comparison.threshold);
    OK(facecore_recognizer_compare(recognizer, &a, &c, FACECORE_CHOICE_LARGEST, &comparison));
    CHECK(comparison.same == 0 && comparison.cosine < comparison.threshold);
    LEAVES(FACECORE_SEVERAL_FACES, facecore_recognizer_recognize_one(recognizer, &both, FACECORE_CHOICE_ONLY,
                                                                     &out.faces));
    OK(facecore_recognizer_recognize_one(recognizer, &both, FACECORE_CHOICE_CENTRAL, &found));
    facecore_faces_free(found);

    /* From the photograph to the person. */
    facecore_namespace *people = NULL;
    facecore_gallery *gallery = NULL;
    facecore_enrolment *enrolment = NULL;
    NEED(facecore_gallery_in_memory(&gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    const char *persons[] = {"obama", "biden"};
    const char *paths[] = {in(data, "images/obama.jpg"), in(data, "images/train_biden_biden2.jpg")};
    OK(facecore_recognizer_enrol_photos(recognizer, persons, paths, 2, people, FACECORE_CHOICE_LARGEST, NULL, NULL, &enrolment));
    CHECK(facecore_enrolment_faces(enrolment) == 2);
    facecore_enrolment_free(enrolment);
    OK(facecore_recognizer_recognize_one(recognizer, &a, FACECORE_CHOICE_ONLY, &found));
    facecore_embedding *probe = NULL;
    facecore_matches *matches = NULL;
    facecore_match match = ZERO(facecore_match);
    OK(facecore_faces_embedding(found, 0, &probe));
    OK(facecore_namespace_identify(people, probe, &matches));
    OK(facecore_matches_get(matches, 0, &match));
    TEXT("obama", match.person);
    facecore_matches_free(matches);
    facecore_embedding_free(probe);
    facecore_faces_free(found);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
    facecore_picture_free(obama);
    facecore_picture_free(again);
    facecore_picture_free(biden);
    facecore_picture_free(two);
    facecore_recognizer_free(recognizer);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    colours = pixels(SIDE, SIDE);
    image = rgb(colours, SIDE, SIDE);
    of_generated();
    of_photographs();
    free(colours);
    return finish();
}
