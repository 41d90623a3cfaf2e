package org.facecore;

import java.util.ArrayList;
import java.util.List;

/** Which runtime executes models, and how. */
public final class RuntimeOptions {
    /** A runtime. */
    public enum Runtime {
        /** ONNX Runtime where one is found, else the built-in one. */
        AUTO,
        /** ONNX Runtime or an error. */
        ONNXRUNTIME,
        /** The built-in one, which needs nothing installed. */
        BUILTIN
    }

    /** What ONNX Runtime computes with. */
    public enum Provider { AUTO, CPU, OPENVINO, CUDA, TENSORRT }

    /** The arithmetic. */
    public enum Precision {
        /** 32-bit floating point. */
        FULL,
        /** 16-bit floating point where the hardware is good at it. */
        FAST
    }

    private Runtime runtime = Runtime.AUTO;
    private Provider provider = Provider.AUTO;
    private boolean allowFallback;
    private Precision precision = Precision.FULL;
    private int threads;
    private int concurrency;
    private String library;
    private String openVinoDevice;
    private int gpu;
    private String cacheFolder;
    private long gpuMemory;
    private final List<String> names = new ArrayList<>();
    private final List<String> values = new ArrayList<>();

    public RuntimeOptions runtime(Runtime value) {
        runtime = Checks.given(value, "runtime");
        return this;
    }

    /** One that is named runs the whole model, or loading fails and says what is missing. */
    public RuntimeOptions provider(Provider value) {
        provider = Checks.given(value, "provider");
        return this;
    }

    /** Where the provider does not load, the CPU serves instead. */
    public RuntimeOptions allowFallback() {
        allowFallback = true;
        return this;
    }

    public RuntimeOptions precision(Precision value) {
        precision = Checks.given(value, "precision");
        return this;
    }

    /** Threads of one call, 1 to 1024; 0 for the CPUs there are. */
    public RuntimeOptions threads(int value) {
        threads = Checks.notNegative(value, "number of threads");
        return this;
    }

    /** How many calls may run at once, 1 to 1024; 0 for the CPUs there are, but at least 2. */
    public RuntimeOptions concurrency(int value) {
        concurrency = Checks.notNegative(value, "concurrency");
        return this;
    }

    /** The ONNX Runtime library, or a folder that holds it. */
    public RuntimeOptions library(String path) {
        library = path;
        return this;
    }

    /** {@code CPU}, {@code GPU}, {@code GPU.1}, {@code NPU}. */
    public RuntimeOptions openVinoDevice(String value) {
        openVinoDevice = value;
        return this;
    }

    /** For CUDA and TensorRT which GPU, from 0. */
    public RuntimeOptions gpu(int value) {
        gpu = value;
        return this;
    }

    /** For OpenVINO and TensorRT where compiled models are kept. */
    public RuntimeOptions cacheFolder(String path) {
        cacheFolder = path;
        return this;
    }

    /** For CUDA the most bytes of GPU memory; 0 sets no limit. */
    public RuntimeOptions gpuMemory(long bytes) {
        gpuMemory = Checks.notNegative(bytes, "memory");
        return this;
    }

    /** A further setting of the provider that was named, passed on as it is. */
    public RuntimeOptions setting(String name, String value) {
        names.add(Checks.given(name, "name of the setting"));
        values.add(Checks.given(value, "value of the setting"));
        return this;
    }

    void write(Request request) {
        request.number(runtime.ordinal()).number(provider.ordinal()).flag(allowFallback).number(precision.ordinal())
                .number(threads).number(concurrency).text(library).text(openVinoDevice).number(gpu).text(cacheFolder)
                .number(gpuMemory).texts(names, "name of a setting").texts(values, "value of a setting");
    }
}
