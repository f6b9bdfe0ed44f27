import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { scriptContainer } from '../egress/script-container.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import { EngineError } from '../engine/engine-error.ts'
import { ToolFailure } from '../tools/tool-failure.ts'
import { LABEL } from '../tools/tool-labels.ts'
import { NETLINK_SCRIPT } from './netlink.script.ts'
import { ListInterrupted, type NetlinkReply, repliesIn } from './netlink.ts'

/** Questions to the kernel of the machine, from a container that may do this and nothing else. */
export interface KernelLine {
  /** One at a time; again, when a list was interrupted. @throws {NetlinkError | ListInterrupted | FirewallUnavailable | Error} */
  ask(datagram: Buffer, signal: AbortSignal): Promise<readonly NetlinkReply[]>
  /** Ends the container, which ends by itself as well when we do. */
  close(): void
}

export interface KernelLineDeps {
  readonly docker: DockerApi
  readonly owner: string
  /** Id of an image with Perl: Debian's, and so Node's, have it. */
  readonly image: (signal: AbortSignal) => Promise<string>
}

/** This machine, or this image, can have no firewall of ours, whatever is tried. */
export class FirewallUnavailable extends Error {
  override readonly name = 'FirewallUnavailable'
}

export const kernelLineNameOf = (owner: string): string => `dtma-firewall-${owner.slice(0, 12)}`

const ANSWER_MS = 5_000
const REMOVE_MS = 5_000
/** A list is read within microseconds: whoever interrupts it this often does so on purpose. */
const MOST_TRIES = 10
const NO_PROGRAM = /executable file not found/
/** What the kernel says when it has no such thing at all. */
const ABSENT = /Protocol not supported|Address family not supported/

/** Makes a new one in the place of whatever was left of the last. @throws {ToolFailure | EngineError | FirewallUnavailable} */
export async function openKernelLine(deps: KernelLineDeps, signal: AbortSignal): Promise<KernelLine> {
  const { docker } = deps
  await removeKernelLine(deps, signal)
  const id = await docker
    .createContainer(kernelLineNameOf(deps.owner), await containerOf(deps, signal), signal)
    .catch(refusedAs('Docker does not make the container'))
  const { stdin, stdout, stderr, close } = await docker.attachContainer(id, { stderr: false }, signal)
  stderr.resume()
  // What the container cannot be told any more is said by the end of its output.
  stdin.on('error', () => undefined)
  try {
    await docker.startContainer(id, signal).catch(refusedAs('Its container does not start'))
  } catch (error) {
    close()
    // Where it cannot be removed either, whoever makes the next one removes it.
    await docker.removeContainer(id, AbortSignal.timeout(REMOVE_MS)).catch(() => undefined)
    throw error
  }
  const lines = createInterface(stdout)
  const ended = once(lines, 'close').then(() => undefined)

  async function askOnce(datagram: Buffer, signal: AbortSignal): Promise<readonly NetlinkReply[]> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)])
    const answered = once(lines, 'line', { signal: limit }).then(([line]) => String(line))
    stdin.write(`${datagram.toString('hex')}\n`)
    const line = await Promise.race([answered, ended])
    if (line === undefined) throw new Error('The container that speaks to the kernel has ended')
    if (ABSENT.test(line)) throw new FirewallUnavailable(`The kernel has no nftables: ${line.slice(2)}`)
    if (line.startsWith('!')) throw new Error(`The kernel was not asked: ${line.slice(2)}`)
    return repliesIn(Buffer.from(line, 'hex'))
  }

  return {
    async ask(datagram, signal) {
      for (let tries = 1; ; tries++) {
        try {
          return await askOnce(datagram, signal)
        } catch (error) {
          if (!(error instanceof ListInterrupted) || tries === MOST_TRIES) throw error
        }
      }
    },
    close,
  }
}

/** @throws {ToolFailure} `name_conflict` when a container of this name is somebody else's. */
export async function removeKernelLine({ docker, owner }: KernelLineDeps, signal: AbortSignal): Promise<void> {
  const name = kernelLineNameOf(owner)
  const left = await docker.inspectContainer(name, signal)
  if (!left) return
  if ((left.Config['Labels'] as Record<string, string> | null)?.[LABEL.owner] !== owner)
    throw new ToolFailure('name_conflict', `A container named ${name} exists that is not ours`)
  await docker.removeContainer(left.Id, signal)
}

async function containerOf({ owner, image }: KernelLineDeps, signal: AbortSignal) {
  const body = scriptContainer({ image: await image(signal), owner, network: 'host', script: '', memoryMib: 32 })
  return {
    ...body,
    // Root without any right but this one; a user of another number would not get it.
    User: '0:0',
    Entrypoint: ['perl', '-e', NETLINK_SCRIPT],
    Cmd: [],
    Env: [],
    StdinOnce: true,
    HostConfig: { ...body.HostConfig, CapAdd: ['NET_ADMIN'] },
  }
}

/** Docker's refusal is final: no Perl in the image, or no network of the machine for containers. */
const refusedAs =
  (what: string) =>
  (error: unknown): never => {
    const isFinal = error instanceof EngineError && (error.fault === 'invalid' || NO_PROGRAM.test(error.message))
    throw isFinal ? new FirewallUnavailable(`${what}: ${error.message}`) : error
  }
