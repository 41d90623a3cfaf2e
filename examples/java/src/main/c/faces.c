/* Pictures, recognizers, the faces that they find, and embeddings. */
#include "glue.h"

facecore_image fc_image(JNIEnv *env, jobject data, jobject chroma, fc_in *layout)
{
    facecore_image image = { .struct_size = sizeof image };
    image.data = fc_address(env, data);
    image.chroma = fc_address(env, chroma);
    image.len = (size_t)fc_in_long(layout);
    image.width = (size_t)fc_in_long(layout);
    image.height = (size_t)fc_in_long(layout);
    image.stride = (size_t)fc_in_long(layout);
    image.format = (int32_t)fc_in_long(layout);
    image.rotation = (int32_t)fc_in_long(layout);
    image.chroma_len = (size_t)fc_in_long(layout);
    image.chroma_stride = (size_t)fc_in_long(layout);
    return image;
}

facecore_space *fc_in_space(JNIEnv *env, fc_in *in)
{
    facecore_space *space = NULL;
    const char *id = fc_in_text(in);
    float threshold = (float)fc_in_real(in);
    if (fc_in_good(env, in))
        fc_check(env, facecore_space_new(id, threshold, &space));
    return space;
}

void fc_out_space(fc_out *out, facecore_space *space)
{
    fc_out_text(out, facecore_space_id(space));
    fc_out_real(out, (double)facecore_space_threshold(space));
    facecore_space_free(space);
}

jbyteArray fc_out_faces(JNIEnv *env, facecore_faces *faces)
{
    facecore_faces_info info = { .struct_size = sizeof info };
    size_t count = facecore_faces_count(faces);
    fc_out out;
    jbyteArray answer = NULL;
    int32_t status = facecore_faces_get_info(faces, &info);
    fc_out_open(&out);
    fc_out_long(&out, NUMBER(faces));
    fc_out_long(&out, (int64_t)info.width);
    fc_out_long(&out, (int64_t)info.height);
    fc_out_real(&out, info.decode_seconds);
    fc_out_real(&out, info.detect_seconds);
    fc_out_real(&out, info.align_seconds);
    fc_out_real(&out, info.embed_seconds);
    fc_out_long(&out, (int64_t)count);
    for (size_t i = 0; i < count && status == FACECORE_OK; i++) {
        facecore_face face = { .struct_size = sizeof face };
        status = facecore_faces_get(faces, i, &face);
        fc_out_real(&out, (double)face.x1);
        fc_out_real(&out, (double)face.y1);
        fc_out_real(&out, (double)face.x2);
        fc_out_real(&out, (double)face.y2);
        fc_out_real(&out, (double)face.score);
        fc_out_long(&out, face.has_landmarks);
        for (size_t at = 0; face.has_landmarks && at < 5; at++) {
            fc_out_real(&out, (double)face.landmarks[at].x);
            fc_out_real(&out, (double)face.landmarks[at].y);
        }
    }
    if (fc_check(env, status))
        answer = fc_out_finish(env, &out);
    else
        fc_out_drop(&out);
    if (!answer)
        facecore_faces_free(faces);
    return answer;
}

JNI(jlong, pictureOpen)(JNIEnv *env, jclass class, jbyteArray request)
{
    fc_in in;
    facecore_picture *picture = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    const char *path = fc_in_text(&in);
    facecore_decode_options options = fc_in_decoding(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_picture_open(path, &options, &picture));
    fc_in_close(&in);
    return NUMBER(picture);
}

/* Bytes that lie in a direct buffer, or else in an array, of which `in` is a copy. */
static const uint8_t *encoded(JNIEnv *env, jobject buffer, const fc_in *in, size_t *len)
{
    *len = buffer ? fc_capacity(env, buffer) : in->len;
    return buffer ? fc_address(env, buffer) : in->bytes;
}

JNI(jlong, pictureDecode)(JNIEnv *env, jclass class, jbyteArray array, jobject buffer, jbyteArray request)
{
    fc_in in, bytes;
    facecore_picture *picture = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    if (fc_in_open(env, &bytes, array)) {
        facecore_decode_options options = fc_in_decoding(&in);
        size_t len;
        const uint8_t *first = encoded(env, buffer, &bytes, &len);
        if (fc_in_good(env, &in))
            fc_check(env, facecore_picture_decode(first, len, &options, &picture));
        fc_in_close(&bytes);
    }
    fc_in_close(&in);
    return NUMBER(picture);
}

