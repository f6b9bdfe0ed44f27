import * as z from 'zod'

/** Building blocks that several nouns share. */
/** From the year 1 on: before it, the database counts otherwise. */
export const Timestamp = z.iso.datetime().refine((text) => !text.startsWith('0000'), 'there was no year 0')

/**
 * What opens something to whoever has it: it is shown once or never, and goes through no model. The mark is printed with the
 * contract, as `x-secret`.
 */
export const secret = <Schema extends z.ZodType>(schema: Schema): Schema => schema.meta({ 'x-secret': true })

/** What people call a thing: unique among its kind within the account. */
export const Name = z
  .string()
  .min(1)
  .max(63)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'lower-case letters, digits and inner hyphens (a DNS label, RFC 1123)')

const id = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}_[0-9a-z]{16}$`), `an id that begins with ${prefix}_`)

export const ToolboxId = id('toolbox')
export const RolloutId = id('roll')
export const InstanceId = id('inst')
export const GroupId = id('group')
export const AgentId = id('agent')
export const ToolbeltItemId = id('belt')
export const TokenId = id('token')
export const InvitationId = id('invite')
/** The first person of an installation is `user_owner`. */
export const UserId = z.string().regex(/^user_[0-9a-z]{1,32}$/, 'an id that begins with user_')
export const SessionId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'an id of a session')
export const PasskeyId = id('passkey')
export const GrantId = id('grant')
export const CallId = id('call')
export const ApprovalId = id('appr')
/** DigitalOcean's numbers; strings here, because not every number of theirs fits. */
export const SnapshotId = z.string().regex(/^\d{1,18}$/, 'the number of a snapshot')
/** What DigitalOcean calls a region, a size or an image; of a snapshot, its number. */
export const Slug = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[a-z0-9][a-z0-9.-]*$/, 'a slug of DigitalOcean')
export const ToolId = Name.describe('Slug of a catalogue entry.')

export const Page = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(100).describe('At most so many.'),
  cursor: z.string().max(200).optional().describe('`nextCursor` of the previous page.'),
})

/** One page of a list; `nextCursor` is absent on the last. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional() })
