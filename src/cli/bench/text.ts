import type { BenchCase, BenchResult, Entry, Timing } from "../../bench/result.js";
import { layOut, type TableColumn } from "../layout.js";
import { styled } from "../terminal.js";

/** Where and how it was measured, then a table for each case: milliseconds, and how many times longer peers take. */
export function* benchTables(result: BenchResult, stream: NodeJS.WriteStream): Generator<string> {
  for (const line of heading(result)) yield `${line}\n`;
  for (const one of result.cases) {
    yield `\n${styled(stream, "bold", title(one))}\n`;
    for (const line of layOut(columns(one), stream)) yield `${line}\n`;
    for (const { name, form, reason } of one.entries.filter((entry) => entry.reason !== null)) {
      yield `${name} (${form}): ${reason}\n`;
    }
  }
}

function heading({ machine, versions, threads, runs, engines, peers, commit }: BenchResult): string[] {
  const found = peers.filter(({ installed }) => installed).map(({ name, version }) => `${name} ${version}`);
  const missing = peers.filter(({ installed }) => !installed).map(({ name }) => name);
  return [
    `mvnfit ${versions.mvnfit}${commit === null ? "" : ` (${commit.slice(0, 7)}${commit.endsWith("-dirty") ? ", changed" : ""})`}, Node ${versions.node}; ${machine.cpu}, ${machine.cores} cores`,
    ...engines.map(({ name, device }) => `${name}: ${device}`),
    ...(found.length > 0 ? [`against ${found.join(", ")}`] : []),
    ...(missing.length > 0 ? [`not installed: ${missing.join(", ")}`] : []),
    `Medians of up to ${runs} runs in turn, in ms; ${threads === 1 ? "1 thread" : `${threads} threads`} each.`,
  ];
}

function title({ shape, method, precision, rowsInAll, dims }: BenchCase): string {
  const megabytes = (rowsInAll * dims * (precision === "float64" ? 8 : 4)) / 1e6;
  return `${shape}, ${method}, ${precision}: ${rowsInAll.toLocaleString("en")} rows, ${megabytes.toPrecision(3)} MB`;
}

/** A column for each number, and one for each engine that peers are measured by. */
function columns({ entries, ratios }: BenchCase): TableColumn[] {
  const column = (heading: string, cell: (entry: Entry) => string, left = false): TableColumn => ({
    heading,
    cells: entries.map(cell),
    left,
  });
  const engines = ratios.length === 0 ? [] : entries.filter(({ kind, total }) => kind === "engine" && total);
  return [
    column("who", ({ name }) => name, true),
    column("form", ({ form, kind }) => (kind === "engine" ? `rows: ${form}` : form), true),
    column("total", ({ total, outcome }) => (total ? milliseconds(total) : outcome)),
    column("least", ({ total }) => (total ? short(total.least) : "")),
    column("runs", ({ total }) => (total ? String(total.runs.length) : "")),
    column("GB/s", ({ gigabytesPerSecond }) => (gigabytesPerSecond ? short(gigabytesPerSecond) : "")),
    column("transfer", ({ transfer }) => milliseconds(transfer)),
    column("moments", ({ moments }) => milliseconds(moments)),
    column("solve", ({ solve }) => milliseconds(solve)),
    column("check", ({ checked }) => (checked ? `${checked.groups}/${checked.of}` : "")),
    ...engines.map((engine) =>
      column(`over ${engine.name} ${engine.form}`, (entry) => {
        const found = ratios.find(
          ({ peer, peerForm, engine: name, rowsIn }) =>
            peer === entry.name && peerForm === entry.form && name === engine.name && rowsIn === engine.form,
        );
        return found && entry.kind === "peer" ? `${short(found.ratio)}×` : "";
      }),
    ),
  ];
}

const milliseconds = (timing: Timing | null): string => (timing ? short(timing.median) : "");

/** Three digits are more than a shared machine repeats. */
const short = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 0.001 ? value.toPrecision(3) : value === 0 ? "0" : "<0.001";
