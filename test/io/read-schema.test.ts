import { mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../support/files.js";
import { readAll, refusal } from "./rows.js";

const files = temporaryFolder();
const birds = files.write(
  "birds.csv",
  "species,bill_length,bill_depth,when\nAdelie,1,2,2024-01-01\nGentoo,3,4,2024-01-02\n",
);

describe("a call that does not fit the columns", () => {
  it.each([
    [{ columns: ["bil_length"] }, 'no column "bil_length"; did you mean "bill_length"?'],
    [{ groupBy: ["SPECIES"] }, 'no column "SPECIES"; did you mean "species"?'],
    [{ weights: "zzz" }, 'no column "zzz"; there are "species", "bill_length", "bill_depth", "when"'],
    [
      { columns: ["__proto__"] },
      'no column "__proto__"; there are "species", "bill_length", "bill_depth", "when"',
    ],
    [{ columns: ["species"] }, 'column "species" is VARCHAR (such as "Adelie"); variables must be numbers'],
    [{ columns: ["when"] }, 'column "when" is VARCHAR (such as "2024-01-01"); variables must be numbers'],
    [{ weights: "species" }, 'column "species" is VARCHAR (such as "Adelie"); weights must be numbers'],
    [
      { columns: ["bill_depth", "bill_depth"] },
      'column "bill_depth" is named twice as a variable; a column has one use',
    ],
    [
      { groupBy: ["species", "species"] },
      'column "species" is named twice as a group column; a column has one use',
    ],
    [
      { groupBy: ["bill_depth"], columns: ["bill_depth"] },
      'column "bill_depth" is named as a group column and as a variable; a column has one use',
    ],
    [
      { columns: ["bill_depth"], weights: "bill_depth" },
      'column "bill_depth" is named as a variable and as the weights; a column has one use',
    ],
    [
      { groupBy: ["bill_depth"], weights: "bill_length" },
      'no numeric column is left to be a variable: "species" is VARCHAR, "when" is VARCHAR',
    ],
    [{ columns: [] }, "name at least one column as a variable"],
  ])("%j", async (options, message) => {
    expect(await refusal(birds, options)).toBe(`${birds}: ${message}`);
  });

  it("because a name is there twice", async () => {
    const file = files.write("twice.csv", "x,y,x,g\n1,2,3,4\n");
    expect(await refusal(file)).toBe(`${file}: two columns are named "x"; rename one of them`);
    expect(await refusal(file, { columns: ["x"] })).toBe(
      `${file}: two columns are named "x"; rename one of them`,
    );
    expect((await readAll(file, { columns: ["y"], groupBy: ["g"] })).x).toEqual([[2]]);
  });

  it("because every column has another use", async () => {
    const file = files.write("used.csv", "g\n1\n");
    expect(await refusal(file, { groupBy: ["g"] })).toContain("every column has another use");
  });

  it("because a column that is mostly numbers has a bad cell", async () => {
    const file = files.write("mostly.csv", "x,y\n1,1\n2,oops\n3,3\n");
    expect(await refusal(file)).toContain(`${file}:3: column "y": expected a number, got "oops"`);
  });

  it("because a column that is mostly text is asked for", async () => {
    const file = files.write("hardly.csv", "x,y\n1,1\n2,oops\n3,no\n");
    expect((await readAll(file)).columns).toEqual(["x"]);
    expect(await refusal(file, { columns: ["y"] })).toContain(
      `${file}:3: column "y": expected a number, got "oops"`,
    );
  });
});

describe("files that are not there or do not fit together", () => {
  it("are named", async () => {
    mkdirSync(files.path("folder.csv"));
    expect(await refusal(files.path("nowhere.csv"))).toBe(`${files.path("nowhere.csv")}: no such file`);
    expect(await refusal(files.path("folder.csv"))).toBe(
      `${files.path("folder.csv")}: is a directory; name the files in it`,
    );
    const sheet = files.write("sheet.xlsx", "x");
    expect(await refusal(sheet)).toBe(
      `${sheet}: cannot tell the format by the name's ending; files that can be read end in .csv, .csv.gz, .tsv, .tsv.gz, .parquet`,
    );
    expect(await refusal([])).toBe("openRows: name at least one file");
  });

  it.each([
    ["g,x\na,1\n", 'no column "y", which {first} has'],
    ["g,x,y,z\na,1,2,3\n", 'column "z" is not in {first}'],
    ["g,x,y\na,1,k\n", 'column "y" is VARCHAR (such as "k"); variables must be numbers'],
  ])("for their schema are named with the column: %j", async (text, message) => {
    const first = files.write("first.csv", "g,x,y\na,1,2\n");
    const other = files.write("other.csv", text);
    expect(await refusal([first, other], { groupBy: ["g"] })).toBe(
      `${other}: ${message.replace("{first}", first)}`,
    );
  });

  it("for the type of a group column are named with both types", async () => {
    const first = await files.parquet("first.parquet", "SELECT 1 AS g, 1 AS x");
    const other = await files.parquet("other.parquet", "SELECT 'a' AS g, 1 AS x");
    expect(await refusal([first, other], { groupBy: ["g"] })).toBe(
      `${other}: column "g" is VARCHAR, but INTEGER in ${first}`,
    );
  });
});
