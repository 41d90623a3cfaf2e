/*
 * facecore: face recognition as a library. Generated from facecore-ffi by `make header`; do not edit.
 *
 * What holds for every function:
 *
 * Status. A function that can fail returns a status: FACECORE_OK (0), or a number of the one table of errors, which
 * Rust and Python have too. Bands: 1xx arguments and files, 2xx images and the faces in them, 3xx models, 4xx
 * runtimes, 5xx galleries, 9xx faults of the library. facecore_last_error_message() tells the cause and the remedy;
 * call it in a statement of its own after the one that failed, and copy what is to be kept. Newer libraries of the
 * same ABI may give numbers that are not in this header. Any function can also fail with FACECORE_INVALID_ARGUMENT
 * (NULL where that is not allowed, text that is not UTF-8, a number that no constant has), FACECORE_FORKED (see
 * Processes) and FACECORE_INTERNAL (a fault of the library, such as a panic, which never crosses this border).
 * Functions that only read what is in a handle return it as it is, and 0 or NULL of NULL.
 *
 * Outputs are the last arguments, and are written only on success, except for the counts of which that is said.
 *
 * Handles. Types that are declared but not defined here are handles. A function that gives one out leaves it to the
 * caller, who frees it with the _free function of its type, once, and does not use it after that; _free(NULL) does
 * nothing. A handle keeps alive what it needs, so that the order of freeing does not matter. Pointers that are read
 * out of a handle point to memory of that handle, which does not change, and are valid as long as it.
 *
 * Structs that begin with struct_size are versioned: set struct_size to sizeof the struct, and everything else to
 * zero or to what is meant, also of a struct that a function fills in. In C `T s = { .struct_size = sizeof s };` does
 * it, in C++ `T s{}; s.struct_size = sizeof s;`. Zero is the default of every field. A library that is older than the
 * header refuses what it does not know if it is set; a newer one takes what a program does not know for zero. In an
 * array of such structs all have the same struct_size.
 *
 * Texts are UTF-8 and end with NUL; paths on Unix are any bytes. What is passed in is copied where it is kept. NUL
 * characters within a text of the library, such as a source that was written from Rust, are shown as U+FFFD; ids of
 * persons and names of namespaces have none.
 *
 * Threads. Every function may be called from any thread, at the same time as any other, with the same handles; only
 * the _free of a handle must come after all other calls that use it. The last error is kept for each thread. Pixels,
 * arrays and texts that are passed in must not change during the call.
 *
 * Processes. The library belongs to the process that uses it first. A forked child of that one lacks its threads and
 * locks: there every function gives FACECORE_FORKED (or 0, or NULL), and freeing does nothing. Use the library only
 * after forking, or start a program anew (exec). Nor may the library be unloaded (dlclose): its threads stay.
 *
 * Positions are pixels of the upright image, x to the right and y downwards. No face is an empty list; an unknown
 * person is no match.
 */


#ifndef FACECORE_H
#define FACECORE_H

#include <stddef.h>
#include <stdint.h>

/**
 * Names the small pack that is within the library, wherever a folder with a pack can be named. Its weights are for
 * research and evaluation only: see `facecore_lite_licence`.
 */
#define FACECORE_LITE ":lite:"


/**
 * The first number of the ABI's version. A library of another one must not be used.
 */
#define FACECORE_ABI_MAJOR 1

/**
 * The second number of the ABI's version. It grows when functions, constants or fields are added: a program needs a
 * library of at least this one.
 */
#define FACECORE_ABI_MINOR 0

/**
 * No error.
 */
#define FACECORE_OK 0

/**
 * An argument is outside what the function takes.
 */
#define FACECORE_INVALID_ARGUMENT 100

/**
 * A vector's length differs from what the gallery, namespace or model uses.
 */
#define FACECORE_DIMENSION_MISMATCH 101

/**
 * A vector holds NaN or infinity, or is all zeros.
 */
#define FACECORE_INVALID_EMBEDDING 102

/**
 * A buffer is too small for the answer. Where a function tells how much is needed, it does so with this status too.
 */
#define FACECORE_BUFFER_TOO_SMALL 103

/**
 * A file could not be read or written.
 */
#define FACECORE_IO 110

/**
 * The object was made by a parent process; its threads and locks did not come along.
 */
#define FACECORE_FORKED 120

/**
 * The caller's own callback stopped it.
 */
#define FACECORE_CANCELLED 130

/**
 * The bytes are in no image format this build reads.
 */
#define FACECORE_IMAGE_FORMAT 200

/**
 * The image is damaged or cut short.
 */
#define FACECORE_IMAGE_CORRUPT 201

/**
 * The image has more pixels or bytes than the limits allow.
 */
#define FACECORE_IMAGE_TOO_LARGE 202

/**
 * Width, height, stride, format and buffer length of an image do not fit together.
 */
#define FACECORE_IMAGE_LAYOUT 203

/**
 * A photo that must show a face shows none.
 */
#define FACECORE_NO_FACE 210

/**
 * A photo that must show one face shows several.
 */
#define FACECORE_SEVERAL_FACES 211

/**
 * The landmarks are missing, not finite, or all in one place, so no crop can be cut.
 */
#define FACECORE_LANDMARKS 212

/**
 * A model file or pack is not where it was said to be.
 */
#define FACECORE_MODEL_NOT_FOUND 300

/**
 * A model file is no readable ONNX model.
 */
#define FACECORE_MODEL_CORRUPT 301

/**
 * A model's inputs or outputs differ from what its kind or spec says.
 */
#define FACECORE_MODEL_MISMATCH 302

/**
 * The runtime cannot execute something in the model.
 */
#define FACECORE_MODEL_UNSUPPORTED 303

/**
 * `pack.toml` is missing, malformed or contradicts itself.
 */
#define FACECORE_PACK_INVALID 304

/**
 * A file's SHA-256 differs from the one its pack declares.
 */
#define FACECORE_CHECKSUM_MISMATCH 305

/**
 * The kind of a bare model file is not evident and must be named.
 */
#define FACECORE_MODEL_KIND_UNKNOWN 306

/**
 * A model produced NaN, infinity, a wrong shape, or something else than its pack says it must.
 */
#define FACECORE_MODEL_OUTPUT 307

/**
 * A pack could not be downloaded from any of its sources.
 */
#define FACECORE_DOWNLOAD_FAILED 310

/**
 * A pack's licence was not accepted, or the application's policy forbids it.
 */
#define FACECORE_LICENCE_REFUSED 311

/**
 * An archive is damaged, or holds what no archive of models holds.
 */
#define FACECORE_ARCHIVE_INVALID 312

/**
 * No inference runtime was found.
 */
#define FACECORE_RUNTIME_NOT_FOUND 400

/**
 * A library was found but is no usable runtime (not one at all, too old, or another is loaded).
 */
#define FACECORE_RUNTIME_INVALID 401

/**
 * A provider was required and is not available.
 */
#define FACECORE_PROVIDER_UNAVAILABLE 402

/**
 * The runtime failed while executing a model.
 */
#define FACECORE_INFERENCE 403

/**
 * An embedding comes from another embedding space than the namespace holds.
 */
#define FACECORE_EMBEDDING_SPACE_MISMATCH 500

/**
 * There is no such person.
 */
#define FACECORE_PERSON_NOT_FOUND 501

/**
 * There is no such face.
 */
#define FACECORE_FACE_NOT_FOUND 502

/**
 * There is no such namespace.
 */
#define FACECORE_NAMESPACE_NOT_FOUND 503

/**
 * A person with that id exists already.
 */
#define FACECORE_PERSON_EXISTS 504

/**
 * A stored gallery is damaged or of an unknown format.
 */
#define FACECORE_GALLERY_CORRUPT 510

/**
 * Another process has the gallery open.
 */
#define FACECORE_GALLERY_LOCKED 511

/**
 * The gallery was opened for reading only.
 */
#define FACECORE_GALLERY_READ_ONLY 512

/**
 * There is no gallery in the folder.
 */
#define FACECORE_GALLERY_NOT_FOUND 513

/**
 * A fault of this library.
 */
#define FACECORE_INTERNAL 900

/**
 * 3 bytes a pixel: red, green, blue.
 */
#define FACECORE_RGB 0

/**
 * 3 bytes a pixel: blue, green, red (OpenCV's order).
 */
#define FACECORE_BGR 1

/**
 * 4 bytes a pixel: red, green, blue, alpha; alpha is ignored.
 */
#define FACECORE_RGBA 2

/**
 * 4 bytes a pixel: blue, green, red, alpha; alpha is ignored.
 */
#define FACECORE_BGRA 3

/**
 * 1 byte a pixel.
 */
#define FACECORE_GRAY 4

/**
 * A plane of luma, then a plane of half width and height holding (U, V) pairs. BT.601, full range, as phone cameras
 * deliver it.
 */
#define FACECORE_NV12 5

/**
 * As `FACECORE_NV12` with (V, U) pairs: Android's camera default.
 */
#define FACECORE_NV21 6

/**
 * ONNX Runtime where one is found, else the built-in runtime.
 */
#define FACECORE_RUNTIME_AUTO 0

/**
 * ONNX Runtime or an error.
 */
#define FACECORE_RUNTIME_ONNXRUNTIME 1

/**
 * The built-in runtime, which needs nothing installed.
 */
#define FACECORE_RUNTIME_BUILTIN 2

/**
 * The best of ONNX Runtime's providers that loads.
 */
#define FACECORE_PROVIDER_AUTO 0

/**
 * ONNX Runtime's own kernels.
 */
#define FACECORE_PROVIDER_CPU 1

/**
 * Intel's OpenVINO.
 */
#define FACECORE_PROVIDER_OPENVINO 2

/**
 * NVIDIA GPUs.
 */
#define FACECORE_PROVIDER_CUDA 3

/**
 * NVIDIA GPUs, with engines built for the model and the device.
 */
#define FACECORE_PROVIDER_TENSORRT 4

/**
 * 32-bit floating point; the same answer from run to run on the same machine and settings.
 */
#define FACECORE_PRECISION_FULL 0

/**
 * 16-bit floating point where the hardware is good at it, else as `FACECORE_PRECISION_FULL`.
 */
#define FACECORE_PRECISION_FAST 1

/**
 * Shrink the longer side to 640 pixels if it is longer, or as the smallest face to be found asks.
 */
#define FACECORE_INPUT_AUTO 0

/**
 * Scale to fit into a width and height, padded to exactly that.
 */
#define FACECORE_INPUT_LETTERBOX 1

/**
 * Do not scale.
 */
#define FACECORE_INPUT_NATIVE 2

/**
 * Faces are embedded as they are.
 */
#define FACECORE_FLIP_NONE 0

/**
 * The mirrored face is embedded too, and the embedding is the sum of both: somewhat better, at twice the cost.
 */
#define FACECORE_FLIP_SUM 1

/**
 * The mirrored face is embedded too, and the embedding is both, one after the other: twice the dimension.
 */
#define FACECORE_FLIP_CONCAT 2

/**
 * All packs are let in.
 */
#define FACECORE_POLICY_ANY 0

/**
 * Only packs that are known to allow commercial use are let in; others give `FACECORE_LICENCE_REFUSED`.
 */
#define FACECORE_POLICY_COMMERCIAL 1

/**
 * Nobody said what the licence allows.
 */
#define FACECORE_LICENCE_UNKNOWN 0

/**
 * The licence allows any use.
 */
#define FACECORE_LICENCE_PERMISSIVE 1

/**
 * The licence allows research and evaluation, but no commercial use.
 */
