import { describe, expect, it } from "vitest";
import { ON_PROCESSOR } from "../support/processor.js";
import { folderWith, mvnfit } from "./command.js";

const folder = folderWith();

/** Long enough that every one of these calls is at work, and none near its end. */
const AT_WORK_MS = 1500;

const afterAWhile = (signal: NodeJS.Signals) => (child: { kill(signal: NodeJS.Signals): boolean }) => {
  setTimeout(() => child.kill(signal), AT_WORK_MS);
};

/** Work for minutes. */
const ENDLESS = ["--groups", "1000000", "--rows", "1000"];

describe("Ctrl-C", () => {
  it.each([
    ["simulated CSV", ["simulate", ...ENDLESS, "-o", "rows.csv"]],
    [
      "simulated Parquet, with the truth beside it",
      ["simulate", ...ENDLESS, "-o", "rows.parquet", "--truth", "truth.json"],
    ],
  ])("ends %s with 130 and leaves nothing", async (_title, words) => {
    const { code, stderr } = await mvnfit(words, { folder: folder.path, meanwhile: afterAWhile("SIGINT") });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "error: interrupted\n" });
    expect(await folder.added()).toEqual([]);
  });

  it.each([...new Set([ON_PROCESSOR, "wasm", "reference"])])(
    "ends a fit by %s with 130 and leaves nothing but what was there",
    async (engine) => {
      const rows = folder.file("rows.csv");
      await mvnfit(["simulate", "--groups", "20000", "--rows", "20", "--condition", "1e8", "-o", rows]);
      const endless = [
        "--method",
        "gradient-descent",
        "--tolerance",
        "1e-300",
        "--max-iterations",
        "1000000000",
      ];
      const { code, stdout } = await mvnfit(
        ["fit", "rows.csv", "--group-by", "group", "--engine", engine, ...endless, "-o", "fits.json"],
        { folder: folder.path, meanwhile: afterAWhile("SIGINT") },
      );
      expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
      expect(await folder.added()).toEqual(["rows.csv"]);
    },
  );

  it.each([
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("is answered by %s's own code, and nothing stays behind", async (signal, code) => {
    const words = ["simulate", ...ENDLESS, "-o", "other.parquet"];
    expect(await mvnfit(words, { folder: folder.path, meanwhile: afterAWhile(signal) })).toMatchObject({
      code,
    });
    expect(await folder.added()).toEqual(["rows.csv"]);
  });
});
