import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { Call } from '@agentopia/api'
import { callOnce, connectMcp } from './mcp-client.ts'

/** Where an agent calls, and with which token. */
interface Access {
  readonly mcpUrl: string
  readonly token: string
}

/** One call that the agent made. */
interface Attempt {
  /** Capability, and SHA-256 of the arguments as they are sent. */
  readonly what: string
  /** `lost`: no answer came; it was made, or it was not. */
  end: 'answered' | 'refused' | 'lost'
}

/** An agent that calls by the official MCP client, and knows what it called: its record is held against that. */
export interface Storyteller {
  /** Names of what it is offered, sorted. */
  listed(): Promise<string[]>
  /** @returns The text of the answer. */
  call(name: string, args: Record<string, unknown>): Promise<string>
  /** Calls what it may not. @throws {AssertionError} When that is answered. */
  refused(name: string, args: Record<string, unknown>): Promise<void>
  /** What is wrong with the records of its calls; none: each that was answered or refused is there once, and none is there that it did not make. */
  wrongIn(records: readonly Call[]): string[]
}

/** What it may not call is not there for it. */
const REFUSAL = /Unknown tool: /

export function createStoryteller(access: Access): Storyteller {
  const attempts: Attempt[] = []

  function begin(name: string, args: Record<string, unknown>): Attempt {
    const attempt: Attempt = { what: `${name} ${digestOf(args)}`, end: 'lost' }
    attempts.push(attempt)
    return attempt
  }

  return {
    async listed() {
      const client = await connectMcp(access.mcpUrl, access.token)
      try {
        return (await client.listTools()).tools.map(({ name }) => name).sort()
      } finally {
        await client.close()
      }
    },
    async call(name, args) {
      const attempt = begin(name, args)
      const answer = await callOnce(access, name, args)
      attempt.end = 'answered'
      return answer
    },
    async refused(name, args) {
      const attempt = begin(name, args)
      const answer = await callOnce(access, name, args).catch((error: unknown) => {
        if (!REFUSAL.test(String(error))) throw error
        attempt.end = 'refused'
      })
      assert.equal(answer, undefined, `${name} was not refused`)
    },
    wrongIn: (records) => wrongRecords(attempts, records),
  }
}

function wrongRecords(attempts: readonly Attempt[], records: readonly Call[]): string[] {
  const whatOf = ({ instanceName, capability, argumentDigest }: Call) =>
    `${instanceName === undefined ? '' : `${instanceName}__`}${capability} ${argumentDigest}`
  return [...new Set([...attempts.map(({ what }) => what), ...records.map(whatOf)])].flatMap((what) => {
    const made = attempts.filter((attempt) => attempt.what === what)
    const noted = records.filter((record) => whatOf(record) === what)
    const heard = (end: Attempt['end']) => made.filter((attempt) => attempt.end === end).length
    const ended = (outcome: Call['outcome']) => noted.filter((record) => record.outcome === outcome).length
    const isRight =
      noted.length <= made.length && ended('ok') >= heard('answered') && ended('denied') >= heard('refused')
    const ends = noted.map(({ outcome, code }) => code ?? outcome)
    return isRight ? [] : [`${what}: ${made.map(({ end }) => end)}; on record ${ends}`]
  })
}

const digestOf = (args: Record<string, unknown>): string =>
  createHash('sha256').update(JSON.stringify(args)).digest('hex')
