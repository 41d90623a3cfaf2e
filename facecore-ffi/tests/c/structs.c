/* Sizes of structs: programs of older and newer headers, and mistakes. The rows are compared with the header. */
#include "test.h"

/* As large as a struct may be at most. */
enum { LARGEST = 4096 };

static facecore_recognizer *recognizer;
static facecore_detector *detector;
static facecore_gallery *gallery;
static facecore_namespace *people;
static facecore_embedding *probe;
static facecore_picture *picture;
static unsigned char *colours;
static uint64_t face;

static void *at_size(void *place, size_t size)
{
    memcpy(place, &size, sizeof size);
    return place;
}

/* A struct that the library reads: `call` hands it on, and must succeed with `given`. */
static void reads(const char *name, size_t size, const void *given, int32_t (*call)(const void *), int line)
{
    static const size_t BAD[] = {0, 1, 7, 8, LARGEST + 1, 1 << 20, SIZE_MAX};
    unsigned char *place = calloc(1, LARGEST + 16);
    memcpy(place, given, size);
    check_status(call(at_size(place, size)), FACECORE_OK, __FILE__, line, name);
    for (size_t at = 0; at < sizeof BAD / sizeof *BAD; at++) {
        check_status(call(at_size(place, BAD[at])), FACECORE_INVALID_ARGUMENT, __FILE__, line, name);
        check_message(name, __FILE__, line);
        check_message("sizeof", __FILE__, line);
    }
    check_status(call(at_size(place, size - 1)), FACECORE_INVALID_ARGUMENT, __FILE__, line, name);

    /* A newer program: what the library does not know must be zero. */
    static const size_t LARGER[] = {1, 8, 64};
    for (size_t at = 0; at < sizeof LARGER / sizeof *LARGER; at++) {
        size_t larger = size + LARGER[at];
        check_status(call(at_size(place, larger)), FACECORE_OK, __FILE__, line, name);
        place[larger] = 1;
        check_status(call(place), FACECORE_OK, __FILE__, line, name);
        place[larger] = 0;
        place[larger - 1] = 1;
        check_status(call(place), FACECORE_INVALID_ARGUMENT, __FILE__, line, name);
        check_message("does not know", __FILE__, line);
        check_message(name, __FILE__, line);
        place[larger - 1] = 0;
    }
    check_status(call(at_size(place, LARGEST)), FACECORE_OK, __FILE__, line, name);
    free(place);
}

/* A struct that the library fills in: `call` hands the place on, and must succeed with a good size. */
static void writes(const char *name, size_t size, int32_t (*call)(void *), int line)
{
    static const size_t BAD[] = {0, 1, 7, 8, LARGEST + 1, 1 << 20, SIZE_MAX};
    unsigned char *place = malloc(LARGEST + 16), *copy = malloc(LARGEST + 16);
    for (size_t at = 0; at <= sizeof BAD / sizeof *BAD; at++) {
        memset(place, 0xA5, LARGEST + 16);
        at_size(place, at < sizeof BAD / sizeof *BAD ? BAD[at] : size - 1);
        memcpy(copy, place, LARGEST + 16);
        check_status(call(place), FACECORE_INVALID_ARGUMENT, __FILE__, line, name);
        check_message(name, __FILE__, line);
        check(memcmp(place, copy, LARGEST + 16) == 0, __FILE__, line, "nothing was written");
    }
    for (size_t more = 0; more <= 64; more += 8) {
        memset(place, 0xA5, LARGEST + 16);
        check_status(call(at_size(place, size + more)), FACECORE_OK, __FILE__, line, name);
        size_t told;
        memcpy(&told, place, sizeof told);
        check(told == size + more, __FILE__, line, "the size stays");
        int zero = 1, untouched = 1;
        for (size_t at = size; at < size + more; at++) {
            zero = zero && place[at] == 0;
        }
        for (size_t at = size + more; at < LARGEST + 16; at++) {
            untouched = untouched && place[at] == 0xA5;
        }
        check(zero, __FILE__, line, "what the library does not know is zero");
        check(untouched, __FILE__, line, "nothing is written beyond the size");
    }
    check_status(call(at_size(place, LARGEST)), FACECORE_OK, __FILE__, line, name);
    free(place);
    free(copy);
}

#define IN(type, given, call) reads(#type, sizeof(type), given, call, __LINE__)
#define OUT(type, call) writes(#type, sizeof(type), call, __LINE__)

