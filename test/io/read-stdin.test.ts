import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { spool } from "../../src/io/read/stdin.js";
import { openRows } from "../../src/io/read.js";
import type { RowFormat } from "../../src/io/rows.js";
import { temporaryFolder } from "../support/files.js";
import { READ, readAll, refusal } from "./rows.js";

const files = temporaryFolder();

// A place for temporary files that other tests do not use meanwhile.
const ownTmp = mkdtempSync(join(tmpdir(), "mvnfit-stdin-"));
const usualTmp = process.env.TMPDIR;
process.env.TMPDIR = ownTmp;
afterAll(() => {
  if (usualTmp === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usualTmp;
  rmSync(ownTmp, { recursive: true, force: true });
});

const spools = () => readdirSync(tmpdir()).filter((name) => name.startsWith("mvnfit-spool-"));

function pipeIn(...chunks: (string | Uint8Array)[]) {
  vi.spyOn(process, "stdin", "get").mockReturnValue(
    Readable.from(chunks.map((chunk) => Buffer.from(chunk))) as never,
  );
}

afterEach(() => vi.restoreAllMocks());

describe("standard input", () => {
  it.each<[RowFormat, string | Uint8Array]>([
    ["csv", "g,x\na,1\n"],
    ["csv", gzipSync("g,x\na,1\n")],
    ["tsv", "g\tx\na\t1\n"],
  ])("is read as %s, packed or not, and leaves nothing behind", async (format, content) => {
    const before = spools();
    pipeIn(content);
    expect(await readAll("-", { format, groupBy: ["g"] })).toMatchObject({ x: [[1]], keys: [["a"]] });
    expect(spools()).toEqual(before);
  });

  it("is read as Parquet", async () => {
    const { readFileSync } = await import("node:fs");
    pipeIn(readFileSync(await files.parquet("piped.parquet", "SELECT 1 AS x")));
    expect((await readAll("-", { format: "parquet" })).x).toEqual([[1]]);
  });

  it("is one of several files", async () => {
    pipeIn("x\n", "1\n");
    expect((await readAll([files.write("more.csv", "x\n2\n"), "-"], { format: "csv" })).x).toEqual([
      [2],
      [1],
    ]);
  });

  it("is refused without a format, empty, or twice", async () => {
    const before = spools();
    expect(await refusal("-")).toBe("openRows: standard input (-) needs a format: csv or tsv or parquet");
    pipeIn();
    expect(await refusal("-", { format: "csv" })).toBe("standard input: is empty");
    expect(await refusal(["-", "-"], { format: "csv" })).toBe(
      'openRows: "-" (standard input) can be named once only',
    );
    pipeIn("x\n1\nk\n");
    expect(await refusal("-", { format: "csv" })).toContain(
      'standard input:3: column "x": expected a number, got "k"',
    );
    expect(spools()).toEqual(before);
  });

  it("leaves nothing behind when it ends in the middle", async () => {
    const before = spools();
    const failing = Readable.from(
      (async function* () {
        yield Buffer.from("x\n1\n");
        throw new Error("the pipe broke");
      })(),
    );
    await expect(spool(failing, undefined)).rejects.toThrow("the pipe broke");
    const abort = new AbortController();
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          yield Buffer.from("1\n");
          abort.abort(new Error("enough"));
        }
      })(),
    );
    await expect(spool(endless, abort.signal)).rejects.toThrow("enough");
    expect(spools()).toEqual(before);
  });

  it.skipIf(process.platform === "win32")("may be a pipe with a name", async () => {
    execFileSync("mkfifo", [files.path("pipe.csv")]);
    const { writeFile } = await import("node:fs/promises");
    const writing = writeFile(files.path("pipe.csv"), "x\n1\n2\n");
    expect((await readAll(files.path("pipe.csv"))).x).toEqual([[1], [2]]);
    await writing;
  });
});

describe("reading that is ended", () => {
  it("before it begins opens nothing", async () => {
    const signal = AbortSignal.abort(new Error("too late"));
    await expect(openRows([files.write("x.csv", "x\n1\n")], { ...READ, signal })).rejects.toThrow("too late");
  });

  it.each(["csv", "parquet"])("in the middle rejects with the signal's reason (%s)", async (format) => {
    const query = "SELECT i AS g, random() AS x FROM range(400000) t(i)";
    const parquet = await files.parquet("ended.parquet", query);
    const rows = Array.from({ length: 400_000 }, (_, i) => `${i},${i / 3}\n`);
    const file = format === "csv" ? files.write("ended.csv", `g,x\n${rows.join("")}`) : parquet;
    const abort = new AbortController();
    const source = await openRows([file], { ...READ, signal: abort.signal });
    const reading = (async () => {
      for await (const block of source.blocks()) if (block.rows > 0) abort.abort(new Error("enough"));
    })();
    await expect(reading).rejects.toThrow("enough");
    await source.close();
    await source.close();
  });

  it("by close in the middle, or before a row is read, does not hang", async () => {
    const file = await files.parquet("left.parquet", "SELECT random() AS x FROM range(400000)");
    const unread = await openRows([file], READ);
    await unread.close();
    const source = await openRows([file], READ);
    for await (const block of source.blocks()) if (block.rows > 0) break;
    await source.close();
    const begun = await openRows([file], READ);
    await begun.blocks()[Symbol.asyncIterator]().next();
    await begun.close();
  });
});
