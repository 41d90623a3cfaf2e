// Galleries, namespaces, batches, and exports.
#include "check.hpp"

#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

using namespace facecore;

static void test_changes()
{
    const auto gallery = Gallery::in_memory();
    const auto people = gallery.open_namespace("people");
    CHECK(people.name() == "people" && people.dimension() == 0 && !people.space());
    people.check(axis(0).space(), 64);
    people.pin(axis(0).space(), 64);
    CHECK(people.space().id() == "test" && people.dimension() == 64);
    CHECK_THROWS(people.check(Space("other", 0), 64), FACECORE_EMBEDDING_SPACE_MISMATCH, "other");

    const auto first = people.add("ann", axis(0));
    CHECK(first != 0 && people.add("ann", axis(0)) == first);
    CHECK_THROWS(people.pin(axis(0).space(), 65), FACECORE_DIMENSION_MISMATCH, "65");
    const auto probe = axis(1);
    NewFace face(probe);
    face.quality = 0.25F;
    face.source = "gate.jpg";
    face.metadata = "{\"camera\":1}";
    const auto more = people.enrol("ann", { face, probe });
    CHECK(more.size() == 2 && more[0] != first && people.enrol("bob", {}).empty());
    CHECK(people.person_count() == 2 && people.stats().persons == 2 && people.stats().dimension == 64);
    const Embedding empty;
    CHECK_THROWS(people.enrol("ann", { face, empty }), FACECORE_INVALID_ARGUMENT, "NULL");
    face.metadata = "no JSON";
    CHECK_THROWS(people.enrol("ann", { face }), FACECORE_INVALID_ARGUMENT, "JSON object");

    const auto enrolled = people.face(more[0]);
    const auto info = enrolled.info();
    CHECK(info.id == more[0] && info.person == "ann" && info.quality == 0.25F && info.source == "gate.jpg");
    CHECK(info.metadata == "{\"camera\":1}" && enrolled.embedding().cosine(probe) == 1);
    CHECK(!people.face(first).info().quality && !people.face(first).info().source);
    people.set_face_metadata(first, "{\"a\":2}");
    CHECK(people.face(first).info().metadata == "{\"a\":2}");
    CHECK_THROWS(people.set_face_metadata(first, "[]"), FACECORE_INVALID_ARGUMENT, "JSON object");
    CHECK(people.replace_face(first, axis(5)) == first && people.face(first).embedding().cosine(axis(5)) == 1);

    people.set_name("ann", "Ann");
    people.set_metadata("ann", "{\"since\":1999}");
    const auto ann = people.get_person("ann");
    CHECK(ann.size() == 1 && ann[0].id == "ann" && ann[0].name == "Ann" && ann[0].metadata == "{\"since\":1999}");
    CHECK(ann[0].faces.size() == people.face_count() && ann[0].faces[0] == first);
    people.set_name("bob", ann[0].name);
    CHECK(people.get_person("bob")[0].name == "Ann");
    people.set_name("bob", nullptr);
    people.set_metadata("ann", nullptr);
    CHECK(!people.get_person("bob")[0].name && people.get_person("bob")[0].faces.empty());
    CHECK(people.get_person("ann")[0].metadata == "{}");

    std::string ids;
    for (auto page = people.persons(1); !page.empty(); page = people.persons(1, page[page.size() - 1].id)) {
        for (const auto &person : page)
            ids.append(person.id).append(" ");
    }
    CHECK(ids == "ann bob ");

    people.rename("bob", "cid");
    people.merge("cid", "ann");
    CHECK_THROWS(people.remove_person("cid"), FACECORE_PERSON_NOT_FOUND, "cid");
    const auto others = gallery.open_namespace("others");
    people.move_person("ann", others);
    CHECK(others.person_count() == 1 && people.person_count() == 0);
    others.remove_face(first);
    CHECK_THROWS(others.face(first), FACECORE_FACE_NOT_FOUND, "");
    // An id may be one that a list shows.
    others.remove_person(others.persons(10)[0].id);
    others.clear();
    CHECK(others.dimension() == 0);
    gallery.drop_namespace("others");
    CHECK_THROWS(others.add("ann", probe), FACECORE_NAMESPACE_NOT_FOUND, "others");
    CHECK_THROWS(gallery.existing_namespace("others"), FACECORE_NAMESPACE_NOT_FOUND, "people");
    CHECK(gallery.existing_namespace("people") && gallery.namespaces().size() == 1 && gallery.stats().namespaces == 1);
}

