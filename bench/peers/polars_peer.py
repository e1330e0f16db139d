"""polars: one group_by with mean and cov over a frame in memory. Means and covariances only: there is no Cholesky factor.

The uncentred form asks for the mean of x_i * x_j instead, and takes the means' products off in NumPy.
"""

from peer import serve


def make():
    import numpy as np
    import polars as pl

    def load(rows):
        code = np.repeat(np.arange(rows.groups, dtype=np.int32), rows.counts)
        frame = pl.DataFrame({"g": code, **{f"x{j}": np.ascontiguousarray(rows.x[:, j]) for j in range(rows.dims)}})
        return frame.rechunk(), rows.groups, rows.dims

    def prepare(data, form, _tolerance):
        frame, groups, d = data
        x = [pl.col(f"x{j}") for j in range(d)]
        pairs = [(i, j) for i in range(d) for j in range(i + 1)]
        second = (lambda i, j: pl.cov(x[i], x[j], ddof=0)) if form == "centred" else (lambda i, j: (x[i] * x[j]).mean())
        means = [x[j].mean().alias(f"m{j}") for j in range(d)]
        query = frame.lazy().group_by("g").agg(*means, *(second(i, j).alias(f"s{i}_{j}") for i, j in pairs))

        def run():
            return query.collect()

        def results(found):
            found = found.sort("g")
            mean = np.stack([found[f"m{j}"].to_numpy() for j in range(d)], axis=1)
            covariance = np.empty((groups, d, d))
            for i, j in pairs:
                value = found[f"s{i}_{j}"].to_numpy()
                if form == "uncentred":
                    value = value - mean[:, i] * mean[:, j]
                covariance[:, i, j] = covariance[:, j, i] = value
            return mean, covariance, None

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
