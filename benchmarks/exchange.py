"""The look-up service with 10 million entries and 8 clients, beside HMA's index behind the same plain HTTP server.

    python benchmarks/exchange.py [--codes 10000000] [--peer-codes 1000000] [--seconds 15] [--no-peer]

Needs `wrk` (Debian). Everything on 127.0.0.1. Prints p50, p99 and rate of

* the exchange as `safelight exchange serve` runs it: key, quota, watch for probing, journal on disk, answer grid;
* our index alone behind a plain WSGI application, and python-threatexchange's default PDQ index (what HMA serves)
  behind the same one, both with --peer-codes entries (its index takes some 450 bytes a code in each process);
* how far the times of matches and of misses lie apart, with the answer grid and without it.

Uniform random codes; one query in ten lies within 31 bits of an entry. Results of record: docs/exchange-benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import numpy as np

from safelight.exchange.files import write_json
from safelight.exchange.keys import SCOPES, new_key
from safelight.matching.digests import DigestIndex
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashset import HashSet

WORKERS, THREADS, CLIENTS = 2, 16, 8
QUERIES = 20_000
LUA = """
local lines, at = {{}}, 0
for line in io.lines("{queries}") do lines[#lines + 1] = line end
local headers = {{["Host"] = "127.0.0.1", ["Content-Type"] = "application/json", ["Authorization"] = "Bearer {token}"}}
function request()
  at = at % #lines + 1
  {body}
end
"""
POST = (
    ('return wrk.format("POST", "/m/lookup", headers, \'{{"signal_type":"pdq","signal":"\' .. lines[at] .. \'"}}\')')
    .replace("{{", "{")
    .replace("}}", "}")
)
GET = 'return wrk.format("GET", "/?signal=" .. lines[at])'
PLAIN = """
import sys
from pathlib import Path
import numpy as np
from gunicorn.app.base import BaseApplication
engine, path, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
codes = np.load(path)
if engine == "ours":
    from safelight.matching import PdqIndex
    index = PdqIndex(codes)
    index.prepare()
    ask = lambda text: len(index.lookup(bytes.fromhex(text)).hits)
else:
    from threatexchange.signal_type.pdq.pdq_index import PDQIndex
    index = PDQIndex((row.tobytes().hex(), place) for place, row in enumerate(codes))
    ask = lambda text: len(index.query(text))
def app(environ, start):
    body = str(ask(environ["QUERY_STRING"][7:])).encode()
    start("200 OK", [("Content-Length", str(len(body)))])
    return [body]
class Server(BaseApplication):
    def load_config(self):
        for key, value in {{"bind": f"127.0.0.1:{{port}}", "workers": {workers}, "threads": {threads},
                           "worker_class": "gthread", "keepalive": 30, "loglevel": "warning", "timeout": 300}}.items():
            self.cfg.set(key, value)
    def load(self):
        return app
Server().run()
"""


def random_codes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 1 << 64, (count, 4), np.uint64).view(np.uint8)


def build_exchange(folder: Path, count: int) -> str:
    """The exchange's folder with one shared set of this many PDQ and MD5 entries. Returns a key."""
    codes = random_codes(count, 1)
    one = HashSet.from_entries([HashSetEntry(pdq=codes[0].tobytes())], name="Synthetic list")
    rows = np.arange(count, dtype=np.uint32)
    md5 = np.ascontiguousarray(random_codes(count, 2)[:, :16])
    arrays = dict(one._arrays)
    arrays |= {f"md5.{part}": value for part, value in DigestIndex.build("md5", md5, rows).arrays.items()}
    arrays |= {"md5.rows": rows, "pdq.codes": codes, "pdq.rows": rows, "category": np.zeros(count, np.uint16)}
    arrays |= {"flags": np.zeros(count, np.uint8), "source_row": np.arange(count, dtype=np.uint64)}
    place = folder / "sets"
    HashSet({**one._meta, "entries": count}, arrays).save(place)
    write_json(
        folder / "banks.json",
        {
            "version": 1,
            "banks": [{"number": 1, "name": "LIST", "kind": "hash_set", "root": one.root, "folder": str(place)}],
        },
    )
    (folder / "changes.jsonl").touch()
    key = new_key()
    row = {
        "number": 1, "public_id": key.public_id, "secret_sha256": key.secret_sha256, "platform": 1, "name": "Synthetic",
        "scopes": list(SCOPES), "expires_at": time.time() + 86_400, "per_minute": 10**9, "per_day": 10**9,
        "banks": [1], "suspended": False, "revoked": False, "cleared_at": 0.0,
    }  # fmt: skip
    write_json(folder / "keys.json", {"keys": [row], "fingerprint_secret": "ab" * 32})
    return key.token


def write_queries(path: Path, codes: np.ndarray) -> tuple[list[str], list[str]]:
    """A file of queries, one in ten a match. Returns some that match and some that do not."""
    rng = np.random.default_rng(3)
    asked = random_codes(QUERIES, 4).copy()
    planted = np.arange(0, QUERIES, 10)
    for at, row in zip(planted, rng.choice(len(codes), len(planted), replace=False), strict=True):
        mask = np.zeros(256, np.uint8)
        mask[rng.choice(256, int(rng.integers(0, 32)), replace=False)] = 1
        asked[at] = codes[row] ^ np.packbits(mask)
    texts = [row.tobytes().hex() for row in asked]
    path.write_text("\n".join(texts) + "\n")
    # As many of each, so that neither kind is asked again more often and found in warmer memory.
    return [texts[at] for at in planted], [texts[at + 1] for at in planted]


def started(command: list[str], port: int, environment: dict[str, str], probe: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, env=environment)
    until = time.monotonic() + 300
    while time.monotonic() < until and process.poll() is None:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", probe)
            connection.getresponse().read()
            return process
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"{command[:4]} did not start.")


