/* Pixels: decoded pictures, the caller's own in every layout, and what is refused. */
#include "test.h"

enum { W = 48, H = 32 };

static int same(const facecore_picture *picture, const unsigned char *expected, size_t width, size_t height)
{
    facecore_image image = ZERO(facecore_image);
    OK(facecore_picture_image(picture, &image));
    return image.width == width && image.height == height && image.stride == width * 3 && image.format == FACECORE_RGB
           && image.rotation == 0 && image.chroma == NULL && image.len == width * height * 3
           && memcmp(image.data, expected, image.len) == 0;
}

/* Whether the copy of an image has these pixels. */
static int copies(facecore_image image, const unsigned char *expected, size_t width, size_t height)
{
    facecore_picture *picture = NULL;
    if (!OK(facecore_picture_copy(&image, &picture))) {
        return 0;
    }
    int found = same(picture, expected, width, height);
    facecore_picture_free(picture);
    return found;
}

static void decoded(void)
{
    const char *path = in(files, "picture.bmp");
    unsigned char *expected = pixels(W, H), *bytes;
    size_t len;
    facecore_picture *picture = NULL;
    write_picture(path, W, H);
    OK(facecore_picture_open(path, NULL, &picture));
    CHECK(same(picture, expected, W, H));

    /* A picture's image is one as any other, and a copy outlives it. */
    facecore_image image = ZERO(facecore_image);
    facecore_picture *copy = NULL;
    OK(facecore_picture_image(picture, &image));
    OK(facecore_picture_copy(&image, &copy));
    facecore_picture_free(picture);
    CHECK(same(copy, expected, W, H));
    facecore_picture_free(copy);

    bytes = content(path, &len);
    OK(facecore_picture_decode(bytes, len, NULL, &picture));
    memset(bytes, 0, len);
    CHECK(same(picture, expected, W, H));
    facecore_picture_free(picture);
    free(bytes);

    /* Limits. */
    bytes = content(path, &len);
    facecore_decode_options options = ZERO(facecore_decode_options);
    options.max_pixels = W * H;
    options.max_bytes = len;
    OK(facecore_picture_decode(bytes, len, &options, &picture));
    facecore_picture_free(picture);
    options.max_pixels = W * H - 1;
    FAILS(FACECORE_IMAGE_TOO_LARGE, facecore_picture_decode(bytes, len, &options, &picture));
    FAILS(FACECORE_IMAGE_TOO_LARGE, facecore_picture_open(path, &options, &picture));
    options.max_pixels = 0;
    options.max_bytes = len - 1;
    FAILS(FACECORE_IMAGE_TOO_LARGE, facecore_picture_decode(bytes, len, &options, &picture));
    FAILS(FACECORE_IMAGE_TOO_LARGE, facecore_picture_open(path, &options, &picture));

    FAILS(FACECORE_IMAGE_CORRUPT, facecore_picture_decode(bytes, len / 2, NULL, &picture));
    FAILS(FACECORE_IMAGE_CORRUPT, facecore_picture_decode(bytes, 0, NULL, &picture));
    FAILS(FACECORE_IMAGE_FORMAT, facecore_picture_decode((const uint8_t *)"not a picture at all", 20, NULL, &picture));
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_picture_decode(bytes, SIZE_MAX, NULL, &picture));
    FAILS(FACECORE_IO, facecore_picture_open(in(files, "nowhere.bmp"), NULL, &picture));
    SAYS("nowhere.bmp");
    FAILS(FACECORE_IO, facecore_picture_open(files, NULL, &picture));
    FAILS(FACECORE_IO, facecore_picture_open("", NULL, &picture));
    /* Paths are any bytes. */
    path = in(files, "\xFF\xFE.bmp");
    write_picture(path, W, H);
    OK(facecore_picture_open(path, NULL, &picture));
    CHECK(same(picture, expected, W, H));
    facecore_picture_free(picture);
    free(bytes);
    free(expected);
}

