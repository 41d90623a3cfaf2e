/* Asking who somebody is. */
#include "glue.h"

/* Java's SearchOptions with what it points to; all zero of NULL. */
static facecore_search_options search_options(fc_in *in, fc_callback *filter)
{
    facecore_search_options options = { .struct_size = sizeof options };
    options.top_k = (size_t)fc_in_long(in);
    options.has_threshold = (int32_t)fc_in_long(in);
    options.threshold = (float)fc_in_real(in);
    options.reach = (int32_t)fc_in_long(in);
    options.reach_faces = (size_t)fc_in_long(in);
    options.reach_miss = fc_in_real(in);
    options.among = fc_in_texts(in, &options.among_count);
    options.excluding = fc_in_texts(in, &options.excluding_count);
    options.filter = filter->object ? fc_callback_filter : NULL;
    options.filter_context = filter;
    return options;
}

/* The matches, which are freed. A status that is not FACECORE_OK tells why there are not all. */
static int32_t out_matches(fc_out *out, facecore_matches *found)
{
    size_t count = facecore_matches_count(found);
    int32_t status = FACECORE_OK;
    fc_out_long(out, (int64_t)count);
    for (size_t i = 0; i < count && status == FACECORE_OK; i++) {
        facecore_match match = { .struct_size = sizeof match };
        status = facecore_matches_get(found, i, &match);
        fc_out_text(out, match.person);
        fc_out_real(out, (double)match.score);
        fc_out_long(out, match.has_probability);
        fc_out_real(out, (double)match.probability);
        fc_out_real(out, (double)match.margin);
        fc_out_long(out, (int64_t)match.best_face);
        fc_out_long(out, match.hits);
    }
    facecore_matches_free(found);
    return status;
}

static jbyteArray finish(JNIEnv *env, fc_out *out, int32_t status)
{
    if (fc_check(env, status))
        return fc_out_finish(env, out);
    fc_out_drop(out);
    return NULL;
}

JNI(jbyteArray, search)(JNIEnv *env, jclass class, jlong people, jlong probe, jbyteArray request, jobject filter)
{
    fc_in in;
    fc_callback callback;
    facecore_matches *found = NULL;
    (void)class;
    if (!fc_callback_open(env, &callback, filter))
        return NULL;
    if (fc_in_open(env, &in, request)) {
        facecore_search_options options = search_options(&in, &callback);
        if (fc_in_good(env, &in))
            fc_check(env, facecore_namespace_search(HANDLE(namespace, people), HANDLE(embedding, probe), &options,
                                                    &found));
        fc_in_close(&in);
    }
    if (fc_callback_close(env, &callback) || !found) {
        facecore_matches_free(found);
        return NULL;
    }
    fc_out out;
    fc_out_open(&out);
    return finish(env, &out, out_matches(&out, found));
}

JNI(jbyteArray, searchBatch)(JNIEnv *env, jclass class, jlong people, jbyteArray probes, jbyteArray request,
                             jobject filter)
{
    fc_in in, probes_in;
    fc_callback callback;
    jbyteArray answer = NULL;
    (void)class;
    if (!fc_callback_open(env, &callback, filter))
        return NULL;
    if (!fc_in_open(env, &probes_in, probes)) {
        fc_callback_close(env, &callback);
        return NULL;
    }
    size_t count = (size_t)fc_in_long(&probes_in);
    const facecore_embedding **embeddings = fc_in_memory(&probes_in, count, sizeof *embeddings);
    facecore_matches **found = fc_in_memory(&probes_in, count, sizeof *found);
    for (size_t i = 0; embeddings && i < count; i++)
        embeddings[i] = HANDLE(embedding, fc_in_long(&probes_in));
    int done = 0;
    if (fc_in_open(env, &in, request)) {
        facecore_search_options options = search_options(&in, &callback);
        if (fc_in_good(env, &in) && fc_in_good(env, &probes_in))
            done = fc_check(env, facecore_namespace_search_batch(HANDLE(namespace, people), embeddings, count, &options,
                                                                 found));
        fc_in_close(&in);
    }
    if (fc_callback_close(env, &callback)) {
        for (size_t i = 0; done && i < count; i++)
            facecore_matches_free(found[i]);
    } else if (done) {
        fc_out out;
        int32_t status = FACECORE_OK;
        fc_out_open(&out);
        for (size_t i = 0; i < count; i++) {
            int32_t told = out_matches(&out, found[i]);
            status = status == FACECORE_OK ? told : status;
        }
        answer = finish(env, &out, status);
    }
    fc_in_close(&probes_in);
    return answer;
}

JNI(jbyteArray, identify)(JNIEnv *env, jclass class, jlong people, jlong probe)
{
    facecore_matches *found = NULL;
    fc_out out;
    (void)class;
    if (!fc_check(env, facecore_namespace_identify(HANDLE(namespace, people), HANDLE(embedding, probe), &found)))
        return NULL;
    fc_out_open(&out);
    return finish(env, &out, out_matches(&out, found));
}

JNI(jbyteArray, vote)(JNIEnv *env, jclass class, jlong people, jlong probe, jlong faces, jbyteArray request,
                      jobject filter)
{
    fc_in in;
    fc_callback callback;
    facecore_votes *found = NULL;
    jbyteArray answer = NULL;
    (void)class;
    if (!fc_callback_open(env, &callback, filter))
        return NULL;
    if (fc_in_open(env, &in, request)) {
        facecore_search_options options = search_options(&in, &callback);
        if (fc_in_good(env, &in))
            fc_check(env, facecore_namespace_vote(HANDLE(namespace, people), HANDLE(embedding, probe), (size_t)faces,
                                                  &options, &found));
        fc_in_close(&in);
    }
    if (!fc_callback_close(env, &callback) && found) {
        fc_out out;
        int32_t status = FACECORE_OK;
        fc_out_open(&out);
        fc_out_long(&out, (int64_t)facecore_votes_count(found));
        for (size_t i = 0; i < facecore_votes_count(found) && status == FACECORE_OK; i++) {
            facecore_vote vote = { .struct_size = sizeof vote };
            status = facecore_votes_get(found, i, &vote);
            fc_out_text(&out, vote.person);
            fc_out_long(&out, vote.votes);
            fc_out_long(&out, vote.voters);
            fc_out_real(&out, (double)vote.score);
            fc_out_long(&out, (int64_t)vote.best_face);
        }
        answer = finish(env, &out, status);
    }
    facecore_votes_free(found);
    return answer;
}
