/* NULL in every pointer of the functions on galleries and people. The rest is in nulls_models.c. */
#include "outputs.h"

static facecore_gallery *gallery;
static facecore_namespace *people;
static facecore_embedding *probe;
static uint64_t face;

static int32_t write_nothing(void *context, const uint8_t *bytes, size_t len)
{
    (void)context, (void)bytes, (void)len;
    return 0;
}

static int64_t read_nothing(void *context, uint8_t *bytes, size_t capacity)
{
    (void)context, (void)bytes, (void)capacity;
    return 0;
}

static void batches(void)
{
    facecore_batch *batch = NULL;
    facecore_outcomes *outcomes = NULL;
    facecore_new_face one = ZERO(facecore_new_face), none = ZERO(facecore_new_face);
    one.embedding = probe;

    REFUSES(facecore_batch_new, batch, (NULL), "batch");
    NEED(facecore_batch_new(&batch));
    REFUSES(facecore_batch_all_or_nothing, batch, (NULL), "batch");
    REFUSES(facecore_batch_enrol, batch, (NULL, "ada", &one, 1), "batch");
    REFUSES(facecore_batch_enrol, person_id, (batch, NULL, &one, 1), "person's id");
    REFUSES(facecore_batch_enrol, faces, (batch, "ada", NULL, 1), "facecore_new_face");
    REFUSES(facecore_batch_enrol, faces, (batch, "ada", &none, 1), "embedding");
    REFUSES(facecore_batch_replace_face, batch, (NULL, face, probe), "batch");
    REFUSES(facecore_batch_replace_face, embedding, (batch, face, NULL), "embedding");
    REFUSES(facecore_batch_set_face_metadata, batch, (NULL, face, "{}"), "batch");
    PASSES(facecore_batch_set_face_metadata, metadata, (batch, face, NULL));
    REFUSES(facecore_batch_remove_face, batch, (NULL, face), "batch");
    REFUSES(facecore_batch_remove_person, batch, (NULL, "ada"), "batch");
    REFUSES(facecore_batch_remove_person, person_id, (batch, NULL), "person's id");
    REFUSES(facecore_batch_rename, batch, (NULL, "ada", "bob"), "batch");
    REFUSES(facecore_batch_rename, person_id, (batch, NULL, "bob"), "person's id");
    REFUSES(facecore_batch_rename, new_id, (batch, "ada", NULL), "new id");
    REFUSES(facecore_batch_merge, batch, (NULL, "ada", "bob"), "batch");
    REFUSES(facecore_batch_merge, from, (batch, NULL, "bob"), "person's id");
    REFUSES(facecore_batch_merge, into, (batch, "ada", NULL), "person's id");
    REFUSES(facecore_batch_set_name, batch, (NULL, "ada", "Ada"), "batch");
    REFUSES(facecore_batch_set_name, person_id, (batch, NULL, "Ada"), "person's id");
    PASSES(facecore_batch_set_name, name, (batch, "ada", NULL));
    REFUSES(facecore_batch_set_metadata, batch, (NULL, "ada", "{}"), "batch");
    REFUSES(facecore_batch_set_metadata, person_id, (batch, NULL, "{}"), "person's id");
    PASSES(facecore_batch_set_metadata, metadata, (batch, "ada", NULL));
    TAKES(facecore_batch_count, batch, facecore_batch_count(NULL) == 0);
    /* What was refused was not added. */
    CHECK(facecore_batch_count(batch) == 3);
    OK(facecore_batch_enrol(batch, "ada", NULL, 0));
    OK(facecore_batch_enrol(batch, "ada", &one, 1));

    REFUSES(facecore_namespace_apply, namespace_, (NULL, batch, &out.outcomes), "namespace");
    REFUSES(facecore_namespace_apply, batch, (people, NULL, &out.outcomes), "batch");
    REFUSES(facecore_namespace_apply, outcomes, (people, batch, NULL), "outcomes");
    NEED(facecore_namespace_apply(people, batch, &outcomes));
    facecore_batch_free(NULL);
    TAKES(facecore_batch_free, batch, 1);
    facecore_batch_free(batch);
    TAKES(facecore_outcomes_count, outcomes, facecore_outcomes_count(NULL) == 0);
    REFUSES(facecore_outcomes_get, outcomes, (NULL, 0, &out.outcome), "list of outcomes");
    REFUSES(facecore_outcomes_get, outcome, (outcomes, 4, NULL), "facecore_outcome");
    facecore_outcomes_free(NULL);
    TAKES(facecore_outcomes_free, outcomes, 1);
    facecore_outcomes_free(outcomes);
}

