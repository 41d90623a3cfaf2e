/* NULL in every pointer of the functions on images, models and faces. The rest is in nulls_gallery.c. */
#include "outputs.h"

#include <sys/stat.h>

static facecore_options options;
static facecore_image image;
static unsigned char *colours;
static const char *picture_file;

static void texts_and_pictures(void)
{
    unsigned char *bytes;
    size_t len;
    facecore_picture *picture = NULL;

    facecore_text_free(NULL);
    TAKES(facecore_text_free, text, 1);
    facecore_texts_free(NULL);
    TAKES(facecore_texts_free, texts, 1);
    TAKES(facecore_texts_count, texts, facecore_texts_count(NULL) == 0);
    TAKES(facecore_texts_get, texts, facecore_texts_get(NULL, 0) == NULL);

    REFUSES(facecore_picture_open, path, (NULL, NULL, &out.picture), "path");
    REFUSES(facecore_picture_open, picture, (picture_file, NULL, NULL), "picture");
    PASSES(facecore_picture_open, options, (picture_file, NULL, &out.picture));
    picture = out.picture;

    bytes = content(picture_file, &len);
    REFUSES(facecore_picture_decode, bytes, (NULL, len, NULL, &out.picture), "bytes of the picture");
    REFUSES(facecore_picture_decode, bytes, (NULL, 0, NULL, &out.picture), "bytes of the picture");
    REFUSES(facecore_picture_decode, picture, (bytes, len, NULL, NULL), "picture");
    PASSES(facecore_picture_decode, options, (bytes, len, NULL, &out.picture));
    facecore_picture_free(out.picture);
    free(bytes);

    REFUSES(facecore_picture_copy, image, (NULL, &out.picture), "facecore_image");
    REFUSES(facecore_picture_copy, picture, (&image, NULL), "picture");
    REFUSES(facecore_picture_image, picture, (NULL, &out.image), "picture");
    REFUSES(facecore_picture_image, image, (picture, NULL), "facecore_image");
    facecore_picture_free(NULL);
    TAKES(facecore_picture_free, picture, 1);
    facecore_picture_free(picture);

    facecore_image none = image;
    none.data = NULL;
    REFUSES(facecore_picture_copy, image, (&none, &out.picture), "data of the image");
}

static void packs(void)
{
    static const char MANIFEST[] =
        "format = 1\nname = \"nothing\"\n[embedder]\nfile = \"a\"\nkind = \"arcface\"\nspace = \"a\"\n";
    size_t len;
    unsigned char *model = content(in(models, "embedder.onnx"), &len);
    const char *names[] = {"a"}, *no_name[] = {NULL};
    const uint8_t *contents[] = {model}, *no_content[] = {NULL};
    facecore_pack *pack = NULL;

    REFUSES(facecore_pack_open, folder, (NULL, &out.pack), "pack");
    REFUSES(facecore_pack_open, pack, (FACECORE_LITE, NULL), "pack");
    REFUSES(facecore_pack_from_memory, manifest, (NULL, names, contents, &len, 1, &out.pack), "manifest");
    REFUSES(facecore_pack_from_memory, names, (MANIFEST, NULL, contents, &len, 1, &out.pack), "names of the files");
    REFUSES(facecore_pack_from_memory, names, (MANIFEST, no_name, contents, &len, 1, &out.pack), "name of a file");
    REFUSES(facecore_pack_from_memory, files, (MANIFEST, names, NULL, &len, 1, &out.pack), "files");
    REFUSES(facecore_pack_from_memory, files, (MANIFEST, names, no_content, &len, 1, &out.pack), "content of a file");
    REFUSES(facecore_pack_from_memory, lengths, (MANIFEST, names, contents, NULL, 1, &out.pack),
            "lengths of the files");
    REFUSES(facecore_pack_from_memory, pack, (MANIFEST, names, contents, &len, 1, NULL), "pack");
    NEED(facecore_pack_from_memory(MANIFEST, names, contents, &len, 1, &pack));
    REFUSES(facecore_pack_get_info, pack, (NULL, &out.pack_info), "pack");
    REFUSES(facecore_pack_get_info, info, (pack, NULL), "facecore_pack_info");
    facecore_pack_free(NULL);
    TAKES(facecore_pack_free, pack, 1);
    facecore_pack_free(pack);
    free(model);

    PASSES(facecore_runtime_report, options, (NULL, &out.text));
    facecore_text_free(out.text);
    REFUSES(facecore_runtime_report, report, (NULL, NULL), "report");
}

