import type { Firewall as FirewallState } from '../contract/status.ts'
import { gatewayNameOf } from '../egress/gateway.ts'
import { EngineError, type EngineFault } from '../engine/engine-error.ts'
import { createTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'
import { reasonOf } from '../reason.ts'
import { ToolFailure } from '../tools/tool-failure.ts'
import { LABEL } from '../tools/tool-labels.ts'
import { type Protected, readTable, removeTable, replaceTable, tableNameOf } from './firewall.rules.ts'
import {
  FirewallUnavailable,
  type KernelLine,
  type KernelLineDeps,
  openKernelLine,
  removeKernelLine,
} from './kernel-line.ts'
import { linkLocalOf } from './link-local.ts'
import { NetlinkError } from './netlink.ts'

/**
 * Rules of our own in the machine's kernel: the second thing that keeps tools from the machine, its cloud's metadata and each
 * other, beside networks that lead nowhere. Whoever takes them away finds them back.
 */
export interface Firewall {
  /** `undefined`: there is nothing to keep apart. */
  readonly state: FirewallState | undefined
  /**
   * Looks, and puts right what is not as it should be. Where there can be no firewall, the networks have to do.
   * @throws {ToolFailure | EngineError} `isolation_failed`: it could not.
   */
  require(signal: AbortSignal): Promise<void>
  /** Something to keep apart has come or gone. */
  wake(): void
  readonly stopped: Promise<void>
}

export interface FirewallDeps extends KernelLineDeps {
  readonly log: Log
  readonly date: () => Date
  /** 0 to 1, as `Math.random`. */
  readonly random: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** What was missing and is `ok` was restored. */
  readonly onChange: (state: FirewallState) => void
  readonly signal: AbortSignal
}

/** Until the next look; give or take a fifth, so that nobody can wait for the gap. */
const PAUSE_MS = { ok: 15_000, missing: 5_000, unavailable: 600_000 } as const
const DEADLINE_MS = 30_000
const GOODBYE_MS = 2_000
/** EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT: this kernel has no nftables. */
const UNSUPPORTED = new Set([95, 93, 97])
const ENGINE_AWAY: ReadonlySet<EngineFault> = new Set(['down', 'hung'])

export function watchFirewall(deps: FirewallDeps): Firewall {
  const { log, signal } = deps
  const table = tableNameOf(deps.owner)
  let state: FirewallState | undefined
  let line: KernelLine | undefined
  /** What the rules are for, and what the kernel said of them when they were made. */
  let made: { readonly for: string; readonly table: string } | undefined
  /** Whether the kernel was told to forget the table, and no other was made since. An earlier life may have left one. */
  let isClear = false
  /** Whether there is something to keep apart, as far as is known. */
  let isNeeded = true
  const turn = createTurn()
  let bell = Promise.withResolvers<void>()

  function show(next: FirewallState['state'], message?: string): void {
    if (state?.state === next && state.message === message) return
    const since = state?.state === next ? state.since : deps.date().toISOString()
    const isNews = state?.state !== next && !(state === undefined && next === 'ok')
    state = { state: next, since, ...(message === undefined ? {} : { message }) }
    if (isNews) deps.onChange(state)
  }

  const tableNow = (kernel: KernelLine, limit: AbortSignal): Promise<string> =>
    readTable(table, (question) => kernel.ask(question, limit))

  async function look(limit: AbortSignal): Promise<void> {
    isNeeded = true
    const wanted = await protectedNow(deps, limit)
    if (wanted.bridges.length === 0 && wanted.gateway.length === 0) return clear(limit)
    isClear = false
    line ??= await openKernelLine(deps, limit)
    const key = JSON.stringify(wanted)
    const found = made && (await tableNow(line, limit))
    if (made?.for === key && made.table === found) return show('ok')
    const isTampered = made !== undefined && made.table !== found
    const message = found ? 'Its rules were changed from outside' : 'Its rules were taken away'
    if (isTampered) show('missing', message)
    await line.ask(replaceTable(table, wanted), limit)
    made = { for: key, table: await tableNow(line, limit) }
    if (made.table === '') throw new Error('The kernel has not kept the rules')
    if (isTampered) log.warn('the firewall of the tools was restored', { message })
    show('ok')
  }

  /** A container that somebody has ended says nothing of the rules: the next one is asked. */
  async function lookAgain(limit: AbortSignal): Promise<void> {
    const isOld = line !== undefined
    try {
      await look(limit)
    } catch (error) {
      if (!isOld || limit.aborted) throw error
      hangUp()
      await look(limit)
    }
  }

  /** The last tool with a network takes all of it along. */
  async function clear(limit: AbortSignal): Promise<void> {
    isNeeded = false
    state = undefined
    if (isClear) return
    line ??= await openKernelLine(deps, limit)
    await line.ask(removeTable(table), limit)
    made = undefined
    hangUp()
    await removeKernelLine(deps, limit)
    isClear = true
  }

  /** Rules that keep nothing apart are no reason to call a toolbox degraded. */
  function notCleared(error: unknown): void {
    isClear = isUnavailable(error)
    if (!isClear) log.warn('rules that an earlier firewall may have left cannot be removed', { error })
  }

  function hangUp(): void {
    line?.close()
    line = undefined
  }

  /** @throws {EngineError} Docker does not say what there is to keep apart: that is its own state, and not ours. */
  async function settle(limit: AbortSignal): Promise<void> {
    try {
      await lookAgain(limit)
    } catch (error) {
      hangUp()
      if (signal.aborted || (error instanceof EngineError && ENGINE_AWAY.has(error.fault))) throw error
      if (!isNeeded) return notCleared(error)
      if (isUnavailable(error)) return show('unavailable', reasonOf(error))
      if (state?.state !== 'missing') log.warn('the firewall of the tools cannot be kept up', { error })
      show('missing', reasonOf(error))
    }
  }

  /** One at a time: each compares with what the one before has made. */
  function inTurn(limit: AbortSignal): Promise<void> {
    return turn.take(() => settle(AbortSignal.any([limit, AbortSignal.timeout(DEADLINE_MS)])))
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      bell = Promise.withResolvers()
      await inTurn(signal).catch(() => undefined) // Docker is away, which others tell
      const ms = PAUSE_MS[state?.state ?? (isNeeded || isClear ? 'ok' : 'unavailable')]
      const slept = new AbortController()
      const woken = bell.promise.then(() => slept.abort())
      await Promise.race([woken, deps.sleep(ms * (0.8 + 0.4 * deps.random()), AbortSignal.any([signal, slept.signal]))])
      slept.abort()
    }
    await turn.over
    hangUp() // the rules stay, and hold until we are back
    await removeKernelLine(deps, AbortSignal.timeout(GOODBYE_MS)).catch((error: unknown) =>
      log.warn('the container that speaks to the kernel is left behind', { error }),
    )
  }

  return {
    get state() {
      return state
    },
    async require(limit) {
      if (state?.state === 'unavailable') return
      await inTurn(limit)
      if (state?.state === 'missing')
        throw new ToolFailure(
          'isolation_failed',
          `The firewall of the tools is not there, and cannot be restored: ${state.message}`,
        )
    },
    wake: () => bell.resolve(),
    stopped: run(),
  }
}

/** From Docker, each time: whoever asks for protection is not relied on to say so. */
async function protectedNow({ docker, owner }: KernelLineDeps, signal: AbortSignal): Promise<Protected> {
  const networks = await docker.listNetworks(`${LABEL.owner}=${owner}`, signal)
  const ofTools = networks.filter(({ Labels }) => Labels[LABEL.instance] !== undefined)
  const gateway = ofTools.length === 0 ? undefined : await docker.inspectContainer(gatewayNameOf(owner), signal)
  const { IPAddress = '', GlobalIPv6Address = '', MacAddress = '' } = gateway?.NetworkSettings.Networks['bridge'] ?? {}
  // With an address of IPv6 it has a second one, and the machine answers there too.
  const linkLocal = GlobalIPv6Address === '' || MacAddress === '' ? '' : linkLocalOf(MacAddress)
  const addresses = [IPAddress, GlobalIPv6Address, linkLocal].filter((address) => address !== '')
  return { bridges: ofTools.map(({ Id }) => `br-${Id.slice(0, 12)}`).sort(), gateway: addresses }
}

const isUnavailable = (error: unknown): boolean =>
  error instanceof FirewallUnavailable || (error instanceof NetlinkError && UNSUPPORTED.has(error.errno))