static void enrolments(void)
{
    facecore_recognizer *recognizer = NULL;
    facecore_enrolment *enrolment = NULL;
    const char *photos = in(files, "photos");
    const char *persons[] = {"ada", NULL}, *paths[] = {"nowhere.jpg", NULL};
    NEED(facecore_fake_recognizer(1, 64, &recognizer));

    REFUSES(facecore_recognizer_enrol_folder, recognizer, (NULL, photos, people, 0, NULL, NULL, &out.enrolment), "recognizer");
    REFUSES(facecore_recognizer_enrol_folder, folder, (recognizer, NULL, people, 0, NULL, NULL, &out.enrolment), "folder");
    REFUSES(facecore_recognizer_enrol_folder, namespace_, (recognizer, photos, NULL, 0, NULL, NULL, &out.enrolment), "namespace");
    REFUSES(facecore_recognizer_enrol_folder, enrolment, (recognizer, photos, people, 0, NULL, NULL, NULL), "enrolment");
    REFUSES(facecore_recognizer_enrol_photos, recognizer, (NULL, persons, paths, 1, people, 0, NULL, NULL, &out.enrolment),
            "recognizer");
    REFUSES(facecore_recognizer_enrol_photos, persons, (recognizer, NULL, paths, 1, people, 0, NULL, NULL, &out.enrolment),
            "persons");
    REFUSES(facecore_recognizer_enrol_photos, persons, (recognizer, persons, paths, 2, people, 0, NULL, NULL, &out.enrolment),
            "persons");
    REFUSES(facecore_recognizer_enrol_photos, paths, (recognizer, persons, NULL, 1, people, 0, NULL, NULL, &out.enrolment),
            "paths");
    persons[1] = "bob";
    REFUSES(facecore_recognizer_enrol_photos, paths, (recognizer, persons, paths, 2, people, 0, NULL, NULL, &out.enrolment),
            "path");
    REFUSES(facecore_recognizer_enrol_photos, namespace_, (recognizer, persons, paths, 1, NULL, 0, NULL, NULL, &out.enrolment),
            "namespace");
    REFUSES(facecore_recognizer_enrol_photos, enrolment, (recognizer, persons, paths, 1, people, 0, NULL, NULL, NULL), "enrolment");
    PASSES(facecore_recognizer_enrol_folder, done, (recognizer, files, people, 0, NULL, &out, &enrolment));
    facecore_enrolment_free(enrolment);
    PASSES(facecore_recognizer_enrol_folder, context, (recognizer, files, people, 0, nothing_done, NULL, &enrolment));
    facecore_enrolment_free(enrolment);
    PASSES(facecore_recognizer_enrol_photos, done, (recognizer, persons, paths, 1, people, 0, NULL, &out, &enrolment));
    facecore_enrolment_free(enrolment);
    PASSES(facecore_recognizer_enrol_photos, context,
           (recognizer, persons, paths, 1, people, 0, nothing_done, NULL, &enrolment));
    TAKES(facecore_enrolment_count, enrolment, facecore_enrolment_count(NULL) == 0);
    TAKES(facecore_enrolment_faces, enrolment, facecore_enrolment_faces(NULL) == 0);
    REFUSES(facecore_enrolment_get, enrolment, (NULL, 0, &out.photo), "enrolment");
    REFUSES(facecore_enrolment_get, photo, (enrolment, 0, NULL), "facecore_enrolled_photo");
    facecore_enrolment_free(NULL);
    TAKES(facecore_enrolment_free, enrolment, 1);
    facecore_enrolment_free(enrolment);
    facecore_recognizer_free(recognizer);
}