#define FACECORE_LICENCE_RESEARCH_ONLY 2

/**
 * The pack is known, and not installed.
 */
#define FACECORE_MODELS_AVAILABLE 0

/**
 * The pack is installed.
 */
#define FACECORE_MODELS_INSTALLED 1

/**
 * The pack is installed, but a file is missing or has another size.
 */
#define FACECORE_MODELS_DAMAGED 2

/**
 * The pack is part of the library.
 */
#define FACECORE_MODELS_EMBEDDED 3

/**
 * Another process is installing or removing the same pack.
 */
#define FACECORE_STAGE_WAITING 0

/**
 * A file is being downloaded.
 */
#define FACECORE_STAGE_DOWNLOADING 1

/**
 * A file is being unpacked or copied.
 */
#define FACECORE_STAGE_UNPACKING 2

/**
 * The models are loaded and run.
 */
#define FACECORE_STAGE_TESTING 3

/**
 * The model finds faces.
 */
#define FACECORE_PART_DETECTOR 0

/**
 * The model makes embeddings.
 */
#define FACECORE_PART_EMBEDDER 1

/**
 * The SHA-256 is not known before the pack is installed.
 */
#define FACECORE_CHECKSUM_UNKNOWN 0

/**
 * The SHA-256 stands in this library.
 */
#define FACECORE_CHECKSUM_PINNED 1

/**
 * The pack's own manifest declared the SHA-256.
 */
#define FACECORE_CHECKSUM_DECLARED 2

/**
 * The SHA-256 was computed when the pack was installed.
 */
#define FACECORE_CHECKSUM_RECORDED 3

/**
 * The only face; several are an error, because taking the wrong person is worse than asking.
 */
#define FACECORE_CHOICE_ONLY 0

/**
 * The face with the largest box.
 */
#define FACECORE_CHOICE_LARGEST 1

/**
 * The face that is both large and near the centre.
 */
#define FACECORE_CHOICE_CENTRAL 2

/**
 * `FACECORE_INDEX_HNSW` from so many faces on that it is twice as fast, by two measurements on this processor, and else
 * `FACECORE_INDEX_FLAT`.
 */
#define FACECORE_INDEX_AUTO 0

/**
 * Every search looks at all faces, most of them only as 512 signs.
 */
#define FACECORE_INDEX_FLAT 1

/**
 * A graph leads searches to the faces that are near. A thread makes it, and `facecore_gallery_compact` does; until then
 * faces are scanned.
 */
#define FACECORE_INDEX_HNSW 2

/**
 * How far a search looks: what is right for the threshold and the size of the namespace.
 */
#define FACECORE_REACH_AUTO 0

/**
 * Compares every face in full.
 */
#define FACECORE_REACH_EXACT 1

/**
 * Compares the `reach_faces` faces that look nearest at first sight.
 */
#define FACECORE_REACH_NEAREST 2

/**
 * Compares so many faces that one exactly at the threshold is missed with at most the probability `reach_miss`.
 */
#define FACECORE_REACH_WITHIN 3

/**
 * Cuts faces so that their landmarks come to lie where an embedder wants them.
 */
typedef struct facecore_aligner facecore_aligner;

/**
 * Changes to a namespace that become durable and visible together, with one commit. Each function adds the change that
 * the function of `facecore_namespace` with the same name makes. An argument that makes no sense by itself (NULL, text
 * that is not UTF-8, metadata that is no JSON object) is refused at once, and nothing is added; what is wrong in view of
 * the namespace is told by the outcomes.
 */
typedef struct facecore_batch facecore_batch;

/**
 * Finds faces.
 */
typedef struct facecore_detector facecore_detector;

/**
 * Turns aligned faces into embeddings.
 */
typedef struct facecore_embedder facecore_embedder;

/**
 * A face as a point on the unit sphere.
 */
typedef struct facecore_embedding facecore_embedding;

/**
 * An enrolled face.
 */
typedef struct facecore_enrolled_face facecore_enrolled_face;

/**
 * What became of photos that were to be enrolled.
 */
typedef struct facecore_enrolment facecore_enrolment;

/**
 * The faces of an image, best first.
 */
typedef struct facecore_faces facecore_faces;

/**
 * Namespaces of people, in a folder or in memory.
 */
typedef struct facecore_gallery facecore_gallery;

/**
 * People who match a probe, best first; an unknown face is an empty list.
 */
typedef struct facecore_matches facecore_matches;

/**
 * Packs in an order.
 */
typedef struct facecore_models facecore_models;

/**
 * A set of people within a gallery, with the faces that each is known by. The first face pins the embedding space and
 * dimension.
 *
 * What a function changes is durable when it returns, unless the gallery is `relaxed`. Beside the errors named, every
 * function that changes something gives `FACECORE_GALLERY_READ_ONLY` in a gallery opened for reading and `FACECORE_IO`
 * if the disk fails, and then changes nothing; and `FACECORE_NAMESPACE_NOT_FOUND` if the namespace was dropped.
 */
typedef struct facecore_namespace facecore_namespace;

/**
 * What became of the items of a batch.
 */
typedef struct facecore_outcomes facecore_outcomes;

/**
 * A pack's manifest, read and checked, with its models.
 */
typedef struct facecore_pack facecore_pack;

/**
 * People, in the order of their ids, as of one moment.
 */
typedef struct facecore_persons facecore_persons;

/**
 * A decoded picture, or a crop: upright, red, green, blue, 3 bytes a pixel, without gaps between rows.
 */
typedef struct facecore_picture facecore_picture;

/**
 * The faces of many photos, or why there are none.
 */
typedef struct facecore_recognitions facecore_recognitions;

/**
 * Detector, aligner and embedder together: an image in, faces with embeddings out.
 */
typedef struct facecore_recognizer facecore_recognizer;

/**
 * Names what makes two embeddings comparable (weights, preprocessing, alignment, augmentation), and says from which
 * cosine on two faces are taken for the same person.
 */
typedef struct facecore_space facecore_space;

/**
 * Texts in an order.
 */
typedef struct facecore_texts facecore_texts;

/**
 * What the nearest faces agreed on: one answer, or none.
 */
typedef struct facecore_votes facecore_votes;

/**
 * How pictures are decoded. All zero is the default.
 */
typedef struct {
  /**
   * `sizeof(facecore_decode_options)`.
   */
  size_t struct_size;
  /**
   * 1 leaves the picture as it is stored; 0 turns and flips it as its EXIF orientation says.
   */
  int32_t ignore_exif;
  /**
   * The most pixels a picture may have; 0 stands for 128 million.
   */
  uint64_t max_pixels;
  /**
   * The most bytes the encoded picture may have; 0 stands for 256 MiB.
   */
  uint64_t max_bytes;
} facecore_decode_options;

/**
 * The caller's pixels, 8 bits a channel, used where they lie: nothing is copied, and they must not change during a call
 * that is given them. Set `struct_size`; everything else that is 0 or NULL has the meaning said.
 */
typedef struct {
  /**
   * `sizeof(facecore_image)`.
   */
  size_t struct_size;
  /**
   * The first byte of the first row.
   */
  const uint8_t *data;
  /**
   * How many bytes may be read from `data`.
   */
  size_t len;
  /**
   * Pixels in a row, as stored; at least 1.
   */
  size_t width;
  /**
   * Rows, as stored; at least 1.
   */
  size_t height;
  /**
   * Bytes from the start of one row to that of the next; 0 if rows have no gaps between them. The last row need not
   * have the gap after it.
   */
  size_t stride;
  /**
   * `FACECORE_RGB`, `FACECORE_BGR`, `FACECORE_RGBA`, `FACECORE_BGRA`, `FACECORE_GRAY`, `FACECORE_NV12` or
   * `FACECORE_NV21`.
   */
  int32_t format;
  /**
   * How the stored pixels must be turned, clockwise, to stand upright: 0, 90, 180 or 270 degrees. Whatever is found
   * is told in pixels of the upright image.
   */
  int32_t rotation;
  /**
   * The plane of colour of `FACECORE_NV12` and `FACECORE_NV21`; NULL if it follows `stride * height` bytes after
   * `data` with rows as far apart (with a `stride` of 0 and an odd width, one byte further). Android's U and V planes
   * are one such plane, and each of their buffers lacks a byte of it: give the one that begins first, and a
   * `chroma_len` with the byte that the other one ends with.
   */
  const uint8_t *chroma;
  /**
   * How many bytes may be read from `chroma`.
   */
  size_t chroma_len;
  /**
   * Bytes from one row of `chroma` to the next; 0 if rows have no gaps between them.
   */
  size_t chroma_stride;
} facecore_image;

/**
 * What a pack says of itself. The strings live as long as the pack.
 */
typedef struct {
  /**
   * `sizeof(facecore_pack_info)`.
   */
  size_t struct_size;
  /**
   * What it calls itself.
   */
  const char *name;
  /**
   * Its version, as its author counts.
   */
  const char *version;
  /**
   * Under which terms the pack as a whole may be used.
   */
  const char *licence;
  /**
   * The licence of the detector's weights; NULL if the pack has no detector.
   */
  const char *detector_licence;
  /**
   * SHA-256 of the detector's file, in hexadecimal; NULL if the pack has no detector.
   */
  const char *detector_sha256;
  /**
   * The licence of the embedder's weights; NULL if the pack has no embedder.
   */
  const char *embedder_licence;
  /**
   * SHA-256 of the embedder's file, in hexadecimal; NULL if the pack has no embedder.
   */
  const char *embedder_sha256;
} facecore_pack_info;

/**
 * Hears how far the installing of a pack is: the stage (`FACECORE_STAGE_…`), the file, which lives as long as the call,
 * how many of its bytes are done, and how many it has (0 if that is not known). 0 goes on, anything else ends the work
 * with `FACECORE_CANCELLED`. `context` is the option's. It must return, not jump or throw.
 */
typedef int32_t (*facecore_models_progress)(void *context,
                                            int32_t stage,
                                            const char *file,
                                            uint64_t done,
                                            uint64_t total);

/**
 * Which runtime executes models, and how. All zero is the default.
 */
typedef struct {
  /**
   * `sizeof(facecore_runtime_options)`.
   */
  size_t struct_size;
  /**
   * `FACECORE_RUNTIME_AUTO`, `FACECORE_RUNTIME_ONNXRUNTIME` or `FACECORE_RUNTIME_BUILTIN`.
   */
  int32_t runtime;
  /**
   * `FACECORE_PROVIDER_AUTO` or another; one that is named runs the whole model, or loading fails and says what is
   * missing.
   */
  int32_t provider;
  /**
   * 1: where the provider does not load, the CPU serves instead.
   */
  int32_t allow_fallback;
  /**
   * `FACECORE_PRECISION_FULL` or `FACECORE_PRECISION_FAST`.
   */
  int32_t precision;
  /**
   * Threads that one call uses, 1 to 1024; 0 stands for the CPUs this process may use. Use 1 where many calls run at
   * once.
   */
  size_t threads;
  /**
   * How many calls may run at once, 1 to 1024; further callers wait. 0 stands for the CPUs this process may use, but
   * at least 2.
   */
  size_t concurrency;
  /**
   * The ONNX Runtime library, or a folder that holds it; NULL looks in the usual places, which
   * `facecore_runtime_report` lists. A process can load only one.
   */
  const char *library;
  /**
   * For OpenVINO its device: `CPU` (NULL), `GPU`, `GPU.1`, `NPU`.
   */
  const char *openvino_device;
  /**
   * For CUDA and TensorRT which GPU, counted from 0.
   */
  int32_t gpu;
  /**
   * For OpenVINO and TensorRT a folder in which compiled models are kept; NULL keeps none.
   */
  const char *cache_folder;
  /**
   * For CUDA the most bytes of GPU memory; 0 sets no limit.
   */
  size_t gpu_memory;
  /**
   * Further settings of the provider that was named, passed on as they are: `setting_count` names, and as many
   * values. They need a provider.
   */
  const char *const *setting_names;
  /**
   * The values of the settings.
   */
  const char *const *setting_values;
  /**
   * How many settings there are.
   */
  size_t setting_count;
} facecore_runtime_options;

