import type { GroupValue } from "../io/rows.js";
import type { Verification } from "../verification.js";
import type { GroupNames } from "./verification.js";

/**
 * The JSON document `mvnfit/verify@1`. Numbers that JSON lacks are null. Where groups have names, `worst` also holds the `key` of its
 * group: one value for each group column.
 */
export function verificationJson(verification: Verification, names?: GroupNames): string {
  const checks = verification.checks.map((check) => {
    if (!check.worst || !names || names.columns.length === 0) return check;
    const key = names.key(check.worst.group);
    const named = Object.fromEntries(names.columns.map((column, i) => [column, plain(key[i])]));
    return { ...check, worst: { ...check.worst, key: named } };
  });
  return `${JSON.stringify({ ...verification, checks }, null, 2)}\n`;
}

/** Whole numbers beyond 2^53 have no place in JSON.stringify: they become text. */
const plain = (value: GroupValue) => (typeof value === "bigint" ? String(value) : value);
