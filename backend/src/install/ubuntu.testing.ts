/**
 * What Ubuntu's server images have, as far as our scripts rely on it. No Ubuntu can be had where the tests run: this is written down
 * from the package lists of the two releases (packages.ubuntu.com, main and universe), and held against the scripts.
 */
export const UBUNTU = {
  '22.04': { systemd: 249, apt: 2.4, glibc: '2.35', glibcxx: '3.4.30' },
  '24.04': { systemd: 255, apt: 2.7, glibc: '2.39', glibcxx: '3.4.33' },
} as const

/** Packages that every server has: essential, or of the priorities required and important, in both releases. */
const BASE = {
  apt: ['apt-get'],
  coreutils: [
    ...['cat', 'chmod', 'chown', 'comm', 'cp', 'cut', 'date', 'env', 'head', 'id', 'install', 'ln', 'ls', 'mkdir'],
    ...['mktemp', 'mv', 'readlink', 'rm', 'sha256sum', 'sleep', 'sort', 'stat', 'tail', 'timeout', 'touch', 'tr'],
  ],
  diffutils: ['cmp'],
  dpkg: ['dpkg', 'dpkg-query'],
  findutils: ['xargs'],
  grep: ['grep'],
  gzip: ['gzip'],
  'init-system-helpers': ['service'],
  mawk: ['awk'],
  passwd: ['useradd', 'userdel'],
  sed: ['sed'],
  systemd: ['journalctl', 'systemctl'],
} as const

/** What is of the image, or installed by the scripts themselves, or used only where it is there. */
const BROUGHT = ['curl', 'docker', 'git', 'nft', 'ufw'] as const

/** Of other systems, behind a look whether they are there. */
const ELSEWHERE = ['dnf', 'apk'] as const

export const COMMANDS: ReadonlySet<string> = new Set([...Object.values(BASE).flat(), ...BROUGHT, ...ELSEWHERE])

/** What the scripts name to apt-get; docker.io is of universe, which the images of clouds have switched on. */
export const PACKAGES: ReadonlySet<string> = new Set(['apparmor', 'ca-certificates', 'curl', 'docker.io', 'git'])

/** What a unit may say, and the version of systemd that brought it, as its manual pages say; 1: older than anybody's. */
export const DIRECTIVES: Readonly<Record<string, number>> = {
  After: 1,
  Before: 1,
  CapabilityBoundingSet: 1,
  Description: 1,
  Environment: 1,
  ExecStart: 1,
  LockPersonality: 235,
  NoNewPrivileges: 187,
  OOMScoreAdjust: 1,
  PrivateDevices: 209,
  PrivateTmp: 1,
  ProtectClock: 245,
  ProtectControlGroups: 232,
  ProtectHome: 214,
  ProtectHostname: 242,
  ProtectKernelLogs: 244,
  ProtectKernelModules: 232,
  ProtectKernelTunables: 232,
  ProtectProc: 247,
  ProtectSystem: 214,
  ReadWritePaths: 231,
  RemoveIPC: 232,
  Restart: 1,
  RestartPreventExitStatus: 189,
  RestartSec: 1,
  RestrictAddressFamilies: 211,
  RestrictNamespaces: 233,
  RestrictRealtime: 231,
  RestrictSUIDSGID: 242,
  StartLimitIntervalSec: 230,
  SupplementaryGroups: 1,
  SystemCallArchitectures: 209,
  SystemCallErrorNumber: 209,
  SystemCallFilter: 187,
  TimeoutStopSec: 188,
  Type: 1,
  UMask: 1,
  User: 1,
  WantedBy: 1,
  Wants: 1,
}
