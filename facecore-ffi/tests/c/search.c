/* Searches: options, filters, batches, votes. */
#include "outputs.h"

enum { PEOPLE = 20 };

static facecore_namespace *people;
static facecore_embedding *probe;

/* The ids found, one after the other. */
static const char *found(const facecore_matches *matches)
{
    static char ids[1024];
    ids[0] = 0;
    for (size_t at = 0; at < facecore_matches_count(matches); at++) {
        facecore_match match = ZERO(facecore_match);
        OK(facecore_matches_get(matches, at, &match));
        snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%s", at == 0 ? "" : " ", match.person);
    }
    return ids;
}

static const char *searched(const facecore_search_options *options)
{
    facecore_matches *matches = NULL;
    if (!OK(facecore_namespace_search(people, probe, options, &matches))) {
        return "";
    }
    const char *ids = found(matches);
    facecore_matches_free(matches);
    return ids;
}

static void plainly(void)
{
    facecore_matches *matches = NULL;
    facecore_match match = ZERO(facecore_match);
    OK(facecore_namespace_search(people, probe, NULL, &matches));
    TEXT("p00 near", found(matches));
    OK(facecore_matches_get(matches, 0, &match));
    NEAR(1, match.score);
    NEAR(0.2, match.margin);
    CHECK(match.hits == 2 && match.has_probability == 0 && match.best_face != 0);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_matches_get(matches, 2, &out.match));
    SAYS("there is no match at 2: there are 2");
    facecore_matches_free(matches);
    OK(facecore_namespace_identify(people, probe, &matches));
    TEXT("p00", found(matches));
    facecore_matches_free(matches);
    facecore_embedding *stranger = embedding(999);
    OK(facecore_namespace_identify(people, stranger, &matches));
    CHECK(facecore_matches_count(matches) == 0);
    facecore_matches_free(matches);
    facecore_embedding_free(stranger);
    facecore_namespace *empty = namespace_in_memory("empty");
    OK(facecore_namespace_search(empty, probe, NULL, &matches));
    CHECK(facecore_matches_count(matches) == 0);
    facecore_matches_free(matches);
    facecore_namespace_free(empty);
}

static int32_t all_but_named(void *context, const char *person)
{
    return strcmp(person, context) != 0;
}

static int32_t nobody(void *context, const char *person)
{
    (void)context, (void)person;
    return 0;
}

/* A filter may call any function. */
static int32_t asks(void *context, const char *person)
{
    facecore_persons *persons = NULL;
    facecore_matches *matches = NULL;
    OK(facecore_namespace_get(people, person, &persons));
    facecore_persons_free(persons);
    OK(facecore_namespace_identify(people, probe, &matches));
    facecore_matches_free(matches);
    FAILS(FACECORE_PERSON_NOT_FOUND, facecore_namespace_get(people, "nobody", &persons));
    CHECK(facecore_namespace_person_count(people) == PEOPLE + 1);
    *(int *)context += 1;
    return 1;
}

static void options(void)
{
    facecore_search_options wanted = ZERO(facecore_search_options);
    wanted.top_k = 1;
    TEXT("p00", searched(&wanted));
    wanted.top_k = 0;
    wanted.threshold = 0.9f;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));
    SAYS("has_threshold is 0");
    wanted.has_threshold = 1;
    TEXT("p00", searched(&wanted));
    wanted.threshold = -1;
    wanted.top_k = 1000;
    facecore_matches *matches = NULL;
    OK(facecore_namespace_search(people, probe, &wanted, &matches));
    CHECK(facecore_matches_count(matches) == PEOPLE + 1);
    facecore_matches_free(matches);
    wanted.top_k = 0;
    OK(facecore_namespace_search(people, probe, &wanted, &matches));
    CHECK(facecore_matches_count(matches) == 10);
    facecore_matches_free(matches);
    wanted.threshold = 1.5f;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));
    wanted.threshold = NAN;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));

    wanted = ZERO(facecore_search_options);
    wanted.reach = FACECORE_REACH_EXACT;
    TEXT("p00 near", searched(&wanted));
    wanted.reach = FACECORE_REACH_NEAREST;
    wanted.reach_faces = 5;
    TEXT("p00 near", searched(&wanted));
    wanted.reach_faces = 0;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));
    wanted.reach = FACECORE_REACH_WITHIN;
    wanted.reach_miss = 0.01;
    TEXT("p00 near", searched(&wanted));
    const double bad[] = {-1, 0, 1, 2, NAN};
    for (size_t at = 0; at < sizeof bad / sizeof *bad; at++) {
        wanted.reach_miss = bad[at];
        LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));
    }
    const int32_t no_reach[] = {4, -1, INT32_MAX};
    for (size_t at = 0; at < sizeof no_reach / sizeof *no_reach; at++) {
        wanted.reach = no_reach[at];
        LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));
        SAYS("the reach is");
    }
}

