// Searches, and filters that throw.
#include "check.hpp"

#include <atomic>
#include <stdexcept>
#include <vector>

using namespace facecore;

static Namespace crowd(std::size_t count)
{
    auto people = Gallery::in_memory().open_namespace("crowd");
    Batch batch;
    std::vector<Embedding> faces;
    for (std::size_t i = 0; i < 60; i++)
        faces.push_back(axis(i, 0.5F));
    for (std::size_t i = 0; i < count; i++)
        batch.enrol("p" + std::to_string(i), { faces[i % faces.size()] });
    people.apply(batch);
    return people;
}

static void test_options()
{
    const auto people = crowd(60);
    const auto probe = axis(7);
    const auto found = people.search(probe);
    CHECK(found.size() == 1 && found[0].person == "p7" && found[0].score > 0.89F && found[0].hits == 1);
    CHECK(!found[0].probability && found[0].margin > 0.8F && people.face(found[0].best_face).info().person == "p7");
    CHECK(people.identify(probe)[0].person == "p7" && people.identify(axis(62)).empty());
    const auto votes = people.vote(probe, 5);
    CHECK(votes.size() == 1 && votes[0].person == "p7" && votes[0].votes == 1 && votes[0].voters == 1);
    CHECK(votes[0].score == found[0].score && votes[0].best_face == found[0].best_face);
    CHECK(people.vote(axis(62), 5).empty());
    CHECK_THROWS(people.vote(probe, 0), FACECORE_INVALID_ARGUMENT, "");

    SearchOptions options;
    options.threshold = -1.0F;
    CHECK(people.search(probe, options).size() == 10);
    options.top_k = 3;
    CHECK(people.search(probe, options).size() == 3 && people.search(probe, options)[0].person == "p7");
    options.reach = Reach::nearest;
    CHECK_THROWS(people.search(probe, options), FACECORE_INVALID_ARGUMENT, "");
    options.reach_faces = 60;
    CHECK(people.search(probe, options).size() == 3);
    options.reach = Reach::within;
    options.reach_miss = 0.001;
    options.threshold = 0.5F;
    CHECK(people.search(probe, options).size() == 1);
    options.reach = Reach::exact;
    options.threshold = -1.0F;

    options.among = { { "p1", "p2", "nobody" } };
    CHECK(people.search(probe, options).size() == 2);
    options.excluding = { "p1" };
    CHECK(people.search(probe, options).size() == 1 && people.search(probe, options)[0].person == "p2");
    options.among->clear();
    CHECK(people.search(probe, options).empty());
    options.among.reset();
    options.filter = [](std::string_view id) { return id.size() == 2; };
    const auto filtered = people.search(probe, options);
    CHECK(filtered.size() == 3 && filtered[0].person == "p7" && filtered[2].person != "p1");
    CHECK(people.vote(probe, 5, options)[0].person == "p7");
    options.threshold = 2.0F;
    CHECK_THROWS(people.search(probe, options), FACECORE_INVALID_ARGUMENT, "");
    options.excluding = { std::string("a\0b", 3) };
    CHECK_THROWS(people.search(probe, options), FACECORE_INVALID_ARGUMENT, "NUL");
}

static void test_batches()
{
    const auto people = crowd(60);
    std::vector<Embedding> probes;
    for (const std::size_t at : { 3U, 62U, 5U })
        probes.push_back(axis(at));
    const auto lists = people.search_batch(probes);
    CHECK(lists.size() == 3 && lists[0][0].person == "p3" && lists[1].empty() && lists[2][0].person == "p5");
    CHECK(people.search_batch({}).empty());
    probes.emplace_back();
    CHECK_THROWS(people.search_batch(probes), FACECORE_INVALID_ARGUMENT, "NULL");
}

// Each search is given up at the first exception, of whichever thread, and the next one is as if there had been none.
static void test_filters_that_throw()
{
    const auto people = crowd(5000);
    const auto probe = axis(7);
    std::atomic<int> asked{ 0 };
    SearchOptions options;
    options.threshold = -1.0F;
    options.reach = Reach::exact;
    options.filter = [&](std::string_view) -> bool { throw std::domain_error("filter " + std::to_string(++asked)); };
    const auto caught = [&](auto search) {
        try {
            search();
        } catch (const std::domain_error &error) {
            return std::string(error.what()).find("filter ") == 0;
        }
        return false;
    };
    CHECK(caught([&] { static_cast<void>(people.search(probe, options)); }));
    CHECK(asked < 100);
    CHECK(caught([&] { static_cast<void>(people.vote(probe, 3, options)); }));
    std::vector<Embedding> probes;
    for (std::size_t i = 0; i < 8; i++)
        probes.push_back(axis(i));
    CHECK(caught([&] { static_cast<void>(people.search_batch(probes, options)); }));

    // What a filter asks of the library may fail; what it throws may be of any type, and its last error does no harm.
    options.filter = [&](std::string_view) { return people.get_person("nobody").empty(); };
    CHECK_THROWS(people.search(probe, options), FACECORE_PERSON_NOT_FOUND, "nobody");
    options.filter = [](std::string_view) -> bool { throw 42; };
    int number = 0;
    try {
        static_cast<void>(people.search(probe, options));
    } catch (int thrown) {
        number = thrown;
    }
    CHECK(number == 42);
    // The search fails before it asks.
    options.threshold = 3.0F;
    CHECK_THROWS(people.search(probe, options), FACECORE_INVALID_ARGUMENT, "");
    options.threshold = -1.0F;
    options.filter = [&](std::string_view id) { return people.get_person(id)[0].faces.size() == 1; };
    CHECK(people.search(probe, options).size() == 10);
}

void test_searches()
{
    test_options();
    test_batches();
    test_filters_that_throw();
}
