/* Galleries in folders: how they are opened, kept in order, copied, and found damaged. */
#include "outputs.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

static facecore_namespace *people_of(facecore_gallery *gallery)
{
    facecore_namespace *people = NULL;
    NEED(facecore_gallery_namespace(gallery, "people", &people));
    return people;
}

static facecore_gallery *opened(const char *folder)
{
    facecore_gallery *gallery = NULL;
    NEED(facecore_gallery_open(folder, NULL, &gallery));
    return gallery;
}

static void opening(const char *folder)
{
    facecore_gallery_options options = ZERO(facecore_gallery_options);
    facecore_gallery *gallery = NULL;
    options.must_exist = 1;
    LEAVES(FACECORE_GALLERY_NOT_FOUND, facecore_gallery_open(folder, &options, &out.gallery));
    options.must_exist = 0;
    options.read_only = 1;
    LEAVES(FACECORE_GALLERY_NOT_FOUND, facecore_gallery_open(folder, &options, &out.gallery));
    OK(facecore_gallery_open(folder, NULL, &gallery));
    facecore_namespace *people = people_of(gallery);
    for (unsigned seed = 1; seed <= 30; seed++) {
        char id[16];
        snprintf(id, sizeof id, "p%u", seed % 10);
        enrol(people, id, seed);
    }
    OK(facecore_gallery_flush(gallery));
    /* It is open, also as long as a namespace of it is. */
    LEAVES(FACECORE_GALLERY_LOCKED, facecore_gallery_open(folder, NULL, &out.gallery));
    facecore_gallery_free(gallery);
    CHECK(facecore_namespace_face_count(people) == 30);
    LEAVES(FACECORE_GALLERY_LOCKED, facecore_gallery_open(folder, NULL, &out.gallery));
    LEAVES(FACECORE_GALLERY_LOCKED, facecore_gallery_open(folder, &options, &out.gallery));
    facecore_namespace_free(people);

    /* What was enrolled is there. */
    options = ZERO(facecore_gallery_options);
    options.must_exist = 1;
    options.relaxed = 1;
    options.snapshot_every = 8;
    options.cache_bytes = 1 << 20;
    OK(facecore_gallery_open(folder, &options, &gallery));
    people = people_of(gallery);
    CHECK(facecore_namespace_face_count(people) == 30 && facecore_namespace_person_count(people) == 10);
    for (unsigned seed = 31; seed <= 50; seed++) {
        enrol(people, "more", seed);
    }
    OK(facecore_gallery_flush(gallery));
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
    write_file(in(files, "file"), "", 0);
    LEAVES(FACECORE_IO, facecore_gallery_open(in(files, "file/gallery"), NULL, &out.gallery));
    /* A folder of other things. */
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_gallery_open(files, NULL, &out.gallery));
}

static void reading_only(const char *folder)
{
    facecore_gallery_options options = ZERO(facecore_gallery_options);
    facecore_gallery *gallery = NULL, *beside = NULL;
    facecore_namespace *people = NULL;
    facecore_embedding *one = embedding(1);
    facecore_space *pinned = space();
    facecore_batch *batch = NULL;
    facecore_new_face face = ZERO(facecore_new_face);
    face.embedding = one;
    options.read_only = 1;
    OK(facecore_gallery_open(folder, &options, &gallery));
    OK(facecore_gallery_open(folder, &options, &beside));
    facecore_gallery_free(beside);
    OK(facecore_gallery_existing_namespace(gallery, "people", &people));
    facecore_matches *matches = NULL;
    OK(facecore_namespace_identify(people, one, &matches));
    CHECK(facecore_matches_count(matches) == 1);
    facecore_matches_free(matches);
    LEAVES(FACECORE_GALLERY_READ_ONLY, facecore_namespace_add(people, "zoe", one, out.ids));
    LEAVES(FACECORE_GALLERY_READ_ONLY, facecore_namespace_enrol(people, "zoe", &face, 1, out.ids));
    LEAVES(FACECORE_GALLERY_READ_ONLY, facecore_namespace_replace_face(people, 1, one, out.ids));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_remove_face(people, 1));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_remove_person(people, "p1"));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_rename(people, "p1", "p11"));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_set_name(people, "p1", "One"));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_set_metadata(people, "p1", "{}"));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_set_face_metadata(people, 1, "{}"));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_merge(people, "p1", "p2"));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_clear(people));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_namespace_pin(people, pinned, 64));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_gallery_drop_namespace(gallery, "people"));
    LEAVES(FACECORE_NAMESPACE_NOT_FOUND, facecore_gallery_namespace(gallery, "others", &out.people));
    FAILS(FACECORE_GALLERY_READ_ONLY, facecore_gallery_compact(gallery));
    NEED(facecore_batch_new(&batch));
    OK(facecore_batch_remove_person(batch, "p1"));
    LEAVES(FACECORE_GALLERY_READ_ONLY, facecore_namespace_apply(people, batch, &out.outcomes));
    CHECK(facecore_namespace_face_count(people) == 50);
    facecore_batch_free(batch);
    facecore_space_free(pinned);
    facecore_embedding_free(one);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
}

