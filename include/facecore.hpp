/*
 * facecore for C++17 and later: facecore.h as classes, without further dependencies and without a cost of its own.
 * What functions do, with which errors, and what fields mean is said in facecore.h, under the names they have there;
 * here only what is different:
 *
 * Errors are thrown, as facecore::Error with the status. Exceptions of callbacks pass by the library: the search,
 * export or import is given up, and then the first of them is thrown on. (Do not cancel threads within callbacks.)
 *
 * Handles are classes as small as a pointer, which can be moved but not copied, and free what they hold. Default
 * constructed ones (but for Batch) and those that were moved from are empty: false as a condition, of size, count and
 * dimension 0, and what else is asked of them throws Error with FACECORE_INVALID_ARGUMENT. `get` gives the pointer to
 * functions of facecore.h, `release` gives it up, and a constructor takes one over. Functions are const as facecore.h
 * has it: any number of threads may call them on the same object, also those that change people.
 *
 * Lists (Faces, Matches, Persons, ...) are gone through with `for`, and give plain structs by value. Every
 * std::string_view and Span in these looks into the memory of the handle that was asked, and is valid as long as that
 * one, also if it is moved. All these views are of C strings: NUL comes after their end.
 *
 * Options that hold texts own them, and take an empty one for none. The others are the structs of facecore.h.
 */
#ifndef FACECORE_HPP
#define FACECORE_HPP

#include "facecore.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace facecore {

/* A call that failed: what() tells the cause and the remedy. */
class Error : public std::runtime_error {
public:
    Error(int32_t status, const std::string &message) : std::runtime_error(message), status_(status) {}
    /* A number of the table of errors, such as FACECORE_NO_FACE. */
    [[nodiscard]] int32_t status() const noexcept { return status_; }
    /* Its name; empty if the library knows none. */
    [[nodiscard]] std::string_view name() const noexcept
    {
        const char *known = facecore_status_name(status_);
        return known ? known : "";
    }

private:
    int32_t status_;
};

/* Throws if a function of facecore.h that was just called on this thread failed. */
inline void check(int32_t status)
{
    if (status != FACECORE_OK)
        throw Error(status, facecore_last_error_status() == status ? facecore_last_error_message() : "facecore failed");
}

[[nodiscard]] inline std::string_view version() noexcept { return facecore_version(); }

/* Throws if the library that was loaded does not fit the header that this program was built with. */
inline void check_abi()
{
    if (!facecore_abi_is_compatible(FACECORE_ABI_MAJOR, FACECORE_ABI_MINOR))
        throw Error(FACECORE_INVALID_ARGUMENT,
                    "libfacecore " + std::string(version()) + " does not fit this program, which needs one of ABI "
                        + std::to_string(FACECORE_ABI_MAJOR) + "." + std::to_string(FACECORE_ABI_MINOR));
}

/* Elements of somebody else's, one after the other: std::span for C++17. */
template <class T> class Span {
public:
    constexpr Span() noexcept = default;
    constexpr Span(T *data, size_t size) noexcept : data_(data), size_(size) {}
    /* Of a std::vector, std::array, std::span: anything with data() and size(). */
    template <class C, class E = std::remove_pointer_t<decltype(std::declval<const C &>().data())>,
              class = std::enable_if_t<std::is_convertible_v<E (*)[], T (*)[]>>>
    constexpr Span(const C &elements) noexcept : data_(elements.data()), size_(elements.size()) {}
    [[nodiscard]] constexpr T *data() const noexcept { return data_; }
    [[nodiscard]] constexpr size_t size() const noexcept { return size_; }
    [[nodiscard]] constexpr bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] constexpr T *begin() const noexcept { return data_; }
    [[nodiscard]] constexpr T *end() const noexcept { return data_ + size_; }
    [[nodiscard]] constexpr T &operator[](size_t index) const noexcept { return data_[index]; }

private:
    T *data_ = nullptr;
    size_t size_ = 0;
};

using Bytes = Span<const uint8_t>;

/* A text or path as an argument: a literal, std::string, std::string_view or (on Unix) std::filesystem::path; nullptr
 * or an empty std::optional where none is allowed. A NUL within it, which C would take for its end, is refused. */
class Text {
public:
    Text(const char *text) noexcept : text_(text) {}
    Text(const std::string &text) : text_(checked(text)) {}
    Text(std::string_view text) : copy_(text), text_(checked(copy_)) {}
    Text(const std::optional<std::string_view> &text)
        : copy_(text.value_or("")), text_(text ? checked(copy_) : nullptr) {}
    template <class P, class S = decltype(std::declval<const P &>().native()),
              class = std::enable_if_t<std::is_same_v<S, const std::string &>>>
    Text(const P &path) : Text(path.native()) {}
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    [[nodiscard]] const char *get() const noexcept { return text_; }
    static const char *checked(const std::string &text)
    {
        if (text.find('\0') != std::string::npos)
            throw Error(FACECORE_INVALID_ARGUMENT, "a text has a NUL character within: " + std::string(text.c_str()));
        return text.c_str();
    }

private:
    std::string copy_;
    const char *text_;
};

/* A struct of facecore.h, all zero but for its struct_size. */
template <class S> struct Sized : S {
    Sized() noexcept : S{} { this->struct_size = sizeof(S); }
    [[nodiscard]] const S *get() const noexcept { return this; }
};

/* How the library is called; of no concern to programs. */
namespace detail {

/* An argument as C takes it. */
template <class A> auto arg(A &argument, int) noexcept -> decltype(argument.get()) { return argument.get(); }
template <class A> auto arg(A &argument, long) noexcept
{
    if constexpr (std::is_enum_v<A>)
        return static_cast<int32_t>(argument);
    else
        return argument;
}

template <class F, class... A> void call(F function, A &&...arguments) { check(function(arg(arguments, 0)...)); }

template <class N, class F, class... A> [[nodiscard]] N tell(F function, A &&...arguments)
{
    N told{};
    call(function, arguments..., &told);
    return told;
}

} // namespace detail

/* What handles have in common. */
template <class T, void (*Free)(T *)> class Handle {
public:
    using pointer = T *;
    Handle() noexcept = default;
    explicit Handle(T *taken) noexcept : owned_(taken) {}
    [[nodiscard]] T *get() noexcept { return owned_.get(); }
    [[nodiscard]] const T *get() const noexcept { return owned_.get(); }
    [[nodiscard]] T *release() noexcept { return owned_.release(); }
    [[nodiscard]] explicit operator bool() const noexcept { return owned_ != nullptr; }

protected:
    /* What a function writes to its last argument: a handle like this, */
    template <class F, class... A> [[nodiscard]] static T *made(F function, A &&...arguments)
    {
        return detail::tell<T *>(function, arguments...);
    }
    /* or, asked of this one, a handle of another type, a number or struct, or nothing. */
    template <class H, class F, class... A> [[nodiscard]] H make(F function, A &&...arguments) const
    {
        return H(detail::tell<typename H::pointer>(function, get(), arguments...));
    }
    template <class N, class F, class... A> [[nodiscard]] N tell(F function, A &&...arguments) const
    {
        return detail::tell<N>(function, get(), arguments...);
    }
    template <class F, class... A> void call(F function, A &&...arguments) const
    {
        detail::call(function, get(), arguments...);
    }

private:
    struct Freeing {
        void operator()(T *handle) const noexcept { Free(handle); }
    };
    std::unique_ptr<T, Freeing> owned_;
};

