import * as z from 'zod'
import { secret, Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** What the account has given us of DigitalOcean: never the token itself. */
export const ProviderState = z.object({
  configured: z.boolean(),
  /** The last characters of the token. */
  hint: z.string().optional(),
  /** Rights that the token lacks, as DigitalOcean calls them: `droplet:create`. */
  missingScopes: z.array(z.string()),
  validatedAt: Timestamp.optional(),
})
export type ProviderState = z.infer<typeof ProviderState>

export const DropletOptions = z.object({
  regions: z.array(z.object({ slug: z.string(), name: z.string() })),
  sizes: z.array(
    z.object({
      slug: z.string(),
      memoryMb: z.int(),
      vcpus: z.int(),
      diskGb: z.int(),
      monthlyUsd: z.number(),
      /** Slugs of the regions that have it. */
      regions: z.array(z.string()),
    }),
  ),
  images: z.array(z.object({ slug: z.string(), name: z.string(), regions: z.array(z.string()) })),
})
export type DropletOptions = z.infer<typeof DropletOptions>

const PATH = '/api/providers/digitalocean'

export const getProvider = defineUserOperation({
  id: 'getProvider',
  summary: 'Whether DigitalOcean is configured',
  method: 'GET',
  path: PATH,
  auth: 'viewer',
  status: 200,
  reply: ProviderState,
  problems: [],
})

export const listProviderOptions = defineUserOperation({
  id: 'listProviderOptions',
  summary: 'List the regions, sizes with prices, and images that a droplet may have',
  method: 'GET',
  path: `${PATH}/options`,
  auth: 'viewer',
  status: 200,
  reply: DropletOptions,
  problems: ['provider-not-configured', 'provider-refused', 'provider-unavailable'],
})

export const setProviderToken = defineUserOperation({
  id: 'setProviderToken',
  summary: 'Store a token of DigitalOcean, after asking DigitalOcean about it. It is never shown again',
  method: 'PUT',
  path: PATH,
  auth: 'admin',
  status: 200,
  body: z.strictObject({
    token: secret(
      z
        .string()
        .min(16)
        .max(512)
        .regex(/^[\x21-\x7e]+$/, 'a token is one word'),
    ),
  }),
  reply: ProviderState,
  problems: ['provider-in-use', 'provider-refused', 'provider-unavailable'],
})

export const removeProviderToken = defineUserOperation({
  id: 'removeProviderToken',
  summary: 'Forget the token of DigitalOcean',
  method: 'DELETE',
  path: PATH,
  auth: 'admin',
  status: 204,
  problems: ['provider-in-use'],
})
