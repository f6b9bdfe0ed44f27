import { expect, it } from 'vitest'
import { startWithCloud } from './cloud.ts'
import { dropletStory } from './droplet.story.ts'
import { createStory } from './story.ts'

it('does with a droplet what people ask: reboot, power, resize, rebuild, snapshot, reserved address', async () => {
  const steps: string[] = []
  await using both = await startWithCloud()
  const story = createStory((line) => {
    steps.push(line)
    process.stdout.write(`${line}\n`)
  })
  await dropletStory(both, story)
  expect(steps.length).toBeGreaterThan(15)
  expect(steps.filter((line) => line.includes('✖'))).toEqual([])
})