/**
 * How packs are installed, and where they are kept. All zero is the default.
 */
typedef struct {
  /**
   * `sizeof(facecore_models_options)`.
   */
  size_t struct_size;
  /**
   * The folder in which packs are kept; NULL is the one that the environment variable `FACECORE_CACHE` names, else
   * `$XDG_CACHE_HOME/facecore`, else `~/.cache/facecore`. Names of packs, in other functions, are looked for in that.
   */
  const char *cache;
  /**
   * 1: whoever uses the pack has read its licence and keeps to it. Nothing is installed without.
   */
  int32_t accept_licence;
  /**
   * `FACECORE_POLICY_ANY` or `FACECORE_POLICY_COMMERCIAL`.
   */
  int32_t policy;
  /**
   * Addresses of folders that have the files under their own names, `https://…`, asked first: `mirror_count` of them.
   */
  const char *const *mirrors;
  /**
   * How many mirrors there are.
   */
  size_t mirror_count;
  /**
   * 1 asks only the mirrors.
   */
  int32_t mirrors_only;
  /**
   * Hears how far it is; NULL is nobody.
   */
  facecore_models_progress progress;
  /**
   * Given to `progress`.
   */
  void *context;
  /**
   * What runs the models in their self-test; NULL is the default.
   */
  const facecore_runtime_options *runtime;
  /**
   * A file of certificate authorities in PEM, to be trusted in place of the usual ones; NULL is that of the environment
   * variable `SSL_CERT_FILE`, if it is set.
   */
  const char *certificates;
  /**
   * How many seconds a connection may take; 0 is 20.
   */
  uint32_t connect_seconds;
  /**
   * For how many seconds nothing may come of a download; 0 is 30.
   */
  uint32_t stall_seconds;
} facecore_models_options;

/**
 * A pack. The strings live as long as the list that it is in.
 */
typedef struct {
  /**
   * `sizeof(facecore_models_info)`.
   */
  size_t struct_size;
  /**
   * Its name, by which recognizers and other functions take it.
   */
  const char *name;
  /**
   * `FACECORE_MODELS_AVAILABLE`, `FACECORE_MODELS_INSTALLED`, `FACECORE_MODELS_DAMAGED` or `FACECORE_MODELS_EMBEDDED`.
   */
  int32_t state;
  /**
   * What it is, in a sentence; NULL if it is not known by name.
   */
  const char *about;
  /**
   * Its version, as its makers count.
   */
  const char *version;
  /**
   * Under which terms its weights may be used.
   */
  const char *licence;
  /**
   * `FACECORE_LICENCE_UNKNOWN`, `FACECORE_LICENCE_PERMISSIVE` or `FACECORE_LICENCE_RESEARCH_ONLY`.
   */
  int32_t licence_class;
  /**
   * Where it is; NULL if it is not installed.
   */
  const char *folder;
  /**
   * The address or path that it came from; NULL if it is not installed.
   */
  const char *origin;
  /**
   * How many bytes are downloaded to install it, approximately; 0 if it is not known by name.
   */
  uint64_t download_bytes;
  /**
   * What an interrupted download left, which the next one goes on from.
   */
  uint64_t unfinished_bytes;
  /**
   * How many models it has, for `facecore_models_get_file`.
   */
  size_t file_count;
  /**
   * How many addresses it is downloaded from, for `facecore_models_get_source`.
   */
  size_t source_count;
  /**
   * SHA-256 in hexadecimal of the archive that it came in; NULL if it is not installed, or came as files.
   */
  const char *archive_sha256;
  /**
   * When it was installed, in seconds since 1970; 0 if it is not.
   */
  uint64_t installed;
} facecore_models_info;

/**
 * A model of a pack. The strings live as long as the list that it is in.
 */
typedef struct {
  /**
   * `sizeof(facecore_models_file)`.
   */
  size_t struct_size;
  /**
   * `FACECORE_PART_DETECTOR` or `FACECORE_PART_EMBEDDER`.
   */
  int32_t part;
  /**
   * How its SHA-256 is known: `FACECORE_CHECKSUM_UNKNOWN`, `FACECORE_CHECKSUM_PINNED`,
   * `FACECORE_CHECKSUM_DECLARED` or `FACECORE_CHECKSUM_RECORDED`.
   */
  int32_t checksum;
  /**
   * Its file name.
   */
  const char *name;
  /**
   * Its size; 0 if that is not known before it is installed.
   */
  uint64_t bytes;
  /**
   * Its SHA-256 in hexadecimal; NULL if that is not known before it is installed.
   */
  const char *sha256;
  /**
   * Its kind, as in `pack.toml`; NULL if the pack is not known by name.
   */
  const char *kind;
} facecore_models_file;

/**
 * A position in pixels of the upright image.
 */
typedef struct {
  /**
   * To the right.
   */
  float x;
  /**
   * Downwards.
   */
  float y;
} facecore_point;

/**
 * What a detector looks for, and how thoroughly. All zero is the default.
 */
typedef struct {
  /**
   * `sizeof(facecore_detector_options)`.
   */
  size_t struct_size;
  /**
   * Faces scored lower are not reported, 0 to 1; 0 takes the model's usual threshold.
   */
  float score_threshold;
  /**
   * Of two boxes that overlap more than this (intersection over union, 0 to 1) the better stays; 0 takes the model's
   * usual value.
   */
  float nms_iou;
  /**
   * Report at most this many faces, the best; 0 reports all.
   */
  size_t max_faces;
  /**
   * Length in pixels of the image of the smallest face to be found: chooses how far the image may be shrunk. Only for
   * models that take any size. 0 shrinks as `input_size` says.
   */
  float smallest_face;
  /**
   * How the image is scaled: `FACECORE_INPUT_AUTO`, `FACECORE_INPUT_LETTERBOX` or `FACECORE_INPUT_NATIVE`.
   */
  int32_t input_size;
  /**
   * Width to fit into, with `FACECORE_INPUT_LETTERBOX`.
   */
  size_t letterbox_width;
  /**
   * Height to fit into, with `FACECORE_INPUT_LETTERBOX`.
   */
  size_t letterbox_height;
  /**
   * 1 leaves out the second look at a coarse copy of the image, which finds faces that fill the frame; it is taken where
   * the first look finds nobody or leaves it open whether there is one.
   */
  int32_t no_close_ups;
  /**
   * 0.
   */
  int32_t reserved;
} facecore_detector_options;

/**
 * Which models a recognizer, detector or embedder has, and how they run. Name a pack, or single files, or both: then the
 * files win over the pack's. All else that is 0 or NULL is the default. Nothing is kept of what the pointers point to.
 */
typedef struct {
  /**
   * `sizeof(facecore_options)`.
   */
  size_t struct_size;
  /**
   * A folder with `pack.toml`, the name of an installed pack, or `FACECORE_LITE`.
   */
  const char *pack;
  /**
   * A pack that was opened before, in place of `pack`.
   */
  const facecore_pack *opened_pack;
  /**
   * A bare ONNX file that detects faces.
   */
  const char *detector;
  /**
   * The content of such a file, in place of `detector`; it is copied.
   */
  const uint8_t *detector_bytes;
  /**
   * How many bytes `detector_bytes` has.
   */
  size_t detector_len;
  /**
   * Its kind, `scrfd` or `yunet`; NULL finds it by the model's ports.
   */
  const char *detector_kind;
  /**
   * A bare ONNX file that embeds faces.
   */
  const char *embedder;
  /**
   * The content of such a file, in place of `embedder`; it is copied.
   */
  const uint8_t *embedder_bytes;
  /**
   * How many bytes `embedder_bytes` has.
   */
  size_t embedder_len;
  /**
   * Its kind, `arcface`, `adaface`, `sface` or `mobilefacenet`; NULL finds it by the file's name, so that it must be
   * said of `embedder_bytes`.
   */
  const char *embedder_kind;
  /**
   * `FACECORE_FLIP_NONE`, `FACECORE_FLIP_SUM` or `FACECORE_FLIP_CONCAT`. Embeddings made with another setting are not
   * comparable.
   */
  int32_t flip;
  /**
   * 1 takes `threshold`, 0 the model's.
   */
  int32_t has_threshold;
  /**
   * The cosine, -1 to 1, from which on two faces are taken for the same person.
   */
  float threshold;
  /**
   * 1: sessions of one thread each and as many photos at once as there were threads, the best use of the CPUs where
   * many photos are worked at, or many callers share the recognizer.
   */
  int32_t many_photos;
  /**
   * Which packs are let in: `FACECORE_POLICY_ANY` or `FACECORE_POLICY_COMMERCIAL`. Single files are not asked for a
   * licence.
   */
  int32_t pack_policy;
  /**
   * Which runtime; NULL is the default.
   */
  const facecore_runtime_options *runtime;
  /**
   * What to look for; NULL is the default.
   */
  const facecore_detector_options *detection;
  /**
   * How picture files are decoded; NULL is the default.
   */
  const facecore_decode_options *decoding;
} facecore_options;

/**
 * What really runs a model: reported, never assumed. The strings live as long as what they were asked of.
 */
typedef struct {
  /**
   * `sizeof(facecore_placement)`.
   */
  size_t struct_size;
  /**
   * Runtime and version, for example `onnxruntime 1.24.1` or `rten 0.27`.
   */
  const char *runtime;
  /**
   * `CPU`, `OpenVINO`, `CUDA`, `TensorRT`.
   */
  const char *provider;
  /**
   * The device within the provider, for example `CPU` or `GPU 0`.
   */
  const char *device;
  /**
   * The arithmetic asked of the hardware: `f32`, `bf16`, `fp16`, `tf32`.
   */
  const char *precision;
  /**
   * Threads of one call.
   */
  size_t threads;
  /**
   * Why something better was not taken, a line for each attempt; empty if there is nothing to say.
   */
  const char *notes;
} facecore_placement;

/**
 * A face that was found. Positions are in pixels of the upright image.
 */
typedef struct {
  /**
   * `sizeof(facecore_face)`.
   */
  size_t struct_size;
  /**
   * The left edge of the box around it, which may reach over the image's edges.
   */
  float x1;
  /**
   * The upper edge.
   */
  float y1;
  /**
   * The right edge.
   */
  float x2;
  /**
   * The lower edge.
   */
  float y2;
  /**
   * How sure the detector is, 0 to 1; not comparable between models.
   */
  float score;
  /**
   * Whether `landmarks` are there (1), or the model gives none (0).
   */
  int32_t has_landmarks;
  /**
   * Image-left eye, image-right eye, tip of the nose, image-left mouth corner, image-right mouth corner.
   */
  facecore_point landmarks[5];
} facecore_face;

/**
 * What is to be told of an image as a whole.
 */
typedef struct {
  /**
   * `sizeof(facecore_faces_info)`.
   */
  size_t struct_size;
  /**
   * Width of the upright image in pixels.
   */
  size_t width;
  /**
   * Height of the upright image in pixels.
   */
  size_t height;
  /**
   * Seconds for reading and decoding the file; 0 for pixels that were in memory.
   */
  double decode_seconds;
  /**
   * Seconds for detection, scaling included.
   */
  double detect_seconds;
  /**
   * Seconds for cutting the crops.
   */
  double align_seconds;
  /**
   * Seconds for embedding the crops.
   */
  double embed_seconds;
} facecore_faces_info;

