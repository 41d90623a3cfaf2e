// Packs, runtimes, detectors, embedders and recognizers: the small models on the built-in runtime, and fake ones.
#include "check.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <vector>

using namespace facecore;

static Options lite()
{
    Options options;
    options.pack = FACECORE_LITE;
    options.runtime.runtime = Runtime::builtin;
    options.runtime.threads = 1;
    return options;
}

static void test_packs(const Options &options)
{
    const Pack pack(FACECORE_LITE);
    const auto info = pack.info();
    CHECK(info.name == "facecore-lite" && !info.version.empty() && !info.licence.empty());
    CHECK(info.detector_sha256 && info.embedder_sha256 && info.detector_sha256->size() == 64);
    CHECK(info.detector_licence && info.embedder_licence && lite_licence() && lite_licence()->size() > 100);
    CHECK_THROWS(Pack(folder), FACECORE_PACK_INVALID, "there is no pack.toml");
    CHECK_THROWS(Pack(folder + "/none"), FACECORE_MODEL_NOT_FOUND, "there is no pack");
    CHECK_THROWS(Pack::from_memory("format = 1", {}), FACECORE_PACK_INVALID, "");
    const std::vector<std::uint8_t> nonsense{ 1, 2, 3 };
    CHECK_THROWS(Pack::from_memory("nonsense", { { "a.onnx", nonsense } }), FACECORE_PACK_INVALID, "");

    Options opened = options;
    opened.pack.clear();
    opened.opened_pack = &pack;
    CHECK(Embedder(opened).dimension() == 128);
    opened.opened_pack = nullptr;
    CHECK_THROWS(Recognizer(opened), FACECORE_INVALID_ARGUMENT, "");
    opened.embedder_bytes = nonsense;
    opened.embedder_kind = "arcface";
    CHECK_THROWS(Embedder(opened), FACECORE_MODEL_CORRUPT, "");
    opened.embedder_kind = "no such kind";
    CHECK_THROWS(Embedder(opened), FACECORE_MODEL_KIND_UNKNOWN, "no such kind");
    opened.detector = folder + "/none.onnx";
    opened.embedder_kind.clear();
    CHECK_THROWS(Detector(opened), FACECORE_MODEL_NOT_FOUND, "none.onnx");
}

static void test_runtimes(const Options &options)
{
    CHECK(runtime_report().front() == '{');
    RuntimeOptions runtime;
    runtime.library = folder + "/none.so";
    CHECK(runtime_report(runtime).find("none.so") != std::string::npos);
    Options wrong = options;
    wrong.runtime.setting_names = { "a" };
    CHECK_THROWS(Recognizer(wrong), FACECORE_INVALID_ARGUMENT, "setting_values");
    wrong.runtime.setting_values = { "b" };
    CHECK_THROWS(Recognizer(wrong), FACECORE_INVALID_ARGUMENT, "provider");
    wrong = options;
    wrong.runtime.provider = Provider::cuda;
    CHECK_THROWS(Recognizer(wrong), FACECORE_PROVIDER_UNAVAILABLE, "");
    wrong = options;
    wrong.runtime.threads = 5000;
    CHECK_THROWS(Recognizer(FACECORE_LITE, wrong), FACECORE_INVALID_ARGUMENT, "5000");
    wrong = options;
    wrong.detection.input_size = 7;
    CHECK_THROWS(Recognizer(wrong), FACECORE_INVALID_ARGUMENT, "input size");
}