static void galleries(void)
{
    const char *file = in(files, "export.jsonl"), *other = in(files, "other.jsonl");
    facecore_gallery *made = NULL;

    REFUSES(facecore_gallery_export, gallery, (NULL, write_nothing, NULL, &out.exported), "gallery");
    REFUSES(facecore_gallery_export, write, (gallery, NULL, NULL, &out.exported), "write function");
    PASSES(facecore_gallery_export, context, (gallery, write_nothing, NULL, &out.exported));
    PASSES(facecore_gallery_export, report, (gallery, write_nothing, NULL, NULL));
    REFUSES(facecore_gallery_export_file, gallery, (NULL, file, &out.exported), "gallery");
    REFUSES(facecore_gallery_export_file, file, (gallery, NULL, &out.exported), "file");
    PASSES(facecore_gallery_export_file, report, (gallery, file, NULL));
    REFUSES(facecore_gallery_import, gallery, (NULL, read_nothing, NULL, &out.imported), "gallery");
    REFUSES(facecore_gallery_import, read, (gallery, NULL, NULL, &out.imported), "read function");
    NEED(facecore_gallery_export_file(gallery, other, NULL));
    REFUSES(facecore_gallery_import_file, gallery, (NULL, file, &out.imported), "gallery");
    REFUSES(facecore_gallery_import_file, file, (gallery, NULL, &out.imported), "file");
    PASSES(facecore_gallery_import_file, report, (gallery, file, NULL));
    /* Nothing is no export, which begins with a line of its own: only that NULL is no fault is seen here. */
    fill();
    facecore_gallery_import(gallery, read_nothing, NULL, NULL);
    TAKES(facecore_gallery_import, context, facecore_last_error_status() != FACECORE_INTERNAL);
    TAKES(facecore_gallery_import, report, memcmp(&out, &before, sizeof out) == 0);

    REFUSES(facecore_gallery_open, folder, (NULL, NULL, &out.gallery), "folder");
    REFUSES(facecore_gallery_open, gallery, (in(files, "none"), NULL, NULL), "gallery");
    PASSES(facecore_gallery_open, options, (in(files, "gallery"), NULL, &out.gallery));
    made = out.gallery;
    REFUSES(facecore_gallery_backup, gallery, (NULL, in(files, "backup")), "gallery");
    REFUSES(facecore_gallery_backup, folder, (made, NULL), "folder");
    facecore_gallery_free(made);
    REFUSES(facecore_gallery_in_memory, gallery, (NULL), "gallery");
    REFUSES(facecore_gallery_namespace, gallery, (NULL, "people", &out.people), "gallery");
    REFUSES(facecore_gallery_namespace, name, (gallery, NULL, &out.people), "name");
    REFUSES(facecore_gallery_namespace, namespace_, (gallery, "others", NULL), "namespace");
    REFUSES(facecore_gallery_existing_namespace, gallery, (NULL, "people", &out.people), "gallery");
    REFUSES(facecore_gallery_existing_namespace, name, (gallery, NULL, &out.people), "name");
    REFUSES(facecore_gallery_existing_namespace, namespace_, (gallery, "people", NULL), "namespace");
    REFUSES(facecore_gallery_namespaces, gallery, (NULL, &out.texts), "gallery");
    REFUSES(facecore_gallery_namespaces, names, (gallery, NULL), "names");
    REFUSES(facecore_gallery_drop_namespace, gallery, (NULL, "people"), "gallery");
    REFUSES(facecore_gallery_drop_namespace, name, (gallery, NULL), "name");
    REFUSES(facecore_gallery_flush, gallery, (NULL), "gallery");
    REFUSES(facecore_gallery_compact, gallery, (NULL), "gallery");
    REFUSES(facecore_gallery_verify, gallery, (NULL, &out.verified, &out.texts), "gallery");
    REFUSES(facecore_gallery_verify, report, (gallery, NULL, &out.texts), "facecore_verify_report");
    PASSES(facecore_gallery_verify, problems, (gallery, &out.verified, NULL));
    REFUSES(facecore_gallery_get_stats, gallery, (NULL, &out.gallery_stats), "gallery");
    REFUSES(facecore_gallery_get_stats, stats, (gallery, NULL), "facecore_gallery_stats");
    facecore_gallery_free(NULL);
    TAKES(facecore_gallery_free, gallery, 1);
}

