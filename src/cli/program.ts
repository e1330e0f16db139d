import yargs, { type Argv, type CommandModule } from "yargs";
import { InputError } from "../errors.js";
import { packageVersion } from "../package.js";
import * as bench from "./commands/bench.js";
import * as engines from "./commands/engines.js";
import * as fit from "./commands/fit.js";
import * as setup from "./commands/setup.js";
import * as simulate from "./commands/simulate.js";
import * as verify from "./commands/verify.js";
import { type Arguments, suggestion } from "./words.js";

/** A command is a file: its words, its help, and a handler that loads what it needs when it runs. */
interface Command {
  readonly name: string;
  readonly command: string;
  readonly describe: string;
  builder(yargs: Argv): Argv;
  handler(words: Arguments): Promise<void>;
}

/** In yargs since version 17.6, not in its type declarations. */
interface Undeclared {
  usageConfiguration(settings: { readonly "hide-types": boolean }): void;
  getInternalMethods(): { getUsageInstance(): { cacheHelpMessage(): void } };
}

const COMMANDS: readonly Command[] = [fit, verify, bench, simulate, engines, setup];

/** The widest help that is still easy to read. */
const HELP_WIDTH = 100;

/** Runs the command that the words name. The exit code is in process.exitCode; what goes wrong is thrown. */
export async function runProgram(words: readonly string[]): Promise<void> {
  const program = yargs([...words])
    .scriptName("mvnfit")
    .usage(
      "$0 <command> [options]\n\nFits thousands of multivariate Gaussians at once: one per group of a table.",
    )
    .parserConfiguration({
      "camel-case-expansion": false,
      "dot-notation": false,
      "boolean-negation": false,
      "short-option-groups": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
    })
    .locale("en")
    .updateStrings({ "Not enough arguments following: %s": "option %s needs a value" })
    .wrap(Math.min(HELP_WIDTH, process.stdout.columns ?? 80))
    .version(packageVersion())
    .alias("help", "h")
    .epilogue("mvnfit <command> --help shows the options of a command, with examples.")
    .check(refuseUnknownCommand, false)
    .exitProcess(false)
    .fail(false);
  const undeclared = program as unknown as Undeclared;
  undeclared.usageConfiguration({ "hide-types": true });
  // Before a command runs, yargs lays out the whole help for a failure that it would report itself: 40 ms for nothing here.
  undeclared.getInternalMethods().getUsageInstance().cacheHelpMessage = () => {};
  for (const one of COMMANDS) program.command(one as unknown as CommandModule);
  await program.parseAsync();
}

/** What no command took: there is none, or none of that name. */
function refuseUnknownCommand(words: Arguments): true {
  if (words.help || words.version) return true;
  const [name] = words._ as string[];
  const names = COMMANDS.map((one) => one.name);
  const option = Object.keys(words).find((key) => !["_", "$0", "help", "h", "version"].includes(key));
  if (option !== undefined) throw new InputError(`unknown option --${option}; see mvnfit --help`);
  if (name === undefined) throw new InputError("no command given; see mvnfit --help");
  throw new InputError(`unknown command "${name}"${suggestion(name, names) || "; see mvnfit --help"}`);
}
