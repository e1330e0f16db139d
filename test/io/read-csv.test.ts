import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/files.js";
import { readAll, refusal } from "./rows.js";

const files = temporaryFolder();

describe("a CSV file", () => {
  it("gives every numeric column, in the file's order, by default", async () => {
    const file = files.write("plain.csv", "b,name,a,flag\n1,x,2.5,true\n-3,y,1e3,false\n");
    const read = await readAll(file);
    expect(read.columns).toEqual(["b", "a", "flag"]);
    expect(read.x).toEqual([
      [1, 2.5, 1],
      [-3, 1000, 0],
    ]);
    expect(read.keys).toEqual([[]]);
  });

  it("gives the named columns, in the order asked for", async () => {
    const file = files.write("order.csv", "a,b,c\n1,2,3\n");
    expect((await readAll(file, { columns: ["c", "a"] })).x).toEqual([[3, 1]]);
  });

  it("numbers groups in order of first appearance", async () => {
    const file = files.write("groups.csv", "g,x\nq,1\np,2\nq,3\nr,4\n");
    const read = await readAll(file, { groupBy: ["g"] });
    expect(read.keys).toEqual([["q"], ["p"], ["r"]]);
    expect(read.codes).toEqual([0, 1, 0, 2]);
  });

  it.each([
    ["tsv", "plain.tsv", "g\tx\nu,v\t1\n"],
    ["semicolons", "semicolons.csv", 'g;x\n"u,v";1\n'],
    ["CRLF", "crlf.csv", 'g,x\r\n"u,v",1\r\n'],
    ["CR", "cr.csv", 'g,x\r"u,v",1\r'],
    ["a byte order mark", "bom.csv", '\ufeffg,x\n"u,v",1\n'],
    ["no line end at the end", "open-end.csv", 'g,x\n"u,v",1'],
    ["gzip", "packed.csv.gz", gzipSync('g,x\n"u,v",1\n')],
    ["gzipped TSV in capitals", "PACKED.TSV.GZ", gzipSync("g\tx\nu,v\t1\n")],
  ])("reads %s", async (_, name, content) => {
    const read = await readAll(files.write(name, content), { groupBy: ["g"] });
    expect(read).toMatchObject({ columns: ["x"], keys: [["u,v"]], x: [[1]] });
  });

  it("takes names as they are, whatever is in them", async () => {
    const header = '"a,b","q""q",__proto__,constructor,"x; DROP TABLE t --",\'s\',"two\nlines",X,x';
    const file = files.write("names.csv", `${header}\n1,2,3,4,5,6,7,8,9\n`);
    const names = [
      "a,b",
      'q"q',
      "__proto__",
      "constructor",
      "x; DROP TABLE t --",
      "'s'",
      "two\nlines",
      "X",
      "x",
    ];
    expect(await readAll(file)).toMatchObject({ columns: names, x: [[1, 2, 3, 4, 5, 6, 7, 8, 9]] });
    expect((await readAll(file, { columns: ["x", "X"] })).x).toEqual([[9, 8]]);
  });

  it("takes group names as they are, short and long", async () => {
    const names = [
      "__proto__",
      "constructor",
      "a,b",
      'q"q',
      "twelve bytes",
      "thirteen byte",
      "thirteen bytf",
      "éäü€",
      "x\ny",
    ];
    const cells = [...names, ...names].map((name) => `"${name.replaceAll('"', '""')}",1\n`);
    const read = await readAll(files.write("keys.csv", `g,x\n${cells.join("")}`), { groupBy: ["g"] });
    expect(read.keys.flat()).toEqual(names);
    expect(read.codes).toEqual([...names.keys(), ...names.keys()]);
  });

  it.each([
    "a[1].csv",
    "s*.csv",
    "b?.csv",
    "quo'te.csv",
    "back\\slash.csv",
    "{a,b}.csv",
    "with space.csv",
    "k=1/x.csv",
  ])("reads the file %s and no other", async (name) => {
    for (const other of ["a1.csv", "star.csv", "b1.csv", "a.csv", "b.csv"])
      files.write(`odd/${other}`, "z\n99\n");
    expect(await readAll(files.write(`odd/${name}`, "x\n1\n"))).toMatchObject({ columns: ["x"], x: [[1]] });
  });

  it("reads several files as one, columns by name", async () => {
    const one = files.write("part1.csv", "g,x,y\na,1,2\nb,3,4\n");
    const two = files.write("part2.csv", "y,g,x\n6,b,5\n8,c,7\n");
    const none = files.write("part0.csv", "g,x,y\n");
    const read = await readAll([none, one, two], { groupBy: ["g"] });
    expect(read.x).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8],
    ]);
    expect(read.keys.flat()).toEqual(["a", "b", "c"]);
    expect(read.codes).toEqual([0, 1, 1, 2]);
    expect(read.rows).toBe(4);
  });

  it("reads values that are not finite as they are", async () => {
    const file = files.write("wild.csv", "x\nNaN\ninf\n-Infinity\n1e400\n1e-400\n");
    expect((await readAll(file)).x.flat()).toEqual([Number.NaN, Infinity, -Infinity, Infinity, 0]);
  });

  it("keeps every digit", async () => {
    const values = [0.1, 1 / 3, 5e-324, 1.7976931348623157e308, -123456789.12345679, 2 ** 53 - 1];
    expect((await readAll(files.write("digits.csv", `x\n${values.join("\n")}\n`))).x.flat()).toEqual(values);
  });

  it("reads numbers from a column whose sample is empty, where it is named", async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `1,${i < 29_000 ? "" : i}\n`);
    const file = files.write("late.csv", `a,x\n${rows.join("")}`);
    const read = await readAll(file, { columns: ["x"], missing: "drop" });
    expect([read.rows, read.dropped, read.x[0]]).toEqual([30_000, 29_000, [29_000]]);
  });
});

