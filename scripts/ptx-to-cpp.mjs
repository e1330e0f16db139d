// Turns the PTX of a kernel into C++ that does the same on a CPU, instruction by instruction: for tests of what nvcc made of the kernels.
// What C++ has no word for, and what lanes do together, is in kernels/native/ptx/lane.hpp. An instruction that is not known here is an error.
// Meanings are those of NVIDIA's manual, "Parallel Thread Execution ISA".
import { topLevelOf } from "./ptx.mjs";

/** PTX's types → those of lane.hpp. */
const TYPE = {
  ...{ u8: "u8", s8: "i8", b8: "u8", u16: "u16", s16: "i16", b16: "u16", u32: "u32", s32: "i32", b32: "u32" },
  ...{ u64: "u64", s64: "i64", b64: "u64", f32: "f32", f64: "f64", pred: "bool" },
};
const WIDER = { u16: "u32", i16: "i32", u32: "u64", i32: "i64" };
const SPECIAL = {
  "%tid.x": "me.thread",
  "%ntid.x": "me.threads",
  "%ctaid.x": "me.block",
  "%nctaid.x": "me.blocks",
};
const OPERATOR = { add: "+", sub: "-", and: "&", or: "|", xor: "^", div: "/", rem: "%" };
const COMPARISON = { eq: "==", ne: "!=", lt: "<", le: "<=", gt: ">", ge: ">=" };
/** True too where one side is NaN: what is not so, then. */
const OPPOSITE = { neu: "==", ltu: ">=", leu: ">", gtu: "<=", geu: "<" };
const CALLED = {
  ...{ sqrt: "root", abs: "absolute", min: "least", max: "greatest", fma: "fused" },
  ...{ shl: "shiftLeft", shr: "shiftRight", bfi: "insertBits" },
};

const unsigned = (type) => type.replace(/^i/, "u");
const isFloat = (register) => /^%fd?\d+$/.test(register);
/** `%r1|%p2, {%fd1, %fd2}, [%rd3+8], 5` → its operands, braces whole. */
const operandsOf = (text) => text.match(/\{[^}]*\}|\[[^\]]*\]|[^,\s]+/g) ?? [];
const itemsOf = (vector) =>
  vector
    .slice(1, -1)
    .split(",")
    .map((one) => one.trim());

/** C++ of one function's body. */
class Body {
  lines = [];
  #symbols;

  /** @param symbols name → C++ of the address, of variables and parameters */
  constructor(symbols) {
    this.#symbols = new Map(symbols);
  }

  statement(words) {
    if (words === "{" || words === "}") this.#put(words);
    else if (words.endsWith(":")) this.#put(`${words.replace("$", "")};`);
    else if (words.startsWith(".")) this.#declare(words.replace(/\s+/g, " "));
    else {
      const [, guard, opcode, rest] = /^(?:@(!?%\w+)\s+)?([\w.]+)\s*(.*)$/s.exec(words);
      if (guard) this.#put(`if (${guard.replace(/%\w+/, (one) => this.#name(one))}) {`);
      this.#instruction(opcode, rest);
      if (guard) this.#put("}");
    }
  }

