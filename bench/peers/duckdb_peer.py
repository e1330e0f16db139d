"""DuckDB: one GROUP BY with avg and covar_pop over a table in memory. Means and covariances only: SQL has no Cholesky factor.

The uncentred form asks for avg(x_i * x_j) instead, and takes the means' products off in NumPy.
"""

from peer import THREADS, from_aggregates, lower_pairs, serve


def make():
    import duckdb
    import numpy as np

    def load(rows):
        connection = duckdb.connect(config={"threads": THREADS})
        code = np.repeat(np.arange(rows.groups, dtype=np.int32), rows.counts)
        columns = {"g": code, **{f"x{j}": np.ascontiguousarray(rows.x[:, j]) for j in range(rows.dims)}}
        connection.register("source", columns)
        connection.execute("CREATE TABLE t AS SELECT * FROM source")
        connection.unregister("source")
        return connection, rows.dims

    def prepare(data, form, _tolerance):
        connection, d = data
        second = (lambda i, j: f"covar_pop(x{i}, x{j})") if form == "centred" else (lambda i, j: f"avg(x{i} * x{j})")
        fields = [f"avg(x{j}) m{j}" for j in range(d)] + [f"{second(i, j)} s{i}_{j}" for i, j in lower_pairs(d)]
        query = f"SELECT g, {', '.join(fields)} FROM t GROUP BY g"

        def run():
            return connection.execute(query).fetchnumpy()

        def results(found):
            order = np.argsort(found["g"])
            return from_aggregates(lambda name: found[name][order], d, form)

        return run, results

    return {
        "version": duckdb.__version__,
        "forms": ["centred", "uncentred"],
        "precisions": ["float64", "float32"],
        "mostDims": 32,  # more than 500 aggregates: nobody writes that
        "load": load,
        "prepare": prepare,
    }


serve(make)
