/* Galleries: opening, upkeep, exports. */
#include "glue.h"

JNI(jlong, galleryOpen)(JNIEnv *env, jclass class, jbyteArray request)
{
    fc_in in;
    facecore_gallery *gallery = NULL;
    facecore_gallery_options options = { .struct_size = sizeof options };
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    const char *folder = fc_in_text(&in);
    options.must_exist = (int32_t)fc_in_long(&in);
    options.read_only = (int32_t)fc_in_long(&in);
    options.relaxed = (int32_t)fc_in_long(&in);
    options.snapshot_every = (size_t)fc_in_long(&in);
    options.cache_bytes = (size_t)fc_in_long(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_gallery_open(folder, &options, &gallery));
    fc_in_close(&in);
    return NUMBER(gallery);
}

JNI(jlong, galleryInMemory)(JNIEnv *env, jclass class)
{
    facecore_gallery *gallery = NULL;
    (void)class;
    fc_check(env, facecore_gallery_in_memory(&gallery));
    return NUMBER(gallery);
}

JNI(jlong, galleryNamespace)(JNIEnv *env, jclass class, jlong gallery, jbyteArray request, jboolean must_exist)
{
    fc_in in;
    facecore_namespace *found = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return 0;
    const char *name = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, must_exist ? facecore_gallery_existing_namespace(HANDLE(gallery, gallery), name, &found)
                                 : facecore_gallery_namespace(HANDLE(gallery, gallery), name, &found));
    fc_in_close(&in);
    return NUMBER(found);
}

static void out_texts(fc_out *out, facecore_texts *texts)
{
    fc_out_long(out, (int64_t)facecore_texts_count(texts));
    for (size_t i = 0; i < facecore_texts_count(texts); i++)
        fc_out_text(out, facecore_texts_get(texts, i));
    facecore_texts_free(texts);
}

JNI(jbyteArray, galleryNamespaces)(JNIEnv *env, jclass class, jlong gallery)
{
    facecore_texts *names = NULL;
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_gallery_namespaces(HANDLE(gallery, gallery), &names)))
        return NULL;
    fc_out_open(&out);
    out_texts(&out, names);
    return fc_out_finish(env, &out);
}

JNI(void, galleryDropNamespace)(JNIEnv *env, jclass class, jlong gallery, jbyteArray request)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *name = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_gallery_drop_namespace(HANDLE(gallery, gallery), name));
    fc_in_close(&in);
}

JNI(void, galleryFlush)(JNIEnv *env, jclass class, jlong gallery)
{
    (void)class;
    fc_check(env, facecore_gallery_flush(HANDLE(gallery, gallery)));
}

JNI(void, galleryCompact)(JNIEnv *env, jclass class, jlong gallery)
{
    (void)class;
    fc_check(env, facecore_gallery_compact(HANDLE(gallery, gallery)));
}

JNI(void, galleryBackup)(JNIEnv *env, jclass class, jlong gallery, jbyteArray request)
{
    fc_in in;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return;
    const char *folder = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_gallery_backup(HANDLE(gallery, gallery), folder));
    fc_in_close(&in);
}

JNI(jbyteArray, galleryVerify)(JNIEnv *env, jclass class, jlong gallery)
{
    facecore_verify_report report = { .struct_size = sizeof report };
    facecore_texts *problems = NULL;
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_gallery_verify(HANDLE(gallery, gallery), &report, &problems)))
        return NULL;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)report.persons);
    fc_out_long(&out, (int64_t)report.faces);
    fc_out_long(&out, (int64_t)report.probes);
    fc_out_long(&out, (int64_t)report.agreeing);
    out_texts(&out, problems);
    return fc_out_finish(env, &out);
}

JNI(jbyteArray, galleryStats)(JNIEnv *env, jclass class, jlong gallery)
{
    facecore_gallery_stats stats = { .struct_size = sizeof stats };
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_gallery_get_stats(HANDLE(gallery, gallery), &stats)))
        return NULL;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)stats.namespaces);
    fc_out_long(&out, (int64_t)stats.persons);
    fc_out_long(&out, (int64_t)stats.faces);
    fc_out_long(&out, (int64_t)stats.removed_faces);
    fc_out_long(&out, (int64_t)stats.store_bytes);
    fc_out_long(&out, (int64_t)stats.index_bytes);
    fc_out_long(&out, (int64_t)stats.vector_bytes);
    fc_out_long(&out, (int64_t)stats.search_bytes);
    return fc_out_finish(env, &out);
}

static jbyteArray exported(JNIEnv *env, const facecore_export_report *report)
{
    fc_out out;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)report->persons);
    fc_out_long(&out, (int64_t)report->faces);
    fc_out_long(&out, (int64_t)report->damaged);
    return fc_out_finish(env, &out);
}

