import type { NpmPackage, SystemNeed } from '../contract/tool-package.ts'
import { TOOL_USER } from './create-body.ts'
import { NPM_ENTRY_SCRIPT } from './npm-entry.script.ts'
import { NPM_SECRETS_SCRIPT } from './npm-secrets.script.ts'
import { type BuildComplaints, type PackageIndex, type PackageRecipe, recipeOf } from './package-image.ts'

/**
 * Nothing of the package's name or version is written into the Dockerfile: they travel as JSON files. Scripts of packages do
 * not run; the registry is needed here and never again.
 * @param base Id of the runner base image; it has Node and npm.
 */
export function npmRecipe(pkg: NpmPackage, base: string, registry?: PackageIndex): PackageRecipe {
  const { name, version, bin, needs = [] } = pkg
  const npmrc = registry === undefined ? {} : { '.npmrc': `registry=${registry}\n` }
  return recipeOf(pkg, {
    Dockerfile: dockerfileOf(base, needs, Object.keys(npmrc)),
    'package.json': JSON.stringify({ private: true, dependencies: { [name]: version } }),
    'wanted.json': JSON.stringify({ name, bin }),
    'resolve-entry.mjs': NPM_ENTRY_SCRIPT,
    'with-secrets.mjs': NPM_SECRETS_SCRIPT,
    ...npmrc,
  })
}

/** Packages of Debian. */
const DEBIAN_PACKAGES: Readonly<Record<SystemNeed, string>> = { chromium: 'chromium fonts-liberation' }

const dockerfileOf = (base: string, needs: readonly SystemNeed[], more: readonly string[]): string => `FROM ${base}
USER 0:0
${needs.map(installing).join('')}ENV NODE_ENV=production
WORKDIR /tool
COPY ${['package.json', 'wanted.json', 'resolve-entry.mjs', 'with-secrets.mjs', ...more].join(' ')} ./
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund --no-update-notifier --cache=/tmp/npm && rm -rf /tmp/npm
RUN node resolve-entry.mjs
USER ${TOOL_USER}
HEALTHCHECK NONE
ENTRYPOINT ["node", "/tool/entry"]
CMD []
`

/** Before everything that differs between packages: Docker keeps the layer for all of them. */
const installing = (need: SystemNeed): string =>
  `RUN apt-get update && apt-get install -y --no-install-recommends ${DEBIAN_PACKAGES[need]} && rm -rf /var/lib/apt/lists/*\n`

export const NPM_COMPLAINTS: BuildComplaints = {
  unreachable:
    /\b(?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|[A-Z_]*CERT[A-Z_]*)\b|Temporary failure resolving/,
  notFound: /\bE404\b|\bETARGET\b|No matching version/,
}