static void namespaces(void)
{
    facecore_space *pinned = space();
    facecore_new_face one = ZERO(facecore_new_face);
    one.embedding = probe;

    TAKES(facecore_namespace_name, namespace_, facecore_namespace_name(NULL) == NULL);
    TAKES(facecore_namespace_person_count, namespace_, facecore_namespace_person_count(NULL) == 0);
    TAKES(facecore_namespace_face_count, namespace_, facecore_namespace_face_count(NULL) == 0);
    TAKES(facecore_namespace_dimension, namespace_, facecore_namespace_dimension(NULL) == 0);
    REFUSES(facecore_namespace_space, namespace_, (NULL, &out.space), "namespace");
    REFUSES(facecore_namespace_space, space, (people, NULL), "space");
    REFUSES(facecore_namespace_pin, namespace_, (NULL, pinned, 64), "namespace");
    REFUSES(facecore_namespace_pin, space, (people, NULL, 64), "space");
    REFUSES(facecore_namespace_check, namespace_, (NULL, pinned, 64), "namespace");
    REFUSES(facecore_namespace_check, space, (people, NULL, 64), "space");
    REFUSES(facecore_namespace_add, namespace_, (NULL, "ada", probe, out.ids), "namespace");
    REFUSES(facecore_namespace_add, person_id, (people, NULL, probe, out.ids), "person's id");
    REFUSES(facecore_namespace_add, embedding, (people, "ada", NULL, out.ids), "embedding");
    PASSES(facecore_namespace_add, face, (people, "ada", probe, NULL));
    REFUSES(facecore_namespace_enrol, namespace_, (NULL, "ada", &one, 1, out.ids), "namespace");
    REFUSES(facecore_namespace_enrol, person_id, (people, NULL, &one, 1, out.ids), "person's id");
    REFUSES(facecore_namespace_enrol, faces, (people, "ada", NULL, 1, out.ids), "facecore_new_face");
    PASSES(facecore_namespace_enrol, face_ids, (people, "ada", &one, 1, NULL));
    OK(facecore_namespace_enrol(people, "ada", NULL, 0, NULL));
    one.embedding = NULL;
    REFUSES(facecore_namespace_enrol, faces, (people, "ada", &one, 1, out.ids), "embedding");
    REFUSES(facecore_namespace_replace_face, namespace_, (NULL, face, probe, out.ids), "namespace");
    REFUSES(facecore_namespace_replace_face, embedding, (people, face, NULL, out.ids), "embedding");
    PASSES(facecore_namespace_replace_face, new_id, (people, face, probe, NULL));
    REFUSES(facecore_namespace_remove_face, namespace_, (NULL, face), "namespace");
    REFUSES(facecore_namespace_remove_person, namespace_, (NULL, "ada"), "namespace");
    REFUSES(facecore_namespace_remove_person, person_id, (people, NULL), "person's id");
    REFUSES(facecore_namespace_rename, namespace_, (NULL, "ada", "bob"), "namespace");
    REFUSES(facecore_namespace_rename, person_id, (people, NULL, "bob"), "person's id");
    REFUSES(facecore_namespace_rename, new_id, (people, "ada", NULL), "new id");
    REFUSES(facecore_namespace_set_name, namespace_, (NULL, "ada", "Ada"), "namespace");
    REFUSES(facecore_namespace_set_name, person_id, (people, NULL, "Ada"), "person's id");
    PASSES(facecore_namespace_set_name, name, (people, "ada", NULL));
    REFUSES(facecore_namespace_set_metadata, namespace_, (NULL, "ada", "{}"), "namespace");
    REFUSES(facecore_namespace_set_metadata, person_id, (people, NULL, "{}"), "person's id");
    PASSES(facecore_namespace_set_metadata, metadata, (people, "ada", NULL));
    REFUSES(facecore_namespace_set_face_metadata, namespace_, (NULL, face, "{}"), "namespace");
    PASSES(facecore_namespace_set_face_metadata, metadata, (people, face, NULL));
    REFUSES(facecore_namespace_merge, namespace_, (NULL, "ada", "bob"), "namespace");
    REFUSES(facecore_namespace_merge, from, (people, NULL, "bob"), "person's id");
    REFUSES(facecore_namespace_merge, into, (people, "ada", NULL), "person's id");
    REFUSES(facecore_namespace_move_person, namespace_, (NULL, "ada", people), "namespace");
    REFUSES(facecore_namespace_move_person, person_id, (people, NULL, people), "person's id");
    REFUSES(facecore_namespace_move_person, to, (people, "ada", NULL), "namespace");
    REFUSES(facecore_namespace_clear, namespace_, (NULL), "namespace");
    REFUSES(facecore_namespace_get_stats, namespace_, (NULL, &out.people_stats), "namespace");
    REFUSES(facecore_namespace_get_stats, stats, (people, NULL), "facecore_namespace_stats");
    facecore_namespace_free(NULL);
    TAKES(facecore_namespace_free, namespace_, 1);
    facecore_space_free(pinned);
}