  #put(line) {
    this.lines.push(line);
  }

  #set(target, expression) {
    this.#put(`${this.#name(target)} = ${expression};`);
  }

  #declare(words) {
    const [, kind, type, name, count] =
      /^\.(\w+)(?: \.align \d+)? \.(\w+) %?([\w$]+)(?:[<[](\d*)[>\]])?$/.exec(words) ?? [];
    if (kind === "reg") {
      this.#put(count ? `${TYPE[type]} ${name}_[${count}];` : `${TYPE[type]} ${name};`);
    } else if (kind === "local" || kind === "param") {
      this.#put(`alignas(16) char ${name}[${count ?? 8}];`);
      this.#symbols.set(name, `u64(${name})`);
    } else throw new Error(`unknown: ${words}`);
  }

  #name(operand) {
    const [, family, number] = /^%([a-z]+)(\d+)$/.exec(operand) ?? [];
    if (family) return `${family}_[${number}]`;
    return SPECIAL[operand] ?? operand.replace("%", "");
  }

  /** The operand as a value of the type. */
  #value(operand, type) {
    const [, double] = /^0d(\w{16})$/.exec(operand) ?? [];
    if (double) return `as<f64>(u64(0x${double}))`;
    const [, single] = /^0f(\w{8})$/.exec(operand) ?? [];
    if (single) return `as<f32>(u32(0x${single}))`;
    if (/^-?\d+$/.test(operand)) return `${type}(${operand}ll)`;
    return `${type}(${this.#symbols.get(operand) ?? this.#name(operand)})`;
  }

  /** Where a memory operand is. Shared addresses count from the beginning of the block's memory. */
  #address(operand, isShared) {
    const [base, offset = "0"] = operand.slice(1, -1).split("+");
    return `${this.#value(base, isShared ? "u32" : "u64")} + i64(${offset})`;
  }

  #instruction(opcode, rest) {
    const parts = opcode.split(".");
    const [kind] = parts;
    const type = TYPE[parts.at(-1)];
    const operands = operandsOf(rest);
    const [to, ...from] = operands;
    const values = (as = type) => from.map((one) => this.#value(one, as));
    if (kind === "bra") this.#put(`goto ${to.replace("$", "")};`);
    else if (kind === "ret") this.#put("return;");
    else if (kind === "call") this.#call(rest);
    else if (kind === "ld" || kind === "st") this.#transfer(kind, parts, operands);
    else if (kind === "mov") this.#move(type, to, from[0]);
    else if (kind === "cvta") this.#convertAddress(parts, to, this.#value(from[0], "u64"));
    else if (kind === "cvt") this.#convert(parts, to, from[0]);
    else if (kind === "setp") this.#set(to, comparison(parts[1], values()));
    else if (kind === "selp") this.#set(to, `${this.#name(from[2])} ? ${values()[0]} : ${values()[1]}`);
    else if (kind === "mul" || kind === "mad") this.#multiply(parts, to, from);
    else if (kind in OPERATOR) {
      // Whole numbers wrap around, but are divided with their sign.
      this.#set(to, values(kind === "div" || kind === "rem" ? type : unsigned(type)).join(OPERATOR[kind]));
    } else if (kind === "rcp")
      this.#set(to, parts[1] === "approx" ? `roughReciprocal(${values()})` : `1 / ${values()}`);
    else if (kind === "neg")
      this.#set(to, type.startsWith("f") ? `-${values()}` : `0 - ${values(unsigned(type))}`);
    else if (kind === "not") this.#set(to, type === "bool" ? `!${values()}` : `~${values()}`);
    else if (kind in CALLED) this.#set(to, `${CALLED[kind]}(${values()})`);
    else if (kind === "shfl")
      this.#set(to.split("|")[0], `me.shuffle<Shuffle::${parts[2]}>(${values("u32")})`);
    else if (kind === "bar")
      this.#put(parts[1] === "warp" ? `me.meetWarp(${this.#value(to, "u32")});` : "me.meetBlock();");
    else if (kind === "mma") this.#multiplyMatrices(...operands.map(itemsOf));
    else if (kind === "cp") this.#copy(parts[2], operands);
    else throw new Error(`unknown instruction: ${opcode}`);
  }

  #call(rest) {
    const [, result, name, list] = /^(?:\((\w+)\),)?\s*([\w$]+),\s*\(([^)]*)\)$/s.exec(rest);
    this.#put(`${name}(${["me", ...(result ? [result] : []), ...operandsOf(list)].join(", ")});`);
  }

  #transfer(kind, parts, operands) {
    const type = TYPE[parts.at(-1)];
    const [memory, registers] = kind === "ld" ? [operands[1], operands[0]] : operands;
    const items = registers.startsWith("{") ? itemsOf(registers) : [registers];
    const isShared = parts.includes("shared");
    const bytes = `${items.length} * sizeof(${type})`;
    const reach = `me.${isShared ? "shared" : "reach"}(${this.#address(memory, isShared)}, ${bytes})`;
    this.#put(`{ char* const at = ${reach};`); // what is loaded may be the register that it is told by
    for (const [i, one] of items.entries()) {
      if (kind === "ld") this.#set(one, `load<${type}>(at, ${i})`);
      else this.#put(`store<${type}>(at, ${i}, ${this.#value(one, type)});`);
    }
    this.#put("}");
  }

  /** Between registers of floats and of words the bits stay what they are. */
  #move(type, to, from) {
    const words = (as) => (isFloat(from) ? `bits(${this.#name(from)})` : this.#value(from, as));
    const kept = (as, value) =>
      isFloat(to) && as.startsWith("u") ? `as<${as.replace("u", "f")}>(${value})` : value;
    if (to.startsWith("{")) {
      const [low, high] = itemsOf(to);
      this.#set(low, `u32(${words("u64")})`);
      this.#set(high, `u32(${words("u64")} >> 32)`);
    } else if (from.startsWith("{")) {
      const [low, high] = itemsOf(from).map((one) => this.#value(one, "u64"));
      this.#set(to, kept("u64", `(${low} | ${high} << 32)`));
    } else if (type === "bool") {
      this.#set(to, from.startsWith("%") ? this.#name(from) : `${from} != 0`);
    } else {
      this.#set(to, type.startsWith("u") ? kept(type, words(type)) : this.#value(from, type));
    }
  }

  /** Global and local addresses are what they are. */
  #convertAddress(parts, to, value) {
    if (!parts.includes("shared")) this.#set(to, value);
    else this.#set(to, parts[1] === "to" ? `me.sharedPlace(${value})` : `me.sharedAddress(u32(${value}))`);
  }

  #convert(parts, to, from) {
    const [target, source] = parts.slice(-2).map((one) => TYPE[one]);
    const value = this.#value(from, source);
    this.#set(to, parts[1] === "rzi" ? `toWhole(${value})` : `${target}(${value})`);
  }

  #multiply([kind, how, ...more], to, from) {
    const type = TYPE[more.at(-1) ?? how];
    const [a, b, c] = from.map((one) => this.#value(one, how === "lo" ? unsigned(type) : type));
    const wide = WIDER[type];
    if (how === "wide") this.#set(to, `${wide}(${a}) * ${wide}(${b})`);
    else if (how === "hi") this.#set(to, `(${wide}(${a}) * ${wide}(${b})) >> 32`);
    else this.#set(to, `${a} * ${b}${kind === "mad" ? ` + ${c}` : ""}`);
  }

  #multiplyMatrices(result, a, [b], c) {
    const list = (items) => `{${items.map((one) => this.#name(one))}}`;
    this.#put(`{ const f64 a[] = ${list(a)}; f64 c[] = ${list(c)};`);
    this.#put(`me.multiply<${a.length}>(a, ${this.#name(b)}, c);`);
    for (const [i, one] of result.entries()) this.#set(one, `c[${i}]`);
    this.#put("}");
  }

  #copy(what, [to, from, , bytes = "16"]) {
    if (what === "commit_group") this.#put("me.closeCopies();");
    else if (what === "wait_group") this.#put(`me.waitForCopies(${to});`);
    else {
      const [target, source] = [this.#address(to, true), this.#address(from, false)];
      this.#put(`me.copyAhead(${target}, ${source}, ${this.#value(bytes, "u32")});`);
    }
  }
}

