import { PROBLEMS } from '@agentopia/api'
import { DTMA_PROBLEMS } from '@agentopia/dtma/contract'
import { Environment as controlPlaneEnvironment } from '../../backend/src/config.ts'
import { Environment as dtmaEnvironment } from '../../dtma/src/config.ts'
import { controlPlaneApi, toolboxApi } from './apis.ts'
import { faultCases, faultTables } from './fault-cases.ts'
import { openApi } from './open-api.ts'
import { problemTable, settingTable } from './tables.ts'

export interface Versions {
  readonly controlPlane: string
  readonly dtma: string
}

const PRINTED = '<!-- Printed by `npm run print-docs` from the code: change that, not this. -->'

/**
 * The documents that are printed from the code, by path.
 * @param root Directory of the repository, with a slash at the end.
 */
export const documents = (versions: Versions, root: string): ReadonlyMap<string, string> =>
  new Map([
    ['docs/openapi.json', json(openApi(controlPlaneApi(versions.controlPlane)))],
    ['docs/dtma-openapi.json', json(openApi(toolboxApi(versions.dtma)))],
    ['docs/problems.md', problems()],
    ['docs/configuration.md', configuration(root)],
    ['docs/fault-cases.md', faults()],
  ])

const json = (document: object): string => `${JSON.stringify(document, null, 2)}\n`

const problems = (): string => `# Problems

${PRINTED}

Every failure is answered with a problem document (RFC 9457), as \`application/problem+json\`:

| Member | Meaning |
|---|---|
| \`type\` | \`urn:agentopia:problem:<code>\` |
| \`title\`, \`status\` | as in the tables below |
| \`detail\` | what went wrong this time |
| \`instance\` | id of the request; the log of the process names it too |
| \`code\` | the code below: match on this one |
| \`fix\` | what to do |
| \`retryable\` | whether the same request may succeed later |

## Control plane

\`api/src/problems.ts\`

${problemTable(PROBLEMS)}

## DTMA

\`dtma/src/contract/problems.ts\`

${problemTable(DTMA_PROBLEMS)}
`

const faults = (): string => `# Fault cases

${PRINTED}

What is done to the product on purpose, and what holds then. Each row is a test whose title begins with the case; a case may have
several. They pass on every commit: \`npm run test:unit\`, \`npm run test:docker\` (Docker), \`npm run test:faults\` (a Docker of its
own; root), \`npm run test:e2e\` (the whole product).

${faultTables(faultCases())}
`

const configuration = (root: string): string => `# Configuration

${PRINTED}

Both processes read their environment once, at the start. An empty variable counts as one that was not set. A wrong one
ends the process with exit code 78 and a line that names it; its value is never printed.

## Control plane

\`backend/src/config.ts\`

${settingTable(controlPlaneEnvironment, root)}

## DTMA

\`dtma/src/config.ts\`

${settingTable(dtmaEnvironment, root)}
`
