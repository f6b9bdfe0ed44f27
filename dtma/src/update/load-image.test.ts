import { expect, test } from 'vitest'
import { EngineError } from '../engine/engine-error.ts'
import { clearEarlierImages } from './load-image.ts'

test('D16 images of earlier updates go; the present one, one in use and one of another name stay', async () => {
  const removed: string[] = []
  const docker = {
    listImages: async () => [
      { Id: 'sha256:now', RepoTags: ['agentopia-dtma:aaaaaaaaaaaa'] },
      { Id: 'sha256:before', RepoTags: ['agentopia-dtma:bbbbbbbbbbbb', 'agentopia-dtma:latest'] },
      { Id: 'sha256:used', RepoTags: ['agentopia-dtma:cccccccccccc'] },
      { Id: 'sha256:older', RepoTags: ['agentopia-dtma:dddddddddddd'] },
    ],
    removeImage: async (tag: string) => {
      if (tag.endsWith('c')) throw new EngineError('conflict', 'a container uses it')
      removed.push(tag)
    },
  }
  await clearEarlierImages(docker, 'sha256:now', new AbortController().signal)
  expect(removed).toEqual(['agentopia-dtma:bbbbbbbbbbbb', 'agentopia-dtma:dddddddddddd'])
})
