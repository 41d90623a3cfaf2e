/* Enrolling photographs: folders and lists, with photos that cannot be enrolled among them. */
#include "outputs.h"

#include <sys/stat.h>

/* Counts finished photos, on whichever thread. */
static void one_done(void *context, const char *path)
{
    CHECK(path != NULL);
    __sync_fetch_and_add((int *)context, 1);
}

static void folder_of(const char *name)
{
    if (mkdir(name, 0777) != 0) {
        perror(name);
        exit(2);
    }
}

static void folders(const facecore_recognizer *recognizer)
{
    facecore_namespace *people = namespace_in_memory("people");
    facecore_enrolment *enrolment = NULL;
    char photos[1024];
    snprintf(photos, sizeof photos, "%s/photos", files);
    folder_of(photos);
    folder_of(in(photos, "ada"));
    folder_of(in(photos, "ada/deeper"));
    folder_of(in(photos, "bob"));
    write_picture(in(photos, "ada/one.bmp"), 256, 256);
    write_picture(in(photos, "ada/deeper/two.bmp"), 256, 256);
    write_picture(in(photos, "bob/one.bmp"), 256, 256);
    write_picture(in(photos, "carl.bmp"), 256, 256);
    write_file(in(photos, "bob/damaged.bmp"), "BM", 2);
    int done = 0;
    OK(facecore_recognizer_enrol_folder(recognizer, photos, people, FACECORE_CHOICE_ONLY, one_done, &done, &enrolment));
    size_t count = facecore_enrolment_count(enrolment), enrolled = 0, refused = 0;
    CHECK(count == 5 && facecore_namespace_person_count(people) == 3);
    CHECK(done == 5);
    for (size_t at = 0; at < count; at++) {
        facecore_enrolled_photo photo = ZERO(facecore_enrolled_photo);
        OK(facecore_enrolment_get(enrolment, at, &photo));
        CHECK(strstr(photo.path, photos) == photo.path);
        if (photo.status == FACECORE_OK) {
            CHECK(photo.message == NULL && photo.face != 0);
            CHECK(strcmp(photo.person, "ada") == 0 || strcmp(photo.person, "bob") == 0 || strcmp(photo.person,
                                                                                                 "carl") == 0);
            facecore_enrolled_face *face = NULL;
            facecore_enrolled_face_info info = ZERO(facecore_enrolled_face_info);
            OK(facecore_namespace_face(people, photo.face, &face));
            OK(facecore_enrolled_face_get_info(face, &info));
            TEXT(photo.person, info.person);
            CHECK(info.source != NULL);
            facecore_enrolled_face_free(face);
            enrolled++;
        } else {
            CHECK(photo.status == FACECORE_IMAGE_CORRUPT && photo.face == 0);
            CHECK(strstr(photo.path, "damaged.bmp") != NULL && photo.message != NULL && photo.message[0] != 0);
            TEXT("bob", photo.person);
            refused++;
        }
    }
    CHECK(enrolled == 4 && refused == 1 && facecore_enrolment_faces(enrolment) <= enrolled);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_enrolment_get(enrolment, count, &out.photo));
    SAYS("there is no photo at");
    facecore_enrolment_free(enrolment);

    LEAVES(FACECORE_IO, facecore_recognizer_enrol_folder(recognizer, in(files, "nowhere"), people, 0, NULL, NULL, &out.enrolment));
    SAYS("nowhere");
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_enrol_folder(recognizer, photos, people, 3, NULL, NULL, &out.enrolment));
    SAYS("the choice of a face is 3");
    facecore_namespace_free(people);
}

