/* Packs, and what is made of models: detectors, aligners, embedders and recognizers, by files, bytes and packs. */
#include "test.h"

enum { SIDE = 256 };

static unsigned char *colours;
static facecore_image image;

static const char MANIFEST[] =
    "format = 1\nname = \"generated\"\nversion = \"3\"\nlicence = \"none\"\n"
    "[detector]\nfile = \"detector.onnx\"\nkind = \"scrfd\"\nlicence = \"of the detector\"\n"
    "[embedder]\nfile = \"embedder.onnx\"\nkind = \"arcface\"\nspace = \"generated\"\nthreshold = 0.25\n";

static void alike(const facecore_faces *a, const facecore_faces *b)
{
    CHECK(facecore_faces_count(a) == facecore_faces_count(b));
    for (size_t at = 0; at < facecore_faces_count(a); at++) {
        facecore_face one = ZERO(facecore_face), other = ZERO(facecore_face);
        OK(facecore_faces_get(a, at, &one));
        OK(facecore_faces_get(b, at, &other));
        CHECK(memcmp(&one, &other, sizeof one) == 0);
    }
}

static void of_lite(void)
{
    facecore_pack *pack = NULL;
    facecore_pack_info info = ZERO(facecore_pack_info);
    OK(facecore_pack_open(FACECORE_LITE, &pack));
    OK(facecore_pack_get_info(pack, &info));
    TEXT("facecore-lite", info.name);
    CHECK(strstr(info.licence, "research") != NULL && strlen(info.detector_sha256) == 64);
    CHECK(strlen(info.embedder_sha256) == 64 && info.version[0] != 0);
    CHECK(strstr(facecore_lite_licence(), "research") != NULL);
    facecore_options options = builtin();
    options.opened_pack = pack;
    facecore_recognizer *recognizer = NULL;
    OK(facecore_recognizer_new(&options, &recognizer));
    facecore_pack_free(pack);
    CHECK(facecore_recognizer_dimension(recognizer) == 128);
    facecore_space *space = NULL;
    OK(facecore_recognizer_space(recognizer, &space));
    NEAR(0.42, facecore_space_threshold(space));
    CHECK(strstr(facecore_space_id(space), "facecore-lite") != NULL);
    facecore_space_free(space);
    /* There is no face in what is here. */
    facecore_faces *faces = NULL;
    OK(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
    CHECK(facecore_faces_count(faces) == 0);
    size_t dimension = 7;
    float none;
    OK(facecore_faces_copy_embeddings(faces, NULL, 0, &dimension));
    CHECK(dimension == 0);
    OK(facecore_faces_copy_embeddings(faces, &none, 1, &dimension));
    CHECK(facecore_faces_dimension(faces) == 0 && facecore_faces_embedding_data(faces, 0) == NULL);
    facecore_faces_free(faces);
    FAILS(FACECORE_NO_FACE, facecore_recognizer_recognize_one(recognizer, &image, FACECORE_CHOICE_LARGEST, &faces));
    facecore_recognizer_free(recognizer);
}

static void packs(void)
{
    const char *folder = in(files, ""), *names[] = {"detector.onnx", "embedder.onnx"};
    uint8_t *contents[2];
    size_t lengths[2];
    facecore_pack *pack = NULL;
    facecore_pack_info info = ZERO(facecore_pack_info);
    for (int at = 0; at < 2; at++) {
        contents[at] = content(in(models, names[at]), &lengths[at]);
        write_file(in(files, names[at]), contents[at], lengths[at]);
    }
    write_file(in(files, "pack.toml"), MANIFEST, strlen(MANIFEST));
    OK(facecore_pack_open(folder, &pack));
    OK(facecore_pack_get_info(pack, &info));
    TEXT("generated", info.name);
    TEXT("3", info.version);
    TEXT("none", info.licence);
    TEXT("of the detector", info.detector_licence);
    char sum[65];
    memcpy(sum, info.embedder_sha256, sizeof sum);
    facecore_pack_free(pack);

    OK(facecore_pack_from_memory(MANIFEST, names, (const uint8_t *const *)contents, lengths, 2, &pack));
    free(contents[0]);
    free(contents[1]);
    OK(facecore_pack_get_info(pack, &info));
    TEXT("generated", info.name);
    TEXT(sum, info.embedder_sha256);

    /* The same from the folder and from memory; the pack named by itself wins. */
    facecore_options options = builtin();
    facecore_recognizer *from_folder = NULL, *from_memory = NULL;
    facecore_faces *a = NULL, *b = NULL;
    options.pack = FACECORE_LITE;
    OK(facecore_recognizer_open(folder, &options, &from_folder));
    options.opened_pack = pack;
    OK(facecore_recognizer_new(&options, &from_memory));
    facecore_pack_free(pack);
    OK(facecore_recognizer_recognize(from_folder, &image, NULL, &a));
    OK(facecore_recognizer_recognize(from_memory, &image, NULL, &b));
    CHECK(facecore_faces_count(a) > 0);
    alike(a, b);
    facecore_space *space = NULL;
    OK(facecore_recognizer_space(from_folder, &space));
    TEXT("generated", facecore_space_id(space));
    NEAR(0.25, facecore_space_threshold(space));
    facecore_space_free(space);
    facecore_faces_free(a);
    facecore_faces_free(b);
    facecore_recognizer_free(from_folder);
    facecore_recognizer_free(from_memory);

    /* A pack without a detector, and folders of any name. */
    static const char PART[] =
        "format = 1\nname = \"part\"\n[embedder]\nfile = \"embedder.onnx\"\nkind = \"arcface\"\nspace = \"a\"\n";
    char named[1100];
    snprintf(named, sizeof named, "mkdir -p '%s/\xFF\xFE' && cp '%s' '%s/\xFF\xFE/'", files, in(files, "embedder.onnx"),
             files);
    CHECK(system(named) == 0);
    write_file(in(files, "\xFF\xFE/pack.toml"), PART, strlen(PART));
    folder = in(files, "\xFF\xFE");
    OK(facecore_pack_open(folder, &pack));
    OK(facecore_pack_get_info(pack, &info));
    CHECK(info.detector_licence == NULL && info.detector_sha256 == NULL && info.embedder_sha256 != NULL);
    facecore_pack_free(pack);
    facecore_embedder *embedder = NULL;
    options = builtin();
    OK(facecore_embedder_open(folder, &options, &embedder));
    facecore_embedder_free(embedder);
    facecore_detector *detector = NULL;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_open(folder, &options, &detector));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_pack_from_memory("\xFF", NULL, NULL, NULL, 0, &pack));
    SAYS("the manifest is not UTF-8");
}

