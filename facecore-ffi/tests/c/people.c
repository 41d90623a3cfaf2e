/* People and their faces in a namespace, and the namespaces of a gallery. */
#include "outputs.h"

#include <math.h>

static int count_of(facecore_namespace *people, size_t persons, size_t faces)
{
    return facecore_namespace_person_count(people) == persons && facecore_namespace_face_count(people) == faces;
}

static facecore_person first(const facecore_persons *persons)
{
    facecore_person person = ZERO(facecore_person);
    OK(facecore_persons_get(persons, 0, &person));
    return person;
}

static void enrolling(void)
{
    facecore_namespace *people = namespace_in_memory("people");
    facecore_embedding *one = embedding(1);
    facecore_space *pinned = NULL;
    fill();
    OK(facecore_namespace_space(people, &pinned));
    CHECK(pinned == NULL && facecore_namespace_dimension(people) == 0);
    TEXT("people", facecore_namespace_name(people));
    uint64_t id = 0, same = 0;
    OK(facecore_namespace_add(people, "ada", one, &id));
    OK(facecore_namespace_add(people, "ada", one, &same));
    CHECK(id != 0 && same == id && count_of(people, 1, 1));
    CHECK(facecore_namespace_dimension(people) == 64);
    OK(facecore_namespace_space(people, &pinned));
    TEXT("test", facecore_space_id(pinned));
    facecore_space_free(pinned);

    /* Several, with what is known of them. */
    facecore_embedding *more[2] = {embedding(2), embedding(3)};
    facecore_new_face faces[2] = {ZERO(facecore_new_face), ZERO(facecore_new_face)};
    faces[0].embedding = more[0];
    faces[0].has_quality = 1;
    faces[0].quality = 0.75f;
    faces[0].source = "photo \xC3\xA4.jpg";
    faces[0].metadata = "{\"roll\": 7, \"tags\": [\"a\", null]}";
    faces[1].embedding = more[1];
    uint64_t ids[3] = {0, 0, 99};
    OK(facecore_namespace_enrol(people, "ada", faces, 2, ids));
    CHECK(ids[0] != ids[1] && ids[2] == 99 && count_of(people, 1, 3));
    OK(facecore_namespace_enrol(people, "bob", NULL, 0, NULL));
    CHECK(count_of(people, 2, 3));

    facecore_enrolled_face *enrolled = NULL;
    facecore_enrolled_face_info info = ZERO(facecore_enrolled_face_info);
    facecore_embedding *stored = NULL;
    OK(facecore_namespace_face(people, ids[0], &enrolled));
    OK(facecore_enrolled_face_get_info(enrolled, &info));
    CHECK(info.id == ids[0] && info.has_quality == 1 && info.quality == 0.75f);
    TEXT("ada", info.person);
    TEXT("photo \xC3\xA4.jpg", info.source);
    TEXT("{\"roll\":7,\"tags\":[\"a\",null]}", info.metadata);
    OK(facecore_enrolled_face_embedding(enrolled, &stored));
    CHECK(memcmp(facecore_embedding_data(stored), facecore_embedding_data(more[0]), 64 * sizeof(float)) == 0);
    CHECK(facecore_embedding_norm(stored) == facecore_embedding_norm(more[0]));
    facecore_embedding_free(stored);
    facecore_enrolled_face_free(enrolled);
    OK(facecore_namespace_face(people, ids[1], &enrolled));
    OK(facecore_enrolled_face_get_info(enrolled, &info));
    CHECK(info.has_quality == 0 && info.source == NULL);
    TEXT("{}", info.metadata);
    facecore_enrolled_face_free(enrolled);
    LEAVES(FACECORE_FACE_NOT_FOUND, facecore_namespace_face(people, UINT64_MAX, &out.enrolled));
    LEAVES(FACECORE_FACE_NOT_FOUND, facecore_namespace_face(people, 0, &out.enrolled));

    /* All or, on error, none. */
    faces[1].metadata = "[1]";
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(people, "carl", faces, 2, out.ids));
    SAYS("no JSON object");
    faces[1].metadata = "{\"half\": ";
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(people, "carl", faces, 2, out.ids));
    faces[1].metadata = "{\"odd\": \"\xFF\"}";
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(people, "carl", faces, 2, out.ids));
    faces[1].metadata = NULL;
    faces[1].source = "\xFF";
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(people, "carl", faces, 2, out.ids));
    SAYS("the source of the face is not UTF-8");
    faces[1].source = NULL;
    faces[1].has_quality = 1;
    faces[1].quality = NAN;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_enrol(people, "carl", faces, 2, out.ids));
    CHECK(count_of(people, 2, 3));

    /* Another embedding for a face. */
    facecore_embedding *better = embedding(9);
    uint64_t replaced = 0;
    OK(facecore_namespace_replace_face(people, ids[1], better, &replaced));
    CHECK(replaced == ids[1] && count_of(people, 2, 3));
    OK(facecore_namespace_replace_face(people, ids[1], one, &replaced));
    CHECK(replaced == id && count_of(people, 2, 2));
    LEAVES(FACECORE_FACE_NOT_FOUND, facecore_namespace_replace_face(people, ids[1], one, out.ids));
    FAILS(FACECORE_FACE_NOT_FOUND, facecore_namespace_remove_face(people, ids[1]));
    FAILS(FACECORE_FACE_NOT_FOUND, facecore_namespace_set_face_metadata(people, ids[1], "{}"));
    OK(facecore_namespace_set_face_metadata(people, ids[0], "{\"new\": true}"));
    OK(facecore_namespace_face(people, ids[0], &enrolled));
    OK(facecore_enrolled_face_get_info(enrolled, &info));
    TEXT("{\"new\":true}", info.metadata);
    TEXT("photo \xC3\xA4.jpg", info.source);
    facecore_enrolled_face_free(enrolled);
    OK(facecore_namespace_remove_face(people, ids[0]));
    CHECK(count_of(people, 2, 1));
    facecore_embedding_free(better);
    facecore_embedding_free(more[0]);
    facecore_embedding_free(more[1]);
    facecore_embedding_free(one);
    facecore_namespace_free(people);
}

