import type { UserOperation } from '@agentopia/api'
import { cleanJson, cleanText } from '../gateway/clean-text.ts'
import type { Reply } from '../gateway/mcp-replies.ts'
import type { problemOf } from '../http/problem-response.ts'

/** What a model reads at once, in characters of JSON; more would push out of its context what it was asked for. */
const MOST_CHARACTERS = 100_000

/** A reply of an operation as a result of MCP: cleaned of what tools, machines and people wrote to deceive its reader. */
export function resultOf(op: UserOperation, reply: unknown): Reply {
  if (reply === undefined) return { result: { content: textual('Done.') } }
  const structuredContent = cleanJson(reply) as Record<string, unknown>
  const text = JSON.stringify(structuredContent)
  if (text.length > MOST_CHARACTERS) return tooLong(op, text.length)
  return { result: { content: textual(text), structuredContent } }
}

/** @returns An error only where nothing but reading was asked for: what was carried out must not look as if it were not. */
function tooLong({ method }: UserOperation, length: number): Reply {
  const words = `The answer has ${length} characters, ${MOST_CHARACTERS} are given to a model at most`
  return method === 'GET'
    ? {
        result: {
          content: textual(`${words}. Ask for less: a smaller \`limit\`, or one thing by its id.`),
          isError: true,
        },
      }
    : { result: { content: textual(`Done. ${words}; read what you need of it by its id.`) } }
}

/** The model reads a problem as it reads what any tool says of its own failures, and can correct what it asked for. */
export function problemResult({ document, retryAfterSeconds }: ReturnType<typeof problemOf>): Reply {
  const { title, detail, fix, code } = document
  const later = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  const text = cleanText([`${title} (${code}).`, detail, fix].join('\n'))
  return { result: { content: textual(text), structuredContent: cleanJson({ ...document, ...later }), isError: true } }
}

const textual = (text: string) => [{ type: 'text', text }]