static void formats(void)
{
    unsigned char *expected = pixels(W, H), *other = malloc(W * H * 4), *gray = malloc(W * H);
    CHECK(copies(rgb(expected, W, H), expected, W, H));
    static const struct {
        int32_t format;
        size_t bytes, red, blue;
    } FORMATS[] = {{FACECORE_BGR, 3, 2, 0}, {FACECORE_RGBA, 4, 0, 2}, {FACECORE_BGRA, 4, 2, 0}};
    for (size_t at = 0; at < sizeof FORMATS / sizeof *FORMATS; at++) {
        size_t bytes = FORMATS[at].bytes;
        memset(other, 0x77, W * H * 4);
        for (size_t pixel = 0; pixel < W * H; pixel++) {
            other[pixel * bytes + FORMATS[at].red] = expected[pixel * 3];
            other[pixel * bytes + 1] = expected[pixel * 3 + 1];
            other[pixel * bytes + FORMATS[at].blue] = expected[pixel * 3 + 2];
        }
        CHECK(copies(image_of(other, W * H * bytes, W, H, FORMATS[at].format), expected, W, H));
    }
    for (size_t pixel = 0; pixel < W * H; pixel++) {
        gray[pixel] = expected[pixel * 3];
        memset(expected + pixel * 3, gray[pixel], 3);
    }
    CHECK(copies(image_of(gray, W * H, W, H, FACECORE_GRAY), expected, W, H));
    free(expected);
    free(other);
    free(gray);
}

/* A frame of a camera: two halves of a colour each, with planes where they are asked to be. */
static void semi_planar(size_t width, size_t height)
{
    /* Of BT.601, full range: Y 76, U 85, V 255 is red; Y 29, U 255, V 107 is blue. */
    static const unsigned char RED[3] = {254, 0, 0}, BLUE[3] = {0, 0, 254};
    size_t pairs = (width + 1) / 2, rows = (height + 1) / 2, stride = width + 7, chroma_stride = pairs * 2 + 3;
    unsigned char *expected = malloc(width * height * 3), *luma = malloc(stride * height);
    unsigned char *uv = malloc(chroma_stride * rows), *vu = malloc(chroma_stride * rows);
    unsigned char *packed = malloc(width * height + pairs * 2 * rows);
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            int blue = x >= 16;
            memcpy(expected + (y * width + x) * 3, blue ? BLUE : RED, 3);
            luma[y * stride + x] = packed[y * width + x] = blue ? 29 : 76;
        }
    }
    for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < pairs; x++) {
            int blue = x >= 8;
            unsigned char u = blue ? 255 : 85, v = blue ? 107 : 255;
            uv[y * chroma_stride + x * 2] = vu[y * chroma_stride + x * 2 + 1] = u;
            uv[y * chroma_stride + x * 2 + 1] = vu[y * chroma_stride + x * 2] = v;
            packed[width * height + (y * pairs + x) * 2] = u;
            packed[width * height + (y * pairs + x) * 2 + 1] = v;
        }
    }
    /* Apart, with gaps between rows; the last row ends where its pixels end. */
    facecore_image image = image_of(luma, stride * (height - 1) + width, width, height, FACECORE_NV12);
    image.stride = stride;
    image.chroma = uv;
    image.chroma_len = chroma_stride * (rows - 1) + pairs * 2;
    image.chroma_stride = chroma_stride;
    facecore_picture *picture = NULL;
    OK(facecore_picture_copy(&image, &picture));
    facecore_image upright = ZERO(facecore_image);
    OK(facecore_picture_image(picture, &upright));
    int about = upright.width == width && upright.height == height;
    for (size_t at = 0; about && at < width * height * 3; at++) {
        about = abs((int)upright.data[at] - (int)expected[at]) <= 2;
    }
    CHECK(about);
    /* What the others must give to the last bit. */
    memcpy(expected, upright.data, width * height * 3);
    facecore_picture_free(picture);
    CHECK(copies(image, expected, width, height));
    image.format = FACECORE_NV21;
    image.chroma = vu;
    CHECK(copies(image, expected, width, height));
    /* In one buffer, without gaps. */
    facecore_image whole = image_of(packed, width * height + pairs * 2 * rows, width, height, FACECORE_NV12);
    CHECK(copies(whole, expected, width, height));
    whole.len -= 1;
    FAILS(FACECORE_IMAGE_LAYOUT, facecore_picture_copy(&whole, &picture));
    /* Apart, without gaps. */
    whole.len = width * height;
    FAILS(FACECORE_IMAGE_LAYOUT, facecore_picture_copy(&whole, &picture));
    whole.chroma = packed + width * height;
    whole.chroma_len = pairs * 2 * rows;
    CHECK(copies(whole, expected, width, height));

    image.chroma_len -= 1;
    FAILS(FACECORE_IMAGE_LAYOUT, facecore_picture_copy(&image, &picture));
    image.chroma_len += 1;
    image.chroma_stride = pairs * 2 - 1;
    FAILS(FACECORE_IMAGE_LAYOUT, facecore_picture_copy(&image, &picture));
    image.chroma_stride = 0;
    image.chroma_len = 0;
    FAILS(FACECORE_IMAGE_LAYOUT, facecore_picture_copy(&image, &picture));
    /* A plane of colour that no other format has. */
    image.format = FACECORE_RGB;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_picture_copy(&image, &picture));
    free(expected);
    free(luma);
    free(uv);
    free(vu);
    free(packed);
}

