"""What the peers of `mvnfit bench --against` have in common: the protocol, the rows, and the numbers that end a closed form.

A peer is a process. It greets with one line of JSON, then answers each request, a line of JSON on standard input, with one on
standard output:

    {"version": "2.4.6", "forms": ["centred", "uncentred"], "precisions": ["float64", "float32"], "mostDims": 1000}
    {"op": "load", "rows": FILE, "dtype": "float64", "offsets": FILE, "dims": d}   -> {}
    {"op": "prepare", "form": "centred", "tolerance": 1e-8}                        -> {}     compiles, where there is something to compile
    {"op": "check", "out": FILE}                                                   -> {"ms": 12.3}   runs once and writes what came out
    {"op": "run"}                                                                  -> {"ms": 12.3}   runs once

Files hold raw numbers in the machine's byte order: rows [N, d], offsets float64 [B+1]; `check` writes float64 mean [B, d], covariance
[B, d, d] and, where the peer has it, log-likelihood [B]. A request that cannot be met is answered with {"error": "..."}. The end of
standard input ends the peer, whatever it is at. PEER_THREADS is the number of threads it may use; PEER_ITERATES is set where it will be
asked for "lbfgs".
"""

import json
import math
import os
import queue
import signal
import sys
import threading
import time

THREADS = int(os.environ.get("PEER_THREADS", "1"))

# Ctrl-C on a terminal reaches every process there: mvnfit decides what it ends.
signal.signal(signal.SIGINT, signal.SIG_IGN)

# A library that counts cores instead of reading settings finds no more than it may use.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


class Rows:
    """The rows of a case, in this process's own memory: x [N, d], offsets [B+1]; `dense` is x as [B, n, d], or None."""

    def __init__(self, request):
        import numpy as np

        dims = request["dims"]
        mapped = np.memmap(request["rows"], dtype=request["dtype"], mode="r")
        self.x = np.array(mapped).reshape(-1, dims)
        self.offsets = np.fromfile(request["offsets"], dtype=np.float64).astype(np.int64)
        self.counts = np.diff(self.offsets)
        self.groups = len(self.counts)
        self.dims = dims
        self.dtype = self.x.dtype
        equal = bool((self.counts == self.counts[0]).all())
        self.dense = self.x.reshape(self.groups, -1, dims) if equal else None

    def parts(self):
        """The rows as dense arrays: (groups, x [b, n, d], mask [b, n, 1], counts [b]), once, with neither mask nor counts, where all
        groups are of one size.

        Others are padded with zeros to the next of sizes that grow by a quarter, a part for every size that occurs. Made where the rows
        are loaded, before any clock runs, which is in the peer's favour.
        """
        import numpy as np

        if self.dense is not None:
            yield np.arange(self.groups), self.dense, None, None
            return
        sizes = [4]
        while sizes[-1] < self.counts.max():
            sizes.append(math.ceil(sizes[-1] * 1.25))
        place = np.searchsorted(sizes, self.counts)
        for i in np.unique(place):
            groups = np.flatnonzero(place == i)
            x = np.zeros((len(groups), sizes[i], self.dims), dtype=self.dtype)
            mask = np.zeros((len(groups), sizes[i], 1), dtype=self.dtype)
            for k, g in enumerate(groups):
                n = self.counts[g]
                x[k, :n] = self.x[self.offsets[g] : self.offsets[g + 1]]
                mask[k, :n] = 1
            yield groups, x, mask, self.counts[groups].astype(self.dtype)

    def statistics(self):
        """Mean [B, d] and covariance [B, d, d] in float64, for peers that iterate on them."""
        import numpy as np

        mean = np.empty((self.groups, self.dims))
        covariance = np.empty((self.groups, self.dims, self.dims))
        for g in range(self.groups):
            x = self.x[self.offsets[g] : self.offsets[g + 1]].astype(np.float64)
            mean[g] = x.mean(axis=0)
            centred = x - mean[g]
            covariance[g] = centred.T @ centred / len(x)
        return mean, covariance


def log_likelihood(factor, counts):
    """-(n/2)(d log 2 pi + log|S| + d) from Cholesky factors [B, d, d] and row counts [B], in NumPy."""
    import numpy as np

    d = factor.shape[-1]
    log_det = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum(axis=1)
    return -0.5 * counts * (d * math.log(2 * math.pi) + log_det + d)


def gathered(rows, parts, outcomes):
    """Mean, covariance and log-likelihood of parts, [(mean, covariance, factor, log-likelihood), ...], in the order of the groups."""
    import numpy as np

    d = rows.dims
    whole = np.empty((rows.groups, d)), np.empty((rows.groups, d, d)), np.empty(rows.groups)
    for (groups, *_), (mean, covariance, _, likelihood) in zip(parts, outcomes):
        for target, part in zip(whole, (mean, covariance, likelihood)):
            target[groups] = np.asarray(part)
    return whole


def from_aggregates(column, dims, form):
    """Mean and covariance from a table's aggregates: `column(name)` gives m0, m1, ... and s0_0, s1_0, s1_1, ... of every group."""
    import numpy as np

    mean = np.stack([column(f"m{j}") for j in range(dims)], axis=1)
    covariance = np.empty((len(mean), dims, dims))
    for i, j in lower_pairs(dims):
        value = column(f"s{i}_{j}")
        if form == "uncentred":
            value = value - mean[:, i] * mean[:, j]
        covariance[:, i, j] = covariance[:, j, i] = value
    return mean, covariance, None


def lower_pairs(dims):
    return [(i, j) for i in range(dims) for j in range(i + 1)]


def requests():
    """The requests, read by a thread of its own: the end of standard input ends the process even while it computes."""
    lines = queue.Queue()

    def read():
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield json.loads(lines.get())


def answer(value):
    sys.__stdout__.write(json.dumps(value) + "\n")
    sys.__stdout__.flush()


def serve(make):
    """Plays a peer.

    `make()` imports the library and gives a dict: version, forms, precisions, mostDims, load(rows) -> data and
    prepare(data, form, tolerance) -> run, results. `run()` computes and waits until it is done; what it gives goes into
    `results(outcome)` -> (mean, covariance, log-likelihood or None) as NumPy arrays, outside the clock.
    """
    try:
        peer = make()
    except ImportError as error:
        answer({"error": str(error)})
        return
    answer({key: peer[key] for key in ("version", "forms", "precisions", "mostDims")})
    state = {"data": None, "prepared": {}, "run": None, "results": None}
    for request in requests():
        try:
            answer(handle(peer, state, request))
        except Exception as error:  # noqa: BLE001: whatever a library throws is this request's answer
            answer({"error": f"{type(error).__name__}: {error}"[:500]})


def handle(peer, state, request):
    if request["op"] == "load":
        state["data"], state["prepared"] = None, {}
        state["data"] = peer["load"](Rows(request))
        return {}
    if request["op"] == "prepare":
        form = request["form"]
        if form not in state["prepared"]:
            state["prepared"][form] = peer["prepare"](state["data"], form, request["tolerance"])
        state["run"], state["results"] = state["prepared"][form]
        return {}
    if request["op"] in ("check", "run"):
        start = time.perf_counter()
        outcome = state["run"]()
        elapsed = (time.perf_counter() - start) * 1e3
        if request["op"] == "check":
            write(state["results"](outcome), request["out"])
        return {"ms": elapsed}
    raise ValueError(f"unknown request {request['op']!r}")


def write(parts, path):
    import numpy as np

    with open(path, "wb") as file:
        for part in parts:
            if part is not None:
                np.ascontiguousarray(part, dtype=np.float64).tofile(file)