/**
 * Told of each photo as it is finished, in any order and on several threads at once: for showing progress. `context` is the
 * caller's. It must return, not jump or throw.
 */
typedef void (*facecore_photo_done)(void *context, const char *path);

/**
 * Whether two photos show the same person.
 */
typedef struct {
  /**
   * `sizeof(facecore_comparison)`.
   */
  size_t struct_size;
  /**
   * Cosine of the two embeddings, -1 to 1; higher is more alike.
   */
  float cosine;
  /**
   * The cosine from which on two faces are taken for the same person.
   */
  float threshold;
  /**
   * 1 if `cosine` is at least `threshold`, else 0.
   */
  int32_t same;
  /**
   * 0.
   */
  int32_t reserved;
} facecore_comparison;

/**
 * A face to enrol.
 */
typedef struct {
  /**
   * `sizeof(facecore_new_face)`.
   */
  size_t struct_size;
  /**
   * The face itself; it is shared, not copied, and may be freed after the call.
   */
  const facecore_embedding *embedding;
  /**
   * 1 keeps `quality`, 0 has none.
   */
  int32_t has_quality;
  /**
   * How good the image is, on whatever scale the application uses.
   */
  float quality;
  /**
   * Where it came from, such as a file's path; NULL if that is not to be kept.
   */
  const char *source;
  /**
   * What the application wants stored with the face, a JSON object; NULL for nothing.
   */
  const char *metadata;
} facecore_new_face;

/**
 * What became of an item. The pointers live as long as the outcomes.
 */
typedef struct {
  /**
   * `sizeof(facecore_outcome)`.
   */
  size_t struct_size;
  /**
   * Why the item was refused, in words; NULL if it was not.
   */
  const char *message;
  /**
   * The ids of the faces that it enrolled or replaced, in their order; NULL if there are none.
   */
  const uint64_t *faces;
  /**
   * How many ids there are.
   */
  size_t face_count;
  /**
   * `FACECORE_OK`, or why the item was refused.
   */
  int32_t status;
  /**
   * 0.
   */
  int32_t reserved;
} facecore_outcome;

/**
 * What became of one photo. The strings live as long as the enrolment.
 */
typedef struct {
  /**
   * `sizeof(facecore_enrolled_photo)`.
   */
  size_t struct_size;
  /**
   * The file.
   */
  const char *path;
  /**
   * Whom it was to be enrolled as.
   */
  const char *person;
  /**
   * `FACECORE_OK`, or why there is no face: `FACECORE_NO_FACE`, `FACECORE_SEVERAL_FACES`, what was wrong with
   * the file or its name, or why the namespace refused it.
   */
  int32_t status;
  /**
   * The reason in words; NULL if there is a face.
   */
  const char *message;
  /**
   * The face: a new one, or one with the same values that the person had before; 0 if there is none.
   */
  uint64_t face;
} facecore_enrolled_photo;

/**
 * Takes `len` bytes of an export: 0 if they were taken, anything else ends the export with `FACECORE_IO`. `context` is the
 * caller's. It must return, not jump or throw, and must not change a gallery in memory that is being exported: it would
 * wait for itself.
 */
typedef int32_t (*facecore_write)(void *context, const uint8_t *bytes, size_t len);

/**
 * What an export wrote.
 */
typedef struct {
  /**
   * `sizeof(facecore_export_report)`.
   */
  size_t struct_size;
  /**
   * People written.
   */
  size_t persons;
  /**
   * Faces written.
   */
  size_t faces;
  /**
   * How much is damaged in the store and was left out: faces, and names and metadata of persons.
   */
  size_t damaged;
} facecore_export_report;

/**
 * Puts at most `capacity` bytes of an import into `bytes`: how many, 0 at the end, less than 0 to end the import with
 * `FACECORE_IO`. `context` is the caller's. It must return, not jump or throw.
 */
typedef int64_t (*facecore_read)(void *context, uint8_t *bytes, size_t capacity);

/**
 * What an import added.
 */
typedef struct {
  /**
   * `sizeof(facecore_import_report)`.
   */
  size_t struct_size;
  /**
   * People that were not in the gallery before.
   */
  size_t persons;
  /**
   * Faces that were not in the gallery before.
   */
  size_t faces;
  /**
   * Faces that their person had already, value for value; these were not added again.
   */
  size_t duplicates;
  /**
   * 1 if the faces have the ids they had where they were exported, else 0.
   */
  int32_t kept_ids;
  /**
   * 0.
   */
  int32_t reserved;
} facecore_import_report;

/**
 * How a gallery is opened. All zero is the default.
 */
typedef struct {
  /**
   * `sizeof(facecore_gallery_options)`.
   */
  size_t struct_size;
  /**
   * 1: a gallery that is not there is `FACECORE_GALLERY_NOT_FOUND`; 0: it is made, unless `read_only` is set.
   */
  int32_t must_exist;
  /**
   * 1 opens the gallery for reading: any number of processes may do so at a time, as long as none has it open for
   * writing.
   */
  int32_t read_only;
  /**
   * 1: a crash or a loss of power may cost the last changes, but leaves none half done, and `facecore_gallery_flush`
   * makes them durable; 0: every change is on disk when the call returns.
   */
  int32_t relaxed;
  /**
   * What faces are found with, one of `FACECORE_INDEX_…`; it may be another one each time the gallery is opened.
   */
  int32_t index;
  /**
   * After how many changed faces and people what searches need is written to files; 0 stands for 32,768.
   */
  size_t snapshot_every;
  /**
   * Memory for the rows read last, in bytes; 0 stands for 64 MiB.
   */
  size_t cache_bytes;
} facecore_gallery_options;

/**
 * What a check of a gallery found.
 */
typedef struct {
  /**
   * `sizeof(facecore_verify_report)`.
   */
  size_t struct_size;
  /**
   * People looked at.
   */
  size_t persons;
  /**
   * Faces looked at.
   */
  size_t faces;
  /**
   * How many things are wrong; 0 if the gallery is sound.
   */
  size_t problems;
  /**
   * Probes made from faces to compare the default search with the exact one.
   */
  size_t probes;
  /**
   * For how many of these both found the same person.
   */
  size_t agreeing;
} facecore_verify_report;

/**
 * What a gallery takes up.
 */
typedef struct {
  /**
   * `sizeof(facecore_gallery_stats)`.
   */
  size_t struct_size;
  /**
   * Namespaces.
   */
  size_t namespaces;
  /**
   * People in all of them.
   */
  size_t persons;
  /**
   * Faces of all people.
   */
  size_t faces;
  /**
   * Removed faces that searches still step over; `facecore_gallery_compact` drops them. 0 does not mean that there is
   * nothing left to be erased: compact after removals.
   */
  size_t removed_faces;
  /**
   * Bytes of the store: its file, or keys and values in memory.
   */
  uint64_t store_bytes;
  /**
   * Bytes of the files that searching structures are mapped from; 0 in memory.
   */
  uint64_t index_bytes;
  /**
   * Bytes of exact vectors that searches use.
   */
  uint64_t vector_bytes;
  /**
   * Bytes in memory, or mapped, beside the exact vectors.
   */
  uint64_t search_bytes;
} facecore_gallery_stats;

/**
 * What a namespace takes up.
 */
typedef struct {
  /**
   * `sizeof(facecore_namespace_stats)`.
   */
  size_t struct_size;
  /**
   * Values an embedding; 0 until it is pinned.
   */
  size_t dimension;
  /**
   * People.
   */
  size_t persons;
  /**
   * Faces.
   */
  size_t faces;
  /**
   * Removed faces that searches still step over. 0 does not mean that there is nothing left to be erased: compact after
   * removals.
   */
  size_t removed_faces;
  /**
   * Bytes of exact vectors that searches use.
   */
  uint64_t vector_bytes;
  /**
   * Bytes in memory, or mapped, beside the exact vectors.
   */
  uint64_t search_bytes;
  /**
   * What faces are found with now: `FACECORE_INDEX_FLAT` or `FACECORE_INDEX_HNSW`.
   */
  int64_t index;
} facecore_namespace_stats;

/**
 * A person. The pointers live as long as the list.
 */
typedef struct {
  /**
   * `sizeof(facecore_person)`.
   */
  size_t struct_size;
  /**
   * The id it is enrolled under.
   */
  const char *id;
  /**
   * A name to show; NULL if none was set.
   */
  const char *name;
  /**
   * What the application stored with the person, a JSON object.
   */
  const char *metadata;
  /**
   * The ids of the faces, oldest first; NULL if there are none.
   */
  const uint64_t *faces;
  /**
   * How many faces there are.
   */
  size_t face_count;
} facecore_person;

/**
 * What is known of an enrolled face. The pointers live as long as the handle.
 */
typedef struct {
  /**
   * `sizeof(facecore_enrolled_face_info)`.
   */
  size_t struct_size;
  /**
   * Whose face it is.
   */
  const char *person;
  /**
   * 1 if `quality` was said, else 0.
   */
  int32_t has_quality;
  /**
   * How good the image is.
   */
  float quality;
  /**
   * Where it came from; NULL if that was not said.
   */
  const char *source;
  /**
   * What the application stored with the face, a JSON object.
   */
  const char *metadata;
  /**
   * The id it got when it was enrolled.
   */
  uint64_t id;
} facecore_enrolled_face_info;

/**
 * Whether a search may consider a person (not 0) or not (0). `context` is the option's. It may be asked on several threads
 * at once, and may call any function of facecore, but holding no lock meanwhile that another call of it takes; it must
 * return, not jump or throw.
 */
typedef int32_t (*facecore_filter)(void *context, const char *person_id);

/**
 * What a search looks for. All zero is the default.
 */
typedef struct {
  /**
   * `sizeof(facecore_search_options)`.
   */
  size_t struct_size;
  /**
   * At most so many people are returned; 0 stands for 10.
   */
  size_t top_k;
  /**
   * 1 takes `threshold`, 0 that of the probe's embedding space.
   */
  int32_t has_threshold;
  /**
   * A person matches if the cosine of its best face is at least this, -1 to 1; -1 takes everybody.
   */
  float threshold;
  /**
   * `FACECORE_REACH_AUTO`, `FACECORE_REACH_EXACT`, `FACECORE_REACH_NEAREST` or `FACECORE_REACH_WITHIN`.
   */
  int32_t reach;
  /**
   * How many faces, with `FACECORE_REACH_NEAREST`.
   */
  size_t reach_faces;
  /**
   * Which probability, between 0 and 1, with `FACECORE_REACH_WITHIN`.
   */
  double reach_miss;
  /**
   * Only these people are considered; NULL considers all.
   */
  const char *const *among;
  /**
   * How many ids `among` has; 0 with a pointer that is not NULL considers nobody.
   */
  size_t among_count;
  /**
   * These people are not considered.
   */
  const char *const *excluding;
  /**
   * How many ids `excluding` has.
   */
  size_t excluding_count;
  /**
   * Decides who is considered, of those that `among` and `excluding` leave; NULL considers all.
   */
  facecore_filter filter;
  /**
   * Handed to `filter`.
   */
  void *filter_context;
} facecore_search_options;

/**
 * A person found by a search. The string lives as long as the list.
 */
