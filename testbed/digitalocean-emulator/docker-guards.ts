import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Guard, Opening } from './firewalls.ts'

const execute = promisify(execFile)

/** Firewalls of the cloud: they stand before the machines, where nothing on these can change them. For what this machine dials. */
export interface DockerGuards {
  /** From now on; what was begun before goes on. */
  guard(guards: readonly Guard[]): Promise<void>
  close(): Promise<void>
}

/** @param bridge Of the network in which droplets are. @param chain That no other bed uses. */
export async function openDockerGuards(bridge: string, chain: string): Promise<DockerGuards> {
  const run = (...args: readonly string[]) => execute('iptables', ['-w', ...args])
  const hook = ['OUTPUT', '-o', bridge, '-j', chain]
  /** Replaces the whole chain at once. */
  const restore = (guards: readonly Guard[]) => {
    const running = execute('iptables-restore', ['-w', '--noflush'])
    running.child.stdin?.end(`*filter\n:${chain} -\n${linesOf(chain, guards).join('\n')}\nCOMMIT\n`)
    return running
  }
  await restore([])
  await run('-C', ...hook).catch(() => run('-I', ...hook))
  return {
    async guard(guards) {
      await restore(guards)
    },
    async close() {
      await run('-D', ...hook)
      await run('-F', chain)
      await run('-X', chain)
    },
  }
}

/** As `iptables-restore` reads them. */
export function linesOf(chain: string, guards: readonly Guard[]): string[] {
  const add = (...words: readonly string[]) => ['-A', chain, ...words].join(' ')
  const begun = guards.length === 0 ? [] : [add('-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN')]
  return [
    ...begun,
    ...guards.flatMap(({ address, openings }) => [
      ...openings.flatMap((opening) =>
        opening.sources.map((source) => add(`-s ${source} -d ${address}`, portsOf(opening), '-j RETURN')),
      ),
      add(`-d ${address} -j DROP`),
    ]),
  ]
}

function portsOf({ protocol, ports }: Opening): string {
  if (protocol === 'icmp' || ports === '0') return `-p ${protocol}`
  return `-p ${protocol} --dport ${ports.replace('-', ':')}`
}
