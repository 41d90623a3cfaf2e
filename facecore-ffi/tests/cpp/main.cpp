// Exercises facecore.hpp, class by class: `./test FOLDER`.
#include "check.hpp"
#include "fake.h"

#include <array>
#include <vector>

std::string folder;

facecore::Embedding axis(std::size_t at, float more)
{
    static const facecore::Space space("test", 0.5F);
    std::array<float, 64> values{};
    values[at] = 1;
    values[63] += more;
    return facecore::Embedding::from_raw(values, space);
}

facecore::Recognizer fake(std::size_t faces)
{
    facecore_recognizer *made = nullptr;
    facecore::check(facecore_fake_recognizer(faces, 128, &made));
    return facecore::Recognizer(made);
}

const facecore::Image &blank()
{
    static const std::vector<std::uint8_t> pixels(std::size_t{ 256 } * 256 * 3);
    static const facecore::Image image(pixels.data(), pixels.size(), 256, 256);
    return image;
}

int main(int argc, char **argv)
{
    CHECK(argc == 2);
    folder = argv[1];
    facecore::check_abi();
    test_basics();
    test_models();
    test_people();
    test_searches();
    test_threads();
    std::puts("ok");
    return 0;
}
