import { expect, test } from 'vitest'
import { EngineError } from '../engine/engine-error.ts'
import { createLog } from '../log.ts'
import { clearLeftovers } from './leftovers.ts'
import { contextOf } from './package-image.ts'

const OWNER = 'a'.repeat(32)
const log = createLog({ level: 'error', write: () => undefined, date: () => new Date() })

/** Images without names, each with the one that it is built on. */
function withImages(builtOn: Readonly<Record<string, string | undefined>>, used: readonly string[] = []) {
  const images = new Map(Object.entries(builtOn))
  const asked: string[] = []
  const docker = {
    listImages: async () => [],
    removeImage: async () => undefined,
    listNetworks: async () => [],
    removeNetwork: async () => undefined,
    async listUnnamedImages(label: string) {
      asked.push(label)
      const under = new Set(images.values())
      return [...images.keys()].filter((id) => !under.has(id)).map((Id) => ({ Id, RepoTags: [] }))
    },
    async removeUnnamedImage(id: string) {
      if (used.includes(id)) throw new EngineError('conflict', 'a container uses it')
      images.delete(id)
    },
  }
  const { signal } = new AbortController()
  const inUse = () => ({ images: new Set<string>(), networks: new Set<string>() })
  const clear = (isBuilding: () => boolean = () => false) =>
    clearLeftovers({ docker, owner: OWNER, isBuilding, inUse, log, sleep: async () => undefined, signal })
  return { images, asked, clear }
}

test('what a build has left goes layer by layer, of ours only', async () => {
  const { asked, clear } = withImages({ copied: 'labelled', labelled: undefined, stage: undefined })
  expect(await clear()).toEqual(['copied', 'stage', 'labelled'])
  expect(new Set(asked)).toEqual(new Set([`dtma.owner=${OWNER}`]))
})

test('what a container uses stays, and is not asked for without end', async () => {
  const { images, clear } = withImages({ used: undefined, other: undefined }, ['used'])
  expect(await clear()).toEqual(['other'])
  expect([...images.keys()]).toEqual(['used'])
})

test('while something is built nothing is taken away that it may use, also when it begins in the middle', async () => {
  const { images, clear } = withImages({ one: undefined, two: undefined })
  expect(await clear(() => true)).toEqual([])
  expect(await clear(() => !images.has('one'))).toEqual(['one'])
  expect(await clear()).toEqual(['two'])
})

test('every stage of a build is labelled as ours right after its beginning', async () => {
  const files = { Dockerfile: 'FROM a AS b\nRUN x\nFROM c\nCOPY --from=b /x /x\n', other: 'FROM d\n' }
  let tar = ''
  for await (const chunk of contextOf({ tag: 't:1', files }, OWNER)) tar += String(chunk)
  const label = `LABEL dtma.owner=${OWNER}`
  expect(tar).toContain(`FROM a AS b\n${label}\nRUN x\nFROM c\n${label}\nCOPY --from=b /x /x\n`)
  expect(tar).toContain('FROM d\n')
  expect(tar.split(label)).toHaveLength(3)
})