namespace detail {

inline std::string_view view(const char *text) noexcept { return text ? text : std::string_view(); }
inline std::optional<std::string_view> maybe(const char *text) noexcept
{
    return text ? std::optional<std::string_view>(text) : std::nullopt;
}
inline std::optional<float> maybe(int32_t has, float value) noexcept
{
    return has ? std::optional<float>(value) : std::nullopt;
}
inline const char *or_null(const std::string &text) { return text.empty() ? nullptr : Text::checked(text); }

/* Texts as C takes them, with NULL after the last. */
inline std::vector<const char *> pointers(const std::vector<std::string> &texts)
{
    std::vector<const char *> all;
    std::transform(texts.begin(), texts.end(), std::back_inserter(all), Text::checked);
    all.push_back(nullptr);
    return all;
}

/* A function of the caller's, which may be asked on several threads; its exceptions wait until C has returned. */
template <class F> struct Callback {
    F &function;
    std::atomic<bool> failed{ false };
    std::exception_ptr first{};

    template <class R, class Body> R run(R otherwise, Body body) noexcept
    {
        if (failed.load(std::memory_order_relaxed))
            return otherwise;
        try {
            return body(function);
        } catch (...) {
            if (!failed.exchange(true))
                first = std::current_exception();
            return otherwise;
        }
    }
    void check(int32_t status) const
    {
        if (first)
            std::rethrow_exception(first);
        facecore::check(status);
    }
};

/* Looks at elements of a list, which are made as they are looked at. */
template <class T, auto Read> class Iterator {
public:
    using value_type = decltype(Read(nullptr, 0));
    using reference = value_type;
    using difference_type = ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    struct pointer {
        value_type value;
        value_type *operator->() noexcept { return &value; }
    };
    Iterator() noexcept = default;
    Iterator(const T *list, size_t at) noexcept : list_(list), at_(at) {}
    [[nodiscard]] value_type operator*() const { return Read(list_, at_); }
    [[nodiscard]] pointer operator->() const { return { **this }; }
    Iterator &operator++() noexcept { return at_++, *this; }
    Iterator operator++(int) noexcept { return { list_, at_++ }; }
    friend bool operator==(const Iterator &a, const Iterator &b) noexcept { return a.at_ == b.at_; }
    friend bool operator!=(const Iterator &a, const Iterator &b) noexcept { return a.at_ != b.at_; }

private:
    const T *list_ = nullptr;
    size_t at_ = 0;
};

} // namespace detail

/* What lists have in common. */
template <class T, void (*Free)(T *), size_t (*Count)(const T *), auto Read> class List : public Handle<T, Free> {
public:
    using Handle<T, Free>::Handle;
    using iterator = detail::Iterator<T, Read>;
    using const_iterator = iterator;
    using value_type = typename iterator::value_type;
    [[nodiscard]] size_t size() const noexcept { return Count(this->get()); }
    [[nodiscard]] bool empty() const noexcept { return size() == 0; }
    [[nodiscard]] iterator begin() const noexcept { return { this->get(), 0 }; }
    [[nodiscard]] iterator end() const noexcept { return { this->get(), size() }; }
    /* Throws Error with FACECORE_INVALID_ARGUMENT if there is no such element. What an element points to is gone with the
     * list: name the list, unless the element is used up in the same expression. */
    [[nodiscard]] value_type operator[](size_t index) const
    {
        if (index >= size())
            throw Error(FACECORE_INVALID_ARGUMENT, "there is no element at " + std::to_string(index) + ": there are "
                                                       + std::to_string(size()) + ", counted from 0");
        return Read(this->get(), index);
    }
};

namespace detail {
inline std::string_view read_text(const facecore_texts *list, size_t at) { return view(facecore_texts_get(list, at)); }
} // namespace detail

struct Texts : List<facecore_texts, facecore_texts_free, facecore_texts_count, detail::read_text> {
    using List::List;
};

// Pixels.

using DecodeOptions = Sized<facecore_decode_options>;

enum class Format : int32_t {
    rgb = FACECORE_RGB, bgr = FACECORE_BGR, rgba = FACECORE_RGBA, bgra = FACECORE_BGRA, gray = FACECORE_GRAY,
    nv12 = FACECORE_NV12, nv21 = FACECORE_NV21
};

class Picture;

/* A view of pixels, which stay where they are: the caller's, or those of a picture that outlives the view. What the
 * constructor does not take, such as `rotation`, is set in the fields. */
struct Image : Sized<facecore_image> {
    Image(const uint8_t *pixels, size_t bytes, size_t columns, size_t rows, Format layout = Format::rgb,
          size_t bytes_a_row = 0) noexcept
    {
        data = pixels, len = bytes, width = columns, height = rows, stride = bytes_a_row;
        format = static_cast<int32_t>(layout);
    }
    Image(const Picture &picture);
};

class Picture : public Handle<facecore_picture, facecore_picture_free> {
public:
    using Handle::Handle;
    [[nodiscard]] static Picture open(const Text &path, const DecodeOptions &options = {})
    {
        return Picture(made(facecore_picture_open, path, options));
    }
    [[nodiscard]] static Picture decode(Bytes encoded, const DecodeOptions &options = {})
    {
        return Picture(made(facecore_picture_decode, encoded.data(), encoded.size(), options));
    }
    [[nodiscard]] static Picture copy(const Image &image) { return Picture(made(facecore_picture_copy, image)); }
    [[nodiscard]] Image image() const { return *this; }
};

inline Image::Image(const Picture &picture)
    : Sized(detail::tell<Sized<facecore_image>>(facecore_picture_image, picture)) {}

// Models, and how they run.

struct PackInfo {
    std::string_view name, version, licence;
    std::optional<std::string_view> detector_licence, detector_sha256, embedder_licence, embedder_sha256;
};

struct PackFile {
    std::string name;
    Bytes content;
};

