/* What every program here uses: checks that say where they fail and go on, and things to check with. */
#ifndef FACECORE_TEST_H
#define FACECORE_TEST_H

#define _POSIX_C_SOURCE 200809L

#include <facecore.h>

#include "fake.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What must hold. */
#define CHECK(condition) check((condition) != 0, __FILE__, __LINE__, #condition)
/* A call that must succeed. */
#define OK(call) check_status((call), FACECORE_OK, __FILE__, __LINE__, #call)
/* A call that must fail so; its message is not empty, and is the last error. */
#define FAILS(status, call) check_status((call), (status), __FILE__, __LINE__, #call)
/* What the message of the last error must say. */
#define SAYS(words) check_message((words), __FILE__, __LINE__)
/* A text that must be this one. */
#define TEXT(expected, text) check_text((text), (expected), __FILE__, __LINE__, #text)
/* A number that must be about this one. */
#define NEAR(expected, number) check_near((number), (expected), __FILE__, __LINE__, #number)
/* A call without which the rest means nothing. */
#define NEED(call) need((call), __FILE__, __LINE__, #call)

int check(int holds, const char *file, int line, const char *what);
int check_status(int32_t status, int32_t expected, const char *file, int line, const char *what);
void check_message(const char *words, const char *file, int line);
void check_text(const char *text, const char *expected, const char *file, int line, const char *what);
void check_near(double number, double expected, const char *file, int line, const char *what);
void need(int32_t status, const char *file, int line, const char *what);

/* What the Rust test hands to a program: a folder for its files, one with generated models, and one with photographs,
 * models and such, which may be missing (NULL). */
extern const char *files, *models, *data;

/* Reads the arguments. */
void begin(int argc, char **argv);
/* The exit status. */
int finish(void);

/* A path below a folder; the last 32 are kept. */
const char *in(const char *folder, const char *name);
/* The content of a file, to be freed. */
unsigned char *content(const char *path, size_t *len);
void write_file(const char *path, const void *bytes, size_t len);

/* A struct of zeros with its size. The cast and the literal are C99. */
#define ZERO(type) ((type){.struct_size = sizeof(type)})

/* The built-in runtime, so that answers do not depend on what is installed. */
facecore_options builtin(void);
/* The generated models on it: every 16 x 16 pixels that are bright are a face, and embeddings tell images apart. */
facecore_options generated(void);

/* Red, green and blue of a picture without meaning, to be freed. */
unsigned char *pixels(size_t width, size_t height);
facecore_image image_of(const unsigned char *data, size_t len, size_t width, size_t height, int32_t format);
facecore_image rgb(const unsigned char *data, size_t width, size_t height);
/* Writes a picture file (BMP) with such pixels. */
void write_picture(const char *path, size_t width, size_t height);

/* The space that embeddings here are of; its threshold is 0.4. */
facecore_space *space(void);
/* An embedding of 64 values of its own for each seed, nearly orthogonal to the others. */
facecore_embedding *embedding(unsigned seed);
/* One at an angle to that of a seed: its cosine with it is about `cosine`. */
facecore_embedding *near(unsigned seed, double cosine);
/* A namespace called `name` of a gallery in memory of its own. */
facecore_namespace *namespace_in_memory(const char *name);
/* Enrols the embedding of a seed, and gives the face's id. */
uint64_t enrol(facecore_namespace *people, const char *person, unsigned seed);

/* `count` bytes of a letter and a NUL, to be freed. */
char *letters(size_t count);

#endif
