/* Packs, runtimes, and the models of them. The order in which options are read is that of their `write` in Java. */
#include "glue.h"

#include <stdlib.h>

facecore_detector_options fc_in_detection(fc_in *in)
{
    facecore_detector_options options = { .struct_size = sizeof options };
    options.score_threshold = (float)fc_in_real(in);
    options.nms_iou = (float)fc_in_real(in);
    options.max_faces = (size_t)fc_in_long(in);
    options.smallest_face = (float)fc_in_real(in);
    options.input_size = (int32_t)fc_in_long(in);
    options.letterbox_width = (size_t)fc_in_long(in);
    options.letterbox_height = (size_t)fc_in_long(in);
    options.no_close_ups = (int32_t)fc_in_long(in);
    return options;
}

facecore_decode_options fc_in_decoding(fc_in *in)
{
    facecore_decode_options options = { .struct_size = sizeof options };
    options.ignore_exif = (int32_t)fc_in_long(in);
    options.max_pixels = (uint64_t)fc_in_long(in);
    options.max_bytes = (uint64_t)fc_in_long(in);
    return options;
}

static facecore_runtime_options runtime_options(fc_in *in)
{
    facecore_runtime_options options = { .struct_size = sizeof options };
    options.runtime = (int32_t)fc_in_long(in);
    options.provider = (int32_t)fc_in_long(in);
    options.allow_fallback = (int32_t)fc_in_long(in);
    options.precision = (int32_t)fc_in_long(in);
    options.threads = (size_t)fc_in_long(in);
    options.concurrency = (size_t)fc_in_long(in);
    options.library = fc_in_text(in);
    options.openvino_device = fc_in_text(in);
    options.gpu = (int32_t)fc_in_long(in);
    options.cache_folder = fc_in_text(in);
    options.gpu_memory = (size_t)fc_in_long(in);
    options.setting_names = fc_in_texts(in, &options.setting_count);
    options.setting_values = fc_in_texts(in, &options.setting_count);
    return options;
}

/* What Java's Models says, with what it points to. */
typedef struct {
    fc_in in;
    facecore_options options;
    facecore_runtime_options runtime;
    facecore_detector_options detection;
    facecore_decode_options decoding;
} models;

/* 0 with an exception thrown if it cannot be read; else close `in` afterwards. */
static int read_models(JNIEnv *env, models *models, jbyteArray request, jlong pack, jobject detector, jobject embedder)
{
    fc_in *in = &models->in;
    facecore_options options = { .struct_size = sizeof options };
    if (!fc_in_open(env, in, request))
        return 0;
    options.pack = fc_in_text(in);
    options.opened_pack = HANDLE(pack, pack);
    options.detector = fc_in_text(in);
    options.detector_bytes = fc_address(env, detector);
    options.detector_len = fc_capacity(env, detector);
    options.detector_kind = fc_in_text(in);
    options.embedder = fc_in_text(in);
    options.embedder_bytes = fc_address(env, embedder);
    options.embedder_len = fc_capacity(env, embedder);
    options.embedder_kind = fc_in_text(in);
    options.flip = (int32_t)fc_in_long(in);
    options.has_threshold = (int32_t)fc_in_long(in);
    options.threshold = (float)fc_in_real(in);
    options.many_photos = (int32_t)fc_in_long(in);
    models->runtime = runtime_options(in);
    models->detection = fc_in_detection(in);
    models->decoding = fc_in_decoding(in);
    options.runtime = &models->runtime;
    options.detection = &models->detection;
    options.decoding = &models->decoding;
    models->options = options;
    if (fc_in_good(env, in))
        return 1;
    fc_in_close(in);
    return 0;
}

JNI(jbyteArray, runtimeReport)(JNIEnv *env, jclass class, jbyteArray request)
{
    fc_in in;
    char *report = NULL;
    jbyteArray answer = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    facecore_runtime_options options = runtime_options(&in);
    if (fc_in_good(env, &in) && fc_check(env, facecore_runtime_report(&options, &report))) {
        fc_out out;
        fc_out_open(&out);
        fc_out_text(&out, report);
        answer = fc_out_finish(env, &out);
        facecore_text_free(report);
    }
    fc_in_close(&in);
    return answer;
}