static int32_t in_decode_options(const void *place)
{
    facecore_picture *made = NULL;
    int32_t status = facecore_picture_open(in(files, "picture.bmp"), place, &made);
    facecore_picture_free(made);
    return status;
}

static int32_t in_image(const void *place)
{
    facecore_picture *made = NULL;
    int32_t status = facecore_picture_copy(place, &made);
    facecore_picture_free(made);
    return status;
}

static int32_t in_runtime_options(const void *place)
{
    facecore_options options = generated();
    facecore_detector *made = NULL;
    options.runtime = place;
    int32_t status = facecore_detector_new(&options, &made);
    facecore_detector_free(made);
    return status;
}

static int32_t in_detector_options(const void *place)
{
    facecore_image image = rgb(colours, 64, 64);
    facecore_faces *found = NULL;
    int32_t status = facecore_detector_detect(detector, &image, place, &found);
    facecore_faces_free(found);
    return status;
}

static int32_t in_options(const void *place)
{
    facecore_embedder *made = NULL;
    int32_t status = facecore_embedder_new(place, &made);
    facecore_embedder_free(made);
    return status;
}

static int32_t in_new_face(const void *place)
{
    return facecore_namespace_enrol(people, "ada", place, 1, NULL);
}

static int32_t in_gallery_options(const void *place)
{
    facecore_gallery *made = NULL;
    int32_t status = facecore_gallery_open(in(files, "gallery"), place, &made);
    facecore_gallery_free(made);
    return status;
}

static int32_t in_search_options(const void *place)
{
    facecore_matches *found = NULL;
    int32_t status = facecore_namespace_search(people, probe, place, &found);
    facecore_matches_free(found);
    return status;
}

static int32_t out_image(void *place)
{
    return facecore_picture_image(picture, place);
}

static int32_t in_models_options(const void *place)
{
    facecore_models *list = NULL;
    int32_t status = facecore_models_list(place, &list);
    facecore_models_free(list);
    return status;
}

static int32_t out_models_info(void *place)
{
    facecore_models *list = NULL;
    facecore_models_options options = ZERO(facecore_models_options);
    options.cache = in(files, "cache");
    NEED(facecore_models_list(&options, &list));
    int32_t status = facecore_models_get(list, 0, place);
    facecore_models_free(list);
    return status;
}

static int32_t out_models_file(void *place)
{
    facecore_models *list = NULL;
    facecore_models_options options = ZERO(facecore_models_options);
    options.cache = in(files, "cache");
    NEED(facecore_models_list(&options, &list));
    int32_t status = facecore_models_get_file(list, 0, 0, place);
    facecore_models_free(list);
    return status;
}

static int32_t out_pack_info(void *place)
{
    facecore_pack *pack = NULL;
    NEED(facecore_pack_open(FACECORE_LITE, &pack));
    int32_t status = facecore_pack_get_info(pack, place);
    facecore_pack_free(pack);
    return status;
}

static int32_t out_placement(void *place)
{
    return facecore_detector_get_placement(detector, place);
}