typedef struct {
  /**
   * `sizeof(facecore_match)`.
   */
  size_t struct_size;
  /**
   * Who it is.
   */
  const char *person;
  /**
   * Cosine of the probe with the person's best face, -1 to 1.
   */
  float score;
  /**
   * 1 if `probability` is there, 0 as long as the embedding space has no calibration.
   */
  int32_t has_probability;
  /**
   * Probability, 0 to 1, that probe and person are the same.
   */
  float probability;
  /**
   * `score` minus the best score of any other person met, -2 to 2; near 0 the answer is ambiguous. `score` itself if
   * nobody else was met.
   */
  float margin;
  /**
   * The face with that score.
   */
  uint64_t best_face;
  /**
   * How many faces of the person reach the threshold, as far as the search met them.
   */
  uint32_t hits;
  /**
   * 0.
   */
  int32_t reserved;
} facecore_match;

/**
 * What the nearest faces agreed on. The string lives as long as the list.
 */
typedef struct {
  /**
   * `sizeof(facecore_vote)`.
   */
  size_t struct_size;
  /**
   * Who it is.
   */
  const char *person;
  /**
   * How many of the nearest faces are the person's.
   */
  uint32_t votes;
  /**
   * How many of the nearest faces reach the threshold.
   */
  uint32_t voters;
  /**
   * Cosine of the probe with the nearest of the person's faces, -1 to 1.
   */
  float score;
  /**
   * That face.
   */
  uint64_t best_face;
} facecore_vote;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, for example `0.1.0`. The string lives as long as the library.
 */
const char *facecore_version(void);

/**
 * Whether a program built against the header of ABI `major`.`minor` can use this library (1) or not (0). Ask once, at
 * the start: `facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR)`.
 */
int32_t facecore_abi_is_compatible(int32_t major,
                                   int32_t minor);

/**
 * The name of a status, for example `FACECORE_NO_FACE`; NULL if there is no such status. The string lives as long as
 * the library.
 */
const char *facecore_status_name(int32_t status);

/**
 * What went wrong in the last call of this thread that failed: the cause and the remedy, in English and UTF-8. Never
 * NULL; empty if no call failed. The string is valid until the next call of this thread that fails.
 */
const char *facecore_last_error_message(void);

/**
 * The status of the last call of this thread that failed; `FACECORE_OK` if none did.
 */
int32_t facecore_last_error_status(void);

/**
 * Frees a text that a function gave out as `char *`. NULL is none.
 */
void facecore_text_free(char *text);

/**
 * How many texts there are; 0 of NULL.
 */
size_t facecore_texts_count(const facecore_texts *texts);

/**
 * The text at `index`, from 0; NULL beyond the last one. It lives as long as the list.
 */
const char *facecore_texts_get(const facecore_texts *texts, size_t index);

/**
 * Frees the list. NULL is none.
 */
void facecore_texts_free(facecore_texts *texts);

/**
 * Decodes a picture file: JPEG, PNG, WebP, BMP or GIF, by its content. `options` may be NULL.
 *
 * Errors: `FACECORE_IO`, `FACECORE_IMAGE_FORMAT`, `FACECORE_IMAGE_CORRUPT`, `FACECORE_IMAGE_TOO_LARGE`.
 */
int32_t facecore_picture_open(const char *path,
                              const facecore_decode_options *options,
                              facecore_picture **picture);

/**
 * Decodes a picture that is in memory, as `facecore_picture_open` does.
 */
int32_t facecore_picture_decode(const uint8_t *bytes,
                                size_t len,
                                const facecore_decode_options *options,
                                facecore_picture **picture);

/**
 * Copies an image of the caller's, upright, so that it outlives its buffer.
 *
 * Errors: `FACECORE_IMAGE_LAYOUT`, `FACECORE_IMAGE_TOO_LARGE`.
 */
int32_t facecore_picture_copy(const facecore_image *image, facecore_picture **picture);

/**
 * A picture's pixels as an image to hand to other functions. They are the picture's own memory and live as long as it.
 */
int32_t facecore_picture_image(const facecore_picture *picture,
                               facecore_image *image);

/**
 * Frees a picture. NULL is none.
 */
void facecore_picture_free(facecore_picture *picture);

/**
 * The whole note on the licence of the pack that `FACECORE_LITE` names, in Markdown; NULL if the library was built
 * without it. Whoever passes on a library with these weights passes on this with it. The string lives as long as the
 * library.
 */
const char *facecore_lite_licence(void);

/**
 * Opens a pack: a folder with `pack.toml`, the name of an installed pack such as `buffalo_l`, or `FACECORE_LITE`. A name is
 * a single word; where a folder of that name has a `pack.toml`, it is that folder.
 *
 * Errors: `FACECORE_MODEL_NOT_FOUND`, which says how a known pack is installed, `FACECORE_PACK_INVALID`,
 * `FACECORE_CHECKSUM_MISMATCH`, `FACECORE_IO`.
 */
int32_t facecore_pack_open(const char *folder,
                           facecore_pack **pack);

/**
 * Opens a pack that is in memory, such as an app's assets: the text of its `pack.toml`, and `count` files with their
 * names, contents and lengths. The contents are copied.
 *
 * Errors: as `facecore_pack_open`.
 */
int32_t facecore_pack_from_memory(const char *manifest,
                                  const char *const *names,
                                  const uint8_t *const *files,
                                  const size_t *lengths,
                                  size_t count,
                                  facecore_pack **pack);

/**
 * What the pack says of itself.
 */
int32_t facecore_pack_get_info(const facecore_pack *pack, facecore_pack_info *info);

/**
 * Frees a pack. NULL is none.
 */
void facecore_pack_free(facecore_pack *pack);

/**
 * Every pack: the one within the library, those that are known by name, and what else is installed. Of the options only
 * `cache` matters.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is no place for packs, `FACECORE_IO`.
 */
int32_t facecore_models_list(const facecore_models_options *options,
                             facecore_models **list);

/**
 * Downloads the known pack `name`, tests it and installs it; one that is installed is left as it is. An interrupted
 * download is gone on with. `list` has the pack then; NULL if that is not asked for.
 *
 * Errors: `FACECORE_MODEL_NOT_FOUND` if no pack is known by the name, `FACECORE_LICENCE_REFUSED`,
 * `FACECORE_DOWNLOAD_FAILED`, `FACECORE_CHECKSUM_MISMATCH`, `FACECORE_ARCHIVE_INVALID`, `FACECORE_CANCELLED`,
 * `FACECORE_IO`, and those of loading and running models. Then what was installed is as it was.
 */
int32_t facecore_models_pull(const char *name,
                             const facecore_models_options *options,
                             facecore_models **list);

/**
 * Installs a pack from a folder or a zip archive: one with `pack.toml`, or with files as insightface and OpenCV name
 * them. `name` says which pack it is, where the files do not, or under which name one with `pack.toml` is kept; NULL
 * leaves it to the files. `list` has the pack then; NULL if that is not asked for.
 *
 * Errors: as `facecore_models_pull`, and `FACECORE_INVALID_ARGUMENT` if there are several packs.
 */
int32_t facecore_models_import(const char *from,
                               const char *name,
                               const facecore_models_options *options,
                               facecore_models **list);

/**
 * What `facecore_models_import` would install, so that its licence can be shown: `list` has the one pack, with its name,
 * version, licence and the class of that. Of the options nothing matters.
 *
 * Errors: as `facecore_models_import`, where it does so before it copies anything.
 */
int32_t facecore_models_find_in(const char *from,
                                const char *name,
                                const facecore_models_options *options,
                                facecore_models **list);

/**
 * Reads every file of the installed pack `name`, holds it to its checksum, and runs its self-test. `list` has the pack
 * then; NULL if that is not asked for.
 *
 * Errors: `FACECORE_MODEL_NOT_FOUND` if it is not installed, `FACECORE_CHECKSUM_MISMATCH`, `FACECORE_PACK_INVALID`,
 * `FACECORE_CANCELLED`, `FACECORE_IO`, and those of loading and running models.
 */
int32_t facecore_models_verify(const char *name,
                               const facecore_models_options *options,
                               facecore_models **list);

/**
 * Removes the installed pack `name`, and what an interrupted download of it left.
 *
 * Errors: `FACECORE_MODEL_NOT_FOUND` if there is nothing of that name, `FACECORE_CANCELLED`, `FACECORE_IO`.
 */
int32_t facecore_models_remove(const char *name, const facecore_models_options *options);

/**
 * How many packs there are; 0 of NULL.
 */
size_t facecore_models_count(const facecore_models *list);

/**
 * The pack at `index`, from 0.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` beyond the last one.
 */
int32_t facecore_models_get(const facecore_models *list, size_t index, facecore_models_info *info);

/**
 * The address number `source`, from 0, from which the pack at `index` is downloaded; NULL beyond the last one. The text
 * lives as long as the list.
 */
const char *facecore_models_get_source(const facecore_models *list,
                                       size_t index,
                                       size_t source);

/**
 * The model at `file`, from 0, of the pack at `index`.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` beyond the last one.
 */
int32_t facecore_models_get_file(const facecore_models *list,
                                 size_t index,
                                 size_t file,
                                 facecore_models_file *info);

/**
 * Frees a list of packs. NULL is none.
 */
void facecore_models_free(facecore_models *list);

/**
 * What runtimes there are, where ONNX Runtime was looked for, and which providers it has or what they lack, as a JSON
 * object (its form is in docs/c-abi.md): for logs, and for whoever has to find out why something does not run. Loads
 * ONNX Runtime if there is one. `options` may be NULL. Free the text with `facecore_text_free`.
 */
int32_t facecore_runtime_report(const facecore_runtime_options *options,
                                char **report);

/**
 * An aligner for the template called `name`: `arcface-112` (ArcFace, AdaFace, SFace, MobileFaceNet), `arcface-128`, and
 * multiples of these sizes. `facecore_embedder_aligner` gives the one that an embedder wants.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is no such template.
 */
int32_t facecore_aligner_new(const char *template_name,
                             facecore_aligner **aligner);

/**
 * Width and height in pixels of the crops that the aligner cuts.
 */
int32_t facecore_aligner_get_size(const facecore_aligner *aligner, size_t *width, size_t *height);

/**
 * Cuts the face whose five landmarks are given, in pixels of the upright image and in the order of `facecore_face`; they
 * may come from any detector. What lies outside the image is black.
 *
 * Errors: `FACECORE_LANDMARKS` if they are not finite or all in one place, `FACECORE_IMAGE_LAYOUT`.
 */
int32_t facecore_aligner_align(const facecore_aligner *aligner,
                               const facecore_image *image,
                               const facecore_point *landmarks,
                               facecore_picture **crop);

/**
 * Frees an aligner. NULL is none.
 */
void facecore_aligner_free(facecore_aligner *aligner);

/**
 * Loads the detector of a pack: a folder, the name of an installed pack, or `FACECORE_LITE`. `options` may be NULL; a pack that
 * they name is passed over.
 *
 * Errors: 3xx if the model is not there or not what it should be, 4xx if it cannot run as asked.
 */
int32_t facecore_detector_open(const char *pack,
                               const facecore_options *options,
                               facecore_detector **detector);

/**
 * Loads a detector as the options say.
 *
 * Errors: as `facecore_detector_open`, and `FACECORE_INVALID_ARGUMENT` if none is named.
 */
int32_t facecore_detector_new(const facecore_options *options, facecore_detector **detector);

/**
 * The faces in an image, best first; none is an empty list. `options` is for this call, in place of all those that the
 * detector was made with; NULL takes these.
 *
 * Errors: `FACECORE_IMAGE_LAYOUT`, `FACECORE_MODEL_OUTPUT`, `FACECORE_INFERENCE`.
 */
