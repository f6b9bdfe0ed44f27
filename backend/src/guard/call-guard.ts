import { ProblemError, problem, type SecretPolicy } from '@agentopia/api'
import type { JsonRpcAnswer, JsonRpcNotification } from '@agentopia/dtma/contract'
import { mayHideIn, withoutHidden } from './hidden-text.ts'
import { OWN_SECRET, type OwnSecretFinder } from './own-secret.ts'
import { replaceTexts } from './replace-texts.ts'
import { SECRET_SHAPES, type SecretShape, shapesIn, withoutShapes } from './secret-shapes.ts'

interface Answered {
  readonly answer: JsonRpcAnswer
  /** The whole message as it came. */
  readonly written: string
}

/**
 * Looks at what goes through one call. Secrets: the agent's own are taken out always, others as the account says. And what a tool
 * says is freed of what people do not see.
 */
export interface CallGuard {
  /** What may be sent. `blocked`: it may not, for this reason. */
  asked<Args>(args: Args): { readonly args: Args; readonly blocked: string | undefined }
  /**
   * A name or an address that was asked for, as it may be written down. It leads to one thing, and with a part taken out to
   * another: `blocked`, what is asked for by it may not be sent, whatever the account says.
   */
  named(name: string): { readonly name: string; readonly blocked: string | undefined }
  /** @throws {ProblemError} `secret-blocked`. */
  answered(answered: Answered): Answered
  /** `undefined`: it is not passed on. */
  heard(notification: JsonRpcNotification): JsonRpcNotification | undefined
  /** Texts of a toolbox may quote what a tool said. */
  failed(error: unknown): unknown
  /** What was found so far: `arguments:github-token`, `result:own-secret`, `result:hidden-characters`. Sorted, each once; null: nothing. */
  seen(): readonly string[] | null
}

interface Cleaned<Value> {
  readonly value: Value
  /** The kinds of secrets that are not the agent's own, found in it. */
  readonly shapes: ReadonlySet<string>
}

type Place = 'arguments' | 'result' | 'notification'

export function createCallGuard(policy: SecretPolicy, own: OwnSecretFinder | undefined): CallGuard {
  const isForSecrets = policy !== 'off' || own !== undefined
  const seen = new Set<string>()

  /** @param json The value, written. */
  function clean<Value>(value: Value, place: Place, json: string): Cleaned<Value> {
    // What an agent says is its own; what is hidden in a secret must not hide it.
    const mayHide = place !== 'arguments' && mayHideIn(json)
    const possible: readonly SecretShape[] = policy === 'off' ? [] : mayHide ? SECRET_SHAPES : shapesIn(json)
    const shapes = new Set<string>()
    if (possible.length === 0 && !own && !mayHide) return { value, shapes }
    const unseen = (kind: string) => void seen.add(`${place}:${kind}`)
    const found = (kind: string) => {
      seen.add(`${place}:${kind}`)
      if (kind !== OWN_SECRET) shapes.add(kind)
    }
    const cleaned = replaceTexts(value, {
      text(text) {
        const without = own ? own.without(text, found) : text
        const plain = mayHide ? withoutHidden(without, unseen) : without
        const again = own && plain !== without ? own.without(plain, found) : plain
        return possible.length === 0 ? again : withoutShapes(again, possible, found)
      },
      number(number) {
        if (!own?.isNumber(number)) return number
        found(OWN_SECRET)
        return 0
      },
    })
    return { value: cleaned, shapes }
  }
  const blocks = (shapes: ReadonlySet<string>) => policy === 'block' && shapes.size > 0

  return {
    asked(args) {
      if (!isForSecrets) return { args, blocked: undefined }
      const { value, shapes } = clean(args, 'arguments', JSON.stringify(args))
      return { args: value, blocked: blocks(shapes) ? reasonOf('The arguments hold', shapes) : undefined }
    },
    named(name) {
      if (!isForSecrets) return { name, blocked: undefined }
      const written = clean(name, 'arguments', JSON.stringify(name)).value
      const plain = decoded(written)
      const inside = clean(plain, 'arguments', JSON.stringify(plain)).value
      const without = inside === plain ? written : inside
      return {
        name: without,
        blocked: without === name ? undefined : 'The name or address that is asked for holds a secret',
      }
    },
    answered({ answer, written }) {
      const { value, shapes } = cleanAnswer(answer, written)
      if (blocks(shapes)) throw problem('secret-blocked', reasonOf('The answer holds', shapes))
      if (value === answer) return { answer, written }
      const { id } = JSON.parse(written) as { id: unknown }
      return { answer: value, written: JSON.stringify({ jsonrpc: '2.0', id, ...value }) }
    },
    heard(notification) {
      const { value, shapes } = clean(notification, 'notification', JSON.stringify(notification))
      return blocks(shapes) ? undefined : value
    },
    failed(error) {
      if (!(error instanceof ProblemError) || error.constructor !== ProblemError) return error
      const { value } = clean(error.message, 'result', JSON.stringify(error.message))
      return value === error.message ? error : new ProblemError(error.code, error.kind, value)
    },
    seen: () => (seen.size === 0 ? null : [...seen].sort()),
  }

  /** What a tool wants back with the next call is sealed on its way, and must come back as it was. */
  function cleanAnswer(answer: JsonRpcAnswer, json: string): Cleaned<JsonRpcAnswer> {
    const state = 'result' in answer ? answer.result['requestState'] : undefined
    if (typeof state !== 'string' || !('result' in answer)) return clean(answer, 'result', json)
    const { requestState: _, ...rest } = answer.result
    const { value, shapes } = clean(rest, 'result', json)
    return { value: value === rest ? answer : { result: { ...value, requestState: state } }, shapes }
  }
}

/** Addresses are percent-encoded, and what stands before a mark then hides it. */
const decoded = (address: string): string =>
  address.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (codes) => Buffer.from(codes.replaceAll('%', ''), 'hex').toString('utf8'))

const reasonOf = (where: string, shapes: ReadonlySet<string>): string =>
  `${where} what looks like a secret (${[...shapes].sort().join(', ')})`
