// npm run story:cloud [-- --kill] [--bare] [--variant systemd]: the acceptance story on an emulated DigitalOcean, step by step with times;
// with --kill the control plane is killed in every step, with --bare the droplet has no Docker, and --variant says how DTMA is
// installed. Needs `npm start`'s set-up.

import { InstallVariant } from '@agentopia/api'
import { cloudStory } from './cloud.story.ts'
import { startWithReleases } from './cloud.ts'
import { createStory } from './story.ts'

const story = createStory((line) => console.log(line))
await using both = await story.step('an emulated DigitalOcean and the control plane start', () => startWithReleases())
try {
  const bare = process.argv.includes('--bare')
  const at = process.argv.indexOf('--variant')
  await cloudStory(both, story, {
    kill: process.argv.includes('--kill'),
    ...(at === -1 ? {} : { variant: InstallVariant.parse(process.argv[at + 1]) }),
    ...(bare ? { image: 'debian-12-x64' as const } : {}),
  })
} catch (error) {
  console.error(error, `\nWhat the control plane said:\n${both.product.output().split('\n').slice(-60).join('\n')}`)
  process.exitCode = 1
}
