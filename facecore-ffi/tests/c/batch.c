/* Many changes with one commit. */
#include "outputs.h"

static facecore_namespace *people;
static uint64_t known[3];

static facecore_batch *batch(void)
{
    facecore_batch *made = NULL;
    NEED(facecore_batch_new(&made));
    return made;
}

static void every_change(void)
{
    facecore_batch *changes = batch();
    facecore_embedding *one = embedding(11), *two = embedding(12), *better = embedding(13);
    facecore_new_face faces[2] = {ZERO(facecore_new_face), ZERO(facecore_new_face)};
    faces[0].embedding = one;
    faces[1].embedding = two;
    faces[1].source = "second";
    OK(facecore_batch_enrol(changes, "dora", faces, 2));
    OK(facecore_batch_replace_face(changes, known[0], better));
    OK(facecore_batch_set_face_metadata(changes, known[0], "{\"a\": 1}"));
    OK(facecore_batch_set_name(changes, "ada", "Ada"));
    OK(facecore_batch_set_metadata(changes, "ada", "{\"b\": 2}"));
    OK(facecore_batch_rename(changes, "ada", "ada2"));
    OK(facecore_batch_merge(changes, "bob", "ada2"));
    OK(facecore_batch_remove_face(changes, known[2]));
    OK(facecore_batch_remove_person(changes, "carl"));
    CHECK(facecore_batch_count(changes) == 9);
    /* What is passed in is kept. */
    facecore_embedding_free(one);
    facecore_embedding_free(two);
    facecore_embedding_free(better);
    memset(faces, 0, sizeof faces);

    facecore_outcomes *outcomes = NULL;
    OK(facecore_namespace_apply(people, changes, &outcomes));
    CHECK(facecore_outcomes_count(outcomes) == 9);
    facecore_outcome outcome = ZERO(facecore_outcome);
    for (size_t at = 0; at < 9; at++) {
        OK(facecore_outcomes_get(outcomes, at, &outcome));
        CHECK(outcome.status == FACECORE_OK && outcome.message == NULL && outcome.reserved == 0);
        CHECK(outcome.face_count == (at == 0 ? 2 : at == 1 ? 1 : 0) && (outcome.faces == NULL) == (at > 1));
    }
    OK(facecore_outcomes_get(outcomes, 0, &outcome));
    CHECK(outcome.faces[0] != outcome.faces[1] && outcome.faces[0] > 0);
    OK(facecore_outcomes_get(outcomes, 1, &outcome));
    CHECK(outcome.faces[0] == known[0]);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_outcomes_get(outcomes, 9, &out.outcome));
    SAYS("there is no outcome at 9");
    facecore_outcomes_free(outcomes);
    CHECK(facecore_namespace_person_count(people) == 2 && facecore_namespace_face_count(people) == 4);

    facecore_persons *found = NULL;
    facecore_person person = ZERO(facecore_person);
    OK(facecore_namespace_get(people, "ada2", &found));
    OK(facecore_persons_get(found, 0, &person));
    TEXT("Ada", person.name);
    TEXT("{\"b\":2}", person.metadata);
    CHECK(person.face_count == 2);
    facecore_persons_free(found);
    facecore_batch_free(changes);
}

static void refused_items(void)
{
    facecore_batch *changes = batch();
    facecore_outcomes *outcomes = NULL;
    facecore_embedding *one = embedding(21);
    facecore_new_face face = ZERO(facecore_new_face);
    face.embedding = one;
    char *longer = letters(513);
    OK(facecore_batch_remove_person(changes, "nobody"));
    OK(facecore_batch_remove_face(changes, UINT64_MAX));
    OK(facecore_batch_enrol(changes, "fred", &face, 1));
    OK(facecore_batch_enrol(changes, longer, &face, 1));
    OK(facecore_batch_rename(changes, "fred", "dora"));
    OK(facecore_batch_set_name(changes, "fred", "Fred"));
    OK(facecore_namespace_apply(people, changes, &outcomes));
    static const int32_t STATUSES[] = {FACECORE_PERSON_NOT_FOUND, FACECORE_FACE_NOT_FOUND,  FACECORE_OK,
                                       FACECORE_INVALID_ARGUMENT, FACECORE_PERSON_EXISTS, FACECORE_OK};
    for (size_t at = 0; at < 6; at++) {
        facecore_outcome outcome = ZERO(facecore_outcome);
        OK(facecore_outcomes_get(outcomes, at, &outcome));
        CHECK(outcome.status == STATUSES[at] && (outcome.message == NULL) == (outcome.status == FACECORE_OK));
        CHECK(at != 0 || strstr(outcome.message, "nobody") != NULL);
        CHECK((outcome.face_count == 1) == (at == 2));
    }
    facecore_outcomes_free(outcomes);
    CHECK(facecore_namespace_person_count(people) == 3);

    /* All or nothing. */
    OK(facecore_batch_all_or_nothing(changes));
    LEAVES(FACECORE_PERSON_NOT_FOUND, facecore_namespace_apply(people, changes, &out.outcomes));
    SAYS("item 0 of the batch");
    CHECK(facecore_namespace_person_count(people) == 3);
    facecore_batch_free(changes);

    changes = batch();
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_batch_set_metadata(changes, "ada", "null"));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_batch_set_face_metadata(changes, 1, "{"));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_batch_rename(changes, "a", "\xFF"));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_batch_set_name(changes, "a", "\xFF"));
    CHECK(facecore_batch_count(changes) == 0);
    OK(facecore_namespace_apply(people, changes, &outcomes));
    CHECK(facecore_outcomes_count(outcomes) == 0);
    facecore_outcomes_free(outcomes);
    facecore_batch_free(changes);
    facecore_embedding_free(one);
    free(longer);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    people = namespace_in_memory("people");
    known[0] = enrol(people, "ada", 1);
    known[1] = enrol(people, "bob", 2);
    known[2] = enrol(people, "bob", 3);
    enrol(people, "carl", 4);
    every_change();
    refused_items();
    facecore_namespace_free(people);
    return finish();
}
