import { appendImageArchive, beginImageArchive, type ImageArchive } from '@agentopia/api'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { callOperation } from '../api/client.ts'
import { pause } from '../api/pause.ts'
import { archiveFileOf } from './archive-file.ts'
import { type ArchiveRoad, type ArchiveSource, type PushStep, pushArchive } from './archive-push.ts'

/** A part on a slow line; with the last one, and where it had come whole before, the control plane looks at all of it. */
const PART_MS = 600_000

const ROAD: ArchiveRoad = {
  begin: (body, signal) => callOperation(beginImageArchive, { body }, { signal, deadlineMs: PART_MS }),
  append: (params, upload, signal) =>
    callOperation(appendImageArchive, { params }, { upload, signal, deadlineMs: PART_MS }),
  pause,
  random: Math.random,
  now: () => performance.now(),
}

export interface ArchivePush {
  /** What is under way; absent: nothing. */
  readonly running: (PushStep & Pick<ArchiveSource, 'name' | 'size'>) | undefined
  /** What arrived last. */
  readonly pushed: ImageArchive | undefined
  readonly error: unknown
  readonly push: (file: File) => void
  /** The same file once more, from where it ended. */
  readonly again: () => void
  /** What has arrived stays, for whoever chooses the same file again. */
  readonly cancel: () => void
}

/** Pushes archives of images, one at a time. Whoever leaves ends it. */
export function useArchivePush(onPushed: (archive: ImageArchive) => void): ArchivePush {
  const queries = useQueryClient()
  const [step, setStep] = useState<PushStep>()
  const leaving = useRef<AbortController>(undefined)
  useEffect(() => () => leaving.current?.abort(), [])
  const { mutate, reset, variables, isPending, data, error } = useMutation<ImageArchive, Error, ArchiveSource>({
    mutationKey: [appendImageArchive.id],
    mutationFn: (source) => {
      leaving.current = new AbortController()
      return pushArchive(source, ROAD, setStep, leaving.current.signal)
    },
    onSettled: () => queries.invalidateQueries(),
  })
  const start = (source: ArchiveSource) => {
    setStep(undefined)
    mutate(source, { onSuccess: onPushed })
  }
  return {
    running: isPending && step && variables ? { ...step, name: variables.name, size: variables.size } : undefined,
    pushed: data,
    error,
    push: (file) => start(archiveFileOf(file)),
    again: () => variables && start(variables),
    cancel: () => {
      leaving.current?.abort()
      reset()
    },
  }
}