describe("the type of a group column in CSV", () => {
  it.each([
    ["BIGINT", ["1", "-20", "9007199254740993"], [1, -20, 9007199254740993n]],
    ["DOUBLE", ["1", "2.5", "-0.25"], [1, 2.5, -0.25]],
    ["VARCHAR", ["007", "7"], ["007", "7"]],
    ["VARCHAR", ["1.0", "1"], ["1.0", "1"]],
    ["VARCHAR", ["1e3", "NaN"], ["1e3", "NaN"]],
    ["VARCHAR", ["9007199254740993", "0.5"], ["9007199254740993", "0.5"]],
    ["BOOLEAN", ["true", "false"], [true, false]],
    ["VARCHAR", ["True", "false"], ["True", "false"]],
    ["DATE", ["2024-02-29", "1999-12-31"], ["2024-02-29", "1999-12-31"]],
    ["VARCHAR", ["2023-02-29", "1999-12-31"], ["2023-02-29", "1999-12-31"]],
  ])("is %s for %j", async (type, cells, values) => {
    const file = files.write("typed.csv", `g,x\n${cells.map((cell) => `${cell},1\n`).join("")}`);
    const read = await readAll(file, { groupBy: ["g"] });
    expect(read.types).toEqual([{ name: "g", type }]);
    expect(read.keys.flat()).toEqual(values);
  });

  it("is unharmed by a missing key, which is a group of its own", async () => {
    const file = files.write("null.csv", 'g,h,x\n1,a,1\n,a,2\n"",a,3\n1,,4\n,a,5\n');
    const read = await readAll(file, { groupBy: ["g", "h"] });
    expect(read.types.map(({ type }) => type)).toEqual(["BIGINT", "VARCHAR"]);
    expect(read.keys).toEqual([
      [1, "a"],
      [null, "a"],
      [1, null],
    ]);
    expect(read.codes).toEqual([0, 1, 1, 2, 1]);
  });

  // Several of DuckDB's threads parse 2 MB each; the first missing key is far behind what has been read by then.
  it.each([3, 290_000])(
    "keeps the order of many rows where the first missing key is at %i",
    async (first) => {
      const rows = 300_000;
      const long = "of 24 MB in all".repeat(4);
      const keyOf = (i: number) => (i < first ? `k${i % 7}` : i % 3 === 0 ? "" : "NA");
      const lines = Array.from(
        { length: rows },
        (_, i) => `${keyOf(i)},${i},${i % 1000 === 5 ? "NA" : i / 8},${long}\n`,
      );
      const read = await readAll(files.write("order.csv", `g,x,y,long\n${lines.join("")}`), {
        groupBy: ["g"],
        missing: "drop",
      });
      expect([read.rows, read.dropped]).toEqual([rows, rows / 1000]);
      const kept = Array.from({ length: rows }, (_, i) => i).filter((i) => i % 1000 !== 5);
      expect(read.x.length).toBe(kept.length);
      const wrong = kept.find(
        (i, r) =>
          read.x[r][0] !== i || read.x[r][1] !== i / 8 || (read.keys[read.codes[r]][0] ?? "") !== keyOf(i),
      );
      expect(wrong).toBeUndefined();
    },
  );

  it("keeps NA (Namibia) apart from a missing key, and NA in a variable missing", async () => {
    const names = ["NA", "DE", "", "null", "NA"];
    const file = files.write(
      "namibia.csv",
      `g,x,f\n${names.map((g, i) => `${g},${i},true\n`).join("")}DE,NA,NA\n`,
    );
    const read = await readAll(file, { groupBy: ["g"], missing: "drop" });
    expect(read.keys.flat()).toEqual(["NA", "DE", null, "null"]);
    expect(read.codes).toEqual([0, 1, 2, 3, 0]);
    expect(read.x.map(([x]) => x)).toEqual([0, 1, 2, 3, 4]);
    expect(read.dropped).toBe(1);
  });

  it("keeps them apart wherever the first of them stands", async () => {
    const rows = Array.from(
      { length: 9000 },
      (_, i) => `${i === 5001 ? "NA" : i === 7003 ? "" : i % 3},${i}\n`,
    );
    const read = await readAll(files.write("late-na.csv", `g,x\n${rows.join("")}`), { groupBy: ["g"] });
    expect(read.x.flat()).toEqual([...Array(9000).keys()]);
    expect(read.keys.flat()).toEqual(["0", "1", "2", "NA", null]);
    expect([read.codes[5001], read.codes[7003], read.codes[7005]]).toEqual([3, 4, 0]);
  });
});