static void rotations(void)
{
    /* 1 2 3
     * 4 5 6 as grays. */
    static const unsigned char STORED[6] = {10, 20, 30, 40, 50, 60};
    static const struct {
        int32_t degrees;
        size_t width, height;
        unsigned char upright[6];
    } TURNED[] = {
        {0, 3, 2, {10, 20, 30, 40, 50, 60}},
        {90, 2, 3, {40, 10, 50, 20, 60, 30}},
        {180, 3, 2, {60, 50, 40, 30, 20, 10}},
        {270, 2, 3, {30, 60, 20, 50, 10, 40}},
    };
    facecore_image image = image_of(STORED, 6, 3, 2, FACECORE_GRAY);
    for (size_t at = 0; at < 4; at++) {
        unsigned char expected[18];
        for (size_t pixel = 0; pixel < 6; pixel++) {
            memset(expected + pixel * 3, TURNED[at].upright[pixel], 3);
        }
        image.rotation = TURNED[at].degrees;
        CHECK(copies(image, expected, TURNED[at].width, TURNED[at].height));
    }
    facecore_picture *picture = NULL;
    static const int32_t BAD[] = {1, 45, 89, 360, -90, INT32_MIN, INT32_MAX};
    for (size_t at = 0; at < sizeof BAD / sizeof *BAD; at++) {
        char number[16];
        snprintf(number, sizeof number, "not %d", (int)BAD[at]);
        image.rotation = BAD[at];
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_picture_copy(&image, &picture));
        SAYS(number);
    }
}

