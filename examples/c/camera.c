/* Finds the faces in a frame as a phone's camera delivers it (NV21), without copying or converting the frame:
 *
 *     cc -o camera camera.c $(pkg-config --cflags --libs facecore)
 *     ./camera frame.nv21 1280 720 [ROTATION] [PACK]
 *
 * The file holds width x height bytes of luma, then the colour at half resolution. ROTATION says how many degrees
 * clockwise the frame must be turned to stand upright, as cameras tell: 0, 90, 180 or 270. With a PACK (a folder with
 * models and a pack.toml) its detector serves in place of the small one within the library.
 */
#include <facecore.h>
#include <stdio.h>
#include <stdlib.h>

static int complain(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, facecore_last_error_message());
    return 1;
}

/* The frame that a camera would hand over. */
static uint8_t *read_frame(const char *path, size_t len)
{
    FILE *file = fopen(path, "rb");
    uint8_t *frame = malloc(len);
    if (file && frame && fread(frame, 1, len, file) != len) {
        fprintf(stderr, "%s: shorter than the %zu bytes of such a frame\n", path, len);
        free(frame);
        frame = NULL;
    } else if (!file) {
        perror(path);
        free(frame);
        frame = NULL;
    }
    if (file)
        fclose(file);
    return frame;
}

static int print_faces(const facecore_faces *faces)
{
    facecore_faces_info info = { .struct_size = sizeof info };
    facecore_faces_get_info(faces, &info);
    printf("%zu faces in %zu x %zu upright pixels, %.1f ms\n", facecore_faces_count(faces), info.width, info.height,
           1000 * info.detect_seconds);
    for (size_t i = 0; i < facecore_faces_count(faces); i++) {
        facecore_face face = { .struct_size = sizeof face };
        if (facecore_faces_get(faces, i, &face) != FACECORE_OK)
            return complain("a face");
        printf("%.2f  [%.0f, %.0f, %.0f, %.0f]", face.score, face.x1, face.y1, face.x2, face.y2);
        if (face.has_landmarks)
            printf("  eyes %.0f,%.0f and %.0f,%.0f", face.landmarks[0].x, face.landmarks[0].y, face.landmarks[1].x,
                   face.landmarks[1].y);
        printf("\n");
    }
    return 0;
}

int main(int argc, char **argv)
{
    facecore_image image = { .struct_size = sizeof image };
    facecore_detector *detector = NULL;
    facecore_faces *faces = NULL;
    uint8_t *frame = NULL;
    int failed = 1;
    if (argc < 4) {
        fprintf(stderr, "usage: %s FRAME WIDTH HEIGHT [ROTATION] [PACK]\n", argv[0]);
        return 2;
    }
    image.width = strtoul(argv[2], NULL, 10);
    image.height = strtoul(argv[3], NULL, 10);
    image.rotation = argc > 4 ? atoi(argv[4]) : 0;
    image.format = FACECORE_NV21;
    image.len = image.width * image.height + 2 * ((image.width + 1) / 2) * ((image.height + 1) / 2);
    frame = read_frame(argv[1], image.len);
    if (!frame)
        return 1;
    image.data = frame;
    if (facecore_detector_open(argc > 5 ? argv[5] : FACECORE_LITE, NULL, &detector) != FACECORE_OK)
        complain("the detector");
    /* From here on once a frame. */
    else if (facecore_detector_detect(detector, &image, NULL, &faces) != FACECORE_OK)
        complain(argv[1]);
    else
        failed = print_faces(faces);
    facecore_faces_free(faces);
    facecore_detector_free(detector);
    free(frame);
    return failed;
}
