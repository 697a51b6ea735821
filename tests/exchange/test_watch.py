"""The watch for probing: the attacks it must find, and the honest streams that it must leave alone."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.exchange.folder import flipped, real_codes

from safelight.exchange.errors import OverQuota
from safelight.exchange.keys import Key
from safelight.exchange.watch import CLUSTER, KEEP, MATCHED, ODD, WINDOW, Watch
from safelight.matching.pdq import pdq

NO = np.zeros(0, np.uint8)


def key(number: int = 1, **fields) -> Key:
    values = {
        "platform": 1,
        "name": "Synthetic",
        "scopes": frozenset(),
        "expires_at": 2e9,
        "per_minute": 10,
        "per_day": 15,
    }
    return Key(number=number, public_id=f"k{number}", secret_sha256="", **{**values, **fields})


@pytest.fixture
def watch(tmp_path):
    made = Watch(tmp_path / "watch.state")
    yield made
    made.close()


def ask(
    watch: Watch, codes: list[bytes], hits: list[bool] | None = None, *, now: float = 1e9, step: float = 1.0, **at
) -> int:
    """How many queries were taken before the key was suspended; all of them if it never was."""
    flags = np.array(hits if hits is not None else [False] * len(codes), np.uint8)
    for place, code in enumerate(codes):
        words = np.frombuffer(bytearray(code), np.uint64).reshape(1, 4)
        if watch.observe(key(**at), words, flags[place : place + 1], now=now + place * step):
            return place
    return len(codes)


class TestAttacks:
    def test_flipping_bits_of_one_code_by_hand(self, watch):
        """256 queries would tell which bits matter."""
        centre = np.unpackbits(real_codes(1)[0])
        codes = []
        for bit in range(256):
            one = centre.copy()
            one[bit] ^= 1
            codes.append(np.packbits(one).tobytes())
        assert ask(watch, codes) <= ODD

    @pytest.mark.parametrize("cover", [0, 1, 2])
    def test_walking_off_among_other_pictures(self, watch, cover):
        """A prober would hide each step between pictures that mean nothing."""
        rng = np.random.default_rng(cover)
        code, codes = real_codes(1)[0].tobytes(), []
        for step in range(400):
            code = flipped(code, rng, 1 if step % 3 else 2)
            codes.append(code)
            codes += [other.tobytes() for other in real_codes(cover, 1000 + step)]
        assert ask(watch, codes) < CLUSTER * (cover + 1) + 5

    def test_trying_many_changes_of_one_picture(self, watch):
        rng = np.random.default_rng(3)
        centre = real_codes(1)[0].tobytes()
        assert ask(watch, [flipped(centre, rng, int(rng.integers(1, 14))) for _ in range(400)]) < CLUSTER + 5

    def test_testing_a_collection_against_the_lists(self, watch):
        codes = [code.tobytes() for code in real_codes(WINDOW)]
        hits = [place % 2 == 0 for place in range(WINDOW)]
        assert MATCHED <= ask(watch, codes, hits) < WINDOW

    def test_a_batch_is_looked_at_query_by_query(self, watch):
        rng = np.random.default_rng(3)
        centre = real_codes(1)[0].tobytes()
        codes = np.frombuffer(b"".join(flipped(centre, rng, 4) for _ in range(300)), np.uint64).reshape(-1, 4).copy()
        assert "cluster" in watch.observe(key(), codes, np.zeros(300, np.uint8), now=1e9)

    def test_a_step_between_two_clusters_makes_them_one(self, watch):
        rng = np.random.default_rng(5)
        low = real_codes(1)[0].tobytes()
        middle = flipped(low, rng, 14)
        high = flipped(middle, rng, 14)
        some = [flipped(centre, rng, 1) for centre in (low, high) for _ in range(CLUSTER // 2)]
        assert ask(watch, some) == len(some)
        assert ask(watch, [middle], now=1e9 + 500) == 0


class TestHonestStreams:
    @pytest.mark.parametrize("seed", range(4))
    def test_a_platform_on_which_everybody_shares_the_same_few_pictures(self, watch, seed):
        """A platform would be cut off on the day when a picture goes round, and known pictures go up unseen."""
        rng = np.random.default_rng(seed)
        pictures = real_codes(3_000, seed)
        popular = np.minimum(rng.zipf(1.3, 6_000) - 1, 2_999)  # the first alone has a quarter of all uploads
        codes = []
        for place in popular:
            # Most uploads are the same file; the others were saved again.
            changes = 0 if rng.random() < 0.7 else int(rng.integers(1, 6))
            codes.append(flipped(pictures[place].tobytes(), rng, changes) if changes else pictures[place].tobytes())
        hits = [bool(rng.random() < 0.01) for _ in codes]
        assert ask(watch, codes, hits) == len(codes)

    def test_the_same_question_ten_thousand_times(self, watch):
        assert ask(watch, [real_codes(1)[0].tobytes()] * 10_000, [True] * 10_000) == 10_000

    def test_one_real_picture_saved_and_resized_in_forty_ways_among_others(self, watch):
        rng = np.random.default_rng(1)
        base = Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).resize((256, 256), Image.Resampling.BICUBIC)
        codes = []
        for quality in (30, 50, 70, 80, 90):
            for side in (96, 128, 160, 192, 200, 220, 240, 256):
                out = io.BytesIO()
                base.resize((side, side), Image.Resampling.LANCZOS).save(out, "JPEG", quality=quality)
                codes.append(bytes.fromhex(pdq(np.asarray(Image.open(out).convert("RGB"))).hex))
        assert len(set(codes)) > 15, "the variants must differ, or this proves nothing"
        others = [code.tobytes() for code in real_codes(200, 8)]
        assert ask(watch, codes + others) == len(codes) + len(others)

    def test_what_is_older_than_a_day_no_longer_counts(self, watch):
        rng = np.random.default_rng(6)
        centre = real_codes(1)[0].tobytes()
        slow = [flipped(centre, rng, 4) for _ in range(300)]
        assert ask(watch, slow, step=KEEP / (CLUSTER - 2)) == 300

    @settings(max_examples=20)
    @given(st.lists(st.binary(min_size=32, max_size=32), max_size=60), st.integers(0, 2**32))
    def test_few_queries_never_suspend_whatever_they_are(self, codes, seed):
        """Below the smallest limit nobody is suspended: a handful of odd codes is a broken hasher, not a prober."""
        import tempfile
        from pathlib import Path

        with tempfile.TemporaryDirectory() as folder:
            made = Watch(Path(folder) / "w")
            assert ask(made, codes[: ODD - 1]) == len(codes[: ODD - 1])
            made.close()


CHARGE = """
import sys
from pathlib import Path
from safelight.exchange.errors import OverQuota
from safelight.exchange.keys import Key
from safelight.exchange.watch import Watch
key = Key(1, "k", "", 1, "Synthetic", frozenset(), 2e9, per_minute=1000, per_day=10_000)
watch, spent = Watch(Path(sys.argv[1])), 0
for _ in range(800):
    try:
        watch.charge(key, 1, now=1e9)
        spent += 1
    except OverQuota:
        pass
print(spent)
"""


class TestQuotas:
    def test_a_day_and_a_minute(self, watch):
        watch.charge(key(), 10, now=0)
        for now, looks, fits in ((59, 1, False), (60, 5, True), (120, 1, False), (86_400, 10, True)):
            if fits:
                watch.charge(key(), looks, now=now)
            else:
                with pytest.raises(OverQuota):
                    watch.charge(key(), looks, now=now)

    def test_processes_share_one_count_exactly(self, tmp_path):
        """Each serving process would grant the whole quota."""
        command = [sys.executable, "-c", CHARGE, str(tmp_path / "w")]
        runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        assert sum(int(run.communicate(timeout=120)[0]) for run in runs) == 1000

    def test_places_of_keys_that_are_gone_are_given_to_others(self, watch):
        for number in range(1, 200):
            watch.charge(key(number, platform=number), 1, now=0)
        watch.forget({1, 2}, {1, 2})
        for number in range(300, 500):
            watch.charge(key(number, platform=number), 1, now=0)
        with pytest.raises(OverQuota):
            watch.charge(key(1, platform=1), 10, now=1)
