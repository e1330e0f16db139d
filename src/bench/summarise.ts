import type { Batch } from "../batch.js";
import { type Standing, timing } from "./contender.js";
import type { Task } from "./engine-contender.js";
import type { BenchCase, Entry, Ratio } from "./result.js";
import { type Shape, shapeName } from "./shape.js";

/** A case from what became of its contenders, and of those that could not take part. */
export function summarise(
  shape: Shape,
  { rows, method, precision }: Task,
  standings: readonly Standing[],
  skipped: readonly Entry[],
): BenchCase {
  const entries = [...standings.map((standing) => entryOf(standing, rows)), ...skipped];
  const { groups, dims } = shape;
  return {
    shape: shapeName(shape),
    groups,
    rows: shape.rows,
    dims,
    rowsInAll: rows.rows,
    method,
    precision,
    entries,
    ratios: ratiosOf(entries),
  };
}

function entryOf({ contender, times, checked, counts, outcome, reason }: Standing, rows: Batch): Entry {
  const { kind, name, form, from } = contender;
  const total = timing(times.map((one) => one.total));
  return {
    kind,
    name,
    form,
    from,
    outcome,
    reason,
    checked,
    counts,
    total,
    transfer: timing(times.map((one) => one.transfer)),
    moments: timing(times.map((one) => one.moments)),
    solve: timing(times.map((one) => one.solve)),
    gigabytesPerSecond: total && from === "rows" ? rows.x.byteLength / total.median / 1e6 : null,
  };
}

/** What does not take part in a case, and why. */
export const skippedEntry = (
  kind: Entry["kind"],
  name: string,
  form: string,
  reason: string,
  outcome: "skipped" | "failed" = "skipped",
): Entry => ({
  kind,
  name,
  form,
  from: "rows",
  outcome,
  reason,
  checked: null,
  counts: null,
  total: null,
  transfer: null,
  moments: null,
  solve: null,
  gigabytesPerSecond: null,
});

/** Each peer over each engine: from the rows, or where the peer starts from the statistics, against the engine's solve alone. */
function ratiosOf(entries: readonly Entry[]): Ratio[] {
  const timed = entries.filter(({ total }) => total !== null);
  const engines = timed.filter(({ kind }) => kind === "engine");
  return timed
    .filter(({ kind }) => kind === "peer")
    .flatMap((peer) =>
      engines.flatMap((engine) => {
        const own = peer.from === "statistics" ? engine.solve : engine.total;
        if (own === null) return []; // too slow for a second run, in which its parts would have been timed
        const ratio = peer.total!.median / own.median;
        return [{ peer: peer.name, peerForm: peer.form, engine: engine.name, rowsIn: engine.form, ratio }];
      }),
    );
}
