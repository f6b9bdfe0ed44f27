import type { InstallVariant } from '@agentopia/api'
import { docker, onMachine } from '@agentopia/testbed/machines'
import { waitFor } from './product.ts'

const RESTART_MS = 150_000

/** A droplet as its owner has it who is root there: for what goes wrong on a machine without the control plane being asked. */
export interface DropletMachine {
  readonly name: string
  /** When it was started last: another text after each time. */
  bootedAt(): Promise<string>
  /** Kills the servers of these tools, as a crash does; returns when others run. @param tools As DTMA names them. */
  crashTools(...tools: readonly string[]): Promise<void>
  /** Kills DTMA, as a crash does. */
  crashDtma(): Promise<void>
  /** Kills DTMA, and it stays away. Succeeds when it is away already. */
  keepDtmaAway(): Promise<void>
  startDtma(): Promise<void>
}

export function dropletMachine(dropletId: number, toolboxId: string, variant: InstallVariant): DropletMachine {
  const name = `agentopia-droplet-${dropletId}`
  const shell = (script: string) => onMachine(name, ['sh', '-c', script])
  const container = `agentopia-dtma-${toolboxId}`
  const isService = variant === 'systemd' || variant === 'git'

  async function serverOf(tool: string): Promise<number | undefined> {
    const find = `docker ps --quiet --no-trunc --filter label=dtma.instance=${tool}`
    const pid = await shell(`docker inspect --format '{{.State.Pid}}' $(${find})`).catch(() => '')
    return Number(pid) || undefined
  }
  const other = (tool: string, than?: number) =>
    waitFor(`${tool} does not run`, RESTART_MS, async () => {
      const pid = await serverOf(tool)
      return pid === than ? undefined : pid
    })

  return {
    name,
    bootedAt: () => docker(['inspect', '--format', '{{.State.StartedAt}}', name]),
    async crashTools(...tools) {
      const before = await Promise.all(tools.map((tool) => other(tool)))
      await shell(`kill -9 ${before.join(' ')}`)
      await Promise.all(tools.map((tool, n) => other(tool, before[n])))
    },
    async crashDtma() {
      await shell("pkill -9 -f '/dtma.cjs$'")
    },
    async keepDtmaAway() {
      await shell(
        isService
          ? 'systemctl kill --signal=KILL agentopia-dtma; systemctl stop agentopia-dtma'
          : `docker kill ${container} || test "$(docker inspect --format '{{.State.Running}}' ${container})" = false`,
      )
    },
    async startDtma() {
      await shell(isService ? 'systemctl start agentopia-dtma' : `docker start ${container}`)
    },
  }
}