function comparison(how, [a, b]) {
  return how in OPPOSITE ? `!(${a} ${OPPOSITE[how]} ${b})` : `${a} ${COMPARISON[how]} ${b}`;
}

/** Statements of a function's body: without `;`, with the `:` of a label, or a brace by itself. */
function* statementsOf(body) {
  let from = 0;
  let depth = 0; // of braces within a statement, which hold a vector
  for (let at = 0; at < body.length; at++) {
    const mark = body[at];
    const before = body.slice(from, at).trim();
    if (/[{}]/.test(mark) && before === "") yield mark;
    else if (mark === ";" || (mark === ":" && depth === 0)) yield before + (mark === ":" ? ":" : "");
    else {
      if (mark === "{") depth++;
      if (mark === "}") depth--;
      continue;
    }
    from = at + 1;
  }
}

const SHARED = /\.shared(?: \.align (\d+))? \.b8\s+([\w$]+)\[(\d*)\];/g;

/** Places of variables in shared memory: the kernel's own, and behind them what a launch asks for. None has the place 0. */
function sharedPlaces(text) {
  const places = new Map();
  let end = 64;
  const aligned = (alignment) => Math.ceil(end / alignment) * alignment;
  for (const [, alignment = 1, name, size] of text.matchAll(SHARED)) {
    if (size === "" || places.has(name)) continue;
    places.set(name, aligned(alignment));
    end = places.get(name) + Number(size);
  }
  end = aligned(128);
  for (const [, , name, size] of text.matchAll(SHARED)) if (size === "") places.set(name, end);
  return { symbols: [...places].map(([name, place]) => [name, `u32(${place})`]), end };
}

