// The curves of bench/scaling.mjs: time and memory, each over what varies, on logarithmic axes.
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

const TIME = "#0b6e4f";
const MEMORY = "#b45309";
const CURVES = ["rows", "groups", "variables", "threads"];
const WIDTH = 860;
const PANEL = 300;

/** A [x, y] place for every panel: two beside each other. */
const placeOf = (i) => [(i % 2) * (WIDTH / 2), Math.floor(i / 2) * PANEL + 24];

function panel(document, curve, points) {
  const few = points.length <= 4; // then every point has its tick
  const values = points.flatMap(({ median, memoryBytes }) => [median, memoryBytes / 1e6]);
  return Plot.plot({
    document,
    width: WIDTH / 2,
    height: PANEL - 20,
    marginLeft: 60,
    marginRight: 24,
    marginTop: 34,
    marginBottom: 40,
    x: { type: "log", label: `${curve} →`, tickFormat: "~s", ticks: few ? points.map(({ at }) => at) : 5 },
    y: {
      type: "log",
      label: "ms, MB",
      grid: true,
      tickFormat: "~s",
      ticks: 5,
      domain: [Math.min(...values) / 1.5, Math.max(...values) * 1.5],
    },
    marks: [
      Plot.line(points, {
        x: "at",
        y: ({ memoryBytes }) => memoryBytes / 1e6,
        stroke: MEMORY,
        strokeDasharray: "4,3",
      }),
      Plot.dot(points, { x: "at", y: ({ memoryBytes }) => memoryBytes / 1e6, stroke: MEMORY, r: 2.5 }),
      Plot.line(points, { x: "at", y: "median", stroke: TIME, strokeWidth: 2 }),
      Plot.dot(points, { x: "at", y: "median", fill: TIME, r: 3 }),
    ],
  });
}

export async function scalingPlot({ points, machine, versions }) {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const panels = CURVES.map((curve, i) => {
    const [x, y] = placeOf(i);
    const svg = panel(
      document,
      curve,
      points.filter((point) => point.curve === curve),
    );
    svg.setAttribute("x", x);
    svg.setAttribute("y", y);
    return svg.outerHTML;
  });
  const height = Math.ceil(CURVES.length / 2) * PANEL + 50;
  const text = (x, y, fill, content) =>
    `<text x="${x}" y="${y}" fill="${fill}" font-size="12">${content}</text>`;
  const about = `${machine.cpu}, ${machine.cores} cores; mvnfit ${versions.mvnfit}, Node ${versions.node}`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif">`,
    `<rect width="${WIDTH}" height="${height}" fill="white"/>`,
    text(16, 18, TIME, "● time, ms"),
    text(110, 18, MEMORY, "○ peak memory of the process, MB"),
    ...panels,
    text(16, height - 12, "#6b7280", about.replaceAll("&", "&amp;").replaceAll("<", "&lt;")),
    "</svg>\n",
  ].join("\n");
}
