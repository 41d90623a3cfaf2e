/* A child of the process that used the library: everything is refused, and nothing is freed. */
#include "outputs.h"

#include <sys/wait.h>
#include <unistd.h>

static facecore_picture *picture;
static facecore_pack *pack;
static facecore_aligner *aligner;
static facecore_detector *detector;
static facecore_embedder *embedder;
static facecore_space *pinned;
static facecore_embedding *probe;
static facecore_recognizer *recognizer;
static facecore_faces *faces;
static facecore_recognitions *recognitions;
static facecore_batch *batch;
static facecore_outcomes *outcomes;
static facecore_enrolment *enrolment;
static facecore_gallery *gallery;
static facecore_namespace *people;
static facecore_persons *persons;
static facecore_enrolled_face *enrolled;
static facecore_matches *matches;
static facecore_votes *votes;
static facecore_texts *names;
static unsigned char *colours;
static facecore_image image;

static void make(void)
{
    facecore_options options = generated();
    const char *person = "bob", *path = in(files, "picture.bmp");
    colours = pixels(256, 256);
    image = rgb(colours, 256, 256);
    write_picture(path, 256, 256);
    NEED(facecore_picture_copy(&image, &picture));
    NEED(facecore_pack_open(FACECORE_LITE, &pack));
    NEED(facecore_aligner_new("arcface-112", &aligner));
    NEED(facecore_detector_new(&options, &detector));
    NEED(facecore_embedder_new(&options, &embedder));
    NEED(facecore_fake_recognizer(1, 64, &recognizer));
    NEED(facecore_recognizer_recognize(recognizer, &image, NULL, &faces));
    NEED(facecore_recognizer_recognize_files(recognizer, &path, 1, NULL, NULL, &recognitions));
    NEED(facecore_faces_embedding(faces, 0, &probe));
    NEED(facecore_embedding_space(probe, &pinned));
    NEED(facecore_gallery_open(in(files, "gallery"), NULL, &gallery));
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    NEED(facecore_gallery_namespaces(gallery, &names));
    NEED(facecore_batch_new(&batch));
    facecore_new_face face = ZERO(facecore_new_face);
    face.embedding = probe;
    NEED(facecore_batch_enrol(batch, "ada", &face, 1));
    NEED(facecore_namespace_apply(people, batch, &outcomes));
    NEED(facecore_recognizer_enrol_photos(recognizer, &person, &path, 1, people, 0, NULL, NULL, &enrolment));
    NEED(facecore_namespace_get(people, "ada", &persons));
    facecore_person found = ZERO(facecore_person);
    NEED(facecore_persons_get(persons, 0, &found));
    NEED(facecore_namespace_face(people, found.faces[0], &enrolled));
    NEED(facecore_namespace_search(people, probe, NULL, &matches));
    NEED(facecore_namespace_vote(people, probe, 1, NULL, &votes));
}

/* Frees in an order in which everything loses what it needs first. */
static void free_all(void)
{
    facecore_gallery_free(gallery);
    facecore_recognizer_free(recognizer);
    facecore_pack_free(pack);
    facecore_embedder_free(embedder);
    facecore_namespace_free(people);
    facecore_space_free(pinned);
    facecore_embedding_free(probe);
    facecore_picture_free(picture);
    facecore_aligner_free(aligner);
    facecore_detector_free(detector);
    facecore_faces_free(faces);
    facecore_recognitions_free(recognitions);
    facecore_batch_free(batch);
    facecore_outcomes_free(outcomes);
    facecore_enrolment_free(enrolment);
    facecore_persons_free(persons);
    facecore_enrolled_face_free(enrolled);
    facecore_matches_free(matches);
    facecore_votes_free(votes);
    facecore_texts_free(names);
}

