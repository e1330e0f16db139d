"""polars: one group_by with mean and cov over a frame in memory. Means and covariances only: there is no Cholesky factor.

The uncentred form asks for the mean of x_i * x_j instead, and takes the means' products off in NumPy.
"""

from peer import from_aggregates, lower_pairs, serve


def make():
    import numpy as np
    import polars as pl

    def load(rows):
        code = np.repeat(np.arange(rows.groups, dtype=np.int32), rows.counts)
        frame = pl.DataFrame({"g": code, **{f"x{j}": np.ascontiguousarray(rows.x[:, j]) for j in range(rows.dims)}})
        return frame.rechunk(), rows.dims

    def prepare(data, form, _tolerance):
        frame, d = data
        x = [pl.col(f"x{j}") for j in range(d)]
        second = (lambda i, j: pl.cov(x[i], x[j], ddof=0)) if form == "centred" else (lambda i, j: (x[i] * x[j]).mean())
        means = [x[j].mean().alias(f"m{j}") for j in range(d)]
        query = frame.lazy().group_by("g").agg(*means, *(second(i, j).alias(f"s{i}_{j}") for i, j in lower_pairs(d)))

        def run():
            return query.collect()

        def results(found):
            found = found.sort("g")
            return from_aggregates(lambda name: found[name].to_numpy(), d, form)

        return run, results

    return {
        "version": pl.__version__,
        "forms": ["centred", "uncentred"],
        "precisions": ["float64", "float32"],
        "mostDims": 32,  # more than 500 aggregates: nobody writes that
        "load": load,
        "prepare": prepare,
    }


serve(make)