static facecore_faces *found(void)
{
    facecore_image image = rgb(colours, 256, 256);
    facecore_faces *faces = NULL;
    NEED(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
    return faces;
}

static int32_t out_face(void *place)
{
    facecore_faces *faces = found();
    int32_t status = facecore_faces_get(faces, 0, place);
    facecore_faces_free(faces);
    return status;
}

static int32_t out_faces_info(void *place)
{
    facecore_faces *faces = found();
    int32_t status = facecore_faces_get_info(faces, place);
    facecore_faces_free(faces);
    return status;
}

static int32_t out_comparison(void *place)
{
    facecore_image image = rgb(colours, 256, 256);
    return facecore_recognizer_compare(recognizer, &image, &image, FACECORE_CHOICE_ONLY, place);
}

static int32_t out_outcome(void *place)
{
    facecore_batch *changes = NULL;
    facecore_outcomes *outcomes = NULL;
    NEED(facecore_batch_new(&changes));
    NEED(facecore_batch_enrol(changes, "outcome", NULL, 0));
    NEED(facecore_namespace_apply(people, changes, &outcomes));
    facecore_batch_free(changes);
    int32_t status = facecore_outcomes_get(outcomes, 0, place);
    facecore_outcomes_free(outcomes);
    return status;
}

static int32_t out_enrolled_photo(void *place)
{
    const char *person = "ada", *path = in(files, "picture.bmp");
    facecore_enrolment *enrolment = NULL;
    NEED(facecore_recognizer_enrol_photos(recognizer, &person, &path, 1, people, FACECORE_CHOICE_ONLY, NULL, NULL, &enrolment));
    int32_t status = facecore_enrolment_get(enrolment, 0, place);
    facecore_enrolment_free(enrolment);
    return status;
}

static int32_t out_export_report(void *place)
{
    remove(in(files, "export.jsonl"));
    return facecore_gallery_export_file(gallery, in(files, "export.jsonl"), place);
}

static int32_t out_import_report(void *place)
{
    return facecore_gallery_import_file(gallery, in(files, "import.jsonl"), place);
}

static int32_t out_verify_report(void *place)
{
    return facecore_gallery_verify(gallery, place, NULL);
}

static int32_t out_gallery_stats(void *place)
{
    return facecore_gallery_get_stats(gallery, place);
}

static int32_t out_namespace_stats(void *place)
{
    return facecore_namespace_get_stats(people, place);
}

static int32_t out_person(void *place)
{
    facecore_persons *persons = NULL;
    NEED(facecore_namespace_get(people, "ada", &persons));
    int32_t status = facecore_persons_get(persons, 0, place);
    facecore_persons_free(persons);
    return status;
}

static int32_t out_enrolled_face_info(void *place)
{
    facecore_enrolled_face *enrolled = NULL;
    NEED(facecore_namespace_face(people, face, &enrolled));
    int32_t status = facecore_enrolled_face_get_info(enrolled, place);
    facecore_enrolled_face_free(enrolled);
    return status;
}

static int32_t out_match(void *place)
{
    facecore_matches *matches = NULL;
    NEED(facecore_namespace_identify(people, probe, &matches));
    int32_t status = facecore_matches_get(matches, 0, place);
    facecore_matches_free(matches);
    return status;
}

static int32_t out_vote(void *place)
{
    facecore_votes *votes = NULL;
    NEED(facecore_namespace_vote(people, probe, 1, NULL, &votes));
    int32_t status = facecore_votes_get(votes, 0, place);
    facecore_votes_free(votes);
    return status;
}

static void read_by_the_library(void)
{
    facecore_decode_options decoding = ZERO(facecore_decode_options);
    facecore_image image = rgb(colours, 8, 8);
    facecore_runtime_options runtime = *builtin().runtime;
    facecore_detector_options detection = ZERO(facecore_detector_options);
    facecore_options options = generated();
    facecore_new_face one = ZERO(facecore_new_face);
    facecore_gallery_options opening = ZERO(facecore_gallery_options);
    facecore_search_options searching = ZERO(facecore_search_options);
    one.embedding = probe;
    /* Each with something in its last fields, so that these are known to be read. */
    decoding.max_bytes = 1 << 20;
    detection.no_close_ups = 1;
    options.decoding = &decoding;
    one.metadata = "{\"a\": 1}";
    opening.cache_bytes = 1 << 20;
    facecore_models_options installing = ZERO(facecore_models_options);
    installing.cache = in(files, "cache");
    IN(facecore_models_options, &installing, in_models_options);
    IN(facecore_decode_options, &decoding, in_decode_options);
    IN(facecore_image, &image, in_image);
    IN(facecore_runtime_options, &runtime, in_runtime_options);
    IN(facecore_detector_options, &detection, in_detector_options);
    IN(facecore_options, &options, in_options);
    IN(facecore_new_face, &one, in_new_face);
    IN(facecore_gallery_options, &opening, in_gallery_options);
    IN(facecore_search_options, &searching, in_search_options);
}

static void written_by_the_library(void)
{
    OUT(facecore_image, out_image);
    OUT(facecore_pack_info, out_pack_info);
    OUT(facecore_models_info, out_models_info);
    OUT(facecore_models_file, out_models_file);
    OUT(facecore_placement, out_placement);
    OUT(facecore_face, out_face);
    OUT(facecore_faces_info, out_faces_info);
    OUT(facecore_comparison, out_comparison);
    OUT(facecore_outcome, out_outcome);
    OUT(facecore_enrolled_photo, out_enrolled_photo);
    OUT(facecore_export_report, out_export_report);
    OUT(facecore_import_report, out_import_report);
    OUT(facecore_verify_report, out_verify_report);
    OUT(facecore_gallery_stats, out_gallery_stats);
    OUT(facecore_namespace_stats, out_namespace_stats);
    OUT(facecore_person, out_person);
    OUT(facecore_enrolled_face_info, out_enrolled_face_info);
    OUT(facecore_match, out_match);
    OUT(facecore_vote, out_vote);
}

/* Arrays of structs of a newer header: the first one's size is the stride. */
static void arrays(void)
{
    struct newer_face {
        facecore_new_face known;
        uint64_t added[3];
    } newer[3];
    facecore_embedding *own[3];
    uint64_t ids[4] = {0, 0, 0, 77};
    facecore_namespace *arrayed = namespace_in_memory("arrays");
    memset(newer, 0, sizeof newer);
    for (unsigned at = 0; at < 3; at++) {
        own[at] = embedding(at + 10);
        newer[at].known.struct_size = sizeof newer[at];
        newer[at].known.embedding = own[at];
    }
    OK(facecore_namespace_enrol(arrayed, "ada", &newer[0].known, 3, ids));
    CHECK(facecore_namespace_face_count(arrayed) == 3 && ids[0] != ids[1] && ids[1] != ids[2] && ids[3] == 77);
    for (unsigned at = 0; at < 3; at++) {
        facecore_matches *matches = NULL;
        facecore_match match = ZERO(facecore_match);
        OK(facecore_namespace_identify(arrayed, own[at], &matches));
        OK(facecore_matches_get(matches, 0, &match));
        CHECK(match.best_face == ids[at]);
        facecore_matches_free(matches);
    }
    newer[2].added[2] = 1;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(arrayed, "bob", &newer[0].known, 3, ids));
    SAYS("does not know");
    newer[2].added[2] = 0;
    newer[1].known.struct_size = sizeof(facecore_new_face);
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(arrayed, "bob", &newer[0].known, 3, ids));
    SAYS("in element 1");
    newer[1].known.struct_size = 0;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(arrayed, "bob", &newer[0].known, 3, ids));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(arrayed, "bob", &newer[0].known, SIZE_MAX, ids));
    SAYS("longer than memory");
    CHECK(facecore_namespace_person_count(arrayed) == 1);

    struct newer_image {
        facecore_image known;
        uint64_t added;
    } crops[2];
    facecore_options options = generated();
    facecore_embedder *embedder = NULL;
    facecore_embedding *made[3] = {NULL, NULL, probe}, *alone = NULL;
    float cosine = 0;
    NEED(facecore_embedder_new(&options, &embedder));
    memset(crops, 0, sizeof crops);
    for (int at = 0; at < 2; at++) {
        crops[at].known = rgb(colours + at * 300, 112, 112);
        crops[at].known.struct_size = sizeof crops[at];
    }
    OK(facecore_embedder_embed(embedder, &crops[0].known, 2, made));
    OK(facecore_embedder_embed(embedder, &crops[1].known, 1, &alone));
    OK(facecore_embedding_cosine(made[1], alone, &cosine));
    NEAR(1, cosine);
    OK(facecore_embedding_cosine(made[0], alone, &cosine));
    CHECK(cosine < 0.99999f && made[2] == probe);
    facecore_embedding *kept = made[0];
    crops[1].added = 1;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_embedder_embed(embedder, &crops[0].known, 2, made));
    CHECK(made[0] == kept);
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_embedder_embed(embedder, &crops[0].known, SIZE_MAX / 8, made));
    for (int at = 0; at < 3; at++) {
        facecore_embedding_free(own[at]);
    }
    facecore_embedding_free(made[0]);
    facecore_embedding_free(made[1]);
    facecore_embedding_free(alone);
    facecore_embedder_free(embedder);
    facecore_namespace_free(arrayed);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    facecore_options options = generated();
    colours = pixels(256, 256);
    write_picture(in(files, "picture.bmp"), 256, 256);
    NEED(facecore_fake_recognizer(1, 64, &recognizer));
    NEED(facecore_detector_new(&options, &detector));
    NEED(facecore_gallery_in_memory(&gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    NEED(facecore_picture_open(in(files, "picture.bmp"), NULL, &picture));
    facecore_faces *faces = found();
    NEED(facecore_faces_embedding(faces, 0, &probe));
    facecore_faces_free(faces);
    NEED(facecore_namespace_add(people, "ada", probe, &face));
    NEED(facecore_gallery_export_file(gallery, in(files, "import.jsonl"), NULL));

    read_by_the_library();
    written_by_the_library();
    arrays();

    facecore_embedding_free(probe);
    facecore_picture_free(picture);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
    facecore_detector_free(detector);
    facecore_recognizer_free(recognizer);
    free(colours);
    return finish();
}
