import { symlink } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { folderWith, mvnfit } from "./command.js";

const folder = folderWith({
  "good.csv": "g,x,y,t\na,1,2,u\na,2,3.5,v\na,3,1,w\nb,4,0,w\n",
  "cell.csv": "g,x,y\na,1,2\na,2,oops\na,3,1\n",
  "empty.csv": "",
  "header.csv": "g,x,y\n",
  "weights.csv": "g,x,y,w\na,1,2,1\na,2,1,-3\na,0,1,1\n",
  "missing.csv": "g,x,y\na,1,2\na,2,\na,3,1\n",
  "start.json": '{"mean":[0],"factor":[[1]]}',
  "broken.json": "{",
  "n.csv": "n,x\n1,2\n1,3\n1,5\n",
});

/** Every call here is refused: exit code 2, a message with these parts and no stack, nothing on stdout, no file. */
const REFUSED: readonly [title: string, words: readonly string[], ...parts: (string | RegExp)[]][] = [
  ["a file that is not there", ["fit", "none.csv"], "none.csv", /no such file/],
  ["no file", ["fit"], "no file given"],
  ["an unknown column", ["fit", "good.csv", "--columns", "x,z"], "good.csv", '"z"'],
  ["an unknown group column", ["fit", "good.csv", "--group-by", "h"], "good.csv", '"h"'],
  ["an unknown weight column", ["fit", "good.csv", "--weights", "q"], "good.csv", '"q"'],
  ["a text column as a variable", ["fit", "good.csv", "--columns", "x,t"], "good.csv", '"t"'],
  ["a bad cell", ["fit", "cell.csv", "--columns", "x,y"], "cell.csv:3", '"y"', "oops"],
  ["an empty file", ["fit", "empty.csv"], "empty.csv", "empty"],
  ["a file of column names alone", ["fit", "header.csv"], "header.csv", "no rows"],
  ["a negative weight", ["fit", "weights.csv", "--weights", "w"], "weights.csv:3", '"w"', "negative", "-3"],
  ["a missing value", ["fit", "missing.csv"], "missing.csv:3", '"y"', "1 row", "--missing drop"],
  [
    "--columns that repeats a name",
    ["fit", "good.csv", "--columns", "x,y,x"],
    "--columns",
    '"x"',
    "more than once",
  ],
  [
    "a repeated --columns that repeats a name",
    ["fit", "good.csv", "--columns", "x", "--columns", "x"],
    '"x"',
  ],
  ["an empty name", ["fit", "good.csv", "--columns", "x,,y"], "--columns", "empty name"],
  [
    "a column with two parts to play",
    ["fit", "good.csv", "--columns", "x,y", "--weights", "y"],
    '"y"',
    "--weights",
  ],
  [
    "a method that does not exist",
    ["fit", "good.csv", "--method", "newtn"],
    "--method",
    '"newtn"',
    "did you mean newton",
  ],
  [
    "--ddof 1 with an iterative method",
    ["fit", "good.csv", "--method", "lbfgs", "--ddof", "1"],
    "--ddof 1",
    "lbfgs",
  ],
  ["--ddof 2", ["fit", "good.csv", "--ddof", "2"], "--ddof", '"2"'],
  ["a negative tolerance", ["fit", "good.csv", "--tolerance", "-1"], "--tolerance", '"-1"'],
  ["a tolerance in words", ["fit", "good.csv", "--tolerance", "small"], "--tolerance", '"small"'],
  ["half an iteration", ["fit", "good.csv", "--max-iterations", "0.5"], "--max-iterations", '"0.5"'],
  ["no thread", ["fit", "good.csv", "--threads", "0"], "--threads", '"0"'],
  [
    "threads for an engine without",
    ["fit", "good.csv", "--engine", "reference", "--threads", "2"],
    "--threads",
  ],
  ["an engine that does not exist", ["fit", "good.csv", "--engine", "wasn"], "--engine", "did you mean wasm"],
  ["a start for the closed form", ["fit", "good.csv", "--init", "identity"], "--init", "closed-form"],
  [
    "a start file that is not there",
    ["fit", "good.csv", "--method", "newton", "--init", "no.json"],
    "no.json",
  ],
  [
    "a start file that is not JSON",
    ["fit", "good.csv", "--method", "newton", "--init", "broken.json"],
    "broken.json",
  ],
  [
    "a start of other size",
    ["fit", "good.csv", "--method", "newton", "--init", "start.json"],
    "start.json",
    "2 numbers",
  ],
  ["standard input without its format", ["fit", "-"], "--format"],
  ["a format without standard input", ["fit", "good.csv", "--format", "csv"], "--format"],
  ["an option given twice", ["fit", "good.csv", "--method", "cg", "--method", "bb"], "--method", "once"],
  ["an option without its value", ["fit", "good.csv", "--weights"], "weights", "needs a value"],
  ["an unknown option", ["fit", "good.csv", "--colums", "x"], "--colums", "did you mean --columns"],
  ["an unknown flag before the file", ["fit", "--strickt", "good.csv"], "--strickt", "did you mean --strict"],
  ["an unknown command", ["fiit", "good.csv"], '"fiit"', "did you mean fit"],
  ["no command", [], "--help"],
  [
    "an ending that cannot be written",
    ["fit", "good.csv", "-o", "fits.xlsx"],
    "fits.xlsx",
    ".ndjson",
    ".parquet",
  ],
  ["a folder that is not there", ["fit", "good.csv", "-o", "no/fits.csv"], "no/fits.csv", "no folder"],
  ["an output that is the input", ["fit", "good.csv", "-o", "good.csv"], "good.csv", "files to read"],
  [
    "names that would stand twice in CSV",
    ["fit", "n.csv", "--group-by", "n", "-o", "fits.csv"],
    'two columns "n"',
  ],
  [
    "names that would stand twice in Parquet",
    ["fit", "n.csv", "--group-by", "n", "-o", "fits.parquet"],
    'two columns "n"',
  ],
  ["rows that go down", ["simulate", "--rows", "9..3"], "--rows", '"9..3"'],
  ["a condition below 1", ["simulate", "--condition", "0.5"], "--condition", '"0.5"'],
  ["truth in another format", ["simulate", "--truth", "truth.csv"], "truth.csv", ".json"],
  ["a file where none is read", ["engines", "good.csv"], "good.csv"],
];

describe("a wrong call or wrong input", () => {
  it.concurrent.each(REFUSED)("%s", async (_title, words, ...parts) => {
    const writes = words[0] === "fit" && !words.includes("-o") ? ["-o", "out.csv"] : [];
    const { code, stdout, stderr } = await mvnfit([...words, ...writes], { folder: folder.path });
    for (const part of parts) expect(stderr).toMatch(part);
    expect(stderr).toMatch(/^error: .+/m);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("leaves no file behind", async () => {
    expect(await folder.added()).toEqual([]);
  });

  it("an output that is the input by another name", async () => {
    await symlink(folder.file("good.csv"), folder.file("link.csv"));
    const { code, stderr } = await mvnfit(["fit", "good.csv", "-o", "link.csv"], { folder: folder.path });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("files to read") });
  });
});
