/* Models, packs, runtimes and faces that are not as they should be: each status of 2xx to 4xx by real means. */
#include "outputs.h"

enum { SIDE = 256 };

static unsigned char *colours;
static facecore_image image;

static void write_pack(const char *name, const char *manifest)
{
    char command[2200];
    snprintf(command, sizeof command, "mkdir -p '%s' && cp '%s' '%s' '%s/'", in(files, name), in(models,
                                                                                                 "detector.onnx"),
             in(models, "embedder.onnx"), in(files, name));
    CHECK(system(command) == 0);
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/pack.toml", files, name);
    write_file(path, manifest, strlen(manifest));
}

static void packs(void)
{
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_pack_open(in(files, "nowhere"), &out.pack));
    SAYS("nowhere");
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_recognizer_open(in(files, "nowhere"), NULL, &out.recognizer));
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_detector_open(in(files, "nowhere"), NULL, &out.detector));
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_embedder_open(in(files, "nowhere"), NULL, &out.embedder));
    /* A folder without a manifest. */
    write_pack("empty", "");
    CHECK(remove(in(files, "empty/pack.toml")) == 0);
    LEAVES(FACECORE_PACK_INVALID, facecore_pack_open(in(files, "empty"), &out.pack));

    static const char *const INVALID[] = {
        "", "not toml at all", "format = 99\nname = \"a\"\n",
        "format = 1\nname = \"a\"\n[embedder]\nfile = \"embedder.onnx\"\nkind = \"nothing\"\nspace = \"a\"\n",
        "format = 1\nname = \"a\"\n[embedder]\nfile = \"../embedder.onnx\"\nkind = \"arcface\"\nspace = \"a\"\n",
        "format = 1\nname = \"a\"\nsurprise = 1\n"
        "[embedder]\nfile = \"embedder.onnx\"\nkind = \"arcface\"\nspace = \"a\"\n",
    };
    for (size_t at = 0; at < sizeof INVALID / sizeof *INVALID; at++) {
        write_pack("invalid", INVALID[at]);
        LEAVES(FACECORE_PACK_INVALID, facecore_pack_open(in(files, "invalid"), &out.pack));
        LEAVES(FACECORE_PACK_INVALID, facecore_recognizer_open(in(files, "invalid"), NULL, &out.recognizer));
    }

    static const char WRONG[] =
        "format = 1\nname = \"a\"\n[embedder]\nfile = \"embedder.onnx\"\nkind = \"arcface\"\nspace = \"a\"\n"
        "sha256 = \"0000000000000000000000000000000000000000000000000000000000000000\"\n";
    write_pack("wrong", WRONG);
    LEAVES(FACECORE_CHECKSUM_MISMATCH, facecore_pack_open(in(files, "wrong"), &out.pack));
    size_t len;
    unsigned char *bytes = content(in(models, "embedder.onnx"), &len);
    const char *name = "embedder.onnx", *other = "other.onnx", *odd = "\xFF";
    const uint8_t *contents = bytes;
    LEAVES(FACECORE_CHECKSUM_MISMATCH, facecore_pack_from_memory(WRONG, &name, &contents, &len, 1, &out.pack));
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_pack_from_memory(WRONG, &other, &contents, &len, 1, &out.pack));
    SAYS("embedder.onnx");
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_pack_from_memory(WRONG, NULL, NULL, NULL, 0, &out.pack));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_pack_from_memory(WRONG, &odd, &contents, &len, 1, &out.pack));
    LEAVES(FACECORE_PACK_INVALID, facecore_pack_from_memory("[", &name, &contents, &len, 1, &out.pack));
    len = SIZE_MAX;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_pack_from_memory(WRONG, &name, &contents, &len, 1, &out.pack));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_pack_from_memory(WRONG, &name, &contents, &len, SIZE_MAX, &out.pack));
    free(bytes);
}

