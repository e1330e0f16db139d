"""Mean, covariance and log-likelihood of every group with pandas and NumPy: pandas_fit.py IN.parquet|IN.csv OUT.parquet"""

import math
import sys

import numpy as np
import pandas as pd

source, target = sys.argv[1:]
frame = pd.read_csv(source, engine="pyarrow") if source.endswith(".csv") else pd.read_parquet(source)
codes, names = pd.factorize(frame.pop("group"))
x = frame.to_numpy()[np.argsort(codes, kind="stable")]
n = np.bincount(codes)
begin = np.concatenate([[0], np.cumsum(n)])
d = x.shape[1]
mean = np.add.reduceat(x, begin[:-1], axis=0) / n[:, None]
covariance = np.empty((len(n), d, d))
for g in range(len(n)):
    centred = x[begin[g] : begin[g + 1]] - mean[g]
    covariance[g] = centred.T @ centred / n[g]
factor = np.linalg.cholesky(covariance)
log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
likelihood = -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)
result = {"group": names, "n": n, "log_likelihood": likelihood, "mean": list(mean)}
pd.DataFrame({**result, "covariance": list(covariance.reshape(len(n), -1))}).to_parquet(target)
