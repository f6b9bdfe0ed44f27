import { expect, it } from 'vitest'
import { cloudStory } from './cloud.story.ts'
import { startWithReleases } from './cloud.ts'
import { createStory } from './story.ts'

it('passes the acceptance story on an emulated DigitalOcean: from an account with nothing to one with nothing but its history', async () => {
  const steps: string[] = []
  await using both = await startWithReleases()
  const story = createStory((line) => {
    steps.push(line)
    process.stdout.write(`${line}\n`)
  })
  await cloudStory(both, story)
  expect(steps.length).toBeGreaterThan(30)
  expect(steps.filter((line) => line.includes('✖'))).toEqual([])
})