static void detectors(void)
{
    facecore_options options = generated();
    facecore_detector *by_file = NULL, *by_bytes = NULL;
    facecore_faces *a = NULL, *b = NULL;
    facecore_placement placement = ZERO(facecore_placement);
    size_t len;
    unsigned char *bytes = content(options.detector, &len);
    OK(facecore_detector_new(&options, &by_file));
    options.detector_bytes = bytes;
    options.detector_len = len;
    options.detector_kind = NULL;
    options.detector = "nowhere";
    OK(facecore_detector_new(&options, &by_bytes));
    memset(bytes, 0, len);
    free(bytes);
    OK(facecore_detector_detect(by_file, &image, NULL, &a));
    OK(facecore_detector_detect(by_bytes, &image, NULL, &b));
    size_t count = facecore_faces_count(a);
    CHECK(count > 3);
    alike(a, b);
    facecore_faces_free(b);

    /* Best first, with landmarks, within bounds. */
    facecore_face last = ZERO(facecore_face);
    last.score = 1;
    for (size_t at = 0; at < count; at++) {
        facecore_face face = ZERO(facecore_face);
        OK(facecore_faces_get(a, at, &face));
        CHECK(face.score <= last.score && face.score > 0 && face.x1 < face.x2 && face.y1 < face.y2);
        CHECK(face.has_landmarks == 1);
        last = face;
    }
    facecore_face beyond = ZERO(facecore_face);
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_faces_get(a, count, &beyond));
    SAYS("there is no face at");
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_faces_get(a, SIZE_MAX, &beyond));
    facecore_faces_info info = ZERO(facecore_faces_info);
    OK(facecore_faces_get_info(a, &info));
    CHECK(info.width == SIDE && info.height == SIDE && info.detect_seconds > 0 && info.embed_seconds == 0);

    /* What was only detected has no embeddings. */
    facecore_embedding *embedding = NULL;
    float values[1];
    size_t dimension = 7;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_faces_embedding(a, 0, &embedding));
    SAYS("facecore_recognizer_recognize");
    CHECK(facecore_faces_dimension(a) == 0 && facecore_faces_embedding_data(a, 0) == NULL);
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_faces_copy_embeddings(a, values, 1, &dimension));
    CHECK(dimension == 7);
    facecore_faces_free(a);

    /* Options of a call, and their limits. */
    facecore_detector_options wanted = ZERO(facecore_detector_options);
    wanted.max_faces = 2;
    OK(facecore_detector_detect(by_file, &image, &wanted, &a));
    CHECK(facecore_faces_count(a) == 2);
    facecore_faces_free(a);
    wanted = ZERO(facecore_detector_options);
    wanted.score_threshold = 1;
    OK(facecore_detector_detect(by_file, &image, &wanted, &a));
    CHECK(facecore_faces_count(a) < count);
    facecore_faces_free(a);
    wanted = ZERO(facecore_detector_options);
    wanted.input_size = FACECORE_INPUT_LETTERBOX;
    wanted.letterbox_width = wanted.letterbox_height = 320;
    OK(facecore_detector_detect(by_file, &image, &wanted, &a));
    facecore_faces_free(a);
    wanted.letterbox_width = 0;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_detect(by_file, &image, &wanted, &a));
    wanted = ZERO(facecore_detector_options);
    wanted.input_size = FACECORE_INPUT_NATIVE;
    wanted.no_close_ups = 1;
    OK(facecore_detector_detect(by_file, &image, &wanted, &a));
    facecore_faces_free(a);
    wanted = ZERO(facecore_detector_options);
    wanted.smallest_face = 40;
    OK(facecore_detector_detect(by_file, &image, &wanted, &a));
    facecore_faces_free(a);
    const float bad[] = {-1, 1.5f, NAN, INFINITY};
    for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) {
        wanted = ZERO(facecore_detector_options);
        wanted.score_threshold = bad[at];
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_detect(by_file, &image, &wanted, &a));
        wanted = ZERO(facecore_detector_options);
        wanted.nms_iou = bad[at];
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_detect(by_file, &image, &wanted, &a));
    }
    wanted = ZERO(facecore_detector_options);
    wanted.smallest_face = -1;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_detect(by_file, &image, &wanted, &a));
    wanted = ZERO(facecore_detector_options);
    wanted.reserved = 1;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_detect(by_file, &image, &wanted, &a));
    SAYS("reserved");
    wanted = ZERO(facecore_detector_options);
    wanted.input_size = 3;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_detect(by_file, &image, &wanted, &a));
    SAYS("input size");
    facecore_image cut = image;
    cut.len -= 1;
    FAILS(FACECORE_IMAGE_LAYOUT, facecore_detector_detect(by_file, &cut, NULL, &a));

    OK(facecore_detector_get_placement(by_file, &placement));
    CHECK(strstr(placement.runtime, "rten") != NULL);
    facecore_detector_free(by_file);
    facecore_detector_free(by_bytes);
}

