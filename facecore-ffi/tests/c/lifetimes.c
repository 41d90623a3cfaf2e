/* Handles outlive what they were made of, in any order of freeing. */
#include "test.h"

static void models_and_faces(void)
{
    facecore_options options = generated();
    facecore_recognizer *recognizer = NULL;
    facecore_faces *faces = NULL;
    facecore_embedding *embedding = NULL;
    facecore_space *of_recognizer = NULL, *of_embedding = NULL;
    unsigned char *colours = pixels(128, 128);
    facecore_image image = rgb(colours, 128, 128);
    NEED(facecore_recognizer_new(&options, &recognizer));
    NEED(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
    NEED(facecore_recognizer_space(recognizer, &of_recognizer));
    free(colours);
    facecore_recognizer_free(recognizer);
    NEED(facecore_faces_embedding(faces, 0, &embedding));
    float values[128];
    OK(facecore_embedding_copy(embedding, values, 128, NULL));
    facecore_faces_free(faces);
    NEED(facecore_embedding_space(embedding, &of_embedding));
    CHECK(memcmp(facecore_embedding_data(embedding), values, sizeof values) == 0);
    facecore_embedding_free(embedding);
    TEXT(facecore_space_id(of_recognizer), facecore_space_id(of_embedding));
    facecore_space_free(of_recognizer);
    CHECK(facecore_space_id(of_embedding)[0] != 0);
    facecore_space_free(of_embedding);

    /* An embedder's aligner, an aligner's crop. */
    facecore_embedder *embedder = NULL;
    facecore_aligner *aligner = NULL;
    facecore_picture *crop = NULL;
    static const facecore_point POINTS[5] = {{40, 50}, {70, 50}, {55, 70}, {42, 85}, {68, 85}};
    colours = pixels(128, 128);
    image = rgb(colours, 128, 128);
    NEED(facecore_embedder_new(&options, &embedder));
    NEED(facecore_embedder_aligner(embedder, &aligner));
    facecore_embedder_free(embedder);
    NEED(facecore_aligner_align(aligner, &image, POINTS, &crop));
    facecore_aligner_free(aligner);
    free(colours);
    facecore_image cut = ZERO(facecore_image);
    OK(facecore_picture_image(crop, &cut));
    unsigned sum = 0;
    for (size_t at = 0; at < cut.len; at++) {
        sum += cut.data[at];
    }
    CHECK(sum > 0);
    facecore_picture_free(crop);
}

static void lists_of_photos(void)
{
    facecore_recognizer *recognizer = NULL;
    facecore_recognitions *recognitions = NULL;
    facecore_faces *first = NULL, *second = NULL;
    const char *path = in(files, "picture.bmp");
    write_picture(path, 256, 256);
    NEED(facecore_fake_recognizer(2, 64, &recognizer));
    NEED(facecore_recognizer_recognize_files(recognizer, &path, 1, NULL, NULL, &recognitions));
    facecore_recognizer_free(recognizer);
    NEED(facecore_recognitions_get(recognitions, 0, &first));
    NEED(facecore_recognitions_get(recognitions, 0, &second));
    facecore_recognitions_free(recognitions);
    CHECK(facecore_faces_count(first) == 2);
    facecore_faces_free(first);
    CHECK(facecore_faces_count(second) == 2);
    facecore_faces_free(second);
}

static void galleries_and_people(void)
{
    facecore_gallery *gallery = NULL;
    facecore_namespace *people = NULL;
    facecore_persons *persons = NULL;
    facecore_enrolled_face *enrolled = NULL;
    facecore_embedding *stored = NULL, *probe = embedding(1);
    facecore_matches *matches = NULL;
    facecore_votes *votes = NULL;
    facecore_batch *batch = NULL;
    facecore_outcomes *outcomes = NULL;
    facecore_texts *names = NULL;
    NEED(facecore_gallery_open(in(files, "gallery"), NULL, &gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    NEED(facecore_gallery_namespaces(gallery, &names));
    facecore_gallery_free(gallery);
    TEXT("people", facecore_texts_get(names, 0));
    facecore_texts_free(names);
    uint64_t face = enrol(people, "ada", 1);
    facecore_new_face more = ZERO(facecore_new_face);
    facecore_embedding *other = embedding(2);
    more.embedding = other;
    NEED(facecore_batch_new(&batch));
    NEED(facecore_batch_enrol(batch, "bob", &more, 1));
    facecore_embedding_free(other);
    NEED(facecore_namespace_apply(people, batch, &outcomes));
    facecore_batch_free(batch);
    NEED(facecore_namespace_face(people, face, &enrolled));
    NEED(facecore_namespace_get(people, "ada", &persons));
    NEED(facecore_namespace_search(people, probe, NULL, &matches));
    NEED(facecore_namespace_vote(people, probe, 1, NULL, &votes));
    NEED(facecore_namespace_remove_person(people, "ada"));
    facecore_namespace_free(people);
    facecore_embedding_free(probe);

    /* All of these are as of the moment when they were asked for. */
    facecore_person person = ZERO(facecore_person);
    facecore_match match = ZERO(facecore_match);
    facecore_vote vote = ZERO(facecore_vote);
    facecore_enrolled_face_info info = ZERO(facecore_enrolled_face_info);
    facecore_outcome outcome = ZERO(facecore_outcome);
    OK(facecore_persons_get(persons, 0, &person));
    TEXT("ada", person.id);
    OK(facecore_matches_get(matches, 0, &match));
    TEXT("ada", match.person);
    OK(facecore_votes_get(votes, 0, &vote));
    TEXT("ada", vote.person);
    OK(facecore_enrolled_face_get_info(enrolled, &info));
    TEXT("ada", info.person);
    OK(facecore_outcomes_get(outcomes, 0, &outcome));
    CHECK(outcome.face_count == 1 && outcome.faces[0] != 0);
    OK(facecore_enrolled_face_embedding(enrolled, &stored));
    facecore_enrolled_face_free(enrolled);
    CHECK(facecore_embedding_dimension(stored) == 64 && facecore_embedding_data(stored)[0] != 0);
    facecore_embedding_free(stored);
    facecore_persons_free(persons);
    facecore_matches_free(matches);
    facecore_votes_free(votes);
    facecore_outcomes_free(outcomes);
    /* The gallery was closed with its last namespace. */
    NEED(facecore_gallery_open(in(files, "gallery"), NULL, &gallery));
    facecore_gallery_free(gallery);
}

/* Pointers that are read out of a handle stay where they are. */
static void pointers(void)
{
    facecore_namespace *people = namespace_in_memory("people");
    facecore_persons *persons = NULL;
    facecore_person before = ZERO(facecore_person), after = ZERO(facecore_person);
    enrol(people, "ada", 1);
    NEED(facecore_namespace_get(people, "ada", &persons));
    OK(facecore_persons_get(persons, 0, &before));
    const char *name = facecore_namespace_name(people), *version = facecore_version();
    OK(facecore_namespace_rename(people, "ada", "bob"));
    enrol(people, "bob", 2);
    OK(facecore_persons_get(persons, 0, &after));
    CHECK(before.id == after.id && before.faces == after.faces && before.metadata == after.metadata);
    CHECK(after.face_count == 1 && name == facecore_namespace_name(people) && version == facecore_version());
    TEXT("ada", before.id);
    CHECK(facecore_lite_licence() == facecore_lite_licence());
    CHECK(facecore_status_name(FACECORE_NO_FACE) == facecore_status_name(FACECORE_NO_FACE));
    facecore_persons_free(persons);
    facecore_namespace_free(people);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    models_and_faces();
    lists_of_photos();
    galleries_and_people();
    pointers();
    return finish();
}
