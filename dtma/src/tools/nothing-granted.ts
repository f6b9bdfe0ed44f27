import type { CreateBody, HostConfig } from '../engine/docker.types.ts'

/** What every container of ours is refused, tool or helper: no privilege, no device, no road to the machine, no way back up. */
export const NOTHING_GRANTED = {
  ReadonlyRootfs: true,
  Privileged: false,
  CapDrop: ['ALL'],
  CapAdd: [],
  MemoryReservation: 0,
  Init: true,
  OomKillDisable: false,
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  PublishAllPorts: false,
  PortBindings: {},
  Binds: [],
  Devices: [],
  DeviceRequests: [],
  DeviceCgroupRules: [],
  PidMode: '',
  IpcMode: 'private',
  UTSMode: '',
  UsernsMode: '',
  CgroupnsMode: 'private',
  CgroupParent: '',
  Runtime: '',
  DnsSearch: [],
  ExtraHosts: [],
  VolumesFrom: [],
  VolumeDriver: '',
  Links: [],
  GroupAdd: [],
} as const satisfies Partial<HostConfig>

/** What an image may say of itself and is not heard on, and what nobody attaches to at creation. */
export const NOTHING_HEARD = {
  Healthcheck: { Test: ['NONE'] },
  ExposedPorts: {},
  Volumes: {},
  Tty: false,
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  StdinOnce: false,
  NetworkDisabled: false,
  NetworkingConfig: {},
} as const satisfies Partial<CreateBody>
