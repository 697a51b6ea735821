"""Our matcher beside faiss and python-threatexchange, on the same synthetic hashes in one run.

    python benchmarks/matching.py [--codes 1000000] [--digests 10000000] [--no-peers]
    python benchmarks/matching.py --large FOLDER [--codes 100000000] [--digests 100000000] [--batch 1000000]

The peers come with the tests' requirements. `--large` keeps its index files in a folder (288 bytes a PDQ code, 29 a
digest): the first run builds them, later ones only open and ask. Times are CPU seconds of one thread, because other
work on the machine would count otherwise; p50 and p99 are wall clock. Uniform random codes; of the single look-ups half
are planted within 31 bits of a code, and every planted one must be found. Results of record:
docs/matching-benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

PLANTED = 1000
SINGLE = 2000


def corpus(codes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 32) codes, (2000, 32) queries, (1000,) the row each of the first 1,000 queries was made from."""
    rng = np.random.default_rng(1)
    held = np.empty((codes, 32), np.uint8)
    for at in range(0, codes, 5_000_000):
        held[at : at + 5_000_000] = rng.integers(0, 256, (min(5_000_000, codes - at), 32), dtype=np.uint8)
    rows = rng.choice(codes, PLANTED, replace=False)
    queries = rng.integers(0, 256, (SINGLE, 32), dtype=np.uint8)
    for k, row in enumerate(rows):
        mask = np.zeros(256, np.uint8)
        mask[rng.choice(256, k % 32, replace=False)] = 1
        queries[k] = held[row] ^ np.packbits(mask)
    return held, queries, rows


def memory_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def single(ask, queries: np.ndarray, rows: np.ndarray, most: int) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """`ask(query)` gives the rows found. Planted and random queries take turns."""
    order = np.ravel(np.column_stack([np.arange(PLANTED), np.arange(PLANTED, SINGLE)]))[:most]
    walls, found, asked = [], 0, 0
    cpu = time.thread_time()
    for k in order.tolist():
        start = time.perf_counter()
        hits = ask(queries[k])
        walls.append(time.perf_counter() - start)
        if k < PLANTED:
            asked += 1
            found += int(rows[k]) in hits
    cpu = time.thread_time() - cpu
    p50, p99 = np.quantile(walls, [0.5, 0.99]) * 1e3
    return {"single/s": most / cpu, "p50 ms": float(p50), "p99 ms": float(p99), "recall": found / asked}


def ours(codes: int, batch: int) -> dict[str, float]:
    from safelight.matching import PdqIndex, warm_up

    warm_up()
    held, queries, rows = corpus(codes)
    start = time.thread_time()
    index = PdqIndex(held)
    del held
    index.prepare()
    built = time.thread_time() - start
    index.query(queries[0].tobytes())
    # The best of three: the first round also loads the pages.
    rounds = [
        single(lambda q: [row for row, _ in index.lookup(q.tobytes()).hits], queries, rows, SINGLE) for _ in range(3)
    ]
    result = max(rounds, key=lambda r: r["single/s"])
    many = np.random.default_rng(2).integers(0, 256, (batch, 32), dtype=np.uint8)
    many[:SINGLE] = queries
    times = []
    for _ in range(2):
        start = time.thread_time()
        hits = index.query_batch(many)
        times.append(time.thread_time() - start)
    hit = set(zip(hits.query.tolist(), hits.row.tolist(), strict=True))
    missed = [k for k in range(PLANTED) if (k, int(rows[k])) not in hit]
    result["recall"] = min(result["recall"], 1 - len(missed) / PLANTED)
    return {"build s": built, **result, "batch/s": batch / min(times), "GB": memory_gb()}


def changing(codes: int) -> dict[str, float]:
    """An index that changes while it is searched: how soon is a change seen, and what do 100,000 changes cost?"""
    from safelight.matching import LivePdqIndex, warm_up

    warm_up()
    held, queries, _ = corpus(codes)
    index = LivePdqIndex(held)
    index.prepare()
    more = np.random.default_rng(7).integers(0, 256, (100_000, 32), dtype=np.uint8)
    index.lookup(queries[0].tobytes())
    seen = []
    for k in range(100):
        start = time.perf_counter()
        index.add(more[k : k + 1], [codes + k])
        assert index.lookup(more[k].tobytes())[0] == [(codes + k, 0)]
        index.withdraw([codes + k, k])
        assert index.lookup(more[k].tobytes())[0] == []
        seen.append(time.perf_counter() - start)
    index.add(more, np.arange(codes, codes + len(more)))
    cpu = time.thread_time()
    for query in queries[:500]:
        index.lookup(query.tobytes())
    cpu = time.thread_time() - cpu
    worst = max(seen) * 1e3
    return {"add, find, withdraw, miss: worst ms": worst, "single/s with 100,000 additions": 500 / cpu}