static void in_order(const char *folder)
{
    facecore_gallery *gallery = opened(folder), *copy = NULL;
    facecore_namespace *people = people_of(gallery);
    facecore_verify_report verified = ZERO(facecore_verify_report);
    facecore_texts *problems = NULL;
    OK(facecore_namespace_remove_person(people, "more"));
    facecore_gallery_stats stats = ZERO(facecore_gallery_stats);
    facecore_namespace_stats of_people = ZERO(facecore_namespace_stats);
    OK(facecore_gallery_get_stats(gallery, &stats));
    OK(facecore_namespace_get_stats(people, &of_people));
    CHECK(stats.namespaces == 1 && stats.persons == 10 && stats.faces == 30 && stats.removed_faces <= 20);
    CHECK(stats.store_bytes > 0 && stats.vector_bytes > 0 && stats.search_bytes > 0);
    CHECK(of_people.dimension == 64 && of_people.persons == 10 && of_people.faces == 30);
    CHECK(of_people.removed_faces == stats.removed_faces);
    CHECK(of_people.vector_bytes == stats.vector_bytes && of_people.search_bytes == stats.search_bytes);
    OK(facecore_gallery_compact(gallery));
    OK(facecore_gallery_get_stats(gallery, &stats));
    CHECK(stats.removed_faces == 0 && stats.faces == 30 && stats.index_bytes > 0);
    OK(facecore_gallery_verify(gallery, &verified, &problems));
    CHECK(verified.persons == 10 && verified.faces == 30 && verified.problems == 0);
    CHECK(verified.probes > 0 && verified.agreeing == verified.probes && facecore_texts_count(problems) == 0);
    facecore_texts_free(problems);

    const char *backup = in(files, "backup");
    OK(facecore_gallery_backup(gallery, backup));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_gallery_backup(gallery, backup));
    SAYS("backup");
    copy = opened(backup);
    facecore_namespace *copied = people_of(copy);
    CHECK(facecore_namespace_face_count(copied) == 30);
    facecore_namespace_free(copied);
    facecore_gallery_free(copy);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);

    facecore_gallery *memory = NULL;
    NEED(facecore_gallery_in_memory(&memory));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_gallery_backup(memory, in(files, "none")));
    OK(facecore_gallery_flush(memory));
    OK(facecore_gallery_compact(memory));
    OK(facecore_gallery_get_stats(memory, &stats));
    CHECK(stats.namespaces == 0 && stats.index_bytes == 0);
    facecore_gallery_free(memory);
}

