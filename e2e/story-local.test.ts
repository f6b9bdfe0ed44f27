import { expect, it } from 'vitest'
import { localStory } from './local.story.ts'
import { startProduct } from './product.ts'
import { createStory } from './story.ts'

it('passes the main job on this machine, with every process killed on the way', async () => {
  const steps: string[] = []
  await using product = await startProduct()
  await localStory(
    product,
    createStory((line) => {
      steps.push(line)
      process.stdout.write(`${line}\n`)
    }),
  )
  expect(steps.length).toBeGreaterThan(15)
  expect(steps.filter((line) => line.includes('✖'))).toEqual([])
})
