/*
 * The addon of @tensorflow/tfjs-node-gpu, built against the TensorFlow of a Python wheel. What the package would download by itself is
 * TensorFlow 2.9, for CUDA 11.2; a wheel brings a current one, and on request the CUDA libraries that go with it.
 *
 * All of it lies in one folder of mvnfit's own (engines/tensorflow/home.ts):
 *
 *     python-cpu/, python-gpu/   the wheels, unpacked by pip
 *     node_modules/              @tensorflow/tfjs-node-gpu, its deps/ links into one of them
 *     built.json                 what the addon was built of
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { EngineError } from "../errors.js";
import { type Call, call, type Step, typed } from "./step.js";

const PACKAGE = "@tensorflow/tfjs-node-gpu";
const PACKAGE_VERSION = "4.22.0";
const TENSORFLOW_VERSION = "2.21.0";
/** Whose wheels are taken. No Python code of them runs, so it need not be the Python that pip runs on. */
const PYTHON_VERSION = "3.11";

const CC = "libtensorflow_cc.so.2";
const FRAMEWORK = "libtensorflow_framework.so.2";

/** The CUDA libraries that TensorFlow opens by name while it runs. */
const CUDA_LIBRARIES =
  /^lib(cudart|cublas|cublasLt|cufft|curand|cusolver|cusparse|nvJitLink|cudnn|cupti|nccl)\.so\.\d+$/;

export interface TensorflowSetup {
  /** where all of it lies */
  readonly home: string;
  /** TensorFlow with CUDA, instead of the one for CPUs only */
  readonly gpu: boolean;
}

/** What has to be done, in order. Nothing is touched before a step runs. */
export function tensorflowSteps({ home, gpu }: TensorflowSetup): Step[] {
  requirePlatform();
  const python = join(home, gpu ? "python-gpu" : "python-cpu");
  const package_ = join(home, "node_modules", PACKAGE);
  const wheel = wheelOf(gpu);
  const product = join(package_, "lib", "napi-v8", "tfjs_binding.node");
  const record = join(home, "built.json");
  const recipe = `${JSON.stringify({ package: `${PACKAGE}@${PACKAGE_VERSION}`, wheel })}\n`;
  return [
    lookForTools(),
    unpackWheel(python, wheel, gpu),
    installPackage(home, package_),
    linkLibraries(package_, python),
    {
      ...buildAddon(home, package_, python, () => writeFileSync(record, recipe)),
      done: () => existsSync(product) && existsSync(record) && readFileSync(record, "utf8") === recipe,
    },
    tryOut(home),
  ];
}

function requirePlatform(): void {
  const { platform, arch } = process;
  if (platform === "linux" && (arch === "x64" || arch === "arm64")) return;
  throw new EngineError(
    `setup tensorflow: builds on Linux with x64 or arm64, and this is ${platform} with ${arch}`,
    `Install the package as it comes: npm install @tensorflow/tfjs-node`,
  );
}

/** What all of it needs, looked for before anything large is fetched. */
function lookForTools(): Step {
  const tools: readonly (readonly [string, readonly string[], string])[] = [
    ["python3", ["-m", "pip", "--version"], "python3-pip"],
    ["npm", ["--version"], "npm"],
    ["make", ["--version"], "make"],
    [process.env.CXX ?? "g++", ["--version"], "g++"],
  ];
  const calls = tools.map(([program, words, name]) => ({
    program,
    words,
    remedy: `Install it, on Debian and Ubuntu: apt-get install ${name}`,
  }));
  return {
    what: "what it takes: Python with pip, npm, make and a C++ compiler",
    commands: calls.map(typed),
    done: () => false,
    async run(signal) {
      for (const one of calls) await call(one, signal);
    },
  };
}

function wheelOf(gpu: boolean): string {
  if (gpu) return `tensorflow[and-cuda]==${TENSORFLOW_VERSION}`;
  // There is no tensorflow-cpu for arm64: the plain wheel is for CPUs only there.
  return `${process.arch === "x64" ? "tensorflow-cpu" : "tensorflow"}==${TENSORFLOW_VERSION}`;
}

/** pip unpacks beside, under another name, so that the folder is there whole or not at all. */
function unpackWheel(python: string, wheel: string, gpu: boolean): Step {
  const partial = `${python}.partial`;
  const pip = {
    program: "python3",
    words: [
      ...["-m", "pip", "install", "--target", partial, "--only-binary", ":all:"],
      ...["--python-version", PYTHON_VERSION, "--no-compile", "--quiet"],
      ...["--disable-pip-version-check", "--timeout", "30", "--retries", "1"],
      // Without CUDA two libraries of the wheel are needed and nothing that it depends on.
      ...(gpu ? [] : ["--no-deps"]),
      wheel,
    ],
    remedy: "pip has to reach PyPI, or a folder with the wheel, which PIP_FIND_LINKS names",
  };
  return {
    what: `TensorFlow: ${wheel} into ${python}`,
    commands: [typed(pip), `mv ${partial} ${python}`],
    done: () => existsSync(join(python, "tensorflow", CC)),
    async run(signal) {
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(dirname(partial), { recursive: true });
      try {
        await call(pip, signal);
        rmSync(python, { recursive: true, force: true });
        renameSync(partial, python);
      } finally {
        rmSync(partial, { recursive: true, force: true });
      }
    },
  };
}

