/* What the feature `fake` of facecore-ffi adds to the library, for tests and measurements. */
#ifndef FACECORE_FAKE_H
#define FACECORE_FAKE_H

#include <facecore.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A recognizer without models: it finds `faces` small faces, at most 16, in any image of 256 x 256 pixels, with
 * embeddings of `dimension` values that do not depend on what the image shows. */
int32_t facecore_fake_recognizer(size_t faces, size_t dimension, facecore_recognizer **recognizer);

/* Panics inside the library. */
int32_t facecore_fake_panic(void);

/* Fails with a status of the table; with another number, with FACECORE_INVALID_ARGUMENT. */
int32_t facecore_fake_fail(int32_t status);

/* The median of the nanoseconds that `calls` recognitions take without the C layer; 0 on error. */
uint64_t facecore_fake_nanoseconds_of_recognize(const facecore_recognizer *recognizer, const facecore_image *image,
                                                size_t calls);

/* The same of searches with the default options. */
uint64_t facecore_fake_nanoseconds_of_search(const facecore_namespace *namespace_, const facecore_embedding *probe,
                                             size_t calls);

#ifdef __cplusplus
}
#endif

#endif
