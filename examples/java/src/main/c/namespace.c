/* People: adding, changing, reading; and batches of changes. */
#include "glue.h"

#include <stdlib.h>

#define PEOPLE HANDLE(namespace, people)

JNI(jbyteArray, namespaceName)(JNIEnv *env, jclass class, jlong people)
{
    fc_out out;
    (void)class;
    fc_out_open(&out);
    fc_out_text(&out, facecore_namespace_name(PEOPLE));
    return fc_out_finish(env, &out);
}

JNI(jbyteArray, namespaceStats)(JNIEnv *env, jclass class, jlong people)
{
    facecore_namespace_stats stats = { .struct_size = sizeof stats };
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_namespace_get_stats(PEOPLE, &stats)))
        return NULL;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)stats.dimension);
    fc_out_long(&out, (int64_t)stats.persons);
    fc_out_long(&out, (int64_t)stats.faces);
    fc_out_long(&out, (int64_t)stats.removed_faces);
    fc_out_long(&out, (int64_t)stats.vector_bytes);
    fc_out_long(&out, (int64_t)stats.search_bytes);
    return fc_out_finish(env, &out);
}

JNI(jlong, personCount)(JNIEnv *env, jclass class, jlong people)
{
    (void)env, (void)class;
    return (jlong)facecore_namespace_person_count(PEOPLE);
}

JNI(jlong, faceCount)(JNIEnv *env, jclass class, jlong people)
{
    (void)env, (void)class;
    return (jlong)facecore_namespace_face_count(PEOPLE);
}

JNI(jint, namespaceDimension)(JNIEnv *env, jclass class, jlong people)
{
    (void)env, (void)class;
    return (jint)facecore_namespace_dimension(PEOPLE);
}

JNI(jbyteArray, namespaceSpace)(JNIEnv *env, jclass class, jlong people)
{
    facecore_space *space = NULL;
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_namespace_space(PEOPLE, &space)))
        return NULL;
    fc_out_open(&out);
    fc_out_space(&out, space);
    return fc_out_finish(env, &out);
}

JNI(void, pin)(JNIEnv *env, jclass class, jlong people, jbyteArray request, jlong dimension, jboolean check_only)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    facecore_space *space = fc_in_space(env, &in);
    if (space)
        fc_check(env, check_only ? facecore_namespace_check(PEOPLE, space, (size_t)dimension)
                                 : facecore_namespace_pin(PEOPLE, space, (size_t)dimension));
    facecore_space_free(space);
    fc_in_close(&in);
}

JNI(jlong, add)(JNIEnv *env, jclass class, jlong people, jbyteArray request, jlong embedding)
{
    fc_in in;
    uint64_t face = 0;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    const char *person = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_namespace_add(PEOPLE, person, HANDLE(embedding, embedding), &face));
    fc_in_close(&in);
    return (jlong)face;
}

/* `count` faces, whose embeddings are in the request too. */
static facecore_new_face *new_faces(fc_in *in, size_t *count)
{
    *count = (size_t)fc_in_long(in);
    facecore_new_face *faces = fc_in_memory(in, *count, sizeof *faces);
    for (size_t i = 0; faces && i < *count; i++) {
        faces[i].struct_size = sizeof *faces;
        faces[i].embedding = HANDLE(embedding, fc_in_long(in));
        faces[i].has_quality = (int32_t)fc_in_long(in);
        faces[i].quality = (float)fc_in_real(in);
        faces[i].source = fc_in_text(in);
        faces[i].metadata = fc_in_text(in);
    }
    return faces;
}

JNI(jlongArray, enrol)(JNIEnv *env, jclass class, jlong people, jbyteArray request)
{
    fc_in in;
    size_t count;
    jlongArray ids = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char *person = fc_in_text(&in);
    facecore_new_face *faces = new_faces(&in, &count);
    uint64_t *made = fc_in_memory(&in, count, sizeof *made);
    if (fc_in_good(env, &in))
        ids = (*env)->NewLongArray(env, (jsize)count);
    if (ids && fc_check(env, facecore_namespace_enrol(PEOPLE, person, faces, count, made)))
        (*env)->SetLongArrayRegion(env, ids, 0, (jsize)count, (const jlong *)made);
    fc_in_close(&in);
    return ids;
}