static void persons(void)
{
    facecore_namespace *people = namespace_in_memory("people");
    facecore_persons *found = NULL;
    enrol(people, "ada", 1);
    enrol(people, "bob", 2);
    OK(facecore_namespace_set_name(people, "ada", "Ada L."));
    OK(facecore_namespace_set_metadata(people, "ada", "{\"born\": 1815}"));
    OK(facecore_namespace_get(people, "ada", &found));
    CHECK(facecore_persons_count(found) == 1);
    facecore_person person = first(found);
    TEXT("ada", person.id);
    TEXT("Ada L.", person.name);
    TEXT("{\"born\":1815}", person.metadata);
    CHECK(person.face_count == 1 && person.faces[0] != 0);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_persons_get(found, 1, &out.person));
    facecore_persons_free(found);
    OK(facecore_namespace_set_name(people, "ada", NULL));
    OK(facecore_namespace_set_metadata(people, "ada", NULL));
    OK(facecore_namespace_enrol(people, "eve", NULL, 0, NULL));
    OK(facecore_namespace_get(people, "ada", &found));
    CHECK(first(found).name == NULL);
    TEXT("{}", first(found).metadata);
    facecore_persons_free(found);
    OK(facecore_namespace_get(people, "eve", &found));
    CHECK(first(found).faces == NULL && first(found).face_count == 0);
    facecore_persons_free(found);

    LEAVES(FACECORE_PERSON_NOT_FOUND, facecore_namespace_get(people, "nobody", &out.persons));
    SAYS("nobody");
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_remove_person(people, "nobody"));
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_rename(people, "nobody", "somebody"));
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_set_name(people, "nobody", "name"));
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_set_metadata(people, "nobody", "{}"));
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_merge(people, "nobody", "ada"));
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_merge(people, "ada", "nobody"));
    FAILS(FACECORE_PERSON_EXISTS, facecore_namespace_rename(people, "ada", "bob"));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_merge(people, "ada", "ada"));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_set_metadata(people, "ada", "7"));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_set_metadata(people, "ada", ""));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_set_name(people, "ada", "\xFF"));
    SAYS("the name is not UTF-8");
    OK(facecore_namespace_rename(people, "ada", "ada lovelace"));
    OK(facecore_namespace_merge(people, "bob", "ada lovelace"));
    CHECK(count_of(people, 2, 2));
    OK(facecore_namespace_remove_person(people, "ada lovelace"));
    CHECK(count_of(people, 1, 0));

    /* Ids are 1 to 512 bytes of UTF-8. */
    facecore_embedding *one = embedding(5);
    char *longest = letters(512), *longer = letters(513);
    OK(facecore_namespace_add(people, longest, one, NULL));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_add(people, longer, one, out.ids));
    SAYS("512");
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_add(people, "", one, out.ids));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_add(people, "\xFF", one, out.ids));
    SAYS("the person's id is not UTF-8");
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_rename(people, longest, longer));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_rename(people, longest, ""));
    free(longest);
    free(longer);
    facecore_embedding_free(one);
    facecore_namespace_free(people);
}