static void aligners_and_embedders(void)
{
    facecore_point points[5] = {{90, 100}, {140, 100}, {115, 130}, {95, 150}, {135, 150}};
    facecore_options options = generated();
    facecore_embedder *embedder = NULL;
    facecore_aligner *own = NULL, *named = NULL;
    facecore_picture *crop = NULL, *other = NULL;
    facecore_image a = ZERO(facecore_image), b = ZERO(facecore_image);
    size_t width = 0, height = 0;
    OK(facecore_embedder_new(&options, &embedder));
    OK(facecore_embedder_aligner(embedder, &own));
    OK(facecore_aligner_new("arcface-112", &named));
    OK(facecore_aligner_get_size(own, &width, &height));
    CHECK(width == 112 && height == 112);
    OK(facecore_aligner_align(own, &image, points, &crop));
    OK(facecore_aligner_align(named, &image, points, &other));
    OK(facecore_picture_image(crop, &a));
    OK(facecore_picture_image(other, &b));
    CHECK(a.len == 112 * 112 * 3 && a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
    facecore_aligner_free(named);
    OK(facecore_aligner_new("arcface-128", &named));
    OK(facecore_aligner_get_size(named, &width, &height));
    CHECK(width == 128 && height == 128);
    facecore_aligner_free(named);
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_aligner_new("arcface-113", &named));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_aligner_new("", &named));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_aligner_new("\xFF", &named));
    SAYS("not UTF-8");
    points[0].x = NAN;
    facecore_picture *none = NULL;
    FAILS(FACECORE_LANDMARKS, facecore_aligner_align(own, &image, points, &none));
    for (int at = 0; at < 5; at++) {
        points[at].x = points[at].y = 9;
    }
    FAILS(FACECORE_LANDMARKS, facecore_aligner_align(own, &image, points, &none));

    facecore_embedding *made[2] = {NULL, NULL}, *again = NULL;
    float cosine = 0;
    OK(facecore_embedder_embed(embedder, &a, 1, made));
    CHECK(made[1] == NULL);
    facecore_image both[2] = {rgb(colours, 112, 112), a};
    facecore_embedding *batch[2];
    OK(facecore_embedder_embed(embedder, both, 2, batch));
    OK(facecore_embedding_cosine(made[0], batch[1], &cosine));
    NEAR(1, cosine);
    /* A crop of another size, of which no embedding is made, nor of the one beside it. */
    both[0].width = 111;
    again = batch[0];
    FAILS(FACECORE_DIMENSION_MISMATCH, facecore_embedder_embed(embedder, both, 2, batch));
    CHECK(batch[0] == again);
    both[0].len = 5;
    FAILS(FACECORE_IMAGE_LAYOUT, facecore_embedder_embed(embedder, both, 2, batch));
    CHECK(facecore_embedder_dimension(embedder) == 128);
    facecore_space *of_embedder = NULL, *of_embedding = NULL;
    OK(facecore_embedder_space(embedder, &of_embedder));
    OK(facecore_embedding_space(made[0], &of_embedding));
    TEXT(facecore_space_id(of_embedder), facecore_space_id(of_embedding));
    facecore_placement placement = ZERO(facecore_placement);
    OK(facecore_embedder_get_placement(embedder, &placement));
    TEXT("CPU", placement.provider);
    facecore_space_free(of_embedder);
    facecore_space_free(of_embedding);
    facecore_embedding_free(made[0]);
    facecore_embedding_free(batch[0]);
    facecore_embedding_free(batch[1]);
    facecore_picture_free(crop);
    facecore_picture_free(other);
    facecore_aligner_free(own);
    facecore_embedder_free(embedder);
}

