import * as z from 'zod/mini'
import { EnvName } from './env-name.ts'

const common = {
  /** How the values are handed over: {@link SecretValues}. */
  name: z.string().check(z.regex(/^[a-zA-Z][a-zA-Z0-9_-]{0,63}$/, 'a letter, then letters, digits, - and _')),
  /** Without its value the tool does not start. */
  required: z._default(z.boolean(), true),
}

/** That a tool takes a secret, and where its server looks for it. Never the value. */
export const ToolSecret = z.union([
  z.strictObject({ ...common, env: EnvName }),
  z.strictObject({
    ...common,
    /** A file in the container's memory, readable by the tool alone. */
    file: z
      .string()
      .check(z.regex(/^\/tmp\/(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\/){0,3}[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/)),
  }),
])
export type ToolSecret = z.infer<typeof ToolSecret>

/** The secrets that a tool takes: at least one, of different names and places. */
export const ToolSecrets = z.array(ToolSecret).check(
  z.minLength(1),
  z.maxLength(16),
  z.refine((secrets) => new Set(secrets.map(({ name }) => name)).size === secrets.length, 'names a secret twice'),
  z.refine((secrets) => new Set(secrets.map(placeOf)).size === secrets.length, 'puts two secrets into one place'),
)

/** What a tool's server finds its secrets in. Travels to DTMA's memory, and from there only into the container. */
export const SecretValues = z.strictObject({
  /** Opaque; equal versions mean equal values. */
  version: z.string().check(z.minLength(1), z.maxLength(100)),
  /** By the names of the spec. */
  values: z.record(
    z.string().check(z.maxLength(64)),
    z.string().check(
      z.minLength(1),
      z.maxLength(65_536),
      z.refine((value) => !value.includes('\0'), 'holds a NUL character'),
    ),
  ),
})
export type SecretValues = z.infer<typeof SecretValues>

const placeOf = (secret: ToolSecret): string => ('env' in secret ? secret.env : secret.file)
