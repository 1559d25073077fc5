// A figure to play with: one custom element in the page itself (no shadow), so that the page's
// colours, axe and print see it. Each figure extends this class in the same five parts:
//
//   static names          what it writes into the address
//   static stateFrom(text)  {name: text} of the address -> its state, where `given` says whether
//                         the address chose it; and static addressOf(state), the way back
//   build()               make the parts, once
//   compute()             this.state -> this.result, by the pure functions of model.js
//   render()              show this.state and this.result in the parts
//
// and, where it needs them, load() (fetch what it shows, before build) and question() (what the
// reader predicts before the result is shown; `this.asking` until then).

import { readAddress, writeAddress } from "./address.js";
import { element } from "./element.js";
import { ask } from "./predict.js";
import { _ } from "./words.js";

/** Let the browser answer its reader between two pieces of work. */
const pause = () => new Promise((go) => setTimeout(go));

export class Figure extends HTMLElement {
  gate = element("div"); // where the question stands; build() gives it a place
  asked = "";

  async connectedCallback() {
    if (this.state) return; // moved within the page: it is built already
    this.state = this.constructor.stateFrom(readAddress(this.constructor.names));
    this.asking = !this.state.given;
    const loaded = await this.load().then(() => true, () => false);
    await pause();
    this.classList.add("living-figure");
    this.replaceChildren(); // the sentence for readers without scripts
    if (loaded) {
      this.build();
      this.compute();
      await pause();
      this.show();
    } else {
      this.append(element("p", { class: "figure-error", role: "alert" },
        _("This figure could not load what it needs. Please load the page again.")));
    }
    this.dataset.ready = ""; // its reserved height goes (see figures.yml)
  }

  async load() {}

  question() {
    return null;
  }

  /** Change part of the state, in the address too, and show what follows from it. */
  change(some = {}) {
    Object.assign(this.state, some);
    this.save();
    this.update();
  }

  save() {
    writeAddress(this.constructor.addressOf(this.state));
  }

  /** Compute and show everything that depends on the state. */
  update() {
    this.compute();
    this.show();
  }

  show() {
    this.toggleAttribute("data-asking", this.asking);
    if (this.asking) this.predict();
    this.render();
  }

  /** Put the question, unless it stands there already. */
  predict() {
    const question = this.question();
    const text = JSON.stringify(question);
    if (text === this.asked) return;
    this.asked = text;
    this.gate.replaceChildren();
    if (question) ask(this.gate, question, () => this.answered());
  }

  /** The reader has predicted, or skipped: show the result. */
  answered() {
    this.asking = false;
    this.update();
  }
}
