"""Numba: one parallel kernel with fastmath, compiled for the number of variables: moments, Cholesky and log-likelihood of a group by one thread."""

import math

from peer import serve


def make():
    import numba
    import numpy as np

    def kernel_for(d, real, centre):
        zero = real(0)

        @numba.njit(parallel=True, fastmath=True, error_model="numpy")
        def kernel(x, offsets, mean, covariance, factor, likelihood):
            for g in numba.prange(len(offsets) - 1):
                begin, end = offsets[g], offsets[g + 1]
                n = real(end - begin)
                m = np.zeros(d, real)
                S = np.zeros((d, d), real)
                if centre:
                    for a in range(begin, end):
                        for i in range(d):
                            m[i] += x[a, i]
                    for i in range(d):
                        m[i] /= n
                    row = np.empty(d, real)
                    for a in range(begin, end):
                        for i in range(d):
                            row[i] = x[a, i] - m[i]
                        for i in range(d):
                            for j in range(i + 1):
                                S[i, j] += row[i] * row[j]
                    for i in range(d):
                        for j in range(i + 1):
                            S[i, j] /= n
                else:
                    for a in range(begin, end):
                        for i in range(d):
                            m[i] += x[a, i]
                            for j in range(i + 1):
                                S[i, j] += x[a, i] * x[a, j]
                    for i in range(d):
                        m[i] /= n
                    for i in range(d):
                        for j in range(i + 1):
                            S[i, j] = S[i, j] / n - m[i] * m[j]
                log_det = zero
                for i in range(d):
                    mean[g, i] = m[i]
                    for j in range(i + 1):
                        covariance[g, i, j] = S[i, j]
                        covariance[g, j, i] = S[i, j]
                        t = S[i, j]
                        for k in range(j):
                            t -= factor[g, i, k] * factor[g, j, k]
                        factor[g, i, j] = math.sqrt(t) if i == j else t / factor[g, j, j]
                        if i != j:
                            factor[g, j, i] = zero
                    log_det += math.log(factor[g, i, i])
                likelihood[g] = -0.5 * n * (d * math.log(2 * math.pi) + 2 * log_det + d)

        return kernel

    def prepare(rows, form, _tolerance):
        b, d, real = rows.groups, rows.dims, rows.dtype.type
        kernel = kernel_for(d, real, form == "centred")
        # Memory for the results is kept from run to run, as a careful caller would.
        mean, likelihood = np.empty((b, d), real), np.empty(b, real)
        covariance, factor = np.empty((b, d, d), real), np.empty((b, d, d), real)

        def run():
            kernel(rows.x, rows.offsets, mean, covariance, factor, likelihood)

        run()
        return run, lambda _: (mean, covariance, likelihood)

    return {
        "version": numba.__version__,
        "forms": ["centred", "uncentred"],
        "precisions": ["float64", "float32"],
        "mostDims": 100_000,
        "load": lambda rows: rows,
        "prepare": prepare,
    }


serve(make)
