#!/usr/bin/env python3
"""Measures hnswlib, usearch and faiss on the vectors that facecore-compare wrote, and prints them
beside facecore in one table. `make compare-index` runs it; FOLDER is where the vectors are.

Each index is built and searched in a process of its own, on the cores this one may use and then on one of them. A probe's answer is
right if the person of the nearest face is the probe's. A graph index is reported at the smallest list
size (ef) whose answers are right as often as those of an exact search, less 0.1 % of the probes; if none
is large enough, at its best.
"""

import argparse
import ctypes
import importlib.metadata
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

# Read when the libraries below load: one thread, unless a build asks for more.
os.environ["OMP_NUM_THREADS"] = "1"

import faiss
import hnswlib
import numpy as np
import usearch.index

NEAREST = 10
BATCH = 64
LINKS, EF_BUILD = 16, 200
EF_SEARCH = [10, 20, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800]
CELLS_SEARCHED = [1, 2, 4, 8, 16, 32, 64, 128, 256]
TOLERATED = 0.001
# Single searches are timed for at most so many seconds.
SINGLE_BUDGET = 20
CPU_FLAGS = ["avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx512_vpopcntdq", "avx512_bf16"]
CPU_FLAGS += ["avx_vnni", "amx_int8", "asimd", "asimddp", "i8mm", "sve"]


class Data:
    """What facecore-compare wrote."""

    def __init__(self, folder):
        self.about = json.loads((folder / "data.json").read_text())
        self.faces, self.face_people = self.read(folder, "faces")
        self.probes, self.probe_people = self.read(folder, "probes")

    def read(self, folder, name):
        vectors = np.fromfile(folder / f"{name}.f32", "<f4").reshape(-1, self.about["dimension"])
        return vectors, np.fromfile(folder / f"{name}.u32", "<u4")

    def right(self, nearest):
        """The share of probes whose nearest face, given by its row, is the right person's."""
        return float(np.mean(self.face_people[np.asarray(nearest, np.int64)] == self.probe_people))


# Each function below builds an index and returns what it is called, whether it holds the vectors as f32, and
# its ways of searching: pairs of parameters and a function from probes to the rows of their nearest faces.
# The ways are tried in order, up to the first that is right as often as the exact search.


def hnswlib_graph(data, cores):
    index = hnswlib.Index("ip", data.about["dimension"])
    index.init_index(len(data.faces), ef_construction=EF_BUILD, M=LINKS, random_seed=1)
    index.add_items(data.faces, num_threads=cores)
    index.set_num_threads(1)

    def search(ef):
        def nearest(probes):
            index.set_ef(ef)
            return index.knn_query(probes, k=NEAREST, num_threads=1)[0][:, 0]

        return nearest

    return "hnswlib", True, [(f"M {LINKS}, ef {ef}", search(ef)) for ef in EF_SEARCH]


def usearch_graph(data, cores, dtype):
    index = usearch.index.Index(
        ndim=data.about["dimension"], metric="cos", dtype=dtype, connectivity=LINKS, expansion_add=EF_BUILD
    )
    index.add(np.arange(len(data.faces)), data.faces, threads=cores)

    def search(ef):
        def nearest(probes):
            index.expansion_search = ef
            return index.search(probes, NEAREST, threads=1).keys.reshape(len(probes), -1)[:, 0]

        return nearest

    return f"usearch {dtype}", dtype == "f32", [(f"M {LINKS}, ef {ef}", search(ef)) for ef in EF_SEARCH]


def usearch_f32(data, cores):
    return usearch_graph(data, cores, "f32")


def usearch_i8(data, cores):
    return usearch_graph(data, cores, "i8")


def faiss_nearest(index):
    return lambda probes: index.search(probes, NEAREST)[1][:, 0]


def faiss_flat(data, cores):
    index = faiss.IndexFlatIP(data.about["dimension"])
    index.add(data.faces)
    return "faiss IndexFlatIP", True, [("exact f32", faiss_nearest(index))]


