import * as z from 'zod'
import { secret, Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** Host of a registry of images, with its port when it has one; `docker.io` for the public one. */
export const RegistryHost = z
  .string()
  .max(255)
  .regex(
    /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?$/,
    'a host, such as registry.example, or registry.example:5000',
  )

/** That the account has a credential for a registry. Never the password. */
export const RegistryCredential = z.object({
  registry: RegistryHost,
  username: z.string(),
  changedAt: Timestamp,
})
export type RegistryCredential = z.infer<typeof RegistryCredential>

const one = z.object({ registry: RegistryHost })
const word = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}]+$/u, 'holds a control character')

export const listRegistries = defineUserOperation({
  id: 'listRegistries',
  summary: 'List the registries that the account has credentials for',
  method: 'GET',
  path: '/api/registries',
  auth: 'viewer',
  status: 200,
  reply: z.object({ items: z.array(RegistryCredential) }),
  problems: [],
})

export const putRegistryCredential = defineUserOperation({
  id: 'putRegistryCredential',
  summary: 'Store the credential for a registry. It is never shown again; toolboxes get it for a pull, and forget it',
  method: 'PUT',
  path: '/api/registries/:registry',
  auth: 'admin',
  status: 200,
  params: one,
  body: z.strictObject({
    username: word(255).refine((text) => !text.includes(':'), 'holds a colon'),
    password: secret(word(8_192)),
  }),
  reply: RegistryCredential,
  problems: ['registry-limit'],
})

export const removeRegistryCredential = defineUserOperation({
  id: 'removeRegistryCredential',
  summary: 'Forget the credential for a registry',
  method: 'DELETE',
  path: '/api/registries/:registry',
  auth: 'admin',
  status: 204,
  params: one,
  problems: ['registry-not-found'],
})
