/* Enrols a folder of people and names the faces in a photo:
 *
 *     cc -o identify identify.c $(pkg-config --cflags --libs facecore)
 *     ./identify people/ crowd.jpg [PACK]
 *
 * people/ has a sub-folder of photos for each person, or one file each, named after them. Without a PACK (a folder with
 * models and a pack.toml) the small models within the library serve, which are for research and evaluation only.
 */
#include <facecore.h>
#include <stdio.h>

static int complain(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, facecore_last_error_message());
    return 1;
}

/* Enrols the folder; a photo that cannot be used is told, and loses nobody else's. */
static int enrol(const facecore_recognizer *recognizer, const char *people, const facecore_namespace *staff)
{
    facecore_enrolment *enrolment = NULL;
    if (facecore_recognizer_enrol_folder(recognizer, people, staff, FACECORE_CHOICE_ONLY, NULL, NULL, &enrolment) != FACECORE_OK)
        return complain(people);
    for (size_t i = 0; i < facecore_enrolment_count(enrolment); i++) {
        facecore_enrolled_photo photo = { .struct_size = sizeof photo };
        facecore_enrolment_get(enrolment, i, &photo);
        if (photo.status != FACECORE_OK)
            fprintf(stderr, "%s: skipped: %s\n", photo.path, photo.message);
    }
    printf("enrolled %zu people, %zu faces\n", facecore_namespace_person_count(staff),
           facecore_enrolment_faces(enrolment));
    facecore_enrolment_free(enrolment);
    return 0;
}

static int name_face(const facecore_namespace *staff, const facecore_faces *faces, size_t index)
{
    facecore_face face = { .struct_size = sizeof face };
    facecore_embedding *embedding = NULL;
    facecore_matches *matches = NULL;
    int32_t status = facecore_faces_get(faces, index, &face);
    if (status == FACECORE_OK)
        status = facecore_faces_embedding(faces, index, &embedding);
    if (status == FACECORE_OK)
        status = facecore_namespace_identify(staff, embedding, &matches);
    if (status == FACECORE_OK) {
        facecore_match match = { .struct_size = sizeof match };
        if (facecore_matches_count(matches) == 1 && facecore_matches_get(matches, 0, &match) == FACECORE_OK)
            printf("%-12s %5.2f  margin %.2f", match.person, match.score, match.margin);
        else
            printf("%-12s %5s  %11s", "unknown", "", "");
        printf("   [%.0f, %.0f, %.0f, %.0f]\n", face.x1, face.y1, face.x2, face.y2);
    }
    facecore_matches_free(matches);
    facecore_embedding_free(embedding);
    return status == FACECORE_OK ? 0 : complain("naming a face");
}

static int identify(const facecore_recognizer *recognizer, const facecore_namespace *staff, const char *photo)
{
    facecore_faces *faces = NULL;
    facecore_placement placement = { .struct_size = sizeof placement };
    int failed = 0;
    if (facecore_recognizer_recognize_file(recognizer, photo, &faces) != FACECORE_OK)
        return complain(photo);
    facecore_recognizer_get_embedder_placement(recognizer, &placement);
    printf("%s: %zu faces   %s %s %s\n", photo, facecore_faces_count(faces), placement.runtime, placement.provider,
           placement.precision);
    for (size_t i = 0; i < facecore_faces_count(faces) && !failed; i++)
        failed = name_face(staff, faces, i);
    facecore_faces_free(faces);
    return failed;
}

int main(int argc, char **argv)
{
    facecore_recognizer *recognizer = NULL;
    facecore_gallery *gallery = NULL;
    facecore_namespace *staff = NULL;
    int failed = 1;
    if (argc < 3) {
        fprintf(stderr, "usage: %s PEOPLE PHOTO [PACK]\n", argv[0]);
        return 2;
    }
    if (!facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR)) {
        fprintf(stderr, "libfacecore %s does not fit the header this was built with\n", facecore_version());
        return 1;
    }
    if (facecore_recognizer_open(argc > 3 ? argv[3] : FACECORE_LITE, NULL, &recognizer) != FACECORE_OK)
        complain("the models");
    /* facecore_gallery_open("office", NULL, &gallery) keeps them in a folder instead. */
    else if (facecore_gallery_in_memory(&gallery) != FACECORE_OK
             || facecore_gallery_namespace(gallery, "staff", &staff) != FACECORE_OK)
        complain("the gallery");
    else
        failed = enrol(recognizer, argv[1], staff) || identify(recognizer, staff, argv[2]);
    facecore_namespace_free(staff);
    facecore_gallery_free(gallery);
    facecore_recognizer_free(recognizer);
    return failed;
}
