"""Makes cases.json: values to 50 digits that every engine is held against.

    python3 -m venv build/golden && build/golden/bin/pip install mpmath==1.3.0 numpy==2.4.6
    build/golden/bin/python test/golden/make.py

Inputs are seeded float64 numbers (rows also rounded to float32 in the case that says so). Everything after that is mpmath
arithmetic on exactly those numbers, straight from the definitions; the results are rounded once, to float64.
"""

import json
import pathlib

import mpmath
import numpy

mpmath.mp.dps = 50
HERE = pathlib.Path(__file__).parent


def general_factor(rng, d, condition):
    """A square Λ, not triangular, with cond(ΛΛᵀ) = condition and singular values about 1."""
    left, _ = numpy.linalg.qr(rng.standard_normal((d, d)))
    right, _ = numpy.linalg.qr(rng.standard_normal((d, d)))
    values = numpy.geomspace(condition**0.25, condition**-0.25, d) if d > 1 else numpy.ones(1)
    return (left * values) @ right


def exact(array):
    return mpmath.matrix(numpy.atleast_2d(array).tolist())


def moments(x, weights):
    """W, x̄ and A of one group, by their definitions."""
    n, d = x.rows, x.cols
    weight = mpmath.fsum(weights)
    mean = [mpmath.fsum(weights[a] * x[a, j] for a in range(n)) / weight for j in range(d)]
    scatter = mpmath.matrix(d, d)
    for i in range(d):
        for j in range(d):
            scatter[i, j] = mpmath.fsum(
                weights[a] * (x[a, i] - mean[i]) * (x[a, j] - mean[j]) for a in range(n)
            )
    return weight, mean, scatter


def equations(x, weights, mean, factor):
    """Rennie (2006), eqs. (2), (3), (4), (7), (9), (14), and the sizes of what is summed in (9)."""
    n, d = x.rows, x.cols
    weight = mpmath.fsum(weights)
    inverse = (factor * factor.T) ** -1
    deviations = mpmath.matrix(n, d)
    for a in range(n):
        for j in range(d):
            deviations[a, j] = x[a, j] - mean[0, j]
    weighted = mpmath.matrix(n, d)
    for a in range(n):
        for j in range(d):
            weighted[a, j] = weights[a] * deviations[a, j]
    whitened = weighted * inverse
    j1 = weight * 2 * mpmath.log(abs(mpmath.det(factor)))
    j2 = mpmath.fsum(whitened[a, j] * deviations[a, j] for a in range(n) for j in range(d))
    constant = weight * d / 2 * mpmath.log(2 * mpmath.pi)
    return {
        "j1": float(j1),
        "j2": float(j2),
        "objective": float(constant + (j1 + j2) / 2),
        "dJ1dFactor": flat(2 * weight * inverse * factor),
        "dJ2dMean": [float(-2 * mpmath.fsum(whitened[a, j] for a in range(n))) for j in range(d)],
        "dJ2dFactor": flat(-2 * inverse * (deviations.T * weighted) * inverse * factor),
        # Σₐ ‖2 wₐ (Xₐ−μ) S⁻¹‖: the scale of (9), whose terms cancel.
        "dJ2dMeanScale": float(2 * mpmath.fsum(mpmath.norm(whitened[a, :]) for a in range(n))),
        # 2 ‖n S⁻¹‖: what one unit of difference between μ and x̄ adds to (9).
        "dJ2dMeanSlope": float(2 * weight * mpmath.norm(inverse)),
    }


def maximum(x, weights):
    """The maximum likelihood estimate: S = A/W, its Cholesky factor and the log-likelihood there."""
    weight, mean, scatter = moments(x, weights)
    d = x.cols
    covariance = scatter / weight
    factor = mpmath.cholesky(covariance)
    log_determinant = 2 * mpmath.fsum(mpmath.log(factor[j, j]) for j in range(d))
    return {
        "covariance": flat(covariance),
        "factor": flat(factor),
        "logLikelihood": float(-weight / 2 * (d * mpmath.log(2 * mpmath.pi) + log_determinant + d)),
    }


def flat(matrix):
    return [float(matrix[i, j]) for i in range(matrix.rows) for j in range(matrix.cols)]


def case(name, seed, d, sizes, condition=1e3, offset=0.0, weighted=False, dtype="float64"):
    rng = numpy.random.default_rng(seed)
    rows = sum(sizes)
    truth = general_factor(rng, d, condition)
    x = rng.standard_normal((rows, d)) @ truth.T + offset + rng.standard_normal(d)
    if dtype == "float32":
        x = x.astype(numpy.float32).astype(numpy.float64)
    weights = rng.choice([0.0, 0.25, 1.0, 2.0, 3.7], rows) if weighted else None
    offsets = numpy.concatenate([[0], numpy.cumsum(sizes)]).tolist()
    at = {"mean": [], "factor": []}
    groups = []
    for begin, end in zip(offsets, offsets[1:]):
        mean = offset + rng.standard_normal(d)
        factor = general_factor(rng, d, condition)
        at["mean"] += mean.tolist()
        at["factor"] += factor.ravel().tolist()
        present = [a for a in range(begin, end) if weights is None or weights[a] > 0]
        w = [mpmath.mpf(float(weights[a])) if weighted else mpmath.mpf(1) for a in present]
        if not present:
            groups.append({"count": 0})
            continue
        own = exact(x[present])
        weight, centre, scatter = moments(own, w)
        group = {
            "count": len(present),
            "weight": float(weight),
            "mean": [float(value) for value in centre],
            "scatter": flat(scatter),
            "equations": equations(own, w, exact(mean), exact(factor)),
        }
        if len(present) > d:
            group["maximum"] = maximum(own, w)
        groups.append(group)
    return {
        "name": name,
        "dims": d,
        "dtype": dtype,
        "condition": condition,
        "offset": offset,
        "x": x.ravel().tolist(),
        "offsets": offsets,
        "weights": None if weights is None else weights.tolist(),
        "at": at,
        "groups": groups,
    }


CASES = [
    case("one column", 1, 1, [5, 0, 1, 2, 30]),
    case("two columns", 2, 2, [7, 1, 3, 0, 40]),
    case("three columns far from the origin", 3, 3, [9, 4, 25], offset=1e8),
    case("three columns with weights", 4, 3, [12, 8, 30], weighted=True),
    case("four columns stored as float32", 5, 4, [9, 5, 33], dtype="float32"),
    case("five columns", 6, 5, [6, 11, 37]),
    case("eight columns far from the origin, with weights", 7, 8, [40, 23], offset=1e8, weighted=True),
    case("nine columns", 8, 9, [10, 31]),
    case("seventeen columns", 9, 17, [18, 50]),
]

if __name__ == "__main__":
    (HERE / "cases.json").write_text(json.dumps(CASES, separators=(",", ":"), allow_nan=False) + "\n")
