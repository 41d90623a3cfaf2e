/* What all files of the JNI layer use.
 *
 * Java and C exchange numbers and texts in byte arrays, one for a call: `fc_in` reads what Java's Request wrote,
 * `fc_out` writes what Java's Answer reads, both in native byte order. So a call needs one array each way, no local
 * references arise in loops, texts are UTF-8 and not what JNI calls so, and no array is pinned while the library works.
 *
 * A handle is a jlong in Java. That it is valid during a call is Java's affair (Memory.java).
 */
#ifndef FACECORE_GLUE_H
#define FACECORE_GLUE_H

#include <facecore.h>
#include <jni.h>
#include <stddef.h>
#include <stdint.h>

#define JNI(type, name) JNIEXPORT type JNICALL Java_org_facecore_Jni_##name

#define HANDLE(type, number) ((facecore_##type *)(intptr_t)(number))
#define NUMBER(handle) ((jlong)(intptr_t)(handle))

/* Throws what a status says, with the library's message; whether it is FACECORE_OK. */
int fc_check(JNIEnv *env, int32_t status);

void fc_throw_out_of_memory(JNIEnv *env);

/* A java.lang.IllegalArgumentException. */
void fc_throw_illegal_argument(JNIEnv *env, const char *message);

/* --- from Java ------------------------------------------------------------------------------------------------- */

typedef struct {
    unsigned char *bytes;
    size_t len;
    size_t at;
    void *lists[4];
    size_t list_count;
    /* Whether the end was passed: then the two sides do not fit each other. */
    int broken;
    unsigned char small[512];
} fc_in;

/* Copies a request, which may be NULL: then everything is 0 or NULL. 0 with an exception thrown if memory is short. */
int fc_in_open(JNIEnv *env, fc_in *in, jbyteArray request);
int64_t fc_in_long(fc_in *in);
double fc_in_real(fc_in *in);
/* A text, which lives until fc_in_close; NULL if it was null. */
const char *fc_in_text(fc_in *in);
/* As many texts as a number before them says; NULL if that is -1. */
const char **fc_in_texts(fc_in *in, size_t *count);
/* Memory that fc_in_close frees, at least one byte; NULL if there is none. */
void *fc_in_memory(fc_in *in, size_t count, size_t size);
/* Whether all could be read; throws if not. Ask before using what was read. */
int fc_in_good(JNIEnv *env, const fc_in *in);
void fc_in_close(fc_in *in);

/* --- to Java --------------------------------------------------------------------------------------------------- */

typedef struct {
    unsigned char *bytes;
    size_t len;
    size_t capacity;
    int failed;
    unsigned char small[1024];
} fc_out;

void fc_out_open(fc_out *out);
void fc_out_long(fc_out *out, int64_t value);
void fc_out_real(fc_out *out, double value);
void fc_out_text(fc_out *out, const char *text);
/* The array for Java; NULL with an exception thrown if memory is short. Frees what `out` holds. */
jbyteArray fc_out_finish(JNIEnv *env, fc_out *out);
void fc_out_drop(fc_out *out);

/* --- memory of Java's ------------------------------------------------------------------------------------------ */

/* Where a direct buffer lies: NULL of NULL. Java has seen to it that it is direct. */
void *fc_address(JNIEnv *env, jobject buffer);
size_t fc_capacity(JNIEnv *env, jobject buffer);
/* As fc_address for floats; NULL with an exception thrown if these are not where floats can be. */
float *fc_floats(JNIEnv *env, jobject buffer);

/* What Java's Image says. The pixels stay where they are. */
facecore_image fc_image(JNIEnv *env, jobject data, jobject chroma, fc_in *layout);

/* A new space of an id and a threshold; NULL with an exception thrown. */
facecore_space *fc_in_space(JNIEnv *env, fc_in *in);

/* Id and threshold of a space, which is freed; a NULL text of NULL. */
void fc_out_space(fc_out *out, facecore_space *space);

/* The faces with all that is to be read of them. They are freed if that fails. */
jbyteArray fc_out_faces(JNIEnv *env, facecore_faces *faces);

facecore_detector_options fc_in_detection(fc_in *in);
facecore_decode_options fc_in_decoding(fc_in *in);

/* --- calls from the library into Java --------------------------------------------------------------------------- */

/* An object that the library asks, on whatever threads it likes, and the first thing that was thrown there. */
typedef struct {
    jobject object;
    /* A global reference to a Throwable. */
    void *volatile thrown;
} fc_callback;

/* `object` may be NULL: then nothing is asked. 0 with an exception thrown if memory is short. */
int fc_callback_open(JNIEnv *env, fc_callback *callback, jobject object);
/* Frees it, and throws again what was thrown; whether there was anything. What the library gave is freed before. */
int fc_callback_close(JNIEnv *env, fc_callback *callback);
int32_t fc_callback_filter(void *callback, const char *person_id);
int32_t fc_callback_write(void *callback, const uint8_t *bytes, size_t len);
int64_t fc_callback_read(void *callback, uint8_t *bytes, size_t capacity);

int fc_callbacks_load(JNIEnv *env, JavaVM *vm);
void fc_callbacks_unload(JNIEnv *env);

#endif
