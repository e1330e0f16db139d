import { readFile } from "node:fs/promises";
import { InputError } from "../../errors.js";
import type { StartValues } from "../../fit.js";
import type { GroupIndex, GroupValue } from "../../io/rows.js";

/** What a start file holds: one start for all groups, or one for each of its groups by name. */
export interface StartFile {
  /** The starts of these groups, in their order. */
  forGroups(groups: GroupIndex, groupBy: readonly string[]): StartValues;
}

interface Start {
  readonly mean: readonly number[];
  readonly factor: readonly number[];
}

/**
 * Reads `--init FILE`, a JSON file: either `{"mean": [d], "factor": [[d] × d]}` for every group, or a document with `groups`, each with
 * its `group`, `mean` and `factor`, as `mvnfit fit --json` and `mvnfit simulate --truth` write it. Λ need not be triangular.
 *
 * @throws InputError where the file cannot be read or does not fit the columns
 */
export async function readStart(path: string, columns: readonly string[]): Promise<StartFile> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new InputError(
      `${path}: cannot be read: ${error.code === "ENOENT" ? "there is no such file" : error.message}`,
    );
  });
  const document = parsed(path, text);
  if (Array.isArray(document.columns) && !sameNames(document.columns, columns)) {
    throw new InputError(
      `${path}: is about the columns ${document.columns.join(", ")}, but ${columns.join(", ")} are to be fitted`,
    );
  }
  if (!Array.isArray(document.groups)) {
    const start = startOf(path, document, columns.length);
    return { forGroups: () => start };
  }
  const byKey = new Map(document.groups.map((entry, i) => [keyOfObject(path, entry, i), entry]));
  return { forGroups: (groups, groupBy) => startsByName(path, byKey, groups, groupBy, columns.length) };
}

function startsByName(
  path: string,
  byKey: ReadonlyMap<string, Record<string, unknown>>,
  groups: GroupIndex,
  groupBy: readonly string[],
  d: number,
): StartValues {
  const mean = new Float64Array(groups.size * d);
  const factor = new Float64Array(groups.size * d * d);
  for (let g = 0; g < groups.size; g++) {
    const key = groups.key(g);
    const name = groupBy.map((column, i) => `${column}=${String(key[i])}`).join(", ");
    const entry = byKey.get(canonicalKey(groupBy.map((column, i) => [column, key[i]])));
    if (!entry) throw new InputError(`${path}: has no start for the group ${name}`);
    const start = startOf(`${path}: group ${name}`, entry, d);
    mean.set(start.mean, g * d);
    factor.set(start.factor, g * d * d);
  }
  return { mean, factor };
}

function startOf(place: string, entry: Readonly<Record<string, unknown>>, d: number): Start {
  const mean = numbers(entry.mean);
  const factor = numbers(entry.factor);
  if (mean?.length !== d) throw new InputError(`${place}: "mean" must be ${d} numbers, one a column`);
  if (factor?.length !== d * d) throw new InputError(`${place}: "factor" must be ${d} rows of ${d} numbers`);
  return { mean, factor };
}

/** A list of numbers, or of lists of numbers, as one list; undefined for anything else. */
function numbers(value: unknown): number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const flat = value.flat() as unknown[];
  return flat.every((one) => typeof one === "number" && Number.isFinite(one))
    ? (flat as number[])
    : undefined;
}

function parsed(path: string, text: string): Record<string, unknown> {
  try {
    const document: unknown = JSON.parse(text);
    if (isObject(document)) return document;
  } catch (error) {
    throw new InputError(`${path}: is not JSON: ${(error as Error).message}`);
  }
  throw new InputError(`${path}: must be a JSON object with "mean" and "factor", or with "groups"`);
}

function keyOfObject(path: string, entry: unknown, i: number): string {
  if (isObject(entry) && isObject(entry.group))
    return canonicalKey(Object.entries(entry.group) as [string, GroupValue][]);
  throw new InputError(`${path}: groups[${i}] must be an object with "group", "mean" and "factor"`);
}

/** The same text for the same columns with the same values, whatever the order and whether 1 was read as a number or a bigint. */
const canonicalKey = (entries: readonly (readonly [string, GroupValue])[]): string =>
  JSON.stringify(
    [...entries]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]),
  );

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const sameNames = (a: readonly unknown[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);
