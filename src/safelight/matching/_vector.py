"""Vector instructions that numba does not offer: a population count, a prefetch, and a compare of 16 codes at once.

LLVM lowers the 16-lane operations to whatever the processor has (AVX-512 population counts, AVX2, NEON, plain code);
the answers are the same everywhere.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils as _untyped_cgutils
from numba.extending import intrinsic

cgutils: Any = _untyped_cgutils

LANES = 16
#: A block is 16 codes; of each it holds three 32-bit words, lane beside lane.
WORDS = 3
BLOCK = LANES * WORDS

_I32 = ir.IntType(32)
_VECTOR = ir.VectorType(_I32, LANES)


def _pointer(context: Any, builder: Any, array_type: Any, value: Any, index: Any) -> Any:
    array = context.make_array(array_type)(context, builder, value)
    return cgutils.get_item_pointer(context, builder, array_type, array, [index], wraparound=False)


def _splat(builder: Any, value: Any) -> Any:
    first = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(
        first, ir.Constant(_VECTOR, ir.Undefined), ir.Constant(ir.VectorType(_I32, LANES), [0] * LANES)
    )


def _within(builder: Any, base: Any, block: int, splats: list[Any], limit: Any) -> Any:
    """<16 x i1>: which codes of a block are within the limit over the 96 bits it holds."""
    count = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), f"llvm.ctpop.v{LANES}i32"
    )
    total = None
    for word in range(WORDS):
        at = builder.gep(base, [_I32(block * BLOCK + word * LANES)])
        loaded = builder.load(builder.bitcast(at, _VECTOR.as_pointer()), align=4)
        ones = builder.call(count, [builder.xor(loaded, splats[word])])
        total = ones if total is None else builder.add(total, ones)
    return builder.icmp_unsigned("<=", total, limit)


def _generate_popcount(typing_context, word):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


def _generate_lowest(typing_context, word):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.zext(builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1)), ir.IntType(64))

    return types.int64(types.uint32), generate


def _generate_prefetch(typing_context, array, index):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer = _pointer(context, builder, array, arguments[0], arguments[1])
        byte_pointer = ir.IntType(8).as_pointer()
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte_pointer, _I32, _I32, _I32]),
            "llvm.prefetch.p0",
        )
        builder.call(function, [builder.bitcast(pointer, byte_pointer), _I32(0), _I32(3), _I32(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


def _generate_mask(typing_context, blocks, offset, a, b, c, limit):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        base = _pointer(context, builder, blocks, arguments[0], arguments[1])
        splats = [_splat(builder, word) for word in arguments[2:5]]
        within = _within(builder, base, 0, splats, _splat(builder, arguments[5]))
        return builder.zext(builder.bitcast(within, ir.IntType(16)), _I32)

    word = types.uint32
    return types.uint32(blocks, types.int64, word, word, word, word), generate


def _generate_any4(typing_context, blocks, offset, a, b, c, limit):  # type: ignore[no-untyped-def]
    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        base = _pointer(context, builder, blocks, arguments[0], arguments[1])
        splats = [_splat(builder, word) for word in arguments[2:5]]
        limits = _splat(builder, arguments[5])
        found = _within(builder, base, 0, splats, limits)
        for block in range(1, 4):
            found = builder.or_(found, _within(builder, base, block, splats, limits))
        return builder.icmp_unsigned("!=", builder.bitcast(found, ir.IntType(16)), ir.Constant(ir.IntType(16), 0))

    word = types.uint32
    return types.boolean(blocks, types.int64, word, word, word, word), generate


#: popcount(uint64) -> uint64
popcount: Any = intrinsic(_generate_popcount)
#: lowest(uint32) -> int64: which is the lowest bit set; there must be one
lowest: Any = intrinsic(_generate_lowest)
#: prefetch(array, index): ask for the cache line of array[index]
prefetch: Any = intrinsic(_generate_prefetch)
#: mask16(blocks, offset, a, b, c, limit) -> uint32: bit i says that code i of the block at `offset` is within the limit
mask16: Any = intrinsic(_generate_mask)
#: any64(blocks, offset, a, b, c, limit) -> bool: whether any code of four blocks in a row is within the limit
any64: Any = intrinsic(_generate_any4)
