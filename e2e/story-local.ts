// npm run story:local: the main job from a start to a real tool answering, step by step with times. Needs `npm start`'s set-up.
import { localStory } from './local.story.ts'
import { startProduct } from './product.ts'
import { createStory } from './story.ts'

const story = createStory((line) => console.log(line))
await using product = await story.step('the control plane starts on a new data directory', () => startProduct())
try {
  await localStory(product, story)
} catch (error) {
  console.error(error, `\nWhat the control plane said:\n${product.output()}`)
  process.exitCode = 1
}