static void test_stages(const Options &options)
{
    const Detector detector(FACECORE_LITE, options);
    CHECK(detector.placement().runtime.substr(0, 4) == "rten" && detector.placement().threads == 1);
    CHECK(detector.placement().device == "CPU" && detector.placement().precision == "f32");
    CHECK(detector.placement().provider == "CPU" && detector.placement().notes.data() != nullptr);
    const auto none = detector.detect(blank());
    CHECK(none && none.empty() && none.info().width == 256 && none.info().height == 256);
    DetectorOptions eager;
    eager.score_threshold = 0.001F;
    eager.nms_iou = 1;
    eager.max_faces = 2;
    CHECK(detector.detect(blank(), eager).size() <= 2);
    eager.score_threshold = 2;
    CHECK_THROWS(detector.detect(blank(), eager), FACECORE_INVALID_ARGUMENT, "");

    const Embedder embedder(options);
    CHECK(embedder.dimension() == 128 && embedder.space().threshold() > 0 && !embedder.placement().runtime.empty());
    const auto aligner = embedder.aligner();
    CHECK(aligner.size() == std::make_pair(std::size_t{ 112 }, std::size_t{ 112 }));
    CHECK(Aligner("arcface-112").size() == aligner.size());
    CHECK_THROWS(Aligner("no such"), FACECORE_INVALID_ARGUMENT, "no such");
    const Landmarks landmarks{ { { 100, 100 }, { 150, 100 }, { 125, 130 }, { 105, 160 }, { 145, 160 } } };
    const auto crop = aligner.align(blank(), landmarks);
    CHECK_THROWS(aligner.align(blank(), Landmarks{}), FACECORE_LANDMARKS, "");
    const auto one = embedder.embed(aligner.align(blank(), landmarks));
    const auto both = embedder.embed({ crop, crop });
    CHECK(both.size() == 2 && both[0].cosine(one) > 0.999F && both[1].cosine(one) > 0.999F);
    CHECK(embedder.embed(std::vector<Image>{}).empty());
    CHECK_THROWS(embedder.embed({ crop, blank() }), FACECORE_DIMENSION_MISMATCH, "");

    Options summed = options;
    summed.flip = Flip::sum;
    summed.threshold = 0.75F;
    const Embedder flipped(summed);
    CHECK(flipped.space().id() != embedder.space().id() && flipped.space().threshold() == 0.75F);
    CHECK_THROWS(flipped.embed(crop).cosine(one), FACECORE_EMBEDDING_SPACE_MISMATCH, "");
}

static void test_recognition()
{
    const auto recognizer = fake(3);
    CHECK(recognizer.dimension() == 128 && recognizer.space() && !recognizer.detector_placement().runtime.empty());
    CHECK(recognizer.embedder_placement().provider == "CPU");
    const auto faces = recognizer.recognize(blank());
    CHECK(faces.size() == 3 && faces.info().width == 256 && faces.info().embed_seconds >= 0);
    std::size_t at = 0;
    for (const auto &face : faces) {
        CHECK(face.index == at++ && face.score > 0 && face.x2 > face.x1 && face.y2 > face.y1 && face.landmarks);
        CHECK((*face.landmarks)[0].x < (*face.landmarks)[1].x);
        CHECK(faces.embedding(face.index).dimension() == 128);
    }
    CHECK(at == 3 && faces.begin()->index == 0);
    CHECK_THROWS(faces.embedding(3), FACECORE_INVALID_ARGUMENT, "");
    std::vector<float> rows(std::size_t{ 3 } * 128);
    CHECK(faces.copy_embeddings(rows.data(), rows.size()) == 128);
    CHECK(rows[128] == faces.embedding(1).values()[0]);
    CHECK_THROWS(faces.copy_embeddings(rows.data(), 128), FACECORE_BUFFER_TOO_SMALL, "");
    DetectorOptions options;
    options.max_faces = 1;
    CHECK(recognizer.recognize(blank(), options).size() == 1);
    Embedding kept;
    {
        const auto list = recognizer.recognize_one(blank(), Choice::largest);
        kept = list.embedding(0);
    }
    CHECK(kept.dimension() == 128 && kept.norm() > 0);

    CHECK_THROWS(recognizer.recognize_one(blank()), FACECORE_SEVERAL_FACES, "");
    CHECK_THROWS(fake(0).recognize_one(blank()), FACECORE_NO_FACE, "");
    CHECK_THROWS(recognizer.compare(blank(), blank()), FACECORE_SEVERAL_FACES, "first image");
    const auto compared = recognizer.compare(blank(), blank(), Choice::central);
    CHECK(compared.cosine > 0.999F && compared.same && compared.threshold < compared.cosine);
    CHECK_THROWS(recognizer.recognize_file(folder + "/none.jpg"), FACECORE_IO, "none.jpg");
    CHECK_THROWS(recognizer.recognize_encoded({}), FACECORE_INVALID_ARGUMENT, "NULL");
    CHECK_THROWS(recognizer.recognize_encoded(rows.empty() ? Bytes{} : Bytes{ blank().data, 10 }), FACECORE_IMAGE_FORMAT, "");
}

