// Handles, errors, texts, lists, pixels and embeddings.
#include "check.hpp"
#include "fake.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <type_traits>
#include <vector>

using namespace facecore;

template <class H> constexpr bool is_a_handle = sizeof(H) == sizeof(void *) && std::is_nothrow_move_constructible_v<H>
    && std::is_nothrow_move_assignable_v<H> && !std::is_copy_constructible_v<H> && !std::is_copy_assignable_v<H>;
static_assert(is_a_handle<Picture> && is_a_handle<Pack> && is_a_handle<Detector> && is_a_handle<Aligner>);
static_assert(is_a_handle<Embedder> && is_a_handle<Recognizer> && is_a_handle<Faces> && is_a_handle<Embedding>);
static_assert(is_a_handle<Space> && is_a_handle<Gallery> && is_a_handle<Namespace> && is_a_handle<Persons>);
static_assert(is_a_handle<EnrolledFace> && is_a_handle<Batch> && is_a_handle<Outcomes> && is_a_handle<Matches>);
static_assert(is_a_handle<Votes> && is_a_handle<Enrolment> && is_a_handle<Recognitions> && is_a_handle<Texts>);
static_assert(sizeof(Image) == sizeof(facecore_image) && std::is_trivially_copyable_v<Image>);
static_assert(std::is_convertible_v<const Picture &, Image> && !std::is_convertible_v<Image, Picture>);
static_assert(!std::is_constructible_v<NewFace, Embedding>, "it would dangle");
static_assert(!std::is_convertible_v<facecore_space *, Space>, "taking over is said");
#if __cplusplus >= 202002L
static_assert(std::ranges::input_range<const Matches> && std::ranges::sized_range<const Faces>);
static_assert(std::ranges::input_range<const Recognitions>);
#endif

static void test_handles()
{
    Embedding one = axis(1);
    const float *values = one.values().data();
    Embedding two = std::move(one);
    CHECK(!one && one.get() == nullptr && two && two.values().data() == values);
    CHECK(one.dimension() == 0 && one.values().empty() && std::isnan(one.norm()));
    CHECK_THROWS(one.cosine(two), FACECORE_INVALID_ARGUMENT, "NULL");
    CHECK_THROWS(two.cosine(one), FACECORE_INVALID_ARGUMENT, "NULL");

    Embedding &same = two;
    two = std::move(same);
    CHECK(two && two.values().data() == values);
    std::swap(one, two);
    CHECK(one && !two);
    two = axis(2);
    two = std::move(one); // frees what it had
    CHECK(two.values().data() == values && !one);
    one = Embedding(two.release());
    CHECK(one && !two);
    std::unique_ptr<facecore_embedding, void (*)(facecore_embedding *)> raw(one.release(), facecore_embedding_free);
    CHECK(facecore_embedding_dimension(raw.get()) == 64);

    std::vector<Embedding> many;
    for (std::size_t i = 0; i < 40; i++)
        many.push_back(axis(i));
    many.erase(many.begin());
    std::rotate(many.begin(), many.begin() + 10, many.end());
    CHECK(many.size() == 39 && many.front().cosine(axis(11)) == 1 && many.back().cosine(axis(10)) == 1);
    std::map<std::string, Space> spaces;
    spaces.emplace("a", Space("space a", 0.25F));
    spaces["b"] = Space("space b", 0.5F);
    CHECK(spaces.at("a").id() == "space a" && spaces.at("b").threshold() == 0.5F);

    // Nothing that was default constructed does harm.
    CHECK(Faces().empty() && Texts().empty() && Matches().begin() == Matches().end() && Space().id().empty());
    CHECK(Namespace().person_count() == 0 && Recognizer().dimension() == 0 && Embedder().dimension() == 0);
    CHECK(Namespace().name().empty() && Enrolment().faces() == 0);
    CHECK_THROWS(Faces()[0], FACECORE_INVALID_ARGUMENT, "no element at 0");
    CHECK_THROWS(Gallery().namespaces(), FACECORE_INVALID_ARGUMENT, "NULL");
    CHECK_THROWS(Recognizer().recognize(blank()), FACECORE_INVALID_ARGUMENT, "NULL");
    CHECK_THROWS(Picture().image(), FACECORE_INVALID_ARGUMENT, "NULL");
    Batch moved;
    const Batch batch = std::move(moved);
    CHECK(batch && batch.size() == 0 && moved.size() == 0);
    CHECK_THROWS(moved.remove_face(1), FACECORE_INVALID_ARGUMENT, "NULL");
}