/* Going through a namespace in steps. */
static void steps(void)
{
    facecore_namespace *people = namespace_in_memory("people");
    char id[16], after[16] = "", last[16] = "";
    for (int at = 0; at < 10; at++) {
        snprintf(id, sizeof id, "p%02d", at);
        OK(facecore_namespace_enrol(people, id, NULL, 0, NULL));
    }
    size_t seen = 0, lists = 0;
    for (;;) {
        facecore_persons *some = NULL;
        OK(facecore_namespace_persons(people, seen == 0 ? NULL : after, 3, &some));
        size_t count = facecore_persons_count(some);
        for (size_t at = 0; at < count; at++) {
            facecore_person person = ZERO(facecore_person);
            OK(facecore_persons_get(some, at, &person));
            CHECK(strcmp(last, person.id) < 0);
            snprintf(last, sizeof last, "%s", person.id);
            seen++;
        }
        facecore_persons_free(some);
        if (count == 0) {
            break;
        }
        memcpy(after, last, sizeof after);
        lists++;
    }
    CHECK(seen == 10 && lists == 4);
    facecore_persons *some = NULL;
    OK(facecore_namespace_persons(people, "p07x", SIZE_MAX, &some));
    CHECK(facecore_persons_count(some) == 2);
    facecore_persons_free(some);
    OK(facecore_namespace_persons(people, NULL, 0, &some));
    CHECK(facecore_persons_count(some) == 0);
    facecore_persons_free(some);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_persons(people, "\xFF", 1, &out.persons));
    facecore_namespace_free(people);
}

static void spaces(void)
{
    facecore_namespace *people = namespace_in_memory("people");
    facecore_space *pinned = space(), *foreign = NULL, *odd = NULL;
    facecore_embedding *other = NULL, *longer = NULL, *one = embedding(1);
    float raw[1100] = {1};
    NEED(facecore_space_new("other", 0.4f, &foreign));
    NEED(facecore_embedding_from_raw(raw, 64, foreign, &other));
    NEED(facecore_embedding_from_raw(raw, 128, pinned, &longer));
    OK(facecore_namespace_check(people, pinned, 64));
    OK(facecore_namespace_check(people, foreign, 1024));
    FAILS(FACECORE_DIMENSION_MISMATCH, facecore_namespace_check(people, pinned, 63));
    FAILS(FACECORE_DIMENSION_MISMATCH, facecore_namespace_pin(people, pinned, 1025));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_space_new("odd", 1.5f, &odd));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_space_new("odd", NAN, &odd));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_space_new("", 0.5f, &odd));
    CHECK(odd == NULL);
    OK(facecore_namespace_pin(people, foreign, 64));
    OK(facecore_namespace_pin(people, pinned, 64));
    CHECK(facecore_namespace_dimension(people) == 64);
    uint64_t face = enrol(people, "ada", 1);
    FAILS(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_namespace_pin(people, foreign, 64));
    FAILS(FACECORE_DIMENSION_MISMATCH, facecore_namespace_pin(people, pinned, 128));
    FAILS(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_namespace_check(people, foreign, 64));
    FAILS(FACECORE_DIMENSION_MISMATCH, facecore_namespace_check(people, pinned, 65));
    LEAVES(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_namespace_add(people, "bob", other, out.ids));
    LEAVES(FACECORE_DIMENSION_MISMATCH, facecore_namespace_add(people, "bob", longer, out.ids));
    LEAVES(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_namespace_replace_face(people, face, other, out.ids));
    LEAVES(FACECORE_DIMENSION_MISMATCH, facecore_namespace_replace_face(people, face, longer, out.ids));
    LEAVES(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_namespace_search(people, other, NULL, &out.matches));
    LEAVES(FACECORE_DIMENSION_MISMATCH, facecore_namespace_search(people, longer, NULL, &out.matches));
    LEAVES(FACECORE_DIMENSION_MISMATCH, facecore_namespace_identify(people, longer, &out.matches));
    LEAVES(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_namespace_vote(people, other, 1, NULL, &out.votes));
    CHECK(count_of(people, 1, 1));
    OK(facecore_namespace_clear(people));
    CHECK(count_of(people, 0, 0) && facecore_namespace_dimension(people) == 0);
    OK(facecore_namespace_add(people, "bob", other, NULL));
    facecore_embedding_free(one);
    facecore_embedding_free(other);
    facecore_embedding_free(longer);
    facecore_space_free(pinned);
    facecore_space_free(foreign);
    facecore_namespace_free(people);
}