JNI(jbyteArray, galleryExportFile)(JNIEnv *env, jclass class, jlong gallery, jbyteArray request)
{
    fc_in in;
    int done = 0;
    facecore_export_report report = { .struct_size = sizeof report };
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char *file = fc_in_text(&in);
    if (fc_in_good(env, &in))
        done = fc_check(env, facecore_gallery_export_file(HANDLE(gallery, gallery), file, &report));
    fc_in_close(&in);
    return done ? exported(env, &report) : NULL;
}

JNI(jbyteArray, galleryExport)(JNIEnv *env, jclass class, jlong gallery, jobject stream)
{
    fc_callback callback;
    facecore_export_report report = { .struct_size = sizeof report };
    (void)class;
    if (!fc_callback_open(env, &callback, stream))
        return NULL;
    int32_t status = facecore_gallery_export(HANDLE(gallery, gallery), fc_callback_write, &callback, &report);
    if (fc_callback_close(env, &callback) || !fc_check(env, status))
        return NULL;
    return exported(env, &report);
}

static jbyteArray imported(JNIEnv *env, const facecore_import_report *report)
{
    fc_out out;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)report->persons);
    fc_out_long(&out, (int64_t)report->faces);
    fc_out_long(&out, (int64_t)report->duplicates);
    fc_out_long(&out, report->kept_ids);
    return fc_out_finish(env, &out);
}

JNI(jbyteArray, galleryImportFile)(JNIEnv *env, jclass class, jlong gallery, jbyteArray request)
{
    fc_in in;
    int done = 0;
    facecore_import_report report = { .struct_size = sizeof report };
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char *file = fc_in_text(&in);
    if (fc_in_good(env, &in))
        done = fc_check(env, facecore_gallery_import_file(HANDLE(gallery, gallery), file, &report));
    fc_in_close(&in);
    return done ? imported(env, &report) : NULL;
}

JNI(jbyteArray, galleryImport)(JNIEnv *env, jclass class, jlong gallery, jobject stream)
{
    fc_callback callback;
    facecore_import_report report = { .struct_size = sizeof report };
    (void)class;
    if (!fc_callback_open(env, &callback, stream))
        return NULL;
    int32_t status = facecore_gallery_import(HANDLE(gallery, gallery), fc_callback_read, &callback, &report);
    if (fc_callback_close(env, &callback) || !fc_check(env, status))
        return NULL;
    return imported(env, &report);
}

static jbyteArray enrolled(JNIEnv *env, facecore_enrolment *enrolment)
{
    size_t count = facecore_enrolment_count(enrolment);
    int32_t status = FACECORE_OK;
    fc_out out;
    jbyteArray answer = NULL;
    fc_out_open(&out);
    fc_out_long(&out, (int64_t)facecore_enrolment_faces(enrolment));
    fc_out_long(&out, (int64_t)count);
    for (size_t i = 0; i < count && status == FACECORE_OK; i++) {
        facecore_enrolled_photo photo = { .struct_size = sizeof photo };
        status = facecore_enrolment_get(enrolment, i, &photo);
        fc_out_text(&out, photo.path);
        fc_out_text(&out, photo.person);
        fc_out_long(&out, photo.status);
        fc_out_text(&out, photo.message);
        fc_out_long(&out, (int64_t)photo.face);
    }
    if (fc_check(env, status))
        answer = fc_out_finish(env, &out);
    else
        fc_out_drop(&out);
    facecore_enrolment_free(enrolment);
    return answer;
}

JNI(jbyteArray, enrolFolder)(JNIEnv *env, jclass class, jlong recognizer, jlong people, jbyteArray request, jint choice)
{
    fc_in in;
    facecore_enrolment *enrolment = NULL;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char *folder = fc_in_text(&in);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_recognizer_enrol_folder(HANDLE(recognizer, recognizer), folder,
                                                       HANDLE(namespace, people), choice, NULL, NULL, &enrolment));
    fc_in_close(&in);
    return enrolment ? enrolled(env, enrolment) : NULL;
}

JNI(jbyteArray, enrolPhotos)(JNIEnv *env, jclass class, jlong recognizer, jlong people, jbyteArray request, jint choice)
{
    fc_in in;
    facecore_enrolment *enrolment = NULL;
    size_t count, paths_count;
    (void)class;
    if (!fc_in_open(env, &in, request))
        return NULL;
    const char **persons = fc_in_texts(&in, &count);
    const char **paths = fc_in_texts(&in, &paths_count);
    if (fc_in_good(env, &in))
        fc_check(env, facecore_recognizer_enrol_photos(HANDLE(recognizer, recognizer), persons, paths, count,
                                                       HANDLE(namespace, people), choice, NULL, NULL, &enrolment));
    fc_in_close(&in);
    return enrolment ? enrolled(env, enrolment) : NULL;
}
