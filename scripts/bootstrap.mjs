// npm start · npm stop · npm test, from a clean clone. Runs on Node 20 without anything installed.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureChromium } from './setup/chromium.mjs'
import { installDependencies, NODE } from './setup/dependencies.mjs'
import { ensureDocker } from './setup/docker.mjs'
import { buildDtmaImage, ensureBaseImage, ensurePythonImage } from './setup/images.mjs'
import { buildProduct } from './setup/product.mjs'
import { explain, StepError, step } from './setup/step.mjs'

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const dataDir = resolve(process.env.DATA_DIR ?? 'data')
const [command, ...rest] = process.argv.slice(2)

/** How long a program may take to end after it was asked to. */
const GRACE_MS = 15_000

const ofControlPlane = ['sign-in-link', 'recovery', 'end-recovery', 'change-master-key'].map((name) => [
  name,
  () => controlPlane([name], {}),
])
const commands = { start, stop, ...Object.fromEntries(ofControlPlane), test, setup }

try {
  if (!Object.hasOwn(commands, command ?? ''))
    throw new StepError(
      `There is no command ${command ?? '(none)'}`,
      'npm start, npm stop, npm test, or npm run sign-in-link, recovery, end-recovery or change-master-key',
    )
  process.exitCode = await commands[command]()
} catch (error) {
  explain(error)
  process.exitCode = 1
}

async function start() {
  console.log('\nAgentopia Toolboxes\n')
  await step('Dependencies', installDependencies)
  await step('Page and control plane', buildProduct)
  const docker = await step('Docker Engine', () => ensureDocker(dataDir))
  const local = !docker?.missing
  if (local) await imagesOfTheToolbox()
  else
    console.log(
      `\n  No Docker Engine answers; starting without a toolbox on this machine. To have one:\n    ${docker.missing}\n`,
    )
  return controlPlane([], local ? {} : { LOCAL_TOOLBOX: 'off' })
}

function stop() {
  return controlPlane(['stop'], {})
}

/** Everything that the tests and the checks need, and nothing run. */
async function setup() {
  await step('Dependencies', installDependencies)
  await step('Page and control plane', buildProduct)
  const docker = await step('Docker Engine', () => ensureDocker(dataDir))
  if (docker?.missing) throw new StepError('The tests need a Docker Engine', docker.missing)
  await imagesOfTheToolbox()
  await step('Python image', ensurePythonImage)
  await step('Chromium', ensureChromium)
  return 0
}

async function test() {
  await setup()
  return runToEnd(NODE, ['scripts/test.ts', ...rest], {})
}

async function imagesOfTheToolbox() {
  await step('Base image', ensureBaseImage)
  await step('DTMA image', buildDtmaImage)
}

function controlPlane(args, env) {
  return runToEnd(NODE, ['dist/control-plane.mjs', ...args], { DATA_DIR: dataDir, ...env })
}

/**
 * Runs a program in the foreground. It has a session of its own, so that Ctrl-C reaches it once, through us, and never twice.
 * @returns {Promise<number>} Its exit code; 0 when it ended because it was asked to.
 */
function runToEnd(program, args, env) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: 'inherit', detached: true, env: { ...process.env, ...env } })
    let asked = false
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.on(signal, () => {
        if (asked) return
        asked = true
        child.kill(signal === 'SIGHUP' ? 'SIGTERM' : signal)
        setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
      })
    child.once('error', fail)
    child.once('exit', (code) => done(code ?? (asked ? 0 : 1)))
  })
}