JNI(jlong, replaceFace)(JNIEnv *env, jclass class, jlong people, jlong face, jlong embedding)
{
    uint64_t id = 0;
    (void)class;
    fc_check(env, facecore_namespace_replace_face(PEOPLE, (uint64_t)face, HANDLE(embedding, embedding), &id));
    return (jlong)id;
}

JNI(void, removeFace)(JNIEnv *env, jclass class, jlong people, jlong face)
{
    (void)class;
    fc_check(env, facecore_namespace_remove_face(PEOPLE, (uint64_t)face));
}

JNI(void, setFaceMetadata)(JNIEnv *env, jclass class, jlong people, jlong face, jbyteArray request)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *metadata = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_namespace_set_face_metadata(PEOPLE, (uint64_t)face, metadata));
    fc_in_close(&in);
}

JNI(void, removePerson)(JNIEnv *env, jclass class, jlong people, jbyteArray request)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *person = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_namespace_remove_person(PEOPLE, person));
    fc_in_close(&in);
}

/* Changes of a namespace and items of a batch that take two texts. */
#define TWO_TEXTS(name, type, function)                                                                                \
    JNI(void, name)(JNIEnv *env, jclass class, jlong handle, jbyteArray request)                                       \
    {                                                                                                                  \
        fc_in in;                                                                                                      \
        (void)class;                                                                                                   \
        if (!fc_in_open(env, &in, request))                                                                            \
            return;                                                                                                    \
        const char *first = fc_in_text(&in);                                                                           \
        const char *second = fc_in_text(&in);                                                                          \
        if (fc_in_good(env, &in))                                                                                      \
            fc_check(env, function(HANDLE(type, handle), first, second));                                              \
        fc_in_close(&in);                                                                                              \
    }

TWO_TEXTS(rename, namespace, facecore_namespace_rename)
TWO_TEXTS(setName, namespace, facecore_namespace_set_name)
TWO_TEXTS(setMetadata, namespace, facecore_namespace_set_metadata)
TWO_TEXTS(merge, namespace, facecore_namespace_merge)
TWO_TEXTS(batchRename, batch, facecore_batch_rename)
TWO_TEXTS(batchSetName, batch, facecore_batch_set_name)
TWO_TEXTS(batchSetMetadata, batch, facecore_batch_set_metadata)
TWO_TEXTS(batchMerge, batch, facecore_batch_merge)

JNI(void, movePerson)(JNIEnv *env, jclass class, jlong people, jbyteArray request, jlong to)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *person = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_namespace_move_person(PEOPLE, person, HANDLE(namespace, to)));
    fc_in_close(&in);
}

JNI(void, clear)(JNIEnv *env, jclass class, jlong people)
{
    (void)class;
    fc_check(env, facecore_namespace_clear(PEOPLE));
}

static jbyteArray persons(JNIEnv *env, facecore_persons *found)
{
    size_t count = facecore_persons_count(found);
    int32_t status = FACECORE_OK;
    fc_out out;
    jbyteArray answer = NULL;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)count);
    for (size_t i = 0; i < count && status == FACECORE_OK; i++) {
        facecore_person person = { .struct_size = sizeof person };
        status = facecore_persons_get(found, i, &person);
        fc_out_text(&out, person.id);
        fc_out_text(&out, person.name);
        fc_out_text(&out, person.metadata);
        fc_out_long(&out, (int64_t)person.face_count);
        for (size_t at = 0; at < person.face_count; at++)
            fc_out_long(&out, (int64_t)person.faces[at]);
    }
    if (fc_check(env, status))
        answer = fc_out_finish(env, &out);
    else
        fc_out_drop(&out);
    facecore_persons_free(found);
    return answer;
}

JNI(jbyteArray, person)(JNIEnv *env, jclass class, jlong people, jbyteArray request)
{
    fc_in in;
    facecore_persons *found = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char *person = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_namespace_get(PEOPLE, person, &found));
    fc_in_close(&in);
    return found ? persons(env, found) : NULL;
}

JNI(jbyteArray, persons)(JNIEnv *env, jclass class, jlong people, jbyteArray request, jlong limit)
{
    fc_in in;
    facecore_persons *found = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char *after = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_namespace_persons(PEOPLE, after, (size_t)limit, &found));
    fc_in_close(&in);
    return found ? persons(env, found) : NULL;
}

