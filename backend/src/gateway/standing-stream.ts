import type { ServerResponse } from 'node:http'
import { type CallingAgent, untilGone } from './exchange.ts'
import type { Listening } from './listening.ts'
import { answerTo } from './mcp-answer.ts'
import type { ClientMemory } from './mcp-client.ts'

interface StandingStream {
  readonly agent: CallingAgent
  readonly only: string | undefined
  readonly memory: ClientMemory
  readonly response: ServerResponse
  readonly listening: Listening
}

/** The stream (GET) on which clients of earlier revisions hear what belongs to no request of theirs. */
export async function serveStandingStream({ agent, only, memory, response, listening }: StandingStream): Promise<void> {
  const { signal } = untilGone(response)
  const answer = answerTo(response, 0, { streams: true })
  const { ended, again } = listening.follow(
    {
      agent,
      only,
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
      uris: () => memory.uris,
      say: answer.notify,
    },
    signal,
  )
  memory.onUris = again
  answer.open()
  await ended
  response.end()
}
