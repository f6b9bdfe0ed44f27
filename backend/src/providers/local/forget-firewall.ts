import { setTimeout as sleep } from 'node:timers/promises'
import { ProviderError } from '../provider.ts'
import type { Docker } from './docker.ts'

/**
 * A program in Perl that takes a table away from the machine's firewall, by its name; also where there is none. It speaks netlink, as
 * DTMA does, since a machine need not have `nft`. On one line and without single quotes: a script of the shell carries it.
 * Where the kernel has no nftables (EOPNOTSUPP and its like), or nobody may (EPERM), DTMA has made none.
 */
export const FORGET_FIREWALL = [
  'use strict; use warnings; use Socket;',
  'sub message { my ($type, $flags, $family, $id, $rest) = @_;',
  'pack("L S S L L C C n", 20 + length $rest, $type, 1 | $flags, 1, 0, $family, 0, $id) . $rest }',
  'my $name = "$ARGV[0]\\0"; my $table = pack("S S", 4 + length $name, 1) . $name; $table .= "\\0" x (-length($table) % 4);',
  // A transaction that makes the table, which may be there, and removes it.
  'my $question = message(16, 0, 0, 10, "") . message(2560, 1024, 1, 0, $table)',
  '. message(2562, 4, 1, 0, $table) . message(17, 0, 0, 10, "");',
  'socket(my $socket, 16, SOCK_RAW, 12) or exit 0;',
  'setsockopt($socket, SOL_SOCKET, SO_RCVTIMEO, pack("l!l!", 3, 0)) or die "timeout: $!\\n";',
  'defined send($socket, $question, 0) or die "send: $!\\n";',
  'defined recv($socket, my $answer, 65536, 0) or die "receive: $!\\n";',
  'my ($type, $code) = unpack("x4 S x10 l", $answer);',
  'exit 0 if $type == 2 && grep { $code == $_ } 0, -1, -93, -95, -97;',
  'die "refused: $code\\n"',
].join(' ')

const LOOK_MS = 100
const DEADLINE_MS = 10_000

/**
 * Takes the rules of a DTMA, which has ended, out of the firewall of this machine: they would cut off whoever is given the address
 * of its gateway next. Repeatable. @param image Of DTMA, which carries Perl. @throws {ProviderError}
 */
export async function forgetFirewall(
  docker: Docker,
  { owner, image }: { readonly owner: string; readonly image: string },
  signal: AbortSignal,
): Promise<void> {
  const name = `agentopia-firewall-${owner.slice(0, 12)}`
  const limit = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  await docker.remove(name, signal)
  await docker.create(name, containerFor(`dtma-${owner.slice(0, 12)}`, image), limit)
  try {
    await docker.start(name, limit)
    let code: number | undefined
    while (code === undefined) {
      const state = (await docker.inspect(name, limit))?.State
      if (state?.Status === 'exited') code = state.ExitCode
      else await sleep(LOOK_MS, undefined, { signal: limit })
    }
    if (code !== 0) throw new ProviderError(`The rules of DTMA could not be taken out of the firewall (${code})`)
  } finally {
    await docker.remove(name, signal)
  }
}

const containerFor = (table: string, image: string) => ({
  Image: image,
  User: '0:0',
  Entrypoint: ['perl', '-e', FORGET_FIREWALL],
  Cmd: [table],
  HostConfig: {
    NetworkMode: 'host',
    CapDrop: ['ALL'],
    CapAdd: ['NET_ADMIN'],
    SecurityOpt: ['no-new-privileges'],
    ReadonlyRootfs: true,
  },
})