static void model_files(void)
{
    facecore_options options = generated();
    options.detector = in(files, "nowhere.onnx");
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_detector_new(&options, &out.detector));
    LEAVES(FACECORE_MODEL_NOT_FOUND, facecore_recognizer_new(&options, &out.recognizer));
    options = generated();
    options.detector = in(files, "text.onnx");
    write_file(options.detector, "this is no model", 16);
    LEAVES(FACECORE_MODEL_CORRUPT, facecore_detector_new(&options, &out.detector));
    SAYS("text.onnx");
    size_t len;
    unsigned char *bytes = content(in(models, "detector.onnx"), &len);
    write_file(options.detector, bytes, len / 2);
    LEAVES(FACECORE_MODEL_CORRUPT, facecore_detector_new(&options, &out.detector));
    options.detector_bytes = bytes;
    options.detector_len = SIZE_MAX;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &out.detector));
    options.detector_bytes = NULL;
    options.detector_len = len;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &out.detector));
    SAYS("the detector is NULL");
    free(bytes);
    options = generated();
    options.detector = files;
    LEAVES(FACECORE_MODEL_CORRUPT, facecore_detector_new(&options, &out.detector));

    /* One model in place of another. */
    options = generated();
    options.detector = options.embedder;
    LEAVES(FACECORE_MODEL_MISMATCH, facecore_detector_new(&options, &out.detector));
    options = generated();
    options.embedder = options.detector;
    LEAVES(FACECORE_MODEL_MISMATCH, facecore_embedder_new(&options, &out.embedder));
    LEAVES(FACECORE_MODEL_MISMATCH, facecore_recognizer_new(&options, &out.recognizer));

    options = generated();
    options.detector_kind = "nothing";
    LEAVES(FACECORE_MODEL_KIND_UNKNOWN, facecore_detector_new(&options, &out.detector));
    SAYS("scrfd");
    options.detector_kind = "\xFF";
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &out.detector));
    options = generated();
    options.embedder_kind = "nothing";
    LEAVES(FACECORE_MODEL_KIND_UNKNOWN, facecore_embedder_new(&options, &out.embedder));
    SAYS("mobilefacenet");
    options.embedder_kind = NULL;
    LEAVES(FACECORE_MODEL_KIND_UNKNOWN, facecore_embedder_new(&options, &out.embedder));

    options = generated();
    options.embedder = in(models, "unsupported_embedder.onnx");
    LEAVES(FACECORE_MODEL_UNSUPPORTED, facecore_embedder_new(&options, &out.embedder));
    SAYS("ONNX Runtime");

    /* A recognizer needs both. */
    options = generated();
    options.detector = NULL;
    options.detector_kind = NULL;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_new(&options, &out.recognizer));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &out.detector));
    OK(facecore_embedder_new(&options, &out.embedder));
    facecore_embedder_free(out.embedder);
}

static void outputs_of_models(void)
{
    facecore_options options = generated();
    facecore_recognizer *recognizer = NULL;
    facecore_detector *detector = NULL;
    facecore_embedder *embedder = NULL;
    options.embedder = in(models, "nan_embedder.onnx");
    NEED(facecore_recognizer_new(&options, &recognizer));
    LEAVES(FACECORE_MODEL_OUTPUT, facecore_recognizer_recognize(recognizer, &image, NULL, &out.faces));
    facecore_recognizer_free(recognizer);
    NEED(facecore_embedder_new(&options, &embedder));
    facecore_image crop = rgb(colours, 112, 112);
    LEAVES(FACECORE_MODEL_OUTPUT, facecore_embedder_embed(embedder, &crop, 1, out.embeddings));
    facecore_embedder_free(embedder);
    options = generated();
    options.detector = in(models, "nan_detector.onnx");
    NEED(facecore_detector_new(&options, &detector));
    LEAVES(FACECORE_MODEL_OUTPUT, facecore_detector_detect(detector, &image, NULL, &out.faces));
    facecore_detector_free(detector);

    /* A detector that tells of no eyes: faces can be found, but not cut. */
    options = generated();
    options.detector = in(models, "no_landmarks.onnx");
    NEED(facecore_detector_new(&options, &detector));
    facecore_faces *faces = NULL;
    OK(facecore_detector_detect(detector, &image, NULL, &faces));
    facecore_face face = ZERO(facecore_face);
    OK(facecore_faces_get(faces, 0, &face));
    CHECK(face.has_landmarks == 0 && face.landmarks[4].x == 0);
    facecore_faces_free(faces);
    facecore_detector_free(detector);
    NEED(facecore_recognizer_new(&options, &recognizer));
    LEAVES(FACECORE_LANDMARKS, facecore_recognizer_recognize(recognizer, &image, NULL, &out.faces));
    facecore_recognizer_free(recognizer);
}

