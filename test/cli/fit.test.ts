import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { ON_PROCESSOR } from "../support/processor.js";
import { folderWith, mvnfit, PENGUINS } from "./command.js";

const ROWS = "g,x,y\na,1,2\na,2,3.5\na,3,1\nb,4,0\n";

const folder = folderWith({
  "rows.csv": ROWS,
  "more.csv": "g,x,y\nb,1,1\nb,0,5\n",
  "names.csv": '"a,b",x,__proto__\nu,1,1\nu,2,1\nv,4,1\n',
  "start.json":
    '{"groups":[{"group":{"g":"b"},"mean":[1,1],"factor":[[1,0],[0,1]]},{"group":{"g":"a"},"mean":[2,2],"factor":[[2,1],[0,1]]}]}',
});

const fit = (...words: string[]) => mvnfit(["fit", ...words], { folder: folder.path });

describe("mvnfit fit", () => {
  it("fits the penguins: the table on stdout, all else on stderr", async () => {
    const { code, stdout, stderr } = await fit(PENGUINS, "--group-by", "species", "--missing", "drop");
    expect(code).toBe(0);
    expect(stderr).toMatch(new RegExp(`^engine: ${ON_PROCESSOR} \\(.+\\)\\n$`));
    expect(stdout).toMatch(/344 rows, 3 groups, 4 variables/);
    expect(stdout).toMatch(/^Adelie +151 +converged +-2163\.5 +38\.8 \+- 2\.7 .* 3701 \+- 457$/m);
    expect(stdout).toMatch(/3 groups: 3 converged; 2 rows with missing values dropped/);
  });

  it("writes the JSON document of the contract", async () => {
    const { stdout } = await fit("rows.csv", "--group-by", "g", "--json");
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      schema: "mvnfit/fits@1",
      columns: ["x", "y"],
      groupBy: ["g"],
      engine: ON_PROCESSOR,
      precision: "float64",
      method: "closed-form",
      ddof: 0,
      rows: 4,
      rowsDropped: 0,
      counts: { converged: 1, "too-few-rows": 1 },
    });
    expect(document.groups[0]).toMatchObject({
      group: { g: "a" },
      n: 3,
      status: "converged",
      message: null,
      mean: [2, 13 / 6],
    });
    expect(document.groups[1]).toMatchObject({
      group: { g: "b" },
      n: 1,
      status: "too-few-rows",
      factor: null,
      logLikelihood: null,
    });
    expect(document.groups[1].message).toMatch(/1 row for 2 variables/);
  });

  it("takes column names for what they are, whatever they are", async () => {
    const { stdout } = await fit("names.csv", "--group-by", "a\\,b", "--group-by", "__proto__", "--json");
    const [first] = JSON.parse(stdout).groups;
    expect(Object.entries(first.group)).toEqual([
      ["a,b", "u"],
      ["__proto__", 1],
    ]);
  });

  it.each(["json", "ndjson", "csv", "parquet"])(
    "writes a .%s file and no table, and overwrites it",
    async (ending) => {
      for (const _ of [1, 2]) {
        const { code, stdout, stderr } = await fit("rows.csv", "--group-by", "g", "-o", `fits.${ending}`);
        expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
        expect(stderr).toContain(`fits.${ending}: 2 groups: 1 converged, 1 too-few-rows`);
      }
      expect((await folder.added()).filter((name) => name.includes("tmp"))).toEqual([]);
    },
  );

  it("gives the file and the document with -o and --json", async () => {
    const { stdout } = await fit("rows.csv", "--json", "-o", "both.json");
    expect(await readFile(folder.file("both.json"), "utf8")).toBe(stdout);
  });

  it("takes several files as one input, and standard input among them", async () => {
    const { stdout } = await mvnfit(
      ["fit", "-", "more.csv", "--format", "csv", "--group-by", "g", "--json"],
      {
        folder: folder.path,
        input: ROWS,
      },
    );
    expect(JSON.parse(stdout)).toMatchObject({ rows: 6, counts: { converged: 2 } });
  });

  it("says nothing on stderr with --quiet", async () => {
    const { code, stderr } = await fit("rows.csv", "--group-by", "g", "--quiet", "-o", "quiet.csv");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  it("exits 1 with --strict where a group has no fit, after writing the results", async () => {
    const strict = await fit("rows.csv", "--group-by", "g", "--strict", "-o", "strict.csv");
    expect(strict).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("1 of 2 groups did not converge"),
    });
    expect(await folder.added()).toContain("strict.csv");
    expect(await fit("rows.csv", "--strict")).toMatchObject({ code: 0 });
  });

  it("starts each group from its place in a start file, in any order", async () => {
    const words = ["rows.csv", "more.csv", "--group-by", "g", "--method", "lbfgs", "--init", "start.json"];
    expect(await fit(...words, "--json")).toMatchObject({ code: 0 });
    const started = JSON.parse((await fit(...words, "--max-iterations", "0", "--json")).stdout);
    expect(started.groups[0].mean).toEqual([2, 2]);
    // The start's factor is reduced to a triangular one on the way, which rounds.
    const [[xx, xy], [yx, yy]] = started.groups[0].covariance;
    for (const [got, want] of [
      [xx, 5],
      [xy, 1],
      [yx, 1],
      [yy, 1],
    ])
      expect(got).toBeCloseTo(want, 12);
    expect(started.groups[1].mean).toEqual([1, 1]);
  });

  it("refuses a start file that lacks a group", async () => {
    const words = [
      "rows.csv",
      "--group-by",
      "y",
      "--columns",
      "x",
      "--method",
      "newton",
      "--init",
      "start.json",
    ];
    expect(await fit(...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("no start for the group y=2"),
    });
  });

  it("uses no colour where NO_COLOR is set or nobody looks", async () => {
    const { stdout, stderr } = await mvnfit(["fit", "rows.csv"], {
      folder: folder.path,
      env: { NO_COLOR: "1" },
    });
    expect(stdout + stderr).not.toContain("\u001b");
    const piped = await fit("rows.csv");
    expect(piped.stdout + piped.stderr).not.toContain("\u001b");
  });

  it("ends in peace when its reader has seen enough", async () => {
    const { code, stderr } = await mvnfit(["simulate", "--groups", "2000"], {
      meanwhile: (child) => child.stdout.once("data", () => child.stdout.destroy()),
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });
});
