"""Whether two results agree, group by group: compare.py OURS.parquet THEIRS.parquet; prints the largest relative error."""

import sys

import numpy as np
import pyarrow.parquet

# Sums over some hundreds of rows in another order, and for polars about another centre: 1e-14 each; a wrong row or divisor shows at 1e-4.
TOLERANCE = 1e-9


def read(path):
    table = pyarrow.parquet.read_table(path)
    order = np.argsort(table["group"].to_numpy())
    lists = lambda name: np.array(table[name].to_pylist(), dtype=float)[order]
    numbers = lambda name: table[name].to_numpy()[order].astype(float)
    return {
        "n": numbers("n"),
        "log_likelihood": numbers("log_likelihood"),
        "mean": lists("mean"),
        "covariance": lists("covariance"),
    }


ours, theirs = map(read, sys.argv[1:])
worst = 0.0
for name, a in ours.items():
    b = theirs[name]
    assert a.shape == b.shape, f"{name}: {a.shape} and {b.shape}"
    error = float((np.abs(a - b) / np.abs(a).max(axis=-1, keepdims=True)).max())
    assert error <= TOLERANCE, f"{name} differs by {error}"
    worst = max(worst, error)
print(worst)
