/** A small MCP server over standard input and output, in plain JavaScript: it says who it is, and has one capability. */
export const serverProgram = (version: string): string => `
import { createInterface } from 'node:readline'
const answers = {
  initialize: () => ({ protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'small', version: '${version}' } }),
  ping: () => ({}),
  'tools/list': () => ({ tools: [{ name: 'version', inputSchema: { type: 'object' } }] }),
  'tools/call': () => ({ content: [{ type: 'text', text: '${version}' }] }),
}
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line)
  if (id === undefined) return
  const answer = answers[method]
  const body = answer ? { result: answer() } : { error: { code: -32601, message: 'no such method' } }
  process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...body }) + '\\n')
})
`

/** The same in Python, of the standard library alone. Its capability answers with the variable \`GREETING\`, too. */
export const PYTHON_SERVER = `
import json
import os
import sys


def answer(method):
    if method == "initialize":
        server = {"name": "small", "version": "1.0"}
        return {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server}
    if method == "tools/list":
        return {"tools": [{"name": "greet", "inputSchema": {"type": "object"}}]}
    if method == "tools/call":
        try:
            open("/tool/packages/written", "w")
            disk = "writable"
        except OSError:
            disk = "read-only"
        text = os.environ.get("GREETING", "hello") + " from uid " + str(os.getuid()) + ", " + disk
        return {"content": [{"type": "text", "text": text}]}
    return {}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request:
            print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": answer(request["method"])}))
`