const FUNCTION =
  /\.(entry|func)\s+(?:\(\s*\.param[^)]*?\s([\w$]+)(?:\[\d+\])?\s*\)\s*)?([\w$]+)\s*\(([^)]*)\)[^{;]*([{;])/;

/**
 * C++ of the one kernel in the PTX. It exports `int <symbol>(arguments, grid, threads, dynamicBytes, memory)`, which is playBlocks() of lane.hpp for it.
 *
 * @throws Error where there is an instruction that is not known here
 */
export function cppOf(ptx, symbol) {
  const text = ptx.replace(/\/\/.*$/gm, "").replace(/\.pragma\s+"[^"]*";/g, "");
  const { symbols, end } = sharedPlaces(text);
  const [declarations, bodies, entries] = [[], [], []];
  for (const { text: own } of topLevelOf(text)) {
    const found = FUNCTION.exec(own);
    if (!found) continue; // a variable
    const [head, kind, result, name, parameters, opening] = found;
    const names = [...parameters.matchAll(/([\w$]+)(?:\[\d+\])?\s*(?:,|$)/g)].map(([, one]) => one);
    const addresses = [...(result ? [result] : []), ...names];
    const signature = `void ${name}(${["Lane& me", ...addresses.map((one) => `char* ${one}`)].join(", ")})`;
    declarations.push(`${signature};`);
    if (kind === "entry") entries.push({ name, bytes: /\[(\d+)\]/.exec(parameters)[1] });
    if (opening === ";") continue;
    const body = new Body([...symbols, ...addresses.map((one) => [one, `u64(${one})`])]);
    for (const statement of statementsOf(own.slice(found.index + head.length, own.lastIndexOf("}"))))
      if (!statement.startsWith(".shared")) body.statement(statement);
    bodies.push(`${signature} {\n${body.lines.join("\n")}\n}`);
  }
  const [{ name, bytes }] = entries;
  const parameters =
    "const void* arguments, i64 grid, i64 threads, i64 dynamicBytes, const DeviceMemory& memory";
  return `#include "native/ptx/lane.hpp"
namespace {
${declarations.join("\n")}
${bodies.join("\n")}
}
extern "C" __attribute__((visibility("default"))) int ${symbol}(${parameters}) {
return playBlocks(${name}, arguments, ${bytes}, grid, threads, ${end}, dynamicBytes, memory);
}
`;
}
