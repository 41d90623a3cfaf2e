/* What the library says of runtimes, printed for the Rust test to read, and which runtime really runs a model. */
#include "test.h"

static void placement(void)
{
    facecore_options options = generated();
    facecore_runtime_options runtime = ZERO(facecore_runtime_options);
    runtime.runtime = FACECORE_RUNTIME_BUILTIN;
    runtime.provider = FACECORE_PROVIDER_CPU;
    runtime.precision = FACECORE_PRECISION_FAST;
    runtime.threads = 1;
    runtime.concurrency = 2;
    options.runtime = &runtime;
    facecore_recognizer *recognizer = NULL;
    NEED(facecore_recognizer_new(&options, &recognizer));
    facecore_placement of_detector = ZERO(facecore_placement), of_embedder = ZERO(facecore_placement);
    OK(facecore_recognizer_get_detector_placement(recognizer, &of_detector));
    OK(facecore_recognizer_get_embedder_placement(recognizer, &of_embedder));
    CHECK(strstr(of_detector.runtime, "rten") == of_detector.runtime);
    TEXT("CPU", of_detector.provider);
    TEXT("CPU", of_detector.device);
    TEXT("f32", of_embedder.precision);
    CHECK(of_embedder.threads == 1 && of_detector.threads == 1);
    CHECK(of_embedder.notes != NULL && strstr(of_embedder.notes, "16-bit") != NULL);
    facecore_recognizer_free(recognizer);
}

static void refused(void)
{
    facecore_detector *detector = NULL;
    facecore_options options = generated();
    facecore_runtime_options runtime = ZERO(facecore_runtime_options);
    runtime.runtime = FACECORE_RUNTIME_BUILTIN;
    options.runtime = &runtime;
    static const struct {
        int32_t runtime, provider, precision;
        size_t threads, concurrency;
        const char *words;
    } BAD[] = {
        {3, 0, 0, 0, 0, "the runtime is 3"},
        {-1, 0, 0, 0, 0, "the runtime is -1"},
        {FACECORE_RUNTIME_BUILTIN, 5, 0, 0, 0, "the provider is 5"},
        {FACECORE_RUNTIME_BUILTIN, -1, 0, 0, 0, "the provider is -1"},
        {FACECORE_RUNTIME_BUILTIN, 0, 2, 0, 0, "the precision is 2"},
        {FACECORE_RUNTIME_BUILTIN, 0, 0, 1025, 0, "1025"},
        {FACECORE_RUNTIME_BUILTIN, 0, 0, 0, SIZE_MAX, "concurrency"},
    };
    for (size_t at = 0; at < sizeof BAD / sizeof *BAD; at++) {
        runtime.runtime = BAD[at].runtime;
        runtime.provider = BAD[at].provider;
        runtime.precision = BAD[at].precision;
        runtime.threads = BAD[at].threads;
        runtime.concurrency = BAD[at].concurrency;
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
        SAYS(BAD[at].words);
    }
    runtime = ZERO(facecore_runtime_options);
    runtime.runtime = FACECORE_RUNTIME_BUILTIN;

    const char *names[] = {"name", NULL}, *values[] = {"value", "value"}, *odd[] = {"\xFF\xFE"};
    runtime.setting_names = names;
    runtime.setting_values = values;
    runtime.setting_count = 1;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
    SAYS("settings need a provider");
    runtime.provider = FACECORE_PROVIDER_CPU;
    OK(facecore_detector_new(&options, &detector));
    facecore_detector_free(detector);
    runtime.setting_count = 2;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
    SAYS("the names of the settings is NULL");
    runtime.setting_count = 1;
    runtime.setting_names = NULL;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
    SAYS("the names of the settings is NULL");
    runtime.setting_names = names;
    runtime.setting_values = NULL;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
    SAYS("the values of the settings is NULL");
    runtime.setting_values = odd;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
    SAYS("not UTF-8");
    runtime.setting_count = 0;
    runtime.provider = FACECORE_PROVIDER_OPENVINO;
    runtime.openvino_device = "\xFF";
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
    SAYS("device of OpenVINO");
    runtime.openvino_device = NULL;

    /* What means nothing to the provider. */
    static const int32_t PROVIDERS[] = {FACECORE_PROVIDER_AUTO, FACECORE_PROVIDER_CPU};
    for (size_t at = 0; at < 2; at++) {
        runtime = ZERO(facecore_runtime_options);
        runtime.provider = PROVIDERS[at];
        runtime.gpu = 1;
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
        SAYS("gpu means nothing");
        runtime.gpu = 0;
        runtime.gpu_memory = 1;
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
        SAYS("gpu_memory means nothing");
        runtime.gpu_memory = 0;
        runtime.cache_folder = files;
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
        SAYS("cache_folder means nothing");
        runtime.cache_folder = NULL;
        runtime.openvino_device = "GPU";
        FAILS(FACECORE_INVALID_ARGUMENT, facecore_detector_new(&options, &detector));
        SAYS("openvino_device means nothing");
    }
    runtime = ZERO(facecore_runtime_options);
    runtime.runtime = FACECORE_RUNTIME_BUILTIN;

    /* A provider that is named runs the model, unless another may. */
    runtime.provider = FACECORE_PROVIDER_TENSORRT;
    FAILS(FACECORE_PROVIDER_UNAVAILABLE, facecore_detector_new(&options, &detector));
    runtime.allow_fallback = 1;
    runtime.cache_folder = in(files, "cache");
    OK(facecore_detector_new(&options, &detector));
    facecore_detector_free(detector);
}

int main(int argc, char **argv)
{
    begin(argc, argv);
    facecore_runtime_options options = ZERO(facecore_runtime_options);
    char *report = NULL;
    OK(facecore_runtime_report(&options, &report));
    facecore_text_free(report);
    options.runtime = 9;
    FAILS(FACECORE_INVALID_ARGUMENT, facecore_runtime_report(&options, &report));
    OK(facecore_runtime_report(NULL, &report));
    puts(report);
    facecore_text_free(report);
    placement();
    refused();
    return finish();
}