def faiss_index(codes: int, kind: str) -> dict[str, float]:
    import faiss

    faiss.omp_set_num_threads(1)
    held, queries, rows = corpus(codes)
    start = time.thread_time()
    if kind == "flat":
        index = faiss.IndexBinaryFlat(256)
    else:
        index = faiss.IndexBinaryMultiHash(256, 16, 16)
        index.nflip = 1
    index.add(held)
    built = time.thread_time() - start
    # faiss counts distances below the radius in one index and up to it in the other; 32 is safe for both.
    result = single(lambda q: index.range_search(q[None], 32)[2].tolist(), queries, rows, 200)
    many = queries[:500]
    start = time.thread_time()
    index.range_search(many, 32)
    return {"build s": built, **result, "batch/s": len(many) / (time.thread_time() - start), "GB": memory_gb()}


def threatexchange_index(codes: int) -> dict[str, float]:
    import faiss
    from threatexchange.signal_type.pdq.signal import PdqSignal

    faiss.omp_set_num_threads(1)
    held, queries, rows = corpus(codes)
    start = time.thread_time()
    index = PdqSignal.get_index_cls().build((code.tobytes().hex(), row) for row, code in enumerate(held))
    built = time.thread_time() - start
    del held
    result = single(lambda q: [m.metadata for m in index.query(q.tobytes().hex())], queries, rows, 200)
    return {"build s": built, **result, "batch/s": float("nan"), "GB": memory_gb()}


def numpy_scan(codes: int) -> dict[str, float]:
    held, queries, rows = corpus(codes)
    words = held.view(np.uint64)

    def ask(query: np.ndarray) -> list[int]:
        return np.flatnonzero(np.bitwise_count(words ^ query.view(np.uint64)).sum(axis=1) <= 31).tolist()

    return {"build s": 0, **single(ask, queries, rows, 10), "batch/s": float("nan"), "GB": memory_gb()}


