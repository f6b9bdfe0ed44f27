/** What a Python tool with secrets starts instead of its package's command. */
export const PYPI_SECRETS_ENTRYPOINT: readonly string[] = ['python3', '-su', '/tool/with_secrets.py', '/tool/entry.py']

/**
 * Runs first in the container of a Python tool with secrets: takes them as one line from its standard input and becomes the
 * server, in the same process. So they are in no image, no create body and on no command line. Byte by byte, because what
 * follows the line is the server's. Plain Python as text, because it goes into the build context.
 */
export const PYPI_SECRETS_SCRIPT = `import json
import os
import sys

LONGEST = 4 << 20


def fail(message):
    print("secrets: " + message, file=sys.stderr)
    sys.exit(78)


def read_line():
    line = bytearray()
    while True:
        byte = os.read(0, 1)
        if not byte:
            fail("the input ended before the secrets came")
        if byte == b"\\n":
            return bytes(line)
        if len(line) == LONGEST:
            fail("the line of secrets is too long")
        line += byte


def parse(line):
    try:
        secrets = json.loads(line)["dtmaSecrets"]
        return secrets["env"], secrets["files"]
    except (ValueError, KeyError, TypeError):  # whatever it was, it may be secret: it is not repeated
        fail("the first line of the input holds no secrets; only DTMA can start this container")


env, files = parse(read_line())
for path, text in files.items():
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
os.execve(sys.executable, [sys.executable, "-su", *sys.argv[1:]], {**os.environ, **env})
`
