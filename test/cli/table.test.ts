import { describe, expect, it } from "vitest";
import { tablePieces } from "../../src/cli/fit/table.js";
import { displayWidth } from "../../src/cli/layout.js";
import type { FitsResult } from "../../src/io/write/result.js";
import { AWKWARD_KEYS, AWKWARD_TYPES, manyKeys, resultOf } from "../io/write.support.js";

const WIDTH = 80;

function table(result: FitsResult, stream: { isTTY: boolean; columns?: number }): string {
  return [...tablePieces(result, ["data.csv"], stream as NodeJS.WriteStream)].join("");
}

/** Without colours: a terminal shows them in no space. */
const plain = (text: string): string[] =>
  text
    .split("\u001b")
    .map((part, i) => (i === 0 ? part : part.replace(/^\[\d+m/, "")))
    .join("")
    .split("\n");

const G = [{ name: "g", type: "VARCHAR" }];

describe("the table on a terminal", () => {
  it.each([1, 2, 4, 8, 40])("is no wider than the terminal (d = %i)", (d) => {
    for (const result of [resultOf(manyKeys(60), G, d), resultOf(AWKWARD_KEYS, AWKWARD_TYPES, d)]) {
      for (const line of plain(table(result, { isTTY: true, columns: WIDTH }))) {
        expect(displayWidth(line), line).toBeLessThanOrEqual(WIDTH);
      }
    }
  });

  it("shows the first and the last of many groups and counts the rest", () => {
    const lines = plain(table(resultOf(manyKeys(1000), G, 2), { isTTY: true, columns: WIDTH }));
    expect(lines.filter((line) => /^g\d+ /.test(line)).length).toBe(23);
    expect(lines).toContain("… 977 more groups");
    expect(lines.some((line) => line.startsWith("g999 "))).toBe(true);
    expect(lines).toContain("1,000 groups: 667 converged, 333 empty; 2 rows with missing values dropped");
  });

  it("tells of ten groups in trouble, and how many more there are", () => {
    const lines = plain(table(resultOf(manyKeys(1000), G, 2), { isTTY: true, columns: WIDTH }));
    expect(lines.filter((line) => /^g=g\d+: empty: /.test(line)).length).toBe(10);
    expect(lines).toContain("and 323 more groups that did not converge");
  });

  it("says how many variables it had no room for", () => {
    expect(table(resultOf(manyKeys(3), G, 40), { isTTY: true, columns: WIDTH })).toMatch(
      /\d+ more variables, covariances/,
    );
  });

  it("shows control characters of names as escapes", () => {
    const result = resultOf([["\u001b[2J\r\nrm"]], G, 1);
    const text = table(result, { isTTY: false });
    expect(text).toContain("\\u001b[2J\\u000d\\u000arm");
  });
});

describe("the table elsewhere", () => {
  it("holds every group and every variable, one line a group, in ASCII where the names are", () => {
    const text = table(resultOf(manyKeys(100), G, 40), { isTTY: false });
    expect(text.split("\n").filter((line) => /^g\d+ /.test(line)).length).toBe(100);
    expect(
      text
        .split("\n")
        .find((line) => line.startsWith("g1 "))
        ?.match(/\+-/g)?.length,
    ).toBe(40);
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  });
});
