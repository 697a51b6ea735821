"""The compiled half of `safelight.matching.pdq`; imported only when a picture is really hashed.

The reference works on whole float32 planes: luma, then twice a box filter along rows and along columns, then a
64x64 sample of the result. We stream the same arithmetic through strips of 16 rows instead, so that nothing but a
few rows is alive at a time, the SIMD lanes run across independent rows (row filters) or columns (column filters),
and the last pass of each direction is divided only where it is sampled.

Why this is bit-identical: every running sum sees the same float32 additions and subtractions in the same order as in
the reference, and every division has the same operands. No fastmath here, ever: it would let the compiler reorder
sums, and a hash bit is decided by comparing floats with their median.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

LANES = 16
SIDE = 64
BITS = 16

_F1000 = np.float32(1000)


def _dct_rows() -> np.ndarray:
    """Rows 1 to 16 of the 64-point DCT-II, in float32, built as the reference builds them."""
    scale = float(np.float32(math.sqrt(2.0 / SIDE)))
    step = math.pi / 2.0 / SIDE
    return np.array(
        [[scale * math.cos(step * (i + 1) * (2 * j + 1)) for j in range(SIDE)] for i in range(BITS)], dtype=np.float32
    )


DCT = _dct_rows()


@njit(cache=True, nogil=True, error_model="numpy")
def _luma(row, out):  # type: ignore[no-untyped-def]
    # The reference computes r*0.299 + g*0.587 + b*0.114 in doubles and rounds to float32. One integer sum and one
    # float32 division give the same float32 for all 2^24 colours (tests/matching/test_pdq.py proves it).
    if row.shape[1] == 3:
        for c in range(out.shape[0]):
            thousandths = np.int32(299) * row[c, 0] + np.int32(587) * row[c, 1] + np.int32(114) * row[c, 2]
            out[c] = np.float32(np.int32(thousandths)) / _F1000
    else:  # gray: three equal channels weigh 1000 thousandths together
        for c in range(out.shape[0]):
            out[c] = np.float32(row[c, 0])


@njit(cache=True, nogil=True, error_model="numpy")
def _to_tile(rows, tile):  # type: ignore[no-untyped-def]
    """Transpose (LANES, W) into (W, LANES). The inner loop has a fixed length, so that it is unrolled."""
    for c in range(tile.shape[0]):
        for lane in range(LANES):
            tile[c, lane] = rows[lane, c]


@njit(cache=True, nogil=True, error_model="numpy")
def _to_rows(tile, rows):  # type: ignore[no-untyped-def]
    for c in range(tile.shape[0]):
        for lane in range(LANES):
            rows[lane, c] = tile[c, lane]


@njit(cache=True, nogil=True, error_model="numpy")
def _box_tile(tile, window, out):  # type: ignore[no-untyped-def]
    """Box filter along axis 0 of a (W, LANES) tile: all lanes at once, each summed in the reference's order."""
    n = tile.shape[0]
    half = (window + 2) // 2
    total = np.zeros(LANES, np.float32)
    count = 0
    for t in range(n + half - 1):
        if t < n:
            if t < window:
                count += 1
                for k in range(LANES):
                    total[k] += tile[t, k]
            else:
                for k in range(LANES):
                    total[k] = (total[k] + tile[t, k]) - tile[t - window, k]
        else:
            count -= 1
            for k in range(LANES):
                total[k] -= tile[t - window, k]
        if t >= half - 1:
            o = t - half + 1
            d = np.float32(count)
            for k in range(LANES):
                out[o, k] = total[k] / d


@njit(cache=True, nogil=True, error_model="numpy")
def _box_tile_sampled(tile, window, wanted, out):  # type: ignore[no-untyped-def]
    """As `_box_tile`, dividing only at the sorted positions `wanted`; out is (rows, len(wanted))."""
    n = tile.shape[0]
    rows = out.shape[0]
    half = (window + 2) // 2
    total = np.zeros(LANES, np.float32)
    count = 0
    j = 0
    for t in range(n + half - 1):
        if t < n:
            if t < window:
                count += 1
                for k in range(LANES):
                    total[k] += tile[t, k]
            else:
                for k in range(LANES):
                    total[k] = (total[k] + tile[t, k]) - tile[t - window, k]
        else:
            count -= 1
            for k in range(LANES):
                total[k] -= tile[t - window, k]
        while j < wanted.shape[0] and wanted[j] == t - half + 1:
            d = np.float32(count)
            for k in range(rows):
                out[k, j] = total[k] / d
            j += 1
        if j == wanted.shape[0]:
            return