static void namespaces(void)
{
    facecore_gallery *gallery = NULL, *elsewhere = NULL;
    facecore_namespace *staff = NULL, *guests = NULL, *again = NULL, *foreign = NULL;
    facecore_texts *names = NULL;
    NEED(facecore_gallery_in_memory(&gallery));
    OK(facecore_gallery_namespaces(gallery, &names));
    CHECK(facecore_texts_count(names) == 0 && facecore_texts_get(names, 0) == NULL);
    facecore_texts_free(names);
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_gallery_existing_namespace(gallery, "staff", &out.people));
    NEED(facecore_gallery_namespace(gallery, "staff", &staff));
    NEED(facecore_gallery_namespace(gallery, "guests", &guests));
    OK(facecore_gallery_existing_namespace(gallery, "staff", &again));
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_gallery_existing_namespace(gallery, "others", &out.people));
    SAYS("guests");
    OK(facecore_gallery_namespaces(gallery, &names));
    CHECK(facecore_texts_count(names) == 2);
    TEXT("guests", facecore_texts_get(names, 0));
    TEXT("staff", facecore_texts_get(names, 1));
    CHECK(facecore_texts_get(names, 2) == NULL && facecore_texts_get(names, SIZE_MAX) == NULL);
    facecore_texts_free(names);
    char *longest = letters(512), *longer = letters(513);
    OK(facecore_gallery_namespace(gallery, longest, &foreign));
    facecore_namespace_free(foreign);
    OK(facecore_gallery_drop_namespace(gallery, longest));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_gallery_namespace(gallery, longer, &out.people));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_gallery_namespace(gallery, "", &out.people));
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_gallery_namespace(gallery, "\xFF", &out.people));
    free(longest);
    free(longer);

    /* Two handles are of one namespace. */
    uint64_t face = enrol(staff, "ada", 1);
    CHECK(count_of(again, 1, 1));
    facecore_namespace_free(again);

    /* Moving. */
    OK(facecore_namespace_set_name(staff, "ada", "Ada"));
    OK(facecore_namespace_move_person(staff, "ada", guests));
    CHECK(count_of(staff, 0, 0) && count_of(guests, 1, 1));
    facecore_persons *found = NULL;
    OK(facecore_namespace_get(guests, "ada", &found));
    TEXT("Ada", first(found).name);
    CHECK(first(found).faces[0] == face);
    facecore_persons_free(found);
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_move_person(staff, "ada", guests));
    enrol(staff, "ada", 2);
    FAILS(FACECORE_PERSON_EXISTS, facecore_namespace_move_person(staff, "ada", guests));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_move_person(staff, "ada", staff));
    NEED(facecore_gallery_in_memory(&elsewhere));
    NEED(facecore_gallery_namespace(elsewhere, "guests", &foreign));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_namespace_move_person(staff, "ada", foreign));
    facecore_namespace_free(foreign);
    facecore_gallery_free(elsewhere);
    facecore_space *other = NULL;
    NEED(facecore_space_new("other", 0.4f, &other));
    NEED(facecore_gallery_namespace(gallery, "of another space", &foreign));
    facecore_embedding *strange = NULL;
    float raw[128] = {1};
    NEED(facecore_embedding_from_raw(raw, 64, other, &strange));
    OK(facecore_namespace_add(foreign, "zoe", strange, NULL));
    FAILS(FACECORE_EMBEDDING_SPACE_MISMATCH, facecore_namespace_move_person(staff, "ada", foreign));
    facecore_embedding_free(strange);
    facecore_space_free(other);
    facecore_namespace_free(foreign);

    /* Dropping: handles stay behind. */
    OK(facecore_gallery_drop_namespace(gallery, "staff"));
    FAILS(FACECORE_NAMESPACE_NOT_FOUND, facecore_gallery_drop_namespace(gallery, "staff"));
    facecore_embedding *one = embedding(1);
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_namespace_add(staff, "ada", one, out.ids));
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_namespace_get(staff, "ada", &out.persons));
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_namespace_search(staff, one, NULL, &out.matches));
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_namespace_get_stats(staff, &out.people_stats));
    FAILS(FACECORE_NAMESPACE_NOT_FOUND, facecore_namespace_clear(staff));
    FAILS(FACECORE_NAMESPACE_NOT_FOUND, facecore_namespace_move_person(guests, "ada", staff));
    TEXT("staff", facecore_namespace_name(staff));
    CHECK(count_of(staff, 0, 0) && facecore_namespace_dimension(staff) == 0);
    /* One of the same name is another one. */
    OK(facecore_gallery_namespace(gallery, "staff", &again));
    enrol(again, "bob", 3);
    CHECK(count_of(again, 1, 1) && count_of(staff, 0, 0));
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_namespace_get_stats(staff, &out.people_stats));
    facecore_embedding_free(one);
    facecore_namespace_free(again);
    facecore_namespace_free(staff);
    facecore_namespace_free(guests);
    facecore_gallery_free(gallery);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    enrolling();
    persons();
    steps();
    spaces();
    namespaces();
    return finish();
}
