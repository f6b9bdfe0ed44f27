/**
 * Runs while the image of a PyPI package is built, after the install: finds the package's command by its metadata, without
 * running anything of it, and writes the program that starts it. Plain Python as text, because it goes into the build context.
 * Its only input is the file `wanted.json`.
 */
export const PYPI_ENTRY_SCRIPT = `import json
import re
import sys
from importlib.metadata import Distribution

PACKAGES = "/tool/packages"


def fail(message):
    print("entry: " + message, file=sys.stderr)
    sys.exit(1)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


with open("/tool/wanted.json") as file:
    wanted = json.load(file)

own = next(Distribution.discover(name=wanted["name"], path=[PACKAGES]), None)
if own is None:
    fail("the package was not installed")
commands = {point.name: point.value for point in own.entry_points if point.group == "console_scripts"}
names = list(commands)
if not names:
    fail("the package has no command (no console script in its metadata)")
asked = wanted.get("bin")
if asked is not None and asked not in commands:
    fail("the package has no command named " + asked + "; it has: " + ", ".join(names))
only = names[0] if len(set(commands.values())) == 1 else None
alike = next((name for name in names if normal(name) == normal(wanted["name"])), None)
name = asked or only or alike
if name is None:
    fail("the package has several commands, name one of: " + ", ".join(names))

target = re.fullmatch(r"\\s*([\\w.]+)\\s*:\\s*([\\w.]+)\\s*(?:\\[.*\\])?\\s*", commands[name])
if target is None:
    fail("the command " + name + " names no function")
module, function = target.groups()
lines = [
    "import importlib, site, sys",
    "site.addsitedir(" + repr(PACKAGES) + ")",
    "sys.argv[0] = " + repr(name),
    "target = importlib.import_module(" + repr(module) + ")",
    "for part in " + repr(function.split(".")) + ":",
    "    target = getattr(target, part)",
    "sys.exit(target())",
    "",
]
with open("/tool/entry.py", "w") as file:
    file.write("\\n".join(lines))
print("found its command: " + name)
`