def stopped(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)


def load(name: str, port: int, script: str, seconds: int, folder: Path) -> dict[str, float]:
    """8 connections for some seconds. Prints and returns p50 and p99 (ms) and the rate."""
    path = folder / "wrk.lua"
    path.write_text(script)
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--latency", "-s", str(path), f"http://127.0.0.1:{port}"]
    subprocess.run([*command[:3], "-d2s", *command[4:]], capture_output=True, check=True)
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    units = {"us": 1e-3, "ms": 1.0, "s": 1e3}
    times = {
        share: float(value) * units[unit] for share, value, unit in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\n", text)
    }
    (rate,) = re.findall(r"Requests/sec:\s+([\d.]+)", text)
    bad = re.findall(r"Non-2xx or 3xx responses: (\d+)", text)
    made = {"p50": times["50"], "p99": times["99"], "rate": float(rate)}
    wrong = f"  NOT ANSWERED: {bad[0]}" if bad else ""
    print(
        f"{name:<58} p50 {made['p50']:7.2f} ms  p99 {made['p99']:7.2f} ms  {made['rate']:8.0f} look-ups/s{wrong}",
        flush=True,
    )
    return made


def exchange(folder: Path, port: int, grid: int) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ, "SAFELIGHT_DATA": str(folder.parent), "SAFELIGHT_DEMO": "1",
        "SAFELIGHT_EXCHANGE_ANSWER_MS": str(grid), "DJANGO_SETTINGS_MODULE": "safelight.web.exchange_settings",
    }  # fmt: skip
    code = (
        "from safelight.cli.django import setup; setup(); from safelight.cli.exchange import run_exchange; "
        f"run_exchange('127.0.0.1', {port}, {WORKERS}, {THREADS})"
    )
    return started([sys.executable, "-c", code], port, environment, "/openapi.json")