JNI(jlong, packOpen)(JNIEnv *env, jclass class, jbyteArray request)
{
    fc_in in;
    facecore_pack *pack = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    const char *folder = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_pack_open(folder, &pack));
    fc_in_close(&in);
    return NUMBER(pack);
}

JNI(jlong, packFromMemory)(JNIEnv *env, jclass class, jbyteArray request, jobjectArray files)
{
    fc_in in;
    facecore_pack *pack = NULL;
    size_t count;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    const char *manifest = fc_in_text(&in);
    const char **names = fc_in_texts(&in, &count);
    const uint8_t **contents = fc_in_memory(&in, count, sizeof *contents);
    size_t *lengths = fc_in_memory(&in, count, sizeof *lengths);
    for (size_t i = 0; contents && lengths && i < count; i++) {
        jobject file = (*env)->GetObjectArrayElement(env, files, (jsize)i);
        contents[i] = fc_address(env, file);
        lengths[i] = fc_capacity(env, file);
        /* The array keeps the buffer. */
        (*env)->DeleteLocalRef(env, file);
    }
    if (fc_in_good(env, &in))
        fc_check(env, facecore_pack_from_memory(manifest, names, contents, lengths, count, &pack));
    fc_in_close(&in);
    return NUMBER(pack);
}

JNI(jbyteArray, packInfo)(JNIEnv *env, jclass class, jlong pack)
{
    facecore_pack_info info = { .struct_size = sizeof info };
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_pack_get_info(HANDLE(pack, pack), &info)))
        return NULL;
    fc_out_open(&out);
    fc_out_text(&out, info.name);
    fc_out_text(&out, info.version);
    fc_out_text(&out, info.licence);
    fc_out_text(&out, info.detector_licence);
    fc_out_text(&out, info.detector_sha256);
    fc_out_text(&out, info.embedder_licence);
    fc_out_text(&out, info.embedder_sha256);
    return fc_out_finish(env, &out);
}

static jbyteArray placement(JNIEnv *env, const facecore_placement *placement)
{
    fc_out out;
    fc_out_open(&out);
    fc_out_text(&out, placement->runtime);
    fc_out_text(&out, placement->provider);
    fc_out_text(&out, placement->device);
    fc_out_text(&out, placement->precision);
    fc_out_long(&out, (int64_t)placement->threads);
    fc_out_text(&out, placement->notes);
    return fc_out_finish(env, &out);
}

#define PLACEMENT(name, type, function)                                                                                \
    JNI(jbyteArray, name)(JNIEnv *env, jclass class, jlong handle)                                                     \
    {                                                                                                                  \
        facecore_placement found = { .struct_size = sizeof found };                                                    \
        (void)class;                                                                                                   \
        return fc_check(env, function(HANDLE(type, handle), &found)) ? placement(env, &found) : NULL;                  \
    }

PLACEMENT(detectorPlacement, detector, facecore_detector_get_placement)
PLACEMENT(embedderPlacement, embedder, facecore_embedder_get_placement)
PLACEMENT(recognizerDetectorPlacement, recognizer, facecore_recognizer_get_detector_placement)
PLACEMENT(recognizerEmbedderPlacement, recognizer, facecore_recognizer_get_embedder_placement)

#define OPEN(name, type)                                                                                               \
    JNI(jlong, name)(JNIEnv *env, jclass class, jbyteArray request, jlong pack, jobject detector, jobject embedder)    \
    {                                                                                                                  \
        models models;                                                                                                 \
        facecore_##type *opened = NULL;                                                                                \
        (void)class;                                                                                                   \
        if (!read_models(env, &models, request, pack, detector, embedder))                                             \
            return 0;                                                                                                  \
        fc_check(env, facecore_##type##_new(&models.options, &opened));                                                \
        fc_in_close(&models.in);                                                                                       \
        return NUMBER(opened);                                                                                         \
    }

OPEN(detectorNew, detector)
OPEN(embedderNew, embedder)
OPEN(recognizerNew, recognizer)

JNI(jbyteArray, detect)(JNIEnv *env, jclass class, jlong detector, jobject data, jobject chroma, jbyteArray layout,
                        jbyteArray options)
{
    fc_in in, wanted;
    facecore_faces *faces = NULL;
    (void)class;
    if (!fc_in_open(env, &in, layout))
        return NULL;
    if (fc_in_open(env, &wanted, options)) {
        facecore_image image = fc_image(env, data, chroma, &in);
        facecore_detector_options detection = fc_in_detection(&wanted);
        if (fc_in_good(env, &in) && fc_in_good(env, &wanted))
            fc_check(env, facecore_detector_detect(HANDLE(detector, detector), &image, options ? &detection : NULL,
                                                   &faces));
        fc_in_close(&wanted);
    }
    fc_in_close(&in);
    return faces ? fc_out_faces(env, faces) : NULL;
}

JNI(jlong, alignerNew)(JNIEnv *env, jclass class, jbyteArray request)
{
    fc_in in;
    facecore_aligner *aligner = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    const char *name = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_aligner_new(name, &aligner));
    fc_in_close(&in);
    return NUMBER(aligner);
}

