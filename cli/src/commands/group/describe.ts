import { type createGroup, type Input, problem, type ToolGroup } from '@agentopia/api'
import { facts, table } from '../../output.ts'

export type NewGroup = Input<typeof createGroup>['body']

/**
 * @param tools  `store=memory,api=everything`: name and entry of the catalogue; a name alone is both.
 * @param after  `api=store,page=api+store`: what is ready before what.
 * @throws {ProblemError} `invalid-group`
 */
export function groupFrom(name: string, tools = '', after = ''): NewGroup {
  const members = pairsOf(tools).map(([one, toolId]) => ({
    name: one,
    toolId: toolId ?? one,
    dependsOn: [] as string[],
  }))
  if (members.length === 0) throw problem('invalid-group', 'Say which tools: --tools store=memory,api=everything')
  for (const [one, needed] of pairsOf(after)) {
    const member = members.find((other) => other.name === one)
    if (!member || !needed) throw problem('invalid-group', `--after ${one}: say <tool of the group>=<other>+<other>`)
    member.dependsOn.push(...needed.split('+'))
  }
  return { name, members }
}

const pairsOf = (text: string): [string, string | undefined][] =>
  text
    .split(',')
    .filter(Boolean)
    .map((pair) => {
      const [key, value] = pair.split('=', 2)
      return [key!, value]
    })

export const groupLine = ({ name, state, members, failure }: ToolGroup): string =>
  failure
    ? `${name} is ${state}: ${failure.member}: ${failure.message}`
    : `${name} is ${state}: ${members.map((member) => `${member.name} ${member.state}`).join(', ')}`

export function groupText(group: ToolGroup): string {
  const { id, name, state, since, failure, members } = group
  return [
    facts([
      ['group', name],
      ['id', id],
      ['state', state],
      ['since', since],
      ['because', failure && `${failure.member}: ${failure.message}`],
    ]),
    '',
    table(
      ['tool', 'from', 'after', 'state', 'because'],
      members.map((one) => [one.name, one.toolId, one.dependsOn.join(', '), one.state, one.reason]),
    ),
  ].join('\n')
}