/* Overwrites the largest file of a folder with other bytes. */
static void damage(const char *folder)
{
    char largest[1100] = "";
    off_t size = -1;
    DIR *entries = opendir(folder);
    for (struct dirent *entry; entries != NULL && (entry = readdir(entries)) != NULL;) {
        char path[1100];
        struct stat found;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (stat(path, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > size) {
            size = found.st_size;
            memcpy(largest, path, sizeof largest);
        }
    }
    closedir(entries);
    unsigned char *bytes = malloc((size_t)size);
    memset(bytes, 0x5C, (size_t)size);
    write_file(largest, bytes, (size_t)size);
    free(bytes);
}

/* The index that is asked for serves, once there are faces enough. */
static void graphs(void)
{
    const char *folder = in(files, "graphs");
    facecore_gallery *gallery = NULL;
    facecore_gallery_options options = ZERO(facecore_gallery_options);
    facecore_namespace_stats stats = ZERO(facecore_namespace_stats);
    options.relaxed = 1;
    options.index = 3;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_gallery_open(folder, &options, &out.gallery));
    SAYS("FACECORE_INDEX");
    options.index = FACECORE_INDEX_HNSW;
    OK(facecore_gallery_open(folder, &options, &gallery));
    facecore_namespace *people = people_of(gallery);
    for (unsigned seed = 1; seed <= 2100; seed++) {
        char id[16];
        snprintf(id, sizeof id, "p%u", seed);
        enrol(people, id, seed);
    }
    OK(facecore_namespace_get_stats(people, &stats));
    CHECK(stats.index == FACECORE_INDEX_FLAT);
    OK(facecore_gallery_compact(gallery));
    OK(facecore_namespace_get_stats(people, &stats));
    CHECK(stats.index == FACECORE_INDEX_HNSW && stats.faces == 2100);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
    options.index = FACECORE_INDEX_FLAT;
    OK(facecore_gallery_open(folder, &options, &gallery));
    people = people_of(gallery);
    OK(facecore_namespace_get_stats(people, &stats));
    CHECK(stats.index == FACECORE_INDEX_FLAT && stats.faces == 2100);
    facecore_namespace_free(people);
    facecore_gallery_free(gallery);
}

static void damaged(void)
{
    const char *folder = in(files, "backup");
    facecore_gallery_options options = ZERO(facecore_gallery_options);
    damage(folder);
    LEAVES(FACECORE_GALLERY_CORRUPT, facecore_gallery_open(folder, NULL, &out.gallery));
    options.read_only = 1;
    LEAVES(FACECORE_GALLERY_CORRUPT, facecore_gallery_open(folder, &options, &out.gallery));
}

/* Holds a gallery open until its input ends: the other process of `locked`. */
static int hold(const char *folder)
{
    facecore_gallery *gallery = opened(folder);
    char byte = 1;
    if (write(1, &byte, 1) != 1 || read(0, &byte, 1) < 0) {
        return 1;
    }
    facecore_gallery_free(gallery);
    return 0;
}

static void locked(const char *program, const char *folder)
{
    int to[2], from[2];
    if (pipe(to) != 0 || pipe(from) != 0) {
        perror("pipe");
        exit(2);
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        execl(program, program, files, models, "hold", folder, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    char byte = 0;
    CHECK(read(from[0], &byte, 1) == 1);
    facecore_gallery_options options = ZERO(facecore_gallery_options);
    char process[32];
    snprintf(process, sizeof process, "process %ld", (long)child);
    LEAVES(FACECORE_GALLERY_LOCKED, facecore_gallery_open(folder, NULL, &out.gallery));
    SAYS(process);
    options.read_only = 1;
    LEAVES(FACECORE_GALLERY_LOCKED, facecore_gallery_open(folder, &options, &out.gallery));
    close(to[1]);
    /* Its output ends with it. */
    CHECK(read(from[0], &byte, 1) == 0);
    close(from[0]);
    facecore_gallery_free(opened(folder));
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    if (argc == 5 && strcmp(argv[3], "hold") == 0) {
        return hold(argv[4]);
    }
    char folder[1024];
    snprintf(folder, sizeof folder, "%s/gallery", files);
    opening(folder);
    reading_only(folder);
    in_order(folder);
    graphs();
    damaged();
    locked(argv[0], folder);
    return finish();
}