static void packs_by_name(void)
{
    static const char MANIFEST[] =
        "format = 1\nname = \"own\"\n[embedder]\nfile = \"embedder.onnx\"\nkind = \"arcface\"\n";
    size_t len;
    unsigned char *model = content(in(models, "embedder.onnx"), &len);
    const char *folder = in(files, "own");
    facecore_models_options accepting = ZERO(facecore_models_options);
    facecore_models *list = NULL;

    accepting.accept_licence = 1;
    CHECK(setenv("FACECORE_CACHE", in(files, "cache"), 1) == 0 && mkdir(folder, 0755) == 0);
    write_file(in(folder, "embedder.onnx"), model, len);
    write_file(in(folder, "pack.toml"), MANIFEST, sizeof MANIFEST - 1);
    free(model);

    REFUSES(facecore_models_import, from, (NULL, NULL, &accepting, &out.models), "folder or archive");
    PASSES(facecore_models_import, name, (folder, NULL, &accepting, &out.models));
    facecore_models_free(out.models);
    PASSES(facecore_models_import, list, (folder, "own", &accepting, NULL));
    TAKES(facecore_models_import, options,
          facecore_models_import(folder, NULL, NULL, NULL) == FACECORE_LICENCE_REFUSED);

    REFUSES(facecore_models_find_in, from, (NULL, NULL, &accepting, &out.models), "folder or archive");
    REFUSES(facecore_models_find_in, list, (folder, NULL, &accepting, NULL), "list of packs");
    PASSES(facecore_models_find_in, name, (folder, NULL, &accepting, &out.models));
    facecore_models_free(out.models);
    PASSES(facecore_models_find_in, options, (folder, "own", NULL, &out.models));
    facecore_models_free(out.models);
    REFUSES(facecore_models_list, list, (NULL, NULL), "list of packs");
    PASSES(facecore_models_list, options, (NULL, &out.models));
    list = out.models;
    TAKES(facecore_models_count, list, facecore_models_count(NULL) == 0);
    REFUSES(facecore_models_get, list, (NULL, 0, &out.models_info), "list of packs");
    REFUSES(facecore_models_get, info, (list, 0, NULL), "facecore_models_info");
    REFUSES(facecore_models_get_file, list, (NULL, 0, 0, &out.models_file), "list of packs");
    REFUSES(facecore_models_get_file, info, (list, 0, 0, NULL), "facecore_models_file");
    TAKES(facecore_models_get_source, list, facecore_models_get_source(NULL, 0, 0) == NULL);
    facecore_models_free(NULL);
    TAKES(facecore_models_free, list, 1);
    facecore_models_free(list);

    REFUSES(facecore_models_verify, name, (NULL, NULL, &out.models), "name");
    PASSES(facecore_models_verify, options, ("own", NULL, &out.models));
    facecore_models_free(out.models);
    PASSES(facecore_models_verify, list, ("own", NULL, NULL));
    REFUSES(facecore_models_pull, name, (NULL, &accepting, &out.models), "name");
    TAKES(facecore_models_pull, options, facecore_models_pull("opencv", NULL, NULL) == FACECORE_LICENCE_REFUSED);
    TAKES(facecore_models_pull, list, facecore_models_pull("opencv", NULL, NULL) == FACECORE_LICENCE_REFUSED);
    REFUSES(facecore_models_remove, name, (NULL, &accepting), "name");
    PASSES(facecore_models_remove, options, ("own", NULL));
}