def apart(name: str, port: int, token: str, hits: list[str], misses: list[str]) -> None:
    """Times of matches and misses, asked in turn by 2 clients: medians, and how often a match takes longer."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def client(number: int) -> list[tuple[bool, float]]:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        rng, made = np.random.default_rng(number), []
        for _ in range(250):
            known = bool(rng.random() < 0.3)  # more would be taken for somebody who tests a collection
            text = str(rng.choice(hits if known else misses))
            begun = time.perf_counter()
            connection.request("POST", "/m/lookup", json.dumps({"signal_type": "pdq", "signal": text}), headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                made.append((known, time.perf_counter() - begun))
        return made

    # Two at a time: a machine at its limit adds more chance than there is to be seen.
    with ThreadPoolExecutor(2) as pool:
        rows = [row for some in pool.map(client, range(CLIENTS)) for row in some]
    known = np.array([seconds for hit, seconds in rows if hit]) * 1e3
    strange = np.array([seconds for hit, seconds in rows if not hit]) * 1e3
    longer = (known[:, None] > strange[None, :]).mean() + 0.5 * (known[:, None] == strange[None, :]).mean()
    grid = np.sort(np.concatenate([known, strange]))
    gap = np.abs(
        np.searchsorted(np.sort(known), grid, side="right") / len(known)
        - np.searchsorted(np.sort(strange), grid, side="right") / len(strange)
    ).max()
    limit = 1.36 * np.sqrt(1 / len(known) + 1 / len(strange))
    print(
        f"{name:<58} median of {len(known)} matches {np.median(known):.2f} ms, of {len(strange)} misses "
        f"{np.median(strange):.2f} ms; a match takes longer in {longer:.1%} of pairs (50% tells nothing); "
        f"Kolmogorov-Smirnov {gap:.3f}, 5% limit {limit:.3f}",
        flush=True,
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--codes", type=int, default=10_000_000)
    arguments.add_argument("--peer-codes", type=int, default=1_000_000)
    arguments.add_argument("--seconds", type=int, default=15)
    arguments.add_argument("--no-peer", action="store_true")
    arguments.add_argument("--keep", type=Path, help="folder for the synthetic set, used again where it is there")
    chosen = arguments.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed. Do: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="safelight-exchange-") as temporary:
        home = chosen.keep or Path(temporary)
        folder = home / "exchange"
        folder.mkdir(parents=True, exist_ok=True)
        begun = time.perf_counter()
        token_file = home / "token"
        if not token_file.exists():
            token_file.write_text(build_exchange(folder, chosen.codes))
        token = token_file.read_text()
        queries = home / "queries.txt"
        hits, misses = write_queries(queries, random_codes(chosen.codes, 1))
        print(f"{chosen.codes:,} entries ready after {time.perf_counter() - begun:.0f} s", flush=True)
        if chosen.seconds == 0:
            return
        post = LUA.format(queries=queries, token=token, body=POST)
        get = LUA.format(queries=queries, token="", body=GET)
        server = exchange(folder, 9341, 5)
        try:
            full = load(f"exchange, {chosen.codes:,}, whole way", 9341, post, chosen.seconds, home)
            apart("  times, answers on a grid of 5 ms", 9341, token, hits, misses)
        finally:
            stopped(server)
        server = exchange(folder, 9342, 0)
        try:
            load("exchange, the same without the answer grid", 9342, post, chosen.seconds, home)
            apart("  times, answers at once", 9342, token, hits, misses)
        finally:
            stopped(server)
        if chosen.no_peer:
            return
        few = home / "codes.npy"
        np.save(few, random_codes(chosen.codes, 1)[: chosen.peer_codes])
        write_queries(queries, np.load(few, mmap_mode="r"))
        plain, made = PLAIN.format(workers=WORKERS, threads=THREADS), {}
        for place, engine in enumerate(("ours", "pytx")):
            port = 9343 + place
            command = [sys.executable, "-c", plain, engine, str(few), str(port)]
            server = started(command, port, dict(os.environ), "/?signal=" + "00" * 32)
            try:
                name = {"ours": "our index", "pytx": "python-threatexchange's index"}[engine]
                made[engine] = load(f"{name}, {chosen.peer_codes:,}, plain server", port, get, chosen.seconds, home)
            finally:
                stopped(server)
        ours, peer = made["ours"], made["pytx"]
        print(
            f"plain server, ours to theirs: {ours['rate'] / peer['rate']:.1f} times the rate, "
            f"p99 {peer['p99'] / ours['p99']:.1f} times shorter; "
            f"the whole exchange at {chosen.codes:,} against theirs at {chosen.peer_codes:,}: "
            f"{full['rate'] / peer['rate']:.2f} times the rate, p99 {full['p99']:.1f} ms against {peer['p99']:.1f} ms"
        )


if __name__ == "__main__":
    main()
