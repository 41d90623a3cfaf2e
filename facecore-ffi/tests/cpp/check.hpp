// What the parts of the test share.
#ifndef CHECK_HPP
#define CHECK_HPP

#include <facecore.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                               \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (false)

// That a statement throws facecore::Error with a status, and a message that has these words in it.
#define CHECK_THROWS(statement, expected, words)                                                                       \
    do {                                                                                                               \
        int32_t thrown = FACECORE_OK;                                                                                  \
        std::string said;                                                                                              \
        try {                                                                                                          \
            static_cast<void>(statement);                                                                              \
        } catch (const facecore::Error &error) {                                                                       \
            thrown = error.status();                                                                                   \
            said = error.what();                                                                                       \
        }                                                                                                              \
        if (thrown != (expected) || said.find(words) == std::string::npos) {                                           \
            std::fprintf(stderr, "%s:%d: threw %d, \"%s\"\n", __FILE__, __LINE__, thrown, said.c_str());               \
            std::exit(1);                                                                                              \
        }                                                                                                              \
    } while (false)

// Where the tests may write.
extern std::string folder;

// An embedding of 64 values in the space "test", with everything on one axis.
facecore::Embedding axis(std::size_t at, float more = 0);

// Finds `faces` faces in every image of 256 x 256 pixels.
facecore::Recognizer fake(std::size_t faces);
const facecore::Image &blank();

void test_basics();
void test_models();
void test_people();
void test_searches();
void test_threads();

#endif