class Pack : public Handle<facecore_pack, facecore_pack_free> {
public:
    using Handle::Handle;
    explicit Pack(const Text &folder) : Handle(made(facecore_pack_open, folder)) {}
    [[nodiscard]] static Pack from_memory(const Text &manifest, const std::vector<PackFile> &files)
    {
        std::vector<const char *> names;
        std::vector<const uint8_t *> contents;
        std::vector<size_t> lengths;
        for (const PackFile &file : files) {
            names.push_back(Text::checked(file.name));
            contents.push_back(file.content.data());
            lengths.push_back(file.content.size());
        }
        return Pack(made(facecore_pack_from_memory, manifest, names.data(), contents.data(), lengths.data(),
                                  files.size()));
    }
    [[nodiscard]] PackInfo info() const
    {
        using detail::maybe;
        const auto raw = tell<Sized<facecore_pack_info>>(facecore_pack_get_info);
        return { raw.name, raw.version, raw.licence, maybe(raw.detector_licence), maybe(raw.detector_sha256),
                 maybe(raw.embedder_licence), maybe(raw.embedder_sha256) };
    }
};

[[nodiscard]] inline std::optional<std::string_view> lite_licence() noexcept
{
    return detail::maybe(facecore_lite_licence());
}

enum class Runtime : int32_t {
    automatic = FACECORE_RUNTIME_AUTO, onnxruntime = FACECORE_RUNTIME_ONNXRUNTIME, builtin = FACECORE_RUNTIME_BUILTIN
};
enum class Provider : int32_t {
    automatic = FACECORE_PROVIDER_AUTO, cpu = FACECORE_PROVIDER_CPU, openvino = FACECORE_PROVIDER_OPENVINO,
    cuda = FACECORE_PROVIDER_CUDA, tensorrt = FACECORE_PROVIDER_TENSORRT
};
enum class Precision : int32_t { full = FACECORE_PRECISION_FULL, fast = FACECORE_PRECISION_FAST };
enum class Flip : int32_t { none = FACECORE_FLIP_NONE, sum = FACECORE_FLIP_SUM, concat = FACECORE_FLIP_CONCAT };

/* Which packs are let in, by what their licences allow. */
enum class Policy : int32_t { any = FACECORE_POLICY_ANY, commercial = FACECORE_POLICY_COMMERCIAL };

/* What faces of a gallery are found with: `GalleryOptions::index`, `NamespaceStats::index`. */
enum class Index : int32_t { automatic = FACECORE_INDEX_AUTO, flat = FACECORE_INDEX_FLAT, hnsw = FACECORE_INDEX_HNSW };

struct RuntimeOptions {
    Runtime runtime = Runtime::automatic;
    Provider provider = Provider::automatic;
    bool allow_fallback = false;
    Precision precision = Precision::full;
    size_t threads = 0, concurrency = 0;
    std::string library{}, openvino_device{};
    int32_t gpu = 0;
    std::string cache_folder{};
    size_t gpu_memory = 0;
    std::vector<std::string> setting_names{}, setting_values{};
};

/* `input_size` is one of FACECORE_INPUT_AUTO, FACECORE_INPUT_LETTERBOX and FACECORE_INPUT_NATIVE. */
using DetectorOptions = Sized<facecore_detector_options>;

/* Which models, and how they run: `facecore::Options options; options.pack = "packs/office";`, or the name of an
 * installed pack. The opened pack and the
 * bytes are the caller's, and must be there until the call has returned. */
struct Options {
    std::string pack{};
    const Pack *opened_pack = nullptr;
    std::string detector{}, detector_kind{};
    Bytes detector_bytes{};
    std::string embedder{}, embedder_kind{};
    Bytes embedder_bytes{};
    Flip flip = Flip::none;
    std::optional<float> threshold{};
    bool many_photos = false;
    RuntimeOptions runtime{};
    DetectorOptions detection{};
    DecodeOptions decoding{};
    Policy pack_policy = Policy::any;
};

namespace detail {

/* Options as C has them, with pointers into those they are made of. */
struct CRuntime : Sized<facecore_runtime_options> {
    std::vector<const char *> names, values;

    explicit CRuntime(const RuntimeOptions &from)
        : names(pointers(from.setting_names)), values(pointers(from.setting_values))
    {
        if (names.size() != values.size())
            throw Error(FACECORE_INVALID_ARGUMENT, "there must be as many setting_values as setting_names");
        runtime = arg(from.runtime, 0), provider = arg(from.provider, 0), precision = arg(from.precision, 0);
        allow_fallback = from.allow_fallback, threads = from.threads, concurrency = from.concurrency;
        library = or_null(from.library), openvino_device = or_null(from.openvino_device), gpu = from.gpu;
        cache_folder = or_null(from.cache_folder), gpu_memory = from.gpu_memory;
        setting_names = names.data(), setting_values = values.data(), setting_count = from.setting_names.size();
    }
    CRuntime(const CRuntime &) = delete;
};

struct COptions : Sized<facecore_options> {
    CRuntime chosen;

    explicit COptions(const Options &from) : chosen(from.runtime)
    {
        pack = or_null(from.pack), opened_pack = from.opened_pack ? from.opened_pack->get() : nullptr;
        detector = or_null(from.detector), detector_kind = or_null(from.detector_kind);
        detector_bytes = from.detector_bytes.data(), detector_len = from.detector_bytes.size();
        embedder = or_null(from.embedder), embedder_kind = or_null(from.embedder_kind);
        embedder_bytes = from.embedder_bytes.data(), embedder_len = from.embedder_bytes.size();
        flip = arg(from.flip, 0), has_threshold = from.threshold.has_value(), threshold = from.threshold.value_or(0.0F);
        many_photos = from.many_photos;
        runtime = chosen.get(), detection = from.detection.get(), decoding = from.decoding.get();
        pack_policy = arg(from.pack_policy, 0);
    }
    COptions(const COptions &) = delete;
};

} // namespace detail

// Packs by name.

enum class LicenceClass : int32_t {
    unknown = FACECORE_LICENCE_UNKNOWN, permissive = FACECORE_LICENCE_PERMISSIVE,
    research_only = FACECORE_LICENCE_RESEARCH_ONLY
};
enum class ModelsState : int32_t {
    available = FACECORE_MODELS_AVAILABLE, installed = FACECORE_MODELS_INSTALLED, damaged = FACECORE_MODELS_DAMAGED,
    embedded = FACECORE_MODELS_EMBEDDED
};
enum class Part : int32_t { detector = FACECORE_PART_DETECTOR, embedder = FACECORE_PART_EMBEDDER };
enum class Checksum : int32_t {
    unknown = FACECORE_CHECKSUM_UNKNOWN, pinned = FACECORE_CHECKSUM_PINNED, declared = FACECORE_CHECKSUM_DECLARED,
    recorded = FACECORE_CHECKSUM_RECORDED
};
enum class Stage : int32_t {
    waiting = FACECORE_STAGE_WAITING, downloading = FACECORE_STAGE_DOWNLOADING, unpacking = FACECORE_STAGE_UNPACKING,
    testing = FACECORE_STAGE_TESTING
};

