"""Seeded rows in no order for the command's goals: make_rows.py ROWS GROUPS DIMS FILE.parquet [FILE.csv]"""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

CHUNK = 1_000_000

rows, groups, dims = map(int, sys.argv[1:4])
rng = np.random.default_rng(1)
mean = rng.standard_normal((groups, dims))
mix = rng.standard_normal((dims, dims)) + 2 * np.eye(dims)


def table(count):
    group = rng.integers(groups, size=count)
    x = mean[group] + rng.standard_normal((count, dims)) @ mix
    return pa.table({"group": group, **{f"x{j}": x[:, j] for j in range(dims)}})


first = table(min(CHUNK, rows))
with pyarrow.parquet.ParquetWriter(sys.argv[4], first.schema) as parquet:
    parquet.write_table(first)
    for begin in range(CHUNK, rows, CHUNK):
        parquet.write_table(table(min(CHUNK, rows - begin)))
if len(sys.argv) > 5:
    pyarrow.csv.write_csv(pyarrow.parquet.read_table(sys.argv[4]), sys.argv[5])
