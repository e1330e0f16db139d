"""NumPy: batched matmul and linalg.cholesky over [B, n, d]; groups of unequal size one by one, their Cholesky factors batched."""

from peer import log_likelihood, serve


def make():
    import numpy as np

    def dense_centred(x):
        mean = x.mean(axis=1)
        centred = x - mean[:, None, :]
        return mean, np.matmul(centred.transpose(0, 2, 1), centred) / x.dtype.type(x.shape[1])

    def dense_uncentred(x):
        mean = x.mean(axis=1)
        second = np.matmul(x.transpose(0, 2, 1), x) / x.dtype.type(x.shape[1])
        return mean, second - mean[:, :, None] * mean[:, None, :]

    def ragged(rows, centre):
        mean = np.empty((rows.groups, rows.dims), rows.dtype)
        covariance = np.empty((rows.groups, rows.dims, rows.dims), rows.dtype)
        for g, (begin, end) in enumerate(zip(rows.offsets[:-1], rows.offsets[1:])):
            x = rows.x[begin:end]
            m = x.mean(axis=0)
            mean[g] = m
            if centre:
                x = x - m
                np.divide(x.T @ x, end - begin, out=covariance[g])
            else:
                np.subtract(x.T @ x / (end - begin), np.outer(m, m), out=covariance[g])
        return mean, covariance

    def prepare(rows, form, _tolerance):
        counts = rows.counts.astype(np.float64)
        centre = form == "centred"
        dense = dense_centred if centre else dense_uncentred

        def run():
            mean, covariance = ragged(rows, centre) if rows.dense is None else dense(rows.dense)
            factor = np.linalg.cholesky(covariance)
            return mean, covariance, factor, log_likelihood(factor, counts)

        return run, lambda outcome: (outcome[0], outcome[1], outcome[3])

    return {
        "version": np.__version__,
        "forms": ["centred", "uncentred"],
        "precisions": ["float64", "float32"],
        "mostDims": 100_000,
        "load": lambda rows: rows,
        "prepare": prepare,
    }


serve(make)