JNI(jlong, pictureCopy)(JNIEnv *env, jclass class, jobject data, jobject chroma, jbyteArray layout)
{
    fc_in in;
    facecore_picture *picture = NULL;
    (void)class;
    if (!fc_in_open(env, &in, layout))
        return 0;
    facecore_image image = fc_image(env, data, chroma, &in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_picture_copy(&image, &picture));
    fc_in_close(&in);
    return NUMBER(picture);
}

JNI(jlong, pictureSize)(JNIEnv *env, jclass class, jlong picture)
{
    facecore_image image = { .struct_size = sizeof image };
    (void)class;
    fc_check(env, facecore_picture_image(HANDLE(picture, picture), &image));
    return (jlong)((uint64_t)image.width << 32 | (uint64_t)image.height);
}

JNI(jobject, picturePixels)(JNIEnv *env, jclass class, jlong picture)
{
    facecore_image image = { .struct_size = sizeof image };
    (void)class;
    if (!fc_check(env, facecore_picture_image(HANDLE(picture, picture), &image)))
        return NULL;
    /* Java hands it out for reading only. */
    return (*env)->NewDirectByteBuffer(env, (void *)(uintptr_t)image.data, (jlong)image.len);
}

JNI(jbyteArray, recognize)(JNIEnv *env, jclass class, jlong recognizer, jobject data, jobject chroma,
                           jbyteArray layout, jbyteArray options)
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
            fc_check(env, facecore_recognizer_recognize(HANDLE(recognizer, recognizer), &image,
                                                        options ? &detection : NULL, &faces));
        fc_in_close(&wanted);
    }
    fc_in_close(&in);
    return faces ? fc_out_faces(env, faces) : NULL;
}

JNI(jbyteArray, recognizeOne)(JNIEnv *env, jclass class, jlong recognizer, jobject data, jobject chroma,
                              jbyteArray layout, jint choice)
{
    fc_in in;
    facecore_faces *faces = NULL;
    (void)class;
    if (!fc_in_open(env, &in, layout))
        return NULL;
    facecore_image image = fc_image(env, data, chroma, &in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_recognizer_recognize_one(HANDLE(recognizer, recognizer), &image, choice, &faces));
    fc_in_close(&in);
    return faces ? fc_out_faces(env, faces) : NULL;
}

JNI(jbyteArray, recognizeFile)(JNIEnv *env, jclass class, jlong recognizer, jbyteArray request)
{
    fc_in in;
    facecore_faces *faces = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char *path = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_recognizer_recognize_file(HANDLE(recognizer, recognizer), path, &faces));
    fc_in_close(&in);
    return faces ? fc_out_faces(env, faces) : NULL;
}

JNI(jbyteArray, recognizeEncoded)(JNIEnv *env, jclass class, jlong recognizer, jbyteArray array, jobject buffer)
{
    fc_in bytes;
    facecore_faces *faces = NULL;
    size_t len;
    (void)class;
    if (!fc_in_open(env, &bytes, array))
        return NULL;
    const uint8_t *first = encoded(env, buffer, &bytes, &len);
    fc_check(env, facecore_recognizer_recognize_encoded(HANDLE(recognizer, recognizer), first, len, &faces));
    fc_in_close(&bytes);
    return faces ? fc_out_faces(env, faces) : NULL;
}

/* For each file either its faces, as a handle, or 0 and why there are none. */
JNI(jbyteArray, recognizeFiles)(JNIEnv *env, jclass class, jlong recognizer, jbyteArray request)
{
    fc_in in;
    facecore_recognitions *found = NULL;
    size_t count;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char **paths = fc_in_texts(&in, &count);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_recognizer_recognize_files(HANDLE(recognizer, recognizer), paths, count, NULL, NULL, &found));
    jbyteArray answer = NULL;
    facecore_faces **all = found ? fc_in_memory(&in, count, sizeof *all) : NULL;
    if (found && fc_in_good(env, &in)) {
        fc_out out;
        fc_out_open(&out);
        for (size_t i = 0; i < count; i++) {
            int32_t status = facecore_recognitions_get(found, i, &all[i]);
            fc_out_long(&out, NUMBER(all[i]));
            fc_out_long(&out, status);
            fc_out_text(&out, status == FACECORE_OK ? NULL : facecore_last_error_message());
        }
        answer = fc_out_finish(env, &out);
        for (size_t i = 0; !answer && i < count; i++)
            facecore_faces_free(all[i]);
    }
    facecore_recognitions_free(found);
    fc_in_close(&in);
    return answer;
}