static void test_errors()
{
    CHECK(version().size() >= 5);
    check(FACECORE_OK);
    CHECK_THROWS(check(facecore_fake_panic()), FACECORE_INTERNAL, "injected");
    // A status that is of no call of this thread has no message to show.
    CHECK_THROWS(check(FACECORE_IO), FACECORE_IO, "facecore failed");
    try {
        static_cast<void>(Picture::open("/nowhere/photo.jpg"));
        CHECK(false);
    } catch (const std::runtime_error &caught) {
        const auto &error = dynamic_cast<const Error &>(caught);
        CHECK(error.status() == FACECORE_IO && error.name() == "FACECORE_IO");
        CHECK(std::string(error.what()).find("/nowhere/photo.jpg") != std::string::npos);
    }
    CHECK(Error(77, "made up").name().empty());
}

static void test_texts()
{
    const std::string text = "thé";
    Text of_string(text);
    CHECK(of_string.get() == text.c_str()); // not copied
    CHECK(Text(std::string_view("abcdef").substr(0, 3)).get() == std::string("abc"));
    CHECK(Text(std::filesystem::path("a") / "b").get() == std::string("a/b"));
    CHECK(Text(nullptr).get() == nullptr && Text(std::nullopt).get() == nullptr && Text("").get() != nullptr);
    CHECK(Text(std::optional<std::string_view>("x")).get() == std::string("x"));
    CHECK_THROWS(Text(std::string("ann\0bob", 7)), FACECORE_INVALID_ARGUMENT, "NUL character within: ann");
    CHECK_THROWS(Text(std::string_view("ann\0", 4)), FACECORE_INVALID_ARGUMENT, "NUL");
    const auto people = Gallery::in_memory().open_namespace("x");
    CHECK_THROWS(people.add(std::string("ann\0", 4), axis(0)), FACECORE_INVALID_ARGUMENT, "NUL");
    CHECK_THROWS(people.add("\xff", axis(0)), FACECORE_INVALID_ARGUMENT, "UTF-8");
    CHECK_THROWS(people.add(nullptr, axis(0)), FACECORE_INVALID_ARGUMENT, "NULL");
    CHECK(people.person_count() == 0);
}

static void test_lists()
{
    const auto gallery = Gallery::in_memory();
    for (const char *name : { "c", "a", "b" })
        static_cast<void>(gallery.open_namespace(name));
    Texts names = gallery.namespaces();
    CHECK(names.size() == 3 && names[2] == "c");
    CHECK_THROWS(names[3], FACECORE_INVALID_ARGUMENT, "no element at 3: there are 3, counted from 0");
    std::string all;
    for (const auto name : gallery.namespaces())
        all += name;
    CHECK(all == "abc");
    const std::vector<std::string_view> copied(names.begin(), names.end());
    auto first = names.begin();
    const Texts moved = std::move(names);
    // Views and iterators survive a move of the list.
    CHECK(copied.size() == 3 && copied[1] == "b" && *first == "a" && first->size() == 1);
    CHECK(*first++ == "a" && *first == "b" && ++first != moved.end() && ++first == moved.end());
    CHECK(std::find(moved.begin(), moved.end(), "b") != moved.end() && names.empty());
}

static void test_spans()
{
    const std::vector<float> values{ 1, 2, 3 };
    const Span<const float> span = values;
    CHECK(span.data() == values.data() && span.size() == 3 && span[2] == 3 && *span.begin() == 1);
    CHECK(Span<const float>().empty() && Span<const float>(values.data(), 1).end() == values.data() + 1);
    static_assert(!std::is_convertible_v<std::vector<double>, Span<const float>>);
    float sum = 0;
    for (const float value : span)
        sum += value;
    CHECK(sum == 6);
}

