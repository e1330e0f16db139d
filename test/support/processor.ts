import { nativeProvider } from "../../src/engines/native/provider.js";

/** The engine that `auto` takes on this machine where there is no GPU. */
export const ON_PROCESSOR = (await nativeProvider.probe()).available ? "native" : "wasm";
