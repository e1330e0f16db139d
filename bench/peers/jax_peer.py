"""JAX: the closed form jitted over [B, n, d], groups of unequal size in padded buckets; optax's L-BFGS under vmap on the statistics."""

import math
import os

from peer import THREADS, gathered, serve

os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if THREADS > 1 else 'false'}"
# XLA's pool has as many threads as there are cores, and with two of them a loop over batched LAPACK calls can wait for itself for ever
# (jaxlib 0.10.2). More threads cure that, and slow the closed form down: they are there only where a case iterates.
if os.environ.get("PEER_ITERATES"):
    os.environ.setdefault("NPROC", str(4 * THREADS))
os.environ.setdefault("JAX_PLATFORMS", "cpu")

MOST_ITERATIONS = 300
MEMORY = 8

# A group whose residual has not fallen for so many iterations stays where rounding holds it; all others would wait for it.
PATIENCE = 20


def make():
    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_enable_x64", True)
    try:
        import optax
    except ImportError:
        optax = None

    def closed(x, mask, counts, centre):
        d = x.shape[2]
        n = x.shape[1] if mask is None else counts
        per_row, per_matrix = (n, n) if mask is None else (n[:, None], n[:, None, None])
        mean = x.sum(axis=1) / per_row
        if centre:
            x = x - mean[:, None, :]
            if mask is not None:
                x = x * mask
        covariance = jnp.einsum("gni,gnj->gij", x, x) / per_matrix
        if not centre:
            covariance = covariance - mean[:, :, None] * mean[:, None, :]
        factor = jnp.linalg.cholesky(covariance)
        log_det = 2 * jnp.log(jnp.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
        return mean, covariance, factor, -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)

    compiled = jax.jit(closed, static_argnums=3)

    def load(rows):
        array = lambda values: None if values is None else jnp.asarray(values)
        return rows, [(groups, *map(array, arrays)) for groups, *arrays in rows.parts()]

    def prepare(data, form, tolerance):
        rows, parts = data
        if form == "lbfgs":
            return prepare_lbfgs(rows, tolerance)

        def run():
            outcomes = [compiled(x, mask, counts, form == "centred") for _, x, mask, counts in parts]
            return jax.block_until_ready(outcomes)

        return run, lambda outcomes: gathered(rows, parts, outcomes)

    def prepare_lbfgs(rows, tolerance):
        """Columns standardised and Λ started at I, as mvnfit does; μ = x̄ is left out of the unknowns, in the peer's favour."""
        mean, covariance = rows.statistics()
        scale = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        correlation = covariance / scale[:, :, None] / scale[:, None, :]
        d = rows.dims
        lower = np.tril_indices(d)
        solve = jax.scipy.linalg.solve_triangular
        start = jnp.asarray(np.eye(d)[lower], dtype=rows.dtype)

        def whitened(p, R):
            L = jnp.zeros((d, d), p.dtype).at[lower].set(p)
            return L, solve(L, solve(L, R, lower=True).T, lower=True)

        def objective(p, R):
            L, W = whitened(p, R)
            return jnp.log(jnp.abs(jnp.diagonal(L))).sum() + jnp.trace(W) / 2

        def fit_one(R):
            optimiser = optax.lbfgs(memory_size=MEMORY)
            value_and_grad = optax.value_and_grad_from_state(objective)

            def step(carry):
                p, state, best, waited, k = carry
                value, gradient = value_and_grad(p, R, state=state)
                update, state = optimiser.update(
                    gradient, state, p, value=value, grad=gradient, value_fn=objective, R=R
                )
                p = optax.apply_updates(p, update)
                residual = jnp.linalg.norm(jnp.eye(d, dtype=p.dtype) - whitened(p, R)[1])
                waited = jnp.where(residual < best, 0, waited + 1)
                return p, state, jnp.minimum(best, residual), waited, k + 1

            def goes_on(carry):
                _, _, best, waited, k = carry
                return (best > tolerance) & (waited < PATIENCE) & (k < MOST_ITERATIONS)

            first = (start, optimiser.init(start), jnp.asarray(jnp.inf, dtype=start.dtype), 0, 0)
            return jax.lax.while_loop(goes_on, step, first)[0]

        R = jnp.asarray(correlation, dtype=rows.dtype)
        fit_all = jax.jit(jax.vmap(fit_one)).lower(R).compile()

        def results(p):
            factor = np.zeros((rows.groups, d, d))
            factor[:, lower[0], lower[1]] = np.asarray(p)
            factor *= scale[:, :, None]
            return mean, factor @ factor.transpose(0, 2, 1), None

        return lambda: jax.block_until_ready(fit_all(R)), results

    return {
        "version": jax.__version__ + (f", optax {optax.__version__}" if optax else ""),
        "forms": ["centred", "uncentred"] + (["lbfgs"] if optax else []),
        "precisions": ["float64", "float32"],
        "mostDims": 100_000,
        "load": load,
        "prepare": prepare,
    }


serve(make)
