/* Loading, exceptions, and the arrays that carry numbers and texts. */
#include "glue.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jclass error_class, memory_class, argument_class;
static jmethodID error_new;

/* A class for as long as the library is loaded. */
static jclass keep_class(JNIEnv *env, const char *name)
{
    jclass found = (*env)->FindClass(env, name);
    jclass kept = found ? (*env)->NewGlobalRef(env, found) : NULL;
    if (found)
        (*env)->DeleteLocalRef(env, found);
    return kept;
}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM *vm, void *reserved)
{
    JNIEnv *env = NULL;
    (void)reserved;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_6) != JNI_OK)
        return JNI_ERR;
    if (!facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR)) {
        char message[200];
        jclass unfit = (*env)->FindClass(env, "java/lang/UnsatisfiedLinkError");
        snprintf(message, sizeof message, "libfacecore %s does not fit ABI %d.%d, for which the JNI library was built",
                 facecore_version(), FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR);
        if (unfit)
            (*env)->ThrowNew(env, unfit, message);
        return JNI_ERR;
    }
    error_class = keep_class(env, "org/facecore/FacecoreException");
    memory_class = error_class ? keep_class(env, "java/lang/OutOfMemoryError") : NULL;
    argument_class = memory_class ? keep_class(env, "java/lang/IllegalArgumentException") : NULL;
    error_new = argument_class ? (*env)->GetMethodID(env, error_class, "<init>", "(I[B)V") : NULL;
    return error_new && fc_callbacks_load(env, vm) ? JNI_VERSION_1_6 : JNI_ERR;
}

JNIEXPORT void JNICALL JNI_OnUnload(JavaVM *vm, void *reserved)
{
    JNIEnv *env = NULL;
    (void)reserved;
    if ((*vm)->GetEnv(vm, (void **)&env, JNI_VERSION_1_6) != JNI_OK)
        return;
    (*env)->DeleteGlobalRef(env, error_class);
    (*env)->DeleteGlobalRef(env, memory_class);
    (*env)->DeleteGlobalRef(env, argument_class);
    fc_callbacks_unload(env);
}

void fc_throw_out_of_memory(JNIEnv *env)
{
    if (!(*env)->ExceptionCheck(env))
        (*env)->ThrowNew(env, memory_class, "of the native heap");
}

void fc_throw_illegal_argument(JNIEnv *env, const char *message)
{
    if (!(*env)->ExceptionCheck(env))
        (*env)->ThrowNew(env, argument_class, message);
}

static jbyteArray bytes_of(JNIEnv *env, const void *bytes, size_t len)
{
    jbyteArray array = NULL;
    if (len > INT_MAX)
        fc_throw_out_of_memory(env);
    else
        array = (*env)->NewByteArray(env, (jsize)len);
    if (array)
        (*env)->SetByteArrayRegion(env, array, 0, (jsize)len, bytes);
    return array;
}

int fc_check(JNIEnv *env, int32_t status)
{
    if (status == FACECORE_OK)
        return 1;
    const char *message = facecore_last_error_message();
    jbyteArray text = bytes_of(env, message, strlen(message));
    if (text) {
        jobject error = (*env)->NewObject(env, error_class, error_new, (jint)status, text);
        if (error) {
            (*env)->Throw(env, error);
            (*env)->DeleteLocalRef(env, error);
        }
        (*env)->DeleteLocalRef(env, text);
    }
    return 0;
}

int fc_in_open(JNIEnv *env, fc_in *in, jbyteArray request)
{
    in->bytes = in->small;
    in->len = request ? (size_t)(*env)->GetArrayLength(env, request) : 0;
    in->at = 0;
    in->list_count = 0;
    in->broken = 0;
    if (in->len > sizeof in->small)
        in->bytes = malloc(in->len);
    if (!in->bytes) {
        fc_throw_out_of_memory(env);
        return 0;
    }
    if (request)
        (*env)->GetByteArrayRegion(env, request, 0, (jsize)in->len, (jbyte *)in->bytes);
    return 1;
}

static void take(fc_in *in, void *value, size_t size)
{
    memset(value, 0, size);
    if (in->len == 0)
        return;
    if (in->len - in->at < size) {
        in->broken = 1;
        return;
    }
    memcpy(value, in->bytes + in->at, size);
    in->at += size;
}

int64_t fc_in_long(fc_in *in)
{
    int64_t value;
    take(in, &value, sizeof value);
    return value;
}

double fc_in_real(fc_in *in)
{
    double value;
    take(in, &value, sizeof value);
    return value;
}

const char *fc_in_text(fc_in *in)
{
    if (in->len == 0)
        return NULL;
    int64_t len = fc_in_long(in);
    const char *text = (const char *)in->bytes + in->at;
    if (len < 0)
        return NULL;
    if ((uint64_t)len >= in->len - in->at || text[len] != '\0') {
        in->broken = 1;
        return NULL;
    }
    in->at += (size_t)len + 1;
    return text;
}

void *fc_in_memory(fc_in *in, size_t count, size_t size)
{
    void *memory = NULL;
    if (in->list_count < sizeof in->lists / sizeof *in->lists)
        memory = calloc(count ? count : 1, size);
    if (memory)
        in->lists[in->list_count++] = memory;
    else
        in->broken = 1;
    return memory;
}

