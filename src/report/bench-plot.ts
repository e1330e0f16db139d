import type { BenchCase, BenchResult, Entry } from "../bench/result.js";

/** One dot of the plot. */
interface Dot {
  readonly panel: string;
  /** Its place on the vertical axis: unlike its name, not shared by two contenders of one case */
  readonly row: number;
  readonly who: string;
  readonly ms: number;
  readonly least: number;
  readonly most: number;
  readonly ours: boolean;
  readonly label: string;
}

const OURS = "#0b6e4f";
const THEIRS = "#6b7280";
const WIDTH = 820;
const ROW = 18;
const LEFT = 190;

/**
 * The times of all cases as an SVG document: a panel a case, in it a dot a contender on a logarithmic axis of milliseconds, a line for the
 * range of its runs, and beside a peer how many times longer it takes than the quickest engine.
 */
export async function benchPlot(result: BenchResult): Promise<string> {
  const Plot = await import("@observablehq/plot");
  const { parseHTML } = await import("linkedom");
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const dots = result.cases.flatMap(dotsOf);
  const panels = result.cases.map(panelOf);
  const most = Math.max(1, ...dots.map(({ row }) => row + 1));
  const colour = ({ ours }: Dot): string => (ours ? OURS : THEIRS);
  const place = { y: "row", fy: "panel" } as const;
  const titles = panels.map((panel) => ({ panel, row: -1 }));
  const plot = Plot.plot({
    document: document as never,
    width: WIDTH,
    height: 80 + panels.length * (most + 1.6) * ROW,
    marginLeft: LEFT,
    marginRight: 110,
    marginTop: 20,
    marginBottom: 44,
    style: { background: "white", color: "#111827", fontFamily: "system-ui, sans-serif", fontSize: "12px" },
    x: { type: "log", label: "milliseconds, logarithmic", grid: true, tickFormat: "~r", ticks: 6 },
    y: { axis: null, domain: [-1.2, most - 0.4], reverse: true },
    fy: { axis: null, domain: panels, padding: 0.02 },
    marks: [
      Plot.text(titles, {
        ...place,
        text: "panel",
        frameAnchor: "left",
        dx: 8 - LEFT,
        textAnchor: "start",
        fontWeight: "bold",
      }),
      Plot.text(dots, {
        ...place,
        text: "who",
        frameAnchor: "left",
        dx: -8,
        textAnchor: "end",
        fill: colour,
      }),
      Plot.link(dots, {
        x1: "least",
        x2: "most",
        y1: "row",
        y2: "row",
        fy: "panel",
        stroke: colour,
        strokeWidth: 2,
      }),
      Plot.dot(dots, { ...place, x: "ms", r: 4.5, fill: colour }),
      Plot.text(dots, { ...place, x: "most", text: "label", dx: 9, textAnchor: "start", fill: colour }),
      Plot.text([caption(result)], {
        frameAnchor: "bottom-left",
        dx: 8 - LEFT,
        dy: 38,
        fill: THEIRS,
        facetAnchor: "bottom",
      }),
    ],
  });
  plot.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `<?xml version="1.0" encoding="UTF-8"?>\n${plot.outerHTML}\n`;
}

const panelOf = ({ shape, method, precision }: BenchCase): string =>
  `${shape.replaceAll("x", " × ")}, ${method}, ${precision}`;

function dotsOf(one: BenchCase): Dot[] {
  const quickest = quickestEngine(one.entries);
  return one.entries
    .filter(({ total }) => total !== null)
    .map((entry, row) => {
      const { median, least, most } = entry.total!;
      const ours = entry.kind === "engine";
      const base = entry.from === "statistics" ? quickest.solve : quickest.total;
      const ratio = ours || !Number.isFinite(base) ? "" : ` · ${digits(median / base)}×`;
      const label = `${digits(median)} ms${ratio}`;
      return { panel: panelOf(one), row, who: nameOf(entry), ms: median, least, most, ours, label };
    });
}

function quickestEngine(entries: readonly Entry[]): { total: number; solve: number } {
  const engines = entries.filter(({ kind, total }) => kind === "engine" && total !== null);
  return {
    total: Math.min(...engines.map(({ total }) => total!.median)),
    solve: Math.min(...engines.map(({ solve }) => solve?.median ?? Infinity)),
  };
}

const nameOf = ({ kind, name, form }: Entry): string =>
  kind === "engine" ? `mvnfit ${name}, rows: ${form}` : `${name}, ${form}`;

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));

const caption = ({ machine, threads, versions }: BenchResult): string =>
  `${machine.cpu}, ${threads === 1 ? "1 thread" : `${threads} threads`} each; mvnfit ${versions.mvnfit}, Node ${versions.node}. × : over the quickest engine. Lines: least to most.`;