JNI(jlong, alignerSize)(JNIEnv *env, jclass class, jlong aligner)
{
    size_t width = 0, height = 0;
    (void)class;
    fc_check(env, facecore_aligner_get_size(HANDLE(aligner, aligner), &width, &height));
    return (jlong)((uint64_t)width << 32 | (uint64_t)height);
}

JNI(jlong, align)(JNIEnv *env, jclass class, jlong aligner, jobject data, jobject chroma, jbyteArray layout,
                  jfloatArray landmarks)
{
    fc_in in;
    facecore_point points[5];
    jfloat values[10];
    facecore_picture *crop = NULL;
    (void)class;
    if (!fc_in_open(env, &in, layout))
        return 0;
    facecore_image image = fc_image(env, data, chroma, &in);
    (*env)->GetFloatArrayRegion(env, landmarks, 0, 10, values);
    for (size_t i = 0; i < 5; i++)
        points[i] = (facecore_point){ values[2 * i], values[2 * i + 1] };
    if (fc_in_good(env, &in))
        fc_check(env, facecore_aligner_align(HANDLE(aligner, aligner), &image, points, &crop));
    fc_in_close(&in);
    return NUMBER(crop);
}

JNI(void, embed)(JNIEnv *env, jclass class, jlong embedder, jobjectArray data, jobjectArray chroma,
                 jobjectArray layouts, jlongArray embeddings)
{
    size_t count = (size_t)(*env)->GetArrayLength(env, data);
    facecore_image *images = calloc(count + 1, sizeof *images);
    facecore_embedding **made = calloc(count + 1, sizeof *made);
    int good = images && made;
    (void)class;
    if (!good)
        fc_throw_out_of_memory(env);
    for (size_t i = 0; good && i < count; i++) {
        fc_in in;
        jobject pixels = (*env)->GetObjectArrayElement(env, data, (jsize)i);
        jobject colour = (*env)->GetObjectArrayElement(env, chroma, (jsize)i);
        jbyteArray layout = (*env)->GetObjectArrayElement(env, layouts, (jsize)i);
        good = fc_in_open(env, &in, layout);
        if (good) {
            images[i] = fc_image(env, pixels, colour, &in);
            good = fc_in_good(env, &in);
            fc_in_close(&in);
        }
        (*env)->DeleteLocalRef(env, pixels);
        (*env)->DeleteLocalRef(env, colour);
        (*env)->DeleteLocalRef(env, layout);
    }
    if (good && fc_check(env, facecore_embedder_embed(HANDLE(embedder, embedder), images, count, made))) {
        for (size_t i = 0; i < count; i++) {
            jlong number = NUMBER(made[i]);
            (*env)->SetLongArrayRegion(env, embeddings, (jsize)i, 1, &number);
        }
    }
    free(images);
    free(made);
}

JNI(jint, embedderDimension)(JNIEnv *env, jclass class, jlong embedder)
{
    (void)env, (void)class;
    return (jint)facecore_embedder_dimension(HANDLE(embedder, embedder));
}

JNI(jlong, embedderAligner)(JNIEnv *env, jclass class, jlong embedder)
{
    facecore_aligner *aligner = NULL;
    (void)class;
    fc_check(env, facecore_embedder_aligner(HANDLE(embedder, embedder), &aligner));
    return NUMBER(aligner);
}

JNI(jbyteArray, embedderSpace)(JNIEnv *env, jclass class, jlong embedder)
{
    facecore_space *space = NULL;
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_embedder_space(HANDLE(embedder, embedder), &space)))
        return NULL;
    fc_out_open(&out);
    fc_out_space(&out, space);
    return fc_out_finish(env, &out);
}