static void filters(void)
{
    facecore_search_options wanted = ZERO(facecore_search_options);
    const char *among[] = {"near", "p07", "not enrolled"}, *excluding[] = {"p00", "nobody"}, *odd[] = {"\xFF"};
    wanted.among = among;
    wanted.among_count = 3;
    TEXT("near", searched(&wanted));
    wanted.among_count = 0;
    TEXT("", searched(&wanted));
    wanted.among = NULL;
    wanted.excluding = excluding;
    wanted.excluding_count = 2;
    TEXT("near", searched(&wanted));
    wanted.excluding_count = 0;
    TEXT("p00 near", searched(&wanted));
    char name[] = "near";
    wanted.filter = all_but_named;
    wanted.filter_context = name;
    TEXT("p00", searched(&wanted));
    wanted.excluding_count = 1;
    TEXT("", searched(&wanted));
    wanted.filter = nobody;
    wanted.filter_context = NULL;
    TEXT("", searched(&wanted));
    int calls = 0;
    wanted.excluding_count = 0;
    wanted.filter = asks;
    wanted.filter_context = &calls;
    TEXT("p00 near", searched(&wanted));
    CHECK(calls > 0);
    wanted = ZERO(facecore_search_options);
    wanted.among = odd;
    wanted.among_count = 1;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));
    SAYS("the list `among` is not UTF-8");
    wanted.among_count = SIZE_MAX;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search(people, probe, &wanted, &out.matches));
}

static void batches(void)
{
    facecore_embedding *made[3] = {embedding(3), embedding(999), embedding(1)}, *longer = NULL;
    const facecore_embedding *probes[3] = {made[0], made[1], made[2]};
    facecore_matches *lists[4] = {NULL, NULL, NULL, NULL};
    OK(facecore_namespace_search_batch(people, probes, 3, NULL, lists));
    for (size_t at = 0; at < 3; at++) {
        facecore_matches *alone = NULL;
        char ids[64];
        OK(facecore_namespace_search(people, probes[at], NULL, &alone));
        snprintf(ids, sizeof ids, "%s", found(alone));
        TEXT(ids, found(lists[at]));
        facecore_matches_free(alone);
        facecore_matches_free(lists[at]);
    }
    CHECK(lists[3] == NULL);
    facecore_space *pinned = space();
    float raw[128] = {1};
    NEED(facecore_embedding_from_raw(raw, 128, pinned, &longer));
    probes[1] = longer;
    LEAVES(FACECORE_DIMENSION_MISMATCH, facecore_namespace_search_batch(people, probes, 3, NULL, out.lists));
    SAYS("1");
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search_batch(people, probes, SIZE_MAX, NULL, out.lists));
    facecore_search_options wanted = ZERO(facecore_search_options);
    wanted.reach = 17;
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_search_batch(people, probes, 1, &wanted, out.lists));
    facecore_space_free(pinned);
    facecore_embedding_free(longer);
    for (size_t at = 0; at < 3; at++) {
        facecore_embedding_free(made[at]);
    }
}

static void votes(void)
{
    facecore_votes *given = NULL;
    facecore_vote vote = ZERO(facecore_vote);
    OK(facecore_namespace_vote(people, probe, 5, NULL, &given));
    CHECK(facecore_votes_count(given) == 1);
    OK(facecore_votes_get(given, 0, &vote));
    TEXT("p00", vote.person);
    CHECK(vote.votes == 2 && vote.voters == 3 && vote.best_face != 0);
    NEAR(1, vote.score);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_votes_get(given, 1, &out.vote));
    facecore_votes_free(given);
    facecore_embedding *stranger = embedding(999);
    OK(facecore_namespace_vote(people, stranger, 5, NULL, &given));
    CHECK(facecore_votes_count(given) == 0);
    facecore_votes_free(given);
    facecore_embedding_free(stranger);
    facecore_search_options wanted = ZERO(facecore_search_options);
    const char *excluding[] = {"p00"};
    wanted.excluding = excluding;
    wanted.excluding_count = 1;
    OK(facecore_namespace_vote(people, probe, 5, &wanted, &given));
    OK(facecore_votes_get(given, 0, &vote));
    TEXT("near", vote.person);
    facecore_votes_free(given);
    LEAVES(FACECORE_INVALID_ARGUMENT, facecore_namespace_vote(people, probe, 0, NULL, &out.votes));
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    people = namespace_in_memory("people");
    for (unsigned at = 0; at < PEOPLE; at++) {
        char id[16];
        snprintf(id, sizeof id, "p%02u", at);
        enrol(people, id, at + 1);
    }
    /* p00 has a second face that reaches the threshold, and there is one more person who does. */
    facecore_embedding *close = near(1, 0.7), *closer = near(1, 0.8);
    NEED(facecore_namespace_add(people, "p00", close, NULL));
    NEED(facecore_namespace_add(people, "near", closer, NULL));
    facecore_embedding_free(close);
    facecore_embedding_free(closer);
    probe = embedding(1);
    plainly();
    options();
    filters();
    batches();
    votes();
    facecore_embedding_free(probe);
    facecore_namespace_free(people);
    return finish();
}