/** Its install script, which would download TensorFlow 2.9, does not run. */
function installPackage(home: string, package_: string): Step {
  const npm = {
    program: "npm",
    words: [
      ...["install", "--prefix", home, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"],
      `${PACKAGE}@${PACKAGE_VERSION}`,
    ],
    remedy: "npm has to reach its registry: see npm config get registry",
  };
  return {
    what: `${PACKAGE} ${PACKAGE_VERSION} into ${home}`,
    commands: [typed(npm)],
    done() {
      const manifest = join(package_, "package.json");
      if (!existsSync(manifest)) return false;
      return JSON.parse(readFileSync(manifest, "utf8")).version === PACKAGE_VERSION;
    },
    async run(signal) {
      mkdirSync(home, { recursive: true });
      const manifest = join(home, "package.json");
      if (!existsSync(manifest)) writeFileSync(manifest, `{ "private": true }\n`);
      await call(npm, signal);
    },
  };
}

/** The names under which the package's build and its addon look for TensorFlow. */
function linkLibraries(package_: string, python: string): Step {
  const deps = join(package_, "deps");
  const tensorflow = join(python, "tensorflow");
  const links: readonly (readonly [string, string])[] = [
    [join(tensorflow, "include"), join(deps, "include")],
    [join(tensorflow, CC), join(deps, "lib", "libtensorflow.so")],
    [join(tensorflow, FRAMEWORK), join(deps, "lib", "libtensorflow_framework.so")],
    [join(tensorflow, CC), join(deps, "lib", CC)],
    [join(tensorflow, FRAMEWORK), join(deps, "lib", FRAMEWORK)],
  ];
  return {
    what: `links in ${deps}`,
    commands: links.map(([to, link]) => typed({ program: "ln", words: ["-sfn", to, link] })),
    done: () => false, // as quickly done as looked at
    async run() {
      mkdirSync(join(deps, "lib"), { recursive: true });
      for (const [to, link] of links) {
        rmSync(link, { recursive: true, force: true });
        symlinkSync(to, link);
      }
    },
  };
}

function buildAddon(home: string, package_: string, python: string, finish: () => void): Omit<Step, "done"> {
  // Node's headers, where they lie beside it; else node-gyp downloads them.
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, "include", "node", "node_api.h")) ? [`--nodedir=${prefix}`] : [];
  const compile = (flags: string): Call => ({
    program: join(home, "node_modules", ".bin", "node-pre-gyp"),
    words: ["install", "--build-from-source", ...headers],
    folder: package_,
    ...(flags ? { env: { LDFLAGS: flags } } : {}),
    remedy:
      "The build needs Node's headers: where they are not beside Node, node-gyp has to reach nodejs.org",
  });
  return {
    what: "the addon, compiled against it",
    commands: [typed(compile(existsSync(python) ? cudaFlags(python) : ""))],
    async run(signal) {
      await call(compile(cudaFlags(python)), signal);
      finish();
    },
  };
}

/**
 * TensorFlow opens the CUDA libraries by their names, and finds those that are in the process already: the addon is linked with all of
 * them, and knows where they lie. Nothing where the wheel came without CUDA.
 */
function cudaFlags(python: string): string {
  const nvidia = join(python, "nvidia");
  const folders = existsSync(nvidia) ? readdirSync(nvidia).map((name) => join(nvidia, name, "lib")) : [];
  const flags = folders.filter(existsSync).flatMap((folder) => {
    const libraries = readdirSync(folder).filter((name) => CUDA_LIBRARIES.test(name));
    if (libraries.length === 0) return [];
    return [`-L${folder}`, `-Wl,-rpath,${folder}`, ...libraries.map((name) => `-l:${name}`)];
  });
  return flags.length > 0 ? ["-Wl,--no-as-needed", ...flags].join(" ") : "";
}

/** Multiplies a matrix, in a process of its own. */
function tryOut(home: string): Step {
  const program = `
    const tf = require(${JSON.stringify(PACKAGE)});
    const product = tf.matMul([[1, 2], [3, 4]], [[1, 2], [3, 4]]).dataSync().join();
    if (product !== "7,10,15,22") throw new Error("multiplied wrongly: " + product);`;
  const node = {
    program: process.execPath,
    words: ["--eval", program],
    folder: home,
    env: { TF_CPP_MIN_LOG_LEVEL: "2" },
    remedy: `The addon is there and does not work. Remove ${home} and run this again; if that does not help, please report it`,
  };
  return {
    what: "try it out",
    commands: [typed({ ...node, words: ["--eval", "… a product of two matrices …"] })],
    done: () => false,
    async run(signal) {
      await call(node, signal);
    },
  };
}
