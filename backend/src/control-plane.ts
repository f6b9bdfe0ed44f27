import { randomUUID } from 'node:crypto'
import { getRequestListener } from '@hono/node-server'
import { aborted } from './aborted.ts'
import { createAccess } from './accounts/access.ts'
import { ensureFirstAccount, FIRST_ACCOUNT } from './accounts/first-account.ts'
import { keepHouse } from './accounts/housekeeping.ts'
import { agentRoutes } from './agents/agent.routes.ts'
import { createAgentFinder } from './agents/find-agent.ts'
import { toolbeltRoutes } from './agents/toolbelt.routes.ts'
import { createApp } from './app.ts'
import { approvalRoutes } from './approvals/approval.routes.ts'
import { createAsking } from './approvals/ask-person.ts'
import { callRoutes } from './calls/call.routes.ts'
import { keepRetention } from './calls/retention.ts'
import { createCatalog } from './catalog/catalog.ts'
import { packageRoutes } from './catalog/package.routes.ts'
import { createConnecting } from './connections/connecting.ts'
import type { ControlPlane, ControlPlaneDeps } from './control-plane.types.ts'
import { agentToolReconciler } from './credentials/agent-tool.reconciler.ts'
import { listAgentToolNames } from './credentials/agent-tool.store.ts'
import { credentialRoutes } from './credentials/credential.routes.ts'
import { wakeByAccount } from './credentials/wake-by-account.ts'
import { flowRoutes } from './data-flow/flow.routes.ts'
import { createDtmaUpkeep } from './dtma-upkeep.ts'
import { listenForChanges } from './events/changes.ts'
import { eventRoutes } from './events/event.routes.ts'
import { executeRoutes } from './gateway/execute.routes.ts'
import { createGateway, MCP_PATH } from './gateway/gateway.ts'
import { createWayOfCalls } from './gateway/way-of-calls.ts'
import { createClientAddress } from './http/client-address.ts'
import { createInstaller } from './install/installer.ts'
import { openKeys } from './master-key/keys.ts'
import { newId } from './new-id.ts'
import { createOperatorEndpoint, OPERATOR_PATH } from './operator/operator.endpoint.ts'
import { purgePayloads } from './payloads/payload.purge.ts'
import { payloadRoutes } from './payloads/payload.routes.ts'
import { actionRoutes } from './providers/digitalocean/action.routes.ts'
import { createDigitalOcean } from './providers/digitalocean/digitalocean.ts'
import { SWEEP_EVERY_MS } from './providers/digitalocean/droplet.sweep.ts'
import { providerRoutes } from './providers/digitalocean/provider.routes.ts'
import { joinReconciler } from './providers/join/join.reconciler.ts'
import { sshRoutes } from './providers/ssh/ssh.routes.ts'
import { runLoop } from './reconcile/loop.ts'
import { LEASED_STEP_MS } from './reconcile/under-lease.ts'
import { watchRecovery } from './recovery/recovery.ts'
import { createReleaseKey } from './releases/release-key.ts'
import { createReleases } from './releases/releases.ts'
import { byProvider, hasSteps } from './toolboxes/by-provider.ts'
import type { DirectConfig } from './toolboxes/direct-policy.ts'
import { createDtmaClients } from './toolboxes/dtma-client.ts'
import { ensureLocalToolbox } from './toolboxes/local-toolbox.ts'
import { createObserver } from './toolboxes/observe.ts'
import { openRoads } from './toolboxes/open-roads.ts'
import { provisionRoutes } from './toolboxes/provision.routes.ts'
import { watchLiveness } from './toolboxes/toolbox.liveness.ts'
import { createToolboxNews } from './toolboxes/toolbox.news.ts'
import { toolboxReconciler } from './toolboxes/toolbox.reconciler.ts'
import { toolboxRoutes } from './toolboxes/toolbox.routes.ts'
import { createToolboxViews } from './toolboxes/toolbox.views.ts'
import { createDeployedTools } from './tools/deployed-tools.ts'
import { uplinkRoutes } from './uplink/uplink.routes.ts'

