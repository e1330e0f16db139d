import { referenceProvider } from "../../src/engines/reference/provider.js";
import { conformance } from "../engine.conformance.js";

conformance(() => referenceProvider.create({}), {
  precisions: ["float64"],
  large: "the reference adds up one row after another, compensated: a million rows take it minutes",
});
