import { readFileSync } from "node:fs";
import { Batch } from "../../src/batch.js";
import type { Precision } from "../../src/methods.js";

/** What test/golden/make.py writes for each group; see there. */
export interface GoldenGroup {
  readonly count: number;
  readonly weight: number;
  readonly mean: number[];
  readonly scatter: number[];
  readonly equations: {
    readonly j1: number;
    readonly j2: number;
    readonly objective: number;
    readonly dJ1dFactor: number[];
    readonly dJ2dMean: number[];
    readonly dJ2dFactor: number[];
    readonly dJ2dMeanScale: number;
    readonly dJ2dMeanSlope: number;
  };
  readonly maximum?: {
    readonly covariance: number[];
    readonly factor: number[];
    readonly logLikelihood: number;
  };
}

export interface GoldenCase {
  readonly name: string;
  readonly dims: number;
  readonly dtype: Precision;
  readonly condition: number;
  readonly offset: number;
  readonly x: number[];
  readonly offsets: number[];
  readonly weights: number[] | null;
  readonly at: { readonly mean: number[]; readonly factor: number[] };
  readonly groups: GoldenGroup[];
}

export const GOLDEN: readonly GoldenCase[] = JSON.parse(
  readFileSync(new URL("../golden/cases.json", import.meta.url), "utf8"),
);

export function goldenBatch({ x, offsets, dims, weights, dtype }: GoldenCase): Batch {
  const rows = dtype === "float32" ? Float32Array.from(x) : Float64Array.from(x);
  return Batch.fromOffsets(rows, offsets, weights ? { dims, weights } : { dims });
}