/** Agents' own containers that are started at the same time: each waits for its toolbox. */
const STARTS_AT_ONCE = 32
const DEFAULT_DIRECT: DirectConfig = { privateAddresses: false, plainHttp: false, sources: [] }

/** The composition: every object of the control plane is made here, once, and handed to whoever needs it. */
export async function startControlPlane(deps: ControlPlaneDeps): Promise<ControlPlane> {
  const {
    store,
    catalog = createCatalog(),
    clock,
    log,
    random,
    publicUrl,
    own,
    pageDir,
    callsDir,
    version,
    local,
    machines,
    signOn,
    signal,
  } = deps
  const owner = randomUUID() // of leases: this process
  const keys = await openKeys(deps)
  const { sealer, seals, rootKey } = keys

  await store.system(ensureFirstAccount)
  const recovery = await watchRecovery({ store, clock, log, directory: deps.storeDirectory ?? '', signal })
  if (local) await ensureLocalToolbox(store, FIRST_ACCOUNT)

  // Who calls: people by session or token, agents by token.
  const mcpUrl = publicUrl + MCP_PATH
  const clientAddress = createClientAddress(deps.trustedProxies)
  const agentFinder = createAgentFinder({ store, clock, log })
  const access = createAccess({
    store,
    rootKey,
    clock,
    log,
    publicUrl,
    mcpUrl,
    signOn,
    readClientDocument: deps.readClientDocument,
    findAgent: agentFinder.find,
    clientAddress,
  })

  // Toolboxes: the roads to them, and what is known of them.
  const ways = await openRoads({
    store,
    rootKey,
    clock,
    log,
    random,
    owner,
    publicUrl,
    address: deps.replicaAddress,
    direct: deps.direct ?? DEFAULT_DIRECT,
    packages: machines.packages ?? {},
    onNews: wakeToolbox,
  })
  const { roads, directPolicy, turns, takeHeartbeat, byToolbox } = ways
  const clients = createDtmaClients({ roadOf: roads.fetchOf, sealer })
  const providers = local ? [local] : []
  const disconnect = roads.revoke
  const digitalOcean = createDigitalOcean({
    store,
    rootKey,
    sealer,
    clock,
    baseUrl: machines.digitalOceanUrl,
    fetch: machines.fetch ?? fetch,
    publicUrl,
    keyPin: machines.keyPin,
    owner,
    directSources: directPolicy.sources,
    disconnect,
    random,
    isRecovering: () => recovery.since() !== undefined,
    wake: wakeToolbox,
  })
  const finders = [...providers, digitalOcean.finder]
  const providerOf = (name: string) => finders.find((finder) => finder.name === name)
  const observer = createObserver({ store, clock, roads, clients, providerOf, signal })
  const releaseKey = createReleaseKey(rootKey)
  const releases = createReleases({ image: machines.image, bundle: machines.bundle, key: releaseKey, clock, log })
  const liveness = watchLiveness({ store, clock, signal, log })

  // What brings everything from what was asked for to what is.
  const watching = { signal, clock, log, random, stepDeadlineMs: LEASED_STEP_MS }
  const loop = { ...watching, begin: recovery.over }
  const toolboxLoop = runLoop(
    byProvider(store, {
      local: toolboxReconciler({ store, clock, providers, owner }),
      join: joinReconciler({ provider: 'join', store, clock, owner, disconnect }),
      ssh: joinReconciler({ provider: 'ssh', store, clock, owner, disconnect }),
      digitalocean: digitalOcean.reconciler,
    }),
    loop,
  )
  const actionLoop = runLoop(digitalOcean.actionReconciler, loop)
  const sweepLoop = runLoop(digitalOcean.sweep, { ...watching, resyncMs: SWEEP_EVERY_MS })
  const deployedTools = createDeployedTools({ store, catalog, clientOf: clients.clientOf, owner, loop })

  const reach = { roads, directPolicy, clientOf: clients.clientOf, doorOf: digitalOcean.doorOf }
  const upkeep = createDtmaUpkeep({ ...reach, store, clock, rootKey, releases, loop })
  const agentToolLoop = runLoop(
    agentToolReconciler({
      clock,
      store,
      catalog,
      seals,
      clientOf: clients.clientOf,
      owner,
      idleMs: deps.agentToolIdleMs,
      onBegin: (name) => agentTools.cooled(name),
      onStep: (name, up) => agentTools.stepped(name, up),
    }),
    { ...loop, concurrency: STARTS_AT_ONCE },
  )

  // Tokens of services behind tools, refreshed in time.
  const connecting = createConnecting({
    store,
    catalog,
    sealer,
    seals,
    owner,
    publicUrl,
    upstream: deps.upstream,
    loop,
  })

  const wakeAgentTools = wakeByAccount({ store, wake: agentToolLoop.wake, log, signal })

  /** There is news of a toolbox: whatever waits for it may go on. */
  const news = createToolboxNews({
    store,
    async hear(tx, rows) {
      for (const row of rows) {
        if (hasSteps(row)) toolboxLoop.wake(row.id)
        upkeep.wakeOn(row)
        // Who is dialled by us is dialled as soon as it reports.
        if (row.direct && row.status === 'active')
          roads
            .keepOpen(row)
            .catch((err: unknown) => log.info({ err, toolboxId: row.id }, 'the direct road does not lead to it now'))
      }
      const toolboxIds = rows.map(({ id }) => id)
      await deployedTools.wakeOn(tx, toolboxIds)
      for (const name of await listAgentToolNames(tx, { toolboxIds })) agentToolLoop.wake(name)
    },
    log,
    signal,
  })

  function wakeToolbox(toolboxId: string): void {
    news(toolboxId)
  }

  /** A machine is asked for: by the time it comes for the image, that is ready. */
  function expectMachine(toolboxId: string): void {
    wakeToolbox(toolboxId)
    machines.image
      ?.prepare()
      .catch((err: unknown) => log.warn({ err }, 'the image of DTMA is not ready to be given out'))
  }

  // What agents call, who is asked before, and the record of it.
  const asking = createAsking({ store, sealer, newId, owner, log, signal })
  const wayOfCalls = createWayOfCalls({
    store,
    rootKey,
    sealer,
    seals,
    catalog,
    clock,
    log,
    sendTo: roads.request,
    callsDir,
    owner,
    wakeAgentTool: agentToolLoop.wake,
    agentToolIdleMs: deps.agentToolIdleMs,
    askPerson: asking.ask,
    signal,
  })
  const { toolbelts, makeCall, executeOnce, agentTools, killSwitch, recorder, seal, payloads, drained } = wayOfCalls
  const gateway = createGateway({
    ...wayOfCalls,
    findAgent: async (secret) => (await access.findConnected(secret)) ?? agentFinder.find(secret),
    challenge: access.challenge,
    sealer,
    clock,
    own,
    version,
    log,
  })

  // A change anywhere ends what is remembered of it here: a revocation holds at once, on every replica.
  const changes = await listenForChanges(store, log)
  changes.watch((change) => {
    if (change?.noun === 'call' || change?.noun === 'activity') return
    if (!change || change.noun === 'approval') asking.heard()
    if (change?.noun === 'approval') return
    toolbelts.forget(change?.account)
    if (change?.noun !== 'toolbox' && change?.noun !== 'instance') {
      agentFinder.forget()
      access.forgetEverybody()
    }
    killSwitch.recheck(change?.account)
    if (change && change.noun !== 'toolbox') wakeAgentTools(change.account)
  })

  const installer = createInstaller({ ...machines, publicUrl, log })
  const { authenticate, requirePresence } = access
  const atDoor = { authenticate, requirePresence, clientAddress }
  const { app, replyTo } = createApp({ ...atDoor, log, own, publicUrl, pageDir }, (mount, uplink) => {
    access.routes(mount, uplink)
    const info = {
      publicUrl,
      mcpUrl,
      operatorUrl: publicUrl + OPERATOR_PATH,
      version,
      variants: installer.variants,
      signOn: signOn?.label,
      recoveringSince: recovery.since,
    }
    eventRoutes(mount, { store, changes, ...info })
    const views = createToolboxViews({
      clock,
      isConnected: roads.isOpen,
      listeningSince: liveness.listeningSince,
      newest: releases.newest,
    })
    toolboxRoutes(mount, { store, views, look: observer.look, clientOf: clients.clientOf })
    provisionRoutes(mount, {
      store,
      directPolicy,
      clock,
      newId,
      views,
      publicUrl,
      keyPin: machines.keyPin,
      installer,
      limits: machines.limits,
      wake: wakeToolbox,
      expect: expectMachine,
      ...digitalOcean.options,
    })
    upkeep.routes(mount, views)
    sshRoutes(mount, { store, clock, sealer, installer })
    providerRoutes(mount, { store, clock, sealer, newId, ...digitalOcean })
    actionRoutes(mount, { store, newId, ...digitalOcean, wake: actionLoop.wake })
    packageRoutes(mount, uplink, {
      store,
      catalog,
      clock,
      log,
      sealer,
      authenticate: byToolbox,
      archivesDir: deps.archivesDir,
    })
    deployedTools.routes(mount)
    agentRoutes(mount, { store, catalog, newId, mcpUrl, forgetAgents: agentFinder.forget, forget: toolbelts.forget })
    toolbeltRoutes(mount, { store, catalog, newId, forget: toolbelts.forget })
    flowRoutes(mount, { store, catalog })
    credentialRoutes(mount, {
      store,
      catalog,
      seals,
      newId,
      wake: agentToolLoop.wake,
      forget: toolbelts.forget,
    })
    connecting.routes(mount, { wake: agentToolLoop.wake, forget: toolbelts.forget })
    executeRoutes(mount, { toolbelts, makeCall, executeOnce })
    approvalRoutes(mount, { store, sealer })
    callRoutes(mount, { store, recorder, seal, forget: toolbelts.forget })
    payloadRoutes(mount, { store, sealer, clock, recorder, keeper: payloads, forget: toolbelts.forget })
    uplinkRoutes(uplink, {
      store,
      sealer,
      clock,
      rootKey,
      turns,
      takeHeartbeat,
      machines,
      installer,
      releaseKey: releaseKey.publicKey,
      onVoid: roads.revoke,
      onNews: wakeToolbox,
    })
  })

  const operators = createOperatorEndpoint({ replyTo, authenticate: access.authenticateBearer, own, version, log })
  const serveApp = getRequestListener(app.fetch)
  const housekeeping = keepHouse({ store, clock, log, signal })
  const retention = keepRetention({ store, seal, clock, log, signal })
  const purging = purgePayloads({ store, clock, log, signal })

  async function end(): Promise<void> {
    await aborted(signal)
    await Promise.all([
      drained().then(roads.closeAll),
      changes.stop(),
      toolboxLoop.stopped,
      sweepLoop.stopped,
      actionLoop.stopped,
      deployedTools.stopped,
      upkeep.stopped,
      agentToolLoop.stopped,
      connecting.stopped,
      liveness.stopped,
      ways.stopped,
      asking.stopped,
      recovery.over,
      keys.stopped,
      housekeeping,
      retention,
      purging,
    ])
    await payloads.flush()
    await recorder.stop()
  }

  return {
    fetch: (request) => app.fetch(request),
    request: (request, response) => {
      if (!gateway(request, response) && !operators(request, response)) void serveApp(request, response)
    },
    upgrade: ways.upgrade,
    stopped: end(),
  }
}