static void test_batches()
{
    const auto people = Gallery::in_memory().open_namespace("people");
    const auto one = axis(1), two = axis(2);
    const auto first = people.add("ann", axis(0));
    Batch batch;
    batch.enrol("bob", { one, two }).enrol("cid", { one }).replace_face(first, axis(3)).remove_face(12345);
    batch.set_face_metadata(first, "{}").set_name("bob", "Bob").set_metadata("bob", "{\"a\":1}").rename("cid", "dan");
    batch.merge("dan", "bob").remove_person("nobody");
    CHECK(batch.size() == 10);
    const auto outcomes = people.apply(batch);
    CHECK(outcomes.size() == 10 && outcomes[0].faces.size() == 2 && outcomes[1].faces.size() == 1);
    CHECK(outcomes[2].faces == std::vector<FaceId>{ first } && outcomes[4].faces.empty());
    CHECK(outcomes[3].status == FACECORE_FACE_NOT_FOUND && outcomes[3].message.find("12345") != std::string::npos);
    std::string refused;
    for (const auto &outcome : outcomes)
        refused += outcome.status == FACECORE_OK ? '.' : 'x';
    CHECK(refused == "...x.....x" && people.get_person("bob")[0].name == "Bob");
    CHECK_THROWS(people.apply(Batch().remove_person("ann").remove_person("nobody").all_or_nothing()),
                 FACECORE_PERSON_NOT_FOUND, "nobody");
    CHECK(people.get_person("ann").size() == 1);
    CHECK_THROWS(batch.set_metadata("bob", "1"), FACECORE_INVALID_ARGUMENT, "JSON object");
    CHECK(batch.size() == 10);
}

static void test_folders()
{
    const auto place = folder + "/gallery";
    GalleryOptions options;
    options.must_exist = true;
    CHECK_THROWS(Gallery(place, options), FACECORE_GALLERY_NOT_FOUND, "");
    {
        // The namespace keeps the gallery open.
        const auto people = Gallery(place).open_namespace("people");
        people.add("ann", axis(0));
    }
    options.read_only = true;
    const Gallery gallery(place, options);
    const auto people = gallery.existing_namespace("people");
    CHECK(people.face_count() == 1);
    CHECK_THROWS(people.add("bob", axis(1)), FACECORE_GALLERY_READ_ONLY, "");
    const auto verified = gallery.verify();
    CHECK(verified.report.persons == 1 && verified.report.problems == 0 && verified.problems.empty());
    gallery.backup(folder + "/copy");
    CHECK_THROWS(gallery.backup(folder + "/copy"), FACECORE_INVALID_ARGUMENT, "");
    options = {};
    options.relaxed = true;
    options.snapshot_every = 10;
    options.cache_bytes = 1 << 20;
    const Gallery copy(folder + "/copy", options);
    copy.existing_namespace("people").add("bob", axis(1));
    copy.flush();
    copy.existing_namespace("people").remove_person("ann");
    copy.compact();
    CHECK(copy.stats().persons == 1 && copy.stats().removed_faces == 0);
}

struct Full {};

static void test_exchange()
{
    const auto gallery = Gallery::in_memory();
    const auto people = gallery.open_namespace("people");
    for (std::size_t i = 0; i < 60; i++)
        people.add("person " + std::to_string(i), axis(i));
    std::string text;
    const auto written = gallery.export_to([&](std::string_view part) { text += part; });
    CHECK(written.persons == 60 && written.faces == 60 && written.damaged == 0 && text.front() == '{');

    const auto other = Gallery::in_memory();
    std::istringstream stream(text);
    const auto read = other.import_from([&](char *into, std::size_t capacity) {
        stream.read(into, static_cast<std::streamsize>(std::min<std::size_t>(capacity, 1000)));
        return static_cast<std::size_t>(stream.gcount());
    });
    CHECK(read.persons == 60 && read.faces == 60 && read.duplicates == 0 && read.kept_ids);

    // Exceptions come out as they are, and nothing is asked after one.
    int asked = 0;
    bool caught = false;
    try {
        gallery.export_to([&](std::string_view) {
            asked++;
            throw Full();
        });
    } catch (const Full &) {
        caught = true;
    }
    CHECK(caught && asked == 1);
    asked = 0;
    const auto nobody = Gallery::in_memory();
    const auto failing = [&](char *into, std::size_t capacity) -> std::size_t {
        if (asked++ > 0)
            throw std::domain_error("the line is dead");
        const auto part = std::min(text.size() / 2, capacity);
        std::memcpy(into, text.data(), part);
        return part;
    };
    try {
        nobody.import_from(failing);
        CHECK(false);
    } catch (const std::domain_error &error) {
        CHECK(std::string(error.what()) == "the line is dead");
    }
    CHECK(asked == 2 && nobody.stats().persons == 0 && nobody.namespaces().empty());
    CHECK_THROWS(nobody.import_from([](char *, std::size_t capacity) { return capacity + 1; }), FACECORE_IO, "");
    std::istringstream nonsense("no export\n");
    CHECK_THROWS(nobody.import_from([&](char *into, std::size_t capacity) {
        nonsense.read(into, static_cast<std::streamsize>(capacity));
        return static_cast<std::size_t>(nonsense.gcount());
    }), FACECORE_GALLERY_CORRUPT, "line 1");

    const auto file = folder + "/export.jsonl";
    CHECK(gallery.export_file(file).faces == 60);
    CHECK_THROWS(gallery.export_file(file), FACECORE_IO, "export.jsonl");
    CHECK(gallery.import_file(file).duplicates == 60);
    CHECK_THROWS(gallery.import_file(folder + "/none"), FACECORE_IO, "none");
}

void test_people()
{
    test_changes();
    test_batches();
    test_folders();
    test_exchange();
}
