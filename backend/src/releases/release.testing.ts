import type { DtmaImage } from '../install/dtma-image.ts'

const ID = `sha256:${'a'.repeat(64)}`

/** DTMA 0.2.0, which nobody ever fetches. */
export const dtmaImage: DtmaImage = {
  name: 'agentopia-dtma:test',
  id: async () => ID,
  version: async () => '0.2.0',
  exported: async () => ({ id: ID, sha256: 'b'.repeat(64), size: 9 }),
  prepare: async () => undefined,
  open: async () => undefined,
}

/** A control plane that gives it out. @param ofAccount Most toolboxes of an account. */
export const givingOut = (ofAccount = 20) => ({
  machines: {
    image: dtmaImage,
    imageName: dtmaImage.name,
    limits: { ofAccount, ofAll: 10_000 },
    digitalOceanUrl: 'http://digitalocean',
    fetch,
  },
})
