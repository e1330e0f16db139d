"""The script that a polars user would write for `mvnfit fit IN --group-by group -o OUT`.

    python command_polars.py IN.{csv,parquet} OUT.{csv,parquet} [--group-by group]

One group-by with the mean of every column and the covariance of every pair, over n; Cholesky factors by NumPy.
"""
import argparse

import numpy as np
import polars as pl


def scan(path):
    return pl.scan_csv(path) if path.endswith((".csv", ".csv.gz")) else pl.scan_parquet(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--group-by", default="group")
    args = parser.parse_args()

    rows = scan(args.input)
    names = [name for name in rows.collect_schema().names() if name != args.group_by]
    d = len(names)
    pairs = [(i, j) for i in range(d) for j in range(i + 1)]
    fits = (
        rows.group_by(args.group_by)
        .agg(
            pl.len().alias("n"),
            *[pl.mean(name).alias(f"mean_{name}") for name in names],
            *[pl.cov(names[i], names[j], ddof=0).alias(f"cov_{names[i]}_{names[j]}") for i, j in pairs],
        )
        .collect()
    )
    n = fits["n"].to_numpy().astype(float)
    cov = np.empty((len(n), d, d))
    for i, j in pairs:
        cov[:, i, j] = cov[:, j, i] = fits[f"cov_{names[i]}_{names[j]}"].to_numpy()
    factor = np.linalg.cholesky(cov)
    half_log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    loglik = -n * (d / 2 * (np.log(2 * np.pi) + 1) + half_log_det)
    free = d * (d + 3) / 2
    scores = [
        pl.Series("log_likelihood", loglik),
        pl.Series("aic", 2 * free - 2 * loglik),
        pl.Series("bic", free * np.log(n) - 2 * loglik),
    ]
    if args.output.endswith(".csv"):
        fits.with_columns(scores).write_csv(args.output)
    else:
        mean = fits.select([f"mean_{name}" for name in names]).to_numpy()
        lists = [pl.Series("mean", mean), pl.Series("covariance", cov.reshape(len(n), d * d))]
        fits.select(args.group_by, "n").with_columns(scores + lists).write_parquet(args.output)


main()