/* Faces whose handle Java has, such as recognizeFiles gave out. On failure they are freed. */
JNI(jbyteArray, facesRead)(JNIEnv *env, jclass class, jlong faces)
{
    (void)class;
    return fc_out_faces(env, HANDLE(faces, faces));
}

JNI(jbyteArray, compare)(JNIEnv *env, jclass class, jlong recognizer, jobject data, jobject chroma, jbyteArray layout,
                         jobject other_data, jobject other_chroma, jbyteArray other_layout, jint choice)
{
    fc_in in, other_in;
    jbyteArray answer = NULL;
    facecore_comparison comparison = { .struct_size = sizeof comparison };
    (void)class;
    if (!fc_in_open(env, &in, layout))
        return NULL;
    if (fc_in_open(env, &other_in, other_layout)) {
        facecore_image image = fc_image(env, data, chroma, &in);
        facecore_image other = fc_image(env, other_data, other_chroma, &other_in);
        if (fc_in_good(env, &in) && fc_in_good(env, &other_in)
            && fc_check(env, facecore_recognizer_compare(HANDLE(recognizer, recognizer), &image, &other, choice,
                                                         &comparison))) {
            fc_out out;
            fc_out_open(&out);
            fc_out_real(&out, (double)comparison.cosine);
            fc_out_real(&out, (double)comparison.threshold);
            fc_out_long(&out, comparison.same);
            answer = fc_out_finish(env, &out);
        }
        fc_in_close(&other_in);
    }
    fc_in_close(&in);
    return answer;
}

JNI(jint, recognizerDimension)(JNIEnv *env, jclass class, jlong recognizer)
{
    (void)env, (void)class;
    return (jint)facecore_recognizer_dimension(HANDLE(recognizer, recognizer));
}

JNI(jbyteArray, recognizerSpace)(JNIEnv *env, jclass class, jlong recognizer)
{
    facecore_space *space = NULL;
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_recognizer_space(HANDLE(recognizer, recognizer), &space)))
        return NULL;
    fc_out_open(&out);
    fc_out_space(&out, space);
    return fc_out_finish(env, &out);
}

JNI(jlong, facesEmbedding)(JNIEnv *env, jclass class, jlong faces, jint index)
{
    facecore_embedding *embedding = NULL;
    (void)class;
    /* A negative index becomes one that is too large. */
    fc_check(env, facecore_faces_embedding(HANDLE(faces, faces), (size_t)index, &embedding));
    return NUMBER(embedding);
}

/* Each row is written once, from the library's memory to Java's. How many values a row has; 0 if there is no face. */
JNI(jint, facesCopyToArray)(JNIEnv *env, jclass class, jlong handle, jfloatArray values, jint offset)
{
    const facecore_faces *faces = HANDLE(faces, handle);
    size_t count = facecore_faces_count(faces), dimension = facecore_faces_dimension(faces);
    size_t capacity = (size_t)((*env)->GetArrayLength(env, values) - offset);
    (void)class;
    if (count > 0 && (dimension == 0 || dimension * count > capacity)) {
        /* The library says why not. */
        fc_check(env, facecore_faces_copy_embeddings(faces, NULL, capacity, &dimension));
        return 0;
    }
    for (size_t i = 0; i < count && !(*env)->ExceptionCheck(env); i++) {
        (*env)->SetFloatArrayRegion(env, values, offset, (jsize)dimension, facecore_faces_embedding_data(faces, i));
        offset += (jint)dimension;
    }
    return (jint)dimension;
}

JNI(jlong, facesCopyToBuffer)(JNIEnv *env, jclass class, jlong faces, jobject values)
{
    size_t dimension = 0;
    float *place = fc_floats(env, values);
    (void)class;
    if (place)
        fc_check(env, facecore_faces_copy_embeddings(HANDLE(faces, faces), place, fc_capacity(env, values),
                                                     &dimension));
    return (jlong)dimension;
}

static int32_t embedding_of(const float *values, size_t dimension, int is_raw, float norm, const facecore_space *space,
                            facecore_embedding **embedding)
{
    return is_raw ? facecore_embedding_from_raw(values, dimension, space, embedding)
                  : facecore_embedding_from_stored(values, dimension, norm, space, embedding);
}

