/* Calls from the library into Java: filters of searches, streams of exports and imports. */
#include "glue.h"

#include <limits.h>
#include <pthread.h>

static JavaVM *machine;
static jclass jni_class;
static jmethodID ask, write_to, read_from;
/* Its destructor detaches threads of the library from Java when they end, as Java demands. */
static pthread_key_t attached;

static void detach(void *vm)
{
    (*(JavaVM *)vm)->DetachCurrentThread(vm);
}

int fc_callbacks_load(JNIEnv *env, JavaVM *vm)
{
    jclass found = (*env)->FindClass(env, "org/facecore/Jni");
    machine = vm;
    jni_class = found ? (*env)->NewGlobalRef(env, found) : NULL;
    if (!jni_class || pthread_key_create(&attached, detach) != 0)
        return 0;
    (*env)->DeleteLocalRef(env, found);
    ask = (*env)->GetStaticMethodID(env, jni_class, "ask", "(Ljava/lang/Object;[B)Z");
    write_to = ask ? (*env)->GetStaticMethodID(env, jni_class, "write", "(Ljava/lang/Object;[B)V") : NULL;
    read_from = write_to ? (*env)->GetStaticMethodID(env, jni_class, "read", "(Ljava/lang/Object;I)[B") : NULL;
    return read_from != NULL;
}

void fc_callbacks_unload(JNIEnv *env)
{
    (*env)->DeleteGlobalRef(env, jni_class);
    pthread_key_delete(attached);
}

/* This thread's way into Java; NULL if Java does not take it. */
static JNIEnv *environment(void)
{
    void *env = NULL;
    if ((*machine)->GetEnv(machine, &env, JNI_VERSION_1_6) == JNI_OK)
        return env;
#ifdef __ANDROID__
    if ((*machine)->AttachCurrentThreadAsDaemon(machine, (JNIEnv **)&env, NULL) != JNI_OK)
        return NULL;
#else
    if ((*machine)->AttachCurrentThreadAsDaemon(machine, &env, NULL) != JNI_OK)
        return NULL;
#endif
    pthread_setspecific(attached, machine);
    return env;
}

int fc_callback_open(JNIEnv *env, fc_callback *callback, jobject object)
{
    /* The library may ask on threads of its own, where a local reference has no meaning. */
    callback->object = object ? (*env)->NewGlobalRef(env, object) : NULL;
    callback->thrown = NULL;
    if (object && !callback->object)
        fc_throw_out_of_memory(env);
    return !object || callback->object;
}

int fc_callback_close(JNIEnv *env, fc_callback *callback)
{
    jthrowable thrown = __atomic_load_n(&callback->thrown, __ATOMIC_ACQUIRE);
    if (callback->object)
        (*env)->DeleteGlobalRef(env, callback->object);
    if (!thrown)
        return 0;
    /* In place of the FACECORE_IO that the library made of it. */
    (*env)->ExceptionClear(env);
    (*env)->Throw(env, thrown);
    (*env)->DeleteGlobalRef(env, thrown);
    return 1;
}

/* Keeps what was thrown, if it is the first; whether anything was. The library must not see an exception pending: it
 * may ask again on this thread. */
static int caught(JNIEnv *env, fc_callback *callback)
{
    jthrowable thrown = (*env)->ExceptionOccurred(env);
    void *none = NULL;
    if (!thrown)
        return 0;
    (*env)->ExceptionClear(env);
    jobject kept = (*env)->NewGlobalRef(env, thrown);
    (*env)->DeleteLocalRef(env, thrown);
    if (kept && !__atomic_compare_exchange_n(&callback->thrown, &none, kept, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        (*env)->DeleteGlobalRef(env, kept);
    return 1;
}

/* Bytes for Java; NULL with what was thrown kept. */
static jbyteArray array_of(JNIEnv *env, fc_callback *callback, const void *bytes, size_t len)
{
    jbyteArray array = NULL;
    if (len <= INT_MAX)
        array = (*env)->NewByteArray(env, (jsize)len);
    if (array)
        (*env)->SetByteArrayRegion(env, array, 0, (jsize)len, bytes);
    else
        caught(env, callback);
    return array;
}

static int is_over(fc_callback *callback)
{
    return __atomic_load_n(&callback->thrown, __ATOMIC_ACQUIRE) != NULL;
}

int32_t fc_callback_filter(void *context, const char *person_id)
{
    fc_callback *callback = context;
    JNIEnv *env = is_over(callback) ? NULL : environment();
    if (!env)
        return 0;
    size_t len = 0;
    while (person_id[len] != '\0')
        len++;
    jbyteArray id = array_of(env, callback, person_id, len);
    if (!id)
        return 0;
    jboolean answer = (*env)->CallStaticBooleanMethod(env, jni_class, ask, callback->object, id);
    if (caught(env, callback))
        answer = JNI_FALSE;
    /* The caller does not come back to Java before all are asked, so that these would pile up. */
    (*env)->DeleteLocalRef(env, id);
    return answer != JNI_FALSE;
}

int32_t fc_callback_write(void *context, const uint8_t *bytes, size_t len)
{
    fc_callback *callback = context;
    JNIEnv *env = is_over(callback) ? NULL : environment();
    jbyteArray array = env ? array_of(env, callback, bytes, len) : NULL;
    if (!array)
        return 1;
    (*env)->CallStaticVoidMethod(env, jni_class, write_to, callback->object, array);
    int failed = caught(env, callback);
    (*env)->DeleteLocalRef(env, array);
    return failed;
}

int64_t fc_callback_read(void *context, uint8_t *bytes, size_t capacity)
{
    fc_callback *callback = context;
    JNIEnv *env = is_over(callback) ? NULL : environment();
    if (!env)
        return -1;
    jint wanted = capacity > 65536 ? 65536 : (jint)capacity;
    jbyteArray array = (*env)->CallStaticObjectMethod(env, jni_class, read_from, callback->object, wanted);
    if (caught(env, callback))
        return -1;
    if (!array)
        return 0;
    jsize len = (*env)->GetArrayLength(env, array);
    if (len <= wanted)
        (*env)->GetByteArrayRegion(env, array, 0, len, (jbyte *)bytes);
    (*env)->DeleteLocalRef(env, array);
    return len <= wanted ? len : -1;
}
