import { attempt, run } from './run.mjs'
import { hashOf } from './stamp.mjs'
import { upToDate } from './step.mjs'

const BASE_IMAGE = 'node:24-slim'
const PYTHON_IMAGE = 'python:3-slim'
const DTMA_IMAGE = 'agentopia-dtma:latest'

const PULL_MS = 45_000
const INPUTS = 'agentopia.inputs'

const idOf = async (image) => {
  const { code, output } = await attempt('docker', ['image', 'inspect', '--format', '{{.Id}}', image])
  return code === 0 ? output.trim() : undefined
}

/** The base of our images: pulled where that is possible, else built here from Debian packages and npm. */
export async function ensureBaseImage() {
  if (await idOf(BASE_IMAGE)) return upToDate('present')
  const pulled = await attempt('docker', ['pull', '-q', BASE_IMAGE], { timeoutMs: PULL_MS })
  if (pulled.code === 0) return
  await run('bash', ['scripts/base-image/build.sh'], {
    fix: 'Let this machine pull images, or run as root on Debian or Ubuntu, where the base image can be built.',
  })
}

/** The image that Python packages are built on, for the tests; a toolbox pulls it when it is first needed. */
export async function ensurePythonImage() {
  if (await idOf(PYTHON_IMAGE)) return upToDate('present')
  const pulled = await attempt('docker', ['pull', '-q', PYTHON_IMAGE], { timeoutMs: PULL_MS })
  if (pulled.code === 0) return
  await run('bash', ['scripts/base-image/build-python.sh'], {
    fix: 'Let this machine pull images, or reach a mirror of Debian packages from its containers.',
  })
}

/** Builds DTMA's image from its own folder, unless this very input has been built. */
export async function buildDtmaImage() {
  const inputs =
    hashOf('dtma/package.json', 'dtma/package-lock.json', 'dtma/src', 'dtma/Dockerfile', 'dtma/.dockerignore') +
    (await idOf(BASE_IMAGE))
  const built = await attempt('docker', [
    'image',
    'inspect',
    '--format',
    `{{index .Config.Labels "${INPUTS}"}}`,
    DTMA_IMAGE,
  ])
  if (built.code === 0 && built.output.trim() === inputs) return upToDate()
  await run('docker', ['build', '--label', `${INPUTS}=${inputs}`, '-t', DTMA_IMAGE, 'dtma/'])
}
