// What the conformance suite needs of a test runner, for machines that vitest is not carried to: declared in place of `vitest` when the
// suite is bundled (pack.mjs). Tests run one after the other.
import { deepStrictEqual, fail } from "node:assert/strict";
import { format } from "node:util";

type Work = () => unknown;

interface Suite {
  readonly name: string;
  readonly before: Work[];
  readonly after: Work[];
  readonly children: (Suite | Test)[];
}

interface Test {
  readonly name: string;
  readonly work: Work | undefined;
}

const top: Suite = { name: "", before: [], after: [], children: [] };
let open = top;

export function describe(name: string, declare: () => void): void {
  const [outer, suite] = [open, { name, before: [], after: [], children: [] }];
  outer.children.push(suite);
  open = suite;
  declare();
  open = outer;
}

type Cases = readonly unknown[];

const eachOf =
  (declare: (name: string, work: Work) => void) =>
  (cases: Cases) =>
  (name: string, work: (...values: never[]) => unknown): void => {
    for (const one of cases) {
      const values = Array.isArray(one) ? one : [one];
      const slots = name.match(/%[sid]/g)?.length ?? 0;
      declare(format(name, ...values.slice(0, slots)), () => work(...(values as never[])));
    }
  };

export function it(name: string, work: Work): void {
  open.children.push({ name, work });
}
it.each = eachOf(it);
it.skip = (name: string, _work?: Work): void => void open.children.push({ name, work: undefined });
it.runIf = (holds: boolean) => (holds ? it : it.skip);
describe.runIf = (holds: boolean) => (holds ? describe : it.skip);
describe.each = eachOf((name, work) => describe(name, () => void work()));

export const beforeAll = (work: Work): void => void open.before.push(work);
export const afterAll = (work: Work): void => void open.after.push(work);

type Matchers = Readonly<Record<string, (...wanted: never[]) => void>>;

const matches = (holds: boolean, got: unknown, rule: string, wanted: unknown, note?: string): void => {
  if (!holds) fail(format("%sexpected %o %s %o", note ? `${note}: ` : "", got, rule, wanted));
};

/** Throws where the error is not of the class, or has not the message, that is wanted. */
function matchError(error: unknown, wanted?: unknown): void {
  if (typeof wanted === "function") matches(error instanceof wanted, error, "to be a", wanted.name);
  else if (wanted instanceof RegExp)
    matches(wanted.test((error as Error).message), error, "to match", wanted);
  else if (typeof wanted === "string")
    matches((error as Error).message.includes(wanted), error, "to say", wanted);
}

function matchers(got: unknown, note?: string): Matchers {
  const number = got as number;
  return {
    toBe: (wanted) => matches(Object.is(got, wanted), got, "to be", wanted, note),
    toEqual: (wanted) => deepStrictEqual(got, wanted, note),
    toBeInstanceOf: (wanted: new () => unknown) =>
      matches(got instanceof wanted, got, "to be a", wanted.name, note),
    toContain: (wanted) => matches((got as unknown[]).includes(wanted), got, "to contain", wanted, note),
    toThrow: (wanted?: unknown) => {
      try {
        (got as () => unknown)();
      } catch (error) {
        return matchError(error, wanted);
      }
      fail("expected an error");
    },
    toMatch: (wanted: RegExp) => matches(wanted.test(String(got)), got, "to match", wanted, note),
    toBeCloseTo: (wanted: number, digits = 2) =>
      matches(Math.abs(number - wanted) < 10 ** -digits / 2, got, "to be close to", wanted, note),
    toBeGreaterThan: (wanted: number) => matches(number > wanted, got, ">", wanted, note),
    toBeGreaterThanOrEqual: (wanted: number) => matches(number >= wanted, got, "≥", wanted, note),
    toBeLessThan: (wanted: number) => matches(number < wanted, got, "<", wanted, note),
    toBeLessThanOrEqual: (wanted: number) => matches(number <= wanted, got, "≤", wanted, note),
  };
}

export function expect(got: unknown, note?: string) {
  const rejection = async (): Promise<unknown> => {
    const outcome = await Promise.allSettled([got]);
    if (outcome[0].status === "rejected") return outcome[0].reason;
    return fail("expected a rejection");
  };
  const not = Object.fromEntries(
    Object.entries(matchers(got, note)).map(([name, match]) => [
      name,
      (wanted: never) => {
        let held = true;
        try {
          match(wanted);
        } catch {
          held = false;
        }
        if (held) fail(format("expected %o not %s %o", got, name, wanted));
      },
    ]),
  );
  const rejects = {
    toThrow: async (wanted?: unknown) => matchError(await rejection(), wanted),
    toBe: async (wanted: unknown) =>
      matches(Object.is(await rejection(), wanted), got, "to reject with", wanted),
  };
  return { ...matchers(got, note), not, rejects };
}
expect.fail = (message: string): never => fail(message);

/** Runs what was declared; the names of tests that failed, with their messages. */
export async function run(): Promise<{ passed: number; skipped: string[]; failed: string[] }> {
  const tally = { passed: 0, skipped: [] as string[], failed: [] as string[] };
  const visit = async (suite: Suite, path: string): Promise<void> => {
    for (const work of suite.before) await work();
    for (const child of suite.children) {
      const name = path === "" ? child.name : `${path} › ${child.name}`;
      if ("children" in child) await visit(child, name);
      else if (!child.work) tally.skipped.push(name);
      else {
        try {
          await child.work();
          tally.passed++;
        } catch (error) {
          tally.failed.push(`${name}: ${(error as Error).message}`);
        }
      }
    }
    for (const work of suite.after) await work();
  };
  await visit(top, "");
  return tally;
}
