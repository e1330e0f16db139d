// Cuts PTX as nvcc writes it into one text for each kernel, with what it calls and refers to: the driver compiles a text as a whole, and a
// call needs few kernels of it.

/** Lines that are whole in themselves and that every text begins with. */
const HEAD = /^\.(version|target|address_size)\b/;
const DECLARED = [
  /\.(?:entry|func)\s+(?:\([^)]*\)\s*)?([\w$]+)/, // behind what a function returns
  /([\w$]+)(?:\[\d*\])*\s*(?:=|;)/, // a variable, behind its type
];

/** Top-level statements of PTX: functions with their bodies, their declarations, and variables. */
export function topLevelOf(ptx) {
  const statements = [];
  let lines = [];
  let depth = 0;
  for (const line of ptx.split("\n")) {
    const code = line.replace(/\/\/.*$/, "").trim();
    if (HEAD.test(code) || (code === "" && lines.length === 0)) continue;
    lines.push(line);
    for (const mark of code.match(/[{}]/g) ?? []) depth += mark === "{" ? 1 : -1;
    if (depth === 0 && (code === "}" || code.endsWith(";"))) {
      statements.push(lines.join("\n"));
      lines = [];
    }
  }
  if (lines.length > 0) throw new Error(`PTX ends within a statement: ${lines[0]}`);
  return statements.map((text) => {
    const name = DECLARED.map((pattern) => pattern.exec(text)?.[1]).find(Boolean);
    if (!name) throw new Error(`PTX declares nothing that is known: ${text.split("\n")[0]}`);
    return { name, text, isEntry: /\.entry\s/.test(text) };
  });
}

/** Name of each kernel → its text. */
export function textsOfEntries(ptx) {
  const head = ptx.split("\n").filter((line) => HEAD.test(line));
  const statements = topLevelOf(ptx);
  const known = new Map(statements.map(({ name }) => [name, []]));
  for (const statement of statements) known.get(statement.name).push(statement); // its declaration, its body
  const neededBy = ({ name, text }, found = new Set()) => {
    found.add(name);
    for (const word of text.match(/[\w$]+/g)) {
      if (!found.has(word)) for (const one of known.get(word) ?? []) neededBy(one, found);
    }
    return found;
  };
  return new Map(
    statements
      .filter(({ isEntry }) => isEntry)
      .map((entry) => {
        const needed = neededBy(entry);
        const own = statements.filter(({ name }) => needed.has(name)).map(({ text }) => text);
        return [entry.name, `${[...head, "", ...own].join("\n")}\n`];
      }),
  );
}