static void test_pixels()
{
    std::vector<std::uint8_t> pixels(4 * 2 * 3);
    pixels[0] = 10; // the first pixel's red
    Image image(pixels.data(), pixels.size(), 4, 2, Format::rgb);
    CHECK(image.data == pixels.data() && image.width == 4 && image.stride == 0 && image.struct_size == sizeof image);
    const auto picture = Picture::copy(image);
    CHECK(picture.image().width == 4 && picture.image().data[0] == 10 && picture.image().data != pixels.data());
    image.rotation = 90;
    const auto upright = Picture::copy(image);
    const Image view = upright;
    CHECK(view.width == 2 && view.height == 4 && view.data[3] == 10 && view.len == 24);
    image.rotation = 45;
    CHECK_THROWS(Picture::copy(image), FACECORE_INVALID_ARGUMENT, "45");
    CHECK_THROWS(Picture::copy(Image(pixels.data(), 5, 4, 2)), FACECORE_IMAGE_LAYOUT, "");
    CHECK_THROWS(Picture::copy(Image(pixels.data(), pixels.size(), 4, 2, Format::rgb, 3)), FACECORE_IMAGE_LAYOUT, "");
    CHECK(Picture::copy(Image(pixels.data(), 12, 2, 2, Format::bgr, 6)).image().data[2] == 10);

    Image frame(pixels.data(), 8, 4, 2, Format::nv21);
    frame.chroma = pixels.data() + 8;
    frame.chroma_len = 4;
    frame.chroma_stride = 4;
    CHECK(Picture::copy(frame).image().len == 24);

    // A bitmap of one pixel.
    const std::vector<std::uint8_t> bitmap{ 'B', 'M', 58, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0,
                                            0, 1, 0, 24, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                            0, 0, 3, 2, 1, 0 };
    const auto decoded = Picture::decode(bitmap);
    CHECK(decoded.image().len == 3 && decoded.image().data[0] == 1 && decoded.image().data[2] == 3);
    DecodeOptions options;
    options.max_bytes = 10;
    CHECK_THROWS(Picture::decode(bitmap, options), FACECORE_IMAGE_TOO_LARGE, "");
    CHECK_THROWS(Picture::decode({}), FACECORE_INVALID_ARGUMENT, "NULL");
    CHECK_THROWS(Picture::decode(pixels), FACECORE_IMAGE_FORMAT, "");
}

static void test_embeddings()
{
    const Space space("test", 0.5F);
    std::vector<float> raw(64);
    raw[0] = 3;
    raw[1] = 4;
    const auto one = Embedding::from_raw(raw, space);
    CHECK(one.norm() == 5 && one.dimension() == 64 && std::abs(one.values()[0] - 0.6F) < 1e-6F);
    CHECK(one.space().id() == "test" && one.space().threshold() == 0.5F);
    std::vector<float> kept(one.values().begin(), one.values().end());
    const auto two = Embedding::from_stored(kept, one.norm(), space);
    CHECK(two.norm() == 5 && std::equal(kept.begin(), kept.end(), two.values().begin()));
    CHECK(std::abs(one.cosine(axis(0)) - 0.6F) < 1e-6F && std::abs(one.euclidean(axis(0)) - std::sqrt(0.8F)) < 1e-6F);
    std::vector<float> copied(64);
    CHECK(one.copy(copied.data(), copied.size()) == 64 && copied == kept);
    CHECK_THROWS(one.copy(copied.data(), 63), FACECORE_BUFFER_TOO_SMALL, "63");
    CHECK_THROWS(Embedding::from_raw(std::vector<float>(64), space), FACECORE_INVALID_EMBEDDING, "");
    CHECK_THROWS(Embedding::from_stored(raw, 1, space), FACECORE_INVALID_EMBEDDING, "");
    CHECK_THROWS(one.cosine(Embedding::from_raw(raw, Space("other", 0))), FACECORE_EMBEDDING_SPACE_MISMATCH, "other");
}

void test_basics()
{
    test_handles();
    test_errors();
    test_texts();
    test_lists();
    test_spans();
    test_pixels();
    test_embeddings();
}
