"""The command's fits against NumPy's, on data sets that scikit-learn ships and on ragged seeded groups.

    python3 test/agreement/numpy_agreement.py "node dist/cli/main.js"

Needs numpy and scikit-learn (Debian: python3-sklearn). Prints a line a check and `N passed, N failed`; exits 1 on a failure.
"""

import json
import math
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

COMMAND = shlex.split(sys.argv[1] if len(sys.argv) > 1 else "node dist/cli/main.js")

# Moments relative to each variable's scale √(x̄² + s²): NumPy itself rounds there at n·ε, about 1e-13.
MOMENT_TOLERANCE = 1e-12
# A log-likelihood carries the error of log|S|, ε times the condition number (1e11 for breast_cancer, but scaled 1e6).
LIKELIHOOD_TOLERANCE = 1e-10

results = {"passed": 0, "failed": 0}


def check(name, holds, detail=""):
    results["passed" if holds else "failed"] += 1
    print(f"{'ok  ' if holds else 'FAIL'} {name}{': ' + detail if detail else ''}")


def fit(folder, name, names, groups, x):
    path = Path(folder) / f"{name}.csv"
    with open(path, "w") as file:
        file.write(",".join(["group", *names]) + "\n")
        for group, row in zip(groups, x):
            file.write(f"{group}," + ",".join(repr(float(value)) for value in row) + "\n")
    call = [*COMMAND, "fit", str(path), "--group-by", "group", "--columns", ",".join(names), "--json", "--quiet"]
    return json.loads(subprocess.run(call, check=True, stdout=subprocess.PIPE).stdout)["groups"]


def expected(rows):
    n, d = rows.shape
    mean = np.array([math.fsum(rows[:, j]) / n for j in range(d)])
    centred = rows - mean
    covariance = centred.T @ centred / n
    sign, log_det = np.linalg.slogdet(covariance)
    return mean, covariance, -0.5 * n * (d * math.log(2 * math.pi) + log_det + d)


def compare(name, fits, groups, x):
    worst_moment = worst_likelihood = 0.0
    for one in fits:
        rows = x[groups == one["group"]["group"]]
        mean, covariance, log_likelihood = expected(rows)
        scale = np.sqrt(mean**2 + np.diag(covariance))
        spread = np.sqrt(np.diag(covariance))
        worst_moment = max(worst_moment, np.max(np.abs(np.array(one["mean"]) - mean) / scale))
        error = np.abs(np.array(one["covariance"]) - covariance) / np.outer(spread, spread)
        worst_moment = max(worst_moment, np.max(error))
        if one["logLikelihood"] is None:
            worst_likelihood = math.inf
        else:
            worst_likelihood = max(worst_likelihood, abs(one["logLikelihood"] / log_likelihood - 1))
    check(f"{name}: {len(fits)} groups, moments", worst_moment <= MOMENT_TOLERANCE, f"{worst_moment:.1e}")
    check(f"{name}: log-likelihood", worst_likelihood <= LIKELIHOOD_TOLERANCE, f"{worst_likelihood:.1e}")


def columns(count):
    return [f"v{j}" for j in range(count)]


with tempfile.TemporaryDirectory() as folder:
    for name, load in [("wine", load_wine), ("breast_cancer", load_breast_cancer)]:
        data = load()
        for by, groups in [("all", np.zeros(len(data.target), int)), ("by class", data.target)]:
            fits = fit(folder, name, columns(data.data.shape[1]), groups, data.data)
            compare(f"{name}, {by}", fits, groups, data.data)

    random = np.random.default_rng(20061)
    sizes = random.integers(12, 60, size=10_000)
    groups = np.repeat(np.arange(10_000), sizes)
    mixing = random.normal(size=(5, 5))
    x = random.normal(size=(len(groups), 5)) @ mixing + random.normal(scale=10, size=(10_000, 5))[groups]
    compare("10,000 ragged groups", fit(folder, "ragged", columns(5), groups, x), groups, x)

    digits = load_digits()
    (one,) = fit(folder, "digits", columns(64), np.zeros(len(digits.target), int), digits.data)
    constant = [f"v{j}" for j in range(64) if np.ptp(digits.data[:, j]) == 0]
    check("digits: singular", one["status"] == "singular", one["status"])
    named = [name for name in constant if f'"{name}"' in (one["message"] or "")]
    check("digits: constant columns are named", named == constant, str(one["message"]))

print(f"{results['passed']} passed, {results['failed']} failed")
sys.exit(1 if results["failed"] else 0)