static void aligners(void)
{
    static const facecore_point POINTS[5] = {{40, 50}, {70, 50}, {55, 70}, {42, 85}, {68, 85}};
    facecore_aligner *aligner = NULL;

    REFUSES(facecore_aligner_new, template_name, (NULL, &out.aligner), "name of the template");
    REFUSES(facecore_aligner_new, aligner, ("arcface-112", NULL), "aligner");
    NEED(facecore_aligner_new("arcface-112", &aligner));
    REFUSES(facecore_aligner_get_size, aligner, (NULL, &out.size, &out.other_size), "aligner");
    REFUSES(facecore_aligner_get_size, width, (aligner, NULL, &out.size), "width");
    REFUSES(facecore_aligner_get_size, height, (aligner, &out.size, NULL), "height");
    REFUSES(facecore_aligner_align, aligner, (NULL, &image, POINTS, &out.picture), "aligner");
    REFUSES(facecore_aligner_align, image, (aligner, NULL, POINTS, &out.picture), "facecore_image");
    REFUSES(facecore_aligner_align, landmarks, (aligner, &image, NULL, &out.picture), "landmarks");
    REFUSES(facecore_aligner_align, crop, (aligner, &image, POINTS, NULL), "crop");
    facecore_aligner_free(NULL);
    TAKES(facecore_aligner_free, aligner, 1);
    facecore_aligner_free(aligner);
}

static void detectors(void)
{
    facecore_detector *detector = NULL;

    REFUSES(facecore_detector_open, pack, (NULL, NULL, &out.detector), "pack");
    PASSES(facecore_detector_open, options, (FACECORE_LITE, NULL, &out.detector));
    facecore_detector_free(out.detector);
    REFUSES(facecore_detector_open, detector, (FACECORE_LITE, NULL, NULL), "detector");
    /* Options of zeros name no model. */
    fill();
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(NULL, &out.detector));
    TAKES(facecore_detector_new, options, memcmp(&out, &before, sizeof out) == 0);
    REFUSES(facecore_detector_new, detector, (&options, NULL), "detector");
    NEED(facecore_detector_new(&options, &detector));
    REFUSES(facecore_detector_detect, detector, (NULL, &image, NULL, &out.faces), "detector");
    REFUSES(facecore_detector_detect, image, (detector, NULL, NULL, &out.faces), "facecore_image");
    PASSES(facecore_detector_detect, options, (detector, &image, NULL, &out.faces));
    facecore_faces_free(out.faces);
    REFUSES(facecore_detector_detect, faces, (detector, &image, NULL, NULL), "faces");
    REFUSES(facecore_detector_get_placement, detector, (NULL, &out.placement), "detector");
    REFUSES(facecore_detector_get_placement, placement, (detector, NULL), "facecore_placement");
    facecore_detector_free(NULL);
    TAKES(facecore_detector_free, detector, 1);
    facecore_detector_free(detector);
}

