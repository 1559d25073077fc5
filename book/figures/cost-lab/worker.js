// Measures in a thread of its own, so that the page never waits.
//
// In: the settings. Out: {machine, results}, as measure() returns them, or {problem}.

import { randomNumbers } from "../shared/random.js";
import { measure } from "./measure.js";

onmessage = ({ data }) => {
  try {
    postMessage(measure(data, () => performance.now() / 1000, randomNumbers(1)));
  } catch (error) {
    postMessage({ problem: String(error) });
  }
};
