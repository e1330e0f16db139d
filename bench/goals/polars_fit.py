"""Mean, covariance and log-likelihood of every group with polars: polars_fit.py IN.parquet|IN.csv OUT.parquet"""

import math
import sys

import numpy as np
import polars as pl

source, target = sys.argv[1:]
rows = pl.scan_csv(source) if source.endswith(".csv") else pl.scan_parquet(source)
names = [name for name in rows.collect_schema().names() if name != "group"]
d = len(names)
x = [pl.col(name) for name in names]
# Sums of products about each column's overall mean: several times as quick as pl.cov, and as exact while groups lie near each other.
centre = rows.select(x).head(1000).mean().collect().row(0)
y = [column - centre[j] for j, column in enumerate(x)]
products = [(y[i] * y[j]).mean().alias(f"s{i}_{j}") for i in range(d) for j in range(i + 1)]
means = [y[j].mean().alias(f"m{j}") for j in range(d)]
found = rows.group_by("group").agg(pl.len().alias("n"), *means, *products).collect(engine="streaming")
shifted = found.select(f"m{j}" for j in range(d)).to_numpy()
covariance = np.empty((len(found), d, d))
for i in range(d):
    for j in range(i + 1):
        value = found[f"s{i}_{j}"].to_numpy() - shifted[:, i] * shifted[:, j]
        covariance[:, i, j] = covariance[:, j, i] = value
n = found["n"].to_numpy()
factor = np.linalg.cholesky(covariance)
log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
likelihood = -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)
found.select("group", "n").with_columns(
    pl.Series("log_likelihood", likelihood),
    pl.Series("mean", shifted + np.array(centre)),
    pl.Series("covariance", covariance.reshape(len(n), -1)),
).write_parquet(target)
