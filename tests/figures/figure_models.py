"""The figures' models without a browser: their modules in V8, which the book has for KaTeX."""

import functools
import json
import re
from concurrent.futures import ThreadPoolExecutor

import figures
import translation
from py_mini_racer import MiniRacer

FIGURES = figures.FOLDER
SENTENCES = [sentence for *_, sentence in translation.sentences("figures/**.js")]
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\./|\.\./[\w-]+/)([\w-]+\.js)";\n', re.M)
EXPORT = re.compile(r"^export (?:async )?(?:function|const|class) (?:\[([^\]]*)\]|(\w+))", re.M)
SECONDS = 60
PLAIN = "(key, value) => (ArrayBuffer.isView(value) ? [...value] : value)"


def bundle(path):
    """Return a script that evaluates a module and all it imports, in their order."""
    modules = {}

    def add(path):
        if path in modules:
            return
        modules[path] = None  # a circle would not get past this
        text = path.read_text(encoding="utf-8")
        imports = [(names, (path.parent / folder / name).resolve())
                   for names, folder, name in IMPORT.findall(text)]
        for _, other in imports:
            add(other)
        names = ", ".join(group or name for group, name in EXPORT.findall(text))
        taken = "".join(f"const {{{names}}} = modules[{json.dumps(str(other))}];\n"
                        for names, other in imports)
        body = re.sub(r"^export ", "", IMPORT.sub("", text), flags=re.M)
        del modules[path]
        modules[path] = (f"modules[{json.dumps(str(path))}] = (() => {{\n{taken}{body}\n"
                         f"return {{ {names} }};\n}})();")

    add(path.resolve())
    return "const modules = {};\n" + "\n".join(modules.values())


@functools.cache
def engine(path):
    """Return V8 with a module in it."""
    context = MiniRacer()
    context.eval(bundle(path), timeout_sec=SECONDS)
    return context


def run(path, script):
    """Evaluate a script beside a module, in a thread: with a browser open, this one has a loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: engine(path).eval(script, timeout_sec=SECONDS)).result()


def evaluate(module, expression, **values):
    """Return what a JavaScript expression gives, as Python has it after JSON.

    `module` is as "size-lab/model.js"; the expression sees its exports as `model`, and `values`.
    """
    path = (FIGURES / module).resolve()
    names = ", ".join(["model", *values])
    arguments = ", ".join([f"modules[{json.dumps(str(path))}]", *map(json.dumps, values.values())])
    script = f"JSON.stringify((({names}) => ({expression}))({arguments}), {PLAIN})"
    return json.loads(run(path, script))


def call(module, function, cases):
    """Return the results of an exported function for a list of argument lists."""
    return evaluate(module, f"cases.map((each) => model.{function}(...each))", cases=cases)