def faiss_sq8(data, cores):
    index = faiss.IndexScalarQuantizer(
        data.about["dimension"], faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    faiss.omp_set_num_threads(cores)
    index.train(data.faces[: min(len(data.faces), 100_000)])
    index.add(data.faces)
    return "faiss IndexScalarQuantizer", False, [("8 bit, every face", faiss_nearest(index))]


def faiss_hnsw(data, cores):
    index = faiss.IndexHNSWFlat(data.about["dimension"], LINKS, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = EF_BUILD
    faiss.omp_set_num_threads(cores)
    index.add(data.faces)

    def search(ef):
        def nearest(probes):
            index.hnsw.efSearch = ef
            return faiss_nearest(index)(probes)

        return nearest

    return "faiss IndexHNSWFlat", True, [(f"M {LINKS}, ef {ef}", search(ef)) for ef in EF_SEARCH]


def faiss_ivf(data, cores):
    cells = int(2 ** np.round(np.log2(4 * np.sqrt(len(data.faces)))))
    quantizer = faiss.IndexFlatIP(data.about["dimension"])
    index = faiss.IndexIVFFlat(quantizer, data.about["dimension"], cells, faiss.METRIC_INNER_PRODUCT)
    faiss.omp_set_num_threads(cores)
    index.train(data.faces)
    index.add(data.faces)

    def search(probed):
        def nearest(probes):
            index.nprobe = probed
            return faiss_nearest(index)(probes)

        return nearest

    return "faiss IndexIVFFlat", True, [(f"{n} of {cells} cells", search(n)) for n in CELLS_SEARCHED if n <= cells]


# By the names of the command line, in the order of the table.
SCANS = {"faiss-flat": faiss_flat, "faiss-sq8": faiss_sq8}
GRAPHS = {"hnswlib": hnswlib_graph, "faiss-hnsw": faiss_hnsw, "usearch-f32": usearch_f32, "usearch-i8": usearch_i8}
INDEXES = SCANS | GRAPHS | {"faiss-ivf": faiss_ivf}
# From so many faces on only the scans are measured unless others are named: graphs take many minutes to build.
SCANS_FROM = 500_000


def anonymous_memory():
    """Bytes of this process that belong to no file, without what could be given back at once."""
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon:"))


def one_thread():
    """From here on this process keeps to one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    faiss.omp_set_num_threads(1)


def measure(name, folder, exact):
    """Builds one index and searches it; the row of the table."""
    data = Data(folder)
    cores = len(os.sched_getaffinity(0))
    before, start = anonymous_memory(), time.perf_counter()
    library, holds_vectors, ways = INDEXES[name](data, cores)
    build, memory = time.perf_counter() - start, anonymous_memory() - before
    one_thread()
    best = (-1,)
    for parameters, nearest in ways:
        right, queries_per_s = measure_batches(data, nearest)
        if right > best[0]:
            best = (right, queries_per_s, parameters, nearest)
        if right >= exact - TOLERATED:
            break
    right, queries_per_s, parameters, nearest = best
    faces, vector = len(data.faces), data.faces[0].nbytes
    return {
        "index": library,
        "parameters": parameters,
        "right": right,
        "median_us": measure_single(data, nearest),
        "queries_per_s": queries_per_s,
        "build_s": build,
        "inserts_per_s": faces / build,
        "cores": cores,
        "single_inserts_per_s": None,
        "bytes_a_face": memory / faces,
        "bytes_beside": memory / faces - (vector if holds_vectors else 0),
    }


def measure_batches(data, nearest):
    nearest(data.probes[:BATCH])
    start, found = time.perf_counter(), []
    for at in range(0, len(data.probes), BATCH):
        found.append(nearest(data.probes[at : at + BATCH]))
    seconds = time.perf_counter() - start
    return data.right(np.concatenate(found)), len(data.probes) / seconds


def measure_single(data, nearest):
    """The median of single searches in microseconds, a few of which are Python's."""
    took, until = [], time.perf_counter() + SINGLE_BUDGET
    for at in range(len(data.probes)):
        start = time.perf_counter()
        nearest(data.probes[at : at + 1])
        took.append(time.perf_counter() - start)
        if start > until:
            break
    return float(np.median(took)) * 1e6


def measure_apart(name, folder, exact):
    """Measures in a process of its own, so that its memory can be told."""
    print(f"measuring {name} ...", file=sys.stderr, flush=True)
    command = [sys.executable, __file__, str(folder), "--measure", name, "--exact", str(exact)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def line(head, text):
    print(f"{head:<12}{text}")


def machine():
    """The processor, the instructions that matter to scans, the sizes of its caches, and versions."""
    facts = {}
    for entry in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = entry.partition(":")
        facts.setdefault(key.strip(), value.strip())
    flags = set(facts.get("flags", facts.get("Features", "")).split())
    caches = []
    for cache in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / name).read_text().strip() for name in ("level", "type", "size"))
        if kind != "Instruction":
            caches.append(f"L{level} {size}")
    model = [facts.get("model name", platform.machine())]
    model += [f"{key.removeprefix('cpu ')} {facts[key]}" for key in ("cpu family", "model") if key in facts]
    line("processor", f"{', '.join(model)}; {len(os.sched_getaffinity(0))} cores to build on, one to search on")
    line("", f"{' '.join(flag for flag in CPU_FLAGS if flag in flags)}; {', '.join(caches)}")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("hnswlib", "usearch", "faiss-cpu", "numpy")]
    line("versions", f"{', '.join(versions)}, Python {platform.python_version()}, Linux {platform.release()}")
    line("", f"usearch uses {usearch.index.Index(ndim=512).hardware_acceleration}, hnswlib what its compiler found here,")
    line("", f"faiss {faiss.get_compile_options().strip()}")


