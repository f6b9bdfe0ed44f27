import {
  getProvider,
  listProviderOptions,
  type ProviderState,
  removeProviderToken,
  setProviderToken,
} from '@agentopia/api'
import { command } from '../../command.ts'
import { facts, table } from '../../output.ts'

const DEADLINE_MS = 70_000

/** The token comes by standard input, never by argument: arguments are visible to every process of the machine. */
export const providerSet = command(
  'set',
  'Store a token of DigitalOcean: paste it on standard input',
  {},
  async ({ client, output, world, signal }) => {
    output.note('Paste the token of DigitalOcean, then press Enter:')
    const token = (await world.readInput()).trim()
    const limit = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
    output.result(await client.call(setProviderToken, { body: { token } }, { signal: limit }), inShort)
  },
)

export const providerShow = command('show', 'Whether DigitalOcean is configured', {}, async ({ client, output }) => {
  output.result(await client.call(getProvider, {}), inShort)
})

export const providerForget = command('forget', 'Forget the token of DigitalOcean', {}, async ({ client, output }) => {
  await client.call(removeProviderToken, {})
  output.result({ configured: false }, () => 'The token is forgotten')
})

export const providerOptions = command(
  'options',
  'List the regions, sizes with prices, and images of droplets',
  {},
  async ({ client, output }) => {
    output.result(await client.call(listProviderOptions, {}), ({ regions, sizes, images }) =>
      [
        table(
          ['region', 'name'],
          regions.map(({ slug, name }) => [slug, name]),
        ),
        table(
          ['size', 'memory MB', 'CPUs', 'disk GB', 'USD a month'],
          sizes.map(({ slug, memoryMb, vcpus, diskGb, monthlyUsd }) => [slug, memoryMb, vcpus, diskGb, monthlyUsd]),
        ),
        table(
          ['image', 'name'],
          images.map(({ slug, name }) => [slug, name]),
        ),
      ].join('\n\n'),
    )
  },
)

const inShort = ({ configured, hint, missingScopes }: ProviderState): string =>
  facts([
    ['configured', configured],
    ['token', hint && `…${hint}`],
    ['lacks', missingScopes.length === 0 ? undefined : missingScopes.join(', ')],
  ])
