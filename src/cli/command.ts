// The command: its words and what they do, in the bundle that main.ts loads.
import { reportFailure } from "./failure.js";
import { runProgram } from "./program.js";
import { Terminal } from "./terminal.js";

// Whoever reads our output may stop before its end (mvnfit … | head): that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  await runProgram(process.argv.slice(2));
} catch (error) {
  process.exitCode = reportFailure(error, new Terminal(false));
}
