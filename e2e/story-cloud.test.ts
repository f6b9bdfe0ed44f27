import { expect, it } from 'vitest'
import { cloudStory } from './cloud.story.ts'
import { startWithCloud } from './cloud.ts'
import { createStory } from './story.ts'

it('lives through the life of a droplet on an emulated DigitalOcean, with the control plane killed on the way', async () => {
  const steps: string[] = []
  await using both = await startWithCloud()
  const story = createStory((line) => {
    steps.push(line)
    process.stdout.write(`${line}\n`)
  })
  await cloudStory(both, story, { kill: true })
  expect(steps.length).toBeGreaterThan(15)
  expect(steps.filter((line) => line.includes('✖'))).toEqual([])
})
