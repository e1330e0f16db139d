import { describe, expect, it } from "vitest";
import { InputError } from "../src/errors.js";
import { Random } from "../src/random.js";
import { simulate } from "../src/simulate.js";

/** Sums of at most 64 products of numbers near 1. */
const ORTHOGONALITY_TOLERANCE = 1e-13;

/** Eigenvalues between the ends are rounded to float32. */
const SPECTRUM_TOLERANCE = 1e-6;

/** Standard errors that a seeded average may be off: beyond 5 in one of a million. */
const STANDARD_ERRORS = 5;

const NORMALS = 200_000;

describe("random numbers", () => {
  it("are xoshiro128**'s", () => {
    // The authors' C code from the state that SplitMix32 makes of seed 1.
    const random = Random.fromSeed(1);
    expect([random.word(), random.word(), random.word(), random.word()]).toMatchInlineSnapshot(`
      [
        2442144158,
        3238099751,
        3819917871,
        2104621829,
      ]
    `);
  });

  it("have the moments of a standard normal", () => {
    const random = Random.fromSeed(7);
    const sums = [0, 0, 0, 0];
    for (let i = 0; i < NORMALS; i++) {
      const z = random.normal();
      for (let power = 1; power <= 4; power++) sums[power - 1] += z ** power / NORMALS;
    }
    // E zᵏ = 0, 1, 0, 3 with variances 1, 2, 15, 96 over the number of draws.
    const variances = [1, 2, 15, 96];
    [0, 1, 0, 3].forEach((moment, k) => {
      expect(Math.abs(sums[k] - moment)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(variances[k] / NORMALS));
    });
  });

  it("have the tails of a standard normal", () => {
    const random = Random.fromSeed(8);
    let beyond = 0;
    for (let i = 0; i < NORMALS; i++) if (Math.abs(random.normal()) > 3) beyond++;
    const expected = 0.0026997960632601866 * NORMALS;
    expect(Math.abs(beyond - expected)).toBeLessThan(STANDARD_ERRORS * Math.sqrt(expected));
  });

  it("differ for seeds beyond 32 bits", () => {
    expect(Random.fromSeed(1).word()).not.toBe(Random.fromSeed(1 + 2 ** 32).word());
  });
});

describe("simulate", () => {
  it("gives the same bits for the same call, on every machine", () => {
    const { batch, truth } = simulate({
      groups: 2,
      rows: [3, 9],
      dims: 3,
      condition: 100,
      offset: 5,
      seed: 42,
    });
    expect([...batch.offsets]).toMatchInlineSnapshot(`
      [
        0,
        8,
        16,
      ]
    `);
    expect([batch.x[0], batch.x[batch.x.length - 1], truth.mean[4], truth.factor[17]]).toMatchInlineSnapshot(`
      [
        6.1478163701619675,
        5.91955343872262,
        5.271358585982864,
        -1.3883362929001266,
      ]
    `);
  });

  it("gives a group whatever the number of groups", () => {
    const few = simulate({ groups: 2, rows: [1, 20], dims: 4, seed: 3 });
    const many = simulate({ groups: 9, rows: [1, 20], dims: 4, seed: 3 });
    expect(many.batch.x.subarray(0, few.batch.x.length)).toEqual(few.batch.x);
  });

  it.each([1, 2, 3, 8, 33])("has covariances of the condition asked for, in any direction (d = %i)", (d) => {
    const condition = 1e4;
    const { truth } = simulate({ groups: 1, rows: 0, dims: d, condition });
    // Λ = QD: its columns are orthogonal, and their squared lengths are the eigenvalues.
    const column = (j: number) => Array.from({ length: d }, (_, i) => truth.factor[i * d + j]);
    const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    const eigenvalues = Array.from({ length: d }, (_, j) => dot(column(j), column(j)));
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < i; j++) {
        const scale = Math.sqrt(eigenvalues[i] * eigenvalues[j]);
        expect(Math.abs(dot(column(i), column(j)))).toBeLessThan(ORTHOGONALITY_TOLERANCE * scale);
      }
      const wanted = d === 1 ? 1 : condition ** (i / (d - 1) - 0.5);
      expect(Math.abs(eigenvalues[i] / wanted - 1)).toBeLessThan(SPECTRUM_TOLERANCE);
    }
  });

  it("draws rows from the parameters that it tells", () => {
    const rows = 20_000;
    const { batch, truth } = simulate({ groups: 1, rows, dims: 2, condition: 50, offset: 1000 });
    const variance = (i: number, j: number) =>
      truth.factor[2 * i] * truth.factor[2 * j] + truth.factor[2 * i + 1] * truth.factor[2 * j + 1];
    for (let i = 0; i < 2; i++) {
      let mean = 0;
      for (let row = 0; row < rows; row++) mean += batch.x[2 * row + i] / rows;
      expect(Math.abs(mean - truth.mean[i])).toBeLessThan(STANDARD_ERRORS * Math.sqrt(variance(i, i) / rows));
      for (let j = 0; j < 2; j++) {
        let sum = 0;
        for (let row = 0; row < rows; row++) {
          sum += ((batch.x[2 * row + i] - truth.mean[i]) * (batch.x[2 * row + j] - truth.mean[j])) / rows;
        }
        const error = Math.sqrt((variance(i, i) * variance(j, j) + variance(i, j) ** 2) / rows);
        expect(Math.abs(sum - variance(i, j))).toBeLessThan(STANDARD_ERRORS * error);
      }
    }
  });

  it("refuses what makes no sense", () => {
    for (const wrong of [
      { rows: [3, 2] as const },
      { condition: 0.5 },
      { dims: 0 },
      { seed: -1 },
      { offset: Number.NaN },
    ]) {
      expect(() => simulate({ groups: 1, rows: 1, dims: 1, ...wrong })).toThrow(InputError);
    }
  });
});