static void lookups(void)
{
    facecore_persons *persons = NULL;
    facecore_enrolled_face *enrolled = NULL;

    REFUSES(facecore_namespace_get, namespace_, (NULL, "ada", &out.persons), "namespace");
    REFUSES(facecore_namespace_get, person_id, (people, NULL, &out.persons), "person's id");
    REFUSES(facecore_namespace_get, persons, (people, "ada", NULL), "persons");
    REFUSES(facecore_namespace_persons, namespace_, (NULL, NULL, 1, &out.persons), "namespace");
    REFUSES(facecore_namespace_persons, persons, (people, NULL, 1, NULL), "persons");
    PASSES(facecore_namespace_persons, after, (people, NULL, 1, &out.persons));
    persons = out.persons;
    TAKES(facecore_persons_count, persons, facecore_persons_count(NULL) == 0);
    REFUSES(facecore_persons_get, persons, (NULL, 0, &out.person), "list of persons");
    REFUSES(facecore_persons_get, person, (persons, 0, NULL), "facecore_person");
    facecore_persons_free(NULL);
    TAKES(facecore_persons_free, persons, 1);
    facecore_persons_free(persons);

    REFUSES(facecore_namespace_face, namespace_, (NULL, face, &out.enrolled), "namespace");
    REFUSES(facecore_namespace_face, enrolled, (people, face, NULL), "enrolled face");
    NEED(facecore_namespace_face(people, face, &enrolled));
    REFUSES(facecore_enrolled_face_get_info, enrolled, (NULL, &out.enrolled_info), "enrolled face");
    REFUSES(facecore_enrolled_face_get_info, info, (enrolled, NULL), "facecore_enrolled_face_info");
    REFUSES(facecore_enrolled_face_embedding, enrolled, (NULL, &out.embedding), "enrolled face");
    REFUSES(facecore_enrolled_face_embedding, embedding, (enrolled, NULL), "embedding");
    facecore_enrolled_face_free(NULL);
    TAKES(facecore_enrolled_face_free, enrolled, 1);
    facecore_enrolled_face_free(enrolled);
}

