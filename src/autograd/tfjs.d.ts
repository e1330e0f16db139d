/**
 * The part of TensorFlow.js that is bundled into dist/autograd/tfjs.js: its core with every registered gradient, and its CPU backend.
 * scripts/build-autograd.mjs makes it.
 */
export * from "@tensorflow/tfjs";