describe("missing values in CSV", () => {
  const text = 'g,x,y\na,1,2\n\na,"3\n",4\nb,,5\nb,6,n/a\nc,NA,null\n';

  it("are dropped and counted on request; their groups stay", async () => {
    const read = await readAll(files.write("gaps.csv", text.replace('"3\n"', "3")), {
      groupBy: ["g"],
      missing: "drop",
    });
    expect(read).toMatchObject({
      rows: 5,
      dropped: 3,
      x: [
        [1, 2],
        [3, 4],
      ],
    });
    expect(read.keys.flat()).toEqual(["a", "b", "c"]);
  });

  it("are an error otherwise, with line, column, cell and count", async () => {
    const file = files.write("gaps.csv", text.replace('"3\n"', "3"));
    expect(await refusal(file, { groupBy: ["g"] })).toBe(
      `${file}:5: column "x": expected a number, got an empty cell; 3 rows have a missing value (use --missing drop to leave such rows out)`,
    );
  });

  it("are found at their line below cells of several lines", async () => {
    const file = files.write("lines.csv", 'g,x\r\n"a\r\nb",1\r\nc,NA\r\n');
    expect(await refusal(file, { groupBy: ["g"] })).toBe(
      `${file}:4: column "x": expected a number, got "NA"; 1 row has a missing value (use --missing drop to leave such rows out)`,
    );
  });

  it("are found at their line below a quote within a cell", async () => {
    const file = files.write("inches.csv", 'g,x\n5" disc,1\nb,2\nc,\n"d",4\n');
    expect(await refusal(file, { groupBy: ["g"] })).toContain(
      `${file}:4: column "x": expected a number, got an empty cell`,
    );
  });

  it("of the weights count as well", async () => {
    const file = files.write("weights-gap.csv", "x,w\n1,1\n2,\n");
    expect(await readAll(file, { weights: "w", missing: "drop" })).toMatchObject({
      dropped: 1,
      x: [[1]],
      weights: [1],
    });
    expect(await refusal(file, { weights: "w" })).toContain(
      `${file}:3: column "w": expected a number, got an empty cell`,
    );
  });

  it("in columns that are not read do not matter", async () => {
    const file = files.write("unread-gap.csv", "x,y\n1,\n");
    expect((await readAll(file, { columns: ["x"] })).x).toEqual([[1]]);
  });
});

