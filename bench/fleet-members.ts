// Started by recruits.ts: many DTMAs without a machine (member.ts), whose status never changes.
import { getHealth, getStatus } from '@agentopia/dtma/contract'
import { DTMA_VERSION as version } from '@agentopia/dtma/testing'
import { enlist, type Member, type Quarters, statusOf } from './member.ts'

/** What the parent sends: who enrols where. */
export interface Recruits extends Quarters {
  readonly members: readonly Member[]
}

function recruit(quarters: Quarters, member: Member): void {
  const answers: Readonly<Record<string, string>> = {
    [getStatus.path]: JSON.stringify(statusOf(member.toolboxId)),
    [getHealth.path]: JSON.stringify({ status: 'ok', version }),
  }
  enlist(quarters, member, (request, response) => {
    const answer = answers[request.url.split('?')[0]!]
    response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(answer ?? '{}')
  })
}

process.on('message', (recruits: Recruits) => {
  for (const member of recruits.members) recruit(recruits, member)
})
