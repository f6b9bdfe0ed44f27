import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import {
  appendImageArchive,
  beginImageArchive,
  type Client,
  type ImageArchive,
  MOST_PART_BYTES,
  ProblemError,
  problem,
} from '@agentopia/api'
import { command } from '../../command.ts'
import type { Output } from '../../output.ts'
import { imageLine } from './manage.ts'

export const imagePush = command(
  'push',
  'Give the control plane the archive of an image (`docker save`), for toolboxes without a registry',
  { file: { type: 'positional', description: 'The archive, as it is or compressed by gzip', required: true } },
  async ({ client, args, output, signal }) => {
    const size = (await stat(args.file).catch(unreadable(args.file))).size
    output.note(`Reading ${args.file}`)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(args.file, { signal })) hash.update(chunk as Buffer)
    const digest = `sha256:${hash.digest('hex')}`
    output.result(await sendAll(client, args.file, { digest, size }, output, signal), imageLine)
  },
)

/** So often a part is sent again that another upload of the same archive overtook. */
const MOST_TURNS = 1_000

/** An upload that was interrupted goes on from where it ended. */
async function sendAll(
  client: Client,
  path: string,
  whole: { readonly digest: string; readonly size: number },
  output: Output,
  signal: AbortSignal,
): Promise<ImageArchive> {
  const file = await open(path)
  try {
    const ask = () => client.call(beginImageArchive, { body: whole }, { signal })
    let archive = await ask()
    for (let turn = 0; archive.state !== 'ready' && turn < MOST_TURNS; turn++) {
      const { received: offset } = archive
      const part = new Uint8Array(Math.min(MOST_PART_BYTES, whole.size - offset))
      const { bytesRead } = await file.read(part, 0, part.length, offset)
      if (bytesRead < part.length) throw problem('invalid-image', `${path} became shorter while it was read`)
      const params = { digest: whole.digest, offset }
      archive = await client.call(appendImageArchive, { params }, { upload: part, signal }).catch((error: unknown) => {
        if (error instanceof ProblemError && error.code === 'wrong-offset') return ask()
        throw error
      })
      output.note(`${Math.floor((archive.received / whole.size) * 100)} %`)
    }
    return archive
  } finally {
    await file.close()
  }
}

const unreadable =
  (path: string) =>
  (cause: unknown): never => {
    throw problem('invalid-image', `${path} cannot be read`, { cause })
  }
