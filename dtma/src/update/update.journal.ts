import { join } from 'node:path'
import * as z from 'zod/mini'
import { type InstallationKind, UpdateReason, type UpdateState } from '../contract/release.ts'
import { type StateFile, stateFile } from '../state-file.ts'

/** Of a DTMA in a container. */
export const ContainerSwitch = z.object({
  /** Id of the container that is to be replaced, and the name that its successor gets. */
  old: z.string(),
  name: z.string(),
  /** Id of the new image. */
  image: z.string(),
})
export type ContainerSwitch = z.infer<typeof ContainerSwitch>

/** Of a DTMA that is a service of the system: the directory of the new program, under that of all. */
export const ProgramSwitch = z.object({ program: z.string().check(z.regex(/^[0-9A-Za-z.-]+$/)) })
export type ProgramSwitch = z.infer<typeof ProgramSwitch>

/** For which kind of installation it is. */
export const kindOf = (to: ContainerSwitch | ProgramSwitch): InstallationKind =>
  'program' in to ? 'service' : 'container'

/**
 * What has been done of an update, written before the next thing is. It has one writer at a time: until `switching` the DTMA
 * that is to be replaced, from then on the switcher.
 */
export const UpdateJournal = z.object({
  attempt: z.string(),
  version: z.string(),
  /** The version before. */
  from: z.string(),
  /** `accepted`: the new one has proven itself. `falling_back`: it has not. */
  phase: z.enum(['loading', 'switching', 'proving', 'accepted', 'falling_back', 'done', 'fell_back', 'failed']),
  since: z.string(),
  /** As it was asked for: a DTMA that was killed while it loaded begins again. */
  release: z.object({ manifest: z.string(), signature: z.string() }),
  /** How often the loading was begun. */
  tries: z.int(),
  reason: z.optional(UpdateReason),
  message: z.optional(z.string()),
  /** Known from `switching` on. */
  switch: z.optional(z.union([ContainerSwitch, ProgramSwitch])),
})
export type UpdateJournal = z.infer<typeof UpdateJournal>

/** What the new DTMA has shown of itself in this attempt. */
export const Proof = z.object({
  attempt: z.string(),
  /** The control plane has accepted a heartbeat of it. */
  heard: z.boolean(),
  /** It has listed its containers. */
  docker: z.boolean(),
  /** It has tried what tools can reach, and found nothing that they must not. */
  isolation: z.boolean(),
})
export type Proof = z.infer<typeof Proof>

export const isComplete = ({ heard, docker, isolation }: Proof): boolean => heard && docker && isolation

export interface UpdateFiles {
  readonly journal: StateFile<UpdateJournal>
  readonly proof: StateFile<Proof>
  /** Where what was fetched is until it has been taken in. */
  readonly archive: string
}

export const updateFiles = (stateDirectory: string): UpdateFiles => ({
  journal: stateFile(join(stateDirectory, 'update.json'), UpdateJournal),
  proof: stateFile(join(stateDirectory, 'update-proof.json'), Proof),
  archive: join(stateDirectory, 'update-archive.gz'),
})

const PHASE_SHOWN = { accepted: 'proving', falling_back: 'proving' } as const

/** What people see of it. @param percent Of the download. */
export function stateOf(journal: UpdateJournal, percent?: number): UpdateState {
  const { attempt, version, from, phase, since, reason, message } = journal
  return {
    attempt,
    version,
    from,
    phase: phase === 'accepted' || phase === 'falling_back' ? PHASE_SHOWN[phase] : phase,
    since,
    ...(phase === 'loading' && percent !== undefined ? { percent } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
  }
}
