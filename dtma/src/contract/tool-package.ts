import * as z from 'zod/mini'

/** What the operating system brings beside the package, from Debian. `chromium`: a browser at /usr/bin/chromium. */
export const SystemNeed = z.enum(['chromium'])
export type SystemNeed = z.infer<typeof SystemNeed>

const CommandName = z.string().check(z.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/, 'the name of a command'))

const NpmPackage = z.strictObject({
  type: z.literal('npm'),
  name: z
    .string()
    .check(z.maxLength(214), z.regex(/^(?:@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/, 'an npm package name')),
  /** Exact: ranges and tags are refused. */
  version: z.string().check(z.maxLength(64), z.regex(/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/, 'an exact version')),
  /** Which of the package's commands is the server; absent: its only one. */
  bin: z.optional(CommandName),
  needs: z.optional(z.array(SystemNeed).check(z.minLength(1), z.maxLength(SystemNeed.options.length))),
})
export type NpmPackage = z.infer<typeof NpmPackage>

const PypiPackage = z.strictObject({
  type: z.literal('pypi'),
  /** As the index normalises it or not: `Foo.Bar` and `foo-bar` are one. */
  name: z
    .string()
    .check(z.maxLength(100), z.regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/, 'the name of a Python package')),
  /** Exact: ranges and wildcards are refused (PEP 440, public versions). */
  version: z
    .string()
    .check(
      z.maxLength(64),
      z.regex(/^\d+(?:\.\d+)*(?:(?:a|b|rc)\d+)?(?:\.post\d+)?(?:\.dev\d+)?$/, 'an exact version'),
    ),
  /** Which of the package's commands is the server; absent: its only one. */
  bin: z.optional(CommandName),
})
export type PypiPackage = z.infer<typeof PypiPackage>

const HOST = '(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\\d{1,5})?\\/)?'
const PATH = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const IMAGE = new RegExp(`^${HOST}${PATH}(?:\\/${PATH})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$`)

/** `repository:tag` or `repository@sha256:<hex>`. */
export const ImageReference = z
  .string()
  .check(z.maxLength(300), z.regex(IMAGE, 'an image with a tag or a digest, such as registry.example/owner/server:1.2'))

/** The public registry that a reference without a host means. */
export const DOCKER_HUB = 'docker.io'

/** Host, with its port when it has one, of the registry that a reference speaks of: as Docker reads it. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? first : DOCKER_HUB
}

/** SHA-256 over the bytes of a file. */
export const Sha256 = z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits'))

const OciPackage = z.strictObject({
  type: z.literal('oci'),
  /**
   * A tag is looked up once, when the tool is first pulled: from then on the tool is what it meant, wherever it points later.
   * With `archive`, only a name for people.
   */
  image: ImageReference,
  /** The image is not pulled: it is in this archive (`docker save`), which the control plane holds. */
  archive: z.optional(Sha256),
})
export type OciPackage = z.infer<typeof OciPackage>

/** Where the server of a tool comes from. */
export const ToolPackage = z.discriminatedUnion('type', [NpmPackage, PypiPackage, OciPackage])
export type ToolPackage = z.infer<typeof ToolPackage>
