/** Name of each kernel in PTX → a text of its own for it. */
export function textsOfEntries(ptx: string): Map<string, string>;
