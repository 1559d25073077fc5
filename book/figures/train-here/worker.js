// Trains in a thread of its own, so that the page never waits, and says now and then how it goes.
//
// In:  {until, every, state}: go on to step number `until`, and tell every so many milliseconds;
//      `state`, where there is one, begins a new run, number `run`.
// Out: {run, at, steps: [{loss, ratios}, ...], exam, filters}; {rests: run} at its end; {problem}.

import { advance, examine, newRun, readDigits } from "./model.js";

const EXAM = 50; // steps between two looks at the digits held back, beside one at each pause

let digits; // a promise
let order; // the last
let current = null;
let busy = false;

async function load() {
  const response = await fetch(new URL("./digits.bin", import.meta.url));
  if (!response.ok) throw new Error(`digits.bin: ${response.status}`);
  const unpacked = response.body.pipeThrough(new DecompressionStream("deflate"));
  return readDigits(await new Response(unpacked).arrayBuffer());
}

/** Tell the page what is new. */
function tell(run, steps, known) {
  const { at, network, number } = run;
  const due = (at % EXAM === 0 || at >= order.until) && run.examined !== at;
  const exam = due && { at, ...examine(network, known) };
  if (due) run.examined = at;
  postMessage({ run: number, at, steps, exam, filters: network.conv1.kernel.values.slice() });
}

async function work() {
  const known = await digits;
  while (current.at < order.until || !current.told) {
    const run = current;
    const steps = [];
    const end = performance.now() + order.every;
    while (run.told && run.at < order.until && performance.now() < end) {
      steps.push(advance(run, known));
      if (run.at % EXAM === 0) break;
    }
    run.told = true; // of a new run, how it begins comes first
    tell(run, steps, known);
    await new Promise((go) => setTimeout(go)); // the page may want something else
  }
  if (current.examined !== current.at) tell(current, [], known); // at a pause, too
}

onmessage = async ({ data }) => {
  order = data;
  if (data.state) current = { ...newRun(data.state), number: data.run };
  if (busy) return;
  busy = true;
  try {
    digits ??= load();
    await work();
    postMessage({ rests: current.number });
  } catch (error) {
    postMessage({ problem: String(error) });
  }
  busy = false;
};