static void flips_and_thresholds(void)
{
    facecore_options options = generated();
    facecore_embedder *embedder = NULL;
    facecore_space *space = NULL, *plain = NULL;
    OK(facecore_embedder_new(&options, &embedder));
    OK(facecore_embedder_space(embedder, &plain));
    facecore_embedder_free(embedder);
    options.flip = FACECORE_FLIP_CONCAT;
    OK(facecore_embedder_new(&options, &embedder));
    CHECK(facecore_embedder_dimension(embedder) == 256);
    OK(facecore_embedder_space(embedder, &space));
    CHECK(strcmp(facecore_space_id(space), facecore_space_id(plain)) != 0);
    facecore_space_free(space);
    facecore_embedder_free(embedder);
    options.flip = FACECORE_FLIP_SUM;
    options.threshold = 0.125f;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_embedder_new(&options, &embedder));
    SAYS("has_threshold is 0");
    options.has_threshold = 1;
    OK(facecore_embedder_new(&options, &embedder));
    OK(facecore_embedder_space(embedder, &space));
    NEAR(0.125, facecore_space_threshold(space));
    facecore_space_free(space);
    facecore_space_free(plain);
    facecore_embedder_free(embedder);
    options.threshold = 1.5f;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_embedder_new(&options, &embedder));
    options.threshold = NAN;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_embedder_new(&options, &embedder));
    options.has_threshold = 0;
    options.threshold = 0;
    options.flip = 3;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_embedder_new(&options, &embedder));
    SAYS("the flip is 3");
    options.flip = FACECORE_FLIP_NONE;

    /* By bytes, for which the kind must be said. */
    size_t len;
    unsigned char *bytes = content(options.embedder, &len);
    options.embedder = NULL;
    options.embedder_bytes = bytes;
    options.embedder_len = len;
    OK(facecore_embedder_new(&options, &embedder));
    facecore_embedder_free(embedder);
    options.embedder_kind = NULL;
    FAILS(FACECORE_MODEL_KIND_UNKNOWN, facecore_embedder_new(&options, &embedder));
    options.embedder_len = 0;
    options.embedder_kind = "arcface";
    FAILS(FACECORE_MODEL_CORRUPT, facecore_embedder_new(&options, &embedder));
    free(bytes);
    options = generated();
    options.many_photos = 1;
    facecore_recognizer *recognizer = NULL;
    OK(facecore_recognizer_new(&options, &recognizer));
    facecore_placement placement = ZERO(facecore_placement);
    OK(facecore_recognizer_get_embedder_placement(recognizer, &placement));
    CHECK(placement.threads == 1);
    facecore_recognizer_free(recognizer);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    colours = pixels(SIDE, SIDE);
    image = rgb(colours, SIDE, SIDE);
    of_lite();
    packs();
    detectors();
    aligners_and_embedders();
    flips_and_thresholds();
    free(colours);
    return finish();
}
