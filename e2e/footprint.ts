import { onMachine } from '@agentopia/testbed/machines'

/** What changes on any machine that runs: caches, logs, clocks, and the older copies that the system keeps of its own lists. */
const RESTLESS =
  /^\/(?:proc|sys|dev|run|tmp|var\/(?:backups|cache|log(?!\/agentopia)|tmp|lib\/(?:docker|containerd|systemd|apt|dpkg|cloud|testbed-booted)))(?:\/|$)|^\/etc\/(?:passwd|shadow|group|gshadow|subuid|subgid)-$/

/**
 * Names of the tables of both families of IP, of which Docker and iptables make none. The machines have no nft, so Perl asks the kernel:
 * NFT_MSG_GETTABLE as a dump; each name is an attribute of type 1.
 */
const TABLES = String.raw`
socket(my $socket, 16, 3, 12) or exit 0;
send($socket, pack("L S S L L C C n", 20, 2561, 769, 1, 0, 1, 0, 0), 0) or die "send: $!";
defined recv($socket, my $answer, 1 << 16, 0) or die "receive: $!";
print "$1\n" while $answer =~ /\x01\x00([\w-]+)\0/g;
`

const LOOKS = {
  files: "find / -xdev \\( -path /proc -o -path /sys -o -path /var/lib/docker \\) -prune -o -printf '%p %u:%g %m\\n'",
  users: 'getent passwd; getent group',
  packages: 'dpkg --get-selections',
  units: 'systemctl list-unit-files --no-legend --no-pager',
  containers: 'docker ps --all --quiet',
  images: 'docker images --all --quiet',
  volumes: 'docker volume ls --quiet',
  networks: "docker network ls --format '{{.Name}}'",
  firewall: "iptables-save | grep -v '^[#:]'",
  tables: `perl -e '${TABLES}'`,
} as const

export type Footprint = Readonly<Record<keyof typeof LOOKS, readonly string[]>>

/** Everything by which an installation could be told from a machine that never had one. */
export async function footprintOf(machine: string): Promise<Footprint> {
  const names = Object.keys(LOOKS) as (keyof typeof LOOKS)[]
  const pairs = names.map(async (name) => {
    const lines = (await onMachine(machine, ['sh', '-c', LOOKS[name]])).split('\n')
    return [name, lines.filter((line) => line !== '' && !RESTLESS.test(line.split(' ', 1)[0]!)).sort()] as const
  })
  return Object.fromEntries(await Promise.all(pairs)) as Record<keyof typeof LOOKS, string[]>
}