describe("a fault in a CSV file", () => {
  it("in a cell is named with file, line, column and value", async () => {
    const rows = Array.from(
      { length: 60_000 },
      (_, i) => `a,${i === 44_444 ? "12,5" : i === 50_000 ? "bad" : i}\n`,
    );
    const file = files.write("bad.csv", `g,x\n${rows.join("").replace("12,5", '"12,5"')}`);
    expect(await refusal(file)).toBe(
      `${file}:44446: column "x": expected a number, got "12,5" (missing are: an empty cell, NA, N/A, n/a, #N/A, <NA>, NULL, null, None)`,
    );
  });

  it("is named also after a missing group key has changed the way of reading", async () => {
    const file = files.write("bad-late.csv", "g,x\n,1\na,2\na,x2\na,3\na,4\n");
    expect(await refusal(file, { groupBy: ["g"] })).toContain(
      `${file}:4: column "x": expected a number, got "x2"`,
    );
  });

  it("of a boolean is named so", async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i === 29_000 ? "maybe" : i % 2 === 0}\n`);
    const file = files.write("bad-flag.csv", `f\n${rows.join("")}`);
    expect(await refusal(file)).toContain(`${file}:29002: column "f": expected true or false, got "maybe"`);
  });

  it.each([
    ["too few cells", "g,x\na,1\nb\n", ":3: expected 2 cells, as in the header, got 1"],
    ["too many cells", "g,x\na,1\nb,2,3\n", ":3: expected 2 cells, as in the header, got 3"],
    [
      "an open quote",
      'g,x\na,1\n"b,2\n',
      ":3: a quoted cell is not closed, or something follows its closing quote",
    ],
    [
      "another encoding",
      Buffer.from("g,x\na,1\n\xe9,2\n", "latin1"),
      ":3: not UTF-8 text; convert the file to UTF-8",
    ],
    ["no header", "\n\n1,2\n", ": line 1 is empty, expected the names of the columns"],
    ["no bytes", "", ": the file is empty"],
    ["no rows", "g,x\n", ": no rows, only the names of columns"],
    ["no rows, no line end", "g,x", ": no rows, only the names of columns"],
    ["bytes that are not gzip", "", ": the file is empty"],
  ])("%s", async (what, content, message) => {
    const file = files.write(`fault ${what}.csv`, content);
    expect(await refusal(file, { groupBy: what === "no header" ? [] : ["g"] })).toBe(file + message);
  });

  it("of its compression is named", async () => {
    const file = files.write("not.csv.gz", "g,x\na,1\n");
    expect(await refusal(file)).toMatch(/not\.csv\.gz: cannot be read: incorrect header check/);
  });

  it.each([
    ["-0.5", "weights must not be negative, got -0.5"],
    ["inf", "weights must be finite numbers, got Infinity"],
    ["NaN", "weights must be finite numbers, got NaN"],
  ])("of a weight %s is named", async (weight, rule) => {
    const file = files.write("weights.csv", `x,w\n1,0\n,7\n2,${weight}\n3,1\n`);
    expect(await refusal(file, { weights: "w", missing: "drop" })).toBe(`${file}:4: column "w": ${rule}`);
  });
});
