import { PROBLEMS, type ProblemCode, ProblemError } from '@agentopia/api'
import { cleanText } from './clean-text.ts'

/**
 * Not permitted now. Who asks by REST is told why, for it is the agent itself or an operator, and the item in question is its own; at
 * the MCP endpoint it looks like what does not exist, as it does in the lists.
 */
export class Denied extends ProblemError {
  constructor(code: ProblemCode, detail: string) {
    super(code, PROBLEMS[code], detail)
  }
}

interface DeniedCall {
  readonly agent: string
  /** Name of the tool instance; absent: the name leads nowhere. */
  readonly instance: string | undefined
  readonly capability: string
}

type Sentence = readonly [ProblemCode, (call: DeniedCall) => string]

/** By what the record says. Whatever is not here tells nothing but that it is denied: whether it exists is nobody's business. */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  'account-disabled': [
    'calls-stopped',
    () => 'Nobody in this account may call anything until that is switched on again',
  ],
  'agent-disabled': ['agent-disabled', ({ agent }) => `${agent} is switched off`],
  'item-disabled': ['toolbelt-item-disabled', ({ agent, instance }) => `${instance} is switched off for ${agent}`],
  'no-toolbox-access': [
    'toolbox-access-missing',
    ({ agent, instance }) => `${agent} may not use the toolbox of ${instance}`,
  ],
  'instance-not-running': ['instance-not-running', ({ instance }) => `${instance} was stopped`],
  'not-offered': [
    'capability-not-offered',
    ({ instance, capability }) => `${instance} does not offer ${capability} now`,
  ],
  'missing-credential': ['missing-credential', lacksSecrets],
  'capability-changed': [
    'capability-changed',
    ({ capability }) => `${capability} is described otherwise than when it was allowed`,
  ],
}

/** Also whoever starts the agent's own container says it: what a server has beside capabilities is listed by that container alone. */
export function lacksSecrets({ agent, instance }: Pick<DeniedCall, 'agent' | 'instance'>): string {
  return `${instance} takes secrets that ${agent} does not have yet`
}

/** The refusal of a call that `because` forbids: the code that its record has. */
export function deniedBecause(because: string, call: DeniedCall): Denied {
  const [code, sentence] = SENTENCES[because] ?? [
    'capability-denied',
    ({ capability }) => `${capability} is not among the capabilities of this agent`,
  ]
  return new Denied(code, cleanText(sentence(call)))
}
