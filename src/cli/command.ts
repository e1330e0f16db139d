// The command: its words and what they do, in the bundle that main.ts loads.
import { openAhead } from "./ahead.js";
import { reportFailure } from "./failure.js";
import { runProgram } from "./program.js";
import { Terminal } from "./terminal.js";

// Whoever reads our output may stop before its end (mvnfit … | head): that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

const words = process.argv.slice(2);
const ahead = await openAhead(words);
try {
  await runProgram(words);
} catch (error) {
  process.exitCode = reportFailure(error, new Terminal(false));
} finally {
  await ahead?.close();
}