/* How far the installing of a pack is; `total` is 0 where it is not known. */
struct Progress {
    Stage stage;
    std::string_view file;
    uint64_t done, total;
};

/* How packs are installed, and where they are kept. `progress` answers whether to go on; it may throw: then the work is
 * given up. */
struct ModelsOptions {
    std::string cache{};
    bool accept_licence = false;
    Policy policy = Policy::any;
    std::vector<std::string> mirrors{};
    bool mirrors_only = false;
    std::function<bool(const Progress &)> progress{};
    RuntimeOptions runtime{};
    std::string certificates{};
    uint32_t connect_seconds = 0, stall_seconds = 0;
};

struct ModelsFile {
    Part part;
    std::string_view name;
    uint64_t bytes;
    std::optional<std::string_view> sha256;
    Checksum checksum;
    std::optional<std::string_view> kind;
};

struct ModelsInfo {
    std::string_view name;
    ModelsState state;
    std::optional<std::string_view> about;
    std::string_view version, licence;
    LicenceClass licence_class;
    std::optional<std::string_view> folder, origin, archive_sha256;
    uint64_t download_bytes, unfinished_bytes, installed;
    std::vector<ModelsFile> files;
    std::vector<std::string_view> sources;
};

namespace detail {

struct CModels : Sized<facecore_models_options> {
    using Heard = Callback<const std::function<bool(const Progress &)>>;
    CRuntime chosen;
    std::vector<const char *> addresses;
    Heard heard;

    explicit CModels(const ModelsOptions &from)
        : chosen(from.runtime), addresses(pointers(from.mirrors)), heard{ from.progress }
    {
        cache = or_null(from.cache), accept_licence = from.accept_licence, policy = arg(from.policy, 0);
        mirrors = addresses.data(), mirror_count = from.mirrors.size(), mirrors_only = from.mirrors_only;
        runtime = chosen.get(), certificates = or_null(from.certificates);
        connect_seconds = from.connect_seconds, stall_seconds = from.stall_seconds;
        if (from.progress)
            progress = tell_progress, context = &heard;
    }
    CModels(const CModels &) = delete;

    static int32_t tell_progress(void *told, int32_t stage, const char *file, uint64_t done, uint64_t total) noexcept
    {
        const Progress now{ static_cast<Stage>(stage), view(file), done, total };
        return static_cast<Heard *>(told)->run(1, [&](const auto &function) { return function(now) ? 0 : 1; });
    }
};

inline ModelsInfo read_models(const facecore_models *list, size_t at)
{
    const auto raw = tell<Sized<facecore_models_info>>(facecore_models_get, list, at);
    ModelsInfo info{ raw.name, static_cast<ModelsState>(raw.state), maybe(raw.about), raw.version, raw.licence,
                     static_cast<LicenceClass>(raw.licence_class), maybe(raw.folder), maybe(raw.origin),
                     maybe(raw.archive_sha256), raw.download_bytes, raw.unfinished_bytes, raw.installed, {}, {} };
    for (size_t i = 0; i < raw.file_count; i++) {
        const auto file = tell<Sized<facecore_models_file>>(facecore_models_get_file, list, at, i);
        info.files.push_back({ static_cast<Part>(file.part), file.name, file.bytes, maybe(file.sha256),
                               static_cast<Checksum>(file.checksum), maybe(file.kind) });
    }
    for (size_t i = 0; i < raw.source_count; i++)
        info.sources.push_back(view(facecore_models_get_source(list, at, i)));
    return info;
}

} // namespace detail

/* Packs; those that install, verify or import give a list of the one. */
struct Models : List<facecore_models, facecore_models_free, facecore_models_count, detail::read_models> {
    using List::List;
    [[nodiscard]] static Models list(const ModelsOptions &options = {})
    {
        const detail::CModels asked(options);
        return Models(made(facecore_models_list, asked));
    }
    static Models pull(const Text &name, const ModelsOptions &options)
    {
        const detail::CModels asked(options);
        return run(asked, facecore_models_pull, name, asked);
    }
    /* `name` may be left out: an empty one leaves it to the files. */
    static Models import(const Text &from, const ModelsOptions &options, const std::string &name = {})
    {
        const detail::CModels asked(options);
        return run(asked, facecore_models_import, from, detail::or_null(name), asked);
    }
    /* What `import` would install: name, version and licence. */
    [[nodiscard]] static Models find_in(const Text &from, const std::string &name = {}, const ModelsOptions &options = {})
    {
        const detail::CModels asked(options);
        return run(asked, facecore_models_find_in, from, detail::or_null(name), asked);
    }
    static Models verify(const Text &name, const ModelsOptions &options = {})
    {
        const detail::CModels asked(options);
        return run(asked, facecore_models_verify, name, asked);
    }
    static void remove(const Text &name, const ModelsOptions &options = {})
    {
        const detail::CModels asked(options);
        asked.heard.check(facecore_models_remove(name.get(), asked.get()));
    }

private:
    template <class F, class... A> static Models run(const detail::CModels &asked, F function, const A &...arguments)
    {
        facecore_models *list = nullptr;
        asked.heard.check(function(detail::arg(arguments, 0)..., &list));
        return Models(list);
    }
};

/* A JSON object, in the form that docs/c-abi.md describes. */
[[nodiscard]] inline std::string runtime_report(const RuntimeOptions &options = {})
{
    using Report = Handle<char, facecore_text_free>;
    return Report(detail::tell<char *>(facecore_runtime_report, detail::CRuntime(options))).get();
}

struct Placement {
    std::string_view runtime, provider, device, precision;
    size_t threads;
    std::string_view notes;
};

namespace detail {
inline Placement placement(const Sized<facecore_placement> &told) noexcept
{
    return { told.runtime, told.provider, told.device, told.precision, told.threads, told.notes };
}
} // namespace detail

// Faces and embeddings.

class Space : public Handle<facecore_space, facecore_space_free> {
public:
    using Handle::Handle;
    Space(const Text &id, float threshold) : Handle(made(facecore_space_new, id, threshold)) {}
    [[nodiscard]] std::string_view id() const noexcept { return detail::view(facecore_space_id(get())); }
    [[nodiscard]] float threshold() const noexcept { return facecore_space_threshold(get()); }
};

