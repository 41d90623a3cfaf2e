#include "test.h"

#include <limits.h>
#include <pthread.h>

const char *files, *models, *data;

static int failures;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int check(int holds, const char *file, int line, const char *what)
{
    if (!holds) {
        pthread_mutex_lock(&lock);
        failures++;
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
        pthread_mutex_unlock(&lock);
    }
    return holds;
}

int check_status(int32_t status, int32_t expected, const char *file, int line, const char *what)
{
    const char *name = facecore_status_name(status), *wanted = facecore_status_name(expected);
    if (status != expected) {
        pthread_mutex_lock(&lock);
        failures++;
        fprintf(stderr, "%s:%d: %s gave %s, not %s: %s\n", file, line, what, name ? name : "?", wanted ? wanted : "?",
                status == FACECORE_OK ? "" : facecore_last_error_message());
        pthread_mutex_unlock(&lock);
        return 0;
    }
    if (status != FACECORE_OK) {
        check(facecore_last_error_status() == status, file, line, "the status is kept");
        check(facecore_last_error_message()[0] != 0, file, line, "there is a message");
    }
    return 1;
}

void check_message(const char *words, const char *file, int line)
{
    if (strstr(facecore_last_error_message(), words) == NULL) {
        pthread_mutex_lock(&lock);
        failures++;
        fprintf(stderr, "%s:%d: the message does not say `%s`: %s\n", file, line, words, facecore_last_error_message());
        pthread_mutex_unlock(&lock);
    }
}

void check_text(const char *text, const char *expected, const char *file, int line, const char *what)
{
    if (text == NULL || strcmp(text, expected) != 0) {
        pthread_mutex_lock(&lock);
        failures++;
        fprintf(stderr, "%s:%d: %s is `%s`, not `%s`\n", file, line, what, text ? text : "NULL", expected);
        pthread_mutex_unlock(&lock);
    }
}

void check_near(double number, double expected, const char *file, int line, const char *what)
{
    if (!(fabs(number - expected) < 1e-3)) {
        pthread_mutex_lock(&lock);
        failures++;
        fprintf(stderr, "%s:%d: %s is %g, not %g\n", file, line, what, number, expected);
        pthread_mutex_unlock(&lock);
    }
}

void need(int32_t status, const char *file, int line, const char *what)
{
    if (status != FACECORE_OK) {
        fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, facecore_last_error_message());
        exit(1);
    }
}

void begin(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "%s FILES MODELS [DATA]\n", argv[0]);
        exit(2);
    }
    files = argv[1];
    models = argv[2];
    data = argc > 3 ? argv[3] : NULL;
    if (!facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR)) {
        fprintf(stderr, "the library is of another ABI\n");
        exit(2);
    }
}

int finish(void)
{
    if (failures > 0) {
        fprintf(stderr, "%d checks failed\n", failures);
    }
    return failures > 0;
}

const char *in(const char *folder, const char *name)
{
    static char paths[32][1024];
    static unsigned next;
    char *path = paths[next++ % 32];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

unsigned char *content(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    long size = 0;
    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 || size == LONG_MAX) {
        perror(path);
        exit(2);
    }
    rewind(file);
    unsigned char *bytes = malloc((size_t)size + 1);
    *len = fread(bytes, 1, (size_t)size, file);
    bytes[*len] = 0;
    fclose(file);
    return bytes;
}

void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

facecore_options builtin(void)
{
    static facecore_runtime_options runtime = {.struct_size = sizeof runtime, .runtime = FACECORE_RUNTIME_BUILTIN};
    facecore_options options = ZERO(facecore_options);
    options.runtime = &runtime;
    return options;
}

facecore_options generated(void)
{
    static char detector[1024], embedder[1024];
    facecore_options options = builtin();
    snprintf(detector, sizeof detector, "%s/detector.onnx", models);
    snprintf(embedder, sizeof embedder, "%s/embedder.onnx", models);
    options.detector = detector;
    options.detector_kind = "scrfd";
    options.embedder = embedder;
    options.embedder_kind = "arcface";
    return options;
}

