/* What the tests need beside the API: the recognizer of the feature `fake`, calls of filters from threads that Java
 * does not know, and the same work in C for the measurements. */
#include "fake.h"

#include "callback.c"

#include <string.h>
#include <time.h>

#define FAKE(type, name) JNIEXPORT type JNICALL Java_org_facecore_Fake_##name

void fc_throw_out_of_memory(JNIEnv *env)
{
    (*env)->FatalError(env, "out of memory");
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved)
{
    JNIEnv *env = NULL;
    (void)reserved;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_6) != JNI_OK)
        return JNI_ERR;
    return fc_callbacks_load(env, vm) ? JNI_VERSION_1_6 : JNI_ERR;
}

FAKE(jlong, recognizer)(JNIEnv *env, jclass class, jint faces, jint dimension)
{
    facecore_recognizer *recognizer = NULL;
    (void)env, (void)class;
    facecore_fake_recognizer((size_t)faces, (size_t)dimension, &recognizer);
    return NUMBER(recognizer);
}

FAKE(jint, panic)(JNIEnv *env, jclass class)
{
    (void)env, (void)class;
    return facecore_fake_panic();
}

#define THREADS 8
#define CALLS 1000

static void *ask_often(void *callback)
{
    intptr_t passed = 0;
    for (int i = 0; i < CALLS; i++)
        passed += fc_callback_filter(callback, i % 2 == 0 ? "even" : "odd \xf0\x9f\x98\x80");
    return (void *)passed;
}

/* How often a filter let pass, asked 8,000 times on 8 threads of C. Throws what it throws. */
FAKE(jlong, askOnThreads)(JNIEnv *env, jclass class, jobject filter)
{
    fc_callback callback;
    pthread_t threads[THREADS];
    jlong passed = 0;
    (void)class;
    if (!fc_callback_open(env, &callback, filter))
        return -1;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, ask_often, &callback) != 0)
            (*env)->FatalError(env, "no thread");
    for (int i = 0; i < THREADS; i++) {
        void *of_one = NULL;
        pthread_join(threads[i], &of_one);
        passed += (intptr_t)of_one;
    }
    fc_callback_close(env, &callback);
    return passed;
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static volatile float sink;

static facecore_image image_of(JNIEnv *env, jobject pixels, jint width, jint height)
{
    facecore_image image = { .struct_size = sizeof image };
    image.data = (*env)->GetDirectBufferAddress(env, pixels);
    image.width = (size_t)width;
    image.height = (size_t)height;
    image.len = image.width * image.height * 3;
    return image;
}

FAKE(jlong, faces)(JNIEnv *env, jclass class, jlong recognizer, jobject pixels, jint width, jint height)
{
    facecore_image image = image_of(env, pixels, width, height);
    facecore_faces *faces = NULL;
    (void)class;
    facecore_recognizer_recognize(HANDLE(recognizer, recognizer), &image, NULL, &faces);
    return NUMBER(faces);
}

/* What C programs do with faces: boxes, landmarks and embeddings read, the list freed. The nanoseconds of it. */
FAKE(jlong, nanosecondsOfReading)(JNIEnv *env, jclass class, jlong handle)
{
    facecore_faces *faces = HANDLE(faces, handle);
    float values[16 * 1024];
    size_t dimension = 0;
    (void)env, (void)class;
    int64_t start = now();
    for (size_t at = 0; at < facecore_faces_count(faces); at++) {
        facecore_face face = { .struct_size = sizeof face };
        facecore_faces_get(faces, at, &face);
        sink = face.x1 + face.landmarks[4].y;
    }
    facecore_faces_copy_embeddings(faces, values, sizeof values / sizeof *values, &dimension);
    sink = values[0];
    facecore_faces_free(faces);
    return now() - start;
}

/* As above with a handle for each embedding, whose values are read where they lie. */
FAKE(jlong, nanosecondsOfViews)(JNIEnv *env, jclass class, jlong handle)
{
    facecore_faces *faces = HANDLE(faces, handle);
    (void)env, (void)class;
    int64_t start = now();
    for (size_t at = 0; at < facecore_faces_count(faces); at++) {
        facecore_face face = { .struct_size = sizeof face };
        facecore_embedding *embedding = NULL;
        facecore_faces_get(faces, at, &face);
        sink = face.x1 + face.landmarks[4].y;
        facecore_faces_embedding(faces, at, &embedding);
        sink = facecore_embedding_data(embedding)[0];
        facecore_embedding_free(embedding);
    }
    facecore_faces_free(faces);
    return now() - start;
}

/* An image handed over and a handle got back, at the least cost: a copy of one pixel. */
FAKE(jlong, nanosecondsOfImage)(JNIEnv *env, jclass class, jobject pixels)
{
    facecore_picture *picture = NULL;
    (void)class;
    int64_t start = now();
    facecore_image image = image_of(env, pixels, 1, 1);
    facecore_picture_copy(&image, &picture);
    facecore_picture_free(picture);
    return now() - start;
}

/* The nanoseconds of a search whose matches are read. */
FAKE(jlong, nanosecondsOfSearch)(JNIEnv *env, jclass class, jlong people, jlong probe)
{
    char person[600] = "";
    facecore_matches *found = NULL;
    (void)env, (void)class;
    int64_t start = now();
    facecore_namespace_search(HANDLE(namespace, people), HANDLE(embedding, probe), NULL, &found);
    for (size_t at = 0; at < facecore_matches_count(found); at++) {
        facecore_match match = { .struct_size = sizeof match };
        facecore_matches_get(found, at, &match);
        strncpy(person, match.person, sizeof person - 1);
        sink = match.score;
    }
    facecore_matches_free(found);
    return now() - start;
}