static void in_the_child(void)
{
    facecore_options options = builtin();
    facecore_image crop = rgb(colours, 112, 112);
    static const facecore_point POINTS[5] = {{40, 50}, {70, 50}, {55, 70}, {42, 85}, {68, 85}};
    facecore_new_face face = ZERO(facecore_new_face);
    face.embedding = probe;
    options.opened_pack = pack;
    LEAVES(FACECORE_FORKED, facecore_picture_image(picture, &out.image));
    SAYS("forked by one that had used facecore");
    LEAVES(FACECORE_FORKED, facecore_pack_get_info(pack, &out.pack_info));
    LEAVES(FACECORE_FORKED, facecore_recognizer_new(&options, &out.recognizer));
    LEAVES(FACECORE_FORKED, facecore_aligner_align(aligner, &image, POINTS, &out.picture));
    LEAVES(FACECORE_FORKED, facecore_detector_detect(detector, &image, NULL, &out.faces));
    LEAVES(FACECORE_FORKED, facecore_detector_get_placement(detector, &out.placement));
    LEAVES(FACECORE_FORKED, facecore_embedder_embed(embedder, &crop, 1, out.embeddings));
    LEAVES(FACECORE_FORKED, facecore_embedding_cosine(probe, probe, &out.number));
    LEAVES(FACECORE_FORKED, facecore_embedding_from_raw(out.values, 64, pinned, &out.embedding));
    LEAVES(FACECORE_FORKED, facecore_recognizer_recognize(recognizer, &image, NULL, &out.faces));
    LEAVES(FACECORE_FORKED, facecore_recognizer_recognize_file(recognizer, "a", &out.faces));
    LEAVES(FACECORE_FORKED, facecore_faces_get(faces, 0, &out.face));
    LEAVES(FACECORE_FORKED, facecore_recognitions_get(recognitions, 0, &out.faces));
    LEAVES(FACECORE_FORKED, facecore_batch_remove_person(batch, "ada"));
    LEAVES(FACECORE_FORKED, facecore_batch_enrol(batch, "ada", &face, 1));
    LEAVES(FACECORE_FORKED, facecore_namespace_apply(people, batch, &out.outcomes));
    LEAVES(FACECORE_FORKED, facecore_outcomes_get(outcomes, 0, &out.outcome));
    LEAVES(FACECORE_FORKED, facecore_enrolment_get(enrolment, 0, &out.photo));
    LEAVES(FACECORE_FORKED, facecore_gallery_flush(gallery));
    LEAVES(FACECORE_FORKED, facecore_gallery_namespace(gallery, "others", &out.people));
    LEAVES(FACECORE_FORKED, facecore_namespace_add(people, "ada", probe, out.ids));
    LEAVES(FACECORE_FORKED, facecore_namespace_search(people, probe, NULL, &out.matches));
    LEAVES(FACECORE_FORKED, facecore_namespace_get(people, "ada", &out.persons));
    LEAVES(FACECORE_FORKED, facecore_persons_get(persons, 0, &out.person));
    LEAVES(FACECORE_FORKED, facecore_enrolled_face_get_info(enrolled, &out.enrolled_info));
    LEAVES(FACECORE_FORKED, facecore_matches_get(matches, 0, &out.match));
    LEAVES(FACECORE_FORKED, facecore_votes_get(votes, 0, &out.vote));
    CHECK(facecore_namespace_name(people) == NULL && facecore_texts_get(names, 0) == NULL);
    CHECK(facecore_embedding_dimension(probe) == 0 && facecore_faces_count(faces) == 0);
    CHECK(facecore_namespace_person_count(people) == 0 && facecore_batch_count(batch) == 0);
    free_all();
    /* New ones would wait for the parent's threads as well. */
    LEAVES(FACECORE_FORKED, facecore_detector_open(FACECORE_LITE, NULL, &out.detector));
    LEAVES(FACECORE_FORKED, facecore_gallery_in_memory(&out.gallery));
    LEAVES(FACECORE_FORKED, facecore_space_new("own", 0.5f, &out.space));
    LEAVES(FACECORE_FORKED, facecore_picture_decode(colours, 1, NULL, &out.picture));
}

/* Runs something in a forked child; it must succeed. */
static void in_a_child(void (*what)(void))
{
    int from[2];
    if (pipe(from) != 0) {
        perror("pipe");
        exit(2);
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(300);
        what();
        char failed = (char)finish();
        if (write(from[1], &failed, 1) != 1) {
            _exit(1);
        }
        /* What the child did not free is the parent's: no checker of leaks is to look here, as it would at an exit. */
        execlp("true", "true", (char *)NULL);
        _exit(1);
    }
    close(from[1]);
    char failed = 1;
    CHECK(read(from[0], &failed, 1) == 1 && failed == 0);
    close(from[0]);
    waitpid(child, NULL, 0);
}

/* As it should be: the parent has not used the library before it forked. */
static void by_itself(void)
{
    facecore_options options = generated();
    facecore_recognizer *own = NULL;
    facecore_faces *found = NULL;
    unsigned char *seen = pixels(128, 128);
    facecore_image small = rgb(seen, 128, 128);
    NEED(facecore_recognizer_new(&options, &own));
    OK(facecore_recognizer_recognize(own, &small, NULL, &found));
    CHECK(facecore_faces_count(found) > 0);
    facecore_faces_free(found);
    facecore_recognizer_free(own);
    free(seen);
    facecore_namespace *folk = namespace_in_memory("folk");
    CHECK(enrol(folk, "ada", 1) != 0);
    facecore_namespace_free(folk);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    in_a_child(by_itself);
    in_a_child(by_itself);
    make();
    in_a_child(in_the_child);

    /* Nothing of it is the parent's concern. */
    facecore_faces *again = NULL;
    OK(facecore_recognizer_recognize(recognizer, &image, NULL, &again));
    facecore_faces_free(again);
    OK(facecore_namespace_add(people, "carl", probe, NULL));
    facecore_verify_report report = ZERO(facecore_verify_report);
    OK(facecore_gallery_verify(gallery, &report, NULL));
    CHECK(report.problems == 0 && report.persons == 3);
    free_all();
    NEED(facecore_gallery_open(in(files, "gallery"), NULL, &gallery));
    facecore_gallery_free(gallery);
    free(colours);
    return finish();
}
