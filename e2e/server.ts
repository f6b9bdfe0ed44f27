import {
  bridgeAddress,
  buildMachineImages,
  docker,
  type MachineImage,
  onMachine,
  removeMachine,
  startMachine,
  untilBooted,
} from '@agentopia/testbed/machines'
import { freePort, type Product, startProduct } from './product.ts'

const BOOT_MS = 60_000
const PREFIX = 'agentopia-testbed'

/**
 * A server as somebody might own it, with systemd and, unless its image is a bare one, a Docker of its own; one of that name that was left is taken away first.
 * @param name Begins with `agentopia-testbed-`.
 * @returns Its IPv4 address, when it has booted.
 */
export async function startServer(
  name: string,
  memoryMb = 1_024,
  image: MachineImage = `${PREFIX}:docker`,
): Promise<string> {
  await buildMachineImages()
  await removeMachine(name)
  const label = name.replace(`${PREFIX}-`, `${PREFIX}=`)
  await startMachine({ name, image, network: 'bridge', memoryMb, label })
  await untilBooted(name, BOOT_MS)
  return docker(['inspect', '--format', '{{.NetworkSettings.Networks.bridge.IPAddress}}', name])
}

/** Pastes a line on a server, as a terminal has it: a shell reads it, and it is in nobody's arguments. @returns What was said. */
export const paste = (server: string, line: string): Promise<string> =>
  onMachine(server, ['sh', '-s'], `cd /root && ${line}\n`)

/** The product without a local toolbox, where servers reach it. @param program Another build than that of `dist/`. */
export async function startReachable(env: Readonly<Record<string, string>> = {}, program?: string): Promise<Product> {
  const port = await freePort()
  const reached = { PORT: String(port), HOST: '0.0.0.0', PUBLIC_URL: `http://${await bridgeAddress()}:${port}` }
  return startProduct({ ...reached, LOCAL_TOOLBOX: 'off', ...env }, program)
}