class Embedding : public Handle<facecore_embedding, facecore_embedding_free> {
public:
    using Handle::Handle;
    [[nodiscard]] static Embedding from_raw(Span<const float> values, const Space &space)
    {
        return Embedding(made(facecore_embedding_from_raw, values.data(), values.size(), space));
    }
    [[nodiscard]] static Embedding from_stored(Span<const float> values, float norm, const Space &space)
    {
        return Embedding(made(facecore_embedding_from_stored, values.data(), values.size(), norm, space));
    }
    /* Another handle to the same values. */
    [[nodiscard]] Embedding clone() const { return make<Embedding>(facecore_embedding_clone); }
    [[nodiscard]] size_t dimension() const noexcept { return facecore_embedding_dimension(get()); }
    [[nodiscard]] Span<const float> values() const noexcept { return { facecore_embedding_data(get()), dimension() }; }
    /* Gives how many values there are. */
    size_t copy(float *values, size_t capacity) const
    {
        return tell<size_t>(facecore_embedding_copy, values, capacity);
    }
    [[nodiscard]] float norm() const noexcept { return facecore_embedding_norm(get()); }
    [[nodiscard]] Space space() const { return make<Space>(facecore_embedding_space); }
    [[nodiscard]] float cosine(const Embedding &other) const { return tell<float>(facecore_embedding_cosine, other); }
    [[nodiscard]] float euclidean(const Embedding &other) const
    {
        return tell<float>(facecore_embedding_euclidean, other);
    }
};

using Point = facecore_point;
using Landmarks = std::array<Point, 5>;

struct Face {
    /* Where it is in the list, to ask for its embedding. */
    size_t index;
    float x1, y1, x2, y2, score;
    std::optional<Landmarks> landmarks;
};

using FacesInfo = Sized<facecore_faces_info>;

namespace detail {
inline Face read_face(const facecore_faces *list, size_t at)
{
    const auto raw = tell<Sized<facecore_face>>(facecore_faces_get, list, at);
    Face face{ at, raw.x1, raw.y1, raw.x2, raw.y2, raw.score, std::nullopt };
    if (raw.has_landmarks)
        std::copy_n(raw.landmarks, 5, face.landmarks.emplace().begin());
    return face;
}
} // namespace detail

struct Faces : List<facecore_faces, facecore_faces_free, facecore_faces_count, detail::read_face> {
    using List::List;
    /* It outlives the list. */
    [[nodiscard]] Embedding embedding(size_t index) const { return make<Embedding>(facecore_faces_embedding, index); }
    /* How many values an embedding has; 0 if there are none. */
    [[nodiscard]] size_t dimension() const noexcept { return facecore_faces_dimension(get()); }
    /* The values of an embedding in the list's own memory; empty if there is none. */
    [[nodiscard]] Span<const float> values(size_t index) const noexcept
    {
        const float *data = facecore_faces_embedding_data(get(), index);
        return { data, data ? dimension() : 0 };
    }
    /* Gives how many values each has. */
    size_t copy_embeddings(float *values, size_t capacity) const
    {
        return tell<size_t>(facecore_faces_copy_embeddings, values, capacity);
    }
    [[nodiscard]] FacesInfo info() const { return tell<FacesInfo>(facecore_faces_get_info); }
};

class Aligner : public Handle<facecore_aligner, facecore_aligner_free> {
public:
    using Handle::Handle;
    explicit Aligner(const Text &template_name) : Handle(made(facecore_aligner_new, template_name)) {}
    /* Width and height. */
    [[nodiscard]] std::pair<size_t, size_t> size() const
    {
        std::pair<size_t, size_t> size;
        call(facecore_aligner_get_size, &size.first, &size.second);
        return size;
    }
    [[nodiscard]] Picture align(const Image &image, const Landmarks &landmarks) const
    {
        return make<Picture>(facecore_aligner_align, image, landmarks.data());
    }
};

class Detector : public Handle<facecore_detector, facecore_detector_free> {
public:
    using Handle::Handle;
    explicit Detector(const Text &pack, const Options &options = {})
        : Handle(made(facecore_detector_open, pack, detail::COptions(options))) {}
    explicit Detector(const Options &options) : Handle(made(facecore_detector_new, detail::COptions(options))) {}
    [[nodiscard]] Faces detect(const Image &image) const
    {
        return make<Faces>(facecore_detector_detect, image, nullptr);
    }
    [[nodiscard]] Faces detect(const Image &image, const DetectorOptions &options) const
    {
        return make<Faces>(facecore_detector_detect, image, options);
    }
    [[nodiscard]] Placement placement() const
    {
        return detail::placement(tell<Sized<facecore_placement>>(facecore_detector_get_placement));
    }
};

class Embedder : public Handle<facecore_embedder, facecore_embedder_free> {
public:
    using Handle::Handle;
    explicit Embedder(const Text &pack, const Options &options = {})
        : Handle(made(facecore_embedder_open, pack, detail::COptions(options))) {}
    explicit Embedder(const Options &options) : Handle(made(facecore_embedder_new, detail::COptions(options))) {}
    [[nodiscard]] std::vector<Embedding> embed(const std::vector<Image> &crops) const
    {
        const std::vector<facecore_image> images(crops.begin(), crops.end());
        std::vector<facecore_embedding *> made(crops.size());
        std::vector<Embedding> embeddings(crops.size());
        call(facecore_embedder_embed, images.data(), images.size(), made.data());
        std::transform(made.begin(), made.end(), embeddings.begin(), [](auto *one) { return Embedding(one); });
        return embeddings;
    }
    [[nodiscard]] Embedding embed(const Image &crop) const
    {
        return make<Embedding>(facecore_embedder_embed, crop, size_t{ 1 });
    }
    [[nodiscard]] size_t dimension() const noexcept { return facecore_embedder_dimension(get()); }
    [[nodiscard]] Space space() const { return make<Space>(facecore_embedder_space); }
    [[nodiscard]] Aligner aligner() const { return make<Aligner>(facecore_embedder_aligner); }
    [[nodiscard]] Placement placement() const
    {
        return detail::placement(tell<Sized<facecore_placement>>(facecore_embedder_get_placement));
    }
};

// People.

using FaceId = uint64_t;

/* `NewFace face(embedding); face.source = "gate.jpg";`. The embedding must outlive it. */
struct NewFace {
    NewFace(const Embedding &of) noexcept : embedding(&of) {}
    NewFace(const Embedding &&) = delete;

    const Embedding *embedding;
    std::optional<float> quality{};
    std::string source{}, metadata{};
};

struct Person {
    std::string_view id;
    std::optional<std::string_view> name;
    std::string_view metadata;
    Span<const FaceId> faces;
};

struct EnrolledFaceInfo {
    FaceId id;
    std::string_view person;
    std::optional<float> quality;
    std::optional<std::string_view> source;
    std::string_view metadata;
};

struct Match {
    std::string_view person;
    float score;
    std::optional<float> probability;
    float margin;
    FaceId best_face;
    uint32_t hits;
};

struct Vote {
    std::string_view person;
    uint32_t votes, voters;
    float score;
    FaceId best_face;
};

/* What became of an item of a batch: the faces that it enrolled or replaced, or why it was refused. */
struct Outcome {
    int32_t status;
    std::string message;
    std::vector<FaceId> faces;
};

struct EnrolledPhoto {
    std::string_view path, person;
    int32_t status;
    std::optional<std::string_view> message;
    std::optional<FaceId> face;
};

