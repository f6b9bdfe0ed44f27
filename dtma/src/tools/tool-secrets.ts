import type { SecretValues, ToolSecret } from '../contract/tool-secret.ts'

/** The values of all tools' secrets: in the memory of this run of DTMA and nowhere else. */
export interface ToolSecrets {
  /** `withdrawn`: nothing may run with what was held before. `undefined`: they were not given to this run yet. */
  of(name: string): SecretValues | 'withdrawn' | undefined
  hold(name: string, values: SecretValues): void
  withdraw(name: string): void
  /** The tool is gone. */
  drop(name: string): void
  /** The text without any value that is held. */
  redacted(name: string, text: string): string
}

/** Shorter values would blot out ordinary words. */
const SHORTEST = 8

/** @param onValue Told of every value that must not appear in a log. */
export function createToolSecrets(onValue: (value: string) => void): ToolSecrets {
  const held = new Map<string, SecretValues | 'withdrawn'>()

  return {
    of: (name) => held.get(name),
    hold(name, values) {
      held.set(name, values)
      for (const value of Object.values(values.values)) onValue(value)
    },
    withdraw: (name) => void held.set(name, 'withdrawn'),
    drop: (name) => void held.delete(name),
    redacted(name, text) {
      const secrets = held.get(name)
      if (secrets === undefined || secrets === 'withdrawn') return text
      return Object.values(secrets.values)
        .filter((value) => value.length >= SHORTEST)
        .reduce((clean, value) => clean.replaceAll(value, '***'), text)
    },
  }
}

/** Names of the declared secrets without which the tool cannot start, and that have no value. */
export const missingAmong = (declared: readonly ToolSecret[], held: ReturnType<ToolSecrets['of']>): string[] => {
  const values = held === undefined || held === 'withdrawn' ? {} : held.values
  return declared.filter(({ name, required }) => required && !Object.hasOwn(values, name)).map(({ name }) => name)
}

/** The line that the container reads before it becomes the server: each declared secret in its place. */
export function secretsLine(declared: readonly ToolSecret[], { values }: SecretValues): string {
  const given = declared.filter(({ name }) => Object.hasOwn(values, name))
  const env = given.flatMap((secret) => ('env' in secret ? [[secret.env, values[secret.name]]] : []))
  const files = given.flatMap((secret) => ('file' in secret ? [[secret.file, values[secret.name]]] : []))
  return `${JSON.stringify({ dtmaSecrets: { env: Object.fromEntries(env), files: Object.fromEntries(files) } })}\n`
}

/** Whether what was started with this version must not run any more. */
export const isStale = (startedWith: string | undefined, held: ReturnType<ToolSecrets['of']>): boolean =>
  startedWith !== undefined && held !== undefined && (held === 'withdrawn' || held.version !== startedWith)
