"""PyTorch: batched bmm and linalg.cholesky over [B, n, d], groups of unequal size in padded buckets; L-BFGS batched over the groups."""

import math

from peer import THREADS, gathered, serve
from torch_lbfgs import fit_lbfgs


def make():
    import numpy as np
    import torch

    torch.set_num_threads(THREADS)
    torch.set_grad_enabled(False)

    def closed(x, mask, counts, centre):
        n = counts if mask is not None else float(x.shape[1])
        per_row = n[:, None] if mask is not None else n
        mean = x.mean(dim=1) if mask is None else x.sum(dim=1) / per_row
        if centre:
            x = x - mean[:, None, :]
            if mask is not None:
                x.mul_(mask)
        covariance = torch.bmm(x.transpose(1, 2), x) / (n[:, None, None] if mask is not None else n)
        if not centre:
            covariance.baddbmm_(mean[:, :, None], mean[:, None, :], alpha=-1)
        factor = torch.linalg.cholesky(covariance)
        log_det = 2 * torch.log(torch.diagonal(factor, dim1=1, dim2=2)).sum(dim=1)
        d = x.shape[2]
        return mean, covariance, factor, -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)

    def load(rows):
        tensor = lambda array: None if array is None else torch.from_numpy(array)
        return rows, [(groups, *map(tensor, arrays)) for groups, *arrays in rows.parts()]

    def prepare(data, form, tolerance):
        rows, parts = data
        if form == "lbfgs":
            return prepare_lbfgs(rows, tolerance)

        def run():
            return [closed(x, mask, counts, form == "centred") for _, x, mask, counts in parts]

        return run, lambda outcomes: gathered(rows, parts, outcomes)

    def prepare_lbfgs(rows, tolerance):
        mean, covariance = rows.statistics()
        scale = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        correlation = torch.from_numpy(covariance / scale[:, :, None] / scale[:, None, :])
        dtype = torch.float32 if rows.dtype == np.float32 else torch.float64
        correlation = correlation.to(dtype)

        def results(factor):
            factor = factor.double().numpy() * scale[:, :, None]
            return mean, factor @ factor.transpose(0, 2, 1), None

        return lambda: fit_lbfgs(correlation, tolerance), results

    return {
        "version": torch.__version__,
        "forms": ["centred", "uncentred", "lbfgs"],
        "precisions": ["float64", "float32"],
        "mostDims": 100_000,
        "load": load,
        "prepare": prepare,
    }


serve(make)