/* The faces of one of many photos, or why there are none. */
struct Recognition {
    int32_t status;
    std::string message;
    Faces faces;
};

namespace detail {

inline Person read_person(const facecore_persons *list, size_t at)
{
    const auto raw = tell<Sized<facecore_person>>(facecore_persons_get, list, at);
    return { raw.id, maybe(raw.name), raw.metadata, { raw.faces, raw.face_count } };
}

inline Match read_match(const facecore_matches *list, size_t at)
{
    const auto raw = tell<Sized<facecore_match>>(facecore_matches_get, list, at);
    return { raw.person, raw.score, maybe(raw.has_probability, raw.probability), raw.margin, raw.best_face, raw.hits };
}

inline Vote read_vote(const facecore_votes *list, size_t at)
{
    const auto raw = tell<Sized<facecore_vote>>(facecore_votes_get, list, at);
    return { raw.person, raw.votes, raw.voters, raw.score, raw.best_face };
}

inline Outcome read_outcome(const facecore_outcomes *list, size_t at)
{
    const auto raw = tell<Sized<facecore_outcome>>(facecore_outcomes_get, list, at);
    return { raw.status, raw.message ? raw.message : "", std::vector<FaceId>(raw.faces, raw.faces + raw.face_count) };
}

inline EnrolledPhoto read_photo(const facecore_enrolment *list, size_t at)
{
    const auto raw = tell<Sized<facecore_enrolled_photo>>(facecore_enrolment_get, list, at);
    const auto face = raw.face ? std::optional<FaceId>(raw.face) : std::nullopt;
    return { raw.path, raw.person, raw.status, maybe(raw.message), face };
}

inline Recognition read_recognition(const facecore_recognitions *list, size_t at)
{
    facecore_faces *found = nullptr;
    const auto status = facecore_recognitions_get(list, at, &found);
    Faces faces(found);
    return { status, status == FACECORE_OK ? "" : facecore_last_error_message(), std::move(faces) };
}

inline std::vector<facecore_new_face> c_faces(const std::vector<NewFace> &faces)
{
    std::vector<facecore_new_face> all(faces.size(), Sized<facecore_new_face>());
    for (size_t i = 0; i < faces.size(); i++) {
        const NewFace &from = faces[i];
        all[i].embedding = from.embedding->get();
        all[i].has_quality = from.quality.has_value(), all[i].quality = from.quality.value_or(0.0F);
        all[i].source = or_null(from.source), all[i].metadata = or_null(from.metadata);
    }
    return all;
}

} // namespace detail

struct Persons : List<facecore_persons, facecore_persons_free, facecore_persons_count, detail::read_person> {
    using List::List;
};
struct Matches : List<facecore_matches, facecore_matches_free, facecore_matches_count, detail::read_match> {
    using List::List;
};
struct Votes : List<facecore_votes, facecore_votes_free, facecore_votes_count, detail::read_vote> {
    using List::List;
};
struct Outcomes : List<facecore_outcomes, facecore_outcomes_free, facecore_outcomes_count, detail::read_outcome> {
    using List::List;
};
struct Recognitions
    : List<facecore_recognitions, facecore_recognitions_free, facecore_recognitions_count, detail::read_recognition> {
    using List::List;
};
struct Enrolment : List<facecore_enrolment, facecore_enrolment_free, facecore_enrolment_count, detail::read_photo> {
    using List::List;
    [[nodiscard]] size_t faces() const noexcept { return facecore_enrolment_faces(get()); }
};

class EnrolledFace : public Handle<facecore_enrolled_face, facecore_enrolled_face_free> {
public:
    using Handle::Handle;
    [[nodiscard]] EnrolledFaceInfo info() const
    {
        using detail::maybe;
        const auto raw = tell<Sized<facecore_enrolled_face_info>>(facecore_enrolled_face_get_info);
        return { raw.id, raw.person, maybe(raw.has_quality, raw.quality), maybe(raw.source), raw.metadata };
    }
    [[nodiscard]] Embedding embedding() const { return make<Embedding>(facecore_enrolled_face_embedding); }
};

/* Changes that are made together: `people.apply(Batch().enrol("ann", { embedding }).remove_person("bob"))`. */
class Batch : public Handle<facecore_batch, facecore_batch_free> {
public:
    using Handle::Handle;
    Batch() : Handle(made(facecore_batch_new)) {}
    Batch &all_or_nothing() { return add(facecore_batch_all_or_nothing); }
    Batch &enrol(const Text &person_id, const std::vector<NewFace> &faces)
    {
        return add(facecore_batch_enrol, person_id, detail::c_faces(faces).data(), faces.size());
    }
    Batch &replace_face(FaceId face, const Embedding &to) { return add(facecore_batch_replace_face, face, to); }
    Batch &set_face_metadata(FaceId id, const Text &json) { return add(facecore_batch_set_face_metadata, id, json); }
    Batch &remove_face(FaceId face) { return add(facecore_batch_remove_face, face); }
    Batch &remove_person(const Text &person_id) { return add(facecore_batch_remove_person, person_id); }
    Batch &rename(const Text &person_id, const Text &new_id) { return add(facecore_batch_rename, person_id, new_id); }
    Batch &merge(const Text &from, const Text &into) { return add(facecore_batch_merge, from, into); }
    Batch &set_name(const Text &person_id, const Text &name) { return add(facecore_batch_set_name, person_id, name); }
    Batch &set_metadata(const Text &person_id, const Text &json)
    {
        return add(facecore_batch_set_metadata, person_id, json);
    }
    [[nodiscard]] size_t size() const noexcept { return facecore_batch_count(get()); }

private:
    template <class F, class... A> Batch &add(F function, A &&...arguments)
    {
        detail::call(function, get(), arguments...);
        return *this;
    }
};

enum class Reach : int32_t {
    automatic = FACECORE_REACH_AUTO, exact = FACECORE_REACH_EXACT, nearest = FACECORE_REACH_NEAREST,
    within = FACECORE_REACH_WITHIN
};

/* An empty list of `among` considers nobody. The filter may throw: then the search is given up. */
struct SearchOptions {
    size_t top_k = 0;
    std::optional<float> threshold{};
    Reach reach = Reach::automatic;
    size_t reach_faces = 0;
    double reach_miss = 0;
    std::optional<std::vector<std::string>> among{};
    std::vector<std::string> excluding{};
    std::function<bool(std::string_view person_id)> filter{};
};

namespace detail {

struct CSearch : Sized<facecore_search_options> {
    using Filter = Callback<const std::function<bool(std::string_view)>>;
    std::vector<const char *> these, others;
    Filter asked;

