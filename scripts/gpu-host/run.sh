#!/usr/bin/env bash
# On a machine with a GPU: conformance, rates, peers, verify, compute-sanitizer and the bench in one go. The result is one JSON file and its summary:
#
#     bash build/gpu-host/run.sh [FOLDER [STEP…]]      FOLDER: where the results go; default bench/results
#
# Without steps all are run: conformance, moments, closed-form, peers, iterations, calls, verify-float64, verify-float32, memcheck, racecheck, bench.
# Steps that are named are added to what the file of that day and commit has: where time on a device is short.
#
# Needs NVIDIA's driver. Node is the machine's own if it is 20.19 or later, or the carried one (pack.mjs --node), which is for Linux on x64
# with glibc 2.28 or later. What is unpacked of it is removed at the end.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

[ -d "$here/dist/kernels/cuda" ] || tar -C "$here/dist/kernels" -xzf "$here/kernels.tgz"

fits() { command -v "$1" >/dev/null 2>&1 && "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'; }

node=node
if ! fits node; then
  [ -f "$here/node.gz" ] || { echo "run.sh: no Node 20.19 or later here, and none was packed (pack.mjs --node)" >&2; exit 2; }
  node=$(mktemp -d)/node
  trap 'rm -rf "$(dirname "$node")"' EXIT
  gzip -dc "$here/node.gz" >"$node"
  chmod +x "$node"
  "$node" -e 0 2>/dev/null || { echo "run.sh: the packed Node does not run here (Linux on x64, glibc 2.28, a temporary folder that may hold programs: TMPDIR); install Node 20.19 or later" >&2; exit 2; }
fi
"$node" "$here/run.mjs" "$@"