def digest_pieces(count: int, kept: list[np.ndarray]):  # type: ignore[no-untyped-def]
    """A stream of `count` random MD5, a million at a time; every hundredth or so is kept to ask for."""
    rng = np.random.default_rng(3)
    for at in range(0, count, 1_000_000):
        part = rng.integers(0, 256, (min(1_000_000, count - at), 16), dtype=np.uint8)
        kept.append(part[:: max(1, count // 1_000_000)].copy())
        yield part, np.arange(at, at + len(part), dtype=np.uint32)


def digests(count: int, place: Path | None) -> None:
    """Exact digests: build from a stream, open, look up."""
    from safelight.matching import DigestIndex, build_digest_file, warm_up

    warm_up()
    with tempfile.TemporaryDirectory() as folder:
        path = (place or Path(folder)) / f"{count}.digests"
        known = path.with_suffix(".known.npy")
        if not known.exists():
            kept: list[np.ndarray] = []
            start = time.thread_time()
            build_digest_file(path, "md5", digest_pieces(count, kept))
            print(
                f"\n{count:,} MD5: built in {time.thread_time() - start:.1f} s CPU at a peak of {memory_gb():.2f} GB, "
                f"{path.stat().st_size / 1e9:.2f} GB on disk"
            )
            np.save(known, np.concatenate(kept))
        start = time.perf_counter()
        index = DigestIndex.open(path, verify=False)
        opened = time.perf_counter() - start
        held, rng = np.load(known), np.random.default_rng(4)
        strangers = rng.integers(0, 256, (1_000_000, 16), dtype=np.uint8)
        half = strangers.copy()
        half[:500_000] = held[rng.choice(len(held), 500_000)]
        half = half[rng.permutation(len(half))]
        rates = []
        for name, wanted in (("none known", strangers), ("half known", half)):
            times = []
            for _ in range(4):
                start = time.thread_time()
                query, _ = index.lookup_batch(wanted)
                times.append(time.thread_time() - start)
            rates.append(f"{name} {len(wanted) / min(times) / 1e6:.2f} M/s (first {len(wanted) / times[0] / 1e6:.2f})")
        assert len(query) == 500_000, len(query)
        in_memory = (index.arrays["prefixes"].nbytes + index.arrays["directory"].nbytes) / count
        print(
            f"{count:,} MD5: opened in {opened * 1e3:.1f} ms, {in_memory:.2f} bytes of index an entry; batch look-ups, "
            f"each hit confirmed in full: {', '.join(rates)}"
        )


def large(codes: int, batch: int, place: Path) -> None:
    """PDQ with its partitions in a file: built once, mapped, met by batches."""
    from safelight.matching import PdqIndex, warm_up
    from safelight.matching.hamming import write_index

    warm_up()
    path, asked = place / f"{codes}.pdq", place / f"{codes}.queries.npz"
    if not asked.exists():
        held, queries, rows = corpus(codes)
        start, wall = time.thread_time(), time.perf_counter()
        write_index(path, held)
        cpu, wall = time.thread_time() - start, time.perf_counter() - wall
        print(
            f"{codes:,} PDQ: index file written in {cpu:.0f} s CPU ({wall:.0f} s wall) "
            f"at a peak of {memory_gb():.1f} GB, {path.stat().st_size / 1e9:.1f} GB on disk"
        )
        np.savez(asked, queries=queries, rows=rows)
        return  # a process of its own measures the memory of asking
    kept = np.load(asked)
    queries, rows = kept["queries"], kept["rows"]
    wall = time.perf_counter()
    index = PdqIndex.open(path, verify=False)
    print(f"{codes:,} PDQ: opened in {(time.perf_counter() - wall) * 1e3:.0f} ms")
    many = np.random.default_rng(2).integers(0, 256, (batch, 32), dtype=np.uint8)
    many[:SINGLE] = queries
    start, wall = time.thread_time(), time.perf_counter()
    hits = index.query_batch(many)
    cpu, wall = time.thread_time() - start, time.perf_counter() - wall
    hit = set(zip(hits.query.tolist(), hits.row.tolist(), strict=True))
    missed = sum((k, int(rows[k])) not in hit for k in range(PLANTED))
    print(
        f"{codes:,} PDQ: {batch:,} in a batch over mapped partitions: {batch / cpu:,.0f}/s CPU, "
        f"{batch / wall:,.0f}/s wall, {missed} of {PLANTED:,} planted missed, "
        f"peak {memory_gb():.1f} GB (mapped pages count)"
    )
    found = single(lambda q: [row for row, _ in index.lookup(q.tobytes()).hits], queries, rows, 400)
    print(
        f"single look-ups: {found['single/s']:,.0f}/s CPU, p50 {found['p50 ms']:.1f} ms, p99 {found['p99 ms']:.1f} ms"
    )


METHODS = {
    "safelight": ours,
    "faiss flat": lambda codes, batch: faiss_index(codes, "flat"),
    "faiss MultiHash 16x16": lambda codes, batch: faiss_index(codes, "multihash"),
    "threatexchange default": lambda codes, batch: threatexchange_index(codes),
    "changing": lambda codes, batch: changing(codes),
    "numpy": lambda codes, batch: numpy_scan(codes),
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--codes", type=int, default=1_000_000)
    parser.add_argument("--batch", type=int, default=100_000)
    parser.add_argument("--digests", type=int, default=10_000_000)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--large", type=Path, metavar="FOLDER", help="index files are kept there")
    parser.add_argument("--method", choices=METHODS, help="measure one method and print JSON")
    args = parser.parse_args()
    if args.method:
        print(json.dumps(METHODS[args.method](args.codes, args.batch)))
        return
    if args.large:
        args.large.mkdir(parents=True, exist_ok=True)
        if args.codes:
            large(args.codes, args.batch, args.large)
        if args.digests:
            digests(args.digests, args.large)
        return
    peers = ["numpy"] if args.no_peers else ["faiss flat", "faiss MultiHash 16x16", "threatexchange default"]
    print(f"{args.codes:,} PDQ codes, threshold 31, {args.batch:,} in a batch, one core")
    print(
        f"{'method':<24}{'build s':>9}{'single/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'batch/s':>10}{'GB':>7}{'recall':>8}"
    )
    mine: dict[str, float] = {}
    for method in ["safelight", *peers]:
        # A process for each, so that its peak memory is its own.
        command = [sys.executable, __file__, "--method", method, "--codes", str(args.codes), "--batch", str(args.batch)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        r = json.loads(run.stdout.splitlines()[-1])
        print(
            f"{method:<24}{r['build s']:>9.1f}{r['single/s']:>10,.0f}{r['p50 ms']:>9.2f}{r['p99 ms']:>9.2f}"
            f"{r['batch/s']:>10,.0f}{r['GB']:>7.2f}{r['recall']:>8.3f}",
            end="",
        )
        if mine:
            print(f"   ours is {mine['single/s'] / r['single/s']:,.0f}x single, ", end="")
            print(f"{mine['batch/s'] / r['batch/s']:,.0f}x batch" if r["batch/s"] == r["batch/s"] else "no batch")
        else:
            print()
            mine = r
    if args.digests:
        digests(args.digests, None)


if __name__ == "__main__":
    main()
