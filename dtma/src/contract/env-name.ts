import * as z from 'zod/mini'

/** Names that would change how the runtime or Docker itself behaves. */
export const RESERVED_ENV =
  /^(?:LD_|DYLD_|DOCKER_|DTMA_|NODE_OPTIONS$|NODE_EXTRA_CA_CERTS$|PYTHON(?:PATH|HOME|STARTUP|INSPECT|BREAKPOINT|USERBASE)$|PATH$)/

/** An environment variable that a tool may be given. */
export const EnvName = z.string().check(
  z.regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a variable name'),
  z.refine((name) => !RESERVED_ENV.test(name), 'is a reserved variable'),
)