int32_t facecore_detector_detect(const facecore_detector *detector,
                                 const facecore_image *image,
                                 const facecore_detector_options *options,
                                 facecore_faces **faces);

/**
 * What really runs the detector.
 */
int32_t facecore_detector_get_placement(const facecore_detector *detector, facecore_placement *placement);

/**
 * Frees a detector. NULL is none.
 */
void facecore_detector_free(facecore_detector *detector);

/**
 * Loads the embedder of a pack: a folder, the name of an installed pack, or `FACECORE_LITE`. `options` may be NULL; a pack that
 * they name is passed over.
 *
 * Errors: 3xx if the model is not there or not what it should be, 4xx if it cannot run as asked.
 */
int32_t facecore_embedder_open(const char *pack,
                               const facecore_options *options,
                               facecore_embedder **embedder);

/**
 * Loads an embedder as the options say.
 *
 * Errors: as `facecore_embedder_open`, and `FACECORE_INVALID_ARGUMENT` if none is named.
 */
int32_t facecore_embedder_new(const facecore_options *options, facecore_embedder **embedder);

/**
 * The embeddings of `count` crops, in their order and in as few runs of the model as it takes; crops may be of many
 * images. `embeddings` takes `count` handles, each to be freed; on error none is written.
 *
 * Errors: `FACECORE_DIMENSION_MISMATCH` if a crop has another size than the embedder's aligner cuts,
 * `FACECORE_IMAGE_LAYOUT`, `FACECORE_MODEL_OUTPUT`, `FACECORE_INFERENCE`.
 */
int32_t facecore_embedder_embed(const facecore_embedder *embedder,
                                const facecore_image *crops,
                                size_t count,
                                facecore_embedding **embeddings);

/**
 * How many values an embedding has; 0 of NULL.
 */
size_t facecore_embedder_dimension(const facecore_embedder *embedder);

/**
 * The space of the embeddings, with its threshold.
 */
int32_t facecore_embedder_space(const facecore_embedder *embedder, facecore_space **space);

/**
 * The aligner that cuts crops as the embedder wants them.
 */
int32_t facecore_embedder_aligner(const facecore_embedder *embedder, facecore_aligner **aligner);

/**
 * What really runs the embedder.
 */
int32_t facecore_embedder_get_placement(const facecore_embedder *embedder, facecore_placement *placement);

/**
 * Frees an embedder. NULL is none.
 */
void facecore_embedder_free(facecore_embedder *embedder);

/**
 * The space called `id`, in which a cosine of `threshold` or more means "the same person" unless a search says otherwise.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if the id is empty or the threshold not within -1 to 1.
 */
int32_t facecore_space_new(const char *id,
                           float threshold,
                           facecore_space **space);

/**
 * The name of the space, which lives as long as it; NULL of NULL.
 */
const char *facecore_space_id(const facecore_space *space);

/**
 * The cosine from which on two faces are taken for the same person; NaN of NULL.
 */
float facecore_space_threshold(const facecore_space *space);

/**
 * Frees a space. NULL is none.
 */
void facecore_space_free(facecore_space *space);

/**
 * An embedding of a model's raw output: it is copied, and scaled to length 1.
 *
 * Errors: `FACECORE_INVALID_EMBEDDING` if a value is not finite, or all are zero.
 */
int32_t facecore_embedding_from_raw(const float *values,
                                    size_t dimension,
                                    const facecore_space *space,
                                    facecore_embedding **embedding);

/**
 * An embedding whose values were kept from one made before, with the `norm` it had (see `facecore_embedding_norm`): it
 * is copied bit for bit.
 *
 * Errors: `FACECORE_INVALID_EMBEDDING` if the length of the values differs from 1 by more than 1e-3.
 */
int32_t facecore_embedding_from_stored(const float *values,
                                       size_t dimension,
                                       float norm,
                                       const facecore_space *space,
                                       facecore_embedding **embedding);

/**
 * Another handle to the same embedding, for somebody else to free; the values are shared.
 */
int32_t facecore_embedding_clone(const facecore_embedding *embedding, facecore_embedding **clone);

/**
 * How many values the embedding has; 0 of NULL.
 */
size_t facecore_embedding_dimension(const facecore_embedding *embedding);

/**
 * The values, of length 1 together: the embedding's own memory, to be read as long as the embedding lives; NULL of NULL.
 */
const float *facecore_embedding_data(const facecore_embedding *embedding);

/**
 * Copies the values into the caller's memory, which takes `capacity` of them. `dimension` may be NULL; else how many
 * there are is written, also if they do not fit.
 *
 * Errors: `FACECORE_BUFFER_TOO_SMALL`.
 */
int32_t facecore_embedding_copy(const facecore_embedding *embedding,
                                float *values,
                                size_t capacity,
                                size_t *dimension);

/**
 * The length that the model gave the vector before it was normalised; NaN of NULL. For AdaFace models it rises with the
 * quality of the image.
 */
float facecore_embedding_norm(const facecore_embedding *embedding);

/**
 * What the embedding may be compared with.
 */
int32_t facecore_embedding_space(const facecore_embedding *embedding, facecore_space **space);

/**
 * Cosine of the angle between two embeddings, -1 to 1; higher is more alike.
 *
 * Errors: `FACECORE_EMBEDDING_SPACE_MISMATCH` and `FACECORE_DIMENSION_MISMATCH` if they cannot be compared.
 */
int32_t facecore_embedding_cosine(const facecore_embedding *a, const facecore_embedding *b, float *cosine);

/**
 * Euclidean distance of two embeddings, 0 to 2; lower is more alike. It equals `sqrt(2 - 2 cosine)`.
 *
 * Errors: as `facecore_embedding_cosine`.
 */
int32_t facecore_embedding_euclidean(const facecore_embedding *a,
                                     const facecore_embedding *b,
                                     float *distance);

/**
 * Frees an embedding. NULL is none.
 */
void facecore_embedding_free(facecore_embedding *embedding);

/**
 * How many faces there are; 0 of NULL.
 */
size_t facecore_faces_count(const facecore_faces *faces);

/**
 * The face at `index`, from 0.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
 */
int32_t facecore_faces_get(const facecore_faces *faces, size_t index, facecore_face *face);

/**
 * The embedding of the face at `index`, as a handle of its own, which outlives the list and shares its memory.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is no such face, or the faces were only detected.
 */
int32_t facecore_faces_embedding(const facecore_faces *faces,
                                 size_t index,
                                 facecore_embedding **embedding);

/**
 * How many values the embeddings of the faces have; 0 if there is no face, or they were only detected, and of NULL.
 */
size_t facecore_faces_dimension(const facecore_faces *faces);

/**
 * The values of the embedding of the face at `index`, from 0, of length 1 together, as many as
 * `facecore_faces_dimension` says: the list's own memory, to be read as long as it lives. NULL if there is no such face,
 * or it was only detected, and of NULL.
 */
const float *facecore_faces_embedding_data(const facecore_faces *faces,
                                           size_t index);

/**
 * Copies the embeddings of all faces into the caller's memory, face by face: as many rows as there are faces, each of
 * `dimension` values, of length 1. `capacity` is how many values fit. `dimension` (0 if there is no face) is also
 * written if they do not.
 *
 * Errors: `FACECORE_BUFFER_TOO_SMALL`, `FACECORE_INVALID_ARGUMENT` if the faces were only detected.
 */
int32_t facecore_faces_copy_embeddings(const facecore_faces *faces,
                                       float *values,
                                       size_t capacity,
                                       size_t *dimension);

/**
 * The image's size, and what each stage took.
 */
int32_t facecore_faces_get_info(const facecore_faces *faces, facecore_faces_info *info);

/**
 * Frees the list. Embeddings that were taken out of it stay. NULL is none.
 */
void facecore_faces_free(facecore_faces *faces);

/**
 * Loads a recognizer from a pack: a folder, the name of an installed pack, or `FACECORE_LITE`. `options` may be NULL; a pack that
 * they name is passed over.
 *
 * Errors: 3xx if a model is not there or not what it should be, 4xx if it cannot run as asked.
 */
int32_t facecore_recognizer_open(const char *pack,
                                 const facecore_options *options,
                                 facecore_recognizer **recognizer);

/**
 * Loads a recognizer as the options say.
 *
 * Errors: as `facecore_recognizer_open`, and `FACECORE_INVALID_ARGUMENT` if a model is not named.
 */
int32_t facecore_recognizer_new(const facecore_options *options, facecore_recognizer **recognizer);

/**
 * The faces of an image with their embeddings, best first; none is an empty list. `options` is for this call, in place
 * of all those that the recognizer was made with; NULL takes these.
 *
 * Errors: `FACECORE_IMAGE_LAYOUT`, `FACECORE_LANDMARKS` if the detector gives none, `FACECORE_MODEL_OUTPUT`,
 * `FACECORE_INFERENCE`.
 */
int32_t facecore_recognizer_recognize(const facecore_recognizer *recognizer,
                                      const facecore_image *image,
                                      const facecore_detector_options *options,
                                      facecore_faces **faces);

/**
 * The faces of a picture file, as `facecore_recognizer_recognize` gives them.
 *
 * Errors: as that function and `facecore_picture_open`.
 */
int32_t facecore_recognizer_recognize_file(const facecore_recognizer *recognizer,
                                           const char *path,
                                           facecore_faces **faces);

/**
 * The faces of an encoded picture that is in memory, as `facecore_recognizer_recognize` gives them.
 *
 * Errors: as that function and `facecore_picture_decode`.
 */
int32_t facecore_recognizer_recognize_encoded(const facecore_recognizer *recognizer,
                                              const uint8_t *bytes,
                                              size_t len,
                                              facecore_faces **faces);

/**
 * The faces of `count` picture files, worked at in parallel: a list of as many recognitions, in the order of `paths`. A
 * file that fails loses nobody else's; `facecore_recognitions_get` tells. Recognizers for this are best made with
 * `many_photos`. `done` may be NULL; else it is called with `context` as files are finished.
 */
int32_t facecore_recognizer_recognize_files(const facecore_recognizer *recognizer,
                                            const char *const *paths,
                                            size_t count,
                                            facecore_photo_done done,
                                            void *context,
                                            facecore_recognitions **recognitions);

/**
 * How many recognitions there are; 0 of NULL.
 */
size_t facecore_recognitions_count(const facecore_recognitions *recognitions);

/**
 * The faces of the photo at `index`, from 0, as a handle of its own. If the photo failed, its status is returned and its
 * message becomes the last error: with arguments that are right, every status is the photo's.
 *
 * Errors: those of the photo; `FACECORE_INVALID_ARGUMENT` if an argument is NULL or there is no photo at `index`.
 */
int32_t facecore_recognitions_get(const facecore_recognitions *recognitions,
                                  size_t index,
                                  facecore_faces **faces);

/**
 * Frees the list; faces that were taken out of it stay. NULL is none.
 */
void facecore_recognitions_free(facecore_recognitions *recognitions);

/**
 * The one face that an image stands for, as `choice` (`FACECORE_CHOICE_ONLY`, `FACECORE_CHOICE_LARGEST` or
 * `FACECORE_CHOICE_CENTRAL`) says: a list of one, without what each stage took.
 *
 * Errors: `FACECORE_NO_FACE`, `FACECORE_SEVERAL_FACES`, and as `facecore_recognizer_recognize`.
 */
int32_t facecore_recognizer_recognize_one(const facecore_recognizer *recognizer,
                                          const facecore_image *image,
                                          int32_t choice,
                                          facecore_faces **faces);

