"""Shards in real processes: the same answers as one index, and the truth about a shard that is gone."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest
from distributed import Client, LocalCluster
from tests.exchange.folder import flipped, real_codes

from safelight.errors import ExchangeError, MatchingError
from safelight.exchange.shards import ShardedIndex, dask, read_shards, write_shards
from safelight.matching.hamming import PdqIndex


@pytest.fixture(scope="module")
def codes():
    return real_codes(9_000, 3)


@pytest.fixture(scope="module")
def folder(codes, tmp_path_factory):
    made = tmp_path_factory.mktemp("shards")
    write_shards(codes, made, 3)
    return made


@pytest.fixture(scope="module")
def queries(codes):
    rng = np.random.default_rng(1)
    near = [flipped(codes[place].tobytes(), rng, place % 15) for place in range(0, 9_000, 450)]
    return np.frombuffer(b"".join(near) + real_codes(5, 77).tobytes(), np.uint8).reshape(-1, 32)


def plain(index: PdqIndex, asked) -> list[list[tuple[int, int]]]:
    return [index.query(one.tobytes()) for one in asked]


def dead_process(sharded: ShardedIndex, name: str) -> int:
    (number,) = sharded._executors[name]._processes
    return number


def test_three_processes_answer_as_one_index_does_and_a_killed_one_is_named(folder, codes, queries):
    """A dead machine would turn a third of the list into 'no match', and nobody would know."""
    sharded = ShardedIndex(read_shards(folder), patience=60)
    try:
        assert sharded.warm_up().complete
        whole = sharded.search(queries)
        assert [list(pairs) for pairs in whole.hits] == plain(PdqIndex(codes), queries)
        assert whole.complete
        assert {whole.verdict(0), whole.verdict(len(queries) - 1)} == {"match", "no match"}
        os.kill(dead_process(sharded, "shard-001"), signal.SIGKILL)
        broken = sharded.search(queries)
        (gone,) = broken.missing
        assert (gone.name, round(gone.share, 2)) == ("shard-001", 0.33)
        assert broken.verdict(0) == "match", "what was found stands"
        told = [broken.verdict(place) for place in range(len(queries))]
        assert "no match" not in told
        assert told[-1] == "incomplete: shard-001 did not answer (33% of the list)"
        assert not sharded.search(queries).complete, "it stays gone until somebody revives it"
        sharded.revive("shard-001")
        assert sharded.search(queries).hits == whole.hits
        assert sharded.search(queries).complete
    finally:
        sharded.close()


def test_a_shard_whose_file_is_damaged_is_missing_too(tmp_path, codes, queries):
    shards = write_shards(codes[:300], tmp_path, 2)
    (tmp_path / "shard-001").write_bytes(b"nothing")
    sharded = ShardedIndex(shards, patience=60)
    try:
        (gone,) = sharded.search(queries).missing
        assert (gone.name, "MatchingError" in gone.why) == ("shard-001", True)
    finally:
        sharded.close()


def test_the_same_over_dask_workers(folder, codes, queries):
    """The larger installation would answer otherwise than the one on a single machine."""
    with (
        LocalCluster(n_workers=3, threads_per_worker=1, dashboard_address=None, protocol="tcp://") as cluster,
        Client(cluster) as client,
    ):
        sharded = ShardedIndex(read_shards(folder), dask(client), patience=60)
        assert [list(pairs) for pairs in sharded.search(queries).hits] == plain(PdqIndex(codes), queries)
        sharded.patience = 3
        lost = sorted(client.scheduler_info(n_workers=-1)["workers"])[1]
        (worker,) = [one for one in cluster.workers.values() if one.worker_address == lost]
        cluster.loop.add_callback(worker.kill)
        until = time.monotonic() + 30
        while lost in client.scheduler_info(n_workers=-1)["workers"] and time.monotonic() < until:
            time.sleep(0.1)
        broken = sharded.search(queries)
        assert [one.name for one in broken.missing] == ["shard-001"]
        assert "no match" not in [broken.verdict(place) for place in range(len(queries))]
        sharded.close()


def test_what_makes_no_sense_is_refused(tmp_path, codes):
    with pytest.raises(ExchangeError):
        write_shards(codes[:3], tmp_path, 4)
    with pytest.raises(ExchangeError):
        read_shards(tmp_path / "nothing")
    with pytest.raises(ExchangeError):
        ShardedIndex([])
    sharded = ShardedIndex(write_shards(codes[:3], tmp_path, 1))
    with pytest.raises(MatchingError):
        sharded.search(np.zeros((1, 31), np.uint8))
    with pytest.raises(ExchangeError, match="shard-000"):
        sharded.revive("shard-7")
    sharded.close()
