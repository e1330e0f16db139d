import { counted, failure, type GroupNames, omissions, outcomeOf, short } from "../../report/verification.js";
import type { Check, Verification } from "../../verification.js";
import { layOut, printable } from "../layout.js";
import { type Style, styled } from "../terminal.js";

const STYLES: Readonly<Record<string, Style>> = { passed: "green", failed: "red", "not compared": "yellow" };

/** The report of `mvnfit verify`: a heading, a line for each check, what was left out, and each check that fails in a sentence. */
export function* reportPieces(
  verification: Verification,
  names: GroupNames | undefined,
  stream: NodeJS.WriteStream,
): Generator<string> {
  const { checks, passed } = verification;
  yield `${printable(heading(verification))}\n\n`;
  const column = (heading: string, cell: (check: Check) => string, left = false) => ({
    heading,
    cells: checks.map(cell),
    left,
  });
  const table = [
    column("equation", ({ equation }) => (equation === "J" ? "J" : `(${equation})`), true),
    column("against", ({ against }) => against, true),
    column("groups", ({ groups }) => groups.toLocaleString("en")),
    column("failed", ({ failed }) => failed.toLocaleString("en")),
    column("worst error", ({ worst }) => short(worst?.error ?? null)),
    column("tolerance", ({ tolerance }) => short(tolerance)),
    { ...column("outcome", outcomeOf, true), style: (cell: string) => STYLES[cell] },
  ];
  for (const line of layOut(table, stream)) yield `${line}\n`;
  const sentences = [
    ...omissions(verification),
    ...checks.filter((check) => outcomeOf(check) === "failed").map((check) => failure(check, names)),
  ];
  if (sentences.length > 0) yield "\n";
  for (const sentence of sentences) yield `${printable(sentence)}\n`;
  yield `\n${styled(stream, passed ? "green" : "red", passed ? "The gradients agree." : verdict(checks))}\n`;
}

function heading({ subject, groups, precision, places }: Verification): string {
  return `${subject}, ${precision}: ${counted(groups, "group")}, μ and Λ ${places.map((place) => (place === "given" ? "as given" : place === "random" ? "at random" : "at the optimum")).join(" and ")}`;
}

function verdict(checks: readonly Check[]): string {
  const failed = checks.filter((check) => outcomeOf(check) === "failed").length;
  return failed > 0
    ? `${failed} of ${counted(checks.length, "check")} failed.`
    : "An equation could be compared in no group at all.";
}
