// What run.mjs has found, as Markdown.

const giga = (bytes) => `${(bytes / 1e9).toFixed(1)} GB/s`;
const micro = (seconds) => `${(1e6 * seconds).toFixed(0)}`;
const milli = (seconds) => `${(1e3 * seconds).toFixed(seconds < 0.01 ? 2 : 0)} ms`;
const table = (heads, rows) => [
  "",
  `| ${heads.join(" | ")} |`,
  `|${" --- |".repeat(heads.length)}`,
  ...rows.map((row) => `| ${row.join(" | ")} |`),
];

function outcomes(result, steps) {
  const outcome = ({ passed, notRun, failed }) => {
    const of = Array.isArray(failed) ? `, ${passed === true ? "all" : failed.length} of them` : "";
    return notRun ?? (passed === false ? `**failed**${of}` : "passed");
  };
  return table(
    ["step", "outcome"],
    steps.filter((name) => result[name]).map((name) => [name, outcome(result[name])]),
  );
}

/** Calls as a program makes them: from host memory to host memory. */
function calls({ start, uploads, solvers }) {
  const fits = Object.entries(solvers.seconds).map(([method, seconds]) => `${method} ${milli(seconds)}`);
  return [
    "",
    `Start ${start.first.toFixed(2)} s, later ${start.later.toFixed(2)} s. Rows to fits: ${giga(uploads.ordinary)} from ordinary memory, ${giga(uploads.pinned)} from the engine's.`,
    `${solvers.groups} groups, d = ${solvers.dims}, from statistics in memory to results in memory: ${fits.join(", ")}.`,
  ];
}

/** Of a closed form, the peers' times on the same rows, and how many times ours that is. */
function againstPeers({ rows, groups, n, dims, seconds }, runs) {
  const dtype = rows === "float64" ? "float64" : "float32";
  const same = (run) => run.rows === dtype && run.groups === groups && run.n === n && run.dims === dims;
  const told = runs
    .filter((run) => same(run) && run.seconds)
    .map((run) => `${run.peer} ${run.form} ${micro(run.seconds)} (${(run.seconds / seconds).toFixed(1)}×)`);
  return told.join(", ") || "–";
}

/** Kernels on data that lie on the device already. */
const moments = ({ copyBandwidth, runs }) => [
  "",
  `Copy on the device: ${giga(copyBandwidth)}, read and written. Below, rows and statistics lie on the device already.`,
  ...table(
    ["rows", "d", "moments read", "of copy"],
    runs.map((m) => [m.rows, m.dims, giga(m.bandwidth), `${(100 * m.ofCopy).toFixed(0)} %`]),
  ),
];
const closedForms = ({ runs }, peers) =>
  table(
    ["closed form", "rows", "µs", "moments", "solve", "peers: µs (times ours)"],
    runs.map((c) => [
      `${c.groups} × ${c.n} × ${c.dims}`,
      c.rows,
      ...[c.seconds, c.moments, c.solve].map(micro),
      againstPeers(c, peers),
    ]),
  );
const iterations = ({ runs }) =>
  table(
    ["groups", "d", "method", "precision", "time"],
    runs.map((i) => [i.groups, i.dims, i.method, i.precision, milli(i.seconds)]),
  );

/** @param steps the names of all, in the order to tell them; standIn: whether this was a rehearsal */
export function summaryOf(result, steps, standIn) {
  const { device, driver, date, commit, node, cpus, cpu, peers } = result;
  const closedForm = result["closed-form"];
  const lines = [
    `# ${device}, ${driver}, ${date}`,
    ...(standIn ? ["", "**A rehearsal on the CPU stand-in: no figure here is a GPU's.**"] : []),
    "",
    `Commit ${commit.slice(0, 12)}, Node ${node}, ${cpus} × ${cpu}.`,
    ...(result.note ? ["", result.note] : []),
    ...outcomes(result, steps),
    ...(result.calls?.uploads ? calls(result.calls) : []),
    ...(result.moments?.runs ? moments(result.moments) : []),
    ...(closedForm?.runs ? closedForms(closedForm, peers?.runs ?? []) : []),
    ...(result.iterations?.runs ? iterations(result.iterations) : []),
  ];
  return `${lines.join("\n")}\n`;
}
