// The same handles on many threads.
#include "check.hpp"

#include <thread>
#include <vector>

using namespace facecore;

void test_threads()
{
    const auto recognizer = fake(2);
    const auto people = Gallery::in_memory().open_namespace("people");
    const auto faces = recognizer.recognize(blank());
    people.add("ann", faces.embedding(0));
    const auto work = [&](std::size_t thread) {
        for (std::size_t i = 0; i < 20; i++) {
            const auto seen = recognizer.recognize(blank());
            const auto found = people.search(seen.embedding(1));
            CHECK(seen.size() == 2 && found.size() >= 1);
            people.add("thread " + std::to_string(thread), seen.embedding(0));
            SearchOptions options;
            options.filter = [&](std::string_view) -> bool { throw thread; };
            bool own = false;
            try {
                static_cast<void>(people.search(faces.embedding(0), options));
            } catch (std::size_t thrown) {
                own = thrown == thread;
            }
            CHECK(own);
            // Each thread has the message of its own last error.
            CHECK_THROWS(people.get_person("nobody " + std::to_string(thread)), FACECORE_PERSON_NOT_FOUND,
                         "nobody " + std::to_string(thread));
        }
    };
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; i++)
        threads.emplace_back(work, i);
    for (auto &thread : threads)
        thread.join();
    CHECK(people.person_count() == 5);

    // What one thread made another may free.
    std::thread([made = recognizer.recognize(blank())] { CHECK(made.size() == 2); }).join();
}