static void embedders(void)
{
    facecore_embedder *embedder = NULL;
    facecore_image crop = rgb(colours, 112, 112);

    REFUSES(facecore_embedder_open, pack, (NULL, NULL, &out.embedder), "pack");
    PASSES(facecore_embedder_open, options, (FACECORE_LITE, NULL, &out.embedder));
    facecore_embedder_free(out.embedder);
    REFUSES(facecore_embedder_open, embedder, (FACECORE_LITE, NULL, NULL), "embedder");
    fill();
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_embedder_new(NULL, &out.embedder));
    TAKES(facecore_embedder_new, options, memcmp(&out, &before, sizeof out) == 0);
    REFUSES(facecore_embedder_new, embedder, (&options, NULL), "embedder");
    NEED(facecore_embedder_new(&options, &embedder));
    REFUSES(facecore_embedder_embed, embedder, (NULL, &crop, 1, out.embeddings), "embedder");
    REFUSES(facecore_embedder_embed, crops, (embedder, NULL, 1, out.embeddings), "facecore_image");
    REFUSES(facecore_embedder_embed, embeddings, (embedder, &crop, 1, NULL), "array of embeddings");
    /* Nothing needs no arrays. */
    PASSES(facecore_embedder_embed, crops, (embedder, NULL, 0, NULL));
    TAKES(facecore_embedder_dimension, embedder, facecore_embedder_dimension(NULL) == 0);
    REFUSES(facecore_embedder_space, embedder, (NULL, &out.space), "embedder");
    REFUSES(facecore_embedder_space, space, (embedder, NULL), "space");
    REFUSES(facecore_embedder_aligner, embedder, (NULL, &out.aligner), "embedder");
    REFUSES(facecore_embedder_aligner, aligner, (embedder, NULL), "aligner");
    REFUSES(facecore_embedder_get_placement, embedder, (NULL, &out.placement), "embedder");
    REFUSES(facecore_embedder_get_placement, placement, (embedder, NULL), "facecore_placement");
    facecore_embedder_free(NULL);
    TAKES(facecore_embedder_free, embedder, 1);
    facecore_embedder_free(embedder);
}

static void embeddings(void)
{
    float values[64] = {1};
    facecore_space *pinned = space();
    facecore_embedding *one = embedding(1), *other = embedding(2);

    REFUSES(facecore_space_new, id, (NULL, 0, &out.space), "id of the space");
    REFUSES(facecore_space_new, space, ("space", 0, NULL), "space");
    TAKES(facecore_space_id, space, facecore_space_id(NULL) == NULL);
    TAKES(facecore_space_threshold, space, isnan(facecore_space_threshold(NULL)));
    facecore_space_free(NULL);
    TAKES(facecore_space_free, space, 1);

    REFUSES(facecore_embedding_from_raw, values, (NULL, 64, pinned, &out.embedding), "values of the embedding");
    REFUSES(facecore_embedding_from_raw, space, (values, 64, NULL, &out.embedding), "space");
    REFUSES(facecore_embedding_from_raw, embedding, (values, 64, pinned, NULL), "embedding");
    REFUSES(facecore_embedding_from_stored, values, (NULL, 64, 1, pinned, &out.embedding), "values of the embedding");
    REFUSES(facecore_embedding_from_stored, space, (values, 64, 1, NULL, &out.embedding), "space");
    REFUSES(facecore_embedding_from_stored, embedding, (values, 64, 1, pinned, NULL), "embedding");
    TAKES(facecore_embedding_dimension, embedding, facecore_embedding_dimension(NULL) == 0);
    TAKES(facecore_embedding_data, embedding, facecore_embedding_data(NULL) == NULL);
    TAKES(facecore_embedding_norm, embedding, isnan(facecore_embedding_norm(NULL)));
    REFUSES(facecore_embedding_copy, embedding, (NULL, out.values, 64, &out.size), "embedding");
    REFUSES(facecore_embedding_copy, values, (one, NULL, 64, &out.size), "values");
    PASSES(facecore_embedding_copy, dimension, (one, out.values, 64, NULL));
    REFUSES(facecore_embedding_space, embedding, (NULL, &out.space), "embedding");
    REFUSES(facecore_embedding_space, space, (one, NULL), "space");
    REFUSES(facecore_embedding_cosine, a, (NULL, other, &out.number), "embedding");
    REFUSES(facecore_embedding_cosine, b, (one, NULL, &out.number), "embedding");
    REFUSES(facecore_embedding_cosine, cosine, (one, other, NULL), "cosine");
    REFUSES(facecore_embedding_euclidean, a, (NULL, other, &out.number), "embedding");
    REFUSES(facecore_embedding_euclidean, b, (one, NULL, &out.number), "embedding");
    REFUSES(facecore_embedding_euclidean, distance, (one, other, NULL), "distance");
    REFUSES(facecore_embedding_clone, embedding, (NULL, &out.embedding), "embedding");
    REFUSES(facecore_embedding_clone, clone, (one, NULL), "clone");
    facecore_embedding_free(NULL);
    TAKES(facecore_embedding_free, embedding, 1);
    facecore_embedding_free(one);
    facecore_embedding_free(other);
    facecore_space_free(pinned);
}

