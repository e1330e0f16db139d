import { platform } from "node:process";

/** How the names of shared libraries end on this platform. */
export const LIBRARY_ENDING: string = { win32: "dll", darwin: "dylib" }[platform as string] ?? "so";