/**
 * Whether two images show the same person, as the model's threshold has it; `choice` says which face of each is meant. A
 * photo and an embedding kept from before are compared by `facecore_recognizer_recognize_one` and
 * `facecore_embedding_cosine`.
 *
 * Errors: as `facecore_recognizer_recognize_one`; the message says which image it is about.
 */
int32_t facecore_recognizer_compare(const facecore_recognizer *recognizer,
                                    const facecore_image *first,
                                    const facecore_image *second,
                                    int32_t choice,
                                    facecore_comparison *comparison);

/**
 * How many values an embedding has; 0 of NULL.
 */
size_t facecore_recognizer_dimension(const facecore_recognizer *recognizer);

/**
 * The space of the embeddings, with its threshold.
 */
int32_t facecore_recognizer_space(const facecore_recognizer *recognizer, facecore_space **space);

/**
 * What really runs the detector.
 */
int32_t facecore_recognizer_get_detector_placement(const facecore_recognizer *recognizer,
                                                   facecore_placement *placement);

/**
 * What really runs the embedder.
 */
int32_t facecore_recognizer_get_embedder_placement(const facecore_recognizer *recognizer,
                                                   facecore_placement *placement);

/**
 * Frees a recognizer. NULL is none.
 */
void facecore_recognizer_free(facecore_recognizer *recognizer);

/**
 * Makes a batch without changes.
 */
int32_t facecore_batch_new(facecore_batch **batch);

/**
 * Makes the whole batch fail if any of its items does.
 */
int32_t facecore_batch_all_or_nothing(facecore_batch *batch);

/**
 * Adds `count` faces to a person. If one of them cannot be added, none is; give each face an item of its own to have good
 * ones added beside bad ones.
 */
int32_t facecore_batch_enrol(facecore_batch *batch,
                             const char *person_id,
                             const facecore_new_face *faces,
                             size_t count);

/**
 * Gives a face another embedding.
 */
int32_t facecore_batch_replace_face(facecore_batch *batch,
                                    uint64_t face,
                                    const facecore_embedding *embedding);

/**
 * Replaces what the application stored with a face.
 */
int32_t facecore_batch_set_face_metadata(facecore_batch *batch, uint64_t face, const char *metadata);

/**
 * Removes a face.
 */
int32_t facecore_batch_remove_face(facecore_batch *batch, uint64_t face);

/**
 * Removes a person with all faces.
 */
int32_t facecore_batch_remove_person(facecore_batch *batch, const char *person_id);

/**
 * Gives a person another id.
 */
int32_t facecore_batch_rename(facecore_batch *batch, const char *person_id, const char *new_id);

/**
 * Gives all faces of `from` to `into`, and removes `from`.
 */
int32_t facecore_batch_merge(facecore_batch *batch, const char *from, const char *into);

/**
 * Sets the name to show for a person; NULL removes it.
 */
int32_t facecore_batch_set_name(facecore_batch *batch, const char *person_id, const char *name);

/**
 * Replaces what the application stored with a person.
 */
int32_t facecore_batch_set_metadata(facecore_batch *batch, const char *person_id, const char *metadata);

/**
 * How many changes there are; 0 of NULL.
 */
size_t facecore_batch_count(const facecore_batch *batch);

/**
 * Frees a batch. NULL is none.
 */
void facecore_batch_free(facecore_batch *batch);

/**
 * Makes all changes of a batch with one commit. The outcomes tell for each item, in order, what it did or why it was
 * refused; a refused item changes nothing and does not hinder the others, unless `facecore_batch_all_or_nothing` was
 * asked for. Searches see all changes of the batch or none.
 *
 * Errors if the whole batch could not be committed; then nothing was changed.
 */
int32_t facecore_namespace_apply(const facecore_namespace *namespace_,
                                 const facecore_batch *batch,
                                 facecore_outcomes **outcomes);

/**
 * How many outcomes there are: one for each item; 0 of NULL.
 */
size_t facecore_outcomes_count(const facecore_outcomes *outcomes);

/**
 * What became of the item at `index`, from 0.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
 */
int32_t facecore_outcomes_get(const facecore_outcomes *outcomes, size_t index, facecore_outcome *outcome);

/**
 * Frees the outcomes. NULL is none.
 */
void facecore_outcomes_free(facecore_outcomes *outcomes);

/**
 * Enrols every photo of a folder into a namespace, working at photos in parallel. A sub-folder is a person and all files
 * below it are theirs; a file directly in the folder is a person named as the file without its suffix. A photo that shows
 * no face, or several where `choice` (`FACECORE_CHOICE_ONLY` and so on) wants one, or cannot be read is skipped with its
 * reason and loses nobody else's.
 *
 * Errors: `FACECORE_IO` if the folder cannot be read or the gallery not be written, and 5xx.
 */
int32_t facecore_recognizer_enrol_folder(const facecore_recognizer *recognizer,
                                         const char *folder,
                                         const facecore_namespace *namespace_,
                                         int32_t choice,
                                         facecore_photo_done done,
                                         void *context,
                                         facecore_enrolment **enrolment);

/**
 * Enrols `count` photos, `paths[i]` as a photo of `persons[i]`, as `facecore_recognizer_enrol_folder` does.
 */
int32_t facecore_recognizer_enrol_photos(const facecore_recognizer *recognizer,
                                         const char *const *persons,
                                         const char *const *paths,
                                         size_t count,
                                         const facecore_namespace *namespace_,
                                         int32_t choice,
                                         facecore_photo_done done,
                                         void *context,
                                         facecore_enrolment **enrolment);

/**
 * How many photos there are, enrolled or not; 0 of NULL.
 */
size_t facecore_enrolment_count(const facecore_enrolment *enrolment);

/**
 * Of how many photos the face is enrolled now, also if it was before; 0 of NULL.
 */
size_t facecore_enrolment_faces(const facecore_enrolment *enrolment);

/**
 * What became of the photo at `index`, from 0.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
 */
int32_t facecore_enrolment_get(const facecore_enrolment *enrolment,
                               size_t index,
                               facecore_enrolled_photo *photo);

/**
 * Frees an enrolment. NULL is none.
 */
void facecore_enrolment_free(facecore_enrolment *enrolment);

/**
 * Writes everything the gallery holds to a stream of the caller's, as JSON Lines, sorted by namespace and person. All of
 * it is of one moment. It is biometric data: keep it accordingly. `report` may be NULL. `write` must not use the gallery,
 * whose changes may be waiting for it.
 *
 * Errors: `FACECORE_IO` if `write` fails.
 */
int32_t facecore_gallery_export(const facecore_gallery *gallery,
                                facecore_write write,
                                void *context,
                                facecore_export_report *report);

/**
 * As `facecore_gallery_export`, into a new file that only its owner may read. Its name says what is written: NAME.npz has the
 * vectors for NumPy (arrays `embeddings`, `persons`, `namespaces`, `face_ids`) and NAME.jsonl beside it all else, NAME.csv is a
 * table of the people without their faces, and anything else is JSON Lines. A file has its name once it is complete.
 *
 * Cells of a CSV are written as they are: one that begins with `=`, `+`, `-` or `@` is a formula to a spreadsheet. If strangers
 * chose ids or names, import it there as text. A name that is empty comes back as none.
 *
 * Errors: `FACECORE_IO` if there is a file of that name or it cannot be written; a part of one is not left.
 * `FACECORE_INVALID_ARGUMENT` if an NPZ is to hold embeddings of different dimensions.
 */
int32_t facecore_gallery_export_file(const facecore_gallery *gallery,
                                     const char *file,
                                     facecore_export_report *report);

/**
 * Adds everything that an export wrote, read from a stream of the caller's, with one commit, or, on error, nothing.
 * `read` must not use the gallery. `report` may be NULL.
 *
 * Errors: `FACECORE_GALLERY_CORRUPT` if it is malformed, `FACECORE_EMBEDDING_SPACE_MISMATCH` and
 * `FACECORE_DIMENSION_MISMATCH` if a namespace holds other embeddings, all naming the line, `FACECORE_IO` if `read` fails.
 */
int32_t facecore_gallery_import(const facecore_gallery *gallery,
                                facecore_read read,
                                void *context,
                                facecore_import_report *report);

/**
 * As `facecore_gallery_import`, from a file, whose name says what it is as with `facecore_gallery_export_file`. People of a CSV
 * without a column `namespace` go to the namespace `people`.
 *
 * Errors: as that function, `FACECORE_IO` if the file cannot be read, and `FACECORE_INVALID_ARGUMENT` if it is a table that is
 * none of people, or an NPZ without its JSON Lines.
 */
int32_t facecore_gallery_import_file(const facecore_gallery *gallery,
                                     const char *file,
                                     facecore_import_report *report);

/**
 * Opens the gallery in a folder, which is made if it is not there. `options` may be NULL. The gallery is closed when it
 * and all its namespaces are freed.
 *
 * Errors: `FACECORE_GALLERY_LOCKED` if it is open already, in another process or this one, `FACECORE_GALLERY_CORRUPT`,
 * `FACECORE_GALLERY_NOT_FOUND` if none is to be made, `FACECORE_INVALID_ARGUMENT` if the folder holds other files,
 * `FACECORE_IO`.
 */
int32_t facecore_gallery_open(const char *folder,
                              const facecore_gallery_options *options,
                              facecore_gallery **gallery);

/**
 * Makes an empty gallery in memory, which is gone when it and all its namespaces are freed.
 */
int32_t facecore_gallery_in_memory(facecore_gallery **gallery);

/**
 * The namespace called `name`, which is made if it is not there.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if the name is empty or longer than 512 bytes, `FACECORE_NAMESPACE_NOT_FOUND` if it
 * is not there and the gallery was opened for reading only, `FACECORE_IO`.
 */
int32_t facecore_gallery_namespace(const facecore_gallery *gallery,
                                   const char *name,
                                   facecore_namespace **namespace_);

/**
 * The namespace called `name`, if it is there.
 *
 * Errors: `FACECORE_NAMESPACE_NOT_FOUND`; the message names those that exist.
 */
int32_t facecore_gallery_existing_namespace(const facecore_gallery *gallery,
                                            const char *name,
                                            facecore_namespace **namespace_);

/**
 * The names of all namespaces, sorted.
 */
int32_t facecore_gallery_namespaces(const facecore_gallery *gallery, facecore_texts **names);

/**
 * Removes a namespace with everybody in it. Handles to it stay behind but give `FACECORE_NAMESPACE_NOT_FOUND`.
 *
 * Errors: `FACECORE_NAMESPACE_NOT_FOUND`, `FACECORE_GALLERY_READ_ONLY`, `FACECORE_IO`.
 */
int32_t facecore_gallery_drop_namespace(const facecore_gallery *gallery,
                                        const char *name);

/**
 * Makes durable what was changed so far. Of use with `relaxed` only.
 */
int32_t facecore_gallery_flush(const facecore_gallery *gallery);

/**
 * Gives back the space of what was removed, and erases it: afterwards no file of the gallery holds anything of faces and
 * people that were removed before. Searches go on meanwhile; changes wait. The files of a small gallery take about 1 MiB
 * as long as it is open, however little is in it.
 */
int32_t facecore_gallery_compact(const facecore_gallery *gallery);

/**
 * Writes a verified copy of the gallery to another folder, which is made, or empty. Changes and searches go on meanwhile.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if the folder is not empty or the gallery lives in memory,
 * `FACECORE_GALLERY_CORRUPT`, `FACECORE_IO`.
 */
