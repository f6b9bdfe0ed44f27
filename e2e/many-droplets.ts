// npm run story:droplets [-- 12]: so many droplets at once on an emulated DigitalOcean, with times and memory.
import { startWithCloud } from './cloud.ts'
import { manyDroplets } from './many-droplets.story.ts'
import { createStory } from './story.ts'

const many = Number(process.argv[2] ?? 12)
const story = createStory((line) => console.log(line))
await using both = await story.step('an emulated DigitalOcean and the control plane start', () => startWithCloud())
await manyDroplets(both, story, many)
