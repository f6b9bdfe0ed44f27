import { join } from 'node:path'
import { aborted } from './aborted.ts'
import { FIRST_USER } from './accounts/first-account.ts'
import { issueSignInLink, signInUrl } from './accounts/sign-in-link.store.ts'
import { writeAddress } from './address-file.ts'
import type { Config } from './config.ts'
import { startControlPlane } from './control-plane.ts'
import { createGuardedFetch } from './http/guarded-fetch.ts'
import { isHttpsOrNear } from './http/https-or-near.ts'
import { ownNames } from './http/same-site.ts'
import { openServer } from './http/server.ts'
import { readBundle } from './install/dtma-bundle.ts'
import { createDtmaImage } from './install/dtma-image.ts'
import { createLog } from './log.ts'
import { loadMasterKeys } from './master-key/master-key.file.ts'
import { createDocker } from './providers/local/docker.ts'
import { createLocalProvider } from './providers/local/local.provider.ts'
import { systemClock } from './reconcile/clock.ts'
import { directoryOf, openStore } from './store/open.ts'
import { VERSION } from './version.ts'

/** What ends within it ends in order; the rest is cut. */
const SHUTDOWN_MS = 10_000

/** Runs the control plane until it is told to stop; then everything is closed, in reverse order. */
export async function start(config: Config): Promise<void> {
  const log = createLog({ ...config.log, plain: process.stdout.isTTY })
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort(name))

  const server = await openServer(config.http) // first: a taken port is noticed before anything is touched
  const publicUrl = config.http.publicUrl ?? `http://localhost:${server.port}`
  try {
    await using store = await openStore(config.store, log) // closed last, after everything below has ended
    const controlPlane = await startControlPlane({
      store,
      masterKeys: loadMasterKeys(config.dataDir, config),
      clock: systemClock,
      log,
      random: Math.random,
      publicUrl,
      own: ownNames({ host: config.http.host, port: server.port }, publicUrl),
      trustedProxies: config.http.trustedProxies,
      pageDir: config.http.pageDir,
      storeDirectory: directoryOf(config.store),
      callsDir: join(config.dataDir, 'calls'),
      archivesDir: join(config.dataDir, 'archives'),
      version: VERSION,
      machines: {
        ...config.machines,
        imageName: config.local.image,
        bundle: readBundle(),
        image: createDtmaImage({
          docker: createDocker(config.local.dockerSocket),
          socketPath: config.local.dockerSocket,
          name: config.local.image,
          directory: join(config.dataDir, 'images'),
        }),
      },
      direct: config.direct,
      replicaAddress: config.replicaAddress,
      signOn: config.signOn,
      agentToolIdleMs: config.agentToolIdleMs,
      ...(config.privateUpstreams
        ? { upstream: { fetch: createGuardedFetch({ mayDial: () => true, plain: true }), plain: true } }
        : {}),
      ...(config.local.enabled ? { local: localProvider(config, server.port) } : {}),
      signal: stop.signal,
    })
    server.serve(controlPlane)
    writeAddress(config.dataDir, publicUrl)
    const token = await store.system((tx) => issueSignInLink(tx, FIRST_USER, new Date()))
    greet(publicUrl, signInUrl(publicUrl, token))
    log.info({ publicUrl, version: VERSION }, 'control plane started')
    if (!isHttpsOrNear(publicUrl))
      log.warn({ publicUrl }, 'not https: credentials can be read on the way, and what toolboxes run as root changed')

    await aborted(stop.signal)
    log.info({ signal: stop.signal.reason }, 'control plane stops')
    process.once('SIGINT', () => process.exit(130)) // a second Ctrl-C does not wait
    await Promise.race([Promise.all([controlPlane.stopped, server.close(SHUTDOWN_MS)]), deadline()])
  } finally {
    await server.close(0)
  }
  log.info({}, 'control plane stopped')
}

/** DTMA of this machine shares its network, so it comes by loopback unless only another address is listened on. */
function localProvider({ dataDir, local, http }: Config, port: number) {
  const everywhere = http.host === '0.0.0.0' || http.host === '::' || http.host === 'localhost'
  const address = everywhere ? '127.0.0.1' : http.host.includes(':') ? `[${http.host}]` : http.host
  return createLocalProvider(createDocker(local.dockerSocket), {
    dataDir,
    apiBaseUrl: `http://${address}:${port}`,
    image: local.image,
    port: local.dtmaPort,
    socketPath: local.dockerSocket,
    packages: local.packages,
  })
}

/** For the person who started it. The link is not logged: it opens the account, once, within 15 minutes. */
function greet(publicUrl: string, link: string): void {
  process.stdout.write(`
  Agentopia Toolboxes  ${publicUrl}

  Sign in once with    ${link}
                       (good for 15 minutes; Ctrl-C stops the control plane)

`)
}

const deadline = () => new Promise<void>((resolve) => setTimeout(resolve, SHUTDOWN_MS + 1_000).unref())
