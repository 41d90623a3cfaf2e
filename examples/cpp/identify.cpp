/* Keeps people in a gallery, and names the faces in a photo:
 *
 *     c++ -std=c++17 -o identify identify.cpp $(pkg-config --cflags --libs facecore)
 *     ./identify office/ crowd.jpg people/
 *     ./identify office/ another.jpg
 *
 * office/ is the gallery's folder, made by the first call. people/ has a sub-folder of photos for each person, or one
 * file each, named after them; they are enrolled, and stay. Photos that were enrolled before change nothing. Without a
 * PACK (a folder with models and a pack.toml, after people/ or -) the small models within the library serve, which are
 * for research and evaluation only.
 */
#include <facecore.hpp>

#include <cstdio>
#include <exception>
#include <string_view>

namespace {

/* Enrols a folder; a photo that cannot be used is told, and loses nobody else's. */
void enrol(const facecore::Recognizer &recognizer, const char *people, const facecore::Namespace &staff)
{
    const auto enrolment = recognizer.enrol_folder(people, staff);
    for (const auto &photo : enrolment) {
        if (photo.message)
            std::fprintf(stderr, "%s: skipped: %s\n", photo.path.data(), photo.message->data());
    }
    std::printf("enrolled %zu of %zu photos\n", enrolment.faces(), enrolment.size());
}

void identify(const facecore::Recognizer &recognizer, const facecore::Namespace &staff, const char *photo)
{
    const auto faces = recognizer.recognize_file(photo);
    std::printf("%s: %zu faces, %zu people known\n", photo, faces.size(), staff.person_count());
    for (const auto &face : faces) {
        const auto matches = staff.identify(faces.embedding(face.index));
        for (const auto &match : matches)
            std::printf("%-12s %5.2f  margin %.2f", match.person.data(), match.score, match.margin);
        if (matches.empty())
            std::printf("%-12s %5s  %11s", "unknown", "", "");
        std::printf("   [%.0f, %.0f, %.0f, %.0f]\n", face.x1, face.y1, face.x2, face.y2);
    }
}

void print_placement(const char *model, const facecore::Placement &placement)
{
    std::printf("%s: %s, %s, %s\n", model, placement.runtime.data(), placement.device.data(), placement.precision.data());
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 5) {
        std::fprintf(stderr, "usage: %s GALLERY PHOTO [PEOPLE|- [PACK]]\n", argv[0]);
        return 2;
    }
    try {
        facecore::check_abi();
        const facecore::Recognizer recognizer(argc > 4 ? argv[4] : FACECORE_LITE);
        const facecore::Gallery gallery(argv[1]);
        const auto staff = gallery.open_namespace("staff");
        if (argc > 3 && std::string_view(argv[3]) != "-")
            enrol(recognizer, argv[3], staff);
        identify(recognizer, staff, argv[2]);
        print_placement("detector", recognizer.detector_placement());
        print_placement("embedder", recognizer.embedder_placement());
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