static void layouts(void)
{
    unsigned char *stored = pixels(W, H), *part = malloc(20 * 10 * 3);
    facecore_picture *picture = NULL;
    /* A part of a picture, by its stride; its last row ends where its pixels end. */
    facecore_image image = image_of(stored + (5 * W + 4) * 3, (9 * W + 20) * 3, 20, 10, FACECORE_RGB);
    image.stride = W * 3;
    for (size_t y = 0; y < 10; y++) {
        memcpy(part + y * 60, stored + ((y + 5) * W + 4) * 3, 60);
    }
    CHECK(copies(image, part, 20, 10));

    static const struct {
        size_t len, width, height, stride;
    } BAD[] = {
        {W * H * 3 - 1, W, H, 0},
        {0, W, H, 0},
        {W * H * 3, 0, H, 0},
        {W * H * 3, W, 0, 0},
        {W * H * 3, W, H, W * 3 - 1},
        {W * H * 3, W, H, 1},
        {W * H * 3, W, H, W * 3 + 1},
        {W * H * 3, W, H, SIZE_MAX},
        {W * H * 3, SIZE_MAX, 1, 0},
        {W * H * 3, 1, SIZE_MAX, 0},
        {W * H * 3, SIZE_MAX, SIZE_MAX, SIZE_MAX},
        {W * H * 3, SIZE_MAX / 3 + 2, 2, 0},
    };
    static const int32_t FORMATS[] = {FACECORE_RGB, FACECORE_NV12, FACECORE_NV21};
    for (size_t format = 0; format < 3; format++) {
        for (size_t at = 0; at < sizeof BAD / sizeof *BAD; at++) {
            /* For frames of cameras the buffer is too small or too large by the same. */
            size_t bytes = format == 0 ? BAD[at].len : (BAD[at].len > 0 ? BAD[at].len / 2 - (at == 0) : 0);
            size_t stride = format == 0 || BAD[at].stride < 2 ? BAD[at].stride : BAD[at].stride / 3;
            image = image_of(stored, bytes, BAD[at].width, BAD[at].height, FORMATS[format]);
            image.stride = format > 0 && at == 6 ? W + 1 : format > 0 && at == 4 ? W - 1 : stride;
            FAILS(FACECORE_IMAGE_LAYOUT, facecore_picture_copy(&image, &picture));
        }
    }
    image = rgb(stored, W, H);
    image.len = SIZE_MAX;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_picture_copy(&image, &picture));
    image = rgb(stored, W, H);
    static const int32_t NONE[] = {7, -1, INT32_MAX, INT32_MIN};
    for (size_t at = 0; at < 4; at++) {
        image.format = NONE[at];
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_picture_copy(&image, &picture));
        SAYS("the format of the image is");
    }
    CHECK(picture == NULL);
    free(stored);
    free(part);
}

static void photographs(void)
{
    facecore_picture *picture = NULL;
    facecore_decode_options options = ZERO(facecore_decode_options);
    facecore_image upright = ZERO(facecore_image);
    if (data == NULL) {
        return;
    }
    OK(facecore_picture_open(in(data, "images/obama-240p.jpg"), NULL, &picture));
    OK(facecore_picture_image(picture, &upright));
    CHECK(upright.width == 427 && upright.height == 240);
    facecore_picture_free(picture);

    /* The same with a note after its first two bytes that it was taken with the camera turned. */
    static const unsigned char EXIF[36] = {0xFF, 0xE1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', '*', 0, 8, 0, 0, 0, 1,
                                           0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0};
    size_t len;
    unsigned char *plain = content(in(data, "images/obama-240p.jpg"), &len), *noted = malloc(len + sizeof EXIF);
    memcpy(noted, plain, 2);
    memcpy(noted + 2, EXIF, sizeof EXIF);
    memcpy(noted + 2 + sizeof EXIF, plain + 2, len - 2);
    OK(facecore_picture_decode(noted, len + sizeof EXIF, NULL, &picture));
    OK(facecore_picture_image(picture, &upright));
    CHECK(upright.width == 240 && upright.height == 427);
    facecore_picture_free(picture);
    options.ignore_exif = 1;
    OK(facecore_picture_decode(noted, len + sizeof EXIF, &options, &picture));
    OK(facecore_picture_image(picture, &upright));
    CHECK(upright.width == 427 && upright.height == 240);
    facecore_picture_free(picture);
    free(plain);
    free(noted);
    OK(facecore_picture_open(in(data, "images/lin-manuel-miranda.png"), NULL, &picture));
    facecore_picture_free(picture);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    decoded();
    formats();
    semi_planar(40, 30);
    semi_planar(33, 31);
    semi_planar(17, 1);
    rotations();
    layouts();
    photographs();
    return finish();
}