const char **fc_in_texts(fc_in *in, size_t *count)
{
    int64_t told = in->len == 0 ? -1 : fc_in_long(in);
    *count = 0;
    if (told < 0 || in->broken)
        return NULL;
    const char **texts = fc_in_memory(in, (size_t)told, sizeof *texts);
    if (!texts)
        return NULL;
    for (int64_t i = 0; i < told; i++)
        texts[i] = fc_in_text(in);
    *count = (size_t)told;
    return texts;
}

int fc_in_good(JNIEnv *env, const fc_in *in)
{
    if ((*env)->ExceptionCheck(env))
        return 0;
    if (in->broken)
        fc_throw_illegal_argument(env, "facecore: the Java classes and the JNI library do not fit, or memory is short");
    return !in->broken;
}

void fc_in_close(fc_in *in)
{
    for (size_t i = 0; i < in->list_count; i++)
        free(in->lists[i]);
    if (in->bytes != in->small)
        free(in->bytes);
}

void fc_out_open(fc_out *out)
{
    out->bytes = out->small;
    out->len = 0;
    out->capacity = sizeof out->small;
    out->failed = 0;
}

static void put(fc_out *out, const void *bytes, size_t len)
{
    if (out->failed)
        return;
    if (out->capacity - out->len < len) {
        size_t capacity = 2 * (out->len + len);
        unsigned char *more = realloc(out->bytes == out->small ? NULL : out->bytes, capacity);
        if (!more) {
            out->failed = 1;
            return;
        }
        if (out->bytes == out->small)
            memcpy(more, out->small, out->len);
        out->bytes = more;
        out->capacity = capacity;
    }
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

void fc_out_long(fc_out *out, int64_t value)
{
    put(out, &value, sizeof value);
}

void fc_out_real(fc_out *out, double value)
{
    put(out, &value, sizeof value);
}

void fc_out_text(fc_out *out, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    fc_out_long(out, text ? (int64_t)len : -1);
    if (text)
        put(out, text, len);
}

jbyteArray fc_out_finish(JNIEnv *env, fc_out *out)
{
    jbyteArray array = NULL;
    if (out->failed)
        fc_throw_out_of_memory(env);
    else
        array = bytes_of(env, out->bytes, out->len);
    fc_out_drop(out);
    return array;
}

void fc_out_drop(fc_out *out)
{
    if (out->bytes != out->small)
        free(out->bytes);
}

void *fc_address(JNIEnv *env, jobject buffer)
{
    return buffer ? (*env)->GetDirectBufferAddress(env, buffer) : NULL;
}

size_t fc_capacity(JNIEnv *env, jobject buffer)
{
    jlong capacity = buffer ? (*env)->GetDirectBufferCapacity(env, buffer) : 0;
    return capacity < 0 ? 0 : (size_t)capacity;
}

float *fc_floats(JNIEnv *env, jobject buffer)
{
    void *address = fc_address(env, buffer);
    if (!address)
        fc_throw_illegal_argument(env, "the buffer gives no address to native code");
    else if ((uintptr_t)address % sizeof(float) != 0)
        fc_throw_illegal_argument(env, "the buffer begins at an address that is no multiple of 4");
    else
        return address;
    return NULL;
}

JNI(jlong, distance)(JNIEnv *env, jclass class, jobject from, jobject to)
{
    (void)class;
    return (jlong)((intptr_t)fc_address(env, to) - (intptr_t)fc_address(env, from));
}

JNI(jbyteArray, version)(JNIEnv *env, jclass class)
{
    (void)class;
    return bytes_of(env, facecore_version(), strlen(facecore_version()));
}

JNI(jboolean, isCompatible)(JNIEnv *env, jclass class, jint major, jint minor)
{
    (void)env, (void)class;
    return facecore_abi_is_compatible(major, minor) != 0;
}

JNI(jbyteArray, statusName)(JNIEnv *env, jclass class, jint status)
{
    const char *name = facecore_status_name(status);
    (void)class;
    return name ? bytes_of(env, name, strlen(name)) : NULL;
}

JNI(jbyteArray, liteLicence)(JNIEnv *env, jclass class)
{
    const char *licence = facecore_lite_licence();
    (void)class;
    return licence ? bytes_of(env, licence, strlen(licence)) : NULL;
}

JNI(void, free)(JNIEnv *env, jclass class, jint type, jlong handle)
{
    (void)env, (void)class;
    /* The numbers are Memory.java's. */
    switch (type) {
    case 1:
        facecore_pack_free(HANDLE(pack, handle));
        break;
    case 2:
        facecore_picture_free(HANDLE(picture, handle));
        break;
    case 3:
        facecore_aligner_free(HANDLE(aligner, handle));
        break;
    case 4:
        facecore_detector_free(HANDLE(detector, handle));
        break;
    case 5:
        facecore_embedder_free(HANDLE(embedder, handle));
        break;
    case 6:
        facecore_embedding_free(HANDLE(embedding, handle));
        break;
    case 7:
        facecore_faces_free(HANDLE(faces, handle));
        break;
    case 8:
        facecore_recognizer_free(HANDLE(recognizer, handle));
        break;
    case 9:
        facecore_gallery_free(HANDLE(gallery, handle));
        break;
    case 10:
        facecore_namespace_free(HANDLE(namespace, handle));
        break;
    case 11:
        facecore_batch_free(HANDLE(batch, handle));
        break;
    default:
        break;
    }
}