    explicit CSearch(const SearchOptions &from) : asked{ from.filter }
    {
        top_k = from.top_k, has_threshold = from.threshold.has_value(), threshold = from.threshold.value_or(0.0F);
        reach = arg(from.reach, 0), reach_faces = from.reach_faces, reach_miss = from.reach_miss;
        if (from.among)
            these = pointers(*from.among), among = these.data(), among_count = from.among->size();
        if (!from.excluding.empty())
            others = pointers(from.excluding), excluding = others.data(), excluding_count = from.excluding.size();
        if (from.filter)
            filter = ask, filter_context = &asked;
    }
    CSearch(const CSearch &) = delete;
    static int32_t ask(void *context, const char *person_id) noexcept
    {
        return static_cast<Filter *>(context)->run(0, [&](auto &filter) { return filter(person_id) ? 1 : 0; });
    }
};

} // namespace detail

using NamespaceStats = Sized<facecore_namespace_stats>;

class Namespace : public Handle<facecore_namespace, facecore_namespace_free> {
public:
    using Handle::Handle;
    [[nodiscard]] std::string_view name() const noexcept { return detail::view(facecore_namespace_name(get())); }
    [[nodiscard]] size_t person_count() const noexcept { return facecore_namespace_person_count(get()); }
    [[nodiscard]] size_t face_count() const noexcept { return facecore_namespace_face_count(get()); }
    [[nodiscard]] size_t dimension() const noexcept { return facecore_namespace_dimension(get()); }
    /* Empty as long as it is not pinned. */
    [[nodiscard]] Space space() const { return make<Space>(facecore_namespace_space); }
    void pin(const Space &space, size_t dimension) const { call(facecore_namespace_pin, space, dimension); }
    void check(const Space &space, size_t dimension) const { call(facecore_namespace_check, space, dimension); }
    [[nodiscard]] NamespaceStats stats() const { return tell<NamespaceStats>(facecore_namespace_get_stats); }

    FaceId add(const Text &person_id, const Embedding &embedding) const
    {
        return tell<FaceId>(facecore_namespace_add, person_id, embedding);
    }
    std::vector<FaceId> enrol(const Text &person_id, const std::vector<NewFace> &faces) const
    {
        std::vector<FaceId> ids(faces.size());
        call(facecore_namespace_enrol, person_id, detail::c_faces(faces).data(), faces.size(), ids.data());
        return ids;
    }
    FaceId replace_face(FaceId face, const Embedding &embedding) const
    {
        return tell<FaceId>(facecore_namespace_replace_face, face, embedding);
    }
    void remove_face(FaceId face) const { call(facecore_namespace_remove_face, face); }
    void remove_person(const Text &person_id) const { call(facecore_namespace_remove_person, person_id); }
    void rename(const Text &person_id, const Text &new_id) const { call(facecore_namespace_rename, person_id, new_id); }
    void set_name(const Text &person_id, const Text &name) const { call(facecore_namespace_set_name, person_id, name); }
    void set_metadata(const Text &person_id, const Text &json) const
    {
        call(facecore_namespace_set_metadata, person_id, json);
    }
    void set_face_metadata(FaceId id, const Text &json) const { call(facecore_namespace_set_face_metadata, id, json); }
    void merge(const Text &from, const Text &into) const { call(facecore_namespace_merge, from, into); }
    void move_person(const Text &person_id, const Namespace &to) const
    {
        call(facecore_namespace_move_person, person_id, to);
    }
    void clear() const { call(facecore_namespace_clear); }
    Outcomes apply(const Batch &batch) const { return make<Outcomes>(facecore_namespace_apply, batch); }

    /* A list of one. */
    [[nodiscard]] Persons get_person(const Text &person_id) const
    {
        return make<Persons>(facecore_namespace_get, person_id);
    }
    [[nodiscard]] Persons persons(size_t limit, const Text &after = nullptr) const
    {
        return make<Persons>(facecore_namespace_persons, after, limit);
    }
    [[nodiscard]] EnrolledFace face(FaceId id) const { return make<EnrolledFace>(facecore_namespace_face, id); }

    [[nodiscard]] Matches search(const Embedding &probe, const SearchOptions &options = {}) const
    {
        return find<Matches>(facecore_namespace_search, options, probe);
    }
    /* A list for each probe. */
    [[nodiscard]] std::vector<Matches> search_batch(Span<const Embedding> probes,
                                                    const SearchOptions &options = {}) const
    {
        std::vector<const facecore_embedding *> asked(probes.size());
        std::vector<facecore_matches *> made(probes.size());
        std::vector<Matches> all(probes.size());
        std::transform(probes.begin(), probes.end(), asked.begin(), [](auto &probe) { return probe.get(); });
        detail::CSearch wanted(options);
        const auto status = facecore_namespace_search_batch(get(), asked.data(), asked.size(), &wanted, made.data());
        std::transform(made.begin(), made.end(), all.begin(), [](auto *one) { return Matches(one); });
        wanted.asked.check(status);
        return all;
    }
    [[nodiscard]] Matches identify(const Embedding &probe) const
    {
        return make<Matches>(facecore_namespace_identify, probe);
    }
    [[nodiscard]] Votes vote(const Embedding &probe, size_t faces, const SearchOptions &options = {}) const
    {
        return find<Votes>(facecore_namespace_vote, options, probe, faces);
    }

private:
    template <class L, class F, class... A> L find(F function, const SearchOptions &options, A &&...arguments) const
    {
        detail::CSearch wanted(options);
        typename L::pointer made = nullptr;
        const auto status = function(get(), detail::arg(arguments, 0)..., &wanted, &made);
        L found(made);
        wanted.asked.check(status);
        return found;
    }
};

using GalleryOptions = Sized<facecore_gallery_options>;
using GalleryStats = Sized<facecore_gallery_stats>;
using ExportReport = Sized<facecore_export_report>;
using ImportReport = Sized<facecore_import_report>;

/* `problems` in the report says how many there are. */
struct Verified {
    Sized<facecore_verify_report> report;
    Texts problems;
};

class Gallery : public Handle<facecore_gallery, facecore_gallery_free> {
public:
    using Handle::Handle;
    explicit Gallery(const Text &folder, const GalleryOptions &options = {})
        : Handle(made(facecore_gallery_open, folder, options)) {}
    [[nodiscard]] static Gallery in_memory() { return Gallery(made(facecore_gallery_in_memory)); }

    /* Makes it if it is not there. */
    [[nodiscard]] Namespace open_namespace(const Text &name) const
    {
        return make<Namespace>(facecore_gallery_namespace, name);
    }
    [[nodiscard]] Namespace existing_namespace(const Text &name) const
    {
        return make<Namespace>(facecore_gallery_existing_namespace, name);
    }
    [[nodiscard]] Texts namespaces() const { return make<Texts>(facecore_gallery_namespaces); }
    void drop_namespace(const Text &name) const { call(facecore_gallery_drop_namespace, name); }
    void flush() const { call(facecore_gallery_flush); }
    void compact() const { call(facecore_gallery_compact); }
    void backup(const Text &folder) const { call(facecore_gallery_backup, folder); }
    [[nodiscard]] Verified verify() const
    {
        Sized<facecore_verify_report> report;
        auto problems = make<Texts>(facecore_gallery_verify, &report);
        return { report, std::move(problems) };
    }
    [[nodiscard]] GalleryStats stats() const { return tell<GalleryStats>(facecore_gallery_get_stats); }

