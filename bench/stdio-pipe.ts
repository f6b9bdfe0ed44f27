// The least that a hop from HTTP to standard streams can cost in Node: ids are renumbered, and nothing else is looked at.
// `stdio-pipe.ts <port> <server.js>`
import { spawn } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import { createInterface } from 'node:readline'

const [port, server = ''] = process.argv.slice(2)
const child = spawn(process.execPath, [server, 'stdio'], { stdio: ['pipe', 'pipe', 'ignore'] })
const waiting = new Map<number, { readonly id: unknown; readonly response: ServerResponse }>()
let last = 0

createInterface({ input: child.stdout }).on('line', (line) => {
  const { id, ...answer } = JSON.parse(line)
  const asked = waiting.get(id)
  if (!asked || answer.method !== undefined) return
  waiting.delete(id)
  const text = JSON.stringify({ ...answer, id: asked.id })
  asked.response
    .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    .end(text)
})
child.on('exit', () => process.exit(1))
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    child.kill()
    process.exit()
  })

createServer(async (request, response) => {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  if (text === '') return void response.writeHead(405).end()
  const { id, ...message } = JSON.parse(text)
  if (id === undefined) {
    child.stdin.write(`${text}\n`)
    return void response.writeHead(202).end()
  }
  waiting.set(++last, { id, response })
  child.stdin.write(`${JSON.stringify({ ...message, id: last })}\n`)
}).listen(Number(port), '127.0.0.1')