unsigned char *pixels(size_t width, size_t height)
{
    unsigned char *bytes = malloc(width * height * 3);
    uint32_t state = 12345;
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            /* Blocks, so that there is something to be seen when it is scaled. */
            uint32_t block = (uint32_t)((y / 16) * 977 + (x / 16) * 131) * 2654435761u;
            for (size_t channel = 0; channel < 3; channel++) {
                state = state * 1664525u + 1013904223u;
                bytes[(y * width + x) * 3 + channel] =
                    (unsigned char)(((block >> (channel * 8)) & 0xDF) + ((state >> 24) & 31));
            }
        }
    }
    return bytes;
}

facecore_image image_of(const unsigned char *bytes, size_t len, size_t width, size_t height, int32_t format)
{
    facecore_image image = ZERO(facecore_image);
    image.data = bytes;
    image.len = len;
    image.width = width;
    image.height = height;
    image.format = format;
    return image;
}

facecore_image rgb(const unsigned char *bytes, size_t width, size_t height)
{
    return image_of(bytes, width * height * 3, width, height, FACECORE_RGB);
}

static void put(unsigned char *to, size_t value)
{
    for (int at = 0; at < 4; at++) {
        to[at] = (unsigned char)(value >> (8 * at));
    }
}

void write_picture(const char *path, size_t width, size_t height)
{
    size_t row = (width * 3 + 3) / 4 * 4, len = 54 + row * height;
    unsigned char *found = pixels(width, height), *bytes = calloc(1, len);
    bytes[0] = 'B';
    bytes[1] = 'M';
    put(bytes + 2, len);
    put(bytes + 10, 54);
    put(bytes + 14, 40);
    put(bytes + 18, width);
    put(bytes + 22, height);
    bytes[26] = 1;
    bytes[28] = 24;
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            for (size_t channel = 0; channel < 3; channel++) {
                /* From the last row to the first, blue first. */
                bytes[54 + (height - 1 - y) * row + x * 3 + 2 - channel] = found[(y * width + x) * 3 + channel];
            }
        }
    }
    write_file(path, bytes, len);
    free(bytes);
    free(found);
}

facecore_space *space(void)
{
    facecore_space *made = NULL;
    NEED(facecore_space_new("test", 0.4f, &made));
    return made;
}

static void values(unsigned seed, float *to)
{
    uint64_t state = seed * 2654435761u + 1;
    for (int at = 0; at < 64; at++) {
        double sum = 0;
        for (int die = 0; die < 4; die++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            sum += (double)(state >> 40) / (1 << 24) - 0.5;
        }
        to[at] = (float)sum;
    }
}

static facecore_embedding *of(const float *raw)
{
    facecore_embedding *made = NULL;
    facecore_space *pinned = space();
    NEED(facecore_embedding_from_raw(raw, 64, pinned, &made));
    facecore_space_free(pinned);
    return made;
}

facecore_embedding *embedding(unsigned seed)
{
    float raw[64];
    values(seed, raw);
    return of(raw);
}

facecore_embedding *near(unsigned seed, double cosine)
{
    float raw[64], other[64];
    double length = 0, along = 0, left = 0;
    values(seed, raw);
    values(seed + 100000, other);
    for (int at = 0; at < 64; at++) {
        length += raw[at] * raw[at];
        along += raw[at] * other[at];
    }
    for (int at = 0; at < 64; at++) {
        other[at] -= (float)(raw[at] * along / length);
        left += other[at] * other[at];
    }
    for (int at = 0; at < 64; at++) {
        raw[at] = (float)(cosine * raw[at] / sqrt(length) + sqrt(1 - cosine * cosine) * other[at] / sqrt(left));
    }
    return of(raw);
}

facecore_namespace *namespace_in_memory(const char *name)
{
    facecore_gallery *gallery = NULL;
    facecore_namespace *people = NULL;
    NEED(facecore_gallery_in_memory(&gallery));
    NEED(facecore_gallery_namespace(gallery, name, &people));
    facecore_gallery_free(gallery);
    return people;
}

uint64_t enrol(facecore_namespace *people, const char *person, unsigned seed)
{
    uint64_t face = 0;
    facecore_embedding *one = embedding(seed);
    OK(facecore_namespace_add(people, person, one, &face));
    facecore_embedding_free(one);
    return face;
}

char *letters(size_t count)
{
    char *text = malloc(count + 1);
    memset(text, 'a', count);
    text[count] = 0;
    return text;
}