int32_t facecore_gallery_backup(const facecore_gallery *gallery,
                                const char *folder);

/**
 * Reads everything and checks it. `problems` may be NULL; else it gets what is wrong, in words, an empty list if the
 * gallery is sound.
 *
 * Errors if the gallery cannot be read at all; what is wrong with its contents is in the report.
 */
int32_t facecore_gallery_verify(const facecore_gallery *gallery,
                                facecore_verify_report *report,
                                facecore_texts **problems);

/**
 * What the gallery takes up.
 */
int32_t facecore_gallery_get_stats(const facecore_gallery *gallery, facecore_gallery_stats *stats);

/**
 * Frees a gallery; namespaces that were taken out of it keep it open until they are freed too. NULL is none.
 */
void facecore_gallery_free(facecore_gallery *gallery);

/**
 * The name of the namespace, which lives as long as the handle; NULL of NULL.
 */
const char *facecore_namespace_name(const facecore_namespace *namespace_);

/**
 * How many people are enrolled, those without faces included; 0 of NULL.
 */
size_t facecore_namespace_person_count(const facecore_namespace *namespace_);

/**
 * How many faces are enrolled; 0 of NULL.
 */
size_t facecore_namespace_face_count(const facecore_namespace *namespace_);

/**
 * How many values the embeddings here have; 0 until it is pinned, and of NULL.
 */
size_t facecore_namespace_dimension(const facecore_namespace *namespace_);

/**
 * The embedding space of the faces here; NULL is written as long as it is not pinned.
 */
int32_t facecore_namespace_space(const facecore_namespace *namespace_, facecore_space **space);

/**
 * Pins the embedding space and the dimension (64 to 1024) before the first face does. As long as there are no faces, they
 * can be pinned anew.
 *
 * Errors: `FACECORE_EMBEDDING_SPACE_MISMATCH` or `FACECORE_DIMENSION_MISMATCH` if the faces here are others,
 * `FACECORE_INVALID_ARGUMENT` if the threshold of the space is no cosine.
 */
int32_t facecore_namespace_pin(const facecore_namespace *namespace_,
                               const facecore_space *space,
                               size_t dimension);

/**
 * Whether embeddings of a space and dimension can be compared with the faces here, or be the first: `FACECORE_OK`, or an
 * error as of `facecore_namespace_pin`.
 */
int32_t facecore_namespace_check(const facecore_namespace *namespace_,
                                 const facecore_space *space,
                                 size_t dimension);

/**
 * Adds a face to a person, who is created if absent. `face` may be NULL; else it gets the face's id, or that of a face of
 * the person with exactly the same values.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` for an id that is empty or longer than 512 bytes,
 * `FACECORE_EMBEDDING_SPACE_MISMATCH`, `FACECORE_DIMENSION_MISMATCH`.
 */
int32_t facecore_namespace_add(const facecore_namespace *namespace_,
                               const char *person_id,
                               const facecore_embedding *embedding,
                               uint64_t *face);

/**
 * Adds `count` faces to a person, who is created if absent, also if `count` is 0: all or, on error, none. `face_ids` may
 * be NULL; else it takes `count` ids.
 *
 * Errors: as `facecore_namespace_add`.
 */
int32_t facecore_namespace_enrol(const facecore_namespace *namespace_,
                                 const char *person_id,
                                 const facecore_new_face *faces,
                                 size_t count,
                                 uint64_t *face_ids);

/**
 * Gives a face another embedding; source and metadata stay. `new_id` may be NULL; else it gets `face`, or, if another
 * face of the person has exactly these values, that one's id, and `face` is removed.
 *
 * Errors: `FACECORE_FACE_NOT_FOUND`, `FACECORE_EMBEDDING_SPACE_MISMATCH`, `FACECORE_DIMENSION_MISMATCH`.
 */
int32_t facecore_namespace_replace_face(const facecore_namespace *namespace_,
                                        uint64_t face,
                                        const facecore_embedding *embedding,
                                        uint64_t *new_id);

/**
 * Removes a face; its person stays.
 *
 * Errors: `FACECORE_FACE_NOT_FOUND`.
 */
int32_t facecore_namespace_remove_face(const facecore_namespace *namespace_, uint64_t face);

/**
 * Removes a person with all faces. `facecore_gallery_compact` erases them from the files.
 *
 * Errors: `FACECORE_PERSON_NOT_FOUND`.
 */
int32_t facecore_namespace_remove_person(const facecore_namespace *namespace_, const char *person_id);

/**
 * Gives a person another id; faces, name and metadata stay.
 *
 * Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_PERSON_EXISTS`, `FACECORE_INVALID_ARGUMENT`.
 */
int32_t facecore_namespace_rename(const facecore_namespace *namespace_,
                                  const char *person_id,
                                  const char *new_id);

/**
 * Sets the name to show for a person; NULL removes it.
 *
 * Errors: `FACECORE_PERSON_NOT_FOUND`.
 */
int32_t facecore_namespace_set_name(const facecore_namespace *namespace_,
                                    const char *person_id,
                                    const char *name);

/**
 * Replaces what the application stored with a person, a JSON object; NULL for nothing.
 *
 * Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_INVALID_ARGUMENT` if it is no JSON object.
 */
int32_t facecore_namespace_set_metadata(const facecore_namespace *namespace_,
                                        const char *person_id,
                                        const char *metadata);

/**
 * Replaces what the application stored with a face, a JSON object; NULL for nothing.
 *
 * Errors: `FACECORE_FACE_NOT_FOUND`, `FACECORE_INVALID_ARGUMENT` if it is no JSON object.
 */
int32_t facecore_namespace_set_face_metadata(const facecore_namespace *namespace_,
                                             uint64_t face,
                                             const char *metadata);

/**
 * Makes one person of two: all faces of `from` become faces of `into`, with their ids, and `from` is removed.
 *
 * Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_INVALID_ARGUMENT` if both are the same.
 */
int32_t facecore_namespace_merge(const facecore_namespace *namespace_, const char *from, const char *into);

/**
 * Moves a person with everything into another namespace of the same gallery.
 *
 * Errors: `FACECORE_PERSON_NOT_FOUND`, `FACECORE_PERSON_EXISTS`, `FACECORE_EMBEDDING_SPACE_MISMATCH`,
 * `FACECORE_DIMENSION_MISMATCH`, `FACECORE_INVALID_ARGUMENT` if the namespaces are the same, or of two galleries.
 */
int32_t facecore_namespace_move_person(const facecore_namespace *namespace_,
                                       const char *person_id,
                                       const facecore_namespace *to);

/**
 * Removes everybody and forgets the pinned space, as if the namespace were new.
 */
int32_t facecore_namespace_clear(const facecore_namespace *namespace_);

/**
 * What the namespace takes up.
 */
int32_t facecore_namespace_get_stats(const facecore_namespace *namespace_, facecore_namespace_stats *stats);

/**
 * Frees a namespace. NULL is none.
 */
void facecore_namespace_free(facecore_namespace *namespace_);

/**
 * A person: a list of one.
 *
 * Errors: `FACECORE_PERSON_NOT_FOUND`.
 */
int32_t facecore_namespace_get(const facecore_namespace *namespace_,
                               const char *person_id,
                               facecore_persons **persons);

/**
 * At most `limit` people whose ids come after `after` (by bytes), in the order of the ids; `after` is NULL for the first.
 * A namespace is gone through by giving the last id of one list as `after` of the next, until a list is empty.
 */
int32_t facecore_namespace_persons(const facecore_namespace *namespace_,
                                   const char *after,
                                   size_t limit,
                                   facecore_persons **persons);

/**
 * How many people are in the list; 0 of NULL.
 */
size_t facecore_persons_count(const facecore_persons *persons);

/**
 * The person at `index`, from 0.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
 */
int32_t facecore_persons_get(const facecore_persons *persons, size_t index, facecore_person *person);

/**
 * Frees the list. NULL is none.
 */
void facecore_persons_free(facecore_persons *persons);

/**
 * An enrolled face.
 *
 * Errors: `FACECORE_FACE_NOT_FOUND`, `FACECORE_GALLERY_CORRUPT` if what is stored of it is damaged.
 */
int32_t facecore_namespace_face(const facecore_namespace *namespace_,
                                uint64_t face,
                                facecore_enrolled_face **enrolled);

/**
 * What is known of the face.
 */
int32_t facecore_enrolled_face_get_info(const facecore_enrolled_face *enrolled,
                                        facecore_enrolled_face_info *info);

/**
 * The face's embedding, bit for bit as it was enrolled, as a handle of its own.
 */
int32_t facecore_enrolled_face_embedding(const facecore_enrolled_face *enrolled,
                                         facecore_embedding **embedding);

/**
 * Frees the handle; the face stays enrolled. NULL is none.
 */
void facecore_enrolled_face_free(facecore_enrolled_face *enrolled);

/**
 * The people whose best face is at least as near to the probe as the threshold, best first. `options` may be NULL.
 *
 * Errors: `FACECORE_EMBEDDING_SPACE_MISMATCH`, `FACECORE_DIMENSION_MISMATCH`, `FACECORE_INVALID_ARGUMENT` if an option is
 * out of range.
 */
int32_t facecore_namespace_search(const facecore_namespace *namespace_,
                                  const facecore_embedding *probe,
                                  const facecore_search_options *options,
                                  facecore_matches **found);

/**
 * Searches for `count` probes at once, which costs less than one at a time. `found` takes `count` lists, in the order of
 * the probes, each to be freed; on error none is written.
 *
 * Errors: as `facecore_namespace_search`, for the whole batch, naming the first bad probe.
 */
int32_t facecore_namespace_search_batch(const facecore_namespace *namespace_,
                                        const facecore_embedding *const *probes,
                                        size_t count,
                                        const facecore_search_options *options,
                                        facecore_matches **found);

/**
 * Who this is: a list of the best match at or above the threshold of the probe's embedding space, or an empty one if it
 * is nobody enrolled here.
 *
 * Errors: as `facecore_namespace_search`.
 */
int32_t facecore_namespace_identify(const facecore_namespace *namespace_,
                                    const facecore_embedding *probe,
                                    facecore_matches **found);

/**
 * Lets the `faces` nearest faces vote: those under the threshold are dropped, and the person with the most of the rest is
 * the answer; of several, the one with the nearest face. The list is empty if no face reaches the threshold. `options`
 * may be NULL; `top_k` has no meaning here.
 *
 * Errors: as `facecore_namespace_search`, and `FACECORE_INVALID_ARGUMENT` if `faces` is 0.
 */
int32_t facecore_namespace_vote(const facecore_namespace *namespace_,
                                const facecore_embedding *probe,
                                size_t faces,
                                const facecore_search_options *options,
                                facecore_votes **found);

/**
 * How many people match; 0 of NULL.
 */
size_t facecore_matches_count(const facecore_matches *found);

/**
 * The match at `index`, from 0, the best first.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
 */
int32_t facecore_matches_get(const facecore_matches *found, size_t index, facecore_match *one);

/**
 * Frees the list. NULL is none.
 */
void facecore_matches_free(facecore_matches *found);

/**
 * How many answers there are, 0 or 1; 0 of NULL.
 */
size_t facecore_votes_count(const facecore_votes *found);

/**
 * The answer at `index`, from 0.
 *
 * Errors: `FACECORE_INVALID_ARGUMENT` if there is none.
 */
int32_t facecore_votes_get(const facecore_votes *found, size_t index, facecore_vote *one);

/**
 * Frees the list. NULL is none.
 */
void facecore_votes_free(facecore_votes *found);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* FACECORE_H */
