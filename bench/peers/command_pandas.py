"""The script that a pandas and NumPy user would write for `mvnfit fit IN --group-by group -o OUT`.

    python command_pandas.py IN.{csv,parquet} OUT.{csv,parquet} [--group-by group] [--form groupby|loop|batched]

Three ways to the mean, covariance over n, log-likelihood, AIC and BIC of each group: `groupby` uses pandas' own mean and cov;
`loop` goes through the groups with numpy.mean and numpy.cov, which is faster; `batched` sorts the rows once and sums all groups
at a time with numpy.add.reduceat.
"""
import argparse

import numpy as np
import pandas as pd


def groupby(x, codes, groups):
    d = x.shape[1]
    by_group = pd.DataFrame(x).groupby(codes, sort=False)
    mean = by_group.mean().to_numpy()
    cov = by_group.cov(ddof=0).to_numpy().reshape(groups, d, d)
    return by_group.size().to_numpy(), mean, cov


def loop(x, codes, groups):
    d = x.shape[1]
    n = np.bincount(codes, minlength=groups)
    mean = np.empty((groups, d))
    cov = np.empty((groups, d, d))
    rows = pd.DataFrame(x)
    for g, part in rows.groupby(codes, sort=False):
        values = part.to_numpy()
        mean[g] = values.mean(axis=0)
        cov[g] = np.cov(values.T, bias=True)
    return n, mean, cov


def batched(x, codes, groups):
    d = x.shape[1]
    n = np.bincount(codes, minlength=groups)
    order = np.argsort(codes, kind="stable")
    starts = np.concatenate([[0], np.cumsum(n)[:-1]])
    rows = x[order]
    mean = np.add.reduceat(rows, starts) / n[:, None]
    rows -= np.repeat(mean, n, axis=0)
    cov = np.empty((groups, d, d))
    for i in range(d):
        for j in range(i + 1):
            cov[:, i, j] = cov[:, j, i] = np.add.reduceat(rows[:, i] * rows[:, j], starts) / n
    return n, mean, cov


def log_likelihood(n, cov):
    factor = np.linalg.cholesky(cov)
    d = cov.shape[1]
    half_log_det = np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    return -n * (d / 2 * (np.log(2 * np.pi) + 1) + half_log_det)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--group-by", default="group")
    parser.add_argument("--form", choices=["groupby", "loop", "batched"], default="groupby")
    args = parser.parse_args()

    table = pd.read_csv(args.input) if args.input.endswith((".csv", ".csv.gz")) else pd.read_parquet(args.input)
    codes, keys = pd.factorize(table.pop(args.group_by))
    d = table.shape[1]
    n, mean, cov = {"groupby": groupby, "loop": loop, "batched": batched}[args.form](table.to_numpy(), codes, len(keys))
    loglik = log_likelihood(n, cov)
    free = d * (d + 3) / 2
    fits = pd.DataFrame({args.group_by: keys, "n": n, "log_likelihood": loglik})
    fits["aic"] = 2 * free - 2 * loglik
    fits["bic"] = free * np.log(n) - 2 * loglik
    if args.output.endswith(".csv"):
        for j in range(d):
            fits[f"mean_{table.columns[j]}"] = mean[:, j]
        for i in range(d):
            for j in range(i + 1):
                fits[f"cov_{table.columns[i]}_{table.columns[j]}"] = cov[:, i, j]
        fits.to_csv(args.output, index=False)
    else:
        fits["mean"] = list(mean)
        fits["covariance"] = list(cov.reshape(len(keys), d * d))
        fits.to_parquet(args.output)


main()
