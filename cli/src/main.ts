#!/usr/bin/env node
import { text } from 'node:stream/consumers'
import { run } from './run.ts'

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort())

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  streams: { out: (line) => void process.stdout.write(line), err: (line) => void process.stderr.write(line) },
  colours: { out: isColoured(process.stdout), err: isColoured(process.stderr) },
  readInput: () => (process.stdin.isTTY ? firstLine() : text(process.stdin)),
  signal: stop.signal,
})

function isColoured(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && !process.env['NO_COLOR']
}

/** What a person types up to Enter. */
async function firstLine(): Promise<string> {
  for await (const chunk of process.stdin) return String(chunk)
  return ''
}
