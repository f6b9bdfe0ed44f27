import { type ImageArchive, listImageArchives, problem, removeImageArchive } from '@agentopia/api'
import { command } from '../../command.ts'
import { table } from '../../output.ts'

const MIB = 2 ** 20

export const imageLine = ({ image, digest, size, architecture }: ImageArchive): string =>
  `${image ?? 'An image without a name'} (${architecture ?? 'any machine'}, ${Math.ceil(size / MIB)} MiB) is here: ${digest}`

export const imageList = command('list', 'List the archives of images', {}, async ({ client, output }) => {
  const { items } = await client.call(listImageArchives, {})
  output.result(items, (all) =>
    table(
      ['image', 'machine', 'MiB', 'state', 'archive'],
      all.map(({ image, architecture, size, received, state, digest }) => [
        image,
        architecture,
        Math.ceil(size / MIB),
        state === 'ready' ? state : `${Math.floor((received / size) * 100)} %`,
        digest,
      ]),
    ),
  )
})

export const imageRemove = command(
  'remove',
  'Remove the archive of an image',
  { image: { type: 'positional', description: 'Name or digest of the image', required: true } },
  async ({ client, args, output }) => {
    const { items } = await client.call(listImageArchives, {})
    const found = items.filter(({ image, digest }) => digest === args.image || image === args.image)
    if (found.length !== 1)
      throw problem('image-not-found', `${found.length} archives are called ${args.image}; name one by its digest`)
    const [{ digest }] = found as [ImageArchive]
    await client.call(removeImageArchive, { params: { digest } })
    output.result({ removed: digest }, () => `${args.image} is removed`)
  },
)
