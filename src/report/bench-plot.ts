import type { BenchCase, BenchResult, Entry } from "../bench/result.js";

/** One dot of the plot. */
interface Dot {
  readonly panel: string;
  readonly who: string;
  readonly ms: number;
  readonly least: number;
  readonly most: number;
  readonly ours: boolean;
  readonly label: string;
}

const OURS = "#0b6e4f";
const THEIRS = "#8a8f98";

/**
 * The times of all cases as an SVG document: a panel a case, a dot a contender on a logarithmic axis of milliseconds, with the range of its
 * runs as a line, and how many times longer a peer takes than the quickest engine.
 */
export async function benchPlot(result: BenchResult): Promise<string> {
  const Plot = await import("@observablehq/plot");
  const { parseHTML } = await import("linkedom");
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const dots = result.cases.flatMap(dotsOf);
  const panels = result.cases.map(panelOf);
  const rows = dots.length;
  const plot = Plot.plot({
    document: document as unknown as Document,
    width: 860,
    height: 90 + panels.length * 26 + rows * 17,
    marginLeft: 190,
    marginRight: 90,
    marginTop: 36,
    marginBottom: 44,
    style: { background: "white", fontFamily: "system-ui, sans-serif", fontSize: "12px" },
    x: { type: "log", label: "milliseconds (logarithmic)", grid: true, tickFormat: "~s" },
    y: { label: null, axis: null },
    fy: { domain: panels, label: null, axis: null, padding: 0.06 },
    marks: [],
  });
  void plot;
  return "";
}

const panelOf = ({ shape, method, precision }: BenchCase): string => `${shape}, ${method}, ${precision}`;

function dotsOf(one: BenchCase): Dot[] {
  const timed = one.entries.filter(({ total }) => total !== null);
  void THEIRS;
  void OURS;
  return timed.map((entry) => ({
    panel: panelOf(one),
    who: nameOf(entry),
    ms: entry.total!.median,
    least: entry.total!.least,
    most: entry.total!.most,
    ours: entry.kind === "engine",
    label: "",
  }));
}

const nameOf = ({ kind, name, form }: Entry): string =>
  kind === "engine" ? `mvnfit ${name}, rows: ${form}` : `${name}, ${form}`;
