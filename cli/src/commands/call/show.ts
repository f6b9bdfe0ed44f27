import { type Call, type CallPayload, getCall, getCallPayload, type Reply } from '@agentopia/api'
import { command } from '../../command.ts'
import { facts, printable } from '../../output.ts'

export const callShow = command(
  'show',
  'One call on record; with --payload, what was sent and what came back, where that is kept',
  {
    call: { type: 'positional', description: 'Id of the call', required: true },
    payload: {
      type: 'boolean',
      description: 'Show what was sent and answered; that you did is put on record',
      default: false,
    },
  },
  async ({ client, args, output }) => {
    const params = { callId: args.call }
    const record = await client.call(getCall, { params })
    if (!args.payload) return output.result(record, describe)
    const payload = await client.call(getCallPayload, { params })
    output.result({ ...record, payload }, () => `${describe(record)}\n\n${contents(payload)}`)
  },
)

const describe = (call: Reply<typeof getCall>): string =>
  facts([
    ['call', call.id],
    ['when', call.startedAt],
    ['agent', call.agentName],
    ['capability', nameOf(call)],
    ['outcome', call.code === undefined ? call.outcome : `${call.outcome} (${call.code})`],
    ['took', `${call.durationMs.toFixed(1)} ms`],
    ['found in it', call.secretsSeen?.join(', ')],
    ['asked', `${call.argumentBytes} bytes, sha256 ${call.argumentDigest}`],
    ['answered', call.resultBytes === undefined ? undefined : `${call.resultBytes} bytes, sha256 ${call.resultDigest}`],
    ['payload', call.payload ? `kept until ${call.payload.keptUntil}` : 'not kept'],
    ['in the chain', call.sequence === undefined ? undefined : `${call.sequence}, ${call.hash}`],
  ])

const nameOf = ({ instanceName, capability }: Call): string =>
  instanceName === undefined ? capability : `${instanceName}__${capability}`

const contents = ({ arguments: args, result, error }: CallPayload): string =>
  Object.entries({ arguments: args, result, error })
    .flatMap(([name, part]) => (part ? [`${name}:\n${textOf(part)}`] : []))
    .join('\n\n')

const textOf = ({ whole, json, text = '' }: CallPayload['arguments']): string =>
  whole ? lines(JSON.stringify(json, null, 2)) : `${lines(text)}\n(the beginning; the rest is not kept)`

const lines = (text: string): string => text.split('\n').map(printable).join('\n')
