"""scikit-learn: a loop over EmpiricalCovariance, without its precision matrix and its checks; Cholesky factors batched by NumPy."""

from peer import log_likelihood, serve


def make():
    import numpy as np
    import sklearn
    from sklearn.covariance import EmpiricalCovariance

    # The checks that a loop can do without; the second are there to be skipped since scikit-learn 1.3.
    checks = {"assume_finite": True, "skip_parameter_validation": True}
    unchecked = {name: value for name, value in checks.items() if name in sklearn.get_config()}

    def prepare(rows, _form, _tolerance):
        counts = rows.counts.astype(np.float64)
        slices = [slice(*ends) for ends in zip(rows.offsets[:-1], rows.offsets[1:])]

        def run():
            mean = np.empty((rows.groups, rows.dims), rows.dtype)
            covariance = np.empty((rows.groups, rows.dims, rows.dims), rows.dtype)
            estimator = EmpiricalCovariance(store_precision=False)
            with sklearn.config_context(**unchecked):
                for g, own in enumerate(slices):
                    estimator.fit(rows.x[own])
                    mean[g] = estimator.location_
                    covariance[g] = estimator.covariance_
            factor = np.linalg.cholesky(covariance)
            return mean, covariance, log_likelihood(factor, counts)

        return run, lambda outcome: outcome

    return {
        "version": sklearn.__version__,
        "forms": ["centred"],
        "precisions": ["float64", "float32"],
        "mostDims": 100_000,
        "load": lambda rows: rows,
        "prepare": prepare,
    }


serve(make)