// A picture file of 256 x 256 pixels: a bitmap, which is quickly written.
static std::string bitmap(const std::string &name)
{
    std::string bytes(54 + std::size_t{ 256 } * 256 * 3, '\0');
    const std::uint32_t numbers[] = { static_cast<std::uint32_t>(bytes.size()), 0, 54, 40, 256, 256, 0x180001 };
    bytes.replace(0, 2, "BM");
    for (std::size_t i = 0; i < 7; i++) {
        for (std::size_t byte = 0; byte < 4; byte++)
            bytes[2 + 4 * i + byte] = static_cast<char>(numbers[i] >> (8 * byte) & 0xff);
    }
    std::ofstream(name, std::ios::binary) << bytes;
    return name;
}

static void test_photos()
{
    const auto good = bitmap(folder + "/good.bmp"), none = folder + "/none.jpg";
    const auto recognizer = fake(1);
    const auto found = recognizer.recognize_files({ good, none, good });
    CHECK(found.size() == 3 && found[0].status == FACECORE_OK && found[0].faces.size() == 1 && found[0].message.empty());
    const auto failed = found[1];
    CHECK(failed.status == FACECORE_IO && !failed.faces && failed.message.find("none.jpg") != std::string::npos);
    CHECK_THROWS(found[3], FACECORE_INVALID_ARGUMENT, "no element at 3");
    std::size_t faces = 0;
    for (const auto &one : found)
        faces += one.faces.size();
    CHECK(faces == 2 && recognizer.recognize_files({}).empty());
    CHECK_THROWS(recognizer.recognize_files({ std::string("a\0b", 3) }), FACECORE_INVALID_ARGUMENT, "NUL");

    const auto people = Gallery::in_memory().open_namespace("people");
    const auto enrolment = recognizer.enrol_photos({ { "ann", good }, { "bob", none }, { "", good } }, people);
    CHECK(enrolment.size() == 3 && enrolment.faces() == 1 && people.person_count() == 1);
    const auto photo = enrolment[0];
    CHECK(photo.path == good && photo.person == "ann" && photo.status == FACECORE_OK && !photo.message && photo.face);
    CHECK(people.face(*photo.face).info().person == "ann");
    CHECK(enrolment[1].status == FACECORE_IO && enrolment[1].message && !enrolment[1].face);
    CHECK(enrolment[2].status == FACECORE_INVALID_ARGUMENT);
    CHECK(fake(2).enrol_photos({ { "cid", good } }, people)[0].status == FACECORE_SEVERAL_FACES);
    CHECK(fake(2).enrol_photos({ { "cid", good } }, people, Choice::largest).faces() == 1);
    CHECK_THROWS(recognizer.enrol_folder(folder + "/none", people), FACECORE_IO, "none");
    std::atomic<int> done{ 0 };
    const facecore::PhotoDone count = [&](std::string_view path) { done += path == good || path == none; };
    (void)recognizer.recognize_files({ good, none, good }, count);
    (void)recognizer.enrol_photos({ { "ann", good } }, people, Choice::only, count);
    CHECK(done == 4);
    bool thrown = false;
    try {
        (void)recognizer.enrol_photos({ { "dan", good } }, people, Choice::only, [](auto) { throw 7; });
    } catch (int seven) {
        thrown = seven == 7;
    }
    CHECK(thrown && people.get_person("dan").size() == 1);
    CHECK(recognizer.enrol_folder(folder, people)[0].person == "good");
}