static void recognizers(void)
{
    facecore_recognizer *recognizer = NULL;
    facecore_faces *faces = NULL;
    facecore_recognitions *recognitions = NULL;
    size_t len;
    unsigned char *bytes = content(picture_file, &len);
    const char *paths[] = {picture_file, NULL};

    REFUSES(facecore_recognizer_open, pack, (NULL, NULL, &out.recognizer), "pack");
    PASSES(facecore_recognizer_open, options, (FACECORE_LITE, NULL, &out.recognizer));
    facecore_recognizer_free(out.recognizer);
    REFUSES(facecore_recognizer_open, recognizer, (FACECORE_LITE, NULL, NULL), "recognizer");
    fill();
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_recognizer_new(NULL, &out.recognizer));
    TAKES(facecore_recognizer_new, options, memcmp(&out, &before, sizeof out) == 0);
    REFUSES(facecore_recognizer_new, recognizer, (&options, NULL), "recognizer");
    NEED(facecore_fake_recognizer(1, 64, &recognizer));

    REFUSES(facecore_recognizer_recognize, recognizer, (NULL, &image, NULL, &out.faces), "recognizer");
    REFUSES(facecore_recognizer_recognize, image, (recognizer, NULL, NULL, &out.faces), "facecore_image");
    REFUSES(facecore_recognizer_recognize, faces, (recognizer, &image, NULL, NULL), "faces");
    PASSES(facecore_recognizer_recognize, options, (recognizer, &image, NULL, &out.faces));
    faces = out.faces;
    REFUSES(facecore_recognizer_recognize_file, recognizer, (NULL, picture_file, &out.faces), "recognizer");
    REFUSES(facecore_recognizer_recognize_file, path, (recognizer, NULL, &out.faces), "path");
    REFUSES(facecore_recognizer_recognize_file, faces, (recognizer, picture_file, NULL), "faces");
    REFUSES(facecore_recognizer_recognize_encoded, recognizer, (NULL, bytes, len, &out.faces), "recognizer");
    REFUSES(facecore_recognizer_recognize_encoded, bytes, (recognizer, NULL, len, &out.faces), "bytes of the picture");
    REFUSES(facecore_recognizer_recognize_encoded, faces, (recognizer, bytes, len, NULL), "faces");
    REFUSES(facecore_recognizer_recognize_files, recognizer, (NULL, paths, 1, NULL, NULL, &out.recognitions), "recognizer");
    REFUSES(facecore_recognizer_recognize_files, paths, (recognizer, NULL, 1, NULL, NULL, &out.recognitions), "paths");
    REFUSES(facecore_recognizer_recognize_files, paths, (recognizer, paths, 2, NULL, NULL, &out.recognitions), "path");
    REFUSES(facecore_recognizer_recognize_files, recognitions, (recognizer, paths, 1, NULL, NULL, NULL), "recognitions");
    PASSES(facecore_recognizer_recognize_files, done, (recognizer, paths, 1, NULL, &out, &recognitions));
    facecore_recognitions_free(recognitions);
    PASSES(facecore_recognizer_recognize_files, context, (recognizer, paths, 1, nothing_done, NULL, &recognitions));
    TAKES(facecore_recognitions_count, recognitions, facecore_recognitions_count(NULL) == 0);
    REFUSES(facecore_recognitions_get, recognitions, (NULL, 0, &out.faces), "list of recognitions");
    REFUSES(facecore_recognitions_get, faces, (recognitions, 0, NULL), "faces");
    facecore_recognitions_free(NULL);
    TAKES(facecore_recognitions_free, recognitions, 1);
    facecore_recognitions_free(recognitions);
    REFUSES(facecore_recognizer_recognize_one, recognizer, (NULL, &image, 0, &out.faces), "recognizer");
    REFUSES(facecore_recognizer_recognize_one, image, (recognizer, NULL, 0, &out.faces), "facecore_image");
    REFUSES(facecore_recognizer_recognize_one, faces, (recognizer, &image, 0, NULL), "faces");
    REFUSES(facecore_recognizer_compare, recognizer, (NULL, &image, &image, 0, &out.comparison), "recognizer");
    REFUSES(facecore_recognizer_compare, first, (recognizer, NULL, &image, 0, &out.comparison), "the first image");
    REFUSES(facecore_recognizer_compare, second, (recognizer, &image, NULL, 0, &out.comparison), "the second image");
    REFUSES(facecore_recognizer_compare, comparison, (recognizer, &image, &image, 0, NULL), "facecore_comparison");
    TAKES(facecore_recognizer_dimension, recognizer, facecore_recognizer_dimension(NULL) == 0);
    REFUSES(facecore_recognizer_space, recognizer, (NULL, &out.space), "recognizer");
    REFUSES(facecore_recognizer_space, space, (recognizer, NULL), "space");
    REFUSES(facecore_recognizer_get_detector_placement, recognizer, (NULL, &out.placement), "recognizer");
    REFUSES(facecore_recognizer_get_detector_placement, placement, (recognizer, NULL), "facecore_placement");
    REFUSES(facecore_recognizer_get_embedder_placement, recognizer, (NULL, &out.placement), "recognizer");
    REFUSES(facecore_recognizer_get_embedder_placement, placement, (recognizer, NULL), "facecore_placement");
    facecore_recognizer_free(NULL);
    TAKES(facecore_recognizer_free, recognizer, 1);
    facecore_recognizer_free(recognizer);

    TAKES(facecore_faces_count, faces, facecore_faces_count(NULL) == 0);
    REFUSES(facecore_faces_get, faces, (NULL, 0, &out.face), "list of faces");
    REFUSES(facecore_faces_get, face, (faces, 0, NULL), "facecore_face");
    REFUSES(facecore_faces_embedding, faces, (NULL, 0, &out.embedding), "list of faces");
    REFUSES(facecore_faces_embedding, embedding, (faces, 0, NULL), "embedding");
    TAKES(facecore_faces_dimension, faces, facecore_faces_dimension(NULL) == 0);
    TAKES(facecore_faces_embedding_data, faces, facecore_faces_embedding_data(NULL, 0) == NULL);
    REFUSES(facecore_faces_copy_embeddings, faces, (NULL, out.values, 64, &out.size), "list of faces");
    REFUSES(facecore_faces_copy_embeddings, values, (faces, NULL, 64, &out.size), "values");
    REFUSES(facecore_faces_copy_embeddings, dimension, (faces, out.values, 64, NULL), "dimension");
    REFUSES(facecore_faces_get_info, faces, (NULL, &out.faces_info), "list of faces");
    REFUSES(facecore_faces_get_info, info, (faces, NULL), "facecore_faces_info");
    facecore_faces_free(NULL);
    TAKES(facecore_faces_free, faces, 1);
    facecore_faces_free(faces);
    free(bytes);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    options = generated();
    colours = pixels(256, 256);
    image = rgb(colours, 256, 256);
    picture_file = in(files, "picture.bmp");
    write_picture(picture_file, 256, 256);
    texts_and_pictures();
    packs();
    packs_by_name();
    aligners();
    detectors();
    embedders();
    embeddings();
    recognizers();
    free(colours);
    return finish();
}