def describe(data):
    """The population, and how near it comes to the real embeddings that it was fitted to."""
    about, reference = data.about, data.about["reference"]
    low, high = about["mates"]
    faces = f"{about['faces']:,} faces x {about['dimension']}, {about['persons']:,} people, seed {about['seed']}"
    line("data", f"{about['set']} set: {faces}; {about['probes']:,} probes")
    line("", f"at cosines of {low:.1f} to {high:.1f} with their person's first face")

    _, first = np.unique(data.face_people[:12_000], return_index=True)
    strangers = data.faces[first]
    cosines = (strangers @ strangers.T)[np.triu_indices(len(strangers), 1)]
    portions, expected = zip(*reference["impostors"])
    versus("impostors below", [f"{portion:.3%}" for portion in portions], np.quantile(cosines, portions), expected)

    variances = np.linalg.eigvalsh(np.cov(strangers.T))[::-1]
    directions, expected = zip(*reference["spectrum"])
    found = np.cumsum(variances)[np.array(directions) - 1] / variances.sum()
    versus("variance in the first", directions, found, expected)


def versus(what, heads, here, reference):
    for name, values in [(what, heads), ("here", here), ("LFW, real", reference)]:
        texts = [value if isinstance(value, (str, int)) else f"{value:.3f}" for value in values]
        line("", f"{name:<24}" + "".join(f"{text:>9}" for text in texts))


COLUMNS = [
    ("index", "index", "{}"),
    ("parameters", "parameters", "{}"),
    ("right", "right", "{:.2%}"),
    ("exact", "exact", "{:.2%}"),
    ("median_us", "µs a probe", "{:,.0f}"),
    ("queries_per_s", "probes/s", "{:,.0f}"),
    ("build_s", "build s", "{:,.1f}"),
    ("inserts_per_s", "inserts/s", "{:,.0f}"),
    ("single_inserts_per_s", "one by one/s", "{:,.0f}"),
    ("bytes_a_face", "bytes a face", "{:,.0f}"),
    ("bytes_beside", "beside f32", "{:,.0f}"),
]