JNI(jbyteArray, enrolledFace)(JNIEnv *env, jclass class, jlong people, jlong face)
{
    facecore_enrolled_face *found = NULL;
    facecore_enrolled_face_info info = { .struct_size = sizeof info };
    jbyteArray answer = NULL;
    (void)class;
    if (!fc_check(env, facecore_namespace_face(PEOPLE, (uint64_t)face, &found)))
        return NULL;
    if (fc_check(env, facecore_enrolled_face_get_info(found, &info))) {
        fc_out out;
        fc_out_open(&out);
        fc_out_long(&out, (int64_t)info.id);
        fc_out_text(&out, info.person);
        fc_out_long(&out, info.has_quality);
        fc_out_real(&out, (double)info.quality);
        fc_out_text(&out, info.source);
        fc_out_text(&out, info.metadata);
        answer = fc_out_finish(env, &out);
    }
    facecore_enrolled_face_free(found);
    return answer;
}

JNI(jlong, enrolledEmbedding)(JNIEnv *env, jclass class, jlong people, jlong face)
{
    facecore_enrolled_face *found = NULL;
    facecore_embedding *embedding = NULL;
    (void)class;
    if (!fc_check(env, facecore_namespace_face(PEOPLE, (uint64_t)face, &found)))
        return 0;
    fc_check(env, facecore_enrolled_face_embedding(found, &embedding));
    facecore_enrolled_face_free(found);
    return NUMBER(embedding);
}

JNI(jlong, batchNew)(JNIEnv *env, jclass class)
{
    facecore_batch *batch = NULL;
    (void)class;
    fc_check(env, facecore_batch_new(&batch));
    return NUMBER(batch);
}

JNI(jlong, batchCount)(JNIEnv *env, jclass class, jlong batch)
{
    (void)env, (void)class;
    return (jlong)facecore_batch_count(HANDLE(batch, batch));
}

JNI(void, batchAllOrNothing)(JNIEnv *env, jclass class, jlong batch)
{
    (void)class;
    fc_check(env, facecore_batch_all_or_nothing(HANDLE(batch, batch)));
}

JNI(void, batchEnrol)(JNIEnv *env, jclass class, jlong batch, jbyteArray request)
{
    fc_in in;
    size_t count;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *person = fc_in_text(&in);
    facecore_new_face *faces = new_faces(&in, &count);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_batch_enrol(HANDLE(batch, batch), person, faces, count));
    fc_in_close(&in);
}

JNI(void, batchReplaceFace)(JNIEnv *env, jclass class, jlong batch, jlong face, jlong embedding)
{
    (void)class;
    fc_check(env, facecore_batch_replace_face(HANDLE(batch, batch), (uint64_t)face, HANDLE(embedding, embedding)));
}

JNI(void, batchSetFaceMetadata)(JNIEnv *env, jclass class, jlong batch, jlong face, jbyteArray request)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *metadata = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_batch_set_face_metadata(HANDLE(batch, batch), (uint64_t)face, metadata));
    fc_in_close(&in);
}

JNI(void, batchRemoveFace)(JNIEnv *env, jclass class, jlong batch, jlong face)
{
    (void)class;
    fc_check(env, facecore_batch_remove_face(HANDLE(batch, batch), (uint64_t)face));
}

JNI(void, batchRemovePerson)(JNIEnv *env, jclass class, jlong batch, jbyteArray request)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *person = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_batch_remove_person(HANDLE(batch, batch), person));
    fc_in_close(&in);
}

/* For each item its status, the message if it was refused, and the ids of its faces. */
static jbyteArray outcomes(JNIEnv *env, facecore_outcomes *outcomes)
{
    size_t count = facecore_outcomes_count(outcomes);
    jbyteArray answer = NULL;
    fc_out out;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        facecore_outcome outcome = { .struct_size = sizeof outcome };
        if (!fc_check(env, facecore_outcomes_get(outcomes, i, &outcome)))
            break;
        fc_out_long(&out, outcome.status);
        fc_out_text(&out, outcome.message);
        fc_out_long(&out, (int64_t)outcome.face_count);
        for (size_t at = 0; at < outcome.face_count; at++)
            fc_out_long(&out, (int64_t)outcome.faces[at]);
    }
    answer = fc_out_finish(env, &out);
    facecore_outcomes_free(outcomes);
    return answer;
}

JNI(jbyteArray, apply)(JNIEnv *env, jclass class, jlong people, jlong batch)
{
    facecore_outcomes *done = NULL;
    (void)class;
    if (!fc_check(env, facecore_namespace_apply(PEOPLE, HANDLE(batch, batch), &done)))
        return NULL;
    return outcomes(env, done);
}