// The small models, as a folder of somebody's: beside the crate that this file is in.
static const std::string here = __FILE__;
static const std::string source = here.substr(0, here.rfind("facecore-ffi")) + "facecore/models/lite";

static void test_packs_by_name(Options options)
{
    ModelsOptions how;
    how.cache = folder + "/cache";
    how.runtime.runtime = Runtime::builtin;
    const auto all = Models::list(how);
    CHECK(all[0].name == "lite" && all[0].state == ModelsState::embedded && !all[0].folder && all[0].about);
    CHECK(all[1].name == "opencv" && all[1].licence_class == LicenceClass::permissive && all[1].download_bytes > 0);
    const auto files = all[1].files;
    CHECK(files.size() == 2 && files[0].part == Part::detector && files[0].checksum == Checksum::pinned);
    CHECK(files[0].bytes == 232589 && files[0].sha256->size() == 64 && !all[1].version.empty() && !all[1].origin);

    CHECK(files[0].kind == "yunet" && all[1].sources.size() == 4 && all[1].sources[0].substr(0, 8) == "https://");
    CHECK(!all[1].archive_sha256 && all[1].installed == 0);
    const auto found = Models::find_in(source, "small", how);
    CHECK(found.size() == 1 && found[0].name == "small" && found[0].licence_class == LicenceClass::research_only);
    CHECK_THROWS(Models::import(source, how), FACECORE_LICENCE_REFUSED, "research and evaluation only");
    how.accept_licence = true;
    how.policy = Policy::commercial;
    CHECK_THROWS(Models::import(source, how), FACECORE_LICENCE_REFUSED, "commercial use");
    how.policy = Policy::any;
    how.progress = [](const Progress &now) { return now.stage != Stage::testing; };
    CHECK_THROWS(Models::import(source, how), FACECORE_CANCELLED, "stopped by the caller");
    how.progress = [](const Progress &) -> bool { throw std::runtime_error("the caller's own"); };
    try {
        Models::import(source, how);
        CHECK(false);
    } catch (const Error &) {
        CHECK(false);
    } catch (const std::runtime_error &error) {
        CHECK(error.what() == std::string("the caller's own"));
    }
    std::uint64_t most = 0;
    how.progress = [&](const Progress &now) {
        CHECK(!now.file.empty() && now.done <= (now.total ? now.total : now.done));
        most = std::max(most, now.done);
        return true;
    };
    const auto installed = Models::import(source, how, "small");
    CHECK(installed.size() == 1 && installed[0].name == "small" && installed[0].state == ModelsState::installed);
    CHECK(most > 100000 && installed[0].files[1].checksum == Checksum::declared && installed[0].unfinished_bytes == 0);
    CHECK(Models::verify("small", how)[0].licence == installed[0].licence);

    options.pack = std::string(*installed[0].folder);
    options.pack_policy = Policy::commercial;
    CHECK_THROWS(Recognizer(options), FACECORE_LICENCE_REFUSED, "commercial use");
    Models::remove("small", how);
    CHECK_THROWS(Models::verify("small", how), FACECORE_MODEL_NOT_FOUND, "no pack small");
    how.mirrors = { "http://models.example.org" };
    how.mirrors_only = true;
    how.connect_seconds = how.stall_seconds = 5;
    CHECK_THROWS(Models::pull("buffalo_sc", how), FACECORE_INVALID_ARGUMENT, "only https");
}

void test_models()
{
    const auto options = lite();
    test_packs(options);
    test_packs_by_name(options);
    test_runtimes(options);
    test_stages(options);
    test_recognition();
    test_photos();
}