LEGEND = f"""
right: the nearest face is the right person's; exact: the same of an exact search. µs a probe: median of
single searches for the {NEAREST} nearest; probes/s: in batches of {BATCH}. Both on one core. Inserts: facecore person by
person and face by face, the others everything at once, on the cores to build on. bytes a face: growth of the
process's anonymous memory; beside f32: what is left of it without the vectors as f32, if the index has them.
"""


def table(rows):
    lines = [[head for _, head, _ in COLUMNS]]
    lines += [["-" if row[key] is None else form.format(row[key]) for key, _, form in COLUMNS] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines)]
    print()
    for texts in lines:
        names = [text.ljust(width) for text, width in zip(texts[:2], widths)]
        numbers = [text.rjust(width) for text, width in zip(texts[2:], widths[2:])]
        print("  ".join(names + numbers))
    print(LEGEND)


def ratios(rows):
    """facecore against hnswlib, above 1 where facecore is better; beside how often each is right."""
    peer = next((row for row in rows if row["index"] == "hnswlib"), None)
    for row in rows if peer else []:
        if row["index"].startswith("facecore"):
            better = {
                "single searches": peer["median_us"] / row["median_us"],
                "batches": row["queries_per_s"] / peer["queries_per_s"],
                "inserts, core for core": row["inserts_per_s"] / (peer["inserts_per_s"] / peer["cores"]),
                "memory beside f32": peer["bytes_beside"] / row["bytes_beside"],
            }
            times = ", ".join(f"{what} {times:.3g}" for what, times in better.items())
            print(
                f"{row['index']}, {row['parameters']}, {row['right']:.2%} right, against hnswlib, {peer['parameters']},"
                f" {peer['right']:.2%} right, times better: {times}"
            )


def durable(found):
    """The gallery in a folder."""
    share = found["batch_faces_per_s"] / found["plain_faces_per_s"]
    print(f"\nfacecore in a folder, {found['faces']:,} faces, every commit synced")
    line("enrolment", f"{found['batch_faces_per_s']:,.0f} faces/s in batches of 1,000; {found['single_faces_per_s']:,.0f}/s one by one")
    line("", f"the vectors alone appended to a file and synced after each 1,000: {found['plain_faces_per_s']:,.0f}/s; ratio {share:.2f}")
    line("opening", f"{found['open_ms']:.0f} ms, warm, all checksums verified: {found['open_ms_per_100k']:.0f} ms for 100,000 faces")
    line("memory", f"{found['search_bytes_a_face']:.0f} bytes a face beside the vectors, mapped; {found['anonymous_bytes_a_face']:.0f} more on the heap")
    line("disk", f"{found['store_bytes_a_face']:,.0f} bytes a face in the database; compacting took {found['compact_s']:.1f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="where facecore-compare wrote")
    parser.add_argument("--index", choices=INDEXES, action="append", help="compare with this one; may be repeated")
    parser.add_argument("--measure", choices=INDEXES, help="measure this one and write its row as JSON")
    parser.add_argument("--exact", type=float, help="with --measure: how often an exact search is right, 0 to 1")
    arguments = parser.parse_args()
    if arguments.measure:
        json.dump(measure(arguments.measure, arguments.folder, arguments.exact), sys.stdout)
        return
    machine()
    data = Data(arguments.folder)
    describe(data)
    rows = json.loads((arguments.folder / "facecore.json").read_text())
    exact = rows[0]["right"]
    names = arguments.index or (INDEXES if len(data.faces) < SCANS_FROM else SCANS)
    rows += [measure_apart(name, arguments.folder, exact) for name in names]
    for row in rows:
        row["exact"] = exact
    table(rows)
    ratios(rows)
    durable(json.loads((arguments.folder / "durable.json").read_text()))


if __name__ == "__main__":
    main()
