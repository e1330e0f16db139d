import { InputError } from "../../errors.js";
import { nearest } from "../../nearest.js";
import type { ReadOptions } from "../rows.js";
import type { Selection, Table, TableColumn } from "./table.js";

/** Longest list of column names in a message. */
const LISTED_NAMES = 12;

/**
 * Which columns of a file are read as what.
 *
 * @throws InputError for a name that is not there, twice there or named twice, or of a type that cannot be used so
 */
export function select(table: Table, options: ReadOptions): Selection {
  requireNamedOnce(table, options);
  const groupBy = options.groupBy.map((name) => positionOf(table, name));
  for (const i of groupBy) requireKey(table, table.columns[i]);
  const weights = options.weights === undefined ? undefined : positionOf(table, options.weights);
  if (weights !== undefined) requireNumbers(table, table.columns[weights], "weights");
  if (options.columns === undefined) {
    return { groupBy, weights, variables: defaultVariables(table, [...groupBy, weights]) };
  }
  if (options.columns.length === 0)
    throw new InputError(`${table.file}: name at least one column as a variable`);
  const variables = options.columns.map((name) => positionOf(table, name));
  for (const i of variables) requireNumbers(table, table.columns[i], "variables");
  return { groupBy, weights, variables };
}

/**
 * The same columns in another file, where they may stand in another order.
 *
 * @throws InputError where the files have different columns, or a column that is read has another kind of values
 */
export function selectSame(table: Table, first: Table, selection: Selection): Selection {
  const names = new Set(first.columns.map((one) => one.name));
  for (const { name } of first.columns) {
    if (!table.columns.some((one) => one.name === name)) {
      throw new InputError(`${table.file}: no column "${name}", which ${first.file} has`);
    }
  }
  for (const { name } of table.columns) {
    if (!names.has(name)) throw new InputError(`${table.file}: column "${name}" is not in ${first.file}`);
  }
  const here = (i: number) => positionOf(table, first.columns[i].name);
  const same: Selection = {
    groupBy: selection.groupBy.map(here),
    variables: selection.variables.map(here),
    weights: selection.weights === undefined ? undefined : here(selection.weights),
  };
  if (table.empty) return same;
  same.groupBy.forEach((i, j) => {
    const [one, other] = [table.columns[i], first.columns[selection.groupBy[j]]];
    if (one.key?.type !== other.key?.type) {
      throw new InputError(
        `${table.file}: column "${one.name}" is ${one.type}, but ${other.type} in ${first.file}`,
      );
    }
  });
  for (const i of same.variables) requireNumbers(table, table.columns[i], "variables");
  if (same.weights !== undefined) requireNumbers(table, table.columns[same.weights], "weights");
  return same;
}

function requireNamedOnce(table: Table, options: ReadOptions): void {
  const uses = new Map<string, string>();
  const named = [
    ...options.groupBy.map((name) => [name, "a group column"] as const),
    ...(options.columns ?? []).map((name) => [name, "a variable"] as const),
    ...(options.weights === undefined ? [] : [[options.weights, "the weights"] as const]),
  ];
  for (const [name, use] of named) {
    const other = uses.get(name);
    if (other !== undefined) {
      const twice = other === use ? `named twice as ${use}` : `named as ${other} and as ${use}`;
      throw new InputError(`${table.file}: column "${name}" is ${twice}; a column has one use`);
    }
    uses.set(name, use);
  }
}

function positionOf(table: Table, name: string): number {
  const position = table.columns.findIndex((one) => one.name === name);
  if (position < 0) throw new InputError(`${table.file}: no column "${name}"; ${instead(table, name)}`);
  if (table.columns.some((one, i) => one.name === name && i > position)) {
    throw new InputError(`${table.file}: two columns are named "${name}"; rename one of them`);
  }
  return position;
}

function instead(table: Table, name: string): string {
  const names = table.columns.map((one) => one.name);
  const near = nearest(name, names);
  if (near !== undefined) return `did you mean "${near}"?`;
  const listed = names.slice(0, LISTED_NAMES).map((one) => `"${one}"`);
  const more = names.length > LISTED_NAMES ? ` and ${names.length - LISTED_NAMES} more` : "";
  return `there are ${listed.join(", ")}${more}`;
}

function requireNumbers(table: Table, { name, type, readable, example }: TableColumn, use: string): void {
  if (readable) return;
  const such = example === undefined ? "" : ` (such as "${example}")`;
  throw new InputError(`${table.file}: column "${name}" is ${type}${such}; ${use} must be numbers`);
}

function requireKey(table: Table, { name, type, key }: TableColumn): void {
  if (key) return;
  throw new InputError(
    `${table.file}: column "${name}" is ${type}, which cannot name a group; use one of text, numbers, dates or booleans`,
  );
}

function defaultVariables(table: Table, used: readonly (number | undefined)[]): number[] {
  const free = table.columns.map((_, i) => i).filter((i) => !used.includes(i));
  const variables = free.filter((i) => table.columns[i].numeric);
  for (const i of variables) positionOf(table, table.columns[i].name);
  if (variables.length > 0) return variables;
  const types = free
    .slice(0, LISTED_NAMES)
    .map((i) => `"${table.columns[i].name}" is ${table.columns[i].type}`);
  const why = types.length === 0 ? "every column has another use" : types.join(", ");
  throw new InputError(`${table.file}: no numeric column is left to be a variable: ${why}`);
}