static void searches(void)
{
    const facecore_embedding *probes[] = {probe, NULL};
    const char *ids[] = {"ada", NULL};
    facecore_search_options options = ZERO(facecore_search_options);
    facecore_matches *matches = NULL;
    facecore_votes *votes = NULL;

    REFUSES(facecore_namespace_search, namespace_, (NULL, probe, NULL, &out.matches), "namespace");
    REFUSES(facecore_namespace_search, probe, (people, NULL, NULL, &out.matches), "embedding");
    REFUSES(facecore_namespace_search, found, (people, probe, NULL, NULL), "matches");
    PASSES(facecore_namespace_search, options, (people, probe, NULL, &out.matches));
    matches = out.matches;
    REFUSES(facecore_namespace_search_batch, namespace_, (NULL, probes, 1, NULL, out.lists), "namespace");
    REFUSES(facecore_namespace_search_batch, probes, (people, NULL, 1, NULL, out.lists), "probes");
    REFUSES(facecore_namespace_search_batch, probes, (people, probes, 2, NULL, out.lists), "embedding");
    REFUSES(facecore_namespace_search_batch, found, (people, probes, 1, NULL, NULL), "array of matches");
    PASSES(facecore_namespace_search_batch, options, (people, probes, 1, NULL, out.lists));
    CHECK(out.lists[1] == before.lists[1]);
    facecore_matches_free(out.lists[0]);
    OK(facecore_namespace_search_batch(people, NULL, 0, NULL, NULL));
    REFUSES(facecore_namespace_identify, namespace_, (NULL, probe, &out.matches), "namespace");
    REFUSES(facecore_namespace_identify, probe, (people, NULL, &out.matches), "embedding");
    REFUSES(facecore_namespace_identify, found, (people, probe, NULL), "matches");
    REFUSES(facecore_namespace_vote, namespace_, (NULL, probe, 1, NULL, &out.votes), "namespace");
    REFUSES(facecore_namespace_vote, probe, (people, NULL, 1, NULL, &out.votes), "embedding");
    REFUSES(facecore_namespace_vote, found, (people, probe, 1, NULL, NULL), "votes");
    PASSES(facecore_namespace_vote, options, (people, probe, 1, NULL, &out.votes));
    votes = out.votes;

    /* Lists within options. */
    options.among_count = 1;
    REFUSES(facecore_namespace_search, options, (people, probe, &options, &out.matches), "among");
    options.among = ids;
    options.among_count = 2;
    REFUSES(facecore_namespace_search, options, (people, probe, &options, &out.matches), "among");
    options.among = NULL;
    options.among_count = 0;
    options.excluding_count = 1;
    REFUSES(facecore_namespace_search, options, (people, probe, &options, &out.matches), "excluding");
    options.excluding = ids;
    options.excluding_count = 2;
    REFUSES(facecore_namespace_search, options, (people, probe, &options, &out.matches), "excluding");

    TAKES(facecore_matches_count, found, facecore_matches_count(NULL) == 0);
    REFUSES(facecore_matches_get, found, (NULL, 0, &out.match), "list of matches");
    REFUSES(facecore_matches_get, one, (matches, 0, NULL), "facecore_match");
    facecore_matches_free(NULL);
    TAKES(facecore_matches_free, found, 1);
    facecore_matches_free(matches);
    TAKES(facecore_votes_count, found, facecore_votes_count(NULL) == 0);
    REFUSES(facecore_votes_get, found, (NULL, 0, &out.vote), "list of votes");
    REFUSES(facecore_votes_get, one, (votes, 0, NULL), "facecore_vote");
    facecore_votes_free(NULL);
    TAKES(facecore_votes_free, found, 1);
    facecore_votes_free(votes);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    NEED(facecore_gallery_in_memory(&gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    face = enrol(people, "ada", 1);
    probe = embedding(1);
    batches();
    enrolments();
    galleries();
    namespaces();
    lookups();
    searches();
    /* None of it changed anything. */
    CHECK(facecore_namespace_person_count(people) == 1 && facecore_namespace_face_count(people) == 1);
    facecore_embedding_free(probe);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
    return finish();
}