JNI(jlong, embeddingFromArray)(JNIEnv *env, jclass class, jfloatArray values, jboolean is_raw, jfloat norm,
                               jbyteArray space_)
{
    facecore_embedding *embedding = NULL;
    facecore_space *space;
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, space_))
        return 0;
    space = fc_in_space(env, &in);
    if (space) {
        size_t dimension = (size_t)(*env)->GetArrayLength(env, values);
        /* The library copies the values once, where they lie, and waits for nobody meanwhile. */
        float *held = (*env)->GetPrimitiveArrayCritical(env, values, NULL);
        if (held) {
            int32_t status = embedding_of(held, dimension, is_raw, norm, space, &embedding);
            (*env)->ReleasePrimitiveArrayCritical(env, values, held, JNI_ABORT);
            fc_check(env, status);
        }
    }
    facecore_space_free(space);
    fc_in_close(&in);
    return NUMBER(embedding);
}

JNI(jlong, embeddingFromBuffer)(JNIEnv *env, jclass class, jobject values, jboolean is_raw, jfloat norm,
                                jbyteArray space_)
{
    facecore_embedding *embedding = NULL;
    facecore_space *space = NULL;
    const float *place;
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, space_))
        return 0;
    place = fc_floats(env, values);
    if (place)
        space = fc_in_space(env, &in);
    if (space)
        fc_check(env, embedding_of(place, fc_capacity(env, values), is_raw, norm, space, &embedding));
    facecore_space_free(space);
    fc_in_close(&in);
    return NUMBER(embedding);
}

JNI(jint, embeddingDimension)(JNIEnv *env, jclass class, jlong embedding)
{
    (void)env, (void)class;
    return (jint)facecore_embedding_dimension(HANDLE(embedding, embedding));
}

JNI(jfloat, embeddingNorm)(JNIEnv *env, jclass class, jlong embedding)
{
    (void)env, (void)class;
    return facecore_embedding_norm(HANDLE(embedding, embedding));
}

JNI(jbyteArray, embeddingSpace)(JNIEnv *env, jclass class, jlong embedding)
{
    facecore_space *space = NULL;
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_embedding_space(HANDLE(embedding, embedding), &space)))
        return NULL;
    fc_out_open(&out);
    fc_out_space(&out, space);
    return fc_out_finish(env, &out);
}

JNI(jobject, embeddingMemory)(JNIEnv *env, jclass class, jlong embedding)
{
    const facecore_embedding *of = HANDLE(embedding, embedding);
    (void)class;
    /* Java hands it out for reading only. */
    return (*env)->NewDirectByteBuffer(env, (void *)(uintptr_t)facecore_embedding_data(of),
                                       (jlong)(facecore_embedding_dimension(of) * sizeof(float)));
}

JNI(jint, embeddingCopyToArray)(JNIEnv *env, jclass class, jlong embedding, jfloatArray values, jint offset)
{
    const facecore_embedding *of = HANDLE(embedding, embedding);
    size_t dimension = 0, capacity = (size_t)((*env)->GetArrayLength(env, values) - offset);
    (void)class;
    if (capacity < facecore_embedding_dimension(of)) {
        /* The library says why not. */
        fc_check(env, facecore_embedding_copy(of, NULL, capacity, &dimension));
        return 0;
    }
    dimension = facecore_embedding_dimension(of);
    (*env)->SetFloatArrayRegion(env, values, offset, (jsize)dimension, facecore_embedding_data(of));
    return (jint)dimension;
}

JNI(jint, embeddingCopyToBuffer)(JNIEnv *env, jclass class, jlong embedding, jobject values)
{
    size_t dimension = 0;
    float *place = fc_floats(env, values);
    (void)class;
    if (place)
        fc_check(env, facecore_embedding_copy(HANDLE(embedding, embedding), place, fc_capacity(env, values),
                                              &dimension));
    return (jint)dimension;
}

JNI(jfloat, cosine)(JNIEnv *env, jclass class, jlong a, jlong b)
{
    float cosine = 0;
    (void)class;
    fc_check(env, facecore_embedding_cosine(HANDLE(embedding, a), HANDLE(embedding, b), &cosine));
    return cosine;
}

JNI(jfloat, euclidean)(JNIEnv *env, jclass class, jlong a, jlong b)
{
    float distance = 0;
    (void)class;
    fc_check(env, facecore_embedding_euclidean(HANDLE(embedding, a), HANDLE(embedding, b), &distance));
    return distance;
}
