"""Closed-form fits of B groups at once, as users of NumPy, PyTorch, JAX and Numba would write them.

A server for bench/closed-form.mjs: one JSON request a line on stdin, one JSON answer a line on stdout.
    {"op": "load", "path": ..., "groups": B, "rows": n, "dims": d, "threads": t} -> {"peers": [...]}
    {"op": "run", "peer": "numpy"} -> {"ms": ..., "logLikelihood": [first, last group]}
Each peer gives mean, covariance, Cholesky factor and log-likelihood of every group, from a [B, n, d] float64 array in memory.
"""

import json
import math
import os
import sys
import time

THREADS = int(os.environ.get("PEER_THREADS", "2"))
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = str(THREADS)
os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if THREADS > 1 else 'false'}"

import numpy as np  # noqa: E402  (threads are chosen above)

LOG_2PI = math.log(2 * math.pi)


def numpy_centred(x):
    n, d = x.shape[1:]
    mean = x.mean(axis=1)
    centred = x - mean[:, None, :]
    covariance = np.matmul(centred.transpose(0, 2, 1), centred) / n
    factor = np.linalg.cholesky(covariance)
    log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    return mean, covariance, factor, -0.5 * n * (d * LOG_2PI + log_det + d)


def torch_peer(uncentred):
    import torch

    torch.set_num_threads(THREADS)

    def run(x):
        n, d = x.shape[1:]
        mean = x.mean(dim=1)
        if uncentred:
            covariance = torch.bmm(x.transpose(1, 2), x) / n - mean[:, :, None] * mean[:, None, :]
        else:
            centred = x - mean[:, None, :]
            covariance = torch.bmm(centred.transpose(1, 2), centred) / n
        factor = torch.linalg.cholesky(covariance)
        log_det = 2 * torch.log(torch.diagonal(factor, dim1=1, dim2=2)).sum(dim=1)
        return mean, covariance, factor, -0.5 * n * (d * LOG_2PI + log_det + d)

    return torch.from_numpy, run


def jax_peer():
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def run(x):
        n, d = x.shape[1:]
        mean = x.mean(axis=1)
        centred = x - mean[:, None, :]
        covariance = jnp.einsum("gni,gnj->gij", centred, centred) / n
        factor = jnp.linalg.cholesky(covariance)
        log_det = 2 * jnp.log(jnp.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        return mean, covariance, factor, -0.5 * n * (d * LOG_2PI + log_det + d)

    return jnp.asarray, lambda x: jax.block_until_ready(run(x))


PEERS = {
    "numpy": lambda: (lambda x: x, numpy_centred),
    "torch": lambda: torch_peer(uncentred=False),
    "torch-uncentred": lambda: torch_peer(uncentred=True),
    "jax": jax_peer,
}


def load(request, loaded):
    shape = (request["groups"], request["rows"], request["dims"])
    x = np.fromfile(request["path"], dtype=np.float64).reshape(shape)
    loaded.clear()
    missing = {}
    for name, make in PEERS.items():
        try:
            convert, run = make()
        except ImportError as error:
            missing[name] = str(error)
            continue
        data = convert(x)
        run(data)  # compiles, warms up
        loaded[name] = (data, run)
    return {"peers": list(loaded), "missing": missing}


def run(request, loaded):
    data, peer = loaded[request["peer"]]
    start = time.perf_counter()
    result = peer(data)
    elapsed = (time.perf_counter() - start) * 1e3
    log_likelihood = np.asarray(result[3])
    return {"ms": elapsed, "logLikelihood": [float(log_likelihood[0]), float(log_likelihood[-1])]}


def main():
    loaded = {}
    for line in sys.stdin:
        request = json.loads(line)
        answer = {"load": load, "run": run}[request["op"]](request, loaded)
        print(json.dumps(answer), flush=True)


main()
