"""exp, tanh and the logistic of vectors of floats, to 2e-7 of their values. A NaN stays one."""

from __future__ import annotations

from llvmlite import ir

from darknet_py.ops.cpu.codegen.emit import I32, Vector, constant, fused, vector_type, where

_MAGIC = 1.5 * 2.0**23
"""Added to a float below 2^22, it leaves the nearest whole number in the lowest bits."""
_LOG2_E = 1.4426950408889634
_LN_2 = 0.693359375, -2.12194440e-4
"""Its first bits, and the rest."""
_EXP = 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5
_TANH = -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1
"""Polynomials of Cephes' expf and tanhf (Moshier)."""


def number(x: Vector, value: float) -> Vector:
    """The value in every place of a vector like x."""
    return Vector(x.builder, constant(value, x.length))


def magnitude(x: Vector) -> Vector:
    return where(x < 0.0, x * -1.0, x)


def clipped(x: Vector, low: float, high: float) -> Vector:
    """x between two numbers."""
    x = where(x < low, number(x, low), x)
    return where(x > high, number(x, high), x)


def floor(x: Vector) -> Vector:
    """The largest whole number that is not above x."""
    nearest = (x + _MAGIC) - _MAGIC
    down = where(nearest > x, nearest - 1.0, nearest)
    return where(magnitude(x) < 2.0**22, down, x)


def _polynomial(x: Vector, factors: tuple[float, ...]) -> Vector:
    total = number(x, factors[0])
    for factor in factors[1:]:
        total = fused(total, x, number(x, factor))
    return total


def exp(x: Vector) -> Vector:
    """exp(x): 2^n exp(r), with r = x - n ln 2; 0 below -87.3, and above 88 exp(88)."""
    builder = x.builder
    near = clipped(x, -87.3, 88.0)
    shifted = near * _LOG2_E + _MAGIC
    n = shifted - _MAGIC
    r = fused(n, number(x, -_LN_2[1]), fused(n, number(x, -_LN_2[0]), near))
    y = fused(_polynomial(r, _EXP), r * r, r + 1.0)
    kind = ir.VectorType(I32, x.length)

    def whole(value: int) -> ir.Constant:
        return ir.Constant(kind, [value] * x.length)

    exponent = builder.shl(builder.bitcast(shifted.value, kind), whole(23))
    power = builder.bitcast(builder.add(exponent, whole(127 << 23)), vector_type(x.length))
    return where(x < -87.3, number(x, 0.0), y * Vector(builder, power))


def logistic(x: Vector) -> Vector:
    """1 / (1 + exp(-x)), by exp of what is not positive."""
    small = exp(magnitude(x) * -1.0)
    return where(x > 0.0, number(x, 1.0), small) / (small + 1.0)


def tanh(x: Vector) -> Vector:
    """A polynomial near 0, else of exp(-2 |x|)."""
    size = magnitude(x)
    small = exp(size * -2.0)
    far = (number(x, 1.0) - small) / (small + 1.0)
    square = x * x
    near = fused(_polynomial(square, _TANH) * square, x, x)
    return where(size < 0.625, near, where(x < 0.0, far * -1.0, far))


def expm1(x: Vector) -> Vector:
    """exp(x) - 1 of what is not positive: 2 t / (1 - t), t = tanh(x / 2)."""
    t = tanh(where(x > 0.0, number(x, 0.0), x) * 0.5)
    return t * 2.0 / (number(x, 1.0) - t)
