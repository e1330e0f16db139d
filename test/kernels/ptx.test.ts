import { expect, it } from "vitest";
import { textsOfEntries } from "../../scripts/ptx.mjs";

const HEAD = ".version 6.3\n.target sm_75\n.address_size 64";
const SHARED = ".extern .shared .align 16 .b8 block[];";
const TABLE = ".global .align 8 .b8 table[2][4] = {\n1, 2, 3, 4, // }\n5, 6, 7, 8\n};";
const DECLARED = ".func  (.param .b64 value) inner\n(\n\t.param .b64 inner_param_0\n)\n;";
const INNER =
  ".func  (.param .b64 value) inner(\n\t.param .b64 inner_param_0\n)\n{\n\tmov.u64 %rd1, table;\n\tret;\n}";
const OUTER = ".func outer()\n{\n\t{ // call\n\tcall.uni (value), inner, (param0);\n\t}\n\tret;\n}";
const entry = (name: string, body: string): string =>
  `.visible .entry ${name}(\n\t.param .align 8 .b8 ${name}_param_0[8]\n)\n.maxntid 128, 1, 1\n.minnctapersm 2\n{\n${body}\n\tret;\n}`;
const CALLS = entry("calls", "\tcall.uni outer, ();");
const READS = entry("reads", "\tmov.u64 %rd1, block;\n\tst.shared.v2.f64 [%rd1], {%fd1, %fd2};");

const module = [HEAD, "// .globl calls", SHARED, TABLE, DECLARED, OUTER, CALLS, READS, INNER].join("\n\n");

it("PTX is cut into a text for each kernel, with all that it needs in its order and nothing else", () => {
  const texts = textsOfEntries(module);
  const lines = (...parts: string[]) => `${HEAD}\n\n${parts.join("\n")}\n`;
  expect([...texts.keys()]).toEqual(["calls", "reads"]);
  expect(texts.get("calls")).toBe(lines(TABLE, DECLARED, OUTER, CALLS, INNER));
  expect(texts.get("reads")).toBe(lines(SHARED, READS));
});

it("PTX that ends too early, or that declares what is not known, is refused", () => {
  expect(() => textsOfEntries(module.slice(0, -1))).toThrow(/PTX ends within a statement: \.func/);
  expect(() => textsOfEntries(`${HEAD}\n.func ();`)).toThrow(/declares nothing that is known: \.func/);
});
