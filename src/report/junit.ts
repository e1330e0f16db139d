import type { Verification } from "../verification.js";
import { discrepancy, failure, type GroupNames, outcomeOf, titleOf } from "./verification.js";

/** One line of a JUnit report. */
interface TestCase {
  readonly name: string;
  readonly trouble?: {
    readonly kind: "failure" | "error" | "skipped";
    readonly message: string;
    readonly text?: string;
  };
}

/**
 * A JUnit report with a test case for each check, as CI systems read it.
 *
 * Source: the format has no standard; this is the part that Jenkins, GitLab and GitHub's actions agree on.
 */
export function verificationJunit(verification: Verification, names?: GroupNames): string {
  const cases = verification.checks.map((check): TestCase => {
    const name = titleOf(check);
    const outcome = outcomeOf(check);
    if (outcome === "passed") return { name };
    if (outcome === "not compared") {
      const compared = verification.checks.some((one) => one.equation === check.equation && one.groups > 0);
      return {
        name,
        trouble: { kind: compared ? "skipped" : "failure", message: "no group could be compared" },
      };
    }
    const text = check.worst ? discrepancy(check, check.worst, names) : "";
    return { name, trouble: { kind: "failure", message: failure(check, names), text } };
  });
  return junit(verification.subject, cases);
}

/** The report where a user's gradient gave nothing to compare. */
export const brokenGradientJunit = (subject: string, message: string): string =>
  junit(subject, [{ name: "gradient()", trouble: { kind: "error", message } }]);

function junit(subject: string, cases: readonly TestCase[]): string {
  const count = (kind: string) => cases.filter(({ trouble }) => trouble?.kind === kind).length;
  const counts = `tests="${cases.length}" failures="${count("failure")}" errors="${count("error")}" skipped="${count("skipped")}"`;
  const lines = cases.map(({ name, trouble }) => {
    const open = `    <testcase classname="${escaped(`mvnfit.verify.${subject}`)}" name="${escaped(name)}"`;
    if (!trouble) return `${open}/>`;
    const { kind, message, text = "" } = trouble;
    return `${open}>\n      <${kind} message="${escaped(message)}">${escaped(text)}</${kind}>\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="mvnfit verify" ${counts}>`,
    `  <testsuite name="${escaped(subject)}" ${counts}>`,
    ...lines,
    "  </testsuite>",
    "</testsuites>\n",
  ].join("\n");
}

/** Text for XML 1.0, which has no place at all for most control characters. */
function escaped(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#10;",
  };
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/[&<>"\n]/g, (character) => entities[character]);
}