static void lists(const facecore_recognizer *recognizer, const facecore_recognizer *several,
                  const facecore_recognizer *none)
{
    facecore_namespace *people = namespace_in_memory("people");
    facecore_enrolment *enrolment = NULL;
    facecore_enrolled_photo photo = ZERO(facecore_enrolled_photo);
    char *longer = letters(513);
    const char *persons[] = {"ada", "bob", longer, "ada"};
    const char *paths[] = {in(files, "photos/carl.bmp"), in(files, "nowhere.bmp"), in(files, "photos/carl.bmp"), files};
    OK(facecore_recognizer_enrol_photos(recognizer, persons, paths, 4, people, FACECORE_CHOICE_ONLY, NULL, NULL, &enrolment));
    static const int32_t STATUSES[] = {FACECORE_OK, FACECORE_IO, FACECORE_INVALID_ARGUMENT, FACECORE_IO};
    CHECK(facecore_enrolment_count(enrolment) == 4 && facecore_enrolment_faces(enrolment) == 1);
    for (size_t at = 0; at < 4; at++) {
        OK(facecore_enrolment_get(enrolment, at, &photo));
        CHECK(photo.status == STATUSES[at] && (photo.message == NULL) == (photo.status == FACECORE_OK));
        TEXT(persons[at], photo.person);
        TEXT(paths[at], photo.path);
    }
    facecore_enrolment_free(enrolment);
    OK(facecore_recognizer_enrol_photos(several, persons, paths, 1, people, FACECORE_CHOICE_ONLY, NULL, NULL, &enrolment));
    OK(facecore_enrolment_get(enrolment, 0, &photo));
    CHECK(photo.status == FACECORE_SEVERAL_FACES && facecore_enrolment_faces(enrolment) == 0);
    facecore_enrolment_free(enrolment);
    OK(facecore_recognizer_enrol_photos(none, persons, paths, 1, people, FACECORE_CHOICE_LARGEST, NULL, NULL, &enrolment));
    OK(facecore_enrolment_get(enrolment, 0, &photo));
    CHECK(photo.status == FACECORE_NO_FACE);
    facecore_enrolment_free(enrolment);
    OK(facecore_recognizer_enrol_photos(recognizer, NULL, NULL, 0, people, FACECORE_CHOICE_ONLY, NULL, NULL, &enrolment));
    CHECK(facecore_enrolment_count(enrolment) == 0 && facecore_enrolment_faces(enrolment) == 0);
    facecore_enrolment_free(enrolment);
    persons[0] = "\xFF";
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_enrol_photos(recognizer, persons, paths, 1, people, 0, NULL, NULL,
                                                                       &out.enrolment));
    SAYS("the persons is not UTF-8");
    persons[0] = "ada";
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_recognizer_enrol_photos(recognizer, persons, paths, 1, people, -1, NULL, NULL,
                                                                       &out.enrolment));
    /* Embeddings that do not go with those enrolled. */
    facecore_namespace *others = namespace_in_memory("others");
    enrol(others, "zoe", 1);
    OK(facecore_recognizer_enrol_photos(recognizer, persons, paths, 1, others, FACECORE_CHOICE_ONLY, NULL, NULL, &enrolment));
    OK(facecore_enrolment_get(enrolment, 0, &photo));
    CHECK(photo.status == FACECORE_EMBEDDING_SPACE_MISMATCH && photo.face == 0);
    CHECK(facecore_namespace_person_count(others) == 1);
    facecore_enrolment_free(enrolment);
    facecore_namespace_free(others);
    facecore_namespace_free(people);
    free(longer);
}

static void read_only(const facecore_recognizer *recognizer)
{
    facecore_gallery_options options = ZERO(facecore_gallery_options);
    facecore_gallery *gallery = NULL;
    facecore_namespace *people = NULL;
    const char *person = "ada", *path = in(files, "photos/carl.bmp");
    NEED(facecore_gallery_open(in(files, "gallery"), NULL, &gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
    options.read_only = 1;
    NEED(facecore_gallery_open(in(files, "gallery"), &options, &gallery));
    NEED(facecore_gallery_existing_namespace(gallery, "people", &people));
    LEAVES(FACECORE_GALLERY_READ_ONLY,
           facecore_recognizer_enrol_photos(recognizer, &person, &path, 1, people, FACECORE_CHOICE_ONLY, NULL, NULL,
                                            &out.enrolment));
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    facecore_recognizer *recognizer = NULL, *several = NULL, *none = NULL;
    NEED(facecore_fake_recognizer(1, 64, &recognizer));
    NEED(facecore_fake_recognizer(2, 64, &several));
    NEED(facecore_fake_recognizer(0, 64, &none));
    folders(recognizer);
    lists(recognizer, several, none);
    read_only(recognizer);
    facecore_recognizer_free(recognizer);
    facecore_recognizer_free(several);
    facecore_recognizer_free(none);
    return finish();
}