@njit(cache=True, nogil=True, error_model="numpy")
def _add(total, row):  # type: ignore[no-untyped-def]
    for c in range(total.shape[0]):
        total[c] += row[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _sub(total, row):  # type: ignore[no-untyped-def]
    for c in range(total.shape[0]):
        total[c] -= row[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _slide(total, new, old, divisor, out):  # type: ignore[no-untyped-def]
    for c in range(total.shape[0]):
        s = (total[c] + new[c]) - old[c]
        total[c] = s
        out[c] = s / divisor


@njit(cache=True, nogil=True, error_model="numpy")
def _divide(total, divisor, out):  # type: ignore[no-untyped-def]
    for c in range(total.shape[0]):
        out[c] = total[c] / divisor


@njit(cache=True, nogil=True, error_model="numpy")
def _centres(n):  # type: ignore[no-untyped-def]
    out = np.empty(SIDE, np.int64)
    for i in range(SIDE):
        out[i] = np.int64(((i + 0.5) * n) / SIDE)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _column_filter_and_sample(rows, window, wanted, out):  # type: ignore[no-untyped-def]
    """Second column filter over the (H, 64) row samples, kept only at the 64 wanted rows."""
    n = rows.shape[0]
    half = (window + 2) // 2
    total = np.zeros(SIDE, np.float32)
    count = 0
    j = 0
    for t in range(n + half - 1):
        if t < n:
            _add(total, rows[t])
            if t < window:
                count += 1
            else:
                _sub(total, rows[t - window])
        else:
            count -= 1
            _sub(total, rows[t - window])
        while j < SIDE and wanted[j] == t - half + 1:
            _divide(total, np.float32(count), out[j])
            j += 1
        if j == SIDE:
            return


@njit(cache=True, nogil=True, error_model="numpy")
def _reduce(picture, out):  # type: ignore[no-untyped-def]
    """Luma, two box passes each way, and the 64x64 sample, streamed in strips of LANES rows."""
    height, width = picture.shape[0], picture.shape[1]
    w_row = (width + 2 * SIDE - 1) // (2 * SIDE)
    w_col = (height + 2 * SIDE - 1) // (2 * SIDE)
    half = (w_col + 2) // 2
    want_c = _centres(width)
    want_r = _centres(height)
    # The ring holds the rows the column filter may still subtract, plus one strip; a whole number of strips.
    strips = (w_col + LANES - 1) // LANES + 1
    ring_rows = strips * LANES
    ring = np.zeros((ring_rows, width), np.float32)
    luma = np.zeros((LANES, width), np.float32)
    tile = np.empty((width, LANES), np.float32)
    boxed = np.empty((width, LANES), np.float32)
    filtered = np.zeros((LANES, width), np.float32)
    sampled = np.empty((height, SIDE), np.float32)
    total = np.zeros(width, np.float32)
    count = 0
    done = 0  # output rows of the first column filter
    for t in range(height + half - 1):
        if t < height:
            if t % LANES == 0:
                for lane in range(min(LANES, height - t)):
                    _luma(picture[t + lane], luma[lane])
                _to_tile(luma, tile)
                _box_tile(tile, w_row, boxed)
                at = t % ring_rows
                _to_rows(boxed, ring[at : at + LANES])
            if t < w_col:
                count += 1
                _add(total, ring[t % ring_rows])
                if t >= half - 1:
                    _divide(total, np.float32(count), filtered[done % LANES])
            else:
                _slide(
                    total, ring[t % ring_rows], ring[(t - w_col) % ring_rows], np.float32(count), filtered[done % LANES]
                )
        else:
            count -= 1
            _sub(total, ring[(t - w_col) % ring_rows])
            _divide(total, np.float32(count), filtered[done % LANES])
        if t >= half - 1:
            done += 1
            if done % LANES == 0 or done == height:
                first = (done - 1) // LANES * LANES
                _to_tile(filtered, tile)
                _box_tile_sampled(tile, w_row, want_c, sampled[first:done])
    _column_filter_and_sample(sampled, w_col, want_r, out)


@njit(cache=True, nogil=True, error_model="numpy")
def reduce_to_block(picture):  # type: ignore[no-untyped-def]
    """(H, W, 3) colour or (H, W, 1) gray, uint8, to the 64x64 float32 block that PDQ transforms."""
    out = np.empty((SIDE, SIDE), np.float32)
    if picture.shape[0] == SIDE and picture.shape[1] == SIDE:
        for r in range(SIDE):  # the reference does not filter what already has the right size
            _luma(picture[r], out[r])
    else:
        _reduce(picture, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def quality_of(block):  # type: ignore[no-untyped-def]
    """The reference's gradient measure of a 64x64 block, 0 to 100."""
    hundred = np.float32(100)
    most = np.float32(255)
    total = np.int64(0)
    for i in range(SIDE - 1):
        for j in range(SIDE):
            total += abs(np.int64(((block[i, j] - block[i + 1, j]) * hundred) / most))
    for i in range(SIDE):
        for j in range(SIDE - 1):
            total += abs(np.int64(((block[i, j] - block[i, j + 1]) * hundred) / most))
    return min(total // 90, 100)


@njit(cache=True, nogil=True, error_model="numpy")
def transform(block, dct):  # type: ignore[no-untyped-def]
    """The 16x16 low frequencies, float32, summed in the reference's order (plain left to right)."""
    middle = np.zeros((BITS, SIDE), np.float32)
    for i in range(BITS):
        for k in range(SIDE):
            for j in range(SIDE):
                middle[i, j] += dct[i, k] * block[k, j]
    out = np.empty((BITS, BITS), np.float32)
    for i in range(BITS):
        for j in range(BITS):
            total = np.float32(0)
            for k in range(SIDE):
                total += middle[i, k] * dct[j, k]
            out[i, j] = total
    return out