    /* Calls `write(std::string_view)` with each part of the export; it throws if it cannot write. */
    template <class Write, class = std::enable_if_t<std::is_invocable_v<Write &, std::string_view>>>
    ExportReport export_to(Write &&write) const
    {
        using Writer = detail::Callback<std::remove_reference_t<Write>>;
        const facecore_write trampoline = [](void *context, const uint8_t *part, size_t len) noexcept {
            return static_cast<Writer *>(context)->run(int32_t{ 1 }, [&](auto &function) {
                function(std::string_view(reinterpret_cast<const char *>(part), len));
                return int32_t{ FACECORE_OK };
            });
        };
        Writer writer{ write };
        ExportReport report;
        writer.check(facecore_gallery_export(get(), trampoline, &writer, &report));
        return report;
    }
    ExportReport export_file(const Text &file) const { return tell<ExportReport>(facecore_gallery_export_file, file); }
    /* Calls `read(char *, size_t)` for each part of an export: it puts at most so many bytes there, gives how many, 0
     * at the end, and throws if it cannot read. */
    template <class Read, class = std::enable_if_t<std::is_invocable_r_v<size_t, Read &, char *, size_t>>>
    ImportReport import_from(Read &&read) const
    {
        using Reader = detail::Callback<std::remove_reference_t<Read>>;
        const facecore_read trampoline = [](void *context, uint8_t *place, size_t capacity) noexcept {
            return static_cast<Reader *>(context)->run(int64_t{ -1 }, [&](auto &function) {
                const size_t count = function(reinterpret_cast<char *>(place), capacity);
                return count <= capacity ? static_cast<int64_t>(count) : -1;
            });
        };
        Reader reader{ read };
        ImportReport report;
        reader.check(facecore_gallery_import(get(), trampoline, &reader, &report));
        return report;
    }
    ImportReport import_file(const Text &file) const { return tell<ImportReport>(facecore_gallery_import_file, file); }
};

// From photos to people.

enum class Choice : int32_t {
    only = FACECORE_CHOICE_ONLY, largest = FACECORE_CHOICE_LARGEST, central = FACECORE_CHOICE_CENTRAL
};

using Comparison = Sized<facecore_comparison>;

/* A photo to enrol, and as whom. */
struct Photo {
    std::string person, path;
};

/* Told of each photo as it is finished, on several threads at once. */
using PhotoDone = std::function<void(std::string_view path)>;

namespace detail {
using Telling = Callback<const PhotoDone>;
inline void tell_of_photo(void *context, const char *path) noexcept
{
    static_cast<Telling *>(context)->run(0, [&](auto &done) { return done(path), 0; });
}
inline facecore_photo_done teller(const PhotoDone &done) noexcept { return done ? tell_of_photo : nullptr; }
inline void *context(Telling &telling) noexcept { return &telling; }
} // namespace detail

class Recognizer : public Handle<facecore_recognizer, facecore_recognizer_free> {
public:
    using Handle::Handle;
    explicit Recognizer(const Text &pack, const Options &options = {})
        : Handle(made(facecore_recognizer_open, pack, detail::COptions(options))) {}
    explicit Recognizer(const Options &options) : Handle(made(facecore_recognizer_new, detail::COptions(options))) {}

    [[nodiscard]] Faces recognize(const Image &image) const
    {
        return make<Faces>(facecore_recognizer_recognize, image, nullptr);
    }
    [[nodiscard]] Faces recognize(const Image &image, const DetectorOptions &options) const
    {
        return make<Faces>(facecore_recognizer_recognize, image, options);
    }
    [[nodiscard]] Faces recognize_file(const Text &path) const
    {
        return make<Faces>(facecore_recognizer_recognize_file, path);
    }
    [[nodiscard]] Faces recognize_encoded(Bytes encoded) const
    {
        return make<Faces>(facecore_recognizer_recognize_encoded, encoded.data(), encoded.size());
    }
    [[nodiscard]] Recognitions recognize_files(const std::vector<std::string> &paths, const PhotoDone &done = {}) const
    {
        const auto files = detail::pointers(paths);
        detail::Telling telling{ done };
        auto found = make<Recognitions>(facecore_recognizer_recognize_files, files.data(), paths.size(),
                                        detail::teller(done), detail::context(telling));
        telling.check(FACECORE_OK);
        return found;
    }
    /* A list of one. */
    [[nodiscard]] Faces recognize_one(const Image &image, Choice choice = Choice::only) const
    {
        return make<Faces>(facecore_recognizer_recognize_one, image, choice);
    }
    [[nodiscard]] Comparison compare(const Image &first, const Image &second, Choice choice = Choice::only) const
    {
        return tell<Comparison>(facecore_recognizer_compare, first, second, choice);
    }
    /* What `done` throws is thrown on after the photos were enrolled. */
    Enrolment enrol_folder(const Text &folder, const Namespace &people, Choice choice = Choice::only,
                           const PhotoDone &done = {}) const
    {
        detail::Telling telling{ done };
        auto enrolment = make<Enrolment>(facecore_recognizer_enrol_folder, folder, people, choice,
                                         detail::teller(done), detail::context(telling));
        telling.check(FACECORE_OK);
        return enrolment;
    }
    Enrolment enrol_photos(const std::vector<Photo> &photos, const Namespace &people, Choice choice = Choice::only,
                           const PhotoDone &done = {}) const
    {
        std::vector<const char *> persons, paths;
        for (const Photo &photo : photos) {
            persons.push_back(Text::checked(photo.person));
            paths.push_back(Text::checked(photo.path));
        }
        detail::Telling telling{ done };
        auto enrolment = make<Enrolment>(facecore_recognizer_enrol_photos, persons.data(), paths.data(), photos.size(),
                                         people, choice, detail::teller(done), detail::context(telling));
        telling.check(FACECORE_OK);
        return enrolment;
    }
    [[nodiscard]] size_t dimension() const noexcept { return facecore_recognizer_dimension(get()); }
    [[nodiscard]] Space space() const { return make<Space>(facecore_recognizer_space); }
    [[nodiscard]] Placement detector_placement() const
    {
        return detail::placement(tell<Sized<facecore_placement>>(facecore_recognizer_get_detector_placement));
    }
    [[nodiscard]] Placement embedder_placement() const
    {
        return detail::placement(tell<Sized<facecore_placement>>(facecore_recognizer_get_embedder_placement));
    }
};

} // namespace facecore

#endif
