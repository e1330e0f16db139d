"""The closed form (mean, covariance, Cholesky, log-likelihood) by PyTorch, CuPy and JAX on the device, on rows that lie there already.

    python3 peers.py [SHAPES as JSON: [[groups, rows, dims], ...]]

Prints JSON: {"versions": {...}, "runs": [{"peer", "form", "rows", "groups", "n", "dims", "seconds"}, ...]}; seconds are medians of runs that
each wait for the device. Forms: centred, and uncentred (E[xxᵀ] − μμᵀ), which is inaccurate far from the origin and the fastest they have.
"""

import json
import math
import statistics
import sys
import time

RUNS, CALLS = 7, 20  # as in measure.mjs


def timed(work, wait):
    for _ in range(3):
        work()
    wait()
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        for _ in range(CALLS):
            work()
        wait()
        seconds.append((time.perf_counter() - start) / CALLS)
    return statistics.median(seconds)


def torch_peer():
    import torch

    torch.set_grad_enabled(False)
    torch.backends.cuda.matmul.allow_tf32 = False

    def closed(x, centre):
        _, n, d = x.shape
        mean = x.mean(dim=1)
        if centre:
            x = x - mean[:, None, :]
        covariance = torch.bmm(x.transpose(1, 2), x) / n
        if not centre:
            covariance.baddbmm_(mean[:, :, None], mean[:, None, :], alpha=-1)
        factor = torch.linalg.cholesky_ex(covariance).L  # does not wait for the device to say whether it went well
        log_det = 2 * torch.log(torch.diagonal(factor, dim1=1, dim2=2)).sum(dim=1)
        return mean, covariance, factor, -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)

    dtypes = {"float64": torch.float64, "float32": torch.float32}
    make = lambda shape, dtype: torch.randn(*shape, dtype=dtypes[dtype], device="cuda")
    return torch.__version__, make, closed, torch.cuda.synchronize, torch.cuda.empty_cache


def cupy_peer():
    import cupy as cp

    def closed(x, centre):
        _, n, d = x.shape
        mean = x.mean(axis=1)
        if centre:
            x = x - mean[:, None, :]
        covariance = cp.matmul(x.transpose(0, 2, 1), x) / n
        if not centre:
            covariance -= mean[:, :, None] * mean[:, None, :]
        factor = cp.linalg.cholesky(covariance)
        log_det = 2 * cp.log(cp.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        return mean, covariance, factor, -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)

    make = lambda shape, dtype: cp.random.standard_normal(shape, dtype=dtype)
    return cp.__version__, make, closed, cp.cuda.Device().synchronize, cp.get_default_memory_pool().free_all_blocks


def jax_peer():
    import os

    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")

    def closed(x, centre):
        _, n, d = x.shape
        mean = x.mean(axis=1)
        if centre:
            x = x - mean[:, None, :]
        covariance = jnp.einsum("gni,gnj->gij", x, x) / n
        if not centre:
            covariance = covariance - mean[:, :, None] * mean[:, None, :]
        factor = jnp.linalg.cholesky(covariance)
        log_det = 2 * jnp.log(jnp.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        return mean, covariance, factor, -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)

    compiled = jax.jit(closed, static_argnums=1)
    last = []

    def run(x, centre):
        last[:] = [compiled(x, centre)]

    make = lambda shape, dtype: jax.random.normal(jax.random.key(1), shape, dtype=dtype)
    return jax.__version__, make, run, lambda: jax.block_until_ready(last), last.clear


def main():
    shapes = json.loads(sys.argv[1]) if len(sys.argv) > 1 else [[10000, 200, 8]]
    found = {"versions": {}, "runs": []}
    for name, open_peer in [("torch", torch_peer), ("cupy", cupy_peer), ("jax", jax_peer)]:
        try:
            version, make, closed, wait, free = open_peer()
        except Exception as error:  # noqa: BLE001: whatever keeps a peer away is said
            found["versions"][name] = f"not there: {type(error).__name__}: {error}"[:200]
            continue
        found["versions"][name] = version
        for dtype in ("float64", "float32"):
            for groups, n, d in shapes:
                for form in ("centred", "uncentred"):
                    run = {"peer": name, "form": form, "rows": dtype, "groups": groups, "n": n, "dims": d}
                    try:
                        x = make((groups, n, d), dtype)
                        run["seconds"] = timed(lambda: closed(x, form == "centred"), wait)
                    except Exception as error:  # noqa: BLE001
                        run["failed"] = f"{type(error).__name__}: {error}"[:200]
                    found["runs"].append(run)
                    x = None
                    free()
    print(json.dumps(found))


main()
