"""Randomness without state: every number is a hash of a seed and of its purpose."""

import numpy as np

from augment.kernel import inner

# Typed, since numba makes float64 of uint64 with int64.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST_FACTOR = np.uint64(0xBF58476D1CE4E5B9)
_SECOND_FACTOR = np.uint64(0x94D049BB133111EB)
_LOW_HALF = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)
_U27 = np.uint64(27)
_U30 = np.uint64(30)
_U31 = np.uint64(31)
_U32 = np.uint64(32)
_LEAST_BITS = np.uint64(3)  # below, the permutations of a few elements are visibly uneven
_NUM_ROUNDS = 3


@inner
def mix64(value: np.uint64) -> np.uint64:
    """A bijection of uint64 that scrambles all bits (the output function of SplitMix64)."""
    value = (value ^ (value >> _U30)) * _FIRST_FACTOR
    value = (value ^ (value >> _U27)) * _SECOND_FACTOR
    return value ^ (value >> _U31)


@inner
def hash64(seed: np.uint64, first: int, second: int) -> np.uint64:
    """A uniform uint64 for two counters >= 0 under a seed."""
    value = mix64(seed + _STEP)
    value = mix64((value ^ np.uint64(first)) + _STEP)
    return mix64((value ^ np.uint64(second)) + _STEP)


@inner
def bounded(value: np.uint64, length: int) -> np.int64:
    """A uniform int in 0..length-1 from the upper half of a hash; length < 2**32, bias < length / 2**32."""
    return np.int64(((value >> _U32) * np.uint64(length)) >> _U32)


@inner
def bounded_low(value: np.uint64, length: int) -> np.int64:
    """The same from the lower half, so that one hash serves two draws."""
    return np.int64(((value & _LOW_HALF) * np.uint64(length)) >> _U32)


@inner
def permuted(index: int, length: int, key: np.uint64) -> np.int64:
    """The image of `index` under a pseudo-random permutation of 0..length-1, one per key.

    A Feistel network over the next power of two, iterated until the value is below `length`.
    """
    low_bits, high_bits = _LEAST_BITS, _LEAST_BITS
    while (_ONE << (low_bits + high_bits)) < np.uint64(length):
        if low_bits == high_bits:
            low_bits += _ONE
        else:
            high_bits += _ONE
    low_mask, high_mask = (_ONE << low_bits) - _ONE, (_ONE << high_bits) - _ONE
    value = np.uint64(index)
    while True:
        low, high = value & low_mask, value >> low_bits
        for number in range(_NUM_ROUNDS):
            round_key = key + np.uint64(number) * _STEP
            low ^= (mix64(round_key + high) >> _U32) & low_mask
            high ^= (mix64(~round_key - low) >> _U32) & high_mask
        value = (high << low_bits) | low
        if value < np.uint64(length):
            return np.int64(value)


@inner
def item_of_epoch(example: int, length: int, seed: np.uint64) -> np.int64:
    """The item 0..length-1 of an example: each comes once per `length` examples, in a new order each time."""
    return permuted(example % length, length, hash64(seed, example // length, 0))
