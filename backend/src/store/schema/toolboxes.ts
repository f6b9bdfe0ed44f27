import type {
  Boot,
  Direct,
  InstallVariant,
  Observation,
  Placement,
  Provider,
  Road,
  RoadChange,
  SshHostKey,
  SshPlace,
  ToolboxStatus,
} from '@agentopia/api'
import type { DockerState, InstallationKind, SystemMetrics, UpdateState } from '@agentopia/dtma/contract'
import { sql } from 'drizzle-orm'
import { bigint, check, index, integer, jsonb, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core'
import { accountId, at, createdAt, id, lease } from './columns.ts'

/** What has been done at the provider for a toolbox: written before and after each deed, so that none is done twice. */
export interface ProvisioningRecord {
  /** Which `retries` of the row this record belongs to. */
  readonly retry: number
  /** How often a machine was asked for. */
  readonly attempts: number
  /** ISO time of the last time. */
  readonly askedAt?: string
  /** How it ended: unknown until the provider answered. */
  readonly outcome?: 'unknown' | 'made' | 'refused'
  /** Looks since then that found no machine. */
  readonly emptyLooks: number
  /** ISO time of the last of these looks. */
  readonly lookedAt?: string
  /** ISO time at which the machine was first seen running with an address, or since when it is waited for anew: a fresh disk, a late enrolment. */
  readonly upSince?: string
  /** SHA-256 of the token in the user-data of the present machine, hex. */
  readonly bornWith?: string
  /** The road that the user-data of the present machine names. */
  readonly bornBy?: Road
  /** ISO time since when the machine is not found any more. */
  readonly missingSince?: string
  /** How often it was tried to lead the reserved address to this machine, which is another than before; absent: that is not to be done. */
  readonly addressTries?: number
}

/** The last renewal of the credentials of a toolbox, so that a repetition is known as such. */
export interface RenewalRecord {
  /** Chosen by DTMA: the same again is the same renewal, whose reply was lost. */
  readonly attempt: string
  /** Challenges that were used up and have not run out. */
  readonly used: readonly { readonly challenge: string; readonly until: number }[]
}

/** An update of DTMA that somebody asked for. */
export interface UpdateAsked {
  /** Names it towards DTMA, so that asking again is the same. */
  readonly attempt: string
  readonly version: string
  /** ISO time. */
  readonly askedAt: string
  /** The rollout that it belongs to. */
  readonly rollout?: string
  /** DTMA has this version already, and is deployed anew. */
  readonly again?: true
}

export interface UpdateRefusal {
  readonly attempt: string
  /** Code of the problem. */
  readonly reason: string
  readonly message: string
  /** ISO time. */
  readonly at: string
  /** Nobody refused it: DTMA did not say in time how it ended. */
  readonly isGivenUp?: true
  /** The last that it had said of it by then; absent: nothing. */
  readonly heard?: UpdateState
}

/** Other keys that somebody asked for. */
export interface KeyRotationAsked {
  /** Names it: the token that DTMA is handed comes from it. */
  readonly attempt: string
  /** `enrolEpoch` when it was asked for: a later one has other keys. */
  readonly epoch: number
  /** ISO time. */
  readonly askedAt: string
}

export interface KeyRotationRefusal {
  readonly attempt: string
  readonly message: string
  /** ISO time. */
  readonly at: string
  /** Nobody refused it: DTMA did not enrol in time. */
  readonly isGivenUp?: true
}

/** Another road that somebody asked for. */
export interface RoadAsked {
  readonly attempt: string
  readonly road: Road
  /** Of the direct road; absent: the address that is known, and DTMA's own port. */
  readonly address?: string
  readonly port?: number
  /** Who asked. */
  readonly actor: string
  /** ISO time. */
  readonly askedAt: string
}

/** How far the change of the road is: written before and after each deed, so that whoever goes on knows where. */
export interface RoadProgress {
  readonly attempt: string
  readonly phase: Exclude<RoadChange['phase'], 'asked'>
  /** ISO time of the phase. */
  readonly at: string
  /** From `closing` on: what `direct` was before. */
  readonly from?: Direct | null
  readonly failure?: Pick<RoadChange, 'reason' | 'message' | 'evidence' | 'nextStep'>
  /** Of one that is being undone: what is open still, and why; for people. */
  readonly open?: readonly string[]
}

/** One machine of one account that runs tools. */
export const toolboxes = pgTable(
  'account_tool_environments',
  {
    id: id(),
    accountId: accountId(),
    name: text('name').notNull(),
    provider: text('provider').$type<Provider>().notNull(),
    // Desired: written by the API alone.
    desired: text('desired').$type<'present' | 'absent'>().notNull().default('present'),
    /** Of a droplet: what is asked for. */
    placement: jsonb('placement').$type<Placement>(),
    /** How it is dialled; null: by the tunnel that its DTMA dials. Written at first by the API, then by the reconciler of roads, when another one is proven. */
    direct: jsonb('direct').$type<Direct>(),
    /** How DTMA is installed. */
    installVariant: text('install_variant').$type<InstallVariant>().notNull().default('docker'),
    /** Of a server over SSH: where it is. */
    sshPlace: jsonb('ssh_place').$type<SshPlace>(),
    /** The host key that somebody accepted. */
    sshHostKey: jsonb('ssh_host_key').$type<SshHostKey>(),
    /** How often somebody asked to try again. */
    retries: integer('retries').notNull().default(0),
    /** The last update of DTMA that was asked for. */
    updateAsked: jsonb('update_asked').$type<UpdateAsked>(),
    /** The last change of its keys that was asked for. */
    keyRotationAsked: jsonb('key_rotation_asked').$type<KeyRotationAsked>(),
    /** The last other road that was asked for. */
    roadAsked: jsonb('road_asked').$type<RoadAsked>(),
    // Observed: written by the reconciler and the uplink.
    status: text('status').$type<ToolboxStatus>().notNull().default('pending_provision'),
    statusReason: text('status_reason'),
    statusSince: at('status_since').notNull().defaultNow(),
    doDropletId: bigint('do_droplet_id', { mode: 'number' }),
    publicIpAddress: text('public_ip_address'),
    reservedIpAddress: text('reserved_ip_address'),
    provisioning: jsonb('provisioning').$type<ProvisioningRecord>(),
    /** Written by the uplink. */
    boot: jsonb('boot').$type<Boot>(),
    lastHeartbeatAt: at('last_heartbeat_at'),
    /** Run of DTMA that reports now, and the last heartbeat counted of it. */
    runId: text('run_id'),
    heartbeatSeq: bigint('heartbeat_seq', { mode: 'number' }).notNull().default(0),
    /** Runs that a newer one has replaced, newest first, the last few: what they still say is late. */
    supersededRuns: jsonb('superseded_runs').$type<string[]>().notNull().default([]),
    dtmaVersion: text('dtma_version'),
    /** Null: a container, or nobody has heard. */
    installation: text('installation').$type<InstallationKind>(),
    /** How far it is, as DTMA reports it. */
    updateState: jsonb('update_state').$type<UpdateState>(),
    /** Why it did not begin, or was given up; written by the reconciler of updates. */
    updateRefusal: jsonb('update_refusal').$type<UpdateRefusal>(),
    /** Why the change of keys did not begin, or was given up; written by the reconciler of key rotations. */
    keyRotationRefusal: jsonb('key_rotation_refusal').$type<KeyRotationRefusal>(),
    /** How far the change of the road is; written by the reconciler of roads. */
    roadProgress: jsonb('road_progress').$type<RoadProgress>(),
    machine: jsonb('machine').$type<{ hostname: string; os: string; arch: string }>(),
    docker: jsonb('docker').$type<DockerState>(),
    system: jsonb('system').$type<SystemMetrics>(),
    /** By how much its clock is ahead of ours, milliseconds; null: it is right, or has not said. */
    clockSkewMs: bigint('clock_skew_ms', { mode: 'number' }),
    observation: jsonb('observation').$type<Observation>(),
    // Identity: written by enrolment.
    enrolEpoch: integer('enrol_epoch').notNull().default(0),
    /** Ed25519, SPKI DER, base64. */
    publicKey: text('public_key'),
    /** SHA-256, hex. */
    dtmaBearerToken: text('dtma_bearer_token'),
    /** Null: it holds until it is replaced. */
    bearerExpiresAt: at('bearer_expires_at'),
    /** Counts the renewals since the enrolment; the holder of the identity counts along. */
    renewals: integer('renewals').notNull().default(0),
    renewal: jsonb('renewal').$type<RenewalRecord>(),
    /** How often it came back with a credential that had run out. */
    recoveries: integer('recoveries').notNull().default(0),
    /** Sealed. */
    backendToDtmaApiKey: text('backend_to_dtma_api_key'),
    createdAt: createdAt(),
    deletedAt: at('deleted_at'),
    ...lease,
  },
  (t) => [
    uniqueIndex('toolbox_name').on(t.accountId, t.name).where(sql`deleted_at is null`),
    uniqueIndex('toolbox_bearer_token').on(t.dtmaBearerToken),
    index('toolbox_lease').on(t.leaseUntil),
    check(
      'toolbox_status',
      sql`${t.status} in ('pending_provision','provisioning','awaiting_heartbeat','active','unresponsive','error_provisioning','lost','pending_deprovision','deprovisioning','deprovisioned','error_deprovisioning','resizing','quarantined')`,
    ),
  ],
)

/** One-time right of a new DTMA to become a toolbox. */
export const enrolmentTokens = pgTable('enrolment_tokens', {
  /** SHA-256 of the token, hex. */
  digest: text('digest').primaryKey(),
  accountId: accountId(),
  toolboxId: text('toolbox_id')
    .notNull()
    .references(() => toolboxes.id, { onDelete: 'cascade' }),
  expiresAt: at('expires_at').notNull(),
  usedAt: at('used_at'),
  /** Whose key used it: the same key may repeat the enrolment after a lost reply. */
  usedByKey: text('used_by_key'),
  createdAt: createdAt(),
})
