import { expect, it } from 'vitest'
import { startWithCloud } from './cloud.ts'
import { manyDroplets } from './many-droplets.story.ts'
import { createStory } from './story.ts'

it('has three droplets at once: each asked for once, all active, none left', async () => {
  const steps: string[] = []
  await using both = await startWithCloud()
  await manyDroplets(
    both,
    createStory((line) => steps.push(line)),
    3,
  )
  expect(steps.filter((line) => line.includes('✔'))).toHaveLength(4)
})