static void runtimes(void)
{
    facecore_options options = generated();
    facecore_runtime_options runtime = ZERO(facecore_runtime_options);
    options.runtime = &runtime;
    runtime.runtime = FACECORE_RUNTIME_ONNXRUNTIME;
    runtime.library = in(files, "nowhere/libonnxruntime.so");
    LEAVES(FACECORE_RUNTIME_NOT_FOUND, facecore_detector_new(&options, &out.detector));
    SAYS("nowhere/libonnxruntime.so");
    runtime.runtime = FACECORE_RUNTIME_AUTO;
    LEAVES(FACECORE_RUNTIME_NOT_FOUND, facecore_detector_new(&options, &out.detector));
    runtime.runtime = FACECORE_RUNTIME_ONNXRUNTIME;
    runtime.library = in(files, "libonnxruntime.so");
    write_file(runtime.library, "this is no library", 18);
    LEAVES(FACECORE_RUNTIME_INVALID, facecore_detector_new(&options, &out.detector));
    runtime.library = files;
    LEAVES(FACECORE_RUNTIME_INVALID, facecore_detector_new(&options, &out.detector));
    char *report = NULL;
    OK(facecore_runtime_report(&runtime, &report));
    CHECK(report != NULL && strstr(report, "libonnxruntime.so") != NULL);
    facecore_text_free(report);

    runtime = ZERO(facecore_runtime_options);
    runtime.runtime = FACECORE_RUNTIME_BUILTIN;
    runtime.provider = FACECORE_PROVIDER_CUDA;
    runtime.gpu_memory = 1 << 20;
    LEAVES(FACECORE_PROVIDER_UNAVAILABLE, facecore_detector_new(&options, &out.detector));
    LEAVES(FACECORE_PROVIDER_UNAVAILABLE, facecore_recognizer_new(&options, &out.recognizer));
    SAYS("CUDA");
}

/* How many faces there must be. */
static void faces(void)
{
    facecore_recognizer *none = NULL, *one = NULL, *several = NULL;
    NEED(facecore_fake_recognizer(0, 64, &none));
    NEED(facecore_fake_recognizer(1, 64, &one));
    NEED(facecore_fake_recognizer(3, 64, &several));
    for (int32_t choice = FACECORE_CHOICE_ONLY; choice <= FACECORE_CHOICE_CENTRAL; choice++) {
        LEAVES(FACECORE_NO_FACE, facecore_recognizer_recognize_one(none, &image, choice, &out.faces));
        LEAVES(FACECORE_NO_FACE, facecore_recognizer_compare(none, &image, &image, choice, &out.comparison));
        SAYS("the first image");
        OK(facecore_recognizer_recognize_one(one, &image, choice, &out.faces));
        CHECK(facecore_faces_count(out.faces) == 1);
        facecore_faces_free(out.faces);
    }
    LEAVES(FACECORE_SEVERAL_FACES, facecore_recognizer_recognize_one(several, &image, FACECORE_CHOICE_ONLY,
                                                                     &out.faces));
    LEAVES(FACECORE_SEVERAL_FACES,
           facecore_recognizer_compare(several, &image, &image, FACECORE_CHOICE_ONLY, &out.comparison));
    OK(facecore_recognizer_recognize_one(several, &image, FACECORE_CHOICE_LARGEST, &out.faces));
    CHECK(facecore_faces_count(out.faces) == 1);
    facecore_faces_info info = ZERO(facecore_faces_info);
    OK(facecore_faces_get_info(out.faces, &info));
    CHECK(info.width == SIDE && info.height == SIDE);
    facecore_faces_free(out.faces);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_recognize_one(one, &image, 3, &out.faces));
    SAYS("the choice of a face is 3");
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_recognize_one(one, &image, -1, &out.faces));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_compare(one, &image, &image, 3, &out.comparison));
    facecore_image cut = image;
    cut.len = 1;
    LEAVES(FACECORE_IMAGE_LAYOUT, facecore_recognizer_compare(one, &image, &cut, 0, &out.comparison));
    SAYS("the second image");
    LEAVES(FACECORE_IMAGE_LAYOUT, facecore_recognizer_recognize(one, &cut, NULL, &out.faces));
    facecore_recognizer_free(none);
    facecore_recognizer_free(one);
    facecore_recognizer_free(several);

    LEAVES(FACECORE_MODEL_MISMATCH, facecore_fake_recognizer(1, 0, &out.recognizer));
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    colours = pixels(SIDE, SIDE);
    image = rgb(colours, SIDE, SIDE);
    runtimes();
    packs();
    model_files();
    outputs_of_models();
    faces();
    free(colours);
    return finish();
}
